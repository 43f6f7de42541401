//! What a sentence is about: the part of a job, the thing that is broken, the sort of failure.

use super::tone::signed;
use super::{among, form, heard, list};
use crate::gate::Heard;
use crate::kind::Phase;
use crate::report::Signal;

/// What a claim says of a test in the words that runners use.
pub(crate) fn signal(heard: &Heard, phase: Option<Phase>) -> Option<Signal> {
    let text = heard.text;
    // The name of a test has its parts parted.
    let of_test = phase == Some(Phase::Test) || text.contains(" › ") || text.starts_with("expected ");
    match text {
        _ if heard.says(form::SNAPSHOT) => Some(Signal::Snapshot),
        _ if heard.says(form::COVERED) => Some(Signal::Coverage),
        _ if heard.says(form::LINTED) => Some(Signal::Lint),
        _ if heard.says(form::TYPED) => Some(Signal::Compile),
        _ if of_test && heard.says(form::SLOW) => Some(Signal::TestTimeout),
        _ if of_test && heard.says(form::COMPARED) || heard.says(form::VALUES) => Some(Signal::Assertion),
        _ => None,
    }
}

/// Where in the life of the job the claim belongs.
pub(crate) fn phase(text: &str) -> Option<Phase> {
    let heard = heard(text);
    if heard.has(list::DISPATCH) {
        return Some(Phase::Dispatch);
    }
    match (heard.first(list::BUILD), heard.first(list::TEST)) {
        // A build that is told to fail is the build's, although tests are named beside it.
        (Some(build), Some(test)) => Some(if build < test { Phase::Build } else { Phase::Test }),
        (Some(_), None) => Some(Phase::Build),
        (None, Some(_)) => Some(Phase::Test),
        (None, None) if heard.has(list::LINT) => Some(Phase::Lint),
        (None, None) if heard.has(list::DEPLOY) => Some(Phase::Deploy),
        (None, None) if heard.has(list::SETUP) => Some(Phase::Setup),
        (None, None) => None,
    }
}

/// Whether a text says that a test double is broken or missing.
pub(crate) fn names_mock(text: &str) -> bool {
    let heard = heard(text);
    if !heard.has(list::DOUBLE) || !heard.has(list::WRONG) || heard.has(list::NAMED_OTHERWISE) {
        return false;
    }
    const DOUBLES: &str = "mock mocks mocking mocked stub stubs double doubles fake fakes";
    text.split(|letter: char| !letter.is_alphanumeric()).any(|word| among(DOUBLES, word))
}

/// What a claim is about when its words name no better subject: what stands before `tests`, or before the trouble.
pub(crate) fn subject(text: &str) -> Option<String> {
    let (_, text) = signed(text);
    if names_mock(text) {
        // `useModal` in code marks is the thing that is doubled; otherwise it is their set-up as a whole.
        let code = text.split('`').nth(1).filter(|code| !code.contains(' ') && !code.is_empty());
        let named = code.map(|code| code.trim_end_matches("()").to_owned());
        let whole = if text.to_lowercase().contains("stub") { "stub configuration" } else { "mock configuration" };
        return Some(named.unwrap_or_else(|| whole.to_owned()));
    }
    if let Some(scope) = scope_of_tests(text) {
        return Some(scope);
    }
    // The first word with a capital inside or a dot is a name: `LiveKit`, `next.config.js`.
    words(text)
        .map(|word| word.trim_end_matches(['.', '-', '/']))
        .find(|word| {
            let inner = word.chars().skip(1).any(char::is_uppercase) && word.chars().any(char::is_lowercase);
            (inner || word.contains('/') || word.contains('_')) && !word.ends_with("Error")
        })
        .map(str::to_owned)
}

/// The words of a text, with the signs that names and paths have within.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let start = rest.find(|first: char| first.is_ascii_alphabetic() || first == '@')?;
        let word = &rest[start..];
        let inner = |letter: char| letter.is_alphanumeric() || "_@./-".contains(letter);
        let end = word.find(|letter| !inner(letter)).unwrap_or(word.len());
        rest = &word[end..];
        Some(&word[..end])
    })
}

/// What stands before `tests` and is no name of some.
const NO_SCOPE: &str = "the all of out total unit failing failed test and with pnpm npm run running by in from verified multiple \
    many some other additional my new passing status result fix fixed most only has now for";

/// The name in front of `tests`: `LiveKit` in `12/18 LiveKit client tests failing`.
pub(super) fn scope_of_tests(text: &str) -> Option<String> {
    let all: Vec<&str> = words(text).collect();
    let at = all.iter().position(|word| among("tests specs suites", word))?;
    let before = all[..at].iter().rev().take_while(|word| !among(NO_SCOPE, word));
    before.take(2).last().map(|word| (*word).to_owned())
}
