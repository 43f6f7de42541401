//! What the console readers of test runners share: a failing case while its lines come in, and its totals.

use std::sync::LazyLock;

use crate::pattern::Regex;

use super::Line;
use crate::item::{Item, TestRun, read_count};
use crate::pattern;
use crate::report::{Counts, Failure, FileRef, Level, Outcome, Signal, Span, TextLine};

/// How many lines of a message are kept.
const MAX_LINES: usize = 120;

/// How many lines a reader may hold for one case before it lets go.
pub(super) const MAX_HELD: usize = 20_000;

/// A case, suite or hook that failed.
#[derive(Debug)]
pub(super) struct Case {
    pub name: String,
    pub level: Level,
    pub signal: Option<Signal>,
    pub file: Option<FileRef>,
    pub text: Vec<TextLine>,
    /// Told if nothing else is: the heading, or the code of the expectation.
    head: TextLine,
    span: Span,
    /// Lines so far, those of stacks included.
    pub lines: usize,
    /// A stack was seen.
    pub stack: bool,
}

impl Case {
    pub(super) fn new(name: impl Into<String>, head: Line<'_>) -> Self {
        Case {
            name: name.into(),
            level: Level::Case,
            signal: None,
            file: None,
            text: Vec::new(),
            head: head.to_text(),
            span: head.span,
            lines: 0,
            stack: false,
        }
    }

    /// A line of the message.
    pub(super) fn push(&mut self, line: Line<'_>) {
        self.cover(line);
        if self.text.len() < MAX_LINES && !line.text.trim().is_empty() {
            self.text.push(line.to_text());
        }
    }

    /// A line of the case that is no part of its message, such as a frame of a stack.
    pub(super) fn cover(&mut self, line: Line<'_>) {
        self.lines += 1;
        self.span = self.span.join(line.span);
    }

    /// A line that is told only if there is no message.
    pub(super) fn push_head(&mut self, line: Line<'_>) {
        self.cover(line);
        self.head = line.to_text();
    }

    /// A frame of a stack; the first in the project's own files is the place.
    pub(super) fn frame(&mut self, line: Line<'_>, place: Option<FileRef>) {
        self.cover(line);
        self.stack = true;
        if self.file.is_none() {
            self.file = place;
        }
    }

    /// Takes a frame of the JVM; its place is looked for only while none is known.
    pub(super) fn jvm_frame(&mut self, line: Line<'_>, text: &str) {
        let place = if self.file.is_none() { jvm_place(text) } else { None };
        self.frame(line, place);
    }

    pub(super) fn into_failure(self) -> Failure {
        let Case { name, level, signal, file, mut text, head, span, .. } = self;
        let first = text.first().map_or("", |line| line.text.trim());
        let type_name = TYPE.captures(first).or_else(|| SCOPED.captures(first)).map(|found| found["name"].to_owned());
        let signal = signal.or_else(|| signal_of(&text));
        if text.is_empty() {
            text.push(head);
        }
        let test = Some(name).filter(|name| !name.is_empty());
        Failure { level, test, file, signal, type_name, text, span, ..Failure::default() }
    }

    pub(super) fn tell(self, out: &mut dyn FnMut(Item)) {
        out(Item::Failure(self.into_failure()));
    }
}

static TYPE: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^(?:Error: |\*\* \()?(?P<name>[A-Za-z_][\w.$:\\]*(?:Error|Exception|Failure|Failed|Throwable|Timeout\w*|Errno::\w+|Died))\b",
    )
});

/// The exception of a library of Ruby, whose name need not say that it is one: `Capybara::ElementNotFound:`.
static SCOPED: LazyLock<Regex> = LazyLock::new(|| pattern::regex(r"^(?P<name>[A-Z]\w*(?:::[A-Z]\w*)+):(?: \S|$)"));

/// How the libraries of many languages say that an expectation does not hold.
static EXPECTATION: LazyLock<Regex> = LazyLock::new(|| {
    let words = [
        r"^(?:[\w.$]+\.)?(?:AssertionError|AssertionFailedError|AssertionFailure|ComparisonFailure|MultipleFailuresError|ArrayComparisonFailure)\b",
        r"^org\.(?:junit|opentest4j|hamcrest|assertj|scalatest)\S*(?:Failure|Error|Exception)\b",
        r"^org\.mockito\.exceptions\.verification\.",
        r"^(?:Wanted but not invoked|Too (?:many|little|few) actual invocations|Argument\(s\) are different)",
        r"^(?:expected|Expected|EXPECTED)\b.*(?:\bto\b|\bbut\b|:|\bgot\b)",
        r"^(?:Failed asserting that|Expectation failed|Assertion with )",
        r"^(?:--- expected|---Expected|<.*> expected (?:but was|to be))",
        r"^(?:Assert\.\w+\(?\)?|Assert\.\w+ (?:failed|Failure)|Shouldly\.|FluentAssertions)",
        r"^(?:Xunit\.Sdk|NUnit\.Framework|Microsoft\.VisualStudio\.TestTools)\S*(?:Exception|Failure)",
        r"^XCTAssert\w* failed",
        r"^(?:is )?expected\(?.*\)? (?:not )?to ",
        r"^RSpec::Expectations::ExpectationNotMetError",
        r"^(?:Condition not satisfied|Assertion failed)",
        r"^Minitest::(?:Assertion|UnexpectedError)",
        r"^match \(=\) failed|^(?:Assertion|Refute|Expected truthy)",
        r"\((?:RSpec::Expectations::ExpectationNotMetError|Minitest::Assertion|Test::Unit::AssertionFailedError)\)",
    ];
    pattern::regex(&words.join("|"))
});

static TIME_LIMIT: LazyLock<Regex> = LazyLock::new(|| {
    let words = [
        r"^(?:[\w.$]*TestTimedOutException: )?test timed out after \d+ ",
        r"^(?:java\.lang\.Exception: )test timed out after \d+ ",
        r"(?:\w+\(?\)?|execution) timed out after \d+ (?:ms|milliseconds|seconds?|minutes?|nanoseconds)",
        r"^(?:Test|Method .*) (?:exceeded|didn't finish within) (?:the )?(?:execution )?time(?:out|-out)",
        r"TimeoutException after \d+:\d\d:\d\d.*: Test timed out",
        r"^\*\* \(ExUnit\.TimeoutError\)",
        r"^Asynchronous wait failed: Exceeded timeout",
        r"^Test '.*' exceeded execution timeout period",
    ];
    pattern::regex(&words.join("|"))
});

/// Words that tell of another error within the message of an expectation.
const REASONS: &[&str] = &["Caused by: ", "unexpected exception", "Unexpected exception", "Unexpected exception type"];

pub(super) fn signal_of(text: &[TextLine]) -> Option<Signal> {
    let mut head = text.iter().take(4).map(|line| line.text.trim());
    if head.clone().any(|line| TIME_LIMIT.is_match(line)) {
        return Some(Signal::TestTimeout);
    }
    let expectation = head.any(|line| EXPECTATION.is_match(line))
        || text.iter().take(30).any(|line| {
            let line = line.text.trim();
            line.starts_with("(compared using ") || line.contains("(RSpec::Expectations::ExpectationNotMetError)")
        })
        || is_pair(text);
    if !expectation {
        return None;
    }
    let told = text.iter().any(|line| REASONS.iter().any(|reason| line.text.contains(reason)));
    Some(if told { Signal::Assertion } else { Signal::Expectation })
}

/// Whether what was expected and what came stand on two lines.
fn is_pair(text: &[TextLine]) -> bool {
    let begins = |words: &[&str]| {
        text.iter().take(40).any(|line| {
            let line = line.text.trim_start().to_ascii_lowercase();
            words.iter().any(|word| line.starts_with(word))
        })
    };
    begins(&["expected:", "expected "]) && begins(&["got:", "actual:", "but was:", "but:", "actual "])
}

/// A frame of the JVM: `at org.demo.BinTest.full(BinTest.java:6)`, or what stands among frames.
pub(super) fn is_jvm_frame(text: &str) -> bool {
    let text = text.trim_start();
    text.strip_prefix("at ").is_some_and(|rest| rest.contains('('))
        || text.starts_with("... ") && (text.ends_with(" more") || text.contains("common frames"))
        || text.starts_with("[...]")
}

/// The place of a frame, unless it lies in the runtime or in a library of tests.
pub(super) fn jvm_place(text: &str) -> Option<FileRef> {
    const FOREIGN: &[&str] = &[
        "java.",
        "javax.",
        "jdk.",
        "sun.",
        "com.sun.",
        "org.junit.",
        "junit.",
        "org.hamcrest.",
        "org.assertj.",
        "org.opentest4j.",
        "org.mockito.",
        "org.testng.",
        "org.gradle.",
        "org.apache.maven.",
        "kotlin.",
        "groovy.",
        "org.codehaus.groovy.",
        "org.spockframework.",
        "scala.",
        "org.scalatest.",
        "org.specs2.",
        "sbt.",
        "munit.",
        "org.springframework.",
        "com.google.common.truth.",
        "io.kotest.",
    ];
    // `at app//org.demo.Bin.fill(Bin.java:6)`: loader and module, class, method, file and line.
    let (method, place) = text.split_once('(')?;
    let (file, line) = place.split_once(')')?.0.split_once(':')?;
    let method = method.trim_start();
    let method = method.strip_prefix("at ").unwrap_or(method);
    let (module, method) = method.rsplit_once('/').unwrap_or(("", method));
    let (class, name) = method.rsplit_once('.')?;
    if FOREIGN.iter().any(|package| class.starts_with(package)) {
        return None;
    }
    let word = |character: char| character.is_alphanumeric() || matches!(character, '_' | '$');
    let (stem, extension) = file.rsplit_once('.')?;
    let whole = module.chars().all(|character| word(character) || matches!(character, '.' | '-' | '@' | '/'))
        && !class.is_empty()
        && class.chars().all(|character| word(character) || character == '.')
        && !name.is_empty()
        && name.chars().all(|character| word(character) || matches!(character, '<' | '>'))
        && !stem.is_empty()
        && stem.chars().chain(extension.chars()).all(word)
        && !line.is_empty()
        && line.bytes().all(|byte| byte.is_ascii_digit());
    whole.then(|| FileRef::new(file, line.parse().ok(), None))
}

static PLACE: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^\s*(?:# |at |in )?(?P<path>[^\s:()\[\]]+\.\w{1,8}):(?P<line>\d+)"));

/// A frame of a scripting language: `./spec/basket_spec.rb:6:in …`. Paths of installed libraries are foreign.
pub(super) fn script_place(text: &str) -> Option<FileRef> {
    const FOREIGN: &[&str] = &["/gems/", "/usr/lib/", "/vendor/", "node_modules", "/.rvm/", "/rubies/", "<internal:"];
    let found = PLACE.captures(text)?;
    let path = &found["path"];
    if FOREIGN.iter().any(|part| path.contains(part)) || path.starts_with("vendor/") {
        return None;
    }
    Some(FileRef::new(path, found["line"].parse().ok(), None))
}

/// What a runner says of the run as a whole in one line: no tests were found, the coverage is too low.
pub(super) fn of_run(signal: Signal, line: Line<'_>) -> Failure {
    let (text, span) = (vec![line.to_text()], line.span);
    Failure { level: Level::Run, signal: Some(signal), text, span, ..Failure::default() }
}

/// The totals of a run, and how it ended by them.
pub(super) fn finish(tool: &'static str, counts: Counts, failed: bool, span: Span, out: &mut dyn FnMut(Item)) {
    let outcome = if failed || counts.any_failed() { Outcome::Failed } else { Outcome::Passed };
    out(Item::Tests(TestRun { tool, counts, span, outcome }));
}

/// The totals of a run whose end is not told.
pub(super) fn cut(tool: &'static str, counts: Counts, span: Span, out: &mut dyn FnMut(Item)) {
    let outcome = if counts.any_failed() { Outcome::Failed } else { Outcome::Unknown };
    out(Item::Tests(TestRun { tool, counts, span, outcome }));
}

/// The totals where a tool tells all but those that passed.
pub(super) fn counts(total: u64, failed: u64, errored: u64, skipped: u64) -> Counts {
    let passed = total.saturating_sub(failed + errored + skipped);
    Counts { total, passed: Some(passed), failed, errored, skipped, flaky: 0 }
}

/// The numbers of a summary such as `3 runs, 2 assertions, 1 failures`: each with the word behind it.
pub(super) fn counted(text: &str) -> Option<Vec<(u64, &str)>> {
    text.trim()
        .trim_end_matches('.')
        .split(", ")
        .map(|part| {
            let (number, word) = part.trim().split_once(' ')?;
            Some((read_count(number)?, word.trim()))
        })
        .collect()
}

/// The numbers of a summary such as `Tests run: 4, Failures: 2`: each with the word before it.
pub(super) fn labeled(text: &str) -> Option<Vec<(&str, u64)>> {
    text.trim()
        .trim_end_matches('.')
        .split(',')
        .map(|part| {
            let (word, number) = part.trim().split_once(':')?;
            Some((word.trim(), read_count(number)?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_of_the_jvm() {
        let place = |text: &str| jvm_place(text).map(|place| (place.path, place.line));
        let found = |path: &str, line| Some((path.to_owned(), Some(line)));
        assert_eq!(place("\tat org.demo.BinTest.full(BinTest.java:6)"), found("BinTest.java", 6));
        assert_eq!(place("at app//org.demo.Bin$1.<init>(Bin.java:60) ~[bin.jar:1]"), found("Bin.java", 60));
        assert_eq!(place("at java.base@21/org.demo.A.b(A.kt:1)"), found("A.kt", 1));
        assert_eq!(place("demo.ListSuite.f$1(ListSuite.scala:3)"), found("ListSuite.scala", 3));
        assert_eq!(place("at java.base/java.util.List.of(List.java:3)"), None);
        assert_eq!(place("at org.junit.Assert.fail(Assert.java:3)"), None);
        assert_eq!(place("at org.demo.A.b(Native Method)"), None);
        assert_eq!(place("see the note (A.java:3)"), None);
        assert_eq!(place("see http://demo/a.b(A.java:3)"), None);
    }
}
