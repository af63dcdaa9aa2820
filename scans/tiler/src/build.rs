//! Building the octree bottom-up: leaves hold points, every inner node takes some from its children's contents. What is
//! taken is no longer in the child: every point stays in exactly one node. A node is final, and encoded, when its
//! parent has taken from it.
//!
//! Which cells are cut depends on their numbers of points alone, never on how the points are divided into chunks.
//! Cells too small to be cut, grains, deal their points out to the nodes below them: see `pile`. So a tile has at most three
//! times the points wanted, or an eleventh of the points of one grain where these are more.

use std::ops::Range;
use std::path::Path;

use super::context::Context;
use super::encode::Encoder;
use super::lattice::morton;
use super::order::Sorted;
use super::part::{Part, PartWriter, Top};
use super::pile::{Deal, grain_level};
use super::plan::MORTON_LEVELS;
use super::sample::{Sampler, cells_for};
use parterre_model::{Error, Result};
use parterre_tile::id::NodeKey;

/// A cell is cut when it has more than this many times the points wanted. Cutting a surface leaves a quarter, and the
/// cells above take another quarter of that: the mean of the tiles then comes near to what is wanted.
pub(super) const LARGEST_LEAF: usize = 2;
/// Leaves with fewer than one in so many of the points wanted go to their parent whole.
const SMALLEST_LEAF: usize = 10;

/// What all builders share.
pub(super) struct Plans<'a> {
    pub(super) encoder: &'a Encoder,
    pub(super) tile_points: usize,
    /// Bytes for a builder's table of grid cells.
    pub(super) table_bytes: u64,
    /// Metres in a unit of the file.
    pub(super) unit_m: f64,
    pub(super) context: &'a Context<'a>,
}

impl Plans<'_> {
    fn stride(&self) -> usize {
        self.encoder.format.record_len()
    }

    /// Distance of points on a grid of so many cells, in metres.
    fn spacing_m(&self, key: NodeKey, cells: u64) -> f64 {
        self.encoder.cube.edge_at(key.level) / cells as f64 * self.unit_m
    }

    /// Distance of points in the root, in the file's unit.
    pub(super) fn root_spacing(&self) -> f64 {
        self.encoder.cube.edge / cells_for(self.tile_points) as f64
    }
}

/// A node whose content is not final yet: its parent has still to take from it.
pub(super) struct Node {
    key: NodeKey,
    /// Places of its records in the list at hand, ascending.
    content: Vec<u32>,
    has_children: bool,
    /// Spacing of the content in metres where there are children, else 0.
    spacing_m: f64,
}

/// Builds the nodes of one part.
pub(super) struct Builder<'a> {
    plans: &'a Plans<'a>,
    part: PartWriter,
    tools: &'a mut Tools,
}

/// Memory that builders use one after the other.
#[derive(Default)]
pub(super) struct Tools {
    sampler: Sampler,
    gathered: Vec<u8>,
}

impl<'a> Builder<'a> {
    pub(super) fn new(plans: &'a Plans<'a>, path: &Path, tools: &'a mut Tools) -> Result<Self> {
        Ok(Self { plans, part: PartWriter::create(path)?, tools })
    }

    /// Builds the cell `key` from its records; `digits` are those of the codes.
    pub(super) fn chunk(mut self, key: NodeKey, sorted: &Sorted, digits: u32) -> Result<Part> {
        let stride = self.plans.stride();
        self.count_in(&sorted.records);
        let count = sorted.codes.len();
        let node = self.cell(key, sorted, &sorted.codes, 0..count, digits)?;
        let top = Top { key: node.key, points: node.content.len() as u32, spacing_m: node.spacing_m, has_children: node.has_children };
        let mut records = std::mem::take(&mut self.tools.gathered);
        gather(&sorted.records, stride, &node.content, &mut records);
        self.end_chunk(top, &records)
    }

    /// Ends a chunk's part with the content of its topmost node.
    pub(super) fn end_chunk(mut self, top: Top, records: &[u8]) -> Result<Part> {
        let stride = self.stride();
        self.part.top(top, records, stride)?;
        self.part.finish()
    }

    /// Counts records in that the part will hold.
    pub(super) fn count_in(&mut self, records: &[u8]) {
        self.part.totals().add(&self.plans.encoder.format, records);
    }

    pub(super) fn stride(&self) -> usize {
        self.plans.stride()
    }

    pub(super) fn check(&self) -> Result<()> {
        self.plans.context.check()
    }

    /// Encodes a node of these records.
    pub(super) fn encode_node(&mut self, key: NodeKey, spacing_m: f64, records: &[u8]) -> Result<()> {
        let encoded = self.plans.encoder.encode(key, records)?;
        self.part.node(key, (records.len() / self.stride()) as u32, spacing_m, encoded)
    }

    /// Ends a part that is no chunk's.
    pub(super) fn end(self) -> Result<Part> {
        self.part.finish()
    }

    /// Builds the cell whose records these are; `codes` are theirs, with so many digits.
    fn cell(&mut self, key: NodeKey, sorted: &Sorted, codes: &[u64], range: Range<usize>, digits: u32) -> Result<Node> {
        self.plans.context.check()?;
        let content = || range.clone().map(|place| place as u32).collect();
        if range.len() <= LARGEST_LEAF * self.plans.tile_points {
            return Ok(Node { key, content: content(), has_children: false, spacing_m: 0.0 });
        }
        let cube = &self.plans.encoder.cube;
        if key.level >= grain_level(cube) {
            return self.pile(key, sorted, range);
        }
        let left = cube.bits - key.level;
        if digits == 0 {
            // Deeper than the codes go: others for what is below.
            let digits = left.min(MORTON_LEVELS);
            let code = |record: &[u8]| {
                let tree = cube.tree(super::distribute::steps_of(record));
                morton(tree.map(|value| (value & ((1 << left) - 1)) >> (left - digits)))
            };
            let stride = self.plans.stride();
            let records = &sorted.records[range.start * stride..range.end * stride];
            let codes: Vec<u64> = records.chunks_exact(stride).map(code).collect();
            return self.cell(key, sorted, &codes, range, digits);
        }
        let shift = 3 * (digits - 1);
        let mut nodes = Vec::with_capacity(8);
        let mut start = 0;
        for number in 0..8_u32 {
            let len = codes[start..].partition_point(|code| code >> shift & 7 <= u64::from(number));
            if len > 0 {
                let run = range.start + start..range.start + start + len;
                nodes.push(self.cell(key.child(number), sorted, &codes[start..start + len], run, digits - 1)?);
            }
            start += len;
        }
        self.parent(key, &sorted.records, nodes)
    }

    /// Deals the points of a grain out: the first ones stay in its own node.
    fn pile(&mut self, key: NodeKey, sorted: &Sorted, range: Range<usize>) -> Result<Node> {
        let mut deal = Deal::new(self, key, range.len() as u64);
        let own = range.start..range.end.min(range.start + deal.share);
        let stride = self.plans.stride();
        for record in sorted.records[own.end * stride..range.end * stride].chunks_exact(stride) {
            deal.put(self, record)?;
        }
        deal.end(self)?;
        let has_children = own.end < range.end;
        let spacing_m = if has_children { self.grain_spacing_m(key) } else { 0.0 };
        Ok(Node { key, content: own.map(|place| place as u32).collect(), has_children, spacing_m })
    }

    /// Spacing of a node of a grain that has more below it, in metres; 0 where all lie at one place.
    pub(super) fn grain_spacing_m(&self, key: NodeKey) -> f64 {
        if key.level < self.plans.encoder.cube.bits { self.plans.spacing_m(key, cells_for(self.plans.tile_points)) } else { 0.0 }
    }

    pub(super) fn plans(&self) -> &'a Plans<'a> {
        self.plans
    }

    /// Makes the cell `key` of its children, in the order of their numbers, and finishes them. Their contents name
    /// records of the list.
    pub(super) fn parent(&mut self, key: NodeKey, records: &[u8], mut nodes: Vec<Node>) -> Result<Node> {
        let plans = self.plans;
        let all: Vec<u32> = nodes.iter().flat_map(|node| node.content.iter().copied()).collect();
        let (cells, mut taken) =
            self.tools.sampler.sample(&plans.encoder.cube, key, records, plans.stride(), &all, plans.tile_points, plans.table_bytes);
        // Tiles of a few points cost more than they show: they go to the parent whole.
        let few = (plans.tile_points / SMALLEST_LEAF).max(1);
        let mut start = 0;
        for node in &nodes {
            let own = &mut taken[start..start + node.content.len()];
            start += own.len();
            if !node.has_children && own.iter().filter(|&&taken| !taken).count() < few {
                own.fill(true);
            }
        }
        let content: Vec<u32> = all.iter().zip(&taken).filter(|&(_, &taken)| taken).map(|(&place, _)| place).collect();
        let mut start = 0;
        let mut has_children = false;
        for node in &mut nodes {
            let own = &taken[start..start + node.content.len()];
            start += own.len();
            let mut own = own.iter();
            node.content.retain(|_| own.next() == Some(&false));
            has_children |= node.has_children || !node.content.is_empty();
        }
        for node in nodes {
            self.finish(records, node)?;
        }
        let spacing_m = if has_children { plans.spacing_m(key, cells) } else { 0.0 };
        Ok(Node { key, content, has_children, spacing_m })
    }

    /// Encodes a node whose content is final, where it has one.
    pub(super) fn finish(&mut self, records: &[u8], node: Node) -> Result<()> {
        if node.content.is_empty() {
            return Ok(());
        }
        self.plans.context.check()?;
        let mut gathered = std::mem::take(&mut self.tools.gathered);
        gather(records, self.plans.stride(), &node.content, &mut gathered);
        let result = self.encode_node(node.key, node.spacing_m, &gathered);
        self.tools.gathered = gathered;
        result
    }
}

/// Replaces `gathered` by the records at these places.
fn gather(records: &[u8], stride: usize, places: &[u32], gathered: &mut Vec<u8>) {
    gathered.clear();
    gathered.reserve(places.len() * stride);
    for &place in places {
        gathered.extend_from_slice(&records[place as usize * stride..(place as usize + 1) * stride]);
    }
}

/// A chunk's topmost node on disk: the cell of the chunk and where its part lies.
pub(super) struct TopOnDisk<'a> {
    pub(super) top: Top,
    pub(super) part: &'a Part,
    pub(super) path: std::path::PathBuf,
}

/// Builds what lies above the chunks, whose topmost nodes come in Morton order of their cells.
pub(super) fn above(plans: &Plans<'_>, tops: Vec<TopOnDisk<'_>>, path: &Path, tools: &mut Tools) -> Result<Part> {
    let mut builder = Builder::new(plans, path, tools)?;
    let mut tops = tops.into_iter().peekable();
    let mut records = Vec::new();
    let root = builder.rise(NodeKey::ROOT, &mut tops, &mut records)?;
    let root = root.ok_or_else(|| Error::Internal("a tree without a root".into()))?;
    builder.finish(&records, root)?;
    builder.end()
}

type Tops<'a> = std::iter::Peekable<std::vec::IntoIter<TopOnDisk<'a>>>;

impl Builder<'_> {
    /// The cell `key` of the chunks in and below it; its content is appended to `records`.
    fn rise(&mut self, key: NodeKey, tops: &mut Tops<'_>, records: &mut Vec<u8>) -> Result<Option<Node>> {
        let stride = self.plans.stride();
        let is_below = |top: &TopOnDisk<'_>| top.top.key.ancestor(key.level) == Some(key);
        if !tops.peek().is_some_and(is_below) {
            return Ok(None);
        }
        if let Some(TopOnDisk { top, part, path }) = tops.next_if(|top| top.top.key == key) {
            let start = records.len() / stride;
            part.load_top(&path, stride, records)?;
            let content: Vec<u32> = (start..records.len() / stride).map(|place| place as u32).collect();
            if content.len() != top.points as usize {
                return Err(Error::Internal(format!("{} points of {} in the chunk {key}", content.len(), top.points)));
            }
            return Ok(Some(Node { key, content, has_children: top.has_children, spacing_m: top.spacing_m }));
        }
        let mut below = Vec::new();
        let mut nodes = Vec::new();
        for number in 0..8 {
            nodes.extend(self.rise(key.child(number), tops, &mut below)?);
        }
        let node = self.parent(key, &below, nodes)?;
        let start = records.len() / stride;
        let mut content = Vec::new();
        gather(&below, stride, &node.content, &mut content);
        records.extend_from_slice(&content);
        Ok(Some(Node { content: (start..records.len() / stride).map(|place| place as u32).collect(), ..node }))
    }
}
