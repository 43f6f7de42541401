//! CTRF, the Common Test Report Format, which reporters of many runners write.

use super::document::{Doc, Tally, compare, parts};
use super::json::Node;
use super::{Sure, signal, thrown};
use crate::item::Item;
use crate::kind::Phase;
use crate::report::{FileRef, Level, PassedCase, Signal};

pub(crate) fn sniff(head: &[u8]) -> Option<Sure> {
    let near = &head[..head.len().min(8192)];
    let has = |key: &[u8]| super::near::holds(near, key);
    if !head.starts_with(b"{") || !has(b"\"results\"") && !has(b"\"CTRF\"") {
        return None;
    }
    if has(b"\"reportFormat\"") && has(b"\"CTRF\"") {
        return Some(Sure::Certain);
    }
    (has(b"\"tool\"") && has(b"\"summary\"") && has(b"\"tests\"") && has(b"\"other\"")).then_some(Sure::Likely)
}

pub(crate) fn read(doc: &Doc<'_>, out: &mut dyn FnMut(Item)) -> usize {
    let mut cursor = doc.cursor();
    let mut tally = Tally::default();
    let mut damaged = None;
    let (mut declared, mut declared_failed) = (None, None);
    let mut expected = 0;
    let result = cursor.object(|key, cursor| {
        if key != "results" {
            return cursor.skip();
        }
        cursor.object(|key, cursor| match key {
            "summary" => {
                let (summary, stop) = cursor.node();
                declared = summary.count_at("tests");
                declared_failed = summary.count_at("failed");
                stop.map_or(Ok(()), Err)
            }
            "tests" => parts(cursor, &mut damaged, |test| {
                // Of a case that was cut, only a failure is sure.
                if test.whole || test.string_at("status").as_deref() == Some("failed") {
                    case(doc, test, &mut tally, out);
                    // Playwright's reporter counts by how a case ended, and a case may be expected to fail.
                    let word = |key| test.string_at(key);
                    expected += u64::from(
                        word("status").as_deref() == Some("passed") && word("rawStatus").as_deref() == Some("failed"),
                    );
                }
            }),
            _ => cursor.skip(),
        })
    });
    let stop = result.err().or(damaged);
    tally.lost |= stop.is_some();
    if stop.is_none() {
        compare("tests", declared, tally.counts.total, doc.line(0), out);
        let seen = tally.counts.failed + tally.counts.errored + expected;
        compare("failed tests", declared_failed.filter(|declared| *declared > seen), seen, doc.line(0), out);
    }
    tally.emit("ctrf", doc.head(), out);
    doc.finish(&cursor, result, stop, out)
}

fn case(doc: &Doc<'_>, test: &Node<'_>, tally: &mut Tally, out: &mut dyn FnMut(Item)) {
    let raw = test.string_at("rawStatus").unwrap_or_default().to_ascii_lowercase();
    match test.string_at("status").as_deref() {
        Some("passed") => {
            doc.passed(out, || PassedCase {
                file: test.string_at("filePath"),
                seconds: test.seconds_at("duration", 1000.0),
                ..PassedCase::new(full_name(test))
            });
            return if test.is("flaky") { tally.flaky() } else { tally.passed() };
        }
        Some("failed") => tally.failed(),
        // What fits no other word may still be an end that is no success.
        Some("other") if is_bad_end(&raw) => tally.errored(),
        Some(_) => return tally.skipped(),
        None => return,
    }
    let mut failure = doc.failure(Level::Case, test);
    failure.phase = Some(Phase::Test);
    doc.push_member(test, "message", &mut failure.text);
    doc.push_member(test, "trace", &mut failure.text);
    if failure.text.is_empty() {
        doc.push_pair(test, "status", &mut failure.text);
    }
    failure.type_name = thrown::type_name(&failure.text);
    let typed = failure.type_name.as_deref().and_then(signal::of_type);
    failure.signal = match raw.as_str() {
        "timedout" | "timed_out" | "timeout" => Some(Signal::TestTimeout),
        "interrupted" | "aborted" => Some(Signal::Interrupted),
        "crashed" => Some(Signal::Crash),
        _ => thrown::signal(&failure.text).or(typed),
    };
    failure.test = Some(full_name(test));
    failure.file = test.string_at("filePath").map(|path| match test.count_at("line") {
        Some(line) => FileRef::new(path, Some(line), None),
        None => thrown::place_in(&path, &failure.text),
    });
    out(Item::Failure(failure));
}

fn full_name(test: &Node<'_>) -> String {
    let mut name = Vec::new();
    match test.get("suite") {
        Some(suite) if suite.text().is_some() => name.extend(suite.string()),
        Some(suite) => name.extend(suite.elements().iter().filter_map(Node::string)),
        None => {}
    }
    let Some(own) = test.string_at("name") else { return name.join(" > ") };
    // Some write what is around a test into its name as well.
    let around = name.join(" > ");
    if !around.is_empty()
        && own.strip_prefix(around.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    {
        return own;
    }
    if let Some(last) = around.rsplit(" > ").next().filter(|last| !last.is_empty())
        && own.strip_prefix(last).is_some_and(|rest| rest.starts_with(' '))
    {
        let outer = around[..around.len() - last.len()].trim_end_matches(" > ");
        return if outer.is_empty() { own } else { format!("{outer} > {own}") };
    }
    if !around.is_empty() && around.ends_with(own.as_str()) && around.contains(" > ") && own.contains(" > ") {
        return around;
    }
    name.push(own);
    name.join(" > ")
}

fn is_bad_end(raw: &str) -> bool {
    ["timedout", "timed_out", "timeout", "error", "errored", "broken", "interrupted", "aborted", "crashed", "failed"]
        .contains(&raw)
}

#[cfg(test)]
mod tests {
    use crate::format::document::check::{counts, cut_anywhere};
    use crate::report::Outcome;

    #[test]
    fn reads_cases_of_any_runner() {
        let text = r#"{"reportFormat":"CTRF","specVersion":"1.0.0","results":{"tool":{"name":"x"},
"summary":{"tests":5,"passed":2,"failed":1,"skipped":1,"pending":0,"other":1},"tests":[
{"name":"a","status":"passed","duration":1},
{"name":"b","status":"passed","flaky":true,"retries":1},
{"name":"c","status":"failed","suite":["shop","cart"],"message":"AssertionError: expected 1 to equal 2","trace":"at c.js:3:1","filePath":"c.js","line":3},
{"name":"d","status":"pending"},
{"name":"e","status":"other","rawStatus":"timedOut","message":"too slow"}]}}"#;
        let report = counts(text.as_bytes(), "ctrf-json", Outcome::Failed, [5, 2, 1, 1, 1, 1]);
        assert!(report.causes.iter().any(|cause| cause.tests == ["shop > cart > c"]));
        cut_anywhere(text.as_bytes());
    }
}
