//! Turns a stored upload into a version with a job: checks the file, gives it its lasting key, adds the rows.

use anyhow::Context as _;
use parterre_model::catalog::UploadAccepted;
use parterre_read as read;

use crate::db::{Conn, Database, settle, wait_shortly, write};
use crate::jobs::check::{self, CheckError};
use crate::jobs::{Context, tile_scan};
use crate::models::history::{self, Record, Subject};
use crate::models::jobs::{Job, Lease};
use crate::models::scans::Scan;
use crate::models::sources::Source;
use crate::models::venues::Venue;
use crate::models::versions::{NewVersion, Version};
use crate::person::Person;
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
    /// The venue was removed while the file was uploaded.
    #[error("the venue is gone")]
    VenueGone,
    /// The venue is being deleted.
    #[error("the venue is withdrawn")]
    VenueWithdrawn,
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
    /// Who uploads it.
    pub person: &'a Person,
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
    let length_of = |key: &str| runtime.block_on(storage.bytes_of(key)).ok().flatten();
    let written = database.get().context("failed to connect to the database").map_err(Refused::Database).and_then(|mut conn| {
        write(&mut conn, |conn| add(conn, stored, &key, target, config.max_attempts, &length_of)).map_err(Refused::from)
    });
    if let Err(refused @ (Refused::VenueGone | Refused::VenueWithdrawn)) = written {
        remove(&key);
        return Err(refused);
    }
    let added = settle(written, || find_added(database, stored, target)).map_err(|(error, certain)| {
        if certain {
            remove(&key);
        }
        error
    })?;
    if added.object_key != key {
        // A file with the same content is stored already.
        remove(&key);
        storage.tidy(&key);
    }
    Ok(added.accepted)
}

/// What was written into the catalogue.
struct Added {
    accepted: UploadAccepted,
    /// The object that the version names.
    object_key: String,
}

fn check_and_keep(context: &Context, stored: &Stored, target: &Target<'_>) -> Result<String, Refused> {
    let Context { storage, config, runtime, .. } = context;
    let path = storage.path(&stored.key).map_err(|error| Refused::Storage(error.into()))?;
    check::run(config, &path, target.file_name, target.overrides, Some(config.check_time))?;
    runtime.block_on(storage.accept(stored)).map_err(|error| Refused::Storage(error.into()))
}

/// What [`add`] wrote, if it did.
fn find_added(database: &Database, stored: &Stored, target: &Target<'_>) -> anyhow::Result<Option<Added>> {
    write(&mut *database.get()?, |conn| {
        wait_shortly(conn)?;
        Venue::lock(conn, target.venue_id)?;
        let Some(source) = Source::find(conn, stored.id())? else { return Ok(None) };
        let Some(row) = Version::find(conn, &source.scan_id, source.version)? else { return Ok(None) };
        let accepted = UploadAccepted { scan: row.scan_id, version: row.version as u32, job: row.job_id };
        Ok(Some(Added { accepted, object_key: source.object_key }))
    })
}

fn add(
    conn: &mut Conn,
    stored: &Stored,
    key: &str,
    target: &Target<'_>,
    max_attempts: i32,
    length_of: &dyn Fn(&str) -> Option<u64>,
) -> Result<Added, AddError> {
    let venue = Venue::find_held(conn, target.venue_id)?.ok_or(AddError::VenueGone)?;
    if venue.withdrawn_at.is_some() {
        return Err(AddError::VenueWithdrawn);
    }
    // Held until the end of this transaction, so that nobody can remove the object in between.
    let known = Source::of_content_held(conn, &stored.sha256, stored.bytes as i64)?.map(|source| source.object_key);
    let object_key = known.filter(|known| length_of(known) == Some(stored.bytes)).unwrap_or_else(|| key.to_owned());
    let scan = Scan::find_or_create(conn, target.venue_id, target.file_name, target.person)?;
    let version = Version::next_number(conn, &scan)?;
    let payload = tile_scan::Payload { scan: scan.id.clone(), version, overrides: target.overrides.clone() };
    let job = Job::enqueue(conn, tile_scan::KIND, payload.to_json(), max_attempts, target.lease.as_ref())?;
    let new = NewVersion {
        scan_id: &scan.id,
        file_name: target.file_name,
        bytes: stored.bytes,
        sha256: &stored.sha256,
        source_key: &object_key,
        job_id: &job.id,
        person: target.person,
    };
    Version::create(conn, version, &new)?;
    let source = Source {
        id: stored.id().to_owned(),
        scan_id: scan.id.clone(),
        version,
        number: 1,
        file_name: target.file_name.to_owned(),
        bytes: stored.bytes as i64,
        sha256: stored.sha256.clone(),
        object_key: object_key.clone(),
    };
    Source::create(conn, &source)?;
    let subject_id = history::version_id(&scan.id, version);
    let record = Record {
        venue_id: &venue.id,
        subject: Subject::Version,
        subject_id: &subject_id,
        revision: None,
        action: "added",
        changes: None,
        note: None,
    };
    history::record(conn, target.person, &record)?;
    Ok(Added { accepted: UploadAccepted { scan: scan.id, version: version as u32, job: job.id }, object_key })
}

/// Why [`add`] wrote nothing.
enum AddError {
    Database(diesel::result::Error),
    VenueGone,
    VenueWithdrawn,
}

impl From<diesel::result::Error> for AddError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error)
    }
}

impl From<AddError> for Refused {
    fn from(error: AddError) -> Self {
        match error {
            AddError::Database(error) => Self::Database(anyhow::Error::from(error).context("failed to write to the database")),
            AddError::VenueGone => Self::VenueGone,
            AddError::VenueWithdrawn => Self::VenueWithdrawn,
        }
    }
}
