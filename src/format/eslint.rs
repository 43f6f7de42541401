//! ESLint's JSON formatter: a list of files, each with its messages. Warnings are no failures.

use super::document::{Doc, findings};
use super::json::Node;
use super::{Sure, signal};
use crate::item::Item;
use crate::kind::Phase;
use crate::report::{FileRef, Level};

pub(crate) fn sniff(head: &[u8]) -> Option<Sure> {
    let near = &head[..head.len().min(4096)];
    let has = |key: &[u8]| super::near::holds(near, key);
    if !head.starts_with(b"[") {
        return None;
    }
    // A run without any file or finding; other checkers end the same way.
    if head.trim_ascii() == b"[]" {
        return Some(Sure::Likely);
    }
    let own = has(b"\"filePath\"") && has(b"\"messages\"");
    (own && head[1..].trim_ascii_start().starts_with(b"{")).then_some(Sure::Certain)
}

pub(crate) fn read(doc: &Doc<'_>, out: &mut dyn FnMut(Item)) -> usize {
    findings(doc, "ESLint", out, |file, damaged, out| {
        let path = file.string_at("filePath");
        doc.each(file, "messages", damaged, |message, _| {
            // Of the last message before a cut, the words must be there.
            let told = message.whole || message.text_at("message").is_some();
            if told && (message.count_at("severity") == Some(2) || message.is("fatal")) {
                finding(doc, path.as_deref(), message, out);
            }
        });
    })
}

fn finding(doc: &Doc<'_>, path: Option<&str>, message: &Node<'_>, out: &mut dyn FnMut(Item)) {
    let mut failure = doc.failure(Level::Diagnostic, message);
    let rule = message.string_at("ruleId");
    doc.push_member(message, "message", &mut failure.text);
    let words = failure.text.first().map_or("", |line| line.text.as_str());
    failure.phase = Some(Phase::Lint);
    failure.signal = Some(signal::of_finding(rule.as_deref(), words));
    failure.file = path.map(|path| FileRef::new(path, message.count_at("line"), message.count_at("column")));
    failure.subject = rule.clone();
    failure.type_name = rule;
    out(Item::Failure(failure));
}

#[cfg(test)]
mod tests {
    use crate::format::document::check::{cut_anywhere, report};
    use crate::report::Outcome;

    #[test]
    fn warnings_are_no_failures() {
        let text = r#"[{"filePath":"/ci/a.js","messages":[{"ruleId":"no-undef","severity":1,"message":"'x' is not defined.","line":1,"column":2}],"errorCount":0,"warningCount":1}]"#;
        assert_eq!(report(text.as_bytes()).outcome, Outcome::Passed);
        assert_eq!(report(text.replace("\"severity\":1", "\"severity\":2").as_bytes()).outcome, Outcome::Failed);
        assert_eq!(report(b"[]\n").outcome, Outcome::Passed);
        cut_anywhere(text.as_bytes());
    }

    #[test]
    fn findings_before_a_cut_are_kept() {
        let message = r#"{"ruleId":"no-undef","severity":2,"message":"'x' is not defined.","line":1,"column":2}"#;
        let text =
            format!(r#"[{{"filePath":"/ci/a.js","messages":[{message},{message},{{"ruleId":"eqeqeq","severity":2"#);
        let report = report(text.as_bytes());
        assert_eq!((report.outcome, report.causes[0].count, report.causes.len()), (Outcome::Failed, 2, 1));
        assert!(report.is_doubtful());
    }
}
