//! The steps of a job: where each begins, and how it ended.

use super::{Grip, Line, Reader};
use crate::item::{Item, Mark, Scope, Step};
use crate::report::Outcome;

pub(super) const NEEDLES: &[&str] = &[
    "##[group]",
    "##[section]",
    "##[endgroup]",
    "Process completed with exit code",
    "exited with code",
    "section_start:",
    "Job failed",
    "Job succeeded",
    "[Pipeline] ",
    "Finished: ",
    "Post job cleanup",
    "The command exited with status",
];

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Steps::default())
}

#[derive(Default)]
struct Steps {
    /// Within the header of a step of GitHub Actions, which echoes the script and its settings.
    header: bool,
}

impl Reader for Steps {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        if self.header {
            self.header = !text.starts_with("##[endgroup]");
            return if self.header { Grip::Hold } else { Grip::Take };
        }
        let mut step = |name: &str, post: bool| {
            out(Item::Step(Step { name: name.to_owned(), span: line.span, command: false, post }));
            Grip::Take
        };
        if let Some(name) = text.strip_prefix("##[group]Run ") {
            step(name, false);
            self.header = true;
            return Grip::Hold;
        }
        if let Some(name) = text.strip_prefix("##[section]Starting: ") {
            return step(name, name.starts_with("Finalize"));
        }
        if let Some(rest) = text.strip_prefix("section_start:") {
            let name = rest.split_once(':').map_or(rest, |(_, name)| name);
            let post = ["cleanup", "after_script", "upload_artifacts"].iter().any(|word| name.starts_with(word));
            return step(name, post);
        }
        if text.starts_with("Post job cleanup") {
            return step("Post job cleanup", true);
        }
        let mut mark = |scope: Scope, outcome: Outcome, status: Option<i32>| {
            out(Item::Mark(Mark { scope, outcome, status, text: text.to_owned(), span: line.span }));
            Grip::Take
        };
        if let Some(rest) = text.strip_prefix("Process completed with exit code ") {
            return mark(Scope::Step, Outcome::Failed, rest.trim_end_matches('.').parse().ok());
        }
        if text.contains(" exited with code '") || text.contains("The command exited with status ") {
            return mark(Scope::Step, Outcome::Failed, None);
        }
        if text.contains("ERROR: Job failed") || text.starts_with("Finished: FAILURE") {
            return mark(Scope::Job, Outcome::Failed, None);
        }
        if text.starts_with("Job succeeded") || text.starts_with("Finished: SUCCESS") {
            return mark(Scope::Job, Outcome::Passed, Some(0));
        }
        Grip::Pass
    }

    fn end(&mut self, _out: &mut dyn FnMut(Item)) {}
}
