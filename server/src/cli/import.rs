//! `parterre import`: a file into the catalogue, and its tiles made in this process. A service may run on the same
//! catalogue.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use clap::Args;
use parterre_model::Error;
use parterre_model::catalog::{Fault, UploadAccepted, tileset_path};
use parterre_read as read;
use serde_json::json;

use super::data::DataArgs;
use super::failure::{Failure, Outcome};
use super::overrides::Overrides;
use super::progress::Progress;
use super::{output, stop};
use crate::config::WorkerConfig;
use crate::db::{Database, write};
use crate::ingest::{self, Refused, Target};
use crate::jobs::worker::{self, WhenStopped};
use crate::jobs::{Context, lease};
use crate::models::jobs::{Job, Lease};
use crate::models::venues::Venue;
use crate::models::versions::Version;
use crate::pages::format;
use crate::storage::{Storage, Stored};
use crate::text;

/// Put a scan file into the catalogue and make its tiles.
#[derive(Debug, Args)]
pub(super) struct Import {
    /// The file.
    file: PathBuf,
    /// Name of the venue; added if there is none of that name.
    #[arg(long, value_name = "NAME")]
    venue: String,
    /// Memory that tiling may use, in MiB, roughly.
    #[arg(long, value_name = "MIB", default_value_t = 512, value_parser = clap::value_parser!(u64).range(64..))]
    memory: u64,
    #[command(flatten)]
    overrides: Overrides,
    #[command(flatten)]
    data: DataArgs,
}

impl Import {
    pub(super) fn run(self, as_json: bool) -> Outcome {
        let usage = |fault: Fault| Failure::usage(fault.message, &fault.hint);
        let name = text::venue_name(&self.venue).map_err(usage)?;
        let given = self.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let file_name = text::file_name(&given).map_err(usage)?;
        // Before anything is copied.
        let overrides = self.overrides.read()?;
        drop(read::open_with(&self.file, &overrides)?);

        let stop = stop::on_signals();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .map_err(|error| Failure::internal(&error.into()))?;
        let context = self.context(runtime.handle().clone()).map_err(|error| Failure::catalogue(&error))?;
        worker::sweep(&context);
        let progress = Progress::new();
        let stored = copy(&context, &self.file, &stop, &progress)?;
        let owner = lease::new_owner();
        let (venue, accepted) = enter(&context, &owner, &name, &file_name, &overrides, &stored)?;
        let job = finish(&context, &owner, &accepted.job, &stop, &progress)?;
        progress.done();
        if let Some(fault) = job {
            let exit = match fault.code.as_str() {
                "internal" | "job_gave_up" => 1,
                "storage_failed" | "database_failed" => 4,
                "cancelled" => 130,
                _ => 3,
            };
            return Err(Failure { exit, fault, causes: Vec::new() });
        }
        tell(&context, &venue, &accepted, as_json)
    }

    fn context(&self, runtime: tokio::runtime::Handle) -> anyhow::Result<Context> {
        let storage = Storage::open(&self.data.data)?;
        let database = Database::open(&self.data.database())?;
        let config = WorkerConfig { memory_bytes: self.memory << 20, ..WorkerConfig::default() };
        Ok(Context { database, storage, config, runtime })
    }
}

fn tell(context: &Context, venue: &Venue, accepted: &UploadAccepted, as_json: bool) -> Outcome {
    let row = context
        .database
        .get()
        .map_err(anyhow::Error::from)
        .and_then(|mut conn| Ok(Version::find(&mut conn, &accepted.scan, accepted.version as i32)?))
        .and_then(|row| row.context("the version is gone"))
        .map_err(|error| Failure::catalogue(&error))?;
    let report: serde_json::Value = row.report.as_deref().and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default();
    if as_json {
        return output::json(&json!({
            "venue": venue.id,
            "slug": venue.slug,
            "scan": accepted.scan,
            "version": accepted.version,
            "job": accepted.job,
            "tileset": tileset_path(&accepted.scan, accepted.version),
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

fn copy(context: &Context, path: &Path, stop: &AtomicBool, progress: &Progress) -> Result<Stored, Failure> {
    let unreadable = |error| Failure::from(Error::io("read", path, error));
    let storage_failed = |error: object_store::Error| Failure::catalogue(&anyhow::Error::from(error).context("failed to store the file"));
    let mut file = File::open(path).map_err(|error| Failure::from(Error::io("open", path, error)))?;
    let total = file.metadata().map_err(unreadable)?.len().max(1);
    let runtime = &context.runtime;
    let mut incoming = runtime.block_on(context.storage.begin()).map_err(storage_failed)?;
    let mut buffer = vec![0; 1 << 20];
    let result = loop {
        if stop.load(Ordering::SeqCst) {
            break Err(Failure::stopped());
        }
        match file.read(&mut buffer) {
            Ok(0) => break Ok(()),
            Ok(count) => {
                if let Err(error) = runtime.block_on(incoming.write(Bytes::copy_from_slice(&buffer[..count]))) {
                    break Err(storage_failed(error));
                }
                progress.set("copying", incoming.bytes() as f64 / total as f64);
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => break Err(unreadable(error)),
        }
    };
    match result {
        Ok(()) => runtime.block_on(incoming.finish()).map_err(storage_failed),
        Err(failure) => {
            runtime.block_on(incoming.abort());
            Err(failure)
        }
    }
}

fn enter(
    context: &Context,
    owner: &str,
    name: &str,
    file_name: &str,
    overrides: &read::Override,
    stored: &Stored,
) -> Result<(Venue, UploadAccepted), Failure> {
    let venue = context
        .database
        .get()
        .map_err(anyhow::Error::from)
        .and_then(|mut conn| {
            write(&mut conn, |conn| match Venue::find_by_name(conn, name)? {
                Some(venue) => Ok(venue),
                None => Ok::<_, anyhow::Error>(Venue::create(conn, name)?),
            })
        })
        .map_err(|error| Failure::catalogue(&error))?;
    let lease = Lease { owner, for_ms: context.config.lease.as_millis() as i64 };
    let target = Target { venue_id: &venue.id, file_name, overrides, max_attempts: context.config.max_attempts, lease: Some(lease) };
    let accepted =
        ingest::accept(&context.database, &context.storage, &context.runtime, stored, &target).map_err(|refused| match refused {
            Refused::File(error) => Failure::from(error),
            Refused::Storage(error) | Refused::Database(error) => Failure::catalogue(&error),
        })?;
    Ok((venue, accepted))
}

/// Brings the job to its end: works on it whenever it is ours, waits while it is due later or another process has it.
/// Returns the fault of a failed job.
fn finish(context: &Context, owner: &str, id: &str, stop: &Arc<AtomicBool>, progress: &Progress) -> Result<Option<Fault>, Failure> {
    let work = || -> anyhow::Result<Option<Fault>> {
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
                    let lease = Lease { owner, for_ms: context.config.lease.as_millis() as i64 };
                    if let Some(claimed) = write(&mut *context.database.get()?, |conn| Job::claim_this(conn, id, &lease))? {
                        row = claimed;
                    }
                }
                _ => {}
            }
            if row.lease_owner.as_deref() == Some(owner) {
                worker::run(context, owner, &row, stop, WhenStopped::Fail, &|stage, fraction| progress.set(stage, fraction))?;
            } else {
                if stop.load(Ordering::SeqCst) {
                    return Ok(Some(Fault::from(&Error::Cancelled)));
                }
                progress.set(&row.stage, row.progress);
                std::thread::sleep(Duration::from_millis(300));
            }
        }
    };
    work().map_err(|error| Failure::catalogue(&error))
}
