//! Any bytes give a report: no panic, evidence within the input, the same answer twice and in pieces.
//!
//! The inputs are those of `tests/cases`, cut, spliced and flipped by a small generator with a fixed seed. The same
//! is done without end in `fuzz/`.

mod support;

use whyred::{Analyzer, Policy, Report, Situation, Source, to_json};

/// How many broken forms of each input are tried.
const FORMS: u64 = 6;

/// Larger inputs are cut to this, so that the test stays quick.
const MAX_INPUT: usize = 24 * 1024;

#[test]
fn any_bytes_give_a_report() {
    let inputs = inputs();
    let mut random = Random(0x5eed);
    for (index, (name, bytes)) in inputs.iter().enumerate() {
        hold(name, bytes);
        for _ in 0..FORMS {
            let other = &inputs[random.below(inputs.len())].1;
            let broken = mutate(bytes, other, &mut random);
            hold(&format!("{name}, broken by seed {index}"), &broken);
        }
    }
}

#[test]
fn noise_gives_a_report() {
    let mut random = Random(7);
    for length in [0, 1, 2, 3, 5, 17, 255, 256, 4096] {
        for _ in 0..4 {
            let bytes: Vec<u8> = (0..length).map(|_| random.next() as u8).collect();
            hold("noise", &bytes);
            let marks = b"<>{}[]\"'&;/\\: \n\r\t\x1b[#!-=a1";
            let text: Vec<u8> = bytes.iter().map(|byte| marks[usize::from(*byte) % marks.len()]).collect();
            hold("noise of punctuation", &text);
        }
    }
}

#[test]
fn nesting_has_no_depth() {
    for unit in ["[", "{\"a\":", "<testsuite>", "<a><b>", "((((", "{[", "##[group]Run x\n", "> ", "- "] {
        hold(unit, unit.repeat(20_000).as_bytes());
    }
}

#[test]
fn pieces_of_any_size_give_the_same_report() {
    let mut random = Random(11);
    for (name, bytes) in inputs() {
        let whole = analyze(&bytes);
        for size in [1, 7, 64, 1021, random.below(5000) + 1] {
            if size < 64 && bytes.len() > 4096 {
                continue;
            }
            let mut session = Analyzer::new().session("input");
            for piece in bytes.chunks(size) {
                session.push(piece);
            }
            let pieces = session.finish();
            assert_eq!(pieces, whole, "{name} in pieces of {size}");
        }
        let reader = Source::reader("input", bytes.as_slice());
        assert_eq!(Analyzer::new().analyze([reader]), whole, "{name} through a reader");
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

fn analyze(bytes: &[u8]) -> Report {
    Analyzer::new().analyze([Source::bytes("input", bytes)])
}

/// Analyzes bytes twice and checks what must hold for any report.
#[track_caller]
fn hold(name: &str, bytes: &[u8]) {
    let result = std::panic::catch_unwind(|| (analyze(bytes), analyze(bytes)));
    let Ok((report, again)) = result else {
        panic!("a panic on {name}: {:?}", String::from_utf8_lossy(&bytes[..bytes.len().min(2000)]));
    };
    let decision = Policy::default().decide(&report, &Situation::new());
    let json = to_json(&report, &decision);
    assert_eq!(json, to_json(&again, &Policy::default().decide(&again, &Situation::new())), "{name}: two answers");
    assert!(report.causes.len() <= Report::MAX_CAUSES, "{name}: too many causes");
    // Offsets of UTF-16 are those of its UTF-8 form.
    let recoded = report.notes.iter().any(|note| note.message.contains("UTF-16"));
    let line_at = |offset: u64| 1 + bytes[..offset as usize].iter().filter(|byte| **byte == b'\n').count() as u64;
    for cause in &report.causes {
        assert!(cause.count >= 1, "{name}: a cause without failures");
        assert!((0.0..=1.0).contains(&cause.confidence), "{name}: confidence {}", cause.confidence);
        assert!(!cause.evidence.is_empty(), "{name}: {} without evidence", cause.kind);
        for evidence in cause.evidence.iter().filter(|_| !recoded) {
            let (start, end) = (evidence.byte_start, evidence.byte_end);
            let place = format!("{name}: {} {start}..{end} of {}, line {}", cause.rule, bytes.len(), evidence.line);
            assert!(start <= end && end <= bytes.len() as u64, "{place}: outside");
            assert!(evidence.line >= 1 && evidence.line <= evidence.last_line, "{place}: to {}", evidence.last_line);
            assert_eq!(line_at(start), evidence.line, "{place}: another line");
            assert_eq!(line_at(end.saturating_sub(1).max(start)), evidence.last_line, "{place}: another last line");
            assert!(evidence.text.chars().count() <= 501, "{place}: a long quote");
        }
    }
}

/// Cuts, splices, repeats and flips.
fn mutate(bytes: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for _ in 0..=random.below(3) {
        let at = random.below(out.len() + 1);
        match random.below(6) {
            0 => out.truncate(at),
            1 => {
                let end = (at + random.below(200)).min(out.len());
                out.drain(at..end);
            }
            2 => {
                let from = random.below(other.len() + 1);
                let piece = &other[from..(from + random.below(400)).min(other.len())];
                out.splice(at..at, piece.iter().copied());
            }
            3 => {
                let end = (at + random.below(300)).min(out.len());
                let piece = out[at..end].to_vec();
                out.splice(at..at, piece);
            }
            4 => out.insert(at, b"\0\x1b\r\n\"<>&\xff\xc3{}"[random.below(12)]),
            _ => {
                for _ in 0..random.below(8) {
                    if !out.is_empty() {
                        let index = random.below(out.len());
                        out[index] ^= 1 << random.below(8);
                    }
                }
            }
        }
    }
    out
}

/// SplitMix64: enough to vary inputs, the same on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}
