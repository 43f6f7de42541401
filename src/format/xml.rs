//! A pull lexer for XML as test tools write it, which is often not quite XML.
//!
//! It borrows from the bytes at hand, never copies, never recurses and never fails: a bare `&`, a `<` in an attribute,
//! control characters, undefined entities and unclosed elements are all let through. Entities of a document type are
//! never expanded. It works on a window of the input: what is not whole yet is left to be offered again, but for
//! text, which comes in pieces of any size.

pub(crate) mod document;
pub(crate) mod results;
pub(crate) mod text;

use memchr::{memchr, memrchr};

use super::Place;

/// A start tag longer than this is taken as far as it goes.
const MAX_TAG: usize = 4 * 1024 * 1024;

/// A comment, processing instruction or document type longer than this is passed over without a look at it.
const MAX_ASIDE: usize = 64 * 1024;

/// The longest reference that is resolved, `&` and `;` included.
const MAX_REFERENCE: usize = 12;

/// The bytes at hand and how far they are read.
#[derive(Debug)]
pub(crate) struct Window<'a> {
    pub data: &'a [u8],
    pub pos: usize,
    /// Nothing comes behind `data`.
    pub eof: bool,
    start: u64,
    /// Lines are counted up to here.
    counted: usize,
    line: u64,
    /// The byte before the window ends a line.
    fresh: bool,
}

impl<'a> Window<'a> {
    pub(crate) fn new(data: &'a [u8], at: Place, eof: bool, fresh: bool) -> Self {
        Window { data, pos: 0, eof, start: at.byte, counted: 0, line: at.line, fresh }
    }

    /// The offset in the original input of an offset in the window.
    pub(crate) fn byte(&self, at: usize) -> u64 {
        self.start + at as u64
    }

    /// The line in the original input of an offset in the window.
    pub(crate) fn line(&mut self, at: usize) -> u64 {
        if at < self.counted {
            return self.line - memchr::memchr_iter(b'\n', &self.data[at..self.counted]).count() as u64;
        }
        self.line += memchr::memchr_iter(b'\n', &self.data[self.counted..at]).count() as u64;
        self.counted = at;
        self.line
    }

    /// The line of the last byte before an offset.
    pub(crate) fn last_line(&mut self, to: usize) -> u64 {
        match to {
            0 => (self.line(0) - u64::from(self.fresh)).max(1),
            _ => self.line(to - 1),
        }
    }

    /// Where in the original input the window is read up to.
    pub(crate) fn place(&mut self) -> Place {
        Place { byte: self.byte(self.pos), line: self.line(self.pos) }
    }
}

/// One piece of markup or text. Offsets are those of the window.
#[derive(Debug)]
pub(crate) enum Event<'a, 't> {
    Start(Tag<'a, 't>),
    /// An end tag, by the key of its name.
    End {
        key: u64,
        at: usize,
    },
    /// The end of an element whose start tag was too long to be held.
    EndLong,
    /// A piece of text: raw, so references stand in it unless it is from a `CDATA` section.
    Text {
        raw: &'a [u8],
        cdata: bool,
        at: usize,
    },
    Comment {
        raw: &'a [u8],
    },
    /// `<?…?>`, without its brackets.
    Instruction {
        raw: &'a [u8],
        at: usize,
    },
    DocumentType {
        at: usize,
    },
    /// What follows is not whole yet.
    More,
    /// Nothing follows.
    Eof,
}

/// A start tag.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tag<'a, 't> {
    /// From `<` to behind `>`.
    pub raw: &'a [u8],
    /// The name without its prefix, as a number.
    pub key: u64,
    /// It has no content: `<a/>`.
    pub empty: bool,
    /// The input ended, or the limit was reached, before its `>`.
    pub cut: bool,
    /// Where it begins.
    pub at: usize,
    attributes: &'t [Attribute],
}

impl<'a, 't> Tag<'a, 't> {
    /// Name without prefix, raw value, and where the value begins in the window.
    pub(crate) fn attributes(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8], usize)> + use<'a, 't> {
        let Tag { raw, at, .. } = *self;
        self.attributes.iter().map(move |attribute| {
            let Attribute { name: (name, name_end), value: (value, value_end) } = *attribute;
            let name = &raw[name as usize..name_end as usize];
            (name, &raw[value as usize..value_end as usize], at + value as usize)
        })
    }

    /// The raw value of the first attribute with this name.
    pub(crate) fn get(&self, wanted: &[u8]) -> Option<&'a [u8]> {
        self.attributes().find(|(name, ..)| name.eq_ignore_ascii_case(wanted)).map(|(_, value, _)| value)
    }
}

/// Offsets from the `<` of the tag.
#[derive(Clone, Copy, Debug)]
struct Attribute {
    name: (u32, u32),
    value: (u32, u32),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Mode {
    #[default]
    Content,
    Cdata,
    /// Within a comment, instruction or document type that is too long to be looked at; it ends with these bytes.
    Aside(&'static [u8]),
    /// Within a start tag that is too long to be held, in quotes or not.
    Long(Option<u8>),
}

/// What the lexer remembers between windows.
#[derive(Debug, Default)]
pub(crate) struct Lexer {
    mode: Mode,
    attributes: Vec<Attribute>,
    resume: Option<Resume>,
    /// A document type was met.
    typed: bool,
}

/// How far an unfinished start tag was read, so that it is not read again from its beginning.
#[derive(Clone, Copy, Debug)]
struct Resume {
    /// Where the tag begins in the original input.
    byte: u64,
    /// Where to go on, from the `<`.
    at: usize,
    /// The value that is open there: its name, its beginning, its quote.
    value: Option<((u32, u32), u32, u8)>,
}

enum Scan {
    Whole {
        end: usize,
        empty: bool,
    },
    Incomplete,
    /// It is no tag: its `<` is text.
    Text,
}

impl Lexer {
    /// The next event, and moves the window behind it. The window stands still at [`Event::More`].
    pub(crate) fn next<'a>(&mut self, window: &mut Window<'a>) -> Event<'a, '_> {
        loop {
            let data = window.data;
            if window.pos >= data.len() {
                return if window.eof { Event::Eof } else { Event::More };
            }
            let start = window.pos;
            match self.mode {
                Mode::Content => {}
                Mode::Cdata => return self.cdata(window),
                Mode::Aside(end) => match find(&data[start..], end) {
                    Some(at) => {
                        window.pos = start + at + end.len();
                        self.mode = Mode::Content;
                        continue;
                    }
                    None if window.eof => {
                        window.pos = data.len();
                        return Event::Eof;
                    }
                    None => {
                        window.pos = data.len().saturating_sub(end.len() - 1).max(start);
                        return Event::More;
                    }
                },
                Mode::Long(quote) => match self.long(window, quote) {
                    Some(true) => return Event::EndLong,
                    Some(false) => continue,
                    None => return if window.eof { Event::Eof } else { Event::More },
                },
            }
            if data[start] != b'<' {
                return content(window);
            }
            let rest = &data[start..];
            match rest.get(1) {
                None if !window.eof => return Event::More,
                Some(b'/') => {
                    let Some((key, end)) = end_tag(rest) else {
                        if window.eof || rest.len() > MAX_ASIDE {
                            window.pos = data.len();
                            return Event::Text { raw: &[], cdata: false, at: start };
                        }
                        return Event::More;
                    };
                    window.pos = start + end;
                    return Event::End { key, at: start };
                }
                Some(b'!') if rest.starts_with(b"<![CDATA[") => {
                    window.pos += 9;
                    self.mode = Mode::Cdata;
                    continue;
                }
                Some(b'!') if !window.eof && rest.len() < 9 => return Event::More,
                Some(b'!') if rest.starts_with(b"<!--") => {
                    if let Some(raw) = self.aside(window, 4, b"-->") {
                        return Event::Comment { raw };
                    }
                }
                // A document has one type; a second is damage, and not worth a look at what it may nest.
                Some(b'!') if self.typed => {
                    self.mode = Mode::Aside(b">");
                    window.pos += 1;
                    continue;
                }
                Some(b'!') => {
                    let end = match document_type_end(&rest[..rest.len().min(MAX_ASIDE)]) {
                        Some(end) => end,
                        None if window.eof || rest.len() > MAX_ASIDE => {
                            self.mode = Mode::Aside(b">");
                            1
                        }
                        None => return Event::More,
                    };
                    self.typed = true;
                    window.pos = start + end;
                    return Event::DocumentType { at: start };
                }
                Some(b'?') => {
                    if let Some(raw) = self.aside(window, 2, b"?>") {
                        return Event::Instruction { raw, at: start };
                    }
                }
                Some(byte) if byte.is_ascii_alphabetic() || matches!(byte, b'_' | b':' | 0x80..) => {
                    return self.tag(window);
                }
                None | Some(_) => {
                    window.pos += 1;
                    return Event::Text { raw: &rest[..1], cdata: false, at: start };
                }
            }
            if self.mode == Mode::Content {
                return Event::More;
            }
        }
    }

    /// A comment or instruction, if it is whole. A very long one is passed over piece by piece.
    fn aside<'a>(&mut self, window: &mut Window<'a>, open: usize, close: &'static [u8]) -> Option<&'a [u8]> {
        let rest = &window.data[window.pos..];
        if let Some(end) = find(&rest[open..], close) {
            window.pos += open + end + close.len();
            return Some(&rest[open..open + end]);
        }
        if window.eof || rest.len() > MAX_ASIDE {
            window.pos += open;
            self.mode = Mode::Aside(close);
        }
        None
    }

    fn cdata<'a>(&mut self, window: &mut Window<'a>) -> Event<'a, 'static> {
        let at = window.pos;
        let rest = &window.data[at..];
        if let Some(end) = find(rest, b"]]>") {
            self.mode = Mode::Content;
            window.pos += end + 3;
            return Event::Text { raw: &rest[..end], cdata: true, at };
        }
        let mut end = rest.len();
        if !window.eof {
            while end > 0 && rest.len() - end < 2 && rest[end - 1] == b']' {
                end -= 1;
            }
            end = whole_characters(&rest[..end]);
        }
        if end == 0 {
            return Event::More;
        }
        window.pos += end;
        Event::Text { raw: &rest[..end], cdata: true, at }
    }

    fn tag<'a>(&mut self, window: &mut Window<'a>) -> Event<'a, '_> {
        let start = window.pos;
        let rest = &window.data[start..];
        let (key, name_end) = tag_name(rest);
        let resume = self.resume.take().filter(|resume| resume.byte == window.byte(start));
        let resume = resume.unwrap_or_else(|| {
            self.attributes.clear();
            Resume { byte: window.byte(start), at: name_end, value: None }
        });
        let (end, empty, cut) = match self.attributes(rest, resume) {
            Scan::Whole { end, empty } => (end, empty, false),
            Scan::Text => {
                window.pos += 1;
                return Event::Text { raw: &rest[..1], cdata: false, at: start };
            }
            Scan::Incomplete if window.eof || rest.len() > MAX_TAG => {
                let value = self.resume.take().and_then(|resume| resume.value);
                if let Some((name, value, quote)) = value {
                    self.attributes.push(Attribute { name, value: (value, rest.len() as u32) });
                    self.mode = Mode::Long(Some(quote));
                } else {
                    self.mode = Mode::Long(None);
                }
                (rest.len(), false, true)
            }
            Scan::Incomplete => return Event::More,
        };
        window.pos += end;
        let attributes = &self.attributes;
        Event::Start(Tag { raw: &rest[..end], key, empty, cut, at: start, attributes })
    }

    /// Reads attributes in `tag`, which begins with `<`.
    fn attributes(&mut self, tag: &[u8], resume: Resume) -> Scan {
        let Resume { byte, at: mut pos, value: mut open } = resume;
        let incomplete = |lexer: &mut Lexer, at: usize, value| {
            lexer.resume = Some(Resume { byte, at, value });
            Scan::Incomplete
        };
        loop {
            if let Some((name, value, quote)) = open.take() {
                let Some(end) = memchr(quote, &tag[pos..]) else {
                    return incomplete(self, tag.len(), Some((name, value, quote)));
                };
                self.attributes.push(Attribute { name, value: (value, (pos + end) as u32) });
                pos += end + 1;
            }
            let begin = pos;
            let Some(&byte) = tag.get(pos) else { return incomplete(self, begin, None) };
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' => {
                    pos += 1;
                    continue;
                }
                b'>' => return Scan::Whole { end: pos + 1, empty: tag[pos - 1] == b'/' },
                b'<' => return Scan::Text,
                b'/' | b'"' | b'\'' | b'=' => {
                    pos += 1;
                    continue;
                }
                _ => {}
            }
            while tag.get(pos).is_some_and(|byte| !ends_name(*byte)) {
                pos += 1;
            }
            let name = (begin as u32, pos as u32);
            while tag.get(pos).is_some_and(u8::is_ascii_whitespace) {
                pos += 1;
            }
            match tag.get(pos) {
                None => return incomplete(self, begin, None),
                Some(b'=') => pos += 1,
                Some(_) => continue,
            }
            while tag.get(pos).is_some_and(u8::is_ascii_whitespace) {
                pos += 1;
            }
            match tag.get(pos) {
                None => return incomplete(self, begin, None),
                Some(quote @ (b'"' | b'\'')) => {
                    pos += 1;
                    open = Some((name, pos as u32, *quote));
                }
                // A value without quotes ends as a name does.
                Some(_) => {
                    let value = pos as u32;
                    while tag.get(pos).is_some_and(|byte| !byte.is_ascii_whitespace() && !matches!(byte, b'>' | b'<')) {
                        pos += 1;
                    }
                    if pos == tag.len() {
                        return incomplete(self, begin, None);
                    }
                    self.attributes.push(Attribute { name, value: (value, pos as u32) });
                }
            }
        }
    }

    /// Passes over the rest of an overlong tag: whether it was an empty element, or nothing if it goes on.
    fn long(&mut self, window: &mut Window<'_>, mut quote: Option<u8>) -> Option<bool> {
        let rest = &window.data[window.pos..];
        let mut pos = 0;
        while pos < rest.len() {
            let found = match quote {
                Some(quote) => memchr(quote, &rest[pos..]),
                None => memchr::memchr3(b'>', b'"', b'\'', &rest[pos..]),
            };
            let Some(found) = found else { break };
            pos += found;
            match rest[pos] {
                b'>' if quote.is_none() => {
                    window.pos += pos + 1;
                    self.mode = Mode::Content;
                    return Some(pos > 0 && rest[pos - 1] == b'/');
                }
                _ if quote.is_some() => quote = None,
                byte => quote = Some(byte),
            }
            pos += 1;
        }
        window.pos = window.data.len();
        self.mode = Mode::Long(quote);
        None
    }
}

/// How much text is shown at a time. Among lines that are not the document's, the text behind each is looked at anew.
const MAX_TEXT: usize = 16 * 1024;

/// Text up to the next markup, or as much of it as is at hand.
fn content<'a>(window: &mut Window<'a>) -> Event<'a, 'static> {
    let at = window.pos;
    let rest = &window.data[at..];
    let all = rest.len() <= MAX_TEXT;
    let rest = &rest[..rest.len().min(MAX_TEXT)];
    let end = match memchr(b'<', rest) {
        Some(end) => end,
        None if window.eof && all => rest.len(),
        None => {
            // A reference or a character that is cut by the edge waits for its rest.
            let tail = rest.len().saturating_sub(MAX_REFERENCE);
            let end = match memrchr(b'&', &rest[tail..]) {
                Some(start) if memchr(b';', &rest[tail + start..]).is_none() => tail + start,
                _ => whole_characters(rest),
            };
            if end == 0 {
                return Event::More;
            }
            end
        }
    };
    window.pos += end;
    Event::Text { raw: &rest[..end], cdata: false, at }
}

/// How many bytes there are up to a character that is cut by the end.
fn whole_characters(bytes: &[u8]) -> usize {
    let back = bytes.iter().rev().take(4).position(|byte| !(0x80..0xc0).contains(byte));
    let Some(back) = back else { return bytes.len() };
    let lead = bytes.len() - 1 - back;
    let length = match bytes[lead] {
        0xf0.. => 4,
        0xe0.. => 3,
        0xc0.. => 2,
        _ => 1,
    };
    if lead + length > bytes.len() { lead } else { bytes.len() }
}

/// Where a short marker that ends with `>` stands.
fn find(haystack: &[u8], marker: &[u8]) -> Option<usize> {
    let (last, before) = marker.split_last()?;
    let mut from = 0;
    while let Some(at) = memchr(*last, &haystack[from..]) {
        let end = from + at;
        if haystack[..end].ends_with(before) {
            return Some(end - before.len());
        }
        from = end + 1;
    }
    None
}

/// The end of `<!DOCTYPE … [ … ]>`, if it is whole. Nothing in it is declared.
fn document_type_end(bytes: &[u8]) -> Option<usize> {
    let mut pos = 0;
    let mut depth = 0_u32;
    loop {
        match bytes.get(pos)? {
            quote @ (b'"' | b'\'') => pos += memchr(*quote, &bytes[pos + 1..])? + 1,
            b'<' if bytes[pos..].starts_with(b"<!--") => pos += 4 + find(&bytes[pos + 4..], b"-->")? + 2,
            b'<' => depth += 1,
            b'>' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(pos + 1);
                }
            }
            _ => {}
        }
        pos += 1;
    }
}

/// Whether a byte ends a name, as a table: names are what there is most of.
static ENDS_NAME: [bool; 256] = {
    let mut ends = [false; 256];
    let mut at = 0;
    let bytes = b" \t\n\r/><=\"'";
    while at < bytes.len() {
        ends[bytes[at] as usize] = true;
        at += 1;
    }
    ends
};

fn ends_name(byte: u8) -> bool {
    ENDS_NAME[usize::from(byte)]
}

/// The key of the name in a start tag, its prefix left out, and where the name ends.
fn tag_name(tag: &[u8]) -> (u64, usize) {
    let mut key = KEY;
    let mut at = 1;
    while let Some(&byte) = tag.get(at)
        && !ends_name(byte)
    {
        key = if byte == b':' { KEY } else { mix(key, byte) };
        at += 1;
    }
    (key, at)
}

/// The key of the name in an end tag, and where the tag ends. A name that is cut by the next tag ends there.
fn end_tag(tag: &[u8]) -> Option<(u64, usize)> {
    let mut key = KEY;
    let mut at = 2;
    loop {
        match *tag.get(at)? {
            b'>' => return Some((key, at + 1)),
            b'<' => return Some((key, at)),
            b':' => key = KEY,
            b' ' | b'\t' | b'\n' | b'\r' => {}
            byte => key = mix(key, byte),
        }
        at += 1;
    }
}

/// A name without its namespace prefix.
pub(crate) fn local(name: &[u8]) -> &[u8] {
    match memrchr(b':', name) {
        Some(colon) => &name[colon + 1..],
        None => name,
    }
}

/// A number for the name of an element, whatever its case, so that names are compared at once.
pub(crate) const fn key(name: &[u8]) -> u64 {
    let mut key = KEY;
    let mut at = 0;
    while at < name.len() {
        key = mix(key, name[at]);
        at += 1;
    }
    key
}

/// The key of no name.
const KEY: u64 = 0xcbf2_9ce4_8422_2325;

/// The key of a name that goes on with one more byte.
const fn mix(key: u64, byte: u8) -> u64 {
    (key ^ byte.to_ascii_lowercase() as u64).wrapping_mul(0x0100_0000_01b3)
}

/// The root element of a document by its first bytes, comments and instructions passed over: its local name, and the
/// bytes from it on.
pub(crate) fn root(head: &[u8]) -> Option<(&[u8], &[u8])> {
    if head.first() != Some(&b'<') {
        return None;
    }
    let mut pos = 0;
    loop {
        let rest = head[pos..].trim_ascii_start();
        pos = head.len() - rest.len();
        if rest.starts_with(b"<!--") {
            pos += 7 + find(&rest[4..], b"-->")?;
        } else if rest.starts_with(b"<?") {
            pos += 4 + find(&rest[2..], b"?>")?;
        } else if rest.starts_with(b"<!") {
            pos += document_type_end(rest)?;
        } else if rest.first() == Some(&b'<') {
            let end = rest[1..].iter().position(|byte| ends_name(*byte)).unwrap_or(rest.len() - 1) + 1;
            return Some((local(&rest[1..end]), rest));
        } else {
            return None;
        }
    }
}
