//! What to do: from a report and the caller's situation to an action with its reasons.
//!
//! This does no input or output and reads no clock: the same report and situation give the same decision.

use serde::{Deserialize, Serialize};

use crate::kind::{Action, Kind, Nature, Phase};
use crate::report::{Cause, Outcome, Report};

/// What a caller knows beside the report.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Situation {
    /// Which attempt this was, counting from 1. Default 1.
    pub attempt: u32,
}

impl Default for Situation {
    fn default() -> Self {
        Situation { attempt: 1 }
    }
}

impl Situation {
    /// The first attempt, nothing else known.
    #[must_use]
    pub const fn new() -> Self {
        Situation { attempt: 1 }
    }

    /// Which attempt this was, counting from 1.
    #[must_use]
    pub const fn attempt(mut self, attempt: u32) -> Self {
        self.attempt = attempt;
        self
    }
}

/// What to do, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Decision {
    /// The action.
    pub action: Action,
    /// Why, in sentences.
    pub reasons: Vec<String>,
    /// When to try again; present when the action is `retry`.
    pub retry: Option<Retry>,
    /// What to repair, in this order.
    pub plan: Vec<Repair>,
    /// Who must act; present when the action is `escalate`.
    pub escalation: Option<Escalation>,
}

/// When to try again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Retry {
    /// Wait at least this long, in milliseconds.
    pub after_ms: u64,
    /// The number of the attempt to come.
    pub attempt: u32,
    /// How many attempts there are in all.
    pub of: u32,
}

/// One piece of repair work.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Repair {
    /// The task that it belongs to.
    pub task: Option<String>,
    /// The phase that is repaired: builds come before tests.
    pub phase: Phase,
    /// Indexes into the report's causes.
    pub causes: Vec<usize>,
    /// What a worker needs to start.
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

/// The default policy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {}

impl Policy {
    /// Decides what to do.
    #[must_use]
    pub fn decide(&self, report: &Report, situation: &Situation) -> Decision {
        let mut decision =
            Decision { action: Action::Accept, reasons: Vec::new(), retry: None, plan: Vec::new(), escalation: None };
        let Some(decisive) = report.causes.iter().max_by_key(|cause| cause_action(cause).precedence()) else {
            if report.outcome == Outcome::Passed && !report.is_doubtful() {
                decision.reasons.push("nothing failed".to_owned());
                return decision;
            }
            decision.action = Action::Escalate;
            decision.reasons.push(match report.outcome {
                Outcome::Passed => "the run looks green, but the input is damaged or contradicts itself".to_owned(),
                Outcome::Failed => "it failed, and nothing says why".to_owned(),
                Outcome::Unknown => "the input does not say how the run ended".to_owned(),
            });
            decision.escalation = Some(Escalation {
                to: "whoever runs the job".to_owned(),
                need: "the whole output of the run".to_owned(),
            });
            return decision;
        };
        decision.action = cause_action(decisive);
        decision.reasons.push(format!("{} is {}", decisive.kind, decisive.nature));
        if report.outcome == Outcome::Unknown && decision.action == Action::Repair {
            // Nobody can repair what is not known to be broken.
            decision.action = Action::Escalate;
            decision.reasons.push("the input does not say how the run ended".to_owned());
        }
        let attempts = 3;
        if decision.action == Action::Retry {
            if situation.attempt >= attempts {
                decision.action = Action::Escalate;
                decision.reasons.push(format!("attempt {} of {attempts}: none is left", situation.attempt));
            } else {
                decision.retry = Some(Retry { after_ms: 30_000, attempt: situation.attempt + 1, of: attempts });
            }
        }
        decision
    }
}

/// The action that a cause asks for by itself.
fn cause_action(cause: &Cause) -> Action {
    match cause.kind {
        Kind::Unclassified => Action::Escalate,
        _ if cause.nature == Nature::Deterministic => Action::Repair,
        _ => cause.nature.action(),
    }
}
