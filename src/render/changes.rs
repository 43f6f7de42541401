//! What changed between two reports, for people and for programs.

use std::fmt::Write as _;

use serde::Serialize;

use super::json::{SCHEMA, uncommanded_json};
use super::mask;
use crate::diff::{Diff, Verdict};
use crate::kind::Kind;
use crate::report::{Cause, Outcome, Report};

/// Renders what changed between two reports: the verdict, then each cause with what became of it.
#[must_use]
pub fn diff_to_text(before: &Report, after: &Report, diff: &Diff) -> String {
    let (before, after) = (mask::safe_report(before), mask::safe_report(after));
    let Diff { verdict, fixed, new, persisting, moved, failed } = diff;
    let word = match verdict {
        Verdict::Progress => "PROGRESS",
        Verdict::NoChange => "NO CHANGE",
        Verdict::Regression => "REGRESSION",
    };
    // What a run does not show that does not say how it ended is gone, and nobody knows whether it is fixed.
    let empty = !after.sources.is_empty() && after.sources.iter().all(|source| source.bytes == 0);
    let silent = after.outcome == Outcome::Unknown || empty;
    let fixed_word = if silent { "gone" } else { "fixed" };
    let mut out = word.to_owned();
    let counts: Vec<String> =
        [(fixed.len(), fixed_word), (new.len(), "new"), (moved.len(), "moved"), (persisting.len(), "persisting")]
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
    let causes = if counts.is_empty() { "no causes on either side".to_owned() } else { counts.join(", ") };
    let _ = write!(out, "   {causes}");
    if let Some((then, now)) = failed {
        let _ = write!(out, "; {then} failed before, {now} after");
    }
    if before.outcome != after.outcome {
        let _ = write!(out, "; {} became {}", before.outcome, after.outcome);
    }
    out.push('\n');
    if silent {
        out.push_str("  The run after does not say how it ended: what it does not show may still be there.\n");
    }
    let mut line = |word: &str, was: Option<&Cause>, is: Option<&Cause>| {
        let Some(cause) = is.or(was) else { return };
        let place =
            cause.evidence.first().map_or_else(String::new, |first| format!("  {}:{}", first.source, first.line));
        let subject = cause.subject.as_ref().map_or_else(String::new, |subject| format!("  {subject}"));
        let times = match (was.map(|was| was.count), is.map(|is| is.count)) {
            (Some(was), Some(is)) if was != is => format!("  ×{was} → ×{is}"),
            (Some(count), _) | (_, Some(count)) if count > 1 => format!("  ×{count}"),
            _ => String::new(),
        };
        let from = match (was, is) {
            (Some(was), Some(is)) if was.subject != is.subject => {
                was.subject.as_ref().map_or_else(String::new, |subject| format!("  (before: {subject})"))
            }
            _ => String::new(),
        };
        let _ = writeln!(out, "  {word:<10} {}{subject}{times}{from}{place}", cause.kind);
    };
    fixed.iter().for_each(|&index| line(fixed_word, before.causes.get(index), None));
    new.iter().for_each(|&index| line("new", None, after.causes.get(index)));
    moved.iter().for_each(|&(was, is)| line("moved", before.causes.get(was), after.causes.get(is)));
    persisting.iter().for_each(|&(was, is)| line("persisting", before.causes.get(was), after.causes.get(is)));
    mask::uncommanded(&out)
}

/// Renders what changed between two reports as one JSON object on one line, without a line end.
#[must_use]
pub fn diff_to_json(before: &Report, after: &Report, diff: &Diff) -> String {
    let (before, after) = (mask::safe_report(before), mask::safe_report(after));
    let Diff { verdict, fixed, new, persisting, moved, failed } = diff;
    let one = |report: &Report, indexes: &[usize]| -> Vec<Entry> {
        indexes.iter().filter_map(|&index| report.causes.get(index).map(Entry::of)).collect()
    };
    let both = |pairs: &[(usize, usize)]| -> Vec<Pair> {
        let pair = |&(was, is): &(usize, usize)| {
            let (before, after) = (before.causes.get(was)?, after.causes.get(is)?);
            Some(Pair { before: Entry::of(before), after: Entry::of(after) })
        };
        pairs.iter().filter_map(pair).collect()
    };
    let document = Changes {
        schema: SCHEMA,
        verdict: *verdict,
        outcome: Sides { before: before.outcome, after: after.outcome },
        failed: failed.map(|(before, after)| Sides { before, after }),
        fixed: one(&before, fixed),
        new: one(&after, new),
        moved: both(moved),
        persisting: both(persisting),
    };
    uncommanded_json(serde_json::to_string(&document).expect("plain data with string keys is always JSON"))
}

#[derive(Serialize)]
struct Changes {
    schema: u32,
    verdict: Verdict,
    outcome: Sides<Outcome>,
    failed: Option<Sides<u64>>,
    fixed: Vec<Entry>,
    new: Vec<Entry>,
    moved: Vec<Pair>,
    persisting: Vec<Pair>,
}

#[derive(Serialize)]
struct Sides<T> {
    before: T,
    after: T,
}

#[derive(Serialize)]
struct Pair {
    before: Entry,
    after: Entry,
}

/// A cause in short; the report itself has the rest.
#[derive(Serialize)]
struct Entry {
    kind: Kind,
    subject: Option<String>,
    count: u64,
    fingerprint: String,
    message: String,
    source: Option<String>,
    line: Option<u64>,
}

impl Entry {
    fn of(cause: &Cause) -> Self {
        let first = cause.evidence.first();
        Entry {
            kind: cause.kind,
            subject: cause.subject.clone(),
            count: cause.count,
            fingerprint: cause.fingerprint.clone(),
            message: cause.message.clone(),
            source: first.map(|evidence| evidence.source.clone()),
            line: first.map(|evidence| evidence.line),
        }
    }
}
