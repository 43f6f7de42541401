//! The texts of failures, line by line, beside those that an independent reader finds in the same report.
//!
//! The reports are those of `tests/cases` and, where folders with others lie beside the repository, those too. Reports
//! that the strict reader refuses are compared nowhere else, so damaged ones have tests of their own.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};

use crate::format::Place;
use crate::item::Item;
use crate::log::strip_escapes;
use crate::report::Failure;

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "xml") {
            found.push(path);
        }
    }
    found.sort();
}

/// The failures of a report, and whether some of their text was left out.
fn failures(bytes: &[u8]) -> (Vec<Failure>, bool) {
    let (mut failures, mut bounded) = (Vec::new(), false);
    super::open().parse(bytes, &mut Place::START.clone(), true, &mut |item| match item {
        Item::Failure(failure) => failures.push(failure),
        Item::Note(note) => bounded |= note.message.contains("left out"),
        _ => {}
    });
    (failures, bounded)
}

/// What the strict reader finds.
#[derive(Default)]
struct Found {
    /// Messages and bodies of elements that tell of a failure.
    failing: Vec<String>,
    /// All other text.
    other: String,
}

fn is_failing(tag: &BytesStart<'_>) -> bool {
    let name = tag.local_name();
    matches!(name.as_ref(), b"failure" | b"error" | b"rerunFailure" | b"rerunError")
}

fn is_output(name: &[u8]) -> bool {
    matches!(name, b"system-out" | b"system-err")
}

/// `None` if the report is ill-formed.
fn strict(bytes: &[u8]) -> Option<Found> {
    let mut reader = Reader::from_str(std::str::from_utf8(bytes).ok()?);
    let (mut found, mut depth) = (Found::default(), 0_u32);
    let mut body = String::new();
    // A todo may fail, which is no failure.
    let mut may_fail = false;
    // What an attempt printed is told of the last one alone.
    let mut prints = false;
    loop {
        let event = reader.read_event().ok()?;
        match &event {
            Event::Start(tag) | Event::Empty(tag) => {
                let mut message = None;
                for attribute in tag.attributes() {
                    let attribute = attribute.ok()?;
                    let value = std::str::from_utf8(&attribute.value).ok()?;
                    let value = quick_xml::escape::unescape(value).ok()?.into_owned();
                    match attribute.key.as_ref() {
                        b"message" | b"failure" => message = Some(value),
                        // Where nothing else is said, the type is told.
                        b"type" => found.other.push_str(&format!("\n{value}\n")),
                        _ => {}
                    }
                }
                let open = matches!(event, Event::Start(_));
                if depth > 0 {
                    depth += u32::from(open);
                    // Children hold texts of their own.
                    body.push('\n');
                    found.other.push('\n');
                    prints |= open && is_output(tag.local_name().as_ref());
                } else if is_failing(tag) && !may_fail {
                    found.failing.extend(message);
                    depth = u32::from(open);
                } else {
                    found.other.push('\n');
                    found.other.extend(message);
                    let name = tag.local_name();
                    may_fail |= name.as_ref() == b"skipped";
                    may_fail &= name.as_ref() != b"testcase";
                }
            }
            Event::End(tag) if depth > 0 => {
                depth -= 1;
                body.push('\n');
                found.other.push('\n');
                prints &= !is_output(tag.local_name().as_ref());
                if depth == 0 {
                    found.failing.push(std::mem::take(&mut body));
                }
            }
            Event::End(_) => found.other.push('\n'),
            Event::Text(text) => {
                let text = text.xml_content(XmlVersion::Implicit1_0).ok()?;
                if depth > 0 && !prints { &mut body } else { &mut found.other }.push_str(&text);
            }
            Event::CData(text) => {
                if depth > 0 && !prints { &mut body } else { &mut found.other }.push_str(&text.decode().ok()?);
            }
            Event::GeneralRef(name) => {
                let text = quick_xml::escape::unescape(&format!("&{};", name.decode().ok()?)).ok()?.into_owned();
                if depth > 0 && !prints { &mut body } else { &mut found.other }.push_str(&text);
            }
            Event::Eof => return (depth == 0).then_some(found),
            _ => {}
        }
    }
}

/// The lines of a text as it may be shown, without what stands around them.
fn lines(text: &str) -> Vec<String> {
    let shown = |line: &str| {
        let line = strip_escapes(line.as_bytes()).into_owned();
        let control = |character: char| character.is_control() && character != '\t';
        line.chars().map(|character| if control(character) { '\u{fffd}' } else { character }).collect::<String>()
    };
    let trimmed = text.split('\n').map(|line| shown(line.trim_end_matches(['\r', ' ', '\t'])));
    trimmed.map(|line| line.trim_end().to_owned()).filter(|line| !line.trim().is_empty()).collect()
}

#[test]
fn no_line_of_a_failure_is_altered_or_lost() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut paths = Vec::new();
    files(&root.join("tests/cases"), &mut paths);
    files(&root.join("../shared/corpus"), &mut paths);
    let (mut reports, mut compared, mut wrong) = (0, 0, Vec::new());
    for path in paths {
        let bytes = std::fs::read(&path).expect("it was listed");
        if crate::format::detect(&bytes) != Some(crate::format::Format::JunitXml) {
            continue;
        }
        let Some(found) = strict(&bytes) else { continue };
        let (failures, bounded) = failures(&bytes);
        let ours: BTreeSet<&str> =
            failures.iter().flat_map(|failure| &failure.text).map(|line| line.text.trim_end()).collect();
        let texts = found.failing.iter().map(String::as_str);
        let theirs: BTreeSet<String> = texts.chain([found.other.as_str()]).flat_map(lines).collect();
        // A message that the body repeats behind a type is told once.
        let repeated = |line: &str| ours.iter().any(|own| own.ends_with(line));
        for line in ours.iter().filter(|line| **line != "the report holds no tests") {
            // What jest-junit folds into JSON is unfolded, so it is looked for within.
            let within = || found.failing.iter().any(|text| text.contains(line.trim()));
            let whole = line.trim().is_empty() || theirs.contains(*line) || line.len() >= 4096 || within();
            if !whole {
                wrong.push(format!("{}: {line:?} is nowhere in it", path.display()));
            }
            compared += 1;
        }
        if failures.is_empty() || bounded {
            continue;
        }
        for line in found.failing.iter().flat_map(|text| lines(text)) {
            // Failures that Boost.Test expected are told of nowhere.
            let expected = path.to_string_lossy().contains("boost174-expected-failures");
            let told = expected || ours.contains(line.as_str()) || repeated(&line) || line.starts_with("{\"");
            if !told {
                wrong.push(format!("{}: {line:?} is lost", path.display()));
            }
        }
        reports += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(reports >= 8 && compared >= 100, "only {compared} lines of {reports} reports were compared");
}
