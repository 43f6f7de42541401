//! One report of what the inputs tell: the same failure in two of them is one, and what they say of one another counts.

use std::collections::{HashMap, HashSet};

use super::{Part, attempts};
use crate::cause::{Group, KEEP, fingerprint};
use crate::claims::{self, Shown, Stated};
use crate::format::Format;
use crate::kind::{Kind, Nature, Phase};
use crate::outcome::Resolved;
use crate::report::{Counts, Ignored, Level, Note, Outcome, Report, SourceSummary, Standing, Task};

/// Makes one report of all parts.
pub(super) fn assemble(version: &str, mut parts: Vec<Part>, keep_passed: bool) -> Report {
    let mut attempts = attempts::lay_together(&mut parts);
    let mut notes = Vec::new();
    // Where each task stands among them, by its id.
    let (mut tasks, mut places) = (Vec::new(), HashMap::new());
    let mut sources: Vec<SourceSummary> = Vec::new();
    let mut uncounted: Vec<usize> = Vec::new();
    let mut groups: Vec<Group> = Vec::new();
    let mut passed = Vec::new();
    let mut tests: Option<Counts> = None;
    let mut ignored = Ignored::default();
    let mut asked: Option<String> = None;
    let (mut shown, mut stated): (Vec<Shown>, Vec<Stated>) = (Vec::new(), Vec::new());
    let mut seen_runs: Vec<(Counts, Format)> = Vec::new();
    let mut told: Vec<(Counts, Vec<String>)> = Vec::new();
    let mut known: HashMap<(Kind, Nature, Option<String>, String, bool), usize> = HashMap::new();
    let letters = parts.iter().filter_map(|part| part.resolved.letter.as_ref());
    let replaced: HashSet<String> = letters.flat_map(|letter| letter.supersedes.clone()).collect();
    let mut read: HashSet<String> = HashSet::new();
    let any_failed = parts.iter().any(|part| !part.empty && part.resolved.outcome == Outcome::Failed);
    for (index, Part { resolved, format, bytes, lines, empty, error }) in parts.into_iter().enumerate() {
        let Resolved { name, mut outcome, tests: own, mut standing, letter, attempt, notes: own_notes, .. } = resolved;
        let (own_tasks, own_ignored, proven, word, own_asked) =
            (resolved.tasks, resolved.ignored, resolved.proven, resolved.stated, resolved.asked);
        // A message that came twice counts once, and one that another replaces does not count.
        if let Some(why) = attempts.idle.get(&index) {
            notes.extend(why.map(|why| Note { source: Some(name.clone()), ..Note::info(None, why) }));
            let format = format.as_str().to_owned();
            uncounted.push(sources.len());
            sources.push(SourceSummary { name, format, bytes, lines, outcome, tests: own, error });
            continue;
        }
        if let Some(letter) = letter {
            let why = if replaced.contains(letter.id.split('@').next().unwrap_or_default()) {
                Some("the message is replaced by a later one and does not count")
            } else if !read.insert(letter.id) {
                Some("the message is a copy of one that was read and does not count")
            } else {
                None
            };
            if let Some(why) = why {
                notes.push(Note { source: Some(name.clone()), ..Note::info(None, why) });
                let format = format.as_str().to_owned();
                uncounted.push(sources.len());
                sources.push(SourceSummary { name, format, bytes, lines, outcome, tests: own, error });
                continue;
            }
        }
        if let Some(error) = &error {
            let mut note = Note::warning(None, format!("cannot be read: {error}"));
            note.source = Some(name.clone());
            notes.push(note);
            if outcome == Outcome::Passed {
                outcome = Outcome::Unknown;
            }
        }
        // The console and the report of one run tell the same totals: they are two views of it.
        let same = |known: &Counts, counts: &Counts| known.total == counts.total && known.failed == counts.failed;
        let message = format.is_message();
        // The attempts at all tests are one run together.
        let run = if attempt.is_some() { Some(attempts.counts) } else { own };
        let twin = run
            .filter(|counts| counts.total > 0 && !message)
            .and_then(|counts| seen_runs.iter_mut().find(|(known, other)| *other != format && same(known, &counts)));
        // What two messages say alike is said of one thing.
        let view = twin.is_some() || message;
        let known_run = attempt.is_some() && std::mem::replace(&mut attempts.counted, true);
        match (run.filter(|_| !message), twin) {
            (Some(_), None) if known_run => {
                let room = Report::MAX_PASSED - passed.len();
                passed.extend(resolved.passed.into_iter().take(room));
            }
            // A message tells fewer figures than the run itself: the fuller view is the better one.
            (Some(counts), Some((known, _))) if known.passed.is_none() && tests == Some(*known) => {
                *known = counts;
                tests = Some(counts);
            }
            (Some(_), Some(_)) | (None, _) => {}
            (Some(counts), None) => {
                seen_runs.push((counts, format));
                let room = Report::MAX_PASSED - passed.len();
                passed.extend(resolved.passed.into_iter().take(room));
                match &mut tests {
                    Some(sum) => sum.add(&counts),
                    None => tests = Some(counts),
                }
            }
        }
        // That an input holds nothing matters where no other says what failed.
        if empty && any_failed {
            standing.clear();
        }
        if let Some(counts) = own.filter(|_| message) {
            told_again(&mut told, counts, own_tasks.iter().map(|task| task.id.clone()).collect());
        }
        let failed = standing.iter().map(|group| group.verdict.phase).collect();
        for group in standing {
            let said = group.evidence.first().map_or("", |evidence| evidence.text.as_str());
            let shared = attempt.as_ref().and_then(|_| attempts::origin(&group));
            let print = || fingerprint(group.verdict.kind, group.verdict.subject.as_deref(), said);
            let key =
                (group.verdict.kind, group.verdict.nature, group.task.clone(), shared.unwrap_or_else(print), message);
            match known.get(&key) {
                Some(&index) => merge(&mut groups[index], group, view),
                None => {
                    known.insert(key, groups.len());
                    groups.push(group);
                }
            }
        }
        own_tasks.into_iter().for_each(|task| add_task(&mut tasks, &mut places, task));
        notes.extend(own_notes);
        ignored.decoys += own_ignored.decoys;
        ignored.follow_ons += own_ignored.follow_ons;
        ignored.first_decoy = ignored.first_decoy.or(own_ignored.first_decoy);
        ignored.first_follow_on = ignored.first_follow_on.or(own_ignored.first_follow_on);
        asked = asked.or(own_asked.filter(|_| outcome != Outcome::Passed));
        if !message {
            shown.push(Shown { name: name.clone(), outcome, proven, failed, tests: own });
        } else if let Some(line) = word {
            stated.push(Stated { source: name.clone(), outcome, line, tests: own });
        }
        let format = format.as_str().to_owned();
        sources.push(SourceSummary { name, format, bytes, lines, outcome, tests: own, error });
    }
    notes.extend(disagreement(&sources));
    if keep_passed {
        notes.extend(unlisted(passed.len(), tests));
    }
    // Messages repeat the figures of a run; they count where no run as large was given.
    let said = told.into_iter().map(|(counts, _)| counts).reduce(|mut sum, counts| {
        sum.add(&counts);
        sum
    });
    let tests = match (tests, said) {
        (Some(shown), Some(said)) if shown.total < said.total => Some(said),
        (shown, said) => shown.or(said),
    };
    let counted =
        || sources.iter().enumerate().filter(|(index, _)| !uncounted.contains(index)).map(|(_, source)| source);
    let outcome = if counted().any(|source| source.outcome == Outcome::Failed) {
        Outcome::Failed
    } else if counted().next().is_some() && counted().all(|source| source.outcome == Outcome::Passed) {
        Outcome::Passed
    } else {
        Outcome::Unknown
    };
    let mut claims = claims::hold(&mut groups, &shown, &stated, |known, claim| merge(known, claim, true));
    let contradicted = claims.iter().filter(|claim| claim.standing == Standing::Contradicted).count();
    let outcome = if outcome == Outcome::Failed
        && groups.is_empty()
        && contradicted > 0
        && shown.iter().all(|source| source.outcome == Outcome::Passed)
    {
        let message = "a message tells of failures, and the output that came with it shows none";
        notes.push(Note::warning(None, message));
        Outcome::Unknown
    } else {
        outcome
    };
    groups.sort_by_key(|group| {
        let claim_of_build = group.level == Level::Claim && matches!(group.verdict.phase, Phase::Build | Phase::Setup);
        let urgent = group.verdict.nature.action().precedence();
        std::cmp::Reverse((urgent, claim_of_build, group.count, std::cmp::Reverse(group.first.line)))
    });
    let causes_omitted = groups.len().saturating_sub(Report::MAX_CAUSES) as u64;
    let by_task: Vec<Vec<String>> = groups.iter().map(|group| group.tasks.clone()).collect();
    for (index, group) in groups.iter().enumerate().take(Report::MAX_CAUSES) {
        group.claims.iter().for_each(|&claim| claims[claim].cause = Some(index));
    }
    let causes: Vec<_> = groups.into_iter().take(Report::MAX_CAUSES).map(Group::into_cause).collect();
    for task in &mut tasks {
        let own = by_task.iter().take(causes.len()).enumerate();
        task.causes = own.filter(|(_, of)| of.contains(&task.id)).map(|(index, _)| index).collect();
    }
    let rules = version.to_owned();
    Report { rules, outcome, tests, causes, causes_omitted, tasks, sources, notes, asked, claims, ignored, passed }
}

/// Passing cases that are counted, and not listed although they were asked for.
fn unlisted(listed: usize, tests: Option<Counts>) -> Option<Note> {
    let counted = tests?.passed?;
    let why = match listed {
        Report::MAX_PASSED => "no more are kept",
        _ => "the inputs do not name the others",
    };
    let message = format!("{listed} of the {counted} cases that passed are listed: {why}");
    ((listed as u64) < counted).then(|| Note::info(None, message))
}

/// A log and a report that tell of as many tests are two views of one run; where they differ in how it ended, one of
/// them is wrong or says less.
fn disagreement(sources: &[SourceSummary]) -> Option<Note> {
    let is = |source: &&SourceSummary, formats: &[Format]| formats.iter().any(|of| of.as_str() == source.format);
    let ran = |source: &&SourceSummary| source.tests.filter(|counts| counts.total > 0);
    // What a message claims is held against the output elsewhere.
    let others = [Format::Log, Format::Message, Format::MessageJson, Format::AllureJson];
    let pair = sources.iter().filter(|source| !is(source, &others)).find_map(|report| {
        let told = ran(&report)?;
        let differs = |log: &&SourceSummary| {
            let seen = ran(log).unwrap_or_default();
            let ends = [report.outcome, log.outcome];
            seen.total == told.total
                && (seen.failed != told.failed || ends.contains(&Outcome::Passed) && ends.contains(&Outcome::Failed))
        };
        Some((report, sources.iter().filter(|source| is(source, &others[..1])).find(differs)?))
    });
    let (report, log) = pair?;
    let message = format!("{} and {} tell of the same run, and not that it ended the same", report.name, log.name);
    Some(Note::warning(None, message))
}

/// Adds the figures of a message, unless another message gave those of the same work.
fn told_again(told: &mut Vec<(Counts, Vec<String>)>, counts: Counts, tasks: Vec<String>) {
    let same = |(known, of): &&mut (Counts, Vec<String>)| {
        known.total == counts.total || of.is_empty() || tasks.is_empty() || of.iter().any(|id| tasks.contains(id))
    };
    match told.iter_mut().find(same) {
        Some((known, _)) => {
            let fuller = (counts.total, counts.passed.is_some()) > (known.total, known.passed.is_some());
            *known = if fuller { counts } else { *known };
        }
        None => told.push((counts, tasks)),
    }
}

/// Adds a task, or what another input tells of one that is known, by its id: what failed there has failed.
fn add_task(tasks: &mut Vec<Task>, places: &mut HashMap<String, usize>, task: Task) {
    let Some(known) = places.get(&task.id).map(|at| &mut tasks[*at]) else {
        places.insert(task.id.clone(), tasks.len());
        tasks.push(task);
        return;
    };
    let worse = |a: Outcome, b: Outcome| match (a, b) {
        (Outcome::Failed, _) | (_, Outcome::Failed) => Outcome::Failed,
        (Outcome::Unknown, other) | (other, Outcome::Unknown) => other,
        (Outcome::Passed, Outcome::Passed) => Outcome::Passed,
    };
    let Task { id: _, title, status, build, tests, causes: _, session, priority } = task;
    known.priority = known.priority.into_iter().chain(priority).min();
    known.title = known.title.take().or(title);
    known.status = worse(known.status, status);
    known.build = worse(known.build, build);
    known.tests = known.tests.or(tests);
    known.session = known.session.take().or(session);
}

/// Adds a group to one of the same origin: it may show in several stretches and in several inputs.
fn merge(known: &mut Group, group: Group, view: bool) {
    known.count = if view { known.count.max(group.count) } else { known.count + group.count };
    for evidence in group.evidence {
        if known.evidence.len() < KEEP && !known.evidence.contains(&evidence) {
            known.evidence.push(evidence);
        }
    }
    known.hint(group.hints);
    known.consequences.extend(group.consequences.into_iter().take(KEEP.saturating_sub(known.consequences.len())));
    for test in group.tests {
        if known.tests.len() < KEEP && !known.tests.contains(&test) {
            known.tests.push(test);
        }
    }
}
