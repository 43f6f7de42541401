//! `go test`, by itself and run by gotestsum, whose summary tells each failure again: `=== Failed`, a block for each
//! failed test, and the line that begins with `DONE`.
//!
//! What gotestsum prints before its summary depends on its format: nothing but dots, or `go test -v` word for word with
//! or without the results of packages. So this reader shows what it does not know to the one for `go test`, and of the
//! summary it tells only what that one has not told.

use std::sync::LazyLock;

use crate::pattern::Regex;

use super::cases::{Case, MAX_HELD};
use super::{Grip, Line, Reader, go};
use crate::item::{Item, Mark, Scope, TestRun, read_count, weight, weight_of_lines};
use crate::pattern;
use crate::report::{Counts, Failure, FileRef, Level, Note, Outcome, Signal, Span};

pub(super) const NEEDLES: &[&str] = &[
    "=== Failed",
    "=== Errors",
    " tests in ",
    " test in ",
    " skipped in ",
    " failures in ",
    " failure in ",
    " errors in ",
    // The words of `go test` itself.
    "=== RUN ",
    "=== CONT ",
    "--- FAIL: ",
    "--- PASS: ",
    "--- SKIP: ",
    "ok  \t",
    "FAIL\t",
    " ns/op",
    "panic: ",
    "fatal error: ",
    "WARNING: DATA RACE",
    "[build failed]",
    "[setup failed]",
    "[no tests to run]",
    "(cached)",
    "testing: warning: no tests to run",
];

/// How many names of failed tests are kept.
const MAX_TOLD: usize = 20_000;

/// How many bytes those names may take.
const MAX_TOLD_BYTES: usize = 2 * 1024 * 1024;

/// How many bytes may wait for a summary, of packages that named no test and of cases that ran again.
const MAX_WAITING: usize = 4 * 1024 * 1024;

pub(super) fn open() -> Box<dyn Reader> {
    let summary = Summary::default();
    let (told, unsure) = (Told::default(), Vec::new());
    let (totals, first, first_at, began) = (None, None, Span::default(), None);
    Box::new(Gotestsum { go: go::open(), summary, told, unsure, unsure_bytes: 0, totals, first, first_at, began })
}

/// The reader of `go test`, and of the summary behind it.
struct Gotestsum {
    go: Box<dyn Reader>,
    summary: Summary,
    /// The full names of the tests that failed, as `go test` told them.
    told: Told,
    /// Packages that failed and named no test: the summary may still name them.
    unsure: Vec<Item>,
    /// About how many bytes those have taken since there were none.
    unsure_bytes: usize,
    /// The totals that were read last, while it is open whether failed tests are run again.
    totals: Option<Totals>,
    /// The totals of the first run, where failed tests are run again.
    first: Option<Counts>,
    first_at: Span,
    /// The first line of the run at hand.
    began: Option<Span>,
}

/// Names of failed tests, as many as are kept.
#[derive(Default)]
struct Told {
    names: Vec<String>,
    bytes: usize,
}

impl Told {
    fn push(&mut self, name: &str) {
        if self.names.len() < MAX_TOLD && self.bytes + name.len() <= MAX_TOLD_BYTES {
            self.bytes += name.len();
            self.names.push(name.to_owned());
        }
    }
}

/// Cases that failed, each with the run that it failed in, until it is known which run is the last.
#[derive(Default)]
struct Waiting {
    cases: Vec<(u64, Case)>,
    bytes: usize,
    /// How many more there were than are kept.
    beyond: u64,
}

impl Waiting {
    fn push(&mut self, run: u64, case: Case) {
        self.bytes += size_of::<(u64, Case)>() + case.name.len() + weight_of_lines(&case.text);
        if self.bytes <= MAX_WAITING {
            return self.cases.push((run, case));
        }
        self.beyond += 1;
    }

    /// Says that some were not kept, of which nobody knows whether they passed in the end.
    fn tell_beyond(&self, at: Span, out: &mut dyn FnMut(Item)) {
        if self.beyond > 0 {
            let message = format!("{} more failures of tests that ran again count as final", self.beyond);
            out(Item::Note(Note::warning(Some(at.line), message)));
        }
    }
}

struct Totals {
    counts: Counts,
    /// How many runs they are of.
    runs: u64,
    span: Span,
}

#[derive(Default)]
struct Summary {
    /// Inside `=== Skipped` or `=== Failed`.
    summary: bool,
    /// Behind the failures, before the totals.
    errors: bool,
    case: Option<Case>,
    /// The package of the case, and the run that it failed in, 0 being the first.
    package: String,
    run: u64,
    /// How many packages failed outside of any test. They are among the failures, and none of the tests.
    packages: u64,
    /// With failed tests run again, all cases wait until it is known how many runs there were.
    waiting: Option<Waiting>,
    held: usize,
}

static HEAD: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^=== FAIL: (?P<package>\S+) ?(?P<name>\S*?)(?: \(re-run (?P<run>\d+)\))? \((?:[\d.]+m?s|unknown|cached)\)$",
    )
});

static DONE: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^DONE (?:(?P<runs>\d+) runs?, )?(?P<total>\d+) tests?(?:, (?P<skipped>\d+) skipped)?(?:, (?P<failed>\d+) failures?)?(?:, (?P<errors>\d+) errors?)? in [\d.]+m?s$",
    )
});

static PLACE: LazyLock<Regex> = LazyLock::new(|| pattern::regex(r"^\s+(?P<path>[\w./-]+\.go):(?P<line>\d+): "));

static GOROUTINE: LazyLock<Regex> = LazyLock::new(|| pattern::regex(r"^\s+(?P<path>/\S+\.go):(?P<line>\d+) \+0x"));

impl Reader for Gotestsum {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        if self.totals.is_some() {
            if line.text.is_empty() {
                return Grip::Hold;
            }
            if runs_again(line.text) {
                self.again(line, out);
            } else {
                self.total(out);
            }
        }
        if let Some(grip) = self.summary(line, out) {
            return grip;
        }
        let may_go_on = line.text.is_empty() || ["ok", "FAIL", "?"].iter().any(|word| line.text.starts_with(word));
        if !may_go_on {
            self.settle(out);
        }
        let (told, again) = (&mut self.told, self.first.is_some());
        let (unsure, unsure_bytes) = (&mut self.unsure, &mut self.unsure_bytes);
        let mut queued = !unsure.is_empty();
        let grip = self.go.line(line, &mut |item| {
            // What fails again is in the summary, with the number of its run.
            if again && matches!(item, Item::Failure(_) | Item::Tests(_)) {
                return;
            }
            if let Item::Failure(failure) = &item {
                queued |= is_bare(failure);
                failure.test.iter().filter(|_| !is_bare(failure)).for_each(|name| told.push(name));
            }
            if queued {
                let own = if let Item::Failure(failure) = &item { weight(failure) } else { 0 };
                *unsure_bytes += size_of::<Item>() + own;
                unsure.push(item);
            } else {
                out(item);
            }
        });
        if self.unsure_bytes > MAX_WAITING {
            self.settle(out);
        }
        if !matches!(grip, Grip::Pass) {
            self.began.get_or_insert(line.span);
        }
        if self.unsure.is_empty() {
            return grip;
        }
        match grip {
            Grip::Pass if !line.text.is_empty() && line.text != "FAIL" => {
                self.settle(out);
                Grip::Pass
            }
            Grip::Watch => Grip::Watch,
            _ => Grip::Hold,
        }
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.summary.close(&self.told, &mut self.unsure, out);
        self.settle(out);
        self.go.end(out);
        self.total(out);
        // The log was cut while failed tests ran again: as far as is known, they failed.
        if let Some(counts) = self.first.take() {
            let waiting = self.summary.waiting.take().unwrap_or_default();
            waiting.tell_beyond(self.first_at, out);
            waiting.cases.into_iter().filter(|(_, case)| !case.text.is_empty()).for_each(|(_, case)| case.tell(out));
            let span = self.began.take().unwrap_or(self.first_at);
            out(Item::Tests(TestRun { tool: "gotestsum", counts, span, outcome: Outcome::Failed }));
        }
    }
}

/// Whether a line that stands behind totals belongs to another run of the tests that failed.
fn runs_again(text: &str) -> bool {
    const BEGINS: &[&str] = &["=== RUN ", "=== Failed", "=== Skipped", "ok  \t", "FAIL", "✓  ", "✖  ", "∅  ", "EMPTY "];
    let text = text.trim_start();
    let group = text.strip_prefix("::group::").or_else(|| text.strip_prefix("##[group]")).unwrap_or(text);
    // In dots, the name of a package stands before its own only where another's were last.
    let dots = text.split(['[', ']']).step_by(2).all(|dots| dots.chars().all(|dot| matches!(dot, '·' | '✖' | '↷')));
    BEGINS.iter().any(|word| text.starts_with(word))
        || ["PASS ", "FAIL ", "SKIP "].iter().any(|word| group.starts_with(word))
        || dots && text.ends_with(['·', '✖', '↷', ']'])
}

/// Whether a package failed without a word about why.
fn is_bare(failure: &Failure) -> bool {
    failure.level == Level::Suite
        && !failure.follow_on
        && failure.text.len() == 1
        && failure.text.iter().all(|line| line.text.starts_with("FAIL"))
}

impl Gotestsum {
    /// No summary comes: the packages that named no test failed without one.
    fn settle(&mut self, out: &mut dyn FnMut(Item)) {
        self.unsure_bytes = 0;
        self.unsure.drain(..).for_each(out);
    }

    /// Failed tests run again: what failed until now was an attempt.
    fn again(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) {
        let Some(totals) = self.totals.take() else { return };
        if self.first.is_none() {
            (self.first, self.first_at) = (Some(totals.counts), totals.span);
            let text = line.text.to_owned();
            let span = self.began.take().map_or(totals.span, |began| began.join(totals.span));
            out(Item::Mark(Mark { scope: Scope::Attempt, outcome: Outcome::Failed, status: None, text, span }));
        }
        self.summary.waiting = Some(Waiting::default());
    }

    /// Tells the last totals.
    fn total(&mut self, out: &mut dyn FnMut(Item)) {
        let Some(Totals { mut counts, runs, span }) = self.totals.take() else { return };
        if let (Some(first), 2..) = (self.first.take(), runs) {
            // Only what failed in the last run failed in the end.
            let waiting = self.summary.waiting.take().unwrap_or_default();
            waiting.tell_beyond(span, out);
            let beyond = waiting.beyond;
            let last: Vec<Case> = waiting
                .cases
                .into_iter()
                .filter(|(run, _)| run.saturating_add(1) == runs)
                .map(|(_, case)| case)
                .collect();
            let failed = last.len() as u64 + beyond;
            last.into_iter().filter(|case| !case.text.is_empty()).for_each(|case| case.tell(out));
            let passed = first.total.saturating_sub(first.skipped + failed);
            counts = Counts { passed: Some(passed), failed, flaky: first.failed.saturating_sub(failed), ..first };
        }
        self.summary = Summary::default();
        self.began = None;
        let outcome = match () {
            () if counts.any_failed() => Outcome::Failed,
            () if counts.total > 0 => Outcome::Passed,
            () => Outcome::Unknown,
        };
        out(Item::Tests(TestRun { tool: "gotestsum", counts, span, outcome }));
    }

    /// Reads a line of the summary; `None` if it is none.
    fn summary(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Option<Grip> {
        let text = line.text;
        if let Some(found) = DONE.captures(text) {
            self.summary.close(&self.told, &mut self.unsure, out);
            self.settle(out);
            let packages = self.summary.packages;
            let waiting = self.summary.waiting.take();
            self.summary = Summary { waiting, ..Summary::default() };
            self.told = Told::default();
            // What was printed without the results of packages is in the summary as well.
            self.go = go::open();
            let number = |name: &str| found.name(name).and_then(|group| read_count(group.as_str())).unwrap_or(0u64);
            let (total, skipped, failed, errored) =
                (number("total"), number("skipped"), number("failed"), number("errors"));
            let outside = packages.min(failed);
            let (failed, errored) = (failed - outside, errored.max(outside));
            let passed = Some(total.saturating_sub(skipped + failed));
            let counts = Counts { total, passed, failed, errored, skipped, flaky: 0 };
            self.totals = Some(Totals { counts, runs: number("runs"), span: line.span });
            if counts.any_failed() {
                return Some(Grip::Hold);
            }
            self.total(out);
            return Some(Grip::Take);
        }
        self.summary.line(line, &self.told, &mut self.unsure, out)
    }
}

/// Whether a full path of a package ends with one that is told from the root of the module.
fn is_of(full: &str, package: &str) -> bool {
    package == "." || full.strip_suffix(package).is_some_and(|rest| rest.is_empty() || rest.ends_with('/'))
}

impl Summary {
    fn line(&mut self, line: Line<'_>, told: &Told, unsure: &mut Vec<Item>, out: &mut dyn FnMut(Item)) -> Option<Grip> {
        let text = line.text;
        if text == "=== Failed" || text == "=== Skipped" {
            self.summary = true;
            self.held = 0;
            return Some(Grip::Hold);
        }
        if text == "=== Errors" {
            // The words of the compiler; whoever reads those has them.
            self.close(told, unsure, out);
            self.summary = false;
            self.errors = true;
            self.held = 0;
            return Some(Grip::Watch);
        }
        if self.errors && self.held < 1000 {
            self.held += 1;
            return Some(Grip::Watch);
        }
        if !self.summary {
            return None;
        }
        self.held += 1;
        if self.held > MAX_HELD {
            self.close(told, unsure, out);
            self.summary = false;
            return Some(Grip::Pass);
        }
        if let Some(found) = HEAD.captures(text) {
            self.close(told, unsure, out);
            let (package, name) = (&found["package"], &found["name"]);
            let title = match (package, name) {
                (package, "") => package.to_owned(),
                (".", name) => name.to_owned(),
                (package, name) => format!("{package}.{name}"),
            };
            self.package = package.to_owned();
            self.run = found.name("run").and_then(|run| read_count(run.as_str())).unwrap_or(0);
            self.packages += u64::from(name.is_empty() && self.run == 0);
            let mut case = Case::new(title, line);
            case.signal = Some(Signal::Assertion);
            self.case = Some(case);
            return Some(Grip::Hold);
        }
        let Some(case) = &mut self.case else { return Some(Grip::Hold) };
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
        Some(Grip::Hold)
    }

    fn close(&mut self, told: &Told, unsure: &mut Vec<Item>, out: &mut dyn FnMut(Item)) {
        let Some(case) = self.case.take() else { return };
        let again = |full: &String| {
            full == &case.name || full.strip_suffix(case.name.as_str()).is_some_and(|rest| rest.ends_with(['/', '.']))
        };
        if let Some(waiting) = &mut self.waiting {
            waiting.push(self.run, case);
            return;
        }
        // The parent of a failed subtest says nothing of its own.
        if case.text.is_empty() {
            return;
        }
        // Of a package that names a test it is known why it failed.
        unsure.retain(|item| match item {
            Item::Failure(failure) => !failure.test.as_deref().is_some_and(|full| is_of(full, &self.package)),
            _ => true,
        });
        if !told.names.iter().any(again) {
            let mut case = case;
            if case.text.iter().any(|line| line.text.trim_end().ends_with("[build failed]")) {
                case.signal = Some(Signal::Compile);
            }
            case.tell(out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Analyzer, Source};

    #[test]
    fn packages_do_not_wait_without_end() {
        let (mut reader, mut told) = (open(), 0);
        let text = format!("FAIL\t{}\t0.1s", "x".repeat(50_000));
        for _ in 0..100 {
            reader.line(Line { text: &text, span: Span::default() }, &mut |item| {
                told += usize::from(matches!(item, Item::Failure(_)))
            });
        }
        assert!(told > 0);
        reader.end(&mut |item| told += usize::from(matches!(item, Item::Failure(_))));
        assert_eq!(told, 100);
    }

    #[test]
    fn what_fails_again_beyond_what_is_kept_failed_in_the_end() {
        let mut text = "DONE 200 tests, 200 failures in 0.1s\n\n=== Failed\n".to_owned();
        for number in 0..200 {
            text += &format!("=== FAIL: p T{number} (re-run 1) (0.00s)\n    a_test.go:1: {}\n", "x".repeat(50_000));
        }
        text += "\nDONE 3 runs, 600 tests, 0 failures in 0.1s\n";
        let report = Analyzer::new().analyze([Source::bytes("t", text.as_bytes())]);
        assert_eq!(report.outcome, Outcome::Failed);
        assert!(report.notes.iter().any(|note| note.message.ends_with("of tests that ran again count as final")));
    }
}
