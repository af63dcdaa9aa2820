//! The records of a ZIP file (APPNOTE 6.3.9), as far as 3TZ uses them.

use super::entry::{Entry, INDEX_PATH, Method};
use super::error::{corrupt, unsupported};
use parterre_model::Result;

/// Signature of a local header.
pub const LOCAL: u32 = 0x0403_4b50;
/// Signature of a directory record.
pub const CENTRAL: u32 = 0x0201_4b50;
/// Signature of the end record.
pub const END: u32 = 0x0605_4b50;
/// Signature of the ZIP64 end record.
pub const END64: u32 = 0x0606_4b50;
/// Signature of the ZIP64 locator.
pub const LOCATOR64: u32 = 0x0706_4b50;
/// Identifier of the ZIP64 extra field.
pub const EXTRA64: u16 = 1;

/// Bytes of a local header before its name.
pub const LOCAL_BYTES: usize = 30;
/// Bytes of a directory record before its name.
pub const CENTRAL_BYTES: usize = 46;
/// Bytes of the end record without a comment.
pub const END_BYTES: usize = 22;
/// Bytes of the ZIP64 end record.
pub const END64_BYTES: usize = 56;
/// Bytes of the ZIP64 locator.
pub const LOCATOR64_BYTES: usize = 20;

/// Deflate cannot shrink further than this.
const LARGEST_RATIO: u64 = 1032;

pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at.checked_add(4)?)?.try_into().ok()?))
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at.checked_add(8)?)?.try_into().ok()?))
}

/// The values of a ZIP64 extra field, which holds those whose 32-bit places are all ones, in order.
pub(super) fn wide<const N: usize>(extra: &[u8], narrow: [u32; N]) -> Result<[u64; N]> {
    let mut values = narrow.map(u64::from);
    if !narrow.contains(&u32::MAX) {
        return Ok(values);
    }
    let missing = || corrupt("a ZIP64 field is missing");
    let mut at = 0;
    let field = loop {
        let id = u16_at(extra, at).ok_or_else(missing)?;
        let len = usize::from(u16_at(extra, at + 2).ok_or_else(missing)?);
        let body = extra.get(at + 4..at + 4 + len).ok_or_else(missing)?;
        if id == EXTRA64 {
            break body;
        }
        at += 4 + len;
    };
    let mut at = 0;
    for (value, narrow) in values.iter_mut().zip(narrow) {
        if narrow == u32::MAX {
            *value = u64_at(field, at).ok_or_else(missing)?;
            at += 8;
        }
    }
    Ok(values)
}

/// A local header, the one before an entry's data.
pub(super) struct Local<'a> {
    pub(super) name: &'a [u8],
    header_len: u64,
    method: Method,
    crc32: u32,
    compressed_len: u64,
    len: u64,
}

impl<'a> Local<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self> {
        let short = || corrupt("a local header is cut off");
        if u32_at(bytes, 0) != Some(LOCAL) {
            return Err(corrupt("no entry lies where the index says"));
        }
        let flags = u16_at(bytes, 6).ok_or_else(short)?;
        if flags & 0x0009 != 0 {
            return Err(unsupported("an entry is encrypted or has its sizes behind it"));
        }
        let method = match u16_at(bytes, 8).ok_or_else(short)? {
            0 => Method::Stored,
            8 => Method::Deflate,
            other => return Err(unsupported(format!("compression method {other}"))),
        };
        let crc32 = u32_at(bytes, 14).ok_or_else(short)?;
        let compressed = u32_at(bytes, 18).ok_or_else(short)?;
        let plain = u32_at(bytes, 22).ok_or_else(short)?;
        let name_len = usize::from(u16_at(bytes, 26).ok_or_else(short)?);
        let extra_len = usize::from(u16_at(bytes, 28).ok_or_else(short)?);
        let name = bytes.get(LOCAL_BYTES..LOCAL_BYTES + name_len).ok_or_else(short)?;
        let extra = bytes.get(LOCAL_BYTES + name_len..LOCAL_BYTES + name_len + extra_len).ok_or_else(short)?;
        let [len, compressed_len] = wide(extra, [plain, compressed])?;
        Ok(Self { name, header_len: (LOCAL_BYTES + name_len + extra_len) as u64, method, crc32, compressed_len, len })
    }

    pub(super) fn entry(&self, header_offset: u64, archive_len: u64) -> Result<Entry> {
        let data_offset = header_offset.checked_add(self.header_len).ok_or_else(|| corrupt("an offset is too large"))?;
        let end = data_offset.checked_add(self.compressed_len).ok_or_else(|| corrupt("a length is too large"))?;
        if end > archive_len {
            return Err(corrupt("an entry lies past the end"));
        }
        let possible = match self.method {
            Method::Stored => self.len == self.compressed_len,
            Method::Deflate => self.len / LARGEST_RATIO <= self.compressed_len,
        };
        if !possible {
            return Err(corrupt("an entry's lengths do not fit each other"));
        }
        Ok(Entry { data_offset, compressed_len: self.compressed_len, len: self.len, crc32: self.crc32, method: self.method })
    }
}

impl Entry {
    /// Reads the local header at `header_offset`. `header` holds the bytes of [`super::Index::header_range`], `path` is the
    /// one looked for: another one under the same MD5 is damage.
    ///
    /// # Errors
    /// `archive_corrupt`, `archive_unsupported`.
    pub fn parse(header: &[u8], header_offset: u64, path: &str, archive_len: u64) -> Result<Self> {
        let local = Local::parse(header)?;
        if local.name != path.as_bytes() {
            return Err(corrupt(format!("the index names {path} where another entry lies")));
        }
        local.entry(header_offset, archive_len)
    }
}

/// One record of the ZIP directory.
pub(super) struct Central<'a> {
    pub(super) name: &'a [u8],
    pub(super) header_offset: u64,
    /// Bytes of the record.
    pub(super) bytes: usize,
}

impl<'a> Central<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self> {
        let short = || corrupt("the directory is cut off");
        if u32_at(bytes, 0) != Some(CENTRAL) {
            return Err(corrupt("the directory holds something else"));
        }
        let [compressed, plain, offset] = [20, 24, 42].map(|at| u32_at(bytes, at));
        let (compressed, plain, offset) = (compressed.ok_or_else(short)?, plain.ok_or_else(short)?, offset.ok_or_else(short)?);
        let [name_len, extra_len, comment_len] = [28, 30, 32].map(|at| u16_at(bytes, at).map(usize::from));
        let name_end = CENTRAL_BYTES + name_len.ok_or_else(short)?;
        let extra_end = name_end + extra_len.ok_or_else(short)?;
        let end = extra_end + comment_len.ok_or_else(short)?;
        let name = bytes.get(CENTRAL_BYTES..name_end).ok_or_else(short)?;
        let extra = bytes.get(name_end..extra_end).ok_or_else(short)?;
        if bytes.len() < end {
            return Err(short());
        }
        let [_, _, header_offset] = wide(extra, [plain, compressed, offset])?;
        Ok(Self { name, header_offset, bytes: end })
    }
}

/// The paths in a ZIP directory, the index left out.
pub(super) fn paths(directory: &[u8]) -> Result<Vec<String>> {
    let mut paths = Vec::new();
    let mut rest = directory;
    while !rest.is_empty() {
        let record = Central::parse(rest)?;
        rest = &rest[record.bytes..];
        let path = std::str::from_utf8(record.name).map_err(|_| corrupt("a path is not UTF-8"))?;
        if path == INDEX_PATH {
            continue;
        }
        if !is_plain(path) {
            return Err(corrupt(format!("the path {path:?} is not a plain relative path")));
        }
        paths.push(path.to_owned());
    }
    Ok(paths)
}

/// Whether a path stays below the folder that it is joined to, on every system.
pub fn is_plain(path: &str) -> bool {
    !path.is_empty()
        && !path.chars().any(|c| c == '\\' || c == ':' || c.is_control())
        && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}
