//! Checkstyle's XML, which most linters can write.

use super::xml::document::{Context, Document, Reader};
use super::xml::text::{Lines, decode};
use super::xml::{Tag, key, root};
use super::{Parse, Sure, signal};
use crate::item::{Item, Mark, Scope};
use crate::kind::Phase;
use crate::report::{Failure, FileRef, Level, Note, Outcome, Span};

/// Whether a document is Checkstyle's.
pub(crate) fn sniff(head: &[u8]) -> Option<Sure> {
    let (name, _) = root(head)?;
    (key(name) == CHECKSTYLE).then_some(Sure::Certain)
}

pub(crate) fn open() -> Box<dyn Parse> {
    Box::<Document<Checkstyle>>::default()
}

const CHECKSTYLE: u64 = key(b"checkstyle");
const FILE: u64 = key(b"file");
const ERROR: u64 = key(b"error");
const EXCEPTION: u64 = key(b"exception");

#[derive(Debug, Default)]
struct Checkstyle {
    file: Vec<u8>,
    errors: u64,
    /// Findings of a severity that fails no run by itself.
    milder: u64,
    /// What the linter itself stumbled over, in a file that it could not read.
    exception: Option<(Lines, Span)>,
    span: Span,
}

impl Reader for Checkstyle {
    fn root(&mut self, tag: &Tag<'_, '_>, context: &mut Context<'_, '_>) {
        self.span = context.span(tag.at, context.window.pos);
    }

    fn start(&mut self, tag: &Tag<'_, '_>, context: &mut Context<'_, '_>) {
        match tag.key {
            FILE => {
                self.file.clear();
                self.file.extend_from_slice(tag.get(b"name").unwrap_or_default());
            }
            EXCEPTION => {
                let span = context.span(tag.at, tag.at + tag.raw.len());
                self.exception = Some((Lines::default(), span));
            }
            ERROR => self.error(tag, context),
            _ => {}
        }
    }

    fn text(&mut self, raw: &[u8], cdata: bool, at: usize, context: &mut Context<'_, '_>) {
        if let Some((lines, _)) = &mut self.exception {
            lines.push(raw, cdata, context.window.byte(at), context.window.line(at), context.encoding);
        }
    }

    fn end(&mut self, key: u64, _from: usize, _to: usize, context: &mut Context<'_, '_>) {
        if key != EXCEPTION {
            return;
        }
        let Some((mut lines, span)) = self.exception.take() else { return };
        self.errors += 1;
        let text = lines.finish(context.encoding);
        let path = decode(&self.file, context.encoding);
        let file = (!path.is_empty()).then(|| FileRef::new(path, None, None));
        let phase = Some(Phase::Lint);
        let failure = Failure { level: Level::Diagnostic, file, phase, text, span, count: 1, ..Failure::default() };
        (context.out)(Item::Failure(failure));
    }

    fn finish(&mut self, whole: bool, context: &mut Context<'_, '_>) {
        let span = self.span;
        if self.milder > 0 {
            let message = format!("{} findings are warnings or milder", self.milder);
            (context.out)(Item::Note(Note::info(Some(span.line), message)));
        }
        if whole && self.errors == 0 {
            let text = "the linter found no errors".to_owned();
            let mark = Mark { scope: Scope::Tool, outcome: Outcome::Passed, status: None, text, span };
            (context.out)(Item::Mark(mark));
        }
    }
}

impl Checkstyle {
    fn error(&mut self, tag: &Tag<'_, '_>, context: &mut Context<'_, '_>) {
        if let Some(severity) = tag.get(b"severity")
            && !severity.eq_ignore_ascii_case(b"error")
        {
            self.milder += 1;
            return;
        }
        self.errors += 1;
        let span = context.span(tag.at, tag.at + tag.raw.len());
        let mut text = Lines::default();
        let (mut line, mut column, mut source) = (None, None, None);
        for (name, value, at) in tag.attributes() {
            let number = || std::str::from_utf8(value).ok()?.parse().ok();
            match name {
                b"message" => {
                    text.push(value, false, context.window.byte(at), context.window.line(at), context.encoding);
                }
                b"line" => line = number(),
                b"column" => column = number(),
                b"source" => source = Some(decode(value, context.encoding)),
                _ => {}
            }
        }
        let path = decode(&self.file, context.encoding);
        let text = text.finish(context.encoding);
        let words = text.first().map_or("", |line| line.text.as_str());
        let failure = Failure {
            level: Level::Diagnostic,
            file: (!path.is_empty()).then(|| FileRef::new(path, line, column)),
            phase: Some(Phase::Lint),
            signal: Some(signal::of_finding(source.as_deref(), words)),
            type_name: source.filter(|source| !source.is_empty()),
            text,
            span,
            count: 1,
            ..Failure::default()
        };
        (context.out)(Item::Failure(failure));
    }
}
