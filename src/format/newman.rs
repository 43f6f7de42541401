//! The JSON of Newman, which runs the collections of Postman.
//!
//! The collection comes first, then what each request was and got, and at the end what failed. A test is an assertion of
//! a script; a request without an answer and a script that breaks are errors outside of any test.

use super::document::{Doc, Tally, compare, elements, parts};
use super::json::{Cursor, Node, Stop};
use super::{Sure, signal};
use crate::item::Item;
use crate::kind::Phase;
use crate::report::{Failure, Level, PassedCase};

pub(crate) fn sniff(head: &[u8]) -> Option<Sure> {
    let has = |key: &[u8]| super::near::holds(head, key);
    let near = &head[..head.len().min(256)];
    let begins = near.strip_prefix(b"{").map(<[u8]>::trim_ascii_start)?.strip_prefix(b"\"collection\"")?;
    let inner = begins.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start().strip_prefix(b"{")?.trim_ascii_start();
    if has(b"\"run\"") && has(b"\"stats\"") && has(b"\"assertions\"") {
        return Some(Sure::Certain);
    }
    // The collection alone, as Postman gives it away, tells of itself first.
    (inner.starts_with(b"\"item\"") || inner.starts_with(b"\"_\"")).then_some(Sure::Likely)
}

#[derive(Default)]
struct Run {
    tally: Tally,
    /// The assertions and what became of them, by their own lists.
    seen: u64,
    failed: u64,
    declared: Option<u64>,
    declared_failed: Option<u64>,
    /// What failed, by the list at the end.
    listed: u64,
}

pub(crate) fn read(doc: &Doc<'_>, out: &mut dyn FnMut(Item)) -> usize {
    let mut cursor = doc.cursor();
    let mut run = Run::default();
    let mut damaged = None;
    let result = cursor.object(|key, cursor| {
        if key != "run" {
            return cursor.skip();
        }
        cursor.object(|key, cursor| match key {
            "stats" => {
                let (stats, stop) = cursor.node();
                let count = |key: &str| stats.at(&["assertions", key]).and_then(Node::count);
                (run.declared, run.declared_failed) = (count("total"), count("failed"));
                stop.map_or(Ok(()), Err)
            }
            "executions" => cursor.array(|cursor| execution(doc, cursor, &mut run, &mut damaged, out)),
            "failures" => parts(cursor, &mut damaged, |failure| {
                if failure.whole || failure.get("error").is_some() {
                    run.failure(doc, failure, out);
                }
            }),
            _ => cursor.skip(),
        })
    });
    let stop = result.err().or(damaged);
    let Run { mut tally, seen, failed, declared, declared_failed, listed } = run;
    tally.lost |= stop.is_some();
    // The end is missing, and the list of what failed with it.
    tally.failed |= failed > listed || tally.counts.errored > 0;
    tally.counts.total = seen;
    tally.counts.failed = failed.max(listed);
    if stop.is_none() {
        compare("assertions", declared, seen, doc.line(0), out);
        compare("failed assertions", declared_failed, tally.counts.failed, doc.line(0), out);
    }
    tally.emit("newman", doc.head(), out);
    doc.finish(&cursor, result, stop, out)
}

/// One request, of which all is passed over but its name and its assertions: what was sent and got may be large.
fn execution<'a>(
    doc: &Doc<'a>,
    cursor: &mut Cursor<'a>,
    run: &mut Run,
    damaged: &mut Option<Stop>,
    out: &mut dyn FnMut(Item),
) -> Result<(), Stop> {
    let mut name = String::new();
    cursor.object(|key, cursor| match key {
        "item" => cursor.object(|key, cursor| match key {
            "name" => {
                name = cursor.maybe_string()?.unwrap_or_default();
                Ok(())
            }
            _ => cursor.skip(),
        }),
        "assertions" => elements(cursor, damaged, |assertion| {
            run.seen += 1;
            if assertion.get("error").is_some_and(|error| !error.is_null()) {
                run.failed += 1;
            } else if assertion.is("skipped") {
                run.tally.skipped();
            } else {
                run.tally.passed();
                let title = assertion.string_at("assertion").unwrap_or_default();
                doc.passed(out, || PassedCase::new(full_name(&name, &title)));
            }
        }),
        _ => cursor.skip(),
    })
}

impl Run {
    fn failure(&mut self, doc: &Doc<'_>, node: &Node<'_>, out: &mut dyn FnMut(Item)) {
        let Some(error) = node.get("error") else { return };
        let name = node.at(&["source", "name"]).and_then(Node::string).unwrap_or_default();
        let at = node.string_at("at");
        let asserted = at.as_ref().map_or(error.get("test").is_some(), |at| at.starts_with("assertion"));
        let title = error.string_at("test").filter(|_| asserted).unwrap_or_default();
        let level = if asserted { Level::Case } else { Level::Suite };
        let mut failure = doc.failure(level, node);
        failure.phase = Some(Phase::Test);
        doc.push_member(error, "message", &mut failure.text);
        if failure.text.is_empty() {
            doc.push_member(error, "stack", &mut failure.text);
        }
        failure.type_name = error.string_at("name").filter(|name| name != "Error");
        failure.signal = failure.type_name.as_deref().and_then(signal::of_type);
        complete(&mut failure);
        failure.test = Some(full_name(&name, &title)).filter(|name| !name.is_empty());
        match at {
            _ if asserted => self.listed += 1,
            Some(_) => self.tally.counts.errored += 1,
            // It was cut before it says where it failed.
            None => self.tally.failed = true,
        }
        out(Item::Failure(failure));
    }
}

/// Puts the type in front of the message of an error that the engine threw, as it is shown elsewhere.
pub(crate) fn complete(failure: &mut Failure) {
    let thrown = failure.signal.is_none();
    let class = failure.type_name.as_deref().filter(|class| thrown && class.ends_with("Error") && *class != "Error");
    if let (Some(class), Some(first)) = (class, failure.text.first_mut()) {
        first.text = format!("{class}: {}", first.text.trim_start());
    }
}

fn full_name(request: &str, assertion: &str) -> String {
    let parts = [request, assertion].into_iter().filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(" > ")
}

#[cfg(test)]
mod tests {
    use crate::format::document::check::{counts, cut_anywhere};
    use crate::report::Outcome;

    const TEXT: &str = r#"{"collection":{"item":[{"name":"up"}],"info":{"name":"shop"}},"run":{"stats":{"requests":
{"total":2,"pending":0,"failed":1},"assertions":{"total":3,"pending":0,"failed":1}},"executions":[
{"cursor":{},"item":{"name":"up"},"response":{"stream":[1,2]},"assertions":[
{"assertion":"is 201","skipped":false,"error":{"name":"AssertionError","message":"expected 200 to be 201"}},
{"assertion":"ok","skipped":false},{"assertion":"later","skipped":true}]},{"item":{"name":"down"}}],"failures":[
{"error":{"name":"AssertionError","test":"is 201","message":"expected 200 to be 201"},"at":"assertion:0 in test-script","source":{"name":"up"}},
{"error":{"name":"Error","code":"ECONNRESET","message":"read ECONNRESET"},"at":"request","source":{"name":"down"}}],"error":null}}"#;

    #[test]
    fn reads_assertions_and_requests() {
        let report = counts(TEXT.as_bytes(), "newman-json", Outcome::Failed, [3, 1, 1, 1, 1, 0]);
        assert!(report.causes.iter().any(|cause| cause.tests == ["up > is 201"]), "{report:#?}");
        assert!(report.causes.iter().any(|cause| cause.tests == ["down"]), "{report:#?}");
        cut_anywhere(TEXT.as_bytes());
    }

    #[test]
    fn a_collection_alone_is_no_run() {
        assert_eq!(super::sniff(b"{\"collection\":{\"info\":{\"name\":\"shop\"},\"item\":[]}}"), None);
    }
}
