//! Regular expressions, compiled for logs.
//!
//! What tools print is ASCII in all that matters, and classes of all of Unicode make an expression dear to compile:
//! ten times as dear as all the rest of a small analysis. So `\d`, `\s` and `\b` are those of ASCII, and `\w` is a
//! letter, a digit or `_` of ASCII, or a character of the scripts beyond it.

use regex::Regex;

/// Compiles an expression.
pub(crate) fn compile(pattern: &str) -> Result<Regex, regex::Error> {
    Regex::new(&narrow(pattern))
}

/// Compiles an expression of our own.
pub(crate) fn regex(pattern: &str) -> Regex {
    compile(pattern).expect("a constant, and valid")
}

/// Letters, digits and `_` of ASCII, and the scripts beyond it; to fold the case of those is dear, so that a pattern
/// which asks for it has the first only.
const WORDS: &str = r"0-9A-Za-z_\xC0-\x{1FFF}\x{3040}-\x{D7FF}";
const ASCII_WORDS: &str = "0-9A-Za-z_";

/// Replaces the classes of Unicode. Classes nest, so that it does not matter whether they stand in one.
fn narrow(pattern: &str) -> String {
    let words = if pattern.contains("(?i") { ASCII_WORDS } else { WORDS };
    let mut out = String::with_capacity(pattern.len() + 64);
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            out.push(character);
            continue;
        }
        match characters.next() {
            Some('w') => out.extend(["[", words, "]"]),
            Some('W') => out.extend(["[^", words, "]"]),
            Some('d') => out.push_str("[0-9]"),
            Some('D') => out.push_str("[^0-9]"),
            Some('s') => out.push_str(r"[\t-\r ]"),
            Some('S') => out.push_str(r"[^\t-\r ]"),
            Some('b') => out.push_str(r"(?-u:\b)"),
            escaped => {
                out.push('\\');
                out.extend(escaped);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, text: &str, expected: Option<&str>) {
        let found = regex(pattern).find(text).map(|found| found.as_str().to_owned());
        assert_eq!(found.as_deref(), expected);
    }

    #[test]
    fn classes_are_those_of_ascii_but_words_are_of_any_language() {
        check(r"module \w+", "no module größe here", Some("module größe"));
        check(r"'[\w./-]+'", "no 'src/größe.ts'", Some("'src/größe.ts'"));
        check(r"a\W+b", "a -- b", Some("a -- b"));
        check(r"a\W+b", "aéb", None);
        check(r"\w+", "‘größe’", Some("größe"));
        check(r"(?i)NO \w+", "no größe", Some("no gr"));
        check(r"[‘'][^’'\s]+[’']", "no ‘file’", Some("‘file’"));
        check(r"\d+", "٣٤ 12", Some("12"));
        check(r"\D[\D]", "1é2ab", Some("ab"));
        check(r"\bno\b", "noé no", Some("no"));
        check(r"\S+\s[^\S]", " a\t b", Some("a\t "));
        check(r"\\w", r"\w", Some(r"\w"));
    }
}
