//! The parts' nodes into the two files, coarse ones first: what a client asks for first lies together.

use std::fs::File;
use std::io::{BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use glam::DVec3;

use super::context::Context;
use super::encode::path_of;
use super::lattice::morton;
use super::part::{Final, Part, Place};
use parterre_encode::archive;
use parterre_encode::copc::{self, Totals};
use parterre_model::points::Bounds;
use parterre_model::{Error, Result};

const BUFFER_BYTES: usize = 1 << 20;

/// All nodes and where their bytes lie.
pub(super) struct Nodes {
    /// Coarse ones first, in Morton order within a level.
    pub(super) finals: Vec<Final>,
    /// For each node the place of its part in `paths`.
    parts: Vec<u32>,
    paths: Vec<PathBuf>,
    pub(super) totals: Totals,
    pub(super) error_mm: f64,
}

impl Nodes {
    /// Bounds of the points in the tiles, tile frame, metres; `None` where no tiles were made.
    pub(super) fn bounds_m(&self) -> Option<Bounds> {
        let mut bounds = Bounds::EMPTY;
        for tile in self.finals.iter().filter_map(|node| node.tile.as_ref()) {
            for corner in [tile.min, tile.max] {
                bounds.include(DVec3::from_array(corner.map(|value| value as f64 / 1000.0)));
            }
        }
        Some(bounds).filter(|bounds| !bounds.is_empty())
    }

    pub(super) fn of(parts: Vec<(Part, PathBuf)>) -> Self {
        let mut all = Vec::new();
        let mut paths = Vec::new();
        let mut totals = Totals::default();
        let mut error_mm: f64 = 0.0;
        for (number, (part, path)) in parts.into_iter().enumerate() {
            totals.merge(&part.totals);
            error_mm = error_mm.max(part.error_mm);
            all.extend(part.nodes.into_iter().map(|node| (node, number as u32)));
            paths.push(path);
        }
        // Two codes: one holds 21 bits of an axis.
        all.sort_by_cached_key(|(node, _)| {
            (node.key.level, morton(node.key.cell.map(|cell| cell >> 21)), morton(node.key.cell.map(|cell| cell & 0x1f_ffff)))
        });
        let (finals, parts) = all.into_iter().unzip();
        Self { finals, parts, paths, totals, error_mm }
    }

    /// Points in all nodes.
    pub(super) fn points(&self) -> u64 {
        self.finals.iter().map(|node| u64::from(node.points)).sum()
    }

    fn open(&self) -> Result<Vec<File>> {
        self.paths.iter().map(|path| File::open(path).map_err(|error| Error::io("open", path, error))).collect()
    }

    /// Reads a node's bytes, by any thread.
    pub(super) fn read_alone(&self, node: usize, place: Place) -> Result<Vec<u8>> {
        let path = &self.paths[self.parts[node] as usize];
        let mut bytes = vec![0; place.len as usize];
        let read = File::open(path).and_then(|mut file| {
            file.seek(SeekFrom::Start(place.offset))?;
            file.read_exact(&mut bytes)
        });
        read.map_err(|error| Error::io("read", path, error))?;
        Ok(bytes)
    }

    /// Reads a node's bytes.
    fn read(&self, files: &mut [File], node: usize, place: Place) -> Result<Vec<u8>> {
        let part = self.parts[node] as usize;
        let mut bytes = vec![0; place.len as usize];
        let read = files[part].seek(SeekFrom::Start(place.offset)).and_then(|_| files[part].read_exact(&mut bytes));
        read.map_err(|error| Error::io("read", &self.paths[part], error))?;
        Ok(bytes)
    }
}

/// Writes `points.copc.laz`. Returns its length.
pub(super) fn copc(nodes: &Nodes, header: copc::Header, path: &Path, context: &Context<'_>) -> Result<u64> {
    let file = File::create(path).map_err(|error| Error::io("write", path, error))?;
    let mut writer = copc::Writer::create(BufWriter::with_capacity(BUFFER_BYTES, &file), path, header)?;
    let mut files = nodes.open()?;
    for (index, node) in nodes.finals.iter().enumerate() {
        context.check()?;
        let place = node.copc.ok_or_else(|| Error::Internal(format!("the node {} has no chunk", node.key)))?;
        writer.node(node.key, node.points, &nodes.read(&mut files, index, place)?)?;
    }
    let len = writer.finish(&nodes.totals)?;
    file.sync_all().map_err(|error| Error::io("write", path, error))?;
    Ok(len)
}

/// Writes `tiles.3tz`: the documents, then the tiles. Returns its length.
pub(super) fn tiles(nodes: &Nodes, documents: Vec<(String, Vec<u8>)>, path: &Path, context: &Context<'_>) -> Result<u64> {
    let file = File::create(path).map_err(|error| Error::io("write", path, error))?;
    let mut writer = archive::Writer::new(BufWriter::with_capacity(BUFFER_BYTES, file));
    for (path, bytes) in documents {
        writer.add(path, bytes)?;
    }
    let mut files = nodes.open()?;
    for (index, node) in nodes.finals.iter().enumerate() {
        context.check()?;
        let tile = node.tile.as_ref().ok_or_else(|| Error::Internal(format!("the node {} has no tile", node.key)))?;
        let bytes = nodes.read(&mut files, index, tile.place)?;
        writer.write(tile.meta.with_data(path_of(node.key), bytes))?;
        context.report("write", index as f64 / nodes.finals.len() as f64);
    }
    let (mut out, len) = writer.finish()?;
    out.flush().map_err(|error| Error::io("write", path, error))?;
    let file = out.into_inner().map_err(|error| Error::io("write", path, error.into_error()))?;
    file.sync_all().map_err(|error| Error::io("write", path, error))?;
    Ok(len)
}
