//! Reads through what CI systems pack logs and reports in: gzip, Zstandard, xz, and zip archives.
//!
//! What a file is packed in is found from its first bytes. Files and members are opened when they are read, so that
//! thousands of them do not hold thousands of handles; nothing is unpacked to disk, and memory stays bounded.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use flate2::read::{DeflateDecoder, MultiGzDecoder};
use lzma_rust2::XzReader;
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};
use zip::{CompressionMethod, ZipArchive};

/// What one file or member may unpack to. Logs shrink to a fiftieth, bombs to a thousandth.
const MAX_UNPACKED: u64 = 32 << 30;

/// How many members of an archive are looked at.
const MAX_MEMBERS: usize = 10_000;

/// The memory that a decoder of xz or Zstandard may take for its window: what `xz -9` needs.
const MAX_WINDOW: u64 = 66 << 20;

/// How many bytes tell what a file is packed in.
const MAGIC: usize = 6;

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
    open: Option<Box<dyn Read + Send>>,
    left: u64,
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
        Unpacked { place, open: None, left: MAX_UNPACKED }
    }

    fn open(&mut self) -> io::Result<Box<dyn Read + Send>> {
        match &mut self.place {
            Place::Reader(reader) => through(reader.take().unwrap_or_else(|| Box::new(io::empty()))),
            Place::File(path) => through(Box::new(File::open(path)?)),
            Place::Member { archive, start, size, deflated } => {
                let mut file = File::open(archive)?;
                file.seek(SeekFrom::Start(*start))?;
                let raw = BufReader::new(file.take(*size));
                Ok(if *deflated { Box::new(DeflateDecoder::new(raw)) } else { Box::new(raw) })
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
        let read = open.read(buffer)?;
        match self.left.checked_sub(read as u64) {
            Some(left) => self.left = left,
            None => return Err(io::Error::other(format!("it unpacks to more than {} GiB", MAX_UNPACKED >> 30))),
        }
        Ok(read)
    }
}

/// Reads through the packing of a stream, if it has one.
fn through(mut reader: Box<dyn Read + Send>) -> io::Result<Box<dyn Read + Send>> {
    let mut head = Vec::with_capacity(MAGIC);
    reader.by_ref().take(MAGIC as u64).read_to_end(&mut head)?;
    let packing = Packing::of(&head);
    let whole = io::Cursor::new(head).chain(reader);
    Ok(match packing {
        None => Box::new(whole),
        Some(Packing::Gzip) => Box::new(MultiGzDecoder::new(BufReader::new(whole))),
        Some(Packing::Zstd) => Box::new(Zstd::new(whole)?),
        Some(Packing::Xz) => Box::new(XzReader::new_mem_limit(BufReader::new(whole), true, (MAX_WINDOW >> 10) as u32)),
        Some(Packing::Zip) => {
            let message = "a zip archive can be read from a file, not from a stream";
            return Err(io::Error::new(io::ErrorKind::Unsupported, message));
        }
    })
}

/// The frames of a Zstandard stream, one behind the other.
struct Zstd<R: Read> {
    frame: Option<StreamingDecoder<BufReader<R>, FrameDecoder>>,
}

impl<R: Read> Zstd<R> {
    fn new(reader: R) -> io::Result<Self> {
        Ok(Zstd { frame: Some(frame(BufReader::new(reader))?) })
    }
}

fn frame<R: Read>(reader: BufReader<R>) -> io::Result<StreamingDecoder<BufReader<R>, FrameDecoder>> {
    StreamingDecoder::new_with_max_window_size(reader, MAX_WINDOW).map_err(io::Error::other)
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
                self.frame = Some(frame(reader)?);
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

/// The files in an archive, in the order of their names, and what is wrong with those that cannot be read.
pub(crate) fn members(path: &Path) -> io::Result<(Vec<Member>, Vec<String>)> {
    let mut archive = ZipArchive::new(BufReader::new(File::open(path)?)).map_err(io::Error::other)?;
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
    let whole: Vec<String> = members.iter().filter_map(|member| job(&member.name)).map(str::to_owned).collect();
    // GitHub packs the log of each job whole, and the logs of its steps once more in a folder of the job's name.
    members
        .retain(|member| member.name.split_once('/').is_none_or(|(folder, _)| !whole.iter().any(|job| job == folder)));
    Ok((members, complaints))
}

/// The job whose whole log a member is: `0_build.txt` is of `build`.
fn job(name: &str) -> Option<&str> {
    let (number, job) = name.strip_suffix(".txt")?.split_once('_')?;
    (number.bytes().all(|byte| byte.is_ascii_digit()) && !number.is_empty() && !job.contains('/')).then_some(job)
}
