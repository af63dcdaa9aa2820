//! Finds a version of a scan, its scan and its venue. Blocks.

use crate::db::Conn;
use crate::error::{ApiError, ApiResult};
use crate::models::scans::Scan;
use crate::models::venues::Venue;
use crate::models::versions::Version;

/// A version with what it belongs to.
#[derive(Clone, Debug)]
pub struct Found {
    /// The version.
    pub version: Version,
    /// Its scan.
    pub scan: Scan,
    /// The venue.
    pub venue: Venue,
}

/// Finds a version.
///
/// # Errors
/// `scan_not_found`, `version_not_found`.
pub fn find(conn: &mut Conn, scan: &str, number: u32) -> ApiResult<Found> {
    let scan = Scan::find(conn, scan)?.ok_or_else(|| scan_not_found(scan))?;
    of_scan(conn, scan, number)
}

/// Finds a version and locks its scan against other writers; to be called in a writing transaction.
pub fn find_held(conn: &mut Conn, scan: &str, number: u32) -> ApiResult<Found> {
    let scan = Scan::find_held(conn, scan)?.ok_or_else(|| scan_not_found(scan))?;
    of_scan(conn, scan, number)
}

fn of_scan(conn: &mut Conn, scan: Scan, number: u32) -> ApiResult<Found> {
    let missing = || ApiError::not_found("version_not_found", format!("scan {:?} has no version {number}", scan.id));
    let number = i32::try_from(number).map_err(|_| missing())?;
    let version = Version::find(conn, &scan.id, number)?.ok_or_else(missing)?;
    let venue = Venue::find(conn, &scan.venue_id)?.ok_or_else(|| scan_not_found(&scan.id))?;
    Ok(Found { version, scan, venue })
}

fn scan_not_found(id: &str) -> ApiError {
    ApiError::not_found("scan_not_found", format!("there is no scan {id:?}"))
}
