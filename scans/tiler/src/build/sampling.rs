//! Which points an inner node takes from its children: in each cell of a grid the point nearest to the cell's centre.
//!
//! The grid has the same number of cells along the edge in every node, so that its spacing halves from level to level. It is coarser only where
//! points fill a volume and there would be too many.

use std::collections::HashMap;

use crate::octree::cube::Cube;
use crate::records::steps::steps_of;
use parterre_tile::id::NodeKey;

/// Square of the number of grid cells along an edge, for each point wanted. A surface fills about that square of cells, and a
/// cell of a venue holds one to three surfaces.
const EDGE_CELLS_SQUARED_PER_POINT: f64 = 2.0;
/// Most cells along an edge.
const MAX_CELLS: u64 = 400;

/// Cells along the edge of a node's grid for so many points wanted in a tile.
pub(crate) fn cells_for(tile_points: usize) -> u64 {
    ((tile_points as f64 / EDGE_CELLS_SQUARED_PER_POINT).sqrt().ceil() as u64).clamp(2, MAX_CELLS)
}

/// Chooses points; reused from node to node.
#[derive(Default)]
pub(crate) struct Sampler {
    /// For each grid cell 1 + the index of its best candidate in `best`; all zeros between uses.
    table: Vec<u32>,
    best: Vec<Best>,
}

/// The best candidate of a grid cell.
struct Best {
    cell: u32,
    /// Index in the content.
    index: u32,
    distance: u64,
}

impl Sampler {
    /// Returns the number of grid cells along the node's edge and, for each point of `content`, whether the node `key` takes it.
    /// `content` has indices into `records`. The table holds only cells with points where it would take more than `table_bytes`.
    #[expect(clippy::too_many_arguments, reason = "the records, the limits, and the buffers that callers keep")]
    pub(crate) fn sample(
        &mut self,
        cube: &Cube,
        key: NodeKey,
        records: &[u8],
        stride: usize,
        content: &[u32],
        tile_points: usize,
        table_bytes: u64,
    ) -> (u64, Vec<bool>) {
        let edge_bits = cube.bits - key.level;
        let mask = ((1_u64 << edge_bits) - 1) as u32;
        let position = |index: u32| {
            let [x, y, z] = cube.tree_coordinates(steps_of(&records[index as usize * stride..]));
            [x & mask, y & mask, z & mask]
        };
        let mut cells = cells_for(tile_points);
        loop {
            self.best_of_cells(table_bytes, edge_bits, cells, content.iter().map(|&index| position(index)));
            // A volume full of points fills more cells than a surface does.
            if self.best.len() > 2 * tile_points && cells > 2 {
                let ratio = tile_points as f64 / self.best.len() as f64;
                cells = ((cells as f64 * ratio.powf(0.4)) as u64).max(2);
                continue;
            }
            let mut taken = vec![false; content.len()];
            for best in &self.best {
                taken[best.index as usize] = true;
            }
            return (cells, taken);
        }
    }

    /// For each grid cell that holds a point, the index of the one nearest to its centre, the first of equals. Positions
    /// are below 2^`edge_bits`.
    fn best_of_cells(&mut self, table_bytes: u64, edge_bits: u32, cells: u64, positions: impl Iterator<Item = [u32; 3]>) {
        let wanted = cells * cells * cells;
        let dense = wanted * size_of::<u32>() as u64 <= table_bytes;
        let mut sparse: HashMap<u32, u32> = HashMap::new();
        if dense && self.table.len() < wanted as usize {
            self.table.resize(wanted as usize, 0);
        }
        self.best.clear();
        for (index, position) in positions.enumerate() {
            let mut cell = 0;
            let mut distance = 0;
            for axis in (0..3).rev() {
                // In units of which a cell has 2^edge_bits, so that all numbers are whole.
                let scaled = u64::from(position[axis]) * cells;
                cell = cell * cells + (scaled >> edge_bits);
                let off = ((scaled & ((1 << edge_bits) - 1)) as i64 - (1_i64 << edge_bits >> 1)) >> edge_bits.saturating_sub(16);
                distance += (off * off) as u64;
            }
            let cell = cell as u32;
            let slot = if dense { &mut self.table[cell as usize] } else { sparse.entry(cell).or_default() };
            if *slot == 0 {
                self.best.push(Best { cell, index: index as u32, distance });
                *slot = self.best.len() as u32;
            } else {
                let known = &mut self.best[*slot as usize - 1];
                if distance < known.distance {
                    (known.index, known.distance) = (index as u32, distance);
                }
            }
        }
        if dense {
            for best in &self.best {
                self.table[best.cell as usize] = 0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sparse_table_takes_the_same_points() {
        let positions: Vec<[u32; 3]> = (0..5000_u32).map(|n| [n * 7919 % 1024, n * 104_729 % 1024, n * 31 % 1024]).collect();
        for cells in [2, 9, 40] {
            let mut sampler = Sampler::default();
            let mut taken = |table_bytes| {
                sampler.best_of_cells(table_bytes, 10, cells, positions.iter().copied());
                (sampler.table.len() as u64, sampler.best.iter().map(|best| best.index).collect::<Vec<_>>())
            };
            let (table, sparse) = taken(cells * cells * cells * 4 - 1);
            assert_eq!(table, 0);
            let (table, dense) = taken(cells * cells * cells * 4);
            assert_eq!(table, cells * cells * cells);
            assert!(sparse == dense && !dense.is_empty());
        }
    }
}
