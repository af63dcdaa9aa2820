//! `/api/venues/{venue}/configurations` and `/api/configurations/{configuration}`.

use actix_web::http::header;
use actix_web::web::{self, Data, Json, Path};
use actix_web::{HttpRequest, HttpResponse};
use parterre_model::catalog as api;
use parterre_model::catalog::{ConfigurationFields, ErrorBody};
use serde_json::{Map, Value};

use crate::access::Access;
use crate::app::App;
use crate::controllers::venues::show::{find_held, find_row, in_use};
use crate::db::{Conn, write};
use crate::edit;
use crate::error::{ApiError, ApiResult};
use crate::etag::{self, Condition};
use crate::models::configurations::Configuration;
use crate::models::history::{self, Record, Subject};
use crate::person::Person;

/// Most configurations of a venue.
const MAX_CONFIGURATIONS: usize = 500;

/// Lists the configurations of a venue, oldest first.
#[utoipa::path(get, path = "/api/venues/{venue}/configurations", tag = "configurations",
    params(("venue" = String, Path, description = "Identifier or slug")),
    responses(
        (status = 200, description = "The configurations", body = api::ConfigurationList),
        (status = 404, description = "No such venue", body = ErrorBody),
    ))]
pub async fn list(app: Data<App>, path: Path<String>) -> ApiResult {
    let rows = web::block(move || {
        let mut conn = app.database.get()?;
        let venue = find_row(&mut conn, &path)?;
        Ok::<_, ApiError>(Configuration::of_venue(&mut conn, &venue.id)?)
    })
    .await??;
    let configurations = rows.iter().map(Configuration::shown).collect();
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(api::ConfigurationList { configurations }))
}

/// Adds a configuration to a venue.
#[utoipa::path(post, path = "/api/venues/{venue}/configurations", tag = "configurations",
    params(("venue" = String, Path, description = "Identifier or slug")), request_body = ConfigurationFields,
    responses(
        (status = 201, description = "Added", body = api::Configuration),
        (status = 400, description = "Not JSON", body = ErrorBody),
        (status = 404, description = "No such venue", body = ErrorBody),
        (status = 409, description = "The venue is withdrawn", body = ErrorBody),
        (status = 413, description = "Too long", body = ErrorBody),
        (status = 415, description = "Not declared as JSON", body = ErrorBody),
        (status = 422, description = "A field cannot be used", body = ErrorBody),
    ))]
pub async fn create(app: Data<App>, access: Access, path: Path<String>, body: Json<ConfigurationFields>) -> ApiResult {
    let configuration = add(&app, path.into_inner(), access.person, body.into_inner()).await?;
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, format!("/api/configurations/{}", configuration.id)))
        .insert_header((header::ETAG, etag::of_revision(configuration.revision)))
        .json(configuration))
}

/// Adds a configuration to a venue.
///
/// # Errors
/// `venue_not_found`, `venue_withdrawn`, `too_many`, those of the fields.
pub async fn add(app: &Data<App>, venue: String, person: Person, fields: ConfigurationFields) -> ApiResult<api::Configuration> {
    let fields = edit::check(fields)?;
    let app = Data::clone(app);
    web::block(move || {
        write(&mut *app.database.get()?, |conn| {
            let venue = find_held(conn, &venue)?;
            in_use(&venue)?;
            if Configuration::of_venue(conn, &venue.id)?.len() >= MAX_CONFIGURATIONS {
                let message = format!("a venue has at most {MAX_CONFIGURATIONS} configurations");
                return Err(ApiError::unprocessable("too_many", message, "Remove some first."));
            }
            let configuration = Configuration::create(conn, &venue.id, &fields, &person)?;
            record(conn, &configuration, &person, "added", None)?;
            Ok(configuration.shown())
        })
    })
    .await?
}

fn record(conn: &mut Conn, row: &Configuration, person: &Person, action: &str, changes: Option<&edit::Changes>) -> ApiResult<()> {
    let record = Record {
        venue_id: &row.venue_id,
        subject: Subject::Configuration,
        subject_id: &row.id,
        revision: Some(row.revision + i32::from(changes.is_some())),
        action,
        changes,
        note: (action != "changed").then_some(&row.name),
    };
    Ok(history::record(conn, person, &record)?)
}

/// Finds a configuration. Blocks.
pub fn find(conn: &mut Conn, id: &str) -> ApiResult<Configuration> {
    Configuration::find(conn, id)?
        .ok_or_else(|| ApiError::not_found("configuration_not_found", format!("there is no configuration {id:?}")))
}

/// Shows a configuration.
#[utoipa::path(get, path = "/api/configurations/{configuration}", tag = "configurations",
    params(("configuration" = String, Path, description = "Identifier")),
    responses(
        (status = 200, description = "The configuration; the header ETag is what If-Match takes", body = api::Configuration),
        (status = 304, description = "Not modified"),
        (status = 404, description = "No such configuration", body = ErrorBody),
    ))]
pub async fn show(app: Data<App>, request: HttpRequest, path: Path<String>) -> ApiResult {
    let row = web::block(move || find(&mut *app.database.get()?, &path)).await??;
    etag::answer(&request, row.revision, &row.shown())
}

/// Changes fields of a configuration: a field that is absent stays, `null` clears.
#[utoipa::path(patch, path = "/api/configurations/{configuration}", tag = "configurations",
    params(
        ("configuration" = String, Path, description = "Identifier"),
        ("If-Match" = String, Header, description = "ETag of the last GET, or *"),
    ),
    request_body(content = ConfigurationFields, description = "Any part of the fields"),
    responses(
        (status = 200, description = "The configuration as it is now", body = api::Configuration),
        (status = 400, description = "Not JSON", body = ErrorBody),
        (status = 404, description = "No such configuration", body = ErrorBody),
        (status = 409, description = "The venue is withdrawn", body = ErrorBody),
        (status = 412, description = "Somebody else has changed it meanwhile", body = ErrorBody),
        (status = 413, description = "Too long", body = ErrorBody),
        (status = 415, description = "Not declared as JSON", body = ErrorBody),
        (status = 422, description = "A field cannot be used", body = ErrorBody),
        (status = 428, description = "Without If-Match", body = ErrorBody),
    ))]
pub async fn update(app: Data<App>, access: Access, request: HttpRequest, path: Path<String>, body: Json<Map<String, Value>>) -> ApiResult {
    let (condition, wanted) = (Condition::of(&request)?, body.into_inner());
    let row = web::block(move || {
        write(&mut *app.database.get()?, |conn| {
            change(conn, &path, &condition, &access.person, |fields| edit::patched(fields, &wanted))?;
            find(conn, &path)
        })
    })
    .await??;
    etag::answer(&request, row.revision, &row.shown())
}

/// Changes the fields of a configuration, and records who did; to be called in a writing transaction. Returns the row before the change.
pub fn change(
    conn: &mut Conn,
    id: &str,
    condition: &Condition,
    person: &Person,
    make: impl FnOnce(&ConfigurationFields) -> ApiResult<ConfigurationFields>,
) -> ApiResult<Configuration> {
    let row = find_in_use(conn, id)?;
    condition.check(row.revision)?;
    let before = row.fields();
    let after = make(&before)?;
    let changes = edit::changes(&before, &after);
    if changes.is_empty() {
        return Ok(row);
    }
    if !Configuration::update(conn, &row, &after, person)? {
        return Err(etag::changed(row.revision));
    }
    record(conn, &row, person, "changed", Some(&changes))?;
    Ok(row)
}

/// Finds a configuration of a venue that is in use, and holds the venue.
fn find_in_use(conn: &mut Conn, id: &str) -> ApiResult<Configuration> {
    let venue = find(conn, id)?.venue_id;
    in_use(&find_held(conn, &venue)?)?;
    find(conn, id)
}

/// Removes a configuration.
#[utoipa::path(delete, path = "/api/configurations/{configuration}", tag = "configurations",
    params(
        ("configuration" = String, Path, description = "Identifier"),
        ("If-Match" = String, Header, description = "ETag of the last GET, or *"),
    ),
    responses(
        (status = 204, description = "Removed"),
        (status = 404, description = "No such configuration", body = ErrorBody),
        (status = 409, description = "The venue is withdrawn", body = ErrorBody),
        (status = 412, description = "Somebody else has changed it meanwhile", body = ErrorBody),
        (status = 428, description = "Without If-Match", body = ErrorBody),
    ))]
pub async fn remove(app: Data<App>, access: Access, request: HttpRequest, path: Path<String>) -> ApiResult {
    let condition = Condition::of(&request)?;
    delete(&app, path.into_inner(), condition, access.person).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Removes a configuration, and records who did. Returns the venue's identifier.
pub async fn delete(app: &Data<App>, id: String, condition: Condition, person: Person) -> ApiResult<String> {
    let app = Data::clone(app);
    web::block(move || {
        write(&mut *app.database.get()?, |conn| {
            let row = find_in_use(conn, &id)?;
            condition.check(row.revision)?;
            if !Configuration::remove(conn, &row)? {
                return Err(etag::changed(row.revision));
            }
            record(conn, &row, &person, "removed", None)?;
            Ok(row.venue_id)
        })
    })
    .await?
}
