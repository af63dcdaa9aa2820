//! One attempt at a claimed job, from the start to the row that says how it ended.
//!
//! Bad input fails the job at once. Everything else is tried again after a growing wait, as long as attempts make progress:
//! progress is that the tiler's journal has more steps than at the end of any attempt before. `max_attempts` attempts in a row without
//! progress fail the job with the last one's error, and `max_interruptions` in a row that the service did not survive fail it with
//! `job_gave_up`. Steps are read from the journal itself, so that those of an attempt whose service was killed count.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use parterre_model::catalog::Fault;
use parterre_tiler as tiler;

use super::context::Context;
use super::error::JobError;
use super::heartbeat::{self, CurrentProgress};
use super::tile_scan;
use super::work_folders::sweep;
use crate::db::write;
use crate::models::jobs::Job;
use crate::models::versions::Version;

/// What becomes of a job whose work was stopped from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenStopped {
    /// It goes back into the queue, for whoever comes next.
    PutBack,
    /// It fails: whoever started it has stopped it.
    Fail,
}

/// Runs a claimed job to its end and writes the end. `observe` gets stage and progress. Returns the fault of an attempt that failed.
pub fn run(
    context: &Context,
    owner: &str,
    job: &Job,
    stop: &AtomicBool,
    when_stopped: WhenStopped,
    observe: &(dyn Fn(&str, f64) + Sync),
) -> anyhow::Result<Option<Fault>> {
    let mut job = job.clone();
    if record_progress(context, owner, &job)? {
        (job.attempts, job.interruptions) = (1, 0);
    }
    if job.attempts > job.max_attempts || job.interruptions > context.config.max_interruptions {
        let fault = Fault::new(
            "job_gave_up",
            format!("the service ended {} times while it worked on this file, without progress in between", job.interruptions),
            "Check the service's log for the cause, then try the job again. The file may need more memory than there is.",
        );
        fail(context, owner, &job, &fault)?;
        sweep(context);
        return Ok(Some(fault));
    }
    tracing::info!(job = job.id, kind = job.kind, attempt = job.attempts, interruptions = job.interruptions, "job started");
    let started = Instant::now();
    let (cancel, is_lost, has_ended) = (AtomicBool::new(false), AtomicBool::new(false), AtomicBool::new(false));
    let progress = CurrentProgress::start();
    let result = std::thread::scope(|scope| {
        let beating = scope.spawn(|| {
            let on_lost = || {
                is_lost.store(true, Ordering::SeqCst);
                cancel.store(true, Ordering::SeqCst);
            };
            let on_tick = || {
                if stop.load(Ordering::SeqCst) {
                    cancel.store(true, Ordering::SeqCst);
                }
            };
            heartbeat::run(context, &context.lease(owner), &job, &progress, &has_ended, &on_lost, &on_tick);
        });
        let report = |stage: &str, fraction: f64| {
            progress.set(stage, fraction);
            observe(stage, fraction);
        };
        let result = catch_unwind(AssertUnwindSafe(|| match job.kind.as_str() {
            tile_scan::KIND => tile_scan::run(context, owner, &job, &cancel, &report),
            other => Err(JobError::internal(anyhow::anyhow!("there is no job of the kind {other}"))),
        }));
        has_ended.store(true, Ordering::SeqCst);
        beating.thread().unpark();
        result
    });
    let result = result.unwrap_or_else(|_| Err(JobError::internal(anyhow::anyhow!("the job panicked"))));
    let seconds = started.elapsed().as_secs_f64();
    if is_lost.load(Ordering::SeqCst) {
        tracing::warn!(job = job.id, seconds, "the job's lease was lost; another worker has it");
        return Ok(None);
    }
    match result {
        Ok(()) => {
            tracing::info!(job = job.id, seconds, "job done");
            Ok(None)
        }
        Err(error) => after_error(context, owner, &job, error, when_stopped, seconds),
    }
}

/// Records the steps of the job's journal; whether they are more than ever before.
fn record_progress(context: &Context, owner: &str, job: &Job) -> anyhow::Result<bool> {
    let steps = tiler::recorded_steps(&context.storage.work_path(&job.id)) as i64;
    if steps <= job.journal_steps {
        return Ok(false);
    }
    let mut conn = context.database.get()?;
    Ok(write(&mut conn, |conn| Job::record_progress(conn, &job.id, owner, steps))?)
}

fn after_error(
    context: &Context,
    owner: &str,
    job: &Job,
    error: JobError,
    when_stopped: WhenStopped,
    seconds: f64,
) -> anyhow::Result<Option<Fault>> {
    let fault = error.fault();
    match error {
        JobError::Cancelled if when_stopped == WhenStopped::Fail => tracing::info!(job = job.id, seconds, "job stopped"),
        JobError::Cancelled => {
            tracing::info!(job = job.id, seconds, "job stopped and put back into the queue");
            let mut conn = context.database.get()?;
            write(&mut conn, |conn| Job::put_back(conn, &job.id, owner, 0, true))?;
            return Ok(Some(fault));
        }
        JobError::BadInput(_) => tracing::info!(job = job.id, seconds, code = fault.code, "job failed: {}", fault.message),
        JobError::Service { code, cause } => {
            let has_progress = record_progress(context, owner, job)?;
            if has_progress || job.attempts < job.max_attempts {
                let doublings = if has_progress { 0 } else { job.attempts.clamp(1, 16) as u32 - 1 };
                let wait = context.config.backoff.saturating_mul(2_u32.saturating_pow(doublings));
                tracing::warn!(
                    job = job.id,
                    seconds,
                    attempt = job.attempts,
                    has_progress,
                    ?wait,
                    code,
                    "job failed and will be tried again: {cause:#}"
                );
                let mut conn = context.database.get()?;
                write(&mut conn, |conn| Job::put_back(conn, &job.id, owner, wait.as_millis() as i64, has_progress))?;
                return Ok(Some(fault));
            }
            tracing::error!(job = job.id, seconds, code, "job failed: {cause:#}");
        }
    }
    fail(context, owner, job, &fault)?;
    sweep(context);
    Ok(Some(fault))
}

/// Writes the end of a failed job and of its version.
fn fail(context: &Context, owner: &str, job: &Job, fault: &Fault) -> anyhow::Result<()> {
    let mut conn = context.database.get()?;
    write(&mut conn, |conn| {
        if Job::fail(conn, &job.id, owner, fault)? {
            Version::fail_of_job(conn, &job.id)?;
        }
        Ok::<_, diesel::result::Error>(())
    })?;
    Ok(())
}
