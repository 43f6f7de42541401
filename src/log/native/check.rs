//! The console of libcheck: the totals come first, then a line for each test that failed.
//!
//! ```text
//! 25%: Checks: 8, Failures: 3, Errors: 3
//! cart.c:6:F:core:totals:0: Assertion '1 + 1 == 3' failed: 1 + 1 == 2, 3 == 3
//! cart.c:8:E:core:segv:0: (after this point) Received signal 11 (Segmentation fault)
//! ```

use std::sync::LazyLock;

use crate::pattern::Regex;

use super::super::cases::{Case, counts, finish};
use super::super::{Grip, Line, Reader};
use crate::item::{Item, read_count};
use crate::pattern;
use crate::report::{Counts, FileRef, Signal, Span};

pub(in crate::log) const NEEDLES: &[&str] = &["%: Checks: "];

pub(in crate::log) fn open() -> Box<dyn Reader> {
    Box::new(Check::default())
}

#[derive(Default)]
struct Check {
    totals: Option<(Counts, Span)>,
}

static TOTALS: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(r"^\d+%: Checks: (?P<total>\d+), Failures: (?P<failed>\d+), Errors: (?P<errors>\d+)$")
});

static TEST: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^(?P<path>[^:]+):(?P<line>\d+):(?P<how>[PFES]):(?P<case>[^:]*):(?P<name>[^:]*):\d+: ?(?P<said>.*)$",
    )
});

impl Check {
    fn finish(&mut self, out: &mut dyn FnMut(Item)) {
        if let Some((counts, span)) = self.totals.take() {
            finish("check", counts, false, span, out);
        }
    }
}

impl Reader for Check {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        if let Some(found) = TOTALS.captures(line.text) {
            self.finish(out);
            let number = |name: &str| read_count(&found[name]).unwrap_or(0);
            self.totals = Some((counts(number("total"), number("failed"), number("errors"), 0), line.span));
            return Grip::Hold;
        }
        let Some((_, span)) = &mut self.totals else { return Grip::Pass };
        let Some(found) = TEST.captures(line.text) else {
            self.finish(out);
            return Grip::Pass;
        };
        *span = span.join(line.span);
        let said = &found["said"];
        if matches!(&found["how"], "F" | "E") {
            let (suite, name) = (&found["case"], &found["name"]);
            let mut case = Case::new(if suite.is_empty() { name.to_owned() } else { format!("{suite}:{name}") }, line);
            case.file = Some(FileRef::new(&found["path"], found["line"].parse().ok(), None));
            case.signal = Some(match &found["how"] {
                _ if said.contains("Test timeout expired") => Signal::TestTimeout,
                "E" if said.contains("Received signal ") || said.contains("Early exit") => Signal::Crash,
                "E" => Signal::Unhandled,
                _ => Signal::Assertion,
            });
            case.push(Line { text: said, span: line.span });
            case.tell(out);
        }
        Grip::Hold
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.finish(out);
    }
}
