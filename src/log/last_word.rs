//! The bare words of failure that a script says last: `FAILED`, `gate: not ok`, `❌ Gate`.
//!
//! They say nothing of what failed, so that no rule wants them; but a log that ends in one did not end well, whatever
//! passed before it.

use super::tail::is_harmless;
use crate::gate::Heard;

/// The longest line that is taken for a bare word.
const MAX_LENGTH: usize = 80;

/// How many words it has at most.
const MAX_WORDS: usize = 6;

/// Words that say failure where they stand alone.
const ALONE: &[&str] = &[
    "abort",
    "aborted",
    "aborting",
    "broken",
    "denied",
    "err",
    "error",
    "errors",
    "fail",
    "failed",
    "failure",
    "failures",
    "ko",
    "nok",
    "not ok",
    "not passed",
    "red",
    "rejected",
    "unsuccessful",
];

/// Words that say failure of what stands before them.
const OF_ANYTHING: &[&str] =
    &["aborted", "fail", "failed", "failure", "ko", "nok", "not ok", "not passed", "rejected", "unsuccessful"];

/// Words that say failure only of what can fail.
const OF_WORK: &[&str] = &["bad", "broken", "error", "errors", "no", "red"];

/// What can fail, rather than be set to something.
const WORK: &[&str] = &[
    "build", "check", "ci", "gate", "job", "outcome", "pipeline", "quality", "result", "stage", "step", "suite",
    "verdict",
];

/// Whether a line says, and says no more, that something failed.
pub(super) fn says(heard: &Heard<'_>) -> bool {
    let text = heard.text.trim();
    if text.len() > MAX_LENGTH || text.is_empty() || text.ends_with(':') {
        return false;
    }
    let lower = text.to_lowercase();
    let marked = lower.starts_with(['✖', '✗', '✘', '❌', '⨯', '💥', '🔴', '⛔', '🚨']);
    let bare = lower.trim_matches(|character: char| !character.is_alphanumeric());
    if bare.is_empty() || ALONE.contains(&bare) {
        return marked || !bare.is_empty();
    }
    if ends_with_status(bare) || is_of_perl(text) {
        return true;
    }
    let words = bare.split_whitespace().count();
    // Counts have readers and rules of their own.
    if words > MAX_WORDS || bare.bytes().any(|byte| byte.is_ascii_digit()) {
        return false;
    }
    if is_harmless(heard) || text.contains('?') {
        return false;
    }
    if marked || bare.starts_with("rejected ") {
        return true;
    }
    if let Some((label, value)) = bare.rsplit_once([':', '=']) {
        let work = || label.split(|character: char| !character.is_alphanumeric()).any(|word| WORK.contains(&word));
        let value = value.trim_matches(|character: char| !character.is_alphanumeric());
        return OF_ANYTHING.contains(&value) || OF_WORK.contains(&value) && work();
    }
    // `on failure` and `first failure` are not said of anything.
    ["aborted", "not ok", "not passed", "rejected", "unsuccessful"]
        .iter()
        .any(|end| bare.strip_suffix(end).is_some_and(|before| before.ends_with(' ')))
}

/// Whether a line is what Perl says when it dies: `no such widget at gate.pl line 7.`
fn is_of_perl(text: &str) -> bool {
    const WARNINGS: &[&str] = &["Use of ", "Deprecated", "Subroutine ", "Useless ", "Argument ", "Name "];
    let Some((said, number)) = text.strip_suffix('.').and_then(|text| text.rsplit_once(" line ")) else { return false };
    let Some((_, file)) = said.rsplit_once(" at ") else { return false };
    let of_perl = [".pl", ".pm", ".PL"].iter().any(|end| file.ends_with(end));
    of_perl && number.parse::<u32>().is_ok() && !WARNINGS.iter().any(|warning| text.starts_with(warning))
}

/// Whether a short line tells a status other than zero: `exit 1`, `rc=2`.
fn ends_with_status(bare: &str) -> bool {
    const NAMES: &[&str] =
        &["exit", "exit code", "exit status", "exit_code", "exitcode", "rc", "return code", "returncode", "retval"];
    let name = bare.trim_end_matches(|last: char| last.is_ascii_digit());
    let status: Option<u8> = bare[name.len()..].parse().ok();
    // So do those end that somebody stops.
    status.is_some_and(|status| !matches!(status, 0 | 130 | 143))
        && NAMES.contains(&name.trim_end_matches([' ', ':', '=']))
        && name.ends_with([' ', ':', '='])
}

#[cfg(test)]
mod tests {
    use crate::log::tail::heard;

    use super::says;
    use crate::{Analyzer, Outcome, Source};

    #[test]
    fn bare_words_of_failure() {
        for text in [
            "ERROR",
            "*** FAILED ***",
            "not ok",
            "gate: not ok",
            "Quality gate status: FAILED",
            "Verdict: fail",
            "coverage gate: red",
            "deploy aborted",
            "❌ Gate",
            "❌",
            "rc=2",
            "exit 1",
            "Rejected by the license gate",
            "no such widget at gate.pl line 7.",
        ] {
            assert!(says(&heard(text)), "{text}");
        }
    }

    #[test]
    fn what_only_holds_such_a_word() {
        for text in [
            "",
            "ok",
            "Errors:",
            "failed: 0",
            "on failure: fail",
            "fail-fast: no",
            "log level: error",
            "color: red",
            "❌ = failed, ✅ = passed",
            "Expected: failed",
            "Previous run: failed",
            "Upload failed",
            "exit 0",
            "rc=143",
            "status=404",
            "Use of uninitialized value $x in addition (+) at gate.pl line 7.",
            "PASS",
        ] {
            assert!(!says(&heard(text)), "{text}");
        }
    }

    #[test]
    fn the_last_word_outweighs_tests_that_passed() {
        let outcome = |tail: &str| {
            let log = format!("$ pytest -q\n24 passed in 1.02s\n{tail}");
            Analyzer::new().analyze([Source::bytes("log", log.as_bytes())]).outcome
        };
        for tail in ["", "gate: ok\n", "FAILED\nthe build is complete\n", "failed: 0\n"] {
            assert_eq!(outcome(tail), Outcome::Passed, "{tail}");
        }
        for tail in ["FAILED\n", "FAILED\nDone in 3 s\n", "gate: not ok\n", "\n❌\n"] {
            assert_eq!(outcome(tail), Outcome::Failed, "{tail}");
        }
    }
}
