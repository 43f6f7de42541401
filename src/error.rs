//! The one error type: opaque, with a few questions.
//!
//! Damage in the input is never an error: it becomes a note in the report. Errors are for options, names and
//! rule files, where a person must correct something.

use std::fmt::Write as _;

/// What can go wrong before an analysis starts: a name that is not known, a rule file that is not valid.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<ErrorKind>);

#[derive(Debug, thiserror::Error)]
enum ErrorKind {
    #[error("unknown {what} \"{found}\", expected one of: {expected}")]
    UnknownName { what: &'static str, found: String, expected: String },
    #[error("{file}:{line}: {message}")]
    Rules { file: String, line: usize, message: String },
    #[error("{file}:{line}: {message}")]
    Policy { file: String, line: usize, message: String },
    #[error("no report that was stored: {0}")]
    Stored(String),
}

impl Error {
    pub(crate) fn unknown_name<'a>(what: &'static str, found: &str, expected: impl Iterator<Item = &'a str>) -> Self {
        let mut list = String::new();
        for name in expected {
            let separator = if list.is_empty() { "" } else { ", " };
            let _ = write!(list, "{separator}{name}");
        }
        Error(Box::new(ErrorKind::UnknownName { what, found: found.to_owned(), expected: list }))
    }

    pub(crate) fn rules(file: &str, line: usize, message: impl Into<String>) -> Self {
        Error(Box::new(ErrorKind::Rules { file: file.to_owned(), line, message: message.into() }))
    }

    pub(crate) fn policy(file: &str, line: usize, message: impl Into<String>) -> Self {
        Error(Box::new(ErrorKind::Policy { file: file.to_owned(), line, message: message.into() }))
    }

    pub(crate) fn stored(message: impl Into<String>) -> Self {
        Error(Box::new(ErrorKind::Stored(message.into())))
    }

    /// Whether a stored report cannot be read.
    #[must_use]
    pub fn is_stored(&self) -> bool {
        matches!(*self.0, ErrorKind::Stored(_))
    }

    /// Whether a policy is not valid.
    #[must_use]
    pub fn is_policy(&self) -> bool {
        matches!(*self.0, ErrorKind::Policy { .. })
    }

    /// Whether a rule file is not valid.
    #[must_use]
    pub fn is_rules(&self) -> bool {
        matches!(*self.0, ErrorKind::Rules { .. })
    }
}
