//! What changed between two runs, and the policy that decides.

use std::path::Path;

use whyred::{Analyzer, Policy, Source};

use crate::args::{Args, PolicyAction};
use crate::{Failed, output};

/// `whyred diff BEFORE AFTER`.
pub(crate) fn diff(before: &Path, after: &Path, args: &Args) -> Result<u8, Failed> {
    let analyzer = Analyzer::new().rules(crate::rules(args)?);
    let [before, after] = [before, after].map(|path| analyzer.analyze([Source::file(path)]));
    for source in before.sources.iter().chain(&after.sources) {
        if let Some(error) = &source.error {
            return Err(Failed::unread(format!("{}: {error}", source.name)));
        }
    }
    output::print(&whyred::diff_to_text(&before, &after, &whyred::diff(&before, &after))).map(|()| 0)
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
