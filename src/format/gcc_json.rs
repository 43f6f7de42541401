//! The diagnostics of `gcc -fdiagnostics-format=json`: one array for each file that is compiled.

use super::Sure;
use super::document::{Doc, findings};
use super::json::Node;
use crate::item::Item;
use crate::kind::Phase;
use crate::report::{FileRef, Level, Signal};

pub(crate) fn sniff(head: &[u8]) -> Option<Sure> {
    let near = &head[..head.len().min(4096)];
    let has = |key: &[u8]| super::near::holds(near, key);
    let own = head.starts_with(b"[") && has(b"\"kind\"") && has(b"\"locations\"") && has(b"\"message\"");
    (own && (has(b"\"caret\"") || has(b"\"column-origin\""))).then_some(Sure::Certain)
}

pub(crate) fn read(doc: &Doc<'_>, out: &mut dyn FnMut(Item)) -> usize {
    findings(doc, "gcc", out, |diagnostic, _, out| {
        let kind = diagnostic.string_at("kind").unwrap_or_default();
        if !matches!(kind.as_str(), "error" | "fatal error" | "sorry, unimplemented" | "internal compiler error") {
            return;
        }
        if !diagnostic.whole && diagnostic.text_at("message").is_none() {
            return;
        }
        let mut failure = doc.failure(Level::Diagnostic, diagnostic);
        doc.push_member(diagnostic, "message", &mut failure.text);
        failure.phase = Some(Phase::Build);
        // A header that is missing is told in the words of the system.
        let missing = failure.text.first().and_then(|line| line.text.strip_suffix(": No such file or directory"));
        failure.subject = missing.map(str::to_owned);
        failure.signal = match kind.starts_with("internal") {
            true => Some(Signal::Crash),
            false => failure.subject.is_none().then_some(Signal::Compile),
        };
        failure.type_name = diagnostic.string_at("option");
        failure.file = diagnostic.list("locations").first().and_then(place);
        for child in diagnostic.list("children") {
            doc.push_member(child, "message", &mut failure.text);
        }
        out(Item::Failure(failure));
    })
}

fn place(location: &Node<'_>) -> Option<FileRef> {
    let caret = location.get("caret")?;
    let column = ["column", "display-column"].into_iter().find_map(|key| caret.count_at(key));
    Some(FileRef::new(caret.string_at("file")?, caret.count_at("line"), column))
}

#[cfg(test)]
mod tests {
    use crate::format::document::check::{cut_anywhere, report};
    use crate::kind::Kind;
    use crate::report::Outcome;

    #[test]
    fn errors_are_failures_and_warnings_are_not() {
        let text = r#"[{"kind": "warning", "message": "unused", "option": "-Wunused", "locations": [], "children": [], "column-origin": 1},
{"kind": "error", "column-origin": 1, "children": [], "locations": [{"caret": {"line": 7, "file": "ring.c", "column": 20}}], "message": "no member named 'x'"}]"#;
        let found = report(text.as_bytes());
        let cause = &found.causes[0];
        assert_eq!((found.outcome, found.causes.len(), cause.kind), (Outcome::Failed, 1, Kind::CompileError));
        assert_eq!((cause.subject.as_deref(), cause.evidence[0].line), (Some("ring.c"), 2));
        cut_anywhere(text.as_bytes());
        assert_eq!(report(text.replace("\"error\"", "\"warning\"").as_bytes()).outcome, Outcome::Passed);
    }
}
