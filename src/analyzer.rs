//! The pipeline: sources in, one report out.

mod assemble;
mod attempts;
mod looks;
mod utf16;

use std::cell::Cell;
use std::io::{self, Read};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::baseline::Baseline;
use crate::format::{self, Format, HEAD, Parse, Place};
use crate::item::{Item, Mark, Scope};
use crate::log::LogParser;
use crate::outcome::{Findings, Resolved};
use crate::report::{Note, Outcome, Report, Span};
use crate::rules::RuleSet;
use crate::source::{Input, Source};
use assemble::assemble;
use looks::Looks;
use utf16::Utf16;

/// How much of a reader is read at a time.
const CHUNK: usize = 256 * 1024;

/// How much of one document is held in memory for a format that cannot be read piece by piece.
const MAX_HELD: usize = 48 * 1024 * 1024;

/// How much of a document each of several inputs that are read side by side may hold while another holds more.
const HELD_ASIDE: usize = 2 * 1024 * 1024;

/// Held by the one input that holds more than that.
static LARGE: Mutex<()> = Mutex::new(());

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
        let mut large = None;
        let read = match source.input {
            Input::Bytes(bytes) => {
                session.whole(&bytes);
                Ok(())
            }
            Input::Reader(reader) => session.read_from(reader, &mut large),
            Input::File(path) => std::fs::File::open(path).and_then(|file| session.read_from(file, &mut large)),
        };
        let mut part = session.end();
        drop(large);
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
    /// Its lines stand behind prefixes, so that what is held of it is held twice.
    framed: bool,
    /// The name of its format.
    teller: Option<&'static str>,
    forced: Option<Format>,
    /// The format that was told and that has not been met yet.
    awaited: Option<Format>,
    /// The format of the first document.
    format: Option<Format>,
    detected: bool,
    looks: Looks,
    /// Where the document at hand begins.
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
            framed: false,
            teller: None,
            forced: source.format,
            awaited: None,
            format: None,
            detected: false,
            looks: Looks::default(),
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

    /// Reads an input to its end. `large` is the leave to hold a large document, which is asked for when one is met.
    fn read_from(&mut self, mut reader: impl Read, large: &mut Option<MutexGuard<'static, ()>>) -> io::Result<()> {
        let mut chunk = Vec::new();
        loop {
            if self.held.len() <= HELD_ASIDE {
                *large = None;
            } else if large.is_none() {
                *large = Some(LARGE.lock().unwrap_or_else(PoisonError::into_inner));
            }
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
        let most = if self.framed { MAX_HELD / 2 } else { MAX_HELD };
        let eof = eof || held.len() > most;
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
                let (detected, prefix) = self.looks.format(rest, self.at.byte).unzip();
                let prefix = prefix.flatten();
                self.awaited = self.awaited.filter(|awaited| detected != Some(*awaited));
                let format = forced.or(detected);
                if let Some(forced) = forced.filter(|forced| *forced != detected.unwrap_or(Format::Log)) {
                    let looks = detected.unwrap_or(Format::Log);
                    let message = format!("read as {forced}, as told; by its content it looks like {looks}");
                    // A report that has nothing of its format cannot prove that all is well.
                    let at = Some(self.at.line);
                    let note = if detected.is_none() && !forced.is_prose() {
                        Note::warning(at, message)
                    } else {
                        Note::info(at, message)
                    };
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
                self.framed = prefix.is_some();
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
                            let next = self.looks.head(&data[pos..], self.at.byte);
                            if gives_way && format::detect(next).is_some() {
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
