//! Output of tools that somebody pasted into a message: a log of a few lines, of which only the failures count.

use super::{LogParser, Span};
use crate::format::{Parse, Place};
use crate::item::Item;
use crate::report::{Failure, Level, TextLine};
use crate::rules::{Role, RuleSet};

/// More than this is no quotation.
const MAX_BYTES: usize = 256 * 1024;

/// The failures in a piece of output that begins at `at`: what readers take, and lines that rules know as a cause.
pub(crate) fn failures(output: &[u8], mut at: Place) -> Vec<Failure> {
    let output = &output[..output.len().min(MAX_BYTES)];
    let rules = RuleSet::built_in();
    // Most of what a message says wakes nobody, and to open all readers costs more than to see that.
    if rules.scanner().search(output).next(0).is_none() {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut parser = LogParser::new(rules.clone());
    parser.quoted();
    let mut pos = 0;
    while pos < output.len() {
        let read = parser.parse(&output[pos..], &mut at, true, &mut |item| match item {
            Item::Failure(failure) if !failure.follow_on => found.push(failure),
            Item::Line(line) => {
                let context = || -> Box<dyn Iterator<Item = &str>> { Box::new(line.before.iter().map(String::as_str)) };
                let hits = rules.matches(&line.text, &line.rules, context);
                if hits.first().is_some_and(|hit| hit.rule.role == Role::Root) {
                    found.push(of_line(line.text, line.span));
                }
            }
            _ => {}
        });
        // A report within is passed over.
        parser.resume();
        if read == 0 {
            break;
        }
        pos += read;
    }
    found.sort_by_key(|failure| failure.span.byte_start);
    found
}

fn of_line(text: String, span: Span) -> Failure {
    Failure { level: Level::Line, text: vec![TextLine { text, span }], span, ..Failure::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_and_lines_of_tools() {
        let output = b"$ cargo build\nerror[E0425]: cannot find value `x` in this scope\n --> src/main.rs:3:5\n  |\n\nall well\n\
            Error: Cannot find module './gone'\nmake: *** [all] Error 1\n";
        let found = failures(output, Place { byte: 100, line: 11 });
        let lines: Vec<u64> = found.iter().map(|failure| failure.span.line).collect();
        assert_eq!(lines, [12, 17], "{found:#?}");
        assert_eq!(found[0].span.byte_start, 114);
    }

    #[test]
    fn calm_words_are_no_failures() {
        assert_eq!(failures(b"Compiled successfully\n0 errors\nno failures in sight\n", Place::START), []);
        assert_eq!(failures(b"", Place::START), []);
    }
}
