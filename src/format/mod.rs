//! What the bytes are: the list of formats, how each is recognized, and the contract of a parser.
//!
//! Adding a format is one file here, one variant of [`Format`] and one row of the table.

mod agent;
mod allure;
mod answer;
mod bazel_bep;
mod boost;
mod cargo_json;
mod catch2;
mod catch2_json;
mod check;
mod checkstyle;
mod claim;
mod code_quality;
mod ctrf;
mod cucumber_json;
mod cucumber_messages;
mod dart_json;
mod document;
mod eslint;
mod framed;
mod frames;
mod gcc_json;
pub(crate) mod go_test_json;
mod gtest_json;
mod jest;
pub(crate) mod json;
mod junit;
mod letter;
mod libtest_json;
mod lint_json;
mod message;
mod message_json;
mod mocha;
mod near;
pub(crate) mod newman;
mod nunit;
mod patience;
mod playwright;
mod pytest_json;
mod qttest;
mod robot;
mod rspec;
mod sarif;
mod signal;
pub(crate) mod tap;
mod testng;
mod thrown;
mod trx;
mod xml;
mod xunit;

use std::borrow::Cow;

use crate::item::Item;
use crate::kind::names;
use document::{Stream, Whole};
use framed::Framed;
pub(crate) use framed::Prefix;
pub(crate) use framed::begins_report;
pub(crate) use signal::heads_hook_of_robot;

names! {
    /// What the bytes of an input are. Found from the content, never from a name.
    Format, "format":
    /// The log of a build or of a CI job.
    Log = "log",
    /// JUnit XML, in any dialect.
    JunitXml = "junit-xml",
    /// TRX, the results of `dotnet test` and VSTest.
    Trx = "trx",
    /// The results of NUnit 2 and 3.
    NunitXml = "nunit-xml",
    /// The results of xUnit.net.
    XunitXml = "xunit-xml",
    /// The results of TestNG in its own XML.
    TestngXml = "testng-xml",
    /// The XML of Catch2, versions 2 and 3.
    Catch2Xml = "catch2-xml",
    /// The JSON of Catch2, since version 3.5.
    Catch2Json = "catch2-json",
    /// The XML of Qt Test.
    QtTestXml = "qttest-xml",
    /// The `output.xml` of Robot Framework.
    RobotXml = "robot-xml",
    /// The XML of Boost.Test: its log, and its report.
    BoostXml = "boost-xml",
    /// The XML of libcheck.
    CheckXml = "check-xml",
    /// Checkstyle's XML, which most linters can write.
    CheckstyleXml = "checkstyle-xml",
    /// The JSON of `jest --json` and of Vitest's JSON reporter.
    JestJson = "jest-json",
    /// The Test Anything Protocol, versions 12 to 14.
    Tap = "tap",
    /// The events of `go test -json`, one JSON object a line, with plain lines between them.
    GoTestJson = "go-test-json",
    /// The JSON of Mocha's own reporter.
    MochaJson = "mocha-json",
    /// The JSON of Mochawesome, which Cypress writes as well.
    MochawesomeJson = "mochawesome-json",
    /// The JSON of Newman, which runs the collections of Postman.
    NewmanJson = "newman-json",
    /// The JSON of Playwright's reporter.
    PlaywrightJson = "playwright-json",
    /// The lines of pytest-reportlog.
    PytestReportlog = "pytest-reportlog",
    /// The document of pytest-json-report.
    PytestJsonReport = "pytest-json-report",
    /// The JSON of RSpec's formatter.
    RspecJson = "rspec-json",
    /// The JSON of Cucumber and behave.
    CucumberJson = "cucumber-json",
    /// The messages of Cucumber, one JSON object a line.
    CucumberMessages = "cucumber-messages",
    /// The JSON of GoogleTest.
    GtestJson = "gtest-json",
    /// The events of `dart test` and `flutter test`.
    DartJson = "dart-json",
    /// The results of Allure, one file an attempt.
    AllureJson = "allure-json",
    /// The Common Test Report Format.
    CtrfJson = "ctrf-json",
    /// The events of Rust's test harness, as `cargo nextest` writes them too.
    LibtestJson = "libtest-json",
    /// The messages of `cargo --message-format=json` and `rustc --error-format=json`.
    CargoJson = "cargo-json",
    /// The diagnostics of `gcc -fdiagnostics-format=json`.
    GccJson = "gcc-json",
    /// The JSON of ESLint.
    EslintJson = "eslint-json",
    /// The JSON of linters that list findings: Ruff, Pylint, Bandit, ShellCheck, Stylelint, RuboCop and others.
    LintJson = "lint-json",
    /// SARIF 2.1, the results of static analysis.
    Sarif = "sarif",
    /// GitLab's code quality report.
    CodeQuality = "gitlab-code-quality",
    /// Bazel's Build Event Protocol in JSON.
    BazelBep = "bazel-bep",
    /// A validator's or coordinator's message in Markdown or prose.
    Message = "message",
    /// A validator's or coordinator's message in JSON.
    MessageJson = "message-json",
    /// The result of a call of an agent runtime, in JSON.
    AgentResult = "agent-result",
}

impl Format {
    /// Whether it is what somebody says, rather than the output of a tool.
    pub(crate) fn is_message(self) -> bool {
        matches!(self, Format::Message | Format::MessageJson)
    }

    /// Whether its like may stand in any text: it is a log, or somebody's words.
    #[must_use]
    pub fn is_prose(self) -> bool {
        self.is_message() || matches!(self, Format::Log | Format::AgentResult)
    }

    /// What a file that was found in a folder is; `None` where it is neither a report nor a log.
    ///
    /// `head` is its beginning, 64 KiB or all of it. A report is known by its content. Any text can be a log, so one
    /// is taken for a log only where its name does not speak against it.
    #[must_use]
    pub fn of_file(name: &str, head: &[u8]) -> Option<Format> {
        const LOGS: &[&str] = &["log", "txt", "out", "err", "output", "console", "stdout", "stderr", "md", "ansi"];
        let base = name.rsplit(['/', '\\']).next().unwrap_or(name);
        // `build.log.1` is a log too.
        let base = base.trim_end_matches(|end: char| end.is_ascii_digit()).trim_end_matches('.');
        let extension = base.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase();
        let named_so = LOGS.contains(&extension.as_str()) || extension.is_empty() || base.starts_with("log");
        if let Some(format) = detect(head) {
            // Prose and free text have no mark of their own: there the name must agree.
            return (named_so || format != Format::Message).then_some(format);
        }
        let binary =
            memchr::memchr(0, head).is_some() && !head.starts_with(b"\xff\xfe") && !head.starts_with(b"\xfe\xff");
        (named_so && !binary && !head.is_empty() && !base.starts_with('.')).then_some(Format::Log)
    }
}

/// Where a parser stands in the original input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Offset of the next byte.
    pub byte: u64,
    /// 1-based line of the next byte.
    pub line: u64,
}

impl Place {
    pub(crate) const START: Place = Place { byte: 0, line: 1 };

    /// Moves behind `bytes`.
    pub(crate) fn advance(&mut self, bytes: &[u8]) {
        self.byte += bytes.len() as u64;
        self.line += memchr::memchr_iter(b'\n', bytes).count() as u64;
    }
}

/// A parser that is fed the input piece by piece.
///
/// It never fails: damage becomes a note, and what was complete is kept.
pub(crate) trait Parse {
    /// Reads what it can from `data`, which begins at `at`, and returns how many bytes it is done with; it has moved
    /// `at` by as much. The rest is offered again with more behind it. With `eof` nothing comes behind `data`, and
    /// all of it must be taken, unless the parser is [`done`](Parse::done).
    fn parse(&mut self, data: &[u8], at: &mut Place, eof: bool, out: &mut dyn FnMut(Item)) -> usize;

    /// Asks it to tell of the cases that passed too. Until then it must not even make their names.
    fn keep_passed(&mut self) {}

    /// Whether its document has ended; what follows is another's.
    fn done(&self) -> bool {
        false
    }

    /// How many of the bytes that follow are lines of something else that was printed between its own. They are for
    /// the log pass; the document goes on behind them.
    fn aside(&mut self) -> usize {
        0
    }

    /// Whether another report among the lines that are not its own ends its document.
    fn gives_way(&self) -> bool {
        false
    }

    /// Whether it reads line by line and looks for its own behind what a CI system writes in front of a line.
    fn by_line(&self) -> bool {
        false
    }
}

/// How sure a sniffer is. Formats with a root element or a key of their own are `Certain`; shapes that others share
/// are `Likely`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sure {
    Likely,
    Certain,
}

struct Entry {
    format: Format,
    /// Looks at the first bytes of a document (up to [`HEAD`]), leading white space and byte order mark removed.
    sniff: fn(&[u8]) -> Option<Sure>,
    open: fn() -> Box<dyn Parse>,
}

/// A format whose lines may also stand within a log, among those of other tools: the log pass reads it, and the
/// reader with these needles holds from the first line.
struct LineEntry {
    format: Format,
    sniff: fn(&[u8]) -> Option<Sure>,
    needles: &'static [&'static str],
}

/// How many bytes a sniffer may look at.
pub(crate) const HEAD: usize = 64 * 1024;

/// How many bytes behind prefixes show whether the rest of the head is worth a look.
const FIRST: usize = 4 * 1024;

/// All formats but the raw log, which is what remains. The surest wins, then the first.
const TABLE: &[Entry] = &[
    Entry { format: Format::JestJson, sniff: jest::sniff, open: || Whole::open(jest::read) },
    Entry { format: Format::MochaJson, sniff: mocha::sniff, open: || Whole::open(mocha::read) },
    Entry { format: Format::MochawesomeJson, sniff: mocha::sniff_awesome, open: || Whole::open(mocha::read_awesome) },
    Entry { format: Format::NewmanJson, sniff: newman::sniff, open: || Whole::open(newman::read) },
    Entry { format: Format::PlaywrightJson, sniff: playwright::sniff, open: || Whole::open(playwright::read) },
    Entry {
        format: Format::PytestReportlog,
        sniff: pytest_json::sniff_log,
        open: || Stream::open(pytest_json::ReportLog::default()),
    },
    Entry {
        format: Format::PytestJsonReport,
        sniff: pytest_json::sniff_report,
        open: || Whole::open(pytest_json::read_report),
    },
    Entry { format: Format::RspecJson, sniff: rspec::sniff, open: || Whole::open(rspec::read) },
    Entry { format: Format::DartJson, sniff: dart_json::sniff, open: || Stream::open(dart_json::Run::default()) },
    Entry { format: Format::CucumberJson, sniff: cucumber_json::sniff, open: || Whole::open(cucumber_json::read) },
    Entry {
        format: Format::CucumberMessages,
        sniff: cucumber_messages::sniff,
        open: || Stream::open(cucumber_messages::Run::default()),
    },
    Entry { format: Format::GtestJson, sniff: gtest_json::sniff, open: || Whole::open(gtest_json::read) },
    Entry { format: Format::Catch2Json, sniff: catch2_json::sniff, open: || Whole::open(catch2_json::read) },
    Entry { format: Format::AllureJson, sniff: allure::sniff, open: || Whole::open(allure::read) },
    Entry { format: Format::CtrfJson, sniff: ctrf::sniff, open: || Whole::open(ctrf::read) },
    Entry {
        format: Format::LibtestJson,
        sniff: libtest_json::sniff,
        open: || Stream::open(libtest_json::Harness::default()),
    },
    Entry {
        format: Format::CargoJson,
        sniff: cargo_json::sniff,
        open: || Stream::open(cargo_json::Messages::default()),
    },
    Entry { format: Format::GccJson, sniff: gcc_json::sniff, open: || Whole::open(gcc_json::read) },
    Entry { format: Format::EslintJson, sniff: eslint::sniff, open: || Whole::open(eslint::read) },
    Entry { format: Format::LintJson, sniff: lint_json::sniff, open: || Whole::open(lint_json::read) },
    Entry { format: Format::Sarif, sniff: sarif::sniff, open: || Whole::open(sarif::read) },
    Entry { format: Format::CodeQuality, sniff: code_quality::sniff, open: || Whole::open(code_quality::read) },
    Entry { format: Format::BazelBep, sniff: bazel_bep::sniff, open: || Stream::open(bazel_bep::Build::default()) },
    Entry { format: Format::QtTestXml, sniff: qttest::sniff, open: qttest::open },
    Entry { format: Format::Catch2Xml, sniff: catch2::sniff, open: catch2::open },
    Entry { format: Format::TestngXml, sniff: testng::sniff, open: testng::open },
    Entry { format: Format::BoostXml, sniff: boost::sniff, open: boost::open },
    Entry { format: Format::CheckXml, sniff: check::sniff, open: check::open },
    Entry { format: Format::RobotXml, sniff: robot::sniff, open: robot::open },
    Entry { format: Format::JunitXml, sniff: junit::sniff, open: junit::open },
    Entry { format: Format::AgentResult, sniff: agent::sniff, open: || Whole::open(agent::read) },
    Entry { format: Format::MessageJson, sniff: message_json::sniff, open: message_json::open },
    Entry { format: Format::Message, sniff: message::sniff, open: message::open },
    Entry { format: Format::Trx, sniff: trx::sniff, open: trx::open },
    Entry { format: Format::NunitXml, sniff: nunit::sniff, open: nunit::open },
    Entry { format: Format::XunitXml, sniff: xunit::sniff, open: xunit::open },
    Entry { format: Format::CheckstyleXml, sniff: checkstyle::sniff, open: checkstyle::open },
];

/// The formats that are read line by line.
const LINES: &[LineEntry] = &[
    LineEntry { format: Format::Tap, sniff: tap::sniff, needles: tap::NEEDLES },
    LineEntry { format: Format::GoTestJson, sniff: go_test_json::sniff, needles: go_test_json::NEEDLES },
];

/// The format of a document that begins with `head`; `None` for a raw log.
pub(crate) fn detect(head: &[u8]) -> Option<Format> {
    detect_among(head, |_| true)
}

/// The same where no message begins: behind much that began like a report.
pub(crate) fn detect_report(head: &[u8]) -> Option<Format> {
    detect_among(head, |format| format != Format::Message)
}

fn detect_among(head: &[u8], among: fn(Format) -> bool) -> Option<Format> {
    let head = &head[..head.len().min(HEAD)];
    let head = first_value(head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start());
    let mut best: Option<(Sure, Format)> = None;
    // What stands in brackets at the beginning of a log is no list of objects.
    let bracketed = head.strip_prefix(b"[").and_then(|rest| rest.trim_ascii_start().first());
    let no_list = bracketed.is_some_and(|next| !matches!(next, b'{' | b'[' | b']'));
    // Nobody writes a message that is an object or a list of JSON, which has a format of its own.
    let of_json = head.starts_with(b"{") || bracketed.is_some() && !no_list;
    let wanted =
        |format: Format| (!no_list || format.is_prose()) && among(format) && !(of_json && format == Format::Message);
    let parsers = TABLE.iter().map(|entry| (entry.sniff, entry.format)).filter(|(_, format)| wanted(*format));
    for (sniff, format) in parsers.chain(LINES.iter().map(|entry| (entry.sniff, entry.format))) {
        if let Some(sure) = sniff(head)
            && best.is_none_or(|(known, _)| sure > known)
        {
            best = Some((sure, format));
        }
    }
    best.map(|(_, format)| format)
}

/// The first value alone where a text begins with JSON that ends within it: what follows tells of itself.
pub(crate) fn first_value(head: &[u8]) -> &[u8] {
    let mut value = json::Cursor::new(head);
    let whole = matches!(head.first(), Some(b'{' | b'[')) && value.skip().is_ok();
    if whole { &head[..value.pos()] } else { head }
}

/// Literals that only a report has, on its first line or on the one behind its opening bracket. They wake the log
/// parser, which asks [`beginning`] and then [`detect`].
pub(crate) const BEGINNINGS: &[&str] = &[
    "<?xml version",
    "<testsuites",
    "<testsuite ",
    "<TestLog>",
    "<TestResult>",
    "<assemblies",
    "<testExecutions",
    "<test-results ",
    "<testng-results",
    "<checkstyle ",
    "\"numFailedTestSuites\"",
    "\"numTotalTestSuites\"",
    "\"stats\": {",
    "\"collection\": {",
    "\"collection\":{",
    "\"historyId\"",
    "{\"attachments\":[",
    "\"befores\"",
    "{\"stats\":{",
    "\"config\": {",
    "\"config\":{",
    "\"$report_type\"",
    "\"exitcode\"",
    "\"full_description\"",
    "\"elements\": [",
    "\"elements\":[",
    "\"testsuites\": [",
    "\"testsuites\":[",
    "\"protocolVersion\"",
    "\"reportFormat\"",
    "\"type\": \"suite\"",
    "\"type\":\"suite\"",
    "{\"reason\":\"compiler-",
    "{\"reason\":\"build-",
    "{\"$message_type\"",
    "\"byte_start\":",
    "\"column-origin\"",
    "\"caret\"",
    "\"filePath\"",
    "\"cell\":",
    "\"endColumn\"",
    "\"messages\": [",
    "\"messages\":[",
    "\"generated_at\"",
    "\"rubocop_version\"",
    "\"invalidOptionWarnings\"",
    "\"FromLinter\"",
    "\"file_errors\"",
    "sarif-2.1.0",
    "sarif-schema-2.1.0",
    "\"check_name\"",
    "\"type\": \"issue\"",
    "\"type\":\"issue\"",
    "\"errors_outside_of_examples_count\"",
    "\"messages\":[\"\\nAn error occurred ",
    "\"catch2-version\"",
    "\"vulnerabilities\": [",
    "\"vulnerabilities\":[",
    "\"check_id\"",
    "{\"id\":{\"started\"",
    "\"childSessionKey\"",
    "\"sentBeforeError\"",
];

/// Where a report may begin whose telling literal stands on the line `lines[start..end]`: on that line, or on one
/// above it that holds only a bracket. What a CI system writes in front of a line is a part of it.
pub(crate) fn beginning(lines: &[u8], start: usize, end: usize) -> Option<usize> {
    let line = lines[start..end].trim_ascii_start();
    let list = |start: usize| list(lines, start);
    if line.starts_with(b"<") || line.starts_with(b"{") {
        return Some(list(start));
    }
    if framed::begins_document(&line[crate::log::prefix_length(line)..]) {
        return Some(list(start));
    }
    if let Some(prefix) = document::behind_prefix(line) {
        let outer = list(start);
        return Some(if outer < start { outer } else { end - line.len() + prefix });
    }
    if line.contains(&0x1b) {
        let text = crate::log::strip_escapes(line);
        if framed::begins_document(&text.as_bytes()[crate::log::prefix_length(text.as_bytes())..]) {
            return Some(list(start));
        }
    }
    // Members of the document may stand between its bracket and the one that tells what it is.
    let mut first = start;
    for _ in 0..MEMBERS_ABOVE {
        let Some((line, bare)) = above(lines, first) else { break };
        first = line;
        if matches!(&*bare, "{" | "[") {
            return Some(match above(lines, first) {
                Some((outer, bare)) if matches!(&*bare, "{" | "[") => outer,
                _ => first,
            });
        }
        if !bare.starts_with('"') {
            break;
        }
    }
    beginning_behind_words(lines, start, end)
}

/// Where the list begins of which the first element begins on a line: its bracket may stand alone above.
fn list(lines: &[u8], start: usize) -> usize {
    let shared = |outer: usize| Prefix::shared(&lines[outer..]).is_some();
    match above(lines, start) {
        Some((outer, bare)) if bare == "[" || bare.ends_with('[') && shared(outer) => outer,
        _ => start,
    }
}

/// Whether a line ends with the bracket that may open a report, which tells what it is on one of the next lines.
pub(crate) fn may_open(line: &[u8]) -> bool {
    // Colors may stand behind the bracket.
    let end = line.trim_ascii_end();
    let near = &end[end.len().saturating_sub(16)..];
    let colored = memchr::memchr(0x1b, near).is_some() && memchr::memchr2(b'{', b'[', near).is_some();
    (colored || end.ends_with(b"{") || end.ends_with(b"[")) && bare(line).ends_with(['{', '['])
}

/// The same where words that nobody knows stand in front of each line, or of the only one.
fn beginning_behind_words(lines: &[u8], start: usize, end: usize) -> Option<usize> {
    let line = &lines[start..end];
    let shared = |lines: &[u8]| Prefix::shared(lines).is_some();
    let outer = list(lines, start);
    if outer < start {
        return Some(outer);
    }
    if let Some(at) = whole_on_line(line, |bracket| bracket != b'<') {
        return Some(start + at);
    }
    if shared(&lines[start..]) {
        return Some(start);
    }
    if let Some(at) = whole_on_line(line, |bracket| bracket == b'<') {
        return Some(start + at);
    }
    let mut first = start;
    for _ in 0..MEMBERS_ABOVE {
        let (line, bare) = above(lines, first)?;
        first = line;
        if bare.ends_with(['{', '[']) {
            let begins = |at: usize| shared(&lines[at..]).then_some(at);
            return above(lines, first).and_then(|(outer, _)| begins(outer)).or_else(|| begins(first));
        }
        if !bare.contains('"') {
            return None;
        }
    }
    None
}

/// Where a report begins that ends on its line, behind words that nobody knows.
fn whole_on_line(line: &[u8], wanted: impl Fn(u8) -> bool) -> Option<usize> {
    let near = &line[..line.len().min(framed::MAX_PREFIX)];
    let starts = (1..near.len()).filter(|at| framed::begins_document(&line[*at..]) && wanted(line[*at]));
    starts.take(framed::CANDIDATES).find(|at| {
        let text = &line[*at..];
        let end = match text[0] {
            b'<' => memchr::memmem::rfind(text, b"</")
                .and_then(|last| Some(last + memchr::memchr(b'>', &text[last..])? + 1)),
            _ => {
                let mut value = json::Cursor::new(text);
                value.skip().is_ok().then(|| value.pos())
            }
        };
        let ends = |end: usize| bare(&text[end..]).is_empty();
        framed::is_words(&line[..*at]) && end.is_some_and(ends) && detect(text).is_some_and(|format| !format.is_prose())
    })
}

/// How many members of a document are looked past for its bracket.
pub(crate) const MEMBERS_ABOVE: usize = 12;

/// The line above another: where it begins, and its text.
fn above(lines: &[u8], start: usize) -> Option<(usize, Cow<'_, str>)> {
    let before = lines[..start].strip_suffix(b"\n")?;
    let first = memchr::memrchr(b'\n', before).map_or(0, |newline| newline + 1);
    Some((first, bare(&before[first..])))
}

/// The text of a line without white space, color codes and what a CI system writes in front of it.
fn bare(line: &[u8]) -> Cow<'_, str> {
    let line = &line[crate::log::prefix_length(line)..];
    match crate::log::strip_escapes(line) {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim_ascii()),
        Cow::Owned(text) => {
            let rest = &text[crate::log::prefix_length(text.as_bytes())..];
            Cow::Owned(rest.trim_ascii().to_owned())
        }
    }
}

/// Whether a text may be of a format that it is told to be, by its first character.
pub(crate) fn may_begin(format: Format, text: &[u8]) -> bool {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text).trim_ascii_start();
    let prose = format == Format::Log || format == Format::Message || line_needles(format).is_some();
    prose || text.first().is_none_or(|first| matches!(first, b'{' | b'[' | b'<')) || detect_framed(text).is_some()
}

/// Whether a text begins like a report and ends before that report does.
pub(crate) fn is_cut_short(text: &[u8]) -> bool {
    let text = text.trim_ascii();
    match text {
        [b'{' | b'[', rest @ ..] => {
            let begins = matches!(rest.trim_ascii_start().first(), None | Some(b'"' | b'{'));
            begins && json::Cursor::new(text).skip() == Err(json::Stop::Truncated)
        }
        [b'<', rest @ ..] => {
            let named = rest.first().is_none_or(|first| first.is_ascii_alphabetic() || matches!(first, b'?' | b'!'));
            // A declaration alone announces a root that is not there.
            let declared = rest.starts_with(b"?xml").then(|| memchr::memmem::find(rest, b"?>")).flatten();
            named && memchr::memchr(b'>', &rest[declared.map_or(0, |end| end + 2)..]).is_none()
        }
        _ => false,
    }
}

/// The format of a report of which each line stands behind a prefix, and that prefix.
pub(crate) fn detect_framed(head: &[u8]) -> Option<(Format, Prefix)> {
    let head = &head[..head.len().min(HEAD)];
    let line = head.split(|byte| *byte == b'\n').next()?;
    let prefix = Prefix::of(line).or_else(|| Prefix::shared(head))?;
    // Most that stands behind prefixes is a log, as its first lines show.
    let first = prefix.strip(&head[..head.len().min(FIRST)]);
    let opens = first.trim_ascii_start().first().is_some_and(|byte| matches!(byte, b'{' | b'[' | b'<'));
    if !opens && detect(&first).is_none() {
        return None;
    }
    let format = detect(&prefix.strip(head))?;
    // Prose has no mark that a log has not.
    (format != Format::Message && line_needles(format).is_none()).then_some((format, prefix))
}

/// A fresh parser for a format, each line of which may stand behind a prefix; `None` for a raw log and for what the
/// log pass reads line by line.
pub(crate) fn open(format: Format, prefix: Option<Prefix>, keep_passed: bool) -> Option<Box<dyn Parse>> {
    let mut parser = TABLE.iter().find(|entry| entry.format == format).map(|entry| (entry.open)())?;
    if keep_passed {
        parser.keep_passed();
    }
    Some(match prefix {
        Some(prefix) if !parser.by_line() => Framed::open(parser, prefix),
        _ => parser,
    })
}

/// The needles of the reader that reads a format line by line.
pub(crate) fn line_needles(format: Format) -> Option<&'static [&'static str]> {
    LINES.iter().find(|entry| entry.format == format).map(|entry| entry.needles)
}
