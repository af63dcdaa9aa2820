//! Reading an archive that can be sought.

use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;

use super::entry::Entry;
use super::error::{corrupt, io};
use super::index::{Index, TAIL_BYTES, Tail};
use super::zip;
use parterre_model::Result;

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
