//! What the solvers of uv and conda could not solve, and what Mix and Maven miss: the package stands below the head, in
//! prose that is wrapped or in a list; with Maven above the last line.
//!
//! ```text
//!   × No solution found when resolving dependencies:
//!   ╰─▶ Because only flask<=3.0.3 is available and you require flask>=9.0, we
//!       can conclude that your requirements are unsatisfiable.
//! ```

use std::sync::LazyLock;

use super::{Above, Grip, Line, Reader};
use crate::item::Item;
use crate::pattern::{self, Regex};
use crate::report::{Failure, Level, Span, TextLine};

pub(super) const NEEDLES: &[&str] = &[
    "No solution found when resolving",
    "PackagesNotFoundError: ",
    "ResolvePackageNotFound:",
    "Unchecked dependencies for environment",
    " required artifact is missing",
    " required artifacts are missing",
];

/// The heads of lists.
const HEADS: &[&str] =
    &["PackagesNotFoundError: ", "ResolvePackageNotFound:", "Unchecked dependencies for environment"];

/// How many lines above its last the list of Maven is looked for.
const MAX_LIST: usize = 40;

/// How many lines the prose has at most.
const MAX_LINES: usize = 60;

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Solver::default())
}

#[derive(Default)]
struct Solver {
    text: Vec<TextLine>,
    /// What is told is a list, and what stands in it.
    list: bool,
    subject: Option<String>,
    lines: usize,
    above: Vec<TextLine>,
}

/// The package that the prose is about: the one that no index has, the one of which no version fits.
static PACKAGE: LazyLock<[Regex; 3]> = LazyLock::new(|| {
    [
        pattern::regex(r"[Bb]ecause (?P<name>[\w.-]+) was not found in the "),
        pattern::regex(
            r"[Bb]ecause (?:there (?:is|are) no versions? of |only (?:the following versions of )?)(?P<name>[A-Za-z0-9][\w.-]*)",
        ),
        pattern::regex(r"[Bb]ecause (?:you require \S+ and )?\S+ depends on (?P<name>[A-Za-z0-9][\w.-]*)"),
    ]
});

impl Reader for Solver {
    fn looks_back(&self) -> usize {
        MAX_LIST
    }

    fn above(&mut self, above: Above<'_>) {
        self.above = above.cloned().collect();
    }

    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.trimmed();
        if self.text.is_empty() {
            if text.contains(" missing") {
                return self.maven(line, out);
            }
            let list = HEADS.iter().any(|head| text.contains(head));
            if !list && !text.contains("No solution found when resolving") {
                return Grip::Pass;
            }
            *self = Solver { text: vec![line.to_text()], list, ..Solver::default() };
            return Grip::Hold;
        }
        self.lines += 1;
        let own = if self.list { self.item(text) || self.reason(line) } else { self.prose(line) };
        if own && self.lines < MAX_LINES {
            return Grip::Hold;
        }
        self.finish(out);
        Grip::Pass
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.finish(out);
    }
}

impl Solver {
    /// Takes a line of the list of packages.
    fn item(&mut self, text: &str) -> bool {
        let Some(item) = text.strip_prefix("- ").or_else(|| text.strip_prefix("* ")) else {
            return text.is_empty() && self.subject.is_none();
        };
        if self.subject.is_none() {
            let item = item.rsplit("::").next().unwrap_or(item);
            let name = item.split(['=', '<', '>', ' ', '[', '!', '~']).next().unwrap_or(item);
            self.subject = Some(name.to_owned());
        }
        true
    }

    /// Takes what Mix says of an item of its list.
    fn reason(&mut self, line: Line<'_>) -> bool {
        let own = line.indent() > 0 && self.subject.is_some() && self.text[0].text.starts_with("Unchecked ");
        if own && self.text.len() == 1 {
            self.text.push(line.to_text());
        }
        own
    }

    /// What Maven misses stands in a numbered list far above the line that counts it.
    fn maven(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let bare = |text: &str| text.trim_start_matches("[ERROR]").trim().to_owned();
        let above = std::mem::take(&mut self.above);
        let listed = above.iter().take_while(|line| !bare(&line.text).ends_with("Missing:"));
        let item = listed.filter(|line| bare(&line.text).starts_with("1) ")).last();
        let Some(item) = item.filter(|item| bare(&item.text).matches(':').count() >= 3) else { return Grip::Pass };
        let subject = bare(&item.text).split_once(' ').map(|(_, item)| item.to_owned());
        let (text, span) = (vec![line.to_text(), item.clone()], item.span.join(line.span));
        out(Item::Failure(Failure { level: Level::Diagnostic, subject, text, span, count: 1, ..Failure::default() }));
        Grip::Take
    }

    /// Takes a line of the prose.
    fn prose(&mut self, line: Line<'_>) -> bool {
        let text = line.trimmed();
        if ["╰─▶ ", "`-> "].iter().any(|arrow| text.starts_with(arrow)) && self.text.len() == 1 {
            self.text.push(line.to_text());
            return true;
        }
        let wrapped = line.indent() >= 4 && self.text.len() == 2;
        if wrapped && let Some(prose) = self.text.last_mut() {
            prose.text.push(' ');
            prose.text.push_str(text);
        }
        wrapped
    }

    fn finish(&mut self, out: &mut dyn FnMut(Item)) {
        let Solver { text, mut subject, list, .. } = std::mem::take(self);
        let (Some(first), Some(last)) = (text.first(), text.last()) else { return };
        let span: Span = first.span.join(last.span);
        if let Some(prose) = text.get(1).filter(|_| !list) {
            let found = PACKAGE.iter().find_map(|package| package.captures(&prose.text));
            subject = found.map(|found| found["name"].trim_end_matches('.').to_owned());
        }
        out(Item::Failure(Failure { level: Level::Diagnostic, subject, text, span, count: 1, ..Failure::default() }));
    }
}

#[cfg(test)]
mod tests {
    #[track_caller]
    fn check(log: &str, kind: &str, subject: &str) {
        let report = crate::Analyzer::new().analyze([crate::Source::bytes("log", log.as_bytes())]);
        let found = report.causes.iter().map(|cause| (cause.kind.as_str(), cause.subject.as_deref().unwrap_or("")));
        assert_eq!(found.collect::<Vec<_>>(), [(kind, subject)], "{log}");
    }

    #[test]
    fn prose_that_is_wrapped() {
        let head = "  × No solution found when resolving dependencies:\n  ╰─▶ Because ";
        check(
            &format!(
                "{head}frob was not found in the\n      package registry and you require frob, we can\n      give up\n"
            ),
            "missing_resource",
            "frob",
        );
        check(
            &format!("{head}only flask<=3.0.3 is available and you require flask>=9.0, we\n      can\n"),
            "dependency_conflict",
            "flask",
        );
        check(
            &format!("{head}acme==1.0.0 depends on pydantic<2 and you require pydantic>=2,\n      we can\n"),
            "dependency_conflict",
            "pydantic",
        );
    }

    #[test]
    fn lists_of_packages() {
        let mix =
            "Unchecked dependencies for environment test:\n* cowboy (Hex package)\n  the dependency is not available\n";
        check(&format!("{mix}** (Mix) Can't continue due to errors on dependencies\n"), "missing_module", "cowboy");
        for mark in ["", "[ERROR] "] {
            let head = format!("{mark}Missing:\n{mark}----------\n{mark}1) com.acme:widgets:jar:1.2.3\n{mark}\n");
            let path = format!("{mark}Path to dependency:\n{mark}1) com.acme:shop:jar:1.0\n{mark}----------\n");
            let log = format!("{head}{path}{mark}1 required artifact is missing.\n");
            check(&log, "missing_resource", "com.acme:widgets:jar:1.2.3");
        }
        check("ResolvePackageNotFound: \n  - conda-forge::frob=9.1\n", "missing_resource", "frob");
        check("PackagesNotFoundError: The following are not available:\n\n  - frob\n\nx\n", "missing_resource", "frob");
    }
}
