//! Which kind of cause explains which later trouble, and why.
//!
//! An import that cannot be resolved explains the suites that could not run, a full disk the compiler that could not
//! write. Each such *edge* is a row of [`EDGES`], and a rule may state more by its `explains`. What is explained is
//! folded beneath its root and is never the cause while the root is known.

use std::sync::{LazyLock, OnceLock};

use crate::pattern::{self, Regex};

use crate::cause::Group;
use crate::kind::{Kind, Phase};
use crate::report::{Consequence, Evidence, Level};
use crate::rules::Rank;

/// How many consequences a cause lists.
const MAX_CONSEQUENCES: usize = 20;

/// A row of the table: a cause of one of some kinds explains what is of one of others.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Edge {
    /// A stable name, `root/consequence`.
    pub id: &'static str,
    /// The kinds of the root.
    pub from: &'static [Kind],
    /// The kinds of what it explains.
    pub to: &'static [Kind],
    /// When it holds.
    pub when: When,
    /// An expression that each line of the consequence must match, where the kind alone does not tell.
    pub words: Option<&'static str>,
    /// Why, as the rest of a sentence that begins with the root.
    pub why: &'static str,
}

/// When an edge holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum When {
    /// The consequence comes later in the same input.
    Later,
    /// The consequence comes later and is about a package, and the root stands outside the tests: what was not
    /// installed is missing later.
    Installing,
    /// The consequence stands in the same input, whichever comes first: who dies of something may say so before it is
    /// told why.
    AnyOrder,
}

/// What can go wrong between this machine and a server that something is fetched from.
const REMOTE_TROUBLE: &[Kind] = INSTALL_TROUBLE.split_at(8).0;

/// What keeps an installer from installing: first the [`REMOTE_TROUBLE`], then what it makes of the packages themselves.
const INSTALL_TROUBLE: &[Kind] = &[
    Kind::ConnectionFailure,
    Kind::ServiceUnavailable,
    Kind::RateLimit,
    Kind::Timeout,
    Kind::CertificateError,
    Kind::Authentication,
    Kind::PermissionDenied,
    Kind::QuotaExceeded,
    Kind::DependencyConflict,
    Kind::IntegrityFailure,
    Kind::MissingResource,
    Kind::VersionMismatch,
];

/// The table.
pub const EDGES: &[Edge] = &[
    Edge {
        id: "build/hook",
        from: &[
            Kind::CompileError,
            Kind::LinkError,
            Kind::MissingModule,
            Kind::MissingFile,
            Kind::MissingCommand,
            Kind::MissingResource,
            Kind::DependencyConflict,
            Kind::VersionMismatch,
            Kind::InvalidConfig,
            Kind::LintViolation,
            Kind::PolicyViolation,
            Kind::UndefinedValue,
            Kind::UnhandledException,
            Kind::OutOfMemory,
        ],
        to: &[Kind::PermissionDenied],
        when: When::Later,
        words: Some(r"hook declined"),
        why: "the other side takes no push of what it cannot build",
    },
    Edge {
        id: "command/file",
        from: &[Kind::MissingCommand],
        to: &[Kind::MissingFile],
        when: When::Later,
        words: None,
        why: "what the missing program would have made is not there",
    },
    Edge {
        id: "command/makefile",
        from: &[Kind::MissingCommand, Kind::MissingModule],
        to: &[Kind::InvalidConfig],
        when: When::Later,
        words: Some(r"(?i)no makefile found|no targets specified|no rule to make target|build\.ninja"),
        why: "a configuration that stops writes no files for the build",
    },
    Edge {
        id: "compile/artifact",
        from: &[Kind::CompileError, Kind::LinkError],
        to: &[Kind::MissingFile, Kind::MissingCommand, Kind::MissingModule],
        when: When::Later,
        words: Some(
            r"(?i)(?:^|[/\s'\x22`=(])(?:dist|build|target|out|lib|bin|obj|\.next|_build)[/\\]|\.(?:so|o|a|lib|jar|war|exe|dll|whl|wasm)\b",
        ),
        why: "what was not compiled is not there",
    },
    Edge {
        id: "compile/suites",
        from: &[Kind::CompileError, Kind::LinkError, Kind::InvalidConfig, Kind::VersionMismatch],
        to: &[Kind::TestInfrastructure],
        when: When::Later,
        words: None,
        why: "no test runs of what does not compile or start",
    },
    Edge {
        id: "composer/problem",
        from: &[Kind::VersionMismatch, Kind::MissingModule, Kind::MissingResource],
        to: &[Kind::DependencyConflict],
        when: When::AnyOrder,
        words: Some(
            r"Your requirements could not be resolved to an installable set|Your lock file does not contain a compatible set",
        ),
        why: "what is missing or too old cannot be part of a set of packages",
    },
    Edge {
        id: "conflict/parse",
        from: &[Kind::MergeConflict],
        to: &[Kind::CompileError, Kind::InvalidConfig, Kind::LintViolation, Kind::TestInfrastructure],
        when: When::Later,
        words: None,
        why: "the marks of a conflict are no syntax of any language",
    },
    Edge {
        id: "disk/all",
        from: &[Kind::DiskFull],
        to: &[
            Kind::CompileError,
            Kind::LinkError,
            Kind::MissingFile,
            Kind::MissingModule,
            Kind::MissingCommand,
            Kind::IntegrityFailure,
            Kind::DependencyConflict,
            Kind::InvalidConfig,
            Kind::UnhandledException,
            Kind::Crash,
            Kind::TestInfrastructure,
            Kind::LockContention,
        ],
        when: When::Later,
        words: None,
        why: "nothing could be written any more",
    },
    Edge {
        id: "download/install",
        from: REMOTE_TROUBLE,
        to: &[Kind::DependencyConflict, Kind::IntegrityFailure, Kind::MissingResource],
        when: When::Installing,
        words: Some(
            r"(?i)none of|from versions: none|no matching distribution|could not find|not found|no candidate|not resolve|unable to (?:locate|find)|no such|unexpected end|truncated|corrupt|not a gzip|zip|tar",
        ),
        why: "what could not be downloaded could not be installed",
    },
    Edge {
        id: "install/missing",
        from: INSTALL_TROUBLE,
        to: &[Kind::MissingModule, Kind::MissingCommand],
        when: When::Installing,
        words: None,
        why: "what was not installed cannot be found",
    },
    Edge {
        id: "library/browser",
        from: &[Kind::MissingFile],
        to: &[Kind::TestInfrastructure],
        when: When::AnyOrder,
        words: Some(r"Failed to launch (?:the )?browser"),
        why: "a browser does not start without its libraries",
    },
    Edge {
        id: "memory/killed",
        from: &[Kind::OutOfMemory],
        to: &[Kind::Crash, Kind::Cancelled, Kind::RunnerFailure, Kind::TestInfrastructure],
        when: When::AnyOrder,
        words: None,
        why: "the process was killed for the memory that it used",
    },
    Edge {
        id: "memory/tool",
        from: &[Kind::OutOfMemory],
        to: &[Kind::CompileError, Kind::LinkError, Kind::UnhandledException],
        when: When::AnyOrder,
        words: Some(
            r"(?i)killed|exit (?:code|status):? 137|internal compiler error|terminated|signal 9|exited? unexpectedly",
        ),
        why: "the process was killed for the memory that it used",
    },
    Edge {
        id: "module/file",
        from: &[Kind::MissingModule],
        to: &[Kind::MissingFile],
        when: When::Later,
        words: Some(r"(?i)makefile|config\.status|config\.h|build\.ninja|cmakecache|configure"),
        why: "a configuration that stops writes no files for the build",
    },
    Edge {
        id: "module/suites",
        from: &[Kind::MissingModule, Kind::MissingFile],
        to: &[Kind::TestInfrastructure],
        when: When::Later,
        words: None,
        why: "a suite whose import fails cannot run",
    },
    Edge {
        id: "port/refused",
        from: &[Kind::PortInUse],
        to: &[Kind::ConnectionFailure],
        when: When::Later,
        words: Some(r"localhost|127\.0\.0\.1|::1|0\.0\.0\.0"),
        why: "the server that should listen could not take its port",
    },
    Edge {
        id: "quota/rate",
        from: &[Kind::QuotaExceeded],
        to: &[Kind::RateLimit],
        when: When::AnyOrder,
        words: Some(r"(?i)\b429\b|too many requests"),
        why: "what a plan does not hold any more is refused by the status of a rate limit",
    },
    Edge {
        id: "reactor/artifact",
        from: &[
            Kind::Assertion,
            Kind::SnapshotMismatch,
            Kind::MockFailure,
            Kind::UndefinedValue,
            Kind::UnhandledException,
            Kind::TestTimeout,
            Kind::TestInfrastructure,
            Kind::CompileError,
            Kind::LintViolation,
            Kind::MissingModule,
            Kind::Crash,
        ],
        to: &[Kind::MissingResource],
        when: When::Later,
        words: Some(r"-SNAPSHOT\b"),
        why: "a module whose build failed leaves no artifact for the modules that need it",
    },
    Edge {
        id: "runner/refused",
        from: &[Kind::RunnerFailure],
        to: &[Kind::ConnectionFailure, Kind::MissingResource, Kind::MissingFile],
        when: When::Later,
        words: Some(r"(?i)docker|podman|buildx|containerd"),
        why: "without its daemon nothing answers",
    },
    Edge {
        id: "version/manifest",
        from: &[Kind::VersionMismatch],
        to: &[Kind::InvalidConfig],
        when: When::AnyOrder,
        words: Some("failed to parse manifest"),
        why: "a toolchain that is too old cannot read the manifest",
    },
];

static WORDS: LazyLock<Vec<OnceLock<Option<Regex>>>> =
    LazyLock::new(|| EDGES.iter().map(|_| OnceLock::new()).collect());

/// Moves what another finding explains beneath that finding.
///
/// Only a firm finding explains another. Chains are followed: what a consequence explains goes to the root of both.
pub(crate) fn explain(standing: &mut Vec<Group>) {
    standing.sort_by_key(|group| group.first.line);
    let roots: Vec<Vec<usize>> = EDGES.iter().map(|edge| edge.roots(standing)).collect();
    let by_rule: Vec<usize> =
        (0..standing.len()).filter(|index| !standing[*index].verdict.explains.is_empty()).collect();
    let mut parents: Vec<Option<(usize, String)>> = vec![None; standing.len()];
    for index in 0..standing.len() {
        let group = &standing[index];
        let found = by_rule.iter().copied().find(|root| {
            let Group { verdict, first, .. } = &standing[*root];
            first.line < group.first.line && verdict.explains.contains(&group.verdict.kind)
        });
        let found = found.map(|root| (root, format!("rule {}", standing[root].verdict.rule)));
        parents[index] = found.or_else(|| {
            EDGES.iter().enumerate().find_map(|(row, edge)| {
                let root = edge.root_of(row, group, index, standing, &roots[row])?;
                Some((root, edge.why.to_owned()))
            })
        });
    }
    if parents.iter().all(Option::is_none) {
        return;
    }
    let mut moved: Vec<(usize, Group, String)> = Vec::new();
    let mut kept: Vec<Option<Group>> = std::mem::take(standing).into_iter().map(Some).collect();
    for index in 0..kept.len() {
        let Some((first, why)) = parents[index].clone() else { continue };
        let mut root = first;
        // Each step leads to another group; two that explain each other end the walk.
        for _ in 0..kept.len() {
            match &parents[root] {
                Some((next, _)) if *next != index => root = *next,
                _ => break,
            }
        }
        if root == index || parents[root].is_some() {
            continue;
        }
        if let Some(group) = kept[index].take() {
            moved.push((root, group, why));
        }
    }
    for (root, group, why) in moved {
        if let Some(root) = &mut kept[root] {
            root.consequence(group, why);
        }
    }
    standing.extend(kept.into_iter().flatten());
}

impl Edge {
    /// The findings that can be the root, the earliest first.
    fn roots(&self, standing: &[Group]) -> Vec<usize> {
        let fits = |group: &Group| {
            self.from.contains(&group.verdict.kind)
                && group.level != Level::Claim
                && group.verdict.rank > Rank::Generic
                && (self.when != When::Installing || is_outside_tests(group))
        };
        // The earliest is enough: what comes after a later one comes after it too.
        (0..standing.len()).filter(|index| fits(&standing[*index])).take(1).collect()
    }

    fn root_of(&self, row: usize, group: &Group, index: usize, standing: &[Group], roots: &[usize]) -> Option<usize> {
        if !self.to.contains(&group.verdict.kind) || group.level == Level::Claim {
            return None;
        }
        // A case that lacks a fixture of its own ran, so that its suite did.
        if group.verdict.kind == Kind::TestInfrastructure && group.level == Level::Case {
            return None;
        }
        let root = *roots.first()?;
        let later = root != index && standing[root].first.line < group.first.line;
        let holds = match self.when {
            When::Later => later,
            When::AnyOrder => root != index,
            When::Installing => later && is_of_package(group.verdict.subject.as_deref()),
        };
        (holds && self.speaks(row, group)).then_some(root)
    }

    /// Whether the lines of a finding are of the sort that the edge speaks of.
    fn speaks(&self, row: usize, group: &Group) -> bool {
        let Some(words) = self.words else { return true };
        let Some(words) = WORDS[row].get_or_init(|| pattern::compile(words).ok()) else { return false };
        // The file in which something is missed says nothing of what is missed.
        let missed = |evidence: &Evidence| {
            let place = evidence.file.as_ref().and_then(|file| evidence.text.split_once(file.path.as_str()));
            words.is_match(place.map_or(evidence.text.as_str(), |(_, rest)| rest))
        };
        group.evidence.iter().all(missed)
    }
}

fn is_outside_tests(group: &Group) -> bool {
    !matches!(group.level, Level::Case | Level::Suite) && !matches!(group.verdict.phase, Phase::Test | Phase::Deploy)
}

/// Whether a subject names a package or program and not a file of the project itself.
fn is_of_package(subject: Option<&str>) -> bool {
    subject.is_none_or(|subject| !subject.starts_with(['.', '/', '~', '#']) && !subject.starts_with("@/"))
}

impl Group {
    /// Folds what this finding explains beneath it.
    fn consequence(&mut self, group: Group, why: String) {
        let Group { verdict, count, evidence, consequences, .. } = group;
        let Some(evidence) = evidence.into_iter().next() else { return };
        let own = Consequence { kind: verdict.kind, subject: verdict.subject, count, evidence, why };
        for consequence in std::iter::once(own).chain(consequences) {
            if self.consequences.len() < MAX_CONSEQUENCES {
                self.consequences.push(consequence);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sorted_and_their_words_valid() {
        assert!(EDGES.is_sorted_by_key(|edge| edge.id));
        for edge in EDGES {
            assert!(edge.words.is_none_or(|words| pattern::compile(words).is_ok()), "{}", edge.id);
            assert!(edge.from.iter().all(|kind| !edge.to.contains(kind)), "{}: a kind explains itself", edge.id);
        }
    }

    #[test]
    fn what_is_explained_is_listed_beneath_its_root() {
        let log = "tables.c:9:1: fatal error: error writing to /tmp/x.s: No space left on device\n\
            ld: cannot open output file app: No such file or directory\n";
        let report = crate::Analyzer::new().analyze([crate::Source::bytes("log", log.as_bytes())]);
        assert_eq!(report.causes.len(), 1, "{report:#?}");
        let consequences = &report.causes[0].consequences;
        let shown: Vec<_> = consequences.iter().map(|found| (found.kind, found.evidence.line)).collect();
        assert_eq!((report.causes[0].kind, shown), (Kind::DiskFull, vec![(Kind::MissingFile, 2)]));
    }

    #[test]
    fn files_of_the_project_are_no_packages() {
        assert!(is_of_package(Some("left-pad")));
        assert!(is_of_package(Some("@acme/web")));
        assert!(!is_of_package(Some("./util")));
        assert!(!is_of_package(Some("@/util")));
    }
}
