//! The `output.xml` of Robot Framework, versions 3 to 7: suites, tests, and in them the keywords that ran.
//!
//! The status that stands directly in a test says how it ended and why. What failed in the set-up or tear-down of a
//! suite is told by each of its tests.

use super::xml::document::{Context, Document, Reader};
use super::xml::results::{Current, Ended, Sink, Totals, seconds};
use super::xml::text::decode;
use super::xml::{Tag, key, root};
use super::{Parse, Sure, signal};
use crate::item::Item;
use crate::kind::Phase;
use crate::report::{FileRef, Level, Signal};

/// Whether a document is Robot's.
pub(crate) fn sniff(head: &[u8]) -> Option<Sure> {
    let (name, rest) = root(head)?;
    let own = super::near::holds(&rest[..rest.len().min(2048)], b"generator=");
    (key(name) == ROBOT && own).then_some(Sure::Certain)
}

pub(crate) fn open() -> Box<dyn Parse> {
    Box::<Document<Robot>>::default()
}

const ROBOT: u64 = key(b"robot");
const SUITE: u64 = key(b"suite");
const TEST: u64 = key(b"test");
const STATUS: u64 = key(b"status");

/// How many suites are remembered, one within the other.
const MAX_SUITES: usize = 256;

#[derive(Debug, Default)]
struct Robot {
    totals: Totals,
    /// The names of the open suites, and their files.
    suites: Vec<(String, String)>,
    deeper: u64,
    test: Option<Current>,
    line: Option<u64>,
    /// How many elements are open within the test.
    depth: u64,
    /// The status of the test was met.
    told: bool,
    sink: Sink,
}

impl Reader for Robot {
    fn root(&mut self, tag: &Tag<'_, '_>, context: &mut Context<'_, '_>) {
        self.totals.begin(tag, context);
    }

    fn start(&mut self, tag: &Tag<'_, '_>, context: &mut Context<'_, '_>) {
        if let Some(test) = &mut self.test {
            self.depth += 1;
            if self.depth == 1 && tag.key == STATUS {
                test.ended = match tag.get(b"status").unwrap_or_default() {
                    b"FAIL" => Ended::Failed,
                    b"SKIP" | b"NOT RUN" | b"NOT_RUN" => Ended::Skipped,
                    _ => Ended::Passed,
                };
                test.seconds = seconds(tag, b"elapsed").filter(|_| context.keep_passed);
                test.span = context.span(tag.at, tag.at + tag.raw.len());
                self.told = true;
                self.sink = Sink::Message;
            }
            return;
        }
        match tag.key {
            SUITE if self.suites.len() < MAX_SUITES => {
                let mut text = |name: &[u8]| decode(tag.get(name).unwrap_or_default(), context.encoding);
                self.suites.push((text(b"name"), text(b"source")));
            }
            SUITE => self.deeper += 1,
            TEST => {
                let mut name: String = self.suites.iter().flat_map(|(name, _)| [name.as_str(), "."]).collect();
                name += &decode(tag.get(b"name").unwrap_or_default(), context.encoding);
                self.line = tag.get(b"line").and_then(|line| std::str::from_utf8(line).ok()?.parse().ok());
                let span = context.span(tag.at, tag.at + tag.raw.len());
                // Without a status it did not end.
                self.test = Some(Current { name, ended: Ended::Failed, span, ..Current::default() });
                (self.depth, self.told) = (0, false);
            }
            _ => {}
        }
    }

    fn text(&mut self, raw: &[u8], cdata: bool, at: usize, context: &mut Context<'_, '_>) {
        if let Some(test) = self.test.as_mut().filter(|_| self.depth == 1) {
            test.push(self.sink, raw, cdata, at, context);
        }
    }

    fn end(&mut self, key: u64, _from: usize, to: usize, context: &mut Context<'_, '_>) {
        if self.test.is_some() && (key != TEST || self.depth > 0) {
            self.depth = self.depth.saturating_sub(1);
            self.sink = Sink::Nowhere;
            return;
        }
        match key {
            TEST => {
                let Some(mut test) = self.test.take() else { return };
                test.span = context.extend(test.span, to);
                self.close(test, context);
            }
            SUITE if self.deeper > 0 => self.deeper -= 1,
            SUITE => {
                self.suites.pop();
            }
            _ => {}
        }
    }

    fn finish(&mut self, whole: bool, context: &mut Context<'_, '_>) {
        // Of a test that was cut, only a failure that it tells is sure.
        if let Some(test) = self.test.take()
            && test.ended == Ended::Failed
            && self.told
        {
            self.close(test, context);
        }
        self.totals.report("robot", whole, 0, context.out);
    }
}

impl Robot {
    fn close(&mut self, test: Current, context: &mut Context<'_, '_>) {
        self.totals.add(&test, context);
        if test.ended != Ended::Failed {
            return;
        }
        let mut failure = test.failure(Level::Case, context.encoding);
        failure.phase = Some(Phase::Test);
        let first = failure.text.first().map_or("", |line| line.text.as_str());
        let told = signal::of_robot(first).or_else(|| signal::of_message(first));
        failure.signal = told.or(failure.signal).or(Some(Signal::Assertion));
        if failure.text.len() > 1 && signal::heads_hook_of_robot(&failure.text[0].text) {
            failure.text.rotate_left(1);
        }
        let source = self.suites.iter().rev().find(|(_, source)| !source.is_empty());
        failure.file = source.map(|(_, source)| FileRef::new(source, self.line, None)).or(failure.file);
        (context.out)(Item::Failure(failure));
    }
}
