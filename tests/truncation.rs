//! A report that is cut at any byte loses nothing that stood before the cut, and never turns green.

#[path = "support/broken.rs"]
mod broken;

use std::path::Path;

use broken::{analyze, decide, hold_cut};
use whyred::{Action, Outcome};

/// Small reports, one of a producer each, and whether a part of it can be told from the whole.
const REPORTS: &[(&str, bool)] = &[
    ("junit-xml/mocha10-xunit/report.xml", true),
    ("junit-xml/vitest2-mixed/report.xml", true),
    ("xunit-xml/class-cleanup/results.xml", true),
    ("nunit-xml/jasmine-flags/nunit.xml", true),
    ("robot-xml/robot4/output.xml", true),
    ("check-xml/check015/check.xml", true),
    ("boost-xml/v183-log/log.xml", true),
    ("catch2-xml/v37/report.xml", true),
    ("lint-json/ruff/report.json", true),
    ("cucumber-json/behave13-errors/report.json", true),
    ("trx/outcomes/results.trx", true),
    ("jest-json/vitest1-mixed/report.json", true),
    ("playwright-json/timeout/report.json", true),
    ("rspec-json/load-error/report.json", true),
    ("ctrf-json/retries/ctrf-report.json", true),
    ("eslint-json/eslint9-mixed/report.json", true),
    ("bazel-bep/tests-failed/events.jsonl", true),
    ("dart-json/load-error/events.jsonl", true),
    ("tap/bats-assertion/bats.tap", false),
];

#[test]
fn a_cut_at_any_byte_invents_nothing_and_turns_nothing_green() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    std::thread::scope(|scope| {
        for (name, document) in REPORTS {
            let bytes = std::fs::read(root.join(name)).expect("the case is there");
            scope.spawn(move || check(name, &bytes, *document));
        }
    });
}

fn check(name: &str, bytes: &[u8], document: bool) {
    let whole = analyze(bytes, None);
    assert_eq!(whole.outcome, Outcome::Failed, "{name}");
    let mut proved = 0;
    for at in 0..bytes.len() {
        let report = hold_cut(bytes, at, &whole, document).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        if !document {
            // A plan that is met by half names failures that more of it takes back.
            continue;
        }
        let passed = |tests: whyred::Counts| tests.passed.unwrap_or(0);
        assert!(
            report.tests.map_or(0, passed) <= whole.tests.map_or(0, passed),
            "{name} cut at {at}: an invented pass"
        );
        // A later attempt may pass.
        let failed = report.tests.map_or(0, |tests| tests.failed + tests.errored + tests.flaky);
        assert!(failed >= proved, "{name} cut at {at}: {failed} failures, and {proved} with less of it");
        proved = failed;
        assert!(proved == 0 || decide(&report).action != Action::Accept, "{name} cut at {at}");
    }
    let all = whole.tests.map_or(0, |tests| tests.failed + tests.errored + tests.flaky);
    assert!(!document || proved == all, "{name}: the failures before its last byte");
}
