//! The table of coverage that nyc, c8, Jest and Vitest print. The check against the thresholds follows it, so that a
//! log that ends within the table does not tell how the run ended.
//!
//! ```text
//! ----------|---------|----------|---------|---------|-------------------
//! File      | % Stmts | % Branch | % Funcs | % Lines | Uncovered Line #s
//! ----------|---------|----------|---------|---------|-------------------
//! All files |   91.66 |      100 |      75 |   91.66 |
//! ----------|---------|----------|---------|---------|-------------------
//! ```

use super::{Grip, Line, Reader};
use crate::item::{Item, Mark, Scope};
use crate::report::{Outcome, TextLine};

pub(super) const NEEDLES: &[&str] = &["| % Stmts |"];

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Istanbul::default())
}

#[derive(Default)]
struct Istanbul {
    /// The last line of a table that is not closed yet.
    open: Option<TextLine>,
    /// How many rules have been drawn since the head.
    rules: u8,
}

impl Reader for Istanbul {
    fn line(&mut self, line: Line<'_>, _out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text.trim_end();
        if text.contains("| % Stmts |") {
            (self.open, self.rules) = (Some(line.to_text()), 0);
            return Grip::Watch;
        }
        if self.open.is_none() {
            return Grip::Pass;
        }
        let rule = text.len() > 20 && text.bytes().all(|byte| matches!(byte, b'-' | b'|'));
        self.rules += u8::from(rule);
        if self.rules == 2 || !rule && !text.contains('|') {
            self.open = None;
            return Grip::Pass;
        }
        self.open = Some(line.to_text());
        Grip::Watch
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        let Some(TextLine { text, span }) = self.open.take() else { return };
        out(Item::Mark(Mark { scope: Scope::Tool, outcome: Outcome::Unknown, status: None, text, span }));
    }
}

#[cfg(test)]
mod tests {
    use crate::{Analyzer, Outcome, Source};

    #[test]
    fn a_table_that_is_cut_is_no_end() {
        let outcome = |log: &str| Analyzer::new().analyze([Source::bytes("log", log.as_bytes())]).outcome;
        let rule = "----------|---------|----------|\n";
        let head = "  cart\n    \u{2714} pays\n\n\n  1 passing (9ms)\n\n";
        let table = format!("{rule}File      | % Stmts | % Branch |\n{rule}All files |   91.66 |      100 |\n");
        assert_eq!(outcome(&format!("{head}{table}{rule}")), Outcome::Passed);
        assert_eq!(outcome(&format!("{head}{table}")), Outcome::Unknown);
        assert_eq!(outcome(&format!("{head}{table} cart.js  |  91")), Outcome::Unknown);
    }
}
