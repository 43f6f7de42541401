//! The console of Newman: the table by which it sums up a collection, and the list of failures below it.
//!
//! ```text
//! │                requests │                  2 │                 1 │
//! ├─────────────────────────┼────────────────────┼───────────────────┤
//! │              assertions │                  4 │                 2 │
//! └─────────────────────────┴────────────────────┴───────────────────┘
//!
//!   #  failure         detail
//!
//!  1.  AssertionError  status is 201
//!                      expected response to have status code 201 but got 200
//!                      at assertion:0 in test-script
//!                      inside "up"
//! ```

use super::runner::is_outside;
use super::{ABOVE, Above, Grip, Line, Reader};
use crate::format::newman::complete;
use crate::item::{Item, TestRun, read_count};
use crate::report::{Counts, Failure, Level, Outcome, Signal, Span, TextLine};

pub(super) const NEEDLES: &[&str] = &["prerequest-scripts"];

/// How many lines of one failure are kept.
const MAX_LINES: usize = 60;

/// How many empty lines may follow the table.
const PATIENCE: u32 = 6;

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Newman::default())
}

#[derive(Default)]
struct Newman {
    /// The rows above the one that woke the reader, the nearest first.
    above: Vec<TextLine>,
    run: Option<Run>,
}

/// A run of which the table is being read, or what stands below it.
struct Run {
    /// What was counted, how many there were, and how many of them failed.
    rows: Vec<(String, u64, u64)>,
    counts: Option<Counts>,
    span: Span,
    /// Where the columns of the list of failures begin, in characters.
    columns: Option<(usize, usize)>,
    row: Option<Row>,
    idle: u32,
}

/// A row of the list of failures.
struct Row {
    kind: String,
    detail: Vec<TextLine>,
    span: Span,
}

impl Reader for Newman {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let Some(run) = &mut self.run else { return self.begin(line) };
        if let Some((name, ran, failed)) = row(line.text) {
            run.span = run.span.join(line.span);
            run.rows.push((name.to_owned(), ran, failed));
            if name == "assertions" {
                run.counts = run.counts();
            }
            return Grip::Hold;
        }
        let trimmed = line.trimmed();
        if is_outside(line.text) || run.counts.is_none() && !is_drawn(trimmed) {
            self.finish(out);
            return Grip::Pass;
        }
        if is_drawn(trimmed) {
            return Grip::Hold;
        }
        if trimmed.is_empty() {
            run.idle += 1;
            if run.idle > PATIENCE && run.columns.is_none() {
                self.finish(out);
                return Grip::Pass;
            }
            return Grip::Hold;
        }
        let Some((kind, detail)) = run.columns else {
            run.columns = heading(line.text);
            if run.columns.is_none() {
                self.finish(out);
                return Grip::Pass;
            }
            return Grip::Hold;
        };
        let number = part(line.text, 0, kind).trim();
        if let Some(number) = number.strip_suffix('.')
            && read_count(number).is_some()
        {
            run.tell(out);
            run.row = Some(Row { kind: String::new(), detail: Vec::new(), span: line.span });
        } else if !number.is_empty() {
            self.finish(out);
            return Grip::Pass;
        }
        if let Some(row) = &mut run.row {
            row.span = row.span.join(line.span);
            row.kind.push_str(part(line.text, kind, detail).trim());
            let text = part(line.text, detail, usize::MAX).trim_end();
            if row.detail.len() < MAX_LINES {
                row.detail.push(TextLine { text: text.to_owned(), span: line.span });
            }
        }
        Grip::Hold
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.finish(out);
    }

    fn looks_back(&self) -> usize {
        if self.run.is_none() { ABOVE } else { 0 }
    }

    fn above(&mut self, above: Above<'_>) {
        self.above = above.cloned().collect();
    }
}

impl Newman {
    /// Begins with the row in the middle of the table.
    fn begin(&mut self, line: Line<'_>) -> Grip {
        let above = std::mem::take(&mut self.above);
        let Some((name @ "prerequest-scripts", ran, failed)) = row(line.text) else { return Grip::Pass };
        let mut rows = vec![(name.to_owned(), ran, failed)];
        let mut span = line.span;
        for line in above {
            if let Some((name, ran, failed)) = row(&line.text) {
                rows.push((name.to_owned(), ran, failed));
                span = line.span.join(span);
            }
        }
        if !rows.iter().any(|(name, ..)| name == "requests") {
            return Grip::Pass;
        }
        self.run = Some(Run { rows, counts: None, span, columns: None, row: None, idle: 0 });
        Grip::Hold
    }

    fn finish(&mut self, out: &mut dyn FnMut(Item)) {
        let Some(mut run) = self.run.take() else { return };
        run.tell(out);
        let Some(counts) = run.counts else { return };
        let outcome = match counts.any_failed() {
            true => Outcome::Failed,
            false if counts.total > 0 => Outcome::Passed,
            // Requests that were answered prove nothing, whatever the answers were.
            false => Outcome::Unknown,
        };
        out(Item::Tests(TestRun { tool: "newman", counts, span: run.span, outcome }));
    }
}

impl Run {
    /// The totals, once the row of the assertions was told.
    fn counts(&self) -> Option<Counts> {
        let of =
            |wanted: &str| self.rows.iter().find(|(name, ..)| name == wanted).map(|(_, ran, failed)| (*ran, *failed));
        let (total, failed) = of("assertions")?;
        // A request without an answer and a script that breaks are errors outside of any assertion.
        let outside = ["requests", "test-scripts", "prerequest-scripts"];
        let errored: u64 = outside.iter().filter_map(|name| of(name)).map(|(_, failed)| failed).sum();
        let passed = Some(total.checked_sub(failed)?);
        Some(Counts { total, passed, failed, errored, ..Counts::default() })
    }

    /// Tells of the failure at hand.
    fn tell(&mut self, out: &mut dyn FnMut(Item)) {
        let Some(Row { kind, mut detail, span }) = self.row.take() else { return };
        let starts = |words: &'static str| move |line: &TextLine| line.text.trim_start().starts_with(words);
        let from = detail.iter().rposition(starts("at ")).unwrap_or(detail.len());
        let behind = detail.split_off(from);
        let asserted = behind.first().is_some_and(starts("at assertion"));
        let inside: String = behind.iter().skip(1).map(|line| format!("{} ", line.text.trim())).collect();
        // A folder stands behind the request.
        let request = inside.trim().strip_prefix("inside \"").map(|rest| rest.split('"').next().unwrap_or(rest));
        // An error outside of any assertion has an empty name above its message.
        let name = if detail.is_empty() { String::new() } else { detail.remove(0).text };
        let parts = [request.unwrap_or_default(), name.trim()];
        let test = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" > ");
        if detail.is_empty() {
            detail.push(TextLine { text: name, span });
        }
        let level = if asserted { Level::Case } else { Level::Suite };
        let signal = (kind == "AssertionError").then_some(Signal::Assertion);
        let type_name = Some(kind).filter(|kind| !kind.is_empty());
        let test = Some(test).filter(|test| !test.is_empty());
        let mut failure = Failure { level, test, signal, type_name, text: detail, span, ..Failure::default() };
        complete(&mut failure);
        out(Item::Failure(failure));
    }
}

/// A row of the table: what is counted, how many there were, and how many of them failed.
fn row(text: &str) -> Option<(&str, u64, u64)> {
    let mut cells = text.trim().strip_prefix('│')?.strip_suffix('│')?.split('│').map(str::trim);
    let row = (cells.next()?, read_count(cells.next()?)?, read_count(cells.next()?)?);
    cells.next().is_none().then_some(row)
}

/// Whether a line is drawn around the table, or one of its rows.
fn is_drawn(trimmed: &str) -> bool {
    trimmed.starts_with(['│', '├', '└', '┌'])
}

/// Where the columns of the list of failures begin, behind that of the numbers.
fn heading(text: &str) -> Option<(usize, usize)> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let place = |word: &str| text.find(word).map(|at| text[..at].chars().count());
    (words == ["#", "failure", "detail"]).then(|| Some((place("failure")?, place("detail")?)))?
}

/// The characters of a text from one column up to another.
fn part(text: &str, from: usize, to: usize) -> &str {
    let at = |column: usize| text.char_indices().nth(column).map_or(text.len(), |(at, _)| at);
    let from = at(from);
    &text[from..at(to).max(from)]
}
