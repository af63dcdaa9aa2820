//! `PATCH /api/scans/{scan}/versions/{version}`: what people know about how a version was captured.

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Json, Path};
use parterre_model::catalog as api;
use parterre_model::catalog::{ErrorBody, SurveyFields};
use serde_json::{Map, Value};

use super::find::{Found, find_held};
use super::show;
use crate::access::Access;
use crate::app::App;
use crate::controllers::venues::show::in_use;
use crate::db::{Conn, write};
use crate::edit;
use crate::error::{ApiError, ApiResult};
use crate::etag::{self, Condition};
use crate::models::history::{self, Record, Subject};
use crate::models::surveys::Survey;
use crate::person::Person;

/// Changes fields of a version's survey: a field that is absent stays, `null` clears. While the version is in review, published or
/// superseded only `reverify_on` can be changed.
#[utoipa::path(patch, path = "/api/scans/{scan}/versions/{version}", tag = "scans",
    params(
        ("scan" = String, Path, description = "Identifier"),
        ("version" = u32, Path, description = "1, 2, 3…"),
        ("If-Match" = String, Header, description = "ETag of the last GET, or *"),
    ),
    request_body(content = SurveyFields, description = "Any part of the fields"),
    responses(
        (status = 200, description = "The version as it is now", body = api::Version),
        (status = 400, description = "Not JSON", body = ErrorBody),
        (status = 404, description = "No such scan or version", body = ErrorBody),
        (status = 409, description = "The version is not a draft, or the venue is withdrawn", body = ErrorBody),
        (status = 412, description = "Somebody else has changed it meanwhile", body = ErrorBody),
        (status = 413, description = "Too long", body = ErrorBody),
        (status = 415, description = "Not declared as JSON", body = ErrorBody),
        (status = 422, description = "A field cannot be used", body = ErrorBody),
        (status = 428, description = "Without If-Match", body = ErrorBody),
    ))]
pub async fn update(
    app: Data<App>,
    access: Access,
    request: HttpRequest,
    path: Path<(String, u32)>,
    body: Json<Map<String, Value>>,
) -> ApiResult {
    let (condition, wanted) = (Condition::of(&request)?, body.into_inner());
    let (scan, number) = path.into_inner();
    {
        let (app, scan) = (Data::clone(&app), scan.clone());
        web::block(move || {
            write(&mut *app.database.get()?, |conn| {
                change(conn, &scan, number, &condition, &access.person, |fields| edit::patched(fields, &wanted)).map(drop)
            })
        })
        .await??;
    }
    show::answer(&app, &request, scan, number).await
}

/// Changes the survey of a version, and records who did; to be called in a writing transaction.
pub fn change(
    conn: &mut Conn,
    scan: &str,
    number: u32,
    condition: &Condition,
    person: &Person,
    make: impl FnOnce(&SurveyFields) -> ApiResult<SurveyFields>,
) -> ApiResult<Found> {
    let found = find_held(conn, scan, number)?;
    in_use(&found.venue)?;
    let row = Survey::find(conn, &found.scan.id, found.version.version)?;
    let revision = row.as_ref().map_or(0, |row| row.revision);
    condition.check(revision)?;
    let before = row.map_or_else(SurveyFields::default, |row| row.fields());
    let after = make(&before)?;
    let changes = edit::changes(&before, &after);
    if changes.is_empty() {
        return Ok(found);
    }
    if !found.version.publication().is_survey_open() && changes.keys().any(|field| field != "reverify_on") {
        return Err(ApiError::new(
            StatusCode::CONFLICT,
            "survey_fixed",
            format!("the version is {}: only reverify_on can be changed", found.version.publication().text().to_lowercase()),
            "Withdraw the version to correct it, and submit it again.",
        ));
    }
    if !Survey::save(conn, &found.scan.id, found.version.version, revision, &after, person)? {
        return Err(etag::changed(revision));
    }
    let record = Record {
        venue_id: &found.venue.id,
        subject: Subject::Survey,
        subject_id: &history::version_id(&found.scan.id, found.version.version),
        revision: Some(revision + 1),
        action: "changed",
        changes: Some(&changes),
        note: None,
    };
    history::record(conn, person, &record)?;
    Ok(found)
}
