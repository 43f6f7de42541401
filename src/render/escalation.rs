//! A report in Markdown for the person who is asked: what is stuck, what it takes, what proves it, and what goes on then.
//!
//! Whoever reads it has not seen the run, so the request comes first and all that supports it below. What a log or a
//! message said stands in code or is escaped, as in the summary for CI systems.

use std::fmt::Write as _;

use super::markdown::{escape, fenced, prose, shortened, span};
use super::{mask, text};
use crate::decide::Decision;
use crate::kind::Action;
use crate::report::{Cause, Outcome, Report, Task};

/// How many causes, tasks and pieces of work are told; more is no longer read.
const MOST: usize = 20;

/// The longest brief, in characters.
const LONGEST_BRIEF: usize = 3000;

/// Renders a report and its decision as an escalation: a request to somebody with authority, with its grounds.
///
/// Where the decision is not to escalate, the same sections tell the state of the work and what is done next.
#[must_use]
pub fn to_escalation(report: &Report, decision: &Decision) -> String {
    let (report, decision) = mask::safe(report, decision);
    let mut out = String::new();
    let title = match decision.action {
        Action::Escalate => "Escalation",
        Action::Repair => "Repair needed",
        Action::Verify => "To be verified",
        Action::Retry => "To be retried",
        Action::Accept => "Accepted",
    };
    let decisive = report.causes.first().map_or_else(String::new, |cause| format!(": {}", title_of(cause)));
    let _ = writeln!(out, "# {title}{decisive}\n");
    if let Some(escalation) = &decision.escalation {
        let _ = writeln!(out, "**Asked:** {}  ", prose(&escalation.to));
        let _ = writeln!(out, "**Needed:** {}  ", prose(&shortened(&escalation.need, 500)));
    }
    let counts = report.tests.as_ref().map_or_else(String::new, |tests| format!("; {}", text::counts(tests)));
    let _ = writeln!(out, "**State:** {}{counts}  ", report.outcome);
    let _ = writeln!(out, "**Attempt:** {}\n", decision.attempt.max(1));

    let _ = writeln!(out, "## Situation\n");
    for reason in &decision.reasons {
        let _ = writeln!(out, "* {}", prose(&shortened(reason, 700)));
    }
    tasks(&mut out, &report);
    causes(&mut out, &report);
    if !decision.checks.is_empty() {
        let _ = writeln!(out, "\n## Look first\n");
        for check in &decision.checks {
            let _ = writeln!(out, "* [ ] {}", prose(&shortened(check, 700)));
        }
    }
    plan(&mut out, &decision);
    let _ = writeln!(out, "\n## Next action\n\n{}", prose(&next(&decision)));
    mask::uncommanded(&out)
}

/// What is done next, in one line.
pub(super) fn next(decision: &Decision) -> String {
    let instruction = text::instruction(decision);
    match (&decision.escalation, decision.action) {
        (Some(escalation), _) => {
            let then = if decision.plan.is_empty() { "" } else { "; the repairs are planned and can begin then" };
            format!("{instruction}: {}{then}.", escalation.need)
        }
        (None, Action::Retry) => format!("{instruction}."),
        (None, Action::Verify) => match decision.checks.first() {
            Some(check) => format!("{instruction}: {check}"),
            None => format!("{instruction}."),
        },
        (None, Action::Repair) => match decision.plan.first().and_then(|piece| piece.brief.lines().next()) {
            Some(first) => first.to_owned(),
            None => format!("{instruction}."),
        },
        (None, Action::Accept | Action::Escalate) => format!("{instruction}."),
    }
}

fn title_of(cause: &Cause) -> String {
    match &cause.subject {
        Some(subject) => format!("{} {}", escape(cause.kind.as_str()), span(&shortened(subject, 100))),
        None => escape(cause.kind.as_str()),
    }
}

fn tasks(out: &mut String, report: &Report) {
    let open: Vec<&Task> =
        report.tasks.iter().filter(|task| task.status != Outcome::Passed || !task.causes.is_empty()).collect();
    if open.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n## Tasks\n");
    for task in open.iter().take(MOST) {
        let title =
            task.title.as_ref().map_or_else(String::new, |title| format!(": {}", prose(&shortened(title, 200))));
        let _ = writeln!(out, "### {}{title}\n", span(&shortened(&task.id, 100)));
        let _ = writeln!(out, "* **Status:** {}", task.status);
        if let Some(priority) = task.priority {
            let _ = writeln!(out, "* **Priority:** P{priority}");
        }
        if task.build != Outcome::Unknown {
            let _ = writeln!(out, "* **Build:** {}", task.build);
        }
        if let Some(tests) = &task.tests {
            let _ = writeln!(out, "* **Tests:** {}", text::counts(tests));
        }
        if let Some(session) = &task.session {
            let _ = writeln!(out, "* **Session:** {}", span(&shortened(session, 200)));
        }
        for cause in task.causes.iter().filter_map(|&index| report.causes.get(index)).take(MOST) {
            let times = if cause.count > 1 { format!(" ×{}", cause.count) } else { String::new() };
            let _ = writeln!(out, "* {}{times}", title_of(cause));
        }
        out.push('\n');
    }
    more(out, open.len().saturating_sub(MOST), "task");
}

fn causes(out: &mut String, report: &Report) {
    if report.causes.is_empty() {
        return;
    }
    let _ = writeln!(out, "\n## Causes, with their proof\n");
    for (index, cause) in report.causes.iter().enumerate().take(MOST) {
        let times = if cause.count > 1 { format!(" ×{}", cause.count) } else { String::new() };
        let claimed = if report.is_claimed(cause) { ", claimed without output" } else { "" };
        let _ = writeln!(out, "**{}.** {}{times} ({}{claimed})\n", index + 1, title_of(cause), cause.nature);
        let mut lines = String::new();
        for (words, places) in text::quotes(&cause.message, &cause.evidence, true).iter().take(2) {
            let there =
                text::there(places[0]).map_or_else(String::new, |there| format!("  {}", shortened(&there, 200)));
            let _ = write!(lines, "{}{there}\n  {}\n", text::here(places[0]), shortened(words, 300));
        }
        out.push_str(&fenced(&lines));
    }
    more(out, report.causes.len().saturating_sub(MOST) + report.causes_omitted as usize, "cause");
}

fn plan(out: &mut String, decision: &Decision) {
    if decision.plan.is_empty() {
        return;
    }
    let then = if decision.escalation.is_some() { ", once that is granted" } else { "" };
    let _ = writeln!(out, "\n## Work to be done{then}\n");
    for (index, piece) in decision.plan.iter().enumerate().take(MOST) {
        let unnamed = piece.task.as_ref().filter(|task| !piece.brief.contains(task.as_str()));
        let task = unnamed.map_or_else(String::new, |task| format!("{}: ", span(task)));
        let mut lines = piece.brief.lines();
        let _ = writeln!(out, "{}. {task}{}\n", index + 1, prose(&shortened(lines.next().unwrap_or(""), 500)));
        let rest = lines.collect::<Vec<_>>().join("\n");
        if !rest.is_empty() {
            out.push_str(&fenced(&shortened(&rest, LONGEST_BRIEF)));
        }
    }
    more(out, decision.plan.len().saturating_sub(MOST), "piece of work");
}

fn more(out: &mut String, left: usize, noun: &str) {
    if left > 0 {
        let _ = writeln!(out, "and {left} more ({noun})\n");
    }
}
