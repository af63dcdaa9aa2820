//! `POST /api/venues`.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{self, Data, Json};
use parterre_model::catalog::{ErrorBody, VenueCreated, VenueFields};

use crate::access::Access;
use crate::app::App;
use crate::db::write;
use crate::edit;
use crate::error::ApiResult;
use crate::models::venues::{self, Venue};
use crate::person::Person;

/// Adds a venue.
#[utoipa::path(post, path = "/api/venues", tag = "venues", request_body = VenueFields, responses(
    (status = 201, description = "Added", body = VenueCreated),
    (status = 400, description = "Not JSON", body = ErrorBody),
    (status = 413, description = "Too long", body = ErrorBody),
    (status = 415, description = "Not declared as JSON", body = ErrorBody),
    (status = 422, description = "The name or another field cannot be used", body = ErrorBody),
))]
pub async fn create(app: Data<App>, access: Access, body: Json<VenueFields>) -> ApiResult {
    let venue = add(&app, access.person, body.into_inner()).await?;
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, format!("/api/venues/{}", venue.id)))
        .json(VenueCreated { id: venue.id, slug: venue.slug }))
}

/// Checks the fields and adds a venue.
pub async fn add(app: &Data<App>, person: Person, fields: VenueFields) -> ApiResult<Venue> {
    let fields = edit::check(fields)?;
    let app = Data::clone(app);
    web::block(move || {
        let mut conn = app.database.get()?;
        write(&mut conn, |conn| Ok(venues::add(conn, &fields, &person)?))
    })
    .await?
}
