//! How the cost grows: with the bytes, with the rules, with the failures, and on hostile logs. Prints the tables that
//! stand in `docs/performance.md`.
//!
//! `cargo bench --bench growth`. Ratios are what counts: the machine is never quiet.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod support;

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

/// How many bytes each of the logs has that are compared with one another.
const SAME: usize = 1 << 20;

/// Logs made to be dear, and the logs of the cases, each repeated to the same size: none may be much dearer than the
/// one in the middle.
fn hostile() {
    println!("\nhostile      ms     ns/byte (1 MiB)");
    let repeat = |line: &dyn Fn(u64) -> String| {
        let mut text = String::new();
        let mut index = 0;
        while text.len() < SAME {
            text += &line(index);
            index += 1;
        }
        text.into_bytes()
    };
    let inputs: Vec<(&str, Vec<u8>)> = vec![
        ("real-shaped", log(SAME)),
        ("each line a match", repeat(&|index| format!("Error: Cannot find module 'm{index}'\n"))),
        ("almost matches", repeat(&|index| format!("Cannot find modul {index} no such file or director\n"))),
        (
            "stamps and colors",
            repeat(&|index| format!("2026-11-21T00:05:47.{index:07}Z \x1b[31merror: x {index}\x1b[0m\n")),
        ),
        ("one line", b"Cannot find module ".repeat(SAME / 19)),
        ("empty lines", b"\n".repeat(SAME)),
        ("carriage returns", b"\rerror: ".repeat(SAME / 8)),
        ("report beginnings", repeat(&|index| format!("<testsuite name='{index}'\n"))),
        ("brackets", b"{\"a\":[".repeat(SAME / 6)),
        ("frames", repeat(&|index| format!("Error: x\n    at f{index} (/a/b.js:{index}:1)\n"))),
        (
            "bytes that are no text",
            (0..SAME as u32).map(|index| (index.wrapping_mul(0x9e37_79b1) >> 24) as u8).collect(),
        ),
    ];
    let analyzer = Analyzer::new();
    let cost = |input: &[u8]| {
        let (took, report) = best(&analyzer, input);
        (took, took.as_secs_f64() * 1e9 / input.len() as f64, report)
    };
    let mut made: Vec<(String, f64)> = Vec::new();
    for (name, input) in &inputs {
        let (took, cost, report) = cost(input);
        assert_ne!(report.outcome, Outcome::Passed, "{name}");
        row(name, took, cost);
        made.push(((*name).to_owned(), cost));
    }
    let mut real: Vec<(String, f64)> = Vec::new();
    for (name, text) in cases() {
        let mut input = text.repeat(SAME / text.len() + 1);
        input.truncate(SAME);
        let (_, cost, report) = cost(&input);
        // Nothing of it is lost by being said again.
        assert_eq!(report.sources[0].bytes, SAME as u64, "{name}");
        real.push((name, cost));
    }
    assert!(real.len() > 300, "the logs of the cases are at hand");
    sort(&mut made);
    sort(&mut real);
    let at = |of: &[(String, f64)], part: f64| of[((of.len() - 1) as f64 * part) as usize].1;
    println!("\nlogs of the cases, repeated to the same size, ns/byte: {} logs", real.len());
    println!(
        "a tenth below {:.1}, half below {:.1}, nine tenths below {:.1}",
        at(&real, 0.1),
        at(&real, 0.5),
        at(&real, 0.9)
    );
    for (name, cost) in real.iter().rev().take(8) {
        println!("{cost:>8.1} {name}");
    }
    let hostile = made.last().expect("there are some").1;
    println!("the dearest hostile one costs {:.1} times the median of the hostile ones", hostile / at(&made, 0.5));
    let mut all = [made, real].concat();
    sort(&mut all);
    let (name, most) = all.last().expect("there are some");
    println!("the dearest of all, {name}, costs {:.1} times the median of all", most / at(&all, 0.5));
}

fn sort(costs: &mut [(String, f64)]) {
    costs.sort_by(|a, b| a.1.total_cmp(&b.1));
}

/// The logs among the cases of the tests, with their names.
fn cases() -> Vec<(String, Vec<u8>)> {
    let root = support::root();
    let named = support::logs().into_iter().map(|path| {
        let mut text = std::fs::read(&path).expect("a case can be read");
        text.push(b'\n');
        (path.strip_prefix(&root).unwrap_or(&path).display().to_string(), text)
    });
    named.collect()
}

fn row(name: &str, took: Duration, cost: f64) {
    println!("{name:<22} {:>8.1} {cost:>8.2}", took.as_secs_f64() * 1e3);
}
