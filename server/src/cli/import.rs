//! `parterre import`: a file into the catalogue, and its tiles made without a service. A service may run on the same
//! catalogue.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use clap::Args;
use parterre_model::Error;
use parterre_model::catalog::UploadAccepted;
use parterre_read as read;

use super::progress::Progress;
use super::wishes::Wishes;
use super::{DataArgs, Failure, Outcome, follow, stop};
use crate::controllers::venues::create::check_name;
use crate::db::write;
use crate::ingest::{self, Refused, Target};
use crate::jobs::work_folders::sweep;
use crate::jobs::{Context, lease};
use crate::models::venues::Venue;
use crate::storage::Stored;

/// Put a scan file into the catalogue and make its tiles.
#[derive(Debug, Args)]
pub(super) struct Import {
    /// The file.
    file: PathBuf,
    /// Name of the venue; added where there is none.
    #[arg(long, value_name = "NAME")]
    venue: String,
    /// Memory that tiling may use, in MiB.
    #[arg(long, value_name = "MIB", default_value_t = 512, value_parser = clap::value_parser!(u64).range(64..))]
    memory: u64,
    #[command(flatten)]
    wishes: Wishes,
    #[command(flatten)]
    data: DataArgs,
}

impl Import {
    pub(super) fn run(self, as_json: bool) -> Outcome {
        let name = check_name(&self.venue).map_err(|error| Failure::usage(error.fault().message.clone(), &error.fault().hint))?;
        let given = self.file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let file_name = ingest::file_name(&given)
            .ok_or_else(|| Failure::usage("the file has no name that can be kept", "Give it a name such as hall.laz."))?;
        // Before anything is copied.
        let wishes = self.wishes.read()?;
        drop(read::open_with(&self.file, &wishes)?);

        let stop = stop::on_signals();
        let runtime = follow::runtime()?;
        let context = follow::context(&self.data, self.memory, runtime.handle().clone())?;
        sweep(&context);
        let progress = Progress::new();
        let stored = copy(&context, &self.file, &stop, &progress)?;
        let owner = lease::new_owner();
        let (venue, accepted) = enter(&context, &owner, &name, &file_name, &wishes, &stored)?;
        follow::to_the_end(&context, &owner, &accepted.job, &stop, &progress)?;
        progress.done();
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
    wishes: &read::Override,
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
    let target =
        Target { venue_id: &venue.id, file_name, wishes, max_attempts: context.config.max_attempts, lease: Some(context.lease(owner)) };
    let accepted =
        ingest::accept(&context.database, &context.storage, &context.runtime, stored, &target).map_err(|refused| match refused {
            Refused::File(error) => Failure::from(error),
            Refused::Storage(error) | Refused::Database(error) => Failure::catalogue(&error),
        })?;
    Ok((venue, accepted))
}
