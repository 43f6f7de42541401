//! What JUnit's launcher prints of each test while it runs, in its forms `flat`, `verbose` and `testfeed`.
//!
//! In these forms no list of failures comes at the end; only the totals do, which are read where all its forms have
//! them. In `tree` and `summary` such a list comes, and nothing here is needed.

use super::cases::{Case, MAX_HELD, is_jvm_frame, jvm_place};
use super::{Grip, Line, Reader};
use crate::item::Item;
use crate::report::{Level, Signal};

pub(super) const NEEDLES: &[&str] =
    &["Test execution started. Number of", "Test plan execution started. Number of", " :: STARTED", " :: FAILED"];

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Launcher::default())
}

#[derive(Default)]
struct Launcher {
    form: Form,
    /// The test or container that was named last.
    node: Option<Node>,
    /// What it threw, until it is known whether that makes it fail.
    case: Option<Case>,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Form {
    #[default]
    None,
    Flat,
    Verbose,
    Feed,
}

/// A test or a container of tests.
struct Node {
    name: String,
    container: bool,
}

/// What is thrown by a test that does not want to be run.
const ASSUMPTIONS: &[&str] = &["TestAbortedException", "AssumptionViolatedException", "TestSkippedException"];

impl Launcher {
    /// Tells what was thrown, unless it is no failure.
    fn close(&mut self, out: &mut dyn FnMut(Item)) {
        if let Some(case) = self.case.take() {
            case.tell(out);
        }
    }

    /// Something was thrown by the node at hand.
    fn thrown(&mut self, said: &str, line: Line<'_>) {
        let Some(node) = &self.node else { return };
        if ASSUMPTIONS.iter().any(|name| said.split(':').next().unwrap_or(said).ends_with(name)) {
            return;
        }
        let mut case = Case::new(node.name.clone(), line);
        if node.container {
            case.level = Level::Suite;
            case.signal = Some(Signal::Hook);
        }
        case.push(Line { text: said, span: line.span });
        self.case = Some(case);
    }

    /// A line below what was thrown: its message goes on, or its stack.
    fn more(&mut self, text: &str, line: Line<'_>) {
        let Some(case) = self.case.as_mut().filter(|case| case.lines < MAX_HELD) else { return };
        if is_jvm_frame(text) || jvm_place(text).is_some() {
            case.jvm_frame(line, text);
        } else if !case.stack || text.starts_with("Caused by: ") {
            case.push(Line { text, span: line.span });
        } else {
            case.cover(line);
        }
    }

    fn flat(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) {
        let text = line.text;
        let begins = ["Started: ", "Finished: ", "Skipped: ", "Reported: "].iter().any(|word| text.starts_with(word));
        if let Some((name, id)) = text.split_once(' ').and_then(|(_, rest)| identified(rest)).filter(|_| begins) {
            self.close(out);
            self.node = text.starts_with("Finished: ").then(|| Node { name, container: !id.contains("/[method:") });
        } else if let Some(said) = text.trim_start().strip_prefix("=> Exception: ") {
            self.thrown(said, line);
        } else if line.indent() > 0 {
            self.more(line.trimmed(), line);
        }
    }

    fn verbose(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) {
        let text = line.text.trim_start_matches(['│', '|', ' ', '\t']);
        if let Some(name) = ["├─ ", "└─ ", "+-- ", "'-- "].iter().find_map(|sign| text.strip_prefix(sign)) {
            self.close(out);
            self.node = Some(Node { name: name.trim().to_owned(), container: true });
        } else if let Some(id) = text.strip_prefix("uniqueId: ") {
            if let Some(node) = &mut self.node {
                let title = format!("{} ({id})", node.name);
                if let Some((name, id)) = identified(&title) {
                    *node = Node { name, container: !id.contains("/[method:") };
                }
            }
        } else if let Some(said) = text.strip_prefix("caught: ") {
            self.thrown(said, line);
        } else if let Some(status) = text.strip_prefix("status: ") {
            if status.contains("SUCCESSFUL") || status.contains("ABORTED") {
                self.case = None;
            }
            self.close(out);
            self.node = None;
        } else if !text.starts_with("duration: ") {
            self.more(text, line);
        }
    }

    fn feed(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) {
        let text = line.text;
        let Some((path, status)) = text.rsplit_once(" :: ") else {
            if line.indent() > 0 {
                if self.case.is_none() && self.node.is_some() {
                    self.thrown(line.trimmed(), line);
                } else {
                    self.more(line.trimmed(), line);
                }
            }
            return;
        };
        self.close(out);
        let names: Vec<&str> = path.split(" > ").skip(1).collect();
        let container = names.last().is_some_and(|last| !last.contains('('));
        self.node = (status == "FAILED").then(|| Node { name: names.join("."), container });
    }
}

/// Reads `total() ([engine:junit-jupiter]/[class:demo.CartTest]/[method:total()])`: the name with its classes, and
/// the identity.
fn identified(text: &str) -> Option<(String, &str)> {
    let (name, id) = text.trim().split_once(" ([engine:")?;
    let id = id.strip_suffix(')')?;
    let mut names: Vec<&str> = Vec::new();
    for part in id.split("/[") {
        let Some((what, value)) = part.trim_end_matches(']').split_once(':') else { continue };
        match what {
            "class" => names.push(value.rsplit(['.', '$']).next().unwrap_or(value)),
            "nested-class" => names.push(value),
            _ => {}
        }
    }
    if id.contains("/[method:") || names.is_empty() {
        names.push(name);
    }
    Some((names.join("."), id))
}

impl Reader for Launcher {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        let form = match () {
            () if text.starts_with("Test execution started. Number of") => Some(Form::Flat),
            () if text.starts_with("Test plan execution started. Number of") => Some(Form::Verbose),
            () if self.form == Form::None && text.contains(" > ") && text.contains(" :: ") => Some(Form::Feed),
            () => None,
        };
        if let Some(form) = form {
            // No step: what a test prints to the other stream may come before this line.
            self.close(out);
            self.form = form;
            self.node = None;
            if form != Form::Feed {
                return Grip::Hold;
            }
        }
        if self.form == Form::None {
            return Grip::Pass;
        }
        let over = ["Test run finished after ", "Test execution finished", "Test plan execution finished"];
        if over.iter().any(|word| text.starts_with(word)) {
            self.close(out);
            self.form = Form::None;
            return Grip::Pass;
        }
        match self.form {
            Form::Flat => self.flat(line, out),
            Form::Verbose => self.verbose(line, out),
            Form::Feed | Form::None => self.feed(line, out),
        }
        Grip::Hold
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.close(out);
    }
}
