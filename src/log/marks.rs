//! The lines by which CI systems tell how a step or the job ended.

use std::sync::LazyLock;

use memchr::memmem;

use crate::item::{Mark, Scope};
use crate::report::{Outcome, Span};

/// Stands in each of the forms that begin with a name.
static EXITED: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new(" exited with "));

/// The number at the beginning of a text.
fn number(text: &str) -> Option<i32> {
    let text = text.trim_start_matches(['\'', '"', ' ']);
    let end = text.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'-').count();
    text[..end].parse().ok()
}

/// A line that tells how a step or the job ended, and whether it may hold the cause as well.
pub(super) fn read_mark(text: &str, span: Span) -> Option<(Mark, bool)> {
    let mark = |scope, outcome, status| Mark { scope, outcome, status, text: text.to_owned(), span };
    let failed = |scope, status| Some((mark(scope, Outcome::Failed, status), false));
    let told = |scope| Some((mark(scope, Outcome::Failed, None), true));
    let by_status = |scope, status: Option<i32>| {
        let outcome = if status == Some(0) { Outcome::Passed } else { Outcome::Failed };
        Some((mark(scope, outcome, status), false))
    };
    // Forms that begin with what the job itself named.
    if EXITED.find(text.as_bytes()).is_some() {
        if let Some((program, rest)) = text.split_once(" exited with code '")
            && !program.contains(' ')
        {
            return failed(Scope::Step, number(rest));
        }
        if let Some((_, rest)) = text.split_once("The command exited with status ")
            && text.contains("Error: ")
        {
            return failed(Scope::Step, number(rest));
        }
        // Travis.
        if let Some((_, rest)) = text.rsplit_once("\" exited with ")
            && rest.ends_with('.')
            && let Some(status) = number(rest)
        {
            return by_status(Scope::Step, Some(status));
        }
    }
    let begins = |words: &str| text.starts_with(words);
    match text.as_bytes().first()? {
        b'B' => {
            // Jenkins.
            let worse = text.ends_with(" marked build as failure") || text.contains(" changed build result to ");
            if begins("Build step '") && worse && !text.ends_with("SUCCESS") {
                return failed(Scope::Step, None);
            }
            if begins("Build timed out (after ") {
                return told(Scope::Step);
            }
        }
        // The action that tries a command again.
        b'A' => {
            let (number, rest) = text.strip_prefix("Attempt ")?.split_once(' ')?;
            let counted = number.parse::<u32>().is_ok() && rest.starts_with("failed. Reason: ");
            return counted.then(|| (mark(Scope::Attempt, Outcome::Failed, None), false));
        }
        b'C' if begins("Command completed after ") && text.ends_with(" attempt(s).") => {
            return Some((mark(Scope::Tool, Outcome::Passed, None), false));
        }
        // AWS CodeBuild.
        b'C' if begins("CircleCI received exit code ") => {
            return by_status(Scope::Step, text.rsplit(' ').next().and_then(number));
        }
        b'C' if begins("Command did not execute successfully") => {
            return failed(Scope::Step, text.rsplit(' ').next().and_then(number));
        }
        b'D' => {
            // Travis.
            if let Some(rest) = text.strip_prefix("Done. Your build exited with ") {
                return by_status(Scope::Job, number(rest));
            }
            if begins("Done: Job Cancelled") {
                return told(Scope::Job);
            }
        }
        b'E' => {
            // CircleCI.
            if let Some(rest) = text.strip_prefix("Exited with code exit status ") {
                return failed(Scope::Step, number(rest));
            }
            // GitLab.
            if let Some(rest) = text.strip_prefix("ERROR: Job failed") {
                let Some(rest) = rest.strip_prefix(": exit ") else { return told(Scope::Job) };
                return failed(Scope::Job, rest.rsplit(' ').next().and_then(number));
            }
            // Google Cloud Build.
            if begins("ERROR: build step ") && text.contains(" failed: ") {
                return told(Scope::Job);
            }
        }
        b'F' => {
            // Jenkins.
            return match text.strip_prefix("Finished: ")? {
                "SUCCESS" => by_status(Scope::Job, Some(0)),
                "FAILURE" | "UNSTABLE" | "NOT_BUILT" => failed(Scope::Job, None),
                "ABORTED" => told(Scope::Job),
                _ => None,
            };
        }
        // GitLab.
        b'J' if text == "Job succeeded" => return by_status(Scope::Job, Some(0)),
        b'P' => {
            if let Some(rest) = text.strip_prefix("Process completed with exit code ") {
                return failed(Scope::Step, number(rest));
            }
            // AWS CodeBuild.
            let state = text.strip_prefix("Phase complete: ")?.split_once(" State: ")?.1;
            let outcome = if state.starts_with("SUCCEEDED") { Outcome::Passed } else { Outcome::Failed };
            return Some((mark(Scope::Step, outcome, None), false));
        }
        b'T' => {
            // Toolkits of GitHub Actions and Azure: `The process '/usr/bin/npm' failed with exit code 1`.
            if let Some(rest) = text.strip_prefix("The process '")
                && let Some((_, rest)) = rest.split_once("' failed with exit code ")
            {
                return failed(Scope::Step, number(rest));
            }
            // Travis.
            if begins("The command \"") {
                if let Some((_, rest)) = text.rsplit_once(" failed and exited with ") {
                    return failed(Scope::Step, number(rest));
                }
                if text.rsplit_once(" failed. Retrying, ").is_some_and(|(_, rest)| rest.ends_with('.')) {
                    return Some((mark(Scope::Attempt, Outcome::Failed, None), false));
                }
            }
            if begins("The build has been terminated") || begins("The job exceeded the maximum time limit") {
                return told(Scope::Job);
            }
            // The platform stops a step; what it had printed until then may be all there is.
            if begins("The operation was cancel")
                || begins("The job running on runner ") && text.contains(" has exceeded the maximum execution time")
                || begins("The runner has received a shutdown signal")
                || begins("The action '") && text.contains("' has timed out after ")
                // CircleCI.
                || begins("Too long with no output (exceeded ")
            {
                return told(Scope::Step);
            }
        }
        b'N' if begins("No output has been received in the last") => return told(Scope::Job),
        b'Y' if begins("Your build has been stopped") => return failed(Scope::Job, None),
        b'u' => {
            // Buildkite.
            let rest = text.strip_prefix("user command error: ")?;
            return failed(Scope::Job, rest.strip_prefix("exit status ").and_then(number));
        }
        _ => {}
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::{Analyzer, Kind, Outcome, Report, Source};

    fn analyze(log: &str) -> Report {
        Analyzer::new().analyze([Source::bytes("log", log.as_bytes())])
    }

    /// The first step goes on in spite of a frightening line, the second fails: only what the second printed counts.
    #[track_caller]
    fn only_the_failed_step_counts(log: &str) {
        let report = analyze(log);
        let kinds: Vec<Kind> = report.causes.iter().map(|cause| cause.kind).collect();
        assert_eq!((report.outcome, kinds), (Outcome::Failed, vec![Kind::MissingModule]), "{log}\n{report:#?}");
        assert_eq!(report.causes[0].subject.as_deref(), Some("left-pad"));
    }

    const CALM: &str = "Error: connect ECONNREFUSED 10.0.0.9:443";
    const TRUE: &str = "Error: Cannot find module 'left-pad'";

    #[test]
    fn steps_of_github() {
        let step =
            |command: &str| format!("##[group]Run {command}\n{command}\nshell: /usr/bin/bash -e {{0}}\n##[endgroup]\n");
        let end =
            "##[error]Process completed with exit code 1.\nPost job cleanup.\nError: cannot save the cache: ENOSPC\n";
        only_the_failed_step_counts(&format!("{}{CALM}\n{}{TRUE}\n{end}", step("./warm.sh"), step("node index.js")));
    }

    #[test]
    fn steps_of_azure() {
        let log = format!(
            "##[section]Starting: Warm up\n{CALM}\n##[section]Finishing: Warm up\n##[section]Starting: Run\n{TRUE}\n\
             ##[error]Bash exited with code '1'.\n##[section]Finishing: Run\n##[section]Starting: Finalize Job\n{CALM}\n"
        );
        only_the_failed_step_counts(&log);
    }

    #[test]
    fn sections_of_gitlab() {
        let log = format!(
            "section_start:1795222240:step_script\r\x1b[0K\n\x1b[32;1m$ ./warm.sh\x1b[0;m\n{CALM}\n\
             \x1b[32;1m$ node index.js\x1b[0;m\n{TRUE}\nsection_end:1795222246:step_script\r\x1b[0K\n\
             section_start:1795222247:after_script\r\x1b[0K\n{CALM}\nsection_end:1795222248:after_script\r\x1b[0K\n\
             \x1b[31;1mERROR: Job failed: exit code 1\x1b[0;m\n"
        );
        only_the_failed_step_counts(&log);
    }

    #[test]
    fn folds_of_travis() {
        let timed = |command: &str, body: &str, status: u8| {
            format!(
                "travis_time:start:0a1b2c3d\r\x1b[0K$ {command}\n{body}\n\
                 travis_time:end:0a1b2c3d:start=1,finish=2,duration=1\r\x1b[0K\n\
                 \x1b[32;1mThe command \"{command}\" exited with {status}.\x1b[0m\n"
            )
        };
        let log =
            timed("./warm.sh", CALM, 0) + &timed("node index.js", TRUE, 1) + "\nDone. Your build exited with 1.\n";
        only_the_failed_step_counts(&log);
    }

    #[test]
    fn branches_of_jenkins() {
        let log = format!(
            "[Pipeline] Start of Pipeline\n[Pipeline] parallel\n[Pipeline] {{ (Branch: linux)\n\
             [Pipeline] {{ (Branch: windows)\n[2026-11-21T01:05:50.172Z] [linux] + node index.js\n\
             [2026-11-21T01:05:50.180Z] [linux] node:internal/modules/cjs/loader:1228\n\
             [2026-11-21T01:05:50.181Z] [linux] {TRUE}\n[2026-11-21T01:05:50.190Z] [windows] all is well\n\
             [Pipeline] End of Pipeline\nERROR: script returned exit code 1\nFinished: FAILURE\n"
        );
        only_the_failed_step_counts(&log);
    }

    #[test]
    fn headings_of_buildkite() {
        let log = format!(
            "\x1b_bk;t=1795223038661\x07~~~ Preparing working directory\n\x1b_bk;t=1795223038662\x07$ git fetch\n\
             \x1b_bk;t=1795223038663\x07~~~ Running commands\n\x1b_bk;t=1795223038664\x07{TRUE}\n\
             \x1b_bk;t=1795223038665\x07\x1b[31m🚨 Error: The command exited with status 1\x1b[0m\n\
             \x1b_bk;t=1795223038666\x07~~~ Running global pre-exit hook\n\x1b_bk;t=1795223038667\x07{CALM}\n"
        );
        only_the_failed_step_counts(&log);
    }

    #[test]
    fn steps_of_an_image() {
        let log = format!(
            "#7 [2/3] RUN ./warm.sh\n#7 0.201 {CALM}\n#7 DONE 0.4s\n#8 [3/3] RUN node index.js\n#8 0.300 {TRUE}\n\
             #8 ERROR: process \"/bin/sh -c node index.js\" did not complete successfully: exit code: 1\n\
             ERROR: failed to solve: process \"/bin/sh -c node index.js\" did not complete successfully: exit code: 1\n"
        );
        only_the_failed_step_counts(&log);
    }

    #[test]
    fn phases_of_codebuild_and_steps_of_circleci() {
        let stamp = "[Container] 2026/11/21 01:05:50.123456";
        let log = format!(
            "{stamp} Entering phase INSTALL\n{CALM}\n{stamp} Phase complete: INSTALL State: SUCCEEDED\n\
             {stamp} Entering phase BUILD\n{stamp} Running command node index.js\n{TRUE}\n\
             {stamp} Command did not execute successfully node index.js exit status 1\n\
             {stamp} Phase complete: BUILD State: FAILED\n"
        );
        only_the_failed_step_counts(&log);
        let log = format!("#!/bin/bash -eo pipefail\nnode index.js\n{TRUE}\n\nExited with code exit status 1\n");
        only_the_failed_step_counts(&log);
    }

    #[test]
    fn the_end_of_a_step_is_seen_while_a_block_of_a_runner_is_open() {
        let log = format!(
            "##[group]Run python -m pytest\npython -m pytest\nshell: /usr/bin/bash -e {{0}}\n##[endgroup]\n\
             ============================= test session starts ==============================\ncollected 2 items\n\n\
             tests/test_a.py .\n##[error]The operation was canceled.\n##[error]Process completed with exit code 143.\n\
             ##[group]Run ./report.sh\n./report.sh\nshell: /usr/bin/bash -e {{0}}\n##[endgroup]\n{CALM}\n"
        );
        let report = analyze(&log);
        assert_eq!(report.outcome, Outcome::Failed, "{report:#?}");
        assert!(report.causes.iter().all(|cause| cause.kind != Kind::ConnectionFailure), "{report:#?}");
    }

    #[test]
    fn what_a_failing_test_says_of_a_further_try_has_the_stamp_of_its_line() {
        let stamp = |second: u32| format!("2026-03-01T10:00:{second:02}.0000000Z ");
        let lines = [
            (0, "FAIL src/cart.test.js"),
            (0, "  \u{25cf} Cart \u{203a} total"),
            (0, ""),
            (5, "    HttpError: 429 Too Many Requests from https://api.example.com/v1"),
            (5, "    Rate limit exceeded, resets at 10:20:00 UTC"),
            (5, ""),
            (9, "##[error]Process completed with exit code 1."),
        ];
        let log: String = lines.iter().map(|(second, text)| format!("{}{text}\n", stamp(*second))).collect();
        let report = analyze(&log);
        let stamps: Vec<_> = report.causes[0].hints.iter().map(|hint| hint.stamp_ms).collect();
        assert_eq!((report.causes[0].kind, stamps), (Kind::RateLimit, vec![Some(1_772_359_205_000)]), "{report:#?}");
    }

    #[test]
    fn a_command_that_was_begun_last_is_not_covered_by_what_passed_before_it() {
        let log = "$ pytest -q\n24 passed in 1.02s\n";
        assert_eq!(analyze(log).outcome, Outcome::Passed);
        assert_eq!(analyze(&format!("{log}$ ./integration.sh --all\n")).outcome, Outcome::Unknown);
        assert_eq!(analyze(&format!("{log}$ ./integration.sh --all\nJob succeeded\n")).outcome, Outcome::Passed);
    }

    #[test]
    fn lines_that_a_rule_knows_to_be_harmless_are_counted() {
        let log = "Failed to restore: Cache service responded with 503\nJob succeeded\n";
        let report = analyze(log);
        let first = report.ignored.first_decoy.as_ref().map(|evidence| evidence.line);
        assert_eq!((report.outcome, report.ignored.decoys, first), (Outcome::Passed, 1, Some(1)), "{report:#?}");
    }

    #[test]
    fn prefixes_of_services_and_packages_change_nothing() {
        for prefix in
            ["web-1  | ", "web:build: ", "packages/web build: ", "@acme/web: ", "Nov 21 01:05:50 host app[1]: "]
        {
            let log =
                format!("{prefix}{TRUE}\n{prefix}    at node:internal/main:1:1\nERROR: Job failed: exit code 1\n");
            only_the_failed_step_counts(&log);
        }
    }
}
