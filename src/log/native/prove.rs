//! The console of prove and Test::Harness, with `-v` and without.
//!
//! Each file has a line of its own with its result; the totals stand in the summary. What failed is told on standard
//! error, which may come before the lines that it is about.

use super::super::{Grip, Line, Reader};
use super::{MAX_LINES, is_of_the_job};
use crate::item::{Item, TestRun, read_count};
use crate::report::{Counts, Failure, FileRef, Level, Note, Outcome, Signal, Span, TextLine};

pub(in crate::log) const NEEDLES: &[&str] =
    &["#   Failed test", ".t ..", "All tests successful.", "Test Summary Report", "Result: PASS", "Result: FAIL"];

pub(in crate::log) fn open() -> Box<dyn Reader> {
    Box::new(Prove::default())
}

#[derive(Default)]
struct Prove {
    active: bool,
    /// A line was seen that only prove prints; until then it may be a test that is run by itself.
    sure: bool,
    /// The block of a failed test that is being printed.
    open: Option<Failure>,
    failures: Vec<Failure>,
    /// What a file printed that is no TAP, until its result.
    printed: Vec<TextLine>,
    /// A failed test was told since the last file ended.
    told: bool,
    failed: u64,
    skipped: u64,
    todo: u64,
    total: u64,
    files: u64,
    /// Lines before the first that only prove prints.
    early: u64,
    summary: bool,
    span: Span,
}

impl Reader for Prove {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        if !self.active {
            let early = text.starts_with("#   Failed test");
            if !early && !is_sure(text) {
                return Grip::Pass;
            }
            self.active = true;
            self.span = line.span;
        }
        self.sure |= is_sure(text);
        if !self.sure {
            let trimmed = line.trimmed();
            let point = ["ok ", "not ok ", "1.."].iter().any(|begin| trimmed.starts_with(begin));
            self.early += 1;
            if point || self.early > 10_000 {
                *self = Prove::default();
                return Grip::Pass;
            }
        }
        self.span = self.span.join(line.span);
        if is_of_the_job(text) {
            return Grip::Watch;
        }
        let trimmed = line.trimmed();
        if let Some(result) = text.strip_prefix("Result: ") {
            self.finish(Some(result), out);
            return Grip::Take;
        }
        if text == "Test Summary Report" || text == "All tests successful." {
            self.close();
            self.summary = true;
            return Grip::Hold;
        }
        if let Some(rest) = text.strip_prefix("Files=") {
            let count = |key: &str| rest.split(key).nth(1).and_then(|rest| read_count(rest.split(',').next()?));
            self.files = rest.split(',').next().and_then(read_count).unwrap_or(0);
            self.total = count("Tests=").unwrap_or(0);
            return Grip::Hold;
        }
        if self.summary {
            // `t/20-count.t (Wstat: 512 (exited 2) Tests: 5 Failed: 2)`
            if let Some((_, rest)) = text.rsplit_once(" Failed: ").filter(|_| text.contains("(Wstat: ")) {
                self.failed += read_count(rest.trim_end_matches(')')).unwrap_or(0);
            }
            return Grip::Hold;
        }
        if let Some(comment) = trimmed.strip_prefix('#') {
            self.comment(comment.trim(), line);
            return Grip::Hold;
        }
        if trimmed.starts_with("Dubious, test returned")
            || trimmed.starts_with("Failed ") && trimmed.contains(" subtests")
        {
            // A file that dies with nothing told has its reason among what it printed.
            if !self.told && !self.printed.is_empty() {
                self.close();
                let text = std::mem::take(&mut self.printed);
                let span = text[0].span;
                self.failures.push(Failure {
                    level: Level::Suite,
                    signal: Some(Signal::Load),
                    text,
                    span,
                    ..Failure::default()
                });
                self.told = true;
            }
            return Grip::Hold;
        }
        if banner(text).is_some() {
            self.close();
            // On a terminal what a file prints follows its name on the same line.
            let rest = text.split_once(".t .").map_or("", |(_, rest)| rest.trim_start_matches('.').trim());
            let result =
                ["ok", "Dubious", "Failed", "skipped", "All ", "No "].iter().any(|word| rest.starts_with(word));
            if !rest.is_empty() && !result && !rest.starts_with(|first: char| first.is_ascii_digit()) {
                self.told = false;
                self.printed = vec![TextLine { text: rest.to_owned(), span: line.span }];
            }
            if text.contains(" Dubious, test returned") && !self.told {
                let mut text = std::mem::take(&mut self.printed);
                if text.is_empty() {
                    text.push(line.to_text());
                }
                let span = text[0].span;
                let signal = Some(Signal::Load);
                let subject = line.text.split(" .").next().map(|file| file.trim().to_owned());
                self.failures.push(Failure { level: Level::Suite, signal, subject, text, span, ..Failure::default() });
                self.told = true;
            }
            return Grip::Hold;
        }
        if let Some(rest) = trimmed.strip_prefix("ok ").or_else(|| trimmed.strip_prefix("not ok ")) {
            let lower = rest.to_ascii_lowercase();
            self.skipped += u64::from(lower.contains("# skip"));
            self.todo += u64::from(lower.contains("# todo"));
            return Grip::Hold;
        }
        if trimmed == "ok" || trimmed.starts_with("skipped:") {
            self.told = false;
            self.printed.clear();
            return Grip::Hold;
        }
        let plan = trimmed.starts_with("1..") || trimmed.starts_with("(less ");
        if !trimmed.is_empty() && !plan && self.printed.len() < MAX_LINES {
            // Another file begins to print once the one before has failed.
            if self.told && self.printed.is_empty() {
                self.told = false;
            }
            self.printed.push(line.to_text());
        }
        Grip::Hold
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.finish(None, out);
    }
}

impl Prove {
    fn comment(&mut self, text: &str, line: Line<'_>) {
        if let Some(name) = text.strip_prefix("Failed test ") {
            self.close();
            self.told = true;
            let name = name.trim_matches(['\'', '"']).to_owned();
            let text = vec![TextLine { text: text.to_owned(), span: line.span }];
            let signal = Some(Signal::Assertion);
            self.open = Some(Failure { test: Some(name), signal, text, span: line.span, ..Failure::default() });
        } else if text.starts_with("Failed (TODO) test") || text.starts_with("Looks like you ") {
            self.close();
        } else if let Some(failure) = &mut self.open {
            let place = text.strip_prefix("at ").and_then(|rest| rest.rsplit_once(" line "));
            if let (None, Some((path, number))) = (&failure.file, place) {
                failure.file = Some(FileRef::new(path, number.trim_end_matches('.').parse().ok(), None));
            }
            if failure.text.len() < 40 && !text.is_empty() {
                failure.text.push(TextLine { text: text.to_owned(), span: line.span });
            }
        }
    }

    fn close(&mut self) {
        if let Some(failure) = self.open.take()
            && self.failures.len() < 20_000
        {
            self.failures.push(failure);
        }
    }

    fn finish(&mut self, result: Option<&str>, out: &mut dyn FnMut(Item)) {
        self.close();
        let Prove { active, sure, failures, failed, skipped, total, span, todo, .. } = std::mem::take(self);
        if !active {
            return;
        }
        if !sure {
            failures.into_iter().for_each(|failure| out(Item::Failure(failure)));
            return;
        }
        let any = !failures.is_empty();
        failures.into_iter().for_each(|failure| out(Item::Failure(failure)));
        let outcome = match result {
            Some("PASS") => Outcome::Passed,
            Some("FAIL") => Outcome::Failed,
            Some(_) => Outcome::Unknown,
            None if any => Outcome::Failed,
            None => Outcome::Unknown,
        };
        if result.is_none() {
            out(Item::Note(Note::warning(Some(span.last_line), "the output of prove ends before its result")));
        }
        let skipped = (skipped + todo).min(total);
        let passed = total.saturating_sub(failed + skipped);
        let counts = Counts { total, passed: Some(passed), failed, skipped, ..Counts::default() };
        out(Item::Tests(TestRun { tool: "prove", counts, span, outcome }));
    }
}

fn is_sure(text: &str) -> bool {
    banner(text).is_some() || text == "Test Summary Report" || text == "All tests successful."
}

/// `t/20-count.t .. `, with its result behind the dots or none.
fn banner(text: &str) -> Option<&str> {
    let (file, rest) = text.split_once(".t .")?;
    let known = !file.is_empty() && !file.contains(' ') && rest.starts_with('.');
    known.then_some(file)
}
