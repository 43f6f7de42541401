//! What the fields of a test report say about a failure before its text is read: the type that was thrown, the word
//! that the runner uses for how it ended, the first line of the message.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

use crate::report::Signal;

/// Words that stand where a type is expected and name none.
const NO_TYPES: &[&str] = &[
    "failure",
    "failed",
    "fail",
    "error",
    "errors",
    "err",
    "unknown",
    "none",
    "undefined",
    "null",
    "testcodefailure",
    "flaky failure",
    "true",
    "assertion",
    "run",
    "other",
];

/// The type that was thrown, unless the word is none.
pub(crate) fn type_name(word: &str) -> Option<String> {
    let word = word.trim();
    // `Error` is a type in JavaScript and PHP; other spellings are a mere word.
    let named = !word.is_empty()
        && !word.contains(char::is_whitespace)
        && (word == "Error" || !word.eq_ignore_ascii_case("error"))
        && !NO_TYPES.iter().any(|none| word.eq_ignore_ascii_case(none));
    named.then(|| word.to_owned())
}

/// A message without the `E` that pytest puts in front of each of its lines.
fn unmarked(message: &str) -> &str {
    let mut message = message.trim_start();
    while let Some(rest) = message.strip_prefix("E ") {
        message = rest;
    }
    message.trim_start()
}

/// The type at the beginning of a message: `TypeError: x is undefined`, `java.lang.IllegalStateException: closed`.
pub(crate) fn type_of_message(message: &str) -> Option<&str> {
    let mut message = unmarked(message);
    while let Some(rest) = message.strip_prefix("Uncaught ") {
        message = rest;
    }
    let of_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'$' | b':' | b'\\');
    let end = message.bytes().position(|byte| !of_name(&byte)).unwrap_or(message.len());
    let word = message[..end].trim_end_matches(':');
    let start = word.bytes().rposition(|byte| matches!(byte, b'.' | b':' | b'\\' | b'$')).map_or(0, |at| at + 1);
    let last = &word[start..];
    let upper = last.starts_with(|first: char| first.is_ascii_uppercase());
    let known = ["Error", "Exception", "Failure", "Failed", "Exit", "Interrupt", "Assertion"];
    (upper && last.len() > 4 && known.iter().any(|end| last.ends_with(end))).then_some(word)
}

/// What a type, as the runner names it, says.
pub(crate) fn of_type(word: &str) -> Option<Signal> {
    let word = word.trim();
    let last = word.rsplit(['.', ':', '\\', '$', '+']).next().unwrap_or(word);
    let lower = last.to_ascii_lowercase();
    let whole = word.to_ascii_lowercase();
    let signal = match lower.as_str() {
        "testtimeoutfailure" | "test timeout" | "testtimedoutexception" | "threadtimeoutexception" => {
            Signal::TestTimeout
        }
        "timedout" | "timeoutfailure" => Signal::TestTimeout,
        "hookfailed" => Signal::Hook,
        "uncaughtexception" | "uncaught exception" | "unhandledrejection" => Signal::Unhandled,
        "test_xpass" | "xpass" | "unexpectedsuccess" | "_unexpectedsuccess" => Signal::Assertion,
        "assertionerror" | "assertionfailederror" | "assertionfailedexception" | "comparisonfailure" => {
            Signal::Assertion
        }
        "multiplefailureserror" | "assertionfailure" | "expectationnotmeterror" | "expectationfailedexception" => {
            Signal::Assertion
        }
        "jestassertionerror" | "err_assertion" | "assertfailedexception" | "assertionexception" => Signal::Assertion,
        "shouldassertexception" | "xunitexception" | "multipleassertexception" => Signal::Assertion,
        "multipleexpectationsnotmeterror" | "pendingexamplefixederror" => Signal::Assertion,
        "softassertionerror" | "softassertionerrors" | "multipleassertionserror" | "failednotifier" => {
            Signal::Assertion
        }
        "assertion"
        | "assertion error"
        | "testfailed"
        | "testfailedexception"
        | "conditionnotsatisfiederror"
        | "powerasserterror" => Signal::Assertion,
        "require" | "check" | "require_false" | "check_false" | "require_that" | "check_that" => Signal::Assertion,
        _ if lower.starts_with("require_") || lower.starts_with("check_") => Signal::Assertion,
        _ if whole.starts_with("xunit.sdk.") && lower.ends_with("exception") => Signal::Assertion,
        _ if lower.contains("assertion") && (lower.ends_with("error") || lower.ends_with("failed")) => {
            Signal::Assertion
        }
        _ if whole.starts_with("test abort") || lower == "abort" || lower == "signal" => Signal::Crash,
        _ if lower.starts_with("snapshot") => Signal::Snapshot,
        _ => return None,
    };
    Some(signal)
}

/// Where the words of a runner stand in a message.
#[derive(Clone, Copy)]
enum At {
    Beginning,
    Anywhere,
    /// They are the whole message.
    Whole,
}

/// Words of runners in lower case, and what they say; the first that fit decide.
const WORDS: &[(At, &str, Signal)] = &[
    (At::Beginning, "collection failure", Signal::Load),
    (At::Beginning, "collection error", Signal::Load),
    (At::Beginning, "error collecting", Signal::Load),
    (At::Beginning, "test suite failed to run", Signal::Load),
    (At::Anywhere, "crashed while running", Signal::Crash),
    (At::Anywhere, "test host process crashed", Signal::Crash),
    (At::Anywhere, "worker exited unexpectedly", Signal::Crash),
    (At::Beginning, "failed on setup", Signal::Hook),
    (At::Beginning, "failed on teardown", Signal::Hook),
    (At::Beginning, "test setup failure", Signal::Hook),
    (At::Beginning, "test teardown failure", Signal::Hook),
    (At::Beginning, "test timed out", Signal::TestTimeout),
    // Avocado.
    (At::Beginning, "test interrupted: timeout reached", Signal::TestTimeout),
    (At::Beginning, "hook timed out", Signal::TestTimeout),
    // QUnit.
    (At::Beginning, "test took longer than ", Signal::TestTimeout),
    (At::Beginning, "test timeout", Signal::TestTimeout),
    (At::Beginning, "failed: timeout >", Signal::TestTimeout),
    (At::Beginning, "failed: timeout (>", Signal::TestTimeout),
    (At::Beginning, "timeout >", Signal::TestTimeout),
    (At::Beginning, "timeout (>", Signal::TestTimeout),
    (At::Beginning, "test timed-out", Signal::TestTimeout),
    (At::Anywhere, "exceeded timeout of", Signal::TestTimeout),
    (At::Anywhere, "test timed out after", Signal::TestTimeout),
    (At::Anywhere, "test timed out in", Signal::TestTimeout),
    // JUnit 5: `java.util.concurrent.TimeoutException: slow() timed out after 50 milliseconds`.
    (At::Anywhere, "() timed out after ", Signal::TestTimeout),
    (At::Anywhere, "execution timed out after ", Signal::TestTimeout),
    // A package of Go that has no tests to run.
    (At::Anywhere, " [build failed]", Signal::Compile),
    // CTest gives the reason as the whole message.
    (At::Whole, "timeout", Signal::TestTimeout),
    // tap.
    (At::Whole, "timeout!", Signal::TestTimeout),
    (At::Whole, "segfault", Signal::Crash),
    (At::Whole, "subprocess aborted", Signal::Crash),
    (At::Whole, "subprocess killed", Signal::Crash),
    (At::Whole, "illegal", Signal::Crash),
    (At::Whole, "numerical", Signal::Crash),
    (At::Whole, "bus error", Signal::Crash),
    (At::Whole, "child aborted", Signal::Crash),
    (At::Whole, "child killed", Signal::Crash),
    // Boost.Test, and the bridge from Perl's TAP.
    (At::Anywhere, "(timeout while executing function)", Signal::TestTimeout),
    (At::Beginning, "not ok ", Signal::Assertion),
    (At::Beginning, "dubious, test returned", Signal::Load),
    (At::Beginning, "not run because a beforeall function failed", Signal::Hook),
    (At::Beginning, "test did not finish before configured timeout", Signal::TestTimeout),
    (At::Anywhere, "c++ exception with description", Signal::Unhandled),
    (At::Anywhere, "unexpected exception with message", Signal::Unhandled),
    (At::Beginning, "function timed out, ensure the ", Signal::TestTimeout),
    (At::Beginning, "test function timed out", Signal::TestTimeout),
    (At::Anywhere, " should have thrown an exception of ", Signal::Assertion),
    (At::Beginning, "expected exception of type ", Signal::Assertion),
    (At::Beginning, "[xpass(strict)]", Signal::Assertion),
    (At::Beginning, "unexpected success", Signal::Assertion),
    (At::Beginning, "xctassert", Signal::Assertion),
    (At::Beginning, "failed: did not raise", Signal::Assertion),
    // GoogleTest, and those who print as it does.
    (At::Beginning, "value of: ", Signal::Assertion),
    (At::Beginning, "expected equality of these values", Signal::Assertion),
    (At::Beginning, "expected: ", Signal::Assertion),
    (At::Beginning, "expected: (", Signal::Assertion),
    (At::Beginning, "death test: ", Signal::Assertion),
    (At::Anywhere, " panicked at ", Signal::Unhandled),
    (At::Beginning, "panic: ", Signal::Unhandled),
    (At::Beginning, "fatal error: all goroutines", Signal::Unhandled),
    (At::Beginning, "assert ", Signal::Assertion),
    (At::Beginning, "assertionerror", Signal::Assertion),
    (At::Beginning, "assertion failed", Signal::Assertion),
    (At::Beginning, "assertion `", Signal::Assertion),
];

/// How much of a message is looked at, in bytes.
const MAX_MESSAGE: usize = 240;

/// Finds those of the [`WORDS`] that may stand anywhere, and which of them each is.
static ANYWHERE: LazyLock<(AhoCorasick, Vec<usize>)> = LazyLock::new(|| {
    let anywhere = WORDS.iter().enumerate().filter(|(_, (at, ..))| matches!(at, At::Anywhere));
    let (places, words): (Vec<usize>, Vec<&str>) = anywhere.map(|(place, (_, words, _))| (place, *words)).unzip();
    let kind = Some(AhoCorasickKind::NoncontiguousNFA);
    let finder = AhoCorasick::builder().match_kind(MatchKind::LeftmostFirst).kind(kind).build(words);
    (finder.expect("the words are few and short"), places)
});

/// What the words of the runner at the beginning of a message say.
pub(crate) fn of_message(message: &str) -> Option<Signal> {
    let message = unmarked(message);
    let lower = message.as_bytes()[..message.len().min(MAX_MESSAGE)].to_ascii_lowercase();
    let first = lower.first()?;
    let begins = WORDS.iter().position(|(at, words, _)| match at {
        At::Beginning => words.as_bytes()[0] == *first && lower.starts_with(words.as_bytes()),
        At::Anywhere => false,
        At::Whole => words.as_bytes()[0] == *first && lower.trim_ascii_end() == words.as_bytes(),
    });
    let (finder, places) = &*ANYWHERE;
    let anywhere = finder.find_iter(&lower).map(|found| places[found.pattern().as_usize()]).min();
    match [begins, anywhere].into_iter().flatten().min() {
        Some(known) => Some(WORDS[known].2),
        // lab: `Error: Timed out (50ms) - cart is slow`.
        None if lower.strip_prefix(b"error: ").unwrap_or(&lower).starts_with(b"timed out (")
            && memchr::memmem::find(&lower, b"ms) - ").is_some() =>
        {
            Some(Signal::TestTimeout)
        }
        None if lower.starts_with(b"failing step: ") && message.to_lowercase().contains(" ... undefined in ") => {
            Some(Signal::Load)
        }
        None => type_of_message(message).and_then(of_type),
    }
}

/// What a finding of a linter is, by its rule and its words: a breach of the rule, or that the source cannot be parsed.
pub(crate) fn of_finding(rule: Option<&str>, words: &str) -> Signal {
    const RULES: [&str; 7] =
        ["E999", "E0001", "syntax-error", "invalid-syntax", "parse-error", "Lint/Syntax", "CssSyntaxError"];
    const WORDS: [&str; 5] = ["parsing error", "syntaxerror", "syntax error", "e999 ", "parse error"];
    let rule = rule.is_some_and(|rule| RULES.contains(&rule));
    let begins = |word: &&str| words.trim_start().get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word));
    if rule || WORDS.iter().any(begins) { Signal::Compile } else { Signal::Lint }
}

/// What the words of Robot Framework say, which writes one type for all.
pub(crate) fn of_robot(message: &str) -> Option<Signal> {
    let limit = message.starts_with("Test timeout ") && message.trim_end().ends_with(" exceeded.");
    if limit {
        return Some(Signal::TestTimeout);
    }
    if message.starts_with("No keyword with name '") {
        return Some(Signal::Load);
    }
    let hook = ["Parent suite setup failed:", "Parent suite teardown failed:", "Setup failed:", "Teardown failed:"];
    hook.iter().any(|hook| message.starts_with(hook)).then_some(Signal::Hook)
}

/// Whether Robot Framework says below this line what a hook said.
pub(crate) fn heads_hook_of_robot(line: &str) -> bool {
    ["etup failed:", "eardown failed:"].iter().any(|end| line.trim_end().ends_with(end)) && line.len() < 60
}

/// Whether tape says by the name of a point that a test ran out of time: `slow timed out after 50ms`.
pub(crate) fn is_timed_out(name: &str) -> bool {
    let limit = name.rsplit_once(" timed out after ").and_then(|(_, limit)| limit.strip_suffix("ms"));
    limit.is_some_and(|limit| !limit.is_empty() && limit.bytes().all(|byte| byte.is_ascii_digit()))
}

/// What the name of a case says, where a runner files a failed hook or an unloadable file as a case.
pub(crate) fn of_name(class: &str, name: &str) -> Option<Signal> {
    let (class, name) = (class.trim_start(), name.trim_start());
    let bare = name.trim_start_matches(['"', ' ']);
    let hook = ["\"before all\" hook", "\"before each\" hook", "\"after all\" hook", "\"after each\" hook"];
    if name.contains("\" hook") && hook.iter().any(|hook| bare.starts_with(&hook[1..]) || name.contains(hook)) {
        return Some(Signal::Hook);
    }
    if class.starts_with("Test execution failure") || name.starts_with("Test execution failure: could be caused") {
        return Some(Signal::Hook);
    }
    if class.starts_with("Test suite failed to run") || name.ends_with("Test suite failed to run") {
        return Some(Signal::Load);
    }
    if name.starts_with("[Test Class Cleanup Failure") || name.starts_with("[Test Collection Cleanup Failure") {
        return Some(Signal::Hook);
    }
    if name == "initializationError" || name == "[setup failed]" {
        return Some(Signal::Load);
    }
    if name == "[build failed]" {
        return Some(Signal::Compile);
    }
    if is_timed_out(name) {
        return Some(Signal::TestTimeout);
    }
    (class == "vitest unhandled errors").then_some(Signal::Unhandled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_assertion_libraries() {
        for word in [
            "AssertionError",
            "org.opentest4j.AssertionFailedError",
            "junit.framework.ComparisonFailure",
            "PHPUnit\\Framework\\ExpectationFailedException",
            "Xunit.Sdk.EqualException",
            "Minitest::Assertion",
            "RSpec::Expectations::ExpectationNotMetError",
            "REQUIRE",
        ] {
            assert_eq!(of_type(word), Some(Signal::Assertion), "{word}");
        }
        assert_eq!(of_type("java.lang.IllegalStateException"), None);
        assert_eq!(type_name("Failure"), None);
        assert_eq!(type_name("test failure with exit code 101"), None);
    }

    #[test]
    fn words_of_runners() {
        assert_eq!(of_message("collection failure"), Some(Signal::Load));
        assert_eq!(of_message("Test timed out in 600ms."), Some(Signal::TestTimeout));
        assert_eq!(of_message("failed on setup with \"OSError: x\""), Some(Signal::Hook));
        assert_eq!(of_message("assert 1 == 2"), Some(Signal::Assertion));
        assert_eq!(of_message("thread 'decimal' (144) panicked at src/lib.rs:8:49"), Some(Signal::Unhandled));
        assert_eq!(of_message("TypeError: x is not a function"), None);
        assert_eq!(type_of_message("TypeError: x is not a function"), Some("TypeError"));
        assert_eq!(type_of_message("expected 2 to be 3"), None);
        assert_eq!(of_name("queue", "\"before all\" hook: connects for \"pushes\""), Some(Signal::Hook));
    }
}
