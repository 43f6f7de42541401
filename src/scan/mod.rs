//! The fast path: which lines of a log deserve a look.
//!
//! A [`Scanner`] knows the needles of all rules and of all readers. One pass over the bytes finds the lines in which
//! any of them stands; everything dearer is done on those lines only. Needles of seven bytes or more are compared
//! without regard to ASCII case, shorter ones to the letter.
//!
//! How it works: of each needle of seven bytes or more, two windows of six bytes are chosen, one for each way in which
//! the needle can lie on a grid of two. The pass takes the six bytes at each point of the grid, folds their case,
//! hashes them, and asks two bits of one word of a table that fits the first-level cache. Only where both are set is the exact window
//! looked up, and only then are the needles that hold it compared. Where a needle is long enough to leave a choice, the
//! window that is rarest in real logs is taken ([`rarity`]). Shorter needles are found by a packed searcher, which is
//! fast while they are few.
//!
//! Other ways were measured on 165 MB of mixed logs of failed jobs, with 2500 needles on one core: fragments of four
//! bytes on a grid of four found the lines at 0.27 GB/s, windows of eight bytes on a grid of four with fragments for
//! the shorter needles at 0.40, windows of five on a grid of three at 0.73, this one at 0.74; ripgrep's automaton over
//! the needles of the rules alone takes 0.25. What decides is how rarely a window of a needle stands in a line without
//! the needle, so that choosing windows by counted fragments, and not by pairs of bytes, was worth half of it.

mod rarity;

use aho_corasick::{Match, Span, packed};

const WINDOW: usize = 6;
const STRIDE: usize = 2;

/// The length from which a needle has a window on the grid wherever it lies.
const LONG: usize = WINDOW + STRIDE - 1;

/// How many bytes are asked about before the first branch.
const BLOCK: usize = 32;

/// How many bytes are loaded to take a window.
const LOAD: usize = 8;

/// The size of the table of bits: 2^12 words of 64 bits are 32 KiB.
const WORDS: u32 = 12;

/// A needle, and what must stand behind it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Needle<'n> {
    pub text: &'n str,
    /// A digit must follow.
    pub digit: bool,
}

impl<'n> From<&'n str> for Needle<'n> {
    fn from(text: &'n str) -> Self {
        Needle { text, digit: false }
    }
}

/// Finds needles in bytes.
#[derive(Debug)]
pub(crate) struct Scanner {
    needles: Vec<Owned>,
    bits: Box<[u64; 1 << WORDS]>,
    /// Open addressing: the hash of a window and where its entries begin in `entries`.
    slots: Box<[(u64, u32)]>,
    /// For each window, the needles that hold it and where.
    entries: Vec<Entry>,
    /// The needles that are too short for the grid.
    short: Option<Short>,
}

#[derive(Debug)]
struct Owned {
    text: Box<[u8]>,
    digit: bool,
}

impl Owned {
    fn is_at(&self, bytes: &[u8], start: usize) -> bool {
        let Some(rest) = bytes.get(start..).filter(|rest| rest.len() >= self.text.len()) else { return false };
        let (head, behind) = rest.split_at(self.text.len());
        let same = if self.text.len() >= LONG { head.eq_ignore_ascii_case(&self.text) } else { *head == *self.text };
        same && (!self.digit || behind.first().is_some_and(u8::is_ascii_digit))
    }
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    needle: u32,
    offset: u16,
    /// The end of a window's list.
    last: bool,
}

#[derive(Debug)]
struct Short {
    /// A packed searcher takes so many patterns and no more; most sets of rules need one. With each of its patterns
    /// stand the needles that may begin where it does: itself, and those of which one begins with the other.
    searchers: Vec<(packed::Searcher, Vec<Vec<u32>>)>,
}

/// How many patterns a packed searcher takes before it falls back to a slower way, or to none.
const SHORT_PATTERNS: usize = 60;

const EMPTY: u32 = u32::MAX;

impl Scanner {
    pub(crate) fn new(needles: &[Needle<'_>]) -> Self {
        // A window and its entries, in the order of the needles: the same needles give the same scanner.
        let mut windows: Vec<(u64, Entry)> = Vec::with_capacity(needles.len() * STRIDE);
        let mut short = Vec::new();
        for (index, needle) in needles.iter().enumerate() {
            let bytes = needle.text.as_bytes();
            if bytes.len() < LONG {
                short.push((index as u32, needle.text));
                continue;
            }
            let frequencies: Vec<u8> =
                bytes.windows(4).map(|gram| frequency(gram.try_into().unwrap_or_default())).collect();
            for residue in 0..STRIDE {
                let places = (residue..=bytes.len() - WINDOW).step_by(STRIDE);
                // A window is as rare as the rarest fragment in it, or rarer.
                let best = places.min_by_key(|&at| (frequencies[at..at + WINDOW - 3].iter().min(), at));
                let Some(offset) = best else { continue };
                let entry = Entry { needle: index as u32, offset: offset as u16, last: false };
                windows.push((hash(window(bytes, offset)), entry));
            }
        }
        windows.sort_unstable_by_key(|(window, entry)| (*window, entry.needle, entry.offset));
        let mut bits = Box::new([0_u64; 1 << WORDS]);
        let distinct = windows.chunk_by(|a, b| a.0 == b.0).count();
        let size = (distinct * 2).next_power_of_two().max(16);
        let mut slots = vec![(0, EMPTY); size].into_boxed_slice();
        let mut entries = Vec::with_capacity(windows.len());
        for list in windows.chunk_by(|a, b| a.0 == b.0) {
            let hash = list[0].0;
            let (word, first, second) = bits_of(hash);
            bits[word] |= 1 << first | 1 << second;
            let mut slot = slot_of(hash, size);
            while slots[slot].1 != EMPTY {
                slot = (slot + 1) & (size - 1);
            }
            slots[slot] = (hash, entries.len() as u32);
            entries.extend(list.iter().map(|(_, entry)| *entry));
            if let Some(entry) = entries.last_mut() {
                entry.last = true;
            }
        }
        let needles = needles.iter();
        let needles =
            needles.map(|needle| Owned { text: needle.text.as_bytes().into(), digit: needle.digit }).collect();
        Scanner { needles, bits, slots, entries, short: Short::new(&short) }
    }

    /// Calls `found` with the index of each needle that stands in `line` and where it begins, overlaps included.
    /// A needle of fewer than seven bytes may be reported in another order than the others.
    pub(crate) fn each(&self, line: &[u8], mut found: impl FnMut(u32, usize)) {
        let mut tell = |needle, start| {
            found(needle, start);
            false
        };
        let mut at = 0;
        while at + LOAD <= line.len() {
            self.at(line, at, load(line, at), &mut tell);
            at += STRIDE;
        }
        while at + WINDOW <= line.len() {
            self.at(line, at, window(line, at), &mut tell);
            at += STRIDE;
        }
        if let Some(short) = &self.short {
            for (searcher, alike) in &short.searchers {
                let mut from = 0;
                while let Some(hit) = find(searcher, line, from) {
                    for &needle in &alike[hit.pattern().as_usize()] {
                        if self.needles[needle as usize].is_at(line, hit.start()) {
                            found(needle, hit.start());
                        }
                    }
                    from = hit.start() + 1;
                }
            }
        }
    }

    /// Begins a search of `bytes` from front to back.
    pub(crate) fn search<'s>(&'s self, bytes: &'s [u8]) -> Search<'s> {
        let searchers = self.short.as_ref().map_or(0, |short| short.searchers.len());
        Search { scanner: self, bytes, long: Ahead::Unknown, short: vec![Ahead::Unknown; searchers] }
    }

    fn next_long(&self, bytes: &[u8], from: usize) -> Option<usize> {
        let mut hit = None;
        let mut found = |_, start| {
            let new = start >= from;
            if new {
                hit = Some(start);
            }
            new
        };
        let mut pos = from;
        while let Some(block) = bytes.get(pos..).and_then(<[u8]>::first_chunk::<{ BLOCK + LOAD - STRIDE }>) {
            let mut any = 0;
            for at in (0..BLOCK).step_by(STRIDE) {
                any |= self.both_bits(hash(load(block, at)));
            }
            if any & 1 != 0 {
                for at in (0..BLOCK).step_by(STRIDE) {
                    if self.at(bytes, pos + at, load(block, at), &mut found) {
                        return hit;
                    }
                }
            }
            pos += BLOCK;
        }
        while pos + WINDOW <= bytes.len() {
            if self.at(bytes, pos, window(bytes, pos), &mut found) {
                return hit;
            }
            pos += STRIDE;
        }
        None
    }

    /// The next needle that one of the packed searchers finds.
    fn next_short(
        &self,
        (searcher, alike): &(packed::Searcher, Vec<Vec<u32>>),
        bytes: &[u8],
        from: usize,
    ) -> Option<usize> {
        let mut from = from;
        loop {
            let hit = find(searcher, bytes, from)?;
            // Only what must follow a needle can be missing.
            let is_at = |&needle: &u32| self.needles[needle as usize].is_at(bytes, hit.start());
            if alike[hit.pattern().as_usize()].iter().any(is_at) {
                return Some(hit.start());
            }
            from = hit.start() + 1;
        }
    }

    /// Whether both bits of a hash are set; in the lowest bit.
    #[inline(always)]
    fn both_bits(&self, hash: u64) -> u64 {
        let (word, first, second) = bits_of(hash);
        let word = self.bits[word];
        (word >> first) & (word >> second)
    }

    /// Looks for needles of which a window stands at `pos`; stops when `found` says so.
    #[inline(always)]
    fn at(&self, bytes: &[u8], pos: usize, load: u64, found: &mut impl FnMut(u32, usize) -> bool) -> bool {
        let hash = hash(load);
        self.both_bits(hash) & 1 != 0 && self.needles_at(bytes, pos, hash, found)
    }

    #[inline(never)]
    fn needles_at(&self, bytes: &[u8], pos: usize, hash: u64, found: &mut impl FnMut(u32, usize) -> bool) -> bool {
        let mask = self.slots.len() - 1;
        let mut slot = slot_of(hash, self.slots.len());
        let first = loop {
            match self.slots[slot] {
                (_, EMPTY) => return false,
                (known, first) if known == hash => break first as usize,
                _ => slot = (slot + 1) & mask,
            }
        };
        for entry in &self.entries[first..] {
            if let Some(start) = pos.checked_sub(usize::from(entry.offset))
                && self.needles[entry.needle as usize].is_at(bytes, start)
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
    /// For each of the packed searchers.
    short: Vec<Ahead>,
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
        let searchers = scanner.short.iter().flat_map(|short| &short.searchers);
        let short = searchers
            .zip(short)
            .filter_map(|(searcher, ahead)| ahead.from(from, || scanner.next_short(searcher, bytes, from)));
        short.chain(long).min()
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
            let alike = |text: &str| {
                let alike = chunk.iter().filter(|(_, other)| other.starts_with(text) || text.starts_with(other));
                alike.map(|(index, _)| *index).collect()
            };
            Some((builder.build()?, chunk.iter().map(|(_, text)| alike(text)).collect()))
        });
        Some(Short { searchers: searchers.collect() })
    }
}

fn find(searcher: &packed::Searcher, bytes: &[u8], from: usize) -> Option<Match> {
    (from < bytes.len()).then(|| searcher.find_in(bytes, Span { start: from, end: bytes.len() }))?
}

/// Eight bytes as a number. Out of bounds is never asked for.
#[inline(always)]
fn load(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + LOAD).map_or(0, |bytes| u64::from_le_bytes(bytes.try_into().unwrap_or_default()))
}

/// The bytes of a window as a number, where eight bytes may be too many.
fn window(bytes: &[u8], at: usize) -> u64 {
    let mut load = [0; LOAD];
    load[..WINDOW].copy_from_slice(&bytes[at..at + WINDOW]);
    u64::from_le_bytes(load)
}

/// The hash of the window at the beginning of eight bytes, upper and lower case together. Some punctuation falls
/// together too, which only costs a comparison. Windows of one hash have the same bytes: the multiplier is odd.
#[inline(always)]
const fn hash(load: u64) -> u64 {
    // The golden ratio of 2^64: odd, with bits well spread.
    ((load | 0x2020_2020_2020_2020) << (64 - 8 * WINDOW)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The word of the table and two bits in it.
#[inline(always)]
const fn bits_of(hash: u64) -> (usize, u32, u32) {
    ((hash >> (64 - WORDS)) as usize, (hash >> 46) as u32 & 63, (hash >> 40) as u32 & 63)
}

/// Where the search for a hash begins in a table of `size` slots, a power of two.
fn slot_of(hash: u64, size: usize) -> usize {
    (hash >> 24) as usize & (size - 1)
}

fn frequency(gram: [u8; 4]) -> u8 {
    rarity::frequency(rarity::fold(u32::from_le_bytes(gram)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tries each needle at each place.
    fn naive(needles: &[&str], line: &[u8]) -> Vec<(u32, usize)> {
        let mut found = Vec::new();
        for start in 0..line.len() {
            for (index, needle) in needles.iter().enumerate() {
                let (text, digit) = parts(needle);
                let Some(head) = line.get(start..start + text.len()) else { continue };
                let same = head == text.as_bytes() || text.len() >= LONG && head.eq_ignore_ascii_case(text.as_bytes());
                if same && (!digit || line.get(start + text.len()).is_some_and(u8::is_ascii_digit)) {
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
        r".py:\d",
        r"Gemfile:\d",
    ];

    fn parts(needle: &str) -> (&str, bool) {
        needle.strip_suffix(r"\d").map_or((needle, false), |text| (text, true))
    }

    fn scanner() -> Scanner {
        let needles = NEEDLES.iter().map(|needle| parts(needle)).map(|(text, digit)| Needle { text, digit });
        Scanner::new(&needles.collect::<Vec<_>>())
    }

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
        let scanner = scanner();
        for text in [
            "",
            "err",
            "error: ",
            "Error: x ERROR: X",
            "enoent: NO SUCH FILE or directory",
            "  é…● x error: ",
            "a.py:b.py:1",
            "gemfile:a Gemfile:9",
        ] {
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
        let scanner = scanner();
        let mut state = 7_u64;
        let mut random = move |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % below
        };
        for _ in 0..300 {
            let mut text = Vec::new();
            while text.len() < 200 {
                match random(4) {
                    0 => text.extend_from_slice(parts(NEEDLES[random(NEEDLES.len())]).0.as_bytes()),
                    1 => text.push(b"aeE r:\n1"[random(8)]),
                    2 => text.extend_from_slice(&NEEDLES[random(NEEDLES.len())].as_bytes()[..3]),
                    _ => text.push(random(256) as u8),
                }
            }
            check(&scanner, &text);
        }
    }
}
