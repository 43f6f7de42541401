//! The whole analysis of raw logs, beside other ways to find the same lines, in one run on one core.
//!
//! `cargo bench --bench logs` makes 160 MB of logs in memory: what package managers, compilers and test runners print
//! when all is well, with the logs of `tests/cases` between them. `WHYRED_BENCH_LOG` names a file to use instead.
//! Ratios are what counts: the machine is never quiet.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod support;

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use regex::bytes::{RegexBuilder, RegexSetBuilder};
use whyred::{Analyzer, Outcome, RuleSet, Source};

const SIZE: usize = 160 << 20;

fn main() {
    let log = match std::env::var_os("WHYRED_BENCH_LOG") {
        Some(path) => std::fs::read(path).expect("WHYRED_BENCH_LOG names a file that can be read"),
        None => synthetic(),
    };
    let rules = RuleSet::built_in();
    let analyzer = Analyzer::new();
    let first = analyzer.analyze([Source::bytes("log", log.as_slice())]);
    let failed = first.outcome;
    assert_ne!(failed, Outcome::Passed, "the logs of failing cases are within");
    println!("{:.0} MB, {} rules, {} needles", log.len() as f64 / 1e6, rules.rules().len(), needles(&rules).len());
    let whole = best_of(3, || {
        let report = analyzer.analyze([Source::bytes("log", log.as_slice())]);
        assert_eq!(report.causes.len(), first.causes.len());
    });
    let rate = |bytes: usize, took: Duration| bytes as f64 / 1e9 / took.as_secs_f64();
    let speed = rate(log.len(), whole);
    println!("{:<44} {speed:>8.3} GB/s", "whyred, whole analysis");
    let row = |name: &str, other: f64| {
        println!("{name:<44} {other:>8.3} GB/s   whyred is {:.1} times as fast", speed / other);
    };
    let files = Files::new(&rules, &log);
    if let Some(other) = files.ripgrep() {
        row("rg -F -f needles -c", rate(log.len(), other));
    }
    if let Some(other) = files.hyperscan() {
        row("Hyperscan, the needles alone", rate(log.len(), other));
    }
    // The slow ways are given a part, with the end of a quiet stretch and what failed behind it.
    let part = &log[..log.len().min(8 << 20)];
    row("RegexSet of all patterns, line by line", rate(part.len(), regex_set(&rules, part)));
    let part = &part[part.len().saturating_sub(3 << 20)..];
    row("each rule on each line", rate(part.len(), each_rule(&rules, part)));
}

fn best_of(times: usize, mut run: impl FnMut()) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..times {
        let start = Instant::now();
        run();
        best = best.min(start.elapsed());
    }
    best
}

fn needles(rules: &RuleSet) -> Vec<&str> {
    rules.rules().iter().flat_map(|rule| rule.needles.iter().map(|needle| &**needle)).collect()
}

/// The needles and the log as files, not pipes, so that the peers can map them.
struct Files {
    list: PathBuf,
    log: PathBuf,
}

impl Files {
    fn new(rules: &RuleSet, log: &[u8]) -> Self {
        let at = |end: &str| std::env::temp_dir().join(format!("whyred-bench-{}.{end}", std::process::id()));
        let files = Files { list: at("needles"), log: at("log") };
        let written = [std::fs::write(&files.list, needles(rules).join("\n")), std::fs::write(&files.log, log)];
        assert!(written.iter().all(Result::is_ok), "temporary files can be written");
        files
    }

    /// ripgrep over the same needles, where it is installed.
    fn ripgrep(&self) -> Option<Duration> {
        let mut counted = true;
        let took = best_of(3, || {
            let mut rg = Command::new("rg");
            let rg = rg.args(["-F", "-a", "-j1", "-c", "-f"]).args([&self.list, &self.log]).stderr(Stdio::null());
            let count = rg.output().ok().and_then(|output| String::from_utf8(output.stdout).ok()?.trim().parse().ok());
            counted &= count.is_some_and(|count: u64| count > 0);
        });
        counted.then_some(took)
    }

    /// Hyperscan over the same needles, where its headers and a compiler of C are installed. Its time is that of the
    /// pass alone, without reading the file or compiling the needles.
    fn hyperscan(&self) -> Option<Duration> {
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/hyperscan.c");
        let program = self.list.with_extension("hyperscan");
        let mut cc = Command::new("cc");
        let built = cc.args(["-O2", "-o"]).arg(&program).args([source, "-lhs"]).stderr(Stdio::null()).status();
        built.ok().filter(std::process::ExitStatus::success)?;
        let output = Command::new(&program).args([&self.list, &self.log]).output();
        let _ = std::fs::remove_file(program);
        let told = String::from_utf8(output.ok()?.stdout).ok()?;
        let (seconds, hits) = told.trim().split_once(' ')?;
        assert!(hits.parse::<u64>().is_ok_and(|hits| hits > 0), "{told}");
        seconds.parse().ok().map(Duration::from_secs_f64)
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = (std::fs::remove_file(&self.list), std::fs::remove_file(&self.log));
    }
}

fn regex_set(rules: &RuleSet, log: &[u8]) -> Duration {
    let patterns = rules.rules().iter().map(|rule| &*rule.pattern);
    let set =
        RegexSetBuilder::new(patterns).size_limit(1 << 30).dfa_size_limit(1 << 28).build().expect("rules are valid");
    let start = Instant::now();
    let lines = log.split(|byte| *byte == b'\n').filter(|line| set.is_match(line)).count();
    assert!(lines > 0);
    start.elapsed()
}

fn each_rule(rules: &RuleSet, log: &[u8]) -> Duration {
    let patterns: Vec<_> =
        rules.rules().iter().map(|rule| RegexBuilder::new(&rule.pattern).build().expect("rules are valid")).collect();
    let start = Instant::now();
    let mut hits = 0;
    for line in log.split(|byte| *byte == b'\n') {
        hits += patterns.iter().filter(|pattern| pattern.is_match(line)).count();
    }
    assert!(hits > 0);
    start.elapsed()
}

/// Logs that look like real ones: quiet stretches, stamps in front of half of them, a failing case every few megabytes.
fn synthetic() -> Vec<u8> {
    let cases = support::logs();
    let mut log = Vec::with_capacity(SIZE + (1 << 20));
    let mut random = Random(1);
    let mut cases = cases.iter().cycle();
    while log.len() < SIZE {
        let stamped = random.below(2) == 0;
        let quiet = QUIET[random.below(QUIET.len())];
        for _ in 0..20_000 {
            if stamped {
                let (second, fraction) = (random.below(60), random.below(10_000_000));
                log.extend_from_slice(format!("2026-11-21T00:05:{second:02}.{fraction:07}Z ").as_bytes());
            }
            let template = quiet[random.below(quiet.len())];
            for (index, part) in template.split('#').enumerate() {
                if index > 0 {
                    log.extend_from_slice(random.below(100_000).to_string().as_bytes());
                }
                log.extend_from_slice(part.as_bytes());
            }
            log.push(b'\n');
        }
        if let Some(bytes) = cases.next().and_then(|path| std::fs::read(path).ok()) {
            log.extend_from_slice(&bytes);
            log.push(b'\n');
        }
    }
    // However it came out before, the job failed.
    log.extend_from_slice(b"##[error]Process completed with exit code 1.\n");
    log
}

/// What tools print when all is well.
const QUIET: &[&[&str]] = &[
    &[
        "[INFO] Downloading from central: https://repo.example.org/maven2/org/apache/commons/commons-lang3/3.#/commons-lang3-3.#.jar",
        "[INFO] Downloaded from central: https://repo.example.org/maven2/com/google/guava/guava/#/guava-#.pom (13 kB at # kB/s)",
        "[INFO] --- maven-compiler-plugin:3.#:compile (default-compile) @ module-# ---",
        "[INFO] Nothing to compile - all classes are up to date",
        "[DEBUG]   (f) outputDirectory = /home/runner/work/app/app/module-#/target/classes",
    ],
    &[
        "tests/unit/test_module_#.py::TestCase#::test_returns_the_value_it_was_given PASSED [ #%]",
        "tests/integration/test_store_#.py::test_round_trip[param#-#] PASSED                    [ #%]",
        "2026-11-21 01:03:#,122 INFO worker.#: handled request # in # ms",
        "2026-11-21 01:03:#,125 DEBUG worker.#: cache hit for key user:#:profile",
    ],
    &[
        "   Compiling serde_derive v1.0.#",
        "   Compiling crate-number-# v0.#.0 (/home/runner/work/app/app/crates/number-#)",
        "    Checking another-crate v#.0.1",
        "test module::tests::number_#_is_parsed ... ok",
    ],
    &[
        "gcc -Wall -Wextra -O2 -Iinclude -Ibuild/generated -DVERSION=# -c src/drivers/device_#.c -o build/drivers/device_#.o",
        "  CC      drivers/net/ethernet/vendor/device_#.o",
        "[ #%] Building CXX object src/CMakeFiles/engine.dir/scene/node_#.cpp.o",
        "Get:# http://deb.example.org/debian bookworm/main amd64 libthing# amd64 1.#-2 [# kB]",
        "Unpacking libthing#:amd64 (1.#-2) ...",
        "Setting up libthing#:amd64 (1.#-2) ...",
    ],
    &[
        "  \u{2713} src/components/Widget#.test.tsx (# tests) #ms",
        "npm http fetch GET 200 https://registry.example.org/package-# #ms (cache miss)",
        "asset static/chunk-#.js # KiB [emitted] [immutable] [minimized] (id hint: vendors)",
        "  dist/assets/index-#.js   # kB \u{2502} gzip: # kB",
        "#12 #.345 Step #/40 : RUN make -C /srv/app install",
    ],
];

/// A small linear congruential generator: the same log each time.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}
