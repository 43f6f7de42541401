//! A coordinator that starts two workers, sees its calls time out, hears from the validator, lacks authority, gets it,
//! and accepts in the end. `cargo run --example coordinator` tells the story over the files in `tests/cases`.

#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::error::Error;
use std::path::Path;

use whyred::{Action, Analyzer, Decision, History, MemoryHistory, Policy, Report, Situation, Source, diff};

fn main() -> Result<(), Box<dyn Error>> {
    let policy = Policy::default();
    let mut history = MemoryHistory::new();

    chapter("Two workers are started, and the gateway does not answer in time");
    let spawned = read(&["message/coordinator-action/message.md"])?;
    let decision = policy.decide(&spawned, &Situation::new());
    tell(&spawned, &decision);
    assert_eq!(decision.action, Action::Verify, "starting them again could make four of them");

    chapter("The validator reports, and workers may not be started");
    let failed = read(&["message/validation-failure/message.md"])?;
    let situation = Situation::new().task("melo-v2").input("commit-1").now_ms(1_000);
    let decision = policy.decide(&failed, &situation);
    tell(&failed, &decision);
    assert_eq!(decision.action, Action::Escalate);

    chapter("Authority is granted, and two workers are free");
    let situation = situation.may_dispatch(true).free_slots(2).past(history.events()?);
    let decision = policy.decide(&failed, &situation);
    tell(&failed, &decision);
    assert_eq!(decision.action, Action::Repair);
    for repair in &decision.plan {
        println!("\n  a worker is told:\n    {}", repair.brief.replace('\n', "\n    "));
    }
    history.record(situation.event(&failed, &decision))?;

    chapter("The work comes back: what the tools themselves print, the build repaired");
    let before = read(&["melo-v2/raw/build.log", "melo-v2/raw/tests.log"])?;
    let after = read(&["melo-v2/raw/tests.log"])?;
    let change = diff(&before, &after);
    println!(
        "  {}: {} fixed, {} new, {} persist",
        change.verdict,
        change.fixed.len(),
        change.new.len(),
        change.persisting.len()
    );
    let situation = Situation::new().task("melo-v2").input("commit-2").now_ms(2_000).may_dispatch(true);
    let decision = policy.decide(&after, &situation.clone().past(history.events()?));
    tell(&after, &decision);
    assert_eq!(decision.action, Action::Repair);
    history.record(situation.event(&after, &decision))?;

    chapter("The second round is green");
    let green = Source::bytes(
        "tests.log",
        &b"Test Suites: 7 passed, 7 total\nTests:       4 skipped, 449 passed, 453 total\n"[..],
    );
    let green = Analyzer::new().exit_code(0).analyze([green]);
    println!("  {} since the last report", diff(&after, &green).verdict);
    let situation = Situation::new().task("melo-v2").input("commit-3").now_ms(3_000);
    let decision = policy.decide(&green, &situation.past(history.events()?));
    tell(&green, &decision);
    assert_eq!(decision.action, Action::Accept);
    Ok(())
}

/// Reads files of `tests/cases` into one report.
fn read(names: &[&str]) -> Result<Report, Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut sources = Vec::new();
    for name in names {
        sources.push(Source::bytes(*name, std::fs::read(folder.join(name))?));
    }
    Ok(Analyzer::new().analyze(sources))
}

fn chapter(title: &str) {
    println!("\n# {title}\n");
}

fn tell(report: &Report, decision: &Decision) {
    println!("  {}, so {}", report.outcome, decision.action);
    for reason in &decision.reasons {
        println!("  - {reason}");
    }
    for check in &decision.checks {
        println!("  check: {check}");
    }
    if let Some(escalation) = &decision.escalation {
        println!("  {} is asked for: {}", escalation.to, escalation.need);
    }
}
