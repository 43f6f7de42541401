//! The consoles of AVA, of `bun test` and of `deno test`: short forms of the same things.

use std::sync::LazyLock;

use crate::pattern::Regex;

use super::runner::{Block, Run, is_outside, type_name};
use super::{Above, Grip, Line, Reader};
use crate::item::{Item, read_count};
use crate::pattern;
use crate::report::{Counts, Level, Signal, Span, TextLine};

pub(super) const NEEDLES: &[&str] = &[
    " [fail]: ",
    "Uncaught exception in ",
    "Unhandled rejection in ",
    "No tests found in ",
    "tests passed",
    "1 test passed",
    "tests failed",
    "1 test failed",
    " known failure",
    "bun test v",
    "FAILED | ",
    "passed | ",
    // Up to its fourth version AVA marks a failing title by a sign alone.
    "  Difference:$",
    "  Error thrown in test:",
    "  Rejected promise returned by test. Reason:",
    "Test finished without running any assertions",
];

/// How many lines stand at most between the name of a test and what AVA says of it.
const MAX_EXCERPT: usize = 12;

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Short::default())
}

#[derive(Default)]
struct Short {
    state: State,
    run: Run,
    file: Option<String>,
    counts: Option<(Counts, Span)>,
    /// The message of an error that was printed as an object.
    object: Option<TextLine>,
    /// What stands above the line that woke the reader, the nearest first.
    above: Vec<TextLine>,
    /// How many empty lines AVA printed last.
    empty: u64,
}

#[derive(Default)]
enum State {
    #[default]
    Idle,
    /// AVA: behind the first failing title, before and within the blocks.
    Ava(Option<Block>),
    AvaTotals,
    /// Bun: the error comes before the line that names the test.
    Bun(Block),
    BunTotals,
}

static AVA_COUNT: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^\s{2}(?P<number>\d+) (?P<word>(?:tests?|known failures?|hooks?|uncaught exceptions?|unhandled rejections?)(?: (?:passed|failed|skipped|todo|remained pending))?)(?: unexpectedly)?$",
    )
});

static DENO: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^(?P<end>ok|FAILED) \| (?P<passed>\d+) passed(?: \((?:\d+) steps?\))? \| (?P<failed>\d+) failed(?: \((?:\d+) steps?\))?(?: \| (?P<ignored>\d+) ignored(?: \(\d+ steps?\))?)?(?: \| \d+ measured)?(?: \| \d+ filtered out)? \(",
    )
});

static BUN_TEST: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(r"^(?P<mark>✓|✗|\(pass\)|\(fail\)|\(skip\)|\(todo\)|»|✎) (?P<name>.*?)(?: \[[\d.]+ ?m?s\])?$")
});

static BUN_COUNT: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^ {1,4}(?P<number>\d+) (?P<word>pass|fail|skip|todo|errors?|filtered out)$"));

impl Reader for Short {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        if is_outside(text) {
            self.finish(out);
            return Grip::Pass;
        }
        match std::mem::take(&mut self.state) {
            State::Idle => self.begin(line, out),
            State::Ava(block) => self.ava(block, line, out),
            State::AvaTotals if text.trim().is_empty() || AVA_COUNT.is_match(text) => self.begin(line, out),
            State::Bun(block) => self.bun(block, line, out),
            State::BunTotals => {
                if let Some(found) = BUN_COUNT.captures(text)
                    && let Some((counts, span)) = &mut self.counts
                {
                    *span = span.join(line.span);
                    let number: u64 = read_count(&found["number"]).unwrap_or(0);
                    match &found["word"] {
                        "pass" => counts.passed = Some(number),
                        "fail" => counts.failed = number,
                        "skip" | "todo" => counts.skipped += number,
                        "error" | "errors" => self.run.errored = number,
                        _ => {}
                    }
                    self.state = State::BunTotals;
                    return Grip::Hold;
                }
                if text.starts_with("Ran ") {
                    self.finish(out);
                    return Grip::Take;
                }
                self.state = State::BunTotals;
                Grip::Hold
            }
            State::AvaTotals => {
                self.finish(out);
                self.begin(line, out)
            }
        }
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.finish(out);
    }

    fn looks_back(&self) -> usize {
        if matches!(self.state, State::Idle) { MAX_EXCERPT + 4 } else { 0 }
    }

    fn above(&mut self, above: Above<'_>) {
        self.above = above.cloned().collect();
    }
}

/// The name of the test of which the words begin below these lines, the nearest of which comes first: it stands behind
/// a line drawn across, or behind three empty lines.
fn title_above(above: &[TextLine]) -> Option<String> {
    if !above.iter().any(|line| is_place(&line.text)) && above.first().is_none_or(|line| !line.text.is_empty()) {
        return None;
    }
    let is_blank = |at: usize| above.get(at).is_some_and(|line| line.text.trim().is_empty());
    let begins = |at: usize| {
        let parted = (at + 1..at + 4).all(is_blank);
        parted || is_blank(at + 1) && above.get(at + 2).is_some_and(|line| line.text.trim() == "─")
    };
    let at = (0..above.len().min(MAX_EXCERPT)).find(|at| !is_blank(*at) && begins(*at))?;
    above[at].text.strip_prefix("  ").filter(|name| !name.starts_with(' ')).map(|name| name.trim_end().to_owned())
}

/// Whether a line is one of the source: `   3: t.is(a, b)`.
fn is_numbered(text: &str) -> bool {
    let (number, rest) = text.trim_start().split_once(':').unwrap_or_default();
    number.parse::<u32>().is_ok() && (rest.is_empty() || rest.starts_with(' '))
}

/// Whether a line is the place of a failed test: `  test.js:12`.
fn is_place(text: &str) -> bool {
    let number = |row: &str| !row.is_empty() && row.bytes().all(|byte| byte.is_ascii_digit());
    let place = text.trim().rsplit_once(':').filter(|(path, row)| path.contains('.') && number(row));
    text.starts_with("  ") && place.is_some_and(|(path, _)| !path.contains(' '))
}

/// A block about a file outside any of its tests.
fn outside(line: Line<'_>) -> Option<Block> {
    let text = line.trimmed();
    if let Some(rest) = text.split_once("No tests found in ").map(|(_, rest)| rest) {
        let path = rest.split(',').next().unwrap_or(rest);
        let mut block = Block::new(Level::Suite, Some(path.to_owned()), Some(path.to_owned()), line);
        block.signal = Some(Signal::NoTests);
        block.push(line);
        return Some(block);
    }
    let (signal, path) = match text.strip_prefix("Uncaught exception in ") {
        Some(path) => (Signal::Unhandled, path),
        None => (Signal::Unhandled, text.strip_prefix("Unhandled rejection in ")?),
    };
    let mut block = Block::new(Level::Suite, Some(path.to_owned()), Some(path.to_owned()), line);
    block.signal = Some(signal);
    Some(block)
}

/// The message of an error that AVA prints as an object: `    message: 'x is not a function',`.
fn member(text: &str) -> Option<String> {
    let value = text.trim_start().strip_prefix("message: ").filter(|_| text.starts_with("    "))?;
    let value = value.trim_end_matches(',');
    let quote = value.chars().next().filter(|quote| matches!(quote, '\'' | '"' | '`'))?;
    let inner = value.strip_prefix(quote)?.strip_suffix(quote)?;
    Some(inner.replace("\\'", "'").replace("\\\"", "\""))
}

impl Short {
    fn begin(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        let above = std::mem::take(&mut self.above);
        if text.trim().is_empty() && self.counts.is_some() {
            self.state = State::AvaTotals;
            return Grip::Hold;
        }
        if text.trim_start().starts_with(['✖', '✘', '×']) && text.contains(" [fail]: ") {
            self.state = State::Ava(None);
            return Grip::Hold;
        }
        if let Some(block) = outside(line) {
            self.state = State::Ava(Some(block));
            return Grip::Hold;
        }
        if let Some(name) = title_above(&above) {
            let mut block = Block::new(Level::Case, Some(name), None, line);
            // The place stands between the two.
            block.lines.extend(above.into_iter().rev().filter(|line| is_place(&line.text)));
            if text.trim() != "Error thrown in test:" {
                block.push(line);
            }
            self.state = State::Ava(Some(block));
            return Grip::Hold;
        }
        if text.starts_with("bun test v") {
            self.state = State::Bun(Block::new(Level::Case, None, None, line));
            return Grip::Hold;
        }
        if let Some(found) = DENO.captures(text) {
            let number = |name: &str| found.name(name).and_then(|group| read_count(group.as_str())).unwrap_or(0u64);
            let (passed, failed, skipped) = (number("passed"), number("failed"), number("ignored"));
            self.run.failed = &found["end"] == "FAILED";
            let total = passed + failed + skipped;
            self.run.finish(
                "deno",
                Counts { total, passed: Some(passed), failed, skipped, ..Counts::default() },
                line.span,
                out,
            );
            return Grip::Take;
        }
        if let Some(found) = AVA_COUNT.captures(text) {
            let number: u64 = read_count(&found["number"]).unwrap_or(0);
            let (counts, span) =
                self.counts.get_or_insert((Counts { passed: Some(0), ..Counts::default() }, line.span));
            *span = span.join(line.span);
            match &found["word"] {
                "test passed" | "tests passed" => counts.passed = Some(number),
                "test failed" | "tests failed" => counts.failed += number,
                "known failure" | "known failures" => counts.passed = counts.passed.map(|passed| passed + number),
                "test skipped" | "tests skipped" | "test todo" | "tests todo" => counts.skipped += number,
                _ => self.run.errored += number,
            }
            self.state = State::AvaTotals;
            return Grip::Hold;
        }
        Grip::Pass
    }

    fn ava(&mut self, block: Option<Block>, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        let rule = text.trim_start().starts_with('─');
        if AVA_COUNT.is_match(text) {
            self.close(block, out);
            return self.begin(line, out);
        }
        let title = text.starts_with("  ✘ ") || text.starts_with("  ✔ ") || text.starts_with("  ✖ ");
        let block = match (outside(line), block) {
            (Some(next), block) => {
                self.close(block, out);
                self.state = State::Ava(Some(next));
                return Grip::Hold;
            }
            // What failed outside any test is told among the titles.
            (None, Some(block)) if title && block.level == Level::Suite => {
                self.close(Some(block), out);
                None
            }
            (None, block) => block,
        };
        let block = match block {
            // The titles of the tests come first, then a line drawn across.
            None if rule => Some(Block::new(Level::Case, None, None, line)),
            None => None,
            Some(block) if rule => {
                self.close(Some(block), out);
                Some(Block::new(Level::Case, None, None, line))
            }
            Some(mut block) => {
                // Three empty lines part two blocks, and the name of the test comes first.
                if text.trim().is_empty() {
                    self.empty += 1;
                } else if std::mem::take(&mut self.empty) >= 3 && block.test.is_some() {
                    self.close(Some(block), out);
                    block = Block::new(Level::Case, None, None, line);
                }
                if !text.trim().is_empty() {
                    if block.test.is_none() {
                        block.test = Some(text.trim().to_owned());
                    } else if let Some(message) = member(text) {
                        // An error as an object: its type stands on the line above. Newer versions print it once more.
                        let kind = block.lines.pop().map(|line| line.text).unwrap_or_default();
                        let text = format!("{}: {message}", kind.trim().trim_end_matches(" {"));
                        self.object = Some(TextLine { text, span: line.span });
                    } else if text.trim() != "Error thrown in test:"
                        && !(text.trim() == "}" && self.object.is_some())
                        && !is_numbered(text)
                        && (!text.starts_with("    ") || text.trim_start().starts_with("at "))
                    {
                        block.push(line);
                    }
                }
                Some(block)
            }
        };
        self.state = State::Ava(block);
        Grip::Hold
    }

    fn bun(&mut self, mut block: Block, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        // A test that ran past its limit threw nothing: that stands below its name.
        if block.test.is_some() {
            let limit = text.trim_start().starts_with("^ this test timed out after");
            if limit {
                block.signal = Some(Signal::TestTimeout);
                block.push(line);
            }
            self.close(Some(block), out);
            block = Block::new(Level::Case, None, None, line);
            if limit {
                self.state = State::Bun(block);
                return Grip::Hold;
            }
        }
        if let Some(found) = BUN_TEST.captures(text) {
            if matches!(&found["mark"], "✗" | "(fail)") {
                block.test = Some(found["name"].to_owned());
                block.file.clone_from(&self.file);
                if block.lines.iter().all(|line| line.text.trim().is_empty()) {
                    block.push(line);
                    self.state = State::Bun(block);
                    return Grip::Hold;
                }
                self.close(Some(block), out);
            }
            self.state = State::Bun(Block::new(Level::Case, None, None, line));
            return Grip::Hold;
        }
        if let Some(found) = BUN_COUNT.captures(text) {
            let number: u64 = read_count(&found["number"]).unwrap_or(0);
            let mut counts = Counts { passed: Some(0), ..Counts::default() };
            match &found["word"] {
                "pass" => counts.passed = Some(number),
                "fail" => counts.failed = number,
                _ => counts.skipped = number,
            }
            self.counts = Some((counts, line.span));
            // What was thrown outside any test stands before the totals.
            if block.lines.iter().any(|line| line.text.starts_with("error: ")) {
                block.level = Level::Suite;
                block.signal = Some(Signal::Load);
                block.file.clone_from(&self.file);
                self.close(Some(block), out);
            }
            self.state = State::BunTotals;
            return Grip::Hold;
        }
        if text.ends_with(':') && !text.contains(' ') && text.contains('.') {
            self.file = Some(text.trim_end_matches(':').to_owned());
            self.state = State::Bun(Block::new(Level::Case, None, None, line));
            return Grip::Hold;
        }
        block.push(line);
        self.state = State::Bun(block);
        Grip::Hold
    }

    fn close(&mut self, block: Option<Block>, out: &mut dyn FnMut(Item)) {
        let object = self.object.take();
        let Some(mut block) = block else { return };
        if let Some(object) = object
            && !block.lines.iter().any(|line| type_name(&line.text).is_some())
        {
            block.lines.insert(0, object);
        }
        if block.lines.iter().any(|line| !line.text.trim().is_empty()) {
            out(Item::Failure(block.into_failure()));
        }
    }

    fn finish(&mut self, out: &mut dyn FnMut(Item)) {
        if let State::Ava(block) = std::mem::take(&mut self.state) {
            self.close(block, out);
        }
        let Some((mut counts, span)) = self.counts.take() else { return };
        counts.total = counts.passed.unwrap_or(0) + counts.failed + counts.skipped;
        self.run.finish("ava", counts, span, out);
    }
}
