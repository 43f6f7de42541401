//! How the cost grows: with the bytes, with the rules, with the failures, and on hostile logs. Prints the tables that
//! stand in `docs/performance.md`.
//!
//! `cargo bench --bench growth`. Ratios are what counts: the machine is never quiet.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use whyred::{Analyzer, Outcome, Report, RuleSet, Source};

fn main() {
    bytes();
    rules();
    failures();
    hostile();
}

fn best(analyzer: &Analyzer, input: &[u8]) -> (Duration, Report) {
    let run = || {
        let start = Instant::now();
        let report = analyzer.analyze([Source::bytes("log", input)]);
        (start.elapsed(), report)
    };
    (0..3).map(|_| run()).min_by_key(|(took, _)| *took).expect("three runs")
}

/// A log in which now and then a module is missing, and then the run ends.
fn log(size: usize) -> Vec<u8> {
    let mut text = String::with_capacity(size + 200);
    let mut line = 0_u64;
    while text.len() < size {
        line += 1;
        let number = line.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        let _ = match line % 4 {
            0 => writeln!(text, "[INFO] Downloading from central: https://repo.example.org/lib-{number}.jar"),
            1 => writeln!(text, "  CC      drivers/net/device_{number}.o"),
            2 => writeln!(text, "test module::tests::number_{number} ... ok"),
            _ => writeln!(text, "2026-11-21 01:03:04 INFO worker: handled request {number} in 12 ms"),
        };
        if line.is_multiple_of(5_000) {
            text += "Error: Cannot find module 'express'\n";
        }
    }
    text += "##[error]Process completed with exit code 1.\n";
    text.into_bytes()
}

fn bytes() {
    println!("\nbytes        ms     ns/byte");
    for size in [1 << 20, 4 << 20, 16 << 20, 64 << 20] {
        let input = log(size);
        let (took, report) = best(&Analyzer::new(), &input);
        assert_eq!(report.outcome, Outcome::Failed);
        assert_eq!(report.causes[0].subject.as_deref(), Some("express"));
        row(&format!("{} MiB", size >> 20), took, took.as_secs_f64() * 1e9 / input.len() as f64);
    }
}

/// As many rules as told, beside the built-in ones, none of which matches.
fn more_rules(count: usize) -> RuleSet {
    let mut text = String::new();
    for index in 0..count {
        let word = format!("{:07x}", index.wrapping_mul(0x9e37_79b1) & 0x0fff_ffff);
        let _ = write!(
            text,
            "[[rule]]\nid = \"more/r{index:05}\"\nkind = \"crash\"\nneedles = [\"gadget {word} broke\"]\npattern = 'gadget {word} \
             broke'\nhits = [{{ line = \"gadget {word} broke\" }}]\n"
        );
    }
    RuleSet::with_file("more.toml", &text).expect("the rules are valid")
}

fn rules() {
    println!("\nrules        ms     ns/byte (16 MiB)");
    let input = log(16 << 20);
    for count in [1, 100, 1_000, 10_000] {
        let set = more_rules(count);
        let known = set.rules().len();
        let (took, report) = best(&Analyzer::new().rules(set), &input);
        assert_eq!(report.causes[0].subject.as_deref(), Some("express"));
        row(&format!("{known}"), took, took.as_secs_f64() * 1e9 / input.len() as f64);
    }
}

fn failures() {
    println!("\nfailures     ms     us/failure (JUnit)");
    for count in [10_u64, 1_000, 100_000, 1_000_000] {
        let mut xml = format!("<testsuite name=\"s\" tests=\"{count}\" failures=\"{count}\">\n");
        for case in 0..count {
            let _ = write!(
                xml,
                "<testcase classname=\"a.B{}\" name=\"c{case}\"><failure message=\"expected {case}\" \
                 type=\"AssertionError\">AssertionError: expected {case}\n  at B.java:{case}</failure></testcase>\n",
                case / 100
            );
        }
        xml += "</testsuite>\n";
        let (took, report) = best(&Analyzer::new(), xml.as_bytes());
        assert_eq!(report.tests.expect("a report counts").failed, count);
        row(&format!("{count}"), took, took.as_secs_f64() * 1e6 / count as f64);
    }
}

fn hostile() {
    println!("\nhostile      ms     ns/byte (4 MiB)");
    let repeat = |line: &dyn Fn(u64) -> String| {
        let mut text = String::new();
        let mut index = 0;
        while text.len() < 4 << 20 {
            text += &line(index);
            index += 1;
        }
        text.into_bytes()
    };
    let inputs: Vec<(&str, Vec<u8>)> = vec![
        ("real-shaped", log(4 << 20)),
        ("each line a match", repeat(&|index| format!("Error: Cannot find module 'm{index}'\n"))),
        ("almost matches", repeat(&|index| format!("Cannot find modul {index} no such file or director\n"))),
        (
            "stamps and colors",
            repeat(&|index| format!("2026-11-21T00:05:47.{index:07}Z \x1b[31merror: x {index}\x1b[0m\n")),
        ),
        ("one line", b"Cannot find module ".repeat((4 << 20) / 19)),
        ("empty lines", b"\n".repeat(4 << 20)),
        ("carriage returns", b"\rerror: ".repeat((4 << 20) / 8)),
        ("report beginnings", repeat(&|index| format!("<testsuite name='{index}'\n"))),
        ("brackets", b"{\"a\":[".repeat((4 << 20) / 6)),
        ("frames", repeat(&|index| format!("Error: x\n    at f{index} (/a/b.js:{index}:1)\n"))),
        (
            "bytes that are no text",
            (0..4_u32 << 20).map(|index| (index.wrapping_mul(0x9e37_79b1) >> 24) as u8).collect(),
        ),
    ];
    let analyzer = Analyzer::new();
    let mut costs: Vec<(&str, f64)> = Vec::new();
    for (name, input) in &inputs {
        let (took, report) = best(&analyzer, input);
        assert_ne!(report.outcome, Outcome::Passed, "{name}");
        let cost = took.as_secs_f64() * 1e9 / input.len() as f64;
        row(name, took, cost);
        costs.push((name, cost));
    }
    costs.sort_by(|a, b| a.1.total_cmp(&b.1));
    let (median, worst) = (costs[costs.len() / 2], costs[costs.len() - 1]);
    println!("the dearest, {}, costs {:.1} times the median, {}", worst.0, worst.1 / median.1, median.0);
}

fn row(name: &str, took: Duration, cost: f64) {
    println!("{name:<22} {:>8.1} {cost:>8.2}", took.as_secs_f64() * 1e3);
}
