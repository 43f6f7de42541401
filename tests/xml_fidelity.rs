//! What reports in XML say must arrive to the letter, and nothing that was whole may be lost when they are cut.
//!
//! Failure texts are compared with what an independent reader finds, on well-formed reports: those of `tests/cases`
//! and, where a folder of others lies beside the repository, those too.

#![allow(clippy::print_stdout)]

use std::path::{Path, PathBuf};

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use whyred::{Action, Analyzer, Outcome, Policy, Report, Situation, Source};

fn analyze(bytes: &[u8]) -> Report {
    Analyzer::new().analyze([Source::bytes("report.xml", bytes)])
}

/// All files below a folder whose names end with one of these.
fn files(folder: &Path, ends: &[&str], found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, ends, found);
        } else if ends.iter().any(|end| path.to_string_lossy().ends_with(end)) {
            found.push(path);
        }
    }
    found.sort();
}

fn reports() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    files(&root.join("tests/cases"), &[".xml", ".trx"], &mut found);
    let beside = root.join("../shared/corpus");
    if beside.is_dir() {
        files(&beside, &[".xml", ".trx"], &mut found);
    } else {
        println!("there is no {}: only the own cases are compared", beside.display());
    }
    found
}

/// Whether an element tells of a failure: in JUnit's dialects, or as Robot Framework and libcheck write it.
fn is_failing(tag: &BytesStart<'_>) -> bool {
    matches!(tag.local_name().as_ref(), b"failure" | b"error" | b"status" | b"message")
}

/// The message attributes of a failing element. `None` if it is ill-formed.
fn message(tag: &BytesStart<'_>) -> Option<Vec<String>> {
    let mut found = Vec::new();
    for attribute in tag.attributes() {
        let attribute = attribute.ok()?;
        if attribute.key.as_ref() == b"message" {
            let value = std::str::from_utf8(&attribute.value).ok()?;
            found.push(quick_xml::escape::unescape(value).ok()?.into_owned());
        }
    }
    Some(found)
}

/// The texts of failing elements by the other reader: attributes and content. `None` if the report is ill-formed.
fn failing_texts(bytes: &[u8]) -> Option<Vec<String>> {
    let text = std::str::from_utf8(bytes).ok()?;
    let mut reader = Reader::from_str(text);
    let (mut texts, mut open, mut depth) = (Vec::new(), None::<String>, 0_u32);
    loop {
        match reader.read_event().ok()? {
            Event::Empty(tag) if is_failing(&tag) => texts.extend(message(&tag)?),
            Event::Start(tag) if open.is_none() && is_failing(&tag) => {
                texts.extend(message(&tag)?);
                (open, depth) = (Some(String::new()), 1);
            }
            Event::Start(_) if open.is_some() => depth += 1,
            Event::End(_) if open.is_some() => {
                depth -= 1;
                if depth == 0 {
                    texts.extend(open.take());
                }
            }
            Event::Text(piece) => {
                if let Some(open) = &mut open {
                    *open += &piece.xml_content(XmlVersion::Implicit1_0).ok()?;
                }
            }
            Event::CData(piece) => {
                if let Some(open) = &mut open {
                    *open += &piece.decode().ok()?;
                }
            }
            Event::GeneralRef(name) => {
                if let Some(open) = &mut open {
                    let name = name.decode().ok()?;
                    *open += &quick_xml::escape::unescape(&format!("&{name};")).ok()?;
                }
            }
            Event::Eof => return Some(texts),
            _ => {}
        }
    }
}

/// Letters and digits alone, so that only what is said is compared.
fn said(text: &str) -> String {
    text.chars().filter(|character| !character.is_whitespace() && !character.is_control()).collect()
}

#[test]
fn messages_arrive_to_the_letter() {
    let mut compared = 0;
    for path in reports() {
        let bytes = std::fs::read(&path).expect("it was listed");
        if bytes.contains(&0x1b) {
            continue;
        }
        let Some(texts) = failing_texts(&bytes) else { continue };
        let all: String = texts.iter().map(|text| said(text)).collect();
        for cause in analyze(&bytes).causes {
            // A quote is bounded, and a document may say things beside its failing elements.
            let quotes = cause.evidence.iter().map(|evidence| evidence.text.trim_end_matches('…'));
            for quote in quotes.filter(|quote| quote.contains(['<', '>', '&', '"', '\''])) {
                let raw = String::from_utf8_lossy(&bytes);
                let plain = raw.contains(quote);
                assert!(all.contains(&said(quote)) || plain, "{}: {quote:?}", path.display());
                compared += 1;
            }
        }
    }
    assert!(compared >= 3, "only {compared} quotes were compared");
}

#[test]
fn text_is_the_concatenation_of_its_pieces() {
    let message = |body: &str| {
        let xml =
            format!("<testsuite name=\"s\"><testcase name=\"a\"><failure>{body}</failure></testcase></testsuite>");
        analyze(xml.as_bytes()).causes[0].message.clone()
    };
    for (body, expected) in [
        ("Expected &lt;true&gt; but was &quot;no&quot; &amp; done", "Expected <true> but was \"no\" & done"),
        ("<![CDATA[a]]]]><![CDATA[>b]]>", "a]]>b"),
        ("pre <![CDATA[mid]]> post", "pre mid post"),
        ("one<!-- c -->two", "onetwo"),
        ("x &nbsp; y &foo; z & w", "x &nbsp; y &foo; z & w"),
        ("&#x27;a&#39; &#65;&#x1F600;", "'a' A\u{1f600}"),
        ("a < b && c <d", "a < b && c <d"),
        ("was <true> not <false/>", "was <true> not <false/>"),
        ("&#27;[31mred&#27;[0m", "red"),
    ] {
        assert_eq!(message(body), expected, "{body}");
    }
}

#[test]
fn a_cut_report_is_never_green_and_loses_no_whole_failure() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut all = Vec::new();
    files(&root, &[".xml", ".trx"], &mut all);
    let mut whole_files = 0;
    for path in all {
        let bytes = std::fs::read(&path).expect("it was listed");
        // Large reports are cut at fewer places.
        let step = 1 + bytes.len() / 400;
        let end = bytes.trim_ascii_end().len();
        let text = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let name = path.display().to_string();
        let lint = text.contains("<checkstyle");
        whole_files += 1;
        for at in (0..end).step_by(step) {
            let report = analyze(&bytes[..at]);
            let decision = Policy::default().decide(&report, &Situation::new());
            assert_ne!(report.outcome, Outcome::Passed, "{name} cut at {at}");
            assert_ne!(decision.action, Action::Accept, "{name} cut at {at}");
            if !lint && !name.contains("reruns") {
                let whole = bytes[..at].windows(10).filter(|window| window == b"</failure>").count();
                let failed = report.tests.map_or(0, |tests| tests.failed + tests.errored + tests.skipped);
                assert!(
                    whole == 0 || failed > 0 || name.contains("nunit") || name.contains("xunit"),
                    "{name} cut at {at}"
                );
            }
        }
    }
    assert!(whole_files > 5);
}

#[test]
fn nesting_and_size_are_bounded() {
    let deep = "<testsuite name=\"s\">".repeat(100_000)
        + "<testcase name=\"a\"><failure message=\"deep down\"/></testcase>"
        + &"</testsuite>".repeat(100_000);
    let report = analyze(deep.as_bytes());
    assert_eq!((report.outcome, report.tests.map(|tests| tests.failed)), (Outcome::Failed, Some(1)));
    assert_eq!(report.causes[0].message, "deep down");
    let long = format!(
        "<testsuite><testcase name=\"a\"><failure>Error: first{}last</failure></testcase></testsuite>",
        "\nmiddle of a text that never ends".repeat(200_000)
    );
    let report = analyze(long.as_bytes());
    assert_eq!(report.tests.map(|tests| tests.failed), Some(1));
    assert!(report.notes.iter().any(|note| note.message.contains("bytes of long failure texts")));
}

#[test]
fn other_xml_is_no_test_report() {
    for document in [
        "<?xml version=\"1.0\"?>\n<coverage line-rate=\"0.9\" version=\"6.5\"><packages/></coverage>",
        "<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head></html>",
        "<?xml version=\"1.0\"?><project xmlns=\"http://maven.apache.org/POM/4.0.0\"/>",
        "<assembly xmlns=\"urn:schemas-microsoft-com:asm.v1\" manifestVersion=\"1.0\"/>",
    ] {
        assert_eq!(analyze(document.as_bytes()).sources[0].format, "log", "{document}");
    }
}
