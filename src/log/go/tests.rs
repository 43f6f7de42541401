use crate::{Analyzer, Kind, Outcome, Report, Source};

fn report(text: &str) -> Report {
    Analyzer::new().analyze([Source::bytes("t", text.as_bytes())])
}

#[track_caller]
fn check(text: &str, outcome: Outcome, total: u64, failed: u64, errored: u64) -> Report {
    let report = report(text);
    let counts = report.tests.expect("there are counts");
    assert_eq!((counts.total, counts.failed, counts.errored), (total, failed, errored), "{text}");
    assert_eq!(report.outcome, outcome, "{text}");
    report
}

const VERBOSE: &str = "=== RUN   TestMany
=== RUN   TestMany/two
    s_test.go:11: put 2
    s_test.go:12: Put(2) = 4, want 5
=== RUN   TestMany/three
    s_test.go:11: dial tcp: connection refused
--- FAIL: TestMany (0.00s)
    --- FAIL: TestMany/two (0.00s)
    --- PASS: TestMany/three (0.00s)
FAIL
exit status 1
FAIL\texample.com/shelf\t0.004s
FAIL
";

#[test]
fn a_parent_of_a_failed_subtest_is_counted_and_no_cause() {
    let report = check(VERBOSE, Outcome::Failed, 3, 2, 0);
    assert_eq!(report.causes.len(), 1);
    assert_eq!(report.causes[0].tests, ["example.com/shelf.TestMany/two"]);
    assert_eq!(report.causes[0].message, "Put(2) = 4, want 5");
    assert_eq!(report.causes[0].kind, Kind::Assertion);
}

#[test]
fn no_cut_makes_a_failed_run_pass() {
    for end in 0..VERBOSE.len() {
        assert_ne!(report(&VERBOSE[..end]).outcome, Outcome::Passed, "cut at {end}");
    }
}

#[test]
fn the_output_of_a_passed_case_is_not_searched() {
    let text = "=== RUN   TestX\n--- FAIL: TestChild (0.00s)\npanic: runtime error: index out of range\n\
        --- PASS: TestX (0.00s)\nPASS\nok  \texample.com/x\t0.1s\n";
    let report = check(text, Outcome::Passed, 1, 0, 0);
    assert!(report.causes.is_empty());
}

#[test]
fn a_package_that_dies_without_a_failed_case_is_one_error() {
    let text = "panic: init\n\ngoroutine 1 [running]:\nexample.com/x.init.0()\n\t/src/x/main_test.go:6 +0x27\n\
        exit status 2\nFAIL\texample.com/x\t0.003s\n";
    let report = check(text, Outcome::Failed, 1, 0, 1);
    assert_eq!(report.causes[0].kind, Kind::UnhandledException);
    assert_eq!(report.causes[0].evidence[0].line, 1);
}

#[test]
fn a_time_limit_names_the_case_that_hung() {
    let text = "panic: test timed out after 2s\n\tthe running tests follow\nrunning tests:\n\tTestHang (2s)\n\n\
        goroutine 17 [running]:\ntesting.(*M).startAlarm.func1()\nFAIL\texample.com/x\t2.005s\n";
    let report = check(text, Outcome::Failed, 1, 1, 0);
    assert_eq!(
        (report.causes[0].kind, report.causes[0].tests[0].as_str()),
        (Kind::TestTimeout, "example.com/x.TestHang")
    );
}

#[test]
fn events_without_an_end_are_a_cut_report() {
    let event =
        |action: &str| format!("{{\"Time\":\"t\",\"Action\":\"{action}\",\"Package\":\"x\",\"Test\":\"TestA\"}}\n");
    let report = report(&(event("run") + &event("pass")));
    assert_eq!(report.outcome, Outcome::Unknown);
    assert!(report.is_doubtful());
}

#[test]
fn a_package_beyond_those_that_are_kept_counts() {
    let event = |action: &str, number: usize| format!("{{\"Action\":\"{action}\",\"Package\":\"p{number}\"}}\n");
    let mut text: String = (0..=4096).map(|number| event("start", number)).collect();
    text += &event("fail", 4096);
    let passed: String = (0..4096).map(|number| event("pass", number)).collect();
    let report = report(&(text + &passed));
    assert_eq!(report.outcome, Outcome::Failed);
    assert!(report.notes.iter().any(|note| note.message.starts_with("more packages run at once")));
}

#[test]
fn a_build_of_which_nothing_is_kept_is_told() {
    let event = |action: &str, rest: &str| format!("{{\"ImportPath\":\"{rest}\",\"Action\":\"{action}\"");
    let long = "x".repeat(50_000);
    let output = |number: usize| {
        event("build-output", &format!("{long}{number}")) + ",\"Output\":\"a.go:1:1: undefined: x\\n\"}\n"
    };
    let text: String = (0..100).map(output).collect();
    let start = "{\"Action\":\"start\",\"Package\":\"p\"}\n";
    let report = report(&(start.to_owned() + &text + &event("build-fail", &format!("{long}99")) + "}\n"));
    assert_eq!(report.causes.len(), 1);
    assert_eq!(report.causes[0].kind, Kind::CompileError);
    assert!(report.causes[0].evidence[0].text.starts_with("the build of "));
}

#[test]
fn cases_beyond_those_that_are_kept_are_counted() {
    let long = "x".repeat(50_000);
    let text: String =
        (0..200).map(|number| format!("=== RUN   T{long}{number}\n--- FAIL: T{long}{number} (0.00s)\n")).collect();
    let event = |number: usize| format!("{{\"Action\":\"fail\",\"Package\":\"p\",\"Test\":\"T{long}{number}\"}}\n");
    let events: String = (0..200).map(event).collect();
    let report = check(&(events + "{\"Action\":\"fail\",\"Package\":\"p\"}\n"), Outcome::Failed, 200, 200, 0);
    assert!(report.notes.iter().any(|note| note.message.starts_with("the tests of a package tell more")));
    assert_eq!(self::report(&(text + "FAIL\nFAIL\tp\t0.1s\n")).outcome, Outcome::Failed);
}
