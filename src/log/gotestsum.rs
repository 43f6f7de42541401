//! The summary of gotestsum: `=== Failed`, a block for each failed test, and the line that begins with `DONE`.
//!
//! What it prints before depends on its format and may be `go test -v` in other words; the summary has all of it.

use std::sync::LazyLock;

use regex::Regex;

use super::cases::{Case, MAX_HELD};
use super::{Grip, Line, Reader};
use crate::item::{Item, TestRun};
use crate::pattern;
use crate::report::{Counts, FileRef, Outcome, Signal};

pub(super) const NEEDLES: &[&str] = &["=== Failed", "=== Errors", " tests in ", " test in ", " skipped in "];

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Gotestsum::default())
}

#[derive(Default)]
struct Gotestsum {
    /// Inside `=== Failed`.
    summary: bool,
    /// Behind the failures, before the totals.
    errors: bool,
    case: Option<Case>,
    held: usize,
}

static HEAD: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(r"^=== FAIL: (?P<package>\S+) ?(?P<name>\S*) \((?:[\d.]+m?s|unknown|cached)\)(?: \(re-run \d+\))?$")
});

static DONE: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^DONE (?:\d+ runs?, )?(?P<total>\d+) tests?(?:, (?P<skipped>\d+) skipped)?(?:, (?P<failed>\d+) failures?)?(?:, (?P<errors>\d+) errors?)? in [\d.]+m?s$",
    )
});

static PLACE: LazyLock<Regex> = LazyLock::new(|| pattern::regex(r"^\s+(?P<path>[\w./-]+\.go):(?P<line>\d+): "));

static GOROUTINE: LazyLock<Regex> = LazyLock::new(|| pattern::regex(r"^\s+(?P<path>/\S+\.go):(?P<line>\d+) \+0x"));

impl Reader for Gotestsum {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        if text == "=== Failed" {
            self.summary = true;
            self.held = 0;
            return Grip::Hold;
        }
        if let Some(found) = DONE.captures(text) {
            self.close(out);
            self.summary = false;
            self.errors = false;
            let number = |name: &str| found.name(name).and_then(|group| group.as_str().parse().ok()).unwrap_or(0u64);
            let (total, skipped, failed, errored) =
                (number("total"), number("skipped"), number("failed"), number("errors"));
            let passed = Some(total.saturating_sub(skipped + failed));
            let counts = Counts { total, passed, failed, errored, skipped, flaky: 0 };
            let outcome = match () {
                () if counts.any_failed() => Outcome::Failed,
                () if total > 0 => Outcome::Passed,
                () => Outcome::Unknown,
            };
            out(Item::Tests(TestRun { tool: "gotestsum", counts, span: line.span, outcome }));
            return Grip::Take;
        }
        if text == "=== Errors" {
            // The words of the compiler; whoever reads those has them.
            self.close(out);
            self.summary = false;
            self.errors = true;
            self.held = 0;
            return Grip::Watch;
        }
        if self.errors && self.held < 1000 {
            self.held += 1;
            return Grip::Watch;
        }
        if !self.summary {
            return Grip::Pass;
        }
        self.held += 1;
        if self.held > MAX_HELD {
            self.close(out);
            self.summary = false;
            return Grip::Pass;
        }
        if let Some(found) = HEAD.captures(text) {
            self.close(out);
            let (package, name) = (&found["package"], &found["name"]);
            let mut case =
                Case::new(if name.is_empty() { package.to_owned() } else { format!("{package}.{name}") }, line);
            case.signal = Some(Signal::Assertion);
            self.case = Some(case);
            return Grip::Hold;
        }
        let Some(case) = &mut self.case else { return Grip::Hold };
        if let Some(found) = PLACE.captures(text) {
            case.push(line);
            case.file.get_or_insert_with(|| FileRef::new(&found["path"], found["line"].parse().ok(), None));
        } else if let Some(found) = GOROUTINE.captures(text) {
            let own = !found["path"].contains("/src/testing/") && !found["path"].contains("/src/runtime/");
            let place = own.then(|| FileRef::new(&found["path"], found["line"].parse().ok(), None));
            case.frame(line, place);
        } else if text.trim_start().starts_with("--- FAIL: ") || text.starts_with("=== ") {
            case.cover(line);
        } else {
            if text.starts_with("panic: ") {
                case.signal = Some(Signal::Unhandled);
            }
            case.push(line);
        }
        Grip::Hold
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.close(out);
    }
}

impl Gotestsum {
    fn close(&mut self, out: &mut dyn FnMut(Item)) {
        let Some(case) = self.case.take() else { return };
        // The parent of a failed subtest says nothing of its own.
        if !case.text.is_empty() {
            case.tell(out);
        }
    }
}
