//! The consoles of `dart test` and `flutter test`, which repeat a counting prefix.

use std::sync::LazyLock;

use crate::pattern::Regex;

use super::cases::{Case, MAX_HELD, counts, finish};
use super::{Grip, Line, Reader};
use crate::item::{Item, read_count};
use crate::pattern;
use crate::report::{FileRef, Level, Signal};

pub(super) const NEEDLES: &[&str] = &["Some tests failed.", "All tests passed!", "All other tests passed!", " [E]$"];

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Dart::default())
}

#[derive(Default)]
struct Dart {
    case: Option<Case>,
}

static ROW: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(r"^\d+:\d\d \+(?P<passed>\d+)(?: ~(?P<skipped>\d+))?(?: -(?P<failed>\d+))?: (?P<rest>.+)$")
});

static PLACE: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^\s*(?P<path>(?:\S+/)?\S+_test\.dart)[ :](?P<line>\d+):(?P<column>\d+)\s"));

impl Reader for Dart {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        let row = ROW.captures(text);
        if let Some(case) = &mut self.case {
            let within = text.is_empty() || text.starts_with(' ') || text.starts_with("package:");
            if within && row.is_none() && case.lines < MAX_HELD {
                let trimmed = text.trim_start();
                let place = PLACE.captures(text).map(|found| {
                    FileRef::new(&found["path"], found["line"].parse().ok(), found["column"].parse().ok())
                });
                if place.is_some() || trimmed.starts_with("package:") || trimmed.starts_with("dart:") {
                    case.frame(line, place);
                } else {
                    case.push(line);
                }
                return Grip::Hold;
            }
            if let Some(case) = self.case.take() {
                case.tell(out);
            }
        }
        let Some(found) = row else { return Grip::Pass };
        let number = |name: &str| found.name(name).and_then(|number| read_count(number.as_str())).unwrap_or(0);
        let rest = &found["rest"];
        if let Some(name) = rest.strip_suffix(" [E]") {
            let name = name.strip_prefix("loading ").unwrap_or(name);
            let mut case = Case::new(name, line);
            if rest.starts_with("loading ") {
                case.level = Level::Suite;
                case.signal = Some(Signal::Load);
            }
            self.case = Some(case);
            return Grip::Hold;
        }
        let last = ["Some tests failed.", "All tests passed!", "All other tests passed!"];
        if last.iter().any(|word| rest.starts_with(word)) {
            let (passed, failed, skipped) = (number("passed"), number("failed"), number("skipped"));
            let sum = counts(passed + failed + skipped, failed, 0, skipped);
            finish("dart", sum, rest.starts_with("Some"), line.span, out);
            return Grip::Take;
        }
        Grip::Pass
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        if let Some(case) = self.case.take() {
            case.tell(out);
        }
    }
}
