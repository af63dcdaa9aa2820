//! Tile archives that are open: the index of each is read once and kept, the least recently used ones are closed.
//!
//! A published archive never changes, so what is open stays valid. Reads go to the file at an offset; threads share the
//! file and nothing else.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use parterre_tile::archive::{Entry, Index};

/// A file that many threads read at offsets of their own.
#[derive(Clone, Debug)]
struct Cursor {
    file: Arc<File>,
    at: u64,
    len: u64,
}

impl Read for Cursor {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = read_at(&self.file, buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for Cursor {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.len.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a place before the start of the file"))?;
        Ok(self.at)
    }
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, at)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, at)
}

/// An open archive.
#[derive(Debug)]
pub struct Archive {
    cursor: Cursor,
    index: Index,
}

/// An entry with its bytes as they lie in the archive.
#[derive(Debug)]
pub struct Content {
    /// Where it lies, and how.
    pub entry: Entry,
    /// Its bytes, still compressed if the entry is.
    pub bytes: Vec<u8>,
}

impl Archive {
    /// Opens an archive and reads its index.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let file = File::open(path)?;
        let len = file.metadata()?.len();
        let cursor = Cursor { file: Arc::new(file), at: 0, len };
        let index = Index::read(&mut cursor.clone())?;
        Ok(Self { cursor, index })
    }

    /// Finds an entry.
    pub fn entry(&self, path: &str) -> parterre_model::Result<Option<Entry>> {
        self.index.entry(&mut self.cursor.clone(), path)
    }

    /// Reads an entry's bytes as they lie.
    pub fn read(&self, entry: Entry) -> io::Result<Content> {
        let inside = entry.data_offset.checked_add(entry.compressed_len).is_some_and(|end| end <= self.cursor.len);
        if !inside {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "an entry reaches past the end of its archive"));
        }
        let mut bytes = vec![0; entry.compressed_len as usize];
        let mut cursor = self.cursor.clone();
        cursor.at = entry.data_offset;
        cursor.read_exact(&mut bytes)?;
        Ok(Content { entry, bytes })
    }
}

/// The open archives, by scan and version.
#[derive(Debug)]
pub struct Archives {
    capacity: usize,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    by_version: HashMap<(String, u32), (u64, Arc<Archive>)>,
    uses: u64,
}

impl Archives {
    /// Keeps at most `capacity` open.
    pub fn new(capacity: usize) -> Self {
        Self { capacity: capacity.max(1), open: Mutex::default() }
    }

    /// The archive, if it is open.
    pub fn get(&self, scan: &str, version: u32) -> Option<Arc<Archive>> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.uses += 1;
        let now = open.uses;
        let (used, archive) = open.by_version.get_mut(&(scan.to_owned(), version))?;
        *used = now;
        Some(Arc::clone(archive))
    }

    /// Keeps an archive open.
    pub fn put(&self, scan: &str, version: u32, archive: Arc<Archive>) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.uses += 1;
        let now = open.uses;
        open.by_version.insert((scan.to_owned(), version), (now, archive));
        while open.by_version.len() > self.capacity {
            let Some(oldest) = open.by_version.iter().min_by_key(|(_, (used, _))| *used).map(|(key, _)| key.clone()) else { break };
            open.by_version.remove(&oldest);
        }
    }
}
