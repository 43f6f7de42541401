//! The JSON of Cucumber, as its versions for JavaScript, Ruby and the JVM write it, and behave.
//!
//! A scenario ended as its worst step or hook did. Whether an undefined or pending step fails the run depends on an
//! option that the report does not tell of, so a run with nothing worse is neither passed nor failed.

use super::document::{Doc, Tally, large_parts};
use super::json::{Node, Stop};
use super::{Sure, thrown};
use crate::item::Item;
use crate::kind::Phase;
use crate::report::{Failure, FileRef, Level, PassedCase, Signal};

pub(crate) fn sniff(head: &[u8]) -> Option<Sure> {
    let near = &head[..head.len().min(16 * 1024)];
    let has = |key: &[u8]| super::near::holds(near, key);
    let own = has(b"\"keyword\"") && has(b"\"elements\"") && (has(b"\"steps\"") || has(b"\"uri\""));
    // A stamp of a CI system begins with a bracket too.
    let array = head.strip_prefix(b"[").is_some_and(|rest| rest.trim_ascii_start().starts_with(b"{"));
    (array && own).then_some(Sure::Certain)
}

pub(crate) fn read(doc: &Doc<'_>, out: &mut dyn FnMut(Item)) -> usize {
    let mut cursor = doc.cursor();
    let mut tally = Tally::default();
    let mut damaged = None;
    let result = large_parts(&mut cursor, &mut damaged, |feature, damaged| {
        if feature.whole {
            read_feature(doc, feature, &mut tally, damaged, out);
        }
    });
    let stop = result.err().or(damaged);
    tally.lost |= stop.is_some();
    tally.emit("cucumber", doc.head(), out);
    doc.finish(&cursor, result, stop, out)
}

/// How a step or a scenario ended, the worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Ended {
    Passed,
    Skipped,
    /// Undefined or pending: nobody has written it yet.
    Unwritten,
    Failed,
}

fn ended(status: &str) -> Ended {
    match status {
        "passed" => Ended::Passed,
        "undefined" | "pending" | "untested" => Ended::Unwritten,
        "failed" | "error" | "ambiguous" | "hook_error" | "cleanup_error" => Ended::Failed,
        _ => Ended::Skipped,
    }
}

fn read_feature<'a>(
    doc: &Doc<'a>,
    feature: &Node<'a>,
    tally: &mut Tally,
    damaged: &mut Option<Stop>,
    out: &mut dyn FnMut(Item),
) {
    let title = feature.string_at("name").unwrap_or_default();
    let path = feature.string_at("uri").or_else(|| {
        let location = feature.string_at("location")?;
        Some(location.rsplit_once(':').map_or(location.clone(), |(path, _)| path.to_owned()))
    });
    // A background is told before each scenario that it belongs to.
    let mut background: Option<(Ended, Option<Failure>)> = None;
    doc.each(feature, "elements", damaged, |element, _| {
        let (mut worst, mut failure) = worst_step(doc, element);
        if element.string_at("type").as_deref() == Some("background") {
            background = Some((worst, failure));
            return;
        }
        if let Some((before, told)) = background.take() {
            worst = worst.max(before);
            failure = told.or(failure);
        }
        // Behave tells how each scenario ended by its own rules, by which a step that nobody wrote fails the run.
        let own = element.string_at("status");
        let errored = own.as_deref() == Some("error");
        if let Some(own) = own.as_deref().map(ended) {
            worst = own;
        }
        let name = || {
            let name = element.string_at("name").unwrap_or_default();
            if title.is_empty() { name } else { format!("{title} > {}", name.trim_end()) }
        };
        match worst {
            Ended::Passed => {
                tally.passed();
                doc.passed(out, || PassedCase { file: path.clone(), ..PassedCase::new(name()) });
            }
            Ended::Skipped => tally.skipped(),
            Ended::Unwritten => {
                tally.skipped();
                tally.lost = true;
            }
            Ended::Failed if errored => tally.errored(),
            Ended::Failed => tally.failed(),
        }
        if worst != Ended::Failed {
            return;
        }
        let mut failure = failure.unwrap_or_else(|| unwritten(doc, element));
        failure.test = Some(name());
        if failure.file.is_none() {
            failure.file = path.clone().map(|path| FileRef::new(path, element.count_at("line"), None));
        }
        out(Item::Failure(failure));
    });
}

/// The worst end among steps and hooks, and the first failure among them.
fn worst_step(doc: &Doc<'_>, element: &Node<'_>) -> (Ended, Option<Failure>) {
    let mut worst = Ended::Passed;
    let mut failure = None;
    let hooks = |step: &'_ Node<'_>| ["before", "after"].map(|key| step.list(key).len()).iter().sum::<usize>() > 0;
    let mut look = |step: &Node<'_>, hook: bool| {
        let Some(result) = step.get("result") else { return };
        let end = ended(result.string_at("status").unwrap_or_default().as_str());
        worst = worst.max(end);
        if end == Ended::Failed && failure.is_none() {
            failure = Some(of_step(doc, step, result, hook));
        }
    };
    for hook in element.list("before") {
        look(hook, true);
    }
    for step in element.list("steps") {
        if hooks(step) {
            step.list("before").iter().for_each(|hook| look(hook, true));
        }
        look(step, step.is("hidden"));
        if hooks(step) {
            step.list("after").iter().for_each(|hook| look(hook, true));
        }
    }
    for hook in element.list("after") {
        look(hook, true);
    }
    (worst, failure)
}

/// The failure of a scenario of which no step says that it failed: one is not written.
fn unwritten(doc: &Doc<'_>, element: &Node<'_>) -> Failure {
    let ends = |step: &&Node<'_>| {
        let status = step.at(&["result", "status"]).and_then(Node::string);
        status.is_some_and(|status| ended(&status) == Ended::Unwritten)
    };
    let step = element.list("steps").iter().find(ends).unwrap_or(element);
    let mut failure = doc.failure(Level::Case, step);
    (failure.phase, failure.signal) = (Some(Phase::Test), Some(Signal::Load));
    doc.push_pair(step, "name", &mut failure.text);
    failure
}

fn of_step(doc: &Doc<'_>, step: &Node<'_>, result: &Node<'_>, hook: bool) -> Failure {
    let mut failure = doc.failure(Level::Case, result);
    failure.phase = Some(Phase::Test);
    doc.push_member(result, "error_message", &mut failure.text);
    if failure.text.is_empty() {
        doc.push_pair(step, "name", &mut failure.text);
    }
    judge(&mut failure, hook);
    failure
}

/// Reads out of the words of a failed step or hook what sort of failure it is, and where.
pub(super) fn judge(failure: &mut Failure, hook: bool) {
    failure.type_name = thrown::type_name(&failure.text[..failure.text.len().min(1)]);
    let first = failure.text.first().map_or("", |line| line.text.trim_start());
    let limit = first.contains("function timed out, ensure the ") || first.contains("timed out after");
    failure.signal = if limit && !hook {
        Some(Signal::TestTimeout)
    } else if first.starts_with("ASSERT FAILED") || first.contains("ExpectationNotMetError") {
        Some(Signal::Assertion)
    } else {
        let own = super::signal::of_message(first).or_else(|| thrown::signal(&failure.text));
        own.or((failure.type_name.is_none() && !hook).then_some(Signal::Unhandled)).or(hook.then_some(Signal::Hook))
    };
    failure.file = super::frames::place(&failure.text);
}
