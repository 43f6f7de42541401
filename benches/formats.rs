//! The whole analysis of a large report of several formats, each beside a reader of the same bytes that makes nothing of
//! them, in one run on one core.
//!
//! `cargo bench --bench formats`. JUnit and Jest have benchmarks of their own. Ratios are what counts: the machine is
//! never quiet.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod support;

use std::fmt::Write as _;
use std::hint::black_box;

use serde::de::IgnoredAny;
use whyred::{Analyzer, Outcome, Source};

/// How large a report is at least.
const SIZE: usize = 16 << 20;

/// One of so many cases fails.
const FAILS: u64 = 67;

/// A large report, as a tool writes it.
struct Format {
    name: &'static str,
    head: &'static str,
    /// A case with its number, and whether it failed.
    case: fn(&mut String, u64, bool),
    /// What ends the report: how many cases it has, and how many of them failed.
    foot: fn(u64, u64) -> String,
    peer: Peer,
    /// It tells of the cases that passed too.
    counts: bool,
}

/// What the same bytes are read with.
#[derive(Clone, Copy)]
enum Peer {
    /// `serde_json`, skipping a document.
    Json,
    /// The same, a document on each line.
    JsonLines,
    /// quick-xml, events and attributes.
    Xml,
    /// The lines, and whether they are points of TAP that failed.
    Lines,
}

const FORMATS: &[Format] = &[
    Format {
        name: "TAP 14",
        head: "TAP version 14\n",
        case: |text, case, failed| {
            let _ = match failed {
                true => writeln!(
                    text,
                    "not ok {case} - settles the order {case}\n  ---\n  message: 'expected {case} to equal 0'\n  severity: fail\n  \
                     stack: |\n    Object.<anonymous> (test/order.js:{case}:9)\n    Module._compile (node:internal/modules:12:3)\n  ..."
                ),
                false => writeln!(text, "ok {case} - settles the order number {case} of a returning customer"),
            };
        },
        foot: |cases, _| format!("1..{cases}\n"),
        peer: Peer::Lines,
        counts: true,
    },
    Format {
        name: "go test -json",
        head: "{\"Time\":\"2026-11-21T12:55:49Z\",\"Action\":\"start\",\"Package\":\"shop/order\"}\n",
        case: |text, case, failed| {
            let mut event = |action: &str, more: &str| {
                let _ = writeln!(
                    text,
                    "{{\"Time\":\"2026-11-21T12:55:49.797448303Z\",\"Action\":\"{action}\",\"Package\":\"shop/order\",\"Test\":\
                     \"TestOrder{case}\"{more}}}"
                );
            };
            event("run", "");
            event("output", &format!(",\"Output\":\"=== RUN   TestOrder{case}\\n\""));
            if failed {
                event("output", &format!(",\"Output\":\"    order_test.go:{case}: got {case}, want 0\\n\""));
            }
            let verdict = if failed { "FAIL" } else { "PASS" };
            event("output", &format!(",\"Output\":\"--- {verdict}: TestOrder{case} (0.00s)\\n\""));
            event(&verdict.to_lowercase(), ",\"Elapsed\":0.01");
        },
        foot: |_, _| {
            "{\"Time\":\"2026-11-21T12:55:50Z\",\"Action\":\"fail\",\"Package\":\"shop/order\",\"Elapsed\":1.2}\n"
                .into()
        },
        peer: Peer::JsonLines,
        counts: true,
    },
    Format {
        name: "pytest-reportlog",
        head: "{\"pytest_version\": \"8.4.0\", \"$report_type\": \"SessionStart\"}\n",
        case: |text, case, failed| {
            for when in ["setup", "call", "teardown"] {
                let failed = failed && when == "call";
                let (outcome, longrepr) = match failed {
                    true => (
                        "failed",
                        format!(
                            "\"def test_order_{case}():\\n>       assert {case} == 0\\nE       assert {case} == 0\\n\\ntest_order.py:{case}: AssertionError\""
                        ),
                    ),
                    false => ("passed", "null".to_owned()),
                };
                let _ = writeln!(
                    text,
                    "{{\"nodeid\": \"test_order.py::test_order_{case}\", \"location\": [\"test_order.py\", {case}, \"test_order_{case}\"], \
                     \"keywords\": {{\"test_order_{case}\": 1}}, \"outcome\": \"{outcome}\", \"longrepr\": {longrepr}, \"when\": \
                     \"{when}\", \"user_properties\": [], \"sections\": [], \"duration\": 0.0004, \"$report_type\": \"TestReport\"}}"
                );
            }
        },
        foot: |_, _| "{\"exitstatus\": 1, \"$report_type\": \"SessionFinish\"}\n".into(),
        peer: Peer::JsonLines,
        counts: true,
    },
    Format {
        name: "Bazel's events",
        head: "{\"id\":{\"started\":{}},\"children\":[{\"progress\":{}}],\"started\":{\"uuid\":\"a1b2\",\"buildToolVersion\":\"7.4.1\",\"command\":\"test\"}}\n",
        case: |text, case, failed| {
            let status = if failed { "FAILED" } else { "PASSED" };
            let _ = writeln!(
                text,
                "{{\"id\":{{\"testResult\":{{\"label\":\"//shop:order_{case}_test\",\"run\":1,\"attempt\":1}}}},\"testResult\":{{\"status\":\
                 \"{status}\",\"testAttemptDurationMillis\":\"31\"}}}}\n{{\"id\":{{\"testSummary\":{{\"label\":\"//shop:order_{case}_test\"}}}},\
                 \"testSummary\":{{\"overallStatus\":\"{status}\",\"totalRunCount\":1}}}}"
            );
        },
        foot: |_, _| {
            "{\"id\":{\"buildFinished\":{}},\"finished\":{\"exitCode\":{\"name\":\"TESTS_FAILED\",\"code\":3}},\"lastMessage\":true}\n".into()
        },
        peer: Peer::JsonLines,
        counts: true,
    },
    Format {
        name: "CTRF",
        head: "{\"reportFormat\":\"CTRF\",\"specVersion\":\"0.0.0\",\"results\":{\"tool\":{\"name\":\"jest\"},\"tests\":[",
        case: |text, case, failed| {
            let comma = if case == 1 { "" } else { "," };
            let more = match failed {
                true => format!(
                    ",\"message\":\"expected {case} to be 0\",\"trace\":\"Error: expected {case} to be 0\\n    at order.test.js:{case}:9\""
                ),
                false => String::new(),
            };
            let status = if failed { "failed" } else { "passed" };
            let _ = write!(
                text,
                "{comma}{{\"name\":\"settles the order {case}\",\"duration\":8,\"status\":\"{status}\",\"type\":\"unit\",\"filePath\":\
                 \"/srv/shop/order.test.js\",\"retries\":0,\"flaky\":false,\"suite\":\"order\"{more}}}"
            );
        },
        foot: |cases, failed| {
            let passed = cases - failed;
            format!(
                "],\"summary\":{{\"tests\":{cases},\"passed\":{passed},\"failed\":{failed},\"pending\":0,\"skipped\":0,\"other\":0,\
                 \"start\":1795265057362,\"stop\":1795265058298}}}}}}"
            )
        },
        peer: Peer::Json,
        counts: true,
    },
    Format {
        name: "SARIF",
        head: "{\"version\":\"2.1.0\",\"runs\":[{\"tool\":{\"driver\":{\"name\":\"ESLint\",\"version\":\"9.39.5\"}},\"results\":[",
        case: |text, case, failed| {
            let comma = if case == 1 { "" } else { "," };
            let level = if failed { "error" } else { "note" };
            let _ = write!(
                text,
                "{comma}{{\"level\":\"{level}\",\"message\":{{\"text\":\"'order{case}' is assigned a value but never used.\"}},\"locations\":\
                 [{{\"physicalLocation\":{{\"artifactLocation\":{{\"uri\":\"src/order{case}.js\"}},\"region\":{{\"startLine\":3,\
                 \"startColumn\":1}}}}}}],\"ruleId\":\"no-unused-vars\",\"ruleIndex\":0}}"
            );
        },
        foot: |_, _| "]}]}".into(),
        peer: Peer::Json,
        counts: false,
    },
    Format {
        name: "TRX",
        head: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<TestRun id=\"1\" xmlns=\"http://microsoft.com/schemas/VisualStudio/TeamTest/2010\">\n\
               <Results>\n",
        case: |text, case, failed| {
            let outcome = if failed { "Failed" } else { "Passed" };
            let _ = write!(
                text,
                "  <UnitTestResult executionId=\"e{case}\" testId=\"t{case}\" testName=\"Shop.OrderTests.Settles{case}\" computerName=\"ci\" \
                 duration=\"00:00:00.0004\" outcome=\"{outcome}\" testListId=\"8c84fa94\""
            );
            let _ = match failed {
                true => writeln!(
                    text,
                    ">\n    <Output><ErrorInfo><Message>Assert.Equal() Failure\nExpected: 0\nActual:   {case}</Message><StackTrace>   at \
                     Shop.OrderTests.Settles{case}() in OrderTests.cs:line {case}</StackTrace></ErrorInfo></Output>\n  </UnitTestResult>"
                ),
                false => writeln!(text, " />"),
            };
        },
        foot: |cases, failed| {
            let passed = cases - failed;
            format!(
                "</Results>\n<ResultSummary outcome=\"Failed\"><Counters total=\"{cases}\" executed=\"{cases}\" passed=\"{passed}\" \
                 failed=\"{failed}\" /></ResultSummary>\n</TestRun>\n"
            )
        },
        peer: Peer::Xml,
        counts: true,
    },
    Format {
        name: "NUnit 3",
        head: "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<test-run id=\"0\" result=\"Failed\">\n<test-suite type=\"TestFixture\" \
               name=\"OrderTests\" fullname=\"Shop.OrderTests\" result=\"Failed\">\n",
        case: |text, case, failed| {
            let result = if failed { "Failed" } else { "Passed" };
            let _ = write!(
                text,
                "  <test-case id=\"1-{case}\" name=\"Settles{case}\" fullname=\"Shop.OrderTests.Settles{case}\" result=\"{result}\" \
                 start-time=\"2026-11-21T12:00:00Z\" duration=\"0.02\""
            );
            let _ = match failed {
                true => writeln!(
                    text,
                    ">\n    <failure><message><![CDATA[  Expected: 0\n  But was:  {case}\n]]></message><stack-trace><![CDATA[   at \
                     Shop.OrderTests.Settles{case}() in OrderTests.cs:line {case}\n]]></stack-trace></failure>\n  </test-case>"
                ),
                false => writeln!(text, " />"),
            };
        },
        foot: |_, _| "</test-suite>\n</test-run>\n".into(),
        peer: Peer::Xml,
        counts: true,
    },
];

fn main() {
    println!("{:<18} {:>9} {:>9}   {:<34} {:>9} {:>6}", "", "cases", "MB/s", "beside it", "MB/s", "ratio");
    let analyzer = Analyzer::new();
    for format in FORMATS {
        let (report, cases, failed) = written(format);
        let ours = support::rate(report.len(), || {
            let found = analyzer.analyze([Source::bytes("report", report.as_bytes())]);
            assert_eq!(found.outcome, Outcome::Failed, "{}", format.name);
            let told: u64 = found.causes.iter().map(|cause| cause.count).sum();
            assert!(told == failed || found.causes_omitted > 0 && told < failed, "{}: {told} of {failed}", format.name);
            let counts = found.tests.map(|counts| (counts.total, counts.failed));
            assert_eq!(counts, format.counts.then_some((cases, failed)), "{}", format.name);
        });
        let (peer, theirs) = match format.peer {
            Peer::Json => ("serde_json, IgnoredAny", support::rate(report.len(), || skip(&report))),
            Peer::JsonLines => {
                ("serde_json, IgnoredAny, line by line", support::rate(report.len(), || report.lines().for_each(skip)))
            }
            Peer::Xml => (
                "quick-xml, events and attributes",
                support::rate(report.len(), || {
                    black_box(support::xml_events(&report, |_| {}));
                }),
            ),
            Peer::Lines => (
                "its lines",
                support::rate(report.len(), || {
                    let failing = report.lines().filter(|line| line.starts_with("not ok ")).count();
                    assert_eq!(failing as u64, failed);
                }),
            ),
        };
        let ratio = ours / theirs;
        println!("{:<18} {cases:>9} {ours:>9.0}   {peer:<34} {theirs:>9.0} {ratio:>6.2}", format.name);
    }
}

fn skip(document: &str) {
    serde_json::from_str::<IgnoredAny>(document).expect("it is JSON");
}

/// A report of a format, how many cases it has, and how many of them failed.
fn written(format: &Format) -> (String, u64, u64) {
    let mut text = format.head.to_owned();
    let (mut cases, mut failed) = (0, 0);
    while text.len() < SIZE {
        cases += 1;
        let fails = cases % FAILS == 5;
        failed += u64::from(fails);
        (format.case)(&mut text, cases, fails);
    }
    text += &(format.foot)(cases, failed);
    (text, cases, failed)
}
