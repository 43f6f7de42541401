//! The XML of Qt Test: functions, and in them an incident per row of data.

use super::xml::document::{Context, Document, Reader};
use super::xml::results::{Current, Ended, Sink, Totals};
use super::xml::text::{Lines, decode};
use super::xml::{Tag, key, root};
use super::{Parse, Sure};
use crate::item::Item;
use crate::log::qt_signal;
use crate::report::{FileRef, Level};

/// Whether a document is Qt Test's. The root of its own name is one of JUnit XML too.
pub(crate) fn sniff(head: &[u8]) -> Option<Sure> {
    let (name, rest) = root(head)?;
    let own = super::near::holds(rest, b"<TestFunction") || super::near::holds(rest, b"<QtVersion");
    (name == b"TestCase" && own).then_some(Sure::Certain)
}

pub(crate) fn open() -> Box<dyn Parse> {
    Box::<Document<QtTest>>::default()
}

const TEST_CASE: u64 = key(b"testcase");
const FUNCTION: u64 = key(b"testfunction");
const INCIDENT: u64 = key(b"incident");
const MESSAGE: u64 = key(b"message");
const DATA_TAG: u64 = key(b"datatag");
const DESCRIPTION: u64 = key(b"description");

#[derive(Debug, Default)]
struct QtTest {
    totals: Totals,
    class: String,
    function: String,
    incident: Option<Current>,
    row: Lines,
    in_row: bool,
    file: Option<FileRef>,
    sink: Sink,
}

impl Reader for QtTest {
    fn root(&mut self, tag: &Tag<'_, '_>, context: &mut Context<'_, '_>) {
        self.totals.begin(tag, context);
    }

    fn start(&mut self, tag: &Tag<'_, '_>, context: &mut Context<'_, '_>) {
        match tag.key {
            TEST_CASE => self.class = decode(tag.get(b"name").unwrap_or_default(), context.encoding),
            FUNCTION => self.function = decode(tag.get(b"name").unwrap_or_default(), context.encoding),
            INCIDENT | MESSAGE => {
                let ended = match (tag.key, tag.get(b"type").unwrap_or_default()) {
                    (INCIDENT, b"fail" | b"xpass") | (MESSAGE, b"qfatal") => Ended::Failed,
                    (INCIDENT, b"pass") => Ended::Passed,
                    // What failed on a list of known trouble counts as skipped, as the totals of the console have it.
                    (INCIDENT, b"bpass" | b"bfail" | b"bxpass" | b"bxfail" | b"skip") | (MESSAGE, b"skip") => {
                        Ended::Skipped
                    }
                    _ => return,
                };
                let path = decode(tag.get(b"file").unwrap_or_default(), context.encoding);
                let line =
                    std::str::from_utf8(tag.get(b"line").unwrap_or_default()).ok().and_then(|line| line.parse().ok());
                self.file = (!path.is_empty()).then(|| FileRef::new(path, line, None));
                let span = context.span(tag.at, tag.at + tag.raw.len());
                self.row = Lines::default();
                self.incident = Some(Current { ended, span, ..Current::default() });
            }
            DATA_TAG => self.in_row = true,
            DESCRIPTION => self.sink = Sink::Message,
            _ => {}
        }
    }

    fn text(&mut self, raw: &[u8], cdata: bool, at: usize, context: &mut Context<'_, '_>) {
        let Some(incident) = &mut self.incident else { return };
        if self.in_row {
            self.row.push(raw, cdata, context.window.byte(at), context.window.line(at), context.encoding);
        } else {
            incident.push(self.sink, raw, cdata, at, context);
        }
    }

    fn end(&mut self, key: u64, _from: usize, to: usize, context: &mut Context<'_, '_>) {
        match key {
            DATA_TAG => self.in_row = false,
            DESCRIPTION => self.sink = Sink::Nowhere,
            INCIDENT | MESSAGE => {
                let Some(mut incident) = self.incident.take() else { return };
                if incident.ended == Ended::Failed || context.keep_passed {
                    let row = std::mem::take(&mut self.row).finish(context.encoding);
                    let row = row.first().map_or("", |line| line.text.trim());
                    incident.name = format!("{}::{}({row})", self.class, self.function);
                }
                self.totals.add(&incident, context);
                if incident.ended != Ended::Failed {
                    return;
                }
                incident.span = context.extend(incident.span, to);
                let mut failure = incident.failure(Level::Case, context.encoding);
                let word = if key == MESSAGE { "QFATAL" } else { "" };
                failure.signal = Some(qt_signal(failure.text.first().map_or("", |line| &line.text), word));
                failure.file = self.file.take().or(failure.file);
                (context.out)(Item::Failure(failure));
            }
            _ => {}
        }
    }

    fn finish(&mut self, whole: bool, context: &mut Context<'_, '_>) {
        self.totals.report("qttest", whole, 0, context.out);
    }
}
