//! What the benchmarks share.
#![allow(dead_code, reason = "each of them takes a part")]

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use quick_xml::Reader;
use quick_xml::events::Event;

/// The best of three runs over so many bytes, in MB/s.
pub fn rate(bytes: usize, mut run: impl FnMut()) -> f64 {
    let best = (0..3).map(|_| {
        let start = Instant::now();
        run();
        start.elapsed()
    });
    bytes as f64 / 1e6 / best.min().unwrap_or(Duration::MAX).as_secs_f64()
}

/// All events of a document and their attributes, nothing made of them, and how many elements it has: how fast a reader
/// of it can be. Each element is shown by its name.
pub fn xml_events(document: &str, mut element: impl FnMut(&[u8])) -> u64 {
    let mut reader = Reader::from_str(document);
    let mut elements = 0;
    loop {
        match reader.read_event().expect("it is well-formed") {
            Event::Start(tag) | Event::Empty(tag) => {
                elements += 1;
                element(tag.name().as_ref());
                for attribute in tag.attributes().with_checks(false).flatten() {
                    black_box(&attribute.value);
                }
            }
            Event::Text(text) => {
                black_box(&text);
            }
            Event::Eof => return elements,
            _ => {}
        }
    }
}

/// The folder of the cases of the tests.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

/// The logs among the cases of the tests, in the order of their names.
pub fn logs() -> Vec<PathBuf> {
    let (mut folders, mut found) = (vec![root()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the cases are at hand").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "log" || extension == "txt") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
