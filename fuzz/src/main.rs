//! Feeds broken inputs to the library for as long as it is told, and keeps those that it cannot take.
//!
//! ```console
//! cargo run --release --manifest-path fuzz/Cargo.toml -- --seconds 600 [--target whole|junit|json|log|message] [--seed N]
//! ```
//!
//! The inputs of `tests/cases` are cut, spliced, repeated and flipped. What must hold of any report: no panic, no
//! evidence outside the input, the same answer twice and in pieces, no more than a second for a megabyte. An input
//! that breaks one of these is written to `fuzz/artifacts` and becomes a case once the fault is mended.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use whyred::{Analyzer, Format, Policy, Report, Situation, Source, to_json};

const USAGE: &str = "usage: whyred-fuzz [--seconds N] [--target whole|junit|json|log|message] [--seed N]";

fn main() -> ExitCode {
    let mut seconds = 10;
    let mut target = "whole".to_owned();
    let mut seed = 1;
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let value = args.next().unwrap_or_default();
        match (arg.as_str(), value.parse::<u64>()) {
            ("--seconds", Ok(number)) => seconds = number,
            ("--seed", Ok(number)) => seed = number,
            ("--target", _) => target = value,
            _ => {
                eprintln!("{USAGE}");
                return ExitCode::from(2);
            }
        }
    }
    let format = match target.as_str() {
        "whole" => None,
        "junit" => Some(Format::JunitXml),
        "json" => Some(Format::JestJson),
        "log" => Some(Format::Log),
        "message" => Some(Format::Message),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut inputs = Vec::new();
    gather(&root.join("../tests/cases"), &mut inputs);
    if inputs.is_empty() {
        eprintln!("no inputs in tests/cases");
        return ExitCode::from(2);
    }
    std::panic::set_hook(Box::new(|_| {}));
    let mut random = Random(seed);
    let (begin, limit) = (Instant::now(), Duration::from_secs(seconds));
    let (mut runs, mut bytes, mut found) = (0_u64, 0_u64, 0);
    while begin.elapsed() < limit && found < 20 {
        let one = &inputs[random.below(inputs.len())];
        let other = &inputs[random.below(inputs.len())];
        let input = mutate(one, other, &mut random);
        runs += 1;
        bytes += input.len() as u64;
        let piece = random.below(4000) + 1;
        if let Err(fault) = hold(&input, format, piece) {
            found += 1;
            let file = root.join(format!("artifacts/{target}-{seed}-{runs}"));
            let _ = fs::create_dir_all(root.join("artifacts"));
            let _ = fs::write(&file, &input);
            eprintln!("{fault}: {}", file.display());
        }
    }
    let spent = begin.elapsed().as_secs_f64();
    println!("{target}: {runs} inputs, {:.1} MB in {spent:.1} s, {found} faults", bytes as f64 / 1e6);
    if found == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn gather(folder: &Path, inputs: &mut Vec<Vec<u8>>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            gather(&path, inputs);
        } else if path.file_name().is_some_and(|name| name != "expect.toml") {
            inputs.extend(fs::read(&path));
        }
    }
}

fn analyze(bytes: &[u8], format: Option<Format>) -> Report {
    let source = Source::bytes("input", bytes);
    Analyzer::new().analyze([match format {
        Some(format) => source.format(format),
        None => source,
    }])
}

fn hold(bytes: &[u8], format: Option<Format>, piece: usize) -> Result<(), String> {
    let begin = Instant::now();
    let report = std::panic::catch_unwind(|| analyze(bytes, format)).map_err(|_| "panic".to_owned())?;
    let limit = Duration::from_millis(200 + bytes.len() as u64 / 1000);
    if begin.elapsed() > limit {
        return Err(format!("{} bytes took {:?}", bytes.len(), begin.elapsed()));
    }
    let decision = Policy::default().decide(&report, &Situation::new());
    let json = std::panic::catch_unwind(|| {
        let _ = whyred::Text::new().render(&report, &decision);
        let _ = whyred::to_markdown(&report, &decision);
        let _ = whyred::to_github(&report, &decision);
        to_json(&report, &decision)
    });
    let json = json.map_err(|_| "panic in a renderer".to_owned())?;
    if json.contains('\x1b') {
        return Err("an escape in the output".to_owned());
    }
    if analyze(bytes, format) != report {
        return Err("two answers".to_owned());
    }
    if format.is_none() {
        let mut session = Analyzer::new().session("input");
        bytes.chunks(piece).for_each(|piece| session.push(piece));
        if session.finish() != report {
            return Err(format!("another answer in pieces of {piece}"));
        }
    }
    let recoded = report.notes.iter().any(|note| note.message.contains("UTF-16"));
    for evidence in report.causes.iter().flat_map(|cause| &cause.evidence).filter(|_| !recoded) {
        let (start, end) = (evidence.byte_start, evidence.byte_end);
        if start > end || end > bytes.len() as u64 {
            return Err(format!("evidence at {start}..{end} of {}", bytes.len()));
        }
        let line = 1 + bytes[..start as usize].iter().filter(|byte| **byte == b'\n').count() as u64;
        if line != evidence.line {
            return Err(format!("evidence on line {} is on line {line}", evidence.line));
        }
    }
    Ok(())
}

/// Cuts, splices, repeats, flips, and sometimes swells one place.
fn mutate(bytes: &[u8], other: &[u8], random: &mut Random) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for _ in 0..=random.below(5) {
        let at = random.below(out.len() + 1);
        let end = (at + random.below(400)).min(out.len());
        match random.below(8) {
            0 => out.truncate(at),
            1 => drop(out.drain(at..end)),
            2 => {
                let from = random.below(other.len() + 1);
                let piece = &other[from..(from + random.below(2000)).min(other.len())];
                drop(out.splice(at..at, piece.iter().copied()));
            }
            3 => {
                let piece = out[at..end].repeat(1 + random.below(3));
                drop(out.splice(at..at, piece));
            }
            4 => out.insert(at, b"\0\x1b\r\n\"<>&\xff\xc3{}[]/\\ "[random.below(17)]),
            5 if out.len() < 100_000 => {
                let piece = out[at..(at + random.below(30)).min(out.len())].repeat(random.below(3000));
                drop(out.splice(at..at, piece));
            }
            _ => {
                for _ in 0..random.below(12) {
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

/// SplitMix64.
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
