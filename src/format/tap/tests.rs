use super::*;
use crate::{Analyzer, Report, Source};

fn report(text: &str) -> Report {
    Analyzer::new().analyze([Source::bytes("t", text.as_bytes())])
}

#[track_caller]
fn check(text: &str, outcome: Outcome, total: u64, failed: u64, skipped: u64) -> Report {
    let report = report(text);
    let counts = report.tests.expect("there are counts");
    assert_eq!((counts.total, counts.failed, counts.skipped), (total, failed, skipped), "{text}");
    assert_eq!(report.outcome, outcome, "{text}");
    report
}

const NESTED: &str = "TAP version 13
# Subtest: store
    # Subtest: reads
    ok 1 - reads
      ---
      duration_ms: 1.2
      ...
    # Subtest: writes
    not ok 2 - writes
      ---
      location: '/work/store.test.js:6:11'
      failureType: 'testCodeFailure'
      error: 'disk is full of \\'bees\\''
      code: 'ERR_TEST_FAILURE'
      name: 'RangeError'
      stack: |-
        write (/work/store.js:2:32)
      ...
    1..2
not ok 1 - store
  ---
  type: 'suite'
  failureType: 'subtestsFailed'
  error: '1 subtest failed'
  ...
1..1
# tests 2
# suites 1
# pass 1
# fail 1
# cancelled 0
# skipped 0
# todo 0
";

#[test]
fn a_run_of_which_only_the_plan_was_written_broke_off() {
    check("1..9\n", Outcome::Failed, 9, 9, 0);
    assert_eq!(report("1..0\n").outcome, Outcome::Unknown);
    assert_eq!(report("1..9\nand so on\n").outcome, Outcome::Unknown);
}

#[test]
fn a_parent_of_a_failed_subtest_is_no_cause() {
    let report = check(NESTED, Outcome::Failed, 2, 1, 0);
    assert_eq!(report.causes.len(), 1);
    assert_eq!(report.causes[0].tests, ["store > writes"]);
    assert_eq!(report.causes[0].evidence[0].line, 13);
    assert_eq!(report.causes[0].message, "disk is full of 'bees'");
}

#[test]
fn a_missing_point_is_a_failure() {
    check("1..3\nok 1 - a\nok 2 - b\n", Outcome::Failed, 3, 1, 0);
}

#[test]
fn an_expected_failure_is_none() {
    check("1..2\nok 1 - a\nnot ok 2 - b # TODO later\n", Outcome::Passed, 2, 0, 1);
    check("1..1\n    not ok 1 - inner\n    1..1\nnot ok 1 - outer # TODO later\n", Outcome::Passed, 1, 0, 1);
}

#[test]
fn without_a_plan_the_end_may_be_missing() {
    let report = check("TAP version 13\nok 1 - a\nok 2 - b\n", Outcome::Unknown, 2, 0, 0);
    assert!(report.is_doubtful());
}

#[test]
fn bailing_out_fails_whatever_the_plan_says() {
    let report = check("1..90\nok 1 - a\nBail out! no database at all\n", Outcome::Failed, 1, 0, 0);
    assert_eq!(report.causes[0].message, "no database at all");
}

#[test]
fn the_same_run_within_a_log_tells_the_same() {
    let mut log = String::from("2026-11-21T00:05:46.5941140Z > node --test\r\n");
    for line in NESTED.lines() {
        log.push_str("2026-11-21T00:05:47.5941140Z ");
        log.push_str(line);
        log.push_str("\r\n");
    }
    log.push_str("2026-11-21T00:05:48.5941140Z ##[error]Process completed with exit code 1.\r\n");
    let report = check(&log, Outcome::Failed, 2, 1, 0);
    assert_eq!(report.causes[0].evidence[0].line, 14);
}

#[test]
fn no_cut_makes_a_failed_run_pass() {
    for end in 0..NESTED.len() {
        let report = report(&NESTED[..end]);
        assert_ne!(report.outcome, Outcome::Passed, "cut at {end}");
    }
}

#[test]
fn directives_need_a_hash_of_their_own() {
    let point = Point::parse("ok 3 - issue \\# skip it # SKIP on CI", Span::default()).expect("a point");
    assert_eq!((point.title.as_str(), point.directive), ("issue # skip it", Some(Directive::Skip)));
    let point = Point::parse("not ok 2 basic.test.ts > x # time=1.44ms", Span::default()).expect("a point");
    assert_eq!((point.title.as_str(), point.directive, point.ok), ("basic.test.ts > x", None, false));
    assert!(Point::parse("okay then", Span::default()).is_none());
}

#[test]
fn blocks_that_contradict_themselves_are_counted_by_the_plan() {
    let text = "TAP version 13
1..1
not ok 1 - cart.test.ts # time=20ms {
    1..1
    ok 1 - cart # time=19ms {
        1..2
        not ok 1 - adds
            ---
            error:
                name: \"AssertionError\"
                message: \"expected 2 to equal 3\"
            ...
        ok 2 - removes # SKIP
    }
}
";
    let one = check(text, Outcome::Failed, 1, 1, 0);
    assert_eq!(one.causes.len(), 1);
    assert_eq!(one.causes[0].tests, ["cart.test.ts > cart > adds"]);
    check(&text.replace("    ok 1 - cart", "    not ok 1 - cart"), Outcome::Failed, 2, 1, 1);
}

#[test]
fn what_has_no_number_among_numbers_counts_where_there_is_room_for_it() {
    // The numbers go on, and the plan is met: a program printed it.
    check("TAP version 13\nok 1 - a\nnot ok x\nok\nok 2 - b\n1..2\n", Outcome::Passed, 2, 0, 0);
    check("1..2\nok 1 - a\nok 2 - b\nnot ok at the end\n", Outcome::Passed, 2, 0, 0);
    let found = check("1..2\nok 1 - a\nnot ok x\nnot ok 2 - b\n", Outcome::Failed, 2, 1, 0);
    assert_eq!(found.causes.iter().map(|cause| cause.count).sum::<u64>(), 1, "{found:#?}");
    // The numbers and the plan leave room for it.
    check("TAP version 13\nok 1 - a\nnot ok x\nok 3 - c\n1..3\n", Outcome::Failed, 3, 1, 0);
    check("1..3\nok 1 - a\nok 2 - b\nnot ok x\n", Outcome::Failed, 3, 1, 0);
    check("TAP version 13\nok 1 - a\nok 2 - b\nnot ok x\n", Outcome::Failed, 3, 1, 0);
    // Nothing has a number.
    check("1..3\nok - a\nnot ok - b\nok - c\n", Outcome::Failed, 3, 1, 0);
    // Its block goes with it.
    check(
        "TAP version 13\nok 1 - a\nnot ok x\n  ---\n  message: 'no'\n  ...\nok 2 - b\n1..2\n",
        Outcome::Passed,
        2,
        0,
        0,
    );
}
