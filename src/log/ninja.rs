//! Ninja's progress: the last step of all is positive evidence that the build came to its end.

use super::{Grip, Line, Reader};
use crate::item::{Item, Mark, Scope};
use crate::report::Outcome;

/// A step that compiles is seldom the last, and there is one for each file.
pub(super) const NEEDLES: &[&str] = &["] Linking ", "] Generating ", "[100%] Built target "];

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Ninja)
}

struct Ninja;

impl Reader for Ninja {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let Some((progress, _)) = line.text.strip_prefix('[').and_then(|rest| rest.split_once("] ")) else {
            return Grip::Pass;
        };
        let done = match progress.split_once('/') {
            Some((at, of)) => at == of && at.bytes().all(|byte| byte.is_ascii_digit()) && !at.is_empty(),
            None => progress == "100%" && line.text.contains("] Built target "),
        };
        if !done {
            return Grip::Pass;
        }
        let text = line.text.to_owned();
        out(Item::Mark(Mark { scope: Scope::Tool, outcome: Outcome::Passed, status: None, text, span: line.span }));
        Grip::Take
    }

    fn end(&mut self, _out: &mut dyn FnMut(Item)) {}
}
