//! The console of `go test`, with `-v` and without.
//!
//! With `-v` each case tells its start, so that what passing cases print is kept away from the rules. Without it only
//! failures are named, and passed packages have one line each. A package that failed without a failing case counts as
//! one error, as other readers of this output count it.

pub(crate) mod package;

pub(crate) use self::package::located;
use self::package::{End, Package, is_unbuilt};
use super::{Grip, Line, Reader};
use crate::item::{Item, Mark, Scope, Step, TestRun};
use crate::report::{Counts, Failure, Level, Note, Outcome, Signal};

/// How many lines of others may follow one of the runner's before its run is given up.
const PATIENCE: u32 = 5000;

/// How many lines may follow the stack of a panic before it is taken for one of another program.
const PATIENCE_WITH_PANIC: u32 = 20;

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(GoTest::default())
}

#[derive(Default)]
struct GoTest {
    package: Package,
    /// The case whose output is being printed.
    current: Option<String>,
    /// A panic that was printed outside any known run of tests: the stack follows.
    stray_panic: bool,
    /// The bare word `PASS` or `FAIL` that a test binary ends with.
    word: Option<Outcome>,
    /// It said that it found no case to run.
    no_tests: bool,
    idle: u32,
    keep_passed: bool,
}

impl Reader for GoTest {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let grip = self.look(line, out);
        match grip {
            Grip::Hold => self.idle = 0,
            Grip::Watch => {
                self.idle += 1;
                if self.idle > if self.stray_panic { PATIENCE_WITH_PANIC } else { PATIENCE } {
                    self.close(out);
                    return Grip::Pass;
                }
            }
            Grip::Take | Grip::Pass => {}
        }
        grip
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.close(out);
    }

    fn yields_to_report(&self) -> bool {
        false
    }

    fn keep_passed(&mut self) {
        self.keep_passed = true;
        self.package.passing = Some(Vec::new());
    }
}

impl GoTest {
    /// Begins with another package.
    fn renew(&mut self) -> GoTest {
        let mut fresh = GoTest { keep_passed: self.keep_passed, ..GoTest::default() };
        fresh.package.passing = self.keep_passed.then(Vec::new);
        std::mem::replace(self, fresh)
    }

    fn look(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        if let Some((passed, name, rest)) = package_line(text)
            // A case that runs a test of its own prints its result; the binary ends with the word `PASS` first.
            && !(passed && self.package.verbose && self.word.is_none() && self.package.is_any_running())
        {
            return self.package_line(passed, name, rest, line, out);
        }
        if let Some(event) = text.strip_prefix("=== ").and_then(|rest| rest.split_once(' ').or(Some((rest, "")))) {
            let (event, name) = (event.0, event.1.trim());
            match event {
                "RUN" => {
                    if self.word.is_some() || self.stray_panic {
                        self.close(out);
                    }
                    if self.package.is_empty() {
                        let name = "go test".to_owned();
                        out(Item::Step(Step { name, span: line.span, command: true, ..Step::default() }));
                    }
                    self.package.start(name, line.span);
                    self.current = Some(name.to_owned());
                }
                "CONT" | "NAME" => {
                    self.package.saw(line.span);
                    self.current = Some(name.to_owned()).filter(|name| !name.is_empty());
                }
                "PAUSE" | "ATTR" if !self.package.is_empty() => {}
                _ => return Grip::Pass,
            }
            return Grip::Hold;
        }
        if let Some((end, name)) = self.result(text) {
            let name = name.to_owned();
            self.package.finish(&name, end, line.span);
            self.current = Some(name).filter(|_| end == End::Fail);
            return Grip::Hold;
        }
        if text.starts_with("Benchmark") && text.contains(" ns/op") {
            let name = text.split_whitespace().next().unwrap_or(text);
            self.package.benchmark(without_cores(name), line.span);
            self.current = None;
            return Grip::Hold;
        }
        if text.starts_with("testing: warning: no tests to run") {
            self.no_tests = true;
            self.package.saw(line.span);
            return Grip::Hold;
        }
        if self.package.is_empty() {
            let dies = text.starts_with("panic: ") || is_fatal(text);
            let races = text.trim() == "WARNING: DATA RACE";
            if !dies && !races {
                return Grip::Pass;
            }
            self.stray_panic = dies;
            self.package.print(None, line);
            return Grip::Hold;
        }
        if self.stray_panic {
            if is_trace(text) || text.is_empty() {
                self.package.print(None, line);
                return Grip::Hold;
            }
            if is_of_the_job(text) {
                // No package ended with it: some other program of Go died here.
                self.close(out);
                return Grip::Pass;
            }
            return Grip::Watch;
        }
        match text {
            "PASS" | "FAIL" => {
                self.word = Some(if text == "PASS" { Outcome::Passed } else { Outcome::Failed });
                self.current = None;
                return Grip::Hold;
            }
            _ if text.starts_with("coverage: ") || text.starts_with("testing: ") => return Grip::Hold,
            _ if text.starts_with("exit status ") || text.starts_with("signal: ") => {
                self.package.print(None, line);
                return Grip::Hold;
            }
            _ => {}
        }
        if is_of_the_job(text) {
            return Grip::Watch;
        }
        // A benchmark has no line of its own for its start.
        if text.starts_with("Benchmark") && !text.contains(char::is_whitespace) {
            self.package.start(text, line.span);
            self.current = Some(text.to_owned());
            return Grip::Hold;
        }
        match &self.current {
            Some(name) if self.package.verbose || line.indent() > 0 || self.package.is_dying(name) => {
                self.package.print(Some(name), line);
                Grip::Hold
            }
            Some(name) if text.starts_with("panic: ") || is_fatal(text) || text.is_empty() => {
                self.package.print(Some(name), line);
                Grip::Hold
            }
            _ => {
                self.package.print(None, line);
                Grip::Watch
            }
        }
    }

    /// `--- FAIL: TestX (0.00s)`: how a case ended, and its name.
    fn result<'t>(&self, text: &'t str) -> Option<(End, &'t str)> {
        let at = text.find("--- ")?;
        let rest = &text[at + 4..];
        let (end, rest) = [("PASS: ", End::Pass), ("FAIL: ", End::Fail), ("SKIP: ", End::Skip)]
            .iter()
            .find_map(|(word, end)| rest.strip_prefix(word).map(|rest| (*end, rest)))?;
        let name = rest.rsplit_once(" (").filter(|(_, time)| time.ends_with(')')).map_or(rest, |(name, _)| name);
        let alone = text[..at].trim().is_empty();
        // What a case prints may look like a result, of a process that it started: those names never began here. A
        // result behind other text is one whose case ended its output without a line end.
        let known = self.package.is_running(name)
            || alone && (!self.package.verbose || name.starts_with("Benchmark") || self.package.has_failed(name));
        (known && !name.is_empty()).then_some((end, name))
    }

    fn package_line(
        &mut self,
        passed: bool,
        name: &str,
        rest: &str,
        line: Line<'_>,
        out: &mut dyn FnMut(Item),
    ) -> Grip {
        if is_unbuilt(rest) {
            out(Item::Failure(Failure {
                level: Level::Suite,
                test: Some(name.to_owned()),
                signal: Some(Signal::Compile),
                text: vec![line.to_text()],
                span: line.span,
                // The compiler's own lines came before.
                follow_on: true,
                ..Failure::default()
            }));
            let counts = Counts { total: 1, passed: Some(0), errored: 1, ..Counts::default() };
            out(Item::Tests(TestRun { tool: "go test", counts, span: line.span, outcome: Outcome::Failed }));
            return if self.package.is_empty() { Grip::Take } else { Grip::Hold };
        }
        let GoTest { package, no_tests, .. } = self.renew();
        if passed && !package.has_cases() {
            let name = "go test".to_owned();
            out(Item::Step(Step { name, span: line.span, command: true, ..Step::default() }));
            if no_tests || rest.contains("[no tests to run]") {
                let counts = Counts { passed: Some(0), ..Counts::default() };
                out(Item::Tests(TestRun { tool: "go test", counts, span: line.span, outcome: Outcome::Unknown }));
            } else {
                let text = line.text.to_owned();
                let outcome = Outcome::Passed;
                out(Item::Mark(Mark { scope: Scope::Tool, outcome, status: None, text, span: line.span }));
            }
            return Grip::Take;
        }
        let outcome = if passed { Outcome::Passed } else { Outcome::Failed };
        package.end(name, outcome, Some(line.to_text()), out);
        Grip::Take
    }

    /// Ends what has no line of a package behind it: a test binary that was run by itself, a cut log, a panic of
    /// another program.
    fn close(&mut self, out: &mut dyn FnMut(Item)) {
        let GoTest { package, stray_panic, word, .. } = self.renew();
        if package.is_empty() {
            return;
        }
        if stray_panic || !package.has_cases() {
            package.stray(out);
            return;
        }
        let outcome = match word {
            Some(outcome) => outcome,
            None if package.any_failed() => Outcome::Failed,
            None => Outcome::Unknown,
        };
        if word.is_none() {
            let message = "the output of go test ends before the result of its package";
            out(Item::Note(Note::warning(package.last_line(), message)));
        }
        package.end("", outcome, None, out);
    }
}

/// `ok pkg 0.01s` and `FAIL pkg 0.01s`, parted by tabs: whether it passed, the package, and the rest.
fn package_line(text: &str) -> Option<(bool, &str, &str)> {
    let (word, rest) = text.split_once([' ', '\t'])?;
    let passed = match word {
        "ok" => true,
        "FAIL" => false,
        _ => return None,
    };
    let rest = rest.trim_start();
    let (name, rest) = rest.split_once([' ', '\t'])?;
    let rest = rest.trim();
    let third = rest.split_whitespace().next()?;
    let time = |word: &str| word.strip_suffix('s').is_some_and(|number| number.parse::<f64>().is_ok());
    (third == "(cached)" || time(third) || !passed && is_unbuilt(rest)).then_some((passed, name, rest))
}

/// `BenchmarkOne-8` without the number of cores.
pub(crate) fn without_cores(name: &str) -> &str {
    match name.rsplit_once('-') {
        Some((name, cores)) if !cores.is_empty() && cores.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => name,
    }
}

/// Whether the runtime of Go says it; compilers of C begin lines with the same two words.
fn is_fatal(text: &str) -> bool {
    text.strip_prefix("fatal error: ").is_some_and(|rest| {
        ["all goroutines", "concurrent map", "stack overflow", "runtime: ", "unexpected signal", "sync: ", "fault"]
            .iter()
            .any(|known| rest.starts_with(known))
    })
}

/// Whether a line can belong to the stack of a process that died.
fn is_trace(text: &str) -> bool {
    text.starts_with([' ', '\t', '['])
        || [
            "goroutine ",
            "created by ",
            "exit status ",
            "panic",
            "fatal error: ",
            "runtime",
            "running tests:",
            "rax ",
            "r1",
        ]
        .iter()
        .any(|known| text.starts_with(known))
        || text.ends_with(')') && text.contains('(')
        || text.starts_with("FAIL")
}

/// Whether a line is the CI system's or a build tool's, not a test's.
fn is_of_the_job(text: &str) -> bool {
    [
        "##[",
        "Process completed with exit code",
        "section_",
        "ERROR: Job failed",
        "make: ***",
        "make[",
        "Error: Process completed",
    ]
    .iter()
    .any(|known| text.starts_with(known))
}

#[cfg(test)]
mod tests;
