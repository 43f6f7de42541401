//! Markdown for step summaries and comments.
//!
//! What a log said stands only in code spans and fenced blocks, where nothing is a link, a mention or markup, and
//! neither can be closed from inside: fences and spans are longer than any run of backticks in them. The few words
//! that stand outside are escaped. The whole fits into a comment.

use std::fmt::Write as _;

use super::{mask, text};
use crate::decide::Decision;
use crate::kind::Phase;
use crate::report::{Cause, Outcome, Report, Severity};

/// GitHub takes comments of 65,536 characters; GitLab of more.
const MAX_CHARACTERS: usize = 60_000;

/// Renders a report and its decision as Markdown.
#[must_use]
pub fn to_markdown(report: &Report, decision: &Decision) -> String {
    let (report, decision) = mask::safe(report, decision);
    let mut out = String::new();
    let (sign, word) = match report.outcome {
        Outcome::Failed => ("❌", "Failed"),
        Outcome::Passed => ("✅", "Passed"),
        Outcome::Unknown => ("❔", "Unknown"),
    };
    let _ = writeln!(out, "### {sign} {word} → {}\n", decision.action);
    if let Some(tests) = &report.tests {
        let _ = writeln!(out, "{}\n", text::counts(tests));
    }
    let mut end = String::new();
    for task in report.tasks.iter().take(20) {
        let title = task.title.as_ref().map_or_else(String::new, |title| format!(" {}", prose(&shortened(title, 100))));
        let _ = writeln!(end, "* {}{title}: {}", span(&shortened(&task.id, 100)), text::state(task));
    }
    if !report.tasks.is_empty() {
        end.push('\n');
    }
    next(&mut end, &decision);
    let warnings = report.notes.iter().filter(|note| note.severity == Severity::Warning);
    for note in warnings.take(10) {
        let source = note.source.as_ref().map_or_else(String::new, |source| format!("{}: ", span(source)));
        let _ = writeln!(end, "\n> ⚠️ {source}{}", prose(&note.message));
    }
    let mut shown = 0;
    for cause in &report.causes {
        let mut block = String::new();
        cause_block(&mut block, shown + 1, cause);
        if out.chars().count() + block.chars().count() + end.chars().count() > MAX_CHARACTERS {
            break;
        }
        out.push_str(&block);
        shown += 1;
    }
    let left = (report.causes.len() - shown) as u64 + report.causes_omitted;
    if left > 0 {
        let _ = writeln!(out, "and {}\n", text::plural(left, "more cause", "more causes"));
    }
    out.push_str(&end);
    mask::uncommanded(&out)
}

fn cause_block(out: &mut String, number: usize, cause: &Cause) {
    let _ = write!(out, "**{number}. {}**", escape(cause.kind.as_str()));
    if let Some(subject) = &cause.subject {
        let _ = write!(out, " {}", span(&shortened(subject, 200)));
    }
    if cause.count > 1 {
        let _ = write!(out, " ×{}", cause.count);
    }
    if cause.nature != cause.kind.nature() {
        let _ = write!(out, " ({})", cause.nature);
    }
    out.push_str("\n\n");
    let mut lines = String::new();
    let quotes = text::quotes(&cause.message, &cause.evidence, true);
    for (words, places) in quotes.iter().take(3) {
        let there = text::there(places[0]).map_or_else(String::new, |there| format!("  {}", shortened(&there, 200)));
        let _ = write!(lines, "{}{there}\n  {}\n", text::here(places[0]), shortened(words, 300));
        if let Some(others) = text::also(places) {
            let _ = writeln!(lines, "  {others}");
        }
    }
    out.push_str(&fenced(&lines));
    let more: usize = quotes.iter().skip(3).map(|(_, places)| places.len()).sum();
    if more > 0 {
        let _ = writeln!(out, "and {}\n", text::plural(more as u64, "more place", "more places"));
    }
    if !cause.tests.is_empty() && (cause.tests.len() > 1 || cause.tests.first() != cause.subject.as_ref()) {
        let names: Vec<String> = cause.tests.iter().take(5).map(|test| span(&shortened(test, 150))).collect();
        let more = cause.count.max(cause.tests.len() as u64) - names.len() as u64;
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let _ = writeln!(out, "in {}{more}\n", names.join(", "));
    }
}

fn next(out: &mut String, decision: &Decision) {
    let _ = writeln!(out, "**Next:** {}", prose(&text::what_next(decision)));
    for check in &decision.checks {
        let _ = writeln!(out, "\n* [ ] {}", prose(&shortened(check, 700)));
    }
    if decision.reasons.len() > 1 {
        let _ = writeln!(out, "\n<details><summary>Why</summary>\n");
        for reason in decision.reasons.iter().skip(1) {
            let _ = writeln!(out, "* {}", prose(&shortened(reason, 700)));
        }
        let _ = writeln!(out, "\n</details>");
    }
    if !decision.plan.is_empty() {
        out.push('\n');
    }
    for (index, repair) in decision.plan.iter().enumerate().take(20) {
        let _ = write!(out, "{}. ", index + 1);
        if let Some(task) = repair.task.as_ref().filter(|task| !repair.brief.contains(task.as_str())) {
            let _ = write!(out, "{}: ", span(task));
        }
        if repair.phase != Phase::Unknown {
            let _ = write!(out, "{}: ", repair.phase);
        }
        let brief = repair.brief.lines().find(|line| !line.trim().is_empty()).unwrap_or("");
        let _ = writeln!(out, "{}", prose(&shortened(brief.trim(), 500)));
    }
}

/// A block of code that its text cannot close.
pub(super) fn fenced(text: &str) -> String {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    let text = mask::unmarked(text);
    format!("{fence}text\n{}{fence}\n\n", if text.ends_with('\n') { text } else { text + "\n" })
}

/// Code within a line that its text cannot close.
pub(super) fn span(text: &str) -> String {
    let text = mask::unmarked(text).replace('\n', " ");
    let ticks = "`".repeat(longest_run(&text) + 1);
    // A span may neither begin nor end with a backtick of its own, nor be all white space.
    let pad = if text.starts_with('`') || text.ends_with('`') || text.trim().is_empty() { " " } else { "" };
    format!("{ticks}{pad}{text}{pad}{ticks}")
}

fn longest_run(text: &str) -> usize {
    let mut longest = 0;
    let mut run = 0;
    for byte in text.bytes() {
        run = if byte == b'`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

/// Words of ours in which words of a log may stand: no markup, no mention, no reference, no link.
pub(super) fn prose(text: &str) -> String {
    escape(&mask::unmarked(text))
}

pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut characters = text.chars().peekable();
    let mut before = '\n';
    while let Some(character) = characters.next() {
        let within = before.is_alphanumeric() && characters.peek().is_some_and(|next| next.is_alphanumeric());
        match character {
            '\n' => out.push_str("  \n"),
            // Within a word it emphasizes nothing, and names stay readable.
            '_' if within => out.push('_'),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' => {
                out.push('\\');
                out.push(character);
            }
            // A list begins at the start of a line only, and a link needs the bracket before.
            '-' | '+' if before == '\n' => {
                out.push('\\');
                out.push(character);
            }
            '(' if before == ']' => out.push_str("\\("),
            // Mentions, references and links are found in the text after markup is resolved, so a backslash does not
            // help; a space of no width behind the sign does.
            '@' | '#' | '!' | '$' | '%' | '~' | '&' => {
                out.push('\\');
                out.push(character);
                out.push('\u{200b}');
            }
            '.' if out.ends_with("www") => out.push_str("\u{200b}."),
            '/' if out.ends_with(":/") => out.push_str("\u{200b}/"),
            _ => out.push(character),
        }
        before = character;
    }
    out
}

pub(super) fn shortened(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_not_closed_from_inside() {
        assert_eq!(span("a"), "`a`");
        assert_eq!(span("`a`"), "`` `a` ``");
        assert_eq!(span("a ``` b"), "```` a ``` b ````".replace("` a", "`a").replace("b `", "b`"));
    }

    #[test]
    fn a_fence_is_not_closed_from_inside() {
        let block = fenced("x\n```\n<img src=x>\n````\n");
        assert!(block.starts_with("`````text\n"), "{block}");
        assert!(block.ends_with("`````\n\n"), "{block}");
    }

    #[test]
    fn prose_holds_no_markup() {
        let text = prose("<b>@team</b> see #12, [x](https://evil.example) www.evil.example **now**");
        for forged in ["<b>", "@t", "#1", "](", "://", "www.", "**"] {
            assert!(!text.contains(forged), "{forged} in {text}");
        }
    }
}
