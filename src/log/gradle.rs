//! Gradle: failing tests, their totals, and what it says went wrong.

use std::sync::LazyLock;

use crate::pattern::Regex;

use super::cases::{Case, MAX_HELD, counted, counts, finish, is_jvm_frame};
use super::{Grip, Line, Reader};
use crate::item::Item;
use crate::pattern;
use crate::report::{Failure, FileRef, Level, TextLine};

pub(super) const NEEDLES: &[&str] = &[" FAILED", " tests completed, ", " test completed, ", "* What went wrong:"];

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Gradle::default())
}

#[derive(Default)]
struct Gradle {
    case: Option<Case>,
    wrong: Option<Vec<TextLine>>,
}

static FAILED: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^(?P<name>\S.* > .*\S) FAILED(?: \([\d.]+ ?m?s\))?$"));

static RUNNER: LazyLock<Regex> = LazyLock::new(|| pattern::regex(r"^(?:Gradle Test (?:Run|Executor) \S+ > )+"));

/// What Gradle says when something below it failed and told why itself.
const WRAPPERS: &[&str] = &[
    "There were failing tests",
    "Compilation failed",
    "Compilation error",
    "finished with non-zero exit value",
    "See the report",
    "See log for more details",
    "Test process encountered an unexpected problem",
];

impl Gradle {
    fn in_wrong(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Option<Grip> {
        let lines = self.wrong.as_mut()?;
        let text = line.text.trim();
        let ends = text.starts_with("* ") || text.starts_with("BUILD FAILED") || text.starts_with("=====");
        if !ends && lines.len() < 100 {
            if !text.is_empty() {
                lines.push(line.to_text());
            }
            return Some(Grip::Hold);
        }
        self.tell_wrong(out);
        // A second failure of the same build follows behind `* What went wrong:`.
        Some(if text.starts_with("* ") { self.fresh(line) } else { Grip::Pass })
    }

    fn tell_wrong(&mut self, out: &mut dyn FnMut(Item)) {
        let Some(mut lines) = self.wrong.take() else { return };
        let (Some(first), Some(last)) = (lines.first(), lines.last()) else { return };
        let span = first.span.join(last.span);
        let follow_on = lines.iter().any(|line| WRAPPERS.iter().any(|words| line.text.contains(words)));
        // `Execution failed for task` only says where; the lines behind say what.
        if lines.len() > 1 && first.text.starts_with("Execution failed for task") {
            lines.remove(0);
        }
        out(Item::Failure(Failure { level: Level::Diagnostic, text: lines, span, follow_on, ..Failure::default() }));
    }

    fn fresh(&mut self, line: Line<'_>) -> Grip {
        if line.text.trim() == "* What went wrong:" {
            self.wrong = Some(Vec::new());
            return Grip::Hold;
        }
        Grip::Take
    }
}

impl Reader for Gradle {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        if let Some(grip) = self.in_wrong(line, out) {
            return grip;
        }
        if let Some(case) = &mut self.case {
            let within = line.text.is_empty() || line.indent() >= 2;
            if within && case.lines < MAX_HELD {
                if is_jvm_frame(line.text) {
                    case.jvm_frame(line, line.text);
                } else {
                    // Without its stack a failure has one line: `java.lang.AssertionError at CartTest.java:5`.
                    if case.file.is_none()
                        && let Some((_, place)) = line.text.rsplit_once(" at ")
                        && let Some((path, row)) = place.rsplit_once(':')
                        && let Ok(row) = row.parse()
                        && !path.contains(' ')
                    {
                        case.file = Some(FileRef::new(path, Some(row), None));
                    }
                    case.push(line);
                }
                return Grip::Hold;
            }
            if let Some(case) = self.case.take() {
                case.tell(out);
            }
        }
        let text = line.text;
        if text.trim() == "* What went wrong:" {
            return self.fresh(line);
        }
        if text.contains("completed, ")
            && let Some(numbers) = counted(text)
            && numbers.iter().all(|(_, word)| ["test completed", "tests completed", "failed", "skipped"].contains(word))
        {
            let number =
                |word: &str| numbers.iter().find(|(_, name)| name.ends_with(word)).map_or(0, |(number, _)| *number);
            let sum = counts(number("completed"), number("failed"), 0, number("skipped"));
            finish("gradle", sum, false, line.span, out);
            return Grip::Take;
        }
        if let Some(found) = FAILED.captures(text) {
            let name = RUNNER.cut_from(&found["name"]);
            self.case = Some(Case::new(name, line));
            return Grip::Hold;
        }
        Grip::Pass
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.tell_wrong(out);
        if let Some(case) = self.case.take() {
            case.tell(out);
        }
    }
}
