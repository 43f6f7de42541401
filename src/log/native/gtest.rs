//! The console of GoogleTest.

use super::super::{Grip, Line, Reader};
use super::{MAX_LINES, gtest_message, is_of_the_job};
use crate::item::{Item, Step, TestRun};
use crate::report::{Counts, Failure, Level, Note, Outcome, Signal, Span, TextLine};

pub(in crate::log) const NEEDLES: &[&str] = &["[==========] ", "[  FAILED  ] ", "[  PASSED  ] "];

/// Behind the name of a suite that failed outside of its cases.
const OF_SUITE: &str = ": SetUpTestSuite or TearDownTestSuite";

pub(in crate::log) fn open() -> Box<dyn Reader> {
    Box::new(Gtest::default())
}

#[derive(Default)]
struct Gtest {
    active: bool,
    current: Option<(String, Vec<TextLine>, Span)>,
    failures: Vec<Failure>,
    counts: Counts,
    passed: u64,
    /// What was printed outside of any case.
    outside: Vec<TextLine>,
    /// `6 tests from 2 test suites ran.`
    ended: bool,
    span: Span,
}

impl Reader for Gtest {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        if let Some(rest) = text.strip_prefix("[==========] ") {
            if rest.starts_with("Running ") {
                self.finish(out);
                *self = Gtest { active: true, span: line.span, ..Gtest::default() };
                out(Item::Step(Step { name: "gtest".to_owned(), span: line.span, command: true, ..Step::default() }));
            } else if self.active {
                self.ended = true;
            }
            return if self.active { Grip::Hold } else { Grip::Pass };
        }
        if !self.active {
            return Grip::Pass;
        }
        self.span = self.span.join(line.span);
        let end = |status: &str| text.find(status).map(|at| &text[at + status.len()..]);
        if self.ended {
            // What a suite does before its first case and behind its last is listed behind all cases.
            if let Some(suite) = text.strip_prefix("[  FAILED  ] ").and_then(|rest| rest.strip_suffix(OF_SUITE)) {
                self.fail_suite(suite.to_owned(), line);
                return Grip::Hold;
            }
            if text.starts_with('[')
                || text.trim().is_empty()
                || text.ends_with("DISABLED TEST")
                || text.ends_with("DISABLED TESTS")
                || text.ends_with("FAILED TEST")
                || text.ends_with("FAILED TESTS")
            {
                return Grip::Hold;
            }
            let last = text.ends_with("FAILED TEST SUITE") || text.ends_with("FAILED TEST SUITES");
            self.finish(out);
            return if last { Grip::Take } else { Grip::Pass };
        }
        if let Some(name) = text.strip_prefix("[ RUN      ] ") {
            self.current = Some((name.to_owned(), Vec::new(), line.span));
        } else if end("[       OK ] ").is_some() {
            self.passed += 1;
            self.current = None;
        } else if end("[  SKIPPED ] ").is_some() {
            self.counts.skipped += 1;
            self.current = None;
        } else if let Some(rest) = end("[  FAILED  ] ") {
            let name = rest.split(" (").next().unwrap_or(rest).split(", where ").next().unwrap_or(rest).to_owned();
            let (_, lines, span) = self.current.take().unwrap_or_default();
            self.fail(name, &lines, span.join(line.span), Signal::Assertion, line);
        } else if is_of_the_job(text) {
            return Grip::Watch;
        } else if let Some((_, lines, _)) = &mut self.current
            && lines.len() < MAX_LINES
        {
            lines.push(line.to_text());
        } else if self.current.is_none() && self.outside.len() < MAX_LINES && !text.starts_with('[') {
            self.outside.push(line.to_text());
        }
        Grip::Hold
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.finish(out);
    }

    fn yields_to_report(&self) -> bool {
        self.current.is_none()
    }
}

impl Gtest {
    fn fail(&mut self, name: String, lines: &[TextLine], span: Span, signal: Signal, line: Line<'_>) {
        self.counts.failed += 1;
        let (mut text, file) = gtest_message(lines);
        let thrown = text.iter().any(|line| line.text.contains("++ exception with description"));
        let signal = if thrown { Signal::Unhandled } else { signal };
        if text.is_empty() {
            text.push(line.to_text());
        }
        if self.failures.len() < 20_000 {
            self.failures.push(Failure {
                test: Some(name),
                file,
                signal: Some(signal),
                text,
                span,
                ..Failure::default()
            });
        }
    }

    fn fail_suite(&mut self, suite: String, line: Line<'_>) {
        self.counts.errored += 1;
        let outside = std::mem::take(&mut self.outside);
        let failed = outside.iter().any(|line| line.text.ends_with(": Failure"));
        let (mut text, file) = if failed { gtest_message(&outside) } else { (Vec::new(), None) };
        if text.is_empty() {
            text.push(line.to_text());
        } else if text[0].text == "Failed" {
            text.rotate_left(1);
        }
        let (level, signal) = (Level::Suite, Some(Signal::Hook));
        let test = Some(suite).filter(|suite| !suite.is_empty());
        let span = text[0].span.join(line.span);
        self.failures.push(Failure { level, test, file, signal, text, span, ..Failure::default() });
    }

    fn finish(&mut self, out: &mut dyn FnMut(Item)) {
        // What failed outside of any case fails the run, whether or not the list of such suites came.
        let failure = self.outside.iter().find(|line| line.text.ends_with(": Failure")).cloned();
        if let Some(line) = failure.filter(|_| self.active) {
            self.fail_suite(String::new(), Line { text: &line.text, span: line.span });
        }
        let Gtest { active, current, failures, mut counts, passed, ended, span, .. } = std::mem::take(self);
        if !active {
            return;
        }
        failures.into_iter().for_each(|failure| out(Item::Failure(failure)));
        if !ended {
            let message = "the output of a test binary ends before its totals";
            out(Item::Note(Note::warning(Some(span.last_line), message)));
            // The case that ran when the process died.
            if let Some((name, lines, span)) = current {
                let died = |line: &&TextLine| {
                    [
                        "Segmentation fault",
                        "Aborted",
                        "terminate called",
                        "core dumped",
                        "AddressSanitizer",
                        "Assertion `",
                    ]
                    .iter()
                    .any(|known| line.text.contains(known))
                };
                let text: Vec<TextLine> = lines.iter().filter(died).cloned().collect();
                if !text.is_empty() {
                    counts.failed += 1;
                    let signal = Some(Signal::Crash);
                    out(Item::Failure(Failure { test: Some(name), signal, text, span, ..Failure::default() }));
                }
            }
        }
        counts.passed = Some(passed);
        counts.total = passed + counts.failed + counts.skipped;
        let outcome = match (counts.failed + counts.errored, ended) {
            (1.., _) => Outcome::Failed,
            (0, true) if counts.total > 0 => Outcome::Passed,
            _ => Outcome::Unknown,
        };
        out(Item::Tests(TestRun { tool: "gtest", counts, span, outcome }));
    }
}
