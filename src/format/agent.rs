//! Results of an agent runtime's own calls, in JSON: openclaw and its kin.
//!
//! `sessions_spawn` and `sessions_send` answer with `{status, error?, childSessionKey?, …}`, the gateway with frames of
//! `{ok, error: {code, message, retryable?, retryAfterMs?}}`, and the failover between models with a reason. What
//! each text means is a matter of the rules; this finds the texts, and the session that may have begun all the same.

use super::document::Doc;
use super::json::{Cursor, Node, Shape, Text};
use super::letter::Letter;
use super::{Sure, answer, message};
use crate::item::{Item, Mark, Scope};
use crate::kind::Phase;
use crate::report::{Failure, Level, Outcome, Span, Task, TextLine};

/// The codes of the gateway's errors.
const CODES: &[&str] = &["NOT_LINKED", "NOT_PAIRED", "AGENT_TIMEOUT", "FORBIDDEN", "INVALID_REQUEST", "UNAVAILABLE"];

/// Whether the head is such a result.
pub(crate) fn sniff(head: &[u8]) -> Option<Sure> {
    if head.first() != Some(&b'{') {
        return None;
    }
    let head = &head[..head.len().min(4096)];
    let has = |key: &str| super::near::holds(head, key.as_bytes());
    let own = has("\"childSessionKey\"") || has("\"sentBeforeError\"") || has("sessions_spawn") && has("\"status\"");
    if own {
        return Some(Sure::Certain);
    }
    let call = has("\"status\"") && has("\"runId\"") && (has("\"error\"") || has("\"accepted\"") || has("\"reply\""));
    let frame = has("\"code\"") && has("\"message\"") && CODES.iter().any(|code| has(&format!("\"{code}\"")));
    let failover = has("\"FailoverError\"")
        || has("\"failoverReason\"")
        || has("\"provider\"") && has("\"reason\"") && has("\"model\"");
    // The last word of Claude Code where it runs as a command: `--output-format json`.
    let last_word = has("\"is_error\"") && has("\"subtype\"") && has("\"num_turns\"") && has("\"session_id\"");
    (call || frame || failover || last_word || is_failed(head) || answer::sniff(head)).then_some(Sure::Likely)
}

/// Whether it is an object that says of itself that something failed, and gives the error: the common shape of results
/// of tasks, tools and interfaces.
fn is_failed(head: &[u8]) -> bool {
    // The lines of a log that a program writes in JSON have a severity and a time.
    const OF_LOGS: &[&[u8]] =
        &[b"level", b"severity", b"time", b"timestamp", b"ts", b"@timestamp", b"logger", b"msg", b"pid", b"hostname"];
    let (mut failed, mut error, mut of_log) = (false, false, false);
    // The head may be cut; what stands before counts.
    let _ = Cursor::new(head).members(|key, cursor| {
        match key.raw {
            b"status" | b"state" | b"outcome" => {
                failed |= cursor.maybe_string()?.is_some_and(|status| FAILED.contains(&&*status.to_ascii_lowercase()));
            }
            b"ok" | b"success" => failed |= cursor.maybe_bool()? == Some(false),
            b"error" | b"errors" => {
                error |= cursor.shape()? != Shape::Scalar && !cursor.empty_array();
                cursor.skip()?;
            }
            key => {
                of_log |= OF_LOGS.contains(&key);
                cursor.skip()?;
            }
        }
        Ok(())
    });
    failed && error && !of_log
}

/// How results say that they are none, in lower case.
const FAILED: &[&str] = &[
    "failed",
    "failure",
    "fail",
    "error",
    "errored",
    "timeout",
    "timed_out",
    "timedout",
    "cancelled",
    "canceled",
    "aborted",
    "crashed",
    "rejected",
];

/// How many of a list of errors are read.
const MAX_ERRORS: usize = 20;

/// Reads one result.
pub(crate) fn read(doc: &Doc<'_>, out: &mut dyn FnMut(Item)) -> usize {
    let mut cursor = doc.cursor();
    let (node, stop) = cursor.node();
    let ended = stop.map_or(Ok(()), Err);
    let end = doc.finish(&cursor, ended, stop, out);
    if stop.is_some() {
        // Behind a cut an error may have stood.
        let (text, span) = ("the result was cut".to_owned(), doc.head());
        out(Item::Mark(Mark { scope: Scope::Tool, outcome: Outcome::Unknown, status: None, text, span }));
    }
    if answer::tell(doc, &node, out) {
        return end;
    }
    // A result may be wrapped in a frame, and a frame's payload in a tool's answer.
    let inner = ["payload", "result", "details", "data"]
        .iter()
        .find_map(|key| node.get(key).filter(|node| node.get("status").is_some()));
    result(doc, inner.unwrap_or(&node), &node, stop.is_none(), out);
    end
}

fn result(doc: &Doc<'_>, node: &Node<'_>, outer: &Node<'_>, complete: bool, out: &mut dyn FnMut(Item)) {
    let text = |key: &str| node.get(key).and_then(Node::string);
    let last_word = node.get("is_error").and_then(Node::bool);
    let status = text("status").or_else(|| text("subtype").filter(|_| last_word.is_some())).unwrap_or_default();
    let ok = outer.get("ok").and_then(Node::bool);
    let error = node.get("error").or_else(|| outer.get("error")).filter(|error| !error.is_null());
    let key = text("childSessionKey").or_else(|| text("sessionKey"));
    let sent = node.get("sentBeforeError").and_then(Node::bool) == Some(true);
    let whole = doc.span(outer.start, outer.end);
    let good = matches!(status.as_str(), "ok" | "accepted" | "delivered" | "sent")
        || status.is_empty() && ok == Some(true)
        || status == "success" && last_word == Some(false);
    if let Some(key) = &key {
        let id = text("label").or_else(|| text("runId")).unwrap_or_else(|| key.clone());
        out(Item::Task(Task {
            id,
            title: text("task"),
            status: Outcome::Unknown,
            build: Outcome::Unknown,
            tests: None,
            causes: Vec::new(),
            session: Some(key.clone()),
            priority: None,
        }));
    }
    if good && last_word.is_some() {
        // That the command ended well says nothing of the work: what it writes of that counts.
        let mut letter = Letter::default();
        let said = node.get("result").and_then(Node::text).map(|said| said.lines()).unwrap_or_default();
        message::within(&mut letter, said.into_iter().map(|(line, start, end)| (line, doc.span(start, end))));
        letter.finish(out);
        return;
    }
    if good && error.is_none() {
        let text = format!("status: {}", if status.is_empty() { "ok" } else { &status });
        if complete {
            out(Item::Mark(Mark { scope: Scope::Tool, outcome: Outcome::Passed, status: None, text, span: whole }));
        }
        return;
    }
    let mut lines: Vec<TextLine> = Vec::new();
    let mut said: Vec<_> = error.and_then(words).into_iter().collect();
    said.extend(node.list("errors").iter().take(MAX_ERRORS).filter_map(words));
    if said.is_empty() {
        said.extend(node.get("message").or_else(|| node.get("result")).and_then(Node::text));
    }
    for said in said {
        doc.push_text(said, &mut lines);
    }
    let holder = error.filter(|error| !error.members().is_empty()).unwrap_or(node);
    for (name, value) in holder.members().iter().chain(node.members()) {
        let wanted = [
            "code",
            "status",
            "subtype",
            "reason",
            "failoverReason",
            "retryable",
            "retryAfterMs",
            "childSessionKey",
            "sentBeforeError",
        ];
        if wanted.contains(&&**name) && lines.len() < 40 {
            let shown = match (value.string(), value.number(), value.bool()) {
                (Some(text), ..) => text,
                (_, Some(number), _) => format!("{number}"),
                (.., Some(bool)) => bool.to_string(),
                _ => continue,
            };
            let line = TextLine { text: format!("{name}: {shown}"), span: doc.span(value.start, value.end) };
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
    }
    if lines.is_empty() {
        lines.push(TextLine { text: format!("status: {status}"), span: whole });
    }
    let told: String = lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join("\n");
    let call = ["sessions_spawn", "sessions_send", "sessions_list", "sessions_history"];
    let named = call.into_iter().find(|call| told.contains(call)).or(match (&key, sent) {
        (_, true) => Some("sessions_send"),
        (Some(_), false) => Some("sessions_spawn"),
        (None, false) => None,
    });
    // A result that names nothing of the runtime may be that of any work.
    let code = error.and_then(|error| error.string_at("code")).unwrap_or_default();
    let of_runtime = named.is_some()
        || last_word.is_some()
        || CODES.contains(&code.as_str())
        || ["runId", "failoverReason", "provider"].iter().any(|key| node.get(key).is_some())
        || told.contains("FailoverError");
    out(Item::Failure(Failure {
        level: Level::Diagnostic,
        phase: of_runtime.then_some(Phase::Dispatch),
        subject: named.map(str::to_owned),
        span: lines.first().map_or(whole, |line: &TextLine| nonzero(line.span, whole)),
        text: lines,
        task: key,
        ..Failure::default()
    }));
}

/// The words of an error, which is a string or an object with a message.
fn words<'a>(error: &Node<'a>) -> Option<Text<'a>> {
    error.text().or_else(|| error.get("message").and_then(Node::text))
}

fn nonzero(span: Span, whole: Span) -> Span {
    if span.line == 0 { whole } else { span }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::{Place, document::Whole};

    fn items(json: &str) -> Vec<Item> {
        let mut items = Vec::new();
        Whole::open(read).parse(json.as_bytes(), &mut Place::START.clone(), true, &mut |item| items.push(item));
        items
    }

    #[test]
    fn a_timeout_keeps_the_session_that_may_have_begun() {
        let json = r#"{"status":"error","error":"gateway timeout after 10000ms\nGateway target: ws://127.0.0.1:18789",
            "childSessionKey":"agent:main:subagent:7a9a72a7","runId":"r1"}"#;
        assert!(sniff(json.as_bytes()).is_some());
        let items = items(json);
        let session =
            items.iter().find_map(|item| if let Item::Task(task) = item { task.session.clone() } else { None });
        assert_eq!(session.as_deref(), Some("agent:main:subagent:7a9a72a7"));
        let failure =
            items.iter().find_map(|item| if let Item::Failure(failure) = item { Some(failure) } else { None });
        assert_eq!(failure.unwrap().text[0].text, "gateway timeout after 10000ms");
    }

    #[test]
    fn what_was_accepted_is_no_failure() {
        let items = items(r#"{"status":"accepted","childSessionKey":"agent:main:subagent:1","runId":"r"}"#);
        assert!(items.iter().all(|item| !matches!(item, Item::Failure(_))));
    }

    #[test]
    fn what_says_of_itself_that_it_failed_gives_its_error() {
        let told = |json: &str| {
            assert!(sniff(json.as_bytes()).is_some(), "{json}");
            let failures = items(json).into_iter().filter_map(|item| match item {
                Item::Failure(failure) => Some((failure.text[0].text.clone(), failure.phase)),
                _ => None,
            });
            failures.collect::<Vec<_>>()
        };
        let words = |text: &str| vec![(text.to_owned(), None)];
        let json = r#"{"task":"T-9","status":"failed","error":{"code":"deadline","message":"not ready within 120s"}}"#;
        assert_eq!(told(json), words("not ready within 120s"));
        assert_eq!(told(r#"{"success":false,"error":"no such tool"}"#), words("no such tool"));
        assert_eq!(told(r#"{"state": "ERROR", "errors": [{"message": "a"}, "b"]}"#), words("a"));
        let gateway = r#"{"ok":false,"error":{"code":"UNAVAILABLE","message":"later"}}"#;
        assert_eq!(told(gateway), [("later".to_owned(), Some(Phase::Dispatch))]);
        for other in [
            r#"{"level":"error","time":1,"status":"failed","error":"x"}"#,
            r#"{"status":"failed","error":null}"#,
            r#"{"status":"ok","error":"x"}"#,
            r#"{"success":false,"errors":[]}"#,
        ] {
            assert!(sniff(other.as_bytes()).is_none(), "{other}");
        }
    }

    #[test]
    fn the_last_word_of_a_command() {
        let word = |subtype: &str, is_error: bool, result: &str| {
            format!(
                r#"{{"type":"result","subtype":"{subtype}","is_error":{is_error},"num_turns":9,"result":"{result}","session_id":"s"}}"#
            )
        };
        let good = word("success", false, "Done.");
        assert!(sniff(good.as_bytes()).is_some());
        assert!(items(&good).iter().all(|item| !matches!(item, Item::Failure(_))));
        for bad in [word("error_max_turns", true, ""), word("success", true, "API Error: 529 overloaded_error")] {
            assert!(items(&bad).iter().any(|item| matches!(item, Item::Failure(_))), "{bad}");
        }
    }

    #[test]
    fn other_json_is_none_of_it() {
        for json in
            [r#"{"status":"ok","data":[1]}"#, r#"{"code":1,"message":"x"}"#, r#"{"name":"a","version":"1"}"#, "[1]"]
        {
            assert_eq!(sniff(json.as_bytes()), None, "{json}");
        }
    }
}
