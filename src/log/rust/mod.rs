//! The consoles of Rust's test runners: libtest under `cargo test`, and cargo-nextest.

pub(super) mod libtest;
pub(super) mod nextest;

use crate::report::{Failure, FileRef, Signal, TextLine};

/// How many lines of one case are kept.
const MAX_LINES: usize = 400;

/// How many lines of a message are kept.
const MAX_MESSAGE: usize = 30;

/// Fills a failure from what a case printed: its last panic, the error it returned, or all of it.
///
/// Property tests panic once for every input that they shrink, and only the last one is reported; a panic of the
/// case's own thread is preferred to one of a helper thread.
fn explain(lines: &[TextLine], test: &str, failure: &mut Failure) {
    let head = |line: &&TextLine| line.text.contains("panicked at ");
    let own = format!("thread '{test}'");
    let last = lines.iter().rposition(|line| head(&line) && line.text.contains(&own));
    let last = last.or_else(|| lines.iter().rposition(|line| head(&line)));
    let Some(at) = last else {
        let said = lines.iter().position(|line| {
            let text = line.text.trim_start();
            text.starts_with("Error: ") || text.starts_with("note: test did not panic") || text.starts_with("error")
        });
        let from = said.unwrap_or(0);
        failure.text =
            lines[from..].iter().filter(|line| !line.text.trim().is_empty()).take(MAX_MESSAGE).cloned().collect();
        let expected = failure.text.first().is_some_and(|line| line.text.contains("did not panic as expected"));
        let compiled = !lines.iter().rev().take(5).any(|line| line.text.trim() == "Couldn't compile the test.");
        failure.signal = Some(match (expected, compiled) {
            (true, _) => Signal::Assertion,
            (false, true) => Signal::Unhandled,
            (false, false) => Signal::Compile,
        });
        failure.file = failure.text.first().and_then(|line| place(line.text.rsplit_once(" at ")?.1));
        return;
    };
    let (_, rest) = lines[at].text.split_once("panicked at ").unwrap_or_default();
    match rest.strip_prefix('\'').and_then(|rest| rest.rsplit_once("', ")) {
        // Up to Rust 1.72 the message stands on the same line, before the place.
        Some((message, at_place)) => {
            failure.file = place(at_place);
            failure.text.push(TextLine { text: message.to_owned(), span: lines[at].span });
        }
        None if rest.starts_with('\'') => {
            failure.text.push(TextLine { text: rest.trim_start_matches('\'').to_owned(), span: lines[at].span });
        }
        None => failure.file = place(rest.trim_end_matches(':')),
    }
    for line in &lines[at + 1..] {
        let text = line.text.trim();
        if text.starts_with("note: ") || text.starts_with("stack backtrace:") || failure.text.len() >= MAX_MESSAGE {
            break;
        }
        if text.is_empty() && !failure.text.is_empty() {
            break;
        }
        if let Some((_, place_of)) = text.rsplit_once("', ").filter(|_| failure.file.is_none()) {
            failure.file = place(place_of);
        }
        if !text.is_empty() {
            failure.text.push(TextLine { text: text.to_owned(), span: line.span });
        }
    }
    let message = failure.text.first().map_or("", |line| line.text.as_str());
    let asserts = message.starts_with("assertion ")
        || message.contains("test did not panic")
        || message.contains("did not contain expected");
    failure.signal = Some(if asserts { Signal::Assertion } else { Signal::Unhandled });
    // A library panics on behalf of the test; the stack, where it is shown, leads to the project.
    if failure.file.as_ref().is_none_or(|file| is_foreign(&file.path)) {
        let stack = lines[at..].iter().filter_map(|line| place(line.text.trim().strip_prefix("at ")?));
        failure.file = stack.into_iter().find(|file| !is_foreign(&file.path)).or(failure.file.take());
    }
    if failure.text.iter().any(|line| line.text.starts_with("snapshot assertion for ")) {
        tell_snapshot(lines, failure);
    }
    if failure.text.is_empty() {
        failure.text.push(lines[at].clone());
    }
}

/// insta names the file of the snapshot in the summary that it prints before its panic.
fn tell_snapshot(lines: &[TextLine], failure: &mut Failure) {
    failure.signal = Some(Signal::Snapshot);
    if let Some(line) = lines.iter().find(|line| line.text.trim_start().starts_with("Snapshot file: ")) {
        failure.subject = line.text.split_once(": ").map(|(_, path)| path.trim().to_owned());
        failure.text.insert(0, line.clone());
    }
    let source = lines.iter().find_map(|line| place(line.text.trim_start().strip_prefix("Source: ")?));
    failure.file = source.or(failure.file.take());
}

fn is_foreign(path: &str) -> bool {
    path.starts_with("/rustc/")
        || path.contains(".cargo/registry/")
        || path.contains("/cargo/registry/")
        || path.contains("/library/")
}

/// `src/lib.rs:20:75`.
fn place(text: &str) -> Option<FileRef> {
    let mut parts = text.trim().trim_end_matches(':').rsplitn(3, ':');
    let (last, middle, path) = (parts.next()?, parts.next()?, parts.next());
    match path {
        Some(path) if path.contains('.') => {
            Some(FileRef::new(path, Some(middle.parse().ok()?), Some(last.parse().ok()?)))
        }
        _ => Some(FileRef::new(middle, Some(last.parse().ok()?), None)).filter(|file| file.path.contains('.')),
    }
}

#[cfg(test)]
mod tests;
