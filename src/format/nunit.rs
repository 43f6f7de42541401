//! The results of NUnit 2 and 3.
//!
//! A suite repeats that its children failed; only what happened in its own set-up or tear-down is news.

use super::xml::document::{Context, Document, Reader};
use super::xml::results::{Current, Ended, Sink, Totals, seconds};
use super::xml::text::decode;
use super::xml::{Tag, key, root};
use super::{Parse, Sure};
use crate::item::Item;
use crate::report::{Level, Signal};

/// Whether a document holds the results of NUnit.
pub(crate) fn sniff(head: &[u8]) -> Option<Sure> {
    let (name, _) = root(head)?;
    matches!(key(name), TEST_RUN | TEST_RESULTS | TEST_SUITE).then_some(Sure::Certain)
}

pub(crate) fn open() -> Box<dyn Parse> {
    Box::<Document<Nunit>>::default()
}

const TEST_RUN: u64 = key(b"test-run");
const TEST_RESULTS: u64 = key(b"test-results");
const TEST_SUITE: u64 = key(b"test-suite");
const TEST_CASE: u64 = key(b"test-case");
const FAILURE: u64 = key(b"failure");
const PROPERTY: u64 = key(b"property");
const MESSAGE: u64 = key(b"message");
const STACK_TRACE: u64 = key(b"stack-trace");

/// How many suites are remembered; deeper ones cannot fail by themselves.
const MAX_SUITES: usize = 4096;

#[derive(Debug, Default)]
struct Nunit {
    totals: Totals,
    suites: Vec<Current>,
    deeper: u64,
    case: Option<Current>,
    in_failure: bool,
    /// The case at hand has a message.
    told: bool,
    sink: Sink,
    /// Failures of suites that no case repeats.
    outside: u64,
}

/// How a case ended, by NUnit 3's `result` and `label` and by NUnit 2's `result`.
fn ended(result: &[u8], label: &[u8]) -> (Ended, Option<Signal>) {
    match result {
        b"Failed" => match label {
            b"Error" | b"Invalid" => (Ended::Errored, None),
            b"Cancelled" => (Ended::Failed, Some(Signal::Interrupted)),
            _ => (Ended::Failed, None),
        },
        b"Failure" => (Ended::Failed, None),
        b"Error" => (Ended::Errored, None),
        b"Cancelled" => (Ended::Failed, Some(Signal::Interrupted)),
        b"Skipped" | b"Ignored" | b"Inconclusive" | b"NotRunnable" | b"Invalid" => (Ended::Skipped, None),
        _ => (Ended::Passed, None),
    }
}

impl Reader for Nunit {
    fn root(&mut self, tag: &Tag<'_, '_>, context: &mut Context<'_, '_>) {
        self.totals.begin(tag, context);
        match tag.key {
            TEST_RUN => self.totals.declare_failed(tag, &[b"failed"]),
            TEST_RESULTS => self.totals.declare_failed(tag, &[b"failures", b"errors"]),
            _ => {}
        }
    }

    fn start(&mut self, tag: &Tag<'_, '_>, context: &mut Context<'_, '_>) {
        match tag.key {
            TEST_SUITE if self.suites.len() < MAX_SUITES => {
                self.told = false;
                self.suites.push(current(tag, context));
            }
            TEST_SUITE => self.deeper += 1,
            TEST_CASE => {
                let mut case = current(tag, context);
                self.told = false;
                // The fixture's set-up failed, and that is told once.
                case.follow_on = tag.get(b"site") == Some(b"Parent");
                self.case = Some(case);
            }
            FAILURE => self.in_failure = true,
            // A case with a time limit that failed without a word ran past it.
            PROPERTY if tag.get(b"name") == Some(b"Timeout") => {
                if let Some(case) = &mut self.case {
                    case.kind = "Timeout".to_owned();
                }
            }
            MESSAGE if self.in_failure => {
                self.sink = Sink::Message;
                // What imitates NUnit may write several failures into one case.
                if std::mem::replace(&mut self.told, true) {
                    self.text(b"\n", false, tag.at, context);
                }
            }
            STACK_TRACE if self.in_failure => self.sink = Sink::Stack,
            _ => {}
        }
    }

    fn text(&mut self, raw: &[u8], cdata: bool, at: usize, context: &mut Context<'_, '_>) {
        if self.sink == Sink::Nowhere || self.deeper > 0 && self.case.is_none() {
            return;
        }
        if let Some(current) = self.case.as_mut().or(self.suites.last_mut()) {
            current.push(self.sink, raw, cdata, at, context);
        }
    }

    fn end(&mut self, key: u64, _from: usize, to: usize, context: &mut Context<'_, '_>) {
        match key {
            MESSAGE | STACK_TRACE => self.sink = Sink::Nowhere,
            FAILURE => self.in_failure = false,
            TEST_CASE => {
                let Some(mut case) = self.case.take() else { return };
                self.totals.add(&case, context);
                if matches!(case.ended, Ended::Failed | Ended::Errored) {
                    case.span = context.extend(case.span, to);
                    let limited = std::mem::take(&mut case.kind) == "Timeout";
                    let mut failure = case.failure(Level::Case, context.encoding);
                    if limited && failure.text.is_empty() {
                        failure.signal = Some(Signal::TestTimeout);
                    }
                    (context.out)(Item::Failure(failure));
                }
            }
            TEST_SUITE if self.deeper > 0 => self.deeper -= 1,
            TEST_SUITE => {
                let Some(suite) = self.suites.pop() else { return };
                if suite.follow_on {
                    return;
                }
                // The cases of a fixture whose set-up failed are counted as failed; nobody counts a tear-down.
                if suite.signal == Some(Signal::Hook) && suite.kind == "TearDown" {
                    self.outside += 1;
                    self.totals.counts.errored += 1;
                }
                let failure = Current { kind: String::new(), ..suite }.failure(Level::Suite, context.encoding);
                (context.out)(Item::Failure(failure));
            }
            _ => {}
        }
    }

    fn finish(&mut self, whole: bool, context: &mut Context<'_, '_>) {
        if let Some(case) = self.case.take()
            && matches!(case.ended, Ended::Failed | Ended::Errored)
        {
            self.totals.add(&case, context);
            (context.out)(Item::Failure(case.failure(Level::Case, context.encoding)));
        }
        self.totals.report("nunit", whole, self.outside, context.out);
    }
}

/// A case or suite as its start tag tells of it. Of a suite that only repeats its children, `follow_on` is set.
fn current(tag: &Tag<'_, '_>, context: &mut Context<'_, '_>) -> Current {
    let (ended, signal) = match tag.get(b"result") {
        Some(result) => ended(result, tag.get(b"label").unwrap_or_default()),
        // Up to NUnit 2.4, and in what imitates it, two flags tell.
        None => {
            let says_no = |name: &[u8]| tag.get(name).is_some_and(|value| value.eq_ignore_ascii_case(b"false"));
            let skipped = says_no(b"executed");
            let failed = says_no(b"success") && !skipped;
            (
                if failed {
                    Ended::Failed
                } else if skipped {
                    Ended::Skipped
                } else {
                    Ended::Passed
                },
                None,
            )
        }
    };
    let failed = matches!(ended, Ended::Failed | Ended::Errored);
    let kept = context.keep_passed && ended == Ended::Passed && tag.key == TEST_CASE;
    let site = tag.get(b"site").unwrap_or_default();
    let own = failed && matches!(site, b"SetUp" | b"TearDown");
    let name = tag.get(b"fullname").or_else(|| tag.get(b"name")).unwrap_or_default();
    Current {
        name: if failed || kept { decode(name, context.encoding) } else { String::new() },
        ended,
        signal: if own && tag.key == TEST_SUITE { Some(Signal::Hook) } else { signal },
        kind: if own && tag.key == TEST_SUITE { decode(site, context.encoding) } else { String::new() },
        span: context.span(tag.at, tag.at + tag.raw.len()),
        follow_on: !own,
        seconds: kept.then(|| seconds(tag, b"duration").or_else(|| seconds(tag, b"time"))).flatten(),
        ..Current::default()
    }
}
