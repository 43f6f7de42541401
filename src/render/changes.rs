//! What changed between two reports, for people.

use std::fmt::Write as _;

use super::mask;
use crate::diff::Diff;
use crate::report::{Cause, Report};

/// Renders what changed between two reports: the verdict, then each cause with what became of it.
#[must_use]
pub fn diff_to_text(before: &Report, after: &Report, diff: &Diff) -> String {
    let (before, after) = (mask::safe_report(before), mask::safe_report(after));
    let Diff { verdict, fixed, new, persisting, moved, failed } = diff;
    let mut out = verdict.to_string();
    if let Some((then, now)) = failed {
        let _ = write!(out, ": {then} failed before, {now} after");
    }
    out.push('\n');
    let mut line = |word: &str, cause: Option<&Cause>| {
        if let Some(cause) = cause {
            let place =
                cause.evidence.first().map_or_else(String::new, |first| format!("  {}:{}", first.source, first.line));
            let subject = cause.subject.as_ref().map_or_else(String::new, |subject| format!("  {subject}"));
            let _ = writeln!(out, "  {word:<6} {}{subject}{place}", cause.kind);
        }
    };
    fixed.iter().for_each(|&index| line("fixed", before.causes.get(index)));
    new.iter().for_each(|&index| line("new", after.causes.get(index)));
    moved.iter().for_each(|&(_, index)| line("moved", after.causes.get(index)));
    persisting.iter().for_each(|&(_, index)| line("same", after.causes.get(index)));
    mask::uncommanded(&out)
}
