//! Diagnostics that begin with their place: C, C++, Java, Scala, Swift, C#, MSVC, mypy and their like.
//!
//! ```text
//! src/arp.c:9:19: error: 'flags' undeclared
//!     9 |     for (i = 0; i < flags; i++)
//!       |                     ^~~~~
//! ```
//!
//! Each error is a failure; its notes and its excerpt belong to it. A warning is held with its excerpt and dropped, so
//! that nothing within it is taken for a failure.

use std::collections::HashSet;

use super::block::{diagnostic, extension, is_excerpt, is_marker, keep, place};
use super::{Grip, Line, Reader};
use crate::item::Item;
use crate::report::{Failure, FileRef, Signal, TextLine};

pub(super) const NEEDLES: &[&str] = &[
    "error: ",
    // Mypy ends the color right behind the colon.
    "error:\u{1b}",
    ": error ",
    "): error",
    "warning: ",
    ": warning ",
    "In file included from",
    ": Error: ",
    // GHC breaks the line behind the colon.
    r".hs:\d",
];

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Located::default())
}

#[derive(Default)]
struct Located {
    block: Option<Block>,
    /// What was reported already: build tools print the errors of a compiler a second time.
    seen: HashSet<u64>,
    /// Names that an import which cannot be resolved would have brought.
    missing: HashSet<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Severity {
    Error,
    Warning,
    Note,
}

struct Block {
    severity: Severity,
    file: FileRef,
    code: Option<String>,
    signal: Signal,
    text: Vec<TextLine>,
    /// The tool quotes the source line without a mark in front.
    quotes: bool,
    /// The message stands below the place.
    bare: bool,
    lines: usize,
}

impl Reader for Located {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        if let Some(head) = head(line) {
            if head.severity == Severity::Note {
                // Belongs to the block before it, or to nothing.
                return if self.block.is_some() { Grip::Hold } else { Grip::Pass };
            }
            self.finish(out);
            self.block = Some(head);
            return Grip::Hold;
        }
        if let Some(block) = &mut self.block {
            if block.own(line) {
                return Grip::Hold;
            }
            self.finish(out);
        }
        Grip::Pass
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.finish(out);
    }
}

impl Located {
    fn finish(&mut self, out: &mut dyn FnMut(Item)) {
        let Some(Block { severity, file, code, signal, text, .. }) = self.block.take() else { return };
        if severity != Severity::Error {
            return;
        }
        let mut hash = crate::rules::Fnv::default();
        let message = text.first().map_or("", |line| line.text.as_str());
        hash.write(file.path.as_bytes());
        hash.write(&file.line.unwrap_or(0).to_le_bytes());
        hash.write(&file.column.unwrap_or(0).to_le_bytes());
        hash.write(place(strip_tool(message)).map_or(message, |placed| placed.rest).trim_end().as_bytes());
        if self.seen.len() < 50_000 && !self.seen.insert(hash.0) {
            return;
        }
        let mut follow_on = false;
        if message.contains(" does not exist")
            || message.contains("Unresolved reference")
            || message.contains("unable to resolve")
        {
            let imported = text.iter().skip(1).find_map(|line| line.text.trim().strip_prefix("import "));
            if let Some(name) = imported.and_then(|path| path.trim_end_matches([';', ' ']).rsplit('.').next()) {
                self.missing.insert(name.to_owned());
            }
        } else if message.contains("cannot find symbol") {
            let symbol = text.iter().find_map(|line| line.text.trim().strip_prefix("symbol:"));
            follow_on = symbol
                .and_then(|symbol| symbol.split_whitespace().nth(1))
                .is_some_and(|name| self.missing.contains(name));
        }
        out(Item::Failure(Failure { file: Some(file), type_name: code, follow_on, ..diagnostic(signal, text) }));
    }
}

impl Block {
    /// Takes a line that belongs to the block.
    fn own(&mut self, line: Line<'_>) -> bool {
        self.lines += 1;
        if self.lines > 200 || line.text.is_empty() {
            return false;
        }
        let text = line.text;
        if text.starts_with("In file included from") || text.starts_with("compilation terminated") {
            return true;
        }
        if is_excerpt(text) {
            return true;
        }
        let quoted = self.quotes && self.lines == 1 && line.indent() == 0;
        if quoted || line.indent() > 0 || is_marker(text) {
            // What javac tells below the excerpt, or the quoted line itself.
            if (self.quotes || self.bare) && self.lines <= 8 {
                keep(&mut self.text, line);
            }
            return true;
        }
        false
    }
}

/// What build tools put in front of a line of a compiler.
fn strip_tool(text: &str) -> &str {
    let prefixed = |first: &u8| matches!(first, b'[' | b'e' | b'w' | b' ' | b':' | b'>' | b'\t' | b'0'..=b'9');
    if !text.as_bytes().first().is_some_and(prefixed) {
        return text;
    }
    let mut text = text;
    for prefix in ["[ERROR] ", "[error] ", "[WARNING] ", "[warn] ", "e: ", "w: "] {
        text = text.strip_prefix(prefix).unwrap_or(text);
    }
    // Ant names the task: `    [javac] /src/A.java:1: error: x`.
    if text.starts_with(' ')
        && let Some((task, rest)) = text.trim_start().strip_prefix('[').and_then(|rest| rest.split_once("] "))
        && task.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':' | b'.'))
    {
        text = rest;
    }
    // Gradle glues the first error to the name of its task.
    if let Some(rest) = text.strip_prefix(':')
        && let Some(slash) = rest.find('/')
        && rest[..slash].bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b':')
    {
        text = &rest[slash..];
    }
    // Spack quotes the log of a build with its line numbers: `  >> 1202    a.c:1:5: error: x`.
    if let Some(rest) = text.trim_start().strip_prefix(">> ") {
        text = rest.trim_start_matches(|character: char| character.is_ascii_digit()).trim_start();
    }
    // MSBuild numbers its nodes: `  3>a.cpp(1): error`.
    let bare = text.trim_start();
    let behind = bare.trim_start_matches(|character: char| character.is_ascii_digit());
    if behind.len() < bare.len()
        && let Some(rest) = behind.strip_prefix('>')
    {
        text = rest;
    }
    text
}

fn head(line: Line<'_>) -> Option<Block> {
    let text = strip_tool(line.text);
    // Pyright puts the file above and a dash between place and word: `  /app/m.py:3:12 - error: x`.
    let text = if text.contains(" - error") || text.contains(" - warning") { text.trim_start() } else { text };
    let placed = place(text)?;
    let (severity, code, message) = severity(placed.rest.strip_prefix("- ").unwrap_or(placed.rest))?;
    let extension = extension(&placed.file.path);
    let quotes = matches!(extension.as_str(), "java" | "scala" | "groovy" | "swift");
    // ESLint's `visualstudio` puts the rule where compilers have their code; an error of syntax has none.
    let lint = is_lint(&extension, message) || code.as_deref().is_some_and(is_rule);
    let signal = match severity {
        // ShellCheck fails by whatever it finds, unless it is told otherwise.
        Severity::Warning | Severity::Note if lint && matches!(extension.as_str(), "sh" | "bash" | "ksh") => {
            Signal::Remark
        }
        _ if lint => Signal::Lint,
        _ => Signal::Compile,
    };
    let severity = if signal == Signal::Remark { Severity::Error } else { severity };
    let bare = message.is_empty();
    Some(Block { severity, file: placed.file, code, signal, text: vec![line.to_text()], quotes, bare, lines: 0 })
}

/// `error: x`, `fatal error: x`, `error C2065: x`, `error TS2304: x`.
fn severity(rest: &str) -> Option<(Severity, Option<String>, &str)> {
    let words: &[(&str, Severity)] = &[
        ("fatal error", Severity::Error),
        ("internal compiler error", Severity::Error),
        ("Fatal error", Severity::Error),
        ("catastrophic error", Severity::Error),
        ("error", Severity::Error),
        ("Error", Severity::Error),
        ("warning", Severity::Warning),
        ("Warning", Severity::Warning),
        ("note", Severity::Note),
        ("remark", Severity::Note),
        ("info", Severity::Note),
    ];
    for (word, severity) in words {
        let Some(rest) = rest.strip_prefix(word) else { continue };
        if let Some(message) = rest.strip_prefix(':') {
            return Some((*severity, None, message.trim_start()));
        }
        // `error: (code)`-less forms with a code between word and colon.
        let (code, message) = rest.strip_prefix(' ')?.split_once(':')?;
        let code = code.trim();
        let is_code = code.len() >= 3
            && code.len() <= 24
            && code.bytes().any(|byte| byte.is_ascii_digit())
            && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        let blank = code.is_empty() && message.trim_start().starts_with("Parsing error");
        if blank {
            return Some((*severity, None, message.trim_start()));
        }
        // A rule of a linter stands apart from the colon, and an empty one from the word.
        let is_code = is_code || is_rule(code) && rest.contains(&format!("{code} : "));
        return is_code.then(|| (*severity, Some(code.to_owned()), message.trim_start()));
    }
    None
}

/// Whether the finding is one of a linter that prints as a compiler does: a bracketed name of a check at the end.
fn is_lint(extension: &str, message: &str) -> bool {
    // SwiftFormat names its rule in front and SwiftLint at the end, in parentheses: `(indent) x`, `x (line_length)`.
    if extension == "swift" {
        let front = message.strip_prefix('(').and_then(|rest| rest.split_once(") ")).map(|(name, _)| name);
        let name = front.or_else(|| message.strip_suffix(')')?.rsplit_once(" (").map(|(_, name)| name));
        let word = |byte: u8| byte.is_ascii_lowercase() || byte == b'_' || byte.is_ascii_digit();
        return name.is_some_and(|name| {
            name.bytes().all(|byte| word(byte) || front.is_some() && byte.is_ascii_alphabetic())
                && (front.is_some() && name.len() > 2 || name.contains('_'))
        });
    }
    let Some(name) = message.strip_suffix(']').and_then(|rest| rest.rsplit_once('[')).map(|(_, name)| name) else {
        return false;
    };
    let first = name.split(',').next().unwrap_or(name);
    match extension {
        "c" | "cc" | "cpp" | "cxx" | "h" | "hpp" | "hh" | "m" | "mm" | "cu" => {
            // Clang-Tidy and Cppcheck; a warning that was made an error is the compiler's, as is Clang's own.
            !first.starts_with("-W") && !first.starts_with("clang-diagnostic") && is_check(first)
        }
        "sh" | "bash" | "ksh" => first.starts_with("SC"),
        "java" => {
            is_check(first)
                && !message.contains("[-")
                && first.bytes().next().is_some_and(|byte| byte.is_ascii_uppercase())
        }
        _ => false,
    }
}

/// Whether the code of a finding is the name of a linter's rule: `no-unused-vars`, `@typescript-eslint/no-shadow`.
fn is_rule(code: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || matches!(byte, b'-' | b'/' | b'@') || byte.is_ascii_digit();
    code.len() >= 3
        && code.len() <= 80
        && code.bytes().all(letter)
        && code.bytes().any(|byte| byte.is_ascii_lowercase())
}

fn is_check(name: &str) -> bool {
    name.len() > 3 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
}
