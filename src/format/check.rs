//! The XML of libcheck, the unit tests of many programs in C: suites with a title, and tests with a result and a message.

use super::xml::document::{Context, Document, Reader};
use super::xml::results::{Current, Ended, Sink, Totals};
use super::xml::text::Lines;
use super::xml::{Tag, key, root};
use super::{Parse, Sure};
use crate::item::Item;
use crate::kind::Phase;
use crate::report::{FileRef, Level, Signal};

/// Whether a document is libcheck's: its root has the name of JUnit's and a namespace of its own.
pub(crate) fn sniff(head: &[u8]) -> Option<Sure> {
    let (name, rest) = root(head)?;
    let own = super::near::holds(&rest[..rest.len().min(512)], b"http://check.sourceforge.net/ns");
    (key(name) == TESTSUITES && own).then_some(Sure::Certain)
}

pub(crate) fn open() -> Box<dyn Parse> {
    Box::<Document<Check>>::default()
}

const TESTSUITES: u64 = key(b"testsuites");
const TEST: u64 = key(b"test");
const FUNCTION: u64 = key(b"fn");
const ID: u64 = key(b"id");
const DESCRIPTION: u64 = key(b"description");
const MESSAGE: u64 = key(b"message");

/// Which of the short fields of a test is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Field {
    #[default]
    None,
    Place,
    Name,
    Case,
}

#[derive(Debug, Default)]
struct Check {
    totals: Totals,
    test: Option<Current>,
    /// The message of the test at hand has ended, so that nothing of it is missing.
    told: bool,
    field: Field,
    place: Lines,
    name: Lines,
    case: Lines,
    sink: Sink,
}

impl Reader for Check {
    fn root(&mut self, tag: &Tag<'_, '_>, context: &mut Context<'_, '_>) {
        self.totals.begin(tag, context);
    }

    fn start(&mut self, tag: &Tag<'_, '_>, context: &mut Context<'_, '_>) {
        match tag.key {
            TEST => {
                let ended = match tag.get(b"result").unwrap_or_default() {
                    b"success" => Ended::Passed,
                    b"failure" => Ended::Failed,
                    _ => Ended::Errored,
                };
                let span = context.span(tag.at, tag.at + tag.raw.len());
                self.test = Some(Current { ended, span, ..Current::default() });
                (self.place, self.name, self.case) = (Lines::default(), Lines::default(), Lines::default());
                self.told = false;
            }
            FUNCTION => self.field = Field::Place,
            ID => self.field = Field::Name,
            DESCRIPTION => self.field = Field::Case,
            MESSAGE if self.test.is_some() => self.sink = Sink::Message,
            _ => {}
        }
    }

    fn text(&mut self, raw: &[u8], cdata: bool, at: usize, context: &mut Context<'_, '_>) {
        let Some(test) = &mut self.test else { return };
        let field = match self.field {
            Field::None => return test.push(self.sink, raw, cdata, at, context),
            Field::Place => &mut self.place,
            Field::Name => &mut self.name,
            Field::Case => &mut self.case,
        };
        field.push(raw, cdata, context.window.byte(at), context.window.line(at), context.encoding);
    }

    fn end(&mut self, key: u64, _from: usize, to: usize, context: &mut Context<'_, '_>) {
        match key {
            FUNCTION | ID | DESCRIPTION => self.field = Field::None,
            MESSAGE => {
                self.sink = Sink::Nowhere;
                self.told = true;
            }
            TEST => {
                let Some(mut test) = self.test.take() else { return };
                test.span = context.extend(test.span, to);
                self.close(test, context);
            }
            _ => {}
        }
    }

    fn finish(&mut self, whole: bool, context: &mut Context<'_, '_>) {
        // A test that was cut counts if it is known to have failed.
        if let Some(test) = self.test.take().filter(|test| self.told && test.ended != Ended::Passed) {
            self.close(test, context);
        }
        self.totals.report("check", whole, 0, context.out);
    }
}

impl Check {
    fn close(&mut self, mut test: Current, context: &mut Context<'_, '_>) {
        let text = |lines: &mut Lines, context: &mut Context<'_, '_>| {
            let lines = std::mem::take(lines).finish(context.encoding);
            lines.first().map_or_else(String::new, |line| line.text.trim().to_owned())
        };
        if test.ended != Ended::Passed || context.keep_passed {
            let (case, name) = (text(&mut self.case, context), text(&mut self.name, context));
            test.name = if case.is_empty() { name } else { format!("{case}:{name}") };
        }
        self.totals.add(&test, context);
        if test.ended == Ended::Passed {
            return;
        }
        let place = text(&mut self.place, context);
        let errored = test.ended == Ended::Errored;
        let mut failure = test.failure(Level::Case, context.encoding);
        let holds = |words: &str| failure.text.iter().any(|line| line.text.contains(words));
        failure.phase = Some(Phase::Test);
        failure.signal = Some(match errored {
            _ if holds("Test timeout expired") => Signal::TestTimeout,
            true if holds("Received signal ") || holds("Early exit") => Signal::Crash,
            true => Signal::Unhandled,
            false => Signal::Assertion,
        });
        failure.file = place.rsplit_once(':').map(|(path, line)| FileRef::new(path, line.parse().ok(), None));
        (context.out)(Item::Failure(failure));
    }
}
