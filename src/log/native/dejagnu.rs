//! The console and the `.sum` file of DejaGnu, which tests compilers and debuggers.
//!
//! ```text
//! Running testsuite/cart.test/a.exp ...
//! FAIL: totals: expected 3, got 2
//!
//!         === cart Summary ===
//!
//! # of expected passes            2
//! # of unexpected failures        1
//! ```

use std::sync::LazyLock;

use crate::pattern::Regex;

use super::super::cases::{Case, finish};
use super::super::{Grip, Line, Reader};
use crate::item::{Item, read_count};
use crate::pattern;
use crate::report::{Counts, FileRef, Level, Signal, Span};

pub(in crate::log) const NEEDLES: &[&str] = &[".exp ...", " Summary ===", "# of expected passes", "# of unexpected "];

/// How many lines of others may stand between two results.
const PATIENCE: u32 = 20_000;

pub(in crate::log) fn open() -> Box<dyn Reader> {
    Box::new(DejaGnu::default())
}

#[derive(Default)]
struct DejaGnu {
    active: bool,
    /// The script at hand.
    script: String,
    /// A script that broke off, with what was said of it.
    broken: Option<Case>,
    totals: Option<(Counts, Span)>,
    idle: u32,
}

static RUNNING: LazyLock<Regex> = LazyLock::new(|| pattern::regex(r"^Running (?P<path>\S+\.exp) \.\.\.$"));

static TOTAL: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^# of (?P<what>[a-z][a-z .-]*[a-z])\s+(?P<number>\d+)$"));

impl DejaGnu {
    fn close(&mut self, out: &mut dyn FnMut(Item)) {
        if let Some(case) = self.broken.take() {
            case.tell(out);
        }
    }

    fn finish(&mut self, out: &mut dyn FnMut(Item)) {
        self.close(out);
        if let Some((counts, span)) = std::mem::take(self).totals
            && counts.total > 0
        {
            finish("dejagnu", counts, false, span, out);
        }
    }

    fn total(&mut self, line: Line<'_>) -> bool {
        let Some(found) = TOTAL.captures(line.text) else { return false };
        let number = read_count(&found["number"]).unwrap_or(0);
        let fresh = || (Counts { passed: Some(0), ..Counts::default() }, line.span);
        let (counts, span) = self.totals.get_or_insert_with(fresh);
        *span = span.join(line.span);
        match &found["what"] {
            "expected passes" => counts.passed = Some(number),
            "unexpected failures" | "unexpected successes" | "unknown successes" => counts.failed += number,
            "unresolved testcases" => counts.errored += number,
            "expected failures" | "known failures" | "untested testcases" | "unsupported tests" => {
                counts.skipped += number;
            }
            _ => return true,
        }
        counts.total += number;
        true
    }

    fn result(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> bool {
        let Some((word, rest)) = line.text.split_once(": ") else { return false };
        match word {
            "FAIL" | "XPASS" | "KPASS" | "UNRESOLVED" => {
                self.close(out);
                // The script was told of already.
                if rest.starts_with("testcase '") {
                    return true;
                }
                let mut case = Case::new(rest.trim(), line);
                case.signal = Some(match () {
                    () if rest.contains("(timeout)") => Signal::TestTimeout,
                    () if rest.contains("internal compiler error") || rest.contains("GDB internal error") => {
                        Signal::Crash
                    }
                    () => Signal::Assertion,
                });
                case.file = Some(self.script.as_str())
                    .filter(|path| !path.is_empty())
                    .map(|path| FileRef::new(path, None, None));
                case.tell(out);
            }
            "ERROR" if rest.starts_with("tcl error sourcing ") || rest.starts_with("(DejaGnu) proc ") => {
                if self.broken.is_none() {
                    let mut case = Case::new(self.script.clone(), line);
                    (case.level, case.signal) = (Level::Suite, Some(Signal::Load));
                    self.broken = Some(case);
                }
            }
            "ERROR" => {
                if let Some(case) = &mut self.broken
                    && !rest.starts_with("tcl error code ")
                {
                    case.push(Line { text: rest, span: line.span });
                }
            }
            "PASS" | "XFAIL" | "KFAIL" | "UNTESTED" | "UNSUPPORTED" | "WARNING" | "NOTE" => {}
            _ => return false,
        }
        true
    }
}

impl Reader for DejaGnu {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        if let Some(found) = RUNNING.captures(text) {
            self.close(out);
            self.active = true;
            found["path"].clone_into(&mut self.script);
            self.idle = 0;
            return Grip::Hold;
        }
        let summary = text.trim().starts_with("=== ") && text.trim().ends_with(" Summary ===");
        if summary {
            self.close(out);
            self.active = true;
            return Grip::Hold;
        }
        if self.total(line) {
            return Grip::Hold;
        }
        if self.totals.is_some() {
            self.finish(out);
            return Grip::Pass;
        }
        if !self.active {
            return Grip::Pass;
        }
        if self.result(line, out) {
            self.idle = 0;
            return Grip::Hold;
        }
        self.idle += 1;
        if let Some(case) = &mut self.broken {
            // The trace of Tcl.
            case.cover(line);
            if case.lines < 60 {
                return Grip::Hold;
            }
        }
        if self.idle > PATIENCE {
            self.finish(out);
            return Grip::Pass;
        }
        Grip::Watch
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.finish(out);
    }
}
