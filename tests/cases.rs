//! Every folder of `tests/cases` is a case: inputs and, in `expect.toml`, the truth about them.
//!
//! Each case is run once as it is and then in forms that a log takes on its way through a CI system, which must
//! change neither the verdict nor the lines that prove it. `CASE=words cargo test --test cases` runs a few.

mod support;

use support::{Case, Expected, analyze, cases};
use whyred::{Cause, Decision, Report};

#[test]
fn cases_come_out_as_expected() {
    let mut wrong = String::new();
    for case in cases() {
        let complaints = check(&case);
        if !complaints.is_empty() {
            wrong += &format!("{}:\n  {}\n", case.name, complaints.join("\n  "));
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

fn check(case: &Case) -> Vec<String> {
    let mut wrong = Vec::new();
    let (report, decision) = analyze(&case.expect, &case.inputs);
    compare(case, &report, &decision, &mut wrong);
    if !wrong.is_empty() || !case.expect.variations {
        return wrong;
    }
    let verdict = essence(&report, &decision);
    for (variation, vary) in VARIATIONS {
        let mut shifts = Vec::new();
        let vary = |((name, bytes), source): (&(String, Vec<u8>), &whyred::SourceSummary)| {
            let (bytes, shift) = vary(bytes, source.format == "log");
            shifts.push((name.clone(), shift));
            (name.clone(), bytes)
        };
        let inputs: Vec<_> = case.inputs.iter().zip(&report.sources).map(vary).collect();
        let (mut varied, decision) = analyze(&case.expect, &inputs);
        for evidence in varied.causes.iter_mut().flat_map(|cause| &mut cause.evidence) {
            let shift = shifts.iter().find(|(name, _)| *name == evidence.source).map_or(0, |(_, shift)| *shift);
            evidence.line = evidence.line.saturating_sub(shift);
        }
        let now = essence(&varied, &decision);
        if now != verdict {
            wrong.push(format!("{variation} change the verdict:\n    before {verdict}\n    after  {now}"));
        }
    }
    wrong
}

/// What a variation must not change.
fn essence(report: &Report, decision: &Decision) -> String {
    let cause = |cause: &Cause| {
        let line = cause.evidence.first().map_or(0, |evidence| evidence.line);
        format!("{} {:?} x{} @{line}", cause.kind, cause.subject, cause.count)
    };
    let causes: Vec<_> = report.causes.iter().map(cause).collect();
    format!("{} {} {:?} {causes:?}", report.outcome, decision.action, report.tests)
}

fn compare(case: &Case, report: &Report, decision: &Decision, wrong: &mut Vec<String>) {
    let expect = &case.expect;
    if report.outcome != expect.outcome {
        wrong.push(format!("the outcome is {}, expected {}", report.outcome, expect.outcome));
    }
    if decision.action != expect.action {
        wrong.push(format!(
            "the action is {}, expected {}: {}",
            decision.action,
            expect.action,
            decision.reasons.join("; ")
        ));
    }
    if let Some(want) = &expect.tests {
        let have = report.tests.unwrap_or_default();
        let pairs = [
            ("total", want.total, Some(have.total)),
            ("passed", want.passed, have.passed),
            ("failed", want.failed, Some(have.failed)),
            ("errored", want.errored, Some(have.errored)),
            ("skipped", want.skipped, Some(have.skipped)),
            ("flaky", want.flaky, Some(have.flaky)),
        ];
        for (name, want, have) in pairs {
            if want.is_some() && want != have {
                wrong.push(format!("tests.{name} is {have:?}, expected {want:?}"));
            }
        }
    }
    for (index, want) in expect.cause.iter().enumerate() {
        let differs = |cause: &Cause| differences(want, cause);
        // The first is the decisive one; the order of the others is free.
        let nearest = report.causes.iter().take(if index == 0 { 1 } else { usize::MAX });
        let nearest = nearest.map(differs).min_by_key(Vec::len);
        match nearest {
            None => wrong.push(format!("no cause is reported, expected {}", want.kind)),
            Some(differences) if index == 0 => {
                wrong.extend(differences.into_iter().map(|text| format!("decisive: {text}")))
            }
            Some(differences) => {
                wrong.extend(differences.into_iter().map(|text| format!("cause {}: {text}", index + 1)))
            }
        }
    }
    if !expect.others {
        for cause in &report.causes {
            if !expect.cause.iter().any(|want| differences(want, cause).is_empty()) {
                wrong.push(format!("unexpected cause: {}", show(cause)));
            }
        }
    }
    for evidence in report.causes.iter().flat_map(|cause| &cause.evidence) {
        for decoy in expect.decoys.iter().filter(|decoy| evidence.text.contains(decoy.as_str())) {
            wrong.push(format!("{}:{} is a decoy: {decoy:?}", evidence.source, evidence.line));
        }
    }
}

/// In what a cause differs from the one expected.
fn differences(want: &Expected, cause: &Cause) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut expect = |holds: bool, what: String| {
        if !holds {
            wrong.push(format!("expected {what}, found {}", show(cause)));
        }
    };
    expect(cause.kind == want.kind, format!("kind {}", want.kind));
    if let Some(nature) = want.nature {
        expect(cause.nature == nature, format!("nature {nature}"));
    }
    if let Some(subject) = &want.subject {
        expect(cause.subject.as_ref().is_some_and(|have| have.contains(subject)), format!("subject {subject:?}"));
    }
    if let Some(line) = want.line {
        let within = cause.evidence.iter().any(|evidence| {
            (evidence.line..=evidence.last_line).contains(&line)
                && want.file.as_ref().is_none_or(|file| *file == evidence.source)
        });
        expect(within, format!("evidence on line {line}"));
    }
    if let Some(words) = &want.contains {
        let quoted = cause.evidence.iter().any(|evidence| evidence.text.contains(words));
        expect(quoted, format!("evidence with {words:?}"));
    }
    if let Some(count) = want.count {
        expect(cause.count == count, format!("count {count}"));
    }
    wrong
}

fn show(cause: &Cause) -> String {
    let lines: Vec<_> = cause.evidence.iter().map(|evidence| evidence.line).collect();
    let Cause { kind, subject, count, message, rule, .. } = cause;
    format!("{kind} {subject:?} x{count} at {lines:?} by {rule}: {message}")
}

/// Makes another form of an input; tells also by how many lines it moved.
type Vary = fn(&[u8], bool) -> (Vec<u8>, u64);

const VARIATIONS: &[(&str, Vary)] = &[
    ("CRLF line ends", |bytes, _| {
        let mut out = Vec::with_capacity(bytes.len() * 2);
        for (at, &byte) in bytes.iter().enumerate() {
            if byte == b'\n' && (at == 0 || bytes[at - 1] != b'\r') {
                out.push(b'\r');
            }
            out.push(byte);
        }
        (out, 0)
    }),
    ("timestamps", |bytes, log| {
        (if log { around(bytes, b"2026-11-21T00:05:46.5941140Z ", b"") } else { bytes.to_vec() }, 0)
    }),
    ("color codes", |bytes, log| (if log { around(bytes, b"\x1b[31m", b"\x1b[0m") } else { bytes.to_vec() }, 0)),
    ("lines before and after", |bytes, log| {
        if !log {
            return (bytes.to_vec(), 0);
        }
        let mut out = b"Preparing the workspace\n  fetched 412 objects, 3 warnings hidden\n\n".to_vec();
        out.extend_from_slice(bytes);
        if bytes.last().is_some_and(|byte| *byte != b'\n') {
            out.push(b'\n');
        }
        out.extend_from_slice(b"\nCollecting the log\n12 files, 3.5 kB\n");
        (out, 3)
    }),
];

/// Puts something in front of and behind each line that is not empty.
fn around(bytes: &[u8], before: &[u8], after: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() * 2);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        if text.is_empty() {
            out.extend_from_slice(line);
            continue;
        }
        out.extend_from_slice(before);
        out.extend_from_slice(text);
        out.extend_from_slice(after);
        out.extend_from_slice(&line[text.len()..]);
    }
    out
}
