//! What CI systems and terminals put around the text of a tool: color codes, timestamps, prefixes.

use std::borrow::Cow;

/// The clean text of one raw line.
///
/// A lone carriage return does not end a line, but what stands before and behind it was shown apart: progress bars
/// overwrite it. Each part is a text of its own.
pub(crate) struct Clean<'a> {
    text: Cow<'a, str>,
}

impl Clean<'_> {
    /// The texts of the line: one, unless carriage returns part it. Never empty parts, except a line that is empty.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &str> {
        let mut parts: Vec<&str> = self.text.split('\r').map(strip_prefixes).map(str::trim_end).collect();
        if parts.len() > 1 {
            parts.retain(|part| !part.is_empty());
            if parts.is_empty() {
                parts.push("");
            }
        }
        parts.into_iter()
    }
}

/// Removes color codes and the envelope of CI systems from a raw line.
pub(crate) fn clean(raw: &[u8]) -> Clean<'_> {
    Clean { text: strip_escapes(raw) }
}

/// Text without terminal escapes; invalid UTF-8 is replaced.
///
/// Beside `CSI … letter` there are `OSC … BEL`, the `ESC _ … BEL` of Buildkite, and two-byte escapes such as
/// `ESC ( B` (ECMA-48, and xterm's control sequences).
pub(crate) fn strip_escapes(raw: &[u8]) -> Cow<'_, str> {
    let Some(first) = memchr::memchr(0x1b, raw) else { return String::from_utf8_lossy(raw) };
    let mut out = Vec::with_capacity(raw.len());
    out.extend_from_slice(&raw[..first]);
    let mut pos = first;
    while pos < raw.len() {
        if raw[pos] != 0x1b {
            let end = memchr::memchr(0x1b, &raw[pos..]).map_or(raw.len(), |next| pos + next);
            out.extend_from_slice(&raw[pos..end]);
            pos = end;
            continue;
        }
        pos = escape_end(raw, pos);
    }
    Cow::Owned(match String::from_utf8(out) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    })
}

/// The offset behind the escape sequence that begins at `start`.
fn escape_end(raw: &[u8], start: usize) -> usize {
    let rest = &raw[start + 1..];
    let length = match rest.first() {
        None => 0,
        Some(b'[') => match rest[1..].iter().position(|byte| (0x40..=0x7e).contains(byte)) {
            Some(end) => end + 2,
            None => rest.len(),
        },
        Some(b']' | b'_' | b'P' | b'^') => {
            match rest.iter().position(|byte| *byte == 0x07 || *byte == 0x1b) {
                Some(end) if rest[end] == 0x07 => end + 1,
                // ESC \ ends it too.
                Some(end) => (end + 2).min(rest.len()),
                None => rest.len(),
            }
        }
        Some(b'(' | b')' | b'#' | b'%' | b' ') => 2.min(rest.len()),
        Some(_) => 1,
    };
    start + 1 + length
}

/// Removes what CI systems put in front of a line. Prefixes nest, so this goes on while one is found.
fn strip_prefixes(text: &str) -> &str {
    let mut text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for _ in 0..4 {
        let Some(rest) = strip_one(text) else { break };
        text = rest;
    }
    text
}

fn strip_one(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    match bytes.first()? {
        b'0'..=b'9' => strip_stamp(text),
        // Jenkins' timestamper: `[2026-11-21T01:05:50.172Z] `.
        b'[' => {
            let rest = strip_stamp(&text[1..])?;
            rest.strip_prefix(']').map(|rest| rest.strip_prefix(' ').unwrap_or(rest))
        }
        b'#' => text.strip_prefix("##[error]"),
        // `gh run view --log`: job, step and stamp, parted by tabs.
        _ if memchr::memchr(b'\t', bytes).is_some() => {
            let mut parts = text.splitn(3, '\t');
            let (_job, _step, rest) = (parts.next()?, parts.next()?, parts.next()?);
            let rest = rest.strip_prefix('\u{feff}').unwrap_or(rest);
            strip_stamp(rest)
        }
        _ => None,
    }
}

/// `2026-11-21T00:05:46.5941140Z `, also without a fraction, and GitLab's `… 01O ` and `… 00E+` behind it.
fn strip_stamp(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    let shape = |pattern: &[u8]| {
        bytes.len() >= pattern.len()
            && pattern.iter().zip(bytes).all(|(want, have)| match want {
                b'd' => have.is_ascii_digit(),
                _ => want == have,
            })
    };
    if !shape(b"dddd-dd-ddTdd:dd:dd") {
        return None;
    }
    let mut end = 19;
    if bytes.get(end) == Some(&b'.') {
        end += 1;
        while bytes.get(end).is_some_and(u8::is_ascii_digit) {
            end += 1;
        }
    }
    if bytes.get(end) != Some(&b'Z') {
        return None;
    }
    let rest = &text[end + 1..];
    let gitlab = rest.as_bytes();
    if gitlab.len() >= 5
        && gitlab[0] == b' '
        && gitlab[1].is_ascii_hexdigit()
        && gitlab[2].is_ascii_hexdigit()
        && matches!(gitlab[3], b'O' | b'E')
        && matches!(gitlab[4], b' ' | b'+')
    {
        return Some(&rest[5..]);
    }
    Some(rest.strip_prefix(' ').unwrap_or(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(raw: &[u8], expected: &[&str]) {
        let clean = clean(raw);
        assert_eq!(clean.iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn colors_and_other_escapes_vanish() {
        check(b"\x1b[1;31merror\x1b[0m: x", &["error: x"]);
        check(b"\x1b_bk;t=1795223038661\x07$ make\r", &["$ make"]);
        check(b"\x1b(B\x1b[mmypy", &["mypy"]);
        check(b"\x1b]0;title\x07text", &["text"]);
        check(b"cut\x1b[3", &["cut"]);
        check(b"cut\x1b", &["cut"]);
    }

    #[test]
    fn stamps_and_prefixes_vanish() {
        check(b"2026-11-21T00:05:47.0815691Z > next build", &["> next build"]);
        check(b"[2026-11-21T01:05:50.172Z] + make", &["+ make"]);
        check(b"2026-11-21T00:05:47.081569Z 01O npm error", &["npm error"]);
        check("\u{feff}job\tRun make\t2026-11-21T00:05:47.0815691Z make: x".as_bytes(), &["make: x"]);
        check(b"2026-11-21T00:05:47.0815691Z ##[error]boom", &["boom"]);
        check(b"2026-11-21 plain", &["2026-11-21 plain"]);
    }

    #[test]
    fn a_lone_carriage_return_parts_the_text() {
        check(b"section_start:1:x\r\x1b[0KHello", &["section_start:1:x", "Hello"]);
        check(b"  10%\r  20%\r\n", &["  10%", "  20%"]);
        check(b"\r", &[""]);
    }
}
