//! The end of a failed step that BuildKit prints a second time: what stands in it was read already.
//!
//! ```text
//! #6 2.104 --- FAIL: TestSum (0.00s)
//! #6 ERROR: process "/bin/sh -c go test ./..." did not complete successfully: exit code: 1
//! ------
//!  > [3/4] RUN go test ./...:
//! 2.104 --- FAIL: TestSum (0.00s)
//! ------
//! ```

use super::{ABOVE, Above, Grip, Line, Reader};
use crate::item::Item;
use crate::report::TextLine;

pub(super) const NEEDLES: &[&str] = &["ERROR: process \"", "ERROR: executor failed running"];

/// How many lines are repeated at most; BuildKit keeps fewer.
const MAX_LINES: usize = 100;

/// How many lines above the error show that the output of the step stands there.
const ENOUGH: usize = 6;

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(BuildKit::default())
}

#[derive(Default)]
struct BuildKit {
    above: Vec<TextLine>,
    state: State,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Asleep,
    /// The step failed; the rule and the name of the step follow.
    Failed,
    /// What is repeated, and for how many lines more at most.
    Repeats(usize),
}

impl Reader for BuildKit {
    fn looks_back(&self) -> usize {
        if self.state == State::Asleep { ABOVE } else { 0 }
    }

    fn above(&mut self, above: Above<'_>) {
        self.above = above.cloned().collect();
    }

    fn line(&mut self, line: Line<'_>, _out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        match self.state {
            State::Asleep => {
                let above = std::mem::take(&mut self.above);
                let number =
                    text.strip_prefix('#').and_then(|rest| rest.split_once(" ERROR: ")).map(|(number, _)| number);
                let Some(number) = number.filter(|number| number.bytes().all(|byte| byte.is_ascii_digit())) else {
                    return Grip::Pass;
                };
                // Where the log was cut above, what is repeated may be all there is.
                let head = format!("#{number} [");
                if above.len() < ENOUGH && !above.iter().any(|line| line.text.starts_with(&head)) {
                    return Grip::Pass;
                }
                self.state = State::Failed;
                Grip::Watch
            }
            State::Failed if text == "------" || text.is_empty() => Grip::Watch,
            State::Failed if text.starts_with(" > [") && text.ends_with(':') => {
                self.state = State::Repeats(MAX_LINES);
                Grip::Hold
            }
            State::Repeats(left) if left > 0 && text != "------" => {
                self.state = State::Repeats(left - 1);
                Grip::Hold
            }
            State::Failed | State::Repeats(_) => {
                self.state = State::Asleep;
                Grip::Pass
            }
        }
    }

    fn end(&mut self, _out: &mut dyn FnMut(Item)) {
        self.state = State::Asleep;
    }
}

#[cfg(test)]
mod tests {
    use crate::{Analyzer, Source};

    #[test]
    fn what_is_repeated_is_counted_once() {
        let tests =
            |log: &str| Analyzer::new().analyze([Source::bytes("log", log.as_bytes())]).tests.map(|it| it.total);
        let run = |at: &str| {
            format!(
                "{at}=== RUN   TestA\n{at}    a_test.go:5: sum = 2; want 3\n{at}--- FAIL: TestA (0.00s)\n{at}FAIL\n{at}FAIL\tacme.test/shop\t0.004s\n"
            )
        };
        let failed = "#6 ERROR: process \"/bin/sh -c go test -v ./...\" did not complete successfully: exit code: 1\n";
        let again = format!("------\n > [3/4] RUN go test -v ./...:\n{}------\n", run("0.500 "));
        let whole = format!("#6 [3/4] RUN go test -v ./...\n{}{failed}{again}", run("#6 0.500 "));
        assert_eq!(tests(&whole), Some(1));
        assert_eq!(tests(&format!("{failed}{again}")), Some(1));
    }
}
