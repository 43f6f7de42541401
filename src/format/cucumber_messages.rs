//! The messages of Cucumber, one a line, as its versions for all languages write them since 2020.
//!
//! What runs is described before it runs: the scenarios, the steps of each, the hooks. Each attempt of a scenario then
//! tells of its steps by their ids, and a scenario ends with the attempt that is not tried again.

use std::collections::HashMap;

use super::cucumber_json::judge;
use super::document::{Doc, Events, Flow, Tally};
use super::json::Node;
use super::{Place, Sure};
use crate::item::Item;
use crate::kind::Phase;
use crate::report::{Failure, FileRef, Level, Note, PassedCase, Signal, Span};

/// How many scenarios, and steps of all of them, are remembered by their ids.
const MAX_KNOWN: usize = 1 << 20;

pub(crate) fn sniff(head: &[u8]) -> Option<Sure> {
    let near = &head[..head.len().min(2048)];
    let first = near.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let has = |key: &[u8]| crate::format::near::holds(first, key);
    let meta = head.starts_with(b"{") && has(b"\"meta\"") && has(b"\"protocolVersion\"") && has(b"\"implementation\"");
    meta.then_some(Sure::Certain)
}

/// A scenario, or a row of examples.
struct Pickle {
    name: String,
    file: String,
    line: Option<u64>,
}

/// How a step or an attempt ended, the worst last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
enum Ended {
    #[default]
    Passed,
    Skipped,
    /// Somebody means to write it.
    Pending,
    /// Nobody has written it.
    Undefined,
    Failed,
}

/// An attempt at a scenario that runs.
struct Attempt {
    pickle: String,
    number: u64,
    ended: Ended,
    failure: Option<Failure>,
}

#[derive(Default)]
pub(crate) struct Run {
    tally: Tally,
    /// The names of features by their files.
    features: HashMap<String, String>,
    pickles: HashMap<String, Pickle>,
    /// The texts of the steps of scenarios.
    texts: HashMap<String, String>,
    /// The scenario of each case.
    cases: HashMap<String, String>,
    /// What each step of a case runs, where that is a step of a scenario; the others are hooks.
    steps: HashMap<String, String>,
    open: HashMap<String, Attempt>,
    /// Steps that are not written, with how they ended: failures where the run fails for them.
    unwritten: Vec<(Ended, Failure)>,
    ended: bool,
    last: Span,
}

impl Events for Run {
    fn event(&mut self, doc: &Doc<'_>, event: &Node<'_>, out: &mut dyn FnMut(Item)) -> Flow {
        let Some((kind, body)) = event.members().first() else { return Flow::Alien };
        let known = self.pickles.len() + self.texts.len() + self.steps.len() + self.cases.len();
        match &**kind {
            "gherkinDocument" => {
                let name = body.at(&["feature", "name"]).and_then(Node::string);
                if let (Some(uri), Some(name)) = (body.string_at("uri"), name) {
                    self.features.insert(uri, name);
                }
            }
            "pickle" if known < MAX_KNOWN => self.describe(body),
            "testCase" if known < MAX_KNOWN => {
                if let (Some(id), Some(pickle)) = (body.string_at("id"), body.string_at("pickleId")) {
                    self.cases.insert(id, pickle);
                }
                for step in body.list("testSteps") {
                    if let (Some(id), Some(of)) = (step.string_at("id"), step.string_at("pickleStepId")) {
                        self.steps.insert(id, of);
                    }
                }
            }
            "testCaseStarted" => {
                let pickle = body.string_at("testCaseId").and_then(|id| self.cases.get(&id)).cloned();
                if let Some(id) = body.string_at("id") {
                    let number = body.count_at("attempt").unwrap_or(0);
                    let pickle = pickle.unwrap_or_default();
                    self.open.insert(id, Attempt { pickle, number, ended: Ended::Passed, failure: None });
                }
            }
            "testStepFinished" => self.step(doc, body),
            "testCaseFinished" => {
                if let Some(attempt) = body.string_at("testCaseStartedId").and_then(|id| self.open.remove(&id)) {
                    self.finish(doc, body, attempt, body.is("willBeRetried"), out);
                }
            }
            "testRunHookFinished" => {
                if let Some(result) = body.get("result")
                    && ended(result) == Ended::Failed
                {
                    self.tally.counts.errored += 1;
                    let mut failure = failure(doc, result, true);
                    failure.level = Level::Suite;
                    out(Item::Failure(failure));
                }
            }
            "parseError" => {
                self.tally.counts.errored += 1;
                let mut failure = doc.failure(Level::Suite, body);
                doc.push_member(body, "message", &mut failure.text);
                failure.signal = Some(Signal::Compile);
                let source = body.get("source");
                failure.file = source.and_then(|source| {
                    let line = source.get("location").and_then(|location| location.count_at("line"));
                    Some(FileRef::new(source.string_at("uri")?, line, None))
                });
                out(Item::Failure(failure));
            }
            "testRunFinished" => {
                self.last = doc.span(event.start, event.end);
                self.ended = true;
                self.tally.failed |= body.get("success").and_then(Node::bool) == Some(false);
                // What failed outside of any scenario, in a hook around them all.
                if !self.tally.counts.any_failed() && body.get("exception").or_else(|| body.get("message")).is_some() {
                    self.tally.failed = true;
                    let mut failure = failure(doc, body, true);
                    failure.level = Level::Run;
                    out(Item::Failure(failure));
                }
                return Flow::Last;
            }
            "meta"
            | "source"
            | "stepDefinition"
            | "hook"
            | "parameterType"
            | "undefinedParameterType"
            | "testRunStarted"
            | "testStepStarted"
            | "testRunHookStarted"
            | "attachment"
            | "externalAttachment"
            | "suggestion"
            | "pickle"
            | "testCase" => {}
            _ => return Flow::Alien,
        }
        self.last = doc.span(event.start, event.end);
        Flow::More
    }

    fn end(&mut self, lost: bool, _at: Place, out: &mut dyn FnMut(Item)) {
        let mut tally = std::mem::take(&mut self.tally);
        tally.lost |= lost || !self.ended;
        if !self.ended {
            let message = "the messages end before the run does";
            out(Item::Note(Note::warning(Some(self.last.line), message)));
        }
        let mut open: Vec<_> = std::mem::take(&mut self.open).into_iter().collect();
        open.sort_by(|(one, _), (other, _)| one.cmp(other));
        for (_, attempt) in open {
            // What failed may be tried again, but nothing says so any more.
            if let Some(failure) = attempt.failure.filter(|_| attempt.ended == Ended::Failed) {
                tally.failed();
                out(Item::Failure(failure));
            }
        }
        // Whether steps that are not written fail the run is an option of it. What is pending fails it last.
        let unwritten = std::mem::take(&mut self.unwritten);
        let undefined = unwritten.iter().any(|(ended, _)| *ended == Ended::Undefined);
        if tally.failed {
            let told = |ended: Ended| ended == Ended::Undefined || !undefined && !tally.counts.any_failed();
            let failures = unwritten.into_iter().filter(|(ended, _)| told(*ended));
            failures.for_each(|(_, failure)| out(Item::Failure(failure)));
        }
        tally.emit("cucumber", self.last, out);
    }
}

impl Run {
    fn describe(&mut self, pickle: &Node<'_>) {
        let Some(id) = pickle.string_at("id") else { return };
        let file = pickle.string_at("uri").unwrap_or_default();
        let name = pickle.string_at("name").unwrap_or_default();
        let name = match self.features.get(&file) {
            Some(feature) if !feature.is_empty() => format!("{feature} > {name}"),
            _ => name,
        };
        let line = pickle.get("location").and_then(|location| location.count_at("line"));
        self.pickles.insert(id, Pickle { name, file, line });
        for step in pickle.list("steps") {
            if let (Some(id), Some(text)) = (step.string_at("id"), step.string_at("text")) {
                self.texts.insert(id, text);
            }
        }
    }

    fn step(&mut self, doc: &Doc<'_>, body: &Node<'_>) {
        let Some(result) = body.get("testStepResult") else { return };
        let Some(attempt) = body.string_at("testCaseStartedId").and_then(|id| self.open.get_mut(&id)) else { return };
        let ended = ended(result);
        let worse = ended > attempt.ended;
        attempt.ended = attempt.ended.max(ended);
        if !worse || ended < Ended::Pending {
            return;
        }
        let step = body.string_at("testStepId").and_then(|id| self.steps.get(&id));
        let mut failure = failure(doc, result, step.is_none());
        let words = match step.and_then(|step| self.texts.get(step)) {
            Some(text) if ended < Ended::Failed => format!("{}: {text}", status(result)),
            Some(text) => text.clone(),
            None => "a hook failed".to_owned(),
        };
        if failure.text.is_empty() {
            failure.text.push(crate::report::TextLine { text: words, span: failure.span });
        }
        if ended < Ended::Failed {
            failure.signal = Some(Signal::Load);
        }
        if let Some(Pickle { name, file, line }) = self.pickles.get(&attempt.pickle) {
            failure.test = Some(name.clone());
            failure.file.get_or_insert_with(|| FileRef::new(file.clone(), *line, None));
        }
        attempt.failure = Some(failure);
    }

    fn finish(&mut self, doc: &Doc<'_>, body: &Node<'_>, attempt: Attempt, retried: bool, out: &mut dyn FnMut(Item)) {
        let Attempt { pickle, number, ended, failure } = attempt;
        if retried {
            return;
        }
        let name = || self.pickles.get(&pickle).map_or_else(String::new, |pickle| pickle.name.clone());
        match ended {
            Ended::Passed if number > 0 => {
                let message = format!("{} failed first and passed in the end", name());
                out(Item::Note(Note::info(Some(doc.line(body.start)), message)));
                self.tally.flaky();
            }
            Ended::Passed => self.tally.passed(),
            Ended::Skipped => self.tally.skipped(),
            Ended::Pending | Ended::Undefined => {
                self.tally.skipped();
                self.unwritten.extend(failure.filter(|_| self.unwritten.len() < 1000).map(|failure| (ended, failure)));
                return;
            }
            Ended::Failed => {
                self.tally.failed();
                out(Item::Failure(failure.unwrap_or_default()));
            }
        }
        if ended == Ended::Passed {
            let file = self.pickles.get(&pickle).map(|pickle| pickle.file.clone());
            doc.passed(out, || PassedCase { file, ..PassedCase::new(name()) });
        }
    }
}

fn status(result: &Node<'_>) -> String {
    result.string_at("status").unwrap_or_default().to_lowercase()
}

fn ended(result: &Node<'_>) -> Ended {
    match status(result).as_str() {
        "passed" => Ended::Passed,
        "undefined" => Ended::Undefined,
        "pending" => Ended::Pending,
        "skipped" => Ended::Skipped,
        // A run that is rehearsed knows of no step how it would end.
        "unknown" => Ended::Skipped,
        _ => Ended::Failed,
    }
}

fn failure(doc: &Doc<'_>, result: &Node<'_>, hook: bool) -> Failure {
    let mut failure = doc.failure(Level::Case, result);
    failure.phase = Some(Phase::Test);
    doc.push_member(result, "message", &mut failure.text);
    if failure.text.is_empty()
        && let Some(exception) = result.get("exception")
    {
        doc.push_member(exception, "message", &mut failure.text);
    }
    judge(&mut failure, hook);
    failure
}

#[cfg(test)]
mod tests {
    use crate::format::document::check::{counts, cut_anywhere};
    use crate::kind::Kind;
    use crate::report::Outcome;

    const MESSAGES: &str = r#"{"meta":{"protocolVersion":"27.0.0","implementation":{"name":"cucumber-js","version":"11.0.0"}}}
{"gherkinDocument":{"uri":"features/cart.feature","feature":{"name":"Cart","children":[]}}}
{"pickle":{"id":"p1","uri":"features/cart.feature","name":"adds","steps":[{"id":"s1","text":"I add a book"}]}}
{"pickle":{"id":"p2","uri":"features/cart.feature","name":"rounds","location":{"line":9},"steps":[{"id":"s2","text":"it costs 2"}]}}
{"testCase":{"id":"c1","pickleId":"p1","testSteps":[{"id":"t1","pickleStepId":"s1"}]}}
{"testCase":{"id":"c2","pickleId":"p2","testSteps":[{"id":"t2","pickleStepId":"s2"}]}}
{"testCaseStarted":{"id":"a1","testCaseId":"c1","attempt":0}}
{"testStepFinished":{"testCaseStartedId":"a1","testStepId":"t1","testStepResult":{"status":"FAILED","message":"Error: connect ECONNREFUSED 10.0.0.7:80"}}}
{"testCaseFinished":{"testCaseStartedId":"a1","willBeRetried":true}}
a line of a program
{"testCaseStarted":{"id":"a2","testCaseId":"c1","attempt":1}}
{"testStepFinished":{"testCaseStartedId":"a2","testStepId":"t1","testStepResult":{"status":"PASSED"}}}
{"testCaseFinished":{"testCaseStartedId":"a2","willBeRetried":false}}
{"testCaseStarted":{"id":"a3","testCaseId":"c2","attempt":0}}
{"testStepFinished":{"testCaseStartedId":"a3","testStepId":"t2","testStepResult":{"status":"FAILED","message":"AssertionError: expected 1 to equal 2\n    at World.<anonymous> (features/steps.js:7:5)"}}}
{"testCaseFinished":{"testCaseStartedId":"a3","willBeRetried":false}}
{"testRunFinished":{"success":false}}
"#;

    #[test]
    fn the_last_attempt_decides() {
        let report = counts(MESSAGES.as_bytes(), "cucumber-messages", Outcome::Failed, [2, 1, 1, 0, 0, 1]);
        assert_eq!(report.causes.len(), 1);
        assert_eq!(report.causes[0].kind, Kind::Assertion);
        assert_eq!(
            (report.causes[0].subject.as_deref(), report.causes[0].evidence[0].line),
            (Some("Cart > rounds"), 15)
        );
    }

    #[test]
    fn steps_that_nobody_wrote_are_why_a_strict_run_fails() {
        let text = MESSAGES.replace("\"FAILED\",\"message\":\"AssertionError", "\"UNDEFINED\",\"x\":\"");
        let report = counts(text.as_bytes(), "cucumber-messages", Outcome::Failed, [2, 1, 0, 0, 1, 1]);
        assert_eq!(report.causes[0].message, "undefined: it costs 2");
        let lenient = text.replace("\"success\":false", "\"success\":true");
        counts(lenient.as_bytes(), "cucumber-messages", Outcome::Passed, [2, 1, 0, 0, 1, 1]);
    }

    #[test]
    fn messages_that_end_early_never_pass() {
        // What failed and may be tried again is told as long as nothing says that it was.
        let once: String =
            MESSAGES.lines().filter(|line| !line.contains("\"a1\"")).flat_map(|line| [line, "\n"]).collect();
        cut_anywhere(once.as_bytes());
    }
}
