//! How each cause votes, and what overrules a vote.

use crate::decide::policy::Policy;
use crate::decide::reasons::human;
use crate::decide::situation::{Event, Situation};
use crate::decide::{DelaySource, Retry, Verdict, is_transient};
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
    let attempt = situation.attempts_made();
    if let Some(action) = policy.terms(cause.kind).action {
        vote.action = action;
        vote.why = format!("The policy says {action} for {}, whatever its nature.", cause.kind);
        return vote;
    }
    if let Some(action) = policy.of_nature(cause.nature).filter(|_| cause.kind != Kind::Unclassified) {
        vote.action = action;
        vote.why = format!("The policy says {action} for what is {}, as {} is here.", cause.nature, cause.kind);
        return vote;
    }
    if cause.kind == Kind::Unclassified {
        let blind = policy.blind_attempts > attempt;
        vote.action = if blind { Action::Retry } else { Action::Escalate };
        vote.why = if blind {
            "No rule recognizes the failure, and the policy allows a blind retry.".to_owned()
        } else {
            "No rule recognizes the failure, and what is not recognized is not retried.".to_owned()
        };
        return vote;
    }
    vote.action = cause.nature.action();
    let kind = cause.kind;
    vote.why = match cause.nature {
        Nature::Deterministic => format!(
            "A retry would not help, since {kind} is deterministic here: the same input fails again until somebody \
             changes it."
        ),
        Nature::Transient => format!("Nothing has to change, since {kind} is transient here: a later try may pass."),
        Nature::Environment => format!(
            "Neither a retry nor a change of the code would help, since {kind} is a matter of the machine or platform."
        ),
        Nature::Access => {
            format!("Neither a retry nor a worker would help, since {kind} needs somebody with authority.")
        }
        Nature::Ambiguous => {
            format!("Doing it again could do it twice, since it may have taken effect in spite of {kind}.")
        }
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
            if moves && situation.other_machine && attempt <= 1 {
                vote.action = Action::Retry;
                vote.why = format!(
                    "One try elsewhere is worth it, since {kind} is a matter of the machine and another is at hand."
                );
                vote.elsewhere = true;
            }
        }
        Nature::Deterministic => {
            let of_tests = cause.phase == Phase::Test || !cause.tests.is_empty();
            if of_tests
                && attempt <= 1
                && let Some((failed, runs)) = flips(cause, situation)
            {
                vote.action = Action::Retry;
                let advice = if failed >= 2 { ". It should be put in quarantine, with an owner" } else { "" };
                vote.why = format!(
                    "One more run of the failed tests is worth it, since {kind} is flaky here: it failed in {failed} of \
                     {runs} runs on the same input{advice}."
                );
                vote.flaky = true;
            }
        }
        Nature::Transient => vote.elsewhere = cause.kind == Kind::RunnerFailure && situation.other_machine,
        Nature::Ambiguous if cause.kind == Kind::Crash => {
            vote.action = Action::Escalate;
            vote.why = "Something killed the process and nothing says what: the memory of the machine, a limit or a \
                        person. Somebody has to look at the machine."
                .to_owned();
            if situation.other_machine && attempt <= 1 {
                vote.action = Action::Retry;
                vote.elsewhere = true;
            }
        }
        Nature::Ambiguous => {}
    }
    vote
}

/// In how many of how many runs on one input this failure was seen, where others of them passed. This run counts.
fn flips(cause: &Cause, situation: &Situation) -> Option<(usize, usize)> {
    let own = situation.own();
    let failed = own.iter().filter(|event| holds(event, &cause.fingerprint));
    let inputs: Vec<&String> = failed.filter_map(|event| event.input.as_ref()).chain(&situation.input).collect();
    let alike = own.iter().filter(|event| event.input.as_ref().is_some_and(|input| inputs.contains(&input)));
    let (mut seen, mut runs, mut passed) = (0, 0, false);
    for event in alike {
        runs += 1;
        seen += usize::from(holds(event, &cause.fingerprint));
        passed |= event.outcome == Outcome::Passed;
    }
    passed.then_some((seen + 1, runs + 1))
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
    let attempt = situation.attempts_made();
    let next = attempt.saturating_add(1);
    let unexplained = report.unexplained();
    if unexplained > 0 {
        let reason =
            format!("No cause explains {unexplained} of the failed tests, and what is unexplained is not retried.");
        verdict.escalate(reason, "whoever runs the job", "the output of the failed tests that no cause explains");
        return;
    }
    if causes.iter().all(|(cause, _)| is_transient(cause.nature)) {
        let mut kinds: Vec<&str> = causes.iter().map(|(cause, _)| cause.kind.as_str()).collect();
        kinds.dedup();
        verdict.reason = match causes {
            [_] => format!("The only cause, {}, is transient, and nothing forbids another try.", kinds[0]),
            _ => format!(
                "All {} causes are transient ({}), and nothing forbids another try.",
                causes.len(),
                kinds.join(", ")
            ),
        };
    }
    let (mut least, mut most, mut source, mut of) = (0, 0, DelaySource::Policy, u32::MAX);
    for (cause, vote) in causes {
        let inner = cause.hints.iter().find(|line| hint::inner_retries(&line.text));
        let mut own_of = attempts(policy, cause);
        // Whoever retries below has bridged the short troubles: fewer and slower attempts are left for this layer.
        if let Some(line) = inner {
            own_of = own_of.saturating_sub(1).max(own_of.min(2));
            verdict.reason.push_str(&format!(" Somebody below has tried again already: “{}”.", line.text.trim()));
        }
        of = of.min(own_of);
        let (own_least, own_most) =
            if vote.flaky { (0, 0) } else { policy.delay(cause.kind, next, if inner.is_some() { 4 } else { 1 }) };
        if own_least > least {
            (least, most) = (own_least, own_most);
        }
        for line in &cause.hints {
            match hint::read(&line.text) {
                Some(Hint::Never) => {
                    let reason = format!("The service itself forbids another try: “{}”.", line.text.trim());
                    verdict.escalate(reason, "the owner of the service", "a word on what it refuses for good");
                    return;
                }
                Some(hint) => {
                    let Some(wait) = hint.wait_ms(line.stamp_ms.or(situation.now_ms)) else { continue };
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
            let reason = format!(
                "A retry would not help: {} persists over {} inputs in a row, so it does not pass by itself.",
                cause.kind,
                inputs.len()
            );
            verdict.escalate(reason, "the owner of the service or machine", "the lasting trouble removed");
            return;
        }
    }
    let outage = outage(policy, situation, causes);
    if outage.is_some() {
        // Probes are told by the clock and not by the attempts, which the outage would use up; they are bounded too.
        of = of.saturating_add(PROBES);
    }
    if attempt >= of {
        let reason = match of {
            1 => "The policy makes no further attempt.".to_owned(),
            _ => format!("Attempt {attempt} failed too, and no more than {of} are made."),
        };
        let decisive = causes[0].0;
        *verdict = Verdict { action: Action::Escalate, reason, retry: None, escalation: None };
        verdict.escalation = Some(super::plan::exhausted(decisive, attempt));
        return;
    }
    let held = outage.as_ref().is_some_and(|outage| outage.held);
    let price = causes.iter().map(|(cause, _)| policy.price(cause.kind)).max().unwrap_or(0);
    if situation.budget.is_some_and(|left| left < price) && !held {
        let reason = format!(
            "The budget for retries has {} tokens left and a retry costs {price}: many things fail at once, and this task \
             need not be the reason.",
            situation.budget.unwrap_or(0)
        );
        verdict.escalate(reason, "whoever runs the fleet", "a look at what fails all over, before more is tried");
        return;
    }
    if let Some(outage) = outage {
        if outage.since_ms > policy.outage_escalate_ms {
            let reason = format!(
                "Several tasks have failed alike on this host for {}: waiting longer does not help.",
                human(outage.since_ms)
            );
            verdict.escalate(
                reason,
                "the owner of the service or machine",
                "the outage ended; tell it once, not per task",
            );
            return;
        }
        verdict.reason = if outage.held {
            format!(
                "Several tasks have failed alike on this host for {}: one probes, and this one waits.",
                human(outage.since_ms)
            )
        } else {
            format!(
                "Several tasks have failed alike on this host for {}: this one probes, the others wait.",
                human(outage.since_ms)
            )
        };
        if outage.hold_ms > least {
            (least, most, source) = (outage.hold_ms, outage.hold_ms + outage.hold_ms / 10, DelaySource::Outage);
        }
    }
    if let (Some(now), Some(deadline)) = (situation.now_ms, situation.deadline_ms)
        && now.saturating_add(least) > deadline
    {
        let reason = format!("The next try would come in {}, after the deadline.", human(least));
        verdict.escalate(reason, "whoever set the deadline", "more time, or another way than the service that refuses");
        return;
    }
    if least > policy.max_wait_ms && source == DelaySource::Hint {
        verdict.reason.push_str(&format!(
            " The service asks for {}, which is longer than the policy waits unasked.",
            human(least)
        ));
    }
    let mut retry = Retry::new(least, most.max(least), source, next, of);
    retry.elsewhere = causes.iter().any(|(_, vote)| vote.elsewhere);
    retry.failed_tests_only = causes.iter().all(|(_, vote)| vote.flaky);
    retry.held = held && source == DelaySource::Outage;
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

/// How many attempts an outage may take beyond those of its kind.
const PROBES: u32 = 8;

/// The longest time between two probes.
const LONGEST_PROBE_MS: u64 = 3_600_000;

struct Outage {
    /// For how long this task waits from now on.
    hold_ms: u64,
    since_ms: u64,
    /// Another task probes; this one is decided anew once the probe has told.
    held: bool,
}

/// Whether several tasks fail alike on this host at this time.
///
/// Probes come at fixed times after the task that made the outage known: after the policy's first wait, then after twice
/// that, and so on up to an hour. Who fails first in the time between two of them is the next probe; all others wait
/// until it has told. One success on the host closes the outage.
fn outage(policy: &Policy, situation: &Situation, causes: &[(&Cause, &Vote)]) -> Option<Outage> {
    let now = situation.now_ms?;
    let host = situation.host.as_ref()?;
    let here = || situation.past.iter().filter(|event| event.host.as_ref() == Some(host) && event.at_ms <= now);
    let green = here().filter(|event| event.outcome == Outcome::Passed).map(|event| event.at_ms).max().unwrap_or(0);
    let same = |event: &&Event| causes.iter().any(|(cause, _)| holds(event, &cause.fingerprint));
    let mut since: Vec<&Event> = here().filter(same).filter(|event| event.at_ms > green).collect();
    since.sort_by_key(|event| event.at_ms);
    let last = since.last().map_or(now, |event| event.at_ms);
    if now - last > LONGEST_PROBE_MS + policy.outage_window_ms {
        // Nobody has looked for long.
        return None;
    }
    let runs: Vec<(u64, &Option<String>)> = since
        .iter()
        .map(|event| (event.at_ms, &event.task))
        .chain((!situation.held).then_some((now, &situation.task)))
        .collect();
    let mut known_at = None;
    for (index, (at, _)) in runs.iter().enumerate() {
        let mut tasks: Vec<&Option<String>> = Vec::new();
        let mut failed = 0;
        for (_, task) in runs[..=index].iter().rev().take_while(|(then, _)| then + policy.outage_window_ms >= *at) {
            failed += 1;
            if !tasks.contains(task) {
                tasks.push(task);
            }
        }
        // Two tasks that fail again and again tell as much as three that fail once.
        if tasks.len() as u64 >= u64::from(policy.outage_tasks) || tasks.len() >= 2 && failed > policy.outage_tasks {
            known_at = Some(*at);
            break;
        }
    }
    let known_at = known_at?;
    let since_ms = now.saturating_sub(since.first()?.at_ms);
    let (mut from, mut step) = (known_at, policy.probe_ms.max(1));
    while from + step <= now {
        from += step;
        step = (step * 2).min(LONGEST_PROBE_MS);
    }
    let next = from + step;
    // The task that failed at the very time of the last probe is the one that probed.
    let held = since.iter().any(|event| event.at_ms >= from && event.task != situation.task);
    // The probe needs a while itself before it has told.
    let hold_ms = next - now + if held { (policy.probe_ms / 5).max(1) } else { 0 };
    Some(Outage { hold_ms, since_ms, held })
}

/// Overrules a repair that cannot begin or does not help.
pub(super) fn repair(policy: &Policy, report: &Report, situation: &Situation, verdict: &mut Verdict) {
    if verdict.action == Action::Escalate {
        return;
    }
    if situation.may_dispatch == Some(false) {
        let reason = "The repair is known, but workers may not be started.".to_owned();
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
        let reason = format!(
            "The same failure was sent to a worker {rounds} times and is still there, so a further round would not help."
        );
        verdict.escalate(reason, "a person or a stronger worker", "a look at why the repairs do not help");
        return;
    }
    if repairs.len() as u32 >= policy.max_rounds {
        let reason = format!("There were {} rounds of repair, each with new failures.", repairs.len());
        verdict.escalate(
            reason,
            "a person or a stronger worker",
            "a look at whether the task can be done as it is set",
        );
        return;
    }
    let unchanged = situation.input.is_some() && last.input == situation.input;
    let same = lasting.clone().count() > 0 && lasting.clone().all(|cause| holds(last, &cause.fingerprint));
    let looked = own.iter().filter(|event| event.action == Action::Verify && event.input == situation.input).count();
    if unchanged && same && looked as u32 >= policy.repair_rounds {
        let reason = format!(
            "The same input fails in the same way, and {looked} looks at whether anything was changed did not change that."
        );
        verdict.escalate(reason, "a person or a stronger worker", "a look at why the repair does not arrive");
        return;
    }
    if unchanged && same && verdict.action.precedence() < Action::Verify.precedence() {
        verdict.action = Action::Verify;
        verdict.reason = "The same input fails in the same way as before the repair, so nothing was changed: another round would find the same."
            .to_owned();
        verdict.retry = None;
    }
}
