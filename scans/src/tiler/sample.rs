//! Building the octree bottom-up: leaves hold points, every inner cell takes from its children's contents one point a
//! grid cell, the one nearest to the cell's middle. What is taken is no longer in the child: every point stays in
//! exactly one tile.
//!
//! A chunk is sorted in Morton order, so that each cell is a run of it. Contents stay in that order through sampling,
//! which is also the order that meshopt compresses best.

use std::cell::RefCell;
use std::collections::HashMap;

use rayon::prelude::*;

use super::Context;
use super::record::{Key, Record, Region, morton};
use super::write::{Done, Spool};
use crate::error::{Error, Result};

/// A cell whose content is not final yet: its parent has still to take from it.
pub(super) struct Node {
    pub(super) key: Key,
    pub(super) content: Vec<Record>,
    pub(super) children: Vec<Done>,
    /// Spacing of the content in metres where there are children, else 0.
    pub(super) error_m: f64,
}

pub(super) struct Builder<'a> {
    pub(super) bits: u32,
    pub(super) tile_points: usize,
    /// Bytes for a thread's table of grid cells; above them the table holds only cells with points.
    pub(super) table_bytes: u64,
    pub(super) spool: &'a Spool,
    pub(super) context: &'a Context<'a>,
}

/// Grid cells along an edge, squared, for each point wanted. Surfaces fill about the square of the edge's cells, and a
/// cell of a venue holds one to three of them.
const SURFACES: f64 = 2.0;

/// A cell is cut when it has more than this many times the points wanted. Cutting a surface leaves a quarter, and the
/// cells above take another quarter of that: the mean of the tiles then comes near to what is wanted.
const LARGEST_LEAF: usize = 2;
/// Leaves with fewer than one in so many of the points wanted go to their parent whole.
const SMALLEST_LEAF: usize = 10;

thread_local! {
    /// For each grid cell 1 + the place of its best candidate; all zeros between uses.
    static TABLE: RefCell<Vec<u32>> = const { RefCell::new(Vec::new()) };
}

impl Builder<'_> {
    /// Builds the cell `key` from its points.
    pub(super) fn chunk(&self, key: Key, records: Vec<Record>) -> Result<Node> {
        let edge_bits = self.bits - key.level;
        let dropped = edge_bits.saturating_sub(21);
        let corner = key.corner(self.bits);
        let code = |record: &Record| morton([0, 1, 2].map(|axis| (record.position[axis] - corner[axis]) >> dropped));
        let mut order: Vec<(u64, u32)> = records.par_iter().enumerate().map(|(index, record)| (code(record), index as u32)).collect();
        order.par_sort_unstable();
        let codes: Vec<u64> = order.par_iter().map(|&(code, _)| code).collect();
        let sorted: Vec<Record> = order.par_iter().map(|&(_, index)| records[index as usize]).collect();
        drop((records, order));
        self.cell(key, &codes, &sorted, edge_bits - dropped)
    }

    /// Builds a cell of 1 mm from points that the memory does not hold at once: the first ones are the content from
    /// which the cells above take, the others are tiles below it.
    pub(super) fn place(&self, key: Key, region: &Region) -> Result<Node> {
        let (first, beyond) = region.split(self.tile_points as u64);
        let children = self.spool.pieces(key, &beyond, self.tile_points, self.context)?;
        Ok(Node { key, content: first.load()?, children, error_m: 0.0 })
    }

    /// Builds the cell whose records these are; `digits` levels lie below it.
    fn cell(&self, key: Key, codes: &[u64], records: &[Record], digits: u32) -> Result<Node> {
        self.context.check()?;
        if records.len() <= LARGEST_LEAF * self.tile_points || digits == 0 {
            return Ok(Node { key, content: records.to_vec(), children: Vec::new(), error_m: 0.0 });
        }
        let shift = 3 * (digits - 1);
        let mut runs = Vec::with_capacity(8);
        let mut start = 0;
        for number in 0..8_u32 {
            let end = start + codes[start..].partition_point(|code| code >> shift & 7 <= u64::from(number));
            if end > start {
                runs.push((key.child(number), start..end));
            }
            start = end;
        }
        let build = |(key, run): &(Key, std::ops::Range<usize>)| self.cell(*key, &codes[run.clone()], &records[run.clone()], digits - 1);
        let nodes: Vec<Node> = runs.par_iter().map(build).collect::<Result<_>>()?;
        self.parent(key, nodes)
    }

    /// Makes the cell `key` of its children, in the order of their numbers, and finishes them.
    pub(super) fn parent(&self, key: Key, mut nodes: Vec<Node>) -> Result<Node> {
        if nodes.len() < 2 {
            return nodes.pop().ok_or_else(|| Error::Internal("a cell without children".into()));
        }
        let (spacing_m, mut taken) = self.sample(key, &nodes);
        // Tiles of a few points cost more than they show: they go to the parent whole.
        let few = (self.tile_points / SMALLEST_LEAF).max(1);
        let mut start = 0;
        for node in &nodes {
            let own = &mut taken[start..start + node.content.len()];
            start += own.len();
            if node.children.is_empty() && own.iter().filter(|&&taken| !taken).count() < few {
                own.fill(true);
            }
        }

        let mut content = Vec::with_capacity(taken.iter().filter(|&&taken| taken).count());
        let mut start = 0;
        for node in &mut nodes {
            let own = &taken[start..start + node.content.len()];
            start += own.len();
            content.extend(node.content.iter().zip(own).filter(|&(_, &taken)| taken).map(|(record, _)| *record));
            let mut own = own.iter();
            node.content.retain(|_| own.next() == Some(&false));
        }
        let done: Vec<Vec<Done>> = nodes.into_par_iter().map(|node| self.finish(node)).collect::<Result<_>>()?;
        let children: Vec<Done> = done.into_iter().flatten().collect();
        let below = children.iter().map(|child| child.error_m).fold(0.0, f64::max);
        let error_m = if children.is_empty() { 0.0 } else { spacing_m.max(below) };
        Ok(Node { key, content, children, error_m })
    }

    /// Writes a node whose content is final. One without content is replaced by its children.
    pub(super) fn finish(&self, node: Node) -> Result<Vec<Done>> {
        if node.content.is_empty() { Ok(node.children) } else { Ok(vec![self.spool.tile(node, self.bits, self.tile_points)?]) }
    }

    /// Which of the children's points the cell takes, and the grid's spacing in metres.
    fn sample(&self, key: Key, nodes: &[Node]) -> (f64, Vec<bool>) {
        let edge_bits = self.bits - key.level;
        let edge = 1_u64 << edge_bits;
        let mut cells = ((self.tile_points as f64 / SURFACES).sqrt().ceil() as u64).clamp(2, 400);
        let total = nodes.iter().map(|node| node.content.len()).sum();
        loop {
            let best =
                TABLE.with_borrow_mut(|table| best_of_cells(table, self.table_bytes, key.corner(self.bits), edge_bits, cells, nodes));
            // Volumes full of points fill more cells than surfaces do.
            if best.len() > 2 * self.tile_points && cells > 2 {
                let ratio = self.tile_points as f64 / best.len() as f64;
                cells = ((cells as f64 * ratio.powf(0.4)) as u64).max(2);
                continue;
            }
            let mut taken = vec![false; total];
            for place in best {
                taken[place as usize] = true;
            }
            return (edge as f64 / cells as f64 / 1000.0, taken);
        }
    }
}

/// For each grid cell that holds a point the place of the one nearest to its middle, the first of equals.
fn best_of_cells(table: &mut Vec<u32>, table_bytes: u64, corner: [u32; 3], edge_bits: u32, cells: u64, nodes: &[Node]) -> Vec<u32> {
    let wanted = cells * cells * cells;
    let dense = wanted * size_of::<u32>() as u64 <= table_bytes;
    let mut sparse: HashMap<u64, u32> = HashMap::new();
    if dense && table.len() < wanted as usize {
        table.resize(wanted as usize, 0);
    }
    let mut best: Vec<(u32, u32, u64)> = Vec::new();
    for (place, record) in nodes.iter().flat_map(|node| &node.content).enumerate() {
        let mut index = 0;
        let mut distance = 0;
        for axis in (0..3).rev() {
            // In units of which a cell has 2^edge_bits, so that everything is whole.
            let scaled = u64::from(record.position[axis] - corner[axis]) * cells;
            index = index * cells + (scaled >> edge_bits);
            let off = ((scaled & ((1 << edge_bits) - 1)) as i64 - (1_i64 << edge_bits >> 1)) >> edge_bits.saturating_sub(16);
            distance += (off * off) as u64;
        }
        let slot = if dense { &mut table[index as usize] } else { sparse.entry(index).or_default() };
        if *slot == 0 {
            best.push((index as u32, place as u32, distance));
            *slot = best.len() as u32;
        } else {
            let held = &mut best[*slot as usize - 1];
            if distance < held.2 {
                (held.1, held.2) = (place as u32, distance);
            }
        }
    }
    if dense {
        for &(index, _, _) in &best {
            table[index as usize] = 0;
        }
    }
    best.into_iter().map(|(_, place, _)| place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_without_room_takes_the_same_points() {
        let record = |n: u32| Record { position: [n * 7919 % 1024, n * 104_729 % 1024, n * 31 % 1024], ..Record::default() };
        let content = (0..5000).map(record).collect();
        let nodes = [Node { key: Key::ROOT, content, children: Vec::new(), error_m: 0.0 }];
        for cells in [2, 9, 40] {
            let mut table = Vec::new();
            let sparse = best_of_cells(&mut table, cells * cells * cells * 4 - 1, [0; 3], 10, cells, &nodes);
            assert!(table.is_empty());
            let dense = best_of_cells(&mut table, cells * cells * cells * 4, [0; 3], 10, cells, &nodes);
            assert_eq!(table.len() as u64, cells * cells * cells);
            assert!(sparse == dense && !dense.is_empty());
        }
    }
}
