//! The test runs of one input, and two views of the same: the console and a report that was printed among its lines, or
//! reports in several formats. They count once, and of their failures the view that tells more is kept.

use std::collections::HashSet;

use super::Findings;
use super::standing::is_of_tests;
use crate::cause::Group;
use crate::item::{Step, TestRun};
use crate::kind::Phase;
use crate::report::{Counts, Outcome, Span};

/// How many runs of a view are held against others.
const MAX_RUNS: usize = 100;

/// How many beginnings of commands are kept.
const MAX_PARTED: usize = 10_000;

/// How many lines may stand between two views of one run: the times behind the totals of the first.
const BESIDE: u64 = 12;

/// The test runs of the input, added up.
#[derive(Debug, Default)]
pub(super) struct Runs {
    pub(super) sum: Option<Counts>,
    /// What go's runner told since gotestsum told its totals, which hold the same cases again.
    pub(super) of_go: Option<Counts>,
    pub(super) passed: bool,
    /// A report was read that does not say how its run ended: it is empty, or was cut.
    pub(super) open: bool,
    /// The runs that the console told, and those that reports among its lines told: they may be the same.
    pub(super) views: Views,
}

impl Findings {
    pub(super) fn run(&mut self, run: TestRun) {
        self.stretch().end = run.outcome;
        match run.outcome {
            Outcome::Failed => {
                self.use_stretch(run.span.line);
                self.command().failed_run = true;
            }
            Outcome::Passed => {
                if run.counts.total > 0 {
                    self.prove(Phase::Test);
                }
                self.passed_at = self.passed_at.max(run.span.last_line);
                self.runs.passed = true;
            }
            Outcome::Unknown => self.runs.open = true,
        }
        if run.tool != "go test" && run.counts.total + run.counts.errored > 0 {
            self.runs.views.add(self.reader.or(self.teller), run.counts, run.span);
        }
        let sum = if run.tool == "go test" { &mut self.runs.of_go } else { &mut self.runs.sum };
        match sum {
            Some(sum) => sum.add(&run.counts),
            None => *sum = Some(run.counts),
        }
        if run.tool == "gotestsum" {
            self.runs.of_go = None;
        }
        self.next_stretch();
    }
}

/// The format of the report that tells something; the console has none.
type Teller = Option<&'static str>;

/// The runs that the console told, or the reports of one format.
#[derive(Debug)]
struct View {
    teller: Teller,
    runs: Vec<Counts>,
    /// The first and the last line of each.
    lines: Vec<(u64, u64)>,
    /// There are more of them than are kept.
    cut: bool,
}

/// All views of the runs of one input.
#[derive(Debug, Default)]
pub(super) struct Views {
    all: Vec<View>,
    /// The lines at which commands begin.
    parted: Vec<u64>,
}

impl View {
    fn sum(&self) -> Counts {
        let mut sum = self.runs[0];
        self.runs[1..].iter().for_each(|counts| sum.add(counts));
        sum
    }

    /// How much failed as its groups tell it, and the names of what did.
    fn told<'a>(&self, groups: &'a [Group]) -> (u64, Vec<&'a str>) {
        let own = groups.iter().filter(|group| is_of_tests(group) && group.teller == self.teller && !group.follow_on);
        let names = own.clone().flat_map(|group| group.tests.iter().map(String::as_str)).collect();
        (own.map(|group| group.count).sum(), names)
    }

    /// Whether each run of this one is one of the other.
    fn is_within(&self, other: &View) -> bool {
        let mut others = other.runs.clone();
        self.runs.iter().all(|run| {
            let twin = others.iter().position(|other| same(run, other));
            twin.map(|index| others.swap_remove(index)).is_some()
        })
    }

    /// Whether each run of this one has the figures of one of the other that was printed together with it, or at once
    /// before or behind it. Where nothing failed, no names tell that they are the same.
    fn is_beside(&self, other: &View, parted: &[u64]) -> bool {
        let equal = |index: usize| self.runs[index].total > 0 && same(&self.runs[index], &other.runs[index]);
        self.is_near(other, parted, BESIDE) && (0..self.runs.len()).all(equal)
    }

    /// Whether each run of this one was printed together with one of the other, or at most so many lines before or
    /// behind it, and no command between them.
    fn is_near(&self, other: &View, parted: &[u64], reach: u64) -> bool {
        self.runs.len() == other.runs.len()
            && parted.len() < MAX_PARTED
            && self.lines.iter().zip(&other.lines).all(|(&(first, last), &(begin, end))| {
                let (from, to) = (last.min(end), first.max(begin));
                let command = parted.iter().any(|line| from < *line && *line <= to);
                to.saturating_sub(from) <= reach && !command
            })
    }

    /// Whether each run of this one stands line by line within one of the other.
    fn is_among(&self, other: &View) -> bool {
        let among = |((first, last), (begin, end)): (&(u64, u64), &(u64, u64))| first < end && begin < last;
        self.runs.len() == other.runs.len() && self.lines.iter().zip(&other.lines).all(among)
    }

    /// Whether this one counts no more than the other.
    fn is_part_of(&self, other: &View) -> bool {
        let (own, others) = (self.sum(), other.sum());
        own.total <= others.total && own.failed + own.errored <= others.failed + others.errored
    }

    /// Which of two views of the same runs tells less; `None` where they tell of different ones.
    fn twin(&self, other: &View, groups: &[Group], parted: &[u64]) -> Option<Drop> {
        let equal = same(&self.sum(), &other.sum());
        let (within, around) = (self.is_within(other), other.is_within(self));
        let ((own, own_names), (others, other_names)) = (self.told(groups), other.told(groups));
        let less = if others <= own { Drop::Other } else { Drop::This };
        // A report says of itself that it is one; TAP may as well be all that another runner prints.
        let is_tap = |view: &View| view.teller == Some("tap");
        if is_tap(self) || is_tap(other) || !(equal || within || around) {
            let named = close(&self.sum(), &other.sum()) && agree(&own_names, &other_names);
            let nameless = own_names.is_empty() && other_names.is_empty() && self.is_beside(other, parted);
            let told = || {
                let (known, unknown) = agreeing(&own_names, &other_names);
                let apart = self.sum().total.abs_diff(other.sum().total);
                // Two reporters may name a failed hook by different tests. One of two that write line by line is cut
                // before the other, and knows only some of what failed.
                let hooks = unknown < known && apart <= unknown && self.is_near(other, parted, u64::MAX);
                // So does a report that is cut, whatever stands before it.
                let part = self.is_part_of(other) || other.is_part_of(self);
                let cut = part && self.is_near(other, parted, u64::MAX);
                hooks || known > 0 && unknown == 0 && (cut || self.is_among(other))
            };
            return (named || nameless || told()).then_some(less);
        }
        // Figures of small runs are the same by chance.
        if strangers(&own_names, &other_names) && !self.is_among(other) {
            return None;
        }
        match (equal || around, within) {
            (true, false) if !equal => Some(Drop::Other),
            (false, true) => Some(Drop::This),
            _ => Some(less),
        }
    }
}

/// Which of two views is dropped.
#[derive(Clone, Copy, PartialEq)]
enum Drop {
    This,
    Other,
}

impl Views {
    /// Notes a run.
    pub(super) fn add(&mut self, teller: Teller, counts: Counts, span: Span) {
        let lines = (span.line, span.last_line.max(span.line));
        let known = self.all.iter_mut().find(|view| view.teller == teller);
        match known {
            Some(view) if view.runs.len() < MAX_RUNS => {
                view.runs.push(counts);
                view.lines.push(lines);
            }
            Some(view) => view.cut = true,
            None => self.all.push(View { teller, runs: vec![counts], lines: vec![lines], cut: false }),
        }
    }

    /// Notes that a command begins. That of TAP is no more than its first line.
    pub(super) fn part(&mut self, step: &Step) {
        if step.name != "tap" && self.parted.len() < MAX_PARTED {
            self.parted.push(step.span.line);
        }
    }

    /// Drops the views that tell less of the same runs than others, of the counts and of the failures.
    /// Returns who told each of them, and who tells the same and stays.
    pub(super) fn drop_twins(mut self, sum: &mut Option<Counts>, groups: &mut Vec<Group>) -> Vec<(Teller, Teller)> {
        let mut twins = Vec::new();
        let parted = std::mem::take(&mut self.parted);
        let mut views = std::mem::take(&mut self.all);
        if views.len() < 2 || views.iter().any(|view| view.cut) {
            return twins;
        }
        // The console comes first and then TAP, so that they stay where none tells more.
        views.sort_by_key(|view| (view.teller.is_some(), view.teller != Some("tap")));
        let mut totals: Vec<Counts> = views.iter().map(View::sum).collect();
        let (mut first, mut second) = (0, 1);
        while first < views.len() {
            if second >= views.len() {
                (first, second) = (first + 1, first + 2);
                continue;
            }
            let Some(drop) = views[first].twin(&views[second], groups, &parted) else {
                second += 1;
                continue;
            };
            let equal = same(&totals[first], &totals[second]);
            if drop == Drop::This {
                views.swap(first, second);
                totals.swap(first, second);
            }
            let (dropped, counts) = (views.remove(second), totals.remove(second));
            if dropped.lines.len() == views[first].lines.len() {
                for (lines, more) in views[first].lines.iter_mut().zip(&dropped.lines) {
                    *lines = (lines.0.min(more.0), lines.1.max(more.1));
                }
            }
            if equal && totals[first].errored == 0 {
                (totals[first].failed, totals[first].errored) = (counts.failed, counts.errored);
            }
            totals[first].flaky = totals[first].flaky.max(counts.flaky);
            totals[first].passed = totals[first].passed.or(counts.passed.filter(|_| equal));
            groups.retain(|group| !is_of_tests(group) || group.teller != dropped.teller);
            twins.push((dropped.teller, views[first].teller));
            second = first + 1;
        }
        if !twins.is_empty() {
            // Among the lines of two reports, the totals of the console may be lost, and what it told is told again.
            if twins.iter().all(|(dropped, kept)| dropped.is_some() && kept.is_some()) {
                let names: HashSet<String> = views.iter().flat_map(|view| view.told(groups).1).map(last_word).collect();
                let again = |group: &Group| group.tests.iter().all(|test| names.contains(&last_word(test)));
                let of_console = |group: &Group| group.teller.is_none() && is_of_tests(group);
                groups.retain(|group| !of_console(group) || group.tests.is_empty() || !again(group));
            }
            *sum = totals.into_iter().reduce(|mut sum, counts| {
                sum.add(&counts);
                sum
            });
        }
        twins
    }
}

/// Whether two figures are the same. The console of pytest counts a case twice that passed and could not be torn down,
/// and not every report knows errors from failures.
fn same(one: &Counts, other: &Counts) -> bool {
    let figures = |counts: &Counts| [counts.failed, counts.errored, counts.skipped];
    let either = |counts: &Counts| [counts.failed + counts.errored, counts.skipped];
    let alike = figures(one) == figures(other) || other.errored == 0 && either(one) == either(other);
    alike && one.total.abs_diff(other.total) <= one.errored
}

/// Whether two figures differ by no more than how what failed outside of any case is counted, which may be apart, as a
/// case or not at all, and what is still to be written, which may be skipped or passed. The names must agree as well.
fn close(one: &Counts, other: &Counts) -> bool {
    let failing = |counts: &Counts| counts.failed + counts.errored;
    let others = |counts: &Counts| counts.passed.map(|passed| passed + counts.skipped);
    let ran = |counts: &Counts| counts.total.saturating_sub(counts.skipped);
    // What was expected to fail is one of the failures to some.
    ran(one) == ran(other)
        || others(one).zip(others(other)).is_none_or(|(one, other)| one == other)
            && failing(one).abs_diff(failing(other)) <= one.errored.max(other.errored)
}

/// Whether what failed has the same names, as far as both tell any: each reporter puts others in front of them.
fn agree(one: &[&str], other: &[&str]) -> bool {
    matches!(agreeing(one, other), (1.., 0))
}

/// How many of what failed, of the view that names fewer, have a name that the other tells too, and how many have not.
fn agreeing(one: &[&str], other: &[&str]) -> (u64, u64) {
    let (fewer, more) = if one.len() <= other.len() { (one, other) } else { (other, one) };
    let names: HashSet<String> = more.iter().map(|name| last_word(name)).collect();
    let known = fewer.iter().filter(|name| names.contains(&last_word(name))).count() as u64;
    (known, fewer.len() as u64 - known)
}

/// Whether what failed has names of which none shares a word with any of the other's, so that these are other tests.
fn strangers(one: &[&str], other: &[&str]) -> bool {
    let words = |names: &[&str]| -> HashSet<String> {
        let words = names.iter().flat_map(|name| name.split(|c: char| !c.is_alphanumeric()));
        words.filter(|word| word.chars().count() > 1).map(str::to_lowercase).collect()
    };
    let (one, other) = (words(one), words(other));
    !one.is_empty() && !other.is_empty() && one.is_disjoint(&other)
}

fn last_word(name: &str) -> String {
    let mut words = name.rsplit(|c: char| !c.is_alphanumeric() && c != '_');
    words.find(|word| !word.is_empty()).unwrap_or_default().to_lowercase()
}

#[cfg(test)]
mod tests {
    use crate::{Analyzer, Source};

    const JUNIT: &str = "<testsuite name=\"depot\" tests=\"3\" failures=\"1\"><testcase name=\"ships\"/><testcase name=\"packs\"/><testcase name=\"weighs\"><failure message=\"expected 3 to be 4\" type=\"AssertionError\"/></testcase></testsuite>\n";

    fn total(log: &str) -> Option<(u64, u64)> {
        let report = Analyzer::new().analyze([Source::bytes("log", log.as_bytes())]);
        report.tests.map(|counts| (counts.total, counts.failed))
    }

    #[test]
    fn equal_figures_of_other_tests_are_another_run() {
        let console = |name: &str| {
            format!(
                "  2 passing (9ms)\n  1 failing\n\n  1) {name}:\n     AssertionError: expected 3 to equal 4\n      at f (a.js:1:1)\n\n"
            )
        };
        assert_eq!(total(&(console("cart sums") + JUNIT)), Some((6, 2)));
        assert_eq!(total(&(console("depot weighs") + JUNIT)), Some((3, 1)));
    }

    #[test]
    fn a_report_that_is_cut_behind_its_console_counts_once() {
        let console = "  1 passing (9ms)\n  2 failing\n\n  1) depot weighs:\n     AssertionError: expected 3 to equal 4\n      at f (a.js:1:1)\n\n  2) depot ships:\n     AssertionError: expected 5 to equal 6\n      at f (a.js:2:1)\n\n";
        let failing = |name: &str| {
            format!(
                "<testcase name=\"{name}\"><failure message=\"expected 3 to equal 4\" type=\"AssertionError\"/></testcase>"
            )
        };
        let whole = format!(
            "<testsuite name=\"depot\" tests=\"3\" failures=\"2\">{}{}<testcase name=\"packs\"/></testsuite>\n",
            failing("weighs"),
            failing("ships"),
        );
        assert_eq!(total(&format!("{console}{whole}")), Some((3, 2)));
        let end = whole.find("<testcase name=\"ships").unwrap_or_default();
        assert_eq!(total(&format!("{console}{}", &whole[..end])), Some((3, 2)));
    }

    #[test]
    fn a_stream_is_known_by_its_first_event() {
        let libtest = "{\"type\":\"suite\",\"event\":\"started\",\"test_count\":1}\n{\"type\":\"test\",\"event\":\"started\",\"name\":\"opens\"}\n{\"type\":\"test\",\"name\":\"opens\",\"event\":\"ok\"}\n{\"type\":\"suite\",\"event\":\"ok\",\"passed\":1,\"failed\":0}\n";
        let jest = "{\"numFailedTestSuites\":1,\"numTotalTests\":1,\"success\":false,\"testResults\":[{\"assertionResults\":[{\"fullName\":\"adds\",\"status\":\"failed\",\"failureMessages\":[\"Error: no\"]}],\"message\":\"\",\"name\":\"/w/a.test.js\",\"status\":\"failed\"}]}\n";
        assert_eq!(total(&format!("{libtest}{jest}")), Some((2, 1)));
    }
}
