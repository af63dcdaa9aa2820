//! Sorting a chunk's records in Morton order, so that the records of each cell of the octree lie together.
//!
//! Records at the same position are ordered by a hash of their bytes, and by the bytes where hashes are equal: the order does not depend on the input's.

use crate::octree::cube::Cube;
use crate::octree::morton::{MORTON_LEVELS, morton};
use crate::records::hash::hash;
use crate::records::steps::steps_of;
use parterre_tile::id::NodeKey;

/// Records in Morton order with their codes; reused from chunk to chunk.
#[derive(Default)]
pub(crate) struct SortedRecords {
    pub(crate) records: Vec<u8>,
    /// The Morton codes below the chunk's cell, with as many octal digits as a code holds.
    pub(crate) codes: Vec<u64>,
    keys: Vec<(u64, u32)>,
}

impl SortedRecords {
    /// Sorts the records of the cell `key`. Returns how many octal digits the codes have.
    pub(crate) fn fill(&mut self, records: &[u8], stride: usize, key: NodeKey, cube: &Cube) -> u32 {
        let digits = cube.bits - key.level;
        let dropped = digits.saturating_sub(MORTON_LEVELS);
        let mask = ((1_u64 << digits) - 1) as u32;
        let below = |record: &[u8]| {
            let [x, y, z] = cube.tree_coordinates(steps_of(record));
            [x & mask, y & mask, z & mask]
        };
        self.keys.clear();
        self.keys.extend((records.chunks_exact(stride).enumerate()).map(|(index, record)| {
            let [x, y, z] = below(record);
            (morton([x >> dropped, y >> dropped, z >> dropped]), index as u32)
        }));
        self.keys.sort_unstable();
        let record = |index: u32| &records[index as usize * stride..(index as usize + 1) * stride];
        let rest = |index: u32| morton(below(record(index)).map(|value| value & ((1 << dropped) - 1)));
        for run in self.keys.chunk_by_mut(|a, b| a.0 == b.0).filter(|run| run.len() > 1) {
            run.sort_by_cached_key(|&(_, index)| (if dropped > 0 { rest(index) } else { 0 }, hash(record(index)), record(index)));
        }
        self.codes.clear();
        self.codes.extend(self.keys.iter().map(|&(code, _)| code));
        self.records.clear();
        self.records.reserve(records.len());
        for &(_, index) in &self.keys {
            self.records.extend_from_slice(record(index));
        }
        digits - dropped
    }
}
