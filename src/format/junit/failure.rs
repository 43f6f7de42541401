//! From the elements of a failing case to failures with names, places and signals.

use super::attribute::{Skip, Word, beginning};
use crate::format::frames;
use crate::format::signal;
use crate::format::thrown;
use crate::format::xml::text::{Capture, Encoding, Lines, decode};
use crate::log::bats_place;
use crate::report::{Failure, FileRef, Level, PassedCase, Signal, Span, TextLine};

/// Which element told of a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Element {
    Failure,
    Error,
    /// A later attempt that failed too.
    Rerun,
    /// An earlier attempt that failed, of a test that passed in the end.
    Flaky,
}

/// One element that tells of a failure.
#[derive(Debug)]
pub(super) struct Part {
    pub element: Element,
    pub kind: String,
    /// The `message` attribute, or the `<message>` child.
    pub message: Vec<TextLine>,
    pub body: Lines,
    pub span: Span,
}

/// A case, as its start tag and its children tell of it. The raw names are decoded only when it failed.
#[derive(Debug, Default)]
pub(super) struct Case {
    pub open: bool,
    pub name: Vec<u8>,
    pub class: Vec<u8>,
    pub file: Vec<u8>,
    pub line: Option<u64>,
    /// It has the two status attributes of GoogleTest, whose failures are those of expectations.
    pub google: bool,
    /// It has a `class` attribute beside `classname`, as PHPUnit writes.
    pub php: bool,
    /// The word of a status attribute.
    pub status: Option<Word>,
    /// The `failure` attribute of node's reporter.
    pub reason: Vec<TextLine>,
    pub skipped: Option<Skip>,
    pub parts: Vec<Part>,
    pub output: Capture,
    pub errors: Capture,
    pub span: Span,
    /// How long it ran; read only where passing cases are asked for.
    pub seconds: Option<f64>,
    /// Where its start tag stands in the window, until its line is asked for.
    pub tag: Option<(usize, usize)>,
}

impl Case {
    pub(super) fn clear(&mut self) {
        self.open = true;
        self.name.clear();
        self.class.clear();
        self.file.clear();
        self.reason.clear();
        self.parts.clear();
        self.output.clear();
        self.errors.clear();
        (self.line, self.php, self.status, self.skipped) = (None, false, None, None);
        self.google = false;
        self.seconds = None;
    }

    /// What it is called where it passed: as if it had failed.
    pub(super) fn passed(&self, around: &Around, encoding: &mut Encoding) -> PassedCase {
        let name = shown(&self.name, encoding);
        let class = shown(&self.class, encoding);
        let file = shown(&self.file, encoding);
        let place = place_of(&file, self.line, &class, &around.file, None);
        let suite = if class.is_empty() || class == "test" { around.name.clone() } else { class.clone() };
        PassedCase {
            name: full_name(&class, &name, &around.name, self.php),
            suite: Some(suite).filter(|suite| !suite.is_empty()),
            file: place.map(|place| place.path),
            seconds: self.seconds,
        }
    }
}

/// A raw name as it is told: of one that is very long the beginning.
pub(super) fn shown(raw: &[u8], encoding: &mut Encoding) -> String {
    let begun = beginning(raw);
    let mut name = decode(begun, encoding);
    if begun.len() < raw.len() {
        name.push('…');
    }
    name
}

/// The suite around a case, as far as names need it.
pub(super) struct Around {
    pub name: String,
    pub file: String,
}

/// The failures of a case or suite, and whether their text says next to nothing.
pub(super) fn failures(
    case: &mut Case,
    around: &Around,
    level: Level,
    encoding: &mut Encoding,
) -> (Vec<Failure>, bool) {
    let name = shown(&case.name, encoding);
    let class = shown(&case.class, encoding);
    let test = match level {
        Level::Case => full_name(&class, &name, &around.name, case.php),
        _ => around.name.clone(),
    };
    let file = shown(&case.file, encoding);
    let by_name = signal::of_name(&class, &name).or_else(|| {
        // Vitest files a test file that cannot be loaded as a case with the name of the file.
        (level == Level::Case && !name.is_empty() && name == class && is_script(&name)).then_some(Signal::Load)
    });
    // Linters name the rule as the case.
    let rule = ["org.eslint.", "org.ruff.", "org.stylelint."].iter().find_map(|tool| name.strip_prefix(tool));
    let rule = rule.or_else(|| (around.name == "semgrep results").then_some(name.as_str()));
    // Nearly always it is one, and many wait.
    let mut failures: Vec<Failure> = Vec::with_capacity(1);
    let mut first_lines: Vec<(Option<Signal>, Option<String>, String)> = Vec::new();
    let mut parts = std::mem::take(&mut case.parts);
    if parts.is_empty() {
        let message = std::mem::take(&mut case.reason);
        let body = Lines::default();
        parts.push(Part { element: Element::Failure, kind: String::new(), message, body, span: case.span });
    }
    let several = parts.len() > 1;
    for mut part in parts {
        if part.element == Element::Flaky {
            continue;
        }
        let body = part.body.finish(encoding);
        let mut text = join(part.message, unfold(body));
        // nextest says no more than this of a test that ran past its limit.
        if text.is_empty() && signal::of_type(&part.kind) == Some(Signal::TestTimeout) {
            text.push(TextLine { text: part.kind.clone(), span: part.span });
        }
        // A formula such as `Failed` and the place that bats begins with tell less than what follows.
        let opens = |line: &TextLine| {
            let text = line.text.trim();
            text.starts_with("=== ")
                || bats_place(text).is_some()
                || case.google && is_place(text)
                // PHPUnit puts the name of the test first.
                || case.php && !test.is_empty() && text.starts_with(&test)
                || part.kind == "FAILURE" && text.split(" › ").any(is_spec)
                || is_field_of_boost(text)
                || signal::heads_hook_of_robot(text)
        };
        let formulas = text.iter().take_while(|line| is_formula(&line.text) || opens(line)).count();
        let bats = text.iter().take(formulas).find_map(|line| bats_place(&line.text));
        if formulas < text.len() {
            text.rotate_left(formulas);
        }
        raise_exception(&mut text);
        let heading = text.last().map_or("", |line| line.text.as_str());
        let of_hook = signal::heads_hook_of_robot(heading).then(|| signal::of_robot(heading)).flatten();
        let first = text.iter().find(|line| !line.text.trim().is_empty()).map_or("", |line| line.text.as_str());
        // node wraps what was thrown and names it in the lines below.
        let thrown = || text.iter().take(12).find_map(|line| line.text.trim_start().strip_prefix("cause: "));
        let type_name = signal::type_name(&part.kind)
            .or_else(|| signal::type_of_message(first).map(str::to_owned))
            .or_else(|| thrown().and_then(signal::type_of_message).map(str::to_owned));
        // node files a test file that ended badly as a case.
        let whole_file = (part.kind == "testCodeFailure"
            && text.iter().any(|line| line.text.contains("cause: 'test failed'")))
        .then_some(Signal::Load);
        // Playwright and jasmine-reporters name the matcher: `expect.toBe`, `toBe`.
        let matcher = part.kind.strip_prefix("expect.").unwrap_or(&part.kind).strip_prefix("to");
        let matcher = matcher.filter(|rest| rest.starts_with(char::is_uppercase)).map(|_| Signal::Assertion);
        let signal = of_hook
            .or_else(|| signal::of_robot(first))
            .or_else(|| signal::of_type(&part.kind))
            .or(matcher)
            .or(whole_file)
            .or(by_name)
            .or_else(|| rule.map(|rule| signal::of_finding(Some(rule), first)))
            .or_else(|| of_flake8(&part.kind).map(|rule| signal::of_finding(Some(rule), first)))
            .or_else(|| of_checker(&around.name, &name))
            .or_else(|| text.iter().take(4).find_map(|line| signal::of_message(&line.text)))
            // Types with a package are not of JavaScript.
            .or_else(|| if part.kind.contains(['.', '\\']) { None } else { thrown::signal(&text) })
            .or_else(|| {
                (case.google && !text.iter().any(|line| line.text.contains("exception with")))
                    .then_some(Signal::Assertion)
            })
            .or_else(|| (part.element == Element::Error && !is_thin(&text)).then_some(Signal::Unhandled))
            // Who knows errors apart from failures and names no type has an expectation in mind.
            .or_else(|| (type_name.is_none() && !is_thin(&text)).then_some(Signal::Assertion));
        let words = if several { without_digits(first) } else { String::new() };
        let alike = (signal, type_name.clone(), words);
        let known = first_lines.iter().position(|known| {
            *known == alike || signal == Some(Signal::Assertion) && known.0 == signal && known.1 == alike.1
        });
        if let Some(known) = known {
            // A further assertion or attempt of the same test with the same trouble is no failure of its own.
            let span = failures[known].span.join(part.span);
            failures[known].span = span;
            if failures[known].text.len() + text.len() < 200 {
                failures[known].text.extend(text);
            }
            continue;
        }
        let place = bats.or_else(|| place_of_boost(&text)).or_else(|| frames::place(&text));
        let file = place_of(&file, case.line, &class, &around.file, place);
        let follow_on = part.element == Element::Rerun && !failures.is_empty()
            || matches!(part.kind.as_str(), "cancelledByParent" | "subtestsFailed");
        let signal = signal.filter(|_| !matches!(part.kind.as_str(), "cancelledByParent" | "subtestsFailed"));
        first_lines.push(alike);
        failures.push(Failure {
            level,
            test: (!test.is_empty()).then(|| test.clone()),
            file,
            signal,
            type_name,
            subject: rule.or(of_flake8(&part.kind)).filter(|_| signal == Some(Signal::Lint)).map(str::to_owned),
            text,
            span: part.span,
            count: 1,
            follow_on,
            ..Failure::default()
        });
    }
    let thin = failures.iter().all(|failure| is_thin(&failure.text));
    (failures, thin)
}

/// What the output of a suite without cases tells of its error, as Newman writes a request that nobody answered.
pub(super) fn without_case(output: &[TextLine]) -> Option<Failure> {
    let at = output.iter().position(|line| line.text.contains("Error: "))?;
    let text: Vec<TextLine> =
        output[at..].iter().take_while(|line| !line.text.trim().is_empty()).take(60).cloned().collect();
    let span = text.first()?.span;
    Some(Failure { level: Level::Suite, text, span, count: 1, ..Failure::default() })
}

/// The same where the request has assertions, which are cases.
pub(super) fn of_request(output: &[TextLine]) -> Option<Failure> {
    const WORDS: &[&str] = &["RequestError: ", "testScriptError: ", "prerequestScriptError: "];
    let own = |line: &TextLine| WORDS.iter().any(|words| line.text.starts_with(words));
    without_case(&output[output.iter().position(own)?..])
}

/// What the output of a suite tells of an error outside of its cases, as Karma writes it: a line with the browser that
/// ends with `ERROR`, and the error below it.
pub(super) fn thrown_outside(output: &[TextLine]) -> Option<Failure> {
    let at = output.iter().position(|line| line.text.trim_end().ends_with(") ERROR"))?;
    let below = output[at + 1..].iter().take_while(|line| line.text.starts_with([' ', '\t'])).take(60);
    let mut text: Vec<TextLine> = below.cloned().collect();
    if text.len() > 1 && text[0].text.contains("An error was thrown in ") {
        text.rotate_left(1);
    }
    let span = text.iter().fold(output[at].span, |span, line| span.join(line.span));
    let file = frames::place(&text);
    let (level, signal) = (Level::Suite, Some(Signal::Hook));
    (!text.is_empty()).then(|| Failure { level, signal, file, text, span, count: 1, ..Failure::default() })
}

/// Puts what a case or suite printed behind a text that says next to nothing.
pub(super) fn add_output(failure: &mut Failure, output: &[TextLine]) {
    // Cucumber tells how each step ended; a step that nobody has written has no other message.
    let unwritten = |line: &TextLine| line.text.ends_with("....undefined") || line.text.ends_with("....pending");
    if failure.signal.is_none() && output.iter().any(unwritten) {
        failure.signal = Some(Signal::Load);
    }
    // Of a test that failed without a message nothing is known but what it printed.
    let printed = output.iter().any(|line| !line.text.trim().is_empty());
    if failure.signal.is_none() && failure.type_name.is_none() && failure.level == Level::Case && printed {
        failure.signal = Some(Signal::Assertion);
    }
    // The step itself says more than those that passed before it.
    let (first, rest): (Vec<_>, Vec<_>) = output.iter().partition(|line| unwritten(line));
    let output_lines = first.into_iter().chain(rest);
    failure.text.extend(output_lines.filter(|line| line.text != "(stdout and stderr are combined)").cloned());
    if failure.file.as_ref().is_none_or(|file| file.line.is_none())
        && let Some(place) = frames::place(output)
    {
        failure.file.get_or_insert(place);
    }
}

/// Puts the exception of a traceback of Python first, which stands at its end.
fn raise_exception(text: &mut [TextLine]) {
    if !text.first().is_some_and(|line| line.text.trim_end().ends_with("Traceback (most recent call last):")) {
        return;
    }
    let raised = |line: &TextLine| signal::type_of_message(&line.text).is_some();
    // testtools indents its tracebacks, and what stands deepest is code.
    let at = text.iter().skip(1).rposition(|line| raised(line) && !line.text.starts_with("     "));
    if let Some(at) = at {
        text[..=at + 1].rotate_right(1);
    }
}

/// The lines of an error that was written as one line of JSON, which is how jest-junit tells of failed hooks.
fn unfold(body: Vec<TextLine>) -> Vec<TextLine> {
    let folded = body.len() == 1 && body[0].text.starts_with("{\"") && body[0].text.contains("\\n");
    if !folded {
        return body;
    }
    let line = &body[0];
    let text = line.text.split_once("\"stack\":\"").map_or(line.text.as_str(), |(_, stack)| stack);
    let text = text.split_once("\",\"").map_or(text, |(text, _)| text);
    text.trim_end_matches("\"}").split("\\n").map(|text| TextLine { text: text.to_owned(), span: line.span }).collect()
}

/// Message, then body, without saying a thing twice.
fn join(mut message: Vec<TextLine>, body: Vec<TextLine>) -> Vec<TextLine> {
    let (Some(first), Some(other)) = (message.first(), body.first()) else {
        message.extend(body);
        return message;
    };
    let first = first.text.trim();
    let repeats = other.text.trim_end().ends_with(first) && !first.is_empty();
    let all = repeats && message.iter().zip(&body).skip(1).all(|(a, b)| a.text.trim() == b.text.trim());
    if all && message.len() <= body.len() {
        return body;
    }
    message.extend(body);
    message
}

/// Whether a line is a place alone, as GoogleTest begins its messages: `t.cpp:4`.
fn is_place(line: &str) -> bool {
    let digits = |row: &str| !row.is_empty() && row.bytes().all(|byte| byte.is_ascii_digit());
    line == "unknown file"
        || !line.contains(' ') && line.rsplit_once(':').is_some_and(|(path, row)| path.contains('.') && digits(row))
}

/// Whether a text begins with the place of a test, as Playwright writes in front of its name: `cart.spec.ts:3:1`.
fn is_spec(text: &str) -> bool {
    let place = text.split(' ').next().unwrap_or(text);
    let mut parts = place.rsplitn(3, ':');
    let number = |part: Option<&str>| part.is_some_and(|part| part.parse::<u32>().is_ok());
    number(parts.next()) && number(parts.next()) && parts.next().is_some_and(|path| path.contains('.'))
}

/// Whether a line is a heading or a place in what Boost.Test tells, above the words.
fn is_field_of_boost(text: &str) -> bool {
    const HEADINGS: [&str; 6] = [
        "ASSERTION FAILURE:",
        "UNCAUGHT EXCEPTION:",
        "unexpected exception",
        "EXCEPTION STACK TRACE: --------------",
        "- file: ",
        "- line: ",
    ];
    HEADINGS.iter().any(|heading| text.starts_with(heading))
        || text.starts_with("- file   : ")
        || text.starts_with("- line   : ")
}

/// The place in what Boost.Test tells.
fn place_of_boost(text: &[TextLine]) -> Option<FileRef> {
    let field = |name: &str| text.iter().find_map(|line| line.text.trim().strip_prefix(name));
    let line = field("- line   : ")?.trim().parse().ok();
    Some(FileRef::new(field("- file   : ")?.trim(), line, None))
}

/// The rule in the type of a finding of flake8: `flake8 F401`.
fn of_flake8(kind: &str) -> Option<&str> {
    kind.strip_prefix("flake8 ").filter(|rule| !rule.contains(' '))
}

/// What a failure of a checker is that writes its findings as cases.
fn of_checker(suite: &str, name: &str) -> Option<Signal> {
    match suite {
        "mypy" if name.starts_with("mypy") => Some(Signal::Compile),
        "bandit" => Some(Signal::Lint),
        _ => None,
    }
}

/// Whether a line says no more than that something failed.
fn is_formula(line: &str) -> bool {
    const FORMULAS: &[&str] = &[
        "failed",
        "failure",
        "fail",
        "error",
        "test failed",
        "test failure",
        "test error",
        "unknown",
        "no message",
        "none",
        "null",
        "mypy produced messages",
        "(stdout and stderr are combined)",
    ];
    let lower = line.trim().trim_end_matches(['.', '!', ':']).to_ascii_lowercase();
    lower.is_empty() || FORMULAS.contains(&lower.as_str())
}

/// Whether a text is empty or only says that something failed.
fn is_thin(text: &[TextLine]) -> bool {
    let mut lines = text.iter().map(|line| line.text.trim()).filter(|line| !line.is_empty());
    let Some(first) = lines.next() else { return true };
    if lines.next().is_some() {
        return false;
    }
    let lower = first.trim_end_matches(['.', '!']).to_ascii_lowercase();
    is_formula(first)
        || ["exited with error code", "test failure with exit code", "exit code", "exit status", "process exited"]
            .iter()
            .any(|formula| lower.starts_with(formula))
}

/// Whether a text of go's test runner holds nothing but its own frame: the parent of a failed subtest.
pub(super) fn is_frame(text: &[TextLine]) -> bool {
    text.iter().all(|line| {
        let line = line.text.trim();
        let frames = ["=== RUN", "=== PAUSE", "=== CONT", "=== NAME", "--- FAIL", "--- PASS", "--- SKIP"];
        line.is_empty() || line == "Failed" || frames.iter().any(|frame| line.starts_with(frame))
    })
}

/// The name by which a test's own runner calls it, as far as the two fields tell.
fn full_name(class: &str, name: &str, suite: &str, php: bool) -> String {
    if name.is_empty() {
        return if class.is_empty() { suite.to_owned() } else { class.to_owned() };
    }
    // node writes `test` for all classes.
    let class = if class == "test" { suite } else { class };
    // mocha-junit-reporter writes the full title as the name and its last part as the class.
    let last = name.strip_suffix(class).is_some_and(|outer| outer.ends_with(' '));
    if class.is_empty() || last || name.starts_with(class) || class.ends_with(name) {
        return name.to_owned();
    }
    let python = suite.starts_with("pytest") || name.starts_with("test_") && !class.contains(['/', ' ', ':']);
    if php || python || class.contains("::") || name.contains("::") {
        return format!("{class}::{name}");
    }
    if class.contains(['/', ' ', '\\']) || name.contains(' ') || is_script(class) {
        return format!("{class} > {name}");
    }
    format!("{class}.{name}")
}

/// Whether a class is the path of a script, as the runners of JavaScript write.
fn is_script(class: &str) -> bool {
    let extension = class.rsplit_once('.').map_or("", |(_, extension)| extension);
    let scripts = ["js", "ts", "jsx", "tsx", "mjs", "mts", "cjs", "cts", "vue", "svelte"];
    scripts.contains(&extension) && !class.contains(' ')
}

/// The file of a case: as it is declared, with the line of the failure if that is in the same file.
fn place_of(file: &str, line: Option<u64>, class: &str, suite: &str, place: Option<FileRef>) -> Option<FileRef> {
    let declared = [file, if is_script(class) { class } else { "" }, suite].into_iter().find(|path| !path.is_empty());
    let Some(declared) = declared else { return place };
    if let Some(place) = place
        && (place.path.ends_with(declared) || declared.ends_with(place.path.trim_start_matches("./")))
    {
        return Some(FileRef::new(declared, place.line, place.column));
    }
    Some(FileRef::new(declared, line, None))
}

fn without_digits(line: &str) -> String {
    line.chars().filter(|character| !character.is_ascii_digit()).collect()
}
