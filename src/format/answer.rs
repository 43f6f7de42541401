//! Answers of interfaces to models and tools, in JSON: the Model Context Protocol, results of calls within a
//! conversation, errors of an interface, and answers that were ended before they were done.
//!
//! ```text
//! {"jsonrpc":"2.0","id":7,"error":{"code":-32001,"message":"Request timed out"}}
//! {"type":"tool_result","is_error":true,"content":"Exit code 127\nsh: pnpm: command not found"}
//! {"type":"function_call_output","output":"{\"output\":\"1 failed\",\"metadata\":{\"exit_code\":1}}"}
//! {"role":"assistant","content":[],"stop_reason":"refusal"}
//! ```
//!
//! What a call printed is read as the output of the tools that it ran. That a call went well says nothing of the work.

use super::document::Doc;
use super::json::{Cursor, Node, Shape, Text};
use crate::item::Item;
use crate::log::pasted;
use crate::report::{Failure, Level, Span, TextLine};

/// How many parts of an answer are looked at.
const MAX_PARTS: usize = 100;

/// The reasons for which a model stops before its answer is done.
const CUT_SHORT: &[&str] =
    &["refusal", "max_tokens", "model_context_window_exceeded", "length", "content_filter", "MAX_TOKENS", "SAFETY"];

/// Whether the head is such an answer.
pub(super) fn sniff(head: &[u8]) -> bool {
    let has = |key: &str| super::near::holds(head, key.as_bytes());
    let called = has("\"jsonrpc\"") && (has("\"error\"") || has("\"isError\""));
    let result = has("\"tool_result\"") && has("\"is_error\"");
    let output = has("\"call_id\"") && has("\"output\"");
    let stopped = has("\"stop_reason\"") && has("\"role\"") && has("\"content\"")
        || has("\"finish_reason\"") && has("\"choices\"");
    called || result || output || stopped || is_error_alone(head)
}

/// Whether it is an object that holds the error of an interface, and nothing but what describes the call beside it.
fn is_error_alone(head: &[u8]) -> bool {
    let (mut error, mut other) = (false, false);
    let _ = Cursor::new(head).members(|key, cursor| {
        match key.raw {
            b"error" if cursor.shape()? == Shape::Object => {
                let (mut message, mut sort) = (false, false);
                cursor.members(|key, cursor| {
                    message |= key.raw == b"message";
                    sort |= matches!(key.raw, b"type" | b"code" | b"status");
                    cursor.skip()
                })?;
                error |= message && sort;
            }
            b"type" | b"request_id" | b"requestId" | b"status" | b"statusCode" | b"id" | b"code" => cursor.skip()?,
            _ => {
                other = true;
                cursor.skip()?;
            }
        }
        Ok(())
    });
    error && !other
}

/// Tells what an answer says; `false` where the document is none.
pub(super) fn tell(doc: &Doc<'_>, node: &Node<'_>, out: &mut dyn FnMut(Item)) -> bool {
    let whole = doc.span(node.start, node.end);
    if node.get("jsonrpc").is_some() {
        let result = node.get("result");
        if let Some(error) = node.get("error").filter(|error| !error.is_null()) {
            let said = error.text().or_else(|| error.get("message").and_then(Node::text));
            failed(doc, said.into_iter().collect(), whole, out);
        } else if result.is_some_and(|result| result.is("isError")) {
            failed(doc, result.and_then(|result| result.get("content")).map(texts).unwrap_or_default(), whole, out);
        }
        return true;
    }
    if let Some(output) = node.get("output").filter(|_| node.get("call_id").is_some()) {
        printed(doc, output, whole, out);
        return true;
    }
    let content = node.at(&["message", "content"]).or_else(|| node.get("content"));
    let parts = || content.into_iter().flat_map(Node::elements).take(MAX_PARTS);
    let of_tool = |part: &&Node<'_>| part.string_at("type").as_deref() == Some("tool_result");
    if of_tool(&node) || parts().any(|part| of_tool(&part)) {
        for result in std::iter::once(node).chain(parts()).filter(of_tool).filter(|result| result.is("is_error")) {
            failed(doc, result.get("content").map(texts).unwrap_or_default(), whole, out);
        }
        return true;
    }
    if node.get("error").is_some() && node.get("status").is_none() {
        return false;
    }
    let choices = node.list("choices").iter().take(MAX_PARTS);
    let stops = choices.map(|choice| choice.get("finish_reason")).chain([node.get("stop_reason")]);
    let mut stops = stops.flatten().filter_map(|reason| Some((reason, reason.string()?)));
    let Some((reason, name)) = stops.find(|(_, name)| CUT_SHORT.contains(&name.as_str())) else {
        return node.get("choices").is_some() || node.get("stop_reason").is_some() && node.get("role").is_some();
    };
    let span = doc.span(reason.start, reason.end);
    let text = vec![TextLine { text: format!("stop_reason: {name}"), span }];
    out(Item::Failure(Failure { level: Level::Diagnostic, span, text, ..Failure::default() }));
    true
}

/// The texts of a content, which is a string or a list of parts.
fn texts<'a>(content: &Node<'a>) -> Vec<Text<'a>> {
    let of_parts = content.elements().iter().take(MAX_PARTS).filter_map(|part| part.text_at("text"));
    content.text().into_iter().chain(of_parts).collect()
}

/// A call that failed, with what it printed.
fn failed(doc: &Doc<'_>, said: Vec<Text<'_>>, whole: Span, out: &mut dyn FnMut(Item)) {
    let mut lines = Vec::new();
    for text in said {
        doc.push_text(text, &mut lines);
    }
    quote(lines, whole, out);
}

/// What a command printed, if it failed: as text with its exit code in front, or as JSON within the string.
fn printed(doc: &Doc<'_>, output: &Node<'_>, whole: Span, out: &mut dyn FnMut(Item)) {
    let Some(text) = output.text() else { return };
    let decoded = text.decode();
    if decoded.starts_with('{') {
        let (inner, _) = Cursor::new(decoded.as_bytes()).node();
        let status = inner.at(&["metadata", "exit_code"]).or_else(|| inner.get("exit_code")).and_then(Node::number);
        if status.is_some_and(|status| status != 0.0) {
            let span = doc.span(output.start, output.end);
            let said = inner.string_at("output").unwrap_or_default();
            let lines = said.lines().map(|line| TextLine { text: line.to_owned(), span });
            quote(lines.collect(), whole, out);
        }
        return;
    }
    let mut lines = Vec::new();
    doc.push_text(text, &mut lines);
    let status = lines.iter().take(3).find_map(|line| {
        let (name, status) = line.text.split_once(": ")?;
        name.eq_ignore_ascii_case("exit code").then(|| status.trim().parse::<i64>().ok())?
    });
    if status.is_some_and(|status| status != 0) {
        quote(lines, whole, out);
    }
}

/// Reads lines as the output of tools; where nobody knows them, they are the words of the failure.
fn quote(lines: Vec<TextLine>, whole: Span, out: &mut dyn FnMut(Item)) {
    let mut output = String::new();
    for line in &lines {
        output.push_str(&line.text);
        output.push('\n');
    }
    let at = |span: Span| {
        let index = usize::try_from(span.line).unwrap_or(1).saturating_sub(1);
        lines.get(index).map_or(whole, |line| line.span)
    };
    let found = pasted::failures(output.as_bytes(), super::Place::START);
    for mut failure in found.iter().cloned() {
        failure.span = at(failure.span);
        for line in &mut failure.text {
            line.span = at(line.span);
        }
        out(Item::Failure(failure));
    }
    if found.is_empty() {
        let span = lines.first().map_or(whole, |line| line.span);
        let text = match lines.is_empty() {
            true => vec![TextLine { text: "the call failed and says nothing".to_owned(), span }],
            false => lines,
        };
        out(Item::Failure(Failure { level: Level::Diagnostic, span, text, ..Failure::default() }));
    }
}

#[cfg(test)]
mod tests {
    use crate::{Analyzer, Outcome, Source};

    #[track_caller]
    fn check(json: &str, outcome: Outcome, expected: &[(&str, &str)]) {
        let report = Analyzer::new().analyze([Source::bytes("answer.json", json.as_bytes())]);
        let causes = report.causes.iter().map(|cause| (cause.kind.as_str(), cause.subject.as_deref().unwrap_or("")));
        assert_eq!((report.outcome, causes.collect::<Vec<_>>()), (outcome, expected.to_vec()), "{json}");
    }

    #[test]
    fn calls_of_tools() {
        let error = r#"{"jsonrpc":"2.0","id":7,"error":{"code":-32001,"message":"Request timed out"}}"#;
        check(error, Outcome::Failed, &[("timeout", "")]);
        let result = r#"{"jsonrpc":"2.0","id":8,"result":{"content":[{"type":"text","text":"Error: ENOENT: no such file or directory, open '/a/b.ts'"}],"isError":true}}"#;
        check(result, Outcome::Failed, &[("missing_file", "/a/b.ts")]);
        let good = r#"{"jsonrpc":"2.0","id":8,"result":{"content":[{"type":"text","text":"Error: ENOENT: no such file"}],"isError":false}}"#;
        check(good, Outcome::Unknown, &[]);
        let told = r#"{"type":"tool_result","is_error":true,"content":"Exit code 127\n/bin/bash: line 1: pnpm: command not found"}"#;
        check(told, Outcome::Failed, &[("missing_command", "pnpm")]);
        let calm = r#"{"role":"user","content":[{"type":"tool_result","is_error":false,"content":"sh: pnpm: command not found"}]}"#;
        check(calm, Outcome::Unknown, &[]);
    }

    #[test]
    fn what_commands_print() {
        let output = |status: u8| {
            format!(
                r#"{{"type":"function_call_output","call_id":"c","output":"{{\"output\":\"src/a.ts(3,5): error TS2304: Cannot find name 'x'.\\n\",\"metadata\":{{\"exit_code\":{status}}}}}"}}"#
            )
        };
        check(&output(2), Outcome::Failed, &[("compile_error", "src/a.ts")]);
        check(&output(0), Outcome::Unknown, &[]);
        let plain = |status: u8| {
            format!(
                r#"{{"type":"function_call_output","call_id":"c","output":"Exit code: {status}\nWall time: 0.2 seconds\nOutput:\nModuleNotFoundError: No module named 'yaml'\n"}}"#
            )
        };
        check(&plain(1), Outcome::Failed, &[("missing_module", "yaml")]);
        check(&plain(0), Outcome::Unknown, &[]);
    }

    #[test]
    fn answers_that_were_ended() {
        for reason in ["refusal", "max_tokens"] {
            let json = format!(r#"{{"type":"message","role":"assistant","content":[],"stop_reason":"{reason}"}}"#);
            check(&json, Outcome::Failed, &[("unclassified", "")]);
        }
        check(
            r#"{"type":"message","role":"assistant","content":[{"type":"text","text":"Error: x"}],"stop_reason":"end_turn"}"#,
            Outcome::Unknown,
            &[],
        );
        check(
            r#"{"object":"chat.completion","choices":[{"index":0,"message":{"content":""},"finish_reason":"length"}]}"#,
            Outcome::Failed,
            &[("unclassified", "")],
        );
    }

    #[test]
    fn errors_of_interfaces() {
        let error = r#"{"error":{"message":"The response was filtered due to the content management policy.","code":"content_filter","status":400}}"#;
        check(error, Outcome::Failed, &[("policy_violation", "")]);
    }
}
