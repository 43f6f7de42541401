//! The console of TestNG at its higher levels: a line per method, the stack below it, and totals per suite.
//!
//! ```text
//! FAILED: sums
//! java.lang.AssertionError: with tax expected [13] but found [12]
//!     at org.testng.Assert.fail(Assert.java:94)
//! ```

use std::sync::LazyLock;

use crate::pattern::Regex;

use super::cases::{Case, MAX_HELD, is_jvm_frame, jvm_place};
use super::{Grip, Line, Reader};
use crate::item::Item;
use crate::pattern;
use crate::report::{Level, Signal};

pub(super) const NEEDLES: &[&str] = &["FAILED: ", "SKIPPED: ", "FAILED CONFIGURATION: ", "SKIPPED CONFIGURATION: "];

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(TestNg::default())
}

#[derive(Default)]
struct TestNg {
    case: Option<Case>,
    /// The block at hand is of a method that was skipped since another failed.
    skipped: bool,
    pending: bool,
}

static HEAD: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^(?P<word>FAILED|SKIPPED|PASSED)(?P<hook> CONFIGURATION)?: (?P<name>[@\w$.<>]+(?: ?\(.*\)| [\w.$]+)*(?: finished in \d+ ms)?)$",
    )
});

/// What TestNG says of a method whose expected exception did not come.
static EXPECTS: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^Method .* should have thrown an exception of|Expected exception of type "));

impl Reader for TestNg {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        if let Some(found) = HEAD.captures(text) {
            self.close(out);
            if &found["word"] == "PASSED" {
                return Grip::Pass;
            }
            let mut case = Case::new(found["name"].trim_end(), line);
            if found.name("hook").is_some() {
                case.level = Level::Suite;
                case.signal = Some(Signal::Hook);
            }
            self.case = Some(case);
            self.skipped = &found["word"] == "SKIPPED";
            self.pending = true;
            // What stands below tells whether it is a test: Bazel's last word looks like one.
            return Grip::Watch;
        }
        let Some(case) = &mut self.case else { return Grip::Pass };
        if is_jvm_frame(text) {
            case.frame(line, jvm_place(text));
            return Grip::Hold;
        }
        let starts = self.pending && is_thrown(text);
        let goes_on = case.stack && text.starts_with("Caused by: ") || !self.pending && !case.stack && !text.is_empty();
        if (starts || goes_on) && case.lines < MAX_HELD {
            self.pending = false;
            if EXPECTS.is_match(text) {
                case.signal = Some(Signal::Assertion);
                // Above it stands the type alone.
                case.text.retain(|line| !line.text.trim_end().ends_with(':'));
            } else if text.contains("ThreadTimeoutException") || text.contains("didn't finish within the time-out") {
                case.signal = Some(Signal::TestTimeout);
            }
            case.push(line);
            return Grip::Hold;
        }
        self.close(out);
        Grip::Pass
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.close(out);
    }
}

impl TestNg {
    fn close(&mut self, out: &mut dyn FnMut(Item)) {
        let Some(case) = self.case.take() else { return };
        // A heading without anything below it may be a word of something else.
        if self.pending || self.skipped || case.text.is_empty() {
            return;
        }
        case.tell(out);
    }
}

/// Whether a line names a type that was thrown: `java.lang.AssertionError: …`.
fn is_thrown(text: &str) -> bool {
    let name = text.split([':', ' ']).next().unwrap_or(text);
    name.contains('.') && ["Error", "Exception", "Throwable", "Failure"].iter().any(|end| name.ends_with(end))
}
