//! The console of Boost.Test.
//!
//! ```text
//! Running 5 test cases...
//! cart.cpp(5): error: in "cart/total": check 41 == 42 has failed [41 != 42]
//! unknown location(0): fatal error: in "cart/boom": std::runtime_error: no database
//!
//! *** 2 failures are detected in the test module "shop"
//! ```
//!
//! The last line counts assertions. How many cases failed is told only with `--report_level`, so that cases are
//! counted by their names.

use std::sync::LazyLock;

use crate::pattern::Regex;

use super::super::cases::{Case, counts, finish};
use super::super::{Grip, Line, Reader};
use crate::item::{Item, Step, read_count};
use crate::pattern;
use crate::report::{FileRef, Signal};

pub(in crate::log) const NEEDLES: &[&str] =
    &[" test case...", " test cases...", "error: in \"", "*** No errors detected", "Test module \""];

/// How many names of failed cases are told apart.
const MAX_CASES: usize = 20_000;

/// How many lines of others may follow before the run is given up.
const PATIENCE: u32 = 5000;

pub(in crate::log) fn open() -> Box<dyn Reader> {
    Box::new(Boost::default())
}

#[derive(Default)]
struct Boost {
    /// How many cases run, by the module's own word.
    total: Option<u64>,
    /// The case at hand, with the lines of a message that goes on.
    case: Option<Case>,
    /// The names of those that failed.
    failed: Vec<String>,
    idle: u32,
}

static RUNNING: LazyLock<Regex> = LazyLock::new(|| pattern::regex(r"^Running (?P<total>\d+) test cases?\.\.\.$"));

static FAILURE: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r#"^(?P<path>.+?)\((?P<line>\d+)\): (?P<word>fatal error|error): in "(?P<name>[^"]+)": (?P<said>.*)$"#,
    )
});

static END: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r#"^\*\*\* (?:No errors detected|(?:\d+ )?failures? (?:is|are) detected|Errors? (?:were|was) detected)(?: in (?:the )?test (?:module|suite)|$)|^Test module "[^"]+" has (?:passed|failed|been aborted)"#,
    )
});

impl Boost {
    fn close(&mut self, out: &mut dyn FnMut(Item)) {
        if let Some(case) = self.case.take() {
            case.tell(out);
        }
    }

    fn failure(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> bool {
        let Some(found) = FAILURE.captures(line.text) else { return false };
        self.close(out);
        let name = &found["name"];
        if self.failed.iter().any(|known| known == name) {
            // A further check of the same case.
            return true;
        }
        if self.failed.len() < MAX_CASES {
            self.failed.push(name.to_owned());
        }
        let said = &found["said"];
        let mut case = Case::new(name, line);
        let place = found["line"].parse().ok().filter(|line| *line > 0u64);
        case.file = place.map(|line| FileRef::new(&found["path"], Some(line), None));
        case.signal = Some(match () {
            () if said.contains("timeout while executing") || said.contains("timed out") => Signal::TestTimeout,
            () if said.starts_with("memory access violation")
                || said.starts_with("signal: ")
                || said.contains("non-recoverable") =>
            {
                Signal::Crash
            }
            // What was thrown begins with its type.
            () if place.is_none() || said.contains("unexpected exception") => Signal::Unhandled,
            () => Signal::Assertion,
        });
        case.push(Line { text: said, span: line.span });
        self.case = Some(case);
        true
    }
}

impl Reader for Boost {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        if let Some(found) = RUNNING.captures(text) {
            self.close(out);
            *self = Boost { total: read_count(&found["total"]), ..Boost::default() };
            out(Item::Step(Step { name: "boost".to_owned(), span: line.span, command: true, ..Step::default() }));
            return Grip::Watch;
        }
        if self.failure(line, out) {
            self.idle = 0;
            return Grip::Hold;
        }
        if END.is_match(text) && (self.total.is_some() || !self.failed.is_empty()) {
            self.close(out);
            let Boost { total, failed, .. } = std::mem::take(self);
            let failed = failed.len() as u64;
            let mut sum = counts(total.unwrap_or(failed).max(failed), failed, 0, 0);
            sum.passed = sum.passed.filter(|_| total.is_some());
            let passed = text.contains("No errors detected") || text.contains(" has passed");
            finish("boost", sum, !passed, line.span, out);
            return Grip::Take;
        }
        if let Some(case) = &mut self.case {
            // Where it was last; and the values that a message goes on with.
            if text.contains("last checkpoint") || text.starts_with("Failure occurred in a following context:") {
                case.cover(line);
                return Grip::Hold;
            }
            if line.indent() > 0 && case.lines < 40 {
                case.push(line);
                return Grip::Hold;
            }
            self.close(out);
        }
        self.idle += 1;
        if self.total.is_some() && self.idle < PATIENCE { Grip::Watch } else { Grip::Pass }
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.close(out);
    }
}
