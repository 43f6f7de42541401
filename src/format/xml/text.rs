//! The text of XML as lines that know where they stand: references resolved, encodings and control characters made
//! harmless, bounded in memory.

use std::collections::VecDeque;

use memchr::{memchr, memchr2};

use super::MAX_REFERENCE;
use crate::format::near;
use crate::log::strip_escapes;
use crate::report::{Span, TextLine};

/// How many lines are kept from the beginning, and as many from the end.
const MAX_LINES: usize = 200;

/// How many bytes are kept from the beginning, and as many from the end.
const MAX_BYTES: usize = 24 * 1024;

/// The longest line that is kept; of a longer one the beginning.
const MAX_LINE: usize = 4 * 1024;

/// How the bytes of a document are to be read where they are no UTF-8, and what was met on the way.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Encoding {
    /// The document declares an encoding of one byte a character.
    pub single_byte: bool,
    /// The line of the text at hand.
    pub line: u64,
    /// Where bytes that are valid in no declared way were replaced first.
    pub replaced: Option<u64>,
    /// The document declares such an encoding, but is UTF-8, as this line shows.
    pub contradicts: Option<u64>,
    /// Where control characters were removed first.
    pub controls: Option<u64>,
}

impl Encoding {
    /// Bytes as text that is safe to show: without terminal codes and control characters.
    fn clean(&mut self, bytes: &[u8]) -> String {
        if is_plain(bytes)
            && let Ok(text) = std::str::from_utf8(bytes)
        {
            return text.to_owned();
        }
        let line = self.line;
        let text = match std::str::from_utf8(bytes) {
            Ok(_) => {
                if self.single_byte && !bytes.is_ascii() {
                    self.contradicts.get_or_insert(line);
                }
                strip_escapes(bytes).into_owned()
            }
            Err(_) if self.single_byte => {
                let text: String = bytes.iter().map(|byte| windows_1252(*byte)).collect();
                strip_escapes(text.as_bytes()).into_owned()
            }
            Err(_) => {
                self.replaced.get_or_insert(line);
                strip_escapes(bytes).into_owned()
            }
        };
        if !text.chars().any(is_control) {
            if memchr(0x1b, bytes).is_some() {
                self.controls.get_or_insert(line);
            }
            return text;
        }
        self.controls.get_or_insert(line);
        text.chars()
            .map(|character| if is_control(character) { char::REPLACEMENT_CHARACTER } else { character })
            .collect()
    }
}

/// Whether all bytes are printable ASCII or tabs.
fn is_plain(bytes: &[u8]) -> bool {
    near::find(bytes, 0, |byte| (byte.wrapping_sub(b' ') > b'~' - b' ') & (byte != b'\t')) == bytes.len()
}

fn is_control(character: char) -> bool {
    character.is_control() && character != '\t'
}

/// A byte of the Western code page of Windows, which is how Latin-1 is read everywhere.
fn windows_1252(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘',
        '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..0xa0 => HIGH[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

/// What a reference at the beginning of `bytes` stands for, and its length. `None` leaves it as it is written: the
/// entities of a document type are not known here.
pub(crate) fn reference(bytes: &[u8]) -> Option<(char, usize)> {
    let end = memchr(b';', &bytes[..bytes.len().min(MAX_REFERENCE)])?;
    let character = match &bytes[1..end] {
        b"lt" => '<',
        b"gt" => '>',
        b"amp" => '&',
        b"quot" => '"',
        b"apos" => '\'',
        [b'#', digits @ ..] => {
            let (digits, radix) = match digits {
                [b'x' | b'X', digits @ ..] => (digits, 16),
                _ => (digits, 10),
            };
            let digits = std::str::from_utf8(digits).ok()?;
            let code = u32::from_str_radix(digits, radix).ok()?;
            char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
        }
        _ => return None,
    };
    Some((character, end + 1))
}

/// A raw attribute or a short text as one string. Line feeds stay.
pub(crate) fn decode(raw: &[u8], encoding: &mut Encoding) -> String {
    if memchr(b'&', raw).is_none() && memchr(b'\n', raw).is_none() {
        return encoding.clean(raw);
    }
    let mut lines = Lines::default();
    lines.push(raw, false, 0, encoding.line, encoding);
    let lines = lines.finish(encoding);
    lines.into_iter().map(|line| line.text).collect::<Vec<_>>().join("\n")
}

/// Text that comes in pieces, as lines with their places. The beginning and the end of a long text are kept.
#[derive(Debug, Default)]
pub(crate) struct Lines {
    head: Vec<TextLine>,
    head_bytes: usize,
    tail: VecDeque<TextLine>,
    tail_bytes: usize,
    line: Vec<u8>,
    span: Option<Span>,
    /// How many bytes were left out.
    pub omitted: u64,
}

impl Lines {
    /// Appends a piece that stands at `byte` in line `number`. Runs that follow one another make one text.
    pub(crate) fn push(&mut self, raw: &[u8], cdata: bool, byte: u64, number: u64, encoding: &mut Encoding) {
        let mut pos = 0;
        let mut number = number;
        let place = |pos: usize| byte + pos as u64;
        while pos < raw.len() {
            let span = self.span.get_or_insert_with(|| Span::on_line(number, place(pos), place(pos)));
            let rest = &raw[pos..];
            let stop = if cdata { memchr(b'\n', rest) } else { memchr2(b'\n', b'&', rest) };
            let plain = stop.unwrap_or(rest.len());
            let room = MAX_LINE.saturating_sub(self.line.len()).min(plain);
            self.line.extend_from_slice(&rest[..room]);
            self.omitted += (plain - room) as u64;
            pos += plain;
            span.byte_end = place(pos);
            span.last_line = number;
            if stop.is_none() {
                break;
            }
            if raw[pos] == b'\n' {
                self.break_line(encoding);
                pos += 1;
                number += 1;
                continue;
            }
            let (character, length) = reference(&raw[pos..]).unwrap_or(('&', 1));
            if character == '\n' {
                self.break_line(encoding);
            } else if self.line.len() < MAX_LINE {
                self.line.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            } else {
                self.omitted += length as u64;
            }
            pos += length;
            if let Some(span) = &mut self.span {
                span.byte_end = place(pos);
            }
        }
    }

    /// Appends a line that is another's.
    pub(crate) fn push_line(&mut self, line: TextLine) {
        if self.head.len() < MAX_LINES && self.head_bytes < MAX_BYTES {
            self.head_bytes += line.text.len();
            self.head.push(line);
            return;
        }
        self.tail_bytes += line.text.len();
        self.tail.push_back(line);
        while self.tail.len() > MAX_LINES || self.tail_bytes > MAX_BYTES {
            let Some(dropped) = self.tail.pop_front() else { break };
            self.tail_bytes -= dropped.text.len();
            self.omitted += dropped.text.len() as u64 + 1;
        }
    }

    fn break_line(&mut self, encoding: &mut Encoding) {
        let Some(span) = self.span.take() else { return };
        encoding.line = span.line;
        let text = encoding.clean(self.line.trim_ascii_end());
        self.line.clear();
        self.push_line(TextLine { text, span });
    }

    /// The lines, blank ones at the beginning and at the end left out.
    pub(crate) fn finish(&mut self, encoding: &mut Encoding) -> Vec<TextLine> {
        if !self.line.is_empty() {
            self.break_line(encoding);
        }
        self.span = None;
        let mut lines = std::mem::take(&mut self.head);
        lines.extend(self.tail.drain(..));
        (self.head_bytes, self.tail_bytes) = (0, 0);
        let blank = |line: &TextLine| line.text.trim_ascii().is_empty();
        while lines.last().is_some_and(blank) {
            lines.pop();
        }
        let first = lines.iter().position(|line| !blank(line)).unwrap_or(0);
        lines.drain(..first);
        lines
    }
}

/// Raw text that may be needed later: the beginning and the end of it, copied without a look.
#[derive(Debug, Default)]
pub(crate) struct Capture {
    pieces: VecDeque<Piece>,
    bytes: usize,
    omitted: u64,
}

#[derive(Debug)]
struct Piece {
    raw: Vec<u8>,
    cdata: bool,
    byte: u64,
    line: u64,
}

impl Capture {
    /// How many raw bytes are kept, the latest.
    const BYTES: usize = 32 * 1024;

    pub(crate) fn clear(&mut self) {
        self.pieces.clear();
        (self.bytes, self.omitted) = (0, 0);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// Keeps the end of a piece, and the pieces before it as far as there is room.
    pub(crate) fn push(&mut self, raw: &[u8], cdata: bool, byte: u64, line: impl FnOnce(usize) -> u64) {
        if raw.trim_ascii().is_empty() && self.pieces.is_empty() {
            return;
        }
        let mut skip = raw.len().saturating_sub(Self::BYTES);
        if skip > 0 {
            // Begin with a line, if there are any.
            skip += memchr(b'\n', &raw[skip..]).map_or(0, |end| end + 1);
        }
        let line = line(skip);
        self.omitted += skip as u64;
        self.bytes += raw.len() - skip;
        self.pieces.push_back(Piece { raw: raw[skip..].to_vec(), cdata, byte: byte + skip as u64, line });
        while self.bytes > 2 * Self::BYTES || self.pieces.len() > 256 {
            let Some(piece) = self.pieces.pop_front() else { break };
            self.bytes -= piece.raw.len();
            self.omitted += piece.raw.len() as u64;
        }
    }

    /// The text as lines.
    pub(crate) fn lines(&self, encoding: &mut Encoding) -> Vec<TextLine> {
        let mut lines = Lines::default();
        for piece in &self.pieces {
            lines.push(&piece.raw, piece.cdata, piece.byte, piece.line, encoding);
        }
        lines.finish(encoding)
    }
}
