//! Printing: where it goes, with or without colors, and what happens when nobody reads it.

use std::io::{self, IsTerminal as _, Write as _};

use crate::Failed;
use crate::args::When;

/// Prints to standard output. A reader that has gone away, as with `| head`, is no failure.
pub(crate) fn print(text: &str) -> Result<(), Failed> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failed::unread(format!("standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Says what is wrong, in one line.
pub(crate) fn complain(message: &str) {
    tell(&format!("error: {message}"));
}

/// Says something beside the report. Where nobody reads it, that is no failure.
pub(crate) fn tell(message: &str) {
    let message: String = message.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect();
    let _ = writeln!(io::stderr(), "whyred: {message}");
}

/// Whether to color: when asked, or on a terminal where nobody objects.
pub(crate) fn colored(when: When) -> bool {
    match when {
        When::Always => true,
        When::Never => false,
        When::Auto => {
            let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
            let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
            io::stdout().is_terminal() && !set("NO_COLOR") && !dumb
        }
    }
}

/// How many columns there are to fill.
pub(crate) fn width(asked: Option<usize>) -> usize {
    let terminal = || terminal_size::terminal_size().map(|(terminal_size::Width(width), _)| usize::from(width));
    // Lines longer than this are hard to read on any terminal.
    asked.or_else(|| terminal().map(|width| width.min(140))).unwrap_or(100)
}
