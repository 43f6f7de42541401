//! Bytes that are looked for where they are expected near: most values of a report are shorter than the set-up of a
//! vector search pays for.

/// The offset of the first byte at or behind `pos` that is one of those, or the end.
///
/// Sixteen bytes are looked at at a time; what tells them should have no branches.
#[inline(always)]
pub(crate) fn find(bytes: &[u8], mut pos: usize, is: impl Fn(u8) -> bool) -> usize {
    while let Some(block) = bytes.get(pos..).and_then(<[u8]>::first_chunk::<16>) {
        // Each hit as a byte of ones. This form becomes a few wide instructions.
        let mut hits = [0; 16];
        #[allow(clippy::needless_range_loop, reason = "iterators are not made into wide instructions here")]
        for at in 0..16 {
            hits[at] = if is(block[at]) { 0xff } else { 0 };
        }
        let hits = u128::from_le_bytes(hits);
        if hits != 0 {
            return pos + hits.trailing_zeros() as usize / 8;
        }
        pos += 16;
    }
    while bytes.get(pos).is_some_and(|byte| !is(*byte)) {
        pos += 1;
    }
    pos
}

/// Whether a text holds a literal. Where formats are told apart many are looked for in a short text, and to set up a search
/// costs more than the search.
pub(crate) fn holds(text: &[u8], literal: &[u8]) -> bool {
    let [_, second, ..] = literal else { return memchr::memmem::find(text, literal).is_some() };
    if text.len() > 1024 {
        return memchr::memmem::find(text, literal).is_some();
    }
    // What begins with a quote is told by what follows it.
    let behind = text.get(1..).unwrap_or_default();
    memchr::memchr_iter(*second, behind).any(|at| text[at..].starts_with(literal))
}

#[cfg(test)]
mod tests {
    use super::{find, holds};

    #[test]
    fn a_literal_is_found_wherever_it_stands() {
        for length in [0, 1, 5, 900, 1100] {
            let text = "a".repeat(length);
            assert!(!holds(text.as_bytes(), b"key"));
            assert!(holds(format!("{text}key").as_bytes(), b"key"));
            assert!(holds(format!("key{text}").as_bytes(), b"key"));
            assert!(holds(format!("{text}kekey{text}").as_bytes(), b"key"));
        }
        assert!(holds(b"ab", b"b") && !holds(b"", b"b"));
    }

    #[test]
    fn the_first_of_them_wherever_it_stands() {
        for length in 0..70 {
            let mut bytes = vec![b'a'; length];
            assert_eq!(find(&bytes, 0, |byte| byte == b'x'), length);
            for at in 0..length {
                bytes[at] = b'x';
                for pos in 0..=at {
                    assert_eq!(find(&bytes, pos, |byte| (byte == b'x') | (byte == b'y')), at);
                }
                assert_eq!(find(&bytes, at + 1, |byte| byte == b'x'), length.max(at + 1));
                bytes[at] = b'a';
            }
        }
        assert_eq!(find(b"x", 5, |byte| byte == b'x'), 5);
    }
}
