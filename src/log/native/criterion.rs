//! The console of Criterion, which tests C and C++: what failed comes first, then the name of the case.
//!
//! ```text
//! [----] cart.c:3: Assertion Failed
//! [----]
//! [----]   total was 41
//! [----]
//! [FAIL] cart::total: (0.00s)
//! [====] Synthesis: Tested: 5 | Passing: 4 | Failing: 1 | Crashing: 0
//! ```

use std::sync::LazyLock;

use crate::pattern::Regex;

use super::super::cases::{Case, finish};
use super::super::{Grip, Line, Reader};
use crate::item::{Item, read_count};
use crate::pattern;
use crate::report::{Counts, FileRef, Signal, TextLine};

pub(in crate::log) const NEEDLES: &[&str] = &["[----] ", "[FAIL] ", "[====] Synthesis: "];

/// How many lines of one message are kept.
const MAX_LINES: usize = 200;

pub(in crate::log) fn open() -> Box<dyn Reader> {
    Box::new(Criterion::default())
}

#[derive(Default)]
struct Criterion {
    /// What the case at hand has said.
    said: Vec<TextLine>,
    file: Option<FileRef>,
}

static PLACE: LazyLock<Regex> = LazyLock::new(|| pattern::regex(r"^(?P<path>\S[^:]*):(?P<line>\d+): (?P<said>.*)$"));

static FAIL: LazyLock<Regex> = LazyLock::new(|| pattern::regex(r"^\[FAIL\] (?P<name>[\w:]+::\S+?): (?P<how>.*)$"));

static TOTALS: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^\[====\] Synthesis: Tested: (?P<total>\d+) \| Passing: (?P<passed>\d+) \| Failing: (?P<failed>\d+) \| Crashing: \d+$",
    )
});

impl Reader for Criterion {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        if let Some(rest) = text.strip_prefix("[----]") {
            let said = rest.trim();
            if let Some(found) = PLACE.captures(said) {
                let place = || FileRef::new(&found["path"], found["line"].parse().ok(), None);
                self.file.get_or_insert_with(place);
            }
            if !said.is_empty() && self.said.len() < MAX_LINES {
                self.said.push(TextLine { text: said.to_owned(), span: line.span });
            }
            return Grip::Take;
        }
        if let Some(found) = FAIL.captures(text) {
            let Criterion { said, file } = std::mem::take(self);
            let how = &found["how"];
            let mut case = Case::new(&found["name"], line);
            case.file = file;
            case.signal = Some(match () {
                () if how.contains("imed out") => Signal::TestTimeout,
                () if how.contains("CRASH") => Signal::Crash,
                () if said.iter().any(|line| line.text.contains("exception")) => Signal::Unhandled,
                () => Signal::Assertion,
            });
            // The heading of an assertion tells only where it stands.
            let heading = |line: &TextLine| line.text.ends_with(": Assertion Failed");
            let (heads, words): (Vec<_>, Vec<_>) = said.into_iter().partition(heading);
            case.text = words.into_iter().chain(heads).collect();
            case.tell(out);
            return Grip::Take;
        }
        if let Some(found) = TOTALS.captures(text) {
            let number = |name: &str| read_count(&found[name]).unwrap_or(0);
            let (total, failed) = (number("total"), number("failed"));
            let counts = Counts { total, passed: Some(number("passed")), failed, ..Counts::default() };
            finish("criterion", counts, false, line.span, out);
            *self = Criterion::default();
            return Grip::Take;
        }
        Grip::Pass
    }

    fn end(&mut self, _out: &mut dyn FnMut(Item)) {}
}
