//! Which of many expressions may match in a text, and which of many lists of words it holds, told in one pass over it.
//!
//! An expression is dear to compile and to ask, and most are asked for nothing. So the build finds literals of which
//! each match holds one, and who asks looks for those first.

pub(crate) mod fragment;

use std::cell::OnceCell;
use std::ops::Range;
use std::sync::OnceLock;

use crate::pattern::{self, Captures, Regex};
use fragment::FILTER_BITS;

/// What a text must hold for up to 128 expressions to match in it. The build writes it.
pub(crate) struct Gates {
    /// The expressions of which nothing is known, as bits: any text may hold what they ask for.
    pub always: u128,
    /// Those whose literals count only where no letter, digit or `_` stands next to them.
    pub whole: u128,
    /// Those whose literals count only as they are written.
    pub cased: u128,
    /// What `fragments` begin with, as bits at their hashes.
    pub filter: [u64; FILTER_BITS / 64],
    /// In order.
    pub fragments: &'static [Fragment],
}

/// Bytes in lower case that few texts hold, as a number, and a literal that they are part of.
pub(crate) struct Fragment {
    pub key: u32,
    /// How far within the literal the bytes end.
    pub end: u8,
    pub literal: &'static [u8],
    /// The expressions that ask for the literal, as bits.
    pub expressions: u128,
}

impl Gates {
    /// The expressions that may match in a text, a bit for each.
    pub(crate) fn open(&self, text: &str) -> u128 {
        let mut open = self.always;
        self.each(text.as_bytes(), |expressions, _| open |= expressions);
        open
    }

    /// Where the first literal of an expression begins.
    pub(crate) fn first(&self, text: &str, expression: usize) -> Option<usize> {
        let mut first = None;
        self.each(text.as_bytes(), |expressions, start| {
            if expressions >> expression & 1 == 1 && first.is_none_or(|known| start < known) {
                first = Some(start);
            }
        });
        first
    }

    /// Shows each literal that a text holds: the expressions that ask for it, and where it begins.
    fn each(&self, text: &[u8], mut show: impl FnMut(u128, usize)) {
        let mut key = 0;
        for (at, byte) in text.iter().enumerate() {
            key = fragment::next(key, byte.to_ascii_lowercase());
            let hash = fragment::hash(key);
            if self.filter[hash / 64] & 1 << (hash % 64) == 0 {
                continue;
            }
            let first = self.fragments.partition_point(|fragment| fragment.key < key);
            for fragment in self.fragments[first..].iter().take_while(|fragment| fragment.key == key) {
                if let Some(start) = (at + 1).checked_sub(usize::from(fragment.end)) {
                    show(self.held(text, start, fragment), start);
                }
            }
        }
    }

    /// The expressions that ask for a literal, as far as it stands here as each wants it.
    fn held(&self, text: &[u8], start: usize, fragment: &Fragment) -> u128 {
        let end = start + fragment.literal.len();
        let there = text.get(start..end).filter(|there| there.eq_ignore_ascii_case(fragment.literal));
        let Some(there) = there else { return 0 };
        let mut held = fragment.expressions;
        if held & self.cased != 0 && there != fragment.literal {
            held &= !self.cased;
        }
        if held & self.whole != 0 {
            let of_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
            let before = start.checked_sub(1).map(|at| &text[at]);
            if before.is_some_and(of_word) || text.get(end).is_some_and(of_word) {
                held &= !self.whole;
            }
        }
        held
    }
}

/// Lists of words and expressions, as the build makes them of a file.
pub(crate) struct Table {
    pub gates: Gates,
    pub patterns: &'static [&'static str],
    /// The bit of the first pattern. Those before it are of the lists.
    pub first: usize,
    /// Each is compiled when it is first asked.
    pub compiled: &'static [OnceLock<Regex>],
}

impl Table {
    fn expression(&'static self, index: usize) -> &'static Regex {
        self.compiled[index].get_or_init(|| pattern::regex(self.patterns[index]))
    }
}

/// A text, and what it holds of a table, which is looked for when it is first asked.
pub(crate) struct Heard<'t> {
    pub text: &'t str,
    table: &'static Table,
    open: OnceCell<u128>,
}

impl<'t> Heard<'t> {
    pub(crate) fn new(table: &'static Table, text: &'t str) -> Self {
        Heard { text, table, open: OnceCell::new() }
    }

    /// A part of the text, to be asked for expressions. Its lists are those of the whole.
    pub(crate) fn part<'p>(&self, text: &'p str) -> Heard<'p> {
        Heard { text, table: self.table, open: OnceCell::from(self.open()) }
    }

    fn open(&self) -> u128 {
        *self.open.get_or_init(|| self.table.gates.open(self.text))
    }

    /// Whether the text holds a word of a list.
    pub(crate) fn has(&self, list: usize) -> bool {
        self.open() >> list & 1 == 1
    }

    /// Where the first word of a list begins.
    pub(crate) fn first(&self, list: usize) -> Option<usize> {
        self.has(list).then(|| self.table.gates.first(self.text, list)).flatten()
    }

    /// Whether the text says something in a form of words.
    pub(crate) fn says(&self, form: Range<usize>) -> bool {
        self.may_match(form).any(|expression| expression.is_match(self.text))
    }

    /// The parts of the first match of a form, which has one pattern.
    pub(crate) fn captures(&self, form: Range<usize>) -> Option<Captures<'t>> {
        self.may_match(form).find_map(|expression| expression.captures(self.text))
    }

    /// The parts of all matches of a form, which has one pattern.
    pub(crate) fn captures_all(&self, form: Range<usize>) -> impl Iterator<Item = Captures<'t>> {
        self.may_match(form).flat_map(|expression| expression.captures_iter(self.text))
    }

    fn may_match(&self, form: Range<usize>) -> impl Iterator<Item = &'static Regex> + use<> {
        let (open, table) = (self.open(), self.table);
        form.filter(move |index| open >> index & 1 == 1).map(|index| table.expression(index - table.first))
    }
}

/// Checks that whatever matches in some lines is asked there, and that each pattern matches in one of them.
#[cfg(test)]
pub(crate) fn check<'t>(table: &'static Table, lines: impl IntoIterator<Item = &'t str>) {
    let mut matched = 0_u128;
    for line in lines {
        let open = table.gates.open(line);
        for (index, pattern) in table.patterns.iter().enumerate() {
            if table.expression(index).is_match(line) {
                assert_eq!(open >> (index + table.first) & 1, 1, "{pattern:?} in {line:?}");
                matched |= 1 << index;
            }
        }
    }
    let unmatched = table.patterns.iter().enumerate().filter(|(index, _)| matched >> index & 1 == 0);
    assert_eq!(unmatched.collect::<Vec<_>>(), [], "patterns that match in none of the lines");
}
