//! Findings of linters: one line each, with its place in front and no word that says how severe it is.
//!
//! ```text
//! ./num_guess.py:4:1: F401 'sys' imported but unused
//! fmts/fmt_test.go:42:21: Error return value of `x` is not checked (errcheck)
//! app/models/order.rb:45:5: C: Style/TrailingComma: Put a comma after the last item.
//! ```
//!
//! A code, the name of a check or words that only one tool uses make a finding firm. Any other message behind a place
//! may be a line of a program's own log: it is handed on as a mere remark, which counts only where nothing else does.

use std::collections::HashMap;

use super::block::{Placed, diagnostic, extension, is_marker, is_path, place};
use super::compilers::{is_erlc, is_javac};
use super::{Grip, Line, Reader};
use crate::item::Item;
use crate::report::{Failure, FileRef, Signal, TextLine};
use crate::rules::Fnv;

/// Short literals cost the scan much, so only the extensions that linters print most have one.
pub(super) const NEEDLES: &[&str] = &[
    // Ruff colors the colons.
    "\u{1b}[36m:\u{1b}[0m",
    "\u{1b}[36m:\u{1b}[m",
    r".py:\d",
    r".go:\d",
    r".rb:\d",
    r".php:\d",
    r".kt:\d",
    r".java:\d",
    r".yml:\d",
    r".yaml:\d",
    r".sh:\d",
    r".lua:\d",
    r".haml:\d",
    r".slim:\d",
    r".erb:\d",
    r".tf:\d",
    r".md:\d",
    r".env:\d",
    r".scala:\d",
    r".proto:\d",
    r".swift:\d",
    r".ipynb:\d",
    // Ruff can group its findings below the name of their file.
    ".py:$",
    ".ipynb:$",
    r".groovy:\d",
    r"Dockerfile:\d",
    r"Gemfile:\d",
    r"Rakefile:\d",
    r"Containerfile:\d",
    // The prose of TSLint, and the table of remark.
    r".ts[\d",
    r".tsx[\d",
    " remark-lint",
    // xcpretty and xcbeautify.
    "❌  /Users/",
    "❌ /Users/",
    r".erl:\d",
    r".rst:\d",
];

/// How many lines of compilers are kept in mind.
const MAX_SAID: usize = 10_000;

/// How far from an error its echo may stand.
const ECHO_REACH: u64 = 1000;

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Findings::default())
}

#[derive(Default)]
struct Findings {
    /// A firm finding was just read; what it quotes may follow.
    quoting: u8,
    /// The place of a finding whose words stand on the next line.
    ahead: Option<FileRef>,
    /// The file of which the findings follow, one a line.
    group: Option<String>,
    /// What a compiler said, and where it stood: what runs it may say so again in its summary.
    said: HashMap<u64, u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Compile,
    /// A file of settings cannot be read.
    Config,
    Lint,
    /// It may be a finding.
    Remark,
}

impl Reader for Findings {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let quoting = std::mem::take(&mut self.quoting);
        if let Some(file) = self.ahead.take()
            && let Some(type_name) = code(line.trimmed())
        {
            let type_name = Some(type_name.to_owned());
            let text = vec![TextLine { text: line.trimmed().to_owned(), span: line.span }];
            out(Item::Failure(Failure { file: Some(file.clone()), type_name, ..diagnostic(Signal::Lint, text) }));
            self.ahead = Some(file);
            return Grip::Hold;
        }
        if let Some(file) = head_of_pydocstyle(line.text) {
            self.ahead = Some(file);
            return Grip::Hold;
        }
        if let Some(path) = self.group.take() {
            if let Some((place, rest)) = in_group(line.text) {
                let compiles = is_syntax(rest);
                let signal = if compiles { Signal::Compile } else { Signal::Lint };
                let type_name = code(rest).map(str::to_owned);
                let text = vec![TextLine { text: line.trimmed().to_owned(), span: line.span }];
                let file = Some(FileRef { path: path.clone(), ..place });
                out(Item::Failure(Failure { file, type_name, ..diagnostic(signal, text) }));
                self.group = Some(path);
                return Grip::Hold;
            }
        } else if line.text.ends_with(".py:") || line.text.ends_with(".ipynb:") {
            self.group = line.text.strip_suffix(':').filter(|path| is_path(path)).map(str::to_owned);
            return if self.group.is_some() { Grip::Hold } else { Grip::Pass };
        }
        // Luacheck writes what it finds below the name of the file.
        let deepest = if line.text.contains(".lua:") { 4 } else { 2 };
        if line.indent() <= deepest
            && let Some((placed, sort)) = finding(line.trimmed())
        {
            let signal = match sort {
                Sort::Compile => Signal::Compile,
                Sort::Config => Signal::Config,
                Sort::Lint => Signal::Lint,
                Sort::Remark => Signal::Remark,
            };
            if sort == Sort::Compile && self.is_echo(line) {
                return Grip::Take;
            }
            let type_name = code(placed.rest).map(str::to_owned);
            let text = vec![TextLine { text: line.trimmed().to_owned(), span: line.span }];
            out(Item::Failure(Failure { file: Some(placed.file), type_name, ..diagnostic(signal, text) }));
            if sort == Sort::Remark {
                // The line may be something else that a rule knows.
                return Grip::Pass;
            }
            self.quoting = 3;
            return Grip::Hold;
        }
        if quoting > 0 && !line.text.is_empty() && (line.indent() > 0 || is_marker(line.text)) {
            self.quoting = quoting - 1;
            return Grip::Hold;
        }
        Grip::Pass
    }

    fn end(&mut self, _out: &mut dyn FnMut(Item)) {}
}

impl Findings {
    /// Whether the same was said shortly before.
    fn is_echo(&mut self, line: Line<'_>) -> bool {
        let mut hash = Fnv::default();
        hash.write(line.trimmed().as_bytes());
        if self.said.len() >= MAX_SAID {
            self.said.clear();
        }
        let before = self.said.insert(hash.0, line.span.line);
        before.is_some_and(|before| line.span.line - before <= ECHO_REACH)
    }
}

fn finding(text: &str) -> Option<(Placed<'_>, Sort)> {
    // What shortens the log of Xcode marks the errors of its compilers, which say no word of their own then.
    if let Some(rest) = text.strip_prefix('❌') {
        return place(rest.trim_start()).filter(|placed| placed.rest.len() >= 4).map(|placed| (placed, Sort::Compile));
    }
    // As an action of GitHub annotates it.
    let text = text.strip_prefix("Error: ").unwrap_or(text);
    // Go's vet says whose type checker found it.
    let (text, vet) = text.strip_prefix("vet: ").map_or((text, false), |rest| (rest, true));
    if let Some(placed) = bracketed(text) {
        return Some((placed, Sort::Lint));
    }
    if let Some(placed) = of_remark(text) {
        return Some((placed, Sort::Remark));
    }
    let placed = place(text)?;
    let extension = extension(&placed.file.path);
    let rest = placed.rest;
    if rest.len() < 4 || is_other(rest) {
        return None;
    }
    let sort = if matches!(extension.as_str(), "yml" | "yaml") && is_broken_yaml(rest) {
        Sort::Config
    } else if vet || is_syntax(rest) || extension == "java" && is_javac(rest) {
        Sort::Compile
    } else if extension == "go" {
        go(rest, placed.file.column.is_some())
    } else if is_firm(rest) {
        Sort::Lint
    } else if extension == "rb" && rest.contains("syntax error") || extension == "erl" && is_erlc(rest) {
        Sort::Compile
    } else if matches!(extension.as_str(), "json" | "txt" | "html" | "log" | "js" | "ts" | "in")
        && placed.file.column.is_none()
    {
        return None;
    } else {
        Sort::Remark
    };
    Some((placed, sort))
}

/// `a.py:3 in public function `f`:`: what is wrong stands below.
fn head_of_pydocstyle(text: &str) -> Option<FileRef> {
    let placed = place(text.strip_suffix(':')?)?;
    let of = ["at module level", "in public ", "in private ", "in nested "];
    of.iter().any(|words| placed.rest.starts_with(words)).then_some(placed.file)
}

/// A finding below the name of its file, as Ruff groups them: `  4:12 F821 Undefined name`.
fn in_group(text: &str) -> Option<(FileRef, &str)> {
    let (place, rest) = text.trim_start().split_once(' ').filter(|_| text.starts_with(' '))?;
    let (row, column) = place.split_once(':')?;
    let rest = rest.trim_start();
    let known = code(rest).is_some() || is_syntax(rest);
    known.then_some((FileRef::new("", Some(row.parse().ok()?), Some(column.parse().ok()?)), rest))
}

/// Whether a message is that of a parser of YAML.
fn is_broken_yaml(rest: &str) -> bool {
    const WORDS: &[&str] = &[
        "mapping values are not allowed",
        "did not find expected",
        "could not find expected",
        "found duplicate key",
        "found character",
        "found undefined alias",
        "found unexpected",
        "expected <block end>",
        "block sequence entries are not allowed",
    ];
    WORDS.iter().any(|words| rest.contains(words))
}

/// `25:3  warning Incorrect list-item indent  list-item-indent  remark-lint`: the file stands above the table.
///
/// Most of its findings are warnings, which fail a run only where it was told so.
fn of_remark(text: &str) -> Option<Placed<'_>> {
    let (place, rest) = text.strip_suffix(" remark-lint")?.split_once(' ')?;
    let begin = place.split('-').next().unwrap_or(place);
    let (line, column) = begin.split_once(':')?;
    let rest = rest.trim();
    let severe = ["warning ", "error "].iter().any(|word| rest.starts_with(word));
    let file = FileRef::new("", Some(line.parse().ok()?), Some(column.parse().ok()?));
    severe.then_some(Placed { file, rest })
}

/// TSLint's `file.ts[12, 3]: message`, with `ERROR: ` in front since its fourth version.
fn bracketed(text: &str) -> Option<Placed<'_>> {
    let text = text.strip_prefix("ERROR: ").unwrap_or(text);
    let (path, rest) = text.split_once('[')?;
    let (numbers, rest) = rest.split_once("]: ")?;
    let (line, column) = numbers.split_once(", ")?;
    is_path(path).then_some(())?;
    let file = FileRef::new(path, Some(line.parse().ok()?), Some(column.parse().ok()?));
    Some(Placed { file, rest })
}

/// Lines that begin with a place and are no findings: frames, warnings of an interpreter, failures of a test library.
fn is_other(rest: &str) -> bool {
    let first = rest.split_whitespace().next().unwrap_or("");
    // `go generate` says what it could not run.
    rest.starts_with("running \"")
        || rest.starts_with("in `")
        || rest.starts_with("in '")
        || first.ends_with("Warning:")
        || first.eq_ignore_ascii_case("warning:")
        || first.eq_ignore_ascii_case("note:")
        || first.eq_ignore_ascii_case("info:")
        || matches!(
            first,
            "Failure"
                | "FAILED"
                | "required"
                | "DEBUG"
                | "INFO"
                | "TRACE"
                | "WARN"
                | "WARNING"
                | "debug"
                | "info"
                | "at"
        )
        || rest.starts_with("[info]")
        || rest.starts_with("[debug]")
        // Lua.
        || rest.starts_with("attempt to ")
        || rest.starts_with("module '")
        || !rest.contains(' ')
}

/// Words of a parser: the source is broken, whoever met it.
fn is_syntax(rest: &str) -> bool {
    // Pylint's `parseable` puts code and name into brackets.
    let rest = rest.strip_prefix('[').unwrap_or(rest);
    rest.starts_with("E999")
        || rest.starts_with("E0001")
        || rest.starts_with("E902")
        || rest.contains("Lint/Syntax:")
        || rest.starts_with("syntax error")
        || rest.starts_with("SyntaxError")
        || rest.starts_with("PHP Parse error")
        || rest.starts_with("invalid-syntax")
        // Sorbet, a type checker, links each message.
        || rest.contains("https://srb.help/")
}

/// Whether the message bears the mark of a linter.
fn is_firm(rest: &str) -> bool {
    if code(rest).is_some() || rest.contains("is a misspelling of") {
        return true;
    }
    // `[E] x`, `[error] x`, `C: Style/X: y`, `E: [Correctable] Lint/X: y`.
    let level = rest.strip_prefix('[').and_then(|rest| rest.split_once("] ")).map(|(level, _)| level);
    if level
        .is_some_and(|level| matches!(level, "E" | "W" | "C" | "R" | "F" | "error" | "warning" | "Error" | "Warning"))
    {
        return true;
    }
    if let Some((letter, behind)) = rest.split_once(": ")
        && letter.len() == 1
        && "CWERFI".contains(letter)
        && behind.contains('/')
    {
        return true;
    }
    if rest.starts_with("error - ") || rest.split(": ").next().is_some_and(is_cop) {
        return true;
    }
    named(rest).is_some()
}

/// `Style/TrailingComma`.
fn is_cop(name: &str) -> bool {
    name.split_once('/').is_some_and(|(department, cop)| {
        let word = |text: &str| {
            text.len() > 2
                && text.bytes().next().is_some_and(|byte| byte.is_ascii_uppercase())
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'/')
        };
        word(department) && word(cop)
    })
}

/// A code in front: `F401 x`, `C0114: x`, `DL3008 warning: x`, `B404[bandit]: x`, `[E201] x`, `[C0114(name), ] x`.
fn code(rest: &str) -> Option<&str> {
    let rest = rest.strip_prefix('[').unwrap_or(rest);
    let end = rest.find(|character: char| !character.is_ascii_alphanumeric())?;
    let code = &rest[..end];
    let letters = code.bytes().take_while(u8::is_ascii_uppercase).count();
    let digits = code.len() - letters;
    let shaped = (1..=6).contains(&letters)
        && (2..=5).contains(&digits)
        && code[letters..].bytes().all(|byte| byte.is_ascii_digit());
    (shaped && matches!(rest.as_bytes().get(end), Some(b' ' | b':' | b'[' | b']' | b'('))).then_some(code)
}

/// The name of a check at the end: `(errcheck)`, `(line-length)`, `[MissingJavadocMethod]`, `(Rule:G104, …)`.
fn named(rest: &str) -> Option<&str> {
    let rest = rest.trim_end();
    let name = match rest.as_bytes().last()? {
        b')' => rest[..rest.len() - 1].rsplit_once(" (")?.1,
        b']' => rest[..rest.len() - 1].rsplit_once(" [")?.1,
        _ => return None,
    };
    let word = name.len() >= 3
        && name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':' | b'/' | b'.'))
        && name.bytes().any(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit());
    (word || name.starts_with("Rule:")).then_some(name)
}

/// What the tools of Go say; compiler, vet and linters print alike.
fn go(rest: &str, column: bool) -> Sort {
    const COMPILER: &[&str] = &[
        "undefined: ",
        "imported and not used",
        "declared and not used",
        "declared but not used",
        "cannot use ",
        "assignment mismatch",
        "not enough ",
        "too many ",
        "syntax error",
        "missing return",
        "invalid operation",
        "mismatched types",
        "redeclared",
        "does not implement",
        "unknown field",
        "has no field or method",
        "is not a type",
        "undeclared name",
        "no required module",
        "could not import",
        "is not in std",
        "is not in GOROOT",
        "import cycle",
        "missing go.sum",
        "cannot find package",
        "no new variables",
        "not defined",
        "expected ",
        "already declared",
        "cannot convert",
        "cannot assign",
        "cannot range",
        "cannot call",
        "non-name",
        "must be",
        "duplicate case",
        "undefined (type",
        "invalid recursive type",
        "missing function body",
        "found packages",
        "build constraints exclude",
        "use of internal package",
        "is a program, not an importable package",
        "pattern ",
        "method redeclared",
        "other declaration of",
        "cannot infer",
        "cannot refer to",
        "implicit assignment",
        "invalid argument",
        "instead of",
        "defined and not used",
        "requires go1",
        "but does not contain package",
        "is not used",
        // The scanners and parsers of the language.
        "not terminated",
        "newline in ",
        "illegal character",
        "invalid character",
        "illegal rune literal",
        "rune literal",
        "escape sequence",
        "unknown escape",
        "escape is invalid",
        "invalid BOM",
        "illegal UTF-8",
        "invalid UTF-8",
        "literal has no digits",
        "invalid digit",
        "missing ','",
        "missing condition",
        "is not an expression",
        "is not in select",
        "cannot index",
        "cannot slice",
        "cannot take address",
        "cannot indirect",
        "cannot compare",
        "invalid indirect",
        "ambiguous selector",
        "initialization cycle",
        "non-boolean condition",
        "non-constant",
        "overflows",
        "truncated to ",
        "division by zero",
        "statement not within",
        "function main is undeclared",
        "missing package",
    ];
    const VET: &[&str] = &[
        "passes lock by value",
        "copies lock value",
        "unreachable code",
        "format %",
        "Printf",
        "Sprintf",
        "Errorf",
        "struct field tag",
        "composite literal uses unkeyed fields",
        "self-assignment",
        "possible misuse",
        "possible malformed",
        "result of ",
        "the cancel function",
        "build comment",
        "direct assignment to atomic",
        "loop variable",
        "unusedresult",
        "suspect or",
        "redundant or",
        "Println",
        "possible formatting directive",
        "should have signature",
        "context leak",
        "this value of",
        "ineffectual assignment",
        "defers a call",
        "call has possible",
        "unkeyed fields",
        "comparison of function",
        "nil dereference",
        "impossible nilness",
        "testinggoroutine",
        "non-constant format string",
    ];
    // Words of the compiler that its messages share with no linter come first.
    if is_firm(rest) {
        return Sort::Lint;
    }
    if VET.iter().any(|words| rest.contains(words)) {
        return Sort::Lint;
    }
    // Before Go 1.10 the compiler told no column, as a test's own message has none.
    const FIRM: &[&str] = &[
        "undefined: ",
        "imported and not used",
        "declared and not used",
        "declared but not used",
        "cannot find package \"",
        "no required module provides package",
        "syntax error: ",
        "missing return at end",
        "no new variables on left side",
    ];
    if COMPILER.iter().any(|words| rest.contains(words)) {
        let firm = column || FIRM.iter().any(|words| rest.contains(words));
        return if firm { Sort::Compile } else { Sort::Remark };
    }
    Sort::Remark
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<Sort>) {
        assert_eq!(finding(text).map(|(_, sort)| sort), expected, "{text}");
    }

    #[test]
    fn firm_findings() {
        check("./a.py:4:1: F401 'sys' imported but unused", Some(Sort::Lint));
        check("a.py:3:0: C0114: Missing module docstring (missing-module-docstring)", Some(Sort::Lint));
        check("Dockerfile:3 DL3008 warning: Pin versions in apt get install", Some(Sort::Lint));
        check("fmts/a.go:42:21: Error return value of `x` is not checked (errcheck)", Some(Sort::Lint));
        check("a.rb:45:5: C: [Correctable] Style/TrailingComma: Put a comma", Some(Sort::Lint));
        check("foo/widget.yml:1:81: [error] line too long (122 > 80 characters) (line-length)", Some(Sort::Lint));
        check("main.yml:1: [E201] Trailing whitespace", Some(Sort::Lint));
        check("src/app.ts[418, 38]: ' should be \"", Some(Sort::Lint));
        check("ERROR: src/app.tsx[15, 11]: Missing semicolon", Some(Sort::Lint));
        check("./lock.go:13:9: Owner passes lock by value: x contains sync.Mutex", Some(Sort::Lint));
    }

    #[test]
    fn broken_sources() {
        check("ci.yml:12:3: mapping values are not allowed here", Some(Sort::Config));
        check("a.py:1:2: E999 SyntaxError: invalid syntax", Some(Sort::Compile));
        check("cal/cal.go:22:9: undefined: totl", Some(Sort::Compile));
        check("vet: ./a.go:3:5: undefined: x", Some(Sort::Compile));
        check("lock_test.go:15: undefined: x", Some(Sort::Compile));
        check("lock_test.go:4: cannot find package \"other/package\" in any of:", Some(Sort::Compile));
        check("a.rb:3: syntax error, unexpected end-of-input", Some(Sort::Compile));
        check("src/Rows.java:12: cannot find symbol", Some(Sort::Compile));
        check("src/Rows.java:12: ';' expected", Some(Sort::Compile));
    }

    #[test]
    fn remarks_and_other_lines() {
        check("25:3  warning  Incorrect list-item indent  list-item-indent  remark-lint", Some(Sort::Remark));
        check("lock_test.go:15: expected 3, got 4", Some(Sort::Remark));
        check("golint.new.go:3:5: exported var V should have comment or be unexported", Some(Sort::Remark));
        check("app.rb:10:in `foo'", None);
        check("/a/b.py:113: RequestsDependencyWarning: urllib3 does not match", None);
        check("foo_test.cc:12: Failure", None);
        check("12:30:45 INFO x", None);
    }
}
