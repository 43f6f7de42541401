//! What ends a program outside any test: a panic of Rust, an uncaught exception of Java, what stops rake.
//!
//! The line that announces it says little; the message stands on the next line (Rust, rake) or behind the deepest
//! `Caused by:` (Java). What a build script of Cargo prints stands indented, and its message may go on over several
//! lines.

use super::block::{MAX_BLOCK, diagnostic};
use super::{Grip, Line, Reader};
use crate::item::{Item, Mark, Scope};
use crate::report::{Failure, FileRef, Level, Outcome, Signal, TextLine};

pub(super) const NEEDLES: &[&str] = &["' panicked at ", "Exception in thread \"", ") panicked at ", "rake aborted!"];

/// How many lines a message has at most.
const MAX_MESSAGE: usize = 20;

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Panic::default())
}

#[derive(Default)]
struct Panic {
    open: Option<Open>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Language {
    Rust,
    Java,
    Ruby,
}

struct Open {
    language: Language,
    /// How far the head is indented.
    indent: usize,
    /// The frames of a backtrace follow.
    frames: bool,
    file: Option<FileRef>,
    type_name: Option<String>,
    head: TextLine,
    /// The message of a panic, or the causes of an exception, in the order of the log.
    more: Vec<TextLine>,
    lines: usize,
}

impl Reader for Panic {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        if let Some(open) = &mut self.open {
            if open.take(line) {
                return Grip::Hold;
            }
            self.finish(out);
        }
        let text = line.text;
        if line.trimmed().starts_with("thread '")
            && let Some((_, place)) = text.split_once(" panicked at ")
        {
            // Before Rust 1.73 the message came first: `panicked at 'message', src/main.rs:3:5`.
            let place = place.rsplit_once("', ").map_or(place, |(_, place)| place);
            let file = super::block::place(place.trim_end_matches(':')).map(|placed| placed.file);
            self.open = Some(Open { file, ..Open::new(Language::Rust, line) });
            return Grip::Hold;
        }
        if let Some(at) = text.find("Exception in thread \"")
            && let Some((_, exception)) = text[at + 21..].split_once("\" ")
        {
            let type_name = exception.split(':').next().map(str::to_owned);
            self.open = Some(Open { type_name, ..Open::new(Language::Java, line) });
            return Grip::Hold;
        }
        if text == "rake aborted!" {
            self.open = Some(Open::new(Language::Ruby, line));
            return Grip::Hold;
        }
        Grip::Pass
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.finish(out);
    }
}

impl Panic {
    fn finish(&mut self, out: &mut dyn FnMut(Item)) {
        let Some(Open { language, file, type_name, head, more, .. }) = self.open.take() else { return };
        let mut text = Vec::new();
        let aside = language == Language::Java && !head.text.contains("thread \"main\"");
        match language {
            Language::Rust => {
                text.push(head);
                text.extend(more);
            }
            // The deepest cause is what happened; what is thrown on top only wraps it.
            Language::Java => {
                text.extend(more.into_iter().rev());
                text.push(head);
            }
            // That a command failed says nothing of why, but that it failed: what the command printed tells the rest.
            Language::Ruby if more.is_empty() || more[0].text.starts_with("Command failed with status") => {
                let TextLine { text, span } = head;
                let (scope, outcome) = (Scope::Step, Outcome::Failed);
                out(Item::Mark(Mark { scope, outcome, status: None, text, span }));
                return;
            }
            Language::Ruby => text.extend(more),
        }
        text.truncate(MAX_BLOCK);
        let mut failure = Failure { file, type_name, ..diagnostic(Signal::Unhandled, text) };
        // Only the first thread takes the program with it.
        if aside {
            (failure.signal, failure.level) = (Some(Signal::Aside), Level::Line);
        }
        out(Item::Failure(failure));
    }
}

impl Open {
    fn new(language: Language, line: Line<'_>) -> Open {
        let (head, indent) = (line.to_text(), line.indent());
        Open { language, indent, frames: false, file: None, type_name: None, head, more: Vec::new(), lines: 0 }
    }

    /// Takes a line that belongs to the panic.
    fn rust(&mut self, line: Line<'_>) -> bool {
        let text = line.trimmed();
        if text.starts_with("stack backtrace:") {
            self.frames = true;
            return true;
        }
        if text.starts_with("note: ") {
            return text.starts_with("note: run with `RUST_BACKTRACE") || self.frames;
        }
        if self.frames {
            let number = text.bytes().take_while(u8::is_ascii_digit).count();
            return text.starts_with("at ") || number > 0 && text[number..].starts_with(": ");
        }
        // What a build script says may begin with an empty line and have several; elsewhere the next line is another's.
        let nested = self.indent > 0 && self.lines <= MAX_MESSAGE;
        if text.is_empty() {
            return nested || self.lines == 1;
        }
        if self.more.is_empty() && self.lines <= 2 || nested && line.indent() >= self.indent {
            self.more.push(line.to_text());
            return true;
        }
        false
    }

    /// Takes a line that belongs to what stopped rake: the exception, its frames, the exceptions behind it.
    fn ruby(&mut self, line: Line<'_>) -> bool {
        let text = line.text;
        if text.is_empty() || text.starts_with("Tasks: TOP") {
            return text.is_empty() && self.lines < 2000 && !self.more.is_empty();
        }
        if text == "Caused by:" {
            self.frames = false;
            return true;
        }
        if text.contains(":in `") || text.contains(":in '") || text.starts_with(['/', '.']) {
            self.frames = true;
            return self.lines < 2000;
        }
        if self.frames || self.more.len() >= MAX_MESSAGE {
            return false;
        }
        if self.more.is_empty() {
            let name = super::traceback::exception_type(text);
            self.type_name = name.filter(|name| name.len() < text.len()).map(str::to_owned);
        }
        self.more.push(line.to_text());
        true
    }

    fn take(&mut self, line: Line<'_>) -> bool {
        self.lines += 1;
        match self.language {
            Language::Rust => return self.rust(line),
            Language::Ruby => return self.ruby(line),
            Language::Java => {}
        }
        let text = line.trimmed();
        if text.starts_with("Caused by: ") {
            if self.more.len() < MAX_BLOCK {
                self.more.push(line.to_text());
            }
            return true;
        }
        self.lines < 2000 && (text.starts_with("at ") || text.starts_with("... ") || text.starts_with("Suppressed: "))
    }
}

#[cfg(test)]
mod tests {
    use crate::{Analyzer, Outcome, Source};

    #[test]
    fn only_the_first_thread_of_java_takes_the_program_with_it() {
        let outcome = |thread: &str| {
            let trace = "java.net.ConnectException: Connection refused\n\tat acme.Pool.run(Pool.java:31)\n";
            let log = format!("[INFO] BUILD SUCCESS\nException in thread \"{thread}\" {trace}");
            Analyzer::new().analyze([Source::bytes("log", log.as_bytes())]).outcome
        };
        assert_eq!(outcome("main"), Outcome::Failed);
        assert_ne!(outcome("metrics"), Outcome::Failed);
    }
}
