//! The totals that a runner tells behind the plan.

use crate::item::read_count;

/// What node:test and tape tell behind the plan.
#[derive(Default)]
pub(super) struct Trailer {
    pub tests: Option<u64>,
    pub pass: Option<u64>,
    pub fail: Option<u64>,
    pub cancelled: u64,
    pub skipped: u64,
}

impl Trailer {
    /// Whether its parts are as many as its sum, as far as they are told.
    pub fn adds_up(&self) -> bool {
        let (Some(tests), Some(pass), Some(fail)) = (self.tests, self.pass, self.fail) else { return true };
        tests == pass + fail + self.cancelled + self.skipped
    }

    /// `tests 7`; `false` for another comment.
    pub fn take(&mut self, text: &str) -> bool {
        let Some((word, number)) = text.split_once(' ') else { return false };
        let Some(number) = read_count(number) else { return false };
        match word {
            "tests" => self.tests = Some(number),
            "pass" => self.pass = Some(number),
            "fail" => self.fail = Some(number),
            "cancelled" => self.cancelled = number,
            "skipped" | "skip" | "todo" => self.skipped += number,
            "suites" => {}
            _ => return false,
        }
        true
    }
}
