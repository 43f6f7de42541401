//! What can be written on the command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use whyred::Format;

use crate::known::Known;

const EXAMPLES: &str = "\
Examples:
  whyred build.log                     Why did this build fail, and what now?
  whyred target/reports ci.log         A folder of test reports and a log: one report
  whyred logs.zip build.log.gz         Logs as CI systems pack them
  npm test 2>&1 | tee out.log | whyred Read from a pipe
  whyred --exit-code $? out.log        Say how the command ended: a green log may lie
  whyred --baseline green.log out.log  What the green run did not say
  whyred --format json out.log         For programs; `whyred schema` describes it
  whyred --exit-status out.log         For scripts: the exit status is the action
  whyred --format escalation out.log   A report for the person who must act
  whyred diff before.json after.log    What did the repair change?
  whyred explain missing_module        What a kind means, and its rules

Exit status:
  0  analyzed, whatever was found
  2  the arguments are not valid
  3  an input could not be read (what could be read is reported)
  with --exit-status: accept 0, repair 1, retry 75, verify 76, escalate 77

A file with the name of a subcommand is written with its folder: ./rules";

/// Tells why a build is red and what to do now.
///
/// Reads logs of builds and CI jobs, test reports (JUnit XML, Jest, Vitest and others) and the messages of validators
/// and agents. What each input is, is found from its content. All inputs make one report: the causes, the decisive
/// one first, with the lines that prove them, and what to do.
#[derive(Parser)]
#[command(name = "whyred", version, after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
#[command(override_usage = "whyred [OPTIONS] [FILE|DIR|-]...\n       whyred <COMMAND>")]
pub(crate) struct Args {
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Files, folders and zip archives (reports and logs in them are found by their content), or - for standard input;
    /// gzip, Zstandard and xz are read through
    #[arg(value_name = "FILE|DIR|-")]
    pub inputs: Vec<PathBuf>,

    /// How to print the report
    #[arg(long, value_enum, default_value_t = Output::Text, value_name = "FORMAT")]
    pub format: Output,

    /// The exit status of the command that wrote the inputs
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub exit_code: Option<i32>,

    /// The log of a green run of the same job: what it printed too is no cause; may be given several times
    #[arg(long, value_name = "FILE")]
    pub baseline: Vec<PathBuf>,

    /// What the inputs are, instead of finding out
    #[arg(long, value_name = "FORMAT", value_parser = input_formats())]
    pub input_format: Option<Format>,

    /// List the cases that passed too: with --format json under `passed`, in text with -v
    #[arg(long)]
    pub keep_passed: bool,

    /// The task that the inputs belong to
    #[arg(long, value_name = "ID")]
    pub task: Option<String>,

    /// Rules of your own, beside the built-in ones; may be given several times
    #[arg(long, value_name = "FILE", global = true)]
    pub rules: Vec<PathBuf>,

    /// How to decide, instead of the default; `whyred policy show` prints it
    #[arg(long, value_name = "FILE", global = true)]
    pub policy: Option<PathBuf>,

    /// Let the exit status tell the action
    #[arg(long)]
    pub exit_status: bool,

    /// When to use colors; NO_COLOR is respected
    #[arg(long, value_enum, default_value_t = When::Auto, value_name = "WHEN", global = true)]
    pub color: When,

    /// How many columns to use [default: those of the terminal, else 100]
    #[arg(long, value_name = "COLUMNS")]
    pub width: Option<usize>,

    /// Show all places, tests, rules, inputs and notes, and what was passed over in folders
    #[arg(short, long)]
    pub verbose: bool,

    #[command(flatten)]
    pub known: Known,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List the rules, or check rule files against their own examples
    Rules {
        #[command(subcommand)]
        action: RulesAction,
    },
    /// Explain a kind of failure, or a rule
    Explain {
        /// A kind such as missing_module, or a rule such as node/module-not-found
        #[arg(value_name = "KIND|RULE")]
        name: String,
    },
    /// Tell what a repair changed: what is fixed, new, moved and persists
    ///
    /// With --exit-status: progress, or all green now 0, no change 1, regression 4.
    Diff {
        /// The run before: its output, a folder of it, or what --format json printed of it
        before: PathBuf,
        /// The run after, likewise
        after: PathBuf,
        /// How to print it
        #[arg(long, value_enum, default_value_t = DiffOutput::Text, value_name = "FORMAT")]
        format: DiffOutput,
        /// Let the exit status tell the verdict
        #[arg(long)]
        exit_status: bool,
    },
    /// Print the policy in force, or check a policy file
    Policy {
        #[command(subcommand)]
        action: PolicyAction,
    },
    /// Print the JSON Schema of the JSON output
    Schema,
}

#[derive(Subcommand)]
pub(crate) enum RulesAction {
    /// Prove that each rule finds its hits and passes over its misses
    Check {
        /// Rule files of your own; without any, the built-in rules are checked
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// List all rules: id, kind, rank
    List,
    /// List which cause explains which later trouble, and why
    Edges,
}

#[derive(Subcommand)]
pub(crate) enum PolicyAction {
    /// Print the policy in force, as a file to start from
    Show,
    /// Say whether a policy file is valid
    Check {
        /// The policy file
        file: PathBuf,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum Output {
    /// For people
    Text,
    /// For programs: one object on one line
    Json,
    /// For step summaries and comments
    Markdown,
    /// Annotations, as commands of GitHub's workflows
    Github,
    /// For the person who is asked: what it takes, the tasks, the proof and the plan, in Markdown
    Escalation,
    /// For a job board: task, status, causes, attempts and what comes next, in Markdown
    Board,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum DiffOutput {
    /// For people
    Text,
    /// For programs: one object on one line
    Json,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum When {
    Auto,
    Always,
    Never,
}

/// The names of the formats, each parsed by the library.
fn input_formats() -> impl clap::builder::TypedValueParser<Value = Format> {
    use clap::builder::TypedValueParser as _;
    clap::builder::PossibleValuesParser::new(Format::ALL.iter().map(|format| format.as_str()))
        .try_map(|name| name.parse::<Format>())
}
