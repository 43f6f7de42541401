//! The console of `node --test` in its form for people: the totals, then `✖ failing tests:` with a block for each.

use std::sync::LazyLock;

use crate::pattern::Regex;

use super::cases::cut;
use super::runner::{Block, Run, is_outside};
use super::{Grip, Line, Reader};
use crate::item::{Item, read_count};
use crate::pattern;
use crate::report::{Counts, Level, Signal, Span};

pub(super) const NEEDLES: &[&str] = &["ℹ tests ", "✖ failing tests:"];

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(NodeTest::default())
}

#[derive(Default)]
struct NodeTest {
    counts: Option<Counts>,
    span: Span,
    run: Run,
    /// The last of the totals was told.
    whole: bool,
    /// Behind the heading of the failing tests.
    failing: bool,
    place: Option<String>,
    block: Option<Block>,
}

static NAME: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^\s*[✖⚠] (?P<name>.*?)(?: \([\d.]+m?s\))?(?: # .*)?$"));

impl Reader for NodeTest {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        if let Some(rest) = text.strip_prefix("ℹ ") {
            if rest.starts_with("tests ") {
                self.finish(out);
                self.counts = Some(Counts { passed: Some(0), ..Counts::default() });
                self.whole = false;
                self.span = line.span;
            }
            let Some(counts) = &mut self.counts else { return Grip::Pass };
            self.span = self.span.join(line.span);
            let (word, number) = rest.split_once(' ').unwrap_or((rest, ""));
            let number: u64 = read_count(number).unwrap_or(0);
            match word {
                "tests" => counts.total = number,
                "pass" => counts.passed = Some(number),
                // A test that was cancelled did not pass, and its run is red.
                "fail" | "cancelled" => counts.failed += number,
                "skipped" | "todo" => counts.skipped += number,
                "duration_ms" => self.whole = true,
                _ => {}
            }
            return Grip::Hold;
        }
        if self.counts.is_none() {
            return Grip::Pass;
        }
        // Its own totals once more, in TAP.
        if !self.failing && text.starts_with("# ") {
            return Grip::Watch;
        }
        if text.starts_with("✖ failing tests:") {
            self.failing = true;
            return Grip::Hold;
        }
        if text.is_empty() {
            return Grip::Hold;
        }
        if !self.failing || is_outside(text) {
            self.finish(out);
            return Grip::Pass;
        }
        if let Some(place) = text.strip_prefix("test at ") {
            self.close(out);
            self.place = Some(place.to_owned());
            return Grip::Hold;
        }
        if line.indent() == 0
            && let Some(found) = NAME.captures(text)
        {
            self.close(out);
            // A test marked as todo is expected to fail; since version 24 it has a sign of its own.
            if text.starts_with('⚠') || text.ends_with("# TODO") || text.contains(" # TODO ") {
                return Grip::Hold;
            }
            let file = self.place.take().map(|place| place.split(':').next().unwrap_or("").to_owned());
            self.block = Some(Block::new(Level::Case, Some(found["name"].to_owned()), file, line));
            return Grip::Hold;
        }
        if line.indent() == 0 {
            self.finish(out);
            return Grip::Pass;
        }
        if let Some(block) = &mut self.block {
            block.push(line);
        }
        Grip::Hold
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.finish(out);
    }
}

impl NodeTest {
    fn close(&mut self, out: &mut dyn FnMut(Item)) {
        let Some(mut block) = self.block.take() else { return };
        let text =
            block.lines.iter().map(|line| line.text.trim()).find(|text| !text.is_empty()).unwrap_or("").to_owned();
        // A file that ended badly as a whole: what it printed tells why.
        let whole_file = matches!(text.as_str(), "'test failed'" | "Error: test failed" | "test failed");
        if whole_file {
            block.level = Level::Suite;
            block.signal = Some(Signal::Load);
        }
        let mut failure = block.into_failure();
        // What was cancelled follows from the suite around it, which is told too.
        failure.follow_on = whole_file || text.contains("test did not finish before its parent and was cancelled");
        out(Item::Failure(failure));
    }

    fn finish(&mut self, out: &mut dyn FnMut(Item)) {
        self.close(out);
        self.failing = false;
        self.place = None;
        let Some(counts) = self.counts.take() else { return };
        // How many failed is told behind those that passed, and may be cut off.
        let ended = counts.passed.unwrap_or_default() + counts.failed + counts.skipped;
        if !self.whole && counts.failed == 0 && ended < counts.total {
            return cut("node:test", counts, self.span, out);
        }
        self.run.finish("node:test", counts, self.span, out);
    }
}

#[cfg(test)]
mod tests {
    use crate::{Analyzer, Outcome, Source};

    #[test]
    fn totals_that_were_cut_are_not_green() {
        let outcome = |log: &str| Analyzer::new().analyze([Source::bytes("log", log.as_bytes())]).outcome;
        let whole = "\u{2139} tests 8\n\u{2139} suites 2\n\u{2139} pass 8\n\u{2139} fail 0\n\u{2139} cancelled 0\n\u{2139} skipped 0\n\u{2139} todo 0\n\u{2139} duration_ms 91.2\n";
        assert_eq!(outcome(whole), Outcome::Passed);
        for cut in ["pass", "fail", "cancelled", "skipped"] {
            let end = whole.find(cut).unwrap_or_default();
            let told = whole[..end].replace("pass 8", "pass 3");
            assert_ne!(outcome(&told), Outcome::Passed, "cut before {cut}");
        }
    }
}
