//! What every stage gets from the caller: whether to stop, and whom to report progress to.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use crate::report::Timing;
use parterre_model::{Error, Result};

/// How far a run is. Reported often; cheap to copy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// `count`, `distribute`, `sample`, `write`, `pictures`.
    pub stage: &'static str,
    /// 0 to 1 over all stages.
    pub fraction: f64,
}

/// Where each stage begins and ends in the whole.
const STAGES: [(&str, f64, f64); 5] =
    [("count", 0.0, 0.1), ("distribute", 0.1, 0.3), ("sample", 0.3, 0.92), ("write", 0.92, 0.95), ("pictures", 0.95, 1.0)];

pub(crate) struct Context<'a> {
    cancel: Option<&'a AtomicBool>,
    progress: &'a (dyn Fn(Progress) + Sync),
    /// Index of the stage and fraction that were reported last.
    last: Mutex<(usize, f64)>,
    timings: Mutex<Vec<Timing>>,
}

impl<'a> Context<'a> {
    pub(crate) fn new(cancel: Option<&'a AtomicBool>, progress: &'a (dyn Fn(Progress) + Sync)) -> Self {
        Self { cancel, progress, last: Mutex::default(), timings: Mutex::default() }
    }

    pub(crate) fn check(&self) -> Result<()> {
        if self.cancel.is_some_and(|cancel| cancel.load(Ordering::Relaxed)) { Err(Error::Cancelled) } else { Ok(()) }
    }

    /// Reports the progress of a stage, 0 to 1. The reported progress never decreases, and the stage never goes back.
    pub(crate) fn report(&self, stage: &'static str, fraction: f64) {
        let Some(index) = STAGES.iter().position(|(name, ..)| *name == stage) else { return };
        let (_, from, to) = STAGES[index];
        let Ok(mut last) = self.last.lock() else { return };
        *last = (last.0.max(index), last.1.max(from + (to - from) * fraction.clamp(0.0, 1.0)));
        (self.progress)(Progress { stage: STAGES[last.0].0, fraction: last.1 });
    }

    /// Runs a stage and takes its time.
    pub(crate) fn stage<T>(&self, stage: &'static str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.check()?;
        self.report(stage, 0.0);
        let started = Instant::now();
        let result = work();
        if let Ok(mut timings) = self.timings.lock() {
            timings.push(Timing { stage: stage.to_owned(), seconds: started.elapsed().as_secs_f64() });
        }
        result
    }

    /// Of the stages in their order; the last two run side by side.
    pub(crate) fn timings(&self) -> Vec<Timing> {
        let mut timings = self.timings.lock().map(|timings| timings.clone()).unwrap_or_default();
        timings.sort_by_key(|timing| STAGES.iter().position(|(name, ..)| *name == timing.stage));
        timings
    }
}
