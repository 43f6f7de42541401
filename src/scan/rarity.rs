//! How frequent fragments of four bytes are in real logs.

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
