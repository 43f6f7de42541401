//! One named input, and what the caller knows of it.

use std::borrow::Cow;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::format::Format;

/// One named input: bytes or a reader, and what the caller knows of it.
///
/// ```
/// use whyred::Source;
///
/// let source = Source::bytes("build.log", b"make: *** [all] Error 1\n").exit_code(2).task("nightly");
/// ```
pub struct Source<'a> {
    pub(crate) name: String,
    pub(crate) input: Input<'a>,
    pub(crate) format: Option<Format>,
    pub(crate) exit_code: Option<i32>,
    pub(crate) task: Option<String>,
}

pub(crate) enum Input<'a> {
    Bytes(Cow<'a, [u8]>),
    Reader(Box<dyn Read + Send + 'a>),
    File(PathBuf),
}

impl<'a> Source<'a> {
    /// An input that is in memory.
    pub fn bytes(name: impl Into<String>, bytes: impl Into<Cow<'a, [u8]>>) -> Self {
        Source::new(name, Input::Bytes(bytes.into()))
    }

    /// An input that is read as it is analyzed. Logs and streamed formats need memory for a window only.
    pub fn reader(name: impl Into<String>, reader: impl Read + Send + 'a) -> Self {
        Source::new(name, Input::Reader(Box::new(reader)))
    }

    /// A file, opened when its turn comes and named by its path. One that cannot be read shows as an
    /// [error of its summary](crate::SourceSummary::error); the other sources are analyzed all the same.
    pub fn file(path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        Source::new(path.to_string_lossy(), Input::File(path.to_owned()))
    }

    fn new(name: impl Into<String>, input: Input<'a>) -> Self {
        Source { name: name.into(), input, format: None, exit_code: None, task: None }
    }

    /// What the bytes are. The default is to find out from the content.
    #[must_use]
    pub fn format(mut self, format: Format) -> Self {
        self.format = Some(format);
        self
    }

    /// The exit status of the command that wrote it. A green report beside a status other than 0 is never accepted.
    #[must_use]
    pub fn exit_code(mut self, code: i32) -> Self {
        self.exit_code = Some(code);
        self
    }

    /// The task that the input belongs to.
    #[must_use]
    pub fn task(mut self, id: impl Into<String>) -> Self {
        self.task = Some(id.into());
        self
    }
}
