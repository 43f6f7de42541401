//! How long something is tried that pays only where inputs are regular.

/// How often it may fail before it is given up.
const TRIES: u64 = 64;

/// Counts how often something was tried and of how much use it was.
#[derive(Debug, Default)]
pub(crate) struct Patience {
    tried: u64,
    met: u64,
}

impl Patience {
    /// Whether to try once more.
    pub(crate) fn tries(&mut self) -> bool {
        let tries = self.tried <= TRIES + self.met;
        self.tried += u64::from(tries);
        tries
    }

    /// It was of use.
    #[inline]
    pub(crate) fn meets(&mut self) {
        self.met += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_of_no_use_is_given_up_and_what_is_goes_on() {
        let mut patience = Patience::default();
        assert_eq!((0..1000).filter(|_| patience.tries()).count(), 65);
        let mut patience = Patience::default();
        let tries = (0..1000).filter(|_| {
            patience.meets();
            patience.tries()
        });
        assert_eq!(tries.count(), 1000);
    }
}
