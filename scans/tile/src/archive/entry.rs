//! One entry of an archive: where it lies, and its bytes.

use std::io::Read;
use std::ops::Range;

use super::error::{corrupt, unsupported};
use parterre_model::Result;

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
