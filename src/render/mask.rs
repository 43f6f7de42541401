//! What makes a report safe to pass on: secrets are masked, and nothing in it can steer a terminal.
//!
//! Logs are untrusted and are printed into terminals, comments and chats. Every renderer works on the copy that
//! [`safe`] makes. A secret is known by its form: a prefix that its issuer gave it, the place of a password in a URL,
//! or the name of the setting before it. What has no such form cannot be recognized.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

use crate::decide::{Decision, Escalation, Repair};
use crate::report::{
    Candidate, Cause, Claim, Consequence, Evidence, FileRef, HintLine, Ignored, Note, PassedCase, Report,
    SourceSummary, Task,
};

/// What stands in place of a secret.
const MASK: &str = "***";

/// A copy without secrets and control characters.
pub(super) fn safe(report: &Report, decision: &Decision) -> (Report, Decision) {
    let report = safe_report(report);
    let mut decision = decision.clone();
    // A struct is taken apart whole, so that a new field cannot be forgotten.
    let Decision { action: _, reasons, retry: _, checks, plan, escalation, attempt: _ } = &mut decision;
    reasons.iter_mut().chain(checks).for_each(line);
    for Repair { task, phase: _, causes: _, brief } in plan {
        task.iter_mut().for_each(line);
        page(brief);
    }
    if let Some(Escalation { to, need }) = escalation {
        line(to);
        line(need);
    }
    (report, decision)
}

/// A copy of a report without secrets and control characters.
pub(super) fn safe_report(report: &Report) -> Report {
    let mut report = report.clone();
    // Every struct is taken apart whole, so that a new field cannot be forgotten.
    let Report {
        rules,
        outcome: _,
        tests: _,
        causes,
        causes_omitted: _,
        tasks,
        sources,
        notes,
        asked,
        claims,
        ignored,
        passed,
    } = &mut report;
    line(rules);
    asked.iter_mut().for_each(line);
    for cause in causes {
        let Cause {
            kind: _,
            nature: _,
            phase: _,
            subject,
            message,
            count: _,
            fingerprint,
            confidence: _,
            rule,
            evidence,
            tests,
            flip,
            hints,
            runner_up,
            consequences,
        } = cause;
        line(fingerprint);
        line(message);
        subject.iter_mut().for_each(line);
        line(rule);
        tests.iter_mut().chain(flip).for_each(line);
        for HintLine { text, stamp_ms: _ } in hints {
            line(text);
        }
        for Consequence { kind: _, subject, count: _, evidence, why } in consequences {
            subject.iter_mut().for_each(line);
            line(why);
            place(evidence);
        }
        if let Some(Candidate { kind: _, confidence: _, rule }) = runner_up {
            line(rule);
        }
        evidence.iter_mut().for_each(place);
    }
    for Claim { at, kind: _, standing: _, by, cause: _ } in claims {
        place(at);
        by.iter_mut().for_each(line);
    }
    let Ignored { decoys: _, first_decoy, follow_ons: _, first_follow_on } = ignored;
    first_decoy.iter_mut().chain(first_follow_on).for_each(place);
    for Task { id, title, status: _, build: _, tests: _, causes: _, session, priority: _ } in tasks {
        line(id);
        session.iter_mut().for_each(line);
        title.iter_mut().for_each(line);
    }
    for SourceSummary { name, format, bytes: _, lines: _, outcome: _, tests: _, error } in sources {
        error.iter_mut().for_each(line);
        line(name);
        line(format);
    }
    for PassedCase { name, suite, file, seconds: _ } in passed {
        line(name);
        suite.iter_mut().chain(file).for_each(line);
    }
    for Note { severity: _, source, at: _, message } in notes {
        source.iter_mut().for_each(line);
        line(message);
    }
    report
}

/// Makes a quoted line safe.
fn place(evidence: &mut Evidence) {
    let Evidence { source, line: _, last_line: _, column: _, byte_start: _, byte_end: _, text, file } = evidence;
    line(source);
    line(text);
    if let Some(FileRef { path, line: _, column: _ }) = file {
        line(path);
    }
}

/// Makes a text of one line safe.
fn line(text: &mut String) {
    clean(text, false);
}

/// Makes a text of several lines safe.
fn page(text: &mut String) {
    clean(text, true);
}

fn clean(text: &mut String, lines: bool) {
    if let Some(masked) = mask(text) {
        *text = masked;
    }
    let kept = |character: char| character == '\n' && lines;
    if text.chars().any(|character| steers(character) && !kept(character)) {
        let replace = |character| match character {
            '\n' if lines => '\n',
            '\t' | '\n' | '\r' => ' ',
            character if steers(character) => char::REPLACEMENT_CHARACTER,
            character => character,
        };
        *text = text.chars().map(replace).collect();
    }
}

/// Whether a character moves a cursor, starts an escape sequence or turns the direction of the text.
fn steers(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

/// A text in which no CI system finds a command of its own.
///
/// Runners read what a step prints: `##[…]` (GitHub), `##vso[…]` (Azure) and `##teamcity[…]` are commands wherever
/// they stand in a line. Commands that begin a line with `::` are kept off by what the renderers put before a text.
pub(super) fn unmarked(text: &str) -> String {
    if !text.contains("##") {
        return text.to_owned();
    }
    text.replace("##[", "# #[").replace("##vso[", "# #vso[").replace("##teamcity[", "# #teamcity[")
}

/// A page of which no line begins with a command such as `::error::`, nor holds one of those of [`unmarked`].
pub(super) fn uncommanded(page: &str) -> String {
    let page = unmarked(page);
    if !page.lines().any(|line| line.trim_start().starts_with("::")) {
        return page;
    }
    let tame = |line: &str| match line.trim_start().strip_prefix("::") {
        Some(rest) => format!("{}: :{rest}", &line[..line.len() - rest.len() - 2]),
        None => line.to_owned(),
    };
    page.split_inclusive('\n').map(tame).collect()
}

/// How a secret is recognized behind its mark.
#[derive(Clone, Copy)]
enum Form {
    /// At least so many characters of a token follow; the mark is kept.
    Token(usize),
    /// Exactly so many capitals and digits follow, as in the keys of AWS.
    Capitals(usize),
    /// Three parts in base64, parted by dots.
    Jwt,
    /// A scheme of the header `Authorization`, white space, a token.
    Scheme,
    /// The name of a setting, `=` or `:`, and a value that looks like no word.
    Setting,
    /// A URL: what stands between the first `:` of its authority and `@`.
    Url,
    /// A private key in PEM, to its end or the end of the text.
    Pem,
}

const MARKS: &[(&str, Form)] = &[
    ("ghp_", Form::Token(20)),
    ("gho_", Form::Token(20)),
    ("ghu_", Form::Token(20)),
    ("ghs_", Form::Token(20)),
    ("ghr_", Form::Token(20)),
    ("github_pat_", Form::Token(20)),
    ("glpat-", Form::Token(16)),
    ("glrt-", Form::Token(16)),
    ("gldt-", Form::Token(16)),
    ("glcbt-", Form::Token(16)),
    ("npm_", Form::Token(30)),
    ("pypi-AgE", Form::Token(20)),
    ("xoxa-", Form::Token(10)),
    ("xoxb-", Form::Token(10)),
    ("xoxe-", Form::Token(10)),
    ("xoxp-", Form::Token(10)),
    ("xoxr-", Form::Token(10)),
    ("xoxs-", Form::Token(10)),
    ("xapp-", Form::Token(10)),
    ("sk-", Form::Token(20)),
    ("sk_live_", Form::Token(10)),
    ("sk_test_", Form::Token(10)),
    ("rk_live_", Form::Token(10)),
    ("rk_test_", Form::Token(10)),
    ("whsec_", Form::Token(20)),
    ("hf_", Form::Token(30)),
    ("dop_v1_", Form::Token(20)),
    ("shpat_", Form::Token(20)),
    ("lin_api_", Form::Token(20)),
    ("dckr_pat_", Form::Token(20)),
    ("hvs.", Form::Token(20)),
    ("ya29.", Form::Token(20)),
    ("AIza", Form::Token(35)),
    ("SG.", Form::Token(40)),
    ("ATATT3x", Form::Token(20)),
    ("AKIA", Form::Capitals(16)),
    ("ASIA", Form::Capitals(16)),
    ("eyJ", Form::Jwt),
    ("bearer", Form::Scheme),
    ("basic", Form::Scheme),
    ("token", Form::Scheme),
    ("password", Form::Setting),
    ("passwd", Form::Setting),
    ("secret", Form::Setting),
    ("token", Form::Setting),
    ("api_key", Form::Setting),
    ("api-key", Form::Setting),
    ("apikey", Form::Setting),
    ("access_key", Form::Setting),
    ("accesskey", Form::Setting),
    ("accountkey", Form::Setting),
    ("sharedaccesskey", Form::Setting),
    ("private_key", Form::Setting),
    ("_auth", Form::Setting),
    ("://", Form::Url),
    ("-----BEGIN ", Form::Pem),
];

static FINDER: LazyLock<AhoCorasick> = LazyLock::new(|| {
    AhoCorasick::builder()
        .ascii_case_insensitive(true)
        .match_kind(MatchKind::Standard)
        .build(MARKS.iter().map(|(mark, _)| mark))
        .expect("a few short literals always build")
});

/// The text with its secrets masked; `None` where there are none.
fn mask(text: &str) -> Option<String> {
    let mut spans: Vec<(usize, usize)> = Vec::new();
    for found in FINDER.find_overlapping_iter(text) {
        let (mark, form) = MARKS[found.pattern().as_usize()];
        let exact = &text[found.range()] == mark;
        if let Some(span) = secret(text, found.start(), found.end(), form, exact) {
            spans.push(span);
        }
    }
    if spans.is_empty() {
        return None;
    }
    spans.sort_unstable();
    let mut out = String::with_capacity(text.len());
    let mut end = 0;
    for (from, to) in spans {
        if to <= end {
            continue;
        }
        // Spans that overlap are one secret.
        if from >= end {
            out.push_str(&text[end..from]);
            out.push_str(MASK);
        }
        end = to;
    }
    out.push_str(&text[end..]);
    Some(out)
}

/// Where the secret lies to which the mark at `start..end` belongs.
fn secret(text: &str, start: usize, end: usize, form: Form, exact: bool) -> Option<(usize, usize)> {
    let rest = &text[end..];
    let alone = !text[..start].ends_with(|before: char| before.is_ascii_alphanumeric());
    match form {
        Form::Token(least) if exact && alone => {
            let length = run(rest, |byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
            let digits = rest[..length].bytes().any(|byte| byte.is_ascii_digit());
            (length >= least && digits).then_some((end, end + length))
        }
        Form::Capitals(exactly) if exact && alone => {
            let length = run(rest, |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
            (length == exactly).then_some((end, end + length))
        }
        Form::Jwt if exact && alone => {
            let length = run(rest, |byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
            let dots = rest[..length].bytes().filter(|byte| *byte == b'.').count();
            (length >= 20 && dots >= 2).then_some((end, end + length))
        }
        Form::Scheme if alone => {
            let gap = run(rest, |byte| byte == b' ');
            let length = run(&rest[gap..], in_token);
            let value = &rest[gap..gap + length];
            (gap > 0 && length >= 12 && looks_random(value)).then_some((end + gap, end + gap + length))
        }
        Form::Setting => {
            // `"apiKey": "…"`, `API_KEY=…`, `--password …` and `token: …`, also `secret_key = …`.
            let name = run(rest, |byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
            let gap = run(&rest[name..], |byte| b"\"' =:>".contains(&byte));
            let gap_text = &rest[name..name + gap];
            let length = run(&rest[name + gap..], |byte| in_token(byte) || b"!@#$%^&*".contains(&byte));
            let value = &rest[name + gap..name + gap + length];
            let assigned = gap_text.contains(['=', ':']);
            let long_enough = length >= 8 && looks_random(value);
            (assigned && long_enough).then_some((end + name + gap, end + name + gap + length))
        }
        Form::Url => {
            let authority = run(rest, |byte| !byte.is_ascii_whitespace() && !b"/?#\"'<>".contains(&byte));
            let at = rest[..authority].rfind('@')?;
            let user = &rest[..at];
            match user.find(':') {
                Some(colon) if colon + 1 < at => Some((end + colon + 1, end + at)),
                Some(_) => None,
                // A lone token in front of `@` is a password too; a short name such as `git@` is none.
                None => (user.len() >= 16 && looks_random(user)).then_some((end, end + at)),
            }
        }
        Form::Pem => {
            let head = rest.find("-----")?;
            let body = end + head + 5;
            let private = rest[..head].ends_with("PRIVATE KEY");
            let close = text[body..].find("-----END").map_or(text.len(), |close| body + close);
            (exact && private && close > body).then_some((body, close))
        }
        Form::Token(_) | Form::Capitals(_) | Form::Jwt | Form::Scheme => None,
    }
}

fn run(text: &str, holds: impl Fn(u8) -> bool) -> usize {
    text.bytes().position(|byte| !holds(byte)).unwrap_or(text.len())
}

fn in_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-.+/=~".contains(&byte)
}

/// Letters and digits mixed, which words, versions and paths seldom are.
fn looks_random(text: &str) -> bool {
    let letters = text.bytes().filter(u8::is_ascii_alphabetic).count();
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let path = text.starts_with(['/', '.']) || text.matches('/').count() > 2;
    letters >= 3 && digits >= 2 && !path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let mut masked = text.to_owned();
        line(&mut masked);
        assert_eq!(masked, expected);
    }

    // The secrets are put together here, so that no scanner takes this file for a leak.
    const TAIL: &str = "0a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R";

    #[test]
    fn tokens_are_masked_behind_their_prefix() {
        for prefix in ["ghp_", "github_pat_", "glpat-", "npm_", "xoxb-", "sk-", "sk-proj-", "hf_"] {
            check(
                &format!("remote: {prefix}{TAIL} is bad"),
                &format!("remote: {}*** is bad", &prefix.replace("proj-", "")),
            );
        }
        check(&format!("key {}{}", "AKIA", "0123456789ABCDEF"), "key AKIA***");
        check(&format!("a {}hbGciOi.{TAIL}.{TAIL}", "eyJ"), "a eyJ***");
    }

    #[test]
    fn passwords_are_masked_where_they_stand() {
        check("fatal: https://bot:hunter2@example.com/x.git/", "fatal: https://bot:***@example.com/x.git/");
        check(&format!("fatal: https://{TAIL}@example.com/x"), "fatal: https://***@example.com/x");
        check(&format!("Authorization: Bearer {TAIL}"), "Authorization: Bearer ***");
        check("DB_PASSWORD=s3cr3t-99x failed", "DB_PASSWORD=*** failed");
        check(r#"{"apiKey": "a1b2c3d4e5"}"#, r#"{"apiKey": "***"}"#);
        let mut key = format!("{}RSA PRIVATE KEY-----\nMIIabc\n-----END RSA PRIVATE KEY-----", "-----BEGIN ");
        page(&mut key);
        assert_eq!(key, "-----BEGIN RSA PRIVATE KEY-----***-----END RSA PRIVATE KEY-----");
    }

    #[test]
    fn words_are_left_alone() {
        for text in [
            "SyntaxError: Unexpected token: punc ())",
            "error: password: must be at least 8 characters",
            "Cannot find module 'task-runner-0123456789abcdefgh'",
            "git@github.com:owner/repo.git",
            "https://registry.example.org/lodash",
            "npm_config_registry is not set",
            "secret: missing-required-setting",
            "GET https://user@host:8080/x",
        ] {
            check(text, text);
        }
    }

    #[test]
    fn nothing_steers_a_terminal() {
        check("a\x1b[31mb\x07\u{9b}c\td\u{202e}e", "a\u{fffd}[31mb\u{fffd}\u{fffd}c d\u{fffd}e");
        let mut page_text = "a\nb\r\n".to_owned();
        page(&mut page_text);
        assert_eq!(page_text, "a\nb \n");
    }
}
