//! What ends a program outside any test: a panic of Rust, an uncaught exception of Java.
//!
//! The line that announces it says little; the message stands on the next line (Rust) or behind the deepest
//! `Caused by:` (Java).

use super::block::{MAX_BLOCK, diagnostic};
use super::{Grip, Line, Reader};
use crate::item::Item;
use crate::report::{Failure, FileRef, Signal, TextLine};

pub(super) const NEEDLES: &[&str] = &["' panicked at ", "Exception in thread \"", ") panicked at "];

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Panic::default())
}

#[derive(Default)]
struct Panic {
    open: Option<Open>,
}

struct Open {
    rust: bool,
    file: Option<FileRef>,
    type_name: Option<String>,
    head: TextLine,
    /// The message of a panic, or the causes of an exception, in the order of the log.
    more: Vec<TextLine>,
    lines: usize,
}

impl Reader for Panic {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        if let Some(open) = &mut self.open {
            if open.take(line) {
                return Grip::Hold;
            }
            self.finish(out);
        }
        let text = line.text;
        if text.starts_with("thread '")
            && let Some((_, place)) = text.split_once(" panicked at ")
        {
            // Before Rust 1.73 the message came first: `panicked at 'message', src/main.rs:3:5`.
            let place = place.rsplit_once("', ").map_or(place, |(_, place)| place);
            let file = super::block::place(place.trim_end_matches(':')).map(|placed| placed.file);
            let head = line.to_text();
            self.open = Some(Open { rust: true, file, type_name: None, head, more: Vec::new(), lines: 0 });
            return Grip::Hold;
        }
        if let Some(at) = text.find("Exception in thread \"")
            && let Some((_, exception)) = text[at + 21..].split_once("\" ")
        {
            let type_name = exception.split(':').next().map(str::to_owned);
            let head = line.to_text();
            self.open = Some(Open { rust: false, file: None, type_name, head, more: Vec::new(), lines: 0 });
            return Grip::Hold;
        }
        Grip::Pass
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.finish(out);
    }
}

impl Panic {
    fn finish(&mut self, out: &mut dyn FnMut(Item)) {
        let Some(Open { rust, file, type_name, head, more, .. }) = self.open.take() else { return };
        let mut text = Vec::new();
        if rust {
            text.push(head);
            text.extend(more);
        } else {
            // The deepest cause is what happened; what is thrown on top only wraps it.
            text.extend(more.into_iter().rev());
            text.push(head);
        }
        text.truncate(MAX_BLOCK);
        out(Item::Failure(Failure { file, type_name, ..diagnostic(Signal::Unhandled, text) }));
    }
}

impl Open {
    fn take(&mut self, line: Line<'_>) -> bool {
        self.lines += 1;
        let text = line.trimmed();
        if self.rust {
            if self.lines == 1 && !text.is_empty() && !text.starts_with("note: ") {
                self.more.push(line.to_text());
                return true;
            }
            return text.starts_with("note: run with `RUST_BACKTRACE");
        }
        if text.starts_with("Caused by: ") {
            if self.more.len() < MAX_BLOCK {
                self.more.push(line.to_text());
            }
            return true;
        }
        self.lines < 2000 && (text.starts_with("at ") || text.starts_with("... ") || text.starts_with("Suppressed: "))
    }
}
