//! The messages of Cucumber, one a line, as its versions for all languages write them since 2020.
//!
//! What runs is described before it runs: the scenarios, the steps of each, the hooks. Each attempt of a scenario then
//! tells of its steps by their ids, and a scenario ends with the attempt that is not tried again.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::cucumber_json::judge;
use super::document::{Doc, Events, Flow, Tally};
use super::json::Node;
use super::{Place, Sure};
use crate::item::{Item, weight, weight_of_entry};
use crate::kind::Phase;
use crate::report::{Failure, FileRef, Level, Note, PassedCase, Signal, Span};

/// About how many bytes are kept of what runs: the scenarios, and the steps of all of them.
const MAX_KNOWN: usize = 16 * 1024 * 1024;

/// About how many bytes are kept of the attempts that have not ended.
const MAX_OPEN: usize = 6 * 1024 * 1024;

/// About how many bytes are kept of steps that are not written.
const MAX_UNWRITTEN: usize = 4 * 1024 * 1024;

pub(crate) fn sniff(head: &[u8]) -> Option<Sure> {
    let near = &head[..head.len().min(2048)];
    let first = near.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let has = |key: &[u8]| super::near::holds(first, key);
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
    pickle: Id,
    number: u64,
    ended: Ended,
    failure: Option<Box<Failure>>,
}

impl Attempt {
    /// About how many bytes it takes, with its id as a key.
    fn weight(&self, id: &str) -> usize {
        weight_of_entry::<String, Attempt>(id.len()) + self.failure.as_ref().map_or(0, |failure| weight(failure))
    }
}

/// What stands for an id. There may be many, and each is as long as it pleases its writer.
type Id = u64;

fn short(id: &str) -> Id {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

/// The id in a member.
fn id_at(node: &Node<'_>, key: &str) -> Option<Id> {
    node.string_at(key).map(|id| short(&id))
}

#[derive(Default)]
pub(crate) struct Run {
    tally: Tally,
    /// The names of features by their files.
    features: HashMap<Id, String>,
    pickles: HashMap<Id, Pickle>,
    /// The texts of the steps of scenarios.
    texts: HashMap<Id, String>,
    /// The scenario of each case.
    cases: HashMap<Id, Id>,
    /// What each step of a case runs, where that is a step of a scenario; the others are hooks.
    steps: HashMap<Id, Id>,
    /// About how many bytes all of those take, and the line where they were too many.
    known: usize,
    unknown_at: Option<u64>,
    open: HashMap<String, Attempt>,
    /// About how many bytes those take, and the line where they were too many.
    open_bytes: usize,
    crowded_at: Option<u64>,
    /// Steps that are not written, with how they ended: failures where the run fails for them.
    unwritten: Vec<(Ended, Failure)>,
    unwritten_bytes: usize,
    ended: bool,
    last: Span,
}

impl Events for Run {
    fn event(&mut self, doc: &Doc<'_>, event: &Node<'_>, out: &mut dyn FnMut(Item)) -> Flow {
        let Some((kind, body)) = event.members().first() else { return Flow::Alien };
        match &**kind {
            "gherkinDocument" => {
                let name = body.at(&["feature", "name"]).and_then(Node::string);
                if let (Some(uri), Some(name)) = (id_at(body, "uri"), name)
                    && self.takes(weight_of_entry::<Id, String>(name.len()), doc, event)
                {
                    self.features.insert(uri, name);
                }
            }
            "pickle" => self.describe(doc, body),
            "testCase" => {
                if let (Some(id), Some(pickle)) = (id_at(body, "id"), id_at(body, "pickleId"))
                    && self.takes(weight_of_entry::<Id, Id>(0), doc, event)
                {
                    self.cases.insert(id, pickle);
                }
                for step in body.list("testSteps") {
                    if let (Some(id), Some(of)) = (id_at(step, "id"), id_at(step, "pickleStepId"))
                        && self.takes(weight_of_entry::<Id, Id>(0), doc, event)
                    {
                        self.steps.insert(id, of);
                    }
                }
            }
            "testCaseStarted" => self.start(doc, body),
            "testStepFinished" => self.step(doc, body, out),
            "testCaseFinished" => self.finish(doc, body, out),
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
            | "suggestion" => {}
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
        if let Some(line) = self.unknown_at {
            let message = "more scenarios and steps are described than are kept; some are told of without a name";
            out(Item::Note(Note::info(Some(line), message)));
        }
        if let Some(line) = self.crowded_at {
            // Among those that are not known, one may have failed.
            tally.lost = true;
            let message = "more scenarios run at once than are kept; how some of them ended is not known";
            out(Item::Note(Note::warning(Some(line), message)));
        }
        let mut open: Vec<_> = std::mem::take(&mut self.open).into_iter().collect();
        open.sort_by(|(one, _), (other, _)| one.cmp(other));
        for (_, attempt) in open {
            // What failed may be tried again, but nothing says so any more.
            if attempt.ended == Ended::Failed {
                tally.failed();
                out(Item::Failure(attempt.failure.map_or_else(|| self.bare(attempt.pickle), |failure| *failure)));
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
    /// Whether there is room for so many bytes of what is described.
    fn takes(&mut self, bytes: usize, doc: &Doc<'_>, at: &Node<'_>) -> bool {
        let room = self.known + bytes <= MAX_KNOWN;
        match room {
            true => self.known += bytes,
            false => _ = self.unknown_at.get_or_insert_with(|| doc.line(at.start)),
        }
        room
    }

    fn start(&mut self, doc: &Doc<'_>, body: &Node<'_>) {
        let pickle = id_at(body, "testCaseId").and_then(|id| self.cases.get(&id));
        let Some(id) = body.string_at("id") else { return };
        let (pickle, number) = (pickle.copied().unwrap_or_default(), body.count_at("attempt").unwrap_or(0));
        let attempt = Attempt { pickle, number, ended: Ended::Passed, failure: None };
        let bytes = attempt.weight(&id);
        if self.open_bytes + bytes > MAX_OPEN {
            self.crowded_at.get_or_insert_with(|| doc.line(body.start));
            return;
        }
        self.open_bytes += bytes;
        let before = self.open.remove(&id).map_or(0, |attempt| attempt.weight(&id));
        self.open_bytes = self.open_bytes.saturating_sub(before);
        self.open.insert(id, attempt);
    }

    fn describe(&mut self, doc: &Doc<'_>, pickle: &Node<'_>) {
        let Some(id) = id_at(pickle, "id") else { return };
        let file = pickle.string_at("uri").unwrap_or_default();
        let name = pickle.string_at("name").unwrap_or_default();
        let name = match self.features.get(&short(&file)) {
            Some(feature) if !feature.is_empty() => format!("{feature} > {name}"),
            _ => name,
        };
        let line = pickle.get("location").and_then(|location| location.count_at("line"));
        if self.takes(weight_of_entry::<Id, Pickle>(name.len() + file.len()), doc, pickle) {
            self.pickles.insert(id, Pickle { name, file, line });
        }
        for step in pickle.list("steps") {
            if let (Some(id), Some(text)) = (id_at(step, "id"), step.string_at("text"))
                && self.takes(weight_of_entry::<Id, String>(text.len()), doc, pickle)
            {
                self.texts.insert(id, text);
            }
        }
    }

    fn step(&mut self, doc: &Doc<'_>, body: &Node<'_>, out: &mut dyn FnMut(Item)) {
        let Some(result) = body.get("testStepResult") else { return };
        let Some(id) = body.string_at("testCaseStartedId") else { return };
        let ended = ended(result);
        let Some(attempt) = self.open.get_mut(&id) else {
            // Of an attempt that is not known, nobody knows either whether it was the last.
            if self.crowded_at.is_some() && ended == Ended::Failed {
                self.tally.failed = true;
                out(Item::Failure(failure(doc, result, false)));
            }
            return;
        };
        let worse = ended > attempt.ended;
        attempt.ended = attempt.ended.max(ended);
        if !worse || ended < Ended::Pending {
            return;
        }
        let step = id_at(body, "testStepId").and_then(|id| self.steps.get(&id));
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
        let others = self.open_bytes.saturating_sub(attempt.weight(&id));
        // Where there is no room for what it said, it is still known how it ended.
        let room = others + weight(&failure) <= MAX_OPEN;
        attempt.failure = room.then(|| Box::new(failure));
        self.open_bytes = others + attempt.weight(&id);
    }

    /// What is told of a scenario that failed where there was no room for more.
    fn bare(&self, pickle: Id) -> Failure {
        let (level, phase) = (Level::Case, Some(Phase::Test));
        let text = "a step failed; what it said was not kept".to_owned();
        let text = vec![crate::report::TextLine { text, span: self.last }];
        let mut failure = Failure { level, phase, text, span: self.last, ..Failure::default() };
        if let Some(Pickle { name, file, line }) = self.pickles.get(&pickle) {
            failure.test = Some(name.clone());
            failure.file = Some(FileRef::new(file.clone(), *line, None));
        }
        failure
    }

    fn finish(&mut self, doc: &Doc<'_>, body: &Node<'_>, out: &mut dyn FnMut(Item)) {
        let Some(id) = body.string_at("testCaseStartedId") else { return };
        let Some(attempt) = self.open.remove(&id) else { return };
        self.open_bytes = self.open_bytes.saturating_sub(attempt.weight(&id));
        let Attempt { pickle, number, ended, failure } = attempt;
        if body.is("willBeRetried") {
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
                if let Some(failure) = failure.filter(|_| self.unwritten.len() < 1000) {
                    self.unwritten_bytes += weight(&failure);
                    if self.unwritten_bytes <= MAX_UNWRITTEN || self.unwritten.is_empty() {
                        self.unwritten.push((ended, *failure));
                    }
                }
                return;
            }
            Ended::Failed => {
                self.tally.failed();
                out(Item::Failure(failure.map_or_else(|| self.bare(pickle), |failure| *failure)));
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
    use crate::format::document::check::{counts, cut_anywhere, report};
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

    /// What runs at once beyond what is kept: one scenario of `tail`, which ends or does not.
    fn crowd(tail: &str) -> String {
        let long = "x".repeat(100_000);
        let mut text = MESSAGES.lines().next().unwrap_or_default().to_owned() + "\n";
        for number in 0..100 {
            text +=
                &format!("{{\"testCaseStarted\":{{\"id\":\"{long}{number}\",\"testCaseId\":\"c\",\"attempt\":0}}}}\n");
        }
        for number in 0..99 {
            text += &format!(
                "{{\"testCaseFinished\":{{\"testCaseStartedId\":\"{long}{number}\",\"willBeRetried\":false}}}}\n"
            );
        }
        text + &tail.replace("LAST", &format!("{long}99")) + "{\"testRunFinished\":{\"success\":true}}\n"
    }

    #[test]
    fn a_scenario_that_is_not_kept_never_passes() {
        let failed = r#"{"testStepFinished":{"testCaseStartedId":"LAST","testStepId":"t","testStepResult":{"status":"FAILED","message":"Error: no pool"}}}
"#;
        for (tail, outcome) in [("", Outcome::Unknown), (failed, Outcome::Failed)] {
            let report = report(crowd(tail).as_bytes());
            assert_eq!(report.outcome, outcome);
            assert!(report.notes.iter().any(|note| note.message.starts_with("more scenarios run at once")));
        }
    }

    #[test]
    fn what_is_described_beyond_what_is_kept_is_told_without_a_name() {
        let mut lines = MESSAGES.lines();
        let mut text = lines.next().unwrap_or_default().to_owned() + "\n";
        for number in 0..200 {
            let name = "x".repeat(100_000);
            text +=
                &format!("{{\"pickle\":{{\"id\":\"q{number}\",\"uri\":\"f\",\"name\":\"{name}\",\"steps\":[]}}}}\n");
        }
        lines.for_each(|line| text += &format!("{line}\n"));
        let report = counts(text.as_bytes(), "cucumber-messages", Outcome::Failed, [2, 1, 1, 0, 0, 1]);
        assert!(report.notes.iter().any(|note| note.message.starts_with("more scenarios and steps are described")));
    }
}
