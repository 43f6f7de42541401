//! The table by which Newman sums up a collection on the console.
//!
//! ```text
//! │                requests │                  2 │                 1 │
//! ├─────────────────────────┼────────────────────┼───────────────────┤
//! │              assertions │                  4 │                 2 │
//! ```

use super::{ABOVE, Grip, Line, Reader};
use crate::item::{Item, TestRun, read_count};
use crate::report::{Counts, Outcome, TextLine};

pub(super) const NEEDLES: &[&str] = &["        assertions │"];

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Newman::default())
}

#[derive(Default)]
struct Newman {
    /// The rows above that of the assertions, the nearest first.
    above: Vec<TextLine>,
}

impl Reader for Newman {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let above = std::mem::take(&mut self.above);
        let Some(("assertions", total, failed)) = row(line.text) else { return Grip::Pass };
        let rows: Vec<_> = above.iter().filter_map(|line| Some((row(&line.text)?, line.span))).collect();
        let of = |name: &str| {
            rows.iter().find(|((known, ..), _)| *known == name).map(|((_, ran, failed), _)| (*ran, *failed))
        };
        // A request without an answer and a script that breaks are errors outside of any assertion.
        let outside = ["requests", "test-scripts", "prerequest-scripts"];
        let errored: u64 = outside.iter().filter_map(|name| of(name)).map(|(_, failed)| failed).sum();
        if of("requests").is_none() || failed > total {
            return Grip::Pass;
        }
        let span = rows.iter().fold(line.span, |span, (_, other)| other.join(span));
        let counts = Counts { total, passed: Some(total - failed), failed, errored, ..Counts::default() };
        let outcome = match counts.any_failed() {
            true => Outcome::Failed,
            false if total > 0 => Outcome::Passed,
            // Requests that were answered prove nothing, whatever the answers were.
            false => Outcome::Unknown,
        };
        out(Item::Tests(TestRun { tool: "newman", counts, span, outcome }));
        Grip::Take
    }

    fn end(&mut self, _out: &mut dyn FnMut(Item)) {}

    fn looks_back(&self) -> usize {
        ABOVE
    }

    fn above(&mut self, lines: Vec<TextLine>) {
        self.above = lines;
    }
}

/// A row of the table: what is counted, how many there were, and how many of them failed.
fn row(text: &str) -> Option<(&str, u64, u64)> {
    let mut cells = text.trim().strip_prefix('│')?.strip_suffix('│')?.split('│').map(str::trim);
    let row = (cells.next()?, read_count(cells.next()?)?, read_count(cells.next()?)?);
    cells.next().is_none().then_some(row)
}
