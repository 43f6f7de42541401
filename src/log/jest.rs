//! The console of Jest: `FAIL file`, `● suite › test` blocks, console noise, the snapshot summary and the totals.

use std::sync::LazyLock;

use crate::pattern::Regex;

use super::cases::of_run;
use super::runner::{Block, Run, numbers};
use super::{Grip, Line, Reader};
use crate::item::Item;
use crate::pattern;
use crate::report::{Counts, Failure, Level, Signal, Span};

pub(super) const NEEDLES: &[&str] = &[
    "FAIL ",
    " ● ",
    "m● ",
    "Test Suites: ",
    "LOGGING RETRY ERRORS",
    "console.error",
    "console.warn",
    "console.log",
    "console.info",
    "console.debug",
    "snapshot obsolete",
    "snapshots obsolete",
    "snapshot file obsolete",
    "snapshot files obsolete",
    "coverage threshold for",
    "heap out of memory",
    "No tests found, exiting",
];

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Jest::default())
}

#[derive(Default)]
struct Jest {
    state: State,
    run: Run,
    /// The file of tests whose blocks follow.
    file: Option<String>,
    /// The file of which a test failed last.
    case_of: Option<String>,
    /// A process died for want of memory, which is a finding of its own; the suite whose worker it was comes later.
    memory: bool,
    /// Obsolete snapshots were told.
    obsolete: bool,
    totals: Totals,
}

#[derive(Default)]
enum State {
    #[default]
    Idle,
    /// Within a block of a failing test or suite.
    Block(Block),
    /// Within what a test printed, or within the errors of an attempt that was made again.
    Noise,
    /// The names of obsolete snapshots follow.
    Obsolete(Block),
    /// Within the totals.
    Totals,
}

#[derive(Default)]
struct Totals {
    suites_failed: u64,
    counts: Option<Counts>,
    span: Option<Span>,
}

static HEADER: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^\s?(?P<status>FAIL|PASS)\s+(?:\S.*\s)?(?P<file>\S+\.(?:[cm]?[jt]sx?|vue|svelte|coffee|feature|json|md))(?: \([\d.,]+ ?m?s(?:, [\d.]+ MB heap size)?\))?$",
    )
});

impl Reader for Jest {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let blank = line.text.trim().is_empty();
        let inner = blank || line.indent() >= 4;
        match &mut self.state {
            State::Block(block) if inner => {
                block.push(line);
                return Grip::Hold;
            }
            State::Noise if inner || line.trimmed().starts_with("RETRY ") => return Grip::Hold,
            State::Obsolete(block) if inner || line.indent() >= 3 => {
                block.push(line);
                return Grip::Hold;
            }
            State::Totals => {
                if self.total(line) {
                    return Grip::Hold;
                }
                self.finish(out);
            }
            State::Idle | State::Block(_) | State::Noise | State::Obsolete(_) => self.close(out),
        }
        self.begin(line, out)
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        match self.state {
            State::Totals => self.finish(out),
            State::Idle | State::Block(_) | State::Noise | State::Obsolete(_) => self.close(out),
        }
    }
}

impl Jest {
    /// Looks at a line outside any block.
    fn begin(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        if text.contains("AIL ") || text.contains("ASS ") {
            let Some(found) = HEADER.captures(text) else { return Grip::Pass };
            self.file = Some(found["file"].to_owned());
            return Grip::Take;
        }
        let trimmed = text.trim_start();
        if let Some(name) = trimmed.strip_prefix("● ").filter(|_| (1..=3).contains(&line.indent())) {
            if matches!(
                name,
                "Console" | "Cannot log after tests are done. Did you forget to wait for something async in your test?"
            ) {
                self.state = State::Noise;
                return Grip::Hold;
            }
            let suite = name == "Test suite failed to run";
            let (level, test) = if suite { (Level::Suite, None) } else { (Level::Case, Some(name.to_owned())) };
            let mut block = Block::new(level, test, self.file.clone(), line);
            // Where tests of the file ran, a hook behind them failed.
            let ran = self.file.is_some() && self.case_of == self.file;
            block.signal = suite.then_some(if ran { Signal::Hook } else { Signal::Load });
            if !suite {
                self.case_of.clone_from(&self.file);
            }
            self.state = State::Block(block);
            return Grip::Hold;
        }
        if let Some(rest) = trimmed.strip_prefix("console.") {
            let word = rest.split(' ').next().unwrap_or("");
            // Jest 25 and before name the place on the same line.
            let old = rest.len() > word.len() && rest.trim_end().ends_with(|last: char| last.is_ascii_digit());
            if line.indent() == 2 && (rest == word || old) && word.bytes().all(|byte| byte.is_ascii_lowercase()) {
                self.state = State::Noise;
                return Grip::Hold;
            }
            return Grip::Pass;
        }
        if trimmed.starts_with("LOGGING RETRY ERRORS") {
            self.state = State::Noise;
            return Grip::Hold;
        }
        if let Some(rest) = trimmed.strip_prefix("› ").filter(|rest| rest.contains(" obsolete")) {
            let told = std::mem::replace(&mut self.obsolete, true);
            let summary = rest.contains(" from ");
            if told && summary || !rest.starts_with(|first: char| first.is_ascii_digit()) {
                return Grip::Take;
            }
            let mut block = Block::new(Level::Run, None, self.file.clone(), line);
            block.push(line);
            self.state = State::Obsolete(block);
            return Grip::Hold;
        }
        if trimmed.starts_with("Jest: ") && trimmed.contains("coverage threshold for") {
            self.run.failed = true;
            let subject = trimmed.split("threshold for ").nth(1).and_then(|rest| rest.split(' ').next());
            out(Item::Failure(Failure { subject: subject.map(str::to_owned), ..of_run(Signal::Coverage, line) }));
            return Grip::Take;
        }
        if trimmed.starts_with("FATAL ERROR: ") {
            self.memory = true;
            return Grip::Pass;
        }
        if trimmed.starts_with("No tests found, exiting with code 1") {
            out(Item::Failure(of_run(Signal::NoTests, line)));
            self.run.failed = true;
            self.run.finish("jest", Counts { passed: Some(0), ..Counts::default() }, line.span, out);
            return Grip::Take;
        }
        if text.starts_with("Test Suites: ") {
            self.state = State::Totals;
            self.total(line);
            return Grip::Hold;
        }
        Grip::Pass
    }

    /// Takes a line of the totals; false where they are over.
    fn total(&mut self, line: Line<'_>) -> bool {
        let Some((head, rest)) = line.text.split_once(':') else { return line.text.is_empty() };
        let totals = &mut self.totals;
        totals.span = Some(totals.span.map_or(line.span, |span| span.join(line.span)));
        let number = |word: &str| numbers(rest).find(|(_, of)| *of == word).map_or(0, |(number, _)| number);
        match head {
            "Test Suites" => totals.suites_failed = number("failed"),
            "Tests" => {
                totals.counts = Some(Counts {
                    total: number("total"),
                    passed: Some(number("passed")),
                    failed: number("failed"),
                    skipped: number("skipped") + number("todo") + number("pending"),
                    ..Counts::default()
                });
            }
            "Snapshots" => {
                let obsolete = number("obsolete") + number("file obsolete") + number("files obsolete");
                self.run.failed |= obsolete > 0 && self.obsolete || number("failed") > 0;
            }
            // Jest with more than one project, or with `--shard`, tells more; the times come last.
            "Time" => {}
            _ => return false,
        }
        true
    }

    /// Ends the block at hand.
    fn close(&mut self, out: &mut dyn FnMut(Item)) {
        match std::mem::take(&mut self.state) {
            State::Idle | State::Noise | State::Totals => {}
            State::Block(block) => self.tell(block, out),
            State::Obsolete(block) => {
                let name = block.lines.iter().find_map(|line| line.text.trim().strip_prefix("• "));
                let Block { file, lines, span, .. } = &block;
                out(Item::Failure(Failure {
                    level: Level::Run,
                    signal: Some(Signal::Snapshot),
                    subject: name.map(str::to_owned).or_else(|| file.clone()),
                    text: lines.iter().take(1).cloned().collect(),
                    span: *span,
                    ..Failure::default()
                }));
            }
        }
    }

    fn tell(&mut self, block: Block, out: &mut dyn FnMut(Item)) {
        let name = block.test.clone().unwrap_or_default();
        let file = block.file.clone().unwrap_or_default();
        // With many files of tests the failures are told again at the end.
        if !self.run.is_new(&[&file, &name]) {
            return;
        }
        let suite = block.level == Level::Suite;
        self.run.errored += u64::from(suite);
        let mut failure = block.into_failure();
        let died = suite
            && failure
                .text
                .iter()
                .any(|line| line.text.contains("jest worker process") || line.text.contains("worker encountered"));
        // What is no expectation was thrown; the reporter leaves out the bare type `Error`.
        failure.signal.get_or_insert(Signal::Unhandled);
        failure.follow_on = died && self.memory;
        out(Item::Failure(failure));
    }

    fn finish(&mut self, out: &mut dyn FnMut(Item)) {
        self.state = State::Idle;
        (self.file, self.case_of) = (None, None);
        self.obsolete = false;
        self.memory = false;
        let Totals { suites_failed, counts, span } = std::mem::take(&mut self.totals);
        let (Some(counts), Some(span)) = (counts, span) else { return };
        self.run.failed |= suites_failed > 0;
        self.run.finish("jest", counts, span, out);
    }
}
