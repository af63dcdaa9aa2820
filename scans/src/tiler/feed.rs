//! Sources into workers: a thread of its own reads while as many as there are cores work on what was read.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, mpsc};

use super::context::Context;
use crate::error::{Error, Result};
use crate::read::{PointSource, RecordChunk, Wanted};

/// Points handed over at a time.
const CHUNK_POINTS: usize = 32 << 10;

/// A chunk, and the place of its source in the list.
type Delivery = (usize, RecordChunk);

/// Reads all sources from their beginning; each worker begins with what `start` gives and takes chunks as they come. Returns
/// what the workers made. `progress` is told the share of the points announced.
pub(super) fn feed<S: Send>(
    sources: &mut [Box<dyn PointSource>],
    wanted: Wanted,
    workers: usize,
    context: &Context<'_>,
    progress: &(dyn Fn(f64) + Sync),
    start: &(dyn Fn() -> S + Sync),
    work: &(dyn Fn(&mut S, usize, &RecordChunk) -> Result<()> + Sync),
) -> Result<Vec<S>> {
    let announced: u64 = sources.iter().map(|source| source.info().points).sum();
    let (full, chunks) = mpsc::sync_channel::<Delivery>(workers + 1);
    let (empty, emptied) = mpsc::channel::<RecordChunk>();
    let chunks = Mutex::new(chunks);
    let failed = AtomicBool::new(false);
    let done = AtomicU64::new(0);
    std::thread::scope(|scope| {
        let stopped = &failed;
        let reader = scope.spawn(move || {
            let mut read = || -> Result<()> {
                for (index, source) in sources.iter_mut().enumerate() {
                    source.rewind()?;
                    loop {
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
                let (chunks, failed, done) = (&chunks, &failed, &done);
                scope.spawn(move || -> Result<S> {
                    let mut state = start();
                    let mut result = Ok(());
                    while let Some((source, chunk)) = chunks.lock().ok().and_then(|chunks| chunks.recv().ok()) {
                        // After a failure the rest is taken and left, so that the reader does not wait for ever.
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
        let states: Vec<Result<S>> =
            workers.into_iter().map(|worker| worker.join().map_err(|_| Error::Internal("a worker panicked".into()))?).collect();
        let read = reader.join().map_err(|_| Error::Internal("the reader of points panicked".into()))?;
        let states = states.into_iter().collect::<Result<Vec<S>>>();
        // What stopped the workers explains what the reader met afterwards.
        let states = states?;
        read?;
        Ok(states)
    })
}
