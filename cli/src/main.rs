//! The command `whyred`: arguments in, rendering out. What is found and decided is the library's work.

mod args;
mod catalog;
mod compare;
mod inputs;
mod known;
mod output;
mod packed;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};
use whyred::{Analyzer, Baseline, Detail, Note, RuleSet, Text};

use crate::args::{Args, Command, Output};
use crate::inputs::Inputs;

/// The arguments are not valid, or a file that they name is not what it should be.
const USAGE: u8 = 2;

/// An input could not be read.
const UNREAD: u8 = 3;

/// A complaint, and the exit status that goes with it.
pub(crate) struct Failed {
    status: u8,
    message: String,
}

impl Failed {
    fn usage(message: impl Into<String>) -> Self {
        Failed { status: USAGE, message: message.into() }
    }

    fn unread(message: impl Into<String>) -> Self {
        Failed { status: UNREAD, message: message.into() }
    }
}

fn main() -> ExitCode {
    let args = Args::parse();
    match run(&args) {
        Ok(status) => ExitCode::from(status),
        Err(Failed { status, message }) => {
            output::complain(&message);
            ExitCode::from(status)
        }
    }
}

fn run(args: &Args) -> Result<u8, Failed> {
    match &args.command {
        Some(Command::Rules { action }) => catalog::rules(action, args),
        Some(Command::Explain { name }) => catalog::explain(name, args),
        Some(Command::Diff { before, after, format, exit_status }) => {
            compare::diff([before, after], *format, *exit_status, args)
        }
        Some(Command::Policy { action }) => compare::policy(action, args),
        Some(Command::Schema) => output::print(whyred::json_schema()).map(|()| 0),
        None => analyze(args),
    }
}

fn analyze(args: &Args) -> Result<u8, Failed> {
    if args.inputs.is_empty() && std::io::stdin().is_terminal() {
        let help = Args::command().render_help();
        return Err(Failed::usage(format!("no input: name a file or a folder, or pipe a log in\n\n{help}")));
    }
    let Inputs { sources, mut complaints, passed_over, .. } = Inputs::gather(args);
    if args.verbose {
        for name in passed_over {
            output::tell(&format!("{name}: passed over, neither a log nor a report"));
        }
    }
    let mut analyzer = Analyzer::new().rules(rules(args)?).keep_passed(args.keep_passed);
    if let Some(code) = args.exit_code {
        analyzer = analyzer.exit_code(code);
    }
    for path in &args.baseline {
        let name = path.display();
        let log = std::fs::File::open(path).map_err(|error| Failed::unread(format!("{name}: {error}")))?;
        let green = Baseline::read(log).map_err(|error| Failed::unread(format!("{name}: {error}")))?;
        analyzer = analyzer.baseline(green);
    }
    let progress = output::Progress::begin(sources.len());
    let mut report = analyzer.analyze(sources);
    progress.end();
    for complaint in &complaints {
        report.notes.push(Note::warning(None, complaint));
    }
    for source in &report.sources {
        complaints.extend(source.error.as_ref().map(|error| format!("{}: {error}", source.name)));
    }
    for complaint in &complaints {
        output::complain(complaint);
    }
    if report.sources.iter().all(|source| source.error.is_some() && source.bytes == 0) {
        return Ok(UNREAD);
    }
    let policy = compare::load(args.policy.as_deref())?;
    let situation = args.known.situation(args.task.as_deref())?;
    let decision = policy.decide(&report, &situation);
    args.known.remember(&situation, &report, &decision)?;
    let rendered = match args.format {
        Output::Text => {
            let detail = if args.verbose { Detail::Full } else { Detail::Short };
            let text = Text::new().color(output::colored(args.color)).width(output::width(args.width)).detail(detail);
            text.render(&report, &decision)
        }
        Output::Json => whyred::to_json(&report, &decision) + "\n",
        Output::Markdown => whyred::to_markdown(&report, &decision),
        Output::Github => whyred::to_github(&report, &decision),
        Output::Escalation => whyred::to_escalation(&report, &decision),
        Output::Board => whyred::to_board(&report, &decision),
    };
    output::print(&rendered)?;
    if !complaints.is_empty() {
        return Ok(UNREAD);
    }
    Ok(if args.exit_status { decision.action.exit_status() } else { 0 })
}

/// The built-in rules, and those of the files given.
fn rules(args: &Args) -> Result<RuleSet, Failed> {
    if args.rules.is_empty() {
        return Ok(RuleSet::built_in());
    }
    let mut files = Vec::new();
    for path in &args.rules {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| Failed::usage(format!("{name}: {error}")))?;
        files.push((name, text));
    }
    let files = files.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    RuleSet::with_files(files).map_err(|error| Failed::usage(error.to_string()))
}
