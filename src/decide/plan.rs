//! The work of a repair, the checks before anything is done again, and who is asked.

use crate::decide::situation::Situation;
use crate::decide::vote::Vote;
use crate::decide::{Escalation, Repair, Verdict, reasons};
use crate::kind::{Action, Kind, Nature, Phase};
use crate::report::{Cause, Claim, Report};

/// Folders that a build writes: what is missing there is not missing in the sources.
const GENERATED: &[&str] = &[
    ".next",
    "dist",
    "build",
    "target",
    "out",
    "coverage",
    ".cache",
    ".staging",
    ".turbo",
    ".nuxt",
    ".svelte-kit",
    "_build",
    "bin",
    "obj",
    ".output",
    "node_modules",
    "__pycache__",
    "tmp",
    ".gradle",
];

/// The stages of a repair, in their order: nothing later can be judged before what stands earlier works.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Setup,
    Build,
    Infrastructure,
    Parts,
    Tests,
}

fn stage(cause: &Cause) -> Stage {
    use Kind::*;
    match cause.kind {
        CompileError | LinkError | MergeConflict => return Stage::Build,
        DependencyConflict | MissingCommand | MissingResource | VersionMismatch => return Stage::Setup,
        TestInfrastructure => return Stage::Infrastructure,
        _ => {}
    }
    match cause.phase {
        Phase::Setup => Stage::Setup,
        Phase::Build => Stage::Build,
        Phase::Test | Phase::Lint | Phase::Deploy | Phase::Dispatch | Phase::Unknown => match cause.kind {
            MissingModule | MockFailure | MissingFile | InvalidConfig => Stage::Parts,
            _ => Stage::Tests,
        },
    }
}

/// The pieces of repair work: one for each stage and task, what tasks share once, no more than there are workers; and
/// how many pieces wait for one.
pub(super) fn plan(report: &Report, votes: &[Vote], situation: &Situation) -> (Vec<Repair>, usize) {
    let mut pieces: Vec<(Stage, Option<String>, Vec<usize>)> = Vec::new();
    for (index, (cause, vote)) in report.causes.iter().zip(votes).enumerate() {
        if vote.settled || vote.action != Action::Repair {
            continue;
        }
        let mut owners = report.tasks.iter().filter(|task| task.causes.contains(&index));
        let task = match (owners.next(), owners.next()) {
            (Some(only), None) => Some(only.id.clone()),
            _ => None,
        };
        let stage = stage(cause);
        // A build is one for all tasks of a report.
        let task = if stage <= Stage::Build { None } else { task };
        match pieces.iter_mut().find(|(known, owner, _)| *known == stage && *owner == task) {
            Some((_, _, causes)) => causes.push(index),
            None => pieces.push((stage, task, vec![index])),
        }
    }
    // Within a stage the more urgent task comes first; what several share is as urgent as the most urgent of them.
    let urgency = |causes: &[usize]| {
        let owners = report.tasks.iter().filter(|task| task.causes.iter().any(|index| causes.contains(index)));
        owners.filter_map(|task| task.priority).min().unwrap_or(u8::MAX)
    };
    pieces.sort_by_key(|(stage, _, causes)| (*stage, urgency(causes), causes[0]));
    let slots = situation.free_slots.map_or(usize::MAX, |slots| slots.max(1) as usize);
    let before = |stage: Stage| pieces.iter().any(|(earlier, ..)| *earlier < stage);
    let repair = |(stage, task, causes): &(Stage, Option<String>, Vec<usize>)| Repair {
        task: task.clone(),
        phase: match stage {
            Stage::Setup => Phase::Setup,
            Stage::Build => Phase::Build,
            Stage::Infrastructure | Stage::Parts | Stage::Tests => Phase::Test,
        },
        causes: causes.clone(),
        brief: brief(report, *stage, task.as_deref(), causes, before(*stage)),
    };
    (pieces.iter().take(slots).map(repair).collect(), pieces.len().saturating_sub(slots))
}

/// What a worker needs to start.
fn brief(report: &Report, stage: Stage, task: Option<&str>, causes: &[usize], after: bool) -> String {
    let any = |is: fn(&Cause) -> bool| causes.iter().any(|index| is(&report.causes[*index]));
    let what = match stage {
        Stage::Setup => "Repair the set-up",
        Stage::Build => "Repair the build",
        Stage::Infrastructure => "Repair what runs the tests",
        Stage::Parts if any(|cause| cause.kind == Kind::MockFailure) => "Repair modules and test doubles",
        Stage::Parts => "Repair modules, files and configuration",
        Stage::Tests if any(|cause| cause.phase == Phase::Test || !cause.tests.is_empty()) => {
            "Repair the failing tests"
        }
        Stage::Tests => "Repair what fails",
    };
    // The first line stands alone where there is room for one only.
    let names: Vec<String> = causes.iter().map(|index| name(&report.causes[*index])).collect();
    let more = if names.len() > 4 { format!(" and {} more", names.len() - 4) } else { String::new() };
    let of = task.map_or_else(String::new, |task| format!(" of {task}"));
    let mut lines = vec![format!("{what}{of}: {}{more}.", names[..names.len().min(4)].join(", "))];
    if after {
        lines.push("What stands before this in the plan comes first: its failures can hide or cause these.".to_owned());
    }
    let of_plan: Vec<&Cause> = causes.iter().map(|index| &report.causes[*index]).collect();
    let files = files(&of_plan);
    let with = match (stage, files.as_slice()) {
        (Stage::Tests | Stage::Parts | Stage::Infrastructure, [_, ..]) => {
            format!("with the command of the job, on {} first", listed(&files, 5))
        }
        _ => "with the command of the job".to_owned(),
    };
    if of_plan.iter().all(|cause| report.is_claimed(cause)) {
        lines.push(format!(
            "Reproduce it first, {with}, and paste what it prints: this is what a message says, without the output of a \
             tool. If it does not show, say so and change nothing."
        ));
    } else {
        lines.push(format!("Reproduce it first, {with}."));
    }
    for cause in &of_plan {
        if let Some(folder) = generated(cause) {
            lines.push(format!(
                "Before anything is changed, remove {folder} and build once from clean: a build writes that folder, and \
                 the file that is missing stands below it. If it is there then, nothing needs a repair."
            ));
            break;
        }
    }
    for cause in &of_plan {
        let subject = cause.subject.as_ref().map_or_else(String::new, |subject| format!(" ({subject})"));
        let times = if cause.count > 1 { format!(", {} times", cause.count) } else { String::new() };
        lines.push(format!("- {}{subject}{times}: {}", cause.kind, cause.message));
        for evidence in cause.evidence.iter().take(3) {
            let place = evidence.file.as_ref().map_or_else(String::new, |file| match file.line {
                Some(line) => format!(", points at {}:{line}", file.path),
                None => format!(", points at {}", file.path),
            });
            lines.push(format!("  {}:{}{place}", evidence.source, evidence.line));
        }
        let more = cause.evidence.len().saturating_sub(3);
        if more > 0 {
            lines.push(format!("  and {more} more places"));
        }
        if !cause.tests.is_empty() {
            let more = cause.count.saturating_sub(cause.tests.len().min(5) as u64);
            let names: Vec<&str> = cause.tests.iter().take(5).map(String::as_str).collect();
            let tail = if more > 0 { format!(" and {more} more") } else { String::new() };
            lines.push(format!("  tests: {}{tail}", names.join("; ")));
        }
        if let Some(flip) = cause.flip.as_ref().filter(|flip| !flip.starts_with("rule ")) {
            lines.push(format!("  It is {}: {flip}.", cause.nature));
        }
    }
    let own: u64 = of_plan.iter().map(|cause| report.explains(cause)).sum();
    let failing = report.tests.filter(crate::report::Counts::any_failed);
    lines.push(match (stage, failing) {
        (Stage::Setup, _) => "Done when the installation ends with status 0 from a clean checkout.".to_owned(),
        (Stage::Build, _) => {
            "Done when the build ends with status 0 from a clean checkout; paste its last lines.".to_owned()
        }
        (_, Some(tests)) => {
            let own = if own > 0 { format!("the {own} failures above are gone") } else { "these pass".to_owned() };
            let now = reasons::failed(&tests);
            format!("Done when {own} and no others appear; paste the summary. Now {}", now.trim_end_matches('.')) + "."
        }
        _ => "Done when the same command ends with status 0; paste its summary.".to_owned(),
    });
    lines.join("\n")
}

/// The files of the project that causes point at, each once.
fn files(causes: &[&Cause]) -> Vec<String> {
    let mut files: Vec<String> = Vec::new();
    for file in causes.iter().flat_map(|cause| &cause.evidence).filter_map(|evidence| evidence.file.as_ref()) {
        if !files.contains(&file.path) {
            files.push(file.path.clone());
        }
    }
    files
}

fn listed(names: &[String], most: usize) -> String {
    let more = names.len().saturating_sub(most);
    let tail = if more > 0 { format!(" and {more} more files") } else { String::new() };
    names[..names.len().min(most)].join(", ") + &tail
}

/// What to compare when the output and a message do not agree.
pub(super) fn same_run(report: &Report, claim: &Claim) -> String {
    let shown = report.sources.iter().find(|source| !source.format.starts_with("message"));
    let shown = shown.map_or("the output", |source| source.name.as_str());
    format!(
        "Compare commit, directory and command of the run that {} speaks of with those of {shown}; where they are the same, \
         ask for the output that shows “{}”.",
        claim.at.source, claim.at.text
    )
}

/// A cause in a few words.
fn name(cause: &Cause) -> String {
    match &cause.subject {
        Some(subject) => format!("{} ({subject})", cause.kind),
        None => cause.kind.to_string(),
    }
}

/// The generated folder that a missing file stands below.
fn generated(cause: &Cause) -> Option<&'static str> {
    if cause.kind != Kind::MissingFile {
        return None;
    }
    let path = cause.subject.as_deref()?;
    let mut parts = path.split(['/', '\\']);
    parts.next_back()?;
    parts.find_map(|part| GENERATED.iter().copied().find(|folder| *folder == part))
}

/// What to look at before anything is done again.
pub(super) fn checks(report: &Report, votes: &[Vote], verdict: &Verdict) -> Vec<String> {
    let mut checks: Vec<String> = Vec::new();
    for (index, (cause, vote)) in report.causes.iter().zip(votes).enumerate() {
        if vote.settled || vote.action != Action::Verify {
            continue;
        }
        let told: Vec<&str> = cause.evidence.iter().map(|evidence| evidence.text.as_str()).collect();
        match cause.phase {
            Phase::Dispatch => {
                let mut keys: Vec<String> = report
                    .tasks
                    .iter()
                    .filter(|task| task.causes.contains(&index))
                    .filter_map(|task| task.session.as_ref().map(|key| format!("{key} ({})", task.id)))
                    .collect();
                if keys.is_empty() {
                    keys = told.iter().filter_map(|text| session_key(text)).map(str::to_owned).collect();
                    keys.dedup();
                }
                checks.push(if keys.is_empty() {
                    "Run sessions_list and look whether the worker was started; start it again only if it is absent.".to_owned()
                } else {
                    format!(
                        "Run sessions_list and look for {}; start again only those that are absent, one after the other.",
                        keys.join(" and ")
                    )
                });
            }
            Phase::Deploy => checks.push(format!(
                "Look whether it took effect: does the version, tag, release or row of “{}” exist? Repeat it only if not, \
                 with the same idempotency key where there is one.",
                cause.subject.as_deref().unwrap_or(&cause.message)
            )),
            _ if cause.kind == Kind::Cancelled => {
                checks.push("Look for a newer run of the same work, and who cancelled this one; its result counts.".to_owned());
            }
            _ => checks.push(format!(
                "Look whether “{}” took effect before it is done again.",
                cause.subject.as_deref().unwrap_or(&cause.message)
            )),
        }
    }
    if checks.is_empty() && verdict.action == Action::Verify {
        checks.push(
            "Compare the working tree with the one before the repair, and the directory that was checked.".to_owned(),
        );
    }
    checks
}

/// The key of an agent's session in a text: `agent:<id>:subagent:<uuid>`.
fn session_key(text: &str) -> Option<&str> {
    let start = text.find("agent:").filter(|start| text[*start..].matches(':').count() >= 3)?;
    let rest = &text[start..];
    let end =
        rest.find(|character: char| !(character.is_alphanumeric() || ":-_.".contains(character))).unwrap_or(rest.len());
    Some(rest[..end].trim_end_matches([':', '.', '-']))
}

/// Who is asked about a cause, and for what.
pub(super) fn escalation(report: &Report, cause: &Cause, situation: &Situation) -> Escalation {
    use Kind::*;
    let about = cause.subject.as_deref().unwrap_or(&cause.message);
    let (to, need) = match (cause.kind, cause.phase) {
        (PermissionDenied, Phase::Dispatch) => (
            "whoever runs the agents",
            format!("permission to start workers (for openclaw: the agents listed in subagents.allowAgents): {about}"),
        ),
        (PermissionDenied, _) => {
            ("the owner of the resource", format!("the right to use {about}, for the account of the job"))
        }
        (Authentication, _) => ("the owner of the credentials", format!("valid credentials for {about}")),
        (QuotaExceeded, _) => ("whoever pays for the service", format!("a higher limit or more credit for {about}")),
        (CertificateError, _) => {
            ("the owner of the machine or of the service", format!("a valid certificate for {about}"))
        }
        (VersionMismatch, _) => ("the owner of the machine", format!("the version that is asked for: {about}")),
        (OutOfMemory, _) => ("the owner of the machine", "a machine with more memory, or less done at once".to_owned()),
        (DiskFull, _) => ("the owner of the machine", format!("free space on the disk: {about}")),
        (ResourceExhausted, _) => {
            ("the owner of the machine", format!("a higher limit, or less done at once: {about}"))
        }
        (PortInUse, _) => ("the owner of the machine", format!("the port freed: {about}")),
        (Unclassified, _) => ("whoever runs the job", format!("a look at what no rule recognizes: {about}")),
        (Cancelled, _) => ("whoever cancelled it", "whether it should run again".to_owned()),
        _ if cause.nature == Nature::Environment => {
            ("the owner of the machine", format!("the machine repaired: {about}"))
        }
        _ if cause.nature == Nature::Access => ("the owner of the resource", format!("access to {about}")),
        _ => ("whoever runs the job", format!("a decision about {about}")),
    };
    let need = match situation.deadline_ms {
        Some(_) if situation.now_ms.is_some() => format!("{need}, before the deadline"),
        _ => need,
    };
    // Whom a message asks is asked; but nobody asks a coordinator what it has asked itself.
    let asked = report.asked.as_ref().filter(|asked| !asked.to_lowercase().contains("coordinator"));
    let to = match asked.filter(|_| report.is_claimed(cause)) {
        Some(asked) => format!("{asked} ({to})"),
        None => to.to_owned(),
    };
    Escalation { to, need }
}

/// Who is asked about trouble that was expected to pass and did not.
pub(super) fn exhausted(cause: &Cause, attempts: u32) -> Escalation {
    let about = cause.subject.as_deref().unwrap_or(&cause.message);
    let to = match cause.kind {
        Kind::RunnerFailure => "the owner of the runners",
        Kind::LockContention => "the holder of the lock",
        Kind::Cancelled => "whoever cancelled it",
        _ => "the owner of the service",
    };
    Escalation {
        to: to.to_owned(),
        need: format!("the lasting {} removed after {attempts} attempts: {about}", cause.kind),
    }
}
