//! The second step of deleting: rows go in one transaction, which also lists the objects that no row names any more; then these objects
//! are removed from the storage. Where the process ends in between, [`remove_listed`] of a later run goes on.
//!
//! An object may be named by several rows, since a file that is uploaded twice is stored once. An upload that is about to name an object
//! locks a row that names it, so that the last such row cannot go at the same time.

use diesel::QueryResult;

use crate::db::{Conn, Database};
use crate::models::configurations::Configuration;
use crate::models::history::{self, Record, Subject};
use crate::models::jobs::Job;
use crate::models::levels::Level;
use crate::models::pictures::Picture;
use crate::models::removals;
use crate::models::scans::Scan;
use crate::models::sources::Source;
use crate::models::surveys::Survey;
use crate::models::venues::Venue;
use crate::models::versions::Version;
use crate::person::Person;
use crate::storage::Storage;

/// Listed objects looked at together.
const GROUP: i64 = 500;

/// Removes a version, and its scan if it was the last one; to be called in a writing transaction that holds the scan.
pub fn version(conn: &mut Conn, venue_id: &str, row: &Version, person: &Person, note: Option<&str>) -> QueryResult<()> {
    let record = Record {
        venue_id,
        subject: Subject::Version,
        subject_id: &history::version_id(&row.scan_id, row.version),
        revision: None,
        action: "purged",
        changes: None,
        note,
    };
    history::record(conn, person, &record)?;
    remove_version(conn, row)?;
    if Version::of_scans(conn, std::slice::from_ref(&row.scan_id))?.is_empty() {
        Scan::remove(conn, &row.scan_id)?;
    }
    Ok(())
}

fn remove_version(conn: &mut Conn, row: &Version) -> QueryResult<()> {
    let mut uploaded: Vec<String> =
        Source::of_version(conn, &row.scan_id, row.version)?.into_iter().map(|source| source.object_key).collect();
    uploaded.push(row.source_key.clone());
    uploaded.sort();
    uploaded.dedup();
    Survey::remove(conn, &row.scan_id, row.version)?;
    Source::remove_of_version(conn, &row.scan_id, row.version)?;
    Version::remove(conn, &row.scan_id, row.version)?;
    Job::remove_ended(conn, &row.job_id)?;
    for key in uploaded {
        if !is_upload_named(conn, &key)? {
            removals::add(conn, &key)?;
        }
    }
    // Keys of what was made begin with scan and version: no other row names them.
    for key in row.made_keys() {
        removals::add(conn, &key)?;
    }
    Ok(())
}

/// Removes a venue with all that belongs to it; to be called in a writing transaction that holds the venue. Of its history one line stays.
pub fn venue(conn: &mut Conn, row: &Venue, versions: &[Version], person: &Person) -> QueryResult<()> {
    for version in versions {
        remove_version(conn, version)?;
    }
    for scan in Scan::of_venues(conn, std::slice::from_ref(&row.id))? {
        Scan::remove(conn, &scan.id)?;
    }
    for picture in Picture::of_venue(conn, &row.id)? {
        remove_picture(conn, &picture)?;
    }
    Level::remove_of_venue(conn, &row.id)?;
    Configuration::remove_of_venue(conn, &row.id)?;
    history::remove_of_venue(conn, &row.id)?;
    Venue::remove(conn, &row.id)?;
    let record = Record {
        venue_id: &row.id,
        subject: Subject::Venue,
        subject_id: &row.id,
        revision: None,
        action: "purged",
        changes: None,
        note: Some(&row.name),
    };
    history::record(conn, person, &record)
}

/// Removes a picture; to be called in a writing transaction. False where it is gone already.
pub fn remove_picture(conn: &mut Conn, picture: &Picture) -> QueryResult<bool> {
    let is_removed = Picture::remove(conn, &picture.id)?;
    if is_removed && !Picture::names(conn, &picture.object_key)? {
        removals::add(conn, &picture.object_key)?;
    }
    Ok(is_removed)
}

fn is_upload_named(conn: &mut Conn, key: &str) -> QueryResult<bool> {
    Ok(Source::names(conn, key)? || Version::names_source(conn, key)?)
}

/// Removes the listed objects from the storage; returns how many. What cannot be removed now stays listed. Blocks.
pub fn remove_listed(database: &Database, storage: &Storage, runtime: &tokio::runtime::Handle) -> anyhow::Result<usize> {
    let mut conn = database.get()?;
    let (mut last, mut removed) = (String::new(), 0);
    loop {
        let keys = removals::after(&mut conn, &last, GROUP)?;
        let Some(end) = keys.last() else { return Ok(removed) };
        last.clone_from(end);
        for key in keys {
            match runtime.block_on(storage.remove(&key)) {
                Ok(()) => {
                    removals::done(&mut conn, &key)?;
                    storage.tidy(&key);
                    removed += 1;
                }
                Err(error) => tracing::warn!(key, %error, "an object of something deleted could not be removed; it is tried again"),
            }
        }
    }
}
