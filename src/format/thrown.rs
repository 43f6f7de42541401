//! What the text of something thrown in a test of JavaScript says about itself: its type, and whether an assertion,
//! a snapshot or a time limit raised it.

use crate::report::{FileRef, Signal, TextLine};

/// The type that stands before the message, as in `TypeError: x is not a function`.
pub(crate) fn type_name(lines: &[TextLine]) -> Option<String> {
    lines.iter().map(|line| line.text.trim_start()).filter(|line| !line.is_empty()).take(8).find_map(type_of)
}

fn type_of(line: &str) -> Option<String> {
    let end = line.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '$' | '.'))).unwrap_or(line.len());
    let (name, rest) = line.split_at(end);
    let coded = rest.strip_prefix(" [").is_some_and(|rest| rest.contains("]:") || rest.contains("] "));
    let named = name.ends_with("Error") || name.ends_with("Exception") || name == "thrown";
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic());
    (named && begins && (rest.starts_with(':') || rest.is_empty() || coded)).then(|| name.to_owned())
}

/// What the text itself says it is; the runner's own words only.
pub(crate) fn signal(lines: &[TextLine]) -> Option<Signal> {
    // The frames of a stack are not the runner's words.
    let words = |line: &&str| !line.is_empty() && !line.starts_with("at ");
    let head = || lines.iter().take(12).map(|line| line.text.trim_start()).filter(words);
    if head().any(is_time_limit) {
        return Some(Signal::TestTimeout);
    }
    if head().any(is_snapshot) {
        return Some(Signal::Snapshot);
    }
    head().take(3).any(is_assertion).then_some(Signal::Assertion)
}

fn is_time_limit(line: &str) -> bool {
    let starts = |words: &str| {
        // The words may stand behind a type (`Error: …`), behind `thrown: "`, or alone.
        let line = line.split_once(": ").map_or(line, |(_, rest)| rest).trim_start_matches('"');
        line.starts_with(words)
    };
    // Nearly no line is about time at all.
    if !["ime", "STACK_TRACE_ERROR"].iter().any(|word| line.contains(word)) {
        return false;
    }
    line.contains("Exceeded timeout of ") && line.contains(" ms for a ")
        || (starts("Test timed out in ") || starts("Hook timed out in ")) && line.contains("ms")
        || starts("Timeout of ") && line.contains("ms exceeded")
        || (starts("Test timeout of ") || line.starts_with("Test timeout of ")) && line.contains("ms exceeded")
        // Vitest 3 and 4 print the stack of a time limit with the placeholder that it was made with.
        || line == "Error: STACK_TRACE_ERROR"
        // AVA.
        || line == "Test timeout exceeded"
        || line.starts_with("Timeout - Async function did not complete within ")
        || starts("Timeout - Async callback was not invoked within ")
}

fn is_snapshot(line: &str) -> bool {
    const MATCHERS: [&str; 6] = [
        "toMatchSnapshot(",
        "toMatchInlineSnapshot(",
        "toMatchFileSnapshot(",
        "toThrowErrorMatchingSnapshot(",
        "toThrowErrorMatchingInlineSnapshot(",
        "toMatchAriaSnapshot(",
    ];
    let matcher = line.contains("expect(") && MATCHERS.iter().any(|matcher| line.contains(matcher));
    matcher || line.contains("Snapshot `") && line.contains("` mismatched")
}

fn is_assertion(line: &str) -> bool {
    let line = line.strip_prefix("Error: ").unwrap_or(line);
    line.starts_with("expect(")
        || line.starts_with("expected ") && line.contains(" to ")
        || line.starts_with("promise rejected ")
        || line.starts_with("promise resolved ")
        || line.starts_with("AssertionError")
        || line.starts_with("JestAssertionError")
        || line.starts_with("AssertionFailedError")
        || line.contains("[ERR_ASSERTION]")
}

/// The place in a file of tests that a stack names, or the file alone.
pub(crate) fn place_in(path: &str, lines: &[TextLine]) -> FileRef {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    for line in lines {
        let Some(at) = line.text.find(name).filter(|_| !name.is_empty()) else { continue };
        let mut numbers = line.text[at + name.len()..].split([':', ')', ' ']).map(|part| part.parse::<u64>().ok());
        if let (Some(None), Some(Some(row))) = (numbers.next(), numbers.next()) {
            return FileRef::new(path, Some(row), numbers.next().flatten());
        }
    }
    FileRef::new(path, None, None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<TextLine> {
        text.lines().map(|line| TextLine { text: line.to_owned(), ..TextLine::default() }).collect()
    }

    #[test]
    fn finds_the_type() {
        let of = |text: &str| type_name(&lines(text));
        assert_eq!(of("TypeError: x is not a function").as_deref(), Some("TypeError"));
        assert_eq!(of("AssertionError [ERR_ASSERTION]: 1 == 2").as_deref(), Some("AssertionError"));
        assert_eq!(of("thrown: \"boom\"").as_deref(), Some("thrown"));
        assert_eq!(of("Note: this is no type"), None);
        assert_eq!(of("PrismaClient.KnownRequestError: gone").as_deref(), Some("PrismaClient.KnownRequestError"));
    }

    #[test]
    fn finds_what_the_runner_says() {
        let of = |text: &str| signal(&lines(text));
        assert_eq!(
            of("thrown: \"Exceeded timeout of 5000 ms for a test.\nUse jest.setTimeout"),
            Some(Signal::TestTimeout)
        );
        assert_eq!(of("Error: Test timed out in 50ms.\n at x"), Some(Signal::TestTimeout));
        assert_eq!(of("Error: Timeout of 20ms exceeded. For async tests"), Some(Signal::TestTimeout));
        assert_eq!(of("Error: Snapshot `a 1` mismatched"), Some(Signal::Snapshot));
        assert_eq!(of("Error: expect(received).toMatchSnapshot()\n\nSnapshot name: `a 1`"), Some(Signal::Snapshot));
        assert_eq!(of("Error: expect(received).toBe(expected)"), Some(Signal::Assertion));
        assert_eq!(of("TypeError: fetch failed"), None);
    }

    #[test]
    fn finds_the_place() {
        let place = place_in("/p/a.test.js", &lines("Error: x\n    at Object.toBe (/p/a.test.js:12:7)"));
        assert_eq!(place, FileRef::new("/p/a.test.js", Some(12), Some(7)));
        assert_eq!(place_in("/p/b.test.js", &lines("at a.test.js:1:1")), FileRef::new("/p/b.test.js", None, None));
    }
}
