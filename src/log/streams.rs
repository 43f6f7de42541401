//! Work that the log shows to have begun and not to have ended: a command that was echoed last, a script whose banner
//! came behind the tests that passed, the stream of another process that runs beside them.

use super::command::{self, echoed};
use super::envelope::{Frame, strip_escapes, strip_one, strip_package, strip_scoped};
use super::steps::is_boundary;
use super::tail::{MAX_LINES, backwards, ended_well, raw_backwards};
use crate::format::Place;
use crate::report::TextLine;

/// How many lines at the end of what a command printed tell by their words that it ended well.
const LAST_WORDS: usize = 3;

/// The longest label.
const MAX_LABEL: usize = 60;

/// How many streams of one log are looked at.
const MAX_STREAMS: usize = 100;

/// A command that began last.
pub(super) struct Open {
    pub line: TextLine,
    pub command: String,
    /// It is all that its line says, and the last line.
    pub begins: bool,
}

/// The command that was echoed last in `before`, which is the end of the input; `None` where the CI system spoke since,
/// or where what it printed ends in the words of success.
pub(super) fn open_command(before: &[u8], at: Place, frame: &Frame) -> Option<Open> {
    let lines: Vec<TextLine> = backwards(before, at, frame).take(MAX_LINES).collect();
    let mut spoken = 0;
    // The scripts whose banners stand below.
    let mut ran: Vec<&str> = Vec::new();
    let mut open = open_case(&lines);
    let mut well = false;
    for (index, line) in lines.iter().enumerate() {
        let text = line.text.as_str();
        if is_boundary(text) {
            return None;
        }
        let above = || lines.get(index + 1).map_or("", |above| above.text.as_str());
        let command = echoed(text).or_else(|| told(text)).or_else(|| text.strip_prefix("> "));
        let command = command.or_else(|| bare(text, above()));
        let banner = lines.get(index + 1).and_then(|above| script(&above.text));
        if let (Some(command), Some(script), Some(_)) = (command, banner, text.strip_prefix("> ")) {
            ran.push(script);
            if open.is_none() && !well && !script.starts_with("post") {
                let command = command.to_owned();
                open = Some(Open { line: line.clone(), command, begins: false });
            }
        } else if let Some(command) = command.filter(|_| !text.starts_with("> ")) {
            if open.is_none() && !well && ran.is_empty() {
                let begins = spoken == 0 && text.starts_with('$');
                open = Some(Open { line: line.clone(), command: command.to_owned(), begins });
            }
            let awaited = awaited(command).filter(|script| !ran.is_empty() && !ran.contains(script));
            if let Some(script) = awaited {
                return Some(Open { line: lines[0].clone(), command: script.to_owned(), begins: true });
            }
            break;
        }
        if spoken < LAST_WORDS && ended_well(text) {
            well = true;
        }
        spoken += usize::from(!text.trim().is_empty());
    }
    open
}

/// The command that a script of somebody's own says to run: `cmd: npm test && npm run e2e`.
fn told(text: &str) -> Option<&str> {
    const RUNNERS: &[&str] = &[
        "npm",
        "npx",
        "pnpm",
        "yarn",
        "bun",
        "make",
        "cargo",
        "go",
        "mvn",
        "gradle",
        "./gradlew",
        "python",
        "pytest",
        "docker",
        "tox",
        "bundle",
        "dotnet",
    ];
    let (label, command) = text.split_once(": ")?;
    let label = ["cmd", "command", "exec", "executing", "run", "running"]
        .iter()
        .any(|word| label.trim().eq_ignore_ascii_case(word));
    let program = command.split_whitespace().next()?;
    (label && RUNNERS.contains(&program)).then_some(command)
}

/// A command as make echoes it, with nothing in front: `docker compose up -d`.
fn bare<'t>(text: &'t str, above: &str) -> Option<&'t str> {
    const PROGRAMS: &[&str] = &[
        "npm run ",
        "npm test",
        "npx ",
        "pnpm ",
        "yarn run ",
        "docker build ",
        "docker compose ",
        "docker-compose ",
        "docker run ",
        "cargo test",
        "cargo build",
        "cargo run",
        "go test ",
        "go build ",
        "go run ",
        "mvn ",
        "./gradlew ",
        "python -m ",
        "python3 -m ",
        "pytest ",
        "terraform apply",
        "kubectl apply",
        "helm upgrade ",
        "./scripts/",
    ];
    let begins = PROGRAMS.iter().any(|program| text.starts_with(program));
    // Advice names commands too, and prose says something of them.
    let prose =
        [" exited ", " is ", " was ", " are ", " has ", " failed", " with "].iter().any(|word| text.contains(word));
    let told = text.ends_with(['.', ':', '!', '?', ')']) || text.contains(": ") || above.trim_end().ends_with(':');
    (begins && !told && !prose && command::phase(text).is_some() | text.contains("docker")).then_some(text)
}

/// A test that the runner of Go or GoogleTest says to run, where none ended since.
fn open_case(lines: &[TextLine]) -> Option<Open> {
    const ENDS: &[&str] = &[
        "--- ",
        "ok  \t",
        "PASS",
        "FAIL",
        "[       OK ]",
        "[  FAILED  ]",
        "[  PASSED  ]",
        "[  SKIPPED ]",
        "[----------]",
    ];
    let speaks = |line: &&TextLine| {
        let text = line.text.trim_start();
        text.starts_with("=== RUN ")
            || text.starts_with("[ RUN      ] ")
            || ENDS.iter().any(|end| text.starts_with(end))
    };
    let line = lines.iter().find(speaks)?;
    let text = line.text.trim_start();
    let begun = text.strip_prefix("=== RUN ").or_else(|| text.strip_prefix("[ RUN      ] "))?;
    Some(Open { line: line.clone(), command: begun.trim().to_owned(), begins: true })
}

/// The script that npm or pnpm says to run: `> shop@1.0.0 test:unit`.
fn script(text: &str) -> Option<&str> {
    let mut words = text.strip_prefix("> ")?.split(' ');
    let (package, version) = words.next()?.rsplit_once('@')?;
    let script = words.next()?;
    let plain = !package.is_empty() && version.starts_with(|first: char| first.is_ascii_digit());
    (plain && words.count() <= 1).then_some(script)
}

/// The script that runs last of those that a command names, where its banner is sure to be printed.
fn awaited(command: &str) -> Option<&str> {
    let (_, last) = command.rsplit_once("&& ")?;
    let mut words = last.split_whitespace();
    if !matches!(words.next()?, "npm" | "pnpm") {
        return None;
    }
    let script = match words.next()? {
        "test" | "t" => "test",
        "run" | "run-script" => words.next()?,
        _ => return None,
    };
    (!script.starts_with('-') && words.next().is_none()).then_some(script)
}

/// The last line of a log in which several processes print side by side, each line with a label, if one of them has not
/// ended: `[lint] …`, `web:test: …`, `[test : unit] …`. Some of them must have passed: `passed` are the labels of those
/// of which that is known, and `passes` tells it of a line.
///
/// Few wrappers tell how each process ended; where they do not, only the one that prints last is known to run on.
pub(super) fn open_stream(
    before: &[u8],
    at: Place,
    passed: &[String],
    mut passes: impl FnMut(&str) -> bool,
) -> Option<TextLine> {
    let mut streams: Vec<Stream> = Vec::new();
    let mut last: Option<TextLine> = None;
    let mut tells_ends = false;
    for (line, raw) in raw_backwards(before, at).take(MAX_LINES) {
        let text = strip_escapes(raw);
        let Some((label, rest)) = label(text.trim_end()) else {
            // Behind the streams it is the wrapper that speaks, or the shell that ran it.
            if last.is_none() && !text.trim().is_empty() {
                return None;
            }
            continue;
        };
        last.get_or_insert_with(|| TextLine { text: rest.to_owned(), span: line });
        let index = match streams.iter().position(|stream| stream.label == label) {
            Some(index) => index,
            None if streams.len() == MAX_STREAMS => continue,
            None => {
                let passed = passed.iter().any(|known| known == label);
                streams.push(Stream { label: label.to_owned(), passed, ended: false, spoken: 0 });
                streams.len() - 1
            }
        };
        let stream = &mut streams[index];
        let ends = rest.contains(" exited with code ") || matches!(rest, "Done" | "Failed");
        tells_ends |= ends;
        stream.ended |= ends || stream.spoken < LAST_WORDS && ended_well(rest);
        stream.passed |= passes(rest);
        stream.spoken += usize::from(!rest.trim().is_empty());
    }
    let any = !passed.is_empty() || streams.iter().any(|stream| stream.passed);
    let open = |stream: &Stream| !stream.passed && !stream.ended;
    let found = any && (streams.first().is_some_and(open) || tells_ends && streams.iter().any(open));
    last.filter(|_| found)
}

/// What one of several processes printed.
struct Stream {
    label: String,
    passed: bool,
    ended: bool,
    spoken: usize,
}

/// The label of one of several processes in front of what it printed, without colors, and what follows it.
pub(super) fn label(text: &str) -> Option<(&str, &str)> {
    let mut text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for _ in 0..6 {
        if let Some(found) = label_in_front(text) {
            return Some(found);
        }
        text = strip_one(text)?;
    }
    None
}

fn label_in_front(text: &str) -> Option<(&str, &str)> {
    if let Some(inner) = text.strip_prefix('[') {
        let (name, rest) = inner.split_once("] ").or_else(|| inner.strip_suffix(']').map(|name| (name, "")))?;
        return is_process(name.trim()).then_some((name.trim(), rest));
    }
    let rest = strip_scoped(text).or_else(|| strip_package(text))?;
    let name = text[..text.len() - rest.len()].trim_end().trim_end_matches([':', '$']);
    (!name.contains('|') && !name.is_empty()).then_some((name, rest))
}

/// Whether a name in brackets can be that of a process, and not the level or the stamp of a message.
fn is_process(name: &str) -> bool {
    const LEVELS: &[&str] = &[
        "info", "warn", "warning", "error", "err", "debug", "trace", "fatal", "success", "notice", "note", "verbose",
        "log", "ok", "fail", "failed", "pass", "passed", "done", "skip", "critical", "hint", "tip",
    ];
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':' | b'.' | b'/' | b'@');
    let number = name.len() <= 2 && name.bytes().all(|byte| byte.is_ascii_digit());
    let worded = name.starts_with(|first: char| first.is_ascii_lowercase() || first == '@')
        && name.replace(" : ", ":").bytes().all(fits)
        && !LEVELS.contains(&name);
    !name.is_empty() && name.len() <= MAX_LABEL && (number || worded)
}

/// Whether the work that a command does may be what the input ends in.
pub(super) fn is_work(open: &Open) -> bool {
    open.begins || !command::is_idle(&open.command) && !command::is_tolerated(&open.command)
}

#[cfg(test)]
mod tests {
    use super::{awaited, label, script};
    use crate::{Analyzer, Outcome, Source};

    fn outcome(log: &str) -> Outcome {
        Analyzer::new().analyze([Source::bytes("log", log.as_bytes())]).outcome
    }

    const JEST: &str =
        "PASS src/a.test.js\nTest Suites: 1 passed, 1 total\nTests:       3 passed, 3 total\nTime: 1 s\n";

    fn labelled(label: &str, text: &str) -> String {
        text.lines().map(|line| format!("{label}{line}\n")).collect()
    }

    #[test]
    fn labels_are_told_from_levels_and_stamps() {
        for (text, expected) in [
            ("[lint] eslint .", Some(("lint", "eslint ."))),
            ("[0] x", Some(("0", "x"))),
            ("[npm:lint]", Some(("npm:lint", ""))),
            ("[test : unit] x", Some(("test : unit", "x"))),
            ("2026-11-21T00:05:47.0815691Z [web] x", Some(("web", "x"))),
            ("web:build: x", Some(("web:build", "x"))),
            ("packages/web test$ jest", Some(("packages/web test", "$ jest"))),
            ("@acme/web: x", Some(("@acme/web", "x"))),
            ("[INFO] x", None),
            ("[error] x", None),
            ("[2026-11-21T01:05:50.172Z] x", None),
            ("[1/4] Resolving packages...", None),
            ("web-1  | x", None),
            ("plain", None),
        ] {
            assert_eq!(label(text), expected, "{text}");
        }
    }

    #[test]
    fn a_stream_that_runs_on_is_not_covered_by_another_that_passed() {
        let test = labelled("[test] ", JEST);
        assert_eq!(outcome(&test), Outcome::Passed);
        assert_eq!(outcome(&format!("{test}[stack] starting postgres\n")), Outcome::Unknown);
        assert_eq!(outcome(&format!("[stack] starting postgres\n{test}")), Outcome::Passed);
        let ends = "[test] npm run test exited with code 0\n";
        assert_eq!(outcome(&format!("[lint] > eslint .\n{test}{ends}")), Outcome::Unknown);
        let both = format!("[lint] > eslint .\n{test}{ends}[lint] npm run lint exited with code 0\n");
        assert_eq!(outcome(&both), Outcome::Passed);
        let steps = labelled("[check : unit] ", JEST);
        assert_eq!(outcome(&steps), Outcome::Passed);
        assert_eq!(outcome(&format!("{steps}[deploy : rollout] waiting\n")), Outcome::Unknown);
    }

    #[test]
    fn a_script_that_began_behind_the_tests_is_not_covered_by_them() {
        let tests = format!("\n> shop@1.0.0 test\n> jest\n\n{JEST}\n");
        assert_eq!(outcome(&tests), Outcome::Passed);
        assert_eq!(outcome(&format!("{tests}> shop@1.0.0 e2e\n> testcafe chrome\n\nopening\n")), Outcome::Unknown);
        assert_eq!(outcome(&format!("{tests}> shop@1.0.0 posttest\n> nyc report\n\n")), Outcome::Passed);
        assert_eq!(outcome(&format!("cmd: npm test && npm run e2e\n{tests}")), Outcome::Unknown);
        assert_eq!(outcome(&format!("cmd: npm run lint && npm test\n{tests}")), Outcome::Passed);
    }

    #[test]
    fn a_case_or_a_recipe_that_began_last_is_open() {
        let go = "ok  \tacme.test/a\t0.012s\n";
        assert_eq!(outcome(go), Outcome::Passed);
        assert_eq!(outcome(&format!("{go}=== RUN   TestSlow\n    slow_test.go:9: waiting\n")), Outcome::Unknown);
        let ended = "=== RUN   TestSlow\n--- PASS: TestSlow (0.00s)\nPASS\nok  \tacme.test/b\t0.1s\n";
        assert_eq!(outcome(&format!("{go}{ended}")), Outcome::Passed);
        assert_eq!(
            outcome(&format!("npx jest\n{JEST}docker compose up -d\n Container db  Starting\n")),
            Outcome::Unknown
        );
        assert_eq!(
            outcome(&format!("npx jest\n{JEST}\nTo open the report run:\nnpx playwright show-report\n")),
            Outcome::Passed
        );
    }

    #[test]
    fn scripts_and_chains() {
        assert_eq!(script("> shop@1.0.0 test:unit"), Some("test:unit"));
        assert_eq!(script("> @acme/shop@1.0.0-rc.1 build /work/shop"), Some("build"));
        assert_eq!(script("> node a@1 b"), None);
        assert_eq!(awaited("npm ci && npm run e2e"), Some("e2e"));
        for command in ["npm run a", "npm test && ./x", "npm test && npm run e2e --if-present", "make && yarn x"] {
            assert_eq!(awaited(command), None, "{command}");
        }
    }
}
