//! pytest's own JSON: the lines of pytest-reportlog and the document of pytest-json-report.
//!
//! Both tell each case in three phases. A case whose set-up or tear-down failed has an error, and so has a file that
//! could not be collected, which pytest counts like a case.

use std::collections::BTreeMap;

use super::document::{Doc, Events, Flow, Tally, compare, elements, parts};
use super::json::Node;
use super::{Place, Sure, signal};
use crate::item::{Item, weight_of_entry};
use crate::kind::Phase;
use crate::report::{Failure, FileRef, Level, PassedCase, Signal, Span, TextLine};

/// About how many bytes are kept of the cases that have begun and not ended.
const MAX_OPEN: usize = 8 * 1024 * 1024;

pub(crate) fn sniff_log(head: &[u8]) -> Option<Sure> {
    let first = head[..head.len().min(64 * 1024)].split(|byte| *byte == b'\n').next().unwrap_or_default();
    let has = |key: &[u8]| super::near::holds(first, key);
    (head.starts_with(b"{") && has(b"\"$report_type\"")).then_some(Sure::Certain)
}

pub(crate) fn sniff_report(head: &[u8]) -> Option<Sure> {
    let near = &head[..head.len().min(8192)];
    let has = |key: &[u8]| super::near::holds(near, key);
    let own = head.starts_with(b"{") && has(b"\"exitcode\"") && has(b"\"summary\"") && has(b"\"root\"");
    (own && (has(b"\"collectors\"") || has(b"\"tests\"") || has(b"\"environment\""))).then_some(Sure::Certain)
}

/// What is known of a case until its last phase.
#[derive(Default)]
struct Case {
    call_failed: bool,
    error: bool,
    skipped: bool,
    /// An attempt failed, and another follows.
    rerun: bool,
    /// That attempt is the one at hand.
    repeats: bool,
    /// How long the call took.
    seconds: Option<f64>,
}

/// A case that passed; its id begins with its file.
fn passing(id: &str, seconds: Option<f64>) -> PassedCase {
    let file = id.split_once("::").map(|(path, _)| path.to_owned());
    PassedCase { file, seconds, ..PassedCase::new(id) }
}

impl Case {
    fn has_passed(&self) -> bool {
        !self.call_failed && !self.error && !self.skipped
    }

    fn count(&self, tally: &mut Tally) {
        if self.call_failed {
            tally.failed();
            tally.counts.errored += u64::from(self.error);
        } else if self.error {
            tally.errored();
        } else if self.skipped {
            tally.skipped();
        } else if self.rerun {
            tally.flaky();
        } else {
            tally.passed();
        }
    }
}

#[derive(Default)]
pub(crate) struct ReportLog {
    tally: Tally,
    /// Cases of which the tear-down has not been told; several at once with xdist.
    open: BTreeMap<String, Case>,
    /// About how many bytes those take.
    open_bytes: usize,
    /// How many more are open than are kept, and whether there ever were.
    beyond: u64,
    crowded: bool,
    ended: bool,
    last: Span,
}

impl Events for ReportLog {
    fn event(&mut self, doc: &Doc<'_>, event: &Node<'_>, out: &mut dyn FnMut(Item)) -> Flow {
        self.last = doc.span(event.start, event.end);
        match event.string_at("$report_type").as_deref() {
            Some("CollectReport") => match event.string_at("outcome").as_deref() {
                Some("failed") => {
                    self.tally.errored();
                    out(Item::Failure(collection(doc, event)));
                }
                Some("skipped") => self.tally.skipped(),
                _ => {}
            },
            Some("TestReport") => self.phase(doc, event, out),
            Some("SessionFinish") => {
                self.ended = true;
                let code = event.count_at("exitstatus");
                exit(doc, event, "exitstatus", code, &mut self.tally, out);
                return Flow::Last;
            }
            _ => {}
        }
        Flow::More
    }

    fn end(&mut self, lost: bool, _at: Place, out: &mut dyn FnMut(Item)) {
        let mut tally = std::mem::take(&mut self.tally);
        tally.lost |= lost || !self.ended;
        if self.crowded {
            tally.lost |= self.beyond > 0;
            let message = "more cases have begun at once than are kept; those beyond are counted phase by phase";
            out(Item::Note(crate::report::Note::warning(Some(self.last.line), message)));
        }
        for (name, case) in std::mem::take(&mut self.open) {
            if case.call_failed || case.error {
                case.count(&mut tally);
            } else {
                tally.lost = true;
                let message = format!("{name} began and did not end");
                out(Item::Note(crate::report::Note::warning(Some(self.last.line), message)));
            }
        }
        if !self.ended {
            let message = "the log of reports ends before the session does";
            out(Item::Note(crate::report::Note::warning(Some(self.last.line), message)));
        }
        tally.emit("pytest", self.last, out);
    }
}

impl ReportLog {
    fn phase(&mut self, doc: &Doc<'_>, event: &Node<'_>, out: &mut dyn FnMut(Item)) {
        let id = event.string_at("nodeid").unwrap_or_default();
        let when = event.string_at("when").unwrap_or_default();
        let outcome = event.string_at("outcome").unwrap_or_default();
        if !self.open.contains_key(&id) {
            // What has begun without room is not known in its later phases either.
            let bytes = weight(&id);
            if self.open_bytes + bytes > MAX_OPEN || self.crowded && when != "setup" {
                return self.phase_beyond(doc, event, &id, &when, &outcome, out);
            }
            self.open_bytes += bytes;
        }
        let case = self.open.entry(id.clone()).or_default();
        case.repeats &= when != "setup";
        if when == "call" {
            case.seconds = event.seconds_at("duration", 1.0);
        }
        match outcome.as_str() {
            "failed" => {
                case.call_failed |= when == "call";
                case.error |= when != "call";
                let mut failure = doc.failure(Level::Case, event);
                if let Some(repr) = event.get("longrepr") {
                    longrepr(doc, repr, &mut failure);
                }
                finish(doc, event, &id, when != "call", &mut failure);
                out(Item::Failure(failure));
            }
            "rerun" => {
                case.rerun = true;
                case.repeats = true;
            }
            // An expected failure is told as a skip.
            "skipped" => case.skipped = true,
            _ => {}
        }
        // After an attempt that is to be repeated, set-up comes again. A worker that died tells no phase.
        if (when == "teardown" || when == "???") && !case.repeats {
            let case = self.open.remove(&id).unwrap_or_default();
            self.open_bytes = self.open_bytes.saturating_sub(weight(&id));
            case.count(&mut self.tally);
            if case.has_passed() {
                doc.passed(out, || passing(&id, case.seconds));
            }
        }
    }
}

impl ReportLog {
    /// A phase of a case that is not kept: what it says counts at once.
    fn phase_beyond(
        &mut self,
        doc: &Doc<'_>,
        event: &Node<'_>,
        id: &str,
        when: &str,
        outcome: &str,
        out: &mut dyn FnMut(Item),
    ) {
        self.crowded = true;
        match when {
            "setup" => self.beyond += 1,
            "call" => {}
            _ => self.beyond = self.beyond.saturating_sub(1),
        }
        match (outcome, when) {
            ("failed", "call") => self.tally.failed(),
            // The call counts as a case already.
            ("failed", "teardown") => self.tally.counts.errored += 1,
            ("failed", _) => self.tally.errored(),
            ("skipped", "setup" | "call") => self.tally.skipped(),
            ("passed", "call") => {
                self.tally.passed();
                doc.passed(out, || passing(id, event.seconds_at("duration", 1.0)));
            }
            _ => {}
        }
        if outcome == "failed" {
            let mut failure = doc.failure(Level::Case, event);
            if let Some(repr) = event.get("longrepr") {
                longrepr(doc, repr, &mut failure);
            }
            finish(doc, event, id, when != "call", &mut failure);
            out(Item::Failure(failure));
        }
    }
}

/// About how many bytes a case takes that has begun.
fn weight(id: &str) -> usize {
    weight_of_entry::<String, Case>(id.len())
}

/// What the exit status of the session says beyond its cases.
fn exit(doc: &Doc<'_>, node: &Node<'_>, key: &str, code: Option<u64>, tally: &mut Tally, out: &mut dyn FnMut(Item)) {
    let known = tally.counts.any_failed();
    let signal = match code {
        // 2 also ends a session whose collection failed.
        Some(2) if !known => Some(Signal::Interrupted),
        Some(3) => None,
        Some(4) if !known => Some(Signal::Config),
        Some(1) if !known => None,
        _ => return,
    };
    tally.failed = true;
    let mut failure = doc.failure(Level::Run, node);
    failure.phase = Some(Phase::Test);
    failure.signal = signal;
    doc.push_pair(node, key, &mut failure.text);
    out(Item::Failure(failure));
}

fn collection(doc: &Doc<'_>, node: &Node<'_>) -> Failure {
    let mut failure = doc.failure(Level::Suite, node);
    if let Some(repr) = node.get("longrepr") {
        longrepr(doc, repr, &mut failure);
    }
    let id = node.string_at("nodeid").unwrap_or_default();
    finish(doc, node, &id, false, &mut failure);
    failure.signal = Some(Signal::Load);
    failure.file = failure.file.or_else(|| Some(FileRef::new(id, None, None)).filter(|file| !file.path.is_empty()));
    failure
}

/// Reads a representation of a failure: a string, a wrapped string, or the parts of a traceback.
fn longrepr(doc: &Doc<'_>, repr: &Node<'_>, failure: &mut Failure) {
    if let Some(text) = repr.text() {
        doc.push_text(text, &mut failure.text);
        return;
    }
    if let Some(crash) = repr.get("reprcrash") {
        self::crash(doc, crash, failure);
    }
    doc.push_member(repr, "longrepr", &mut failure.text);
    if let Some(trace) = repr.get("reprtraceback") {
        for entry in trace.list("reprentries") {
            let data = entry.get("data").unwrap_or(entry);
            doc.push_member(data, "lines", &mut failure.text);
        }
    }
}

/// The place and the message at which a test crashed. The message comes first: it is what decides.
fn crash(doc: &Doc<'_>, crash: &Node<'_>, failure: &mut Failure) {
    doc.push_member(crash, "message", &mut failure.text);
    failure.file = crash.string_at("path").map(|path| FileRef::new(path, crash.count_at("lineno"), None));
}

/// Names a failure and reads what its first line says.
fn finish(doc: &Doc<'_>, node: &Node<'_>, id: &str, hook: bool, failure: &mut Failure) {
    failure.phase = Some(Phase::Test);
    failure.test = Some(id.to_owned()).filter(|id| !id.is_empty());
    if failure.text.is_empty() {
        doc.push_pair(node, "outcome", &mut failure.text);
    }
    let reason = reason(&failure.text).unwrap_or_default().to_owned();
    let type_name = type_of(&reason);
    // A bare `assert x` is told without its type.
    let asserts = reason.starts_with("assert ") || reason.starts_with("[XPASS(strict)]");
    failure.signal = if is_time_limit(&reason) {
        Some(Signal::TestTimeout)
    } else if reason.contains(" crashed while running ") {
        Some(Signal::Crash)
    } else if asserts {
        Some(Signal::Assertion)
    } else {
        let failed = reason.starts_with("Failed: DID NOT RAISE").then_some(Signal::Assertion);
        type_name.as_deref().and_then(signal::of_type).or(failed).or(hook.then_some(Signal::Hook))
    };
    failure.type_name = type_name.or(asserts.then(|| "AssertionError".to_owned()));
    // Grouping goes by the file of the test; the place of the crash is kept where it is in that file.
    if let Some((path, _)) = id.split_once("::")
        && failure.signal == Some(Signal::Assertion)
    {
        let line = failure.file.take().filter(|place| place.path.ends_with(path)).and_then(|place| place.line);
        failure.file = Some(FileRef::new(path, line, None));
    }
}

/// The line that says what was raised: marked in a traceback, or the first.
fn reason(text: &[TextLine]) -> Option<&str> {
    let marked = text.iter().find_map(|line| line.text.strip_prefix("E "));
    let first = text.iter().map(|line| line.text.trim()).find(|line| !line.is_empty());
    let unmarked = first.filter(|line| type_of(line).is_some() || line.starts_with("assert "));
    unmarked.or(marked).or(first).map(str::trim)
}

fn is_time_limit(line: &str) -> bool {
    line.starts_with("Failed: Timeout >") || line.starts_with("Failed: Timeout (>") || line.starts_with("Timeout >")
}

/// The type in `package.SomeError: words`.
fn type_of(line: &str) -> Option<String> {
    let end = line.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.'))).unwrap_or(line.len());
    let (name, rest) = line.split_at(end);
    let last = name.rsplit('.').next().unwrap_or(name);
    let typed = last.starts_with(|c: char| c.is_uppercase()) && (rest.starts_with(':') || rest.is_empty());
    (typed && last.len() > 3).then(|| name.to_owned())
}

pub(crate) fn read_report(doc: &Doc<'_>, out: &mut dyn FnMut(Item)) -> usize {
    let mut cursor = doc.cursor();
    let mut tally = Tally::default();
    let mut damaged = None;
    let mut declared = None;
    let mut code = None;
    let result = cursor.object(|key, cursor| {
        match key {
            "exitcode" => {
                let start = cursor.pos();
                code = cursor.maybe_count()?.map(|code| (code, start, cursor.pos()));
            }
            "summary" => {
                let (summary, stop) = cursor.node();
                declared = summary.count_at("total");
                return stop.map_or(Ok(()), Err);
            }
            "collectors" => elements(cursor, &mut damaged, |collector| {
                if collector.string_at("outcome").as_deref() == Some("failed") {
                    tally.errored();
                    out(Item::Failure(collection(doc, collector)));
                }
            })?,
            "tests" => parts(cursor, &mut damaged, |test| {
                // Of a case that was cut, only a failure is sure.
                let outcome = test.string_at("outcome");
                if test.whole || matches!(outcome.as_deref(), Some("failed" | "error")) {
                    report_case(doc, test, &mut tally, out);
                }
            })?,
            _ => cursor.skip()?,
        }
        Ok(())
    });
    let stop = result.err().or(damaged);
    tally.lost |= stop.is_some();
    if stop.is_none() {
        let declared = declared.filter(|declared| *declared > tally.counts.total);
        compare("tests", declared, tally.counts.total, doc.line(0), out);
        if let Some((code, start, end)) = code {
            report_exit(doc, code, (start, end), &mut tally, out);
        }
    }
    tally.emit("pytest", doc.head(), out);
    doc.finish(&cursor, result, stop, out)
}

fn report_exit(doc: &Doc<'_>, code: u64, (start, end): (usize, usize), tally: &mut Tally, out: &mut dyn FnMut(Item)) {
    let mut cursor = doc.cursor();
    cursor.move_to(start);
    let known = tally.counts.any_failed();
    if code == 0 || code == 5 || known {
        return;
    }
    tally.failed = true;
    let mut text = Vec::new();
    let before = &doc.bytes[..start];
    let quote = memchr::memrchr(b'"', before).and_then(|end| memchr::memrchr(b'"', &before[..end]));
    doc.push_raw(quote.unwrap_or(start), end, &mut text);
    let signal = match code {
        2 => Some(Signal::Interrupted),
        4 => Some(Signal::Config),
        _ => None,
    };
    let span = doc.span(start, end);
    out(Item::Failure(Failure {
        level: Level::Run,
        phase: Some(Phase::Test),
        signal,
        text,
        span,
        ..Failure::default()
    }));
}

fn report_case(doc: &Doc<'_>, test: &Node<'_>, tally: &mut Tally, out: &mut dyn FnMut(Item)) {
    let id = test.string_at("nodeid").unwrap_or_default();
    let failed = |phase: &str| test.at(&[phase, "outcome"]).and_then(Node::string).as_deref() == Some("failed");
    let mut case = Case::default();
    let outcome = test.string_at("outcome");
    let repeated = outcome.as_deref() == Some("rerun") && !failed("call");
    if matches!(outcome.as_deref(), Some("passed" | "xpassed")) || repeated {
        let call = test.get("call");
        doc.passed(out, || passing(&id, call.and_then(|call| call.seconds_at("duration", 1.0))));
    }
    match outcome.as_deref() {
        Some("passed" | "xpassed") => return tally.passed(),
        Some("failed") => {
            case.call_failed = true;
            case.error = failed("setup") || failed("teardown");
        }
        Some("error") => {
            case.call_failed = failed("call");
            case.error = true;
        }
        // The attempts of a case that was repeated are one entry, which holds the last.
        Some("rerun") if repeated => return tally.flaky(),
        Some("rerun") => case.call_failed = true,
        Some(_) => return tally.skipped(),
        None => return,
    }
    case.count(tally);
    let before = ["setup", "call", "teardown"].into_iter().filter(|phase| failed(phase)).count();
    for phase in ["setup", "call", "teardown"].into_iter().filter(|phase| failed(phase)) {
        let Some(node) = test.get(phase) else { continue };
        let mut failure = doc.failure(Level::Case, node);
        if let Some(place) = node.get("crash") {
            crash(doc, place, &mut failure);
        }
        doc.push_member(node, "longrepr", &mut failure.text);
        finish(doc, node, &id, phase != "call", &mut failure);
        out(Item::Failure(failure));
    }
    if before == 0 {
        let mut failure = doc.failure(Level::Case, test);
        finish(doc, test, &id, false, &mut failure);
        out(Item::Failure(failure));
    }
}

#[cfg(test)]
mod tests {
    use crate::format::document::check::{counts, cut_anywhere};
    use crate::kind::Kind;
    use crate::report::Outcome;

    fn phase(id: &str, when: &str, outcome: &str, message: &str) -> String {
        let repr = match message {
            "" => "null".to_owned(),
            text => format!(r#"{{"reprcrash":{{"path":"/ci/test_a.py","lineno":6,"message":"{text}"}}}}"#),
        };
        format!(
            r#"{{"nodeid":"test_a.py::{id}","when":"{when}","outcome":"{outcome}","longrepr":{repr},"$report_type":"TestReport"}}"#
        ) + "\n"
    }

    fn log() -> String {
        let mut text = "{\"pytest_version\":\"9.2.0\",\"$report_type\":\"SessionStart\"}\n".to_owned();
        for (id, outcome, message) in
            [("ok", "passed", ""), ("sums", "failed", "assert 1 == 2"), ("off", "skipped", "")]
        {
            text += &phase(id, "setup", "passed", "");
            text += &phase(id, "call", outcome, message);
            text += &phase(id, "teardown", "passed", "");
        }
        text += "gw0 says something\n";
        text += &phase("pool", "setup", "failed", "RuntimeError: no pool");
        text += &phase("pool", "teardown", "passed", "");
        for outcome in ["rerun", "passed"] {
            text += &phase("lucky", "setup", "passed", "");
            text += &phase("lucky", "call", outcome, if outcome == "rerun" { "assert 0" } else { "" });
            text += &phase("lucky", "teardown", "passed", "");
        }
        text + "{\"exitstatus\":1,\"$report_type\":\"SessionFinish\"}\n"
    }

    #[test]
    fn three_phases_are_one_case() {
        let report = counts(log().as_bytes(), "pytest-reportlog", Outcome::Failed, [5, 2, 1, 1, 1, 1]);
        let assertion = report.causes.iter().find(|cause| cause.kind == Kind::Assertion).unwrap();
        assert_eq!((assertion.subject.as_deref(), assertion.evidence[0].line), (Some("test_a.py::sums"), 6));
    }

    #[test]
    fn a_log_that_ends_early_never_passes() {
        cut_anywhere(log().as_bytes());
        let passed: String = log().lines().take(4).map(|line| format!("{line}\n")).collect();
        counts(passed.as_bytes(), "pytest-reportlog", Outcome::Unknown, [1, 1, 0, 0, 0, 0]);
    }

    #[test]
    fn reads_the_document() {
        let text = r#"{"created":1.5,"exitcode":1,"root":"/ci","environment":{},"summary":{"total":3},
"collectors":[{"nodeid":"test_b.py","outcome":"failed","longrepr":"E   ModuleNotFoundError: No module named 'gone'"}],
"tests":[{"nodeid":"test_a.py::ok","outcome":"passed"},
{"nodeid":"test_a.py::sums","outcome":"failed","setup":{"outcome":"passed"},"call":{"outcome":"failed",
"crash":{"path":"/ci/test_a.py","lineno":4,"message":"AssertionError: assert 8 == 7"},
"longrepr":"    def test():\n>       assert 8 == 7\nE       assert 8 == 7"}},
{"nodeid":"test_a.py::lucky","outcome":"rerun","call":{"outcome":"passed"}}]}"#;
        let report = counts(text.as_bytes(), "pytest-json-report", Outcome::Failed, [4, 2, 1, 1, 0, 1]);
        assert!(report.causes.iter().any(|cause| cause.kind == Kind::MissingModule));
        cut_anywhere(text.as_bytes());
    }

    #[test]
    fn cases_that_are_not_kept_are_counted() {
        let long = "x".repeat(100_000);
        let mut text = "{\"pytest_version\":\"9.2.0\",\"$report_type\":\"SessionStart\"}\n".to_owned();
        let names: Vec<String> = (0..100).map(|number| format!("{long}{number}")).collect();
        names.iter().for_each(|name| text += &phase(name, "setup", "passed", ""));
        for (number, name) in names.iter().enumerate() {
            let failed = number == 99;
            text += &phase(
                name,
                "call",
                if failed { "failed" } else { "passed" },
                if failed { "assert 1 == 2" } else { "" },
            );
            text += &phase(name, "teardown", "passed", "");
        }
        let ended = text.clone() + "{\"exitstatus\":0,\"$report_type\":\"SessionFinish\"}\n";
        let report = counts(ended.as_bytes(), "pytest-reportlog", Outcome::Failed, [100, 99, 1, 0, 0, 0]);
        assert!(report.notes.iter().any(|note| note.message.starts_with("more cases have begun at once")));
        // One that is not kept and does not end may have failed.
        let lines: Vec<&str> = ended.lines().collect();
        let open: String = lines
            .iter()
            .filter(|line| !line.contains("x99\"") || line.contains("setup"))
            .map(|line| format!("{line}\n"))
            .collect();
        counts(open.as_bytes(), "pytest-reportlog", Outcome::Unknown, [99, 99, 0, 0, 0, 0]);
    }
}
