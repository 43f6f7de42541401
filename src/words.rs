//! What the last words before a failure seem to be about, where no rule knows the tool that spoke them.
//!
//! Tools that nobody has heard of speak of files that are not found and of values that are required as all others do.
//! The phrases here are too common to be looked for in whole logs; in the one line that stands before the end they
//! tell more than nothing. What they tell is a guess, and its confidence says so.

use std::sync::OnceLock;

use crate::kind::Kind;
use crate::pattern::{self, Regex};

/// A phrase and the kind that it speaks of. The first that matches decides, so that the narrow ones come first.
const PHRASES: &[(Kind, &str)] = &[
    (Kind::OutOfMemory, r"\bout of memory\b|cannot allocate memory|memory (?:limit|exhausted)"),
    // The table of a linter: line, column, severity.
    (
        Kind::LintViolation,
        r"^\s*\d+:\d+\s+error\s{2,}\S|circular (?:dependency|import)|potentially fixable|\b[1-9]\d* problems?\b|^unused (?:files|dependencies|exports|imports)|\b[1-9]\d* (?:\w+ )?findings?\b",
    ),
    (
        Kind::PolicyViolation,
        r"(?:leaks?|secrets?|vulnerabilit(?:y|ies)) (?:were )?(?:found|detected)|failed checks: [1-9]|licen[sc]e[sd]? .*not (?:permitted|allowed)|size limit|exceeds? (?:the )?(?:max\w* |allowed |size )|thresholds? .*(?:crossed|exceeded|failed|not met)|breaking changes?\b",
    ),
    (Kind::DiskFull, r"no space left|disk (?:is )?full|disk quota"),
    (
        Kind::InvalidConfig,
        r"required (?:environment )?(?:variable|parameter|secret|setting|option|input)s? .{0,60}(?:missing|not set|undefined|unset|empty|not provided)|(?:environment|env|configuration) var(?:iable)?s? .{0,60}(?:missing|not set|undefined|unset|empty|required|not found|not defined)|missing (?:required )?env",
    ),
    (Kind::RateLimit, r"too ?many ?requests|rate.?limit|throttl(?:ed|ing)"),
    (
        Kind::QuotaExceeded,
        r"quota|billing|insufficient (?:credit|funds|balance)|(?:plan|usage|spend\w*) limit|upgrade (?:your|the|to a) \w*\s?plan|(?:free|current|trial) (?:plan|tier)\b",
    ),
    (
        Kind::CertificateError,
        r"\b(?:tls|ssl|x509)\b.*certificate|certificate.*(?:expired|untrusted|verif|self.signed|unknown authority)",
    ),
    (
        Kind::IntegrityFailure,
        r"checksum|(?:hash|digest|signature)\w* (?:mismatch|verification|invalid|(?:do|does) ?(?:not|n't) match|is invalid)|\bcorrupt(?:ed)?\b",
    ),
    (
        Kind::Authentication,
        r"unauthori[sz]ed|\b401\b|not logged in|log ?in required|authentication (?:is )?(?:failed|required|error)|no valid .{1,40}licen[sc]e|(?:failed|unable|not able) to authenticate|could not authenticate|(?:validating|verifying) (?:the )?token|(?:token|credentials?|password|api key) (?:\w+ )?is (?:not valid|invalid|expired)|(?:invalid|expired|missing|bad|no|wrong) (?:\w+ ){0,2}(?:token|credentials?|password|api key|secret key)|(?:token|credentials?|password|api key) (?:\w+ )?(?:expired|invalid|is missing|not found|required)",
    ),
    (
        Kind::PermissionDenied,
        r"permission denied|access(?: is| was)? denied|\bforbidden\b|\b403\b|not (?:authori[sz]ed|permitted) to|cannot be run (?:with sudo|as root)|must (?:not )?be run as root|operation not permitted|insufficient (?:permission|privilege|scope)|(?:lacks?|missing) (?:the )?permission",
    ),
    (Kind::PortInUse, r"address already in use|port \d* ?(?:is )?(?:already )?in use"),
    (
        Kind::ConnectionFailure,
        r"connection (?:was )?(?:refused|reset|closed|aborted|timed out|failed|lost)|(?:could not|couldn't|cannot|can't|unable to|failed to) (?:connect|reach|resolve host)|no route to host|network is unreachable|name resolution|(?:host|server) (?:not found|unreachable)|broken pipe|socket hang up",
    ),
    (
        Kind::ServiceUnavailable,
        r"service unavailable|bad gateway|internal server error|overloaded|temporarily unavailable|\b50[023] (?:error|response|status)|(?:status|error|http)(?: code)?:? 50[023]\b",
    ),
    (Kind::Timeout, r"\btime(?:d)?[ -]?out\b|deadline exceeded|took too long"),
    (
        Kind::LockContention,
        r"(?:could not|cannot|unable to|failed to) (?:get|acquire|obtain) (?:\w+ ){0,2}lock|is locked\b|resource busy|another .{1,60} is (?:already |currently )?(?:running|in progress)|currently locked by",
    ),
    (
        Kind::VersionMismatch,
        r"(?:is )?(?:lower|older|newer|higher) than (?:the )?(?:\w+ )*(?:version|v?\d)|unsupported (?:\w+ ){0,3}version|does not support (?:\w+ ){0,2}(?:version )?v?\d|incompatible (?:\w+ )?version|version (?:mismatch|\S+ is (?:too|not supported|unsupported|required))|requires (?:at least |a newer )?(?:\w+ ){0,2}(?:version|>=|node|python|java|go|rust|php|ruby)\b.*\d|incompatible with .{0,60}(?:requirement|version)|not supported by this version|minimum (?:required )?version",
    ),
    (
        Kind::DependencyConflict,
        r"(?:unmet|unresolvable|unsatisfied|unsatisfiable) (?:\w+ )?(?:dependenc|requirement|constraint)|dependency (?:conflict|resolution|tree)|dependencies (?:could not|cannot) be (?:resolved|satisfied)|could not solve|version conflict|conflicting (?:dependenc|requirement|version)|could ?(?:not|n't) (?:resolve|satisfy) (?:all )?(?:\w+ )?dependenc|no (?:matching|compatible) version|packages? .{0,60}(?:match versions? required|should be updated)|expected version:|(?:lock ?file|\.lock\b|lock\.json|lock\.yaml).*(?:out of (?:date|sync)|not up.to.date)",
    ),
    (
        Kind::MergeConflict,
        r"merge conflict|dirty (?:state|working)|uncommitted changes|working (?:tree|directory) .*(?:not clean|dirty)|non-fast-forward",
    ),
    (
        Kind::PolicyViolation,
        r"quality gate|policy (?:violation|check|failed)|violates? (?:the )?(?:\w+ )?polic|vulnerabilit(?:y|ies) (?:found|detected)|commit message|exceed(?:s|ed) (?:the )?(?:maximum |allowed )?(?:\w+ )?budget|budgets?\b.{0,40}exceeded",
    ),
    (Kind::CoverageThreshold, r"coverage .*(?:below|threshold|minimum|less than)"),
    (
        Kind::InvalidConfig,
        r"(?:syntax|parse|parsing|yaml|toml|json|xml|decod\w+)[ -]?(?:syntax )?errors? .*(?:ya?ml|toml|json|config|manifest|settings)|(?:ya?ml|toml|json|config\w*|manifest|settings)\b.*(?:syntax|parse|parsing) error|malformed|(?:schema|jsonschema|validat\w+)\b.{0,200}?(?:expected|but got|does not (?:validate|match|conform))|(?:fails?|failed|invalid against) (?:the )?schema|template (?:format|validation) error|config(?:uration)? (?:file )?(?:error|is invalid|invalid)|(?:invalid|bad|broken) config",
    ),
    (
        Kind::InvalidConfig,
        r"\b(?:task|target|recipe|job|stage|goal|workflow|step)\b.{0,60}?\b(?:not found|does ?(?:not|n't) exist|is (?:unknown|undefined|not defined))|does ?(?:not|n't) contain (?:a |the )?(?:recipe|target|task|script|job|stage|key|section|field)|(?:unknown|no such) (?:task|target|recipe|job|stage|goal|command|subcommand)",
    ),
    (
        Kind::MissingResource,
        r"not found in any (?:\w+ )?(?:repo|registry|remote|source|channel|index)|unresolved dependency|(?:no versions?|not found|does not exist|no such) .{0,40}\b(?:registry|repository|remotes?|channel|index)\b",
    ),
    (
        Kind::MissingCommand,
        r"command not found|not found in \$?path\b|executable (?:file )?(?:was )?not found|not on (?:the |your )?path\b|program not found|(?:is|are) not recognized as|not installed\b|could not detect \w+|make sure \S+ is (?:properly )?installed",
    ),
    (
        Kind::MissingModule,
        r"\b(?:module|package|library|crate|gem|import|plugin|extension|class|namespace|component|provider)s?\b [^.]{0,60}?\b(?:not|n't|never) (?:be )?(?:found|resolved|available|exist|loaded)|(?:cannot|could not|unable to|failed to) (?:find|resolve|load|import) (?:the )?(?:\w+ )?(?:module|package|library|crate|gem|plugin|extension|class|component)|(?:unknown|missing|unbound|unresolved|no such) (?:\w+ )?(?:module|package|library|import|plugin|extension)|there is no package|failed build dependencies|failed to resolve\b|(?:cannot|could not|unable to) resolve\b",
    ),
    (
        Kind::MissingFile,
        r"no such file|unable to find file|(?:file|directory|folder|path|script|template|header|fixture)s?\b.{0,120}?\b(?:not found|does ?(?:not|n't) exist|do not exist|is missing|cannot be found|could not be (?:found|opened|read))|(?:cannot|could not|couldn't|unable to|failed to) (?:find|open|read|locate|stat|access) [^ ]*(?:[/\\]|file|directory|\.\w{1,5}\b)|\.\w{1,5}\S{0,3} (?:not found|does not exist|is missing)",
    ),
    (
        Kind::UndefinedValue,
        r"\b(?:column|table|relation|view|index|schema)\b.{0,80}?(?:does ?(?:not|n't) exist|not found|unknown)|unknown (?:column|table)",
    ),
    (Kind::MissingFile, r"[\w-]+(?:/[\w.-]+)*\.[a-z]{1,5}\b.{0,80}?(?:not found|does ?(?:not|n't) exist|is missing)"),
    (
        Kind::MissingResource,
        r"\b404\b|\b(?:project|repository|repo|branch|tag|artifact|image|release|resource|bucket|user|environment|parameter|registry|remote|revision|stack|identity|profile|account|cluster|region|secret)\b.{0,120}?\b(?:not found|does ?(?:not|n't) exist|could not be found|unknown)|(?:could not|cannot|unable to) (?:find|locate) |error downloading|\bno \w+(?: \w+)? (?:was |were )?found (?:matching|for|with|in)\b",
    ),
    (Kind::LinkError, r"undefined (?:reference|symbol)|linker (?:failed|error|command)"),
    (
        Kind::CompileError,
        r"syntax error|parse error|parsing error|type (?:mismatch|error)\b|naming error|undeclared|is unbound|unbound (?:value|variable|constructor)|unexpected (?:token|end|character|identifier|indent)|failed to compile|compil(?:e|ation|ing) .*fail|compilation (?:error|failed)|unknown (?:tag|identifier|type|function|shortcode|directive)|not in scope|broken .*syntax|cannot query field|mismatched types|conflicting (?:values|types|definitions)|does ?(?:not|n't) match (?:the )?(?:type|annotation|signature)",
    ),
    (
        Kind::UndefinedValue,
        r"undefvar|(?:undefined|uninitiali[sz]ed) (?:local )?(?:variable|method|function|name|constant|property)|null pointer|nil pointer|is not a function|is not defined|(?:of|on) (?:undefined|null|nil|none)\b",
    ),
    (
        Kind::LintViolation,
        r"\blint(?:er|ing)?\b|not (?:properly )?formatted|formatting|broken links?|code style|style violation",
    ),
    (
        Kind::InvalidConfig,
        r"(?:missing|required|unknown|invalid|unrecogni[sz]ed|unsupported|unexpected|duplicate|undeclared) (?:required )?(?:[\w-]+ ){0,2}(?:config\w*|settings?|options?|arguments?|parameters?|flags?|variables?|keys?|property|properties|fields?|values?|attributes?|inputs?|directives?|sections?|schema|manifest)\b|\bis (?:required|not (?:set|configured))|(?:is|are) (?:not valid|invalid)|validation (?:error|failed)",
    ),
    (Kind::Crash, r"segmentation fault|core dumped|illegal instruction|bus error"),
    (Kind::Cancelled, r"\bcancel(?:l)?ed\b|\binterrupted\b"),
    (Kind::Assertion, r"\bassert(?:ion)?s?\b.*fail|\bassertion error|tests? failed|failing tests?"),
];

/// Phrases that mean something only where none of the others stands near: many tools wrap what happened in them.
const FAINT: &[(Kind, &str)] = &[
    (Kind::MissingResource, r"(?:could not|cannot|unable to|failed to) (?:fetch|download|pull|get|retrieve) "),
    (Kind::InvalidConfig, r"\bmust (?:be|have|specify|contain|set|provide)\b|already exists"),
];

const COUNT: usize = PHRASES.len() + FAINT.len();

/// Each is compiled when it is first asked.
static EXPRESSIONS: [OnceLock<Regex>; COUNT] = [const { OnceLock::new() }; COUNT];

/// The phrases with the faint ones behind.
fn phrase(index: usize) -> (Kind, &'static str) {
    if index < PHRASES.len() { PHRASES[index] } else { FAINT[index - PHRASES.len()] }
}

fn expression(index: usize) -> &'static Regex {
    EXPRESSIONS[index].get_or_init(|| pattern::regex(&format!("(?i){}", phrase(index).1)))
}

/// The kind that a line seems to speak of, and what it quotes.
pub(crate) fn guess(text: &str) -> Option<Guess> {
    first(text, 0..PHRASES.len())
}

/// The kind that a line seems to speak of, where nothing near says more.
pub(crate) fn faint_guess(text: &str) -> Option<Guess> {
    first(text, PHRASES.len()..COUNT)
}

/// A kind, and what the line quotes.
pub(crate) type Guess = (Kind, Option<String>);

fn first(text: &str, mut among: std::ops::Range<usize>) -> Option<Guess> {
    let text = text.get(..2000).unwrap_or(text);
    let index = among.find(|index| expression(*index).is_match(text))?;
    let kind = phrase(index).0;
    let named = || (kind == Kind::InvalidConfig).then(|| variable(text)).flatten();
    Some((kind, quoted(text).or_else(named)))
}

/// The first word that is written as variables of the environment are, behind the word for them where it stands.
fn variable(text: &str) -> Option<String> {
    if let Some((_, behind)) = text.split_once("variable")
        && let Some(found) = variable(behind)
    {
        return Some(found);
    }
    let fits = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    let words = text.split(|character: char| !character.is_ascii_alphanumeric() && character != '_');
    let mut words = words.filter(|word| word.bytes().all(fits) && word.trim_matches('_').contains('_'));
    words.find(|word| word.len() >= 5).map(str::to_owned)
}

/// The first word in quotes.
fn quoted(text: &str) -> Option<String> {
    let pairs = [('\'', '\''), ('"', '"'), ('`', '`'), ('`', '\''), ('‘', '’'), ('“', '”'), ('«', '»')];
    let found = pairs.iter().filter_map(|(open, close)| {
        let (before, rest) = text.split_once(*open)?;
        // An apostrophe opens nothing.
        if before.ends_with(char::is_alphanumeric) {
            return None;
        }
        let word = rest.split_once(*close)?.0;
        let fits = !word.is_empty() && word.len() <= 120 && !word.contains(char::is_whitespace);
        fits.then_some((before.len(), word.len(), word))
    });
    found.min().map(|(_, _, word)| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, kind: Kind, subject: Option<&str>) {
        assert_eq!(guess(text), Some((kind, subject.map(str::to_owned))), "{text}");
    }

    #[test]
    fn phrases_of_tools_that_nobody_knows() {
        check("frob: could not open 'cfg/main.frob'", Kind::MissingFile, Some("cfg/main.frob"));
        check("Error: plugin `shiny` was not found", Kind::MissingModule, Some("shiny"));
        check("error: Missing required configuration variable 'site:domain'", Kind::InvalidConfig, Some("site:domain"));
        check("Timeout waiting for SSH.", Kind::Timeout, None);
        check("Error: Project not found", Kind::MissingResource, None);
        check("frob 1.2 is older than the required version 2.0", Kind::VersionMismatch, None);
        check("src/a.frob:3: variable 'Stat' is unbound", Kind::CompileError, Some("Stat"));
        check("the state is locked by ann", Kind::LockContention, None);
        check("release failed: git is in a dirty state", Kind::MergeConflict, None);
        check("[E] block references asset img/pier.svg which was not found", Kind::MissingFile, None);
        check("error: the rulebook does not contain recipe `relase`", Kind::InvalidConfig, Some("relase"));
        check("  31:18  error    invalid-ref   '#/a' is gone", Kind::LintViolation, Some("#/a"));
        check("error: could not solve for the given specs", Kind::DependencyConflict, None);
        check("column \"custmer\" does not exist", Kind::UndefinedValue, Some("custmer"));
        check(
            "services.db: required variable DB_PASSWORD is missing a value",
            Kind::InvalidConfig,
            Some("DB_PASSWORD"),
        );
        check("server said: 403 for «acme/x»", Kind::PermissionDenied, Some("acme/x"));
    }

    #[test]
    fn nothing_is_guessed_from_nothing() {
        assert_eq!(guess("the widget wobbled"), None);
        assert_eq!(guess("Process completed with exit code 1."), None);
        assert_eq!(guess("make: *** [Makefile:3: all] Error 1"), None);
        assert_eq!(guess(""), None);
    }

    #[test]
    fn phrases_are_valid() {
        for (index, (kind, phrase)) in PHRASES.iter().chain(FAINT).enumerate() {
            assert!(!expression(index).is_match(""), "{kind:?}: {phrase}");
        }
    }
}
