//! The temporary files of chunks while they are written.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use super::chunk_plan::ChunkPlan;
use crate::records::blocks::{Packer, append};
use crate::records::disk_use::DiskUse;
use parterre_model::{Error, Result};
use parterre_tile::id::NodeKey;

/// Bytes of records in a block, at least and at most.
const BLOCK_BYTES: [u64; 2] = [4 << 10, 256 << 10];

/// A cell of the octree whose records lie in a temporary file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Chunk {
    pub(crate) key: NodeKey,
    /// Name of its file in the work folder.
    pub(crate) file: String,
    pub(crate) points: u64,
    pub(crate) bytes: u64,
}

/// The files of all chunks of a plan while records are appended to them by several threads.
pub(crate) struct ChunkFiles<'a> {
    disk_use: &'a DiskUse,
    dir: PathBuf,
    names: Vec<String>,
    /// Points and bytes written to each.
    written: Vec<Mutex<(u64, u64)>>,
}

impl<'a> ChunkFiles<'a> {
    /// One file for each chunk of the plan, named after its key; removes files of an earlier run.
    pub(crate) fn new(plan: &ChunkPlan, dir: &Path, disk_use: &'a DiskUse) -> Result<Self> {
        let names: Vec<String> = plan.chunks.iter().map(|key| format!("chunk-{key}")).collect();
        for name in &names {
            let path = dir.join(name);
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(Error::io("remove", path, error)),
                _ => {}
            }
        }
        let written = names.iter().map(|_| Mutex::default()).collect();
        Ok(Self { disk_use, dir: dir.to_path_buf(), names, written })
    }

    /// Points that were written.
    pub(crate) fn points(&self) -> Result<u64> {
        self.written.iter().map(|written| Ok(written.lock().map_err(|_| poisoned())?.0)).sum()
    }

    /// The chunks that have points, in the order of the plan.
    pub(crate) fn into_chunks(self, plan: ChunkPlan) -> Result<Vec<Chunk>> {
        let mut chunks = Vec::new();
        for ((key, file), written) in plan.chunks.into_iter().zip(self.names).zip(self.written) {
            let (points, bytes) = written.into_inner().map_err(|_| poisoned())?;
            if points > 0 {
                chunks.push(Chunk { key, file, points, bytes });
            }
        }
        Ok(chunks)
    }
}

fn poisoned() -> Error {
    Error::Internal("a chunk's lock is poisoned".into())
}

/// Buffers of one worker for records on their way into the chunk files.
pub(crate) struct ChunkWriter<'a> {
    files: &'a ChunkFiles<'a>,
    packer: Packer,
    stride: usize,
    /// For each chunk the records that are not in its file yet.
    buffers: Vec<Vec<u8>>,
    /// Bytes of a full buffer.
    capacity: usize,
}

impl<'a> ChunkWriter<'a> {
    /// Buffers of about `bytes` bytes for all chunks together.
    pub(crate) fn new(files: &'a ChunkFiles<'a>, stride: usize, bytes: u64) -> Self {
        let [least, most] = BLOCK_BYTES;
        let records = (bytes / files.names.len().max(1) as u64).clamp(least, most) as usize / stride;
        let buffers = files.names.iter().map(|_| Vec::new()).collect();
        Self { files, packer: Packer::new(stride), stride, buffers, capacity: records.max(16) * stride }
    }

    /// Appends a record to a chunk, by its index in the plan.
    pub(crate) fn append(&mut self, chunk: usize, record: &[u8]) -> Result<()> {
        let buffer = &mut self.buffers[chunk];
        if buffer.capacity() == 0 {
            buffer.reserve_exact(self.capacity);
        }
        buffer.extend_from_slice(record);
        if buffer.len() >= self.capacity { self.flush(chunk) } else { Ok(()) }
    }

    fn flush(&mut self, chunk: usize) -> Result<()> {
        let buffer = &mut self.buffers[chunk];
        if buffer.is_empty() {
            return Ok(());
        }
        let block = self.packer.pack(buffer)?;
        let mut written = self.files.written[chunk].lock().map_err(|_| poisoned())?;
        append(&self.files.dir.join(&self.files.names[chunk]), block)?;
        written.0 += (buffer.len() / self.stride) as u64;
        written.1 += block.len() as u64;
        self.files.disk_use.add(block.len() as u64);
        buffer.clear();
        Ok(())
    }

    /// Writes what is left in the buffers.
    pub(crate) fn finish(&mut self) -> Result<()> {
        (0..self.buffers.len()).try_for_each(|chunk| self.flush(chunk))
    }
}
