//! Two reporters of Karma that many projects choose: `karma-mocha-reporter` and `karma-spec-reporter`.
//!
//! ```text
//! SUMMARY:
//! ✔ 1 test completed
//! ✖ 1 test failed
//!
//! FAILED TESTS:
//!   Cart
//!     ✖ total
//!       Chrome Headless 120.0.0.0 (Linux x86_64)
//!     Expected 41 to be 42.
//! ```
//!
//! The other prints what went wrong right below the test, behind a tab, and lists it again behind the totals, where the
//! suites of the test are named.

use std::sync::LazyLock;

use super::cases::cut;
use super::runner::{Block, Run};
use super::{Grip, Line, Reader};
use crate::item::{Item, read_count};
use crate::pattern::{self, Regex};
use crate::report::{Counts, Level, Span};

pub(super) const NEEDLES: &[&str] = &["SUMMARY:", "FAILED TESTS:", "    ✗ ", "    ✖ ", "TOTAL: "];

/// How many failures wait for the list behind the totals.
const MAX_WAITING: usize = 5000;

/// How many lines one failure may have.
const MAX_LINES: u32 = 2000;

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Reporters::default())
}

#[derive(Default)]
struct Reporters {
    state: State,
    /// Suites around the line at hand, each with its indentation.
    suites: Vec<(usize, String)>,
    block: Option<Block>,
    held: u32,
    counts: Option<(Counts, Span)>,
    /// Failures that were told below their tests.
    waiting: Vec<Block>,
    /// A test was marked as failed above the summary.
    failing: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Idle,
    /// Behind `SUMMARY:`.
    Summary,
    /// Behind `FAILED TESTS:`, where names come.
    Names,
    /// Within the message of a test.
    Message,
    /// Below a test, behind a tab.
    Below,
    /// In the list behind `TOTAL: `, with the entry whose suites come next.
    List(Option<usize>),
}

static COUNT: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^[✔ℹ✖] (?P<number>\d+) tests? (?P<word>completed|skipped|failed)$"));

static TOTAL: LazyLock<Regex> = LazyLock::new(|| pattern::regex(r"^TOTAL: \d+ (?:FAILED, \d+ SUCCESS|SUCCESS)$"));

impl Reporters {
    fn close(&mut self, out: &mut dyn FnMut(Item)) {
        if let Some(block) = self.block.take() {
            out(Item::Failure(block.into_failure()));
        }
    }

    /// Tells the totals of the summary.
    fn count(&mut self, out: &mut dyn FnMut(Item)) {
        if let Some((counts, span)) = self.counts.take().filter(|(counts, _)| counts.total > 0) {
            Run::default().finish("karma", counts, span, out);
        }
    }

    fn name(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text.trim();
        if text.is_empty() {
            return Grip::Hold;
        }
        let indent = line.indent();
        if indent == 0 {
            self.state = State::Idle;
            return Grip::Pass;
        }
        self.suites.retain(|(at, _)| *at < indent);
        if let Some(name) = text.strip_prefix("✖ ") {
            self.close(out);
            let names: Vec<&str> = self.suites.iter().map(|(_, name)| name.as_str()).chain([name]).collect();
            self.block = Some(Block::new(Level::Case, Some(names.join(" ")), None, line));
            self.state = State::Message;
            self.held = 0;
        } else {
            self.suites.push((indent, text.to_owned()));
        }
        Grip::Hold
    }

    fn message(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        self.held += 1;
        if line.text.is_empty() || self.held > MAX_LINES {
            self.close(out);
            self.state = State::Names;
            return Grip::Hold;
        }
        // The first line names the browser.
        if let Some(block) = self.block.as_mut().filter(|_| self.held > 1) {
            block.push(line);
        }
        Grip::Hold
    }

    fn list(&mut self, entry: Option<usize>, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        if let Some(index) = entry {
            let mut block = self.waiting.remove(index);
            if let Some(name) = &mut block.test {
                *name = format!("{} {name}", text.trim());
            }
            out(Item::Failure(block.into_failure()));
            self.state = State::List(None);
            return Grip::Hold;
        }
        let numbered = text.split_once(") ").filter(|(number, _)| number.bytes().all(|byte| byte.is_ascii_digit()));
        if let Some((_, name)) = numbered {
            let index = self.waiting.iter().position(|block| block.test.as_deref() == Some(name.trim()));
            self.state = State::List(index);
            return Grip::Hold;
        }
        if text.is_empty() || line.indent() > 0 {
            return Grip::Hold;
        }
        self.rest(out);
        Grip::Pass
    }

    /// Tells what the list did not name.
    fn rest(&mut self, out: &mut dyn FnMut(Item)) {
        self.state = State::Idle;
        for block in std::mem::take(&mut self.waiting) {
            out(Item::Failure(block.into_failure()));
        }
    }
}

impl Reader for Reporters {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        match self.state {
            State::Names => return self.name(line, out),
            State::Message => return self.message(line, out),
            State::List(entry) => return self.list(entry, line, out),
            State::Below if text.starts_with('\t') => {
                if let Some(block) = self.waiting.last_mut() {
                    block.push(line);
                }
                return Grip::Hold;
            }
            State::Below => self.state = State::Idle,
            State::Summary => {
                if let Some(found) = COUNT.captures(text) {
                    let number: u64 = read_count(&found["number"]).unwrap_or(0);
                    let (counts, span) = self.counts.get_or_insert_with(|| (Counts::default(), line.span));
                    counts.total += number;
                    match &found["word"] {
                        "completed" => counts.passed = Some(number),
                        "skipped" => counts.skipped = number,
                        _ => (counts.failed, self.failing) = (number, false),
                    }
                    counts.passed.get_or_insert(0);
                    *span = span.join(line.span);
                    return Grip::Hold;
                }
                (self.state, self.failing) = (State::Idle, false);
                self.count(out);
                if text.is_empty() {
                    return Grip::Hold;
                }
            }
            State::Idle => {}
        }
        match text {
            "SUMMARY:" => self.state = State::Summary,
            "FAILED TESTS:" => {
                self.state = State::Names;
                self.suites.clear();
            }
            _ if line.indent() >= 4 && line.trimmed().starts_with("✖ ") => {
                self.failing = true;
                return Grip::Pass;
            }
            _ if TOTAL.is_match(text) && !self.waiting.is_empty() => self.state = State::List(None),
            _ => {
                let Some(name) = text.trim_start().strip_prefix("✗ ").filter(|_| line.indent() >= 2) else {
                    return Grip::Pass;
                };
                if self.waiting.len() < MAX_WAITING {
                    self.waiting.push(Block::new(Level::Case, Some(name.to_owned()), None, line));
                }
                self.state = State::Below;
                // Other runners mark a failure so, too.
                return Grip::Watch;
            }
        }
        Grip::Hold
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.close(out);
        // The line that tells how many failed comes last, and was cut off.
        if self.failing
            && let Some((counts, span)) = self.counts.take_if(|(counts, _)| counts.failed == 0)
        {
            cut("karma", counts, span, out);
        }
        self.count(out);
        // Where the run is cut before its totals, only what stands behind a tab is known to be this reporter's.
        if !matches!(self.state, State::List(_)) {
            self.waiting.retain(|block| !block.lines.is_empty());
        }
        self.rest(out);
    }
}

#[cfg(test)]
mod tests {
    use crate::{Analyzer, Outcome, Source};

    #[test]
    fn a_summary_that_was_cut_is_not_green() {
        let log = "  Cart\n    \u{2714} adds\n    \u{2716} removes\n\nSUMMARY:\n\u{2714} 1 test completed\n";
        let outcome = |log: &str| Analyzer::new().analyze([Source::bytes("log", log.as_bytes())]).outcome;
        assert_ne!(outcome(log), Outcome::Passed);
        assert_eq!(outcome(&log.replace('\u{2716}', "\u{2714}")), Outcome::Passed);
        assert_eq!(outcome(&format!("{log}\u{2716} 1 test failed\n")), Outcome::Failed);
    }
}
