//! What stands in front of each line of a run, where nobody else knows it: words such as `app | `, or blanks.

use super::super::framed::Prefix;
use super::plan;
use super::point::Point;
use crate::report::{Span, TextLine};

/// The longest prefix that is looked for, in bytes.
const MAX_PREFIX: usize = 80;

/// The front of each line of the run at hand.
#[derive(Debug, Default)]
pub(super) struct Frame {
    words: Option<Prefix>,
    /// How far all of it is indented.
    indent: usize,
}

impl Frame {
    /// The frame of a run that seems to begin with a line, and the text of its first line; `above` is the line before.
    pub(super) fn of<'t>(text: &'t str, above: Option<&TextLine>) -> (Frame, &'t str) {
        let trimmed = text.trim_start();
        if is_version(trimmed) {
            return (Frame { words: None, indent: text.len() - trimmed.len() }, trimmed);
        }
        let starts = text.char_indices().map(|(at, _)| at).skip(1).take_while(|at| *at <= MAX_PREFIX);
        for at in starts.filter(|at| text[..*at].ends_with([' ', '\t', '|', ']', ':', '>'])) {
            let (front, rest) = text.split_at(at);
            // A prefix says something, and no blank of the text is a part of it.
            if front.trim().is_empty() || rest.starts_with(' ') {
                continue;
            }
            let first = || Point::parse(rest, Span::default()).is_some_and(|point| point.number == Some(1));
            let planned = || {
                let rest = above.and_then(|line| Prefix::words(front).strip_from(&line.text).and_then(plan));
                rest.is_some()
            };
            if is_version(rest) || first() && (planned() || is_label(front)) {
                return (Frame { words: Some(Prefix::words(front)), indent: 0 }, rest);
            }
        }
        (Frame::default(), text)
    }

    /// A line without what stands in front of it; `None` where it stands there not, so that the line is another's.
    pub(super) fn strip<'t>(&self, text: &'t str) -> Option<&'t str> {
        let text = match &self.words {
            Some(words) => words.strip_from(text)?,
            None => text,
        };
        let blank = text.len() - text.trim_start_matches(' ').len();
        (blank >= self.indent || blank == text.len()).then(|| &text[self.indent.min(blank)..])
    }
}

/// Whether a text is the line by which a run tells its version.
fn is_version(text: &str) -> bool {
    text.trim_end().strip_prefix("TAP version 1").is_some_and(|rest| rest.len() == 1)
}

/// Whether a prefix names where its line comes from, in one word and a sign, so that it is no sentence.
fn is_label(front: &str) -> bool {
    let name = front.trim().trim_end_matches(['|', ']', ':', '>']);
    let signed = name.len() < front.trim().len();
    signed && name.split_whitespace().count() <= 1
}
