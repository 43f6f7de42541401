//! The short summary of pytest: a line a test that failed.

use std::sync::LazyLock;

use super::super::Line;
use super::tell_exception;
use crate::pattern::{self, Regex};
use crate::report::{Failure, FileRef, Level, Signal, TextLine};

/// A test that the short summary names.
pub(super) struct Named {
    pub error: bool,
    pub name: String,
    pub message: Option<String>,
    pub line: TextLine,
    /// A block tells of it.
    pub used: bool,
}

/// `FAILED tests/test_cart.py::test_total - assert 1 == 2`, `ERROR tests/test_cart.py`.
static SUMMED: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^\s*(?:FAILED \S+\.py::\S.*?|ERROR \S*test\S*\.py(?:::\S.*?)?)(?: - \S.*)?$"));

/// Whether a line is one of the short summary wherever it stands.
pub(super) fn is_named(text: &str) -> bool {
    SUMMED.is_match(text)
}

/// `FAILED tests/test_x.py::test_y - AssertionError: …`, a line of the short summary.
pub(super) fn summed(line: Line<'_>) -> Option<Named> {
    let text = line.text.trim_start();
    let error = text.starts_with("ERROR ");
    let rest = text.strip_prefix("FAILED ").or_else(|| text.strip_prefix("ERROR "))?;
    let (name, message) = match rest.split_once(" - ") {
        Some((name, message)) => (name, Some(message.to_owned())),
        None => (rest, None),
    };
    Some(Named { error, name: name.trim().to_owned(), message, line: line.to_text(), used: false })
}

impl Named {
    /// Its name as the title of its block is written.
    pub(super) fn key(&self) -> String {
        match self.name.split_once("::") {
            Some((_, rest)) => rest.replace("::", "."),
            None => self.name.clone(),
        }
    }

    pub(super) fn failure(self) -> Failure {
        let Named { error, name, message, line, .. } = self;
        let file = name.split_once("::").map_or(name.as_str(), |(path, _)| path);
        let mut failure = Failure {
            level: if error && !name.contains("::") { Level::Suite } else { Level::Case },
            file: Some(FileRef::new(file, None, None)),
            // What has no message could not be set up: a fixture that does not exist.
            signal: (error && (!name.contains("::") || message.is_none())).then_some(Signal::Load),
            span: line.span,
            text: vec![TextLine { text: message.unwrap_or_else(|| line.text.clone()), span: line.span }],
            ..Failure::default()
        };
        failure.test = Some(name);
        tell_exception(&mut failure);
        if failure.text[0].text.starts_with("[XPASS(strict)]") {
            failure.signal = Some(Signal::Assertion);
        }
        failure
    }
}
