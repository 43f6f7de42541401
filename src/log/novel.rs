//! The lines of a log that no green run of the job had.

use std::collections::VecDeque;

use super::MAX_LINE;
use super::envelope::{Frame, clean};
use crate::baseline::Baseline;
use crate::format::Place;
use crate::item::Item;
use crate::report::{Span, TextLine};

/// How many are told from the beginning of a log, and as many from its end.
const MAX_NOVEL: usize = 200;

/// Compares a log with what the green runs printed.
pub(super) struct Novel {
    baseline: Baseline,
    told: usize,
    /// The last of those that are not told yet.
    last: VecDeque<TextLine>,
}

impl Novel {
    pub(super) fn new(baseline: Baseline) -> Self {
        Novel { baseline, told: 0, last: VecDeque::new() }
    }

    /// Looks at the lines of a window, and tells the first that are new.
    pub(super) fn window(&mut self, window: &[u8], mut at: Place, frame: &Frame, out: &mut dyn FnMut(Item)) {
        for raw in window.split_inclusive(|byte| *byte == b'\n') {
            let shown = &raw[..raw.len().min(MAX_LINE)];
            let shown = shown.strip_suffix(b"\n").unwrap_or(shown);
            for text in clean(shown, frame).texts().into_iter().filter(|text| !self.baseline.has(text)) {
                let line = TextLine { text, span: Span::on_line(at.line, at.byte, at.byte + shown.len() as u64) };
                if self.told < MAX_NOVEL {
                    self.told += 1;
                    out(Item::Novel(line));
                    continue;
                }
                if self.last.len() == MAX_NOVEL {
                    self.last.pop_front();
                }
                self.last.push_back(line);
            }
            at.advance(raw);
        }
    }

    /// Tells the last, at the end of the log.
    pub(super) fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.last.drain(..).for_each(|line| out(Item::Novel(line)));
    }
}
