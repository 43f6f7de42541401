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

/// How many files of a folder are looked at together.
const BATCH: usize = 4096;

/// What the arguments name.
#[derive(Default)]
pub(crate) struct Inputs<'a> {
    pub sources: Vec<Source<'a>>,
    /// What is wrong with folders and with files in them, each in one line.
    pub complaints: Vec<String>,
    /// The files in folders that are neither report nor log, where they are asked for.
    pub passed_over: Vec<String>,
    /// More files were found than are read.
    full: bool,
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
            if self.is_full(path) {
                return;
            }
            let name = format!("{archive}/{}", member.name);
            match member.head(HEAD) {
                Err(error) => self.complaints.push(format!("{name}: {error}")),
                Ok(head) if Format::of_file(&name, &head).is_some() => {
                    self.take(Source::reader(name, member.open()), args);
                }
                Ok(_) => self.pass_over(name, args),
            }
        }
        if self.sources.len() == before && self.complaints.is_empty() {
            self.complaints.push(format!("{archive}: holds neither a log nor a test report"));
        }
    }

    /// Whether as many files are taken as are read of folders and archives, of which it complains once.
    fn is_full(&mut self, path: &Path) -> bool {
        let full = self.sources.len() >= packed::MAX_MEMBERS;
        if full && !self.full {
            self.full = true;
            let count = packed::MAX_MEMBERS;
            self.complaints.push(format!("{}: of more than {count} files the first {count} are read", path.display()));
        }
        full
    }

    fn pass_over(&mut self, name: String, args: &Args) {
        if args.verbose {
            self.passed_over.push(name);
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
        let mut entries = WalkDir::new(folder).sort_by_file_name().into_iter().filter_entry(wanted).peekable();
        while entries.peek().is_some() && !self.full {
            let some: Vec<_> = entries.by_ref().take(BATCH).collect();
            let readable = in_parallel(&some, is_readable);
            for (entry, readable) in some.into_iter().zip(readable) {
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
                    (Ok(false), packing) if packing != Some(Packing::Zip) => {
                        self.pass_over(path.display().to_string(), args);
                    }
                    _ if self.is_full(folder) => break,
                    (_, Some(Packing::Zip)) => self.archive(path, args),
                    (Err(error), _) => self.complaints.push(format!("{}: {error}", path.display())),
                    (Ok(_), None) => self.take(Source::file(path), args),
                    (Ok(_), Some(_)) => self.take(unpacked(path), args),
                }
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

#[cfg(test)]
mod tests {
    use std::fs;

    use clap::Parser as _;

    use super::Inputs;
    use crate::args::Args;
    use crate::packed::MAX_MEMBERS;

    #[test]
    fn of_a_folder_as_many_files_are_read_as_of_an_archive() {
        let folder = std::env::temp_dir().join(format!("whyred-inputs-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        for number in 0..=MAX_MEMBERS {
            fs::write(folder.join(format!("{number}.log")), "x").unwrap();
        }
        let args = Args::parse_from(["whyred"]);
        let inputs = Inputs::of(&folder, &args);
        fs::remove_file(folder.join("0.log")).unwrap();
        let fewer = Inputs::of(&folder, &args);
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!((inputs.sources.len(), inputs.complaints.len()), (MAX_MEMBERS, 1));
        assert!(inputs.complaints[0].contains("the first 10000 are read"), "{:?}", inputs.complaints);
        assert_eq!((fewer.sources.len(), fewer.complaints.len()), (MAX_MEMBERS, 0));
    }
}
