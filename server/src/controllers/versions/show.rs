//! `GET /api/scans/{scan}/versions/{version}`.

use actix_web::HttpRequest;
use actix_web::web::{self, Data, Path};
use parterre_model::catalog as api;
use parterre_model::catalog::ErrorBody;

use crate::app::App;
use crate::error::{ApiError, ApiResult};
use crate::etag;
use crate::models::catalog;

/// Shows one version of a scan.
#[utoipa::path(get, path = "/api/scans/{scan}/versions/{version}", tag = "scans",
    params(("scan" = String, Path, description = "Identifier"), ("version" = u32, Path, description = "1, 2, 3…")),
    responses(
        (status = 200, description = "The version; the header ETag is what If-Match takes", body = api::Version),
        (status = 304, description = "Not modified"),
        (status = 404, description = "No such scan or version", body = ErrorBody),
    ))]
pub async fn show(app: Data<App>, request: HttpRequest, path: Path<(String, u32)>) -> ApiResult {
    let (scan, number) = path.into_inner();
    answer(&app, &request, scan, number).await
}

/// Answers with a version and its tag.
pub async fn answer(app: &Data<App>, request: &HttpRequest, scan: String, number: u32) -> ApiResult {
    let version = find(app, scan, number).await?;
    etag::answer(request, version.survey.as_ref().map_or(0, |survey| survey.revision), &version)
}

/// Finds a version as the API shows it.
pub async fn find(app: &Data<App>, scan: String, number: u32) -> ApiResult<api::Version> {
    let app = Data::clone(app);
    web::block(move || {
        let mut conn = app.database.get()?;
        let shown = catalog::load_scan(&mut conn, &scan)?;
        let shown = shown.ok_or_else(|| ApiError::not_found("scan_not_found", format!("there is no scan {scan:?}")))?;
        let found = shown.versions.into_iter().find(|version| version.version == number);
        found.ok_or_else(|| ApiError::not_found("version_not_found", format!("scan {scan:?} has no version {number}")))
    })
    .await?
}
