//! Writes what sentences of messages are asked for as constants.

use std::fmt::Write as _;

use toml::{Table, Value};

use crate::gates::Gates;
use crate::{literals, variant};

/// The constants that `src/format/claim/heard.rs` includes: a list is one bit of the gates, an expression as many as it
/// has patterns.
pub(crate) fn constants(text: &str) -> String {
    let table: Table = text.parse().unwrap_or_else(|error| panic!("claims.toml: {error}"));
    let entries = |key: &str| table.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let strings = |entry: &Value, key: &str| -> Vec<String> {
        let values = entry.get(key).and_then(Value::as_array).unwrap_or_else(|| panic!("claims.toml: no {key}"));
        values.iter().map(|value| value.as_str().expect("they are strings").to_owned()).collect()
    };
    let name = |entry: &Value| variant(entry.get("name").and_then(Value::as_str).expect("each has a name"));
    let is = |entry: &Value, key: &str| entry.get(key).and_then(Value::as_bool).unwrap_or(false);
    let mut gates = Gates::default();
    let mut index = 0;
    let mut lists = String::new();
    for list in entries("list") {
        let _ = writeln!(lists, "    {},", name(&list));
        gates.add(index, Some(strings(&list, "words").into_iter().map(String::into_bytes).collect()));
        if is(&list, "whole") {
            gates.whole(index);
        }
        if is(&list, "cased") {
            gates.cased(index);
        }
        index += 1;
    }
    let first = index;
    let (mut expressions, mut spans, mut patterns) = (String::new(), String::new(), String::new());
    for expression in entries("expression") {
        let from = index;
        for pattern in strings(&expression, "patterns") {
            let flags = if is(&expression, "cased") { "" } else { "(?i)" };
            let _ = writeln!(patterns, "    {:?},", format!("{flags}{pattern}"));
            gates.add(index, literals::required(&pattern));
            index += 1;
        }
        let _ = writeln!(expressions, "    {},", name(&expression));
        let _ = writeln!(spans, "    {from}..{index},");
    }
    let derive = "#[derive(Clone, Copy, Debug, PartialEq, Eq)]";
    format!(
        "{derive}\npub(super) enum List {{\n{lists}}}\n{derive}\npub(super) enum Form {{\n{expressions}}}\n\
         const FIRST_PATTERN: usize = {first};\nconst SPANS: &[std::ops::Range<usize>] = &[\n{spans}];\n\
         const PATTERNS: &[&str] = &[\n{patterns}];\nstatic GATES: Gates = {};\n",
        gates.constant()
    )
}
