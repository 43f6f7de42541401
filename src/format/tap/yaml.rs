//! The YAML block behind a test point, read as far as failures need it.
//!
//! No YAML parser: producers write what YAML parsers refuse (node:test's stacks, tap's sources), and every line keeps
//! its place.

use crate::log::{Line, strip_escapes};
use crate::report::{FileRef, TextLine};

/// How many lines of one block are kept.
const MAX_LINES: usize = 400;

#[derive(Debug, Default)]
pub(super) struct Yaml {
    indent: usize,
    open: bool,
    /// The key whose lines follow, and how far it is indented.
    key: Option<(String, usize)>,
    /// Whether those lines are a text rather than keys of their own.
    text: bool,
    values: Vec<(String, Vec<TextLine>)>,
    lines: usize,
    findings: Vec<Finding>,
}

/// What a linter found in a file that is a point.
#[derive(Debug)]
pub(super) struct Finding {
    pub message: TextLine,
    /// It is a warning.
    mild: bool,
    /// The name of the rule, empty for what no rule says.
    pub rule: Option<String>,
    /// Its line and its column.
    pub place: (Option<u64>, Option<u64>),
}

impl Yaml {
    pub(super) fn open(indent: usize) -> Yaml {
        Yaml { indent, open: true, ..Yaml::default() }
    }

    pub(super) fn is_open(&self) -> bool {
        self.open
    }

    /// Takes a line; `false` if the block has ended without its mark, as a damaged one does.
    pub(super) fn line(&mut self, line: Line<'_>, margin: usize) -> bool {
        let text = line.trimmed();
        let indent = line.indent();
        // Stylelint ends the block as it began it.
        if matches!(text, "..." | "---") && indent <= self.indent {
            self.open = false;
            return true;
        }
        if !text.is_empty() && indent <= margin && indent < self.indent {
            self.open = false;
            return false;
        }
        self.lines += 1;
        if self.lines > MAX_LINES {
            return true;
        }
        if let Some((_, at)) = &self.key
            && self.text
            && (text.is_empty() || indent > *at)
        {
            if let Some((_, value)) = self.values.last_mut() {
                value.push(TextLine { text: text.to_owned(), span: line.span });
            }
            return true;
        }
        // The keys below are sentences, and the values what was thrown.
        if let Some((key, at)) = &self.key
            && matches!(key.as_str(), "details" | "values")
            && indent > *at
        {
            if let Some((_, value)) = self.values.last_mut() {
                value.push(TextLine { text: text.to_owned(), span: line.span });
            }
            return true;
        }
        self.of_linter(line);
        let Some((key, value)) = text.split_once(':').filter(|(key, rest)| {
            key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && (rest.is_empty() || rest.starts_with(' '))
        }) else {
            return true;
        };
        // Keys of a nested map count only below the error itself; elsewhere they are data of the test.
        let nested = indent > self.indent && self.key.as_ref().is_some_and(|(_, at)| indent > *at);
        let value = value.trim();
        if nested && !self.key.as_ref().is_some_and(|(key, _)| matches!(key.as_str(), "error" | "at" | "found")) {
            return true;
        }
        self.text = matches!(value, "|" | "|-" | "|+" | ">" | ">-" | ">+");
        if !nested {
            self.key = Some((key.to_owned(), indent));
        }
        let lines = match value {
            "" => Vec::new(),
            _ if self.text => Vec::new(),
            _ => unquote(value).split('\n').map(|part| TextLine { text: part.to_owned(), span: line.span }).collect(),
        };
        self.values.push((key.to_owned(), lines));
        true
    }

    /// Takes what a linter tells: one finding, or a list of them.
    fn of_linter(&mut self, line: Line<'_>) {
        let text = line.trimmed();
        let Some((key, value)) = text.strip_prefix("- ").unwrap_or(text).split_once(':') else { return };
        let value = || unquote(value.trim());
        match (key, self.findings.last_mut()) {
            ("message", _) => {
                let message = TextLine { text: value(), span: line.span };
                self.findings.push(Finding { message, mild: false, rule: None, place: (None, None) });
            }
            ("severity", Some(finding)) => finding.mild = value() == "warning",
            ("ruleId", Some(finding)) => finding.rule = Some(value()),
            ("line", Some(finding)) => finding.place.0 = value().parse().ok(),
            ("column", Some(finding)) => finding.place.1 = value().parse().ok(),
            _ => {}
        }
    }

    /// What a linter found first that is worse than a warning.
    pub(super) fn finding(&self) -> Option<&Finding> {
        let found = || self.findings.iter().filter(|finding| finding.rule.is_some());
        found().find(|finding| !finding.mild).or_else(|| found().next())
    }

    fn lines(&self, key: &str) -> Option<&[TextLine]> {
        let found = self.values.iter().find(|(known, lines)| known == key && !lines.is_empty());
        found.map(|(_, lines)| lines.as_slice())
    }

    /// The first line of a value; empty for a map.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        let found = self.values.iter().find(|(known, _)| known == key)?;
        Some(found.1.first().map_or("", |line| line.text.as_str()))
    }

    /// What went wrong.
    pub(super) fn message(&self) -> Vec<TextLine> {
        let found = self.lines("error").or_else(|| self.lines("message"));
        found.unwrap_or_default().iter().filter(|line| !line.text.trim().is_empty()).cloned().collect()
    }

    /// What was thrown, as AVA shows it: its type, and its message.
    pub(super) fn thrown(&self) -> Option<(String, Vec<TextLine>)> {
        let lines = self.lines("details").or_else(|| self.lines("values"))?;
        let (at, name) = lines.iter().enumerate().find_map(|(at, line)| {
            let name = line.text.strip_suffix(" {")?;
            let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$'));
            (plain && (name.ends_with("Error") || name.ends_with("Exception"))).then_some((at, name))
        })?;
        let said = lines[at..].iter().find_map(|line| Some((line, line.text.strip_prefix("message: ")?)));
        let said = said.map(|(line, said)| {
            let text = unquote(said.trim_end_matches(','));
            text.split('\n').map(|text| TextLine { text: text.to_owned(), span: line.span }).collect()
        });
        Some((name.to_owned(), said.unwrap_or_default()))
    }

    pub(super) fn stack(&self) -> impl Iterator<Item = &TextLine> {
        self.lines("stack").unwrap_or_default().iter()
    }

    /// Where the test stands, or where it failed.
    pub(super) fn place(&self) -> Option<FileRef> {
        let of = |key: &str| self.get(key).and_then(place);
        let parts = || {
            let path = self.get("file").or_else(|| self.get("fileName"))?;
            let number = |key: &str| self.get(key).and_then(|value| value.parse().ok());
            Some(FileRef::new(path, number("line").or_else(|| number("lineNumber")), number("column")))
        };
        of("location").or_else(parts).or_else(|| of("at")).or_else(|| self.stack().find_map(|line| place(&line.text)))
    }
}

/// `file:///a/b.js:4:1`, also within `Test.<anonymous> (/a/b.js:10:7)`.
pub(super) fn place(text: &str) -> Option<FileRef> {
    let text = text.rsplit_once('(').map_or(text, |(_, rest)| rest).trim_end_matches(')');
    let text = text.strip_prefix("file://").unwrap_or(text);
    let (rest, last) = text.rsplit_once(':')?;
    let last: u64 = last.parse().ok()?;
    match rest.rsplit_once(':').and_then(|(path, line)| Some((path, line.parse().ok()?))) {
        Some((path, line)) => Some(FileRef::new(path, Some(line), Some(last))),
        None => Some(FileRef::new(rest, Some(last), None)),
    }
    .filter(|file| file.path.contains(['.', '/']) && !file.path.starts_with("node:"))
}

/// A scalar without its quotes, escapes resolved.
fn unquote(value: &str) -> String {
    let quote = match value.chars().next() {
        Some(quote @ ('\'' | '"' | '`')) if value.len() > 1 && value.ends_with(quote) => quote,
        _ => return value.to_owned(),
    };
    let inner = &value[1..value.len() - quote.len_utf8()];
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\'' if quote == '\'' && chars.peek() == Some(&'\'') => {
                chars.next();
                out.push('\'');
            }
            '\\' => match chars.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some('r') => {}
                Some(form @ ('x' | 'u')) => {
                    let digits: String = chars.by_ref().take(if form == 'x' { 2 } else { 4 }).collect();
                    let code = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
                    out.push(code.unwrap_or(char::REPLACEMENT_CHARACTER));
                }
                Some(other) => out.push(other),
                None => out.push('\\'),
            },
            _ => out.push(c),
        }
    }
    if out.contains('\u{1b}') { strip_escapes(out.as_bytes()).into_owned() } else { out }
}
