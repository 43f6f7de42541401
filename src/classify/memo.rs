//! What the rules make of lines that were read before.
//!
//! The failures of a run share frames and messages, and what is said again and again differs in its digits: times,
//! ports, counts. Where no rule in question knows one digit from another, such lines are as good as the same.

use std::ops::Range;

use crate::rules::{Match, RuleSet};

/// The lines that were read last.
#[derive(Debug, Default)]
pub(crate) struct Memo {
    /// A line has one place, by its hash; a later one takes it over. There are none before the first line.
    known: Vec<Known>,
}

#[derive(Clone, Debug, Default)]
struct Known {
    line: Box<str>,
    /// The rules in question.
    candidates: Box<[u32]>,
    /// None of them knows one digit from another.
    digits_alike: bool,
    /// The rules that match, the weightiest first, each with the place of its subject.
    found: Vec<(u32, Option<Range<usize>>)>,
}

impl Memo {
    const PLACES: usize = 1024;

    /// The longest line that is remembered.
    const WIDTH: usize = 300;

    /// The place of a line, which is that of all lines that differ from it in digits.
    fn place(line: &str) -> usize {
        let mix = |hash: u64, word: u64| (hash.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let (eights, rest) = line.as_bytes().as_chunks::<8>();
        let rest = rest.iter().fold(line.len() as u64, |sum, byte| sum << 8 | u64::from(without_digit(*byte)));
        let hash = eights.iter().fold(rest, |hash, bytes| mix(hash, u64::from_le_bytes(bytes.map(without_digit))));
        (mix(hash, 0) >> 40) as usize % Memo::PLACES
    }

    /// The rules that match a line, the weightiest first. Where they are not told, the candidates are those that have a
    /// needle in it.
    pub(crate) fn matches<'r, 'c>(
        &mut self,
        rules: &'r RuleSet,
        line: &str,
        candidates: Option<&[u32]>,
        context: impl Fn() -> Box<dyn Iterator<Item = &'c str> + 'c>,
    ) -> Vec<Match<'r>> {
        let place = Memo::place(line);
        let is_known = |known: &&Known| match candidates {
            None => *known.line == *line,
            Some(told) => {
                *known.candidates == *told
                    && (*known.line == *line || known.digits_alike && differ_in_digits(&known.line, line))
            }
        };
        if let Some(known) = self.known.get(place).filter(is_known) {
            let again = known.found.iter();
            let again = again.map(|(index, subject)| Match {
                rule: rules.rule(*index),
                index: *index,
                subject: subject.clone(),
            });
            return again.collect();
        }
        let own = candidates.is_none().then(|| rules.candidates(line));
        let candidates = own.as_deref().or(candidates).unwrap_or_default();
        let found = if candidates.is_empty() { Vec::new() } else { rules.matches(line, candidates, context) };
        // What hangs on other lines may be otherwise next time.
        if line.len() <= Memo::WIDTH && !candidates.iter().any(|&rule| rules.wants_context(rule)) {
            self.known.resize(Memo::PLACES, Known::default());
            self.known[place] = Known {
                line: line.into(),
                candidates: candidates.into(),
                digits_alike: candidates.iter().all(|&rule| rules.digits_alike(rule)),
                found: found.iter().map(|found| (found.index, found.subject.clone())).collect(),
            };
        }
        found
    }
}

#[inline(always)]
fn without_digit(byte: u8) -> u8 {
    if byte.is_ascii_digit() { b'0' } else { byte }
}

/// Whether two lines are the same but for the values of their digits.
fn differ_in_digits(one: &str, other: &str) -> bool {
    let (ones, one_rest) = one.as_bytes().as_chunks::<8>();
    let (others, other_rest) = other.as_bytes().as_chunks::<8>();
    let alike = |(one, other): (&u8, &u8)| without_digit(*one) == without_digit(*other);
    one.len() == other.len()
        && ones.iter().zip(others).all(|(one, other)| one.map(without_digit) == other.map(without_digit))
        && one_rest.iter().zip(other_rest).all(alike)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(memo: &mut Memo, rules: &RuleSet, line: &str) -> Vec<(String, Option<String>)> {
        let candidates = rules.candidates(line);
        let found = memo.matches(rules, line, Some(&candidates), || Box::new(std::iter::empty()));
        found.into_iter().map(|found| (found.rule.id.clone(), found.subject_in(line))).collect()
    }

    #[test]
    fn what_is_remembered_is_what_the_rules_say() {
        let rules = RuleSet::built_in().with_examples();
        let mut memo = Memo::default();
        let mut again = 0;
        for line in rules.rules().iter().flat_map(|rule| rule.hits.iter().map(|hit| hit.line.as_str())) {
            found(&mut memo, &rules, line);
            for digit in ['0', '4', '7'] {
                // Other digits, as in the next line of a loop.
                let other: String = line.chars().map(|old| if old.is_ascii_digit() { digit } else { old }).collect();
                assert_eq!(found(&mut memo, &rules, &other), found(&mut Memo::default(), &rules, &other), "{other}");
                again += usize::from(other != line);
            }
        }
        assert!(again > 500, "hardly any line has a digit: {again}");
    }

    #[test]
    fn a_subject_is_that_of_the_line_at_hand() {
        let rules = RuleSet::built_in();
        let mut memo = Memo::default();
        let subject = |memo: &mut Memo, line| found(memo, &rules, line)[0].1.clone();
        assert_eq!(subject(&mut memo, "Error: Cannot find module 'm41'").as_deref(), Some("m41"));
        assert_eq!(subject(&mut memo, "Error: Cannot find module 'm42'").as_deref(), Some("m42"));
        assert!(memo.known.iter().any(|known| known.digits_alike && !known.found.is_empty()));
    }
}
