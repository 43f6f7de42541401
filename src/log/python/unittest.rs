//! The console of `unittest`, which Django, nose and many runners share.

use super::super::cases::of_run;
use super::super::{Grip, Line, Reader};
use super::{MAX_LINES, native, tell_exception};
use crate::item::{Item, TestRun, read_count};
use crate::report::{Counts, Failure, Level, Note, Outcome, Signal, Span, TextLine};

pub(in crate::log) const NEEDLES: &[&str] = &[
    "======================================================================",
    " tests in ",
    "Ran 1 test in ",
    "FAILED (failures=",
    "FAILED (errors=",
    "NO TESTS RAN",
    // With `-v`, each case has a line of its own.
    ") ... ERROR",
    ") ... FAIL",
];

/// How many failed cases are kept.
const MAX_FAILED: usize = 20_000;

pub(in crate::log) fn open() -> Box<dyn Reader> {
    Box::new(Unittest::default())
}

#[derive(Default)]
struct Unittest {
    blocks: Vec<Block>,
    /// Cases of which only the line says that they failed: what went wrong stands behind the last of them, if the run
    /// gets there.
    told: Vec<Block>,
    state: State,
    /// `Ran 3 tests in 0.1s`: how many, and where.
    ran: Option<(u64, Span)>,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum State {
    #[default]
    Idle,
    /// A double rule came; the heading of a block may follow.
    Rule,
    /// The heading of a block that only nose would print; a rule of dashes must follow.
    Heading,
    Block,
    /// The totals came; the verdict follows.
    Ran,
}

struct Block {
    error: bool,
    name: String,
    head: TextLine,
    lines: Vec<TextLine>,
}

impl Reader for Unittest {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        let rule = text.len() == 70 && text.bytes().all(|byte| byte == b'=');
        match self.state {
            State::Ran => return self.verdict(line, out),
            State::Rule => {
                let Some((word, name)) = heading(text) else {
                    self.state = State::Idle;
                    return Grip::Pass;
                };
                if self.blocks.len() < MAX_FAILED {
                    let head = line.to_text();
                    let error = word == Word::Error;
                    self.blocks.push(Block { error, name: name.to_owned(), head, lines: Vec::new() });
                }
                self.state = if word == Word::Own { State::Heading } else { State::Block };
                return Grip::Hold;
            }
            State::Heading if !is_dashes(text) => {
                self.blocks.pop();
                self.state = State::Idle;
                return Grip::Pass;
            }
            State::Heading => self.state = State::Block,
            State::Idle | State::Block => {}
        }
        if rule {
            let known = self.state == State::Block;
            self.state = State::Rule;
            // Only what follows tells whose rule it is; until then it is nobody's.
            return if known { Grip::Hold } else { Grip::Watch };
        }
        if let Some(count) = ran(text) {
            self.told.clear();
            self.ran = Some((count, line.span));
            self.state = State::Ran;
            return Grip::Hold;
        }
        if self.state != State::Block {
            let Some((error, name)) = result(text) else { return Grip::Pass };
            if self.told.len() < MAX_FAILED {
                let head = line.to_text();
                self.told.push(Block { error, name: name.to_owned(), head, lines: Vec::new() });
            }
            return Grip::Take;
        }
        if text.starts_with("##[") || text.starts_with("Process completed with exit code") {
            return Grip::Watch;
        }
        if let Some(block) = self.blocks.last_mut()
            && block.lines.len() < MAX_LINES
            && !is_dashes(text)
        {
            block.lines.push(line.to_text());
        }
        Grip::Hold
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        if self.blocks.is_empty() {
            self.blocks = std::mem::take(&mut self.told);
        }
        let Some(last) = self.blocks.last() else { return };
        let message = "the output of unittest ends before its totals";
        out(Item::Note(Note::warning(Some(last.head.span.line), message)));
        let mut counts = Counts::default();
        for block in &self.blocks {
            if block.error {
                counts.errored += 1;
            } else {
                counts.failed += 1;
            }
        }
        counts.total = counts.failed + counts.errored;
        let span = last.head.span;
        self.finish(counts, span, Outcome::Failed, out);
    }

    fn yields_to_report(&self) -> bool {
        matches!(self.state, State::Idle)
    }
}

impl Unittest {
    /// `OK (skipped=1)`, `FAILED (failures=1, errors=2)`, `NO TESTS RAN`.
    fn verdict(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text.trim();
        if text.is_empty() {
            return Grip::Hold;
        }
        let Some((total, span)) = self.ran.take() else {
            self.state = State::Idle;
            return Grip::Pass;
        };
        let word = |word: &str| text == word || text.strip_prefix(word).is_some_and(|rest| rest.starts_with(" ("));
        let outcome = match () {
            () if word("OK") => Outcome::Passed,
            () if word("FAILED") => Outcome::Failed,
            () if word("NO TESTS RAN") => Outcome::Failed,
            () => {
                // Another tool's `Ran 3 tests in`.
                self.state = State::Idle;
                self.blocks.clear();
                return Grip::Pass;
            }
        };
        let details = text.split_once('(').map_or("", |(_, rest)| rest.trim_end_matches(')'));
        let count = |wanted: &str| -> u64 {
            let found =
                details.split(',').find_map(|part| part.trim().split_once('=').filter(|(key, _)| *key == wanted));
            found.and_then(|(_, number)| read_count(number)).unwrap_or(0)
        };
        let errored = count("errors");
        let mut failed = count("failures") + count("unexpected successes");
        let mut skipped = count("skipped") + count("expected failures");
        // Plugins of nose count under words of their own: `SKIP=3`, `BLOCKED=1`, `WidgetSyntaxError=2`.
        for (word, number) in details.split(',').filter_map(|part| part.trim().split_once('=')) {
            let Some(number) = read_count(number) else { continue };
            match word {
                "failures" | "unexpected successes" | "errors" | "skipped" | "expected failures" => {}
                word if is_own_word(word) => failed += number,
                _ => skipped += number,
            }
        }
        // Hooks of classes and modules are no cases: `Ran` does not count them.
        let hooks = self.blocks.iter().filter(|block| is_hook(&block.name)).count() as u64;
        let passed = total.saturating_sub(failed + errored.saturating_sub(hooks) + skipped);
        let counts = Counts { total, passed: Some(passed), failed, errored, skipped, flaky: 0 };
        if text.starts_with("NO TESTS RAN") {
            out(Item::Failure(of_run(Signal::NoTests, line)));
        }
        let outcome = if total == 0 && outcome == Outcome::Passed { Outcome::Unknown } else { outcome };
        self.finish(counts, span.join(line.span), outcome, out);
        Grip::Take
    }

    fn finish(&mut self, counts: Counts, span: Span, outcome: Outcome, out: &mut dyn FnMut(Item)) {
        let Unittest { blocks, .. } = std::mem::take(self);
        for block in blocks {
            out(Item::Failure(block.failure()));
        }
        out(Item::Tests(TestRun { tool: "unittest", counts, span, outcome }));
    }
}

impl Block {
    fn failure(self) -> Failure {
        let Block { error, name, head, lines, .. } = self;
        let (text, file) = native(&lines);
        // Only a file that could not be imported, or a hook of a class or module, fails outside any case.
        let outside = name.contains("_FailedTest") || is_hook(&name);
        let mut failure = Failure {
            level: if outside { Level::Suite } else { Level::Case },
            test: Some(full_name(&name)),
            file,
            span: lines.last().map_or(head.span, |last| head.span.join(last.span)),
            text,
            signal: match (error, name.contains("_FailedTest")) {
                (_, true) => Some(Signal::Load),
                (true, _) if lines.is_empty() => Some(Signal::Unhandled),
                (true, _) => None,
                (false, _) => Some(Signal::Assertion),
            },
            ..Failure::default()
        };
        if failure.text.is_empty() {
            failure.text = lines.into_iter().filter(|line| !line.text.trim().is_empty()).take(20).collect();
        }
        tell_exception(&mut failure);
        // A subclass of the assertion error, or a library's own, still is what the runner calls a failure.
        if !error && failure.signal.is_none() {
            failure.signal = Some(Signal::Assertion);
        }
        if failure.text.is_empty() {
            failure.text.push(head);
        }
        failure
    }
}

/// What a heading calls a failed case.
#[derive(Clone, Copy, PartialEq)]
enum Word {
    Fail,
    Error,
    /// The name of an exception that a plugin of nose counts apart.
    Own,
}

/// `FAIL: test_x (tests.test_y.TestY.test_x)`: how it is called, and the rest.
fn heading(text: &str) -> Option<(Word, &str)> {
    let (word, rest) = text.split_once(": ")?;
    match word {
        "ERROR" => Some((Word::Error, rest)),
        "FAIL" | "UNEXPECTED SUCCESS" => Some((Word::Fail, rest)),
        word if is_own_word(word) => Some((Word::Own, rest)),
        _ => None,
    }
}

/// Whether a word is the name of an exception.
fn is_own_word(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_uppercase())
        && word.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && ["Error", "Exception", "Failure"].iter().any(|end| word.len() > end.len() && word.ends_with(end))
}

fn is_dashes(text: &str) -> bool {
    text.len() == 70 && text.bytes().all(|byte| byte == b'-')
}

/// `test_x (tests.test_y.TestY) ... FAIL`: whether it is an error, and the name.
fn result(text: &str) -> Option<(bool, &str)> {
    let (name, word) = text.rsplit_once(" ... ")?;
    let error = match word {
        "ERROR" => true,
        "FAIL" => false,
        _ => return None,
    };
    let (case, path) = name.strip_suffix(')')?.split_once(" (")?;
    let is_name = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
    };
    (is_name(case) && is_name(path)).then_some((error, name))
}

/// Whether a heading names a hook of a class or module.
fn is_hook(name: &str) -> bool {
    ["setUpClass (", "tearDownClass (", "setUpModule (", "tearDownModule ("].iter().any(|hook| name.starts_with(hook))
}

/// `Ran 3 tests in 0.001s`.
fn ran(text: &str) -> Option<u64> {
    let (count, rest) = text.trim_start().strip_prefix("Ran ")?.split_once(' ')?;
    let rest = rest.strip_prefix("tests").or_else(|| rest.strip_prefix("test"))?;
    rest.starts_with(" in ").then(|| read_count(count))?
}

/// `tests.test_y.TestY.test_x` of `test_x (tests.test_y.TestY.test_x)`; up to Python 3.10 the second part lacks the
/// name of the case. A description may follow on the next line, and the arguments of a subtest in brackets.
fn full_name(heading: &str) -> String {
    let Some((name, rest)) = heading.split_once(" (") else { return heading.to_owned() };
    let Some((path, arguments)) = rest.split_once(')') else { return heading.to_owned() };
    let full = if path.ends_with(&format!(".{name}")) || name.contains('.') {
        path.to_owned()
    } else {
        format!("{path}.{name}")
    };
    format!("{full}{}", arguments.trim_end())
}
