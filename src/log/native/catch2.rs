//! The consoles of Catch2 (its own reporter, and the compact one) and of doctest, which prints much as Catch2 does.
//!
//! ```text
//! -------------------------------------------------------------------------------
//! sums the prices
//!   with tax
//! -------------------------------------------------------------------------------
//! t.cpp:7
//! ...............................................................................
//!
//! t.cpp:7: FAILED:
//!   CHECK( 12.5 == 13 )
//! ```
//!
//! A case that was expected to fail is printed like any other; only the totals tell the two apart.

use std::sync::LazyLock;

use crate::pattern::Regex;

use super::super::{Grip, Line, Reader};
use super::{MAX_LINES, is_of_the_job};
use crate::item::{Item, Step, TestRun, read_count};
use crate::pattern;
use crate::report::{Counts, Failure, FileRef, Outcome, Signal, Span, TextLine};

pub(in crate::log) const NEEDLES: &[&str] = &[
    " host application.",
    "[doctest] doctest version",
    "[doctest] test cases:",
    "test cases: ",
    "All tests passed (",
    "No test cases matched",
    ": failed: ",
    " test cases, failed ",
    " test case, failed ",
    " test cases with ",
    " test case with ",
];

/// How many lines are held of one run of a test binary.
const MAX_HELD: usize = 1_000_000;

pub(in crate::log) fn open() -> Box<dyn Reader> {
    Box::new(Catch::default())
}

#[derive(Default)]
struct Catch {
    active: bool,
    doctest: bool,
    part: Part,
    /// The case at hand, and where it is defined.
    name: String,
    sections: Vec<String>,
    /// The failed expectation at hand.
    failure: Option<Failure>,
    failures: Vec<Failure>,
    held: usize,
    span: Span,
}

/// Which part of a case is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Part {
    #[default]
    Outside,
    /// Between the two drawn lines.
    Name,
    /// Behind them: the place of the case, then its expectations.
    Body,
}

static TOTALS: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^(?:\[doctest\] )?test cases:\s+(?P<total>\d+)(?P<parts>(?:\s*\|\s*\d+ (?:passed|failed as expected|failed|skipped))*)\s*$",
    )
});

static ALL: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(r"^All tests passed \((?:\d+ assertions?|no assertions) in (?P<total>\d+) test cases?\)")
});

static COMPACT: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^Failed (?P<number>\d+|all \d+|both) test cases?, failed .*assertions?\.$"));

static COMPACT_PASSED: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(r"^Passed (?:all |both )?(?P<total>\d+) test cases? (?:with .*assertions?|\(no assertions\))\.$")
});

static HEAD: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(r"^(?P<path>[^\s:(][^:(]*)(?::|\()(?P<line>\d+)\)?: (?:FAILED:|(?:FATAL )?ERROR: )")
});

static SHORT: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^(?P<path>[^\s:(][^:(]*\.\w+)(?::|\()(?P<line>\d+)\)?: failed: "));

impl Reader for Catch {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        let doctest = text.starts_with("[doctest] doctest version");
        if doctest || text.contains(" is a Catch") && text.trim_end().ends_with(" host application.") {
            self.flush(out);
            *self = Catch { active: true, doctest, span: line.span, ..Catch::default() };
            out(Item::Step(Step { name: "catch2".to_owned(), span: line.span, command: true, ..Step::default() }));
            return Grip::Hold;
        }
        if let Some(counts) = totals(text) {
            // What failed as expected is printed like what did not.
            if !counts.any_failed() {
                (self.failure, self.failures) = (None, Vec::new());
            }
            self.flush(out);
            let outcome = if counts.any_failed() { Outcome::Failed } else { Outcome::Passed };
            out(Item::Tests(TestRun { tool: "catch2", counts, span: self.covered(line), outcome }));
            *self = Catch::default();
            return Grip::Take;
        }
        if text.starts_with("No test cases matched") {
            let failure = Failure {
                level: crate::report::Level::Run,
                signal: Some(Signal::NoTests),
                text: vec![line.to_text()],
                span: line.span,
                ..Failure::default()
            };
            out(Item::Failure(failure));
            return Grip::Take;
        }
        if let Some(found) = SHORT.captures(text) {
            let failure = Failure {
                file: Some(FileRef::new(&found["path"], found["line"].parse().ok(), None)),
                signal: Some(signal(text)),
                text: vec![line.to_text()],
                span: line.span,
                ..Failure::default()
            };
            // The totals may say that it was expected.
            match self.failures.len() < 20_000 {
                true => self.failures.push(failure),
                false => out(Item::Failure(failure)),
            }
            return Grip::Take;
        }
        if !self.active {
            return Grip::Pass;
        }
        self.held += 1;
        if self.held > MAX_HELD || is_of_the_job(text) {
            self.flush(out);
            *self = Catch::default();
            return Grip::Pass;
        }
        self.span = self.span.join(line.span);
        if text.starts_with("-----------") || self.doctest && text.starts_with("==========") {
            self.close();
            self.part = match self.part {
                Part::Name if !self.doctest => Part::Body,
                _ => Part::Name,
            };
            if self.part == Part::Name {
                self.name.clear();
                self.sections.clear();
            }
            return Grip::Hold;
        }
        if self.part == Part::Name {
            self.named(text);
            return Grip::Hold;
        }
        if let Some(found) = HEAD.captures(text) {
            self.close();
            let mut failure = Failure {
                test: Some(self.full_name()).filter(|name| !name.is_empty()),
                file: Some(FileRef::new(&found["path"], found["line"].parse().ok(), None)),
                span: line.span,
                ..Failure::default()
            };
            if self.doctest {
                failure.text.push(line.to_text());
            }
            self.failure = Some(failure);
            return Grip::Hold;
        }
        if let Some(failure) = &mut self.failure {
            if text.trim().is_empty() {
                self.close();
            } else if failure.text.len() < MAX_LINES {
                failure.span = failure.span.join(line.span);
                failure.text.push(TextLine { text: text.trim().to_owned(), span: line.span });
            }
        }
        Grip::Hold
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.flush(out);
    }
}

impl Catch {
    fn named(&mut self, text: &str) {
        if self.doctest {
            // The place comes first, then the case, then its sections.
            if let Some(name) = text.strip_prefix("TEST CASE:") {
                self.name = name.trim().to_owned();
            } else if text.is_empty() {
                self.part = Part::Body;
            } else if !self.name.is_empty() {
                self.sections.push(text.trim().to_owned());
            }
        } else if self.name.is_empty() {
            self.name = text.trim().to_owned();
        } else if self.sections.len() < 32 {
            self.sections.push(text.trim().to_owned());
        }
    }

    fn full_name(&self) -> String {
        let mut name = self.name.clone();
        for section in &self.sections {
            name.push_str(" > ");
            name.push_str(section);
        }
        name
    }

    /// Files the expectation at hand; a further one of the same case and section is no failure of its own.
    fn close(&mut self) {
        let Some(mut failure) = self.failure.take() else { return };
        failure.signal =
            Some(failure.text.iter().map(|line| signal(&line.text)).max_by_key(weight).unwrap_or(Signal::Assertion));
        // What introduces a message is told behind it.
        let introduces = |line: &TextLine| {
            let text = line.text.trim();
            ["with expansion:", "with message", "due to ", "because ", "explicitly with", "with messages:"]
                .iter()
                .any(|words| text.starts_with(words))
        };
        let (intro, mut words): (Vec<_>, Vec<_>) = failure.text.drain(..).partition(introduces);
        words.extend(intro);
        failure.text = words;
        let room = self.failures.len() < 20_000;
        match self.failures.last_mut() {
            Some(last) if last.test.is_some() && last.test == failure.test && last.signal == failure.signal => {
                last.span = last.span.join(failure.span);
                if last.text.len() < MAX_LINES {
                    last.text.extend(failure.text);
                }
            }
            _ if room => self.failures.push(failure),
            _ => {}
        }
    }

    fn flush(&mut self, out: &mut dyn FnMut(Item)) {
        self.close();
        for failure in self.failures.drain(..) {
            out(Item::Failure(failure));
        }
    }

    fn covered(&self, line: Line<'_>) -> Span {
        if self.active { self.span.join(line.span) } else { line.span }
    }
}

fn signal(text: &str) -> Signal {
    if text.contains("fatal error condition") || text.contains("test case CRASHED") || text.contains("SIGSEGV") {
        Signal::Crash
    } else if text.contains("unexpected exception") || text.contains("test case THREW exception") {
        Signal::Unhandled
    } else {
        Signal::Assertion
    }
}

fn weight(signal: &Signal) -> u8 {
    match signal {
        Signal::Crash => 2,
        Signal::Unhandled => 1,
        _ => 0,
    }
}

fn totals(text: &str) -> Option<Counts> {
    if let Some(found) = ALL.captures(text) {
        let total = read_count(&found["total"])?;
        return Some(Counts { total, passed: Some(total), ..Counts::default() });
    }
    if let Some(found) = COMPACT_PASSED.captures(text) {
        let total = read_count(&found["total"])?;
        return Some(Counts { total, passed: Some(total), ..Counts::default() });
    }
    if let Some(found) = COMPACT.captures(text) {
        let number = &found["number"];
        let failed = match number {
            "both" => 2,
            _ => read_count(number.trim_start_matches("all "))?,
        };
        return Some(Counts { total: failed, failed, ..Counts::default() });
    }
    let found = TOTALS.captures(text)?;
    let mut counts = Counts { total: read_count(&found["total"])?, passed: Some(0), ..Counts::default() };
    for part in found["parts"].split('|') {
        let Some((number, word)) = part.trim().split_once(' ') else { continue };
        let number = read_count(number)?;
        match word {
            "passed" | "failed as expected" => counts.passed = counts.passed.map(|passed| passed + number),
            "failed" => counts.failed += number,
            "skipped" => {
                counts.skipped += number;
                // Doctest does not count what it skipped among the cases.
                if text.starts_with("[doctest]") {
                    counts.total += number;
                }
            }
            _ => {}
        }
    }
    // A line that was cut leaves out cases, and those may have failed.
    let told = counts.passed.unwrap_or(0) + counts.failed + counts.skipped;
    (counts.failed > 0 || told == counts.total).then_some(counts)
}
