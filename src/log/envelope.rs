//! What CI systems and terminals put around the text of a tool: color codes, timestamps, prefixes.

use std::borrow::Cow;

/// The longest name that is taken for a prefix.
const MAX_PREFIX: usize = 60;

/// The longest name of a job or step that is looked for.
const MAX_COLUMN: usize = 400;

/// What a log has shown of its own frame so far.
///
/// `gh run view --log` puts job, step and stamp in front of each line, parted by tabs. The later lines of a message
/// have no stamp, so that only what was seen before tells the two columns from text.
#[derive(Debug, Default)]
pub(crate) struct Frame {
    job: String,
    step: String,
    /// The branches that Jenkins runs side by side, each in brackets and a space behind.
    branches: Vec<String>,
}

/// How many branches of one job are known.
const MAX_BRANCHES: usize = 100;

impl Frame {
    /// The step that begins with this raw line, where its columns name another one than the line before.
    pub(crate) fn step(&mut self, raw: &[u8]) -> Option<&str> {
        let (job, step) = columns(raw)?;
        if self.job == job && self.step == step {
            return None;
        }
        job.clone_into(&mut self.job);
        step.clone_into(&mut self.step);
        Some(&self.step)
    }

    /// From now on, lines of this branch of a job of Jenkins have its name in brackets in front.
    pub(crate) fn branch(&mut self, name: &str) {
        let prefix = format!("[{name}] ");
        if self.branches.len() < MAX_BRANCHES && !self.branches.contains(&prefix) {
            self.branches.push(prefix);
        }
    }

    /// A text without all that was put in front of it.
    fn bare<'t>(&self, text: &'t str) -> &'t str {
        let text = strip_prefixes(text);
        // Branches nest.
        let mut rest = text;
        while let Some(next) = self.branches.iter().find_map(|prefix| rest.strip_prefix(prefix.as_str())) {
            rest = next;
        }
        if rest.len() < text.len() { strip_prefixes(rest) } else { text }
    }

    /// The text behind the columns of a line without a stamp.
    fn unstamped<'t>(&self, text: &'t str) -> Option<&'t str> {
        if self.job.is_empty() {
            return None;
        }
        let rest = text.strip_prefix('\u{feff}').unwrap_or(text).strip_prefix(self.job.as_str())?;
        rest.strip_prefix('\t')?.strip_prefix(self.step.as_str())?.strip_prefix('\t')
    }
}

/// Job and step of a stamped line of `gh run view --log`.
fn columns(raw: &[u8]) -> Option<(&str, &str)> {
    let first = memchr::memchr(b'\t', &raw[..raw.len().min(MAX_COLUMN)])?;
    let rest = &raw[first + 1..];
    let second = memchr::memchr(b'\t', &rest[..rest.len().min(MAX_COLUMN)])?;
    let stamp = &rest[second + 1..];
    let stamp = stamp.strip_prefix("\u{feff}".as_bytes()).unwrap_or(stamp);
    if !shaped(stamp, b"dddd-dd-ddTdd:dd:dd.") {
        return None;
    }
    let job = raw[..first].strip_prefix("\u{feff}".as_bytes()).unwrap_or(&raw[..first]);
    Some((std::str::from_utf8(job).ok()?, std::str::from_utf8(&rest[..second]).ok()?))
}

/// The clean text of one raw line: without color codes and the envelope of CI systems.
pub(crate) struct Clean<'a> {
    text: Cow<'a, str>,
    frame: &'a Frame,
}

impl Clean<'_> {
    /// Shows the texts of the line: one, unless carriage returns part it. Never empty parts, except a line that is
    /// empty.
    ///
    /// A lone carriage return does not end a line, but what stands before and behind it was shown apart: progress bars
    /// overwrite it. Each part is a text of its own.
    pub(crate) fn each(&self, mut show: impl FnMut(&str)) {
        let text = self.frame.unstamped(&self.text).unwrap_or(&self.text);
        let text = text.trim_end_matches('\r');
        if memchr::memchr(b'\r', text.as_bytes()).is_none() {
            return show(self.frame.bare(text).trim_end());
        }
        let mut any = false;
        for part in text.split('\r').map(|part| self.frame.bare(part).trim_end()).filter(|part| !part.is_empty()) {
            any = true;
            show(part);
        }
        if !any {
            show("");
        }
    }

    /// The texts of the line.
    pub(crate) fn texts(&self) -> Vec<String> {
        let mut texts = Vec::new();
        self.each(|text| texts.push(text.to_owned()));
        texts
    }
}

/// Removes color codes and the envelope of CI systems from a raw line.
pub(crate) fn clean<'a>(raw: &'a [u8], frame: &'a Frame) -> Clean<'a> {
    Clean { text: strip_escapes(raw), frame }
}

/// How many bytes of a raw line are the envelope of a CI system; 0 where that is not plain to see.
pub(crate) fn prefix_length(raw: &[u8]) -> usize {
    let raw = raw.trim_ascii_end();
    let head = &raw[..raw.len().min(2 * MAX_COLUMN)];
    let whole = std::str::from_utf8(head).map_or_else(|error| error.valid_up_to(), str::len);
    let text = std::str::from_utf8(&head[..whole]).unwrap_or_default();
    // The rest is what is left at the end, so that its length tells that of the envelope.
    text.len() - strip_prefixes(text).len()
}

/// Bytes as text; what is no UTF-8 is replaced.
pub(crate) fn lossy(raw: &[u8]) -> Cow<'_, str> {
    // What is valid, as nearly all is, is checked in large steps only here.
    std::str::from_utf8(raw).map_or_else(|_| String::from_utf8_lossy(raw), Cow::Borrowed)
}

/// Text without terminal escapes; invalid UTF-8 is replaced.
///
/// Beside `CSI … letter` there are `OSC … BEL`, the `ESC _ … BEL` of Buildkite, and two-byte escapes such as
/// `ESC ( B` (ECMA-48, and xterm's control sequences).
pub(crate) fn strip_escapes(raw: &[u8]) -> Cow<'_, str> {
    let Some(first) = memchr::memchr(0x1b, raw) else {
        return lossy(raw);
    };
    let mut out = Vec::with_capacity(raw.len());
    out.extend_from_slice(&raw[..first]);
    let mut pos = first;
    while pos < raw.len() {
        if raw[pos] != 0x1b {
            let end = memchr::memchr(0x1b, &raw[pos..]).map_or(raw.len(), |next| pos + next);
            out.extend_from_slice(&raw[pos..end]);
            pos = end;
            continue;
        }
        pos = escape_end(raw, pos);
    }
    Cow::Owned(match String::from_utf8(out) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    })
}

/// The offset behind the escape sequence that begins at `start`.
fn escape_end(raw: &[u8], start: usize) -> usize {
    let rest = &raw[start + 1..];
    let length = match rest.first() {
        None => 0,
        Some(b'[') => match rest[1..].iter().position(|byte| (0x40..=0x7e).contains(byte)) {
            Some(end) => end + 2,
            None => rest.len(),
        },
        Some(b']' | b'_' | b'P' | b'^') => {
            match rest.iter().position(|byte| *byte == 0x07 || *byte == 0x1b) {
                Some(end) if rest[end] == 0x07 => end + 1,
                // ESC \ ends it too.
                Some(end) => (end + 2).min(rest.len()),
                None => rest.len(),
            }
        }
        Some(b'(' | b')' | b'#' | b'%' | b' ') => 2.min(rest.len()),
        Some(_) => 1,
    };
    start + 1 + length
}

/// Removes what CI systems and wrappers put in front of a line. Prefixes nest, so this goes on while one is found.
fn strip_prefixes(text: &str) -> &str {
    let mut text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for _ in 0..6 {
        let Some(rest) = strip_one(text) else { break };
        text = rest;
    }
    text
}

pub(super) fn strip_one(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    match bytes.first()? {
        b' ' => strip_task(text).or_else(|| strip_target(text)),
        b'+' => strip_target(text),
        b'\t' => None,
        b'0'..=b'9' => strip_stamp(text).or_else(|| strip_clock(text)).or_else(|| strip_seconds(text)),
        b'[' => strip_bracket(text),
        // Bazel: `(01:05:50) `.
        b'(' if shaped(bytes, b"(dd:dd:dd) ") => Some(&text[11..]),
        b'#' => strip_hash(text),
        b':' => {
            // The workflow command of GitHub Actions, as other runners print it.
            let rest = text.strip_prefix("::error")?;
            if !rest.starts_with([':', ' ']) {
                return None;
            }
            rest.split_once("::").map(|(_, message)| message)
        }
        b'S' => strip_cloud_build(text),
        // What a hosting platform prints while it builds what was pushed.
        b'r' if text.starts_with("remote:        ") => Some(text["remote:".len()..].trim_start()),
        b'J' | b'F' | b'M' | b'A' | b'O' | b'N' | b'D' if is_syslog(bytes) => strip_syslog(text),
        b'@' => strip_scoped(text),
        _ => strip_columns(text).or_else(|| strip_package(text)),
    }
}

/// Whether bytes begin with a shape in which `d` stands for a digit and all else for itself.
fn shaped(bytes: &[u8], shape: &[u8]) -> bool {
    bytes.len() >= shape.len()
        && shape.iter().zip(bytes).all(|(want, have)| match want {
            b'd' => have.is_ascii_digit(),
            _ => want == have,
        })
}

/// The offset behind a fraction of a second that begins at `at`.
fn fraction(bytes: &[u8], at: usize) -> usize {
    if !matches!(bytes.get(at), Some(b'.' | b',')) || !bytes.get(at + 1).is_some_and(u8::is_ascii_digit) {
        return at;
    }
    at + 1 + bytes[at + 1..].iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// `2026-11-21T00:05:46.5941140Z `, also without a fraction, with an offset, with a space in the place of `T`, and
/// GitLab's `… 01O ` and `… 00E+` behind it.
fn strip_stamp(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    // The second is what Go's logger writes.
    let spaced = shaped(bytes, b"dddd-dd-dd dd:dd:dd") || shaped(bytes, b"dddd/dd/dd dd:dd:dd");
    if !spaced && !shaped(bytes, b"dddd-dd-ddTdd:dd:dd") {
        return None;
    }
    let mut end = fraction(bytes, 19);
    let zone = &bytes[end..];
    let offset = |shape: &[u8]| matches!(zone.first(), Some(b'+' | b'-')) && shaped(&zone[1..], shape);
    if zone.first() == Some(&b'Z') {
        end += 1;
    } else if offset(b"dd:dd") {
        end += 6;
    } else if offset(b"dddd") {
        end += 5;
    } else if !spaced {
        return None;
    }
    let rest = &text[end..];
    let gitlab = rest.as_bytes();
    if gitlab.len() >= 5
        && gitlab[0] == b' '
        && gitlab[1].is_ascii_hexdigit()
        && gitlab[2].is_ascii_hexdigit()
        && matches!(gitlab[3], b'O' | b'E')
        && matches!(gitlab[4], b' ' | b'+')
    {
        return Some(&rest[5..]);
    }
    match gitlab.first() {
        None => Some(rest),
        Some(b' ' | b'\t') => Some(&rest[1..]),
        Some(b']') => Some(rest),
        Some(_) => None,
    }
}

/// `01:05:50 `, as Jenkins' timestamper and Netlify (`1:05:50 PM: `) print it.
fn strip_clock(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    let length = if shaped(bytes, b"dd:dd:dd") {
        8
    } else if shaped(bytes, b"d:dd:dd") {
        7
    } else {
        return None;
    };
    let rest = &text[fraction(bytes, length)..];
    let day_half = rest.strip_prefix(" AM: ").or_else(|| rest.strip_prefix(" PM: "));
    if length == 7 {
        return day_half;
    }
    day_half.or_else(|| rest.strip_prefix("  ")).or_else(|| rest.strip_prefix([' ', '\t']))
}

/// `12.345 `, the seconds that BuildKit prints when it repeats the end of a failed step.
fn strip_seconds(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    let whole = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    // BuildKit writes four digits in all, but three behind the point of less than ten seconds.
    let shape: &[u8] = match whole {
        0 => return None,
        2 if shaped(&bytes[whole..], b".dd ") => b".dd ",
        3 if shaped(&bytes[whole..], b".d ") => b".d ",
        1..=4 => b".ddd ",
        _ => return None,
    };
    if !shaped(&bytes[whole..], shape) {
        return None;
    }
    Some(&text[whole + shape.len()..])
}

/// `    [javac] `, which Ant puts before what a program prints that a task runs. The reader of its tests wants `[junit]`.
fn strip_task(text: &str) -> Option<&str> {
    const PROGRAMS: &[&str] = &["apply", "cc", "exec", "groovyc", "java", "javac", "kotlinc", "scalac"];
    let (name, rest) = text.trim_start_matches(' ').strip_prefix('[')?.split_once("] ")?;
    PROGRAMS.contains(&name).then_some(rest)
}

fn strip_bracket(text: &str) -> Option<&str> {
    let inner = &text[1..];
    // Jenkins' timestamper: `[2026-11-21T01:05:50.172Z] `.
    if let Some(rest) = strip_stamp(inner) {
        return rest.strip_prefix(']').map(|rest| rest.strip_prefix(' ').unwrap_or(rest));
    }
    let bytes = inner.as_bytes();
    // `[01:05:50] `; TeamCity goes on with a level, a tab and `[Step 1/2] `.
    if shaped(bytes, b"dd:dd:dd") {
        let rest = inner[fraction(bytes, 8)..].strip_prefix(']')?;
        if let Some((level, message)) = rest.split_once(":\t")
            && level.len() <= 1
        {
            return Some(message.trim_start());
        }
        // Fastlane adds a colon.
        return rest.strip_prefix(": ").or_else(|| rest.strip_prefix(' '));
    }
    let (name, rest) = inner.split_once("] ")?;
    if name.len() > MAX_PREFIX {
        return None;
    }
    // AWS CodeBuild: `[Container] 2026/11/21 01:05:50.123456 `.
    if name == "Container" && shaped(rest.as_bytes(), b"dddd/dd/dd dd:dd:dd") {
        let rest = &rest[fraction(rest.as_bytes(), 19)..];
        return Some(rest.strip_prefix(' ').unwrap_or(rest));
    }
    // TeamCity: `[Step 1/2] `.
    if let Some(step) = name.strip_prefix("Step ")
        && step.bytes().all(|byte| byte.is_ascii_digit() || byte == b'/')
    {
        return Some(rest);
    }
    // The phases of EAS Build.
    if ["RUN_", "INSTALL_", "PREBUILD", "CONFIGURE_", "PREPARE_"].iter().any(|phase| name.starts_with(phase))
        && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
    {
        return Some(rest);
    }
    // Tekton: `[task : step] `.
    let word = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if let Some((task, step)) = name.split_once(" : ") {
        return (word(task) && word(step)).then_some(rest);
    }
    // concurrently and nx: `[0] `, `[web] `, `[npm:lint] `. Other words in brackets are a tool's own.
    let number = name.len() <= 2 && name.bytes().all(|byte| byte.is_ascii_digit());
    let script = name.starts_with("npm:") || name.starts_with("yarn:") || name.starts_with("pnpm:");
    (number || script || PROCESSES.contains(&name)).then_some(rest)
}

/// Names that people give to the processes of concurrently.
const PROCESSES: &[&str] = &[
    "api", "app", "backend", "client", "db", "dev", "e2e", "frontend", "lint", "server", "test", "tests", "tsc",
    "types", "ui", "unit", "web", "worker",
];

/// Names of scripts that monorepo runners put in front of what the script prints.
const SCRIPTS: &[&str] = &[
    "build",
    "check",
    "check-types",
    "ci",
    "codegen",
    "compile",
    "coverage",
    "dev",
    "e2e",
    "format",
    "generate",
    "install",
    "lint",
    "postinstall",
    "prebuild",
    "prepare",
    "preinstall",
    "pretest",
    "start",
    "test",
    "tsc",
    "type-check",
    "typecheck",
    "types",
    "unit",
    "validate",
];

fn is_script(name: &str) -> bool {
    let base = name.split(':').next().unwrap_or(name);
    SCRIPTS.contains(&base) && name.len() <= MAX_PREFIX
}

/// Whether all bytes may stand in the name or folder of a package.
fn is_package(name: &str) -> bool {
    !name.is_empty() && name.len() <= MAX_PREFIX && name.bytes().all(of_package)
}

fn of_package(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/' | b'@')
}

/// `##[error]` of GitHub Actions and Azure, `#12 0.345 ` of BuildKit.
fn strip_hash(text: &str) -> Option<&str> {
    if let Some(rest) = text.strip_prefix("##[error]") {
        return Some(rest);
    }
    let bytes = &text.as_bytes()[1..];
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if !(1..=4).contains(&digits) || bytes.get(digits) != Some(&b' ') {
        return None;
    }
    let rest = &text[digits + 2..];
    let whole = rest.bytes().take_while(u8::is_ascii_digit).count();
    let end = fraction(rest.as_bytes(), whole);
    if whole == 0 || end == whole {
        return None;
    }
    match rest.as_bytes().get(end) {
        None => Some(&rest[end..]),
        Some(b' ') => Some(&rest[end + 1..]),
        Some(_) => None,
    }
}

/// Google Cloud Build: `Step #0 - "build": `.
fn strip_cloud_build(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("Step #")?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let rest = &rest[digits..];
    if digits == 0 {
        return None;
    }
    if let Some(rest) = rest.strip_prefix(": ") {
        return Some(rest);
    }
    let (name, rest) = rest.strip_prefix(" - \"")?.split_once("\": ")?;
    (name.len() <= MAX_PREFIX).then_some(rest)
}

/// Whether a line begins with the stamp of syslog and the journal, `Nov 21 01:05:50 `.
fn is_syslog(bytes: &[u8]) -> bool {
    const MONTHS: [&[u8]; 12] =
        [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
    bytes.len() > 16
        && MONTHS.contains(&&bytes[..3])
        && (shaped(&bytes[3..], b" dd dd:dd:dd ") || shaped(&bytes[3..], b"  d dd:dd:dd "))
}

/// `Nov 21 01:05:50 host program[123]: `.
fn strip_syslog(text: &str) -> Option<&str> {
    let rest = text.get(16..)?;
    let (_host, rest) = rest.split_once(' ')?;
    let (program, rest) = rest.split_once(": ")?;
    (program.len() <= MAX_PREFIX && !program.contains(' ')).then_some(rest)
}

/// A scoped package in front, as lerna, turbo and pnpm print it: `@acme/web: `, `@acme/web:build: `,
/// `@acme/web build: `.
pub(super) fn strip_scoped(text: &str) -> Option<&str> {
    let (name, rest) = text.split_once(": ")?;
    if name.len() > 2 * MAX_PREFIX {
        return None;
    }
    let (package, script) = match name.split_once([':', ' ']) {
        Some((package, script)) => (package, Some(script)),
        None => (name, None),
    };
    let scoped = is_package(package) && package.matches('/').count() == 1 && package.matches('@').count() == 1;
    (scoped && script.is_none_or(is_script)).then_some(rest)
}

/// `gh run view --log`: job, step and stamp, parted by tabs.
fn strip_columns(text: &str) -> Option<&str> {
    let head = text.get(..MAX_COLUMN).unwrap_or(text);
    memchr::memchr(b'\t', head.as_bytes())?;
    let mut parts = text.splitn(3, '\t');
    let (_job, _step, rest) = (parts.next()?, parts.next()?, parts.next()?);
    strip_stamp(rest.strip_prefix('\u{feff}').unwrap_or(rest))
}

/// Earthly: `   +build | `, aligned to the right.
fn strip_target(text: &str) -> Option<&str> {
    let (name, output) = text.trim_start_matches(' ').strip_prefix('+')?.split_once(" | ")?;
    is_package(name).then_some(output)
}

/// The name of a package, service or container in front of what it prints.
pub(super) fn strip_package(text: &str) -> Option<&str> {
    // All such names begin as packages do.
    if !text.as_bytes().first().is_some_and(|byte| of_package(*byte)) {
        return None;
    }
    let head = text.as_bytes();
    let end = memchr::memchr2(b' ', b'|', &head[..head.len().min(2 * MAX_PREFIX)])?;
    let (name, rest) = text.split_at(end);
    // docker compose: `web-1  | `, `acme_web_1 | `.
    if let Some(output) = rest.trim_start_matches(' ').strip_prefix('|') {
        let (service, number) = name.rsplit_once(['-', '_'])?;
        let numbered = !number.is_empty() && number.len() <= 3 && number.bytes().all(|byte| byte.is_ascii_digit());
        return (is_package(service) && numbered).then(|| output.strip_prefix(' ').unwrap_or(output));
    }
    let rest = &rest[1..];
    // turbo: `web:build: `.
    if let Some(name) = name.strip_suffix(':') {
        let (package, script) = name.split_once(':')?;
        return (is_package(package) && !package.contains('.') && is_script(script)).then_some(rest);
    }
    // pnpm, over several packages: `packages/web test: `, and `packages/web test$ ` for the command itself.
    if !is_package(name) || !(name == "." || name.contains('/')) {
        return None;
    }
    let (script, output) = rest.split_once(' ')?;
    if let Some(script) = script.strip_suffix(':') {
        return is_script(script).then_some(output);
    }
    let script = script.strip_suffix('$')?;
    is_script(script).then(|| &rest[script.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(clean: &Clean<'_>) -> Vec<String> {
        let mut texts = Vec::new();
        clean.each(|text| texts.push(text.to_owned()));
        texts
    }

    #[track_caller]
    fn check(raw: &[u8], expected: &[&str]) {
        let frame = Frame::default();
        assert_eq!(texts(&clean(raw, &frame)), expected);
    }

    #[test]
    fn colors_and_other_escapes_vanish() {
        check(b"\x1b[1;31merror\x1b[0m: x", &["error: x"]);
        check(b"\x1b_bk;t=1795223038661\x07$ make\r", &["$ make"]);
        check(b"\x1b(B\x1b[mmypy", &["mypy"]);
        check(b"\x1b]0;title\x07text", &["text"]);
        check(b"cut\x1b[3", &["cut"]);
        check(b"cut\x1b", &["cut"]);
    }

    #[test]
    fn stamps_vanish() {
        check(b"2026-11-21T00:05:47.0815691Z > next build", &["> next build"]);
        check(b"2026-11-21T00:05:47+01:00 + make", &["+ make"]);
        check(b"[2026-11-21T01:05:50.172Z] + make", &["+ make"]);
        check(b"2026-11-21T00:05:47.081569Z 01O npm error", &["npm error"]);
        check(b"2026-11-21T00:05:47.081569Z 00E+cut in two", &["cut in two"]);
        check(b"2026-11-21 01:03:38,122 INFO migrate: starting", &["INFO migrate: starting"]);
        check(b"2026-11-21 plain", &["2026-11-21 plain"]);
        check(b"2026-11-21T00:05:47.081569Z 01O ", &[""]);
        check(b"01:05:50 + make", &["+ make"]);
        check(b"[01:05:50] Starting", &["Starting"]);
        check(b"1:05:50 PM: npm error", &["npm error"]);
        check(b"1:05:50 npm error", &["1:05:50 npm error"]);
        check(b"[01:05:50]W:\t [Step 1/2] boom", &["boom"]);
        check(b"[Container] 2026/11/21 01:05:50.123456 Running command npm test", &["Running command npm test"]);
        check(b"Nov 21 01:05:50 host app[12]: boom", &["boom"]);
        check(b"Nov 21 was a good day: it rained", &["Nov 21 was a good day: it rained"]);
    }

    #[test]
    fn columns_of_github_vanish() {
        let line = "\u{feff}job\tRun make\t2026-11-21T00:05:47.0815691Z make: x";
        check(line.as_bytes(), &["make: x"]);
        check(b"2026-11-21T00:05:47.0815691Z ##[error]boom", &["boom"]);
        let mut frame = Frame::default();
        assert_eq!(frame.step(line.as_bytes()), Some("Run make"));
        assert_eq!(frame.step(line.as_bytes()), None);
        assert_eq!(texts(&clean(b"job\tRun make\tsecond line", &frame)), ["second line"]);
    }

    #[test]
    fn prefixes_of_wrappers_vanish() {
        check(b"#12 0.345 npm error", &["npm error"]);
        check(b"#12 ERROR: boom", &["#12 ERROR: boom"]);
        check(b"12.345 npm error", &["npm error"]);
        check(b"12.31 npm error", &["npm error"]);
        check(b"120.4 npm error", &["npm error"]);
        check(b"12.3 percent", &["12.3 percent"]);
        check(b"web-1  | Error: x", &["Error: x"]);
        check(b"acme_web_1 | Error: x", &["Error: x"]);
        check(b"web:build: Error: x", &["Error: x"]);
        check(b"@acme/web:build: Error: x", &["Error: x"]);
        check(b"packages/web test: Error: x", &["Error: x"]);
        check(b"packages/web test$ jest --ci", &["$ jest --ci"]);
        check(b"[web] Error: x", &["Error: x"]);
        check(b"[build : run-tests] Error: x", &["Error: x"]);
        check(b"Step #1 - \"test\": Error: x", &["Error: x"]);
        check(b"::error file=a.js,line=1::boom", &["boom"]);
    }

    #[test]
    fn what_only_resembles_a_prefix_stays() {
        for text in [
            "[ERROR] Tests run: 3",
            "[INFO] BUILD SUCCESS",
            "[Pipeline] sh",
            "[error] a",
            "9 | let x = 1;",
            "src/main.c:9:19: error: x",
            "src/a.js | 3 ++-",
            "#12 of 20",
            "Step #x: y",
            "main.go:3: error: x",
            "[vite] x",
        ] {
            check(text.as_bytes(), &[text]);
        }
    }

    #[test]
    fn a_lone_carriage_return_parts_the_text() {
        check(b"section_start:1:x\r\x1b[0KHello", &["section_start:1:x", "Hello"]);
        check(b"  10%\r  20%\r\n", &["  10%", "  20%"]);
        check(b"\r", &[""]);
    }
}
