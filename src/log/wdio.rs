//! WebdriverIO: what its workers say of a test that failed, the sums of its spec reporter, and its last word.
//!
//! ```text
//! [0-1] Error in "cart adds an item"
//! Error: Expect $(`.count`) to have text
//! [0-1] FAILED in chrome - file:///test/specs/cart.ts
//!  "spec" Reporter:
//! [chrome 120.0 linux #0-1] 1 passing (1.2s)
//! Spec Files:      1 passed, 1 failed, 2 total (100% completed) in 00:00:12
//! ```

use super::runner::{own_frame, type_name};
use super::{Grip, Line, Reader};
use crate::item::{Item, Mark, Scope, TestRun, read_count};
use crate::report::{Counts, Failure, Level, Outcome, Signal, Span, TextLine};

pub(super) const NEEDLES: &[&str] = &["] Error in \"", "\"spec\" Reporter:", "Spec Files:"];

/// How many lines the spec reporter prints at most.
const MAX_REPORT: u32 = 20_000;

/// How many lines of an error are kept.
const MAX_LINES: usize = 60;

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Wdio::default())
}

#[derive(Default)]
struct Wdio {
    test: Option<String>,
    text: Vec<TextLine>,
    counts: Counts,
    span: Option<Span>,
    /// Within what the spec reporter prints, for at most so many lines more.
    reporter: u32,
}

impl Reader for Wdio {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        if text.ends_with("\"spec\" Reporter:") {
            self.reporter = MAX_REPORT;
        }
        self.reporter = self.reporter.saturating_sub(1);
        if let Some((worker, rest)) = worker(text) {
            self.tell(out);
            if let Some(name) = rest.strip_prefix("Error in \"").and_then(|rest| rest.strip_suffix('"')) {
                self.test = Some(name.to_owned());
                return Grip::Hold;
            }
            let counted = worker.contains(" #").then(|| self.count(rest)).flatten();
            if counted.is_some() {
                self.span = Some(self.span.map_or(line.span, |span| span.join(line.span)));
            }
            return self.apart();
        }
        if let Some(totals) = text.strip_prefix("Spec Files:").filter(|totals| totals.contains(" total")) {
            self.tell(out);
            return self.finish(totals, line, out);
        }
        if self.test.is_none() {
            return self.apart();
        }
        if self.text.len() < MAX_LINES {
            self.text.push(line.to_text());
        }
        Grip::Hold
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.tell(out);
    }
}

impl Wdio {
    /// What is none of an error's lines is left to others; within the reporter's lines more is to come.
    fn apart(&self) -> Grip {
        if self.reporter > 0 { Grip::Watch } else { Grip::Pass }
    }

    /// A sum of the spec reporter: `3 passing (1.2s)`.
    fn count(&mut self, text: &str) -> Option<()> {
        let (number, word) = text.trim().split_once(' ')?;
        let number = read_count(number)?;
        match word.split(' ').next()? {
            "passing" => *self.counts.passed.get_or_insert(0) += number,
            "failing" => self.counts.failed += number,
            "skipped" | "pending" => self.counts.skipped += number,
            _ => return None,
        }
        self.counts.total += number;
        Some(())
    }

    /// Tells of the test at hand.
    fn tell(&mut self, out: &mut dyn FnMut(Item)) {
        let text = std::mem::take(&mut self.text);
        let Some(test) = self.test.take() else { return };
        let (Some(first), Some(last)) = (text.first(), text.last()) else { return };
        // What its own assertions say begins with `Expect`.
        let expects = first.text.starts_with("Error: Expect") || first.text.starts_with("Expect");
        let signal = expects.then_some(Signal::Expectation);
        let span = first.span.join(last.span);
        let type_name = type_name(&first.text);
        let file = text.iter().find_map(|line| own_frame(&line.text));
        let test = Some(test);
        out(Item::Failure(Failure {
            level: Level::Case,
            test,
            signal,
            type_name,
            file,
            text,
            span,
            ..Failure::default()
        }));
    }

    /// The last word counts the files; where the spec reporter counted the tests, its sums are told.
    fn finish(&mut self, totals: &str, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let number = |word: &str| {
            let before = totals.split(word).next().filter(|before| before.len() < totals.len())?;
            read_count(before.rsplit([' ', '\t', ',']).next()?)
        };
        self.reporter = 0;
        let Some(total) = number(" total") else { return Grip::Pass };
        let failed = number(" failed").unwrap_or(0);
        let outcome = match failed {
            0 if total > 0 => Outcome::Passed,
            0 => Outcome::Unknown,
            _ => Outcome::Failed,
        };
        let counts = Counts { passed: Some(self.counts.passed.unwrap_or(0)), ..std::mem::take(&mut self.counts) };
        let span = self.span.take().map_or(line.span, |span| span.join(line.span));
        if counts.total > 0 || outcome == Outcome::Failed {
            out(Item::Tests(TestRun { tool: "webdriverio", counts, span, outcome }));
        } else {
            let text = line.text.to_owned();
            out(Item::Mark(Mark { scope: Scope::Tool, outcome, status: None, text, span: line.span }));
        }
        Grip::Take
    }
}

/// What a worker says, and its name: `[0-1] x`, `[chrome 120.0 linux #0-1] x`.
fn worker(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = text.strip_prefix('[')?.split_once(']')?;
    let (first, second) = name.rsplit([' ', '#']).next()?.split_once('-')?;
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (number(first) && number(second)).then(|| (name, rest.strip_prefix(' ').unwrap_or(rest)))
}

#[cfg(test)]
mod tests {
    use crate::{Analyzer, Kind, Outcome, Report, Source};

    fn analyze(log: &str) -> Report {
        Analyzer::new().analyze([Source::bytes("log", log.as_bytes())])
    }

    #[test]
    fn the_last_word_tells_how_it_ended() {
        let green =
            "[0-0] PASSED in chrome - file:///a.ts\n\nSpec Files:\t 1 passed, 1 total (100% completed) in 00:00:02 \n";
        assert_eq!(analyze(green).outcome, Outcome::Passed);
        let cut = "[0-0] RUNNING in chrome - file:///a.ts\n[0-0] PASSED in chrome - file:///a.ts\n";
        assert_eq!(analyze(cut).outcome, Outcome::Unknown);
    }

    #[test]
    fn a_test_that_failed_is_named_and_the_reporter_counts() {
        let log = "[0-0] Error in \"cart adds an item\"\nError: Expect $(`.count`) to have text\n\nExpected: \"1\"\nReceived: \"0\"\n\
                   \x20   at Context.<anonymous> (/app/test/cart.ts:12:33)\n[0-0] FAILED in chrome - file:///cart.ts\n \"spec\" Reporter:\n\
                   [chrome 120.0 linux #0-0] 2 passing (1.2s)\n[chrome 120.0 linux #0-0] 1 failing\n\n\
                   Spec Files:\t 0 passed, 1 failed, 1 total (100% completed) in 00:00:08 \n";
        let report = analyze(log);
        let tests = report.tests.expect("counts");
        assert_eq!((tests.total, tests.passed, tests.failed), (3, Some(2), 1));
        assert_eq!((report.outcome, report.causes[0].kind), (Outcome::Failed, Kind::Assertion), "{report:#?}");
        assert_eq!(report.causes[0].subject.as_deref(), Some("cart adds an item"));
    }
}
