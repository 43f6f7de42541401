//! Compiles the built-in rules, phrases and claims into the crate, so that no program that links it parses TOML at start.
//!
//! The rule files stay the one source. What matching needs becomes a table of constants; the hits and misses, by which
//! the rules are proved, stay behind and are read from the embedded files only when somebody asks for them.
#![allow(clippy::print_stdout, reason = "so a build script speaks to cargo")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use toml::{Table, Value};

mod forms;
#[path = "../src/gate/fragment.rs"]
mod fragment;
mod gates;
mod literals;
mod phrases;
#[allow(dead_code, reason = "the scan needs more of it")]
#[path = "../src/scan/rarity.rs"]
mod rarity;

fn main() {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    println!("cargo::rerun-if-changed=build");
    println!("cargo::rerun-if-changed=src/gate/fragment.rs");
    println!("cargo::rerun-if-changed=src/scan/rarity.rs");
    println!("cargo::rerun-if-changed=src/scan/rarity.bin");
    fs::write(out.join("rules.rs"), rules(&root.join("rules"))).expect("the output folder can be written");
    let write = |source: &str, target: &str, constants: fn(&str) -> String| {
        let path = root.join(source);
        println!("cargo::rerun-if-changed={}", path.display());
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{source}: {error}"));
        fs::write(out.join(target), constants(&text)).expect("the output folder can be written");
    };
    write("src/words/phrases.toml", "phrases.rs", phrases::constants);
    write("src/format/claim/claims.toml", "claims.rs", forms::constants);
    write("src/hint/hints.toml", "hints.rs", forms::constants);
    write("src/log/tail/words.toml", "last_words.rs", forms::constants);
}

/// The constants that `src/rules.rs` includes.
fn rules(folder: &Path) -> String {
    println!("cargo::rerun-if-changed={}", folder.display());
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .expect("the folder of the rules can be read")
        .map(|entry| entry.expect("so can its entries").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    files.sort();
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let (mut rules, mut sources) = (String::new(), String::new());
    for path in &files {
        let name = path.file_name().and_then(|name| name.to_str()).expect("names of rule files are text");
        println!("cargo::rerun-if-changed={}", path.display());
        let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("rules/{name}: {error}"));
        for byte in text.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        let table: Table = text.parse().unwrap_or_else(|error| panic!("rules/{name}: {error}"));
        for rule in table.get("rule").and_then(Value::as_array).into_iter().flatten() {
            let rule = rule.as_table().unwrap_or_else(|| panic!("rules/{name}: a rule is a table"));
            write_rule(&mut rules, name, rule);
        }
        let _ = writeln!(sources, "    ({name:?}, include_str!({:?})),", path.display().to_string());
    }
    format!("Built {{\n  hash: {hash},\n  sources: &[\n{sources}  ],\n  rules: &[\n{rules}  ],\n}}\n")
}

/// Writes one rule as a constant. What is wrong in it beyond its shape is told by the tests of the rules.
fn write_rule(out: &mut String, file: &str, rule: &Table) {
    let id = rule.get("id").and_then(Value::as_str).unwrap_or_else(|| panic!("rules/{file}: a rule has no id"));
    let text = |key: &str| match rule.get(key) {
        None => None,
        Some(Value::String(text)) => Some(text.as_str()),
        Some(_) => panic!("rules/{file}: rule \"{id}\": {key} is a string"),
    };
    let list = |key: &str| -> Vec<&str> {
        let values = rule.get(key).and_then(Value::as_array).into_iter().flatten();
        values
            .map(|value| value.as_str().unwrap_or_else(|| panic!("rules/{file}: rule \"{id}\": {key} holds strings")))
            .collect()
    };
    let option =
        |of: &str, key: &str| text(key).map_or("None".to_owned(), |name| format!("Some({of}::{})", variant(name)));
    let mut common = Vec::new();
    let needles = list("needles").into_iter().map(|needle| {
        let long = needle.len() >= rarity::LONG;
        (needle, long.then(|| rarity::windows(needle.as_bytes(), &mut common)))
    });
    let needles: Vec<_> = needles.collect();
    let explains: Vec<String> = list("explains").iter().map(|kind| format!("Kind::{}", variant(kind))).collect();
    let _ = writeln!(
        out,
        "    Constant {{ id: {id:?}, kind: {}, rank: Rank::{}, role: Role::{}, needles: &{:?}, pattern: {:?}, \
         nature: {}, phase: {}, context: {:?}, explains: &[{}], survives: {} }},",
        option("Kind", "kind"),
        variant(text("rank").unwrap_or("usual")),
        variant(text("role").unwrap_or("root")),
        needles,
        text("pattern").unwrap_or_default(),
        option("Nature", "nature"),
        option("Phase", "phase"),
        text("context"),
        explains.join(", "),
        rule.get("survives").and_then(Value::as_bool).unwrap_or(false),
    );
}

/// The name of a variant, from the name in a file: `missing_file` is `MissingFile`. A wrong one does not compile.
fn variant(name: &str) -> String {
    let words = name.split(['_', '-']);
    words
        .flat_map(|word| {
            word.chars().enumerate().map(|(at, letter)| if at == 0 { letter.to_ascii_uppercase() } else { letter })
        })
        .collect()
}
