use crate::{Analyzer, Kind, Outcome, Report, Source};

fn report(text: &str) -> Report {
    Analyzer::new().analyze([Source::bytes("t", text.as_bytes())])
}

const PYTEST: &str = "============================= test session starts ==============================
collected 2 items

tests/test_a.py .F                                                       [100%]

=================================== FAILURES ===================================
____________________________________ test_b ____________________________________

    def test_b():
>       assert load() == 1
E       assert 2 == 1

tests/test_a.py:7: AssertionError
----------------------------- Captured stdout call -----------------------------
OSError: [Errno 28] No space left on device
=========================== short test summary info ============================
FAILED tests/test_a.py::test_b - assert 2 == 1
========================= 1 failed, 1 passed in 0.02s ==========================
";

const UNITTEST: &str = ".F
======================================================================
FAIL: test_b (tests.test_a.A)
----------------------------------------------------------------------
Traceback (most recent call last):
  File \"/srv/tests/test_a.py\", line 7, in test_b
    self.assertEqual(2, 1)
AssertionError: 2 != 1

----------------------------------------------------------------------
Ran 2 tests in 0.001s

FAILED (failures=1)
";

#[test]
fn a_failure_is_named_by_the_short_summary_and_its_captured_output_is_not_searched() {
    let report = report(PYTEST);
    assert_eq!(report.causes.len(), 1);
    let cause = &report.causes[0];
    assert_eq!((cause.kind, cause.evidence[0].line), (Kind::Assertion, 11));
    assert_eq!(cause.tests, ["tests/test_a.py::test_b"]);
    assert_eq!(report.tests.map(|counts| (counts.total, counts.failed)), Some((2, 1)));
}

#[test]
fn a_case_of_unittest_has_its_dotted_name() {
    let report = report(UNITTEST);
    assert_eq!((report.causes.len(), report.causes[0].tests[0].as_str()), (1, "tests.test_a.A.test_b"));
    assert_eq!(report.tests.map(|counts| (counts.total, counts.failed, counts.passed)), Some((2, 1, Some(1))));
}

#[test]
fn no_cut_makes_a_failed_run_pass() {
    for text in [PYTEST, UNITTEST] {
        for end in 0..text.len() {
            assert_ne!(report(&text[..end]).outcome, Outcome::Passed, "cut at {end}");
        }
    }
}

#[test]
fn what_passing_tests_print_is_not_searched() {
    let text = "===== test session starts =====\ncollected 1 item\n\ntests/test_a.py ConnectionRefusedError: [Errno 111] \
        Connection refused\nTraceback (most recent call last):\n  File \"x.py\", line 1\nValueError: x\n.\n\n\
        ===== 1 passed, 2 warnings in 0.01s =====\n";
    let report = report(text);
    assert_eq!((report.outcome, report.causes.len()), (Outcome::Passed, 0));
}
