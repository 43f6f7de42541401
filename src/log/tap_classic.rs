//! What node-tap writes for people up to version 14: a line for each file, and below it what failed in it. The totals
//! are printed as Mocha prints them.
//!
//! ```text
//! test/sum.js ........................................... 2/3 3s
//!   totals
//!   not ok the total
//!     --- expected
//!     +++ actual
//!     stack: |
//!       Test.<anonymous> (test/sum.js:3:5)
//!
//! total ................................................. 4/5
//! ```

use super::runner::Block;
use super::{ABOVE, Above, Grip, Line, Reader};
use crate::item::Item;
use crate::report::{Level, Signal};

pub(super) const NEEDLES: &[&str] = &["  not ok "];

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Classic::default())
}

#[derive(Default)]
struct Classic {
    /// The line of a file stands near above the line that is shown next.
    near: bool,
    file: Option<String>,
    /// The name of the group of tests.
    group: Option<String>,
    block: Option<Block>,
    active: bool,
}

impl Reader for Classic {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let near = std::mem::take(&mut self.near);
        let (text, indent) = (line.trimmed(), line.indent());
        if !self.active && !near {
            return Grip::Pass;
        }
        if let Some(name) = text.strip_prefix("not ok ").filter(|_| indent == 2) {
            // A point of TAP has a number.
            if name.starts_with(|first: char| first.is_ascii_digit() || first == '-') {
                self.close(out);
                return Grip::Pass;
            }
            self.close(out);
            self.active = true;
            let whole = self.file.as_deref() == Some(name);
            let level = if whole { Level::Suite } else { Level::Case };
            let group = self.group.as_deref().filter(|_| !whole);
            let test = group.map_or_else(|| name.to_owned(), |group| format!("{group} > {name}"));
            let mut block = Block::new(level, Some(test), self.file.clone(), line);
            block.signal = whole.then_some(Signal::Load);
            block.push(Line { text: name, span: line.span });
            self.block = Some(block);
            return Grip::Hold;
        }
        if let Some(file) = file(line.text) {
            self.close(out);
            self.group = None;
            if file == "total" {
                (self.active, self.file) = (false, None);
                return Grip::Take;
            }
            self.file = Some(file.to_owned());
            return Grip::Hold;
        }
        if text.is_empty() {
            return Grip::Hold;
        }
        if indent >= 4
            && let Some(block) = &mut self.block
        {
            let timed = text.starts_with("expired: ") || text == "timeout!";
            match text.split_once(": ") {
                _ if timed => block.signal = Some(Signal::TestTimeout),
                Some(("compare" | "found" | "wanted", _)) => {
                    block.signal.get_or_insert(Signal::Assertion);
                }
                _ => {}
            }
            block.push(line);
            return Grip::Hold;
        }
        self.close(out);
        if indent == 2 {
            self.group = Some(text.to_owned());
            return Grip::Hold;
        }
        // What programs print between the files.
        Grip::Watch
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.close(out);
        self.active = false;
    }

    fn looks_back(&self) -> usize {
        if self.active { 0 } else { ABOVE }
    }

    fn above(&mut self, above: Above<'_>) {
        let found = above.clone().enumerate().find_map(|(at, line)| Some((at, file(&line.text)?)));
        self.near = found.is_some();
        self.file = found.map(|(_, file)| file.to_owned());
        let mut group =
            above.clone().take(1).filter(|line| line.text.starts_with("  ") && found.is_some_and(|(at, _)| at > 0));
        self.group = group.next().map(|line| line.text.trim().to_owned());
    }
}

impl Classic {
    fn close(&mut self, out: &mut dyn FnMut(Item)) {
        let Some(mut block) = self.block.take() else { return };
        // What is a setting of the runner says nothing of a failure.
        block.lines.truncate(60);
        let name = block.lines.first().map(|line| line.text.clone());
        let mut failure = block.into_failure();
        if failure.signal.is_none() && name.is_some_and(|name| !name.contains("Error") && !name.contains("Cannot ")) {
            failure.signal = Some(Signal::Assertion);
        }
        out(Item::Failure(failure));
    }
}

/// The name in the line of a file, or `total`: the name, dots, how many of its points passed.
fn file(text: &str) -> Option<&str> {
    let (name, rest) = text.split_once(" ..")?;
    let ratio = rest.trim_start_matches('.').trim_start().split(' ').next()?;
    let (passed, all) = ratio.split_once('/')?;
    let number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (!name.is_empty() && !name.starts_with(' ') && number(passed) && number(all)).then_some(name)
}
