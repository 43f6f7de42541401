//! Finds what is to be analyzed.

use std::io::{self, Read as _};
use std::num::NonZero;
use std::path::Path;

use walkdir::{DirEntry, WalkDir};
use whyred::{Format, Source};

use crate::args::Args;
use crate::packed::{self, Packing, Unpacked};

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
            match Packing::of_file(path) {
                None => self.take(Source::file(path), args),
                Some(Packing::Zip) => self.archive(path, args),
                Some(_) => self.take(unpacked(path), args),
            }
        }
    }

    fn stdin(&mut self, args: &Args) {
        self.take(Source::reader("-", Unpacked::reader(io::stdin())), args);
    }

    /// Takes the reports and logs in an archive.
    fn archive(&mut self, path: &Path, args: &Args) {
        let archive = path.display();
        let (members, complaints) = match packed::members(path) {
            Ok(found) => found,
            Err(error) => return self.complaints.push(format!("{archive}: {error}")),
        };
        self.complaints.extend(complaints.into_iter().map(|complaint| format!("{archive}: {complaint}")));
        let before = self.sources.len();
        for member in members {
            let name = format!("{archive}/{}", member.name);
            match member.head(HEAD) {
                Err(error) => self.complaints.push(format!("{name}: {error}")),
                Ok(head) if Format::of_file(&name, &head).is_some() => {
                    self.take(Source::reader(name, member.open()), args);
                }
                Ok(_) => self.passed_over.push(name),
            }
        }
        if self.sources.len() == before && self.complaints.is_empty() {
            self.complaints.push(format!("{archive}: holds neither a log nor a test report"));
        }
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
        let entries: Vec<_> = WalkDir::new(folder).sort_by_file_name().into_iter().filter_entry(wanted).collect();
        for (entry, readable) in entries.iter().zip(in_parallel(&entries, is_readable)) {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.complaints.push(error.to_string());
                    continue;
                }
            };
            let path = entry.path();
            match (readable, Packing::of_file(path)) {
                _ if !entry.file_type().is_file() => {}
                (_, Some(Packing::Zip)) => self.archive(path, args),
                (Err(error), _) => self.complaints.push(format!("{}: {error}", path.display())),
                (Ok(true), None) => self.take(Source::file(path), args),
                (Ok(true), Some(_)) => self.take(unpacked(path), args),
                (Ok(false), _) => self.passed_over.push(path.display().to_string()),
            }
        }
        if self.sources.len() == before && self.complaints.is_empty() {
            let folder = folder.display();
            self.complaints
                .push(format!("{folder}: holds neither a log nor a test report; name a file to have it read"));
        }
    }
}

/// Whether what was met in a folder is a file that holds a log or a report, by its name and its first bytes.
fn is_readable(entry: &walkdir::Result<DirEntry>) -> io::Result<bool> {
    let Some(entry) = entry.as_ref().ok().filter(|entry| entry.file_type().is_file()) else { return Ok(false) };
    let name = entry.path().display().to_string();
    if Packing::of_file(entry.path()) == Some(Packing::Zip) {
        return Ok(false);
    }
    let mut head = Vec::new();
    Unpacked::file(entry.path()).take(HEAD).read_to_end(&mut head)?;
    Ok(Format::of_file(packed::inner_name(&name), &head).is_some())
}

/// Does the same with each item, on all cores; the results are in the order of the items.
fn in_parallel<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let workers = std::thread::available_parallelism().map_or(1, NonZero::get);
    let share = items.len().div_ceil(workers).max(8);
    std::thread::scope(|scope| {
        let shares: Vec<_> =
            items.chunks(share).map(|share| scope.spawn(|| share.iter().map(&work).collect::<Vec<_>>())).collect();
        let done =
            shares.into_iter().map(|share| share.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        done.flatten().collect()
    })
}

/// The source that is packed in a file.
fn unpacked(path: &Path) -> Source<'static> {
    Source::reader(path.to_string_lossy(), Unpacked::file(path))
}
