//! Many files on all cores beside the same files on one, and beside two processes with a core and half of the files
//! each, from the start of the process to its end.
//!
//! `cargo bench -p whyred-cli --bench files`. One core is what `taskset` leaves of them, where it is installed.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::fmt::Write as _;
use std::num::NonZero;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const FILES: usize = 500;
const SIZE: usize = 400_000;
const RUNS: usize = 11;
const WHYRED: &str = env!("CARGO_BIN_EXE_whyred");

fn main() {
    let folder = std::env::temp_dir().join(format!("whyred-files-{}", std::process::id()));
    for file in 0..FILES {
        let half = folder.join((file % 2).to_string());
        std::fs::create_dir_all(&half).expect("a temporary folder can be made");
        std::fs::write(half.join(format!("job-{file:03}.log")), log(file)).expect("a temporary file can be written");
    }
    let command = |core: Option<&str>, named: &[PathBuf]| {
        let mut command = match core {
            Some(_) => Command::new("taskset"),
            None => Command::new(WHYRED),
        };
        if let Some(core) = core {
            command.args(["-c", core, WHYRED]);
        }
        command.args(["--format", "json"]).args(named).stderr(Stdio::null());
        command
    };
    let timed = |mut command: Command| {
        let start = Instant::now();
        let output = command.output().ok()?;
        Some((start.elapsed(), output.stdout))
    };
    let (mut all, mut one, mut parted) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let (took, report) = timed(command(None, std::slice::from_ref(&folder))).expect("the command was built");
        assert!(report.windows(14).any(|part| part == b"missing_module"));
        all.push(took);
        if let Some((took, same)) = timed(command(Some("0"), std::slice::from_ref(&folder))) {
            assert!(same == report, "the report hangs on the number of cores");
            one.push(took);
        }
        // What the machine gives: two processes that share nothing, each with half of the files.
        let start = Instant::now();
        let halves = ["0", "1"].map(|core| command(Some(core), &[folder.join(core)]).stdout(Stdio::null()).spawn());
        let ended = halves.map(|process| process.is_ok_and(|mut process| process.wait().is_ok()));
        if ended == [true, true] {
            parted.push(start.elapsed());
        }
    }
    let _ = std::fs::remove_dir_all(folder);
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let all = middle(all).expect("it ran");
    println!("{FILES} files of {} KB on {cores} cores {:>8.1} ms", SIZE / 1000, all * 1e3);
    let (Some(one), Some(parted)) = (middle(one), middle(parted)) else {
        println!("taskset is not installed");
        return;
    };
    println!("the same on one core          {:>8.1} ms   all cores are {:.2} times as fast", one * 1e3, one / all);
    println!("two processes, half of it each{:>8.1} ms   they are {:.2} times as fast", parted * 1e3, one / parted);
}

/// The median, in seconds.
fn middle(mut times: Vec<Duration>) -> Option<f64> {
    times.sort_unstable();
    times.get(times.len() / 2).map(Duration::as_secs_f64)
}

/// A job that goes on for a while and then misses a module, each file another one.
fn log(file: usize) -> String {
    let mut text = String::with_capacity(SIZE + 200);
    let mut line = file;
    while text.len() < SIZE {
        line += 1;
        let _ = match line % 3 {
            0 => writeln!(text, "2026-11-21T00:05:47.{line:07}Z [INFO] compiled module {line} of the application"),
            1 => writeln!(text, "tests/unit/test_{line}.py::TestStore::test_round_trip PASSED [ {}%]", line % 100),
            _ => writeln!(text, "[INFO] Downloading from central: https://repo.example.org/lib-{line}.jar"),
        };
    }
    let _ = writeln!(text, "Error: Cannot find module 'lib-{file}'\nRequire stack:\n- /srv/app/server.js");
    text
}
