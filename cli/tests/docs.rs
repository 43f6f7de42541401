//! What the documents show is true: the run in the README, and the scripts in `docs/ci.md`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// `UPDATE_README=1 cargo test -p whyred-cli --test docs` writes the output anew; read it before it is committed.
#[test]
fn the_readme_shows_what_is_printed() {
    let path = root().join("README.md");
    let text = fs::read_to_string(&path).unwrap();
    let (_, after) = text.split_once("$ cargo run --release -- ").expect("the README shows a run");
    let (args, after) = after.split_once('\n').unwrap();
    let (_, after) = after.split_once("```text\n").expect("and what it prints");
    let (shown, _) = after.split_once("\n```").unwrap();
    let run = Command::new(env!("CARGO_BIN_EXE_whyred")).args(args.split(' ')).current_dir(root()).output().unwrap();
    let printed = String::from_utf8(run.stdout).unwrap();
    if std::env::var_os("UPDATE_README").is_some() {
        fs::write(
            path,
            text.replace(&format!("```text\n{shown}\n```"), &format!("```text\n{}\n```", printed.trim_end())),
        )
        .unwrap();
        return;
    }
    assert_eq!(shown, printed.trim_end(), "UPDATE_README=1 writes it anew");
}

#[test]
#[cfg(unix)]
fn the_scripts_for_ci_work() {
    let text = fs::read_to_string(root().join("docs/ci.md")).unwrap();
    let [github, again, gitlab, compared] = scripts(&text).try_into().expect("four jobs");
    let missing = "Error: Cannot find module 'express'";
    let busy =
        "npm error code ECONNRESET\nnpm error network request failed, reason: connect ECONNRESET 104.16.0.35:443";

    let job = Job::new("github", &[missing]);
    let [test, why] = github.try_into().expect("a step that tests and one that explains");
    assert_ne!(job.run(&test).0, 0);
    let (status, printed) = job.run(&why);
    assert_eq!(status, 0, "{printed}");
    assert!(printed.contains("::error title=missing_module%3A express::"), "{printed}");
    assert!(fs::read_to_string(job.0.join("summary.md")).unwrap().contains("**1. missing_module** `express`"));

    let [again] = again.try_into().expect("one step");
    let job = Job::new("again-repair", &[missing, "ok"]);
    assert_eq!(job.run(&again).0, 1, "what is deterministic is not tried again");
    assert_eq!(job.attempts(), 1);
    let job = Job::new("again-retry", &[busy, "ok"]);
    let (status, printed) = job.run(&again);
    assert_eq!((status, job.attempts()), (0, 2), "what is transient is: {printed}");

    let [gitlab] = gitlab.try_into().expect("one script");
    let job = Job::new("gitlab", &[busy]);
    assert_eq!(job.run(&gitlab).0, 75);
    assert!(job.0.join("why.md").exists());

    let [compared] = compared.try_into().expect("one step");
    let again = "Error: Cannot find module 'koa'";
    let job = Job::new("compared", &[missing, &format!("{missing}\n{again}"), "ok"]);
    let stored = "npm test > build.log || true; whyred --format json build.log > before.json; rm count";
    assert_eq!(job.run(stored).0, 0);
    assert_eq!(job.run(&compared).0, 1, "nothing has changed");
    assert_eq!(job.run(&compared).0, 4, "something else fails too");
    let (status, printed) = job.run(&compared);
    assert_eq!(status, 0, "all is green: {printed}");
}

/// A folder in which `npm test` prints one text after another; all but `ok` fail.
struct Job(PathBuf);

impl Job {
    fn new(name: &str, outputs: &[&str]) -> Self {
        let folder = std::env::temp_dir().join(format!("whyred-docs-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        for (index, output) in outputs.iter().enumerate() {
            fs::write(folder.join(format!("output-{}", index + 1)), format!("{output}\n")).unwrap();
        }
        let npm = "#!/bin/sh\nn=$(($(cat count 2>/dev/null || echo 0) + 1)); echo $n > count\n\
            cat output-$n; grep -q '^ok$' output-$n\n";
        fs::write(folder.join("npm"), npm).unwrap();
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_whyred"), folder.join("whyred")).unwrap();
        assert!(Command::new("chmod").arg("+x").arg(folder.join("npm")).status().unwrap().success());
        Job(folder)
    }

    fn run(&self, script: &str) -> (i32, String) {
        let path = format!("{}:{}", self.0.display(), std::env::var("PATH").unwrap());
        let run = Command::new("bash")
            .args(["-e", "-c", script])
            .env("PATH", path)
            .env("GITHUB_STEP_SUMMARY", self.0.join("summary.md"))
            .current_dir(&self.0)
            .output()
            .unwrap();
        let printed = [run.stdout, run.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        (run.status.code().unwrap(), printed.concat())
    }

    fn attempts(&self) -> usize {
        fs::read_to_string(self.0.join("count")).unwrap().trim().parse().unwrap()
    }
}

impl Drop for Job {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The shell parts of each block of YAML: `run: |` of GitHub, the list below `script:` of GitLab.
fn scripts(text: &str) -> Vec<Vec<String>> {
    let blocks = text.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.map(scripts_of_block).collect()
}

fn scripts_of_block(block: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    // The column that a line must reach to belong to the script at hand.
    let mut within: Option<usize> = None;
    for line in block.lines() {
        let indent = line.len() - line.trim_start().len();
        if within.is_some_and(|column| indent >= column || line.trim().is_empty()) {
            let line = line.trim_start();
            let script = found.last_mut().unwrap();
            script.push_str(line.strip_prefix("- ").unwrap_or(line));
            script.push('\n');
            continue;
        }
        within = None;
        if matches!(line.trim(), "run: |" | "script:") {
            within = Some(indent + 2);
            found.push(String::new());
        }
    }
    found
}
