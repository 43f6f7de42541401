//! The console of cargo-nextest.
//!
//! Each test is a process of libtest, so that `test result: FAILED. 0 passed; 1 failed` stands in the output of every
//! failed one: only the summary counts. A test that fails and then passes is flaky and no failure.

use std::sync::LazyLock;

use crate::pattern::Regex;

use super::super::{Grip, Line, Reader};
use super::{MAX_LINES, explain};
use crate::item::{Item, Step, TestRun, read_count};
use crate::pattern;
use crate::report::{Counts, Failure, Level, Note, Outcome, Signal, Span, TextLine};

pub(in crate::log) const NEEDLES: &[&str] =
    &["Nextest run", " tests across ", " test across ", " tests run: ", " test run: "];

/// How many failed tests are kept.
const MAX_FAILED: usize = 20_000;

/// `  TRY 2 FAIL [   0.302s] ( 3/12) depot tests::indexes`; the parts: attempt, status, binary, test.
static STATUS: LazyLock<Regex> = LazyLock::new(|| {
    let pattern = r"^\s*(?:TRY \d+ )?([A-Z][A-Z-]+(?: [A-Z]+)?)(?: \d+/\d+)? \[[^\]]*s\] (?:\([^)]*\) +)?(\S+) (.+)$";
    pattern::regex(pattern)
});

static SUMMARY: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^\s*Summary \[[^\]]*\] +(\d+)(?:/\d+)? tests? run: (.*)$"));

pub(in crate::log) fn open() -> Box<dyn Reader> {
    Box::new(Nextest::default())
}

#[derive(Default)]
struct Nextest {
    active: bool,
    failed: Vec<Failed>,
    /// Index of the test whose output is being printed.
    current: Option<usize>,
    summary: Option<(Counts, Outcome)>,
    span: Span,
}

struct Failed {
    name: String,
    status: String,
    line: TextLine,
    output: Vec<TextLine>,
    /// It passed in a later attempt.
    passed: bool,
}

impl Reader for Nextest {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        let trimmed = line.trimmed();
        let banner =
            trimmed.starts_with("Nextest run") || trimmed.starts_with("Starting ") && trimmed.contains(" across ");
        if banner {
            if self.summary.is_some() {
                self.finish(out);
            }
            if !self.active {
                let name = "cargo nextest".to_owned();
                out(Item::Step(Step { name, span: line.span, command: true, ..Step::default() }));
                self.active = true;
                self.span = line.span;
            }
            return Grip::Hold;
        }
        if let Some(found) = SUMMARY.captures(text) {
            self.active = true;
            self.span = if self.span.line == 0 { line.span } else { self.span.join(line.span) };
            self.current = None;
            self.summary = Some(counts(read_count(&found[1]).unwrap_or(0), &found[2]));
            return Grip::Hold;
        }
        if !self.active {
            return Grip::Pass;
        }
        // With `--message-format libtest-json` its events stand between the lines for people.
        if text.starts_with("{\"type\":\"") && text.contains("\"event\":\"") {
            return Grip::Hold;
        }
        if let Some(found) = STATUS.captures(text) {
            self.status(&found[1], format!("{} {}", &found[2], &found[3]), line);
            return Grip::Hold;
        }
        if text.starts_with("error: test run failed") {
            self.finish(out);
            return Grip::Take;
        }
        if text.starts_with("##[") || text.starts_with("Process completed with exit code") {
            return Grip::Watch;
        }
        if let Some(name) = trimmed.strip_prefix("--- STD").and_then(|rest| rest.split_once(':')) {
            // Up to 0.9.90 the output has headings of its own, and may stand behind the summary.
            let name = name.1.trim().trim_end_matches('-').trim();
            let mut parts = name.split_whitespace();
            let name = format!("{} {}", parts.next().unwrap_or(""), parts.collect::<Vec<_>>().join(" "));
            self.current = self.failed.iter().position(|failed| failed.name == name.trim());
            return Grip::Hold;
        }
        if let Some(failed) = self.current.map(|index| &mut self.failed[index]) {
            if failed.output.len() < MAX_LINES {
                failed.output.push(line.to_text());
            }
            return Grip::Hold;
        }
        if self.summary.is_some() && !trimmed.is_empty() && !trimmed.starts_with('─') && !text.starts_with("warning: ")
        {
            self.finish(out);
            return Grip::Pass;
        }
        Grip::Hold
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.finish(out);
    }

    fn yields_to_report(&self) -> bool {
        false
    }
}

impl Nextest {
    fn status(&mut self, status: &str, name: String, line: Line<'_>) {
        self.span = self.span.join(line.span);
        let known = self.failed.iter().position(|failed| failed.name == name);
        self.current = None;
        match status {
            "PASS" | "LEAK" | "FLAKY" | "FLKY" | "SETUP PASS" => {
                if let Some(index) = known {
                    self.failed[index].passed = true;
                }
            }
            "SLOW" | "TERMINATING" | "TRMNTG" | "SKIP" | "START" | "RETRY" | "DELAY" => {}
            _ if self.summary.is_some() && known.is_some() => {}
            _ => {
                let line = line.to_text();
                let fresh = Failed { name, status: status.to_owned(), line, output: Vec::new(), passed: false };
                self.current = match known {
                    Some(index) => {
                        self.failed[index] = fresh;
                        Some(index)
                    }
                    None if self.failed.len() < MAX_FAILED => {
                        self.failed.push(fresh);
                        Some(self.failed.len() - 1)
                    }
                    None => None,
                };
            }
        }
    }

    fn finish(&mut self, out: &mut dyn FnMut(Item)) {
        let Nextest { active, failed, summary, span, .. } = std::mem::take(self);
        if !active {
            return;
        }
        let failing = failed.iter().filter(|failed| !failed.passed).count() as u64;
        for failed in failed.into_iter().filter(|failed| !failed.passed) {
            out(Item::Failure(failed.failure()));
        }
        let (counts, outcome) = summary.unwrap_or_else(|| {
            out(Item::Note(Note::warning(Some(span.last_line), "the output of nextest ends before its summary")));
            let counts = Counts { total: failing, failed: failing, ..Counts::default() };
            (counts, if failing > 0 { Outcome::Failed } else { Outcome::Unknown })
        });
        out(Item::Tests(TestRun { tool: "cargo nextest", counts, span, outcome }));
    }
}

impl Failed {
    fn failure(self) -> Failure {
        let Failed { name, status, line, output, .. } = self;
        let mut failure = Failure { test: Some(name), span: line.span, ..Failure::default() };
        if let Some(last) = output.last() {
            failure.span = failure.span.join(last.span);
        }
        let test =
            failure.test.as_deref().and_then(|name| name.rsplit_once(' ')).map_or("", |(_, test)| test).to_owned();
        match status.as_str() {
            "TIMEOUT" | "TMT" => {
                failure.signal = Some(Signal::TestTimeout);
                failure.text = vec![line];
            }
            "SETUP FAIL" | "EXECFAIL" | "XFAIL" | "LEAK-FAIL" => {
                failure.level = Level::Suite;
                explain(&output, &test, &mut failure);
                failure.signal = Some(Signal::Load);
                failure.text.push(line);
            }
            "FAIL" => {
                explain(&output, &test, &mut failure);
                if failure.text.is_empty() {
                    failure.text.push(line);
                }
            }
            // A signal: SIGSEGV, ABRT, and the rest.
            _ => {
                let memory = output.iter().filter(|line| {
                    ["memory allocation of", "overflowed its stack", "fatal runtime error"]
                        .iter()
                        .any(|known| line.text.contains(known))
                });
                failure.text = memory.cloned().collect();
                failure.text.push(line);
                failure.signal = Some(Signal::Crash);
            }
        }
        failure
    }
}

/// `4 passed (1 flaky, 1 slow), 7 failed, 1 timed out, 1 skipped` behind the number of tests that ran.
fn counts(run: u64, text: &str) -> (Counts, Outcome) {
    let mut counts = Counts { total: run, passed: Some(0), ..Counts::default() };
    // Parentheses hold details of the number before them.
    let mut flat = String::new();
    let mut depth = 0_u32;
    for part in text.split_inclusive(['(', ')']) {
        if depth == 0 {
            flat.push_str(part.trim_end_matches(['(', ')']));
        } else if let Some(flaky) = part.split([',', ')']).find_map(|part| part.trim().strip_suffix("flaky")) {
            counts.flaky = read_count(flaky).unwrap_or(0);
        }
        depth = u32::from(part.ends_with('('));
    }
    let mut failed = 0;
    for part in flat.split(',') {
        let Some((number, what)) = part.trim().split_once(' ') else { continue };
        let Some(number) = read_count(number) else { continue };
        match what.trim() {
            "passed" => counts.passed = Some(number),
            "skipped" => counts.skipped = number,
            // `failed`, `timed out`, `exec failed`, `failed due to a leak`.
            _ => failed += number,
        }
    }
    counts.failed = failed;
    counts.total += counts.skipped;
    let outcome = match (failed, run) {
        (1.., _) => Outcome::Failed,
        (0, 0) => Outcome::Unknown,
        (0, _) => Outcome::Passed,
    };
    (counts, outcome)
}
