//! The consoles of test runners for C, C++, Perl and shell.

pub(crate) mod bats;
pub(super) mod boost;
pub(super) mod catch2;
pub(super) mod check;
pub(super) mod cpputest;
pub(super) mod criterion;
pub(super) mod ctest;
pub(super) mod dejagnu;
pub(super) mod gtest;
pub(super) mod meson;
pub(super) mod prove;
pub(crate) mod qttest;
pub(super) mod shunit2;

use crate::report::{FileRef, TextLine};

/// How many lines of one case are kept.
const MAX_LINES: usize = 400;

/// The message of GoogleTest and of those who print as it does: what follows `file.cpp:5: Failure`.
fn gtest_message(lines: &[TextLine]) -> (Vec<TextLine>, Option<FileRef>) {
    let head = |line: &TextLine| line.text.trim_end().ends_with(": Failure") || line.text.contains("): error: ");
    let Some(first) = lines.iter().position(head) else {
        let text = lines.iter().filter(|line| !line.text.trim().is_empty()).take(30).cloned().collect();
        return (text, None);
    };
    let place = lines[first].text.split(": Failure").next().unwrap_or("");
    let file = place
        .rsplit_once(':')
        .and_then(|(path, number)| Some(FileRef::new(path.trim(), Some(number.parse().ok()?), None)));
    let told = lines[first..].iter().take_while(|line| !line.text.starts_with('['));
    let mut text: Vec<TextLine> = told.filter(|line| !line.text.trim().is_empty()).take(30).cloned().collect();
    // The words come first; the place of a failure is no message.
    if text.len() > 1 {
        text.rotate_left(1);
    }
    (text, file)
}

/// Whether a line is the CI system's rather than a test's.
fn is_of_the_job(text: &str) -> bool {
    ["##[", "Process completed with exit code", "section_", "ERROR: Job failed", "make: ***", "ninja: build stopped"]
        .iter()
        .any(|known| text.starts_with(known))
}
