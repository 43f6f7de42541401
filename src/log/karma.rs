//! The consoles of Karma (`Executed 3 of 3 (1 FAILED)`) and of Jasmine on Node.js (`3 specs, 1 failure`).

use std::sync::LazyLock;

use regex::Regex;

use super::runner::{Block, Run, is_outside};
use super::{Grip, Line, Reader};
use crate::item::Item;
use crate::pattern;
use crate::report::{Counts, Level, Span};

pub(super) const NEEDLES: &[&str] = &[" FAILED", "Executed ", " specs, ", "1 spec, ", "  Message:"];

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

impl Reader for Karma {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        if let Some(found) = EXECUTED.captures(text) {
            self.close(out);
            let number = |name: &str| found.name(name).and_then(|group| group.as_str().parse().ok()).unwrap_or(0u64);
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
            let number = |name: &str| found.name(name).and_then(|group| group.as_str().parse().ok()).unwrap_or(0u64);
            let (total, failed, skipped) = (number("total"), number("failed"), number("pending"));
            let passed = Some(total.saturating_sub(failed + skipped));
            self.run.finish("jasmine", Counts { total, passed, failed, skipped, ..Counts::default() }, line.span, out);
            return Grip::Take;
        }
        if let Some(found) = FAILED.captures(text) {
            self.close(out);
            self.jasmine = false;
            self.block = Some(Block::new(Level::Case, Some(found["name"].to_owned()), None, line));
            return Grip::Hold;
        }
        if text == "  Message:" {
            self.close(out);
            self.jasmine = true;
            self.block = Some(Block::new(Level::Case, self.name.take(), None, line));
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
            if self.jasmine
                && text.split_once(") ").is_some_and(|(number, _)| number.bytes().all(|byte| byte.is_ascii_digit()))
            {
                self.name = text.split_once(") ").map(|(_, name)| name.to_owned());
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

impl Karma {
    fn close(&mut self, out: &mut dyn FnMut(Item)) {
        let Some(block) = self.block.take() else { return };
        if block.lines.iter().any(|line| !line.text.trim().is_empty()) {
            out(Item::Failure(block.into_failure()));
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
