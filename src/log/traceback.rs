//! Tracebacks of Python, chains of them included.
//!
//! The exception line decides, and it stands at the end. In a chain the last exception is what ended the program; the
//! earlier ones are kept behind it in the text, since a missing file or a refused connection in the chain is what the
//! rules look for.

use super::block::{MAX_BLOCK, diagnostic};
use super::{Grip, Line, Reader};
use crate::item::Item;
use crate::report::{Failure, FileRef, Level, Signal, Span, TextLine};

pub(super) const NEEDLES: &[&str] = &[
    "Traceback (most recent call last)",
    "Exception ignored in",
    "Exception in thread ",
    "Task exception was never retrieved",
    "--- Logging error ---",
    "Error in atexit._run_exitfuncs",
];

/// How many lines may stand between the words that a traceback is of no consequence and its header.
const ASIDE: u64 = 3;

/// How many frames' lines are kept, the innermost last.
const FRAMES: usize = 16;

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Traceback::default())
}

#[derive(Default)]
struct Traceback {
    open: Option<Open>,
    /// The line that says that what is thrown next ends no program.
    aside_at: Option<Span>,
}

struct Open {
    /// What stands in front of each line: a logger's or a compose service's prefix.
    prefix: String,
    header: TextLine,
    frames: Vec<TextLine>,
    file: Option<FileRef>,
    /// The exception lines so far, the newest last.
    exceptions: Vec<TextLine>,
    state: State,
    lines: usize,
    /// What says that it ends no program.
    aside: Option<Span>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Frames,
    /// Behind the exception line, where a chain may go on.
    Behind,
    /// A blank line came.
    Blank,
    /// The sentence that joins two tracebacks was read.
    Joined,
}

impl Reader for Traceback {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let Some(open) = &mut self.open else {
            let Some(at) = line.text.find("Traceback (most recent call last)") else {
                // A thread of Java has its name in quotes, and no traceback.
                if NEEDLES[1..].iter().any(|head| line.trimmed().starts_with(head)) {
                    self.aside_at = Some(line.span);
                }
                return Grip::Pass;
            };
            let prefix = &line.text[..at];
            // Quoted within prose or code it is no traceback.
            if !line.text[at..].trim_end().ends_with("last):") || prefix.contains(['"', '\'', '`']) {
                return Grip::Pass;
            }
            self.open = Some(Open {
                prefix: if prefix.trim().is_empty() { String::new() } else { prefix.to_owned() },
                header: line.to_text(),
                frames: Vec::new(),
                file: None,
                exceptions: Vec::new(),
                state: State::Frames,
                lines: 0,
                aside: self.aside_at.take().filter(|head| line.span.line <= head.line + ASIDE),
            });
            return Grip::Hold;
        };
        match open.take(line) {
            Grip::Pass => {
                self.finish(out);
                // The next traceback may begin right here.
                if line.text.contains("Traceback (most recent call last)") { self.line(line, out) } else { Grip::Pass }
            }
            grip => grip,
        }
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.finish(out);
    }
}

impl Traceback {
    fn finish(&mut self, out: &mut dyn FnMut(Item)) {
        let Some(Open { header, frames, file, mut exceptions, aside, .. }) = self.open.take() else { return };
        let Some(last) = exceptions.pop() else { return };
        let type_name = exception_type(&last.text).map(str::to_owned);
        let mut text = vec![last];
        exceptions.reverse();
        text.extend(exceptions);
        text.extend(frames);
        text.truncate(MAX_BLOCK);
        // That a child failed says nothing: what the child printed does. A notebook shows the error of its cell below.
        const WRAPPERS: &[&str] = &["CalledProcessError", "CellExecutionError", "PapermillExecutionError"];
        let follow_on = type_name.as_deref().is_some_and(|name| WRAPPERS.iter().any(|end| name.ends_with(end)));
        let mut failure = Failure { type_name, file, follow_on, ..diagnostic(Signal::Unhandled, text) };
        failure.span = failure.span.join(header.span);
        if let Some(head) = aside {
            failure.span = head.join(failure.span);
            (failure.signal, failure.level) = (Some(Signal::Aside), Level::Line);
        }
        out(Item::Failure(failure));
    }
}

impl Open {
    fn take(&mut self, line: Line<'_>) -> Grip {
        self.lines += 1;
        if self.lines > 3000 {
            return Grip::Pass;
        }
        let text = line.text.strip_prefix(self.prefix.as_str()).unwrap_or(line.text);
        let blank = text.trim().is_empty();
        let is_header = text.contains("Traceback (most recent call last)");
        match self.state {
            State::Frames if blank => Grip::Hold,
            State::Frames if text.starts_with([' ', '\t', '|', '+']) => {
                self.frame(line, text);
                Grip::Hold
            }
            State::Frames if is_header => Grip::Pass,
            State::Frames => {
                // The innermost type is named in a trace of its own lines: this is the exception.
                if exception_type(text).is_none() && self.frames.is_empty() {
                    return Grip::Pass;
                }
                if exception_type(text).is_none() && text.contains(' ') {
                    return Grip::Pass;
                }
                self.exceptions.push(TextLine { text: text.to_owned(), span: line.span });
                self.state = State::Behind;
                Grip::Hold
            }
            State::Behind if blank => {
                self.state = State::Blank;
                Grip::Hold
            }
            State::Blank | State::Behind if is_join(text) => {
                self.state = State::Joined;
                Grip::Hold
            }
            // Python 3.11 prints notes, and messages may go on; only what joins tracebacks matters here.
            State::Behind | State::Blank => Grip::Pass,
            State::Joined if blank => Grip::Hold,
            State::Joined if is_header => {
                self.frames.clear();
                self.state = State::Frames;
                Grip::Hold
            }
            State::Joined => Grip::Pass,
        }
    }

    fn frame(&mut self, line: Line<'_>, text: &str) {
        if let Some(file) = frame_file(text)
            && is_project(&file.path)
        {
            self.file = Some(file);
        }
        if self.frames.len() >= FRAMES {
            self.frames.remove(0);
        }
        self.frames.push(TextLine { text: text.to_owned(), span: line.span });
    }
}

fn is_join(text: &str) -> bool {
    text.starts_with("During handling of the above exception")
        || text.starts_with("The above exception was the direct cause")
}

/// `  File "x.py", line 3, in f`.
fn frame_file(text: &str) -> Option<FileRef> {
    let rest = text.trim_start().strip_prefix("File \"")?;
    let (path, rest) = rest.split_once("\", line ")?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    Some(FileRef::new(path, rest[..digits].parse().ok(), None))
}

/// Whether a path is the project's own rather than the interpreter's or an installed package's.
fn is_project(path: &str) -> bool {
    !path.starts_with('<')
        && !["site-packages", "dist-packages", "/lib/python", "\\lib\\"].iter().any(|part| path.contains(part))
}

/// The type in front of a message: `ValueError: x`, `pkg.errors.Broken`, `KeyboardInterrupt`.
pub(super) fn exception_type(text: &str) -> Option<&str> {
    let name = text.split(": ").next().unwrap_or(text).trim_end_matches(':');
    let last = name.rsplit('.').next().unwrap_or(name);
    let word = !name.is_empty()
        && name.len() < 120
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'<' | b'>'))
        && last.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    let typed = last.bytes().any(|byte| byte.is_ascii_uppercase()) || name.contains('.') || text.contains(": ");
    (word && typed).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exception_that_ends_no_program_fails_none() {
        let passed = "Ran 2 tests in 0.003s\n\nOK\n";
        let trace = "Traceback (most recent call last):\n  File \"a.py\", line 3, in f\n    1 / 0\nZeroDivisionError: division by zero\n";
        let outcome = |log: &str| crate::Analyzer::new().analyze([crate::Source::bytes("log", log.as_bytes())]).outcome;
        for head in [
            "Exception in thread Thread-1 (f):",
            "Exception ignored in: <function D.__del__ at 0x7f5b155c8e00>",
            "Task exception was never retrieved\nfuture: <Task finished name='Task-2'>",
            "--- Logging error ---",
        ] {
            assert_eq!(outcome(&format!("{passed}{head}\n{trace}")), crate::Outcome::Passed, "{head}");
            let log = format!("{head}\n{trace}make: *** [Makefile:3: run] Error 1\n");
            assert_eq!(outcome(&log), crate::Outcome::Failed, "{head}");
        }
        assert_eq!(outcome(&format!("{passed}{trace}")), crate::Outcome::Failed);
    }

    #[test]
    fn types_of_exceptions() {
        assert_eq!(exception_type("ValueError: x"), Some("ValueError"));
        assert_eq!(exception_type("requests.exceptions.HTTPError: 429"), Some("requests.exceptions.HTTPError"));
        assert_eq!(exception_type("KeyboardInterrupt"), Some("KeyboardInterrupt"));
        assert_eq!(exception_type("some words of a message"), None);
    }
}
