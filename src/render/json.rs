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
    let json = serde_json::to_string(&document).expect("plain data with string keys is always JSON");
    // Runners look for these commands anywhere in a line. The sign stands only within strings, where it may be escaped.
    match json.contains("##") {
        true => json.replace("##", "#\\u0023"),
        false => json,
    }
}

/// The JSON Schema of what [`to_json`] prints.
#[must_use]
pub const fn json_schema() -> &'static str {
    include_str!("../../docs/schema.json")
}

#[cfg(all(test, feature = "schema"))]
mod tests {
    use super::*;

    /// `UPDATE_SCHEMA=1 cargo test --features schema` writes it anew.
    #[test]
    fn schema_is_current() {
        let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
        let mut schema = settings.into_generator().into_root_schema_for::<Document<'static>>();
        schema.insert("title".to_owned(), "The output of `whyred --format json`".into());
        let text = serde_json::to_string_pretty(&schema).unwrap() + "\n";
        if std::env::var_os("UPDATE_SCHEMA").is_some() {
            std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schema.json"), &text).unwrap();
            return;
        }
        assert!(text == json_schema(), "docs/schema.json is not current: UPDATE_SCHEMA=1 writes it");
    }
}
