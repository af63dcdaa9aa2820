//! Finding the index and looking paths up in it, from bytes that the caller has read.

use std::fmt::Debug;
use std::ops::Range;

use md5::{Digest, Md5};

use super::entry::{INDEX_PATH, Method};
use super::error::{corrupt, unsupported};
use super::zip;
use parterre_model::Result;

/// Bytes at an archive's end that [`Tail::parse`] wants: the end records and the directory's last record.
pub const TAIL_BYTES: u64 = 1024;

/// Bytes of extra fields that an entry's local header may have.
const EXTRA_BYTES: u64 = 256;
const SLOT_BYTES: usize = 24;
/// Bytes of the index' own local header.
const LONGEST_HEADER: u64 = zip::LOCAL_BYTES as u64 + INDEX_PATH.len() as u64 + EXTRA_BYTES;

/// The end of an archive: where its directory and index are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tail {
    archive_len: u64,
    directory: Range<u64>,
    index_header: u64,
}

impl Tail {
    /// Reads the archive's last bytes: [`TAIL_BYTES`] of them, or all where there are fewer.
    ///
    /// # Errors
    /// `archive_corrupt` for no ZIP at all, `archive_unsupported` for a ZIP without the index as its last entry.
    pub fn parse(tail: &[u8], archive_len: u64) -> Result<Self> {
        let no_zip = || corrupt("it does not end as a ZIP archive does");
        let start = archive_len.checked_sub(tail.len() as u64).ok_or_else(no_zip)?;
        let end_at = (tail.len().checked_sub(zip::END_BYTES).into_iter().flat_map(|last| (0..=last).rev()))
            .find(|&at| {
                let comment = zip::u16_at(tail, at + 20).map(usize::from);
                zip::u32_at(tail, at) == Some(zip::END) && comment == Some(tail.len() - at - zip::END_BYTES)
            })
            .ok_or_else(no_zip)?;
        let mut size = u64::from(zip::u32_at(tail, end_at + 12).ok_or_else(no_zip)?);
        let mut offset = u64::from(zip::u32_at(tail, end_at + 16).ok_or_else(no_zip)?);
        let mut count = u64::from(zip::u16_at(tail, end_at + 10).ok_or_else(no_zip)?);
        let mut directory_end = start + end_at as u64;
        let locator = end_at.checked_sub(zip::LOCATOR64_BYTES).filter(|&at| zip::u32_at(tail, at) == Some(zip::LOCATOR64));
        if let Some(locator) = locator {
            let end64 = zip::u64_at(tail, locator + 8).and_then(|at| at.checked_sub(start)).and_then(|at| usize::try_from(at).ok());
            let end64 = end64.filter(|&at| zip::u32_at(tail, at) == Some(zip::END64)).ok_or_else(no_zip)?;
            count = zip::u64_at(tail, end64 + 32).ok_or_else(no_zip)?;
            size = zip::u64_at(tail, end64 + 40).ok_or_else(no_zip)?;
            offset = zip::u64_at(tail, end64 + 48).ok_or_else(no_zip)?;
            directory_end = start + end64 as u64;
        }
        if offset.checked_add(size) != Some(directory_end) {
            return Err(corrupt("its directory is not where it should be"));
        }

        // The directory's records can only be walked forwards, but the last one has a known name.
        let end = (directory_end - start) as usize;
        let shortest = zip::CENTRAL_BYTES + INDEX_PATH.len();
        let last = (end.saturating_sub(shortest + EXTRA_BYTES as usize)..=end.saturating_sub(shortest)).rev().find_map(|at| {
            let record = zip::Central::parse(tail.get(at..end)?).ok()?;
            (record.bytes == end - at && record.name == INDEX_PATH.as_bytes()).then_some(record.header_offset)
        });
        let index_header = last.ok_or_else(|| unsupported("its last entry is not the index"))?;
        // The reader of the index allocates by this range: it must fit the number of entries, and these the directory.
        let longest = Some(count).filter(|count| *count <= size).and_then(|count| count.checked_mul(SLOT_BYTES as u64));
        let longest = longest.and_then(|slots| slots.checked_add(LONGEST_HEADER));
        let index_len = offset.checked_sub(index_header).filter(|len| *len > 0 && longest.is_some_and(|longest| *len <= longest));
        if index_len.is_none() {
            return Err(corrupt("its index is not where it should be"));
        }
        Ok(Self { archive_len, directory: offset..directory_end, index_header })
    }

    /// Where the index and its local header lie.
    pub fn index_range(&self) -> Range<u64> {
        self.index_header..self.directory.start
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slot {
    hash: [u64; 2],
    offset: u64,
}

/// An open archive; holds the index only.
#[derive(Clone)]
pub struct Index {
    tail: Tail,
    slots: Vec<Slot>,
}

impl Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Index").field("tail", &self.tail).field("entries", &self.slots.len()).finish()
    }
}

/// The key of a path: its MD5 as two little-endian numbers, which is also the order of the index.
pub fn path_hash(path: &str) -> [u64; 2] {
    let digest: [u8; 16] = Md5::digest(path.as_bytes()).into();
    let [low, high] = [&digest[..8], &digest[8..]].map(|half| half.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte)));
    [low, high]
}

impl Index {
    /// Reads the bytes of [`Tail::index_range`].
    ///
    /// # Errors
    /// `archive_corrupt`, also for an index out of order or with offsets past the entries; `archive_unsupported`.
    pub fn parse(bytes: &[u8], tail: &Tail) -> Result<Self> {
        let local = zip::Local::parse(bytes)?;
        if local.name != INDEX_PATH.as_bytes() {
            return Err(corrupt("its index has another name"));
        }
        let entry = local.entry(tail.index_header, tail.directory.start)?;
        if entry.method != Method::Stored {
            return Err(unsupported("its index is compressed"));
        }
        let range = (entry.data_offset - tail.index_header) as usize..(entry.data_range().end - tail.index_header) as usize;
        let data = bytes.get(range).ok_or_else(|| corrupt("its index is cut off"))?;
        let mut crc = flate2::Crc::new();
        crc.update(data);
        if !data.len().is_multiple_of(SLOT_BYTES) || crc.sum() != entry.crc32 {
            return Err(corrupt("its index has a wrong length or CRC"));
        }
        let word = |slot: &[u8], at| zip::u64_at(slot, at).unwrap_or_default();
        let slots: Vec<Slot> =
            data.chunks_exact(SLOT_BYTES).map(|slot| Slot { hash: [word(slot, 0), word(slot, 8)], offset: word(slot, 16) }).collect();
        if !slots.is_sorted_by(|a, b| a.hash < b.hash) || slots.iter().any(|slot| slot.offset >= tail.index_header) {
            return Err(corrupt("its index is out of order or points past the entries"));
        }
        Ok(Self { tail: tail.clone(), slots })
    }

    /// Where the local header of a path lies, and a little more than it takes; nothing for a path not in the archive.
    pub fn header_range(&self, path: &str) -> Option<Range<u64>> {
        let hash = path_hash(path);
        let slot = self.slots.binary_search_by_key(&hash, |slot| slot.hash).ok()?;
        let offset = self.slots[slot].offset;
        let wanted = zip::LOCAL_BYTES as u64 + path.len() as u64 + EXTRA_BYTES;
        Some(offset..offset.saturating_add(wanted).min(self.tail.archive_len))
    }

    /// Where the ZIP directory lies.
    pub fn directory_range(&self) -> Range<u64> {
        self.tail.directory.clone()
    }

    /// Bytes of the archive.
    pub fn archive_len(&self) -> u64 {
        self.tail.archive_len
    }

    /// Number of entries, the index left out.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether the archive holds nothing but its index.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }
}
