//! The console of Mocha, and of Cypress which prints with it: `2 passing`, `1 failing` and the numbered failures.

use std::sync::LazyLock;

use crate::pattern::Regex;

use super::cases::cut;
use super::runner::{Block, Run, is_outside};
use super::{ABOVE, Above, Grip, Line, Reader};
use crate::item::{Item, read_count};
use crate::pattern;
use crate::report::{Counts, Level, Signal, Span, TextLine};

/// How many lines above the totals are searched for tests that failed.
const FAR_ABOVE: usize = 60;

pub(super) const NEEDLES: &[&str] = &[" passing", " failing", " pending"];

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Mocha::default())
}

#[derive(Default)]
struct Mocha {
    /// The totals, while they and the failures behind them are read.
    counts: Option<Counts>,
    span: Span,
    run: Run,
    title: Vec<String>,
    block: Option<Block>,
    /// The totals end before they tell how many failed.
    failing: bool,
    /// A test that failed stands above the totals, and how near.
    marked: Option<usize>,
    /// An empty line followed the totals, so that they were told to their end.
    told: bool,
}

static COUNT: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^\s{0,4}(?:[✔✓✖×] )?(?P<number>\d+) (?:tests? )?(?P<word>passing|failing|pending)(?: \([\d.]+ ?(?:ms|s|m|h)\))?$",
    )
});

static HEAD: LazyLock<Regex> = LazyLock::new(|| pattern::regex(r"^\s{1,3}(?P<number>\d+)\) (?P<title>.*)$"));

impl Reader for Mocha {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        if self.block.is_none()
            && let Some(found) = COUNT.captures(text)
        {
            let number = read_count(&found["number"]).unwrap_or(0);
            // Another `passing` begins the totals of another run, such as the next file of Cypress.
            if &found["word"] == "passing" && self.counts.is_some() {
                self.finish(out);
            }
            let counts = self.counts.get_or_insert_with(|| {
                self.span = line.span;
                Counts { passed: Some(0), ..Counts::default() }
            });
            match &found["word"] {
                "passing" => counts.passed = Some(number),
                "failing" => counts.failed = number,
                _ => counts.skipped = number,
            }
            counts.total += number;
            self.span = self.span.join(line.span);
            return Grip::Hold;
        }
        let Some(counts) = self.counts else { return Grip::Pass };
        if text.is_empty() {
            self.told = true;
            if let Some(block) = &mut self.block {
                block.push(line);
            }
            return Grip::Hold;
        }
        if counts.failed == 0
            || line.indent() == 0 && !self.continues(text)
            || is_outside(text)
            || text.starts_with("  (")
        {
            self.finish(out);
            return Grip::Pass;
        }
        if let Some(found) = HEAD.captures(text) {
            self.close(out);
            self.title = vec![found["title"].to_owned()];
            self.block = Some(Block::new(Level::Case, None, None, line));
            self.complete();
            return Grip::Hold;
        }
        let Some(block) = &mut self.block else {
            // Noise between the totals and the first failure.
            return Grip::Hold;
        };
        if block.test.is_none() && self.title.len() < 20 {
            self.title.push(text.trim().to_owned());
            self.complete();
        } else {
            block.push(line);
        }
        Grip::Hold
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        // How many failed is told last, and was cut off.
        self.failing |= self.counts.is_some_and(|counts| counts.total == 0);
        self.finish(out);
    }

    fn looks_back(&self) -> usize {
        if self.counts.is_none() { FAR_ABOVE } else { 0 }
    }

    fn above(&mut self, above: Above<'_>) {
        self.marked = above.clone().position(is_marked);
    }
}

/// Whether a test is marked as failed: `    1) adds`, and the marks of the dots.
fn is_marked(line: &TextLine) -> bool {
    let text = line.text.trim_start();
    let behind = text.trim_start_matches(|digit: char| digit.is_ascii_digit());
    behind.starts_with(") ") && behind.len() < text.len() && text.len() < line.text.len()
        || text.contains('!') && text.chars().all(|mark| matches!(mark, '․' | '.' | ',' | '!'))
}

impl Mocha {
    /// Whether a line at the margin still belongs to a failure: a message of several lines is not indented.
    fn continues(&self, text: &str) -> bool {
        self.block.as_ref().is_some_and(|block| block.test.is_some() && block.lines.len() < 60)
            && !text.starts_with("error ")
            && !text.starts_with("> ")
            && !text.starts_with("$ ")
            && !text.contains("ELIFECYCLE")
            && !text.contains("exited with code")
    }

    /// The title is whole once a line of it ends with a colon.
    fn complete(&mut self) {
        let whole = self.title.last().is_some_and(|last| last.ends_with(':'));
        if !whole {
            return;
        }
        let title = self.title.join(" ");
        let title = title.trim_end_matches(':');
        if let Some(block) = &mut self.block {
            if title.contains("\" hook") {
                block.level = Level::Suite;
                block.signal = Some(Signal::Hook);
            }
            block.test = Some(title.to_owned());
        }
    }

    fn close(&mut self, out: &mut dyn FnMut(Item)) {
        let Some(mut block) = self.block.take() else { return };
        let title = std::mem::take(&mut self.title).join(" ");
        block.test.get_or_insert(title);
        // Only what was compared is shown so, whatever type was thrown.
        if block.lines.iter().any(|line| line.text.trim() == "+ expected - actual") {
            block.signal.get_or_insert(Signal::Assertion);
        }
        // tap names a file that failed as a whole twice, and says no more.
        let title = block.test.as_deref().unwrap_or_default();
        let (file, again) = title.split_once(' ').unwrap_or_default();
        if file == again && block.lines.iter().all(|line| matches!(line.text.trim(), "") || line.text.trim() == file) {
            (block.level, block.signal) = (Level::Suite, Some(Signal::Load));
        }
        out(Item::Failure(block.into_failure()));
    }

    fn finish(&mut self, out: &mut dyn FnMut(Item)) {
        self.close(out);
        let Some(counts) = self.counts.take() else { return };
        // How many failed is told last, so that totals without an end may lack it; a failure right above them must be told.
        let near = if std::mem::take(&mut self.told) { ABOVE } else { FAR_ABOVE };
        let (failing, marked) = (std::mem::take(&mut self.failing), self.marked.take());
        if counts.failed == 0 && (failing || marked.is_some_and(|above| above < near)) {
            return cut("mocha", counts, self.span, out);
        }
        self.run.finish("mocha", counts, self.span, out);
    }
}

#[cfg(test)]
mod tests {
    use crate::{Analyzer, Outcome, Source};

    #[test]
    fn totals_that_were_cut_are_not_green() {
        let outcome = |log: &str| Analyzer::new().analyze([Source::bytes("log", log.as_bytes())]).outcome;
        assert_ne!(outcome("  cart\n    1) adds\n    \u{2714} pays\n\n\n  1 passing (9ms)\n"), Outcome::Passed);
        let far = "    \u{2714} pays\n".repeat(20);
        assert_ne!(outcome(&format!("  cart\n    1) adds\n{far}\n\n  20 passing (9ms)\n  1 fa")), Outcome::Passed);
        assert_ne!(outcome("  \u{2024}!\n\n  1 passing (9ms)\n"), Outcome::Passed);
        assert_ne!(outcome("  !\n\n  0 passing (9ms)\n"), Outcome::Passed);
        assert_eq!(outcome("  cart\n    \u{2714} pays\n\n\n  1 passing (9ms)\n"), Outcome::Passed);
        assert_eq!(outcome("  \u{2024}\u{2024}\n\n  2 passing (9ms)\n\n"), Outcome::Passed);
    }
}
