//! The JSON of Rust's test harness, which `cargo nextest` writes as well: one event a line, a suite for each binary.

use std::collections::BTreeMap;

use super::document::{Doc, Events, Flow, Tally};
use super::json::Node;
use super::{Place, Sure};
use crate::item::{Item, TestRun};
use crate::kind::Phase;
use crate::report::{FileRef, Level, Note, Outcome, PassedCase, Signal, Span};

pub(crate) fn sniff(head: &[u8]) -> Option<Sure> {
    let near = &head[..head.len().min(512)];
    let first = near.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let has = |key: &[u8]| crate::format::near::holds(first, key);
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
                if self.open == 0 && self.running.is_empty() {
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
        let mut tally = std::mem::take(&mut self.tally);
        tally.lost |= lost || self.open > 0;
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
                self.running.insert(name, doc.span(event.start, event.end));
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
        self.running.remove(&name);
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
}
