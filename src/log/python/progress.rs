//! The progress of pytest: what a run that was cut had told of its failures.

use std::sync::LazyLock;

use crate::pattern::Regex;

use super::super::Line;
use crate::pattern;
use crate::report::{Failure, FileRef, Level, Signal};

/// `tests/test_cart.py::test_total FAILED                    [  8%]`, with xdist the other way round.
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    let end = r"\s*(?:\[\s*\d+%\])?$";
    let plain = r"^(?P<name>\S+\.py::\S.*?) (?P<word>FAILED|ERROR)";
    let xdist = r"^\[gw\d+\](?: \[\s*\d+%\])? (?P<result>FAILED|ERROR) (?P<test>\S+\.py::\S.*?)";
    pattern::regex(&format!("{plain}{end}|{xdist}{end}"))
});

/// `tests/test_cart.py F..E                                  [ 25%]`.
static DOTS: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^(?P<path>\S+\.py) (?P<dots>[.FEsxXRr]+)\s*(?:\[\s*\d+%\])?$"));

/// The failures that a line of the progress marks.
pub(super) fn marked(line: Line<'_>) -> Option<Failure> {
    let text = line.text;
    let mut failure = Failure { text: vec![line.to_text()], span: line.span, ..Failure::default() };
    if text.contains(" FAILED") || text.contains(" ERROR") || text.contains("] FAILED ") {
        let found = NAMED.captures(text)?;
        let name = found.name("name").or(found.name("test"))?.as_str();
        let word = found.name("word").or(found.name("result"))?.as_str();
        failure.signal = Some(if word == "ERROR" { Signal::Load } else { Signal::Assertion });
        failure.file = name.split_once("::").map(|(path, _)| FileRef::new(path, None, None));
        failure.test = Some(name.to_owned());
        return Some(failure);
    }
    let found = if text.contains(".py ") { DOTS.captures(text)? } else { return None };
    let count = found["dots"].bytes().filter(|sign| matches!(sign, b'F' | b'E')).count() as u64;
    failure.level = Level::Case;
    failure.signal = Some(Signal::Assertion);
    failure.test = Some(found["path"].to_owned());
    failure.file = Some(FileRef::new(&found["path"], None, None));
    failure.count = count;
    (count > 0).then_some(failure)
}
