//! Maven: the console of Surefire and Failsafe, all generations, and the errors of the compiler plug-in.
//!
//! Each class has a line of totals, each failing case a heading, and at the end the cases are listed again above the
//! totals of the module. Compile errors are printed twice.

use std::collections::HashSet;
use std::sync::LazyLock;

use crate::pattern::Regex;

use super::cases::{Case, MAX_HELD, counts, finish, is_jvm_frame, labeled};
use super::{Grip, Line, Reader};
use crate::item::{Item, Step};
use crate::pattern;
use crate::report::{Counts, Failure, FileRef, Level, Signal, Span};

pub(super) const NEEDLES: &[&str] = &[
    "Tests run: ",
    "<<< FAILURE!",
    "<<< ERROR!",
    " T E S T S",
    "Results :",
    "] Results:",
    "Total tests run: ",
    ".java:[",
    ".kt:[",
    ".scala:[",
    ".groovy:[",
];

/// How many compile errors are told apart.
const MAX_SEEN: usize = 10_000;

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Maven::default())
}

#[derive(Default)]
struct Maven {
    /// Within the tests of a module.
    tests: bool,
    /// The class whose line of totals came last.
    class: String,
    case: Option<Case>,
    /// Within the list above the totals of the module.
    list: Option<List>,
    /// Cases told since the module's tests began.
    told: u64,
    /// The totals that were read last; the next line of the same words repeats them.
    last: String,
    /// Compile errors that were told.
    seen: HashSet<(String, String)>,
    /// A compile error whose symbol stands on a line below.
    symbol: Option<Failure>,
    /// A package was missing, so that the classes in it are not found either.
    package_missing: bool,
    /// The totals of TestNG; the next line may tell of its hooks.
    testng: Option<(Counts, Span)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum List {
    Failed,
    Errored,
    Other,
}

static COMPILE: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^(?:\[ERROR\] |\[error\] )?(?P<path>\S[^\[\]]*\.\w+):\[(?P<line>\d+),(?P<column>\d+)\] (?:error: )?(?P<message>.+)$",
    )
});

static LISTED: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^\s*(?:Run \d+: )?(?P<name>[\w$.]+(?:->\S+)?[.:]?[\w$\[\]]*(?:\([^)]*\))?)(?::(?P<line>\d+))?(?:->\S+)?(?:[: ]\s*(?P<message>.*))?$",
    )
});

/// A line without the level in front.
fn unleveled(text: &str) -> (&str, bool) {
    for level in ["[ERROR]", "[INFO]", "[WARNING]", "[WARN]"] {
        if let Some(rest) = text.strip_prefix(level) {
            return (rest.strip_prefix(' ').unwrap_or(rest), true);
        }
    }
    (text, false)
}

/// `(javadoc) MissingJavadocMethod: Missing a Javadoc comment.`, as the plugin of Checkstyle writes what it finds.
fn is_check(message: &str) -> bool {
    let named = message.strip_prefix('(').and_then(|rest| rest.split_once(") "));
    let name = named.and_then(|(_, rest)| rest.split_once(": ")).map(|(name, _)| name);
    name.is_some_and(|name| {
        name.starts_with(|first: char| first.is_ascii_uppercase())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

impl Maven {
    fn flush(&mut self, out: &mut dyn FnMut(Item)) {
        if let Some(case) = self.case.take() {
            case.tell(out);
        }
    }

    /// A line of the case at hand; `None` where it is no more of it.
    fn in_case(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Option<Grip> {
        let case = self.case.as_mut()?;
        let (text, leveled) = unleveled(line.text);
        let head = text.contains("<<< ") || text.starts_with("Tests run:") || text.starts_with("Running ");
        let ends = leveled || head || text.trim().is_empty() && case.stack || case.lines > MAX_HELD;
        if ends {
            self.flush(out);
            return None;
        }
        if is_jvm_frame(text) {
            case.jvm_frame(line, text);
        } else {
            case.push(line);
        }
        Some(Grip::Hold)
    }

    fn heading(&mut self, text: &str, line: Line<'_>) -> Grip {
        let at = text.find("Time elapsed").or_else(|| text.find("<<< ")).unwrap_or(text.len());
        let name = text[..at].trim_end().trim_end_matches("--").trim();
        if name.is_empty() || name.contains(": ") {
            return Grip::Pass;
        }
        let name = match name.strip_suffix(')').and_then(|name| name.rsplit_once('(')) {
            // `method(Class)`; but `method(int)[1]` and `method()` are of JUnit 5.
            Some((method, class)) if class.contains('.') => format!("{class}.{method}"),
            _ if !self.class.is_empty() && !name.contains('.') => format!("{}.{name}", self.class),
            _ => name.to_owned(),
        };
        let mut case = Case::new(name, line);
        // A class that failed as a whole: its set-up.
        if case.name == self.class {
            case.level = Level::Suite;
        }
        self.case = Some(case);
        self.told += 1;
        Grip::Hold
    }

    /// A line of the list above the totals.
    fn in_list(&mut self, list: List, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let (text, _) = unleveled(line.text);
        if text.starts_with("Tests run:") {
            self.list = None;
            return self.totals(text, line, out);
        }
        let trimmed = text.trim();
        for (words, kind) in [
            ("Failed tests:", List::Failed),
            ("Failures:", List::Failed),
            ("Tests in error:", List::Errored),
            ("Errors:", List::Errored),
            ("Flakes:", List::Other),
            ("Flaked tests:", List::Other),
            ("Warnings:", List::Other),
        ] {
            if let Some(rest) = trimmed.strip_prefix(words) {
                self.list = Some(kind);
                return if rest.trim().is_empty() { Grip::Hold } else { self.listed(kind, rest, line, out) };
            }
        }
        if trimmed.starts_with("BUILD ") || trimmed.starts_with("---") {
            self.list = None;
            return Grip::Pass;
        }
        if trimmed.is_empty() { Grip::Hold } else { self.listed(list, text, line, out) }
    }

    /// An entry of the list. It is told only where the cases had no headings of their own.
    fn listed(&mut self, list: List, text: &str, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        if list == List::Other || self.told > 0 {
            return Grip::Hold;
        }
        if let Some(found) = LISTED.captures(text)
            && text.contains(['.', '('])
        {
            let name = found["name"].trim_end_matches([':', '.']).to_owned();
            let mut case = Case::new(name, line);
            case.signal = (list == List::Failed).then_some(Signal::Assertion);
            case.push(line);
            case.tell(out);
        }
        Grip::Hold
    }

    fn totals(&mut self, text: &str, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let Some(numbers) = labeled(text) else { return Grip::Pass };
        let number = |word: &str| numbers.iter().find(|(name, _)| *name == word).map_or(0, |(_, number)| *number);
        // JUnit's own text runner counts no errors.
        if !numbers.iter().any(|(name, _)| *name == "Errors") {
            return Grip::Pass;
        }
        if self.last == text && !self.tests {
            return Grip::Take;
        }
        text.clone_into(&mut self.last);
        let mut sum = counts(number("Tests run"), number("Failures"), number("Errors"), number("Skipped"));
        sum.flaky = number("Flakes");
        finish("surefire", sum, false, line.span, out);
        self.tests = false;
        self.told = 0;
        self.class.clear();
        Grip::Take
    }

    fn compile_error(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Option<Grip> {
        let found = COMPILE.captures(line.text)?;
        let place = format!("{}:{}:{}", &found["path"], &found["line"], &found["column"]);
        let message = found["message"].to_owned();
        if self.seen.len() < MAX_SEEN && !self.seen.insert((place, message)) {
            return Some(Grip::Take);
        }
        let file = FileRef::new(&found["path"], found["line"].parse().ok(), found["column"].parse().ok());
        let failure = Failure {
            level: Level::Diagnostic,
            file: Some(file),
            signal: Some(if is_check(&found["message"]) { Signal::Lint } else { Signal::Compile }),
            text: vec![line.to_text()],
            span: line.span,
            ..Failure::default()
        };
        let message = &found["message"];
        self.package_missing |= message.starts_with("package ") && message.ends_with("does not exist");
        if message.starts_with("cannot find symbol") {
            self.symbol = Some(failure);
            return Some(Grip::Hold);
        }
        out(Item::Failure(failure));
        Some(Grip::Take)
    }

    /// The lines below `cannot find symbol`, which name it.
    fn in_symbol(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Option<Grip> {
        let failure = self.symbol.as_mut()?;
        let (text, _) = unleveled(line.text);
        let text = text.trim_start();
        if text.starts_with("symbol") || text.starts_with("location") {
            let class = text.starts_with("symbol") && text.contains(" class ");
            failure.follow_on |= class && self.package_missing;
            failure.text.push(line.to_text());
            failure.span = failure.span.join(line.span);
            return Some(Grip::Hold);
        }
        self.tell_symbol(out);
        None
    }

    fn tell_symbol(&mut self, out: &mut dyn FnMut(Item)) {
        if let Some(failure) = self.symbol.take() {
            out(Item::Failure(failure));
        }
    }
}

impl Reader for Maven {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        if let Some(grip) = self.in_symbol(line, out) {
            return grip;
        }
        if let Some(grip) = self.in_case(line, out) {
            return grip;
        }
        if let Some(list) = self.list {
            return self.in_list(list, line, out);
        }
        let (text, _) = unleveled(line.text);
        if let Some((mut sum, span)) = self.testng.take() {
            // `Configuration Failures: 1, Skips: 2`: hooks, which are no tests.
            let hooks = labeled(text).filter(|numbers| numbers[0].0 == "Configuration Failures");
            sum.errored = hooks.as_ref().map_or(0, |numbers| numbers[0].1);
            finish("testng", sum, false, span, out);
            if hooks.is_some() {
                return Grip::Take;
            }
        }
        if text.trim() == "T E S T S" {
            out(Item::Step(Step { name: "surefire".to_owned(), span: line.span, command: true, ..Step::default() }));
            self.tests = true;
            self.told = 0;
            return Grip::Take;
        }
        if text == "Results :" || text == "Results:" {
            if !self.tests {
                return Grip::Pass;
            }
            self.list = Some(List::Other);
            return Grip::Hold;
        }
        if text.starts_with("Tests run: ") {
            if let Some((_, rest)) = text.split_once("Time elapsed: ") {
                let class = [" -- in ", " - in "].iter().find_map(|word| rest.split_once(word));
                if let Some((_, class)) = class {
                    class.trim().clone_into(&mut self.class);
                }
                return Grip::Take;
            }
            return self.totals(text, line, out);
        }
        if text.starts_with("Total tests run: ") && !self.tests {
            // TestNG without Surefire around it.
            let Some(numbers) = labeled(text).filter(|numbers| numbers.len() > 1) else {
                return Grip::Pass;
            };
            let number = |word: &str| numbers.iter().find(|(name, _)| *name == word).map_or(0, |(_, number)| *number);
            // An attempt that was made again is no test of its own.
            let total = number("Total tests run").saturating_sub(number("Retries"));
            let sum = counts(total, number("Failures"), 0, number("Skips"));
            self.testng = Some((sum, line.span));
            return Grip::Hold;
        }
        if text.contains("<<< FAILURE!") || text.contains("<<< ERROR!") {
            return self.heading(text, line);
        }
        self.compile_error(line, out).unwrap_or(Grip::Pass)
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        if let Some((sum, span)) = self.testng.take() {
            finish("testng", sum, false, span, out);
        }
        self.tell_symbol(out);
        self.flush(out);
    }
}
