//! The runners of many packages' scripts: each says at the beginning what it is going to run, and at the end that all of
//! it is done. A log that has the beginning only was cut, whatever passed in it.

use super::{Grip, Line, Reader};
use crate::item::{Item, Mark, Scope};
use crate::report::{Outcome, TextLine};

pub(super) const NEEDLES: &[&str] = &[
    "Packages in scope: ",
    " successful, ",
    "lerna info Executing command in ",
    "lerna success ",
    "lerna ERR! ",
    "NX   Running target",
    "NX   Successfully ran",
    "NX   Ran target",
];

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Monorepo::default())
}

#[derive(Default)]
struct Monorepo {
    /// The line that says what is going to run.
    begun: Option<TextLine>,
}

impl Reader for Monorepo {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.trimmed().trim_start_matches(['•', '>', ' ']);
        let begins = ["Packages in scope: ", "lerna info Executing command in ", "NX   Running target"];
        let ends = ["Tasks: ", "lerna success ", "lerna ERR! ", "NX   Successfully ran", "NX   Ran target"];
        let is = |words: &[&str]| words.iter().any(|word| text.starts_with(word));
        if is(&ends) || text.ends_with(" failed") {
            self.begun = None;
            if text.strip_prefix("Tasks: ").is_some_and(all_successful) {
                let (text, span) = (line.text.to_owned(), line.span);
                out(Item::Mark(Mark { scope: Scope::Tool, outcome: Outcome::Passed, status: None, text, span }));
                return Grip::Take;
            }
        } else if is(&begins) {
            self.begun = Some(line.to_text());
        }
        Grip::Pass
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        if let Some(TextLine { text, span }) = self.begun.take() {
            out(Item::Mark(Mark { scope: Scope::Tool, outcome: Outcome::Unknown, status: None, text, span }));
        }
    }
}

/// Whether as many tasks of turbo ended well as there are: `2 successful, 2 total`.
fn all_successful(counts: &str) -> bool {
    let Some((successful, total)) = counts.trim().split_once(" successful, ") else { return false };
    total.strip_suffix(" total") == Some(successful) && successful != "0"
}

#[cfg(test)]
mod tests {
    use crate::{Analyzer, Outcome, Source};

    #[test]
    fn the_totals_of_turbo_say_how_it_ended() {
        let outcome = |log: &str| Analyzer::new().analyze([Source::bytes("log", log.as_bytes())]).outcome;
        let begin = "• Packages in scope: api, web\n";
        assert_eq!(outcome(&format!("{begin}\n Tasks:    2 successful, 2 total\n")), Outcome::Passed);
        assert_eq!(outcome(&format!("{begin}\n Tasks:    1 successful, 2 total\n")), Outcome::Unknown);
    }

    #[test]
    fn what_has_no_end_was_cut() {
        let outcome = |log: &str| Analyzer::new().analyze([Source::bytes("log", log.as_bytes())]).outcome;
        let jest = "Test Suites: 1 passed, 1 total\nTests:       3 passed, 3 total\nTime: 1 s\n";
        for (begin, end) in [
            ("• Packages in scope: api, web\n", "\n Tasks:    2 successful, 2 total\n"),
            ("lerna info Executing command in 2 packages: \"npm run test\"\n", "lerna success run Ran npm script\n"),
            (" NX   Running target test for 2 projects:\n", " NX   Successfully ran target test for 2 projects\n"),
        ] {
            assert_eq!(outcome(&format!("{begin}{jest}")), Outcome::Unknown, "{begin}");
            assert_eq!(outcome(&format!("{begin}{jest}{end}")), Outcome::Passed, "{begin}");
        }
    }
}
