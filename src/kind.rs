//! What sort of trouble a failure is ([`Kind`]), what that means for a second try ([`Nature`]), and what to do
//! about a whole report ([`Action`]).
//!
//! Their names are API: they stand in the JSON output, in rule files and in policies, and are never renamed
//! without a redirect.

/// Declares a closed set of names: the enum, its list, `as_str`, `FromStr` and `Display`.
macro_rules! names {
    ($(#[$meta:meta])* $name:ident, $what:literal: $($(#[doc = $doc:literal])+ $variant:ident = $text:literal,)+) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[non_exhaustive]
        pub enum $name {
            $($(#[doc = $doc])+ #[serde(rename = $text)] $variant,)+
        }

        impl $name {
            /// All of them, in their documented order.
            pub const ALL: &'static [$name] = &[$($name::$variant,)+];

            /// The stable name, as it stands in JSON, in rules and in policies.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $text,)+ }
            }

            /// What it means, in a sentence or two.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $($name::$variant => concat!($($doc),+).trim_ascii(),)+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::error::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $name::ALL
                    .iter()
                    .copied()
                    .find(|name| name.as_str() == text)
                    .ok_or_else(|| $crate::error::Error::unknown_name($what, text, $name::ALL.iter().map(|name| name.as_str())))
            }
        }
    };
}
pub(crate) use names;

names! {
    /// What went wrong, at the grain at which a coordinator would act differently.
    Kind, "kind":
    /// A file or directory that the build or a test needs is not there.
    MissingFile = "missing_file",
    /// An import, module, package or class cannot be resolved.
    MissingModule = "missing_module",
    /// A command is not found on the search path.
    MissingCommand = "missing_command",
    /// A remote says that a thing does not exist: a package, an artifact, a repository, a ref.
    MissingResource = "missing_resource",
    /// An installer cannot find a consistent set of versions, or the lockfile is out of step.
    DependencyConflict = "dependency_conflict",
    /// A checksum or signature of a download does not match.
    IntegrityFailure = "integrity_failure",
    /// A compiler, bundler or type checker rejects the source.
    CompileError = "compile_error",
    /// The linker fails.
    LinkError = "link_error",
    /// A merge, rebase, checkout or push cannot be done on this tree.
    MergeConflict = "merge_conflict",
    /// A rule of the project is broken: a label, a commit message, a licence header.
    PolicyViolation = "policy_violation",
    /// A linter or a formatter's check fails.
    LintViolation = "lint_violation",
    /// A configuration file, an option or a required environment variable is invalid or missing.
    InvalidConfig = "invalid_config",
    /// The version of a runtime, a toolchain or a binary interface is not supported.
    VersionMismatch = "version_mismatch",
    /// An expectation of a test does not hold.
    Assertion = "assertion",
    /// A stored snapshot differs from what was produced, or is obsolete.
    SnapshotMismatch = "snapshot_mismatch",
    /// A test double is missing or broken.
    MockFailure = "mock_failure",
    /// Something undefined or null is used at run time.
    UndefinedValue = "undefined_value",
    /// An uncaught exception or panic that no other kind names.
    UnhandledException = "unhandled_exception",
    /// A race or leak detector reports.
    DataRace = "data_race",
    /// One test or hook ran past its own limit.
    TestTimeout = "test_timeout",
    /// A suite or the runner could not run at all, and nothing more specific is said.
    TestInfrastructure = "test_infrastructure",
    /// Coverage is below the demanded threshold.
    CoverageThreshold = "coverage_threshold",
    /// The memory was not enough.
    OutOfMemory = "out_of_memory",
    /// The disk is full.
    DiskFull = "disk_full",
    /// Too many open files, processes, watchers or handles.
    ResourceExhausted = "resource_exhausted",
    /// The port is taken.
    PortInUse = "port_in_use",
    /// Somebody else holds a lock.
    LockContention = "lock_contention",
    /// A process was killed by a signal of its own making.
    Crash = "crash",
    /// A service refuses for now: too many requests.
    RateLimit = "rate_limit",
    /// A connection was refused, reset or never made.
    ConnectionFailure = "connection_failure",
    /// A TLS certificate is invalid, expired or untrusted.
    CertificateError = "certificate_error",
    /// An operation, a remote call or a whole job took too long.
    Timeout = "timeout",
    /// A remote service fails or is overloaded.
    ServiceUnavailable = "service_unavailable",
    /// Not logged in, or with bad or expired credentials.
    Authentication = "authentication",
    /// Known, but not allowed.
    PermissionDenied = "permission_denied",
    /// A limit of a plan, of billing or of credit is reached.
    QuotaExceeded = "quota_exceeded",
    /// The job was cancelled, superseded or interrupted.
    Cancelled = "cancelled",
    /// The machinery of the CI itself failed.
    RunnerFailure = "runner_failure",
    /// It failed, and the text supports none of the other kinds.
    Unclassified = "unclassified",
}

names! {
    /// What a kind, or one failure whose text says more, means for a second try.
    Nature, "nature":
    /// The same input fails again: someone must change the code or its configuration.
    Deterministic = "deterministic",
    /// It may pass unchanged on a later try.
    Transient = "transient",
    /// The machine or platform must change.
    Environment = "environment",
    /// Someone with authority must act.
    Access = "access",
    /// It may have taken effect: look before doing it again.
    Ambiguous = "ambiguous",
}

names! {
    /// What to do about a whole report.
    Action, "action":
    /// Nothing failed.
    Accept = "accept",
    /// Everything that failed is transient, and attempts are left.
    Retry = "retry",
    /// Something must be changed: send it to a worker with the causes.
    Repair = "repair",
    /// It may have worked: check the state first.
    Verify = "verify",
    /// Someone with authority, or another machine, is needed; or nothing was recognized.
    Escalate = "escalate",
}

names! {
    /// Where in the life of a job something happened.
    Phase, "phase":
    /// Checkout, installation and download, before the project's own work.
    Setup = "setup",
    /// Compiling, bundling, type checking.
    Build = "build",
    /// Linting, formatting, policy checks.
    Lint = "lint",
    /// Running tests.
    Test = "test",
    /// Publishing, deploying, sending: work with side effects.
    Deploy = "deploy",
    /// A coordinator's or agent's own call, such as starting a worker.
    Dispatch = "dispatch",
    /// Not known.
    Unknown = "unknown",
}

impl Kind {
    /// Whether it is a trouble with something remote that clients try again by themselves.
    pub(crate) fn is_tried_again(self) -> bool {
        matches!(
            self,
            Kind::RateLimit | Kind::ConnectionFailure | Kind::ServiceUnavailable | Kind::Timeout | Kind::LockContention
        )
    }

    /// The nature of the kind when the text says no more.
    #[must_use]
    pub const fn nature(self) -> Nature {
        use Kind::*;
        match self {
            RateLimit | ConnectionFailure | Timeout | ServiceUnavailable | LockContention | RunnerFailure
            | Cancelled => Nature::Transient,
            OutOfMemory | DiskFull | ResourceExhausted | PortInUse | CertificateError | VersionMismatch => {
                Nature::Environment
            }
            Authentication | PermissionDenied | QuotaExceeded => Nature::Access,
            MissingFile | MissingModule | MissingCommand | MissingResource | DependencyConflict | IntegrityFailure
            | CompileError | LinkError | MergeConflict | PolicyViolation | LintViolation | InvalidConfig
            | Assertion | SnapshotMismatch | MockFailure | UndefinedValue | UnhandledException | DataRace
            | TestTimeout | TestInfrastructure | CoverageThreshold | Crash | Unclassified => Nature::Deterministic,
        }
    }
}

impl Kind {
    /// The action that a failure of this kind asks for by default.
    #[must_use]
    pub const fn action(self) -> Action {
        match self {
            Kind::Unclassified => Action::Escalate,
            _ => self.nature().action(),
        }
    }
}

impl Nature {
    /// The action that a failure of this nature asks for.
    #[must_use]
    pub const fn action(self) -> Action {
        match self {
            Nature::Deterministic => Action::Repair,
            Nature::Transient => Action::Retry,
            Nature::Environment | Nature::Access => Action::Escalate,
            Nature::Ambiguous => Action::Verify,
        }
    }
}

impl Action {
    /// The exit status that `--exit-status` gives the action. 75 is `EX_TEMPFAIL` of `sysexits.h`, which CI
    /// systems can be told to retry on.
    #[must_use]
    pub const fn exit_status(self) -> u8 {
        match self {
            Action::Accept => 0,
            Action::Repair => 1,
            Action::Retry => 75,
            Action::Verify => 76,
            Action::Escalate => 77,
        }
    }

    /// The place in the precedence of a mixture: the highest decides.
    /// `escalate` > `verify` > `repair` > `retry` > `accept`.
    #[must_use]
    pub const fn precedence(self) -> u8 {
        match self {
            Action::Accept => 0,
            Action::Retry => 1,
            Action::Repair => 2,
            Action::Verify => 3,
            Action::Escalate => 4,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_round_trip() {
        for kind in Kind::ALL {
            assert_eq!(kind.as_str().parse::<Kind>().unwrap(), *kind);
        }
        for action in Action::ALL {
            assert_eq!(action.as_str().parse::<Action>().unwrap(), *action);
        }
    }

    #[test]
    fn unknown_name_lists_what_was_expected() {
        let error = "oom".parse::<Kind>().unwrap_err().to_string();
        assert!(error.starts_with("unknown kind \"oom\", expected one of: missing_file, "), "{error}");
    }
}
