//! Many files on all cores beside the same files on one, from the start of the process to its end.
//!
//! `cargo bench -p whyred-cli --bench files`. One core is what `taskset` leaves of them, where it is installed.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::fmt::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const FILES: usize = 500;
const SIZE: usize = 400_000;

fn main() {
    let folder = std::env::temp_dir().join(format!("whyred-files-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary folder can be made");
    for file in 0..FILES {
        std::fs::write(folder.join(format!("job-{file:03}.log")), log(file)).expect("a temporary file can be written");
    }
    let run = |program: &str, args: &[&str]| {
        let start = Instant::now();
        let mut command = Command::new(program);
        let output = command.args(args).args(["--format", "json"]).arg(&folder).stderr(Stdio::null()).output().ok()?;
        Some((start.elapsed(), output.stdout))
    };
    let (mut all, mut one) = (Duration::MAX, Duration::MAX);
    for _ in 0..3 {
        let (took, report) = run(env!("CARGO_BIN_EXE_whyred"), &[]).expect("the command was built");
        assert!(report.windows(14).any(|part| part == b"missing_module"));
        all = all.min(took);
        if let Some((took, same)) = run("taskset", &["-c", "0", env!("CARGO_BIN_EXE_whyred")]) {
            assert!(same == report, "the report hangs on the number of cores");
            one = one.min(took);
        }
    }
    let _ = std::fs::remove_dir_all(folder);
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    println!("{FILES} files of {} KB on {cores} cores {:>8.1} ms", SIZE / 1000, all.as_secs_f64() * 1e3);
    if one == Duration::MAX {
        println!("taskset is not installed");
        return;
    }
    let ratio = one.as_secs_f64() / all.as_secs_f64();
    println!(
        "the same on one core          {:>8.1} ms   all cores are {ratio:.2} times as fast",
        one.as_secs_f64() * 1e3
    );
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
