//! The second pass over the sources: every record goes to the chunk that it lies in, each a temporary file of blocks.
//!
//! A chunk that turns out to be above the limit is divided again, from its file, down to grains.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use serde::{Deserialize, Serialize};

use super::blocks::{Blocks, Packer, append};
use super::context::Context;
use super::convert::Converter;
use super::feed::feed;
use super::lattice::Cube;
use super::pile::grain_level;
use super::plan::{Plan, index_below};
use super::run::Temporary;
use parterre_model::record::{COORDINATES_BYTES, RecordChunk, Wanted};
use parterre_model::{Error, Result};
use parterre_read::PointSource;

use parterre_tile::id::NodeKey;

/// Bytes of records in a block, at least and at most.
const BLOCK_BYTES: [u64; 2] = [4 << 10, 256 << 10];
/// Levels at a time that a chunk is divided by.
const DIVIDE_LEVELS: u32 = 6;

/// A cell and its points.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Chunk {
    pub(super) key: NodeKey,
    /// Name of its file in the work folder.
    pub(super) file: String,
    pub(super) points: u64,
    pub(super) bytes: u64,
}

/// How large chunks may be, and what they are made of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) cube: Cube,
    /// Bytes of a record.
    pub(super) stride: usize,
    /// Points that a chunk may have.
    pub(super) chunk_points: u64,
    /// Bytes for buffers.
    pub(super) bytes: u64,
    pub(super) workers: usize,
}

/// What the pass met beside the chunks.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Distributed {
    /// In Morton order.
    pub(super) chunks: Vec<Chunk>,
    pub(super) dropped: u64,
    /// Largest distance of a position from its record's, in the file's unit.
    pub(super) error: f64,
    /// Numbers of points by intensity.
    pub(super) intensities: Vec<u64>,
    /// Numbers of points by height, in [`HEIGHTS`] steps from the lowest to the highest.
    pub(super) heights: Vec<u64>,
}

/// Steps that heights are counted in.
pub(super) const HEIGHTS: usize = 4096;

/// Files of chunks that grow.
struct Files<'a> {
    temporary: &'a Temporary,
    dir: PathBuf,
    names: Vec<String>,
    /// Points and bytes of each.
    held: Vec<Mutex<(u64, u64)>>,
}

impl<'a> Files<'a> {
    /// One for each of the plan's chunks; names come from the keys.
    fn of(plan: &Plan, dir: &Path, temporary: &'a Temporary) -> Result<Self> {
        let names: Vec<String> = plan.chunks.iter().map(|key| format!("chunk-{key}")).collect();
        for name in &names {
            let path = dir.join(name);
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(Error::io("remove", path, error)),
                _ => {}
            }
        }
        let held = names.iter().map(|_| Mutex::default()).collect();
        Ok(Self { temporary, dir: dir.to_path_buf(), names, held })
    }

    fn into_chunks(self, plan: Plan) -> Result<Vec<Chunk>> {
        let mut chunks = Vec::new();
        for ((key, file), held) in plan.chunks.into_iter().zip(self.names).zip(self.held) {
            let (points, bytes) = held.into_inner().map_err(|_| poisoned())?;
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

/// Records of one worker on their way into the files.
struct Sink<'a> {
    files: &'a Files<'a>,
    packer: Packer,
    stride: usize,
    waiting: Vec<Vec<u8>>,
    capacity: usize,
}

impl<'a> Sink<'a> {
    fn new(files: &'a Files<'a>, stride: usize, bytes: u64) -> Self {
        let [least, most] = BLOCK_BYTES;
        let records = (bytes / files.names.len().max(1) as u64).clamp(least, most) as usize / stride;
        let waiting = files.names.iter().map(|_| Vec::new()).collect();
        Self { files, packer: Packer::new(stride), stride, waiting, capacity: records.max(16) * stride }
    }

    fn put(&mut self, chunk: usize, record: &[u8]) -> Result<()> {
        let waiting = &mut self.waiting[chunk];
        if waiting.capacity() == 0 {
            waiting.reserve_exact(self.capacity);
        }
        waiting.extend_from_slice(record);
        if waiting.len() >= self.capacity { self.flush(chunk) } else { Ok(()) }
    }

    fn flush(&mut self, chunk: usize) -> Result<()> {
        let waiting = &mut self.waiting[chunk];
        if waiting.is_empty() {
            return Ok(());
        }
        let block = self.packer.pack(waiting)?;
        let mut held = self.files.held[chunk].lock().map_err(|_| poisoned())?;
        append(&self.files.dir.join(&self.files.names[chunk]), block)?;
        held.0 += (waiting.len() / self.stride) as u64;
        held.1 += block.len() as u64;
        self.files.temporary.add(block.len() as u64);
        waiting.clear();
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        (0..self.waiting.len()).try_for_each(|chunk| self.flush(chunk))
    }
}

/// One worker of the pass.
struct Worker<'a> {
    sink: Sink<'a>,
    records: Vec<u8>,
    dropped: u64,
    error: f64,
    intensities: Vec<u64>,
    heights: Vec<u64>,
}

/// Distributes all records of the sources over the plan's chunks.
pub(super) fn distribute(
    sources: &mut [Box<dyn PointSource>],
    converters: &[Converter],
    plan: Plan,
    limits: Limits,
    dir: &Path,
    temporary: &Temporary,
    context: &Context<'_>,
) -> Result<Distributed> {
    let Limits { cube, stride, .. } = limits;
    let files = Files::of(&plan, dir, temporary)?;
    let share = limits.bytes / limits.workers.max(1) as u64;
    let start = || Worker {
        sink: Sink::new(&files, stride, share),
        records: Vec::new(),
        dropped: 0,
        error: 0.0,
        intensities: vec![0; 1 << 16],
        heights: vec![0; HEIGHTS],
    };
    let work = |worker: &mut Worker<'_>, source: usize, chunk: &RecordChunk| {
        let Worker { sink, records, dropped, error, intensities, heights } = worker;
        *error = error.max(converters[source].convert(chunk, records, dropped)?);
        for record in records.chunks_exact(stride) {
            let steps = steps_of(record);
            let chunk = plan.find(&cube, steps).ok_or_else(changed)?;
            intensities[usize::from(u16::from_le_bytes([record[COORDINATES_BYTES], record[COORDINATES_BYTES + 1]]))] += 1;
            heights[height_bin(&cube, steps[2])] += 1;
            sink.put(chunk, record)?;
        }
        Ok(())
    };
    let progress = |share| context.report("distribute", share);
    let workers = feed(sources, Wanted::Records, limits.workers, context, &progress, &start, &work)?;
    let mut sum = Distributed { chunks: Vec::new(), dropped: 0, error: 0.0, intensities: vec![0; 1 << 16], heights: vec![0; HEIGHTS] };
    for mut worker in workers {
        worker.sink.finish()?;
        sum.dropped += worker.dropped;
        sum.error = sum.error.max(worker.error);
        for (sum, count) in [(&mut sum.intensities, worker.intensities), (&mut sum.heights, worker.heights)] {
            sum.iter_mut().zip(count).for_each(|(sum, count)| *sum += count);
        }
    }
    let mut chunks = Vec::new();
    for chunk in files.into_chunks(plan)? {
        divide(chunk, limits, dir, temporary, context, &mut chunks)?;
    }
    sum.chunks = chunks;
    Ok(sum)
}

/// Cuts a chunk that is too large.
fn divide(chunk: Chunk, limits: Limits, dir: &Path, temporary: &Temporary, context: &Context<'_>, done: &mut Vec<Chunk>) -> Result<()> {
    let Limits { cube, stride, .. } = limits;
    let depth = DIVIDE_LEVELS.min(grain_level(&cube).saturating_sub(chunk.key.level));
    if chunk.points <= limits.chunk_points || depth == 0 {
        done.push(chunk);
        return Ok(());
    }
    let path = dir.join(&chunk.file);
    let each = |work: &mut dyn FnMut(&[u8]) -> Result<()>| -> Result<()> {
        let mut blocks = Blocks::open(&path, stride)?;
        let mut records = Vec::new();
        while blocks.next(&mut records)? {
            context.check()?;
            records.chunks_exact(stride).try_for_each(&mut *work)?;
            records.clear();
        }
        Ok(())
    };
    let mut counts = vec![0_u64; 1 << (3 * depth)];
    each(&mut |record| {
        counts[index_below(cube.tree(steps_of(record)), chunk.key, depth, cube.bits)] += 1;
        Ok(())
    })?;
    let plan = Plan::below(chunk.key, depth, cube.bits, &counts, limits.chunk_points);
    let files = Files::of(&plan, dir, temporary)?;
    let mut sink = Sink::new(&files, stride, limits.bytes);
    each(&mut |record| {
        let to = plan.find(&cube, steps_of(record)).ok_or_else(changed)?;
        sink.put(to, record)
    })?;
    sink.finish()?;
    drop(sink);
    std::fs::remove_file(&path).map_err(|error| Error::io("remove", &path, error))?;
    temporary.remove(chunk.bytes);
    for chunk in files.into_chunks(plan)? {
        divide(chunk, limits, dir, temporary, context, done)?;
    }
    Ok(())
}

/// Steps of a record.
#[inline]
pub(super) fn steps_of(record: &[u8]) -> [i32; 3] {
    let r = &record[..COORDINATES_BYTES];
    [
        i32::from_le_bytes([r[0], r[1], r[2], r[3]]),
        i32::from_le_bytes([r[4], r[5], r[6], r[7]]),
        i32::from_le_bytes([r[8], r[9], r[10], r[11]]),
    ]
}

fn height_bin(cube: &Cube, step: i32) -> usize {
    let height = i64::from(cube.max[2]) - i64::from(cube.min[2]) + 1;
    ((i64::from(step) - i64::from(cube.min[2])) * HEIGHTS as i64 / height) as usize
}

/// The step at the middle of a bin of heights.
pub(super) fn height_of(cube: &Cube, bin: usize) -> f64 {
    let height = f64::from(cube.max[2]) - f64::from(cube.min[2]) + 1.0;
    f64::from(cube.min[2]) + (bin as f64 + 0.5) * height / HEIGHTS as f64
}

fn changed() -> Error {
    Error::input(
        "source_changed",
        "points lie where there were none when they were counted: a file has changed meanwhile",
        "Start again when the files are complete.",
    )
}
