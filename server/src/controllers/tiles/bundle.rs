//! `GET /tiles/{scan}/{version}/tiles.3tz`: the whole tileset as one file, for use without a network.

use actix_web::HttpRequest;
use actix_web::web::{Data, Path};
use parterre_model::catalog::ErrorBody;

use crate::app::App;
use crate::controllers::tiles::stored::{self, StoredFile, download_name};
use crate::error::{ApiError, ApiResult};

/// Answers with the whole tileset as one archive.
#[utoipa::path(get, path = "/tiles/{scan}/{version}/tiles.3tz", tag = "tiles",
    params(
        ("scan" = String, Path, description = "Identifier"),
        ("version" = u32, Path, description = "1, 2, 3…"),
    ),
    responses(
        (status = 200, description = "The archive (3TZ)"),
        (status = 206, description = "The requested range"),
        (status = 304, description = "Not modified"),
        (status = 400, description = "The header Range is invalid", body = ErrorBody),
        (status = 404, description = "No such version", body = ErrorBody),
        (status = 412, description = "If-Match or If-Unmodified-Since is not fulfilled", body = ErrorBody),
        (status = 416, description = "The range lies outside the file", body = ErrorBody),
    ))]
pub async fn bundle(app: Data<App>, request: HttpRequest, path: Path<(String, u32)>) -> ApiResult {
    let (scan, version) = path.into_inner();
    stored::answer(app, &request, scan, version, move |row| {
        let missing = || ApiError::internal(anyhow::anyhow!("a published version without tiles: {} {version}", row.scan_id));
        Ok(StoredFile {
            key: row.tiles_key.clone().ok_or_else(missing)?,
            content_type: "application/vnd.maxar.archive.3tz+zip",
            save_as: Some(download_name(&row.file_name, version, "3tz")),
        })
    })
    .await
}
