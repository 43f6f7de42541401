//! The lines by which CI systems tell how a step or the job ended.

use crate::item::{Mark, Scope};
use crate::report::{Outcome, Span};

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
    if let Some(rest) = text.strip_prefix("Process completed with exit code ") {
        return failed(Scope::Step, number(rest));
    }
    if let Some((program, rest)) = text.split_once(" exited with code '")
        && !program.contains(' ')
    {
        return failed(Scope::Step, number(rest));
    }
    // Toolkits of GitHub Actions and Azure: `The process '/usr/bin/npm' failed with exit code 1`.
    if let Some(rest) = text.strip_prefix("The process '")
        && let Some((_, rest)) = rest.split_once("' failed with exit code ")
    {
        return failed(Scope::Step, number(rest));
    }
    if let Some((_, rest)) = text.split_once("The command exited with status ")
        && text.contains("Error: ")
    {
        return failed(Scope::Step, number(rest));
    }
    if let Some(rest) = text.strip_prefix("user command error: ") {
        return failed(Scope::Job, rest.strip_prefix("exit status ").and_then(number));
    }
    if let Some(rest) = text.strip_prefix("Exited with code exit status ") {
        return failed(Scope::Step, number(rest));
    }
    // GitLab.
    if let Some(rest) = text.strip_prefix("ERROR: Job failed") {
        let Some(rest) = rest.strip_prefix(": exit ") else { return told(Scope::Job) };
        return failed(Scope::Job, rest.rsplit(' ').next().and_then(number));
    }
    if text == "Job succeeded" {
        return by_status(Scope::Job, Some(0));
    }
    // Jenkins.
    if let Some(result) = text.strip_prefix("Finished: ") {
        return match result {
            "SUCCESS" => by_status(Scope::Job, Some(0)),
            "FAILURE" | "UNSTABLE" | "NOT_BUILT" => failed(Scope::Job, None),
            "ABORTED" => told(Scope::Job),
            _ => None,
        };
    }
    if text.starts_with("Build step '")
        && (text.ends_with(" marked build as failure") || text.contains(" changed build result to "))
    {
        return if text.ends_with("SUCCESS") { None } else { failed(Scope::Step, None) };
    }
    // Travis.
    if let Some((_, rest)) = text.rsplit_once("\" exited with ")
        && rest.ends_with('.')
        && let Some(status) = number(rest)
    {
        return by_status(Scope::Step, Some(status));
    }
    if text.starts_with("The command \"") {
        if let Some((_, rest)) = text.rsplit_once(" failed and exited with ") {
            return failed(Scope::Step, number(rest));
        }
        if let Some((_, rest)) = text.rsplit_once(" failed. Retrying, ")
            && rest.ends_with('.')
        {
            return Some((mark(Scope::Attempt, Outcome::Failed, None), false));
        }
    }
    if let Some(rest) = text.strip_prefix("Done. Your build exited with ") {
        return by_status(Scope::Job, number(rest));
    }
    if text.starts_with("Your build has been stopped") {
        return failed(Scope::Job, None);
    }
    if text.starts_with("Done: Job Cancelled")
        || text.starts_with("The build has been terminated")
        || text.starts_with("The job exceeded the maximum time limit")
        || text.starts_with("No output has been received in the last")
    {
        return told(Scope::Job);
    }
    // AWS CodeBuild.
    if let Some(rest) = text.strip_prefix("Phase complete: ")
        && let Some((_, state)) = rest.split_once(" State: ")
    {
        let outcome = if state.starts_with("SUCCEEDED") { Outcome::Passed } else { Outcome::Failed };
        return Some((mark(Scope::Step, outcome, None), false));
    }
    if text.starts_with("Command did not execute successfully") {
        return failed(Scope::Step, text.rsplit(' ').next().and_then(number));
    }
    // Google Cloud Build.
    if text.starts_with("ERROR: build step ") && text.contains(" failed: ") {
        return told(Scope::Job);
    }
    None
}
