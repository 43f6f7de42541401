//! The rules as they are asked, held against each rule on each line.

use std::collections::HashSet;
use std::path::Path;

use super::{Role, RuleSet};

/// How many lines are tried.
const LINES: usize = 12_000;

/// Different lines of the logs below a folder, spread evenly over all of them.
fn lines(folder: &Path) -> Vec<String> {
    let mut lines = HashSet::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the cases are at hand").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "log" || extension == "txt") {
                let text = std::fs::read(path).expect("a case can be read");
                let text = String::from_utf8_lossy(&text);
                lines.extend(text.lines().filter(|line| line.len() < 400).map(str::to_owned));
            }
        }
    }
    let mut lines: Vec<String> = lines.into_iter().collect();
    lines.sort_unstable();
    let step = (lines.len() / LINES).max(1);
    lines.into_iter().step_by(step).collect()
}

/// What matches without a look at needles: ids and subjects.
fn naive(rules: &RuleSet, line: &str) -> Vec<(u32, Option<String>)> {
    let all: Vec<u32> = (0..rules.rules().len() as u32).collect();
    found(rules, line, &all)
}

fn found(rules: &RuleSet, line: &str, candidates: &[u32]) -> Vec<(u32, Option<String>)> {
    let found = rules.matches(line, candidates, || Box::new(std::iter::empty()));
    found.into_iter().map(|found| (found.index, found.subject_in(line))).collect()
}

#[test]
fn the_scan_finds_what_each_rule_on_each_line_finds() {
    check(&lines(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases")));
}

/// The same on the logs of labelled corpora, where the variable names their folder.
#[test]
#[allow(clippy::print_stderr, reason = "it tells that it was skipped")]
fn the_scan_finds_the_same_in_corpora() {
    let Some(corpora) = std::env::var_os("WHYRED_CORPORA") else {
        return eprintln!("skipped: WHYRED_CORPORA names no folder with labelled corpora");
    };
    check(&lines(&Path::new(&corpora).join("corpus")));
}

#[track_caller]
fn check(lines: &[String]) {
    let rules = RuleSet::built_in();
    assert!(lines.len() >= LINES, "too few lines: {}", lines.len());
    let (mut matched, mut wrong) = (0, Vec::new());
    for line in lines {
        let expected = naive(&rules, line);
        matched += usize::from(expected.iter().any(|(index, _)| rules.rule(*index).role == Role::Root));
        if found(&rules, line, &rules.candidates(line)) != expected {
            let ids: Vec<_> = expected.iter().map(|(index, _)| &*rules.rule(*index).id).collect();
            wrong.push(format!("{line:?}: {ids:?}"));
        }
    }
    assert!(wrong.is_empty(), "a rule matches although none of its needles is found:\n{}", wrong.join("\n"));
    assert!(matched > LINES / 50, "hardly any line matches: {matched}");
}
