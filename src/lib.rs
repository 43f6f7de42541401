//! Tells why a build is red and what to do now: logs and test reports in, classified causes and a decision out.
//!
//! ```
//! use whyred::{Action, Analyzer, Kind, Policy, Situation, Source};
//!
//! let junit = r#"<testsuite name="cart" tests="2" failures="1">
//!   <testcase classname="cart" name="adds"/>
//!   <testcase classname="cart" name="totals"><failure type="AssertionError" message="3 is not 4"/></testcase>
//! </testsuite>"#;
//! let report = Analyzer::new().analyze([Source::bytes("junit.xml", junit.as_bytes())]);
//! let decision = Policy::default().decide(&report, &Situation::new());
//!
//! assert_eq!(decision.action, Action::Repair);
//! assert_eq!(report.causes[0].kind, Kind::Assertion);
//! assert_eq!(report.causes[0].evidence[0].line, 3);
//! ```
//!
//! A plain log is analyzed by the same call. What an input is, is found from its content:
//!
//! ```
//! # use whyred::{Action, Analyzer, Kind, Policy, Situation, Source};
//! let log = "> node server.js\nError: Cannot find module 'express'\n";
//! let report = Analyzer::new().analyze([Source::bytes("build.log", log.as_bytes())]);
//!
//! assert_eq!(report.sources[0].format, "log");
//! assert_eq!(report.causes[0].kind, Kind::MissingModule);
//! assert_eq!(report.causes[0].subject.as_deref(), Some("express"));
//! assert_eq!(report.causes[0].evidence[0].text, "Error: Cannot find module 'express'");
//! ```
//!
//! # The flow
//!
//! [`Source`] → [`Format`] → [`Failure`]s → [`Kind`] and [`Nature`], by [`Rule`]s → [`Cause`]s in a [`Report`] →
//! [`Policy`] and [`Situation`] → [`Decision`] → [`Text`], [`to_json`], [`to_markdown`], [`to_github`],
//! [`to_escalation`], [`to_board`]
//!
//! # The nouns
//!
//! * A [`Source`] is one named input: bytes, a file or a reader, and what the caller knows of it.
//! * A [`Format`] is what the bytes are. It is found from the content, never from a name alone.
//! * A [`Failure`] is one thing that went wrong, as the tool told it, with its place in the source.
//! * A [`Kind`] is what sort of trouble it is; its [`Nature`] is what that means for a second try.
//! * A [`Cause`] is failures with one origin: kind, subject, count, fingerprint, evidence, tests.
//! * A [`Report`] is all that was found: outcome, counts, causes (the decisive one first), tasks, sources, notes.
//! * A [`Policy`] makes a [`Decision`] from a report and the caller's [`Situation`].
//!
//! # How it decides
//!
//! | action | when | exit status |
//! |---|---|---|
//! | [`Accept`](Action::Accept) | nothing failed, and there is positive evidence of it | 0 |
//! | [`Retry`](Action::Retry) | everything that failed is transient, and attempts are left | 75 |
//! | [`Repair`](Action::Repair) | something is deterministic: it fails again until somebody changes it | 1 |
//! | [`Verify`](Action::Verify) | it may have taken effect: look before doing it again | 76 |
//! | [`Escalate`](Action::Escalate) | access, the machine, attempts used up, or nothing was recognized | 77 |
//!
//! In a mixture the last of these decides: escalate before verify before repair before retry before accept. Where
//! the attempts of [`Situation::attempt`] are used up, a retry becomes an escalation.
//!
//! # What it will not do
//!
//! It uses no network, starts nothing and reads no file but those it is given. It does not guess:
//! [`Unclassified`](Kind::Unclassified) means that the text supports no other kind. What passed is not searched for
//! errors, however frightening its output. It never fails and never panics on bytes: damage is a [`Note`].
//!
//! # Limits
//!
//! * Logs and JUnit are read in a window of bounded size, whatever their length. A document of JSON is held up to 48 MiB.
//! * Of a line, the first 64 KiB are searched. Lines end at `\n` only, and are counted from 1 in the bytes as given.
//! * UTF-8 is expected; what is not is replaced in texts. UTF-16 is decoded, and then offsets are those of its UTF-8
//!   form.
//! * A report lists [`Report::MAX_CAUSES`] causes, and a cause 20 places and 20 tests. Counts stay exact beyond that.
//! * What was cut or contradicts itself shows as a [warning](Severity::Warning), and is never accepted.
//!
//! # Stability
//!
//! The names of kinds, natures, actions, formats and rules, the exit statuses, and the JSON output within one number of
//! its [`SCHEMA`] are API: they are added to, never renamed. Better rules may change what is found in a minor
//! release; [`Report::rules`] tells which rules made a report. The minimum supported Rust version is 1.89; it
//! moves in minor releases only.
//!
//! # Further
//!
//! The command `whyred` and its use in CI are described in the README and in `docs/ci.md`; how the parts fit, in
//! `DESIGN.md`; how to add a rule, a format, a reader, an output or a case, in `CONTRIBUTING.md`. The folder `examples`
//! has programs to copy.
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod analyzer;
mod baseline;
mod cause;
mod claims;
mod classify;
mod decide;
mod diff;
mod edge;
mod error;
mod format;
mod gate;
mod hint;
mod history;
mod item;
mod kind;
mod log;
mod outcome;
mod pattern;
mod render;
mod report;
mod rules;
mod scan;
mod source;
mod words;

pub use analyzer::{Analyzer, Session};
pub use baseline::Baseline;
pub use decide::{Budget, Decision, DelaySource, Escalation, Event, Policy, Repair, Retry, Seen, Situation, Terms};
pub use diff::{Diff, Verdict, diff};
pub use edge::{EDGES, Edge, When};
pub use error::Error;
pub use format::Format;
pub use history::{FileHistory, History, MemoryHistory};
pub use kind::{Action, Kind, Nature, Phase};
pub use render::{
    Detail, SCHEMA, Text, diff_to_json, diff_to_text, from_json, json_schema, to_board, to_escalation, to_github,
    to_json, to_markdown,
};
pub use report::{
    Candidate, Cause, Claim, Consequence, Counts, Evidence, Failure, FileRef, HintLine, Ignored, Level, Note, Outcome,
    PassedCase, Report, Severity, Signal, SourceSummary, Span, Standing, Task, TextLine,
};
pub use rules::{Hit, Rank, Role, Rule, RuleSet};
pub use source::Source;

/// The code in the README compiles and holds.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

const _: () = {
    const fn threads<T: Send + Sync + std::panic::UnwindSafe>() {}
    threads::<Analyzer>();
    threads::<RuleSet>();
    threads::<Report>();
    threads::<Decision>();
    threads::<Policy>();
    threads::<Error>();
};
