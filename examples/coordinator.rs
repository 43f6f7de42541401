//! A coordinator at work, over the files in `tests/cases`: it starts two workers and its calls time out, the validator
//! rejects the work, it may not start workers, asks a person, is granted it, has the work repaired in the order of the
//! plan, holds each repair against the run before, and accepts in the end.
//!
//! `cargo run --example coordinator` tells the story. Each step is asserted, so that it also is a test of the whole.

#![allow(clippy::print_stdout)]

use std::error::Error;
use std::path::Path;

use whyred::{
    Action, Analyzer, Decision, History, MemoryHistory, Outcome, Policy, Report, Situation, Source, Standing, Verdict,
    diff, diff_to_text, to_board, to_escalation,
};

fn main() -> Result<(), Box<dyn Error>> {
    let policy = Policy::default();
    let mut history = MemoryHistory::new();

    chapter("Two workers are started, and the gateway does not answer in time");
    let spawned = read(&["message/coordinator-action/message.md"])?;
    let situation = Situation::new().task("dispatch").now_ms(1_000);
    let decision = policy.decide(&spawned, &situation);
    tell(&spawned, &decision);
    assert_eq!(decision.action, Action::Verify, "starting them again could make four of two");
    assert!(decision.checks[0].contains("agent:main:subagent:"), "it says which sessions to look for");
    history.record(situation.event(&spawned, &decision))?;
    println!("\n  The sessions are there: the workers are at work, and nothing is started twice.");

    chapter("The validator rejects the work, and workers may not be started");
    let rejected = read(&["message/validation-failure/message.md"])?;
    let situation = Situation::new().task("melo-v2").input("commit-1").now_ms(2_000).past(history.events()?);
    let decision = policy.decide(&rejected, &situation);
    tell(&rejected, &decision);
    assert_eq!(decision.action, Action::Escalate);
    assert_eq!(rejected.unexplained(), 62, "96 failed tests are 12 + 22 and 62 of which nothing is said");
    assert!(rejected.causes.iter().all(|cause| rejected.is_claimed(cause)), "no output was pasted");
    history.record(situation.event(&rejected, &decision))?;

    chapter("A person is asked, in a report of their own");
    let escalation = to_escalation(&rejected, &decision);
    show(&escalation, 18);
    assert!(escalation.starts_with("# Escalation: permission_denied"));
    println!("\n  And on the job board:\n");
    show(&to_board(&rejected, &decision), 9);

    chapter("Authority is granted, and two workers are free");
    let situation = situation.may_dispatch(true).free_slots(2).past(history.events()?);
    let decision = policy.decide(&rejected, &situation);
    tell(&rejected, &decision);
    assert_eq!((decision.action, decision.plan.len()), (Action::Repair, 2), "as many pieces as there are workers");
    for (index, piece) in decision.plan.iter().enumerate() {
        println!("\n  worker {} is told:\n", index + 1);
        show(&piece.brief, usize::MAX);
    }
    let first = &decision.plan[0].brief;
    assert!(first.contains("Reproduce it first") && first.contains("once from clean"), "{first}");
    history.record(situation.event(&rejected, &decision))?;

    chapter("The workers paste what the tools print: the claims are held against it");
    let logs = ["melo-v2/raw/build.log", "melo-v2/raw/tests.log"];
    let shown = read(&["melo-v2/message/message.md", logs[0], logs[1]])?;
    let decision = policy.decide(&shown, &Situation::new().task("melo-v2").input("commit-1").may_dispatch(true));
    tell(&shown, &decision);
    assert!(shown.claims.iter().all(|claim| claim.standing == Standing::Confirmed));
    assert_eq!(shown.unexplained(), 0, "with the output of the tests, each failure has its cause");

    chapter("The build is repaired; the validator runs all again");
    let before = read(&logs)?;
    let after = read(&[logs[1]])?;
    let change = diff(&before, &after);
    show(&diff_to_text(&before, &after, &change), usize::MAX);
    assert_eq!((change.verdict, change.fixed.len(), change.new.len()), (Verdict::Progress, 1, 0));
    let situation = Situation::new().task("melo-v2").input("commit-2").now_ms(3_000).may_dispatch(true);
    let situation = situation.past(history.events()?);
    let decision = policy.decide(&after, &situation);
    tell(&after, &decision);
    assert_eq!(decision.action, Action::Repair, "the tests still fail");
    history.record(situation.event(&after, &decision))?;

    chapter("Somebody says that all is well, and the output shows that it is not");
    let praise =
        "# Validation: melo-infra-1\n\n**Validated by:** worker\n\n## Overall Result: PASS\n\nAll tests pass.\n";
    let praised = Analyzer::new().analyze([
        Source::bytes("praise.md", praise.as_bytes()),
        Source::bytes(logs[1], std::fs::read(cases().join(logs[1]))?),
    ]);
    let decision = policy.decide(&praised, &situation);
    tell(&praised, &decision);
    assert_eq!(praised.outcome, Outcome::Failed);
    assert!(praised.claims.iter().any(|claim| claim.kind.is_none() && claim.standing == Standing::Contradicted));

    chapter("The second round is green");
    let green = "Test Suites: 7 passed, 7 total\nTests:       4 skipped, 449 passed, 453 total\n";
    let green = Analyzer::new().exit_code(0).analyze([Source::bytes("tests.log", green.as_bytes())]);
    let change = diff(&after, &green);
    show(&diff_to_text(&after, &green, &change), usize::MAX);
    assert_eq!((change.verdict, change.persisting.len()), (Verdict::Progress, 0));
    let situation = Situation::new().task("melo-v2").input("commit-3").now_ms(4_000).past(history.events()?);
    let decision = policy.decide(&green, &situation);
    tell(&green, &decision);
    assert_eq!(decision.action, Action::Accept);
    history.record(situation.event(&green, &decision))?;
    assert_eq!(history.events()?.len(), 5);
    Ok(())
}

fn cases() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")
}

/// Reads files of `tests/cases` into one report.
fn read(names: &[&str]) -> Result<Report, Box<dyn Error>> {
    let mut sources = Vec::new();
    for name in names {
        sources.push(Source::bytes(*name, std::fs::read(cases().join(name))?));
    }
    Ok(Analyzer::new().analyze(sources))
}

fn chapter(title: &str) {
    println!("\n\n# {title}\n");
}

/// The first lines of an output.
fn show(text: &str, lines: usize) {
    for line in text.lines().take(lines) {
        println!("    {line}");
    }
    if text.lines().count() > lines {
        println!("    …");
    }
}

fn tell(report: &Report, decision: &Decision) {
    println!("  {} → {}", report.outcome, decision.action);
    for reason in &decision.reasons {
        println!("  - {reason}");
    }
    for check in &decision.checks {
        println!("  look: {check}");
    }
}
