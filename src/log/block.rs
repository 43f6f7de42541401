//! What the readers of diagnostics share: places in files, source excerpts, and the failure that a block becomes.

use super::Line;
use crate::kind::Phase;
use crate::report::{Failure, FileRef, Level, Signal, TextLine};

/// How many lines of a block are kept as its text.
pub(super) const MAX_BLOCK: usize = 60;

/// A failure of the level of a diagnostic.
pub(super) fn diagnostic(signal: Signal, text: Vec<TextLine>) -> Failure {
    let phase = match signal {
        Signal::Compile | Signal::Link => Some(Phase::Build),
        Signal::Lint => Some(Phase::Lint),
        _ => None,
    };
    let span = match (text.first(), text.last()) {
        (Some(first), Some(last)) => first.span.join(last.span),
        _ => Default::default(),
    };
    Failure { level: Level::Diagnostic, signal: Some(signal), phase, text, span, count: 1, ..Failure::default() }
}

/// A place in front of a message, and what follows it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Placed<'a> {
    pub file: FileRef,
    /// What follows, without the colon and the white space in front.
    pub rest: &'a str,
}

/// Reads `path:line: rest`, `path:line:column: rest`, `path:line:column rest` and `path(line,column): rest`.
///
/// A path has a dot or a slash in it or is one of the few names that have neither; a clock time and an address on the
/// network are none.
pub(super) fn place(text: &str) -> Option<Placed<'_>> {
    let bytes = text.as_bytes();
    let mut from = usize::from(bytes.len() > 2 && bytes[1] == b':' && matches!(bytes[2], b'\\' | b'/')) * 2;
    while let Some(at) = memchr::memchr2(b':', b'(', &bytes[from..]).map(|at| from + at) {
        if at > 400 {
            return None;
        }
        from = at + 1;
        let Some((line, end)) = number(bytes, at + 1) else { continue };
        let path = &text[..at];
        if !is_path(path) {
            return None;
        }
        let (mut column, mut end) = (None, end);
        if bytes[at] == b'(' {
            if bytes.get(end) == Some(&b',') {
                let space = usize::from(bytes.get(end + 1) == Some(&b' '));
                let (found, behind) = number(bytes, end + 1 + space)?;
                (column, end) = (Some(found), behind);
                // Roslyn may print the end of the range too.
                while bytes.get(end) == Some(&b',') {
                    end = number(bytes, end + 1)?.1;
                }
            }
            if bytes.get(end) != Some(&b')') {
                return None;
            }
            end += 1;
        } else {
            if bytes.get(end) == Some(&b':')
                && let Some((found, behind)) = number(bytes, end + 1)
            {
                (column, end) = (Some(found), behind);
            }
            if matches!(bytes.get(end), Some(b'-' | b'.'))
                && let Some((_, behind)) = number(bytes, end + 1)
            {
                end = behind;
            }
        }
        if !matches!(bytes.get(end), None | Some(b':' | b' ' | b',')) {
            return None;
        }
        let rest = text[end..].trim_start_matches(':').trim_start();
        return Some(Placed { file: FileRef::new(path.trim_start_matches("file://"), Some(line), column), rest });
    }
    None
}

fn number(bytes: &[u8], from: usize) -> Option<(u64, usize)> {
    let digits = bytes.get(from..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 || digits > 7 {
        return None;
    }
    let text = std::str::from_utf8(&bytes[from..from + digits]).ok()?;
    Some((text.parse().ok()?, from + digits))
}

/// Whether a text looks like the path of a file of a project.
pub(super) fn is_path(text: &str) -> bool {
    if text.is_empty() || text.len() > 300 || text.starts_with([' ', '\t', '(', '[', '{', '"', '\'', '<', '=', '#']) {
        return false;
    }
    if text.contains(": ")
        || (text.contains("://") && !text.starts_with("file://"))
        || text.contains(['=', '"', '|', '<', '>', '\t'])
    {
        return false;
    }
    let name = text.rsplit(['/', '\\']).next().unwrap_or(text);
    if name.is_empty() || name.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'T')) {
        return false;
    }
    // Spaces occur in paths, but in prose far more often.
    if text.contains(' ') && (!text.contains(['/', '\\']) || text.split(' ').count() > 3) {
        return false;
    }
    match name.rsplit_once('.') {
        Some((_, extension)) => {
            (1..=12).contains(&extension.len())
                && extension.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'+' | b'-'))
        }
        None => {
            text.contains(['/', '\\'])
                || [
                    "Dockerfile",
                    "Makefile",
                    "Gemfile",
                    "Rakefile",
                    "Jenkinsfile",
                    "Containerfile",
                    "BUILD",
                    "WORKSPACE",
                ]
                .contains(&name)
        }
    }
}

/// The extension of a path, in lower case.
pub(super) fn extension(path: &str) -> String {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    name.rsplit_once('.').map_or_else(String::new, |(_, extension)| extension.to_ascii_lowercase())
}

/// Whether a line belongs to an excerpt of source code: ` 12 | code`, `   |   ^~~`, `    ^`.
pub(super) fn is_excerpt(text: &str) -> bool {
    let rest = text.trim_start();
    let behind = rest.trim_start_matches(|character: char| character.is_ascii_digit()).trim_start();
    if behind.starts_with(['|', '│', '┃']) && (rest.len() < text.len() || behind.len() < rest.len()) {
        return true;
    }
    is_marker(text)
}

/// Whether a line holds only carets and the like, which point into the line before.
pub(super) fn is_marker(text: &str) -> bool {
    let rest = text.trim();
    !rest.is_empty()
        && rest.contains(['^', '~'])
        && rest.chars().all(|character| matches!(character, '^' | '~' | ' ' | '\t' | '-' | '|'))
}

/// Keeps a line of a block while there is room.
pub(super) fn keep(text: &mut Vec<TextLine>, line: Line<'_>) {
    if text.len() < MAX_BLOCK {
        text.push(line.to_text());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<(&str, u64, Option<u64>, &str)>) {
        let found = place(text);
        let found = found
            .as_ref()
            .map(|placed| (placed.file.path.as_str(), placed.file.line.unwrap(), placed.file.column, placed.rest));
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn places_of_many_tools() {
        check("src/a.c:3:10: error: x", Some(("src/a.c", 3, Some(10), "error: x")));
        check("src/A.java:3: error: x", Some(("src/A.java", 3, None, "error: x")));
        check(r"C:\a\b.cpp(12,5): error C2065: x", Some((r"C:\a\b.cpp", 12, Some(5), "error C2065: x")));
        check("b.cpp(12): error C2065: x", Some(("b.cpp", 12, None, "error C2065: x")));
        check("file:///a/B.kt:3:5 Unresolved", Some(("/a/B.kt", 3, Some(5), "Unresolved")));
        check("a.py:1:2-9: x", Some(("a.py", 1, Some(2), "x")));
        check("Dockerfile:3 DL3008 x", Some(("Dockerfile", 3, None, "DL3008 x")));
    }

    #[test]
    fn times_and_addresses_are_no_places() {
        for text in
            ["12:30:45 x", "2026-11-21 01:03:38,122 INFO x", "http://h.example:8080: x", "127.0.0.1:80: x", "x: 3"]
        {
            check(text, None);
        }
    }

    #[test]
    fn excerpts_and_markers() {
        assert!(is_excerpt("   12 | int x"));
        assert!(is_excerpt("      |   ^~~"));
        assert!(is_excerpt("        ^"));
        assert!(!is_excerpt("make: *** [x] Error 1"));
        assert!(!is_excerpt("|x|y|"));
    }
}
