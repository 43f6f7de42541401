//! The reasons of a decision, as sentences that a person understands.

use crate::decide::situation::Situation;
use crate::decide::vote::Vote;
use crate::decide::{DelaySource, Verdict, unexplained};
use crate::kind::{Action, Nature};
use crate::report::{Cause, Report};

/// Why, in sentences; the first says why nothing milder will do.
pub(super) fn reasons(
    report: &Report,
    situation: &Situation,
    (decisive, vote): (&Cause, &Vote),
    verdict: &Verdict,
    votes: &[Vote],
) -> Vec<String> {
    let mut reasons = vec![verdict.reason.clone()];
    if verdict.reason != vote.why && verdict.action != Action::Retry {
        reasons.push(vote.why.clone());
    }
    if let Some(evidence) = decisive.evidence.first() {
        let subject = decisive.subject.as_ref().map_or_else(String::new, |subject| format!(" ({subject})"));
        let place = format!("{}:{}", evidence.source, evidence.line);
        reasons.push(format!("decisive is {}{subject}, {place}: “{}”", decisive.kind, evidence.text));
    }
    reasons.push(match &decisive.flip {
        Some(flip) => format!("it is {} because {flip}", decisive.nature),
        None => format!("it is {} by its kind, which rule {} names", decisive.nature, decisive.rule),
    });
    if let Some(tests) = report.tests.filter(|tests| tests.any_failed()) {
        let failed = tests.failed + tests.errored;
        let open = unexplained(report);
        let rest = if open == 0 { "all are explained".to_owned() } else { format!("{open} are explained by no cause") };
        reasons.push(format!("{failed} of {} tests failed; {rest}", tests.total.max(failed)));
    }
    let causes = report.causes.len() as u64 + report.causes_omitted;
    if causes > 1 {
        let due = |action| votes.iter().filter(|vote| !vote.settled && vote.action == action).count();
        let counts: Vec<String> = [Action::Escalate, Action::Verify, Action::Repair, Action::Retry]
            .into_iter()
            .filter(|action| due(*action) > 0)
            .map(|action| format!("{} to {action}", due(action)))
            .collect();
        reasons.push(format!("of {causes} causes: {}", counts.join(", ")));
    }
    let granted = votes.iter().filter(|vote| vote.settled).count();
    if granted > 0 {
        reasons.push(format!("{granted} no longer counts: what it lacked has been granted since"));
    }
    if let Some(retry) = &verdict.retry {
        let range = if retry.at_least_ms == retry.at_most_ms {
            human(retry.at_least_ms)
        } else {
            format!("{} to {}", human(retry.at_least_ms), human(retry.at_most_ms))
        };
        let because = match retry.source {
            DelaySource::Policy => "as the policy sets".to_owned(),
            DelaySource::Outage => {
                "since several tasks fail alike on this host: one probes, the others wait".to_owned()
            }
            DelaySource::Hint => {
                let hint =
                    report.causes.iter().flat_map(|cause| &cause.hints).find(|line| crate::hint::read(line).is_some());
                format!("as the service asks: “{}”", hint.map_or("", |line| line.trim()))
            }
        };
        reasons.push(format!("attempt {} of {} in {range}, {because}", retry.attempt, retry.of));
        if retry.elsewhere {
            reasons.push("on another machine".to_owned());
        }
        if retry.failed_tests_only {
            reasons.push(
                "only the tests that failed; if they pass, the run is accepted and the tests are marked flaky"
                    .to_owned(),
            );
        }
    }
    if let Some(reason) = seen_before(decisive, situation) {
        reasons.push(reason);
    }
    if decisive.confidence < 0.75 {
        reasons.push(format!("the kind is not certain: confidence {:.2}", decisive.confidence));
    }
    if let Some(change) = what_would_change(decisive, verdict, situation) {
        reasons.push(change.to_owned());
    }
    reasons
}

/// Why a run is accepted.
pub(super) fn accepted(report: &Report) -> Vec<String> {
    let mut reasons = vec!["nothing failed".to_owned()];
    if let Some(tests) = report.tests {
        let passed = tests.passed.map_or_else(String::new, |passed| format!("{passed} of "));
        reasons.push(format!("{passed}{} tests passed, {} skipped", tests.total, tests.skipped));
        if tests.flaky > 0 {
            reasons
                .push(format!("{} of them failed first: they are flaky, which a later run should know", tests.flaky));
        }
    }
    reasons
}

fn seen_before(cause: &Cause, situation: &Situation) -> Option<String> {
    let own = situation.own();
    let same: Vec<_> =
        own.into_iter().filter(|event| event.causes.iter().any(|seen| seen.fingerprint == cause.fingerprint)).collect();
    let times = same.len();
    let inputs = same.iter().filter(|event| situation.input.is_some() && event.input == situation.input).count();
    (times > 0).then(|| {
        let plural = if times == 1 { "once" } else { "times" };
        let count = if times == 1 { String::new() } else { format!("{times} ") };
        format!("the same failure was seen {count}{plural} before, {inputs} of them on the same input")
    })
}

fn what_would_change(cause: &Cause, verdict: &Verdict, situation: &Situation) -> Option<&'static str> {
    match (verdict.action, cause.nature) {
        (Action::Escalate, Nature::Environment) if !situation.other_machine => {
            Some("another machine would change this")
        }
        (Action::Escalate, Nature::Access) => Some("once access is granted, this is decided anew"),
        (Action::Retry, _) => Some("the same failure again, or any other that is deterministic, would change this"),
        (Action::Repair, _) => Some("a pass on the same input would change this: the failure would be flaky"),
        (Action::Verify, _) => Some("what the checks show decides: present means wait, absent means do it again"),
        _ => None,
    }
}

/// A duration as people say it.
pub(super) fn human(ms: u64) -> String {
    match ms {
        0 => "0 s".to_owned(),
        1..1000 => format!("{ms} ms"),
        1000..120_000 => format!("{} s", ms.div_ceil(1000)),
        120_000..7_200_000 => format!("{} min", ms.div_ceil(60_000)),
        _ => format!("{} h", ms.div_ceil(3_600_000)),
    }
}
