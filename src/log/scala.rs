//! The consoles of sbt: ScalaTest, specs2, munit, JUnit.

use std::sync::LazyLock;

use crate::pattern::Regex;

use super::cases::{Case, counts, finish};
use super::{Grip, Line, Reader};
use crate::item::{Item, read_count};
use crate::pattern;
use crate::report::{Counts, FileRef, Signal};

pub(super) const NEEDLES: &[&str] = &[
    "*** FAILED ***",
    "Total number of tests run: ",
    "Tests: succeeded ",
    "Failed: Total ",
    "Passed: Total ",
    "==> X ",
    "Run completed in ",
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
}

static HEAD: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^(?P<indent>\s*)(?:- |)(?P<name>\S.*?) \*\*\* FAILED \*\*\*(?: \(.*\))?$"));

static MUNIT: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^==> X (?P<name>\S.*?)\s+[\d.]+s\s+(?P<message>\S.*)$"));

static PLACE: LazyLock<Regex> = LazyLock::new(|| pattern::regex(r"\((?P<path>[\w./]+\.scala):(?P<line>\d+)\)$"));

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
        if let Some(case) = self.case.take() {
            case.tell(out);
        }
    }
}

impl Reader for Scala {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = unleveled(line.text);
        let shown = Line { text, span: line.span };
        if let Some(case) = &mut self.case {
            let within = shown.indent() > self.indent && !text.trim_start().starts_with("- ") && case.lines < MAX_BELOW;
            if within && !text.contains("*** FAILED ***") {
                if let Some(found) = PLACE.captures(text) {
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
        if let Some(found) = MUNIT.captures(text) {
            let mut case = Case::new(&found["name"], line);
            let message = &found["message"];
            case.signal = message.contains("ComparisonFailException").then_some(Signal::Expectation);
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
            let sum = counts(passed + failed + skipped, failed, 0, skipped);
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
}
