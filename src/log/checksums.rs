//! Files whose checksum is wrong, as `sha256sum -c` and its kin name them above the line that counts them.
//!
//! ```text
//! frob.tar.gz: FAILED
//! sha256sum: WARNING: 1 computed checksum did NOT match
//! ```

use super::{ABOVE, Above, Grip, Line, Reader};
use crate::item::Item;
use crate::report::{Failure, Level, TextLine};

pub(super) const NEEDLES: &[&str] = &["computed checksum did NOT match", "computed checksums did NOT match"];

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Checksums::default())
}

#[derive(Default)]
struct Checksums {
    above: Vec<TextLine>,
}

impl Reader for Checksums {
    fn looks_back(&self) -> usize {
        ABOVE
    }

    fn above(&mut self, above: Above<'_>) {
        self.above = above.cloned().collect();
    }

    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let above = std::mem::take(&mut self.above);
        let Some((named, file)) = above.iter().find_map(|line| Some((line, line.text.strip_suffix(": FAILED")?)))
        else {
            return Grip::Pass;
        };
        let text = vec![line.to_text(), named.clone()];
        let subject = Some(file.trim().to_owned());
        let span = named.span.join(line.span);
        out(Item::Failure(Failure { level: Level::Diagnostic, subject, text, span, count: 1, ..Failure::default() }));
        Grip::Take
    }

    fn end(&mut self, _out: &mut dyn FnMut(Item)) {}
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_file_is_named() {
        let log = "ok.tgz: OK\nfrob.tgz: FAILED\nsha256sum: WARNING: 1 computed checksum did NOT match\n";
        let report = crate::Analyzer::new().analyze([crate::Source::bytes("log", log.as_bytes())]);
        let found = report.causes.iter().map(|cause| (cause.kind.as_str(), cause.subject.as_deref().unwrap_or("")));
        assert_eq!(found.collect::<Vec<_>>(), [("integrity_failure", "frob.tgz")]);
    }
}
