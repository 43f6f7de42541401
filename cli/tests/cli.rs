//! The command as a person, a script and a CI job use it.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

const LOG: &str = "> node server.js\nError: Cannot find module 'express'\nRequire stack:\n- /srv/app/server.js\n";

const PASSING: &str = r#"<testsuite name="t" tests="1" failures="0"><testcase classname="a" name="b"/></testsuite>"#;

/// A folder of its own for each test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("whyred-cli-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn with(self, name: &str, text: &str) -> Self {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    fn run(&self, args: &[&str]) -> Run {
        Run::of(whyred(&self.0).args(args).stdin(Stdio::null()).output().unwrap())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn whyred(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_whyred"));
    command.current_dir(folder).env_remove("NO_COLOR");
    command
}

#[derive(Debug)]
struct Run {
    status: i32,
    out: String,
    err: String,
}

impl Run {
    fn of(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Run { status: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
    }

    #[track_caller]
    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

#[test]
fn a_log_is_explained() {
    let run = Folder::new("log").with("build.log", LOG).run(&["build.log"]);
    assert_eq!((run.status, run.err.as_str()), (0, ""), "{run:?}");
    assert!(run.out.starts_with("FAILED → repair\n"), "{run:?}");
    for words in ["missing_module", "express", "build.log:2", "Repair"] {
        assert!(run.out.contains(words), "{words} is missing: {run:?}");
    }
    assert!(!run.out.contains('\x1b'), "no colors in a pipe: {run:?}");
}

#[test]
fn passing_cases_are_named_where_they_are_asked_for() {
    let xml = "<testsuite name=\"s\"><testcase classname=\"shop.Cart\" name=\"adds\" time=\"0.25\"/></testsuite>";
    let folder = || Folder::new("passed").with("junit.xml", xml);
    let run = folder().run(&["--keep-passed", "--format", "json", "junit.xml"]);
    assert_eq!(run.json()["passed"][0]["name"], "shop.Cart.adds", "{run:?}");
    let run = folder().run(&["--keep-passed", "-v", "junit.xml"]);
    assert!(run.out.contains("passed shop.Cart.adds  0.250 s\n"), "{run:?}");
    let run = folder().run(&["-v", "junit.xml"]);
    assert!(!run.out.contains("shop.Cart"), "{run:?}");
}

#[test]
fn standard_input_is_read_from_a_pipe() {
    for args in [&["--format", "json"][..], &["--format", "json", "-"]] {
        let mut child = whyred(Path::new("."))
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(LOG.as_bytes()).unwrap();
        let run = Run::of(child.wait_with_output().unwrap());
        assert_eq!(run.status, 0, "{run:?}");
        assert_eq!(run.json()["causes"][0]["evidence"][0]["source"], "-");
    }
}

#[test]
fn several_inputs_make_one_report() {
    let folder = Folder::new("several").with("a/junit.xml", PASSING).with("a/out/build.log", LOG);
    let folder = folder.with("a/logo.png", "\0PNG").with("a/main.rs", "fn main() {}").with("a/.git/x.log", LOG);
    let run = folder.run(&["a", "--format", "json", "--verbose"]);
    let json = run.json();
    let names: Vec<_> = json["sources"].as_array().unwrap().iter().map(|source| source["name"].clone()).collect();
    assert_eq!(names, ["a/junit.xml", "a/out/build.log"], "{run:?}");
    assert_eq!(json["outcome"], "failed");
    assert_eq!(json["tests"]["total"], 1);
    assert!(run.err.contains("main.rs: passed over"), "{run:?}");
    assert_eq!(run.status, 0);
}

#[test]
fn what_cannot_be_read_does_not_stop_the_rest() {
    let folder = Folder::new("unread").with("junit.xml", PASSING);
    let run = folder.run(&["missing.log", "junit.xml", "--format", "json"]);
    assert_eq!(run.status, 3, "{run:?}");
    assert!(run.err.contains("missing.log"), "{run:?}");
    let json = run.json();
    assert_eq!(json["tests"]["passed"], 1);
    assert_ne!(json["decision"]["action"], "accept", "what was read is not all: {run:?}");

    let run = folder.run(&["missing.log"]);
    assert_eq!((run.status, run.out.as_str()), (3, ""), "{run:?}");
    let empty = Folder::new("empty");
    fs::create_dir(empty.0.join("none")).unwrap();
    let run = empty.run(&["none"]);
    assert_eq!((run.status, run.out.as_str()), (3, ""), "{run:?}");
    assert!(run.err.contains("none: holds neither a log nor a test report"), "{run:?}");
}

#[test]
fn bad_arguments_are_told() {
    let folder = Folder::new("usage").with("build.log", LOG);
    for args in [
        &["--format", "yaml", "build.log"][..],
        &["--attempt", "0", "build.log"],
        &["--input-format", "excel", "build.log"],
        &["--nope"],
        &["explain", "nope"],
        &["explain", "no/rule"],
        &["--rules", "missing.toml", "build.log"],
        &["rules", "check", "missing.toml"],
    ] {
        let run = folder.run(args);
        assert_eq!(run.status, 2, "{args:?}: {run:?}");
        assert_eq!(run.out, "", "{args:?}: {run:?}");
        assert!(!run.err.is_empty() && !run.err.contains("panicked"), "{args:?}: {run:?}");
    }
}

#[test]
fn the_exit_status_tells_the_action_when_asked() {
    let folder = Folder::new("status").with("build.log", LOG).with("junit.xml", PASSING);
    assert_eq!(folder.run(&["build.log"]).status, 0);
    assert_eq!(folder.run(&["--exit-status", "build.log"]).status, 1);
    assert_eq!(folder.run(&["--exit-status", "junit.xml"]).status, 0);
    let lied_to = folder.run(&["--exit-status", "--exit-code", "1", "junit.xml"]);
    assert_ne!(lied_to.status, 0, "a green report beside another status is not accepted: {lied_to:?}");
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let folder = Folder::new("pipe").with("build.log", &LOG.repeat(50));
    let mut child =
        whyred(&folder.0).args(["rules", "list"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let run = Run::of(child.wait_with_output().unwrap());
    assert_eq!((run.status, run.err.as_str()), (0, ""), "{run:?}");
}

#[test]
fn colors_come_when_asked() {
    let folder = Folder::new("color").with("build.log", LOG);
    assert!(folder.run(&["--color", "always", "build.log"]).out.contains("\x1b["));
    assert!(!folder.run(&["--color", "never", "build.log"]).out.contains('\x1b'));
}

#[test]
fn no_secret_gets_out() {
    let token = format!("{}{}", "ghp_", "0a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R");
    let log = format!("Error: Cannot find module 'x-{token}'\nfatal: could not read https://bot:{token}@example.com\n");
    let folder = Folder::new("secret").with("build.log", &log);
    for format in ["text", "json", "markdown", "github"] {
        let run = folder.run(&["--format", format, "--verbose", "build.log"]);
        assert!(!run.out.contains(&token) && !run.out.is_empty(), "{format}: {run:?}");
    }
}

#[test]
fn no_log_forges_what_is_printed() {
    let log = "::error::Cannot find module '::add-mask::x'\n\
        Error: Cannot find module '\x1b]0;owned\x07```\u{202e}<script>@everyone'\n\
        Error: Cannot find module '##[add-path]/tmp'\n\
        Error: Cannot find module '##vso[task.setvariable]x'\n";
    let folder = Folder::new("forged").with("build.log", log).with("::error::name.log", LOG);
    for format in ["text", "json", "markdown", "github"] {
        let run = folder.run(&["--format", format, "build.log", "./::error::name.log"]);
        let allowed = |line: &str| {
            format == "github"
                && ["error ", "warning ", "notice "].iter().any(|word| line.starts_with(&format!("::{word}")))
        };
        for line in run.out.lines().chain(run.err.lines()) {
            let line = line.trim_start();
            assert!(!line.starts_with("::") || allowed(line), "{format}: {line}");
        }
        for forged in ["\x1b", "\x07", "\u{202e}", "##[", "##vso["] {
            assert!(!run.out.contains(forged), "{format}: {forged:?} in {run:?}");
        }
    }
}

#[test]
fn rule_files_are_checked() {
    let good = "[[rule]]\nid = \"mine/flux\"\nkind = \"invalid_config\"\nneedles = [\"flux capacitor\"]\n\
        pattern = '''flux capacitor (?P<subject>\\w+) is unset'''\n\
        hits = [{ line = \"the flux capacitor main is unset\", subject = \"main\" }]\n";
    let bad = good.replace("the flux capacitor main is unset", "the flux capacitor");
    let folder = Folder::new("rules").with("good.toml", good).with("bad.toml", &bad);
    let folder = folder.with("rules", "the flux capacitor main is unset\n").with("broken.toml", "[[rule]]\nid = 3\n");
    let run = folder.run(&["rules", "check", "good.toml"]);
    assert_eq!((run.status, run.out.as_str()), (0, "1 rule holds\n"), "{run:?}");
    let run = folder.run(&["rules", "check", "bad.toml"]);
    assert_eq!(run.status, 2, "{run:?}");
    assert!(run.err.contains("bad.toml: mine/flux: does not match its hit"), "{run:?}");
    let run = folder.run(&["rules", "check", "broken.toml"]);
    assert!(run.status == 2 && run.err.contains("broken.toml:2: "), "{run:?}");
    // A file with the name of a subcommand, and a rule of one's own at work.
    let run = folder.run(&["--rules", "good.toml", "--format", "json", "./rules"]);
    assert_eq!(run.json()["causes"][0]["rule"], "mine/flux", "{run:?}");
    assert_eq!(folder.run(&["rules", "check"]).status, 0);
}

#[test]
fn the_tool_explains_itself() {
    let folder = Folder::new("explain");
    let help = folder.run(&["--help"]);
    assert!(help.status == 0 && help.out.contains("Examples:") && help.out.contains("escalate 77"), "{help:?}");
    assert!(folder.run(&["--version"]).out.starts_with("whyred "));
    let kind = folder.run(&["explain", "missing_module"]);
    assert!(kind.out.contains("node/module-not-found"), "{kind:?}");
    let rule = folder.run(&["explain", "node/module-not-found"]);
    assert!(rule.out.contains("missing_module"), "{rule:?}");
    assert_eq!(folder.run(&["schema"]).json()["$schema"], "https://json-schema.org/draft/2020-12/schema");
    assert!(folder.run(&["rules", "list"]).out.lines().count() > 1);
    let edges = folder.run(&["rules", "edges"]);
    assert!(edges.out.contains("install/missing: what was not installed cannot be found"), "{edges:?}");
    assert!(kind.out.contains("may be explained by"), "{kind:?}");
}

#[test]
fn a_green_run_tells_what_is_new() {
    let green = "12:00:01 Error: connect ECONNREFUSED 10.0.0.9:443\n12:00:02 frob 17 of 20 in 4 ms\n";
    let red =
        "13:30:01 Error: connect ECONNREFUSED 10.0.0.9:443\n13:30:02 frob 3 of 20 in 9 ms\n13:30:02 the widget hums\n";
    let folder = Folder::new("baseline").with("green.log", green).with("red.log", red);
    let cause = |args: &[&str]| folder.run(args).json()["causes"][0].clone();
    let alone = cause(&["--format", "json", "--exit-code", "1", "red.log"]);
    assert_eq!(alone["kind"], "connection_failure");
    let beside = cause(&["--format", "json", "--exit-code", "1", "--baseline", "green.log", "red.log"]);
    assert_eq!(beside["kind"], "unclassified");
    assert_eq!((&beside["message"], &beside["evidence"][0]["line"]), (&"the widget hums".into(), &3.into()));
    let missing = folder.run(&["--baseline", "gone.log", "red.log"]);
    assert_eq!(missing.status, 3, "{missing:?}");
}

#[test]
fn policies_are_shown_and_checked() {
    let folder = Folder::new("policy").with("broken.toml", "nonsense = 1\n");
    let shown = folder.run(&["policy", "show"]);
    assert_eq!(shown.status, 0, "{shown:?}");
    let folder = folder.with("mine.toml", &shown.out).with("build.log", LOG);
    assert_eq!(folder.run(&["policy", "check", "mine.toml"]).status, 0);
    assert_eq!(folder.run(&["--policy", "mine.toml", "build.log"]).out, folder.run(&["build.log"]).out);
    let broken = folder.run(&["policy", "check", "broken.toml"]);
    assert!(broken.status == 2 && broken.err.contains("broken.toml"), "{broken:?}");
}

#[test]
fn two_runs_are_compared() {
    let other = LOG.replace("express", "koa");
    let folder = Folder::new("diff").with("one.log", &format!("{LOG}{other}")).with("two.log", &other);
    let run = folder.run(&["diff", "one.log", "two.log"]);
    assert_eq!(run.status, 0, "{run:?}");
    assert!(run.out.contains("fixed      missing_module  express"), "{run:?}");
    assert_eq!(folder.run(&["diff", "one.log", "none.log"]).status, 3);
}

#[test]
fn a_stored_report_is_compared_like_its_log() {
    let other = LOG.replace("express", "koa");
    let folder = Folder::new("stored").with("one.log", &format!("{LOG}{other}")).with("two.log", &other);
    let folder = folder.with("green.log", "Test Suites: 1 passed, 1 total\nTests:       3 passed, 3 total\n");
    let stored = folder.run(&["--format", "json", "one.log"]).out;
    let folder = folder.with("one.json", &stored).with("cut.json", &stored[..stored.len() / 2]);
    let plain = folder.run(&["diff", "one.log", "two.log"]);
    assert_eq!(folder.run(&["diff", "one.json", "two.log"]).out, plain.out);
    let json = folder.run(&["diff", "--format", "json", "one.json", "two.log"]).out;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["verdict"], json["fixed"].as_array().unwrap().len()), (&"progress".into(), 1));
    for (sides, status) in [
        (["one.json", "two.log"], 0),
        (["one.json", "one.log"], 1),
        (["two.log", "one.json"], 4),
        (["green.log", "green.log"], 0),
    ] {
        assert_eq!(folder.run(&["diff", "--exit-status", sides[0], sides[1]]).status, status, "{sides:?}");
    }
    let cut = folder.run(&["diff", "cut.json", "two.log"]);
    assert!(cut.status == 3 && cut.err.contains("cut.json: no report that was stored"), "{cut:?}");
}

#[test]
fn what_the_caller_knows_decides_too() {
    let folder =
        Folder::new("known").with("reset.log", "npm error code ECONNRESET\nnpm error network read ECONNRESET\n");
    let action = |args: &[&str]| {
        let run = folder.run(&[args, &["--exit-status", "reset.log"]].concat());
        run.status
    };
    assert_eq!(action(&[]), 75);
    assert_eq!(action(&["--attempt", "4"]), 77);
    assert_eq!(action(&["--budget", "4"]), 77);
    assert_eq!(action(&["--now", "1000", "--deadline", "1001"]), 77);
    let known = ["--history", "past.jsonl", "--task", "t", "--revision", "a"];
    let tries: Vec<i32> = (0..4).map(|_| action(&known)).collect();
    assert_eq!(tries, [75, 75, 75, 77], "the history counts the attempts");
    for (task, status) in [("x", 75), ("y", 75), ("z", 75)] {
        let args = ["--history", "host.jsonl", "--host", "h", "--task", task, "--now", "1000000"];
        assert_eq!(action(&args), status);
    }
    let args = ["--history", "host.jsonl", "--host", "h", "--task", "w", "--now", "1000060", "-v", "reset.log"];
    let held = folder.run(&args);
    assert!(held.out.contains("is held"), "{held:?}");
    assert_eq!(folder.run(&["--deadline", "soon", "reset.log"]).status, 2);
}

#[test]
fn people_are_told_in_reports_of_their_own() {
    let log = "remote: Permission to shop.git denied to bot.\nfatal: unable to access: The requested URL returned error: 403\n";
    let folder = Folder::new("people").with("push.log", log);
    let asked = folder.run(&["--format", "escalation", "--task", "shop-1", "push.log"]);
    assert!(asked.out.starts_with("# Escalation: permission_denied"), "{asked:?}");
    assert!(asked.out.contains("**Needed:** ") && asked.out.contains("### `shop-1`"), "{asked:?}");
    let board = folder.run(&["--format", "board", "--task", "shop-1", "push.log"]);
    assert!(board.out.starts_with("### `shop-1`\n\n* **Status:** failed\n* **Causes:**\n"), "{board:?}");
    assert!(board.out.contains("* **Attempts:** 1\n* **Next:** Escalate to "), "{board:?}");
}
