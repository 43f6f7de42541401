//! `dotnet test`: the console of VSTest, of the testing platform, and the summary of the newer terminal logger.

use std::sync::LazyLock;

use crate::pattern::Regex;

use super::cases::{Case, MAX_HELD, counts, finish};
use super::{Grip, Line, Reader};
use crate::item::{Item, read_count};
use crate::pattern;
use crate::report::{Counts, FileRef};

pub(super) const NEEDLES: &[&str] = &[
    "  Failed ",
    "Failed!  - ",
    "Passed!  - ",
    "Skipped! - ",
    "Total tests: ",
    "Test summary: total",
    "Test run summary: ",
    "failed with ",
    "Error Message:",
    "Failed! - Failed:",
    "Passed! - Failed:",
    "error TESTERROR:",
    "error test failed: ",
    "error run failed: ",
    "Running tests from ",
    "Microsoft.Testing.Platform",
    "MSTest v",
];

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Dotnet::default())
}

#[derive(Default)]
struct Dotnet {
    case: Option<Case>,
    part: Part,
    /// Totals that stand one number a line.
    sum: Option<Rows>,
    /// The new platform's banner was seen, and how many lines of others came since one of its own.
    platform: Option<u32>,
    /// Where the test is that the terminal logger tells of next.
    place: Option<FileRef>,
}

/// How many lines of others may follow before the new platform is given up.
const PATIENCE: u32 = 20_000;

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Part {
    /// Behind the heading: it may be a heading of something else.
    #[default]
    Head,
    Message,
    Stack,
    Output,
}

#[derive(Default)]
struct Rows {
    counts: Counts,
    lines: usize,
}

static HEAD: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^\s{2}Failed (?P<name>\S.*?)(?: \[(?:< )?[\d,.]+ ?\w+(?: \d+ \w+)*\])?$"));

/// `failed Shop.Tests.CartTests.Totals (1s 12ms)`, of the testing platform.
static PLATFORM: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(r"^failed (?P<name>\S.*?) \((?:\d+[dhms]\s?|\d+ms\s?|canceled,? ?|timed out,? ?)+\)$")
});

/// `/srv/CartTests.cs(12): error test failed: Shop.CartTests.Totals (4ms): Assert.AreEqual failed. … [/srv/a.csproj]`
static OF_MSBUILD: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^(?:(?P<path>\S.*?)\((?P<line>\d+)(?:,\d+)*\): )?\s*error test failed: (?P<name>\S.*?) \([\dhms. ]+\): (?P<message>.*?)(?: \[[^\]]+proj[^\]]*\])?$",
    )
});

static TESTERROR: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^\s*(?:(?P<path>\S.*?)\((?P<line>\d+)(?:,\d+)*\): )?error TESTERROR:"));

static LINE: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^(?:Failed|Passed|Skipped)!\s+- Failed:\s*(?P<failed>\d+), Passed:\s*(?P<passed>\d+), Skipped:\s*(?P<skipped>\d+), Total:\s*(?P<total>\d+)",
    )
});

static SHORT: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^Test summary: total: (?P<total>\d+), failed: (?P<failed>\d+), succeeded: (?P<passed>\d+), skipped: (?P<skipped>\d+)",
    )
});

/// VSTest 15: `Total tests: 3. Passed: 2. Failed: 1. Skipped: 0.`
static OLD: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^Total tests: (?P<total>\d+)\. Passed: (?P<passed>\d+)\. Failed: (?P<failed>\d+)\. Skipped: (?P<skipped>\d+)\.",
    )
});

static ROW: LazyLock<Regex> = LazyLock::new(|| pattern::regex(r"^\s*(?P<word>[A-Za-z ]+): (?P<number>\d+)$"));

static PLACE: LazyLock<Regex> = LazyLock::new(|| pattern::regex(r" in (?P<path>\S.*?):(?:line )?(?P<line>\d+)$"));

impl Dotnet {
    fn flush(&mut self, out: &mut dyn FnMut(Item)) {
        if let Some(case) = self.case.take()
            && self.part != Part::Head
        {
            case.tell(out);
        }
        self.part = Part::Head;
    }

    fn in_case(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Option<Grip> {
        let case = self.case.as_mut()?;
        let text = line.text.trim();
        match text {
            "Error Message:" => self.part = Part::Message,
            "Stack Trace:" => self.part = Part::Stack,
            "Standard Output Messages:" | "Standard Error Messages:" | "Debug Traces Messages:" => {
                self.part = Part::Output
            }
            _ => {
                let over = HEAD.is_match(line.text)
                    || LINE.is_match(line.text)
                    || TESTERROR.is_match(line.text)
                    || PLATFORM.is_match(line.text)
                    || line.text.starts_with("Test summary:")
                    || line.text.starts_with("Test run summary:")
                    || line.text.starts_with("Build failed")
                    || self.platform.is_some() && line.indent() < 2 && !text.is_empty()
                    || line.text.starts_with("Test Run ")
                    || line.text.starts_with("Total tests: ")
                    || line.text.starts_with("Results File: ")
                    || ["  Passed ", "  Skipped "].iter().any(|head| line.text.starts_with(head))
                    || self.part == Part::Head
                    || case.lines > MAX_HELD;
                if over {
                    self.flush(out);
                    return None;
                }
                if self.platform.is_some() && self.part == Part::Message && text.starts_with("at ") {
                    self.part = Part::Stack;
                }
                match self.part {
                    Part::Message => case.push(line),
                    Part::Stack => {
                        let place = PLACE
                            .captures(text)
                            .map(|found| FileRef::new(&found["path"], found["line"].parse().ok(), None));
                        case.frame(line, place);
                    }
                    Part::Head | Part::Output => case.cover(line),
                }
                return Some(Grip::Hold);
            }
        }
        case.cover(line);
        Some(Grip::Hold)
    }

    /// Totals that stand one number a line.
    fn in_rows(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Option<Grip> {
        let rows = self.sum.as_mut()?;
        rows.lines += 1;
        if let Some(found) = ROW.captures(line.text)
            && rows.lines < 10
        {
            let number = read_count(&found["number"]).unwrap_or(0);
            match found["word"].trim().to_ascii_lowercase().as_str() {
                "total" => rows.counts.total = number,
                "passed" | "succeeded" => rows.counts.passed = Some(number),
                "failed" => rows.counts.failed = number,
                "skipped" => rows.counts.skipped = number,
                _ => {}
            }
            return Some(Grip::Hold);
        }
        let rows = self.sum.take()?;
        let Counts { total, passed, failed, skipped, .. } = rows.counts;
        let mut sum = counts(total, failed, 0, skipped);
        sum.passed = passed.or(sum.passed);
        // What neither passed nor failed was skipped: older versions do not say so.
        sum.skipped = skipped.max(total.saturating_sub(failed + sum.passed.unwrap_or(0)));
        finish("dotnet", sum, false, line.span, out);
        self.platform = None;
        None
    }
}

impl Reader for Dotnet {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        if let Some(grip) = self.in_rows(line, out) {
            return grip;
        }
        if let Some(grip) = self.in_case(line, out) {
            return grip;
        }
        let text = line.text;
        if text.starts_with("Running tests from ")
            || text.contains("Microsoft.Testing.Platform v")
            || text.contains("Microsoft.Testing.Platform Runner")
            || text.starts_with("MSTest v")
        {
            self.platform = Some(0);
            return Grip::Hold;
        }
        if let Some(found) = PLATFORM.captures(text).filter(|_| self.platform.is_some()) {
            self.platform = Some(0);
            self.case = Some(Case::new(&found["name"], line));
            self.part = Part::Message;
            return Grip::Hold;
        }
        if let Some(found) = OF_MSBUILD.captures(text) {
            let mut case = Case::new(&found["name"], line);
            let row = found.name("line").and_then(|row| row.as_str().parse().ok());
            case.file = found.name("path").map(|path| FileRef::new(path.as_str(), row, None));
            let message = found.name("message").map_or("", |message| message.as_str());
            case.push(Line { text: message, span: line.span });
            case.tell(out);
            return Grip::Take;
        }
        if text.contains(": error run failed: ") || text.starts_with("error run failed: ") {
            return Grip::Take;
        }
        if let Some(found) = TESTERROR.captures(text).filter(|_| !text.contains(": Error Message: ")) {
            let row = found.name("line").and_then(|row| row.as_str().parse().ok());
            self.place = found.name("path").map(|path| FileRef::new(path.as_str(), row, None));
            return Grip::Take;
        }
        let bare = text.trim_start();
        if let Some(found) = [&*LINE, &*SHORT, &*OLD].iter().find_map(|pattern| pattern.captures(bare)) {
            let number = |name: &str| read_count(&found[name]).unwrap_or(0);
            let mut sum = counts(number("total"), number("failed"), 0, number("skipped"));
            sum.passed = Some(number("passed"));
            finish("dotnet", sum, bare.starts_with("Failed!") && sum.failed > 0, line.span, out);
            return Grip::Take;
        }
        if let Some(total) = text.strip_prefix("Total tests: ").and_then(|rest| rest.trim().parse().ok()) {
            self.sum = Some(Rows { counts: Counts { total, ..Counts::default() }, lines: 0 });
            return Grip::Hold;
        }
        if text.starts_with("Test run summary: ") {
            self.sum = Some(Rows::default());
            return Grip::Hold;
        }
        if let Some(found) = HEAD.captures(text) {
            self.case = Some(Case::new(&found["name"], line));
            self.part = Part::Head;
            return Grip::Hold;
        }
        // The terminal logger of newer versions: `Name (12ms): Error Message: …`.
        if let Some((head, message)) = text.split_once(": Error Message: ")
            && let Some((name, _)) = head.trim().rsplit_once(" (")
        {
            let mut case = Case::new(name.rsplit("TESTERROR: ").next().unwrap_or(name).trim(), line);
            case.file = self.place.take();
            case.push(Line { text: message, span: line.span });
            self.case = Some(case);
            self.part = Part::Message;
            return Grip::Hold;
        }
        // The new platform marks a failure with a word that is no needle.
        if let Some(idle) = &mut self.platform {
            *idle += 1;
            if *idle < PATIENCE {
                return Grip::Watch;
            }
            self.platform = None;
        }
        Grip::Pass
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.flush(out);
        if let Some(rows) = self.sum.take() {
            let Counts { total, failed, skipped, .. } = rows.counts;
            finish("dotnet", counts(total, failed, 0, skipped), false, crate::report::Span::default(), out);
        }
    }
}
