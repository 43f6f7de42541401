//! What the attributes of suites and cases say: how a case ended, what a suite declares of itself, who wrote it.

use super::suite::Declared;
use crate::format::xml::Tag;
use crate::item::read_count;

/// The word of an attribute that tells how a case ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Failed,
    Errored,
    /// It did not run, by the will of whoever wrote it.
    NotRun,
}

/// Why a case was skipped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Skip {
    Plain,
    /// It may fail: todo, expected failure.
    MayFail,
}

/// How many bytes of a name, a type or a path are told.
const MAX_NAME: usize = 500;

/// So much of a raw value as is told of it, without a part of a character.
pub(super) fn beginning(value: &[u8]) -> &[u8] {
    if value.len() <= MAX_NAME {
        return value;
    }
    let continues = value[MAX_NAME - 3..=MAX_NAME].iter().rev().take_while(|byte| **byte & 0xc0 == 0x80).count();
    &value[..MAX_NAME - continues]
}

/// What the value of a status attribute says, where it says anything but that the case passed.
pub(super) fn word(value: &[u8]) -> Option<Word> {
    let mut lower = [0; 16];
    let lower = lower.get_mut(..value.len())?;
    lower.copy_from_slice(value);
    lower.make_ascii_lowercase();
    match &*lower {
        b"failed" | b"fail" | b"failure" | b"broken" | b"xpass" | b"timeout" | b"timedout" => Some(Word::Failed),
        b"error" | b"errored" | b"crashed" | b"aborted" => Some(Word::Errored),
        b"notrun" | b"not_run" | b"not run" | b"suppressed" | b"disabled" | b"ignored" | b"skipped" | b"skip"
        | b"pending" | b"todo" | b"inactive" | b"notexecuted" | b"not_executed" | b"blocked" | b"xfail" => {
            Some(Word::NotRun)
        }
        _ => None,
    }
}

/// The status that weighs more, where two attributes tell one.
pub(super) fn worse(known: Option<Word>, word: Option<Word>) -> Option<Word> {
    match (known, word) {
        (Some(Word::Failed | Word::Errored), _) => known,
        (_, Some(word)) => Some(word),
        _ => known,
    }
}

/// What a suite or root declares of itself.
pub(super) fn declared(tag: &Tag<'_, '_>) -> Declared {
    let mut declared = Declared::default();
    if tag.cut {
        return declared;
    }
    for (name, value, _) in tag.attributes() {
        match name {
            b"tests" => declared.tests = number_of(value),
            b"failures" => declared.failures = number_of(value),
            b"errors" => declared.errors = number_of(value),
            b"skipped" | b"skip" | b"disabled" | b"ignored" => {
                declared.skipped = declared.skipped.saturating_add(number_of(value).unwrap_or(0));
            }
            _ => {}
        }
    }
    declared
}

/// A count as an attribute or a comment writes it.
pub(super) fn number_of(value: &[u8]) -> Option<u64> {
    read_count(std::str::from_utf8(value).ok()?)
}

/// Whether a value is a time in seconds, with separators of any country. Times are not used; a file with odd ones is
/// read all the same, and says so.
pub(super) fn is_time(value: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(value.trim_ascii()) else { return false };
    let text = text.strip_suffix('s').unwrap_or(text).replace(',', ".");
    let whole = text.matches('.').count() > 1 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    whole || text.parse::<f64>().is_ok_and(|time| (0.0..1e9).contains(&time))
}

/// The producer, where the name of the root or of a suite gives it away.
pub(super) fn tool(name: &[u8]) -> Option<&'static str> {
    let known: [(&[u8], &str); 8] = [
        (b"pytest", "pytest"),
        (b"jest tests", "jest"),
        (b"vitest tests", "vitest"),
        (b"Mocha Tests", "mocha"),
        (b"nextest", "nextest"),
        (b"AllTests", "gtest"),
        (b"rspec", "rspec"),
        (b"bats", "bats"),
    ];
    known.iter().find(|(begin, _)| name.starts_with(begin)).map(|(_, tool)| *tool)
}
