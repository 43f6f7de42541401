//! What is too much to be kept never makes a report look better than it is.

use crate::{Analyzer, Outcome, Report, Source};

fn analyze(text: &str) -> Report {
    Analyzer::new().analyze([Source::bytes("report.xml", text.as_bytes())])
}

fn warned(report: &Report) -> bool {
    report.notes.iter().any(|note| note.message.contains("too deep"))
}

/// Total, failed, flaky.
fn counts(report: &Report) -> Option<(u64, u64, u64)> {
    report.tests.map(|tests| (tests.total, tests.failed, tests.flaky))
}

#[test]
fn suites_that_stand_too_deep_prove_no_success() {
    let nested = |depth: usize, within: &str| {
        let (open, close) = ("<testsuite name=\"s\">".repeat(depth), "</testsuite>".repeat(depth));
        analyze(&format!("<testsuites>{open}{within}{close}</testsuites>"))
    };
    let passing = "<testcase name=\"a\"/>";
    let report = nested(5000, passing);
    assert_eq!((report.outcome, warned(&report)), (Outcome::Passed, false));
    let report = nested(10_000, passing);
    assert_eq!((report.outcome, warned(&report)), (Outcome::Unknown, true));
    // Cases of one name are of different suites there.
    let failing = "<testsuite><testcase name=\"a\"><failure message=\"no\"/></testcase></testsuite>";
    let report = nested(10_000, &format!("{failing}<testsuite>{passing}</testsuite>"));
    assert_eq!((report.outcome, counts(&report)), (Outcome::Failed, Some((2, 1, 0))));
    let report = nested(100, &format!("{passing}<system-out>Error: no answer</system-out>"));
    assert_eq!((report.outcome, warned(&report)), (Outcome::Unknown, true));
}

#[test]
fn failures_that_are_too_many_to_wait_stay_failed() {
    let failing = |number| format!("<testcase name=\"t{number}\"><failure message=\"no\"/></testcase>");
    let all: String = (0..30_000).map(failing).collect();
    let suite = |cases: &str| analyze(&format!("<testsuite name=\"s\">{cases}<testcase name=\"t0\"/></testsuite>"));
    let report = suite(&failing(0));
    assert_eq!((report.outcome, counts(&report)), (Outcome::Passed, Some((1, 0, 1))));
    let report = suite(&all);
    assert_eq!((report.outcome, counts(&report)), (Outcome::Failed, Some((30_001, 30_000, 0))));
    // Those of all open suites are counted together, and each is told once.
    let open: String = (0..30_000).map(|number| format!("<testsuite name=\"s{number}\">{}", failing(number))).collect();
    let report = analyze(&open);
    assert_eq!(report.outcome, Outcome::Failed);
    assert_eq!(report.causes.iter().map(|cause| cause.count).sum::<u64>(), 30_000);
}

#[test]
fn long_names_are_cut_and_still_told_apart() {
    let long = "é".repeat(5000);
    let text = format!(
        "<testsuite name=\"{long}\" file=\"{long}\"><testcase name=\"{long}1\" classname=\"{long}\"><failure type=\"{long}\">no</failure></testcase><testcase name=\"{long}2\" classname=\"{long}\"/></testsuite>"
    );
    let report = analyze(&text);
    assert_eq!((report.outcome, counts(&report)), (Outcome::Failed, Some((2, 1, 0))));
    let cause = &report.causes[0];
    assert!(cause.tests[0].len() < 1100 && cause.tests[0].ends_with("é…"), "{}", cause.tests[0].len());
    assert!(report.notes.iter().all(|note| !note.message.contains("not valid")), "{:?}", report.notes);
    assert!(format!("{report:?}").len() < 10_000);
}

#[test]
fn a_message_in_many_pieces_is_bounded() {
    let pieces = "<![CDATA[a]]>".repeat(100_000);
    let text = format!(
        "<testsuite><testcase name=\"a\"><failure><message>{pieces}</message></failure></testcase></testsuite>"
    );
    let report = analyze(&text);
    assert_eq!(report.outcome, Outcome::Failed);
    assert!(report.notes.iter().any(|note| note.message.contains("were left out")), "{:?}", report.notes);
}
