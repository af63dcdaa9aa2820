//! Open tile archives: the index of each is read once and kept; rarely used archives are closed.
//!
//! A published archive never changes, so an open one stays valid. Reads go to the file at an offset; threads share the
//! file and nothing else.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parterre_tile::archive::{Entry, Index};
use quick_cache::Equivalent;
use quick_cache::sync::Cache;

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
        self.at = at.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "a position before the start of the file"))?;
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

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// An open archive.
#[derive(Debug)]
pub struct Archive {
    id: u64,
    cursor: Cursor,
    index: Index,
}

impl Archive {
    /// Opens an archive and reads its index.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let file = File::open(path)?;
        let len = file.metadata()?.len();
        let cursor = Cursor { file: Arc::new(file), at: 0, len };
        let index = Index::read(&mut cursor.clone())?;
        Ok(Self { id: NEXT_ID.fetch_add(1, Ordering::Relaxed), cursor, index })
    }

    /// Number of this opening, unique in the process: the same file opened again has another.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Finds an entry.
    pub fn entry(&self, path: &str) -> parterre_model::Result<Option<Entry>> {
        self.index.entry(&mut self.cursor.clone(), path)
    }

    /// Reads an entry's bytes as the archive holds them, still compressed if the entry is.
    pub fn read(&self, entry: Entry) -> io::Result<Vec<u8>> {
        let inside = entry.data_offset.checked_add(entry.compressed_len).is_some_and(|end| end <= self.cursor.len);
        if !inside {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "an entry reaches past the end of its archive"));
        }
        let mut bytes = vec![0; entry.compressed_len as usize];
        let mut cursor = self.cursor.clone();
        cursor.at = entry.data_offset;
        cursor.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

/// Identifies a version.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    scan: String,
    version: u32,
}

/// A [`Key`] that borrows, to look up without allocating.
#[derive(Clone, Copy, Debug, Hash)]
struct KeyRef<'a> {
    scan: &'a str,
    version: u32,
}

impl Equivalent<Key> for KeyRef<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.version == key.version && self.scan == key.scan
    }
}

/// The open archives, by scan and version.
#[derive(Debug)]
pub struct Archives {
    open: Cache<Key, Arc<Archive>>,
}

impl Archives {
    /// Keeps at most `capacity` archives open.
    pub fn new(capacity: usize) -> Self {
        Self { open: Cache::new(capacity.max(1)) }
    }

    /// The archive, if it is open.
    pub fn get(&self, scan: &str, version: u32) -> Option<Arc<Archive>> {
        self.open.get(&KeyRef { scan, version })
    }

    /// Closes the archive of a version that was deleted.
    pub fn forget(&self, scan: &str, version: u32) {
        self.open.remove(&KeyRef { scan, version });
    }

    /// The archive, by `open` where it is not open. Of several callers one opens it and the others wait. Blocks.
    pub fn get_or_open<E>(&self, scan: &str, version: u32, open: impl FnOnce() -> Result<Archive, E>) -> Result<Arc<Archive>, E> {
        self.open.get_or_insert_with(&Key { scan: scan.to_owned(), version }, || open().map(Arc::new))
    }
}
