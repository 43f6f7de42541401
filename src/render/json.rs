//! The JSON output: the contract that programs build on.

use serde::Serialize;

use super::mask;
use crate::decide::Decision;
use crate::report::{Cause, Counts, Note, Outcome, Report, SourceSummary, Task};

/// The version of the JSON output; it changes when a field changes its meaning or vanishes.
pub const SCHEMA: u32 = 1;

/// The one object that is printed.
#[derive(Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct Document<'a> {
    schema: u32,
    rules: &'a str,
    outcome: Outcome,
    decision: &'a Decision,
    tests: Option<Counts>,
    causes: &'a [Cause],
    causes_omitted: u64,
    tasks: &'a [Task],
    sources: &'a [SourceSummary],
    notes: &'a [Note],
}

/// Renders a report and its decision as one JSON object on one line, without a line end.
#[must_use]
pub fn to_json(report: &Report, decision: &Decision) -> String {
    let (report, decision) = &mask::safe(report, decision);
    let Report { rules, outcome, tests, causes, causes_omitted, tasks, sources, notes } = report;
    let document = Document {
        schema: SCHEMA,
        rules,
        outcome: *outcome,
        decision,
        tests: *tests,
        causes,
        causes_omitted: *causes_omitted,
        tasks,
        sources,
        notes,
    };
    serde_json::to_string(&document).expect("plain data with string keys is always JSON")
}
