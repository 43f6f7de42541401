//! The console of tcltest, with which Tcl and many programs of its kin are tested.
//!
//! ```text
//! ==== cart-1.1 the total FAILED
//! ==== Contents of test case:
//!  expr {40 + 1}
//! ---- Result was:
//! 41
//! ---- Result should have been (exact matching):
//! 42
//! ==== cart-1.1 FAILED
//! ```

use std::sync::LazyLock;

use crate::pattern::Regex;

use super::cases::{Case, MAX_HELD, counts, finish};
use super::{Grip, Line, Reader};
use crate::item::{Item, read_count};
use crate::pattern;
use crate::report::Signal;

pub(super) const NEEDLES: &[&str] = &["==== Contents of test case:", "\tTotal\t"];

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Tcltest::default())
}

#[derive(Default)]
struct Tcltest {
    /// The case at hand; its name stands at the end of its block.
    case: Option<Case>,
    section: Section,
}

/// What the lines below a heading hold.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Section {
    /// The code of the test.
    #[default]
    Code,
    Said,
    /// What was thrown, and where.
    Trace,
}

static END: LazyLock<Regex> = LazyLock::new(|| pattern::regex(r"^==== (?P<name>\S+) FAILED$"));

static TOTALS: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^\S[^\t]*:\tTotal\t(?P<total>\d+)\tPassed\t\d+\tSkipped\t(?P<skipped>\d+)\tFailed\t(?P<failed>\d+)$",
    )
});

impl Reader for Tcltest {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        if let Some(found) = TOTALS.captures(text) {
            self.close(out);
            let number = |name: &str| read_count(&found[name]).unwrap_or(0);
            let sum = counts(number("total"), number("failed"), 0, number("skipped"));
            finish("tcltest", sum, false, line.span, out);
            return Grip::Take;
        }
        if text == "==== Contents of test case:" {
            self.close(out);
            self.case = Some(Case::new("", line));
            self.section = Section::Code;
            return Grip::Hold;
        }
        let Some(case) = &mut self.case else { return Grip::Pass };
        if let Some(found) = END.captures(text) {
            found["name"].clone_into(&mut case.name);
            self.close(out);
            return Grip::Take;
        }
        if case.lines > MAX_HELD {
            self.close(out);
            return Grip::Pass;
        }
        if let Some(heading) = text.strip_prefix("---- ") {
            if let Some(thrown) = heading.strip_prefix("errorInfo: ") {
                case.signal = Some(Signal::Unhandled);
                self.section = Section::Trace;
                // What was thrown comes before the headings that were read.
                case.text.insert(0, Line { text: thrown, span: line.span }.to_text());
                case.cover(line);
                return Grip::Hold;
            }
            self.section = Section::Said;
            case.signal = case.signal.or(Some(Signal::Assertion));
            case.push(Line { text: heading, span: line.span });
        } else if self.section == Section::Said {
            case.push(line);
        } else {
            case.cover(line);
        }
        Grip::Hold
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.close(out);
    }
}

impl Tcltest {
    fn close(&mut self, out: &mut dyn FnMut(Item)) {
        if let Some(case) = self.case.take() {
            case.tell(out);
        }
    }
}
