//! What Semgrep prints for people of findings that fail the run.
//!
//! ```text
//!     src/a.py
//!    ❯❯❱ no-eval
//!           ❰❰ Blocking ❱❱
//!           eval is not allowed
//!
//!             2┆ eval("x")
//! ```

use super::block::{diagnostic, is_path};
use super::{Above, Grip, Line, Reader};
use crate::item::Item;
use crate::report::{Failure, FileRef, Signal, TextLine};

pub(super) const NEEDLES: &[&str] = &["❰❰ Blocking ❱❱"];

/// How many lines the words of a rule may have, with the source that they are about.
const MAX_LINES: usize = 40;

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Semgrep::default())
}

#[derive(Default)]
struct Semgrep {
    rule: Option<String>,
    /// The file of the finding; those below it in one file do not repeat it.
    file: Option<String>,
    text: Vec<TextLine>,
    /// The line of the source.
    row: Option<u64>,
    lines: usize,
    open: bool,
}

impl Reader for Semgrep {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.trimmed();
        if text == NEEDLES[0] {
            self.finish(out);
            self.open = true;
            return Grip::Hold;
        }
        if !self.open {
            return Grip::Pass;
        }
        self.lines += 1;
        if let Some((row, _)) = text.split_once('┆') {
            self.row = row.trim().parse().ok();
            self.finish(out);
            return Grip::Take;
        }
        if self.lines > MAX_LINES || !text.is_empty() && line.indent() < 8 {
            self.finish(out);
            return Grip::Pass;
        }
        if !text.is_empty() {
            self.text.push(line.to_text());
        }
        Grip::Hold
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.finish(out);
    }

    fn looks_back(&self) -> usize {
        2
    }

    fn above(&mut self, mut above: Above<'_>) {
        let head = above.next().and_then(|line| line.text.trim_start().strip_prefix(['❯', '❱']));
        self.rule = head.map(|rule| rule.trim_start_matches(['❯', '❱', ' ']).trim_end().to_owned());
        let file = above.next().map(|line| line.text.trim());
        if let Some(file) = file.filter(|file| is_path(file)) {
            self.file = Some(file.to_owned());
        }
    }
}

impl Semgrep {
    fn finish(&mut self, out: &mut dyn FnMut(Item)) {
        let (rule, row) = (self.rule.take(), self.row.take());
        let text = std::mem::take(&mut self.text);
        self.lines = 0;
        if !std::mem::take(&mut self.open) || text.is_empty() {
            return;
        }
        let file = self.file.as_ref().map(|path| FileRef::new(path, row, None));
        out(Item::Failure(Failure { file, subject: rule.clone(), type_name: rule, ..diagnostic(Signal::Lint, text) }));
    }
}
