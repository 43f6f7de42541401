//! The `testng-results.xml` of TestNG: methods with the exception that each ended with.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::xml::document::{Context, Document, Reader};
use super::xml::results::{Current, Ended, Sink, Totals, seconds};
use super::xml::text::decode;
use super::xml::{Tag, key, root};
use super::{Parse, Sure};
use crate::item::Item;
use crate::report::{Level, Signal};

/// Whether a document is TestNG's own.
pub(crate) fn sniff(head: &[u8]) -> Option<Sure> {
    let (name, _) = root(head)?;
    (key(name) == RESULTS).then_some(Sure::Certain)
}

pub(crate) fn open() -> Box<dyn Parse> {
    Box::<Document<TestNg>>::default()
}

const RESULTS: u64 = key(b"testng-results");
const CLASS: u64 = key(b"class");
const METHOD: u64 = key(b"test-method");
const EXCEPTION: u64 = key(b"exception");
const MESSAGE: u64 = key(b"message");
const SHORT_TRACE: u64 = key(b"short-stacktrace");
const FULL_TRACE: u64 = key(b"full-stacktrace");

#[derive(Debug, Default)]
struct TestNg {
    totals: Totals,
    class: String,
    method: Option<Current>,
    /// The method at hand is one of set-up or tear-down.
    hook: bool,
    sink: Sink,
    /// Hooks that failed.
    outside: u64,
    /// Names of the methods that were tried again, as hashes.
    retried: HashSet<u64>,
}

/// How many methods that were tried again are kept in mind.
const MAX_RETRIED: usize = 100_000;

fn digest(name: &str) -> u64 {
    let mut hash = DefaultHasher::new();
    name.hash(&mut hash);
    hash.finish()
}

impl Reader for TestNg {
    fn root(&mut self, tag: &Tag<'_, '_>, context: &mut Context<'_, '_>) {
        self.totals.begin(tag, context);
        self.totals.declare_failed(tag, &[b"failed"]);
    }

    fn start(&mut self, tag: &Tag<'_, '_>, context: &mut Context<'_, '_>) {
        match tag.key {
            CLASS => self.class = decode(tag.get(b"name").unwrap_or_default(), context.encoding),
            METHOD => {
                let ended = match tag.get(b"status").unwrap_or_default() {
                    b"PASS" => Ended::Passed,
                    b"SKIP" => Ended::Skipped,
                    _ => Ended::Failed,
                };
                self.hook = tag.get(b"is-config") == Some(b"true");
                let name = decode(tag.get(b"name").unwrap_or_default(), context.encoding);
                let name = if self.class.is_empty() { name } else { format!("{}.{name}", self.class) };
                let span = context.span(tag.at, tag.at + tag.raw.len());
                // Since version 7 an attempt after which another is made says so. It is no test of its own.
                if tag.get(b"retried") == Some(b"true") {
                    if self.retried.len() < MAX_RETRIED {
                        self.retried.insert(digest(&name));
                    }
                    return;
                }
                let again = !self.retried.is_empty() && self.retried.remove(&digest(&name));
                self.totals.counts.flaky += u64::from(again && ended == Ended::Passed);
                let signal = self.hook.then_some(Signal::Hook);
                let seconds = seconds(tag, b"duration-ms").filter(|_| context.keep_passed).map(|ms| ms / 1000.0);
                self.method = Some(Current { name, ended, span, signal, seconds, ..Current::default() });
            }
            EXCEPTION => {
                if let Some(method) = &mut self.method {
                    method.kind = decode(tag.get(b"class").unwrap_or_default(), context.encoding);
                }
            }
            MESSAGE => self.sink = Sink::Message,
            // Newer versions write only this one, older ones both.
            FULL_TRACE => self.sink = Sink::Stack,
            SHORT_TRACE => self.sink = Sink::Nowhere,
            _ => {}
        }
    }

    fn text(&mut self, raw: &[u8], cdata: bool, at: usize, context: &mut Context<'_, '_>) {
        if let Some(method) = self.method.as_mut().filter(|method| method.ended == Ended::Failed) {
            method.push(self.sink, raw, cdata, at, context);
        }
    }

    fn end(&mut self, key: u64, _from: usize, to: usize, context: &mut Context<'_, '_>) {
        match key {
            MESSAGE | FULL_TRACE => self.sink = Sink::Nowhere,
            METHOD => {
                let Some(mut method) = self.method.take() else { return };
                match (self.hook, method.ended) {
                    (false, _) => self.totals.add(&method, context),
                    (true, Ended::Failed) => {
                        self.outside += 1;
                        self.totals.counts.errored += 1;
                    }
                    (true, _) => {}
                }
                if method.ended != Ended::Failed {
                    return;
                }
                method.span = context.extend(method.span, to);
                let level = if self.hook { Level::Suite } else { Level::Case };
                let mut failure = method.failure(level, context.encoding);
                failure.text.retain(|line| !line.text.trim().is_empty());
                let holds = |words: &str| failure.text.iter().take(3).any(|line| line.text.contains(words));
                if holds("should have thrown an exception of") || holds("Expected exception of type ") {
                    failure.signal = Some(Signal::Assertion);
                } else if holds("didn't finish within the time-out") {
                    failure.signal = Some(Signal::TestTimeout);
                }
                (context.out)(Item::Failure(failure));
            }
            _ => {}
        }
    }

    fn finish(&mut self, whole: bool, context: &mut Context<'_, '_>) {
        self.totals.report("testng", whole, self.outside, context.out);
    }
}
