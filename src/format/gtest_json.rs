//! The JSON of GoogleTest: suites, and in them cases with the texts of the expectations that did not hold.

use super::Sure;
use super::document::{Doc, Tally, large_parts};
use super::json::Node;
use crate::item::Item;
use crate::kind::Phase;
use crate::report::{FileRef, Level, PassedCase, Signal};

pub(crate) fn sniff(head: &[u8]) -> Option<Sure> {
    let near = &head[..head.len().min(16 * 1024)];
    let has = |key: &[u8]| super::near::holds(near, key);
    (head.starts_with(b"{") && has(b"\"testsuites\"") && has(b"\"disabled\"") && has(b"\"testsuite\""))
        .then_some(Sure::Certain)
}

pub(crate) fn read(doc: &Doc<'_>, out: &mut dyn FnMut(Item)) -> usize {
    let mut cursor = doc.cursor();
    let mut tally = Tally::default();
    let mut damaged = None;
    let result = cursor.object(|key, cursor| {
        match key {
            "testsuites" => large_parts(cursor, &mut damaged, |suite, damaged| {
                if suite.whole {
                    let name = suite.string_at("name").unwrap_or_default();
                    doc.each(suite, "testsuite", damaged, |case, _| read_case(doc, case, &name, &mut tally, out));
                }
            })?,
            _ => cursor.skip()?,
        }
        Ok(())
    });
    let stop = result.err().or(damaged);
    tally.lost |= stop.is_some();
    tally.emit("gtest", doc.head(), out);
    doc.finish(&cursor, result, stop, out)
}

fn read_case(doc: &Doc<'_>, case: &Node<'_>, suite: &str, tally: &mut Tally, out: &mut dyn FnMut(Item)) {
    let failures = case.list("failures");
    let full_name = || {
        let name = case.string_at("name").unwrap_or_default();
        case.string_at("classname").map_or(name.clone(), |class| format!("{class}.{name}"))
    };
    if failures.is_empty() {
        let status = case.string_at("status").unwrap_or_default();
        let result = case.string_at("result").unwrap_or_default();
        let run = status != "NOTRUN" && !matches!(result.as_str(), "SKIPPED" | "SUPPRESSED");
        if run {
            doc.passed(out, || PassedCase {
                file: case.string_at("file"),
                seconds: case.string_at("time").and_then(|time| time.trim_end_matches('s').parse().ok()),
                ..PassedCase::new(full_name())
            });
        }
        return if run { tally.passed() } else { tally.skipped() };
    }
    // What failed around the tests of a suite is a case without a name.
    let around = case.string_at("name").is_none_or(|name| name.is_empty());
    let mut failure = doc.failure(if around { Level::Suite } else { Level::Case }, case);
    if around {
        tally.counts.errored += 1;
    } else {
        tally.failed();
    }
    failure.phase = Some(Phase::Test);
    failure.test = Some(if around { suite.to_owned() } else { full_name() });
    let mut thrown = false;
    for told in failures {
        let before = failure.text.len();
        doc.push_member(told, "failure", &mut failure.text);
        // The place stands first; the words are better evidence.
        let place = failure.text.get(before).and_then(|line| {
            let (path, row) = line.text.rsplit_once(':')?;
            Some(FileRef::new(path, Some(row.trim().parse().ok()?), None))
        });
        if failure.text.len() > before + 1 {
            failure.text[before..].rotate_left(1);
        }
        failure.file = failure.file.take().or(place);
        thrown |= failure.text[before..].iter().any(|line| line.text.contains("exception with description"));
    }
    failure.signal = Some(if thrown { Signal::Unhandled } else { Signal::Assertion });
    failure.file =
        failure.file.take().or_else(|| Some(FileRef::new(case.string_at("file")?, case.count_at("line"), None)));
    out(Item::Failure(failure));
}
