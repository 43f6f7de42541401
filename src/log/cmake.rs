//! Errors and warnings of CMake: a head with the place, then the text, indented and parted by blank lines.

use super::block::{diagnostic, keep};
use super::{Grip, Line, Reader};
use crate::item::Item;
use crate::report::{Failure, FileRef, Signal, TextLine};

pub(super) const NEEDLES: &[&str] = &["CMake Error", "CMake Warning", "CMake Deprecation Warning"];

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Cmake::default())
}

#[derive(Default)]
struct Cmake {
    open: Option<Open>,
}

struct Open {
    warning: bool,
    file: Option<FileRef>,
    text: Vec<TextLine>,
    lines: usize,
}

impl Reader for Cmake {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let head = line.text.starts_with("CMake Error") || line.text.starts_with("CMake Warning");
        if let Some(open) = &mut self.open {
            let own = line.text.is_empty() || line.indent() > 0 || line.text.starts_with("Call Stack (most recent");
            open.lines += 1;
            if !head && own && open.lines < 300 {
                if !line.text.is_empty() {
                    keep(&mut open.text, line);
                }
                return Grip::Hold;
            }
            self.finish(out);
        }
        if !head && !line.text.starts_with("CMake Deprecation Warning") {
            return Grip::Pass;
        }
        let file =
            line.text.split_once(" at ").and_then(|(_, rest)| super::block::place(rest)).map(|placed| placed.file);
        let warning = !line.text.starts_with("CMake Error");
        self.open = Some(Open { warning, file, text: vec![line.to_text()], lines: 0 });
        Grip::Hold
    }

    fn end(&mut self, out: &mut dyn FnMut(Item)) {
        self.finish(out);
    }
}

impl Cmake {
    fn finish(&mut self, out: &mut dyn FnMut(Item)) {
        let Some(Open { warning, file, text, .. }) = self.open.take() else { return };
        if !warning {
            // What vcpkg could not install and which source is missing was said above, and a language that was not
            // enabled has no compiler.
            let wraps =
                ["vcpkg install failed", "_COMPILER not set, after EnableLanguage", "No SOURCES given to target"];
            let follow_on = text.iter().any(|line| wraps.iter().any(|words| line.text.contains(words)));
            // The file stands alone below the words.
            let words = text.iter().position(|line| line.text.trim() == "Cannot find source file:");
            let subject = words.and_then(|at| text.get(at + 1)).map(|line| line.text.trim().to_owned());
            out(Item::Failure(Failure { file, follow_on, subject, ..diagnostic(Signal::Config, text) }));
        }
    }
}
