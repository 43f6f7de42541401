//! The bytes by which a line is known to hold what a phrase needs. The build uses this too, so that both agree.

/// How many bytes a fragment has: the shortest literal that says anything.
pub(crate) const LENGTH: usize = 3;

/// How many bits the filter of fragments has.
pub(crate) const FILTER_BITS: usize = 4096;

/// The place of a fragment among the bits of the filter.
pub(crate) const fn hash(fragment: [u8; LENGTH]) -> usize {
    let whole = u32::from_le_bytes([fragment[0], fragment[1], fragment[2], 0]);
    (whole.wrapping_mul(0x9e37_79b1) >> (u32::BITS - FILTER_BITS.trailing_zeros())) as usize
}
