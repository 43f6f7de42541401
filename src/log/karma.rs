//! The consoles of Karma (`Executed 3 of 3 (1 FAILED)`) and of Jasmine on Node.js (`3 specs, 1 failure`).

use std::sync::LazyLock;

use crate::pattern::Regex;

use super::runner::{Block, Run, is_outside};
use super::{Grip, Line, Reader};
use crate::item::{Item, read_count};
use crate::pattern;
use crate::report::{Counts, Level, Signal, Span};

pub(super) const NEEDLES: &[&str] =
    &[" FAILED", ") ERROR", "Executed ", " specs, ", "1 spec, ", "  Message:", "Suite error: ", "Failures:"];

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Karma::default())
}

#[derive(Default)]
struct Karma {
    block: Option<Block>,
    /// The style of the block at hand.
    jasmine: bool,
    /// The line before the message of a spec: its name.
    name: Option<String>,
    /// The heading of a list of failures was just read.
    listed: bool,
    /// What is named is a suite.
    suite: bool,
    /// Suites whose hooks failed; Jasmine counts them among the failures of specs.
    suites: u64,
    /// The totals as far as they were told; progress is told in the same words.
    totals: Option<(Counts, Span)>,
    run: Run,
}

static EXECUTED: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"Executed (?P<done>\d+) of (?P<total>\d+)(?P<error> ERROR| DISCONNECTED)?(?:\s*\((?P<failed>\d+) FAILED\))?(?:\s*\(skipped (?P<skipped>\d+)\))?(?:\s*(?:SUCCESS|ERROR|DISCONNECTED))?\s*\([\d.]+ (?:secs|mins)",
    )
});

static SPECS: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(r"^(?P<total>\d+) specs?, (?P<failed>\d+) failures?(?:, (?P<pending>\d+) pending specs?)?$")
});

static FAILED: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^(?:[A-Z][\w ]*[\d.]+ \([^)]*\)):? (?P<name>.+) FAILED$"));

/// What a browser throws outside of any spec: `Chrome 120.0 (Linux): ERROR`, with the error below it.
static ERROR: LazyLock<Regex> = LazyLock::new(|| pattern::regex(r"^[A-Z][\w ]*[\d.]+ \([^)]*\):? ERROR$"));

impl Reader for Karma {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        if let Some(found) = EXECUTED.captures(text) {
            self.close(out);
            let number = |name: &str| found.name(name).and_then(|group| read_count(group.as_str())).unwrap_or(0u64);
            let (done, total, failed, skipped) = (number("done"), number("total"), number("failed"), number("skipped"));
            let passed = Some(done.saturating_sub(failed));
            self.run.failed |= found.name("error").is_some() || text.contains(" ERROR");
            self.totals =
                Some((Counts { total: total.max(done), passed, failed, skipped, ..Counts::default() }, line.span));
            // The last one of a browser; before it there may be hundreds.
            if done + skipped < total && !self.run.failed {
                return Grip::Take;
            }
            return Grip::Hold;
        }
        if let Some(found) = SPECS.captures(text) {
            self.close(out);
            let number = |name: &str| found.name(name).and_then(|group| read_count(group.as_str())).unwrap_or(0u64);
            let suites = std::mem::take(&mut self.suites).min(number("failed"));
            let (total, failed, skipped) = (number("total"), number("failed") - suites, number("pending"));
            let passed = Some(total.saturating_sub(failed + skipped));
            self.run.errored += suites;
            self.run.finish("jasmine", Counts { total, passed, failed, skipped, ..Counts::default() }, line.span, out);
            return Grip::Take;
        }
        if let Some(found) = FAILED.captures(text) {
            self.close(out);
            self.jasmine = false;
            self.block = Some(Block::new(Level::Case, Some(found["name"].to_owned()), None, line));
            return Grip::Hold;
        }
        if ERROR.is_match(text) {
            self.close(out);
            self.jasmine = false;
            let mut block = Block::new(Level::Suite, None, None, line);
            block.signal = Some(Signal::Hook);
            self.run.failed = true;
            self.run.errored += 1;
            self.block = Some(block);
            return Grip::Hold;
        }
        if text == "Failures:" {
            self.listed = true;
            return Grip::Watch;
        }
        if self.listed && self.block.is_none() {
            // The name of the first spec of the list stands above its message.
            if let Some(name) = numbered(text) {
                self.name = Some(name.to_owned());
                return Grip::Watch;
            }
            self.listed = false;
        }
        if text == "  Message:" {
            // A further expectation of the same spec is no failure of its own.
            if self.jasmine && self.name.is_none() && self.block.is_some() {
                return Grip::Hold;
            }
            self.close(out);
            self.jasmine = true;
            let suite = std::mem::take(&mut self.suite);
            let level = if suite { Level::Suite } else { Level::Case };
            let mut block = Block::new(level, self.name.take(), None, line);
            block.signal = suite.then_some(Signal::Hook);
            self.suites += u64::from(suite);
            self.block = Some(block);
            return Grip::Hold;
        }
        if let Some(block) = &mut self.block {
            if text.is_empty() || text.starts_with(['\t', ' ']) && !is_outside(text) {
                if text != "  Stack:" {
                    block.push(line);
                }
                return Grip::Hold;
            }
            self.close(out);
            if let Some(name) = numbered(text).filter(|_| self.jasmine) {
                self.name = Some(name.to_owned());
                return Grip::Hold;
            }
            if let Some(name) = text.strip_prefix("Suite error: ").filter(|_| self.jasmine) {
                self.name = Some(name.to_owned());
                self.suite = true;
                return Grip::Hold;
            }
            return Grip::Pass;
        }
        self.finish(out);
        Grip::Pass
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.close(out);
        self.finish(out);
    }
}

/// The name in a numbered heading: `2) basket reads the owner`.
fn numbered(text: &str) -> Option<&str> {
    let (number, name) = text.split_once(") ")?;
    (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())).then_some(name)
}

impl Karma {
    fn close(&mut self, out: &mut dyn FnMut(Item)) {
        let Some(block) = self.block.take() else { return };
        if block.lines.iter().any(|line| !line.text.trim().is_empty()) {
            let mut failure = block.into_failure();
            let first = failure.text.first().map_or("", |line| line.text.trim());
            failure.follow_on = first.starts_with("Not run because a beforeAll function failed");
            out(Item::Failure(failure));
        }
    }

    fn finish(&mut self, out: &mut dyn FnMut(Item)) {
        let Some((counts, span)) = self.totals else { return };
        // Totals that are not the last ones are progress.
        if counts.passed.unwrap_or(0) + counts.failed + counts.skipped < counts.total && !self.run.failed {
            return;
        }
        self.totals = None;
        self.run.finish("karma", counts, span, out);
    }
}
