//! From a stored upload to a version with a job: checking the file, naming it, entering the rows.

use anyhow::Context as _;
use diesel::QueryResult;
use parterre_model::catalog::UploadAccepted;
use parterre_read as read;

use crate::db::{Conn, Database, settle, wait_shortly, write};
use crate::jobs::tile_scan;
use crate::models::jobs::{Job, Lease};
use crate::models::scans::Scan;
use crate::models::venues::Venue;
use crate::models::versions::{NewVersion, Version};
use crate::storage::{Storage, Stored};

/// Longest file name kept, in bytes.
const MAX_NAME_BYTES: usize = 200;

/// The file name that is kept: the last part of what was given, without control characters, not longer than 200
/// bytes (the ending stays). `None` where nothing is left.
pub fn file_name(given: &str) -> Option<String> {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let clean: String = last.chars().filter(|c| !c.is_control() && !is_invisible(*c)).collect();
    let clean = clean.trim().trim_matches('.').trim();
    if clean.is_empty() {
        return None;
    }
    if clean.len() <= MAX_NAME_BYTES {
        return Some(clean.to_owned());
    }
    let (stem, ending) = match clean.rsplit_once('.') {
        Some((stem, ending)) if ending.len() <= 16 => (stem, format!(".{ending}")),
        _ => (clean, String::new()),
    };
    let mut end = (MAX_NAME_BYTES - ending.len()).min(stem.len());
    while !stem.is_char_boundary(end) {
        end -= 1;
    }
    Some(format!("{}{ending}", &stem[..end]))
}

/// Marks that turn the direction of writing or take no room: a name could look like another.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Why an upload was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The file is at fault, or could not be read.
    #[error(transparent)]
    File(#[from] parterre_model::Error),
    /// The storage failed.
    #[error("failed to store the file")]
    Storage(#[source] anyhow::Error),
    /// The database failed.
    #[error("failed to enter the file in the catalogue")]
    Database(#[source] anyhow::Error),
}

/// Where an upload goes.
#[derive(Clone, Debug)]
pub struct Target<'a> {
    /// The venue's identifier.
    pub venue_id: &'a str,
    /// As [`file_name`] gives it.
    pub file_name: &'a str,
    /// What goes before what the file says of itself.
    pub wishes: &'a read::Override,
    /// Claims after which the job is given up.
    pub max_attempts: i32,
    /// Who works on the job from the start; without one any worker may claim it.
    pub lease: Option<Lease<'a>>,
}

/// Checks a stored upload and makes it a version: the object gets its lasting key, then scan, version and job appear
/// in one transaction. A refused upload is removed. Blocks; `runtime` runs the storage's work.
pub fn accept(
    database: &Database,
    storage: &Storage,
    runtime: &tokio::runtime::Handle,
    stored: &Stored,
    target: &Target<'_>,
) -> Result<UploadAccepted, Refused> {
    let remove = |key: &str| {
        if let Err(error) = runtime.block_on(storage.remove(key)) {
            tracing::warn!(key, %error, "a refused upload could not be removed");
        }
    };
    let key = check_and_keep(storage, runtime, stored, target.wishes).inspect_err(|_| remove(&stored.key))?;
    let written = database
        .get()
        .context("failed to connect to the database")
        .and_then(|mut conn| write(&mut conn, |conn| enter(conn, stored, &key, target)).context("failed to write to the database"));
    settle(written, || find_entered(database, &key, target)).map_err(|(error, certain)| {
        if certain {
            remove(&key);
        }
        Refused::Database(error)
    })
}

fn check_and_keep(
    storage: &Storage,
    runtime: &tokio::runtime::Handle,
    stored: &Stored,
    wishes: &read::Override,
) -> Result<String, Refused> {
    let path = storage.path(&stored.key).map_err(|error| Refused::Storage(error.into()))?;
    drop(read::open_with(&path, wishes)?);
    runtime.block_on(storage.accept(stored)).map_err(|error| Refused::Storage(error.into()))
}

/// What [`enter`] wrote, if it did.
fn find_entered(database: &Database, key: &str, target: &Target<'_>) -> anyhow::Result<Option<UploadAccepted>> {
    let found = write(&mut *database.get()?, |conn| {
        wait_shortly(conn)?;
        Venue::lock(conn, target.venue_id)?;
        Version::of_source(conn, key)
    })?;
    Ok(found.map(|row| UploadAccepted { scan: row.scan_id, version: row.version as u32, job: row.job_id }))
}

fn enter(conn: &mut Conn, stored: &Stored, key: &str, target: &Target<'_>) -> QueryResult<UploadAccepted> {
    Venue::lock(conn, target.venue_id)?;
    let scan = Scan::find_or_create(conn, target.venue_id, target.file_name)?;
    let version = Version::next_number(conn, &scan.id)?;
    let payload = tile_scan::Payload { scan: scan.id.clone(), version, overrides: target.wishes.clone() };
    let job = Job::enqueue(conn, tile_scan::KIND, payload.to_json(), target.max_attempts, target.lease.as_ref())?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_made_safe() {
        assert_eq!(file_name("hall.laz").as_deref(), Some("hall.laz"));
        assert_eq!(file_name("../../etc/passwd").as_deref(), Some("passwd"));
        assert_eq!(file_name("C:\\scans\\hall.las").as_deref(), Some("hall.las"));
        assert_eq!(file_name("Saal\u{202e}sal.\n1.las").as_deref(), Some("Saalsal.1.las"));
        for nothing in ["", ".", "..", "a/..", "\u{0}", "  ", "x/"] {
            assert_eq!(file_name(nothing), None, "{nothing:?}");
        }
        let long = file_name(&format!("{}.laz", "é".repeat(300))).unwrap_or_default();
        assert!(long.len() <= MAX_NAME_BYTES && long.ends_with("é.laz"), "{long}");
    }
}
