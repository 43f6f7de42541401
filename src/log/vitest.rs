//! The console of Vitest: `FAIL file > test` blocks, failed suites, unhandled errors, what tests printed, the totals.

use super::runner::{Block, Run, in_parentheses, is_outside, numbers};
use super::{Above, Grip, Line, Reader};
use crate::item::{Item, read_count};
use crate::report::{Counts, Level, Signal, Span};

pub(super) const NEEDLES: &[&str] = &["⎯⎯⎯", "stderr", "stdout", "Test Files ", " RUN  v", "   × ", "     → "];

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Vitest::default())
}

#[derive(Default)]
struct Vitest {
    state: State,
    section: Section,
    run: Run,
    /// The number in the heading `Failed Suites 2`.
    suites: u64,
    totals: Totals,
    /// The name above the line that woke the reader, where it is one of a test that failed.
    named: Option<String>,
    /// What the progress told of failures, for a run that is cut before it tells more.
    marked: Vec<Block>,
    /// The totals that were told since the last banner. A second reporter of the run tells them again.
    told: Option<[u64; 5]>,
}

#[derive(Default)]
enum State {
    #[default]
    Idle,
    /// Between the heading of a section and its first block.
    Section,
    /// Tests that share the error which follows.
    Heads(Vec<Block>),
    /// Within the text of an error of these tests.
    Text(Vec<Block>),
    /// Within what a test printed.
    Output,
    /// Within the totals.
    Totals,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Section {
    #[default]
    None,
    Tests,
    Suites,
    Unhandled,
    Startup,
}

#[derive(Default)]
struct Totals {
    files_failed: u64,
    counts: Counts,
    errors: u64,
    span: Option<Span>,
}

impl Reader for Vitest {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        if is_outside(line.text) {
            self.close(out);
            return Grip::Pass;
        }
        if matches!(self.state, State::Totals) {
            if self.total(line) {
                return Grip::Hold;
            }
            self.finish(out);
            return self.begin(line);
        }
        let text = line.text;
        if text.starts_with(" RUN  v") {
            self.close(out);
            (self.told, self.run.seen) = (None, std::collections::HashSet::new());
            return Grip::Take;
        }
        let bar = text.trim_start().starts_with("⎯⎯⎯");
        let totals = text.starts_with(" Test Files ") || text.starts_with("  Snapshots  ");
        if bar || totals {
            self.close(out);
            return self.begin(line);
        }
        match &mut self.state {
            State::Idle => self.begin(line),
            State::Output => {
                // Another reporter of the run.
                if text.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\" ?>") || text == "TAP version 13" {
                    self.state = State::Idle;
                    return Grip::Pass;
                }
                let marks = [" ✓ ", " ❯ ", " × ", " ↓ ", " FAIL ", " RUN ", "stderr | ", "stdout | ", " ✔ "];
                if marks.iter().any(|mark| text.starts_with(mark)) {
                    self.state = State::Idle;
                    return self.begin(line);
                }
                Grip::Hold
            }
            State::Section | State::Heads(_) | State::Text(_) => {
                // Vitest 1 prints its reports in the midst of its console.
                if text.starts_with("{\"numTotalTestSuites\":") {
                    return Grip::Hold;
                }
                if let Some(head) = text.strip_prefix(" FAIL ") {
                    let block = self.head(head, line);
                    if let State::Heads(blocks) = &mut self.state {
                        blocks.push(block);
                    } else {
                        self.close(out);
                        self.state = State::Heads(vec![block]);
                    }
                    return Grip::Hold;
                }
                match &mut self.state {
                    State::Heads(blocks) => {
                        let mut blocks = std::mem::take(blocks);
                        blocks.iter_mut().for_each(|block| block.push(line));
                        self.state = State::Text(blocks);
                    }
                    State::Text(blocks) => blocks.iter_mut().for_each(|block| block.push(line)),
                    _ if matches!(self.section, Section::Unhandled | Section::Startup) && !is_preface(text) => {
                        let mut block = Block::new(Level::Run, None, None, line);
                        let startup = self.section == Section::Startup;
                        block.signal = Some(if startup { Signal::Load } else { Signal::Unhandled });
                        block.push(line);
                        self.state = State::Text(vec![block]);
                    }
                    _ => {}
                }
                Grip::Hold
            }
            State::Totals => Grip::Pass,
        }
    }

    fn looks_back(&self) -> usize {
        usize::from(matches!(self.state, State::Idle))
    }

    fn above(&mut self, above: Above<'_>) {
        let nearest = above.clone().next();
        self.named = nearest.and_then(|line| line.text.strip_prefix("   ❯ ").map(|name| name.trim_end().to_owned()));
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        if matches!(self.state, State::Totals) {
            self.finish(out);
        }
        self.close(out);
        for block in std::mem::take(&mut self.marked) {
            out(Item::Failure(block.into_failure()));
        }
    }

    fn yields_to_report(&self) -> bool {
        !matches!(self.state, State::Output)
    }
}

/// The name of a test behind the sign of a failure, without its time.
fn crossed(text: &str) -> Option<&str> {
    let name = text.trim_start().strip_prefix("× ")?.trim_end();
    let timed = |last: &str| last.trim_end_matches("ms").trim_end_matches('s').parse::<f64>().is_ok();
    Some(name.rsplit_once(' ').filter(|(_, last)| timed(last)).map_or(name, |(name, _)| name))
}

impl Vitest {
    /// Looks at a line outside any block.
    fn begin(&mut self, line: Line<'_>) -> Grip {
        let text = line.text;
        let trimmed = text.trim();
        if trimmed.starts_with("⎯⎯⎯") {
            let title = trimmed.trim_matches(['⎯', ' ']);
            let number = || title.rsplit(' ').next().and_then(read_count).unwrap_or(1);
            let section = match title {
                _ if title.starts_with("Failed Tests") || title.starts_with("Failed Typecheck") => Section::Tests,
                _ if title.starts_with("Failed Suites") => Section::Suites,
                _ if title.starts_with("Unhandled Error") || title.starts_with("Unhandled Source Error") => {
                    Section::Unhandled
                }
                _ if title.starts_with("Unhandled Rejection") || title.starts_with("Uncaught Exception") => {
                    Section::Unhandled
                }
                _ if title.starts_with("Startup Error") => Section::Startup,
                // A bar that ends a block: `⎯⎯[1/2]⎯`.
                _ => self.section,
            };
            if section == Section::Suites && section != self.section {
                self.suites = number();
            }
            self.section = section;
            if section != Section::None {
                self.marked.clear();
            }
            if section == Section::None {
                return Grip::Pass;
            }
            self.state = State::Section;
            return Grip::Hold;
        }
        if let Some(name) = crossed(text).filter(|_| line.indent() == 3) {
            if self.marked.len() < 10_000 {
                let mut block = Block::new(Level::Case, Some(name.to_owned()), None, line);
                block.signal = Some(Signal::Assertion);
                block.push(line);
                self.marked.push(block);
            }
            return Grip::Take;
        }
        if let Some(said) = trimmed.strip_prefix("→ ")
            && let Some(block) = self.marked.last_mut().filter(|block| block.lines.len() == 1)
        {
            block.lines.clear();
            block.push(Line { text: said, span: line.span });
            return Grip::Take;
        }
        // Vitest 1 crosses nothing: the name stands above.
        if let Some(said) = trimmed.strip_prefix("→ ").filter(|_| line.indent() == 5 && self.marked.len() < 10_000) {
            let mut block = Block::new(Level::Case, self.named.take(), None, line);
            block.push(Line { text: said, span: line.span });
            self.marked.push(block);
            return Grip::Take;
        }
        if text.starts_with("stderr | ") || text.starts_with("stdout | ") {
            self.state = State::Output;
            return Grip::Hold;
        }
        if ["Test Files ", "Snapshots  "].iter().any(|start| trimmed.starts_with(start)) {
            self.state = State::Totals;
            self.total(line);
            return Grip::Hold;
        }
        Grip::Pass
    }

    /// A block from its heading: ` FAIL  |project| file > suite > test`.
    fn head(&self, head: &str, line: Line<'_>) -> Block {
        let head = head.trim();
        let (file, test) = match head.split_once(" > ") {
            Some((file, test)) => (file, Some(test.to_owned())),
            None => (head.split(" [ ").next().unwrap_or(head), None),
        };
        // A project or a browser stands before the file.
        let file = file.trim_end().rsplit(' ').next().unwrap_or(file);
        let suite = self.section == Section::Suites;
        let level = if suite { Level::Suite } else { Level::Case };
        let mut block = Block::new(level, test, Some(file.to_owned()), line);
        // A suite with a name is a group of tests whose hook failed.
        block.signal = suite.then_some(if block.test.is_some() { Signal::Hook } else { Signal::Load });
        block
    }

    /// Takes a line of the totals; false where they are over.
    fn total(&mut self, line: Line<'_>) -> bool {
        let text = line.text.trim();
        if text.is_empty() {
            return true;
        }
        let totals = &mut self.totals;
        let number = |rest: &str, word: &str| {
            let rest = rest.split('(').next().unwrap_or(rest);
            numbers(rest).find(|(_, of)| of.starts_with(word)).map_or(0, |(number, _)| number)
        };
        let known = if let Some(rest) = text.strip_prefix("Test Files ") {
            totals.files_failed = number(rest, "failed");
            true
        } else if let Some(rest) = text.strip_prefix("Tests ") {
            let failed = number(rest, "failed");
            let skipped = number(rest, "skipped") + number(rest, "todo");
            let total = in_parentheses(rest).unwrap_or(0);
            let passed = Some(total.saturating_sub(failed + skipped));
            totals.counts = Counts { total, passed, failed, skipped, ..Counts::default() };
            true
        } else if let Some(rest) = text.strip_prefix("Errors ") {
            totals.errors = number(rest, "error");
            true
        } else {
            ["Type Errors ", "Snapshots ", "Start at ", "↳ ", "Leaks ", "Transform"]
                .iter()
                .any(|start| text.starts_with(start))
        };
        if known {
            totals.span = Some(totals.span.map_or(line.span, |span| span.join(line.span)));
        }
        known
    }

    /// Ends the block at hand.
    fn close(&mut self, out: &mut dyn FnMut(Item)) {
        let (State::Text(blocks) | State::Heads(blocks)) = std::mem::take(&mut self.state) else { return };
        for mut block in blocks {
            let name = block.test.clone().unwrap_or_default();
            let file = block.file.clone().unwrap_or_default();
            // Each attempt of a test that was tried again has a block of its own.
            let first = block.lines.first().map_or(String::new(), |line| line.text.clone());
            let key = if block.level == Level::Run { first.as_str() } else { "" };
            if !self.run.is_new(&[&file, &name, key]) {
                continue;
            }
            if block.level == Level::Run {
                let origin = block.lines.iter().find_map(|line| line.text.strip_prefix("This error originated in \""));
                block.file = origin.and_then(|rest| rest.split('"').next()).map(str::to_owned);
                // What Vitest adds after the error explains where it may come from, and says nothing of it.
                if let Some(end) =
                    block.lines.iter().position(|line| line.text.starts_with("This error originated in "))
                {
                    block.lines.truncate(end);
                }
                self.run.failed = true;
            }
            out(Item::Failure(block.into_failure()));
        }
    }

    fn finish(&mut self, out: &mut dyn FnMut(Item)) {
        self.state = State::Idle;
        self.section = Section::None;
        self.marked.clear();
        let Totals { files_failed, counts, errors, span } = std::mem::take(&mut self.totals);
        let Some(span) = span else { return };
        let suites = std::mem::take(&mut self.suites);
        self.run.failed |= files_failed > 0 || errors > 0;
        self.run.errored = suites + errors;
        // What was told stays known up to the next banner.
        let seen = std::mem::take(&mut self.run.seen);
        let Counts { total, failed, skipped, .. } = counts;
        let told = [files_failed, total, failed, skipped, errors];
        if total + files_failed > 0 && self.told == Some(told) {
            self.run = Run::default();
        } else {
            self.run.finish("vitest", counts, span, out);
            self.told = Some(told);
        }
        self.run.seen = seen;
    }
}

/// Whether a line stands between the heading of the unhandled errors and the first of them.
fn is_preface(text: &str) -> bool {
    text.trim().is_empty() || text.starts_with("Vitest caught") || text.starts_with("This might cause")
}
