//! Which points an inner node takes from its children: one a cell of a grid, the one nearest to the cell's middle.
//!
//! The grid has as many cells along the edge in every node, so that its spacing halves from level to level; only
//! where points fill a volume, and would be too many, it is coarser.

use std::collections::HashMap;

use super::distribute::steps_of;
use super::lattice::Cube;
use parterre_tile::id::NodeKey;

/// Grid cells along an edge, squared, for each point wanted. Surfaces fill about the square of the edge's cells, and a
/// cell of a venue holds one to three of them.
const SURFACES: f64 = 2.0;
/// Most cells along an edge.
const MAX_CELLS: u64 = 400;

/// Cells along the edge of a node's grid for so many points wanted in a tile.
pub(super) fn cells_for(tile_points: usize) -> u64 {
    ((tile_points as f64 / SURFACES).sqrt().ceil() as u64).clamp(2, MAX_CELLS)
}

/// Chooses points; reused from node to node.
#[derive(Default)]
pub(super) struct Sampler {
    /// For each grid cell 1 + the place of its best candidate; all zeros between uses.
    table: Vec<u32>,
    best: Vec<Best>,
}

/// The best candidate of a grid cell.
struct Best {
    cell: u32,
    place: u32,
    distance: u64,
}

impl Sampler {
    /// Marks the points that the node `key` takes, by their place in `content`, and gives the number of grid cells along its edge.
    /// `content` names records of the list; a table of more than `table_bytes` holds only cells with points.
    #[expect(clippy::too_many_arguments, reason = "the records and the wishes, each as it is at hand")]
    pub(super) fn sample(
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
            let [x, y, z] = cube.tree(steps_of(&records[index as usize * stride..]));
            [x & mask, y & mask, z & mask]
        };
        let mut cells = cells_for(tile_points);
        loop {
            self.best_of_cells(table_bytes, edge_bits, cells, content.iter().map(|&index| position(index)));
            // Volumes full of points fill more cells than surfaces do.
            if self.best.len() > 2 * tile_points && cells > 2 {
                let ratio = tile_points as f64 / self.best.len() as f64;
                cells = ((cells as f64 * ratio.powf(0.4)) as u64).max(2);
                continue;
            }
            let mut taken = vec![false; content.len()];
            for best in &self.best {
                taken[best.place as usize] = true;
            }
            return (cells, taken);
        }
    }

    /// For each grid cell that holds a point the place of the one nearest to its middle, the first of equals. Positions
    /// are below 2^`edge_bits`.
    fn best_of_cells(&mut self, table_bytes: u64, edge_bits: u32, cells: u64, positions: impl Iterator<Item = [u32; 3]>) {
        let wanted = cells * cells * cells;
        let dense = wanted * size_of::<u32>() as u64 <= table_bytes;
        let mut sparse: HashMap<u32, u32> = HashMap::new();
        if dense && self.table.len() < wanted as usize {
            self.table.resize(wanted as usize, 0);
        }
        self.best.clear();
        for (place, position) in positions.enumerate() {
            let mut cell = 0;
            let mut distance = 0;
            for axis in (0..3).rev() {
                // In units of which a cell has 2^edge_bits, so that everything is whole.
                let scaled = u64::from(position[axis]) * cells;
                cell = cell * cells + (scaled >> edge_bits);
                let off = ((scaled & ((1 << edge_bits) - 1)) as i64 - (1_i64 << edge_bits >> 1)) >> edge_bits.saturating_sub(16);
                distance += (off * off) as u64;
            }
            let cell = cell as u32;
            let slot = if dense { &mut self.table[cell as usize] } else { sparse.entry(cell).or_default() };
            if *slot == 0 {
                self.best.push(Best { cell, place: place as u32, distance });
                *slot = self.best.len() as u32;
            } else {
                let held = &mut self.best[*slot as usize - 1];
                if distance < held.distance {
                    (held.place, held.distance) = (place as u32, distance);
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
    fn a_table_without_room_takes_the_same_points() {
        let positions: Vec<[u32; 3]> = (0..5000_u32).map(|n| [n * 7919 % 1024, n * 104_729 % 1024, n * 31 % 1024]).collect();
        for cells in [2, 9, 40] {
            let mut sampler = Sampler::default();
            let mut places = |table_bytes| {
                sampler.best_of_cells(table_bytes, 10, cells, positions.iter().copied());
                (sampler.table.len() as u64, sampler.best.iter().map(|best| best.place).collect::<Vec<_>>())
            };
            let (table, sparse) = places(cells * cells * cells * 4 - 1);
            assert_eq!(table, 0);
            let (table, dense) = places(cells * cells * cells * 4);
            assert_eq!(table, cells * cells * cells);
            assert!(sparse == dense && !dense.is_empty());
        }
    }
}
