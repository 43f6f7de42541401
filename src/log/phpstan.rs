//! The tables of PHPStan: one for each file, a finding a row.
//!
//! ```text
//!  ------ ------------------------------------------------------------
//!   Line   src/Cart/Cart.php
//!  ------ ------------------------------------------------------------
//!   42     Method App\Cart::total() should return int but returns float.
//!          🪪  return.type
//!   57     Call to an undefined method App\Item::price().
//!  ------ ------------------------------------------------------------
//!
//!  [ERROR] Found 2 errors
//! ```
//!
//! The summary is taken where rows were read, since it repeats their number; where the tables were cut off or another
//! form was asked for, it is left to the rules.

use super::block::{diagnostic, is_path};
use super::{Grip, Line, Reader};
use crate::item::Item;
use crate::report::{Failure, FileRef, Signal, TextLine};

pub(super) const NEEDLES: &[&str] = &["  Line   ", "\u{1b}[32mLine\u{1b}[39m", "[ERROR] Found"];

/// How many lines a table may have.
const MAX_ROWS: u32 = 5000;

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(PhpStan::default())
}

#[derive(Default)]
struct PhpStan {
    /// The file of the table at hand.
    path: Option<String>,
    /// The row at hand.
    row: Option<(u64, Vec<TextLine>)>,
    /// How many lines of the table were read.
    lines: u32,
    /// A finding was told since the last summary.
    found: bool,
}

impl Reader for PhpStan {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        if let Some(path) = heading(line.text) {
            self.finish(out);
            self.path = Some(path.to_owned());
            self.lines = 0;
            return Grip::Hold;
        }
        if self.path.is_none() {
            let summary = line.trimmed().starts_with("[ERROR] Found ");
            return if summary && std::mem::take(&mut self.found) { Grip::Take } else { Grip::Pass };
        }
        self.lines += 1;
        if is_rule(line.text) && self.row.is_none() && self.lines == 1 {
            return Grip::Hold;
        }
        if let Some(number) = row(line.text) {
            self.finish_row(out);
            self.row = Some((number, vec![line.to_text()]));
        } else if let Some((_, text)) = self.row.as_mut().filter(|_| line.indent() >= 6 && !line.text.is_empty()) {
            if text.len() < 20 {
                text.push(line.to_text());
            }
        } else {
            let ruled = is_rule(line.text);
            self.finish(out);
            return if ruled { Grip::Take } else { Grip::Pass };
        }
        if self.lines < MAX_ROWS { Grip::Hold } else { Grip::Take }
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.finish(out);
    }
}

impl PhpStan {
    fn finish(&mut self, out: &mut dyn FnMut(Item)) {
        self.finish_row(out);
        self.path = None;
    }

    fn finish_row(&mut self, out: &mut dyn FnMut(Item)) {
        let (Some((number, text)), Some(path)) = (self.row.take(), &self.path) else { return };
        self.found = true;
        let file = FileRef::new(path, Some(number), None);
        // What cannot be parsed is no matter of taste.
        let broken = text.first().is_some_and(|line| line.text.contains("Syntax error, "));
        let signal = if broken { Signal::Compile } else { Signal::Lint };
        out(Item::Failure(Failure { file: Some(file), ..diagnostic(signal, text) }));
    }
}

/// The file in the heading of a table.
fn heading(text: &str) -> Option<&str> {
    let rest = text.trim_start().strip_prefix("Line   ")?.trim();
    let path = rest.split(" (in context of ").next()?;
    is_path(path).then_some(path)
}

/// ` ------ ----------`.
fn is_rule(text: &str) -> bool {
    let text = text.trim();
    text.starts_with("-----") && text.bytes().all(|byte| matches!(byte, b'-' | b' '))
}

/// The line of a row: `  42     Method …`, `  :42    Method …`.
fn row(text: &str) -> Option<u64> {
    let rest = text.trim_start();
    if rest.len() == text.len() {
        return None;
    }
    let rest = rest.strip_prefix(':').unwrap_or(rest);
    let (number, message) = rest.split_once(' ')?;
    message.trim().bytes().next()?;
    number.parse().ok()
}

#[cfg(test)]
mod tests {
    use crate::{Analyzer, Kind, Outcome, Report, Source};

    fn analyze(log: &str) -> Report {
        Analyzer::new().analyze([Source::bytes("log", log.as_bytes())])
    }

    const TABLE: &str = " ------ -----------------------------\n  Line   src/Cart.php\n ------ -----------------------------\n  \
                         42     Method Cart::total() should\n         return int but returns float.\n  57     Call to an \
                         undefined method Item::price().\n ------ -----------------------------\n\n";

    #[test]
    fn rows_are_findings_and_their_summary_is_none() {
        for tail in [" [ERROR] Found 2 errors\n", "Process completed with exit code 1.\n"] {
            let report = analyze(&format!("{TABLE}{tail}"));
            assert_eq!(report.outcome, Outcome::Failed);
            let cause = &report.causes[0];
            assert_eq!((report.causes.len(), cause.kind, cause.count), (1, Kind::LintViolation, 2), "{report:#?}");
            assert_eq!((cause.subject.as_deref(), cause.evidence[0].line), (Some("src/Cart.php"), 4));
        }
    }

    #[test]
    fn a_summary_alone_is_found() {
        let report = analyze(" [ERROR] Found 2 errors\n");
        assert_eq!((report.outcome, report.causes[0].kind), (Outcome::Failed, Kind::LintViolation));
    }

    #[test]
    fn a_file_that_cannot_be_parsed() {
        let log = "  Line   src/A.php\n ------ ---\n  3      Syntax error, unexpected '}' on line 3\n ------ ---\n";
        assert_eq!(analyze(log).causes[0].kind, Kind::CompileError);
    }

    #[test]
    fn other_headings_are_left_alone() {
        let report = analyze("  Line   Hits\n  42     none\nJob succeeded\n");
        assert_eq!((report.outcome, report.causes.len()), (Outcome::Passed, 0));
    }
}
