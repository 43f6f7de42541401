//! The events of `dart test --reporter json` and `flutter test --machine`, one a line.
//!
//! Files are loaded by hidden cases named `loading …`; such a case, or one that sets up a group, is a failure outside
//! of any test.

use std::collections::HashMap;

use super::document::{Doc, Events, Flow, Tally};
use super::json::Node;
use super::{Place, Sure, thrown};
use crate::item::{Item, weight, weight_of_entry};
use crate::kind::Phase;
use crate::report::{Failure, FileRef, Level, Note, PassedCase, Signal, Span};

/// About how many bytes are kept of the cases that have not ended, and of the suites.
const MAX_OPEN: usize = 12 * 1024 * 1024;
const MAX_SUITES: usize = 4 * 1024 * 1024;

pub(crate) fn sniff(head: &[u8]) -> Option<Sure> {
    let first = head[..head.len().min(2048)].split(|byte| *byte == b'\n').next().unwrap_or_default();
    let has = |key: &[u8]| super::near::holds(first, key);
    if !head.starts_with(b"{") {
        return None;
    }
    (has(b"\"protocolVersion\"") && has(b"\"runnerVersion\"")).then_some(Sure::Certain)
}

#[derive(Default)]
struct Case {
    name: String,
    file: Option<FileRef>,
    failures: Vec<Failure>,
    /// About how many bytes it takes.
    bytes: usize,
    /// What it raised has been told, or began before anything was known of it.
    told: bool,
}

#[derive(Default)]
pub(crate) struct Run {
    tally: Tally,
    suites: HashMap<u64, String>,
    suite_bytes: usize,
    /// Cases that began and did not end.
    open: HashMap<u64, Case>,
    /// About how many bytes those take.
    open_bytes: usize,
    /// Where a case began for which there was no room.
    crowded_at: Option<u64>,
    /// How many such cases have not ended.
    beyond: u64,
    ended: bool,
    last: Span,
}

impl Events for Run {
    fn event(&mut self, doc: &Doc<'_>, event: &Node<'_>, out: &mut dyn FnMut(Item)) -> Flow {
        self.last = doc.span(event.start, event.end);
        match event.string_at("type").as_deref() {
            Some("suite") => {
                if let Some(suite) = event.get("suite")
                    && let (Some(id), Some(path)) = (suite.count_at("id"), suite.string_at("path"))
                    && self.suite_bytes < MAX_SUITES
                {
                    self.suite_bytes += weight_of_entry::<u64, String>(path.len());
                    self.suites.insert(id, path);
                }
            }
            Some("testStart") => self.start(doc, event),
            Some("error") => self.error(doc, event, out),
            Some("testDone") => self.done(doc, event, out),
            Some("done") => {
                self.ended = true;
                self.tally.failed |= event.get("success").and_then(Node::bool) == Some(false);
                self.tally.lost |= event.get("success").is_none_or(Node::is_null);
                return Flow::Last;
            }
            _ => {}
        }
        Flow::More
    }

    fn end(&mut self, lost: bool, _at: Place, out: &mut dyn FnMut(Item)) {
        let mut tally = std::mem::take(&mut self.tally);
        tally.lost |= lost || !self.ended;
        if !self.ended {
            let message = "the events of the tests end before the run does";
            out(Item::Note(Note::warning(Some(self.last.line), message)));
        }
        if let Some(line) = self.crowded_at {
            tally.lost |= self.beyond > 0;
            let message = "more cases run at once than are kept; some are told of without a name";
            out(Item::Note(Note::warning(Some(line), message)));
        }
        // What had failed before the end counts, though nothing says that it ended.
        let mut open: Vec<_> = std::mem::take(&mut self.open).into_iter().collect();
        open.sort_by_key(|(id, _)| *id);
        for (_, case) in open {
            if case.told || !case.failures.is_empty() {
                match is_outside(&case.name) {
                    true => tally.counts.errored += 1,
                    false => tally.errored(),
                }
                case.failures.into_iter().for_each(|failure| out(Item::Failure(failure)));
            }
        }
        if tally.failed && !tally.counts.any_failed() && tally.counts.total == 0 {
            tally.failed = false;
        }
        tally.emit("dart test", self.last, out);
    }
}

impl Run {
    fn start(&mut self, doc: &Doc<'_>, event: &Node<'_>) {
        let Some(test) = event.get("test") else { return };
        let Some(id) = test.count_at("id") else { return };
        let suite = test.count_at("suiteID").and_then(|id| self.suites.get(&id)).cloned();
        // A test that a library declares names the place of the caller as its root.
        let line = test.count_at("root_line").or_else(|| test.count_at("line"));
        let file = suite.map(|path| FileRef::new(path, line, None));
        let name = test.string_at("name").unwrap_or_default();
        let bytes = weight_of_entry::<u64, Case>(name.len() + file.as_ref().map_or(0, |file| file.path.len()));
        if self.open_bytes + bytes > MAX_OPEN {
            self.crowded_at.get_or_insert_with(|| doc.line(event.start));
            self.beyond += 1;
            return;
        }
        self.open_bytes += bytes;
        let before = self.open.insert(id, Case { name, file, bytes, ..Case::default() });
        self.open_bytes = self.open_bytes.saturating_sub(before.map_or(0, |case| case.bytes));
    }

    fn error(&mut self, doc: &Doc<'_>, event: &Node<'_>, out: &mut dyn FnMut(Item)) {
        let mut failure = doc.failure(Level::Case, event);
        failure.phase = Some(Phase::Test);
        doc.push_member(event, "error", &mut failure.text);
        doc.push_member(event, "stackTrace", &mut failure.text);
        let first = failure.text.iter().map(|line| line.text.trim()).find(|line| !line.is_empty()).unwrap_or_default();
        let late = first.contains("Test timed out after");
        let assertion = event.is("isFailure").then_some(Signal::Assertion);
        failure.type_name = thrown::type_name(&failure.text).or_else(|| {
            let (name, _) = first.split_once(':')?;
            (name.starts_with("Exception") || name.ends_with("Exception")).then(|| name.to_owned())
        });
        failure.signal = late.then_some(Signal::TestTimeout).or(assertion);
        match event.count_at("testID").and_then(|id| self.open.get_mut(&id)) {
            Some(case) => {
                failure.test = Some(case.name.clone());
                failure.file = case.file.clone();
                if is_outside(&case.name) {
                    failure.level = Level::Suite;
                    let load = case.name.starts_with("loading ");
                    let compiler = failure
                        .text
                        .iter()
                        .position(|line| line.text.contains(".dart:") && line.text.contains(": Error: "));
                    failure.signal = Some(match compiler {
                        Some(_) if load => Signal::Compile,
                        _ if load => Signal::Load,
                        _ => Signal::Hook,
                    });
                    // The line of the compiler says more than that a file was not loaded.
                    failure.text.drain(..compiler.filter(|_| load).unwrap_or(0));
                }
                // One case may raise any number of errors.
                let bytes = weight(&failure);
                if self.open_bytes + bytes > MAX_OPEN {
                    case.told = true;
                    out(Item::Failure(failure));
                } else if case.failures.len() < 20 {
                    case.bytes += bytes;
                    self.open_bytes += bytes;
                    case.failures.push(failure);
                }
            }
            None => out(Item::Failure(failure)),
        }
    }

    fn done(&mut self, doc: &Doc<'_>, event: &Node<'_>, out: &mut dyn FnMut(Item)) {
        let known = event.count_at("testID").and_then(|id| self.open.remove(&id));
        if known.is_none() {
            // What it raised was told, and nothing more is known of it.
            let Some(beyond) = self.beyond.checked_sub(1) else { return };
            self.beyond = beyond;
        }
        let case = known.unwrap_or_else(|| Case { told: true, ..Case::default() });
        self.open_bytes = self.open_bytes.saturating_sub(case.bytes);
        let result = event.string_at("result").unwrap_or_default();
        let outside = is_outside(&case.name);
        match result.as_str() {
            "failure" | "error" if outside => self.tally.counts.errored += 1,
            "failure" => self.tally.failed(),
            "error" => self.tally.errored(),
            _ if event.is("hidden") || outside => return,
            _ if event.is("skipped") => return self.tally.skipped(),
            _ => {
                let file = case.file.map(|file| file.path);
                doc.passed(out, || PassedCase { file, ..PassedCase::new(case.name) });
                return self.tally.passed();
            }
        }
        if case.failures.is_empty() && !case.told {
            let text = vec![crate::report::TextLine { text: case.name.clone(), span: self.last }];
            let (test, file, span) = (Some(case.name), case.file, self.last);
            out(Item::Failure(Failure { test, file, text, span, phase: Some(Phase::Test), ..Failure::default() }));
            return;
        }
        case.failures.into_iter().for_each(|failure| out(Item::Failure(failure)));
    }
}

/// Whether a case is none: it loads a file, or sets up or tears down a group.
fn is_outside(name: &str) -> bool {
    name.starts_with("loading ") || name.ends_with("(setUpAll)") || name.ends_with("(tearDownAll)")
}

#[cfg(test)]
mod tests {
    use crate::format::document::check::{counts, cut_anywhere};
    use crate::kind::Kind;
    use crate::report::Outcome;

    const EVENTS: &str = r#"{"protocolVersion":"0.1.1","runnerVersion":"1.25.3","pid":7103,"type":"start","time":0}
{"suite":{"id":0,"platform":"vm","path":"test/a_test.dart"},"type":"suite","time":0}
{"test":{"id":1,"name":"loading test/a_test.dart","suiteID":0},"type":"testStart","time":0}
{"testID":1,"result":"success","skipped":false,"hidden":true,"type":"testDone","time":294}
{"test":{"id":2,"name":"adds","suiteID":0,"line":7},"type":"testStart","time":300}
a line of a program
{"testID":2,"result":"success","skipped":false,"hidden":false,"type":"testDone","time":301}
{"test":{"id":3,"name":"rounds","suiteID":0,"line":12},"type":"testStart","time":302}
{"testID":3,"error":"Expected: <2>\n  Actual: <1>\n","stackTrace":"test/a_test.dart 13:9","isFailure":true,"type":"error"}
{"testID":3,"result":"failure","skipped":false,"hidden":false,"type":"testDone","time":303}
{"test":{"id":4,"name":"loading test/b_test.dart","suiteID":0},"type":"testStart","time":304}
{"testID":4,"error":"Failed to load \"test/b_test.dart\": test/b_test.dart:3:1: Error: Undefined name 'gone'.","isFailure":false,"type":"error"}
{"testID":4,"result":"error","skipped":false,"hidden":false,"type":"testDone","time":305}
{"success":false,"type":"done","time":333}
"#;

    #[test]
    fn loading_is_no_case() {
        let report = counts(EVENTS.as_bytes(), "dart-json", Outcome::Failed, [2, 1, 1, 1, 0, 0]);
        let assertion = report.causes.iter().find(|cause| cause.kind == Kind::Assertion).unwrap();
        assert_eq!((assertion.subject.as_deref(), assertion.evidence[0].line), (Some("rounds"), 9));
    }

    #[test]
    fn events_that_end_early_never_pass() {
        cut_anywhere(EVENTS.as_bytes());
        let passed: String = EVENTS.lines().take(7).map(|line| format!("{line}\n")).collect();
        counts(passed.as_bytes(), "dart-json", Outcome::Unknown, [1, 1, 0, 0, 0, 0]);
    }

    #[test]
    fn cases_that_are_not_kept_are_counted() {
        let long = "x".repeat(100_000);
        let mut text = EVENTS.lines().next().unwrap_or_default().to_owned() + "\n";
        for id in 0..150 {
            text += &format!("{{\"test\":{{\"id\":{id},\"name\":\"{long}\",\"suiteID\":0}},\"type\":\"testStart\"}}\n");
        }
        text += "{\"testID\":149,\"error\":\"Expected: <2>\\n  Actual: <1>\\n\",\"stackTrace\":\"\",\"isFailure\":true,\"type\":\"error\"}\n";
        let done = |id: usize, result: &str| {
            format!(
                "{{\"testID\":{id},\"result\":\"{result}\",\"skipped\":false,\"hidden\":false,\"type\":\"testDone\"}}\n"
            )
        };
        (0..148).for_each(|id| text += &done(id, "success"));
        let end = "{\"success\":true,\"type\":\"done\",\"time\":333}\n";
        let all = text.clone() + &done(148, "success") + &done(149, "failure") + end;
        let report = counts(all.as_bytes(), "dart-json", Outcome::Failed, [150, 149, 1, 0, 0, 0]);
        assert_eq!(report.causes.len(), 1);
        assert!(report.notes.iter().any(|note| note.message.starts_with("more cases run at once")));
        // One that is not kept and does not end may have failed.
        let open: String =
            text.lines().filter(|line| !line.contains("\"error\"")).map(|line| format!("{line}\n")).collect();
        let open = open + &done(148, "success") + end;
        counts(open.as_bytes(), "dart-json", Outcome::Unknown, [149, 149, 0, 0, 0, 0]);
    }
}
