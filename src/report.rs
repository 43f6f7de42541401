//! The plain data that a caller receives, documented field by field.

use serde::{Deserialize, Serialize};

use crate::kind::{Kind, Nature, Phase, names};

names! {
    /// How the run that was analyzed ended.
    Outcome, "outcome":
    /// Something failed.
    Failed = "failed",
    /// There is positive evidence that nothing failed.
    Passed = "passed",
    /// The input does not say.
    Unknown = "unknown",
}

names! {
    /// How much a note matters.
    Severity, "severity":
    /// Nothing was lost.
    Info = "info",
    /// Something could not be read whole or contradicts something else; the verdict is never `accept`.
    Warning = "warning",
}

/// All that was found in the inputs of one analysis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Report {
    /// The version of the rule set, so that a verdict can be reproduced.
    pub rules: String,
    /// How the run ended: failed if any input says so, passed only if all do.
    pub outcome: Outcome,
    /// The tests of all inputs together; `None` where no input counts tests.
    pub tests: Option<Counts>,
    /// What went wrong, the decisive cause first. At most [`Report::MAX_CAUSES`] are listed.
    pub causes: Vec<Cause>,
    /// How many causes there are beyond those listed.
    pub causes_omitted: u64,
    /// The tasks that a validator's or coordinator's message speaks of.
    pub tasks: Vec<Task>,
    /// The inputs, in the order given.
    pub sources: Vec<SourceSummary>,
    /// What a reader should know about the inputs: damage, contradictions, limits.
    pub notes: Vec<Note>,
    /// Who is asked to act, as a message says it: a role or a name.
    #[serde(default)]
    pub asked: Option<String>,
    /// What messages claim, held against the output of tools; empty where no message was read.
    #[serde(default)]
    pub claims: Vec<Claim>,
    /// What was found and does not count.
    #[serde(default)]
    pub ignored: Ignored,
    /// The cases that passed, in the order of the inputs, where they were asked for by [`Analyzer::keep_passed`].
    /// At most [`Report::MAX_PASSED`] are listed; a note tells where the counts know more.
    ///
    /// [`Analyzer::keep_passed`]: crate::Analyzer::keep_passed
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passed: Vec<PassedCase>,
}

impl Report {
    /// How many passing cases a report lists at most.
    pub const MAX_PASSED: usize = 10_000;

    /// How many causes a report lists at most.
    pub const MAX_CAUSES: usize = 50;

    /// Whether something was damaged, cut short or contradictory, so that success cannot be concluded.
    #[must_use]
    pub fn is_doubtful(&self) -> bool {
        self.notes.iter().any(|note| note.severity == Severity::Warning)
    }

    /// How many failed tests no cause explains; 0 where no tests are counted.
    ///
    /// A claim explains as many tests as it names: one that gives no figure explains none.
    #[must_use]
    pub fn unexplained(&self) -> u64 {
        let Some(tests) = self.tests.filter(|_| self.causes_omitted == 0) else { return 0 };
        let explained = self.causes.iter().map(|cause| self.explains(cause)).sum();
        (tests.failed + tests.errored).saturating_sub(explained)
    }

    /// How many of the failed tests a cause explains.
    #[must_use]
    pub fn explains(&self, cause: &Cause) -> u64 {
        let of_tests = cause.phase == Phase::Test || !cause.tests.is_empty() || cause.kind == Kind::TestInfrastructure;
        let counted = cause.count > 1 || !self.is_claimed(cause);
        if of_tests && counted { cause.count } else { 0 }
    }

    /// Whether a cause is known from messages alone, without the output of a tool.
    #[must_use]
    pub fn is_claimed(&self, cause: &Cause) -> bool {
        let message =
            |name: &str| self.sources.iter().any(|source| source.name == name && source.format.starts_with("message"));
        !cause.evidence.is_empty() && cause.evidence.iter().all(|evidence| message(&evidence.source))
    }
}

names! {
    /// How a claim stands beside the output of tools.
    Standing, "standing of a claim":
    /// The output shows what the message says.
    Confirmed = "confirmed",
    /// The output shows the opposite.
    Contradicted = "contradicted",
    /// No output that was given tells.
    Unproven = "unproven",
}

/// What somebody says in a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Claim {
    /// The message and the line where it is said.
    pub at: Evidence,
    /// What sort of trouble is claimed; `None` where success is.
    pub kind: Option<Kind>,
    /// Whether it holds.
    pub standing: Standing,
    /// What confirms or contradicts it: an input, and the line where one decides.
    pub by: Option<String>,
    /// The cause that it belongs to, as an index into the report's causes; a contradicted claim has none.
    pub cause: Option<usize>,
}

/// A case that passed, as its report tells of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct PassedCase {
    /// Its full name, made as that of a failing case is, so that two runs can be compared.
    pub name: String,
    /// The suite or class that it stands in, where the report has a field for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suite: Option<String>,
    /// The file that holds it, as the report names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// How long it ran.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
}

impl PassedCase {
    /// A case of which no more than the name is known.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        PassedCase { name: name.into(), ..PassedCase::default() }
    }
}

/// What was found and does not count, so that a reader can tell how much was passed over, and where to look.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Ignored {
    /// Findings in parts that ended well, were tried again, or may fail.
    pub decoys: u64,
    /// The first of them.
    pub first_decoy: Option<Evidence>,
    /// Findings that only repeat or follow from others.
    pub follow_ons: u64,
    /// The first of them.
    pub first_follow_on: Option<Evidence>,
}

/// Failures with one origin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Cause {
    /// What sort of trouble it is.
    pub kind: Kind,
    /// What that means for a second try; the kind's default unless the text says more.
    pub nature: Nature,
    /// Where in the life of the job it happened.
    pub phase: Phase,
    /// The module, path, symbol, host, command or test that it is about.
    pub subject: Option<String>,
    /// The decisive line, without color codes and prefixes.
    pub message: String,
    /// How many failures (tests, errors of a compiler) share it; at least 1.
    pub count: u64,
    /// A hexadecimal hash of kind, subject and message that ignores numbers, paths, times, hashes and order.
    pub fingerprint: String,
    /// How sure the kind is, from 0 to 1.
    pub confidence: f32,
    /// The id of the rule, or of the report's own signal (`signal/…`), that named the kind.
    pub rule: String,
    /// The lines that prove it, at most 32.
    pub evidence: Vec<Evidence>,
    /// The names of the failing tests, at most 32; `count` is exact.
    pub tests: Vec<String>,
    /// Why the nature differs from the kind's default.
    pub flip: Option<String>,
    /// Lines that say when to try again, or that retries were already made, at most 5.
    #[serde(default)]
    pub hints: Vec<HintLine>,
    /// The kind that comes next, where the text supports another.
    #[serde(default)]
    pub runner_up: Option<Candidate>,
    /// What would not have failed without it, at most 20.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub consequences: Vec<Consequence>,
}

/// A kind that a text supports as well, though less.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Candidate {
    /// The kind.
    pub kind: Kind,
    /// How sure it is, from 0 to 1.
    pub confidence: f32,
    /// The id of the rule that names it.
    pub rule: String,
}

/// A line that speaks of a further try.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct HintLine {
    /// The line.
    pub text: String,
    /// When it was printed, in milliseconds since 1970, where its log stamps each line: a time of day that it names is
    /// measured against this.
    pub stamp_ms: Option<u64>,
}

/// Trouble that a cause explains: it is no cause of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Consequence {
    /// What sort of trouble it looks like.
    pub kind: Kind,
    /// What it is about.
    pub subject: Option<String>,
    /// How many failures share it; at least 1.
    pub count: u64,
    /// Its first line.
    pub evidence: Evidence,
    /// Why the cause explains it.
    pub why: String,
}

/// A place in an input that proves a cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Evidence {
    /// The name of the input.
    pub source: String,
    /// The 1-based line of the original bytes; lines end at `\n` only.
    pub line: u64,
    /// The last line, equal to `line` for a single one.
    pub last_line: u64,
    /// The 1-based column in characters of the line as shown in `text`; `None` where it has no meaning.
    pub column: Option<u64>,
    /// Where the evidence begins in the original bytes.
    pub byte_start: u64,
    /// Where it ends, exclusive.
    pub byte_end: u64,
    /// The line, without color codes, at most 500 characters.
    pub text: String,
    /// The file of the project that the failure points at, if it names one.
    pub file: Option<FileRef>,
}

/// A place in the project's own files that a failure points at.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct FileRef {
    /// The path as the tool printed it.
    pub path: String,
    /// The 1-based line.
    pub line: Option<u64>,
    /// The 1-based column.
    pub column: Option<u64>,
}

impl FileRef {
    /// A place in a file.
    #[must_use]
    pub fn new(path: impl Into<String>, line: Option<u64>, column: Option<u64>) -> Self {
        FileRef { path: path.into(), line, column }
    }
}

/// How many tests ran and how they ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Counts {
    /// All cases, the skipped ones included.
    pub total: u64,
    /// Cases that passed in the end; `None` where the input does not say and it must not be inferred.
    pub passed: Option<u64>,
    /// Cases that failed.
    pub failed: u64,
    /// Cases with an error (part of `total`), and files, suites and hooks that failed outside any case (not part
    /// of it).
    pub errored: u64,
    /// Cases that were skipped, pending or todo.
    pub skipped: u64,
    /// Cases that failed first and passed in the end; part of `passed`.
    pub flaky: u64,
}

impl Counts {
    /// Whether any case or suite failed.
    #[must_use]
    pub fn any_failed(&self) -> bool {
        self.failed + self.errored > 0
    }

    /// Adds the counts of another run. `passed` stays known only while it is known on both sides.
    pub fn add(&mut self, other: &Counts) {
        let Counts { total, passed, failed, errored, skipped, flaky } = *other;
        self.total += total;
        self.passed = self.passed.zip(passed).map(|(a, b)| a + b);
        self.failed += failed;
        self.errored += errored;
        self.skipped += skipped;
        self.flaky += flaky;
    }
}

/// A piece of work that a validator's or coordinator's message speaks of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Task {
    /// Its id, such as `melo-infra-1`.
    pub id: String,
    /// What it is about, if the message says so.
    pub title: Option<String>,
    /// How it stands.
    pub status: Outcome,
    /// How its build ended.
    pub build: Outcome,
    /// Its own tests.
    pub tests: Option<Counts>,
    /// Indexes into the report's causes.
    pub causes: Vec<usize>,
    /// The session of the worker that has it, such as `agent:main:subagent:…`, if the message names one.
    pub session: Option<String>,
    /// Its priority, where the message gives one as `P0` to `P4`; 0 is the most urgent.
    #[serde(default)]
    pub priority: Option<u8>,
}

/// One input, as it was read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct SourceSummary {
    /// Its name: a path, or `-`.
    pub name: String,
    /// The id of the format that was found.
    pub format: String,
    /// Its size.
    pub bytes: u64,
    /// Its lines, counting `\n`.
    pub lines: u64,
    /// How it ended, taken alone.
    pub outcome: Outcome,
    /// Its tests.
    pub tests: Option<Counts>,
    /// Why it could not be read, or not to its end.
    pub error: Option<String>,
}

/// Something a reader should know about an input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Note {
    /// How much it matters.
    pub severity: Severity,
    /// The name of the input.
    pub source: Option<String>,
    /// The 1-based line.
    pub at: Option<u64>,
    /// What there is to know, in one line.
    pub message: String,
}

impl Note {
    /// Something of interest; nothing was lost.
    #[must_use]
    pub fn info(at: Option<u64>, message: impl Into<String>) -> Self {
        Note { severity: Severity::Info, source: None, at, message: message.into() }
    }

    /// Something was damaged, cut or contradictory.
    #[must_use]
    pub fn warning(at: Option<u64>, message: impl Into<String>) -> Self {
        Note { severity: Severity::Warning, source: None, at, message: message.into() }
    }
}

/// One thing that went wrong, as the tool told it, with its place in the input.
///
/// Parsers make these; they say what the tool said and know no kind.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Failure {
    /// What failed: a case, a suite, the run, a diagnostic of a tool.
    pub level: Level,
    /// The full name of the test, or of the suite or hook.
    pub test: Option<String>,
    /// The place in the project that it points at.
    pub file: Option<FileRef>,
    /// Where in the life of the job it happened.
    pub phase: Option<Phase>,
    /// What the report itself says it is.
    pub signal: Option<Signal>,
    /// The type or code that the tool named: `AssertionError`, `E0432`, `TS2307`.
    pub type_name: Option<String>,
    /// What it is about, where the format has a field for it.
    pub subject: Option<String>,
    /// The message, then details such as a stack, line by line, without color codes. Bounded by the parser.
    pub text: Vec<TextLine>,
    /// The whole failure in the original input.
    pub span: Span,
    /// How many errors this one stands for; 0 is read as 1.
    pub count: u64,
    /// It only repeats or follows from another failure.
    pub follow_on: bool,
    /// The task that it belongs to, in a message about several.
    pub task: Option<String>,
    /// When it was printed, in milliseconds since 1970, where its log stamps each line and its text says when to try
    /// again.
    pub stamp_ms: Option<u64>,
}

/// At which level something failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Level {
    /// A test case.
    #[default]
    Case,
    /// A suite, a file of tests or a hook, outside any case.
    Suite,
    /// The run as a whole.
    Run,
    /// A compiler, linter, installer or other tool said it in a block of its own.
    Diagnostic,
    /// A single line of a log.
    Line,
    /// Somebody claims it in a message.
    Claim,
}

/// What a report says about a failure by its own fields, before its text is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Signal {
    /// The tool itself says that a time limit of the test was passed.
    TestTimeout,
    /// An assertion library raised it, and its words may name another error, such as a rejection that was not expected.
    Assertion,
    /// An expectation about values does not hold; the values may hold any words, so these are not searched.
    Expectation,
    /// A snapshot differs, is obsolete or was not written.
    Snapshot,
    /// The suite could not be loaded or collected.
    Load,
    /// A hook or fixture failed: set-up or tear-down.
    Hook,
    /// The process of the test died.
    Crash,
    /// The run was interrupted or aborted.
    Interrupted,
    /// An exception outside any test.
    Unhandled,
    /// An exception that ends no program: in a thread, a task that nobody waits for, a finalizer.
    Aside,
    /// No test ran.
    NoTests,
    /// The coverage demanded was not reached.
    Coverage,
    /// A compiler or type checker says so.
    Compile,
    /// A line that may be a finding of a linter; it counts only where nothing else does.
    Remark,
    /// A linker says so.
    Link,
    /// A linter or formatter says so.
    Lint,
    /// The configuration of a tool is invalid.
    Config,
    /// A name that a validator's message gives to broken test doubles.
    Mock,
    /// A race or leak detector says so.
    Race,
}

/// One line of a failure's text with its place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextLine {
    /// The text, without color codes, prefixes and line end.
    pub text: String,
    /// Where it stands in the original input.
    pub span: Span,
}

/// A place in the original input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// The 1-based first line; 0 where it is not known.
    pub line: u64,
    /// The 1-based last line.
    pub last_line: u64,
    /// The offset of the first byte.
    pub byte_start: u64,
    /// The offset behind the last byte.
    pub byte_end: u64,
}

impl Span {
    /// A span on one line.
    #[must_use]
    pub const fn on_line(line: u64, byte_start: u64, byte_end: u64) -> Self {
        Span { line, last_line: line, byte_start, byte_end }
    }

    /// The smallest span that holds both.
    #[must_use]
    pub fn join(self, other: Span) -> Span {
        Span {
            line: self.line.min(other.line),
            last_line: self.last_line.max(other.last_line),
            byte_start: self.byte_start.min(other.byte_start),
            byte_end: self.byte_end.max(other.byte_end),
        }
    }
}
