//! What to do: from a report and the caller's situation to an action with its reasons.
//!
//! Each cause votes by its nature, by the policy and by what the caller knows; the strictest vote decides, and a veto
//! beats any number of votes for a retry. This does no input or output, reads no clock and rolls no dice: the same
//! report and situation give the same decision.

mod budget;
mod plan;
mod policy;
mod reasons;
mod situation;
mod vote;

use serde::{Deserialize, Serialize};

use crate::kind::{Action, Nature, Phase, names};
use crate::report::{Outcome, Report, Standing};

pub use budget::Budget;
pub use policy::{Policy, Terms};
pub(crate) use reasons::human;
pub use situation::{Event, Seen, Situation};

use vote::Vote;

/// What to do, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Decision {
    /// What to do.
    pub action: Action,
    /// Why, in sentences for a person; the first says why nothing milder will do.
    pub reasons: Vec<String>,
    /// When to try again; present when the action is `retry`.
    pub retry: Option<Retry>,
    /// What to look at before anything is done again; filled when something may have taken effect.
    #[serde(default)]
    pub checks: Vec<String>,
    /// The work of a repair, in the order in which it should be done. It is filled whenever something needs repair,
    /// also when another action comes first.
    pub plan: Vec<Repair>,
    /// Who must act; present when the action is `escalate`.
    pub escalation: Option<Escalation>,
    /// Which attempt was judged, counting from 1.
    #[serde(default)]
    pub attempt: u32,
}

names! {
    /// Where a delay comes from.
    DelaySource, "source of a delay":
    /// The policy's own schedule.
    Policy = "policy",
    /// The service that refused said when to come back.
    Hint = "hint",
    /// Several tasks fail alike on one host: all are held, and one probes.
    Outage = "outage",
}

/// When to try again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Retry {
    /// Wait at least this long, in milliseconds; the same as `at_least_ms`.
    pub after_ms: u64,
    /// Wait at least this long, in milliseconds.
    pub at_least_ms: u64,
    /// Wait at most this long; choose at random between the two, so that not all come back at once.
    pub at_most_ms: u64,
    /// Where the delay comes from.
    pub source: DelaySource,
    /// The number of the attempt to come.
    pub attempt: u32,
    /// How many attempts there are in all.
    pub of: u32,
    /// Whether it should run on another machine.
    pub elsewhere: bool,
    /// Whether only the tests that failed should run again.
    pub failed_tests_only: bool,
    /// Whether it waits for the probe of another task: when the time has come, decide anew with what the history knows
    /// by then, instead of trying at once.
    #[serde(default)]
    pub held: bool,
}

/// One piece of repair work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Repair {
    /// The task that it belongs to; `None` where several tasks share it.
    pub task: Option<String>,
    /// The phase that is repaired: builds come before tests.
    pub phase: Phase,
    /// Indexes into the report's causes.
    pub causes: Vec<usize>,
    /// What a worker needs to start: how to reproduce it, where it shows, and what a repair must show.
    pub brief: String,
}

/// Who must act, and what they must do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Escalation {
    /// The role that can act, such as `owner of the machine`.
    pub to: String,
    /// What they must grant or change.
    pub need: String,
}

impl Policy {
    /// Decides what to do.
    #[must_use]
    pub fn decide(&self, report: &Report, situation: &Situation) -> Decision {
        let votes: Vec<Vote> = report.causes.iter().map(|cause| vote::of(self, cause, situation)).collect();
        let standing = || report.causes.iter().zip(&votes).filter(|(_, vote)| !vote.settled);
        let Some((decisive, first)) =
            // Of equal votes the first cause decides: the report orders them.
            standing().rev().max_by_key(|(_, vote)| vote.action.precedence())
        else {
            return self.without_causes(report, situation, !votes.is_empty());
        };
        let mut verdict = Verdict { action: first.action, reason: first.why.clone(), retry: None, escalation: None };
        if verdict.action == Action::Retry {
            let retried: Vec<_> = standing().collect();
            vote::retry(self, report, situation, &retried, &mut verdict);
        }
        if report.outcome == Outcome::Unknown && verdict.action == Action::Repair {
            // Nobody can repair what is not known to be broken.
            let reason = "The input does not say how the run ended.".to_owned();
            verdict.escalate(reason, "whoever runs the job", "the whole output of the run, with its exit status");
        }
        let (plan, waiting) = plan::plan(report, &votes, situation);
        if !plan.is_empty() {
            vote::repair(self, report, situation, &mut verdict);
        }
        let checks = plan::checks(report, &votes, &verdict);
        if verdict.action == Action::Escalate && verdict.escalation.is_none() {
            verdict.escalation = Some(plan::escalation(report, decisive, situation));
        }
        let reasons = reasons::reasons(&reasons::Grounds {
            policy: self,
            report,
            situation,
            decisive,
            vote: first,
            votes: &votes,
            verdict: &verdict,
            plan: &plan,
            waiting,
            checks: &checks,
        });
        let Verdict { action, retry, escalation, .. } = verdict;
        Decision { action, reasons, retry, checks, plan, escalation, attempt: situation.attempts_made() }
    }

    /// What to do when no cause is left to vote.
    fn without_causes(&self, report: &Report, situation: &Situation, settled: bool) -> Decision {
        let mut decision = Decision {
            action: Action::Accept,
            reasons: Vec::new(),
            retry: None,
            checks: Vec::new(),
            plan: Vec::new(),
            escalation: None,
            attempt: situation.attempts_made(),
        };
        if settled {
            let next = situation.attempts_made() + 1;
            decision.action = Action::Retry;
            decision.reasons.push("What was lacking has been granted since, and nothing else failed.".to_owned());
            decision.retry = Some(Retry::new(0, 0, DelaySource::Policy, next, next));
            return decision;
        }
        if report.outcome == Outcome::Passed && !report.is_doubtful() {
            decision.reasons = reasons::accepted(report);
            return decision;
        }
        let contradicted = report.claims.iter().find(|claim| claim.standing == Standing::Contradicted);
        if let Some(claim) = contradicted.filter(|_| report.outcome == Outcome::Unknown) {
            decision.action = Action::Verify;
            decision
                .reasons
                .push("Nothing that is claimed shows in the output: the two may be of different runs.".to_owned());
            decision.reasons.extend(reasons::claims(report));
            decision.checks.push(plan::same_run(report, claim));
            return decision;
        }
        decision.action = Action::Escalate;
        decision.reasons.push(match report.outcome {
            Outcome::Passed => "The run looks green, but the input is damaged or contradicts itself.".to_owned(),
            Outcome::Failed => "It failed, and nothing says why.".to_owned(),
            Outcome::Unknown => "The input does not say how the run ended.".to_owned(),
        });
        let doubts = report.notes.iter().filter(|note| note.severity == crate::report::Severity::Warning);
        decision.reasons.extend(doubts.take(3).map(|note| {
            let source = note.source.as_ref().map_or_else(String::new, |source| format!("{source}: "));
            format!("There is a doubt: {source}{}.", note.message)
        }));
        decision.escalation = Some(Escalation {
            to: "whoever runs the job".to_owned(),
            need: "the whole output of the run, with its exit status".to_owned(),
        });
        decision
    }
}

impl Retry {
    fn new(at_least_ms: u64, at_most_ms: u64, source: DelaySource, attempt: u32, of: u32) -> Self {
        Retry {
            after_ms: at_least_ms,
            at_least_ms,
            at_most_ms,
            source,
            attempt,
            of,
            elsewhere: false,
            failed_tests_only: false,
            held: false,
        }
    }
}

/// A decision in the making.
struct Verdict {
    action: Action,
    /// Why nothing milder will do.
    reason: String,
    retry: Option<Retry>,
    escalation: Option<Escalation>,
}

impl Verdict {
    /// Turns to something stricter.
    fn escalate(&mut self, reason: String, to: &str, need: &str) {
        self.action = Action::Escalate;
        self.reason = reason;
        self.retry = None;
        self.escalation = Some(Escalation { to: to.to_owned(), need: need.to_owned() });
    }
}

/// Whether a cause may pass unchanged on a later try, by its nature alone.
fn is_transient(nature: Nature) -> bool {
    nature == Nature::Transient
}
