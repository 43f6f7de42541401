//! The service messages of TeamCity, which many runners of tests print for it: `##teamcity[testFailed name='…' …]`.
//!
//! A runner may print them beside its own words, so what they tell is filed as a report within the console.

use std::collections::HashMap;

use super::cases::{Case, finish, script_place};
use super::runner::{is_frame, own_frame};
use super::{Grip, Line, Reader};
use crate::item::Item;
use crate::report::{Counts, Failure, FileRef, Level, Signal, Span, TextLine};

pub(super) const NEEDLES: &[&str] = &["##teamcity["];

/// How many lines of others may follow before the messages are taken for ended.
const PATIENCE: u32 = 5000;

/// How many cases may be open before only numbers are kept.
const MAX_OPEN: usize = 20_000;

/// How many lines of the details of a failure are kept.
const MAX_DETAILS: usize = 200;

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(TeamCity::default())
}

#[derive(Default)]
struct TeamCity {
    /// The suites that are open, the innermost last, each with the flow that it is of.
    suites: Vec<(String, String)>,
    /// The cases that have begun and not ended, by flow and name.
    open: HashMap<(String, String), State>,
    counts: Counts,
    span: Span,
    idle: u32,
}

#[derive(Default)]
struct State {
    /// Where the test is, in the words of the runner.
    hint: String,
    failed: bool,
    ignored: bool,
}

impl Reader for TeamCity {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let mut rest = line.text;
        let mut any = false;
        while let Some(at) = rest.find("##teamcity[") {
            let Some(message) = Message::read(&rest[at + "##teamcity[".len()..]) else { break };
            rest = message.rest;
            self.take(&message, line, out);
            any = true;
        }
        if any {
            self.idle = 0;
            return Grip::Hold;
        }
        if line.text.is_empty() {
            return Grip::Watch;
        }
        self.idle += 1;
        if self.suites.is_empty() && self.open.is_empty() || self.idle > PATIENCE {
            self.close(out);
            return Grip::Pass;
        }
        Grip::Watch
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.close(out);
    }
}

impl TeamCity {
    fn take(&mut self, message: &Message<'_>, line: Line<'_>, out: &mut dyn FnMut(Item)) {
        let name = message.get("name");
        let flow = message.get("flowId");
        let key = || (flow.clone(), name.clone());
        match message.kind {
            "testSuiteStarted" => self.suites.push((flow, name)),
            "testSuiteFinished" => {
                if let Some(at) = self.suites.iter().rposition(|suite| suite.1 == name && suite.0 == flow) {
                    self.suites.truncate(at);
                } else {
                    self.suites.pop();
                }
            }
            "testStarted" if self.open.len() < MAX_OPEN => {
                let state = State { hint: message.get("locationHint"), ..State::default() };
                self.open.insert(key(), state);
            }
            "testIgnored" => match self.open.get_mut(&key()) {
                Some(state) => state.ignored = true,
                None => (self.counts.skipped, self.counts.total) = (self.counts.skipped + 1, self.counts.total + 1),
            },
            "testFailed" => {
                let hint = match self.open.get_mut(&key()) {
                    // A further failure of the same case.
                    Some(state) if state.failed => return,
                    Some(state) => {
                        state.failed = true;
                        state.hint.clone()
                    }
                    None => {
                        (self.counts.failed, self.counts.total) = (self.counts.failed + 1, self.counts.total + 1);
                        String::new()
                    }
                };
                let failure = self.failure(&name, &flow, &hint, message, line);
                out(Item::Teller(Some("teamcity")));
                out(Item::Failure(failure));
                out(Item::Teller(None));
            }
            "testFinished" => {
                let Some(state) = self.open.remove(&key()) else { return };
                self.counts.total += 1;
                match state {
                    State { failed: true, .. } => self.counts.failed += 1,
                    State { ignored: true, .. } => self.counts.skipped += 1,
                    _ => {}
                }
            }
            "buildProblem" => {
                let text = lines(&message.get("description"), line.span);
                out(Item::Failure(Failure { level: Level::Run, text, span: line.span, ..Failure::default() }));
                return;
            }
            _ => return,
        }
        self.span = if self.span.line == 0 { line.span } else { self.span.join(line.span) };
    }

    fn failure(&self, name: &str, flow: &str, hint: &str, message: &Message<'_>, line: Line<'_>) -> Failure {
        // `php_qn:///srv/CartTest.php::\CartTest::testTotal`.
        let qualified = hint.strip_prefix("php_qn://").and_then(|hint| hint.split_once("::\\"));
        let suites = self.suites.iter().filter(|suite| suite.0 == flow).map(|suite| suite.1.as_str());
        let full = match qualified {
            Some((_, full)) => full.to_owned(),
            None => {
                let parts: Vec<&str> = suites.filter(|suite| !name.contains(suite)).chain([name]).collect();
                parts.join(" ")
            }
        };
        let mut case = Case::new(full, line);
        // Mocha files a hook as a case.
        case.signal = name.contains("\" hook").then_some(Signal::Hook);
        let (said, details) = (message.get("message"), message.get("details"));
        for part in lines(&said, line.span) {
            case.push(Line { text: &part.text, span: line.span });
        }
        let repeats = said.trim();
        for part in lines(&details, line.span).iter().take(MAX_DETAILS) {
            let text = part.text.trim();
            let shown = Line { text: &part.text, span: line.span };
            if is_frame(text) && !text.ends_with(')') || own_frame(text).is_some() {
                case.frame(shown, own_frame(text));
            } else if super::cases::is_jvm_frame(text) {
                case.jvm_frame(shown, text);
            } else if text.starts_with(['/', '.', '#']) && script_place(text).is_some() {
                case.frame(shown, script_place(text));
            } else if !repeats.contains(text) && !case.stack {
                case.push(shown);
            }
        }
        if let Some((path, _)) = qualified.filter(|_| case.file.is_none()) {
            case.file = Some(FileRef::new(path, None, None));
        }
        if message.get("type") == "comparisonFailure" || message.has("expected") && message.has("actual") {
            case.signal = Some(Signal::Assertion);
        } else if said.starts_with("Error in ") {
            case.signal = Some(Signal::Unhandled);
        }
        let mut failure = case.into_failure();
        if failure.signal.is_none() && failure.type_name.is_none() {
            failure.signal = Some(Signal::Assertion);
        }
        failure
    }

    /// The messages end: what has not ended by now did not end well.
    fn close(&mut self, out: &mut dyn FnMut(Item)) {
        let TeamCity { open, mut counts, span, .. } = std::mem::take(self);
        for state in open.values() {
            counts.total += 1;
            counts.failed += u64::from(state.failed);
            counts.skipped += u64::from(state.ignored);
        }
        let lost = open.values().filter(|state| !state.failed && !state.ignored).count() as u64;
        if counts.total == 0 {
            return;
        }
        counts.passed = Some(counts.total.saturating_sub(counts.failed + counts.skipped + lost));
        out(Item::Teller(Some("teamcity")));
        match lost {
            0 => finish("teamcity", counts, false, span, out),
            _ => super::cases::cut("teamcity", counts, span, out),
        }
        out(Item::Teller(None));
    }
}

/// The lines of a value, all of which stand on one line of the input.
fn lines(value: &str, span: Span) -> Vec<TextLine> {
    value.lines().map(|text| TextLine { text: text.trim_end().to_owned(), span }).collect()
}

/// `testFailed name='x' message='y']`: a message behind its bracket.
struct Message<'t> {
    kind: &'t str,
    values: Vec<(&'t str, &'t str)>,
    /// What follows it on the line.
    rest: &'t str,
}

impl<'t> Message<'t> {
    fn read(text: &'t str) -> Option<Self> {
        let end = text.find(|sign: char| !sign.is_ascii_alphanumeric())?;
        let (kind, mut rest) = text.split_at(end);
        let mut values = Vec::new();
        loop {
            rest = rest.trim_start();
            if let Some(rest) = rest.strip_prefix(']') {
                return (!kind.is_empty()).then_some(Message { kind, values, rest });
            }
            // A message with a single value has no name for it.
            let (name, quoted) = match rest.split_once('\'') {
                Some((name, quoted)) => (name.trim_end().trim_end_matches('=').trim_end(), quoted),
                None => return None,
            };
            let end = closing(quoted)?;
            values.push((name, &quoted[..end]));
            rest = &quoted[end + 1..];
        }
    }

    fn has(&self, name: &str) -> bool {
        self.values.iter().any(|value| value.0 == name)
    }

    /// A value without its escapes; empty where there is none.
    fn get(&self, name: &str) -> String {
        self.values.iter().find(|value| value.0 == name).map(|value| plain(value.1)).unwrap_or_default()
    }
}

/// Where the quote that ends a value stands.
fn closing(quoted: &str) -> Option<usize> {
    let mut escaped = false;
    quoted.bytes().position(|byte| {
        let ends = byte == b'\'' && !escaped;
        escaped = byte == b'|' && !escaped;
        ends
    })
}

fn plain(value: &str) -> String {
    let mut plain = String::with_capacity(value.len());
    let mut signs = value.chars();
    while let Some(sign) = signs.next() {
        if sign != '|' {
            plain.push(sign);
            continue;
        }
        match signs.next() {
            Some('n' | 'l' | 'p') => plain.push('\n'),
            Some('r') => {}
            Some('x') => plain.push('\u{85}'),
            Some('0') if signs.as_str().starts_with('x') => {
                let digits = signs.as_str().get(1..5).unwrap_or("");
                let sign = u32::from_str_radix(digits, 16).ok().and_then(char::from_u32);
                plain.push(sign.unwrap_or(char::REPLACEMENT_CHARACTER));
                signs = signs.as_str().get(1 + digits.len()..).unwrap_or("").chars();
            }
            Some(other) => plain.push(other),
            None => {}
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_message() {
        let text = "testFailed name='a |'b|' |[x|]' message='one|ntwo || |0x2014 ' flowId='7'] more";
        let message = Message::read(text).unwrap();
        assert_eq!((message.kind, message.rest), ("testFailed", " more"));
        assert_eq!(message.get("name"), "a 'b' [x]");
        assert_eq!(message.get("message"), "one\ntwo | \u{2014} ");
        assert_eq!(message.get("none"), "");
    }

    #[test]
    fn a_cut_message_is_none() {
        for text in ["testFailed name='a", "testFailed name='a|'", "testFailed", "testFailed name", ""] {
            assert!(Message::read(text).is_none(), "{text}");
        }
        assert_eq!(plain("a|0x20"), "a\u{fffd}20");
    }
}
