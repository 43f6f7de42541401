//! What a sentence of a message claims: good or bad, about what, and how many tests.
//!
//! The messages of validators, coordinators and workers are prose. A sentence counts as a claim of trouble only
//! when it speaks of the present: what was fixed, what no longer happens, what somebody should do next and what was
//! true before are told in the same words and are none. The kind of the trouble is left to the rules.

mod count;
mod id;
mod tone;
mod topic;

pub(crate) use count::{Tally, tally};
pub(crate) use id::{is_task_id, session, task_ids};
pub(crate) use tone::{Tone, is_hedged, is_signed, is_trouble, section_tone, signed, verdict};
pub(crate) use topic::{names_mock, phase, signal, subject};

use crate::gate::Heard;

include!(concat!(env!("OUT_DIR"), "/claims.rs"));

/// A text that is asked for what claims are told by.
pub(crate) fn heard(text: &str) -> Heard<'_> {
    Heard::new(&table::TABLE, text)
}

/// Whether a word is among some, without regard to case.
fn among(words: &str, word: &str) -> bool {
    words.as_bytes().split(|byte| *byte == b' ').any(|known| known.eq_ignore_ascii_case(word.as_bytes()))
}

/// A line without the marks of Markdown: list signs, quotes, headings, emphasis. Code marks stay.
pub(crate) fn plain(line: &str) -> String {
    let mut text = line.trim();
    loop {
        let before = text;
        text = text.trim_start_matches(['>', '#']).trim_start();
        for sign in ["- ", "* ", "+ ", "• "] {
            text = text.strip_prefix(sign).unwrap_or(text).trim_start();
        }
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        if (1..=3).contains(&digits) {
            let rest = &text[digits..];
            text = rest.strip_prefix(". ").or_else(|| rest.strip_prefix(") ")).unwrap_or(text).trim_start();
        }
        if text == before {
            break;
        }
    }
    let emphasis = |mark: &str, text: String| if text.contains(mark) { text.replace(mark, "") } else { text };
    emphasis("__", emphasis("**", text.to_owned())).trim().to_owned()
}

/// Who is asked to act, in a sentence that says so: `escalation to Person Manager`, `Report to the owner`.
pub(crate) fn asked(heard: &Heard) -> Option<String> {
    let found = heard.captures(form::ASKED)?;
    let name = found.name("name").or_else(|| found.name("role"))?.as_str();
    Some(name.trim_end_matches(" L").to_owned())
}

/// The priority that a text gives: 0 for `P0`.
pub(crate) fn priority(text: &str) -> Option<u8> {
    let bytes = text.as_bytes();
    let of_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    memchr::memchr_iter(b'P', bytes).find_map(|at| {
        let alone = !at.checked_sub(1).is_some_and(|before| of_word(&bytes[before]));
        let level = bytes.get(at + 1).filter(|level| (b'0'..=b'4').contains(level))?;
        (alone && !bytes.get(at + 2).is_some_and(of_word)).then(|| level - b'0')
    })
}

/// A line of the form `name: value`, its name in lower case without signs.
pub(crate) fn field(text: &str) -> Option<(String, &str)> {
    let (_, text) = signed(text);
    let (name, value) = text.split_once(':')?;
    let name = name.trim();
    let short = !name.is_empty() && name.chars().count() <= 40 && name.split_whitespace().count() <= 5;
    let plain = name.chars().all(|character| character.is_alphanumeric() || " -_/&()".contains(character));
    (short && plain && !value.starts_with("//")).then(|| (name.to_lowercase(), value.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_markdown_go() {
        assert_eq!(plain("> - **Status:** FAILED"), "Status: FAILED");
        assert_eq!(plain("  12. __tests__ in `a__b`"), "tests in `ab`");
        assert_eq!(plain("1200) is no number of a list"), "1200) is no number of a list");
    }

    #[test]
    fn priorities_stand_alone() {
        assert_eq!(priority("P0: fix the build"), Some(0));
        assert_eq!(priority("(P3)"), Some(3));
        for none in ["P7", "HTTP2", "P01", "XP0", "P"] {
            assert_eq!(priority(none), None, "{none}");
        }
    }

    #[test]
    fn whoever_is_asked_is_named() {
        assert_eq!(asked(&heard("Recommend escalation to Person Manager.")).as_deref(), Some("Person Manager"));
        assert_eq!(asked(&heard("Please report this to the owner")).as_deref(), Some("owner"));
        assert_eq!(asked(&heard("The report goes up")), None);
    }

    #[test]
    fn what_matches_is_asked() {
        let lines = include_str!("claim/claims.toml").lines();
        crate::gate::check(&table::TABLE, lines.chain(SPOKEN.iter().copied()));
    }

    /// A sentence for each pattern.
    const SPOKEN: &[&str] = &[
        "3 test cases failed",
        "3/4 tests",
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
        assert!(heard("it FAILS, as before").has(list::TROUBLE));
        assert!(!heard("failsafe").has(list::TROUBLE));
        assert!(heard("HTTP 404").has(list::TROUBLE));
        assert!(!heard("1404 lines").has(list::TROUBLE));
    }

    #[test]
    fn signs_count_as_they_are_written() {
        assert!(heard("Build: FAIL").has(list::SIGN));
        assert!(!heard("Build: fail").has(list::SIGN));
    }

    #[test]
    fn the_first_word_of_a_list_is_found() {
        assert_eq!(heard("It did not Pass, it Failed").first(list::FAILED), Some(20));
        assert_eq!(heard("It did not Pass, it Failed").first(list::PASSED), Some(11));
        assert_eq!(heard("nothing").first(list::PASSED), None);
    }
}
