//! Finds a published version and its open archive. Blocks.

use std::sync::Arc;

use crate::app::App;
use crate::archives::Archive;
use crate::error::{ApiError, ApiResult};
use crate::models::versions::Version;

/// The version, if it is published.
pub fn ready_version(app: &App, scan: &str, version: u32) -> ApiResult<Version> {
    let mut conn = app.database.get()?;
    let row = i32::try_from(version).ok().map(|number| Version::find(&mut conn, scan, number)).transpose()?.flatten();
    let row = row.ok_or_else(|| ApiError::not_found("version_not_found", format!("scan {scan:?} has no version {version}")))?;
    match row.state.as_str() {
        "ready" => Ok(row),
        "processing" => Err(ApiError::not_found("version_not_ready", "the tiles of this version are still being made")),
        _ => Err(ApiError::not_found("version_failed", "the tiles of this version could not be made")),
    }
}

/// The version's archive, opened where it is not open yet.
pub fn archive(app: &App, scan: &str, version: u32) -> ApiResult<Arc<Archive>> {
    app.archives.get_or_open(scan, version, || {
        let row = ready_version(app, scan, version)?;
        let missing = || ApiError::internal(anyhow::anyhow!("a published version without tiles: {scan} {version}"));
        let path = app.storage.path(&row.tiles_key.ok_or_else(missing)?)?;
        Archive::open(&path).map_err(ApiError::storage)
    })
}
