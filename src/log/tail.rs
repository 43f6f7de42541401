//! The last words before a failure: what to show of a log in which nothing is recognized.

use super::ANNOTATION;
use super::command::echoed;
use super::envelope::{Frame, clean};
use super::last_word;
use super::steps::{begins_step, is_boundary};
use crate::format::Place;
use crate::gate::Heard;
use crate::report::{Span, TextLine};

include!(concat!(env!("OUT_DIR"), "/last_words.rs"));

/// How far back is looked.
const MAX_BYTES: usize = 16 * 1024;

/// How far into a line the mark of an annotation is looked for, behind a stamp.
const MAX_STAMPED: usize = 60;

/// How many lines back are looked at.
pub(super) const MAX_LINES: usize = 200;

/// How many lines a block has at most.
const MAX_BLOCK: usize = 10;

/// How many lines above the block are told.
const MAX_OTHERS: usize = 20;

/// How many lines before and behind the block are told that have no word of an error.
const MAX_AROUND: usize = 12;

/// How many lines a tool adds to its last word at most: advice, where its log is.
const MAX_AFTER: usize = 4;

/// A line, and what of the lists of words stands in it.
pub(super) fn heard(text: &str) -> Heard<'_> {
    Heard::new(&table::TABLE, text)
}

/// Whether one of the words stands in a line that make a bare word of failure harmless.
pub(super) fn is_harmless(heard: &Heard<'_>) -> bool {
    heard.has(list::HARMLESS)
}

/// A line that was said last.
struct Said {
    line: TextLine,
    /// It tells anything.
    tells: bool,
    /// It is a bare word of failure, and so near the end that it may be the verdict.
    verdict: bool,
    error: bool,
    complaint: bool,
    ended_well: bool,
}

/// What was said last.
pub(super) struct Words {
    /// The first line of the block, with the span of all of it.
    pub line: TextLine,
    /// The lines that follow it in the block.
    pub below: Vec<String>,
    /// The lines above the block that speak of an error too, the nearest first.
    pub others: Vec<TextLine>,
    /// What was said around the block without a word of an error, the nearest first: below it, then above.
    pub around: Vec<TextLine>,
    /// It speaks of an error; otherwise it is merely the last line.
    pub error: bool,
    /// It begins as tools begin what they say when they give up.
    pub gives_up: bool,
    /// Hardly anything follows it.
    pub late: bool,
}

/// The last block of `before` that speaks of an error, or else its last line; and whether it speaks of one.
///
/// The lines that `said` names say nothing new: they are passed over. `at` is where `before` ends.
pub(super) fn last_words(
    before: &[u8],
    at: Place,
    frame: &Frame,
    mut said: impl FnMut(&TextLine) -> bool,
) -> Option<Words> {
    // The nearest first.
    let mut lines: Vec<Said> = Vec::new();
    let (mut told, mut shown) = (false, 0);
    for line in backwards(before, at, frame).take(MAX_LINES) {
        let text = line.text.as_str();
        let command = echoed(text).is_some();
        // What was printed before the command that failed is another's.
        if begins_step(text) && !ends_block(text) || told && command || text.starts_with("#!/") {
            break;
        }
        let heard = heard(text);
        let worded = text.bytes().any(|byte| byte.is_ascii_alphabetic());
        let verdict = (!worded || shown <= MAX_AFTER) && last_word::says(&heard);
        shown += usize::from(!text.trim().is_empty());
        let tells = (worded || verdict) && !is_boundary(text) && !command && !said(&line) && !is_advice(text);
        told |= tells;
        let (error, complaint, ended_well) = (speaks_of_error(&heard), complains(&heard), went_well(&heard));
        lines.push(Said { line, tells, verdict, error, complaint, ended_well });
    }
    // Only where nothing speaks of an error, a complaint is one.
    let calm = !lines.iter().any(|said| said.tells && said.error);
    let error = |said: &Said| said.tells && if calm { said.complaint } else { said.error };
    let blank = |said: &Said| said.line.text.trim().is_empty();
    // What frames a message is no line of it.
    let has_letters = |said: &Said| said.line.text.bytes().any(|byte| byte.is_ascii_alphanumeric());
    // A bare word of failure at the end is the verdict of whatever ran.
    let end = lines.iter().enumerate().filter(|(_, said)| !blank(said)).take(1 + MAX_AFTER);
    let mut end = end.take_while(|(_, said)| !said.ended_well);
    let verdict = end.find(|(_, said)| said.tells && said.verdict).map(|(at, _)| at);
    let found = || lines.iter().position(error);
    let Some(last) = verdict.or_else(found) else {
        let around: Vec<TextLine> = telling(&lines).take(MAX_AROUND).cloned().collect();
        return Some(Words {
            line: around.first()?.clone(),
            below: Vec::new(),
            others: Vec::new(),
            around,
            error: false,
            gives_up: false,
            late: false,
        });
    };
    // The block is the paragraph; its first word of an error tells what it is about.
    let paragraph = lines[last..].iter().take(MAX_BLOCK).take_while(|said| !blank(said));
    let told = paragraph.enumerate().filter(|(_, said)| error(said)).last();
    let mut first = last + told.map_or(0, |(above, _)| above);
    // What a tool marks as its error says more than a line that merely counts or repeats what failed.
    if let Some(marked) = (last..=first).rev().find(|at| lines[*at].tells && is_marked(&lines[*at].line.text)) {
        first = marked;
    }
    // A heading says nothing; what stands below it does.
    if is_heading(&lines[first].line.text) && first > 0 && !blank(&lines[first - 1]) {
        first -= 1;
    }
    let more = lines[..first].iter().rev().take(MAX_BLOCK).take_while(|said| !blank(said)).map(|said| &said.line);
    let below: Vec<String> = more.clone().map(|line| line.text.clone()).collect();
    let others = lines[first + 1..].iter().filter(|said| said.error);
    let others = telling(others).take(MAX_OTHERS).cloned().collect();
    let after = lines[..first].iter().rev().skip(below.len());
    let above = lines[first + 1..].iter().take(MAX_AROUND);
    let around = telling(after.take(MAX_AROUND).chain(above)).cloned().collect();
    let late = verdict.is_some()
        || lines[..last].iter().filter(|line| has_letters(line)).count() <= MAX_AFTER
            && !lines[..last].iter().any(|said| said.ended_well);
    let annotated = |line: &TextLine| {
        let begin = line.span.byte_start.checked_add(before.len() as u64)?.checked_sub(at.byte)?;
        let raw = before.get(usize::try_from(begin).ok()?..)?;
        let raw = raw.get(..MAX_STAMPED).unwrap_or(raw).split(|byte| *byte == b'\n').next()?;
        ANNOTATION.find(raw)
    };
    let gives_up = verdict.is_some()
        || lines[last..=first]
            .iter()
            .map(|said| &said.line)
            .any(|line| gives_up(&line.text) || counts_errors(&line.text) || annotated(line).is_some());
    let first = &lines[first].line;
    let span = more.fold(first.span, |span, line| span.join(line.span));
    let line = TextLine { text: first.text.clone(), span };
    Some(Words { line, below, others, around, error: true, gives_up, late })
}

/// The clean lines at the end of `before`, which ends at `at`; the nearest first.
pub(super) fn backwards<'b>(before: &'b [u8], at: Place, frame: &'b Frame) -> impl Iterator<Item = TextLine> + 'b {
    raw_backwards(before, at).map(move |(span, raw)| {
        let text = clean(raw, frame).texts().pop().unwrap_or_default();
        TextLine { text, span }
    })
}

/// The lines at the end of `before` as they stand there, which ends at `at`; the nearest first.
pub(super) fn raw_backwards(before: &[u8], at: Place) -> impl Iterator<Item = (Span, &[u8])> {
    let near = &before[before.len().saturating_sub(MAX_BYTES)..];
    let mut rest = Some(near.strip_suffix(b"\n").unwrap_or(near));
    let mut end = at.byte - u64::from(before.last() == Some(&b'\n'));
    let mut number = at.line + u64::from(before.last().is_some_and(|byte| *byte != b'\n'));
    std::iter::from_fn(move || {
        let lines = rest?;
        let newline = memchr::memrchr(b'\n', lines);
        let raw = &lines[newline.map_or(0, |newline| newline + 1)..];
        rest = newline.map(|newline| &lines[..newline]);
        number = number.saturating_sub(1).max(1);
        let start = end.saturating_sub(raw.len() as u64);
        let span = Span::on_line(number, start, end);
        end = start.saturating_sub(1);
        Some((span, raw))
    })
}

/// Whether a line sums up what a checker found: `✖ Found 1 circular dependency!`, `found 2 errors in 1 files`.
fn counts_errors(text: &str) -> bool {
    let lower = text.trim().to_lowercase();
    if lower.starts_with(['✖', '✗', '✘', '❌', '⨯']) {
        return is_error(text) && lower.split_whitespace().count() > 2;
    }
    let Some((_, rest)) = lower.split_once("found ") else { return false };
    let mut words = rest.split_whitespace();
    let some = words.next().is_some_and(|word| word.bytes().all(|byte| byte.is_ascii_digit()) && word != "0");
    some && words.take(2).any(|word| word.starts_with("error") || word.starts_with("violation"))
}

/// Whether a line says in the words of most tools that the work was done.
pub(super) fn ended_well(text: &str) -> bool {
    went_well(&heard(text))
}

fn went_well(heard: &Heard<'_>) -> bool {
    let worded = heard.has(list::DONE) && !heard.has(list::NOT_DONE);
    (worded || heard.text.trim_start().starts_with(['✓', '✔', '✅'])) && !speaks_of_error(heard)
}

/// The lines that tell anything.
fn telling<'l>(lines: impl IntoIterator<Item = &'l Said>) -> impl Iterator<Item = &'l TextLine> {
    lines.into_iter().filter(|said| said.tells && !is_notice_of_npm(&said.line.text)).map(|said| &said.line)
}

/// Whether npm only speaks of its own settings, as it does before whatever it runs.
fn is_notice_of_npm(text: &str) -> bool {
    const BEGINS: &[&str] = &["npm warn ", "npm notice", "npm info "];
    let text = text.trim_start();
    BEGINS.iter().any(|begin| text.get(..begin.len()).is_some_and(|head| head.eq_ignore_ascii_case(begin)))
}

/// Whether a line bears the mark of an error in front, and says something behind it.
fn is_marked(text: &str) -> bool {
    let lower = text.trim_start().to_lowercase();
    let rest = ["error:", "fatal:", "fatal error:", "[error]"].iter().find_map(|mark| lower.strip_prefix(mark));
    rest.is_some_and(|rest| rest.split_whitespace().count() > 1)
}

/// Whether a line begins as tools begin what they say when they give up.
fn gives_up(text: &str) -> bool {
    const BEGINS: &[&str] = &[
        "error:",
        "fatal:",
        "fatal error:",
        "[error]",
        "✘ [error]",
        "error!",
        "err!",
        "unexpected error",
        "[fail]",
        "failed:",
        "failure:",
        "exception: ",
        "write-error:",
    ];
    // Some tools draw a bar beside what they say.
    let lower = text.trim_start_matches(['│', '┃', ' ', '\t']).to_lowercase();
    if heard(&lower).has(list::MILD) {
        return false;
    }
    // As programs of Unix do: `frob: could not open x`.
    let program = lower.split_once(": ").is_some_and(|(name, said)| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/');
        !name.is_empty()
            && name.len() <= 40
            && name.bytes().all(fits)
            && name.bytes().any(|byte| byte.is_ascii_alphabetic())
            && said.split_whitespace().count() > 2
            && is_error(said)
    });
    BEGINS.iter().any(|begin| lower.starts_with(begin))
        || program
        || is_thrown(&lower)
        || tells_status(&lower)
        || is_outcry(&lower)
}

/// Whether a short line only says that something failed, in small letters: `job failed`, `💥 gate failed`.
fn is_outcry(lower: &str) -> bool {
    let end = lower.trim_end_matches(['.', '!', ' ']);
    // What comes after the work seldom matters.
    let late = ["cache", "upload", "report", "artifact", "telemetry", "notif", "clean", "save", "hook"];
    end.ends_with(" failed")
        && end.split_whitespace().count() <= 5
        && !end.bytes().any(|byte| byte.is_ascii_digit())
        && !late.iter().any(|word| end.contains(word))
}

/// Whether a line ends by telling that something failed or ended with a status other than zero, in small letters:
/// `task: failed to run task "gate": exit status 3`, `gate failed: exit code 3`.
fn tells_status(lower: &str) -> bool {
    const TELLS: &[&str] =
        &["exit status ", "exit status: ", "exit code ", "exit code: ", "exited with ", "exited with code ", "exited "];
    let end = lower.trim_end_matches(['.', ')', '!', ' ']);
    let before = end.trim_end_matches(|last: char| last.is_ascii_digit());
    let status = &end[before.len()..];
    let before = before.trim_end_matches('(');
    (1..=3).contains(&status.len())
        && status.bytes().any(|digit| digit != b'0')
        // So do those end that somebody stops.
        && !matches!(status, "130" | "143")
        && TELLS.iter().any(|tells| before.ends_with(tells))
}

/// Whether a line names a type that was thrown and what it says, in small letters: `system.io.ioexception: …`,
/// `activerecord::environmentmismatcherror: …`.
fn is_thrown(lower: &str) -> bool {
    let Some((name, said)) = lower.split_once(": ") else { return false };
    // The runtime of Windows puts a number behind the name.
    let name = name.split_once(" (0x").map_or(name, |(name, _)| name);
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b':' | b'_' | b'$');
    let typed = ["error", "exception"].iter().any(|end| name.ends_with(end) && name.len() > end.len());
    typed && name.len() <= 120 && name.bytes().all(fits) && said.split_whitespace().count() > 2
}

/// Whether a line of Jenkins ends a block and does not begin one.
fn ends_block(text: &str) -> bool {
    text.strip_prefix("[Pipeline] ").is_some_and(|rest| rest.starts_with(['}', '/']) || rest == "End of Pipeline")
}

/// Whether a line only announces what comes: `ERRORS:`, `Error:`.
fn is_heading(text: &str) -> bool {
    let text = text.trim();
    text.ends_with(':') && text.split_whitespace().count() <= 2 || matches!(text, "rails aborted!" | "rake aborted!")
}

/// Whether a line speaks of what is not as it should be, in words that occur in calm lines too.
fn complains(heard: &Heard<'_>) -> bool {
    let mild =
        ["info", "debug", "notice", "note:", "ok ", "passed", "pass:", "warning", "npm warn", "nx read the output"];
    heard.has(list::COMPLAINT) && !begins_with_any(heard.text, &mild)
}

/// Whether a line tells what to do about an error.
fn is_advice(text: &str) -> bool {
    const BEGINS: &[&str] = &[
        "to report ",
        "to fix ",
        "to see ",
        "please ",
        "see ",
        "for more",
        "for help",
        "for further",
        "if you ",
        "if this ",
        "try ",
        "hint",
        "you can ",
        "you may ",
        "more info",
        "read more",
        "run `",
        "run '",
        "run \"",
        "visit ",
        "a complete log",
        "a full log",
        "the full ",
        "http",
    ];
    begins_with_any(text, BEGINS)
}

/// Whether a line speaks of an error in the words that most tools use.
pub(super) fn is_error(text: &str) -> bool {
    speaks_of_error(&heard(text))
}

fn speaks_of_error(heard: &Heard<'_>) -> bool {
    const CALM: &[&str] = &[
        "0 error",
        "no error",
        "0 fail",
        "without error",
        "error-free",
        "error: 0",
        "errors: 0",
        "errors=0",
        "fail: 0",
        "failed: 0",
        "failed=0",
        "failures: 0",
        "failures=0",
    ];
    let text = heard.text;
    let marked = text.trim_start().starts_with(['✖', '✗', '×', '✘', '❌', '⨯']);
    if !marked && !heard.has(list::ERROR) {
        return text.contains("xit") && tells_status(&text.to_lowercase());
    }
    let lower = text.to_lowercase();
    let mild = ["warning", "warn ", "npm warn", "info", "debug", "notice", "note:", "ok ", "passed", "pass:"];
    !CALM.iter().any(|words| {
        // Ten errors are errors.
        lower.find(words).is_some_and(|at| !lower[..at].ends_with(|before: char| before.is_ascii_digit()))
    }) && !begins_with_any(text, &mild)
        && !counts_none(&lower)
}

/// Whether a line counts several sorts of things, and found none of any: `Total: 0 (UNKNOWN: 0, HIGH: 0)`.
fn counts_none(text: &str) -> bool {
    let mut numbers = text.split(|character: char| !character.is_ascii_digit()).filter(|number| !number.is_empty());
    let none = numbers.clone().all(|number| number.bytes().all(|digit| digit == b'0'));
    none && numbers.nth(1).is_some() && text.contains(": 0")
}

/// Whether a line begins with any of these words, in small letters or in large.
fn begins_with_any(text: &str, words: &[&str]) -> bool {
    let text = text.trim_start().as_bytes();
    words.iter().any(|word| text.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(before: &str, expected: Option<(u64, u64, &str)>) {
        let at = Place { line: before.lines().count() as u64 + 1, byte: before.len() as u64 };
        let found = last_words(before.as_bytes(), at, &Frame::default(), |line| line.text.starts_with("make: ***"));
        let shown = found.as_ref().map(|found| &found.line);
        let shown = shown.map(|line| (line.span.line, line.span.last_line, line.text.as_str()));
        assert_eq!(shown, expected);
        if let Some(Words { line, error, .. }) = found {
            let from: usize = before.split_inclusive('\n').take(line.span.line as usize - 1).map(str::len).sum();
            assert_eq!(line.span.byte_start, from as u64);
            assert_eq!(error, is_error(&line.text) || complains(&heard(&line.text)));
        }
    }

    #[test]
    fn the_last_block_with_a_word_of_an_error() {
        let log = "a\nERROR: early\n\nall fine\nwidget failed\n  because of rain\nmake: *** [x] Error 1\n";
        check(log, Some((5, 7, "widget failed")));
        check("Task x does not exist\nbye\n", Some((1, 2, "Task x does not exist")));
        check("frobnicating\nthe reactor hummed\n", Some((2, 2, "the reactor hummed")));
        check("build: 0 errors\n", Some((1, 1, "build: 0 errors")));
        check("10 errors\nsection_end:1:x\n", Some((1, 2, "10 errors")));
        check("\n----\n", None);
        let log = "Error: no such widget\n  at a\n\nTo report this error, open an issue.\nsaved in: x\n";
        check(log, Some((1, 2, "Error: no such widget")));
        check("ERRORS:\nshop.A: (x.1) cannot be\n", Some((2, 2, "shop.A: (x.1) cannot be")));
        check("#!/bin/bash -eo pipefail\nhum\n", Some((2, 2, "hum")));
        check("ERROR: x\n[Pipeline] }\n[Pipeline] // stage\n", Some((1, 3, "ERROR: x")));
        check("", None);
    }

    #[test]
    fn counts_of_nothing_are_calm() {
        assert!(!is_error("Total: 0 (UNKNOWN: 0, LOW: 0, HIGH: 0, CRITICAL: 0)"));
        assert!(is_error("Total: 1 (UNKNOWN: 0, LOW: 1)"));
        assert!(is_error("error 0: could not open x"));
    }

    #[test]
    fn a_status_or_an_outcry_gives_up() {
        for text in [
            "task: Failed to run task \"gate\": exit status 3",
            "gate failed: Exit code 3",
            "Exited with 2",
            "invoke: gate exited (3)",
            "💥 gate failed",
            "Job failed.",
            "[FAIL] gate",
        ] {
            assert!(gives_up(text) && is_error(text), "{text}");
        }
        for text in
            ["exit code 0", "exited with code 000", "took 3 s", "0 of 3 failed", "naïve…3", "über 3", "éxit code…"]
        {
            assert!(!gives_up(text), "{text}");
        }
    }

    #[test]
    fn another_step_is_not_looked_into() {
        check("ERROR: early\n##[group]Run make\nhum\n", Some((3, 3, "hum")));
        check("ERROR: early\n$ make lint || echo failed\nhum\n", Some((3, 3, "hum")));
    }
}
