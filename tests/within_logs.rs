//! A report within a log tells what it tells alone: with lines of others before and behind it, and behind whatever a CI
//! system, a tool or a program that runs it puts in front of each line.

use std::path::{Path, PathBuf};

use whyred::{Action, Analyzer, Format, Outcome, Policy, Report, Situation, Source};

/// What stands in front of a line, by its number, and behind it.
type Envelope = (&'static str, fn(usize) -> String, &'static str);

const ENVELOPES: &[Envelope] = &[
    ("nothing", |_| String::new(), ""),
    ("a stamp", |line| format!("2026-11-21T00:05:4{}.{:07}Z ", line % 10, 1_000_000 + line * 77), ""),
    ("columns", |line| format!("build\tRun make\t2026-11-21T00:05:4{}.0815691Z ", line % 10), ""),
    ("a stamp and its stream", |line| format!("2026-11-21T00:05:4{}.081569Z 01O ", line % 10), ""),
    ("a color", |_| "\x1b[36m".to_owned(), "\x1b[0m"),
    ("a stamp and a color", |line| format!("2026-11-21T00:05:4{}.0815691Z \x1b[36m", line % 10), "\x1b[0m"),
    ("a container", |_| "web-1  | ".to_owned(), ""),
    ("a clock", |line| format!("[01:05:{:02}] ", line % 60), ""),
    ("seconds", |line| format!("#12 {}.345 ", line * 7), ""),
    ("a package", |_| "@acme/web:test: ".to_owned(), ""),
    ("a level", |_| "[INFO] ".to_owned(), ""),
    ("a logger", |line| format!("I1121 12:00:{:02}.123456       1 main.go:12] ", line % 60), ""),
    ("a date with slashes", |line| format!("2026/11/21 12:00:{:02} ", line % 60), ""),
    ("a word", |_| "stdout: ".to_owned(), ""),
    ("the end of a line", |_| String::new(), "\r"),
];

/// How many cases of one format are tried.
const PER_FORMAT: usize = 3;

/// Lines of others around a report.
const AROUND: &[(&str, &str)] = &[
    ("added 12 packages in 3s\nrunning the tests\n", ""),
    ("", "uploading artifacts\ndone in 3.2s\n"),
    ("added 12 packages in 3s\nrunning the tests\n", "uploading artifacts\nall done, exit code 0\n"),
];

#[test]
fn a_report_within_a_log_tells_what_it_tells_alone() {
    let reports = reports();
    assert!(reports.len() >= 45, "{} reports", reports.len());
    let (first, second) = reports.split_at(reports.len() / 2);
    let mut faults = std::thread::scope(|scope| {
        let other = scope.spawn(|| first.iter().flat_map(|(name, text)| check(name, text)).collect::<Vec<_>>());
        let mut faults: Vec<String> = second.iter().flat_map(|(name, text)| check(name, text)).collect();
        faults.extend(other.join().expect("no check panics"));
        faults
    });
    faults.sort();
    assert!(faults.is_empty(), "{} differ:\n{}", faults.len(), faults.join("\n"));
}

/// The small cases of all formats with a mark of their own in which something failed, each as it stands, and JSON also
/// on one line.
fn reports() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut found = Vec::new();
    // The lines of TAP have no mark of their own, so that what stands in front of them must be known.
    for format in Format::ALL.iter().filter(|format| !format.is_prose() && **format != Format::Tap) {
        let mut left = PER_FORMAT;
        for case in files(&root.join(format.as_str())) {
            let inputs: Vec<PathBuf> = files(&case).into_iter().filter(|path| !path.ends_with("expect.toml")).collect();
            let [input] = inputs.as_slice() else { continue };
            let Ok(text) = std::fs::read_to_string(input) else { continue };
            if left == 0 || text.len() > 10_000 || analyze(&text).outcome != Outcome::Failed {
                continue;
            }
            left -= 1;
            let name = format!("{}/{}", format.as_str(), case.file_name().unwrap_or_default().to_string_lossy());
            let text = format!("{}\n", text.trim_end());
            if text.starts_with(['{', '[']) && text.contains("\n ") {
                found.push((format!("{name} on one line"), on_one_line(&text)));
            }
            found.push((name, text));
        }
    }
    found
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("the cases are there").path()).collect();
    paths.sort();
    paths
}

/// The same JSON without white space between its parts.
fn on_one_line(text: &str) -> String {
    let (mut in_text, mut escaped) = (false, false);
    let keep = |character: &char| {
        let quote = *character == '"' && !escaped;
        escaped = in_text && *character == '\\' && !escaped;
        in_text ^= quote;
        in_text || !character.is_ascii_whitespace()
    };
    text.chars().filter(keep).chain(['\n']).collect()
}

fn check(name: &str, report: &str) -> Vec<String> {
    let alone = analyze(report);
    let mut faults = Vec::new();
    for (envelope, prefix, suffix) in ENVELOPES {
        for (index, (before, behind)) in AROUND.iter().enumerate() {
            let log = format!("{before}{report}{behind}");
            let lines = log.lines().enumerate();
            let log: String = lines.map(|(number, line)| format!("{}{line}{suffix}\n", prefix(number))).collect();
            let within = analyze(&log);
            let action = Policy::default().decide(&within, &Situation::new()).action;
            if told(&within) != told(&alone) || action == Action::Accept {
                faults.push(format!("{name} behind {envelope}, {index}: {action} {:?}", told(&within)));
            }
        }
    }
    faults
}

fn analyze(text: &str) -> Report {
    Analyzer::new().analyze([Source::bytes("log", text.as_bytes())])
}

/// What a report says, but for its places.
fn told(report: &Report) -> (Outcome, Option<[u64; 4]>, Vec<String>) {
    let counts = report.tests.map(|tests| [tests.total, tests.failed, tests.errored, tests.skipped]);
    let mut causes: Vec<String> = report
        .causes
        .iter()
        .map(|cause| format!("{} {} {}", cause.kind, cause.subject.as_deref().unwrap_or("-"), cause.count))
        .collect();
    causes.sort();
    (report.outcome, counts, causes)
}
