//! A budget for retries over a fleet or for one host, so that an outage is not answered with a storm.

use crate::kind::Kind;

/// Tokens that retries cost and successes give back.
///
/// By default a retry costs 5 tokens, one after a timeout 10, since it occupied a machine for the whole of its limit. A
/// success gives 1 back. When the tokens do not suffice, [`Policy::decide`](crate::Policy::decide) escalates instead.
/// [`Policy::full_budget`](crate::Policy::full_budget) makes one with the figures of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    tokens: u32,
    most: u32,
    prices: Prices,
}

/// What a budget takes and gives back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Prices {
    pub retry: u32,
    pub timeout: u32,
    pub success: u32,
}

impl Prices {
    pub(crate) const DEFAULT: Prices = Prices { retry: 5, timeout: 10, success: 1 };

    /// What a retry of a failure of this kind costs.
    pub(crate) const fn of(self, kind: Kind) -> u32 {
        match kind {
            Kind::Timeout | Kind::TestTimeout => self.timeout,
            _ => self.retry,
        }
    }
}

impl Default for Budget {
    fn default() -> Self {
        Budget::new(100)
    }
}

impl Budget {
    /// A full budget with the default prices. The default holds 100 tokens.
    #[must_use]
    pub const fn new(tokens: u32) -> Self {
        Budget::priced(tokens, Prices::DEFAULT)
    }

    pub(crate) const fn priced(tokens: u32, prices: Prices) -> Self {
        Budget { tokens, most: tokens, prices }
    }

    /// What is left, for [`Situation::budget`](crate::Situation::budget).
    #[must_use]
    pub const fn left(&self) -> u32 {
        self.tokens
    }

    /// Pays for a retry of a failure of this kind. Gives whether it could be paid.
    pub fn pay(&mut self, kind: Kind) -> bool {
        let price = self.prices.of(kind);
        let paid = self.tokens >= price;
        if paid {
            self.tokens -= price;
        }
        paid
    }

    /// Something succeeded.
    pub fn refund(&mut self) {
        self.tokens = self.tokens.saturating_add(self.prices.success).min(self.most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_is_not_paid() {
        let mut budget = Budget::new(12);
        assert!(budget.pay(Kind::Timeout) && !budget.pay(Kind::RateLimit));
        (0..20).for_each(|_| budget.refund());
        assert_eq!(budget.left(), 12);
    }
}
