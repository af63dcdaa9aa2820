//! `GET /tiles/{scan}/{version}/points.copc.laz`, `…/report.json`, `…/setups.json` and `…/images/{name}`: files beside the tileset.
//!
//! COPC is read in parts: readers ask for its header, its hierarchy and the nodes that they need by `Range`.

use actix_web::HttpRequest;
use actix_web::web::{Data, Path};
use parterre_model::catalog::ErrorBody;

use crate::app::App;
use crate::controllers::tiles::stored::{self, StoredFile, download_name};
use crate::error::{ApiError, ApiResult};

/// Answers with a file that was made of a version.
#[utoipa::path(get, path = "/tiles/{scan}/{version}/{name}", tag = "tiles",
    params(
        ("scan" = String, Path, description = "Identifier"),
        ("version" = u32, Path, description = "1, 2, 3…"),
        ("name" = String, Path, description = "points.copc.laz, report.json or setups.json"),
    ),
    responses(
        (status = 200, description = "The file"),
        (status = 206, description = "The requested range"),
        (status = 304, description = "Not modified"),
        (status = 400, description = "The header Range is invalid", body = ErrorBody),
        (status = 404, description = "No such version or file", body = ErrorBody),
        (status = 412, description = "If-Match or If-Unmodified-Since is not fulfilled", body = ErrorBody),
        (status = 416, description = "The range lies outside the file", body = ErrorBody),
    ))]
pub async fn file(app: Data<App>, request: HttpRequest, path: Path<(String, u32, String)>) -> ApiResult {
    let (scan, version, name) = path.into_inner();
    answer(app, request, scan, version, name).await
}

/// Answers with a picture from the uploaded file; setups.json lists them.
#[utoipa::path(get, path = "/tiles/{scan}/{version}/images/{name}", tag = "tiles",
    params(
        ("scan" = String, Path, description = "Identifier"),
        ("version" = u32, Path, description = "1, 2, 3…"),
        ("name" = String, Path, description = "As in setups.json"),
    ),
    responses(
        (status = 200, description = "The picture, JPEG or PNG"),
        (status = 206, description = "The requested range"),
        (status = 304, description = "Not modified"),
        (status = 404, description = "No such version or picture", body = ErrorBody),
        (status = 416, description = "The range lies outside the file", body = ErrorBody),
    ))]
pub async fn image(app: Data<App>, request: HttpRequest, path: Path<(String, u32, String)>) -> ApiResult {
    let (scan, version, name) = path.into_inner();
    answer(app, request, scan, version, name).await
}

async fn answer(app: Data<App>, request: HttpRequest, scan: String, version: u32, name: String) -> ApiResult {
    stored::answer(app, &request, scan, version, move |row| {
        let key = if name == "report.json" { row.report_key.clone() } else { row.key_of(&name) };
        let missing = || ApiError::not_found("file_not_found", format!("version {version} of scan {:?} has no {name:?}", row.scan_id));
        let save_as = (name == "points.copc.laz").then(|| download_name(&row.file_name, version, "copc.laz"));
        Ok(StoredFile { key: key.ok_or_else(missing)?, content_type: content_type(&name), save_as })
    })
    .await
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "laz" => "application/vnd.laszip+copc",
        "json" => "application/json",
        "jpg" => "image/jpeg",
        "png" => "image/png",
        _ => "application/octet-stream",
    }
}
