//! One test point: its line, its YAML block and the comments behind it.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::yaml::{self, Finding, Yaml};
use crate::format::{signal, thrown};
use crate::item::read_count;
use crate::log::{self, Line};
use crate::report::{Failure, FileRef, Level, Signal, Span, TextLine};

/// How many comments a point keeps.
const MAX_COMMENTS: usize = 200;

/// How many lines of a stack are kept as text.
const MAX_STACK: usize = 40;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Directive {
    Skip,
    Todo,
}

#[derive(Debug, Default)]
pub(super) struct Point {
    pub ok: bool,
    pub number: Option<u64>,
    /// The description without directive, times and the brace of a block.
    pub title: String,
    /// The title behind those of its parents.
    pub name: String,
    pub directive: Option<Directive>,
    pub opens_block: bool,
    pub depth: usize,
    pub indent: usize,
    /// Comments between the point before and this one.
    pub before: Vec<TextLine>,
    line: TextLine,
    yaml: Option<Yaml>,
    comments: Vec<TextLine>,
    /// Lines below it that are indented and no YAML, as Mocha writes.
    below: Vec<TextLine>,
    /// Something else came since.
    parted: bool,
}

impl Point {
    /// Reads `not ok 2 - title # SKIP reason`, in all the liberties that producers take.
    pub(super) fn parse(text: &str, span: Span) -> Option<Point> {
        let (ok, rest) = match text.strip_prefix("not ok") {
            Some(rest) => (false, rest),
            None => (true, text.strip_prefix("ok")?),
        };
        if !(rest.is_empty() || rest.starts_with([' ', '-', '#', '\t'])) {
            return None;
        }
        let rest = rest.trim_start();
        let digits = rest.len() - rest.trim_start_matches(|digit: char| digit.is_ascii_digit()).len();
        let number = read_count(&rest[..digits])
            .filter(|_| rest[digits..].is_empty() || !rest[digits..].starts_with(char::is_alphanumeric));
        let rest = if number.is_some() { &rest[digits..] } else { rest };
        let rest = rest.trim_start();
        let rest = rest.strip_prefix('-').unwrap_or(rest).trim();
        let (rest, opens_block) = match rest.strip_suffix('{') {
            Some(rest) if rest.is_empty() || rest.ends_with(' ') => (rest.trim_end(), true),
            _ => (rest, false),
        };
        let (title, directive) = split_directive(rest);
        Some(Point {
            ok,
            number,
            title: if title.contains('\\') { title.replace("\\#", "#") } else { title.to_owned() },
            directive,
            opens_block,
            line: TextLine { text: text.to_owned(), span },
            ..Point::default()
        })
    }

    /// What tells it from the others of a run.
    pub(super) fn digest(&self) -> u64 {
        let mut hash = DefaultHasher::new();
        (self.number, &self.title).hash(&mut hash);
        hash.finish()
    }

    pub(super) fn has_yaml(&self) -> bool {
        self.yaml.is_some()
    }

    /// Whether a YAML block is open.
    pub(super) fn in_yaml(&self) -> bool {
        self.yaml.as_ref().is_some_and(Yaml::is_open)
    }

    /// Takes a line of the point's YAML block; `false` for any other line.
    pub(super) fn detail(&mut self, line: Line<'_>) -> bool {
        match &mut self.yaml {
            Some(yaml) if yaml.is_open() => yaml.line(line, self.indent),
            _ if line.trimmed() == "---" && line.indent() >= self.indent => {
                self.yaml = Some(Yaml::open(line.indent()));
                true
            }
            _ => false,
        }
    }

    pub(super) fn comment(&mut self, comment: TextLine) {
        if self.comments.len() < MAX_COMMENTS && !comment.text.is_empty() {
            self.comments.push(comment);
        }
    }

    /// Takes a line below a failed point that is indented and no TAP: the message of a producer that knows no YAML.
    pub(super) fn indented(&mut self, line: Line<'_>) -> bool {
        let takes = !self.ok && !self.parted && self.yaml.is_none() && line.indent() > self.indent;
        self.parted |= !takes;
        if takes && self.below.len() < MAX_COMMENTS {
            self.below.push(line.to_text());
        }
        takes
    }

    /// Whether node:test ended it because its parent ended.
    pub(super) fn is_cancelled(&self) -> bool {
        self.yaml.as_ref().is_some_and(|yaml| yaml.get("failureType") == Some("cancelledByParent"))
    }

    /// Whether it only holds other points, as node:test says it.
    pub(super) fn is_suite(&self) -> bool {
        self.yaml.as_ref().is_some_and(|yaml| yaml.get("type") == Some("suite"))
    }

    /// How long it ran, from its block or from the comment on its line.
    pub(super) fn seconds(&self) -> Option<f64> {
        let told = self.yaml.as_ref().and_then(|yaml| yaml.get("duration_ms")).and_then(|ms| ms.parse::<f64>().ok());
        let on_line = || {
            let (_, time) = self.line.text.rsplit_once("# time=")?;
            time.trim_end_matches([' ', '{']).strip_suffix("ms")?.parse::<f64>().ok()
        };
        told.or_else(on_line).filter(|ms| ms.is_finite() && *ms >= 0.0).map(|ms| ms / 1000.0)
    }

    /// The failure that a failed point tells of.
    pub(super) fn failure(self) -> Failure {
        let Point { before, name, line, yaml, comments, title, below, .. } = self;
        let words = title.clone();
        let name = if name.is_empty() { title } else { name };
        if !below.is_empty() {
            return Failure { span: line.span, ..log::below(&name, below, line.span) };
        }
        let yaml = yaml.unwrap_or_default();
        if let Some(Finding { message, rule, place, .. }) = yaml.finding() {
            let found = signal::of_finding(rule.as_deref(), &message.text);
            return Failure {
                level: Level::Case,
                file: Some(FileRef::new(name.as_str(), place.0, place.1)),
                test: Some(name),
                signal: Some(found),
                subject: rule.clone().filter(|_| found == Signal::Lint),
                text: vec![message.clone()],
                span: line.span,
                ..Failure::default()
            };
        }
        let hook = name.contains("\" hook");
        let stack: Vec<TextLine> = yaml.stack().take(1).cloned().collect();
        let shown = yaml.thrown();
        // tap writes the type apart, and the message as the name of the point.
        let caught = yaml.get("tapCaught").and_then(|_| yaml.get("type")).map(str::to_owned);
        let thrown = thrown::type_name(&stack).or(caught).filter(|name| !name.contains("Assert"));
        let kind = yaml.get("failureType");
        let mut text = yaml.message();
        if let Some((_, said)) = &shown {
            text.splice(..0, said.iter().cloned());
        }
        // The runner saw only that a file failed; what it printed stands in the comments before.
        let file_failed = yaml.get("exitCode").is_some() || text.first().is_some_and(|line| line.text == "test failed");
        let mut level = if file_failed || yaml.get("type") == Some("suite") { Level::Suite } else { Level::Case };
        // AVA points into itself.
        let of_library = |file: &FileRef| yaml.get("details").is_some() && file.path.contains("node_modules/");
        let mut file = yaml.place().filter(|file| !of_library(file));
        if file_failed {
            text = before.into_iter().filter(|line| !line.text.is_empty()).chain(text).collect();
        } else {
            let mut said = comments;
            if said.is_empty() && before.iter().any(|line| line.text.contains("Failed test")) {
                said = before;
            }
            let (places, words): (Vec<_>, Vec<_>) =
                said.into_iter().partition(|line| comment_place(&line.text).is_some());
            if let Some(place) = places.iter().find_map(|line| comment_place(&line.text)) {
                file.get_or_insert(place);
            }
            text.extend(words);
            text.extend(places);
        }
        // bats begins its message with the place, and the words come behind it.
        let places = text.iter().take_while(|line| comment_place(line.text.trim_start_matches('(')).is_some()).count();
        if places > 0 && places < text.len() {
            file = file.or_else(|| comment_place(text[0].text.trim_start_matches('(')));
            text.rotate_left(places);
        }
        // With tap the words stand in the title, and the stack begins with a frame.
        if text.is_empty() && yaml.stack().next().is_some_and(|line| yaml::place(&line.text).is_some()) {
            text.push(TextLine { text: words, span: line.span });
        }
        text.extend(yaml.stack().take(MAX_STACK).cloned());
        if text.is_empty() {
            text.push(line.clone());
        }
        let name_of_error = yaml.get("name").filter(|name| !name.is_empty());
        let code = yaml.get("code").filter(|code| *code != "ERR_TEST_FAILURE");
        let asserts = code == Some("ERR_ASSERTION")
            || name_of_error.is_some_and(|name| name.contains("Assert"))
            || ["operator", "compare", "expected", "wanted"].iter().any(|key| yaml.get(key).is_some());
        let too_long = || text.first().and_then(|line| signal::of_message(&line.text)) == Some(Signal::TestTimeout);
        let signal = match kind {
            Some("testTimeoutFailure") => Some(Signal::TestTimeout),
            // tap names what ran out of time.
            _ if yaml.get("expired").is_some() || signal::is_timed_out(&name) => Some(Signal::TestTimeout),
            Some("hookFailed") => {
                level = Level::Suite;
                Some(Signal::Hook)
            }
            Some("uncaughtException" | "unhandledRejection") => Some(Signal::Unhandled),
            Some("cancelledByParent") => Some(Signal::Load),
            _ if yaml.get("signal").is_some_and(|signal| signal.starts_with("SIG")) => Some(Signal::Crash),
            _ if file_failed => Some(Signal::Load),
            _ if hook => {
                level = Level::Suite;
                Some(Signal::Hook)
            }
            _ if too_long() => Some(Signal::TestTimeout),
            // AVA calls every failure an assertion, and tells below what was thrown.
            _ if shown.as_ref().is_some_and(|(name, _)| !name.contains("Assert")) => None,
            _ if asserts => Some(Signal::Assertion),
            Some(_) if name_of_error.is_none() && code.is_none() => Some(Signal::Unhandled),
            _ if name_of_error.is_some() || code.is_some() => None,
            _ if thrown.is_some() => None,
            _ => Some(Signal::Assertion),
        };
        let named = name_of_error.or(code).map(str::to_owned);
        Failure {
            level,
            follow_on: kind == Some("subtestsFailed") || name.contains(" exited with a non-zero exit code: "),
            test: Some(name),
            file,
            signal,
            type_name: shown.map(|(name, _)| name).or(named).or(thrown.filter(|_| !asserts)),
            text,
            span: line.span,
            ..Failure::default()
        }
    }
}

/// Parts a description from `# SKIP …`, its sister for expected failures and `# time=…`. A hash behind a backslash is text.
fn split_directive(text: &str) -> (&str, Option<Directive>) {
    let mut title = text;
    let mut directive = None;
    for (at, _) in text.rmatch_indices('#') {
        if text[..at].ends_with('\\') {
            continue;
        }
        let word = text[at + 1..].trim_start();
        let starts = |wanted: &str| word.get(..wanted.len()).is_some_and(|have| have.eq_ignore_ascii_case(wanted));
        if starts("skip") {
            directive = Some(Directive::Skip);
        } else if starts("todo") {
            directive = Some(Directive::Todo);
        } else if !starts("time=") {
            break;
        }
        title = &text[..at];
    }
    (title.trim_end().trim_end_matches('-').trim_end(), directive)
}

/// The place in a comment: Perl's `at t/x.t line 6.`, bats' `(in test file i.bats, line 2)` and busted's
/// `spec/a_spec.lua @ 2`.
fn comment_place(text: &str) -> Option<FileRef> {
    if let Some((path, line)) = text.split_once(" @ ")
        && !path.contains(' ')
        && path.contains('.')
        && let Ok(number) = line.parse()
    {
        return Some(FileRef::new(path, Some(number), None));
    }
    if let Some(rest) = text.strip_prefix("at ").or_else(|| text.split_once(" at ").map(|(_, rest)| rest))
        && let Some((path, rest)) = rest.rsplit_once(" line ")
        && let Ok(number) = rest.trim_end_matches('.').parse()
    {
        return Some(FileRef::new(path, Some(number), None)).filter(|_| text.starts_with("at "));
    }
    let (_, rest) = text.split_once("in test file ")?;
    let (path, rest) = rest.split_once(", line ")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some(FileRef::new(path, digits.parse().ok(), None))
}
