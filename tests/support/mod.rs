//! What the tests over `tests/cases` share: the cases and their hand-written truth.
// Every test program uses its own part of this.
#![allow(dead_code)]

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use whyred::{Action, Analyzer, Decision, Kind, Outcome, Policy, Report, Situation, Source};

/// One folder of `tests/cases`: the inputs, and what a person says of them.
pub struct Case {
    /// The folder below `tests/cases`.
    pub name: String,
    pub expect: Expect,
    /// Name and bytes of each input, sorted by name.
    pub inputs: Vec<(String, Vec<u8>)>,
}

/// `expect.toml`: written by hand, never by a program.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// The tool with its version, and how the input was made.
    pub source: String,
    pub outcome: Outcome,
    pub action: Action,
    /// The exit status that the caller knows.
    pub exit_code: Option<i32>,
    /// The attempt that the caller is at.
    pub attempt: Option<u32>,
    /// Words that no evidence may quote.
    #[serde(default)]
    pub decoys: Vec<String>,
    pub tests: Option<Tests>,
    #[serde(default)]
    pub cause: Vec<Expected>,
    /// Causes beside those listed are tolerated; a comment says why.
    #[serde(default)]
    pub others: bool,
    /// The variations hold for this case too; where they cannot, a comment says why.
    #[serde(default = "yes")]
    pub variations: bool,
}

/// The counts; what is left out is not compared.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tests {
    pub total: Option<u64>,
    pub passed: Option<u64>,
    pub failed: Option<u64>,
    pub errored: Option<u64>,
    pub skipped: Option<u64>,
    pub flaky: Option<u64>,
}

/// A cause; the first is the decisive one.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    pub kind: Kind,
    /// A part of the subject.
    pub subject: Option<String>,
    /// A line within some evidence.
    pub line: Option<u64>,
    /// The input of that line, where there are several.
    pub file: Option<String>,
    /// A part of the text of some evidence.
    pub contains: Option<String>,
    pub count: Option<u64>,
    pub nature: Option<whyred::Nature>,
}

fn yes() -> bool {
    true
}

/// All cases, sorted by name. `CASE=words` in the environment picks those whose names hold the words.
#[track_caller]
pub fn cases() -> Vec<Case> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let wanted = std::env::var("CASE").unwrap_or_default();
    let mut files = Vec::new();
    walk(&root, &mut files);
    let folders: Vec<&Path> = files
        .iter()
        .filter(|file| file.file_name().is_some_and(|name| name == "expect.toml"))
        .filter_map(|file| file.parent())
        .collect();
    for file in &files {
        let owned = folders.iter().any(|folder| file.starts_with(folder));
        assert!(owned, "{} stands in no case: an expect.toml is missing", file.display());
    }
    let mut cases = Vec::new();
    for folder in folders {
        let name = folder.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
        if !name.contains(&wanted) {
            continue;
        }
        let expect = fs::read_to_string(folder.join("expect.toml")).unwrap();
        let expect = toml::from_str(&expect).unwrap_or_else(|error| panic!("{name}/expect.toml: {error}"));
        let inputs = files
            .iter()
            .filter(|file| file.starts_with(folder) && **file != folder.join("expect.toml"))
            .map(|file| {
                let input = file.strip_prefix(folder).unwrap().to_string_lossy().replace('\\', "/");
                (input, fs::read(file).unwrap())
            })
            .collect();
        cases.push(Case { name, expect, inputs });
    }
    cases
}

/// All files below a folder, sorted.
fn walk(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            walk(&path, files);
        } else {
            files.push(path);
        }
    }
}

/// Analyzes inputs together as a caller does who knows what the case says.
pub fn analyze(expect: &Expect, inputs: &[(String, Vec<u8>)]) -> (Report, Decision) {
    let sources = inputs.iter().map(|(name, bytes)| {
        let source = Source::bytes(name.clone(), bytes.as_slice());
        match expect.exit_code {
            Some(code) => source.exit_code(code),
            None => source,
        }
    });
    let report = Analyzer::new().analyze(sources);
    let situation = Situation::new().attempt(expect.attempt.unwrap_or(1));
    let decision = Policy::default().decide(&report, &situation);
    (report, decision)
}
