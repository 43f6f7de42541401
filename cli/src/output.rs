//! Printing: where it goes, with or without colors, and what happens when nobody reads it.

use std::io::{self, IsTerminal as _, Write as _};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

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

/// Tells on a terminal that work goes on, once it has gone on for a while. The line vanishes in the end.
pub(crate) struct Progress {
    done: Option<(mpsc::Sender<()>, thread::JoinHandle<()>)>,
}

impl Progress {
    pub(crate) fn begin(inputs: usize) -> Self {
        if !io::stderr().is_terminal() {
            return Progress { done: None };
        }
        let (sender, receiver) = mpsc::channel();
        let begin = Instant::now();
        let tell = move || {
            let mut told = false;
            while let Err(mpsc::RecvTimeoutError::Timeout) = receiver.recv_timeout(Duration::from_secs(2)) {
                let what = if inputs == 1 { "one input".to_owned() } else { format!("{inputs} inputs") };
                let _ = write!(io::stderr(), "\rwhyred: reading {what}, {} s", begin.elapsed().as_secs());
                told = true;
            }
            if told {
                let _ = write!(io::stderr(), "\r\x1b[K");
            }
        };
        Progress { done: Some((sender, thread::spawn(tell))) }
    }

    pub(crate) fn end(self) {
        if let Some((sender, thread)) = self.done {
            drop(sender);
            let _ = thread.join();
        }
    }
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
