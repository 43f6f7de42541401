//! Rules: data that says which words of which tool mean which kind.
//!
//! A rule is one entry of a TOML file: the built-in files in `rules/`, or a user's. It names the literals
//! (`needles`) without which its `pattern` cannot match, so that the scan finds the lines worth a look, and it
//! carries lines that it must hit and near misses that it must not. [`RuleSet::check`] proves both.
//!
//! The built-in rules are compiled into the crate without their examples, so that a program which links it pays
//! nothing for them at start.

mod built_in;
#[cfg(test)]
mod oracle;

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::ops::Range;
use std::sync::{Arc, LazyLock, OnceLock};

use aho_corasick::AhoCorasick;
use serde::Deserialize;

use crate::error::Error;
use crate::kind::{Kind, Nature, Phase, names};
use crate::log::{Waker, wakers};
use crate::pattern::{self, Regex};
use crate::scan::{Needle, Scanner};
use built_in::BUILT_IN;

names! {
    /// How much a rule says; the higher rank wins on the same failure.
    Rank, "rank":
    /// Words that many tools use for many things.
    Generic = "generic",
    /// The usual case.
    Usual = "usual",
    /// The tool's own code or a sentence that means one thing only.
    Exact = "exact",
}

names! {
    /// What a match of a rule means.
    Role, "role":
    /// It can be the cause.
    Root = "root",
    /// It only follows from a cause: an exit line, a wrapper. Never a cause while a root is known, but proof that
    /// something failed.
    FollowOn = "follow-on",
    /// Positive evidence that a tool or a job ended well.
    Passed = "passed",
    /// The line is no failure although other rules match it.
    Decoy = "decoy",
    /// It says when to try again, or that somebody already has: no failure, but a word on one nearby.
    Hint = "hint",
}

/// One entry of a rule file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Rule {
    /// `family/name`, stable and unique.
    pub id: Cow<'static, str>,
    /// The kind that it names. Required for the role `root`, absent for the others.
    pub kind: Option<Kind>,
    /// How much it says. Default `usual`.
    #[serde(default = "usual")]
    pub rank: Rank,
    /// What a match means. Default `root`.
    #[serde(default = "root")]
    pub role: Role,
    /// Literals of which one must stand in the line, compared without regard to ASCII case. The rarer and longer the
    /// better; five bytes at least.
    pub needles: Vec<Cow<'static, str>>,
    /// The regular expression. The named group `subject` is what the failure is about. `\d`, `\s` and `\b` are those of
    /// ASCII; `\w` takes letters of other scripts too.
    pub pattern: Cow<'static, str>,
    /// The nature, where the text says more than the kind's default.
    pub nature: Option<Nature>,
    /// Where in the life of a job this happens, where the text tells.
    pub phase: Option<Phase>,
    /// A second expression that one of the few lines before, or another line of the same failure, must match.
    pub context: Option<Cow<'static, str>>,
    /// The kinds that are a consequence of this cause when they stand later in the same step.
    #[serde(default)]
    pub explains: Vec<Kind>,
    /// It can be the cause of a failure although the tool that printed it went on and ended well: a full disk of which
    /// an installer only warns.
    #[serde(default)]
    pub survives: bool,
    /// Lines that it must match. The built-in rules have them only after [`RuleSet::with_examples`].
    pub hits: Vec<Hit>,
    /// Lines that it must not match, or that another rule must win. As with `hits`.
    #[serde(default)]
    pub misses: Vec<String>,
}

/// A line that a rule must match.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Hit {
    /// The line.
    pub line: String,
    /// The subject that the rule must find in it.
    pub subject: Option<String>,
    /// The lines before it, for a rule with a `context`.
    #[serde(default)]
    pub before: Vec<String>,
}

const fn usual() -> Rank {
    Rank::Usual
}

const fn root() -> Role {
    Role::Root
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleFile {
    #[serde(default)]
    rule: Vec<Rule>,
}

/// A set of rules, ready to match. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct RuleSet {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    rules: Vec<Rule>,
    version: String,
    compiled: Vec<Compiled>,
    scanner: Scanner,
    /// For each needle of the scanner, who asked for it.
    owners: Vec<Owner>,
    /// The needles of rules that have a digit, each digit a zero.
    numbered: OnceLock<AhoCorasick>,
}

#[derive(Debug, Default)]
struct Compiled {
    pattern: OnceLock<Option<Regex>>,
    context: OnceLock<Option<Regex>>,
}

/// Who asked for a needle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    Rule(u32),
    Log(Waker),
}

/// A rule that matched a line.
#[derive(Clone, Debug)]
pub(crate) struct Match<'r> {
    pub rule: &'r Rule,
    pub index: u32,
    /// Where the subject stands in the line.
    pub subject: Option<Range<usize>>,
}

impl Match<'_> {
    /// The subject, from the line that was asked about.
    pub fn subject_in(&self, line: &str) -> Option<String> {
        self.subject.clone().and_then(|place| line.get(place)).map(str::to_owned)
    }
}

static BUILT_IN_SET: LazyLock<RuleSet> = LazyLock::new(|| {
    let windows = BUILT_IN.rules.iter().flat_map(|rule| rule.needles).map(|(_, windows)| *windows);
    RuleSet::with_windows(BUILT_IN.rules.iter().map(Rule::from).collect(), windows, BUILT_IN.hash)
});

impl RuleSet {
    /// The rules that come with the crate.
    #[must_use]
    pub fn built_in() -> Self {
        BUILT_IN_SET.clone()
    }

    /// The built-in rules and those of a user's file; at equal rank the user's win.
    ///
    /// # Errors
    /// If the text is not TOML, a field is unknown or missing, an id is taken, or a pattern is not valid.
    pub fn with_file(name: &str, text: &str) -> Result<Self, Error> {
        RuleSet::with_files([(name, text)])
    }

    /// The built-in rules and those of several files of a user, each a name and a text.
    ///
    /// # Errors
    /// As [`RuleSet::with_file`].
    pub fn with_files<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, Error> {
        RuleSet::parse(files, BUILT_IN_SET.rules())
    }

    /// Only the rules of one file, for checking it.
    ///
    /// # Errors
    /// As [`RuleSet::with_file`].
    pub fn only_file(name: &str, text: &str) -> Result<Self, Error> {
        RuleSet::parse([(name, text)], &[])
    }

    /// The rules of files, and behind them others.
    fn parse<'a>(files: impl IntoIterator<Item = (&'a str, &'a str)>, others: &[Rule]) -> Result<Self, Error> {
        let mut rules: Vec<Rule> = Vec::new();
        let mut hash = Fnv(BUILT_IN.hash);
        for (name, text) in files {
            hash.write(text.as_bytes());
            for rule in entries(name, text)? {
                let at = || line_of(text, text.find(&format!("\"{}\"", rule.id)).unwrap_or(0));
                if rules.iter().chain(others).any(|known| known.id == rule.id) {
                    return Err(Error::rules(name, at(), format!("the id \"{}\" is taken", rule.id)));
                }
                rule.is_sound().map_err(|message| Error::rules(name, at(), message))?;
                rules.push(rule);
            }
        }
        rules.extend_from_slice(others);
        Ok(RuleSet::from_rules(rules, hash.0))
    }

    fn from_rules(rules: Vec<Rule>, hash: u64) -> Self {
        Self::with_windows(rules, std::iter::empty(), hash)
    }

    /// From rules for whose needles, in their order, the windows were chosen before.
    fn with_windows(rules: Vec<Rule>, mut windows: impl Iterator<Item = Option<[u16; 2]>>, hash: u64) -> Self {
        let mut needles: Vec<Needle<'_>> = Vec::new();
        let mut owners = Vec::new();
        for (index, rule) in rules.iter().enumerate() {
            for needle in &rule.needles {
                needles.push(Needle { windows: windows.next().flatten(), ..Needle::from(&**needle) });
                owners.push(Owner::Rule(index as u32));
            }
        }
        for (waker, needle) in wakers() {
            needles.push(needle);
            owners.push(Owner::Log(waker));
        }
        let scanner = Scanner::new(&needles);
        let compiled = rules.iter().map(|_| Compiled::default()).collect();
        let version = format!("{}+{:08x}", env!("CARGO_PKG_VERSION"), hash as u32);
        RuleSet { inner: Arc::new(Inner { rules, version, compiled, scanner, owners, numbered: OnceLock::new() }) }
    }

    /// The same rules, those that are built in with their hits and misses too: for proving and explaining them.
    #[must_use]
    pub fn with_examples(&self) -> Self {
        let files = BUILT_IN.sources.iter();
        let mut known: HashMap<Cow<'static, str>, Rule> = files
            .flat_map(|(name, text)| entries(name, text).expect("the built-in rules are checked by a test"))
            .map(|rule| (rule.id.clone(), rule))
            .collect();
        let full =
            |rule: &Rule| known.remove(&rule.id).filter(|_| rule.hits.is_empty()).unwrap_or_else(|| rule.clone());
        let rules = self.rules().iter().map(full).collect();
        let RuleSet { inner } = RuleSet::from_rules(rules, 0);
        let inner = Arc::into_inner(inner).expect("it was just made");
        RuleSet { inner: Arc::new(Inner { version: self.inner.version.clone(), ..inner }) }
    }

    /// The rules, in the order of the files.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.inner.rules
    }

    /// The version of the set: the crate's, and a hash of the rules.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.inner.version
    }

    /// The rule that decides a line that stands alone, without color codes and the prefixes of a CI system.
    #[must_use]
    pub fn of_line(&self, line: &str) -> Option<&Rule> {
        let found = self.matches(line, &self.candidates(line), || Box::new(std::iter::empty()));
        found.into_iter().next().map(|found| found.rule)
    }

    pub(crate) fn scanner(&self) -> &Scanner {
        &self.inner.scanner
    }

    pub(crate) fn owner(&self, needle: u32) -> Owner {
        self.inner.owners[needle as usize]
    }

    pub(crate) fn rule(&self, index: u32) -> &Rule {
        &self.inner.rules[index as usize]
    }

    fn compiled<'s>(slot: &'s OnceLock<Option<Regex>>, pattern: &str) -> Option<&'s Regex> {
        slot.get_or_init(|| pattern::compile(pattern).ok()).as_ref()
    }

    /// The rules that have a needle in a line.
    pub(crate) fn candidates(&self, line: &str) -> Vec<u32> {
        let mut found = Vec::new();
        self.inner.scanner.each(line.as_bytes(), |needle, _| {
            if let Owner::Rule(rule) = self.owner(needle)
                && !found.contains(&rule)
            {
                found.push(rule);
            }
        });
        found.sort_unstable();
        found
    }

    /// Whether what a rule names may pass by itself, or the rule speaks of when.
    pub(crate) fn may_pass(&self, index: u32) -> bool {
        let rule = self.rule(index);
        let nature = rule.nature.or(rule.kind.map(Kind::nature));
        rule.role == Role::Hint || nature.is_some_and(|nature| nature != Nature::Deterministic)
    }

    /// Whether a rule wants to see more than its line.
    pub(crate) fn wants_context(&self, index: u32) -> bool {
        self.rule(index).context.is_some()
    }

    /// The rules among `candidates` that match the line, the weightiest first: by rank, then by order. Only the first
    /// has its subject.
    pub(crate) fn matches<'r, 'c>(
        &'r self,
        line: &str,
        candidates: &[u32],
        context: impl Fn() -> Box<dyn Iterator<Item = &'c str> + 'c>,
    ) -> Vec<Match<'r>> {
        let matches = |&index: &u32| {
            let rule = self.rule(index);
            let found = self.regex(index).is_some_and(|regex| regex.is_match(line))
                && rule.context.as_ref().is_none_or(|wanted| {
                    let wanted = Self::compiled(&self.inner.compiled[index as usize].context, wanted);
                    wanted.is_some_and(|wanted| context().any(|other| wanted.is_match(other)))
                });
            found.then_some(Match { rule, index, subject: None })
        };
        let mut found: Vec<Match<'_>> = candidates.iter().filter_map(matches).collect();
        // That nothing failed is more than that the line is no failure.
        if found.iter().any(|hit| hit.rule.role == Role::Passed) {
            found.retain(|hit| hit.rule.role != Role::Decoy);
        }
        found.sort_by_key(|hit| std::cmp::Reverse((hit.rule.role == Role::Decoy, hit.rule.rank)));
        let Some(best) = found.first_mut() else { return found };
        best.subject = self.subject(best.index, line);
        if best.subject.is_some() || !best.rule.kind.is_some_and(Kind::is_tried_again) {
            return found;
        }
        // Of two that say the same of a remote, the one that says which.
        let first = best.rule;
        let alike =
            |hit: &Match<'_>| (hit.rule.kind, hit.rule.role, hit.rule.rank) == (first.kind, first.role, first.rank);
        let others = found.iter().enumerate().skip(1).filter(|(_, hit)| alike(hit));
        let named = others.map(|(at, hit)| (at, self.subject(hit.index, line))).find(|(_, subject)| subject.is_some());
        if let Some((at, subject)) = named {
            found.swap(0, at);
            found[0].subject = subject;
        }
        found
    }

    /// Where the subject of a rule that matches a line stands in it.
    fn subject(&self, index: u32, line: &str) -> Option<Range<usize>> {
        // A pattern with alternatives names the groups `subject`, `subject2`, `subject3`; the one that took part counts.
        const GROUPS: [&str; 3] = ["subject", "subject2", "subject3"];
        let regex = self.regex(index).filter(|regex| regex.has_groups())?;
        let captures = regex.captures(line)?;
        let group = GROUPS.iter().find_map(|name| captures.name(name))?;
        let (text, start) = (group.as_str(), group.start());
        let start = start + text.len() - text.trim_start().len();
        Some(start..start + text.trim().len()).filter(|place| !place.is_empty())
    }

    /// The expression of a rule; none if it is no valid one.
    fn regex(&self, index: u32) -> Option<&Regex> {
        Self::compiled(&self.inner.compiled[index as usize].pattern, &self.rule(index).pattern)
    }

    /// Whether a rule matches a line whatever its digits are.
    pub(crate) fn digits_alike(&self, index: u32) -> bool {
        self.regex(index).is_none_or(Regex::digits_alike)
    }

    /// Whether a line holds a needle that has a digit, or would if its own digits were others.
    pub(crate) fn has_numbered_needle(&self, line: &str) -> bool {
        let fold = |text: &str| -> Vec<u8> {
            text.bytes().map(|byte| if byte.is_ascii_digit() { b'0' } else { byte.to_ascii_lowercase() }).collect()
        };
        let numbered = self.inner.numbered.get_or_init(|| {
            let needles = self.rules().iter().flat_map(|rule| &rule.needles);
            let needles = needles.filter(|needle| needle.bytes().any(|byte| byte.is_ascii_digit()));
            pattern::any_of(needles.map(|needle| fold(needle)), true)
        });
        numbered.is_match(&fold(line))
    }

    /// What is wrong with the rules: ids out of order, needles too short, hits missed, misses hit. Empty when all is
    /// well.
    #[must_use]
    pub fn check(&self) -> Vec<String> {
        self.with_examples().check_examples()
    }

    fn check_examples(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let mut previous: Option<&Rule> = None;
        for (index, rule) in self.rules().iter().enumerate() {
            let mut complain = |text: String| wrong.push(format!("{}: {text}", rule.id));
            if let Some(previous) = previous.replace(rule)
                && family(&previous.id) == family(&rule.id)
                && previous.id > rule.id
            {
                complain(format!("comes after \"{}\"; entries are sorted by id", previous.id));
            }
            if let Err(error) = rule.is_sound() {
                complain(error);
            }
            if rule.hits.is_empty() {
                complain("has no hit".to_owned());
            }
            for hit in &rule.hits {
                let candidates = self.candidates(&hit.line);
                if !candidates.contains(&(index as u32)) {
                    complain(format!("no needle in the hit {:?}", hit.line));
                    continue;
                }
                let context = || -> Box<dyn Iterator<Item = &str>> { Box::new(hit.before.iter().map(String::as_str)) };
                let found = self.matches(&hit.line, &candidates, context);
                let place = self.subject(index as u32, &hit.line);
                let subject = place.and_then(|place| hit.line.get(place)).map(str::to_owned);
                if !found.iter().any(|found| found.index == index as u32) {
                    complain(format!("does not match its hit {:?}", hit.line));
                } else if hit.subject.is_some() && subject != hit.subject {
                    let (line, expected) = (&hit.line, &hit.subject);
                    complain(format!("finds the subject {subject:?} in {line:?}, expected {expected:?}"));
                }
                if let Some(first) = found.first()
                    && first.index != index as u32
                    && (first.rule.kind != rule.kind || first.rule.role != rule.role)
                {
                    complain(format!("loses its hit {:?} to {}", hit.line, first.rule.id));
                }
            }
            for miss in &rule.misses {
                let candidates = self.candidates(miss);
                let found = self.matches(miss, &candidates, || Box::new(std::iter::empty()));
                if found.first().is_some_and(|found| found.index == index as u32) {
                    complain(format!("matches its miss {miss:?}"));
                }
            }
        }
        wrong
    }
}

/// The length in bytes from which the needle of a rule can be looked for at the speed of all.
const SHORTEST_NEEDLE: usize = 5;

/// The entries of one rule file.
fn entries(name: &str, text: &str) -> Result<Vec<Rule>, Error> {
    let file: RuleFile = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(text, span.start));
        Error::rules(name, line, error.message())
    })?;
    Ok(file.rule)
}

impl Rule {
    /// Whether an entry can be used at all; otherwise what is wrong with it.
    fn is_sound(&self) -> Result<(), String> {
        if self.kind.is_some() != (self.role == Role::Root) {
            return Err(format!("rule \"{}\": a kind goes with the role root, and only with it", self.id));
        }
        if self.needles.is_empty() {
            return Err(format!("rule \"{}\" has no needle", self.id));
        }
        if let Some(needle) = self.needles.iter().find(|needle| needle.len() < SHORTEST_NEEDLE) {
            return Err(format!("rule \"{}\": the needle {needle:?} is shorter than {SHORTEST_NEEDLE} bytes", self.id));
        }
        for pattern in std::iter::once(&self.pattern).chain(&self.context) {
            pattern::compile(pattern).map_err(|error| format!("rule \"{}\": {error}", self.id))?;
        }
        Ok(())
    }

    /// What the rule is for, in a few lines for people.
    #[must_use]
    pub fn explain(&self) -> String {
        let mut text = format!("{} ({}, {})\n", self.id, self.rank, self.role);
        if let Some(kind) = self.kind {
            let _ = writeln!(text, "  kind     {kind}, {}", self.nature.unwrap_or(kind.nature()));
        }
        let _ = writeln!(text, "  pattern  {}", self.pattern);
        let _ = writeln!(text, "  needles  {}", self.needles.join(" | "));
        for hit in &self.hits {
            let _ = writeln!(text, "  hits     {}", hit.line);
        }
        for miss in &self.misses {
            let _ = writeln!(text, "  misses   {miss}");
        }
        text
    }
}

fn family(id: &str) -> &str {
    id.split('/').next().unwrap_or(id)
}

fn line_of(text: &str, offset: usize) -> usize {
    text.as_bytes()[..offset.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1
}

/// FNV-1a, 64 bits: small, stable across versions and platforms.
#[derive(Clone, Copy)]
pub(crate) struct Fnv(pub u64);

impl Default for Fnv {
    fn default() -> Self {
        Fnv(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_rules_hold() {
        let wrong = RuleSet::built_in().check();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }

    #[test]
    fn what_is_compiled_in_is_what_the_files_say() {
        let compiled = RuleSet::built_in();
        let files: Vec<Rule> =
            BUILT_IN.sources.iter().flat_map(|(name, text)| entries(name, text).expect("a rule file")).collect();
        assert_eq!(compiled.rules().len(), files.len());
        for (compiled, mut rule) in compiled.rules().iter().zip(files) {
            (rule.hits, rule.misses) = (Vec::new(), Vec::new());
            assert_eq!(format!("{compiled:?}"), format!("{rule:?}"));
        }
    }

    #[test]
    fn every_kind_has_a_rule() {
        let set = RuleSet::built_in();
        let has = |kind: &Kind| set.rules().iter().any(|rule| rule.kind == Some(*kind));
        let without: Vec<_> = Kind::ALL.iter().filter(|kind| **kind != Kind::Unclassified && !has(kind)).collect();
        assert!(without.is_empty(), "kinds without a rule: {without:?}");
    }

    #[test]
    fn bad_rule_files_are_refused_with_their_place() {
        let text = "[[rule]]\nid = \"a/b\"\nkind = \"oops\"\nneedles = [\"x\"]\npattern = \"x\"\nhits = []\n";
        let error = RuleSet::only_file("mine.toml", text).unwrap_err().to_string();
        assert!(error.starts_with("mine.toml:3: "), "{error}");
        let text = "[[rule]]\nid = \"a/b\"\nkind = \"crash\"\nneedles = [\"abcdef\"]\npattern = \"(\"\nhits = []\n";
        let error = RuleSet::only_file("mine.toml", text).unwrap_err().to_string();
        assert!(error.starts_with("mine.toml:2: rule \"a/b\": "), "{error}");
    }
}
