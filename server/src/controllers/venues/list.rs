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
use crate::text;

/// Venues in one answer where the request does not say.
const DEFAULT_LIMIT: u64 = 100;
/// Most venues in one answer.
const MAX_LIMIT: u64 = 500;

/// Query of the list.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Search {
    /// Only venues whose name or local name contains this; upper and lower case and accents count as the same.
    #[serde(default)]
    pub q: String,
    /// Most venues in the answer, 1 to 500; 100 if not given. A larger value counts as 500, and the answer's `limit` says so.
    pub limit: Option<u64>,
    /// Number of venues to skip.
    pub offset: Option<u64>,
    /// `withdrawn`: instead those that wait to be deleted, at most 500 and without search.
    pub state: Option<ListState>,
}

/// Which venues are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ListState {
    /// Those in use.
    InUse,
    /// Those that wait to be deleted.
    Withdrawn,
}

/// Lists venues by name, with their scans. Of each scan: the newest version, the newest ready one and the published one,
/// without details.
#[utoipa::path(get, path = "/api/venues", tag = "venues", params(Search), responses(
    (status = 200, description = "The venues", body = VenueList),
    (status = 400, description = "The query cannot be read", body = ErrorBody),
))]
pub async fn list(app: Data<App>, search: Query<Search>) -> ApiResult {
    Ok(HttpResponse::Ok().json(find(&app, search.into_inner()).await?))
}

/// Finds venues.
pub async fn find(app: &Data<App>, search: Search) -> ApiResult<VenueList> {
    let text = text::search(&search.q).map_err(|fault| ApiError::of_fault(StatusCode::BAD_REQUEST, fault))?;
    let app = Data::clone(app);
    web::block(move || {
        let mut conn = app.database.get()?;
        if search.state == Some(ListState::Withdrawn) {
            let rows = Venue::withdrawn(&mut conn, MAX_LIMIT as i64)?;
            let venues = catalog::load_venue_list(&mut conn, &rows)?;
            return Ok(VenueList { total: venues.len() as u64, venues, limit: MAX_LIMIT });
        }
        let limit = search.limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT);
        let offset = i64::try_from(search.offset.unwrap_or(0)).unwrap_or(i64::MAX);
        let (rows, total) = Venue::search(&mut conn, &text, limit as i64, offset)?;
        Ok(VenueList { venues: catalog::load_venue_list(&mut conn, &rows)?, total: total as u64, limit })
    })
    .await?
}
