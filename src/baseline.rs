//! The lines of a green run, so that a red one can be told by what is new in it.

use std::collections::HashSet;
use std::hash::{BuildHasherDefault, Hasher};
use std::io::{self, Read};
use std::sync::Arc;

use crate::cause::{quote, template};
use crate::log::clean_line;
use crate::rules::Fnv;

/// How many different lines are known at most: 8 MiB or so of memory.
const MAX_LINES: usize = 500_000;

/// How much of a line is looked at.
const MAX_LINE: usize = 4096;

/// How much is read at a time.
const CHUNK: usize = 64 * 1024;

/// The lines of one or more green runs of the same job.
///
/// Two lines are the same when they agree but for what changes from run to run: timestamps, durations, numbers,
/// hashes, the directories of a path. Lines beyond half a million different ones are not kept.
///
/// ```
/// use whyred::{Analyzer, Baseline, Source};
///
/// let green = "cannot open cache 17: starting cold\nall is well\n";
/// let red = "cannot open cache 18: starting cold\nthe reactor hummed\n";
/// let baseline = Baseline::of(green.as_bytes());
/// let report = Analyzer::new().exit_code(1).baseline(baseline).analyze([Source::bytes("red.log", red.as_bytes())]);
/// assert_eq!(report.causes[0].message, "the reactor hummed");
/// ```
#[derive(Clone, Debug, Default)]
pub struct Baseline {
    lines: Arc<HashSet<u64, BuildHasherDefault<Ready>>>,
    cut: bool,
}

/// Keys are hashes already.
#[derive(Clone, Copy, Debug, Default)]
struct Ready(u64);

impl Hasher for Ready {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

impl Baseline {
    /// The lines of a log that is in memory.
    #[must_use]
    pub fn of(log: &[u8]) -> Self {
        let mut baseline = Baseline::default();
        let lines = Arc::make_mut(&mut baseline.lines);
        baseline.cut = log.split(|byte| *byte == b'\n').any(|line| !learn(lines, line));
        baseline
    }

    /// The lines of a log, in bounded memory.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read(mut log: impl Read) -> io::Result<Self> {
        let mut baseline = Baseline::default();
        let lines = Arc::make_mut(&mut baseline.lines);
        let mut chunk = vec![0; CHUNK];
        let mut line: Vec<u8> = Vec::new();
        loop {
            let read = match log.read(&mut chunk) {
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if read == 0 {
                break;
            }
            let mut parts = chunk[..read].split(|byte| *byte == b'\n').peekable();
            while let Some(part) = parts.next() {
                let room = MAX_LINE.saturating_sub(line.len());
                line.extend_from_slice(&part[..part.len().min(room)]);
                if parts.peek().is_some() {
                    baseline.cut |= !learn(lines, &line);
                    line.clear();
                }
            }
        }
        baseline.cut |= !learn(lines, &line);
        Ok(baseline)
    }

    /// These lines and those of another green run.
    #[must_use]
    pub fn and(mut self, other: &Baseline) -> Self {
        let lines = Arc::make_mut(&mut self.lines);
        for line in other.lines.iter() {
            if lines.len() >= MAX_LINES {
                self.cut = true;
                break;
            }
            lines.insert(*line);
        }
        self.cut |= other.cut;
        self
    }

    /// How many different lines are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// Whether no line is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    /// Whether the green run had more different lines than are kept.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// Whether the green run had a line, given without its envelope.
    pub(crate) fn has(&self, text: &str) -> bool {
        key(text).is_none_or(|key| self.lines.contains(&key))
    }
}

/// Keeps a line; false when there is no room for it.
fn learn(lines: &mut HashSet<u64, BuildHasherDefault<Ready>>, raw: &[u8]) -> bool {
    let mut room = true;
    for text in clean_line(&raw[..raw.len().min(MAX_LINE)]) {
        let Some(key) = key(&text) else { continue };
        if lines.len() < MAX_LINES {
            lines.insert(key);
        } else {
            room &= lines.contains(&key);
        }
    }
    room
}

/// What a line is known by; nothing for one without a letter, which every run may have.
fn key(text: &str) -> Option<u64> {
    if !text.bytes().any(|byte| byte.is_ascii_alphabetic() || byte >= 0x80) {
        return None;
    }
    let mut hash = Fnv::default();
    hash.write(template(&quote(text)).as_bytes());
    Some(hash.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_from_run_to_run_does_not_matter() {
        let baseline = Baseline::of(
            b"2026-11-21T00:05:47.0815691Z warning: took 12 ms in /home/runner/work/a/b/lib.rs\n\x1b[31mE\x1b[0m: x",
        );
        assert!(baseline.has("warning: took 9 ms in /builds/7/b/lib.rs"));
        assert!(baseline.has("E: x"));
        assert!(baseline.has("17"));
        assert!(!baseline.has("E: y"));
    }

    #[test]
    fn reading_in_pieces_is_reading_whole() {
        let log: Vec<u8> =
            (0..20_000).flat_map(|n| format!("line {}\n", "abcdefgh".repeat(n % 9)).into_bytes()).collect();
        let read = Baseline::read(log.as_slice()).expect("memory can be read");
        assert_eq!(read.lines, Baseline::of(&log).lines);
        assert!(!read.is_cut() && !read.is_empty());
    }

    #[test]
    fn its_size_is_bounded() {
        let word = |mut n: usize| {
            let mut word = String::new();
            for _ in 0..5 {
                word.push(char::from(b'a' + (n % 26) as u8));
                n /= 26;
            }
            word
        };
        let log: String = (0..MAX_LINES + 10).map(|n| word(n) + "\n").collect();
        let baseline = Baseline::of(log.as_bytes());
        assert_eq!((baseline.len(), baseline.is_cut()), (MAX_LINES, true));
    }
}
