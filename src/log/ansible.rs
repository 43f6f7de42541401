//! What fails in Ansible: a task on a host, unless the play ignores it. And its recap: a line a host, and the run ended
//! well only if it did on all of them.
//!
//! ```text
//! PLAY RECAP *********************************************************************
//! web1                       : ok=2    changed=1    unreachable=0    failed=0    skipped=0    rescued=0    ignored=1
//! ```

use super::{ABOVE, Above, Grip, Line, Reader};
use crate::item::{Item, Mark, Scope, Step, read_count};
use crate::report::{Failure, Level, Outcome, Span, TextLine};

pub(super) const NEEDLES: &[&str] = &["PLAY RECAP *", "]: FAILED! =>"];

/// How far above what fails the name of the task is looked for; each host and item has a line.
const REACH: usize = 12;

/// How many lines of a result are kept.
const MAX_RESULT: usize = 30;

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Ansible::default())
}

#[derive(Default)]
struct Ansible {
    /// The hosts that the last task ran on, as far as they stand near.
    ran: Vec<String>,
    recap: Option<Recap>,
    task: Option<String>,
    /// The result of a task that failed, until it is known that nothing ignores it.
    result: Vec<TextLine>,
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
        REACH
    }

    fn above(&mut self, above: Above<'_>) {
        let host = |line: &TextLine| Some(line.text.split_once(": [")?.1.split_once(']')?.0.to_owned());
        self.ran = above
            .clone()
            .take(ABOVE)
            .filter_map(host)
            .map(|host| host.split(" -> ").next().unwrap_or("").to_owned())
            .collect();
        let task = above
            .clone()
            .find_map(|line| line.text.strip_prefix("TASK [").or(line.text.strip_prefix("RUNNING HANDLER [")));
        self.task = task.and_then(|task| task.rsplit_once(']')).map(|(name, _)| name.to_owned());
    }

    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        if !self.result.is_empty() {
            if line.text == "...ignoring" {
                self.result.clear();
                return Grip::Take;
            }
            if line.indent() > 0 && self.result.len() < MAX_RESULT {
                self.result.push(line.to_text());
                return Grip::Hold;
            }
            self.tell(out);
        }
        if line.text.starts_with("fatal: [") && line.text.contains("]: FAILED! =>") {
            self.result.push(line.to_text());
            return Grip::Hold;
        }
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
        self.tell(out);
        self.finish(false, out);
    }
}

impl Ansible {
    /// Tells of the task that failed.
    fn tell(&mut self, out: &mut dyn FnMut(Item)) {
        let text = std::mem::take(&mut self.result);
        let (Some(first), Some(last)) = (text.first(), text.last()) else { return };
        let span = first.span.join(last.span);
        let test = self.task.take();
        out(Item::Failure(Failure { level: Level::Diagnostic, test, text, span, count: 1, ..Failure::default() }));
    }

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
    fn the_task_that_failed_is_the_cause_unless_it_is_ignored() {
        let play = "TASK [install nginx] ***\nok: [web2]\nfatal: [web1]: FAILED! => {\"msg\": \"it is raining\"}\n";
        let recap = |failed: u32| {
            format!(
                "\nPLAY RECAP ***\nweb1 : ok=1 changed=0 unreachable=0 failed={failed}\nweb2 : ok=1 changed=0 unreachable=0 failed=0\n"
            )
        };
        let report = Analyzer::new().analyze([Source::bytes("log", format!("{play}{}", recap(1)).as_bytes())]);
        let found: Vec<_> =
            report.causes.iter().map(|cause| (cause.evidence[0].line, cause.subject.as_deref())).collect();
        assert_eq!((report.outcome, found), (Outcome::Failed, vec![(3, Some("install nginx"))]), "{report:#?}");
        let log = format!("{play}...ignoring\n{}", recap(0));
        let report = Analyzer::new().analyze([Source::bytes("log", log.as_bytes())]);
        assert_eq!(report.outcome, Outcome::Passed, "{report:#?}");
    }

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
