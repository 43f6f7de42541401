//! The console of pytest.
//!
//! Blocks of failures come first, the names of the tests in full only in the short summary, and the totals last: what
//! a block tells is filed when the totals come. What a test printed stands in captured sections, which are not
//! searched.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use crate::pattern::{Captures, Regex};

use super::super::cases::of_run;
use super::super::traceback::exception_type;
use super::super::{Grip, Line, Reader};
use super::summary::{Named, is_named, summed};
use super::{MAX_LINES, MAX_TEXT, is_own, native, progress, tell_exception};
use crate::item::{Item, Step, TestRun, read_count};
use crate::pattern;
use crate::report::{Counts, Failure, FileRef, Level, Note, Outcome, Signal, Span, TextLine};

pub(in crate::log) const NEEDLES: &[&str] = &[
    "= test session starts =",
    "= FAILURES =",
    "= ERRORS =",
    "= short test summary info =",
    " passed in ",
    " failed in ",
    " error in ",
    " errors in ",
    " skipped in ",
    " deselected in ",
    " xfailed in ",
    " warning in ",
    " warnings in ",
    "no tests ran in ",
    "INTERNALERROR>",
    "ImportError while loading conftest",
    "FAIL Required test coverage of",
    "FAILED test",
    "ERROR test",
    "ERROR: Coverage failure",
];

/// How many blocks of one run are kept.
const MAX_BLOCKS: usize = 20_000;

/// How many lines may pass outside any section before the run is given up.
const PATIENCE: u32 = 200_000;

pub(in crate::log) fn open() -> Box<dyn Reader> {
    Box::new(Pytest::default())
}

#[derive(Default)]
struct Pytest {
    active: bool,
    section: Section,
    blocks: Vec<Block>,
    /// `FAILED` and `ERROR` lines of the short summary: whether an error, the name, the message.
    named: Vec<Named>,
    /// What the progress told of failures, for a run that is cut before it tells more.
    marked: Vec<Failure>,
    /// Findings about the run as a whole.
    about_run: Vec<Failure>,
    /// The interpreter died, as it tells in the midst of the progress.
    died: Option<Failure>,
    /// `collected 0 items`.
    collected_none: Option<TextLine>,
    internal: Vec<TextLine>,
    /// A block of the section at hand has begun.
    in_a_block: bool,
    /// What to tell of a run without tests, unless the next line says why there were none.
    waiting: Vec<Item>,
    /// The tests that failed as the short summary told.
    told: HashSet<String>,
    span: Span,
    idle: u32,
}

#[derive(Clone, Copy, Default, PartialEq, Debug)]
enum Section {
    /// The progress of the run, warnings, captured logs: nothing to find.
    #[default]
    Other,
    Failures,
    Errors,
    Summary,
    /// The lines behind `ImportError while loading conftest`.
    Conftest,
}

#[derive(Default)]
struct Block {
    error: bool,
    title: String,
    head: TextLine,
    lines: Vec<TextLine>,
    /// A captured section is being passed over.
    captured: bool,
}

static TOTALS: LazyLock<Regex> = LazyLock::new(|| {
    let word = r"(?:\d+ (?:passed|failed|errors?|skipped|deselected|xfailed|xpassed|warnings?|rerun|subtests passed|subtests failed)|no tests (?:ran|collected))";
    let pattern =
        format!(r"^(?:=+ )?({word}(?:, {word})*)(?: \([^)]*\))? in [\d.:]+ ?(?:s|seconds)?(?: \([\d:]+\))?(?: =+)?$");
    pattern::regex(&pattern)
});

static SOURCE: LazyLock<Regex> = LazyLock::new(|| pattern::regex(r#"^File "([^"]+)", line (\d+)$"#));

/// The totals, if the line is theirs.
fn totals(text: &str) -> Option<Captures<'_>> {
    let text = text.trim();
    // Nearly all lines of a run are other lines.
    let may_be = text.starts_with(|first: char| first == '=' || first.is_ascii_digit() || first == 'n');
    if may_be && !text.ends_with(']') { TOTALS.captures(text) } else { None }
}

static PLACE: LazyLock<Regex> = LazyLock::new(|| pattern::regex(r"^((?:[A-Za-z]:)?[^\s:]+):(\d+): ?(.*)$"));

impl Reader for Pytest {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        if !self.waiting.is_empty() {
            if text.trim().is_empty() {
                return Grip::Watch;
            }
            let waiting = std::mem::take(&mut self.waiting);
            let explained = text.starts_with("ERROR: ");
            waiting.into_iter().filter(|item| !explained || matches!(item, Item::Tests(_))).for_each(&mut *out);
        }
        if self.active {
            self.span = self.span.join(line.span);
        }
        if text.starts_with('=') && text.contains("= test session starts =") {
            self.finish(None, out);
            self.begin(line);
            out(Item::Step(Step { name: "pytest".to_owned(), span: line.span, command: true, ..Step::default() }));
            return Grip::Hold;
        }
        if let Some(found) = totals(text) {
            let totals = found[1].to_owned();
            // `2 passed in 3 s` alone is said by other tools too.
            if !self.active && !text.contains('=') && !text.trim().ends_with('s') {
                return Grip::Pass;
            }
            self.begin(line);
            self.finish(Some((&totals, line)), out);
            return if self.waiting.is_empty() { Grip::Take } else { Grip::Hold };
        }
        if let Some(failure) = coverage(line) {
            if self.active {
                self.about_run.push(failure);
                return Grip::Hold;
            }
            out(Item::Failure(failure));
            return Grip::Take;
        }
        if text.starts_with("ImportError while loading conftest") {
            self.begin(line);
            self.section = Section::Conftest;
            self.blocks.push(Block {
                error: true,
                title: "conftest".to_owned(),
                head: line.to_text(),
                ..Block::default()
            });
            return Grip::Hold;
        }
        if let Some(rest) = text.strip_prefix("INTERNALERROR>") {
            self.begin(line);
            if self.internal.len() < MAX_LINES {
                let text = rest.strip_prefix(' ').unwrap_or(rest).to_owned();
                self.internal.push(TextLine { text, span: line.span });
            }
            return Grip::Hold;
        }
        let heading = ruled(text, '=');
        // Without its heading: somebody has copied the summary.
        if !self.active
            && is_named(text)
            && let Some(named) = summed(line)
        {
            if self.told.len() < MAX_BLOCKS && self.told.insert(named.name.clone()) {
                out(Item::Failure(named.failure()));
            }
            return Grip::Take;
        }
        if !self.active
            && !heading.is_some_and(|title| matches!(title, "FAILURES" | "ERRORS" | "short test summary info"))
        {
            return Grip::Pass;
        }
        if let Some(title) = heading {
            self.begin(line);
            self.in_a_block = false;
            self.section = match title {
                "FAILURES" => Section::Failures,
                "ERRORS" => Section::Errors,
                "short test summary info" => Section::Summary,
                _ => Section::Other,
            };
            return Grip::Hold;
        }
        if is_of_the_job(text) {
            return Grip::Watch;
        }
        self.idle += 1;
        if self.idle > PATIENCE {
            self.finish(None, out);
            return Grip::Pass;
        }
        match self.section {
            Section::Failures | Section::Errors => self.in_block(line),
            Section::Summary => self.in_summary(line),
            Section::Conftest => {
                let goes_on = text.starts_with("E ") || text.starts_with(' ') || PLACE.is_match(text);
                if !goes_on {
                    self.finish(None, out);
                    return Grip::Pass;
                }
                self.in_block(line)
            }
            Section::Other => {
                if let Some(rest) = text.trim_start().strip_prefix("collected 0 items") {
                    if !rest.contains("error") {
                        self.collected_none = Some(line.to_text());
                    }
                } else if let Some(said) = ruled(text, '!') {
                    self.interrupted(said, line);
                } else if let Some(at) = text.find("Fatal Python error: ") {
                    let said = TextLine { text: text[at..].to_owned(), span: line.span };
                    let (level, signal, span) = (Level::Run, Some(Signal::Crash), line.span);
                    let died = Failure { level, signal, text: vec![said], span, ..Failure::default() };
                    self.died.get_or_insert(died);
                } else if self.marked.len() < MAX_BLOCKS {
                    self.marked.extend(progress::marked(line));
                }
                Grip::Hold
            }
        }
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        std::mem::take(&mut self.waiting).into_iter().for_each(&mut *out);
        self.finish(None, out);
    }

    fn yields_to_report(&self) -> bool {
        !self.active
    }
}

/// The test in which a worker of pytest-xdist died: `worker 'gw0' crashed while running 'test_a.py::TestB::test_c'`.
fn crashed_in(text: &str) -> Option<String> {
    let (_, rest) = text.strip_prefix("worker '")?.split_once("' crashed while running '")?;
    let (_, test) = rest.strip_suffix('\'')?.split_once("::")?;
    Some(test.replace("::", "."))
}

impl Pytest {
    fn begin(&mut self, line: Line<'_>) {
        if !self.active {
            let told = std::mem::take(&mut self.told);
            *self = Pytest { active: true, span: line.span, told, ..Pytest::default() };
        }
        self.idle = 0;
    }

    fn in_block(&mut self, line: Line<'_>) -> Grip {
        let text = line.text;
        if let Some(title) = ruled(text, '_').filter(|title| !title.starts_with("_ _")) {
            if self.blocks.len() < MAX_BLOCKS {
                let error = self.section == Section::Errors;
                self.blocks.push(Block { error, title: title.to_owned(), head: line.to_text(), ..Block::default() });
            }
            self.in_a_block = true;
            return Grip::Hold;
        }
        if let Some(said) = ruled(text, '!') {
            self.interrupted(said, line);
            return Grip::Hold;
        }
        if let Some(title) = ruled(text, '-') {
            if title.starts_with("Captured ") {
                if let Some(block) = self.blocks.last_mut() {
                    block.captured = true;
                }
            } else {
                self.section = Section::Other;
            }
            return Grip::Hold;
        }
        let open = self.in_a_block || self.section == Section::Conftest;
        match self.blocks.last_mut().filter(|_| open) {
            Some(block) if !block.captured && block.lines.len() < MAX_LINES => {
                // The block of a worker that died has the name of the file.
                if let Some(test) = crashed_in(text) {
                    block.title = test;
                }
                block.lines.push(line.to_text());
            }
            Some(_) => {}
            // With --tb=line each failure is one line, without a block.
            None if !text.trim().is_empty() => {
                if let Some(found) = PLACE.captures(text) {
                    let block = Block { title: String::new(), head: line.to_text(), ..Block::default() };
                    self.blocks.push(block);
                    let span = line.span;
                    let (place, said) = (format!("{}:{}: ", &found[1], &found[2]), found[3].to_owned());
                    let lines = &mut self.blocks.last_mut().expect("just pushed").lines;
                    lines.push(TextLine { text: format!("E   {said}"), span });
                    lines.push(TextLine { text: place, span });
                }
            }
            None => {}
        }
        Grip::Hold
    }

    fn in_summary(&mut self, line: Line<'_>) -> Grip {
        if let Some(said) = ruled(line.text.trim_start(), '!') {
            self.interrupted(said, line);
        } else if self.named.len() < MAX_BLOCKS {
            self.named.extend(summed(line));
        }
        Grip::Hold
    }

    /// `!!!! Interrupted: 2 errors during collection !!!!`, `!!!! KeyboardInterrupt !!!!`.
    fn interrupted(&mut self, said: &str, line: Line<'_>) {
        let stopped =
            said.contains("during collection") || said.starts_with("stopping after") || said.starts_with("xdist");
        if stopped {
            return;
        }
        let signal = if said.contains("KeyboardInterrupt") { Signal::Interrupted } else { Signal::Load };
        self.about_run.push(of_run(signal, Line { text: said, span: line.span }));
    }

    /// Files everything; the totals are known if the run came to its end.
    fn finish(&mut self, totals: Option<(&str, Line<'_>)>, out: &mut dyn FnMut(Item)) {
        if !self.active {
            return;
        }
        let Pytest { blocks, mut named, marked, mut about_run, died, collected_none, internal, span, section, .. } =
            std::mem::take(self);
        if totals.is_none() && blocks.is_empty() && named.is_empty() {
            about_run.extend(marked);
        }
        let mut index: HashMap<String, Vec<usize>> = HashMap::new();
        for (at, test) in named.iter().enumerate() {
            index.entry(test.key()).or_default().push(at);
        }
        self.told.extend(named.iter().take(MAX_BLOCKS).map(|test| test.name.clone()));
        let (mut failed, mut errored) = (0, 0);
        for block in blocks {
            if block.title.is_empty() {
                let said = block.lines.first().map_or("", |line| line.text.trim_start_matches(['E', ' '])).to_owned();
                let at = named.iter().position(|test| {
                    let cut = test.message.as_deref().unwrap_or("").trim_end_matches('.');
                    !test.used && !test.error && (said.starts_with(cut) || cut.starts_with(&said))
                });
                let name = at.map(|at| {
                    named[at].used = true;
                    named[at].name.clone()
                });
                failed += 1;
                out(Item::Failure(block.failure(name)));
                continue;
            }
            let full = index.get_mut(&block.key()).filter(|places| !places.is_empty()).map(|places| places.remove(0));
            let name = full.map(|at| {
                named[at].used = true;
                named[at].name.clone()
            });
            errored += u64::from(block.error);
            failed += u64::from(!block.error);
            out(Item::Failure(block.failure(name)));
        }
        for test in named.into_iter().filter(|test| !test.used) {
            errored += u64::from(test.error);
            failed += u64::from(!test.error);
            out(Item::Failure(test.failure()));
        }
        if !internal.is_empty() {
            let (text, file) = native(&internal);
            let mut failure = Failure {
                level: Level::Run,
                signal: Some(Signal::Load),
                span: internal[0].span,
                text,
                file,
                ..Failure::default()
            };
            failure.text.extend(internal.into_iter().rev().take(1));
            about_run.push(failure);
        }
        let Some((totals, line)) = totals else {
            about_run.extend(died);
            let cases = about_run.iter().filter(|failure| failure.level == Level::Case);
            failed += cases.map(|failure| failure.count.max(1)).sum::<u64>();
            let failing = failed + errored > 0 || !about_run.is_empty();
            about_run.into_iter().for_each(|failure| out(Item::Failure(failure)));
            if section == Section::Conftest {
                return;
            }
            out(Item::Note(Note::warning(Some(span.last_line), "the output of pytest ends before its totals")));
            let outcome = if failing { Outcome::Failed } else { Outcome::Unknown };
            if failing {
                let counts = Counts { total: failed + errored, failed, errored, ..Counts::default() };
                out(Item::Tests(TestRun { tool: "pytest", counts, span, outcome }));
            }
            return;
        };
        let counts = counts(totals);
        if counts.total == 0 && !counts.any_failed() && about_run.is_empty() {
            let text = vec![collected_none.unwrap_or_else(|| line.to_text())];
            let signal = Some(Signal::NoTests);
            let span = text[0].span;
            about_run.push(Failure { level: Level::Run, signal, text, span, ..Failure::default() });
        }
        let failing = counts.any_failed() || !about_run.is_empty();
        let none = about_run.iter().any(|failure| failure.signal == Some(Signal::NoTests));
        let outcome = if failing { Outcome::Failed } else { Outcome::Passed };
        let run = TestRun { tool: "pytest", counts, span: span.join(line.span), outcome };
        let items = about_run.into_iter().map(Item::Failure).chain([Item::Tests(run)]);
        if none {
            self.waiting = items.collect();
        } else {
            items.for_each(out);
        }
    }
}

impl Block {
    /// `TestX.test_y[1]`, which the short summary writes `path::TestX::test_y[1]`.
    fn key(&self) -> String {
        let title = self.title.as_str();
        let title = title.strip_prefix("ERROR collecting ").unwrap_or(title);
        let title = ["ERROR at setup of ", "ERROR at teardown of "]
            .iter()
            .find_map(|head| title.strip_prefix(head))
            .unwrap_or(title);
        title.to_owned()
    }

    fn failure(self, name: Option<String>) -> Failure {
        let collecting = self.title.starts_with("ERROR collecting ");
        let conftest = self.title == "conftest";
        let key = self.key();
        let Block { head, lines, .. } = self;
        // The explanation lines begin with `E`; those behind the last place come from the last exception of a chain.
        let mut groups: Vec<Vec<TextLine>> = Vec::new();
        let mut file: Option<FileRef> = None;
        let mut type_name = None;
        let mut open = false;
        for line in &lines {
            if let Some(rest) = line.text.strip_prefix('E').filter(|rest| rest.is_empty() || rest.starts_with("  ")) {
                let text =
                    TextLine { text: rest.strip_prefix("   ").unwrap_or(rest).trim_end().to_owned(), span: line.span };
                match groups.last_mut() {
                    Some(group) if open => group.push(text),
                    _ => groups.push(vec![text]),
                }
                open = true;
                continue;
            }
            open &= line.text.trim().is_empty();
            if let Some(found) = PLACE.captures(&line.text) {
                let place = FileRef::new(&found[1], found[2].parse().ok(), None);
                if is_own(&place.path) || file.is_none() {
                    file = Some(place);
                }
                let said = found[3].trim();
                if !said.is_empty() && !said.starts_with("in ") && !said.contains(' ') {
                    type_name = Some(said.to_owned());
                }
            }
        }
        // A syntax error names its file itself; the frames are those of the import.
        let quoted = groups.last().and_then(|group| group.iter().find_map(|line| SOURCE.captures(line.text.trim())));
        if let Some(found) = quoted {
            file = Some(FileRef::new(&found[1], found[2].parse().ok(), None));
        }
        for group in &mut groups {
            // The excerpt of a syntax error stands above the exception.
            let at = group.iter().position(|line| exception_type(line.text.trim()).is_some()).unwrap_or(0);
            group.rotate_left(at);
            for line in group.iter_mut() {
                line.text = line.text.trim_start().to_owned();
            }
        }
        let mut text: Vec<TextLine> = groups.into_iter().rev().flatten().filter(|line| !line.text.is_empty()).collect();
        text.truncate(MAX_TEXT);
        if text.is_empty() {
            let (own, place) = native(&lines);
            text = own;
            file = place.or(file);
        }
        if text.is_empty() {
            let said = lines.iter().filter(|line| !line.text.trim().is_empty() && !line.text.starts_with("[gw"));
            text = said.take(20).cloned().collect();
        }
        if text.is_empty() {
            text.push(head.clone());
        }
        let test = name.unwrap_or_else(|| match &file {
            Some(file) if !collecting && !conftest && !key.contains("::") => {
                format!("{}::{}", file.path, key.replace('.', "::"))
            }
            _ => key,
        });
        let mut failure = Failure {
            level: if collecting || conftest { Level::Suite } else { Level::Case },
            test: Some(test).filter(|test| !test.is_empty()),
            file,
            type_name,
            signal: (collecting || conftest).then_some(Signal::Load),
            span: lines.last().map_or(head.span, |last| head.span.join(last.span)),
            text,
            ..Failure::default()
        };
        let first = failure.text[0].text.clone();
        let crashed = failure
            .text
            .iter()
            .any(|line| line.text.starts_with("worker '") && line.text.contains("crashed while running"));
        let fixture = first.starts_with("fixture '") && first.ends_with("not found");
        let snapshot = failure.text.iter().any(|line| line.text.contains("[- snapshot]"));
        let told = failure.type_name.clone();
        tell_exception(&mut failure);
        if crashed {
            failure.signal = Some(Signal::Crash);
        } else if fixture {
            failure.signal = Some(Signal::Load);
        } else if snapshot {
            failure.signal = Some(Signal::Snapshot);
        } else if first.starts_with("[XPASS(strict)]")
            || told.as_deref() == Some("AssertionError") && failure.signal.is_none()
        {
            failure.signal = Some(Signal::Assertion);
        }
        failure
    }
}

/// `==== title ====`.
fn ruled(text: &str, rule: char) -> Option<&str> {
    let inner = text.trim_start_matches(rule);
    if text.len() - inner.len() < 2 {
        return None;
    }
    let title = inner.trim_end_matches(rule);
    // A long title leaves room for one sign only.
    (title.len() < inner.len() && title.starts_with(' ') && title.ends_with(' ') && title.len() > 2)
        .then(|| title.trim())
}

/// The floor of pytest-cov.
fn coverage(line: Line<'_>) -> Option<Failure> {
    let text = line.trimmed();
    let told = text.starts_with("FAIL Required test coverage of") || text.starts_with("ERROR: Coverage failure");
    told.then(|| of_run(Signal::Coverage, line))
}

/// `1 failed, 3 passed, 2 warnings`.
fn counts(totals: &str) -> Counts {
    let mut counts = Counts { passed: Some(0), ..Counts::default() };
    let mut passed = 0;
    for part in totals.split(", ") {
        let Some((number, what)) = part.split_once(' ') else { continue };
        let Some(number) = read_count(number) else { continue };
        match what {
            "passed" | "xpassed" => passed += number,
            "failed" => counts.failed += number,
            "error" | "errors" => counts.errored += number,
            "skipped" | "xfailed" => counts.skipped += number,
            _ => {}
        }
    }
    counts.passed = Some(passed);
    counts.total = passed + counts.failed + counts.errored + counts.skipped;
    counts
}

fn is_of_the_job(text: &str) -> bool {
    ["##[", "Process completed with exit code", "section_", "ERROR: Job failed", "make: ***"]
        .iter()
        .any(|known| text.starts_with(known))
}
