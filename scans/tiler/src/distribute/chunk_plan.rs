//! How the work is divided into chunks: cells of the octree with few enough points to be built in memory.
//!
//! The output does not depend on it. The counts may include points that are left out later.

use std::collections::HashMap;

use crate::count::cells::{Cells, Window};
use crate::octree::cube::Cube;
use crate::octree::morton::{MORTON_LEVELS, descend, morton};
use parterre_tile::id::NodeKey;

/// Cells of the octree that are no ancestors of each other, in Morton order.
pub(crate) struct ChunkPlan {
    pub(crate) chunks: Vec<NodeKey>,
    lookup: Lookup,
}

/// How the chunk of a point is found.
enum Lookup {
    /// There is only one chunk.
    One,
    Cells {
        window: Window,
        /// Lower corner of the cube in cells.
        corner: [i64; 3],
        dense: Vec<u32>,
        sparse: HashMap<[i64; 3], u32>,
    },
    /// Cells of a chunk that is divided again.
    Within { key: NodeKey, depth: u32, bits: u32, dense: Vec<u32> },
}

const NONE: u32 = u32::MAX;

impl ChunkPlan {
    /// Chunks of at most `limit` points, or of one cell that was counted.
    pub(crate) fn of_cells(mut cells: Cells, cube: &Cube, limit: u64) -> Self {
        let (levels, corner) = loop {
            match cube.in_cells(cells.window.shift) {
                Some((levels, corner)) if levels <= MORTON_LEVELS.min(cube.deepest_sampled_level()) => break (levels, corner),
                Some(_) => cells.coarsen(),
                // The headers announced far larger bounds than the points have: there is one chunk, which is divided again later.
                None => return Self { chunks: vec![NodeKey::ROOT], lookup: Lookup::One },
            }
        };
        let code_of = |cell: [i64; 3]| {
            let relative = [0, 1, 2].map(|axis| cell[axis].wrapping_sub(corner[axis]));
            relative.iter().all(|&value| (0..1 << levels).contains(&value)).then(|| morton(relative.map(|value| value as u32)))
        };
        let mut counts: Vec<(u64, u64, [i64; 3])> = cells.iter().filter_map(|(cell, count)| Some((code_of(cell)?, count, cell))).collect();
        counts.sort_unstable();
        let mut joiner = Joiner { limit, levels, chunks: Vec::new(), chunk_of: vec![NONE; counts.len()] };
        let codes: Vec<(u64, u64)> = counts.iter().map(|&(code, count, _)| (code, count)).collect();
        joiner.join(&codes, 0, NodeKey::ROOT, 0);
        if joiner.chunks.len() < 2 {
            return Self { chunks: vec![NodeKey::ROOT], lookup: Lookup::One };
        }
        let window = cells.window;
        let mut dense = vec![NONE; window.len()];
        let mut sparse = HashMap::new();
        for (&(_, _, cell), &chunk) in counts.iter().zip(&joiner.chunk_of) {
            match window.index(cell) {
                Some(index) => dense[index] = chunk,
                None => drop(sparse.insert(cell, chunk)),
            }
        }
        Self { chunks: joiner.chunks, lookup: Lookup::Cells { window, corner, dense, sparse } }
    }

    /// Chunks within the cell `key`, whose points were counted in the cells `depth` levels below it, in Morton order.
    pub(crate) fn within(key: NodeKey, depth: u32, bits: u32, counts: &[u64], limit: u64) -> Self {
        let mut joiner = Joiner { limit, levels: depth, chunks: Vec::new(), chunk_of: Vec::new() };
        let codes: Vec<(u64, u64)> =
            counts.iter().enumerate().filter(|&(_, &count)| count > 0).map(|(code, &count)| (code as u64, count)).collect();
        joiner.chunk_of = vec![NONE; codes.len()];
        joiner.join(&codes, 0, key, 0);
        let mut dense = vec![NONE; counts.len()];
        for (&(code, _), &chunk) in codes.iter().zip(&joiner.chunk_of) {
            dense[code as usize] = chunk;
        }
        Self { chunks: joiner.chunks, lookup: Lookup::Within { key, depth, bits, dense } }
    }

    /// The chunk of a point; `None` where no point was counted.
    pub(crate) fn find(&self, cube: &Cube, steps: [i32; 3]) -> Option<usize> {
        let chunk = match &self.lookup {
            Lookup::One => 0,
            Lookup::Cells { window, corner, dense, sparse } => {
                let shift = cube.shift_of(window.shift);
                let tree = cube.tree_coordinates(steps);
                let on = |axis: usize| corner[axis] + i64::from(tree[axis] >> shift);
                let cell = [on(0), on(1), on(2)];
                window.index(cell).map_or_else(|| sparse.get(&cell).copied().unwrap_or(NONE), |index| dense[index])
            }
            Lookup::Within { key, depth, bits, dense } => dense[index_within(cube.tree_coordinates(steps), *key, *depth, *bits)],
        };
        (chunk != NONE).then_some(chunk as usize)
    }
}

/// Morton index of a point's cell `depth` levels below `key`.
pub(crate) fn index_within(tree: [u32; 3], key: NodeKey, depth: u32, bits: u32) -> usize {
    let shift = bits - key.level - depth;
    morton(tree.map(|value| value >> shift & ((1 << depth) - 1))) as usize
}

/// Joins cells into chunks.
struct Joiner {
    limit: u64,
    levels: u32,
    chunks: Vec<NodeKey>,
    chunk_of: Vec<u32>,
}

impl Joiner {
    /// Makes chunks of the cells `codes`, (Morton code, points), which begin at `start` in the list and all lie in `key`, which is `level` levels
    /// below the cell that is divided.
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
