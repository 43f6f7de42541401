//! A report that was printed within a log, each line behind what the CI system writes in front of it: a time, the
//! name of a container, a column. The prefixes are taken off, and every place is told as it is in the log.

use super::{Parse, Place};
use crate::item::Item;
use crate::report::Span;

/// How much is freed of its prefixes before the parser within is asked again: first a little, since small reports may
/// follow one another, then more each time.
const FIRST_STEP: usize = 4 * 1024;
const STEP: usize = 1024 * 1024;

/// How many lines are remembered with the place of their prefix. Failures rarely wait longer than that.
const MAX_LINES: usize = 1 << 20;

/// How many lines must have a prefix that nobody knows, as far as there are so many.
const SHARED: usize = 3;

/// The longest prefix that is looked for where nobody knows it.
pub(super) const MAX_PREFIX: usize = 160;

/// How many brackets of a line may be the first of a document that ends on it.
pub(super) const CANDIDATES: usize = 8;

/// Whether a text begins like a document, by its first characters.
pub(super) fn begins_document(text: &[u8]) -> bool {
    let Some((bracket, rest)) = text.split_first() else { return false };
    let next = rest.trim_ascii_start().first();
    match bracket {
        b'{' => matches!(next, None | Some(b'"' | 0x1b)),
        b'[' => matches!(next, None | Some(b'{' | 0x1b)),
        b'<' => rest.starts_with(b"?xml") || rest.first().is_some_and(u8::is_ascii_alphabetic),
        _ => false,
    }
}

/// Whether a line begins as reports do, behind what a CI system writes in front of it, and is not indented as what
/// runners show of the output of a test.
pub(crate) fn begins_report(line: &[u8]) -> bool {
    let near = &line[..line.len().min(MAX_PREFIX)];
    let of_color = |at: usize| at.checked_sub(1).is_some_and(|before| line[before] == 0x1b);
    let may_begin = |at: usize| !of_color(at) && begins_document(&line[at..]);
    if !memchr::memchr3_iter(b'<', b'{', b'[', near).any(may_begin) {
        return false;
    }
    let text = crate::log::strip_escapes(&line[crate::log::prefix_length(line)..]);
    begins_document(&text.as_bytes()[crate::log::prefix_length(text.as_bytes())..])
}

/// Whether a prefix that nobody knows says anything. Behind what is known, and behind nothing, blanks are the
/// indentation of an element.
pub(super) fn is_words(prefix: &[u8]) -> bool {
    let text = crate::log::strip_escapes(prefix);
    // The envelope of a line without text has lost its last blank.
    let known = crate::log::prefix_length(format!("{text}{{").as_bytes()).min(text.len());
    !text[known..].trim_ascii().is_empty() && !prefix.ends_with(b"  ")
}

/// What stands in front of each line: the bytes of the first, in which a run of digits stands for any other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Prefix {
    first: Vec<u8>,
}

impl Prefix {
    /// The prefix of a line behind which a report may begin.
    pub(crate) fn of(line: &[u8]) -> Option<Prefix> {
        let length = crate::log::prefix_length(line);
        let begins = matches!(line.get(length), Some(b'{' | b'[' | b'<'));
        if length > 0 && begins {
            return Some(Prefix { first: line[..length].to_vec() });
        }
        // Behind color codes, and behind what stands in front of those.
        let near = &line[..line.len().min(MAX_PREFIX)];
        let start = memchr::memchr(0x1b, near)?;
        let start = (start..near.len()).find(|at| begins_document(&line[*at..]))?;
        let text = crate::log::strip_escapes(&line[..start]);
        let known = crate::log::prefix_length(format!("{text}{{").as_bytes()) == text.len();
        known.then(|| Prefix { first: line[..start].to_vec() })
    }

    /// The prefix of a document that begins on the first of these lines, where nobody knows it but each of the lines
    /// that follow has it too.
    pub(crate) fn shared(lines: &[u8]) -> Option<Prefix> {
        let mut following = lines.split(|byte| *byte == b'\n');
        let first = following.next()?;
        let following: Vec<&[u8]> = following.take(SHARED).filter(|line| !line.is_empty()).collect();
        let near = &first[..first.len().min(MAX_PREFIX)];
        let start = (1..near.len()).find(|at| begins_document(&first[*at..]))?;
        if !is_words(&near[..start]) {
            return None;
        }
        let prefix = Prefix { first: first[..start].to_vec() };
        (!following.is_empty() && following.iter().all(|line| prefix.length(line) > 0)).then_some(prefix)
    }

    /// These words, in which a run of digits stands for any other.
    pub(super) fn words(words: &str) -> Prefix {
        Prefix { first: words.as_bytes().to_vec() }
    }

    /// What stands behind the prefix of a line; `None` where the line has not got it.
    pub(super) fn strip_from<'t>(&self, line: &'t str) -> Option<&'t str> {
        let length = self.length(line.as_bytes());
        if length > 0 { line.get(length..) } else { None }
    }

    /// How long the prefix of a line is, 0 where it has none.
    fn length(&self, line: &[u8]) -> usize {
        let digits = |bytes: &[u8]| bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (mut own, mut pos) = (0, 0);
        while own < self.first.len() {
            let wanted = digits(&self.first[own..]);
            if wanted > 0 {
                let found = digits(&line[pos..]);
                if found == 0 {
                    return 0;
                }
                (own, pos) = (own + wanted, pos + found);
                continue;
            }
            match line.get(pos) {
                Some(byte) if *byte == self.first[own] => (own, pos) = (own + 1, pos + 1),
                // Behind a prefix with nothing more, its last blank may be gone.
                None | Some(b'\n' | b'\r') if self.first[own..].trim_ascii().is_empty() => return pos,
                _ => return 0,
            }
        }
        pos
    }

    /// The lines of `data` without their prefixes, and without the codes that end a color.
    pub(crate) fn strip(&self, data: &[u8]) -> Vec<u8> {
        let mut text = Vec::with_capacity(data.len());
        for line in data.split_inclusive(|byte| *byte == b'\n') {
            let Parts { prefix, text: shown, codes } = self.parts(line);
            text.extend_from_slice(&line[prefix..prefix + shown]);
            text.extend_from_slice(&line[prefix + shown + codes..]);
        }
        text
    }

    /// Where the codes that end a color begin, or else the end of the line.
    fn end(&self, line: &[u8]) -> usize {
        let whole = line.trim_ascii_end().len();
        if !self.first.contains(&0x1b) {
            return whole;
        }
        let mut end = whole;
        while let Some(start) = memchr::memrchr(0x1b, &line[..end]) {
            let code = &line[start + 1..end];
            let Some((last, parameters)) = code.strip_prefix(b"[").and_then(|code| code.split_last()) else { break };
            let known = matches!(last, b'm' | b'K') && parameters.iter().all(|byte| matches!(byte, b'0'..=b'9' | b';'));
            if !known {
                break;
            }
            end = start;
        }
        end
    }

    /// How long the parts of a line are.
    fn parts(&self, line: &[u8]) -> Parts {
        let prefix = self.length(line);
        let shown = self.end(line).max(prefix);
        let codes = line[shown..].trim_ascii_end().len();
        Parts { prefix, text: shown - prefix, codes }
    }
}

/// The parts of a line in front of its end: what stands before its text, the text, and the codes that end a color.
struct Parts {
    prefix: usize,
    text: usize,
    codes: usize,
}

/// Reads what is left of the lines with the parser of a format.
pub(crate) struct Framed {
    inner: Box<dyn Parse>,
    prefix: Prefix,
    /// What is free of prefixes and not yet taken by the parser.
    text: Vec<u8>,
    /// How much is freed next.
    step: usize,
    /// How much of the data at hand that is.
    covered: usize,
    /// Where the parser stands, in bytes without prefixes; unset before the first.
    at: Option<Place>,
    places: Places,
    /// How many bytes behind what was read are lines of something else, with their prefixes.
    aside: usize,
}

impl Framed {
    pub(crate) fn open(inner: Box<dyn Parse>, prefix: Prefix) -> Box<dyn Parse> {
        let (text, places) = (Vec::new(), Places::default());
        Box::new(Framed { inner, prefix, text, step: FIRST_STEP, covered: 0, at: None, places, aside: 0 })
    }

    /// Frees more lines of their prefixes; whether there may be more.
    fn strip(&mut self, data: &[u8], eof: bool) -> bool {
        let enough = self.text.len() + self.step;
        self.step = (2 * self.step).min(STEP);
        while self.covered < data.len() {
            if self.text.len() >= enough {
                return true;
            }
            let rest = &data[self.covered..];
            let line = match memchr::memchr(b'\n', rest) {
                Some(end) => &rest[..=end],
                None if eof => rest,
                None => return false,
            };
            let Parts { prefix, text, codes } = self.prefix.parts(line);
            self.places.line(prefix, text, codes, line.len());
            self.text.extend_from_slice(&line[prefix..prefix + text]);
            self.text.extend_from_slice(&line[prefix + text + codes..]);
            self.covered += line.len();
        }
        false
    }
}

impl Parse for Framed {
    fn parse(&mut self, data: &[u8], at: &mut Place, eof: bool, out: &mut dyn FnMut(Item)) -> usize {
        let mut inner_at = *self.at.get_or_insert_with(|| {
            self.places.next = at.byte;
            *at
        });
        let aside = loop {
            let more = self.strip(data, eof);
            let Framed { inner, places, text, .. } = self;
            let last = eof && !more;
            let used = inner.parse(text, &mut inner_at, last, &mut |item| out(places.restore(item)));
            text.drain(..used);
            let aside = inner.aside().min(text.len());
            if inner.done() || !more || aside > 0 {
                break aside;
            }
        };
        let end_of = |places: &Places, byte: u64| (places.end(byte).saturating_sub(at.byte) as usize).min(data.len());
        if aside > 0 {
            let taken = end_of(&self.places, inner_at.byte);
            inner_at.advance(&self.text[..aside]);
            self.text.drain(..aside);
            self.aside = end_of(&self.places, inner_at.byte) - taken;
            self.at = Some(inner_at);
            at.advance(&data[..taken]);
            self.covered = self.covered.saturating_sub(taken + self.aside);
            return taken;
        }
        self.at = Some(inner_at);
        let taken = match eof && !self.inner.done() {
            true => data.len(),
            false => end_of(&self.places, inner_at.byte),
        };
        at.advance(&data[..taken]);
        self.covered = self.covered.saturating_sub(taken);
        taken
    }

    fn done(&self) -> bool {
        self.inner.done()
    }

    fn aside(&mut self) -> usize {
        std::mem::take(&mut self.aside)
    }
}

/// Where the prefixes stood.
#[derive(Debug, Default)]
struct Places {
    /// Where something was taken off, in bytes of what is left, and how much up to there.
    lines: Vec<(u64, u64)>,
    /// Where the next line begins without prefixes.
    next: u64,
    taken: u64,
}

impl Places {
    /// Adds a line of so many bytes: its prefix, its text, and the codes behind it.
    fn line(&mut self, prefix: usize, text: usize, codes: usize, length: usize) {
        self.take_off(self.next, prefix);
        self.take_off(self.next + text as u64, codes);
        self.next += (length - prefix - codes) as u64;
    }

    fn take_off(&mut self, at: u64, bytes: usize) {
        if bytes == 0 {
            return;
        }
        self.taken += bytes as u64;
        if self.lines.len() >= MAX_LINES {
            self.lines.drain(..MAX_LINES / 2);
        }
        self.lines.push((at, self.taken));
    }

    fn before(&self, line: usize) -> u64 {
        match line.checked_sub(1) {
            Some(line) => self.lines[line].1,
            None => 0,
        }
    }

    /// Where in the log a byte stands.
    fn start(&self, byte: u64) -> u64 {
        byte + self.before(self.lines.partition_point(|(line, _)| *line <= byte))
    }

    /// Where in the log a part ends that ends before a byte.
    fn end(&self, byte: u64) -> u64 {
        byte + self.before(self.lines.partition_point(|(line, _)| *line < byte))
    }

    fn span(&self, span: Span) -> Span {
        let byte_start = self.start(span.byte_start);
        Span { byte_start, byte_end: self.end(span.byte_end).max(byte_start), ..span }
    }

    fn restore(&self, mut item: Item) -> Item {
        match &mut item {
            Item::Failure(failure) => {
                failure.span = self.span(failure.span);
                failure.text.iter_mut().for_each(|line| line.span = self.span(line.span));
            }
            Item::Line(line) => line.span = self.span(line.span),
            Item::Tests(run) => run.span = self.span(run.span),
            Item::Mark(mark) => mark.span = self.span(mark.span),
            Item::Step(step) => step.span = self.span(step.span),
            Item::Tail { line, .. } | Item::Novel(line) => line.span = self.span(line.span),
            Item::Passed(_)
            | Item::Task(_)
            | Item::Letter { .. }
            | Item::Attempt(_)
            | Item::Asked(_)
            | Item::Note(_)
            | Item::Teller(_) => {}
        }
        item
    }
}

#[cfg(test)]
mod tests {
    use crate::report::{Outcome, Report};
    use crate::{Analyzer, Source};

    fn analyze(text: &str) -> Report {
        Analyzer::new().analyze([Source::bytes("log", text.as_bytes())])
    }

    fn framed(report: &str, prefix: impl Fn(usize) -> String) -> String {
        report.lines().enumerate().map(|(number, line)| format!("{}{line}\n", prefix(number))).collect()
    }

    const JEST: &str = "{\n  \"numFailedTestSuites\": 1,\n  \"numTotalTests\": 2,\n  \"success\": false,\n  \"testResults\": [\n    {\n      \"assertionResults\": [\n        { \"fullName\": \"adds\", \"status\": \"passed\", \"failureMessages\": [] },\n        { \"fullName\": \"rounds\", \"status\": \"failed\",\n          \"failureMessages\": [\"Error: expect(received).toBe(expected)\"] }\n      ],\n      \"message\": \"\", \"name\": \"/ci/sum.test.js\", \"status\": \"failed\"\n    }\n  ]\n}";

    const JUNIT: &str = "<?xml version=\"1.0\"?>\n<testsuite name=\"s\" tests=\"2\"\n    failures=\"1\">\n  <testcase name=\"a\"/>\n  <testcase name=\"b\">\n    <failure message=\"first\">first\nsecond line\n</failure>\n  </testcase>\n</testsuite>";

    #[test]
    fn prefixes_of_all_sorts_are_taken_off() {
        let stamp = |number: usize| format!("2026-11-21T00:05:4{}.{}Z ", number % 10, 1_000_000 + number * 77);
        let gitlab = |number: usize| format!("2026-11-21T00:05:4{}.081569Z 01O ", number % 10);
        let clock = |number: usize| format!("[01:05:{:02}] ", number % 60);
        let columns = |number: usize| format!("job\tRun make\t2026-11-21T00:05:4{}.0815691Z ", number % 10);
        let container = |_: usize| "web-1  | ".to_owned();
        let kit = |number: usize| format!("#12 {}.345 ", number * 7);
        let prefixes: [&dyn Fn(usize) -> String; 6] = [&stamp, &gitlab, &clock, &columns, &container, &kit];
        for prefix in prefixes {
            for report in [JEST, JUNIT] {
                let noise = format!("{}npm run test\n", prefix(0));
                let log = format!("{noise}{}{}npm error code 1\n", framed(report, prefix), prefix(9));
                let found = analyze(&log);
                let counts = found.tests.map(|counts| (counts.total, counts.failed));
                assert_eq!((found.outcome, counts), (Outcome::Failed, Some((2, 1))), "{log}\n{found:#?}");
                let evidence = &found.causes[0].evidence[0];
                let quoted = &log[evidence.byte_start as usize..evidence.byte_end as usize];
                assert!(quoted.contains(&evidence.text), "{quoted:?} is not {:?}", evidence.text);
                assert_eq!(log[..evidence.byte_start as usize].matches('\n').count() as u64 + 1, evidence.line);
            }
        }
    }

    #[test]
    fn text_of_several_lines_has_no_prefixes_in_it() {
        let log = framed(JUNIT, |number| format!("2026-11-21T00:05:4{}Z ", number % 10)).replace("first", "boom");
        let found = analyze(&log);
        assert_eq!(found.causes[0].message, "boom");
        let found = analyze(&log.replace("message=\"boom\">boom", ">"));
        assert_eq!(found.causes[0].message, "second line");
    }

    #[test]
    fn pieces_of_any_size_give_the_same_report() {
        let log = framed(JEST, |number| format!("2026-11-21T00:05:4{}Z ", number % 10)) + "done\n";
        let log = log.repeat(3);
        let whole = analyze(&log);
        assert_eq!(whole.tests.map(|counts| counts.total), Some(6));
        for size in [1, 7, 100, 1000] {
            let mut session = Analyzer::new().session("log");
            log.as_bytes().chunks(size).for_each(|piece| session.push(piece));
            assert_eq!(session.finish(), whole, "{size}");
        }
    }

    #[test]
    fn lines_of_others_between_the_elements_are_read_as_a_log() {
        let report = "<?xml version=\"1.0\"?>\n<testsuites>\nstarting <anonymous>\n\nError: Cannot find module 'express'\n  <testsuite name=\"s\" tests=\"2\">\n    <testcase name=\"a\"/>\nnoise\n    <testcase name=\"b\"/>\n  </testsuite>\n</testsuites>\n";
        let stamp = |number: usize| format!("2026-11-21T00:05:4{}Z ", number % 10);
        let end = "##[error]Process completed with exit code 1.\n";
        for log in [report.to_owned() + end, framed(report, stamp) + &stamp(0) + end] {
            let whole = analyze(&log);
            let counts = whole.tests.map(|counts| (counts.total, counts.failed));
            assert_eq!((whole.outcome, counts), (Outcome::Failed, Some((2, 0))), "{log}\n{whole:#?}");
            assert_eq!(whole.causes[0].evidence[0].line, 5);
            assert!(whole.notes.iter().all(|note| !note.message.contains("ill-formed")), "{whole:#?}");
            for size in [1, 7, 100] {
                let mut session = Analyzer::new().session("log");
                log.as_bytes().chunks(size).for_each(|piece| session.push(piece));
                assert_eq!(session.finish(), whole, "{size}");
            }
        }
    }
}
