//! The console of Robot Framework: a line per test and suite with its status, the message below, totals per suite.

use std::sync::LazyLock;

use crate::pattern::Regex;

use super::runner::is_outside;
use super::{Grip, Line, Reader};
use crate::format::heads_hook_of_robot;
use crate::item::{Item, TestRun, read_count};
use crate::pattern;
use crate::report::{Counts, Failure, Level, Outcome, Signal, Span};

pub(super) const NEEDLES: &[&str] = &["| FAIL |", "| PASS |"];

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Robot::default())
}

#[derive(Default)]
struct Robot {
    active: bool,
    failure: Option<Failure>,
    /// The totals of the last suite that ended; the outermost comes last.
    totals: Option<(Counts, Span)>,
}

static STATUS: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^(?P<name>.*?)\s*\| (?P<status>PASS|FAIL|SKIP) \|$"));

static TOTALS: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^(?P<total>\d+) (?:critical )?tests?(?: total)?, (?P<passed>\d+) passed, (?P<failed>\d+) failed(?:, (?P<skipped>\d+) skipped)?$",
    )
});

impl Reader for Robot {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        if let Some(found) = TOTALS.captures(text).filter(|_| self.active) {
            // What ended was a suite, and its tests have told why.
            self.failure = None;
            let number = |name: &str| found.name(name).and_then(|group| read_count(group.as_str())).unwrap_or(0u64);
            let (failed, skipped) = (number("failed"), number("skipped"));
            let counts =
                Counts { total: number("total"), passed: Some(number("passed")), failed, skipped, ..Counts::default() };
            // Older versions tell the critical tests first and then all.
            self.totals = Some((counts, line.span));
            return Grip::Hold;
        }
        if let Some(found) = STATUS.captures(text) {
            self.close(out);
            self.active = true;
            if &found["status"] == "FAIL" {
                self.failure =
                    Some(Failure { test: Some(found["name"].to_owned()), span: line.span, ..Failure::default() });
            }
            return Grip::Hold;
        }
        if !self.active {
            return Grip::Pass;
        }
        if text.starts_with("Output:  ") || is_outside(text) {
            self.close(out);
            self.finish(out);
            return Grip::Pass;
        }
        let drawn = text.len() > 20 && text.bytes().all(|byte| matches!(byte, b'-' | b'='));
        match &mut self.failure {
            _ if drawn => self.close(out),
            Some(failure) if failure.text.len() < 100 => {
                failure.span = failure.span.join(line.span);
                failure.text.push(line.to_text());
            }
            _ => {}
        }
        Grip::Hold
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.close(out);
        self.finish(out);
    }
}

/// How the message begins of a test of which a hook failed.
const HOOKS: [&str; 4] = ["Setup failed", "Teardown failed", "Parent suite setup failed", "Suite setup failed"];

impl Robot {
    fn close(&mut self, out: &mut dyn FnMut(Item)) {
        let Some(mut failure) = self.failure.take() else { return };
        let first = failure.text.iter().map(|line| line.text.trim()).find(|line| !line.is_empty()).unwrap_or("");
        if first.is_empty() {
            return;
        }
        failure.signal = Some(if first.starts_with("Test timeout ") && first.contains(" exceeded") {
            Signal::TestTimeout
        } else if first.starts_with("No keyword with name ") {
            Signal::Load
        } else if HOOKS.iter().any(|hook| first.starts_with(hook)) {
            failure.level = Level::Case;
            // What the hook said stands below the heading.
            let said = failure.text.iter().position(|line| heads_hook_of_robot(&line.text));
            if let Some(at) = said.filter(|at| failure.text.len() > at + 1) {
                failure.text.drain(..=at);
            }
            Signal::Hook
        } else {
            Signal::Assertion
        });
        out(Item::Failure(failure));
    }

    fn finish(&mut self, out: &mut dyn FnMut(Item)) {
        self.active = false;
        let Some((counts, span)) = self.totals.take() else { return };
        let outcome = if counts.any_failed() { Outcome::Failed } else { Outcome::Passed };
        out(Item::Tests(TestRun { tool: "robot", counts, span, outcome }));
    }
}
