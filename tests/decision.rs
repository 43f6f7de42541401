//! What holds for every decision, whatever the report: shown on reports made by a small generator of our own.

use serde_json::{Value, json};
use whyred::{Action, Decision, Event, Kind, Nature, Policy, Report, Situation};

#[path = "../examples/dice/mod.rs"]
mod dice;

use dice::Dice;

fn pick<T: Copy>(dice: &mut Dice, of: &[T]) -> T {
    of[dice.roll(of.len() as u64) as usize]
}

const HINTS: &[&str] =
    &["Retry-After: 30", "try again in 9.8s", "Retrying in 5s", "nothing of the kind", "giving up after 3 attempts"];

fn hints(lines: &[&str]) -> Value {
    lines.iter().map(|line| json!({"text": line, "stamp_ms": null})).collect()
}

fn cause(dice: &mut Dice) -> Value {
    let kind = pick(dice, Kind::ALL);
    let natures = [kind.nature(), kind.nature(), Nature::Transient, Nature::Deterministic, Nature::Ambiguous];
    let nature = pick(dice, &natures);
    let lines: Vec<&str> = (0..dice.roll(3)).map(|_| pick(dice, HINTS)).collect();
    json!({
        "kind": kind.as_str(), "nature": nature.as_str(), "phase": pick(dice, &["build", "test", "setup", "dispatch", "unknown"]),
        "subject": null, "message": "it failed", "count": 1 + dice.roll(5), "fingerprint": format!("{:016x}", dice.roll(40)),
        "confidence": 0.9, "rule": "a/rule", "tests": [], "flip": null, "hints": hints(&lines),
        "evidence": [{"source": "log", "line": 3, "last_line": 3, "column": null, "byte_start": 0, "byte_end": 5,
                      "text": "it failed", "file": null}],
    })
}

fn report(causes: &[Value], tests: Option<(u64, u64)>, doubtful: bool) -> Report {
    let tests = tests.map(|(total, failed)| {
        json!({"total": total, "passed": total - failed, "failed": failed, "errored": 0, "skipped": 0, "flaky": 0})
    });
    let notes = if doubtful {
        json!([{"severity": "warning", "source": null, "at": null, "message": "cut"}])
    } else {
        json!([])
    };
    let outcome = if causes.is_empty() { "passed" } else { "failed" };
    serde_json::from_value(json!({
        "rules": "test", "outcome": outcome, "tests": tests, "causes": causes, "causes_omitted": 0, "tasks": [],
        "sources": [], "notes": notes,
    }))
    .unwrap()
}

fn causes(dice: &mut Dice) -> Vec<Value> {
    (0..1 + dice.roll(4)).map(|_| cause(dice)).collect()
}

fn decide(report: &Report, situation: &Situation) -> Decision {
    Policy::default().decide(report, situation)
}

#[test]
fn more_attempts_never_make_it_milder() {
    let mut dice = Dice(1);
    for _ in 0..2000 {
        let report = report(&causes(&mut dice), None, false);
        let mut known = 0;
        for attempt in 1..8 {
            let strict = decide(&report, &Situation::new().attempt(attempt)).action.precedence();
            assert!(strict >= known, "attempt {attempt}: {report:?}");
            known = strict;
        }
    }
}

#[test]
fn a_veto_wins() {
    let mut dice = Dice(2);
    for _ in 0..1000 {
        let mut causes = causes(&mut dice);
        let at = dice.roll(causes.len() as u64) as usize;
        causes[at]["hints"] = hints(&["Retry-After: 5", "x-should-retry: false"]);
        assert_ne!(decide(&report(&causes, None, false), &Situation::new()).action, Action::Retry);
    }
}

#[test]
fn the_strictest_cause_decides() {
    let mut dice = Dice(3);
    for _ in 0..1000 {
        let causes = causes(&mut dice);
        let alone = |cause: &Value| decide(&report(std::slice::from_ref(cause), None, false), &Situation::new()).action;
        let strictest = causes.iter().map(|cause| alone(cause).precedence()).max().unwrap();
        assert_eq!(decide(&report(&causes, None, false), &Situation::new()).action.precedence(), strictest);
    }
}

#[test]
fn what_is_not_explained_is_not_retried() {
    let mut dice = Dice(4);
    for _ in 0..1000 {
        let causes = causes(&mut dice);
        let explained: u64 = causes.iter().map(|cause| cause["count"].as_u64().unwrap()).sum();
        let report = report(&causes, Some((1000, explained + 1)), false);
        assert_ne!(decide(&report, &Situation::new()).action, Action::Retry);
    }
}

#[test]
fn retries_end() {
    let mut dice = Dice(5);
    for _ in 0..500 {
        let report = report(&causes(&mut dice), None, false);
        let (mut attempt, mut waited) = (1, 0);
        while let Some(retry) = decide(&report, &Situation::new().attempt(attempt)).retry {
            assert!(retry.at_least_ms <= retry.at_most_ms && retry.attempt == attempt + 1 && retry.attempt <= retry.of);
            waited += retry.at_most_ms;
            attempt = retry.attempt;
        }
        assert!(attempt <= 5 && waited <= 5 * 16 * 60_000, "{attempt} {waited}");
    }
}

#[test]
fn a_hint_is_never_undercut() {
    let mut dice = Dice(6);
    for _ in 0..500 {
        let mut cause = cause(&mut dice);
        cause["hints"] = hints(&["Retry-After: 400"]);
        let decision = decide(&report(&[cause], None, false), &Situation::new());
        assert!(decision.retry.is_none_or(|retry| retry.at_least_ms >= 400_000));
    }
}

#[test]
fn doubt_is_never_accepted() {
    assert_eq!(decide(&report(&[], Some((3, 0)), false), &Situation::new()).action, Action::Accept);
    assert_ne!(decide(&report(&[], Some((3, 0)), true), &Situation::new()).action, Action::Accept);
}

#[test]
fn retries_end_whatever_is_answered() {
    let mut dice = Dice(8);
    for round in 0..300 {
        let pool: Vec<Report> = (0..4).map(|_| report(&[cause(&mut dice)], None, false)).collect();
        let (mut now, mut past, mut waited) = (1_000_000_u64, Vec::<Event>::new(), 0);
        let at = |task: &str, now: u64| Situation::new().task(task).host("h").input("a").now_ms(now);
        for step in 0.. {
            assert!(step < 16, "round {round}: {past:?}");
            // Other tasks fail alike on the host, or pass there, as they please.
            for _ in 0..dice.roll(4) {
                let other = pick(&mut dice, &["b", "c", "d", "e"]);
                let seen = if dice.roll(6) == 0 { report(&[], Some((1, 0)), false) } else { pool[0].clone() };
                let situation = at(other, now).past(past.clone());
                past.push(situation.event(&seen, &decide(&seen, &situation)));
            }
            // The caller forgets to count its attempts; the history does.
            let situation = at("t", now).past(past.clone());
            let seen = &pool[dice.roll(4) as usize];
            let decision = decide(seen, &situation);
            past.push(situation.event(seen, &decision));
            let Some(retry) = decision.retry else { break };
            now += retry.at_most_ms + 60_000;
            waited += retry.at_most_ms;
        }
        assert!(waited < 12 * 3_600_000, "round {round}: {waited} ms");
    }
}

#[test]
fn more_attempts_never_make_it_milder_whatever_is_known() {
    let mut dice = Dice(10);
    for _ in 0..300 {
        let report = report(&causes(&mut dice), None, false);
        let situation =
            Situation::new().task("t").host("h").input("a").now_ms(900_000).other_machine(dice.roll(2) == 0);
        let others: Vec<Situation> = ["b", "c", "d"].map(|task| situation.clone().task(task).now_ms(800_000)).into();
        let past = if dice.roll(2) == 0 { remember(&report, &others) } else { Vec::new() };
        let mut known = 0;
        for attempt in 1..20 {
            let decision = decide(&report, &situation.clone().past(past.clone()).attempt(attempt));
            assert!(decision.action.precedence() >= known, "attempt {attempt}: {report:?}");
            known = decision.action.precedence();
        }
        assert!(known > Action::Retry.precedence());
    }
}

#[test]
fn reasons_are_sentences() {
    let mut dice = Dice(11);
    for _ in 0..500 {
        let tests = (dice.roll(2) == 0).then_some((20, 1 + dice.roll(9)));
        let report = report(&causes(&mut dice), tests, false);
        let situation = Situation::new().attempt(1 + dice.roll(5) as u32).budget(dice.roll(20) as u32);
        let decision = decide(&report, &situation);
        assert!(decision.reasons.len() >= 4, "{decision:?}");
        for reason in decision.reasons {
            let begins = reason.starts_with(|first: char| first.is_uppercase() || first.is_ascii_digit());
            assert!(begins && reason.ends_with('.') && !reason.contains(".."), "{reason}");
        }
    }
}

/// One cause with a fixed fingerprint.
fn known(kind: &str, nature: &str, phase: &str) -> Report {
    let mut cause = cause(&mut Dice(9));
    cause["kind"] = json!(kind);
    cause["nature"] = json!(nature);
    cause["phase"] = json!(phase);
    cause["hints"] = json!([]);
    cause["fingerprint"] = json!("00000000000000aa");
    report(&[cause], None, false)
}

fn remember(report: &Report, situations: &[Situation]) -> Vec<Event> {
    let mut past = Vec::new();
    for situation in situations {
        let decision = decide(report, &situation.clone().past(past.clone()));
        past.push(situation.event(report, &decision));
    }
    past
}

#[test]
fn authority_turns_an_escalation_into_work() {
    let denied = known("permission_denied", "access", "dispatch");
    assert_eq!(decide(&denied, &Situation::new()).action, Action::Escalate);
    assert_eq!(decide(&denied, &Situation::new().may_dispatch(true)).action, Action::Retry);
    let broken = known("compile_error", "deterministic", "build");
    assert_eq!(decide(&broken, &Situation::new()).action, Action::Repair);
    let decision = decide(&broken, &Situation::new().may_dispatch(false));
    assert_eq!((decision.action, decision.plan.len()), (Action::Escalate, 1));
}

#[test]
fn repairs_that_do_not_help_are_told_to_a_person() {
    let broken = known("compile_error", "deterministic", "build");
    let round = |at: u64, input: &str| Situation::new().task("t").now_ms(at).input(input);
    let past = remember(&broken, &[round(1, "a")]);
    assert_eq!(decide(&broken, &round(2, "a").past(past.clone())).action, Action::Verify, "nothing was changed");
    assert_eq!(decide(&broken, &round(2, "b").past(past)).action, Action::Repair);
    let past = remember(&broken, &[round(1, "a"), round(2, "b")]);
    assert_eq!(decide(&broken, &round(3, "c").past(past)).action, Action::Escalate);
    // To look again and again is a loop too.
    let past = remember(&broken, &[round(1, "a"), round(2, "a")]);
    assert_eq!(decide(&broken, &round(3, "a").past(past)).action, Action::Verify);
    let past = remember(&broken, &[round(1, "a"), round(2, "a"), round(3, "a")]);
    assert_eq!(decide(&broken, &round(4, "a").past(past)).action, Action::Escalate);
}

#[test]
fn one_host_that_fails_for_many_is_an_outage() {
    let refused = known("connection_failure", "transient", "setup");
    let at = |task: &str, now: u64| Situation::new().task(task).host("registry").now_ms(now);
    let past = remember(&refused, &[at("a", 1000), at("b", 2000)]);
    let decision = decide(&refused, &at("c", 3000).past(past.clone()));
    let retry = decision.retry.unwrap();
    assert_eq!((retry.source.as_str(), retry.at_least_ms), ("outage", 300_000));
    assert!(!retry.held, "who makes it known is the first probe");
    let known = remember(&refused, &[at("a", 1000), at("b", 2000), at("c", 3000)]);
    let held = decide(&refused, &at("d", 63_000).past(known.clone())).retry.unwrap();
    assert!(held.held && held.at_least_ms > 240_000, "others wait for it: {held:?}");
    // The probe fails at its time: it probes once more, after twice the wait.
    let again = decide(&refused, &at("c", 363_000).past(known.clone()).attempt(2)).retry.unwrap();
    assert_eq!((again.held, again.at_least_ms), (false, 540_000));
    let passed = report(&[], Some((1, 0)), false);
    let green = at("c", 363_000).event(&passed, &decide(&passed, &at("c", 363_000)));
    let over = decide(&refused, &at("d", 423_000).past([known, vec![green]].concat())).retry.unwrap();
    assert_eq!(over.source.as_str(), "policy", "one success closes it");
    let late = decide(&refused, &at("c", 3000).past(past).deadline_ms(60_000));
    assert_eq!(late.action, Action::Escalate, "the deadline is nearer than the probe");
    let long = remember(&refused, &[at("a", 1000), at("b", 2000), at("d", 4_000_000)]);
    let long = [long, remember(&refused, &[at("e", 4_000_000)])].concat();
    assert_eq!(decide(&refused, &at("c", 4_000_100).past(long)).action, Action::Escalate, "it lasts for an hour");
}

#[test]
fn a_test_that_flips_runs_once_more() {
    let failing = known("assertion", "deterministic", "test");
    let situation = Situation::new().task("t").input("a").now_ms(1);
    let accepted = decide(&report(&[], Some((3, 0)), false), &situation);
    let passed = situation.event(&report(&[], Some((3, 0)), false), &accepted);
    let decision = decide(&failing, &Situation::new().task("t").input("a").now_ms(2).past(vec![passed.clone()]));
    assert!(decision.retry.is_some_and(|retry| retry.failed_tests_only));
    let other = decide(&failing, &Situation::new().task("t").input("b").now_ms(2).past(vec![passed]));
    assert_eq!(other.action, Action::Repair);
}

#[test]
fn an_empty_budget_is_no_failure_of_the_task() {
    let refused = known("connection_failure", "transient", "setup");
    assert_eq!(decide(&refused, &Situation::new().budget(5)).action, Action::Retry);
    let decision = decide(&refused, &Situation::new().budget(4));
    assert!(decision.reasons[0].contains("budget"), "{decision:?}");
}
