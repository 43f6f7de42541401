//! The console of shunit2, which tests shell scripts: the name of each test, what did not hold, the number of tests.
//!
//! ```text
//! testTotal
//! ASSERT:totals differ expected:<3> but was:<2>
//!
//! Ran 6 tests.
//!
//! FAILED (failures=9,skipped=1)
//! ```
//!
//! The last line counts expectations. Cases that failed are counted by their names.

use std::sync::LazyLock;

use crate::pattern::Regex;

use super::super::cases::{Case, counts, finish};
use super::super::{ABOVE, Above, Grip, Line, Reader};
use crate::item::{Item, read_count};
use crate::pattern;
use crate::report::Signal;

pub(in crate::log) const NEEDLES: &[&str] = &["ASSERT:", " tests.$", "Ran 1 test."];

/// How many lines may stand between the last test and the verdict.
const PATIENCE: u32 = 10;

pub(in crate::log) fn open() -> Box<dyn Reader> {
    Box::new(Shunit::default())
}

#[derive(Default)]
struct Shunit {
    /// The line above, which may be the name of a test.
    above: Option<String>,
    name: String,
    case: Option<Case>,
    failed: u64,
    total: Option<u64>,
    idle: u32,
}

static RAN: LazyLock<Regex> = LazyLock::new(|| pattern::regex(r"^Ran (?P<total>\d+) tests?\.$"));

static END: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(r"^(?P<end>OK|FAILED)(?: \((?:failures=(?P<failures>\d+))?,?(?:skipped=(?P<skipped>\d+))?\))?$")
});

impl Shunit {
    fn close(&mut self, out: &mut dyn FnMut(Item)) {
        if let Some(case) = self.case.take() {
            case.tell(out);
        }
    }
}

/// Whether a line is the name of a function.
fn is_name(text: &str) -> bool {
    text.len() > 4 && text.starts_with("test") && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

impl Reader for Shunit {
    fn looks_back(&self) -> usize {
        if self.name.is_empty() { ABOVE } else { 0 }
    }

    fn above(&mut self, above: Above<'_>) {
        self.above = above.map(|line| line.text.as_str()).find(|text| is_name(text.trim_end())).map(str::to_owned);
    }

    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text.trim_end();
        if let Some(said) = text.strip_prefix("ASSERT:") {
            if let Some(name) = self.above.take() {
                self.name = name;
            }
            if self.case.is_none() {
                self.failed += 1;
                let mut case = Case::new(self.name.clone(), line);
                case.signal = Some(Signal::Assertion);
                self.case = Some(case);
            }
            if let Some(case) = &mut self.case {
                case.push(Line { text: said, span: line.span });
            }
            self.idle = 0;
            return Grip::Watch;
        }
        if is_name(text) {
            self.close(out);
            text.clone_into(&mut self.name);
            self.idle = 0;
            return Grip::Watch;
        }
        if let Some(found) = RAN.captures(text) {
            self.close(out);
            self.total = read_count(&found["total"]);
            self.idle = 0;
            return Grip::Watch;
        }
        if let Some(total) = self.total
            && let Some(found) = END.captures(text)
        {
            let number = |name: &str| found.name(name).and_then(|number| read_count(number.as_str())).unwrap_or(0);
            // An expectation that is skipped is no test of its own.
            let failed = self.failed.max(u64::from(&found["end"] == "FAILED")).min(total);
            let skipped = number("skipped").min(total - failed);
            finish("shunit2", counts(total, failed, 0, skipped), &found["end"] == "FAILED", line.span, out);
            *self = Shunit::default();
            return Grip::Take;
        }
        self.idle += 1;
        let waits = if self.total.is_some() { self.idle < PATIENCE } else { !self.name.is_empty() && self.idle < 5000 };
        if !waits {
            self.close(out);
            *self = Shunit::default();
            return Grip::Pass;
        }
        Grip::Watch
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.close(out);
    }
}
