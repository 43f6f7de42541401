//! Cucumber for Ruby: failed steps, the list of failing scenarios, and the totals.

use std::collections::VecDeque;
use std::sync::LazyLock;

use regex::Regex;

use super::cases::{Case, MAX_HELD, counts, finish, script_place};
use super::{Grip, Line, Reader};
use crate::item::Item;
use crate::pattern;
use crate::report::{FileRef, Signal};

pub(super) const NEEDLES: &[&str] = &["(::) failed steps (::)", "Failing Scenarios:", " scenarios (", " scenario ("];

/// How many failed steps are kept until the list names their scenarios.
const MAX_CASES: usize = 1000;

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Cucumber::default())
}

#[derive(Default)]
struct Cucumber {
    steps: bool,
    list: bool,
    case: Option<Case>,
    /// Failed steps, in order; the list of scenarios follows in the same order.
    failed: VecDeque<Case>,
    held: usize,
}

static TOTALS: LazyLock<Regex> = LazyLock::new(|| pattern::regex(r"^(?P<total>\d+) scenarios? \((?P<parts>[^)]*)\)$"));

static LISTED: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^cucumber (?:-p \S+ )*(?P<path>\S+\.feature):(?P<line>\d+)(?:\s*# (?:Scenario(?: Outline)?: )?(?P<name>.*))?$",
    )
});

impl Cucumber {
    fn close(&mut self) {
        if let Some(case) = self.case.take()
            && self.failed.len() < MAX_CASES
        {
            self.failed.push_back(case);
        }
    }

    /// Tells the steps that no list named.
    fn flush(&mut self, out: &mut dyn FnMut(Item)) {
        self.close();
        for case in self.failed.drain(..) {
            case.tell(out);
        }
    }
}

impl Reader for Cucumber {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        if let Some(found) = TOTALS.captures(text) {
            self.flush(out);
            self.list = false;
            self.steps = false;
            let part = |word: &str| {
                let parts = found["parts"].split(", ").filter_map(|part| part.split_once(' '));
                parts.filter(|(_, name)| *name == word).filter_map(|(number, _)| number.parse::<u64>().ok()).sum()
            };
            let total = found["total"].parse().unwrap_or(0);
            let skipped = ["skipped", "pending", "undefined"].iter().map(|word| part(word)).sum();
            finish("cucumber", counts(total, part("failed"), 0, skipped), false, line.span, out);
            return Grip::Take;
        }
        if text.trim() == "Failing Scenarios:" {
            self.close();
            self.steps = false;
            self.list = true;
            self.held = 0;
            return Grip::Hold;
        }
        if text.trim() == "(::) failed steps (::)" {
            self.steps = true;
            self.held = 0;
            return Grip::Hold;
        }
        self.held += 1;
        if self.held > MAX_HELD {
            self.flush(out);
            self.steps = false;
            self.list = false;
        }
        if self.list {
            if let Some(found) = LISTED.captures(text) {
                let place = format!("{}:{}", &found["path"], &found["line"]);
                let mut case = self.failed.pop_front().unwrap_or_else(|| Case::new("", line));
                case.signal = case.signal.or((case.text.is_empty()).then_some(Signal::Assertion));
                case.name =
                    found.name("name").map_or_else(|| place.clone(), |name| format!("{place} {}", name.as_str()));
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
