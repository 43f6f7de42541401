//! A budget for retries over a fleet or for one host, so that an outage is not answered with a storm.

use crate::kind::Kind;

/// Tokens that retries cost and successes give back.
///
/// A retry costs 5 tokens, one after a timeout 10, since it occupied a machine for the whole of its limit. A success
/// gives 1 back. When the tokens do not suffice, [`Policy::decide`](crate::Policy::decide) escalates instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    tokens: u32,
    most: u32,
}

impl Default for Budget {
    fn default() -> Self {
        Budget::new(100)
    }
}

impl Budget {
    /// A full budget. The default holds 100 tokens.
    #[must_use]
    pub const fn new(tokens: u32) -> Self {
        Budget { tokens, most: tokens }
    }

    /// What is left, for [`Situation::budget`](crate::Situation::budget).
    #[must_use]
    pub const fn left(&self) -> u32 {
        self.tokens
    }

    /// Pays for a retry of a failure of this kind. Gives whether it could be paid.
    pub fn pay(&mut self, kind: Kind) -> bool {
        let price = price(kind);
        let paid = self.tokens >= price;
        if paid {
            self.tokens -= price;
        }
        paid
    }

    /// Something succeeded.
    pub fn refund(&mut self) {
        self.tokens = (self.tokens + 1).min(self.most);
    }
}

/// What a retry of a failure of this kind costs.
pub(crate) const fn price(kind: Kind) -> u32 {
    match kind {
        Kind::Timeout | Kind::TestTimeout => 10,
        _ => 5,
    }
}
