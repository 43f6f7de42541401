//! The JSON of Mocha's own reporter, and that of Mochawesome, which Cypress writes as well.
//!
//! Mocha lists each case under `tests` and once more under what became of it. A hook that failed stands in `failures`
//! only, so those lists are what counts; `tests` is what remains of a report that was cut.

use super::document::{Doc, Tally, compare, elements, large_parts, parts};
use super::json::{Cursor, Node, Stop};
use super::{Sure, signal, thrown};
use crate::item::Item;
use crate::kind::Phase;
use crate::report::{Failure, Level, PassedCase, Signal};

const HOOKS: [&str; 4] = ["\"before all\" hook", "\"before each\" hook", "\"after all\" hook", "\"after each\" hook"];

/// How deep suites are looked into.
const MAX_SUITES: usize = 64;

pub(crate) fn sniff(head: &[u8]) -> Option<Sure> {
    let near = &head[..head.len().min(4096)];
    let has = |key: &[u8]| super::near::holds(near, key);
    let stats = head.starts_with(b"{") && has(b"\"stats\"") && has(b"\"passes\"") && has(b"\"pending\"");
    (stats && has(b"\"suites\"") && !has(b"\"testsRegistered\"")).then_some(Sure::Certain)
}

pub(crate) fn sniff_awesome(head: &[u8]) -> Option<Sure> {
    let near = &head[..head.len().min(4096)];
    let has = |key: &[u8]| super::near::holds(near, key);
    (head.starts_with(b"{") && has(b"\"stats\"") && has(b"\"testsRegistered\"")).then_some(Sure::Certain)
}

pub(crate) fn read(doc: &Doc<'_>, out: &mut dyn FnMut(Item)) -> usize {
    let mut cursor = doc.cursor();
    let mut tally = Tally::default();
    let mut damaged = None;
    let (mut declared, mut declared_failures) = (None, None);
    let (mut by_case, mut failures) = (Listed::of(has_error), Listed::of(|case| case.whole || has_error(case)));
    let (mut passed, mut flaky, mut pending) = (0, 0, 0);
    let result = cursor.object(|key, cursor| {
        match key {
            "stats" => {
                let (stats, stop) = cursor.node();
                declared = stats.count_at("tests");
                declared_failures = stats.count_at("failures");
                return stop.map_or(Ok(()), Err);
            }
            "tests" => by_case.count(cursor, &mut damaged)?,
            // Of a failure that was cut, the message may be whole.
            "failures" => failures.count(cursor, &mut damaged)?,
            "pending" => elements(cursor, &mut damaged, |_| pending += 1)?,
            "passes" => elements(cursor, &mut damaged, |case| {
                passed += 1;
                doc.passed(out, || passing(case, None));
                flaky += u64::from(case.count_at("currentRetry").unwrap_or(0) > 0);
            })?,
            _ => cursor.skip()?,
        }
        Ok(())
    });
    let stop = result.err().or(damaged);
    let mut tell = |case: &Node<'_>| {
        let failure = failure(doc, case);
        let hook = failure.level == Level::Suite;
        tally.counts.errored += u64::from(hook);
        if !hook {
            tally.failed();
        }
        out(Item::Failure(failure));
    };
    let told = if failures.cases < by_case.cases && stop.is_some() { by_case } else { failures };
    told.each(doc, &mut tell);
    (0..passed).for_each(|_| tally.passed());
    (0..pending).for_each(|_| tally.skipped());
    tally.counts.flaky = flaky;
    if stop.is_none() {
        let line = doc.line(0);
        // A case is counted once more for a hook that fails after it.
        compare("tests", declared.filter(|declared| *declared > tally.counts.total), tally.counts.total, line, out);
        let seen = tally.counts.failed + tally.counts.errored;
        compare("failures", declared_failures, seen, line, out);
    }
    end(doc, &cursor, tally, result, stop, "mocha", out)
}

fn has_error(case: &Node<'_>) -> bool {
    case.get("err").is_some_and(|err| !err.members().is_empty())
}

/// How often a list may be given.
const MAX_LISTS: usize = 1000;

/// Lists of cases that are counted first and told later, when it is known which of them are.
struct Listed {
    /// Which of them count.
    counts: fn(&Node<'_>) -> bool,
    starts: Vec<usize>,
    cases: u64,
}

impl Listed {
    fn of(counts: fn(&Node<'_>) -> bool) -> Self {
        Listed { counts, starts: Vec::new(), cases: 0 }
    }

    fn count(&mut self, cursor: &mut Cursor<'_>, damaged: &mut Option<Stop>) -> Result<(), Stop> {
        if self.starts.len() >= MAX_LISTS {
            damaged.get_or_insert(Stop::Crowded(cursor.pos()));
            return cursor.skip();
        }
        self.starts.push(cursor.pos());
        parts(cursor, damaged, |case| self.cases += u64::from((self.counts)(case)))
    }

    fn each(&self, doc: &Doc<'_>, mut case: impl FnMut(&Node<'_>)) {
        for start in &self.starts {
            let mut cursor = doc.cursor();
            cursor.move_to(*start);
            // What is damaged was told of when it was counted.
            let _ = parts(&mut cursor, &mut None, |node| {
                if (self.counts)(node) {
                    case(node);
                }
            });
        }
    }
}

fn end(
    doc: &Doc<'_>,
    cursor: &Cursor<'_>,
    mut tally: Tally,
    result: Result<(), Stop>,
    stop: Option<Stop>,
    tool: &'static str,
    out: &mut dyn FnMut(Item),
) -> usize {
    tally.lost |= stop.is_some();
    tally.emit(tool, doc.head(), out);
    doc.finish(cursor, result, stop, out)
}

fn full_name(case: &Node<'_>) -> String {
    let full = case.string_at("fullTitle").filter(|name| !name.is_empty());
    full.or_else(|| case.string_at("title")).unwrap_or_default()
}

/// A case that passed, in the file that it names or the one around it.
fn passing(case: &Node<'_>, around: Option<String>) -> PassedCase {
    let file = case.string_at("file").filter(|file| !file.is_empty()).or(around);
    PassedCase { file, seconds: case.seconds_at("duration", 1000.0), ..PassedCase::new(full_name(case)) }
}

fn failure(doc: &Doc<'_>, case: &Node<'_>) -> Failure {
    let mut failure = doc.failure(Level::Case, case);
    let title = case.string_at("title").unwrap_or_default();
    let name = full_name(case);
    failure.phase = Some(Phase::Test);
    if HOOKS.iter().any(|hook| title.starts_with(hook)) {
        failure.level = Level::Suite;
    }
    if let Some(err) = case.get("err") {
        error(doc, err, &mut failure);
    }
    if failure.text.is_empty() {
        doc.push_member(case, "fullTitle", &mut failure.text);
    }
    if let Some(file) = case.string_at("file").filter(|file| !file.is_empty()) {
        failure.file = Some(thrown::place_in(&file, &failure.text));
    }
    if failure.level == Level::Suite {
        failure.signal = failure.signal.or(Some(Signal::Hook));
    }
    failure.test = Some(name);
    failure
}

/// What an error object of Mocha says: its stack holds the message, unless the message was changed later.
fn error(doc: &Doc<'_>, err: &Node<'_>, failure: &mut Failure) {
    let stack = ["stack", "estack"].into_iter().find(|key| err.text_at(key).is_some_and(|text| !text.raw.is_empty()));
    let message = err.string_at("message").unwrap_or_default();
    let first = message.lines().next().unwrap_or_default().trim();
    let told = stack.and_then(|key| err.string_at(key)).is_some_and(|stack| stack.contains(first));
    if !told || first.is_empty() {
        doc.push_member(err, "message", &mut failure.text);
    }
    if let Some(stack) = stack {
        doc.push_member(err, stack, &mut failure.text);
    }
    let code = err.string_at("code").unwrap_or_default();
    let name = err.string_at("name");
    failure.type_name = name.or_else(|| thrown::type_name(&failure.text));
    failure.signal = match code.as_str() {
        "ERR_MOCHA_TIMEOUT" => Some(Signal::TestTimeout),
        "ERR_ASSERTION" => Some(Signal::Assertion),
        _ => thrown::signal(&failure.text).or_else(|| {
            let compared = err.get("operator").is_some() || err.is("showDiff");
            let typed = failure.type_name.as_deref().and_then(signal::of_type);
            typed.or(compared.then_some(Signal::Assertion))
        }),
    };
}

pub(crate) fn read_awesome(doc: &Doc<'_>, out: &mut dyn FnMut(Item)) -> usize {
    let mut cursor = doc.cursor();
    let mut tally = Tally::default();
    let mut damaged = None;
    let mut declared = None;
    let result = cursor.object(|key, cursor| {
        match key {
            "stats" => {
                let (stats, stop) = cursor.node();
                declared = stats.count_at("tests");
                return stop.map_or(Ok(()), Err);
            }
            "results" => large_parts(cursor, &mut damaged, |root, damaged| {
                awesome_suites(doc, root, None, MAX_SUITES, &mut tally, damaged, out);
            })?,
            _ => cursor.skip()?,
        }
        Ok(())
    });
    let stop = result.err().or(damaged);
    if stop.is_none() {
        let declared = declared.filter(|declared| *declared > tally.counts.total);
        compare("tests", declared, tally.counts.total, doc.line(0), out);
    }
    end(doc, &cursor, tally, result, stop, "mochawesome", out)
}

/// The cases of a suite and of those within it, which are of the file of the suite around them unless they name another.
fn awesome_suites<'a>(
    doc: &Doc<'a>,
    suite: &Node<'a>,
    file: Option<&str>,
    depth: usize,
    tally: &mut Tally,
    damaged: &mut Option<Stop>,
    out: &mut dyn FnMut(Item),
) {
    let named = |key: &str| suite.string_at(key).filter(|file| !file.is_empty());
    let own = named("file").or_else(|| named("fullFile"));
    let file = own.as_deref().or(file);
    for key in ["tests", "beforeHooks", "afterHooks"] {
        doc.each(suite, key, damaged, |case, _| awesome_case(doc, case, file, tally, out));
    }
    let Some(depth) = depth.checked_sub(1) else { return };
    doc.each(suite, "suites", damaged, |inner, damaged| {
        awesome_suites(doc, inner, file, depth, tally, damaged, out);
    });
}

fn awesome_case(doc: &Doc<'_>, case: &Node<'_>, file: Option<&str>, tally: &mut Tally, out: &mut dyn FnMut(Item)) {
    let state = case.string_at("state").unwrap_or_default();
    let failed = state == "failed" || case.is("fail");
    // Of a case that was cut, only a failure is sure.
    if !case.whole && !failed {
        return;
    }
    let hook = case.is("isHook");
    match (hook, failed) {
        (true, true) => tally.counts.errored += 1,
        (true, false) => return,
        (false, true) => tally.failed(),
        (false, false) if state == "passed" || case.is("pass") => {
            doc.passed(out, || passing(case, file.map(str::to_owned)));
            return tally.passed();
        }
        (false, false) => return tally.skipped(),
    }
    let mut failure = failure(doc, case);
    failure.level = if hook { Level::Suite } else { Level::Case };
    failure.signal = failure.signal.or(hook.then_some(Signal::Hook));
    if failure.file.is_none() {
        failure.file = file.map(|file| thrown::place_in(file, &failure.text));
    }
    out(Item::Failure(failure));
}

#[cfg(test)]
mod tests {
    use crate::format::document::check::{counts, cut_anywhere};
    use crate::report::Outcome;

    const HOOK: &str = r#"{
  "stats": { "suites": 2, "tests": 3, "passes": 1, "pending": 1, "failures": 2 },
  "tests": [
    { "title": "ok", "fullTitle": "a ok", "file": "/ci/a.spec.js", "duration": 0, "currentRetry": 1, "err": {} },
    { "title": "later", "fullTitle": "a later", "file": "/ci/a.spec.js", "currentRetry": 0, "err": {} },
    { "title": "sums", "fullTitle": "a sums", "file": "/ci/a.spec.js", "currentRetry": 0,
      "err": { "stack": "AssertionError [ERR_ASSERTION]: 1 == 2\n    at Context.<anonymous> (a.spec.js:9:3)",
        "message": "1 == 2", "code": "ERR_ASSERTION" } }
  ],
  "pending": [ { "title": "later", "fullTitle": "a later", "err": {} } ],
  "failures": [
    { "title": "sums", "fullTitle": "a sums", "file": "/ci/a.spec.js", "currentRetry": 0,
      "err": { "stack": "AssertionError [ERR_ASSERTION]: 1 == 2\n    at Context.<anonymous> (a.spec.js:9:3)",
        "message": "1 == 2", "code": "ERR_ASSERTION" } },
    { "title": "\"before all\" hook for \"t\"", "fullTitle": "b \"before all\" hook for \"t\"", "file": "/ci/b.spec.js",
      "err": { "stack": "Error: no pool\n    at Context.<anonymous> (b.spec.js:1:52)", "message": "no pool" } }
  ],
  "passes": [ { "title": "ok", "fullTitle": "a ok", "currentRetry": 1, "err": {} } ]
}"#;

    #[test]
    fn a_hook_is_no_case() {
        let report = counts(HOOK.as_bytes(), "mocha-json", Outcome::Failed, [3, 1, 1, 1, 1, 1]);
        assert_eq!(report.causes.len(), 2);
        assert_eq!(report.notes, []);
    }

    #[test]
    fn a_cut_report_keeps_what_was_complete() {
        cut_anywhere(HOOK.as_bytes());
        let end = HOOK.find("\"pending\": [").unwrap();
        counts(&HOOK.as_bytes()[..end], "mocha-json", Outcome::Failed, [1, 0, 1, 0, 0, 0]);
    }

    #[test]
    fn reads_nested_suites_of_mochawesome() {
        let text = r#"{"stats":{"suites":1,"tests":3,"passes":1,"pending":1,"failures":1,"testsRegistered":3},
"results":[{"fullFile":"/ci/e2e.cy.js","tests":[],"suites":[{"title":"login","tests":[
{"title":"opens","fullTitle":"login opens","state":"passed","pass":true,"err":{}},
{"title":"later","fullTitle":"login later","state":"pending","pending":true,"err":{}},
{"title":"fails","fullTitle":"login fails","state":"failed","fail":true,"err":{
"message":"AssertionError: Timed out retrying after 4000ms: Expected to find element: `.menu`, but never found it.",
"estack":"AssertionError: Timed out retrying after 4000ms: Expected to find element\n    at Context.eval (e2e.cy.js:5:7)"}}],
"beforeHooks":[],"afterHooks":[{"title":"\"after all\" hook","isHook":true,"state":null,"fail":false,"err":{}}],"suites":[]}]}]}"#;
        let report = counts(text.as_bytes(), "mochawesome-json", Outcome::Failed, [3, 1, 1, 0, 1, 0]);
        assert_eq!(report.causes[0].tests, ["login fails"]);
        cut_anywhere(text.as_bytes());
    }

    #[test]
    fn lists_beyond_what_is_read_never_pass() {
        let lists = "\"failures\":[],".repeat(1000);
        let text = format!(
            "{{\"stats\":{{\"suites\":1,\"tests\":1}},\"pending\":[],\"passes\":[{{\"title\":\"a\"}}],{lists}\"failures\":[{{\"title\":\"b\"}}]}}"
        );
        counts(text.as_bytes(), "mocha-json", Outcome::Unknown, [1, 1, 0, 0, 0, 0]);
    }
}
