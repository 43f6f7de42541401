//! JUnit's own consoles: the text runner of JUnit 4 and the launcher of JUnit 5.

use std::sync::LazyLock;

use crate::pattern::Regex;

use super::cases::{Case, MAX_HELD, counts, finish, is_jvm_frame, jvm_place, labeled};
use super::{Grip, Line, Reader};
use crate::item::{Item, Step, read_count};
use crate::pattern;
use crate::report::{Counts, Level, Signal};

pub(super) const NEEDLES: &[&str] = &[
    "JUnit version ",
    "There was 1 failure:",
    "There were ",
    "Tests run: ",
    r"OK (\d",
    "Test run finished after ",
    " tests found ",
    " tests successful ",
    " tests failed ",
    " tests skipped ",
    " tests aborted ",
    "Failures (",
];

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Junit::default())
}

#[derive(Default)]
struct Junit {
    /// The text runner's banner was seen.
    text: bool,
    case: Option<Case>,
    /// Within the list of failures of the text runner or of the launcher.
    list: bool,
    /// The totals of the launcher so far.
    launcher: Option<Counts>,
}

static ENTRY: LazyLock<Regex> = LazyLock::new(|| pattern::regex(r"^\d+\) (?P<name>\S.*)$"));

static ROW: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^\[\s*(?P<number>\d+) (?P<what>tests|containers) (?P<word>found|skipped|started|aborted|successful|failed)\s*\]$",
    )
});

impl Junit {
    fn flush(&mut self, out: &mut dyn FnMut(Item)) {
        if let Some(case) = self.case.take() {
            case.tell(out);
        }
    }

    fn in_list(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Option<Grip> {
        if !self.list {
            return None;
        }
        let text = line.text;
        if let Some(found) = ENTRY.captures(text) {
            self.flush(out);
            let name = &found["name"];
            let name = match name.strip_suffix(')').and_then(|name| name.rsplit_once('(')) {
                Some((method, class)) => format!("{class}.{method}"),
                None => name.to_owned(),
            };
            self.case = Some(Case::new(name, line));
            return Some(Grip::Hold);
        }
        let trimmed = text.trim_start();
        if let Some(name) = trimmed.strip_prefix("JUnit ").filter(|_| line.indent() == 2) {
            self.flush(out);
            let name = name.split_once(':').map_or(name, |(_, name)| name);
            self.case = Some(Case::new(name.replace(':', "."), line));
            return Some(Grip::Hold);
        }
        let over = ["FAILURES!!!", "Tests run:", "OK (", "Test run finished after "];
        let over = over.iter().any(|word| text.starts_with(word)) || ROW.is_match(text);
        let over = over || self.case.as_ref().is_some_and(|case| case.lines > MAX_HELD);
        if over {
            self.list = false;
            self.flush(out);
            return None;
        }
        if let Some(case) = &mut self.case {
            if is_jvm_frame(text)
                || case.stack && jvm_place(text).is_some()
                || trimmed.starts_with("org.junit.") && trimmed.ends_with(')')
            {
                case.jvm_frame(line, text);
            } else if trimmed.starts_with("MethodSource [") || trimmed.starts_with("ClassSource [") {
                if trimmed.starts_with("ClassSource [") {
                    case.level = Level::Suite;
                    case.signal = Some(Signal::Hook);
                }
                case.cover(line);
            } else if let Some(message) = trimmed.strip_prefix("=> ") {
                case.push(Line { text: message, span: line.span });
            } else if jvm_place(text).is_some() {
                case.jvm_frame(line, text);
            } else {
                case.push(line);
            }
        }
        Some(Grip::Hold)
    }
}

impl Reader for Junit {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        if let Some(grip) = self.in_list(line, out) {
            return grip;
        }
        let text = line.text;
        if text.starts_with("JUnit version ") {
            out(Item::Step(Step { name: "junit".to_owned(), span: line.span, command: true, ..Step::default() }));
            self.text = true;
            return Grip::Take;
        }
        let list =
            text.starts_with("There was 1 failure:") || text.starts_with("There were ") && text.ends_with(" failures:");
        if list && self.text || text.starts_with("Failures (") && text.ends_with("):") {
            self.list = true;
            return Grip::Hold;
        }
        if self.text && text.starts_with("Tests run: ") {
            let Some(numbers) = labeled(text) else { return Grip::Pass };
            let number = |word: &str| numbers.iter().find(|(name, _)| *name == word).map_or(0, |(_, number)| *number);
            finish("junit", counts(number("Tests run"), number("Failures"), 0, 0), false, line.span, out);
            self.text = false;
            return Grip::Take;
        }
        if self.text
            && let Some(number) = text.strip_prefix("OK (").and_then(|rest| rest.split(' ').next())
            && let Some(total) = read_count(number)
        {
            finish("junit", counts(total, 0, 0, 0), false, line.span, out);
            self.text = false;
            return Grip::Take;
        }
        if text.starts_with("Test run finished after ") {
            self.launcher = Some(Counts::default());
            return Grip::Hold;
        }
        if let Some(sum) = &mut self.launcher {
            let Some(found) = ROW.captures(text) else {
                return if text.starts_with('[') || text.is_empty() { Grip::Hold } else { Grip::Pass };
            };
            let Some(number) = read_count(&found["number"]) else { return Grip::Take };
            if &found["what"] == "containers" {
                // A class whose hook fails is a container.
                if &found["word"] == "failed" {
                    sum.errored = number;
                }
                return Grip::Hold;
            }
            match &found["word"] {
                "found" => sum.total = number,
                "skipped" | "aborted" => sum.skipped += number,
                "successful" => sum.passed = Some(number),
                "failed" => {
                    sum.failed = number;
                    finish("junit-launcher", *sum, false, line.span, out);
                    self.launcher = None;
                    return Grip::Take;
                }
                _ => {}
            }
            return Grip::Hold;
        }
        Grip::Pass
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.flush(out);
    }
}
