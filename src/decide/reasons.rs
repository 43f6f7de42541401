//! The reasons of a decision, as sentences that a person understands.
//!
//! They state what was decided and why nothing milder will do, the decisive cause with its line, its nature and what
//! made it so, the counts, the attempts and the delay, what was seen before, how sure the kind is, what would change
//! the decision, what comes next, and what was passed over.

use crate::decide::policy::Policy;
use crate::decide::situation::{Event, Situation};
use crate::decide::vote::Vote;
use crate::decide::{DelaySource, Repair, Verdict};
use crate::kind::{Action, Nature, Phase};
use crate::report::{Cause, Counts, Report, Standing};

/// What the reasons are told from.
pub(super) struct Grounds<'a> {
    pub policy: &'a Policy,
    pub report: &'a Report,
    pub situation: &'a Situation,
    pub decisive: &'a Cause,
    pub vote: &'a Vote,
    pub votes: &'a [Vote],
    pub verdict: &'a Verdict,
    pub plan: &'a [Repair],
    /// How many pieces of repair wait for a free worker.
    pub waiting: usize,
    pub checks: &'a [String],
}

/// Why, in sentences; the first says why nothing milder will do.
pub(super) fn reasons(grounds: &Grounds<'_>) -> Vec<String> {
    let Grounds { policy: _, report, situation, decisive, vote, votes, verdict, plan, waiting, checks } = *grounds;
    let mut reasons = vec![verdict.reason.clone()];
    if verdict.reason != vote.why && verdict.action != Action::Retry {
        reasons.push(vote.why.clone());
    }
    reasons.extend(cited(decisive));
    reasons.push(nature(decisive));
    reasons.extend(counts(report));
    let causes = report.causes.len() as u64 + report.causes_omitted;
    if causes > 1 {
        let due = |action| votes.iter().filter(|vote| !vote.settled && vote.action == action).count();
        let voted: Vec<Action> = [Action::Escalate, Action::Verify, Action::Repair, Action::Retry]
            .into_iter()
            .filter(|action| due(*action) > 0)
            .collect();
        match voted.as_slice() {
            [only] => reasons.push(format!("All {} causes vote to {only}.", due(*only) as u64 + report.causes_omitted)),
            _ => {
                let verb = |count| if count == 1 { "votes" } else { "vote" };
                let counts: Vec<String> =
                    voted.iter().map(|action| format!("{} {} to {action}", due(*action), verb(due(*action)))).collect();
                reasons.push(format!("Of {causes} causes, {}; the strictest decides.", counts.join(", ")));
            }
        }
    }
    let granted = votes.iter().filter(|vote| vote.settled).count();
    if granted > 0 {
        let verb = if granted == 1 { "cause no longer counts" } else { "causes no longer count" };
        reasons.push(format!("{granted} {verb}, since what was lacking has been granted."));
    }
    attempts(&mut reasons, grounds);
    reasons.extend(seen_before(decisive, situation));
    reasons.push(certainty(report, decisive));
    reasons.extend(claims(report));
    reasons.extend(what_would_change(decisive, verdict, situation));
    match verdict.action {
        Action::Repair => {
            let pieces =
                if plan.len() == 1 { "one piece of work".to_owned() } else { format!("{} pieces", plan.len()) };
            let first = plan.first().and_then(|piece| piece.brief.lines().next()).unwrap_or("");
            reasons.push(format!("The plan has {pieces}, and begins so: {first}"));
        }
        Action::Verify => reasons.extend(checks.first().cloned()),
        Action::Escalate => reasons.extend(
            verdict.escalation.as_ref().map(|asked| format!("Asked is {}, for this: {}.", asked.to, asked.need)),
        ),
        Action::Retry | Action::Accept => {}
    }
    if waiting > 0 {
        let pieces = if waiting == 1 { "piece of repair waits" } else { "pieces of repair wait" };
        reasons.push(format!("{waiting} more {pieces} for a free worker."));
    }
    reasons.extend(passed_over(report));
    reasons
}

/// The decisive cause, with the line that proves it.
fn cited(cause: &Cause) -> Option<String> {
    let evidence = cause.evidence.first()?;
    let subject = cause.subject.as_ref().map_or_else(String::new, |subject| format!(" ({subject})"));
    let place = format!("{}:{}", evidence.source, evidence.line);
    Some(format!("The decisive cause is {}{subject}; {place} says “{}”.", cause.kind, evidence.text))
}

fn nature(cause: &Cause) -> String {
    let nature = match cause.nature {
        Nature::Access => "a matter of access".to_owned(),
        Nature::Environment => "a matter of the environment".to_owned(),
        Nature::Deterministic | Nature::Transient | Nature::Ambiguous => cause.nature.to_string(),
    };
    match &cause.flip {
        Some(flip) if flip.starts_with("rule ") => format!("It is {nature}, as {flip} says."),
        Some(flip) => format!("It is {nature}: {flip}."),
        None => format!("It is {nature} by its kind, which {} names.", named(&cause.rule)),
    }
}

fn named(rule: &str) -> String {
    match rule {
        "none" => "no rule".to_owned(),
        _ if rule.starts_with("signal/") => format!("the report itself ({rule})"),
        _ => format!("rule {rule}"),
    }
}

/// How many tests failed, and which cause explains how many of them.
fn counts(report: &Report) -> Option<String> {
    let Some(tests) = report.tests.filter(Counts::any_failed) else {
        let units: u64 = report.causes.iter().map(|cause| cause.count).sum();
        let unknown = report.causes.iter().filter(|cause| cause.rule == "none").count();
        return match unknown {
            0 if units == 2 => Some("Both failures are explained.".to_owned()),
            0 if units > 2 => Some(format!("All {units} failures are explained.")),
            0 => None,
            _ => Some(format!("{unknown} of {} causes is recognized by no rule.", report.causes.len())),
        };
    };
    let mut text = failed(&tests);
    let open = report.unexplained();
    let mut parts: Vec<String> = Vec::new();
    for cause in report.causes.iter().filter(|cause| report.explains(cause) > 0) {
        let subject = cause.subject.as_ref().map_or_else(String::new, |subject| format!(" ({subject})"));
        parts.push(format!("{} by {}{subject}", report.explains(cause), cause.kind));
    }
    let many = parts.len().saturating_sub(6);
    parts.truncate(6);
    if many > 0 {
        parts.push(format!("others by {many} more causes"));
    }
    if open == 0 {
        text.push_str(" All of them are explained");
    } else {
        parts.push(format!("{open} by no cause, which forbids a retry"));
        text.push_str(" They are explained");
    }
    text.push_str(if open == 0 && !parts.is_empty() { ": " } else { " so: " });
    text.push_str(&parts.join(", "));
    text.push('.');
    Some(text)
}

/// `96 of 453 tests failed, and 2 files, suites or hooks failed outside any test.`
pub(super) fn failed(tests: &Counts) -> String {
    let Counts { total, passed, failed, errored, skipped, flaky: _ } = *tests;
    // An error of a case is part of the total; one outside any case is not, and then the sum is larger.
    let cases = passed.is_some_and(|passed| passed + failed + skipped + errored <= total);
    match errored {
        0 => format!("{failed} of {total} tests failed."),
        _ if cases => format!("{} of {total} tests failed, {errored} of them with an error.", failed + errored),
        1 => format!("{failed} of {total} tests failed, and one file, suite or hook failed outside any test."),
        _ => format!("{failed} of {total} tests failed, and {errored} files, suites or hooks failed outside any test."),
    }
}

/// Which attempt is next and when, or which it was.
fn attempts(reasons: &mut Vec<String>, grounds: &Grounds<'_>) {
    let Grounds { policy, report, situation, verdict, .. } = *grounds;
    let attempt = situation.attempts_made();
    let Some(retry) = &verdict.retry else {
        if attempt > 1 {
            reasons.push(format!("This was attempt {attempt}."));
        }
        return;
    };
    let range = if retry.at_least_ms == retry.at_most_ms {
        human(retry.at_least_ms)
    } else {
        format!("{} to {}", human(retry.at_least_ms), human(retry.at_most_ms))
    };
    let because = match retry.source {
        DelaySource::Policy => "as the policy sets".to_owned(),
        DelaySource::Outage if retry.held => "when the probe of another task has told whether it is over".to_owned(),
        DelaySource::Outage => "as the probe for all that wait on this host".to_owned(),
        DelaySource::Hint => {
            let hints = report.causes.iter().flat_map(|cause| &cause.hints);
            let asked = |line: &str| crate::hint::read(line).is_some_and(|hint| hint != crate::hint::Hint::Unclear);
            let hint = hints.map(|hint| hint.text.trim()).find(|line| asked(line)).unwrap_or("");
            format!("as the service asks: “{hint}”")
        }
    };
    let what = if retry.held { "is held, and decided anew" } else { "comes" };
    reasons.push(format!("Attempt {} of {} {what} in {range}, {because}.", retry.attempt, retry.of));
    if retry.source != DelaySource::Hint {
        let hints = report.causes.iter().flat_map(|cause| &cause.hints).map(|hint| hint.text.trim());
        let absolute = |line: &&str| {
            let hint = crate::hint::read(line);
            hint.is_some_and(|hint| hint.wait_ms(None).is_none() && hint.wait_ms(situation.now_ms).is_none())
        };
        if let Some(line) = hints.into_iter().find(absolute) {
            reasons.push(format!("When exactly cannot be told from this without a clock or a zone: “{line}”."));
        }
    }
    if let Some(left) = situation.budget.filter(|_| !retry.held) {
        let cost = report.causes.iter().map(|cause| policy.price(cause.kind)).max().unwrap_or(0);
        reasons.push(format!("It costs {cost} of the {left} tokens that are left in the budget."));
    }
    if retry.elsewhere {
        reasons.push("It should run on another machine.".to_owned());
    }
    if retry.failed_tests_only {
        reasons.push(
            "Only the tests that failed run again; if they pass, the run is accepted and they are marked flaky."
                .to_owned(),
        );
    }
}

/// Why a run is accepted.
pub(super) fn accepted(report: &Report) -> Vec<String> {
    let mut reasons = vec!["Nothing failed, and the input says so itself.".to_owned()];
    if let Some(tests) = report.tests {
        let passed = tests.passed.map_or_else(String::new, |passed| format!("{passed} of "));
        reasons.push(format!("{passed}{} tests passed, and {} were skipped.", tests.total, tests.skipped));
        if tests.flaky > 0 {
            let verb = if tests.flaky == 1 { "failed first: it is" } else { "failed first: they are" };
            reasons.push(format!("{} of them {verb} flaky, which a later run should know.", tests.flaky));
        }
    }
    reasons.extend(claims(report));
    reasons.extend(passed_over(report));
    reasons
}

fn seen_before(cause: &Cause, situation: &Situation) -> Option<String> {
    let own = situation.own();
    if own.is_empty() {
        return None;
    }
    let same: Vec<&&Event> =
        own.iter().filter(|event| event.causes.iter().any(|seen| seen.fingerprint == cause.fingerprint)).collect();
    let Some(first) = same.first() else {
        return Some(format!("The failure is new: none of the {} earlier runs of this task shows it.", own.len()));
    };
    let inputs = same.iter().filter(|event| situation.input.is_some() && event.input == situation.input).count();
    let times = if same.len() == 1 { "once".to_owned() } else { format!("{} times", same.len()) };
    let when = situation
        .now_ms
        .filter(|_| first.at_ms > 0)
        .map_or_else(String::new, |now| format!(", first {} ago", human(now.saturating_sub(first.at_ms))));
    let on = match (situation.input.is_some(), inputs) {
        (false, _) => String::new(),
        (true, 0) => ", never on the same input".to_owned(),
        (true, same_input) if same_input == same.len() => ", on the same input".to_owned(),
        (true, same_input) => format!(", {same_input} of them on the same input"),
    };
    Some(format!("The same failure was seen {times} before in this task{when}{on}."))
}

fn certainty(report: &Report, cause: &Cause) -> String {
    let word = match cause.confidence {
        sure if sure >= 0.9 => "certain",
        sure if sure >= 0.75 => "likely",
        _ => "not certain",
    };
    let next = cause.runner_up.as_ref().map_or_else(
        || "no other kind fits its words".to_owned(),
        |next| format!("next comes {} ({:.2})", next.kind, next.confidence),
    );
    let claimed =
        if report.is_claimed(cause) { " It is what a message says, without the output of a tool." } else { "" };
    format!("The kind is {word} (confidence {:.2}); {next}.{claimed}", cause.confidence)
}

/// How the claims of messages stand beside the output of tools.
pub(super) fn claims(report: &Report) -> Option<String> {
    let of = |standing| report.claims.iter().filter(move |claim| claim.standing == standing);
    let count = |standing| of(standing).count();
    let (confirmed, contradicted) = (count(Standing::Confirmed), count(Standing::Contradicted));
    if confirmed + contradicted == 0 {
        return None;
    }
    let mut text = format!(
        "Of {} {} in messages, the output confirms {confirmed}, contradicts {contradicted} and leaves {} unproven",
        report.claims.len(),
        if report.claims.len() == 1 { "claim" } else { "claims" },
        count(Standing::Unproven)
    );
    if let Some(claim) = of(Standing::Contradicted).next() {
        let by = claim.by.as_deref().unwrap_or("the output");
        let place = format!("{}:{}", claim.at.source, claim.at.line);
        text.push_str(&format!("; {by} shows otherwise than {place}, “{}”", claim.at.text));
    }
    text.push('.');
    Some(text)
}

fn what_would_change(cause: &Cause, verdict: &Verdict, situation: &Situation) -> Option<String> {
    let text = match (verdict.action, cause.nature) {
        (Action::Escalate, Nature::Environment) if !situation.other_machine => {
            "Another machine at hand would change this into one more try there."
        }
        (Action::Escalate, Nature::Access) => "Once access is granted, it is decided anew.",
        (Action::Escalate, Nature::Transient) => "A success of the same service or machine would change this.",
        (Action::Escalate, _) if cause.rule == "none" => "A rule that recognizes the line would change this.",
        (Action::Retry, _) => "The same failure on the last attempt, or one that is deterministic, would change this.",
        (Action::Repair, _) if cause.phase == Phase::Test || !cause.tests.is_empty() => {
            "A pass on the same input would change this: the test would be flaky."
        }
        (Action::Repair, _) => "A pass on the same input would change this: the cause would lie outside of it.",
        (Action::Verify, _) => "What is found decides: if it took effect, go on; if not, do it again.",
        (Action::Escalate | Action::Accept, _) => return None,
    };
    Some(text.to_owned())
}

/// What was found and does not count.
fn passed_over(report: &Report) -> Option<String> {
    let ignored = &report.ignored;
    let mut parts = Vec::new();
    for (count, what, first) in [
        (ignored.decoys, "that stand where all ended well or was tried again", &ignored.first_decoy),
        (ignored.follow_ons, "that only follow from others", &ignored.first_follow_on),
    ] {
        if count == 0 {
            continue;
        }
        let noun = if count == 1 { "finding" } else { "findings" };
        let what = if count == 1 {
            what.replace("that stand", "that stands").replace("follow ", "follows ")
        } else {
            what.to_owned()
        };
        let place = first.as_ref().map_or_else(String::new, |at| format!(" ({}:{})", at.source, at.line));
        parts.push(format!("{count} {noun} {what}{place}"));
    }
    (!parts.is_empty()).then(|| format!("Passed over: {}.", parts.join(", and ")))
}

/// A duration as people say it, rounded up.
pub(crate) fn human(ms: u64) -> String {
    match ms {
        0 => "0 s".to_owned(),
        1..1000 => format!("{ms} ms"),
        1000..120_000 => format!("{} s", ms.div_ceil(1000)),
        120_000..600_000 if !ms.div_ceil(1000).is_multiple_of(60) => {
            format!("{} min {} s", ms.div_ceil(1000) / 60, ms.div_ceil(1000) % 60)
        }
        120_000..7_200_000 => format!("{} min", ms.div_ceil(60_000)),
        7_200_000..172_800_000 => format!("{} h", ms.div_ceil(3_600_000)),
        _ => format!("{} days", ms.div_ceil(86_400_000)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_told_in_fitting_units() {
        let told = [500, 30_000, 132_000, 600_000, 10_000_000].map(human);
        assert_eq!(told, ["500 ms", "30 s", "2 min 12 s", "10 min", "3 h"]);
    }

    #[test]
    fn suites_that_did_not_load_are_no_tests() {
        let counts = |errored, total| Counts { total, passed: Some(353), failed: 96, errored, skipped: 4, flaky: 0 };
        assert_eq!(failed(&counts(0, 453)), "96 of 453 tests failed.");
        assert_eq!(
            failed(&counts(2, 453)),
            "96 of 453 tests failed, and 2 files, suites or hooks failed outside any test."
        );
        assert_eq!(failed(&counts(2, 455)), "98 of 455 tests failed, 2 of them with an error.");
    }
}
