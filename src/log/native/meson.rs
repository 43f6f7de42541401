//! The console of `meson test`: a line for each test, what a failed one printed, the totals.
//!
//! ```text
//! 2/9 cart:unit / totals FAIL            0.58s   exit status 1
//! >>> MALLOC_PERTURB_=52 /usr/bin/python3 totals.py
//! ――――――――――――――――――――――――――――――――――――― ✀  ―――――――――――――――――――――――――――――――――――――
//! stderr:
//! AssertionError: 1 != 2
//! ――――――――――――――――――――――――――――――――――――――――――――――――――――――――――――――――――――――――――――――
//!
//! Ok:                 8
//! Fail:               1
//! ```
//!
//! What a test printed is searched only where the test failed. The summary names those again.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::pattern::Regex;

use super::super::cases::{Case, MAX_HELD, counts, finish};
use super::super::{Grip, Line, Reader};
use crate::item::{Item, read_count};
use crate::pattern;
use crate::report::{Signal, Span};

pub(in crate::log) const NEEDLES: &[&str] = &[
    " OK       ",
    " FAIL      ",
    " ERROR      ",
    " TIMEOUT      ",
    " UNEXPECTEDPASS ",
    "― ✀  ―",
    "Summary of Failures:",
    "Expected Fail: ",
    "Unexpected Pass: ",
];

/// How many lines of others may stand between two tests.
const PATIENCE: u32 = 2000;

/// How many names of failed tests are told apart.
const MAX_NAMES: usize = 20_000;

pub(in crate::log) fn open() -> Box<dyn Reader> {
    Box::new(Meson::default())
}

#[derive(Default)]
struct Meson {
    active: bool,
    case: Option<Case>,
    /// The test at hand did not fail, so that what it prints says nothing.
    quiet: bool,
    /// Between the two lines around what a test printed.
    printed: bool,
    /// The points of the test at hand that failed, told above it.
    points: Vec<String>,
    known: HashSet<String>,
    totals: Option<Totals>,
    idle: u32,
}

#[derive(Default)]
struct Totals {
    passed: u64,
    failed: u64,
    skipped: u64,
    span: Span,
}

static STATUS: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^\s*\d+/\d+ (?P<name>\S.*?)\s+(?P<word>OK|FAIL|SKIP|TIMEOUT|ERROR|EXPECTEDFAIL|UNEXPECTEDPASS|IGNORED|INTERRUPT)\s+[\d.]+ ?s(?:\s+\(?(?P<how>[^)]*)\)?)?\s*$",
    )
});

static POINT: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^▶ \d+/\d+ -? ?(?P<name>\S.*?)\s+(?P<word>[A-Z]+)\s*$"));

static TOTAL: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^(?P<word>Ok|Expected Fail|Fail|Unexpected Pass|Skipped|Ignored|Timeout|Interrupted):\s+(?P<number>\d+)\s*$",
    )
});

impl Meson {
    fn close(&mut self, out: &mut dyn FnMut(Item)) {
        self.printed = false;
        if let Some(case) = self.case.take() {
            case.tell(out);
        }
    }

    fn status(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> bool {
        let Some(found) = STATUS.captures(line.text) else { return false };
        self.close(out);
        self.active = true;
        let (name, word) = (&found["name"], &found["word"]);
        let how = found.name("how").map_or("", |how| how.as_str());
        let points = std::mem::take(&mut self.points);
        self.quiet = !matches!(word, "FAIL" | "ERROR" | "TIMEOUT" | "UNEXPECTEDPASS" | "INTERRUPT");
        // The summary tells of it once more.
        if self.quiet || self.known.contains(name) {
            return true;
        }
        if self.known.len() < MAX_NAMES {
            self.known.insert(name.to_owned());
        }
        let mut case = Case::new(name, line);
        case.signal = match word {
            "TIMEOUT" => Some(Signal::TestTimeout),
            "UNEXPECTEDPASS" => Some(Signal::Assertion),
            "INTERRUPT" => Some(Signal::Interrupted),
            _ if ["SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL", "SIGFPE"].iter().any(|signal| how.contains(signal)) => {
                Some(Signal::Crash)
            }
            _ if !points.is_empty() => Some(Signal::Assertion),
            _ => None,
        };
        self.case = Some(case);
        true
    }

    fn total(&mut self, line: Line<'_>) -> bool {
        let Some(found) = TOTAL.captures(line.text) else { return false };
        let number = read_count(&found["number"]).unwrap_or(0);
        let totals = self.totals.get_or_insert_with(|| Totals { span: line.span, ..Totals::default() });
        totals.span = totals.span.join(line.span);
        match &found["word"] {
            "Ok" => totals.passed += number,
            "Expected Fail" | "Skipped" | "Ignored" => totals.skipped += number,
            _ => totals.failed += number,
        }
        true
    }

    fn finish(&mut self, out: &mut dyn FnMut(Item)) {
        self.close(out);
        if let Some(Totals { passed, failed, skipped, span }) = std::mem::take(self).totals
            && passed + failed + skipped > 0
        {
            finish("meson", counts(passed + failed + skipped, failed, 0, skipped), false, span, out);
        }
    }
}

impl Reader for Meson {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        if text.starts_with("―") {
            let begins = text.contains('✀');
            if let Some(case) = &mut self.case {
                case.cover(line);
            }
            self.printed = begins && self.active;
            return if self.active { Grip::Hold } else { Grip::Pass };
        }
        if self.printed && self.idle < MAX_HELD as u32 {
            self.idle += 1;
            let about = matches!(text, "stdout:" | "stderr:") || text.starts_with("--- ");
            match &mut self.case {
                Some(case) if about => case.cover(line),
                Some(case) => case.push(line),
                None => {}
            }
            return Grip::Hold;
        }
        if self.status(line, out) {
            self.idle = 0;
            return Grip::Hold;
        }
        if !self.active {
            // What only the end of a log is known of, or a run without a failure.
            return if self.total(line) {
                Grip::Hold
            } else if self.totals.is_some() {
                self.leave(out)
            } else {
                Grip::Pass
            };
        }
        if self.total(line) {
            return Grip::Hold;
        }
        if self.totals.is_some() {
            return self.leave(out);
        }
        if text.starts_with(">>> ") || text.starts_with("Summary of Failures:") || text.trim().is_empty() {
            return Grip::Hold;
        }
        if let Some(found) = POINT.captures(text) {
            if matches!(&found["word"], "FAIL" | "ERROR" | "UNEXPECTEDPASS") && self.points.len() < 100 {
                self.points.push(found["name"].to_owned());
            }
            return Grip::Hold;
        }
        self.close(out);
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
        false
    }
}

impl Meson {
    /// The totals have ended.
    fn leave(&mut self, out: &mut dyn FnMut(Item)) -> Grip {
        self.finish(out);
        Grip::Pass
    }
}
