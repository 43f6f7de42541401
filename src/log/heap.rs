//! The heap of V8 that is full, and the limit that was set for it.

use super::{Grip, Line, Reader};
use crate::item::Item;
use crate::report::{Failure, Level, TextLine};

pub(super) const NEEDLES: &[&str] = &["old-space-size", "old_space_size", "FATAL ERROR: "];

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Heap::default())
}

/// Only looks: others take the lines.
#[derive(Default)]
struct Heap {
    /// The line that sets the limit. A limit that the project sets is for the project to change.
    limit: Option<TextLine>,
}

impl Reader for Heap {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        if text.contains("old-space-size") || text.contains("old_space_size") {
            self.limit.get_or_insert_with(|| line.to_text());
        } else if text.starts_with("FATAL ERROR: ")
            && ["heap", "Allocation failed", "semi space"].iter().any(|word| text.contains(word))
        {
            let text = std::iter::once(line.to_text()).chain(self.limit.clone()).collect();
            out(Item::Failure(Failure { level: Level::Diagnostic, text, span: line.span, ..Failure::default() }));
        }
        Grip::Pass
    }

    fn end(&mut self, _out: &mut dyn FnMut(Item)) {}
}
