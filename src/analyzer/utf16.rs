//! Text in UTF-16, which is made UTF-8 before anything reads it.

/// Decodes UTF-16 as PowerShell writes it when output is redirected.
pub(super) struct Utf16 {
    little: bool,
    odd: Option<u8>,
    high: Option<u16>,
    start: bool,
    line: u64,
    /// The line of the first unit that is no character.
    damaged: Option<u64>,
}

impl Utf16 {
    /// How many bytes tell it: a byte order mark, or two characters of ASCII without one.
    pub(super) const HEAD: usize = 4;

    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        let little = match bytes {
            [0xff, 0xfe, ..] => true,
            [0xfe, 0xff, ..] => false,
            [b'\t'..=b'~', 0, b'\t'..=b'~', 0, ..] => true,
            [0, b'\t'..=b'~', 0, b'\t'..=b'~', ..] => false,
            _ => return None,
        };
        Some(Utf16 { little, odd: None, high: None, start: true, line: 1, damaged: None })
    }

    /// The line on which something was no character, the end of the input included.
    pub(super) fn damaged_at(&self) -> Option<u64> {
        let cut = self.odd.is_some() || self.high.is_some();
        self.damaged.or(cut.then_some(self.line))
    }

    pub(super) fn decode(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let damaged = &mut self.damaged;
        let mut put = |unit: u32, line: u64| {
            let character = char::from_u32(unit).unwrap_or_else(|| {
                damaged.get_or_insert(line);
                char::REPLACEMENT_CHARACTER
            });
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        };
        for &byte in bytes {
            let Some(first) = self.odd.take() else {
                self.odd = Some(byte);
                continue;
            };
            let pair = [first, byte];
            let unit = if self.little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) };
            if std::mem::take(&mut self.start) && unit == 0xfeff {
                continue;
            }
            self.line += u64::from(unit == 0x0a);
            match (self.high.take(), unit) {
                (None, 0xd800..0xdc00) => self.high = Some(unit),
                (Some(high), 0xdc00..0xe000) => {
                    put(0x10000 + ((u32::from(high) - 0xd800) << 10) + (u32::from(unit) - 0xdc00), self.line);
                }
                (high, _) => {
                    if high.is_some() {
                        put(0xd800, self.line);
                    }
                    put(u32::from(unit), self.line);
                }
            }
        }
    }
}
