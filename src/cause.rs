//! What makes two failures one cause: grouping and fingerprints.
//!
//! Failures belong together when kind and subject agree; without a subject, when the message agrees but for numbers,
//! hashes, times and places. Diagnostics of one compiler or linter run are one cause, whatever they say, as are the
//! figures of one coverage check, and failed
//! assertions are one cause for each file of tests: a reader wants a handful of causes, and their evidence lists the
//! places. Timeouts are kept apart by file, since two of them rarely have one origin.

use std::collections::HashMap;

use crate::classify::Verdict;
use crate::kind::Kind;
use crate::report::{Candidate, Cause, Consequence, Evidence, FileRef, HintLine, Level, Span, TextLine};
use crate::rules::{Fnv, Rank, Role};
use crate::words;

/// How many evidence lines, and how many test names, a cause keeps.
pub(crate) const KEEP: usize = 32;

/// How many lines about a further try a cause keeps.
const MAX_HINTS: usize = 5;

/// How many characters of a line are quoted.
const QUOTE: usize = 500;

/// How many groups are kept apart; beyond this, failures fold by kind alone.
const MAX_GROUPS: usize = 4096;

/// Failures with one key, as they come in.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub verdict: Verdict,
    pub level: Level,
    pub count: u64,
    pub evidence: Vec<Evidence>,
    pub tests: Vec<String>,
    /// Lines about a further try.
    pub hints: Vec<HintLine>,
    /// Claims that belong to it, as indexes into those of the report.
    pub claims: Vec<usize>,
    /// What it explains.
    pub consequences: Vec<Consequence>,
    /// Whether a report of a runner told it only as a consequence.
    pub follow_on: bool,
    pub task: Option<String>,
    /// All tasks that have it, `task` among them.
    pub tasks: Vec<String>,
    /// The stretch of the log between two boundaries that it stands in.
    pub stretch: u32,
    /// The format of the report that told it; the console has none.
    pub teller: Option<&'static str>,
    /// Where it was first seen.
    pub first: Span,
    pub last: Span,
}

/// One failure, ready to be filed.
pub(crate) struct Filing {
    pub verdict: Verdict,
    pub level: Level,
    pub count: u64,
    pub test: Option<String>,
    pub file: Option<FileRef>,
    pub follow_on: bool,
    pub task: Option<String>,
    pub stretch: u32,
    pub teller: Option<&'static str>,
    pub span: Span,
    /// Lines about a further try.
    pub hints: Vec<HintLine>,
}

/// Files failures under their causes as they come in, in bounded memory.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub groups: Vec<Group>,
    by_key: HashMap<u64, usize>,
}

/// A line of an input as evidence.
pub(crate) fn evidence(source: &str, line: &TextLine, file: Option<FileRef>) -> Evidence {
    let TextLine { text, span } = line;
    Evidence {
        source: source.to_owned(),
        line: span.line,
        last_line: span.last_line,
        column: None,
        byte_start: span.byte_start,
        byte_end: span.byte_end,
        text: quote(text),
        file,
    }
}

impl Ledger {
    pub(crate) fn file(&mut self, source: &str, filing: Filing) {
        let key = if self.groups.len() < MAX_GROUPS { key(&filing) } else { coarse_key(&filing) };
        let Filing { verdict, level, count, test, file, follow_on, task, stretch, teller, span, hints } = filing;
        let place = verdict.line.span;
        let evidence = |line: &TextLine| evidence(source, line, file);
        let Some(&index) = self.by_key.get(&key) else {
            self.by_key.insert(key, self.groups.len());
            self.groups.push(Group {
                evidence: vec![evidence(&verdict.line)],
                verdict,
                level,
                count,
                tests: test.into_iter().collect(),
                hints,
                claims: Vec::new(),
                consequences: Vec::new(),
                follow_on,
                tasks: task.iter().cloned().collect(),
                task,
                stretch,
                teller,
                first: span,
                last: span,
            });
            return;
        };
        let group = &mut self.groups[index];
        if group.count == 0 {
            (group.first, group.verdict) = (span, verdict.clone());
        }
        // A line that a rule has read and that a block tells again is told once.
        let told = |known: &Evidence| known.byte_start == place.byte_start && known.line == place.line;
        if level == Level::Line && group.evidence.iter().any(told) {
            if verdict.rank > group.verdict.rank {
                group.verdict = verdict;
            }
            return;
        }
        // A claim that is made twice is one claim.
        group.count = if level == Level::Claim { group.count.max(count) } else { group.count + count };
        group.follow_on &= follow_on;
        group.last = span;
        group.hint(hints);
        if group.evidence.len() < KEEP {
            let evidence = evidence(&verdict.line);
            if !group.evidence.contains(&evidence) {
                group.evidence.push(evidence);
            }
        }
        if let Some(test) = test
            && group.tests.len() < KEEP
            && !group.tests.contains(&test)
        {
            group.tests.push(test);
        }
        if group.verdict.subject.is_none() {
            group.verdict.subject = verdict.subject;
        }
    }
}

/// How far above the announcement of another try the trouble stands that it is about.
const RETRY_REACH: u64 = 3;

impl Ledger {
    /// Takes back the trouble with a remote that was told right above a line, which says that it is tried again.
    pub(crate) fn excuse(&mut self, stretch: u32, line: u64) {
        for group in self.groups.iter_mut().rev().take(4) {
            let near = line.saturating_sub(group.last.line) <= RETRY_REACH;
            if group.stretch == stretch
                && group.level == Level::Line
                && near
                && group.count > 0
                && group.verdict.kind.is_tried_again()
            {
                group.count -= 1;
                if group.evidence.last().is_some_and(|evidence| evidence.line == group.last.line) {
                    group.evidence.pop();
                }
            }
        }
    }
}

/// The key under which a failure is filed within one stretch of one source.
fn key(filing: &Filing) -> u64 {
    let Filing { verdict, level, file, follow_on, task, stretch, teller, test, count: _, span: _, hints: _ } = filing;
    let mut hash = Fnv::default();
    hash.write(verdict.kind.as_str().as_bytes());
    hash.write(verdict.nature.as_str().as_bytes());
    hash.write(&stretch.to_le_bytes());
    hash.write(&[*follow_on as u8, (verdict.role == Role::Root) as u8, (*level == Level::Line) as u8]);
    hash.write(teller.unwrap_or_default().as_bytes());
    hash.write(&[(verdict.rank == Rank::Generic) as u8]);
    hash.write(task.as_deref().unwrap_or("").as_bytes());
    match verdict.kind {
        Kind::CompileError
        | Kind::LintViolation
        | Kind::PolicyViolation
        | Kind::LinkError
        | Kind::CoverageThreshold => {}
        Kind::Assertion | Kind::SnapshotMismatch | Kind::TestTimeout => {
            let place = file.as_ref().map(|file| file.path.as_str());
            hash.write(place.or(test.as_deref().map(suite)).unwrap_or("").as_bytes());
        }
        _ => match &verdict.subject {
            Some(subject) if verdict.kind == Kind::MissingModule => {
                hash.write(template(library(subject)).as_bytes());
            }
            Some(subject) => hash.write(template(subject).as_bytes()),
            None => hash.write(template(&verdict.line.text).as_bytes()),
        },
    }
    hash.0
}

fn coarse_key(filing: &Filing) -> u64 {
    let mut hash = Fnv::default();
    hash.write(b"coarse");
    hash.write(filing.verdict.kind.as_str().as_bytes());
    hash.write(&[filing.follow_on as u8, (filing.level == Level::Line) as u8]);
    hash.write(filing.teller.unwrap_or_default().as_bytes());
    hash.0
}

/// The library that a missing package belongs to: `com.acme` of `com.acme.store.rows`. One that is not installed takes
/// all of its packages with it.
fn library(module: &str) -> &str {
    let dotted = module.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_'));
    let mut dots = module.match_indices('.').map(|(at, _)| at);
    match (dots.next(), dots.next()) {
        (Some(_), Some(second)) if dotted => &module[..second],
        _ => module,
    }
}

/// The suite of a test's full name.
pub(crate) fn suite(test: &str) -> &str {
    test.split([' ', '>', ':', '#']).next().unwrap_or(test)
}

/// The stable fingerprint of a cause.
pub(crate) fn fingerprint(kind: Kind, subject: Option<&str>, message: &str) -> String {
    let mut hash = Fnv::default();
    // The version of the fingerprint comes first: when the normalization changes, so does this.
    hash.write(b"1");
    hash.write(kind.as_str().as_bytes());
    hash.write(&[0]);
    hash.write(template(subject.unwrap_or(message)).as_bytes());
    format!("{:016x}", hash.0)
}

/// A message without what changes from run to run: numbers, hashes, times, directories.
///
/// Words are parted at white space and punctuation; a word with a digit becomes `#` unless letters prevail in a short
/// name (`utf8`, `node18` stay apart from `node20` no longer, which is meant: versions are numbers). A path keeps its
/// last two components.
pub(crate) fn template(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(QUOTE));
    for word in text.split_whitespace().take(60) {
        if !out.is_empty() {
            out.push(' ');
        }
        let tail = path_tail(word);
        let mut digits = false;
        let hexadecimal = is_hash(tail);
        if hexadecimal {
            out.push('#');
            continue;
        }
        for character in tail.chars() {
            if character.is_ascii_digit() {
                if !digits {
                    out.push('#');
                }
                digits = true;
            } else {
                digits = false;
                match character.is_ascii() {
                    true => out.push(character.to_ascii_lowercase()),
                    false => out.extend(character.to_lowercase()),
                }
            }
        }
    }
    out
}

/// The last two components of a path, so that it does not matter from where it was seen; addresses and other words
/// whole.
fn path_tail(word: &str) -> &str {
    let parted = word.bytes().any(|byte| matches!(byte, b'/' | b'\\'));
    if !parted || word.contains("://") {
        return word;
    }
    let mut slashes = word.rmatch_indices(['/', '\\']).map(|(at, _)| at + 1);
    let _last = slashes.next();
    slashes.next().map_or(word, |at| &word[at..])
}

fn is_hash(word: &str) -> bool {
    let word = word.trim_matches(|character: char| !character.is_ascii_alphanumeric());
    word.len() >= 7
        && word.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
        && word.bytes().any(|byte| byte.is_ascii_digit())
}

/// A line as it is quoted: bounded, on a character's edge.
pub(crate) fn quote(text: &str) -> String {
    let text = text.trim();
    match text.char_indices().nth(QUOTE) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// How sure a kind is that was guessed from the last words of a tool that no rule knows.
const GUESS: f32 = 0.4;

/// How sure the kind of a group is. Calibrated on labeled outputs: see the table in the documentation.
pub(crate) fn confidence(rank: Rank, level: Level) -> f32 {
    let base: f32 = match rank {
        Rank::Exact => 0.95,
        Rank::Usual => 0.9,
        Rank::Generic => 0.6,
    };
    match level {
        Level::Claim => base - 0.2,
        Level::Line => base - 0.05,
        Level::Case | Level::Suite | Level::Run | Level::Diagnostic => base,
    }
}

impl Group {
    /// Adds lines about a further try.
    pub(crate) fn hint(&mut self, hints: impl IntoIterator<Item = HintLine>) {
        for hint in hints {
            if self.hints.len() < MAX_HINTS && !self.hints.contains(&hint) {
                self.hints.push(hint);
            }
        }
    }

    /// The cause as a caller receives it.
    pub(crate) fn into_cause(self) -> Cause {
        let Group { verdict, level, count, evidence, tests, hints, consequences, .. } = self;
        let message = evidence.first().map_or_else(String::new, |evidence| evidence.text.clone());
        let own = if verdict.rule == words::RULE { GUESS } else { confidence(verdict.rank, level) };
        // What the first leaves open is shared by all others.
        let runner_up = verdict.runner_up.map(|(kind, rank, rule)| {
            let left = (1.0 - own) * confidence(rank, level);
            Candidate { kind, confidence: (left * 100.0).round() / 100.0, rule }
        });
        Cause {
            kind: verdict.kind,
            nature: verdict.nature,
            phase: verdict.phase,
            fingerprint: fingerprint(verdict.kind, verdict.subject.as_deref(), &message),
            subject: verdict.subject,
            message,
            count: count.max(1),
            confidence: own,
            rule: verdict.rule,
            evidence,
            tests,
            flip: verdict.flip,
            hints,
            runner_up,
            consequences,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_ignore_what_changes_from_run_to_run() {
        let print = |text| fingerprint(Kind::Crash, None, text);
        assert_eq!(
            print("worker 12 at /home/a/x/src/lib.rs:10 died after 3.5 s (c0ffee12)"),
            print("worker 7 at /builds/9/src/lib.rs:99 died after 10.25 s (deadbee1)")
        );
        assert_ne!(print("worker died"), print("manager died"));
        assert_ne!(print("x"), fingerprint(Kind::Timeout, None, "x"));
    }

    #[test]
    fn quotes_end_on_an_edge() {
        assert_eq!(quote(&"é".repeat(600)).chars().count(), QUOTE + 1);
    }
}
