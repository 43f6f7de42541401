//! Bazel's Build Event Protocol in JSON: one event a line, a summary for each target that is a test.
//!
//! The logs of tests are files elsewhere; the protocol itself tells how each target ended, and the output of a build
//! stands in its progress events.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::document::{Doc, Events, Flow, Tally, clean};
use super::json::Node;
use super::{Place, Sure};
use crate::item::Item;
use crate::kind::Phase;
use crate::report::{Failure, Level, Note, PassedCase, Signal, Span, TextLine};

/// How many lines of a build's output are kept for the actions that failed.
const MAX_LINES: usize = 200;

pub(crate) fn sniff(head: &[u8]) -> Option<Sure> {
    let first = head[..head.len().min(4096)].split(|byte| *byte == b'\n').next().unwrap_or_default();
    let has = |key: &[u8]| super::near::holds(first, key);
    let event = head.starts_with(b"{\"id\":") || head.starts_with(b"{\"id\" :") || head.starts_with(b"{\"id\": ");
    (event && has(b"\"children\"") && (has(b"\"started\"") || has(b"\"progress\""))).then_some(Sure::Certain)
}

/// How many targets are known whose summary was told, so that no word behind it counts them again.
const MAX_TOLD: usize = 1_000_000;

/// How many targets without a summary are known.
const MAX_OPEN: usize = 50_000;

/// How a target ended, by its last word.
struct Target {
    /// How many were known before it.
    order: usize,
    status: String,
    /// An earlier attempt failed.
    failed_before: bool,
    span: Span,
    text: Vec<TextLine>,
}

#[derive(Default)]
pub(crate) struct Build {
    /// Those without a summary so far.
    targets: HashMap<String, Target>,
    /// Digests of the labels of those that had their summary.
    told: HashSet<u64>,
    /// What was counted so far.
    tally: Tally,
    known: usize,
    actions: Vec<Failure>,
    output: Vec<TextLine>,
    exit: Option<(String, Vec<TextLine>, Span)>,
    ended: bool,
    last: Span,
    keep_passed: bool,
}

impl Events for Build {
    fn event(&mut self, doc: &Doc<'_>, event: &Node<'_>, out: &mut dyn FnMut(Item)) -> Flow {
        self.keep_passed = doc.keep_passed;
        self.last = doc.span(event.start, event.end);
        let id = event.get("id");
        let label = |kind: &str| id.and_then(|id| id.get(kind)).and_then(|id| id.string_at("label"));
        if let (Some(label), Some(result)) = (label("testResult"), event.get("testResult")) {
            self.test(doc, label, result, "status", false, out);
        }
        if let (Some(label), Some(summary)) = (label("testSummary"), event.get("testSummary")) {
            self.test(doc, label, summary, "overallStatus", true, out);
        }
        if let Some(progress) = event.get("progress") {
            self.progress(doc, progress);
        }
        if let Some(action) = event.get("action").filter(|action| !action.is("success")) {
            let label = label("actionCompleted");
            self.action(doc, action, label);
        }
        if let Some(aborted) = event.get("aborted") {
            self.aborted(doc, aborted);
        }
        if let Some(finished) = event.get("finished") {
            let name = finished.get("exitCode").and_then(|code| code.string_at("name"));
            let name = name.or_else(|| finished.is("overallSuccess").then(|| "SUCCESS".to_owned()));
            let mut text = Vec::new();
            match finished.get("failureDetail") {
                Some(detail) => doc.push_member(detail, "message", &mut text),
                None => doc.push_pair(finished, "exitCode", &mut text),
            }
            self.exit = Some((name.unwrap_or_default(), text, doc.span(finished.start, finished.end)));
        }
        if event.is("lastMessage") {
            self.ended = true;
            return Flow::Last;
        }
        Flow::More
    }

    fn end(&mut self, lost: bool, _at: Place, out: &mut dyn FnMut(Item)) {
        let build = std::mem::take(self);
        let mut tally = Tally { lost: lost || !build.ended, ..build.tally };
        if !build.ended {
            let message = "the events of the build end before the build does";
            out(Item::Note(Note::warning(Some(build.last.line), message)));
        }
        let any_tests = build.known > 0;
        let mut targets: Vec<(String, Target)> = build.targets.into_iter().collect();
        targets.sort_by_key(|(_, target)| target.order);
        for (label, target) in targets {
            target.end(label, false, build.keep_passed, &mut tally, out);
        }
        let mut output = build.output;
        let any_actions = !build.actions.is_empty();
        for mut action in build.actions {
            // The output is that of all actions; the first has it, so that each line is told once. It says more than
            // what sort of an action failed.
            let own = std::mem::take(&mut action.text);
            let (worded, bare) = own.into_iter().partition(|line| !line.text.starts_with('"'));
            action.text = worded;
            action.text.append(&mut output);
            action.text.extend::<Vec<TextLine>>(bare);
            out(Item::Failure(action));
        }
        let (exit, mut text, span) = build.exit.unwrap_or_default();
        let good = matches!(exit.as_str(), "SUCCESS" | "");
        let failed = any_actions || tally.counts.any_failed();
        if !good && !failed {
            text.append(&mut output);
            let signal = match exit.as_str() {
                "NO_TESTS_FOUND" => Some(Signal::NoTests),
                "INTERRUPTED" => Some(Signal::Interrupted),
                "PARSING_FAILURE" | "COMMAND_LINE_ERROR" => Some(Signal::Config),
                _ => None,
            };
            let phase = Some(Phase::Build);
            out(Item::Failure(Failure { level: Level::Run, phase, signal, text, span, ..Failure::default() }));
        }
        if any_tests {
            tally.failed = !good;
            tally.emit("bazel", build.last, out);
        } else if exit == "SUCCESS" && !tally.lost && !failed {
            clean("bazel: SUCCESS", span, out);
        }
    }
}

impl Build {
    /// Takes in what an attempt or the summary of a target says, which is its last word.
    fn test(
        &mut self,
        doc: &Doc<'_>,
        label: String,
        node: &Node<'_>,
        key: &str,
        summary: bool,
        out: &mut dyn FnMut(Item),
    ) {
        let Some(status) = node.string_at(key) else { return };
        let mut digest = DefaultHasher::new();
        label.hash(&mut digest);
        let digest = digest.finish();
        if self.told.contains(&digest) {
            return;
        }
        let mut text = Vec::new();
        if status != "PASSED" {
            doc.push_member(node, "statusDetails", &mut text);
            doc.push_pair(node, key, &mut text);
        }
        let span = doc.span(node.start, node.end);
        let before = self.targets.remove(&label);
        let failed = |target: &Target| target.failed_before || !matches!(target.status.as_str(), "" | "PASSED");
        let failed_before = before.as_ref().is_some_and(failed);
        let order = before.map_or(self.known, |before| before.order);
        self.known = self.known.max(order + 1);
        let target = Target { order, status, failed_before, span, text };
        if !summary && self.targets.len() < MAX_OPEN {
            self.targets.insert(label, target);
            return;
        }
        if self.told.len() < MAX_TOLD {
            self.told.insert(digest);
        }
        target.end(label, summary, self.keep_passed, &mut self.tally, out);
    }

    fn progress(&mut self, doc: &Doc<'_>, progress: &Node<'_>) {
        for key in ["stderr", "stdout"] {
            let mut text = Vec::new();
            doc.push_member(progress, key, &mut text);
            text.retain(|line| {
                let lower = line.text.to_ascii_lowercase();
                lower.contains("error") || lower.contains("failed") || lower.contains("fatal")
            });
            let room = MAX_LINES.saturating_sub(self.output.len());
            self.output.extend(text.into_iter().take(room));
        }
    }

    fn action(&mut self, doc: &Doc<'_>, action: &Node<'_>, label: Option<String>) {
        let mut failure = doc.failure(Level::Diagnostic, action);
        let kind = action.string_at("type").unwrap_or_default();
        if let Some(detail) = action.get("failureDetail") {
            doc.push_member(detail, "message", &mut failure.text);
        }
        let lower = kind.to_ascii_lowercase();
        failure.phase = Some(Phase::Build);
        failure.signal = if lower.contains("link") {
            Some(Signal::Link)
        } else if lower.contains("compile") || lower.contains("javac") || lower.contains("rustc") {
            Some(Signal::Compile)
        } else {
            None
        };
        failure.test = label;
        if failure.text.is_empty() {
            doc.push_pair(action, "type", &mut failure.text);
        }
        if self.actions.len() < 1000 {
            self.actions.push(failure);
        }
    }

    fn aborted(&mut self, doc: &Doc<'_>, aborted: &Node<'_>) {
        let reason = aborted.string_at("reason").unwrap_or_default();
        // What was not built because something else failed, or was not asked for, is no cause.
        let followed =
            matches!(reason.as_str(), "SKIPPED" | "NO_ANALYZE" | "NO_BUILD" | "INCOMPLETE" | "OUT_OF_MEMORY");
        if followed && reason != "OUT_OF_MEMORY" || reason.is_empty() || self.actions.len() >= 1000 {
            return;
        }
        let mut failure = doc.failure(Level::Diagnostic, aborted);
        doc.push_member(aborted, "description", &mut failure.text);
        // Another event tells why.
        failure.follow_on = failure.text.is_empty();
        doc.push_pair(aborted, "reason", &mut failure.text);
        failure.phase = Some(Phase::Build);
        failure.signal = match reason.as_str() {
            "USER_INTERRUPTED" | "TIME_OUT" | "REMOTE_ENVIRONMENT_FAILURE" | "INTERNAL" => None,
            _ => Some(Signal::Config),
        };
        self.actions.push(failure);
    }
}

impl Target {
    /// Counts it, by its summary or, where there is none, by its last attempt.
    fn end(self, label: String, summary: bool, keep_passed: bool, tally: &mut Tally, out: &mut dyn FnMut(Item)) {
        if keep_passed && matches!(self.status.as_str(), "PASSED" | "FLAKY") {
            out(Item::Passed(PassedCase::new(label.clone())));
        }
        let signal = match self.status.as_str() {
            "PASSED" if self.failed_before && !summary => return tally.flaky(),
            "PASSED" => return tally.passed(),
            "FLAKY" => return tally.flaky(),
            "NO_STATUS" | "" => return tally.skipped(),
            // Nothing more is said of it than that the test failed.
            "FAILED" if self.text.len() < 2 => Some(Signal::Assertion),
            "FAILED" => None,
            "TIMEOUT" => Some(Signal::TestTimeout),
            "TOOL_HALTED_BEFORE_TESTING" | "INCOMPLETE" => Some(Signal::Interrupted),
            _ => None,
        };
        match self.status.as_str() {
            "FAILED" | "TIMEOUT" => tally.failed(),
            _ => tally.errored(),
        }
        let text = self.text;
        let (test, span, phase) = (Some(label), self.span, Some(Phase::Test));
        // A target that was not built follows from the action that failed.
        let follow_on = self.status == "FAILED_TO_BUILD";
        let failure = Failure { signal, test, span, text, phase, follow_on, ..Failure::default() };
        out(Item::Failure(failure));
    }
}

#[cfg(test)]
mod tests {
    use crate::format::document::check::{counts, cut_anywhere, report};
    use crate::report::Outcome;

    const EVENTS: &str = r#"{"id":{"started":{}},"children":[{"progress":{}}],"started":{"uuid":"a","command":"test"}}
{"id":{"testResult":{"label":"//shop:cart_test","run":1,"attempt":1}},"testResult":{"status":"FAILED"}}
{"id":{"testSummary":{"label":"//shop:cart_test"}},"testSummary":{"overallStatus":"FAILED","totalRunCount":1}}
{"id":{"testSummary":{"label":"//shop:slow_test"}},"testSummary":{"overallStatus":"TIMEOUT"}}
{"id":{"testSummary":{"label":"//shop:lucky_test"}},"testSummary":{"overallStatus":"FLAKY"}}
{"id":{"testSummary":{"label":"//shop:ok_test"}},"testSummary":{"overallStatus":"PASSED"}}
{"id":{"buildFinished":{}},"finished":{"exitCode":{"name":"TESTS_FAILED","code":3}}}
{"id":{"progress":{"opaqueCount":9}},"progress":{},"lastMessage":true}
"#;

    #[test]
    fn a_target_is_a_case() {
        counts(EVENTS.as_bytes(), "bazel-bep", Outcome::Failed, [4, 2, 2, 0, 0, 1]);
        cut_anywhere(EVENTS.as_bytes());
    }

    #[test]
    fn a_build_without_tests_tells_by_its_exit() {
        let built = r#"{"id":{"started":{}},"children":[],"started":{"command":"build"}}
{"id":{"buildFinished":{}},"finished":{"overallSuccess":true,"exitCode":{"name":"SUCCESS"}}}
{"id":{"progress":{}},"progress":{},"lastMessage":true}
"#;
        assert_eq!(report(built.as_bytes()).outcome, Outcome::Passed);
        cut_anywhere(built.as_bytes());
        let failed = built.replace("\"overallSuccess\":true,", "").replace("SUCCESS", "BUILD_FAILURE").replace(
            "{\"id\":{\"buildFinished",
            "{\"id\":{\"actionCompleted\":{\"label\":\"//shop:cart\"}},\"action\":{\"exitCode\":1,\"type\":\"CppCompile\"}}\n{\"id\":{\"buildFinished",
        );
        assert_eq!(report(failed.as_bytes()).outcome, Outcome::Failed);
    }
}
