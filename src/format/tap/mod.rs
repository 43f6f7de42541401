//! The Test Anything Protocol, versions 12 to 14, as a whole input or within a log.
//!
//! Read are the dialects of `node --test`, tape, tap, Vitest (blocks in braces), bats and Perl's Test::More. The
//! version line is optional, the plan may come first or last, and lines that are no TAP are left to others. A point
//! at the margin counts; one that is indented belongs to the point at the margin that follows it, or to the block
//! that is open. A trailer such as `# tests 7` is the runner's own word and wins over counting.

mod frame;
mod point;
mod trailer;
mod yaml;

use std::collections::HashSet;

use self::frame::Frame;
use self::point::{Directive, Point};
use self::trailer::Trailer;
use super::Sure;
use crate::item::{Item, Step, TestRun, read_count};
use crate::log::{Above, Grip, Line, Reader};
use crate::report::{Counts, Failure, Level, Note, Outcome, PassedCase, Report, Signal, Span, TextLine};

/// `ok 1 ` stands for runs without a version line in which nothing fails.
pub(crate) const NEEDLES: &[&str] =
    &["TAP version 1", "not ok ", "ok 1 ", "# Subtest: ", "Bail out!", "TAP Reports Processing: "];

/// How many lines of others may stand between two lines of a run whose plan is not met.
const PATIENCE: u32 = 2000;

/// How many lines of what node:test writes for people are passed over between two points.
const MAX_ASIDE: u32 = 500;

/// How many comments are kept between two points.
const MAX_COMMENTS: usize = 200;

/// How many failed points are kept back until the point at the margin tells whether they count.
const MAX_DEFERRED: usize = 2000;

/// How many points without a number may wait for the next with one.
const MAX_LOOSE: usize = 2000;

/// How many failed points are kept in mind, so that a repetition of them is known.
const MAX_TOLD: usize = 20_000;

pub(crate) fn open() -> Box<dyn Reader> {
    Box::new(Tap::default())
}

/// A version line is certain; a plan or a numbered point needs company.
pub(crate) fn sniff(head: &[u8]) -> Option<Sure> {
    if head.starts_with(b"TAP version 1") {
        return Some(Sure::Certain);
    }
    let text = String::from_utf8_lossy(&head[..head.len().min(4096)]);
    let (mut points, mut planned) = (0, false);
    for (index, line) in text.lines().take(12).enumerate() {
        let line = line.trim_end();
        planned |= index == 0 && plan(line).is_some();
        let parsed = Point::parse(line, Span::default());
        // Behind a plan a point needs no number, and among numbered ones a program may print what looks like one.
        let point = parsed.as_ref().is_some_and(|point| point.number.is_some() || planned);
        points += u32::from(point);
        let known = point
            || points > 0 && parsed.is_some()
            || plan(line).is_some()
            || line.starts_with('#')
            || line.starts_with(' ')
            || line.is_empty();
        if !known || index == 0 && !point && plan(line).is_none() {
            return None;
        }
    }
    // A run of which nothing but the plan was written.
    let only_plan = || planned && text.lines().all(|line| line.trim().is_empty() || plan(line) > Some(0));
    (points > 0 || only_plan()).then_some(Sure::Likely)
}

/// The count of `1..5`; a comment may follow.
fn plan(line: &str) -> Option<u64> {
    let rest = line.strip_prefix("1..")?;
    let digits = rest.len() - rest.trim_start_matches(|digit: char| digit.is_ascii_digit()).len();
    let count = read_count(&rest[..digits])?;
    let rest = rest[digits..].trim();
    (rest.is_empty() || rest.starts_with('#')).then_some(count)
}

#[derive(Default)]
pub(crate) struct Tap {
    stream: Option<Stream>,
    keep_passed: bool,
    /// The failed points that were told.
    told: HashSet<u64>,
    /// Within what a plugin of Jenkins says of reports that it has found.
    echo: bool,
    /// The line above the one that woke the reader.
    line_above: Option<TextLine>,
    /// What stands in front of each line of the run.
    frame: Frame,
}

/// One run from its version line, plan or first point to its end.
#[derive(Default)]
struct Stream {
    /// It began with a version line or a plan, so that nothing was missed.
    from_start: bool,
    plan: Option<(u64, TextLine)>,
    seen: u64,
    passed: u64,
    failed: u64,
    skipped: u64,
    /// The points that say so, without those that were expected to fail.
    left_out: u64,
    /// There are blocks in braces, as Vitest writes them for its files. They are no cases themselves.
    braced: bool,
    /// A block passed although a point in it failed, so that the blocks are no groups of tests.
    contradicts: bool,
    /// The points at the margin and within such blocks, and how many of them failed up to the last one at the margin.
    leaves: Counts,
    leaves_failed: u64,
    trailer: Trailer,
    bailed: bool,
    /// Whether a point failed at each depth since the last point above it.
    failed_below: Vec<bool>,
    /// The names announced by `# Subtest: `, by depth.
    names: Vec<Option<String>>,
    /// Points with an open block.
    blocks: Vec<Point>,
    pending: Option<Point>,
    /// A point at the margin had a number.
    numbered: bool,
    /// Points without a number among such with one: tests only where the numbers or the plan leave room for them.
    loose: Vec<Point>,
    /// Comments since the last point.
    comments: Vec<TextLine>,
    deferred: Vec<Deferred>,
    /// Points that passed at any depth, where those are asked for.
    passing: Option<Vec<Passing>>,
    /// The failed points at the margin.
    digests: Vec<u64>,
    span: Option<Span>,
    idle: u32,
    /// Within what node:test writes for people.
    aside: bool,
}

/// A failed point below the margin.
struct Deferred {
    depth: usize,
    cancelled: bool,
    failure: Failure,
}

/// A point that passed.
struct Passing {
    name: String,
    seconds: Option<f64>,
    /// It stands at the margin, so that it counts where the runner does not count for itself.
    outer: bool,
    /// It holds others and is no case of its own.
    suite: bool,
    /// It failed as expected, which few count as passed.
    expected: bool,
}

/// Says of what is told that TAP tells it, rather than the console around it.
fn as_tap(out: &mut dyn FnMut(Item)) -> impl FnMut(Item) {
    |item| {
        out(Item::Teller(Some("tap")));
        out(item);
        out(Item::Teller(None));
    }
}

impl Reader for Tap {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let out = &mut as_tap(out);
        let line_above = self.line_above.take();
        if line.text.starts_with("TAP Reports Processing: ") {
            self.finish(Ended::ByOther, out);
            self.echo = line.text.ends_with("START") && !self.told.is_empty();
            return if self.echo { Grip::Watch } else { Grip::Pass };
        }
        if self.echo {
            // What the job has printed already.
            let point = Point::parse(line.trimmed(), line.span).is_some();
            return if point { Grip::Hold } else { Grip::Watch };
        }
        let whole = line;
        let mut line = line;
        if let Some(stream) = &mut self.stream {
            match self.frame.strip(line.text) {
                Some(text) => line.text = text,
                None => return self.alien(out),
            }
            if stream.ended_by(line.text) {
                self.finish(Ended::ByOther, out);
            }
        }
        if self.stream.is_none() {
            (self.frame, line.text) = Frame::of(whole.text, line_above.as_ref());
        }
        let plan_above = || {
            let above = line_above?;
            Some((plan(self.frame.strip(&above.text)?)?, above))
        };
        match &mut self.stream {
            None => {
                let text = line.trimmed();
                let point = Point::parse(text, line.span);
                let version = text.starts_with("TAP version 1");
                let point_alone = point.is_some();
                let begins = version
                    || line.indent() == 0 && plan(text).is_some()
                    || text.starts_with("# Subtest: ")
                    || text.starts_with("Bail out!")
                    || point.is_some_and(|point| match point.number {
                        Some(number) => !point.ok || number == 1,
                        None => false,
                    });
                if !begins {
                    return Grip::Pass;
                }
                // A failed point in the middle of a run, and told before, is repeated by what looks for such lines.
                let again = |point: Point| point.number > Some(1) && self.told.contains(&point.digest());
                if Point::parse(text, line.span).is_some_and(again) {
                    return Grip::Take;
                }
                // A point alone may be a sentence of something else, which must not part what belongs together.
                if !point_alone {
                    out(Item::Step(Step { name: "tap".to_owned(), span: line.span, command: true, ..Step::default() }));
                }
                let from_start = version || plan(text).is_some();
                let passing = self.keep_passed.then(Vec::new);
                let plan_above = plan_above().filter(|_| {
                    !from_start && line.indent() == 0 && text.trim_start_matches("not ").starts_with("ok 1 ")
                });
                let from_start = from_start || plan_above.is_some();
                let mut stream = Stream { from_start, plan: plan_above, passing, ..Stream::default() };
                stream.take(line, out);
                self.stream = Some(stream);
                Grip::Hold
            }
            Some(stream) => {
                if stream.take(line, out) {
                    stream.idle = 0;
                    stream.aside &= line.text.is_empty();
                    return Grip::Hold;
                }
                // node:test writes in two forms at once where it is asked to. What stands among the points is told
                // again behind them, and the totals are its other reader's.
                if line.text.starts_with("ℹ ") {
                    return Grip::Watch;
                }
                if !stream.is_complete() && stream.idle < MAX_ASIDE {
                    stream.aside |= ["✔ ", "✖ ", "▶ ", "﹣ ", "⚠ "].iter().any(|sign| line.trimmed().starts_with(sign));
                    if stream.aside {
                        stream.idle += 1;
                        return Grip::Hold;
                    }
                }
                self.alien(out)
            }
        }
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.finish(Ended::ByInput, &mut as_tap(out));
    }

    fn keep_passed(&mut self) {
        self.keep_passed = true;
    }

    fn looks_back(&self) -> usize {
        usize::from(self.stream.is_none())
    }

    fn above(&mut self, mut above: Above<'_>) {
        self.line_above = above.next().cloned();
    }

    fn yields_to_report(&self) -> bool {
        let in_yaml = |stream: &Stream| stream.pending.as_ref().is_some_and(Point::in_yaml);
        !self.echo && !self.stream.as_ref().is_some_and(in_yaml)
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Ended {
    /// Another run or tool began.
    ByOther,
    /// The input ended.
    ByInput,
}

impl Tap {
    /// Looks at a line that is none of the run's.
    fn alien(&mut self, out: &mut dyn FnMut(Item)) -> Grip {
        if let Some(stream) = &mut self.stream {
            stream.idle += 1;
            if !stream.is_complete() && stream.idle <= PATIENCE {
                return Grip::Watch;
            }
            self.finish(Ended::ByOther, out);
        }
        Grip::Pass
    }

    fn finish(&mut self, ended: Ended, out: &mut dyn FnMut(Item)) {
        if let Some(stream) = self.stream.take() {
            stream.finish(ended, &mut self.told, out);
        }
    }
}

impl Stream {
    /// Whether a line begins another run.
    fn ended_by(&self, text: &str) -> bool {
        let again = |point: Point| point.number.is_some_and(|number| number <= self.seen);
        let met =
            || self.plan.as_ref().is_some_and(|(count, _)| self.seen + u64::from(self.pending.is_some()) >= *count);
        text.starts_with("TAP version 1") && self.seen > 0
            || met() && Point::parse(text, Span::default()).is_some_and(again)
            || plan(text).is_some() && self.plan.as_ref().is_some_and(|(count, _)| self.seen >= *count)
    }

    fn is_complete(&self) -> bool {
        self.plan.as_ref().is_some_and(|(count, _)| self.seen >= *count)
            && !self.pending.as_ref().is_some_and(Point::in_yaml)
            && self.blocks.is_empty()
    }

    /// Looks at a line; `false` if it is no TAP.
    fn take(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> bool {
        if let Some(point) = &mut self.pending
            && point.detail(line)
        {
            return true;
        }
        let text = line.trimmed();
        let depth = (line.indent() + 2) / 4;
        if text.is_empty() {
            return true;
        }
        let known = if text.starts_with('#') && !text.starts_with("##[") {
            self.comment(line, depth);
            true
        } else if let Some(mut point) = Point::parse(text, line.span) {
            self.settle(out);
            point.depth = depth;
            if depth == 0
                && let Some(number) = point.number
            {
                self.numbered = true;
                self.decide_loose(number > self.seen + 1, out);
            }
            point.indent = line.indent();
            // Of those that passed, nobody wants to know.
            if !point.ok || point.opens_block || self.passing.is_some() {
                point.name = self.full_name(&point);
            }
            point.before = std::mem::take(&mut self.comments);
            if self.seen == 0 && depth == 0 && !self.from_start {
                // Woken in the middle of a run: those before did not fail, or they would have woken the reader.
                let before = point.number.unwrap_or(1).saturating_sub(1).min(1_000_000);
                self.seen = before;
                self.passed = before;
            }
            if point.opens_block {
                self.blocks.push(point);
            } else {
                self.pending = Some(point);
            }
            true
        } else if text == "{"
            && let Some(mut point) = self.pending.take_if(|point| point.has_yaml() && point.indent == line.indent())
        {
            // Behind a block of YAML the brace stands alone.
            point.opens_block = true;
            self.blocks.push(point);
            true
        } else if text == "}" && !self.blocks.is_empty() {
            self.settle(out);
            let point = self.blocks.pop().expect("there is one");
            self.close(point, out);
            true
        } else if let Some(count) = plan(text) {
            if depth == 0 {
                self.settle(out);
                self.plan = Some((count, line.to_text()));
            }
            true
        } else if let Some(reason) = text.strip_prefix("Bail out!") {
            self.settle(out);
            self.bailed = true;
            let reason = TextLine { text: reason.trim().to_owned(), span: line.span };
            let failure = Failure {
                level: Level::Run,
                signal: Some(Signal::Load),
                text: vec![if reason.text.is_empty() { line.to_text() } else { reason }],
                span: line.span,
                ..Failure::default()
            };
            out(Item::Failure(failure));
            true
        } else {
            text.starts_with("TAP version 1")
                || text.starts_with("pragma ")
                || self.pending.as_mut().is_some_and(|point| point.indented(line))
        };
        if known {
            self.span = Some(self.span.map_or(line.span, |span| span.join(line.span)));
        }
        known
    }

    fn comment(&mut self, line: Line<'_>, depth: usize) {
        let text = line.trimmed().trim_start_matches('#').trim_start();
        if let Some(name) = text.strip_prefix("Subtest: ") {
            self.names.resize(self.names.len().max(depth.min(64) + 1), None);
            self.names.truncate(depth + 1);
            if let Some(slot) = self.names.get_mut(depth) {
                *slot = Some(name.trim_end().to_owned());
            }
            return;
        }
        // The blocks of tap are its files, which it counts as they stand.
        if depth == 0 && self.plan.is_some() && text.starts_with("time=") {
            self.braced = false;
        }
        if depth == 0 && self.plan.is_some() && self.trailer.take(text) {
            return;
        }
        let comment = TextLine { text: text.to_owned(), span: line.span };
        match &mut self.pending {
            // Behind a YAML block they announce what comes next; without one they explain what came before.
            Some(point) if !point.has_yaml() => point.comment(comment),
            _ if self.comments.len() < MAX_COMMENTS => self.comments.push(comment),
            _ => {}
        }
    }

    fn full_name(&self, point: &Point) -> String {
        let mut parts: Vec<&str> = self.blocks.iter().map(|block| block.title.as_str()).collect();
        for (depth, name) in self.names.iter().enumerate().take(point.depth + 1) {
            if let Some(name) = name
                // At its own depth a name announces the point itself, or, with Test::More, its parent.
                && (depth < point.depth || point.depth > 0 && *name != point.title)
            {
                parts.push(name);
            }
        }
        if !point.title.is_empty() {
            parts.push(&point.title);
        }
        parts.join(" > ")
    }

    /// Files the point whose details were being read.
    fn settle(&mut self, out: &mut dyn FnMut(Item)) {
        let Some(point) = self.pending.take() else { return };
        let outer = point.depth == 0 && self.blocks.is_empty();
        if outer && point.number.is_none() && self.numbered && self.loose.len() < MAX_LOOSE {
            self.loose.push(point);
        } else {
            self.close(point, out);
        }
    }

    /// Files the points without number if they are tests, and forgets them if a program printed them.
    fn decide_loose(&mut self, tests: bool, out: &mut dyn FnMut(Item)) {
        for point in std::mem::take(&mut self.loose) {
            if tests {
                self.close(point, out);
            }
        }
    }

    fn close(&mut self, point: Point, out: &mut dyn FnMut(Item)) {
        let depth = point.depth;
        let (ok, directive) = (point.ok, point.directive);
        let failed = !ok && directive.is_none();
        if failed && depth == 0 && self.digests.len() < MAX_TOLD {
            self.digests.push(point.digest());
        }
        let children_failed = self.failed_below.get(depth + 1).copied().unwrap_or(false);
        self.failed_below.truncate(depth + 1);
        if point.opens_block && ok && children_failed {
            self.contradicts = true;
            self.fail_at(depth);
        }
        self.names.truncate(depth + 1);
        if let Some(slot) = self.names.get_mut(depth)
            && slot.as_deref() == Some(&point.title)
        {
            *slot = None;
        }
        let outer = depth == 0 && self.blocks.is_empty();
        self.braced |= point.opens_block;
        // A block that failed, and nothing in it, failed outside of its points.
        if depth <= self.blocks.len() && (!point.opens_block || failed && !children_failed) {
            self.leaves.total += 1;
            self.leaves.failed += u64::from(failed);
            self.leaves.skipped += u64::from(directive.is_some());
        }
        let expected = !ok && directive == Some(Directive::Todo);
        if let Some(passing) = self.passing.as_mut().filter(|_| ok && directive.is_none() || expected)
            && passing.len() < 2 * Report::MAX_PASSED
        {
            let (seconds, suite) = (point.seconds(), point.is_suite() || point.opens_block);
            passing.push(Passing { name: point.name.clone(), seconds, outer, suite, expected });
        }
        let mut parent = None;
        if failed {
            let cancelled = point.is_cancelled();
            let mut failure = point.failure();
            failure.follow_on |= children_failed;
            if !cancelled {
                self.fail_at(depth);
            }
            parent = Some((failure, cancelled));
        }
        // A child that was cancelled follows from a parent that failed by itself.
        let own = parent.as_ref().is_some_and(|(failure, cancelled)| !failure.follow_on && !cancelled);
        for child in self.deferred.iter_mut().filter(|child| child.cancelled && child.depth > depth) {
            child.failure.follow_on |= own;
            child.cancelled = false;
        }
        if let Some((failure, cancelled)) = parent {
            self.deferred.push(Deferred { depth, cancelled, failure });
        }
        if !outer {
            if self.deferred.len() >= MAX_DEFERRED {
                self.flush(out);
            }
            return;
        }
        self.seen += 1;
        self.left_out += u64::from(directive == Some(Directive::Skip));
        match (ok, directive) {
            (_, Some(Directive::Skip | Directive::Todo)) => self.skipped += 1,
            (true, None) => self.passed += 1,
            (false, None) => self.failed += 1,
        }
        // What failed below a point that passed, or that was expected to fail, does not count.
        if failed {
            self.flush(out);
        } else {
            self.deferred.clear();
            self.leaves.skipped += self.leaves.failed - self.leaves_failed;
            self.leaves.failed = self.leaves_failed;
        }
        self.leaves_failed = self.leaves.failed;
    }

    /// Keeps in mind that something failed at a depth, for the point above it.
    fn fail_at(&mut self, depth: usize) {
        self.failed_below.resize(self.failed_below.len().max(depth.min(64) + 1), false);
        if let Some(below) = self.failed_below.get_mut(depth) {
            *below = true;
        }
    }

    fn flush(&mut self, out: &mut dyn FnMut(Item)) {
        for child in self.deferred.drain(..) {
            out(Item::Failure(child.failure));
        }
    }

    fn finish(mut self, ended: Ended, told: &mut HashSet<u64>, out: &mut dyn FnMut(Item)) {
        // A single line without number of others, plan or details may be a sentence of something else.
        let lone = self.seen == 0 && self.pending.as_ref().is_some_and(|point| !point.has_yaml());
        if lone && !self.from_start && self.plan.is_none() && self.blocks.is_empty() && !self.bailed {
            return;
        }
        self.settle(out);
        while let Some(point) = self.blocks.pop() {
            self.close(point, out);
        }
        let room = self.plan.as_ref().is_none_or(|(count, _)| *count > self.seen);
        self.decide_loose(room, out);
        self.flush(out);
        told.extend(self.digests.drain(..).take(MAX_TOLD.saturating_sub(told.len())));
        // A sentence that begins like a point is no run.
        if !self.from_start && self.plan.is_none() && self.seen < 2 && self.failed == 0 && !self.bailed {
            return;
        }
        let span = self.span.unwrap_or_default();
        let Stream { plan, seen, passed, failed, skipped, left_out, mut trailer, bailed, mut passing, .. } = self;
        // Qt names what was skipped in no sum, and counts what should have failed among the failed.
        if trailer.skipped == 0 && left_out > 0 && trailer.tests == Some(seen) && !trailer.adds_up() {
            trailer.skipped = left_out;
        } else if let Some(passing) = &mut passing {
            passing.retain(|point| !point.expected);
        }
        let mut counts = Counts { total: seen, passed: Some(passed), failed, errored: 0, skipped, flaky: 0 };
        if self.braced && !self.contradicts {
            let passed = self.leaves.total.saturating_sub(self.leaves.failed + self.leaves.skipped);
            counts = Counts { passed: Some(passed), ..self.leaves };
        }
        let told = plan.is_some() && trailer.tests.is_some() && (trailer.pass.is_some() || trailer.fail.is_some());
        // AVA counts what is still to do among the failed, and what is skipped in no sum.
        let told = told && (trailer.adds_up() || plan.as_ref().is_none_or(|(count, _)| *count > seen));
        let mut missing = 0;
        if let (true, Some(tests)) = (told, trailer.tests) {
            let failed = trailer.fail.unwrap_or(failed) + trailer.cancelled;
            let passed = trailer.pass.unwrap_or_else(|| tests.saturating_sub(failed + trailer.skipped));
            counts = Counts { total: tests, passed: Some(passed), failed, skipped: trailer.skipped, ..counts };
        } else if let Some((count, line)) = &plan
            && *count > seen
            && !bailed
        {
            missing = count - seen;
            counts.total += missing;
            counts.failed += missing;
            let message = format!("the plan promises {count} tests, {seen} ran: the report is cut or the program died");
            out(Item::Note(Note::warning(Some(span.last_line), message)));
            out(Item::Failure(Failure {
                level: Level::Run,
                signal: Some(Signal::Load),
                text: vec![line.clone()],
                span: line.span,
                follow_on: failed > 0,
                count: missing,
                ..Failure::default()
            }));
        }
        if let Some(passing) = passing {
            tell_passing(passing, counts.passed.unwrap_or_default(), out);
        }
        // Without a plan nobody can tell whether the end is missing, unless another tool went on.
        let whole = told || plan.is_some() || ended == Ended::ByOther;
        let outcome = if counts.failed > 0 || bailed || missing > 0 {
            Outcome::Failed
        } else if whole && counts.total > 0 {
            Outcome::Passed
        } else {
            Outcome::Unknown
        };
        if !whole {
            out(Item::Note(Note::warning(Some(span.last_line), "the run has no plan: its end may be missing")));
        }
        out(Item::Tests(TestRun { tool: "tap", counts, span, outcome }));
    }
}

/// Tells of the points that passed: those at the margin, or, where the runner counts those within others and leaves
/// out suites, those.
fn tell_passing(passing: Vec<Passing>, counted: u64, out: &mut dyn FnMut(Item)) {
    let number = |wanted: &dyn Fn(&Passing) -> bool| passing.iter().filter(|point| wanted(point)).count() as u64;
    let margin = number(&|point| point.outer) == counted || number(&|point| !point.suite) != counted;
    for Passing { name, seconds, outer, suite, .. } in passing {
        if if margin { outer } else { !suite } {
            out(Item::Passed(PassedCase { seconds, ..PassedCase::new(name) }));
        }
    }
}

#[cfg(test)]
mod tests;
