//! Tells why a build is red and what to do now: logs and test reports in, classified causes and a decision out.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod analyzer;
mod cause;
mod classify;
mod decide;
mod error;
mod format;
mod item;
mod kind;
mod log;
mod outcome;
mod render;
mod report;
mod rules;
mod scan;
mod source;

pub use analyzer::{Analyzer, Session};
pub use decide::{Decision, Escalation, Policy, Repair, Retry, Situation};
pub use error::Error;
pub use format::Format;
pub use kind::{Action, Kind, Nature, Phase};
pub use render::{Detail, SCHEMA, Text, json_schema, to_github, to_json, to_markdown};
pub use report::{
    Cause, Counts, Evidence, Failure, FileRef, Level, Note, Outcome, Report, Severity, Signal, SourceSummary, Span,
    Task, TextLine,
};
pub use rules::{Hit, Rank, Role, Rule, RuleSet};
pub use source::Source;
