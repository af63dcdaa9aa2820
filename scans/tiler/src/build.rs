//! Stage 3: builds the octree of each chunk from its records, several chunks at a time, then the nodes above the chunks. Each node is encoded when it is
//! final. In progress and reports the stage is called `sample`.

pub(crate) mod builder;
pub(crate) mod dense_cell;
pub(crate) mod encoder;
pub(crate) mod fallback_color;
pub(crate) mod node_file;
pub(crate) mod node_writer;
pub(crate) mod sampling;
pub(crate) mod sort;
pub(crate) mod surfaces;
pub(crate) mod upper;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use self::builder::{Buffers, Builder};
use self::dense_cell::build_dense_chunk;
use self::node_file::NodeFile;
use self::node_writer::{BuildSettings, NodeWriter};
use self::sort::SortedRecords;
use self::upper::{ChunkRootFile, build_upper};
use crate::distribute::chunk_files::Chunk;
use crate::octree::morton::morton_order;
use crate::records::blocks::Blocks;
use crate::records::disk_use::DiskUse;
use parterre_model::{Error, Result};

/// How the chunks are built.
pub(crate) struct BuildPlan<'a> {
    pub(crate) settings: &'a BuildSettings<'a>,
    /// Folder of the chunk files, and of the node files that are made.
    pub(crate) dir: &'a Path,
    /// Chunks that are built at a time.
    pub(crate) builders: usize,
    /// A dense cell with more points than this is built from its file, without loading all its records.
    pub(crate) most_points: u64,
    /// Whether node files that an earlier run has left are used.
    pub(crate) resumes: bool,
    pub(crate) disk_use: &'a DiskUse,
}

/// What a builder uses for one chunk after the other.
#[derive(Default)]
struct Worker {
    buffers: Buffers,
    sorted: SortedRecords,
    records: Vec<u8>,
}

/// Path of the node file of a chunk, by the index of the chunk.
pub(crate) fn node_file_path(dir: &Path, index: usize) -> PathBuf {
    dir.join(format!("nodes-{index}.bin"))
}

impl BuildPlan<'_> {
    /// Builds every chunk, then the cells above them. Returns the node files with their paths.
    ///
    /// # Errors
    /// `io`, `cancelled`.
    pub(crate) fn build(&self, chunks: &[Chunk]) -> Result<Vec<(NodeFile, PathBuf)>> {
        let mut files = self.build_chunks(chunks)?;
        let mut roots: Vec<ChunkRootFile<'_>> =
            files.iter().filter_map(|(file, path)| Some(ChunkRootFile { root: file.chunk_root?.0, file, path: path.clone() })).collect();
        // In Morton order; no cell is an ancestor of another.
        let bits = self.settings.encoder.cube.bits;
        roots.sort_by_cached_key(|root| morton_order(root.root.key.cell.map(|cell| cell << (bits - root.root.key.level))));
        let path = self.dir.join("nodes-upper.bin");
        let upper = build_upper(self.settings, roots, &path, &mut Buffers::default())?;
        self.disk_use.add(upper.bytes);
        files.push((upper, path));
        Ok(files)
    }

    fn build_chunks(&self, chunks: &[Chunk]) -> Result<Vec<(NodeFile, PathBuf)>> {
        let total: u64 = chunks.iter().map(|chunk| chunk.points).sum();
        let mut order: Vec<usize> = (0..chunks.len()).collect();
        // The largest ones first, so that all builders end at about the same time.
        order.sort_by_key(|&index| (std::cmp::Reverse(chunks[index].points), index));
        let files: Vec<Mutex<Option<NodeFile>>> = chunks.iter().map(|_| Mutex::default()).collect();
        let (next, done, failed) = (AtomicUsize::new(0), AtomicU64::new(0), AtomicBool::new(false));
        let work = || -> Result<()> {
            let mut worker = Worker::default();
            while let Some(&index) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
                if failed.load(Ordering::Relaxed) {
                    break;
                }
                let file = self.chunk(&chunks[index], &node_file_path(self.dir, index), &mut worker);
                failed.fetch_or(file.is_err(), Ordering::Relaxed);
                *files[index].lock().map_err(|_| Error::Internal("the lock of a node file is poisoned".into()))? = Some(file?);
                let done = done.fetch_add(chunks[index].points, Ordering::Relaxed) + chunks[index].points;
                self.settings.context.report("sample", 0.97 * done as f64 / total as f64);
            }
            Ok(())
        };
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..self.builders).map(|_| scope.spawn(work)).collect();
            let results: Vec<Result<()>> =
                workers.into_iter().map(|worker| worker.join().map_err(|_| Error::Internal("a builder panicked".into()))?).collect();
            results.into_iter().collect::<Result<()>>()
        })?;
        let path = |index| node_file_path(self.dir, index);
        Ok(files.into_iter().enumerate().filter_map(|(index, file)| Some((file.into_inner().ok()??, path(index)))).collect())
    }

    /// Builds one chunk, unless an earlier run has done so, and removes its records.
    fn chunk(&self, chunk: &Chunk, path: &Path, worker: &mut Worker) -> Result<NodeFile> {
        let from = self.dir.join(&chunk.file);
        let found = if self.resumes { NodeFile::find(path) } else { None };
        let file = match found {
            Some(file) => file,
            None => self.build_chunk(chunk, &from, path, worker)?,
        };
        self.disk_use.add(file.bytes);
        match std::fs::remove_file(&from) {
            Ok(()) => self.disk_use.remove(chunk.bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(Error::io("remove", from, error)),
        }
        Ok(file)
    }

    fn build_chunk(&self, chunk: &Chunk, from: &Path, path: &Path, worker: &mut Worker) -> Result<NodeFile> {
        let Worker { buffers, sorted, records } = worker;
        let cube = &self.settings.encoder.cube;
        let stride = self.settings.stride();
        if chunk.points > self.most_points && chunk.key.level >= cube.deepest_sampled_level() {
            let writer = NodeWriter::create(self.settings, path)?;
            return build_dense_chunk(writer, chunk.key, from, chunk.points, self.most_points as usize / 2);
        }
        records.clear();
        records.reserve(chunk.points as usize * stride);
        let mut blocks = Blocks::open(from, stride)?;
        while blocks.next(records)? {}
        if records.len() as u64 != chunk.points * stride as u64 {
            return Err(Error::Internal(format!("{} bytes of records in the chunk {}", records.len(), chunk.key)));
        }
        let digits = sorted.fill(records, stride, chunk.key, cube);
        Builder::new(self.settings, path, buffers)?.chunk(chunk.key, sorted, digits)
    }
}
