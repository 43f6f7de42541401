//! What a caller knows beside the report: attempts, authority, capacity, time, and what was seen before.

use serde::{Deserialize, Serialize};

use crate::decide::Decision;
use crate::kind::{Action, Kind, Nature};
use crate::report::{Outcome, Report};

/// What a caller knows beside the report. What it does not say is unknown, and never assumed in its favor.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Situation {
    /// Which attempt this was, counting from 1; 0 is read as 1.
    pub attempt: u32,
    /// A name for what was built: a commit, or a hash of sources and lockfile.
    pub input: Option<String>,
    /// The task at hand, as the history names it.
    pub task: Option<String>,
    /// The machine or service that the task ran on or called.
    pub host: Option<String>,
    /// Whether the caller may start workers. `Some(true)` settles failures that came from lacking that authority.
    pub may_dispatch: Option<bool>,
    /// Whether the caller may spend: raise a plan or buy credit.
    pub may_spend: Option<bool>,
    /// How many workers can be started now.
    pub free_slots: Option<u32>,
    /// Whether another or a larger machine is at hand.
    pub other_machine: bool,
    /// The time, in milliseconds since 1970.
    pub now_ms: Option<u64>,
    /// When the work must be done, in milliseconds since 1970.
    pub deadline_ms: Option<u64>,
    /// What is left of the budget for retries; see [`Budget`](crate::Budget).
    pub budget: Option<u32>,
    /// What was decided before, in any order: of this task, and of others for outages.
    pub past: Vec<Event>,
    /// Whether the run at hand was decided before and [held](crate::Retry::held), so that the history knows it already.
    pub held: bool,
}

impl Situation {
    /// The first attempt, nothing else known.
    #[must_use]
    pub fn new() -> Self {
        Situation { attempt: 1, ..Situation::default() }
    }

    /// Which attempt this was, counting from 1.
    #[must_use]
    pub fn attempt(mut self, attempt: u32) -> Self {
        self.attempt = attempt;
        self
    }

    /// A name for what was built.
    #[must_use]
    pub fn input(mut self, input: impl Into<String>) -> Self {
        self.input = Some(input.into());
        self
    }

    /// The task at hand.
    #[must_use]
    pub fn task(mut self, task: impl Into<String>) -> Self {
        self.task = Some(task.into());
        self
    }

    /// The machine that the task ran on.
    #[must_use]
    pub fn host(mut self, host: impl Into<String>) -> Self {
        self.host = Some(host.into());
        self
    }

    /// Whether the caller may start workers.
    #[must_use]
    pub fn may_dispatch(mut self, may: bool) -> Self {
        self.may_dispatch = Some(may);
        self
    }

    /// Whether the caller may spend.
    #[must_use]
    pub fn may_spend(mut self, may: bool) -> Self {
        self.may_spend = Some(may);
        self
    }

    /// How many workers can be started now.
    #[must_use]
    pub fn free_slots(mut self, slots: u32) -> Self {
        self.free_slots = Some(slots);
        self
    }

    /// Whether another or a larger machine is at hand.
    #[must_use]
    pub fn other_machine(mut self, other: bool) -> Self {
        self.other_machine = other;
        self
    }

    /// The time, in milliseconds since 1970.
    #[must_use]
    pub fn now_ms(mut self, now: u64) -> Self {
        self.now_ms = Some(now);
        self
    }

    /// When the work must be done, in milliseconds since 1970.
    #[must_use]
    pub fn deadline_ms(mut self, deadline: u64) -> Self {
        self.deadline_ms = Some(deadline);
        self
    }

    /// What is left of the budget for retries.
    #[must_use]
    pub fn budget(mut self, tokens: u32) -> Self {
        self.budget = Some(tokens);
        self
    }

    /// The run at hand was decided before and held; it has not run again since.
    #[must_use]
    pub fn held(mut self, held: bool) -> Self {
        self.held = held;
        self
    }

    /// What was decided before.
    #[must_use]
    pub fn past(mut self, events: Vec<Event>) -> Self {
        self.past = events;
        self
    }

    /// Which attempt was made: the one that the caller tells, or, where that is more, what the history knows of retries
    /// of this task on this input.
    #[must_use]
    pub fn attempts_made(&self) -> u32 {
        let own = if self.task.is_some() { self.own() } else { Vec::new() };
        let retried = own.iter().rev().take_while(|event| event.action == Action::Retry && event.input == self.input);
        let known = u32::try_from(retried.count()).unwrap_or(u32::MAX).saturating_add(u32::from(!self.held));
        self.attempt.max(known).max(1)
    }

    /// The events of the task at hand, the oldest first.
    pub(crate) fn own(&self) -> Vec<&Event> {
        let mut own: Vec<&Event> = self.past.iter().filter(|event| event.task == self.task).collect();
        own.sort_by_key(|event| event.at_ms);
        own
    }

    /// What to remember of a decision, to be recorded in a [`History`](crate::History).
    #[must_use]
    pub fn event(&self, report: &Report, decision: &Decision) -> Event {
        let seen = |cause: &crate::report::Cause| Seen {
            fingerprint: cause.fingerprint.clone(),
            kind: cause.kind,
            nature: cause.nature,
        };
        Event {
            at_ms: self.now_ms.unwrap_or(0),
            task: self.task.clone(),
            host: self.host.clone(),
            input: self.input.clone(),
            attempt: decision.attempt.max(1),
            outcome: report.outcome,
            action: decision.action,
            causes: report.causes.iter().take(20).map(seen).collect(),
        }
    }
}

/// One decision of the past.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Event {
    /// When, in milliseconds since 1970; 0 where nobody knew.
    pub at_ms: u64,
    /// The task.
    pub task: Option<String>,
    /// The machine or service.
    pub host: Option<String>,
    /// What was built.
    pub input: Option<String>,
    /// Which attempt it was.
    pub attempt: u32,
    /// How the run ended.
    pub outcome: Outcome,
    /// What was decided.
    pub action: Action,
    /// What went wrong, the decisive first, at most 20.
    pub causes: Vec<Seen>,
}

/// A cause of the past.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Seen {
    /// The fingerprint of the cause.
    pub fingerprint: String,
    /// Its kind.
    pub kind: Kind,
    /// Its nature.
    pub nature: Nature,
}
