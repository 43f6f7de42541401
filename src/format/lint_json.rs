//! The JSON of linters that list their findings: Ruff, Pylint, Bandit, ShellCheck, Hadolint, Stylelint, RuboCop,
//! golangci-lint, PHPStan and Semgrep; and what GitLab's analyzers report of security.
//!
//! Each has keys of its own for the same few things, and keys that no other has, by which it is known. What they list
//! fails their run, but for what says that it is a warning where a linter knows the difference, or was corrected.

use super::document::{Doc, clean, parts};
use super::json::{Cursor, Node, Shape, Stop};
use super::{Sure, signal};
use crate::item::Item;
use crate::kind::Phase;
use crate::report::{FileRef, Level, Signal};

/// Keys that stand together in no other report, each set for one form of one tool. The first character is that of the
/// document.
const MARKS: &[(u8, &[&str])] = &[
    (b'[', &["\"noqa_row\"", "\"filename\""]),
    (b'[', &["\"end_location\"", "\"filename\"", "\"code\""]),
    (b'[', &["\"message-id\"", "\"symbol\""]),
    (b'{', &["\"messageId\"", "\"symbol\"", "\"messages\""]),
    (b'{', &["\"issue_severity\"", "\"test_id\""]),
    (b'{', &["\"generated_at\"", "\"CONFIDENCE.HIGH\""]),
    (b'[', &["\"level\"", "\"code\"", "\"file\"", "\"column\"", "\"message\""]),
    (b'{', &["\"comments\"", "\"level\"", "\"endColumn\""]),
    (b'[', &["\"invalidOptionWarnings\"", "\"warnings\""]),
    (b'{', &["\"rubocop_version\"", "\"files\""]),
    (b'{', &["\"Issues\"", "\"FromLinter\""]),
    (b'{', &["\"file_errors\"", "\"totals\""]),
    (b'{', &["\"check_id\"", "\"extra\"", "\"results\""]),
    (b'{', &["\"vulnerabilities\"", "\"identifiers\"", "\"category\""]),
    (b'{', &["\"vulnerabilities\"", "\"analyzer\"", "\"scan\""]),
];

pub(crate) fn sniff(head: &[u8]) -> Option<Sure> {
    let near = &head[..head.len().min(8192)];
    // A stamp of a CI system begins with a bracket too.
    let inner = match head.first()? {
        b'[' => b'{',
        _ => b'"',
    };
    if head[1..].trim_ascii_start().first() != Some(&inner) {
        return None;
    }
    let has = |key: &&str| super::near::holds(near, key.as_bytes());
    let known = MARKS.iter().any(|(first, keys)| head.first() == Some(first) && keys.iter().all(has));
    known.then_some(Sure::Likely)
}

pub(crate) fn read(doc: &Doc<'_>, out: &mut dyn FnMut(Item)) -> usize {
    let mut cursor = doc.cursor();
    let mut found = Found { doc, any: false, out };
    let mut damaged = None;
    let result = match cursor.shape() {
        Ok(Shape::Object) => found.object(&mut cursor, &mut damaged),
        _ => parts(&mut cursor, &mut damaged, |element| found.element(element, None)),
    };
    let any = found.any;
    let stop = result.err().or(damaged);
    if !any && stop.is_none() {
        clean("the linter reports no error", doc.head(), out);
    }
    doc.finish(&cursor, result, stop, out)
}

struct Found<'d, 'a> {
    doc: &'d Doc<'a>,
    any: bool,
    out: &'d mut dyn FnMut(Item),
}

impl<'a> Found<'_, 'a> {
    fn object(&mut self, cursor: &mut Cursor<'a>, damaged: &mut Option<Stop>) -> Result<(), Stop> {
        cursor.object(|key, cursor| match (key, cursor.shape()?) {
            ("vulnerabilities", Shape::Array) => parts(cursor, damaged, |element| self.vulnerability(element)),
            ("messages" | "results" | "comments" | "files" | "Issues" | "errors", Shape::Array) => {
                parts(cursor, damaged, |element| self.element(element, None))
            }
            // PHPStan names each file by a key.
            ("files", Shape::Object) => cursor.object(|path, cursor| {
                cursor.object(|key, cursor| match key {
                    "messages" => parts(cursor, damaged, |message| self.element(message, Some(path))),
                    _ => cursor.skip(),
                })
            }),
            _ => cursor.skip(),
        })
    }

    /// A finding, or a file with several.
    fn element(&mut self, element: &Node<'a>, path: Option<&str>) {
        let path = path.map(str::to_owned).or_else(|| path_of(element));
        let nested = ["warnings", "offenses"].into_iter().filter(|key| element.get(key).is_some());
        let lists: Vec<_> = nested.chain(["parseErrors"]).flat_map(|key| element.list(key)).collect();
        if element.get("warnings").is_some() || element.get("offenses").is_some() {
            lists.into_iter().for_each(|inner| self.element(inner, path.as_deref()));
            return;
        }
        self.finding(element, path);
    }

    fn finding(&mut self, node: &Node<'a>, path: Option<String>) {
        // Semgrep puts the words one level below.
        let (outer, node) = match node.get("extra").filter(|_| node.get("check_id").is_some()) {
            Some(extra) => (node, extra),
            None => (node, node),
        };
        let told = ["message", "issue_text", "text", "Text", "reason"].into_iter();
        let Some(key) = told.into_iter().find(|key| node.text_at(key).is_some()) else {
            // PHPStan and others may list an error as a mere text.
            if let Some(text) = node.text().filter(|_| node.whole) {
                let mut failure = self.doc.failure(Level::Run, node);
                self.doc.push_text(text, &mut failure.text);
                failure.phase = Some(Phase::Lint);
                self.tell(failure);
            }
            return;
        };
        // Stylelint knows warnings that fail no run; RuboCop lists what it corrected.
        let mild = node.get("text").is_some() && node.string_at("severity").as_deref() == Some("warning");
        let open = !node.whole && node.get("severity").is_some() && node.get("message").is_some();
        if mild || node.is("corrected") || open {
            return;
        }
        let mut failure = self.doc.failure(Level::Diagnostic, node);
        self.doc.push_member(node, key, &mut failure.text);
        let rule =
            ["test_id", "code", "message-id", "messageId", "cop_name", "rule", "FromLinter", "identifier", "check_id"];
        let rule = rule.into_iter().find_map(|key| {
            let value = outer.get(key)?;
            value.string().or_else(|| value.count().map(|code| format!("SC{code}")))
        });
        let words = failure.text.first().map_or("", |line| line.text.as_str());
        let found = signal::of_finding(rule.as_deref(), words);
        failure.phase = Some(Phase::Lint);
        failure.signal = Some(found);
        failure.subject = rule.clone().filter(|_| found == Signal::Lint);
        failure.type_name = rule;
        failure.file = path.map(|path| place(outer, path));
        self.tell(failure);
    }

    /// What an analyzer of GitLab found. It fails no job by itself; what is severe is what somebody has to look at.
    fn vulnerability(&mut self, node: &Node<'a>) {
        let severity = node.string_at("severity").unwrap_or_default();
        let told = ["name", "message", "description"].into_iter().find(|key| node.text_at(key).is_some());
        let Some(key) = told.filter(|_| matches!(severity.as_str(), "Critical" | "High")) else { return };
        let mut failure = self.doc.failure(Level::Diagnostic, node);
        self.doc.push_member(node, key, &mut failure.text);
        let rule = node.list("identifiers").first().and_then(|first| first.string_at("value"));
        failure.phase = Some(Phase::Lint);
        failure.signal = Some(Signal::Lint);
        failure.subject = rule.clone();
        failure.type_name = rule;
        let place = node.get("location");
        failure.file =
            place.and_then(|place| Some(FileRef::new(place.string_at("file")?, place.count_at("start_line"), None)));
        self.tell(failure);
    }

    fn tell(&mut self, failure: crate::report::Failure) {
        self.any = true;
        (self.out)(Item::Failure(failure));
    }
}

/// The file of a finding, or of the file that lists some.
fn path_of(node: &Node<'_>) -> Option<String> {
    let own = ["filename", "path", "file", "source"].into_iter().find_map(|key| node.string_at(key));
    own.or_else(|| node.get("Pos")?.string_at("Filename"))
}

fn place(node: &Node<'_>, path: String) -> FileRef {
    let start = node.get("start").filter(|_| node.get("check_id").is_some());
    let spot = node.get("location").or_else(|| node.get("Pos")).or(start).unwrap_or(node);
    let number = |keys: &[&str]| keys.iter().find_map(|key| spot.count_at(key));
    let line = number(&["line", "row", "line_number", "start_line", "Line"]);
    FileRef::new(path, line, number(&["column", "start_column", "Column", "col"]))
}

#[cfg(test)]
mod tests {
    use crate::format::document::check::{cut_anywhere, report};
    use crate::kind::Kind;
    use crate::report::Outcome;

    /// The document, the number of findings, and the first rule and place.
    const REPORTS: &[(&str, u64, &str, &str, u64)] = &[
        (
            r#"[{"cell":null,"code":"F401","end_location":{"column":10,"row":1},"filename":"/ci/a.py","fix":null,"location":{"column":8,"row":4},"message":"`os` imported but unused","noqa_row":1,"url":"https://docs.astral.sh"}]"#,
            1,
            "F401",
            "/ci/a.py",
            4,
        ),
        (
            r#"[{"type":"warning","module":"a","obj":"","line":3,"column":4,"path":"a.py","symbol":"unused-variable","message":"Unused variable 'x'","message-id":"W0612"}]"#,
            1,
            "W0612",
            "a.py",
            3,
        ),
        (
            r#"{"messages":[{"type":"warning","symbol":"unused-variable","message":"Unused variable 'x'","messageId":"W0612","module":"a","line":3,"column":4,"path":"a.py"}],"statistics":{"score":5.0}}"#,
            1,
            "W0612",
            "a.py",
            3,
        ),
        (
            r#"{"errors":[],"generated_at":"2026","metrics":{},"results":[{"code":"1 x","filename":"./app.py","issue_severity":"HIGH","issue_text":"subprocess call with shell=True","line_number":3,"test_id":"B602"}]}"#,
            1,
            "B602",
            "./app.py",
            3,
        ),
        (
            r#"[{"file":"a.sh","line":2,"endLine":2,"column":6,"endColumn":8,"level":"info","code":2086,"message":"Double quote to prevent globbing"},{"file":"a.sh","line":3,"endLine":2,"column":6,"endColumn":8,"level":"info","code":2086,"message":"Double quote"}]"#,
            2,
            "SC2086",
            "a.sh",
            2,
        ),
        (
            r#"[{"source":"/ci/a.css","deprecations":[],"invalidOptionWarnings":[],"parseErrors":[],"errored":true,"warnings":[{"line":2,"column":3,"rule":"color-no-invalid-hex","severity":"error","text":"Unexpected invalid hex color"},{"line":3,"column":3,"rule":"x","severity":"warning","text":"mild"}]}]"#,
            1,
            "color-no-invalid-hex",
            "/ci/a.css",
            2,
        ),
        (
            r#"{"metadata":{"rubocop_version":"1.60.0"},"files":[{"path":"a.rb","offenses":[{"severity":"convention","message":"Use x.","cop_name":"Style/X","corrected":false,"location":{"start_line":5,"line":5,"column":2}},{"severity":"convention","message":"Done.","cop_name":"Style/Y","corrected":true,"location":{"line":6}}]}],"summary":{"offense_count":2}}"#,
            1,
            "Style/X",
            "a.rb",
            5,
        ),
        (
            r#"{"Issues":[{"FromLinter":"errcheck","Text":"Error return value is not checked","Severity":"","Pos":{"Filename":"a.go","Offset":1,"Line":7,"Column":2}}],"Report":{}}"#,
            1,
            "errcheck",
            "a.go",
            7,
        ),
        (
            r#"{"totals":{"errors":0,"file_errors":1},"files":{"/ci/a.php":{"errors":1,"messages":[{"message":"Undefined variable: $x","line":9,"ignorable":true,"identifier":"variable.undefined"}]}},"errors":[]}"#,
            1,
            "variable.undefined",
            "/ci/a.php",
            9,
        ),
        (
            r#"{"version":"1.182.0","results":[{"check_id":"no-eval","path":"a.py","start":{"line":2,"col":1},"end":{"line":2,"col":10},"extra":{"message":"eval is not allowed","severity":"ERROR"}}],"errors":[]}"#,
            1,
            "no-eval",
            "a.py",
            2,
        ),
    ];

    #[test]
    fn findings_of_each_tool() {
        for (text, count, rule, path, line) in REPORTS {
            let report = report(text.as_bytes());
            let cause = &report.causes[0];
            let file = cause.evidence[0].file.as_ref().unwrap();
            assert_eq!((report.sources[0].format.as_str(), report.outcome), ("lint-json", Outcome::Failed), "{text}");
            assert_eq!((cause.count, file.path.as_str(), file.line), (*count, *path, Some(*line)), "{text}");
            assert!(cause.kind != Kind::LintViolation || cause.subject.as_deref() == Some(rule), "{cause:#?}");
            cut_anywhere(text.as_bytes());
        }
    }

    #[test]
    fn nothing_found_is_a_pass() {
        let clean = r#"{"metadata":{"rubocop_version":"1.60.0"},"files":[{"path":"a.rb","offenses":[]}],"summary":{"offense_count":0}}"#;
        assert_eq!(report(clean.as_bytes()).outcome, Outcome::Passed);
    }
}
