//! The JSON of Rust's test harness, which `cargo nextest` writes as well: one event a line, a suite for each binary.

use std::collections::BTreeMap;

use super::document::{Doc, Events, Flow, Tally};
use super::json::Node;
use super::{Place, Sure};
use crate::item::{Item, TestRun, weight_of_entry};
use crate::kind::Phase;
use crate::report::{FileRef, Level, Note, Outcome, PassedCase, Signal, Span};

/// About how many bytes are kept of the cases that run.
const MAX_RUNNING: usize = 8 * 1024 * 1024;

pub(crate) fn sniff(head: &[u8]) -> Option<Sure> {
    let near = &head[..head.len().min(512)];
    let first = near.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let has = |key: &[u8]| super::near::holds(first, key);
    let typed = head.starts_with(b"{") && has(b"\"type\"") && has(b"\"event\"");
    (typed && (has(b"\"suite\"") || has(b"\"test\""))).then_some(Sure::Certain)
}

/// Several binaries may run at once.
#[derive(Default)]
pub(crate) struct Harness {
    tally: Tally,
    /// Suites that have begun and not ended.
    open: u64,
    /// Cases that have begun and not ended, with the line on which they did.
    running: BTreeMap<String, Span>,
    /// About how many bytes those take.
    running_bytes: usize,
    /// How many more run than are kept, and the line on which the first began.
    beyond: u64,
    beyond_at: u64,
    declared_failed: bool,
    last: Span,
}

impl Events for Harness {
    fn event(&mut self, doc: &Doc<'_>, event: &Node<'_>, out: &mut dyn FnMut(Item)) -> Flow {
        let (kind, what) = (event.string_at("type"), event.string_at("event"));
        self.last = doc.span(event.start, event.end);
        match (kind.as_deref(), what.as_deref()) {
            (Some("suite"), Some("started")) => self.open += 1,
            (Some("suite"), Some(end @ ("ok" | "failed"))) => {
                self.declared_failed |= end == "failed";
                self.open = self.open.saturating_sub(1);
                // An attempt that nextest repeats may end behind its suite.
                if self.open == 0 && self.running.is_empty() && self.beyond == 0 {
                    return Flow::Last;
                }
            }
            (Some("test"), Some(what)) => self.case(doc, event, what, out),
            (Some("suite" | "bench" | "report"), _) => {}
            _ => return Flow::Alien,
        }
        Flow::More
    }

    fn end(&mut self, lost: bool, _at: Place, out: &mut dyn FnMut(Item)) {
        // A process that died tells neither of the case that killed it nor of the suite's end.
        for (name, span) in std::mem::take(&mut self.running) {
            let message = format!("{name} began and did not end");
            out(Item::Note(Note::warning(Some(span.line), message)));
        }
        if self.beyond > 0 {
            let message = format!("{} more cases began and did not end", self.beyond);
            out(Item::Note(Note::warning(Some(self.beyond_at), message)));
        }
        let mut tally = std::mem::take(&mut self.tally);
        tally.lost |= lost || self.open > 0 || self.beyond > 0;
        tally.failed |= self.declared_failed;
        if tally.counts.total == 0 && !tally.lost && !tally.failed {
            // A binary without tests is common; the others count.
            tally.counts.passed = Some(0);
            let (counts, span, outcome) = (tally.counts, self.last, Outcome::Passed);
            out(Item::Tests(TestRun { tool: "libtest", counts, span, outcome }));
        } else {
            tally.emit("libtest", self.last, out);
        }
    }
}

impl Harness {
    fn case(&mut self, doc: &Doc<'_>, event: &Node<'_>, what: &str, out: &mut dyn FnMut(Item)) {
        let name = event.string_at("name").unwrap_or_default();
        // nextest numbers the attempts of a test, and tells only how the last one ended.
        let attempt = name.rsplit_once('#').filter(|(_, number)| number.bytes().all(|byte| byte.is_ascii_digit()));
        let (name, again) = match attempt {
            Some((name, _)) if name.contains('$') => (name.to_owned(), true),
            _ => (name, false),
        };
        match what {
            "started" => {
                let (bytes, span) = (weight(&name), doc.span(event.start, event.end));
                if self.running.contains_key(&name) {
                    self.running.insert(name, span);
                } else if self.running_bytes + bytes <= MAX_RUNNING {
                    self.running_bytes += bytes;
                    self.running.insert(name, span);
                } else {
                    if self.beyond == 0 {
                        self.beyond_at = span.line;
                    }
                    self.beyond += 1;
                }
                return;
            }
            "ok" => {
                if again {
                    self.tally.flaky()
                } else {
                    self.tally.passed()
                }
                let seconds = event.seconds_at("exec_time", 1.0);
                doc.passed(out, || PassedCase { seconds, ..PassedCase::new(name.clone()) });
            }
            "ignored" => self.tally.skipped(),
            "failed" => self.tally.failed(),
            // A case that is slow goes on.
            _ => return,
        }
        match self.running.remove(&name) {
            Some(_) => self.running_bytes = self.running_bytes.saturating_sub(weight(&name)),
            // An ignored case ends without a beginning.
            None if what != "ignored" => self.beyond = self.beyond.saturating_sub(1),
            None => {}
        }
        if what != "failed" {
            return;
        }
        let mut failure = doc.failure(Level::Case, event);
        failure.phase = Some(Phase::Test);
        doc.push_member(event, "stdout", &mut failure.text);
        doc.push_member(event, "message", &mut failure.text);
        let late = event.string_at("reason").is_some_and(|reason| reason.contains("time limit"));
        let panic = failure.text.iter().position(|line| line.text.contains(" panicked at "));
        // What the case printed before it panicked is no reason.
        failure.text.drain(..panic.unwrap_or(0));
        failure.file = failure.text.first().and_then(|line| place(&line.text));
        // What was said stands below the place; older versions say it on the same line.
        if failure.text.len() > 1 && failure.text[0].text.ends_with(':') {
            failure.text.remove(0);
        }
        let asserted = failure.text.iter().take(4).any(|line| is_assertion(&line.text));
        if late {
            doc.push_pair(event, "reason", &mut failure.text);
        }
        failure.signal = late.then_some(Signal::TestTimeout).or(asserted.then_some(Signal::Assertion));
        failure.type_name = panic.map(|_| "panic".to_owned());
        if failure.text.is_empty() {
            doc.push_pair(event, "event", &mut failure.text);
        }
        failure.test = Some(name);
        out(Item::Failure(failure));
    }
}

/// About how many bytes a case takes that runs.
fn weight(name: &str) -> usize {
    weight_of_entry::<String, Span>(name.len())
}

fn is_assertion(line: &str) -> bool {
    let said = line.split_once("panicked at '").map_or(line, |(_, said)| said).trim_start();
    said.starts_with("assertion failed") || said.starts_with("assertion `") || said.starts_with("assertion: ")
}

/// The place in `thread 'x' panicked at src/lib.rs:4:5:`, and in the older `panicked at 'words', src/lib.rs:4:5`.
fn place(line: &str) -> Option<FileRef> {
    let (_, rest) = line.split_once(" panicked at ")?;
    let place = rest.rsplit_once("', ").map_or(rest, |(_, place)| place).trim_end_matches(':');
    let mut parts = place.rsplitn(3, ':');
    let (column, row) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    Some(FileRef::new(parts.next()?, Some(row), Some(column)))
}

#[cfg(test)]
mod tests {
    use crate::format::document::check::{counts, cut_anywhere};
    use crate::kind::Kind;
    use crate::report::Outcome;

    const EVENTS: &str = r#"{ "type": "suite", "event": "started", "test_count": 3 }
{ "type": "test", "event": "started", "name": "tests::adds" }
{ "type": "test", "event": "started", "name": "tests::rounds" }
{ "type": "test", "name": "tests::adds", "event": "ok" }
{ "type": "test", "name": "tests::rounds", "event": "failed", "stdout": "noise\n\nthread 'tests::rounds' panicked at src/lib.rs:4:5:\nassertion `left == right` failed\n  left: 1\n right: 2\n" }
{ "type": "test", "name": "tests::later", "event": "ignored" }
{ "type": "suite", "event": "failed", "passed": 1, "failed": 1, "ignored": 1, "measured": 0, "filtered_out": 0, "exec_time": 0.001 }
"#;

    #[test]
    fn reads_a_suite() {
        let report = counts(EVENTS.as_bytes(), "libtest-json", Outcome::Failed, [3, 1, 1, 0, 1, 0]);
        let cause = &report.causes[0];
        assert_eq!((cause.kind, cause.subject.as_deref()), (Kind::Assertion, Some("tests::rounds")));
        assert_eq!(cause.evidence[0].file.as_ref().unwrap().line, Some(4));
    }

    #[test]
    fn suites_among_the_lines_of_cargo_add_up() {
        let text = format!("   Compiling shop v0.1.0\n{EVENTS}     Running tests/b.rs\n{EVENTS}");
        counts(text.as_bytes(), "log", Outcome::Failed, [6, 2, 2, 0, 2, 0]);
    }

    #[test]
    fn a_suite_that_does_not_end_never_passes() {
        cut_anywhere(
            EVENTS
                .replace("failed\", \"stdout", "ok\", \"stdout")
                .replace("\"failed\", \"passed", "\"ok\", \"passed")
                .as_bytes(),
        );
    }

    #[test]
    fn a_case_that_is_not_kept_and_does_not_end_never_passes() {
        let long = "x".repeat(100_000);
        let event = |number: usize, what: &str| {
            format!("{{ \"type\": \"test\", \"event\": \"{what}\", \"name\": \"{long}{number}\" }}\n")
        };
        let mut text = "{ \"type\": \"suite\", \"event\": \"started\", \"test_count\": 100 }\n".to_owned();
        (0..100).for_each(|number| text += &event(number, "started"));
        (0..99).for_each(|number| text += &event(number, "ok"));
        let end = "{ \"type\": \"suite\", \"event\": \"ok\", \"passed\": 100, \"failed\": 0 }\n";
        let report = counts((text.clone() + end).as_bytes(), "libtest-json", Outcome::Unknown, [99, 99, 0, 0, 0, 0]);
        assert!(report.notes.iter().any(|note| note.message == "1 more cases began and did not end"));
        counts((text + &event(99, "ok") + end).as_bytes(), "libtest-json", Outcome::Passed, [100, 100, 0, 0, 0, 0]);
    }
}
