//! What Node.js prints when it dies: an error nobody caught, with its stack and its causes.
//!
//! The line of an error is left to the rules as well; here it is remembered, since only the last line of the block,
//! `Node.js v20.11.0`, tells that it was the end of the program and not a line in its log.

use super::runner::{is_frame, own_frame, type_name};
use super::{Above, Grip, Line, Reader};
use crate::item::Item;
use crate::report::{Failure, FileRef, Level, Signal, Span, TextLine};

pub(super) const NEEDLES: &[&str] = &["Error: ", "Error [", "Node.js v", "(Use `node --trace-uncaught"];

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Node::default())
}

/// How far the last line of a block may be from its first.
const REACH: u64 = 250;

/// How many lines above an error tell that nobody caught it: where it was thrown, the line of the source, a caret, none.
const ABOVE: usize = 4;

/// How far the stack of an error may be from its first line: messages have several.
const BEFORE_STACK: u64 = 30;

/// How many lines of a block are kept.
const MAX_LINES: usize = 40;

#[derive(Default)]
struct Node {
    error: Option<Trace>,
    /// Within the stack of the error.
    within: bool,
    /// The line before was empty.
    blank: bool,
    /// What stands above the line shown next shows where an error was thrown that nobody caught.
    thrown: bool,
    /// The line at which a thrown value that is no error was told.
    valued_at: Option<u64>,
}

struct Trace {
    text: Vec<TextLine>,
    span: Span,
    file: Option<FileRef>,
    stack: bool,
    /// Its message has more lines than were seen; they say more than that nobody caught it.
    more: bool,
    /// It was told as a line.
    told: bool,
    /// The source is shown above it, as only for what nobody caught.
    fatal: bool,
}

impl Reader for Node {
    fn looks_back(&self) -> usize {
        ABOVE
    }

    fn above(&mut self, above: Above<'_>) {
        let text = |at: usize| above.clone().nth(at).map_or("", |line| line.text.as_str());
        let caret = !text(1).trim().is_empty() && text(1).trim().bytes().all(|byte| byte == b'^');
        self.thrown = text(0).is_empty() && caret && is_place(text(3));
    }

    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        let thrown = std::mem::take(&mut self.thrown);
        if self.within {
            // Behind an empty line comes the version, and what is indented is another's.
            if (!std::mem::take(&mut self.blank) || is_frame(text)) && self.inner(line) {
                return Grip::Hold;
            }
            self.within = false;
            self.printed(out);
            if text.is_empty() {
                // The version follows after an empty line.
                self.within = true;
                if let Some(error) = &mut self.error
                    && line.span.line <= error.span.last_line + 2
                {
                    self.blank = true;
                    return Grip::Hold;
                }
                self.within = false;
            }
        }
        if text.starts_with("(Use `node --trace-uncaught") {
            self.valued_at = Some(line.span.line);
            out(unhandled(line));
            return Grip::Take;
        }
        let version = text.strip_prefix("Node.js v").unwrap_or("");
        if version.starts_with(|first: char| first.is_ascii_digit()) && !version.contains(' ') {
            return self.uncaught(line, out);
        }
        if is_frame(text) {
            let Some(error) = &mut self.error else { return Grip::Pass };
            if line.span.line > error.span.last_line + BEFORE_STACK || error.stack {
                return Grip::Pass;
            }
            error.stack = true;
            error.more = line.span.line > error.span.last_line + 1;
            self.within = true;
            self.inner(line);
            return Grip::Hold;
        }
        if is_error(text) {
            self.error = Some(Trace {
                text: vec![line.to_text()],
                span: line.span,
                file: None,
                stack: false,
                more: false,
                told: false,
                fatal: thrown,
            });
        }
        // The stack, by which an error is known, is soon to come.
        match &self.error {
            Some(error) if !error.stack && line.span.line < error.span.last_line + BEFORE_STACK => Grip::Watch,
            _ => Grip::Pass,
        }
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.printed(out);
    }
}

impl Node {
    /// Takes a line of the stack, of the error's fields or of its causes; false where these are over.
    fn inner(&mut self, line: Line<'_>) -> bool {
        let Some(error) = &mut self.error else { return false };
        let text = line.text;
        let mine = is_frame(text)
            || text.starts_with("  ") && !text.trim().is_empty() && !is_of_runner(text)
            || matches!(text, "}" | "]" | "})")
            || text.starts_with("Emitted '");
        if !mine {
            return false;
        }
        error.span = error.span.join(line.span);
        if is_frame(text) {
            if error.file.is_none() {
                error.file = own_frame(text.trim_end_matches([' ', '{']));
            }
        } else if error.text.len() < MAX_LINES && (text.contains("[cause]") || type_name(text).is_some()) {
            // The fields of an error repeat its message.
            error.text.push(line.to_text());
        }
        true
    }

    /// The program ended on the error at hand. It is a line of the log all the same: a test may run a program that dies.
    fn uncaught(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let error = self.error.take().filter(|error| line.span.line <= error.span.line + REACH);
        let Some(error) = error else {
            // What was thrown is no error: `throw 'boom'`. The version stands alone at the end of what is printed.
            let told = self.valued_at.take().is_some_and(|at| line.span.line <= at + 2);
            if !told && line.text.split_once(" v").is_some_and(|(_, version)| version.matches('.').count() == 2) {
                out(unhandled(line));
            }
            return Grip::Pass;
        };
        let type_name = error.text.first().and_then(|first| type_name(&first.text));
        out(Item::Failure(Failure {
            level: Level::Line,
            file: error.file,
            signal: (!error.more).then_some(Signal::Unhandled),
            type_name,
            text: error.text,
            span: error.span,
            ..Failure::default()
        }));
        Grip::Take
    }

    /// The stack is over. Its error is a line like others until the end of the program proves more; its causes were not
    /// seen by the rules.
    fn printed(&mut self, out: &mut dyn FnMut(Item)) {
        let Some(Trace { text, span, file, stack: true, told, fatal, more, .. }) = &mut self.error else { return };
        if !std::mem::replace(told, true) {
            let type_name = text.first().and_then(|first| type_name(&first.text));
            let (text, span, file) = (text.clone(), *span, file.clone());
            let signal = (*fatal && !*more).then_some(Signal::Unhandled);
            out(Item::Failure(Failure {
                level: Level::Line,
                file,
                signal,
                type_name,
                text,
                span,
                ..Failure::default()
            }));
        }
    }
}

/// What a line tells of that nobody caught, and that is no error.
fn unhandled(line: Line<'_>) -> Item {
    let (text, span) = (vec![line.to_text()], line.span);
    let signal = Some(Signal::Unhandled);
    Item::Failure(Failure { level: Level::Line, signal, text, span, ..Failure::default() })
}

/// Whether a line only tells where something was thrown: `/app/gate.js:7`, `node:internal/process/promises:288`.
fn is_place(text: &str) -> bool {
    let Some((path, number)) = text.rsplit_once(':') else { return false };
    let of_node = path.starts_with("node:") || path.starts_with("internal/") || path == "[eval]" || path == "[stdin]";
    let whole = path.starts_with('/') || path.starts_with("file://") || path.get(1..3) == Some(":\\");
    (of_node || whole) && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether an indented line is that of a runner of tests, in which a program prints its errors.
fn is_of_runner(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with(['✔', '✓', '✖', '✗', '×', '√'])
        || text.split_once([')', ' ']).is_some_and(|(number, rest)| {
            number.parse::<u32>().is_ok()
                && ["passing", "failing", "pending"].iter().any(|word| rest.starts_with(word) || rest.starts_with(' '))
        })
}

/// Whether a line begins with the name of an error: `TypeError: x`, `Uncaught Error [ERR_X]: y`.
fn is_error(text: &str) -> bool {
    let text = text.trim_start();
    let text = text.strip_prefix("Uncaught ").or_else(|| text.strip_prefix("Unhandled ")).unwrap_or(text);
    // What is printed without its stack stands in brackets.
    let text = text.strip_prefix('[').unwrap_or(text);
    type_name(text).is_some()
}

#[cfg(test)]
mod tests {
    use crate::{Analyzer, Outcome, Source};

    #[test]
    fn an_error_below_its_source_ended_the_program() {
        let outcome = |log: &str| Analyzer::new().analyze([Source::bytes("log", log.as_bytes())]).outcome;
        let passed = "  2 passing (3ms)\n\n";
        let trace = "Error: widgets ran out\n    at Object.<anonymous> (/app/gate.js:7:9)\n    at internal/main/run_main_module.js:17:47\n";
        let source = "/app/gate.js:7\n  throw new Error('widgets ran out')\n  ^\n\n";
        assert_eq!(outcome(&format!("{passed}{source}{trace}")), Outcome::Failed);
        assert_eq!(outcome(&format!("{source}{trace}")), Outcome::Failed);
        assert_eq!(outcome(&format!("{source}{trace}\n{passed}")), Outcome::Passed);
        let thrown = "/app/gate.js:7\n  throw 'x'\n  ^\nx\n(Use `node --trace-uncaught ...` to show where the exception was thrown)\n";
        assert_eq!(outcome(&format!("{passed}{thrown}")), Outcome::Failed);
    }

    #[test]
    fn an_error_printed_within_a_run_does_not_hide_its_totals() {
        let error = "Error: simulated: ENOSPC: no space left on device, write\n    at f (/app/test/a.js:3:9)\n";
        for tail in ["", "    \u{2714} survives\n"] {
            let log = format!("  cluster\n    \u{2714} handles\n{error}{tail}\n\n  3 passing (1s)\n\n");
            let report = Analyzer::new().analyze([Source::bytes("log", log.as_bytes())]);
            assert_eq!((report.outcome, report.tests.map(|tests| tests.total)), (Outcome::Passed, Some(3)), "{log}");
        }
    }
}
