//! What the caller knows beside the inputs: attempts, authority, capacity, time, and what was decided before.

use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Args, ValueEnum};
use whyred::{Decision, FileHistory, History as _, Report, Situation};

use crate::Failed;

/// The options that tell it.
#[derive(Args)]
#[command(next_help_heading = "What you know")]
pub(crate) struct Known {
    /// Which attempt this was: retries are limited [default: 1, or as the history tells]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    attempt: Option<u32>,

    /// Where decisions are remembered: earlier ones are read from it, and this one is added
    #[arg(long, value_name = "FILE")]
    history: Option<PathBuf>,

    /// A name for what was built: a commit, or a hash of sources and lockfile
    #[arg(long, value_name = "ID")]
    revision: Option<String>,

    /// The machine or service that it ran on: several tasks that fail alike there are an outage
    #[arg(long, value_name = "NAME")]
    host: Option<String>,

    /// Whether workers may be started
    #[arg(long, value_enum, value_name = "yes|no")]
    may_dispatch: Option<Answer>,

    /// Whether money may be spent
    #[arg(long, value_enum, value_name = "yes|no")]
    may_spend: Option<Answer>,

    /// How many workers are free
    #[arg(long, value_name = "N")]
    free_slots: Option<u32>,

    /// Another or a larger machine is at hand
    #[arg(long)]
    other_machine: bool,

    /// This run was decided before and held for a probe; it has not run again since
    #[arg(long)]
    held: bool,

    /// How many tokens are left for retries: each costs 5, after a timeout 10
    #[arg(long, value_name = "TOKENS")]
    budget: Option<u32>,

    /// The time, in seconds since 1970, or the word now [default: now with --history or --deadline, else unknown]
    #[arg(long, value_name = "TIME", value_parser = moment)]
    now: Option<Moment>,

    /// When the work must be done: in seconds since 1970, or from now on, as in 30m
    #[arg(long, value_name = "TIME", value_parser = moment)]
    deadline: Option<Moment>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Answer {
    Yes,
    No,
}

/// A time as it is written on the command line, in milliseconds.
#[derive(Clone, Copy)]
enum Moment {
    At(u64),
    /// From now on.
    In(u64),
}

fn moment(text: &str) -> Result<Moment, String> {
    if text == "now" {
        return Ok(Moment::In(0));
    }
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let unit = match &text[digits..] {
        "" => None,
        "s" => Some(1000),
        "m" | "min" => Some(60_000),
        "h" => Some(3_600_000),
        _ => return Err("expected seconds since 1970, or a duration such as 30m".to_owned()),
    };
    let number: u64 = text[..digits].parse().map_err(|_| "expected a number first".to_owned())?;
    Ok(match unit {
        Some(unit) => Moment::In(number.saturating_mul(unit)),
        // Whoever gives milliseconds means them: as seconds they would be far in the future.
        None if number >= 1_000_000_000_000 => Moment::At(number),
        None => Moment::At(number.saturating_mul(1000)),
    })
}

impl Known {
    /// The situation, with the history read.
    pub(crate) fn situation(&self, task: Option<&str>) -> Result<Situation, Failed> {
        let Known {
            attempt,
            history,
            revision,
            host,
            may_dispatch,
            may_spend,
            free_slots,
            other_machine,
            held,
            budget,
            now,
            deadline,
        } = self;
        let clock = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
        let now = match now {
            Some(Moment::At(at)) => Some(*at),
            Some(Moment::In(ms)) => Some(clock() + ms),
            None if history.is_some() || deadline.is_some() => Some(clock()),
            None => None,
        };
        let mut situation = Situation::new().attempt(attempt.unwrap_or(1)).other_machine(*other_machine).held(*held);
        situation.task = task.map(str::to_owned);
        situation.input.clone_from(revision);
        situation.host.clone_from(host);
        situation.may_dispatch = may_dispatch.map(|answer| matches!(answer, Answer::Yes));
        situation.may_spend = may_spend.map(|answer| matches!(answer, Answer::Yes));
        situation.free_slots = *free_slots;
        situation.budget = *budget;
        situation.now_ms = now;
        situation.deadline_ms = deadline.map(|deadline| match deadline {
            Moment::At(at) => at,
            Moment::In(ms) => now.unwrap_or_else(clock) + ms,
        });
        if let Some(path) = history {
            let past = FileHistory::new(path).events();
            situation.past = past.map_err(|error| Failed::usage(format!("{}: {error}", path.display())))?;
        }
        Ok(situation)
    }

    /// Adds a decision to the history, where there is one.
    pub(crate) fn remember(&self, situation: &Situation, report: &Report, decision: &Decision) -> Result<(), Failed> {
        // What was held is in the history already.
        let Some(path) = self.history.as_ref().filter(|_| !self.held) else { return Ok(()) };
        let recorded = FileHistory::new(path).record(situation.event(report, decision));
        recorded.map_err(|error| Failed::unread(format!("{}: {error}", path.display())))
    }
}
