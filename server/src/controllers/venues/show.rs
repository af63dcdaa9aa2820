//! `GET /api/venues/{venue}`.

use actix_web::HttpResponse;
use actix_web::web::{self, Data, Path};
use parterre_model::catalog as api;
use parterre_model::catalog::ErrorBody;

use crate::app::App;
use crate::error::{ApiError, ApiResult};
use crate::models::catalog;
use crate::models::venues::Venue;

/// Shows a venue with its scans.
#[utoipa::path(get, path = "/api/venues/{venue}", tag = "venues", params(("venue" = String, Path, description = "Identifier or slug")), responses(
    (status = 200, description = "The venue", body = api::Venue),
    (status = 404, description = "No such venue", body = ErrorBody),
))]
pub async fn show(app: Data<App>, venue: Path<String>) -> ApiResult {
    Ok(HttpResponse::Ok().json(find(&app, venue.into_inner()).await?))
}

/// Finds a venue by its identifier or slug, with its scans.
pub async fn find(app: &Data<App>, id_or_slug: String) -> ApiResult<api::Venue> {
    let app = Data::clone(app);
    web::block(move || {
        let mut conn = app.database.get()?;
        let row = find_row(&mut conn, &id_or_slug)?;
        let mut venues = catalog::load_venues(&mut conn, std::slice::from_ref(&row))?;
        venues.pop().ok_or_else(|| not_found(&id_or_slug))
    })
    .await?
}

/// Finds a venue's row by its identifier or slug. Blocks.
pub fn find_row(conn: &mut crate::db::Conn, id_or_slug: &str) -> ApiResult<Venue> {
    Venue::find(conn, id_or_slug)?.ok_or_else(|| not_found(id_or_slug))
}

fn not_found(id_or_slug: &str) -> ApiError {
    ApiError::not_found("venue_not_found", format!("there is no venue {id_or_slug:?}"))
}
