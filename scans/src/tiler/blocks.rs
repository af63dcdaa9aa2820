//! Records in temporary files: blocks of LZ4, each with its number of records, its length and its CRC.
//!
//! Within a block the bytes are turned: first the first bytes of all records, then the second ones. High bytes of
//! neighbours are alike, and LZ4 runs over them; interleaved it finds hardly anything, slowly.

use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Bytes before a block's data.
const HEAD: usize = 12;
/// Records turned at a time, so that what is written stays in the nearest cache.
const STRIPE: usize = 64;

/// Makes blocks; reused.
pub(super) struct Packer {
    stride: usize,
    turned: Vec<u8>,
    block: Vec<u8>,
}

impl Packer {
    pub(super) fn new(stride: usize) -> Self {
        Self { stride, turned: Vec::new(), block: Vec::new() }
    }

    /// A block of the records, until the next one is made.
    pub(super) fn pack(&mut self, records: &[u8]) -> Result<&[u8]> {
        let count = records.len() / self.stride;
        self.turned.resize(records.len(), 0);
        turn(records, self.stride, count, &mut self.turned);
        self.block.resize(HEAD + lz4_flex::block::get_maximum_output_size(records.len()), 0);
        let len = lz4_flex::block::compress_into(&self.turned, &mut self.block[HEAD..])
            .map_err(|error| Error::Internal(format!("LZ4: {error}")))?;
        self.block.truncate(HEAD + len);
        let crc = crc_of(&self.block[HEAD..]);
        for (at, value) in [count as u32, len as u32, crc].into_iter().enumerate() {
            self.block[4 * at..4 * at + 4].copy_from_slice(&value.to_le_bytes());
        }
        Ok(&self.block)
    }
}

fn turn(records: &[u8], stride: usize, count: usize, turned: &mut [u8]) {
    for (stripe, some) in records.chunks(STRIPE * stride).enumerate() {
        let start = stripe * STRIPE;
        let rows = some.len() / stride;
        for byte in 0..stride {
            let column = &mut turned[byte * count + start..byte * count + start + rows];
            for (value, record) in column.iter_mut().zip(some[byte..].iter().step_by(stride)) {
                *value = *record;
            }
        }
    }
}

fn turn_back(turned: &[u8], stride: usize, count: usize, records: &mut [u8]) {
    for (stripe, some) in records.chunks_mut(STRIPE * stride).enumerate() {
        let start = stripe * STRIPE;
        let rows = some.len() / stride;
        for byte in 0..stride {
            let column = &turned[byte * count + start..byte * count + start + rows];
            for (record, value) in some[byte..].iter_mut().step_by(stride).zip(column) {
                *record = *value;
            }
        }
    }
}

fn crc_of(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// Adds a block to the end of a file, which is made where it is not there.
pub(super) fn append(path: &Path, block: &[u8]) -> Result<()> {
    let open = File::options().append(true).create(true).open(path);
    open.and_then(|mut file| file.write_all(block)).map_err(|error| Error::io("write", path, error))
}

/// Goes through the blocks of a file.
pub(super) struct Blocks {
    path: PathBuf,
    file: BufReader<File>,
    stride: usize,
    packed: Vec<u8>,
    turned: Vec<u8>,
}

impl Blocks {
    pub(super) fn open(path: &Path, stride: usize) -> Result<Self> {
        Self::open_at(path, stride, 0)
    }

    /// From an offset to the end of the file.
    pub(super) fn open_at(path: &Path, stride: usize, offset: u64) -> Result<Self> {
        let mut file = File::open(path).map_err(|error| Error::io("open", path, error))?;
        file.seek(SeekFrom::Start(offset)).map_err(|error| Error::io("read", path, error))?;
        let file = BufReader::with_capacity(256 << 10, file);
        Ok(Self { path: path.to_path_buf(), file, stride, packed: Vec::new(), turned: Vec::new() })
    }

    /// Appends the records of the next block; false at the end.
    pub(super) fn next(&mut self, records: &mut Vec<u8>) -> Result<bool> {
        let mut head = [0; HEAD];
        match self.file.read(&mut head) {
            Ok(0) => return Ok(false),
            Ok(some) => self.file.read_exact(&mut head[some..]).map_err(|error| self.failed(error))?,
            Err(error) => return Err(self.failed(error)),
        }
        let [count, len, crc] = [0, 4, 8].map(|at| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]));
        let bytes = count as usize * self.stride;
        if len as usize > lz4_flex::block::get_maximum_output_size(bytes) {
            return Err(self.damaged());
        }
        self.packed.resize(len as usize, 0);
        self.file.read_exact(&mut self.packed).map_err(|error| Error::io("read", &self.path, error))?;
        self.turned.resize(bytes, 0);
        let unpacked = lz4_flex::block::decompress_into(&self.packed, &mut self.turned);
        if crc_of(&self.packed) != crc || unpacked.ok() != Some(bytes) {
            return Err(self.damaged());
        }
        let start = records.len();
        records.resize(start + bytes, 0);
        turn_back(&self.turned, self.stride, count as usize, &mut records[start..]);
        Ok(true)
    }

    fn failed(&self, error: std::io::Error) -> Error {
        Error::io("read", &self.path, error)
    }

    fn damaged(&self) -> Error {
        Error::io("read", &self.path, std::io::Error::new(std::io::ErrorKind::InvalidData, "a temporary file is damaged"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn blocks_come_back_and_damage_is_seen() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("blocks");
        let mut packer = Packer::new(7);
        let records: Vec<u8> =
            (0..7 * 1000_u32).map(|n| if n % 7 < 3 { (n / 700) as u8 } else { (n.wrapping_mul(2_654_435_761) >> 13) as u8 }).collect();
        for part in [&records[..7], &records[7..7 * 130], &records[7 * 130..]] {
            append(&path, packer.pack(part).unwrap()).unwrap();
        }
        let mut found = Vec::new();
        let mut blocks = Blocks::open(&path, 7).unwrap();
        while blocks.next(&mut found).unwrap() {}
        assert!(found == records);
        let mut bytes = std::fs::read(&path).unwrap();
        assert!(bytes.len() < records.len());
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let mut blocks = Blocks::open(&path, 7).unwrap();
        let mut found = Vec::new();
        let result = (0..3).try_for_each(|_| blocks.next(&mut found).map(drop));
        assert_eq!(result.unwrap_err().code(), "io");
    }
}
