//! The events of `go test -json`, one JSON object a line.
//!
//! Lines that are no events stand between them: the compiler writes to the same stream up to Go 1.23. They are left to
//! the readers of the console. Output may be attributed to the wrong case and may follow the case's end, and a case
//! that was running when its process died has no end; the result of the package settles both.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use super::Sure;
use super::json::Cursor;
use crate::item::{Item, weight_of_entry, weight_of_lines};
use crate::log::go::package::{End, MAX_KEPT, Package};
use crate::log::go::{located, without_cores};
use crate::log::{Grip, Line, Reader};
use crate::report::{Failure, Level, Note, Outcome, Signal, Span, TextLine};

pub(crate) const NEEDLES: &[&str] = &["\"Action\":\""];

/// How many packages may be open before the oldest is given up.
const MAX_PACKAGES: usize = 4096;

/// How many lines of a compiler are kept for one build.
const MAX_BUILD_LINES: usize = 100;

/// How many bytes are kept of what the compiler says of builds that have not ended.
const MAX_BUILD_BYTES: usize = 4 * 1024 * 1024;

/// The longest line that may come in pieces.
const MAX_PARTIAL: usize = 16 * 1024;

pub(crate) fn open() -> Box<dyn Reader> {
    Box::new(GoTestJson::default())
}

/// The key `Action` with a capital is Go's own; events of a package carry its path.
pub(crate) fn sniff(head: &[u8]) -> Option<Sure> {
    let line = head.split(|byte| *byte == b'\n').next()?;
    let text = String::from_utf8_lossy(&line[..line.len().min(4096)]);
    (Event::parse(&text).is_some() || text.starts_with("{\"Time\":\"") && text.contains("\"Action\":\""))
        .then_some(Sure::Certain)
}

#[derive(Default)]
struct Event<'t> {
    action: Cow<'t, str>,
    package: Cow<'t, str>,
    test: Option<Cow<'t, str>>,
    output: Option<Cow<'t, str>>,
    import_path: Option<Cow<'t, str>>,
    failed_build: Option<Cow<'t, str>>,
}

impl<'t> Event<'t> {
    fn parse(text: &'t str) -> Option<Self> {
        let text = text.trim_start();
        if !text.starts_with('{') {
            return None;
        }
        let mut event = Event::default();
        let read = Cursor::new(text.as_bytes()).object(|key, cursor| {
            let member = match key {
                "Action" => &mut event.action,
                "Package" => &mut event.package,
                "Test" => event.test.get_or_insert_default(),
                "Output" => event.output.get_or_insert_default(),
                "ImportPath" => event.import_path.get_or_insert_default(),
                "FailedBuild" => event.failed_build.get_or_insert_default(),
                _ => return cursor.skip(),
            };
            *member = cursor.maybe_text()?.map(|text| text.decode()).unwrap_or_default();
            Ok(())
        });
        let said = |member: Option<Cow<'t, str>>| member.filter(|text| !text.is_empty());
        event.test = said(event.test);
        event.import_path = said(event.import_path);
        event.failed_build = said(event.failed_build);
        let known = !event.action.is_empty() && (!event.package.is_empty() || event.import_path.is_some());
        (read.is_ok() && known).then_some(event)
    }

    /// The event that stands behind words that nobody knows.
    fn behind(text: &'t str) -> Option<Self> {
        let start = text.find("{\"").filter(|start| *start > 0 && text.ends_with('}'))?;
        Event::parse(&text[start..])
    }
}

#[derive(Default)]
struct GoTestJson {
    packages: HashMap<String, Open>,
    /// Their names in the order of their starts.
    in_order: BTreeMap<u64, String>,
    started: u64,
    /// About how many bytes the packages take that have not ended.
    kept: usize,
    keep_passed: bool,
    builds: HashMap<String, Vec<TextLine>>,
    /// About how many bytes those take.
    build_bytes: usize,
    /// Not all that the compiler said was kept.
    beyond: bool,
}

/// A package that has not ended.
#[derive(Default)]
struct Open {
    package: Package,
    /// Text of the last output that did not end its line, and whose it is.
    partial: Option<(Option<String>, String)>,
    order: u64,
    empty: bool,
}

impl Reader for GoTestJson {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let Some(event) = Event::parse(line.text).or_else(|| Event::behind(line.text)) else {
            return if self.packages.is_empty() { Grip::Pass } else { Grip::Watch };
        };
        self.event(event, line.span, out);
        Grip::Hold
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        let mut open: Vec<(String, Open)> = self.packages.drain().collect();
        open.sort_by_key(|(_, open)| open.order);
        for (name, Open { package, .. }) in open {
            let message = format!("the events of package {name} end before its result");
            give_up(&name, package, message, out);
        }
    }

    fn yields_to_report(&self) -> bool {
        false
    }

    fn keep_passed(&mut self) {
        self.keep_passed = true;
    }
}

impl GoTestJson {
    fn event(&mut self, event: Event<'_>, span: Span, out: &mut dyn FnMut(Item)) {
        let Event { action, package: name, test, output, import_path, failed_build } = event;
        if let Some(path) = import_path {
            self.build(&action, &path, output.as_deref(), span, out);
            return;
        }
        if !self.packages.contains_key(&*name) {
            // Nobody knows how a package ended that is given up, so that it never passes.
            while self.packages.len() >= MAX_PACKAGES
                && let Some((_, oldest)) = self.in_order.pop_first()
            {
                if let Some(open) = self.packages.remove(&oldest) {
                    self.kept = self.kept.saturating_sub(open.kept());
                    let message = format!("more packages run at once than are kept; {oldest} is given up");
                    give_up(&oldest, open.package, message, out);
                }
            }
            self.started += 1;
            self.in_order.insert(self.started, name.to_string());
            let mut open = Open { order: self.started, ..Open::default() };
            open.package.passing = self.keep_passed.then(Vec::new);
            open.package.kept = 2 * (name.len() + size_of::<(String, Open)>());
            self.kept += open.package.kept;
            self.packages.insert(name.to_string(), open);
        }
        let open = self.packages.get_mut(&*name).expect("it is there by now");
        let before = open.kept();
        open.package.crowded = self.kept >= MAX_KEPT;
        let package = &mut open.package;
        package.saw(span);
        match (&*action, test.as_deref()) {
            // Each of its cases will be told, and one that cannot be built has none.
            ("start", None) => package.verbose = true,
            ("output", test) => {
                let Some(output) = output else { return };
                // The runner may write a line in pieces; a benchmark's name and its figures come apart.
                let text = match open.partial.take() {
                    Some((of, before)) if of.as_deref() == test => Cow::Owned(before + &output),
                    _ => output,
                };
                if !text.ends_with('\n') && text.len() < MAX_PARTIAL && !open.package.crowded {
                    open.partial = Some((test.map(str::to_owned), text.into_owned()));
                } else {
                    for text in text.trim_end_matches(['\n', '\r']).split('\n') {
                        open.print(test, text, span);
                    }
                }
            }
            ("run", Some(test)) => package.start(test, span),
            ("pass", Some(test)) => package.finish(test, End::Pass, span),
            ("fail", Some(test)) => package.finish(test, End::Fail, span),
            ("skip", Some(test)) => package.finish(test, End::Skip, span),
            ("bench", Some(test)) => package.benchmark(without_cores(test), span),
            ("pass" | "fail" | "skip", None) => {
                let Some(Open { package, empty, order, .. }) = self.packages.remove(&*name) else { return };
                self.in_order.remove(&order);
                self.kept = self.kept.saturating_sub(before);
                let outcome = match &*action {
                    "fail" => Outcome::Failed,
                    "pass" if !empty || package.has_cases() => Outcome::Passed,
                    _ => Outcome::Unknown,
                };
                if action == "skip" && !package.has_cases() {
                    return;
                }
                let line = failed_build.map(|build| TextLine { text: format!("FAIL {build} [build failed]"), span });
                return package.end(&name, outcome, line, out);
            }
            _ => {}
        }
        self.kept = self.kept.saturating_sub(before) + open.kept();
    }

    /// What the compiler says, as events since Go 1.24.
    fn build(&mut self, action: &str, path: &str, output: Option<&str>, span: Span, out: &mut dyn FnMut(Item)) {
        match action {
            "build-output" => {
                let known = self.builds.get(path).map(Vec::len);
                let text = output.unwrap_or_default().trim_end();
                let bytes =
                    known.map_or_else(|| weight_of_build(path, &[]), |_| 0) + size_of::<TextLine>() + text.len();
                if self.build_bytes + bytes > MAX_BUILD_BYTES {
                    self.beyond = true;
                } else if known.unwrap_or(0) < MAX_BUILD_LINES {
                    self.build_bytes += bytes;
                    let line = TextLine { text: text.to_owned(), span };
                    self.builds.entry(path.to_owned()).or_default().push(line);
                }
            }
            "build-fail" => {
                let known = self.builds.remove(path);
                let bytes = known.as_ref().map_or(0, |lines| weight_of_build(path, lines));
                self.build_bytes = self.build_bytes.saturating_sub(bytes);
                let mut lines = known.unwrap_or_default();
                if lines.is_empty() && self.beyond {
                    let text = format!("the build of {path} failed, and what the compiler said was not kept");
                    lines.push(TextLine { text, span });
                }
                let mut failures = Vec::new();
                for line in lines {
                    if line.text.starts_with("# ") || line.text.is_empty() {
                        continue;
                    }
                    let place = located(&line.text);
                    match failures.last_mut() {
                        // Details of an error stand on lines of their own.
                        Some(Failure { text, .. }) if place.is_none() => text.push(line),
                        _ => failures.push(Failure {
                            level: Level::Diagnostic,
                            signal: Some(Signal::Compile),
                            file: place.map(|(file, _)| file),
                            span: line.span,
                            text: vec![line],
                            ..Failure::default()
                        }),
                    }
                }
                failures.into_iter().for_each(|failure| out(Item::Failure(failure)));
            }
            _ => {}
        }
    }
}

/// Ends a package of which nobody knows how it ended.
fn give_up(name: &str, package: Package, message: String, out: &mut dyn FnMut(Item)) {
    let outcome = if package.any_failed() || package.has_died() { Outcome::Failed } else { Outcome::Unknown };
    out(Item::Note(Note::warning(package.last_line(), message)));
    package.end(name, outcome, None, out);
}

/// About how many bytes the lines of a build take, with its path as a key.
fn weight_of_build(path: &str, lines: &[TextLine]) -> usize {
    weight_of_entry::<String, Vec<TextLine>>(path.len()) + weight_of_lines(lines)
}

impl Open {
    /// About how many bytes it takes.
    fn kept(&self) -> usize {
        let partial = self.partial.as_ref();
        self.package.kept + partial.map_or(0, |(of, text)| of.as_ref().map_or(0, String::len) + text.len())
    }

    fn print(&mut self, test: Option<&str>, text: &str, span: Span) {
        if text.starts_with("Benchmark") && text.contains(" ns/op") {
            let name = text.split_whitespace().next().unwrap_or(text);
            self.package.benchmark(without_cores(name), span);
            return;
        }
        if text.starts_with("testing: warning: no tests to run") || text.ends_with("[no tests to run]") {
            self.empty = true;
        }
        let own = text.starts_with("=== ")
            || text.trim_start().starts_with("--- ")
            || text.is_empty()
            || test.is_none() && (text == "PASS" || text == "FAIL" || text.starts_with("ok  \t"));
        if !own {
            self.package.print(test, Line { text, span });
        }
    }
}
