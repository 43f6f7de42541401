//! What is wrong with the bytes of a report costs nothing in it that was whole, and shows as a note with a place.

use whyred::{Action, Analyzer, Kind, Outcome, Policy, Report, Situation, Source};

fn analyze(bytes: impl AsRef<[u8]>) -> Report {
    Analyzer::new().analyze([Source::bytes("report.xml", bytes.as_ref())])
}

fn action(report: &Report) -> Action {
    Policy::default().decide(report, &Situation::new()).action
}

/// Total, failed, errored, skipped.
fn counts(report: &Report) -> [u64; 4] {
    report.tests.map_or([0; 4], |tests| [tests.total, tests.failed, tests.errored, tests.skipped])
}

/// A note with these words, and its line.
#[track_caller]
fn noted(report: &Report, words: &str) -> u64 {
    let note = report.notes.iter().find(|note| note.message.contains(words));
    let note = note.unwrap_or_else(|| panic!("no note says {words:?}: {:?}", report.notes));
    note.at.unwrap_or_else(|| panic!("a note without a place: {note:?}"))
}

/// One failing case whose text is this.
fn failing(body: &str) -> String {
    format!("<?xml version=\"1.0\"?>\n<testsuite name=\"s\"><testcase name=\"a\">{body}</testcase></testsuite>\n")
}

#[track_caller]
fn one_failure(bytes: impl AsRef<[u8]>, text: &str) -> Report {
    let report = analyze(bytes);
    assert_eq!((report.outcome, counts(&report)), (Outcome::Failed, [1, 1, 0, 0]), "{report:#?}");
    assert_eq!(report.causes[0].message, text);
    report
}

#[test]
fn texts_arrive_to_the_letter() {
    let text = |body: &str| failing(&format!("<failure>{body}</failure>"));
    one_failure(text("Expected &lt;true> but was &quot;no&quot; &amp; done"), "Expected <true> but was \"no\" & done");
    one_failure(text("<![CDATA[a]]]]><![CDATA[>b]]>"), "a]]>b");
    one_failure(text("pre <![CDATA[mid]]> post"), "pre mid post");
    one_failure(text("one<!-- two -->three"), "onethree");
    one_failure(text("a&nbsp;b & c"), "a&nbsp;b & c");
    let report = one_failure(text("&#65;&#x42;\n&#27;[31mred&#0;"), "AB");
    assert_eq!(noted(&report, "control characters"), 3);
}

#[test]
fn encodings_are_found_out() {
    let text = "<failure>caf\u{e9} \u{2713}</failure>";
    let bom = format!("\u{feff}{}", failing(text));
    one_failure(&bom, "caf\u{e9} \u{2713}");
    for little in [true, false] {
        for mark in ["\u{feff}", ""] {
            let xml = mark.to_owned() + &failing(text);
            let units = xml.encode_utf16().flat_map(|u| if little { u.to_le_bytes() } else { u.to_be_bytes() });
            let bytes: Vec<u8> = units.collect();
            let report = one_failure(&bytes, "caf\u{e9} \u{2713}");
            assert_eq!(noted(&report, "UTF-16"), 1);
            // The first piece may be a single byte.
            let mut session = Analyzer::new().session("report.xml");
            bytes.chunks(1).for_each(|piece| session.push(piece));
            assert_eq!(session.finish().causes, report.causes);
        }
    }
    let declared =
        |name: &str| failing(text).replace("version=\"1.0\"", &format!("version=\"1.0\" encoding=\"{name}\""));
    let latin: Vec<u8> =
        declared("iso-8859-1").replace(" \u{2713}", "").chars().map(|character| character as u8).collect();
    one_failure(&latin, "caf\u{e9}");
    let report = one_failure(declared("iso-8859-1"), "caf\u{e9} \u{2713}");
    assert_eq!(noted(&report, "but is UTF-8"), 2);
    let report = one_failure(declared("utf-16"), "caf\u{e9} \u{2713}");
    assert_eq!(noted(&report, "declares the encoding utf-16"), 1);
    let mut bad = failing("<failure>one caf\u{e9}\n").into_bytes();
    let at = bad.iter().position(|byte| *byte == 0xc3).expect("it is there");
    bad.remove(at + 1);
    let report = analyze(&bad);
    assert_eq!(report.causes[0].message, "one caf\u{fffd}");
    assert_eq!(noted(&report, "not valid in the encoding"), 2);
}

#[test]
fn an_odd_byte_at_the_end_of_utf16_is_told() {
    let mut bytes: Vec<u8> = failing("<failure>x</failure>").encode_utf16().flat_map(u16::to_le_bytes).collect();
    bytes.push(b'!');
    noted(&one_failure(&bytes, "x"), "not valid UTF-16");
}

#[test]
fn json_with_bytes_that_are_no_text_is_read() {
    let mut json = br#"{"numFailedTestSuites":1,"numTotalTests":1,"success":false,"testResults":[{"assertionResults":[
{"fullName":"a","status":"failed","failureMessages":["Error: caf!"]}],"message":"","name":"a.js","status":"failed"}]}"#
        .to_vec();
    let at = json.iter().position(|byte| *byte == b'!').expect("it is there");
    json[at] = 0xe9;
    let report = one_failure(&json, "Error: caf\u{fffd}");
    assert_eq!(noted(&report, "not valid UTF-8"), 2);
}

#[test]
fn markup_that_is_not_quite_xml_is_read() {
    for (body, text) in [
        ("<failure message=\"x < y\"/>", "x < y"),
        ("<failure message=\"x & y\" type=\"T\">", "x & y"),
        ("<Failure MESSAGE=\"x\">x</Failure>", "x"),
        ("<j:failure xmlns:j=\"u\">x</j:failure>", "x"),
        ("<failure><message>m</message><stackTrace>s</stackTrace></failure>", "m"),
        ("<failure>x</failure></oops>", "x"),
        ("<failure>was <true></failure>", "was <true>"),
        ("<failure>x</failure><</testcase>", "x"),
        ("</><failure>x</failure>", "x"),
    ] {
        one_failure(failing(body), text);
    }
    let report = one_failure(failing("<failure message=\"x\" message=\"y\"/>"), "x");
    assert_eq!(noted(&report, "given twice"), 2);
    let report = one_failure(failing("<failure>x").replace("name=\"a\"", "name=\"a\" name=\"b\""), "x");
    assert_eq!((report.causes[0].tests.as_slice(), noted(&report, "given twice")), (&["a".to_owned()][..], 2));
    let report = one_failure(failing("<failure>x</failure></testcase></testsuite><testsuite>"), "x");
    assert!(report.is_doubtful());
}

#[test]
fn times_of_any_kind_spoil_nothing() {
    for (time, odd) in [
        ("0,123", false),
        ("1,234.5", false),
        ("1.234,5", false),
        ("0.1s", false),
        ("", false),
        ("NaN", true),
        ("-1", true),
        ("1e300", true),
        ("soon", true),
    ] {
        let report = analyze(failing("").replace("name=\"a\"", &format!("name=\"a\" time=\"{time}\"")));
        assert_eq!((report.outcome, counts(&report)), (Outcome::Passed, [1, 0, 0, 0]), "{time}");
        if odd {
            assert_eq!(noted(&report, "no number of seconds"), 2, "{time}");
        }
        assert_eq!(action(&report), Action::Accept, "{time}");
    }
}

#[test]
fn entities_of_a_document_are_never_expanded() {
    let lol: String = (1..10).map(|n| format!("<!ENTITY l{n} \"{}\">", format!("&l{};", n - 1).repeat(10))).collect();
    let bomb = failing("<failure>&l9;</failure>").replace(
        "?>\n",
        &format!("?>\n<!DOCTYPE t [<!ENTITY l0 \"lol\">{lol}<!ENTITY x SYSTEM \"file:///etc/passwd\">]>"),
    );
    let report = one_failure(&bomb, "&l9;");
    assert_eq!(noted(&report, "document type"), 2);
}

#[test]
fn nothing_is_no_success() {
    for bytes in [&b""[..], b"   \n\t\n", b"\xef\xbb\xbf", b"\n".repeat(5000).as_slice()] {
        let report = analyze(bytes);
        let kinds: Vec<Kind> = report.causes.iter().map(|cause| cause.kind).collect();
        assert_eq!((report.outcome, action(&report)), (Outcome::Unknown, Action::Escalate), "{bytes:?}");
        assert_eq!(kinds, [Kind::TestInfrastructure], "{bytes:?}");
    }
    for report in [
        "<testsuites/>",
        "<testsuite name=\"s\" tests=\"0\"></testsuite>",
        "{\"numTotalTestSuites\":0,\"numTotalTests\":0,\"success\":true,\"testResults\":[]}",
        "{\"numTotalTestSuites\":0,\"numTotalTests\":0,\"success\":false,\"testResults\":[]}",
        "{\"stats\":{\"suites\":0,\"tests\":0,\"passes\":0,\"pending\":0,\"failures\":0},\"tests\":[],\"passes\":[],\"failures\":[],\"pending\":[]}",
        "{\"examples\":[],\"summary\":{\"example_count\":0,\"errors_outside_of_examples_count\":0}}",
        "{\"reportFormat\":\"CTRF\",\"results\":{\"tool\":{},\"summary\":{\"tests\":0},\"tests\":[]}}",
        "<TestRun xmlns=\"u\"><ResultSummary outcome=\"Completed\"><Counters total=\"0\"/></ResultSummary></TestRun>",
        "<test-run result=\"Passed\" total=\"0\"/>",
        "<assemblies><assembly name=\"a\" test-framework=\"x\" total=\"0\"/></assemblies>",
    ] {
        let report = analyze(report);
        assert_ne!(action(&report), Action::Accept, "{report:#?}");
        assert_eq!(report.causes.first().map(|cause| cause.kind), Some(Kind::TestInfrastructure), "{report:#?}");
    }
    assert_ne!(action(&analyze("TAP version 13\n1..0\n")), Action::Accept);
}

#[test]
fn an_empty_report_beside_a_log_takes_the_word_of_the_log() {
    let log = Source::bytes("build.log", &b"src/a.ts(3,5): error TS2304: Cannot find name 'x'.\n"[..]).exit_code(2);
    let report = Analyzer::new().analyze([Source::bytes("report.xml", &b""[..]), log]);
    let kinds: Vec<Kind> = report.causes.iter().map(|cause| cause.kind).collect();
    assert_eq!((report.outcome, kinds), (Outcome::Failed, vec![Kind::CompileError]));
    let absent = Analyzer::new().analyze([Source::file("/nowhere/at/all/report.xml")]);
    assert_eq!((absent.outcome, action(&absent)), (Outcome::Unknown, Action::Escalate));
    assert_eq!(absent.causes[0].kind, Kind::TestInfrastructure);
}

#[test]
fn a_second_document_that_was_cut_leaves_the_end_open() {
    let green = failing("");
    let call = "{\"status\":\"accepted\",\"childSessionKey\":\"agent:main:subagent:1a2b\",\"runId\":\"run-1\"}\n";
    let build = "{\"reason\":\"build-finished\",\"success\":true}\n";
    for (first, second) in [
        (green.as_str(), failing("").as_str()),
        (call, "{\"status\":\"forbidden\",\"error\":\"agentId is not allowed\"}"),
        (build, build),
    ] {
        let whole = format!("{first}{second}");
        for cut in first.len() + 1..whole.trim_end().len() {
            let report = analyze(&whole[..cut]);
            assert_ne!(action(&report), Action::Accept, "{:?}", &whole[first.len()..cut]);
            assert!(first != call || report.outcome != Outcome::Passed, "{:?}", &whole[first.len()..cut]);
        }
        assert_ne!(analyze(first).outcome, Outcome::Failed);
    }
}

#[test]
fn size_and_depth_are_bounded() {
    let long =
        format!("{}<failure>{}", failing("").split("</testcase>").next().expect("it is there"), "x".repeat(20_000_000));
    let report = analyze(&long);
    assert_eq!(counts(&report), [1, 1, 0, 0]);
    assert!(report.causes[0].message.len() <= 504);
    let deep = "<testsuite name=\"s\">".repeat(100_000);
    let report = analyze(format!("{deep}<testcase name=\"a\"><failure message=\"deep\"/></testcase>"));
    assert_eq!((counts(&report), report.is_doubtful()), ([1, 1, 0, 0], true));
}
