//! What the last words before a failure seem to be about, where no rule knows the tool that spoke them.
//!
//! Tools that nobody has heard of speak of files that are not found and of values that are required as all others do.
//! The phrases here are too common to be looked for in whole logs; in the one line that stands before the end they
//! tell more than nothing. What they tell is a guess, and its confidence says so.

use std::sync::OnceLock;

use crate::gate::{Fragment, Gates};
use crate::kind::Kind;
use crate::pattern::{self, Regex};

/// What a verdict that is only a guess gives as its rule.
pub(crate) const RULE: &str = "words";

/// The phrases, and what a line must hold for one of them to match.
struct Built {
    /// The first that matches decides.
    phrases: &'static [(Kind, &'static str)],
    /// Where those begin that mean something only where none of the others stands near.
    first_faint: usize,
    gates: Gates,
}

static BUILT: Built = include!(concat!(env!("OUT_DIR"), "/phrases.rs"));

/// The most phrases that there may be: a set of them is the bits of a number.
const MAX: usize = 128;

/// Each is compiled when it is first asked.
static EXPRESSIONS: [OnceLock<Regex>; MAX] = [const { OnceLock::new() }; MAX];

fn expression(index: usize) -> &'static Regex {
    EXPRESSIONS[index].get_or_init(|| pattern::regex(BUILT.phrases[index].1))
}

/// The kind that a line seems to speak of, and what it quotes.
pub(crate) fn guess(text: &str) -> Option<Guess> {
    first(text, 0..BUILT.first_faint)
}

/// The kind that a line seems to speak of, where nothing near says more.
pub(crate) fn faint_guess(text: &str) -> Option<Guess> {
    first(text, BUILT.first_faint..BUILT.phrases.len())
}

/// A kind, and what the line quotes.
pub(crate) type Guess = (Kind, Option<String>);

fn first(text: &str, mut among: std::ops::Range<usize>) -> Option<Guess> {
    let text = text.get(..2000).unwrap_or(text);
    let candidates = BUILT.gates.open(text);
    let index = among.find(|index| candidates & 1 << index != 0 && expression(*index).is_match(text))?;
    let kind = BUILT.phrases[index].0;
    let named = || match kind {
        Kind::InvalidConfig => variable(text),
        Kind::MissingFile => path(text),
        Kind::LintViolation => placed(text),
        Kind::ConnectionFailure | Kind::ServiceUnavailable | Kind::Timeout => host(text),
        _ => None,
    };
    Some((kind, quoted(text).or_else(named)))
}

/// The words of a line without what encloses them and ends their sentence.
fn bare_words(text: &str) -> impl Iterator<Item = &str> {
    let edge =
        |character: char| matches!(character, ',' | '.' | ':' | ';' | '(' | ')' | '[' | ']' | '<' | '>' | '"' | '\'');
    text.split_whitespace().map(move |word| word.trim_matches(edge))
}

/// The only path of a line, unless it says where rather than what.
fn path(text: &str) -> Option<String> {
    let is_path =
        |word: &&str| word.contains('/') && word.len() > 3 && word.bytes().any(|byte| byte.is_ascii_alphabetic());
    let mut paths = bare_words(text).filter(is_path);
    let found = paths.next().filter(|_| paths.next().is_none())?;
    let before = text.split_once(found)?.0.trim_end();
    let places = !text.split_once(found)?.1.starts_with(':') && !before.is_empty();
    let place = ["in", "at", "from", "file", "under", "of"].iter().any(|word| before.ends_with(&format!(" {word}")));
    (places && !place && found.len() <= 200).then(|| found.to_owned())
}

/// The file that a line begins with, where a place follows it.
fn placed(text: &str) -> Option<String> {
    let (file, rest) = text.split_once([':', '('])?;
    let fits = file.contains('.') && !file.contains(char::is_whitespace) && file.len() <= 200;
    (fits && rest.starts_with(|first: char| first.is_ascii_digit())).then(|| file.to_owned())
}

/// The first word that is written as the name of a host.
fn host(text: &str) -> Option<String> {
    let is_host = |word: &&str| {
        let name = word.split_once("://").map_or(*word, |(_, rest)| rest).split(['/', ':']).next().unwrap_or("");
        let labels: Vec<&str> = name.split('.').collect();
        let last = labels.last().copied().unwrap_or("");
        labels.len() >= 2
            && last.len() >= 2
            && last.bytes().all(|byte| byte.is_ascii_lowercase())
            && (labels.len() >= 3 || word.contains("://"))
            && labels.iter().all(|label| {
                !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            })
    };
    bare_words(text).find(is_host).filter(|word| word.len() <= 120).map(str::to_owned)
}

/// The first word that is written as variables of the environment are, behind the word for them where it stands.
fn variable(text: &str) -> Option<String> {
    if let Some((_, behind)) = text.split_once("variable")
        && let Some(found) = variable(behind)
    {
        return Some(found);
    }
    let fits = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    let words = text.split(|character: char| !character.is_ascii_alphanumeric() && character != '_');
    let mut words = words.filter(|word| word.bytes().all(fits) && word.trim_matches('_').contains('_'));
    words.find(|word| word.len() >= 5).map(str::to_owned)
}

/// The first word in quotes.
fn quoted(text: &str) -> Option<String> {
    let pairs = [('\'', '\''), ('"', '"'), ('`', '`'), ('`', '\''), ('‘', '’'), ('“', '”'), ('«', '»')];
    let found = pairs.iter().filter_map(|(open, close)| {
        let (before, rest) = text.split_once(*open)?;
        // An apostrophe opens nothing.
        if before.ends_with(char::is_alphanumeric) {
            return None;
        }
        let word = rest.split_once(*close)?.0;
        let fits = !word.is_empty() && word.len() <= 120 && !word.contains(char::is_whitespace);
        fits.then_some((before.len(), word.len(), word))
    });
    found.min().map(|(_, _, word)| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::RuleSet;

    #[track_caller]
    fn check(text: &str, kind: Kind, subject: Option<&str>) {
        assert_eq!(guess(text), Some((kind, subject.map(str::to_owned))), "{text}");
    }

    #[test]
    fn phrases_of_tools_that_nobody_knows() {
        check("3 high severity vulnerabilities", Kind::PolicyViolation, None);
        check("frob: could not open 'cfg/main.frob'", Kind::MissingFile, Some("cfg/main.frob"));
        check("Error: plugin `shiny` was not found", Kind::MissingModule, Some("shiny"));
        check("error: Missing required configuration variable 'site:domain'", Kind::InvalidConfig, Some("site:domain"));
        check("Timeout waiting for SSH.", Kind::Timeout, None);
        check("Error: Project not found", Kind::MissingResource, None);
        check("frob 1.2 is older than the required version 2.0", Kind::VersionMismatch, None);
        check("src/a.frob:3: variable 'Stat' is unbound", Kind::CompileError, Some("Stat"));
        check("the state is locked by ann", Kind::LockContention, None);
        check("release failed: git is in a dirty state", Kind::MergeConflict, None);
        check("[E] block references asset img/pier.svg which was not found", Kind::MissingFile, Some("img/pier.svg"));
        check("error: the rulebook does not contain recipe `relase`", Kind::InvalidConfig, Some("relase"));
        check("  31:18  error    invalid-ref   '#/a' is gone", Kind::LintViolation, Some("#/a"));
        check("error: could not solve for the given specs", Kind::DependencyConflict, None);
        check("column \"custmer\" does not exist", Kind::UndefinedValue, Some("custmer"));
        check(
            "services.db: required variable DB_PASSWORD is missing a value",
            Kind::InvalidConfig,
            Some("DB_PASSWORD"),
        );
        check("rule size ... violated: 2112 changed lines, the limit is 800", Kind::PolicyViolation, None);
        check("frob: page port: template port.tpl is gone", Kind::MissingFile, None);
        check("frob: no storage left (50 GiB of 50 GiB used)", Kind::QuotaExceeded, None);
        check("frob: environment staging is held by ann", Kind::LockContention, None);
        check("a.frob:12:3: mapping values are not allowed here", Kind::InvalidConfig, None);
        check("this project wants frob 2.0 or later", Kind::VersionMismatch, None);
        check("feed 3: feeds.acme.test did not answer in 30 s", Kind::ConnectionFailure, Some("feeds.acme.test"));
        check("a.idl:4: message Berth is defined twice", Kind::CompileError, None);
        check("E: frob: missing-copyright-file", Kind::LintViolation, None);
        check("Missing input files for rule clean", Kind::MissingFile, None);
        check("process died with exit status (137)", Kind::Crash, None);
        check("server said: 403 for «acme/x»", Kind::PermissionDenied, Some("acme/x"));
    }

    #[test]
    fn a_place_is_guessed_to_be_a_linters() {
        let faint = faint_guess("src/a.dsl:3:14 missing semicolon");
        assert_eq!(faint, Some((Kind::LintViolation, Some("src/a.dsl".to_owned()))));
        assert_eq!(faint_guess("10:22:31 INFO starting"), None);
    }

    #[test]
    fn nothing_is_guessed_from_nothing() {
        assert_eq!(guess("the widget wobbled"), None);
        assert_eq!(guess("Process completed with exit code 1."), None);
        assert_eq!(guess("make: *** [Makefile:3: all] Error 1"), None);
        assert_eq!(guess(""), None);
    }

    #[test]
    fn phrases_are_valid() {
        for index in 0..BUILT.phrases.len() {
            assert!(!expression(index).is_match(""), "{:?}", BUILT.phrases[index]);
        }
    }

    #[test]
    fn what_matches_is_a_candidate() {
        let mut matched = 0_u128;
        let mut lines = 0;
        let rules = RuleSet::built_in().with_examples();
        let examples = rules.rules().iter().flat_map(|rule| {
            rule.hits.iter().map(|hit| hit.line.as_str()).chain(rule.misses.iter().map(String::as_str))
        });
        for line in include_str!("words/phrases.toml").lines().chain(examples) {
            let candidates = BUILT.gates.open(line);
            let matches = (0..BUILT.phrases.len())
                .filter(|index| expression(*index).is_match(line))
                .fold(0, |all, index| all | 1 << index);
            assert_eq!(matches & !candidates, 0, "{line}");
            matched |= matches;
            lines += 1;
        }
        assert!(lines > 1500 && matched.count_ones() > 40, "{lines} lines, {} phrases", matched.count_ones());
    }
}
