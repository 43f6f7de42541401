//! What the formats of .NET's runners have in common: results with a name, a word for how they ended, a message and a
//! stack.

use super::Tag;
use super::document::Context;
use super::text::{Encoding, Lines};
use crate::format::{frames, signal, thrown};
use crate::item::{Item, TestRun, read_count};
use crate::report::{Counts, Failure, Level, Note, Outcome, PassedCase, Signal, Span, TextLine};

/// How a result ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Ended {
    #[default]
    Passed,
    Failed,
    Errored,
    Skipped,
}

/// Where the text at hand goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Sink {
    #[default]
    Nowhere,
    Message,
    Stack,
}

/// A result as it is being read.
#[derive(Debug, Default)]
pub(crate) struct Current {
    pub name: String,
    pub ended: Ended,
    pub signal: Option<Signal>,
    /// The type that was thrown, where the format has a field for it.
    pub kind: String,
    pub message: Lines,
    pub stack: Lines,
    pub span: Span,
    pub follow_on: bool,
    /// How long it ran; known only of passing ones that are asked for.
    pub seconds: Option<f64>,
}

impl Current {
    /// What failed, as a failure.
    pub(crate) fn failure(mut self, level: Level, encoding: &mut Encoding) -> Failure {
        let mut text = self.message.finish(encoding);
        let first = text.first().map_or("", |line| line.text.as_str());
        // NUnit and MSTest put the type before the message: `System.Exception : closed`.
        let of_message = signal::type_of_message(first).map(str::to_owned);
        let type_name = signal::type_name(&self.kind).or(of_message);
        let by_type = type_name.as_deref().and_then(signal::of_type);
        let expectation = text.iter().take(6).any(|line| is_expectation(&line.text));
        let signal = self
            .signal
            .or(by_type)
            .or_else(|| text.iter().take(2).find_map(|line| signal::of_message(&line.text)))
            // Types with a package are not of JavaScript.
            .or_else(|| of_script(type_name.as_deref()).then(|| thrown::signal(&text)).flatten())
            .or_else(|| (expectation && type_name.is_none()).then_some(Signal::Assertion))
            .or_else(|| (self.ended == Ended::Errored && !text.is_empty()).then_some(Signal::Unhandled));
        let stack = self.stack.finish(encoding);
        let file = frames::place(&stack).or_else(|| frames::place(&text));
        text.extend(stack);
        let test = (!self.name.is_empty()).then_some(self.name);
        let Current { span, follow_on, .. } = Current { name: String::new(), ..self };
        Failure { level, test, file, signal, type_name, text, span, count: 1, follow_on, ..Failure::default() }
    }

    /// Takes a piece of text.
    pub(crate) fn push(&mut self, sink: Sink, raw: &[u8], cdata: bool, at: usize, context: &mut Context<'_, '_>) {
        let lines = match sink {
            Sink::Nowhere => return,
            Sink::Message => &mut self.message,
            Sink::Stack => &mut self.stack,
        };
        let (byte, line) = (context.window.byte(at), context.window.line(at));
        lines.push(raw, cdata, byte, line, context.encoding);
    }
}

/// Whether a type may be one of JavaScript.
fn of_script(type_name: Option<&str>) -> bool {
    type_name.is_none_or(|name| !name.contains(['.', '\\', ':']))
}

/// Whether a line is what the assertion libraries of .NET print.
fn is_expectation(line: &str) -> bool {
    let line = line.trim_start();
    ["Assert.", "Expected:", "Expected ", "Shouldly.", "But was:", "StringAssert.", "CollectionAssert."]
        .iter()
        .any(|begin| line.starts_with(begin))
}

/// The counts of a document and how it ends.
#[derive(Debug, Default)]
pub(crate) struct Totals {
    pub counts: Counts,
    pub span: Span,
    /// How many failures the document declares.
    pub declared_failed: Option<u64>,
    /// The document itself says that the run failed.
    pub failed: bool,
}

impl Totals {
    /// The root element of the document begins.
    pub(crate) fn begin(&mut self, tag: &Tag<'_, '_>, context: &mut Context<'_, '_>) {
        self.span = context.span(tag.at, context.window.pos);
    }

    /// Takes the sum of some attributes for a number of failures that the document declares, in addition to others.
    pub(crate) fn declare_failed(&mut self, tag: &Tag<'_, '_>, names: &[&[u8]]) {
        for count in names.iter().filter_map(|name| count(tag, name)) {
            *self.declared_failed.get_or_insert(0) += count;
        }
    }

    /// Counts a result, and tells of one that passed where those are asked for.
    pub(crate) fn add(&mut self, current: &Current, context: &mut Context<'_, '_>) {
        self.counts.total += 1;
        match current.ended {
            Ended::Passed => {
                context.passed(|_| PassedCase { seconds: current.seconds, ..PassedCase::new(current.name.clone()) });
            }
            Ended::Failed => self.counts.failed += 1,
            Ended::Errored => self.counts.errored += 1,
            Ended::Skipped => self.counts.skipped += 1,
        }
    }

    /// Tells the totals. `outside` is how much of the errors lies outside any result.
    pub(crate) fn report(&self, tool: &'static str, whole: bool, outside: u64, out: &mut dyn FnMut(Item)) {
        let mut counts = self.counts;
        counts.passed = Some(counts.total.saturating_sub(counts.failed + counts.errored - outside + counts.skipped));
        let seen = counts.failed + counts.errored;
        if let Some(declared) = self.declared_failed
            && whole
            && declared > seen
        {
            let message = format!("{declared} failures are declared, but {seen} are told of");
            out(Item::Note(Note::warning(Some(self.span.line), message)));
        }
        let lost = self.declared_failed.is_some_and(|declared| declared > 0) && seen == 0;
        let nothing = counts.total == 0 && seen == 0;
        let outcome = match counts.any_failed() || lost || self.failed {
            true => Outcome::Failed,
            false if nothing || !whole => Outcome::Unknown,
            false => Outcome::Passed,
        };
        if outcome == Outcome::Unknown && whole {
            no_tests(self.span, out);
        }
        out(Item::Tests(TestRun { tool, counts, span: self.span, outcome }));
    }
}

/// The seconds in an attribute: a number, or hours, minutes and seconds with colons between them.
pub(crate) fn seconds(tag: &Tag<'_, '_>, name: &[u8]) -> Option<f64> {
    let text = std::str::from_utf8(tag.get(name)?).ok()?.trim();
    let text = text.replace(if text.contains('.') { ',' } else { ' ' }, "");
    let parts = text.split(':').map(|part| part.replace(',', ".").parse::<f64>().ok());
    let sum = parts.take(4).try_fold(0.0, |sum, part| Some(sum * 60.0 + part?))?;
    (sum.is_finite() && sum >= 0.0).then_some(sum)
}

/// A count that an attribute tells.
pub(crate) fn count(tag: &Tag<'_, '_>, name: &[u8]) -> Option<u64> {
    read_count(std::str::from_utf8(tag.get(name)?).ok()?)
}

/// Tells that a report is whole and empty: nothing was proved.
pub(crate) fn no_tests(span: Span, out: &mut dyn FnMut(Item)) {
    let text = vec![TextLine { text: "the report holds no tests".to_owned(), span }];
    let signal = Some(Signal::NoTests);
    out(Item::Failure(Failure { level: Level::Run, signal, text, span, ..Failure::default() }));
}
