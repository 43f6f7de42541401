//! Reports among other lines, reports one behind another, and lines of others among those of a report.

mod support;

use whyred::{Analyzer, Counts, Format, Kind, Outcome, Report, Source};

fn analyze(bytes: impl AsRef<[u8]>) -> Report {
    Analyzer::new().analyze([Source::bytes("input", bytes.as_ref())])
}

/// Lines that say nothing.
const BEFORE: &str = "Preparing the workspace\n  fetched 412 objects, 3 warnings hidden\n\n$ make check\n";
const AFTER: &str = "\n\nCollecting the log\n12 files, 3.5 kB\n";

/// Kind, subject and count of a cause.
type Short = (Kind, Option<String>, u64);

/// What a report says, wherever it stands.
fn essence(report: &Report) -> (Outcome, Option<Counts>, Vec<Short>) {
    let causes = report.causes.iter().map(|cause| (cause.kind, cause.subject.clone(), cause.count)).collect();
    (report.outcome, report.tests, causes)
}

/// The inputs of all cases that are reports, not logs and not prose.
fn reports() -> Vec<(String, Vec<u8>, Report)> {
    let prose = [Format::Log, Format::Message, Format::MessageJson, Format::AgentResult].map(Format::as_str);
    let inputs = support::cases().into_iter().flat_map(|case| {
        let name = case.name;
        case.inputs.into_iter().map(move |(file, bytes)| (format!("{name}/{file}"), bytes))
    });
    inputs
        .map(|(name, bytes)| {
            let report = analyze(&bytes);
            (name, bytes, report)
        })
        .filter(|(.., report)| !prose.contains(&report.sources[0].format.as_str()))
        .collect()
}

#[test]
fn a_report_is_found_before_and_behind_other_lines() {
    let mut wrong = String::new();
    for (name, bytes, alone) in reports() {
        // A report that was cut goes on in what follows, as far as can be told.
        let after = if alone.is_doubtful() { "" } else { AFTER };
        let among = analyze([BEFORE.as_bytes(), &bytes, after.as_bytes()].concat());
        if essence(&among) != essence(&alone) {
            wrong += &format!("{name}:\n  alone {:?}\n  among {:?}\n", essence(&alone), essence(&among));
        }
        let shift = BEFORE.matches('\n').count() as u64;
        let line = |report: &Report| report.causes.first().map(|cause| cause.evidence[0].line);
        if line(&among) != line(&alone).map(|line| line + shift) {
            wrong += &format!("{name}: the evidence moved from {:?} to {:?}\n", line(&alone), line(&among));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn a_report_is_found_behind_the_stamps_of_a_ci_system() {
    let mut wrong = String::new();
    for (name, bytes, alone) in reports() {
        if alone.is_doubtful() || alone.causes.is_empty() {
            continue;
        }
        for prefix in ["2026-11-21T00:05:46.5941140Z ", "[01:05:50] "] {
            let text = String::from_utf8_lossy(&bytes);
            let lines: String = text.lines().map(|line| format!("{prefix}{line}\n")).collect();
            let framed = analyze(format!("{prefix}make check\n{lines}{prefix}done\n"));
            if essence(&framed) != essence(&alone) {
                wrong += &format!("{name}:\n  alone  {:?}\n  framed {:?}\n", essence(&alone), essence(&framed));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn documents_one_behind_another_add_up() {
    let mut wrong = String::new();
    for (name, bytes, alone) in reports() {
        let lines = ["tap", "go-test-json", "log"];
        let Some(counts) = alone.tests.filter(|_| !alone.is_doubtful() && !lines.contains(&&*alone.sources[0].format))
        else {
            continue;
        };
        let mut twice = counts;
        twice.add(&counts);
        for between in ["", "\n", "a line between\n"] {
            if between.is_empty() && !bytes.ends_with(b">") && !bytes.ends_with(b"}") {
                continue;
            }
            let report = analyze([&bytes, between.as_bytes(), &bytes].concat());
            if (report.outcome, report.tests) != (alone.outcome, Some(twice)) {
                wrong += &format!("{name} with {between:?}: {} {:?}, not {twice:?}\n", report.outcome, report.tests);
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn a_report_of_which_the_format_is_told_may_stand_behind_other_lines() {
    let junit = "<testsuite name=\"s\" tests=\"1\" failures=\"0\"><testcase name=\"a\"/></testsuite>";
    let told =
        |text: &str, format: Format| Analyzer::new().analyze([Source::bytes("input", text.as_bytes()).format(format)]);
    let noisy = format!("{BEFORE}{junit}{AFTER}");
    let report = told(&noisy, Format::JunitXml);
    assert_eq!((report.outcome, report.tests.map(|tests| tests.total)), (Outcome::Passed, Some(1)));
    assert!(!report.is_doubtful(), "{report:#?}");
    assert!(told(&noisy, Format::JestJson).is_doubtful());
    assert!(told("BUILD SUCCESSFUL in 3s\n", Format::JunitXml).is_doubtful());
}

#[test]
fn different_formats_in_one_file_are_all_read() {
    let junit = "<testsuite name=\"s\" tests=\"1\" failures=\"1\"><testcase name=\"a\"><failure message=\"AssertionError: 1\" type=\"AssertionError\"/></testcase></testsuite>";
    let jest = "{\"numFailedTestSuites\":0,\"numTotalTests\":1,\"success\":true,\"testResults\":[{\"assertionResults\":[{\"fullName\":\"b\",\"status\":\"passed\",\"failureMessages\":[]}],\"message\":\"\",\"name\":\"b.js\",\"status\":\"passed\"}]}";
    let tap = "TAP version 13\nok 1 - c\nnot ok 2 - d\n1..2\n";
    let report = analyze(format!("{BEFORE}{junit}\n{jest}\n{tap}{AFTER}"));
    let counts = report.tests.expect("tests ran");
    assert_eq!((report.outcome, counts.total, counts.failed), (Outcome::Failed, 4, 2), "{report:#?}");
}

/// The one cause of a stream in which a line of another program says why.
#[track_caller]
fn cause(stream: &str, kind: Kind, line: u64) -> Report {
    let report = analyze(stream);
    let causes: Vec<_> = report.causes.iter().map(|cause| (cause.kind, cause.evidence[0].line)).collect();
    assert!(causes.contains(&(kind, line)), "{report:#?}");
    assert_eq!(report.outcome, Outcome::Failed);
    report
}

#[test]
fn lines_between_events_are_read_as_a_log() {
    let dart = "{\"protocolVersion\":\"0.1.1\",\"runnerVersion\":\"1.25.3\",\"type\":\"start\",\"time\":0}\n\
        Error: ENOSPC: no space left on device, write\n{\"success\":false,\"type\":\"done\"}\n";
    cause(dart, Kind::DiskFull, 2);
    let bep = "{\"id\":{\"started\":{}},\"children\":[{\"progress\":{}}],\"started\":{\"command\":\"build\"}}\n\
        INFO: Analyzed target //a:b\nsrc/a.c:3:5: error: use of undeclared identifier 'x'\n\
        {\"id\":{\"buildFinished\":{}},\"finished\":{\"exitCode\":{\"name\":\"BUILD_FAILURE\",\"code\":1}}}\n\
        {\"id\":{\"progress\":{}},\"progress\":{},\"lastMessage\":true}\n";
    cause(bep, Kind::CompileError, 3);
    let cargo = "{\"reason\":\"compiler-artifact\",\"package_id\":\"a\"}\nerror: failed to run custom build command for `a v0.1.0`\n\
        error: linking with `cc` failed: exit status: 1\n{\"reason\":\"build-finished\",\"success\":false}\n";
    cause(cargo, Kind::LinkError, 3);
    let go = "{\"Action\":\"start\",\"Package\":\"a/b\"}\n# a/c\n./c.go:3:1: undefined: z\n{\"Action\":\"output\",\"Package\":\"a/c\",\"Output\":\"FAIL\\ta/c [build failed]\\n\"}\n\
        {\"Action\":\"fail\",\"Package\":\"a/c\"}\n{\"Action\":\"pass\",\"Package\":\"a/b\"}\n";
    cause(go, Kind::CompileError, 3);
    let rust = "{ \"type\": \"suite\", \"event\": \"started\", \"test_count\": 1 }\n{ \"type\": \"test\", \"event\": \"started\", \"name\": \"a\" }\n\
        fatal runtime error: stack overflow\nerror: test failed, to rerun pass `--lib`\n\nCaused by:\n  process didn't exit successfully: `/w/a-1` (signal: 11, SIGSEGV: invalid memory reference)\n";
    cause(rust, Kind::Crash, 7);
}

#[test]
fn an_event_behind_what_a_program_left_open_is_read() {
    let stream = "{ \"type\": \"suite\", \"event\": \"started\", \"test_count\": 1 }\n{ \"type\": \"test\", \"event\": \"started\", \"name\": \"a\" }\n\
        progress {50%} { \"type\": \"test\", \"name\": \"a\", \"event\": \"failed\", \"stdout\": \"thread 'a' panicked at src/lib.rs:3:4:\\nno\\n\" }\n\
        {\"level\":\"error\",\"message\":\"an object of a program\"}\n{ \"type\": \"suite\", \"event\": \"failed\", \"passed\": 0, \"failed\": 1 }\n";
    let report = analyze(stream);
    let counts = report.tests.expect("a test ran");
    assert_eq!((report.outcome, counts.total, counts.failed), (Outcome::Failed, 1, 1), "{report:#?}");
    assert!(!report.is_doubtful(), "{report:#?}");
}

#[test]
fn what_passing_tests_print_between_events_is_no_failure() {
    let stream = "{ \"type\": \"suite\", \"event\": \"started\", \"test_count\": 1 }\n{ \"type\": \"test\", \"event\": \"started\", \"name\": \"a\" }\n\
        Error: connect ECONNREFUSED 127.0.0.1:5432\n{ \"type\": \"test\", \"name\": \"a\", \"event\": \"ok\" }\n\
        { \"type\": \"suite\", \"event\": \"ok\", \"passed\": 1, \"failed\": 0 }\n";
    assert_eq!(essence(&analyze(stream)).2, []);
    assert_eq!(analyze(stream).outcome, Outcome::Passed);
}
