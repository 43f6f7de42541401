//! Writes the phrases as constants, each with the fragments that a line must hold for it to match.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use toml::{Table, Value};

use crate::fragment::{FILTER_BITS, LENGTH, hash};
use crate::{literals, variant};

/// The letters of English in prose, the most common first; what is not among them is rare.
const COMMON: &[u8] = b" etaoinsrhldcumfpgwybvk";

/// The constants that `src/words.rs` includes.
pub(crate) fn constants(text: &str) -> String {
    let table: Table = text.parse().unwrap_or_else(|error| panic!("phrases.toml: {error}"));
    let phrases = table.get("phrase").and_then(Value::as_array).expect("there are phrases");
    let mut out = String::from("Built {\n  phrases: &[\n");
    let mut fragments: BTreeMap<[u8; LENGTH], Vec<(usize, usize, String)>> = BTreeMap::new();
    let mut always = 0_u128;
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
        match literals::required(pattern) {
            None => always |= 1 << index,
            Some(literals) => {
                for literal in literals {
                    let at = rarest(&literal);
                    let key = [literal[at], literal[at + 1], literal[at + 2]];
                    fragments.entry(key).or_default().push((index, at, literal.escape_ascii().to_string()));
                }
            }
        }
    }
    let mut filter = [0_u64; FILTER_BITS / 64];
    for key in fragments.keys() {
        let hash = hash(*key);
        filter[hash / 64] |= 1 << (hash % 64);
    }
    let _ = writeln!(
        out,
        "  ],\n  first_faint: {first_faint},\n  always: {always},\n  filter: {filter:?},\n  fragments: &["
    );
    for (key, literals) in &fragments {
        for (index, at, literal) in literals {
            let _ = writeln!(out, "    ({key:?}, {index}, {at}, b\"{literal}\"),");
        }
    }
    out + "  ],\n}\n"
}

/// Where the three bytes of a literal begin that stand in the fewest texts.
fn rarest(literal: &[u8]) -> usize {
    let common = |byte: &u8| COMMON.iter().rev().position(|known| known == byte).map_or(0, |place| place + 1);
    let cost = |at: &usize| literal[*at..*at + LENGTH].iter().map(common).sum::<usize>();
    (0..=literal.len() - LENGTH).min_by_key(cost).expect("no literal is shorter")
}
