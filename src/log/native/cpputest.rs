//! The console of CppUTest.
//!
//! ```text
//! cart.cpp:5: error: Failure in TEST(Cart, total)
//!     LONGS_EQUAL(42, 41) failed
//!     expected <42 (0x2a)>
//!     but was  <41 (0x29)>
//!
//! Errors (1 failures, 5 tests, 4 ran, 4 checks, 1 ignored, 0 filtered out, 1 ms)
//! ```

use std::sync::LazyLock;

use crate::pattern::Regex;

use super::super::cases::{Case, MAX_HELD, counts, finish};
use super::super::{Grip, Line, Reader};
use crate::item::{Item, read_count};
use crate::pattern;
use crate::report::{FileRef, Signal};

pub(in crate::log) const NEEDLES: &[&str] = &[": error: Failure in TEST(", " filtered out, "];

pub(in crate::log) fn open() -> Box<dyn Reader> {
    Box::new(CppUTest::default())
}

#[derive(Default)]
struct CppUTest {
    case: Option<Case>,
}

static HEAD: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^(?P<path>.+?):(?P<line>\d+): error: Failure in (?:IGNORE_)?TEST\((?P<group>[^,()]+), (?P<name>[^()]+)\)$",
    )
});

static TOTALS: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^(?P<end>OK|Errors) \((?:(?P<failed>\d+) failures?, )?(?P<total>\d+) tests?, (?P<ran>\d+) ran, \d+ checks?, (?P<ignored>\d+) ignored, (?P<out>\d+) filtered out, \d+ ms\)$",
    )
});

impl CppUTest {
    fn close(&mut self, out: &mut dyn FnMut(Item)) {
        if let Some(case) = self.case.take() {
            case.tell(out);
        }
    }
}

impl Reader for CppUTest {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        if let Some(found) = HEAD.captures(text) {
            self.close(out);
            let mut case = Case::new(format!("{}.{}", &found["group"], &found["name"]), line);
            case.file = Some(FileRef::new(&found["path"], found["line"].parse().ok(), None));
            case.signal = Some(Signal::Assertion);
            self.case = Some(case);
            return Grip::Hold;
        }
        if let Some(found) = TOTALS.captures(text) {
            self.close(out);
            let number = |name: &str| found.name(name).and_then(|number| read_count(number.as_str())).unwrap_or(0u64);
            // Those that a filter left out do not belong to the run.
            let total = number("total").saturating_sub(number("out"));
            let sum = counts(total, number("failed"), 0, number("ignored"));
            finish("cpputest", sum, &found["end"] == "Errors", line.span, out);
            return Grip::Take;
        }
        match &mut self.case {
            Some(case) if line.indent() > 0 && case.lines < MAX_HELD => {
                if text.contains("nexpected exception") {
                    case.signal = Some(Signal::Unhandled);
                }
                case.push(Line { text: text.trim(), span: line.span });
                Grip::Hold
            }
            _ => {
                self.close(out);
                Grip::Pass
            }
        }
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.close(out);
    }
}
