//! The errors of bundlers and of the frameworks that run them: webpack and Rspack, Next.js with webpack or Turbopack,
//! Create React App, Vite, Parcel.
//!
//! Each prints a heading and then, for each file, what is wrong with it. A message that no rule knows is still an
//! error of compilation.

use std::sync::LazyLock;

use crate::pattern::Regex;

use super::runner::{Block, is_frame, is_outside};
use super::{Grip, Line, Reader};
use crate::item::Item;
use crate::pattern;
use crate::report::{Failure, FileRef, Level, Signal};

pub(super) const NEEDLES: &[&str] = &[
    "ERROR in ",
    // The same in color.
    "[31mERROR",
    "Failed to compile.",
    "error during build:",
    "Turbopack build failed with ",
    "🚨 Build failed.",
];

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Bundler::default())
}

/// How many lines of one error are kept in hand.
const MAX_LINES: usize = 60;

#[derive(Default)]
struct Bundler {
    form: Form,
    block: Option<Block>,
    /// A block was seen behind the heading; the first may lack the name of a file.
    begun: bool,
}

/// How the errors behind the heading at hand are written.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Form {
    #[default]
    None,
    /// `ERROR in ./file`, the message, an empty line.
    Webpack,
    /// Blocks that begin with the name of a file.
    Files,
    /// One message up to its stack.
    Single,
}

static FILE: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^(?P<path>(?:\./|\.\./|/)?[\w@()\[\].+/-]+\.(?:[cm]?[jt]sx?|vue|svelte|astro|css|s[ac]ss|less|mdx?|json|html))(?::(?P<line>\d+)(?::(?P<column>\d+))?)?$",
    )
});

static LINT: LazyLock<Regex> = LazyLock::new(|| {
    pattern::regex(
        r"^\s*(?:Line )?(?P<line>\d+):(?P<column>\d+):?\s+(?P<level>Error: |Warning: |)(?P<message>.+?)\s{2,}(?P<rule>@?[\w-]+(?:/[\w-]+)*)$",
    )
});

impl Reader for Bundler {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        if let Some(form) = heading(text) {
            self.close(out);
            self.form = form;
            self.begun = false;
            if form == Form::Webpack {
                let file = text.trim_start().strip_prefix("ERROR in ").and_then(|rest| rest.split([' ', ':']).next());
                // What a linter found within the build is told in the linter's own words.
                if file.is_some_and(|file| file.starts_with('[')) {
                    self.form = Form::None;
                    return Grip::Take;
                }
                self.block = Some(block(file, line));
            }
            return Grip::Hold;
        }
        if self.form == Form::None {
            return Grip::Pass;
        }
        if is_outside(text) || text.starts_with("> Build ") || text.starts_with("Next.js build worker exited") {
            return self.leave(out);
        }
        match self.form {
            Form::Webpack if text.is_empty() => {
                self.close(out);
                self.form = Form::None;
                return Grip::Take;
            }
            Form::Single if is_frame(text) => {
                self.close(out);
                self.form = Form::None;
                return Grip::Take;
            }
            Form::Files => {
                if let Some(found) = LINT.captures(text) {
                    if &found["level"] != "Warning: " {
                        self.lint(line, &found["line"], &found["column"], out);
                    }
                    return Grip::Hold;
                }
                if FILE.is_match(text) {
                    self.close(out);
                    self.begun = true;
                    self.block = Some(block(Some(text), line));
                    return Grip::Hold;
                }
                // What a linter found stands below in its own words.
                if text.trim() == "[eslint]" {
                    return Grip::Hold;
                }
                let trailer = ["info  - ", "Import trace", "https://nextjs.org/docs/messages/"];
                if trailer.iter().any(|start| text.starts_with(start)) {
                    self.close(out);
                    return Grip::Hold;
                }
                // Behind the end of a block only another one belongs here.
                if self.block.is_none() && self.begun && !text.is_empty() {
                    return self.leave(out);
                }
                self.begun |= !text.is_empty();
            }
            Form::None | Form::Webpack | Form::Single => {}
        }
        if text.is_empty() && self.block.is_none() {
            return Grip::Hold;
        }
        let block = self.block.get_or_insert_with(|| block(None, line));
        block.push(line);
        if block.lines.len() > MAX_LINES {
            self.close(out);
            self.form = Form::None;
            return Grip::Take;
        }
        Grip::Hold
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.close(out);
    }
}

fn heading(text: &str) -> Option<Form> {
    let text = text.trim();
    if text.starts_with("ERROR in ") {
        Some(Form::Webpack)
    } else if text == "Failed to compile." || text.contains("Turbopack build failed with ") {
        Some(Form::Files)
    } else if text == "error during build:" || text == "🚨 Build failed." {
        Some(Form::Single)
    } else {
        None
    }
}

fn block(file: Option<&str>, head: Line<'_>) -> Block {
    let file = file.map(|file| match FILE.captures(file) {
        Some(found) => found["path"].to_owned(),
        None => file.to_owned(),
    });
    let mut block = Block::new(Level::Diagnostic, None, file, head);
    block.signal = Some(Signal::Compile);
    block
}

impl Bundler {
    /// The blocks are over, and the line belongs to others.
    fn leave(&mut self, out: &mut dyn FnMut(Item)) -> Grip {
        self.close(out);
        self.form = Form::None;
        Grip::Pass
    }

    fn close(&mut self, out: &mut dyn FnMut(Item)) {
        let Some(block) = self.block.take() else { return };
        if block.lines.iter().any(|line| !line.text.trim().is_empty()) {
            out(Item::Failure(block.into_failure()));
        }
    }

    fn lint(&self, line: Line<'_>, row: &str, column: &str, out: &mut dyn FnMut(Item)) {
        let path = self.block.as_ref().and_then(|block| block.file.clone());
        out(Item::Failure(Failure {
            level: Level::Diagnostic,
            file: path.map(|path| FileRef::new(path, row.parse().ok(), column.parse().ok())),
            signal: Some(Signal::Lint),
            text: vec![line.to_text()],
            span: line.span,
            ..Failure::default()
        }));
    }
}
