//! The pretty console of bats: what failed stands below its name, and the place in front of what was printed.
//!
//! Its totals read like those of ExUnit and are read there.

use std::sync::LazyLock;

use crate::pattern::Regex;

use super::super::{Grip, Line, Reader};
use super::MAX_LINES;
use crate::item::Item;
use crate::pattern;
use crate::report::{Failure, FileRef, Level, Signal, TextLine};

pub(in crate::log) const NEEDLES: &[&str] = &[" ✗ "];

pub(in crate::log) fn open() -> Box<dyn Reader> {
    Box::new(Bats::default())
}

#[derive(Default)]
struct Bats {
    /// A name whose details have not begun.
    name: Option<TextLine>,
    failure: Option<Failure>,
}

static PLACE: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(r"^\s*\(?(?:from function `.*' )?in (?:test )?file (?P<path>.+?), line (?P<line>\d+)[,)]")
});

/// Where a test of bats failed: `(in test file i.bats, line 2)`.
pub(crate) fn place(text: &str) -> Option<FileRef> {
    let found = PLACE.captures(text)?;
    Some(FileRef::new(&found["path"], found["line"].parse().ok(), None))
}

impl Reader for Bats {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        if let Some((before, name)) = text.rsplit_once(" ✗ ") {
            self.close(out);
            // The line was printed while the test ran and is printed over: the name stands twice.
            if before.trim().is_empty() || before.contains(name.trim()) {
                self.name = Some(TextLine { text: name.trim().to_owned(), span: line.span });
                return Grip::Hold;
            }
            return Grip::Pass;
        }
        if let Some(name) = self.name.take() {
            let of_bats = text.starts_with("   ") && (place(text).is_some() || text.contains(".bats: line "));
            if !of_bats {
                return Grip::Pass;
            }
            let level = if name.text.ends_with("_file failed") || name.text.ends_with("_suite failed") {
                Level::Suite
            } else {
                Level::Case
            };
            self.failure = Some(Failure {
                level,
                test: Some(name.text),
                signal: Some(if level == Level::Suite { Signal::Hook } else { Signal::Assertion }),
                span: name.span,
                ..Failure::default()
            });
        }
        let Some(failure) = &mut self.failure else { return Grip::Pass };
        if !text.starts_with("   ") {
            self.close(out);
            return Grip::Pass;
        }
        failure.span = failure.span.join(line.span);
        match place(text) {
            Some(found) => {
                failure.file.get_or_insert(found);
            }
            None if failure.text.len() < MAX_LINES => {
                failure.text.push(TextLine { text: text.trim().to_owned(), span: line.span });
            }
            None => {}
        }
        Grip::Hold
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.close(out);
    }
}

impl Bats {
    fn close(&mut self, out: &mut dyn FnMut(Item)) {
        self.name = None;
        if let Some(failure) = self.failure.take() {
            out(Item::Failure(failure));
        }
    }
}
