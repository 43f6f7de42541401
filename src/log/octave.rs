//! The totals of GNU Octave's tests: of one file by `test`, of a folder by `oruntests`, of Octave itself by `make check`.
//!
//! ```text
//!   add1.m ...................................................... PASS      1/6
//!                                                                   FAIL    3
//!                                                              REGRESSION   1
//!                                                  (missing feature) SKIP   1
//! ```

use std::sync::LazyLock;

use crate::pattern::Regex;

use super::cases::finish;
use super::{Grip, Line, Reader};
use crate::item::{Item, read_count};
use crate::pattern;
use crate::report::{Counts, Failure, Level, Signal, Span};

pub(super) const NEEDLES: &[&str] = &["PASSES ", " ... PASS ", ".... PASS ", ".... FAIL ", "  PASS          "];

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Octave::default())
}

#[derive(Default)]
struct Octave {
    sum: Option<Sum>,
}

#[derive(Default)]
struct Sum {
    counts: Counts,
    /// The file whose figures are being read, and how many of its tests failed.
    file: Option<String>,
    span: Span,
    blank: u32,
}

static PASSES: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^PASSES (?P<passed>\d+) out of (?P<total>\d+) tests?(?: \(\d+ (?:known|expected) failures?.*\)| \(.*\))?$",
    )
});

/// `  add1.m ........ PASS      1/6`, and the figures on lines of their own; older versions put them on one line.
static FILE: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^\s{1,4}(?P<file>\S+) \.{3,} (?P<figures>(?:PASS|FAIL)\s.*)$"));

static FIGURE: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"(?P<word>PASS|FAIL|REGRESSION|XFAIL|SKIP|SKIPPED)(?: \([^)]*\))?\s+(?P<number>\d+)(?:/(?P<of>\d+))?",
    )
});

/// A line that holds nothing but figures.
static FIGURES: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^\s+(?:\([^)]*\)\s+)?(?:(?:PASS|FAIL|REGRESSION|XFAIL|SKIP|SKIPPED)(?: \([^)]*\))?\s+\d+(?:/\d+)?\s*)+$",
    )
});

impl Sum {
    fn read(&mut self, figures: &str, line: Line<'_>, out: &mut dyn FnMut(Item)) {
        self.blank = 0;
        self.span = if self.span.line == 0 { line.span } else { self.span.join(line.span) };
        for found in FIGURE.captures_iter(figures) {
            let number = read_count(&found["number"]).unwrap_or(0);
            let counts = &mut self.counts;
            counts.total += number;
            match &found["word"] {
                "PASS" => counts.passed = Some(counts.passed.unwrap_or(0) + number),
                "FAIL" | "REGRESSION" => {
                    counts.failed += number;
                    if number > 0 {
                        let failure = Failure {
                            level: Level::Suite,
                            test: self.file.clone(),
                            signal: Some(Signal::Assertion),
                            text: vec![line.to_text()],
                            span: line.span,
                            count: number,
                            ..Failure::default()
                        };
                        out(Item::Failure(failure));
                    }
                }
                _ => counts.skipped += number,
            }
        }
    }
}

impl Octave {
    fn close(&mut self, out: &mut dyn FnMut(Item)) {
        if let Some(sum) = self.sum.take().filter(|sum| sum.counts.total > 0) {
            finish("octave", sum.counts, false, sum.span, out);
        }
    }
}

impl Reader for Octave {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        if let Some(found) = PASSES.captures(text) {
            let number = |name: &str| read_count(&found[name]).unwrap_or(0);
            let (passed, total) = (number("passed"), number("total"));
            // It stops at the first failure: what did not pass was known to fail.
            let skipped = total.saturating_sub(passed);
            finish("octave", super::cases::counts(total, 0, 0, skipped), false, line.span, out);
            return Grip::Take;
        }
        if let Some(found) = FILE.captures(text) {
            let sum = self.sum.get_or_insert_default();
            sum.file = Some(found["file"].to_owned());
            sum.read(&found["figures"], line, out);
            return Grip::Hold;
        }
        if FIGURES.is_match(text) && (self.sum.is_some() || text.starts_with("  PASS ")) {
            // The totals of Octave's own tests repeat what the files had.
            if text.starts_with("  PASS ") {
                self.sum = Some(Sum::default());
            }
            self.sum.get_or_insert_default().read(text, line, out);
            return Grip::Hold;
        }
        let Some(sum) = &mut self.sum else { return Grip::Pass };
        sum.blank += 1;
        let between = text.is_empty() || text.starts_with("Processing files in ") || text.starts_with("Summary:");
        if between && sum.blank < 10 {
            return Grip::Hold;
        }
        self.close(out);
        Grip::Pass
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.close(out);
    }
}
