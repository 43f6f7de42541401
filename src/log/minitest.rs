//! Minitest, also as Rails prints it, and test-unit.

use std::sync::LazyLock;

use crate::pattern::Regex;

use super::cases::{Case, MAX_HELD, counted, counts, finish, script_place};
use super::{Grip, Line, Reader};
use crate::item::Item;
use crate::pattern;
use crate::report::{FileRef, Level, Signal};

pub(super) const NEEDLES: &[&str] =
    &[") Failure:", ") Error:", ") Skipped:", "Failure:", "Error: test", "Error:", " assertions, "];

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Minitest::default())
}

#[derive(Default)]
struct Minitest {
    /// A heading was read; the name stands on the next line.
    heading: Option<Heading>,
    case: Option<Case>,
    /// The case is of test-unit, whose blocks end at a ruler.
    ruled: bool,
    /// A blank line came within the case.
    blank: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Heading {
    Failure,
    Error,
    Skipped,
}

static HEADING: LazyLock<Regex> = LazyLock::new(|| pattern::regex(r"^(?:\s*\d+\) )?(?P<word>Failure|Error|Skipped):$"));

/// `CartTest#test_add [test/cart_test.rb:5]:`, `test_add(CartTest) [test/cart_test.rb:5]:`, `CartTest#test_nil:`.
static NAME: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(r"^(?P<name>[A-Z][\w:]*#\S.*?|test\S.*?\([\w:]+\))(?: \[(?P<path>[^\]]+?):(?P<line>\d+)\])?:?$")
});

/// `Failure: test_add(CartTest)`, `Error: test_nil(CartTest): NoMethodError: …`.
static RULED: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^(?P<word>Failure|Error): (?P<name>test.*?\([\w:]+\))(?::\s*(?P<message>.*))?$"));

/// `Error: CartTest: RuntimeError: no database`: test-unit on a hook of a whole class.
static HOOK: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^Error: (?P<name>(?:\w+::)*(?:Test\w*|\w+Test|\w+Tests|\w+TestCase)): (?P<message>[A-Z][\w:]*(?:Error|Exception|Errno::\w+)\b.*)$",
    )
});

impl Minitest {
    fn flush(&mut self, out: &mut dyn FnMut(Item)) {
        if let Some(case) = self.case.take() {
            case.tell(out);
        }
        self.blank = false;
        self.ruled = false;
    }

    fn in_case(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Option<Grip> {
        let case = self.case.as_mut()?;
        let text = line.text;
        let trimmed = text.trim();
        if self.ruled {
            if text.starts_with("=====") || text.starts_with("Finished in ") || case.lines > MAX_HELD {
                self.flush(out);
                return Some(Grip::Take);
            }
            let code = trimmed.starts_with("=> ")
                || trimmed.split(':').next().is_some_and(|number| number.parse::<u32>().is_ok());
            if script_place(text).is_some() && text.contains(":in ") {
                case.frame(line, script_place(text));
            } else if code {
                case.cover(line);
            } else {
                case.push(line);
            }
            return Some(Grip::Hold);
        }
        let over = text.ends_with(':') && HEADING.is_match(text)
            || is_summary(text)
            || case.lines > MAX_HELD
            || text.starts_with("Finished in ");
        let rerun = trimmed.starts_with("bin/rails test ") || trimmed.starts_with("rails test ");
        if over || rerun {
            self.flush(out);
            return rerun.then_some(Grip::Take);
        }
        // Progress of the next tests, as Rails prints its failures at once.
        if self.blank
            && trimmed.len() < 200
            && !trimmed.is_empty()
            && trimmed.bytes().all(|byte| b".FESPN*".contains(&byte))
        {
            self.flush(out);
            return Some(Grip::Take);
        }
        self.blank = trimmed.is_empty();
        if text.starts_with(' ') && text.contains(":in ") {
            case.frame(line, script_place(text));
        } else {
            case.push(line);
        }
        Some(Grip::Hold)
    }
}

/// Whether a line is the totals of a run.
fn is_summary(text: &str) -> bool {
    text.contains(" assertions, ") && counted(text).is_some_and(|numbers| numbers.len() >= 4)
}

impl Reader for Minitest {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        if let Some(grip) = self.in_case(line, out) {
            return grip;
        }
        let text = line.text;
        if let Some(heading) = self.heading.take()
            && let Some(found) = NAME.captures(text)
        {
            if heading == Heading::Skipped {
                return Grip::Take;
            }
            let mut case = Case::new(&found["name"], line);
            if let Some(path) = found.name("path") {
                case.file = Some(FileRef::new(path.as_str(), found["line"].parse().ok(), None));
            }
            case.signal = (heading == Heading::Failure).then_some(Signal::Assertion);
            self.case = Some(case);
            return Grip::Hold;
        }
        if let Some(found) = text.ends_with(':').then(|| HEADING.captures(text)).flatten() {
            self.heading = Some(match &found["word"] {
                "Failure" => Heading::Failure,
                "Error" => Heading::Error,
                _ => Heading::Skipped,
            });
            return Grip::Hold;
        }
        // Many tools print lines that begin so; the expressions are asked only for those with the name of a test.
        let may_be_test = text.contains("Test") || text.contains(": test");
        if let Some(found) = may_be_test.then(|| HOOK.captures(text)).flatten() {
            let mut case = Case::new(&found["name"], line);
            case.level = Level::Suite;
            case.signal = Some(Signal::Hook);
            case.push(Line { text: found.name("message").map_or(text, |message| message.as_str()), span: line.span });
            self.case = Some(case);
            self.ruled = true;
            return Grip::Hold;
        }
        if let Some(found) = may_be_test.then(|| RULED.captures(text)).flatten() {
            let mut case = Case::new(&found["name"], line);
            case.signal = (&found["word"] == "Failure").then_some(Signal::Assertion);
            if let Some(message) = found.name("message").filter(|message| !message.as_str().is_empty()) {
                case.push(Line { text: message.as_str(), span: line.span });
            }
            self.case = Some(case);
            self.ruled = true;
            return Grip::Hold;
        }
        if is_summary(text)
            && let Some(numbers) = counted(text)
        {
            let number = |words: &[&str]| {
                numbers.iter().filter(|(_, word)| words.contains(word)).map(|(number, _)| *number).sum::<u64>()
            };
            let total = number(&["runs", "run", "tests", "test"]);
            let failed = number(&["failures", "failure"]);
            let errors = number(&["errors", "error"]);
            let skipped = number(&["skips", "skip", "pendings", "omissions"]);
            if numbers.iter().any(|(_, word)| word.starts_with("failure")) {
                finish("minitest", counts(total, failed, errors, skipped), false, line.span, out);
                return Grip::Take;
            }
        }
        Grip::Pass
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.flush(out);
    }
}
