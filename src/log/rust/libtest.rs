//! The console of libtest: the unit, integration and documentation tests of `cargo test`.
//!
//! Each binary is a run of its own, from `running N tests` to `test result:`. What stands between the two is the
//! output of tests and no finding, unless it is the block of a failed test or the process dies.

use super::super::{Grip, Line, Reader};
use super::{MAX_LINES, explain};
use crate::item::{Item, Step, TestRun, read_count};
use crate::report::{Counts, Failure, FileRef, Level, Note, Outcome, Signal, Span, TextLine};

pub(in crate::log) const NEEDLES: &[&str] = &[
    "Running unittests ",
    "debug/deps/",
    "release/deps/",
    "Doc-tests ",
    "running 0 tests",
    "running 1 test",
    "test result: ",
    " stdout ----",
];

/// How many failed tests of one binary are kept.
const MAX_FAILED: usize = 20_000;

pub(in crate::log) fn open() -> Box<dyn Reader> {
    Box::new(Libtest::default())
}

#[derive(Default)]
struct Libtest {
    /// What cargo named last: a source file or a crate with documentation tests.
    binary: Option<String>,
    run: Option<Run>,
    idle: u32,
}

#[derive(Default)]
struct Run {
    expected: u64,
    passed: u64,
    ignored: u64,
    failed: Vec<(String, Span)>,
    /// The blocks of failed tests: name, lines.
    blocks: Vec<(String, Vec<TextLine>)>,
    in_block: bool,
    /// Other output, for a process that dies.
    printed: Vec<TextLine>,
    /// Cargo said that the binary failed although no result was told.
    died: Option<TextLine>,
    span: Span,
}

impl Reader for Libtest {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        if let Some(run) = &mut self.run {
            run.span = run.span.join(line.span);
            if let Some(rest) = text.trim_start().strip_prefix("test result: ") {
                let run = self.run.take().expect("it is there");
                run.finish(rest, line, out);
                return Grip::Take;
            }
            if run.died.is_some() {
                let cause = text.trim_start();
                run.printed.push(line.to_text());
                if cause.starts_with("process didn't exit") {
                    let run = self.run.take().expect("it is there");
                    run.die(self.binary.as_deref(), out);
                    return Grip::Take;
                }
                if cause.is_empty() || cause == "Caused by:" {
                    return Grip::Hold;
                }
                run.printed.pop();
                let run = self.run.take().expect("it is there");
                run.die(self.binary.as_deref(), out);
                return self.begin(line, out);
            }
            if text.starts_with("error: test failed") || text.starts_with("error: doctest failed") {
                run.died = Some(line.to_text());
                return Grip::Hold;
            }
            if text.starts_with("##[") || text.starts_with("Process completed with exit code") {
                return Grip::Watch;
            }
            return run.take(line);
        }
        self.begin(line, out)
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        let Some(run) = self.run.take() else { return };
        if run.died.is_some() {
            run.die(self.binary.as_deref(), out);
            return;
        }
        let message = "the output of a test binary ends before its result";
        out(Item::Note(Note::warning(Some(run.span.last_line), message)));
        let outcome = if run.failed.is_empty() { Outcome::Unknown } else { Outcome::Failed };
        let counts = Counts {
            total: run.expected,
            passed: None,
            failed: run.failed.len() as u64,
            skipped: run.ignored,
            ..Counts::default()
        };
        let span = run.span;
        run.tell(out);
        out(Item::Tests(TestRun { tool: "cargo test", counts, span, outcome }));
    }

    fn yields_to_report(&self) -> bool {
        self.run.is_none()
    }
}

impl Libtest {
    fn begin(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.trimmed();
        let binary = text
            .strip_prefix("Running ")
            .filter(|rest| rest.contains("/deps/"))
            .map(|rest| rest.split_once(" (").map_or(rest, |(name, _)| name).trim_start_matches("unittests "))
            .or_else(|| text.strip_prefix("Doc-tests "));
        if let Some(binary) = binary {
            self.binary = Some(binary.to_owned());
            out(Item::Step(Step { name: text.to_owned(), span: line.span, command: true, ..Step::default() }));
            self.idle = 0;
            return Grip::Watch;
        }
        let count = text
            .strip_prefix("running ")
            .and_then(|rest| read_count(rest.strip_suffix(" tests").or_else(|| rest.strip_suffix(" test"))?));
        if let Some(expected) = count {
            self.run = Some(Run { expected, span: line.span, ..Run::default() });
            return Grip::Hold;
        }
        if text.starts_with("---- ") && text.ends_with(" stdout ----") {
            // The start was cut off.
            let mut run = Run { span: line.span, ..Run::default() };
            run.take(line);
            self.run = Some(run);
            return Grip::Hold;
        }
        if let Some(rest) = text.strip_prefix("test result: ") {
            Run { span: line.span, ..Run::default() }.finish(rest, line, out);
            return Grip::Take;
        }
        // A binary without a harness prints what it likes.
        self.idle += 1;
        if self.binary.is_some() && self.idle < 5 && text.is_empty() { Grip::Watch } else { Grip::Pass }
    }
}

impl Run {
    fn take(&mut self, line: Line<'_>) -> Grip {
        let text = line.text;
        if let Some(name) = text.strip_prefix("---- ").and_then(|rest| rest.strip_suffix(" ----")) {
            let name = name.strip_suffix(" stdout").or_else(|| name.strip_suffix(" stderr")).unwrap_or(name);
            self.in_block = self.blocks.len() < MAX_FAILED;
            if self.in_block {
                self.blocks.push((name.to_owned(), Vec::new()));
            }
            return Grip::Hold;
        }
        if text == "failures:" || text == "successes:" {
            self.in_block = false;
            return Grip::Hold;
        }
        if self.in_block {
            if let Some((_, lines)) = self.blocks.last_mut()
                && lines.len() < MAX_LINES
            {
                lines.push(line.to_text());
            }
            return Grip::Hold;
        }
        if let Some((name, result)) = text.strip_prefix("test ").and_then(|rest| rest.rsplit_once(" ... ")) {
            let name = name.strip_suffix(" - should panic").unwrap_or(name);
            match result {
                "ok" => self.passed += 1,
                "FAILED" if self.failed.len() < MAX_FAILED => self.failed.push((name.to_owned(), line.span)),
                _ if result.starts_with("ignored") => self.ignored += 1,
                // A test that printed something, or died, before its result.
                _ => self.keep(line),
            }
            return Grip::Hold;
        }
        if !text.trim().is_empty() {
            self.keep(line);
        }
        Grip::Hold
    }

    fn keep(&mut self, line: Line<'_>) {
        if self.printed.len() >= MAX_LINES {
            self.printed.remove(0);
        }
        self.printed.push(line.to_text());
    }

    /// `FAILED. 2 passed; 6 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.37s`.
    fn finish(self, summary: &str, line: Line<'_>, out: &mut dyn FnMut(Item)) {
        let count = |word: &str| -> u64 {
            let part = summary.split([';', '.']).find_map(|part| part.trim().strip_suffix(word));
            part.and_then(read_count).unwrap_or(0)
        };
        let (passed, failed, ignored) = (count("passed"), count("failed"), count("ignored"));
        let passed = passed + count("measured");
        let counts = Counts {
            total: passed + failed + ignored,
            passed: Some(passed),
            failed,
            skipped: ignored,
            ..Counts::default()
        };
        let outcome = if failed > 0 || summary.starts_with("FAILED") { Outcome::Failed } else { Outcome::Passed };
        let span = self.span.join(line.span);
        self.tell(out);
        out(Item::Tests(TestRun { tool: "cargo test", counts, span, outcome }));
    }

    fn tell(self, out: &mut dyn FnMut(Item)) {
        let Run { failed, blocks, printed, .. } = self;
        for (name, span) in &failed {
            if blocks.iter().any(|(known, _)| known == name) {
                continue;
            }
            // With --nocapture the output stands among that of the others.
            let mut failure = Failure { test: Some(name.clone()), span: *span, ..Failure::default() };
            let thread = format!("thread '{name}'");
            if printed.iter().any(|line| line.text.contains(&thread)) {
                explain(&printed, name, &mut failure);
            } else {
                failure.signal = Some(Signal::Assertion);
                failure.text = vec![TextLine { text: format!("test {name} ... FAILED"), span: *span }];
            }
            out(Item::Failure(failure));
        }
        for (name, lines) in blocks {
            let span = lines.first().map_or(Span::default(), |line| line.span);
            let span = lines.last().map_or(span, |last| span.join(last.span));
            let mut failure = Failure { test: Some(name.clone()), span, ..Failure::default() };
            explain(&lines, &name, &mut failure);
            // A documentation test is compiled elsewhere; its name tells where it stands.
            if let Some((path, rest)) = name.split_once(" - ").filter(|(path, _)| path.ends_with(".rs")) {
                let number =
                    rest.rsplit_once("(line ").and_then(|(_, number)| number.trim_end_matches(')').parse().ok());
                failure.file = Some(FileRef::new(path, number, None));
            }
            if failure.text.is_empty() {
                let place = failed.iter().find(|(known, _)| *known == name).map_or(span, |(_, span)| *span);
                failure.text = vec![TextLine { text: format!("test {name} ... FAILED"), span: place }];
            }
            out(Item::Failure(failure));
        }
    }

    /// The process ended without a result: a signal, an exit of its own.
    fn die(self, binary: Option<&str>, out: &mut dyn FnMut(Item)) {
        let Run { expected, passed, ignored, ref failed, ref printed, ref died, span, .. } = self;
        let failed = failed.len() as u64;
        let mut text: Vec<TextLine> = Vec::new();
        let telling =
            ["memory allocation of", "has overflowed its stack", "fatal runtime error", "process didn't exit"];
        text.extend(printed.iter().filter(|line| telling.iter().any(|known| line.text.contains(known))).cloned());
        text.extend(died.clone());
        let mut failure = Failure {
            level: Level::Suite,
            test: binary.map(str::to_owned),
            span: died.as_ref().map_or(span, |line| line.span),
            signal: Some(Signal::Load),
            ..Failure::default()
        };
        if text.iter().any(|line| line.text.contains("(signal: ")) {
            failure.signal = Some(Signal::Crash);
        } else if printed.iter().any(|line| line.text.contains("panicked at ")) {
            explain(printed, "main", &mut failure);
        }
        // With one thread the line of the test that ran is still open.
        let open = text.iter().find_map(|line| line.text.strip_prefix("test ")?.split_once(" ... "));
        if let Some((name, _)) = open {
            failure.test = Some(name.to_owned());
        }
        failure.text.extend(text);
        let counts = Counts { total: expected, passed: Some(passed), failed, errored: 1, skipped: ignored, flaky: 0 };
        self.tell(out);
        out(Item::Failure(failure));
        out(Item::Tests(TestRun { tool: "cargo test", counts, span, outcome: Outcome::Failed }));
    }
}
