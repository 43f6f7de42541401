//! The bytes by which a text is known to hold what an expression needs. The build uses this too, so that both agree.

/// How many bits the filter of fragments has.
pub(crate) const FILTER_BITS: usize = 4096;

/// Three bytes as one number, moved on by one byte. A text that is shorter has none of a fragment.
pub(crate) const fn next(key: u32, byte: u8) -> u32 {
    (key << 8 | byte as u32) & 0xff_ffff
}

/// The place of a fragment among the bits of the filter.
pub(crate) const fn hash(key: u32) -> usize {
    (key.wrapping_mul(0x9e37_79b1) >> (u32::BITS - FILTER_BITS.trailing_zeros())) as usize
}
