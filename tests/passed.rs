//! Where passing cases are asked for, each one that is counted is named; where they are not, none is.

#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeMap;

use support::cases;
use whyred::{Analyzer, Format, Report, Source};

/// Formats whose documents name the cases that passed.
const NAMING: &[Format] = &[
    Format::JunitXml,
    Format::Trx,
    Format::NunitXml,
    Format::XunitXml,
    Format::TestngXml,
    Format::Catch2Xml,
    Format::QtTestXml,
    Format::RobotXml,
    Format::BoostXml,
    Format::CheckXml,
    Format::JestJson,
    Format::Tap,
    Format::GoTestJson,
    Format::MochaJson,
    Format::MochawesomeJson,
    Format::PlaywrightJson,
    Format::PytestReportlog,
    Format::PytestJsonReport,
    Format::RspecJson,
    Format::CucumberJson,
    Format::CucumberMessages,
    Format::GtestJson,
    Format::DartJson,
    Format::CtrfJson,
    Format::LibtestJson,
    Format::BazelBep,
];

fn analyze(name: &str, bytes: &[u8], keep: bool) -> Report {
    Analyzer::new().keep_passed(keep).analyze([Source::bytes(name, bytes)])
}

#[test]
fn each_passing_case_is_named_once() {
    let mut seen: BTreeMap<&str, u64> = BTreeMap::new();
    let mut wrong = String::new();
    for case in cases() {
        for (name, bytes) in &case.inputs {
            let report = analyze(name, bytes, true);
            let format = report.sources[0].format.clone();
            let Some(format) = NAMING.iter().find(|known| known.as_str() == format) else { continue };
            let counted = report.tests.and_then(|tests| tests.passed).unwrap_or(0);
            *seen.entry(format.as_str()).or_default() += counted;
            let nameless = report.passed.iter().any(|case| case.name.trim().is_empty());
            let named = report.passed.len() as u64;
            // The console may count what a report that is cut does not name.
            let cut = report.notes.iter().any(|note| note.message.contains("truncated"));
            if named > counted || named < counted && !cut || nameless {
                wrong += &format!("{}/{name}: {counted} passed, named: {:?}\n", case.name, report.passed);
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    let named = |format: &&Format| seen.get(format.as_str()).copied().unwrap_or(0) > 0;
    let without: Vec<_> = NAMING.iter().filter(|format| !named(format)).collect();
    assert!(without.is_empty(), "no case with a passing test: {without:?}");
}

#[test]
fn to_ask_for_them_changes_nothing_else() {
    for case in cases() {
        for (name, bytes) in &case.inputs {
            let mut with = analyze(name, bytes, true);
            let without = analyze(name, bytes, false);
            assert!(without.passed.is_empty());
            with.passed.clear();
            with.notes.retain(|note| !note.message.contains("cases that passed are listed"));
            assert_eq!(with, without, "{}/{name}", case.name);
        }
    }
}

#[test]
fn the_list_is_bounded_and_says_so() {
    let cases: String =
        (0..Report::MAX_PASSED + 5).map(|n| format!("<testcase classname=\"a.B\" name=\"t{n}\"/>\n")).collect();
    let report = analyze("junit.xml", format!("<testsuite name=\"s\">{cases}</testsuite>").as_bytes(), true);
    assert_eq!(report.passed.len(), Report::MAX_PASSED);
    assert_eq!(report.tests.and_then(|tests| tests.passed), Some(Report::MAX_PASSED as u64 + 5));
    assert!(report.notes.iter().any(|note| note.message.contains("no more are kept")), "{:?}", report.notes);
}

#[test]
fn an_attempt_that_failed_in_the_end_is_not_among_them() {
    let xml = br#"<testsuite name="s" tests="2" failures="1"><testcase classname="a.B" name="lucky" time="0.5"><failure/></testcase>
<testcase classname="a.B" name="lucky" time="1:02.5"/><testcase classname="a.B" name="x"><failure message="boom"/></testcase></testsuite>"#;
    let report = analyze("junit.xml", xml, true);
    let names: Vec<_> = report.passed.iter().map(|case| (case.name.as_str(), case.seconds)).collect();
    assert_eq!(names, [("a.B.lucky", Some(62.5))]);
}
