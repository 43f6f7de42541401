//! Measures the rules on outputs whose truth is known, and prints the tables of `docs/accuracy.md`.
//!
//! ```console
//! $ cargo run --release --example measure -- FOLDER…
//! ```
//!
//! A folder holds `labels.jsonl`: one object a line with `id`, `file` (relative to the folder), `outcome` and `causes`,
//! each with `kind`, `subject`, `line` and `contains`. Records with `"certain": false` are left out. A file that is
//! only there packed (`.gz`, `.xz`) is unpacked by the tool of that name.
//!
//! A reported cause is right if a labeled one has its kind, and the evidence is on its line (give or take two) or holds
//! its text, or the subjects agree.

#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use serde_json::Value;
use whyred::{Analyzer, Cause, Outcome, Role, RuleSet, Source};

/// The lower edges of the classes of confidence.
const CLASSES: [f32; 6] = [0.95, 0.9, 0.8, 0.7, 0.5, 0.0];

#[derive(Default)]
struct OfRule {
    /// Passing logs in which it matches a line.
    matches: usize,
    /// Passing logs in which it names a cause.
    false_reds: usize,
    right: usize,
    named: usize,
}

fn main() -> ExitCode {
    let folders: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    if folders.is_empty() {
        eprintln!("usage: measure FOLDER…");
        return ExitCode::from(2);
    }
    let rules = RuleSet::built_in();
    let analyzer = Analyzer::new();
    let mut of_rules: BTreeMap<String, OfRule> = BTreeMap::new();
    let mut classes = [(0_usize, 0_usize); CLASSES.len()];
    let (mut passing, mut failing, mut red) = (0, 0, 0);
    for folder in &folders {
        let labels = match std::fs::read_to_string(folder.join("labels.jsonl")) {
            Ok(labels) => labels,
            Err(error) => {
                eprintln!("{}: {error}", folder.display());
                return ExitCode::from(3);
            }
        };
        for record in labels.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
            if record["certain"] == false {
                continue;
            }
            let Some(bytes) = record["file"].as_str().and_then(|file| read(&folder.join(file))) else { continue };
            let report = analyzer.analyze([Source::bytes("log", bytes.as_slice())]);
            if record["outcome"] == "passed" {
                passing += 1;
                red += usize::from(report.outcome == Outcome::Failed || !report.causes.is_empty());
                for id in matching(&rules, &bytes) {
                    of_rules.entry(id.to_owned()).or_default().matches += 1;
                }
                for cause in &report.causes {
                    of_rules.entry(cause.rule.clone()).or_default().false_reds += 1;
                }
            }
            let Some(labels) = record["causes"].as_array().filter(|labels| !labels.is_empty()) else { continue };
            failing += 1;
            for cause in &report.causes {
                let right = labels.iter().enumerate().any(|(index, label)| agrees(&record, index, label, cause));
                let class =
                    CLASSES.iter().position(|edge| cause.confidence >= edge - 0.001).unwrap_or(CLASSES.len() - 1);
                classes[class].0 += usize::from(right);
                classes[class].1 += 1;
                let rule = of_rules.entry(cause.rule.clone()).or_default();
                rule.right += usize::from(right);
                rule.named += 1;
            }
        }
    }
    println!("{failing} failing outputs with labeled causes, {passing} passing ones, {red} of them reported red.\n");
    println!("| confidence | causes | right | share |\n|---|---|---|---|");
    for (edge, (right, all)) in CLASSES.iter().zip(classes) {
        let share = if all == 0 { "–".to_owned() } else { format!("{:.1} %", 100.0 * right as f64 / all as f64) };
        println!("| {edge:.2} and more | {all} | {right} | {share} |");
    }
    println!("\n| rule | causes | right | matches in passing | causes in passing |\n|---|---|---|---|---|");
    for (id, of) in of_rules {
        println!("| `{id}` | {} | {} | {} | {} |", of.named, of.right, of.matches, of.false_reds);
    }
    ExitCode::SUCCESS
}

fn read(path: &Path) -> Option<Vec<u8>> {
    let packed_as = |extension: &str| path.extension().is_some_and(|own| own == extension);
    if !packed_as("gz")
        && !packed_as("xz")
        && let Ok(bytes) = std::fs::read(path)
    {
        return Some(bytes);
    }
    [("gz", "gzip"), ("xz", "xz")].iter().find_map(|(extension, tool)| {
        let packed =
            if packed_as(extension) { path.to_owned() } else { format!("{}.{extension}", path.display()).into() };
        let output = packed
            .is_file()
            .then(|| Command::new(tool).arg("-dc").arg(&packed).stdin(Stdio::null()).stderr(Stdio::null()).output());
        output?.ok().filter(|output| output.status.success()).map(|output| output.stdout)
    })
}

/// The rules that would name a cause if a line of the output stood alone.
fn matching<'r>(rules: &'r RuleSet, bytes: &[u8]) -> Vec<&'r str> {
    let mut found: Vec<&str> = Vec::new();
    for line in String::from_utf8_lossy(bytes).lines() {
        if let Some(rule) = rules.of_line(line).filter(|rule| rule.role == Role::Root)
            && !found.contains(&&*rule.id)
        {
            found.push(&rule.id);
        }
    }
    found
}

fn agrees(record: &Value, index: usize, label: &Value, cause: &Cause) -> bool {
    let also = record["kinds_ok"].as_array().filter(|_| index == 0);
    let kind = cause.kind.as_str();
    if label["kind"] != kind && !also.is_some_and(|kinds| kinds.iter().any(|other| other == kind)) {
        return false;
    }
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let line = label["line"].as_u64();
    let text = label["contains"].as_str().map(plain);
    let located = cause.evidence.iter().any(|evidence| {
        let near = line.is_some_and(|line| evidence.line <= line + 2 && line <= evidence.last_line + 2);
        near || text.as_ref().is_some_and(|text| plain(&evidence.text).contains(text.as_str()))
    });
    let subject = label["subject"].as_str().map(plain);
    let same = match (&subject, &cause.subject) {
        (Some(label), Some(own)) => {
            let own = plain(own);
            own.contains(label.as_str()) || label.contains(own.as_str())
        }
        _ => false,
    };
    located || same || line.is_none() && text.is_none() && subject.is_none()
}
