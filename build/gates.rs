//! Writes what texts must hold for expressions to match in them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::fragment::{FILTER_BITS, hash, next};

/// How many bytes a fragment has: the shortest literal that says anything.
pub(crate) const LENGTH: usize = 3;

/// The letters of English in prose, the most common first; what is not among them is rare.
const COMMON: &[u8] = b" etaoinsrhldcumfpgwybvk";

/// What is known of each expression, by its index.
#[derive(Default)]
pub(crate) struct Gates {
    always: u128,
    whole: u128,
    cased: u128,
    /// The expressions that ask for a literal.
    literals: BTreeMap<Vec<u8>, u128>,
}

impl Gates {
    /// The literals of which each match of an expression holds one; none where there are no such literals.
    pub(crate) fn add(&mut self, index: usize, literals: Option<Vec<Vec<u8>>>) {
        assert!(index < 128, "a set of expressions is the bits of a number");
        let Some(literals) = literals else {
            self.always |= 1 << index;
            return;
        };
        for literal in literals {
            assert!(literal.len() >= LENGTH, "{:?} is too short to be looked for", literal.escape_ascii().to_string());
            *self.literals.entry(literal).or_default() |= 1 << index;
        }
    }

    /// The literals of an expression count as whole words only.
    pub(crate) fn whole(&mut self, index: usize) {
        self.whole |= 1 << index;
    }

    /// The literals of an expression count as they are written only.
    pub(crate) fn cased(&mut self, index: usize) {
        self.cased |= 1 << index;
    }

    /// The constant that the crate includes.
    pub(crate) fn constant(&self) -> String {
        let mut filter = [0_u64; FILTER_BITS / 64];
        let mut fragments = Vec::new();
        for (literal, expressions) in &self.literals {
            let at = rarest(literal);
            let bytes = literal[at..at + LENGTH].iter().map(u8::to_ascii_lowercase);
            let key = bytes.fold(0, next);
            filter[hash(key) / 64] |= 1 << (hash(key) % 64);
            fragments.push((key, at + LENGTH, literal.escape_ascii().to_string(), *expressions));
        }
        fragments.sort();
        let Gates { always, whole, cased, .. } = self;
        let mut out =
            format!("Gates {{ always: {always}, whole: {whole}, cased: {cased}, filter: {filter:?}, fragments: &[\n");
        for (key, end, literal, expressions) in fragments {
            let _ = writeln!(
                out,
                "    Fragment {{ key: {key}, end: {end}, literal: b\"{literal}\", expressions: {expressions} }},"
            );
        }
        out + "] }"
    }
}

/// Where the three bytes of a literal begin that stand in the fewest texts.
fn rarest(literal: &[u8]) -> usize {
    let common = |byte: &u8| {
        let byte = byte.to_ascii_lowercase();
        COMMON.iter().rev().position(|known| *known == byte).map_or(0, |place| place + 1)
    };
    let cost = |at: &usize| literal[*at..*at + LENGTH].iter().map(common).sum::<usize>();
    (0..=literal.len() - LENGTH).min_by_key(cost).expect("no literal is shorter")
}
