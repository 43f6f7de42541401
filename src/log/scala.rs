//! The consoles of sbt: ScalaTest, specs2, munit, JUnit.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::pattern::Regex;

use super::cases::{Case, counts, finish, is_jvm_frame};
use super::{ABOVE, Above, Grip, Line, Reader};
use crate::item::{Item, read_count};
use crate::pattern;
use crate::report::{Counts, FileRef, Level, Signal, TextLine};

pub(super) const NEEDLES: &[&str] = &[
    "*** FAILED ***",
    "Total number of tests run: ",
    "Tests: succeeded ",
    "Failed: Total ",
    "Passed: Total ",
    "==> X ",
    "Run completed in ",
    "*** ABORTED ***",
    "Suites: completed ",
    "[error]   x ",
    "[error]   ! ",
    "[error]     x ",
    "[error]     ! ",
    "    ✗ ",
    "Exception in thread \"zio-fiber",
    " tests passed. ",
];

/// How many lines below a heading belong to it at most.
const MAX_BELOW: usize = 40;

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Scala::default())
}

#[derive(Default)]
struct Scala {
    /// The case whose message is being read.
    case: Option<Case>,
    /// How far the heading of the case is indented.
    indent: usize,
    /// ScalaTest's own totals were read, so that those of sbt repeat them.
    counted: bool,
    /// Suites that ended before their time, of the run at hand.
    aborted: u64,
    /// The case at hand is of specs2, whose frames are not indented.
    specs: bool,
    /// What stands above the line that is shown next, for the name above a failed assertion of ZIO.
    above: Vec<TextLine>,
    /// Failures of ZIO that were told: its summary repeats them.
    told: HashSet<String>,
}

static HEAD: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^(?P<indent>\s*)(?:- |)(?P<name>\S.*?) \*\*\* FAILED \*\*\*(?: \(.*\))?$"));

static MUNIT: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^==> X (?P<name>\S.*?)\s+[\d.]+s\s+(?P<message>\S.*)$"));

static PLACE: LazyLock<Regex> = LazyLock::new(|| pattern::regex(r"\((?P<path>[\w./]+\.scala):(?P<line>\d+)\)$"));

/// `  x total` and `  ! die` of specs2, a failure and an error.
static SPECS: LazyLock<Regex> = LazyLock::new(|| pattern::regex(r"^(?P<indent>\s{2,})(?P<mark>[x!]) (?P<name>\S.*)$"));

static FRAME: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^\s*(?:at )?[\w.$]+\((?P<path>[\w./]+\.(?:scala|java)):(?P<line>\d+)\)$"));

/// `    at /srv/src/test/scala/CartSpec.scala:9 `, below an assertion of ZIO.
static ZIO_PLACE: LazyLock<Regex> = LazyLock::new(|| pattern::regex(r"^\s*at (?P<path>\S+\.scala):(?P<line>\d+)\s*$"));

static ZIO_TOTALS: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^(?P<passed>\d+) tests? passed\. (?P<failed>\d+) tests? failed\. (?P<ignored>\d+) tests? ignored\.",
    )
});

fn unleveled(text: &str) -> &str {
    for level in ["[info]", "[error]", "[warn]"] {
        if let Some(rest) = text.strip_prefix(level) {
            return rest.strip_prefix(' ').unwrap_or(rest);
        }
    }
    text
}

impl Scala {
    fn flush(&mut self, out: &mut dyn FnMut(Item)) {
        self.specs = false;
        if let Some(mut case) = self.case.take() {
            // What ends with its place is what an assertion library says.
            let placed = case.text.first().is_some_and(|line| PLACE.is_match(&line.text));
            if case.signal.is_none() && placed && !case.stack {
                case.signal = Some(Signal::Expectation);
            }
            case.tell(out);
        }
    }

    /// A failed assertion of ZIO, whose name stands above it.
    fn zio(&mut self, line: Line<'_>) -> Option<Grip> {
        let thrown = line.indent() > 2 && line.trimmed().starts_with("Exception in thread \"zio-fiber");
        let message = line.trimmed().strip_prefix("✗ ").or(thrown.then_some(line.trimmed()))?;
        let name = self.above.iter().find_map(|above| {
            let text = above.text.trim_start();
            let indent = above.text.len() - text.len();
            text.strip_prefix("- ").filter(|_| indent < line.indent())
        });
        let name = name?.to_owned();
        if self.told.len() < 10_000 && !self.told.insert(format!("{name}\n{message}")) {
            return Some(Grip::Take);
        }
        let mut case = Case::new(name, line);
        case.signal = Some(if thrown { Signal::Unhandled } else { Signal::Expectation });
        case.push(Line { text: message, span: line.span });
        self.indent = line.indent() - 1;
        self.case = Some(case);
        Some(Grip::Hold)
    }
}

impl Reader for Scala {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = unleveled(line.text);
        let shown = Line { text, span: line.span };
        if let Some(case) = &mut self.case {
            if self.specs {
                let within = line.text.starts_with("[error]")
                    && !SPECS.is_match(text)
                    && !text.starts_with("Failed")
                    && case.lines < MAX_BELOW;
                if within {
                    match FRAME.captures(text) {
                        Some(found) => {
                            let place = FileRef::new(&found["path"], found["line"].parse().ok(), None);
                            case.frame(shown, Some(place));
                        }
                        None if case.stack => case.cover(shown),
                        None => case.push(shown),
                    }
                    return Grip::Hold;
                }
            }
            let within = !self.specs
                && !text.is_empty()
                && shown.indent() > self.indent
                && !text.trim_start().starts_with("- ")
                && case.lines < MAX_BELOW;
            if within && !text.contains("*** FAILED ***") {
                if let Some(found) = ZIO_PLACE.captures(text) {
                    case.file = Some(FileRef::new(&found["path"], found["line"].parse().ok(), None));
                } else if is_jvm_frame(text) {
                    case.jvm_frame(shown, text);
                    return Grip::Hold;
                } else if let Some(found) = PLACE.captures(text) {
                    case.file = Some(FileRef::new(&found["path"], found["line"].parse().ok(), None));
                }
                case.push(shown);
                return Grip::Hold;
            }
            self.flush(out);
        }
        if let Some(found) = HEAD.captures(text) {
            self.indent = found["indent"].len();
            self.case = Some(Case::new(&found["name"], line));
            return Grip::Hold;
        }
        if let Some(name) = text.strip_suffix(" *** ABORTED ***") {
            self.indent = shown.indent();
            let mut case = Case::new(name.trim(), line);
            (case.level, case.signal) = (Level::Suite, Some(Signal::Hook));
            self.case = Some(case);
            return Grip::Hold;
        }
        if let Some(rest) = text.strip_prefix("Suites: completed ") {
            self.aborted = rest.split_once("aborted ").and_then(|(_, number)| read_count(number)).unwrap_or(0);
            return Grip::Take;
        }
        if line.text.starts_with("[error] ")
            && let Some(found) = SPECS.captures(text)
        {
            self.indent = found["indent"].len();
            let mut case = Case::new(&found["name"], line);
            case.signal = Some(if &found["mark"] == "x" { Signal::Assertion } else { Signal::Unhandled });
            self.case = Some(case);
            self.specs = true;
            return Grip::Hold;
        }
        if let Some(grip) = self.zio(Line { text, span: line.span }) {
            return grip;
        }
        if let Some(found) = ZIO_TOTALS.captures(text) {
            let number = |name: &str| read_count(&found[name]).unwrap_or(0);
            let (passed, failed, ignored) = (number("passed"), number("failed"), number("ignored"));
            finish("zio-test", counts(passed + failed + ignored, failed, 0, ignored), false, line.span, out);
            self.told.clear();
            self.counted = true;
            return Grip::Take;
        }
        if let Some(found) = MUNIT.captures(text) {
            let mut case = Case::new(&found["name"], line);
            let message = &found["message"];
            case.signal = message.contains("ComparisonFailException").then_some(Signal::Expectation);
            if let Some((path, row)) = message.rsplit_once(": ").and_then(|(_, place)| place.rsplit_once(':'))
                && path.ends_with(".scala")
            {
                case.file = Some(FileRef::new(path, row.parse().ok(), None));
            }
            case.push(Line { text: message, span: line.span });
            self.indent = 0;
            case.tell(out);
            return Grip::Take;
        }
        if text.starts_with("Run completed in ") || text.starts_with("Total number of tests run: ") {
            return Grip::Take;
        }
        if let Some(rest) = text.strip_prefix("Tests: ") {
            // `succeeded 2, failed 1, canceled 0, ignored 0, pending 0`
            let number = |word: &str| {
                let part = rest.split(", ").find_map(|part| part.strip_prefix(word));
                part.and_then(read_count).unwrap_or(0)
            };
            let (passed, failed) = (number("succeeded "), number("failed "));
            let skipped = number("canceled ") + number("ignored ") + number("pending ");
            let mut sum = counts(passed + failed + skipped, failed, 0, skipped);
            sum.errored = std::mem::take(&mut self.aborted);
            finish("scalatest", sum, false, line.span, out);
            self.counted = true;
            return Grip::Take;
        }
        let totals = text.strip_prefix("Failed: ").or_else(|| text.strip_prefix("Passed: "));
        if let Some(rest) = totals.filter(|rest| rest.starts_with("Total ")) {
            let numbers: Vec<(u64, String)> = rest
                .split(", ")
                .filter_map(|part| part.split_once(' '))
                .filter_map(|(word, number)| Some((read_count(number)?, word.to_owned())))
                .collect();
            let number = |word: &str| numbers.iter().find(|(_, name)| name == word).map_or(0, |(number, _)| *number);
            if !std::mem::take(&mut self.counted) {
                let skipped = number("Skipped") + number("Ignored") + number("Canceled") + number("Pending");
                let sum = Counts {
                    passed: Some(number("Passed")),
                    ..counts(number("Total"), number("Failed"), number("Errors"), skipped)
                };
                finish("sbt", sum, text.starts_with("Failed"), line.span, out);
            }
            return Grip::Take;
        }
        Grip::Pass
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.flush(out);
    }

    fn looks_back(&self) -> usize {
        if self.case.is_none() { ABOVE } else { 0 }
    }

    fn above(&mut self, above: Above<'_>) {
        self.above = above.cloned().collect();
    }
}
