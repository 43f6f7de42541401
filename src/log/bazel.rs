//! The console of Bazel where it runs tests: what failed ones printed, a row for each target, the totals.
//!
//! ```text
//! FAIL: //shop:cart_test (see /c/testlogs/shop/cart_test/test.log)
//! ==================== Test output for //shop:cart_test:
//! expected 3 but got 4
//! ================================================================================
//! //shop:ok_test                                                (cached) PASSED in 0.1s
//! //shop:cart_test                                                       FAILED in 0.2s
//!   /c/testlogs/shop/cart_test/test.log
//!
//! Executed 1 out of 2 tests: 1 test passes and 1 fails locally.
//! ```

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::pattern::Regex;

use super::cases::Case;
use super::{Grip, Line, Reader};
use crate::item::{Item, TestRun, read_count};
use crate::pattern;
use crate::report::{Counts, Outcome, Signal, Span};

pub(super) const NEEDLES: &[&str] = &[
    "= Test output for ",
    " PASSED in ",
    " FAILED in ",
    " TIMEOUT in ",
    " FLAKY, failed in ",
    " FAILED TO BUILD",
    " NO STATUS",
    " out of ",
];

/// How many targets keep what they printed.
const MAX_PRINTED: usize = 2000;

/// How many lines one target may print before it is let go.
const MAX_LINES: u32 = 20_000;

/// How many lines of others may follow the last row.
const PATIENCE: u32 = 40;

static ROW: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^(?P<label>@{0,2}[\w.~+-]*//\S+)\s+(?:\(\S+ cached\) |\(cached\) )?(?P<word>PASSED|FAILED TO BUILD|FAILED|TIMEOUT|FLAKY|NO STATUS|SKIPPED|INCOMPLETE|REMOTE FAILURE)(?: in |, failed in |, |$)",
    )
});

static TOTALS: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^Executed (?P<ran>\d+) out of (?P<total>\d+) tests?: (?P<rest>.*)$"));

/// What the sentence of the totals tells: `2 tests pass`, `1 fails locally`, `1 fails to build`, `3 were skipped`.
static PART: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"(?P<number>\d+) (?:tests? )?(?P<word>pass|fails? to build|fails? (?:locally|remotely)|(?:was|were) skipped)",
    )
});

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Bazel::default())
}

#[derive(Default)]
struct Bazel {
    /// What failed targets printed, by their labels.
    printed: BTreeMap<String, Case>,
    /// The target of which the output is being printed, and how many lines there were.
    within: Option<(String, u32)>,
    failed: Vec<Case>,
    counts: Counts,
    span: Option<Span>,
    idle: u32,
}

impl Reader for Bazel {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        if let Some((label, lines)) = &mut self.within {
            *lines += 1;
            let ends = text.len() >= 40 && text.bytes().all(|byte| byte == b'=');
            if ends || *lines > MAX_LINES || super::runner::is_outside(text) {
                self.within = None;
                return if ends { Grip::Take } else { Grip::Pass };
            }
            if let Some(case) = self.printed.get_mut(label.as_str()) {
                case.push(line);
            }
            return Grip::Hold;
        }
        if let Some(rest) = text.strip_prefix("==================== Test output for ") {
            // An attempt of several: `//a:b (shard 1 of 2):`, `//a:b (run 1 of 3):`.
            let label = rest.trim_end_matches(':').split(' ').next().unwrap_or(rest);
            if self.printed.len() < MAX_PRINTED {
                let case = Case::new(label, line);
                self.printed.insert(label.to_owned(), case);
            }
            self.within = Some((label.to_owned(), 0));
            return Grip::Hold;
        }
        if let Some(found) = ROW.captures(text) {
            self.row(&found["label"], &found["word"], line);
            return Grip::Hold;
        }
        if let Some(found) = TOTALS.captures(text) {
            self.totals(&found["total"], &found["rest"], line, out);
            return Grip::Take;
        }
        if self.span.is_none() {
            return Grip::Pass;
        }
        // The logs of a target below its row, and the times of several attempts.
        if text.starts_with("  ") || text.trim().is_empty() {
            return Grip::Hold;
        }
        self.idle += 1;
        if self.idle > PATIENCE {
            self.finish(out);
            return Grip::Pass;
        }
        Grip::Watch
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.finish(out);
    }

    fn yields_to_report(&self) -> bool {
        self.within.is_none()
    }
}

impl Bazel {
    fn row(&mut self, label: &str, word: &str, line: Line<'_>) {
        self.idle = 0;
        self.span = Some(self.span.map_or(line.span, |span| span.join(line.span)));
        self.counts.total += 1;
        let signal = match word {
            "PASSED" => None,
            "FLAKY" => {
                self.counts.flaky += 1;
                None
            }
            "NO STATUS" | "SKIPPED" => {
                self.counts.skipped += 1;
                None
            }
            // It follows from what could not be built.
            "FAILED TO BUILD" => {
                self.counts.errored += 1;
                None
            }
            "TIMEOUT" => Some(Signal::TestTimeout),
            "INCOMPLETE" => Some(Signal::Interrupted),
            _ => Some(Signal::Assertion),
        };
        let Some(signal) = signal else { return };
        self.counts.failed += 1;
        if self.failed.len() >= MAX_PRINTED {
            return;
        }
        let printed = self.printed.remove(label).filter(|case| !case.text.is_empty());
        // Of a target that printed something, its words tell more than that it failed.
        let told = printed.is_some() && signal == Signal::Assertion;
        let mut case = printed.unwrap_or_else(|| Case::new(label, line));
        case.signal = Some(signal).filter(|_| !told || !tells(&case));
        self.failed.push(case);
    }

    fn totals(&mut self, total: &str, rest: &str, line: Line<'_>, out: &mut dyn FnMut(Item)) {
        let mut counts =
            Counts { total: read_count(total).unwrap_or(0), flaky: self.counts.flaky, ..Counts::default() };
        for part in PART.captures_iter(rest) {
            let number = read_count(&part["number"]).unwrap_or(0);
            match part["word"].split(' ').next_back() {
                Some("build") => counts.errored += number,
                Some("skipped") => counts.skipped += number,
                Some("locally" | "remotely") => counts.failed += number,
                _ => {}
            }
        }
        counts.passed = counts.total.checked_sub(counts.failed + counts.errored + counts.skipped);
        self.span = Some(self.span.map_or(line.span, |span| span.join(line.span)));
        self.counts = counts;
        self.finish(out);
    }

    fn finish(&mut self, out: &mut dyn FnMut(Item)) {
        let Bazel { printed, failed, mut counts, span, .. } = std::mem::take(self);
        failed.into_iter().for_each(|case| case.tell(out));
        let Some(span) = span else {
            // The log is cut before the rows; only what failed prints anything.
            printed.into_values().filter(|case| !case.text.is_empty()).for_each(|case| case.tell(out));
            return;
        };
        let rest = counts.total.saturating_sub(counts.failed + counts.errored + counts.skipped);
        counts.passed.get_or_insert(rest);
        let outcome = match counts.any_failed() {
            true => Outcome::Failed,
            false if counts.total > counts.skipped => Outcome::Passed,
            false => Outcome::Unknown,
        };
        out(Item::Tests(TestRun { tool: "bazel", counts, span, outcome }));
    }
}

/// Whether what a target printed speaks of an error, so that it may say what went wrong.
fn tells(case: &Case) -> bool {
    case.text.iter().any(|line| {
        let lower = line.text.to_lowercase();
        ["error", "exception", "fail", "panic", "expected", "fatal", "timed out"]
            .iter()
            .any(|word| lower.contains(word))
    })
}
