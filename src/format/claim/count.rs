//! How many tests a sentence counts.

use super::topic::{scope_of_tests, words};
use super::{among, form, list};
use crate::gate::Heard;
use crate::item::read_count;
use crate::report::Counts;

/// Tests counted in a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tally {
    pub counts: Counts,
    /// The part of the tests that is counted; `None` for all.
    pub scope: Option<String>,
}

/// What a text counts of tests, if it does. `2/2 slots`, `[5/13]` and `9/10 tasks` count none.
pub(crate) fn tally(heard: &Heard) -> Option<Tally> {
    let text = heard.text;
    if !text.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    listed(heard)
        .or_else(|| out_of(heard).filter(|_| heard.has(list::ABOUT_TESTS)))
        .or_else(|| ratio(heard))
        .map(|counts| Tally { counts, scope: scope(text, counts) })
}

fn scope(text: &str, counts: Counts) -> Option<String> {
    // A total stands for all unless a name stands between the figure and `tests`.
    let figure = counts.total.to_string();
    let behind = text.find(&figure).map_or(text, |at| &text[at + figure.len()..]);
    let near = behind.get(..behind.char_indices().nth(48).map_or(behind.len(), |(at, _)| at)).unwrap_or(behind);
    let before = text.find(':').map(|at| &text[..at]);
    scope_of_tests(near).or_else(|| before.and_then(scope_of_tests)).or_else(|| {
        let at = text.find('(').filter(|at| !text[..*at].contains(&figure))?;
        scope_of_tests(&text[..at])
    })
}

/// `96 failed / 353 passed / 4 skipped (453 total)`, in any order.
fn listed(heard: &Heard) -> Option<Counts> {
    let mut counts = Counts::default();
    let (mut failed, mut passed, mut total) = (None, None, None);
    let pairs = heard
        .captures_all(form::COUNT)
        .map(|found| (found[2].to_lowercase(), read_count(&found[1])))
        .chain(heard.captures_all(form::LABELED).map(|found| (found[1].to_lowercase(), read_count(&found[2]))));
    for (word, number) in pairs {
        let Some(number) = number else { continue };
        match word.as_str() {
            "failed" | "failing" | "failure" | "failures" => failed = failed.or(Some(number)),
            "passed" | "passing" | "passes" => passed = passed.or(Some(number)),
            "skipped" | "pending" | "todo" => counts.skipped += number,
            "total" => total = total.or(Some(number)),
            _ => counts.errored += number,
        }
    }
    // One figure alone counts nothing: `3 failed` may be steps.
    if failed.is_none() && passed.is_none() || [failed, passed, total].iter().flatten().count() < 2 {
        return None;
    }
    counts.failed = failed.unwrap_or(0);
    counts.passed = passed;
    counts.total = total.unwrap_or(counts.failed + passed.unwrap_or(0) + counts.skipped);
    if failed.is_none()
        && let (Some(total), Some(passed)) = (total, passed)
    {
        counts.failed = total.saturating_sub(passed + counts.skipped);
    }
    (counts.failed <= counts.total).then_some(counts)
}

/// `96 failures out of 453 tests`.
fn out_of(heard: &Heard) -> Option<Counts> {
    let found = heard.captures(form::OUT_OF)?;
    let (count, total) = (read_count(&found[1])?, read_count(&found[3])?);
    counted(count, total, found[2].to_lowercase().starts_with("pass"))
}

/// How many bytes before and behind a figure are looked at.
const REACH: usize = 400;

/// How many figures of one sentence are looked at.
const MAX_RATIOS: usize = 100;

/// What is counted in messages as tests are, and is none.
const OTHERS: &str = "slots slot tasks task pages page phases phase steps step workers worker files file criteria items agents \
    jobs checks static commits points percent attempts attempt retries packages shards days hours modules \
    components";

/// `12/18 LiveKit tests failing`, `25/29 tests passing`: the nearest word decides which.
fn ratio(heard: &Heard) -> Option<Counts> {
    let text = heard.text;
    if !text.contains('/') && !text.contains("of") {
        return None;
    }
    for found in heard.captures_all(form::RATIO).take(MAX_RATIOS) {
        let whole = found.get(0)?;
        // What is farther off than a sentence says nothing of a figure.
        let mut from = whole.start().saturating_sub(REACH);
        let mut to = text.len().min(whole.end() + REACH);
        from += (from..whole.start()).take_while(|at| !text.is_char_boundary(*at)).count();
        to += (to..text.len()).take_while(|at| !text.is_char_boundary(*at)).count();
        let (before, behind) = (&text[from..whole.start()], &text[whole.end()..to]);
        let bracket = before.ends_with('[') && behind.starts_with(']');
        let longer = before.ends_with(['/', '-', '.', '#', ':'])
            || behind.starts_with(['/', '-'])
            || behind.starts_with(|c: char| c.is_alphanumeric());
        let past = ["from", "vs", "vs.", "versus", "was", "were", "originally", "previously", "original", "earlier"];
        let word_before = before.split_whitespace().next_back().unwrap_or("").to_lowercase();
        if bracket || longer || past.contains(&word_before.trim_matches(['(', ',', '*', '~'])) {
            continue;
        }
        let (count, total) = (read_count(&found[1])?, read_count(&found[2])?);
        let near_behind: Vec<String> = words(clause(behind)).take(7).map(str::to_lowercase).collect();
        let near_before: Vec<String> = words(last_clause(before)).map(str::to_lowercase).collect();
        if near_behind.iter().take(2).any(|word| among(OTHERS, word)) {
            continue;
        }
        let sense = |word: &String| {
            if word.starts_with("fail") || word == "broken" || word == "red" {
                Some(false)
            } else if word.starts_with("pass") || word == "green" || word.starts_with("succe") {
                Some(true)
            } else {
                None
            }
        };
        let tests =
            |word: &String| matches!(word.as_str(), "test" | "tests" | "specs" | "spec" | "suite" | "cases" | "unit");
        let behind_at = near_behind.iter().position(|word| sense(word).is_some());
        let before_at = near_before.iter().rev().take(6).position(|word| sense(word).is_some());
        let passing = match (behind_at, before_at) {
            (Some(behind), Some(before)) if before + 1 < behind => near_before.iter().rev().nth(before).and_then(sense),
            (Some(behind), _) => sense(&near_behind[behind]),
            (None, Some(before)) => near_before.iter().rev().nth(before).and_then(sense),
            (None, None) => None,
        };
        let about_tests = near_behind.iter().any(tests) || near_before.iter().any(tests);
        let Some(passing) = passing.filter(|_| about_tests) else { continue };
        if let Some(counts) = counted(count, total, passing) {
            return Some(counts);
        }
    }
    None
}

fn counted(count: u64, total: u64, passing: bool) -> Option<Counts> {
    if count > total || total == 0 {
        return None;
    }
    let mut counts = Counts { total, ..Counts::default() };
    if passing {
        counts.passed = Some(count);
        counts.failed = total - count;
    } else {
        counts.failed = count;
    }
    Some(counts)
}

fn clause(text: &str) -> &str {
    let end = text.find([',', ';', '(', ')', '.']).unwrap_or(text.len());
    // `(86%)` between the figure and its word says nothing.
    let skip = text.trim_start();
    if skip.starts_with('(') && skip.find(')').is_some_and(|at| at < 8) {
        return clause(&skip[skip.find(')').map_or(0, |at| at + 1)..]);
    }
    &text[..end]
}

fn last_clause(text: &str) -> &str {
    text.rfind([',', ';']).map_or(text, |at| &text[at + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::claim::heard;

    #[track_caller]
    fn counts(text: &str) -> (u64, Option<u64>, u64, Option<String>) {
        let Tally { counts, scope } = tally(&heard(text)).unwrap_or_else(|| panic!("nothing counted in {text:?}"));
        (counts.total, counts.passed, counts.failed, scope)
    }

    #[test]
    fn the_nearest_word_decides_what_a_ratio_counts() {
        assert_eq!(counts("Tests: 12/18 LiveKit tests failing"), (18, None, 12, Some("LiveKit".into())));
        assert_eq!(counts("22/23 ChatInput tests failed"), (23, None, 22, Some("ChatInput".into())));
        assert_eq!(counts("Result: 25/29 tests passing (86% pass rate)"), (29, Some(25), 4, None));
        assert_eq!(counts("Tests Passing: 25/29 (86% pass rate)").0, 29);
        assert_eq!(counts("Client tests: 14/18 client tests pass (major)"), (18, Some(14), 4, Some("client".into())));
        assert_eq!(counts("LiveKit client tests (12/18 failed):"), (18, None, 12, Some("LiveKit".into())));
    }

    #[test]
    fn totals_are_read_and_not_inferred() {
        let all = tally(&heard("FAIL - Test suite: 96 failed / 353 passed / 4 skipped (453 total)")).unwrap().counts;
        assert_eq!((all.total, all.passed, all.failed, all.skipped), (453, Some(353), 96, 4));
        assert_eq!(counts("96 failures out of 453 total tests"), (453, None, 96, None));
        assert_eq!(counts("Test suite has 96 failures out of 453 tests."), (453, None, 96, None));
        assert_eq!(counts("96/453 tests failing."), (453, None, 96, None));
    }

    #[test]
    fn other_ratios_count_no_tests() {
        for text in [
            "Utilized available worker capacity (2/2 slots now occupied)",
            "Status: 9/10 tasks complete",
            "[5/13] building",
            "50/50 static pages generated",
            "up from 12/29",
            "2026/02/23 tests failing",
        ] {
            assert_eq!(tally(&heard(text)), None, "{text}");
        }
    }
}
