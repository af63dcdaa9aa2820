//! Dense cells: cells of the deepest sampled level with more points than a leaf holds. Any number of points may lie at one position, so that
//! dividing the cell does not help.
//!
//! The cell's own node takes the first points; the others go to its children by their position, and so on down to the deepest level. At least ten
//! levels are kept free for this, so that a node gets an eleventh of the points or, where these are fewer, as many as wanted in a tile.
//!
//! Points at one position have no surface: theirs are the default, straight up.
//!
//! The points come in Morton order, then by their hashes, as sorted records do. Where they do not fit into memory, their file is read
//! once for each range of that order whose distinct records fit; equal records are counted, not stored.

use std::collections::HashMap;
use std::path::Path;

use super::node_file::{ChunkRoot, NodeFile};
use super::node_writer::{BuildSettings, NodeWriter};
use crate::octree::cube::Cube;
use crate::octree::morton::morton;
use crate::records::blocks::Blocks;
use crate::records::hash::hash;
use crate::records::steps::steps_of;
use parterre_model::{Error, Result};
use parterre_tile::glb::Surface;
use parterre_tile::id::NodeKey;

/// The node of a level that holds these tree coordinates, also below the level whose cells have an edge of one tree coordinate.
fn node_at(cube: &Cube, tree: [u32; 3], level: u32) -> NodeKey {
    let cell =
        if level <= cube.bits { tree.map(|value| value >> (cube.bits - level)) } else { tree.map(|value| value << (level - cube.bits)) };
    NodeKey { level, cell }
}

/// A record's key in the order of a dense cell, its bytes, and how often it occurs.
type CountedRecord = (u128, Vec<u8>, u64);

/// Fills the nodes below that of a dense cell, which has its own points already.
pub(crate) struct NodeFiller {
    /// Points of each node.
    pub(crate) node_points: usize,
    stride: usize,
    /// From the dense cell down to the node that is being filled; those above it are full and written.
    path: Vec<NodeKey>,
    /// Records of the last node of the path; empty where the node is written already.
    waiting: Vec<u8>,
}

impl NodeFiller {
    /// For a dense cell with so many points in all.
    pub(crate) fn new(settings: &BuildSettings<'_>, key: NodeKey, points: u64) -> Self {
        let levels = u64::from(NodeKey::MAX_LEVEL.saturating_sub(key.level)) + 1;
        let node_points = (points.div_ceil(levels) as usize).max(settings.tile_points);
        Self { node_points, stride: settings.stride(), path: vec![key], waiting: Vec::new() }
    }

    /// Takes the next record.
    pub(crate) fn put(&mut self, writer: &mut NodeWriter<'_>, record: &[u8]) -> Result<()> {
        let cube = &writer.settings.encoder.cube;
        let tree = cube.tree_coordinates(steps_of(record));
        while let [.., last] = self.path[1..]
            && last != node_at(cube, tree, last.level)
        {
            self.flush(writer, false)?;
            self.path.pop();
        }
        let level = self.path[self.path.len() - 1].level;
        // One full node on each level holds all records: the deepest node never gets too many.
        if (self.waiting.is_empty() || self.waiting.len() >= self.node_points * self.stride) && level < NodeKey::MAX_LEVEL {
            self.flush(writer, true)?;
            self.path.push(node_at(cube, tree, level + 1));
        }
        self.waiting.extend_from_slice(record);
        Ok(())
    }

    /// Writes the node that is being filled.
    pub(crate) fn finish(&mut self, writer: &mut NodeWriter<'_>) -> Result<()> {
        self.flush(writer, false)
    }

    fn flush(&mut self, writer: &mut NodeWriter<'_>, has_children: bool) -> Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let key = self.path[self.path.len() - 1];
        let spacing_m = if has_children { writer.settings.dense_spacing_m(key) } else { 0.0 };
        writer.write_node(key, spacing_m, &self.waiting, &vec![Surface::default(); self.waiting.len() / self.stride])?;
        self.waiting.clear();
        Ok(())
    }
}

/// Key of a record in the order of a dense cell.
fn order(cube: &Cube, key: NodeKey, record: &[u8]) -> u128 {
    let mask = (1_u32 << (cube.bits - key.level)) - 1;
    u128::from(morton(cube.tree_coordinates(steps_of(record)).map(|value| value & mask))) << 64 | u128::from(hash(record))
}

/// Builds a chunk that is one dense cell with so many points, from its file. At most `most` distinct records are in memory beside those of two
/// nodes.
pub(crate) fn build_dense_chunk(mut writer: NodeWriter<'_>, key: NodeKey, path: &Path, points: u64, most: usize) -> Result<NodeFile> {
    let settings = writer.settings;
    let stride = settings.stride();
    let mut filler = NodeFiller::new(settings, key, points);
    let own = filler.node_points * stride;
    let mut root: Vec<u8> = Vec::new();
    let mut has_children = false;
    // Ranges of the order, the next one last.
    let mut ranges = vec![range(settings, key, path)?];
    while let Some((from, to)) = ranges.pop() {
        let Some(records) = distinct(settings, key, path, (from, to), most)? else {
            let middle = from.midpoint(to);
            ranges.push((middle + 1, to));
            ranges.push((from, middle));
            continue;
        };
        for (_, record, count) in records {
            for _ in 0..count {
                writer.count(&record);
                if root.len() < own {
                    root.extend_from_slice(&record);
                } else {
                    has_children = true;
                    filler.put(&mut writer, &record)?;
                }
            }
        }
    }
    filler.finish(&mut writer)?;
    let spacing_m = if has_children { settings.dense_spacing_m(key) } else { 0.0 };
    let surfaces = vec![Surface::default(); root.len() / stride];
    writer.finish_chunk(ChunkRoot { key, points: surfaces.len() as u32, spacing_m, has_children }, &root, &surfaces)
}

/// The smallest and the largest key in the order that a record of the file has.
fn range(settings: &BuildSettings<'_>, key: NodeKey, path: &Path) -> Result<(u128, u128)> {
    let (mut from, mut to) = (u128::MAX, 0);
    let mut blocks = Blocks::open(path, settings.stride())?;
    let mut records = Vec::new();
    while blocks.next(&mut records)? {
        settings.context.check()?;
        for record in records.chunks_exact(settings.stride()) {
            let at = order(&settings.encoder.cube, key, record);
            (from, to) = (from.min(at), to.max(at));
        }
        records.clear();
    }
    if from > to { Err(Error::Internal("a chunk without points".into())) } else { Ok((from, to)) }
}

/// The distinct records in a range of the order, in that order, and how often each occurs; `None` where there are more than `most` and the range
/// can be divided.
fn distinct(
    settings: &BuildSettings<'_>,
    key: NodeKey,
    path: &Path,
    (from, to): (u128, u128),
    most: usize,
) -> Result<Option<Vec<CountedRecord>>> {
    let stride = settings.stride();
    let cube = &settings.encoder.cube;
    let mut found: HashMap<Vec<u8>, u64> = HashMap::new();
    let mut blocks = Blocks::open(path, stride)?;
    let mut records = Vec::new();
    while blocks.next(&mut records)? {
        settings.context.check()?;
        for record in records.chunks_exact(stride) {
            if !(from..=to).contains(&order(cube, key, record)) {
                continue;
            }
            if let Some(count) = found.get_mut(record) {
                *count += 1;
            } else {
                found.insert(record.to_vec(), 1);
            }
        }
        if found.len() > most && from < to {
            return Ok(None);
        }
        records.clear();
    }
    let mut found: Vec<CountedRecord> = found.into_iter().map(|(record, count)| (order(cube, key, &record), record, count)).collect();
    found.sort_unstable();
    Ok(Some(found))
}
