//! Finds what is to be analyzed.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use walkdir::{DirEntry, WalkDir};
use whyred::{Format, Source};

use crate::args::Args;

/// How much of a file is looked at to see what it is.
const HEAD: u64 = 64 * 1024;

/// What the arguments name.
#[derive(Default)]
pub(crate) struct Inputs<'a> {
    pub sources: Vec<Source<'a>>,
    /// What is wrong with folders and with files in them, each in one line.
    pub complaints: Vec<String>,
    /// The files in folders that are neither report nor log.
    pub passed_over: Vec<String>,
}

impl Inputs<'_> {
    /// Gathers files, standard input, and the reports and logs in folders.
    pub(crate) fn gather(args: &Args) -> Self {
        let mut inputs = Inputs::default();
        if args.inputs.is_empty() {
            inputs.stdin(args);
        }
        for path in &args.inputs {
            inputs.add(path, args);
        }
        inputs
    }

    /// Gathers what one path names.
    pub(crate) fn of(path: &Path, args: &Args) -> Self {
        let mut inputs = Inputs::default();
        inputs.add(path, args);
        inputs
    }

    fn add(&mut self, path: &Path, args: &Args) {
        if path.as_os_str() == "-" {
            self.stdin(args);
        } else if path.is_dir() {
            self.walk(path, args);
        } else {
            self.take(Source::file(path), args);
        }
    }

    fn stdin(&mut self, args: &Args) {
        self.take(Source::reader("-", io::stdin()), args);
    }

    fn take(&mut self, mut source: Source<'static>, args: &Args) {
        if let Some(format) = args.input_format {
            source = source.format(format);
        }
        if let Some(task) = &args.task {
            source = source.task(task);
        }
        self.sources.push(source);
    }

    /// Takes the reports and logs below a folder, in the order of their names.
    fn walk(&mut self, folder: &Path, args: &Args) {
        let before = self.sources.len();
        let wanted = |entry: &DirEntry| {
            let foreign = [".git", "node_modules"].iter().any(|name| entry.file_name() == *name);
            entry.depth() == 0 || !entry.file_type().is_dir() || !foreign
        };
        for entry in WalkDir::new(folder).sort_by_file_name().into_iter().filter_entry(wanted) {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.complaints.push(error.to_string());
                    continue;
                }
            };
            if !entry.file_type().is_file() {
                continue;
            }
            let name = entry.path().display().to_string();
            let mut head = Vec::new();
            match File::open(entry.path()).and_then(|file| file.take(HEAD).read_to_end(&mut head)) {
                Err(error) => self.complaints.push(format!("{name}: {error}")),
                Ok(_) if Format::of_file(&name, &head).is_some() => self.take(Source::file(entry.path()), args),
                Ok(_) => self.passed_over.push(name),
            }
        }
        if self.sources.len() == before && self.complaints.is_empty() {
            let folder = folder.display();
            self.complaints
                .push(format!("{folder}: holds neither a log nor a test report; name a file to have it read"));
        }
    }
}
