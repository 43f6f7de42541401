//! The console of busted, Lua's test runner: totals first, then a block for each failure and error.

use std::sync::LazyLock;

use crate::pattern::Regex;

use super::cases::{Case, MAX_HELD, counts, finish};
use super::{Grip, Line, Reader};
use crate::item::{Item, read_count};
use crate::pattern;
use crate::report::{FileRef, Signal};

pub(super) const NEEDLES: &[&str] = &[" successes / ", " success / ", "Failure -> ", "Error -> "];

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Busted::default())
}

#[derive(Default)]
struct Busted {
    case: Option<Case>,
    named: bool,
}

static TOTALS: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^(?P<passed>\d+) success(?:es)? / (?P<failed>\d+) failures? / (?P<errors>\d+) errors? / (?P<pending>\d+) pending : ",
    )
});

static HEAD: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^(?P<word>Failure|Error|Pending) -> (?P<path>\S+) @ (?P<line>\d+)$"));

static PREFIX: LazyLock<Regex> = LazyLock::new(|| pattern::regex(r"^\S+\.lua:\d+: "));

impl Reader for Busted {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        if let Some(found) = TOTALS.captures(text) {
            self.close(out);
            let number = |name: &str| read_count(&found[name]).unwrap_or(0);
            let (failed, errors, pending) = (number("failed"), number("errors"), number("pending"));
            let total = number("passed") + failed + errors + pending;
            finish("busted", counts(total, failed, errors, pending), false, line.span, out);
            return Grip::Take;
        }
        if let Some(found) = HEAD.captures(text) {
            self.close(out);
            if &found["word"] == "Pending" {
                return Grip::Take;
            }
            let mut case = Case::new("", line);
            case.file = Some(FileRef::new(&found["path"], found["line"].parse().ok(), None));
            case.signal = (&found["word"] == "Failure").then_some(Signal::Assertion);
            self.case = Some(case);
            self.named = false;
            return Grip::Hold;
        }
        let Some(case) = &mut self.case else { return Grip::Pass };
        if text.trim().is_empty() || case.lines > MAX_HELD {
            self.close(out);
            return Grip::Take;
        }
        if !self.named {
            self.named = true;
            text.trim().clone_into(&mut case.name);
            case.cover(line);
        } else if text.starts_with("stack traceback:") || text.starts_with('\t') {
            case.frame(line, None);
        } else {
            case.push(Line { text: &PREFIX.cut_from(text), span: line.span });
        }
        Grip::Hold
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.close(out);
    }
}

impl Busted {
    fn close(&mut self, out: &mut dyn FnMut(Item)) {
        let Some(case) = self.case.take() else { return };
        let mut failure = case.into_failure();
        if failure.signal.is_none() && failure.type_name.is_none() {
            failure.signal = Some(Signal::Unhandled);
        }
        out(Item::Failure(failure));
    }
}
