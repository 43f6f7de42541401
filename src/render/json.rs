//! The JSON output: the contract that programs build on.

use serde::Serialize;

use super::mask;
use crate::decide::Decision;
use crate::error::Error;
use crate::report::{Cause, Claim, Counts, Ignored, Note, Outcome, PassedCase, Report, SourceSummary, Task};

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
    /// How many failed tests no cause explains.
    unexplained: u64,
    causes: &'a [Cause],
    causes_omitted: u64,
    tasks: &'a [Task],
    sources: &'a [SourceSummary],
    notes: &'a [Note],
    asked: &'a Option<String>,
    claims: &'a [Claim],
    ignored: &'a Ignored,
    /// The cases that passed, where they were asked for.
    #[serde(skip_serializing_if = "<[PassedCase]>::is_empty")]
    passed: &'a [PassedCase],
}

/// Renders a report and its decision as one JSON object on one line, without a line end.
#[must_use]
pub fn to_json(report: &Report, decision: &Decision) -> String {
    let (report, decision) = &mask::safe(report, decision);
    let unexplained = report.unexplained();
    let Report { rules, outcome, tests, causes, causes_omitted, tasks, sources, notes, asked, claims, ignored, passed } =
        report;
    let document = Document {
        schema: SCHEMA,
        rules,
        outcome: *outcome,
        decision,
        tests: *tests,
        unexplained,
        causes,
        causes_omitted: *causes_omitted,
        tasks,
        sources,
        notes,
        asked,
        claims,
        ignored,
        passed,
    };
    uncommanded_json(serde_json::to_string(&document).expect("plain data with string keys is always JSON"))
}

/// JSON in which no runner finds a command of its own.
pub(super) fn uncommanded_json(json: String) -> String {
    // Runners look for these commands anywhere in a line. The sign stands only within strings, where it may be escaped.
    match json.contains("##") {
        true => json.replace("##", "#\\u0023"),
        false => json,
    }
}

/// Reads what [`to_json`] printed: the report and the decision, with secrets masked as they were printed.
///
/// ```
/// use whyred::{Analyzer, Policy, Situation, Source, diff, from_json, to_json};
///
/// let report = Analyzer::new().analyze([Source::bytes("log", b"Error: Cannot find module 'a'\n")]);
/// let stored = to_json(&report, &Policy::default().decide(&report, &Situation::new()));
/// let (before, _) = from_json(&stored)?;
/// assert_eq!(diff(&before, &report).persisting, [(0, 0)]);
/// # Ok::<(), whyred::Error>(())
/// ```
///
/// # Errors
/// If the text is not JSON, is of another schema, or lacks a field.
pub fn from_json(text: &str) -> Result<(Report, Decision), Error> {
    let fail = |error: serde_json::Error| Error::stored(error.to_string());
    let mut document: serde_json::Value = serde_json::from_str(text).map_err(fail)?;
    match document.get("schema").and_then(serde_json::Value::as_u64) {
        Some(schema) if schema == u64::from(SCHEMA) => {}
        Some(schema) => return Err(Error::stored(format!("it has schema {schema}, expected {SCHEMA}"))),
        None => return Err(Error::stored("it has no schema")),
    }
    let decision = document.get_mut("decision").map(serde_json::Value::take).unwrap_or_default();
    let decision = serde_json::from_value(decision).map_err(fail)?;
    Ok((serde_json::from_value(document).map_err(fail)?, decision))
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
