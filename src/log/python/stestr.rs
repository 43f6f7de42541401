//! The console of stestr and its forerunners, which run the tests of OpenStack: a line for each test, what it printed
//! below it, a list of all that failed, the totals.
//!
//! ```text
//! {0} shop.tests.CartTest.test_sums [0.012097s] ... FAILED
//!
//! Captured traceback:
//! ~~~~~~~~~~~~~~~~~~~
//!     Traceback (most recent call last):
//!
//!       File "/srv/shop/tests.py", line 3, in test_sums
//!     self.assertEqual(1 + 2, 4)
//!
//!     AssertionError: 3 != 4
//!
//! ======
//! Totals
//! ======
//! Ran: 11 tests in 0.1113 sec.
//!  - Passed: 1
//!  - Failed: 8
//! ```

use std::collections::HashSet;

use super::super::{Above, Grip, Line, Reader};
use super::{MAX_LINES, native, tell_exception};
use crate::item::{Item, TestRun, read_count};
use crate::report::{Counts, Failure, Level, Outcome, Signal, Span, TextLine};

pub(in crate::log) const NEEDLES: &[&str] = &["] ... FAILED", " tests - output below:", " - Unexpected Success: "];

/// How many names are told apart.
const MAX_NAMES: usize = 20_000;

/// How many lines that are none of its own may follow each other.
const PATIENCE: u32 = 2000;

pub(in crate::log) fn open() -> Box<dyn Reader> {
    Box::new(Stestr::default())
}

#[derive(Default)]
struct Stestr {
    active: bool,
    block: Option<Block>,
    /// The tests that were told.
    told: HashSet<String>,
    /// The line before, which may be a title in the list.
    before: Option<TextLine>,
    /// Behind the heading of the list.
    listing: bool,
    totals: Totals,
    idle: u32,
}

struct Block {
    name: String,
    head: TextLine,
    lines: Vec<TextLine>,
    /// Within the traceback, rather than another thing that was captured.
    traced: bool,
}

#[derive(Default)]
struct Totals {
    ran: Option<u64>,
    failed: u64,
    skipped: u64,
    span: Option<Span>,
}

impl Reader for Stestr {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        if let Some((name, ended)) = row(text) {
            self.close(out);
            (self.active, self.idle) = (true, 0);
            if ended == "FAILED" {
                self.open(name, line.to_text());
            }
            return Grip::Hold;
        }
        if text.ends_with(" tests - output below:") && text.starts_with("Failed ") {
            self.close(out);
            (self.active, self.listing) = (true, true);
            return Grip::Hold;
        }
        if self.totals.line(line) {
            self.close(out);
            (self.active, self.listing) = (true, false);
            return Grip::Hold;
        }
        if self.totals.ran.is_some() && !text.trim().is_empty() {
            self.finish(out);
            return Grip::Pass;
        }
        if !self.active {
            return Grip::Pass;
        }
        self.idle += 1;
        if self.idle > PATIENCE {
            self.finish(out);
            return Grip::Pass;
        }
        // A title of the list is underlined.
        let underlines = |title: &TextLine| title.text.chars().count() == text.len() && !title.text.is_empty();
        if self.listing && text.len() > 2 && text.bytes().all(|byte| byte == b'-') {
            if let Some(title) = self.before.take().filter(underlines) {
                self.close(out);
                self.open(&title.text.clone(), title);
            }
            return Grip::Hold;
        }
        self.before = Some(line.to_text());
        if let Some(block) = &mut self.block {
            if let Some(what) = text.strip_prefix("Captured ").filter(|what| what.ends_with(':')) {
                block.traced = what.starts_with("traceback");
            } else if block.traced && block.lines.len() < MAX_LINES {
                let shown = text.strip_prefix("    ").unwrap_or(text);
                block.lines.push(TextLine { text: shown.to_owned(), span: line.span });
            }
            return Grip::Hold;
        }
        if text.trim().is_empty() || self.listing { Grip::Hold } else { Grip::Watch }
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.finish(out);
    }

    fn looks_back(&self) -> usize {
        if self.active { 0 } else { super::super::ABOVE }
    }

    fn above(&mut self, above: Above<'_>) {
        let mut totals = Totals::default();
        for line in above.rev() {
            totals.line(Line { text: &line.text, span: line.span });
        }
        self.totals = totals;
    }

    fn yields_to_report(&self) -> bool {
        self.block.is_none()
    }
}

impl Stestr {
    fn open(&mut self, name: &str, head: TextLine) {
        if self.told.len() < MAX_NAMES && self.told.insert(name.to_owned()) {
            self.block = Some(Block { name: name.to_owned(), head, lines: Vec::new(), traced: false });
        }
    }

    fn close(&mut self, out: &mut dyn FnMut(Item)) {
        let Some(Block { name, head, lines, .. }) = self.block.take() else { return };
        let (text, file) = native(&lines);
        let hook = ["setUpClass (", "tearDownClass (", "setUpModule (", "tearDownModule ("];
        let hook = hook.iter().any(|hook| name.starts_with(hook));
        let span = lines.last().map_or(head.span, |last| head.span.join(last.span));
        let mut failure = Failure { level: Level::Case, test: Some(name), file, span, text, ..Failure::default() };
        failure.signal = hook.then_some(Signal::Hook);
        tell_exception(&mut failure);
        if failure.text.is_empty() {
            // What was expected to fail, and passed, prints nothing.
            failure.text.push(head);
            failure.signal.get_or_insert(Signal::Assertion);
        }
        out(Item::Failure(failure));
    }

    fn finish(&mut self, out: &mut dyn FnMut(Item)) {
        self.close(out);
        let Stestr { totals, active, told, .. } = std::mem::take(self);
        let Totals { ran, failed, skipped, span } = totals;
        if let (Some(total), Some(span), true) = (ran, span, active) {
            let passed = Some(total.saturating_sub(failed + skipped));
            let outcome = match failed > 0 || !told.is_empty() {
                true => Outcome::Failed,
                false if total > skipped => Outcome::Passed,
                false => Outcome::Unknown,
            };
            let counts = Counts { total, passed, failed, skipped, ..Counts::default() };
            out(Item::Tests(TestRun { tool: "stestr", counts, span, outcome }));
        }
    }
}

impl Totals {
    /// Takes a line of the totals; whether it is one.
    fn line(&mut self, line: Line<'_>) -> bool {
        let text = line.text.trim_end();
        if let Some(rest) = text.strip_prefix("Ran: ") {
            self.ran = rest.split_once(" test").and_then(|(count, _)| read_count(count));
            self.span = Some(line.span);
            return self.ran.is_some();
        }
        let Some((word, count)) = text.strip_prefix(" - ").and_then(|rest| rest.split_once(": ")) else { return false };
        let Some(count) = read_count(count) else { return false };
        match word {
            // What passes although it was expected to fail, fails.
            "Failed" | "Unexpected Success" => self.failed += count,
            "Skipped" => self.skipped = count,
            "Passed" | "Expected Fail" => {}
            _ => return false,
        }
        self.span = Some(self.span.map_or(line.span, |span| span.join(line.span)));
        self.ran.is_some()
    }
}

/// The name of a test and how it ended: `{0} a.b.Test.test_c [0.01s] ... FAILED`.
fn row(text: &str) -> Option<(&str, &str)> {
    let (worker, rest) = text.strip_prefix('{')?.split_once("} ")?;
    read_count(worker)?;
    let (name, ended) = rest.rsplit_once("] ... ")?;
    let (name, _) = name.rsplit_once(" [")?;
    Some((name, ended.split(':').next().unwrap_or(ended).trim_end()))
}
