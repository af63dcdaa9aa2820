//! Claims jobs and runs them, one at a time, in a thread of its own.
//!
//! A job whose service is killed is claimed again when its lease has expired, and resumes from the journal in the job's work folder.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;

use super::attempt::{self, WhenStopped};
use super::context::Context;
use super::lease;
use super::signal::JobSignal;
use super::work_folders::sweep;
use crate::db::write;
use crate::models::jobs::Job;

/// A running worker.
#[derive(Debug)]
pub struct Worker {
    stop: Arc<AtomicBool>,
    signal: Arc<JobSignal>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts a worker.
    pub fn start(context: Context, signal: Arc<JobSignal>) -> anyhow::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let thread = std::thread::Builder::new()
            .name("worker".into())
            .spawn({
                let (stop, signal) = (Arc::clone(&stop), Arc::clone(&signal));
                move || work(&context, &stop, &signal)
            })
            .context("failed to start the worker")?;
        Ok(Self { stop, signal, thread: Some(thread) })
    }

    /// Stops after putting a job that runs back into the queue. Blocks until it is done.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        self.signal.notify();
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

fn work(context: &Context, stop: &AtomicBool, signal: &JobSignal) {
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
                if let Err(error) = attempt::run(context, &owner, &job, stop, WhenStopped::PutBack, &|_, _| {}) {
                    tracing::error!(job = job.id, "the end of a job could not be written: {error:#}");
                    signal.wait(context.config.poll);
                }
            }
            Ok(None) => signal.wait(context.config.poll),
            Err(error) => {
                tracing::error!("no job could be claimed: {error:#}");
                signal.wait(context.config.poll.max(Duration::from_secs(1)));
            }
        }
    }
}

fn claim(context: &Context, owner: &str) -> anyhow::Result<Option<Job>> {
    let mut conn = context.database.get()?;
    Ok(write(&mut conn, |conn| Job::claim(conn, &context.lease(owner)))?)
}
