//! All final nodes of the octree, in the order in which the outputs hold them.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;

use glam::DVec3;

use crate::build::node_file::{ByteRange, FinalNode, NodeFile};
use crate::octree::morton::morton_order;
use parterre_encode::copc::Totals;
use parterre_model::points::Bounds;
use parterre_model::{Error, Result};

/// All final nodes, and where their bytes are.
pub(crate) struct Nodes {
    /// Coarse ones first, in Morton order within a level.
    pub(crate) list: Vec<FinalNode>,
    /// For each node the index of its node file in `paths`.
    files: Vec<u32>,
    paths: Vec<PathBuf>,
    pub(crate) totals: Totals,
    pub(crate) error_mm: f64,
}

impl Nodes {
    /// Bounds of the points in the tiles, tile frame, metres; `None` where no tiles were made.
    pub(crate) fn bounds_m(&self) -> Option<Bounds> {
        let mut bounds = Bounds::EMPTY;
        for tile in self.list.iter().filter_map(|node| node.tile.as_ref()) {
            for corner in [tile.min, tile.max] {
                bounds.include(DVec3::from_array(corner.map(|value| value as f64 / 1000.0)));
            }
        }
        Some(bounds).filter(|bounds| !bounds.is_empty())
    }

    /// The nodes of all node files.
    pub(crate) fn new(files: Vec<(NodeFile, PathBuf)>) -> Self {
        let mut all = Vec::new();
        let mut paths = Vec::new();
        let mut totals = Totals::default();
        let mut error_mm: f64 = 0.0;
        for (index, (file, path)) in files.into_iter().enumerate() {
            totals.merge(&file.totals);
            error_mm = error_mm.max(file.error_mm);
            all.extend(file.nodes.into_iter().map(|node| (node, index as u32)));
            paths.push(path);
        }
        all.sort_by_cached_key(|(node, _)| (node.key.level, morton_order(node.key.cell)));
        let (list, files) = all.into_iter().unzip();
        Self { list, files, paths, totals, error_mm }
    }

    /// Points in all nodes.
    pub(crate) fn points(&self) -> u64 {
        self.list.iter().map(|node| u64::from(node.points)).sum()
    }

    /// Opens all node files.
    pub(crate) fn open(&self) -> Result<Vec<File>> {
        self.paths.iter().map(|path| File::open(path).map_err(|error| Error::io("open", path, error))).collect()
    }

    /// Reads a range of bytes from the node file of a node; opens the file, so that any thread can call it.
    pub(crate) fn read_alone(&self, node: usize, range: ByteRange) -> Result<Vec<u8>> {
        let path = &self.paths[self.files[node] as usize];
        let mut bytes = vec![0; range.len as usize];
        let read = File::open(path).and_then(|mut file| {
            file.seek(SeekFrom::Start(range.offset))?;
            file.read_exact(&mut bytes)
        });
        read.map_err(|error| Error::io("read", path, error))?;
        Ok(bytes)
    }

    /// Reads a range of bytes from the node file of a node; `files` are those that [`Nodes::open`] gave.
    pub(crate) fn read(&self, files: &mut [File], node: usize, range: ByteRange) -> Result<Vec<u8>> {
        let file = self.files[node] as usize;
        let mut bytes = vec![0; range.len as usize];
        let read = files[file].seek(SeekFrom::Start(range.offset)).and_then(|_| files[file].read_exact(&mut bytes));
        read.map_err(|error| Error::io("read", &self.paths[file], error))?;
        Ok(bytes)
    }
}
