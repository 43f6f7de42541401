//! What the words of reports mean: levels of failure, attempts, what may fail, what only follows, what contradicts.

use whyred::{Action, Analyzer, Kind, Outcome, Policy, Report, Situation, Source};

fn analyze(text: &str) -> Report {
    Analyzer::new().analyze([Source::bytes("report", text.as_bytes())])
}

fn action(report: &Report) -> Action {
    Policy::default().decide(report, &Situation::new()).action
}

/// Total, passed, failed, errored, skipped, flaky.
fn counts(report: &Report) -> [u64; 6] {
    let tests = report.tests.expect("it counts tests");
    [tests.total, tests.passed.unwrap_or(0), tests.failed, tests.errored, tests.skipped, tests.flaky]
}

fn kinds(report: &Report) -> Vec<(Kind, u64)> {
    report.causes.iter().map(|cause| (cause.kind, cause.count)).collect()
}

#[track_caller]
fn check(text: &str, outcome: Outcome, expected: [u64; 6], causes: &[(Kind, u64)]) -> Report {
    let report = analyze(text);
    assert_eq!((report.outcome, counts(&report), kinds(&report)), (outcome, expected, causes.to_vec()), "{report:#?}");
    report
}

fn suite(cases: &str) -> String {
    format!("<testsuite name=\"s\">\n{cases}\n</testsuite>\n")
}

const ASSERT: &str = "type=\"AssertionError\" message=\"AssertionError: 1 == 2\"";

#[test]
fn failures_stand_at_every_level() {
    // The suite: its class cannot be loaded.
    let text = suite(
        "<error message=\"java.lang.NoClassDefFoundError: com/acme/Gone\" type=\"java.lang.NoClassDefFoundError\"/>",
    );
    check(&text, Outcome::Failed, [0, 0, 0, 1, 0, 0], &[(Kind::MissingModule, 1)]);
    // The report: the run broke off.
    let text = "<TestRun xmlns=\"u\"><Results><UnitTestResult testName=\"a\" outcome=\"Passed\"/></Results><ResultSummary outcome=\"Failed\"><Counters total=\"1\"/><RunInfos><RunInfo outcome=\"Error\"><Text>The active test run was aborted. Reason: Test host process crashed</Text></RunInfo></RunInfos></ResultSummary></TestRun>";
    let report = analyze(text);
    assert_eq!((report.outcome, kinds(&report)[0].0), (Outcome::Failed, Kind::Crash));
    let text = "{\"config\":{\"forbidOnly\":false,\"rootDir\":\"/w\"},\"suites\":[],\"errors\":[{\"message\":\"Error: connect ECONNREFUSED 10.0.0.3:5432\"}],\"stats\":{\"expected\":0,\"unexpected\":0,\"flaky\":0,\"skipped\":0}}";
    let report = check(text, Outcome::Failed, [0, 0, 0, 1, 0, 0], &[(Kind::ConnectionFailure, 1)]);
    assert_ne!(action(&report), Action::Accept);
    // A file of tests, beside cases that pass.
    let text = "{\"numFailedTestSuites\":1,\"numTotalTests\":1,\"success\":false,\"testResults\":[{\"assertionResults\":[{\"fullName\":\"a\",\"status\":\"passed\",\"failureMessages\":[]}],\"message\":\"\",\"name\":\"a.js\",\"status\":\"passed\"},\n{\"assertionResults\":[],\"message\":\"  \\u25cf Test suite failed to run\\n\\n    Cannot find module './gone' from 'b.js'\",\"name\":\"b.js\",\"status\":\"failed\"}]}";
    check(text, Outcome::Failed, [1, 1, 0, 1, 0, 0], &[(Kind::MissingModule, 1)]);
}

#[test]
fn the_last_attempt_decides() {
    // pytest-rerunfailures writes the attempts before the last as passed.
    let always = format!(
        "<testsuite name=\"pytest\" tests=\"1\" failures=\"1\"><testcase classname=\"t\" name=\"a\"/><testcase classname=\"t\" name=\"a\"><failure {ASSERT}/></testcase></testsuite>"
    );
    check(&always, Outcome::Failed, [1, 0, 1, 0, 0, 0], &[(Kind::Assertion, 1)]);
    // Surefire puts the attempts into one case.
    let rerun = suite(&format!(
        "<testcase name=\"a\"><failure {ASSERT}/><rerunFailure {ASSERT}/></testcase><testcase name=\"b\"><flakyFailure {ASSERT}/></testcase>"
    ));
    let report = check(&rerun, Outcome::Failed, [2, 1, 1, 0, 0, 1], &[(Kind::Assertion, 1)]);
    assert!(report.notes.iter().any(|note| note.message.contains("failed first and passed in the end: b")));
    let report = check(
        &suite(&format!("<testcase name=\"b\"><flakyFailure {ASSERT}/></testcase>")),
        Outcome::Passed,
        [1, 1, 0, 0, 0, 1],
        &[],
    );
    assert_eq!(action(&report), Action::Accept);
    // Playwright lists them.
    let attempts = |last: &str, status: &str| {
        format!(
            "{{\"config\":{{\"forbidOnly\":false,\"rootDir\":\"/w\"}},\"suites\":[{{\"title\":\"a.spec.ts\",\"file\":\"a.spec.ts\",\"specs\":[{{\"title\":\"t\",\"tests\":[{{\"expectedStatus\":\"passed\",\"results\":[{{\"retry\":0,\"status\":\"failed\",\"errors\":[{{\"message\":\"Error: expect(received).toBe(expected)\"}}]}},{{\"retry\":1,\"status\":\"{last}\",\"errors\":[{{\"message\":\"Error: expect(received).toBe(expected)\"}}]}}],\"status\":\"{status}\"}}]}}]}}],\"stats\":{{}}}}"
        )
    };
    check(&attempts("passed", "flaky"), Outcome::Passed, [1, 1, 0, 0, 0, 1], &[]);
    check(&attempts("failed", "unexpected"), Outcome::Failed, [1, 0, 1, 0, 0, 0], &[(Kind::Assertion, 1)]);
    // Jest tells of them beside the case.
    let jest = "{\"numFailedTestSuites\":0,\"numTotalTests\":1,\"success\":true,\"testResults\":[{\"assertionResults\":[{\"fullName\":\"a\",\"status\":\"passed\",\"invocations\":2,\"retryReasons\":[\"Error: x\"],\"failureMessages\":[]}],\"message\":\"\",\"name\":\"a.js\",\"status\":\"passed\"}]}";
    check(jest, Outcome::Passed, [1, 1, 0, 0, 0, 1], &[]);
}

#[test]
fn one_case_may_fail_in_several_ways() {
    let text = suite(&format!(
        "<testcase name=\"a\"><failure {ASSERT}/><failure type=\"TypeError\" message=\"TypeError: Cannot read properties of undefined (reading 'id')\"/></testcase>"
    ));
    check(&text, Outcome::Failed, [1, 0, 1, 0, 0, 0], &[(Kind::Assertion, 1), (Kind::UndefinedValue, 1)]);
    // pytest writes a second case where the tear-down fails too.
    let text = "<testsuites><testsuite name=\"pytest\" tests=\"2\" failures=\"1\" errors=\"1\"><testcase classname=\"t\" name=\"a\"><failure message=\"assert 1 == 2\"/></testcase><testcase classname=\"t\" name=\"a\"><error message=\"failed on teardown with &quot;RuntimeError: pool&quot;\">E   RuntimeError: pool</error></testcase></testsuite></testsuites>";
    check(text, Outcome::Failed, [2, 0, 1, 1, 0, 0], &[(Kind::Assertion, 1), (Kind::UnhandledException, 1)]);
}

#[test]
fn hooks_are_failures_outside_of_cases() {
    let text = "{\"stats\":{\"suites\":1,\"tests\":1,\"passes\":1,\"pending\":0,\"failures\":1},\"tests\":[],\"pending\":[],\"passes\":[{\"title\":\"a\",\"fullTitle\":\"s a\",\"err\":{}}],\"failures\":[{\"title\":\"\\\"after all\\\" hook\",\"fullTitle\":\"s \\\"after all\\\" hook\",\"err\":{\"stack\":\"Error: listen EADDRINUSE: address already in use :::3000\",\"message\":\"listen EADDRINUSE: address already in use :::3000\"}}]}";
    check(text, Outcome::Failed, [1, 1, 0, 1, 0, 0], &[(Kind::PortInUse, 1)]);
    let text = "<test-run result=\"Failed\" total=\"1\" failed=\"1\"><test-suite type=\"TestFixture\" name=\"F\" result=\"Failed\" site=\"SetUp\"><failure><message>System.TimeoutException : x</message></failure><test-case name=\"a\" fullname=\"F.a\" result=\"Failed\" site=\"Parent\"><failure><message>OneTimeSetUp: System.TimeoutException : x</message></failure></test-case></test-suite></test-run>";
    let report = analyze(text);
    assert_eq!((report.outcome, report.causes.len(), report.causes[0].count), (Outcome::Failed, 1, 1), "{report:#?}");
}

#[test]
fn what_may_fail_does_not_fail_the_run() {
    let node = "<testsuites><testcase name=\"a\" classname=\"test\"><skipped type=\"todo\"/><failure type=\"testCodeFailure\" message=\"no\"/></testcase><testcase name=\"b\" classname=\"test\"/></testsuites>";
    check(node, Outcome::Passed, [2, 1, 0, 0, 1, 0], &[]);
    let pytest =
        suite("<testcase name=\"a\"><skipped type=\"pytest.xfail\" message=\"why\"/></testcase><testcase name=\"b\"/>");
    check(&pytest, Outcome::Passed, [2, 1, 0, 0, 1, 0], &[]);
    let google =
        suite("<testcase name=\"a\" status=\"notrun\" result=\"suppressed\"/><testcase name=\"b\" status=\"run\"/>");
    check(&google, Outcome::Passed, [2, 1, 0, 0, 1, 0], &[]);
    let tap = "TAP version 13\nok 1 - a\nnot ok 2 - b # TODO later\nok 3 - c # SKIP no display\n1..3\n";
    check(tap, Outcome::Passed, [3, 1, 0, 0, 2, 0], &[]);
    // Anything else that failed and was skipped has failed.
    let both = suite(&format!("<testcase name=\"a\"><skipped/><failure {ASSERT}/></testcase>"));
    check(&both, Outcome::Failed, [1, 0, 1, 0, 0, 0], &[(Kind::Assertion, 1)]);
}

#[test]
fn what_only_follows_is_no_cause() {
    let node = "<testsuites><testsuite name=\"s\"><testcase name=\"a\" classname=\"test\"><failure type=\"cancelledByParent\" message=\"test did not finish before its parent and was cancelled\"/></testcase></testsuite><testcase name=\"hook\" classname=\"test\"><failure type=\"hookFailed\" message=\"connect ECONNREFUSED 10.0.0.3:5432\"/></testcase><testcase name=\"p\" classname=\"test\"><failure type=\"subtestsFailed\" message=\"1 subtest failed\"/></testcase></testsuites>";
    let report = analyze(node);
    assert_eq!(kinds(&report), [(Kind::ConnectionFailure, 1)], "{report:#?}");
    let tap = "TAP version 13\n# Subtest: outer\n    # Subtest: inner\n    not ok 1 - inner\n      ---\n      failureType: 'testCodeFailure'\n      error: '1 == 2'\n      code: 'ERR_ASSERTION'\n      ...\n    1..1\nnot ok 1 - outer\n  ---\n  failureType: 'subtestsFailed'\n  error: '1 subtest failed'\n  ...\n1..1\n# tests 1\n# pass 0\n# fail 1\n";
    let report = analyze(tap);
    assert_eq!(kinds(&report), [(Kind::Assertion, 1)], "{report:#?}");
    // The parent of a failed subtest of Go.
    let go = suite(
        "<testcase classname=\"p\" name=\"TestX\"><failure message=\"Failed\">=== RUN   TestX\n--- FAIL: TestX (0.00s)</failure></testcase><testcase classname=\"p\" name=\"TestX/y\"><failure message=\"Failed\">    x_test.go:4: got 1, want 2</failure></testcase>",
    );
    let report = analyze(&go);
    assert_eq!((counts(&report)[2], report.causes.len(), report.causes[0].tests.len()), (2, 1, 1), "{report:#?}");
    // A suite of NUnit repeats that its children failed.
    let nunit = "<test-run result=\"Failed\" total=\"1\" failed=\"1\"><test-suite name=\"F\" result=\"Failed\" site=\"Child\"><failure><message>One or more child tests had errors</message></failure><test-case name=\"a\" fullname=\"F.a\" result=\"Failed\"><failure><message>  Expected: 1\n  But was:  2</message></failure></test-case></test-suite></test-run>";
    check(nunit, Outcome::Failed, [1, 0, 1, 0, 0, 0], &[(Kind::Assertion, 1)]);
}

#[test]
fn what_contradicts_is_told_and_never_accepted() {
    let fewer = "<testsuites tests=\"3\" failures=\"0\"><testsuite name=\"s\" tests=\"3\" failures=\"0\"><testcase name=\"a\"/></testsuite></testsuites>";
    let lost = "<testsuites tests=\"1\" failures=\"2\"><testsuite name=\"s\" tests=\"1\" failures=\"2\"><testcase name=\"a\"/></testsuite></testsuites>";
    let node = "<testsuites><testcase name=\"a\" classname=\"test\"/><!-- fail 1 --></testsuites>";
    let jest = "{\"numFailedTestSuites\":0,\"numTotalTests\":3,\"success\":true,\"testResults\":[{\"assertionResults\":[{\"fullName\":\"a\",\"status\":\"passed\"}],\"message\":\"\",\"name\":\"a\",\"status\":\"passed\"}]}";
    let unsuccessful = "{\"numFailedTestSuites\":0,\"numTotalTests\":1,\"success\":false,\"testResults\":[{\"assertionResults\":[{\"fullName\":\"a\",\"status\":\"passed\"}],\"message\":\"\",\"name\":\"a\",\"status\":\"passed\"}]}";
    let ctrf = "{\"reportFormat\":\"CTRF\",\"results\":{\"tool\":{},\"summary\":{\"tests\":2,\"failed\":1},\"tests\":[{\"name\":\"a\",\"status\":\"passed\"}]}}";
    let trx = "<TestRun xmlns=\"u\"><Results><UnitTestResult testName=\"a\" outcome=\"Passed\"/></Results><ResultSummary outcome=\"Failed\"><Counters total=\"2\" failed=\"1\"/></ResultSummary></TestRun>";
    for text in [fewer, lost, node, jest, unsuccessful, ctrf, trx] {
        let report = analyze(text);
        assert_ne!(action(&report), Action::Accept, "{report:#?}");
        assert!(report.is_doubtful() || report.outcome == Outcome::Failed, "{report:#?}");
    }
    let green = suite("<testcase name=\"a\"/>");
    let told = |code: i32| Analyzer::new().analyze([Source::bytes("report.xml", green.as_bytes()).exit_code(code)]);
    assert_eq!((told(0).outcome, action(&told(0))), (Outcome::Passed, Action::Accept));
    assert_eq!((told(1).outcome, action(&told(1))), (Outcome::Failed, Action::Escalate));
    assert!(told(1).is_doubtful());
    let red = suite(&format!("<testcase name=\"a\"><failure {ASSERT}/></testcase>"));
    let report = Analyzer::new().analyze([Source::bytes("report.xml", red.as_bytes()).exit_code(0)]);
    assert_eq!((report.outcome, report.is_doubtful()), (Outcome::Failed, true));
}

#[test]
fn a_log_that_says_more_than_its_report_is_believed() {
    let report = Source::bytes("report.json", &b"{\"numTotalTestSuites\":1,\"numTotalTests\":1,\"success\":true,\"testResults\":[{\"assertionResults\":[{\"fullName\":\" a\",\"status\":\"passed\",\"failureMessages\":[]}],\"status\":\"passed\",\"message\":\"\",\"name\":\"a\"}]}"[..]);
    let log = " RUN  v3.2.4 /w\n\n \u{2713} a.test.ts (1 test) 3ms\n\n\u{23af}\u{23af} Unhandled Errors \u{23af}\u{23af}\n\nVitest caught 1 unhandled error during the test run.\nThis might cause false positive tests.\n\n\u{23af}\u{23af} Uncaught Exception \u{23af}\u{23af}\nError: late boom\n \u{276f} a.test.ts:3:30\n\n Test Files  1 passed (1)\n      Tests  1 passed (1)\n     Errors  1 error\n";
    let found = Analyzer::new().analyze([report, Source::bytes("build.log", log.as_bytes())]);
    assert_eq!((found.outcome, found.tests.map(|tests| tests.total)), (Outcome::Failed, Some(1)), "{found:#?}");
    assert!(found.notes.iter().any(|note| note.message.contains("tell of the same run")), "{found:#?}");
}

#[test]
fn the_last_word_behind_tests_that_passed() {
    let jest =
        "Test Suites: 1 passed, 1 total\nTests:       3 passed, 3 total\nTime:        1.2 s\nRan all test suites.\n";
    let cargo = "running 1 test\ntest a ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered \
                 out; finished in 0.00s\n\n";
    for tests in [jest, cargo] {
        // What could not be sent or kept is no failure of theirs.
        for aside in [
            "Codecov: Failed to properly upload report",
            "[error] There was an error running the uploader: Error uploading to https://codecov.io: 503",
            "Sentry: could not send 3 events before exit",
            "Warning: Failed to save: Unable to reserve cache with key node-1",
            "Jest did not exit one second after the test run has completed.",
            "[api] exited with code 143",
        ] {
            let report = analyze(&format!("{tests}{aside}\n"));
            assert_eq!(report.outcome, Outcome::Passed, "{aside}: {report:#?}");
        }
        for last in [
            "task: Failed to run task \"test\": exit status 1",
            "FATAL: deploy failed: no such bucket",
            "error: Recipe `test` failed on line 4 with exit code 1",
            "rake aborted!",
            "exit status 3",
        ] {
            let report = analyze(&format!("{tests}{last}\n"));
            assert_eq!(report.outcome, Outcome::Failed, "{last}: {report:#?}");
        }
    }
}
