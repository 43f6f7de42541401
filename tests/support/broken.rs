//! Broken forms of inputs, and what must hold of the report on any bytes. The tests and the fuzzing program share it.
// Every program that shares it uses its own part.
#![allow(dead_code)]

use std::io::Read;
use std::panic::catch_unwind;
use std::time::{Duration, Instant};

use whyred::{Action, Analyzer, Decision, Format, Outcome, Policy, Report, Situation, Source, to_json};

/// SplitMix64: enough to vary inputs, the same on every machine.
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }

    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// What means something to some lexer, or nothing to any.
const MARKS: &[&[u8]] = &[
    b"\0",
    b"\x1b",
    b"\x1b[31m",
    b"\r",
    b"\n",
    b"\"",
    b"'",
    b"<",
    b">",
    b"&",
    b"&#10;",
    b"&#0;",
    b"&nope;",
    b"\xff",
    b"\xc3",
    b"\xe2\x82",
    b"{",
    b"}",
    b"[",
    b"]",
    b"/",
    b"\\",
    b"\\u",
    b"\\ud83d",
    b",",
    b":",
    b" ",
    b"]]>",
    b"<![CDATA[",
    b"<!--",
    b"-->",
    b"<?xml version=\"1.0\"?>",
    b"</testsuite>",
    b"</testcase>",
    b"null",
    b"-1",
    b"1e999",
    b"99999999999999999999999",
    b"\xef\xbb\xbf",
    b"2026-11-21T00:05:46.5941140Z ",
    b"##[error]",
    b"ok 1 - a\n",
    b"not ok 2 - b\n",
    b"1..3\n",
];

/// Cuts, splices, repeats, flips, and sometimes swells one place.
pub fn mutate(bytes: &[u8], other: &[u8], random: &mut Random, max: usize) -> Vec<u8> {
    let mut out = bytes.to_vec();
    for _ in 0..=random.below(5) {
        let at = random.below(out.len() + 1);
        let end = (at + random.below(400)).min(out.len());
        match random.below(10) {
            0 => out.truncate(at),
            1 => drop(out.drain(at..end)),
            2 => {
                let from = random.below(other.len() + 1);
                let piece = &other[from..(from + random.below(2000)).min(other.len())];
                drop(out.splice(at..at, piece.iter().copied()));
            }
            3 => {
                let piece = out[at..end].repeat(1 + random.below(3));
                drop(out.splice(at..at, piece));
            }
            4 | 5 => drop(out.splice(at..at, random.pick(MARKS).iter().copied())),
            6 if out.len() < max => {
                let piece = out[at..(at + random.below(30)).min(out.len())].repeat(random.below(3000));
                drop(out.splice(at..at, piece));
            }
            7 => {
                // A line trades its place with another.
                let starts: Vec<usize> = (0..out.len()).filter(|at| *at == 0 || out[at - 1] == b'\n').collect();
                if starts.len() > 2 {
                    let index = random.below(starts.len() - 1);
                    let line: Vec<u8> = out.drain(starts[index]..starts[index + 1]).collect();
                    let to = random.below(out.len() + 1);
                    drop(out.splice(to..to, line));
                }
            }
            _ => {
                for _ in 0..random.below(12) {
                    if !out.is_empty() {
                        let index = random.below(out.len());
                        out[index] ^= 1 << random.below(8);
                    }
                }
            }
        }
    }
    out.truncate(max);
    out
}

/// Gives bytes in pieces of random sizes.
struct Pieces<'a> {
    rest: &'a [u8],
    random: Random,
    largest: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let length = (1 + self.random.below(self.largest)).min(out.len()).min(self.rest.len());
        out[..length].copy_from_slice(&self.rest[..length]);
        self.rest = &self.rest[length..];
        Ok(length)
    }
}

fn report_on(source: Source<'_>, format: Option<Format>) -> Report {
    Analyzer::new().analyze([match format {
        Some(format) => source.format(format),
        None => source,
    }])
}

/// The report on bytes of which the format is told, or not.
pub fn analyze(bytes: &[u8], format: Option<Format>) -> Report {
    report_on(Source::bytes("input", bytes), format)
}

pub fn decide(report: &Report) -> Decision {
    Policy::default().decide(report, &Situation::new())
}

/// Checks what must hold of the report on any bytes, and gives it: no panic, no evidence outside the input, the same
/// answer twice and in pieces, nothing that escapes from an output, no more than `patience` for every megabyte.
pub fn hold(bytes: &[u8], format: Option<Format>, patience: Duration, seed: u64) -> Result<Report, String> {
    let mut begin = Instant::now();
    let report = catch_unwind(|| analyze(bytes, format)).map_err(|_| "panic".to_owned())?;
    let mut spent = begin.elapsed();
    if spent > patience / 5 {
        // The machine may have had other things to do.
        begin = Instant::now();
        let _ = analyze(bytes, format);
        spent = spent.min(begin.elapsed());
    }
    if spent > patience / 5 + patience * (bytes.len() as u32) / 1_000_000 {
        return Err(format!("{} bytes took {spent:?}", bytes.len()));
    }
    let decision = decide(&report);
    let rendered = catch_unwind(|| {
        let text = whyred::Text::new().render(&report, &decision);
        [
            text,
            whyred::to_markdown(&report, &decision),
            whyred::to_github(&report, &decision),
            to_json(&report, &decision),
        ]
    });
    let rendered = rendered.map_err(|_| "panic in a renderer".to_owned())?;
    if rendered.iter().any(|text| text.contains('\x1b')) {
        return Err("an escape in an output".to_owned());
    }
    let again = analyze(bytes, format);
    if again != report || to_json(&again, &decide(&again)) != rendered[3] {
        return Err("two answers".to_owned());
    }
    for largest in [1 + (seed % 40) as usize, 4000] {
        let pieces = Pieces { rest: bytes, random: Random(seed), largest };
        let pieces = catch_unwind(std::panic::AssertUnwindSafe(|| report_on(Source::reader("input", pieces), format)));
        let pieces = pieces.map_err(|_| format!("panic in pieces of up to {largest}"))?;
        if pieces != report {
            return Err(format!("another answer in pieces of up to {largest}: {}", difference(&pieces, &report)));
        }
    }
    if decision.action == Action::Accept && (report.outcome != Outcome::Passed || report.is_doubtful()) {
        return Err(format!("accepted although {} and doubtful: {}", report.outcome, report.is_doubtful()));
    }
    if report.causes.len() > Report::MAX_CAUSES {
        return Err("too many causes".to_owned());
    }
    places(bytes, &report)?;
    Ok(report)
}

/// The first word in which two reports differ.
fn difference(one: &Report, other: &Report) -> String {
    let (one, other) = (format!("{one:?}"), format!("{other:?}"));
    let at = one.bytes().zip(other.bytes()).position(|(a, b)| a != b).unwrap_or(one.len().min(other.len()));
    let show = |text: &str| text.chars().skip(at.saturating_sub(60)).take(160).collect::<String>();
    format!("{:?} is not {:?}", show(&one), show(&other))
}

/// Checks that evidence stands where it is said to stand.
fn places(bytes: &[u8], report: &Report) -> Result<(), String> {
    // Offsets of UTF-16 are those of its UTF-8 form.
    let recoded = report.notes.iter().any(|note| note.message.contains("is UTF-16"));
    let line_at = |offset: u64| 1 + bytes[..offset as usize].iter().filter(|byte| **byte == b'\n').count() as u64;
    for cause in &report.causes {
        if cause.count == 0 || cause.evidence.is_empty() || !(0.0..=1.0).contains(&cause.confidence) {
            return Err(format!("a cause without failures, evidence or confidence: {cause:?}"));
        }
        for evidence in cause.evidence.iter().filter(|_| !recoded) {
            let (start, end) = (evidence.byte_start, evidence.byte_end);
            let place = format!("{} {start}..{end} of {}, line {}", cause.rule, bytes.len(), evidence.line);
            if start > end || end > bytes.len() as u64 {
                return Err(format!("{place}: outside"));
            }
            if evidence.line == 0 || line_at(start) != evidence.line {
                return Err(format!("{place}: it is on line {}", line_at(start)));
            }
            if line_at(end.saturating_sub(1).max(start)) != evidence.last_line {
                return Err(format!("{place}: another last line than {}", evidence.last_line));
            }
            if evidence.text.chars().count() > 501 {
                return Err(format!("{place}: a long quote"));
            }
        }
    }
    Ok(())
}

/// Checks a report that was cut, and gives what is said of it: what its whole proves before the cut stays proved, and a cut
/// document never passes.
pub fn hold_cut(bytes: &[u8], at: usize, whole: &Report, document: bool) -> Result<Report, String> {
    let report = catch_unwind(|| analyze(&bytes[..at], None)).map_err(|_| format!("panic, cut at {at}"))?;
    let proved = whole.outcome == Outcome::Failed
        && whole.causes.first().is_some_and(|cause| cause.evidence.iter().all(|place| place.byte_end < at as u64));
    let accepted = report.outcome == Outcome::Passed || decide(&report).action == Action::Accept;
    if accepted && (proved || document && at < bytes.trim_ascii_end().len()) {
        return Err(format!("cut at {at} it is {}", report.outcome));
    }
    let most = whole.tests.unwrap_or_default();
    let counts = report.tests.unwrap_or_default();
    // Boost.Test's log and its report tell one run, which counts once only where both are whole.
    let holds = |root: &str| bytes.windows(root.len()).any(|window| window == root.as_bytes());
    let boost = holds("<TestLog") && holds("<TestResult");
    // So do a console and a JUnit report of node that write into each other.
    let node = holds("<testcase") && ["TAP version", "ℹ tests ", "# tests "].iter().any(|word| holds(word));
    let twice = boost || node;
    // Where attempts of one test are cases, a part of them may have passed.
    if document && !twice && counts.total > most.total {
        return Err(format!("cut at {at} it has cases that the whole has not: {counts:?} of {most:?}"));
    }
    Ok(report)
}
