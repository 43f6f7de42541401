//! The JSON of `jest --json` and of Vitest's JSON reporter, and the results that Jest hands to its processors.
//!
//! Counts are those of the cases that stand in it: Vitest 1 declares skipped cases as passed. A file of tests that
//! could not be loaded has no cases, and its cause stands in its message alone. Of a passing case only the status is
//! read.

use memchr::memmem;

use super::document::{Doc, Tally, compare, tolerant};
use super::json::{Cursor, Mold, Shape, Stop, Text};
use super::{Sure, thrown};
use crate::item::{Item, weight};
use crate::kind::Phase;
use crate::report::{Failure, FileRef, Level, Note, PassedCase, Signal, TextLine};

/// What Jest writes above an error outside of any test.
const OUTSIDE: &str = "Test suite failed to run";

/// How many bytes of failures, and how many cases that passed, may wait for the name of their file, which may stand behind
/// them.
const MAX_WAITING: usize = 512 * 1024;
const MAX_WAITING_PASSED: usize = 10_000;

/// The members of a case that say how it ended.
const TELLING: &[&[u8]] = &[b"status", b"failureMessages", b"failureDetails", b"retryReasons", b"invocations"];

pub(crate) fn sniff(head: &[u8]) -> Option<Sure> {
    let near = &head[..head.len().min(4096)];
    let has = |key: &[u8]| memmem::find(near, key).is_some();
    if !head.starts_with(b"{") || !(has(b"\"numTotalTest") || has(b"\"testResults\"") || has(b"\"assertionResults\"")) {
        return None;
    }
    let own = [&b"\"numFailedTestSuites\""[..], b"\"numTotalTestSuites\"", b"\"numRuntimeErrorTestSuites\""];
    if own.iter().any(|key| has(key)) {
        return Some(Sure::Certain);
    }
    (has(b"\"testResults\"") && has(b"\"assertionResults\"")).then_some(Sure::Likely)
}

/// What the report says about the run as a whole.
#[derive(Default)]
struct Declared {
    total: Option<u64>,
    failed: Option<u64>,
    broken_suites: Option<u64>,
    /// Only Jest writes some keys, and Vitest writes none of its own.
    jest: bool,
    success: Option<bool>,
    success_at: (usize, usize),
    /// Jest hands its results to reporters and processors before it knows whether the run succeeded.
    provisional: bool,
    interrupted_at: Option<(usize, usize)>,
    snapshot_failure: bool,
    obsolete_at: Option<(usize, usize)>,
}

struct Reading<'d, 'a> {
    doc: &'d Doc<'a>,
    out: &'d mut dyn FnMut(Item),
    tally: Tally,
    /// Files and hooks that failed outside of any case.
    broken: u64,
    /// The results are those that Jest keeps inside, with other names than those that it prints.
    internal: bool,
    damaged: Option<Stop>,
    /// How cases are written that passed at once.
    passing: Mold,
}

pub(crate) fn read(doc: &Doc<'_>, out: &mut dyn FnMut(Item)) -> usize {
    let mut cursor = doc.cursor();
    let mut declared = Declared::default();
    let (tally, passing) = (Tally::default(), Mold::default());
    let mut reading = Reading { doc, out, tally, broken: 0, internal: false, damaged: None, passing };
    let result = cursor.object(|key, cursor| {
        match key {
            "testResults" => {
                return cursor.array(|cursor| {
                    let mut damaged = None;
                    let result = tolerant(cursor, &mut damaged, |cursor| reading.suite(cursor));
                    reading.damaged = reading.damaged.or(damaged);
                    result
                });
            }
            "numTotalTests" => declared.total = cursor.maybe_count()?,
            "numFailedTests" => declared.failed = cursor.maybe_count()?,
            "numRuntimeErrorTestSuites" => {
                declared.jest = true;
                declared.broken_suites = cursor.maybe_count()?;
            }
            "openHandles" | "wasInterrupted" => {
                declared.jest = true;
                let start = cursor.pos();
                if cursor.maybe_bool()? == Some(true) {
                    declared.interrupted_at = Some((start, cursor.pos()));
                }
            }
            "success" => {
                let start = cursor.pos();
                declared.success = cursor.maybe_bool()?;
                declared.success_at = (start, cursor.pos());
            }
            "snapshot" => snapshot(cursor, &mut declared)?,
            "runExecError" => reading.run_error(cursor)?,
            _ => cursor.skip()?,
        }
        Ok(())
    });
    let stop = result.err().or(reading.damaged);
    let Reading { tally, broken, internal, .. } = reading;
    declared.provisional = internal;
    conclude(doc, &declared, tally, broken, stop, out);
    doc.finish(&cursor, result, stop, out)
}

/// Compares what was declared with what was seen, and emits the totals.
fn conclude(
    doc: &Doc<'_>,
    declared: &Declared,
    mut tally: Tally,
    broken: u64,
    stop: Option<Stop>,
    out: &mut dyn FnMut(Item),
) {
    let tool = if declared.jest { "jest" } else { "vitest" };
    let line = doc.line(0);
    tally.counts.errored += broken;
    tally.lost |= stop.is_some();
    if stop.is_none() {
        compare("tests", declared.total, tally.counts.total, line, out);
        compare("failed tests", declared.failed, tally.counts.failed, line, out);
        compare("suites with errors", declared.broken_suites.filter(|count| *count > broken), broken, line, out);
    }
    let run = |signal: Option<Signal>, (start, end): (usize, usize)| {
        let mut text = Vec::new();
        doc.push_raw(start, end, &mut text);
        let span = doc.span(start, end);
        Failure { level: Level::Run, signal, phase: Some(Phase::Test), text, span, ..Failure::default() }
    };
    if let Some(at) = declared.interrupted_at {
        tally.failed = true;
        out(Item::Failure(run(Some(Signal::Interrupted), key_before(doc, at))));
    }
    if declared.success == Some(false)
        && !declared.provisional
        && !tally.counts.any_failed()
        && !tally.failed
        && stop.is_none()
    {
        tally.failed = tally.counts.total > 0;
        match declared.obsolete_at.filter(|_| declared.snapshot_failure) {
            Some(at) => {
                tally.failed = true;
                out(Item::Failure(run(Some(Signal::Snapshot), key_before(doc, at))));
            }
            None if tally.failed => out(Item::Failure(run(None, key_before(doc, declared.success_at)))),
            None => {}
        }
    }
    if !declared.jest && declared.success == Some(true) && !tally.counts.any_failed() {
        let message = "Vitest's JSON leaves out unhandled errors; only its exit status or its log tells of them";
        out(Item::Note(Note::info(Some(line), message)));
    }
    tally.emit(tool, doc.head(), out);
}

/// The span of a pair, from the span of its value.
fn key_before(doc: &Doc<'_>, (start, end): (usize, usize)) -> (usize, usize) {
    let before = &doc.bytes[..start];
    let quote = memchr::memrchr(b'"', before).and_then(|end| memchr::memrchr(b'"', &before[..end]));
    (quote.unwrap_or(start), end)
}

fn snapshot(cursor: &mut Cursor<'_>, declared: &mut Declared) -> Result<(), Stop> {
    let mut best = 0;
    cursor.object(|key, cursor| {
        let start = cursor.pos();
        match key {
            "failure" => declared.snapshot_failure = cursor.maybe_bool()? == Some(true),
            // Which of them is the reason: one that differs before one that nobody asks for any more.
            "unmatched" | "unchecked" | "filesUnmatched" | "filesRemoved" => {
                let weight = if key == "unmatched" { 2 } else { 1 };
                if cursor.maybe_count()?.unwrap_or(0) > 0 && weight > best {
                    best = weight;
                    declared.obsolete_at = Some((start, cursor.pos()));
                }
            }
            _ => cursor.skip()?,
        }
        Ok(())
    })
}

/// What stands in one file of tests, until its name is known.
#[derive(Default)]
struct Suite<'a> {
    /// Where it begins, and whether its name was looked for behind its cases.
    start: usize,
    looked: bool,
    name: Option<Text<'a>>,
    message: Option<Text<'a>>,
    failed: bool,
    cases: u64,
    exec_error: Option<(Vec<TextLine>, (usize, usize))>,
    failures: Vec<Failure>,
    /// About how many bytes those take.
    bytes: usize,
    /// A case failed.
    failed_cases: bool,
    /// What passed, where that is asked for.
    passed: Vec<PassedCase>,
}

impl<'a> Reading<'_, 'a> {
    fn suite(&mut self, cursor: &mut Cursor<'a>) -> Result<(), Stop> {
        if cursor.shape()? != Shape::Object {
            return cursor.skip();
        }
        let start = cursor.pos();
        let mut suite = Suite { start, ..Suite::default() };
        let result = cursor.members(|key, cursor| {
            match key.raw {
                b"assertionResults" | b"testResults" => {
                    self.internal |= key.raw == b"testResults";
                    return cursor.array(|cursor| {
                        let mut damaged = None;
                        let result = tolerant(cursor, &mut damaged, |cursor| self.case(cursor, &mut suite));
                        self.damaged = self.damaged.or(damaged);
                        result
                    });
                }
                b"name" | b"testFilePath" => suite.name = cursor.maybe_text()?,
                b"message" | b"failureMessage" => suite.message = cursor.maybe_text()?,
                b"status" => suite.failed = cursor.maybe_text()?.is_some_and(|status| status.raw == b"failed"),
                b"testExecError" => {
                    let at = cursor.pos();
                    let text = self.error(cursor)?;
                    if !text.is_empty() {
                        suite.exec_error = Some((text, (at, cursor.pos())));
                    }
                }
                _ => cursor.skip()?,
            }
            Ok(())
        });
        self.end_suite(suite, (start, cursor.pos()), result.is_ok());
        result
    }

    /// Takes in a case that failed, or one that passed, which is told where too many would wait.
    fn keep(&mut self, suite: &mut Suite<'a>, failure: Option<Failure>, passed: Option<PassedCase>) {
        suite.failed_cases |= failure.is_some();
        suite.bytes += failure.as_ref().map_or(0, weight) + passed.as_ref().map_or(0, |case| case.name.len());
        suite.failures.extend(failure);
        suite.passed.extend(passed);
        if suite.bytes > MAX_WAITING || suite.passed.len() > MAX_WAITING_PASSED {
            if suite.name.is_none() && !std::mem::replace(&mut suite.looked, true) {
                suite.name = self.name_of(suite.start);
            }
            self.tell_cases(suite);
        }
    }

    /// The name of the file that begins there.
    fn name_of(&self, start: usize) -> Option<Text<'a>> {
        let mut cursor = self.doc.cursor();
        cursor.move_to(start);
        let mut name = None;
        // What is damaged is told of when its turn comes.
        let _ = cursor.members(|key, cursor| {
            match key.raw {
                b"name" | b"testFilePath" => name = cursor.maybe_text()?,
                _ => cursor.skip()?,
            }
            Ok(())
        });
        name
    }

    /// Tells the cases of a file of tests that wait.
    fn tell_cases(&mut self, suite: &mut Suite<'a>) {
        suite.bytes = 0;
        let path = suite.name.map(|name| name.decode().into_owned());
        for case in suite.passed.drain(..) {
            self.doc.passed(self.out, || PassedCase { file: path.clone(), ..case });
        }
        for mut failure in suite.failures.drain(..) {
            if let Some(path) = &path {
                let known = failure.file.take();
                let place = thrown::place_in(path, &failure.text);
                // The place that the stack names is nearer to the cause than where the test begins.
                failure.file = Some(match known {
                    Some(known) if place.line.is_none() => FileRef { path: path.clone(), ..known },
                    _ => place,
                });
            }
            (self.out)(Item::Failure(failure));
        }
    }

    /// Emits the failures of a file of tests, and its own.
    fn end_suite(&mut self, mut suite: Suite<'a>, (start, end): (usize, usize), whole: bool) {
        self.tell_cases(&mut suite);
        let Suite { name, message, failed, cases, exec_error, failed_cases, .. } = suite;
        let path = name.map(|name| name.decode().into_owned());
        let message = message.filter(|message| !message.raw.trim_ascii().is_empty());
        // The message repeats the cases; only what failed outside of them is new.
        let new = |message: &Text<'_>| !failed_cases || memmem::find(message.raw, OUTSIDE.as_bytes()).is_some();
        let mut text = Vec::new();
        let mut span = (start, end);
        if let Some(message) = message.filter(new) {
            self.doc.push_text(message, &mut text);
            span = (message.start, message.start + message.raw.len());
            if failed_cases {
                let outside = text.iter().position(|line| line.text.contains(OUTSIDE));
                text.drain(..outside.unwrap_or(text.len()));
                let next = text.iter().skip(1).position(|line| line.text.trim_start().starts_with("● "));
                text.truncate(next.map_or(text.len(), |next| next + 1));
            }
        }
        if text.is_empty()
            && let Some((error, at)) = exec_error
        {
            text = error;
            span = at;
        }
        if text.is_empty() && !(failed && whole && !failed_cases) {
            return;
        }
        self.broken += 1;
        text.retain(|line| line.text.trim_start().trim_start_matches("● ") != OUTSIDE);
        let load = cases == 0 && whole;
        let signal = thrown::signal(&text).or(Some(if load { Signal::Load } else { Signal::Hook }));
        let failure = Failure {
            level: Level::Suite,
            file: path.as_ref().map(|path| thrown::place_in(path, &text)),
            test: path,
            phase: Some(Phase::Test),
            signal,
            type_name: thrown::type_name(&text),
            text,
            span: self.doc.span(span.0, span.1),
            ..Failure::default()
        };
        (self.out)(Item::Failure(failure));
    }

    fn case(&mut self, cursor: &mut Cursor<'a>, suite: &mut Suite<'a>) -> Result<(), Stop> {
        if cursor.shape()? != Shape::Object {
            return cursor.skip();
        }
        if !self.doc.keep_passed && self.passing.pass(cursor) {
            self.tally.passed();
            suite.cases += 1;
            return Ok(());
        }
        let start = cursor.pos();
        let mut case = Case::default();
        let result = cursor.members(|key, cursor| {
            match key.raw {
                b"status" => case.status = cursor.maybe_text()?,
                b"fullName" => case.full_name = cursor.maybe_text()?,
                b"title" => case.title = cursor.maybe_text()?,
                b"ancestorTitles" => return case.ancestors.keep(cursor),
                b"failureMessages" => return case.messages.keep(cursor),
                b"failureDetails" => return case.details.keep(cursor),
                b"retryReasons" => return case.retries.keep(cursor),
                b"invocations" => case.repeated = cursor.maybe_count()?.is_some_and(|times| times > 1),
                b"location" => return case.location.keep(cursor),
                b"duration" if self.doc.keep_passed => case.milliseconds = cursor.maybe_number()?,
                _ => cursor.skip()?,
            }
            Ok(())
        });
        let complete = result.is_ok();
        let failed_once = case.messages.any || case.retries.any || case.repeated;
        match case.status.map(|status| status.raw) {
            Some(b"passed" | b"focused") => {
                if self.doc.keep_passed {
                    let passed = self.passing(&case);
                    self.keep(suite, None, Some(passed));
                }
                if failed_once {
                    self.tally.flaky();
                } else {
                    self.tally.passed();
                    if complete {
                        self.passing.make(cursor, start, |key| TELLING.contains(&key));
                    }
                }
            }
            Some(b"pending" | b"skipped" | b"todo" | b"disabled") => self.tally.skipped(),
            Some(b"failed") => {
                self.tally.failed();
                let failure = self.failure(&case, start, cursor.pos());
                self.keep(suite, Some(failure), None);
            }
            // jest-junit puts what it writes for a file that cannot be loaded among the results that Jest prints.
            Some(b"error") if case.title.is_none() && case.full_name.is_none() => return result,
            // A case that was cut counts only if a failure of it was complete.
            None if !complete => {
                if case.messages.any {
                    self.tally.failed();
                    let failure = self.failure(&case, start, cursor.pos());
                    self.keep(suite, Some(failure), None);
                }
            }
            _ if failed_once => {
                self.tally.failed();
                let failure = self.failure(&case, start, cursor.pos());
                self.keep(suite, Some(failure), None);
            }
            _ => self.tally.skipped(),
        }
        suite.cases += 1;
        result
    }

    /// The full name of a case, as far as its fields tell.
    fn name(&self, case: &Case<'a>) -> Option<String> {
        let name = case.full_name.map(|name| name.decode().trim().to_owned()).filter(|name| !name.is_empty());
        name.or_else(|| {
            let title = case.title?.decode().into_owned();
            let mut parts: Vec<_> =
                case.ancestors.strings(self.doc).iter().map(|part| part.decode().into_owned()).collect();
            parts.push(title);
            Some(parts.join(" ").trim().to_owned())
        })
    }

    fn passing(&self, case: &Case<'a>) -> PassedCase {
        let suite: Vec<_> = case.ancestors.strings(self.doc).iter().map(|part| part.decode().into_owned()).collect();
        PassedCase {
            suite: Some(suite.join(" > ")).filter(|suite| !suite.trim().is_empty()),
            seconds: case.milliseconds.filter(|time| *time >= 0.0).map(|time| time / 1000.0),
            ..PassedCase::new(self.name(case).unwrap_or_default())
        }
    }

    fn failure(&self, case: &Case<'a>, start: usize, end: usize) -> Failure {
        let mut text = Vec::new();
        for message in case.messages.strings(self.doc) {
            self.doc.push_text(message, &mut text);
        }
        let details = case.details.node(self.doc);
        if text.is_empty() {
            for detail in details.iter().flat_map(|details| details.elements()) {
                let own = detail.get("stack").or_else(|| detail.get("message")).and_then(|node| node.text());
                if let Some(own) = own {
                    self.doc.push_text(own, &mut text);
                }
            }
        }
        let by_matcher = details.iter().flat_map(|details| details.elements()).any(|detail| {
            detail.get("matcherResult").is_some_and(|result| !result.members().is_empty())
                || detail.get("matcherName").is_some()
                || detail.get("code").and_then(|code| code.string()).as_deref() == Some("ERR_ASSERTION")
        });
        let name = self.name(case);
        let place = case.location.node(self.doc).and_then(|place| {
            let number = |key| place.get(key).and_then(|node| node.number()).map(|number| number as u64);
            Some(FileRef::new("", Some(number("line")?), number("column")))
        });
        Failure {
            level: Level::Case,
            test: name,
            file: place,
            phase: Some(Phase::Test),
            // What is no expectation was thrown; Vitest 1 leaves out its type.
            signal: thrown::signal(&text).or(Some(if by_matcher { Signal::Assertion } else { Signal::Unhandled })),
            type_name: thrown::type_name(&text),
            span: self.doc.span(start, end),
            text,
            ..Failure::default()
        }
    }

    /// An error that is a string, or an object with a message and a stack.
    fn error(&self, cursor: &mut Cursor<'a>) -> Result<Vec<TextLine>, Stop> {
        let mut text = Vec::new();
        let start = cursor.pos();
        let (node, stop) = cursor.node();
        if let Some(own) = node.text() {
            self.doc.push_text(own, &mut text);
        }
        let parts = ["stack", "message", "code"];
        if let Some(own) = parts.iter().find_map(|key| node.get(key)?.text().filter(|own| !own.raw.is_empty())) {
            self.doc.push_text(own, &mut text);
        } else if !node.members().is_empty() {
            self.doc.push_raw(start, cursor.pos(), &mut text);
        }
        stop.map_or(Ok(text), Err)
    }

    fn run_error(&mut self, cursor: &mut Cursor<'a>) -> Result<(), Stop> {
        let start = cursor.pos();
        let text = self.error(cursor)?;
        if !text.is_empty() {
            self.tally.failed = true;
            let failure = Failure {
                level: Level::Run,
                phase: Some(Phase::Test),
                signal: Some(Signal::Unhandled),
                type_name: thrown::type_name(&text),
                span: self.doc.span(start, cursor.pos()),
                text,
                ..Failure::default()
            };
            (self.out)(Item::Failure(failure));
        }
        Ok(())
    }
}

#[derive(Default)]
struct Case<'a> {
    status: Option<Text<'a>>,
    full_name: Option<Text<'a>>,
    title: Option<Text<'a>>,
    ancestors: Part,
    messages: Part,
    details: Part,
    retries: Part,
    /// It ran more than once, as Jest does only with one that failed.
    repeated: bool,
    location: Part,
    /// How long it ran; read only where passing cases are asked for.
    milliseconds: Option<f64>,
}

/// A value that is read only if it turns out to be needed.
#[derive(Default)]
struct Part {
    start: usize,
    /// It is there, and it is neither empty nor null.
    any: bool,
}

impl Part {
    fn keep(&mut self, cursor: &mut Cursor<'_>) -> Result<(), Stop> {
        match cursor.shape()? {
            Shape::Array if cursor.empty_array() => Ok(()),
            Shape::Scalar => cursor.skip(),
            _ => {
                self.start = cursor.pos();
                let before = cursor.pos();
                let result = cursor.skip();
                // What was cut counts only if its first string was whole.
                self.any = result.is_ok() || cursor.has_string_from(before);
                result
            }
        }
    }

    fn node<'a>(&self, doc: &Doc<'a>) -> Option<super::json::Node<'a>> {
        let mut cursor = doc.cursor();
        cursor.move_to(self.start);
        self.any.then(|| cursor.node().0)
    }

    fn strings<'a>(&self, doc: &Doc<'a>) -> Vec<Text<'a>> {
        self.node(doc).iter().flat_map(|node| node.elements()).filter_map(|element| element.text()).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::format::Place;
    use crate::format::document::Doc;
    use crate::format::document::check::{counts, cut_anywhere, report};
    use crate::item::Item;
    use crate::kind::Kind;
    use crate::report::{Outcome, Severity};
    use crate::{Analyzer, Source};

    const MIXED: &str = r#"{"numFailedTestSuites":2,"numFailedTests":2,"numRuntimeErrorTestSuites":1,"numTotalTests":5,
"snapshot":{"failure":false,"unchecked":0,"unmatched":0},"success":false,"testResults":[
{"assertionResults":[
 {"ancestorTitles":["sum"],"failureMessages":[],"fullName":"sum adds","status":"passed","title":"adds"},
 {"ancestorTitles":[],"failureMessages":[],"retryReasons":["Error: x"],"fullName":"lucky","status":"passed","title":"lucky"},
 {"ancestorTitles":["sum"],"failureDetails":[{"matcherResult":{"pass":false}}],"failureMessages":
  ["Error: expect(received).toBe(expected) // Object.is equality\n\nExpected: 3\nReceived: -3\n    at Object.toBe (/ci/sum.test.js:4:59)"],
  "fullName":"sum rounds","status":"failed","title":"rounds"},
 {"ancestorTitles":[],"failureMessages":["Error: thrown: \"Exceeded timeout of 50 ms for a test.\nUse jest.setTimeout"],
  "fullName":"waits","status":"failed","title":"waits"},
 {"ancestorTitles":[],"failureMessages":[],"fullName":"later","status":"todo","title":"later"}],
 "message":"  ● sum › rounds\n\n  x\n","name":"/ci/sum.test.js","status":"failed"},
{"assertionResults":[],"message":"  ● Test suite failed to run\n\n    \u001b[31mCannot find module './gone' from 'load.test.js'\u001b[39m\n","name":"/ci/load.test.js","status":"failed"}],
"wasInterrupted":false}"#;

    #[test]
    fn reads_cases_and_suites() {
        let report = counts(MIXED.as_bytes(), "jest-json", Outcome::Failed, [5, 2, 2, 1, 1, 1]);
        let kinds: Vec<_> = report.causes.iter().map(|cause| cause.kind).collect();
        for kind in [Kind::Assertion, Kind::TestTimeout, Kind::MissingModule] {
            assert!(kinds.contains(&kind), "{kinds:?}");
        }
        let assertion = report.causes.iter().find(|cause| cause.kind == Kind::Assertion).unwrap();
        assert_eq!(assertion.evidence[0].line, 7);
        let file = assertion.evidence[0].file.as_ref().unwrap();
        assert_eq!((file.path.as_str(), file.line, file.column), ("/ci/sum.test.js", Some(4), Some(59)));
        assert_eq!(report.notes, []);
    }

    #[test]
    fn a_cut_report_keeps_what_was_complete() {
        cut_anywhere(MIXED.as_bytes());
        let end = MIXED.find("\"waits\"").unwrap();
        let report = counts(&MIXED.as_bytes()[..end], "jest-json", Outcome::Failed, [4, 2, 2, 0, 0, 1]);
        assert!(report.notes.iter().any(|note| note.severity == Severity::Warning && note.at == Some(10)));
    }

    #[test]
    fn damage_costs_one_case_only() {
        let damaged = MIXED.replace("\"fullName\":\"lucky\"", "npm notice\n\"fullName\":\"lucky\"");
        let report = report(damaged.as_bytes());
        assert_eq!(report.tests.unwrap().failed, 2);
        assert!(report.is_doubtful());
    }

    #[test]
    fn stands_in_the_middle_of_a_log() {
        let log = format!("> shop@1.0.0 test\n\n{MIXED}\nnpm error code 1\n");
        counts(log.as_bytes(), "log", Outcome::Failed, [5, 2, 2, 1, 1, 1]);
    }

    #[test]
    fn obsolete_snapshots_fail_a_run_whose_tests_pass() {
        let text = br#"{"numFailedTestSuites":0,"numRuntimeErrorTestSuites":0,"numTotalTests":1,
"snapshot":{"failure":true,"unchecked":1},"success":false,
"testResults":[{"assertionResults":[{"fullName":"a","status":"passed"}],"name":"a","status":"passed","message":""}]}"#;
        let report = counts(text, "jest-json", Outcome::Failed, [1, 1, 0, 0, 0, 0]);
        assert_eq!((report.causes[0].kind, report.causes[0].evidence[0].line), (Kind::SnapshotMismatch, 2));
    }

    #[test]
    fn vitest_is_taken_at_its_word_with_a_note() {
        let text = br#"{"numTotalTestSuites":1,"numTotalTests":1,"success":true,"testResults":[
{"assertionResults":[{"fullName":" a","status":"passed","failureMessages":[]}],"status":"passed","message":"","name":"a"}]}"#;
        let report = counts(text, "jest-json", Outcome::Passed, [1, 1, 0, 0, 0, 0]);
        assert!(report.notes[0].message.contains("unhandled errors"));
    }

    #[test]
    fn cases_that_are_missing_are_told() {
        let text = br#"{"numTotalTestSuites":1,"numTotalTests":3,"success":true,"testResults":[
{"assertionResults":[{"fullName":"a","status":"passed"}],"status":"passed","message":"","name":"a"}]}"#;
        assert!(report(text).is_doubtful());
    }

    /// Where passing cases are asked for, each is looked at by itself: the counts are the same.
    #[test]
    fn cases_count_as_they_do_one_by_one() {
        let cases = [
            r#"{"ancestorTitles":["a"],"duration":1,"failureMessages":[],"fullName":"a b","invocations":1,"status":"passed"}"#,
            r#"{"ancestorTitles":[],"duration":20,"failureMessages":[],"fullName":"c \"d\"","invocations":1,"status":"passed"}"#,
            r#"{"ancestorTitles":["a"],"duration":null,"failureMessages":[],"fullName":"a b","invocations":1,"status":"passed"}"#,
            r#"{"ancestorTitles":["a"],"duration":1,"failureMessages":["Error: x"],"fullName":"a b","invocations":1,"status":"passed"}"#,
            r#"{"ancestorTitles":["a"],"duration":1,"failureMessages":[],"fullName":"a b","invocations":2,"status":"passed"}"#,
            r#"{"ancestorTitles":["a"],"duration":1,"failureMessages":["Error: x"],"fullName":"a b","invocations":1,"status":"failed"}"#,
            r#"{"ancestorTitles":["a"],"duration":1,"failureMessages":[],"fullName":"a b","invocations":1,"status":"todo"}"#,
            r#"{"status":"passed","fullName":"e"}"#,
        ];
        let mut seed = 7_u64;
        let mut roll = |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as usize % below
        };
        for round in 0..300 {
            let some: Vec<_> = (0..=roll(30)).map(|_| cases[roll(cases.len()).saturating_sub(roll(4))]).collect();
            let space = ["", "\n  "][round % 2];
            let json = format!(
                "{{\"numTotalTests\":{},\"testResults\":[{{\"assertionResults\":[{}]}}]}}",
                some.len(),
                some.join(&format!(",{space}"))
            );
            let cut = if round % 3 == 0 { roll(json.len()) } else { json.len() };
            let read = |analyzer: Analyzer| {
                let report = analyzer.analyze([Source::bytes("report.json", &json.as_bytes()[..cut])]);
                (report.outcome, report.tests, report.notes, report.causes.len())
            };
            assert_eq!(read(Analyzer::new()), read(Analyzer::new().keep_passed(true)), "{}", &json[..cut]);
        }
    }

    #[test]
    fn failures_that_do_not_wait_for_the_end_of_their_file_name_it() {
        let words = "x".repeat(4000);
        let cases: String = (0..400)
            .map(|number| {
                format!(r#"{{"fullName":"a{number}","status":"failed","failureMessages":["Error: expect(received).toBe(expected)\\n{words}"]}},"#)
            })
            .collect();
        let text = format!(
            r#"{{"numFailedTestSuites":1,"testResults":[{{"assertionResults":[{cases}{{"status":"passed","title":"b"}}],"message":"again","name":"/ci/a.test.js","status":"failed"}}]}}"#
        );
        let (mut files, mut before) = (Vec::new(), 0);
        super::read(&Doc::new(text.as_bytes(), Place::START, true), &mut |item| {
            match item {
                Item::Failure(failure) => files.push(failure.file.map(|file| file.path)),
                // What passed is told before the failures that wait.
                Item::Passed(_) => before = files.len(),
                _ => {}
            }
        });
        assert!(before > 0);
        assert_eq!(files, vec![Some("/ci/a.test.js".to_owned()); 400]);
    }
}
