//! Chunks into parts, several at a time, and what lies above them.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

use super::blocks::Blocks;
use super::build::{self, Builder, Plans, Tools, TopOnDisk};
use super::distribute::Chunk;
use super::lattice::morton;
use super::order::Sorted;
use super::part::Part;
use super::pile::grain_level;
use super::run::Run;
use super::work::{Survey, Work};
use parterre_model::{Error, Result};

impl Run<'_> {
    /// Builds every chunk, then the cells above them.
    pub(super) fn sample(&self, plans: &Plans<'_>, survey: &Survey, builders: usize, work: &Work) -> Result<Vec<(Part, PathBuf)>> {
        let chunks = &survey.distributed.chunks;
        let total: u64 = chunks.iter().map(|chunk| chunk.points).sum();
        let mut order: Vec<usize> = (0..chunks.len()).collect();
        // The largest ones first: what is left at the end is small.
        order.sort_by_key(|&number| (std::cmp::Reverse(chunks[number].points), number));
        let parts: Vec<Mutex<Option<Part>>> = chunks.iter().map(|_| Mutex::default()).collect();
        let (next, done, failed) = (AtomicUsize::new(0), AtomicU64::new(0), AtomicBool::new(false));
        std::thread::scope(|scope| {
            let workers: Vec<_> = (0..builders)
                .map(|_| {
                    scope.spawn(|| -> Result<()> {
                        let mut tools = (Tools::default(), Sorted::default(), Vec::new());
                        while let Some(&number) = order.get(next.fetch_add(1, Ordering::Relaxed)) {
                            if failed.load(Ordering::Relaxed) {
                                break;
                            }
                            let part = self.chunk(plans, &chunks[number], &work.part_path(number), work, &mut tools);
                            failed.fetch_or(part.is_err(), Ordering::Relaxed);
                            *parts[number].lock().map_err(|_| Error::Internal("a part's lock is poisoned".into()))? = Some(part?);
                            let done = done.fetch_add(chunks[number].points, Ordering::Relaxed) + chunks[number].points;
                            self.context.report("sample", 0.97 * done as f64 / total as f64);
                        }
                        Ok(())
                    })
                })
                .collect();
            let results: Vec<Result<()>> =
                workers.into_iter().map(|worker| worker.join().map_err(|_| Error::Internal("a builder panicked".into()))?).collect();
            results.into_iter().collect::<Result<()>>()
        })?;
        let mut parts: Vec<(Part, PathBuf)> =
            parts.into_iter().enumerate().filter_map(|(number, part)| Some((part.into_inner().ok()??, work.part_path(number)))).collect();
        let mut tops: Vec<TopOnDisk<'_>> =
            parts.iter().filter_map(|(part, path)| Some(TopOnDisk { top: part.top?.0, part, path: path.clone() })).collect();
        // In Morton order; no cell is an ancestor of another.
        tops.sort_by_cached_key(|top| {
            let cell = top.top.key.cell.map(|cell| cell << (plans.encoder.cube.bits - top.top.key.level));
            (morton(cell.map(|cell| cell >> 21)), morton(cell.map(|cell| cell & 0x1f_ffff)))
        });
        let path = work.path().join("part-above.bin");
        let above = build::above(plans, tops, &path, &mut Tools::default())?;
        self.temporary.add(above.bytes);
        parts.push((above, path));
        Ok(parts)
    }

    /// Builds one chunk, unless an earlier run has.
    fn chunk(
        &self,
        plans: &Plans<'_>,
        chunk: &Chunk,
        path: &Path,
        work: &Work,
        (tools, sorted, records): &mut (Tools, Sorted, Vec<u8>),
    ) -> Result<Part> {
        let from = work.path().join(&chunk.file);
        let found = self.options.fingerprint.as_ref().and_then(|_| Part::find(path));
        let part = if let Some(part) = found {
            part
        } else {
            let stride = plans.encoder.format.record_len();
            let limit = self.chunk_points(plans.tile_points, stride, chunk.points);
            if chunk.points > limit && chunk.key.level >= grain_level(&plans.encoder.cube) {
                Builder::new(plans, path, tools)?.pile_chunk(chunk.key, &from, chunk.points, limit as usize / 2)?
            } else {
                records.clear();
                records.reserve(chunk.points as usize * stride);
                let mut blocks = Blocks::open(&from, stride)?;
                while blocks.next(records)? {}
                if records.len() as u64 != chunk.points * stride as u64 {
                    return Err(Error::Internal(format!("{} bytes of records in the chunk {}", records.len(), chunk.key)));
                }
                let digits = sorted.fill(records, stride, chunk.key, &plans.encoder.cube);
                Builder::new(plans, path, tools)?.chunk(chunk.key, sorted, digits)?
            }
        };
        self.temporary.add(part.bytes);
        match std::fs::remove_file(&from) {
            Ok(()) => self.temporary.remove(chunk.bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(Error::io("remove", from, error)),
        }
        Ok(part)
    }
}
