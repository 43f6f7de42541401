//! Sphinx where warnings are errors: which warnings they were is told long before the line that says so.
//!
//! ```text
//! /srv/docs/index.rst:12: WARNING: undefined label: 'instal'
//! build finished with problems, 1 warning (with warnings treated as errors).
//! ```

use super::block::{diagnostic, place};
use super::{Grip, Line, Reader};
use crate::item::Item;
use crate::report::{Failure, FileRef, Signal, TextLine};

pub(super) const NEEDLES: &[&str] =
    &[": WARNING: ", ": ERROR: ", ": CRITICAL: ", "build finished with problems", "Warning, treated as error"];

/// How many warnings are kept.
const MAX_KEPT: usize = 500;

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Sphinx::default())
}

#[derive(Default)]
struct Sphinx {
    warned: Vec<Failure>,
    /// The warning that ends the run follows.
    ends: bool,
}

impl Reader for Sphinx {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        if std::mem::take(&mut self.ends) {
            let file = place(text).map(|placed| placed.file);
            let file = file.or_else(|| text.split_once(':').map(|(path, _)| FileRef::new(path, None, None)));
            out(Item::Failure(Failure { file, ..diagnostic(Signal::Lint, vec![line.to_text()]) }));
            return Grip::Take;
        }
        if text == "Warning, treated as error:" {
            self.ends = true;
            return Grip::Hold;
        }
        if text.starts_with("build finished with problems") {
            let warned = std::mem::take(&mut self.warned);
            if !text.contains("treated as errors") || warned.is_empty() {
                return Grip::Pass;
            }
            warned.into_iter().for_each(|failure| out(Item::Failure(failure)));
            return Grip::Take;
        }
        if let Some(failure) = warning(text, line)
            && self.warned.len() < MAX_KEPT
        {
            self.warned.push(failure);
        }
        Grip::Pass
    }

    fn end(&mut self, _out: &mut dyn FnMut(Item)) {}
}

/// `/srv/docs/api.rst:3: WARNING: …`, `docs/api.md: WARNING: …`, `/srv/shop/cart.py:docstring of shop.cart:1: ERROR: …`.
fn warning(text: &str, line: Line<'_>) -> Option<Failure> {
    const SOURCES: &[&str] = &["rst", "md", "txt", "py", "ipynb", "inc", "myst"];
    let at = [": WARNING: ", ": ERROR: ", ": CRITICAL: "].iter().filter_map(|word| text.find(word)).min()?;
    let where_ = &text[..at];
    let path = where_.split(':').next().unwrap_or(where_);
    let (_, extension) = path.rsplit_once('.')?;
    if !SOURCES.contains(&extension) || path.contains(char::is_whitespace) {
        return None;
    }
    let number = where_.rsplit(':').next().and_then(|number| number.parse().ok());
    let file = Some(FileRef::new(path, number, None));
    let text = vec![TextLine { text: text.to_owned(), span: line.span }];
    Some(Failure { file, ..diagnostic(Signal::Lint, text) })
}
