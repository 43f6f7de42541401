//! The XML of Boost.Test: its log, with what did not hold in each case, and its report, with how each case ended.
//!
//! Both may stand in one file. They are two views of one run.

use super::xml::document::{Context, Document, Reader};
use super::xml::results::{Current, Ended, Sink, Totals, count};
use super::xml::text::decode;
use super::xml::{Tag, key, root};
use super::{Parse, Sure};
use crate::item::Item;
use crate::kind::Phase;
use crate::report::{FileRef, Level, Signal, TextLine};

/// Whether a document is Boost.Test's.
pub(crate) fn sniff(head: &[u8]) -> Option<Sure> {
    let (name, rest) = root(head)?;
    let rest = &rest[..rest.len().min(4096)];
    let own = |word: &[u8]| super::near::holds(rest, word);
    // Others name their root so too; an empty log or report has no suites, but its end.
    let parts: [&[u8]; 4] = [b"<TestSuite ", b"<TestCase ", b"</TestLog>", b"</TestResult>"];
    let boost =
        name == b"Boost_Test" || matches!(name, b"TestLog" | b"TestResult") && parts.iter().any(|part| own(part));
    boost.then_some(Sure::Certain)
}

pub(crate) fn open() -> Box<dyn Parse> {
    Box::<Document<Boost>>::default()
}

const RESULT: u64 = key(b"testresult");
const SUITE: u64 = key(b"testsuite");
const CASE: u64 = key(b"testcase");
const ERROR: u64 = key(b"error");
const FATAL: u64 = key(b"fatalerror");
const EXCEPTION: u64 = key(b"exception");
const CHECKPOINT: u64 = key(b"lastcheckpoint");

/// How many suites are remembered, one within the other.
const MAX_SUITES: usize = 256;

#[derive(Debug, Default)]
struct Boost {
    totals: Totals,
    /// It is the report, which tells how each case ended and no more.
    report: bool,
    suites: Vec<String>,
    deeper: u64,
    case: Option<Current>,
    file: Option<FileRef>,
    sink: Sink,
    /// What failed outside of any case.
    outside: u64,
}

impl Reader for Boost {
    fn root(&mut self, tag: &Tag<'_, '_>, context: &mut Context<'_, '_>) {
        self.totals.begin(tag, context);
        self.report = tag.key == RESULT;
        if self.report {
            (context.out)(Item::Teller(Some("boost-report")));
        }
    }

    fn start(&mut self, tag: &Tag<'_, '_>, context: &mut Context<'_, '_>) {
        match tag.key {
            SUITE if self.suites.len() < MAX_SUITES => {
                // What the whole module declares of itself holds for the report.
                if self.report && self.suites.is_empty() {
                    self.totals.declared_failed = count(tag, b"test_cases_failed");
                }
                self.suites.push(decode(tag.get(b"name").unwrap_or_default(), context.encoding));
            }
            SUITE => self.deeper += 1,
            CASE => {
                let mut name: String = self.suites.iter().skip(1).flat_map(|suite| [suite.as_str(), "/"]).collect();
                name += &decode(tag.get(b"name").unwrap_or_default(), context.encoding);
                let ended = match tag.get(b"result").unwrap_or_default() {
                    _ if tag.get(b"skipped") == Some(b"yes") => Ended::Skipped,
                    b"skipped" => Ended::Skipped,
                    b"failed" | b"aborted" | b"timed-out" | b"timed_out" => Ended::Failed,
                    _ => Ended::Passed,
                };
                let span = context.span(tag.at, tag.at + tag.raw.len());
                self.case = Some(Current { name, ended, span, ..Current::default() });
                self.file = None;
            }
            ERROR | FATAL | EXCEPTION => {
                self.sink = Sink::Message;
                let path = decode(tag.get(b"file").unwrap_or_default(), context.encoding);
                let line = count(tag, b"line").filter(|line| *line > 0);
                let span = context.span(tag.at, tag.at + tag.raw.len());
                if self.file.is_none() && line.is_some() {
                    self.file = Some(FileRef::new(path, line, None));
                }
                let outside = || Current { name: self.suites.join("/"), span, ..Current::default() };
                let case = self.case.get_or_insert_with(outside);
                case.ended = Ended::Failed;
                let signal = if tag.key == EXCEPTION { Signal::Unhandled } else { Signal::Assertion };
                if case.signal != Some(Signal::Unhandled) {
                    case.signal = Some(signal);
                }
            }
            CHECKPOINT => self.sink = Sink::Nowhere,
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
            ERROR | FATAL | EXCEPTION => {
                // The next expectation begins another line.
                if let Some(case) = self.case.as_mut().filter(|_| self.sink == Sink::Message) {
                    case.push(Sink::Message, b"\n", true, to, context);
                }
                self.sink = Sink::Nowhere;
            }
            CASE => self.close(to, context),
            SUITE if self.deeper > 0 => self.deeper -= 1,
            SUITE => {
                // An error between the cases: a fixture of the suite.
                self.outside(to, context);
                self.suites.pop();
            }
            _ => {}
        }
    }

    fn finish(&mut self, whole: bool, context: &mut Context<'_, '_>) {
        if self.case.as_ref().is_some_and(|case| case.ended == Ended::Failed) {
            let to = context.window.pos;
            self.close(to, context);
        }
        self.totals.report("boost", whole, self.outside, context.out);
        (context.out)(Item::Teller(None));
    }
}

impl Boost {
    fn outside(&mut self, to: usize, context: &mut Context<'_, '_>) {
        if let Some(case) = self.case.take() {
            self.outside += 1;
            self.totals.counts.errored += 1;
            self.tell(case, Level::Suite, to, context);
        }
    }

    fn close(&mut self, to: usize, context: &mut Context<'_, '_>) {
        let Some(case) = self.case.take() else { return };
        self.totals.add(&case, context);
        if case.ended == Ended::Failed {
            self.tell(case, Level::Case, to, context);
        }
    }

    fn tell(&mut self, mut case: Current, level: Level, to: usize, context: &mut Context<'_, '_>) {
        case.span = context.extend(case.span, to);
        let span = case.span;
        let mut failure = case.failure(level, context.encoding);
        failure.phase = Some(Phase::Test);
        failure.file = self.file.take().or(failure.file);
        let first = failure.text.first().map_or("", |line| line.text.as_str());
        if ["memory access violation", "signal: ", "fatal error"].iter().any(|begin| first.starts_with(begin)) {
            failure.signal = Some(Signal::Crash);
        } else if first.contains("timeout while executing") || first.contains("timed out") {
            failure.signal = Some(Signal::TestTimeout);
        }
        if failure.text.is_empty() {
            failure.text.push(TextLine { text: "the case failed, and the report does not say why".to_owned(), span });
        }
        (context.out)(Item::Failure(failure));
    }
}
