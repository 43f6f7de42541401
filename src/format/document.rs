//! JSON documents that are read whole, and streams of JSON lines: what all such formats share.
//!
//! A document's parser waits for its last bracket, so that it may stand in the middle of a log, and is handed a
//! [`Doc`] that knows places. A stream's parser is handed one line at a time, so that its memory is bounded by the
//! longest line.

use std::cell::Cell;

use super::json::{Cursor, Node, Stop, Text, Value, quote_or_backslash};
use super::{Parse, Place};
use crate::item::{Item, Mark, Scope, TestRun};
use crate::log::strip_escapes;
use crate::report::{Counts, Failure, Level, Note, Outcome, PassedCase, Signal, Span, TextLine};

/// How many lines of one message are kept.
const MAX_LINES: usize = 300;

/// How many bytes of a line are kept.
const MAX_WIDTH: usize = 4096;

/// How many lines of one failure are kept.
const MAX_FAILURE_LINES: usize = 400;

/// The longest line of a stream that is looked into.
const MAX_JSON_LINE: usize = 16 * 1024 * 1024;

/// A piece of the input that is in memory, and where it begins.
pub(crate) struct Doc<'a> {
    pub bytes: &'a [u8],
    start: Place,
    /// The last offset of which the line was asked, and that line.
    known: Cell<(usize, u64)>,
    /// Where the first text begins that is not valid UTF-8.
    replaced: Cell<Option<usize>>,
    /// Passing cases are asked for.
    pub keep_passed: bool,
}

impl<'a> Doc<'a> {
    pub(crate) fn new(bytes: &'a [u8], start: Place, keep_passed: bool) -> Self {
        Doc { bytes, start, known: Cell::new((0, start.line)), replaced: Cell::new(None), keep_passed }
    }

    /// Tells of a case that passed, which is described only where such cases are asked for.
    pub(crate) fn passed(&self, out: &mut dyn FnMut(Item), case: impl FnOnce() -> PassedCase) {
        if self.keep_passed {
            out(Item::Passed(case()));
        }
    }

    /// A cursor before the first value, behind a byte order mark.
    pub(crate) fn cursor(&self) -> Cursor<'a> {
        let mut cursor = Cursor::new(self.bytes);
        if self.bytes.starts_with(b"\xef\xbb\xbf") {
            cursor.move_to(3);
        }
        cursor
    }

    /// The line of the input on which an offset stands. Cheap for offsets near the one asked before.
    pub(crate) fn line(&self, offset: usize) -> u64 {
        let (known, line) = self.known.get();
        let offset = offset.min(self.bytes.len());
        let breaks = |from: usize, to: usize| memchr::memchr_iter(b'\n', &self.bytes[from..to]).count() as u64;
        let line = if offset >= known { line + breaks(known, offset) } else { line - breaks(offset, known) };
        self.known.set((offset, line));
        line
    }

    pub(crate) fn span(&self, start: usize, end: usize) -> Span {
        let first = self.line(start);
        let last_line = self.line(end.max(start + 1) - 1);
        Span {
            line: first,
            last_line,
            byte_start: self.start.byte + start as u64,
            byte_end: self.start.byte + end as u64,
        }
    }

    /// Adds the lines of a string of the document to the text of a failure.
    pub(crate) fn push_text(&self, text: Text<'_>, out: &mut Vec<TextLine>) {
        if self.replaced.get().is_none() && std::str::from_utf8(text.raw).is_err() {
            self.replaced.set(Some(text.start));
        }
        // A string rarely holds a raw line feed, so that all of it stands on one line.
        let whole = self.span(text.start, text.start + text.raw.len());
        let one = whole.line == whole.last_line;
        let mut left = MAX_LINES.min(MAX_FAILURE_LINES.saturating_sub(out.len()));
        if left == 0 {
            return;
        }
        text.each_line(MAX_WIDTH, |line, start, end| {
            let mut text = if line.contains('\x1b') { strip_escapes(line.as_bytes()).into_owned() } else { line };
            text.truncate(text.trim_end().len());
            let at = |offset: usize| self.start.byte + offset as u64;
            let place = Span { byte_start: at(start), byte_end: at(end), ..whole };
            out.push(TextLine { text, span: if one { place } else { self.span(start, end) } });
            left = left.saturating_sub(1);
            left > 0
        });
    }

    /// Adds a part of the document as it stands, such as a pair of a key and a number, as one line.
    pub(crate) fn push_raw(&self, start: usize, end: usize, out: &mut Vec<TextLine>) {
        let raw = self.bytes[start..end.min(start + MAX_WIDTH)].trim_ascii();
        let raw = raw.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let text = strip_escapes(raw).trim_end().to_owned();
        out.push(TextLine { text, span: self.span(start, start + raw.len()) });
    }

    /// The lines of a member that is a string, or of each string in a member that is an array.
    pub(crate) fn push_member(&self, node: &Node<'_>, key: &str, out: &mut Vec<TextLine>) {
        let Some(node) = node.get(key) else { return };
        for text in node.text().into_iter().chain(node.elements().iter().filter_map(Node::text)) {
            if !text.raw.is_empty() {
                self.push_text(text, out);
            }
        }
    }

    /// Adds a member as it stands, with its key, where no words say more.
    pub(crate) fn push_pair(&self, node: &Node<'_>, key: &str, out: &mut Vec<TextLine>) {
        let Some(member) = node.get(key) else { return };
        let before = &self.bytes[..member.start];
        let quote = memchr::memrchr(b'"', before).and_then(|end| memchr::memrchr(b'"', &before[..end]));
        self.push_raw(quote.unwrap_or(member.start), member.end, out);
    }

    /// Walks the elements of a member that is an array, however long it is. A folded one that is damaged is told of.
    pub(crate) fn each(
        &self,
        node: &Node<'a>,
        key: &str,
        damaged: &mut Option<Stop>,
        mut element: impl FnMut(&Node<'a>, &mut Option<Stop>),
    ) {
        let Some(list) = node.get(key) else { return };
        if list.value != Value::Folded {
            return list.elements().iter().for_each(|node| element(node, damaged));
        }
        let mut cursor = Cursor::new(self.bytes);
        cursor.move_to(list.start);
        if let Err(stop) = large_parts(&mut cursor, damaged, element) {
            damaged.get_or_insert(stop);
        }
    }

    /// A failure that an element of the document tells of.
    pub(crate) fn failure(&self, level: Level, node: &Node<'_>) -> Failure {
        Failure { level, span: self.span(node.start, node.end), ..Failure::default() }
    }

    /// Where the document begins.
    pub(crate) fn head(&self) -> Span {
        let start = self.bytes.iter().position(|byte| matches!(byte, b'{' | b'[')).unwrap_or(0);
        self.span(start, (start + 1).min(self.bytes.len()))
    }

    /// Tells what could not be read, and gives the offset behind the document. `result` is how the walk ended, `stop`
    /// the first trouble, which a walk may survive.
    pub(crate) fn finish(
        &self,
        cursor: &Cursor<'_>,
        result: Result<(), Stop>,
        stop: Option<Stop>,
        out: &mut dyn FnMut(Item),
    ) -> usize {
        if let Some(stop) = stop {
            out(Item::Note(self.damage(stop)));
        }
        out_note(self.replacement(), out);
        match result {
            Ok(()) => cursor.pos(),
            Err(Stop::Truncated) => self.bytes.len(),
            // The brackets may still tell where the document ends; what follows may be a log.
            Err(Stop::Damaged(_) | Stop::Crowded(_)) => {
                let mut whole = self.cursor();
                match whole.skip() {
                    Ok(()) => whole.pos().max(cursor.pos()),
                    Err(_) => self.bytes.len(),
                }
            }
        }
    }

    /// A note on bytes in texts that are no characters.
    fn replacement(&self) -> Option<Note> {
        let at = self.replaced.get()?;
        Some(Note::info(Some(self.line(at)), "bytes that are not valid UTF-8 were replaced, here first"))
    }

    /// A note on a document that could not be read whole.
    pub(crate) fn damage(&self, stop: Stop) -> Note {
        let (at, what) = match stop {
            Stop::Truncated => (self.bytes.len(), "the report is truncated"),
            Stop::Damaged(at) => (at, "the report is damaged"),
            Stop::Crowded(at) => (at, "one part of the report holds more values than are read"),
        };
        let byte = self.start.byte + at as u64;
        Note::warning(Some(self.line(at)), format!("{what} at byte {byte}; what was complete is kept"))
    }
}

fn out_note(note: Option<Note>, out: &mut dyn FnMut(Item)) {
    note.into_iter().for_each(|note| out(Item::Note(note)));
}

/// Reads one document and gives the offset behind it.
pub(crate) type ReadDocument = fn(&Doc<'_>, &mut dyn FnMut(Item)) -> usize;

/// The parser of a format that is one document.
pub(crate) struct Whole {
    read: ReadDocument,
    ending: Ending,
    done: bool,
    keep_passed: bool,
}

impl Whole {
    pub(crate) fn open(read: ReadDocument) -> Box<dyn Parse> {
        Box::new(Whole { read, ending: Ending::default(), done: false, keep_passed: false })
    }
}

impl Parse for Whole {
    fn parse(&mut self, data: &[u8], at: &mut Place, eof: bool, out: &mut dyn FnMut(Item)) -> usize {
        if self.done {
            return 0;
        }
        // With all of it at hand, the end is found on the way.
        let end = if eof { Some(data.len()) } else { self.ending.find(data) };
        let Some(end) = end else { return 0 };
        let doc = Doc::new(&data[..end], *at, self.keep_passed);
        let used = (self.read)(&doc, out).clamp(1.min(end), end);
        *at = Place { byte: at.byte + used as u64, line: doc.line(used) };
        self.done = true;
        used
    }

    fn keep_passed(&mut self) {
        self.keep_passed = true;
    }

    fn done(&self) -> bool {
        self.done
    }
}

/// Finds the last bracket of a document that comes in pieces, looking at each byte once.
#[derive(Default)]
struct Ending {
    pos: usize,
    depth: u64,
    in_text: bool,
}

impl Ending {
    /// The offset behind the document; `data` always begins at its start.
    fn find(&mut self, data: &[u8]) -> Option<usize> {
        while self.pos < data.len() {
            if self.in_text {
                self.pos = quote_or_backslash(data, self.pos);
                if self.pos == data.len() {
                    return None;
                }
                if data[self.pos] == b'"' {
                    self.in_text = false;
                    self.pos += 1;
                } else if self.pos + 1 < data.len() {
                    self.pos += 2;
                } else {
                    return None;
                }
                continue;
            }
            match data[self.pos] {
                b'"' => self.in_text = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return Some(self.pos + 1);
                    }
                }
                _ => {}
            }
            self.pos += 1;
        }
        None
    }
}

/// Reads a stream of JSON documents, one a line.
pub(crate) trait Events {
    /// Takes in one line that is a JSON object.
    fn event(&mut self, doc: &Doc<'_>, event: &Node<'_>, out: &mut dyn FnMut(Item)) -> Flow;

    /// The stream ends, with or without its own last word. `lost` tells that something could not be read.
    fn end(&mut self, lost: bool, at: Place, out: &mut dyn FnMut(Item));

    /// Whether another report among the lines of others ends the stream, which need not tell its own end.
    fn gives_way(&self) -> bool {
        false
    }
}

/// Whether a stream goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    More,
    /// That was the last event.
    Last,
    /// It is an object of another program.
    Alien,
}

/// The parser of a format that is a stream.
pub(crate) struct Stream<E> {
    events: E,
    done: bool,
    lost: bool,
    /// The rest of a line that is too long is passed over.
    skipping: bool,
    /// How many bytes of plain lines come next.
    aside: usize,
    /// Bytes that are no characters were told of.
    replaced: bool,
    keep_passed: bool,
}

/// What a line of a stream turned out to be.
enum Kind {
    Event,
    Blank,
    /// The word of a compiler, or what a program printed.
    Plain,
}

impl<E: Events + 'static> Stream<E> {
    pub(crate) fn open(events: E) -> Box<dyn Parse> {
        Box::new(Stream {
            events,
            done: false,
            lost: false,
            skipping: false,
            aside: 0,
            replaced: false,
            keep_passed: false,
        })
    }
}

impl<E: Events> Stream<E> {
    /// Takes in one line, if it is an event.
    fn line(&mut self, line: &[u8], at: Place, out: &mut dyn FnMut(Item)) -> Kind {
        let clean = line.trim_ascii_start();
        let clean = clean.strip_prefix(b"\xef\xbb\xbf").unwrap_or(clean);
        if clean.is_empty() {
            return Kind::Blank;
        }
        let begins = |text: &[u8]| text.first() == Some(&b'{') && text[1..].trim_ascii_start().first() == Some(&b'"');
        let start = line.len() - clean.len();
        let prefix = match begins(clean) {
            true => Some(0),
            false => behind_prefix(clean).or_else(|| {
                let length = crate::log::prefix_length(clean);
                begins(&clean[length..]).then_some(length)
            }),
        };
        if let Some(prefix) = prefix {
            return match self.event(line, start + prefix, at, out) {
                Ok(flow) => self.flow(flow),
                Err(note) => {
                    out(Item::Note(note));
                    self.lost = true;
                    Kind::Event
                }
            };
        }
        // A program may leave its line open, so that an event stands behind what it printed.
        if clean.ends_with(b"}") || clean.ends_with(b"}\r") {
            let starts = memchr::memchr_iter(b'{', clean).filter(|at| begins(&clean[*at..])).take(4);
            for inner in starts {
                if let Ok(flow @ (Flow::More | Flow::Last)) = self.event(line, start + inner, at, out) {
                    return self.flow(flow);
                }
            }
        }
        Kind::Plain
    }

    fn flow(&mut self, flow: Flow) -> Kind {
        self.done = flow == Flow::Last;
        if flow == Flow::Alien { Kind::Plain } else { Kind::Event }
    }

    /// Reads the object that begins at an offset of a line; fails with a note where it is none.
    fn event(&mut self, line: &[u8], start: usize, at: Place, out: &mut dyn FnMut(Item)) -> Result<Flow, Note> {
        let doc = Doc::new(line, at, self.keep_passed);
        let mut cursor = Cursor::new(line);
        cursor.move_to(start);
        match cursor.node() {
            (node, None) => {
                let flow = self.events.event(&doc, &node, out);
                if !self.replaced && doc.replaced.get().is_some() {
                    self.replaced = true;
                    out_note(doc.replacement(), out);
                }
                Ok(flow)
            }
            (_, Some(stop)) => Err(doc.damage(stop)),
        }
    }
}

impl<E: Events> Parse for Stream<E> {
    fn parse(&mut self, data: &[u8], at: &mut Place, eof: bool, out: &mut dyn FnMut(Item)) -> usize {
        let mut pos = 0;
        while pos < data.len() && !self.done {
            let rest = &data[pos + self.aside..];
            let (line, next) = match memchr::memchr(b'\n', rest) {
                Some(end) => (&rest[..end], end + 1),
                None if eof => (rest, rest.len()),
                None if rest.len() < MAX_JSON_LINE => break,
                None if self.aside > 0 => break,
                None => {
                    if !std::mem::replace(&mut self.skipping, true) {
                        let message = format!("a line is longer than {MAX_JSON_LINE} bytes and is not read");
                        out(Item::Note(Note::warning(Some(at.line), message)));
                        self.lost = true;
                    }
                    at.advance(rest);
                    return data.len();
                }
            };
            if next == 0 {
                break;
            }
            if self.aside > 0 {
                // Blank lines between plain ones are a part of them; an event is read when its turn comes.
                if line.trim_ascii().is_empty() || is_plain(line) {
                    self.aside += next;
                    continue;
                }
                break;
            }
            if !std::mem::take(&mut self.skipping) {
                match self.line(line, *at, out) {
                    Kind::Event | Kind::Blank => {}
                    Kind::Plain => {
                        self.aside = next;
                        continue;
                    }
                }
            }
            at.advance(&rest[..next]);
            pos += next;
        }
        if self.aside == 0 && (self.done || eof) {
            self.events.end(self.lost, *at, out);
            self.done = true;
        }
        pos
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

    fn by_line(&self) -> bool {
        true
    }

    fn gives_way(&self) -> bool {
        self.events.gives_way()
    }
}

/// Whether a line holds no object at all, so that no event can stand on it.
fn is_plain(line: &[u8]) -> bool {
    memchr::memchr(b'{', line).is_none()
}

/// Where an object begins that stands behind what a CI system writes before each line: a time, a color code.
pub(crate) fn behind_prefix(line: &[u8]) -> Option<usize> {
    let near = &line[..line.len().min(96)];
    let start = memchr::memchr(b'{', near).filter(|start| *start > 0)?;
    let prefix = &near[..start];
    let ends = prefix.last().is_some_and(|last| matches!(last, b' ' | b'\t' | b'm' | b'K'));
    let begins = matches!(prefix[0], b'0'..=b'9' | b'[' | 0x1b);
    let object = matches!(near[start + 1..].trim_ascii_start().first(), Some(b'"'));
    (begins && ends && object && !prefix.contains(&b'"')).then_some(start)
}

/// Counts cases, and says how their run ended.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub counts: Counts,
    /// Something failed that the counts do not show.
    pub failed: bool,
    /// The report tells of a failure of which nothing more is known yet.
    pub lost: bool,
}

impl Tally {
    pub(crate) fn passed(&mut self) {
        self.counts.total += 1;
        *self.counts.passed.get_or_insert(0) += 1;
    }

    pub(crate) fn failed(&mut self) {
        self.counts.total += 1;
        self.counts.failed += 1;
    }

    /// A case with an error, part of the total.
    pub(crate) fn errored(&mut self) {
        self.counts.total += 1;
        self.counts.errored += 1;
    }

    pub(crate) fn skipped(&mut self) {
        self.counts.total += 1;
        self.counts.skipped += 1;
    }

    /// A case that passed after failing.
    pub(crate) fn flaky(&mut self) {
        self.passed();
        self.counts.flaky += 1;
    }

    /// Emits the totals, and a failure where no test ran. What was lost may have been a failure.
    pub(crate) fn emit(mut self, tool: &'static str, span: Span, out: &mut dyn FnMut(Item)) {
        self.counts.passed.get_or_insert(0);
        let outcome = if self.failed || self.counts.any_failed() {
            Outcome::Failed
        } else if self.lost || self.counts.total == 0 {
            Outcome::Unknown
        } else {
            Outcome::Passed
        };
        if outcome == Outcome::Unknown && !self.lost {
            let text = TextLine { text: "no test ran".to_owned(), span };
            let failure = Failure {
                level: Level::Run,
                signal: Some(Signal::NoTests),
                text: vec![text],
                span,
                ..Failure::default()
            };
            out(Item::Failure(failure));
        }
        out(Item::Tests(TestRun { tool, counts: self.counts, span, outcome }));
    }
}

/// Compares what a report declares with what was seen in it.
pub(crate) fn compare(what: &str, declared: Option<u64>, seen: u64, line: u64, out: &mut dyn FnMut(Item)) {
    let Some(declared) = declared.filter(|declared| *declared != seen) else { return };
    let message = format!("the report declares {declared} {what}, and {seen} stand in it");
    out(Item::Note(if declared > seen { Note::warning(Some(line), message) } else { Note::info(Some(line), message) }));
}

/// Says that a tool that checks something found nothing.
pub(crate) fn clean(text: &str, span: Span, out: &mut dyn FnMut(Item)) {
    let mark = Mark { scope: Scope::Tool, outcome: Outcome::Passed, status: None, text: text.to_owned(), span };
    out(Item::Mark(mark));
}

/// Reads a document whose top is an array of findings: `finding` makes failures of an element, the last of which may have
/// been cut and holds long lists [folded](Value::Folded). Where the whole was read and none came, the tool found nothing.
pub(crate) fn findings<'a>(
    doc: &Doc<'a>,
    tool: &str,
    out: &mut dyn FnMut(Item),
    mut finding: impl FnMut(&Node<'a>, &mut Option<Stop>, &mut dyn FnMut(Item)),
) -> usize {
    let mut cursor = doc.cursor();
    let mut damaged = None;
    let mut any = false;
    let result = large_parts(&mut cursor, &mut damaged, |element, damaged| {
        finding(element, damaged, &mut |item| {
            any = true;
            out(item);
        });
    });
    let stop = result.err().or(damaged);
    if !any && stop.is_none() {
        clean(&format!("{tool} reports no error"), doc.head(), out);
    }
    doc.finish(&cursor, result, stop, out)
}

/// Walks the elements of an array one by one, as trees. One that is damaged or was cut is passed over.
pub(crate) fn elements<'a>(
    cursor: &mut Cursor<'a>,
    damaged: &mut Option<Stop>,
    mut element: impl FnMut(&Node<'a>),
) -> Result<(), Stop> {
    parts(cursor, damaged, |node| {
        if node.whole {
            element(node);
        }
    })
}

/// Walks the elements of an array one by one; of one that was cut, what was complete is there.
pub(crate) fn parts<'a>(
    cursor: &mut Cursor<'a>,
    damaged: &mut Option<Stop>,
    mut element: impl FnMut(&Node<'a>),
) -> Result<(), Stop> {
    walk(cursor, damaged, Cursor::node, |node, _| element(node))
}

/// Like [`parts`], for elements that may hold long lists: those are folded, to be walked with [`Doc::each`], which is
/// given what `element` is given.
pub(crate) fn large_parts<'a>(
    cursor: &mut Cursor<'a>,
    damaged: &mut Option<Stop>,
    element: impl FnMut(&Node<'a>, &mut Option<Stop>),
) -> Result<(), Stop> {
    walk(cursor, damaged, Cursor::part, element)
}

fn walk<'a>(
    cursor: &mut Cursor<'a>,
    damaged: &mut Option<Stop>,
    read: fn(&mut Cursor<'a>) -> (Node<'a>, Option<Stop>),
    mut element: impl FnMut(&Node<'a>, &mut Option<Stop>),
) -> Result<(), Stop> {
    cursor.array(|cursor| {
        let mut within = None;
        let result = tolerant(cursor, damaged, |cursor| {
            let (node, stop) = read(cursor);
            if !(stop.is_some() && node.is_null()) {
                element(&node, &mut within);
            }
            stop.map_or(Ok(()), Err)
        });
        *damaged = damaged.or(within);
        result
    })
}

/// Reads one value; where it is damaged, its brackets lead to the next one.
pub(crate) fn tolerant<'a>(
    cursor: &mut Cursor<'a>,
    damaged: &mut Option<Stop>,
    read: impl FnOnce(&mut Cursor<'a>) -> Result<(), Stop>,
) -> Result<(), Stop> {
    let start = cursor.pos();
    match read(cursor) {
        Err(stop @ (Stop::Damaged(_) | Stop::Crowded(_))) => {
            damaged.get_or_insert(stop);
            cursor.move_to(start);
            cursor.skip()
        }
        other => other,
    }
}

/// What the tests of all these formats ask.
#[cfg(test)]
pub(crate) mod check {
    use crate::report::{Outcome, Report};
    use crate::{Analyzer, Source};

    pub(crate) fn report(bytes: &[u8]) -> Report {
        Analyzer::new().analyze([Source::bytes("report", bytes)])
    }

    /// What a verdict is about: format, outcome, and total, passed, failed, errored, skipped, flaky.
    #[track_caller]
    pub(crate) fn counts(bytes: &[u8], format: &str, outcome: Outcome, counts: [u64; 6]) -> Report {
        let report = report(bytes);
        let seen = report.tests.map(|c| [c.total, c.passed.unwrap_or(0), c.failed, c.errored, c.skipped, c.flaky]);
        let source = &report.sources[0];
        assert_eq!((source.format.as_str(), report.outcome, seen), (format, outcome, Some(counts)), "{report:#?}");
        report
    }

    /// A document that is cut anywhere never passes, and nothing is invented: no count exceeds that of the whole.
    #[track_caller]
    pub(crate) fn cut_anywhere(bytes: &[u8]) {
        let bytes = bytes.trim_ascii_end();
        let whole = report(bytes);
        let most = whole.tests.unwrap_or_default();
        let mut proved = 0;
        for end in 1..bytes.len() {
            let cut = report(&bytes[..end]);
            assert_ne!(cut.outcome, Outcome::Passed, "cut at {end}");
            let counts = cut.tests.unwrap_or_default();
            // What failed before the cut stays failed with more behind it.
            assert!(counts.failed + counts.errored >= proved, "cut at {end}: {counts:?} after {proved}");
            proved = counts.failed + counts.errored;
            assert!(counts.total <= most.total && counts.failed <= most.failed, "cut at {end}: {counts:?}");
            assert!(counts.errored <= most.errored && counts.flaky <= most.flaky, "cut at {end}: {counts:?}");
            let kind = |kind| whole.causes.iter().any(|cause| cause.kind == kind);
            let odd = cut.causes.iter().find(|cause| !kind(cause.kind));
            let known = |kind| matches!(kind, crate::Kind::Unclassified | crate::Kind::UnhandledException);
            assert!(odd.is_none_or(|cause| known(cause.kind)), "cut at {end}: {odd:?}");
        }
    }
}
