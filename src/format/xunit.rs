//! The results of xUnit.net, versions 1 to 3.

use super::xml::document::{Context, Document, Reader};
use super::xml::results::{Current, Ended, Sink, Totals, seconds};
use super::xml::text::decode;
use super::xml::{Tag, key, root};
use super::{Parse, Sure, signal};
use crate::item::Item;
use crate::report::{Level, Signal};

/// Whether a document holds the results of xUnit.net.
pub(crate) fn sniff(head: &[u8]) -> Option<Sure> {
    let (name, rest) = root(head)?;
    match key(name) {
        ASSEMBLIES => Some(Sure::Certain),
        // Other formats have assemblies too; only this one counts tests in their start tags.
        ASSEMBLY => {
            let tag = &rest[..memchr::memchr(b'>', rest).unwrap_or(rest.len())];
            memchr::memmem::find(tag, b"test-framework").map(|_| Sure::Certain)
        }
        _ => None,
    }
}

pub(crate) fn open() -> Box<dyn Parse> {
    Box::<Document<Xunit>>::default()
}

const ASSEMBLIES: u64 = key(b"assemblies");
const ASSEMBLY: u64 = key(b"assembly");
const TEST: u64 = key(b"test");
const ERROR: u64 = key(b"error");
const FAILURE: u64 = key(b"failure");
const MESSAGE: u64 = key(b"message");
const STACK_TRACE: u64 = key(b"stack-trace");
const OUTPUT: u64 = key(b"output");

#[derive(Debug, Default)]
struct Xunit {
    totals: Totals,
    current: Option<(Current, Level)>,
    in_failure: bool,
    sink: Sink,
    /// Errors of assemblies and of clean-up, outside any test.
    outside: u64,
}

impl Reader for Xunit {
    fn root(&mut self, tag: &Tag<'_, '_>, context: &mut Context<'_, '_>) {
        self.totals.begin(tag, context);
    }

    fn start(&mut self, tag: &Tag<'_, '_>, context: &mut Context<'_, '_>) {
        match tag.key {
            ASSEMBLY => self.totals.declare_failed(tag, &[b"failed", b"errors"]),
            TEST => {
                let ended = match tag.get(b"result").unwrap_or_default() {
                    b"Fail" => Ended::Failed,
                    b"Pass" | b"" => Ended::Passed,
                    // Those who only write in this form have other words for what did not run.
                    _ => Ended::Skipped,
                };
                let kept = ended == Ended::Passed && context.keep_passed;
                let named = kept || ended == Ended::Failed;
                let name = if named { tag.get(b"name").unwrap_or_default() } else { b"" };
                let seconds = kept.then(|| seconds(tag, b"time")).flatten();
                let name = decode(name, context.encoding);
                let span = context.span(tag.at, tag.at + tag.raw.len());
                let signal = signal::of_name("", &name);
                let current = Current { name, ended, signal, span, seconds, ..Current::default() };
                self.current = Some((current, Level::Case));
            }
            ERROR => {
                let name = tag.get(b"name").or_else(|| tag.get(b"type")).unwrap_or_default();
                let name = decode(name, context.encoding);
                let signal = tag.get(b"type").filter(|kind| kind.ends_with(b"cleanup")).map(|_| Signal::Hook);
                let span = context.span(tag.at, tag.at + tag.raw.len());
                let error = Current { name, ended: Ended::Errored, signal, span, ..Current::default() };
                self.current = Some((error, Level::Suite));
            }
            FAILURE => {
                self.in_failure = true;
                if let Some((current, _)) = &mut self.current {
                    current.kind = decode(tag.get(b"exception-type").unwrap_or_default(), context.encoding);
                }
            }
            // Who writes no failure writes there what went wrong.
            OUTPUT if self.is_bare() => self.sink = Sink::Message,
            MESSAGE if self.in_failure => self.sink = Sink::Message,
            STACK_TRACE if self.in_failure => self.sink = Sink::Stack,
            _ => {}
        }
    }

    fn text(&mut self, raw: &[u8], cdata: bool, at: usize, context: &mut Context<'_, '_>) {
        if let Some((current, _)) = &mut self.current {
            current.push(self.sink, raw, cdata, at, context);
        }
    }

    fn end(&mut self, key: u64, _from: usize, to: usize, context: &mut Context<'_, '_>) {
        match key {
            MESSAGE | STACK_TRACE | OUTPUT => self.sink = Sink::Nowhere,
            FAILURE => self.in_failure = false,
            TEST | ERROR => self.close(to, context),
            _ => {}
        }
    }

    fn finish(&mut self, whole: bool, context: &mut Context<'_, '_>) {
        if self.current.as_ref().is_some_and(|(current, _)| current.ended != Ended::Passed) {
            self.close(context.window.pos, context);
        }
        self.totals.report("xunit", whole, self.outside, context.out);
    }
}

impl Xunit {
    /// Whether a test that failed is open, and nothing was said of it yet.
    fn is_bare(&self) -> bool {
        let failed = |(current, _): &(Current, Level)| current.ended == Ended::Failed && current.kind.is_empty();
        !self.in_failure && self.current.as_ref().is_some_and(failed)
    }

    fn close(&mut self, to: usize, context: &mut Context<'_, '_>) {
        let Some((mut current, level)) = self.current.take() else { return };
        if level == Level::Suite {
            self.outside += 1;
            self.totals.counts.errored += 1;
        } else {
            self.totals.add(&current, context);
        }
        if matches!(current.ended, Ended::Failed | Ended::Errored) {
            current.span = context.extend(current.span, to);
            let failure = current.failure(level, context.encoding);
            (context.out)(Item::Failure(failure));
        }
    }
}
