//! What one chunk has become: the encoded nodes below its topmost, and the content of that one, which is not final yet.
//!
//! A part is a file with the nodes' bytes one after the other and the blocks of the topmost content at its end, and a
//! description beside it, `….json`, which comes last and by renaming: where it is there and fits its file, the chunk is done.

use std::fs::File;
use std::io::{BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::blocks::{Blocks, Packer};
use super::encode::Encoded;
use parterre_encode::archive::PackedMeta;
use parterre_encode::copc::Totals;
use parterre_model::{Error, Result};
use parterre_tile::id::NodeKey;

/// Records in a block of the topmost content.
const BLOCK_RECORDS: usize = 4096;

/// Bytes in a part.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Place {
    pub(super) offset: u64,
    pub(super) len: u64,
}

/// A final node.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Final {
    pub(super) key: NodeKey,
    pub(super) points: u32,
    /// Distance of neighbours in metres, 0 of nodes that took nothing from below.
    pub(super) spacing_m: f64,
    pub(super) copc: Option<Place>,
    pub(super) tile: Option<FinalTile>,
}

/// A final node's tile.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct FinalTile {
    pub(super) place: Place,
    pub(super) meta: PackedMeta,
    /// Whole millimetres in the tile frame.
    pub(super) min: [i64; 3],
    pub(super) max: [i64; 3],
}

/// The topmost node of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Top {
    pub(super) key: NodeKey,
    pub(super) points: u32,
    pub(super) spacing_m: f64,
    pub(super) has_children: bool,
}

/// A part's description.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Part {
    pub(super) nodes: Vec<Final>,
    /// The content lies at the end of the file, from this offset on.
    pub(super) top: Option<(Top, u64)>,
    pub(super) totals: Totals,
    pub(super) error_mm: f64,
    pub(super) bytes: u64,
    crc: u32,
}

/// Writes a part.
pub(super) struct PartWriter {
    path: PathBuf,
    file: BufWriter<File>,
    crc: flate2::Crc,
    part: Part,
}

impl PartWriter {
    pub(super) fn create(path: &Path) -> Result<Self> {
        let file = File::create(path).map_err(|error| Error::io("write", path, error))?;
        let part = Part { nodes: Vec::new(), top: None, totals: Totals::default(), error_mm: 0.0, bytes: 0, crc: 0 };
        Ok(Self { path: path.to_path_buf(), file: BufWriter::with_capacity(256 << 10, file), crc: flate2::Crc::new(), part })
    }

    fn put(&mut self, bytes: &[u8]) -> Result<Place> {
        self.file.write_all(bytes).map_err(|error| Error::io("write", &self.path, error))?;
        self.crc.update(bytes);
        let place = Place { offset: self.part.bytes, len: bytes.len() as u64 };
        self.part.bytes += place.len;
        Ok(place)
    }

    /// Counts points in that the part holds.
    pub(super) fn totals(&mut self) -> &mut Totals {
        &mut self.part.totals
    }

    /// Appends a node.
    pub(super) fn node(&mut self, key: NodeKey, points: u32, spacing_m: f64, encoded: Encoded) -> Result<()> {
        let copc = encoded.copc.map(|bytes| self.put(&bytes)).transpose()?;
        let tile = match encoded.tile {
            Some(mut tile) => {
                let place = self.put(&tile.packed.take_data())?;
                let extent = tile.extent;
                self.part.error_mm = self.part.error_mm.max(extent.error_mm);
                Some(FinalTile { place, meta: tile.packed.meta(), min: extent.min, max: extent.max })
            }
            None => None,
        };
        self.part.nodes.push(Final { key, points, spacing_m, copc, tile });
        Ok(())
    }

    /// Appends the content that is not final.
    pub(super) fn top(&mut self, top: Top, records: &[u8], stride: usize) -> Result<()> {
        let offset = self.part.bytes;
        let mut packer = Packer::new(stride);
        for records in records.chunks(BLOCK_RECORDS * stride) {
            self.put(packer.pack(records)?)?;
        }
        self.part.top = Some((top, offset));
        Ok(())
    }

    /// Ends the part.
    pub(super) fn finish(mut self) -> Result<Part> {
        self.file.flush().map_err(|error| Error::io("write", &self.path, error))?;
        self.part.crc = self.crc.sum();
        let text = serde_json::to_vec(&self.part).map_err(|error| Error::Internal(error.to_string()))?;
        let draft = self.path.with_extension("draft");
        let to = description(&self.path);
        std::fs::write(&draft, text).map_err(|error| Error::io("write", &draft, error))?;
        std::fs::rename(&draft, &to).map_err(|error| Error::io("write", &to, error))?;
        Ok(self.part)
    }
}

fn description(path: &Path) -> PathBuf {
    path.with_extension("json")
}

impl Part {
    /// The part that an earlier run left at this path, if it is whole.
    pub(super) fn find(path: &Path) -> Option<Self> {
        let part: Self = serde_json::from_slice(&std::fs::read(description(path)).ok()?).ok()?;
        let mut file = File::open(path).ok()?;
        let mut crc = flate2::Crc::new();
        let mut buffer = vec![0; 256 << 10];
        let mut left = part.bytes;
        loop {
            let read = file.read(&mut buffer).ok()?;
            if read == 0 {
                break;
            }
            left = left.checked_sub(read as u64)?;
            crc.update(&buffer[..read]);
        }
        (left == 0 && crc.sum() == part.crc).then_some(part)
    }

    /// The records of the topmost node.
    pub(super) fn load_top(&self, path: &Path, stride: usize, records: &mut Vec<u8>) -> Result<()> {
        if let Some((_, offset)) = self.top {
            let mut blocks = Blocks::open_at(path, stride, offset)?;
            while blocks.next(records)? {}
        }
        Ok(())
    }
}
