//! Records in temporary files: blocks of LZ4, each with its number of records, its length and its CRC.
//!
//! Within a block the bytes are turned: first the first bytes of all records, then the second ones. High bytes of
//! neighbours are alike, and LZ4 runs over them; interleaved it finds hardly anything, slowly.

use std::fs::File;
use std::io::{BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use parterre_model::{Error, Result};

/// Bytes before a block's data.
const HEAD: usize = 12;
/// Records, and bytes of each, that are turned at a time, in registers.
const SQUARE: usize = 8;

/// Makes blocks; reused.
pub(crate) struct Packer {
    stride: usize,
    turned: Vec<u8>,
    block: Vec<u8>,
}

impl Packer {
    pub(crate) fn new(stride: usize) -> Self {
        Self { stride, turned: Vec::new(), block: Vec::new() }
    }

    /// A block of the records, until the next one is made.
    pub(crate) fn pack(&mut self, records: &[u8]) -> Result<&[u8]> {
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
    let (rows, columns) = (whole(count), whole(stride));
    for row in (0..rows).step_by(SQUARE) {
        for column in (0..columns).step_by(SQUARE) {
            let square = std::array::from_fn(|line| word(records, (row + line) * stride + column));
            for (line, word) in transposed(square).into_iter().enumerate() {
                put(turned, (column + line) * count + row, word);
            }
        }
        for column in columns..stride {
            for row in row..row + SQUARE {
                turned[column * count + row] = records[row * stride + column];
            }
        }
    }
    for row in rows..count {
        for column in 0..stride {
            turned[column * count + row] = records[row * stride + column];
        }
    }
}

fn turn_back(turned: &[u8], stride: usize, count: usize, records: &mut [u8]) {
    let (rows, columns) = (whole(count), whole(stride));
    for row in (0..rows).step_by(SQUARE) {
        for column in (0..columns).step_by(SQUARE) {
            let square = std::array::from_fn(|line| word(turned, (column + line) * count + row));
            for (line, word) in transposed(square).into_iter().enumerate() {
                put(records, (row + line) * stride + column, word);
            }
        }
        for column in columns..stride {
            for row in row..row + SQUARE {
                records[row * stride + column] = turned[column * count + row];
            }
        }
    }
    for row in rows..count {
        for column in 0..stride {
            records[row * stride + column] = turned[column * count + row];
        }
    }
}

/// As much of a length as whole squares cover.
fn whole(len: usize) -> usize {
    len / SQUARE * SQUARE
}

#[inline]
fn word(bytes: &[u8], at: usize) -> u64 {
    let b = &bytes[at..at + SQUARE];
    u64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]])
}

#[inline]
fn put(bytes: &mut [u8], at: usize, word: u64) {
    bytes[at..at + SQUARE].copy_from_slice(&word.to_le_bytes());
}

/// A square of bytes turned about its diagonal: single bytes change places, then pairs, then halves.
#[inline]
fn transposed(mut square: [u64; SQUARE]) -> [u64; SQUARE] {
    for (apart, shift, mask) in [(1, 8, 0x00ff_00ff_00ff_00ff), (2, 16, 0x0000_ffff_0000_ffff), (4, 32, 0x0000_0000_ffff_ffff)] {
        for low in (0..SQUARE).filter(|low| low & apart == 0) {
            let high = low + apart;
            let change = ((square[low] >> shift) ^ square[high]) & mask;
            square[high] ^= change;
            square[low] ^= change << shift;
        }
    }
    square
}

fn crc_of(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// Adds a block to the end of a file, which is made where it is not there.
pub(crate) fn append(path: &Path, block: &[u8]) -> Result<()> {
    let open = File::options().append(true).create(true).open(path);
    open.and_then(|mut file| file.write_all(block)).map_err(|error| Error::io("write", path, error))
}

/// Goes through the blocks of a file.
pub(crate) struct Blocks {
    path: PathBuf,
    file: BufReader<File>,
    stride: usize,
    packed: Vec<u8>,
    turned: Vec<u8>,
}

impl Blocks {
    pub(crate) fn open(path: &Path, stride: usize) -> Result<Self> {
        Self::open_at(path, stride, 0)
    }

    /// From an offset to the end of the file.
    pub(crate) fn open_at(path: &Path, stride: usize, offset: u64) -> Result<Self> {
        let mut file = File::open(path).map_err(|error| Error::io("open", path, error))?;
        file.seek(SeekFrom::Start(offset)).map_err(|error| Error::io("read", path, error))?;
        let file = BufReader::with_capacity(256 << 10, file);
        Ok(Self { path: path.to_path_buf(), file, stride, packed: Vec::new(), turned: Vec::new() })
    }

    /// Appends the records of the next block; false at the end.
    pub(crate) fn next(&mut self, records: &mut Vec<u8>) -> Result<bool> {
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
    fn bytes_are_turned_at_every_size() {
        for (stride, count) in [(7, 20), (8, 8), (12, 3), (30, 9), (36, 64), (41, 100)] {
            let records: Vec<u8> = (0..(stride * count) as u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
            let mut turned = vec![0; records.len()];
            turn(&records, stride, count, &mut turned);
            for (at, &value) in records.iter().enumerate() {
                assert_eq!(turned[at % stride * count + at / stride], value);
            }
            let mut back = vec![0; records.len()];
            turn_back(&turned, stride, count, &mut back);
            assert_eq!(back, records);
        }
    }

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
