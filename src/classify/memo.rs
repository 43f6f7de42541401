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
    /// Nor does any needle that could stand in such a line, once that was asked.
    needles_alike: Option<bool>,
    /// The rules that match, the weightiest first, each with the place of its subject.
    found: Vec<(u32, Option<Range<usize>>)>,
}

impl Known {
    /// Whether a line is as good as this one.
    fn answers(&mut self, rules: &RuleSet, line: &str, candidates: Option<&[u32]>) -> bool {
        let same = *self.line == *line;
        let alike = same || self.digits_alike && differ_in_digits(&self.line, line);
        if !alike {
            return false;
        }
        match candidates {
            Some(told) => *self.candidates == *told,
            None => same || *self.needles_alike.get_or_insert_with(|| !rules.has_numbered_needle(&self.line)),
        }
    }
}

impl Memo {
    const PLACES: usize = 1024;

    /// The longest line that is remembered.
    const WIDTH: usize = 300;

    /// The place of a line, which is that of all lines that differ from it in digits.
    fn place(line: &str) -> usize {
        let mix = |hash: u64, word: u64| (hash.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let hash = words(line).fold(line.len() as u64, |hash, word| mix(hash, without_digits(word)));
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
        if let Some(known) = self.known.get_mut(place)
            && known.answers(rules, line, candidates)
        {
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
                needles_alike: None,
                found: found.iter().map(|found| (found.index, found.subject.clone())).collect(),
            };
        }
        found
    }
}

/// Whether two lines are the same but for the values of their digits.
fn differ_in_digits(one: &str, other: &str) -> bool {
    one.len() == other.len() && words(one).zip(words(other)).all(|(a, b)| without_digits(a) == without_digits(b))
}

/// The bytes of a line, eight in a word; the last is filled up with zeros.
fn words(line: &str) -> impl Iterator<Item = u64> {
    let (eights, rest) = line.as_bytes().as_chunks::<8>();
    let last = rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
    eights.iter().map(|eight| u64::from_le_bytes(*eight)).chain((!rest.is_empty()).then_some(last))
}

/// Eight bytes, each digit among them made a zero.
fn without_digits(word: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    // Of a digit the upper half is that of `0`, and the lower half at most nine.
    let apart = word ^ (0x30 * EACH);
    let above_nine = ((apart & (0x7f * EACH)) + (0x80 - 10) * EACH) | apart;
    let digits = (!above_nine >> 7) & EACH;
    word & !(digits * 0x0f)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(memo: &mut Memo, rules: &RuleSet, line: &str, told: bool) -> Vec<(String, Option<String>)> {
        let candidates = told.then(|| rules.candidates(line));
        let found = memo.matches(rules, line, candidates.as_deref(), || Box::new(std::iter::empty()));
        found.into_iter().map(|found| (found.rule.id.to_string(), found.subject_in(line))).collect()
    }

    #[test]
    fn what_is_remembered_is_what_the_rules_say() {
        let rules = RuleSet::built_in().with_examples();
        for told in [true, false] {
            let mut memo = Memo::default();
            let mut again = 0;
            for line in rules.rules().iter().flat_map(|rule| rule.hits.iter().map(|hit| hit.line.as_str())) {
                found(&mut memo, &rules, line, told);
                for digit in ['0', '4', '7'] {
                    // Other digits, as in the next line of a loop.
                    let other = |old: char| if old.is_ascii_digit() { digit } else { old };
                    let other: String = line.chars().map(other).collect();
                    let fresh = found(&mut Memo::default(), &rules, &other, told);
                    assert_eq!(found(&mut memo, &rules, &other, told), fresh, "{other}");
                    again += usize::from(other != line);
                }
                // And the other way about: the line behind one whose digits mean nothing.
                assert_eq!(
                    found(&mut memo, &rules, line, told),
                    found(&mut Memo::default(), &rules, line, told),
                    "{line}"
                );
            }
            assert!(again > 500, "hardly any line has a digit: {again}");
        }
    }

    #[test]
    fn a_subject_is_that_of_the_line_at_hand() {
        let rules = RuleSet::built_in();
        for told in [true, false] {
            let mut memo = Memo::default();
            let subject = |memo: &mut Memo, line| found(memo, &rules, line, told)[0].1.clone();
            assert_eq!(subject(&mut memo, "Error: Cannot find module 'm41'").as_deref(), Some("m41"));
            assert_eq!(subject(&mut memo, "Error: Cannot find module 'm42'").as_deref(), Some("m42"));
            assert!(memo.known.iter().any(|known| known.digits_alike && !known.found.is_empty()));
        }
    }

    #[test]
    fn digits_are_told_from_all_other_bytes() {
        for byte in 0..=u8::MAX {
            let zeroed = if byte.is_ascii_digit() { b'0' } else { byte };
            for at in 0..8 {
                let (mut word, mut wanted) = ([b'9', b'/', 0, 0xff, b':', b'0', 0x80, b'a'], *b"0/\0\xff:0\x80a");
                (word[at], wanted[at]) = (byte, zeroed);
                assert_eq!(without_digits(u64::from_le_bytes(word)), u64::from_le_bytes(wanted), "{byte} at {at}");
            }
        }
    }

    #[test]
    fn a_needle_with_a_digit_is_not_passed_over() {
        let rules = "[[rule]]\nid = \"a/b\"\nkind = \"crash\"\nneedles = [\"ended with 137\"]\n\
                     pattern = \"ended with \\\\d+\"\nhits = [{ line = \"it ended with 137\" }]\n";
        let rules = RuleSet::only_file("rules.toml", rules).expect("they are sound");
        let mut memo = Memo::default();
        for (line, matches) in [("it ended with 136", 0), ("it ended with 137", 1), ("it ended with 138", 0)] {
            for _ in 0..2 {
                assert_eq!(found(&mut memo, &rules, line, false).len(), matches, "{line}");
            }
        }
    }
}
