//! The consoles of Python's test runners.

mod progress;
pub(super) mod pytest;
pub(super) mod stestr;
mod summary;
pub(super) mod unittest;

use super::traceback::exception_type;
use crate::report::{Failure, FileRef, Signal, TextLine};

/// How many lines of one block are kept.
const MAX_LINES: usize = 1000;

/// How many lines of an explanation become text.
const MAX_TEXT: usize = 60;

/// Tells what an exception line means by itself.
fn tell_exception(failure: &mut Failure) {
    // The innermost exception line comes first in the text; an excerpt of the source may stand before it.
    let named = failure.text.iter().find_map(|line| exception_type(line.text.trim()).map(|name| (name, &line.text)));
    let Some((name, text)) = named else {
        let bare = failure.text.first().is_some_and(|line| line.text.trim_start().starts_with("assert "));
        if bare {
            failure.signal = Some(Signal::Assertion);
        }
        return;
    };
    let short = name.rsplit('.').next().unwrap_or(name);
    failure.signal = match short {
        "Failed" if text.contains("Timeout") => Some(Signal::TestTimeout),
        "AssertionError" | "Failed" | "AssertionError_" => Some(Signal::Assertion),
        _ => failure.signal,
    };
    failure.type_name = Some(name.to_owned());
}

/// Whether a frame is the project's own code.
fn is_own(path: &str) -> bool {
    let foreign = ["site-packages", "dist-packages", "/lib/python3", "/lib/python2", "importlib", "\\Lib\\"];
    !path.starts_with('<') && !foreign.iter().any(|part| path.contains(part))
}

/// `  File "path", line 4, in f`.
fn frame(text: &str) -> Option<FileRef> {
    let rest = text.trim_start().strip_prefix("File \"")?;
    let (path, rest) = rest.split_once("\", line ")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some(FileRef::new(path, digits.parse().ok(), None))
}

/// The exceptions of a traceback in Python's own form, the last first, each with the lines that continue it.
fn native(lines: &[TextLine]) -> (Vec<TextLine>, Option<FileRef>) {
    let mut groups: Vec<Vec<TextLine>> = Vec::new();
    let mut file = None;
    let mut within = false;
    let mut frames = false;
    for line in lines {
        let text = line.text.as_str();
        if text.trim_start().starts_with("Traceback (most recent call last)") {
            (frames, within) = (true, false);
        } else if let Some(place) = frame(text) {
            if is_own(&place.path) || file.is_none() {
                file = Some(place);
            }
            within = false;
        } else if !text.starts_with([' ', '\t']) && exception_type(text).is_some() && (frames || groups.is_empty()) {
            groups.push(vec![line.clone()]);
            (frames, within) = (false, true);
        } else if text.starts_with("During handling of the above") || text.starts_with("The above exception was") {
            within = false;
        } else if within && !text.trim().is_empty() {
            groups.last_mut().expect("one is open").push(line.clone());
        }
    }
    let mut text: Vec<TextLine> = groups.into_iter().rev().flatten().collect();
    text.truncate(MAX_TEXT);
    (text, file)
}

#[cfg(test)]
mod tests;
