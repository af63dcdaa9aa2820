//! Finding a published version and its open archive. Blocks.

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

/// The version's archive, opened if it is not.
pub fn archive(app: &App, scan: &str, version: u32) -> ApiResult<Arc<Archive>> {
    if let Some(archive) = app.archives.get(scan, version) {
        return Ok(archive);
    }
    let row = ready_version(app, scan, version)?;
    let key = row.tiles_key.ok_or_else(|| ApiError::internal(anyhow::anyhow!("a published version without tiles: {scan} {version}")))?;
    let path = app.storage.path(&key)?;
    let archive = Arc::new(Archive::open(&path).map_err(ApiError::storage)?);
    app.archives.put(scan, version, Arc::clone(&archive));
    Ok(archive)
}
