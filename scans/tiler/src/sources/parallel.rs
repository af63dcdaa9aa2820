//! Reading in parallel: one thread reads the sources, several workers process the chunks that it reads.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use crate::context::Context;
use parterre_model::record::{RecordChunk, Wanted};
use parterre_model::{Error, Result};
use parterre_read::PointSource;

/// Points in a chunk.
const CHUNK_POINTS: usize = 32 << 10;

/// The index of a source, and a chunk of its points.
type SourceChunk = (usize, RecordChunk);

/// Sets the flag when its worker panics, so that the other threads stop.
struct PanicFlag<'a>(&'a AtomicBool);

impl Drop for PanicFlag<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

/// Reads all sources from their beginning. Each worker has a state, made by `start`, and calls `work` with it for each chunk that it takes;
/// returns the states of all workers. `progress` gets the processed share of the points that the sources announce.
pub(crate) fn process_chunks<S: Send>(
    sources: &mut [Box<dyn PointSource>],
    wanted: Wanted,
    workers: usize,
    context: &Context<'_>,
    progress: &(dyn Fn(f64) + Sync),
    start: &(dyn Fn() -> S + Sync),
    work: &(dyn Fn(&mut S, usize, &RecordChunk) -> Result<()> + Sync),
) -> Result<Vec<S>> {
    let announced: u64 = sources.iter().map(|source| source.info().points).sum();
    let (full, chunks) = mpsc::sync_channel::<SourceChunk>(workers + 1);
    let (empty, emptied) = mpsc::channel::<RecordChunk>();
    // Only workers hold the receiver: when the last one ends, the channel closes and the reader does not wait for ever.
    let chunks = Arc::new(Mutex::new(chunks));
    let failed = AtomicBool::new(false);
    let done = AtomicU64::new(0);
    std::thread::scope(|scope| {
        let stopped = &failed;
        let reader = scope.spawn(move || {
            let mut read = || -> Result<()> {
                for (index, source) in sources.iter_mut().enumerate() {
                    source.rewind()?;
                    loop {
                        context.check()?;
                        let mut chunk = emptied.try_recv().unwrap_or_default();
                        if stopped.load(Ordering::Relaxed) || source.read_records(&mut chunk, wanted, CHUNK_POINTS)? == 0 {
                            break;
                        }
                        if full.send((index, chunk)).is_err() {
                            return Ok(());
                        }
                    }
                }
                Ok(())
            };
            let result = read();
            // Workers end when nothing more can come.
            drop(full);
            result
        });
        let workers: Vec<_> = (0..workers.max(1))
            .map(|_| {
                let empty = empty.clone();
                let (chunks, failed, done) = (Arc::clone(&chunks), &failed, &done);
                scope.spawn(move || -> Result<S> {
                    let _panic_flag = PanicFlag(failed);
                    let mut state = start();
                    let mut result = Ok(());
                    while let Some((source, chunk)) = chunks.lock().ok().and_then(|chunks| chunks.recv().ok()) {
                        // After a failure the remaining chunks are taken without processing, so that the reader does not wait for ever.
                        if result.is_ok() && !failed.load(Ordering::Relaxed) {
                            result = context.check().and_then(|()| work(&mut state, source, &chunk));
                            if result.is_err() {
                                failed.store(true, Ordering::Relaxed);
                            }
                            let count = chunk.positions.len().max(chunk.steps.len()) as u64;
                            let done = done.fetch_add(count, Ordering::Relaxed) + count;
                            progress(done as f64 / announced.max(1) as f64);
                        }
                        let _ = empty.send(chunk);
                    }
                    result.map(|()| state)
                })
            })
            .collect();
        drop(chunks);
        let states: Vec<Result<S>> =
            workers.into_iter().map(|worker| worker.join().map_err(|_| Error::Internal("a worker panicked".into()))?).collect();
        let read = reader.join().map_err(|_| Error::Internal("the reader of points panicked".into()))?;
        let states = states.into_iter().collect::<Result<Vec<S>>>();
        // An error of a worker comes first: an error of the reader may only follow from it.
        let states = states?;
        read?;
        Ok(states)
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use parterre_model::Warning;
    use parterre_model::points::{Attributes, Bounds, PointChunk};
    use parterre_read::SourceInfo;

    /// Points without end.
    struct Endless(SourceInfo);

    impl PointSource for Endless {
        fn info(&self) -> &SourceInfo {
            &self.0
        }
        fn read_chunk(&mut self, chunk: &mut PointChunk, max: usize) -> Result<usize> {
            chunk.clear();
            chunk.positions.resize(max, glam::DVec3::ONE);
            Ok(max)
        }
        fn rewind(&mut self) -> Result<()> {
            Ok(())
        }
        fn warnings(&self) -> &[Warning] {
            &[]
        }
    }

    fn endless() -> Vec<Box<dyn PointSource>> {
        let info = SourceInfo {
            format: "endless".into(),
            points: 1,
            bounds: Bounds::EMPTY,
            crs: None,
            unit: None,
            vertical_unit: None,
            unit_source: parterre_model::frame::UnitSource::Assumed,
            attributes: Attributes::default(),
            grid: None,
            setups: Vec::new(),
            images: Vec::new(),
            warnings: Vec::new(),
        };
        vec![Box::new(Endless(info))]
    }

    #[test]
    fn the_reader_ends_with_its_workers() {
        let cancel = AtomicBool::new(false);
        let context = Context::new(Some(&cancel), &|_| ());
        let panics = |_: &mut u32, _, _: &RecordChunk| -> Result<()> { panic!("on purpose") };
        // One of several that panics, and all of them.
        for workers in [1, 4] {
            let result = process_chunks(&mut endless(), Wanted::Positions, workers, &context, &|_| (), &|| 0, &panics);
            assert_eq!(result.unwrap_err().code(), "internal");
        }
        let start = || -> u32 { panic!("on purpose") };
        let result = process_chunks(&mut endless(), Wanted::Positions, 3, &context, &|_| (), &start, &|_, _, _| Ok(()));
        assert_eq!(result.unwrap_err().code(), "internal");
        let fails = |_: &mut u32, _, _: &RecordChunk| Err(Error::input("odd", "odd", "none"));
        let result = process_chunks(&mut endless(), Wanted::Positions, 3, &context, &|_| (), &|| 0, &fails);
        assert_eq!(result.unwrap_err().code(), "odd");
        let stops = |_: &mut u32, _, _: &RecordChunk| {
            cancel.store(true, Ordering::Relaxed);
            Ok(())
        };
        let result = process_chunks(&mut endless(), Wanted::Positions, 3, &context, &|_| (), &|| 0, &stops);
        assert_eq!(result.unwrap_err().code(), "cancelled");
    }
}
