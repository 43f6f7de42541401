//! What was read before the line at hand, for readers and rules that look back.
//!
//! Where runs are short, many readers look back at one line; so each line is cleaned once, however many ask for it.

use std::borrow::Cow;

use super::envelope::{Frame, clean};
use super::tail::raw_backwards;
use crate::format::Place;
use crate::report::{Span, TextLine};

/// How many lines before a picked line a rule may ask for.
const CONTEXT_LINES: usize = 8;

/// The end of what was read before the window at hand, for rules that look back.
#[derive(Default)]
pub(super) struct Recent {
    pub tail: Vec<u8>,
    /// Where it ends in the input: a report that stood between is not kept.
    pub end: u64,
}

impl Recent {
    pub(super) const BYTES: usize = 16 * 1024;

    /// How far a rule may look back.
    pub(super) const NEAR: usize = 2048;

    pub(super) fn keep(&mut self, read: &[u8]) {
        if read.len() >= Self::BYTES {
            self.tail.clear();
        }
        self.tail.extend_from_slice(&read[read.len().saturating_sub(Self::BYTES)..]);
        // Where little is read at a time, what is too old is given up now and then.
        if self.tail.len() > 2 * Self::BYTES {
            self.tail.drain(..self.tail.len() - Self::BYTES);
        }
    }

    /// What comes before a place, as far as it is kept: the end of `window`, and of what was read before it.
    pub(super) fn joined<'w>(&self, window: &'w [u8], reach: usize) -> Cow<'w, [u8]> {
        let near = &window[window.len().saturating_sub(reach)..];
        if near.len() == reach {
            return Cow::Borrowed(near);
        }
        let tail = &self.tail[self.tail.len().saturating_sub(reach - near.len())..];
        Cow::Owned([tail, near].concat())
    }

    /// The few clean lines at the end of `window`, which follows what was kept.
    pub(super) fn before(&self, window: &[u8], frame: &Frame) -> Vec<String> {
        let bytes = self.joined(window, Self::NEAR);
        let mut lines: Vec<String> = bytes
            .rsplit(|byte| *byte == b'\n')
            .filter(|line| !line.is_empty())
            .take(CONTEXT_LINES)
            .flat_map(|line| {
                let mut texts = Vec::new();
                clean(line, frame).each(|text| texts.push(text.to_owned()));
                texts
            })
            .collect();
        lines.reverse();
        lines
    }
}

/// The clean lines above one, the nearest first.
pub(crate) type Above<'l> = std::iter::Rev<std::slice::Iter<'l, TextLine>>;

/// How many lines are kept that the last who asked did not want.
const MAX_KEPT: usize = 200;

/// The clean lines that were asked for last, in the order of the log and without a gap.
#[derive(Default)]
pub(super) struct Back(Vec<TextLine>);

impl Back {
    /// The last `count` lines of `before`, which ends at `at`; fewer where it is shorter.
    pub(super) fn lines(&mut self, before: &[u8], at: Place, frame: &Frame, count: usize) -> Above<'_> {
        // Where there was more than is shown here, the first line may be cut in front.
        let cut = (before.len() >= Recent::NEAR).then(|| at.byte - before.len() as u64);
        let whole = |line: &Span| Some(line.byte_start) != cut;
        let Back(lines) = self;
        let (mut nearer, mut further) = (Vec::new(), Vec::new());
        let (mut unmet, mut found) = (lines.len(), 0);
        let wanted = if before.is_empty() { 0 } else { count };
        for (span, raw) in raw_backwards(before, at).take(wanted).take_while(|(span, _)| whole(span)) {
            if unmet > 0 && lines[unmet - 1].span.byte_start == span.byte_start {
                // What is known from here on may be all that is wanted, or all that is near enough.
                let near = cut.map_or(0, |cut| lines.partition_point(|line| line.span.byte_start <= cut));
                let first = near.max(unmet.saturating_sub(wanted - found));
                if first > 0 || unmet == wanted - found {
                    (unmet, found) = (first, found + unmet - first);
                    break;
                }
                (unmet, found) = (unmet - 1, found + 1);
                continue;
            }
            found += 1;
            let mut text = String::new();
            clean(raw, frame).each(|part| part.clone_into(&mut text));
            let side = if unmet == lines.len() { &mut nearer } else { &mut further };
            side.push(TextLine { text, span });
        }
        if unmet == lines.len() {
            lines.clear();
        }
        lines.splice(..0, further.into_iter().rev());
        lines.extend(nearer.into_iter().rev());
        let unasked = lines.len() - found;
        if unasked > MAX_KEPT {
            lines.drain(..unasked);
        }
        lines[lines.len() - found..].iter().rev()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is kept changes nothing: each look shows what a look without it would.
    #[test]
    fn each_look_is_as_the_first() {
        let log: String = (0..600).map(|line| format!("{}line {line}\n", "x".repeat(line % 97))).collect();
        let frame = Frame::default();
        let mut back = Back::default();
        assert_eq!(back.lines(b"", Place::START, &frame, 6).count(), 0);
        let ends = log.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(end, _)| end + 1);
        for (line, end) in ends.enumerate() {
            let before = &log.as_bytes()[end.saturating_sub(Recent::NEAR)..end];
            let at = Place { byte: end as u64, line: line as u64 + 2 };
            // Some are not asked at all, so that what is kept is behind.
            for count in [[0, 6, 0, 1], [60, 0, 2, 40], [0, 0, 0, 0], [6, 6, 60, 3]][line / 5 % 4] {
                if count == 0 {
                    continue;
                }
                let kept: Vec<TextLine> = back.lines(before, at, &frame, count).cloned().collect();
                let fresh: Vec<TextLine> = Back::default().lines(before, at, &frame, count).cloned().collect();
                assert_eq!(kept, fresh, "{count} above line {line}");
                assert_eq!(kept[0].text, log.lines().nth(line).unwrap_or_default());
                assert!(kept.len() == count.min(line + 1) || before.len() == Recent::NEAR);
            }
        }
    }
}
