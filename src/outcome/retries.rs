//! What an input says of a further try.

use crate::cause::quote;
use crate::kind::Nature;
use crate::report::{Failure, HintLine};

/// Whether a line says that what was just told will be tried again: `Will retry in 2 seconds. 2 retries left.`
pub(super) fn announces_retry(text: &str) -> bool {
    let speaks = |word: &str| memchr::memmem::find(text.as_bytes(), word.as_bytes()).is_some();
    if !speaks("etr") && !speaks("ETR") {
        return false;
    }
    let lower = text.to_lowercase();
    ["will retry in ", "retrying in ", "retries left", "retries remaining"].iter().any(|words| lower.contains(words))
}

/// Whether a word on a further try can matter for a failure of this nature.
pub(super) fn may_pass(nature: Nature) -> bool {
    matches!(nature, Nature::Transient | Nature::Access | Nature::Ambiguous)
}

/// The lines of a failure that speak of a further try.
pub(super) fn hints(failure: &Failure) -> Vec<HintLine> {
    let lines = failure.text.iter().take(100).filter(|line| crate::hint::mentions(&line.text));
    lines.take(5).map(|line| HintLine { text: quote(&line.text), stamp_ms: failure.stamp_ms }).collect()
}
