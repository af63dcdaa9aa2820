//! `GET /api/venues/{venue}/history`.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{self, Data, Path};
use parterre_model::catalog as api;
use parterre_model::catalog::ErrorBody;

use super::show;
use crate::app::App;
use crate::error::{ApiError, ApiResult};
use crate::models::history as rows;

/// Actions in one answer.
const LIMIT: i64 = 500;

/// Lists what was done to a venue and all that belongs to it, newest first: the last 500 actions.
#[utoipa::path(get, path = "/api/venues/{venue}/history", tag = "venues",
    params(("venue" = String, Path, description = "Identifier or slug")),
    responses(
        (status = 200, description = "The actions", body = Vec<api::Event>),
        (status = 404, description = "No such venue", body = ErrorBody),
    ))]
pub async fn history(app: Data<App>, path: Path<String>) -> ApiResult {
    let events = web::block(move || {
        let mut conn = app.database.get()?;
        let venue = show::find_row(&mut conn, &path)?;
        Ok::<_, ApiError>(rows::of_venue(&mut conn, &venue.id, LIMIT)?)
    })
    .await??;
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(events))
}
