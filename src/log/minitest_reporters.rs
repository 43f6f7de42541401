//! The spec and progress reporters of the gem minitest-reporters. Their totals are those of Minitest and read there.

use std::sync::LazyLock;

use crate::pattern::Regex;

use super::cases::{Case, MAX_HELD, script_place};
use super::{Grip, Line, Reader};
use crate::item::Item;
use crate::pattern;
use crate::report::Signal;

pub(super) const NEEDLES: &[&str] = &[" FAIL (", " ERROR (", "FAIL[\"", "ERROR[\""];

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Reporters::default())
}

#[derive(Default)]
struct Reporters {
    case: Option<Case>,
    /// The class that the spec reporter printed last is not among the lines shown; names stand alone.
    named: bool,
}

static SPEC: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r"^\s+(?P<name>test_\S.*?)\s+(?P<word>FAIL|ERROR) \([\d.]+s\)$"));

static PROGRESS: LazyLock<Regex> =
    LazyLock::new(|| pattern::regex(r#"(?P<word>FAIL|ERROR)\["(?P<name>[^"]+)", (?:#<Class:)?(?P<class>[\w:]+)"#));

static WRAPPED: LazyLock<Regex> = LazyLock::new(|| pattern::regex(r"^Minitest::(?:UnexpectedError|Assertion):\s+"));

impl Reader for Reporters {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        let head = SPEC.captures(text).or_else(|| PROGRESS.captures(text));
        if let Some(found) = head {
            self.close(out);
            let name =
                match found.name("class").map(|class| class.as_str()).filter(|class| *class != "Minitest::Result") {
                    Some(class) => format!("{class}#{}", &found["name"]),
                    None => found["name"].to_owned(),
                };
            let mut case = Case::new(name, line);
            case.signal = (&found["word"] == "FAIL").then_some(Signal::Assertion);
            self.case = Some(case);
            self.named = false;
            return Grip::Hold;
        }
        let Some(case) = &mut self.case else { return Grip::Pass };
        let trimmed = text.trim();
        let over = trimmed.is_empty() && case.stack || case.lines > MAX_HELD || text.starts_with("Finished in ");
        if over {
            self.close(out);
            return Grip::Pass;
        }
        // `test_owner#CartTest (0.02s)` says the name once more.
        if !self.named && case.text.is_empty() && trimmed.ends_with("s)") && trimmed.starts_with("test_") {
            self.named = true;
            case.cover(line);
        } else if text.starts_with(' ') && text.contains(":in ") && script_place(text).is_some() {
            case.frame(line, script_place(text));
        } else if text.starts_with(' ') && text.contains(":in `") {
            case.frame(line, None);
        } else {
            let said = WRAPPED.cut_from(text);
            case.push(Line { text: said.trim(), span: line.span });
        }
        Grip::Hold
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.close(out);
    }
}

impl Reporters {
    fn close(&mut self, out: &mut dyn FnMut(Item)) {
        if let Some(case) = self.case.take()
            && !case.text.is_empty()
        {
            case.tell(out);
        }
    }
}
