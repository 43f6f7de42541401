//! What changed between two runs, and the policy that decides.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use whyred::{Analyzer, Policy, Report};

use crate::args::{Args, DiffOutput, PolicyAction};
use crate::inputs::Inputs;
use crate::{Failed, output};

/// `whyred diff BEFORE AFTER`.
pub(crate) fn diff(sides: [&PathBuf; 2], format: DiffOutput, exit_status: bool, args: &Args) -> Result<u8, Failed> {
    let [before, after] = [run(sides[0], args)?, run(sides[1], args)?];
    let diff = whyred::diff(&before, &after);
    let rendered = match format {
        DiffOutput::Text => whyred::diff_to_text(&before, &after, &diff),
        DiffOutput::Json => whyred::diff_to_json(&before, &after, &diff) + "\n",
    };
    output::print(&rendered)?;
    let green = after.outcome.as_str() == "passed";
    Ok(if exit_status && !green { diff.verdict.exit_status() } else { 0 })
}

/// The report on one run: stored, or made from its output.
fn run(path: &Path, args: &Args) -> Result<Report, Failed> {
    let name = path.display();
    let unread = |error: std::io::Error| Failed::unread(format!("{name}: {error}"));
    if path.is_file() {
        let mut head = [0; 256];
        let length = File::open(path).and_then(|mut file| file.read(&mut head)).map_err(unread)?;
        let head = String::from_utf8_lossy(&head[..length]);
        let stored =
            head.trim_start().strip_prefix('{').is_some_and(|rest| rest.trim_start().starts_with("\"schema\""));
        if stored {
            let text = std::fs::read_to_string(path).map_err(unread)?;
            let stored = whyred::from_json(&text).map_err(|error| Failed::unread(format!("{name}: {error}")))?;
            return Ok(stored.0);
        }
    }
    let Inputs { sources, complaints, .. } = Inputs::of(path, args);
    if let Some(complaint) = complaints.into_iter().next() {
        return Err(Failed::unread(complaint));
    }
    let report = Analyzer::new().rules(crate::rules(args)?).analyze(sources);
    let failed = report.sources.iter().find_map(|source| source.error.as_ref().map(|error| (&source.name, error)));
    match failed {
        Some((name, error)) => Err(Failed::unread(format!("{name}: {error}"))),
        None => Ok(report),
    }
}

/// `whyred policy …`.
pub(crate) fn policy(action: &PolicyAction, args: &Args) -> Result<u8, Failed> {
    match action {
        PolicyAction::Show => output::print(&load(args.policy.as_deref())?.to_toml()).map(|()| 0),
        PolicyAction::Check { file } => {
            load(Some(file))?;
            output::print(&format!("{}: holds\n", file.display())).map(|()| 0)
        }
    }
}

/// The policy of a file, or the default.
pub(crate) fn load(path: Option<&Path>) -> Result<Policy, Failed> {
    let Some(path) = path else { return Ok(Policy::default()) };
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|error| Failed::usage(format!("{name}: {error}")))?;
    Policy::from_toml(&name, &text).map_err(|error| Failed::usage(error.to_string()))
}
