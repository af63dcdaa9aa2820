//! `GET /api/venues`.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Query};
use parterre_model::catalog::{ErrorBody, VenueList};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::app::App;
use crate::error::{ApiError, ApiResult};
use crate::models::catalog;
use crate::models::venues::Venue;

/// Most venues in one answer.
const MAX_LIMIT: u32 = 500;

/// Longest text to search for; a name is not longer.
const MAX_QUERY_CHARS: usize = 200;

/// What to list.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Search {
    /// Only venues whose name holds this, case and accents aside.
    #[serde(default)]
    pub q: String,
    /// Most venues in the answer; 100 if not given, at most 500.
    pub limit: Option<u32>,
    /// How many to leave out at the start.
    pub offset: Option<u32>,
}

/// Lists venues by name, with their scans; of each scan only the newest version and the newest that is ready, in brief.
#[utoipa::path(get, path = "/api/venues", tag = "venues", params(Search), responses(
    (status = 200, description = "The venues", body = VenueList),
    (status = 400, description = "The query cannot be read", body = ErrorBody),
))]
pub async fn list(app: Data<App>, search: Query<Search>) -> ApiResult {
    Ok(HttpResponse::Ok().json(find(&app, search.into_inner()).await?))
}

/// Finds venues.
pub async fn find(app: &Data<App>, search: Search) -> ApiResult<VenueList> {
    if search.q.chars().count() > MAX_QUERY_CHARS || search.q.chars().any(char::is_control) {
        return Err(ApiError::new(
            StatusCode::BAD_REQUEST,
            "query_invalid",
            "what is searched for has at most 200 characters and no control characters",
            "Search for a part of the venue's name.",
        ));
    }
    let app = Data::clone(app);
    web::block(move || {
        let mut conn = app.database.get()?;
        let limit = search.limit.unwrap_or(100).clamp(1, MAX_LIMIT);
        let (rows, total) = Venue::search(&mut conn, &search.q, i64::from(limit), i64::from(search.offset.unwrap_or(0)))?;
        Ok(VenueList { venues: catalog::load_venue_list(&mut conn, &rows)?, total: total as u64 })
    })
    .await?
}
