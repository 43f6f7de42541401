//! The whole analysis of a large Jest report beside `serde_json` skipping the same bytes, in one run on one core.
//!
//! `cargo bench --bench json` makes a report of more than 40 MB in memory, of which 1.5 % of the cases failed with a
//! stack each. The ratio is what counts: the machine is never quiet.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use serde::de::IgnoredAny;
use whyred::{Analyzer, Kind, Outcome, Source};

const SUITES: usize = 4_000;
const CASES: usize = 32;

fn main() {
    let report = synthetic();
    let bytes = report.as_bytes();
    let total = (SUITES * CASES) as u64;
    let failing = failing_cases();
    println!("{:.1} MB, {total} cases, {failing} failed", bytes.len() as f64 / 1e6);
    assert!(bytes.len() >= 40_000_000, "the report is smaller than it is said to be");
    let analyzer = Analyzer::new();
    let mut ours = Duration::MAX;
    let mut theirs = Duration::MAX;
    for _ in 0..5 {
        let start = Instant::now();
        let found = analyzer.analyze([Source::bytes("report.json", bytes)]);
        ours = ours.min(start.elapsed());
        let counts = found.tests.expect("a report of tests counts them");
        assert_eq!((found.outcome, counts.total, counts.failed), (Outcome::Failed, total, failing));
        assert_eq!(counts.passed, Some(total - failing));
        assert_eq!(found.causes[0].kind, Kind::UndefinedValue);
        assert_eq!(found.causes.iter().map(|cause| cause.count).sum::<u64>() + omitted(&found), failing);
        let start = Instant::now();
        serde_json::from_slice::<IgnoredAny>(bytes).expect("the report is JSON");
        theirs = theirs.min(start.elapsed());
    }
    let rate = |took: Duration| bytes.len() as f64 / 1e9 / took.as_secs_f64();
    println!("{:<44} {:>8.3} GB/s", "whyred, whole analysis", rate(ours));
    println!("{:<44} {:>8.3} GB/s", "serde_json, IgnoredAny", rate(theirs));
    println!("ratio {:.2}", rate(ours) / rate(theirs));
}

/// Failures in causes that are not listed: each file's assertions are a cause.
fn omitted(report: &whyred::Report) -> u64 {
    if report.causes_omitted == 0 { 0 } else { failing_cases() - report.causes.iter().map(|c| c.count).sum::<u64>() }
}

fn failing_cases() -> u64 {
    (0..SUITES * CASES).filter(|index| fails(*index)).count() as u64
}

fn fails(index: usize) -> bool {
    index % 67 == 5
}

fn synthetic() -> String {
    let failing = failing_cases();
    let mut out = String::with_capacity(64 << 20);
    let total = SUITES * CASES;
    write!(
        out,
        "{{\"numFailedTestSuites\":{SUITES},\"numFailedTests\":{failing},\"numPassedTests\":{},\
         \"numRuntimeErrorTestSuites\":0,\"numTotalTests\":{total},\"openHandles\":[],\"snapshot\":{{\"failure\":false}},\
         \"success\":false,\"testResults\":[",
        total as u64 - failing
    )
    .expect("a string takes what is written");
    for suite in 0..SUITES {
        let comma = if suite == 0 { "" } else { "," };
        let _ = write!(out, "{comma}{{\"assertionResults\":[");
        for case in 0..CASES {
            let index = suite * CASES + case;
            let comma = if case == 0 { "" } else { "," };
            let messages = if fails(index) { message(suite, index) } else { String::new() };
            let status = if fails(index) { "failed" } else { "passed" };
            let _ = write!(
                out,
                "{comma}{{\"ancestorTitles\":[\"area {suite}\",\"when the cart holds {case} articles\"],\"duration\":{},\
                 \"failing\":false,\"failureDetails\":[],\"failureMessages\":[{messages}],\"fullName\":\"area {suite} when \
                 the cart holds {case} articles gives the total of \\\"{case}\\\" with tax\",\"invocations\":1,\
                 \"location\":null,\"numPassingAsserts\":1,\"retryReasons\":[],\"startAt\":17952290{index:05},\
                 \"status\":\"{status}\",\"title\":\"gives the total of \\\"{case}\\\" with tax\"}}",
                index % 90
            );
        }
        let _ = write!(
            out,
            "],\"endTime\":1795229045{suite},\"message\":\"\",\"name\":\"/home/ci/shop/src/area{suite}/cart.test.ts\",\
             \"startTime\":1795229044{suite},\"status\":\"{}\",\"summary\":\"\"}}",
            if (0..CASES).any(|case| fails(suite * CASES + case)) { "failed" } else { "passed" }
        );
    }
    out.push_str("],\"wasInterrupted\":false}");
    out
}

fn message(suite: usize, index: usize) -> String {
    let head = if index.is_multiple_of(2) {
        "Error: expect(received).toBe(expected) // Object.is equality\\n\\nExpected: 119\\nReceived: 118.99".to_owned()
    } else {
        "TypeError: Cannot read properties of undefined (reading 'country')".to_owned()
    };
    let mut text = format!("\"{head}\\n    at Object.<anonymous> (/home/ci/shop/src/area{suite}/cart.test.ts:12:31)");
    for frame in 0..12 {
        let _ = write!(
            text,
            "\\n    at step{frame} (/home/ci/shop/node_modules/jest-circus/build/jestAdapterInit.js:{}:9)",
            100 + frame
        );
    }
    text + "\""
}
