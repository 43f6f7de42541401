//! Diagnostics that draw a frame around the source: miette (oxlint, SWC, Rspack), ariadne, codespan (cargo-deny,
//! Gleam, naga).
//!
//! ```text
//!   × eslint(no-debugger): `debugger` statement is not allowed
//!    ╭─[src/c.js:2:17]
//!  1 │ export var a = 1;
//!  2 │ if (a == 1) { debugger }
//!    ·               ────────
//!    ╰────
//! ```
//!
//! The corner of the frame names the place, and the words stand in the lines above it.

use super::block::{diagnostic, extension, keep, place};
use super::{ABOVE, Above, Grip, Line, Reader};
use crate::item::Item;
use crate::report::{Failure, FileRef, Signal, TextLine};

/// Without a terminal that has the signs of a frame, miette draws it in ASCII. The corner alone is too short to look
/// for, so that the folders in which sources stand are looked for behind it.
pub(super) const NEEDLES: &[&str] = &[
    "╭─[",
    "┌─ ",
    "    └─ ",
    ",-[\u{1b}[",
    ",-[src/",
    ",-[app/",
    ",-[apps/",
    ",-[lib/",
    ",-[test",
    ",-[packages/",
    ",-[components/",
    ",-[pages/",
    ",-[/home/",
    ",-[/tmp/",
    ",-[/app/",
    ",-[/builds/",
    ",-[/workspace",
    // A source at the root of the project has no folder to look for, so that the head tells.
    "x eslint(",
    "x typescript-eslint(",
    "x eslint-plugin-",
];

/// How many lines a frame has at most.
const MAX_LINES: usize = 200;

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Boxed::default())
}

#[derive(Default)]
struct Boxed {
    /// The lines above the one that is shown next, the nearest first.
    above: Vec<TextLine>,
    /// A head that was just seen; the corner may follow.
    head: Option<TextLine>,
    block: Option<Block>,
}

struct Block {
    /// Nothing fails by it.
    mild: bool,
    signal: Signal,
    file: FileRef,
    text: Vec<TextLine>,
    lines: usize,
}

impl Reader for Boxed {
    fn looks_back(&self) -> usize {
        ABOVE
    }

    fn above(&mut self, above: Above<'_>) {
        self.above = above.cloned().collect();
    }

    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let mut above = std::mem::take(&mut self.above);
        if let Some(head) = self.head.take()
            && above.is_empty()
        {
            above.push(head);
        }
        if let Some(block) = &mut self.block {
            block.lines += 1;
            let trimmed = line.trimmed();
            if ["╰─", "└─", "`--"].iter().any(|end| trimmed.starts_with(end)) {
                self.finish(out);
                return Grip::Take;
            }
            if block.lines < MAX_LINES && (line.indent() > 0 || in_frame(trimmed)) && corner(trimmed).is_none() {
                keep(&mut block.text, line);
                return Grip::Hold;
            }
            self.finish(out);
            if line.text.is_empty() {
                return Grip::Take;
            }
        }
        // Elixir closes the frame with the place.
        if let Some(file) = foot(line.trimmed()) {
            let found =
                above.iter().take_while(|line| !line.text.trim().is_empty()).find(|line| head(&line.text).is_some());
            if let Some(told) = found.filter(|line| head(&line.text) == Some(false)) {
                let text = vec![told.clone(), line.to_text()];
                out(Item::Failure(Failure { file: Some(file), ..diagnostic(Signal::Compile, text) }));
                return Grip::Take;
            }
            return Grip::Pass;
        }
        let Some(file) = corner(line.trimmed()) else {
            if names_check(line.text) && head(line.text) == Some(false) {
                self.head = Some(line.to_text());
                return Grip::Watch;
            }
            return Grip::Pass;
        };
        let Some((at, mild)) = above
            .iter()
            .take_while(|line| !line.text.trim().is_empty())
            .enumerate()
            .find_map(|(at, line)| head(&line.text).map(|mild| (at, mild)))
        else {
            return Grip::Pass;
        };
        let mut text: Vec<TextLine> = above[..=at].iter().rev().cloned().collect();
        // The name of the check may stand above the words.
        let code = above.get(at + 1).filter(|line| is_check(line.text.trim())).cloned();
        let message = text[0].text.as_str();
        let signal = match extension(&file.path).as_str() {
            _ if code.is_some() || names_check(message) => Signal::Lint,
            "toml" | "lock" | "json" | "jsonc" | "yaml" | "yml" => Signal::Config,
            _ => Signal::Compile,
        };
        text.extend(code);
        keep(&mut text, line);
        self.block = Some(Block { mild, signal, file, text, lines: 0 });
        Grip::Hold
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.finish(out);
    }
}

impl Boxed {
    fn finish(&mut self, out: &mut dyn FnMut(Item)) {
        let Some(Block { mild: false, signal, file, text, .. }) = self.block.take() else { return };
        out(Item::Failure(Failure { file: Some(file), ..diagnostic(signal, text) }));
    }
}

/// The place behind the corner of a frame: `╭─[src/c.js:2:17]`, `,-[src/c.js:2:17]`, `┌─ src/main.gleam:3:5`.
fn corner(text: &str) -> Option<FileRef> {
    let framed = text.strip_prefix("╭─[").or_else(|| text.strip_prefix(",-["));
    let path = match framed {
        Some(rest) => rest.rsplit_once(']')?.0,
        None => text.strip_prefix("┌─ ")?,
    };
    Some(place(path.trim())?.file)
}

/// The place at the foot of a frame: `└─ lib/rows.ex:12:5: Rows.add/2`.
fn foot(text: &str) -> Option<FileRef> {
    let file = place(text.strip_prefix("└─ ")?)?.file;
    matches!(extension(&file.path).as_str(), "ex" | "exs" | "heex" | "eex").then_some(file)
}

/// Whether a line is the head of a diagnostic, and whether it is one by which nothing fails.
fn head(text: &str) -> Option<bool> {
    let text = text.trim_start();
    let bare = text.strip_prefix("Error: ").map_or(text, str::trim_start);
    let signs: &[(&str, bool)] =
        &[("× ", false), ("x ", false), ("✖ ", false), ("⚠ ", true), ("! ", true), ("☞ ", true), ("> ", true)];
    if let Some((_, mild)) = signs.iter().find(|(sign, _)| bare.starts_with(sign)) {
        return Some(*mild);
    }
    let word = text.split(['[', ':', '(']).next().unwrap_or(text);
    // Ariadne puts the code in front: `[E03] Error: x`.
    let coded = text.strip_prefix('[').and_then(|rest| rest.split_once("] ")).map(|(_, rest)| rest);
    let word = coded.map_or(word, |rest| rest.split(':').next().unwrap_or(rest));
    match word {
        "error" | "Error" | "bug" => Some(false),
        "warning" | "Warning" | "note" | "help" | "advice" | "Advice" | "info" => Some(true),
        _ => None,
    }
}

/// Whether the words begin with the name of a check and its plugin: `× eslint(no-var): x`.
fn names_check(message: &str) -> bool {
    let words = message.trim_start().split_once(' ').map_or("", |(_, rest)| rest.trim_start());
    words.split_once("): ").is_some_and(|(check, _)| is_check(&format!("{check})")))
}

/// `eslint(no-var)`, `typescript-eslint(no-explicit-any)`.
fn is_check(text: &str) -> bool {
    let Some((plugin, rule)) = text.strip_suffix(')').and_then(|text| text.split_once('(')) else { return false };
    let word = |text: &str| {
        !text.is_empty()
            && text.len() < 60
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'/' | b'@' | b'_'))
    };
    word(plugin) && word(rule)
}

/// Whether a line without white space in front stands in a frame: `12 │ x`.
fn in_frame(text: &str) -> bool {
    let rest = text.trim_start_matches(|character: char| character.is_ascii_digit()).trim_start();
    rest.starts_with(['│', '|', '·', ':'])
}

#[cfg(test)]
mod tests {
    #[track_caller]
    fn check(log: &str, expected: &[(&str, &str, u64)]) {
        let report = crate::Analyzer::new().analyze([crate::Source::bytes("log", log.as_bytes())]);
        let found = report
            .causes
            .iter()
            .map(|cause| (cause.kind.as_str(), cause.subject.as_deref().unwrap_or(""), cause.evidence[0].line));
        assert_eq!(found.collect::<Vec<_>>(), expected, "{log}");
    }

    #[test]
    fn frames_of_miette() {
        check(
            "\n  × Unexpected token `<eof>`. Expected identifier\n   ╭─[src/a.ts:2:13]\n 1 │ const b = {\n   ╰────\n",
            &[("compile_error", "src/a.ts", 2)],
        );
        check(
            "  x eslint(no-var): Unexpected var.\n   ,-[src/c.js:1:8]\n 1 | var a\n   : ^^^\n   `----\n",
            &[("lint_violation", "src/c.js", 1)],
        );
        let head = "  x eslint(no-debugger): `debugger` statement is not allowed\n";
        check(&format!("{head}   ,-[a.js:1:1]\n 1 | debugger;\n   : ^^\n   `----\n"), &[("lint_violation", "a.js", 1)]);
        check(&format!("{head}that was quoted\n"), &[]);
        check("  ⚠ eslint(no-var): Unexpected var.\n   ╭─[src/c.js:1:8]\n 1 │ error: a\n   ╰────\n", &[]);
    }

    #[test]
    fn frames_of_elixir() {
        let frame = "    │\n 12 │     totl + 1\n    │     ^^^^\n    │\n    └─ lib/rows.ex:12:5: Rows.add/2\n\n";
        let end = "== Compilation error in file lib/rows.ex ==\n** (CompileError) lib/rows.ex: cannot compile\n";
        check(&format!("    error: undefined variable \"totl\"\n{frame}{end}"), &[("compile_error", "lib/rows.ex", 1)]);
        check(&format!("    warning: variable \"totl\" is unused\n{frame}"), &[]);
    }

    #[test]
    fn frames_of_codespan_and_ariadne() {
        check(
            "error: Unknown variable\n  ┌─ src/shop.gleam:3:5\n  │\n3 │   totl + 1\n  │   ^^^^\n\n",
            &[("compile_error", "src/shop.gleam", 1)],
        );
        check(
            "[3] Error: found ')' but expected expression\n   ╭─[calc.zz:1:9]\n   │\n 1 │ let x = )\n───╯\n",
            &[("compile_error", "calc.zz", 1)],
        );
        check("warning: unused\n  ┌─ src/shop.gleam:3:5\n  │\n3 │ error: a\n\n", &[]);
    }
}
