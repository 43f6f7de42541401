//! Diagnostics of esbuild, and of the Angular CLI, tsup, Vite and Wrangler that print them in its manner: the words first,
//! then the place, then the source. Words without a place are left to the rules.
//!
//! ```text
//! ✘ [ERROR] "await" can only be used inside an "async" function
//!
//!     src/handler.ts:2:15:
//!       2 │   const body = await req.json();
//!         ╵                ~~~~~
//! ```

use super::block::{diagnostic, place};
use super::{Grip, Line, Reader};
use crate::item::Item;
use crate::report::{Failure, FileRef, Signal, TextLine};

pub(super) const NEEDLES: &[&str] = &["✘ [ERROR] ", "X [ERROR] ", "✘ \u{1b}[41;31m[", "X \u{1b}[41;31m["];

/// How many lines a message has at most before its place.
const MESSAGE_LINES: u64 = 14;

/// How many lines of source and advice may stand below a place.
const MAX_LINES: usize = 100;

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Esbuild::default())
}

#[derive(Default)]
struct Esbuild {
    head: Option<TextLine>,
    /// The place of the head, once it was read.
    file: Option<FileRef>,
    lines: usize,
}

impl Reader for Esbuild {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let head = is_head(line.text);
        if self.file.is_some() {
            self.lines += 1;
            if head.is_none() && self.lines < MAX_LINES && (line.text.is_empty() || line.indent() > 0) {
                return Grip::Hold;
            }
            self.finish(out);
        }
        if let Some(error) = head {
            self.head = error.then(|| line.to_text());
            return if error { Grip::Watch } else { Grip::Pass };
        }
        let Some(head) = &self.head else { return Grip::Pass };
        if line.span.line - head.span.line > MESSAGE_LINES {
            self.head = None;
            return Grip::Pass;
        }
        let placed = (line.indent() == 4).then(|| place(line.trimmed())).flatten();
        let Some(placed) = placed.filter(|placed| placed.rest.is_empty() && placed.file.column.is_some()) else {
            return Grip::Watch;
        };
        (self.file, self.lines) = (Some(placed.file), 0);
        Grip::Hold
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.finish(out);
    }
}

impl Esbuild {
    fn finish(&mut self, out: &mut dyn FnMut(Item)) {
        if let (Some(head), Some(file)) = (self.head.take(), self.file.take()) {
            out(Item::Failure(Failure { file: Some(file), ..diagnostic(Signal::Compile, vec![head]) }));
        }
    }
}

/// Whether a line begins a diagnostic, and whether that is an error.
fn is_head(text: &str) -> Option<bool> {
    let rest = text.strip_prefix(['✘', 'X', '▲', '✗', '×'])?;
    if rest.starts_with(" [WARNING]") {
        return Some(false);
    }
    rest.starts_with(" [ERROR] ").then_some(true)
}
