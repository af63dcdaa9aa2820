//! Heartbeats of a job that runs: they extend its lease, write its progress into the row, and notice that the lease is lost.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::context::Context;
use crate::db::write;
use crate::models::jobs::{Job, Lease};

/// How often the progress is written and a request to stop is looked for.
const TICK: Duration = Duration::from_millis(300);

/// Where a job stands, shared by the thread that works and the one that sends heartbeats.
#[derive(Debug)]
pub struct CurrentProgress(Mutex<(String, f64)>);

impl CurrentProgress {
    /// At the start of the stage `read`.
    pub fn start() -> Self {
        Self(Mutex::new(("read".into(), 0.0)))
    }

    /// Sets stage and fraction.
    pub fn set(&self, stage: &str, fraction: f64) {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if now.0 != stage {
            stage.clone_into(&mut now.0);
        }
        now.1 = fraction;
    }

    fn get(&self) -> (String, f64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Sends heartbeats until `has_ended`. `on_tick` is called several times a second; `on_lost` once, at the end, where
/// another worker has the job.
pub fn run(
    context: &Context,
    lease: &Lease<'_>,
    job: &Job,
    progress: &CurrentProgress,
    has_ended: &AtomicBool,
    on_lost: &dyn Fn(),
    on_tick: &dyn Fn(),
) {
    let mut written = (String::new(), -1.0);
    let mut written_at = Instant::now();
    while !has_ended.load(Ordering::SeqCst) {
        std::thread::park_timeout(TICK);
        on_tick();
        let now = progress.get();
        if has_ended.load(Ordering::SeqCst) || (now == written && written_at.elapsed() < context.config.lease / 3) {
            continue;
        }
        let result = context
            .database
            .get()
            .map_err(anyhow::Error::from)
            .and_then(|mut conn| Ok(write(&mut conn, |conn| Job::heartbeat(conn, &job.id, lease, &now.0, now.1))?));
        match result {
            Ok(true) => {
                written_at = Instant::now();
                written = now;
            }
            // The job itself may have written its end just now.
            Ok(false) if has_ended.load(Ordering::SeqCst) => {}
            Ok(false) => {
                if is_held_by_another(context, job) {
                    return on_lost();
                }
            }
            // The lease may last until the database is back; if not, the next heartbeat is refused.
            Err(error) => tracing::warn!(job = job.id, "a heartbeat could not be written: {error:#}"),
        }
    }
}

/// Whether the row says that someone works on the job: as our heartbeat was refused, someone else.
fn is_held_by_another(context: &Context, job: &Job) -> bool {
    let row = context.database.get().ok().and_then(|mut conn| Job::find(&mut conn, &job.id).ok().flatten());
    row.is_none_or(|row| row.state != "done")
}
