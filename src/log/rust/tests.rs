use crate::{Analyzer, Kind, Outcome, Report, Source};

fn report(text: &str) -> Report {
    Analyzer::new().analyze([Source::bytes("t", text.as_bytes())])
}

const LIBTEST: &str = "     Running unittests src/lib.rs (target/debug/deps/depot-abd54e928b41cdc4)

running 2 tests
error: connection refused (expected)
test tests::puts ... ok
test tests::sums ... FAILED

failures:

---- tests::sums stdout ----
thread 'tests::sums' panicked at 'assertion failed: `(left == right)`
  left: `6`,
 right: `5`: three of them', src/lib.rs:13:53


failures:
    tests::sums

test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.37s
";

#[test]
fn panics_of_old_compilers_are_read() {
    let report = report(LIBTEST);
    assert_eq!(report.causes.len(), 1);
    let cause = &report.causes[0];
    assert_eq!((cause.kind, cause.evidence[0].line), (Kind::Assertion, 11));
    assert_eq!(
        cause.evidence[0].file.as_ref().map(|file| (file.path.as_str(), file.line)),
        Some(("src/lib.rs", Some(13)))
    );
}

#[test]
fn no_cut_makes_a_failed_run_pass() {
    for end in 0..LIBTEST.len() {
        assert_ne!(report(&LIBTEST[..end]).outcome, Outcome::Passed, "cut at {end}");
    }
}

#[test]
fn a_test_that_passes_in_a_later_attempt_is_no_failure() {
    let text = "    Starting 1 test across 1 binary\n  TRY 1 FAIL [   0.004s] (1/1) lease tests::renew\n  stderr ───\n\n    \
        thread 'tests::renew' (115) panicked at src/lib.rs:8:9:\n    connection reset by peer\n\n  \
        TRY 2 PASS [   0.004s] (1/1) lease tests::renew\n────────────\n     \
        Summary [   0.016s] 1 test run: 1 passed (1 flaky), 0 skipped\n   FLAKY 2/3 [   0.004s] (1/1) lease tests::renew\n";
    let report = report(text);
    assert_eq!((report.outcome, report.causes.len()), (Outcome::Passed, 0));
    assert_eq!(report.tests.map(|counts| (counts.total, counts.flaky)), Some((1, 1)));
}
