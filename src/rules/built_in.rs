//! The built-in rules as they are compiled into the crate; `build/main.rs` writes the table from the files in `rules/`.

use std::borrow::Cow;

use super::{Rank, Role, Rule};
use crate::kind::{Kind, Nature, Phase};

/// All of them.
pub(super) struct Built {
    /// FNV-1a of the files.
    pub hash: u64,
    /// The rule files: name and text, in the order of the names.
    pub sources: &'static [(&'static str, &'static str)],
    /// The rules, in the order of the files.
    pub rules: &'static [Constant],
}

/// A [`Rule`] without its examples.
pub(super) struct Constant {
    id: &'static str,
    kind: Option<Kind>,
    rank: Rank,
    role: Role,
    /// Each with the places of its windows, unless it is short.
    pub needles: &'static [(&'static str, Option<[u16; 2]>)],
    pattern: &'static str,
    nature: Option<Nature>,
    phase: Option<Phase>,
    context: Option<&'static str>,
    explains: &'static [Kind],
    survives: bool,
}

pub(super) static BUILT_IN: Built = include!(concat!(env!("OUT_DIR"), "/rules.rs"));

impl From<&Constant> for Rule {
    fn from(rule: &Constant) -> Self {
        Rule {
            id: Cow::Borrowed(rule.id),
            kind: rule.kind,
            rank: rule.rank,
            role: rule.role,
            needles: rule.needles.iter().map(|&(needle, _)| Cow::Borrowed(needle)).collect(),
            pattern: Cow::Borrowed(rule.pattern),
            nature: rule.nature,
            phase: rule.phase,
            context: rule.context.map(Cow::Borrowed),
            explains: rule.explains.to_vec(),
            survives: rule.survives,
            hits: Vec::new(),
            misses: Vec::new(),
        }
    }
}
