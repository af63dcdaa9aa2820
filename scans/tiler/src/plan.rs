//! How the work is divided: cells of the octree with few enough points to be built in memory.
//!
//! What comes out does not depend on it. Counts are only about right: points that are left out later may be in them.

use std::collections::HashMap;

use super::cells::{Cells, Window};
use super::lattice::{Cube, descend, morton};
use super::pile::grain_level;
use parterre_tile::id::NodeKey;

/// Levels of which a Morton code holds the digits.
pub(super) const MORTON_LEVELS: u32 = 21;

/// Cells of the octree that are no ancestors of each other, in Morton order.
pub(super) struct Plan {
    pub(super) chunks: Vec<NodeKey>,
    lookup: Lookup,
}

/// From a point's tree coordinates to its chunk.
enum Lookup {
    /// There is but one.
    One,
    Cells {
        window: Window,
        /// Lower corner of the cube in cells.
        corner: [i64; 3],
        dense: Vec<u32>,
        sparse: HashMap<[i64; 3], u32>,
    },
    /// Cells of a chunk that is divided again.
    Below { key: NodeKey, depth: u32, bits: u32, dense: Vec<u32> },
}

const NONE: u32 = u32::MAX;

impl Plan {
    /// Chunks of at most `limit` points, or of one cell that was counted.
    pub(super) fn of_cells(mut cells: Cells, cube: &Cube, limit: u64) -> Self {
        let (levels, corner) = loop {
            match cube.in_cells(cells.window.shift) {
                Some((levels, corner)) if levels <= MORTON_LEVELS.min(grain_level(cube)) => break (levels, corner),
                Some(_) => cells.coarsen(),
                // The headers announced far more room than the points take: the one chunk is divided again.
                None => return Self { chunks: vec![NodeKey::ROOT], lookup: Lookup::One },
            }
        };
        let place = |cell: [i64; 3]| {
            let place = [0, 1, 2].map(|axis| cell[axis].wrapping_sub(corner[axis]));
            place.iter().all(|&value| (0..1 << levels).contains(&value)).then(|| morton(place.map(|value| value as u32)))
        };
        let mut counts: Vec<(u64, u64, [i64; 3])> = cells.iter().filter_map(|(cell, count)| Some((place(cell)?, count, cell))).collect();
        counts.sort_unstable();
        let mut joined = Joined { limit, levels, chunks: Vec::new(), chunk_of: vec![NONE; counts.len()] };
        let codes: Vec<(u64, u64)> = counts.iter().map(|&(code, count, _)| (code, count)).collect();
        joined.join(&codes, 0, NodeKey::ROOT, 0);
        if joined.chunks.len() < 2 {
            return Self { chunks: vec![NodeKey::ROOT], lookup: Lookup::One };
        }
        let window = cells.window;
        let mut dense = vec![NONE; window.len()];
        let mut sparse = HashMap::new();
        for (&(_, _, cell), &chunk) in counts.iter().zip(&joined.chunk_of) {
            match window.index(cell) {
                Some(index) => dense[index] = chunk,
                None => drop(sparse.insert(cell, chunk)),
            }
        }
        Self { chunks: joined.chunks, lookup: Lookup::Cells { window, corner, dense, sparse } }
    }

    /// Chunks of the cell `key`, whose points were counted in its cells `depth` levels down, in Morton order.
    pub(super) fn below(key: NodeKey, depth: u32, bits: u32, counts: &[u64], limit: u64) -> Self {
        let mut joined = Joined { limit, levels: depth, chunks: Vec::new(), chunk_of: Vec::new() };
        let codes: Vec<(u64, u64)> =
            counts.iter().enumerate().filter(|&(_, &count)| count > 0).map(|(code, &count)| (code as u64, count)).collect();
        joined.chunk_of = vec![NONE; codes.len()];
        joined.join(&codes, 0, key, 0);
        let mut dense = vec![NONE; counts.len()];
        for (&(code, _), &chunk) in codes.iter().zip(&joined.chunk_of) {
            dense[code as usize] = chunk;
        }
        Self { chunks: joined.chunks, lookup: Lookup::Below { key, depth, bits, dense } }
    }

    /// The chunk of a point; `None` where no point was counted.
    pub(super) fn find(&self, cube: &Cube, steps: [i32; 3]) -> Option<usize> {
        let chunk = match &self.lookup {
            Lookup::One => 0,
            Lookup::Cells { window, corner, dense, sparse } => {
                let shift = cube.shift_of(window.shift);
                let tree = cube.tree(steps);
                let on = |axis: usize| corner[axis] + i64::from(tree[axis] >> shift);
                let cell = [on(0), on(1), on(2)];
                window.index(cell).map_or_else(|| sparse.get(&cell).copied().unwrap_or(NONE), |index| dense[index])
            }
            Lookup::Below { key, depth, bits, dense } => dense[index_below(cube.tree(steps), *key, *depth, *bits)],
        };
        (chunk != NONE).then_some(chunk as usize)
    }
}

/// Morton index of a point's cell `depth` levels below `key`.
pub(super) fn index_below(tree: [u32; 3], key: NodeKey, depth: u32, bits: u32) -> usize {
    let shift = bits - key.level - depth;
    morton(tree.map(|value| value >> shift & ((1 << depth) - 1))) as usize
}

struct Joined {
    limit: u64,
    levels: u32,
    chunks: Vec<NodeKey>,
    chunk_of: Vec<u32>,
}

impl Joined {
    /// Makes chunks of the cells `codes`, which begin at `start` in the list and all lie in `key`, so many levels down.
    fn join(&mut self, codes: &[(u64, u64)], start: usize, key: NodeKey, level: u32) {
        let count: u64 = codes.iter().map(|(_, count)| count).sum();
        if codes.is_empty() {
            return;
        }
        if count <= self.limit || level == self.levels {
            self.chunk_of[start..start + codes.len()].fill(self.chunks.len() as u32);
            self.chunks.push(key);
            return;
        }
        let shift = 3 * (self.levels - level - 1);
        let mut from = 0;
        for number in 0..8 {
            let len = codes[from..].partition_point(|(code, _)| code >> shift & 7 <= number);
            self.join(&codes[from..from + len], start + from, descend(key, number, 1), level + 1);
            from += len;
        }
    }
}
