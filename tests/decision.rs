//! What holds for every decision, whatever the report: shown on reports made by a small generator of our own.

use serde_json::{Value, json};
use whyred::{Action, Decision, Event, Kind, Nature, Policy, Report, Situation};

/// A generator of numbers with a fixed seed (splitmix64): the same reports in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.roll(of.len() as u64) as usize]
    }
}

const HINTS: &[&str] =
    &["Retry-After: 30", "try again in 9.8s", "Retrying in 5s", "nothing of the kind", "giving up after 3 attempts"];

fn cause(dice: &mut Dice) -> Value {
    let kind = dice.pick(Kind::ALL);
    let natures = [kind.nature(), kind.nature(), Nature::Transient, Nature::Deterministic, Nature::Ambiguous];
    let nature = dice.pick(&natures);
    let hints: Vec<&str> = (0..dice.roll(3)).map(|_| dice.pick(HINTS)).collect();
    json!({
        "kind": kind.as_str(), "nature": nature.as_str(), "phase": dice.pick(&["build", "test", "setup", "dispatch", "unknown"]),
        "subject": null, "message": "it failed", "count": 1 + dice.roll(5), "fingerprint": format!("{:016x}", dice.roll(40)),
        "confidence": 0.9, "rule": "a/rule", "tests": [], "flip": null, "hints": hints,
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
        causes[at]["hints"] = json!(["Retry-After: 5", "x-should-retry: false"]);
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
        cause["hints"] = json!(["Retry-After: 400"]);
        let decision = decide(&report(&[cause], None, false), &Situation::new());
        assert!(decision.retry.is_none_or(|retry| retry.at_least_ms >= 400_000));
    }
}

#[test]
fn doubt_is_never_accepted() {
    assert_eq!(decide(&report(&[], Some((3, 0)), false), &Situation::new()).action, Action::Accept);
    assert_ne!(decide(&report(&[], Some((3, 0)), true), &Situation::new()).action, Action::Accept);
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
}

#[test]
fn one_host_that_fails_for_many_is_an_outage() {
    let refused = known("connection_failure", "transient", "setup");
    let at = |task: &str, now: u64| Situation::new().task(task).host("registry").now_ms(now);
    let past = remember(&refused, &[at("a", 1000), at("b", 2000)]);
    let decision = decide(&refused, &at("c", 3000).past(past.clone()));
    let retry = decision.retry.unwrap();
    assert_eq!((retry.source.as_str(), retry.at_least_ms), ("outage", 300_000));
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
