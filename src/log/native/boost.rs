//! The console of Boost.Test.
//!
//! ```text
//! Running 5 test cases...
//! cart.cpp(5): error: in "cart/total": check 41 == 42 has failed [41 != 42]
//! unknown location(0): fatal error: in "cart/boom": std::runtime_error: no database
//!
//! *** 2 failures are detected in the test module "shop"
//! ```
//!
//! The last line counts assertions. How many cases failed is told only with `--report_level`, so that cases are
//! counted by their names otherwise. Which failures were expected is told by the detailed report alone; without it, a
//! case is taken for one of them if no more than those that are expected remain.

use std::sync::LazyLock;

use crate::pattern::Regex;

use super::super::cases::{Case, counts, finish};
use super::super::{Grip, Line, Reader};
use crate::item::{Item, Step, read_count};
use crate::pattern;
use crate::report::{Counts, FileRef, Signal, Span};

pub(in crate::log) const NEEDLES: &[&str] =
    &[" test case...", " test cases...", "error: in \"", "*** No errors detected", "Test module \""];

/// How many cases wait for the end, which may say that they were expected to fail.
const MAX_WAITING: usize = 2000;

/// How many names of failed cases are told apart.
const MAX_CASES: usize = 20_000;

/// How many lines of others may follow before the run is given up.
const PATIENCE: u32 = 5000;

pub(in crate::log) fn open() -> Box<dyn Reader> {
    Box::new(Boost::default())
}

#[derive(Default)]
struct Boost {
    /// How many cases run, by the module's own word.
    total: Option<u64>,
    /// The case at hand, with the lines of a message that goes on.
    case: Option<Failed>,
    /// Those before it.
    cases: Vec<Failed>,
    /// The names of those that failed.
    failed: Vec<String>,
    report: Option<Report>,
    idle: u32,
}

/// A case that failed.
struct Failed {
    case: Case,
    /// How many of its expectations did not hold.
    checks: u64,
    /// It broke off.
    fatal: bool,
}

/// What the report behind the cases tells.
#[derive(Default)]
struct Report {
    counts: Counts,
    expected: u64,
    passed: Vec<String>,
    span: Span,
}

static RUNNING: LazyLock<Regex> = LazyLock::new(|| pattern::regex(r"^Running (?P<total>\d+) test cases?\.\.\.$"));

static FAILURE: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r#"^(?P<path>.+?)\((?P<line>\d+)\): (?P<word>fatal error|error): in "(?P<name>[^"]+)": (?P<said>.*)$"#,
    )
});

static END: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r#"^\*\*\* (?:No errors detected|(?:\d+ )?failures? (?:is|are) detected|Errors? (?:were|was) detected)(?: \((?P<expected>\d+) failures? (?:is|are) expected\))?(?: in (?:the )?test (?:module|suite)|$)"#,
    )
});

static REPORT: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(r#"^Test module "[^"]+" (?:has (?:passed|failed|been aborted)|was (?:aborted|skipped))(?: with:)?"#)
});

static CASES: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^  (?P<number>\d+) test cases? (?:out of (?P<total>\d+) )?(?P<what>passed with warnings|passed|failed|skipped|aborted|timed out)$",
    )
});

static EXPECTED: LazyLock<Regex> = LazyLock::new(|| pattern::regex(r"^  (?P<number>\d+) expected failures?$"));

static PASSED: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r#"^\s+Test case "(?P<name>[^"]+)" has passed with:$"#));

impl Boost {
    fn close(&mut self, out: &mut dyn FnMut(Item)) {
        let Some(case) = self.case.take() else { return };
        if self.cases.len() < MAX_WAITING {
            self.cases.push(case);
        } else {
            case.case.tell(out);
        }
    }

    fn failure(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> bool {
        let Some(found) = FAILURE.captures(line.text) else { return false };
        self.close(out);
        let name = &found["name"];
        let fatal = &found["word"] == "fatal error";
        if self.failed.iter().any(|known| known == name) {
            // A further check of the same case.
            if let Some(case) = self.cases.iter_mut().rev().take(8).find(|case| case.case.name == name) {
                case.checks += 1;
                case.fatal |= fatal;
            }
            return true;
        }
        if self.failed.len() < MAX_CASES {
            self.failed.push(name.to_owned());
        }
        let said = &found["said"];
        let mut case = Case::new(name, line);
        let place = found["line"].parse().ok().filter(|line| *line > 0u64);
        case.file = place.map(|line| FileRef::new(&found["path"], Some(line), None));
        case.signal = Some(match () {
            () if said.contains("timeout while executing") || said.contains("timed out") => Signal::TestTimeout,
            () if said.starts_with("memory access violation")
                || said.starts_with("signal: ")
                || said.contains("non-recoverable") =>
            {
                Signal::Crash
            }
            // What was thrown begins with its type.
            () if place.is_none() || said.contains("unexpected exception") => Signal::Unhandled,
            () => Signal::Assertion,
        });
        case.push(Line { text: said, span: line.span });
        self.case = Some(Failed { case, checks: 1, fatal });
        true
    }

    /// Tells all but what was expected, and the totals.
    fn finish(&mut self, failed: bool, span: Span, out: &mut dyn FnMut(Item)) {
        self.close(out);
        let Boost { total, mut cases, failed: mut names, report, .. } = std::mem::take(self);
        // All that failed was expected to.
        if !failed && report.is_none() {
            (names, cases) = (Vec::new(), Vec::new());
        }
        let before = cases.len();
        if let Some(report) = &report {
            if report.passed.is_empty() {
                let candidate = |case: &Failed| !case.fatal && case.checks <= report.expected;
                let sum: u64 = cases.iter().filter(|case| candidate(case)).map(|case| case.checks).sum();
                if sum == report.expected {
                    cases.retain(|case| !candidate(case));
                }
            } else {
                cases.retain(|case| !report.passed.contains(&case.case.name));
            }
        }
        let failing = (names.len() - (before - cases.len())) as u64;
        let mut sum = counts(total.unwrap_or(failing).max(failing), failing, 0, 0);
        sum.passed = sum.passed.filter(|_| total.is_some());
        if let Some(report) = report.filter(|report| report.counts.total > 0) {
            sum = report.counts;
        }
        cases.into_iter().for_each(|case| case.case.tell(out));
        finish("boost", sum, failed, span, out);
    }

    /// A line of the report behind the cases.
    fn in_report(&mut self, line: Line<'_>) -> bool {
        let Some(report) = &mut self.report else { return false };
        if !line.text.is_empty() && line.indent() == 0 {
            return false;
        }
        report.span = report.span.join(line.span);
        let number = |text: &str| read_count(text).unwrap_or(0);
        if let Some(found) = CASES.captures(line.text) {
            let told = number(&found["number"]);
            let counts = &mut report.counts;
            match &found["what"] {
                "failed" => counts.failed = told,
                "skipped" => counts.skipped = told,
                // They are among those that failed.
                "aborted" | "timed out" => counts.failed = counts.failed.max(told),
                _ => counts.passed = Some(counts.passed.unwrap_or(0) + told),
            }
            counts.total = found.name("total").map_or(told, |total| number(total.as_str())).max(counts.total);
        } else if let Some(found) = EXPECTED.captures(line.text) {
            report.expected = number(&found["number"]);
        } else if let Some(found) = PASSED.captures(line.text)
            && report.passed.len() < MAX_CASES
        {
            report.passed.push(found["name"].to_owned());
        }
        true
    }
}

impl Reader for Boost {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        if self.in_report(line) {
            return Grip::Hold;
        }
        if let Some(report) = &self.report {
            let (failed, span) = (report.counts.any_failed() || report.counts.total == 0, report.span);
            self.finish(failed, span, out);
        }
        if let Some(found) = RUNNING.captures(text) {
            self.close(out);
            for case in std::mem::take(&mut self.cases) {
                case.case.tell(out);
            }
            *self = Boost { total: read_count(&found["total"]), ..Boost::default() };
            out(Item::Step(Step { name: "boost".to_owned(), span: line.span, command: true, ..Step::default() }));
            return Grip::Watch;
        }
        if self.failure(line, out) {
            self.idle = 0;
            return Grip::Hold;
        }
        if self.total.is_some() || !self.failed.is_empty() {
            if let Some(found) = END.captures(text) {
                let expected = found.name("expected").and_then(|number| read_count(number.as_str())).unwrap_or(0);
                self.report = (expected > 0).then(|| Report { expected, ..Report::default() });
                self.finish(!text.contains("No errors detected"), line.span, out);
                return Grip::Take;
            }
            if REPORT.is_match(text) {
                if text.ends_with(" with:") {
                    self.report = Some(Report { span: line.span, ..Report::default() });
                    return Grip::Hold;
                }
                self.finish(!text.contains(" has passed"), line.span, out);
                return Grip::Take;
            }
        }
        if let Some(Failed { case, .. }) = &mut self.case {
            // Where it was last; and the values that a message goes on with.
            if text.contains("last checkpoint") || text.starts_with("Failure occurred in a following context:") {
                case.cover(line);
                return Grip::Hold;
            }
            if line.indent() > 0 && case.lines < 40 {
                case.push(line);
                return Grip::Hold;
            }
            self.close(out);
        }
        self.idle += 1;
        if self.total.is_some() && self.idle < PATIENCE { Grip::Watch } else { self.leave(out) }
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        if let Some(report) = &self.report {
            let (failed, span) = (report.counts.any_failed() || report.counts.total == 0, report.span);
            self.finish(failed, span, out);
        }
        self.leave(out);
    }
}

impl Boost {
    /// The end is not told.
    fn leave(&mut self, out: &mut dyn FnMut(Item)) -> Grip {
        self.close(out);
        std::mem::take(&mut self.cases).into_iter().for_each(|case| case.case.tell(out));
        Grip::Pass
    }
}
