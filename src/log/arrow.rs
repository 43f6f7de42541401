//! Diagnostics whose place stands on a line of its own behind an arrow: rustc, Cargo, Clippy, ruff, solc, uv.
//!
//! ```text
//! error[E0432]: unresolved import `image`
//!  --> src/render.rs:2:5
//!   |
//! 2 | use image::RgbaImage;
//!   |     ^^^^^^ use of unresolved module or unlinked crate `image`
//! ```
//!
//! A head without a code looks like any other line that begins with `error:`, so it is only remembered; the arrow on
//! one of the next lines makes it a diagnostic. A warning is held too, so that nothing within it is taken for a failure.

use super::block::{diagnostic, extension, is_excerpt, place};
use super::{Grip, Line, Reader};
use crate::item::Item;
use crate::report::{Failure, FileRef, Signal, TextLine};

pub(super) const NEEDLES: &[&str] =
    &["error[E", "error: ", "error\u{1b}[0m", "warning: ", "warning\u{1b}[0m", "warning[", " --> ", "m--> ", "Error ("];

/// How many lines a message may have in front of the arrow.
const MESSAGE_LINES: u64 = 6;

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Arrow::default())
}

#[derive(Default)]
struct Arrow {
    head: Option<Head>,
    block: Option<Block>,
    /// A lint was denied in this run; later findings of the same lint do not say so again.
    denied: bool,
    /// An import could not be resolved, which makes later errors about types and methods likely to follow from it.
    unresolved: bool,
}

#[derive(Clone)]
struct Head {
    line: TextLine,
    warning: bool,
    code: Option<String>,
}

struct Block {
    head: Option<Head>,
    file: FileRef,
    text: Vec<TextLine>,
    denied: bool,
    lines: usize,
}

impl Reader for Arrow {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        if let Some(block) = &mut self.block {
            if block.own(line) {
                return Grip::Hold;
            }
            self.finish(out);
            if line.text.is_empty() {
                return Grip::Take;
            }
        }
        if let Some(head) = head(line) {
            let coded = head.code.as_deref().is_some_and(is_rustc);
            self.head = Some(head);
            return if coded { Grip::Take } else { Grip::Pass };
        }
        if let Some(place) = arrow(line.text) {
            let near = |head: &Head| line.span.line.saturating_sub(head.line.span.line) <= MESSAGE_LINES;
            let head = self.head.take().filter(near);
            if head.is_none() && line.indent() == 0 {
                return Grip::Pass;
            }
            self.block = Some(Block { head, file: place, text: vec![line.to_text()], denied: false, lines: 0 });
            return Grip::Hold;
        }
        Grip::Pass
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.finish(out);
    }
}

impl Arrow {
    fn finish(&mut self, out: &mut dyn FnMut(Item)) {
        let Some(Block { head, file, mut text, denied, .. }) = self.block.take() else { return };
        if head.as_ref().is_some_and(|head| head.warning) {
            return;
        }
        self.denied |= denied;
        let code = head.as_ref().and_then(|head| head.code.clone());
        let kind = extension(&file.path);
        let is_code = code.as_deref().is_some_and(is_rustc);
        let message = head.as_ref().map_or("", |head| head.line.text.as_str());
        let signal = match kind.as_str() {
            "toml" | "lock" => Signal::Config,
            "rs" if denied || self.denied && !is_code && !is_syntax(message) => Signal::Lint,
            "rs" | "sol" | "cairo" | "nr" | "move" | "wgsl" | "sw" | "gleam" | "zig" | "vy" | "leo" => Signal::Compile,
            _ if message.contains("yntax") || message.contains("arse error") => Signal::Compile,
            _ => Signal::Lint,
        };
        if let Some(head) = head {
            text.insert(0, head.line);
        }
        let import = matches!(code.as_deref(), Some("E0432" | "E0433" | "E0463"));
        // A name that a missing crate would have brought: its methods, its traits, its types.
        let cascade = self.unresolved
            && matches!(code.as_deref(), Some("E0599" | "E0277" | "E0282" | "E0283" | "E0412" | "E0405" | "E0425"));
        self.unresolved |= import;
        let follow_on = cascade;
        out(Item::Failure(Failure { file: Some(file), type_name: code, follow_on, ..diagnostic(signal, text) }));
    }
}

impl Block {
    /// Takes a line that belongs to the block.
    fn own(&mut self, line: Line<'_>) -> bool {
        self.lines += 1;
        if self.lines > 400 || line.text.is_empty() {
            return false;
        }
        let text = line.trimmed();
        if text.starts_with("= note:") || text.starts_with("= help:") {
            self.denied |= text.contains("`-D ") || text.contains("rust-clippy") || text.contains("#[deny(clippy::");
            return true;
        }
        if head(line).is_some() {
            return false;
        }
        is_excerpt(line.text)
            || text.starts_with("--> ")
            || text.starts_with("::: ")
            || text.starts_with("...")
            || text.starts_with("help:")
            || text.starts_with("note:")
            || is_change(line.text)
            || line.indent() > 0
    }
}

/// `8 - return n;`, `8 + n`, `LL ~ x`: a suggested change.
fn is_change(text: &str) -> bool {
    let rest = text.trim_start().trim_start_matches(|character: char| character.is_ascii_digit());
    rest.len() < text.len() && [" - ", " + ", " ~ "].iter().any(|mark| rest.starts_with(mark))
}

fn is_rustc(code: &str) -> bool {
    code.len() == 5 && code.starts_with('E') && code[1..].bytes().all(|byte| byte.is_ascii_digit())
}

/// Words of the parser of rustc and of its macro expander; their errors have no code and are no lints.
fn is_syntax(message: &str) -> bool {
    ["expected ", "unclosed", "mismatched closing", "cannot find macro", "no rules expected", "unknown start of token"]
        .iter()
        .any(|words| message.contains(words))
}

fn head(line: Line<'_>) -> Option<Head> {
    let text = line.text;
    let (warning, rest) = match () {
        () if text.starts_with("error") => (false, &text[5..]),
        () if text.starts_with("warning") => (true, &text[7..]),
        () if text.starts_with("Error") => (false, &text[5..]),
        () if text.starts_with("Warning") => (true, &text[7..]),
        () => return None,
    };
    // Solc parts the code from the word.
    let rest = rest.strip_prefix(' ').filter(|code| code.starts_with('(')).unwrap_or(rest);
    let (code, rest) = match rest.strip_prefix(['[', '(', ' ']) {
        Some(inner) if !rest.starts_with(' ') => {
            let end = inner.find([']', ')'])?;
            (Some(inner[..end].to_owned()), &inner[end + 1..])
        }
        _ => (None, rest),
    };
    rest.starts_with(": ").then(|| Head { line: line.to_text(), warning, code })
}

fn arrow(text: &str) -> Option<FileRef> {
    let rest = text.trim_start().strip_prefix("--> ")?;
    Some(place(rest)?.file)
}
