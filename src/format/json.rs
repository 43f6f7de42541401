//! A reader of JSON that knows where everything stands and loses nothing that was complete.
//!
//! `serde_json` tells no positions and gives nothing for a document that was cut. [`Cursor`] walks the bytes in
//! place: a large report is read without building it, passing cases are skipped at the speed of a search for the
//! next quote. [`Node`] is a small tree for documents that are read at leisure.

mod mold;

use std::borrow::Cow;

pub(crate) use self::mold::Mold;
use super::near;
use crate::item::MAX_COUNT;
use crate::log::lossy;

/// Nesting beyond this is skipped without being looked into.
const MAX_DEPTH: usize = 128;

/// How many values a tree has at most, so that it takes a few megabytes whatever is written. A report holds more, and its
/// long lists are read element by element.
const MAX_NODES: usize = 1 << 15;

/// The longest list, in bytes, that [`Cursor::part`] reads into a tree.
const MAX_LIST: usize = 256 * 1024;

/// Why reading stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The document ends before its last bracket.
    Truncated,
    /// At this offset stands something that is not JSON.
    Damaged(usize),
    /// At this offset stand more values than a tree has.
    Crowded(usize),
}

/// What a value begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Object,
    Array,
    Text,
    /// A number, `true`, `false` or `null`.
    Scalar,
}

/// Walks JSON bytes in place.
#[derive(Clone, Debug)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    pos: usize,
}

/// What a tree may still hold.
struct Room {
    values: usize,
    /// Long lists are left out.
    fold: bool,
}

/// A string of the document: its bytes between the quotes, still escaped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Text<'a> {
    pub raw: &'a [u8],
    /// Offset of the first byte behind the opening quote.
    pub start: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Cursor { bytes, pos: 0 }
    }

    pub(crate) fn pos(&self) -> usize {
        self.pos
    }

    /// Goes on at another offset.
    pub(crate) fn move_to(&mut self, pos: usize) {
        self.pos = pos.min(self.bytes.len());
    }

    #[inline]
    fn peek(&mut self) -> Result<u8, Stop> {
        match self.bytes.get(self.pos) {
            Some(&byte) if byte > b' ' => Ok(byte),
            _ => self.peek_behind_space(),
        }
    }

    fn peek_behind_space(&mut self) -> Result<u8, Stop> {
        while let Some(byte) = self.bytes.get(self.pos) {
            match byte {
                b' ' | b'\n' | b'\r' | b'\t' => self.pos += 1,
                _ => return Ok(*byte),
            }
        }
        Err(Stop::Truncated)
    }

    #[inline]
    fn expect(&mut self, wanted: u8) -> Result<(), Stop> {
        if self.peek()? == wanted {
            self.pos += 1;
            Ok(())
        } else {
            Err(Stop::Damaged(self.pos))
        }
    }

    /// What the next value is.
    #[inline]
    pub(crate) fn shape(&mut self) -> Result<Shape, Stop> {
        Ok(match self.peek()? {
            b'{' => Shape::Object,
            b'[' => Shape::Array,
            b'"' => Shape::Text,
            b'-' | b'0'..=b'9' | b't' | b'f' | b'n' | b'N' | b'I' => Shape::Scalar,
            _ => return Err(Stop::Damaged(self.pos)),
        })
    }

    /// Reads an object; `member` is called with each key and must read or skip the value. A value that is not an
    /// object is skipped.
    pub(crate) fn object(
        &mut self,
        mut member: impl FnMut(&str, &mut Cursor<'a>) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        self.members(|key, cursor| member(&key.decode(), cursor))
    }

    /// Like [`object`](Self::object), with the keys as they stand in the document.
    #[inline]
    pub(crate) fn members(
        &mut self,
        mut member: impl FnMut(Text<'a>, &mut Cursor<'a>) -> Result<(), Stop>,
    ) -> Result<(), Stop> {
        if self.shape()? != Shape::Object {
            return self.skip();
        }
        self.pos += 1;
        if self.peek()? == b'}' {
            self.pos += 1;
            return Ok(());
        }
        loop {
            let key = self.text()?;
            self.expect(b':')?;
            member(key, self)?;
            match self.peek()? {
                b',' => self.pos += 1,
                b'}' => {
                    self.pos += 1;
                    return Ok(());
                }
                _ => return Err(Stop::Damaged(self.pos)),
            }
            // A comma before the closing bracket is not JSON, and some hand-made messages have it.
            if self.peek()? == b'}' {
                self.pos += 1;
                return Ok(());
            }
        }
    }

    /// Reads an array; `element` must read or skip each value. A value that is not an array is skipped.
    pub(crate) fn array(&mut self, mut element: impl FnMut(&mut Cursor<'a>) -> Result<(), Stop>) -> Result<(), Stop> {
        if self.shape()? != Shape::Array {
            return self.skip();
        }
        self.pos += 1;
        if self.peek()? == b']' {
            self.pos += 1;
            return Ok(());
        }
        loop {
            element(self)?;
            match self.peek()? {
                b',' => self.pos += 1,
                b']' => {
                    self.pos += 1;
                    return Ok(());
                }
                _ => return Err(Stop::Damaged(self.pos)),
            }
            if self.peek()? == b']' {
                self.pos += 1;
                return Ok(());
            }
        }
    }

    /// Reads a string.
    #[inline]
    pub(crate) fn text(&mut self) -> Result<Text<'a>, Stop> {
        self.expect(b'"')?;
        let start = self.pos;
        self.skip_text()?;
        Ok(Text { raw: &self.bytes[start..self.pos - 1], start })
    }

    /// Moves behind the closing quote; the opening one has been read.
    #[inline]
    fn skip_text(&mut self) -> Result<(), Stop> {
        loop {
            self.pos = quote_or_backslash(self.bytes, self.pos);
            match self.bytes.get(self.pos) {
                Some(b'"') => {
                    self.pos += 1;
                    return Ok(());
                }
                Some(_) => self.pos = (self.pos + 2).min(self.bytes.len()),
                None => return Err(Stop::Truncated),
            }
        }
    }

    /// Moves behind these bytes, if they come next.
    #[inline]
    fn pass(&mut self, bytes: &[u8]) -> Option<()> {
        let next = self.bytes[self.pos..].starts_with(bytes);
        self.pos += if next { bytes.len() } else { 0 };
        next.then_some(())
    }

    /// Moves behind an array if it has no elements.
    pub(crate) fn empty_array(&mut self) -> bool {
        let mut next = self.pos + 1;
        while self.bytes.get(next).is_some_and(u8::is_ascii_whitespace) {
            next += 1;
        }
        let empty = self.bytes.get(self.pos) == Some(&b'[') && self.bytes.get(next) == Some(&b']');
        if empty {
            self.pos = next + 1;
        }
        empty
    }

    /// Whether a whole string stands in what begins at an offset.
    pub(crate) fn has_string_from(&self, start: usize) -> bool {
        let mut probe = Cursor { bytes: self.bytes, pos: start };
        while let Some(byte) = self.bytes.get(probe.pos) {
            if *byte == b'"' {
                return probe.text().is_ok();
            }
            probe.pos += 1;
        }
        false
    }

    /// Reads a string, or skips anything else.
    #[inline]
    pub(crate) fn maybe_text(&mut self) -> Result<Option<Text<'a>>, Stop> {
        if self.shape()? == Shape::Text { self.text().map(Some) } else { self.skip().map(|()| None) }
    }

    /// Reads a string as its decoded text, or skips anything else.
    pub(crate) fn maybe_string(&mut self) -> Result<Option<String>, Stop> {
        Ok(self.maybe_text()?.map(|text| text.decode().into_owned()))
    }

    /// Reads a number, or skips anything else.
    pub(crate) fn maybe_number(&mut self) -> Result<Option<f64>, Stop> {
        Ok(self.maybe_scalar()?.parse().ok())
    }

    /// The text of a number, `true`, `false` or `null`; that of anything else is empty.
    fn maybe_scalar(&mut self) -> Result<&'a str, Stop> {
        let start = self.pos;
        let scalar = self.shape()? == Shape::Scalar;
        self.skip()?;
        let text = self.bytes[start..self.pos].trim_ascii();
        Ok(if scalar { std::str::from_utf8(text).unwrap_or_default() } else { "" })
    }

    /// Reads a number that counts, or skips anything else.
    pub(crate) fn maybe_count(&mut self) -> Result<Option<u64>, Stop> {
        let text = self.maybe_scalar()?;
        // Nearly all are whole numbers, which are quicker to read.
        let number = || text.parse().ok().filter(|number: &f64| *number >= 0.0).map(|number| number as u64);
        Ok(text.parse().ok().or_else(number).map(|count: u64| count.min(MAX_COUNT)))
    }

    /// Reads `true` or `false`, or skips anything else.
    pub(crate) fn maybe_bool(&mut self) -> Result<Option<bool>, Stop> {
        let start = self.pos;
        self.skip()?;
        Ok(match self.bytes[start..self.pos].trim_ascii() {
            b"true" => Some(true),
            b"false" => Some(false),
            _ => None,
        })
    }

    /// Skips a value without recursion.
    pub(crate) fn skip(&mut self) -> Result<(), Stop> {
        match self.shape()? {
            Shape::Text => {
                self.pos += 1;
                return self.skip_text();
            }
            Shape::Scalar => {
                let rest = &self.bytes[self.pos..];
                let end =
                    rest.iter().position(|byte| matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t'));
                self.pos += end.unwrap_or(rest.len());
                // A scalar at the very end may have been cut, but a document is never only a scalar.
                return if end.is_some() { Ok(()) } else { Err(Stop::Truncated) };
            }
            Shape::Object | Shape::Array => {}
        }
        let mut depth = 0_u64;
        while let Some(&byte) = self.bytes.get(self.pos) {
            self.pos += 1;
            match byte {
                b'"' => self.skip_text()?,
                b'{' | b'[' => depth += 1,
                b'}' | b']' => {
                    depth -= 1;
                    if depth == 0 {
                        return Ok(());
                    }
                }
                _ => {}
            }
        }
        Err(Stop::Truncated)
    }

    /// Reads a value into a tree. What was complete before a cut is kept, and the stop is told beside it.
    pub(crate) fn node(&mut self) -> (Node<'a>, Option<Stop>) {
        self.node_at(0, &mut Room { values: MAX_NODES, fold: false })
    }

    /// Like [`node`](Self::node), but a list that is long is left [folded](Value::Folded).
    pub(crate) fn part(&mut self) -> (Node<'a>, Option<Stop>) {
        self.node_at(0, &mut Room { values: MAX_NODES, fold: true })
    }

    /// Whether the array or object that comes next ends within so many bytes.
    fn fits(&self, bytes: usize) -> bool {
        let near = &self.bytes[..self.bytes.len().min(self.pos.saturating_add(bytes))];
        near.len() == self.bytes.len() || Cursor { bytes: near, pos: self.pos }.skip().is_ok()
    }

    fn node_at(&mut self, depth: usize, room: &mut Room) -> (Node<'a>, Option<Stop>) {
        let start = self.pos;
        let shape = match self.shape() {
            Ok(shape) => shape,
            Err(stop) => return (Node { start, end: self.pos, whole: false, value: Value::Null }, Some(stop)),
        };
        let start = self.pos;
        let Some(values) = room.values.checked_sub(1) else {
            let stop = self.skip().err().unwrap_or(Stop::Crowded(start));
            return (Node { start, end: self.pos, whole: false, value: Value::Null }, Some(stop));
        };
        room.values = values;
        let (value, stop) = match shape {
            Shape::Array if room.fold && !self.fits(MAX_LIST) => (Value::Folded, self.skip().err()),
            Shape::Object if depth < MAX_DEPTH => {
                let mut members = Vec::new();
                let mut inner = None;
                let result = self.members(|key, cursor| {
                    let (node, stop) = cursor.node_at(depth + 1, room);
                    members.push((key.decode(), node));
                    inner = stop;
                    stop.map_or(Ok(()), Err)
                });
                (Value::Object(members), result.err().or(inner))
            }
            Shape::Array if depth < MAX_DEPTH => {
                // What is within a short list is short.
                let fold = std::mem::replace(&mut room.fold, false);
                let mut elements = Vec::new();
                let mut inner = None;
                let result = self.array(|cursor| {
                    let (node, stop) = cursor.node_at(depth + 1, room);
                    // An element that could not even begin is no element.
                    if !(stop.is_some() && node.is_null()) {
                        elements.push(node);
                    }
                    inner = stop;
                    stop.map_or(Ok(()), Err)
                });
                room.fold = fold;
                (Value::Array(elements), result.err().or(inner))
            }
            Shape::Object | Shape::Array => (Value::Null, self.skip().err()),
            Shape::Text => match self.text() {
                Ok(text) => (Value::Text(text), None),
                Err(stop) => (Value::Null, Some(stop)),
            },
            Shape::Scalar => {
                let stop = self.skip().err();
                let raw = &self.bytes[start..self.pos];
                let value = match raw {
                    // More of it may have followed.
                    _ if stop.is_some() => Value::Null,
                    b"true" => Value::Bool(true),
                    b"false" => Value::Bool(false),
                    _ => match std::str::from_utf8(raw).ok().and_then(|raw| raw.parse().ok()) {
                        Some(number) => Value::Number(number),
                        None => Value::Null,
                    },
                };
                (value, stop)
            }
        };
        (Node { start, end: self.pos, whole: stop.is_none(), value }, stop)
    }
}

/// The offset of the next quote or backslash at or behind `pos`, or the end.
#[inline]
pub(super) fn quote_or_backslash(bytes: &[u8], pos: usize) -> usize {
    near::find(bytes, pos, |byte| (byte == b'"') | (byte == b'\\'))
}

impl<'a> Text<'a> {
    /// The text with its escapes resolved; what cannot be resolved is kept or replaced, never lost.
    pub(crate) fn decode(&self) -> Cow<'a, str> {
        if memchr::memchr(b'\\', self.raw).is_none() {
            return lossy(self.raw);
        }
        let mut out = Vec::with_capacity(self.raw.len());
        let mut pos = 0;
        while pos < self.raw.len() {
            let plain = memchr::memchr(b'\\', &self.raw[pos..]).map_or(self.raw.len(), |at| pos + at);
            out.extend_from_slice(&self.raw[pos..plain]);
            pos = plain;
            if pos < self.raw.len() {
                pos = decode_one(self.raw, pos, &mut out);
            }
        }
        Cow::Owned(
            String::from_utf8(out).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
        )
    }

    /// The lines of the decoded text, each with the offsets of its raw bytes in the document.
    pub(crate) fn lines(&self) -> Vec<(String, usize, usize)> {
        let mut lines = Vec::new();
        self.each_line(usize::MAX, |text, start, end| {
            lines.push((text, start, end));
            true
        });
        lines
    }

    /// Tells the lines of the decoded text, each cut at a length in bytes, with the offsets of its raw bytes, until
    /// `line` wants no more.
    pub(crate) fn each_line(&self, width: usize, mut line: impl FnMut(String, usize, usize) -> bool) {
        let mut out = Vec::new();
        let mut from = 0;
        let mut pos = 0;
        let mut finish = |out: Vec<u8>, from: usize, to: usize| {
            let text = String::from_utf8(out);
            let text = text.unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
            line(text, self.start + from, self.start + to)
        };
        while pos < self.raw.len() {
            let plain = memchr::memchr2(b'\\', b'\n', &self.raw[pos..]).map_or(self.raw.len(), |at| pos + at);
            if plain > pos {
                let room = width.saturating_sub(out.len());
                out.extend_from_slice(&self.raw[pos..plain.min(pos.saturating_add(room))]);
                pos = plain;
                continue;
            }
            let known = out.len();
            let next = decode_one(self.raw, pos, &mut out);
            if out.last() == Some(&b'\n') {
                out.pop();
                if !finish(std::mem::take(&mut out), from, pos) {
                    return;
                }
                from = next;
            } else if known >= width {
                out.truncate(known);
            }
            pos = next;
        }
        finish(out, from, pos);
    }
}

/// Decodes the character or escape at `pos` and returns where the next begins.
fn decode_one(raw: &[u8], pos: usize, out: &mut Vec<u8>) -> usize {
    if raw[pos] != b'\\' {
        out.push(raw[pos]);
        return pos + 1;
    }
    let simple = match raw.get(pos + 1) {
        Some(b'n') => b'\n',
        Some(b't') => b'\t',
        Some(b'r') => b'\r',
        Some(b'b') => 0x08,
        Some(b'f') => 0x0c,
        Some(b'u') => {
            let Some(unit) = hex4(raw, pos + 2) else {
                out.push(b'\\');
                return pos + 1;
            };
            let mut next = pos + 6;
            let mut code = u32::from(unit);
            if (0xd800..0xdc00).contains(&unit)
                && raw.get(next) == Some(&b'\\')
                && raw.get(next + 1) == Some(&b'u')
                && let Some(low) = hex4(raw, next + 2)
                && (0xdc00..0xe000).contains(&low)
            {
                code = 0x10000 + ((code - 0xd800) << 10) + (u32::from(low) - 0xdc00);
                next += 6;
            }
            let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            return next;
        }
        Some(other) => *other,
        None => b'\\',
    };
    out.push(simple);
    (pos + 2).min(raw.len())
}

fn hex4(raw: &[u8], at: usize) -> Option<u16> {
    let digits = std::str::from_utf8(raw.get(at..at + 4)?).ok()?;
    u16::from_str_radix(digits, 16).ok()
}

/// A value with its place in the document.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node<'a> {
    pub start: usize,
    pub end: usize,
    /// It was read to its end.
    pub whole: bool,
    pub value: Value<'a>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value<'a> {
    Null,
    Bool(bool),
    Number(f64),
    Text(Text<'a>),
    Array(Vec<Node<'a>>),
    /// An array that is too long for a tree.
    Folded,
    Object(Vec<(Cow<'a, str>, Node<'a>)>),
}

impl<'a> Node<'a> {
    pub(crate) fn is_null(&self) -> bool {
        self.value == Value::Null
    }

    /// The member of an object; of several with the name, the first.
    pub(crate) fn get(&self, key: &str) -> Option<&Node<'a>> {
        self.members().iter().find(|(name, _)| name == key).map(|(_, node)| node)
    }

    /// The member at the end of a path of keys.
    pub(crate) fn at(&self, path: &[&str]) -> Option<&Node<'a>> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    pub(crate) fn members(&self) -> &[(Cow<'a, str>, Node<'a>)] {
        match &self.value {
            Value::Object(members) => members,
            _ => &[],
        }
    }

    pub(crate) fn elements(&self) -> &[Node<'a>] {
        match &self.value {
            Value::Array(elements) => elements,
            _ => &[],
        }
    }

    pub(crate) fn text(&self) -> Option<Text<'a>> {
        match &self.value {
            Value::Text(text) => Some(*text),
            _ => None,
        }
    }

    pub(crate) fn string(&self) -> Option<String> {
        self.text().map(|text| text.decode().into_owned())
    }

    pub(crate) fn number(&self) -> Option<f64> {
        match self.value {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }

    pub(crate) fn count(&self) -> Option<u64> {
        self.number().filter(|number| *number >= 0.0).map(|number| (number as u64).min(MAX_COUNT))
    }

    pub(crate) fn bool(&self) -> Option<bool> {
        match self.value {
            Value::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// The text of a member that is a string.
    pub(crate) fn text_at(&self, key: &str) -> Option<Text<'a>> {
        self.get(key)?.text()
    }

    /// A member that is a string.
    pub(crate) fn string_at(&self, key: &str) -> Option<String> {
        self.get(key)?.string()
    }

    /// A member that counts.
    pub(crate) fn count_at(&self, key: &str) -> Option<u64> {
        self.get(key)?.count()
    }

    /// A member that is a time, in seconds; `unit` of it make one.
    pub(crate) fn seconds_at(&self, key: &str, unit: f64) -> Option<f64> {
        self.get(key)?.number().filter(|time| *time >= 0.0).map(|time| time / unit)
    }

    /// Whether a member is `true`.
    pub(crate) fn is(&self, key: &str) -> bool {
        self.get(key).and_then(Node::bool) == Some(true)
    }

    /// The elements of a member that is an array.
    pub(crate) fn list(&self, key: &str) -> &[Node<'a>] {
        self.get(key).map_or(&[], Node::elements)
    }
}

/// Maps offsets of a document to places in the original input.
pub(crate) struct Lines {
    base: super::Place,
    /// Offsets of the line ends.
    ends: Vec<usize>,
}

impl Lines {
    pub(crate) fn new(document: &[u8], base: super::Place) -> Self {
        Lines { base, ends: memchr::memchr_iter(b'\n', document).collect() }
    }

    /// The span of a range of the document.
    pub(crate) fn span(&self, start: usize, end: usize) -> crate::report::Span {
        let line = |offset: usize| self.base.line + self.ends.partition_point(|at| *at < offset) as u64;
        crate::report::Span {
            line: line(start),
            last_line: line(end.max(start + 1) - 1),
            byte_start: self.base.byte + start as u64,
            byte_end: self.base.byte + end as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_tree_with_places() {
        let text = br#" {"a": [1, "x\ny", true, null], "b": {"c": -2.5e1}} "#;
        let (node, stop) = Cursor::new(text).node();
        assert_eq!(stop, None);
        assert_eq!(node.at(&["b", "c"]).unwrap().number(), Some(-25.0));
        let x = node.get("a").unwrap().elements()[1].text().unwrap();
        assert_eq!(x.decode(), "x\ny");
        assert_eq!(x.lines(), [("x".to_owned(), 12, 13), ("y".to_owned(), 15, 16)]);
    }

    #[test]
    fn keeps_what_was_complete_before_a_cut() {
        let whole = br#"{"a": ["one", "two", {"k": "v", "l": 1}], "b": 2}"#;
        for end in 0..whole.len() {
            let (node, stop) = Cursor::new(&whole[..end]).node();
            assert_eq!(stop, Some(Stop::Truncated), "cut at {end}: {node:?}");
        }
        let (node, _) = Cursor::new(&whole[..25]).node();
        assert_eq!(node.get("a").unwrap().elements()[1].string().as_deref(), Some("two"));
    }

    #[test]
    fn escapes_are_resolved_and_bad_ones_kept() {
        let decode = |raw: &str| Text { raw: raw.as_bytes(), start: 0 }.decode().into_owned();
        assert_eq!(decode(r#"a\u00e9\ud83d\ude00\"\\\/"#), "aé😀\"\\/");
        assert_eq!(decode(r"\ud83d!"), "\u{fffd}!");
        assert_eq!(decode(r"\uZZ"), r"\uZZ");
        assert_eq!(decode("end\\"), "end\\");
    }

    #[test]
    fn deep_nesting_neither_recurses_nor_hangs() {
        let deep = [b"[".repeat(100_000), b"]".repeat(100_000)].concat();
        assert_eq!(Cursor::new(&deep).skip(), Ok(()));
        assert_eq!(Cursor::new(&deep).node().1, None);
    }

    #[test]
    fn damage_is_told_with_its_place() {
        assert_eq!(Cursor::new(b"{\"a\" 1}").node().1, Some(Stop::Damaged(5)));
        assert_eq!(Cursor::new(b"{\"a\": 1,}").node().1, None);
    }
}
