//! What each output looks like. The snapshots in `tests/snapshots` are read before they are accepted:
//! `INSTA_UPDATE=always cargo test --test render` writes them.

use whyred::{Analyzer, Decision, Detail, Policy, Report, Situation, Source, Text, to_github, to_markdown};

fn analyze(sources: &[(&str, &str)]) -> (Report, Decision) {
    let sources = sources.iter().map(|(name, text)| Source::bytes(*name, text.as_bytes()));
    let mut report = Analyzer::new().analyze(sources);
    // The version of the rules changes with each of them.
    report.rules = "of the test".to_owned();
    let decision = Policy::default().decide(&report, &Situation::new());
    (report, decision)
}

/// All outputs for people, one below the other.
fn all(sources: &[(&str, &str)]) -> String {
    let (report, decision) = analyze(sources);
    let outputs = [
        ("text", Text::new().width(80).render(&report, &decision)),
        ("text, full", Text::new().width(100).detail(Detail::Full).render(&report, &decision)),
        ("markdown", to_markdown(&report, &decision)),
        ("github", to_github(&report, &decision)),
    ];
    outputs.map(|(name, output)| format!("=== {name}\n{output}")).join("\n")
}

#[test]
fn a_log() {
    let log = "> shop@1.0.0 start\n> node server.js\n\nError: Cannot find module 'express'\nRequire stack:\n- /srv/server.js\n";
    insta::assert_snapshot!(all(&[("build.log", log)]));
}

#[test]
fn test_reports() {
    let failing = |name: &str, failure: &str| {
        format!("  <testcase classname=\"chat\" name=\"{name}\" file=\"src/chat.test.ts\">{failure}</testcase>\n")
    };
    let broken = "<failure type=\"TypeError\" message=\"useModal is not a function\">TypeError: useModal is not a function\n    at src/chat.tsx:12:7</failure>";
    let mut junit = "<testsuite name=\"chat\" tests=\"7\" failures=\"6\">\n".to_owned();
    for name in ["opens", "closes", "sends", "receives", "scrolls to a message that came while it was closed"] {
        junit += &failing(name, broken);
    }
    junit += &failing("counts", "<failure type=\"AssertionError\" message=\"3 is not 4\"/>");
    junit += &failing("types", "");
    junit += "</testsuite>\n";
    insta::assert_snapshot!(all(&[("reports/junit.xml", &junit)]));
}

#[test]
fn what_passed() {
    let junit = "<testsuite name=\"t\" tests=\"1\" failures=\"0\"><testcase classname=\"a\" name=\"b\"/></testsuite>\n";
    insta::assert_snapshot!(all(&[("junit.xml", junit)]));
}

#[test]
fn what_was_cut() {
    let junit = "<testsuite name=\"t\" tests=\"2\" failures=\"0\">\n<testcase classname=\"a\" name=\"b\"/>\n<testcase classname=\"a\" na";
    insta::assert_snapshot!(all(&[("junit.xml", junit)]));
}

#[test]
fn a_hostile_log() {
    let log = "Error: Cannot find module '</pre><script>@everyone' ``` \u{1b}[31m [x](https://evil.example) \u{202e}\n\
        Error: Cannot find module '::error::##[add-path]%0A,x'\n";
    insta::assert_snapshot!(all(&[("::warning::x.log", log)]));
}
