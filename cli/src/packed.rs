//! Reads through what CI systems pack logs and reports in: gzip, Zstandard, xz, and zip archives.
//!
//! What a file is packed in is found from its first bytes. Files and members are opened when they are read, so that
//! thousands of them do not hold thousands of handles; nothing is unpacked to disk, and memory stays bounded.

use std::cell::Cell;
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Condvar, Mutex, PoisonError};

use flate2::read::{DeflateDecoder, MultiGzDecoder};
use lzma_rust2::XzReader;
use ruzstd::decoding::errors::FrameDecoderError;
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};
use zip::{CompressionMethod, ZipArchive};

/// What one file or member may unpack to. Logs shrink to a fiftieth, bombs to a thousandth.
const MAX_UNPACKED: u64 = 32 << 30;

/// How many members of an archive are looked at.
pub(crate) const MAX_MEMBERS: usize = 10_000;

/// How much of an archive is read to find its members: an entry takes ten times the memory of its shortest form.
const MAX_DIRECTORY: u64 = 4 << 20;

/// The memory that a decoder of xz or Zstandard may take beside others: what `xz -6` and `zstd -19` need.
const WINDOW: u64 = 9 << 20;

/// The memory that one decoder may take while no other takes more than [`WINDOW`]: what `xz -8` needs.
const WIDE_WINDOW: u64 = 33 << 20;

/// What `xz -9` needs. Its window grows with what comes out, so that it is read as far as [`WIDE_WINDOW`] suffices.
const WIDEST_WINDOW: u64 = 66 << 20;

/// How much is read of what was packed with the widest window. With one byte more it would grow to twice the size.
const MAX_OF_WIDEST: u64 = (32 << 20) - 1;

/// How many bytes tell what a file is packed in, and how many tell how wide its window is.
const MAGIC: usize = 6;
const HEADER: usize = 1100;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    Gzip,
    Zstd,
    Xz,
    Zip,
}

impl Packing {
    /// What bytes are packed in, by their beginning.
    pub(crate) fn of(head: &[u8]) -> Option<Self> {
        match head {
            [0x1f, 0x8b, 8, ..] => Some(Packing::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Packing::Zstd),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Packing::Xz),
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Some(Packing::Zip),
            _ => None,
        }
    }

    /// What a file is packed in; a file that cannot be read is not packed.
    pub(crate) fn of_file(path: &Path) -> Option<Self> {
        // To open a pipe is to take from it.
        if !path.metadata().is_ok_and(|metadata| metadata.is_file()) {
            return None;
        }
        let mut head = Vec::new();
        File::open(path).ok()?.take(MAGIC as u64).read_to_end(&mut head).ok()?;
        Packing::of(&head)
    }
}

/// The name of what is packed in a file: without the extension of the packing.
pub(crate) fn inner_name(name: &str) -> &str {
    [".gz", ".zst", ".xz"].iter().find_map(|extension| name.strip_suffix(extension)).unwrap_or(name)
}

/// Reads a packed file or a member of an archive; opens it when it is first read.
pub(crate) struct Unpacked {
    place: Place,
    open: Option<Opened>,
}

/// What is being read.
struct Opened {
    reader: Box<dyn Read + Send>,
    /// How much may still come out, and what is wrong where more does.
    left: u64,
    too_long: &'static str,
    /// Held as long as a wide window is.
    _turn: Option<Turn>,
}

impl Opened {
    fn new(reader: impl Read + Send + 'static) -> Self {
        let too_long = "it unpacks to more than 32 GiB";
        Opened { reader: Box::new(reader), left: MAX_UNPACKED, too_long, _turn: None }
    }
}

/// The right to a wide window, which one thread has at a time.
struct Turn;

static TAKEN: (Mutex<bool>, Condvar) = (Mutex::new(false), Condvar::new());

impl Turn {
    /// Waits for it.
    fn take() -> Self {
        let (taken, freed) = &TAKEN;
        let taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
        *freed.wait_while(taken, |taken| *taken).unwrap_or_else(PoisonError::into_inner) = true;
        Turn
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let (taken, freed) = &TAKEN;
        *taken.lock().unwrap_or_else(PoisonError::into_inner) = false;
        freed.notify_one();
    }
}

enum Place {
    /// Something that is being read already, such as standard input.
    Reader(Option<Box<dyn Read + Send>>),
    File(PathBuf),
    Member {
        archive: PathBuf,
        start: u64,
        size: u64,
        deflated: bool,
    },
}

impl Unpacked {
    /// What a file holds, packed or not.
    pub(crate) fn file(path: &Path) -> Self {
        Unpacked::new(Place::File(path.to_owned()))
    }

    /// What comes out of a reader, packed or not.
    pub(crate) fn reader(reader: impl Read + Send + 'static) -> Self {
        Unpacked::new(Place::Reader(Some(Box::new(reader))))
    }

    fn new(place: Place) -> Self {
        Unpacked { place, open: None }
    }

    fn open(&mut self) -> io::Result<Opened> {
        match &mut self.place {
            Place::Reader(reader) => through(reader.take().unwrap_or_else(|| Box::new(io::empty()))),
            Place::File(path) => through(Box::new(File::open(path)?)),
            Place::Member { archive, start, size, deflated } => {
                let mut file = File::open(archive)?;
                file.seek(SeekFrom::Start(*start))?;
                let raw = BufReader::new(file.take(*size));
                Ok(if *deflated { Opened::new(DeflateDecoder::new(raw)) } else { Opened::new(raw) })
            }
        }
    }
}

impl Read for Unpacked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.open.is_none() {
            self.open = Some(self.open()?);
        }
        let Some(open) = &mut self.open else { return Ok(0) };
        // One byte more than may come out tells that more does.
        let most = usize::try_from(open.left.saturating_add(1)).unwrap_or(usize::MAX);
        let room = buffer.len().min(most);
        let read = open.reader.read(&mut buffer[..room])?;
        open.left = open.left.checked_sub(read as u64).ok_or_else(|| io::Error::other(open.too_long))?;
        Ok(read)
    }
}

/// Reads through the packing of a stream, if it has one.
fn through(mut reader: Box<dyn Read + Send>) -> io::Result<Opened> {
    let mut head = Vec::with_capacity(MAGIC);
    reader.by_ref().take(MAGIC as u64).read_to_end(&mut head)?;
    let packing = Packing::of(&head);
    if matches!(packing, Some(Packing::Zstd | Packing::Xz)) {
        reader.by_ref().take(HEADER as u64).read_to_end(&mut head)?;
    }
    let suffices = |window: u64| match packing {
        Some(Packing::Zstd) => StreamingDecoder::new_with_max_window_size(&head[..], window).is_ok(),
        Some(Packing::Xz) => {
            let read = XzReader::new_mem_limit(&head[..], true, (window >> 10) as u32).read(&mut [0]);
            read.err().is_none_or(|error| error.kind() != io::ErrorKind::OutOfMemory)
        }
        _ => true,
    };
    let window = [WINDOW, WIDE_WINDOW, WIDEST_WINDOW].into_iter().find(|window| suffices(*window));
    let window = window.unwrap_or(WIDE_WINDOW);
    let turn = (window > WINDOW).then(Turn::take);
    let whole = io::Cursor::new(head).chain(reader);
    let opened = match packing {
        None => Opened::new(whole),
        Some(Packing::Gzip) => Opened::new(MultiGzDecoder::new(BufReader::new(whole))),
        Some(Packing::Zstd) => Opened::new(Zstd::new(whole, window.min(WIDE_WINDOW))?),
        Some(Packing::Xz) => {
            let reader = XzReader::new_mem_limit(BufReader::new(whole), true, (window >> 10) as u32);
            let mut opened = Opened::new(reader);
            if window > WIDE_WINDOW {
                opened.left = MAX_OF_WIDEST;
                opened.too_long = "more than 32 MiB were packed with a window of more than that, which would take too \
                                   much memory; `xz -8` packs what is read whole";
            }
            opened
        }
        Some(Packing::Zip) => {
            let message = "a zip archive can be read from a file, not from a stream";
            return Err(io::Error::new(io::ErrorKind::Unsupported, message));
        }
    };
    Ok(Opened { _turn: turn, ..opened })
}

/// The frames of a Zstandard stream, one behind the other.
struct Zstd<R: Read> {
    frame: Option<StreamingDecoder<BufReader<R>, FrameDecoder>>,
    /// How wide the window of a frame may be.
    window: u64,
}

impl<R: Read> Zstd<R> {
    fn new(reader: R, window: u64) -> io::Result<Self> {
        Ok(Zstd { frame: Some(frame(BufReader::new(reader), window)?), window })
    }
}

fn frame<R: Read>(reader: BufReader<R>, window: u64) -> io::Result<StreamingDecoder<BufReader<R>, FrameDecoder>> {
    StreamingDecoder::new_with_max_window_size(reader, window).map_err(|error| match error {
        FrameDecoderError::WindowSizeTooBig { .. } => io::Error::other(
            "it was packed with a window of more than 32 MiB, which would take too much memory; \
             zstd without `--long` packs what is read",
        ),
        other => io::Error::other(other),
    })
}

impl<R: Read> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(current) = &mut self.frame {
            let read = current.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            let Some(ended) = self.frame.take() else { break };
            let mut reader = ended.into_inner();
            if !reader.fill_buf()?.is_empty() {
                self.frame = Some(frame(reader, self.window)?);
            }
        }
        Ok(0)
    }
}

/// A file in an archive.
pub(crate) struct Member {
    /// Its path within the archive.
    pub name: String,
    place: Place,
}

impl Member {
    pub(crate) fn open(self) -> Unpacked {
        Unpacked::new(self.place)
    }

    /// The first bytes, for finding out what it is.
    pub(crate) fn head(&self, limit: u64) -> io::Result<Vec<u8>> {
        let Place::Member { archive, start, size, deflated } = &self.place else { return Ok(Vec::new()) };
        let place = Place::Member { archive: archive.clone(), start: *start, size: *size, deflated: *deflated };
        let mut head = Vec::new();
        Unpacked::new(place).take(limit).read_to_end(&mut head)?;
        Ok(head)
    }
}

/// Reads from an archive no more than is left.
struct Bounded<R> {
    reader: R,
    left: Rc<Cell<u64>>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        let left = self.left.get().checked_sub(read as u64);
        self.left.set(left.unwrap_or(0));
        left.map(|_| read).ok_or_else(|| io::Error::other("too much to read"))
    }
}

impl<R: Seek> Seek for Bounded<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.reader.seek(to)
    }
}

/// The files in an archive, in the order of their names, and what is wrong with those that cannot be read.
pub(crate) fn members(path: &Path) -> io::Result<(Vec<Member>, Vec<String>)> {
    let left = Rc::new(Cell::new(MAX_DIRECTORY));
    let file = Bounded { reader: BufReader::new(File::open(path)?), left: left.clone() };
    let mut archive = ZipArchive::new(file).map_err(|error| match left.get() {
        0 => {
            io::Error::other("its directory of files is damaged or larger than 4 MiB, which would take too much memory")
        }
        _ => io::Error::other(error),
    })?;
    left.set(u64::MAX);
    let (mut members, mut complaints) = (Vec::new(), Vec::new());
    if archive.len() > MAX_MEMBERS {
        complaints.push(format!("of {} files the first {MAX_MEMBERS} are read", archive.len()));
    }
    for index in 0..archive.len().min(MAX_MEMBERS) {
        let entry = archive.by_index_raw(index).map_err(io::Error::other)?;
        if !entry.is_file() {
            continue;
        }
        let name = entry.name().map_err(io::Error::other)?.into_owned();
        let deflated = match entry.compression() {
            CompressionMethod::Stored => false,
            CompressionMethod::Deflated => true,
            other => {
                complaints.push(format!("{name}: is packed in a way that is not read: {other}"));
                continue;
            }
        };
        let Some(start) = entry.data_start().filter(|_| !entry.encrypted()) else {
            complaints.push(format!("{name}: is encrypted"));
            continue;
        };
        let place = Place::Member { archive: path.to_owned(), start, size: entry.compressed_size(), deflated };
        members.push(Member { name, place });
    }
    members.sort_by(|a, b| a.name.cmp(&b.name));
    let whole: HashSet<String> = members.iter().filter_map(|member| job(&member.name)).map(str::to_owned).collect();
    // GitHub packs the log of each job whole, and the logs of its steps once more in a folder of the job's name.
    members.retain(|member| member.name.split_once('/').is_none_or(|(folder, _)| !whole.contains(folder)));
    Ok((members, complaints))
}

/// The job whose whole log a member is: `0_build.txt` is of `build`.
fn job(name: &str) -> Option<&str> {
    let (number, job) = name.strip_suffix(".txt")?.split_once('_')?;
    (number.bytes().all(|byte| byte.is_ascii_digit()) && !number.is_empty() && !job.contains('/')).then_some(job)
}
