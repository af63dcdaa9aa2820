//! A point as the tiler carries it, the octree's cells, and files full of points.
//!
//! Positions are whole millimetres from the tile frame's origin, never negative. The root cell is a cube of 2^k mm, so
//! that a cell is a matter of shifting bits and a cell of 2^16 mm is just what one [`Part`](crate::tile::glb::Part) spans.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;

use bytemuck::{Pod, Zeroable};

use crate::error::{Error, Result};

/// [`Record::flags`]: the source gave a colour.
pub(super) const HAS_COLOR: u16 = 1;

/// Records read or written at a time.
pub(super) const BLOCK: usize = 16 << 10;

#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub(super) struct Record {
    pub(super) position: [u32; 3],
    pub(super) intensity: u16,
    pub(super) flags: u16,
    pub(super) color: [u8; 3],
    pub(super) classification: u8,
}

pub(super) const RECORD_BYTES: u64 = size_of::<Record>() as u64;

/// A cell of the octree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) level: u32,
    pub(super) cell: [u32; 3],
}

impl Key {
    pub(super) const ROOT: Self = Self { level: 0, cell: [0; 3] };

    /// The child of number 0 to 7: bit 0 is x, bit 1 y, bit 2 z.
    pub(super) fn child(self, number: u32) -> Self {
        let [x, y, z] = self.cell;
        Self { level: self.level + 1, cell: [x << 1 | number & 1, y << 1 | number >> 1 & 1, z << 1 | number >> 2] }
    }

    /// Lower corner and edge in a cube of 2^`bits` mm.
    pub(super) fn corner(self, bits: u32) -> [u32; 3] {
        self.cell.map(|cell| cell << (bits - self.level))
    }
}

/// The bits of `value`, two zeros between each and the next.
fn spread(value: u32) -> u64 {
    let mut value = u64::from(value) & 0x1f_ffff;
    value = (value | value << 32) & 0x001f_0000_0000_ffff;
    value = (value | value << 16) & 0x001f_0000_ff00_00ff;
    value = (value | value << 8) & 0x100f_00f0_0f00_f00f;
    value = (value | value << 4) & 0x10c3_0c30_c30c_30c3;
    (value | value << 2) & 0x1249_2492_4924_9249
}

/// Morton code of three numbers of 21 bits.
pub(super) fn morton([x, y, z]: [u32; 3]) -> u64 {
    spread(x) | spread(y) << 1 | spread(z) << 2
}

/// A run of records in a file.
#[derive(Clone, Debug)]
pub(super) struct Region {
    pub(super) path: PathBuf,
    pub(super) start: u64,
    pub(super) count: u64,
}

impl Region {
    pub(super) fn open(&self) -> Result<RecordReader> {
        let mut file = File::open(&self.path).map_err(|error| Error::io("open", &self.path, error))?;
        file.seek(SeekFrom::Start(self.start * RECORD_BYTES)).map_err(|error| Error::io("read", &self.path, error))?;
        Ok(RecordReader { file, path: self.path.clone(), left: self.count })
    }

    /// The first records, at most `count`, and those after them.
    pub(super) fn split(&self, count: u64) -> (Self, Self) {
        let count = count.min(self.count);
        let rest = Self { path: self.path.clone(), start: self.start + count, count: self.count - count };
        (Self { count, ..self.clone() }, rest)
    }

    /// All records at once.
    pub(super) fn load(&self) -> Result<Vec<Record>> {
        let mut records = Vec::new();
        self.open()?.fill(&mut records, usize::try_from(self.count).unwrap_or(usize::MAX))?;
        Ok(records)
    }
}

pub(super) struct RecordReader {
    file: File,
    path: PathBuf,
    left: u64,
}

impl RecordReader {
    /// Replaces the records with the next ones, at most `max`; false at the end.
    pub(super) fn fill(&mut self, records: &mut Vec<Record>, max: usize) -> Result<bool> {
        let count = self.left.min(max as u64) as usize;
        records.resize(count, Record::default());
        let bytes = bytemuck::cast_slice_mut(records);
        self.file.read_exact(bytes).map_err(|error| Error::io("read", &self.path, error))?;
        self.left -= count as u64;
        Ok(count > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn morton_codes_interleave_x_first() {
        assert_eq!(morton([1, 0, 0]), 1);
        assert_eq!(morton([0, 1, 0]), 2);
        assert_eq!(morton([0, 0, 1]), 4);
        assert_eq!(morton([3, 0, 0]), 9);
        assert_eq!(morton([0x1f_ffff; 3]), (1 << 63) - 1);
    }

    #[test]
    fn children_are_numbered_as_morton_digits() {
        for number in 0..8 {
            let child = Key::ROOT.child(number);
            assert_eq!(morton(child.cell), u64::from(number));
        }
        assert_eq!(Key::ROOT.child(5).child(2).corner(10), [512, 256, 512]);
    }
}
