//! 3TZ: a ZIP64 whose last entry indexes the paths by MD5, so that one entry is found without the ZIP directory.
//!
//! Two ways to read. With `Read + Seek`: [`Index::read`], [`Index::entry`], [`Index::read_entry`]. With range requests,
//! where the bytes come from elsewhere:
//! 1. read the last [`TAIL_BYTES`] of the archive, or all of it where it is shorter: [`Tail::parse`];
//! 2. read [`Tail::index_range`]: [`Index::parse`], once for an archive;
//! 3. for each path, read [`Index::header_range`]: [`Entry::parse`];
//! 4. read [`Entry::data_range`]: [`Entry::inflate`], or send the bytes as they are. Deflate becomes gzip between
//!    [`GZIP_HEADER`] and [`Entry::gzip_trailer`].
//!
//! Every length and offset is checked against the archive's length before it is used; a damaged archive is
//! `archive_corrupt`, one that uses what 3TZ rules out `archive_unsupported`. Memory is bounded by what the archive's
//! own bytes can hold.

mod index;
pub mod zip;

use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;

use parterre_model::{Error, Result};

pub use self::index::{Index, TAIL_BYTES, Tail, path_hash};

/// Path of the entry that holds the index.
pub const INDEX_PATH: &str = "@3dtilesIndex1@";

/// Largest entry that is inflated; a tile of a million points takes 20 MB.
pub const MAX_ENTRY_BYTES: u64 = 64 << 20;

/// Head of a gzip stream without name and time, to be followed by an entry's raw deflate bytes.
pub const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// How an entry's bytes lie in the archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// As they are.
    Stored,
    /// Raw deflate.
    Deflate,
}

/// Where an entry lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Offset of the first data byte in the archive.
    pub data_offset: u64,
    /// Bytes in the archive.
    pub compressed_len: u64,
    /// Bytes once inflated.
    pub len: u64,
    /// CRC-32 of the inflated bytes.
    pub crc32: u32,
    /// Encoding.
    pub method: Method,
}

impl Entry {
    /// Reads the local header at `header_offset`. `header` holds the bytes of [`Index::header_range`], `path` is the
    /// one looked for: another one under the same MD5 is damage.
    ///
    /// # Errors
    /// `archive_corrupt`, `archive_unsupported`.
    pub fn parse(header: &[u8], header_offset: u64, path: &str, archive_len: u64) -> Result<Self> {
        let local = zip::Local::parse(header)?;
        if local.name != path.as_bytes() {
            return Err(corrupt(format!("the index names {path} where another entry lies")));
        }
        local.entry(header_offset, archive_len)
    }

    /// Where the data lies in the archive.
    pub fn data_range(&self) -> Range<u64> {
        self.data_offset..self.data_offset + self.compressed_len
    }

    /// Refuses an entry that no tile needs, before anything is allocated by its lengths.
    ///
    /// # Errors
    /// `archive_unsupported` for more than [`MAX_ENTRY_BYTES`], in the archive or inflated.
    pub fn check_size(&self) -> Result<()> {
        let longest = self.len.max(self.compressed_len);
        if longest > MAX_ENTRY_BYTES { Err(unsupported(format!("an entry of {longest} bytes"))) } else { Ok(()) }
    }

    /// The entry's bytes out of those in the archive, checked against length and CRC.
    ///
    /// # Errors
    /// `archive_corrupt`; `archive_unsupported` for more than [`MAX_ENTRY_BYTES`].
    pub fn inflate(&self, data: Vec<u8>) -> Result<Vec<u8>> {
        self.check_size()?;
        if data.len() as u64 != self.compressed_len {
            return Err(corrupt("an entry is shorter than its header says"));
        }
        let bytes = match self.method {
            Method::Stored => data,
            Method::Deflate => {
                let mut bytes = Vec::with_capacity(usize::try_from(self.len).map_err(|_| corrupt("an entry is too long"))?);
                let inflated = flate2::read::DeflateDecoder::new(&data[..]).take(self.len + 1).read_to_end(&mut bytes);
                inflated.map_err(|error| corrupt(format!("an entry cannot be inflated: {error}")))?;
                bytes
            }
        };
        let mut crc = flate2::Crc::new();
        crc.update(&bytes);
        if bytes.len() as u64 != self.len || crc.sum() != self.crc32 {
            return Err(corrupt("an entry's length or CRC is wrong"));
        }
        Ok(bytes)
    }

    /// End of the gzip stream that begins with [`GZIP_HEADER`]: CRC-32 and length modulo 2^32.
    pub fn gzip_trailer(&self) -> [u8; 8] {
        let len = self.len & u64::from(u32::MAX);
        (u64::from(self.crc32) | (len << 32)).to_le_bytes()
    }

    /// Bytes of the whole gzip stream.
    pub fn gzip_len(&self) -> u64 {
        GZIP_HEADER.len() as u64 + self.compressed_len + 8
    }
}

impl Index {
    /// Reads the index at the archive's end.
    ///
    /// # Errors
    /// `archive_corrupt`, `archive_unsupported`, `io`.
    pub fn read<R: Read + Seek>(archive: &mut R) -> Result<Self> {
        let len = archive.seek(SeekFrom::End(0)).map_err(io)?;
        let tail_bytes = read_range(archive, len.saturating_sub(TAIL_BYTES)..len)?;
        let tail = Tail::parse(&tail_bytes, len)?;
        let index = read_range(archive, tail.index_range())?;
        Self::parse(&index, &tail)
    }

    /// Finds an entry by its path; reads its local header.
    ///
    /// # Errors
    /// `archive_corrupt`, `archive_unsupported`, `io`.
    pub fn entry<R: Read + Seek>(&self, archive: &mut R, path: &str) -> Result<Option<Entry>> {
        let Some(range) = self.header_range(path) else { return Ok(None) };
        let header = read_range(archive, range.clone())?;
        Entry::parse(&header, range.start, path, self.archive_len()).map(Some)
    }

    /// Reads and inflates an entry, and checks its CRC.
    ///
    /// # Errors
    /// `archive_corrupt`, `archive_unsupported`, `io`.
    pub fn read_entry<R: Read + Seek>(&self, archive: &mut R, path: &str) -> Result<Option<Vec<u8>>> {
        let Some(entry) = self.entry(archive, path)? else { return Ok(None) };
        entry.check_size()?;
        let data = read_range(archive, entry.data_range())?;
        entry.inflate(data).map(Some)
    }

    /// Every path but the index itself, in the order of the ZIP directory.
    ///
    /// # Errors
    /// `archive_corrupt` also where a path is not plain: absolute, with `..`, backslashes or a drive, not UTF-8.
    pub fn paths<R: Read + Seek>(&self, archive: &mut R) -> Result<Vec<String>> {
        let directory = read_range(archive, self.directory_range())?;
        zip::paths(&directory)
    }
}

fn read_range<R: Read + Seek>(archive: &mut R, range: Range<u64>) -> Result<Vec<u8>> {
    let len = usize::try_from(range.end - range.start).map_err(|_| corrupt("a part is too long for this machine"))?;
    let mut bytes = vec![0; len];
    archive.seek(SeekFrom::Start(range.start)).map_err(io)?;
    archive.read_exact(&mut bytes).map_err(io)?;
    Ok(bytes)
}

fn io(source: std::io::Error) -> Error {
    Error::io("read", "the archive", source)
}

fn corrupt(message: impl Into<String>) -> Error {
    Error::input("archive_corrupt", format!("the archive is damaged: {}", message.into()), "Copy it again, or make the tiles again.")
}

fn unsupported(message: impl Into<String>) -> Error {
    Error::input(
        "archive_unsupported",
        format!("the archive is not a 3TZ that can be read: {}", message.into()),
        "Give a .3tz archive of 3D Tiles.",
    )
}
