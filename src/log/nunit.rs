//! The consoles of NUnit: the list of failures, and the summary behind it.
//!
//! ```text
//! 1) Failed : Shop.Tests.CartTests.Totals
//!   Expected: 12
//!   But was:  10
//! at Shop.Tests.CartTests.Totals() in /srv/tests/CartTests.cs:line 12
//! ```

use std::sync::LazyLock;

use crate::pattern::Regex;

use super::cases::{Case, MAX_HELD, counts, finish};
use super::{Grip, Line, Reader};
use crate::item::{Item, read_count};
use crate::pattern;
use crate::report::{FileRef, Signal};

pub(super) const NEEDLES: &[&str] =
    &["Errors, Failures and Warnings", "Errors and Failures:", "Test Count: ", "Tests run: "];

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Nunit::default())
}

#[derive(Default)]
struct Nunit {
    list: bool,
    case: Option<Case>,
    held: usize,
}

static ENTRY: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^\d+\) (?P<word>Failed|Error|Invalid|SetUp Error|TearDown Error|SetUp Failure|Test Failure|Test Error|Warning|Ignored|NotRunnable) : (?P<name>\S.*)$",
    )
});

static COUNT: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^\s*Test Count: (?P<total>\d+), Pass(?:ed)?: (?P<passed>\d+), Fail(?:ed)?: (?P<failed>\d+)(?:, Warn(?:ings)?: \d+)?, Inconclusive: (?P<open>\d+), Skip(?:ped)?: (?P<skipped>\d+)",
    )
});

/// NUnit 2: `Tests run: 4, Errors: 1, Failures: 1, Inconclusive: 0, Time: 0.1 seconds`.
static OLD: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^Tests run: (?P<total>\d+), Errors: (?P<errors>\d+), Failures: (?P<failed>\d+), Inconclusive: (?P<open>\d+), Time: ",
    )
});

static PLACE: LazyLock<Regex> = LazyLock::new(|| pattern::regex(r" in (?P<path>\S.*?):(?:line )?(?P<line>\d+)$"));

impl Nunit {
    fn flush(&mut self, out: &mut dyn FnMut(Item)) {
        if let Some(case) = self.case.take() {
            case.tell(out);
        }
    }
}

impl Reader for Nunit {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        let number = |found: &pattern::Captures<'_>, name: &str| {
            found.name(name).and_then(|number| read_count(number.as_str())).unwrap_or(0)
        };
        if let Some(found) = COUNT.captures(text) {
            self.flush(out);
            self.list = false;
            let skipped = number(&found, "skipped") + number(&found, "open");
            finish(
                "nunit",
                counts(number(&found, "total"), number(&found, "failed"), 0, skipped),
                false,
                line.span,
                out,
            );
            return Grip::Take;
        }
        if let Some(found) = OLD.captures(text) {
            let sum = counts(
                number(&found, "total"),
                number(&found, "failed"),
                number(&found, "errors"),
                number(&found, "open"),
            );
            finish("nunit", sum, false, line.span, out);
            return Grip::Take;
        }
        if text.starts_with("Errors, Failures and Warnings") || text == "Errors and Failures:" {
            self.list = true;
            self.held = 0;
            return Grip::Hold;
        }
        if !self.list {
            return Grip::Pass;
        }
        self.held += 1;
        let over = ["Run Settings", "Test Run Summary", "Tests Not Run:"].iter().any(|word| text.starts_with(word));
        if over || self.held > MAX_HELD {
            self.flush(out);
            self.list = false;
            return Grip::Pass;
        }
        if let Some(found) = ENTRY.captures(text) {
            self.flush(out);
            let word = &found["word"];
            if !matches!(word, "Warning" | "Ignored" | "NotRunnable") {
                let mut case = Case::new(&found["name"], line);
                case.signal = word.contains("Fail").then_some(Signal::Assertion);
                self.case = Some(case);
            }
            return Grip::Hold;
        }
        if let Some(case) = &mut self.case {
            let trimmed = text.trim_start();
            if trimmed.starts_with("at ") {
                let place = PLACE.captures(trimmed);
                case.frame(line, place.map(|found| FileRef::new(&found["path"], found["line"].parse().ok(), None)));
            } else {
                case.push(line);
            }
        }
        Grip::Hold
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.flush(out);
    }
}
