//! Holds what messages claim against what tools printed.
//!
//! A claim that the output shows is confirmed and folded into the finding that shows it. One that the output
//! contradicts no longer counts as a cause, but is told. One of which no output speaks stays, as what somebody says.

use crate::cause::{Group, template};
use crate::kind::Phase;
use crate::report::{Claim, Counts, Evidence, Level, Outcome, Standing, TextLine};

/// How many claims a report lists.
const MAX_CLAIMS: usize = 50;

/// What an input other than a message shows.
pub(crate) struct Shown {
    pub name: String,
    pub outcome: Outcome,
    /// The phases that ended well.
    pub proven: Vec<Phase>,
    /// The phases that failed.
    pub failed: Vec<Phase>,
    pub tests: Option<Counts>,
}

/// What a message states on the whole.
pub(crate) struct Stated {
    pub source: String,
    pub outcome: Outcome,
    pub line: TextLine,
    pub tests: Option<Counts>,
}

/// Folds claims into findings, and gives all of them with how they stand. What is contradicted leaves the groups.
pub(crate) fn hold(
    groups: &mut Vec<Group>,
    shown: &[Shown],
    stated: &[Stated],
    merge: impl Fn(&mut Group, Group),
) -> Vec<Claim> {
    let (claimed, mut found): (Vec<Group>, Vec<Group>) =
        std::mem::take(groups).into_iter().partition(|group| group.level == Level::Claim);
    let mut claims: Vec<Claim> = Vec::new();
    let mut open = Vec::new();
    for mut group in claimed {
        let Some(at) = group.evidence.first().cloned() else { continue };
        let mut claim =
            Claim { at, kind: Some(group.verdict.kind), standing: Standing::Unproven, by: None, cause: None };
        let listed = claims.len() < MAX_CLAIMS;
        let index = claims.len();
        if let Some(known) = proof(&mut found, &group) {
            claim.standing = Standing::Confirmed;
            claim.by = known.evidence.first().map(place);
            if listed {
                known.claims.push(index);
            }
            let tasks = std::mem::take(&mut group.tasks);
            merge(known, group);
            known.tasks.extend(tasks);
        } else if let Some(by) = contradiction(&group, shown, stated) {
            claim.standing = Standing::Contradicted;
            claim.by = Some(by.name.clone());
        } else {
            if listed {
                group.claims.push(index);
            }
            open.push(group);
        }
        if listed {
            claims.push(claim);
        }
    }
    let failing = shown.iter().find(|source| source.outcome == Outcome::Failed);
    for Stated { source, outcome, line, .. } in stated.iter().filter(|_| !shown.is_empty()) {
        let (standing, by) = match (outcome, failing) {
            (Outcome::Passed, Some(by)) => (Standing::Contradicted, Some(by.name.clone())),
            (Outcome::Passed, None) if shown.iter().all(|source| source.outcome == Outcome::Passed) => {
                (Standing::Confirmed, shown.first().map(|source| source.name.clone()))
            }
            _ => continue,
        };
        if claims.len() < MAX_CLAIMS {
            claims.push(Claim { at: quoted(source, line), kind: None, standing, by, cause: None });
        }
    }
    found.extend(open);
    *groups = found;
    claims
}

/// The finding that shows what is claimed: of its kind and with its subject, or quoting it, or the only one of the kind.
fn proof<'a>(found: &'a mut [Group], claim: &Group) -> Option<&'a mut Group> {
    let of_kind = |group: &Group| group.verdict.kind == claim.verdict.kind;
    let only = found.iter().filter(|group| of_kind(group)).count() == 1;
    let subject = claim.verdict.subject.as_deref();
    let agrees = |group: &Group| {
        let same = |other: &str| subject.is_some_and(|subject| template(subject) == template(other));
        let quotes = |text: &str| subject.is_some_and(|subject| subject.len() > 3 && text.contains(subject));
        only || group.verdict.subject.as_deref().is_some_and(same) || quotes(&group.verdict.line.text)
    };
    found.iter_mut().find(|group| of_kind(group) && agrees(group))
}

/// The input that shows the opposite of a claim: the phase it speaks of ended well there, and failed nowhere.
///
/// Of tests, a green run must be as large as the one that the message counts: a few that pass say nothing of the rest.
fn contradiction<'a>(claim: &Group, shown: &'a [Shown], stated: &[Stated]) -> Option<&'a Shown> {
    let phase = claim.verdict.phase;
    // A failure without a phase may be of the build, but is of no test.
    let red = |source: &Shown| {
        source.failed.contains(&phase) || phase != Phase::Test && source.failed.contains(&Phase::Unknown)
    };
    if phase == Phase::Unknown || shown.iter().any(red) {
        return None;
    }
    let counted = stated.iter().find(|message| claim.evidence.iter().any(|at| at.source == message.source));
    let wanted = counted.and_then(|message| message.tests).map_or(0, |tests| tests.total);
    shown.iter().find(|source| {
        let large = source.tests.is_some_and(|tests| tests.total > 0 && tests.total >= wanted && !tests.any_failed());
        source.proven.contains(&phase) && (phase != Phase::Test || large)
    })
}

fn quoted(source: &str, line: &TextLine) -> Evidence {
    Evidence {
        source: source.to_owned(),
        line: line.span.line,
        last_line: line.span.last_line,
        column: None,
        byte_start: line.span.byte_start,
        byte_end: line.span.byte_end,
        text: crate::cause::quote(&line.text),
        file: None,
    }
}

fn place(evidence: &Evidence) -> String {
    format!("{}:{}", evidence.source, evidence.line)
}
