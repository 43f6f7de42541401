//! How each cause votes, and what overrules a vote.

use crate::decide::budget::price;
use crate::decide::policy::Policy;
use crate::decide::reasons::human;
use crate::decide::situation::{Event, Situation};
use crate::decide::{DelaySource, Retry, Verdict, is_transient, unexplained};
use crate::hint::{self, Hint};
use crate::kind::{Action, Kind, Nature, Phase};
use crate::report::{Cause, Outcome, Report};

/// The vote of one cause.
#[derive(Clone, Debug)]
pub(super) struct Vote {
    pub action: Action,
    /// Why nothing milder will do.
    pub why: String,
    /// What it lacked has been granted since: it no longer counts.
    pub settled: bool,
    /// A further try should go to another machine.
    pub elsewhere: bool,
    /// Its tests are known to flip on one input.
    pub flaky: bool,
}

/// The vote of a cause.
pub(super) fn of(policy: &Policy, cause: &Cause, situation: &Situation) -> Vote {
    let mut vote =
        Vote { action: Action::Escalate, why: String::new(), settled: false, elsewhere: false, flaky: false };
    if let Some(action) = policy.terms(cause.kind).action {
        vote.action = action;
        vote.why = format!("the policy says {action} for {}", cause.kind);
        return vote;
    }
    if cause.kind == Kind::Unclassified {
        let blind = policy.blind_attempts > situation.attempt.max(1);
        vote.action = if blind { Action::Retry } else { Action::Escalate };
        vote.why = if blind {
            "nobody recognizes the failure, and the policy allows a blind retry".to_owned()
        } else {
            "nobody recognizes the failure, and what is not recognized is not retried".to_owned()
        };
        return vote;
    }
    vote.action = cause.nature.action();
    vote.why = match cause.nature {
        Nature::Deterministic => format!("{} is deterministic: the same input fails again", cause.kind),
        Nature::Transient => format!("{} may pass unchanged on a later try", cause.kind),
        Nature::Environment => format!("{} is a matter of the machine: a retry on it fails again", cause.kind),
        Nature::Access => format!("{} needs somebody with authority", cause.kind),
        Nature::Ambiguous => format!("{} may hide that it took effect: doing it again may do it twice", cause.kind),
    };
    match cause.nature {
        Nature::Access => {
            let dispatch = cause.phase == Phase::Dispatch && cause.kind == Kind::PermissionDenied;
            let spend = cause.kind == Kind::QuotaExceeded;
            vote.settled =
                dispatch && situation.may_dispatch == Some(true) || spend && situation.may_spend == Some(true);
        }
        Nature::Environment => {
            let moves = matches!(
                cause.kind,
                Kind::OutOfMemory | Kind::DiskFull | Kind::ResourceExhausted | Kind::PortInUse | Kind::RunnerFailure
            );
            // A machine that is larger or clean is worth one try.
            if moves && situation.other_machine && situation.attempt <= 1 {
                vote.action = Action::Retry;
                vote.why = format!("{} is a matter of the machine, and another one is at hand", cause.kind);
                vote.elsewhere = true;
            }
        }
        Nature::Deterministic => {
            let of_tests = cause.phase == Phase::Test || !cause.tests.is_empty();
            if of_tests && flips(cause, situation) && situation.attempt <= 1 {
                vote.action = Action::Retry;
                vote.why = format!("{} was seen to pass and to fail on the same input: it is flaky", cause.kind);
                vote.flaky = true;
            }
        }
        Nature::Transient => vote.elsewhere = cause.kind == Kind::RunnerFailure && situation.other_machine,
        Nature::Ambiguous => {}
    }
    vote
}

/// Whether the past holds a failure with this fingerprint and a pass on one and the same input.
fn flips(cause: &Cause, situation: &Situation) -> bool {
    let own = situation.own();
    let failed = own.iter().filter(|event| holds(event, &cause.fingerprint));
    let inputs: Vec<&String> = failed.filter_map(|event| event.input.as_ref()).chain(&situation.input).collect();
    own.iter().any(|event| {
        event.outcome == Outcome::Passed && event.input.as_ref().is_some_and(|input| inputs.contains(&input))
    })
}

fn holds(event: &Event, fingerprint: &str) -> bool {
    event.causes.iter().any(|seen| seen.fingerprint == fingerprint)
}

/// Settles the delay of a retry, or overrules it.
pub(super) fn retry(
    policy: &Policy,
    report: &Report,
    situation: &Situation,
    causes: &[(&Cause, &Vote)],
    verdict: &mut Verdict,
) {
    let attempt = situation.attempt.max(1);
    let next = attempt + 1;
    let unexplained = unexplained(report);
    if unexplained > 0 {
        let reason = format!("{unexplained} failed tests are explained by no cause, which forbids a retry");
        verdict.escalate(reason, "whoever runs the job", "the output of the failed tests that no cause explains");
        return;
    }
    let (mut least, mut most, mut source, mut of) = (0, 0, DelaySource::Policy, u32::MAX);
    for (cause, vote) in causes {
        let hints: Vec<&String> = cause.hints.iter().collect();
        let inner = hints.iter().any(|line| hint::inner_retries(line));
        let mut own_of = attempts(policy, cause);
        // Whoever retries below has bridged the short troubles: fewer and slower attempts are left for this layer.
        if inner {
            own_of = own_of.saturating_sub(1).max(own_of.min(2));
        }
        of = of.min(own_of);
        let (own_least, own_most) =
            if vote.flaky { (0, 0) } else { policy.delay(cause.kind, next, if inner { 4 } else { 1 }) };
        if own_least > least {
            (least, most) = (own_least, own_most);
        }
        for line in hints {
            match hint::read(line) {
                Some(Hint::Never) => {
                    let reason = format!("the service itself forbids another try: {line}");
                    verdict.escalate(reason, "the owner of the service", "what it refuses for good");
                    return;
                }
                Some(hint) => {
                    let Some(wait) = hint.wait_ms(situation.now_ms) else { continue };
                    if wait >= least {
                        (least, most) = (wait, wait + (wait / 10).max(1000));
                        source = DelaySource::Hint;
                    }
                }
                None => {}
            }
        }
        let own = situation.own();
        let rows = own.iter().rev().take_while(|event| holds(event, &cause.fingerprint));
        let inputs: std::collections::BTreeSet<_> = rows.filter_map(|event| event.input.as_ref()).collect();
        if is_transient(cause.nature) && inputs.len() >= 3 {
            let reason =
                format!("{} persists over {} inputs in a row: it does not pass by itself", cause.kind, inputs.len());
            verdict.escalate(reason, "the owner of the service or machine", "the lasting trouble removed");
            return;
        }
    }
    if attempt >= of {
        let reason = format!("attempt {attempt} of {of}: none is left");
        let decisive = causes[0].0;
        *verdict = Verdict { action: Action::Escalate, reason, retry: None, escalation: None };
        verdict.escalation = Some(super::plan::exhausted(decisive, attempt));
        return;
    }
    let price = causes.iter().map(|(cause, _)| price(cause.kind)).max().unwrap_or(0);
    if situation.budget.is_some_and(|left| left < price) {
        let reason = "the budget for retries is exhausted: many things fail at once".to_owned();
        verdict.escalate(reason, "whoever runs the fleet", "a look at what fails all over, before more is tried");
        return;
    }
    if let Some(outage) = outage(policy, situation, causes) {
        if outage.since_ms > policy.outage_escalate_ms {
            let reason = format!("the outage lasts for {}", human(outage.since_ms));
            verdict.escalate(
                reason,
                "the owner of the service or machine",
                "the outage ended; tell it once, not per task",
            );
            return;
        }
        if outage.hold_ms > least {
            (least, most, source) = (outage.hold_ms, outage.hold_ms + outage.hold_ms / 10, DelaySource::Outage);
        }
    }
    if let (Some(now), Some(deadline)) = (situation.now_ms, situation.deadline_ms)
        && now.saturating_add(least) > deadline
    {
        let reason = format!("the next try would come in {}, after the deadline", human(least));
        verdict.escalate(reason, "whoever set the deadline", "more time, or another way than the service that refuses");
        return;
    }
    if least > policy.max_wait_ms && source == DelaySource::Hint {
        verdict.reason =
            format!("{}; the service asks for {}, longer than the policy waits unasked", verdict.reason, human(least));
    }
    let mut retry = Retry::new(least, most.max(least), source, next, of);
    retry.elsewhere = causes.iter().any(|(_, vote)| vote.elsewhere);
    retry.failed_tests_only = causes.iter().all(|(_, vote)| vote.flaky);
    verdict.retry = Some(retry);
}

/// The attempts that a cause has in all.
fn attempts(policy: &Policy, cause: &Cause) -> u32 {
    let terms = policy.terms(cause.kind);
    if cause.kind == Kind::Unclassified {
        return policy.blind_attempts;
    }
    // A kind that is not retried by default, whose text says that it is transient all the same, has one more.
    let unchanged = terms.attempts == 1 && Policy::default().terms(cause.kind).attempts == 1;
    if unchanged && cause.nature == Nature::Transient { 2 } else { terms.attempts }
}

struct Outage {
    /// For how long everything is held from now on.
    hold_ms: u64,
    since_ms: u64,
}

/// Whether several tasks fail alike on this host at this time.
fn outage(policy: &Policy, situation: &Situation, causes: &[(&Cause, &Vote)]) -> Option<Outage> {
    let now = situation.now_ms?;
    let host = situation.host.as_ref()?;
    let same = |event: &&Event| {
        event.host.as_ref() == Some(host) && causes.iter().any(|(cause, _)| holds(event, &cause.fingerprint))
    };
    let green = situation
        .past
        .iter()
        .filter(|event| event.host.as_ref() == Some(host) && event.outcome == Outcome::Passed)
        .map(|event| event.at_ms)
        .max()
        .unwrap_or(0);
    // One success closes it.
    let since: Vec<&Event> = situation.past.iter().filter(same).filter(|event| event.at_ms > green).collect();
    let recent = since.iter().filter(|event| event.at_ms + policy.outage_window_ms >= now);
    let mut tasks: Vec<_> = recent.map(|event| &event.task).chain([&situation.task]).collect();
    tasks.sort_unstable();
    tasks.dedup();
    if (tasks.len() as u64) < u64::from(policy.outage_tasks) {
        return None;
    }
    let first = since.iter().map(|event| event.at_ms).min()?;
    let since_ms = now.saturating_sub(first);
    // Each probe that fails doubles the time to the next, up to an hour.
    let mut hold_ms = policy.probe_ms.max(1);
    while hold_ms < since_ms && hold_ms < 3_600_000 {
        hold_ms *= 2;
    }
    Some(Outage { hold_ms: hold_ms.min(3_600_000), since_ms })
}

/// Overrules a repair that cannot begin or does not help.
pub(super) fn repair(policy: &Policy, report: &Report, situation: &Situation, verdict: &mut Verdict) {
    if verdict.action == Action::Escalate {
        return;
    }
    if situation.may_dispatch == Some(false) {
        let reason = "the repair is known, but workers may not be started".to_owned();
        verdict.escalate(reason, "whoever runs the agents", "permission to start workers, or workers assigned");
        return;
    }
    let own = situation.own();
    let repairs: Vec<&&Event> = own.iter().filter(|event| event.action == Action::Repair).collect();
    let Some(last) = repairs.last() else { return };
    let lasting = report.causes.iter().filter(|cause| cause.nature == Nature::Deterministic);
    let rounds = lasting.clone().map(|cause| repairs.iter().filter(|event| holds(event, &cause.fingerprint)).count());
    let rounds = rounds.max().unwrap_or(0) as u32;
    if rounds >= policy.repair_rounds {
        let reason = format!("the same failure was sent to a worker {rounds} times and is still there");
        verdict.escalate(reason, "a person or a stronger worker", "a look at why the repairs do not help");
        return;
    }
    if repairs.len() as u32 >= policy.max_rounds {
        let reason = format!("{} rounds of repair were made, each with new failures", repairs.len());
        verdict.escalate(
            reason,
            "a person or a stronger worker",
            "a look at whether the task can be done as it is set",
        );
        return;
    }
    let unchanged = situation.input.is_some() && last.input == situation.input;
    let same = lasting.clone().count() > 0 && lasting.clone().all(|cause| holds(last, &cause.fingerprint));
    if unchanged && same && verdict.action.precedence() < Action::Verify.precedence() {
        verdict.action = Action::Verify;
        verdict.reason = "the same input fails in the same way as before the repair: nothing was changed".to_owned();
        verdict.retry = None;
    }
}
