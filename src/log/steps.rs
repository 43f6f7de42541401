//! The steps of a job: where each begins, and which of them count.
//!
//! Every CI system says these things in words of its own. What they echo before a command runs (its script, its
//! settings) is taken here, so that nothing in it is mistaken for what the command printed.

use super::command::{echoed, is_idle, is_tolerated, phase, phase_of_action};
use super::marks::read_mark;
use super::{Grip, Line, Reader};
use crate::item::{Item, Scope, Step};
use crate::kind::Phase;
use crate::report::Span;

pub(super) const NEEDLES: &[&str] = &[
    // GitHub Actions and Azure.
    "##[group]",
    "##[endgroup]",
    "##[section]",
    "##[error]",
    "##[warning]",
    "##[notice]",
    "##[debug]",
    "##[command]",
    "[command]/",
    "Process completed with exit code",
    "exited with code",
    "failed with exit code",
    "Post job cleanup",
    "Cleaning up orphan processes",
    "Script contents:",
    // GitLab.
    "section_start:",
    "section_end:",
    "Job failed",
    "Job succeeded",
    "\x1b[32;1m$ ",
    // Jenkins.
    "[Pipeline] ",
    "Finished: ",
    "marked build as failure",
    "changed build result to",
    "Recording test results",
    "Archiving artifacts",
    // Buildkite.
    "\x07~~~ ",
    "\x07--- ",
    "\x07+++ ",
    "\x07^^^ +++",
    "\x1b[90m$\x1b[0m ",
    "The command exited with status",
    "user command error: ",
    // Travis.
    "travis_fold:",
    "travis_time:",
    "\" exited with ",
    "failed and exited with ",
    " failed. Retrying, ",
    " failed. Reason: ",
    "Command completed after ",
    "Your build exited with ",
    "Your build has been stopped",
    "Done: Job Cancelled",
    "The build has been terminated",
    "exceeded the maximum time limit",
    "No output has been received in the last",
    // CircleCI, AWS CodeBuild, Google Cloud Build.
    "Exited with code exit status ",
    "#!/bin/bash -eo pipefail",
    "#!/bin/sh -eo pipefail",
    "#!/bin/bash -exo pipefail",
    "CircleCI received exit code",
    "Too long with no output ",
    "Build timed out (after ",
    "Entering phase ",
    "Phase complete: ",
    "Running command ",
    "Command did not execute successfully",
    "ERROR: build step ",
    // Docker.
    "] RUN ",
    r" DONE \d",
    " : RUN ",
    // Scripts of npm and its kin, by the programs that they usually begin with.
    "yarn run v",
    "> next ",
    "> jest ",
    "> vitest",
    "> vite ",
    "> tsc -",
    "> eslint",
    "> prettier",
    "> mocha",
    "> node ",
    "> turbo ",
    "> webpack",
    "> rollup",
    "> playwright",
    "> react-scripts ",
    "> npm run ",
    "> yarn ",
    "> pnpm ",
    "> nx run",
    // Echoed commands without colors.
    "$ npm ci",
    "$ npm run ",
    "$ npm test",
    "$ npm install",
    "$ yarn ",
    "$ pnpm ",
    "$ make ",
    "$ cargo ",
    "$ go test",
    "$ go build",
    "$ python",
    "$ pytest",
    "$ bundle ",
    "$ docker ",
    "$ mvn ",
    "$ ./mvnw",
    "$ ./gradlew",
    "$ gradle ",
    "$ pip install",
    "$ composer ",
    "$ dotnet ",
    "$ cmake ",
    "$ terraform",
    "$ kubectl ",
    "$ helm upgrade",
    "$ helm install",
    "$ flyctl ",
    "$ vercel ",
    "$ netlify ",
    "$ ansible",
    "$ serverless ",
    "$ gcloud ",
    "$ firebase ",
    "$ pulumi ",
    "$ cdk deploy",
    "$ wrangler ",
    "$ semantic-release",
    "$ lerna ",
    "$ twine ",
    "$ npm publish",
    "$ git push",
    "$ poetry ",
    "$ bazel ",
    "$ rake ",
    "$ swift ",
    "$ flutter ",
    "$ fastlane ",
    "$ pre-commit",
    "$ goreleaser",
    // Traced scripts.
    "+ npm ci",
    "+ npm run",
    "+ npm test",
    "+ npm install",
    "+ yarn ",
    "+ mvn -",
    "+ make ",
    "+ cargo ",
    "+ go test",
    "+ go build",
    "+ docker ",
    "+ pytest",
    "+ python",
    "+ bundle ",
    "+ ./gradlew",
    "+ gradle",
    "+ terraform",
    "+ kubectl ",
    "+ helm upgrade",
    "+ helm install",
    "+ flyctl ",
    "+ vercel ",
    "+ netlify ",
    "+ ansible",
    "+ serverless ",
    "+ gcloud ",
    "+ firebase ",
    "+ pulumi ",
    "+ cdk deploy",
    "+ wrangler ",
    "+ semantic-release",
    "+ lerna ",
    "+ twine ",
    "+ npm publish",
    "+ git push",
    "+ poetry ",
    "+ bazel ",
    "+ rake ",
    "+ swift ",
    "+ flutter ",
    "+ fastlane ",
    "+ pre-commit",
    "+ goreleaser",
    "+ true",
];

/// How Jenkins names a step that runs beside others.
pub(super) const BRANCH: &str = "Branch: ";

/// How many lines of an echoed script are passed over at most.
const MAX_HEADER: usize = 5000;

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Steps::default())
}

#[derive(Default)]
struct Steps {
    echo: Echo,
    /// Lines of the echo so far.
    echoed: usize,
    /// The step whose script is being echoed.
    pending: Option<Pending>,
    /// Within sections of GitLab.
    gitlab: bool,
    /// A command of the same section ran before, and each must succeed for the next to start.
    chained: bool,
    /// Within a fold of Travis that comes after the work.
    post_fold: bool,
    /// The number of the step of an image that began last.
    of_image: Option<u32>,
}

/// Whether a line of the CI system ends what a tool printed, so that it counts even within a tool's block.
pub(super) fn is_boundary(text: &str) -> bool {
    const ENDS: &[&str] = &[
        "Process completed with exit code ",
        "The process '",
        "The operation was cancel",
        "The job running on runner ",
        "The runner has received a shutdown signal",
        "The action '",
        "Post job cleanup",
        "Cleaning up orphan processes",
        "Exited with code exit status ",
        "ERROR: Job failed",
        "Job succeeded",
        "Finished: ",
        "The command \"",
        "Done. Your build exited with ",
        "Done: Job Cancelled",
        "Your build has been stopped",
        "The build has been terminated",
        "The job exceeded the maximum time limit",
        "No output has been received in the last",
        "Phase complete: ",
        "Command did not execute successfully",
        // Jenkins.
        "Build step '",
        "Build timed out (after ",
        "Build was aborted",
        "Aborted by ",
        "Cancelling nested steps due to timeout",
        "Sending interrupt signal to process",
        "script returned exit code ",
        // CircleCI, Buildkite.
        "Too long with no output (exceeded ",
        "# Received cancellation signal, interrupting",
        "##[section]Finishing: ",
    ];
    begins_step(text) || begins_with_one_of(text, ENDS, const { firsts(ENDS) })
}

/// Whether a text begins with one of some words, whose first letters are `firsts`. Every line that a reader holds is
/// asked about.
fn begins_with_one_of(text: &str, words: &[&str], firsts: u128) -> bool {
    let first = text.as_bytes().first().filter(|first| first.is_ascii());
    first.is_some_and(|first| firsts & 1 << first != 0) && words.iter().any(|word| text.starts_with(word))
}

/// The first letters of words, a bit for each.
const fn firsts(words: &[&str]) -> u128 {
    let mut letters = 0;
    let mut index = 0;
    while index < words.len() {
        letters |= 1 << words[index].as_bytes()[0];
        index += 1;
    }
    letters
}

/// Whether a line of the CI system tells that the step or the job is over, and with it whatever ran in it.
pub(super) fn is_over(text: &str) -> bool {
    is_boundary(text)
        && !begins_step(text)
        && read_mark(text, Span::default()).is_some_and(|(mark, _)| mark.scope != Scope::Attempt)
}

/// Whether a line of the CI system begins a step.
pub(super) fn begins_step(text: &str) -> bool {
    const BEGINS: &[&str] = &[
        "##[group]Run ",
        "##[section]Starting: ",
        "section_start:",
        "[Pipeline] ",
        "travis_fold:start:",
        "~~~ ",
        "Entering phase ",
    ];
    begins_with_one_of(text, BEGINS, const { firsts(BEGINS) })
}

/// What is being echoed.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Echo {
    #[default]
    Nothing,
    /// The header of a step of GitHub Actions: its script, its shell, its environment.
    Group,
    /// The script of a step of Azure.
    Script,
    /// The line behind Travis' `travis_time:start`.
    Command,
    /// The line behind the shell that CircleCI names at the beginning of each step.
    Shell,
    /// The line behind the banner of Yarn, which echoes the script that it runs.
    Yarn,
}

/// A step that is told when its header ends.
struct Pending {
    name: String,
    span: Span,
    phase: Option<Phase>,
    /// Two lines of its script disagree on the phase.
    mixed: bool,
    lines: usize,
    tolerated: bool,
    work: bool,
    /// The lines are the settings of the step and not its script any more.
    settings: bool,
    command: bool,
}

impl Pending {
    fn new(name: &str, span: Span, command: bool) -> Self {
        let phase = phase_of_action(name);
        let name = name.to_owned();
        let (lines, mixed, tolerated, work, settings) = (0, false, false, false, false);
        Pending { name, span, phase, mixed, lines, tolerated, work, settings, command }
    }

    /// Takes in a line of the script.
    fn script(&mut self, text: &str) {
        self.lines += 1;
        self.tolerated = self.lines == 1 && is_tolerated(text);
        self.work |= !is_idle(text);
        match (phase(text), self.phase) {
            (Some(new), Some(known)) if new != known => self.mixed = true,
            (Some(new), _) => self.phase = Some(new),
            (None, _) => {}
        }
    }

    fn into_step(self) -> Step {
        let Pending { name, span, phase, mixed, tolerated, work, command, .. } = self;
        let phase = phase.filter(|_| !mixed);
        Step { name, span, command, tolerated, work, phase, marked: !command, ..Step::default() }
    }
}

fn step(name: &str, span: Span) -> Step {
    Step { name: name.to_owned(), span, ..Step::default() }
}

/// The step that an echoed command begins.
pub(super) fn command_step(command: &str, span: Span) -> Step {
    let name = command.to_owned();
    Step { name, span, command: true, tolerated: is_tolerated(command), phase: phase(command), ..Step::default() }
}

/// The step that a command of the job's own script begins.
pub(super) fn script_step(command: &str, span: Span) -> Step {
    Step { work: !is_idle(command), ..command_step(command, span) }
}

impl Steps {
    fn tell(&mut self, out: &mut dyn FnMut(Item)) {
        if let Some(pending) = self.pending.take() {
            out(Item::Step(pending.into_step()));
        }
        self.echo = Echo::Nothing;
        self.echoed = 0;
    }

    /// A line of what is being echoed.
    fn echo(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        self.echoed += 1;
        let over = self.echoed > MAX_HEADER;
        match self.echo {
            Echo::Group if text.starts_with("##[endgroup]") => {
                self.tell(out);
                return Grip::Take;
            }
            Echo::Group if text.starts_with("##[group]") || over => self.tell(out),
            Echo::Group => {
                if let Some(pending) = &mut self.pending {
                    pending.settings |= ["shell: ", "with:", "env:"].iter().any(|word| text.starts_with(word));
                    if !pending.settings {
                        pending.script(text);
                    }
                }
                return Grip::Hold;
            }
            Echo::Script if text.starts_with("=====") && text.contains("Command Output") => {
                self.tell(out);
                return Grip::Take;
            }
            Echo::Script if text.starts_with("##[") || over => self.tell(out),
            Echo::Script => {
                if let Some(pending) = &mut self.pending {
                    pending.script(text);
                }
                return Grip::Hold;
            }
            Echo::Command => {
                self.echo = Echo::Nothing;
                self.echoed = 0;
                if let Some(command) = text.strip_prefix("$ ") {
                    let post = self.post_fold;
                    out(Item::Step(Step { command: false, post, ..script_step(command, line.span) }));
                    return Grip::Take;
                }
            }
            Echo::Shell => {
                self.echo = Echo::Nothing;
                self.echoed = 0;
                out(Item::Step(Step { command: false, ..script_step(text.trim(), line.span) }));
                return Grip::Take;
            }
            Echo::Yarn => {
                self.echo = Echo::Nothing;
                self.echoed = 0;
                if !text.starts_with("$ ") {
                    out(Item::Step(Step { command: true, ..step("yarn run", line.span) }));
                }
            }
            Echo::Nothing => {}
        }
        self.fresh(line, out)
    }

    fn fresh(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        let span = line.span;
        match text.as_bytes().first() {
            Some(b'#' | b'[') => {
                if text.starts_with("##[") || text.starts_with("[command]") {
                    return self.github(text, span, out);
                }
                if let Some(rest) = text.strip_prefix("[Pipeline] ") {
                    return jenkins_pipeline(rest, span, out);
                }
            }
            Some(b's') => {
                if let Some(rest) = text.strip_prefix("section_") {
                    return self.gitlab_section(rest, span, out);
                }
            }
            Some(b't') => {
                if let Some(rest) = text.strip_prefix("travis_") {
                    return self.travis(rest, span, out);
                }
            }
            Some(b'^' | b'~' | b'-' | b'+') => {
                if let Some(grip) = buildkite(text, span, out) {
                    return grip;
                }
            }
            _ => {}
        }
        if let Some((mark, searched)) = read_mark(text, span) {
            out(Item::Mark(mark));
            return if searched { Grip::Pass } else { Grip::Take };
        }
        if text == "Script contents:" {
            self.pending = Some(Pending::new("script", span, true));
            self.echo = Echo::Script;
            return Grip::Hold;
        }
        if let Some(post) = after_the_work(text) {
            out(Item::Step(Step { post: true, marked: true, ..step(post, span) }));
            return Grip::Take;
        }
        if let Some((number, rest)) = of_image(text) {
            if rest.starts_with("DONE ") {
                // Steps run side by side; only of the last is it known that what came since is its own.
                if self.of_image.take() == Some(number) {
                    out(Item::Step(Step { command: true, clears: true, ..step("done", span) }));
                }
                return Grip::Take;
            }
            if rest.starts_with('[') && rest.contains("] RUN ") {
                self.of_image = Some(number);
            }
        }
        if ["#!/bin/bash -eo pipefail", "#!/bin/sh -eo pipefail", "#!/bin/bash -exo pipefail"].contains(&text) {
            self.echo = Echo::Shell;
            return Grip::Hold;
        }
        if text.starts_with("yarn run v") {
            self.echo = Echo::Yarn;
            return Grip::Hold;
        }
        if let Some(found) = banner(text, span) {
            out(Item::Step(found));
            return Grip::Take;
        }
        if let Some(command) = echoed(text) {
            let mut found = script_step(command, span);
            // `sh -e` goes on only after success.
            found.clears = self.gitlab && self.chained;
            self.chained = self.gitlab && !command.starts_with("set +e");
            if matches!(command, "true" | ":") {
                found.clears = text.starts_with('+');
            }
            out(Item::Step(found));
            return Grip::Take;
        }
        Grip::Pass
    }

    fn github(&mut self, text: &str, span: Span, out: &mut dyn FnMut(Item)) -> Grip {
        if let Some(name) = text.strip_prefix("##[group]Run ") {
            self.pending = Some(Pending::new(name, span, false));
            self.echo = Echo::Group;
            return Grip::Hold;
        }
        if let Some(name) = text.strip_prefix("##[section]Starting: ") {
            let post = name.starts_with("Finalize") || name.starts_with("Post-job");
            let setup = name.starts_with("Initialize") || name.starts_with("Checkout");
            let phase = if setup { Some(Phase::Setup) } else { None };
            out(Item::Step(Step { post, phase, marked: true, ..step(name, span) }));
            return Grip::Take;
        }
        let command = text.strip_prefix("##[command]").or_else(|| text.strip_prefix("[command]"));
        if let Some(command) = command {
            out(Item::Step(command_step(command, span)));
        }
        // Warnings, notices, ends of groups: none of them fails a job.
        Grip::Take
    }

    fn gitlab_section(&mut self, rest: &str, span: Span, out: &mut dyn FnMut(Item)) -> Grip {
        if rest.starts_with("end:") {
            return Grip::Take;
        }
        let Some(name) = rest.strip_prefix("start:").and_then(|rest| rest.split_once(':')).map(|(_, name)| name) else {
            return Grip::Pass;
        };
        let name = name.split('[').next().unwrap_or(name);
        let post = ["cleanup", "after_script", "upload_artifacts", "archive_cache"];
        let setup = ["prepare", "get_sources", "restore_cache", "download_artifacts", "resolve_secrets"];
        let is = |list: &[&str]| list.iter().any(|word| name.starts_with(word));
        let own = is(&post) || is(&setup) || name == "step_script" || name == "build_script";
        self.gitlab = true;
        if own {
            self.chained = false;
        }
        // The script may open sections of its own.
        let phase = if is(&setup) { Some(Phase::Setup) } else { None };
        out(Item::Step(Step { post: is(&post), command: !own, phase, ..step(name, span) }));
        Grip::Take
    }

    fn travis(&mut self, rest: &str, span: Span, out: &mut dyn FnMut(Item)) -> Grip {
        if let Some(name) = rest.strip_prefix("fold:start:") {
            self.post_fold = name.starts_with("after_") || name.starts_with("cache.");
            let setup = ["git", "install", "before_install", "system_info", "worker_info", "services", "apt"];
            let phase = if setup.iter().any(|word| name.starts_with(word)) { Some(Phase::Setup) } else { None };
            let phase = phase.or(name.starts_with("dpl").then_some(Phase::Deploy));
            out(Item::Step(Step { post: self.post_fold, phase, ..step(name, span) }));
        } else if rest.starts_with("fold:end:") {
            self.post_fold = false;
        } else if rest.starts_with("time:start:") {
            self.echo = Echo::Command;
            return Grip::Hold;
        }
        Grip::Take
    }
}

impl Reader for Steps {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        if self.echo == Echo::Nothing { self.fresh(line, out) } else { self.echo(line, out) }
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.tell(out);
    }
}

fn jenkins_pipeline(rest: &str, span: Span, out: &mut dyn FnMut(Item)) -> Grip {
    if let Some(name) = rest.strip_prefix("{ (") {
        let name = name.trim_end_matches(')');
        let post = name.starts_with("Declarative: Post");
        let phase = if name.starts_with("Declarative: Checkout") { Some(Phase::Setup) } else { phase(name) };
        out(Item::Step(Step { post, phase, ..step(name, span) }));
    } else if ["sh", "bat", "powershell", "pwsh"].contains(&rest) {
        out(Item::Step(Step { command: true, ..step(rest, span) }));
    }
    Grip::Take
}

/// The headings of Buildkite. The agent's own come with `~~~`, those of the script with dashes or plus signs.
fn buildkite(text: &str, span: Span, out: &mut dyn FnMut(Item)) -> Option<Grip> {
    if text == "^^^ +++" {
        return Some(Grip::Take);
    }
    if let Some(name) = text.strip_prefix("~~~ ") {
        let post = name.contains("pre-exit") || name.contains("post-") || name.starts_with("Uploading");
        let phase = if name.starts_with("Preparing") { Some(Phase::Setup) } else { None };
        out(Item::Step(Step { post, phase, ..step(name, span) }));
        return Some(Grip::Take);
    }
    let name = text.strip_prefix("--- ").or_else(|| text.strip_prefix("+++ "))?;
    // Both begin the names of files in a diff, and dashes the blocks of a test runner.
    let heading = name.starts_with(':') || name.starts_with(|first: char| !first.is_ascii());
    if !heading {
        return None;
    }
    out(Item::Step(Step { command: true, phase: phase(name), ..step(name, span) }));
    Some(Grip::Take)
}

/// What comes after the work, by the line that begins it.
fn after_the_work(text: &str) -> Option<&'static str> {
    ["Post job cleanup", "Cleaning up orphan processes", "Recording test results", "Archiving artifacts"]
        .into_iter()
        .find(|name| text.starts_with(*name))
}

/// The number of a step of BuildKit, and what is said of it.
fn of_image(text: &str) -> Option<(u32, &str)> {
    let (number, rest) = text.strip_prefix('#')?.split_once(' ')?;
    Some((number.parse().ok()?, rest))
}

/// The banner of a script runner or of a step of an image's build.
fn banner(text: &str, span: Span) -> Option<Step> {
    if let Some(command) = text.strip_prefix("> ") {
        let program = command.starts_with(|first: char| first.is_ascii_lowercase());
        return program.then(|| command_step(command, span));
    }
    // BuildKit: `#12 [build 4/6] RUN npm ci`.
    if let Some(rest) = text.strip_prefix('#') {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (_, command) = rest[digits..].strip_prefix(" [")?.split_once("] RUN ")?;
        return Some(command_step(command, span));
    }
    // The classic builder: `Step 4/9 : RUN npm ci`.
    if let Some(rest) = text.strip_prefix("Step ") {
        let (place, command) = rest.split_once(" : RUN ")?;
        let numbered = place.bytes().all(|byte| byte.is_ascii_digit() || byte == b'/');
        return numbered.then(|| Step { clears: true, ..command_step(command, span) });
    }
    // AWS CodeBuild.
    if let Some(command) = text.strip_prefix("Running command ") {
        return Some(command_step(command, span));
    }
    if let Some(name) = text.strip_prefix("Entering phase ") {
        let post = name.starts_with("UPLOAD") || name.starts_with("FINALIZING");
        let phase =
            if matches!(name, "INSTALL" | "DOWNLOAD_SOURCE" | "PROVISIONING") { Some(Phase::Setup) } else { None };
        return Some(Step { post, phase, ..step(name, span) });
    }
    None
}
