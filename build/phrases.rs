//! Writes the phrases as constants, each with what a line must hold for it to match.

use std::fmt::Write as _;

use toml::{Table, Value};

use crate::gates::Gates;
use crate::{literals, variant};

/// The constants that `src/words.rs` includes.
pub(crate) fn constants(text: &str) -> String {
    let table: Table = text.parse().unwrap_or_else(|error| panic!("phrases.toml: {error}"));
    let phrases = table.get("phrase").and_then(Value::as_array).expect("there are phrases");
    let mut out = String::from("Built {\n  phrases: &[\n");
    let mut gates = Gates::default();
    let mut first_faint = phrases.len();
    for (index, phrase) in phrases.iter().enumerate() {
        let text =
            |key: &str| phrase.get(key).and_then(Value::as_str).unwrap_or_else(|| panic!("phrase {index}: no {key}"));
        let faint = phrase.get("faint").and_then(Value::as_bool).unwrap_or(false);
        if faint {
            first_faint = first_faint.min(index);
        }
        assert!(faint == (index >= first_faint), "faint phrases stand behind the others");
        let (kind, pattern) = (variant(text("kind")), text("pattern"));
        let _ = writeln!(out, "    (Kind::{kind}, {:?}),", format!("(?i){pattern}"));
        gates.add(index, literals::required(pattern));
    }
    let _ = writeln!(out, "  ],\n  first_faint: {first_faint},\n  gates: {},\n}}", gates.constant());
    out
}
