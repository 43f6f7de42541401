//! Regular expressions, compiled for logs.
//!
//! Most expressions of a run of whyred are asked once or twice, about one short line each: to compile them is dearer than
//! all the rest of a small analysis. So three things are otherwise than usual:
//!
//! - What tools print is ASCII in all that matters. `\d`, `\s` and `\b` are those of ASCII, and `\w` is a letter, a digit
//!   or `_` of ASCII, or a character of the scripts beyond it. Classes are written out as bytes.
//! - An expression begins with what is cheapest to build and quick on a short line, the automaton of Thompson run with
//!   backtracking. Only for long lines, or when it is asked often, the automaton that is determinized as it runs joins it.
//! - Where a class takes one byte of a character that has more, what is captured is narrowed to whole characters.

use std::ops::{Index, Range};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use regex_automata::util::captures;
use regex_automata::{Anchored, Input, meta};
use regex_syntax::hir::{Capture, Class, ClassBytes, ClassBytesRange, ClassUnicode, Hir, HirKind, Repetition};
use regex_syntax::utf8::Utf8Sequences;

/// The longest line that is searched by backtracking alone; its time grows with the line and the expression.
const SHORT_LINE: usize = 400;

/// How often an expression is asked, about this many bytes, before the determinized automaton is built: what it saves
/// must pay for it.
const OFTEN: u32 = 200;
const USUAL_LINE: usize = 50;

/// How much memory an expression may take, in bytes, so that one from a user's file cannot take all.
const SIZE_LIMIT: usize = 10 << 20;

/// A compiled expression.
#[derive(Debug)]
pub(crate) struct Regex {
    hir: Hir,
    small: meta::Regex,
    digits_alike: bool,
    /// Tells whether a line matches without captures, in time that does not hang on the expression.
    large: OnceLock<Option<meta::Regex>>,
    asked: AtomicU32,
}

/// Why an expression cannot be compiled.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// It is no expression.
    #[error(transparent)]
    Syntax(Box<regex_syntax::Error>),
    /// It takes too much memory.
    #[error(transparent)]
    Build(Box<meta::BuildError>),
}

/// Compiles an expression.
pub(crate) fn compile(pattern: &str) -> Result<Regex, Error> {
    let hir = bytes_only(parse(&narrow(pattern)).map_err(Error::Syntax)?);
    let config = meta::Config::new().hybrid(false).dfa(false).onepass(false).auto_prefilter(false);
    let small = build(config, &hir).map_err(Error::Build)?;
    let digits_alike = knows_no_digit(&hir);
    Ok(Regex { hir, small, digits_alike, large: OnceLock::new(), asked: AtomicU32::new(0) })
}

/// Compiles an expression of our own.
pub(crate) fn regex(pattern: &str) -> Regex {
    compile(pattern).expect("a constant, and valid")
}

/// Whether an expression takes a digit for another wherever it takes one.
fn knows_no_digit(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => true,
        HirKind::Literal(literal) => !literal.0.iter().any(u8::is_ascii_digit),
        HirKind::Class(Class::Bytes(class)) => {
            let mut ranges = class.ranges().iter();
            ranges.all(|range| {
                range.end() < b'0' || range.start() > b'9' || (range.start() <= b'0' && range.end() >= b'9')
            })
        }
        HirKind::Class(Class::Unicode(_)) => false,
        HirKind::Repetition(Repetition { sub, .. }) | HirKind::Capture(Capture { sub, .. }) => knows_no_digit(sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().all(knows_no_digit),
    }
}

/// Finds any of a few words, whose case may matter or not.
pub(crate) fn any_of(words: impl IntoIterator<Item = impl AsRef<[u8]>>, case_matters: bool) -> AhoCorasick {
    let kind = Some(AhoCorasickKind::NoncontiguousNFA);
    let words = AhoCorasick::builder().ascii_case_insensitive(!case_matters).kind(kind).build(words);
    words.expect("the words are few and short")
}

fn build(config: meta::Config, hir: &Hir) -> Result<meta::Regex, Box<meta::BuildError>> {
    let config = config.utf8_empty(false).nfa_size_limit(Some(SIZE_LIMIT));
    meta::Builder::new().configure(config).build_from_hir(hir).map_err(Box::new)
}

fn parse(pattern: &str) -> Result<Hir, Box<regex_syntax::Error>> {
    let parse = |unicode| {
        regex_syntax::ParserBuilder::new().utf8(false).unicode(unicode).build().parse(pattern).map_err(Box::new)
    };
    // Without regard to case, all of Unicode has more letters than logs do. Only a class of such letters needs them.
    if pattern.contains("(?i") { parse(false).or_else(|_| parse(true)) } else { parse(true) }
}

/// Writes classes of characters as classes of bytes.
fn bytes_only(hir: Hir) -> Hir {
    let all = |parts: Vec<Hir>| parts.into_iter().map(bytes_only).collect();
    match hir.into_kind() {
        HirKind::Empty => Hir::empty(),
        HirKind::Literal(literal) => Hir::literal(literal.0),
        HirKind::Look(look) => Hir::look(look),
        HirKind::Class(Class::Bytes(class)) => Hir::class(Class::Bytes(class)),
        HirKind::Class(Class::Unicode(class)) => class_of_bytes(&class, false),
        HirKind::Repetition(Repetition { min, max, greedy, sub }) => {
            // Where any number of characters may stand, any number of bytes may.
            let sub = match sub.kind() {
                HirKind::Class(Class::Unicode(class)) if min <= 1 && max.is_none() => class_of_bytes(class, true),
                _ => bytes_only(*sub),
            };
            Hir::repetition(Repetition { min, max, greedy, sub: Box::new(sub) })
        }
        HirKind::Capture(Capture { index, name, sub }) => {
            Hir::capture(Capture { index, name, sub: Box::new(bytes_only(*sub)) })
        }
        HirKind::Concat(parts) => Hir::concat(all(parts)),
        HirKind::Alternation(parts) => Hir::alternation(all(parts)),
    }
}

/// A class of characters in bytes; `any_number` tells that it is repeated without limit.
fn class_of_bytes(class: &ClassUnicode, any_number: bool) -> Hir {
    let bytes = |start, end| Hir::class(Class::Bytes(ClassBytes::new([ClassBytesRange::new(start, end)])));
    let mut single = ClassBytes::empty();
    let mut longer = Vec::new();
    for range in class.ranges() {
        let (start, end) = (range.start(), range.end());
        if start.is_ascii() {
            single.push(ClassBytesRange::new(start as u8, end.min('\x7f') as u8));
        }
        if start <= '\u{80}' && end == char::MAX {
            // All that is not ASCII: a class that leaves out a few signs.
            if any_number {
                single.push(ClassBytesRange::new(0x80, 0xff));
            } else {
                let behind = Repetition { min: 1, max: Some(3), greedy: true, sub: Box::new(bytes(0x80, 0xbf)) };
                longer.push(Hir::concat(vec![bytes(0xc2, 0xf4), Hir::repetition(behind)]));
            }
        } else if !end.is_ascii() {
            let sequences = Utf8Sequences::new(start.max('\u{80}'), end);
            longer.extend(sequences.map(|sequence| {
                Hir::concat(sequence.as_slice().iter().map(|range| bytes(range.start, range.end)).collect())
            }));
        }
    }
    longer.insert(0, Hir::class(Class::Bytes(single)));
    Hir::alternation(longer)
}

impl Regex {
    /// Whether a text matches, and with the same groups, whatever its digits are.
    pub(crate) fn digits_alike(&self) -> bool {
        self.digits_alike
    }

    /// Whether it captures more than the whole match.
    pub(crate) fn has_groups(&self) -> bool {
        self.small.captures_len() > 1
    }

    pub(crate) fn is_match(&self, text: &str) -> bool {
        match self.large(text) {
            Some(large) => large.is_match(text),
            None => self.small.is_match(text),
        }
    }

    /// The first match with what its groups took.
    pub(crate) fn captures<'t>(&self, text: &'t str) -> Option<Captures<'t>> {
        self.captures_at(text, 0)
    }

    /// The first match.
    pub(crate) fn find<'t>(&self, text: &'t str) -> Option<Match<'t>> {
        self.captures(text)?.get(0)
    }

    /// The text without its first match.
    pub(crate) fn cut_from(&self, text: &str) -> String {
        self.find(text).map_or_else(|| text.to_owned(), |found| [&text[..found.start()], &text[found.end()..]].concat())
    }

    /// All matches from front to back, none within another.
    pub(crate) fn captures_iter<'r, 't>(&'r self, text: &'t str) -> impl Iterator<Item = Captures<'t>> + use<'r, 't> {
        let mut from = 0;
        std::iter::from_fn(move || {
            let found = self.captures_at(text, from)?;
            let whole = found.inner.get_match()?;
            from = whole.end() + usize::from(whole.is_empty());
            Some(found)
        })
    }

    fn captures_at<'t>(&self, text: &'t str, from: usize) -> Option<Captures<'t>> {
        let mut input = Input::new(text).range(from.min(text.len())..);
        if from > text.len() {
            return None;
        }
        let mut regex = &self.small;
        if let Some(large) = self.large(text) {
            // It finds where the match is; what the groups took is then looked for there only.
            let whole = large.find(input.clone())?;
            input = input.span(whole.range()).anchored(Anchored::Yes);
            if whole.len() > SHORT_LINE {
                regex = large;
            }
        }
        let mut inner = regex.create_captures();
        regex.search_captures(&input, &mut inner);
        inner.is_match().then_some(Captures { text, inner })
    }

    /// The determinized automaton, where it is worth its price.
    fn large(&self, text: &str) -> Option<&meta::Regex> {
        // Other threads ask too: a count that is a little wrong does no harm.
        let asked = self.asked.load(Ordering::Relaxed);
        if text.len() <= SHORT_LINE && asked < OFTEN {
            self.asked.store(asked + 1 + (text.len() / USUAL_LINE) as u32, Ordering::Relaxed);
            return None;
        }
        self.large.get_or_init(|| build(meta::Config::new().onepass(false), &self.hir).ok()).as_ref()
    }
}

/// What the groups of an expression took.
#[derive(Debug)]
pub(crate) struct Captures<'t> {
    text: &'t str,
    inner: captures::Captures,
}

impl<'t> Captures<'t> {
    pub(crate) fn get(&self, index: usize) -> Option<Match<'t>> {
        self.inner.get_group(index).map(|span| Match::new(self.text, span.range()))
    }

    pub(crate) fn name(&self, name: &str) -> Option<Match<'t>> {
        self.inner.get_group_by_name(name).map(|span| Match::new(self.text, span.range()))
    }
}

/// The text of a group that must have taken part.
impl Index<usize> for Captures<'_> {
    type Output = str;

    fn index(&self, index: usize) -> &str {
        self.get(index).map_or_else(|| panic!("no group {index}"), |found| found.text)
    }
}

/// The text of a group that must have taken part.
impl Index<&str> for Captures<'_> {
    type Output = str;

    fn index(&self, name: &str) -> &str {
        self.name(name).map_or_else(|| panic!("no group named {name}"), |found| found.text)
    }
}

/// A part of a text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Match<'t> {
    text: &'t str,
    start: usize,
}

impl<'t> Match<'t> {
    fn new(text: &'t str, range: Range<usize>) -> Self {
        let start = (range.start..=range.end).find(|at| text.is_char_boundary(*at)).unwrap_or(range.end);
        let end = (start..=range.end).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(start);
        Match { text: text.get(start..end).unwrap_or_default(), start }
    }

    pub(crate) fn as_str(&self) -> &'t str {
        self.text
    }

    pub(crate) fn start(&self) -> usize {
        self.start
    }

    pub(crate) fn end(&self) -> usize {
        self.start + self.text.len()
    }
}

/// Letters, digits and `_` of ASCII, and the scripts beyond it; to fold the case of those is dear, so that a pattern
/// which asks for it has the first only.
const WORDS: &str = r"0-9A-Za-z_\xC0-\x{1FFF}\x{3040}-\x{D7FF}";
const ASCII_WORDS: &str = "0-9A-Za-z_";

/// Replaces the classes of Unicode. Classes nest, so that it does not matter whether they stand in one.
fn narrow(pattern: &str) -> String {
    let words = if pattern.contains("(?i") { ASCII_WORDS } else { WORDS };
    let mut out = String::with_capacity(pattern.len() + 64);
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            out.push(character);
            continue;
        }
        match characters.next() {
            Some('w') => out.extend(["[", words, "]"]),
            Some('W') => out.extend(["[^", words, "]"]),
            Some('d') => out.push_str("[0-9]"),
            Some('D') => out.push_str("[^0-9]"),
            Some('s') => out.push_str(r"[\t-\r ]"),
            Some('S') => out.push_str(r"[^\t-\r ]"),
            Some('b') => out.push_str(r"(?-u:\b)"),
            escaped => {
                out.push('\\');
                out.extend(escaped);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pattern: &str, text: &str, expected: Option<&str>) {
        let found = regex(pattern).find(text).map(|found| found.as_str().to_owned());
        assert_eq!(found.as_deref(), expected);
    }

    #[test]
    fn classes_are_those_of_ascii_but_words_are_of_any_language() {
        check(r"module \w+", "no module größe here", Some("module größe"));
        check(r"'[\w./-]+'", "no 'src/größe.ts'", Some("'src/größe.ts'"));
        check(r"a\W+b", "a -- b", Some("a -- b"));
        check(r"a\W+b", "aéb", None);
        check(r"\w+", "‘größe’", Some("größe"));
        check(r"(?i)NO \w+", "no größe", Some("no gr"));
        check(r"[‘'][^’'\s]+[’']", "no ‘file’", Some("‘file’"));
        check(r"\d+", "٣٤ 12", Some("12"));
        check(r"\D[\D]", "1é2ab", Some("ab"));
        check(r"\bno\b", "noé no", Some("no"));
        check(r"\S+\s[^\S]", " a\t b", Some("a\t "));
        check(r"\\w", r"\w", Some(r"\w"));
        check("(?i)[‘é]x", "ÉX", Some("ÉX"));
        check("no.t", "no\u{2019}t", Some("no\u{2019}t"));
        check("^.{2}$", "\u{2714}é", Some("\u{2714}é"));
        check("[^x]$", "x\u{1F6A8}", Some("\u{1F6A8}"));
    }
}
