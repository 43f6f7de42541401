//! How frequent fragments of four bytes are in real logs, and which windows of a needle are the rarest. The build uses it
//! too, so that the windows of the built-in rules need not be chosen at each start.

/// The distance of the points at which a scan looks.
pub(crate) const STRIDE: usize = 2;

/// The length of the windows of needles that are compared without regard to case.
pub(crate) const LONG_WINDOW: usize = 6;

/// The length from which a needle has such a window on the grid wherever it lies.
pub(crate) const LONG: usize = LONG_WINDOW + STRIDE - 1;

/// How many entries the table has.
pub(crate) const SIZE: usize = 1 << 14;

/// Eight times the binary logarithm of how often the most frequent fragment of each slot was seen. Made by
/// `cargo bench --bench rarity -- LOG...`.
static TABLE: &[u8; SIZE] = include_bytes!("rarity.bin");

/// A number that is higher the more frequent a folded fragment is in logs. Fragments may share one.
pub(crate) fn frequency(gram: u32) -> u8 {
    TABLE[slot(gram)]
}

/// The place of a folded fragment in the table.
pub(crate) fn slot(gram: u32) -> usize {
    (gram.wrapping_mul(0x9e37_79b1) >> (32 - SIZE.trailing_zeros())) as usize
}

/// Lets upper and lower case fall together. Some punctuation falls together too.
pub(crate) fn fold(gram: u32) -> u32 {
    gram | 0x2020_2020
}

/// How many bytes a fragment has of which it is known how frequent it is in logs.
const FRAGMENT: usize = 4;

/// How frequent each fragment of a text is, from front to back.
pub(crate) fn frequencies(text: &[u8], common: &mut Vec<u8>) {
    common.clear();
    common.extend(text.windows(FRAGMENT).map(|gram| {
        let gram = u32::from_le_bytes(gram.try_into().unwrap_or_default());
        frequency(fold(gram))
    }));
}

/// Where the rarest window begins of a text with these frequencies, among those whose place has a residue. It is as
/// rare as the rarest fragment in it, or rarer.
pub(crate) fn rarest(common: &[u8], length: usize, residue: usize) -> Option<usize> {
    let fragments = length + 1 - FRAGMENT;
    let mut best = None;
    for (at, window) in common.windows(fragments).enumerate().skip(residue).step_by(STRIDE) {
        let rarity = window.iter().copied().fold(u8::MAX, u8::min);
        if best.is_none_or(|(known, _)| rarity < known) {
            best = Some((rarity, at));
        }
    }
    best.map(|(_, at)| at)
}

/// Where the windows of a needle of [`LONG`] bytes or more begin, one for each way in which it can lie on the grid.
pub(crate) fn windows(text: &[u8], common: &mut Vec<u8>) -> [u16; STRIDE] {
    frequencies(text, common);
    std::array::from_fn(|residue| rarest(common, LONG_WINDOW, residue).map_or(0, |at| at as u16))
}
