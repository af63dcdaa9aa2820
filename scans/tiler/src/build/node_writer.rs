//! Writing final nodes into a node file.

use std::path::Path;

use super::encoder::Encoder;
use super::node_file::{ChunkRoot, NodeFile, NodeFileWriter};
use super::sampling::cells_for;
use super::surfaces::SurfaceSettings;
use crate::context::Context;
use parterre_model::Result;
use parterre_tile::glb::Surface;
use parterre_tile::id::NodeKey;

/// Settings that all builders share.
pub(crate) struct BuildSettings<'a> {
    pub(crate) encoder: &'a Encoder,
    /// `None` where no tiles are wanted: COPC has no surfaces.
    pub(crate) surfaces: Option<&'a SurfaceSettings>,
    /// Points wanted in a tile.
    pub(crate) tile_points: usize,
    /// Bytes for the grid cells' table of one builder.
    pub(crate) table_bytes: u64,
    /// Metres in a unit of the file.
    pub(crate) unit_m: f64,
    pub(crate) context: &'a Context<'a>,
}

impl BuildSettings<'_> {
    /// Bytes of a record.
    pub(crate) fn stride(&self) -> usize {
        self.encoder.layout.record_len()
    }

    /// Distance of points in a node whose grid has so many cells along its edge, in metres.
    pub(crate) fn spacing_m(&self, key: NodeKey, cells: u64) -> f64 {
        self.encoder.cube.edge_at(key.level) / cells as f64 * self.unit_m
    }

    /// Distance of points in the root, in the file's unit.
    pub(crate) fn root_spacing(&self) -> f64 {
        self.encoder.cube.edge / cells_for(self.tile_points) as f64
    }

    /// Distance of points in a node of a dense cell that has nodes below it, in metres; 0 where all points are at one position.
    pub(crate) fn dense_spacing_m(&self, key: NodeKey) -> f64 {
        if key.level < self.encoder.cube.bits { self.spacing_m(key, cells_for(self.tile_points)) } else { 0.0 }
    }
}

/// Encodes nodes and writes them into one node file.
pub(crate) struct NodeWriter<'a> {
    pub(crate) settings: &'a BuildSettings<'a>,
    file: NodeFileWriter,
}

impl<'a> NodeWriter<'a> {
    /// # Errors
    /// `io`.
    pub(crate) fn create(settings: &'a BuildSettings<'a>, path: &Path) -> Result<Self> {
        Ok(Self { settings, file: NodeFileWriter::create(path)? })
    }

    /// Adds records to the totals of the file.
    pub(crate) fn count(&mut self, records: &[u8]) {
        self.file.totals().add(&self.settings.encoder.layout, records);
    }

    /// Encodes a node of these records with their surfaces and writes it.
    pub(crate) fn write_node(&mut self, key: NodeKey, spacing_m: f64, records: &[u8], surfaces: &[Surface]) -> Result<()> {
        self.settings.context.check()?;
        let encoded = self.settings.encoder.encode(key, records, surfaces)?;
        self.file.node(key, (records.len() / self.settings.stride()) as u32, spacing_m, encoded)
    }

    /// Ends the file of a chunk with the records of the chunk's root, which is not final yet, and their surfaces.
    pub(crate) fn finish_chunk(mut self, root: ChunkRoot, records: &[u8], surfaces: &[Surface]) -> Result<NodeFile> {
        self.file.chunk_root(root, records, surfaces, self.settings.stride())?;
        self.file.finish()
    }

    /// Ends a file that has no chunk root.
    pub(crate) fn finish(self) -> Result<NodeFile> {
        self.file.finish()
    }
}
