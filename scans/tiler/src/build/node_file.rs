//! Node files: the encoded nodes of one chunk, and the content of the chunk's root, which is not final yet.
//!
//! A node file has the bytes of the nodes one after the other and the records of the chunk's root, each followed by its normal, in blocks, at its end. A description lies beside it
//! (`….json`). It is written last and put in place by renaming: where it exists and fits its file, the chunk is done.

use std::fs::File;
use std::io::{BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::encoder::Encoded;
use crate::records::blocks::{Blocks, Packer};
use parterre_encode::archive::PackedMeta;
use parterre_encode::copc::Totals;
use parterre_model::{Error, Result};
use parterre_tile::glb::Surface;
use parterre_tile::id::NodeKey;

/// Records in a block of the chunk root's content.
const BLOCK_RECORDS: usize = 4096;
const SURFACE_BYTES: usize = size_of::<Surface>();

/// A range of bytes in a node file.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ByteRange {
    pub(crate) offset: u64,
    pub(crate) len: u64,
}

/// A final node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct FinalNode {
    pub(crate) key: NodeKey,
    pub(crate) points: u32,
    /// Distance of neighbouring points in metres; 0 of nodes without children.
    pub(crate) spacing_m: f64,
    pub(crate) copc: Option<ByteRange>,
    pub(crate) tile: Option<FinalTile>,
}

/// A final node's tile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct FinalTile {
    pub(crate) range: ByteRange,
    pub(crate) meta: PackedMeta,
    /// Whole millimetres in the tile frame.
    pub(crate) min: [i64; 3],
    pub(crate) max: [i64; 3],
}

/// The root of a chunk, whose content is not final yet.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct ChunkRoot {
    pub(crate) key: NodeKey,
    pub(crate) points: u32,
    pub(crate) spacing_m: f64,
    pub(crate) has_children: bool,
}

/// The description of a node file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct NodeFile {
    pub(crate) nodes: Vec<FinalNode>,
    /// The chunk's root and the offset of its records, which lie at the end of the file.
    pub(crate) chunk_root: Option<(ChunkRoot, u64)>,
    pub(crate) totals: Totals,
    pub(crate) error_mm: f64,
    pub(crate) bytes: u64,
    crc: u32,
}

/// Writes a node file.
pub(crate) struct NodeFileWriter {
    path: PathBuf,
    file: BufWriter<File>,
    crc: flate2::Crc,
    written: NodeFile,
}

impl NodeFileWriter {
    pub(crate) fn create(path: &Path) -> Result<Self> {
        let file = File::create(path).map_err(|error| Error::io("write", path, error))?;
        let written = NodeFile { nodes: Vec::new(), chunk_root: None, totals: Totals::default(), error_mm: 0.0, bytes: 0, crc: 0 };
        Ok(Self { path: path.to_path_buf(), file: BufWriter::with_capacity(256 << 10, file), crc: flate2::Crc::new(), written })
    }

    fn put(&mut self, bytes: &[u8]) -> Result<ByteRange> {
        self.file.write_all(bytes).map_err(|error| Error::io("write", &self.path, error))?;
        self.crc.update(bytes);
        let range = ByteRange { offset: self.written.bytes, len: bytes.len() as u64 };
        self.written.bytes += range.len;
        Ok(range)
    }

    /// Totals over the points of the file.
    pub(crate) fn totals(&mut self) -> &mut Totals {
        &mut self.written.totals
    }

    /// Appends a node.
    pub(crate) fn node(&mut self, key: NodeKey, points: u32, spacing_m: f64, encoded: Encoded) -> Result<()> {
        let copc = encoded.copc.map(|bytes| self.put(&bytes)).transpose()?;
        let tile = match encoded.tile {
            Some(mut tile) => {
                let range = self.put(&tile.packed.take_data())?;
                let extent = tile.extent;
                self.written.error_mm = self.written.error_mm.max(extent.error_mm);
                Some(FinalTile { range, meta: tile.packed.meta(), min: extent.min, max: extent.max })
            }
            None => None,
        };
        self.written.nodes.push(FinalNode { key, points, spacing_m, copc, tile });
        Ok(())
    }

    /// Appends the records of the chunk's root and their surfaces.
    pub(crate) fn chunk_root(&mut self, root: ChunkRoot, records: &[u8], surfaces: &[Surface], stride: usize) -> Result<()> {
        let offset = self.written.bytes;
        let mut packer = Packer::new(stride + SURFACE_BYTES);
        let mut rows = Vec::new();
        for (records, surfaces) in records.chunks(BLOCK_RECORDS * stride).zip(surfaces.chunks(BLOCK_RECORDS)) {
            rows.clear();
            for (record, surface) in records.chunks_exact(stride).zip(surfaces) {
                rows.extend_from_slice(record);
                rows.extend_from_slice(bytemuck::bytes_of(surface));
            }
            self.put(packer.pack(&rows)?)?;
        }
        self.written.chunk_root = Some((root, offset));
        Ok(())
    }

    /// Writes the description.
    pub(crate) fn finish(mut self) -> Result<NodeFile> {
        self.file.flush().map_err(|error| Error::io("write", &self.path, error))?;
        self.written.crc = self.crc.sum();
        let text = serde_json::to_vec(&self.written).map_err(|error| Error::Internal(error.to_string()))?;
        let draft = self.path.with_extension("draft");
        let to = description(&self.path);
        std::fs::write(&draft, text).map_err(|error| Error::io("write", &draft, error))?;
        std::fs::rename(&draft, &to).map_err(|error| Error::io("write", &to, error))?;
        Ok(self.written)
    }
}

fn description(path: &Path) -> PathBuf {
    path.with_extension("json")
}

impl NodeFile {
    /// The node file that an earlier run left at this path, if it is complete.
    pub(crate) fn find(path: &Path) -> Option<Self> {
        let found: Self = serde_json::from_slice(&std::fs::read(description(path)).ok()?).ok()?;
        let mut file = File::open(path).ok()?;
        let mut crc = flate2::Crc::new();
        let mut buffer = vec![0; 256 << 10];
        let mut left = found.bytes;
        loop {
            let read = file.read(&mut buffer).ok()?;
            if read == 0 {
                break;
            }
            left = left.checked_sub(read as u64)?;
            crc.update(&buffer[..read]);
        }
        (left == 0 && crc.sum() == found.crc).then_some(found)
    }

    /// Appends the records of the chunk's root to `records`, and their surfaces to `surfaces`.
    pub(crate) fn load_chunk_root(&self, path: &Path, stride: usize, records: &mut Vec<u8>, surfaces: &mut Vec<Surface>) -> Result<()> {
        if let Some((_, offset)) = self.chunk_root {
            let mut blocks = Blocks::open_at(path, stride + SURFACE_BYTES, offset)?;
            let mut rows = Vec::new();
            while blocks.next(&mut rows)? {
                for row in rows.chunks_exact(stride + SURFACE_BYTES) {
                    records.extend_from_slice(&row[..stride]);
                    surfaces.push(bytemuck::pod_read_unaligned(&row[stride..]));
                }
                rows.clear();
            }
        }
        Ok(())
    }
}
