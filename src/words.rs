//! What the last words before a failure seem to be about, where no rule knows the tool that spoke them.
//!
//! Tools that nobody has heard of speak of files that are not found and of values that are required as all others do.
//! The phrases here are too common to be looked for in whole logs; in the one line that stands before the end they
//! tell more than nothing. What they tell is a guess, and its confidence says so.

use std::sync::OnceLock;

use crate::kind::Kind;
use crate::pattern::{self, Regex};

/// What a verdict that is only a guess gives as its rule.
pub(crate) const RULE: &str = "words";

/// A phrase and the kind that it speaks of. The first that matches decides, so that the narrow ones come first.
const PHRASES: &[(Kind, &str)] = &[
    (
        Kind::OutOfMemory,
        r"\bout of memory\b|allocat(?:e|ion of) .{0,40}\bbytes\b|allocation failed|bad_alloc|cannot allocate memory|memory (?:limit|exhausted)",
    ),
    (Kind::UndefinedValue, r"^(?:NameError|ReferenceError|UnboundLocalError): "),
    (Kind::CompileError, r"\bis not assignable to (?:parameter |type )"),
    (
        Kind::Assertion,
        r"^[×✖✗] +is expected (?:not )?to |\b\d+ (?:successful|passed|passes|examples?|tests?|specs?), [1-9]\d* fail(?:ed|ure|ures|s)?\b",
    ),
    (
        Kind::UndefinedValue,
        r#"\b(?:relation|column|table|view|schema)\b ["'`][^"'`]+["'`](?: of relation \S+)? does not exist|\bno such (?:table|column|relation|view)\b"#,
    ),
    (Kind::PolicyViolation, r"semver requires new (?:major|minor) version|affected by [1-9]\d* vulnerabilit"),
    (Kind::Timeout, r"\b(?:did|does) not (?:become|get|turn|go) (?:\w+ )?(?:ready|healthy|available|up|green)\b"),
    // What was expected of a status is not what went wrong with a service.
    (
        Kind::Assertion,
        r"\bexpected\b.{0,80}?\b\d+\b[^.]{0,20}\bbut (?:it )?(?:was|got|received|found|saw|actually)\b|\bexpected status\b.{0,20}\d+.{1,20}\bgot\b",
    ),
    // The table of a linter: line, column, severity.
    (
        Kind::LintViolation,
        r"^[EW]: [\w.+-]+(?: source)?: [a-z]+(?:-[a-z]+)+\b|\.(?:rst|md|adoc|sql):\d+(?::\d+)?: (?:warning|error): |\bkeys? missing\b|missing translations?\b|\bfound [1-9]\d* errors? in \d+ files?\b|found broken links|^total errors found: [1-9]|not (?:allowed|permitted) to (?:import|depend on)|files? (?:was|were|is|are) not sorted|^\+\+\+ \S+\t\((?:reformatted|new)\)|^\+\+\+ new/|^--- \S+\.orig\b|^\s*\d+:\d+\s+error\s{2,}\S|circular (?:dependency|import)|potentially fixable|\b[1-9]\d* problems?\b|^unused (?:files|dependencies|exports|imports)|\b[1-9]\d* (?:\w+ )?(?:findings?|violations?|offen[cs]es?|style issues?)\b",
    ),
    (
        Kind::MissingFile,
        r"cannot find or open\b|(?:could not|cannot|unable to) (?:find|locate|open|read) the (?:\w+ )?(?:file|template|folder|directory)\b|(?:cannot|can't|could not|couldn't|unable to) (?:find|locate|open|read) (?:the |any )?(?:\w+ ){0,2}files? (?:at|in|under|matching|for)\b|missing (?:\w+ )?(?:input )?files?\b",
    ),
    (
        Kind::PolicyViolation,
        r"(?:leaks?|secrets?|vulnerabilit(?:y|ies)) (?:were )?(?:found|detected)|\b[1-9]\d* (?:moderate|high|critical)(?: severity)? vulnerabilit|failed checks: [1-9]|licen[sc]e[sd]? .*not (?:permitted|allowed)|missing (?:copyright|licen[sc])\w*|^\d+: [A-Z]{1,2}\d+ .*\b(?:title|body|commit)\b|^commit validation: failed|failure for \w+ assertion\b|size limit|exceeds? (?:the )?(?:max\w* |allowed |size )|thresholds? .*(?:crossed|exceeded|failed|not met)|breaking changes?\b|\bviolate[sd]\b|\bthe limit is \d|(?:over|above|beyond) the (?:allowed |size )?limit|\bnot allowed by\b|(?:manual|human) (?:review|approval)|(?:review|approval) (?:is )?required|\bfixme|\btodos?\b|\bforbids?\b|house style|(?:version|changelog) (?:was|is|has) not (?:been )?(?:raised|bumped|increased|updated|changed)|run .{1,40} and commit",
    ),
    (
        Kind::DiskFull,
        r"no (?:free |more )?(?:disk |storage )?space (?:left|available|on)|disk (?:is )?full|disk quota|(?:out of|not enough|insufficient) (?:free |disk |storage )*(?:disk|storage|space)\b",
    ),
    (
        Kind::InvalidConfig,
        r"required (?:environment )?(?:variable|parameter|secret|setting|option|input)s? .{0,60}(?:missing|not set|undefined|unset|empty|not provided)|(?:environment|env|configuration) var(?:iable)?s? .{0,60}(?:missing|not set|undefined|unset|empty|required|not found|not defined)|missing (?:required )?env",
    ),
    (
        Kind::RateLimit,
        r"too ?many ?requests|slow down|(?:replied|answered|returned|responded|got|gave|status)(?: with)?:? 429\b|rate.?limit|throttl(?:ed|ing)",
    ),
    (
        Kind::QuotaExceeded,
        r"quota|billing|no (?:storage|credits?|minutes|seats?|builds?) left|(?:storage|credits?|minutes|seats?) (?:are |is |has been )?(?:used up|exhausted|exceeded)|used (?:up )?all|insufficient (?:credit|funds|balance)|(?:plan|usage|spend\w*) limit|upgrade (?:your|the|to a) \w*\s?plan|(?:free|current|trial) (?:plan|tier)\b",
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
        r"unauthori[sz]ed|(?:been|was|is|were) revoked|(?:replied|answered|returned|responded|got|gave|status)(?: with)?:? 401\b|unauthenticated|session (?:has |is )?(?:ended|expired|invalid|over)|not signed in|(?:sign|log) ?in (?:again|first|to)\b|re-?authenticate|\b401\b|not logged in|log ?in required|authentication (?:is )?(?:failed|required|error)|no valid .{1,40}licen[sc]e|(?:failed|unable|not able) to authenticate|could not authenticate|(?:validating|verifying) (?:the )?token|(?:token|credentials?|password|api key) (?:\w+ )?is (?:not valid|invalid|expired)|(?:invalid|expired|missing|bad|no|wrong) (?:\w+ ){0,2}(?:token|credentials?|password|api key|secret key)|(?:token|credentials?|password|api key) (?:\w+ )?(?:expired|invalid|is missing|not found|required)",
    ),
    (
        Kind::PermissionDenied,
        r"permission denied|(?:replied|answered|returned|responded|got|gave|status)(?: with)?:? 403\b|not allowed to|(?:does not|doesn't|do not|don't) have (?:\w+ ){0,2}(?:access|permissions?|rights|privileges?)\b|(?:no|without) (?:write |read |push |admin )?(?:access|permission|rights) (?:to|on|for)|make sure (?:that )?you have (?:\w+ ){0,2}(?:access|permissions?|rights)\b|access(?: is| was)? denied|\bforbidden\b|\b403\b|not (?:authori[sz]ed|permitted) to|cannot be run (?:with sudo|as root)|must (?:not )?be run as root|operation not permitted|insufficient (?:permission|privilege|scope)|(?:lacks?|missing) (?:the )?permission",
    ),
    (
        Kind::PortInUse,
        r"address already in use|(?:cannot|could not|can't|unable to|failed to) (?:listen|bind)\b|port \d* ?(?:is )?(?:already )?in use",
    ),
    (
        Kind::ConnectionFailure,
        r"(?:did|does) not (?:answer|respond|reply)|no (?:answer|response|reply) from|(?:is|was|not) (?:un)?reachable|lost (?:the )?connection|connection to .{1,80} (?:refused|failed|lost|dropped|was closed)|hung up|connection (?:was )?(?:refused|reset|closed|aborted|timed out|failed|lost)|(?:could not|couldn't|cannot|can't|unable to|failed to) (?:connect|reach|resolve host)|no route to host|network is unreachable|name resolution|(?:host|server) (?:not found|unreachable)|broken pipe|socket hang up",
    ),
    (
        Kind::ServiceUnavailable,
        r"service unavailable|(?:replied|answered|returned|responded|got|gave|status)(?: with)?:? 50[0-4]\b|bad gateway|internal server error|overloaded|temporarily unavailable|\b50[023] (?:error|response|status)|(?:status|error|http)(?: code)?:? 50[023]\b",
    ),
    (
        Kind::LockContention,
        r"(?:could not|cannot|unable to|failed to) (?:get|acquire|obtain) (?:\w+ ){0,2}lock|is locked\b|\b(?:is|already|still) (?:held|claimed|reserved|owned) by\b|\bin use by\b|waiting for (?:the )?lock|resource busy|another .{1,60} is (?:already |currently )?(?:running|in progress)|currently locked by",
    ),
    (
        Kind::Timeout,
        r"\btime(?:d)?[ -]?out\b|deadline exceeded|took too long|(?:gave|giving) up after \d|not (?:ready|finished|done|complete|healthy|up) (?:after|within|in) \d",
    ),
    (
        Kind::VersionMismatch,
        r"(?:is )?(?:lower|older|newer|higher) than (?:the )?(?:\w+ )*(?:version|v?\d)|unsupported (?:\w+ ){0,3}version|does not support (?:\w+ ){0,2}(?:version )?v?\d|incompatible (?:\w+ )?version|invalid version|found \S+ but need|is not in the allowed range|version (?:mismatch|\S+ is (?:too|not supported|unsupported|required))|mismatch(?:ed|ing)? .{0,30}\bversions?\b|requires (?:at least |a newer )?(?:\w+ ){0,2}(?:version|>=|node|python|java|go|rust|php|ruby)\b.*\d|incompatible with .{0,60}(?:requirement|version)|but (?:the )?(?:installed|current|running|actual) (?:\w+ )?(?:version )?is v?\d|installed version is|not supported by this version|minimum (?:required )?version|\b(?:wants|needs|requires?|expects?) .{0,40}\bv?\d[\w.]* or (?:later|newer|higher|above|greater)|\bis too (?:old|new)\b|(?:upgrade|update) (?:\w+ )?to (?:at least |version )*v?\d",
    ),
    (
        Kind::DependencyConflict,
        r"(?:unmet|unresolvable|unsatisfied|unsatisfiable) (?:\w+ )?(?:dependenc|requirement|constraint)|(?:dependency|package) (?:conflict|resolution|tree)|dependencies (?:could not|cannot) be (?:resolved|satisfied)|could not solve|version conflict|conflicting (?:dependenc|requirement|version)|could ?(?:not|n't) (?:resolve|satisfy) (?:all )?(?:\w+ )?dependenc|no (?:matching|compatible) version|packages? .{0,60}(?:match versions? required|should be updated)|expected version:|(?:lock ?file|\.lock\b|lock\.json|lock\.yaml).*(?:out of (?:date|sync)|not up.to.date)",
    ),
    (
        Kind::MergeConflict,
        r"merge conflict|dirty (?:state|working)|uncommitted changes|working (?:tree|directory) .*(?:not clean|dirty)|non-fast-forward",
    ),
    (
        Kind::PolicyViolation,
        r"quality gate|policy (?:violation|check|failed)|violates? (?:the )?(?:\w+ )?polic|vulnerabilit(?:y|ies) (?:found|detected)|commit message|exceed(?:s|ed) (?:the )?(?:maximum |allowed )?(?:\w+ )?budget|budgets?\b.{0,40}exceeded",
    ),
    (
        Kind::CoverageThreshold,
        r"coverage .*(?:below|under|threshold|minimum|less than|lower than|too low)|\b(?:minimum|required|threshold|target): ?\d[\d.]*%.{0,20}\b(?:actual|current|found|got)\b",
    ),
    (
        Kind::InvalidConfig,
        r"(?:syntax|parse|parsing|yaml|toml|json|xml|decod\w+)[ -]?(?:syntax )?errors? .*(?:ya?ml|toml|json|config|manifest(?:\W|$)|settings)|(?:ya?ml|toml|json|config\w*|manifest|settings)\b.*(?:syntax|parse|parsing) error|malformed|(?:failed|unable|could not|cannot) (?:to )?(?:parse|decode|load) \S*\.(?:toml|ya?ml|json|ini|cfg|xml)\b|non-?existent (?:parameter|service|argument|option|key|setting|environment)|no (?:\w+ ){0,2}(?:key|secret|token) has been (?:specified|set|configured)|mapping values are not allowed|did not find expected|found duplicate key|could not find expected ':'|should be (?:an? )?(?:number|string|integer|boolean|array|object|list|map)\b|do(?:es)?(?: not|n't) match (?:its|their|the|any of the) (?:json )?schema|(?:schema|jsonschema|validat\w+)\b.{0,200}?(?:expected|but got|does not (?:validate|match|conform))|(?:fails?|failed|invalid against) (?:the )?schema|detached (?:git )?head|template (?:format|validation) error|config(?:uration)? (?:file )?(?:error|is invalid|invalid)|(?:invalid|bad|broken) config",
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
        r"\b(?:module|package|library|crate|gem|import|plugin|extension|class|namespace|component|provider)s?\b [^.]{0,60}?\b(?:not|n't|never) (?:be )?(?:found|resolved|available|exist|loaded)|(?:cannot|could not|unable to|failed to) (?:find|resolve|load|import) (?:the )?(?:\w+ )?(?:module|package|library|crate|gem|plugin|extension|class|component)|no module named|is needed by\b|(?:unknown|missing|unbound|unresolved|no such) (?:\w+ )?(?:module|package|library|import|plugin|extension)|there is no package|failed build dependencies|failed to resolve\b|(?:cannot|could not|unable to) resolve\b",
    ),
    (
        Kind::MissingFile,
        r"no such file|\berrno 2\b|\S/\S+:? (?:cannot|could not|can't) be (?:opened|read|found)|unable to find file|(?:file|directory|folder|path|script|template|header|fixture)s?\b.{0,120}?\b(?:not found|does ?(?:not|n't) exist|do not exist|is missing|cannot be found|could not be (?:found|opened|read))|(?:cannot|could not|couldn't|unable to|failed to) (?:find|open|read|locate|stat|access) [^ ]*(?:[/\\]|file|directory|\.\w{1,5}\b)|\.\w{1,5}\S{0,3} (?:not found|does not exist|is missing|is gone|is absent|is not there|is not present)|(?:file|directory|folder|script|template|fixture|snapshot|asset)s?\b.{0,80}?\b(?:is gone|is absent|is not there|is not present|(?:was|were) (?:not|never) (?:created|generated|written))",
    ),
    (
        Kind::UndefinedValue,
        r"\b(?:column|table|relation|view|index|schema)\b.{0,80}?(?:does ?(?:not|n't) exist|not found|unknown)|unknown (?:column|table)",
    ),
    (Kind::MissingFile, r"[\w-]+(?:/[\w.-]+)*\.[a-z]{1,5}\b.{0,80}?(?:not found|does ?(?:not|n't) exist|is missing)"),
    (
        Kind::MissingResource,
        r"\b404\b|\b(?:project|repository|repo|branch|tag|artifact|image|release|resource|bucket|user|environment|parameter|registry|remote|revision|stack|identity|profile|account|cluster|region|secret)\b.{0,120}?\b(?:not found|does ?(?:not|n't) exist|could not be found|unknown)|(?:could not|cannot|unable to) (?:find|locate) |error downloading|\bno \w+(?: \w+)? (?:was |were )?found (?:matching|for|with)\b",
    ),
    (
        Kind::LinkError,
        r"(?:will not|does not|doesn't) fit in region|region .{1,40} overflowed|undefined (?:reference|symbol)|linker (?:failed|error|command)",
    ),
    (
        Kind::CompileError,
        r"\b(?:is|are|was|already) (?:defined|declared) (?:twice|more than once|multiple times)|redefin(?:ed|ition)|\balready (?:defined|declared)\b|duplicate (?:definition|declaration|symbol|identifier|message|type)|unterminated|no (?:member|field|method|function|property) (?:named|called)|unresolved (?:identifier|name|reference|symbol)|syntax error|parse error|parsing error|type (?:mismatch|error)\b|naming error|undeclared|is unbound|unbound (?:value|variable|constructor)|unexpected (?:token|end|character|identifier|indent)|failed to compile|compil(?:e|ation|ing) .*fail|compilation (?:error|failed)|unknown (?:tag|identifier|type|function|shortcode|directive)|not in scope|(?:nobody|never|nowhere|was not|is not) (?:declared|defined)|refers? to .{1,60}(?:unknown|undefined|undeclared|missing|not exist)|broken .*syntax|cannot query field|mismatched types|conflicting (?:values|types|definitions)|does ?(?:not|n't) match (?:the )?(?:type|annotation|signature)",
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
        r"\benv\b.{0,60}\bis not\b|(?:missing|required|unknown|invalid|unrecogni[sz]ed|unsupported|unexpected|duplicate|undeclared) (?:required )?(?:[\w-]+ ){0,2}(?:config\w*|settings?|options?|arguments?|parameters?|flags?|variables?|keys?|property|properties|fields?|values?|attributes?|inputs?|directives?|sections?|schema|manifest)\b|\bis (?:required|not (?:set|configured))|(?:is|are) (?:not valid|invalid)|validation (?:error|failed)",
    ),
    (
        Kind::Crash,
        r"\bexit (?:status|code)\W{0,3}13[4-9]\b|signal (?:9|11|6)\b|\bsig(?:kill|segv|abrt|bus)\b|segmentation fault|core dumped|illegal instruction|bus error",
    ),
    (Kind::Cancelled, r"\bcancel(?:l)?ed\b|\binterrupted\b"),
    (
        Kind::SnapshotMismatch,
        r"\bpixels? (?:off|differ|mismatch)|found [1-9]\d* visual changes?\b|(?:images?|screenshots?|renderings?|snapshots?|golden files?)\b.{0,60}\b(?:differs?|mismatch|changed|does not match|do not match)",
    ),
    (
        Kind::Assertion,
        r"\b(?:wanted|expected)\b.{1,120}[,;:] ?(?:but )?(?:saw|got|found|was|had|received)\b|\bassert(?:ion)?s?\b.*fail|\bassertion error|tests? failed|failing tests?",
    ),
    (
        Kind::UnhandledException,
        r"^error in \S.*? ?: |^uncaught \w|unhandled (?:exception|rejection|error)|^[a-z]\w*(?:::[a-z]\w*)+: ",
    ),
    // What was generated is not what was committed.
    (Kind::PolicyViolation, r"^diff --git a/"),
];

/// Phrases that mean something only where none of the others stands near: many tools wrap what happened in them.
const FAINT: &[(Kind, &str)] = &[
    (Kind::MissingResource, r"(?:could not|cannot|unable to|failed to) (?:fetch|download|pull|get|retrieve) "),
    // What was generated is not what was committed.
    (Kind::PolicyViolation, r"need(?:s)? (?:to be )?(?:regenerated|updated|re-?run)|is (?:stale|outdated|out.of.date)"),
    (
        Kind::Assertion,
        r"\bexpected\b.{1,120}\b(?:but )?(?:got|was|found|received|actual|is)\b|\bdiffers? from\b|\b(?:mismatch|does not match)\b",
    ),
    (Kind::LintViolation, r"\b[1-9]\d* (?:\w+ ){0,3}issues?\b|warnings occurred|^[1-9]\d* errors?$"),
    (Kind::MissingFile, r"(?:failed|error|unable) (?:to )?(?:load|loading|open|opening|read|reading) "),
    (
        Kind::InvalidConfig,
        r"\b(?:invalid|unknown|unsupported|unrecogni[sz]ed|unexpected|undefined)\b|\bnot allowed\b|\bno \w+ named\b",
    ),
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
    let named = || match kind {
        Kind::InvalidConfig => variable(text),
        Kind::MissingFile => path(text),
        Kind::ConnectionFailure | Kind::ServiceUnavailable | Kind::Timeout => host(text),
        _ => None,
    };
    Some((kind, quoted(text).or_else(named)))
}

/// The words of a line without what encloses them and ends their sentence.
fn bare_words(text: &str) -> impl Iterator<Item = &str> {
    let edge =
        |character: char| matches!(character, ',' | '.' | ':' | ';' | '(' | ')' | '[' | ']' | '<' | '>' | '"' | '\'');
    text.split_whitespace().map(move |word| word.trim_matches(edge))
}

/// The only path of a line, unless it says where rather than what.
fn path(text: &str) -> Option<String> {
    let is_path =
        |word: &&str| word.contains('/') && word.len() > 3 && word.bytes().any(|byte| byte.is_ascii_alphabetic());
    let mut paths = bare_words(text).filter(is_path);
    let found = paths.next().filter(|_| paths.next().is_none())?;
    let before = text.split_once(found)?.0.trim_end();
    let places = !text.split_once(found)?.1.starts_with(':') && !before.is_empty();
    let place = ["in", "at", "from", "file", "under", "of"].iter().any(|word| before.ends_with(&format!(" {word}")));
    (places && !place && found.len() <= 200).then(|| found.to_owned())
}

/// The first word that is written as the name of a host.
fn host(text: &str) -> Option<String> {
    let is_host = |word: &&str| {
        let name = word.split_once("://").map_or(*word, |(_, rest)| rest).split(['/', ':']).next().unwrap_or("");
        let labels: Vec<&str> = name.split('.').collect();
        let last = labels.last().copied().unwrap_or("");
        labels.len() >= 2
            && last.len() >= 2
            && last.bytes().all(|byte| byte.is_ascii_lowercase())
            && (labels.len() >= 3 || word.contains("://"))
            && labels.iter().all(|label| {
                !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            })
    };
    bare_words(text).find(is_host).filter(|word| word.len() <= 120).map(str::to_owned)
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
        check("3 high severity vulnerabilities", Kind::PolicyViolation, None);
        check("frob: could not open 'cfg/main.frob'", Kind::MissingFile, Some("cfg/main.frob"));
        check("Error: plugin `shiny` was not found", Kind::MissingModule, Some("shiny"));
        check("error: Missing required configuration variable 'site:domain'", Kind::InvalidConfig, Some("site:domain"));
        check("Timeout waiting for SSH.", Kind::Timeout, None);
        check("Error: Project not found", Kind::MissingResource, None);
        check("frob 1.2 is older than the required version 2.0", Kind::VersionMismatch, None);
        check("src/a.frob:3: variable 'Stat' is unbound", Kind::CompileError, Some("Stat"));
        check("the state is locked by ann", Kind::LockContention, None);
        check("release failed: git is in a dirty state", Kind::MergeConflict, None);
        check("[E] block references asset img/pier.svg which was not found", Kind::MissingFile, Some("img/pier.svg"));
        check("error: the rulebook does not contain recipe `relase`", Kind::InvalidConfig, Some("relase"));
        check("  31:18  error    invalid-ref   '#/a' is gone", Kind::LintViolation, Some("#/a"));
        check("error: could not solve for the given specs", Kind::DependencyConflict, None);
        check("column \"custmer\" does not exist", Kind::UndefinedValue, Some("custmer"));
        check(
            "services.db: required variable DB_PASSWORD is missing a value",
            Kind::InvalidConfig,
            Some("DB_PASSWORD"),
        );
        check("rule size ... violated: 2112 changed lines, the limit is 800", Kind::PolicyViolation, None);
        check("frob: page port: template port.tpl is gone", Kind::MissingFile, None);
        check("frob: no storage left (50 GiB of 50 GiB used)", Kind::QuotaExceeded, None);
        check("frob: environment staging is held by ann", Kind::LockContention, None);
        check("a.frob:12:3: mapping values are not allowed here", Kind::InvalidConfig, None);
        check("this project wants frob 2.0 or later", Kind::VersionMismatch, None);
        check("feed 3: feeds.acme.test did not answer in 30 s", Kind::ConnectionFailure, Some("feeds.acme.test"));
        check("a.idl:4: message Berth is defined twice", Kind::CompileError, None);
        check("E: frob: missing-copyright-file", Kind::LintViolation, None);
        check("Missing input files for rule clean", Kind::MissingFile, None);
        check("process died with exit status (137)", Kind::Crash, None);
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
