//! What the console reporters of JavaScript test runners have in common: how a message, a code frame, a stack and a
//! summary look.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::pattern::Regex;

use super::Line;
use crate::item::{Item, TestRun, read_count};
use crate::pattern;
use crate::report::{Counts, Failure, FileRef, Level, Outcome, Signal, Span, TextLine};
use crate::rules::Fnv;

/// How many lines of one block are kept.
const MAX_LINES: usize = 200;

/// How many blocks of one run are told apart, so that a summary that repeats them is not counted again.
const MAX_SEEN: usize = 100_000;

/// Lines under one heading, such as a failing test.
#[derive(Debug, Default)]
pub(super) struct Block {
    pub test: Option<String>,
    pub level: Level,
    pub file: Option<String>,
    pub signal: Option<Signal>,
    pub lines: Vec<TextLine>,
    pub span: Span,
}

impl Block {
    pub(super) fn new(level: Level, test: Option<String>, file: Option<String>, head: Line<'_>) -> Self {
        Block { test, level, file, signal: None, lines: Vec::new(), span: head.span }
    }

    /// Adds a line; those beyond the limit only widen the span.
    pub(super) fn push(&mut self, line: Line<'_>) {
        // An empty line has no byte of its own on which a span could end.
        if line.span.byte_end > line.span.byte_start {
            self.span = self.span.join(line.span);
        }
        if self.lines.len() < MAX_LINES {
            self.lines.push(line.to_text());
        }
    }

    /// The failure that the block tells of.
    pub(super) fn into_failure(self) -> Failure {
        let Block { test, level, file, signal, lines, span } = self;
        let mut message = Message::read(&lines);
        if message.text.is_empty() {
            message.text.extend(lines.iter().find(|line| !line.text.trim().is_empty()).cloned());
        }
        let place = match (&file, message.place) {
            (None, place) => place,
            (Some(file), Some(place)) if same_file(&place.path, file) => Some(FileRef { path: file.clone(), ..place }),
            (Some(file), _) => Some(FileRef::new(file, None, None)),
        };
        let signal = match (message.signal, signal) {
            (Some(told), None | Some(Signal::Load | Signal::Unhandled | Signal::Hook)) => Some(told),
            (_, given) => given,
        };
        let type_name = message.type_name;
        Failure { level, test, file: place, signal, type_name, text: message.text, span, ..Failure::default() }
    }
}

/// The failure that the lines below a test's name tell of: a message, and the stack of what was thrown.
pub(crate) fn below(test: &str, lines: Vec<TextLine>, span: Span) -> Failure {
    let hook = test.contains("\" hook");
    let level = if hook { Level::Suite } else { Level::Case };
    let signal = hook.then_some(Signal::Hook);
    let mut failure = Block { test: Some(test.to_owned()), level, file: None, signal, lines, span }.into_failure();
    if failure.signal.is_none() && failure.type_name.is_none() {
        failure.signal = Some(Signal::Assertion);
    }
    failure
}

/// What the text of a failure says about itself.
#[derive(Debug, Default)]
struct Message {
    /// The lines that say what went wrong, without code frames, diffs and stacks.
    text: Vec<TextLine>,
    signal: Option<Signal>,
    type_name: Option<String>,
    /// The first frame of the stack in the project's own files.
    place: Option<FileRef>,
}

static TIME_LIMIT: LazyLock<Regex> = LazyLock::new(|| {
    let words = [
        r"Exceeded timeout of [\d.,]+ ?m?s for a ",
        r"(?:callback was not invoked|did not complete) within (?:the )?[\d.,]+ ?m?s",
        r"callback was not invoked within timeout",
        r"callback was not invoked within the (?:[\d.,]+ ?ms )?timeout",
        r"(?:Test|Hook) timed out in [\d.,]+ ?m?s",
        r"Timeout of [\d.,]+ ?m?s exceeded",
        r"[Tt]est timeout of [\d.,]+ ?m?s exceeded",
        r"hook timeout of [\d.,]+ ?m?s exceeded",
        r"test timed out after [\d.,]+ ?m?s",
        r"Timed out while running tests",
        r"(?:^|\s)Test timeout exceeded$",
        r"function timed out, ensure the (?:promise resolves|callback is executed) within",
        r"Test did not finish within [\d.,]+ ?m?s",
        r"has exceeded the timeout of [\d.,]+ ?m?s",
        r"^\s*timeout!$",
        r"^\s*(?:Error: )?Timed out \(\d+ms\) - ",
    ];
    pattern::regex(&format!("(?i){}", words.join("|")))
});

static SNAPSHOT: LazyLock<Regex> = LazyLock::new(|| {
    let words = [
        r"Snapshot name: `",
        r"\.(?:resolves\.|rejects\.)?toMatch(?:Inline|File|Aria)?Snapshot\(",
        r"\.toThrowErrorMatching(?:Inline)?Snapshot\(",
        r"Snapshot `.*` mismatched",
        r"Snapshot .*is not (?:allowed|written)",
        r"\.toHaveScreenshot\(",
        r"\.toMatch(?:Image)Snapshot\(",
        r"(?:does not|doesn't) match snapshot",
        r"Did not match snapshot",
        r"A snapshot doesn't exist at ",
        r"Screenshot comparison failed",
    ];
    pattern::regex(&words.join("|"))
});

static ASSERTION: LazyLock<Regex> = LazyLock::new(|| {
    let words = [
        r"^(?:Uncaught )?(?:Jest|Chai)?Assertion(?:Error|Failed)?\b",
        r"^(?:Error: |thrown: |JestAssertionError: )?expect\(",
        r"^(?:Error: )?Expected .* (?:to|not to|but|toBe)",
        r"^(?:Error: )?expected .* (?:to|not to|but) ",
        r"^TestingLibraryElementError\b",
        r"^(?:Error: )?Timed out [\d.]+ms waiting for expect\(",
        r"^(?:error: )?Expected (?:values|\x22actual\x22|the)",
        r"^(?:error: )?expect\(received\)",
        r"^(?:error: )?AssertionError",
        r"^(?:Failed|Fail): ",
        r"^Difference(?: \(- |:$)",
        r"^Values? (?:is|are|must) ",
        r"^expect\.(?:assertions|hasAssertions)\(",
        r"^CypressError: Timed out retrying",
        r"^Timed out retrying after",
    ];
    pattern::regex(&words.join("|"))
});

/// Words beside an expectation that tell why it could not hold: another error, or a double that is none.
static REASON: LazyLock<Regex> = LazyLock::new(|| {
    let words = [
        r"(?i)\breject(?:ed|ion)\b",
        r"instead of resolving",
        r"Matcher error",
        r"is not a spy",
        r"Caused by: ",
        r"\[cause\]: ",
        r"Error: (?:Unable|Cannot) ",
    ];
    pattern::regex(&words.join("|"))
});

static PLACE: LazyLock<Regex> = LazyLock::new(|| pattern::regex(r"^[^\s:]+\.[cm]?[jt]sx?:\d+$"));

static CODE: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^\s*(?:[>→✖×]\s*)?\d+\s*(?:[|│]|:(?:\s|$))|^\s*[|│╵╰]"));

impl Message {
    fn read(lines: &[TextLine]) -> Message {
        let mut message = Message::default();
        let mut double = None;
        for line in lines {
            let text = line.text.trim();
            let caret = text.bytes().all(|byte| matches!(byte, b'^' | b'~'));
            if caret || CODE.is_match(&line.text) {
                continue;
            }
            if is_frame(text) {
                if message.place.is_none() {
                    message.place = own_frame(text);
                }
                // A stack that goes through a double says so; it is kept for the rules.
                if double.is_none() && (text.contains("mockConstructor") || text.contains("__mocks__")) {
                    double = Some(line.clone());
                }
                continue;
            }
            // AVA names the place on a line of its own.
            if message.text.is_empty() && PLACE.is_match(text) {
                let (path, number) = text.split_once(':').unwrap_or((text, ""));
                message.place.get_or_insert_with(|| FileRef::new(path, number.parse().ok(), None));
                continue;
            }
            message.text.push(line.clone());
        }
        let first = message.text.first().map_or("", |line| line.text.trim());
        message.type_name = type_name(first);
        let find = |pattern: &Regex| message.text.iter().position(|line| pattern.is_match(&line.text));
        let head = message.text.iter().take(6).position(|line| ASSERTION.is_match(line.text.trim()));
        if let Some(at) = find(&TIME_LIMIT).filter(|at| *at < 8) {
            message.signal = Some(Signal::TestTimeout);
            message.text.drain(..at);
        } else if find(&SNAPSHOT).is_some_and(|at| at < 8) {
            message.signal = Some(Signal::Snapshot);
        } else if head == Some(0) {
            let mut rest = message.text.iter().skip(1);
            if REASON.is_match(first) || rest.any(|line| REASON.is_match(&line.text)) {
                message.signal = Some(Signal::Assertion);
                let mut first = true;
                message.text.retain(|line| std::mem::take(&mut first) || REASON.is_match(&line.text));
            } else {
                message.signal = Some(Signal::Expectation);
                message.text.truncate(40);
            }
        } else if first.starts_with("TypeCheckError") {
            message.signal = Some(Signal::Compile);
        }
        message.text.extend(double);
        message
    }
}

/// The type of an error that a line begins with: `TypeError: x`, `Uncaught Error [ERR_X]: y`, `[cause]: Error`.
pub(super) fn type_name(text: &str) -> Option<String> {
    let mut text = text.trim();
    let before = ["Uncaught ", "Unhandled ", "thrown: ", "Caused by: ", "[cause]: "];
    while let Some(rest) = before.iter().find_map(|words| text.strip_prefix(words)) {
        text = rest;
    }
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    let end = text.find(|character: char| !(is_word(character) || matches!(character, '.' | '$')));
    let (name, rest) = text.split_at(end.unwrap_or(text.len()));
    let coded = rest.strip_prefix(" [").and_then(|rest| rest.split_once(']'));
    let rest = coded.map_or(rest, |(code, behind)| if code.chars().all(is_word) { behind } else { rest });
    let named = name.starts_with(|first: char| first.is_ascii_alphabetic() || matches!(first, '_' | '$'))
        && ["Error", "Exception", "Failure", "Rejection", "Exit"].iter().any(|end| name.ends_with(end));
    (named && (rest.is_empty() || rest.starts_with(':'))).then(|| name.to_owned())
}

/// Whether a line is a frame of a stack.
pub(super) fn is_frame(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with("at ") && [":", "<", "async ", "(index ", "(native"].iter().any(|mark| text.contains(mark))
        || text.starts_with("❯ ") && frame(text).is_some()
}

/// Path, line and column of a frame: `at f (/a/b.js:1:2)`, `at async file:///a/b.js:1:2`, `❯ b.ts:1:2`.
fn frame(text: &str) -> Option<(&str, &str, &str)> {
    let text = text.trim_start();
    let rest = ["at ", "❯ ", "("].iter().find_map(|head| text.strip_prefix(head))?;
    let word = rest.rsplit(' ').next()?;
    let word = word.strip_prefix('(').unwrap_or(word);
    let word = word.strip_suffix(')').unwrap_or(word);
    let (place, column) = word.strip_prefix("file://").unwrap_or(word).rsplit_once(':')?;
    let (path, line) = place.rsplit_once(':')?;
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let plain = !path.is_empty() && !path.contains(|sign: char| sign.is_whitespace() || matches!(sign, '(' | ')'));
    (plain && number(line) && number(column)).then_some((path, line, column))
}

/// The place of a frame, unless it lies in the runtime or in a dependency.
pub(super) fn own_frame(text: &str) -> Option<FileRef> {
    let (path, line, column) = frame(text)?;
    let foreign = path.contains("node_modules") || path.starts_with("node:") || path.contains("<anonymous>");
    if foreign || !path.contains('.') {
        return None;
    }
    Some(FileRef::new(path, line.parse().ok(), column.parse().ok()))
}

fn same_file(one: &str, other: &str) -> bool {
    one.ends_with(other) || other.ends_with(one)
}

/// Whether a line was printed by what runs the test runner: the CI system, the package manager.
pub(super) fn is_outside(text: &str) -> bool {
    const STARTS: &[&str] = &[
        "##[",
        "section_start:",
        "section_end:",
        "ERROR: Job failed",
        "Job succeeded",
        "Process completed with exit code",
        "Post job cleanup",
        "npm ERR!",
        "npm error",
        "npm notice",
        "error Command failed",
        "ERR_PNPM",
        " ELIFECYCLE",
        "\u{2009}ELIFECYCLE",
        "Finished: ",
        "The operation was cancel",
        "make: ***",
        "Cleaning up orphan processes",
    ];
    STARTS.iter().any(|start| text.starts_with(start)) || begins_tap(text)
}

/// Whether another reporter begins in TAP: `TAP version 13`, `1..6`, `not ok 1 adds`.
fn begins_tap(text: &str) -> bool {
    let plan = text.strip_prefix("1..").is_some_and(|count| read_count(count).is_some());
    let point = text.strip_prefix("not ").unwrap_or(text);
    plan || text.starts_with("TAP version 1") || point == "ok 1" || point.starts_with("ok 1 ")
}

/// Reads `2 failed, 1 passed, 3 total` and `1 failed | 2 passed (3)`: each number with the word behind it.
pub(super) fn numbers(text: &str) -> impl Iterator<Item = (u64, &str)> {
    text.split([',', '|']).filter_map(|part| {
        let part = part.trim();
        let (number, word) = part.split_once(' ').unwrap_or((part, ""));
        Some((read_count(number)?, word.trim()))
    })
}

/// The number in parentheses at the end: `1 failed | 2 passed (3)`.
pub(super) fn in_parentheses(text: &str) -> Option<u64> {
    let (_, rest) = text.rsplit_once('(')?;
    read_count(rest.trim_end().trim_end_matches(')'))
}

/// What one run of a runner has told so far.
#[derive(Debug, Default)]
pub(super) struct Run {
    /// Blocks that were told, so that a repetition of them is passed over.
    pub seen: HashSet<u64>,
    /// Something failed that the totals do not show.
    pub failed: bool,
    /// Files, suites and hooks that failed outside any case.
    pub errored: u64,
}

impl Run {
    /// Whether a heading is told for the first time.
    pub(super) fn is_new(&mut self, parts: &[&str]) -> bool {
        let mut hash = Fnv::default();
        for part in parts {
            hash.write(part.as_bytes());
            hash.write(&[0]);
        }
        self.seen.len() >= MAX_SEEN || self.seen.insert(hash.0)
    }

    /// The totals; the next run begins afresh.
    pub(super) fn finish(&mut self, tool: &'static str, mut counts: Counts, span: Span, out: &mut dyn FnMut(Item)) {
        let run = std::mem::take(self);
        counts.errored = run.errored;
        let outcome = if counts.any_failed() || run.failed { Outcome::Failed } else { Outcome::Passed };
        out(Item::Tests(TestRun { tool, counts, span, outcome }));
    }
}
