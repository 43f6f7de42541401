//! What each output looks like. The snapshots in `tests/snapshots` are read before they are accepted:
//! `INSTA_UPDATE=always cargo test --test render` writes them.

use whyred::{
    Analyzer, Decision, Detail, Policy, Report, Situation, Source, Text, diff, diff_to_json, diff_to_text, from_json,
    to_board, to_escalation, to_github, to_json, to_markdown,
};

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
        ("escalation", to_escalation(&report, &decision)),
        ("board", to_board(&report, &decision)),
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

/// A message, and the output of the build that it speaks of: one claim holds, one does not, one cannot be told.
#[test]
fn claims_beside_output() {
    let message = "# Validation: shop-1, shop-2\n\n**Requested by:** coordinator\n\n## Overall Result: FAIL\n\n\
        ### shop-1: Cart\n**Status:** FAILED\n**Issues:**\n- Build fails: Cannot find module '@/lib/cart'\n\n\
        ### shop-2: Login @everyone\n**Status:** FAILED\n**Issues:**\n\
        - 3 of 9 login tests failing with 'session undefined' errors\n- sessions_spawn permission denied (agent allowlist empty)\n";
    let build =
        "$ npm run build\nError: Cannot find module '@/lib/cart'\nnpm error code ELIFECYCLE\nnpm error errno 1\n";
    let tests = "$ npm test\nPASS src/login.test.js\nTest Suites: 1 passed, 1 total\nTests:       9 passed, 9 total\n";
    insta::assert_snapshot!(all(&[("note.md", message), ("build.log", build), ("tests.log", tests)]));
}

#[test]
fn what_a_repair_changed() {
    let before = "Error: Cannot find module 'a'\nError: Cannot find module 'b'\nnpm error code ECONNRESET\n";
    let after = "Error: Cannot find module 'b'\nError: Cannot find module '::error::c'\n";
    let (before, decision) = analyze(&[("before.log", before)]);
    let (after, _) = analyze(&[("after.log", after)]);
    let (stored, same) = from_json(&to_json(&before, &decision)).unwrap();
    assert_eq!((&stored, &same), (&before, &decision), "what is stored is read again whole");
    let change = diff(&stored, &after);
    insta::assert_snapshot!(format!(
        "{}\n{}\n",
        diff_to_text(&stored, &after, &change),
        diff_to_json(&stored, &after, &change)
    ));
}

#[test]
fn a_hostile_log() {
    let log = "Error: Cannot find module '</pre><script>@everyone' ``` \u{1b}[31m [x](https://evil.example) \u{202e}\n\
        Error: Cannot find module '::error::##[add-path]%0A,x'\n";
    insta::assert_snapshot!(all(&[("::warning::x.log", log)]));
}
