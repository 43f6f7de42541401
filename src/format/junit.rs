//! JUnit XML, in the dialects of all producers that were met: there is no standard, only habits.
//!
//! Cases may stand in nested suites, directly under the root, or alone; a case may hold several failures, and attempts
//! of one test may be cases of one name or children of one case. Failing cases are kept until their suite ends, since
//! only then it is known which of them were attempts; passing ones are only counted.

mod attribute;
#[cfg(test)]
mod bounds;
mod failure;
#[cfg(test)]
mod fidelity;
mod passing;
mod suite;

use std::collections::HashSet;

use self::attribute::{Skip, Word, beginning, declared, is_time, number_of, tool, word, worse};
use self::failure::{
    Around, Case, Element, Part, add_output, failures, is_frame, of_request, shown, thrown_outside, without_case,
};
use self::passing::Shape;
use self::suite::{Cases, Declared, MAX_NAMES, MAX_WAITING, Settled, Status, Waiting, cost, number};
use super::xml::document::{Context, Document, Reader};
use super::xml::results::{no_tests, seconds};
use super::xml::text::{Capture, Encoding, Lines, decode};
use super::xml::{Tag, key, root};
use super::{Parse, Sure};
use crate::item::{Item, TestRun};
use crate::report::{Counts, Failure, Level, Note, Outcome, PassedCase, Report, Signal, Span, TextLine};

/// Whether a document is JUnit XML: by its root element, or by the elements of Eclipse's and Sonar's dialects.
pub(crate) fn sniff(head: &[u8]) -> Option<Sure> {
    let (name, rest) = root(head)?;
    match key(name) {
        TESTSUITES | TESTSUITE | TESTCASE | TESTEXECUTIONS => Some(Sure::Certain),
        // TRX has a root of the same name, but for its case and its namespace.
        TESTRUN if name != b"TestRun" => Some(Sure::Likely),
        UNITTEST if memchr::memmem::find(rest, b"<testCase").is_some() => Some(Sure::Likely),
        _ => None,
    }
}

pub(crate) fn open() -> Box<dyn Parse> {
    Box::<Document<Junit>>::default()
}

const TESTSUITES: u64 = key(b"testsuites");
const TESTSUITE: u64 = key(b"testsuite");
const TESTCASE: u64 = key(b"testcase");
const TESTRUN: u64 = key(b"testrun");
const TESTEXECUTIONS: u64 = key(b"testexecutions");
const UNITTEST: u64 = key(b"unittest");
const FILE: u64 = key(b"file");
const FAILURE: u64 = key(b"failure");
const ERROR: u64 = key(b"error");
const RERUN_FAILURE: u64 = key(b"rerunfailure");
const RERUN_ERROR: u64 = key(b"rerunerror");
const FLAKY_FAILURE: u64 = key(b"flakyfailure");
const FLAKY_ERROR: u64 = key(b"flakyerror");
const SKIPPED: u64 = key(b"skipped");
const SKIP: u64 = key(b"skip");
const IGNORED: u64 = key(b"ignored");
const DISABLED: u64 = key(b"disabled");
const PENDING: u64 = key(b"pending");
const INCOMPLETE: u64 = key(b"incomplete");
const SYSTEM_OUT: u64 = key(b"system-out");
const SYSTEM_ERR: u64 = key(b"system-err");
const MESSAGE: u64 = key(b"message");
const STACK_TRACE: u64 = key(b"stacktrace");
const STACK_TRACE_DASHED: u64 = key(b"stack-trace");
const PROPERTY: u64 = key(b"property");

/// The class that jest-junit gives to a suite that cannot be loaded.
const UNLOADED: &[u8] = b"Test suite failed to run";

/// How many suites are kept that stand within one another. What stands deeper is taken for a part of the last.
const MAX_SUITES: usize = 1 << 13;

/// In how many of them what they print is kept, and the parents of failing subtests.
const MAX_RICH: usize = 50;

/// How many lines and bytes of the `<message>` children of a failure are kept.
const MAX_MESSAGE: (usize, usize) = (200, 24 * 1024);

/// Where text goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Sink {
    #[default]
    Nowhere,
    Body,
    Message,
    Output,
    Errors,
}

#[derive(Debug, Default)]
struct Suite {
    name: Vec<u8>,
    file: Vec<u8>,
    declared: Declared,
    /// Its producer is known to write each attempt of a test as a case.
    retries: bool,
    cases: Option<Box<Cases>>,
    /// Elements in suites within this one.
    inner: u64,
    /// Something failed in it.
    failing: bool,
    output: Option<Box<Capture>>,
    span: Span,
}

/// Reads a JUnit document.
#[derive(Debug, Default)]
struct Junit {
    /// The root that is no suite, then the open suites.
    suites: Vec<Suite>,
    /// How many suites are open beyond those that are kept.
    deeper: u64,
    /// There were such, or one that is too deep to keep what it prints.
    too_deep: bool,
    /// What failed in suites that have ended, while others wait in a suite around them.
    late: Vec<Failure>,
    /// In how many of the open suites something waits, and what that and what is late take in memory.
    waiting: usize,
    held: usize,
    /// How many names are remembered in the open suites but the innermost.
    outer_names: usize,
    /// How many cases that passed were kept until their suites ended.
    kept_passed: usize,
    /// A table that was used for an earlier suite.
    spare: Option<Box<Cases>>,
    /// How the cases that pass are written.
    shape: Shape,
    case: Case,
    part: Option<Part>,
    sink: Sink,
    tool: Option<&'static str>,
    root: Declared,
    /// What the outermost suites declare together, where all of them do.
    top: Declared,
    top_unknown: bool,
    counts: Counts,
    /// Elements that tell of a case, and of a failure.
    cases: u64,
    failing: u64,
    suite_errors: u64,
    flaky_names: Vec<String>,
    odd_times: u64,
    odd_time_at: Option<u64>,
    /// Where an attribute was given twice first.
    duplicate_at: Option<u64>,
    omitted: u64,
    /// The document ended before its root did, so that what was expected to fail is not known.
    cut: bool,
    /// A test that did not run fails the run, though it counts as skipped.
    unrun: bool,
    span: Span,
    /// Totals that node's reporter writes in comments behind everything.
    told: Told,
    /// Suites in which something failed. node's reporter writes a test with subtests as one, and counts it.
    suites_failed: u64,
}

/// What a reporter tells of the whole run in comments.
#[derive(Debug, Default)]
struct Told {
    tests: Option<u64>,
    passed: Option<u64>,
    failed: Option<u64>,
    skipped: u64,
}

impl Told {
    /// The totals, where all of them are told and no case is missing in them.
    fn counts(&self, seen: Counts) -> Option<Counts> {
        let (total, passed, failed) = (self.tests?, self.passed?, self.failed?);
        let whole = total == passed + failed + self.skipped && total >= seen.total && failed >= seen.failed;
        let counts = Counts { total, passed: Some(passed), failed, skipped: self.skipped, ..seen };
        (whole && seen.errored == 0).then_some(counts)
    }
}

impl Reader for Junit {
    const READS_CUT_TAGS: bool = true;

    fn takes_no_text(&self, among: bool) -> bool {
        self.part.is_none() && self.sink == Sink::Nowhere && (among || !self.case.open)
    }

    fn start(&mut self, tag: &Tag<'_, '_>, context: &mut Context<'_, '_>) {
        if self.suites.is_empty() && !self.case.open {
            self.span = context.span(tag.at, context.window.pos);
        }
        if self.part.is_some() && self.start_in_part(tag, context) {
            return;
        }
        match tag.key {
            TESTCASE => self.start_case(tag, context),
            FAILURE => self.start_part(tag, Element::Failure, context),
            ERROR => self.start_part(tag, Element::Error, context),
            RERUN_FAILURE | RERUN_ERROR => self.start_part(tag, Element::Rerun, context),
            FLAKY_FAILURE | FLAKY_ERROR => self.start_part(tag, Element::Flaky, context),
            SKIPPED | SKIP | IGNORED | DISABLED | PENDING | INCOMPLETE if self.case.open => {
                let kind = tag.get(b"type").unwrap_or_default();
                // Catch2 says so in its message.
                let tagged = tag.get(b"message").is_some_and(|message| message.ends_with(b"!mayfail"));
                let may_fail = kind == b"todo" || kind == b"pytest.xfail" || tag.key == INCOMPLETE || tagged;
                self.case.skipped = Some(if may_fail { Skip::MayFail } else { Skip::Plain });
                // CTest files a test whose program is missing as skipped, and fails for it.
                if tag.get(b"message") == Some(b"Unable to find executable") {
                    self.unrun = true;
                    let test = Some(shown(&self.case.name, context.encoding));
                    let span = context.span(tag.at, tag.at + tag.raw.len());
                    let text = vec![TextLine { text: "Unable to find executable".to_owned(), span }];
                    let (level, signal) = (Level::Suite, Some(Signal::Load));
                    (context.out)(Item::Failure(Failure { level, test, signal, text, span, ..Failure::default() }));
                }
            }
            SYSTEM_OUT => self.sink = Sink::Output,
            SYSTEM_ERR => self.sink = Sink::Errors,
            TESTSUITE | FILE => self.start_suite(tag, context),
            TESTSUITES | TESTRUN | TESTEXECUTIONS | UNITTEST if self.suites.is_empty() => {
                self.root = declared(tag);
                let name = tag.get(b"name").unwrap_or_default();
                self.tool = tool(name);
                self.suites.push(Suite { span: self.span, ..Suite::default() });
            }
            PROPERTY if tag.get(b"name") == Some(b"go.version") => {
                if let Some(suite) = self.suites.last_mut() {
                    suite.retries = true;
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, raw: &[u8], cdata: bool, at: usize, context: &mut Context<'_, '_>) {
        match self.sink {
            Sink::Nowhere => {}
            Sink::Body => {
                let (byte, line) = (context.window.byte(at), context.window.line(at));
                if let Some(part) = &mut self.part {
                    part.body.push(raw, cdata, byte, line, context.encoding);
                }
            }
            Sink::Message => {
                let (byte, line) = (context.window.byte(at), context.window.line(at));
                if let Some(part) = &mut self.part {
                    let (most_lines, most_bytes) = MAX_MESSAGE;
                    let bytes = || part.message.iter().map(|line| line.text.len()).sum::<usize>();
                    if part.message.len() >= most_lines || bytes() > most_bytes {
                        self.omitted += raw.len() as u64;
                        return;
                    }
                    let mut lines = Lines::default();
                    lines.push(raw, cdata, byte, line, context.encoding);
                    part.message.extend(lines.finish(context.encoding));
                }
            }
            Sink::Output | Sink::Errors => {
                let capture = if self.case.open {
                    if self.sink == Sink::Output { &mut self.case.output } else { &mut self.case.errors }
                } else if self.suites.len() > MAX_RICH {
                    self.too_deep |= !raw.trim_ascii().is_empty();
                    return;
                } else if let Some(suite) = self.suites.last_mut() {
                    suite.output.get_or_insert_default()
                } else {
                    return;
                };
                let byte = context.window.byte(at);
                capture.push(raw, cdata, byte, |skipped| context.window.line(at + skipped));
            }
        }
    }

    fn end(&mut self, key: u64, from: usize, to: usize, context: &mut Context<'_, '_>) {
        match key {
            FAILURE | ERROR | RERUN_FAILURE | RERUN_ERROR | FLAKY_FAILURE | FLAKY_ERROR => self.end_part(to, context),
            MESSAGE | STACK_TRACE | STACK_TRACE_DASHED if self.part.is_some() => self.sink = Sink::Body,
            SYSTEM_OUT | SYSTEM_ERR => self.sink = if self.part.is_some() { Sink::Body } else { Sink::Nowhere },
            TESTCASE => self.end_case(to, context),
            TESTSUITE | FILE => self.end_suite(context),
            _ if self.part.is_some() && self.sink == Sink::Body => {
                let raw = &context.window.data[from..to];
                self.text(raw, true, from, context);
            }
            _ => {}
        }
    }

    fn ended(&mut self, key: u64, context: &mut Context<'_, '_>) {
        if key == TESTCASE && !context.keep_passed && !self.case.open && self.part.is_none() {
            self.take_passing(context);
        }
    }

    fn edge(&mut self, context: &mut Context<'_, '_>) {
        if let Some((from, to)) = self.case.tag.take()
            && self.case.open
        {
            self.case.span = context.span(from, to);
        }
    }

    fn comment(&mut self, raw: &[u8]) {
        let text = raw.trim_ascii();
        let Some(space) = memchr::memchr(b' ', text).filter(|space| *space < 10) else { return };
        let Some(count) = number_of(&text[space + 1..]) else { return };
        match &text[..space] {
            b"tests" => self.told.tests = Some(count),
            b"pass" => self.told.passed = Some(count),
            // A test that was cancelled did not pass.
            b"fail" | b"cancelled" => *self.told.failed.get_or_insert(0) += count,
            b"skipped" | b"todo" => self.told.skipped += count,
            _ => {}
        }
    }

    fn finish(&mut self, whole: bool, context: &mut Context<'_, '_>) {
        self.cut = !whole;
        self.end_part(context.window.pos, context);
        let cut_case = self.case.open;
        if cut_case {
            // What had not failed yet might have: it is not counted.
            if self.case.parts.is_empty() {
                self.case.open = false;
            } else {
                self.end_case(context.window.pos, context);
            }
        }
        self.deeper = 0;
        while !self.suites.is_empty() {
            self.end_suite(context);
        }
        self.report(whole, context);
    }
}

impl Junit {
    /// An element within a failure: whether that is all there is to it.
    fn start_in_part(&mut self, tag: &Tag<'_, '_>, context: &mut Context<'_, '_>) -> bool {
        match tag.key {
            MESSAGE => self.sink = Sink::Message,
            STACK_TRACE | STACK_TRACE_DASHED => self.sink = Sink::Body,
            SYSTEM_OUT | SYSTEM_ERR => self.sink = Sink::Nowhere,
            // The failure was never closed.
            TESTCASE | TESTSUITE | TESTSUITES | FAILURE | ERROR | RERUN_FAILURE | RERUN_ERROR | FLAKY_FAILURE
            | FLAKY_ERROR | SKIPPED => {
                self.end_part(tag.at, context);
                return false;
            }
            // Markup that nobody escaped is text.
            _ if self.sink == Sink::Body => self.text(tag.raw, true, tag.at, context),
            _ => {}
        }
        true
    }

    fn start_suite(&mut self, tag: &Tag<'_, '_>, context: &mut Context<'_, '_>) {
        self.end_case(tag.at, context);
        self.sink = Sink::Nowhere;
        if self.suites.len() >= MAX_SUITES {
            self.deeper += 1;
            self.too_deep = true;
            return;
        }
        let mut suite = Suite { declared: declared(tag), ..Suite::default() };
        suite.span = context.span(tag.at, tag.at + tag.raw.len());
        for (name, value, _) in tag.attributes() {
            match name {
                b"name" if suite.name.is_empty() => suite.name.extend_from_slice(beginning(value)),
                b"file" | b"filepath" | b"path" => {
                    suite.file.clear();
                    suite.file.extend_from_slice(beginning(value));
                }
                _ => {}
            }
        }
        let order: Vec<&[u8]> = tag.attributes().map(|(name, ..)| name).take(6).collect();
        // Gradle, whose plugin for retries writes each attempt.
        suite.retries = order == [&b"name"[..], b"tests", b"skipped", b"failures", b"errors", b"timestamp"];
        if self.tool.is_none() {
            self.tool = tool(&suite.name);
        }
        let outermost = self.suites.iter().all(|suite| suite.span == self.span && suite.name.is_empty());
        if outermost && (self.suites.is_empty() || self.suites.len() == 1) {
            let Declared { tests, failures, errors, skipped } = suite.declared;
            self.top_unknown |= tests.is_none();
            *self.top.tests.get_or_insert(0) += tests.unwrap_or(0);
            *self.top.failures.get_or_insert(0) += failures.unwrap_or(0);
            *self.top.errors.get_or_insert(0) += errors.unwrap_or(0);
            self.top.skipped += skipped;
        }
        self.outer_names += self.names();
        self.suites.push(suite);
    }

    /// How many names are remembered in the innermost suite.
    fn names(&self) -> usize {
        self.suites.last().and_then(|suite| suite.cases.as_ref()).map_or(0, |cases| cases.names())
    }

    fn start_case(&mut self, tag: &Tag<'_, '_>, context: &mut Context<'_, '_>) {
        self.end_case(tag.at, context);
        self.sink = Sink::Nowhere;
        self.case.clear();
        // Lines are counted for the few cases that fail.
        self.case.tag = Some((tag.at, tag.at + tag.raw.len()));
        let case = &mut self.case;
        for (name, value, at) in tag.attributes() {
            match name {
                b"name" if case.name.is_empty() => case.name.extend_from_slice(value),
                b"classname" if case.class.is_empty() => case.class.extend_from_slice(value),
                b"name" | b"classname" => {
                    self.duplicate_at.get_or_insert_with(|| context.window.line(at));
                }
                b"class" => case.php = true,
                b"file" | b"filepath" => {
                    case.file.clear();
                    case.file.extend_from_slice(value);
                }
                b"line" => case.line = number_of(value),
                b"status" | b"result" | b"outcome" => {
                    case.google |= value == b"completed";
                    case.status = worse(case.status, word(value));
                }
                b"time" if !value.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.') && !is_time(value) => {
                    self.odd_times += 1;
                    self.odd_time_at.get_or_insert_with(|| context.window.line(at));
                }
                b"failure" => {
                    let (byte, line) = (context.window.byte(at), context.window.line(at));
                    let mut lines = Lines::default();
                    lines.push(value, false, byte, line, context.encoding);
                    case.reason = lines.finish(context.encoding);
                }
                _ => {}
            }
        }
        if context.keep_passed {
            case.seconds = seconds(tag, b"time");
        }
        if tag.cut {
            case.open = false;
        }
    }

    fn start_part(&mut self, tag: &Tag<'_, '_>, element: Element, context: &mut Context<'_, '_>) {
        self.end_part(tag.at, context);
        let mut part = Part {
            element,
            kind: String::new(),
            message: Vec::new(),
            body: Lines::default(),
            span: context.span(tag.at, tag.at + tag.raw.len()),
        };
        for (name, value, at) in tag.attributes() {
            match name {
                b"message" if part.message.is_empty() => {
                    let (byte, line) = (context.window.byte(at), context.window.line(at));
                    let mut lines = Lines::default();
                    lines.push(value, false, byte, line, context.encoding);
                    part.message = lines.finish(context.encoding);
                    self.omitted += lines.omitted;
                }
                b"type" if part.kind.is_empty() => part.kind = decode(beginning(value), context.encoding),
                b"message" | b"type" => {
                    self.duplicate_at.get_or_insert_with(|| context.window.line(at));
                }
                _ => {}
            }
        }
        self.part = Some(part);
        self.sink = Sink::Body;
    }

    fn end_part(&mut self, to: usize, context: &mut Context<'_, '_>) {
        let Some(mut part) = self.part.take() else { return };
        self.sink = Sink::Nowhere;
        self.omitted += part.body.omitted;
        part.span = context.extend(part.span, to);
        if self.case.open {
            // More attempts of one test than anybody reads are counted by their case all the same.
            if self.case.parts.len() < 100 {
                self.case.parts.push(part);
            }
            return;
        }
        // A suite that failed outside any case.
        let mut case = Case { parts: vec![part], google: self.case.google, ..Case::default() };
        let around = self.around(context.encoding);
        let (told, thin) = failures(&mut case, &around, Level::Suite, context.encoding);
        self.counts.errored += 1;
        self.suite_errors += 1;
        self.wait(Waiting::new(0, 0, thin, told), context.out);
    }

    fn around(&self, encoding: &mut Encoding) -> Around {
        let named = self.suites.iter().rev().take(8).find(|suite| !suite.name.is_empty());
        let file = self.suites.iter().rev().take(8).find(|suite| !suite.file.is_empty());
        Around {
            name: named.map_or_else(String::new, |suite| shown(&suite.name, encoding)),
            file: file.map_or_else(String::new, |suite| shown(&suite.file, encoding)),
        }
    }

    fn end_case(&mut self, to: usize, context: &mut Context<'_, '_>) {
        self.end_part(to, context);
        if !std::mem::take(&mut self.case.open) {
            return;
        }
        self.sink = Sink::Nowhere;
        // GoogleTest writes what failed around the tests of a suite as a case without a name.
        if self.case.google && self.case.name.is_empty() && self.case.class.is_empty() {
            for part in std::mem::take(&mut self.case.parts) {
                self.part = Some(part);
                self.end_part(to, context);
            }
            return;
        }
        self.cases += 1;
        let attempts = self.has_attempts();
        let case = &mut self.case;
        let status = status(case);
        let class = number(number(0, &case.class), &case.file);
        let name = number(class, &case.name);
        let key = if attempts { name } else { unlike(self.cases) };
        if self.suites.is_empty() {
            self.suites.push(Suite { span: self.span, ..Suite::default() });
        }
        let room = MAX_NAMES.saturating_sub(self.outer_names);
        let rich = self.suites.len() <= MAX_RICH;
        let suite = self.suites.last_mut().expect("there is one");
        let spare = &mut self.spare;
        let cases = suite.cases.get_or_insert_with(|| spare.take().unwrap_or_default());
        // jest-junit tells of a suite that cannot be loaded twice, in two ways.
        let again = case.class.starts_with(UNLOADED) && cases.has_failed(key);
        if !again {
            cases.add(key, status, room);
        }
        if status == Status::Passed && case.parts.iter().any(|part| part.element == Element::Flaky) {
            self.counts.flaky += 1;
            if self.flaky_names.len() < 5 {
                self.flaky_names.push(shown(&case.name, context.encoding));
            }
        }
        if !matches!(status, Status::Failed | Status::Errored) {
            if status == Status::Passed && context.keep_passed {
                self.keep_passing(key, context.encoding);
            }
            return;
        }
        self.failing += (case.parts.len() as u64).max(1);
        suite.failing = true;
        if rich {
            let slashes = memchr::memchr_iter(b'/', &case.name).take(8);
            cases.add_parents(slashes.map(|slash| number(class, &case.name[..slash])));
        }
        if let Some((from, to)) = case.tag.take() {
            case.span = context.span(from, to);
        }
        case.span = context.extend(case.span, to);
        let around = self.around(context.encoding);
        let case = &mut self.case;
        let of_boost = |part: &Part| {
            part.kind == "assertion error" && part.message.first().is_some_and(|line| line.text == "failure")
        };
        let boost = !case.parts.is_empty() && case.parts.iter().all(of_boost);
        let (mut told, thin) = failures(case, &around, Level::Case, context.encoding);
        for failure in &mut told {
            failure.follow_on |= again;
        }
        let printed = !case.output.is_empty() || !case.errors.is_empty();
        if thin
            && printed
            && let Some(failure) = told.first_mut()
        {
            add_output(failure, &case.errors.lines(context.encoding));
            add_output(failure, &case.output.lines(context.encoding));
        }
        let detected = |line: &TextLine| line.text.starts_with("Failures detected in:");
        let expected = boost && !case.errors.lines(context.encoding).iter().any(detected);
        let mut waiting = Waiting::new(key, name, thin && !printed, told);
        waiting.expected = expected;
        self.wait(waiting, context.out);
    }

    /// Counts the cases that follow in the shape of one that passed. With none, the case at hand gives its shape.
    fn take_passing(&mut self, context: &mut Context<'_, '_>) {
        let attempts = self.has_attempts();
        let room = MAX_NAMES.saturating_sub(self.outer_names);
        let Some(cases) = self.suites.last_mut().and_then(|suite| suite.cases.as_mut()) else { return };
        let window = &mut *context.window;
        let tag = self.case.tag.take();
        let start = window.pos;
        while let Some(case) = self.shape.next(&window.data[window.pos..]) {
            if case.class.first() == Some(&UNLOADED[0]) && case.class.starts_with(UNLOADED) {
                break;
            }
            window.pos += case.end;
            self.cases += 1;
            let name = || number(number(number(0, case.class), case.file), case.name);
            cases.add(if attempts { name() } else { unlike(self.cases) }, Status::Passed, room);
        }
        // A stray end tag has no case at hand.
        if window.pos == start
            && let Some((from, _)) = tag
            && window.data.get(from..start).is_some()
        {
            let space = window.data[..from].iter().rev().take_while(|byte| byte.is_ascii_whitespace()).count();
            self.shape.learn(&window.data[from - space..start]);
        }
    }

    fn keep_passing(&mut self, key: u64, encoding: &mut Encoding) {
        if self.kept_passed >= Report::MAX_PASSED {
            return;
        }
        self.kept_passed += 1;
        let around = self.around(encoding);
        let case = self.case.passed(&around, encoding);
        if let Some(cases) = self.suites.last_mut().and_then(|suite| suite.cases.as_mut()) {
            cases.keep(key, case);
        }
    }

    fn end_suite(&mut self, context: &mut Context<'_, '_>) {
        self.end_case(context.window.pos, context);
        self.sink = Sink::Nowhere;
        if self.deeper > 0 {
            self.deeper -= 1;
            return;
        }
        let Some(suite) = self.suites.pop() else { return };
        self.outer_names -= self.names();
        if suite.failing {
            self.suites_failed += 1;
            self.suites.iter_mut().last().into_iter().for_each(|outer| outer.failing = true);
        }
        let Suite { name, mut declared, retries, cases, inner, output, .. } = suite;
        let elements = inner + cases.as_ref().map_or(0, |cases| cases.elements);
        if let Some(outer) = self.suites.last_mut() {
            outer.inner += elements;
        }
        let Some(mut cases) = cases else {
            if inner == 0
                && declared.errors.is_some_and(|errors| errors > 0)
                && let Some(mut failure) = output.and_then(|output| without_case(&output.lines(context.encoding)))
            {
                failure.test = Some(shown(&name, context.encoding)).filter(|name| !name.is_empty());
                self.counts.errored += 1;
                self.suite_errors += 1;
                (context.out)(Item::Failure(failure));
            }
            return;
        };
        self.waiting -= usize::from(cases.waits());
        self.held -= cases.waiting_bytes();
        let alone = cases.elements == 1;
        // A suite counts what is in the suites within it too.
        declared.tests = declared.tests.map(|tests| tests.saturating_sub(inner));
        if inner > 0 {
            declared.failures = None;
            declared.errors = None;
        }
        let parents: HashSet<u64> = HashSet::from_iter(cases.waiting_names().filter(|name| cases.is_parent(*name)));
        let Settled { mut counts, mut waiting, flaky, passed } = cases.settle(declared, retries);
        // Boost.Test writes failures that it expected, and counts only the others.
        let expected = waiting.iter().filter(|case| case.expected).count() as u64;
        if expected > 0 && !self.cut && declared.failures == counts.failed.checked_sub(expected) {
            for case in waiting.extract_if(.., |case| case.expected) {
                let name = case.failures.into_iter().find_map(|failure| failure.test).unwrap_or_default();
                context.passed(|_| PassedCase::new(name));
            }
            counts.failed -= expected;
            counts.passed = counts.passed.map(|passed| passed + expected);
        }
        self.counts.add(&counts);
        for case in &flaky {
            let names = case.failures.iter().filter_map(|failure| failure.test.clone());
            let room = 5 - self.flaky_names.len().min(5);
            self.flaky_names.extend(names.take(room.min(1)));
        }
        for case in &mut waiting {
            let frame = case.failures.iter().all(|failure| is_frame(&failure.text));
            if frame && parents.contains(&case.name) {
                for failure in &mut case.failures {
                    failure.follow_on = true;
                }
            } else if case.thin
                && alone
                && let Some(output) = &output
                && let Some(failure) = case.failures.first_mut()
            {
                add_output(failure, &output.lines(context.encoding));
            }
        }
        // A request of Newman that nobody answered, or a script of it that breaks, is counted, and stands in the output.
        let errors = declared.errors.unwrap_or(0).saturating_sub(counts.errored);
        if let Some(output) = &output
            && errors > 0
            && let Some(mut failure) = of_request(&output.lines(context.encoding))
        {
            failure.test = Some(shown(&name, context.encoding)).filter(|name| !name.is_empty());
            self.counts.errored += errors;
            self.suite_errors += errors;
            (context.out)(Item::Failure(failure));
        // What a browser of Karma throws outside of any spec is counted, and stands in the output alone.
        } else if let Some(output) = &output
            && inner == 0
            && errors > 0
            && let Some(failure) = thrown_outside(&output.lines(context.encoding))
        {
            self.counts.errored += 1;
            self.suite_errors += 1;
            (context.out)(Item::Failure(failure));
            for failure in waiting.iter_mut().flat_map(|case| &mut case.failures) {
                let first = failure.text.first().map_or("", |line| line.text.trim());
                failure.follow_on |= first.starts_with("Not run because a beforeAll function failed");
            }
        }
        self.spare = cases.recycle();
        passed.into_iter().for_each(|case| context.passed(|_| case));
        self.held += waiting.iter().flat_map(|case| &case.failures).map(cost).sum::<usize>();
        self.late.extend(waiting.into_iter().flat_map(|case| case.failures));
        self.tell(context.out);
    }

    /// Keeps what failed until its suite ends: a later attempt may pass.
    fn wait(&mut self, waiting: Waiting, out: &mut dyn FnMut(Item)) {
        self.held += waiting.size();
        match self.suites.last_mut() {
            Some(suite) => {
                let cases = suite.cases.get_or_insert_default();
                self.waiting += usize::from(!cases.waits());
                cases.wait(waiting);
            }
            None => self.late.extend(waiting.failures),
        }
        self.tell(out);
    }

    /// Tells what failed in suites that have ended. What waits in a suite around them stands above, and is told with
    /// it. What is too much to be kept is told at once: it stays failed, whatever a later attempt says.
    fn tell(&mut self, out: &mut dyn FnMut(Item)) {
        if self.held > MAX_WAITING {
            self.waiting = 0;
            for cases in self.suites.iter_mut().filter_map(|suite| suite.cases.as_mut()) {
                self.late.extend(cases.give_up().into_iter().flat_map(|case| case.failures));
            }
        }
        if self.waiting == 0 {
            self.held = 0;
            self.late.sort_by_key(|failure| failure.span.byte_start);
            self.late.drain(..).for_each(|failure| out(Item::Failure(failure)));
        }
    }

    /// Whether cases of one name may be attempts of one test. Not so under no suite: node writes the tests of all files
    /// there. Nor where the cases of several suites are taken for those of one.
    fn has_attempts(&self) -> bool {
        self.deeper == 0 && (self.suites.len() != 1 || !self.suites[0].name.is_empty())
    }

    /// The totals, and what contradicts them.
    fn report(&mut self, whole: bool, context: &mut Context<'_, '_>) {
        let mut counts = self.counts;
        counts.passed =
            Some(counts.total.saturating_sub(counts.failed + counts.errored - self.suite_errors + counts.skipped));
        if whole && let Some(told) = self.told.counts(counts) {
            counts = told;
        }
        let span = context.extend(self.span, context.window.pos);
        let mut note = |note: Note| (context.out)(Item::Note(note));
        let declared = match self.root {
            Declared { tests: Some(_), .. } => self.root,
            root if self.top_unknown => root,
            _ => self.top,
        };
        let seen_failing = self.failing + self.suite_errors;
        // What node's suites declare leaves out the tests at the margin and counts suites.
        let declared = if self.told.tests.is_some() { Declared::default() } else { declared };
        let told = declared.failed().or(self.told.failed);
        let line = Some(self.span.line);
        let mut lost = false;
        if whole {
            if let Some(tests) = declared.tests
                && tests.saturating_sub(declared.skipped) > self.cases
            {
                note(Note::warning(line, format!("{tests} tests are declared, but only {} are told of", self.cases)));
            }
            if let Some(failed) = told
                && failed > seen_failing + if self.told.tests.is_some() { self.suites_failed } else { 0 }
            {
                lost = seen_failing == 0;
                note(Note::warning(line, format!("{failed} failures are declared, but {seen_failing} are told of")));
            }
        }
        if counts.flaky > 0 {
            let names = self.flaky_names.join(", ");
            note(Note::info(line, format!("{} failed first and passed in the end: {names}", counts.flaky)));
        }
        if self.odd_times > 0 {
            let message = format!("{} of the times are no number of seconds, here first", self.odd_times);
            note(Note::info(self.odd_time_at, message));
        }
        if self.duplicate_at.is_some() {
            note(Note::info(self.duplicate_at, "an attribute is given twice in one tag; the first counts"));
        }
        if self.too_deep {
            note(Note::warning(line, "suites stand too deep in one another; not all that the deepest tell is read"));
        }
        if self.omitted > 0 {
            note(Note::info(line, format!("{} bytes of long failure texts were left out", self.omitted)));
        }
        if lost {
            let text = format!("{} failures are declared, but none is told of", told.unwrap_or(0));
            let text = vec![TextLine { text, span: self.span }];
            let failure = Failure { level: Level::Run, text, span: self.span, ..Failure::default() };
            (context.out)(Item::Failure(failure));
        }
        let nothing = counts.total == 0 && self.suite_errors == 0;
        let outcome = match counts.any_failed() || lost || self.unrun {
            true => Outcome::Failed,
            false if nothing || !whole || self.too_deep => Outcome::Unknown,
            false => Outcome::Passed,
        };
        if nothing && whole && !lost {
            no_tests(self.span, context.out);
        }
        let tool = self.tool.unwrap_or("junit");
        (context.out)(Item::Tests(TestRun { tool, counts, span, outcome }));
    }
}

/// A number that no other case has.
fn unlike(case: u64) -> u64 {
    case.wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// How a case ended, by its children first, then by its attributes.
fn status(case: &Case) -> Status {
    let of = |element| case.parts.iter().any(|part| part.element == element);
    let may_fail = case.skipped == Some(Skip::MayFail) || case.status == Some(Word::NotRun);
    if may_fail {
        return Status::Skipped;
    }
    if of(Element::Error) {
        return Status::Errored;
    }
    if of(Element::Failure) || of(Element::Rerun) {
        return Status::Failed;
    }
    match (case.skipped, case.status) {
        (Some(_), _) => Status::Skipped,
        (None, Some(Word::Failed)) => Status::Failed,
        (None, Some(Word::Errored)) => Status::Errored,
        (None, _) if !case.reason.is_empty() => Status::Failed,
        (None, _) => Status::Passed,
    }
}
