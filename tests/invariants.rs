//! Any bytes give a report: no panic, evidence within the input, the same answer twice and in pieces.
//!
//! The inputs are those of `tests/cases`, cut, spliced and flipped by a small generator with a fixed seed. The same
//! is done without end, and for each format, in `fuzz/`.

#[path = "support/broken.rs"]
mod broken;
mod support;

use std::time::Duration;

use broken::{Random, analyze, hold, mutate};
use whyred::{Analyzer, Source};

/// How many broken forms of each input are tried.
const FORMS: u64 = 3;

/// Larger inputs are cut to this, so that the test stays quick.
const MAX_INPUT: usize = 24 * 1024;

/// A debug build on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

#[track_caller]
fn holds(name: &str, bytes: &[u8]) {
    if let Err(fault) = hold(bytes, None, PATIENCE, bytes.len() as u64) {
        panic!("{name}: {fault} on {:?}", String::from_utf8_lossy(&bytes[..bytes.len().min(2000)]));
    }
}

#[test]
fn any_bytes_give_a_report() {
    let inputs = inputs();
    let mut random = Random(0x5eed);
    for (index, (name, bytes)) in inputs.iter().enumerate() {
        holds(name, bytes);
        for _ in 0..FORMS {
            let other = &inputs[random.below(inputs.len())].1;
            let broken = mutate(bytes, other, &mut random, MAX_INPUT);
            holds(&format!("{name}, broken by seed {index}"), &broken);
        }
    }
}

#[test]
fn noise_gives_a_report() {
    let mut random = Random(7);
    for length in [0, 1, 2, 3, 5, 17, 255, 256, 4096] {
        for _ in 0..4 {
            let bytes: Vec<u8> = (0..length).map(|_| random.next() as u8).collect();
            holds("noise", &bytes);
            let marks = b"<>{}[]\"'&;/\\: \n\r\t\x1b[#!-=a1";
            let text: Vec<u8> = bytes.iter().map(|byte| marks[usize::from(*byte) % marks.len()]).collect();
            holds("noise of punctuation", &text);
        }
    }
}

#[test]
fn nesting_has_no_depth() {
    for unit in ["[", "{\"a\":", "<testsuite>", "<a><b>", "((((", "{[", "##[group]Run x\n", "> ", "- "] {
        let deep = unit.repeat(20_000);
        assert_eq!(analyze(deep.as_bytes(), None), analyze(deep.as_bytes(), None), "{unit}");
    }
}

#[test]
fn a_session_gives_the_report_of_the_whole() {
    let mut random = Random(11);
    for (name, bytes) in inputs() {
        let whole = analyze(&bytes, None);
        let size = random.below(5000) + 1;
        let mut session = Analyzer::new().session("input");
        bytes.chunks(size).for_each(|piece| session.push(piece));
        assert_eq!(session.finish(), whole, "{name} in pieces of {size}");
    }
}

/// An input is searched in pieces of 256 KiB: wherever in a line one of them ends, nothing is missed or told twice.
#[test]
fn the_edge_of_a_piece_hides_nothing() {
    const PIECE: usize = 256 * 1024;
    let log = "npm ERR! code ENOSPC\nnode:internal/modules/cjs/loader:1\n  throw err;\n  ^\n\nError: Cannot find module 'x'\n";
    let behind = |before: usize| {
        let quiet = b"all is quiet\n".iter().copied().cycle().skip(13 - before % 13).take(before);
        let bytes: Vec<u8> = quiet.chain(log.bytes()).collect();
        let report = Analyzer::new().analyze([Source::reader("log", &bytes[..])]);
        let causes = report.causes.into_iter().map(|cause| (cause.kind, cause.subject, cause.count));
        causes.collect::<Vec<_>>()
    };
    let near = behind(13);
    assert_eq!(near.len(), 1, "{near:?}");
    for at in 0..=log.len() {
        assert_eq!(behind(PIECE - at), near, "the piece ends at byte {at}");
    }
}

/// Every byte of every case, each input alone.
fn inputs() -> Vec<(String, Vec<u8>)> {
    let mut inputs = Vec::new();
    for case in support::cases() {
        for (file, mut bytes) in case.inputs {
            bytes.truncate(MAX_INPUT);
            inputs.push((format!("{}/{file}", case.name), bytes));
        }
    }
    inputs
}
