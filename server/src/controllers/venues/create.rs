//! `POST /api/venues`.

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use actix_web::web::{self, Data, Json};
use parterre_model::catalog::{ErrorBody, NewVenue, VenueCreated};

use crate::app::App;
use crate::db::write;
use crate::error::{ApiError, ApiResult};
use crate::models::venues::Venue;
use crate::text;

/// Adds a venue.
#[utoipa::path(post, path = "/api/venues", tag = "venues", request_body = NewVenue, responses(
    (status = 201, description = "Added", body = VenueCreated),
    (status = 400, description = "Not JSON", body = ErrorBody),
    (status = 422, description = "The name cannot be used", body = ErrorBody),
))]
pub async fn create(app: Data<App>, body: Json<NewVenue>) -> ApiResult {
    let venue = add(&app, body.into_inner().name).await?;
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, format!("/api/venues/{}", venue.id)))
        .json(VenueCreated { id: venue.id, slug: venue.slug }))
}

/// Checks the name and adds a venue.
pub async fn add(app: &Data<App>, name: String) -> ApiResult<Venue> {
    let name = text::venue_name(&name).map_err(|fault| ApiError::of_fault(StatusCode::UNPROCESSABLE_ENTITY, fault))?;
    let app = Data::clone(app);
    web::block(move || {
        let mut conn = app.database.get()?;
        write(&mut conn, |conn| Ok(Venue::create(conn, &name)?))
    })
    .await?
}
