//! Grains: the smallest cells that are built by sampling. Of one place there may be any number of points, which nothing cuts apart.
//!
//! Points of a grain that are more than a leaf holds are dealt out: its node takes the first ones, those that are left go
//! to its children by where they lie, and so on down to the deepest level. Ten levels at least are kept free for it,
//! so that a node gets an eleventh of the points or, where these are fewer, as many as wanted.
//!
//! They come in Morton order, then in that of their hashes, as sorted records do. Where the memory does not hold them, their file is read
//! once for each range of that order whose different records it does hold; equal records are counted, not kept.

use std::collections::HashMap;
use std::path::Path;

use super::blocks::Blocks;
use super::build::Builder;
use super::distribute::steps_of;
use super::lattice::{Cube, morton};
use super::part::{Part, Top};
use parterre_model::{Error, Result};
use parterre_tile::id::NodeKey;

/// Levels below a grain's.
const PILE_LEVELS: u32 = 10;

/// The level of grains.
pub(super) fn grain_level(cube: &Cube) -> u32 {
    cube.bits.min(NodeKey::MAX_LEVEL - PILE_LEVELS)
}

/// The node of a level in which a tree coordinate lies, also below the level of single ones.
fn node_at(cube: &Cube, tree: [u32; 3], level: u32) -> NodeKey {
    let cell =
        if level <= cube.bits { tree.map(|value| value >> (cube.bits - level)) } else { tree.map(|value| value << (level - cube.bits)) };
    NodeKey { level, cell }
}

/// A record's place in the order of a grain, its bytes, and how often it is there.
type Counted = (u128, Vec<u8>, u64);

/// Deals records out to the nodes below a grain's, which has its own already.
pub(super) struct Deal {
    /// Points of a node.
    pub(super) share: usize,
    stride: usize,
    /// From the grain down to the node that is being filled; those above it are full and encoded.
    path: Vec<NodeKey>,
    /// Records of the last node of the path, none where it has its share.
    waiting: Vec<u8>,
}

impl Deal {
    /// For so many points in all.
    pub(super) fn new(builder: &Builder<'_>, key: NodeKey, points: u64) -> Self {
        let plans = builder.plans();
        let levels = u64::from(NodeKey::MAX_LEVEL.saturating_sub(key.level)) + 1;
        let share = (points.div_ceil(levels) as usize).max(plans.tile_points);
        Self { share, stride: builder.stride(), path: vec![key], waiting: Vec::new() }
    }

    /// Takes the next record.
    pub(super) fn put(&mut self, builder: &mut Builder<'_>, record: &[u8]) -> Result<()> {
        let cube = &builder.plans().encoder.cube;
        let tree = cube.tree(steps_of(record));
        while let [.., last] = self.path[1..]
            && last != node_at(cube, tree, last.level)
        {
            self.flush(builder, false)?;
            self.path.pop();
        }
        let level = self.path[self.path.len() - 1].level;
        // As many nodes with their shares as there are levels hold all records: the deepest never gets too many.
        if (self.waiting.is_empty() || self.waiting.len() >= self.share * self.stride) && level < NodeKey::MAX_LEVEL {
            self.flush(builder, true)?;
            self.path.push(node_at(cube, tree, level + 1));
        }
        self.waiting.extend_from_slice(record);
        Ok(())
    }

    /// Encodes what is left.
    pub(super) fn end(&mut self, builder: &mut Builder<'_>) -> Result<()> {
        self.flush(builder, false)
    }

    fn flush(&mut self, builder: &mut Builder<'_>, has_children: bool) -> Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        builder.check()?;
        let key = self.path[self.path.len() - 1];
        let spacing_m = if has_children { builder.grain_spacing_m(key) } else { 0.0 };
        builder.encode_node(key, spacing_m, &self.waiting)?;
        self.waiting.clear();
        Ok(())
    }
}

/// A number that depends on all bytes of a record, the same on every machine.
pub(super) fn hash(record: &[u8]) -> u64 {
    let mut hash = record.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    hash = (hash ^ hash >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    hash ^ hash >> 29
}

/// Place of a record in the order of a grain.
fn order(cube: &Cube, key: NodeKey, record: &[u8]) -> u128 {
    let mask = (1_u32 << (cube.bits - key.level)) - 1;
    u128::from(morton(cube.tree(steps_of(record)).map(|value| value & mask))) << 64 | u128::from(hash(record))
}

impl Builder<'_> {
    /// Builds the nodes of a grain of so many records, `most` of them in memory beside those of two nodes.
    pub(super) fn pile_chunk(mut self, key: NodeKey, path: &Path, points: u64, most: usize) -> Result<Part> {
        let stride = self.stride();
        let mut deal = Deal::new(&self, key, points);
        let own = deal.share * stride;
        let mut top: Vec<u8> = Vec::new();
        let mut has_children = false;
        // Ranges of the order, the next one last.
        let mut ranges = vec![self.range(key, path)?];
        while let Some((from, to)) = ranges.pop() {
            let Some(records) = self.different(key, path, (from, to), most)? else {
                let middle = from.midpoint(to);
                ranges.push((middle + 1, to));
                ranges.push((from, middle));
                continue;
            };
            for (_, record, count) in records {
                for _ in 0..count {
                    self.count_in(&record);
                    if top.len() < own {
                        top.extend_from_slice(&record);
                    } else {
                        has_children = true;
                        deal.put(&mut self, &record)?;
                    }
                }
            }
        }
        deal.end(&mut self)?;
        let spacing_m = if has_children { self.grain_spacing_m(key) } else { 0.0 };
        self.end_chunk(Top { key, points: (top.len() / stride) as u32, spacing_m, has_children }, &top)
    }

    /// The first and the last place in the order that a record of the file has.
    fn range(&self, key: NodeKey, path: &Path) -> Result<(u128, u128)> {
        let (mut from, mut to) = (u128::MAX, 0);
        let mut blocks = Blocks::open(path, self.stride())?;
        let mut records = Vec::new();
        while blocks.next(&mut records)? {
            self.check()?;
            for record in records.chunks_exact(self.stride()) {
                let place = order(&self.plans().encoder.cube, key, record);
                (from, to) = (from.min(place), to.max(place));
            }
            records.clear();
        }
        if from > to { Err(Error::Internal("a chunk without points".into())) } else { Ok((from, to)) }
    }

    /// The different records of the grain in a range of the order, in that order, and how often each is there; `None` where they are more than
    /// `most` and can be told apart.
    fn different(&self, key: NodeKey, path: &Path, (from, to): (u128, u128), most: usize) -> Result<Option<Vec<Counted>>> {
        let stride = self.stride();
        let cube = &self.plans().encoder.cube;
        let mut found: HashMap<Vec<u8>, u64> = HashMap::new();
        let mut blocks = Blocks::open(path, stride)?;
        let mut records = Vec::new();
        while blocks.next(&mut records)? {
            self.check()?;
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
        let mut found: Vec<Counted> = found.into_iter().map(|(record, count)| (order(cube, key, &record), record, count)).collect();
        found.sort_unstable();
        Ok(Some(found))
    }
}
