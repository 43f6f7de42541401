//! The pipeline: sources in, one report out.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::io::{self, Read};
use std::sync::Mutex;

use crate::baseline::Baseline;
use crate::cause::{Group, KEEP, fingerprint};
use crate::claims::{self, Shown, Stated};
use crate::format::{self, Format, HEAD, Parse, Place};
use crate::item::{Item, Mark, Scope};
use crate::kind::{Kind, Nature, Phase};
use crate::log::LogParser;
use crate::outcome::{Findings, Resolved};
use crate::report::{Counts, Ignored, Level, Note, Outcome, Report, SourceSummary, Span, Standing, Task};
use crate::rules::RuleSet;
use crate::source::{Input, Source};

/// After so many documents in one input, so much of each next one is looked at to tell its format.
const MANY_DOCUMENTS: u32 = 100;
const NEXT_HEAD: usize = 4 * 1024;

/// How much of a reader is read at a time.
const CHUNK: usize = 256 * 1024;

/// How much of one document is held in memory for a format that cannot be read piece by piece.
const MAX_HELD: usize = 48 * 1024 * 1024;

/// Analyzes inputs. Cloning is cheap; one analyzer serves many threads.
#[derive(Clone, Debug)]
pub struct Analyzer {
    rules: RuleSet,
    exit_code: Option<i32>,
    baseline: Option<Baseline>,
    keep_passed: bool,
}

impl Default for Analyzer {
    fn default() -> Self {
        Analyzer::new()
    }
}

impl Analyzer {
    /// An analyzer with the built-in rules.
    #[must_use]
    pub fn new() -> Self {
        Analyzer { rules: RuleSet::built_in(), exit_code: None, baseline: None, keep_passed: false }
    }

    /// Uses other rules. The default is [`RuleSet::built_in`].
    #[must_use]
    pub fn rules(mut self, rules: RuleSet) -> Self {
        self.rules = rules;
        self
    }

    /// The exit status of the command that wrote the sources together. The default is not to know it.
    ///
    /// A status of one source alone is told by [`Source::exit_code`].
    #[must_use]
    pub fn exit_code(mut self, code: i32) -> Self {
        self.exit_code = Some(code);
        self
    }

    /// What green runs of the same job printed. The default is not to know it.
    ///
    /// A line that a green run had is no cause, unless it is part of what a runner of tests reports as failed; and
    /// where nothing is recognized, the lines that no green run had are the evidence. Several are taken together.
    #[must_use]
    pub fn baseline(mut self, baseline: Baseline) -> Self {
        self.baseline = Some(match self.baseline {
            Some(known) => known.and(&baseline),
            None => baseline,
        });
        self
    }

    /// Lists the cases that passed in [`Report::passed`], which costs time and memory for each. The default is to count
    /// them only.
    ///
    /// ```
    /// use whyred::{Analyzer, Source};
    ///
    /// let xml = br#"<testsuite name="s" tests="1"><testcase classname="shop.Cart" name="adds" time="0.25"/></testsuite>"#;
    /// let report = Analyzer::new().keep_passed(true).analyze([Source::bytes("junit.xml", xml.as_slice())]);
    /// assert_eq!((report.passed[0].name.as_str(), report.passed[0].seconds), ("shop.Cart.adds", Some(0.25)));
    /// ```
    #[must_use]
    pub fn keep_passed(mut self, keep: bool) -> Self {
        self.keep_passed = keep;
        self
    }

    /// Analyzes all sources together into one report, on all cores where there are several.
    ///
    /// This never fails and never panics: damage in the bytes becomes a note, and an input that cannot be read is told
    /// in its summary. The report does not depend on the number of cores.
    pub fn analyze<'a>(&self, sources: impl IntoIterator<Item = Source<'a>>) -> Report {
        let mut sources: Vec<Source<'a>> = sources.into_iter().collect();
        // Of several sources one may be green although the command failed; a status of 0 speaks for each.
        let of_all = self.exit_code.filter(|code| *code != 0 && sources.len() > 1);
        if of_all.is_none() {
            sources.iter_mut().for_each(|source| source.exit_code = source.exit_code.or(self.exit_code));
        }
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let workers = cores.min(sources.len());
        let parts = if workers > 1 {
            self.read_parallel(sources, workers)
        } else {
            sources.into_iter().map(|source| self.read(source)).collect()
        };
        let mut report = assemble(self.rules.version(), parts, self.keep_passed);
        if let Some(code) = of_all
            && report.outcome != Outcome::Failed
        {
            let message = format!("the inputs tell of no failure, but the exit status was {code}");
            report.notes.push(Note::warning(None, message));
            report.outcome = Outcome::Failed;
        }
        report
    }

    /// Begins an analysis that is fed piece by piece.
    #[must_use]
    pub fn session(&self, name: impl Into<String>) -> Session {
        Session::new(self, &Source::bytes(name, Vec::new()))
    }

    fn read_parallel(&self, sources: Vec<Source<'_>>, workers: usize) -> Vec<Part> {
        let count = sources.len();
        let queue = Mutex::new(sources.into_iter().enumerate());
        let done = Mutex::new(Vec::with_capacity(count));
        std::thread::scope(|scope| {
            for _ in 0..workers {
                scope.spawn(|| {
                    loop {
                        // The lock must not be held while a source is read.
                        let next = queue.lock().ok().and_then(|mut queue| queue.next());
                        let Some((index, source)) = next else { break };
                        let part = self.read(source);
                        if let Ok(mut done) = done.lock() {
                            done.push((index, part));
                        }
                    }
                });
            }
        });
        let mut parts = done.into_inner().unwrap_or_default();
        parts.sort_unstable_by_key(|(index, _)| *index);
        parts.into_iter().map(|(_, part)| part).collect()
    }

    fn read(&self, source: Source<'_>) -> Part {
        let mut session = Session::new(self, &source);
        let read = match source.input {
            Input::Bytes(bytes) => {
                session.whole(&bytes);
                Ok(())
            }
            Input::Reader(reader) => session.read_from(reader),
            Input::File(path) => std::fs::File::open(path).and_then(|file| session.read_from(file)),
        };
        let mut part = session.end();
        part.error = read.err().map(|error| error.to_string());
        part
    }
}

/// One input on its way through the stages, fed piece by piece.
pub struct Session {
    rules: RuleSet,
    findings: Findings,
    log: LogParser,
    keep_passed: bool,
    /// The parser of the document at hand; the log parser otherwise.
    document: Option<Box<dyn Parse>>,
    /// The name of its format.
    teller: Option<&'static str>,
    forced: Option<Format>,
    /// The format that was told and that has not been met yet.
    awaited: Option<Format>,
    /// The format of the first document.
    format: Option<Format>,
    detected: bool,
    /// How many documents were looked for, and where the one at hand begins.
    documents: u32,
    opened_at: u64,
    at: Place,
    bytes: u64,
    /// What was pushed and not yet consumed.
    held: Vec<u8>,
    utf16: Option<Utf16>,
    /// The first bytes have shown how the rest is encoded.
    encoding_known: bool,
    /// Something but white space was read.
    begun: bool,
    ended: bool,
    log_ended: bool,
}

/// An input that was read to its end.
struct Part {
    resolved: Resolved,
    format: Format,
    bytes: u64,
    lines: u64,
    /// It holds nothing.
    empty: bool,
    error: Option<String>,
}

impl Session {
    fn new(analyzer: &Analyzer, source: &Source<'_>) -> Self {
        let mut findings = Findings::new(&source.name, source.exit_code, source.task.clone());
        let mut log = LogParser::new(analyzer.rules.clone());
        if let Some(baseline) = &analyzer.baseline {
            findings.compare(baseline.clone());
            log.compare(baseline.clone());
        }
        if analyzer.keep_passed {
            log.keep_passed();
        }
        Session {
            findings,
            log,
            keep_passed: analyzer.keep_passed,
            rules: analyzer.rules.clone(),
            document: None,
            teller: None,
            forced: source.format,
            awaited: None,
            format: None,
            detected: false,
            documents: 0,
            opened_at: 0,
            at: Place::START,
            bytes: 0,
            held: Vec::new(),
            utf16: None,
            encoding_known: false,
            begun: false,
            ended: false,
            log_ended: false,
        }
    }

    /// Feeds more of the input.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        if !self.encoding_known {
            self.held.extend_from_slice(bytes);
            if self.held.len() >= Utf16::HEAD {
                self.learn_encoding();
            }
            return;
        }
        match &mut self.utf16 {
            Some(decoder) => decoder.decode(bytes, &mut self.held),
            None => self.held.extend_from_slice(bytes),
        }
        if self.held.len() >= CHUNK {
            self.drain(false);
        }
    }

    /// Finds out how the input is encoded, from its first bytes, and begins with them.
    fn learn_encoding(&mut self) {
        self.encoding_known = true;
        self.utf16 = Utf16::of(&self.held);
        if let Some(decoder) = &mut self.utf16 {
            let head = std::mem::take(&mut self.held);
            decoder.decode(&head, &mut self.held);
        }
        if self.held.len() >= CHUNK {
            self.drain(false);
        }
    }

    fn read_from(&mut self, mut reader: impl Read) -> io::Result<()> {
        let mut chunk = Vec::new();
        loop {
            // Where nothing must be decoded, the input is read to the place where it is held.
            let direct = self.encoding_known && self.utf16.is_none();
            let target = if direct { &mut self.held } else { &mut chunk };
            let before = target.len();
            let read = reader.by_ref().take(CHUNK as u64).read_to_end(target);
            if direct {
                self.bytes += (self.held.len() - before) as u64;
                if self.held.len() >= CHUNK {
                    self.drain(false);
                }
            } else {
                self.push(&chunk);
                chunk.clear();
            }
            if read? == 0 {
                return Ok(());
            }
        }
    }

    /// Ends the input and gives the report on it.
    #[must_use]
    pub fn finish(self) -> Report {
        let version = self.rules.version().to_owned();
        let keep_passed = self.keep_passed;
        assemble(&version, vec![self.end()], keep_passed)
    }

    fn drain(&mut self, eof: bool) {
        let mut held = std::mem::take(&mut self.held);
        let eof = eof || held.len() > MAX_HELD;
        let consumed = self.feed(&held, eof);
        held.drain(..consumed);
        self.held = held;
    }

    /// Takes an input that is whole in memory without copying it.
    fn whole(&mut self, bytes: &[u8]) {
        if Utf16::of(bytes).is_some() {
            self.push(bytes);
            return;
        }
        self.bytes = bytes.len() as u64;
        self.encoding_known = true;
        self.feed(bytes, true);
        self.ended = true;
    }

    /// Lets parsers consume what they can of `data`.
    fn feed(&mut self, data: &[u8], eof: bool) -> usize {
        let mut pos = 0;
        if !self.begun {
            let text = data.strip_prefix(b"\xef\xbb\xbf").unwrap_or(data);
            self.begun = text.iter().any(|byte| !byte.is_ascii_whitespace());
        }
        loop {
            let rest = &data[pos..];
            let rules = &self.rules;
            let findings = &mut self.findings;
            let teller = Cell::new(None);
            let mut out = |item: Item| {
                findings.teller = teller.get();
                findings.take(rules, item);
            };
            if !self.detected {
                if rest.len() < HEAD && !eof {
                    return pos;
                }
                let told = self.forced.take();
                // What begins with other lines is read as a log, in which the report may stand.
                let forced = told.filter(|format| format::may_begin(*format, rest));
                self.awaited = self.awaited.or(told.filter(|_| forced.is_none()));
                self.documents += 1;
                let start = head_of(rest, self.documents);
                let detected = format::detect(start);
                let (framed, prefix) = match detected {
                    None => format::detect_framed(start).unzip(),
                    Some(_) => (None, None),
                };
                let detected = detected.or(framed);
                self.awaited = self.awaited.filter(|awaited| detected != Some(*awaited));
                let format = forced.or(detected);
                if let Some(forced) = forced.filter(|forced| *forced != detected.unwrap_or(Format::Log)) {
                    let looks = detected.unwrap_or(Format::Log);
                    let message = format!("read as {forced}, as told; by its content it looks like {looks}");
                    // A report that has nothing of its format cannot prove that all is well.
                    let at = Some(self.at.line);
                    let note = if detected.is_none() { Note::warning(at, message) } else { Note::info(at, message) };
                    out(Item::Note(note));
                }
                let head = &rest[..rest.len().min(HEAD)];
                if self.at == Place::START && format.is_none() && memchr::memchr(0, head).is_some() {
                    out(Item::Note(Note::warning(Some(self.at.line), "this is no text: it holds bytes that are zero")));
                }
                if eof && detected.is_none() && self.format.is_some_and(|first| first != Format::Log) {
                    // Behind a report, the beginning of another may be too short to tell what it is.
                    if format::is_cut_short(rest) {
                        let message = "what follows the report begins like another that was cut";
                        let at = self.at;
                        out(Item::Note(Note::warning(Some(at.line), message)));
                        let span = Span::on_line(at.line, at.byte, at.byte);
                        let (scope, outcome, text) = (Scope::Tool, Outcome::Unknown, message.to_owned());
                        out(Item::Mark(Mark { scope, outcome, status: None, text, span }));
                    }
                }
                self.teller = format.map(Format::as_str);
                self.document = format.and_then(|format| format::open(format, prefix, self.keep_passed));
                self.format.get_or_insert(format.unwrap_or(Format::Log));
                self.detected = true;
                self.opened_at = self.at.byte;
                if self.document.is_none() {
                    self.log.resume();
                    if let Some(needles) = format.and_then(format::line_needles) {
                        self.log.begin(needles);
                    }
                }
            }
            let before = pos;
            match &mut self.document {
                Some(document) => {
                    teller.set(self.teller);
                    pos += document.parse(rest, &mut self.at, eof, &mut out);
                    teller.set(None);
                    let aside = pos + document.aside();
                    if aside > pos {
                        let last = eof && aside == data.len() && data[aside - 1] != b'\n';
                        self.log.bounded(true);
                        while pos < aside {
                            pos += self.log.parse(&data[pos..aside], &mut self.at, last, &mut out);
                            self.log_ended = last && !self.log.done();
                            // Where it began itself, no other begins.
                            let moved = self.at.byte > self.opened_at;
                            let gives_way = moved && self.log.done() && document.gives_way();
                            if gives_way && format::detect(head_of(&data[pos..], self.documents)).is_some() {
                                teller.set(self.teller);
                                document.parse(&[], &mut self.at, true, &mut out);
                                teller.set(None);
                                self.document = None;
                                self.detected = false;
                                break;
                            }
                            // What seems to be a report between the lines of another is none.
                            self.log.resume();
                        }
                        self.log.bounded(false);
                        continue;
                    }
                    if document.done() {
                        self.document = None;
                        // Another document may follow at once; otherwise the log goes on.
                        self.detected = false;
                        self.log.resume();
                        if data[pos..].trim_ascii().is_empty() && eof {
                            return data.len();
                        }
                        continue;
                    }
                }
                None => {
                    pos += self.log.parse(rest, &mut self.at, eof, &mut out);
                    if self.log.done() {
                        self.detected = false;
                        continue;
                    }
                    self.log_ended = eof;
                }
            }
            if pos >= data.len() || pos == before || !eof {
                return pos;
            }
        }
    }

    fn end(mut self) -> Part {
        if !self.encoding_known {
            self.learn_encoding();
        }
        if !self.ended {
            self.drain(true);
        }
        let rules = &self.rules;
        let findings = &mut self.findings;
        findings.teller = None;
        let mut out = |item: Item| findings.take(rules, item);
        if !self.log_ended {
            // What a reader still holds from before a report belongs to the log all the same.
            self.log.parse(&[], &mut self.at, true, &mut out);
        }
        if let Some(decoder) = &self.utf16 {
            let message = "the input is UTF-16; lines are right, byte offsets are those of its UTF-8 form";
            out(Item::Note(Note::info(Some(1), message)));
            if let Some(line) = decoder.damaged_at() {
                out(Item::Note(Note::info(Some(line), "characters that are not valid UTF-16 were replaced")));
            }
        }
        if let Some(awaited) = self.awaited {
            out(Item::Note(Note::warning(Some(1), format!("told to be {awaited}, but no such report stands in it"))));
        }
        if !self.begun {
            let what = if self.bytes == 0 { "the input is empty" } else { "the input holds nothing but white space" };
            out(Item::Note(Note::warning(Some(1), what)));
            self.findings.nothing(&self.rules, what);
        }
        let lines = self.at.line - 1;
        Part {
            resolved: self.findings.resolve(),
            format: self.format.unwrap_or(Format::Log),
            bytes: self.bytes,
            lines,
            empty: !self.begun,
            error: None,
        }
    }
}

/// What is looked at to tell what a document is. In an input that holds one after another it is less for each next one.
fn head_of(rest: &[u8], documents: u32) -> &[u8] {
    let shown = if documents > MANY_DOCUMENTS { NEXT_HEAD } else { HEAD };
    &rest[..rest.len().min(shown)]
}

/// Decodes UTF-16 as PowerShell writes it when output is redirected.
struct Utf16 {
    little: bool,
    odd: Option<u8>,
    high: Option<u16>,
    start: bool,
    line: u64,
    /// The line of the first unit that is no character.
    damaged: Option<u64>,
}

impl Utf16 {
    /// How many bytes tell it: a byte order mark, or two characters of ASCII without one.
    const HEAD: usize = 4;

    fn of(bytes: &[u8]) -> Option<Self> {
        let little = match bytes {
            [0xff, 0xfe, ..] => true,
            [0xfe, 0xff, ..] => false,
            [b'\t'..=b'~', 0, b'\t'..=b'~', 0, ..] => true,
            [0, b'\t'..=b'~', 0, b'\t'..=b'~', ..] => false,
            _ => return None,
        };
        Some(Utf16 { little, odd: None, high: None, start: true, line: 1, damaged: None })
    }

    /// The line on which something was no character, the end of the input included.
    fn damaged_at(&self) -> Option<u64> {
        let cut = self.odd.is_some() || self.high.is_some();
        self.damaged.or(cut.then_some(self.line))
    }

    fn decode(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let damaged = &mut self.damaged;
        let mut put = |unit: u32, line: u64| {
            let character = char::from_u32(unit).unwrap_or_else(|| {
                damaged.get_or_insert(line);
                char::REPLACEMENT_CHARACTER
            });
            out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        };
        for &byte in bytes {
            let Some(first) = self.odd.take() else {
                self.odd = Some(byte);
                continue;
            };
            let pair = [first, byte];
            let unit = if self.little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) };
            if std::mem::take(&mut self.start) && unit == 0xfeff {
                continue;
            }
            self.line += u64::from(unit == 0x0a);
            match (self.high.take(), unit) {
                (None, 0xd800..0xdc00) => self.high = Some(unit),
                (Some(high), 0xdc00..0xe000) => {
                    put(0x10000 + ((u32::from(high) - 0xd800) << 10) + (u32::from(unit) - 0xdc00), self.line);
                }
                (high, _) => {
                    if high.is_some() {
                        put(0xd800, self.line);
                    }
                    put(u32::from(unit), self.line);
                }
            }
        }
    }
}

/// Makes one report of all parts.
fn assemble(version: &str, parts: Vec<Part>, keep_passed: bool) -> Report {
    let mut notes = Vec::new();
    let mut tasks = Vec::new();
    let mut sources: Vec<SourceSummary> = Vec::new();
    let mut uncounted: Vec<usize> = Vec::new();
    let mut groups: Vec<Group> = Vec::new();
    let mut passed = Vec::new();
    let mut tests: Option<Counts> = None;
    let mut ignored = Ignored::default();
    let mut asked: Option<String> = None;
    let (mut shown, mut stated): (Vec<Shown>, Vec<Stated>) = (Vec::new(), Vec::new());
    let mut seen_runs: Vec<(Counts, Format)> = Vec::new();
    let mut told: Vec<(Counts, Vec<String>)> = Vec::new();
    let mut known: HashMap<(Kind, Nature, Option<String>, String, bool), usize> = HashMap::new();
    let letters = parts.iter().filter_map(|part| part.resolved.letter.as_ref());
    let replaced: HashSet<String> = letters.flat_map(|letter| letter.supersedes.clone()).collect();
    let mut read: HashSet<String> = HashSet::new();
    let any_failed = parts.iter().any(|part| !part.empty && part.resolved.outcome == Outcome::Failed);
    for Part { resolved, format, bytes, lines, empty, error } in parts {
        let Resolved { name, mut outcome, tests: own, mut standing, letter, notes: own_notes, .. } = resolved;
        let (own_tasks, own_ignored, proven, word, own_asked) =
            (resolved.tasks, resolved.ignored, resolved.proven, resolved.stated, resolved.asked);
        // A message that came twice counts once, and one that another replaces does not count.
        if let Some(letter) = letter {
            let why = if replaced.contains(letter.id.split('@').next().unwrap_or_default()) {
                Some("the message is replaced by a later one and does not count")
            } else if !read.insert(letter.id) {
                Some("the message is a copy of one that was read and does not count")
            } else {
                None
            };
            if let Some(why) = why {
                notes.push(Note { source: Some(name.clone()), ..Note::info(None, why) });
                let format = format.as_str().to_owned();
                uncounted.push(sources.len());
                sources.push(SourceSummary { name, format, bytes, lines, outcome, tests: own, error });
                continue;
            }
        }
        if let Some(error) = &error {
            let mut note = Note::warning(None, format!("cannot be read: {error}"));
            note.source = Some(name.clone());
            notes.push(note);
            if outcome == Outcome::Passed {
                outcome = Outcome::Unknown;
            }
        }
        // The console and the report of one run tell the same totals: they are two views of it.
        let same = |known: &Counts, counts: &Counts| known.total == counts.total && known.failed == counts.failed;
        let message = format.is_message();
        let twin = own
            .filter(|counts| counts.total > 0 && !message)
            .and_then(|counts| seen_runs.iter_mut().find(|(known, other)| *other != format && same(known, &counts)));
        // What two messages say alike is said of one thing.
        let view = twin.is_some() || message;
        match (own.filter(|_| !message), twin) {
            // A message tells fewer figures than the run itself: the fuller view is the better one.
            (Some(counts), Some((known, _))) if known.passed.is_none() && tests == Some(*known) => {
                *known = counts;
                tests = Some(counts);
            }
            (Some(_), Some(_)) | (None, _) => {}
            (Some(counts), None) => {
                seen_runs.push((counts, format));
                let room = Report::MAX_PASSED - passed.len();
                passed.extend(resolved.passed.into_iter().take(room));
                match &mut tests {
                    Some(sum) => sum.add(&counts),
                    None => tests = Some(counts),
                }
            }
        }
        // That an input holds nothing matters where no other says what failed.
        if empty && any_failed {
            standing.clear();
        }
        if let Some(counts) = own.filter(|_| message) {
            told_again(&mut told, counts, own_tasks.iter().map(|task| task.id.clone()).collect());
        }
        let failed = standing.iter().map(|group| group.verdict.phase).collect();
        for group in standing {
            let said = group.evidence.first().map_or("", |evidence| evidence.text.as_str());
            let print = fingerprint(group.verdict.kind, group.verdict.subject.as_deref(), said);
            let key = (group.verdict.kind, group.verdict.nature, group.task.clone(), print, message);
            match known.get(&key) {
                Some(&index) => merge(&mut groups[index], group, view),
                None => {
                    known.insert(key, groups.len());
                    groups.push(group);
                }
            }
        }
        own_tasks.into_iter().for_each(|task| add_task(&mut tasks, task));
        notes.extend(own_notes);
        ignored.decoys += own_ignored.decoys;
        ignored.follow_ons += own_ignored.follow_ons;
        ignored.first_decoy = ignored.first_decoy.or(own_ignored.first_decoy);
        ignored.first_follow_on = ignored.first_follow_on.or(own_ignored.first_follow_on);
        asked = asked.or(own_asked.filter(|_| outcome != Outcome::Passed));
        if !message {
            shown.push(Shown { name: name.clone(), outcome, proven, failed, tests: own });
        } else if let Some(line) = word {
            stated.push(Stated { source: name.clone(), outcome, line, tests: own });
        }
        let format = format.as_str().to_owned();
        sources.push(SourceSummary { name, format, bytes, lines, outcome, tests: own, error });
    }
    notes.extend(disagreement(&sources));
    if keep_passed {
        notes.extend(unlisted(passed.len(), tests));
    }
    // Messages repeat the figures of a run; they count where no run as large was given.
    let said = told.into_iter().map(|(counts, _)| counts).reduce(|mut sum, counts| {
        sum.add(&counts);
        sum
    });
    let tests = match (tests, said) {
        (Some(shown), Some(said)) if shown.total < said.total => Some(said),
        (shown, said) => shown.or(said),
    };
    let counted =
        || sources.iter().enumerate().filter(|(index, _)| !uncounted.contains(index)).map(|(_, source)| source);
    let outcome = if counted().any(|source| source.outcome == Outcome::Failed) {
        Outcome::Failed
    } else if !sources.is_empty() && counted().all(|source| source.outcome == Outcome::Passed) {
        Outcome::Passed
    } else {
        Outcome::Unknown
    };
    let mut claims = claims::hold(&mut groups, &shown, &stated, |known, claim| merge(known, claim, true));
    let contradicted = claims.iter().filter(|claim| claim.standing == Standing::Contradicted).count();
    let outcome = if outcome == Outcome::Failed
        && groups.is_empty()
        && contradicted > 0
        && shown.iter().all(|source| source.outcome == Outcome::Passed)
    {
        let message = "a message tells of failures, and the output that came with it shows none";
        notes.push(Note::warning(None, message));
        Outcome::Unknown
    } else {
        outcome
    };
    groups.sort_by_key(|group| {
        let claim_of_build = group.level == Level::Claim && matches!(group.verdict.phase, Phase::Build | Phase::Setup);
        let urgent = group.verdict.nature.action().precedence();
        std::cmp::Reverse((urgent, claim_of_build, group.count, std::cmp::Reverse(group.first.line)))
    });
    let causes_omitted = groups.len().saturating_sub(Report::MAX_CAUSES) as u64;
    let by_task: Vec<Vec<String>> = groups.iter().map(|group| group.tasks.clone()).collect();
    for (index, group) in groups.iter().enumerate().take(Report::MAX_CAUSES) {
        group.claims.iter().for_each(|&claim| claims[claim].cause = Some(index));
    }
    let causes: Vec<_> = groups.into_iter().take(Report::MAX_CAUSES).map(Group::into_cause).collect();
    for task in &mut tasks {
        let own = by_task.iter().take(causes.len()).enumerate();
        task.causes = own.filter(|(_, of)| of.contains(&task.id)).map(|(index, _)| index).collect();
    }
    let rules = version.to_owned();
    Report { rules, outcome, tests, causes, causes_omitted, tasks, sources, notes, asked, claims, ignored, passed }
}

/// Passing cases that are counted, and not listed although they were asked for.
fn unlisted(listed: usize, tests: Option<Counts>) -> Option<Note> {
    let counted = tests?.passed?;
    let why = match listed {
        Report::MAX_PASSED => "no more are kept",
        _ => "the inputs do not name the others",
    };
    let message = format!("{listed} of the {counted} cases that passed are listed: {why}");
    ((listed as u64) < counted).then(|| Note::info(None, message))
}

/// A log and a report that tell of as many tests are two views of one run; where they differ in how it ended, one of
/// them is wrong or says less.
fn disagreement(sources: &[SourceSummary]) -> Option<Note> {
    let is = |source: &&SourceSummary, formats: &[Format]| formats.iter().any(|of| of.as_str() == source.format);
    let ran = |source: &&SourceSummary| source.tests.filter(|counts| counts.total > 0);
    // What a message claims is held against the output elsewhere.
    let others = [Format::Log, Format::Message, Format::MessageJson];
    let pair = sources.iter().filter(|source| !is(source, &others)).find_map(|report| {
        let told = ran(&report)?;
        let differs = |log: &&SourceSummary| {
            let seen = ran(log).unwrap_or_default();
            let ends = [report.outcome, log.outcome];
            seen.total == told.total
                && (seen.failed != told.failed || ends.contains(&Outcome::Passed) && ends.contains(&Outcome::Failed))
        };
        Some((report, sources.iter().filter(|source| is(source, &others[..1])).find(differs)?))
    });
    let (report, log) = pair?;
    let message = format!("{} and {} tell of the same run, and not that it ended the same", report.name, log.name);
    Some(Note::warning(None, message))
}

/// Adds the figures of a message, unless another message gave those of the same work.
fn told_again(told: &mut Vec<(Counts, Vec<String>)>, counts: Counts, tasks: Vec<String>) {
    let same = |(known, of): &&mut (Counts, Vec<String>)| {
        known.total == counts.total || of.is_empty() || tasks.is_empty() || of.iter().any(|id| tasks.contains(id))
    };
    match told.iter_mut().find(same) {
        Some((known, _)) => {
            let fuller = (counts.total, counts.passed.is_some()) > (known.total, known.passed.is_some());
            *known = if fuller { counts } else { *known };
        }
        None => told.push((counts, tasks)),
    }
}

/// Adds a task, or what another input tells of one that is known: what failed there has failed.
fn add_task(tasks: &mut Vec<Task>, task: Task) {
    let Some(known) = tasks.iter_mut().find(|known| known.id == task.id) else {
        tasks.push(task);
        return;
    };
    let worse = |a: Outcome, b: Outcome| match (a, b) {
        (Outcome::Failed, _) | (_, Outcome::Failed) => Outcome::Failed,
        (Outcome::Unknown, other) | (other, Outcome::Unknown) => other,
        (Outcome::Passed, Outcome::Passed) => Outcome::Passed,
    };
    let Task { id: _, title, status, build, tests, causes: _, session, priority } = task;
    known.priority = known.priority.into_iter().chain(priority).min();
    known.title = known.title.take().or(title);
    known.status = worse(known.status, status);
    known.build = worse(known.build, build);
    known.tests = known.tests.or(tests);
    known.session = known.session.take().or(session);
}

/// Adds a group to one of the same origin: it may show in several stretches and in several inputs.
fn merge(known: &mut Group, group: Group, view: bool) {
    known.count = if view { known.count.max(group.count) } else { known.count + group.count };
    for evidence in group.evidence {
        if known.evidence.len() < KEEP && !known.evidence.contains(&evidence) {
            known.evidence.push(evidence);
        }
    }
    known.hint(group.hints);
    known.consequences.extend(group.consequences.into_iter().take(KEEP.saturating_sub(known.consequences.len())));
    for test in group.tests {
        if known.tests.len() < KEEP && !known.tests.contains(&test) {
            known.tests.push(test);
        }
    }
}
