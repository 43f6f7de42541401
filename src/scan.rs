//! The fast path: which lines of a log deserve a look.
//!
//! A [`Scanner`] knows the needles of all rules and of all readers. One pass over the bytes finds the lines in which
//! any of them stands; everything dearer is done on those lines only. Needles are compared without regard to ASCII
//! case.

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, AhoCorasickKind, MatchKind};

/// Finds needles in bytes.
#[derive(Debug)]
pub(crate) struct Scanner {
    automaton: AhoCorasick,
}

impl Scanner {
    pub(crate) fn new(needles: &[&str]) -> Self {
        let automaton = AhoCorasickBuilder::new()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(needles)
            .expect("a few thousand short needles fit into the automaton");
        Scanner { automaton }
    }

    /// Calls `found` with the index of each needle that stands in `line` and where it begins, overlaps included.
    pub(crate) fn each(&self, line: &[u8], mut found: impl FnMut(u32, usize)) {
        for hit in self.automaton.find_overlapping_iter(line) {
            found(hit.pattern().as_u32(), hit.start());
        }
    }

    /// The offset of some needle at or behind `from`; no needle begins and ends between `from` and it.
    pub(crate) fn next(&self, bytes: &[u8], from: usize) -> Option<usize> {
        self.automaton.find(&bytes[from..]).map(|hit| from + hit.start())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tries each needle at each place.
    fn naive(needles: &[&str], line: &[u8]) -> Vec<(u32, usize)> {
        let mut found = Vec::new();
        for start in 0..line.len() {
            for (index, needle) in needles.iter().enumerate() {
                let here = line.get(start..start + needle.len());
                if here.is_some_and(|here| here.eq_ignore_ascii_case(needle.as_bytes())) {
                    found.push((index as u32, start));
                }
            }
        }
        found.sort_unstable();
        found
    }

    #[test]
    fn equals_trying_each_needle_at_each_place() {
        let needles = ["error", "Error: x", "rror", "ENOENT", "no such file", "é…●"];
        let scanner = Scanner::new(&needles);
        for line in ["", "error", "Error: x ERROR: X", "eenoent no such FILE", "  é…● error"] {
            let mut found = Vec::new();
            scanner.each(line.as_bytes(), |needle, at| found.push((needle, at)));
            found.sort_unstable();
            assert_eq!(found, naive(&needles, line.as_bytes()), "{line}");
        }
    }
}
