//! The cases of one suite: how many there are, which of them are attempts of one test, and what failed and waits for
//! that to be known.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use crate::report::{Counts, Failure, PassedCase, TextLine};

/// How many names of cases are remembered in all open suites, to find attempts of one test: as many as a table of
/// 2^18 entries holds, with what is kept of each name that is repeated about 16 MiB.
pub(super) const MAX_NAMES: usize = 7 << 15;

/// How much memory the failures may take that wait for the end of their suites.
pub(super) const MAX_WAITING: usize = 8 * 1024 * 1024;

/// How many parents of failing subtests are remembered.
const MAX_PARENTS: usize = 4096;

/// How a case ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    Passed,
    Failed,
    Errored,
    Skipped,
}

/// What a suite or a whole report claims about itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Declared {
    pub tests: Option<u64>,
    pub failures: Option<u64>,
    pub errors: Option<u64>,
    pub skipped: u64,
}

impl Declared {
    /// Failures and errors together.
    pub(super) fn failed(&self) -> Option<u64> {
        match (self.failures, self.errors) {
            (None, None) => None,
            (failures, errors) => Some(failures.unwrap_or(0).saturating_add(errors.unwrap_or(0))),
        }
    }
}

/// A failing case that waits.
#[derive(Debug)]
pub(super) struct Waiting {
    pub key: u64,
    pub failures: Vec<Failure>,
    /// The failing text is empty or a mere formula: what the suite printed may say more.
    pub thin: bool,
    /// The number of its name, to be looked up among the parents of failing subtests.
    pub name: u64,
    /// It may have been expected to fail: Boost.Test says of the others where their failures were detected.
    pub expected: bool,
    size: usize,
}

impl Waiting {
    pub(super) fn size(&self) -> usize {
        self.size
    }

    pub(super) fn new(key: u64, name: u64, thin: bool, failures: Vec<Failure>) -> Self {
        let size = size_of::<Waiting>() + failures.iter().map(cost).sum::<usize>();
        Waiting { key, failures, thin, name, expected: false, size }
    }
}

/// The memory that a failure takes, and with it what the allocator takes for each of its texts.
pub(super) fn cost(failure: &Failure) -> usize {
    const BLOCK: usize = 24;
    let names = [&failure.test, &failure.type_name, &failure.subject].into_iter().flatten();
    let file = failure.file.iter().map(|file| &file.path);
    let lines = failure.text.iter().map(|line| &line.text);
    let texts: usize = names.chain(file).chain(lines).map(|text| text.capacity() + BLOCK).sum();
    size_of::<Failure>() + failure.text.capacity() * size_of::<TextLine>() + 2 * BLOCK + texts
}

/// The cases that stand directly in one suite.
#[derive(Debug, Default)]
pub(super) struct Cases {
    /// Elements, so attempts of one test are counted each.
    pub elements: u64,
    counts: Tally,
    names: HashMap<u64, u32, BuildHasherDefault<Ready>>,
    repeated: Vec<Repeated>,
    waiting: Vec<Waiting>,
    parents: HashSet<u64, BuildHasherDefault<Ready>>,
    /// What passed, with its key, where that is asked for.
    passed: Vec<(u64, PassedCase)>,
}

/// All of them, in the order of their numbers.
const STATUSES: [Status; 4] = [Status::Passed, Status::Failed, Status::Errored, Status::Skipped];

/// The status of a name that was seen once, or `REPEATED` and its index; `TOLD` if its failure is already told.
const REPEATED: u32 = 1 << 31;
const TOLD: u32 = 1 << 30;

/// Cases of one name in one suite.
#[derive(Clone, Copy, Debug)]
struct Repeated {
    key: u64,
    tally: Tally,
    last: Status,
    told: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    passed: u64,
    failed: u64,
    errored: u64,
    skipped: u64,
}

impl Tally {
    fn of(&mut self, status: Status) -> &mut u64 {
        match status {
            Status::Passed => &mut self.passed,
            Status::Failed => &mut self.failed,
            Status::Errored => &mut self.errored,
            Status::Skipped => &mut self.skipped,
        }
    }

    fn total(&self) -> u64 {
        self.passed + self.failed + self.errored + self.skipped
    }

    fn subtract(&mut self, other: &Tally) {
        self.passed -= other.passed;
        self.failed -= other.failed;
        self.errored -= other.errored;
        self.skipped -= other.skipped;
    }
}

/// What a suite comes to.
pub(super) struct Settled {
    pub counts: Counts,
    /// What failed, in the order of the document.
    pub waiting: Vec<Waiting>,
    /// Tests of which an earlier attempt failed and the last passed.
    pub flaky: Vec<Waiting>,
    /// What passed, where that is asked for.
    pub passed: Vec<PassedCase>,
}

impl Cases {
    /// Counts a case, and remembers its name if there are fewer than `room`. A failing one goes to [`Cases::wait`] too.
    pub(super) fn add(&mut self, key: u64, status: Status, room: usize) {
        self.elements += 1;
        *self.counts.of(status) += 1;
        let room = self.names.len() < room;
        let known = match self.names.entry(key) {
            Entry::Vacant(free) => {
                if room {
                    free.insert(status as u32);
                }
                return;
            }
            Entry::Occupied(known) => known.into_mut(),
        };
        if *known & REPEATED != 0 {
            let repeated = &mut self.repeated[(*known & !REPEATED) as usize];
            *repeated.tally.of(status) += 1;
            repeated.last = status;
            return;
        }
        let first = STATUSES[(*known & 3) as usize];
        let mut repeated = Repeated { key, tally: Tally::default(), last: status, told: *known & TOLD != 0 };
        *repeated.tally.of(first) += 1;
        *repeated.tally.of(status) += 1;
        *known = REPEATED | self.repeated.len() as u32;
        self.repeated.push(repeated);
    }

    /// Keeps a case that passed until the suite ends: a later attempt of it may fail.
    pub(super) fn keep(&mut self, key: u64, case: PassedCase) {
        self.passed.push((key, case));
    }

    /// Whether a case of this name was met and failed.
    pub(super) fn has_failed(&self, key: u64) -> bool {
        match self.names.get(&key) {
            Some(known) if *known & REPEATED != 0 => {
                let tally = &self.repeated[(*known & !REPEATED) as usize].tally;
                tally.failed + tally.errored > 0
            }
            Some(known) => matches!(STATUSES[(*known & 3) as usize], Status::Failed | Status::Errored),
            None => false,
        }
    }

    /// Empties the table for another suite, unless it has become large.
    pub(super) fn recycle(mut self: Box<Self>) -> Option<Box<Self>> {
        if self.names.capacity() > 4096 {
            return None;
        }
        self.names.clear();
        self.parents.clear();
        (self.elements, self.counts) = (0, Tally::default());
        Some(self)
    }

    /// Remembers the numbers of the parents of a failing subtest.
    pub(super) fn add_parents(&mut self, parents: impl Iterator<Item = u64>) {
        for parent in parents {
            if self.parents.len() < MAX_PARENTS {
                self.parents.insert(parent);
            }
        }
    }

    /// Whether something that failed waits for the end of the suite.
    pub(super) fn waits(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// What waits takes so much memory.
    pub(super) fn waiting_bytes(&self) -> usize {
        self.waiting.iter().map(Waiting::size).sum()
    }

    /// How many names are remembered.
    pub(super) fn names(&self) -> usize {
        self.names.len()
    }

    pub(super) fn waiting_names(&self) -> impl Iterator<Item = u64> {
        self.waiting.iter().map(|waiting| waiting.name)
    }

    pub(super) fn is_parent(&self, name: u64) -> bool {
        self.parents.contains(&name)
    }

    /// Keeps what failed until the suite ends.
    pub(super) fn wait(&mut self, waiting: Waiting) {
        self.waiting.push(waiting);
    }

    /// Gives back what waits, to be told at once: it stays failed, whatever a later attempt says.
    pub(super) fn give_up(&mut self) -> Vec<Waiting> {
        let told = std::mem::take(&mut self.waiting);
        for waiting in &told {
            match self.names.get_mut(&waiting.key) {
                Some(known) if *known & REPEATED != 0 => self.repeated[(*known & !REPEATED) as usize].told = true,
                Some(known) => *known |= TOLD,
                None => {}
            }
        }
        told
    }

    /// Decides which cases were attempts of one test, by what the suite declares and by what its producer does.
    ///
    /// Cases of one name are attempts if the suite counts them once. Where it counts each, they are mostly runs with
    /// other data, and only a producer that is known to retry, or one that does not count the failed ones as
    /// failures, makes a run of failures that ends with a success one flaky test.
    pub(super) fn settle(&mut self, declared: Declared, retries: bool) -> Settled {
        let Cases { elements, counts: mut tally, .. } = *self;
        let names = &self.names;
        let (repeated, mut waiting) = (std::mem::take(&mut self.repeated), std::mem::take(&mut self.waiting));
        let failing = tally.failed + tally.errored;
        let once = declared.tests == Some(names.len() as u64) && elements != names.len() as u64;
        let uncounted = declared.tests.is_none() || declared.failed().is_some_and(|failed| failed < failing);
        let mut flaky_tests = 0;
        let mut flaky_keys = HashSet::new();
        let mut merged: HashMap<u64, u64> = HashMap::new();
        let mut passed = std::mem::take(&mut self.passed);
        for Repeated { key, tally: own, last, told } in repeated {
            let failed = own.failed + own.errored;
            let retried = failed > 0 && last == Status::Passed && own.passed == 1 && own.skipped == 0;
            if told || !(once || retried && (retries || uncounted)) {
                continue;
            }
            tally.subtract(&own);
            *tally.of(last) += 1;
            if !passed.is_empty() && own.passed > 0 {
                // Of several attempts the last one speaks.
                let end = passed.iter().rposition(|(of, _)| *of == key).filter(|_| last == Status::Passed);
                let mut index = 0;
                passed.retain(|(of, _)| {
                    index += 1;
                    *of != key || end == Some(index - 1)
                });
            }
            if last == Status::Passed && failed > 0 {
                flaky_tests += 1;
                flaky_keys.insert(key);
            } else if failed > 1 {
                merged.insert(key, failed - 1);
            }
        }
        let mut flaky = Vec::new();
        if !flaky_keys.is_empty() || !merged.is_empty() {
            for case in std::mem::take(&mut waiting) {
                match merged.get_mut(&case.key) {
                    Some(earlier) if *earlier > 0 => *earlier -= 1,
                    _ if flaky_keys.contains(&case.key) => flaky.push(case),
                    _ => waiting.push(case),
                }
            }
        }
        let counts = Counts {
            total: tally.total(),
            passed: Some(tally.passed),
            failed: tally.failed,
            errored: tally.errored,
            skipped: tally.skipped,
            flaky: flaky_tests,
        };
        Settled { counts, waiting, flaky, passed: passed.into_iter().map(|(_, case)| case).collect() }
    }
}

/// A hasher for numbers that are hashes already.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ready(u64);

impl Hasher for Ready {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 << 8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

/// A number for a name, eight bytes at a time.
pub(super) fn number(seed: u64, bytes: &[u8]) -> u64 {
    const FACTOR: u64 = 0x517c_c1b7_2722_0a95;
    let mix = |hash: u64, word: u64| (hash.rotate_left(5) ^ word).wrapping_mul(FACTOR);
    let mut hash = seed ^ (bytes.len() as u64).wrapping_mul(FACTOR);
    let (chunks, rest) = bytes.as_chunks::<8>();
    for chunk in chunks {
        hash = mix(hash, u64::from_le_bytes(*chunk));
    }
    // The last eight bytes hold the rest, and what they hold besides is harmless.
    let last = match bytes.last_chunk::<8>() {
        Some(last) => u64::from_le_bytes(*last),
        None => rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)),
    };
    hash = mix(hash, last);
    hash ^ (hash >> 32)
}
