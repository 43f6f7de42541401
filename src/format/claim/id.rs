//! The names of tasks and sessions in a text.

use std::collections::HashSet;

use super::form;
use crate::gate::Heard;

/// Whether a word has the form of a task's id: `melo-infra-1`, `TASK-12`, `p0-1-categorize-failures`.
pub(crate) fn is_task_id(word: &str) -> bool {
    let digits = word.bytes().any(|byte| byte.is_ascii_digit());
    word.len() <= 80
        && digits
        && is_hyphened(word)
        && !word.starts_with("agent-")
        // An acceptance criterion is none, nor is a product with its version.
        && !word.starts_with("AC-")
        && !word.rsplit('-').next().is_some_and(|last| {
            last.strip_prefix(['v', 'V']).is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
        })
        // A commit or a session is no task.
        && !word.split(['-', '_']).all(|part| part.len() >= 4 && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Whether a word is letters and digits in parts, and begins with a letter.
fn is_hyphened(word: &str) -> bool {
    let mut parts = word.split(['-', '_']);
    let first = parts.next().unwrap_or("");
    let fits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    first.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && fits(first)
        && first.len() < word.len()
        && parts.all(fits)
}

/// The ids of tasks in a text, in their order.
pub(crate) fn task_ids(text: &str) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    let mut known = HashSet::new();
    for word in text.split(|character: char| character.is_whitespace() || ",;()[]`*\"'".contains(character)) {
        let word = word.trim_end_matches([':', '.', '-', '—']);
        if is_task_id(word) && known.insert(word) {
            ids.push(word.to_owned());
        }
    }
    ids
}

/// The key of a session of an agent runtime in a text.
pub(crate) fn session<'t>(heard: &Heard<'t>) -> Option<&'t str> {
    heard.captures(form::SESSION)?.get(0).map(|found| found.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_not_dates_or_hashes() {
        assert_eq!(task_ids("# Validation: melo-infra-1, melo-infra-2 (2026-02-23)"), ["melo-infra-1", "melo-infra-2"]);
        assert!(task_ids("agent:main:subagent:7a9a72a7-8a7f-43fc-98be-4e096bfd6ac3").is_empty());
    }
}
