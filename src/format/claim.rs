//! What a sentence of a message claims: good or bad, about what, and how many tests.
//!
//! The messages of validators, coordinators and workers are prose. A sentence counts as a claim of trouble only
//! when it speaks of the present: what was fixed, what no longer happens, what somebody should do next and what was
//! true before are told in the same words and are none. The kind of the trouble is left to the rules.

use std::sync::LazyLock;

use crate::pattern::Regex;

use crate::item::read_count;
use crate::kind::Phase;
use crate::pattern;
use crate::report::{Counts, Outcome, Signal};

/// How a line or a section speaks of things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Trouble: issues, failures, a cross.
    Bad,
    /// Success, or trouble that is over.
    Good,
    /// Plans, requests, logs of work, recommendations: trouble named there is told elsewhere.
    Aside,
    /// Neither.
    Open,
}

/// The signs that agents put in front of a line instead of a word.
const GOOD_SIGNS: &[&str] = &["✅", "✔", "☑", "🟢", "[x]", "[X]", "[✓]", "🎉"];
const BAD_SIGNS: &[&str] = &["❌", "✗", "✘", "🔴", "[✗]", "⛔", "🛑"];

static OVER: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)\bno (?:more|longer)\b|\b(?:did|do|does)(?: not|n't) (?:exist|occur|happen|reproduce)|\b(?:resolved|fixed|repaired|restored|corrected|eliminated|cleared)\b|\bno (?:\w+ ){0,3}(?:errors?|failures?|issues?|problems?|warnings?|blockers?|vulnerabilit(?:y|ies))\b|\bnot reproduc|\bwithout (?:any )?(?:errors?|failures?)|\b(?:0|zero) (?:\w+ ){0,2}(?:errors?|failed|failures?|failing|vulnerabilit(?:y|ies))\b|\bnow (?:pass|work)|\bused to\b|\bpreviously\b|\bwas (?:already )?working\b|\bsuccessfully (?:fixed|resolved|completed)|\bsupposed\b|\b(?:is|are|was|were|and) (?:all |fully |both )?(?:expected|intentional|harmless|by design|as designed|benign)(?:[.,;)]|$)|\b(?:false positives?|can be ignored|safe to ignore)\b|^(?:[Ii] )?(?:have )?(?:handled|covered|implemented)\b",
    )
});

static REQUEST: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)^(?:please |immediately |properly |then |also )*(?:fix|resolve|address|verify|configure|assign|re-?run|monitor|focus|update|investigate|ensure|restart|spawn|add|implement|install|check|review|retry|re-?validate|re-?submit|re-?build|consider|need|needs|must|should|create|correct|clear|restore|repair|debug|wait|await|request|report|escalate|continue|confirm|use|provide|grant|enable|increase)\b",
    )
});

static TROUBLE: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)\b(?:fail(?:s|ed|ing|ures?)?|broken|breaks|errors?|missing|can ?not|can't|unable|denied|forbidden|refused|reset|timeouts?|timed out|time[- ]out|crash(?:es|ed|ing)?|undefined|exceeded|not found|unreachable|unavailable|hangs?|hung|stalled|rejected|empty|limits?|limiting|blocked|unauthorized|expired|mismatch(?:es)?|problems?|issues?|not (?:properly )?(?:configured|mocked|set|defined|installed|exist|allowed|permitted)|incomplete|does not|do not|don't|doesn't|(?-i:E[A-Z]{4,})|vulnerabilit(?:y|ies)|conflicts?|revoked|exit(?:ed with)? (?:code|status) [1-9]\d*)\b|\b(?:401|402|403|404|429|500|502|503|504)\b|\w+(?:Error|Exception)\b",
    )
});

static RATIO: LazyLock<Regex> = LazyLock::new(|| regex(r"(\d{1,7}) ?(?:/|of|out of) ?(\d{1,7})\b"));
static COUNT: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)(\d{1,7}) (?:tests? |test cases? |cases? |specs? )?(failed|failing|failures?|passed|passing|passes|skipped|pending|todo|total|errors|errored)\b",
    )
});
static LABELED: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)\b(failed|failing|failures?|passed|passing|skipped|pending|todo|total|errors|errored)\s*[:=]\s*(\d{1,7})\b",
    )
});
static OUT_OF: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)(\d{1,7}) (?:tests? |test )?(failures?|failed|failing|fail|errors|passed|passing|pass)\b[^.\d/]{0,40}?\b(?:out of|of)(?: the| all| a total of)? (\d{1,7})\b",
    )
});
static WORD: LazyLock<Regex> = LazyLock::new(|| regex(r"[A-Za-z@][\w@./-]*"));
static ID: LazyLock<Regex> = LazyLock::new(|| regex(r"^[A-Za-z][A-Za-z0-9]*(?:[-_][A-Za-z0-9]+)+$"));
static ASKED: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"\b(?i:escalat(?:e|ed|ion|ing)|report|appeal|refer(?:red)?)\b[^.:;]{0,30}?\bto (?:the )?(?:(?P<name>[A-Z][\w-]*(?: [A-Z][\w-]*){0,2})|(?P<role>[a-z]+-[a-z]+|owner|lead|maintainers?|manager|human|operator))\b",
    )
});
static PRIORITY: LazyLock<Regex> = LazyLock::new(|| regex(r"\bP(?P<level>[0-4])\b"));
static SESSION: LazyLock<Regex> =
    LazyLock::new(|| regex(r"\bagent:[\w.-]+:(?:subagent|acp|cron|session|thread):[\w:.-]*\w"));

fn regex(pattern: &str) -> Regex {
    pattern::regex(pattern)
}

/// A line without the marks of Markdown: list signs, quotes, headings, emphasis. Code marks stay.
pub(crate) fn plain(line: &str) -> String {
    let mut text = line.trim();
    loop {
        let before = text;
        text = text.trim_start_matches(['>', '#']).trim_start();
        for sign in ["- ", "* ", "+ ", "• "] {
            text = text.strip_prefix(sign).unwrap_or(text).trim_start();
        }
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        if (1..=3).contains(&digits) {
            let rest = &text[digits..];
            text = rest.strip_prefix(". ").or_else(|| rest.strip_prefix(") ")).unwrap_or(text).trim_start();
        }
        if text == before {
            break;
        }
    }
    text.replace("**", "").replace("__", "").trim().to_owned()
}

/// Who is asked to act, in a sentence that says so: `escalation to Person Manager`, `Report to the owner`.
pub(crate) fn asked(text: &str) -> Option<String> {
    let found = ASKED.captures(text)?;
    let name = found.name("name").or_else(|| found.name("role"))?.as_str();
    Some(name.trim_end_matches(" L").to_owned())
}

/// The priority that a text gives: 0 for `P0`.
pub(crate) fn priority(text: &str) -> Option<u8> {
    let found = PRIORITY.captures(text)?;
    found["level"].parse().ok()
}

/// The sign in front of a plain line, and the line behind it.
pub(crate) fn signed(text: &str) -> (Tone, &str) {
    let mut text = text.trim_start();
    let mut tone = Tone::Open;
    loop {
        let inner = text.strip_prefix('[').unwrap_or(text);
        let good = GOOD_SIGNS.iter().find_map(|sign| text.strip_prefix(sign).or_else(|| inner.strip_prefix(sign)));
        let bad = BAD_SIGNS.iter().find_map(|sign| text.strip_prefix(sign).or_else(|| inner.strip_prefix(sign)));
        let (found, rest) = match (good, bad) {
            (Some(rest), _) => (Tone::Good, rest),
            (_, Some(rest)) => (Tone::Bad, rest),
            _ => break,
        };
        if tone == Tone::Open {
            tone = found;
        }
        text = rest.trim_start_matches('\u{fe0f}').trim_start_matches(']').trim_start();
    }
    (tone, text.strip_prefix("[ ]").map_or(text, str::trim_start))
}

/// How a section speaks, by its heading.
pub(crate) fn section_tone(heading: &str) -> Tone {
    let text = plain(heading);
    let (sign, rest) = signed(&text);
    if sign != Tone::Open {
        return sign;
    }
    if let Outcome::Failed | Outcome::Passed = verdict(rest) {
        let bad = verdict(rest) == Outcome::Failed;
        // `Build Status: ❌ FAIL` speaks of one check; `Reasons for Failure` is told by the words below.
        if BAD_SIGNS.iter().any(|sign| rest.contains(sign)) || GOOD_SIGNS.iter().any(|sign| rest.contains(sign)) {
            return if bad { Tone::Bad } else { Tone::Good };
        }
    }
    let lower = rest.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if has(&[
        "recommend",
        "next step",
        "next action",
        "required",
        "needed",
        "to do",
        "todo",
        "approach",
        "work log",
        "files changed",
        "files updated",
        "timeline",
        "plan",
        "reasoning",
        "what i",
        "what was fixed",
        "follow-up",
        "acceptance criteria",
        "how to",
        "background",
        "lessons",
        "sent to",
        "history",
        "proposed",
        "suggest",
        "previous",
        "before",
        "original",
        "instructions",
        "handoff",
    ]) {
        return if has(&["unmet", "not met"]) { Tone::Bad } else { Tone::Aside };
    }
    if has(&[
        "fixed",
        "resolved",
        "passes",
        "what works",
        "success",
        "verified",
        "strength",
        "completed",
        "achievement",
    ]) {
        return Tone::Good;
    }
    if has(&[
        "issue",
        "fail",
        "problem",
        "error",
        "blocker",
        "broken",
        "constraint",
        "reasons",
        "defect",
        "bug",
        "incident",
        "violation",
        "root cause",
        "limitation",
        "concern",
    ]) {
        return Tone::Bad;
    }
    Tone::Open
}

/// Whether a plain line claims that something is wrong now, in a section of the given tone.
pub(crate) fn is_trouble(text: &str, section: Tone) -> bool {
    let (sign, rest) = signed(text);
    if sign == Tone::Good || rest.ends_with(['✅', '✔']) {
        return false;
    }
    let head = rest.split_once(": ").map_or(rest, |(_, value)| value);
    if sign == Tone::Open && signed(head).0 == Tone::Good {
        return false;
    }
    // A hedge names what came out well beside what did not; it is trouble all the same.
    if OVER.is_match(&unquoted(rest)) && !is_hedged(rest) {
        return false;
    }
    match (sign, section) {
        (Tone::Bad, _) => true,
        (_, Tone::Good | Tone::Aside) => false,
        (_, Tone::Bad | Tone::Open) => {
            !REQUEST.is_match(rest) && (TROUBLE.is_match(rest) || signal(rest, None).is_some())
        }
    }
}

/// A line without what it quotes, which is somebody else's word.
fn unquoted(text: &str) -> String {
    let mut parts = text.split('"');
    let mut kept = parts.next().unwrap_or("").to_owned();
    while let Some(quoted) = parts.next() {
        match parts.next() {
            Some(rest) => kept.push_str(rest),
            // A quote that nothing closes is an inch.
            None => kept.push_str(quoted),
        }
    }
    kept
}

/// What a claim says of a test in the words that runners use.
pub(crate) fn signal(text: &str, phase: Option<Phase>) -> Option<Signal> {
    static EXPECTED: LazyLock<Regex> = LazyLock::new(|| {
        regex(r"(?i)\bexpected\b.{1,200}?\b(?:got|received|but was|but found|to (?:be|equal|contain))\b")
    });
    static SLOW: LazyLock<Regex> =
        LazyLock::new(|| regex(r"(?i)\btimeout of \d+ ?(?:ms|s|seconds) exceeded|\bexceeded (?:the )?timeout of \d"));
    static SNAPSHOT: LazyLock<Regex> = LazyLock::new(|| {
        regex(
            r"(?i)\bsnapshots? (?:(?:does|do|did) ?(?:not|n't) match|mismatch|differs?)|\b[1-9]\d* (?:\w+ )?snapshots? (?:failed|are obsolete|obsolete)",
        )
    });
    static COVERED: LazyLock<Regex> = LazyLock::new(|| {
        regex(
            r"(?i)\bcoverage\b.{0,40}\b\d[\d.]* ?%.{0,40}\b(?:required|minimum|threshold|below|under|needed|wanted)\b|\bcoverage\b.{0,40}\b(?:below|under|short of|less than)\b",
        )
    });
    static LINT: LazyLock<Regex> = LazyLock::new(|| {
        regex(
            r"(?i)\b(?:eslint|prettier|stylelint|biome|ruff|flake8|pylint|black|clippy|rustfmt|gofmt|golangci-lint|rubocop|phpcs|ktlint|checkstyle|lint(?:er|ing)?)\b[`'\x22]?(?: \w+){0,3}? (?:fails?|failed|failing|reports?|reported|finds?|found|complains?|errors?)\b",
        )
    });
    static TYPES: LazyLock<Regex> = LazyLock::new(|| {
        regex(
            r"(?i)\b(?:type[- ]?check(?:ing|er)?|tsc|mypy|pyright)\b[`'\x22]?(?: \w+){0,3}? (?:fails?|failed|failing|reports?|reported|finds?|found|errors?)\b",
        )
    });
    static VALUES: LazyLock<Regex> = LazyLock::new(|| {
        regex(r"(?i)\bexpected [\d\x22'`-][^,;]{0,80}, (?:but )?(?:got|received|was|found) [\d\x22'`-]")
    });
    // The name of a test has its parts parted.
    let of_test = phase == Some(Phase::Test) || text.contains(" › ") || text.starts_with("expected ");
    match text {
        _ if SNAPSHOT.is_match(text) => Some(Signal::Snapshot),
        _ if COVERED.is_match(text) => Some(Signal::Coverage),
        _ if LINT.is_match(text) => Some(Signal::Lint),
        _ if TYPES.is_match(text) => Some(Signal::Compile),
        _ if of_test && SLOW.is_match(text) => Some(Signal::TestTimeout),
        _ if of_test && EXPECTED.is_match(text) || VALUES.is_match(text) => Some(Signal::Assertion),
        _ => None,
    }
}

/// Whether a claim says by itself that the thing came about after all.
pub(crate) fn is_hedged(text: &str) -> bool {
    let lower = text.to_lowercase();
    let Some(at) = lower.find("but ").or_else(|| lower.find("although ")).or_else(|| lower.find("though ")) else {
        return false;
    };
    let rest = &lower[at..];
    ["created", "success", "went through", "running", "exists", "started", "accepted", "delivered"]
        .iter()
        .any(|word| rest.contains(word))
        && !rest.contains("not ")
}

/// What a text says of how something ended, by words in capitals, signs and plain words; the first decides.
pub(crate) fn verdict(text: &str) -> Outcome {
    const FAILED: &[&str] =
        &["❌", "🔴", "fail", "reject", "not complete", "incomplete", "broken", "blocked", "not approved", "denied"];
    const PASSED: &[&str] =
        &["✅", "🟢", "pass", "success", "succeed", "approved", "complete", "verified", "exit code 0", "works"];
    let lower = text.to_lowercase();
    let first = |words: &[&str]| words.iter().filter_map(|word| lower.find(word)).min();
    match (first(FAILED), first(PASSED)) {
        (Some(failed), Some(passed)) if failed > passed => {
            // `NOT PASSED` and `completely fails` hold a word of both lists.
            if lower[passed..].starts_with("complete") { Outcome::Failed } else { Outcome::Passed }
        }
        (Some(_), _) => Outcome::Failed,
        (None, Some(passed)) => {
            let before = lower[..passed].trim_end();
            if before.ends_with("not")
                || before.ends_with("cannot")
                || lower.contains("in progress")
                || lower.contains("in-progress")
            {
                Outcome::Unknown
            } else {
                Outcome::Passed
            }
        }
        (None, None) => Outcome::Unknown,
    }
}

/// A line of the form `name: value`, its name in lower case without signs.
pub(crate) fn field(text: &str) -> Option<(String, &str)> {
    let (_, text) = signed(text);
    let (name, value) = text.split_once(':')?;
    let name = name.trim();
    let short = !name.is_empty() && name.chars().count() <= 40 && name.split_whitespace().count() <= 5;
    let plain = name.chars().all(|character| character.is_alphanumeric() || " -_/&()".contains(character));
    (short && plain && !value.starts_with("//")).then(|| (name.to_lowercase(), value.trim()))
}

/// Where in the life of the job the claim belongs.
pub(crate) fn phase(text: &str) -> Option<Phase> {
    let lower = text.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    if has(&[
        "spawn",
        "sessions_",
        "sub-agent",
        "subagent",
        "gateway",
        "worker slot",
        "allowlist",
        "worker assignment",
        "agent dispatch",
    ]) {
        return Some(Phase::Dispatch);
    }
    // A build that is told to fail is the build's, although tests are named beside it.
    let build = ["build", "compil", "bundl", "webpack", "typecheck", "type check", "tsc"]
        .iter()
        .filter_map(|word| lower.find(word))
        .min();
    let test = ["test", "mock", "spec ", "jest", "vitest", "pytest", "coverage", "playwright", "component"]
        .iter()
        .filter_map(|word| lower.find(word))
        .min();
    match (build, test) {
        (Some(build), Some(test)) => Some(if build < test { Phase::Build } else { Phase::Test }),
        (Some(_), None) => Some(Phase::Build),
        (None, Some(_)) => Some(Phase::Test),
        (None, None) if has(&["lint", "prettier", "formatting"]) => Some(Phase::Lint),
        (None, None) if has(&["deploy", "publish", "release"]) => Some(Phase::Deploy),
        (None, None) if has(&["install", "checkout", "clone"]) => Some(Phase::Setup),
        (None, None) => None,
    }
}

/// Whether a text says that a test double is broken or missing.
pub(crate) fn names_mock(text: &str) -> bool {
    let lower = text.to_lowercase();
    let double = lower.split(|character: char| !character.is_alphanumeric()).any(|word| {
        matches!(
            word,
            "mock" | "mocks" | "mocking" | "mocked" | "stub" | "stubs" | "double" | "doubles" | "fake" | "fakes"
        )
    });
    double
        && ["broken", "missing", "not ", "incomplete", "problem", "issue", "fail", "wrong", "invalid", "error", "setup", "lacks"]
            .iter()
            .any(|word| lower.contains(word))
        // A name that is not defined is told by its own words.
        && !lower.contains("is not defined")
        && !lower.contains("cannot find module")
}

/// What a claim is about when its words name no better subject: what stands before `tests`, or before the trouble.
pub(crate) fn subject(text: &str) -> Option<String> {
    let (_, text) = signed(text);
    if names_mock(text) {
        let lower = text.to_lowercase();
        // `useModal` in code marks is the thing that is doubled; otherwise it is their set-up as a whole.
        let code = text.split('`').nth(1).filter(|code| !code.contains(' ') && !code.is_empty());
        let named = code.map(|code| code.trim_end_matches("()").to_owned());
        let whole = if lower.contains("stub") { "stub configuration" } else { "mock configuration" };
        return Some(named.unwrap_or_else(|| whole.to_owned()));
    }
    if let Some(scope) = scope_of_tests(text) {
        return Some(scope);
    }
    // The first word with a capital inside or a dot is a name: `LiveKit`, `next.config.js`.
    WORD.find_iter(text)
        .map(|word| word.as_str().trim_end_matches(['.', '-', '/']))
        .find(|word| {
            let inner = word.chars().skip(1).any(char::is_uppercase) && word.chars().any(char::is_lowercase);
            (inner || word.contains('/') || word.contains('_')) && !word.ends_with("Error")
        })
        .map(str::to_owned)
}

/// The name in front of `tests`: `LiveKit` in `12/18 LiveKit client tests failing`.
fn scope_of_tests(text: &str) -> Option<String> {
    let words: Vec<&str> = WORD.find_iter(text).map(|word| word.as_str()).collect();
    let at = words.iter().position(|word| matches!(word.to_lowercase().as_str(), "tests" | "specs" | "suites"))?;
    let before = words[..at].iter().rev().take_while(|word| {
        !matches!(
            word.to_lowercase().as_str(),
            "the"
                | "all"
                | "of"
                | "out"
                | "total"
                | "unit"
                | "failing"
                | "failed"
                | "test"
                | "and"
                | "with"
                | "pnpm"
                | "npm"
                | "run"
                | "running"
                | "by"
                | "in"
                | "from"
                | "verified"
                | "multiple"
                | "many"
                | "some"
                | "other"
                | "additional"
                | "my"
                | "new"
                | "passing"
                | "status"
                | "result"
                | "fix"
                | "fixed"
                | "most"
                | "only"
                | "has"
                | "now"
                | "for"
        )
    });
    before.take(2).last().map(|word| (*word).to_owned())
}

/// Tests counted in a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Tally {
    pub counts: Counts,
    /// The part of the tests that is counted; `None` for all.
    pub scope: Option<String>,
}

/// What a text counts of tests, if it does. `2/2 slots`, `[5/13]` and `9/10 tasks` count none.
pub(crate) fn tally(text: &str) -> Option<Tally> {
    let lower = text.to_lowercase();
    let about_tests = ["test", "spec", "suite", "failing", "failures"].iter().any(|word| lower.contains(word));
    listed(text)
        .or_else(|| out_of(text).filter(|_| about_tests))
        .or_else(|| ratio(text))
        .map(|counts| Tally { counts, scope: scope(text, counts) })
}

fn scope(text: &str, counts: Counts) -> Option<String> {
    // A total stands for all unless a name stands between the figure and `tests`.
    let figure = counts.total.to_string();
    let behind = text.find(&figure).map_or(text, |at| &text[at + figure.len()..]);
    let near = behind.get(..behind.char_indices().nth(48).map_or(behind.len(), |(at, _)| at)).unwrap_or(behind);
    let before = text.find(':').map(|at| &text[..at]);
    scope_of_tests(near).or_else(|| before.and_then(scope_of_tests)).or_else(|| {
        let at = text.find('(').filter(|at| !text[..*at].contains(&figure))?;
        scope_of_tests(&text[..at])
    })
}

/// `96 failed / 353 passed / 4 skipped (453 total)`, in any order.
fn listed(text: &str) -> Option<Counts> {
    let mut counts = Counts::default();
    let (mut failed, mut passed, mut total) = (None, None, None);
    let pairs = COUNT
        .captures_iter(text)
        .map(|found| (found[2].to_lowercase(), read_count(&found[1])))
        .chain(LABELED.captures_iter(text).map(|found| (found[1].to_lowercase(), read_count(&found[2]))));
    for (word, number) in pairs {
        let Some(number) = number else { continue };
        match word.as_str() {
            "failed" | "failing" | "failure" | "failures" => failed = failed.or(Some(number)),
            "passed" | "passing" | "passes" => passed = passed.or(Some(number)),
            "skipped" | "pending" | "todo" => counts.skipped += number,
            "total" => total = total.or(Some(number)),
            _ => counts.errored += number,
        }
    }
    // One figure alone counts nothing: `3 failed` may be steps.
    if failed.is_none() && passed.is_none() || [failed, passed, total].iter().flatten().count() < 2 {
        return None;
    }
    counts.failed = failed.unwrap_or(0);
    counts.passed = passed;
    counts.total = total.unwrap_or(counts.failed + passed.unwrap_or(0) + counts.skipped);
    if failed.is_none()
        && let (Some(total), Some(passed)) = (total, passed)
    {
        counts.failed = total.saturating_sub(passed + counts.skipped);
    }
    (counts.failed <= counts.total).then_some(counts)
}

/// `96 failures out of 453 tests`.
fn out_of(text: &str) -> Option<Counts> {
    let found = OUT_OF.captures(text)?;
    let (count, total) = (read_count(&found[1])?, read_count(&found[3])?);
    counted(count, total, found[2].to_lowercase().starts_with("pass"))
}

/// How many bytes before and behind a figure are looked at.
const REACH: usize = 400;

/// How many figures of one sentence are looked at.
const MAX_RATIOS: usize = 100;

/// `12/18 LiveKit tests failing`, `25/29 tests passing`: the nearest word decides which.
fn ratio(text: &str) -> Option<Counts> {
    for found in RATIO.captures_iter(text).take(MAX_RATIOS) {
        let whole = found.get(0)?;
        // What is farther off than a sentence says nothing of a figure.
        let mut from = whole.start().saturating_sub(REACH);
        let mut to = text.len().min(whole.end() + REACH);
        from += (from..whole.start()).take_while(|at| !text.is_char_boundary(*at)).count();
        to += (to..text.len()).take_while(|at| !text.is_char_boundary(*at)).count();
        let (before, behind) = (&text[from..whole.start()], &text[whole.end()..to]);
        let bracket = before.ends_with('[') && behind.starts_with(']');
        let longer = before.ends_with(['/', '-', '.', '#', ':'])
            || behind.starts_with(['/', '-'])
            || behind.starts_with(|c: char| c.is_alphanumeric());
        let past = ["from", "vs", "vs.", "versus", "was", "were", "originally", "previously", "original", "earlier"];
        let word_before = before.split_whitespace().next_back().unwrap_or("").to_lowercase();
        if bracket || longer || past.contains(&word_before.trim_matches(['(', ',', '*', '~'])) {
            continue;
        }
        let (count, total) = (read_count(&found[1])?, read_count(&found[2])?);
        let near_behind: Vec<String> =
            WORD.find_iter(clause(behind)).take(7).map(|word| word.as_str().to_lowercase()).collect();
        let near_before: Vec<String> =
            WORD.find_iter(last_clause(before)).map(|word| word.as_str().to_lowercase()).collect();
        const OTHERS: &[&str] = &[
            "slots",
            "slot",
            "tasks",
            "task",
            "pages",
            "page",
            "phases",
            "phase",
            "steps",
            "step",
            "workers",
            "worker",
            "files",
            "file",
            "criteria",
            "items",
            "agents",
            "jobs",
            "checks",
            "static",
            "commits",
            "points",
            "percent",
            "attempts",
            "attempt",
            "retries",
            "packages",
            "shards",
            "days",
            "hours",
            "modules",
            "components",
        ];
        if near_behind.first().is_some_and(|word| OTHERS.contains(&word.as_str()))
            || near_behind.iter().take(2).any(|word| OTHERS.contains(&word.as_str()))
        {
            continue;
        }
        let sense = |word: &String| {
            if word.starts_with("fail") || word == "broken" || word == "red" {
                Some(false)
            } else if word.starts_with("pass") || word == "green" || word.starts_with("succe") {
                Some(true)
            } else {
                None
            }
        };
        let tests =
            |word: &String| matches!(word.as_str(), "test" | "tests" | "specs" | "spec" | "suite" | "cases" | "unit");
        let behind_at = near_behind.iter().position(|word| sense(word).is_some());
        let before_at = near_before.iter().rev().take(6).position(|word| sense(word).is_some());
        let passing = match (behind_at, before_at) {
            (Some(behind), Some(before)) if before + 1 < behind => near_before.iter().rev().nth(before).and_then(sense),
            (Some(behind), _) => sense(&near_behind[behind]),
            (None, Some(before)) => near_before.iter().rev().nth(before).and_then(sense),
            (None, None) => None,
        };
        let about_tests = near_behind.iter().any(tests) || near_before.iter().any(tests);
        let Some(passing) = passing.filter(|_| about_tests) else { continue };
        if let Some(counts) = counted(count, total, passing) {
            return Some(counts);
        }
    }
    None
}

fn counted(count: u64, total: u64, passing: bool) -> Option<Counts> {
    if count > total || total == 0 {
        return None;
    }
    let mut counts = Counts { total, ..Counts::default() };
    if passing {
        counts.passed = Some(count);
        counts.failed = total - count;
    } else {
        counts.failed = count;
    }
    Some(counts)
}

fn clause(text: &str) -> &str {
    let end = text.find([',', ';', '(', ')', '.']).unwrap_or(text.len());
    // `(86%)` between the figure and its word says nothing.
    let skip = text.trim_start();
    if skip.starts_with('(') && skip.find(')').is_some_and(|at| at < 8) {
        return clause(&skip[skip.find(')').map_or(0, |at| at + 1)..]);
    }
    &text[..end]
}

fn last_clause(text: &str) -> &str {
    text.rfind([',', ';']).map_or(text, |at| &text[at + 1..])
}

/// Whether a word has the form of a task's id: `melo-infra-1`, `TASK-12`, `p0-1-categorize-failures`.
pub(crate) fn is_task_id(word: &str) -> bool {
    let digits = word.bytes().any(|byte| byte.is_ascii_digit());
    word.len() <= 80
        && digits
        && ID.is_match(word)
        && !word.starts_with("agent-")
        // An acceptance criterion is none, nor is a product with its version.
        && !word.starts_with("AC-")
        && !word.rsplit('-').next().is_some_and(|last| {
            last.strip_prefix(['v', 'V']).is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
        })
        // A commit or a session is no task.
        && !word.split(['-', '_']).all(|part| part.len() >= 4 && part.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// The ids of tasks in a text, in their order.
pub(crate) fn task_ids(text: &str) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for word in text.split(|character: char| character.is_whitespace() || ",;()[]`*\"'".contains(character)) {
        let word = word.trim_end_matches([':', '.', '-', '—']);
        if is_task_id(word) && !ids.iter().any(|known| known == word) {
            ids.push(word.to_owned());
        }
    }
    ids
}

/// The key of a session of an agent runtime in a text.
pub(crate) fn session(text: &str) -> Option<&str> {
    SESSION.find(text).map(|found| found.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn counts(text: &str) -> (u64, Option<u64>, u64, Option<String>) {
        let Tally { counts, scope } = tally(text).unwrap_or_else(|| panic!("nothing counted in {text:?}"));
        (counts.total, counts.passed, counts.failed, scope)
    }

    #[test]
    fn the_nearest_word_decides_what_a_ratio_counts() {
        assert_eq!(counts("Tests: 12/18 LiveKit tests failing"), (18, None, 12, Some("LiveKit".into())));
        assert_eq!(counts("22/23 ChatInput tests failed"), (23, None, 22, Some("ChatInput".into())));
        assert_eq!(counts("Result: 25/29 tests passing (86% pass rate)"), (29, Some(25), 4, None));
        assert_eq!(counts("Tests Passing: 25/29 (86% pass rate)").0, 29);
        assert_eq!(counts("Client tests: 14/18 client tests pass (major)"), (18, Some(14), 4, Some("client".into())));
        assert_eq!(counts("LiveKit client tests (12/18 failed):"), (18, None, 12, Some("LiveKit".into())));
    }

    #[test]
    fn totals_are_read_and_not_inferred() {
        let all = tally("FAIL - Test suite: 96 failed / 353 passed / 4 skipped (453 total)").unwrap().counts;
        assert_eq!((all.total, all.passed, all.failed, all.skipped), (453, Some(353), 96, 4));
        assert_eq!(counts("96 failures out of 453 total tests"), (453, None, 96, None));
        assert_eq!(counts("Test suite has 96 failures out of 453 tests."), (453, None, 96, None));
        assert_eq!(counts("96/453 tests failing."), (453, None, 96, None));
    }

    #[test]
    fn other_ratios_count_no_tests() {
        for text in [
            "Utilized available worker capacity (2/2 slots now occupied)",
            "Status: 9/10 tasks complete",
            "[5/13] building",
            "50/50 static pages generated",
            "up from 12/29",
            "2026/02/23 tests failing",
        ] {
            assert_eq!(tally(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_over_is_no_trouble() {
        for text in [
            "✅ Rate Limiting: Fixed test isolation issues that caused \"too many concurrent rooms\" errors",
            "The described ENOENT build failures DID NOT EXIST:",
            "No more \"too many concurrent rooms\" errors",
            "[x] lib/livekit/config.ts missing",
            "Fix build system - resolve ENOENT missing file paths",
        ] {
            assert!(!is_trouble(text, Tone::Bad), "{text}");
        }
        for text in ["LiveKit tests failing with rate limit exceeded errors", "❌ Cannot spawn workers"] {
            assert!(is_trouble(text, Tone::Bad), "{text}");
        }
    }

    #[test]
    fn ids_are_not_dates_or_hashes() {
        assert_eq!(task_ids("# Validation: melo-infra-1, melo-infra-2 (2026-02-23)"), ["melo-infra-1", "melo-infra-2"]);
        assert!(task_ids("agent:main:subagent:7a9a72a7-8a7f-43fc-98be-4e096bfd6ac3").is_empty());
    }

    #[test]
    fn a_word_of_both_lists_is_read_whole() {
        assert_eq!(verdict("COMPLETELY FAILS"), Outcome::Failed);
        assert_eq!(verdict("✅ PASS (implementation correct, test infrastructure issue)"), Outcome::Passed);
        assert_eq!(verdict("❌ FAIL"), Outcome::Failed);
        assert_eq!(verdict("in-progress"), Outcome::Unknown);
    }
}
