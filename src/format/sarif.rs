//! SARIF 2.1, the results of static analysis. Results at level `error` that nobody suppressed are failures, and so is
//! an invocation that says it did not succeed.

use std::collections::HashMap;

use super::document::{Doc, clean, large_parts};
use super::json::{Node, Stop};
use super::{Sure, signal};
use crate::item::Item;
use crate::kind::Phase;
use crate::report::{FileRef, Level, Signal};

/// How many rules of a run are known.
const MAX_RULES: usize = 20_000;

/// Names, in lower case, of drivers that compile.
const COMPILERS: [&str; 8] = ["gnu c", "gcc", "clang", "rustc", "msvc", "javac", "roslyn", "swiftc"];

pub(crate) fn sniff(head: &[u8]) -> Option<Sure> {
    let near = &head[..head.len().min(8192)];
    let has = |key: &[u8]| super::near::holds(near, key);
    if !head.starts_with(b"{") || !has(b"\"runs\"") && !has(b"sarif") {
        return None;
    }
    let named = has(b"sarif-2") || has(b"sarif-schema") || has(b"sarif/2.");
    (named || has(b"\"version\"") && has(b"\"tool\"") && has(b"\"driver\"")).then_some(Sure::Certain)
}

pub(crate) fn read(doc: &Doc<'_>, out: &mut dyn FnMut(Item)) -> usize {
    let mut cursor = doc.cursor();
    let mut damaged = None;
    let (mut any, mut runs) = (false, 0);
    let result = cursor.object(|key, cursor| {
        if key != "runs" {
            return cursor.skip();
        }
        large_parts(cursor, &mut damaged, |run, damaged| {
            runs += 1;
            any |= read_run(doc, run, damaged, out);
        })
    });
    let stop = result.err().or(damaged);
    if !any && runs > 0 && stop.is_none() {
        clean("the analysis reports no error", doc.head(), out);
    }
    doc.finish(&cursor, result, stop, out)
}

/// What a run says of one of its rules.
struct Rule {
    id: Option<String>,
    level: Option<String>,
}

/// Reads one run and tells whether anything failed in it.
fn read_run<'a>(doc: &Doc<'a>, run: &Node<'a>, damaged: &mut Option<Stop>, out: &mut dyn FnMut(Item)) -> bool {
    let driver = run.at(&["tool", "driver"]);
    let name = driver.and_then(|driver| driver.string_at("name")).unwrap_or_default().to_ascii_lowercase();
    let compiles = COMPILERS.iter().any(|compiler| name.starts_with(compiler));
    let (mut rules, mut places) = (Vec::new(), HashMap::new());
    if let Some(driver) = driver {
        doc.each(driver, "rules", damaged, |rule, _| {
            let level = rule.at(&["defaultConfiguration", "level"]).and_then(Node::string);
            if rules.len() < MAX_RULES {
                let id = rule.string_at("id");
                places.entry(id.clone()).or_insert(rules.len());
                rules.push(Rule { id, level });
            }
        });
    }
    let mut any = false;
    doc.each(run, "results", damaged, |result, _| {
        let index = result.count_at("ruleIndex").and_then(|index| rules.get(usize::try_from(index).ok()?));
        let id = result.string_at("ruleId");
        let rule = index.or_else(|| places.get(&id).and_then(|at| rules.get(*at)));
        if !result.whole || level(result, rule) != "error" || !counts(result) {
            return;
        }
        let mut failure = doc.failure(Level::Diagnostic, result);
        if let Some(message) = result.get("message") {
            doc.push_member(message, "text", &mut failure.text);
            if failure.text.is_empty() {
                doc.push_member(message, "markdown", &mut failure.text);
            }
        }
        if failure.text.is_empty() {
            doc.push_pair(result, "ruleId", &mut failure.text);
        }
        let id = id.or_else(|| rule?.id.clone());
        let words = failure.text.first().map_or("", |line| line.text.as_str());
        let found = if compiles { Signal::Compile } else { signal::of_finding(id.as_deref(), words) };
        failure.phase = Some(if compiles { Phase::Build } else { Phase::Lint });
        failure.signal = Some(found);
        failure.type_name = id.filter(|id| id != "error");
        failure.subject = failure.type_name.clone().filter(|_| found == Signal::Lint);
        failure.file = result.list("locations").first().and_then(place);
        any = true;
        out(Item::Failure(failure));
    });
    for invocation in run.list("invocations").iter().filter(|invocation| invocation.whole) {
        let failed = invocation.get("executionSuccessful").and_then(Node::bool) == Some(false);
        // A file that the tool could not read is no result, and no other word tells of it.
        for notification in errors(invocation).filter(|notification| !notification.list("locations").is_empty()) {
            any = true;
            unreadable(doc, notification, out);
        }
        // A compiler that rejects the source does not succeed either; its results have said why.
        if failed && !any {
            any = true;
            invocation_failed(doc, invocation, out);
        }
    }
    any
}

/// What an invocation tells of itself at level `error`.
fn errors<'n, 'a>(invocation: &'n Node<'a>) -> impl Iterator<Item = &'n Node<'a>> {
    let keys = ["toolConfigurationNotifications", "toolExecutionNotifications"];
    let all = keys.into_iter().flat_map(|key| invocation.list(key));
    all.filter(|notification| notification.string_at("level").as_deref() == Some("error"))
}

/// A place that the tool could not look into.
fn unreadable(doc: &Doc<'_>, notification: &Node<'_>, out: &mut dyn FnMut(Item)) {
    let mut failure = doc.failure(Level::Diagnostic, notification);
    if let Some(message) = notification.get("message") {
        doc.push_member(message, "text", &mut failure.text);
    }
    let words = failure.text.first().map_or("", |line| line.text.as_str());
    failure.signal = Some(signal::of_finding(None, words)).filter(|found| *found == Signal::Compile);
    failure.phase = Some(Phase::Lint);
    failure.file = notification.list("locations").first().and_then(place);
    if failure.text.is_empty() {
        doc.push_pair(notification, "level", &mut failure.text);
    }
    out(Item::Failure(failure));
}

fn invocation_failed(doc: &Doc<'_>, invocation: &Node<'_>, out: &mut dyn FnMut(Item)) {
    let mut failure = doc.failure(Level::Run, invocation);
    for notification in errors(invocation) {
        if let Some(message) = notification.get("message") {
            doc.push_member(message, "text", &mut failure.text);
        }
    }
    doc.push_member(invocation, "exitCodeDescription", &mut failure.text);
    if failure.text.is_empty() {
        doc.push_pair(invocation, "executionSuccessful", &mut failure.text);
    }
    failure.phase = Some(Phase::Lint);
    out(Item::Failure(failure));
}

fn level(result: &Node<'_>, rule: Option<&Rule>) -> String {
    let own = result.string_at("level");
    let default = || rule?.level.clone();
    own.or_else(default).unwrap_or_else(|| "warning".to_owned())
}

/// Whether a result says that something is wrong now and that nobody accepted it.
fn counts(result: &Node<'_>) -> bool {
    let fails = result.string_at("kind").is_none_or(|kind| kind == "fail");
    let accepted = result
        .list("suppressions")
        .iter()
        .any(|suppression| suppression.string_at("status").is_none_or(|status| status == "accepted"));
    let gone = result.string_at("baselineState").as_deref() == Some("absent");
    fails && !accepted && !gone
}

fn place(location: &Node<'_>) -> Option<FileRef> {
    let physical = location.get("physicalLocation")?;
    let uri = physical.get("artifactLocation")?.string_at("uri")?;
    let region = physical.get("region");
    let number = |key| region.and_then(|region| region.count_at(key));
    let path = uri.strip_prefix("file://").map(str::to_owned).unwrap_or(uri);
    Some(FileRef::new(path, number("startLine"), number("startColumn")))
}

#[cfg(test)]
mod tests {
    use crate::format::document::check::{cut_anywhere, report};
    use crate::kind::Kind;
    use crate::report::Outcome;

    const RUN: &str = r#"{"$schema":"https://json.schemastore.org/sarif-2.1.0.json","version":"2.1.0","runs":[{
"tool":{"driver":{"name":"CodeQL","rules":[{"id":"js/eval","defaultConfiguration":{"level":"error"}},{"id":"js/style"}]}},
"invocations":[{"executionSuccessful":true}],"results":[
{"ruleId":"js/eval","ruleIndex":0,"message":{"text":"This calls eval."},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"src/a.js"},"region":{"startLine":4,"startColumn":2}}}]},
{"ruleId":"js/style","ruleIndex":1,"message":{"text":"Style."}},
{"ruleId":"js/eval","level":"error","message":{"text":"Accepted."},"suppressions":[{"kind":"inSource"}]}]}]}"#;

    #[test]
    fn only_errors_that_nobody_accepted_count() {
        let found = report(RUN.as_bytes());
        assert_eq!((found.outcome, found.causes.len(), found.causes[0].count), (Outcome::Failed, 1, 1));
        let cause = &found.causes[0];
        assert_eq!(
            (cause.kind, cause.subject.as_deref(), cause.evidence[0].line),
            (Kind::LintViolation, Some("js/eval"), 4)
        );
        cut_anywhere(RUN.as_bytes());
        let clean = RUN.replace("\"error\"", "\"note\"");
        assert_eq!(report(clean.as_bytes()).outcome, Outcome::Passed);
        cut_anywhere(clean.as_bytes());
    }

    #[test]
    fn an_analysis_that_broke_is_a_failure() {
        let broken = RUN.replace("\"error\"", "\"note\"").replace("true", "false");
        assert_eq!(report(broken.as_bytes()).outcome, Outcome::Failed);
    }
}
