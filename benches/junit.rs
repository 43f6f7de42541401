//! The whole analysis of a large JUnit report, beside readers that do less, in one run on one core.
//!
//! `cargo bench --bench junit` makes 48 MB of report in memory, in the manner of Surefire: suites of cases with class,
//! name and time, now and then with output, 1.5 % of them failing with a stack. Ratios are what counts: the machine
//! is never quiet.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod support;

use std::fmt::Write;

use support::rate;
use whyred::{Analyzer, Outcome, Source};

const SIZE: usize = 48 << 20;

fn main() {
    let (report, cases, failed) = synthetic();
    println!("{:.0} MB, {cases} cases, {failed} of them failed", report.len() as f64 / 1e6);
    let analyzer = Analyzer::new();
    let ours = rate(report.len(), || {
        let found = analyzer.analyze([Source::bytes("report.xml", report.as_bytes())]);
        let counts = found.tests.expect("a report counts tests");
        assert_eq!((found.outcome, counts.total, counts.failed), (Outcome::Failed, cases, failed));
        assert!(!found.is_doubtful());
    });
    let streamed = rate(report.len(), || {
        let found = analyzer.analyze([Source::reader("report.xml", report.as_bytes())]);
        assert_eq!(found.tests.expect("a report counts tests").total, cases);
    });
    let events = rate(report.len(), || assert_eq!(counted(&report), (cases, failed)));
    let model = rate(report.len(), || {
        let model = junit_parser::from_reader(report.as_bytes()).expect("it is well-formed");
        assert_eq!((model.tests, model.failures), (cases, failed));
    });
    let other = rate(report.len(), || {
        let model = quick_junit::Report::deserialize(report.as_bytes()).expect("it is well-formed");
        assert_eq!((model.tests as u64, model.failures as u64), (cases, failed));
    });
    println!("{:<44} {ours:>8.0} MB/s", "whyred, whole analysis");
    println!("{:<44} {streamed:>8.0} MB/s", "whyred, whole analysis of a reader");
    println!(
        "{:<44} {events:>8.0} MB/s   whyred is {:.2} times as fast",
        "quick-xml, events and attributes",
        ours / events
    );
    println!("{:<44} {model:>8.0} MB/s   whyred is {:.2} times as fast", "junit-parser, its model", ours / model);
    println!("{:<44} {other:>8.0} MB/s   whyred is {:.2} times as fast", "quick-junit, its model", ours / other);
}

/// How many cases a bare reader counts, and how many of them failed.
fn counted(report: &str) -> (u64, u64) {
    let (mut cases, mut failed) = (0, 0);
    support::xml_events(report, |name| {
        cases += u64::from(name == b"testcase");
        failed += u64::from(name == b"failure");
    });
    (cases, failed)
}

/// A report, how many cases it has, and how many of them failed.
fn synthetic() -> (String, u64, u64) {
    let mut xml = String::with_capacity(SIZE + (1 << 20));
    let (mut cases, mut failed) = (0_u64, 0_u64);
    let mut suites = String::new();
    let mut suite = 0;
    while suites.len() < SIZE {
        let mut body = String::new();
        let mut own = 0;
        for case in 0..200 {
            cases += 1;
            let number = cases.wrapping_mul(0x9e37_79b9) % 1000;
            let head = format!(
                "    <testcase classname=\"com.acme.shop.checkout.Suite{suite}Test\" name=\"settles the order number {case} \
                 of a returning customer\" time=\"0.{number:03}\""
            );
            body += &head;
            if number < 15 {
                own += 1;
                body += ">\n";
                failure(&mut body, suite, case);
                body += "    </testcase>\n";
            } else if number < 100 {
                let _ = write!(
                    body,
                    ">\n      <system-out><![CDATA[12:00:00.{number:03} INFO  order {case} placed\n12:00:01.{number:03} INFO  \
                     order {case} settled &amp; shipped\n]]></system-out>\n    </testcase>\n"
                );
            } else {
                body += "/>\n";
            }
        }
        failed += own;
        let _ = write!(
            suites,
            "  <testsuite name=\"com.acme.shop.checkout.Suite{suite}Test\" tests=\"200\" failures=\"{own}\" errors=\"0\" \
             skipped=\"0\" time=\"12.5\" timestamp=\"2026-11-21T03:00:00Z\">\n{body}  </testsuite>\n"
        );
        suite += 1;
    }
    let _ = write!(
        xml,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"{cases}\" failures=\"{failed}\">\n{suites}</testsuites>\n"
    );
    (xml, cases, failed)
}

/// A failure with a stack, of one of a few sorts.
fn failure(body: &mut String, suite: usize, case: usize) {
    let (kind, message) = match case % 3 {
        0 => ("org.opentest4j.AssertionFailedError", format!("expected: &lt;{case}&gt; but was: &lt;{suite}&gt;")),
        1 => (
            "java.lang.NullPointerException",
            "Cannot invoke &quot;Order.total()&quot; because &quot;order&quot; is null".into(),
        ),
        _ => ("java.net.ConnectException", "Connection refused: localhost:5432".into()),
    };
    let _ = writeln!(body, "      <failure message=\"{message}\" type=\"{kind}\">{kind}: {message}");
    for frame in 0..12 {
        let _ = writeln!(body, "\tat com.acme.shop.checkout.Step{frame}.run(Step{frame}.java:{})", 20 + frame);
    }
    let _ = writeln!(
        body,
        "\tat com.acme.shop.checkout.Suite{suite}Test.settles(Suite{suite}Test.java:{case})\n</failure>"
    );
}
