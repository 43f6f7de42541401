//! The fast path: which lines of a log deserve a look.
//!
//! A [`Scanner`] knows the needles of all rules and of all readers. One pass over the bytes finds the lines in which
//! any of them stands; everything dearer is done on those lines only. Needles of seven bytes or more are compared
//! without regard to ASCII case, shorter ones to the letter.
//!
//! How it works: of each needle of seven bytes or more, two windows of six bytes are chosen, one for each way in which
//! the needle can lie on a grid of two. The pass takes the six bytes at each point of the grid, folds their case,
//! hashes them, and asks one bit of a table that stays in the nearest caches. Only where it is set is the exact window
//! looked up, and only then are the needles that hold it compared. Where a needle is long enough to leave a choice, the
//! window that is rarest in real logs is taken ([`rarity`]). Shorter needles have windows of four bytes and a small table of
//! their own, which is asked at the same points.
//!
//! Other ways were measured on 165 MB of mixed logs of failed jobs, with 2500 needles on one core: fragments of four
//! bytes on a grid of four found the lines at 0.27 GB/s, windows of eight bytes on a grid of four with fragments for
//! the shorter needles at 0.40, windows of five on a grid of three at 0.73, this one at 0.74; ripgrep's automaton over
//! the needles of the rules alone takes 0.25. A second bit for each window keeps out half of the false alarms and costs more
//! than they do; a packed searcher for the shorter needles costs as much as all the rest. What decides is how rarely a window of a needle stands in a line without
//! the needle, so that choosing windows by counted fragments, and not by pairs of bytes, was worth half of it.

mod rarity;

use rarity::{LONG, LONG_WINDOW, STRIDE};

/// The windows of needles that are compared to the letter.
const SHORT_WINDOW: usize = 4;

/// The sizes of the tables that are asked at each point: 32 KiB each, so that they stay in the nearest caches.
const LONG_WORDS: usize = 1 << 12;
const SHORT_BYTES: usize = 1 << 15;

/// How many bytes are asked about before the first branch.
const BLOCK: usize = 16;
const POINTS: usize = BLOCK / STRIDE;

/// How many bytes are loaded to take a window.
const LOAD: usize = 8;

/// A needle, and what must stand behind it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Needle<'n> {
    pub text: &'n str,
    pub behind: Behind,
    /// Where its long windows begin, if that was found out before.
    pub windows: Option<[u16; STRIDE]>,
}

impl<'n> From<&'n str> for Needle<'n> {
    fn from(text: &'n str) -> Self {
        Needle { text, behind: Behind::Anything, windows: None }
    }
}

impl<'n> Needle<'n> {
    /// A needle as readers write it: after one that ends with `\d` a digit must stand, after one that ends with `$` the
    /// end of the line.
    pub(crate) fn read(written: &'n str) -> Self {
        let ends = [(r"\d", Behind::Digit), ("$", Behind::End)];
        let mut told = ends.into_iter().filter_map(|(end, behind)| Some((written.strip_suffix(end)?, behind)));
        told.next().map_or(Needle::from(written), |(text, behind)| Needle { text, behind, windows: None })
    }
}

/// What must stand behind a needle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behind {
    Anything,
    Digit,
    /// The end of the line, or what may stand there and is not seen.
    End,
}

impl Behind {
    fn allows(self, byte: Option<u8>) -> bool {
        match self {
            Behind::Anything => true,
            Behind::Digit => byte.is_some_and(|byte| byte.is_ascii_digit()),
            Behind::End => byte.is_none_or(|byte| matches!(byte, b'\n' | b'\r' | b' ' | 0x1b)),
        }
    }
}

/// Finds needles in bytes.
#[derive(Debug)]
pub(crate) struct Scanner {
    needles: Vec<Known>,
    /// The needles, one behind the other.
    texts: Box<[u8]>,
    /// A bit is set for each long window.
    long_bits: Box<[u64; LONG_WORDS]>,
    /// A byte is 1 for each short window.
    short_bytes: Box<[u8; SHORT_BYTES]>,
    long: Windows,
    short: Windows,
}

/// Where the text of a needle stands among all, and what must stand behind it.
#[derive(Clone, Copy, Debug)]
struct Known {
    start: u32,
    length: u16,
    behind: Behind,
}

/// Whether a needle is found by long windows, and without regard to case.
fn is_long(text: &[u8]) -> bool {
    text.len() >= LONG
}

impl Scanner {
    /// A scanner for needles of at least four bytes; shorter ones are never found.
    pub(crate) fn new(needles: &[Needle<'_>]) -> Self {
        let mut texts = Vec::with_capacity(needles.iter().map(|needle| needle.text.len()).sum());
        let mut known = Vec::with_capacity(needles.len());
        let (mut long, mut short) = (Vec::with_capacity(needles.len() * STRIDE), Vec::new());
        let mut common = Vec::new();
        for (index, needle) in needles.iter().enumerate() {
            let text = needle.text.as_bytes();
            debug_assert!(text.len() >= SHORT_WINDOW, "a needle too short to be found");
            let length = text.len() as u16;
            known.push(Known { start: texts.len() as u32, length, behind: needle.behind });
            texts.extend_from_slice(text);
            let tail = fold(window(text, text.len().saturating_sub(TAIL))) as u32;
            let entry = |offset| Entry { needle: index as u32, tail, offset: offset as u16, length, last: false };
            if is_long(text) {
                let places = needle.windows.unwrap_or_else(|| rarity::windows(text, &mut common));
                long.extend(places.map(usize::from).map(|at| (long_hash(window(text, at)), entry(at))));
                continue;
            }
            let mut add = |text: &[u8], residue| {
                rarity::frequencies(text, &mut common);
                let place = rarity::rarest(&common, SHORT_WINDOW, residue);
                short.extend(place.map(|at| (short_hash(window(text, at)), entry(at))));
            };
            add(text, 0);
            if text.len() > SHORT_WINDOW {
                add(text, 1);
            } else {
                // Its window at the other points ends with a byte behind it; where none is, a space is taken for one.
                let behind = (0..=u8::MAX).filter(|byte| needle.behind.allows(Some(*byte)));
                behind.for_each(|byte| add(&[text, &[byte]].concat(), 1));
            }
        }
        let mut long_bits = Box::new([0_u64; LONG_WORDS]);
        for (word, bit) in long.iter().map(|(hash, _)| long_bit(*hash)) {
            long_bits[word] |= 1 << bit;
        }
        let mut short_bytes = Box::new([0_u8; SHORT_BYTES]);
        for (hash, _) in &short {
            short_bytes[short_byte(*hash)] = 1;
        }
        let long = Windows::new(long.into_iter().map(|(hash, entry)| (tag(hash), entry)).collect());
        let short = Windows::new(short);
        Scanner { needles: known, texts: texts.into(), long_bits, short_bytes, long, short }
    }

    /// Calls `found` with the index of each needle that stands in `line` and where it begins, overlaps included.
    pub(crate) fn each(&self, line: &[u8], mut found: impl FnMut(u32, usize)) {
        self.scan(line, 0, &mut |needle, start| {
            found(needle, start);
            false
        });
    }

    /// Begins a search of `bytes` from front to back.
    pub(crate) fn search<'s>(&'s self, bytes: &'s [u8]) -> Search<'s> {
        Search { scanner: self, bytes, ahead: Ahead::Unknown }
    }

    /// Whether a needle stands at a place.
    fn is_at(&self, needle: u32, bytes: &[u8], start: usize) -> bool {
        let Known { start: first, length, behind } = self.needles[needle as usize];
        let text = &self.texts[first as usize..][..usize::from(length)];
        let Some(rest) = bytes.get(start..).filter(|rest| rest.len() >= text.len()) else { return false };
        let (head, rest) = rest.split_at(text.len());
        let same = if is_long(text) { head.eq_ignore_ascii_case(text) } else { head == text };
        same && behind.allows(rest.first().copied())
    }

    /// Shows needles that stand at or behind `from` until `found` wants no more; tells whether it did.
    fn scan(&self, bytes: &[u8], from: usize, found: &mut impl FnMut(u32, usize) -> bool) -> bool {
        let mut pos = from;
        while let Some(block) = bytes.get(pos..).and_then(<[u8]>::first_chunk::<{ BLOCK + LOAD - STRIDE }>) {
            // A bit for each point, the first one highest.
            let mut points = 0_u32;
            for point in 0..POINTS {
                let folded = fold(load(block, point * STRIDE));
                points = points << 1 | self.may_be_long(folded) | self.may_be_short(folded);
            }
            points <<= u32::BITS - POINTS as u32;
            while points != 0 {
                let point = points.leading_zeros();
                points ^= 1 << (u32::BITS - 1 - point);
                let at = point as usize * STRIDE;
                if self.at(bytes, pos + at, fold(load(block, at)), found) {
                    return true;
                }
            }
            pos += BLOCK;
        }
        while pos < bytes.len() {
            if self.at(bytes, pos, window(bytes, pos), found) {
                return true;
            }
            pos += STRIDE;
        }
        false
    }

    /// Whether a long window may stand at the beginning of folded bytes: 1 or 0.
    #[inline(always)]
    fn may_be_long(&self, folded: u64) -> u32 {
        let (word, bit) = long_bit(long_hash(folded));
        (self.long_bits[word] >> bit) as u32 & 1
    }

    /// Whether a short window may stand at the beginning of folded bytes: 1 or 0.
    #[inline(always)]
    fn may_be_short(&self, folded: u64) -> u32 {
        u32::from(self.short_bytes[short_byte(short_hash(folded))])
    }

    /// Looks for needles of which a window stands at `pos`.
    fn at(&self, bytes: &[u8], pos: usize, folded: u64, found: &mut impl FnMut(u32, usize) -> bool) -> bool {
        let mut check = |entry: &Entry| {
            let Some(start) = pos.checked_sub(usize::from(entry.offset)) else { return false };
            entry.may_be_at(bytes, start) && self.is_at(entry.needle, bytes, start) && found(entry.needle, start)
        };
        self.may_be_long(folded) != 0 && self.long.any(tag(long_hash(folded)), &mut check)
            || self.may_be_short(folded) != 0 && self.short.any(short_hash(folded), &mut check)
    }
}

/// Which needles hold a window.
#[derive(Debug)]
struct Windows {
    /// Open addressing: the tag of a window and where its entries begin in `entries`.
    slots: Box<[(u32, u32)]>,
    /// For each tag, the needles that hold its window and where.
    entries: Vec<Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    needle: u32,
    /// The last bytes of the needle, folded: most often they tell at once that it is another.
    tail: u32,
    offset: u16,
    length: u16,
    /// The end of a tag's list.
    last: bool,
}

/// How many of its last bytes stand with a needle.
const TAIL: usize = 4;

impl Entry {
    #[inline]
    fn may_be_at(&self, bytes: &[u8], start: usize) -> bool {
        let end = start + usize::from(self.length);
        let tail = bytes.get(end.saturating_sub(TAIL)..end).and_then(|tail| tail.try_into().ok());
        tail.is_some_and(|tail| fold(u32::from_le_bytes(tail).into()) as u32 == self.tail)
    }
}

const EMPTY: u32 = u32::MAX;

impl Windows {
    /// From the tag of each window and a needle that holds it.
    fn new(windows: Vec<(u32, Entry)>) -> Self {
        // By tag, and in the order of the needles: plain numbers are sorted fastest.
        let mut order: Vec<u64> =
            windows.iter().enumerate().map(|(at, (tag, _))| u64::from(*tag) << 32 | at as u64).collect();
        order.sort_unstable();
        let tag = |place: &u64| (place >> 32) as u32;
        let entry = |place: &u64| windows[*place as u32 as usize].1;
        let same = |a: &mut u64, b: &mut u64| {
            let (one, other) = (entry(a), entry(b));
            tag(a) == tag(b) && (one.needle, one.offset) == (other.needle, other.offset)
        };
        order.dedup_by(same);
        let distinct = order.chunk_by(|a, b| tag(a) == tag(b)).count();
        let slots = vec![(0, EMPTY); (distinct * 2).next_power_of_two().max(16)].into_boxed_slice();
        let mut known = Windows { slots, entries: Vec::with_capacity(order.len()) };
        for list in order.chunk_by(|a, b| tag(a) == tag(b)) {
            let tag = tag(&list[0]);
            let slot = known.slot_of(tag);
            known.slots[slot] = (tag, known.entries.len() as u32);
            known.entries.extend(list.iter().map(entry));
            if let Some(entry) = known.entries.last_mut() {
                entry.last = true;
            }
        }
        known
    }

    /// The place of a tag among the slots, or the empty one where it would be.
    #[inline]
    fn slot_of(&self, tag: u32) -> usize {
        let mask = self.slots.len() - 1;
        // The highest bits hang on all bytes of the window.
        let mut slot = ((u64::from(tag) * self.slots.len() as u64) >> 32) as usize;
        while self.slots[slot].1 != EMPTY && self.slots[slot].0 != tag {
            slot = (slot + 1) & mask;
        }
        slot
    }

    /// Shows each needle that may hold the window of a tag until `found` wants no more; tells whether it did.
    #[inline]
    fn any(&self, tag: u32, mut found: impl FnMut(&Entry) -> bool) -> bool {
        let (_, first) = self.slots[self.slot_of(tag)];
        for entry in self.entries.get(first as usize..).unwrap_or_default() {
            if found(entry) {
                return true;
            }
            if entry.last {
                break;
            }
        }
        false
    }
}

/// The part of the hash of a long window by which it is looked up; another window may have the same.
#[inline(always)]
const fn tag(long_hash: u64) -> u32 {
    (long_hash >> 32) as u32
}

/// The hash of the long window at the beginning of folded bytes. Windows of one hash have the same bytes: the multiplier
/// is odd. It is the golden ratio of 2^64, with bits well spread.
#[inline(always)]
const fn long_hash(folded: u64) -> u64 {
    (folded << (64 - 8 * LONG_WINDOW)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The word of the table of bits and the bit in it.
#[inline(always)]
const fn long_bit(hash: u64) -> (usize, u32) {
    ((hash >> (64 - LONG_WORDS.trailing_zeros())) as usize, (hash >> 46) as u32 & 63)
}

/// The hash of the short window at the beginning of folded bytes.
#[inline(always)]
const fn short_hash(folded: u64) -> u32 {
    (folded as u32).wrapping_mul(0x9e37_79b1)
}

/// The place in the table of bytes.
#[inline(always)]
const fn short_byte(hash: u32) -> usize {
    (hash >> (32 - SHORT_BYTES.trailing_zeros())) as usize
}

/// A search of one piece of input. It remembers what lies ahead, so that going on from line to line never looks at the
/// same bytes twice.
pub(crate) struct Search<'s> {
    scanner: &'s Scanner,
    bytes: &'s [u8],
    ahead: Ahead,
}

/// The next needle, as far as it is known.
#[derive(Clone, Copy)]
enum Ahead {
    Unknown,
    At(usize),
    Nothing,
}

impl Search<'_> {
    /// The offset of some needle at or behind `from`, which never moves back. No needle stands on a line before the
    /// line of that offset.
    pub(crate) fn next(&mut self, from: usize) -> Option<usize> {
        let known = match self.ahead {
            Ahead::Unknown => false,
            Ahead::At(at) => at >= from,
            Ahead::Nothing => true,
        };
        if !known {
            self.ahead = Ahead::Nothing;
            self.scanner.scan(self.bytes, from, &mut |_, start| {
                let new = start >= from;
                if new {
                    self.ahead = Ahead::At(start);
                }
                new
            });
        }
        match self.ahead {
            Ahead::At(at) => Some(at),
            Ahead::Unknown | Ahead::Nothing => None,
        }
    }
}

/// Eight bytes as a number. Out of bounds is never asked for.
#[inline(always)]
fn load(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + LOAD).map_or(0, |bytes| u64::from_le_bytes(bytes.try_into().unwrap_or_default()))
}

/// Upper and lower case together. Some punctuation falls together too, which only costs a comparison.
#[inline(always)]
const fn fold(load: u64) -> u64 {
    load | 0x2020_2020_2020_2020
}

/// The folded bytes from a place on, where there may be fewer than eight.
fn window(bytes: &[u8], at: usize) -> u64 {
    let mut load = [0; LOAD];
    let rest = &bytes[at..bytes.len().min(at + LOAD)];
    load[..rest.len()].copy_from_slice(rest);
    fold(u64::from_le_bytes(load))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tries each needle at each place.
    fn naive(needles: &[&str], line: &[u8]) -> Vec<(u32, usize)> {
        let mut found = Vec::new();
        for start in 0..line.len() {
            for (index, needle) in needles.iter().enumerate() {
                let Needle { text, behind, .. } = Needle::read(needle);
                let Some(head) = line.get(start..start + text.len()) else { continue };
                let same = head == text.as_bytes() || text.len() >= LONG && head.eq_ignore_ascii_case(text.as_bytes());
                if same && behind.allows(line.get(start + text.len()).copied()) {
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
        " [E]$",
        "four",
    ];

    fn scanner() -> Scanner {
        Scanner::new(&NEEDLES.iter().map(|needle| Needle::read(needle)).collect::<Vec<_>>())
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
            "a [E] [E]",
            "a [E]b [E]\r\n [E]",
            "four5four",
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
                    0 => text.extend_from_slice(Needle::read(NEEDLES[random(NEEDLES.len())]).text.as_bytes()),
                    1 => text.push(b"aeE r:\n1"[random(8)]),
                    2 => text.extend_from_slice(&NEEDLES[random(NEEDLES.len())].as_bytes()[..3]),
                    _ => text.push(random(256) as u8),
                }
            }
            check(&scanner, &text);
        }
    }
}
