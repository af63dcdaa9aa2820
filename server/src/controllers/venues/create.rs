//! `POST /api/venues`.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{self, Data, Json};
use parterre_model::catalog::{ErrorBody, NewVenue, VenueCreated};

use crate::app::App;
use crate::db::write;
use crate::error::{ApiError, ApiResult};
use crate::models::venues::Venue;

/// Enters a venue.
#[utoipa::path(post, path = "/api/venues", tag = "venues", request_body = NewVenue, responses(
    (status = 201, description = "Entered", body = VenueCreated),
    (status = 400, description = "Not JSON", body = ErrorBody),
    (status = 422, description = "The name cannot be used", body = ErrorBody),
))]
pub async fn create(app: Data<App>, body: Json<NewVenue>) -> ApiResult {
    let venue = enter(&app, body.into_inner().name).await?;
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, format!("/api/venues/{}", venue.id)))
        .json(VenueCreated { id: venue.id, slug: venue.slug }))
}

/// Checks the name and enters a venue.
pub async fn enter(app: &Data<App>, name: String) -> ApiResult<Venue> {
    let name = check_name(&name)?;
    let app = Data::clone(app);
    web::block(move || {
        let mut conn = app.database.get()?;
        write(&mut conn, |conn| Ok(Venue::create(conn, &name)?))
    })
    .await?
}

/// The name without white space around it, if it can be used.
pub fn check_name(name: &str) -> Result<String, ApiError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 200 || name.chars().any(char::is_control) {
        return Err(ApiError::unprocessable(
            "name_invalid",
            "a venue's name has 1 to 200 characters and no control characters",
            "Choose the name that people know the venue by.",
        ));
    }
    Ok(name.to_owned())
}
