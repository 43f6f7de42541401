//! The place in the project's own files that a failure's text points at: the first frame of a stack that is not of a
//! library, or the place that a tool puts beside its message.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use crate::pattern::any_of;
use crate::report::{FileRef, TextLine};

/// How many lines are looked at.
const MAX_LINES: usize = 120;

/// Parts of paths and of class names that are not the project's own.
const FOREIGN: &[&str] = &[
    "node_modules/",
    "node:",
    "internal/",
    "site-packages/",
    "dist-packages/",
    "/lib/python",
    "<frozen",
    "<string>",
    "/vendor/",
    "/gems/",
    "/.cargo/registry",
    "/rustc/",
    "/usr/lib/",
    "/usr/local/go/",
    "/usr/include/",
    "/src/runtime/",
    "/src/testing/",
    "testify",
    "pathlib.py",
];

/// Finds any of [`FOREIGN`].
static FOREIGN_FINDER: LazyLock<AhoCorasick> = LazyLock::new(|| any_of(FOREIGN, true));

/// Packages of the JVM that are not the project's own.
const FOREIGN_CLASSES: &[&str] = &[
    "java.",
    "javax.",
    "jdk.",
    "sun.",
    "com.sun.",
    "junit.",
    "org.junit.",
    "org.opentest4j.",
    "org.assertj.",
    "org.hamcrest.",
    "org.mockito.",
    "org.testng.",
    "org.gradle.",
    "org.apache.maven.",
    "kotlin.",
    "scala.",
    "org.scalatest.",
    "org.spockframework.",
    "org.codehaus.groovy.",
    "groovy.",
    "com.google.common.truth.",
    "io.kotest.",
    "worker.org.gradle.",
];

/// The first place of the project in a text.
pub(crate) fn place(text: &[TextLine]) -> Option<FileRef> {
    text.iter().take(MAX_LINES).find_map(|line| place_in(&line.text))
}

fn place_in(line: &str) -> Option<FileRef> {
    let trimmed = line.trim_start();
    if !trimmed.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    if let Some(frame) = trimmed.strip_prefix("at ") {
        let frame = frame.strip_prefix("app//").unwrap_or(frame);
        if FOREIGN_CLASSES.iter().any(|class| frame.starts_with(class)) {
            return None;
        }
    }
    let found = python(trimmed).or_else(|| dotnet(trimmed)).or_else(|| colon(line))?;
    (!FOREIGN_FINDER.is_match(&found.path)).then_some(found)
}

/// `File "x.py", line 12`.
fn python(line: &str) -> Option<FileRef> {
    let rest = line.strip_prefix("File \"")?;
    let (path, rest) = rest.split_once("\", line ")?;
    Some(FileRef::new(path, number(rest), None))
}

/// `in C:\x\File.cs:line 12`.
fn dotnet(line: &str) -> Option<FileRef> {
    let (before, rest) = line.split_once(":line ")?;
    let (_, path) = before.rsplit_once(" in ")?;
    Some(FileRef::new(path, number(rest), None))
}

/// `path.ext:12` and `path.ext:12:3`, wherever it stands in the line.
fn colon(line: &str) -> Option<FileRef> {
    let bytes = line.as_bytes();
    let mut from = 0;
    while let Some(at) = memchr::memchr(b':', &bytes[from..]).map(|at| from + at) {
        from = at + 1;
        if !bytes.get(at + 1).is_some_and(u8::is_ascii_digit) {
            continue;
        }
        let start = line[..at].rfind([' ', '\t', '(', '"', '\'', '[', '`', '<', ',', '=']).map_or(0, |start| start + 1);
        let path = line[start..at].trim_start_matches("file://").trim_start_matches("@");
        if !has_extension(path) {
            continue;
        }
        let rest = &line[at + 1..];
        let digits = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
        let column = rest[digits..].strip_prefix(':').and_then(number);
        return Some(FileRef::new(path, number(rest), column));
    }
    None
}

/// Whether a path ends like a source file: a short extension with a letter in it, behind a name.
fn has_extension(path: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(name, extension)| {
        !name.is_empty()
            && !name.ends_with(['/', '.'])
            && (1..=6).contains(&extension.len())
            && extension.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+')
            && extension.starts_with(|first: char| first.is_ascii_alphabetic())
    })
}

fn number(text: &str) -> Option<u64> {
    let end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_places_that_tools_print() {
        let place = |line: &str| place_in(line).map(|file| (file.path, file.line, file.column));
        let expect = |path: &str, line, column| Some((path.to_owned(), Some(line), column));
        assert_eq!(place("test_a.py:6: AssertionError"), expect("test_a.py", 6, None));
        assert_eq!(place("  at x (/w/test/slug.test.js:5:37)"), expect("/w/test/slug.test.js", 5, Some(37)));
        assert_eq!(place(" ❯ v/a.test.ts:3:51"), expect("v/a.test.ts", 3, Some(51)));
        assert_eq!(place("\tat com.acme.CartTest.adds(CartTest.java:33)"), expect("CartTest.java", 33, None));
        assert_eq!(place("   at A.B() in C:\\w\\B.cs:line 39"), expect("C:\\w\\B.cs", 39, None));
        assert_eq!(place("  File \"/w/t.py\", line 12, in test"), expect("/w/t.py", 12, None));
        assert_eq!(place("thread 'x' panicked at src/lib.rs:8:49:"), expect("src/lib.rs", 8, Some(49)));
        assert_eq!(place("/w/tests/VoucherTest.php:8"), expect("/w/tests/VoucherTest.php", 8, None));
        assert_eq!(place("    at Test.run (node:internal/test_runner/test:934:25)"), None);
        assert_eq!(place("\tat org.junit.Assert.fail(Assert.java:88)"), None);
        assert_eq!(place("connect ECONNREFUSED 127.0.0.1:63791"), None);
        assert_eq!(place("expected 12:30 to be 12:31"), None);
    }
}
