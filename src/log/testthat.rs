//! The reporters of testthat, with which packages of R are tested.
//!
//! ```text
//! [ FAIL 1 | WARN 0 | SKIP 1 | PASS 2 ]
//!
//! ══ Failed tests ════════════════════════════════════════════════════════════════
//! ── Failure ('test-cart.R:2'): total is right ───────────────────────────────────
//! 41 not equal to 42.
//! ```
//!
//! The totals stand before the failures and are repeated behind them. They count expectations.

use std::sync::LazyLock;

use crate::pattern::Regex;

use super::cases::{Case, MAX_HELD, counts, finish};
use super::{Grip, Line, Reader};
use crate::item::{Item, Mark, Scope, read_count};
use crate::pattern;
use crate::report::{FileRef, Outcome, Signal};

pub(super) const NEEDLES: &[&str] = &[
    "[ FAIL ",
    "Failure ('",
    "Error ('",
    "Failure (test",
    "Error (test",
    "Failure (???)",
    "Error (???)",
    " (@test-",
    " (@test_",
    "══ DONE ═",
    "== DONE ==",
];

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Testthat::default())
}

#[derive(Default)]
struct Testthat {
    case: Option<Case>,
    /// Behind the trace of a call.
    trace: bool,
    /// Totals that were told: the next line of the same words repeats them.
    told: String,
    /// Something failed since the last totals.
    failed: bool,
}

/// `── Failure ('test-cart.R:2:3'): total is right ────`, `── 1. Error: total (@test-cart.R#2) ────`; with ASCII signs,
/// and without the ruler.
static HEAD: LazyLock<Regex> = LazyLock::new(|| {
    let ruler = r"^(?:(?:──|--) )?(?:\d+\. )?(?P<word>Failure|Error)";
    let new = r"(?: \((?:\?\?\?|'?(?P<path>[^':()]+\.[Rr])(?::(?P<line>\d+))?(?::\d+)?'?)\)): (?P<name>.*?)";
    let old = r": (?P<title>\S.*?) \(@(?P<file>[^()#]+)#(?P<row>\d+)\)";
    pattern::regex(&format!("{ruler}(?:{new}|{old})(?: [─-]{{2,}})?$"))
});

static TOTALS: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(r"^\[ FAIL (?P<failed>\d+) \| WARN \d+ \| SKIP (?P<skipped>\d+) \| PASS (?P<passed>\d+) \]$")
});

impl Testthat {
    fn close(&mut self, out: &mut dyn FnMut(Item)) {
        self.trace = false;
        if let Some(case) = self.case.take() {
            self.failed = true;
            case.tell(out);
        }
    }
}

impl Reader for Testthat {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        if let Some(found) = HEAD.captures(text) {
            self.close(out);
            let part = |name: &str, other: &str| found.name(name).or(found.name(other)).map(|part| part.as_str());
            let mut case = Case::new(part("name", "title").unwrap_or("").trim(), line);
            let row = part("line", "row").and_then(|row| row.parse().ok());
            case.file = part("path", "file").map(|path| FileRef::new(path, row, None));
            let failed = &found["word"] == "Failure";
            case.signal = Some(if failed { Signal::Assertion } else { Signal::Unhandled });
            self.case = Some(case);
            return Grip::Hold;
        }
        // The last word of the reporter that tells no totals.
        if text.trim_start_matches(['═', '=']).starts_with(" DONE ") {
            self.close(out);
            if !std::mem::take(&mut self.failed) {
                let text = text.to_owned();
                out(Item::Mark(Mark {
                    scope: Scope::Tool,
                    outcome: Outcome::Passed,
                    status: None,
                    text,
                    span: line.span,
                }));
            }
            return Grip::Take;
        }
        if let Some(found) = TOTALS.captures(text) {
            self.close(out);
            self.failed = false;
            if self.told == text {
                self.told.clear();
                return Grip::Take;
            }
            text.clone_into(&mut self.told);
            let number = |name: &str| read_count(&found[name]).unwrap_or(0);
            let (failed, skipped) = (number("failed"), number("skipped"));
            finish("testthat", counts(number("passed") + failed + skipped, failed, 0, skipped), false, line.span, out);
            return Grip::Take;
        }
        let Some(case) = &mut self.case else { return Grip::Pass };
        let over = ["──", "══", "--", "==", "[ FAIL ", "Skip (", "Warning (", "Execution halted", "Error: "]
            .iter()
            .any(|sign| text.starts_with(sign));
        if over || case.lines > MAX_HELD {
            self.close(out);
            return Grip::Pass;
        }
        self.trace |= text.starts_with("Backtrace:");
        if self.trace || text.is_empty() {
            case.cover(line);
        } else {
            case.push(line);
        }
        Grip::Hold
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.close(out);
    }
}
