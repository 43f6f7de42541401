//! The JSON of Catch2, since version 3.5: cases, their runs, and in them sections and expectations.
//!
//! It tells where an expectation did not hold, and not which. A case that may fail, or should, has properties that say so.

use super::Sure;
use super::document::{Doc, Tally, elements};
use super::json::{Node, Shape};
use crate::item::Item;
use crate::kind::Phase;
use crate::report::{FileRef, Level, PassedCase, Signal, TextLine};

/// How deep sections are looked into.
const MAX_SECTIONS: usize = 200;

pub(crate) fn sniff(head: &[u8]) -> Option<Sure> {
    let near = &head[..head.len().min(4096)];
    let own = head.starts_with(b"{") && super::near::holds(near, b"\"catch2-version\"");
    own.then_some(Sure::Certain)
}

pub(crate) fn read(doc: &Doc<'_>, out: &mut dyn FnMut(Item)) -> usize {
    let mut cursor = doc.cursor();
    let mut tally = Tally::default();
    let mut damaged = None;
    let mut listing = false;
    let result = cursor.object(|key, cursor| match (key, cursor.shape()?) {
        ("test-run", Shape::Object) => cursor.object(|key, cursor| match (key, cursor.shape()?) {
            ("test-cases", Shape::Array) => {
                elements(cursor, &mut damaged, |case| read_case(doc, case, &mut tally, out))
            }
            _ => cursor.skip(),
        }),
        (key, _) => {
            listing |= key == "listings";
            cursor.skip()
        }
    });
    let stop = result.err().or(damaged);
    tally.lost |= stop.is_some();
    if !listing {
        tally.emit("catch2", doc.head(), out);
    }
    doc.finish(&cursor, result, stop, out)
}

fn read_case(doc: &Doc<'_>, case: &Node<'_>, tally: &mut Tally, out: &mut dyn FnMut(Item)) {
    let Some(info) = case.get("test-info") else { return };
    let name = info.string_at("name").unwrap_or_default();
    let has = |property: &str| info.list("properties").iter().any(|own| own.string().as_deref() == Some(property));
    let (may_fail, should_fail) = (has("ok-to-fail"), has("expected-to-fail"));
    let count = |key: &str| case.at(&["totals", "assertions", key]).and_then(Node::count).unwrap_or(0);
    let failed = count("failed") + count("fail-but-ok") > 0;
    let passes = if should_fail { failed } else { !failed || may_fail };
    if passes {
        // A case that only skips has no expectation that held.
        if count("skipped") > 0 && !failed && count("passed") == 0 {
            return tally.skipped();
        }
        doc.passed(out, || PassedCase {
            file: info.get("source-location").and_then(|place| place.string_at("filename")),
            ..PassedCase::new(name)
        });
        return tally.passed();
    }
    tally.failed();
    let mut failure = doc.failure(Level::Case, case);
    (failure.phase, failure.signal) = (Some(Phase::Test), Some(Signal::Assertion));
    let broken = case.list("runs").iter().find_map(|run| broken(run.list("path"), MAX_SECTIONS));
    let spot = broken.unwrap_or(info);
    failure.span = doc.span(spot.start, spot.end);
    failure.file = spot.get("source-location").and_then(place);
    let text = match broken {
        Some(_) => format!("an expectation of {name} does not hold"),
        None => format!("{name} failed though each of its expectations held"),
    };
    failure.text.push(TextLine { text, span: failure.span });
    failure.test = Some(name);
    out(Item::Failure(failure));
}

/// The first expectation that did not hold.
fn broken<'n, 'a>(path: &'n [Node<'a>], depth: usize) -> Option<&'n Node<'a>> {
    let mut open: Vec<&'n Node<'a>> = path.iter().rev().collect();
    for _ in 0..depth * 1000 {
        let node = open.pop()?;
        if node.get("status").and_then(Node::bool) == Some(false) {
            return Some(node);
        }
        open.extend(node.list("path").iter().rev());
    }
    None
}

fn place(location: &Node<'_>) -> Option<FileRef> {
    Some(FileRef::new(location.string_at("filename")?, location.count_at("line"), None))
}

#[cfg(test)]
mod tests {
    use crate::format::document::check::{counts, cut_anywhere};
    use crate::report::Outcome;

    const REPORT: &str = r#"{
  "version": 1,
  "metadata": { "name": "", "rng-seed": 7, "catch2-version": "3.7.1" },
  "test-run": {
    "test-cases": [
      { "test-info": { "name": "adds", "source-location": { "filename": "c.cpp", "line": 3 }, "tags": [], "properties": [] },
        "runs": [ { "run-idx": 0, "path": [ { "kind": "section", "name": "adds", "path": [
          { "kind": "assertion", "source-location": { "filename": "c.cpp", "line": 3 }, "status": true } ] } ] } ],
        "totals": { "assertions": { "passed": 1, "failed": 0, "fail-but-ok": 0, "skipped": 0 } } },
      { "test-info": { "name": "known", "source-location": { "filename": "c.cpp", "line": 5 }, "tags": ["!shouldfail"], "properties": ["ok-to-fail", "expected-to-fail"] },
        "runs": [],
        "totals": { "assertions": { "passed": 0, "failed": 0, "fail-but-ok": 1, "skipped": 0 } } },
      { "test-info": { "name": "rounds", "source-location": { "filename": "c.cpp", "line": 8 }, "tags": [], "properties": [] },
        "runs": [ { "run-idx": 0, "path": [ { "kind": "section", "name": "rounds", "path": [
          { "kind": "assertion", "source-location": { "filename": "c.cpp", "line": 9 }, "status": false } ] } ] } ],
        "totals": { "assertions": { "passed": 0, "failed": 1, "fail-but-ok": 0, "skipped": 0 } } }
    ],
    "totals": { "assertions": { "passed": 1, "failed": 1, "fail-but-ok": 1, "skipped": 0 } }
  }
}
"#;

    #[test]
    fn expected_failures_pass_and_others_have_a_place() {
        let report = counts(REPORT.as_bytes(), "catch2-json", Outcome::Failed, [3, 2, 1, 0, 0, 0]);
        assert_eq!((report.causes.len(), report.causes[0].evidence[0].line), (1, 15));
        let unexpected =
            REPORT.replace("\"fail-but-ok\": 1, \"skipped\": 0 } } }", "\"fail-but-ok\": 0, \"skipped\": 0 } } }");
        counts(unexpected.as_bytes(), "catch2-json", Outcome::Failed, [3, 1, 2, 0, 0, 0]);
        cut_anywhere(REPORT.as_bytes());
    }
}
