//! Messages of validators, coordinators and workers in JSON.
//!
//! There is no schema: each fleet has its own. What they share is who writes to whom, a result in words, findings or
//! issues as sentences, and ids of tasks; so the document is walked, and keys say in which tone a sentence speaks.

use crate::format::claim::{self, Tone};
use crate::format::json::{Cursor, Lines, Node, Stop, Text, Value};
use crate::format::letter::{Letter, Place};
use crate::format::{self, Parse, Sure, letter, message};
use crate::item::{Item, TestRun};
use crate::report::{Counts, Note, Outcome};

/// The largest message that is read whole.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// Whether the head is a message's: keys of a letter and keys of a verdict must meet.
pub(crate) fn sniff(head: &[u8]) -> Option<Sure> {
    if head.first() != Some(&b'{') {
        return None;
    }
    let head = &head[..head.len().min(16 * 1024)];
    let has = |key: &str| format::near::holds(head, key.as_bytes());
    // Reports of test runners have keys of their own.
    if ["\"testResults\"", "\"numTotalTests\"", "\"suites\"", "\"Action\"", "\"$schema\"", "\"dependencies\""]
        .into_iter()
        .any(has)
    {
        return None;
    }
    let count = |keys: &[&str]| keys.iter().filter(|key| has(key)).count();
    let letter = count(&[
        "\"from\"",
        "\"to\"",
        "\"subject\"",
        "\"validated_by\"",
        "\"validator\"",
        "\"sender\"",
        "\"recipient\"",
        "\"reported_by\"",
        // What kind of letter it is names who writes it.
        "\"validation-result\"",
        "\"validation_result\"",
        "\"validation-failure\"",
        "\"validation_failure\"",
        "\"validation-report\"",
        "\"validation_report\"",
        "\"task-result\"",
        "\"task_result\"",
    ]);
    let work = count(&["\"task_id", "\"taskId", "\"task\"", "\"tasks\"", "\"failed_tasks\"", "\"task_name\""]);
    let word = count(&[
        "\"result\"",
        "\"verdict\"",
        "\"findings\"",
        "\"issues\"",
        "\"critical_issues\"",
        "\"checks\"",
        "\"escalation_required\"",
        "\"validation",
        "\"status\"",
        "\"severity\"",
        "\"failures\"",
        "\"blockers\"",
    ]);
    let told = count(&["validation", "validator", "coordinator", "escalation"]);
    (letter >= 1 && letter + work >= 2 && word >= 1 && word + told >= 2).then_some(Sure::Likely)
}

pub(crate) fn open() -> Box<dyn Parse> {
    Box::new(MessageJson { done: false })
}

struct MessageJson {
    done: bool,
}

impl Parse for MessageJson {
    fn parse(&mut self, data: &[u8], at: &mut format::Place, eof: bool, out: &mut dyn FnMut(Item)) -> usize {
        let (patched, start) = unexpanded(data);
        let document = patched.as_deref().unwrap_or(data);
        let mut cursor = Cursor::new(&document[start..]);
        let (node, stop) = cursor.node();
        if stop == Some(Stop::Truncated) && !eof && data.len() < MAX_BYTES {
            return 0;
        }
        // Of what follows the message nobody asks.
        let end = if stop.is_some() { data.len() } else { start + cursor.pos() };
        let lines = Lines::new(&document[start..end.min(document.len())], {
            let mut place = *at;
            place.advance(&data[..start]);
            place
        });
        if let Some(stop) = stop {
            let place = match stop {
                Stop::Truncated => data.len() - start,
                Stop::Damaged(offset) | Stop::Crowded(offset) => offset,
            };
            let line = lines.span(place, place).line;
            out(Item::Note(Note::warning(
                Some(line),
                "the JSON of the message is cut or damaged; what was whole is read",
            )));
        }
        let mut walk = Walk { letter: Letter::default(), lines, whole: Vec::new(), counts: None };
        walk.head(&node);
        walk.object(&node, &Place::TOP, 0);
        let supersedes = ["supersedes", "replaces", "corrects"]
            .iter()
            .filter_map(|key| node.get(key).or_else(|| node.at(&["content", key])))
            .flat_map(|node| node.string().into_iter().chain(node.elements().iter().filter_map(Node::string)))
            .collect();
        let id = ["id", "message_id", "messageId"].iter().find_map(|key| node.get(key)).and_then(Node::string);
        let stamp = ["timestamp", "time", "sent_at"].iter().find_map(|key| node.get(key)).and_then(Node::string);
        // A stamp that no shell expanded tells two messages apart no better than none.
        let stamp = stamp.filter(|stamp| !stamp.contains("$("));
        let id = match (id.filter(|id| !id.contains("$(")), stamp) {
            (Some(id), Some(stamp)) => format!("{id}@{stamp}"),
            (Some(id), None) => id,
            (None, _) => letter::content_id(&data[start..end]),
        };
        out(Item::Letter { id, supersedes });
        let Walk { mut letter, whole, counts, lines } = walk;
        if stop.is_some() {
            letter.cut();
        }
        letter.settle_tasks(&whole);
        if let Some((counts, start, end)) = counts {
            letter.told_counts(TestRun {
                tool: "message",
                counts,
                span: lines.span(start, end),
                outcome: if counts.any_failed() { Outcome::Failed } else { Outcome::Passed },
            });
        }
        letter.finish(out);
        at.advance(&data[..end]);
        self.done = true;
        end
    }

    fn done(&self) -> bool {
        self.done
    }
}

/// A copy of the document in which `$(date +%s)` outside of strings became a number, and where the document begins.
fn unexpanded(data: &[u8]) -> (Option<Vec<u8>>, usize) {
    let start = data.iter().position(|byte| *byte == b'{').unwrap_or(0);
    let mut copy: Option<Vec<u8>> = None;
    for _ in 0..16 {
        let document = copy.as_deref().unwrap_or(data);
        let (_, stop) = Cursor::new(&document[start..]).node();
        let Some(Stop::Damaged(at)) = stop else { break };
        let at = start + at;
        let Some(length) =
            document[at..].strip_prefix(b"$(").and_then(|rest| rest.iter().take(80).position(|byte| *byte == b')'))
        else {
            break;
        };
        let copy = copy.get_or_insert_with(|| data.to_vec());
        let command = &mut copy[at..at + length + 3];
        command.iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
        copy[at] = b'0';
    }
    (copy, start)
}

struct Walk {
    letter: Letter,
    lines: Lines,
    whole: Vec<usize>,
    /// Totals given as numbers, with their place.
    counts: Option<(Counts, usize, usize)>,
}

impl Walk {
    /// What the envelope says: the tasks and the result of the whole.
    fn head(&mut self, node: &Node<'_>) {
        for holder in [Some(node), node.get("content"), node.get("payload"), node.get("body")].into_iter().flatten() {
            for key in ["task_ids", "task_id", "taskId", "taskIds", "tasks", "task", "failed_tasks"] {
                let Some(found) = holder.get(key) else { continue };
                let texts = found.string().into_iter().chain(found.elements().iter().filter_map(Node::string));
                for id in texts.flat_map(|text| whole_ids(&text)) {
                    let task = self.letter.task(&id);
                    let Some(task) = task else { continue };
                    if key == "failed_tasks" {
                        self.letter.task_mut(task).status = Outcome::Failed;
                    } else if !self.whole.contains(&task) {
                        self.whole.push(task);
                    }
                }
            }
        }
    }

    fn object(&mut self, node: &Node<'_>, place: &Place, depth: usize) {
        let mut place = place.clone();
        if depth > 0 {
            let id = ["task_id", "taskId", "task", "id"].iter().find_map(|key| node.get(key)).and_then(Node::string);
            if let Some(id) = id.and_then(|id| whole_ids(&id).into_iter().next())
                && let Some(task) = self.letter.task(&id)
            {
                place.task = Some(task);
            }
        }
        if place.task.is_none()
            && let [only] = self.whole[..]
        {
            place.task = Some(only);
        }
        if let Some(counts) = counts(node)
            && self.counts.is_none_or(|(known, ..)| counts.total > known.total)
        {
            match place.task.filter(|_| self.whole.len() != 1) {
                Some(task) => self.letter.task_mut(task).tests = Some(counts),
                None => self.counts = Some((counts, node.start, node.end)),
            }
        }
        for (key, value) in node.members() {
            self.member(key, value, &place, depth);
        }
    }

    fn member(&mut self, key: &str, node: &Node<'_>, place: &Place, depth: usize) {
        let name = spaced(key);
        let span = self.lines.span(node.start, node.end);
        if name == "to"
            && depth <= 1
            && let Some(whom) = node.string()
        {
            self.letter.ask(&whom, false);
        }
        if name == "priority"
            && let Some(text) = node.string()
        {
            self.letter.prioritize(&text, place);
        }
        if matches!(
            name.as_str(),
            "id" | "timestamp"
                | "from"
                | "to"
                | "type"
                | "priority"
                | "project"
                | "task id"
                | "task ids"
                | "taskid"
                | "severity"
                | "validated at"
                | "validated by"
                | "notes file"
                | "supersedes"
                | "phase"
        ) {
            return;
        }
        if name == "subject" || name == "title" {
            return;
        }
        if name.contains("session")
            && let Some(task) = place.task
            && let Some(text) = node.string()
        {
            let key = claim::session(&claim::heard(&text)).map_or(text.clone(), str::to_owned);
            self.letter.task_mut(task).session.get_or_insert(key);
        }
        if name == "checks" || name.ends_with(" checks") || name == "criteria" {
            self.checks(node, place, depth);
            return;
        }
        if let Some(passed) = node.bool() {
            let outcome = if passed { Outcome::Passed } else { Outcome::Failed };
            match name.as_str() {
                "passed" | "success" | "approved" | "valid" if depth <= 1 => self.letter.state(3, outcome, key, span),
                _ => {}
            }
            return;
        }
        let mut place = place.clone();
        let tone = claim::section_tone(&name);
        if tone != Tone::Open {
            place.tone = tone;
        } else if name.contains("action") || name.contains("impact") || name == "taken" {
            place.tone = Tone::Aside;
        }
        place.phase = claim::phase(&name).or(place.phase);
        match &node.value {
            Value::Text(text) => {
                let value = text.decode();
                let outer = depth <= 1;
                let mut at = place.clone();
                if outer && place.task.is_none_or(|task| self.whole == [task]) {
                    at.task = None;
                }
                if !self.letter.field(&name, &value, span, &at) {
                    self.sentences(*text, &place);
                }
            }
            Value::Array(elements) => {
                for element in elements {
                    match &element.value {
                        Value::Text(text) if whole_ids(&text.decode()).is_empty() => self.sentences(*text, &place),
                        Value::Object(_) => self.object(element, &place, depth + 1),
                        _ => {}
                    }
                }
            }
            Value::Object(_) => self.object(node, &place, depth + 1),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Folded => {}
        }
    }

    fn checks(&mut self, node: &Node<'_>, place: &Place, depth: usize) {
        for (key, value) in node.members() {
            let name = spaced(key);
            let span = self.lines.span(value.start, value.end);
            let outcome = match (&value.value, value.bool()) {
                (_, Some(true)) => Outcome::Passed,
                (_, Some(false)) => Outcome::Failed,
                (Value::Text(text), _) => claim::verdict(&text.decode()),
                (Value::Object(_), _) => {
                    let result =
                        ["result", "status", "outcome"].iter().find_map(|key| value.get(key)).and_then(Node::string);
                    self.object(value, place, depth + 1);
                    result.map_or(Outcome::Unknown, |result| claim::verdict(&result))
                }
                _ => Outcome::Unknown,
            };
            if outcome == Outcome::Failed {
                self.letter.check_failed(&format!("{name}: failed"), span);
            }
            if name.contains("build") {
                self.letter.build(outcome, place.task);
            }
            if let Value::Text(text) = value.value
                && text.raw.len() > 12
            {
                let mut place = place.clone();
                place.tone = if outcome == Outcome::Failed { Tone::Bad } else { Tone::Open };
                place.phase = claim::phase(&name);
                self.sentences(text, &place);
            }
        }
    }

    fn sentences(&mut self, text: Text<'_>, place: &Place) {
        let lines = text.lines();
        if lines.len() > 3 && lines.iter().any(|(line, ..)| line.starts_with('#') || line.contains("**")) {
            // A whole note in Markdown inside the JSON.
            let lines = lines.into_iter().map(|(line, start, end)| (line, self.lines.span(start, end)));
            message::within(&mut self.letter, lines);
            return;
        }
        for (line, start, end) in lines {
            let plain = claim::plain(&line);
            if !plain.is_empty() {
                let span = self.lines.span(start, end);
                self.letter.say(&plain, span, place);
            }
        }
    }
}

/// A key as words: `critical_issues` and `criticalIssues` are the same.
fn spaced(key: &str) -> String {
    let mut name = String::with_capacity(key.len() + 4);
    for character in key.chars() {
        if character == '_' || character == '-' {
            name.push(' ');
        } else {
            if character.is_uppercase() && name.chars().next_back().is_some_and(char::is_lowercase) {
                name.push(' ');
            }
            name.extend(character.to_lowercase());
        }
    }
    name
}

/// The ids of a text that holds nothing but ids, commas aside. An id of an explicit field needs no digit.
fn whole_ids(text: &str) -> Vec<String> {
    let words: Vec<&str> = text.split([',', ' ']).filter(|word| !word.is_empty()).collect();
    let fits = |word: &&str| {
        claim::is_task_id(word)
            || word.contains('-')
                && word.len() <= 80
                && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    if words.is_empty() || words.len() > 20 || !words.iter().all(fits) {
        Vec::new()
    } else {
        words.iter().map(|word| (*word).to_owned()).collect()
    }
}

/// Totals given as numbers: `{"total": 453, "failed": 96}`.
fn counts(node: &Node<'_>) -> Option<Counts> {
    let number = |keys: &[&str]| keys.iter().find_map(|key| node.get(key)).and_then(Node::count);
    let total = number(&["total", "total_tests", "tests_total", "totalTests"])?;
    let failed = number(&["failed", "failures", "failing", "tests_failed", "failed_tests"]);
    let passed = number(&["passed", "passing", "tests_passed", "passed_tests"]);
    let skipped = number(&["skipped", "pending", "tests_skipped"]).unwrap_or(0);
    if failed.is_none() && passed.is_none() {
        return None;
    }
    let failed = failed.unwrap_or_else(|| total.saturating_sub(passed.unwrap_or(0) + skipped));
    (failed <= total).then_some(Counts { total, passed, failed, skipped, ..Counts::default() })
}
