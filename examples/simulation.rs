//! Compares ways to deal with red runs: 10,000 tasks on 50 hosts with outages, blips, limits, flakes and real faults.
//!
//! `cargo run --release --example simulation` prints the table of `docs/decisions.md`. The world is made by a seeded
//! generator, a task each, so that every run prints the same and every way meets the same troubles.

#![allow(clippy::print_stdout)]

mod dice;

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use dice::Dice;
use whyred::{Action, Analyzer, Event, Policy, Report, Situation, Source};

const TASKS: u64 = 10_000;
const HOSTS: u64 = 50;
const MINUTE: u64 = 60_000;

/// How long a worker or a person needs before a task can run again.
const HANDLING: u64 = 30 * MINUTE;

/// What is wrong with a task beside its host.
#[derive(Clone, Copy, PartialEq)]
enum Trouble {
    None,
    /// The code is wrong until somebody repairs it.
    Fault,
    /// A test that fails on three runs of ten; `true` if the history knows it.
    Flake(bool),
    /// One connection breaks, and the next holds.
    Blip,
    /// A service refuses for 90 seconds and says so.
    Limit,
}

#[derive(Clone, Copy, PartialEq)]
enum Way {
    Whyred,
    Always,
    Never,
}

/// A task on its way to green.
struct Task {
    dice: Dice,
    host: usize,
    start: u64,
    trouble: Trouble,
    attempt: u32,
    /// It waits for the probe of another task, and is decided anew instead of being run.
    held: bool,
}

#[derive(Default)]
struct Score {
    retries: u64,
    /// Retries that could not help: of a fault, within an outage or before the limit ended.
    wrong: u64,
    /// Handed to a worker or a person although another try would have been enough.
    missed: u64,
    handed: u64,
    to_green: u64,
    /// The most retries that one task made.
    most: u32,
}

/// What each trouble prints.
struct Reports {
    broken: Report,
    limited: Report,
    fault: Report,
    flake: Report,
    green: Report,
}

fn main() {
    let report = |log: &str| Analyzer::new().analyze([Source::bytes("log", log.as_bytes().to_vec())]);
    let reports = Reports {
        broken: report("npm error code ECONNRESET\nnpm error network read ECONNRESET\n"),
        limited: report("Error: 429 Too Many Requests\nRetry-After: 90\n"),
        fault: report("Error: Cannot find module './ledger'\n"),
        flake: report(
            "FAIL src/a.test.js\n  ● sums\n\n    expect(received).toBe(expected) // Object.is equality\n\n    Expected: 3\n    \
             Received: 2\n\n      at Object.<anonymous> (src/a.test.js:3:5)\n\nTests:       1 failed, 2 passed, 3 total\n",
        ),
        green: report("Test Suites: 1 passed, 1 total\nTests:       3 passed, 3 total\n"),
    };
    for red in [&reports.broken, &reports.limited, &reports.fault, &reports.flake] {
        assert_ne!(Policy::default().decide(red, &Situation::new()).action, Action::Accept);
    }
    assert_eq!(Policy::default().decide(&reports.green, &Situation::new()).action, Action::Accept);
    println!("| way | retries | wrong retries | missed retries | handed over | minutes to green |");
    println!("|---|---|---|---|---|---|");
    for (way, name) in [(Way::Whyred, "whyred"), (Way::Always, "always retry 3 times"), (Way::Never, "never retry")] {
        let Score { retries, wrong, missed, handed, to_green, most } = run(way, &reports);
        let minutes = to_green as f64 / MINUTE as f64 / TASKS as f64;
        println!("| {name} | {retries} | {wrong} | {missed} | {handed} | {minutes:.2} |");
        assert!(most <= 12, "one task was tried again {most} times");
    }
}

/// The world: when each host is down, and what ails each task.
fn world() -> (Vec<(u64, u64)>, Vec<Task>) {
    let mut dice = Dice(7);
    // Each host has an outage of 3 to 40 minutes at some time of the ten hours.
    let outages = (0..HOSTS).map(|_| {
        let start = dice.roll(560) * MINUTE;
        (start, start + (3 + dice.roll(38)) * MINUTE)
    });
    let outages = outages.collect();
    let task = |number: u64| {
        let mut dice = Dice(number);
        let host = dice.roll(HOSTS) as usize;
        let trouble = match dice.roll(100) {
            0..8 => Trouble::Fault,
            8..10 => Trouble::Flake(true),
            10..12 => Trouble::Flake(false),
            12..15 => Trouble::Blip,
            15..16 => Trouble::Limit,
            _ => Trouble::None,
        };
        Task { dice, host, start: number * 600 * MINUTE / TASKS, trouble, attempt: 1, held: false }
    };
    (outages, (0..TASKS).map(task).collect())
}

fn run(way: Way, reports: &Reports) -> Score {
    let policy = Policy::default();
    let (outages, mut tasks) = world();
    let mut score = Score::default();
    let mut hosts: Vec<Vec<Event>> = vec![Vec::new(); HOSTS as usize];
    let mut due: BinaryHeap<Reverse<(u64, usize)>> =
        tasks.iter().enumerate().map(|(number, task)| Reverse((task.start, number))).collect();
    while let Some(Reverse((now, number))) = due.pop() {
        let task = &mut tasks[number];
        let down_at = |time: u64| (outages[task.host].0..outages[task.host].1).contains(&time);
        let name = format!("task-{number}");
        let situation = Situation::new()
            .attempt(task.attempt)
            .task(&*name)
            .host(format!("host-{}", task.host))
            .input("commit")
            .now_ms(now)
            .held(task.held);
        let red = match task.trouble {
            _ if task.held || down_at(now) => Some(&reports.broken),
            Trouble::Fault => Some(&reports.fault),
            Trouble::Flake(_) if task.attempt == 1 || task.dice.roll(10) < 3 => Some(&reports.flake),
            Trouble::Blip if task.attempt == 1 => Some(&reports.broken),
            Trouble::Limit if now < task.start + 90_000 => Some(&reports.limited),
            _ => None,
        };
        let history = &mut hosts[task.host];
        let Some(red) = red else {
            if way == Way::Whyred {
                history.push(situation.event(&reports.green, &policy.decide(&reports.green, &situation)));
            }
            score.to_green += now - task.start;
            continue;
        };
        let delay = match way {
            Way::Whyred => {
                let mut past: Vec<Event> = history.iter().rev().take(60).cloned().collect();
                if task.trouble == Trouble::Flake(true) {
                    past.push(situation.event(&reports.green, &policy.decide(&reports.green, &situation)));
                }
                let situation = situation.past(past);
                let decision = policy.decide(red, &situation);
                // Who was held has not run again: there is nothing new to remember.
                if !task.held {
                    history.push(situation.event(red, &decision));
                }
                task.held = decision.retry.as_ref().is_some_and(|retry| retry.held);
                decision.retry.map(|retry| retry.at_least_ms + task.dice.roll(retry.at_most_ms - retry.at_least_ms + 1))
            }
            Way::Always => (task.attempt <= 3).then_some(10_000),
            Way::Never => None,
        };
        let next = match delay {
            Some(delay) if task.held => now + delay,
            Some(delay) => {
                let next = now + delay + MINUTE;
                task.attempt += 1;
                score.retries += 1;
                score.most = score.most.max(task.attempt - 1);
                let early = task.trouble == Trouble::Limit && next < task.start + 90_000;
                score.wrong += u64::from(down_at(next) || early || task.trouble == Trouble::Fault);
                next
            }
            None => {
                // Whoever takes it over repairs what is wrong and runs it again.
                let lasting = down_at(now) && down_at(now + 10 * MINUTE);
                score.handed += 1;
                score.missed += u64::from(task.trouble != Trouble::Fault && !lasting);
                task.attempt = 2;
                task.trouble = Trouble::None;
                task.held = false;
                now + HANDLING
            }
        };
        due.push(Reverse((next, number)));
    }
    score
}
