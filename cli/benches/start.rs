//! A verdict on a small log, from the start of the process to its end, beside `rg -c` on the same file.
//!
//! `cargo bench -p whyred-cli --bench start`. Both are started in turn, so that the machine treats them alike.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const RUNS: usize = 60;

fn main() {
    let start = Instant::now();
    let rules = whyred::RuleSet::built_in();
    let took = start.elapsed();
    assert!(rules.rules().len() > 500);
    println!("the built-in rules            {:>7.2} ms", took.as_secs_f64() * 1e3);
    let mut log = String::new();
    while log.len() < 10_000 {
        let line = log.len();
        let _ = writeln!(log, "2026-11-21T00:05:47.{line:07}Z [INFO] compiled module {line} of the application");
    }
    log += "Error: Cannot find module 'express'\nRequire stack:\n- /srv/app/server.js\n";
    let path = std::env::temp_dir().join(format!("whyred-start-{}.log", std::process::id()));
    std::fs::write(&path, &log).expect("a temporary file can be written");
    let run = |program: &str, args: &[&str]| {
        let start = Instant::now();
        let output = Command::new(program).args(args).arg(&path).stderr(Stdio::null()).output().ok()?;
        Some((start.elapsed(), String::from_utf8_lossy(&output.stdout).into_owned()))
    };
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let (took, text) = run(env!("CARGO_BIN_EXE_whyred"), &[]).expect("the command was built");
        assert!(text.contains("missing_module  express"), "{text}");
        ours.push(took);
        if let Some((took, text)) = run("rg", &["-c", "module"]) {
            assert!(text.trim().parse::<u32>().is_ok_and(|lines| lines > 100));
            theirs.push(took);
        }
    }
    if let Some(peak) = peak_of(&path) {
        println!("peak memory                   {:>7.1} MiB", peak as f64 / 1024.0);
    }
    let _ = std::fs::remove_file(path);
    let ours = median(ours);
    println!("whyred, a verdict on 10 KB    {:>7.2} ms", ours.as_secs_f64() * 1e3);
    if theirs.is_empty() {
        println!("rg is not installed");
        return;
    }
    let theirs = median(theirs);
    let ratio = ours.as_secs_f64() / theirs.as_secs_f64();
    println!(
        "rg -c on the same file        {:>7.2} ms   whyred takes {ratio:.1} times as long",
        theirs.as_secs_f64() * 1e3
    );
}

/// The most memory that a verdict took, in KiB, where GNU time is installed.
fn peak_of(log: &Path) -> Option<u64> {
    let mut time = Command::new("/usr/bin/time");
    let output = time.args(["-f", "%M", env!("CARGO_BIN_EXE_whyred")]).arg(log).output().ok()?;
    String::from_utf8_lossy(&output.stderr).trim().lines().last()?.parse().ok()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
