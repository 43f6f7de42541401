//! TRX, the results of `dotnet test --logger trx`, of VSTest and of MSTest.
//!
//! What fails a run outside any test, such as a test host that crashed, stands in `RunInfos`. Their errors also repeat
//! what the adapters printed about failed tests, so they count only where they say more.

use super::xml::document::{Context, Document, Reader};
use super::xml::results::{Current, Ended, Sink, Totals, count, seconds};
use super::xml::text::decode;
use super::xml::{Tag, key, root};
use super::{Parse, Sure};
use crate::item::Item;
use crate::report::{Failure, Level, Note, Signal, TextLine};

/// How many messages about the run are kept.
const MAX_MESSAGES: usize = 50;

/// Whether a document is TRX: the name of its root is shared with another format but for its case.
pub(crate) fn sniff(head: &[u8]) -> Option<Sure> {
    let (name, _) = root(head)?;
    (name == b"TestRun").then_some(Sure::Certain)
}

pub(crate) fn open() -> Box<dyn Parse> {
    Box::<Document<Trx>>::default()
}

const UNIT_TEST_RESULT: u64 = key(b"UnitTestResult");
const GENERIC_TEST_RESULT: u64 = key(b"GenericTestResult");
const WEB_TEST_RESULT: u64 = key(b"WebTestResult");
const MANUAL_TEST_RESULT: u64 = key(b"ManualTestResult");
const AGGREGATION: u64 = key(b"TestResultAggregation");
const INNER_RESULTS: u64 = key(b"InnerResults");
const MESSAGE: u64 = key(b"Message");
const STACK_TRACE: u64 = key(b"StackTrace");
const RESULT_SUMMARY: u64 = key(b"ResultSummary");
const COUNTERS: u64 = key(b"Counters");
const RUN_INFO: u64 = key(b"RunInfo");
const TEXT: u64 = key(b"Text");

#[derive(Debug, Default)]
struct Trx {
    totals: Totals,
    /// The open results: those of data rows stand within that of their test.
    open: Vec<(Current, bool)>,
    sink: Sink,
    /// The message about the run at hand, and those before it.
    message: Option<Current>,
    messages: Vec<Failure>,
    unknown_words: u64,
}

fn ended(word: Option<&[u8]>) -> Option<(Ended, Option<Signal>)> {
    // An outcome that is not written is the first of its enumeration, which is an error.
    let Some(word) = word else { return Some((Ended::Errored, None)) };
    let known = match word {
        b"Passed" | b"PassedButRunAborted" | b"Warning" | b"Completed" => (Ended::Passed, None),
        b"Failed" => (Ended::Failed, None),
        b"Error" | b"NotRunnable" => (Ended::Errored, None),
        b"Timeout" => (Ended::Failed, Some(Signal::TestTimeout)),
        b"Aborted" | b"Disconnected" | b"InProgress" => (Ended::Failed, Some(Signal::Interrupted)),
        b"NotExecuted" | b"Inconclusive" | b"Pending" => (Ended::Skipped, None),
        _ => return None,
    };
    Some(known)
}

impl Reader for Trx {
    fn root(&mut self, tag: &Tag<'_, '_>, context: &mut Context<'_, '_>) {
        self.totals.begin(tag, context);
    }

    fn start(&mut self, tag: &Tag<'_, '_>, context: &mut Context<'_, '_>) {
        match tag.key {
            UNIT_TEST_RESULT | GENERIC_TEST_RESULT | WEB_TEST_RESULT | MANUAL_TEST_RESULT | AGGREGATION => {
                let known = ended(tag.get(b"outcome"));
                self.unknown_words += u64::from(known.is_none());
                let (ended, signal) = known.unwrap_or((Ended::Errored, None));
                let kept = ended == Ended::Passed && context.keep_passed;
                let name = match kept || matches!(ended, Ended::Failed | Ended::Errored) {
                    true => decode(tag.get(b"testName").unwrap_or_default(), context.encoding),
                    false => String::new(),
                };
                let seconds = kept.then(|| seconds(tag, b"duration")).flatten();
                let span = context.span(tag.at, tag.at + tag.raw.len());
                if self.open.len() < 64 {
                    self.open.push((Current { name, ended, signal, span, seconds, ..Current::default() }, false));
                }
            }
            INNER_RESULTS => {
                if let Some((_, outer)) = self.open.last_mut() {
                    *outer = true;
                }
            }
            MESSAGE if !self.open.is_empty() => self.sink = Sink::Message,
            STACK_TRACE if !self.open.is_empty() => self.sink = Sink::Stack,
            RESULT_SUMMARY => {
                let word = tag.get(b"outcome").unwrap_or_default();
                self.totals.failed = matches!(word, b"Failed" | b"Error" | b"Aborted" | b"Timeout" | b"Disconnected");
            }
            COUNTERS => {
                let words: [&[u8]; 4] = [b"failed", b"error", b"timeout", b"aborted"];
                // `failed` is the sum in some versions and one part of it in others: the largest is surely too many.
                self.totals.declared_failed = words.iter().filter_map(|word| count(tag, word)).max();
            }
            RUN_INFO if matches!(tag.get(b"outcome"), Some(b"Error" | b"Aborted" | b"Failed" | b"Timeout")) => {
                let span = context.span(tag.at, tag.at + tag.raw.len());
                self.message = Some(Current { span, ..Current::default() });
            }
            TEXT if self.message.is_some() => self.sink = Sink::Message,
            _ => {}
        }
    }

    fn text(&mut self, raw: &[u8], cdata: bool, at: usize, context: &mut Context<'_, '_>) {
        let current = match &mut self.message {
            Some(message) => message,
            None => match self.open.last_mut() {
                Some((current, _)) => current,
                None => return,
            },
        };
        current.push(self.sink, raw, cdata, at, context);
    }

    fn end(&mut self, key: u64, _from: usize, to: usize, context: &mut Context<'_, '_>) {
        match key {
            UNIT_TEST_RESULT | GENERIC_TEST_RESULT | WEB_TEST_RESULT | MANUAL_TEST_RESULT | AGGREGATION => {
                let Some((mut current, outer)) = self.open.pop() else { return };
                if outer {
                    return;
                }
                self.totals.add(&current, context);
                if matches!(current.ended, Ended::Failed | Ended::Errored) {
                    current.span = context.extend(current.span, to);
                    let failure = current.failure(Level::Case, context.encoding);
                    (context.out)(Item::Failure(failure));
                }
            }
            MESSAGE | STACK_TRACE | TEXT => self.sink = Sink::Nowhere,
            RUN_INFO => {
                if let Some(message) = self.message.take()
                    && self.messages.len() < MAX_MESSAGES
                {
                    self.messages.push(message.failure(Level::Run, context.encoding));
                }
            }
            _ => {}
        }
    }

    fn finish(&mut self, whole: bool, context: &mut Context<'_, '_>) {
        while let Some((current, outer)) = self.open.pop() {
            // A result that was cut counts if it is known to have failed.
            if !outer && matches!(current.ended, Ended::Failed | Ended::Errored) {
                self.totals.add(&current, context);
                (context.out)(Item::Failure(current.failure(Level::Case, context.encoding)));
            }
        }
        let any_failed = self.totals.counts.any_failed();
        let mut told = false;
        for message in std::mem::take(&mut self.messages) {
            let says_more = matches!(message.signal, Some(Signal::Crash | Signal::Interrupted | Signal::TestTimeout))
                || message.text.iter().any(|line| is_of_the_run(&line.text));
            if says_more || !any_failed && self.totals.failed {
                told = true;
                self.totals.failed = true;
                (context.out)(Item::Failure(message));
            }
        }
        if self.totals.failed && !any_failed && !told && whole {
            let text = "the report says that the run failed, and names no test that did".to_owned();
            let text = vec![TextLine { text, span: self.totals.span }];
            let failure = Failure { level: Level::Run, text, span: self.totals.span, ..Failure::default() };
            (context.out)(Item::Failure(failure));
        }
        if self.unknown_words > 0 {
            let message =
                format!("{} results have an outcome that is not known; they count as errors", self.unknown_words);
            (context.out)(Item::Note(Note::warning(Some(self.totals.span.line), message)));
        }
        self.totals.report("trx", whole, 0, context.out);
    }
}

/// Whether a message tells that the run itself broke off.
fn is_of_the_run(line: &str) -> bool {
    ["test run was aborted", "test host process", "Test Run Aborted", "testhost", "Unable to find"]
        .iter()
        .any(|words| line.contains(words))
}
