//! The JSON of RSpec's formatter. What could not be loaded stands in its messages, not among its examples.

use super::document::{Doc, Tally, compare, elements, parts};
use super::json::Node;
use super::{Sure, signal};
use crate::item::Item;
use crate::kind::Phase;
use crate::report::{Failure, FileRef, Level, PassedCase, Signal, TextLine};

pub(crate) fn sniff(head: &[u8]) -> Option<Sure> {
    let near = &head[..head.len().min(16 * 1024)];
    let has = |key: &[u8]| super::near::holds(near, key);
    // What failed outside of any example is told before the examples, and may be cut.
    if head.starts_with(b"{\"version\":") && has(b"\"messages\":[\"\\nAn error occurred ") {
        return Some(Sure::Certain);
    }
    if !head.starts_with(b"{") || !has(b"\"examples\"") {
        return None;
    }
    (has(b"\"full_description\"") || has(b"\"example_count\"")).then_some(Sure::Certain)
}

pub(crate) fn read(doc: &Doc<'_>, out: &mut dyn FnMut(Item)) -> usize {
    let mut cursor = doc.cursor();
    let mut tally = Tally::default();
    let mut damaged = None;
    let (mut declared, mut outside) = (None, 0);
    let mut messages = Vec::new();
    let result = cursor.object(|key, cursor| {
        match key {
            "examples" => parts(cursor, &mut damaged, |example| {
                // Of an example that was cut, only a failure is sure.
                if example.whole || example.string_at("status").as_deref() == Some("failed") {
                    case(doc, example, &mut tally, out);
                }
            })?,
            "messages" => elements(cursor, &mut damaged, |message| messages.extend(message.text()))?,
            "summary" => {
                let (summary, stop) = cursor.node();
                declared = summary.count_at("example_count");
                outside = summary.count_at("errors_outside_of_examples_count").unwrap_or(0);
                return stop.map_or(Ok(()), Err);
            }
            _ => cursor.skip()?,
        }
        Ok(())
    });
    let stop = result.err().or(damaged);
    let loads: Vec<_> = messages
        .iter()
        .map(|message| {
            let mut text = Vec::new();
            doc.push_text(*message, &mut text);
            text
        })
        .filter(|text| text.iter().any(|line| line.text.contains("error occurred")))
        .collect();
    // A report that was cut before its summary still shows the messages of what failed to load.
    let broken = if stop.is_some() { outside.max(loads.len() as u64) } else { outside };
    tally.counts.errored += broken;
    if broken > 0 {
        for text in &loads {
            out(Item::Failure(load(doc, text.clone())));
        }
        if loads.is_empty() {
            let text = vec![TextLine { text: "errors outside of examples".to_owned(), span: doc.head() }];
            out(Item::Failure(load(doc, text)));
        }
    }
    tally.lost |= stop.is_some();
    if stop.is_none() {
        compare("examples", declared, tally.counts.total, doc.line(0), out);
    }
    tally.emit("rspec", doc.head(), out);
    doc.finish(&cursor, result, stop, out)
}

fn load(_doc: &Doc<'_>, mut text: Vec<TextLine>) -> Failure {
    let span = text.first().map(|line| line.span).unwrap_or_default();
    let span = text.last().map_or(span, |line| span.join(line.span));
    let named = text.iter().find_map(|line| {
        let word = line.text.trim().strip_suffix(':')?;
        word.ends_with("Error").then(|| word.to_owned())
    });
    let hook = text.iter().take(3).any(|line| line.text.trim_end().ends_with(" hook."));
    // What was thrown in a hook says more than that it was thrown there.
    if let (true, Some(word)) = (hook, &named)
        && let Some(at) = text.iter().position(|line| line.text.trim().strip_suffix(':') == Some(word))
        && at + 1 < text.len()
    {
        text.rotate_left(at + 1);
    }
    Failure {
        level: Level::Suite,
        phase: Some(Phase::Test),
        signal: Some(if hook { Signal::Hook } else { Signal::Load }),
        type_name: named,
        file: text.iter().find_map(|line| place(&line.text)),
        text,
        span,
        ..Failure::default()
    }
}

/// A place such as `# ./spec/a_spec.rb:3:in`, of the project itself.
fn place(line: &str) -> Option<FileRef> {
    let line = line.trim().trim_start_matches("# ");
    let (path, rest) = line.split_once(".rb:")?;
    let row = rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok();
    (path.starts_with("./")).then(|| FileRef::new(format!("{path}.rb"), row, None))
}

fn case(doc: &Doc<'_>, example: &Node<'_>, tally: &mut Tally, out: &mut dyn FnMut(Item)) {
    let full_name = || example.string_at("full_description").or_else(|| example.string_at("description"));
    match example.string_at("status").as_deref() {
        Some("passed") => {
            doc.passed(out, || PassedCase {
                file: example.string_at("file_path"),
                seconds: example.seconds_at("run_time", 1.0),
                ..PassedCase::new(full_name().unwrap_or_default())
            });
            return tally.passed();
        }
        Some("pending") => return tally.skipped(),
        Some("failed") => tally.failed(),
        _ => return,
    }
    let mut failure = doc.failure(Level::Case, example);
    failure.phase = Some(Phase::Test);
    failure.test = full_name();
    failure.file = example.string_at("file_path").map(|path| FileRef::new(path, example.count_at("line_number"), None));
    if let Some(exception) = example.get("exception") {
        doc.push_member(exception, "message", &mut failure.text);
        failure.type_name = exception.string_at("class");
        let message = exception.string_at("message").unwrap_or_default();
        failure.signal = failure.type_name.as_deref().and_then(|class| match class {
            // A call that was expected and did not come is a failed expectation; another call meets no double.
            "RSpec::Mocks::MockExpectationError" if message.contains("received unexpected message") => {
                Some(Signal::Mock)
            }
            "RSpec::Mocks::MockExpectationError" => Some(Signal::Assertion),
            _ if message.trim_start().starts_with("expected") && class.contains("Expect") => Some(Signal::Assertion),
            class => signal::of_type(class),
        });
        // The class makes the message complete for those who look for it.
        if let (Some(class), Some(first)) = (&failure.type_name, failure.text.iter_mut().find(|l| !l.text.is_empty()))
            && failure.signal.is_none()
        {
            first.text = format!("{class}: {}", first.text.trim_start());
        }
        doc.push_member(exception, "backtrace", &mut failure.text);
    }
    if failure.text.is_empty() {
        doc.push_pair(example, "status", &mut failure.text);
    }
    out(Item::Failure(failure));
}

#[cfg(test)]
mod tests {
    use crate::format::document::check::{counts, cut_anywhere};
    use crate::kind::Kind;
    use crate::report::Outcome;

    #[test]
    fn reads_examples() {
        let text = r#"{"version":"3.13.0","examples":[
{"id":"./spec/a_spec.rb[1:1]","full_description":"Cart sums","status":"passed","file_path":"./spec/a_spec.rb","line_number":3},
{"full_description":"Cart rounds","status":"failed","file_path":"./spec/a_spec.rb","line_number":7,"exception":{
"class":"RSpec::Expectations::ExpectationNotMetError","message":"\nexpected: 3\n     got: 2\n","backtrace":["./spec/a_spec.rb:8:in `block'"]}},
{"full_description":"Cart waits","status":"pending","pending_message":"later"}],
"summary":{"example_count":3,"failure_count":1,"pending_count":1,"errors_outside_of_examples_count":0},
"summary_line":"3 examples, 1 failure, 1 pending"}"#;
        let report = counts(text.as_bytes(), "rspec-json", Outcome::Failed, [3, 1, 1, 0, 1, 0]);
        assert_eq!((report.causes[0].kind, report.causes[0].evidence[0].line), (Kind::Assertion, 4));
        cut_anywhere(text.as_bytes());
    }

    #[test]
    fn what_cannot_be_loaded_stands_in_the_messages() {
        let text = r#"{"version":"3.13.0","messages":["\nAn error occurred while loading ./spec/b_spec.rb.\nFailure/Error: require 'gone'\n\nLoadError:\n  cannot load such file -- gone\n# ./spec/b_spec.rb:1:in `<top (required)>'\n"],
"examples":[],"summary":{"example_count":0,"failure_count":0,"pending_count":0,"errors_outside_of_examples_count":1}}"#;
        let report = counts(text.as_bytes(), "rspec-json", Outcome::Failed, [0, 0, 0, 1, 0, 0]);
        let file = report.causes[0].evidence[0].file.as_ref().unwrap();
        assert_eq!((file.path.as_str(), file.line), ("./spec/b_spec.rb", Some(1)));
    }

    #[test]
    fn a_count_beyond_measure_hides_no_failure() {
        let text = r#"{"version":"3.13.0","examples":[{"full_description":"Cart rounds","status":"failed"}],
"summary":{"example_count":1,"failure_count":1,"errors_outside_of_examples_count":99999999999999999999999}}"#;
        let report = crate::format::document::check::report(text.as_bytes());
        assert_eq!(report.outcome, Outcome::Failed);
    }
}
