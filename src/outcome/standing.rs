//! What findings of one input are to each other: echoes, claims made twice, lines of a block, guesses.

use std::collections::HashSet;

use super::{ECHO_REACH, HINT_REACH};
use crate::cause::{Group, KEEP};
use crate::classify;
use crate::kind::{Kind, Nature, Phase};
use crate::report::{Evidence, Level};
use crate::rules::Rank;
use crate::words;

/// Folds a finding without a subject into one of its kind nearby that says more: the attempts that a client counts
/// into the error that ends them.
pub(super) fn fold_echoes(standing: &mut Vec<Group>) {
    let by_line = |line: fn(&Group) -> u64| {
        let mut lines: Vec<(u64, usize)> = standing.iter().map(line).zip(0..).collect();
        lines.sort_unstable();
        lines
    };
    let (by_first, by_last) = (by_line(|group| group.first.line), by_line(|group| group.last.line));
    let mut groups: Vec<Option<Group>> = std::mem::take(standing).into_iter().map(Some).collect();
    for index in 0..groups.len() {
        let Some(echo) = groups[index].as_ref().filter(|group| group.level == Level::Line) else { continue };
        // Thousands of findings can stand, so that none is held against all others.
        let begun = within(&by_first, echo.last.line);
        let ended = within(&by_last, echo.first.line);
        let near = begun.iter().chain(ended).map(|(_, other)| *other).filter(|other| *other != index);
        let tells = |other: &usize| groups[*other].as_ref().is_some_and(|group| is_echo(echo, group));
        let Some(other) = near.filter(tells).min() else { continue };
        let (Some(echo), Some(group)) = (groups[index].take(), groups[other].as_mut()) else { continue };
        let room = KEEP.saturating_sub(group.evidence.len());
        group.evidence.extend(echo.evidence.into_iter().take(room));
        group.hint(echo.hints);
    }
    standing.extend(groups.into_iter().flatten());
}

/// Those of some lines in order that are so near to another that what they tell can be an echo.
fn within(lines: &[(u64, usize)], of: u64) -> &[(u64, usize)] {
    let start = lines.partition_point(|(line, _)| *line < of.saturating_sub(ECHO_REACH));
    let end = lines.partition_point(|(line, _)| *line <= of.saturating_add(ECHO_REACH));
    &lines[start..end]
}

/// Whether a line says of a finding near it nothing but what is known.
fn is_echo(echo: &Group, group: &Group) -> bool {
    let speaks = |group: &Group| group.verdict.subject.is_some() || group.level != Level::Line;
    let (told, telling) = (&echo.verdict, &group.verdict);
    let soon = group.first.line.abs_diff(echo.last.line) <= HINT_REACH;
    let above = group.last.line < echo.first.line;
    let right_above = |line: u64| echo.first.line.saturating_sub(line) <= HINT_REACH;
    // What one tool says in several lines is one thing.
    let again = told.kind.is_tried_again()
        // What runs a compiler or linter sums up what it said.
        || group.level == Level::Diagnostic
            && above
            && matches!(told.kind, Kind::CompileError | Kind::LintViolation | Kind::LinkError)
        || told.rule == telling.rule && soon;
    again
        && group.stretch == echo.stretch
        && telling.kind == told.kind
        && (telling.nature == told.nature || telling.nature == Nature::Deterministic && soon)
        && (speaks(group) && !speaks(echo)
            || group.level == Level::Diagnostic && telling.subject == told.subject
            // The message, and the same at the head of its stack.
            || !speaks(group)
                && !speaks(echo)
                && telling.rule == told.rule
                && group.first.line < echo.first.line
                && right_above(group.last.line)
            // Another rule's word on what was told right above.
            || !speaks(group)
                && !speaks(echo)
                && telling.rank >= told.rank
                && above
                && right_above(group.last.line)
            || telling.rank > told.rank && group.first.line > echo.last.line && !speaks(echo))
}

/// Whether a runner of tests tells it, of a case or of what holds cases.
pub(super) fn is_of_tests(group: &Group) -> bool {
    matches!(group.level, Level::Case | Level::Suite)
}

/// How many findings there are, and the first of them.
pub(super) fn summed(groups: &[Group]) -> (u64, Option<Evidence>) {
    let first = groups.iter().min_by_key(|group| group.first.line).and_then(|group| group.evidence.first());
    (groups.iter().map(|group| group.count).sum(), first.cloned())
}

/// Makes one of claims that tell the same thing twice, once with its subject and once without, and drops those that
/// say nothing beside those that do.
pub(super) fn fold_claims(standing: &mut Vec<Group>) {
    let is_claim = |group: &Group| group.level == Level::Claim;
    let known = |group: &Group| group.verdict.kind != Kind::Unclassified;
    if !standing.iter().any(known) {
        // Where no rule knows any of them, their words are better than nothing.
        for group in standing.iter_mut().filter(|group| is_claim(group)) {
            if let Some((kind, subject)) = words::guess(&group.verdict.line.text) {
                let phase = Some(group.verdict.phase).filter(|phase| *phase != Phase::Unknown);
                group.verdict.kind = kind;
                group.verdict.nature = kind.nature();
                group.verdict.subject = subject.or(group.verdict.subject.take());
                words::RULE.clone_into(&mut group.verdict.rule);
                classify::settle(&mut group.verdict, phase);
            }
        }
    }
    if standing.iter().any(known) {
        standing.retain(|group| !is_claim(group) || known(group));
    }
    let mut kept: Vec<Group> = Vec::new();
    let (claims, others) = std::mem::take(standing).into_iter().partition(is_claim);
    let mut claims: Vec<Group> = claims;
    // Those that say the most come first, so that the others fold into them.
    claims.sort_by_key(|group| (group.verdict.subject.is_none(), group.task.is_none(), group.first.line));
    // What is undefined because it is not doubled is a matter of the double.
    let doubled: Vec<String> = claims
        .iter()
        .filter(|group| group.verdict.kind == Kind::MockFailure)
        .filter_map(|group| group.verdict.subject.clone())
        .collect();
    for mut group in claims {
        if group.verdict.kind == Kind::UndefinedValue
            && group.verdict.subject.as_ref().is_some_and(|subject| doubled.contains(subject))
        {
            group.verdict.kind = Kind::MockFailure;
        }
        let known = kept.iter_mut().find(|known| {
            let about = |a: &Option<String>, b: &Option<String>| match (a, b) {
                (Some(a), Some(b)) => a.contains(b.as_str()) || b.contains(a.as_str()),
                (None, _) | (_, None) => true,
            };
            let dispatch = group.verdict.phase == Phase::Dispatch && known.verdict.phase == Phase::Dispatch;
            let vague = group.verdict.kind == Kind::Unclassified;
            let one_task = known.task == group.task || group.task.is_none() || dispatch;
            known.verdict.kind == group.verdict.kind
                && (dispatch || vague || one_task && about(&known.verdict.subject, &group.verdict.subject))
        });
        let Some(known) = known else {
            kept.push(group);
            continue;
        };
        // The same trouble of another task is another case of it; told again of the same task, it is not.
        let another = group.task.as_ref().is_some_and(|task| !known.tasks.contains(task));
        known.count = if another && !known.tasks.is_empty() && known.verdict.kind != Kind::Unclassified {
            known.count + group.count
        } else {
            known.count.max(group.count)
        };
        known.tasks.extend(group.task.filter(|_| another));
        for evidence in group.evidence {
            if known.evidence.len() < KEEP && !known.evidence.contains(&evidence) {
                known.evidence.push(evidence);
            }
        }
    }
    standing.extend(others);
    standing.extend(kept);
}

/// Drops lines that are the evidence of a block as well.
pub(super) fn tell_once(standing: &mut Vec<Group>) {
    let place = |evidence: &Evidence| (evidence.line, evidence.byte_start);
    let blocks = standing.iter().filter(|group| group.level != Level::Line);
    let told: HashSet<_> = blocks.flat_map(|group| group.evidence.iter().map(place)).collect();
    standing.retain(|group| {
        let mut evidence = group.evidence.iter().map(place);
        group.level != Level::Line
            || group.count > group.evidence.len() as u64
            || !evidence.all(|at| told.contains(&at))
    });
}

/// Whether a finding is a guess that counts only where nothing else is known.
pub(super) fn weak(group: &Group) -> bool {
    matches!(group.level, Level::Line | Level::Diagnostic) && group.verdict.rank == Rank::Generic
}

/// Whether a diagnostic is a trace that a program printed while it ran, rather than the word of a compiler, linker or
/// linter: tests and servers print such traces and go on.
pub(super) fn incidental(group: &Group) -> bool {
    group.level == Level::Diagnostic && !matches!(group.verdict.phase, Phase::Build | Phase::Lint)
}

/// A job that was failing already when it was stopped is to be repaired: nobody has to look what the stop left behind.
///
/// Where the platform says that it stopped the job, what the program said of the signal is the same stop.
pub(super) fn settle_cancelled(standing: &mut [Group]) {
    let cancelled = |group: &&Group| group.verdict.kind == Kind::Cancelled;
    // What a newer run replaced stays to be looked up.
    let replaced = |group: &Group| group.verdict.rank == Rank::Exact && group.verdict.nature == Nature::Ambiguous;
    let common = match standing.iter().filter(cancelled).any(replaced) {
        true => Nature::Ambiguous,
        false => Nature::Transient,
    };
    if standing.iter().filter(cancelled).any(|group| group.verdict.nature == common) {
        for group in standing.iter_mut().filter(|group| group.verdict.kind == Kind::Cancelled) {
            group.verdict.nature = common;
        }
    }
    let failing = |group: &&Group| group.verdict.nature == Nature::Deterministic && group.verdict.rank > Rank::Generic;
    let Some(first) = standing.iter().filter(failing).map(|group| group.first.line).min() else { return };
    for group in standing {
        let verdict = &mut group.verdict;
        if verdict.kind == Kind::Cancelled && verdict.nature == Nature::Ambiguous && first < group.first.line {
            verdict.nature = Nature::Transient;
            verdict.flip = Some("the job was failing already when it was stopped".to_owned());
        }
    }
}

/// Whether a line tells of an exception that ends no program by itself: a rejection that Node.js only warns of, and what
/// ends another thread of Java than the first.
pub(super) fn ends_nothing(text: &str) -> bool {
    let thread = text.strip_prefix("Exception in thread \"").and_then(|rest| rest.split_once('"'));
    text.contains("UnhandledPromiseRejectionWarning: ") || thread.is_some_and(|(name, _)| name != "main")
}

/// Whether a line says that something about the work could not be sent or kept: behind tests that passed that is no
/// failure of theirs.
pub(super) fn is_aside(text: &str) -> bool {
    const SENT: &[&str] = &["upload", "send", "sent", "submit", "save", "saving", "flush"];
    const ABOUT: &[&str] = &[
        "codecov",
        "coveralls",
        "coverage",
        "report",
        "cache",
        "sentry",
        "telemetry",
        "analytics",
        "statistic",
        "metric",
        "event",
        "notif",
        "slack",
    ];
    let lower = text.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    has(SENT) && has(ABOUT)
}

/// Whether a line that has a word of an error in it is a sentence, and neither a warning nor a count of none.
pub(super) fn complains(text: &str) -> bool {
    let bare = |word: &str| word.trim_matches(|character: char| !character.is_ascii_alphanumeric()) == "0";
    text.split_whitespace().count() > 4
        && !text.split_whitespace().any(bare)
        && !text.to_ascii_lowercase().contains("warn")
}
