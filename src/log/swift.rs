//! XCTest and Swift Testing, also through `xcodebuild`, xcpretty and xcbeautify.
//!
//! XCTest prints its totals for each nested suite, and counts failed expectations and not cases, so that the cases
//! are counted by their own lines.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::pattern::Regex;

use super::cases::{Case, MAX_HELD, counts, cut, finish};
use super::{Grip, Line, Reader};
use crate::item::{Item, Mark, Scope, read_count};
use crate::pattern;
use crate::report::{FileRef, Outcome, Signal, Span};

pub(super) const NEEDLES: &[&str] = &[
    ": error: -[",
    ": error: ",
    "Test Case '",
    "Test case '",
    "Executed ",
    "Test Suite '",
    " recorded an issue ",
    "Test run with ",
    "Test run started.",
    " failed after ",
    " skipped: ",
    "    ✗ test",
    "    ✖ test",
    "Failing tests:",
    ": Fatal error: ",
    "Exited with unexpected signal code",
    "Exited with signal code",
];

/// How many cases may be open, or their names be kept.
const MAX_CASES: usize = 20_000;

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Swift::default())
}

#[derive(Default)]
struct Swift {
    /// Cases that failed and have not ended; those of Swift Testing run side by side.
    open: Vec<Case>,
    /// The names of those that were told.
    told: HashSet<String>,
    passed: u64,
    failed: u64,
    skipped: u64,
    /// The case of XCTest that runs.
    running: Option<String>,
    /// Suites were named, of which the outermost has the totals.
    suites: bool,
    /// The outermost suite ended, and its totals follow.
    last: bool,
    /// Suites of XCTest have begun, and the totals of the outermost have not come.
    begun: bool,
    /// The same of a run of Swift Testing.
    testing: bool,
    span: Span,
    part: Part,
    held: usize,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Part {
    #[default]
    Other,
    /// Behind an issue of Swift Testing, whose comments follow.
    Issue,
    /// In the list of tests that failed, behind the run.
    List,
}

static ERROR: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^(?P<path>(?:\S.*?\.(?:swift|m|mm|c|cpp))|<unknown>|<EXPR>):(?P<line>\d+): error: (?:-\[(?P<name>[\w.]+ \w+)\]|(?P<dotted>[A-Z]\w*(?:\.\w+)+)) : (?P<message>.+)$",
    )
});

static ISSUE: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^\S+\s+(?:Test|Suite) (?P<name>\S.*?) recorded an issue(?: with .*?)? at (?P<path>[^\s:]+):(?P<line>\d+):(?P<column>\d+): (?P<message>.+)$",
    )
});

/// Swift Testing: how a case ended. A run and a suite end in the same words.
static ENDED: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^\S+\s+Test (?P<name>\x22.*\x22|[\w`]\S*\(.*?\)|\S+?)(?: with \d+ test cases?)? (?:(?P<failed>failed) after [\d.]+ seconds? with .*|(?P<skipped>skipped)(?:: .*|\.)?)$",
    )
});

static EXECUTED: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^\s*Executed (?P<total>\d+) tests?, with (?:(?P<skipped>\d+) tests? skipped and )?(?P<failures>\d+) failures? ",
    )
});

static RUN: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^\S+\s+Test run with (?P<total>\d+) tests?(?: in \d+ suites?)? (?P<word>passed|failed) after .*?(?:with (?P<issues>\d+) issues?)?\.?$",
    )
});

/// XCTest: how a case went on. `xcodebuild` with workers of its own names the place where it ran.
static CASE: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^Test [Cc]ase '(?:-\[(?P<name>[\w.]+ \w+)\]|(?P<dotted>[^']+))' (?P<word>started|passed|failed|skipped)\b(?: on '[^']+')?",
    )
});

/// `    ✗ testTotal, XCTAssertEqual failed: …`, as xcpretty and xcbeautify print it.
static PRETTY: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^    [✗✖] (?P<name>test\w*), (?P<message>\S.*?)(?: \([\d.]+ seconds\))?$"));

static FATAL: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^(?P<path>\S+\.swift):(?P<line>\d+): Fatal error: (?P<message>\S.*)$"));

/// What XCTest and Swift Testing say of what was thrown and not caught.
fn signal_of(message: &str) -> Option<Signal> {
    const THROWN: &[&str] = &["failed: caught error", "threw error ", "Caught error: ", "failed: throwing "];
    match message {
        _ if THROWN.iter().any(|words| message.starts_with(words)) => Some(Signal::Unhandled),
        _ if message.starts_with("Time limit was exceeded") => Some(Signal::TestTimeout),
        _ if message.starts_with("Asynchronous wait failed") => None,
        _ if message.starts_with("XCTAssert") && message.contains(": threw error ") => Some(Signal::Assertion),
        _ => Some(Signal::Expectation),
    }
}

/// `-[ShopTests.CartTests testTotal]` and `CartTests.testTotal()` in one form.
fn dotted(name: &str) -> String {
    name.trim_end_matches("()").replace([' ', '/'], ".")
}

impl Swift {
    fn close(&mut self, name: &str, out: &mut dyn FnMut(Item)) {
        let at = self.open.iter().position(|case| case.name == name);
        if let Some(at) = at {
            self.tell(at, out);
        }
    }

    fn tell(&mut self, at: usize, out: &mut dyn FnMut(Item)) {
        let case = self.open.remove(at);
        if self.told.len() < MAX_CASES {
            self.told.insert(case.name.clone());
        }
        case.tell(out);
    }

    fn flush(&mut self, out: &mut dyn FnMut(Item)) {
        while !self.open.is_empty() {
            self.tell(0, out);
        }
    }

    /// Adds a message to the case that it is of.
    fn add(&mut self, name: String, file: Option<FileRef>, message: &str, line: Line<'_>, out: &mut dyn FnMut(Item)) {
        let shown = Line { text: message, span: line.span };
        match self.open.iter_mut().find(|case| case.name == name) {
            Some(case) if case.lines < MAX_HELD => case.push(shown),
            Some(_) => {}
            None => {
                if self.open.len() >= MAX_CASES {
                    self.flush(out);
                }
                let mut case = Case::new(name, line);
                case.file = file;
                case.signal = signal_of(message);
                case.push(shown);
                self.open.push(case);
            }
        }
    }

    /// Tells the totals that the cases make.
    fn total(&mut self, counts: crate::report::Counts, failed: bool, span: Span, out: &mut dyn FnMut(Item)) {
        self.flush(out);
        let Swift { told, .. } = std::mem::take(self);
        // The list of failed tests comes behind the totals.
        self.told = told;
        let tool = "xctest";
        finish(tool, counts, failed, span, out);
    }

    fn xctest(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Option<Grip> {
        let text = line.text;
        if let Some(found) = CASE.captures(text) {
            let name =
                found.name("name").or(found.name("dotted")).map_or_else(String::new, |name| dotted(name.as_str()));
            self.span = if self.span.line == 0 { line.span } else { self.span.join(line.span) };
            match &found["word"] {
                "started" => self.running = Some(name),
                "passed" => (self.passed, self.running) = (self.passed + 1, None),
                "skipped" => (self.skipped, self.running) = (self.skipped + 1, None),
                _ => {
                    self.failed += 1;
                    self.running = None;
                    self.close(&name, out);
                }
            }
            return Some(Grip::Take);
        }
        if text.starts_with("Test Suite '") {
            let outer = text.starts_with("Test Suite 'All tests' ") || text.starts_with("Test Suite 'Selected tests' ");
            self.last = outer && !text.contains("' started");
            (self.suites, self.begun) = (true, true);
            return Some(Grip::Take);
        }
        if let Some(found) = EXECUTED.captures(text) {
            let number = |name: &str| found.name(name).and_then(|number| read_count(number.as_str())).unwrap_or(0);
            self.begun = false;
            if self.last || !self.suites {
                let sum = counts(number("total"), self.failed, 0, number("skipped"));
                if sum.total > 0 {
                    self.total(sum, number("failures") > 0, line.span, out);
                }
                self.last = false;
            }
            return Some(Grip::Take);
        }
        if let Some(found) = PRETTY.captures(text) {
            self.failed += 1;
            let name = found["name"].to_owned();
            self.add(name.clone(), None, &found["message"], line, out);
            self.close(&name, out);
            return Some(Grip::Take);
        }
        if let Some(found) = FATAL.captures(text) {
            let name = self.running.take()?;
            let file = Some(FileRef::new(&found["path"], found["line"].parse().ok(), None));
            self.add(name.clone(), file, &found["message"], line, out);
            if let Some(case) = self.open.iter_mut().find(|case| case.name == name) {
                case.signal = Some(Signal::Unhandled);
            }
            self.close(&name, out);
            self.failed += 1;
            return Some(Grip::Take);
        }
        if text.contains("Exited with unexpected signal code") || text.contains("Exited with signal code") {
            self.end(out);
            return Some(Grip::Pass);
        }
        None
    }

    fn testing(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Option<Grip> {
        let text = line.text;
        if let Some(found) = RUN.captures(text) {
            let total: u64 = read_count(&found["total"]).unwrap_or(0);
            self.flush(out);
            // A package without any test of this sort says so as well.
            if total > 0 {
                let failed = &found["word"] == "failed";
                let issues = found.name("issues").and_then(|number| read_count(number.as_str())).unwrap_or(0);
                let cases = if self.failed == 0 && failed { issues } else { self.failed };
                let sum = counts(total, cases.min(total), 0, self.skipped.min(total));
                finish("swift-testing", sum, failed, line.span, out);
            }
            (self.failed, self.skipped, self.passed) = (0, 0, 0);
            self.testing = false;
            return Some(Grip::Take);
        }
        if text.contains("Test run ") {
            self.testing |= text.ends_with("Test run started.");
            self.span = line.span;
            return None;
        }
        if let Some(found) = ENDED.captures(text) {
            let name = found["name"].trim_matches('"');
            if found.name("failed").is_some() {
                self.failed += 1;
                self.close(name, out);
            } else {
                self.skipped += 1;
            }
            return Some(Grip::Take);
        }
        None
    }
}

impl Reader for Swift {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        match self.part {
            Part::Issue => {
                // A comment on the issue; its sign depends on the terminal.
                if let Some(said) = text.strip_prefix("↳ ") {
                    if let Some(case) = self.open.last_mut() {
                        case.push(Line { text: said, span: line.span });
                    }
                    return Grip::Hold;
                }
                self.part = Part::Other;
            }
            Part::List => {
                self.held += 1;
                let name = text.trim();
                if line.indent() > 0 && !name.is_empty() && self.held < MAX_HELD {
                    let name = dotted(name);
                    let known = self.told.iter().any(|told| {
                        *told == name || told.ends_with(&format!(".{name}")) || name.ends_with(&format!(".{told}"))
                    });
                    if !known {
                        let mut case = Case::new(name, line);
                        case.signal = Some(Signal::Assertion);
                        case.tell(out);
                    }
                    return Grip::Hold;
                }
                self.part = Part::Other;
                self.told.clear();
            }
            Part::Other => {}
        }
        if let Some(found) = ERROR.captures(text) {
            let name =
                found.name("name").or(found.name("dotted")).map_or_else(String::new, |name| dotted(name.as_str()));
            let path = &found["path"];
            let file = (!path.starts_with('<')).then(|| FileRef::new(path, found["line"].parse().ok(), None));
            self.add(name.clone(), file, &found["message"], line, out);
            // Where no case is known to run, nothing says that it ends.
            if self.running.is_none() {
                self.close(&name, out);
            }
            return Grip::Take;
        }
        if let Some(found) = ISSUE.captures(text) {
            let file = FileRef::new(&found["path"], found["line"].parse().ok(), found["column"].parse().ok());
            let name = found["name"].trim_matches('"').to_owned();
            self.add(name, Some(file), &found["message"], line, out);
            self.part = Part::Issue;
            return Grip::Hold;
        }
        if text == "Failing tests:" {
            self.part = Part::List;
            self.held = 0;
            return Grip::Hold;
        }
        self.xctest(line, out).or_else(|| self.testing(line, out)).unwrap_or(Grip::Pass)
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.flush(out);
        let Swift { passed, failed, skipped, running, begun, testing, span, .. } = std::mem::take(self);
        // The run was cut, or its process died.
        if begun || testing {
            let total = passed + failed + skipped + u64::from(running.is_some());
            let mut sum = counts(total, failed, 0, skipped);
            sum.passed = Some(passed);
            cut(if testing { "swift-testing" } else { "xctest" }, sum, span, out);
            // What was built before says nothing of the tests.
            let text = "the output of the tests ends before their totals".to_owned();
            out(Item::Mark(Mark { scope: Scope::Tool, outcome: Outcome::Unknown, status: None, text, span }));
        }
    }
}
