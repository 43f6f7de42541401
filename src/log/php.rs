//! What PHP says when it dies: a line in the log of errors (`PHP Parse error:  …`), and the same without `PHP` among
//! what the program prints. Where both go to one place, each error stands twice.

use std::sync::LazyLock;

use crate::pattern::Regex;

use super::block::diagnostic;
use super::{Grip, Line, Reader};
use crate::item::Item;
use crate::pattern;
use crate::report::{Failure, FileRef, Signal};

pub(super) const NEEDLES: &[&str] =
    &["Parse error: ", "PHP Fatal error:", "Fatal error: Uncaught", "Fatal error: Allowed", "PHP Recoverable fatal"];

/// How far apart the two copies of an error may stand.
const REACH: u64 = 200;

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Php::default())
}

#[derive(Default)]
struct Php {
    last: Option<Said>,
}

/// The error that was read last.
struct Said {
    /// For the log of errors.
    logged: bool,
    words: String,
    line: u64,
}

static HEAD: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^(?P<log>PHP )?(?P<what>Parse|Fatal|Recoverable fatal|Catchable fatal) error:\s+(?P<words>\S.*?)(?: in (?P<path>\S.*) on line (?P<line>\d+))?$",
    )
});

impl Reader for Php {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let Some(found) = HEAD.captures(line.text) else { return Grip::Pass };
        let logged = found.name("log").is_some();
        let words = line.text.split_once(" error:").map_or("", |(_, words)| words.trim());
        let again = self
            .last
            .as_ref()
            .is_some_and(|last| last.logged != logged && last.words == words && line.span.line - last.line <= REACH);
        if again {
            self.last = None;
            return Grip::Take;
        }
        self.last = Some(Said { logged, words: words.to_owned(), line: line.span.line });
        let (Some(path), "Parse") = (found.name("path"), &found["what"]) else { return Grip::Pass };
        let number = found.name("line").and_then(|number| number.as_str().parse().ok());
        let file = Some(FileRef::new(path.as_str(), number, None));
        out(Item::Failure(Failure { file, ..diagnostic(Signal::Compile, vec![line.to_text()]) }));
        Grip::Take
    }

    fn end(&mut self, _out: &mut dyn FnMut(Item)) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_an_error_once() {
        let said = [
            "PHP Parse error:  syntax error, unexpected token \"}\" in src/a b.php on line 3",
            "",
            "Parse error: syntax error, unexpected token \"}\" in src/a b.php on line 3",
            "Errors parsing src/a b.php",
        ];
        let mut reader = open();
        let mut found = Vec::new();
        for (at, text) in said.iter().enumerate() {
            let line = Line { text, span: crate::report::Span::on_line(at as u64 + 1, 0, 0) };
            reader.line(line, &mut |item| found.push(item));
        }
        let [Item::Failure(failure)] = &found[..] else { panic!("{found:?}") };
        assert_eq!(failure.signal, Some(Signal::Compile));
        assert_eq!(failure.file, Some(FileRef::new("src/a b.php", Some(3), None)));
    }
}
