//! Cucumber in Ruby, JavaScript and Java, and behave: failed steps, the list of failing scenarios, and the totals.
//!
//! ```text
//!   Scenario: reads the owner    # features/basket.feature:10
//!     When I read the owner      # features/step_definitions/steps.rb:3
//!       undefined method `name' for nil:NilClass
//! ```
//!
//! The progress reporters tell the failed steps apart from the list that names their scenarios; the pretty ones and
//! the list of JavaScript tell both together.

use std::collections::{HashSet, VecDeque};
use std::sync::LazyLock;

use crate::pattern::Regex;

use super::cases::{Case, MAX_HELD, counts, finish, is_jvm_frame, jvm_place, script_place};
use super::runner::{self, Block};
use super::{Grip, Line, Reader};
use crate::item::{Item, read_count};
use crate::pattern;
use crate::report::{FileRef, Level, Signal};

pub(super) const NEEDLES: &[&str] = &[
    "(::) failed steps (::)",
    "Failing Scenarios:",
    "Errored Scenarios:",
    "Failed scenarios:",
    "Undefined scenarios:",
    " scenarios (",
    " scenario (",
    " scenarios passed, ",
    " scenario passed, ",
    "Scenario: ",
    "Scenario Outline: ",
    "Example: ",
];

/// How many failed steps are kept until the list names their scenarios.
const MAX_CASES: usize = 1000;

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Cucumber::default())
}

#[derive(Default)]
struct Cucumber {
    steps: bool,
    /// The list of scenarios that failed, and what a scenario that was not told of means.
    list: Option<Signal>,
    case: Option<Case>,
    /// Failed steps, in order; the list of scenarios follows in the same order.
    failed: VecDeque<Case>,
    /// The places of scenarios that were told with their steps.
    told: HashSet<String>,
    scenario: Option<Scenario>,
    held: usize,
}

/// A scenario whose steps are being printed.
struct Scenario {
    name: String,
    place: String,
    /// How far a step is indented.
    indent: Option<usize>,
    block: Option<Block>,
    /// Where the code of the step at hand failed.
    code: Option<FileRef>,
    /// The step at hand is one that nobody has written.
    undefined: bool,
}

static TOTALS: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^(?P<total>\d+) [Ss]cenarios? \((?P<parts>[^)]*)\)$"));

/// behave: `2 scenarios passed, 2 failed, 3 error, 0 skipped`.
static BEHAVE: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^(?P<passed>\d+) scenarios? passed, (?P<failed>\d+) failed(?:, (?P<error>\d+) error)?, (?P<skipped>\d+) skipped(?:, (?P<untested>\d+) untested)?$",
    )
});

static LISTED: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^(?:cucumber (?:-p \S+ )*|  )?(?:file://|classpath:)?(?P<path>\S+\.feature):(?P<line>\d+)(?:\s*# (?:Scenario(?: Outline)?: )?(?P<name>.*)|\s+(?P<behave>\S.*))?$",
    )
});

/// `  Scenario: sums   # features/a.feature:6`, `1) Scenario: sums # features/a.feature:6 (attempt 1)`.
static SCENARIO: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^(?P<head>\s*|\d+\) )(?:Scenario(?: Outline)?|Example): (?P<name>.*?)\s+(?:#|-) (?P<place>\S+\.feature:\d+)(?: \(attempt \d+.*\))?$",
    )
});

/// A step: a keyword, and the place of its code behind a `#`.
static STEP: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(r"^\s+(?:[✔✖?!-] )?(?:Given|When|Then|And|But|\*|Before|After|BeforeStep|AfterStep)\b")
});

impl Cucumber {
    fn close(&mut self) {
        if let Some(case) = self.case.take()
            && self.failed.len() < MAX_CASES
        {
            self.failed.push_back(case);
        }
    }

    /// Ends the scenario at hand and tells what failed in it.
    fn close_scenario(&mut self, out: &mut dyn FnMut(Item)) {
        let Some(mut scenario) = self.scenario.take() else { return };
        self.close_step(&mut scenario, out);
    }

    fn close_step(&mut self, scenario: &mut Scenario, out: &mut dyn FnMut(Item)) {
        let Some(block) = scenario.block.take() else { return };
        if !block.lines.iter().any(|line| !line.text.trim().is_empty()) {
            return;
        }
        // It was tried again; how that ended is told apart.
        if scenario.name.ends_with(", retried)") {
            return;
        }
        let mut failure = block.into_failure();
        let first = failure.text.first().map_or("", |line| line.text.trim());
        // What is pending fails no run by itself.
        if first == "Pending" || first.ends_with("(Cucumber::Pending)") {
            return;
        }
        failure.file = scenario.code.take().or(failure.file);
        let expects = super::cases::signal_of(&failure.text);
        if expects.is_some() && failure.signal.is_none() {
            failure.signal = expects;
        }
        if scenario.undefined {
            failure.signal = Some(Signal::Load);
        } else if first.starts_with("ASSERT FAILED") || first.starts_with("Assertion Failed") {
            failure.signal = Some(Signal::Assertion);
        } else if failure.signal.is_none() && failure.type_name.is_none() {
            failure.signal = Some(Signal::Unhandled);
        }
        if failure.file.is_none() {
            let (path, row) = scenario.place.rsplit_once(':').unwrap_or((&scenario.place, ""));
            failure.file = Some(FileRef::new(path, row.parse().ok(), None));
        }
        if self.told.len() < 10_000 {
            self.told.insert(scenario.place.clone());
        }
        out(Item::Failure(failure));
    }

    /// A line within a scenario; `None` when it is over.
    fn in_scenario(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Option<Grip> {
        let mut scenario = self.scenario.take()?;
        let text = line.text;
        let step = STEP.is_match(text) && (scenario.indent.is_none_or(|indent| line.indent() <= indent));
        if step {
            self.close_step(&mut scenario, out);
            scenario.indent.get_or_insert(line.indent());
            let undefined = text.trim_start().starts_with("? ");
            scenario.undefined = undefined;
            scenario.code = None;
            scenario.block = Some(Block::new(Level::Case, Some(scenario.name.clone()), None, line));
            self.scenario = Some(scenario);
            return Some(Grip::Hold);
        }
        if is_jvm_frame(text) && scenario.block.is_some() {
            if let Some(place) = jvm_place(text) {
                scenario.code.get_or_insert(place);
            }
            self.scenario = Some(scenario);
            return Some(Grip::Hold);
        }
        let deeper = scenario.indent.is_some_and(|indent| line.indent() > indent);
        if text.trim().is_empty() || deeper {
            if let Some(block) = scenario.block.as_mut().filter(|_| deeper) {
                let frame = !runner::is_frame(text) && (text.contains(":in `") || text.contains(":in '"));
                if let Some(place) = script_place(text).filter(|place| frame && !place.path.ends_with(".feature")) {
                    scenario.code.get_or_insert(place);
                } else if !frame {
                    block.push(line);
                }
            }
            self.scenario = Some(scenario);
            return Some(Grip::Hold);
        }
        self.close_step(&mut scenario, out);
        None
    }

    /// Tells the steps that no list named.
    fn flush(&mut self, out: &mut dyn FnMut(Item)) {
        self.close_scenario(out);
        self.close();
        for case in self.failed.drain(..) {
            case.tell(out);
        }
        self.told.clear();
    }
}

impl Reader for Cucumber {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        if let Some(found) = TOTALS.captures(text) {
            self.flush(out);
            self.list = None;
            self.steps = false;
            let part = |word: &str| -> u64 {
                let parts = found["parts"].split(", ").filter_map(|part| part.split_once(' '));
                parts.filter(|(_, name)| *name == word).filter_map(|(number, _)| read_count(number)).sum()
            };
            let total = read_count(&found["total"]).unwrap_or(0);
            let skipped = part("skipped") + part("pending") + part("undefined");
            let failed = part("failed") + part("ambiguous");
            finish("cucumber", counts(total, failed, 0, skipped), false, line.span, out);
            return Grip::Take;
        }
        if let Some(found) = BEHAVE.captures(text) {
            self.flush(out);
            self.list = None;
            let number = |name: &str| found.name(name).and_then(|group| read_count(group.as_str())).unwrap_or(0u64);
            let (failed, errored) = (number("failed"), number("error"));
            let skipped = number("skipped") + number("untested");
            let total = number("passed") + failed + errored + skipped;
            finish("behave", counts(total, failed, errored, skipped), false, line.span, out);
            return Grip::Take;
        }
        if let Some(found) = SCENARIO.captures(text).filter(|_| self.list.is_none()) {
            self.close_scenario(out);
            self.scenario = Some(Scenario {
                name: found["name"].to_owned(),
                place: found["place"].to_owned(),
                indent: None,
                block: None,
                code: None,
                undefined: false,
            });
            self.held = 0;
            return Grip::Hold;
        }
        if let Some(grip) = self.in_scenario(line, out) {
            self.held += 1;
            if self.held > MAX_HELD {
                self.close_scenario(out);
            }
            return grip;
        }
        let heading = text.trim();
        let lists = ["Failing Scenarios:", "Failed Scenarios:", "Errored Scenarios:", "Undefined Scenarios:"];
        if lists.iter().any(|list| heading.eq_ignore_ascii_case(list)) {
            self.close();
            self.steps = false;
            let errored = heading.starts_with(['E', 'e', 'U', 'u']);
            self.list = Some(if errored { Signal::Load } else { Signal::Assertion });
            self.held = 0;
            return Grip::Hold;
        }
        if heading == "(::) failed steps (::)" {
            self.steps = true;
            self.held = 0;
            return Grip::Hold;
        }
        self.held += 1;
        if self.held > MAX_HELD {
            self.flush(out);
            self.steps = false;
            self.list = None;
        }
        if let Some(signal) = self.list {
            if let Some(found) = LISTED.captures(text) {
                let place = format!("{}:{}", &found["path"], &found["line"]);
                if self.told.iter().any(|told| place.ends_with(told.as_str())) {
                    return Grip::Hold;
                }
                let mut case = self.failed.pop_front().unwrap_or_else(|| Case::new("", line));
                case.signal = case.signal.or((case.text.is_empty()).then_some(signal));
                let name = found.name("name").or(found.name("behave"));
                case.name = name.map_or_else(|| place.clone(), |name| format!("{place} {}", name.as_str()));
                case.file = Some(FileRef::new(&found["path"], found["line"].parse().ok(), None));
                case.tell(out);
            }
            return Grip::Hold;
        }
        if self.steps {
            let frame = text.contains(":in `") || text.contains(":in '");
            match &mut self.case {
                // The last frame of a step is the step in its feature; then the next one begins.
                Some(case) if frame => {
                    case.frame(line, script_place(text));
                    if text.contains(".feature:") {
                        self.close();
                    }
                }
                Some(case) => case.push(line),
                None if text.trim().is_empty() || frame => {}
                None => {
                    let mut case = Case::new("", line);
                    case.push(line);
                    self.case = Some(case);
                }
            }
            return Grip::Hold;
        }
        Grip::Pass
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.flush(out);
    }
}
