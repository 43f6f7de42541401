//! The console of `deno test`: what failed stands below the heading `ERRORS`, each under its name and place.
//!
//! Its totals are read with those of Bun and AVA.

use std::sync::LazyLock;

use crate::pattern::Regex;

use super::runner::Block;
use super::{Grip, Line, Reader};
use crate::item::Item;
use crate::pattern;
use crate::report::{FileRef, Level};

pub(super) const NEEDLES: &[&str] = &[" ERRORS "];

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Deno::default())
}

#[derive(Default)]
struct Deno {
    active: bool,
    block: Option<(Block, Option<FileRef>)>,
}

static HEAD: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^(?P<name>.+?)(?: \(.*\))? => (?P<path>\S+?):(?P<line>\d+):(?P<column>\d+)$"));

impl Reader for Deno {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        if text.trim() == "ERRORS" {
            self.active = true;
            return Grip::Hold;
        }
        if !self.active {
            return Grip::Pass;
        }
        if text.trim() == "FAILURES" || text.starts_with("FAILED | ") || text.starts_with("##[") {
            self.close(out);
            self.active = false;
            return if text.starts_with("FAILED | ") { Grip::Pass } else { Grip::Take };
        }
        if let Some(found) = HEAD.captures(text) {
            self.close(out);
            let number = |name: &str| found[name].parse().ok();
            let place = FileRef::new(&found["path"], number("line"), number("column"));
            let block = Block::new(Level::Case, Some(found["name"].to_owned()), None, line);
            self.block = Some((block, Some(place)));
            return Grip::Hold;
        }
        if let Some((block, _)) = &mut self.block {
            // `error: TypeError: x is not a function`: the first word is Deno's.
            let said = text.strip_prefix("error: ").unwrap_or(text);
            let said = said.strip_prefix("Error: ").filter(|rest| !rest.is_empty()).unwrap_or(said);
            block.push(Line { text: said, span: line.span });
        }
        Grip::Hold
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.close(out);
    }
}

impl Deno {
    fn close(&mut self, out: &mut dyn FnMut(Item)) {
        let Some((block, place)) = self.block.take() else { return };
        let mut failure = block.into_failure();
        failure.file = failure.file.or(place);
        // What has no type of its own is a plain error that was thrown.
        if failure.signal.is_none() && failure.type_name.is_none() {
            failure.type_name = Some("Error".to_owned());
        }
        out(Item::Failure(failure));
    }
}
