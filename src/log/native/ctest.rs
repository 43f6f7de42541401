//! The console of CTest, terse and with `-V`.
//!
//! With `--output-on-failure` the output of a failed test stands behind its result, with `-V` that of every test
//! stands before it. Neither is searched unless the test failed.

use super::super::cases::of_run;
use super::super::{Grip, Line, Reader};
use super::{MAX_LINES, gtest_message, is_of_the_job};
use crate::item::{Item, Step, TestRun, read_count};
use crate::report::{Counts, Failure, Note, Outcome, Signal, Span, TextLine};

pub(in crate::log) const NEEDLES: &[&str] =
    &["Test project ", "No tests were found!!!", " tests passed, ", "The following tests FAILED"];

pub(in crate::log) fn open() -> Box<dyn Reader> {
    Box::new(Ctest::default())
}

#[derive(Default)]
struct Ctest {
    active: bool,
    failed: Vec<Failed>,
    /// The last result was a failure: its output follows.
    printing: bool,
    /// Output of the test that runs, with `-V`.
    before: Vec<TextLine>,
    summary: Option<Counts>,
    list: List,
    results: Counts,
    span: Span,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum List {
    #[default]
    None,
    Failed,
    NotRun,
}

struct Failed {
    name: String,
    how: String,
    line: TextLine,
    output: Vec<TextLine>,
}

impl Reader for Ctest {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        if text.starts_with("Test project ") {
            self.finish(out);
            self.active = true;
            self.span = line.span;
            out(Item::Step(Step { name: "ctest".to_owned(), span: line.span, command: true, ..Step::default() }));
            return Grip::Hold;
        }
        if text.starts_with("No tests were found!!!") {
            *self = Ctest::default();
            out(Item::Failure(of_run(Signal::NoTests, line)));
            return Grip::Take;
        }
        if let Some(counts) = totals(text) {
            self.active = true;
            self.span = if self.span.line == 0 { line.span } else { self.span.join(line.span) };
            self.summary = Some(counts);
            self.printing = false;
            return Grip::Hold;
        }
        if !self.active {
            return Grip::Pass;
        }
        if is_of_the_job(text) {
            return Grip::Watch;
        }
        if self.summary.is_some() {
            return self.behind(line, out);
        }
        if let Some((name, how)) = result(text) {
            let output = std::mem::take(&mut self.before);
            self.printing = false;
            self.results.total += 1;
            match how {
                "Passed" => self.results.passed = Some(self.results.passed.unwrap_or(0) + 1),
                "Skipped" | "Not Run (Disabled)" => self.results.skipped += 1,
                _ => {
                    self.results.failed += 1;
                    self.printing = true;
                    let failed = Failed { name: name.to_owned(), how: how.to_owned(), line: line.to_text(), output };
                    self.failed.push(failed);
                }
            }
            return Grip::Hold;
        }
        // With -V each test begins with its number.
        let numbered = text.strip_prefix("test ").is_some_and(|rest| rest.trim().parse::<u64>().is_ok());
        if numbered || text.trim_start().starts_with("Start ") && text.contains(": ") {
            self.printing = false;
            self.before.clear();
            return Grip::Hold;
        }
        // `3: text` with -V.
        let own = text
            .split_once(": ")
            .filter(|(number, _)| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()));
        let said = own.map_or(text, |(_, rest)| rest);
        let kept = match (self.printing, self.failed.last_mut()) {
            (true, Some(failed)) => &mut failed.output,
            _ => &mut self.before,
        };
        if kept.len() < MAX_LINES && !is_settings(said) {
            kept.push(TextLine { text: said.to_owned(), span: line.span });
        }
        Grip::Hold
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.finish(out);
    }

    fn yields_to_report(&self) -> bool {
        !self.active || self.summary.is_some()
    }
}

impl Ctest {
    /// The lists behind the totals.
    fn behind(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.trimmed();
        if text.starts_with("The following tests FAILED") {
            self.list = List::Failed;
        } else if text.starts_with("The following tests did not run") {
            self.list = List::NotRun;
        } else if text.starts_with("Errors while running CTest") {
            self.finish(out);
            return Grip::Take;
        } else if let Some((_, rest)) = text.split_once(" - ").filter(|_| self.list != List::None && line.indent() > 0)
        {
            let (name, how) =
                rest.rsplit_once(" (").map_or((rest, ""), |(name, how)| (name, how.split(')').next().unwrap_or("")));
            match self.list {
                List::Failed if !self.failed.iter().any(|failed| failed.name == name) => {
                    let (name, how) = (name.to_owned(), how.to_owned());
                    self.failed.push(Failed { name, how, line: line.to_text(), output: Vec::new() });
                }
                List::NotRun => {
                    if let Some(counts) = &mut self.summary {
                        counts.skipped += 1;
                        // A disabled test is not among those that the percentage is of.
                        counts.total += u64::from(how == "Disabled");
                        let passed = counts.total.saturating_sub(counts.failed + counts.skipped);
                        counts.passed = Some(passed);
                    }
                }
                _ => {}
            }
        } else if !text.is_empty()
            && !text.starts_with("Total Test time")
            && !text.contains("sec*proc")
            && !text.starts_with("Label Time")
        {
            self.finish(out);
            return Grip::Pass;
        }
        Grip::Hold
    }

    fn finish(&mut self, out: &mut dyn FnMut(Item)) {
        let Ctest { active, failed, summary, results, span, .. } = std::mem::take(self);
        if !active {
            return;
        }
        let any = !failed.is_empty();
        failed.into_iter().for_each(|failed| out(Item::Failure(failed.failure())));
        let Some(counts) = summary else {
            out(Item::Note(Note::warning(Some(span.last_line), "the output of ctest ends before its totals")));
            let outcome = if any { Outcome::Failed } else { Outcome::Unknown };
            out(Item::Tests(TestRun { tool: "ctest", counts: results, span, outcome }));
            return;
        };
        let outcome = if counts.failed > 0 || any { Outcome::Failed } else { Outcome::Passed };
        out(Item::Tests(TestRun { tool: "ctest", counts, span, outcome }));
    }
}

impl Failed {
    fn failure(self) -> Failure {
        let Failed { name, how, line, output } = self;
        let mut failure = Failure { test: Some(name), span: line.span, ..Failure::default() };
        if let Some(last) = output.last() {
            failure.span = failure.span.join(last.span);
        }
        let (text, file) = gtest_message(&output);
        failure.file = file;
        (failure.signal, failure.text) = match () {
            () if how.starts_with("Timeout") => (Some(Signal::TestTimeout), vec![line]),
            // It ended well, but did not print what it had to.
            () if how.contains("egular expression") => {
                (Some(Signal::Assertion), [line].into_iter().chain(text).collect())
            }
            () if how.starts_with("Exception")
                || how.contains("abort")
                || how.starts_with("SEGFAULT")
                || how.starts_with("SIG")
                || how.starts_with("ILLEGAL")
                // Windows tells how a process died by its status.
                || how.starts_with("Exit code 0xc0") =>
            {
                (Some(Signal::Crash), [line].into_iter().chain(text).collect())
            }
            () if how.starts_with("Not Run") || how.starts_with("BAD_COMMAND") => {
                (Some(Signal::Load), text.into_iter().chain([line]).collect())
            }
            () => (Some(Signal::Assertion), text.into_iter().chain([line]).collect()),
        };
        failure
    }
}

/// `4/5 Test #4: flush_waits ......................***Timeout   3.00 sec`: the name, and how it ended.
fn result(text: &str) -> Option<(&str, &str)> {
    let (_, rest) = text.split_once("Test ")?;
    let rest = rest.trim_start().strip_prefix('#')?;
    let (number, rest) = rest.split_once(": ")?;
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (name, rest) = rest.split_once(" ..").or_else(|| rest.split_once(" .")).or_else(|| rest.split_once("***"))?;
    let how = rest.trim_start_matches('.').trim_start_matches('*').trim();
    let how = how.strip_suffix(" sec").map_or(how, |how| how.rsplit_once(' ').map_or(how, |(how, _)| how)).trim();
    Some((name.trim(), how))
}

/// Whether a line tells how a test is started; `-V` prints such lines before the output.
fn is_settings(text: &str) -> bool {
    ["Test command:", "Working Directory:", "Environment variables:", "Test timeout computed to be:"]
        .iter()
        .any(|word| text.starts_with(word))
}

/// `80% tests passed, 1 tests failed out of 5`.
fn totals(text: &str) -> Option<Counts> {
    let (percent, rest) = text.split_once("% tests passed, ")?;
    percent.trim().parse::<u64>().ok()?;
    let (failed, rest) = rest.split_once(' ')?;
    let failed: u64 = read_count(failed)?;
    let total: u64 = read_count(rest.rsplit_once("out of ")?.1)?;
    Some(Counts { total, passed: Some(total.saturating_sub(failed)), failed, ..Counts::default() })
}
