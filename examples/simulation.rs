//! Compares ways to deal with red runs: 10,000 tasks on 50 hosts with outages, blips, limits, flakes and real faults.
//!
//! `cargo run --release --example simulation` prints the table of `docs/decisions.md`. The world is made by a seeded
//! generator, so that every run prints the same.

#![allow(clippy::print_stdout)]

use whyred::{Action, Analyzer, Event, Policy, Report, Situation, Source};

const TASKS: u64 = 10_000;
const HOSTS: u64 = 50;
const MINUTE: u64 = 60_000;

/// How long a worker or a person needs before a task can run again.
const HANDLING: u64 = 30 * MINUTE;

/// splitmix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % sides
    }
}

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

#[derive(Default)]
struct Score {
    retries: u64,
    /// Retries that could not help: of a fault, within an outage or before the limit ended.
    wrong: u64,
    /// Handed to a worker or a person although another try would have been enough.
    missed: u64,
    handed: u64,
    to_green: u64,
}

fn main() {
    let report = |log: &str| Analyzer::new().analyze([Source::bytes("log", log.as_bytes().to_vec())]);
    let broken = report("npm error code ECONNRESET\nnpm error network read ECONNRESET\n");
    let limited = report("Error: 429 Too Many Requests\nRetry-After: 90\n");
    let fault = report("Error: Cannot find module './ledger'\n");
    let flake = report(
        "FAIL src/a.test.js\n  ● sums\n\n    expect(received).toBe(expected) // Object.is equality\n\n    Expected: 3\n    \
         Received: 2\n\n      at Object.<anonymous> (src/a.test.js:3:5)\n\nTests:       1 failed, 2 passed, 3 total\n",
    );
    let green = report("Tests:       3 passed, 3 total\n");
    for red in [&broken, &limited, &fault, &flake] {
        assert_ne!(Policy::default().decide(red, &Situation::new()).action, Action::Accept);
    }
    println!("| way | retries | wrong retries | missed retries | handed over | minutes to green |");
    println!("|---|---|---|---|---|---|");
    for way in ["whyred", "always retry 3 times", "never retry"] {
        let score = run(way, [&broken, &limited, &fault, &flake], &green);
        let Score { retries, wrong, missed, handed, to_green } = score;
        let minutes = to_green as f64 / MINUTE as f64 / TASKS as f64;
        println!("| {way} | {retries} | {wrong} | {missed} | {handed} | {minutes:.2} |");
    }
}

fn run(way: &str, [broken, limited, fault, flake]: [&Report; 4], green: &Report) -> Score {
    let mut dice = Dice(7);
    let policy = Policy::default();
    // Each host has an outage of 3 to 40 minutes at some time of the ten hours.
    let outages: Vec<(u64, u64)> = (0..HOSTS)
        .map(|_| {
            let start = dice.roll(560) * MINUTE;
            (start, start + (3 + dice.roll(38)) * MINUTE)
        })
        .collect();
    let mut score = Score::default();
    let mut hosts: Vec<Vec<Event>> = vec![Vec::new(); HOSTS as usize];
    for number in 0..TASKS {
        let start = number * 600 * MINUTE / TASKS;
        let host = dice.roll(HOSTS) as usize;
        let mut trouble = match dice.roll(100) {
            0..8 => Trouble::Fault,
            8..10 => Trouble::Flake(true),
            10..12 => Trouble::Flake(false),
            12..15 => Trouble::Blip,
            15..16 => Trouble::Limit,
            _ => Trouble::None,
        };
        let task = format!("task-{number}");
        let (mut now, mut attempt) = (start, 1);
        loop {
            let down = (outages[host].0..outages[host].1).contains(&now);
            let red = match trouble {
                _ if down => Some(broken),
                Trouble::Fault => Some(fault),
                Trouble::Flake(_) if attempt == 1 || dice.roll(10) < 3 => Some(flake),
                Trouble::Blip if attempt == 1 => Some(broken),
                Trouble::Limit if now < start + 90_000 => Some(limited),
                _ => None,
            };
            let situation =
                Situation::new().attempt(attempt).task(&*task).host(format!("host-{host}")).input("commit").now_ms(now);
            let Some(red) = red else {
                let decision = policy.decide(green, &situation);
                hosts[host].push(situation.event(green, &decision));
                break;
            };
            let mut past: Vec<Event> = hosts[host].iter().rev().take(30).cloned().collect();
            if trouble == Trouble::Flake(true) {
                let decision = policy.decide(green, &situation);
                past.push(situation.event(green, &decision));
            }
            let situation = situation.past(past);
            let decision = policy.decide(red, &situation);
            hosts[host].push(situation.event(red, &decision));
            let delay = match way {
                "whyred" => {
                    decision.retry.map(|retry| retry.at_least_ms + dice.roll(retry.at_most_ms - retry.at_least_ms + 1))
                }
                "always retry 3 times" if attempt <= 3 => Some(10_000),
                _ => None,
            };
            if let Some(delay) = delay {
                now += delay + MINUTE;
                attempt += 1;
                score.retries += 1;
                let still = (outages[host].0..outages[host].1).contains(&now);
                let early = trouble == Trouble::Limit && now < start + 90_000;
                score.wrong += u64::from(still || early || trouble == Trouble::Fault);
            } else {
                // Whoever takes it over repairs what is wrong and runs it again.
                score.handed += 1;
                score.missed += u64::from(trouble != Trouble::Fault && !(down && now + 10 * MINUTE < outages[host].1));
                now += HANDLING;
                attempt = 2;
                trouble = Trouble::None;
            }
        }
        score.to_green += now - start;
    }
    score
}
