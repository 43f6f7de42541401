//! What is bounded in memory changes no verdict: long lists in a report, more steps than are known, more values than a
//! tree holds.

use std::fmt::Write as _;

use whyred::{Analyzer, Outcome, Report, Source};

/// So many that each list is longer than one that is read into a tree.
const MANY: usize = 6_000;

fn analyze(bytes: &[u8]) -> Report {
    Analyzer::new().analyze([Source::bytes("report", bytes)])
}

/// A report of `MANY` elements in one list; of the last, `bad` is said, of the others `good`.
fn report(head: &str, good: &str, bad: &str, foot: &str) -> String {
    let mut text = head.to_owned();
    for element in 0..MANY {
        let _ = write!(
            text,
            "{}{}",
            if element > 0 { "," } else { "" },
            if element + 1 == MANY { bad } else { good }.replace('#', &element.to_string())
        );
    }
    text + foot
}

/// Each with the text of the failure that it tells of, and whether it counts cases.
fn reports() -> Vec<(&'static str, String, &'static str, bool)> {
    // So that a part of a log is not taken for the whole.
    let filler = "words that fill a line of the report to the length that such lines have, and then some more of them";
    let sarif = |level: &str| {
        format!(
            "{{\"level\":\"{level}\",\"message\":{{\"text\":\"x# is unused; {filler}\"}},\"ruleId\":\"no-unused-vars\",\"locations\":\
             [{{\"physicalLocation\":{{\"artifactLocation\":{{\"uri\":\"src/a#.js\"}},\"region\":{{\"startLine\":#}}}}}}]}}"
        )
    };
    let spec = |status: &str, ended: &str, errors: &str| {
        format!(
            "{{\"title\":\"order #; {filler}\",\"file\":\"a.spec.ts\",\"line\":1,\"column\":1,\"tests\":[{{\"expectedStatus\":\"passed\",\
             \"status\":\"{status}\",\"results\":[{{\"status\":\"{ended}\",\"errors\":[{errors}]}}]}}]}}"
        )
    };
    let awesome = |state: &str, err: &str| {
        format!(
            "{{\"title\":\"order #; {filler}\",\"fullTitle\":\"a order #\",\"state\":\"{state}\",\"err\":{{{err}}}}}"
        )
    };
    let scenario = |status: &str, error: &str| {
        format!(
            "{{\"type\":\"scenario\",\"keyword\":\"Scenario\",\"name\":\"order #; {filler}\",\"line\":3,\"steps\":[{{\"keyword\":\"Given \",\
             \"name\":\"a cart\",\"result\":{{\"status\":\"{status}\"{error}}}}}]}}"
        )
    };
    let gtest = |more: &str| {
        format!(
            "{{\"name\":\"Order#\",\"file\":\"a.cc\",\"line\":1,\"status\":\"RUN\",\"result\":\"COMPLETED\",\"classname\":\"Shop\",\
             \"value_param\":\"{filler}\"{more}}}"
        )
    };
    let eslint = |severity: u8| {
        format!(
            "{{\"ruleId\":\"no-undef\",\"severity\":{severity},\"message\":\"x# is not defined; {filler}\",\"line\":#,\"column\":2}}"
        )
    };
    let assertion = |error: &str| format!("{{\"assertion\":\"order #; {filler}\"{error}}}");
    vec![
        (
            "sarif",
            report(
                "{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"version\":\"2.1.0\",\"runs\":[{\"results\":[",
                &sarif("note"),
                &sarif("error"),
                "],\"tool\":{\"driver\":{\"name\":\"ESLint\",\"rules\":[]}}}]}",
            ),
            "x5999 is unused",
            false,
        ),
        (
            "playwright-json",
            report(
                "{\"config\":{\"forbidOnly\":false,\"rootDir\":\"/srv\"},\"suites\":[{\"title\":\"a.spec.ts\",\"specs\":[],\"suites\":\
                 [{\"title\":\"shop\",\"specs\":[",
                &spec("expected", "passed", ""),
                &spec("unexpected", "failed", "{\"message\":\"Error: order # is lost\"}"),
                "]}]}],\"errors\":[]}",
            ),
            "order 5999 is lost",
            true,
        ),
        (
            "mochawesome-json",
            report(
                "{\"stats\":{\"suites\":1,\"tests\":6000,\"testsRegistered\":6000},\"results\":[{\"fullFile\":\"/ci/a.cy.js\",\"tests\":[],\
                 \"suites\":[{\"title\":\"a\",\"tests\":[",
                &awesome("passed", ""),
                &awesome("failed", "\"message\":\"order # is lost\""),
                "],\"beforeHooks\":[],\"afterHooks\":[],\"suites\":[]}]}]}",
            ),
            "order 5999 is lost",
            true,
        ),
        (
            "cucumber-json",
            report(
                "[{\"uri\":\"a.feature\",\"keyword\":\"Feature\",\"name\":\"Shop\",\"elements\":[",
                &scenario("passed", ""),
                &scenario("failed", ",\"error_message\":\"order # is lost\""),
                "]}]",
            ),
            "order 5999 is lost",
            true,
        ),
        (
            "gtest-json",
            report(
                "{\"tests\":6000,\"failures\":1,\"disabled\":0,\"testsuites\":[{\"name\":\"Shop\",\"testsuite\":[",
                &gtest(""),
                &gtest(",\"failures\":[{\"failure\":\"a.cc:1\\norder # is lost\"}]"),
                "]}]}",
            ),
            "order 5999 is lost",
            true,
        ),
        (
            "eslint-json",
            report("[{\"filePath\":\"/ci/a.js\",\"messages\":[", &eslint(1), &eslint(2), "],\"errorCount\":1}]"),
            "x5999 is not defined",
            false,
        ),
        (
            "newman-json",
            report(
                "{\"collection\":{\"info\":{\"name\":\"shop\"}},\"run\":{\"stats\":{\"assertions\":{\"total\":6000,\"failed\":1}},\
                 \"executions\":[{\"item\":{\"name\":\"pay\"},\"assertions\":[",
                &assertion(""),
                &assertion(",\"error\":{\"name\":\"AssertionError\",\"message\":\"order # is lost\"}"),
                "]}],\"failures\":[{\"error\":{\"name\":\"AssertionError\",\"test\":\"order 5999\",\"message\":\"order 5999 is lost\"},\
                 \"at\":\"assertion:0 in test-script\",\"source\":{\"name\":\"pay\"}}]}}",
            ),
            "order 5999 is lost",
            true,
        ),
    ]
}

#[test]
fn the_last_of_a_long_list_is_found() {
    for (format, text, words, counts) in reports() {
        assert!(text.len() > 600_000, "{format}: the list is short");
        let found = analyze(text.as_bytes());
        assert_eq!((found.sources[0].format.as_str(), found.outcome), (format, Outcome::Failed));
        let told = |cause: &whyred::Cause| cause.evidence.iter().any(|line| line.text.contains(words));
        assert!(found.causes.len() == 1 && told(&found.causes[0]), "{format}: {:#?}", found.causes);
        let seen = found.tests.map(|tests| (tests.total, tests.failed));
        assert_eq!(seen, counts.then_some((MANY as u64, 1)), "{format}");
        assert_eq!(found.notes, [], "{format}");
    }
}

#[test]
fn a_long_list_that_is_cut_or_damaged_never_passes() {
    for (format, text, ..) in reports() {
        for part in [3, 5, 9] {
            let cut = analyze(&text.as_bytes()[..text.len() * part / 10]);
            assert_ne!(cut.outcome, Outcome::Passed, "{format} cut");
        }
        // In the middle of the list a comma is lost.
        let middle = text[..text.len() / 2].rfind("},{").expect("elements follow one another");
        let damaged = format!("{} {}", &text[..middle + 1], &text[middle + 2..]);
        let report = analyze(damaged.as_bytes());
        assert_ne!(report.outcome, Outcome::Passed, "{format} damaged");
        assert!(report.is_doubtful(), "{format}: nothing tells of the damage");
    }
}

#[test]
fn more_values_than_a_tree_holds_are_told_of() {
    let values = "0,".repeat(100_000);
    let text = format!(
        "{{\"reportFormat\":\"CTRF\",\"specVersion\":\"0.0.0\",\"results\":{{\"tool\":{{\"name\":\"jest\"}},\"summary\":{{\"tests\":2,\"passed\":2,\
         \"failed\":0}},\"tests\":[{{\"name\":\"a\",\"status\":\"passed\"}},{{\"extra\":[{values}0],\"name\":\"b\",\"status\":\"passed\"}}]}}}}"
    );
    let report = analyze(text.as_bytes());
    assert_ne!(report.outcome, Outcome::Passed);
    assert!(report.notes.iter().any(|note| note.message.contains("more values than are read")), "{:?}", report.notes);
}

#[test]
fn more_steps_than_are_known_hide_nothing() {
    let step = |text: &mut String, words: &str, ended: &str| {
        let _ = writeln!(text, "##[group]Run make\n##[endgroup]\n{words}\n{ended}");
    };
    // Each fails.
    let mut log = String::new();
    for number in 0..21_000 {
        step(
            &mut log,
            &format!("Error: Cannot find module 'm{number}'"),
            "##[error]Process completed with exit code 1.",
        );
    }
    assert_eq!(analyze(log.as_bytes()).outcome, Outcome::Failed);
    // Only one far behind does, before others that end well.
    let mut log = String::new();
    for number in 0..21_000 {
        step(&mut log, "Error: Cannot find module 'm'", "");
        if number == 20_500 {
            step(
                &mut log,
                "a.ts(1,1): error TS2304: Cannot find name 'x'.",
                "##[error]Process completed with exit code 2.",
            );
        }
    }
    let report = analyze(log.as_bytes());
    assert_eq!(report.outcome, Outcome::Failed);
    let told = report.causes.iter().any(|cause| cause.evidence.iter().any(|line| line.text.contains("TS2304")));
    assert!(told, "{:#?}", report.causes);
}

#[test]
fn beginnings_that_come_to_nothing_hide_no_report() {
    let vain: String = (0..40_000).map(|line| format!("{{\"vulnerabilities\":[ {line}\n")).collect();
    let real = "<testsuite name=\"s\" tests=\"1\" failures=\"1\"><testcase name=\"a\"><failure message=\"no order\"/></testcase>\
                </testsuite>\n";
    let report = analyze(format!("{vain}{real}").as_bytes());
    assert_eq!(report.outcome, Outcome::Failed);
    assert_eq!(report.tests.map(|tests| tests.failed), Some(1));
}

#[test]
fn small_reports_behind_a_label_are_all_counted() {
    let log: String = (0..9_000)
        .map(|number| format!("web-1 | <testsuite name=\"{number}\" tests=\"1\"><testcase name=\"a\"/></testsuite>\n"))
        .collect();
    assert_eq!(analyze(log.as_bytes()).tests.map(|tests| tests.total), Some(9_000));
}

#[test]
fn more_tasks_than_are_told_are_not_accepted() {
    let message = |task: usize| {
        format!(
            "{{\"taskId\":\"shop-{task}\",\"from\":\"validator\",\"status\":\"approved\",\"tests\":{{\"passed\":3,\"failed\":0}}}}\n"
        )
    };
    let outcome = |tasks: usize| analyze((0..tasks).map(message).collect::<String>().as_bytes());
    let few = outcome(20);
    assert_eq!(few.tasks.len(), 20, "{:?}", few.notes);
    let many = outcome(6_000);
    assert!(many.tasks.len() <= 5_000 && many.outcome != Outcome::Passed);
}
