//! What a text holds of the words and forms of words that claims are told by.
//!
//! `claims.toml` lists them. A text is read once for all of them; an expression is compiled and asked only where the text
//! holds what its matches hold.

use std::cell::OnceCell;
use std::sync::OnceLock;

use crate::gate::{Fragment, Gates};
use crate::pattern::{self, Captures, Regex};

include!(concat!(env!("OUT_DIR"), "/claims.rs"));

/// Each is compiled when it is first asked.
static EXPRESSIONS: [OnceLock<Regex>; PATTERNS.len()] = [const { OnceLock::new() }; PATTERNS.len()];

fn expression(index: usize) -> &'static Regex {
    EXPRESSIONS[index].get_or_init(|| pattern::regex(PATTERNS[index]))
}

/// A text, and what it holds, which is looked for when it is first asked.
pub(crate) struct Heard<'t> {
    pub(crate) text: &'t str,
    held: OnceCell<u128>,
}

impl<'t> Heard<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Heard { text, held: OnceCell::new() }
    }

    /// A part of the text, to be asked for expressions. Its lists are those of the whole.
    pub(super) fn part<'p>(&self, text: &'p str) -> Heard<'p> {
        Heard { text, held: OnceCell::from(self.held()) }
    }

    fn held(&self) -> u128 {
        *self.held.get_or_init(|| GATES.open(self.text))
    }

    /// Whether the text holds a word of a list.
    pub(super) fn has(&self, list: List) -> bool {
        self.held() >> list as u8 & 1 == 1
    }

    /// Where the first word of a list begins.
    pub(super) fn first(&self, list: List) -> Option<usize> {
        self.has(list).then(|| GATES.first(self.text, list as u8)).flatten()
    }

    /// Whether the text says something in a form of words.
    pub(super) fn says(&self, form: Form) -> bool {
        self.may_match(form).any(|expression| expression.is_match(self.text))
    }

    /// The parts of the first match of a form, which has one pattern.
    pub(super) fn captures(&self, form: Form) -> Option<Captures<'t>> {
        self.may_match(form).find_map(|expression| expression.captures(self.text))
    }

    /// The parts of all matches of a form, which has one pattern.
    pub(super) fn captures_all(&self, form: Form) -> impl Iterator<Item = Captures<'t>> {
        self.may_match(form).flat_map(|expression| expression.captures_iter(self.text))
    }

    fn may_match(&self, form: Form) -> impl Iterator<Item = &'static Regex> {
        let held = self.held();
        let open = move |index: &usize| held >> index & 1 == 1;
        SPANS[form as usize].clone().filter(open).map(|index| expression(index - FIRST_PATTERN))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matches_is_asked() {
        let mut matched = 0_u64;
        for line in include_str!("../../../tests/cases/message/validation-failure/message.md")
            .lines()
            .chain(include_str!("claims.toml").lines())
            .chain(SPOKEN.iter().copied())
        {
            let held = GATES.open(line);
            for (index, pattern) in PATTERNS.iter().enumerate() {
                if expression(index).is_match(line) {
                    assert_eq!(held >> (index + FIRST_PATTERN) & 1, 1, "{pattern:?} in {line:?}");
                    matched |= 1 << index;
                }
            }
        }
        let missed: Vec<_> = (0..PATTERNS.len()).filter(|index| matched >> index & 1 == 0).collect();
        assert_eq!(missed, [0; 0], "patterns that no line of this test matches");
    }

    /// A sentence for each pattern.
    const SPOKEN: &[&str] = &[
        "3 test cases failed",
        "Failed: 12",
        "96 failures out of 453 tests",
        "it is NOT PROPERLY mocked",
        "the build exited with code 2",
        "a TypeError was thrown",
        "no longer fails",
        "the crash did not occur again",
        "it is fixed",
        "No serious lint errors",
        "without any failures",
        "zero failures",
        "all of them now pass",
        "it was already working",
        "these are expected.",
        "That can be ignored",
        "Handled timeouts",
        "expected 3 but was 4",
        "expected 3, got 4",
        "Timeout of 5000 ms exceeded",
        "the snapshot does not match",
        "2 snapshots failed",
        "coverage is 71 %, below 80 %",
        "coverage is below the threshold",
        "ESLint reports errors",
        "tsc failed",
        "escalated to the owner",
        "agent:main:subagent:12",
    ];

    #[test]
    fn whole_words_have_no_letters_next_to_them() {
        assert!(Heard::new("it FAILS, as before").has(List::Trouble));
        assert!(!Heard::new("failsafe").has(List::Trouble));
        assert!(Heard::new("HTTP 404").has(List::Trouble));
        assert!(!Heard::new("1404 lines").has(List::Trouble));
    }

    #[test]
    fn signs_count_as_they_are_written() {
        assert!(Heard::new("Build: FAIL").has(List::Sign));
        assert!(!Heard::new("Build: fail").has(List::Sign));
    }

    #[test]
    fn the_first_word_of_a_list_is_found() {
        assert_eq!(Heard::new("It did not Pass, it Failed").first(List::Failed), Some(20));
        assert_eq!(Heard::new("It did not Pass, it Failed").first(List::Passed), Some(11));
        assert_eq!(Heard::new("nothing").first(List::Passed), None);
    }
}
