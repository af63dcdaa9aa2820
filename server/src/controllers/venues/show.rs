//! `GET /api/venues/{venue}`.

use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use parterre_model::catalog as api;
use parterre_model::catalog::ErrorBody;

use crate::app::App;
use crate::db::Conn;
use crate::error::{ApiError, ApiResult};
use crate::etag;
use crate::models::catalog;
use crate::models::venues::Venue;

/// Shows a venue with its pictures and scans.
#[utoipa::path(get, path = "/api/venues/{venue}", tag = "venues", params(("venue" = String, Path, description = "Identifier or slug")), responses(
    (status = 200, description = "The venue; the header ETag is what If-Match takes", body = api::Venue),
    (status = 304, description = "Not modified"),
    (status = 404, description = "No such venue", body = ErrorBody),
))]
pub async fn show(app: Data<App>, request: HttpRequest, venue: Path<String>) -> ApiResult {
    answer(&app, &request, venue.into_inner()).await
}

/// Answers with a venue and its tag.
pub async fn answer(app: &Data<App>, request: &HttpRequest, id_or_slug: String) -> ApiResult<HttpResponse> {
    let venue = find(app, id_or_slug).await?;
    etag::answer(request, venue.revision, &venue)
}

/// Finds a venue by its identifier or slug, with its pictures and scans.
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
pub fn find_row(conn: &mut Conn, id_or_slug: &str) -> ApiResult<Venue> {
    Venue::find(conn, id_or_slug)?.ok_or_else(|| not_found(id_or_slug))
}

/// Finds a venue's row and locks it against other writers; to be called in a writing transaction.
pub fn find_held(conn: &mut Conn, id_or_slug: &str) -> ApiResult<Venue> {
    Venue::find_held(conn, id_or_slug)?.ok_or_else(|| not_found(id_or_slug))
}

/// Refuses a venue that is withdrawn.
///
/// # Errors
/// `venue_withdrawn`.
pub fn in_use(venue: &Venue) -> ApiResult<()> {
    if venue.withdrawn_at.is_some() { Err(withdrawn()) } else { Ok(()) }
}

/// 404 for a venue.
pub fn not_found(id_or_slug: &str) -> ApiError {
    ApiError::not_found("venue_not_found", format!("there is no venue {id_or_slug:?}"))
}

/// 409 for a venue that is withdrawn.
pub fn withdrawn() -> ApiError {
    ApiError::new(
        StatusCode::CONFLICT,
        "venue_withdrawn",
        "the venue is withdrawn and waits to be deleted",
        "Restore it with POST /api/venues/{id}/restore before you change it.",
    )
}
