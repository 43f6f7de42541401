//! Attempts at tests of which each is an input of its own, as Allure writes them: the last of a test decides.

use std::collections::{HashMap, HashSet};

use super::Part;
use crate::cause::{Group, suite};
use crate::kind::Kind;
use crate::report::{Counts, Note, Outcome};

/// What the inputs of one run that are attempts come to.
#[derive(Default)]
pub(super) struct Attempts {
    /// The tests of all of them together.
    pub counts: Counts,
    /// The inputs that do not count, and why where that is worth a word.
    pub idle: HashMap<usize, Option<&'static str>>,
    /// The counts of the run were taken in.
    pub counted: bool,
}

/// Lays the attempts at each test together.
pub(super) fn lay_together(parts: &mut [Part]) -> Attempts {
    let mut last: HashMap<String, usize> = HashMap::new();
    let mut idle = HashMap::new();
    // The attempts after one that failed, with the name of the test.
    let mut failed: HashMap<usize, String> = HashMap::new();
    let ended = |part: &Part| part.resolved.attempt.as_ref().map_or(0, |attempt| attempt.ended_ms);
    for (index, part) in parts.iter().enumerate() {
        let Some(test) = part.resolved.attempt.as_ref().and_then(|attempt| attempt.test.clone()) else { continue };
        let Some(known) = last.get_mut(&test) else {
            last.insert(test, index);
            continue;
        };
        let (earlier, later) = if ended(part) >= ended(&parts[*known]) { (*known, index) } else { (index, *known) };
        idle.insert(earlier, Some("a later attempt at the test decides"));
        let name = || parts[earlier].resolved.standing.iter().flat_map(|group| group.tests.first()).next().cloned();
        if let Some(name) = failed.remove(&earlier) {
            failed.insert(later, name);
        } else if parts[earlier].resolved.outcome == Outcome::Failed {
            failed.insert(later, name().unwrap_or_default());
        }
        *known = later;
    }
    // What a fixture breaks is told by the tests that it breaks.
    let told: HashSet<&str> = parts
        .iter()
        .filter(|part| part.resolved.outcome == Outcome::Failed)
        .filter_map(|part| part.resolved.attempt.as_ref().filter(|attempt| attempt.holds.is_none()))
        .map(|attempt| attempt.id.as_str())
        .collect();
    for (index, part) in parts.iter().enumerate() {
        let held = part.resolved.attempt.as_ref().and_then(|attempt| attempt.holds.as_ref());
        if held.is_some_and(|held| held.iter().any(|id| told.contains(id.as_str()))) {
            idle.insert(index, Some("the tests around which it stands tell what failed in it"));
        } else if held.is_some() && part.resolved.outcome != Outcome::Failed {
            idle.insert(index, None);
        }
    }
    let mut counts = Counts { passed: Some(0), ..Counts::default() };
    for (index, part) in parts.iter_mut().enumerate() {
        if part.resolved.attempt.is_none() || idle.contains_key(&index) {
            continue;
        }
        let Some(own) = &mut part.resolved.tests else { continue };
        if let Some(name) = failed.get(&index).filter(|_| part.resolved.outcome == Outcome::Passed) {
            own.flaky = own.total;
            let note = Note::info(None, format!("{name} passed only after failing in an earlier attempt"));
            part.resolved.notes.push(Note { source: Some(part.resolved.name.clone()), ..note });
        }
        counts.add(own);
    }
    Attempts { counts, idle, counted: false }
}

/// What failures of several attempts share although each has words of its own: the file of the tests, or their suite.
pub(super) fn origin(group: &Group) -> Option<String> {
    if !matches!(group.verdict.kind, Kind::Assertion | Kind::SnapshotMismatch | Kind::TestTimeout) {
        return None;
    }
    let file = group.evidence.first().and_then(|evidence| evidence.file.as_ref());
    let path = file.map(|file| file.path.as_str()).or_else(|| group.tests.first().map(|test| suite(test)))?;
    Some(format!("tests of {path}"))
}
