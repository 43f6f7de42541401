//! PHPUnit, and Pest on top of it.

use std::sync::LazyLock;

use crate::pattern::Regex;

use super::cases::{Case, MAX_HELD, counted, counts, finish, labeled, script_place};
use super::{Grip, Line, Reader};
use crate::item::{Item, Step, read_count};
use crate::pattern;
use crate::report::Signal;

pub(super) const NEEDLES: &[&str] = &[
    "PHPUnit ",
    "There was 1 ",
    "There were ",
    "Tests: ",
    " test, ",
    " tests, ",
    "  FAILED  ",
    "   FAIL  ",
    "No tests executed!",
];

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Phpunit::default())
}

#[derive(Default)]
struct Phpunit {
    list: List,
    case: Option<Case>,
    /// The case at hand is Pest's, which has no numbers.
    pest: bool,
    held: usize,
    /// Behind the banner, how many lines ago something was read; no totals came yet.
    running: Option<u32>,
    /// The class whose tests are listed in words, as `--testdox` does.
    class: String,
    /// The case at hand stands in that list.
    listed: bool,
}

/// How many lines of others may follow before a list of tests in words is not looked for any more.
const PATIENCE: u32 = 2000;

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum List {
    #[default]
    None,
    Errors,
    Failures,
    /// Warnings, risky and skipped tests: none of them fails.
    Other,
}

static HEADING: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^There (?:was|were) \d+ (?:PHPUnit )?(?P<word>error|failure|warning|risky test|incomplete test|skipped test|deprecation|notice)s?:$",
    )
});

static ENTRY: LazyLock<Regex> = LazyLock::new(|| pattern::regex(r"^\d+\) (?P<name>[\w\\]+(?:::.+)?)$"));

static OK: LazyLock<Regex> = LazyLock::new(|| pattern::regex(r"^OK \((?P<total>\d+) tests?, \d+ assertions?\)$"));

static PEST: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^\s+FAILED\s+(?P<name>\S.* > .+?)(?:\s{2,}(?P<type>\S+))?$"));

/// A failure in the first version of Pest and in the older console of Laravel.
static BULLET: LazyLock<Regex> = LazyLock::new(|| pattern::regex(r"^  • (?P<name>\S.* > .+)$"));

/// The class of what was thrown, alone on its line.
static CLASS: LazyLock<Regex> = LazyLock::new(|| pattern::regex(r"^[A-Z]\w*(?:\\\w+)*$"));

/// What the totals of Pest and of Laravel can hold.
const OUTCOMES: &[&str] = &[
    "failed",
    "passed",
    "skipped",
    "todos",
    "todo",
    "incomplete",
    "incompleted",
    "pending",
    "risky",
    "warnings",
    "warning",
    "deprecated",
    "notices",
    "notice",
];

impl Phpunit {
    fn flush(&mut self, out: &mut dyn FnMut(Item)) {
        self.pest = false;
        if let Some(case) = self.case.take() {
            case.tell(out);
        }
    }

    fn in_pest(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Option<Grip> {
        if !self.pest {
            return None;
        }
        let text = line.text.trim();
        let over = line.text.contains("  FAILED  ")
            || BULLET.is_match(line.text)
            || text.starts_with("Tests: ")
            || text.starts_with("─────");
        let case = self.case.as_mut()?;
        if over || case.lines > MAX_HELD {
            self.flush(out);
            return None;
        }
        // A frame of the code: `➜  5▕ …`.
        if let Some(at) = text.strip_prefix("at ").filter(|at| at.contains(':')) {
            case.frame(line, script_place(at));
        } else if case.text.is_empty() && CLASS.is_match(text) {
            let expects = text.ends_with("ExpectationFailedException") || text.ends_with("AssertionFailedError");
            case.signal = Some(if expects { Signal::Assertion } else { Signal::Unhandled });
            case.cover(line);
        } else if text.contains('▕') {
            case.cover(line);
        } else {
            case.push(line);
        }
        Some(Grip::Hold)
    }

    fn in_list(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Option<Grip> {
        if self.list == List::None {
            return None;
        }
        let text = line.text;
        self.held += 1;
        let over = ["FAILURES!", "ERRORS!", "WARNINGS!", "OK", "Tests: "].iter().any(|word| text.starts_with(word));
        if over || HEADING.is_match(text) || self.held > MAX_HELD {
            self.flush(out);
            self.list = List::None;
            return None;
        }
        if let Some(found) = ENTRY.captures(text) {
            self.flush(out);
            self.held = 0;
            if self.list != List::Other {
                let mut case = Case::new(&found["name"], line);
                case.signal = (self.list == List::Failures).then_some(Signal::Assertion);
                self.case = Some(case);
            }
            return Some(Grip::Hold);
        }
        if let Some(case) = &mut self.case {
            if text.starts_with('/') && script_place(text).is_some() {
                case.frame(line, script_place(text));
            } else if text == "--" {
                case.cover(line);
            } else {
                case.push(line);
            }
        }
        Some(Grip::Hold)
    }
}

impl Phpunit {
    /// A line of the list that `--testdox` prints: ` ✘ Total is right`, and below it the message behind a bar.
    fn in_words(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Option<Grip> {
        let idle = self.running?;
        let text = line.text;
        if self.listed {
            if let Some(said) = line.trimmed().strip_prefix('│') {
                let said = said.trim();
                match (&mut self.case, script_place(said).filter(|_| said.starts_with('/'))) {
                    (Some(case), Some(place)) => case.frame(line, Some(place)),
                    (Some(case), None) if !case.stack => case.push(Line { text: said, span: line.span }),
                    (Some(case), None) => case.cover(line),
                    (None, _) => {}
                }
                self.running = Some(0);
                return Some(Grip::Hold);
            }
            self.listed = false;
            self.flush(out);
        }
        if let Some(name) = text.strip_prefix(" ✘ ") {
            let name = name.rsplit_once(" [").filter(|(_, time)| time.ends_with("ms]")).map_or(name, |(name, _)| name);
            self.case = Some(Case::new(format!("{} > {name}", self.class), line));
            self.listed = true;
            self.running = Some(0);
            return Some(Grip::Hold);
        }
        if line.indent() == 0 && !text.is_empty() {
            text.clone_into(&mut self.class);
        }
        self.running = Some(idle + 1).filter(|idle| *idle < PATIENCE);
        None
    }

    fn outside(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        if text.starts_with("PHPUnit ") && text.contains(" by Sebastian Bergmann") {
            out(Item::Step(Step { name: "phpunit".to_owned(), span: line.span, command: true, ..Step::default() }));
            self.running = Some(0);
            return Grip::Take;
        }
        if let Some(found) = HEADING.captures(text) {
            self.list = match &found["word"] {
                "error" => List::Errors,
                "failure" => List::Failures,
                _ => List::Other,
            };
            self.held = 0;
            return Grip::Hold;
        }
        if let Some(found) = OK.captures(text) {
            finish("phpunit", counts(read_count(&found["total"]).unwrap_or(0), 0, 0, 0), false, line.span, out);
            return Grip::Take;
        }
        let trimmed = text.trim_start();
        if let Some(rest) = trimmed.strip_prefix("Tests: ") {
            if let Some(numbers) =
                labeled(trimmed).filter(|numbers| numbers.iter().any(|(word, _)| *word == "Assertions"))
            {
                let number =
                    |word: &str| numbers.iter().find(|(name, _)| *name == word).map_or(0, |(_, number)| *number);
                let skipped = number("Skipped") + number("Incomplete");
                let sum = counts(number("Tests"), number("Failures"), number("Errors"), skipped);
                finish("phpunit", sum, false, line.span, out);
                return Grip::Take;
            }
            // Pest: `Tests:    1 failed, 1 skipped, 2 passed (3 assertions)`.
            let (parts, end) = rest.trim().split_once(" (").unwrap_or((rest.trim(), "assertion"));
            if end.contains("assertion")
                && text.starts_with("  Tests: ")
                && let Some(numbers) = counted(parts)
                && numbers.iter().all(|(_, word)| OUTCOMES.contains(word))
            {
                let number = |words: &[&str]| {
                    numbers.iter().filter(|(_, word)| words.contains(word)).map(|(number, _)| *number).sum::<u64>()
                };
                let total = numbers.iter().map(|(number, _)| *number).sum();
                let skipped = number(&["skipped", "todos", "todo", "incomplete", "incompleted", "pending"]);
                finish("pest", counts(total, number(&["failed"]), 0, skipped), false, line.span, out);
                return Grip::Take;
            }
        }
        if let Some(found) = PEST.captures(text).or_else(|| BULLET.captures(text).filter(|_| self.running.is_some())) {
            let mut case = Case::new(&found["name"], line);
            // Only what is no expectation is named.
            if let Some(thrown) = found.name("type") {
                let expects = ["ExpectationFailedException", "AssertionFailedError"];
                let expects = expects.iter().any(|name| thrown.as_str().ends_with(name));
                case.signal = Some(if expects { Signal::Assertion } else { Signal::Unhandled });
            }
            self.case = Some(case);
            self.pest = true;
            return Grip::Hold;
        }
        // The status of a file with failures, which the older console lists behind all files.
        if text.starts_with("   FAIL  ") {
            self.running = Some(0);
            return Grip::Hold;
        }
        Grip::Pass
    }
}

impl Reader for Phpunit {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        if let Some(grip) = self.in_pest(line, out).or_else(|| self.in_list(line, out)) {
            return grip;
        }
        if let Some(grip) = self.in_words(line, out) {
            return grip;
        }
        let counts = |grip: Grip| grip == Grip::Take && !line.text.starts_with("PHPUnit ");
        match self.outside(line, out) {
            grip if counts(grip) => {
                self.running = None;
                Grip::Take
            }
            // What comes below the banner is looked at, as it may be a list of tests in words.
            Grip::Pass if self.running.is_some() => Grip::Watch,
            Grip::Take if self.running.is_some() => Grip::Hold,
            grip => grip,
        }
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.flush(out);
    }
}
