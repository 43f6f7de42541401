//! Annotations as commands of GitHub's workflows: `::error file=…,line=…::message`.
//!
//! The runner shows ten errors and ten warnings of a step and drops the rest without a word, so the causes come
//! first, one annotation each, and what room is left goes to further places. Only commands are printed, one a line,
//! and everything that a log said is escaped in them: no text of a log can begin a line.

use std::fmt::Write as _;

use super::{mask, text};
use crate::decide::Decision;
use crate::kind::Action;
use crate::report::{Cause, Evidence, FileRef, Report, Severity};

/// How many annotations of one level the runner takes from a step.
const MAX_ANNOTATIONS: usize = 10;

/// The longest title that the runner keeps, in characters.
const MAX_TITLE: usize = 255;

/// Renders a report and its decision as workflow commands, one a line.
#[must_use]
pub fn to_github(report: &Report, decision: &Decision) -> String {
    let (report, decision) = mask::safe(report, decision);
    let mut out = String::new();
    for (cause, evidence) in chosen(&report.causes) {
        error(&mut out, cause, evidence);
    }
    let warnings = report.notes.iter().filter(|note| note.severity == Severity::Warning);
    for note in warnings.take(MAX_ANNOTATIONS) {
        let source = note.source.as_ref().map_or_else(String::new, |source| format!("{source}: "));
        let _ = writeln!(out, "::warning title=whyred::{}", data(&format!("{source}{}", note.message)));
    }
    if decision.action != Action::Accept {
        let mut message = text::what_next(&decision);
        let more = report.causes.len().saturating_sub(MAX_ANNOTATIONS) as u64 + report.causes_omitted;
        if more > 0 {
            let _ = write!(message, "\n{more} more causes are not annotated");
        }
        let title = property(&format!("whyred: {}", decision.action));
        let _ = writeln!(out, "::notice title={title}::{}", data(&message));
    }
    out
}

/// The places to annotate: the first of each cause, then further ones that point at another file or line.
fn chosen(causes: &[Cause]) -> Vec<(&Cause, &Evidence)> {
    let mut chosen: Vec<(&Cause, &Evidence)> = Vec::new();
    let deepest = causes.iter().map(|cause| cause.evidence.len()).max().unwrap_or(0);
    for depth in 0..deepest {
        for cause in causes {
            // What points at a file is shown beside its line, so it goes first.
            let mut evidence: Vec<&Evidence> = cause.evidence.iter().collect();
            evidence.sort_by_key(|evidence| evidence.file.is_none());
            let Some(&evidence) = evidence.get(depth) else { continue };
            let again = |(_, known): &(&Cause, &Evidence)| known.file == evidence.file;
            if depth > 0 && (evidence.file.is_none() || chosen.iter().any(again)) {
                continue;
            }
            if chosen.len() < MAX_ANNOTATIONS {
                chosen.push((cause, evidence));
            }
        }
    }
    // The order of the causes is kept: the decisive one is read first.
    chosen.sort_by_key(|(cause, _)| causes.iter().position(|known| std::ptr::eq(known, *cause)));
    chosen
}

fn error(out: &mut String, cause: &Cause, evidence: &Evidence) {
    out.push_str("::error ");
    if let Some(FileRef { path, line, column }) = &evidence.file {
        let _ = write!(out, "file={},", property(path));
        if let Some(line) = line {
            let _ = write!(out, "line={line},");
            if let Some(column) = column {
                let _ = write!(out, "col={column},");
            }
        }
    }
    let mut title = cause.kind.to_string();
    if let Some(subject) = &cause.subject {
        let _ = write!(title, ": {subject}");
    }
    if cause.count > 1 {
        let _ = write!(title, " (×{})", cause.count);
    }
    let title: String = title.chars().take(MAX_TITLE).collect();
    let words = if evidence.text.is_empty() { &cause.message } else { &evidence.text };
    let message = format!("{words}\n{}:{}", evidence.source, evidence.line);
    let _ = writeln!(out, "title={}::{}", property(&title), data(&message));
}

/// The text of a command, as the runner unescapes it.
fn data(text: &str) -> String {
    mask::unmarked(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a property of a command.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_can_end_a_command_or_begin_another() {
        let forged = "x\r\n::set-env name=PATH::/tmp, 50%0A ##[add-path]/tmp";
        assert_eq!(data(forged), "x%0D%0A::set-env name=PATH::/tmp, 50%250A # #[add-path]/tmp");
        assert!(!property(forged).contains([':', ',', '\n', '\r']));
    }
}
