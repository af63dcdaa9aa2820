//! `PATCH /api/venues/{venue}`.

use actix_web::HttpRequest;
use actix_web::web::{self, Data, Json, Path};
use parterre_model::catalog as api;
use parterre_model::catalog::{ErrorBody, VenueFields};
use serde_json::{Map, Value};

use super::show;
use crate::access::Access;
use crate::app::App;
use crate::db::{Conn, write};
use crate::edit;
use crate::error::ApiResult;
use crate::etag::{self, Condition};
use crate::models::history::{self, Record, Subject};
use crate::models::venues::Venue;
use crate::person::Person;

/// Changes fields of a venue: a field that is absent stays, `null` clears.
#[utoipa::path(patch, path = "/api/venues/{venue}", tag = "venues",
    params(
        ("venue" = String, Path, description = "Identifier or slug"),
        ("If-Match" = String, Header, description = "ETag of the last GET, or *"),
    ),
    request_body(content = VenueFields, description = "Any part of the fields"),
    responses(
        (status = 200, description = "The venue as it is now", body = api::Venue),
        (status = 400, description = "Not JSON", body = ErrorBody),
        (status = 404, description = "No such venue", body = ErrorBody),
        (status = 409, description = "The venue is withdrawn", body = ErrorBody),
        (status = 412, description = "Somebody else has changed it meanwhile", body = ErrorBody),
        (status = 413, description = "Too long", body = ErrorBody),
        (status = 415, description = "Not declared as JSON", body = ErrorBody),
        (status = 422, description = "A field cannot be used", body = ErrorBody),
        (status = 428, description = "Without If-Match", body = ErrorBody),
    ))]
pub async fn update(app: Data<App>, access: Access, request: HttpRequest, path: Path<String>, body: Json<Map<String, Value>>) -> ApiResult {
    let (condition, wanted) = (Condition::of(&request)?, body.into_inner());
    let id = {
        let (app, venue) = (Data::clone(&app), path.into_inner());
        web::block(move || {
            write(&mut *app.database.get()?, |conn| {
                change(conn, &venue, &condition, &access.person, |fields| edit::patched(fields, &wanted)).map(|row| row.id)
            })
        })
        .await??
    };
    show::answer(&app, &request, id).await
}

/// Changes the fields of a venue, and records who did; to be called in a writing transaction. Returns the row before the change.
///
/// # Errors
/// `venue_not_found`, `precondition_failed`, `venue_withdrawn`, those of `make`.
pub fn change(
    conn: &mut Conn,
    id_or_slug: &str,
    condition: &Condition,
    person: &Person,
    make: impl FnOnce(&VenueFields) -> ApiResult<VenueFields>,
) -> ApiResult<Venue> {
    let row = show::find_held(conn, id_or_slug)?;
    condition.check(row.revision)?;
    show::in_use(&row)?;
    let before = row.fields();
    let after = make(&before)?;
    let changes = edit::changes(&before, &after);
    if changes.is_empty() {
        return Ok(row);
    }
    if !Venue::update(conn, &row.id, row.revision, &after, person)? {
        return Err(etag::changed(row.revision));
    }
    let record = Record {
        venue_id: &row.id,
        subject: Subject::Venue,
        subject_id: &row.id,
        revision: Some(row.revision + 1),
        action: "changed",
        changes: Some(&changes),
        note: None,
    };
    history::record(conn, person, &record)?;
    Ok(row)
}
