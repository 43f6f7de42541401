//! The console of Qt Test: a line per function and row of data, indented details, and totals per class.

use std::sync::LazyLock;

use crate::pattern::Regex;

use super::super::{Grip, Line, Reader};
use super::{MAX_LINES, is_of_the_job};
use crate::item::{Item, Step, TestRun, read_count};
use crate::pattern;
use crate::report::{Counts, Failure, FileRef, Note, Outcome, Signal, Span};

pub(in crate::log) const NEEDLES: &[&str] = &["* Start testing of ", "FAIL!  : ", "XPASS  : ", "QFATAL : "];

pub(in crate::log) fn open() -> Box<dyn Reader> {
    Box::new(QtTest::default())
}

#[derive(Default)]
struct QtTest {
    active: bool,
    failure: Option<Failure>,
    /// How many functions failed so far, for a run that dies before its totals.
    failed: u64,
    passed: u64,
    span: Span,
}

static RESULT: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^(?P<word>PASS|FAIL!|XFAIL|XPASS|SKIP|BPASS|BFAIL|BXPASS|BXFAIL|BSKIP|QFATAL|QCRITICAL|QWARN|QDEBUG|QINFO|QSYSTEM|INFO|RESULT|WARNING|DEBUG)\s*: (?P<name>\S+\((?:[^()]|\([^()]*\))*\))\s?(?P<message>.*)$",
    )
});

static LOCATION: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^\s+Loc: \[(?P<path>.+?)(?:\((?P<line>\d+)\)|:(?P<row>\d+))\]$"));

static TOTALS: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^Totals: (?P<passed>\d+) passed, (?P<failed>\d+) failed, (?P<skipped>\d+) skipped(?:, (?P<black>\d+) blacklisted)?",
    )
});

impl Reader for QtTest {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        if text.starts_with("********* Start testing of ") {
            self.finish(out);
            *self = QtTest { active: true, span: line.span, ..QtTest::default() };
            out(Item::Step(Step { name: "qttest".to_owned(), span: line.span, command: true, ..Step::default() }));
            return Grip::Hold;
        }
        // A line at a time may come from `ctest`, without the rest.
        if !self.active && RESULT.captures(text).is_none() {
            return Grip::Pass;
        }
        self.active = true;
        if self.span == Span::default() {
            self.span = line.span;
        }
        self.span = self.span.join(line.span);
        if let Some(found) = TOTALS.captures(text) {
            self.close(out);
            let number = |name: &str| found.name(name).and_then(|group| read_count(group.as_str())).unwrap_or(0u64);
            let (passed, failed, skipped) = (number("passed"), number("failed"), number("skipped") + number("black"));
            let counts =
                Counts { total: passed + failed + skipped, passed: Some(passed), failed, skipped, ..Counts::default() };
            let outcome = if failed > 0 || self.failed > 0 { Outcome::Failed } else { Outcome::Passed };
            out(Item::Tests(TestRun { tool: "qttest", counts, span: self.span, outcome }));
            *self = QtTest::default();
            return Grip::Take;
        }
        if let Some(found) = RESULT.captures(text) {
            self.close(out);
            match &found["word"] {
                "FAIL!" | "XPASS" | "QFATAL" => {
                    let mut failure = Failure {
                        test: Some(found["name"].to_owned()),
                        signal: Some(signal(&found["message"], &found["word"])),
                        span: line.span,
                        ..Failure::default()
                    };
                    let at = found.name("message").map_or(0, |message| message.start());
                    let mut told = line.to_text();
                    if at < told.text.len() {
                        told.text.drain(..at);
                    }
                    failure.text.push(told);
                    self.failure = Some(failure);
                    self.failed += 1;
                }
                "PASS" => self.passed += 1,
                _ => {}
            }
            return Grip::Hold;
        }
        if text.starts_with("********* Finished testing of ") {
            self.finish(out);
            return Grip::Take;
        }
        if is_of_the_job(text) {
            self.finish(out);
            return Grip::Pass;
        }
        if let Some(failure) = &mut self.failure {
            if let Some(found) = LOCATION.captures(text) {
                let row = found.name("line").or(found.name("row")).and_then(|row| row.as_str().parse().ok());
                failure.file = Some(FileRef::new(&found["path"], row, None));
            }
            if line.indent() > 0 && failure.text.len() < MAX_LINES {
                failure.span = failure.span.join(line.span);
                failure.text.push(line.to_text());
            }
        }
        Grip::Hold
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.finish(out);
    }
}

impl QtTest {
    fn close(&mut self, out: &mut dyn FnMut(Item)) {
        if let Some(failure) = self.failure.take() {
            out(Item::Failure(failure));
        }
    }

    /// The run ends without totals.
    fn finish(&mut self, out: &mut dyn FnMut(Item)) {
        self.close(out);
        let QtTest { failed, passed, span, active, .. } = std::mem::take(self);
        if !active || failed + passed == 0 {
            return;
        }
        let counts = Counts { total: passed + failed, passed: Some(passed), failed, ..Counts::default() };
        out(Item::Note(Note::warning(Some(span.last_line), "the output of a test binary ends before its totals")));
        let outcome = if failed > 0 { Outcome::Failed } else { Outcome::Unknown };
        out(Item::Tests(TestRun { tool: "qttest", counts, span, outcome }));
    }
}

/// What the words of the library say.
pub(crate) fn signal(message: &str, word: &str) -> Signal {
    if message.contains("Test function timed out") {
        Signal::TestTimeout
    } else if message.contains("Received signal") || message.contains("Received a fatal error") {
        Signal::Crash
    } else if message.contains("Caught unhandled exception") || word == "QFATAL" {
        Signal::Unhandled
    } else {
        Signal::Assertion
    }
}
