//! Stage 2: the second pass over the sources. Every record is written to the chunk that it lies in: a temporary file for each chunk.
//!
//! A chunk that turns out to be above the limit is divided again, from its file, down to the deepest sampled level of the octree.

pub(crate) mod chunk_files;
pub(crate) mod chunk_plan;
pub(crate) mod histograms;
pub(crate) mod occupancy;

use std::path::Path;

use serde::{Deserialize, Serialize};

use self::chunk_files::{Chunk, ChunkFiles, ChunkWriter};
use self::chunk_plan::{ChunkPlan, index_within};
use self::histograms::Histograms;
use self::occupancy::Occupancy;
use crate::context::Context;
use crate::octree::cube::Cube;
use crate::records::blocks::Blocks;
use crate::records::disk_use::DiskUse;
use crate::records::steps::steps_of;
use crate::sources::convert::Converter;
use crate::sources::parallel::process_chunks;
use parterre_model::record::{COORDINATES_BYTES, RecordChunk, Wanted};
use parterre_model::{Error, Result};
use parterre_read::PointSource;

/// Most levels that a chunk is divided by at a time.
const DIVIDE_LEVELS: u32 = 6;

/// How large chunks and buffers may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ChunkLimits {
    pub(crate) cube: Cube,
    /// Bytes of a record.
    pub(crate) stride: usize,
    /// Points that a chunk may have.
    pub(crate) chunk_points: u64,
    /// Bytes for the buffers of all workers.
    pub(crate) buffer_bytes: u64,
    pub(crate) workers: usize,
}

/// The result of the stage.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Distributed {
    /// In Morton order.
    pub(crate) chunks: Vec<Chunk>,
    /// Number of points left out.
    pub(crate) dropped: u64,
    /// Largest distance between a position and that of its record along one axis, in the file's unit.
    pub(crate) error: f64,
    pub(crate) histograms: Histograms,
    /// Where there are points, if that is wanted.
    pub(crate) occupancy: Option<Occupancy>,
}

/// State of one worker.
struct Worker<'a> {
    writer: ChunkWriter<'a>,
    records: Vec<u8>,
    dropped: u64,
    error: f64,
    histograms: Histograms,
    occupancy: Option<Occupancy>,
}

/// Distributes all records of the sources over the plan's chunks. `occupancy` is empty; `None` where it is not wanted.
///
/// # Errors
/// Those of the sources; `source_changed`, `io`, `cancelled`.
#[expect(clippy::too_many_arguments, reason = "what to distribute, and where and how")]
pub(crate) fn distribute(
    sources: &mut [Box<dyn PointSource>],
    converters: &[Converter],
    plan: ChunkPlan,
    limits: ChunkLimits,
    occupancy: Option<Occupancy>,
    dir: &Path,
    disk_use: &DiskUse,
    context: &Context<'_>,
) -> Result<Distributed> {
    let ChunkLimits { cube, stride, .. } = limits;
    let files = ChunkFiles::new(&plan, dir, disk_use)?;
    let worker_bytes = limits.buffer_bytes / limits.workers.max(1) as u64;
    let start = || Worker {
        writer: ChunkWriter::new(&files, stride, worker_bytes),
        records: Vec::new(),
        dropped: 0,
        error: 0.0,
        histograms: Histograms::new(),
        occupancy: occupancy.clone(),
    };
    let work = |worker: &mut Worker<'_>, source: usize, chunk: &RecordChunk| {
        let Worker { writer, records, dropped, error, histograms, occupancy } = worker;
        *error = error.max(converters[source].convert(chunk, records, dropped)?);
        for record in records.chunks_exact(stride) {
            let steps = steps_of(record);
            let chunk = plan.find(&cube, steps).ok_or_else(source_changed)?;
            let intensity = u16::from_le_bytes([record[COORDINATES_BYTES], record[COORDINATES_BYTES + 1]]);
            histograms.add(&cube, intensity, steps[2]);
            if let Some(occupancy) = occupancy {
                occupancy.add(cube.tree_coordinates(steps));
            }
            writer.append(chunk, record)?;
        }
        Ok(())
    };
    let progress = |share| context.report("distribute", share);
    let workers = process_chunks(sources, Wanted::Records, limits.workers, context, &progress, &start, &work)?;
    let mut sum = Distributed { chunks: Vec::new(), dropped: 0, error: 0.0, histograms: Histograms::new(), occupancy };
    for mut worker in workers {
        worker.writer.finish()?;
        sum.dropped += worker.dropped;
        sum.error = sum.error.max(worker.error);
        sum.histograms.merge(&worker.histograms);
        if let (Some(sum), Some(of_worker)) = (&mut sum.occupancy, worker.occupancy) {
            sum.merge(of_worker);
        }
    }
    let mut chunks = Vec::new();
    let points = files.points()?;
    if let Some(occupancy) = &mut sum.occupancy {
        occupancy.fit_density(points);
    }
    for chunk in files.into_chunks(plan)? {
        divide(chunk, limits, dir, disk_use, context, &mut chunks)?;
    }
    sum.chunks = chunks;
    Ok(sum)
}

/// Divides a chunk that is above the limit; appends the chunks that are not to `done`.
fn divide(chunk: Chunk, limits: ChunkLimits, dir: &Path, disk_use: &DiskUse, context: &Context<'_>, done: &mut Vec<Chunk>) -> Result<()> {
    let ChunkLimits { cube, stride, .. } = limits;
    let depth = DIVIDE_LEVELS.min(cube.deepest_sampled_level().saturating_sub(chunk.key.level));
    if chunk.points <= limits.chunk_points || depth == 0 {
        done.push(chunk);
        return Ok(());
    }
    let path = dir.join(&chunk.file);
    let for_each_record = |work: &mut dyn FnMut(&[u8]) -> Result<()>| -> Result<()> {
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
    for_each_record(&mut |record| {
        counts[index_within(cube.tree_coordinates(steps_of(record)), chunk.key, depth, cube.bits)] += 1;
        Ok(())
    })?;
    let plan = ChunkPlan::within(chunk.key, depth, cube.bits, &counts, limits.chunk_points);
    let files = ChunkFiles::new(&plan, dir, disk_use)?;
    let mut writer = ChunkWriter::new(&files, stride, limits.buffer_bytes);
    for_each_record(&mut |record| {
        let to = plan.find(&cube, steps_of(record)).ok_or_else(source_changed)?;
        writer.append(to, record)
    })?;
    writer.finish()?;
    drop(writer);
    std::fs::remove_file(&path).map_err(|error| Error::io("remove", &path, error))?;
    disk_use.remove(chunk.bytes);
    for chunk in files.into_chunks(plan)? {
        divide(chunk, limits, dir, disk_use, context, done)?;
    }
    Ok(())
}

fn source_changed() -> Error {
    Error::input(
        "source_changed",
        "points lie where there were none when they were counted: a file has changed meanwhile",
        "Start again when the files are complete.",
    )
}
