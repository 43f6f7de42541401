//! The policy: how often and how long to wait for each kind, and the limits of the whole.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Deserialize;

use crate::decide::budget::{Budget, Prices};
use crate::error::Error;
use crate::kind::{Action, Kind, Nature};

/// How a kind of failure is tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Terms {
    /// Attempts in all, the first included.
    pub attempts: u32,
    /// The delay before the second attempt, in milliseconds; it doubles with each further one.
    pub base_ms: u64,
    /// The delay never grows beyond this, in milliseconds.
    pub cap_ms: u64,
    /// What to do instead of what the nature of the failure asks for; `None` by default.
    pub action: Option<Action>,
}

/// Decides what to do about a report. The default suits a coordinator of builds; each of its figures can be changed.
///
/// ```
/// use whyred::{Kind, Policy};
///
/// let policy = Policy::default().attempts(Kind::RateLimit, 2).max_wait_ms(60_000);
/// let same = Policy::from_toml("policy.toml", &policy.to_toml())?;
/// assert_eq!(policy, same);
/// # Ok::<(), whyred::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    kinds: BTreeMap<Kind, Terms>,
    /// A hint that asks for a longer wait than this is told to a person when a deadline is nearer.
    pub(crate) max_wait_ms: u64,
    /// Attempts for a failure that nobody recognizes, the first included.
    pub(crate) blind_attempts: u32,
    /// How often the same deterministic failure is sent to a worker.
    pub(crate) repair_rounds: u32,
    /// How often a task is sent to workers in all.
    pub(crate) max_rounds: u32,
    /// So many tasks with one transient failure on one host within [`Policy::outage_window_ms`] are an outage.
    pub(crate) outage_tasks: u32,
    pub(crate) outage_window_ms: u64,
    /// How long everything is held before one probe in an outage.
    pub(crate) probe_ms: u64,
    /// An outage that lasts longer than this is told to a person.
    pub(crate) outage_escalate_ms: u64,
    /// How much of a delay is left to chance, in percent.
    jitter_percent: u32,
    /// What to do about failures of a nature, instead of what it asks for.
    natures: BTreeMap<Nature, Action>,
    budget_tokens: u32,
    prices: Prices,
}

/// The terms of a kind that is not retried.
const ONCE: Terms = Terms { attempts: 1, base_ms: 0, cap_ms: 0, action: None };

const fn terms(attempts: u32, base_s: u64, cap_s: u64) -> Terms {
    Terms { attempts, base_ms: base_s * 1000, cap_ms: cap_s * 1000, action: None }
}

/// The default terms of a kind, for failures whose nature allows a further try.
const fn default_terms(kind: Kind) -> Terms {
    use Kind::*;
    match kind {
        RateLimit => terms(4, 60, 15 * 60),
        ServiceUnavailable => terms(4, 20, 10 * 60),
        ConnectionFailure => terms(4, 10, 5 * 60),
        LockContention => terms(5, 10, 2 * 60),
        RunnerFailure => terms(3, 15, 2 * 60),
        // A timeout is dear: it costs its own length before it fails again.
        Timeout => terms(2, 30, 5 * 60),
        Cancelled => terms(2, 15, 2 * 60),
        PortInUse => terms(2, 15, 60),
        IntegrityFailure => terms(2, 10, 60),
        Crash => terms(2, 5, 60),
        TestTimeout | Assertion | SnapshotMismatch | UndefinedValue | UnhandledException | MockFailure | DataRace => {
            // Only with evidence of flakes, and then once.
            terms(2, 1, 10)
        }
        OutOfMemory | DiskFull | ResourceExhausted => terms(2, 15, 2 * 60),
        MissingResource | DependencyConflict => terms(3, 60, 5 * 60),
        MissingFile | MissingModule | MissingCommand | CompileError | LinkError | MergeConflict | PolicyViolation
        | LintViolation | InvalidConfig | VersionMismatch | TestInfrastructure | CoverageThreshold
        | CertificateError | Authentication | PermissionDenied | QuotaExceeded => ONCE,
        Unclassified => terms(1, 30, 5 * 60),
    }
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            kinds: Kind::ALL.iter().map(|kind| (*kind, default_terms(*kind))).collect(),
            max_wait_ms: 15 * 60_000,
            blind_attempts: 1,
            repair_rounds: 2,
            max_rounds: 5,
            outage_tasks: 3,
            outage_window_ms: 10 * 60_000,
            probe_ms: 5 * 60_000,
            outage_escalate_ms: 60 * 60_000,
            jitter_percent: 50,
            natures: BTreeMap::new(),
            budget_tokens: 100,
            prices: Prices::DEFAULT,
        }
    }
}

impl Policy {
    /// The terms of a kind.
    #[must_use]
    pub fn terms(&self, kind: Kind) -> Terms {
        self.kinds.get(&kind).copied().unwrap_or(ONCE)
    }

    /// Attempts in all for a kind, the first included. At least 1.
    #[must_use]
    pub fn attempts(mut self, kind: Kind, attempts: u32) -> Self {
        self.kinds.entry(kind).or_insert(ONCE).attempts = attempts.max(1);
        self
    }

    /// The first delay of a kind, which doubles, and its cap, in milliseconds.
    #[must_use]
    pub fn delay_ms(mut self, kind: Kind, base: u64, cap: u64) -> Self {
        let terms = self.kinds.entry(kind).or_insert(ONCE);
        (terms.base_ms, terms.cap_ms) = (base, cap.max(base));
        self
    }

    /// What to do about a kind, whatever its nature asks for. `None` leaves it to the nature, which is the default.
    #[must_use]
    pub fn action(mut self, kind: Kind, action: Option<Action>) -> Self {
        self.kinds.entry(kind).or_insert(ONCE).action = action;
        self
    }

    /// What to do about failures of a nature, instead of what it asks for. What is said of a kind counts before it.
    /// `None` is the default.
    #[must_use]
    pub fn nature_action(mut self, nature: Nature, action: Option<Action>) -> Self {
        match action {
            Some(action) => self.natures.insert(nature, action),
            None => self.natures.remove(&nature),
        };
        self
    }

    /// How much of a delay is left to chance, in percent: a delay of 10 s with 50 is a wait of 5 to 10 s. Default 50.
    #[must_use]
    pub fn jitter_percent(mut self, percent: u32) -> Self {
        self.jitter_percent = percent.min(100);
        self
    }

    /// The budget for retries: its tokens, what a retry and one after a timeout cost, and what a success gives back.
    /// Default 100, 5, 10 and 1.
    #[must_use]
    pub fn budget(mut self, tokens: u32, retry: u32, timeout: u32, success: u32) -> Self {
        self.budget_tokens = tokens;
        self.prices = Prices { retry, timeout, success };
        self
    }

    /// A full budget with the figures of this policy, one for a fleet or a host.
    #[must_use]
    pub const fn full_budget(&self) -> Budget {
        Budget::priced(self.budget_tokens, self.prices)
    }

    /// What a retry of a failure of this kind costs.
    pub(crate) const fn price(&self, kind: Kind) -> u32 {
        self.prices.of(kind)
    }

    pub(crate) fn of_nature(&self, nature: Nature) -> Option<Action> {
        self.natures.get(&nature).copied()
    }

    /// The longest wait that a hint may ask for before a person is told, in milliseconds. Default 15 minutes.
    #[must_use]
    pub fn max_wait_ms(mut self, wait: u64) -> Self {
        self.max_wait_ms = wait;
        self
    }

    /// Attempts for a failure that nobody recognizes, the first included. Default 1: it is never retried blindly.
    #[must_use]
    pub fn blind_attempts(mut self, attempts: u32) -> Self {
        self.blind_attempts = attempts.max(1);
        self
    }

    /// How often the same deterministic failure is sent to a worker, and a task to workers in all. Default 2 and 5.
    #[must_use]
    pub fn repair_rounds(mut self, same: u32, all: u32) -> Self {
        (self.repair_rounds, self.max_rounds) = (same.max(1), all.max(1));
        self
    }

    /// Reads a policy. What the text leaves out keeps its default.
    ///
    /// # Errors
    /// If the text is not TOML, or a field, a kind, an action or a duration is not known; the message names the line.
    pub fn from_toml(name: &str, text: &str) -> Result<Self, Error> {
        let fail = |span: Option<std::ops::Range<usize>>, message: &str| {
            let start = span.map_or(0, |span| span.start).min(text.len());
            let line = text.as_bytes()[..start].iter().filter(|byte| **byte == b'\n').count() + 1;
            Error::policy(name, line, message)
        };
        let file: PolicyFile = toml::from_str(text).map_err(|error| fail(error.span(), error.message()))?;
        let PolicyFile {
            max_wait,
            jitter_percent,
            blind_attempts,
            repair_rounds,
            max_rounds,
            outage,
            budget,
            nature,
            kind,
        } = file;
        let mut policy = Policy::default();
        let set = |field: &mut u64, value: Option<Length>| *field = value.map_or(*field, |value| value.0);
        set(&mut policy.max_wait_ms, max_wait);
        policy.blind_attempts = blind_attempts.unwrap_or(policy.blind_attempts).max(1);
        policy.repair_rounds = repair_rounds.unwrap_or(policy.repair_rounds).max(1);
        policy.max_rounds = max_rounds.unwrap_or(policy.max_rounds).max(1);
        if let Some(percent) = jitter_percent {
            if percent > 100 {
                let place = text.find("jitter_percent").map(|at| at..at);
                return Err(fail(place, "jitter_percent must be between 0 and 100"));
            }
            policy.jitter_percent = percent;
        }
        policy.natures = nature;
        if let Some(BudgetFile { tokens, retry, timeout, success }) = budget {
            policy.budget_tokens = tokens.unwrap_or(policy.budget_tokens);
            let Prices { retry: one, timeout: slow, success: back } = policy.prices;
            policy.prices = Prices {
                retry: retry.unwrap_or(one),
                timeout: timeout.unwrap_or(slow),
                success: success.unwrap_or(back),
            };
        }
        if let Some(OutageFile { tasks, window, probe, escalate_after }) = outage {
            policy.outage_tasks = tasks.unwrap_or(policy.outage_tasks).max(2);
            set(&mut policy.outage_window_ms, window);
            set(&mut policy.probe_ms, probe);
            set(&mut policy.outage_escalate_ms, escalate_after);
        }
        for (kind, TermsFile { attempts, base, cap, action }) in kind {
            let terms = policy.kinds.entry(kind).or_insert(ONCE);
            terms.attempts = attempts.unwrap_or(terms.attempts);
            set(&mut terms.base_ms, base);
            set(&mut terms.cap_ms, cap);
            terms.action = action.or(terms.action);
            if terms.attempts == 0 || terms.attempts > 20 {
                let place = text.find(&format!("[kind.{kind}]")).map(|at| at..at);
                return Err(fail(place, &format!("kind {kind}: attempts must be between 1 and 20")));
            }
            terms.cap_ms = terms.cap_ms.max(terms.base_ms);
        }
        Ok(policy)
    }

    /// The whole policy as [`Policy::from_toml`] reads it.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let Policy {
            kinds,
            max_wait_ms,
            blind_attempts,
            repair_rounds,
            max_rounds,
            outage_tasks,
            outage_window_ms,
            probe_ms,
            outage_escalate_ms,
            jitter_percent,
            natures,
            budget_tokens,
            prices: Prices { retry, timeout, success },
        } = self;
        let mut out = String::new();
        let _ = writeln!(out, "# A hint that asks for a longer wait is told to a person when a deadline is nearer.");
        let _ = writeln!(out, "max_wait = \"{}\"", length(*max_wait_ms));
        let _ =
            writeln!(out, "# How much of a delay is left to chance: with 50, a delay of 10s is a wait of 5s to 10s.");
        let _ = writeln!(out, "jitter_percent = {jitter_percent}");
        let _ = writeln!(out, "# Attempts, the first included, for a failure that nobody recognizes.");
        let _ = writeln!(out, "blind_attempts = {blind_attempts}");
        let _ = writeln!(out, "# How often the same failure is sent to a worker, and a task to workers in all.");
        let _ = writeln!(out, "repair_rounds = {repair_rounds}\nmax_rounds = {max_rounds}\n");
        let _ = writeln!(out, "# So many tasks with one transient failure on one host are an outage.\n[outage]");
        let _ = writeln!(out, "tasks = {outage_tasks}\nwindow = \"{}\"", length(*outage_window_ms));
        let _ = writeln!(out, "probe = \"{}\"", length(*probe_ms));
        let _ = writeln!(out, "escalate_after = \"{}\"", length(*outage_escalate_ms));
        let _ = writeln!(
            out,
            "\n# What retries cost of a fleet's or host's tokens, and what a success gives back.\n[budget]"
        );
        let _ = writeln!(out, "tokens = {budget_tokens}\nretry = {retry}\ntimeout = {timeout}\nsuccess = {success}");
        let _ = writeln!(
            out,
            "\n# What to do about a nature instead of what it asks for, such as: environment = \"retry\""
        );
        let _ = writeln!(out, "[nature]");
        for (nature, action) in natures {
            let _ = writeln!(out, "{nature} = \"{action}\"");
        }
        let _ = writeln!(
            out,
            "\n# Attempts in all, the first included, the first delay and the longest; delays double. An action"
        );
        let _ = writeln!(out, "# counts before the nature: action = \"escalate\"");
        for (kind, Terms { attempts, base_ms, cap_ms, action }) in kinds {
            let _ = writeln!(out, "\n[kind.{kind}]\nattempts = {attempts}");
            let _ = writeln!(out, "base = \"{}\"\ncap = \"{}\"", length(*base_ms), length(*cap_ms));
            if let Some(action) = action {
                let _ = writeln!(out, "action = \"{action}\"");
            }
        }
        out
    }

    /// The range of the delay before attempt `next`, in milliseconds: the upper part of the doubled base, so that
    /// many who wait for one service do not come back at once and nobody comes back at once.
    pub(crate) fn delay(&self, kind: Kind, next: u32, factor: u64) -> (u64, u64) {
        let Terms { base_ms, cap_ms, .. } = self.terms(kind);
        let doubled = base_ms.saturating_mul(factor).saturating_mul(1 << next.saturating_sub(2).min(20));
        let most = doubled.min(cap_ms.max(base_ms));
        (most - most * u64::from(self.jitter_percent) / 100, most)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyFile {
    max_wait: Option<Length>,
    jitter_percent: Option<u32>,
    blind_attempts: Option<u32>,
    repair_rounds: Option<u32>,
    max_rounds: Option<u32>,
    outage: Option<OutageFile>,
    budget: Option<BudgetFile>,
    #[serde(default)]
    nature: BTreeMap<Nature, Action>,
    #[serde(default)]
    kind: BTreeMap<Kind, TermsFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OutageFile {
    tasks: Option<u32>,
    window: Option<Length>,
    probe: Option<Length>,
    escalate_after: Option<Length>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BudgetFile {
    tokens: Option<u32>,
    retry: Option<u32>,
    timeout: Option<u32>,
    success: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TermsFile {
    attempts: Option<u32>,
    base: Option<Length>,
    cap: Option<Length>,
    action: Option<Action>,
}

/// A duration in milliseconds, written `500ms`, `30s`, `15m` or `2h`.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
struct Length(u64);

impl TryFrom<String> for Length {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let factor = match text[digits..].trim() {
            "ms" => 1,
            "s" => 1000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            _ => 0,
        };
        let number = text[..digits].parse::<u64>().ok().and_then(|number| number.checked_mul(factor));
        match number.filter(|_| factor > 0) {
            Some(ms) => Ok(Length(ms)),
            None => Err(format!("unknown duration \"{text}\", expected a number with ms, s, m or h, such as \"30s\"")),
        }
    }
}

fn length(ms: u64) -> String {
    match ms {
        _ if ms > 0 && ms.is_multiple_of(3_600_000) => format!("{}h", ms / 3_600_000),
        _ if ms > 0 && ms.is_multiple_of(60_000) => format!("{}m", ms / 60_000),
        _ if ms.is_multiple_of(1000) => format!("{}s", ms / 1000),
        _ => format!("{ms}ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_round_trips() {
        let policy = Policy::default()
            .attempts(Kind::Crash, 1)
            .delay_ms(Kind::Timeout, 1500, 9000)
            .jitter_percent(20)
            .budget(50, 1, 2, 3)
            .nature_action(Nature::Environment, Some(Action::Retry));
        assert_eq!(Policy::from_toml("p.toml", &policy.to_toml()).unwrap(), policy);
        assert_eq!(Policy::from_toml("p.toml", "").unwrap(), Policy::default());
    }

    #[test]
    fn errors_name_the_line() {
        for (text, start) in [
            ("max_wait = \"15m\"\n\n[kind.rate_limit]\nbase = \"soon\"\n", "p.toml:4: unknown duration \"soon\""),
            ("max_wait = \"15m\"\nmax_weight = 3\n", "p.toml:2: unknown field `max_weight`"),
            ("max_rounds = 3\njitter_percent = 101\n", "p.toml:2: jitter_percent must be"),
            ("[nature]\nharmless = \"retry\"\n", "p.toml:2: unknown variant `harmless`"),
            ("[budget]\ntokens = 5\nprice = 1\n", "p.toml:3: unknown field `price`"),
            ("\n[kind.timeout]\nattempts = 0\n", "p.toml:2: kind timeout: attempts must be"),
        ] {
            let error = Policy::from_toml("p.toml", text).unwrap_err().to_string();
            assert!(error.starts_with(start), "{error}");
        }
    }

    #[test]
    fn delays_double_up_to_the_cap() {
        let policy = Policy::default();
        assert_eq!(policy.delay(Kind::ConnectionFailure, 2, 1), (5_000, 10_000));
        assert_eq!(policy.delay(Kind::ConnectionFailure, 3, 1), (10_000, 20_000));
        assert_eq!(policy.delay(Kind::ConnectionFailure, 30, 1), (150_000, 300_000));
        assert_eq!(policy.delay(Kind::ConnectionFailure, 2, 4), (20_000, 40_000));
        assert_eq!(policy.jitter_percent(0).delay(Kind::ConnectionFailure, 2, 1), (10_000, 10_000));
    }
}
