//! Raw logs: one pass that looks only at lines worth a look.
//!
//! The scan finds lines that hold a needle of a rule or of a *reader*. Readers understand what one tool prints over
//! several lines: the steps of a job, the blocks of a test runner, a traceback. While a reader holds, it is shown
//! every line; what no reader takes goes to the rules as a single line.
//!
//! Adding a reader is one file here and one row of [`READERS`].

mod above;
mod ansible;
mod ant;
mod arrow;
mod ava;
mod back;
mod bazel;
mod block;
mod boxed;
mod buildkit;
mod bundler;
mod busted;
mod cases;
mod checksums;
mod clojure;
mod cmake;
mod command;
mod compilers;
mod cucumber;
mod dart;
mod deno;
mod dotnet;
mod envelope;
mod erlang;
mod esbuild;
mod exunit;
mod findings;
mod formatters;
pub(crate) mod go;
mod gotestsum;
mod gradle;
mod heap;
mod istanbul;
mod jest;
mod junit;
mod junit_launcher;
mod karma;
mod karma_reporters;
mod last_word;
mod located;
mod marks;
mod maven;
mod minitest;
mod minitest_reporters;
mod mocha;
mod mocha_stream;
mod monorepo;
mod native;
mod newman;
mod ninja;
mod node;
mod node_test;
mod novel;
mod npm;
mod nunit;
mod ocaml;
mod octave;
mod panic;
pub(crate) mod pasted;
mod php;
mod phpstan;
mod phpunit;
mod playwright;
mod python;
mod robot;
mod rspec;
mod runner;
mod rust;
mod scala;
mod semgrep;
mod solver;
mod sphinx;
mod steps;
mod streams;
mod swift;
mod tail;
mod tap_classic;
mod tasty;
mod tcltest;
mod teamcity;
mod testng;
mod testthat;
mod traceback;
mod uvu;
mod vitest;
mod wdio;

use std::collections::HashMap;
use std::sync::LazyLock;

use memchr::memmem;

use crate::baseline::Baseline;
use crate::format::{BEGINNINGS, MEMBERS_ABOVE, Parse, Place, beginning, begins_report, go_test_json, may_open, tap};
use crate::hint;
use crate::item::{Item, LogLine, Mark, Scope, Step, TestRun};
use crate::report::{Failure, Note, Outcome, Signal, Span, TextLine};
use crate::rules::{Owner, Role, RuleSet};
use crate::scan::Needle;

pub(crate) use back::Above;
pub(crate) use native::bats::place as bats_place;
pub(crate) use native::qttest::signal as qt_signal;
pub(crate) use runner::below;

use back::{Back, Recent};
use envelope::{Frame, clean};
pub(crate) use envelope::{lossy, prefix_length, strip_escapes};
use novel::Novel;

/// The longest line that is looked at; the rest of a longer one is passed over.
const MAX_LINE: usize = 64 * 1024;

/// How much of the input is searched at a time.
const WINDOW: usize = 256 * 1024;

/// Begins a message that the CI system shows as an error.
static ANNOTATION: LazyLock<memmem::Finder<'static>> = LazyLock::new(|| memmem::Finder::new("##[error]"));

/// How many marks of failure in one log are searched for the words before them.
const MAX_TAILS: u32 = 100;

/// How many blocks that tell of what ended no program are kept.
const MAX_ASIDES: usize = 100;

/// How many labels of processes that passed are kept.
const MAX_LABELS: usize = 100;

/// How many lines above one that wakes them most readers ask for.
const ABOVE: usize = 6;

/// A clean line as readers see it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line<'a> {
    /// Without color codes, the prefixes of the CI system and the line end; trailing white space removed.
    pub text: &'a str,
    /// Where it stands in the original input.
    pub span: Span,
}

impl Line<'_> {
    /// The line as a part of a failure's text.
    pub(crate) fn to_text(self) -> TextLine {
        TextLine { text: self.text.to_owned(), span: self.span }
    }

    /// Text without white space in front.
    pub(crate) fn trimmed(&self) -> &str {
        self.text.trim_start()
    }

    /// How many characters of white space stand in front.
    pub(crate) fn indent(&self) -> usize {
        self.text.len() - self.text.trim_start().len()
    }
}

/// The texts of a raw line without color codes and the envelope of CI systems.
pub(crate) fn clean_line(raw: &[u8]) -> Vec<String> {
    let frame = Frame::default();
    clean(raw, &frame).texts()
}

/// What a reader makes of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grip {
    /// Not mine; others may look at it. Ends a hold.
    Pass,
    /// Mine, and I need no more.
    Take,
    /// Mine, and I want to see the next line whatever it holds.
    Hold,
    /// Not mine, others may look at it, but I want to see the next line that nobody holds.
    Watch,
}

/// Understands what one tool prints over several lines.
///
/// A reader is shown lines that hold one of its needles and, while it holds, every line. It keeps its own state.
pub(crate) trait Reader {
    /// Looks at a line.
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip;

    /// The input ends.
    fn end(&mut self, out: &mut dyn FnMut(Item));

    /// Asks it to tell of the cases that passed too. Until then it must not keep their names.
    fn keep_passed(&mut self) {}

    /// How many of the lines above one that wakes it it is told; none unless it asks.
    fn looks_back(&self) -> usize {
        0
    }

    /// Whether a report that begins at the next line is another reporter's word, rather than what a test printed that
    /// this reader reads, or a line of its own.
    fn yields_to_report(&self) -> bool {
        true
    }

    /// What stands above the line that is shown next.
    fn above(&mut self, _above: Above<'_>) {}
}

pub(crate) struct ReaderEntry {
    /// Literals that wake the reader, compared without regard to ASCII case if they have seven bytes or more. After one
    /// that ends with `\d` a digit must stand, after one that ends with `$` the end of the line.
    pub needles: &'static [&'static str],
    pub open: fn() -> Box<dyn Reader>,
}

/// All readers; the first that takes a line has it.
pub(crate) const READERS: &[ReaderEntry] = &[
    ReaderEntry { needles: heap::NEEDLES, open: heap::open },
    ReaderEntry { needles: formatters::NEEDLES, open: formatters::open },
    ReaderEntry { needles: buildkit::NEEDLES, open: buildkit::open },
    ReaderEntry { needles: steps::NEEDLES, open: steps::open },
    ReaderEntry { needles: monorepo::NEEDLES, open: monorepo::open },
    ReaderEntry { needles: go_test_json::NEEDLES, open: go_test_json::open },
    ReaderEntry { needles: native::prove::NEEDLES, open: native::prove::open },
    ReaderEntry { needles: tap::NEEDLES, open: tap::open },
    ReaderEntry { needles: tap_classic::NEEDLES, open: tap_classic::open },
    ReaderEntry { needles: jest::NEEDLES, open: jest::open },
    ReaderEntry { needles: vitest::NEEDLES, open: vitest::open },
    ReaderEntry { needles: gotestsum::NEEDLES, open: gotestsum::open },
    ReaderEntry { needles: mocha::NEEDLES, open: mocha::open },
    ReaderEntry { needles: mocha_stream::NEEDLES, open: mocha_stream::open },
    ReaderEntry { needles: playwright::NEEDLES, open: playwright::open },
    ReaderEntry { needles: newman::NEEDLES, open: newman::open },
    ReaderEntry { needles: wdio::NEEDLES, open: wdio::open },
    ReaderEntry { needles: node_test::NEEDLES, open: node_test::open },
    ReaderEntry { needles: teamcity::NEEDLES, open: teamcity::open },
    ReaderEntry { needles: karma::NEEDLES, open: karma::open },
    ReaderEntry { needles: karma_reporters::NEEDLES, open: karma_reporters::open },
    ReaderEntry { needles: deno::NEEDLES, open: deno::open },
    ReaderEntry { needles: busted::NEEDLES, open: busted::open },
    ReaderEntry { needles: tcltest::NEEDLES, open: tcltest::open },
    ReaderEntry { needles: ava::NEEDLES, open: ava::open },
    ReaderEntry { needles: npm::NEEDLES, open: npm::open },
    ReaderEntry { needles: clojure::NEEDLES, open: clojure::open },
    ReaderEntry { needles: bundler::NEEDLES, open: bundler::open },
    ReaderEntry { needles: maven::NEEDLES, open: maven::open },
    ReaderEntry { needles: gradle::NEEDLES, open: gradle::open },
    ReaderEntry { needles: ant::NEEDLES, open: ant::open },
    ReaderEntry { needles: junit_launcher::NEEDLES, open: junit_launcher::open },
    ReaderEntry { needles: junit::NEEDLES, open: junit::open },
    ReaderEntry { needles: testng::NEEDLES, open: testng::open },
    ReaderEntry { needles: rspec::NEEDLES, open: rspec::open },
    ReaderEntry { needles: minitest::NEEDLES, open: minitest::open },
    ReaderEntry { needles: minitest_reporters::NEEDLES, open: minitest_reporters::open },
    ReaderEntry { needles: robot::NEEDLES, open: robot::open },
    ReaderEntry { needles: uvu::NEEDLES, open: uvu::open },
    ReaderEntry { needles: cucumber::NEEDLES, open: cucumber::open },
    ReaderEntry { needles: semgrep::NEEDLES, open: semgrep::open },
    ReaderEntry { needles: phpstan::NEEDLES, open: phpstan::open },
    ReaderEntry { needles: phpunit::NEEDLES, open: phpunit::open },
    ReaderEntry { needles: nunit::NEEDLES, open: nunit::open },
    ReaderEntry { needles: dotnet::NEEDLES, open: dotnet::open },
    ReaderEntry { needles: exunit::NEEDLES, open: exunit::open },
    ReaderEntry { needles: dart::NEEDLES, open: dart::open },
    ReaderEntry { needles: swift::NEEDLES, open: swift::open },
    ReaderEntry { needles: scala::NEEDLES, open: scala::open },
    ReaderEntry { needles: rust::nextest::NEEDLES, open: rust::nextest::open },
    ReaderEntry { needles: rust::libtest::NEEDLES, open: rust::libtest::open },
    ReaderEntry { needles: python::pytest::NEEDLES, open: python::pytest::open },
    ReaderEntry { needles: python::stestr::NEEDLES, open: python::stestr::open },
    ReaderEntry { needles: python::unittest::NEEDLES, open: python::unittest::open },
    ReaderEntry { needles: bazel::NEEDLES, open: bazel::open },
    ReaderEntry { needles: native::ctest::NEEDLES, open: native::ctest::open },
    ReaderEntry { needles: native::gtest::NEEDLES, open: native::gtest::open },
    ReaderEntry { needles: native::catch2::NEEDLES, open: native::catch2::open },
    ReaderEntry { needles: native::qttest::NEEDLES, open: native::qttest::open },
    ReaderEntry { needles: native::bats::NEEDLES, open: native::bats::open },
    ReaderEntry { needles: ocaml::NEEDLES, open: ocaml::open },
    ReaderEntry { needles: octave::NEEDLES, open: octave::open },
    ReaderEntry { needles: erlang::NEEDLES, open: erlang::open },
    ReaderEntry { needles: testthat::NEEDLES, open: testthat::open },
    ReaderEntry { needles: tasty::NEEDLES, open: tasty::open },
    ReaderEntry { needles: native::boost::NEEDLES, open: native::boost::open },
    ReaderEntry { needles: native::cpputest::NEEDLES, open: native::cpputest::open },
    ReaderEntry { needles: native::criterion::NEEDLES, open: native::criterion::open },
    ReaderEntry { needles: native::meson::NEEDLES, open: native::meson::open },
    ReaderEntry { needles: native::check::NEEDLES, open: native::check::open },
    ReaderEntry { needles: native::shunit2::NEEDLES, open: native::shunit2::open },
    ReaderEntry { needles: native::dejagnu::NEEDLES, open: native::dejagnu::open },
    // What follows is read where no runner of tests has it.
    ReaderEntry { needles: traceback::NEEDLES, open: traceback::open },
    ReaderEntry { needles: sphinx::NEEDLES, open: sphinx::open },
    ReaderEntry { needles: php::NEEDLES, open: php::open },
    ReaderEntry { needles: boxed::NEEDLES, open: boxed::open },
    ReaderEntry { needles: arrow::NEEDLES, open: arrow::open },
    ReaderEntry { needles: esbuild::NEEDLES, open: esbuild::open },
    ReaderEntry { needles: above::NEEDLES, open: above::open },
    ReaderEntry { needles: located::NEEDLES, open: located::open },
    ReaderEntry { needles: findings::NEEDLES, open: findings::open },
    ReaderEntry { needles: panic::NEEDLES, open: panic::open },
    ReaderEntry { needles: cmake::NEEDLES, open: cmake::open },
    ReaderEntry { needles: ansible::NEEDLES, open: ansible::open },
    ReaderEntry { needles: istanbul::NEEDLES, open: istanbul::open },
    ReaderEntry { needles: solver::NEEDLES, open: solver::open },
    ReaderEntry { needles: checksums::NEEDLES, open: checksums::open },
    ReaderEntry { needles: ninja::NEEDLES, open: ninja::open },
    ReaderEntry { needles: node::NEEDLES, open: node::open },
];

const _: () = assert!(READERS.len() <= 128, "a set of readers is the bits of a number");

/// The readers of a log, in the order of [`READERS`]; each is opened when it is first shown a line.
#[derive(Default)]
struct Readers {
    open: Vec<Option<Box<dyn Reader>>>,
    keep_passed: bool,
}

impl Readers {
    fn of(&mut self, index: usize) -> &mut dyn Reader {
        if self.open.is_empty() {
            self.open.resize_with(READERS.len(), || None);
        }
        let reader = self.open[index].get_or_insert_with(|| {
            let mut reader = (READERS[index].open)();
            if self.keep_passed {
                reader.keep_passed();
            }
            reader
        });
        &mut **reader
    }

    /// Those that have seen anything.
    fn awake(&mut self) -> impl Iterator<Item = &mut Box<dyn Reader>> {
        self.open.iter_mut().flatten()
    }

    /// Closes a reader, which begins anew with the next line that it is shown.
    fn forget(&mut self, index: usize) {
        self.open[index] = None;
    }

    fn keep_passed(&mut self) {
        self.keep_passed = true;
        self.awake().for_each(|reader| reader.keep_passed());
    }
}

/// The place of the reader of steps in [`READERS`].
const STEPS: usize = 3;

/// What a needle of the log parser itself wakes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waker {
    /// A reader, by its index in [`READERS`].
    Reader(u8),
    /// The look for a report within the log.
    Report,
}

/// The needles that the log parser wants to see beside those of the rules.
pub(crate) fn wakers() -> impl Iterator<Item = (Waker, Needle<'static>)> {
    let readers = READERS.iter().enumerate();
    let readers = readers
        .flat_map(|(index, entry)| entry.needles.iter().map(move |needle| (Waker::Reader(index as u8), *needle)));
    let wakers = readers.chain(BEGINNINGS.iter().map(|needle| (Waker::Report, *needle)));
    wakers.map(|(waker, needle)| (waker, Needle::read(needle)))
}

/// Reads a raw log.
pub(crate) struct LogParser {
    rules: RuleSet,
    readers: Readers,
    /// The reader that holds, by index.
    holder: Option<usize>,
    /// The readers that watch, by index.
    watchers: Vec<usize>,
    /// The readers that were shown a line since the last end of a step, a bit for each.
    awake: u128,
    /// The reader of the report at hand, for a format that is read line by line.
    of_report: Option<usize>,
    /// A line longer than [`MAX_LINE`] is being passed over.
    skipping: bool,
    long_lines: u64,
    /// Where a report seems to begin; the analyzer decides whether one does.
    document_at: Option<u64>,
    /// The last such place, where none began.
    refused: Option<u64>,
    /// It is shown lines of a report, and nothing comes behind those at hand.
    bounded: bool,
    /// It is shown what somebody quoted, of which the last words say nothing.
    quoted: bool,
    recent: Recent,
    back: Back,
    frame: Frame,
    seen: Seen,
    /// How many marks of failure there were.
    tails: u32,
    /// Which lines say nothing of their own, by where they begin; asked for at most [`MAX_TAILS`] times some lines.
    said: HashMap<u64, bool>,
    /// What the green runs of the job did not print, where they are known.
    novel: Option<Novel>,
}

impl LogParser {
    pub(crate) fn new(rules: RuleSet) -> Self {
        LogParser {
            rules,
            readers: Readers::default(),
            holder: None,
            watchers: Vec::new(),
            awake: 0,
            of_report: None,
            skipping: false,
            long_lines: 0,
            document_at: None,
            refused: None,
            bounded: false,
            quoted: false,
            recent: Recent::default(),
            back: Back::default(),
            frame: Frame::default(),
            seen: Seen::default(),
            tails: 0,
            said: HashMap::new(),
            novel: None,
        }
    }

    /// Tells which lines the green runs of the job did not have.
    pub(crate) fn compare(&mut self, baseline: Baseline) {
        self.novel = Some(Novel::new(baseline));
    }

    /// Tells of the cases that passed too, where a reader knows them.
    pub(crate) fn keep_passed(&mut self) {
        self.readers.keep_passed();
    }

    /// Goes on with the log: what seemed to be a report is none, or has been read by its own parser.
    pub(crate) fn resume(&mut self) {
        self.refused = self.document_at.take();
    }

    /// Whether it is shown whole lines that stand within a report, rather than the input as it comes.
    pub(crate) fn bounded(&mut self, bounded: bool) {
        self.bounded = bounded;
    }

    /// It is shown what somebody quoted: the last words before a failure and how it ends are not asked for.
    pub(crate) fn quoted(&mut self) {
        self.quoted = true;
    }

    /// Begins a report that is read line by line: its reader holds from the first line.
    pub(crate) fn begin(&mut self, needles: &[&str]) {
        self.of_report = READERS.iter().position(|entry| entry.needles == needles);
        self.holder = self.of_report;
    }

    /// Whether the reader of a line-by-line report still wants lines, so that no other report begins within it.
    fn within_report(&self) -> bool {
        self.of_report.is_some_and(|index| self.holder == Some(index) || self.watchers.contains(&index))
    }

    /// Shows one raw line to the readers and, if none takes it, to the rules.
    fn look(&mut self, raw: &[u8], span: Span, mut needles: Option<Needles>, before: &[u8], out: &mut dyn FnMut(Item)) {
        if let Some(step) = self.frame.step(raw).filter(|step| *step != "UNKNOWN STEP") {
            let post = step.starts_with("Post ") || step.starts_with("Complete ");
            out(Item::Step(Step { name: step.to_owned(), span, post, marked: true, ..Step::default() }));
        }
        let frame = std::mem::take(&mut self.frame);
        clean(raw, &frame).each(|text| self.look_at(text, raw, span, &mut needles, &frame, before, out));
        self.frame = frame;
    }

    /// Shows one text of a line to the readers and, if none takes it, to the rules.
    #[allow(clippy::too_many_arguments, reason = "the parts of one line")]
    fn look_at(
        &mut self,
        text: &str,
        raw: &[u8],
        span: Span,
        needles: &mut Option<Needles>,
        frame: &Frame,
        before: &[u8],
        out: &mut dyn FnMut(Item),
    ) {
        let line = Line { text, span };
        // What ran in the step is cut short with it, and belongs to it.
        if self.awake != 0 && steps::is_over(text) {
            for index in (0..READERS.len()).filter(|index| self.awake & 1_u128 << index != 0) {
                self.readers.of(index).end(out);
                // What TAP told is kept in mind, since post-build steps repeat it.
                if READERS[index].needles != tap::NEEDLES {
                    self.readers.forget(index);
                }
            }
            (self.awake, self.holder) = (0, None);
            self.watchers.clear();
        }
        // The readers that have seen the line, a bit for each.
        let mut shown = 0_u128;
        if let Some(index) = self.holder.take() {
            shown |= 1_u128 << index;
            if self.settle(index, line, out) {
                // A block of a runner that was cut short must not hide how its step ended.
                if index == STEPS || !steps::is_boundary(text) {
                    return;
                }
                shown |= 1_u128 << STEPS;
                let holder = self.holder.take();
                let taken = self.settle(STEPS, line, out);
                if self.holder.is_none() {
                    self.holder = holder;
                } else {
                    self.watchers.extend(holder.filter(|index| !self.watchers.contains(index)));
                }
                if taken {
                    return;
                }
            }
        }
        if !self.watchers.is_empty() {
            let mut watchers = std::mem::take(&mut self.watchers);
            let mut taken = false;
            for index in watchers.drain(..) {
                if taken || shown & 1_u128 << index != 0 {
                    self.watchers.push(index);
                    continue;
                }
                shown |= 1_u128 << index;
                taken = self.settle(index, line, out);
            }
            if self.watchers.is_empty() {
                self.watchers = watchers;
            }
            if taken {
                return;
            }
        }
        let Needles { rules, readers, .. } = needles.get_or_insert_with(|| self.needles_in(raw));
        for &index in readers.iter() {
            let index = usize::from(index);
            let back = self.readers.of(index).looks_back();
            if shown & 1_u128 << index == 0 && back > 0 {
                let at = Place { byte: span.byte_start, line: span.line };
                let above = self.back.lines(&self.recent.joined(before, Recent::NEAR), at, frame, back);
                self.readers.of(index).above(above);
            }
            if shown & 1_u128 << index == 0 && self.settle(index, line, out) {
                return;
            }
        }
        if ANNOTATION.find(raw).is_some() {
            let text = text.to_owned();
            let mark = Mark { scope: Scope::Annotation, outcome: Outcome::Failed, status: None, text, span };
            out(Item::Mark(mark));
        }
        // What a command prints is searched, the command itself is not.
        if let Some(command) = command::echoed(text) {
            if text.starts_with('$') || command::phase(command).is_some() || command::is_tolerated(command) {
                out(Item::Step(steps::script_step(command, span)));
            }
            return;
        }
        if !rules.is_empty() && !text.trim().is_empty() {
            let wants = rules.iter().any(|&rule| self.rules.wants_context(rule));
            let before = if wants { self.recent.before(before, frame) } else { Vec::new() };
            // Only what may pass by itself can say when.
            let timely = rules.iter().any(|&rule| self.rules.may_pass(rule));
            let stamp_ms = if timely { hint::line_stamp(raw) } else { None };
            out(Item::Line(LogLine { text: text.to_owned(), span, rules: rules.clone(), before, stamp_ms }));
        }
    }

    /// Shows a line to one reader and keeps what it asks for; tells whether it took the line.
    fn settle(&mut self, index: usize, line: Line<'_>, out: &mut dyn FnMut(Item)) -> bool {
        if index != STEPS {
            self.awake |= 1_u128 << index;
        }
        match self.readers.of(index).line(line, out) {
            Grip::Pass => return false,
            Grip::Take => {}
            Grip::Hold => self.holder = Some(index),
            Grip::Watch => {
                if !self.watchers.contains(&index) {
                    self.watchers.push(index);
                }
                return false;
            }
        }
        true
    }

    /// Tells the last words of what was read so far, up to a mark of failure or the end.
    fn tell_tail(&mut self, window: &[u8], at: Place, eof: bool, out: &mut dyn FnMut(Item)) {
        let before = self.recent.joined(window, Recent::BYTES);
        let (rules, asides) = (&self.rules, &self.seen.asides);
        // What only follows from a failure, or is known to be none, says nothing. Where jobs are short, many look back
        // at one line.
        let said = |line: &TextLine| {
            *self.said.entry(line.span.byte_start).or_insert_with(|| {
                let text = &line.text;
                let within = |span: &Span| (span.line..=span.last_line).contains(&line.span.line);
                if asides.iter().any(within) {
                    return true;
                }
                rules.of_line(text).is_some_and(|rule| !matches!(rule.role, Role::Root | Role::Hint))
                    || marks::read_mark(text, Span::default()).is_some()
            })
        };
        if let Some(tail::Words { line, below, others, around, error, gives_up, late }) =
            tail::last_words(&before, at, &self.frame, said)
        {
            let gave_up = eof && gives_up;
            let late = eof && late;
            out(Item::Tail { line, below, others, around, error, gave_up, last: gave_up && late, late });
        }
    }

    /// Tells that the input ends within a command of which nothing is known but that it began: what ended well before
    /// says nothing of it.
    fn tell_open(&self, window: &[u8], at: Place, out: &mut dyn FnMut(Item)) {
        let before = self.recent.joined(window, Recent::BYTES);
        let command = streams::open_command(&before, at, &self.frame).filter(streams::is_work).map(|open| open.line);
        let passes = |text: &str| self.rules.of_line(text).is_some_and(|rule| rule.role == Role::Passed);
        let stream = streams::open_stream(&before, at, &self.seen.passed_in, passes);
        for TextLine { text, span } in command.into_iter().chain(stream) {
            out(Item::Mark(Mark { scope: Scope::Command, outcome: Outcome::Unknown, status: None, text, span }));
        }
    }

    /// Whether the line `lines[start..end]` opens a report, as one of the next lines tells; `None` where it may stand
    /// behind what is known.
    fn opens_report(&self, lines: &[u8], start: usize, end: usize) -> Option<bool> {
        let mut from = end + 1;
        for _ in 0..MEMBERS_ABOVE {
            let end = from + memchr::memchr(b'\n', lines.get(from..)?)?;
            if self.needles_in(&lines[from..end.min(from + MAX_LINE)]).report {
                return Some(beginning(lines, from, end) == Some(start));
            }
            from = end + 1;
        }
        Some(false)
    }

    fn needles_in(&self, raw: &[u8]) -> Needles {
        let mut found = Needles::default();
        self.rules.scanner().each(raw, |needle, _| match self.rules.owner(needle) {
            Owner::Rule(rule) if !found.rules.contains(&rule) => found.rules.push(rule),
            Owner::Log(Waker::Reader(reader)) if !found.readers.contains(&reader) => found.readers.push(reader),
            Owner::Log(Waker::Report) => found.report = true,
            Owner::Rule(_) | Owner::Log(Waker::Reader(_)) => {}
        });
        found.rules.sort_unstable();
        found.readers.sort_unstable();
        found
    }
}

/// Who asked for the needles of a line.
#[derive(Default)]
struct Needles {
    rules: Vec<u32>,
    readers: Vec<u8>,
    /// A report may begin here.
    report: bool,
}

impl Parse for LogParser {
    fn parse(&mut self, data: &[u8], at: &mut Place, eof: bool, out: &mut dyn FnMut(Item)) -> usize {
        // What is ahead is looked for within a window, which also stays in the cache.
        let (data, eof) = match data.get(..WINDOW) {
            Some(window) if data.len() > WINDOW + MAX_LINE => {
                (memchr::memrchr(b'\n', window).map_or(window, |last| &window[..=last]), false)
            }
            _ => (data, eof),
        };
        // Only whole lines are looked at, so that no needle is cut in two.
        let whole = match memchr::memrchr(b'\n', data) {
            _ if eof => data.len(),
            Some(last) => last + 1,
            None if data.len() >= MAX_LINE => data.len(),
            None => return 0,
        };
        let lines = &data[..whole];
        let began = *at;
        if self.recent.end != began.byte {
            self.recent.tail.clear();
        }
        let rules = self.rules.clone();
        let mut search = rules.scanner().search(lines);
        let mut pos = 0;
        while pos < whole {
            if self.skipping {
                let end = memchr::memchr(b'\n', &lines[pos..]).map_or(whole, |end| pos + end + 1);
                at.advance(&lines[pos..end]);
                self.skipping = lines[end - 1] != b'\n';
                pos = end;
                continue;
            }
            let start = if self.holder.is_some() || !self.watchers.is_empty() {
                pos
            } else {
                let Some(hit) = search.next(pos) else {
                    at.advance(&lines[pos..]);
                    pos = whole;
                    break;
                };
                memchr::memrchr(b'\n', &lines[pos..hit]).map_or(pos, |newline| pos + newline + 1)
            };
            let end = memchr::memchr(b'\n', &lines[start..]).map_or(whole, |end| start + end);
            let shown = &lines[start..end.min(start + MAX_LINE)];
            // What a reader holds is its own, and the needles are looked for only if it lets go.
            let mut free = |index: usize| self.readers.of(index).yields_to_report() && begins_report(shown);
            let reported = self.of_report.is_some_and(&mut free);
            let looked_at = self.holder.is_none_or(free);
            let within_report = self.within_report() && !reported;
            let needles = looked_at.then(|| self.needles_in(shown));
            if needles.as_ref().is_some_and(|needles| needles.report)
                && !within_report
                && let Some(first) = beginning(lines, start, start + shown.len()).filter(|first| *first >= pos)
                && self.refused != Some(at.byte + (first - pos) as u64)
            {
                at.advance(&lines[pos..first]);
                self.document_at = Some(at.byte);
                if let Some(novel) = &mut self.novel {
                    novel.window(&data[..first], began, &self.frame, out);
                }
                self.recent.keep(&data[..first]);
                self.recent.end = at.byte;
                return first;
            }
            // Where the line is looked at for another reason, the bracket comes before what tells that it is a report's.
            if !within_report && needles.is_some() && may_open(shown) {
                let ahead = self.opens_report(lines, start, end);
                let opens = ahead == Some(true) && self.refused != Some(at.byte + (start - pos) as u64);
                if opens || ahead.is_none() && !eof && !self.bounded && data.len() < WINDOW {
                    at.advance(&lines[pos..start]);
                    pos = start;
                    self.document_at = opens.then_some(at.byte);
                    break;
                }
            }
            at.advance(&lines[pos..start]);
            if end - start > MAX_LINE {
                self.long_lines += 1;
                if self.long_lines == 1 {
                    let message = format!("a line is longer than {MAX_LINE} bytes; its rest is not searched");
                    out(Item::Note(Note::info(Some(at.line), message)));
                }
            }
            let span = Span::on_line(at.line, at.byte, at.byte + shown.len() as u64);
            let mut failed = false;
            let mut branch = None;
            let mut seen = std::mem::take(&mut self.seen);
            self.look(shown, span, needles, &lines[..start], &mut |mut item| {
                if let Item::Failure(failure) = &mut item {
                    failure.stamp_ms = stamp_of(failure, lines, began.byte);
                }
                if let Item::Step(step) = &item
                    && let Some(name) = step.name.strip_prefix(steps::BRANCH)
                {
                    branch = Some(name.to_owned());
                }
                seen.note(&item, lines, began.byte);
                failed |=
                    matches!(&item, Item::Mark(Mark { scope: Scope::Step | Scope::Job, outcome: Outcome::Failed, .. }));
                out(item);
            });
            if let Some(branch) = branch {
                self.frame.branch(&branch);
            }
            self.seen = seen;
            if failed && self.tails < MAX_TAILS && !self.quoted {
                self.tails += 1;
                self.tell_tail(&lines[..start], *at, false, out);
            }
            let next = (end + 1).min(whole);
            self.skipping = next == whole && lines[whole - 1] != b'\n' && !eof;
            at.advance(&lines[start..next]);
            pos = next;
        }
        if let Some(novel) = &mut self.novel {
            novel.window(&data[..pos], began, &self.frame, out);
        }
        // A report may begin before the end.
        let eof = eof && pos == whole;
        if eof {
            // What a reader held to the end may have passed too.
            for reader in self.readers.awake() {
                reader.end(&mut |item| {
                    self.seen.note(&item, lines, began.byte);
                    out(item);
                });
            }
            if !self.quoted {
                if !data.is_empty() {
                    self.tell_tail(&data[..pos], *at, true, out);
                }
                self.tell_open(&data[..pos], *at, out);
            }
        }
        self.recent.keep(&data[..pos]);
        self.recent.end = at.byte;
        if let Some(novel) = self.novel.as_mut().filter(|_| eof) {
            novel.end(out);
        }
        pos
    }

    fn done(&self) -> bool {
        self.document_at.is_some()
    }
}

/// What readers told that is asked for at the end.
#[derive(Default)]
struct Seen {
    /// The labels in front of the totals of tests that passed, where several processes print side by side.
    passed_in: Vec<String>,
    /// The places of the last blocks that tell of what ended no program.
    asides: Vec<Span>,
}

impl Seen {
    fn note(&mut self, item: &Item, window: &[u8], began: u64) {
        if let Item::Failure(Failure { signal: Some(Signal::Aside), span, .. }) = item {
            if self.asides.len() == MAX_ASIDES {
                self.asides.remove(0);
            }
            self.asides.push(*span);
        }
        if self.passed_in.len() < MAX_LABELS
            && let Some(label) = passed_label(item, window, began)
            && !self.passed_in.contains(&label)
        {
            self.passed_in.push(label);
        }
    }
}

/// The label in front of the totals of tests that passed: the wrapper of several processes puts it there.
fn passed_label(item: &Item, window: &[u8], began: u64) -> Option<String> {
    let Item::Tests(TestRun { outcome: Outcome::Passed, span, .. }) = item else { return None };
    let end = usize::try_from(span.byte_end.checked_sub(began)?).ok()?;
    let shown = window.get(..end)?;
    let start = memchr::memrchr(b'\n', shown).map_or(0, |newline| newline + 1);
    let text = strip_escapes(&shown[start..]);
    streams::label(&text).map(|(label, _)| label.to_owned())
}

/// When a failure was printed, by the stamp of its first line that speaks of a further try.
fn stamp_of(failure: &Failure, window: &[u8], began: u64) -> Option<u64> {
    let line = failure.text.iter().take(100).find(|line| hint::mentions(&line.text))?;
    let start = usize::try_from(line.span.byte_start.checked_sub(began)?).ok()?;
    let rest = window.get(start..)?;
    hint::line_stamp(&rest[..memchr::memchr(b'\n', rest).unwrap_or(rest.len())])
}
