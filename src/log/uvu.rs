//! The consoles of uvu and of tap-spec: small runners of JavaScript with totals in a column.

use std::sync::LazyLock;

use crate::pattern::Regex;

use super::runner::{Block, Run, is_outside};
use super::{Grip, Line, Reader};
use crate::item::{Item, read_count};
use crate::pattern;
use crate::report::{Counts, Level, Signal, Span};

pub(super) const NEEDLES: &[&str] = &[" FAIL ", "  Total:  ", "    ✖ "];

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Uvu::default())
}

#[derive(Default)]
struct Uvu {
    block: Option<Block>,
    /// The block is of tap-spec, and a line below its name is awaited.
    ruled: Ruled,
    totals: Option<(Counts, Span)>,
    run: Run,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Ruled {
    #[default]
    No,
    Awaited,
    Yes,
    /// Behind the key of the stack.
    Stack,
}

static HEAD: LazyLock<Regex> = LazyLock::new(|| pattern::regex(r#"^\s*FAIL\s{2}(?P<suite>.*?)\s*"(?P<name>[^"]+)"$"#));

static COLUMN: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^\s{2}(?P<word>[Tt]otal|[Pp]assed|passing|failing|[Ss]kipped|[Dd]uration):\s+(?P<number>[\d.]+)(?:ms)?$",
    )
});

impl Reader for Uvu {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        if let Some(found) = COLUMN.captures(text) {
            self.close(out);
            return self.column(&found["word"], read_count(&found["number"]).unwrap_or(0), line, out);
        }
        if self.totals.is_some() {
            self.finish(out);
        }
        if let Some(found) = HEAD.captures(text) {
            self.close(out);
            let suite = found["suite"].trim();
            let name = &found["name"];
            let name = if suite.is_empty() { name.to_owned() } else { format!("{suite} > {name}") };
            self.block = Some(Block::new(Level::Case, Some(name), None, line));
            self.ruled = Ruled::No;
            return Grip::Hold;
        }
        // A test of XCTest has its message behind a comma.
        let of_xctest = |name: &str| name.starts_with("test") && name.contains(", ");
        if let Some(name) = text.strip_prefix("    ✖ ").filter(|name| !of_xctest(name)) {
            self.close(out);
            self.block = Some(Block::new(Level::Case, Some(name.to_owned()), None, line));
            self.ruled = Ruled::Awaited;
            return Grip::Hold;
        }
        if self.ruled == Ruled::Awaited {
            // The name stands above a line that is drawn as long as it.
            let drawn = text.trim().len() > 2 && text.trim().bytes().all(|byte| byte == b'-');
            self.ruled = if drawn { Ruled::Yes } else { Ruled::No };
            if !drawn {
                self.block = None;
                return Grip::Pass;
            }
            return Grip::Hold;
        }
        let Some(block) = &mut self.block else { return Grip::Pass };
        let begins = matches!(self.ruled, Ruled::Yes | Ruled::Stack) && text.starts_with("    ✔ ")
            || text.starts_with("  Failed Tests: ");
        if is_outside(text) || begins {
            self.close(out);
            return Grip::Pass;
        }
        match self.ruled {
            Ruled::No | Ruled::Stack => block.push(line),
            // Among the details of tape only its error tells more than its name.
            _ if text.trim_start().starts_with("stack: ") => self.ruled = Ruled::Stack,
            _ if text.trim_start().starts_with("operator: ") => block.signal = Some(Signal::Assertion),
            _ => {}
        }
        Grip::Hold
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.close(out);
        self.finish(out);
    }
}

impl Uvu {
    fn column(&mut self, word: &str, number: u64, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        if word.eq_ignore_ascii_case("total") {
            self.finish(out);
            self.totals = Some((Counts { total: number, passed: Some(number), ..Counts::default() }, line.span));
            return Grip::Hold;
        }
        let Some((counts, span)) = &mut self.totals else { return Grip::Pass };
        *span = span.join(line.span);
        match word {
            "Passed" | "passed" | "passing" => {
                counts.passed = Some(number);
                counts.failed = counts.total.saturating_sub(number);
            }
            "failing" => counts.failed = number,
            // Those that were skipped are not among the total.
            "Skipped" | "skipped" => {
                counts.skipped = number;
                counts.total += number;
            }
            _ => {
                self.finish(out);
                return Grip::Take;
            }
        }
        Grip::Hold
    }

    fn close(&mut self, out: &mut dyn FnMut(Item)) {
        self.ruled = Ruled::No;
        let Some(block) = self.block.take() else { return };
        if block.lines.iter().any(|line| !line.text.trim().is_empty()) {
            out(Item::Failure(block.into_failure()));
        }
    }

    fn finish(&mut self, out: &mut dyn FnMut(Item)) {
        let Some((counts, span)) = self.totals.take() else { return };
        self.run.finish("uvu", counts, span, out);
    }
}
