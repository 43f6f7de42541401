//! Whether a sentence or a heading speaks well of things or ill.

use std::borrow::Cow;

use super::topic::signal;
use super::{among, form, heard, list, plain};
use crate::gate::Heard;
use crate::report::Outcome;

/// How a line or a section speaks of things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Trouble: issues, failures, a cross.
    Bad,
    /// Success, or trouble that is over.
    Good,
    /// Plans, requests, logs of work, recommendations: trouble named there is told elsewhere.
    Aside,
    /// Neither.
    Open,
}

/// The signs that agents put in front of a line instead of a word.
const GOOD_SIGNS: &[&str] = &["✅", "✔", "☑", "🟢", "[x]", "[X]", "[✓]", "🎉"];
const BAD_SIGNS: &[&str] = &["❌", "✗", "✘", "🔴", "[✗]", "⛔", "🛑"];

/// The sign in front of a plain line, and the line behind it.
pub(crate) fn signed(text: &str) -> (Tone, &str) {
    let mut text = text.trim_start();
    let mut tone = Tone::Open;
    // No sign begins with another character of ASCII.
    while text.starts_with(|first: char| first == '[' || !first.is_ascii()) {
        let inner = text.strip_prefix('[').unwrap_or(text);
        let good = GOOD_SIGNS.iter().find_map(|sign| text.strip_prefix(sign).or_else(|| inner.strip_prefix(sign)));
        let bad = BAD_SIGNS.iter().find_map(|sign| text.strip_prefix(sign).or_else(|| inner.strip_prefix(sign)));
        let (found, rest) = match (good, bad) {
            (Some(rest), _) => (Tone::Good, rest),
            (_, Some(rest)) => (Tone::Bad, rest),
            _ => break,
        };
        if tone == Tone::Open {
            tone = found;
        }
        text = rest.trim_start_matches('\u{fe0f}').trim_start_matches(']').trim_start();
    }
    (tone, text.strip_prefix("[ ]").map_or(text, str::trim_start))
}

/// How a section speaks, by its heading.
pub(crate) fn section_tone(heading: &str) -> Tone {
    let text = plain(heading);
    let (sign, rest) = signed(&text);
    if sign != Tone::Open {
        return sign;
    }
    let heard = heard(rest);
    if heard.has(list::GOOD_SIGN) || heard.has(list::BAD_SIGN) {
        // `Build Status: ❌ FAIL` speaks of one check; `Reasons for Failure` is told by the words below.
        match verdict(rest) {
            Outcome::Failed => return Tone::Bad,
            Outcome::Passed => return Tone::Good,
            _ => {}
        }
    }
    if heard.has(list::ASIDE) {
        return if heard.has(list::UNMET) { Tone::Bad } else { Tone::Aside };
    }
    if heard.has(list::ACHIEVED) {
        return Tone::Good;
    }
    if heard.has(list::ISSUES) {
        return Tone::Bad;
    }
    Tone::Open
}

/// Whether a plain line claims that something is wrong now, in a section of the given tone.
pub(crate) fn is_trouble(heard: &Heard, section: Tone) -> bool {
    let (sign, rest) = signed(heard.text);
    if sign == Tone::Good || rest.ends_with(['✅', '✔']) {
        return false;
    }
    let head = rest.split_once(": ").map_or(rest, |(_, value)| value);
    if sign == Tone::Open && signed(head).0 == Tone::Good {
        return false;
    }
    // A hedge names what came out well beside what did not; it is trouble all the same.
    if heard.part(&unquoted(rest)).says(form::OVER) && !is_hedged(rest) {
        return false;
    }
    match (sign, section) {
        (Tone::Bad, _) => true,
        (_, Tone::Good | Tone::Aside) => false,
        (_, Tone::Bad | Tone::Open) => {
            let rest = heard.part(rest);
            !is_request(rest.text) && (names_trouble(&rest) || signal(&rest, None).is_some())
        }
    }
}

/// Whether a sentence names trouble of any sort.
fn names_trouble(heard: &Heard) -> bool {
    // `ENOENT`: the operating system's names for it.
    let is_errno =
        |word: &str| word.len() >= 5 && word.starts_with('E') && word.bytes().all(|byte| byte.is_ascii_uppercase());
    let errno = || heard.text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').any(is_errno);
    heard.has(list::TROUBLE) || heard.says(form::TROUBLE) || errno()
}

/// Whether a sentence asks for something to be done: `Then re-run the tests`.
fn is_request(text: &str) -> bool {
    const POLITE: &str = "please immediately properly then also";
    const DO: &str = "fix resolve address verify configure assign rerun monitor focus update investigate ensure restart \
        spawn add implement install check review retry revalidate resubmit rebuild consider need needs must \
        should create correct clear restore repair debug wait await request report escalate continue confirm \
        use provide grant enable increase";
    const AGAIN: &str = "run validate submit build";
    let mut words = text.split(' ').skip_while(|word| among(POLITE, word));
    words.next().is_some_and(|first| {
        let (first, list) = match first.get(..3) {
            Some(again) if again.eq_ignore_ascii_case("re-") => (&first[3..], AGAIN),
            _ => (first, DO),
        };
        let end = first.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_').unwrap_or(first.len());
        among(list, &first[..end])
    })
}

/// A line without what it quotes, which is somebody else's word.
fn unquoted(text: &str) -> Cow<'_, str> {
    let mut parts = text.split('"');
    let Some(first) = parts.next().filter(|first| first.len() < text.len()) else { return Cow::Borrowed(text) };
    let mut kept = first.to_owned();
    while let Some(quoted) = parts.next() {
        match parts.next() {
            Some(rest) => kept.push_str(rest),
            // A quote that nothing closes is an inch.
            None => kept.push_str(quoted),
        }
    }
    Cow::Owned(kept)
}

/// Whether a claim says by itself that the thing came about after all.
pub(crate) fn is_hedged(text: &str) -> bool {
    let Some(at) = heard(text).first(list::HEDGE) else { return false };
    let rest = heard(&text[at..]);
    rest.has(list::CAME_ABOUT) && !rest.has(list::NOT)
}

/// What a text says of how something ended, by words in capitals, signs and plain words; the first decides.
pub(crate) fn verdict(text: &str) -> Outcome {
    let heard = heard(text);
    match (heard.first(list::FAILED), heard.first(list::PASSED)) {
        (Some(failed), Some(passed)) if failed > passed => {
            // `NOT PASSED` and `completely fails` hold a word of both lists.
            let complete =
                text.as_bytes()[passed..].get(..8).is_some_and(|word| word.eq_ignore_ascii_case(b"complete"));
            if complete { Outcome::Failed } else { Outcome::Passed }
        }
        (Some(_), _) => Outcome::Failed,
        (None, Some(passed)) => {
            let before = text[..passed].trim_end();
            let ends = |word: &str| {
                let start = before.len().checked_sub(word.len());
                start.is_some_and(|start| before.as_bytes()[start..].eq_ignore_ascii_case(word.as_bytes()))
            };
            let open = ends("not") || heard.has(list::IN_PROGRESS);
            if open { Outcome::Unknown } else { Outcome::Passed }
        }
        (None, None) => Outcome::Unknown,
    }
}

/// Whether a heading holds the sign of a check.
pub(crate) fn is_signed(text: &str) -> bool {
    heard(text).has(list::SIGN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_is_no_trouble() {
        for text in [
            "✅ Rate Limiting: Fixed test isolation issues that caused \"too many concurrent rooms\" errors",
            "The described ENOENT build failures DID NOT EXIST:",
            "No more \"too many concurrent rooms\" errors",
            "[x] lib/livekit/config.ts missing",
            "Fix build system - resolve ENOENT missing file paths",
        ] {
            assert!(!is_trouble(&heard(text), Tone::Bad), "{text}");
        }
        for text in ["LiveKit tests failing with rate limit exceeded errors", "❌ Cannot spawn workers"] {
            assert!(is_trouble(&heard(text), Tone::Bad), "{text}");
        }
    }

    #[test]
    fn a_word_of_both_lists_is_read_whole() {
        assert_eq!(verdict("COMPLETELY FAILS"), Outcome::Failed);
        assert_eq!(verdict("✅ PASS (implementation correct, test infrastructure issue)"), Outcome::Passed);
        assert_eq!(verdict("❌ FAIL"), Outcome::Failed);
        assert_eq!(verdict("in-progress"), Outcome::Unknown);
    }
}
