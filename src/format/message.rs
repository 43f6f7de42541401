//! Messages of validators, coordinators and workers in Markdown or prose.
//!
//! A message is told from a README or a log by its head: a title that speaks of a validation, a task or a
//! coordinator, fields such as `**Status:** FAILED`, signs, roles and figures of tests. Several of these must meet.

use crate::format::claim::{self, Tone};
use crate::format::frames;
use crate::format::letter::{Letter, Place};
use crate::format::{self, Parse, Sure, letter};
use crate::item::Item;
use crate::kind::Phase;
use crate::log::pasted;
use crate::report::{Level, Note, Outcome, Span};

/// How much of a message is read; more is a log that begins like one.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// How many lines of the head are looked at for the decision what it is.
const SNIFF_LINES: usize = 120;

/// Whether the head is a message's.
pub(crate) fn sniff(head: &[u8]) -> Option<Sure> {
    let first = head.first()?;
    if !matches!(first, b'#' | b'*' | b'>' | b'-' | b'=' | b'[') && !first.is_ascii_alphabetic() && *first < 0x80 {
        return None;
    }
    let end = head.len().min(12 * 1024);
    let text = String::from_utf8_lossy(&head[..end]);
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty()).take(SNIFF_LINES);
    let title = lines.next()?;
    let titled = title.starts_with('#') || title.starts_with("**");
    if head.len() <= MAX_NOTE && text.lines().count() <= MAX_NOTE_LINES && is_note(title) {
        return Some(Sure::Likely);
    }
    let mut score = 0;
    let lower = title.to_lowercase();
    let speaks = [
        "validation",
        "validator",
        "coordinator",
        "escalation",
        "task",
        "critical:",
        "worker",
        "handoff",
        "failure report",
        "status report",
        "verdict",
        "sub-agent",
        "re-validation",
        "review of",
        "incident",
    ];
    let spoken = speaks.iter().any(|word| lower.contains(word));
    if spoken {
        score += if titled { 2 } else { 1 };
    }
    // A title without a mark must say what it is.
    let announces = ["validation result", "validation report", "verdict", "handoff", "failure report", "status report"];
    let announced = announces.iter().any(|words| lower.contains(words));
    if !claim::task_ids(title).is_empty() && titled {
        score += 1;
    }
    let (mut fields, mut signs, mut roles, mut headings) = (0, 0, 0, 0);
    let mut shouted = 0;
    let mut tasks = false;
    let mut plain_lines = Vec::new();
    for line in std::iter::once(title).chain(lines) {
        if line.starts_with("[![") || line.starts_with("<img") {
            return None;
        }
        if line.starts_with("# ") || line.starts_with("## ") || line.starts_with("### ") {
            headings += 1;
            let name = line.trim_start_matches('#').trim().to_lowercase();
            if [
                "installation",
                "usage",
                "license",
                "contributing",
                "getting started",
                "unreleased",
                "table of contents",
            ]
            .iter()
            .any(|word| name.starts_with(word))
                || name.starts_with("[") && name.contains("] - ")
            {
                score -= 3;
            }
        }
        let plain = claim::plain(line);
        if let Some((name, value)) = claim::field(&plain) {
            let known = [
                "status",
                "result",
                "build",
                "tests",
                "verdict",
                "overall result",
                "validated",
                "validated by",
                "requested by",
                "from",
                "to",
                "task",
                "tasks",
                "task id",
                "session",
                "worker",
                "phase",
                "project",
                "build status",
                "test status",
                "validation result",
                "overall",
                "conclusion",
                "overall status",
                "outcome",
                "final verdict",
                "type",
                "priority",
            ];
            if known.contains(&name.as_str())
                && !value.is_empty()
                && (line.contains("**") || titled || announced || name.len() < 5)
            {
                fields += 1;
            }
            let decided = claim::verdict(value) != Outcome::Unknown;
            if decided && ["result", "verdict", "status", "overall", "outcome"].iter().any(|word| name.contains(word)) {
                shouted += 1;
            }
        }
        tasks |= !claim::task_ids(&plain).is_empty();
        signs += i32::from(line.contains('❌') || line.contains('✅'));
        let lower = plain.to_lowercase();
        roles += i32::from(
            [
                "validator",
                "coordinator",
                "sub-agent",
                "subagent",
                "sessions_spawn",
                "acceptance criteria",
                "person manager",
            ]
            .iter()
            .any(|word| lower.contains(word)),
        );
        plain_lines.push(plain);
    }
    score += fields.min(3) + signs.min(2) + roles.min(2) + shouted.min(1);
    // A title that says who writes, and the name of a task below it.
    score += i32::from(titled && spoken && tasks);
    let enough = if titled && headings > 0 { 4 } else { 5 };
    // Without headings only the words of a letter count: somebody writes to somebody about a result.
    let letter = titled || announced || roles > 0 && fields >= 2;
    if !letter || score + 1 < enough {
        return None;
    }
    // Figures are dear to look for, and of all logs nearly none comes so far.
    let figures = i32::from(plain_lines.iter().any(|plain| claim::tally(&claim::heard(plain)).is_some()));
    score += figures;
    // An essay on coordinators names roles too; only somebody's verdict, or a title that promises one, makes a message.
    if !(spoken || shouted > 0 || figures > 0 && signs > 0) {
        return None;
    }
    (score >= enough).then_some(Sure::Likely)
}

/// How long a note is that somebody writes without headings and fields, in bytes and in lines.
const MAX_NOTE: usize = 6 * 1024;
const MAX_NOTE_LINES: usize = 40;

/// Whether a text begins as a note does that somebody writes: about the writer, from one to another, with a sign and a
/// verdict, or with the name of what is told of.
fn is_note(first: &str) -> bool {
    const DONE: &[&str] = &[
        "verified",
        "validated",
        "completed",
        "complete",
        "done",
        "failed",
        "rejected",
        "accepted",
        "blocked",
        "passed",
    ];
    let words = |text: &str| -> Vec<String> {
        let parts = text.split(|letter: char| !(letter.is_alphanumeric() || matches!(letter, '-' | '\'' | '_')));
        parts.filter(|part| !part.is_empty()).map(str::to_lowercase).collect()
    };
    // `[worker-2 → coordinator] BLOCKED: …`
    if let Some((names, rest)) = first.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        let parted = ["→", "->", "=>"].iter().find_map(|arrow| names.split_once(arrow));
        let roles =
            ["worker", "coordinator", "validator", "agent", "subagent", "lead", "planner", "reviewer", "verifier"];
        let role = |name: &str| words(name).iter().any(|word| roles.iter().any(|role| word.starts_with(role)));
        return rest.starts_with([' ', ':']) && parted.is_some_and(|(from, to)| role(from) || role(to));
    }
    let signed = first.trim_start_matches(['✅', '❌', '⚠', '\u{fe0f}', '🚫', '🛑', '🎉', '✔', '✖']);
    let said = words(signed);
    let said: Vec<&str> = said.iter().map(String::as_str).collect();
    let done = said.iter().take(8).any(|word| DONE.contains(word));
    if signed.len() < first.len() {
        // A runner of tests signs its lines too; it names no task.
        return done && !claim::task_ids(signed).is_empty();
    }
    match said[..] {
        [
            "i" | "we",
            "have" | "could" | "can" | "cannot" | "can't" | "couldn't" | "tried" | "ran" | "was" | "am" | "fixed"
            | "implemented" | "finished" | "completed" | "did" | "verified",
            ..,
        ]
        | ["i've" | "we've" | "i'm", ..] => true,
        [
            "worker" | "subagent" | "sub-agent" | "agent" | "validator" | "task",
            "result" | "report" | "status" | "update",
            ..,
        ] => done,
        ["task", _, "completed" | "done" | "failed" | "blocked" | "rejected" | "is", ..] => done,
        ["validation" | "verification", "failed" | "passed" | "succeeded", "for", ..] => true,
        ["validation" | "verification" | "review", "of", ..] => done && !claim::task_ids(first).is_empty(),
        // `APPROVED: cart-12. The build is green.`
        ["approved" | "rejected" | "blocked" | "verified" | "validated", ..] => !claim::task_ids(first).is_empty(),
        // Nobody but a person or who writes like one begins with a greeting.
        ["hi" | "hello" | "hey" | "dear", ..] => {
            said.len() <= 5 && first.trim_end().ends_with([',', '!', '.', '-', '–', ':'])
        }
        ["good", "morning" | "afternoon" | "evening", ..] => said.len() <= 6,
        _ => false,
    }
}

pub(crate) fn open() -> Box<dyn Parse> {
    Box::new(Message)
}

struct Message;

impl Parse for Message {
    fn parse(&mut self, data: &[u8], at: &mut format::Place, eof: bool, out: &mut dyn FnMut(Item)) -> usize {
        if !eof {
            return 0;
        }
        let mut read = data;
        if data.len() > MAX_BYTES {
            let end = memchr::memrchr(b'\n', &data[..MAX_BYTES]).map_or(MAX_BYTES, |end| end + 1);
            read = &data[..end];
            out(Item::Note(Note::warning(None, "only the first 4 MiB of the message were read")));
        }
        out(Item::Letter { id: letter::content_id(data), supersedes: Vec::new() });
        let mut reader = Reader::default();
        let mut place = *at;
        // Where the output begins that is being quoted, and the paragraph.
        let mut quote: Option<(usize, format::Place)> = None;
        let mut paragraph: Option<(usize, format::Place)> = None;
        let mut pos = 0;
        for raw in read.split_inclusive(|byte| *byte == b'\n') {
            let end = raw.len() - usize::from(raw.ends_with(b"\n"));
            let span = Span::on_line(place.line, place.byte, place.byte + end as u64);
            let text = String::from_utf8_lossy(&raw[..end]);
            if !is_prose(&text)
                && let Some((start, at)) = paragraph.take()
            {
                reader.quote(&read[start..pos], at, false);
            }
            reader.line(text.trim_end(), span);
            if reader.fence.is_none() && is_prose(&text) {
                paragraph.get_or_insert((pos, place));
            }
            place.advance(raw);
            if reader.fence.is_none()
                && let Some((start, at)) = quote.take()
            {
                reader.quote(&read[start..pos], at, true);
            }
            pos += raw.len();
            if reader.fence.is_some() {
                quote.get_or_insert((pos, place));
            }
        }
        if let Some((start, at)) = quote.or(paragraph) {
            reader.quote(&read[start..], at, quote.is_some());
        }
        at.advance(data);
        reader.end(out);
        data.len()
    }
}

/// Reads Markdown that stands inside of another message.
pub(crate) fn within(letter: &mut Letter, lines: impl Iterator<Item = (String, Span)>) {
    let mut reader = Reader { letter: std::mem::take(letter), titled: true, ..Reader::default() };
    for (line, span) in lines {
        reader.line(line.trim_end(), span);
    }
    reader.close(0);
    *letter = reader.letter;
}

/// A heading that is open.
#[derive(Debug)]
struct Section {
    depth: usize,
    tone: Tone,
    phase: Option<Phase>,
    task: Option<usize>,
    /// How the check that the section is about ended: by its heading's sign, then by a result line within.
    check: Outcome,
    checked: bool,
    span: Span,
    heading: String,
}

#[derive(Debug, Default)]
struct Reader {
    letter: Letter,
    sections: Vec<Section>,
    /// The tasks that the title names.
    whole: Vec<usize>,
    titled: bool,
    /// A line of text was read.
    begun: bool,
    fence: Option<char>,
    /// The items of the list at hand above the next line, with their indent.
    parents: Vec<(usize, String)>,
    /// The task of a bold line, until the next heading.
    task: Option<usize>,
}

impl Reader {
    /// Reads output of tools that stands between fences as a log. Without fences a line may be anybody's: only what
    /// has the form that a tool gives it counts.
    fn quote(&mut self, output: &[u8], at: format::Place, fenced: bool) {
        let place = self.place(None);
        let mut failures = pasted::failures(output, at);
        failures.retain(|failure| fenced || failure.level != Level::Line || frames::place(&failure.text).is_some());
        self.letter.quote(failures, &place);
    }

    fn line(&mut self, raw: &str, span: Span) {
        let trimmed = raw.trim_start();
        for sign in ['`', '~'] {
            if trimmed.chars().take(3).filter(|first| *first == sign).count() == 3 {
                match self.fence {
                    Some(open) if open == sign => self.fence = None,
                    None => self.fence = Some(sign),
                    Some(_) => {}
                }
                return;
            }
        }
        if self.fence.is_some() {
            let place = self.place(None);
            self.letter.pasted(trimmed, span, &place);
            return;
        }
        if trimmed.is_empty() || trimmed.bytes().all(|byte| matches!(byte, b'-' | b'=' | b'*' | b' ')) {
            return;
        }
        let depth = trimmed.bytes().take_while(|byte| *byte == b'#').count();
        if (1..=6).contains(&depth) && trimmed[depth..].starts_with(' ') {
            self.heading(depth, &trimmed[depth + 1..], span);
        } else if trimmed.starts_with('|') {
            self.row(trimmed, span);
        } else {
            self.text(raw.len() - trimmed.len(), trimmed, span);
        }
    }

    fn place(&self, parent: Option<String>) -> Place {
        let mut place = Place { parent, ..Place::TOP };
        for section in &self.sections {
            if section.tone != Tone::Open {
                place.tone = section.tone;
            }
            place.phase = section.phase.or(place.phase);
            place.task = section.task.or(place.task);
            place.heading = Some(section.heading.clone());
        }
        place.task = self.task.or(place.task).or(match self.whole[..] {
            [only] => Some(only),
            _ => None,
        });
        place
    }

    /// What is said of the one task of the title is said of the whole message.
    fn of_whole(&self, place: &Place) -> Place {
        let own = self.task.is_some() || self.sections.iter().any(|section| section.task.is_some());
        let task = if own { place.task } else { place.task.filter(|task| self.whole != [*task]) };
        Place { task, ..place.clone() }
    }

    fn close(&mut self, depth: usize) {
        while self.sections.last().is_some_and(|section| section.depth >= depth) {
            let section = self.sections.pop().expect("it was seen");
            if section.check == Outcome::Failed {
                self.letter.check_failed(&section.heading, section.span);
            }
        }
    }

    fn heading(&mut self, depth: usize, text: &str, span: Span) {
        self.close(depth);
        self.parents.clear();
        self.task = None;
        let plain = claim::plain(text);
        let lower = plain.to_lowercase();
        if lower.contains("correction") || lower.contains("supersede") || lower.starts_with("revised") {
            self.letter.correct();
        }
        let ids = claim::task_ids(&plain);
        self.letter.prioritize(&plain, &Place::TOP);
        if !self.titled {
            self.titled = true;
            self.whole = ids.iter().filter_map(|id| self.letter.task(id)).collect();
            if let [only] = self.whole[..] {
                let title = plain.split_once(&ids[0]).map_or("", |(_, rest)| rest);
                self.name(only, title);
            }
            self.letter.state(0, title_verdict(&lower), &plain, span);
            self.sections.push(Section {
                depth,
                tone: Tone::Open,
                phase: None,
                task: None,
                check: Outcome::Unknown,
                checked: false,
                span,
                heading: plain,
            });
            return;
        }
        let (sign, rest) = claim::signed(&plain);
        let mut section = Section {
            depth,
            tone: claim::section_tone(&plain),
            phase: claim::phase(rest),
            task: None,
            check: Outcome::Unknown,
            checked: false,
            span,
            heading: plain.clone(),
        };
        if let Some(id) = ids.first().filter(|id| ids.len() == 1 && leads(rest, id)) {
            section.task = self.letter.task(id);
            if let Some(task) = section.task {
                let title = rest.split_once(id.as_str()).map_or("", |(_, rest)| rest).to_owned();
                self.name(task, &title);
                let outcome = claim::verdict(&title);
                if claim::is_signed(&plain) && outcome != Outcome::Unknown {
                    self.letter.task_mut(task).status = outcome;
                }
                // The parent's tone says that these tasks failed, not what each line below says.
                section.tone = Tone::Open;
            }
        }
        let place = self.of_whole(&self.place(None));
        let stated = claim::field(rest).is_some_and(|(name, value)| {
            let value = value.to_owned();
            self.letter.field(&name, &value, span, &place);
            ["result", "verdict", "outcome", "overall", "conclusion"].iter().any(|word| name.contains(word))
        });
        if claim::is_signed(&plain) && !stated {
            section.check = match sign {
                Tone::Bad => Outcome::Failed,
                Tone::Good => Outcome::Passed,
                Tone::Aside | Tone::Open => claim::verdict(&plain),
            };
            if section.phase == Some(Phase::Build) {
                self.letter.build(section.check, place.task);
            }
        }
        self.sections.push(section);
    }

    fn name(&mut self, task: usize, title: &str) {
        let title = title.trim().trim_start_matches([':', '-', '—', '–', ' ']).trim_matches(['"', ' ']);
        let task = self.letter.task_mut(task);
        if task.title.is_none() && title.chars().filter(|character| character.is_alphabetic()).count() > 3 {
            task.title = Some(title.chars().take(200).collect());
        }
    }

    fn row(&mut self, text: &str, span: Span) {
        let cells: Vec<&str> = text.trim_matches('|').split('|').map(str::trim).collect();
        let [first, rest @ ..] = &cells[..] else { return };
        if rest.is_empty() || first.bytes().all(|byte| matches!(byte, b'-' | b':' | b' ')) {
            return;
        }
        let mut place = self.place(None);
        let name = claim::plain(first);
        let ids = claim::task_ids(&name);
        let value = rest.join(" ");
        if let [id] = &ids[..]
            && leads(&name, id)
        {
            place.task = self.letter.task(id);
            if let Some(task) = place.task {
                let outcome = claim::verdict(&value);
                if outcome != Outcome::Unknown {
                    self.letter.task_mut(task).status = outcome;
                }
            }
        } else {
            let said = format!("{}: {}", name.trim_matches('`'), value);
            if let Some((name, value)) = claim::field(&said)
                && self.letter.field(&name, value, span, &self.of_whole(&place))
            {
                return;
            }
        }
        let line = format!("{name}: {}", rest.join(" - "));
        let (sign, _) = claim::signed(rest[0]);
        if sign == Tone::Bad {
            self.letter.check_failed(&line, span);
            place.tone = Tone::Bad;
        }
        self.letter.say(&line, span, &place);
    }

    fn text(&mut self, indent: usize, raw: &str, span: Span) {
        let plain = claim::plain(raw);
        if plain.is_empty() {
            return;
        }
        while self.parents.last().is_some_and(|(known, _)| *known >= indent) {
            self.parents.pop();
        }
        let parent = self.parents.last().map(|(_, text)| text.clone());
        // The first line of a note is what its title would be.
        if !self.titled && !std::mem::replace(&mut self.begun, true) {
            let outcome = title_verdict(&plain.to_lowercase());
            self.letter.state(0, outcome, &plain, span);
            if outcome == Outcome::Failed {
                self.letter.check_failed(&plain, span);
            }
        }
        // A bold id in front begins what is said of that task.
        let bold = claim::signed(raw.trim_start_matches(['-', '*', ' ', '+']).trim_start()).1;
        let numbered =
            raw.trim_start_matches(|character: char| character.is_ascii_digit() || ". -*".contains(character));
        let is_bold =
            raw.contains("**") && (raw.starts_with("**") || bold.len() < raw.len() || numbered.len() < raw.len());
        let id = claim::task_ids(claim::signed(&plain).1).into_iter().next();
        if let Some(id) = id
            && is_bold
            && leads(claim::signed(&plain).1, &id)
            && parent.is_none()
        {
            let task = self.letter.task(&id);
            self.task = task.or(self.task);
            let rest = plain.split_once(id.as_str()).map_or("", |(_, rest)| rest);
            let outcome = claim::verdict(rest);
            if let Some(task) = task
                && claim::is_signed(&plain)
                && outcome != Outcome::Unknown
            {
                self.letter.task_mut(task).status = outcome;
            }
        }
        let mut place = self.place(parent);
        let (sign, rest) = claim::signed(&plain);
        if let Some((name, value)) = claim::field(rest) {
            let ids = if matches!(name.as_str(), "task" | "tasks" | "task id" | "task ids" | "subject") {
                claim::task_ids(value)
            } else {
                Vec::new()
            };
            for id in ids {
                let task = self.letter.task(&id);
                if self.sections.len() <= 1 && name.starts_with("task") {
                    self.whole.extend(task.filter(|task| !self.whole.contains(task)));
                }
            }
            // Gradle's `> Task :app:compile` is quoted, not named.
            if name == "task"
                && !raw.starts_with('>')
                && let Some(task) = place.task
            {
                self.name(task, value);
            }
            let outcome = claim::verdict(value);
            let result = matches!(name.as_str(), "result" | "verdict" | "status" | "outcome");
            // A result within the section of one check is that check's.
            let local = result
                && self.sections.len() > 1
                && self.sections.last().is_some_and(|section| section.check != Outcome::Unknown);
            if local && outcome != Outcome::Unknown {
                if let Some(section) = self.sections.last_mut()
                    && !section.checked
                {
                    section.check = outcome;
                    section.checked = true;
                    section.tone = if outcome == Outcome::Failed { Tone::Bad } else { Tone::Good };
                }
                // In capitals it is the last word of the message.
                if !rest.starts_with("RESULT") {
                    return;
                }
            }
            if sign == Tone::Open && self.letter.field(&name, value, span, &self.of_whole(&place)) {
                return;
            }
        } else if sign == Tone::Open && place.tone != Tone::Aside {
            // `**FAIL** - …` alone, as the first word of a check's section.
            let word = rest.split([' ', '-', ':']).next().unwrap_or("");
            if matches!(word, "FAIL" | "FAILED") && raw.starts_with("**") {
                self.letter.check_failed(&plain, span);
                place.tone = Tone::Bad;
            }
        }
        self.letter.say(&plain, span, &place);
        if rest.ends_with(':')
            || raw.starts_with(['-', '*'])
            || raw.starts_with(|character: char| character.is_ascii_digit())
        {
            self.parents.push((indent, plain));
        }
    }

    fn end(mut self, out: &mut dyn FnMut(Item)) {
        self.close(0);
        self.letter.settle_tasks(&self.whole);
        self.letter.finish(out);
    }
}

/// Whether a line is neither blank nor a part of what Markdown marks: a heading, a list, a table, a fence.
fn is_prose(line: &str) -> bool {
    let begins_list = |text: &str| text.starts_with(['-', '*', '+', '#', '|', '>', '`', '~']);
    !line.trim().is_empty() && !begins_list(line.trim_start())
}

/// Whether a text begins with an id, but for a few words such as `Task`.
fn leads(text: &str, id: &str) -> bool {
    text.find(id).is_some_and(|at| {
        let before = text[..at].trim().trim_end_matches([':', '`', '[', '*']).to_lowercase();
        matches!(before.as_str(), "" | "task" | "`" | "validation" | "spawned" | "worker for" | "task id")
    })
}

/// What a title says: only words that cannot be the name of the work.
fn title_verdict(lower: &str) -> Outcome {
    if ["validation failure", "validation failed", "failed validation", "result: fail", "critical failure"]
        .iter()
        .any(|word| lower.contains(word))
    {
        Outcome::Failed
    } else if ["validation passed", "result: pass", "validation: pass"].iter().any(|word| lower.contains(word)) {
        Outcome::Passed
    } else {
        Outcome::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_are_told_by_their_first_words() {
        for note in [
            "[worker-2 → coordinator] BLOCKED: the install keeps failing. Waiting.\n",
            "✅ T-33 verified. 87/87 tests passing.\n",
            "Worker result: FAILED\nThe build fails.\n",
            "Task 14 completed. All tests pass.\n",
            "Validation failed for T-32: `docs/api.md` does not exist.\n",
            "I could not run the tests: no daemon.\n",
        ] {
            assert!(sniff(note.as_bytes()).is_some(), "{note}");
            let long = format!("{note}{}", "line\n".repeat(50));
            assert!(sniff(long.as_bytes()).is_none(), "{note}");
        }
        for other in [
            "✅ build completed\n✅ tests passed\n",
            "[build -> dist] done\nerror: it broke\n",
            "[1/4] Resolving packages...\n",
            "Task :app:compileJava FAILED\n",
            "I/O error: disk\n",
            "Validation Error: x\n",
        ] {
            assert!(sniff(other.as_bytes()).is_none(), "{other}");
        }
    }

    #[test]
    fn messages_are_told_from_other_prose() {
        let note = "# Validation: web-auth-3\n\n**Requested by:** coordinator\n\n## Overall Result: ❌ FAIL\n";
        assert!(sniff(note.as_bytes()).is_some());
        let letter = "From: validator\nTo: coordinator\nTask: web-auth-3\nResult: FAIL - 3/10 tests failing\n";
        assert!(sniff(letter.as_bytes()).is_some());
        for other in [
            "# left-pad\n\nPads.\n\n## Installation\n\nnpm i left-pad\n\n## Usage\n\n**Status:** stable\n",
            "# Changelog\n\n## [1.2.0] - 2024-01-01\n\n- ✅ Fixed failing tests of the validator\n",
            "> jest\n\nFAIL src/a.test.js\n  ✕ adds (3 ms)\n\nTests: 1 failed, 2 passed, 3 total\n",
            "Task: build\nStatus: running\n[1/4] Compiling\nerror: it broke\n",
            "# github.com/a/b\n./main.go:3:1: undefined: foo\n",
        ] {
            assert_eq!(sniff(other.as_bytes()), None, "{other}");
        }
    }
}
