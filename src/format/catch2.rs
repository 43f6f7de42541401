//! The XML of Catch2, versions 2 and 3: cases with sections, and in them the expectations that did not hold.
//!
//! Whether a case failed is said at its end, since one may be expected to fail.

use super::xml::document::{Context, Document, Reader};
use super::xml::results::{Current, Ended, Sink, Totals, seconds};
use super::xml::text::decode;
use super::xml::{Tag, key, root};
use super::{Parse, Sure};
use crate::item::Item;
use crate::report::{FileRef, Level, Signal, TextLine};

/// Whether a document is Catch2's.
pub(crate) fn sniff(head: &[u8]) -> Option<Sure> {
    let (name, _) = root(head)?;
    matches!(key(name), CATCH | CATCH_RUN).then_some(Sure::Certain)
}

pub(crate) fn open() -> Box<dyn Parse> {
    Box::<Document<Catch>>::default()
}

const CATCH: u64 = key(b"catch");
const CATCH_RUN: u64 = key(b"catch2testrun");
const TEST_CASE: u64 = key(b"testcase");
const SECTION: u64 = key(b"section");
const EXPRESSION: u64 = key(b"expression");
const ORIGINAL: u64 = key(b"original");
const EXPANDED: u64 = key(b"expanded");
const EXCEPTION: u64 = key(b"exception");
const FAILURE: u64 = key(b"failure");
const FATAL: u64 = key(b"fatalerrorcondition");
const OVERALL: u64 = key(b"overallresult");

/// How many sections are remembered, one within the other.
const MAX_SECTIONS: usize = 64;

#[derive(Debug, Default)]
struct Catch {
    totals: Totals,
    case: Option<Current>,
    sections: Vec<String>,
    /// The sections of the first expectation that did not hold.
    within: Vec<String>,
    file: Option<FileRef>,
    /// The tags of the case say that it may fail, or must.
    may_fail: bool,
    /// Inside an expression that did not hold.
    failed: bool,
    sink: Sink,
}

impl Reader for Catch {
    fn root(&mut self, tag: &Tag<'_, '_>, context: &mut Context<'_, '_>) {
        self.totals.begin(tag, context);
    }

    fn start(&mut self, tag: &Tag<'_, '_>, context: &mut Context<'_, '_>) {
        let place = |context: &mut Context<'_, '_>| {
            let path = decode(tag.get(b"filename")?, context.encoding);
            let line = std::str::from_utf8(tag.get(b"line").unwrap_or_default()).ok()?.parse().ok();
            Some(FileRef::new(path, line, None))
        };
        match tag.key {
            TEST_CASE => {
                let span = context.span(tag.at, tag.at + tag.raw.len());
                let name = decode(tag.get(b"name").unwrap_or_default(), context.encoding);
                self.case = Some(Current { name, span, ..Current::default() });
                (self.file, self.failed) = (None, false);
                let tags = tag.get(b"tags").unwrap_or_default();
                self.may_fail = [&b"!mayfail"[..], b"!shouldfail"].iter().any(|word| super::near::holds(tags, word));
                self.sections.clear();
                self.within.clear();
            }
            SECTION if self.sections.len() < MAX_SECTIONS => {
                self.sections.push(decode(tag.get(b"name").unwrap_or_default(), context.encoding));
            }
            EXPRESSION => {
                self.failed = tag.get(b"success") == Some(b"false");
                if self.failed {
                    self.file = self.file.take().or_else(|| place(context));
                    self.note(Signal::Assertion);
                }
            }
            EXCEPTION | FAILURE | FATAL => {
                self.file = self.file.take().or_else(|| place(context));
                self.sink = Sink::Message;
                self.note(match tag.key {
                    EXCEPTION => Signal::Unhandled,
                    FATAL => Signal::Crash,
                    _ => Signal::Assertion,
                });
            }
            EXPANDED if self.failed => self.sink = Sink::Message,
            ORIGINAL if self.failed => self.sink = Sink::Stack,
            OVERALL => {
                let skipped = tag.get(b"skips").is_some_and(|skips| skips != b"0");
                if let Some(case) = &mut self.case {
                    case.seconds = seconds(tag, b"durationInSeconds").filter(|_| context.keep_passed);
                    case.ended = match tag.get(b"success") {
                        Some(b"false") => Ended::Failed,
                        _ if skipped => Ended::Skipped,
                        _ => Ended::Passed,
                    };
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, raw: &[u8], cdata: bool, at: usize, context: &mut Context<'_, '_>) {
        if let Some(case) = &mut self.case {
            case.push(self.sink, raw, cdata, at, context);
        }
    }

    fn end(&mut self, key: u64, _from: usize, to: usize, context: &mut Context<'_, '_>) {
        match key {
            EXPANDED | ORIGINAL | EXCEPTION | FAILURE | FATAL => self.sink = Sink::Nowhere,
            EXPRESSION => self.failed = false,
            SECTION => {
                self.sections.pop();
            }
            TEST_CASE => {
                let Some(mut case) = self.case.take() else { return };
                case.span = context.extend(case.span, to);
                self.close(case, context);
            }
            _ => {}
        }
    }

    fn finish(&mut self, whole: bool, context: &mut Context<'_, '_>) {
        // Of a case that was cut, only what failed in it is sure, unless it may fail.
        if let Some(mut case) = self.case.take().filter(|case| case.signal.is_some() && !self.may_fail) {
            case.ended = Ended::Failed;
            self.close(case, context);
        }
        self.totals.report("catch2", whole, 0, context.out);
    }
}

impl Catch {
    /// Keeps what weighs most among the signals of one case, and where it was first met.
    fn note(&mut self, signal: Signal) {
        let Some(case) = &mut self.case else { return };
        if case.signal.is_none() {
            self.within.clone_from(&self.sections);
        }
        if case.signal.is_none() || case.signal == Some(Signal::Assertion) {
            case.signal = Some(signal);
        }
    }

    fn close(&mut self, mut case: Current, context: &mut Context<'_, '_>) {
        self.totals.add(&case, context);
        if case.ended != Ended::Failed {
            return;
        }
        for section in self.within.drain(..) {
            case.name.push_str(" > ");
            case.name.push_str(&section);
        }
        let unexpected = case.signal.is_none().then_some(case.span);
        case.signal = case.signal.or(Some(Signal::Assertion));
        let mut failure = case.failure(Level::Case, context.encoding);
        if let Some(span) = unexpected {
            let text = "the case failed though each of its expectations held".to_owned();
            failure.text.push(TextLine { text, span });
        }
        failure.text.retain(|line| !line.text.trim().is_empty());
        for line in &mut failure.text {
            line.text = line.text.trim().to_owned();
        }
        failure.file = self.file.take().or(failure.file);
        (context.out)(Item::Failure(failure));
    }
}
