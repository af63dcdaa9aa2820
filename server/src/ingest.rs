//! Turns a stored upload into a version with a job: checks the file, gives it its lasting key, adds the rows.

use anyhow::Context as _;
use diesel::QueryResult;
use parterre_model::catalog::UploadAccepted;
use parterre_read as read;

use crate::db::{Conn, Database, settle, wait_shortly, write};
use crate::jobs::check::{self, CheckError};
use crate::jobs::{Context, tile_scan};
use crate::models::jobs::{Job, Lease};
use crate::models::scans::Scan;
use crate::models::venues::Venue;
use crate::models::versions::{NewVersion, Version};
use crate::storage::Stored;

/// Why an upload was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The file is invalid or could not be checked.
    #[error(transparent)]
    Check(#[from] CheckError),
    /// The storage failed.
    #[error("failed to store the file")]
    Storage(#[source] anyhow::Error),
    /// The database failed.
    #[error("failed to add the file to the catalogue")]
    Database(#[source] anyhow::Error),
}

/// What an upload is added to, and how.
#[derive(Clone, Debug)]
pub struct Target<'a> {
    /// The venue's identifier.
    pub venue_id: &'a str,
    /// As [`text::file_name`](crate::text::file_name) gives it.
    pub file_name: &'a str,
    /// Values that replace what the file says.
    pub overrides: &'a read::Override,
    /// Lease of the process that works on the job from the start; without one any worker may claim it.
    pub lease: Option<Lease<'a>>,
}

/// Checks a stored upload and makes it a version: the object gets its lasting key, then scan, version and job are added
/// in one transaction. A refused upload is removed. Blocks.
pub fn accept(context: &Context, stored: &Stored, target: &Target<'_>) -> Result<UploadAccepted, Refused> {
    let Context { database, storage, config, runtime } = context;
    let remove = |key: &str| {
        if let Err(error) = runtime.block_on(storage.remove(key)) {
            tracing::warn!(key, %error, "a refused upload could not be removed");
        }
    };
    let key = check_and_keep(context, stored, target).inspect_err(|_| remove(&stored.key))?;
    let written = database.get().context("failed to connect to the database").and_then(|mut conn| {
        write(&mut conn, |conn| add(conn, stored, &key, target, config.max_attempts)).context("failed to write to the database")
    });
    settle(written, || find_added(database, &key, target)).map_err(|(error, certain)| {
        if certain {
            remove(&key);
        }
        Refused::Database(error)
    })
}

fn check_and_keep(context: &Context, stored: &Stored, target: &Target<'_>) -> Result<String, Refused> {
    let Context { storage, config, runtime, .. } = context;
    let path = storage.path(&stored.key).map_err(|error| Refused::Storage(error.into()))?;
    check::run(config, &path, target.file_name, target.overrides, Some(config.check_time))?;
    runtime.block_on(storage.accept(stored)).map_err(|error| Refused::Storage(error.into()))
}

/// What [`add`] wrote, if it did.
fn find_added(database: &Database, key: &str, target: &Target<'_>) -> anyhow::Result<Option<UploadAccepted>> {
    let found = write(&mut *database.get()?, |conn| {
        wait_shortly(conn)?;
        Venue::lock(conn, target.venue_id)?;
        Version::of_source(conn, key)
    })?;
    Ok(found.map(|row| UploadAccepted { scan: row.scan_id, version: row.version as u32, job: row.job_id }))
}

fn add(conn: &mut Conn, stored: &Stored, key: &str, target: &Target<'_>, max_attempts: i32) -> QueryResult<UploadAccepted> {
    Venue::lock(conn, target.venue_id)?;
    let scan = Scan::find_or_create(conn, target.venue_id, target.file_name)?;
    let version = Version::next_number(conn, &scan.id)?;
    let payload = tile_scan::Payload { scan: scan.id.clone(), version, overrides: target.overrides.clone() };
    let job = Job::enqueue(conn, tile_scan::KIND, payload.to_json(), max_attempts, target.lease.as_ref())?;
    let new = NewVersion {
        scan_id: &scan.id,
        file_name: target.file_name,
        bytes: stored.bytes,
        sha256: &stored.sha256,
        source_key: key,
        job_id: &job.id,
    };
    Version::create(conn, version, &new)?;
    Ok(UploadAccepted { scan: scan.id, version: version as u32, job: job.id })
}
