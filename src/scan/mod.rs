//! The fast path: which lines of a log deserve a look.
//!
//! A [`Scanner`] knows the needles of all rules and of all readers. One pass over the bytes finds the lines in which
//! any of them stands; everything dearer is done on those lines only. Needles of seven bytes or more are compared
//! without regard to ASCII case, shorter ones to the letter.
//!
//! How it works: of each needle of seven bytes or more, four fragments of four bytes are chosen, one for each way in
//! which the needle can lie on a grid of four. The pass looks at the four bytes at each point of the grid, and asks
//! one bit of a table that fits the first-level cache whether any fragment hashes there. Only then is the exact
//! fragment looked up, and only then are the needles that hold it compared. Where a needle is long enough to leave a
//! choice, the fragment that is rarest in real logs is taken ([`rarity`]). Shorter needles are found by a packed
//! searcher, which is fast while they are few.

mod rarity;

use aho_corasick::packed;

/// The length from which a needle has a fragment on the grid wherever it lies: `GRAM + STRIDE - 1`.
const LONG: usize = 7;
const GRAM: usize = 4;
const STRIDE: usize = 4;

/// How many bytes are asked about before the first branch.
const BLOCK: usize = 32;

/// The size of the table of bits: 2^18 bits are 32 KiB.
const BITS: u32 = 18;

/// Finds needles in bytes.
#[derive(Debug)]
pub(crate) struct Scanner {
    needles: Vec<Box<[u8]>>,
    bits: Box<[u64; 1 << (BITS - 6)]>,
    /// Open addressing: a fragment and where its entries begin in `entries`.
    slots: Box<[(u32, u32)]>,
    slot_shift: u32,
    /// For each fragment, the needles that hold it and where; `LAST` marks the end of a fragment's list.
    entries: Vec<Entry>,
    /// The needles that are too short for the grid.
    short: Option<Short>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    needle: u32,
    offset: u16,
    last: bool,
}

#[derive(Debug)]
struct Short {
    /// A packed searcher takes so many patterns and no more; most sets of rules need one.
    searchers: Vec<packed::Searcher>,
    /// For each pattern of the searcher, the needle.
    needles: Vec<u32>,
}

/// How many patterns a packed searcher takes before it falls back to a slower way, or to none.
const SHORT_PATTERNS: usize = 60;

const EMPTY: u32 = u32::MAX;

impl Scanner {
    pub(crate) fn new(needles: &[&str]) -> Self {
        // A fragment and its entries, in the order of the needles: the same needles give the same scanner.
        let mut grams: Vec<(u32, Entry)> = Vec::with_capacity(needles.len() * STRIDE);
        let mut short = Vec::new();
        for (index, needle) in needles.iter().enumerate() {
            let bytes = needle.as_bytes();
            if bytes.len() < LONG {
                short.push((index as u32, *needle));
                continue;
            }
            for residue in 0..STRIDE {
                let places = (residue..=bytes.len() - GRAM).step_by(STRIDE);
                let best = places.min_by_key(|&at| (rarity::frequency(fold(gram(bytes, at))), at));
                let Some(offset) = best else { continue };
                let entry = Entry { needle: index as u32, offset: offset as u16, last: false };
                grams.push((fold(gram(bytes, offset)), entry));
            }
        }
        grams.sort_by_key(|(gram, entry)| (*gram, entry.needle, entry.offset));
        let mut bits = Box::new([0_u64; 1 << (BITS - 6)]);
        let distinct = grams.chunk_by(|a, b| a.0 == b.0).count();
        let size = (distinct * 4).next_power_of_two().max(16);
        let slot_shift = 32 - size.trailing_zeros();
        let mut slots = vec![(0, EMPTY); size].into_boxed_slice();
        let mut entries = Vec::with_capacity(grams.len());
        for list in grams.chunk_by(|a, b| a.0 == b.0) {
            let gram = list[0].0;
            let bit = bit_of(gram);
            bits[bit >> 6] |= 1 << (bit & 63);
            let mut slot = (gram.wrapping_mul(MIX) >> slot_shift) as usize;
            while slots[slot].1 != EMPTY {
                slot = (slot + 1) & (size - 1);
            }
            slots[slot] = (gram, entries.len() as u32);
            entries.extend(list.iter().map(|(_, entry)| *entry));
            if let Some(entry) = entries.last_mut() {
                entry.last = true;
            }
        }
        let needles = needles.iter().map(|needle| needle.as_bytes().into()).collect();
        Scanner { needles, bits, slots, slot_shift, entries, short: Short::new(&short) }
    }

    /// Calls `found` with the index of each needle that stands in `line` and where it begins, overlaps included.
    /// A needle of fewer than seven bytes may be reported in another order than the others.
    pub(crate) fn each(&self, line: &[u8], mut found: impl FnMut(u32, usize)) {
        let mut at = 0;
        while at + GRAM <= line.len() {
            self.at(line, at, &mut |needle, start| {
                found(needle, start);
                false
            });
            at += STRIDE;
        }
        if let Some(short) = &self.short {
            let mut from = 0;
            while let Some(start) = short.next(line, from) {
                for &needle in &short.needles {
                    if line[start..].starts_with(&self.needles[needle as usize]) {
                        found(needle, start);
                    }
                }
                from = start + 1;
            }
        }
    }

    /// Begins a search of `bytes` from front to back.
    pub(crate) fn search<'s>(&'s self, bytes: &'s [u8]) -> Search<'s> {
        Search { scanner: self, bytes, long: Ahead::Unknown, short: Ahead::Unknown }
    }

    fn next_long(&self, bytes: &[u8], from: usize) -> Option<usize> {
        let mut pos = from;
        let mut hit = None;
        for block in bytes[from..].chunks_exact(BLOCK) {
            let mut any = 0;
            for at in (0..BLOCK).step_by(STRIDE) {
                any |= self.bit(fold(gram(block, at)));
            }
            if any & 1 != 0 {
                for at in (0..BLOCK).step_by(STRIDE) {
                    if self.at(bytes, pos + at, &mut |_, start| {
                        let new = start >= from;
                        if new {
                            hit = Some(start);
                        }
                        new
                    }) {
                        return hit;
                    }
                }
            }
            pos += BLOCK;
        }
        while pos + GRAM <= bytes.len() {
            if self.at(bytes, pos, &mut |_, start| {
                let new = start >= from;
                if new {
                    hit = Some(start);
                }
                new
            }) {
                return hit;
            }
            pos += STRIDE;
        }
        None
    }

    /// Whether some fragment hashes where this one does; in the lowest bit.
    #[inline(always)]
    fn bit(&self, gram: u32) -> u64 {
        let bit = bit_of(gram);
        self.bits[bit >> 6] >> (bit & 63)
    }

    /// Looks for needles whose fragment stands at `pos`; stops when `found` says so.
    #[inline(always)]
    fn at(&self, bytes: &[u8], pos: usize, found: &mut impl FnMut(u32, usize) -> bool) -> bool {
        let gram = fold(gram(bytes, pos));
        self.bit(gram) & 1 != 0 && self.needles_at(bytes, pos, gram, found)
    }

    #[cold]
    fn needles_at(&self, bytes: &[u8], pos: usize, gram: u32, found: &mut impl FnMut(u32, usize) -> bool) -> bool {
        let mask = self.slots.len() - 1;
        let mut slot = (gram.wrapping_mul(MIX) >> self.slot_shift) as usize;
        let first = loop {
            match self.slots[slot] {
                (_, EMPTY) => return false,
                (known, first) if known == gram => break first as usize,
                _ => slot = (slot + 1) & mask,
            }
        };
        for entry in &self.entries[first..] {
            let offset = usize::from(entry.offset);
            if let Some(start) = pos.checked_sub(offset)
                && starts_with(&bytes[start..], &self.needles[entry.needle as usize])
                && found(entry.needle, start)
            {
                return true;
            }
            if entry.last {
                return false;
            }
        }
        false
    }
}

/// A search of one piece of input. It remembers what lies ahead, so that going on from line to line never looks at the
/// same bytes twice.
pub(crate) struct Search<'s> {
    scanner: &'s Scanner,
    bytes: &'s [u8],
    long: Ahead,
    short: Ahead,
}

/// The next needle of a class, as far as it is known.
#[derive(Clone, Copy)]
enum Ahead {
    Unknown,
    At(usize),
    Nothing,
}

impl Ahead {
    /// What lies at or behind `from`; `find` is asked only if that is not known.
    fn from(&mut self, from: usize, find: impl FnOnce() -> Option<usize>) -> Option<usize> {
        let stale = match *self {
            Ahead::Unknown => true,
            Ahead::At(at) => at < from,
            Ahead::Nothing => false,
        };
        if stale {
            *self = find().map_or(Ahead::Nothing, Ahead::At);
        }
        match *self {
            Ahead::At(at) => Some(at),
            Ahead::Unknown | Ahead::Nothing => None,
        }
    }
}

impl Search<'_> {
    /// The offset of some needle at or behind `from`, which never moves back. No needle stands on a line before the
    /// line of that offset.
    pub(crate) fn next(&mut self, from: usize) -> Option<usize> {
        let Search { scanner, bytes, long, short } = self;
        let long = long.from(from, || scanner.next_long(bytes, from));
        let short = match &scanner.short {
            Some(searcher) => short.from(from, || searcher.next(bytes, from)),
            None => None,
        };
        match (long, short) {
            (Some(long), Some(short)) => Some(long.min(short)),
            (long, short) => long.or(short),
        }
    }
}

impl Short {
    fn new(needles: &[(u32, &str)]) -> Option<Self> {
        if needles.is_empty() {
            return None;
        }
        let searchers = needles.chunks(SHORT_PATTERNS).filter_map(|chunk| {
            let mut builder = packed::Config::new().match_kind(packed::MatchKind::LeftmostFirst).builder();
            for (_, needle) in chunk {
                builder.add(needle);
            }
            builder.build()
        });
        let searchers = searchers.collect();
        let needles = needles.iter().map(|(index, _)| *index).collect();
        Some(Short { searchers, needles })
    }

    fn next(&self, bytes: &[u8], from: usize) -> Option<usize> {
        if from >= bytes.len() {
            return None;
        }
        let span = aho_corasick::Span { start: from, end: bytes.len() };
        self.searchers.iter().filter_map(|searcher| searcher.find_in(bytes, span)).map(|hit| hit.start()).min()
    }
}

/// Odd, with bits well spread: the golden ratio of 2^32.
const MIX: u32 = 0x9e37_79b1;

#[inline(always)]
fn bit_of(gram: u32) -> usize {
    (gram.wrapping_mul(MIX) >> (32 - BITS)) as usize
}

/// Four bytes as a number. Out of bounds is never asked for; a shorter slice reads as zero.
#[inline(always)]
fn gram(bytes: &[u8], at: usize) -> u32 {
    match bytes.get(at..at + GRAM) {
        Some(&[a, b, c, d]) => u32::from_le_bytes([a, b, c, d]),
        _ => 0,
    }
}

/// Lets upper and lower case fall together. Some punctuation falls together too, which only costs a comparison.
#[inline(always)]
const fn fold(gram: u32) -> u32 {
    gram | 0x2020_2020
}

fn starts_with(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.len() >= needle.len() && bytes[..needle.len()].eq_ignore_ascii_case(needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tries each needle at each place.
    fn naive(needles: &[&str], line: &[u8]) -> Vec<(u32, usize)> {
        let mut found = Vec::new();
        for start in 0..line.len() {
            for (index, needle) in needles.iter().enumerate() {
                let long = needle.len() >= LONG;
                if line[start..].starts_with(needle.as_bytes())
                    || long && starts_with(&line[start..], needle.as_bytes())
                {
                    found.push((index as u32, start));
                }
            }
        }
        found.sort_unstable();
        found
    }

    const NEEDLES: &[&str] = &[
        "error: ",
        "Error: x",
        "rror: xy",
        "ENOENT: no such",
        "no such file or directory",
        "é…● x",
        "aaaaaaa",
        "aaaaaaaaaaaa",
        "FAILED ",
        "not ok ",
        "--- FAIL",
        "ENOENT",
        "aaaaa",
    ];

    #[track_caller]
    fn check(scanner: &Scanner, text: &[u8]) {
        let mut found = Vec::new();
        scanner.each(text, |needle, at| found.push((needle, at)));
        found.sort_unstable();
        let expected = naive(NEEDLES, text);
        assert_eq!(found, expected, "{}", String::from_utf8_lossy(text));
        let mut search = scanner.search(text);
        for from in 0..text.len().min(40) {
            let next = search.next(from);
            let first = expected.iter().map(|(_, at)| *at).filter(|at| *at >= from).min();
            let line = |at: usize| text[..at].iter().filter(|byte| **byte == b'\n').count();
            assert_eq!(next.map(line), first.map(line), "from {from}: {}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn equals_trying_each_needle_at_each_place() {
        let scanner = Scanner::new(NEEDLES);
        for text in ["", "err", "error: ", "Error: x ERROR: X", "enoent: NO SUCH FILE or directory", "  é…● x error: "]
        {
            for shift in 0..40 {
                let padded = format!("{}{text}\n{text}", "x".repeat(shift));
                check(&scanner, padded.as_bytes());
            }
        }
        for length in 0..40 {
            check(&scanner, &b"a".repeat(length));
        }
    }

    #[test]
    fn equals_the_naive_search_on_random_text() {
        let scanner = Scanner::new(NEEDLES);
        let mut state = 7_u64;
        let mut random = move |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        for _ in 0..300 {
            let mut text = Vec::new();
            while text.len() < 200 {
                match random(4) {
                    0 => text.extend_from_slice(NEEDLES[random(NEEDLES.len())].as_bytes()),
                    1 => text.push(b"aeE r:\n"[random(7)]),
                    2 => text.extend_from_slice(&NEEDLES[random(NEEDLES.len())].as_bytes()[..3]),
                    _ => text.push(random(256) as u8),
                }
            }
            check(&scanner, &text);
        }
    }
}
