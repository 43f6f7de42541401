//! XCTest and Swift Testing.
//!
//! XCTest prints its totals for each nested suite, and counts failed expectations and not cases, so that the cases
//! are counted by their own lines.

use std::sync::LazyLock;

use crate::pattern::Regex;

use super::cases::{Case, counts, finish};
use super::{Grip, Line, Reader};
use crate::item::{Item, read_count};
use crate::pattern;
use crate::report::FileRef;

pub(super) const NEEDLES: &[&str] = &[
    ": error: -[",
    ": error: ",
    "Test Case '",
    "Executed ",
    "Test Suite '",
    " recorded an issue at ",
    "Test run with ",
];

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Swift::default())
}

#[derive(Default)]
struct Swift {
    failed: u64,
    /// The outermost suite ended, and its totals follow.
    last: bool,
}

static ERROR: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^(?P<path>\S.*?\.(?:swift|m|mm)):(?P<line>\d+): error: (?:-\[(?P<name>[\w.]+ \w+)\]|(?P<dotted>[A-Z]\w*(?:\.\w+)+)) : (?P<message>.+)$",
    )
});

static ISSUE: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^\S+\s+Test (?P<name>\S.*?) recorded an issue(?: with .*?)? at (?P<path>[^\s:]+):(?P<line>\d+):(?P<column>\d+): (?P<message>.+)$",
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

impl Reader for Swift {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        if let Some(found) = ERROR.captures(text).or_else(|| ISSUE.captures(text)) {
            let name = found.name("name").or_else(|| found.name("dotted")).map_or("", |name| name.as_str());
            let mut case = Case::new(name.replace(' ', "."), line);
            case.file = Some(FileRef::new(&found["path"], found["line"].parse().ok(), None));
            let message = found.name("message").map_or("", |message| message.as_str());
            case.push(Line { text: message, span: line.span });
            case.tell(out);
            return Grip::Take;
        }
        if text.starts_with("Test Case '") {
            self.failed += u64::from(text.contains("' failed ("));
            return Grip::Take;
        }
        if text.starts_with("Test Suite '") {
            let outer = text.starts_with("Test Suite 'All tests' ") || text.starts_with("Test Suite 'Selected tests' ");
            self.last = outer && !text.contains("' started");
            return Grip::Take;
        }
        if let Some(found) = EXECUTED.captures(text) {
            let number = |name: &str| found.name(name).and_then(|number| read_count(number.as_str())).unwrap_or(0);
            if std::mem::take(&mut self.last) {
                let failed = std::mem::take(&mut self.failed);
                let sum = counts(number("total"), failed, 0, number("skipped"));
                finish("xctest", sum, number("failures") > 0, line.span, out);
            }
            return Grip::Take;
        }
        if let Some(found) = RUN.captures(text) {
            let total: u64 = read_count(&found["total"]).unwrap_or(0);
            // A package without any test of this sort says so as well.
            if total > 0 {
                let failed = &found["word"] == "failed";
                let issues = found.name("issues").and_then(|number| read_count(number.as_str())).unwrap_or(0);
                finish("swift-testing", counts(total, if failed { issues } else { 0 }, 0, 0), failed, line.span, out);
            }
            return Grip::Take;
        }
        Grip::Pass
    }

    fn end(&mut self, _out: &mut dyn FnMut(Item)) {}
}
