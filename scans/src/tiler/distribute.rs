//! Sorting the spool into chunks: cells of the octree with few enough points to be built in memory.
//!
//! Points are counted on a grid; cells are joined upwards as long as they stay below the limit, and the points are
//! copied into one file in which each chunk has its place. A grid cell above the limit is distributed again on a grid of
//! its own, down to cells of 1 mm, which are chunks however many points they have.

use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::Path;

use super::Context;
use super::record::{BLOCK, Key, RECORD_BYTES, Record, Region};
use crate::error::{Error, Result};

/// A cell and its points.
#[derive(Clone, Debug)]
pub(super) struct Chunk {
    pub(super) key: Key,
    pub(super) region: Region,
}

/// How large chunks may be, and the cube they lie in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// The root cell's edge is 2^`bits` mm.
    pub(super) bits: u32,
    /// Points that a chunk may have.
    pub(super) chunk_points: u64,
    /// Bytes for grid and buffers.
    pub(super) bytes: u64,
}

/// Distributes a region of the cell `key`; `fix` is applied to each record first. Chunks come in the order of the tree.
pub(super) fn distribute(
    region: &Region,
    key: Key,
    limits: Limits,
    dir: &Path,
    context: &Context<'_>,
    fix: &dyn Fn(&mut Record),
) -> Result<Vec<Chunk>> {
    let left = limits.bits - key.level;
    let affordable = (limits.bytes / 2 / 12).max(512).ilog2() / 3;
    let depth = affordable.min(7).min(left);
    let grid = Grid { key, depth, bits: limits.bits };

    let mut counts = vec![0_u64; 1 << (3 * depth)];
    let mut records = Vec::with_capacity(BLOCK);
    let mut reader = region.open()?;
    let mut done = 0;
    while reader.fill(&mut records, BLOCK)? {
        context.check()?;
        for record in &mut records {
            fix(record);
            counts[grid.index(record)] += 1;
        }
        done += records.len() as u64;
        context.report("distribute", 0.3 * done as f64 / region.count as f64);
    }

    let mut plan = Plan { chunks: Vec::new(), chunk_of: vec![u32::MAX; counts.len()] };
    plan.join(&counts, grid, 0, 0, limits.chunk_points);
    drop(counts);
    let path = dir.join(format!("chunks-{}-{}-{}-{}", key.level, key.cell[0], key.cell[1], key.cell[2]));
    let mut out = Out::create(&path, &plan.chunks, limits.bytes / 2)?;
    let mut reader = region.open()?;
    let mut done = 0;
    while reader.fill(&mut records, BLOCK)? {
        context.check()?;
        for record in &mut records {
            fix(record);
            out.put(plan.chunk_of[grid.index(record)] as usize, record)?;
        }
        done += records.len() as u64;
        context.report("distribute", 0.3 + 0.7 * done as f64 / region.count as f64);
    }
    out.finish()?;

    let mut chunks = Vec::new();
    let mut start = 0;
    for (key, count) in plan.chunks {
        let region = Region { path: path.clone(), start, count };
        start += count;
        if count > limits.chunk_points && key.level < limits.bits {
            chunks.extend(distribute(&region, key, limits, dir, context, &|_| ())?);
        } else {
            chunks.push(Chunk { key, region });
        }
    }
    Ok(chunks)
}

#[derive(Clone, Copy)]
struct Grid {
    key: Key,
    depth: u32,
    bits: u32,
}

impl Grid {
    /// Morton index of the record's cell in the grid.
    fn index(self, record: &Record) -> usize {
        let shift = self.bits - self.key.level - self.depth;
        let mask = (1_u32 << self.depth) - 1;
        super::record::morton(record.position.map(|value| value >> shift & mask)) as usize
    }
}

struct Plan {
    chunks: Vec<(Key, u64)>,
    chunk_of: Vec<u32>,
}

impl Plan {
    /// Makes chunks of the cell with Morton index `cell` at `level` of the grid.
    fn join(&mut self, counts: &[u64], grid: Grid, level: u32, cell: usize, limit: u64) {
        let width = 1_usize << (3 * (grid.depth - level));
        let span = cell * width..(cell + 1) * width;
        let count: u64 = counts[span.clone()].iter().sum();
        if count == 0 {
            return;
        }
        if count <= limit || level == grid.depth {
            let mut key = grid.key;
            for step in (0..level).rev() {
                key = key.child((cell >> (3 * step) & 7) as u32);
            }
            self.chunk_of[span].fill(self.chunks.len() as u32);
            self.chunks.push((key, count));
            return;
        }
        for number in 0..8 {
            self.join(counts, grid, level + 1, cell * 8 + number, limit);
        }
    }
}

struct Out<'a> {
    file: File,
    path: &'a Path,
    /// For each chunk the records waiting and the place of the next one in the file.
    waiting: Vec<(Vec<Record>, u64)>,
    capacity: usize,
}

impl<'a> Out<'a> {
    fn create(path: &'a Path, chunks: &[(Key, u64)], bytes: u64) -> Result<Self> {
        let file = File::create(path).map_err(|error| Error::io("write", path, error))?;
        let capacity = (bytes / RECORD_BYTES / chunks.len().max(1) as u64).clamp(32, BLOCK as u64) as usize;
        let mut next = 0;
        let mut waiting = Vec::with_capacity(chunks.len());
        for (_, count) in chunks {
            waiting.push((Vec::new(), next));
            next += count;
        }
        Ok(Self { file, path, waiting, capacity })
    }

    fn put(&mut self, chunk: usize, record: &Record) -> Result<()> {
        let (records, _) = &mut self.waiting[chunk];
        records.push(*record);
        if records.len() >= self.capacity {
            self.flush(chunk)?;
        }
        Ok(())
    }

    fn flush(&mut self, chunk: usize) -> Result<()> {
        let (records, next) = &mut self.waiting[chunk];
        let written =
            (self.file.seek(SeekFrom::Start(*next * RECORD_BYTES))).and_then(|_| self.file.write_all(bytemuck::cast_slice(records)));
        written.map_err(|error| Error::io("write", self.path, error))?;
        *next += records.len() as u64;
        records.clear();
        Ok(())
    }

    fn finish(mut self) -> Result<()> {
        (0..self.waiting.len()).try_for_each(|chunk| self.flush(chunk))
    }
}
