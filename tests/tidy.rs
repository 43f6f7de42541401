//! The layout keeps its promises: imports follow the flow, every format and every kind has a case, rules are sorted.

#![allow(clippy::print_stderr)]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use whyred::{Format, Kind, RuleSet};

/// Formats that have no case yet. This only shrinks.
const FORMATS_WITHOUT_CASE: &[&str] = &[];

/// Kinds that have no case yet. This only shrinks.
const KINDS_WITHOUT_CASE: &[&str] = &[];

/// Files longer than this do two jobs, or hold data.
const LONG: usize = 600;

/// What a part of the source may not import: files whose path begins with the first, and the paths below `crate`.
const FORBIDDEN: &[(&str, &[&str])] = &[
    (
        "src/format/",
        &[
            "kind::Kind",
            "kind::Nature",
            "kind::Action",
            "classify",
            "cause",
            "decide",
            "render",
            "rules",
            "outcome",
            "analyzer",
        ],
    ),
    (
        "src/log/",
        &["kind::Kind", "kind::Nature", "kind::Action", "classify", "cause", "decide", "render", "outcome", "analyzer"],
    ),
    ("src/rules.rs", &["format", "classify", "cause", "decide", "render", "outcome", "analyzer", "report"]),
    ("src/scan/", &["format", "log", "classify", "cause", "decide", "render", "outcome", "analyzer", "report", "kind"]),
    ("src/classify.rs", &["format", "log", "cause", "decide", "render", "outcome", "analyzer"]),
    ("src/cause.rs", &["format", "log", "decide", "render", "outcome", "analyzer"]),
    ("src/outcome.rs", &["format", "log", "decide", "render", "analyzer"]),
    ("src/decide/", &["format", "log", "rules", "classify", "cause", "render", "outcome", "analyzer", "item", "scan"]),
    ("src/render/", &["format", "log", "rules", "classify", "cause", "outcome", "analyzer", "item", "scan"]),
    (
        "src/report.rs",
        &["format", "log", "rules", "classify", "cause", "decide", "render", "outcome", "analyzer", "item"],
    ),
    (
        "src/kind.rs",
        &["format", "log", "rules", "classify", "cause", "decide", "render", "outcome", "analyzer", "item", "report"],
    ),
];

/// What `decide` may not name: it does no I/O and reads no clock.
const NOT_IN_DECIDE: &[&str] =
    &["std::fs", "std::io", "std::time::SystemTime", "std::time::Instant", "std::env", "std::process", "std::net"];

#[test]
fn imports_follow_the_flow() {
    let mut wrong = Vec::new();
    for (path, text) in sources("src") {
        let rules = FORBIDDEN.iter().filter(|(prefix, _)| path.starts_with(prefix));
        let forbidden: Vec<&str> = rules.flat_map(|(_, paths)| paths.iter().copied()).collect();
        for (number, line) in code(&text) {
            let used = imports(line).into_iter().filter(|used| {
                forbidden
                    .iter()
                    .any(|path| used == path || used.strip_prefix(path).is_some_and(|rest| rest.starts_with("::")))
            });
            wrong.extend(used.map(|used| format!("{path}:{number}: may not use crate::{used}")));
            if path.starts_with("src/decide/") {
                let used = NOT_IN_DECIDE.iter().filter(|name| line.contains(**name));
                wrong.extend(used.map(|name| format!("{path}:{number}: may not use {name}")));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_command_has_no_logic_of_its_own() {
    let mut wrong = Vec::new();
    for (path, text) in sources("cli/src") {
        for (number, line) in code(&text) {
            for word in ["Kind::", "Format::", "Nature::", "Action::", "Regex::"] {
                let named = line.match_indices(word).any(|(at, _)| {
                    let whole = !line[..at].ends_with(|before: char| before.is_alphanumeric());
                    let variant = line[at + word.len()..].chars().nth(1).is_some_and(char::is_lowercase);
                    whole && variant && line[at + word.len()..].starts_with(char::is_uppercase)
                });
                if named {
                    wrong.push(format!("{path}:{number}: naming one `{word}` belongs to the library"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_format_has_a_case() {
    let mut seen = BTreeSet::new();
    for case in support::cases() {
        let (report, _) = support::analyze(&case.expect, &case.inputs);
        seen.extend(report.sources.into_iter().map(|source| source.format));
    }
    let all = Format::ALL.iter().map(|format| format.as_str());
    covered("format", all, &seen, FORMATS_WITHOUT_CASE);
}

#[test]
fn every_kind_has_a_case() {
    let cases = support::cases();
    let causes = cases.iter().flat_map(|case| &case.expect.cause);
    let seen = causes.map(|cause| cause.kind.as_str().to_owned()).collect();
    covered("kind", Kind::ALL.iter().map(|kind| kind.as_str()), &seen, KINDS_WITHOUT_CASE);
}

#[track_caller]
fn covered<'a>(what: &str, all: impl Iterator<Item = &'a str>, seen: &BTreeSet<String>, pending: &[&str]) {
    let missing: Vec<&str> = all.filter(|name| !seen.contains(*name)).collect();
    eprintln!("each {what} without a case: {}", missing.join(", "));
    let surprising: Vec<_> = missing.iter().filter(|name| !pending.contains(name) && !pending.contains(&"*")).collect();
    assert!(surprising.is_empty(), "each of these is a {what} without a case in tests/cases: {surprising:?}");
}

#[test]
fn every_rule_file_is_sorted() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    for entry in fs::read_dir(&root).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        let ids: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("id = ")).collect();
        assert!(ids.is_sorted(), "the entries of rules/{name} are not sorted by id");
    }
    assert_eq!(RuleSet::built_in().check(), Vec::<String>::new());
}

#[test]
fn files_do_one_job() {
    // A file may be long because of data or its own tests, so this is a word of warning and no failure.
    for (path, text) in sources("src").into_iter().chain(sources("cli/src")) {
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or(&text).lines().count();
        if code > LONG {
            eprintln!("{path} has {code} lines of code");
        }
    }
}

#[test]
fn comments_are_written_for_those_who_come_later() {
    let mut wrong = Vec::new();
    for (path, text) in ["src", "cli/src", "examples", "benches", "tests"].iter().flat_map(|folder| sources(folder)) {
        for (number, line) in text.lines().enumerate() {
            let Some(comment) = line.find("//").map(|at| &line[at..]) else { continue };
            for word in ["TO\u{44}O", "FIX\u{4d}E", "HA\u{43}K", "XX\u{58}:"] {
                if comment.contains(word) {
                    wrong.push(format!("{path}:{}: {word}", number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// The Rust files below a folder of the repository, by their path in it.
fn sources(folder: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders: Vec<PathBuf> = vec![root.join(folder)];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
                files.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    files.sort();
    files
}

/// Numbered lines of code: no comments, and nothing of the file's own tests.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
    lines.take_while(|(_, line)| *line != "#[cfg(test)]").filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// The paths below `crate` that a line names; a group in braces is taken apart.
fn imports(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, word) in line.match_indices("crate::") {
        if line[..at].ends_with('$') {
            continue;
        }
        let rest = &line[at + word.len()..];
        let end = rest.find(|character: char| !character.is_alphanumeric() && !"_:".contains(character));
        let (head, tail) = rest.split_at(end.unwrap_or(rest.len()));
        match (head.strip_suffix("::"), tail.strip_prefix('{')) {
            (Some(head), Some(group)) => {
                let group = group.split('}').next().unwrap_or(group);
                found.extend(group.split(',').map(|name| format!("{head}::{}", name.trim())));
            }
            _ => found.push(head.to_owned()),
        }
    }
    found
}

#[test]
fn imports_are_read_right() {
    assert_eq!(imports("use crate::kind::{Kind, names};"), ["kind::Kind", "kind::names"]);
    assert_eq!(imports("use crate::item::Item;"), ["item::Item"]);
    assert_eq!(imports("    let x = crate::cause::quote(crate::log::y());"), ["cause::quote", "log::y"]);
}
