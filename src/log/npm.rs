//! What npm prints when it fails: one block of lines that begin with `npm ERR!` (up to npm 9) or `npm error`.

use super::{Grip, Line, Reader};
use crate::item::Item;
use crate::kind::Phase;
use crate::report::{Failure, Level, Span, TextLine};

pub(super) const NEEDLES: &[&str] = &[
    "npm ERR!",
    "npm error",
    // The same in color.
    "[31;40mERR!",
    "[31merror",
    "npm notice Publishing to",
    "TAR_ENTRY_ERROR ENOSPC",
];

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Npm::default())
}

/// How many lines of a block are kept.
const MAX_LINES: usize = 300;

#[derive(Default)]
struct Npm {
    lines: Vec<TextLine>,
    span: Option<Span>,
    /// Something is being published.
    publishing: bool,
    /// A full disk was told, which npm tells once for each file.
    full: bool,
}

impl Reader for Npm {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        if text.starts_with("npm notice Publishing to") {
            self.publishing = true;
            return Grip::Pass;
        }
        if text.contains("TAR_ENTRY_ERROR ENOSPC") {
            if !std::mem::replace(&mut self.full, true) {
                let text = vec![line.to_text()];
                out(Item::Failure(Failure { level: Level::Diagnostic, text, span: line.span, ..Failure::default() }));
            }
            return Grip::Take;
        }
        let rest = text.strip_prefix("npm ERR!").or_else(|| text.strip_prefix("npm error"));
        let Some(rest) = rest else {
            // npm 9 and before leave a line empty within the block.
            if self.span.is_some() && text.is_empty() {
                return Grip::Hold;
            }
            self.close(out);
            return Grip::Pass;
        };
        // A second command begins its own block.
        if rest.starts_with(" code ") && self.lines.iter().any(|line| line.text.starts_with("code ")) {
            self.close(out);
        }
        self.span = Some(self.span.map_or(line.span, |span| span.join(line.span)));
        if self.lines.len() < MAX_LINES {
            let text = rest.strip_prefix(' ').unwrap_or(rest);
            self.lines.push(TextLine { text: text.to_owned(), span: line.span });
        }
        Grip::Hold
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.close(out);
    }
}

impl Npm {
    fn close(&mut self, out: &mut dyn FnMut(Item)) {
        let Some(span) = self.span.take() else { return };
        let mut lines = std::mem::take(&mut self.lines);
        let code = lines.iter().find_map(|line| line.text.strip_prefix("code ")).map(|code| code.trim().to_owned());
        let conflict = (code.as_deref() == Some("ERESOLVE")).then(|| conflict(&lines)).flatten();
        let publishing = std::mem::take(&mut self.publishing) || lines.iter().any(|line| line.text.contains(" - PUT "));
        // A script's own failure: npm adds its exit status and where it ran, and says nothing of the cause.
        let scripted =
            code.as_deref().is_none_or(|code| code == "ELIFECYCLE" || code.bytes().all(|byte| byte.is_ascii_digit()));
        lines.retain(|line| !is_frame_of_npm(&line.text));
        let follow_on = scripted && lines.iter().all(|line| is_ornament(&line.text));
        out(Item::Failure(Failure {
            level: Level::Diagnostic,
            phase: publishing.then_some(Phase::Deploy),
            subject: conflict,
            text: lines,
            span,
            follow_on,
            ..Failure::default()
        }));
    }
}

/// The two sides of an `ERESOLVE`: what was found, and who wants another.
fn conflict(lines: &[TextLine]) -> Option<String> {
    let found = lines.iter().find_map(|line| line.text.trim().strip_prefix("Found: "))?;
    let wants = lines.iter().find_map(|line| {
        let text = line.text.trim().strip_prefix("peer ").or_else(|| line.text.trim().strip_prefix("peerOptional "))?;
        text.split_once(" from ").map(|(_, who)| who)
    });
    Some(match wants {
        Some(who) => format!("{found} vs {who}"),
        None => found.to_owned(),
    })
}

/// A frame of npm's own stack, and the fields of the error object that repeat its message.
fn is_frame_of_npm(text: &str) -> bool {
    let text = text.trim_start();
    text.starts_with("at ") || text.starts_with("gyp info ") || text.starts_with("gyp verb ")
}

/// A line that tells where a script ran and how it ended, and not why.
fn is_ornament(text: &str) -> bool {
    const STARTS: &[&str] = &[
        "code ",
        "errno ",
        "path ",
        "workspace ",
        "location ",
        "command ",
        "signal ",
        "syscall ",
        "file ",
        "spawn ENOENT",
        "command failed",
        "Lifecycle script",
        "Error: command failed",
        "Failed at the ",
        "This is probably not a problem with npm",
        "Test failed.",
        "Exit status ",
        "A complete log of this run",
        "in workspace: ",
        "at location: ",
    ];
    let text = text.trim();
    let script = text.contains('@') && text.ends_with('`') || text.starts_with('/') && text.ends_with(".log");
    text.is_empty() || script || STARTS.iter().any(|start| text.starts_with(start))
}
