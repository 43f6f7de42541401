//! Drives a reader of one XML format over a document: open elements, damage, truncation, the end of the document.

use std::sync::LazyLock;

use memchr::memmem;

use super::text::Encoding;
use super::{Event, Lexer, Tag, Window, key};
use crate::format::{Parse, Place};
use crate::item::Item;
use crate::log::strip_escapes;
use crate::report::{Note, PassedCase, Span};

/// How many open elements are remembered. Deeper ones are only counted.
pub(crate) const MAX_DEPTH: usize = 1 << 17;

/// How far up an end tag looks for its element.
const MAX_UNWIND: usize = 64;

/// What a reader of a format may use while it looks at an element.
pub(crate) struct Context<'a, 'w> {
    pub window: &'w mut Window<'a>,
    pub encoding: &'w mut Encoding,
    pub out: &'w mut dyn FnMut(Item),
    /// Passing cases are asked for: only then are their names decoded.
    pub keep_passed: bool,
}

impl Context<'_, '_> {
    /// Tells of a case that passed, which is described only where such cases are asked for.
    pub(crate) fn passed(&mut self, case: impl FnOnce(&mut Encoding) -> PassedCase) {
        if self.keep_passed {
            (self.out)(Item::Passed(case(self.encoding)));
        }
    }

    /// A span of the window in the original input.
    pub(crate) fn span(&mut self, from: usize, to: usize) -> Span {
        let line = self.window.line(from);
        let last_line = self.window.last_line(to).max(line);
        self.encoding.line = line;
        Span { line, last_line, byte_start: self.window.byte(from), byte_end: self.window.byte(to) }
    }

    /// A span that goes on to an offset of the window.
    pub(crate) fn extend(&mut self, span: Span, to: usize) -> Span {
        let byte_end = self.window.byte(to).max(span.byte_end);
        Span { byte_end, last_line: self.window.last_line(to).max(span.last_line), ..span }
    }
}

/// Understands the elements of one format.
pub(crate) trait Reader {
    /// Whether it makes something of a start tag that was cut: its name may be another's and its last value a part.
    const READS_CUT_TAGS: bool = false;

    /// The root element begins; it is told to [`start`](Reader::start) as well.
    fn root(&mut self, _tag: &Tag<'_, '_>, _context: &mut Context<'_, '_>) {}

    /// Whether text has no meaning at this place, so that whole lines of it were printed by something else between
    /// the lines of the document. `among` says that the document itself stands among other lines.
    fn takes_no_text(&self, _among: bool) -> bool {
        false
    }

    /// An element begins. With an empty one, its end follows.
    fn start(&mut self, tag: &Tag<'_, '_>, context: &mut Context<'_, '_>);

    /// A piece of text, raw unless it is from a `CDATA` section.
    fn text(&mut self, raw: &[u8], cdata: bool, at: usize, context: &mut Context<'_, '_>);

    /// The element with this name ends; its end tag, if there is one, stands from `from` to `to`.
    fn end(&mut self, key: u64, from: usize, to: usize, context: &mut Context<'_, '_>);

    /// An element within the document is over. What follows may be read from the window at once, as far as it is whole
    /// elements.
    fn ended(&mut self, _key: u64, _context: &mut Context<'_, '_>) {}

    /// The window is read and will move on: offsets in it lose their meaning.
    fn edge(&mut self, _context: &mut Context<'_, '_>) {}

    /// A comment.
    fn comment(&mut self, _raw: &[u8]) {}

    /// The document ends; with `whole` unset, before its root element did.
    fn finish(&mut self, whole: bool, context: &mut Context<'_, '_>);
}

/// A parser for a format of XML.
#[derive(Debug, Default)]
pub(crate) struct Document<R> {
    lexer: Lexer,
    encoding: Encoding,
    reader: R,
    /// The keys of the open elements.
    open: Vec<u64>,
    /// How many open elements there are beyond those.
    deeper: u64,
    begun: bool,
    done: bool,
    /// The last byte that was read ends a line.
    fresh: bool,
    ill_formed: u64,
    keep_passed: bool,
    /// Other lines stand before it.
    among: bool,
    /// How many bytes behind what was read are lines of something else.
    aside: usize,
    /// A console broke into the text of an element: up to the next markup nobody knows whose a line is.
    broken_into: bool,
}

/// The longest line that is taken for one of something else.
const MAX_FOREIGN: usize = 64 * 1024;

/// Markup that makes a line one of the document, wherever in the line it stands.
const MARKUP: &[&[u8]] =
    &[b"</", b"<?xml", b"<!", b"<test", b"<failure", b"<error", b"<skipped", b"<system-", b"<propert"];

/// Begins a part of a console that may be printed in the middle of what another reporter writes.
static INTRUDERS: LazyLock<[memmem::Finder<'static>; 2]> =
    LazyLock::new(|| ["⎯⎯⎯⎯", " FAIL "].map(memmem::Finder::new));

/// Where a console begins to print within text from `at` to `end`, in the middle of what the document's producer
/// writes: a line drawn across, or the heading of a test that failed.
fn intruder(data: &[u8], at: usize, end: usize) -> Option<usize> {
    let found = INTRUDERS.iter().filter_map(|words| words.find(&data[at..end])).map(|found| at + found);
    found
        .filter_map(|found| {
            let start = at + memchr::memrchr(b'\n', &data[at..found])? + 1;
            let line = &data[start..memchr::memchr(b'\n', &data[found..]).map_or(data.len(), |length| found + length)];
            let text = strip_escapes(line);
            // A bar without words stands in the texts of Vitest itself.
            let worded = text.contains(|c: char| c.is_ascii_alphanumeric());
            let heads = text.starts_with("⎯⎯⎯⎯") && worded || text.starts_with(" FAIL ") && text.contains(" > ");
            heads.then_some(start)
        })
        .min()
}

/// Where the first line stands that is not the document's, in text from `at` to `end`; its end is unknown where it may
/// go on behind the window.
fn foreign_line(window: &Window<'_>, fresh: bool, at: usize, end: usize) -> Option<(usize, Option<usize>)> {
    let data = window.data;
    let mut from = at;
    loop {
        let first = from + data[from..end].iter().position(|byte| !byte.is_ascii_whitespace())?;
        let start = match memchr::memrchr(b'\n', &data[from..first]) {
            Some(line_end) => Some(from + line_end + 1),
            None if from == 0 => fresh.then_some(0),
            None => (data[from - 1] == b'\n').then_some(from),
        };
        let Some(start) = start else {
            // The rest of a line of the document.
            from = first + memchr::memchr(b'\n', &data[first..end])?;
            continue;
        };
        let line_end = match memchr::memchr(b'\n', &data[start..]) {
            Some(length) => start + length + 1,
            None if window.eof => data.len(),
            None if data.len() - start > MAX_FOREIGN => return None,
            None => return Some((start, None)),
        };
        let line = &data[start..line_end];
        let markup = MARKUP.iter().any(|markup| memmem::find(line, markup).is_some());
        return (!markup && line.len() <= MAX_FOREIGN).then_some((start, Some(line_end)));
    }
}

const XML: &[u8] = b"xml";

impl<R: Reader> Document<R> {
    fn run(&mut self, window: &mut Window<'_>, out: &mut dyn FnMut(Item)) {
        while !self.done {
            let Document { lexer, encoding, reader, open, deeper, begun, keep_passed, .. } = self;
            let event = lexer.next(window);
            self.broken_into &= matches!(event, Event::Text { cdata: false, .. } | Event::More);
            let mut context = Context { window, encoding, out, keep_passed: *keep_passed };
            match event {
                Event::Text { raw, cdata, at } => {
                    let end = at + raw.len();
                    let mut foreign = None;
                    if !cdata && (!open.is_empty() || !*begun) {
                        if self.broken_into || reader.takes_no_text(self.among) {
                            foreign = foreign_line(context.window, self.fresh, at, end);
                        } else if self.among
                            && let Some(start) = intruder(context.window.data, at, end)
                        {
                            self.broken_into = true;
                            let data = context.window.data;
                            reader.text(&data[at..start], cdata, at, &mut context);
                            foreign = foreign_line(context.window, true, start, end);
                        }
                    }
                    if let Some((from, to)) = foreign {
                        reader.edge(&mut context);
                        context.window.pos = from;
                        self.aside = to.map_or(0, |to| to - from);
                        return;
                    }
                    if !open.is_empty() {
                        reader.text(raw, cdata, at, &mut context);
                    } else if !raw.trim_ascii().is_empty() && *begun {
                        context.window.pos = at;
                        self.done = true;
                    }
                }
                Event::Start(tag) => {
                    let root = !std::mem::replace(begun, true);
                    if !tag.cut || R::READS_CUT_TAGS {
                        if root {
                            reader.root(&tag, &mut context);
                        }
                        reader.start(&tag, &mut context);
                    }
                    if tag.empty {
                        let to = context.window.pos;
                        reader.end(tag.key, to, to, &mut context);
                        if open.is_empty() {
                            reader.finish(true, &mut context);
                            self.done = true;
                        } else {
                            reader.ended(tag.key, &mut context);
                        }
                    } else if open.len() < MAX_DEPTH {
                        open.push(tag.key);
                    } else {
                        *deeper += 1;
                    }
                }
                Event::End { key, at } => self.end(key, at, window, out),
                Event::EndLong => {
                    let at = window.pos;
                    if let Some(key) = self.open.last().copied() {
                        self.end(key, at, window, out);
                    }
                }
                Event::Comment { raw } => reader.comment(raw),
                Event::Instruction { raw, at } => {
                    let declaration = raw.starts_with(XML) && raw.get(3).is_none_or(u8::is_ascii_whitespace);
                    if declaration && *begun {
                        // Another document begins before this one ended.
                        context.window.pos = at;
                        self.cut(window, out);
                    } else if declaration {
                        let declared = declared_encoding(raw);
                        context.encoding.single_byte = declared == Declared::SingleByte;
                        if let Declared::Other(name) = declared {
                            let line = context.window.line(at);
                            let message = format!("the document declares the encoding {name}; it is read as UTF-8");
                            (context.out)(Item::Note(Note::info(Some(line), message)));
                        }
                    }
                }
                Event::DocumentType { at } => {
                    let line = context.window.line(at);
                    (context.out)(Item::Note(Note::info(
                        Some(line),
                        "the document type is ignored; its entities are not expanded",
                    )));
                }
                Event::More => {
                    reader.edge(&mut context);
                    return;
                }
                Event::Eof => self.cut(window, out),
            }
        }
    }

    fn end(&mut self, key: u64, at: usize, window: &mut Window<'_>, out: &mut dyn FnMut(Item)) {
        if self.deeper > 0 {
            self.deeper -= 1;
        } else if self.open.last() == Some(&key) {
            self.open.pop();
        } else {
            let near = self.open.iter().rev().take(MAX_UNWIND).position(|open| *open == key);
            self.damage(at, window, out);
            let Some(unclosed) = near else { return };
            for _ in 0..unclosed {
                let key = self.open.pop().expect("as many are open");
                let mut context = Context { window, encoding: &mut self.encoding, out, keep_passed: self.keep_passed };
                self.reader.end(key, at, at, &mut context);
            }
            self.open.pop();
        }
        let to = window.pos;
        let mut context = Context { window, encoding: &mut self.encoding, out, keep_passed: self.keep_passed };
        self.reader.end(key, at, to, &mut context);
        if self.open.is_empty() {
            self.reader.finish(true, &mut context);
            self.done = true;
        } else {
            self.reader.ended(key, &mut context);
        }
    }

    /// Notes that elements are not nested as they should be, once.
    fn damage(&mut self, at: usize, window: &mut Window<'_>, out: &mut dyn FnMut(Item)) {
        self.ill_formed += 1;
        if self.ill_formed == 1 {
            let (line, byte) = (window.line(at), window.byte(at));
            let message = format!("ill-formed XML: an end tag at byte {byte} closes no open element, or not the last");
            out(Item::Note(Note::warning(Some(line), message)));
        }
    }

    /// The document ends before its root element does.
    fn cut(&mut self, window: &mut Window<'_>, out: &mut dyn FnMut(Item)) {
        self.done = true;
        let place = window.place();
        if self.begun {
            let message = format!("the document is truncated: it ends at byte {} within an element", place.byte);
            out(Item::Note(Note::warning(Some(place.line), message)));
        }
        let mut context = Context { window, encoding: &mut self.encoding, out, keep_passed: self.keep_passed };
        self.reader.finish(false, &mut context);
    }

    fn encoding_notes(&self, out: &mut dyn FnMut(Item)) {
        let Encoding { replaced, contradicts, controls, .. } = self.encoding;
        let notes = [
            (replaced, "bytes that are not valid in the encoding of the document were replaced"),
            (contradicts, "the document declares an encoding of one byte a character, but is UTF-8"),
            (controls, "control characters and terminal codes were removed from its texts"),
        ];
        for (line, message) in notes {
            if line.is_some() {
                out(Item::Note(Note::info(line, message)));
            }
        }
    }
}

impl<R: Reader> Parse for Document<R> {
    fn parse(&mut self, data: &[u8], at: &mut Place, eof: bool, out: &mut dyn FnMut(Item)) -> usize {
        if self.done {
            return 0;
        }
        let mut window = Window::new(data, *at, eof, self.fresh);
        self.among |= !self.begun && at.byte > 3;
        if at.byte == 0 && data.starts_with(b"\xef\xbb\xbf") {
            window.pos = 3;
        }
        self.run(&mut window, out);
        if self.done {
            self.encoding_notes(out);
        }
        *at = window.place();
        if let Some(last) = window.pos.checked_sub(1) {
            self.fresh = data[last] == b'\n';
        }
        // The last of the lines of something else may be cut.
        if self.aside > 0 {
            self.fresh = data.get(window.pos + self.aside - 1).is_none_or(|last| *last == b'\n');
        }
        window.pos
    }

    fn keep_passed(&mut self) {
        self.keep_passed = true;
    }

    fn done(&self) -> bool {
        self.done
    }

    fn aside(&mut self) -> usize {
        std::mem::take(&mut self.aside)
    }
}

/// The encoding that an XML declaration names.
#[derive(Debug, PartialEq, Eq)]
enum Declared {
    Utf8,
    /// Latin-1 or its like, one byte a character.
    SingleByte,
    /// One that this is not: UTF-16 has been decoded before, and others are not known here.
    Other(String),
}

fn declared_encoding(declaration: &[u8]) -> Declared {
    let Some(at) = memmem::find(declaration, b"encoding") else { return Declared::Utf8 };
    let name = declaration[at + 8..].split(|byte| matches!(byte, b'"' | b'\'')).nth(1).unwrap_or_default();
    let single = [key(b"iso-8859-1"), key(b"iso-8859-15"), key(b"latin1"), key(b"windows-1252"), key(b"cp1252")];
    let utf8 = [key(b"utf-8"), key(b"utf8"), key(b"us-ascii"), key(b"ascii"), key(b"")];
    match key(name) {
        name if single.contains(&name) => Declared::SingleByte,
        name if utf8.contains(&name) => Declared::Utf8,
        _ => Declared::Other(strip_escapes(&name[..name.len().min(40)]).into_owned()),
    }
}
