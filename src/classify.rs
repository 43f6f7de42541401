//! From a failure or a line of a log to its kind, subject and evidence.
//!
//! What a report says by its own fields (a [`Signal`]) comes first where it is firm; then the rules read the text.
//! The best rank wins, then the earliest line. What the text changes about the nature is a table in [`flip`].

use crate::item::LogLine;
use crate::kind::{Kind, Nature, Phase};
use crate::report::{Failure, Level, Signal, TextLine};
use crate::rules::{Match, Rank, Role, RuleSet};
use crate::words;

mod memo;

pub(crate) use memo::Memo;

/// How many lines of a failure's text are read.
const MAX_TEXT_LINES: usize = 400;

/// What a failure or a line was found to be.
#[derive(Clone, Debug)]
pub(crate) struct Verdict {
    pub kind: Kind,
    pub nature: Nature,
    pub phase: Phase,
    pub subject: Option<String>,
    /// The id of the rule or signal.
    pub rule: String,
    pub rank: Rank,
    pub role: Role,
    /// Why the nature is not the kind's default.
    pub flip: Option<String>,
    /// The kinds that this one explains when they come later.
    pub explains: Vec<Kind>,
    /// It can be the cause although the tool that printed it ended well.
    pub survives: bool,
    /// The decisive line.
    pub line: TextLine,
    /// The next kind that the text supports, with the rank and the id of its rule.
    pub runner_up: Option<(Kind, Rank, String)>,
}

/// What a line of a log was found to be, or nothing.
pub(crate) fn classify_line(rules: &RuleSet, line: &LogLine, memo: &mut Memo) -> Option<Verdict> {
    let context = || -> Box<dyn Iterator<Item = &str>> { Box::new(line.before.iter().map(String::as_str)) };
    let mut found = memo.matches(rules, &line.text, Some(&line.rules), context).into_iter();
    let best = found.next()?;
    // What is ticked off went well, whatever it is called.
    if matches!(best.rule.role, Role::Root | Role::FollowOn)
        && line.text.trim_start().starts_with(['✓', '✔', '√', '✅'])
    {
        return None;
    }
    // A line that no other rule takes for a failure is not passed over.
    if best.rule.role == Role::Decoy && !found.any(|other| other.rule.role == Role::Root) {
        return None;
    }
    let text = TextLine { text: line.text.clone(), span: line.span };
    let mut verdict = verdict(&best, text, None);
    let next = found.find_map(|other| contender(&other, verdict.kind));
    verdict.runner_up = next.map(|(kind, rank, id)| (kind, rank, id.to_owned()));
    Some(verdict)
}

/// A match as the next best, if it names another kind.
fn contender<'r>(other: &Match<'r>, kind: Kind) -> Option<(Kind, Rank, &'r str)> {
    let rule = other.rule;
    let named = rule.kind.filter(|named| *named != kind && rule.role == Role::Root)?;
    Some((named, rule.rank, &*rule.id))
}

/// What a failure was found to be.
pub(crate) fn classify(rules: &RuleSet, failure: &Failure, memo: &mut Memo) -> Verdict {
    let mut best: Option<(Match<'_>, &TextLine)> = None;
    let mut others: Vec<(Kind, Rank, &str)> = Vec::new();
    let text = &failure.text[..failure.text.len().min(MAX_TEXT_LINES)];
    for line in text {
        let context = || -> Box<dyn Iterator<Item = &str>> { Box::new(text.iter().map(|line| line.text.as_str())) };
        let found = memo.matches(rules, &line.text, None, context);
        others.extend(found.iter().filter_map(|other| contender(other, Kind::Unclassified)));
        let found = found.into_iter().next();
        let Some(found) = found.filter(|found| found.rule.role == Role::Root) else { continue };
        if best.as_ref().is_none_or(|(known, _)| found.rule.rank > known.rule.rank) {
            best = Some((found, line));
        }
    }
    let mut lines = text.iter().filter(|line| !line.text.trim().is_empty());
    let first = match lines.next() {
        // The head of a panic tells where, and the next line what.
        Some(head) if failure.signal == Some(Signal::Unhandled) && ends_with_place(&head.text) => {
            lines.find(|line| !ends_with_place(&line.text)).or(Some(head))
        }
        first => first,
    };
    let fallback = TextLine { text: failure.test.clone().unwrap_or_default(), span: failure.span };
    let decisive = || first.cloned().unwrap_or_else(|| fallback.clone());
    let from_signal = |kind: Kind, name: &str, line: TextLine| Verdict {
        kind,
        nature: kind.nature(),
        phase: failure.phase.unwrap_or(Phase::Unknown),
        subject: failure.subject.clone(),
        rule: format!("signal/{name}"),
        rank: Rank::Usual,
        role: Role::Root,
        flip: None,
        explains: Vec::new(),
        survives: false,
        line,
        runner_up: None,
    };
    let mut found = match (failure.signal.map(meaning), best) {
        // A firm signal needs no words.
        (Some(Meaning { kind, name, firm: true }), best) => {
            let mut found = from_signal(kind, name, decisive());
            if failure.signal == Some(Signal::Remark) {
                found.rank = Rank::Generic;
            }
            if let Some((known, line)) = best.filter(|(known, _)| known.rule.kind == Some(kind)) {
                found.subject = found.subject.or(known.subject_in(&line.text));
                found.line = line.clone();
            }
            found
        }
        // Otherwise the words refine it, unless they are words that mean little.
        (signal, Some((known, line))) if known.rule.rank > Rank::Generic || signal.is_none() => {
            verdict(&known, line.clone(), failure.phase)
        }
        (Some(Meaning { kind, name, .. }), _) => {
            let line = decisive();
            match thrown(failure, &line.text) {
                Some((kind, subject)) => {
                    let subject = failure.subject.clone().or(subject);
                    Verdict { subject, rule: words::RULE.to_owned(), ..from_signal(kind, name, line) }
                }
                None => from_signal(kind, name, line),
            }
        }
        (None, _) => {
            let mut found = from_signal(Kind::Unclassified, "none", decisive());
            found.rank = Rank::Generic;
            // A test that failed and threw something has thrown something; that is all that can be said.
            if failure.type_name.is_some() {
                found.kind = Kind::UnhandledException;
                found.rule = "signal/exception".to_owned();
                if let Some((kind, subject)) = thrown(failure, &found.line.text) {
                    found = Verdict { kind, subject, rule: words::RULE.to_owned(), ..found };
                }
            } else if matches!(failure.level, Level::Run | Level::Diagnostic) {
                let told = text.iter().find_map(|line| Some((words::guess(&line.text)?, line)));
                if let Some(((kind, subject), line)) = told {
                    found = Verdict { kind, subject, rule: words::RULE.to_owned(), line: line.clone(), ..found };
                }
            }
            found.nature = found.kind.nature();
            found
        }
    };
    if failure.signal == Some(Signal::Aside) {
        found.rank = Rank::Generic;
    }
    let rest = others.into_iter().filter(|(kind, ..)| *kind != found.kind);
    // Of equal ranks the first in the text is the next best.
    found.runner_up = rest.rev().max_by_key(|(_, rank, _)| *rank).map(|(kind, rank, id)| (kind, rank, id.to_owned()));
    if failure.level == Level::Claim {
        // What prose seems to be about is a guess; the words of a rule are better.
        found.subject = found.subject.or(failure.subject.clone());
    } else if failure.subject.is_some() {
        found.subject = failure.subject.clone();
    }
    if found.phase == Phase::Unknown && matches!(failure.level, Level::Case | Level::Suite) {
        found.phase = Phase::Test;
    }
    let test = matches!(failure.level, Level::Case | Level::Suite);
    if test && found.kind == Kind::RateLimit && !text.iter().any(|line| names_remote(&line.text)) {
        found.nature = Nature::Deterministic;
        found.flip =
            Some("no remote service is named in the test that hit the limit: it is the project's own".to_owned());
    }
    flip(&mut found, failure.level);
    found
}

fn verdict(found: &Match<'_>, line: TextLine, phase: Option<Phase>) -> Verdict {
    let rule = found.rule;
    let kind = rule.kind.unwrap_or(Kind::Unclassified);
    let mut verdict = Verdict {
        kind,
        nature: rule.nature.unwrap_or(kind.nature()),
        phase: rule.phase.or(phase).unwrap_or(Phase::Unknown),
        subject: found.subject_in(&line.text),
        rule: rule.id.to_string(),
        rank: rule.rank,
        role: rule.role,
        flip: rule.nature.filter(|nature| *nature != kind.nature()).map(|_| format!("rule {}", rule.id)),
        explains: rule.explains.clone(),
        survives: rule.survives,
        line,
        runner_up: None,
    };
    if phase.is_none() {
        flip(&mut verdict, Level::Line);
    }
    verdict
}

struct Meaning {
    kind: Kind,
    name: &'static str,
    /// The signal decides against any words.
    firm: bool,
}

fn meaning(signal: Signal) -> Meaning {
    let (kind, name, firm) = match signal {
        Signal::TestTimeout => (Kind::TestTimeout, "test-timeout", true),
        Signal::Assertion => (Kind::Assertion, "assertion", false),
        Signal::Expectation => (Kind::Assertion, "expectation", true),
        Signal::Snapshot => (Kind::SnapshotMismatch, "snapshot", true),
        Signal::Load => (Kind::TestInfrastructure, "load", false),
        Signal::Hook => (Kind::UnhandledException, "hook", false),
        Signal::Crash => (Kind::Crash, "crash", false),
        Signal::Interrupted => (Kind::Cancelled, "interrupted", false),
        Signal::Unhandled => (Kind::UnhandledException, "unhandled", false),
        Signal::Aside => (Kind::UnhandledException, "aside", false),
        Signal::NoTests => (Kind::TestInfrastructure, "no-tests", true),
        Signal::Coverage => (Kind::CoverageThreshold, "coverage", true),
        Signal::Compile => (Kind::CompileError, "compile", false),
        Signal::Link => (Kind::LinkError, "link", true),
        Signal::Lint => (Kind::LintViolation, "lint", false),
        Signal::Remark => (Kind::LintViolation, "remark", true),
        Signal::Config => (Kind::InvalidConfig, "config", false),
        Signal::Mock => (Kind::MockFailure, "mock", true),
        Signal::Race => (Kind::DataRace, "race", true),
    };
    Meaning { kind, name, firm }
}

/// Says where a failure happened, if nothing nearer to it said so.
pub(crate) fn set_phase(found: &mut Verdict, phase: Option<Phase>) {
    if let Some(phase) = phase
        && found.phase == Phase::Unknown
    {
        found.phase = phase;
        flip(found, Level::Line);
    }
}

/// Says where a guess happened, and what that changes.
pub(crate) fn settle(found: &mut Verdict, phase: Option<Phase>) {
    found.phase = phase.unwrap_or(found.phase);
    // Who killed it is not told.
    let text = found.line.text.as_str();
    if found.kind == Kind::Crash && ["137", "SIGKILL", "signal 9"].iter().any(|sign| text.contains(sign)) {
        found.nature = Nature::Ambiguous;
    }
    flip(found, Level::Line);
}

/// What the text or the place changes about a nature. Each row says why.
fn flip(found: &mut Verdict, level: Level) {
    let text = found.line.text.as_str();
    let local = || {
        let about = [Some(text), found.subject.as_deref()].into_iter().flatten();
        about.into_iter().any(is_local)
    };
    let change = match found.kind {
        Kind::ConnectionFailure | Kind::Timeout if found.nature == Nature::Transient && is_refusal(text) && local() => {
            Some((
                Nature::Deterministic,
                "the refused connection is to this machine: the job does not start the service",
            ))
        }
        Kind::ConnectionFailure
            if found.nature == Nature::Transient && found.subject.as_deref().is_some_and(is_sidecar) =>
        {
            Some((
                Nature::Deterministic,
                "the host is a service beside the job: the job does not start it or does not wait for it",
            ))
        }
        Kind::Cancelled if found.phase == Phase::Deploy && found.nature == Nature::Transient => Some((
            Nature::Ambiguous,
            "it was stopped while something was published or sent: part of it may have taken effect",
        )),
        Kind::ConnectionFailure | Kind::Timeout | Kind::ServiceUnavailable
            if found.phase == Phase::Deploy && found.nature == Nature::Transient =>
        {
            Some((Nature::Ambiguous, "it broke while something was published or sent: it may have taken effect"))
        }
        Kind::RateLimit | Kind::ConnectionFailure | Kind::ServiceUnavailable | Kind::Timeout
            if level == Level::Claim && found.phase == Phase::Test && found.nature == Nature::Transient =>
        {
            Some((
                Nature::Deterministic,
                "it happens inside the project's own tests: a limiter or service that they share",
            ))
        }
        Kind::Timeout if level == Level::Claim && found.phase == Phase::Dispatch => {
            Some((Nature::Ambiguous, "a call that starts or tells a worker timed out: it may have taken effect"))
        }
        _ => None,
    };
    if let Some((nature, why)) = change
        && found.nature != nature
    {
        found.nature = nature;
        found.flip = Some(why.to_owned());
    }
}

/// What an error of a program's own making is about, where its type says nothing and its words say much.
fn thrown(failure: &Failure, message: &str) -> Option<words::Guess> {
    const VAGUE: &[&str] = &["Error", "Exception", "RuntimeError", "RuntimeException", "IllegalStateException"];
    const PLAIN: &[Kind] = &[
        Kind::Authentication,
        Kind::PermissionDenied,
        Kind::QuotaExceeded,
        Kind::RateLimit,
        Kind::ConnectionFailure,
        Kind::ServiceUnavailable,
        Kind::Timeout,
        Kind::CertificateError,
        Kind::DiskFull,
        Kind::OutOfMemory,
        Kind::InvalidConfig,
        Kind::VersionMismatch,
        Kind::MissingFile,
        Kind::MissingCommand,
        Kind::MissingModule,
    ];
    // What a language throws by itself tells what went wrong; the type of a library mostly tells whose it is.
    const OF_LANGUAGES: &[&str] = &[
        "TypeError",
        "RangeError",
        "SyntaxError",
        "ReferenceError",
        "AssertionError",
        "KeyError",
        "ValueError",
        "IndexError",
        "AttributeError",
        "NameError",
        "ImportError",
        "NotImplementedError",
        "UnicodeDecodeError",
        "UnicodeEncodeError",
        "ZeroDivisionError",
        "RecursionError",
        "NoMethodError",
        "ArgumentError",
        "NullPointerException",
        "IllegalArgumentException",
        "IndexOutOfBoundsException",
        "ClassCastException",
        "NullReferenceException",
        "ArgumentException",
        "InvalidOperationException",
    ];
    let of_program = !matches!(failure.level, Level::Case | Level::Suite | Level::Claim);
    let vague = failure.type_name.as_deref().is_none_or(|name| {
        let last = name.rsplit(['.', ':']).next().unwrap_or(name);
        let typed = last.ends_with("Error") || last.ends_with("Exception");
        VAGUE.contains(&last) || typed && !OF_LANGUAGES.contains(&last)
    });
    if failure.signal.is_some_and(|signal| signal != Signal::Unhandled) || !of_program || !vague {
        return None;
    }
    words::guess(message).filter(|(kind, _)| PLAIN.contains(kind))
}

/// Whether a text ends with a line and a column: `… at src/lib.rs:8:49`.
fn ends_with_place(text: &str) -> bool {
    let mut parts = text.trim_end().trim_end_matches(':').rsplitn(3, ':');
    let mut number =
        || parts.next().is_some_and(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    number() && number() && parts.next().is_some_and(|head| head.contains(" at "))
}

/// Whether a text tells that nobody listens, in the words of the system or of curl.
fn is_refusal(text: &str) -> bool {
    let whole = ["refused", "ECONNREFUSED", "CONNECTION_REFUSED", "Can't reach ", "Cannot reach ", "Could not reach "];
    // `Failed to connect to`, `Couldn't connect to server`, `unable to connect`
    let failed = ["ailed to", "ould not", "ouldn't", "nable to", "annot", "an't"];
    whole.iter().any(|words| text.contains(words))
        || text.match_indices(" connect").any(|(at, _)| failed.iter().any(|words| text[..at].ends_with(words)))
}

/// Whether a text speaks of a service that is not the project's own: its protocol, its status, its hint.
fn names_remote(text: &str) -> bool {
    let signs =
        ["429", "Too Many Requests", "://", "etry-After", "etry after", "ry again in", "HTTP", "RESOURCE_EXHAUSTED"];
    signs.iter().any(|sign| text.contains(sign))
}

/// Whether a host has the name of a service beside a job: one word without a domain, after what it serves.
fn is_sidecar(host: &str) -> bool {
    const SERVICES: &[&str] = &[
        "db",
        "database",
        "postgres",
        "postgresql",
        "pg",
        "mysql",
        "mariadb",
        "mssql",
        "redis",
        "valkey",
        "mongo",
        "mongodb",
        "rabbitmq",
        "kafka",
        "zookeeper",
        "elasticsearch",
        "opensearch",
        "minio",
        "localstack",
        "memcached",
        "cassandra",
        "clickhouse",
        "selenium",
        "keycloak",
        "vault",
        "consul",
        "nats",
        "api",
        "web",
        "app",
        "backend",
    ];
    let host = host.split_once("://").map_or(host, |(_, rest)| rest);
    let name = host.split([':', '/', ' ']).next().unwrap_or(host);
    let stem = |word: &str| word.trim_end_matches(|last: char| last.is_ascii_digit()).to_owned();
    !name.contains('.') && name.split(['-', '_']).any(|word| SERVICES.contains(&stem(word).as_str()))
}

/// Whether a text names this machine.
fn is_local(text: &str) -> bool {
    ["127.0.0.1", "localhost", "[::1]", "::1:", "0.0.0.0", ".sock"].iter().any(|name| text.contains(name))
}
