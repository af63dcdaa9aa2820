//! `GET /api/scans/{scan}`.

use actix_web::HttpResponse;
use actix_web::web::{self, Data, Path};
use parterre_model::catalog as api;
use parterre_model::catalog::ErrorBody;

use crate::app::App;
use crate::error::{ApiError, ApiResult};
use crate::models::catalog;

/// Shows a scan with its versions.
#[utoipa::path(get, path = "/api/scans/{scan}", tag = "scans", params(("scan" = String, Path, description = "Identifier")), responses(
    (status = 200, description = "The scan", body = api::Scan),
    (status = 404, description = "No such scan", body = ErrorBody),
))]
pub async fn show(app: Data<App>, scan: Path<String>) -> ApiResult {
    Ok(HttpResponse::Ok().json(find(&app, scan.into_inner()).await?))
}

/// Finds a scan with its versions.
pub async fn find(app: &Data<App>, id: String) -> ApiResult<api::Scan> {
    let app = Data::clone(app);
    web::block(move || {
        let mut conn = app.database.get()?;
        catalog::load_scan(&mut conn, &id)?.ok_or_else(|| ApiError::not_found("scan_not_found", format!("there is no scan {id:?}")))
    })
    .await?
}
