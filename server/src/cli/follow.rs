//! Working on one job of the catalogue until it ends, for the commands that do so without a service.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use parterre_model::Error;
use parterre_model::catalog::{Fault, tileset_path};
use serde_json::json;

use super::data::DataArgs;
use super::failure::{Failure, Outcome};
use super::output;
use super::progress::Progress;
use crate::config::WorkerConfig;
use crate::db::{Database, write};
use crate::jobs::Context;
use crate::jobs::attempt::{self, WhenStopped};
use crate::models::jobs::Job;
use crate::models::venues::Venue;
use crate::models::versions::Version;
use crate::pages::format;
use crate::storage::Storage;

/// Runs the storage's work.
pub(super) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let built = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    built.map_err(|error| Failure::internal(&error.into()))
}

/// Opens the catalogue for jobs that may use so many bytes.
pub(super) fn context(data: &DataArgs, memory_bytes: u64, runtime: tokio::runtime::Handle) -> Result<Context, Failure> {
    let open = || -> anyhow::Result<Context> {
        let storage = Storage::open(&data.data)?;
        let database = Database::open(&data.database())?;
        let config = WorkerConfig { memory_bytes, ..WorkerConfig::default() };
        Ok(Context { database, storage, config, runtime })
    };
    open().map_err(|error| Failure::catalogue(&error))
}

/// Works on the job whenever this process holds it, waits while it is due later or another process has it, and returns when it is
/// done.
///
/// # Errors
/// The fault of a failed job, with the exit code of [`exit_code`].
pub(super) fn to_the_end(context: &Context, owner: &str, job: &str, stop: &AtomicBool, progress: &Progress) -> Outcome {
    let fault = work(context, owner, job, stop, progress).map_err(|error| Failure::catalogue(&error))?;
    progress.done();
    match fault {
        None => Ok(()),
        Some(fault) => Err(Failure { exit: exit_code(&fault.code), fault, causes: Vec::new() }),
    }
}

/// The exit code of a failed job.
fn exit_code(code: &str) -> u8 {
    match code {
        "internal" | "job_crashed" | "job_gave_up" => 1,
        // The machine: its disk, its database, its memory.
        "storage_failed" | "disk_full" | "database_failed" | "out_of_memory" | "job_killed" => 4,
        "cancelled" => 130,
        _ => 3,
    }
}

fn work(context: &Context, owner: &str, id: &str, stop: &AtomicBool, progress: &Progress) -> anyhow::Result<Option<Fault>> {
    loop {
        let mut row = Job::find(&mut *context.database.get()?, id)?.context("the job is gone")?;
        match row.state.as_str() {
            "done" => return Ok(None),
            "failed" => {
                let text = |value: Option<String>| value.unwrap_or_default();
                return Ok(Some(Fault::new(text(row.error_code), text(row.error_message), text(row.error_hint))));
            }
            "queued" if stop.load(Ordering::SeqCst) => {
                let fault = Fault::from(&Error::Cancelled);
                write(&mut *context.database.get()?, |conn| {
                    if Job::fail_queued(conn, id, &fault)? {
                        Version::fail_of_job(conn, id)?;
                    }
                    Ok::<_, diesel::result::Error>(())
                })?;
                continue;
            }
            "queued" => {
                if let Some(claimed) = write(&mut *context.database.get()?, |conn| Job::claim_this(conn, id, &context.lease(owner)))? {
                    row = claimed;
                }
            }
            _ => {}
        }
        if row.lease_owner.as_deref() == Some(owner) {
            attempt::run(context, owner, &row, stop, WhenStopped::Fail, &|stage, fraction| progress.set(stage, fraction))?;
        } else {
            if stop.load(Ordering::SeqCst) {
                return Ok(Some(Fault::from(&Error::Cancelled)));
            }
            progress.set(&row.stage, row.progress);
            std::thread::sleep(Duration::from_millis(300));
        }
    }
}

/// Prints what the job has made: a document, or warnings and a line.
pub(super) fn tell(context: &Context, venue: &Venue, job: &str, as_json: bool) -> Outcome {
    let row = context
        .database
        .get()
        .map_err(anyhow::Error::from)
        .and_then(|mut conn| Ok(Version::of_job(&mut conn, job)?))
        .and_then(|row| row.context("the version is gone"))
        .map_err(|error| Failure::catalogue(&error))?;
    let report: serde_json::Value = row.report.as_deref().and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
    if as_json {
        return output::json(&json!({
            "venue": venue.id,
            "slug": venue.slug,
            "scan": row.scan_id,
            "version": row.version,
            "job": job,
            "tileset": tileset_path(&row.scan_id, row.version as u32),
            "report": report,
        }));
    }
    for warning in report["warnings"].as_array().into_iter().flatten() {
        let text = |key: &str| warning[key].as_str().unwrap_or_default().to_owned();
        output::warning(&format!("{} [{}]", text("message"), text("code")));
    }
    output::line(&format!(
        "{}: {} is version {} with {}",
        venue.name,
        row.file_name,
        row.version,
        format::points(row.points.unwrap_or_default() as u64)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_say_who_has_to_act() {
        for (code, exit) in [
            ("las_truncated", 3),
            ("disk_full", 4),
            ("out_of_memory", 4),
            ("job_killed", 4),
            ("job_crashed", 1),
            ("job_gave_up", 1),
            ("cancelled", 130),
        ] {
            assert_eq!(exit_code(code), exit, "{code}");
        }
    }
}
