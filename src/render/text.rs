//! The output for people: what failed, where it says so, and what to do, on as few lines as that takes.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::mask;
use crate::decide::{Decision, human};
use crate::kind::{Action, Phase};
use crate::report::{
    Cause, Consequence, Counts, Evidence, FileRef, Note, Outcome, PassedCase, Report, Severity, Standing, Task,
};

/// The output for people.
///
/// ```
/// use whyred::{Analyzer, Policy, Situation, Source, Text};
///
/// let log = b"Error: Cannot find module 'express'\n";
/// let report = Analyzer::new().analyze([Source::bytes("build.log", log)]);
/// let decision = Policy::default().decide(&report, &Situation::new());
/// let text = Text::new().width(80).render(&report, &decision);
/// assert!(text.contains("build.log:1"));
/// ```
#[derive(Clone, Debug)]
pub struct Text {
    color: bool,
    width: usize,
    detail: Detail,
}

/// How much of a report is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Detail {
    /// The first places and tests of each cause, and how many more there are.
    #[default]
    Short,
    /// Every place and test that the report lists, the rule behind each cause, and the inputs.
    Full,
}

impl Default for Text {
    fn default() -> Self {
        Text::new()
    }
}

impl Text {
    /// Without colors, 100 columns wide, short.
    #[must_use]
    pub const fn new() -> Self {
        Text { color: false, width: 100, detail: Detail::Short }
    }

    /// Whether to use the colors of a terminal. Default: no.
    #[must_use]
    pub const fn color(mut self, color: bool) -> Self {
        self.color = color;
        self
    }

    /// How many columns there are; at least 40 are used. Default 100.
    #[must_use]
    pub const fn width(mut self, width: usize) -> Self {
        self.width = if width < 40 { 40 } else { width };
        self
    }

    /// How much to show. Default [`Detail::Short`].
    #[must_use]
    pub const fn detail(mut self, detail: Detail) -> Self {
        self.detail = detail;
        self
    }

    /// Renders a report and its decision. The last line ends with `\n`.
    #[must_use]
    pub fn render(&self, report: &Report, decision: &Decision) -> String {
        let (report, decision) = mask::safe(report, decision);
        let mut page = Page { out: String::new(), color: self.color, width: self.width };
        let shown = match self.detail {
            Detail::Short => 10,
            Detail::Full => usize::MAX,
        };
        headline(&mut page, &report, &decision);
        for (index, cause) in report.causes.iter().enumerate().take(shown) {
            self.cause(&mut page, index + 1, cause);
        }
        let left = report.causes.len().saturating_sub(shown) as u64 + report.causes_omitted;
        if left > 0 {
            page.line("", &[(DIM, &format!("     and {} more", plural(left, "cause", "causes")))]);
        }
        unexplained(&mut page, &report);
        claims(&mut page, &report, self.detail);
        tasks(&mut page, &report);
        next(&mut page, &report, &decision, self.detail);
        self.notes(&mut page, &report);
        if self.detail == Detail::Full {
            passed(&mut page, &report);
            inputs(&mut page, &report);
        }
        mask::uncommanded(&page.out)
    }

    fn cause(&self, page: &mut Page, number: usize, cause: &Cause) {
        let Cause {
            kind,
            nature,
            phase: _,
            subject,
            message,
            count,
            fingerprint,
            confidence,
            rule,
            evidence,
            tests,
            flip,
            hints: _,
            runner_up,
            consequences,
        } = cause;
        page.blank();
        let number = format!("{number:>2}. ");
        let mut head: Vec<(Style, String)> = vec![(BOLD, number), (RED, kind.to_string())];
        if *nature != kind.nature() {
            head.push((DIM, format!(" ({nature})")));
        }
        let times = if *count > 1 { format!("  ×{count}") } else { String::new() };
        if let Some(subject) = subject {
            let used: usize = head.iter().map(|(_, text)| text.width()).sum::<usize>() + times.width() + 2;
            head.push((BOLD, format!("  {}", middle(subject, page.width.saturating_sub(used).max(20)))));
        }
        head.push((DIM, times));
        let head: Vec<(Style, &str)> = head.iter().map(|(style, text)| (*style, text.as_str())).collect();
        page.line("", &head);

        let (places, names) = match self.detail {
            Detail::Short => (3, 3),
            Detail::Full => (usize::MAX, usize::MAX),
        };
        self.places(page, message, evidence, places);
        // A test that failed alone and is the subject was named already.
        if !tests.is_empty() && (tests.len() > 1 || subject.as_ref() != tests.first()) {
            let mut list: Vec<String> = tests.iter().take(names).map(|test| middle(test, 72)).collect();
            let more = (*count).max(tests.len() as u64) - list.len() as u64;
            if more > 0 {
                list.push(format!("{more} more"));
            }
            for (index, test) in list.iter().enumerate() {
                page.line(if index == 0 { "    in " } else { "       " }, &[(DIM, &cut(test, page.width - 7))]);
            }
        }
        if let Some(flip) = flip {
            page.wrap("    ", &format!("{nature}, not {}: {flip}", kind.nature()), DIM);
        }
        let shown = if self.detail == Detail::Full { usize::MAX } else { 3 };
        for Consequence { kind, subject, count, evidence, why } in consequences.iter().take(shown) {
            let times = if *count > 1 { format!(" ×{count}") } else { String::new() };
            let subject = subject.as_ref().map_or_else(String::new, |subject| format!(" {}", middle(subject, 60)));
            let text = format!("explains {kind}{subject}{times}, line {}: {why}", evidence.line);
            page.wrap("    ", &text, DIM);
        }
        if self.detail == Detail::Full {
            let next = runner_up
                .as_ref()
                .map_or_else(String::new, |next| format!(", next {} {:.2}", next.kind, next.confidence));
            let text = format!("rule {rule}, confidence {confidence:.2}{next}, fingerprint {fingerprint}");
            page.line("    ", &[(DIM, &text)]);
        }
    }

    /// Quotes the lines that prove a cause. The same words at several places are quoted once.
    fn places(&self, page: &mut Page, message: &str, evidence: &[Evidence], limit: usize) {
        let mut quotes = quotes(message, evidence, self.detail == Detail::Short);
        let more: usize = quotes.iter().skip(limit).map(|(_, places)| places.len()).sum();
        quotes.truncate(limit);
        let heads: Vec<String> = quotes.iter().map(|(_, places)| here(places[0])).collect();
        let column = heads.iter().map(|head| head.width()).max().unwrap_or(0);
        // Beside long names a quote would have no room.
        let beside = column <= page.width * 2 / 5;
        let margin = if beside { " ".repeat(4 + column) } else { " ".repeat(3) };
        for (head, (text, places)) in heads.iter().zip(&quotes) {
            page.out.push_str("    ");
            page.put(CYAN, head);
            match beside {
                true => page.out.push_str(&" ".repeat(column - head.width())),
                false => {
                    page.end();
                    page.out.push_str(&margin);
                }
            }
            let room = page.width.saturating_sub(margin.len() + 3).max(20);
            let mut lines = if text.width() <= room { vec![(*text).to_owned()] } else { wrapped(text, room, 0) };
            if lines.len() > 3 {
                lines.truncate(3);
                lines[2].push_str(" …");
            }
            for (index, line) in lines.iter().enumerate() {
                if index > 0 {
                    page.out.push_str(&margin);
                }
                page.quote(PLAIN, line, margin.len());
            }
            if let Some(there) = there(places[0]) {
                page.out.push_str(&margin);
                page.quote(DIM, &format!("at {}", tail(&there, page.width - margin.len() - 6)), margin.len());
            }
            if let Some(others) = also(places) {
                page.out.push_str(&margin);
                page.quote(DIM, &others, margin.len());
            }
        }
        if more > 0 {
            page.line("    ", &[(DIM, &format!("and {} more", plural(more as u64, "place", "places")))]);
        }
    }

    fn notes(&self, page: &mut Page, report: &Report) {
        let wanted = |note: &&Note| self.detail == Detail::Full || note.severity == Severity::Warning;
        let notes: Vec<&Note> = report.notes.iter().filter(wanted).collect();
        if !notes.is_empty() {
            page.blank();
        }
        for Note { severity, source, at, message } in notes.into_iter().take(20) {
            let (style, word) = match severity {
                Severity::Info => (DIM, "note"),
                Severity::Warning => (YELLOW, "warning"),
            };
            let place = match (source, at) {
                (Some(source), Some(line)) => format!("{source}:{line}: "),
                (Some(source), None) => format!("{source}: "),
                (None, _) => String::new(),
            };
            page.wrap_behind(style, &format!("{word}: "), &format!("{place}{message}"), PLAIN);
        }
    }
}

const PLAIN: Style = Style::new();
const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const RED: Style = AnsiColor::Red.on_default().bold();
const GREEN: Style = AnsiColor::Green.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
const CYAN: Style = AnsiColor::Cyan.on_default();

/// How it ended and what to do: the one line that is always read.
fn headline(page: &mut Page, report: &Report, decision: &Decision) {
    let (style, word) = match report.outcome {
        Outcome::Failed => (RED, "FAILED"),
        Outcome::Passed => (GREEN, "PASSED"),
        Outcome::Unknown => (YELLOW, "UNKNOWN"),
    };
    let action = match decision.action {
        Action::Accept => GREEN,
        Action::Retry | Action::Verify => YELLOW,
        Action::Repair | Action::Escalate => RED,
    };
    let counts = report.tests.as_ref().map_or_else(String::new, |tests| format!("   {}", counts(tests)));
    page.line("", &[(style, word), (PLAIN, " → "), (action, decision.action.as_str()), (DIM, &counts)]);
}

pub(super) fn counts(tests: &Counts) -> String {
    let Counts { total, passed, failed, errored, skipped, flaky } = *tests;
    let mut parts = Vec::new();
    for (count, word) in [(failed, "failed"), (errored, "errored")] {
        if count > 0 {
            parts.push(format!("{count} {word}"));
        }
    }
    if let Some(passed) = passed {
        parts.push(format!("{passed} passed"));
    }
    for (count, word) in [(skipped, "skipped"), (flaky, "flaky")] {
        if count > 0 {
            parts.push(format!("{count} {word}"));
        }
    }
    format!("{}: {}", plural(total, "test", "tests"), parts.join(", "))
}

/// What to do and why nothing milder, in one sentence; an escalation says on another line what is needed.
pub(super) fn what_next(decision: &Decision) -> String {
    let mut text = instruction(decision);
    if let Some(reason) = decision.reasons.first() {
        let _ = write!(text, ": {reason}");
    }
    if let Some(escalation) = &decision.escalation {
        let _ = write!(text, "\nNeeded: {}", escalation.need);
    }
    text
}

/// `Retry after 30 s, attempt 2 of 3`.
pub(super) fn instruction(decision: &Decision) -> String {
    let verb = match decision.action {
        Action::Accept => "Accept",
        Action::Retry => "Retry",
        Action::Repair => "Repair",
        Action::Verify => "Verify",
        Action::Escalate => "Escalate",
    };
    let mut text = verb.to_owned();
    if let Some(escalation) = &decision.escalation {
        let _ = write!(text, " to {}", escalation.to);
    }
    if let Some(retry) = &decision.retry {
        let wait = if retry.after_ms == 0 { "at once".to_owned() } else { format!("after {}", human(retry.after_ms)) };
        if retry.held {
            return format!("Hold, and decide anew {wait}");
        }
        let _ = write!(text, " {wait}, attempt {} of {}", retry.attempt, retry.of);
        if retry.elsewhere {
            text.push_str(", on another machine");
        }
        if retry.failed_tests_only {
            text.push_str(", the failed tests only");
        }
    }
    text
}

/// What to do next, and why.
fn next(page: &mut Page, report: &Report, decision: &Decision, detail: Detail) {
    let Decision { action: _, reasons, retry: _, checks, plan, escalation, attempt: _ } = decision;
    page.blank();
    page.wrap_head(&instruction(decision), reasons.first().map_or("", String::as_str));
    // The others repeat what is shown above, for those who see the decision alone.
    if detail == Detail::Full {
        for reason in reasons.iter().skip(1) {
            page.wrap("  - ", reason, PLAIN);
        }
    }
    for check in checks {
        page.wrap("  check: ", check, PLAIN);
    }
    if let Some(escalation) = escalation {
        page.wrap("  needed: ", &escalation.need, PLAIN);
    }
    for (index, repair) in plan.iter().enumerate() {
        let mut head = format!("  {}. ", index + 1);
        if let Some(task) = repair.task.as_ref().filter(|task| !repair.brief.contains(task.as_str())) {
            let _ = write!(head, "{task}: ");
        }
        if repair.phase != Phase::Unknown {
            let _ = write!(head, "{}: ", repair.phase);
        }
        let brief = repair.brief.lines().find(|line| !line.trim().is_empty()).unwrap_or("");
        let brief = if brief.is_empty() { causes_of(&repair.causes, report) } else { brief.trim().to_owned() };
        page.wrap(&head, &brief, PLAIN);
    }
}

fn causes_of(causes: &[usize], report: &Report) -> String {
    let names = causes.iter().filter_map(|&index| report.causes.get(index));
    names.map(|cause| cause.kind.as_str()).collect::<Vec<_>>().join(", ")
}

/// How many failed tests no cause explains.
fn unexplained(page: &mut Page, report: &Report) {
    let (open, Some(tests)) = (report.unexplained(), &report.tests) else { return };
    if open == 0 {
        return;
    }
    let failed = tests.failed + tests.errored;
    let parts: Vec<String> = report
        .causes
        .iter()
        .map(|cause| report.explains(cause))
        .filter(|own| *own > 0)
        .map(|own| own.to_string())
        .collect();
    let sum = if parts.is_empty() { String::new() } else { format!("{failed} = {} + {open}: ", parts.join(" + ")) };
    page.blank();
    page.wrap("", &format!("{sum}{} explained by no cause", plural(open, "failure is", "failures are")), YELLOW);
}

/// How the claims of messages stand beside the output of tools, where there is both.
fn claims(page: &mut Page, report: &Report, detail: Detail) {
    let shown = report.sources.iter().any(|source| !source.format.starts_with("message"));
    if report.claims.is_empty() || !shown {
        return;
    }
    let count = |standing| report.claims.iter().filter(|claim| claim.standing == standing).count();
    let parts: Vec<String> =
        Standing::ALL.iter().filter(|of| count(**of) > 0).map(|of| format!("{} {of}", count(*of))).collect();
    page.blank();
    page.line("", &[(DIM, "claims "), (PLAIN, &parts.join(", "))]);
    for claim in &report.claims {
        let style = match claim.standing {
            Standing::Confirmed if detail == Detail::Short => continue,
            Standing::Confirmed => GREEN,
            Standing::Contradicted => RED,
            Standing::Unproven => YELLOW,
        };
        let by = match (&claim.by, claim.standing) {
            (Some(by), Standing::Contradicted) => format!("; {by} shows otherwise"),
            (Some(by), _) => format!("; {by} shows it"),
            (None, _) => String::new(),
        };
        let text = format!("{} “{}”{by}", here(&claim.at), claim.at.text);
        page.wrap_behind(style, &format!("  {:<13} ", claim.standing.as_str()), &text, PLAIN);
    }
}

/// The tasks that a message speaks of, with the causes that belong to each.
fn tasks(page: &mut Page, report: &Report) {
    if report.tasks.is_empty() {
        return;
    }
    page.blank();
    let column = report.tasks.iter().map(|task| task.id.width()).max().unwrap_or(0).min(page.width / 3);
    for task in report.tasks.iter().take(20) {
        let id = format!("{:<column$}", middle(&task.id, column));
        let state = state(task);
        page.line("", &[(DIM, "task "), (BOLD, &id), (PLAIN, "  "), (PLAIN, &cut(&state, page.width - column - 7))]);
        if let Some(title) = &task.title {
            page.line("     ", &[(DIM, &cut(title, page.width - 5))]);
        }
    }
    let more = report.tasks.len().saturating_sub(20) as u64;
    if more > 0 {
        page.line("     ", &[(DIM, &format!("and {}", plural(more, "more task", "more tasks")))]);
    }
}

/// `failed, build failed; 18 tests: 12 failed, 6 passed; causes 2, 4`.
pub(super) fn state(task: &Task) -> String {
    let mut text = task.status.to_string();
    if let Some(priority) = task.priority {
        let _ = write!(text, ", P{priority}");
    }
    if task.build != Outcome::Unknown {
        let _ = write!(text, ", build {}", task.build);
    }
    if let Some(tests) = &task.tests {
        let _ = write!(text, "; {}", counts(tests));
    }
    if !task.causes.is_empty() {
        let numbers: Vec<String> = task.causes.iter().map(|index| (index + 1).to_string()).collect();
        let _ = write!(text, "; {} {}", if numbers.len() == 1 { "cause" } else { "causes" }, numbers.join(", "));
    }
    text
}

/// The cases that passed, where they were asked for.
fn passed(page: &mut Page, report: &Report) {
    if !report.passed.is_empty() {
        page.blank();
    }
    for PassedCase { name, suite: _, file, seconds } in &report.passed {
        let time = seconds.map_or_else(String::new, |seconds| format!("  {seconds:.3} s"));
        let file = file.as_ref().map_or_else(String::new, |file| format!("  {file}"));
        page.line("", &[(DIM, "passed "), (PLAIN, name), (DIM, &file), (DIM, &time)]);
    }
}

fn inputs(page: &mut Page, report: &Report) {
    page.blank();
    for source in &report.sources {
        let size = format!("{}, {}", source.format, plural(source.lines, "line", "lines"));
        page.line("", &[(DIM, "input "), (PLAIN, &source.name), (DIM, &format!("  {size}, {}", source.outcome))]);
    }
    page.line("", &[(DIM, &format!("rules {}", report.rules))]);
}

pub(super) fn plural(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// The words that prove a cause, each with its places.
pub(super) fn quotes<'a>(message: &'a str, evidence: &'a [Evidence], fold: bool) -> Vec<(&'a str, Vec<&'a Evidence>)> {
    let mut quotes: Vec<(&str, Vec<&Evidence>)> = Vec::new();
    for evidence in evidence {
        let text = if evidence.text.is_empty() { message } else { &evidence.text };
        match quotes.iter_mut().find(|(known, _)| *known == text && fold) {
            Some((_, places)) => places.push(evidence),
            None => quotes.push((text, vec![evidence])),
        }
    }
    quotes
}

/// `build.log:12`.
pub(super) fn here(evidence: &Evidence) -> String {
    format!("{}:{}", evidence.source, evidence.line)
}

/// `src/app.ts:3:14`, the place in the project, unless the words name the file already.
pub(super) fn there(evidence: &Evidence) -> Option<String> {
    let FileRef { path, line, column } = evidence.file.as_ref()?;
    if evidence.text.contains(path.as_str()) {
        return None;
    }
    let mut there = path.clone();
    for number in [line, column].into_iter().flatten() {
        let _ = write!(there, ":{number}");
    }
    Some(there)
}

/// `also on lines 3, 5 and 2 more`, of the places behind the first.
pub(super) fn also(places: &[&Evidence]) -> Option<String> {
    let (first, others) = places.split_first()?;
    let mut lines: Vec<String> = Vec::new();
    for evidence in others.iter().filter(|other| here(other) != here(first)) {
        let line = if evidence.source == first.source { evidence.line.to_string() } else { here(evidence) };
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    if lines.is_empty() {
        return None;
    }
    let more = lines.len().saturating_sub(4);
    let word = if lines.len() == 1 { "line" } else { "lines" };
    let last = match more {
        0 if lines.len() > 1 => format!(" and {}", lines.pop().unwrap_or_default()),
        0 => String::new(),
        _ => format!(" and {more} more"),
    };
    lines.truncate(4);
    Some(format!("also on {word} {}{last}", lines.join(", ")))
}

/// A text cut to a width, with `…` where it was cut.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut used = 0;
    let fits = |character: &char| {
        used += character.width().unwrap_or(0);
        used < width
    };
    let mut out: String = text.chars().take_while(fits).collect();
    out.truncate(out.trim_end().len());
    out.push('…');
    out
}

/// A path shortened at its start: its end tells more.
fn tail(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut used = 0;
    let fits = |character: &char| {
        used += character.width().unwrap_or(0);
        used < width
    };
    let end: Vec<char> = text.chars().rev().take_while(fits).collect();
    let end: String = end.into_iter().rev().collect();
    // A whole name is better than a piece of one.
    let whole = end.find('/').filter(|at| at + 1 < end.len() && *at < width / 2).map_or(end.as_str(), |at| &end[at..]);
    format!("…{whole}")
}

/// A text shortened in its middle: the ends of names and paths tell more.
fn middle(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let tail = width * 2 / 3;
    let head = cut(text, width - tail);
    let mut used = 0;
    let fits = |character: &char| {
        used += character.width().unwrap_or(0);
        used <= tail
    };
    let end: Vec<char> = text.chars().rev().take_while(fits).collect();
    head + &end.into_iter().rev().collect::<String>()
}

struct Page {
    out: String,
    color: bool,
    width: usize,
}

impl Page {
    fn blank(&mut self) {
        self.out.push('\n');
    }

    fn put(&mut self, style: Style, text: &str) {
        if self.color && style != PLAIN && !text.is_empty() {
            let _ = write!(self.out, "{style}{text}{style:#}");
        } else {
            self.out.push_str(text);
        }
    }

    fn line(&mut self, indent: &str, parts: &[(Style, &str)]) {
        self.out.push_str(indent);
        for (style, text) in parts {
            self.put(*style, text);
        }
        self.end();
    }

    /// Ends a line without white space at its end.
    fn end(&mut self) {
        self.out.truncate(self.out.trim_end_matches(' ').len());
        self.out.push('\n');
    }

    /// What was quoted, behind a bar. The bar also keeps a runner from taking a quoted `::command::` for one of its own.
    fn quote(&mut self, style: Style, text: &str, used: usize) {
        self.put(DIM, " │ ");
        self.put(style, &cut(text, self.width.saturating_sub(used + 3).max(20)));
        self.end();
    }

    /// A bold word, a colon and a text, broken into lines.
    fn wrap_head(&mut self, head: &str, text: &str) {
        self.put(BOLD, head);
        let lines = wrapped(text, self.width, head.width() + 2);
        if text.is_empty() {
            self.end();
            return;
        }
        self.out.push_str(": ");
        for (index, line) in lines.iter().enumerate() {
            if index > 0 {
                self.out.push_str("  ");
            }
            self.out.push_str(line);
            self.end();
        }
    }

    /// A text broken into lines; those after the first stand below its start.
    fn wrap(&mut self, head: &str, text: &str, style: Style) {
        self.wrap_behind(PLAIN, head, text, style);
    }

    fn wrap_behind(&mut self, head_style: Style, head: &str, text: &str, style: Style) {
        let indent = head.width().min(self.width / 2);
        for (index, line) in wrapped(text, self.width - indent, 0).iter().enumerate() {
            if index == 0 {
                self.put(head_style, head);
            } else {
                self.out.push_str(&" ".repeat(indent));
            }
            self.put(style, line);
            self.end();
        }
    }
}

/// A word that is wider than a line, in pieces that are not.
fn pieces(word: &str, width: usize) -> Vec<String> {
    let mut pieces = vec![String::new()];
    let mut used = 0;
    for character in word.chars() {
        let wide = character.width().unwrap_or(0);
        if used + wide > width && used > 0 {
            pieces.push(String::new());
            used = 0;
        }
        used += wide;
        pieces.last_mut().expect("there is always one").push(character);
    }
    pieces
}

/// A text broken at white space into lines of a width; the first has `used` columns less.
fn wrapped(text: &str, width: usize, used: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut column = used.min(width);
    for word in text.split_whitespace().flat_map(|word| pieces(word, width)) {
        let wide = word.width();
        let line = lines.last_mut().expect("there is always one");
        let gap = usize::from(!line.is_empty());
        if column + gap + wide > width && column > 0 {
            column = wide;
            lines.push(word);
            continue;
        }
        if gap > 0 {
            line.push(' ');
        }
        line.push_str(&word);
        column += gap + wide;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_by_columns() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcd", 3), "ab…");
        assert_eq!(cut("日本語です", 6), "日本…");
        assert_eq!(tail("/home/runner/work/app/src/ChatInput.tsx", 24), "…/app/src/ChatInput.tsx");
        assert_eq!(middle("src/components/chat/ChatInput.tsx", 20), "src/co…ChatInput.tsx");
    }

    #[test]
    fn lines_break_at_white_space() {
        assert_eq!(wrapped("one two three", 8, 0), ["one two", "three"]);
        assert_eq!(wrapped("one two three", 8, 5), ["one", "two", "three"]);
        assert_eq!(wrapped("", 8, 0), [""]);
        assert_eq!(wrapped("a abcdefghij", 8, 0), ["a", "abcdefgh", "ij"]);
    }
}
