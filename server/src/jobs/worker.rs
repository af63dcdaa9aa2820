//! Claims jobs and runs them, one at a time, in a thread of its own.
//!
//! While a job runs, a second thread gives the signs of life: it moves the lease on, writes the progress into the row
//! and passes a wish to stop on to the job. A job whose process dies is claimed again by whoever finds its lease run
//! out, and goes on from what the dead attempt left in the job's work folder. Bad input fails at once, everything else is
//! tried again after a growing wait, `max_attempts` times in all.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use parterre_model::catalog::Fault;

use crate::db::{now_ms, write};
use crate::jobs::{Context, JobError, lease, tile_scan};
use crate::models::jobs::{Job, Lease};
use crate::models::versions::Version;
use crate::storage::{WorkFolder, remove_work};

/// How often the progress is written and a wish to stop is looked for.
const TICK: Duration = Duration::from_millis(300);

/// Wakes a waiting worker: rung when a job is entered.
#[derive(Debug, Default)]
pub struct Bell {
    rung: Mutex<bool>,
    waiting: Condvar,
}

impl Bell {
    /// Wakes the worker.
    pub fn ring(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.waiting.notify_all();
    }

    fn wait(&self, at_most: Duration) {
        let rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut rung, _) = self.waiting.wait_timeout_while(rung, at_most, |rung| !*rung).unwrap_or_else(PoisonError::into_inner);
        *rung = false;
    }
}

/// A running worker.
#[derive(Debug)]
pub struct Worker {
    stop: Arc<AtomicBool>,
    bell: Arc<Bell>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts a worker.
    pub fn start(context: Context, bell: Arc<Bell>) -> anyhow::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let thread = std::thread::Builder::new()
            .name("worker".into())
            .spawn({
                let (stop, bell) = (Arc::clone(&stop), Arc::clone(&bell));
                move || work(&context, &stop, &bell)
            })
            .context("failed to start the worker")?;
        Ok(Self { stop, bell, thread: Some(thread) })
    }

    /// Stops after putting a job that runs back into the queue. Blocks until it is done.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        self.bell.ring();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the worker had panicked");
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.end();
    }
}

fn work(context: &Context, stop: &Arc<AtomicBool>, bell: &Bell) {
    let owner = lease::new_owner();
    match lease::expire_dead(&context.database) {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "jobs of a process that died are taken over"),
        Err(error) => tracing::warn!("jobs of dead processes could not be looked for: {error:#}"),
    }
    while !stop.load(Ordering::SeqCst) {
        sweep(context);
        match claim(context, &owner) {
            Ok(Some(job)) => {
                if let Err(error) = run(context, &owner, &job, stop, WhenStopped::PutBack, &|_, _| {}) {
                    tracing::error!(job = job.id, "the end of a job could not be written: {error:#}");
                    bell.wait(context.config.poll);
                }
            }
            Ok(None) => bell.wait(context.config.poll),
            Err(error) => {
                tracing::error!("no job could be claimed: {error:#}");
                bell.wait(context.config.poll.max(Duration::from_secs(1)));
            }
        }
    }
}

fn lease<'a>(context: &Context, owner: &'a str) -> Lease<'a> {
    Lease { owner, for_ms: context.config.lease.as_millis() as i64 }
}

fn claim(context: &Context, owner: &str) -> anyhow::Result<Option<Job>> {
    let mut conn = context.database.get()?;
    Ok(write(&mut conn, |conn| Job::claim(conn, &lease(context, owner)))?)
}

/// Removes the work folders that nobody goes on with: those of jobs that have come to their end; and those of a single attempt whose lease
/// ran out.
pub fn sweep(context: &Context) {
    let swept = || -> anyhow::Result<()> {
        // The folders first: one that is made after this is not in the list, and one in the list was claimed before the
        // rows are read.
        let dirs = context.storage.work_dirs()?;
        if dirs.is_empty() {
            return Ok(());
        }
        let rows = Job::open(&mut *context.database.get()?)?;
        let now = now_ms();
        for WorkFolder { job, path, is_lasting } in dirs {
            let works = |row: &&Job| is_lasting || (row.state == "running" && row.lease_until.is_some_and(|until| until >= now));
            if rows.iter().filter(|row| row.id == job).find(works).is_none() {
                tracing::info!(work = %path.display(), "what a dead attempt left is removed");
                remove_work(&path);
            }
        }
        Ok(())
    };
    if let Err(error) = swept() {
        tracing::warn!("old work folders could not be looked for: {error:#}");
    }
}

/// Where a job stands, between the thread that works and the one that gives the signs of life.
struct Standing {
    stage: String,
    progress: f64,
}

/// What becomes of a job whose work was stopped from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenStopped {
    /// It goes back into the queue, for whoever comes next.
    PutBack,
    /// It failed: whoever wanted it wants it no more.
    Fail,
}

/// Runs a claimed job to its end and writes the end. `observe` gets stage and progress. Returns the fault of a failed job.
pub fn run(
    context: &Context,
    owner: &str,
    job: &Job,
    stop: &Arc<AtomicBool>,
    when_stopped: WhenStopped,
    observe: &(dyn Fn(&str, f64) + Sync),
) -> anyhow::Result<Option<Fault>> {
    if job.attempts > job.max_attempts {
        let fault = Fault::new(
            "job_gave_up",
            format!("the work was begun {} times and never came to an end", job.max_attempts),
            "The file may need more memory than there is. The service's log may have the cause.",
        );
        fail(context, owner, job, &fault)?;
        sweep(context);
        return Ok(Some(fault));
    }
    tracing::info!(job = job.id, kind = job.kind, attempt = job.attempts, "job started");
    let started = Instant::now();
    let cancel = Arc::new(AtomicBool::new(false));
    let lost = AtomicBool::new(false);
    let ended = AtomicBool::new(false);
    let standing = Mutex::new(Standing { stage: "read".into(), progress: 0.0 });
    let result = std::thread::scope(|scope| {
        let alive = scope.spawn(|| {
            stay_alive(
                context,
                &lease(context, owner),
                job,
                &standing,
                &ended,
                &|| {
                    lost.store(true, Ordering::SeqCst);
                    cancel.store(true, Ordering::SeqCst);
                },
                &|| {
                    if stop.load(Ordering::SeqCst) {
                        cancel.store(true, Ordering::SeqCst);
                    }
                },
            );
        });
        let report = |stage: &str, progress: f64| {
            let mut now = standing.lock().unwrap_or_else(PoisonError::into_inner);
            if now.stage != stage {
                stage.clone_into(&mut now.stage);
            }
            now.progress = progress;
            drop(now);
            observe(stage, progress);
        };
        let result = catch_unwind(AssertUnwindSafe(|| match job.kind.as_str() {
            tile_scan::KIND => tile_scan::run(context, owner, job, &cancel, &report),
            other => Err(JobError::internal(anyhow::anyhow!("there is no job of the kind {other}"))),
        }));
        ended.store(true, Ordering::SeqCst);
        alive.thread().unpark();
        result
    });
    let result = result.unwrap_or_else(|_| Err(JobError::internal(anyhow::anyhow!("the job panicked"))));
    let seconds = started.elapsed().as_secs_f64();
    if lost.load(Ordering::SeqCst) {
        tracing::warn!(job = job.id, seconds, "the job's lease was lost; another worker has it");
        return Ok(None);
    }
    match result {
        Ok(()) => {
            tracing::info!(job = job.id, seconds, "job done");
            Ok(None)
        }
        Err(error) => after_error(context, owner, job, error, when_stopped, seconds),
    }
}

fn stay_alive(
    context: &Context,
    lease: &Lease<'_>,
    job: &Job,
    standing: &Mutex<Standing>,
    ended: &AtomicBool,
    on_lost: &dyn Fn(),
    on_tick: &dyn Fn(),
) {
    let mut written = (String::new(), -1.0);
    let mut moved_on = Instant::now();
    while !ended.load(Ordering::SeqCst) {
        std::thread::park_timeout(TICK);
        on_tick();
        let now = {
            let standing = standing.lock().unwrap_or_else(PoisonError::into_inner);
            (standing.stage.clone(), standing.progress)
        };
        if ended.load(Ordering::SeqCst) || (now == written && moved_on.elapsed() < context.config.lease / 3) {
            continue;
        }
        let beat = context
            .database
            .get()
            .map_err(anyhow::Error::from)
            .and_then(|mut conn| Ok(write(&mut conn, |conn| Job::heartbeat(conn, &job.id, lease, &now.0, now.1))?));
        match beat {
            Ok(true) => {
                moved_on = Instant::now();
                written = now;
            }
            // The job itself may have written its end just now.
            Ok(false) if ended.load(Ordering::SeqCst) => {}
            Ok(false) => {
                if still_running(context, job) {
                    return on_lost();
                }
            }
            // The lease may last until the database is back; if not, the next sign of life is refused.
            Err(error) => tracing::warn!(job = job.id, "a sign of life could not be written: {error:#}"),
        }
    }
}

/// Whether the row says that someone works on the job: with our sign of life refused, someone else.
fn still_running(context: &Context, job: &Job) -> bool {
    let row = context.database.get().ok().and_then(|mut conn| Job::find(&mut conn, &job.id).ok().flatten());
    row.is_none_or(|row| row.state != "done")
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
        JobError::Ours { cause, .. } if job.attempts < job.max_attempts => {
            let doubled = 2_u32.saturating_pow(job.attempts.clamp(1, 16) as u32 - 1);
            let wait = context.config.backoff.saturating_mul(doubled);
            tracing::warn!(job = job.id, seconds, attempt = job.attempts, ?wait, "job failed and will be tried again: {cause:#}");
            let mut conn = context.database.get()?;
            write(&mut conn, |conn| Job::put_back(conn, &job.id, owner, wait.as_millis() as i64, false))?;
            return Ok(Some(fault));
        }
        JobError::Ours { cause, .. } => tracing::error!(job = job.id, seconds, "job failed: {cause:#}"),
    }
    fail(context, owner, job, &fault)?;
    sweep(context);
    Ok(Some(fault))
}

/// Writes the end of a failed job and of what waits for it.
pub fn fail(context: &Context, owner: &str, job: &Job, fault: &Fault) -> anyhow::Result<()> {
    let mut conn = context.database.get()?;
    write(&mut conn, |conn| {
        if Job::fail(conn, &job.id, owner, fault)? {
            Version::fail_of_job(conn, &job.id)?;
        }
        Ok::<_, diesel::result::Error>(())
    })?;
    Ok(())
}
