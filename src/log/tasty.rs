//! The console of Tasty, with which Haskell is tested.
//!
//! ```text
//! cart
//!   total: FAIL
//!     T.hs:4:
//!     expected: 42
//!      but got: 41
//!     Use -p '/total/' to rerun this test only.
//!
//! 1 out of 2 tests failed (0.00s)
//! ```
//!
//! A line that ends with `FAIL` is a case only once the totals or the hint below it tell whose it is.

use std::sync::LazyLock;

use crate::pattern::Regex;

use super::cases::{Case, counts, finish};
use super::{Grip, Line, Reader};
use crate::item::{Item, read_count};
use crate::pattern;
use crate::report::{FileRef, Signal};

pub(super) const NEEDLES: &[&str] = &[": FAIL", "  FAIL", " tests failed (", " tests passed (", "All 1 tests passed"];

/// How many lines one case may have, and how many cases wait for the totals.
const MAX_LINES: usize = 500;
const MAX_CASES: usize = 10_000;

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Tasty::default())
}

#[derive(Default)]
struct Tasty {
    case: Option<(usize, Case)>,
    /// Cases that are told once the totals come.
    cases: Vec<Case>,
    /// A hint told that the cases are Tasty's.
    sure: bool,
}

static FAIL: LazyLock<Regex> = LazyLock::new(|| pattern::regex(r"^\s*(?P<name>\S.*?):\s+FAIL(?: \([\d.]+s\))?$"));

static PLACE: LazyLock<Regex> = LazyLock::new(|| pattern::regex(r"^(?P<path>\S+\.l?hs):(?P<line>\d+):$"));

static TOTALS: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^(?:All (?P<passed>\d+) tests passed|(?P<failed>\d+) out of (?P<total>\d+) tests failed) \([\d.]+s\)$",
    )
});

impl Tasty {
    fn close(&mut self) {
        if let Some((_, case)) = self.case.take()
            && self.cases.len() < MAX_CASES
        {
            self.cases.push(case);
        }
    }
}

impl Reader for Tasty {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        if let Some(found) = TOTALS.captures(text) {
            self.close();
            std::mem::take(self).cases.into_iter().for_each(|case| case.tell(out));
            let number = |name: &str| found.name(name).and_then(|number| read_count(number.as_str())).unwrap_or(0u64);
            let total = number("passed").max(number("total"));
            finish("tasty", counts(total, number("failed"), 0, 0), false, line.span, out);
            return Grip::Take;
        }
        if let Some((indent, case)) = &mut self.case {
            if !text.is_empty() && line.indent() > *indent && case.lines < MAX_LINES {
                let said = text.trim();
                if said.starts_with("Use -p '") {
                    self.sure = true;
                    case.cover(line);
                } else if let Some(found) = PLACE.captures(said) {
                    case.frame(line, Some(FileRef::new(&found["path"], found["line"].parse().ok(), None)));
                } else if let Some(said) = said.strip_prefix("Exception: ") {
                    case.signal = Some(Signal::Unhandled);
                    case.push(Line { text: said, span: line.span });
                } else if said == "Timeout" || said.starts_with("Timed out after ") {
                    case.signal = Some(Signal::TestTimeout);
                    case.push(line);
                } else if said.starts_with("CallStack (from ")
                    || case.text.last().is_some() && said.contains(", called at ")
                {
                    case.cover(line);
                } else {
                    case.push(Line { text: said, span: line.span });
                }
                return Grip::Hold;
            }
            self.close();
        }
        if let Some(found) = FAIL.captures(text) {
            let mut case = Case::new(&found["name"], line);
            case.signal = Some(Signal::Assertion);
            self.case = Some((line.indent(), case));
            return Grip::Hold;
        }
        Grip::Pass
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.close();
        if self.sure {
            std::mem::take(self).cases.into_iter().for_each(|case| case.tell(out));
        }
    }
}
