//! The command `whyred`: arguments in, rendering out.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;

use whyred::{Analyzer, Policy, Situation, Source, to_json};

fn main() -> ExitCode {
    let mut files = std::env::args().skip(1).filter(|argument| !argument.starts_with("--") && argument != "json");
    let Some(path) = files.next() else { return ExitCode::from(2) };
    let Ok(bytes) = std::fs::read(&path) else { return ExitCode::from(3) };
    let report = Analyzer::new().analyze([Source::bytes(path, bytes)]);
    let decision = Policy::default().decide(&report, &Situation::new());
    println!("{}", to_json(&report, &decision));
    ExitCode::SUCCESS
}
