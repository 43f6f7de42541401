//! Ant's `junit` task, which prints the totals of each suite twice, and the files that its plain formatter writes.

use std::sync::LazyLock;

use crate::pattern::Regex;

use super::cases::{Case, MAX_HELD, counts, finish, is_jvm_frame, labeled};
use super::{Grip, Line, Reader};
use crate::item::Item;
use crate::pattern;
use crate::report::Signal;

pub(super) const NEEDLES: &[&str] = &["[junit] ", "Testsuite: "];

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Ant::default())
}

#[derive(Default)]
struct Ant {
    suite: String,
    /// What is read is the file of a formatter rather than the console, where each line has the name of the task.
    bare: bool,
    /// Within what a suite printed.
    printed: bool,
    /// The totals of the suite at hand were read.
    counted: bool,
    /// A case was named; whether it failed stands on this line or on the next.
    named: Option<String>,
    case: Option<Case>,
}

static TESTCASE: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^(?:Testcase: |Null Test:)\s*(?P<name>.*?)(?: took [\d.,]+ sec)?:?\s*(?P<end>FAILED|Caused an ERROR|SKIPPED.*)?$",
    )
});

impl Ant {
    fn begin(&mut self, name: &str, failed: bool, line: Line<'_>) {
        let method = name.split('(').next().unwrap_or(name).trim_end_matches(':');
        let full = match (method.is_empty(), self.suite.is_empty()) {
            (true, _) => self.suite.clone(),
            // A hook of the class has its name.
            _ if method == self.suite => self.suite.clone(),
            (false, true) => method.to_owned(),
            (false, false) => format!("{}.{method}", self.suite),
        };
        let mut case = Case::new(full, line);
        // An assertion's message need not name its class.
        case.signal = failed.then_some(Signal::Assertion);
        self.case = Some(case);
    }
}

impl Reader for Ant {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = match line.text.trim_start().strip_prefix("[junit]") {
            Some(text) => text.strip_prefix(' ').unwrap_or(text),
            None if self.bare || line.text.starts_with("Testsuite: ") => line.text,
            None => {
                if let Some(case) = self.case.take() {
                    case.tell(out);
                }
                return Grip::Pass;
            }
        };
        self.bare = text.len() == line.text.len();
        match self.read(text, line, out) {
            Grip::Take if self.bare => Grip::Hold,
            Grip::Pass if self.bare => self.aside(text),
            grip => grip,
        }
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        if let Some(case) = self.case.take() {
            case.tell(out);
        }
    }
}

impl Ant {
    /// A line of a formatter's file that tells of no case.
    fn aside(&mut self, text: &str) -> Grip {
        if text.starts_with("------------- ") {
            // Both its beginning and its end are ruled; only the beginning says what is printed.
            self.printed = text.contains(" Standard ");
            return Grip::Hold;
        }
        let known = self.printed || text.trim().is_empty() || text.starts_with('\t');
        self.bare = known;
        if known { Grip::Hold } else { Grip::Pass }
    }

    fn read(&mut self, text: &str, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let heads = ["Testsuite: ", "Running ", "Testcase: ", "Tests run: ", "Test ", "-----"];
        if let Some(case) = &mut self.case {
            let ends = heads.iter().any(|head| text.starts_with(head)) || text.trim().is_empty() && case.stack;
            if !ends && case.lines < MAX_HELD {
                let shown = Line { text, span: line.span };
                if is_jvm_frame(text) {
                    case.jvm_frame(shown, text);
                } else {
                    case.push(shown);
                }
                return Grip::Hold;
            }
            if let Some(case) = self.case.take() {
                case.tell(out);
            }
        }
        if let Some(suite) = text.strip_prefix("Testsuite: ").or_else(|| text.strip_prefix("Running ")) {
            suite.trim().clone_into(&mut self.suite);
            self.counted = false;
            self.named = None;
            return Grip::Take;
        }
        if text.starts_with("Tests run: ") {
            let numbers = text.split(", Time elapsed").next().and_then(labeled);
            if let Some(numbers) = numbers
                && !std::mem::replace(&mut self.counted, true)
            {
                let number =
                    |word: &str| numbers.iter().find(|(name, _)| *name == word).map_or(0, |(_, number)| *number);
                let sum = counts(number("Tests run"), number("Failures"), number("Errors"), number("Skipped"));
                finish("ant-junit", sum, false, line.span, out);
            }
            return Grip::Take;
        }
        if let Some(found) = TESTCASE.captures(text) {
            match found.name("end").map(|end| end.as_str()) {
                Some("FAILED") => self.begin(&found["name"], true, line),
                Some("Caused an ERROR") => self.begin(&found["name"], false, line),
                Some(_) => return Grip::Take,
                None => {
                    self.named = Some(found["name"].to_owned());
                    return Grip::Take;
                }
            }
            return Grip::Hold;
        }
        let verdict = text.trim();
        if (verdict == "FAILED" || verdict == "Caused an ERROR")
            && let Some(name) = self.named.take()
        {
            self.begin(&name, verdict == "FAILED", line);
            return Grip::Hold;
        }
        Grip::Pass
    }
}
