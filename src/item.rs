//! What parsers hand to the analyzer, in the order of the input.

use crate::kind::Phase;
use crate::report::{Counts, Failure, Note, Outcome, PassedCase, Span, Task, TextLine};

/// One thing a parser found.
#[derive(Debug)]
pub(crate) enum Item {
    /// Something failed.
    Failure(Failure),
    /// A case passed. Told only by parsers that were asked to.
    Passed(PassedCase),
    /// A line of a log that no reader claimed and that holds a needle of some rule.
    Line(LogLine),
    /// A test runner finished and told its totals.
    Tests(TestRun),
    /// The run, a step or the job ended, and the input says how.
    Mark(Mark),
    /// A step of the job begins.
    Step(Step),
    /// The last words before a mark of failure or the end of a log: what to show where nothing is recognized.
    Tail {
        line: TextLine,
        /// The lines that follow it in its block.
        below: Vec<String>,
        /// The lines above the block that speak of an error too, the nearest first.
        others: Vec<TextLine>,
        /// What was said around the block without a word of an error, the nearest first.
        around: Vec<TextLine>,
        /// It speaks of an error; otherwise it is merely the last line.
        error: bool,
        /// It ends the input, in the words of a tool that gives up.
        gave_up: bool,
        /// So it does, and hardly anything follows.
        last: bool,
        /// Hardly anything follows to the end of the input, whatever the words are.
        late: bool,
    },
    /// A line that the green runs of the job did not have.
    Novel(TextLine),
    /// A task of a message.
    Task(Task),
    /// The input is a message with an identity of its own: a copy of it says nothing new, and it may replace others.
    Letter { id: String, supersedes: Vec<String> },
    /// The input is one attempt at a test, or the fixtures of some, and others may stand in other inputs.
    Attempt(Attempt),
    /// Who is asked to act, by a message.
    Asked(String),
    /// Something a reader should know.
    Note(Note),
    /// Who tells what comes next: a report that is read in the log pass, by the name of its format, or the console.
    Teller(Option<&'static str>),
}

/// One attempt at a test of which each is a report of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attempt {
    /// What all attempts at the test share.
    pub test: Option<String>,
    /// The attempt alone.
    pub id: String,
    /// When it ended, in milliseconds since 1970.
    pub ended_ms: u64,
    /// It is no attempt: these are the fixtures around the attempts with these ids.
    pub holds: Option<Vec<String>>,
}

/// A line of a log, clean, with its place.
#[derive(Clone, Debug)]
pub(crate) struct LogLine {
    /// Without color codes, envelope and line end.
    pub text: String,
    pub span: Span,
    /// The rules of which a needle stands in the line.
    pub rules: Vec<u32>,
    /// Up to a few clean lines that came before it, the nearest last. Filled only for rules that ask for context.
    pub before: Vec<String>,
    /// When it was printed, in milliseconds since 1970, where the log says so.
    pub stamp_ms: Option<u64>,
}

/// The totals of one test runner.
#[derive(Clone, Debug)]
pub(crate) struct TestRun {
    /// The producer, such as `jest` or `pytest`.
    pub tool: &'static str,
    pub counts: Counts,
    pub span: Span,
    /// How the run ended by the runner's own word; it can fail without a failing case.
    pub outcome: Outcome,
}

/// A sign of how something ended.
#[derive(Clone, Debug)]
pub(crate) struct Mark {
    pub scope: Scope,
    pub outcome: Outcome,
    /// The exit status, where one is told.
    #[allow(dead_code, reason = "shown when a session is debugged")]
    pub status: Option<i32>,
    pub text: String,
    pub span: Span,
}

/// What a mark speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// A tool's own last word: `BUILD SUCCESSFUL`, `error: could not compile`.
    Tool,
    /// A step of a job.
    Step,
    /// The job.
    Job,
    /// A command of which nothing is known but that it began.
    Command,
    /// One attempt at a command, which is going to be tried again.
    Attempt,
    /// A message that the CI system shows as an error; it decides where it is the last word of a step.
    Annotation,
}

/// A step of a job, or a command within a step, begins; it ends where the next begins.
#[derive(Clone, Debug, Default)]
pub(crate) struct Step {
    pub name: String,
    pub span: Span,
    /// It is a command of the step at hand, or the start of a runner: what was printed before it is another stretch.
    pub command: bool,
    /// The step comes after the work: uploads, clean-up. What fails in it seldom decides.
    pub post: bool,
    /// What the command is for, where its name tells.
    pub phase: Option<Phase>,
    /// The log itself says that a failure of it does not count: `npm audit || true`.
    pub tolerated: bool,
    /// It is no mere housekeeping: as long as nothing says how it ended, the job may have ended in it.
    pub work: bool,
    /// It starts only since the command before it ended well, or was allowed to fail.
    pub clears: bool,
    /// The CI system marks each step that fails, so that one that ends without a mark ended well.
    pub marked: bool,
}

/// The largest number that is taken for a count, so that no sum of some overflows.
pub(crate) const MAX_COUNT: u64 = 1_000_000_000_000;

/// A count as a tool writes it in digits. One that no run can have is cut down to [`MAX_COUNT`].
pub(crate) fn read_count(text: &str) -> Option<u64> {
    let digits = text.trim_ascii();
    let whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    whole.then(|| digits.parse::<u64>().map_or(MAX_COUNT, |count| count.min(MAX_COUNT)))
}

/// About how many bytes a failure takes. What waits to be told is bounded by it.
pub(crate) fn weight(failure: &Failure) -> usize {
    let Failure { test, file, type_name, subject, text, task, .. } = failure;
    let words = [test, type_name, subject, task].into_iter().flatten().map(String::capacity).sum::<usize>();
    let path = file.as_ref().map_or(0, |file| file.path.capacity());
    size_of::<Failure>() + words + path + weight_of_lines(text)
}

/// About how many bytes an entry of a map takes, with so many of text.
pub(crate) fn weight_of_entry<K, V>(text: usize) -> usize {
    // Maps have room for about as many more.
    2 * size_of::<(K, V)>() + text
}

/// About how many bytes lines of text take.
pub(crate) fn weight_of_lines(text: &[TextLine]) -> usize {
    size_of_val(text) + text.iter().map(|line| line.text.capacity()).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_count_is_larger_than_any_run() {
        assert_eq!(read_count(" 12 "), Some(12));
        for huge in ["1000000000001", "18446744073709551616", "1000000000000000000000000000000"] {
            assert_eq!(read_count(huge), Some(MAX_COUNT), "{huge}");
        }
        for other in ["", " ", "-1", "+1", "1.5", "1e3", "0x10", "1 2"] {
            assert_eq!(read_count(other), None, "{other}");
        }
    }
}
