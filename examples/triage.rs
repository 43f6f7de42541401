//! Tells what is wrong in the logs named on the command line: `cargo run --example triage -- build.log`.

#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::process::ExitCode;

use whyred::{Analyzer, Policy, Situation, Source};

fn main() -> ExitCode {
    let mut sources = Vec::new();
    for path in std::env::args().skip(1) {
        match std::fs::read(&path) {
            Ok(bytes) => sources.push(Source::bytes(path, bytes)),
            Err(error) => {
                eprintln!("{path}: {error}");
                return ExitCode::from(3);
            }
        }
    }
    let report = Analyzer::new().analyze(sources);
    let decision = Policy::default().decide(&report, &Situation::new());

    println!("{}, so {}", report.outcome, decision.action);
    for cause in &report.causes {
        let subject = cause.subject.as_deref().unwrap_or("-");
        println!("{:>4} x {} {subject}", cause.count, cause.kind);
        if let Some(evidence) = cause.evidence.first() {
            println!("       {}:{}: {}", evidence.source, evidence.line, evidence.text);
        }
    }
    for reason in &decision.reasons {
        println!("- {reason}");
    }
    ExitCode::SUCCESS
}
