//! Entries for a job board in Markdown: a task each, with its status, causes, attempts and what comes next.
//!
//! An entry stands in a list with others and is read in passing, so that each says no more than a few lines. Where no
//! message names a task, the inputs together are one.

use std::fmt::Write as _;

use super::escalation::next;
use super::markdown::{escape, prose, shortened, span};
use super::{mask, text};
use crate::decide::Decision;
use crate::kind::Action;
use crate::report::{Cause, Outcome, Report, Task};

/// How many entries there are at most, and how many causes an entry names.
const MOST: usize = 50;
const MOST_CAUSES: usize = 5;

/// Renders a report and its decision as entries of a job board.
#[must_use]
pub fn to_board(report: &Report, decision: &Decision) -> String {
    let (report, decision) = mask::safe(report, decision);
    let mut out = String::new();
    for task in report.tasks.iter().take(MOST) {
        let title =
            task.title.as_ref().map_or_else(String::new, |title| format!(": {}", prose(&shortened(title, 200))));
        let _ = writeln!(out, "### {}{title}\n", span(&shortened(&task.id, 100)));
        let own: Vec<usize> = task.causes.iter().copied().filter(|&index| index < report.causes.len()).collect();
        entry(&mut out, &report, &decision, status(task), &own, Some(task));
    }
    if report.tasks.is_empty() {
        let names: Vec<String> =
            report.sources.iter().take(3).map(|source| span(&shortened(&source.name, 100))).collect();
        let more = if report.sources.len() > 3 { " and others" } else { "" };
        let _ = writeln!(out, "### {}{more}\n", names.join(", "));
        let tests = report.tests.as_ref().map_or_else(String::new, |tests| format!(" ({})", text::counts(tests)));
        let all: Vec<usize> = (0..report.causes.len()).collect();
        entry(&mut out, &report, &decision, format!("{}{tests}", report.outcome), &all, None);
    }
    let left = report.tasks.len().saturating_sub(MOST);
    if left > 0 {
        let _ = writeln!(out, "and {left} more tasks");
    }
    mask::uncommanded(&out)
}

/// `failed (build failed; 18 tests: 12 failed)`.
fn status(task: &Task) -> String {
    let mut parts = Vec::new();
    if task.build != Outcome::Unknown {
        parts.push(format!("build {}", task.build));
    }
    parts.extend(task.tests.as_ref().map(text::counts));
    let state = match (task.status, &task.session) {
        (Outcome::Unknown, Some(_)) => "in progress".to_owned(),
        (status, _) => status.to_string(),
    };
    if parts.is_empty() { state } else { format!("{state} ({})", parts.join("; ")) }
}

fn entry(out: &mut String, report: &Report, decision: &Decision, status: String, own: &[usize], task: Option<&Task>) {
    let _ = writeln!(out, "* **Status:** {status}");
    if let Some(priority) = task.and_then(|task| task.priority) {
        let _ = writeln!(out, "* **Priority:** P{priority}");
    }
    if let Some(session) = task.and_then(|task| task.session.as_ref()) {
        let _ = writeln!(out, "* **Session:** {}", span(&shortened(session, 200)));
    }
    if !own.is_empty() {
        let _ = writeln!(out, "* **Causes:**");
        for &index in own.iter().take(MOST_CAUSES) {
            let _ = writeln!(out, "  * {}", named(&report.causes[index]));
        }
        let more = own.len().saturating_sub(MOST_CAUSES) as u64;
        if more > 0 {
            let _ = writeln!(out, "  * and {}", text::plural(more, "more cause", "more causes"));
        }
    }
    let of = decision.retry.as_ref().map_or_else(String::new, |retry| format!(" of {}", retry.of));
    let _ = writeln!(out, "* **Attempts:** {}{of}", decision.attempt.max(1));
    let done = task.is_some_and(|task| task.status == Outcome::Passed && own.is_empty());
    let mine = decision.plan.iter().filter(|piece| piece.causes.iter().any(|index| own.contains(index)));
    let mine: Vec<&str> = mine.filter_map(|piece| piece.brief.lines().next()).collect();
    if done {
        let _ = writeln!(out, "* **Next:** nothing\n");
    } else if decision.action == Action::Repair && !mine.is_empty() {
        let _ = writeln!(out, "* **Next:** repair");
        for (index, first) in mine.iter().enumerate() {
            let _ = writeln!(out, "  {}. {}", index + 1, prose(&shortened(first, 300)));
        }
        out.push('\n');
    } else {
        let _ = writeln!(out, "* **Next:** {}\n", prose(&shortened(&next(decision), 500)));
    }
}

fn named(cause: &Cause) -> String {
    let mut text = escape(cause.kind.as_str());
    if let Some(subject) = &cause.subject {
        let _ = write!(text, " {}", span(&shortened(subject, 100)));
    }
    if cause.count > 1 {
        let _ = write!(text, " ×{}", cause.count);
    }
    if let Some(first) = cause.evidence.first() {
        let _ = write!(text, ", {}", span(&text::here(first)));
    }
    text
}
