//! The recap of Ansible: a line a host, and the run ended well only if it did on all of them.
//!
//! ```text
//! PLAY RECAP *********************************************************************
//! web1                       : ok=2    changed=1    unreachable=0    failed=0    skipped=0    rescued=0    ignored=1
//! ```

use super::{ABOVE, Grip, Line, Reader};
use crate::item::{Item, Mark, Scope, Step, read_count};
use crate::report::{Outcome, Span, TextLine};

pub(super) const NEEDLES: &[&str] = &["PLAY RECAP *"];

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Ansible::default())
}

#[derive(Default)]
struct Ansible {
    /// The hosts that the last task ran on, as far as they stand near.
    ran: Vec<String>,
    recap: Option<Recap>,
}

#[derive(Default)]
struct Recap {
    hosts: Vec<String>,
    failed: bool,
    text: String,
    span: Span,
}

impl Reader for Ansible {
    fn looks_back(&self) -> usize {
        ABOVE
    }

    fn above(&mut self, lines: Vec<TextLine>) {
        let host = |line: &TextLine| Some(line.text.split_once(": [")?.1.split_once(']')?.0.to_owned());
        self.ran =
            lines.iter().filter_map(host).map(|host| host.split(" -> ").next().unwrap_or("").to_owned()).collect();
    }

    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        if line.text.starts_with("PLAY RECAP *") {
            self.finish(true, out);
            self.recap = Some(Recap::default());
            return Grip::Watch;
        }
        let Some(recap) = &mut self.recap else { return Grip::Pass };
        let Some((host, failed)) = host(line.text) else {
            self.finish(true, out);
            return Grip::Pass;
        };
        recap.hosts.push(host.to_owned());
        recap.failed |= failed;
        (recap.text, recap.span) = (line.text.to_owned(), line.span);
        Grip::Watch
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.finish(false, out);
    }
}

impl Ansible {
    /// Tells how the run ended. What follows the recap shows that it is whole.
    fn finish(&mut self, whole: bool, out: &mut dyn FnMut(Item)) {
        let Some(Recap { hosts, failed, text, span }) = self.recap.take() else { return };
        let ran = std::mem::take(&mut self.ran);
        if failed {
            out(Item::Step(Step { name: "ansible".to_owned(), span, command: true, ..Step::default() }));
        } else if !hosts.is_empty() && (whole || ran.iter().all(|host| hosts.contains(host))) {
            out(Item::Mark(Mark { scope: Scope::Tool, outcome: Outcome::Passed, status: None, text, span }));
        }
    }
}

/// The host of a line of the recap, and whether something failed on it. All of its numbers must be there.
fn host(text: &str) -> Option<(&str, bool)> {
    let (host, rest) = text.split_once(" : ok=").or_else(|| text.split_once(": ok="))?;
    let number = |name: &str| {
        let (_, rest) = rest.split_once(name)?;
        read_count(rest.split(' ').next()?)
    };
    let failed = number(" unreachable=")? + number(" failed=")? > 0;
    Some((host.trim(), failed))
}

#[cfg(test)]
mod tests {
    use crate::{Analyzer, Outcome, Source};

    #[test]
    fn a_recap_counts_if_it_is_whole() {
        let outcome = |log: &str| Analyzer::new().analyze([Source::bytes("log", log.as_bytes())]).outcome;
        let play = "TASK [x] ***\nok: [web1]\nchanged: [web2]\n\nPLAY RECAP ****\n";
        let one = "web1   : ok=2    changed=1    unreachable=0    failed=0    skipped=0\n";
        let other = "web2   : ok=2    changed=1    unreachable=0    failed=0    skipped=0\n";
        assert_eq!(outcome(&format!("{play}{one}{other}")), Outcome::Passed);
        assert_eq!(outcome(&format!("{play}{one}")), Outcome::Unknown);
        assert_eq!(outcome(play), Outcome::Unknown);
        let bad = other.replace("failed=0", "failed=1");
        assert_eq!(outcome(&format!("{play}{one}{bad}")), Outcome::Failed);
        assert_eq!(outcome(&format!("{play}{bad}{one}\n{play}{one}{other}\n")), Outcome::Failed);
    }
}
