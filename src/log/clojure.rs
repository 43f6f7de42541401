//! The console of `clojure.test`, which Leiningen, the Clojure CLI and Kaocha's documentation reporter print alike.
//!
//! ```text
//! FAIL in (adds-items) (core_test.clj:7)
//! the cart of a guest
//! expected: (= 3 (add 1 1))
//!   actual: (not (= 3 2))
//!
//! Ran 2 tests containing 3 assertions.
//! 1 failures, 0 errors.
//! ```
//!
//! Failures are counted by assertion and tests by `deftest`, so that there can be more of the former.

use super::cases::{Case, counted, counts, cut, finish};
use super::{Grip, Line, Reader};
use crate::item::{Item, read_count};
use crate::report::{Counts, FileRef, Signal, Span};

pub(super) const NEEDLES: &[&str] = &["FAIL in (", "ERROR in (", " tests containing "];

/// How many lines one report may have.
const MAX_LINES: usize = 500;

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Clojure::default())
}

#[derive(Default)]
struct Clojure {
    case: Option<Case>,
    /// The first line of the totals, with the number of tests.
    ran: Option<(u64, Span)>,
    /// What was told of a run whose totals have not come.
    open: Option<(u64, u64, Span)>,
}

impl Reader for Clojure {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        if let Some((total, span)) = self.ran.take()
            && let Some((failures, errors)) = totals(text)
        {
            self.open = None;
            finish("clojure.test", counts(total, failures, errors, 0), false, span.join(line.span), out);
            return Grip::Take;
        }
        if let Some((name, place, signal)) = head(text) {
            self.close(out);
            let mut case = Case::new(name, line);
            (case.file, case.signal) = (place, Some(signal));
            self.case = Some(case);
            let (failed, errored, span) = self.open.unwrap_or((0, 0, line.span));
            let is_error = u64::from(signal == Signal::Unhandled);
            self.open = Some((failed + 1 - is_error, errored + is_error, span.join(line.span)));
            return Grip::Hold;
        }
        if let Some(total) = ran(text) {
            self.close(out);
            self.ran = Some((total, line.span));
            return Grip::Hold;
        }
        let Some(case) = &mut self.case else { return Grip::Pass };
        if text.is_empty() || case.lines >= MAX_LINES || text.starts_with("lein test ") {
            self.close(out);
            return Grip::Pass;
        }
        let said = text.trim();
        if said.starts_with("at ") || case.stack {
            case.jvm_frame(line, said.strip_prefix("at ").unwrap_or(said));
        } else if said != "Uncaught exception, not in assertion." && said != "expected: nil" {
            case.push(Line { text: said.strip_prefix("actual: ").unwrap_or(said).trim_start(), span: line.span });
        } else {
            case.cover(line);
        }
        Grip::Hold
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.close(out);
        if let Some((failed, errored, span)) = self.open.take() {
            let counts = Counts { failed, errored, total: failed + errored, ..Counts::default() };
            cut("clojure.test", counts, span, out);
        }
    }
}

impl Clojure {
    fn close(&mut self, out: &mut dyn FnMut(Item)) {
        if let Some(case) = self.case.take() {
            case.tell(out);
        }
    }
}

/// `FAIL in (adds-items) (core_test.clj:7)`.
fn head(text: &str) -> Option<(&str, Option<FileRef>, Signal)> {
    let (rest, signal) = match text.strip_prefix("FAIL in (") {
        Some(rest) => (rest, Signal::Assertion),
        None => (text.strip_prefix("ERROR in (")?, Signal::Unhandled),
    };
    let (name, place) = rest.split_once(") (")?;
    let (path, number) = place.strip_suffix(')')?.rsplit_once(':')?;
    let file = number.parse().ok().map(|number| FileRef::new(path, Some(number), None));
    (!name.is_empty()).then_some((name, file, signal))
}

/// `Ran 2 tests containing 3 assertions.`
fn ran(text: &str) -> Option<u64> {
    let (number, rest) = text.strip_prefix("Ran ")?.split_once(" tests containing ")?;
    rest.ends_with(" assertions.").then(|| read_count(number))?
}

/// `1 failures, 0 errors.`
fn totals(text: &str) -> Option<(u64, u64)> {
    match counted(text)?.as_slice() {
        [(failures, "failures"), (errors, "errors")] => Some((*failures, *errors)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::{Analyzer, Kind, Outcome, Report, Source};

    fn analyze(log: &str) -> Report {
        Analyzer::new().analyze([Source::bytes("log", log.as_bytes())])
    }

    const FAIL: &str = "lein test shop.core-test\n\nlein test :only shop.core-test/adds\n\nFAIL in (adds) \
                        (core_test.clj:7)\nexpected: (= 3 (add 1 1))\n  actual: (not (= 3 2))\n\n";
    const ERROR: &str = "ERROR in (totals) (core.clj:12)\nUncaught exception, not in assertion.\nexpected: nil\n  \
                         actual: java.lang.NullPointerException: null\n at shop.core$total.invoke (core.clj:12)\n    \
                         clojure.lang.AFn.run (AFn.java:22)\n\n";

    #[test]
    fn failures_errors_and_totals() {
        let log = format!("{FAIL}{ERROR}Ran 3 tests containing 4 assertions.\n1 failures, 1 errors.\nTests failed.\n");
        let report = analyze(&log);
        let tests = report.tests.expect("the totals are told");
        assert_eq!((tests.total, tests.failed, tests.errored), (3, 1, 1));
        let kinds: Vec<(Kind, u64)> = report.causes.iter().map(|cause| (cause.kind, cause.evidence[0].line)).collect();
        assert_eq!(kinds, [(Kind::Assertion, 6), (Kind::UndefinedValue, 12)], "{report:#?}");
    }

    #[test]
    fn a_green_run_passed_and_a_cut_one_did_not() {
        let report = analyze("Ran 3 tests containing 4 assertions.\n0 failures, 0 errors.\n");
        assert_eq!((report.outcome, report.tests.map(|tests| tests.total)), (Outcome::Passed, Some(3)));
        assert_eq!(analyze(FAIL).outcome, Outcome::Failed);
        assert_ne!(analyze("Ran 3 tests containing 4 assertions.\n").outcome, Outcome::Passed);
    }
}
