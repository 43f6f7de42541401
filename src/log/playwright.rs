//! The console of Playwright Test: `Running 3 tests`, numbered failures, and the lists that say which failed in the end.

use std::sync::LazyLock;

use crate::pattern::Regex;

use super::runner::{Block, Run, is_outside};
use super::{Grip, Line, Reader};
use crate::item::{Item, read_count};
use crate::pattern;
use crate::report::{Counts, Level, Signal, Span};

pub(super) const NEEDLES: &[&str] = &[" using 1 worker", " workers", "not a part of any test"];

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Playwright::default())
}

/// How many failures of a run wait for its totals.
const MAX_WAITING: usize = 2000;

#[derive(Default)]
struct Playwright {
    running: bool,
    /// Failures of single attempts; the lists at the end tell which of them count.
    waiting: Vec<Block>,
    block: Option<Block>,
    /// What the progress told of failures, for a run that is cut before it tells more.
    marked: Vec<Block>,
    /// What was thrown outside any test.
    outside: Option<Block>,
    totals: Option<Totals>,
}

#[derive(Default)]
struct Totals {
    counts: Counts,
    span: Span,
    flaky: Vec<String>,
    /// The list at hand is that of the flaky tests.
    listing: bool,
    errored: u64,
}

static BANNER: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^Running \d+ tests? using \d+ workers?(?:, shard \d+ of \d+)?$"));

static HEAD: LazyLock<Regex> = LazyLock::new(|| pattern::regex(r"^\s{2}\d+\) (?P<title>.* › .*)$"));

/// `  ✘   1 [chromium] › tests/cart.spec.ts:4:5 › total (1.2s)`.
static MARKED: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^\s{2}(?:✘|x)\s+\d+ (?P<title>.* › .*?)(?: \([\d.]+m?s\))?$"));

static TOTAL: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^\s{2}(?P<number>\d+) (?P<word>failed|flaky|passed|skipped|interrupted|did not run|errors? (?:was|were) not a part of any test)\b",
    )
});

static PLACE: LazyLock<Regex> = LazyLock::new(|| pattern::regex(r"(?P<file>[^\s\[\]›]+\.\w+):\d+:\d+ › "));

impl Reader for Playwright {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        if BANNER.is_match(text) {
            self.finish(out);
            self.running = true;
            return Grip::Hold;
        }
        if !self.running {
            return Grip::Pass;
        }
        if is_outside(text) {
            self.finish(out);
            return Grip::Pass;
        }
        if let Some(found) = TOTAL.captures(text) {
            self.close();
            let totals = self.totals.get_or_insert_with(|| Totals { span: line.span, ..Totals::default() });
            totals.span = totals.span.join(line.span);
            let number: u64 = read_count(&found["number"]).unwrap_or(0);
            let word = &found["word"];
            totals.listing = word == "flaky";
            let counts = &mut totals.counts;
            match word {
                "failed" | "interrupted" => counts.failed += number,
                "flaky" => counts.flaky = number,
                "passed" => counts.passed = Some(number),
                "skipped" | "did not run" => counts.skipped += number,
                _ => totals.errored = number,
            }
            if word == "passed" {
                self.finish(out);
                return Grip::Take;
            }
            return Grip::Hold;
        }
        if let Some(totals) = &mut self.totals {
            if line.indent() >= 4 {
                if totals.listing {
                    totals.flaky.push(title(text));
                }
                return Grip::Hold;
            }
            if text.is_empty() {
                return Grip::Hold;
            }
            self.finish(out);
            return Grip::Pass;
        }
        if let Some(found) = MARKED.captures(text) {
            if self.marked.len() < MAX_WAITING {
                let name = title(&found["title"]);
                let file = PLACE.captures(&name).map(|place| place["file"].to_owned());
                let mut block = Block::new(Level::Case, Some(name), file, line);
                block.signal = Some(Signal::Assertion);
                block.push(line);
                self.marked.push(block);
            }
            return Grip::Hold;
        }
        if let Some(found) = HEAD.captures(text) {
            self.close();
            let name = title(&found["title"]);
            let file = PLACE.captures(&name).map(|place| place["file"].to_owned());
            self.block = Some(Block::new(Level::Case, Some(name), file, line));
            return Grip::Hold;
        }
        if line.indent() < 2 && !text.is_empty() {
            self.close();
            // An error at the margin belongs to no test.
            if super::runner::type_name(text).is_some() && self.outside.is_none() {
                let mut block = Block::new(Level::Run, None, None, line);
                block.signal = Some(Signal::Load);
                block.push(line);
                self.outside = Some(block);
            }
            return Grip::Hold;
        }
        if let Some(block) = &mut self.block {
            // Each further attempt tells its own error; the first is enough.
            if text.trim_start().starts_with("Retry #") {
                self.close();
            } else {
                block.push(line);
            }
        } else if let Some(outside) = &mut self.outside {
            outside.push(line);
        }
        Grip::Hold
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.finish(out);
    }
}

impl Playwright {
    fn close(&mut self) {
        let Some(block) = self.block.take() else { return };
        // The line reporter prints a failure when it happens, and again at the end.
        if self.waiting.len() < MAX_WAITING && !self.waiting.iter().any(|known| known.test == block.test) {
            self.waiting.push(block);
        }
    }

    fn finish(&mut self, out: &mut dyn FnMut(Item)) {
        self.close();
        let Playwright { running, mut waiting, marked, outside, totals, .. } = std::mem::take(self);
        if !running {
            return;
        }
        if waiting.is_empty() && totals.is_none() {
            waiting = marked;
        }
        let flaky = totals.as_ref().map_or(&[][..], |totals| &totals.flaky);
        for mut block in waiting {
            if block.test.as_ref().is_some_and(|test| flaky.contains(test)) {
                continue;
            }
            // The name of the test without the project and the place.
            if let Some(test) = &mut block.test {
                *test = match PLACE.find(test) {
                    Some(place) => test[place.end()..].to_owned(),
                    None => std::mem::take(test),
                };
            }
            out(Item::Failure(block.into_failure()));
        }
        let Some(Totals { mut counts, span, errored, .. }) = totals else {
            if let Some(outside) = outside {
                out(Item::Failure(outside.into_failure()));
            }
            return;
        };
        if let Some(outside) = outside.filter(|_| errored > 0) {
            out(Item::Failure(outside.into_failure()));
        }
        let passed = counts.passed.unwrap_or(0) + counts.flaky;
        counts.passed = Some(passed);
        counts.total = passed + counts.failed + counts.skipped;
        let mut run = Run { errored, ..Run::default() };
        run.finish("playwright", counts, span, out);
    }
}

/// The title of a test without the rule that is drawn behind it.
fn title(text: &str) -> String {
    text.trim().trim_end_matches(['─', '=', ' ']).to_owned()
}
