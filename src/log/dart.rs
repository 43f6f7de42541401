//! The consoles of `dart test` and `flutter test`: the one that repeats a counting prefix, and the one for GitHub.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::pattern::Regex;

use super::block::place;
use super::cases::{Case, MAX_HELD, counts, finish};
use super::{Grip, Line, Reader};
use crate::item::{Item, read_count};
use crate::pattern;
use crate::report::{FileRef, Level, Signal};

pub(super) const NEEDLES: &[&str] = &[
    "Some tests failed.",
    "All tests passed!",
    "All other tests passed!",
    " [E]$",
    "EXCEPTION CAUGHT BY FLUTTER TEST FRAMEWORK",
    " (failed)$",
    " tests passed",
    " test passed",
];

/// How many blocks of Flutter wait for the names of their tests.
const MAX_WAITING: usize = 5000;

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Dart::default())
}

#[derive(Default)]
struct Dart {
    case: Option<Case>,
    /// The case at hand was printed for GitHub, without indentation.
    github: bool,
    /// What Flutter caught, up to the line that ends its block.
    caught: Option<Caught>,
    /// Blocks by the description of their test.
    waiting: HashMap<String, Case>,
}

struct Caught {
    case: Case,
    /// The message has ended.
    stack: bool,
    /// The description of the test follows.
    named: bool,
    name: String,
    held: usize,
}

static ROW: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(r"^\d+:\d\d \+(?P<passed>\d+)(?: ~(?P<skipped>\d+))?(?: -(?P<failed>\d+))?: (?P<rest>.+)$")
});

static PLACE: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^\s*(?P<path>(?:\S+/)?\S+_test\.dart)[ :](?P<line>\d+):(?P<column>\d+)\s"));

/// `(file:///srv/shop/test/cart_test.dart:28:5)`, of a stack that Flutter prints.
static FRAME: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(r"file://(?P<path>/\S+_test\.dart)(?::(?P<row>\d+)(?::(?P<column>\d+))?| line (?P<line>\d+))")
});

/// `::group::❌ test/cart_test.dart: Cart total (failed)`
static GITHUB: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^(?:::group::|##\[group\])?❌ (?P<name>\S.*?) \(failed\)$"));

static COMPILER: LazyLock<Regex> = LazyLock::new(|| pattern::regex(r"^\s*\S+\.dart:\d+:\d+: Error: "));

/// `3 tests passed, 1 failed, 1 skipped.`
static SUM: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^(?:::error::|##\[error\]|🎉 )?(?P<passed>\d+) tests? passed(?:, (?P<failed>\d+) failed)?(?:, (?P<skipped>\d+) skipped)?\.$",
    )
});

/// Whether what was thrown is a failed expectation: the libraries for those throw it themselves.
fn is_matcher(text: &str) -> bool {
    ["package:matcher", "package:test_api", "package:checks", "package:expect"]
        .iter()
        .any(|library| text.trim_start().starts_with(library))
}

impl Dart {
    fn flush(&mut self, out: &mut dyn FnMut(Item)) {
        let Some(mut case) = self.case.take() else { return };
        // What Flutter caught says more than that it did.
        let description = |name: &String| case.name.ends_with(name.as_str());
        if case.text.first().is_some_and(|line| line.text.contains("Test failed. See exception logs above"))
            && let Some(name) = self.waiting.keys().find(|name| description(name)).cloned()
            && let Some(mut told) = self.waiting.remove(&name)
        {
            told.name = case.name;
            return told.tell(out);
        }
        // What cannot be loaded was not compiled, if the compiler says so.
        if case.level == Level::Suite
            && let Some(at) = case.text.iter().position(|line| COMPILER.is_match(&line.text))
        {
            case.signal = Some(Signal::Compile);
            case.text.drain(..at);
            case.file = case.text.first().and_then(|line| place(line.text.trim())).map(|placed| placed.file);
        }
        if case.signal.is_none() && case.stack && !case.text.iter().any(|line| line.text.contains("Expected:")) {
            let timed_out = case.text.iter().any(|line| line.text.contains("Test timed out after"));
            case.signal = Some(Signal::Unhandled).filter(|_| !timed_out);
        }
        case.tell(out);
    }

    fn in_case(&mut self, line: Line<'_>, row: bool, out: &mut dyn FnMut(Item)) -> Option<Grip> {
        let case = self.case.as_mut()?;
        let text = line.text;
        let within = if self.github {
            !text.starts_with("::endgroup::") && !text.starts_with("##[") && !text.starts_with(['❌', '✅', '❎'])
        } else {
            text.is_empty() || text.starts_with(' ') || text.starts_with("package:")
        };
        if !within || row || case.lines >= MAX_HELD {
            self.flush(out);
            return None;
        }
        let trimmed = text.trim_start();
        let place = PLACE
            .captures(text)
            .map(|found| FileRef::new(&found["path"], found["line"].parse().ok(), found["column"].parse().ok()));
        if place.is_some() || trimmed.starts_with("package:") || trimmed.starts_with("dart:") {
            if !case.stack && is_matcher(text) && case.signal.is_none() {
                case.signal = Some(Signal::Assertion);
            }
            case.frame(line, place);
        } else {
            case.push(line);
        }
        Some(Grip::Hold)
    }

    /// A line of a block between `══╡ EXCEPTION CAUGHT … ╞══` and `════`.
    fn in_caught(&mut self, line: Line<'_>) -> Option<Grip> {
        let caught = self.caught.as_mut()?;
        let text = line.text.trim();
        caught.held += 1;
        if text.starts_with("════") || caught.held > 2000 {
            let Caught { case, name, .. } = self.caught.take()?;
            if self.waiting.len() < MAX_WAITING {
                self.waiting.entry(name).or_insert(case);
            }
            return Some(Grip::Hold);
        }
        if let Some(found) = FRAME.captures(text) {
            let row = found.name("row").or(found.name("line")).and_then(|row| row.as_str().parse().ok());
            let column = found.name("column").and_then(|column| column.as_str().parse().ok());
            caught.case.frame(line, Some(FileRef::new(&found["path"], row, column)));
        } else if std::mem::take(&mut caught.named) {
            text.clone_into(&mut caught.name);
            caught.case.cover(line);
        } else if text == "The test description was:" {
            caught.named = true;
            caught.case.cover(line);
        } else if text.starts_with("When the exception was thrown, this was the stack") {
            caught.stack = true;
            caught.case.cover(line);
        } else if let Some(rest) = text.strip_prefix("The following ").filter(|_| caught.held < 3) {
            let thrown = rest.split_whitespace().next().unwrap_or("");
            let expects = thrown == "TestFailure" || thrown == "assertion";
            caught.case.signal = Some(if expects { Signal::Assertion } else { Signal::Unhandled });
            caught.case.push_head(line);
        } else if caught.stack {
            caught.case.cover(line);
        } else {
            caught.case.push(line);
        }
        Some(Grip::Hold)
    }
}

impl Reader for Dart {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        if let Some(grip) = self.in_caught(line) {
            return grip;
        }
        let row = ROW.captures(text);
        if let Some(grip) = self.in_case(line, row.is_some(), out) {
            return grip;
        }
        if text.contains("╡ EXCEPTION CAUGHT BY FLUTTER TEST FRAMEWORK ╞") {
            let case = Case::new(String::new(), line);
            self.caught = Some(Caught { case, stack: false, named: false, name: String::new(), held: 0 });
            return Grip::Hold;
        }
        if let Some(found) = GITHUB.captures(text) {
            let mut case = Case::new(&found["name"], line);
            if let Some(path) = found["name"].strip_prefix("loading ") {
                case = Case::new(path, line);
                (case.level, case.signal) = (Level::Suite, Some(Signal::Load));
            }
            self.case = Some(case);
            self.github = true;
            return Grip::Hold;
        }
        if let Some(found) = SUM.captures(text) {
            let number = |name: &str| found.name(name).and_then(|number| read_count(number.as_str())).unwrap_or(0);
            let (passed, failed, skipped) = (number("passed"), number("failed"), number("skipped"));
            finish("dart", counts(passed + failed + skipped, failed, 0, skipped), false, line.span, out);
            return Grip::Take;
        }
        let Some(found) = row else { return Grip::Pass };
        let number = |name: &str| found.name(name).and_then(|number| read_count(number.as_str())).unwrap_or(0);
        let rest = &found["rest"];
        if let Some(name) = rest.strip_suffix(" [E]") {
            let name = name.strip_prefix("loading ").unwrap_or(name);
            let mut case = Case::new(name, line);
            if rest.starts_with("loading ") {
                case.level = Level::Suite;
                case.signal = Some(Signal::Load);
            }
            self.case = Some(case);
            self.github = false;
            return Grip::Hold;
        }
        let last = ["Some tests failed.", "All tests passed!", "All other tests passed!"];
        if last.iter().any(|word| rest.starts_with(word)) {
            let (passed, failed, skipped) = (number("passed"), number("failed"), number("skipped"));
            let sum = counts(passed + failed + skipped, failed, 0, skipped);
            self.waiting.clear();
            finish("dart", sum, rest.starts_with("Some"), line.span, out);
            return Grip::Take;
        }
        Grip::Pass
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.flush(out);
        if let Some(Caught { case, name, .. }) = self.caught.take() {
            self.waiting.entry(name).or_insert(case);
        }
        let mut waiting: Vec<(String, Case)> = std::mem::take(&mut self.waiting).into_iter().collect();
        waiting.sort_by(|one, other| one.0.cmp(&other.0));
        for (name, mut case) in waiting {
            case.name = name;
            case.tell(out);
        }
    }
}
