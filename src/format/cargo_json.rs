//! `cargo … --message-format=json` and `rustc --error-format=json`: a message a line, with the output of programs
//! that cargo runs between them.

use super::document::{Doc, Events, Flow, clean};
use super::json::Node;
use super::{Place, Sure};
use crate::item::{Item, Mark, Scope};
use crate::kind::Phase;
use crate::report::{FileRef, Level, Outcome, Signal};

pub(crate) fn sniff(head: &[u8]) -> Option<Sure> {
    let near = &head[..head.len().min(512)];
    let first = near.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let has = |key: &[u8]| super::near::holds(first, key);
    if !head.starts_with(b"{") {
        return None;
    }
    let reasons =
        [&b"\"compiler-message\""[..], b"\"compiler-artifact\"", b"\"build-script-executed\"", b"\"build-finished\""];
    if has(b"\"reason\"") && reasons.iter().any(|reason| has(reason)) {
        return Some(Sure::Certain);
    }
    // Up to rustc 1.76 a diagnostic has no key that is its own.
    let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let within = |key: &[u8]| super::near::holds(line, key);
    let old = || {
        head.starts_with(b"{\"message\":\"")
            && [&b"\"level\":\""[..], b"\"spans\":[", b"\"children\":["].iter().all(|key| within(key))
    };
    (has(b"\"$message_type\"") && has(b"\"diagnostic\"") || old()).then_some(Sure::Certain)
}

#[derive(Default)]
pub(crate) struct Messages {
    errors: u64,
}

impl Events for Messages {
    fn event(&mut self, doc: &Doc<'_>, event: &Node<'_>, out: &mut dyn FnMut(Item)) -> Flow {
        match event.string_at("reason").as_deref() {
            Some("compiler-message") => {
                if let Some(message) = event.get("message") {
                    self.diagnostic(doc, message, out);
                }
            }
            Some("build-finished") => {
                let span = doc.span(event.start, event.end);
                if event.is("success") && self.errors == 0 {
                    clean("cargo: the build finished", span, out);
                } else if !event.is("success") {
                    let text = "cargo: the build did not succeed".to_owned();
                    let (scope, outcome) = (Scope::Tool, Outcome::Failed);
                    out(Item::Mark(Mark { scope, outcome, status: None, text, span }));
                }
                return Flow::Last;
            }
            None if event.get("level").is_some() && event.get("spans").is_some() => self.diagnostic(doc, event, out),
            None if event.get("$message_type").is_none() => return Flow::Alien,
            _ => {}
        }
        Flow::More
    }

    fn end(&mut self, _lost: bool, _at: Place, _out: &mut dyn FnMut(Item)) {}

    fn gives_way(&self) -> bool {
        true
    }
}

impl Messages {
    fn diagnostic(&mut self, doc: &Doc<'_>, message: &Node<'_>, out: &mut dyn FnMut(Item)) {
        let level = message.string_at("level").unwrap_or_default();
        if !level.starts_with("error") {
            return;
        }
        let words = message.string_at("message").unwrap_or_default();
        // The sum of those before.
        if words.starts_with("aborting due to") || words.starts_with("could not compile") {
            return;
        }
        self.errors += 1;
        let mut failure = doc.failure(Level::Diagnostic, message);
        doc.push_member(message, "rendered", &mut failure.text);
        if failure.text.is_empty() {
            doc.push_member(message, "message", &mut failure.text);
        }
        let code = message.get("code").and_then(|code| code.string_at("code"));
        let numbered = |code: &str| code.strip_prefix('E').is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()));
        // What is no numbered error is a lint that was raised to one.
        let lint = code.as_deref().is_some_and(|code| !numbered(code));
        failure.phase = Some(if lint { Phase::Lint } else { Phase::Build });
        failure.signal = Some(match lint {
            true => Signal::Lint,
            false if words.starts_with("linking with") => Signal::Link,
            false if level.contains("internal compiler error") => Signal::Crash,
            false => Signal::Compile,
        });
        failure.subject = code.clone().filter(|_| lint);
        failure.type_name = code;
        let primary = message.list("spans").iter().find(|span| span.is("is_primary"));
        failure.file = primary.and_then(|span| {
            Some(FileRef::new(span.string_at("file_name")?, span.count_at("line_start"), span.count_at("column_start")))
        });
        out(Item::Failure(failure));
    }
}

#[cfg(test)]
mod tests {
    use crate::format::document::check::{cut_anywhere, report};
    use crate::kind::Kind;
    use crate::report::Outcome;

    const MESSAGES: &str = r#"{"reason":"compiler-artifact","package_id":"path+file:///ci/dep#0.1.0","target":{"name":"dep"}}
{"reason":"compiler-message","package_id":"path+file:///ci#0.1.0","message":{"rendered":"error[E0308]: mismatched types\n --> src/lib.rs:3:5\n","$message_type":"diagnostic","children":[],"level":"error","message":"mismatched types","spans":[{"file_name":"src/lib.rs","is_primary":true,"line_start":3,"column_start":5}],"code":{"code":"E0308"}}}
{"reason":"compiler-message","package_id":"path+file:///ci#0.1.0","message":{"rendered":"error: this `if` has identical blocks\n","level":"error","message":"this `if` has identical blocks","spans":[],"code":{"code":"clippy::if_same_then_else"}}}
{"reason":"compiler-message","package_id":"path+file:///ci#0.1.0","message":{"rendered":"error: aborting due to 2 previous errors\n","level":"error","message":"aborting due to 2 previous errors","spans":[],"code":null}}
{"reason":"build-finished","success":false}
"#;

    #[test]
    fn errors_and_lints_are_told_apart() {
        let report = report(MESSAGES.as_bytes());
        let mut kinds: Vec<_> = report.causes.iter().map(|cause| (cause.kind, cause.evidence[0].line)).collect();
        kinds.sort_by_key(|(_, line)| *line);
        assert_eq!(kinds, [(Kind::CompileError, 2), (Kind::LintViolation, 3)]);
        assert_eq!((report.outcome, report.sources[0].format.as_str()), (Outcome::Failed, "cargo-json"));
    }

    #[test]
    fn a_build_that_finished_passed_and_one_that_was_cut_did_not() {
        let clean = "{\"reason\":\"compiler-artifact\",\"package_id\":\"a\"}\n{\"reason\":\"build-finished\",\"success\":true}\n";
        assert_eq!(report(clean.as_bytes()).outcome, Outcome::Passed);
        cut_anywhere(clean.as_bytes());
        cut_anywhere(MESSAGES.as_bytes());
    }

    #[test]
    fn a_line_that_only_looks_like_a_message_ends() {
        // The keys are where a sniffer finds them, and the object is none of cargo's.
        let alien = "{\"Reason\":\"compiler-message\",\"x\":\"\",\"why\":{\"reason\":\"compiler-message\"}}\n";
        let text = format!("{alien}{alien}{{\"reason\":\"build-finished\",\"success\":false}}\n");
        assert_ne!(report(text.as_bytes()).outcome, Outcome::Passed);
    }
}
