//! ExUnit, the test runner of Elixir.

use std::sync::LazyLock;

use crate::pattern::Regex;

use super::cases::{Case, MAX_HELD, counted, counts, finish};
use super::{Grip, Line, Reader};
use crate::item::Item;
use crate::pattern;
use crate::report::{FileRef, Level, Signal};

pub(super) const NEEDLES: &[&str] = &[
    ") test ",
    ") property ",
    ") doctest ",
    ": failure on setup_all callback",
    " failure",
    "== Compilation error in file",
];

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Exunit::default())
}

#[derive(Default)]
struct Exunit {
    case: Option<Case>,
    /// A line that only ExUnit prints was seen in the case.
    sure: bool,
}

static HEAD: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(r"^\s{2,4}\d+\) (?P<name>(?:test|property|doctest) .+) \((?P<module>[A-Z][\w.]*)\)$")
});

static SETUP: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^\s{2,4}\d+\) (?P<module>[A-Z][\w.]*): failure on setup_all callback"));

static PLACE: LazyLock<Regex> = LazyLock::new(|| pattern::regex(r"^\s+(?P<path>\S+\.exs?):(?P<line>\d+)(?::|$)"));

/// `5 doctests, 3 tests, 2 failures, 1 excluded`.
fn totals(text: &str) -> Option<(u64, u64, u64, u64)> {
    let numbers = counted(text)?;
    let known = |word: &str| {
        let word = word.trim_end_matches('s');
        ["doctest", "test", "feature", "property", "propertie", "failure", "excluded", "skipped", "invalid"]
            .contains(&word)
    };
    let number = |begin: &[&str]| {
        let chosen = numbers.iter().filter(|(_, word)| begin.iter().any(|begin| word.starts_with(begin)));
        chosen.map(|(number, _)| *number).sum::<u64>()
    };
    let all = numbers.iter().all(|(_, word)| known(word));
    let both = numbers.iter().any(|(_, word)| word.starts_with("failure")) && numbers.len() >= 2;
    if !all || !both {
        return None;
    }
    let total = number(&["doctest", "test", "feature", "propert"]);
    Some((total, number(&["failure"]), number(&["invalid"]), number(&["excluded", "skipped"])))
}

impl Exunit {
    fn flush(&mut self, out: &mut dyn FnMut(Item)) {
        if let Some(case) = self.case.take() {
            case.tell(out);
        }
    }
}

impl Reader for Exunit {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        let head = HEAD.captures(text).or_else(|| SETUP.captures(text));
        if let Some(case) = &mut self.case
            && head.is_none()
        {
            let over =
                !text.is_empty() && line.indent() < 4 || case.lines > MAX_HELD || text.starts_with("Finished in ");
            if !over {
                let trimmed = text.trim();
                if let Some(found) = PLACE.captures(text) {
                    let place = FileRef::new(&found["path"], found["line"].parse().ok(), None);
                    case.frame(line, Some(place));
                } else if self.sure {
                    case.cover(line);
                } else if trimmed == "stacktrace:" || trimmed.starts_with("The following output was logged") {
                    // Frames follow, or what the test printed.
                    self.sure = true;
                    case.cover(line);
                } else {
                    case.push(line);
                }
                return Grip::Hold;
            }
            self.flush(out);
        }
        if let Some(found) = head {
            self.flush(out);
            let module = &found["module"];
            let mut case = match found.name("name") {
                Some(name) => Case::new(format!("{module} {}", name.as_str()), line),
                None => {
                    let mut case = Case::new(module, line);
                    case.level = Level::Suite;
                    case.signal = Some(Signal::Hook);
                    case
                }
            };
            case.lines = 0;
            self.sure = false;
            self.case = Some(case);
            return Grip::Hold;
        }
        if let Some((total, failed, invalid, skipped)) = totals(text) {
            finish("exunit", counts(total, failed, invalid, skipped), false, line.span, out);
            return Grip::Take;
        }
        Grip::Pass
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.flush(out);
    }
}
