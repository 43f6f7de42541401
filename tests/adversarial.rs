//! Reports that break readers: entities, references, sections that are split, encodings, cuts, times that are none.
//!
//! `ADVERSARIAL=FOLDER cargo test --test adversarial` reads a folder of such files too: whatever they hold, there is one
//! report, and nothing that failed or was cut is accepted.

#![allow(clippy::print_stderr)]

use std::path::PathBuf;

use whyred::{Action, Analyzer, Outcome, Policy, Report, Severity, Situation, Source};

fn analyze(bytes: &[u8]) -> (Report, Action) {
    let report = Analyzer::new().keep_passed(true).analyze([Source::bytes("report.xml", bytes)]);
    let action = Policy::default().decide(&report, &Situation::new()).action;
    (report, action)
}

/// A report of one case around a body.
fn case(body: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites><testsuite name=\"s\">{body}</testsuite></testsuites>\n"
    )
}

/// What is written, and what must be quoted of it.
const TEXTS: &[(&str, &str)] = &[
    ("<failure>wanted &lt;yes&gt; but got &quot;no&quot; &amp; left</failure>", "wanted <yes> but got \"no\" & left"),
    ("<failure>&#119;anted &#x33; things</failure>", "wanted 3 things"),
    ("<failure><![CDATA[a]]]]><![CDATA[>b]]></failure>", "a]]>b"),
    ("<failure>pre <![CDATA[mid]]> post</failure>", "pre mid post"),
    ("<failure>one<!-- nobody reads this -->two</failure>", "onetwo"),
    ("<failure message='a &lt; b'/>", "a < b"),
    ("<failure message=\"x < y\"/>", "x < y"),
    ("<failure>x &nbsp; y &foo; z</failure>", "x &nbsp; y &foo; z"),
    ("<failure>x & y</failure>", "x & y"),
    ("<failure><message>from the child</message><stacktrace>at x</stacktrace></failure>", "from the child"),
    ("<Failure message=\"another case\"/>", "another case"),
];

#[test]
fn texts_arrive_to_the_letter() {
    for (body, text) in TEXTS {
        let (report, _) = analyze(case(&format!("<testcase name=\"a\">{body}</testcase>")).as_bytes());
        let counts = report.tests.unwrap();
        assert_eq!((counts.total, counts.failed, report.outcome), (1, 1, Outcome::Failed), "{body}");
        assert_eq!(report.causes[0].message, *text, "{body}");
    }
}

/// What is written, and the total, passed, failed, errored and skipped cases.
const COUNTS: &[(&str, [u64; 5])] = &[
    ("<testcase name=\"a\"><failure>1</failure><failure>2</failure></testcase>", [1, 0, 1, 0, 0]),
    ("<testcase name=\"a\"><failure>1</failure><skipped/></testcase>", [1, 0, 1, 0, 0]),
    ("<testcase name=\"a\"><failure/><rerunFailure><stackTrace/></rerunFailure></testcase>", [1, 0, 1, 0, 0]),
    ("<testcase name=\"a\"><flakyError message=\"3\"/></testcase>", [1, 1, 0, 0, 0]),
    ("<error message=\"class failed to load\">x</error>", [0, 0, 0, 1, 0]),
    ("<testcase name=\"a\" status=\"failed\"/><testcase name=\"b\" status=\"notrun\"/>", [2, 0, 1, 0, 1]),
    ("<testcase name=\"a\" name=\"b\"/>", [1, 1, 0, 0, 0]),
    (
        "<testcase name=\"a\" time=\"0,123\"/><testcase name=\"b\" time=\"NaN\"/><testcase name=\"c\" time=\"-1\"/>",
        [3, 3, 0, 0, 0],
    ),
    ("<testcase name=\"a\" time=\"1e300\"/><testcase name=\"b\" time=\"\"/>", [2, 2, 0, 0, 0]),
];

#[test]
fn odd_reports_are_counted_right() {
    for (body, [total, passed, failed, errored, skipped]) in COUNTS {
        let (report, action) = analyze(case(body).as_bytes());
        let have = report.tests.unwrap();
        let have = [have.total, have.passed.unwrap(), have.failed, have.errored, have.skipped];
        assert_eq!(have, [*total, *passed, *failed, *errored, *skipped], "{body}");
        assert_eq!(action == Action::Accept, failed + errored == 0, "{body}");
        assert_eq!(report.passed.len() as u64, *passed, "{body}");
        assert!(
            report.passed.iter().all(|case| case.seconds.is_none_or(|time| (0.0..=1e300).contains(&time))),
            "{body}"
        );
    }
}

#[test]
fn encodings_are_told_apart() {
    let body = "<testcase name=\"caf\u{e9}\"><failure>\u{e9}t\u{e9} no</failure></testcase>";
    let text = case(body);
    let latin = text.replace("UTF-8", "ISO-8859-1").chars().map(|c| c as u8).collect::<Vec<_>>();
    let wide = |swap: bool| {
        let units = std::iter::once(0xfeff).chain(text.encode_utf16());
        units.flat_map(|unit| if swap { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect::<Vec<_>>()
    };
    let marked = [b"\xef\xbb\xbf", text.as_bytes()].concat();
    for bytes in [text.as_bytes().to_vec(), marked, latin, wide(false), wide(true)] {
        let (report, _) = analyze(&bytes);
        assert_eq!((report.outcome, report.causes[0].message.as_str()), (Outcome::Failed, "\u{e9}t\u{e9} no"));
        assert_eq!(report.causes[0].tests, ["caf\u{e9}"]);
    }
    let broken = text.replace('\u{e9}', "\u{1}").into_bytes();
    let broken: Vec<u8> = broken.into_iter().map(|byte| if byte == 1 { 0xff } else { byte }).collect();
    let (report, _) = analyze(&broken);
    assert_eq!(report.outcome, Outcome::Failed);
    assert!(report.notes.iter().any(|note| note.message.contains("replaced") && note.at.is_some()), "{report:#?}");
}

#[test]
fn entities_are_never_expanded() {
    let mut declared = "<!ENTITY e0 \"xxxxxxxxxx\">".to_owned();
    for level in 1..12 {
        declared += &format!("<!ENTITY e{level} \"{}\">", format!("&e{};", level - 1).repeat(10));
    }
    let text = format!(
        "<?xml version=\"1.0\"?><!DOCTYPE t [{declared}]><testsuite><testcase name=\"a\"><failure>&e11;</failure></testcase></testsuite>"
    );
    let (report, _) = analyze(text.as_bytes());
    assert_eq!((report.outcome, report.causes[0].message.as_str()), (Outcome::Failed, "&e11;"));
}

#[test]
fn several_objects_on_a_line_come_to_an_end() {
    // The first object is of no format, and what follows on its line begins like a report of its own.
    let line = b"{\"a\":1}{\"reason\":\"build-finished\",\"success\":true}{\"b\":1}\n";
    for lines in [1, 2, 300] {
        let (_, action) = analyze(&line.repeat(lines));
        assert_ne!(action, Action::Accept, "{lines}");
    }
}

/// All inputs of `tests/cases`.
fn cases(folder: &std::path::Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match path.is_dir() {
            true => cases(&path, found),
            false if path.ends_with("expect.toml") => {}
            false => found.push(path),
        }
    }
}

#[test]
fn numbers_that_no_run_has_overflow_nothing() {
    let mut files = Vec::new();
    cases(&std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases"), &mut files);
    assert!(files.len() > 300, "{} files", files.len());
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        for huge in ["18446744073709551615", "1000000000000000000000000000000"] {
            // A number stands alone: what is part of a name, a time or a version stays.
            let mut input = Vec::new();
            let mut before = b' ';
            for piece in bytes.chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit()) {
                let number = piece[0].is_ascii_digit() && piece.len() < 6;
                let alone = matches!(before, b' ' | b'"' | b'(' | b':' | b'|' | b'\n' | b'\'' | b'.');
                input.extend_from_slice(if number && alone { huge.as_bytes() } else { piece });
                before = piece[piece.len() - 1];
            }
            let (report, _) = analyze(&input);
            let total = report.tests.map_or(0, |tests| tests.total.max(tests.failed + tests.errored));
            assert!(total < 1_000_000_000_000_000_000, "{}: {total} tests", file.display());
        }
    }
}

#[test]
fn a_folder_of_such_files_is_taken() {
    let Some(folder) = std::env::var_os("ADVERSARIAL").map(PathBuf::from) else {
        return eprintln!("skipped: ADVERSARIAL names no folder");
    };
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    for path in files.iter().filter(|path| path.extension().is_some_and(|extension| extension != "md")) {
        let bytes = std::fs::read(path).unwrap();
        let (report, action) = analyze(&bytes);
        let doubtful = report.notes.iter().any(|note| note.severity == Severity::Warning);
        let failed = report.outcome == Outcome::Failed || report.tests.is_some_and(|tests| tests.any_failed());
        assert!(action != Action::Accept || !doubtful && !failed, "{}: {report:#?}", path.display());
        // The words of a failing element decide, wherever it stands.
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        let tells = ["<failure", "<error", "outcome=\"failed\"", "\"status\":\"failed\"", "not ok "];
        if tells.iter().any(|tell| text.contains(tell)) {
            assert_ne!(action, Action::Accept, "{}", path.display());
            assert!(!report.causes.is_empty(), "{}", path.display());
        }
        let counted = report.tests.and_then(|tests| tests.passed).unwrap_or(0);
        assert_eq!(report.passed.len() as u64, counted, "{}", path.display());
    }
    assert!(files.len() > 20, "{} files", files.len());
}
