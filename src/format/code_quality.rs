//! GitLab's code quality report, the issue format of Code Climate: a list of issues with a severity each.

use super::document::{Doc, findings};
use super::json::Node;
use super::{Sure, signal};
use crate::item::Item;
use crate::kind::Phase;
use crate::report::{FileRef, Level, Signal};

pub(crate) fn sniff(head: &[u8]) -> Option<Sure> {
    let near = &head[..head.len().min(4096)];
    let has = |key: &[u8]| super::near::holds(near, key);
    let own = has(b"\"description\"") && has(b"\"fingerprint\"") && has(b"\"location\"");
    let begins = head.starts_with(b"[") && head[1..].trim_ascii_start().starts_with(b"{");
    (begins && own && (has(b"\"severity\"") || has(b"\"check_name\""))).then_some(Sure::Certain)
}

pub(crate) fn read(doc: &Doc<'_>, out: &mut dyn FnMut(Item)) -> usize {
    findings(doc, "the checker", out, |issue, _, out| {
        let severity = issue.string_at("severity").unwrap_or_default();
        if !matches!(severity.as_str(), "major" | "critical" | "blocker") {
            return;
        }
        if !issue.whole && issue.text_at("description").is_none() {
            return;
        }
        let mut failure = doc.failure(Level::Diagnostic, issue);
        doc.push_member(issue, "description", &mut failure.text);
        failure.phase = Some(Phase::Lint);
        failure.type_name = issue.string_at("check_name");
        let words = failure.text.first().map_or("", |line| line.text.as_str());
        let signal = signal::of_finding(failure.type_name.as_deref(), words);
        failure.signal = Some(signal);
        failure.subject = failure.type_name.clone().filter(|_| signal == Signal::Lint);
        failure.file = issue.get("location").and_then(place);
        out(Item::Failure(failure));
    })
}

fn place(location: &Node<'_>) -> Option<FileRef> {
    let path = location.string_at("path")?;
    let point = location.at(&["positions", "begin"]);
    let line = point.and_then(|point| point.count_at("line")).or_else(|| {
        let lines = location.get("lines")?;
        lines.count_at("begin").or_else(|| lines.get("begin")?.count_at("line"))
    });
    Some(FileRef::new(path, line, point.and_then(|point| point.count_at("column"))))
}

#[cfg(test)]
mod tests {
    use crate::format::document::check::{cut_anywhere, report};
    use crate::kind::Kind;
    use crate::report::Outcome;

    #[test]
    fn severe_issues_are_failures() {
        let text = r#"[
  { "description": "Unexpected var.", "check_name": "no-var", "fingerprint": "ab", "severity": "major",
    "location": { "path": "src/a.js", "lines": { "begin": 3 } } },
  { "description": "Prefer const.", "check_name": "prefer-const", "fingerprint": "cd", "severity": "minor",
    "location": { "path": "src/a.js", "positions": { "begin": { "line": 4, "column": 2 } } } }
]"#;
        let found = report(text.as_bytes());
        let cause = &found.causes[0];
        assert_eq!((found.outcome, found.causes.len(), cause.kind), (Outcome::Failed, 1, Kind::LintViolation));
        assert_eq!((cause.subject.as_deref(), cause.evidence[0].line), (Some("no-var"), 2));
        cut_anywhere(text.as_bytes());
        assert_eq!(report(text.replace("major", "info").as_bytes()).outcome, Outcome::Passed);
    }

    #[test]
    fn a_list_above_the_name_of_the_check_hides_nothing_in_a_log() {
        let text = "$ eslint -f gitlab src\n[\n  {\n    \"type\": \"issue\",\n    \"categories\": [\n      \"Style\"\n    ],\n    \"check_name\": \"eqeqeq\",\n    \"description\": \"Expected '==='.\",\n    \"severity\": \"major\",\n    \"fingerprint\": \"ab\",\n    \"location\": { \"path\": \"a.js\", \"lines\": { \"begin\": 2 } }\n  }\n]\nDone in 2.10s.\n";
        let found = report(text.as_bytes());
        assert_eq!((found.outcome, found.causes[0].subject.as_deref()), (Outcome::Failed, Some("eqeqeq")));
    }
}
