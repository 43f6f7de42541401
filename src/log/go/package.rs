//! What one package of `go test` did: shared by the console and by the events of `-json`.

use std::collections::{HashMap, HashSet};

use crate::item::{Item, TestRun, weight_of_lines};
use crate::log::Line;
use crate::report::{Counts, Failure, FileRef, Level, Note, Outcome, PassedCase, Report, Signal, Span, TextLine};

/// How many lines are kept of what one case printed.
const MAX_CASE_LINES: usize = 300;

/// How many cases may be open, or have failed, before only numbers are kept.
const MAX_CASES: usize = 20_000;

/// How many bytes of names and lines are kept of the cases of one package, or of all that run at once, before only
/// numbers are.
pub(crate) const MAX_KEPT: usize = 12 * 1024 * 1024;

/// How many of the cases around a case are looked for.
const MAX_PARENTS: usize = 64;

/// How a case ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Pass,
    Fail,
    Skip,
}

/// A package from its first line to its result.
#[derive(Debug, Default)]
pub(crate) struct Package {
    passed: u64,
    skipped: u64,
    /// Cases that failed beyond those kept.
    overflow: u64,
    /// Cases that run, and what they printed.
    running: HashMap<String, Case>,
    failed: Vec<Case>,
    /// Index into `failed` by name.
    failed_by_name: HashMap<String, usize>,
    /// How many cases have begun.
    started: u64,
    /// The names of benchmarks that told a figure.
    benchmarks: HashSet<String>,
    /// What was printed outside any case.
    printed: Vec<TextLine>,
    span: Option<Span>,
    /// About how many bytes its cases take.
    pub kept: usize,
    /// Others take so much that nothing more is kept.
    pub crowded: bool,
    /// Something was not kept.
    beyond: bool,
    /// It tells the start of each case, so that passed ones can be counted.
    pub verbose: bool,
    /// The names of the cases that passed, where those are asked for.
    pub passing: Option<Vec<String>>,
}

#[derive(Debug, Default)]
struct Case {
    name: String,
    text: Vec<TextLine>,
    span: Span,
    /// Its place in the order of starts.
    order: u64,
}

impl Package {
    pub(crate) fn is_empty(&self) -> bool {
        self.span.is_none()
    }

    pub(crate) fn is_running(&self, name: &str) -> bool {
        self.running.contains_key(name)
    }

    /// Whether a case has begun and not ended.
    pub(crate) fn is_any_running(&self) -> bool {
        !self.running.is_empty()
    }

    /// Whether any case began or ended.
    pub(crate) fn has_cases(&self) -> bool {
        self.any_failed() || self.passed + self.skipped > 0 || !self.running.is_empty()
    }

    pub(crate) fn has_failed(&self, name: &str) -> bool {
        self.failed_by_name.contains_key(name)
    }

    /// Whether the process is known to have died.
    pub(crate) fn has_died(&self) -> bool {
        self.printed.iter().any(|line| Block::begins(&line.text))
    }

    /// Whether a case has printed a panic: what follows is its stack.
    pub(crate) fn is_dying(&self, name: &str) -> bool {
        let case = self.failed_by_name.get(name).map(|index| &self.failed[*index]);
        case.is_some_and(|case| case.text.iter().any(|line| Block::begins(&line.text)))
    }

    pub(crate) fn last_line(&self) -> Option<u64> {
        self.span.map(|span| span.last_line)
    }

    pub(crate) fn any_failed(&self) -> bool {
        !self.failed.is_empty() || self.overflow > 0
    }

    pub(crate) fn saw(&mut self, span: Span) {
        self.span = Some(self.span.map_or(span, |known| known.join(span)));
    }

    pub(crate) fn start(&mut self, name: &str, span: Span) {
        self.saw(span);
        self.verbose = true;
        if self.running.len() < MAX_CASES && self.has_room() {
            let case = Case { name: name.to_owned(), span, order: self.started, ..Case::default() };
            self.kept += case.weight();
            let before = self.running.insert(name.to_owned(), case);
            self.kept = self.kept.saturating_sub(before.map_or(0, |case| case.weight()));
            self.started += 1;
        }
    }

    pub(crate) fn finish(&mut self, name: &str, end: End, span: Span) {
        self.saw(span);
        let case = self.running.remove(name);
        self.kept = self.kept.saturating_sub(case.as_ref().map_or(0, Case::weight));
        match end {
            End::Pass => self.pass(name),
            End::Skip => self.skipped += 1,
            End::Fail => {
                if self.failed.len() >= MAX_CASES || !self.has_room() {
                    self.overflow += 1;
                    return;
                }
                let mut case = case.unwrap_or_else(|| Case { name: name.to_owned(), ..Case::default() });
                case.span = span;
                self.kept += case.weight();
                self.failed_by_name.insert(name.to_owned(), self.failed.len());
                self.failed.push(case);
            }
        }
    }

    /// A benchmark told a figure; the same one may do so several times.
    pub(crate) fn benchmark(&mut self, name: &str, span: Span) {
        self.saw(span);
        self.verbose = true;
        let case = self.running.remove(name);
        self.kept = self.kept.saturating_sub(case.as_ref().map_or(0, Case::weight));
        if self.benchmarks.len() < MAX_CASES && self.has_room() && self.benchmarks.insert(name.to_owned()) {
            self.kept += name.len();
            self.pass(name);
        }
    }

    fn pass(&mut self, name: &str) {
        self.passed += 1;
        if let Some(passing) = self.passing.as_mut().filter(|passing| passing.len() < Report::MAX_PASSED) {
            passing.push(name.to_owned());
        }
    }

    /// A line that a case printed, while it ran or behind its result; or, without a name, the package.
    pub(crate) fn print(&mut self, name: Option<&str>, line: Line<'_>) {
        self.saw(line.span);
        let room = self.has_room();
        let case = match name {
            Some(name) => match self.running.get_mut(name) {
                Some(case) => Some(case),
                None => self.failed_by_name.get(name).map(|index| &mut self.failed[*index]),
            },
            None => None,
        };
        // A line of a case that passed is dropped.
        let text = match (case, name) {
            (Some(case), _) => &mut case.text,
            (None, None) => &mut self.printed,
            (None, Some(_)) => return,
        };
        // A chatty case must not hide its end.
        let wanted = text.len() < MAX_CASE_LINES || text.len() < 2 * MAX_CASE_LINES && is_decisive(line.text);
        if wanted && room {
            text.push(line.to_text());
            self.kept += size_of::<TextLine>() + line.text.len();
        }
    }

    /// Whether more may be kept.
    fn has_room(&mut self) -> bool {
        let room = self.kept < MAX_KEPT && !self.crowded;
        self.beyond |= !room;
        room
    }

    /// The package ended: tells its failures and its totals.
    pub(crate) fn end(self, package: &str, outcome: Outcome, line: Option<TextLine>, out: &mut dyn FnMut(Item)) {
        let Package { mut passed, skipped, overflow, running, failed, printed, span, verbose, .. } = self;
        let mut passing = self.passing;
        let mut span = span.unwrap_or_default();
        if let Some(line) = &line {
            span = span.join(line.span);
        }
        let mut open: Vec<Case> = running.into_values().collect();
        open.sort_by_key(|case| case.order);
        let died =
            Block::find(&printed).or_else(|| failed.iter().chain(&open).find_map(|case| Block::find(&case.text)));
        let mut lost = 0;
        let mut unfinished = Vec::new();
        match outcome {
            Outcome::Failed => unfinished = open,
            // Benchmarks have no end of their own.
            Outcome::Passed => {
                passed += open.len() as u64;
                passing.iter_mut().for_each(|passing| passing.extend(open.iter().map(|case| case.name.clone())));
            }
            Outcome::Unknown => lost = open.len() as u64,
        }
        if let Some(block) = died.as_ref().filter(|_| outcome == Outcome::Failed && unfinished.is_empty()) {
            // Without -v those that the time limit caught were never named before.
            let caught = block.running.iter().filter(|name| !self.failed_by_name.contains_key(*name));
            unfinished.extend(caught.map(|name| Case { name: name.clone(), span, ..Case::default() }));
        }
        let explicit = failed.len() as u64 + overflow;
        let timed_out = died.as_ref().is_some_and(|block| block.timed_out);
        let named: Vec<String> = died.as_ref().map(|block| block.running.clone()).unwrap_or_default();
        let failures = explicit + unfinished.len() as u64;
        let package_failed = outcome == Outcome::Failed && failures == 0;
        let names: HashSet<&str> = failed.iter().chain(&unfinished).map(|case| case.name.as_str()).collect();
        let mut parents: HashSet<String> = HashSet::new();
        for case in failed.iter().chain(&unfinished) {
            let mut rest = case.name.as_str();
            for _ in 0..MAX_PARENTS {
                let Some((parent, _)) = rest.rsplit_once('/') else { break };
                if names.contains(parent) && !parents.insert(parent.to_owned()) {
                    break;
                }
                rest = parent;
            }
        }
        drop(names);
        if self.beyond {
            let message = "the tests of a package tell more than is kept; the rest is counted only";
            out(Item::Note(Note::info(Some(span.last_line), message)));
        }
        let title = |name: &str| if package.is_empty() { name.to_owned() } else { format!("{package}.{name}") };
        for name in passing.into_iter().flatten() {
            let suite = Some(package.to_owned()).filter(|package| !package.is_empty());
            out(Item::Passed(PassedCase { suite, ..PassedCase::new(title(&name)) }));
        }
        for case in failed {
            let mut failure = case.failure(&title);
            // Without -v a race is reported before the case that it fails.
            if failure.signal == Some(Signal::Assertion)
                && case.was_racing()
                && let Some(text) = race(&printed)
            {
                tell_race(text, &mut failure);
            }
            failure.follow_on = parents.contains(&case.name);
            out(Item::Failure(failure));
        }
        for case in unfinished {
            let mut failure = case.failure(&title);
            // Of those that never ended, the ones that the panic names decide; without names, the one that printed it.
            let named = if named.is_empty() {
                Block::find(&case.text).is_some() || died.is_none()
            } else {
                named.contains(&case.name)
            };
            failure.follow_on = parents.contains(&case.name) || explicit > 0 && !timed_out || !named && timed_out;
            if let Some(block) = died.as_ref().filter(|_| named || explicit == 0) {
                block.tell(&mut failure);
            }
            out(Item::Failure(failure));
        }
        if package_failed {
            let mut failure = Failure {
                level: Level::Suite,
                test: Some(package.to_owned()).filter(|name| !name.is_empty()),
                span: line.as_ref().map_or(span, |line| line.span),
                ..Failure::default()
            };
            match &died {
                Some(block) => block.tell(&mut failure),
                None => {
                    let telling = |text: &str| !text.trim().is_empty() && text != "FAIL" && text != "PASS";
                    failure.text = printed.into_iter().filter(|line| telling(&line.text)).collect();
                    // `exit status 1` says less than what came before it.
                    failure.text.sort_by_key(|line| line.text.starts_with("exit status "));
                    failure.text.extend(line.clone());
                    let killed = failure.text.iter().any(|line| line.text.starts_with("signal: "));
                    failure.signal = Some(if killed { Signal::Crash } else { Signal::Load });
                    // What could not be built has been told by the compiler's own lines.
                    failure.follow_on = failure.text.iter().any(|line| is_unbuilt(&line.text));
                }
            }
            out(Item::Failure(failure));
        }
        let counts = Counts {
            total: passed + skipped + failures + u64::from(package_failed) + lost,
            passed: verbose.then_some(passed),
            failed: failures,
            errored: u64::from(package_failed),
            skipped,
            flaky: 0,
        };
        out(Item::Tests(TestRun { tool: "go test", counts, span, outcome }));
    }

    /// Tells of a panic or race that no run of tests claimed.
    pub(crate) fn stray(self, out: &mut dyn FnMut(Item)) {
        let span = self.span.unwrap_or_default();
        let mut failure = Failure { level: Level::Diagnostic, span, ..Failure::default() };
        match (Block::find(&self.printed), race(&self.printed)) {
            (Some(block), _) => block.tell(&mut failure),
            (None, Some(text)) => tell_race(text, &mut failure),
            (None, None) => return,
        }
        out(Item::Failure(failure));
    }
}

impl Case {
    /// About how many bytes it takes, with its name as a key.
    fn weight(&self) -> usize {
        2 * size_of::<Case>() + 2 * self.name.len() + weight_of_lines(&self.text)
    }

    fn was_racing(&self) -> bool {
        self.text.iter().any(|line| line.text.contains("race detected during execution of test"))
    }

    fn failure(&self, title: &dyn Fn(&str) -> String) -> Failure {
        let mut failure = Failure {
            level: Level::Case,
            test: Some(title(&self.name)),
            signal: Some(Signal::Assertion),
            span: self.span,
            ..Failure::default()
        };
        if let Some(text) = race(&self.text) {
            tell_race(text, &mut failure);
            return failure;
        }
        if let Some(block) = Block::find(&self.text) {
            block.tell(&mut failure);
            return failure;
        }
        let (file, text) = said(&self.text);
        failure.file = file;
        failure.text = text;
        if failure.text.is_empty() {
            failure.text = vec![TextLine { text: format!("--- FAIL: {}", self.name), span: self.span }];
        }
        failure
    }
}

/// The report of the race detector.
fn race(lines: &[TextLine]) -> Option<&[TextLine]> {
    let first = lines.iter().position(|line| line.text.trim() == "WARNING: DATA RACE")?;
    Some(&lines[first..])
}

fn tell_race(text: &[TextLine], failure: &mut Failure) {
    failure.signal = Some(Signal::Race);
    failure.file = text.iter().find_map(|line| frame(&line.text));
    failure.text = text.iter().take(12).cloned().collect();
}

/// What a failed case said through `t.Error` and its like, the decisive entry first; what it printed where it said
/// nothing.
fn said(lines: &[TextLine]) -> (Option<FileRef>, Vec<TextLine>) {
    // Each entry begins with `file.go:6: ` and goes on in lines that are indented further.
    let mut entries: Vec<(FileRef, Vec<TextLine>)> = Vec::new();
    let mut margin = None;
    for line in lines {
        let text = line.text.trim_start();
        let indent = line.text.len() - text.len();
        match located(text) {
            Some((file, message)) if indent > 0 && margin.is_none_or(|margin| indent <= margin) => {
                margin = Some(indent);
                entries.push((file, vec![TextLine { text: message.to_owned(), span: line.span }]));
            }
            _ => match entries.last_mut() {
                Some((_, entry))
                    if margin.is_some_and(|margin| indent > margin || text.is_empty() || is_field(text)) =>
                {
                    entry.push(TextLine { text: text.trim_end().to_owned(), span: line.span });
                }
                _ => margin = None,
            },
        }
    }
    let expects = |entry: &(FileRef, Vec<TextLine>)| entry.1.iter().any(|line| is_expectation(&line.text));
    let at = entries.iter().position(expects);
    let sure = at.is_some();
    let at = at.unwrap_or(entries.len().saturating_sub(1));
    if at >= entries.len() {
        return (None, lines.iter().filter(|line| !line.text.trim().is_empty()).cloned().collect());
    }
    let (file, mut text) = entries.remove(at);
    // A library's report is a table: its own words come first, then what it compared.
    let headline = |line: &TextLine| match line.text.split_once(':').map(|(field, _)| field) {
        Some("Messages") => 0,
        Some("Error") => 1,
        Some("Error Trace" | "Test") => 3,
        _ => 2,
    };
    text.retain(|line| !line.text.trim().is_empty());
    if text.iter().any(|line| line.text.starts_with("Error Trace:")) {
        text.sort_by_key(headline);
    }
    if !sure {
        text.extend(entries.into_iter().rev().flat_map(|(_, lines)| lines));
    }
    (Some(file), text)
}

/// Whether a line is a field of the table that an assertion library prints; old ones return to the margin for it.
fn is_field(text: &str) -> bool {
    ["Error Trace:", "Error:", "Messages:", "Test:"].iter().any(|field| text.starts_with(field))
}

/// Whether a message states what was expected.
fn is_expectation(text: &str) -> bool {
    const WORDS: &[&str] =
        &["want", "expect", "got ", "got:", "mismatch", "should ", "unexpected", "error", "not equal", " != ", "fail"];
    let lower = text.to_ascii_lowercase();
    WORDS.iter().any(|word| lower.contains(word))
}

fn is_decisive(text: &str) -> bool {
    Block::begins(text) || text.trim() == "WARNING: DATA RACE" || located(text.trim_start()).is_some()
}

/// `file_test.go:6: message`, or a bare `file.go:31:`.
pub(crate) fn located(text: &str) -> Option<(FileRef, &str)> {
    let at = text.find(".go:")?;
    let path = &text[..at + 3];
    if path.contains(char::is_whitespace) {
        return None;
    }
    let rest = &text[at + 4..];
    let (number, message) = rest.split_once(':')?;
    Some((FileRef::new(path, Some(number.parse().ok()?), None), message.trim()))
}

/// `/path/file.go:23 +0x67`, indented by a tab, of a stack, outside the runtime.
fn frame(text: &str) -> Option<FileRef> {
    let text = text.trim();
    let at = text.rfind(".go:")?;
    let path = &text[..at + 3];
    let line = text[at + 4..].split_whitespace().next()?.parse().ok()?;
    let absolute = path.starts_with(['/', '.']) || path.get(1..2) == Some(":");
    (absolute && !is_standard(path)).then(|| FileRef::new(path, Some(line), None))
}

/// Whether a file belongs to Go itself: below `go/src` or `go-1.19/src`, where a project of the old layout would have
/// a host name first.
fn is_standard(path: &str) -> bool {
    let Some((root, rest)) = path.split_once("/src/") else { return path.ends_with("_testmain.go") };
    let home = root.rsplit('/').next().unwrap_or(root);
    let host = rest.split('/').next().unwrap_or(rest);
    (home.starts_with("go") || root.contains("/go/")) && !host.contains('.')
}

/// Whether a result line says that the package could not be compiled or loaded.
pub(crate) fn is_unbuilt(text: &str) -> bool {
    text.ends_with("[build failed]") || text.ends_with("[setup failed]")
}

/// `TestHang` of `example.com/depot.TestHang(0x0?)`.
fn case_of_frame(text: &str) -> Option<&str> {
    let (path, _) = text.split_once('(')?;
    let (_, name) = path.rsplit_once('.')?;
    (name.starts_with("Test") && !path.starts_with("testing.") && !name.contains(char::is_whitespace)).then_some(name)
}

/// The end of a process: a panic or a fatal error of the runtime, with its stack.
#[derive(Clone, Debug)]
struct Block {
    text: Vec<TextLine>,
    file: Option<FileRef>,
    timed_out: bool,
    /// The cases that a time limit names.
    running: Vec<String>,
}

impl Block {
    fn begins(text: &str) -> bool {
        let text = text.trim_start();
        text.starts_with("panic: ") || text.starts_with("fatal error: ")
    }

    fn find(lines: &[TextLine]) -> Option<Block> {
        // A panic that a case printed and survived has no stack behind it.
        let stack = lines.iter().position(|line| line.text.starts_with("goroutine ")).unwrap_or(lines.len());
        let nearest = lines[..stack].iter().rposition(|line| Block::begins(&line.text) && !line.text.starts_with('\t'));
        let first = nearest.or_else(|| lines.iter().position(|line| Block::begins(&line.text)))?;
        let lines = &lines[first..];
        let mut block = Block {
            timed_out: lines[0].text.contains("panic: test timed out after"),
            text: Vec::new(),
            file: None,
            running: Vec::new(),
        };
        let mut stack = false;
        let mut listing = false;
        for line in lines {
            let text = line.text.trim();
            stack |= text.starts_with("goroutine ") || text.starts_with("runtime stack:");
            if stack {
                // Without -v the stack alone tells which case ran.
                if block.timed_out
                    && block.running.is_empty()
                    && let Some(name) = case_of_frame(text)
                {
                    block.running.push(name.to_owned());
                }
                if block.file.is_none() {
                    block.file = frame(text);
                }
                continue;
            }
            if text == "running tests:" {
                listing = true;
            } else if listing && !text.is_empty() {
                let name = text.rsplit_once(" (").map_or(text, |(name, _)| name);
                block.running.push(name.to_owned());
            } else if !text.is_empty() && !text.starts_with("[signal SIGSEGV") && block.text.len() < 20 {
                block.text.push(TextLine { text: text.to_owned(), span: line.span });
            }
        }
        Some(block)
    }

    fn tell(&self, failure: &mut Failure) {
        failure.signal = Some(if self.timed_out { Signal::TestTimeout } else { Signal::Unhandled });
        failure.text.clone_from(&self.text);
        failure.file = failure.file.take().or_else(|| self.file.clone());
    }
}
