//! `/api/venues/{venue}/levels` and `/api/levels/{level}`.

use actix_web::http::{StatusCode, header};
use actix_web::web::{self, Data, Json, Path};
use actix_web::{HttpRequest, HttpResponse};
use parterre_model::catalog as api;
use parterre_model::catalog::{ErrorBody, LevelFields};
use serde_json::{Map, Value};

use crate::access::Access;
use crate::app::App;
use crate::controllers::venues::show::{find_held, find_row, in_use};
use crate::db::{Conn, write};
use crate::edit;
use crate::error::{ApiError, ApiResult};
use crate::etag::{self, Condition};
use crate::models::catalog;
use crate::models::history::{self, Record, Subject};
use crate::models::levels::Level;
use crate::models::scans::Scan;
use crate::models::versions::Version;
use crate::person::Person;

/// A level of a scan whose floor is this near to that of a level of the venue is the same one: less than the height of any storey.
const SAME_FLOOR_M: f64 = 1.0;
/// Most levels of a venue.
const MAX_LEVELS: usize = 200;

/// Lists the levels of a venue, and those of its scans that have no name yet.
#[utoipa::path(get, path = "/api/venues/{venue}/levels", tag = "levels",
    params(("venue" = String, Path, description = "Identifier or slug")),
    responses(
        (status = 200, description = "The levels", body = api::LevelList),
        (status = 404, description = "No such venue", body = ErrorBody),
    ))]
pub async fn list(app: Data<App>, path: Path<String>) -> ApiResult {
    let list = web::block(move || {
        let mut conn = app.database.get()?;
        let venue = find_row(&mut conn, &path)?;
        load(&mut conn, &venue.id)
    })
    .await??;
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(list))
}

/// The levels of a venue and the proposals for more. Blocks.
pub fn load(conn: &mut Conn, venue_id: &str) -> ApiResult<api::LevelList> {
    let levels: Vec<api::VenueLevel> = Level::of_venue(conn, venue_id)?.iter().map(Level::shown).collect();
    let scans: Vec<String> = Scan::of_venues(conn, &[venue_id.to_owned()])?.into_iter().map(|scan| scan.id).collect();
    let versions = Version::of_scans(conn, &scans)?;
    let mut proposed = Vec::new();
    for scan in &scans {
        // The version to use: the published one, or else the newest that can be seen and is in use.
        let of_scan = || versions.iter().filter(|row| row.scan_id == *scan && row.state == "ready");
        let published = of_scan().find(|row| row.publication() == api::Publication::Published);
        let used = published.or_else(|| of_scan().rfind(|row| row.publication() != api::Publication::Withdrawn));
        let Some(used) = used.map(catalog::version) else { continue };
        for plan in &used.plans {
            let is_named = levels.iter().any(|level| level.fields.floor_m.is_some_and(|floor| (floor - plan.floor_m).abs() < SAME_FLOOR_M));
            if !is_named {
                proposed.push(api::LevelProposal {
                    scan: scan.clone(),
                    version: used.version,
                    level: plan.level,
                    floor_m: plan.floor_m,
                    top_m: plan.top_m,
                    area_m2: plan.area_m2,
                });
            }
        }
    }
    Ok(api::LevelList { levels, proposed })
}

/// Adds a level to a venue.
#[utoipa::path(post, path = "/api/venues/{venue}/levels", tag = "levels",
    params(("venue" = String, Path, description = "Identifier or slug")), request_body = LevelFields,
    responses(
        (status = 201, description = "Added", body = api::VenueLevel),
        (status = 400, description = "Not JSON", body = ErrorBody),
        (status = 404, description = "No such venue", body = ErrorBody),
        (status = 409, description = "The venue has a level of that ordinal, or is withdrawn", body = ErrorBody),
        (status = 413, description = "Too long", body = ErrorBody),
        (status = 415, description = "Not declared as JSON", body = ErrorBody),
        (status = 422, description = "A field cannot be used", body = ErrorBody),
    ))]
pub async fn create(app: Data<App>, access: Access, path: Path<String>, body: Json<LevelFields>) -> ApiResult {
    let level = add(&app, path.into_inner(), access.person, body.into_inner()).await?;
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, format!("/api/levels/{}", level.id)))
        .insert_header((header::ETAG, etag::of_revision(level.revision)))
        .json(level))
}

/// Adds a level to a venue.
///
/// # Errors
/// `venue_not_found`, `venue_withdrawn`, `level_exists`, `too_many`, those of the fields.
pub async fn add(app: &Data<App>, venue: String, person: Person, fields: LevelFields) -> ApiResult<api::VenueLevel> {
    let fields = edit::check(fields)?;
    let app = Data::clone(app);
    web::block(move || {
        write(&mut *app.database.get()?, |conn| {
            let venue = find_held(conn, &venue)?;
            in_use(&venue)?;
            let levels = Level::of_venue(conn, &venue.id)?;
            if levels.len() >= MAX_LEVELS {
                return Err(ApiError::unprocessable("too_many", format!("a venue has at most {MAX_LEVELS} levels"), "Remove some first."));
            }
            let ordinal = fields.ordinal.unwrap_or_else(|| levels.last().map_or(0, |highest| highest.ordinal + 1));
            check_free(&levels, ordinal, None)?;
            let level = Level::create(conn, &venue.id, ordinal, &fields, &person)?;
            record(conn, &level, &person, "added", None)?;
            Ok(level.shown())
        })
    })
    .await?
}

fn check_free(levels: &[Level], ordinal: i32, except: Option<&str>) -> ApiResult<()> {
    match levels.iter().find(|level| level.ordinal == ordinal && Some(level.id.as_str()) != except) {
        None => Ok(()),
        Some(level) => Err(ApiError::new(
            StatusCode::CONFLICT,
            "level_exists",
            format!("the venue has a level with the ordinal {ordinal}: {}", level.name),
            "Choose another ordinal; 0 is the level of the main entrance.",
        )),
    }
}

fn record(conn: &mut Conn, level: &Level, person: &Person, action: &str, changes: Option<&edit::Changes>) -> ApiResult<()> {
    let record = Record {
        venue_id: &level.venue_id,
        subject: Subject::Level,
        subject_id: &level.id,
        revision: Some(level.revision + i32::from(changes.is_some())),
        action,
        changes,
        note: (action != "changed").then_some(&level.name),
    };
    Ok(history::record(conn, person, &record)?)
}

/// Finds a level. Blocks.
pub fn find(conn: &mut Conn, id: &str) -> ApiResult<Level> {
    Level::find(conn, id)?.ok_or_else(|| ApiError::not_found("level_not_found", format!("there is no level {id:?}")))
}

/// Shows a level.
#[utoipa::path(get, path = "/api/levels/{level}", tag = "levels", params(("level" = String, Path, description = "Identifier")), responses(
    (status = 200, description = "The level; the header ETag is what If-Match takes", body = api::VenueLevel),
    (status = 304, description = "Not modified"),
    (status = 404, description = "No such level", body = ErrorBody),
))]
pub async fn show(app: Data<App>, request: HttpRequest, path: Path<String>) -> ApiResult {
    let level = web::block(move || find(&mut *app.database.get()?, &path)).await??;
    etag::answer(&request, level.revision, &level.shown())
}

/// Changes fields of a level: a field that is absent stays, `null` clears.
#[utoipa::path(patch, path = "/api/levels/{level}", tag = "levels",
    params(
        ("level" = String, Path, description = "Identifier"),
        ("If-Match" = String, Header, description = "ETag of the last GET, or *"),
    ),
    request_body(content = LevelFields, description = "Any part of the fields"),
    responses(
        (status = 200, description = "The level as it is now", body = api::VenueLevel),
        (status = 400, description = "Not JSON", body = ErrorBody),
        (status = 404, description = "No such level", body = ErrorBody),
        (status = 409, description = "The venue has a level of that ordinal, or is withdrawn", body = ErrorBody),
        (status = 412, description = "Somebody else has changed it meanwhile", body = ErrorBody),
        (status = 413, description = "Too long", body = ErrorBody),
        (status = 415, description = "Not declared as JSON", body = ErrorBody),
        (status = 422, description = "A field cannot be used", body = ErrorBody),
        (status = 428, description = "Without If-Match", body = ErrorBody),
    ))]
pub async fn update(app: Data<App>, access: Access, request: HttpRequest, path: Path<String>, body: Json<Map<String, Value>>) -> ApiResult {
    let (condition, wanted) = (Condition::of(&request)?, body.into_inner());
    let level = web::block(move || {
        write(&mut *app.database.get()?, |conn| {
            change(conn, &path, &condition, &access.person, |fields| edit::patched(fields, &wanted))?;
            find(conn, &path)
        })
    })
    .await??;
    etag::answer(&request, level.revision, &level.shown())
}

/// Changes the fields of a level, and records who did; to be called in a writing transaction. Returns the row before the change.
pub fn change(
    conn: &mut Conn,
    id: &str,
    condition: &Condition,
    person: &Person,
    make: impl FnOnce(&LevelFields) -> ApiResult<LevelFields>,
) -> ApiResult<Level> {
    let level = find_in_use(conn, id)?;
    condition.check(level.revision)?;
    let before = level.fields();
    let after = make(&before)?;
    let after = LevelFields { ordinal: after.ordinal.or(before.ordinal), ..after };
    let changes = edit::changes(&before, &after);
    if changes.is_empty() {
        return Ok(level);
    }
    check_free(&Level::of_venue(conn, &level.venue_id)?, after.ordinal.unwrap_or(level.ordinal), Some(&level.id))?;
    if !Level::update(conn, &level, &after, person)? {
        return Err(etag::changed(level.revision));
    }
    record(conn, &level, person, "changed", Some(&changes))?;
    Ok(level)
}

/// Finds a level of a venue that is in use, and holds the venue.
fn find_in_use(conn: &mut Conn, id: &str) -> ApiResult<Level> {
    let venue = find(conn, id)?.venue_id;
    in_use(&find_held(conn, &venue)?)?;
    find(conn, id)
}

/// Removes a level.
#[utoipa::path(delete, path = "/api/levels/{level}", tag = "levels",
    params(
        ("level" = String, Path, description = "Identifier"),
        ("If-Match" = String, Header, description = "ETag of the last GET, or *"),
    ),
    responses(
        (status = 204, description = "Removed"),
        (status = 404, description = "No such level", body = ErrorBody),
        (status = 409, description = "The venue is withdrawn", body = ErrorBody),
        (status = 412, description = "Somebody else has changed it meanwhile", body = ErrorBody),
        (status = 428, description = "Without If-Match", body = ErrorBody),
    ))]
pub async fn remove(app: Data<App>, access: Access, request: HttpRequest, path: Path<String>) -> ApiResult {
    let condition = Condition::of(&request)?;
    delete(&app, path.into_inner(), condition, access.person).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Removes a level, and records who did. Returns the venue's identifier.
pub async fn delete(app: &Data<App>, id: String, condition: Condition, person: Person) -> ApiResult<String> {
    let app = Data::clone(app);
    web::block(move || {
        write(&mut *app.database.get()?, |conn| {
            let level = find_in_use(conn, &id)?;
            condition.check(level.revision)?;
            if !Level::remove(conn, &level)? {
                return Err(etag::changed(level.revision));
            }
            record(conn, &level, &person, "removed", None)?;
            Ok(level.venue_id)
        })
    })
    .await?
}
