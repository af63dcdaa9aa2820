//! `parterre import`: a file into the catalogue, and its tiles made without a service. A service may run on the same
//! catalogue.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use clap::Args;
use parterre_model::Error;
use parterre_model::catalog::{Fault, UploadAccepted, VenueFields};
use parterre_read as read;

use super::data::DataArgs;
use super::failure::{Failure, Outcome};
use super::memory::MemoryArgs;
use super::overrides::Overrides;
use super::progress::Progress;
use super::{check, follow, stop};
use crate::config::WorkerConfig;
use crate::db::write;
use crate::ingest::{self, Refused, Target};
use crate::jobs::work_folders::sweep;
use crate::jobs::{Context, lease};
use crate::models::venues::{self, Venue};
use crate::person::Person;
use crate::storage::Stored;
use crate::text;

/// Put a scan file into the catalogue and make its tiles.
#[derive(Debug, Args)]
pub(super) struct Import {
    /// The file.
    file: PathBuf,
    /// Name of the venue; added if there is none of that name.
    #[arg(long, value_name = "NAME")]
    venue: String,
    #[command(flatten)]
    memory: MemoryArgs,
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
        let memory_bytes = self.memory.bytes()?;
        check::files(&[&self.file], &overrides, &WorkerConfig { memory_bytes, ..WorkerConfig::default() })?;

        let stop = stop::on_signals();
        let runtime = follow::runtime()?;
        let context = follow::context(&self.data, memory_bytes, runtime.handle().clone())?;
        sweep(&context);
        let progress = Progress::new();
        let stored = copy(&context, &self.file, &stop, &progress)?;
        let owner = lease::new_owner();
        let (venue, accepted) = enter(&context, &owner, &name, &file_name, &overrides, &stored)?;
        follow::to_the_end(&context, &owner, &accepted.job, &stop, &progress)?;
        follow::tell(&context, &venue, &accepted.job, as_json)
    }
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
            write(&mut conn, |conn| {
                if let Some(venue) = Venue::find_by_name(conn, name)? {
                    return Ok(venue);
                }
                let fields = VenueFields { name: name.to_owned(), ..VenueFields::default() };
                Ok::<_, anyhow::Error>(venues::add(conn, &fields, &Person::COMMAND_LINE)?)
            })
        })
        .map_err(|error| Failure::catalogue(&error))?;
    let target = Target { venue_id: &venue.id, file_name, overrides, person: &Person::COMMAND_LINE, lease: Some(context.lease(owner)) };
    let accepted = ingest::accept(context, stored, &target).map_err(|refused| match refused {
        Refused::Check(error) => check::failure(error),
        Refused::VenueGone | Refused::VenueWithdrawn => {
            Failure::new(3, "venue_withdrawn", "the venue is withdrawn", "Restore it on the service's page, or choose another name.")
        }
        Refused::Storage(error) | Refused::Database(error) => Failure::catalogue(&error),
    })?;
    Ok((venue, accepted))
}
