//! Building the octree bottom-up: leaves hold points, every inner node takes some from its children's contents. Points that are taken are removed
//! from the child: every point stays in exactly one node. A node is final, and encoded, when its parent has taken from it.
//!
//! Whether a cell is divided depends on its number of points alone, never on how the points are divided into chunks. Cells that are too small to be
//! divided give their points to the nodes below them: see [`dense_cell`](super::dense_cell). So a tile has at most three times the points
//! wanted, or an eleventh of the points of a dense cell where these are more.

use std::ops::Range;
use std::path::Path;

use super::dense_cell::NodeFiller;
use super::node_file::{ChunkRoot, NodeFile};
use super::node_writer::{BuildSettings, NodeWriter};
use super::sampling::Sampler;
use super::sort::SortedRecords;
use super::surfaces::{Block, Estimator};
use crate::octree::morton::{MORTON_LEVELS, morton};
use crate::records::steps::steps_of;
use parterre_model::Result;
use parterre_tile::glb::Surface;
use parterre_tile::id::NodeKey;

/// A cell is divided when it has more than this many times the points wanted. Dividing a surface leaves a quarter of the points in each child,
/// and the cells above take another quarter of those: the mean of all tiles then comes near to the number wanted.
pub(crate) const LARGEST_LEAF: usize = 2;
/// All points of a leaf go to its parent where the leaf would keep fewer than the points wanted divided by this.
const SMALLEST_LEAF: usize = 10;

/// A node whose content is not final yet: its parent has still to take from it.
pub(crate) struct Node {
    pub(crate) key: NodeKey,
    /// Indices of its records in the list at hand, ascending.
    pub(crate) content: Vec<u32>,
    pub(crate) has_children: bool,
    /// Spacing of the content in metres where there are children, else 0.
    pub(crate) spacing_m: f64,
}

/// Builds the nodes of one node file.
pub(crate) struct Builder<'a> {
    pub(crate) settings: &'a BuildSettings<'a>,
    writer: NodeWriter<'a>,
    buffers: &'a mut Buffers,
}

/// Memory that builders use one after the other.
#[derive(Default)]
pub(crate) struct Buffers {
    sampler: Sampler,
    gathered: Points,
    estimator: Estimator,
    surfaces: Vec<Surface>,
}

/// Records and their surfaces, one for each record; without tiles all surfaces are the default.
#[derive(Default)]
pub(crate) struct Points {
    pub(crate) records: Vec<u8>,
    pub(crate) surfaces: Vec<Surface>,
}

impl Points {
    pub(crate) fn all(&self) -> PointSlices<'_> {
        PointSlices { records: &self.records, surfaces: &self.surfaces }
    }
}

/// Borrowed [`Points`].
#[derive(Clone, Copy)]
pub(crate) struct PointSlices<'a> {
    pub(crate) records: &'a [u8],
    pub(crate) surfaces: &'a [Surface],
}

impl<'a> Builder<'a> {
    pub(crate) fn new(settings: &'a BuildSettings<'a>, path: &Path, buffers: &'a mut Buffers) -> Result<Self> {
        Ok(Self { settings, writer: NodeWriter::create(settings, path)?, buffers })
    }

    /// Builds the chunk `key` from its records; `digits` are those of the codes.
    pub(crate) fn chunk(mut self, key: NodeKey, sorted: &SortedRecords, digits: u32) -> Result<NodeFile> {
        self.writer.count(&sorted.records);
        let count = sorted.codes.len();
        let mut surfaces = std::mem::take(&mut self.buffers.surfaces);
        surfaces.clear();
        surfaces.resize(count, Surface::default());
        let node = self.cell(key, sorted, &mut surfaces, &sorted.codes, 0..count, digits)?;
        let root =
            ChunkRoot { key: node.key, points: node.content.len() as u32, spacing_m: node.spacing_m, has_children: node.has_children };
        gather(
            PointSlices { records: &sorted.records, surfaces: &surfaces },
            self.settings.stride(),
            &node.content,
            &mut self.buffers.gathered,
        );
        self.buffers.surfaces = surfaces;
        let Points { records, surfaces } = &self.buffers.gathered;
        self.writer.finish_chunk(root, records, surfaces)
    }

    /// Ends a file that has no chunk root.
    pub(crate) fn finish(self) -> Result<NodeFile> {
        self.writer.finish()
    }

    /// Builds the cell `key` from the records in `range`; `codes` are their Morton codes of `digits` octal digits. Puts the surfaces of the records
    /// where those have their places in `surfaces`.
    fn cell(
        &mut self,
        key: NodeKey,
        sorted: &SortedRecords,
        surfaces: &mut [Surface],
        codes: &[u64],
        range: Range<usize>,
        digits: u32,
    ) -> Result<Node> {
        self.settings.context.check()?;
        let content = || range.clone().map(|index| index as u32).collect();
        if range.len() <= LARGEST_LEAF * self.settings.tile_points {
            if let Some(settings) = self.settings.surfaces {
                let stride = self.settings.stride();
                let block = Block { key, records: &sorted.records[range.start * stride..range.end * stride], stride };
                self.buffers.estimator.estimate(settings, &block, &mut surfaces[range.clone()]);
            }
            return Ok(Node { key, content: content(), has_children: false, spacing_m: 0.0 });
        }
        let cube = &self.settings.encoder.cube;
        if key.level >= cube.deepest_sampled_level() {
            return self.dense_cell(key, sorted, range);
        }
        let left = cube.bits - key.level;
        if digits == 0 {
            // The codes end here: new ones for the levels below.
            let digits = left.min(MORTON_LEVELS);
            let code = |record: &[u8]| {
                let tree = cube.tree_coordinates(steps_of(record));
                morton(tree.map(|value| (value & ((1 << left) - 1)) >> (left - digits)))
            };
            let stride = self.settings.stride();
            let records = &sorted.records[range.start * stride..range.end * stride];
            let codes: Vec<u64> = records.chunks_exact(stride).map(code).collect();
            return self.cell(key, sorted, surfaces, &codes, range, digits);
        }
        let shift = 3 * (digits - 1);
        let mut nodes = Vec::with_capacity(8);
        let mut start = 0;
        for number in 0..8_u32 {
            let len = codes[start..].partition_point(|code| code >> shift & 7 <= u64::from(number));
            if len > 0 {
                let run = range.start + start..range.start + start + len;
                nodes.push(self.cell(key.child(number), sorted, surfaces, &codes[start..start + len], run, digits - 1)?);
            }
            start += len;
        }
        self.parent(key, PointSlices { records: &sorted.records, surfaces }, nodes)
    }

    /// Builds a dense cell: its first points stay in its own node, the others go to the nodes below.
    fn dense_cell(&mut self, key: NodeKey, sorted: &SortedRecords, range: Range<usize>) -> Result<Node> {
        let mut filler = NodeFiller::new(self.settings, key, range.len() as u64);
        let own = range.start..range.end.min(range.start + filler.node_points);
        let stride = self.settings.stride();
        for record in sorted.records[own.end * stride..range.end * stride].chunks_exact(stride) {
            filler.put(&mut self.writer, record)?;
        }
        filler.finish(&mut self.writer)?;
        let has_children = own.end < range.end;
        let spacing_m = if has_children { self.settings.dense_spacing_m(key) } else { 0.0 };
        Ok(Node { key, content: own.map(|index| index as u32).collect(), has_children, spacing_m })
    }

    /// Builds the cell `key` from its children, in the order of their octants, and writes what is left in the children. `points` are those that
    /// the contents refer to.
    pub(crate) fn parent(&mut self, key: NodeKey, points: PointSlices<'_>, mut nodes: Vec<Node>) -> Result<Node> {
        let settings = self.settings;
        let all: Vec<u32> = nodes.iter().flat_map(|node| node.content.iter().copied()).collect();
        let (cells, mut taken) = self.buffers.sampler.sample(
            &settings.encoder.cube,
            key,
            points.records,
            settings.stride(),
            &all,
            settings.tile_points,
            settings.table_bytes,
        );
        // Leaves of a few points cost more than they show: all their points go to the parent.
        let few = (settings.tile_points / SMALLEST_LEAF).max(1);
        let mut start = 0;
        for node in &nodes {
            let own = &mut taken[start..start + node.content.len()];
            start += own.len();
            if !node.has_children && own.iter().filter(|&&taken| !taken).count() < few {
                own.fill(true);
            }
        }
        let content: Vec<u32> = all.iter().zip(&taken).filter(|&(_, &taken)| taken).map(|(&index, _)| index).collect();
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
            self.write(points, node)?;
        }
        let spacing_m = if has_children { settings.spacing_m(key, cells) } else { 0.0 };
        Ok(Node { key, content, has_children, spacing_m })
    }

    /// Encodes and writes a node whose content is final; nothing where it is empty.
    pub(crate) fn write(&mut self, points: PointSlices<'_>, node: Node) -> Result<()> {
        if node.content.is_empty() {
            return Ok(());
        }
        let mut gathered = std::mem::take(&mut self.buffers.gathered);
        gather(points, self.settings.stride(), &node.content, &mut gathered);
        let result = self.writer.write_node(node.key, node.spacing_m, &gathered.records, &gathered.surfaces);
        self.buffers.gathered = gathered;
        result
    }
}

/// Replaces `gathered` by the points with these indices.
pub(crate) fn gather(points: PointSlices<'_>, stride: usize, indices: &[u32], gathered: &mut Points) {
    let Points { records, surfaces } = gathered;
    records.clear();
    records.reserve(indices.len() * stride);
    for &index in indices {
        records.extend_from_slice(&points.records[index as usize * stride..(index as usize + 1) * stride]);
    }
    surfaces.clear();
    surfaces.extend(indices.iter().map(|&index| points.surfaces[index as usize]));
}
