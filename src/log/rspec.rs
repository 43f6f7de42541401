//! RSpec: blocks of failures, errors outside of examples, and the list of failed examples.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::pattern::Regex;

use super::cases::{Case, MAX_HELD, counts, finish, script_place};
use super::{Grip, Line, Reader};
use crate::item::{Item, read_count};
use crate::pattern;
use crate::report::{FileRef, Level, Signal};

pub(super) const NEEDLES: &[&str] = &[
    "Failures:",
    "Pending: (Failures listed here",
    " examples, ",
    " example, ",
    "Failed examples:",
    "An error occurred ",
    "rspec ./",
    " (FAILED - ",
    r"_spec.rb:\d",
];

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Rspec::default())
}

#[derive(Default)]
struct Rspec {
    state: State,
    case: Option<Case>,
    /// The code of the expectation is being shown, over more than one line.
    code: bool,
    /// Descriptions that were told.
    told: HashSet<String>,
    /// Lines since the last heading, so that what is no list of failures is let go.
    idle: usize,
    /// Where the next failure stands, as hspec tells before its heading.
    place: Option<FileRef>,
    /// What the progress told of failures, for a run that is cut before it tells more.
    marked: Vec<Case>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Nothing,
    Failures,
    /// What is pending may fail as it likes.
    Pending,
    /// An error outside of examples.
    Outside,
}

static SUMMARY: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^(?P<total>\d+) examples?, (?P<failed>\d+) failures?(?:, (?P<pending>\d+) pending)?(?:, (?P<errors>\d+) errors? occurred outside of examples)?$",
    )
});

static ENTRY: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^\s{1,4}(?P<number>\d+(?:\.\d+)?)\) (?P<name>\S.*)$"));

/// `  Spec.hs:4:28: `, with which hspec begins a failure.
static HSPEC: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^  (?P<path>\S+\.l?hs):(?P<line>\d+):(?P<column>\d+):$"));

static LISTED: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(r"^rspec '?(?P<path>\./[^\s:\[']+)(?::(?P<line>\d+)|\[[\d:,]+\])'? # (?P<name>.+)$")
});

/// `./spec/cart_spec.rb:3:totals the prices`, of the formatter for editors, which prints nothing else.
static SHORT: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^(?P<path>\./\S+\.rb):(?P<line>\d+):(?P<name>[^\s:].*)$"));

impl Rspec {
    fn flush(&mut self, out: &mut dyn FnMut(Item)) {
        self.code = false;
        if let Some(case) = self.case.take() {
            if case.level == Level::Case {
                self.told.insert(case.name.split_whitespace().collect::<Vec<_>>().join(" "));
            }
            case.tell(out);
        }
    }

    fn held(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Option<Grip> {
        if self.state == State::Nothing {
            return None;
        }
        let text = line.text;
        self.idle += 1;
        let over = text.starts_with("Finished in ")
            || SUMMARY.is_match(text)
            || text.starts_with("Failed examples:")
            || text.starts_with("An error occurred ")
            || text == "Failures:"
            || text.starts_with("Pending:")
            || self.idle > MAX_HELD;
        if over {
            self.flush(out);
            self.state = State::Nothing;
            return None;
        }
        if self.state == State::Pending {
            return Some(Grip::Hold);
        }
        if self.state == State::Failures
            && let Some(found) = HSPEC.captures(text)
        {
            self.flush(out);
            let number = |name: &str| found[name].parse().ok();
            self.place = Some(FileRef::new(&found["path"], number("line"), number("column")));
            return Some(Grip::Hold);
        }
        if self.state == State::Failures
            && let Some(found) = ENTRY.captures(text)
        {
            let name = found["name"].to_owned();
            // Another tool's list: Cucumber in JavaScript has the same heading.
            if name.starts_with("Scenario:") {
                self.state = State::Nothing;
                return Some(Grip::Pass);
            }
            // Several failures of one example: `1.1)`, `1.2)` under `1)`.
            if found["number"].contains('.') {
                return Some(Grip::Hold);
            }
            self.flush(out);
            self.idle = 0;
            let mut case = Case::new(name, line);
            case.file = self.place.take();
            // hspec knows no other word for a failed expectation.
            case.signal = case.file.as_ref().map(|_| Signal::Assertion);
            self.case = Some(case);
            return Some(Grip::Hold);
        }
        let Some(case) = &mut self.case else {
            // The heading alone does not make the list RSpec's.
            if text.trim().is_empty() || self.place.is_some() {
                return Some(Grip::Hold);
            }
            self.state = State::Nothing;
            return Some(Grip::Pass);
        };
        let trimmed = text.trim_start();
        if trimmed.starts_with("Failure/Error:") {
            self.code = true;
            case.push_head(line);
        } else if trimmed.is_empty() {
            self.code = false;
            case.cover(line);
        } else if trimmed.starts_with("uncaught exception: ") {
            case.signal = Some(Signal::Unhandled);
            case.push_head(line);
        } else if trimmed.starts_with("To rerun use: --match ")
            || trimmed.starts_with("Randomized with seed ")
            || trimmed.starts_with("CallStack (from HasCallStack)")
            || trimmed.contains(", called at ")
        {
            case.cover(line);
        } else if trimmed.starts_with("# ") {
            self.code = false;
            case.frame(line, script_place(text));
        } else if self.code && !is_message(trimmed) {
            case.cover(line);
        } else {
            self.code = false;
            case.push(line);
        }
        Some(Grip::Hold)
    }
}

/// Older versions print the message right under the code.
fn is_message(text: &str) -> bool {
    let first = text.split([' ', ':']).next().unwrap_or(text);
    first.ends_with("Error")
        || first.ends_with("Exception")
        || first.starts_with("Errno")
        || text.starts_with("expected")
        || text.ends_with("Error:")
}

impl Reader for Rspec {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        if let Some(grip) = self.held(line, out) {
            return grip;
        }
        let text = line.text;
        let mut begin = |state| {
            self.state = state;
            self.idle = 0;
            Grip::Hold
        };
        if text == "Failures:" {
            self.told.clear();
            return begin(State::Failures);
        }
        if text.starts_with("Pending: (Failures listed here") {
            return begin(State::Pending);
        }
        if let Some(rest) = text.strip_prefix("An error occurred ") {
            let known = ["while loading ", "in a `before", "in an `after", "in an `around", "in a `after"];
            if !known.iter().any(|words| rest.starts_with(words)) {
                return Grip::Pass;
            }
            let name =
                rest.split(" - ").next().unwrap_or(rest).trim_start_matches("while loading ").trim_end_matches('.');
            let mut case = Case::new(name, line);
            case.level = Level::Suite;
            let loading = rest.starts_with("while loading ");
            case.signal = Some(if loading { Signal::Load } else { Signal::Hook });
            case.file = loading.then(|| FileRef::new(name, None, None));
            self.case = Some(case);
            return begin(State::Outside);
        }
        if let Some((name, number)) = text.trim().rsplit_once(" (FAILED - ")
            && number.trim_end_matches(')').bytes().all(|byte| byte.is_ascii_digit())
        {
            if self.marked.len() < 10_000 {
                let mut case = Case::new(name, line);
                case.signal = Some(Signal::Assertion);
                self.marked.push(case);
            }
            return Grip::Take;
        }
        if let Some(found) = SHORT.captures(text).filter(|found| !found["name"].starts_with("in ")) {
            if self.marked.len() < 10_000 {
                let mut case = Case::new(&found["name"], line);
                case.signal = Some(Signal::Assertion);
                case.file = Some(FileRef::new(&found["path"], found["line"].parse().ok(), None));
                self.marked.push(case);
            }
            return Grip::Take;
        }
        if let Some(found) = SUMMARY.captures(text) {
            self.marked.clear();
            let number = |name: &str| found.name(name).and_then(|number| read_count(number.as_str())).unwrap_or(0);
            let errors = number("errors");
            let mut sum = counts(number("total"), number("failed"), 0, number("pending"));
            sum.errored = errors;
            finish("rspec", sum, errors > 0, line.span, out);
            return Grip::Take;
        }
        if text == "Failed examples:" {
            return Grip::Take;
        }
        if let Some(found) = LISTED.captures(text) {
            let name = found["name"].split_whitespace().collect::<Vec<_>>().join(" ");
            // Only where the list of failures is missing is this the first word about it.
            if self.told.is_empty() {
                let mut case = Case::new(name, line);
                case.signal = Some(Signal::Assertion);
                case.file = Some(FileRef::new(
                    &found["path"],
                    found.name("line").and_then(|line| line.as_str().parse().ok()),
                    None,
                ));
                case.tell(out);
            }
            return Grip::Take;
        }
        Grip::Pass
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.flush(out);
        if self.told.is_empty() {
            std::mem::take(&mut self.marked).into_iter().for_each(|case| case.tell(out));
        }
    }
}
