//! The consoles of OUnit and Alcotest, with which OCaml is tested.
//!
//! ```text
//! Error: cart:0:total (in the log).
//!
//! Raised at OUnitAssert.assert_failure in file "src/lib/ounit2/advanced/oUnitAssert.ml", line 45, characters 2-27
//!
//! expected: 42 but got: 41
//! ------------------------------------------------------------------------------
//! FAILED: Cases: 4 Tried: 4 Errors: 1 Failures: 1 Skip:  1 Todo: 0 Timeouts: 0.
//! ```
//!
//! Alcotest shows the output of a failed case in a frame; without `-e` only that of the first, so that of the others
//! only the names are known.

use std::sync::LazyLock;

use crate::pattern::Regex;

use super::cases::{Case, MAX_HELD, counts, finish};
use super::{Grip, Line, Reader};
use crate::item::{Item, read_count};
use crate::pattern;
use crate::report::{FileRef, Signal};

pub(super) const NEEDLES: &[&str] = &[
    " (in the log).",
    "FAILED: Cases: ",
    "OK: Cases: ",
    "[FAIL]  ",
    "Test Successful in ",
    " tests run.",
    " test run.",
];

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(OCaml::default())
}

#[derive(Default)]
struct OCaml {
    case: Option<Case>,
    form: Form,
    /// The cases of Alcotest by their lines, of which only some are shown in full.
    named: Vec<Case>,
    /// The names of those that were shown.
    shown: Vec<String>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Form {
    #[default]
    OUnit,
    Alcotest,
}

/// `Error: cart:0:total (in the log).`
static HEAD: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^(?:Error|Failure): (?P<name>\S.*) \(in the log\)\.$"));

static TOTALS: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^FAILED: Cases: (?P<total>\d+) Tried: \d+ Errors: +(?P<errors>\d+) Failures: +(?P<failed>\d+) Skip: +(?P<skipped>\d+) Todo: +(?P<todo>\d+)(?: Timeouts: +(?P<late>\d+))?\.?$",
    )
});

static PASSED: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^OK: Cases: (?P<total>\d+)(?: Skip: (?P<skipped>\d+))?"));

/// `│ [FAIL]        cart          0   total.      │`, and without the bars in the list.
static FAIL: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^(?P<mark>[│|>]?)\s*\[FAIL\]\s+(?P<suite>\S.*?)\s{2,}(?P<number>\d+)\s+(?P<name>\S.*?)\.?\s*(?:[│|])?$",
    )
});

static ENDED: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^(?:Test Successful|(?P<failed>\d+) (?:failures?|errors?)!) in [\d.]+s\. (?P<total>\d+) tests? run\.$",
    )
});

static RAISED: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r#"^(?:Raised (?:at|by primitive operation at)|Re-raised at|Called from) .*file "(?P<path>[^"]+)", line (?P<line>\d+)"#,
    )
});

impl OCaml {
    fn close(&mut self, out: &mut dyn FnMut(Item)) {
        let Some(mut case) = self.case.take() else { return };
        if self.form == Form::OUnit {
            let thrown = case.text.iter().any(|line| line.text.contains("exception") || is_thrown(&line.text));
            case.signal = case.signal.or(Some(if thrown { Signal::Unhandled } else { Signal::Assertion }));
        }
        case.tell(out);
    }

    fn within(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Option<Grip> {
        let case = self.case.as_mut()?;
        let text = line.text.trim();
        let ruler = text.chars().filter(|sign| matches!(sign, '-' | '=' | '─')).count() > 20;
        if case.lines > MAX_HELD || ruler && (self.form == Form::OUnit || case.lines > 1) {
            self.close(out);
            return Some(Grip::Take);
        }
        if let Some(found) = RAISED.captures(text) {
            let path = &found["path"];
            let foreign = ["stdlib", "oUnit", "alcotest", "src/lib/"].iter().any(|part| path.contains(part));
            let place = || FileRef::new(path, found["line"].parse().ok(), None);
            case.frame(line, (!foreign).then(place));
            return Some(Grip::Hold);
        }
        match self.form {
            Form::OUnit => {
                if text.is_empty() {
                    case.cover(line);
                } else {
                    case.push(Line { text, span: line.span });
                }
            }
            Form::Alcotest => {
                let frame = ruler || text.starts_with("Logs saved to ") || text.is_empty();
                if frame {
                    case.cover(line);
                } else if let Some(said) = text.strip_prefix("[failure] ").or_else(|| text.strip_prefix("[exception] "))
                {
                    case.signal = Some(Signal::Unhandled);
                    case.push(Line { text: said, span: line.span });
                } else {
                    case.push(Line { text, span: line.span });
                }
            }
        }
        Some(Grip::Hold)
    }
}

/// `Failure("no database")`, `Not_found`, `Invalid_argument("index out of bounds")`.
fn is_thrown(text: &str) -> bool {
    let name = text.split(['(', ' ']).next().unwrap_or(text);
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'));
    plain && name.starts_with(|first: char| first.is_ascii_uppercase()) && (text.contains('(') || name == text)
}

impl Reader for OCaml {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        if let Some(grip) = self.within(line, out) {
            return grip;
        }
        let text = line.text;
        if let Some(found) = TOTALS.captures(text) {
            let number = |name: &str| found.name(name).and_then(|number| read_count(number.as_str())).unwrap_or(0u64);
            let skipped = number("skipped") + number("todo");
            let sum = counts(number("total"), number("failed") + number("late"), number("errors"), skipped);
            finish("ounit", sum, true, line.span, out);
            return Grip::Take;
        }
        if let Some(found) = PASSED.captures(text) {
            let number = |name: &str| found.name(name).and_then(|number| read_count(number.as_str())).unwrap_or(0u64);
            finish("ounit", counts(number("total"), 0, 0, number("skipped")), false, line.span, out);
            return Grip::Take;
        }
        if let Some(found) = FAIL.captures(text) {
            let name = format!("{} > {}", &found["suite"], &found["name"]);
            let framed = matches!(&found["mark"], "│" | "|");
            let mut case = Case::new(name.clone(), line);
            case.signal = Some(Signal::Assertion);
            if framed {
                self.shown.push(name);
                case.signal = None;
                self.form = Form::Alcotest;
                self.case = Some(case);
                return Grip::Hold;
            }
            if self.named.len() < 10_000 {
                self.named.push(case);
            }
            return Grip::Take;
        }
        if let Some(found) = ENDED.captures(text) {
            let OCaml { named, shown, .. } = std::mem::take(self);
            for case in named.into_iter().filter(|case| !shown.contains(&case.name)) {
                case.tell(out);
            }
            let number = |name: &str| found.name(name).and_then(|number| read_count(number.as_str())).unwrap_or(0u64);
            finish("alcotest", counts(number("total"), number("failed"), 0, 0), false, line.span, out);
            return Grip::Take;
        }
        if let Some(found) = HEAD.captures(text) {
            self.form = Form::OUnit;
            self.case = Some(Case::new(&found["name"], line));
            return Grip::Hold;
        }
        Grip::Pass
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.close(out);
        for case in std::mem::take(&mut self.named).into_iter().filter(|case| !self.shown.contains(&case.name)) {
            case.tell(out);
        }
    }
}
