//! The JSON of Playwright's reporter: suites within files, specs, a test for each project, a result for each attempt.
//!
//! The status of a test speaks for all its attempts. What failed outside of any test, such as the global set-up or a
//! file that cannot be loaded, stands in the errors of the report alone.

use super::document::{Doc, Tally, compare, elements, large_parts};
use super::json::{Node, Stop};
use super::{Sure, thrown};
use crate::item::Item;
use crate::kind::Phase;
use crate::report::{Failure, FileRef, Level, PassedCase, Signal, TextLine};

/// How deep suites are looked into.
const MAX_SUITES: usize = 64;

pub(crate) fn sniff(head: &[u8]) -> Option<Sure> {
    let near = &head[..head.len().min(16 * 1024)];
    let has = |key: &[u8]| super::near::holds(near, key);
    let config = head.starts_with(b"{") && has(b"\"config\"");
    (config && has(b"\"forbidOnly\"") && has(b"\"rootDir\"")).then_some(Sure::Certain)
}

pub(crate) fn read(doc: &Doc<'_>, out: &mut dyn FnMut(Item)) -> usize {
    let mut cursor = doc.cursor();
    let mut tally = Tally::default();
    let mut damaged = None;
    let mut declared = None;
    let result = cursor.object(|key, cursor| {
        match key {
            // The outermost suite is the file, which is no part of a test's name.
            "suites" => large_parts(cursor, &mut damaged, |file, damaged| {
                specs(doc, file, "", MAX_SUITES, &mut tally, damaged, out);
            })?,
            "errors" => elements(cursor, &mut damaged, |error| {
                let failure = outside(doc, error);
                if failure.signal == Some(Signal::NoTests) {
                    tally.lost = true;
                } else {
                    tally.counts.errored += 1;
                }
                out(Item::Failure(failure));
            })?,
            "stats" => {
                let (stats, stop) = cursor.node();
                let parts = ["expected", "unexpected", "flaky", "skipped"].map(|key| stats.count_at(key));
                declared = parts.into_iter().sum::<Option<u64>>();
                return stop.map_or(Ok(()), Err);
            }
            _ => cursor.skip()?,
        }
        Ok(())
    });
    let stop = result.err().or(damaged);
    tally.lost |= stop.is_some();
    if stop.is_none() {
        compare("tests", declared, tally.counts.total, doc.line(0), out);
    }
    tally.emit("playwright", doc.head(), out);
    doc.finish(&cursor, result, stop, out)
}

/// The specs of a suite and of those within it, whose names begin with `path`.
fn specs<'a>(
    doc: &Doc<'a>,
    suite: &Node<'a>,
    path: &str,
    depth: usize,
    tally: &mut Tally,
    damaged: &mut Option<Stop>,
    out: &mut dyn FnMut(Item),
) {
    doc.each(suite, "specs", damaged, |spec, damaged| {
        let title = spec.string_at("title").unwrap_or_default();
        doc.each(spec, "tests", damaged, |test, _| {
            if !test.whole && !has_failed(test) {
                return;
            }
            let mut name = format!("{path}{title}");
            if let Some(project) = test.string_at("projectName").filter(|project| !project.is_empty()) {
                name = format!("[{project}] › {name}");
            }
            case(doc, spec, test, name, tally, out);
        });
    });
    let Some(depth) = depth.checked_sub(1) else { return };
    doc.each(suite, "suites", damaged, |inner, damaged| {
        let title = inner.string_at("title").unwrap_or_default();
        specs(doc, inner, &format!("{path}{title} › "), depth, tally, damaged, out);
    });
}

fn case(doc: &Doc<'_>, spec: &Node<'_>, test: &Node<'_>, name: String, tally: &mut Tally, out: &mut dyn FnMut(Item)) {
    let results = test.list("results");
    let last = results.last();
    let ended = last.and_then(|result| result.string_at("status"));
    let expected = test.string_at("expectedStatus");
    let status = test.string_at("status").or_else(|| match (ended.as_deref()?, expected.as_deref()) {
        // A report that was cut may lack the word for the whole; its last attempt says it.
        ("skipped", _) => Some("skipped".to_owned()),
        (ended, Some(expected)) if ended == expected => Some("expected".to_owned()),
        ("passed", None | Some("passed")) => Some("expected".to_owned()),
        _ => Some("unexpected".to_owned()),
    });
    if matches!(status.as_deref(), Some("expected" | "flaky")) {
        doc.passed(out, || PassedCase {
            file: spec.string_at("file"),
            seconds: last.and_then(|result| result.seconds_at("duration", 1000.0)),
            ..PassedCase::new(name.clone())
        });
    }
    match status.as_deref() {
        Some("expected") => return tally.passed(),
        Some("flaky") => return tally.flaky(),
        Some("unexpected") => tally.failed(),
        Some(_) => return tally.skipped(),
        None => return,
    }
    let mut failure = doc.failure(Level::Case, test);
    failure.phase = Some(Phase::Test);
    if let Some(result) = last {
        let errors = result.list("errors");
        for error in errors.iter().chain(result.get("error").filter(|_| errors.is_empty())) {
            push_error(doc, error, &mut failure.text);
        }
    }
    failure.type_name = thrown::type_name(&failure.text);
    failure.signal = match ended.as_deref() {
        Some("timedOut") => Some(Signal::TestTimeout),
        Some("interrupted") => Some(Signal::Interrupted),
        // It was expected to fail.
        Some("passed") => Some(Signal::Assertion),
        _ => thrown::signal(&failure.text),
    };
    if failure.text.is_empty() {
        doc.push_pair(last.filter(|_| ended.is_some()).unwrap_or(test), "status", &mut failure.text);
    }
    let place = last.and_then(|result| result.get("errorLocation")).and_then(location);
    let own = || Some(FileRef::new(spec.string_at("file")?, spec.count_at("line"), spec.count_at("column")));
    // Grouping goes by the file of the test, the place by the error within it.
    failure.file = match (place, own()) {
        (Some(place), Some(own)) if place.path.ends_with(&own.path) => Some(FileRef { path: own.path, ..place }),
        (place, own) => own.or(place),
    };
    failure.test = Some(name);
    out(Item::Failure(failure));
}

/// Whether a test that was cut behind all its attempts failed in the last, and was not expected to.
fn has_failed(test: &Node<'_>) -> bool {
    if !test.get("results").is_some_and(|results| results.whole) {
        return false;
    }
    let ended = test.list("results").iter().rev().find_map(|result| result.string_at("status"));
    let expected = test.string_at("expectedStatus").unwrap_or_else(|| "passed".to_owned());
    ended.is_some_and(|ended| matches!(ended.as_str(), "failed" | "timedOut" | "interrupted") && ended != expected)
}

fn push_error(doc: &Doc<'_>, error: &Node<'_>, text: &mut Vec<TextLine>) {
    let before = text.len();
    for key in ["message", "stack", "value"] {
        if text.len() == before {
            doc.push_member(error, key, text);
        }
    }
}

fn location(node: &Node<'_>) -> Option<FileRef> {
    Some(FileRef::new(node.string_at("file")?, node.count_at("line"), node.count_at("column")))
}

/// An error of the report that belongs to no test.
fn outside(doc: &Doc<'_>, error: &Node<'_>) -> Failure {
    let mut failure = doc.failure(Level::Suite, error);
    push_error(doc, error, &mut failure.text);
    let none = failure.text.iter().any(|line| line.text.trim() == "Error: No tests found");
    failure.phase = Some(Phase::Test);
    failure.type_name = thrown::type_name(&failure.text);
    failure.file = error.get("location").and_then(location);
    failure.signal = match thrown::signal(&failure.text) {
        _ if none => Some(Signal::NoTests),
        // The limits of a test do not apply outside of one.
        Some(Signal::TestTimeout) | None => Some(Signal::Load),
        known => known,
    };
    failure
}

#[cfg(test)]
mod tests {
    use crate::format::document::check::{counts, cut_anywhere};
    use crate::kind::Kind;
    use crate::report::Outcome;

    const HEAD: &str =
        r#"{"config":{"configFile":"/ci/playwright.config.ts","rootDir":"/ci/e2e","forbidOnly":true},"suites":["#;

    fn report(tests: &str, errors: &str) -> String {
        format!(
            "{HEAD}{{\"title\":\"a.spec.ts\",\"file\":\"a.spec.ts\",\"specs\":[],\"suites\":[{{\"title\":\"shop\",\"specs\":[\n{tests}\n]}}]}}],\n\"errors\":[{errors}],\"stats\":{{}}}}"
        )
    }

    #[test]
    fn the_status_of_a_test_speaks_for_its_attempts() {
        let tests = r#"{"title":"pays","file":"a.spec.ts","line":3,"column":5,"tests":[{"expectedStatus":"passed","projectName":"webkit","status":"unexpected","results":[
{"retry":0,"status":"failed","errors":[{"message":"Error: boom"}]},
{"retry":1,"status":"timedOut","errors":[{"message":"\u001b[31mTest timeout of 5000ms exceeded.\u001b[39m"},{"message":"Error: locator.click: Target closed"}]}]}]},
{"title":"lucky","tests":[{"status":"flaky","results":[{"status":"failed","errors":[{"message":"x"}]},{"status":"passed","errors":[]}]}]},
{"title":"off","tests":[{"status":"skipped","results":[]}]},
{"title":"known","tests":[{"status":"expected","expectedStatus":"failed","results":[{"status":"failed","errors":[{"message":"y"}]}]}]}"#;
        let text = report(tests, "");
        let found = counts(text.as_bytes(), "playwright-json", Outcome::Failed, [4, 2, 1, 0, 1, 1]);
        let cause = &found.causes[0];
        assert_eq!((cause.kind, cause.tests[0].as_str()), (Kind::TestTimeout, "[webkit] › shop › pays"));
        assert_eq!(cause.evidence[0].line, 4);
        cut_anywhere(text.as_bytes());
    }

    #[test]
    fn errors_outside_of_tests_fail_the_run() {
        let text =
            report("", r#"{"message":"Error: Cannot find module './pages'\nRequire stack:\n- /ci/e2e/a.spec.ts"}"#);
        let found = counts(text.as_bytes(), "playwright-json", Outcome::Failed, [0, 0, 0, 1, 0, 0]);
        assert_eq!(found.causes[0].kind, Kind::MissingModule);
    }
}
