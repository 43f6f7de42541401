//! The looks that tell what the documents of an input are.
//!
//! Where thousands of lines begin like a report and none is one, or each is one, less of each next one is looked at.

use std::hash::{DefaultHasher, Hasher};

use crate::format::{self, Format, HEAD, Prefix};

/// How many bytes are looked at, beside a quarter of what was read of the input.
const MAX_LOOKS: u64 = 512 * 1024;

/// How many lines are then known that begin like a report and do not begin one.
const MAX_VAIN: usize = 100;

/// How much of what may be a document is always looked at: its first line, and of what follows it this much in all.
const MAX_FIRST_LINE: usize = 4 * 1024;
const LEAST_LOOK: usize = 512;

/// What was looked at of an input.
#[derive(Default)]
pub(super) struct Looks {
    bytes: u64,
    /// Digests of lines that begin like a report and do not begin one, without their digits.
    vain: Vec<u64>,
}

impl Looks {
    /// What a document is that begins with `rest`, behind so many bytes of the input, and the prefix of its lines.
    pub(super) fn format(&mut self, rest: &[u8], read: u64) -> Option<(Format, Option<Prefix>)> {
        let head = self.head(rest, read);
        if !self.is_short(read) {
            return self.look(head, format::detect);
        }
        let shape = shape_of(rest);
        if self.vain.contains(&shape) {
            self.bytes += head.len() as u64;
            return None;
        }
        let found = self.look(head, format::detect_report);
        if found.is_none() && self.vain.len() < MAX_VAIN {
            self.vain.push(shape);
        }
        found
    }

    fn look(&mut self, head: &[u8], detect: fn(&[u8]) -> Option<Format>) -> Option<(Format, Option<Prefix>)> {
        let bare = detect(head);
        let seen = if bare.is_some() { format::first_value(head) } else { head };
        self.bytes += seen.len() as u64;
        match bare {
            Some(format) => Some((format, None)),
            None => format::detect_framed(head).map(|(format, prefix)| (format, Some(prefix))),
        }
    }

    /// What is looked at of `rest`, behind so many bytes of the input.
    pub(super) fn head<'d>(&self, rest: &'d [u8], read: u64) -> &'d [u8] {
        let near = &rest[..rest.len().min(MAX_FIRST_LINE)];
        let least = || memchr::memchr(b'\n', near).unwrap_or(near.len()).max(LEAST_LOOK);
        &rest[..rest.len().min(if self.is_short(read) { least() } else { HEAD })]
    }

    /// Whether so much was looked at that only a little of each next document is.
    fn is_short(&self, read: u64) -> bool {
        self.bytes > MAX_LOOKS + read / 4
    }
}

/// A digest of the first line without its digits.
fn shape_of(rest: &[u8]) -> u64 {
    let near = &rest[..rest.len().min(LEAST_LOOK)];
    let line = near.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let mut hash = DefaultHasher::new();
    line.iter().filter(|byte| !byte.is_ascii_digit()).for_each(|byte| hash.write_u8(*byte));
    hash.finish()
}
