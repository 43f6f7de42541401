//! Diagnostics whose place stands above the source excerpt and whose words stand below it: gfortran, OCaml, Pug;
//! svelte-check writes them in the other order below the place.
//!
//! ```text
//! solve.f90:3:2:
//!
//!     3 |  x = 1.0
//!       |  1
//! Error: Symbol 'x' at (1) has no IMPLICIT type
//! ```

use std::sync::LazyLock;

use crate::pattern::Regex;

use super::block::{diagnostic, is_excerpt, is_marker};
use super::{Grip, Line, Reader};
use crate::item::Item;
use crate::pattern;
use crate::report::{Failure, FileRef, Signal, TextLine};

pub(super) const NEEDLES: &[&str] = &[r".f90:\d", r".F90:\d", ".ml\", line", ".mli\", line", r".svelte:\d", r".pug:\d"];

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Above::default())
}

#[derive(Default)]
struct Above {
    file: Option<FileRef>,
    /// The line of the place, where it says that it is of an error.
    head: Option<TextLine>,
    lines: usize,
    /// The words, once they began; they go on where a line is indented.
    text: Vec<TextLine>,
    /// What is quoted is a template of Pug, which marks its line and says its words bare.
    pug: bool,
}

static FORTRAN: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^(?P<path>\S+\.(?i:f|for|f90|f95|f03|f08)):(?P<line>\d+):(?P<column>\d+):$"));

static OCAML: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(r#"^File "(?P<path>[^"]+\.mli?)", lines? (?P<line>\d+)(?:-\d+)?, characters (?P<column>\d+)-\d+:$"#)
});

static SVELTE: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^(?P<path>\S.*\.svelte):(?P<line>\d+):(?P<column>\d+)$"));

/// An error of Pug's compiler; one of a template that runs has the name of its type.
static PUG: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^(?:.* )?Error: (?P<path>\S+\.pug):(?P<line>\d+)(?::(?P<column>\d+))?$"));

impl Reader for Above {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        let place = [&FORTRAN, &OCAML, &SVELTE, &PUG].into_iter().find_map(|place| place.captures(text));
        if let Some(found) = place {
            self.finish(out);
            let column = found.name("column").and_then(|column| column.as_str().parse().ok());
            self.pug = text.contains(".pug:");
            self.head = self.pug.then(|| line.to_text());
            self.file = Some(FileRef::new(&found["path"], found["line"].parse().ok(), column));
            self.lines = 0;
            return Grip::Hold;
        }
        if self.file.is_none() {
            return Grip::Pass;
        }
        self.lines += 1;
        if !self.text.is_empty() {
            if line.indent() > 0 && self.lines < 60 {
                if !self.pug {
                    self.text.push(line.to_text());
                }
                return Grip::Hold;
            }
            self.finish(out);
            return Grip::Pass;
        }
        if text.starts_with("Error: ") || text.starts_with("Fatal Error: ") || text.starts_with("Error (") {
            self.text.push(line.to_text());
            return Grip::Hold;
        }
        if self.pug && (text.starts_with('>') || text.trim_start_matches('-') == "^") {
            return Grip::Hold;
        }
        if self.pug && text.starts_with(|first: char| first.is_ascii_alphabetic()) {
            self.text.push(line.to_text());
            return Grip::Hold;
        }
        let warns = text.starts_with("Warning");
        let quoted = text.is_empty() || line.indent() > 0 || is_excerpt(text) || is_marker(text);
        let numbered = text.split_once(" | ").is_some_and(|(number, _)| number.trim().parse::<u32>().is_ok());
        if self.lines > 60 || warns || !(quoted || numbered) {
            self.file = None;
            return if warns { Grip::Take } else { Grip::Pass };
        }
        Grip::Hold
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.finish(out);
    }
}

impl Above {
    fn finish(&mut self, out: &mut dyn FnMut(Item)) {
        let (file, mut text) = (self.file.take(), std::mem::take(&mut self.text));
        let head = self.head.take();
        if !text.is_empty() {
            text.splice(0..0, head);
            out(Item::Failure(Failure { file, ..diagnostic(Signal::Compile, text) }));
        }
    }
}
