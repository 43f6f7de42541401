//! The results of Allure: one file for each attempt at a test, and one for the fixtures around some of them.
//!
//! Which attempt is the last cannot be told from one file: each says which test it is of and when it ended, and the
//! analyzer lays them together.

use super::document::{Doc, Tally};
use super::json::Node;
use super::{Sure, frames, signal, thrown};
use crate::item::{Attempt, Item};
use crate::kind::Phase;
use crate::report::{Failure, Level, PassedCase, Signal};

/// How deep steps are looked into for the one that failed.
const MAX_STEPS: usize = 64;

pub(crate) fn sniff(head: &[u8]) -> Option<Sure> {
    let has = |key: &[u8]| super::near::holds(head, key);
    // What went wrong outside of all tests and fixtures.
    let globals = head.starts_with(b"{\"attachments\":[") && has(b"\"errors\":[");
    if globals && (has(b"\"trace\"") || has(b"\"errors\":[]")) {
        return Some(Sure::Certain);
    }
    if !head.starts_with(b"{") || !has(b"\"uuid\"") {
        return None;
    }
    let result = has(b"\"status\"") && has(b"\"historyId\"") && (has(b"\"stop\"") || has(b"\"start\""));
    let fixtures = has(b"\"children\"") && (has(b"\"befores\"") || has(b"\"afters\""));
    (result || fixtures).then_some(Sure::Certain)
}

pub(crate) fn read(doc: &Doc<'_>, out: &mut dyn FnMut(Item)) -> usize {
    let mut cursor = doc.cursor();
    let (node, stop) = cursor.node();
    let held = node.get("children").or_else(|| node.get("errors"));
    let holds = held.map(|children| children.elements().iter().filter_map(Node::string).collect());
    // A time is larger than any count.
    let time = |key| node.get(key).and_then(Node::number).filter(|time| *time >= 0.0).map(|time| time as u64);
    let attempt = Attempt {
        test: node.string_at("historyId").filter(|_| holds.is_none()),
        id: node.string_at("uuid").unwrap_or_default(),
        ended_ms: time("stop").or_else(|| time("start")).unwrap_or_default(),
        holds,
    };
    let mut tally = Tally { lost: stop.is_some(), ..Tally::default() };
    if attempt.holds.is_some() {
        for fixture in node.list("befores").iter().chain(node.list("afters")).filter(|fixture| is_bad(fixture)) {
            let mut failure = failure(doc, Level::Suite, fixture);
            failure.signal = failure.signal.or(Some(Signal::Hook));
            failure.test = fixture.string_at("name");
            tally.counts.errored += 1;
            out(Item::Failure(failure));
        }
        for error in node.list("errors") {
            let mut failure = doc.failure(Level::Run, error);
            failure.phase = Some(Phase::Test);
            tell(doc, error, &mut failure);
            failure.signal = failure.signal.or(Some(Signal::Hook));
            tally.counts.errored += 1;
            out(Item::Failure(failure));
        }
        if tally.counts.errored > 0 {
            tally.emit("allure", doc.head(), out);
        }
    } else {
        case(doc, &node, &mut tally, out);
        tally.emit("allure", doc.head(), out);
    }
    out(Item::Attempt(attempt));
    let result = stop.map_or(Ok(()), Err);
    doc.finish(&cursor, result, stop, out)
}

fn is_bad(node: &Node<'_>) -> bool {
    matches!(node.string_at("status").as_deref(), Some("failed" | "broken"))
}

fn case(doc: &Doc<'_>, node: &Node<'_>, tally: &mut Tally, out: &mut dyn FnMut(Item)) {
    let status = node.string_at("status").unwrap_or_default();
    match status.as_str() {
        "failed" => tally.failed(),
        "broken" => tally.errored(),
        "passed" => {
            doc.passed(out, || {
                let ms = |key| node.get(key).and_then(Node::number);
                let seconds = ms("stop").zip(ms("start")).map(|(stop, start)| (stop - start) / 1000.0);
                PassedCase { seconds: seconds.filter(|seconds| *seconds >= 0.0), ..PassedCase::new(full_name(node)) }
            });
            return tally.passed();
        }
        "skipped" => return tally.skipped(),
        // It was cut before it tells how it ended.
        _ if tally.lost => return,
        // It did not end, or nobody knows how.
        _ => {
            tally.lost = true;
            return tally.skipped();
        }
    }
    let mut failure = failure(doc, Level::Case, node);
    let default = if status == "failed" { Signal::Assertion } else { Signal::Unhandled };
    failure.signal = failure.signal.or(Some(default));
    failure.test = Some(full_name(node));
    out(Item::Failure(failure));
}

/// What a test, a fixture or a step tells of its failure. Where it has no words of its own, those of the step count
/// that failed in it.
fn failure(doc: &Doc<'_>, level: Level, node: &Node<'_>) -> Failure {
    let mut failure = doc.failure(level, node);
    failure.phase = Some(Phase::Test);
    let mut at = node;
    for _ in 0..MAX_STEPS {
        if let Some(details) = at.get("statusDetails") {
            tell(doc, details, &mut failure);
        }
        if !failure.text.is_empty() {
            break;
        }
        let Some(step) = at.list("steps").iter().rev().find(|step| is_bad(step)) else {
            // Nobody says why it failed: the name of the innermost step does, somewhat.
            doc.push_member(at, "name", &mut failure.text);
            break;
        };
        at = step;
    }
    read_text(&mut failure);
    failure
}

/// Takes in a message and its stack.
fn tell(doc: &Doc<'_>, details: &Node<'_>, failure: &mut Failure) {
    doc.push_member(details, "message", &mut failure.text);
    doc.push_member(details, "trace", &mut failure.text);
    read_text(failure);
}

/// What the text of a failure says about it.
fn read_text(failure: &mut Failure) {
    failure.text.retain(|line| !line.text.trim().is_empty());
    let first = failure.text.first().map_or("", |line| line.text.as_str());
    failure.type_name = signal::type_of_message(first).map(str::to_owned).or_else(|| thrown::type_name(&failure.text));
    let typed = failure.type_name.as_deref().and_then(signal::of_type);
    failure.signal = signal::of_message(first).or_else(|| thrown::signal(&failure.text)).or(typed);
    failure.file = frames::place(&failure.text);
}

/// The full name of a test, with what tells its data apart.
fn full_name(node: &Node<'_>) -> String {
    let name = node.string_at("name").unwrap_or_default();
    let Some(full) = node.string_at("fullName").filter(|full| !full.is_empty()) else { return name };
    let last = full.rsplit(['#', '.', ':', '/']).next().unwrap_or(&full);
    match name.strip_prefix(last) {
        Some(data) if !last.is_empty() => format!("{full}{data}"),
        _ => full,
    }
}

#[cfg(test)]
mod tests {
    use crate::format::document::check::{counts, cut_anywhere};
    use crate::report::{Outcome, Report};
    use crate::{Analyzer, Source};

    const FAILED: &str = r#"{"uuid":"1","historyId":"a","fullName":"shop.Cart#totals","name":"totals","status":"failed",
"statusDetails":{"message":"AssertionError: assert 1 == 2","trace":"test_a.py:4: AssertionError"},"start":1795289263710,"stop":1795289263720}"#;

    fn together(texts: &[&str]) -> Report {
        let source = |(index, text): (usize, &&str)| Source::bytes(format!("{index}.json"), text.as_bytes().to_vec());
        Analyzer::new().analyze(texts.iter().enumerate().map(source))
    }

    #[test]
    fn reads_one_attempt() {
        let report = counts(FAILED.as_bytes(), "allure-json", Outcome::Failed, [1, 0, 1, 0, 0, 0]);
        assert_eq!(report.causes[0].tests, ["shop.Cart#totals"]);
        cut_anywhere(FAILED.as_bytes());
        let broken = FAILED.replace("failed", "broken");
        counts(broken.as_bytes(), "allure-json", Outcome::Failed, [1, 0, 0, 1, 0, 0]);
    }

    #[test]
    fn the_last_attempt_decides_in_whatever_order_the_files_come() {
        let passed = FAILED.replace("failed", "passed").replace("\"1\"", "\"2\"").replace("720}", "730}");
        let other = FAILED.replace("\"a\"", "\"b\"").replace("\"1\"", "\"3\"").replace("failed", "passed");
        for texts in [[FAILED, &passed, &other], [&passed, &other, FAILED]] {
            let report = together(&texts);
            let tests = report.tests.expect("there are counts");
            assert_eq!((report.outcome, tests.total, tests.flaky), (Outcome::Passed, 2, 1), "{report:#?}");
            assert!(report.causes.is_empty());
        }
        let report = together(&[&passed.replace("730}", "715}"), FAILED]);
        let tests = report.tests.expect("there are counts");
        assert_eq!((report.outcome, tests.total, tests.failed), (Outcome::Failed, 1, 1), "{report:#?}");
    }

    #[test]
    fn a_fixture_is_told_where_no_test_of_its_tells_it() {
        let fixtures = r#"{"uuid":"9","children":["1"],"befores":[{"name":"db","status":"broken",
"statusDetails":{"message":"OSError: No space left on device"}}],"afters":[]}"#;
        let report = together(&[fixtures]);
        let tests = report.tests.expect("there are counts");
        assert_eq!((report.outcome, tests.total, tests.errored), (Outcome::Failed, 0, 1), "{report:#?}");
        let report = together(&[fixtures, FAILED]);
        let tests = report.tests.expect("there are counts");
        assert_eq!((tests.total, tests.errored, report.causes.len()), (1, 0, 1), "{report:#?}");
        let globals =
            r#"{"attachments":[],"errors":[{"message":"\"before all\" hook failed: boom","trace":"Error: boom"}]}"#;
        let passed = FAILED.replace("failed", "passed");
        let report = together(&[globals, &passed]);
        let tests = report.tests.expect("there are counts");
        assert_eq!((report.outcome, tests.total, tests.errored), (Outcome::Failed, 1, 1), "{report:#?}");
        let calm = fixtures.replace("broken", "passed");
        assert_eq!(together(&[&calm, &passed]).outcome, Outcome::Passed);
    }

    #[test]
    fn a_console_and_the_results_of_one_run_count_once() {
        let console = "============================= test session starts ==============================\ncollected 1 item\n\n\
                       test_a.py .                                                              [100%]\n\n\
                       ============================== 1 passed in 0.01s ===============================\n";
        let passed = FAILED.replace("failed", "passed");
        let report = together(&[console, &passed]);
        assert_eq!((report.outcome, report.tests.map(|tests| tests.total)), (Outcome::Passed, Some(1)));
    }
}
