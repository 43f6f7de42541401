//! What changed between two reports on the same work.

use serde::{Deserialize, Serialize};

use crate::kind::names;
use crate::report::{Cause, Outcome, Report};

names! {
    /// Whether the work came nearer to green.
    Verdict, "verdict":
    /// Something is fixed, or less fails.
    Progress = "progress",
    /// The same failures as before, or a run after that does not say how it ended.
    NoChange = "no_change",
    /// Something new fails, and nothing is fixed; or more tests fail than before.
    Regression = "regression",
}

impl Verdict {
    /// The exit status of `whyred diff --exit-status`: 0 for progress, 1 for no change, 4 for a regression.
    #[must_use]
    pub const fn exit_status(self) -> u8 {
        match self {
            Verdict::Progress => 0,
            Verdict::NoChange => 1,
            Verdict::Regression => 4,
        }
    }
}

/// What changed between two reports.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Diff {
    /// Whether the work came nearer to green.
    pub verdict: Verdict,
    /// Causes of the report before that are gone, as indexes into it.
    pub fixed: Vec<usize>,
    /// Causes of the report after that were not there, as indexes into it.
    pub new: Vec<usize>,
    /// Causes that are in both: the index before and the index after.
    pub persisting: Vec<(usize, usize)>,
    /// Causes of one kind that show in another place or about another subject: a repair that only moved the trouble, or
    /// a second trouble behind the first. The index before and the index after.
    pub moved: Vec<(usize, usize)>,
    /// Failed tests and suites before and after, where both count them.
    pub failed: Option<(u64, u64)>,
}

/// Compares two reports on the same work, such as those before and after a repair.
#[must_use]
pub fn diff(before: &Report, after: &Report) -> Diff {
    let mut open: Vec<usize> = (0..after.causes.len()).collect();
    let mut gone: Vec<usize> = Vec::new();
    let (mut persisting, mut moved) = (Vec::new(), Vec::new());
    let mut take = |wanted: &dyn Fn(&Cause) -> bool| {
        let at = open.iter().position(|&index| wanted(&after.causes[index]))?;
        Some(open.remove(at))
    };
    for (index, cause) in before.causes.iter().enumerate() {
        match take(&|other| other.fingerprint == cause.fingerprint) {
            Some(same) => persisting.push((index, same)),
            None => gone.push(index),
        }
    }
    // What shares a kind and a test or a file is the same trouble elsewhere.
    gone.retain(|&index| {
        let cause = &before.causes[index];
        let found = take(&|other| other.kind == cause.kind && related(cause, other));
        moved.extend(found.map(|other| (index, other)));
        found.is_none()
    });
    let counted = |report: &Report| report.tests.map(|tests| tests.failed + tests.errored);
    let failed = counted(before).zip(counted(after));
    // Where no tests are counted, the failures of what persists tell.
    let sum = |of: &dyn Fn(&(usize, usize)) -> u64| persisting.iter().chain(&moved).map(of).sum::<u64>();
    let counts = (sum(&|pair| before.causes[pair.0].count), sum(&|pair| after.causes[pair.1].count));
    let (was, is) = failed.unwrap_or(counts);
    let (fewer, more) = (is < was, is > was);
    // A run that does not say how it ended proves nothing by what it does not show.
    let empty = !after.sources.is_empty() && after.sources.iter().all(|source| source.bytes == 0);
    let silent = match after.outcome {
        Outcome::Unknown => open.is_empty(),
        Outcome::Passed => after.is_doubtful(),
        Outcome::Failed => false,
    };
    let verdict = if silent || empty {
        Verdict::NoChange
    } else if after.outcome == Outcome::Passed && before.outcome != Outcome::Passed {
        Verdict::Progress
    } else if more && !open.is_empty() {
        Verdict::Regression
    } else if !gone.is_empty() || fewer {
        Verdict::Progress
    } else if !open.is_empty() || more || after.outcome == Outcome::Failed && before.outcome == Outcome::Passed {
        Verdict::Regression
    } else {
        Verdict::NoChange
    };
    Diff { verdict, fixed: gone, new: open, persisting, moved, failed }
}

fn related(a: &Cause, b: &Cause) -> bool {
    let tests = a.tests.iter().any(|test| b.tests.contains(test));
    let files = |cause: &Cause| -> Vec<String> {
        cause.evidence.iter().filter_map(|evidence| evidence.file.as_ref()).map(|file| file.path.clone()).collect()
    };
    let near = files(a).iter().any(|file| files(b).contains(file));
    let name = |cause: &Cause| {
        cause.subject.as_ref().and_then(|subject| subject.rsplit(['/', '\\']).next().map(str::to_owned))
    };
    tests || near || name(a).is_some() && name(a) == name(b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Analyzer, Source};

    fn report(log: &str) -> Report {
        Analyzer::new().analyze([Source::bytes("log", log.as_bytes().to_vec())])
    }

    #[test]
    fn a_run_that_tells_nothing_is_no_progress() {
        let before = report("Error: Cannot find module 'a'\n");
        assert_eq!(diff(&before, &report("")).verdict, Verdict::NoChange);
        assert_eq!(diff(&before, &report("> app@1.0.0 build\n")).verdict, Verdict::NoChange);
    }

    #[test]
    fn more_of_the_same_is_a_regression() {
        let error = |file: &str| format!("src/{file}.ts(3,7): error TS2322: Type 'a' is not assignable to type 'b'.\n");
        let (one, two) = (report(&error("a")), report(&(error("a") + &error("b"))));
        assert_eq!(diff(&one, &two).verdict, Verdict::Regression);
        assert_eq!(diff(&two, &one).verdict, Verdict::Progress);
    }

    #[test]
    fn what_is_fixed_new_and_still_there() {
        let before = report("Error: Cannot find module 'a'\nError: Cannot find module 'b'\n");
        let after = report("Error: Cannot find module 'b'\nError: Cannot find module 'c'\n");
        let found = diff(&before, &after);
        assert_eq!(found.persisting.len(), 1);
        assert_eq!((found.fixed.len(), found.new.len()), (1, 1));
        assert_eq!(found.verdict, Verdict::Progress);
        assert_eq!(diff(&before, &before).verdict, Verdict::NoChange);
        assert_eq!(
            diff(
                &after,
                &report(
                    "Error: Cannot find module 'b'\nError: Cannot find module 'c'\nError: Cannot find module 'd'\n"
                )
            )
            .verdict,
            Verdict::Regression
        );
    }
}
