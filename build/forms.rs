//! Writes lists of words and expressions that texts are asked for as constants.

use std::fmt::Write as _;

use toml::{Table, Value};

use crate::gates::Gates;
use crate::literals;

/// The constants that the module of the file includes: a list is one bit of the gates, an expression as many as it has
/// patterns.
pub(crate) fn constants(text: &str) -> String {
    let table: Table = text.parse().unwrap_or_else(|error| panic!("a list or an expression: {error}"));
    let entries = |key: &str| table.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let strings = |entry: &Value, key: &str| -> Vec<String> {
        let values = entry.get(key).and_then(Value::as_array).unwrap_or_else(|| panic!("{entry:?}: no {key}"));
        values.iter().map(|value| value.as_str().expect("they are strings").to_owned()).collect()
    };
    let name = |entry: &Value| entry.get("name").and_then(Value::as_str).expect("each has a name").to_uppercase();
    let is = |entry: &Value, key: &str| entry.get(key).and_then(Value::as_bool).unwrap_or(false);
    let mut gates = Gates::default();
    let mut index = 0;
    let mut lists = String::new();
    for list in entries("list") {
        let _ = writeln!(lists, "    pub(super) const {}: usize = {index};", name(&list));
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
    let (mut forms, mut patterns) = (String::new(), String::new());
    for expression in entries("expression") {
        let from = index;
        for pattern in strings(&expression, "patterns") {
            let flags = if is(&expression, "cased") { "" } else { "(?i)" };
            let _ = writeln!(patterns, "    {:?},", format!("{flags}{pattern}"));
            gates.add(index, literals::required(&pattern));
            index += 1;
        }
        let _ =
            writeln!(forms, "    pub(super) const {}: std::ops::Range<usize> = {from}..{index};", name(&expression));
    }
    let (count, gates) = (index - first, gates.constant());
    let compiled = if count == 0 { "[]".to_owned() } else { format!("[const {{ OnceLock::new() }}; {count}]") };
    format!(
        "mod list {{\n{lists}}}\n\
         mod form {{\n{forms}}}\n\
         mod table {{\n\
         use std::sync::OnceLock;\n\
         use crate::gate::{{Fragment, Gates, Table}};\n\
         use crate::pattern::Regex;\n\
         static COMPILED: [OnceLock<Regex>; {count}] = {compiled};\n\
         pub(super) static TABLE: Table =\n\
         Table {{ first: {first}, compiled: &COMPILED, patterns: &[\n{patterns}], gates: {gates} }};\n\
         }}\n"
    )
}
