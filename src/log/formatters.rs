//! What formatters print of files that they would write otherwise: the names of the files, or a diff.
//!
//! ```text
//! $ gofmt -l .
//! cmd/server/main.go
//! ```
//!
//! Neither has a word of an error. The names mean something only below the command that lists them, and a diff can be
//! asked for without a failure: both are mere remarks, which count only where nothing that ends well follows.

use super::block::{diagnostic, extension, is_path};
use super::command::echoed;
use super::steps::is_boundary;
use super::{Grip, Line, Reader};
use crate::item::Item;
use crate::report::{Failure, FileRef, Signal};

pub(super) const NEEDLES: &[&str] = &[
    "gofmt -",
    "goimports -",
    "gofumpt -",
    "terraform fmt ",
    "tofu fmt ",
    "prettier -l",
    "--list-different",
    "--- old/",
    "--- original/",
    "--- before/",
    "\t(original)",
    "\t(before formatting)",
    ":before\t",
    ".orig\t",
    ".go.orig",
    ".sh.orig",
];

/// How many lines may stand between the command and the first name: the head of a step.
const MAX_AHEAD: usize = 40;

/// What Prettier formats.
const OF_THE_WEB: &[&str] = &[
    "js", "jsx", "ts", "tsx", "mjs", "cjs", "mts", "cts", "css", "scss", "less", "json", "md", "mdx", "vue", "html",
    "yml", "yaml", "svelte", "astro", "hbs", "graphql",
];

pub(super) fn open() -> Box<dyn Reader> {
    Box::new(Formatters::default())
}

#[derive(Default)]
struct Formatters {
    listing: Option<Listing>,
    diff: Option<Hunk>,
}

/// The command that lists names was seen.
struct Listing {
    extensions: &'static [&'static str],
    /// How many lines may still come before the first name.
    left: usize,
    listed: bool,
}

/// How many lines of the file before and after are still to come; the heads of a diff have none.
#[derive(Clone, Copy, Default)]
struct Hunk {
    before: u64,
    after: u64,
}

impl Reader for Formatters {
    fn line(&mut self, line: Line<'_>, out: &mut dyn FnMut(Item)) -> Grip {
        let text = line.text;
        if let Some(hunk) = self.diff {
            self.diff = hunk.next(text);
            if self.diff.is_some() {
                return Grip::Hold;
            }
        }
        if let Some(path) = diff_of(text) {
            let file = Some(FileRef::new(path, None, None));
            out(Item::Failure(Failure { file, ..diagnostic(Signal::Remark, vec![line.to_text()]) }));
            self.listing = None;
            self.diff = Some(Hunk::default());
            return Grip::Hold;
        }
        if let Some(extensions) = lists(text) {
            self.listing = Some(Listing { extensions, left: MAX_AHEAD, listed: false });
            return Grip::Watch;
        }
        let Some(listing) = &mut self.listing else { return Grip::Pass };
        let named = !text.contains(' ') && is_path(text) && listing.extensions.contains(&extension(text).as_str());
        if named {
            listing.listed = true;
            let file = Some(FileRef::new(text, None, None));
            out(Item::Failure(Failure { file, ..diagnostic(Signal::Remark, vec![line.to_text()]) }));
            return Grip::Watch;
        }
        listing.left -= 1;
        if listing.listed || listing.left == 0 || echoed(text).is_some() || is_boundary(text) && !is_head(text) {
            self.listing = None;
            return Grip::Pass;
        }
        Grip::Watch
    }

    fn end(&mut self, _out: &mut dyn FnMut(Item)) {
        (self.listing, self.diff) = (None, None);
    }
}

/// Whether a line belongs to the head of a step, which shows the command before it runs.
fn is_head(text: &str) -> bool {
    text.contains("endgroup") || text.starts_with("##[group]Run ") || text.starts_with("::group::")
}

impl Hunk {
    /// What is to come behind a line of the diff; nothing where the diff is over.
    fn next(self, text: &str) -> Option<Hunk> {
        let Hunk { before, after } = self;
        if before + after == 0 {
            if let Some(rest) = text.strip_prefix("@@ -") {
                let (before, rest) = rest.split_once(" +")?;
                return Some(Hunk { before: length(before)?, after: length(rest.split(' ').next()?)? });
            }
            return text.starts_with("+++ ").then_some(self);
        }
        match text.as_bytes().first() {
            Some(b'+') => Some(Hunk { before, after: after.checked_sub(1)? }),
            Some(b'-') => Some(Hunk { before: before.checked_sub(1)?, after }),
            Some(b'\\') => Some(self),
            // White space at the end of a line is not kept.
            Some(b' ') | None => Some(Hunk { before: before.checked_sub(1)?, after: after.checked_sub(1)? }),
            Some(_) => None,
        }
    }
}

/// The number of lines of `12,7` or `12`.
fn length(range: &str) -> Option<u64> {
    range.split_once(',').map_or(Some(1), |(_, length)| length.parse().ok()).filter(|length| *length < 100_000)
}

/// The file that a diff of a formatter is about, by the line that names the file as it was.
fn diff_of(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("--- ")?;
    let (path, behind) = rest.split_once('\t').unwrap_or((rest, ""));
    let marked = matches!(behind, "(original)" | "(before formatting)");
    let front = ["old/", "original/", "before/"].iter().find_map(|front| path.strip_prefix(front));
    let back = [".orig", ":before"].iter().find_map(|back| path.strip_suffix(back));
    let path = front.or(back).or(marked.then_some(path))?;
    is_path(path).then_some(path)
}

/// The extensions of what a command lists that is not formatted.
fn lists(text: &str) -> Option<&'static [&'static str]> {
    let word = |word: &str| text.split([' ', '(', ')', '"', '\'', '`']).any(|part| part == word);
    let go = ["gofmt", "goimports", "gofumpt"].iter().any(|tool| word(tool));
    if go && (word("-l") || word("-sl") || word("-ls")) {
        return Some(&["go"]);
    }
    if text.contains(" fmt ") && (word("terraform") || word("tofu")) && (word("-check") || word("-check=true")) {
        return Some(&["tf", "tfvars", "hcl", "tofu"]);
    }
    let prettier = word("prettier") && (word("-l") || word("--list-different"));
    prettier.then_some(OF_THE_WEB)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Analyzer, Outcome, Source};

    #[track_caller]
    fn check(log: &str, outcome: Outcome, subjects: &[&str]) {
        let report = Analyzer::new().analyze([Source::bytes("log", log.as_bytes())]);
        assert_eq!(report.outcome, outcome, "{log}");
        let found = report.causes.iter().map(|cause| cause.subject.as_deref().unwrap_or(""));
        assert_eq!(found.collect::<Vec<_>>(), subjects, "{log}");
    }

    #[test]
    fn names_below_the_command_that_lists_them() {
        check("$ gofmt -s -l .\ncmd/a.go\nb.go\n", Outcome::Failed, &["cmd/a.go"]);
        check("+ terraform fmt -check -recursive\nmain.tf\n", Outcome::Failed, &["main.tf"]);
        check("$ terraform fmt\nmain.tf\n", Outcome::Unknown, &[]);
        check("$ gofmt -l .\n$ ls\ncmd/a.go\n", Outcome::Unknown, &[]);
        check("$ gofmt -l .\ncmd/a.go\n$ pytest\n2 passed in 0.1s\n", Outcome::Passed, &[]);
    }

    #[test]
    fn diffs_of_formatters() {
        check(
            "--- src/a.py\t(original)\n+++ src/a.py\t(reformatted)\n@@ -1 +1 @@\n-error: x\n+error:  x\n",
            Outcome::Failed,
            &["src/a.py"],
        );
        check("--- a/src/a.py\n+++ b/src/a.py\n@@ -1 +1 @@\n-x\n+y\n", Outcome::Unknown, &[]);
        assert_eq!(diff_of("--- cmd/a.go.orig\t2024-05-02 08:11:01"), Some("cmd/a.go"));
        assert_eq!(diff_of("--- old/main.tf"), Some("main.tf"));
        assert_eq!(diff_of("--- /srv/a.py:before\t2024-05-02"), Some("/srv/a.py"));
        assert_eq!(diff_of("--- before"), None);
    }
}
