//! The consoles of EUnit and Common Test, with which Erlang is tested.
//!
//! ```text
//! cart_tests: total_test...*failed*
//! in function cart_tests:total_test/0 (cart_tests.erl, line 3)
//! **error:{assertEqual,[{module,cart_tests},
//!               {line,3},
//!               {expected,42},
//!               {value,41}]}
//!   output:<<"">>
//!
//! =======================================================
//!   Failed: 1.  Skipped: 0.  Passed: 3.
//! ```

use std::sync::LazyLock;

use crate::pattern::Regex;

use super::cases::{Case, counts, finish};
use super::{Grip, Line, Reader};
use crate::item::{Item, read_count};
use crate::pattern;
use crate::report::{Counts, FileRef, Level, Signal};

pub(super) const NEEDLES: &[&str] = &[
    "...*failed*",
    "...*timed out*",
    "*** context setup failed ***",
    "*** context cleanup failed ***",
    "*** test generator failed ***",
    "*** bad test descriptor ***",
    "*** instantiation of subtests failed ***",
    "  Failed: ",
    "  All ",
    "  Test passed.",
    " tests passed.",
    "One or more tests were cancelled.",
    " failed on line ",
    "*** FAILED ",
    ": TEST COMPLETE, ",
];

/// How many lines one case may have.
const MAX_LINES: usize = 2000;

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Erlang::default())
}

#[derive(Default)]
struct Erlang {
    case: Option<Case>,
    /// Within the reason of the case.
    reason: bool,
    /// Groups whose set-up failed: they are no cases.
    hooks: u64,
    /// The case is of Common Test, whose blocks end at a ruler.
    ruled: bool,
}

static CASE: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(r"^\s*(?P<name>[\w@.'/ -]+: .*?\S)\s?\.\.\.(?:\[[\d.]+ s\] )?\*(?P<how>failed|timed out)\*$")
});

static FRAME: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(r"^\*{0,2}in (?:function|call from) .*\((?P<path>[^(),]+\.[eh]rl), line (?P<line>\d+)\)$")
});

static TOTALS: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(r"^  Failed: (?P<failed>\d+)\.  Skipped: (?P<skipped>\d+)\.  Passed: (?P<passed>\d+)\.$")
});

static PASSED: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^  (?:Test passed|(?:All )?(?P<total>\d+) tests passed)\.$"));

/// `cart_SUITE:total failed on line 5`.
static FAILED: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^(?P<suite>\w+):(?P<name>\w+) failed on line (?P<line>\d+)$"));

static COMPLETE: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^Testing \S+: TEST COMPLETE, (?P<passed>\d+) ok, (?P<failed>\d+) failed(?:, (?P<skipped>\d+) skipped)? of (?P<total>\d+) test cases$",
    )
});

impl Erlang {
    fn close(&mut self, out: &mut dyn FnMut(Item)) {
        self.reason = false;
        self.ruled = false;
        let Some(mut case) = self.case.take() else { return };
        let asserts = case.text.iter().any(|line| {
            ["{assert", "{badmatch,", "assertMatch", "test_case_failed"].iter().any(|word| line.text.contains(word))
        });
        let other = if case.level == Level::Suite { Signal::Hook } else { Signal::Unhandled };
        case.signal = case.signal.or(Some(if asserts { Signal::Assertion } else { other }));
        case.tell(out);
    }

    /// A line below the heading of a case of EUnit.
    fn within(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Option<Grip> {
        let case = self.case.as_mut()?;
        let text = line.text;
        if self.ruled {
            if text.starts_with("- - -") || case.lines > MAX_LINES {
                self.close(out);
                return Some(Grip::Take);
            }
            case.push(Line { text: text.strip_prefix("Reason: ").unwrap_or(text), span: line.span });
            return Some(Grip::Hold);
        }
        if let Some(found) = FRAME.captures(text.trim()) {
            let path = &found["path"];
            let foreign = path.starts_with("eunit") || ["timer.erl", "lists.erl", "gen.erl"].contains(&path);
            let place = || FileRef::new(path, found["line"].parse().ok(), None);
            case.frame(line, (!foreign).then(place));
            return Some(Grip::Hold);
        }
        if let Some(said) = ["**error:", "**throw:", "**exit:"].iter().find_map(|sign| text.trim().strip_prefix(sign)) {
            self.reason = true;
            case.push(Line { text: said, span: line.span });
            return Some(Grip::Hold);
        }
        let over = text.trim().is_empty() || text.trim_start().starts_with("output:<<") || case.lines > MAX_LINES;
        if over {
            self.close(out);
            return Some(Grip::Take);
        }
        if !self.reason || line.indent() == 0 {
            self.close(out);
            return None;
        }
        case.push(Line { text: text.trim(), span: line.span });
        Some(Grip::Hold)
    }
}

impl Reader for Erlang {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        if let Some(grip) = self.within(line, out) {
            return grip;
        }
        let text = line.text;
        if let Some(found) = CASE.captures(text) {
            let mut case = Case::new(found["name"].replacen(": ", ":", 1), line);
            case.signal = (&found["how"] == "timed out").then_some(Signal::TestTimeout);
            self.case = Some(case);
            return Grip::Hold;
        }
        if let Some(what) = text.trim().strip_prefix("*** ").and_then(|rest| rest.strip_suffix(" ***"))
            && (what.ends_with(" failed") || what == "bad test descriptor")
            && !text.contains("Testing ")
        {
            let mut case = Case::new(what, line);
            case.level = Level::Suite;
            self.hooks += 1;
            self.case = Some(case);
            return Grip::Hold;
        }
        if let Some(found) = TOTALS.captures(text) {
            let number = |name: &str| read_count(&found[name]).unwrap_or(0);
            let (failed, skipped, passed) = (number("failed"), number("skipped"), number("passed"));
            let total = failed + skipped + passed;
            let errored = std::mem::take(&mut self.hooks);
            let sum = Counts { total, passed: Some(passed), failed, errored, skipped, flaky: 0 };
            finish("eunit", sum, failed == 0, line.span, out);
            return Grip::Take;
        }
        if let Some(found) = PASSED.captures(text) {
            let total = found.name("total").map_or(Some(1), |total| read_count(total.as_str())).unwrap_or(1);
            finish("eunit", counts(total, 0, 0, 0), false, line.span, out);
            return Grip::Take;
        }
        if let Some(found) = FAILED.captures(text) {
            // What fails by a call of the framework stands in the framework.
            let own = &found["suite"] != "test_server";
            let name = if own { format!("{}:{}", &found["suite"], &found["name"]) } else { String::new() };
            let mut case = Case::new(name, line);
            let path = format!("{}.erl", &found["suite"]);
            case.file = own.then(|| FileRef::new(path, found["line"].parse().ok(), None));
            self.case = Some(case);
            self.ruled = true;
            return Grip::Hold;
        }
        if let Some(found) = COMPLETE.captures(text) {
            let number = |name: &str| found.name(name).and_then(|number| read_count(number.as_str())).unwrap_or(0u64);
            let (failed, skipped, passed) = (number("failed"), number("skipped"), number("passed"));
            let total = number("total");
            let sum = Counts { total, passed: Some(passed), failed, skipped, ..Counts::default() };
            let outcome = failed > 0;
            if total > 0 {
                finish("common-test", sum, outcome, line.span, out);
            }
            return Grip::Take;
        }
        Grip::Pass
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.close(out);
    }
}
