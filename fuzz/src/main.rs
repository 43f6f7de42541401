//! Feeds broken inputs to the library for as long as it is told, and keeps those that it cannot take.
//!
//! ```console
//! cargo run --release --manifest-path fuzz/Cargo.toml -- --list
//! cargo run --release --manifest-path fuzz/Cargo.toml -- --target junit-xml --seconds 600 [--seed N]
//! cargo run --release --manifest-path fuzz/Cargo.toml -- --target all --seconds 60
//! ```
//!
//! There is a target for each format. Its seeds are the inputs of `tests/cases` that are of the format and those of
//! [`seeds`]. They are cut, spliced, repeated and flipped, and read with the format told and found out, whole and in
//! pieces. What must hold of any report is written in `tests/support/broken.rs`. An input that breaks it is kept in
//! `fuzz/artifacts` and becomes a case once the fault is mended.

#[path = "../../tests/support/broken.rs"]
mod broken;
mod seeds;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use broken::{Random, analyze, hold, hold_cut, mutate};
use whyred::{Format, Outcome, Report};

const USAGE: &str = "usage: whyred-fuzz [--list] [--target FORMAT|all] [--seconds N] [--seed N]

--target   the format that is tried, or all of them in turn, which is the default
--seconds  for how long, all targets together (10)
--seed     where the generator begins (1)";

/// How long a megabyte may take in a build with checks, on a machine that does other things too.
const PATIENCE: Duration = Duration::from_secs(10);

/// The largest input that is made.
const MAX_INPUT: usize = 200_000;

fn main() -> ExitCode {
    let mut seconds = 10;
    let mut targets: Vec<Format> = Format::ALL.to_vec();
    let mut seed = 1;
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        if arg == "--list" {
            Format::ALL.iter().for_each(|format| println!("{format}"));
            return ExitCode::SUCCESS;
        }
        let value = args.next().unwrap_or_default();
        match (arg.as_str(), value.parse::<u64>(), value.parse::<Format>()) {
            ("--seconds", Ok(number), _) => seconds = number,
            ("--seed", Ok(number), _) => seed = number,
            ("--target", _, Ok(format)) => targets = vec![format],
            ("--target", _, _) if value == "all" => {}
            _ => {
                eprintln!("{USAGE}");
                return ExitCode::from(2);
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut inputs = Vec::new();
    gather(&root.join("../tests/cases"), &mut inputs);
    let cases: Vec<Seed> = inputs.into_iter().map(Seed::of).collect();
    std::panic::set_hook(Box::new(|_| {}));
    let time = Duration::from_secs(seconds) / targets.len() as u32;
    let found: u64 = targets.into_iter().map(|format| run(root, format, &cases, time, seed)).sum();
    if found == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// An input that is not broken yet.
struct Seed {
    bytes: Vec<u8>,
    report: Report,
}

impl Seed {
    fn of(bytes: Vec<u8>) -> Seed {
        let report = analyze(&bytes, None);
        Seed { bytes, report }
    }

    fn is(&self, format: Format) -> bool {
        self.report.sources.first().is_some_and(|source| source.format == format.as_str())
    }
}

/// Tries one format, and tells how many faults were found.
fn run(root: &Path, format: Format, cases: &[Seed], time: Duration, seed: u64) -> u64 {
    let own: Vec<Seed> = seeds::of(format).iter().map(|text| Seed::of(text.as_bytes().to_vec())).collect();
    let all: Vec<&Seed> = cases.iter().filter(|seed| seed.is(format)).chain(&own).collect();
    if all.is_empty() {
        println!("{format}: no seeds");
        return 1;
    }
    let mut random = Random(seed);
    let (begin, mut runs, mut bytes, mut found) = (Instant::now(), 0_u64, 0_u64, 0);
    while begin.elapsed() < time && found < 20 {
        runs += 1;
        let one = random.pick(&all);
        let other = if random.below(4) == 0 { &cases[random.below(cases.len())] } else { random.pick(&all) };
        let (input, result) = attempt(format, one, other, &mut random);
        bytes += input.len() as u64;
        if let Err(fault) = result {
            found += 1;
            let file = root.join(format!("artifacts/{format}-{seed}-{runs}"));
            let _ = fs::create_dir_all(root.join("artifacts"));
            let _ = fs::write(&file, &input);
            eprintln!("{format}: {fault}: {}", file.display());
        }
    }
    let spent = begin.elapsed().as_secs_f64();
    let (seeds, size) = (all.len(), bytes as f64 / 1e6);
    println!("{format}: {runs} inputs from {seeds} seeds, {size:.1} MB in {spent:.1} s, {found} faults");
    found
}

/// Breaks a seed in one way, and checks what must hold then.
fn attempt(format: Format, one: &Seed, other: &Seed, random: &mut Random) -> (Vec<u8>, Result<(), String>) {
    let seed = random.next();
    match random.below(8) {
        // A report that was cut.
        0 | 1 => {
            let at = random.below(one.bytes.len() + 1);
            let result = hold_cut(&one.bytes, at, &one.report, is_document(format) && one.is(format));
            (one.bytes[..at].to_vec(), result.map(drop))
        }
        // A report among other lines.
        2 => {
            let lines = |random: &mut Random| NOISE.repeat(random.below(4));
            let input = [lines(random).as_bytes(), &one.bytes, b"\n", lines(random).as_bytes()].concat();
            let result = hold(&input, None, PATIENCE, seed).and_then(|report| {
                let lost = one.report.outcome == Outcome::Failed && report.outcome == Outcome::Passed;
                if lost { Err("what failed alone passes among other lines".to_owned()) } else { Ok(()) }
            });
            (input, result)
        }
        _ => {
            let input = mutate(&one.bytes, &other.bytes, random, MAX_INPUT);
            let told = if random.below(2) == 0 { Some(format) } else { None };
            let result = hold(&input, told, PATIENCE, seed).map(drop);
            (input, result)
        }
    }
}

/// What says nothing.
const NOISE: &str = "Preparing the workspace\n  fetched 412 objects\n\n";

/// Whether a format has an end of its own, so that a part of it is never the whole. The results of an agent runtime
/// follow one another, and nothing tells which is the last.
fn is_document(format: Format) -> bool {
    let lines =
        [Format::Log, Format::Tap, Format::GoTestJson, Format::LibtestJson, Format::Message, Format::AgentResult];
    !lines.contains(&format)
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
