//! What was decided before: in memory, or in a file that several processes share.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use crate::decide::Event;

/// Remembers decisions, so that a failure that persists is told from one that is new.
pub trait History {
    /// Adds an event.
    ///
    /// # Errors
    /// If it cannot be stored.
    fn record(&mut self, event: Event) -> io::Result<()>;

    /// All events that are kept, in the order in which they were recorded, for
    /// [`Situation::past`](crate::Situation::past).
    ///
    /// # Errors
    /// If they cannot be read.
    fn events(&self) -> io::Result<Vec<Event>>;
}

/// A history that lasts as long as the process.
#[derive(Clone, Debug, Default)]
pub struct MemoryHistory {
    events: Vec<Event>,
}

impl MemoryHistory {
    /// An empty history.
    #[must_use]
    pub const fn new() -> Self {
        MemoryHistory { events: Vec::new() }
    }
}

impl History for MemoryHistory {
    fn record(&mut self, event: Event) -> io::Result<()> {
        if self.events.len() >= MAX_EVENTS {
            self.events.drain(..MAX_EVENTS / 2);
        }
        self.events.push(event);
        Ok(())
    }

    fn events(&self) -> io::Result<Vec<Event>> {
        Ok(self.events.clone())
    }
}

/// How many events are kept; at twice as many the older half is dropped.
const MAX_EVENTS: usize = 10_000;

/// The file is looked at for its length only when it is larger than this.
const SMALL: u64 = 512 * 1024;

/// A history in a file of JSON lines, one event a line.
///
/// Each event is appended with one write while a lock is held, so that several processes can share the file. The lock
/// is on a second file beside it (`….lock`), which lets the history itself be replaced when it has grown. A line that
/// was cut by a crash is passed over, and never glued to the next.
#[derive(Clone, Debug)]
pub struct FileHistory {
    path: PathBuf,
    keep: usize,
}

impl FileHistory {
    /// The history in a file, which is made when the first event is recorded. It keeps the last 10,000 events.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        FileHistory { path: path.into(), keep: MAX_EVENTS }
    }

    /// Keeps so many events; somewhat more stay on the disk between two clean-ups.
    #[must_use]
    pub fn keep(mut self, events: usize) -> Self {
        self.keep = events.max(1);
        self
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn locked<T>(&self, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let lock = OpenOptions::new().create(true).append(true).open(self.beside(".lock"))?;
        lock.lock()?;
        let result = work();
        lock.unlock()?;
        result
    }

    fn beside(&self, suffix: &str) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(suffix);
        name.into()
    }

    fn append(&self, event: &Event) -> io::Result<()> {
        let mut file = OpenOptions::new().create(true).append(true).read(true).open(&self.path)?;
        let length = file.metadata()?.len();
        let mut line = Vec::new();
        if length > 0 {
            // The last line may have been cut by a crash: it ends here.
            file.seek(SeekFrom::End(-1))?;
            let mut last = [0];
            file.read_exact(&mut last)?;
            if last != *b"\n" {
                line.push(b'\n');
            }
        }
        serde_json::to_writer(&mut line, event)?;
        line.push(b'\n');
        file.write_all(&line)?;
        file.sync_data()?;
        if length > SMALL.min(self.keep as u64 * 100) {
            self.shorten()?;
        }
        Ok(())
    }

    /// Keeps the last events when there are twice as many, in a new file that takes the place of the old at once.
    fn shorten(&self) -> io::Result<()> {
        let bytes = fs::read(&self.path)?;
        let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
        if lines.len() < self.keep * 2 {
            return Ok(());
        }
        let temporary = self.beside(".new");
        let mut file = File::create(&temporary)?;
        file.write_all(&lines[lines.len() - self.keep..].concat())?;
        file.sync_all()?;
        fs::rename(&temporary, &self.path)
    }
}

impl History for FileHistory {
    fn record(&mut self, event: Event) -> io::Result<()> {
        self.locked(|| self.append(&event))
    }

    fn events(&self) -> io::Result<Vec<Event>> {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let events: Vec<Event> = lines.filter_map(|line| serde_json::from_slice(line).ok()).collect();
        let from = events.len().saturating_sub(self.keep);
        Ok(events[from..].to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::{Policy, Situation};
    use crate::source::Source;

    fn event(task: &str) -> Event {
        let report = crate::Analyzer::new().analyze([Source::bytes("a", &b"Error: Cannot find module 'x'\n"[..])]);
        let situation = Situation::new().task(task).now_ms(7);
        let decision = Policy::default().decide(&report, &situation);
        situation.event(&report, &decision)
    }

    /// A folder that is gone when the test is over.
    struct Folder(PathBuf);

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn fresh(name: &str) -> (Folder, FileHistory) {
        let folder = Folder(std::env::temp_dir().join(format!("whyred-{}-{name}", std::process::id())));
        fs::create_dir_all(&folder.0).unwrap();
        let history = FileHistory::new(folder.0.join("history.jsonl"));
        (folder, history)
    }

    #[test]
    fn a_torn_line_is_passed_over() {
        let (_folder, mut history) = fresh("torn");
        history.record(event("a")).unwrap();
        OpenOptions::new().append(true).open(history.path()).unwrap().write_all(b"{\"at_ms\":1,\"ta").unwrap();
        history.record(event("b")).unwrap();
        assert_eq!(history.events().unwrap(), [event("a"), event("b")]);
    }

    #[test]
    fn it_does_not_grow_without_end() {
        let (_folder, history) = fresh("long");
        let mut history = history.keep(10);
        for number in 0..200 {
            history.record(event(&number.to_string())).unwrap();
        }
        let events = history.events().unwrap();
        assert_eq!((events.len(), events[9].task.as_deref()), (10, Some("199")));
        let lines = fs::read_to_string(history.path()).unwrap().lines().count();
        assert!(lines < 40, "{lines}");
    }

    /// Run by [`processes_share_a_file`] in processes of their own, which tell the file in their environment.
    #[test]
    fn one_of_many_processes() {
        let Some(path) = std::env::var_os("WHYRED_TEST_HISTORY") else { return };
        let mut history = FileHistory::new(path).keep(40);
        let event = event(&std::process::id().to_string());
        (0..30).for_each(|_| history.record(event.clone()).unwrap());
    }

    #[test]
    fn processes_share_a_file() {
        let (_folder, history) = fresh("processes");
        let start = || {
            let mut command = std::process::Command::new(std::env::current_exe().unwrap());
            command.args(["--exact", "history::tests::one_of_many_processes"]);
            command.env("WHYRED_TEST_HISTORY", history.path()).stdout(std::process::Stdio::null());
            command.spawn().unwrap()
        };
        let mut children: Vec<_> = (0..4).map(|_| start()).collect();
        // One of them dies in the midst of it, wherever that is.
        std::thread::sleep(std::time::Duration::from_millis(60));
        let mut killed = children.pop().unwrap();
        let _ = killed.kill();
        let _ = killed.wait();
        for mut child in children {
            assert!(child.wait().unwrap().success());
        }
        let kept = history.clone().keep(1000).events().unwrap();
        // The file is shortened to 40 events when it holds twice as many, so that the last ones are all there.
        assert!((40..=120).contains(&kept.len()), "{}", kept.len());
        let text = fs::read_to_string(history.path()).unwrap();
        let torn = text.lines().filter(|line| serde_json::from_str::<Event>(line).is_err()).count();
        assert!(torn <= 1, "only the one that was killed may have left a torn line:\n{text}");
        assert!(text.ends_with('\n'));
    }

    #[test]
    fn a_file_cut_anywhere_is_read_up_to_there() {
        let (_folder, mut history) = fresh("cut");
        (0..3).for_each(|number| history.record(event(&number.to_string())).unwrap());
        let bytes = fs::read(history.path()).unwrap();
        for end in 0..bytes.len() {
            fs::write(history.path(), &bytes[..end]).unwrap();
            let whole = bytes[..end].iter().filter(|byte| **byte == b'\n').count();
            let read = history.events().unwrap().len();
            assert!(read == whole || read == whole + 1 && bytes[end] == b'\n', "cut at {end}: {read} of {whole}");
        }
    }

    #[test]
    fn threads_share_a_file() {
        let (_folder, history) = fresh("shared");
        std::thread::scope(|scope| {
            for name in ["a", "b", "c", "d"] {
                let mut history = history.clone();
                let event = event(name);
                scope.spawn(move || (0..25).for_each(|_| history.record(event.clone()).unwrap()));
            }
        });
        assert_eq!(history.events().unwrap().len(), 100);
    }
}
