//! `POST /api/scans/{scan}/versions/{version}/{submit|publish|withdraw}`.

use actix_web::HttpRequest;
use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes, Data, Path};
use parterre_model::catalog as api;
use parterre_model::catalog::{ErrorBody, PublicationAction, PublicationNote};

use super::find::find_held;
use super::show;
use crate::access::Access;
use crate::app::App;
use crate::controllers::venues::show::in_use;
use crate::db::{Conn, write};
use crate::error::{ApiError, ApiResult};
use crate::fields;
use crate::models::history::{self, Record, Subject};
use crate::models::versions::Version;
use crate::person::Person;

/// Asks for the review of a version that is ready.
#[utoipa::path(post, path = "/api/scans/{scan}/versions/{version}/submit", tag = "publication",
    params(("scan" = String, Path, description = "Identifier"), ("version" = u32, Path, description = "1, 2, 3…")),
    request_body(content = PublicationNote, description = "May be left out"),
    responses(
        (status = 200, description = "The version, in review", body = api::Version),
        (status = 400, description = "Not JSON", body = ErrorBody),
        (status = 404, description = "No such scan or version", body = ErrorBody),
        (status = 409, description = "The version is not ready, or its state does not allow this", body = ErrorBody),
        (status = 413, description = "Too long", body = ErrorBody),
        (status = 422, description = "The note cannot be used", body = ErrorBody),
    ))]
pub async fn submit(app: Data<App>, access: Access, request: HttpRequest, path: Path<(String, u32)>, body: Bytes) -> ApiResult {
    answer(&app, access, &request, path, &body, PublicationAction::Submit).await
}

/// Publishes a version in review; the version published before it is superseded.
#[utoipa::path(post, path = "/api/scans/{scan}/versions/{version}/publish", tag = "publication",
    params(("scan" = String, Path, description = "Identifier"), ("version" = u32, Path, description = "1, 2, 3…")),
    request_body(content = PublicationNote, description = "May be left out"),
    responses(
        (status = 200, description = "The published version", body = api::Version),
        (status = 400, description = "Not JSON", body = ErrorBody),
        (status = 404, description = "No such scan or version", body = ErrorBody),
        (status = 409, description = "The version is not ready, or its state does not allow this", body = ErrorBody),
        (status = 413, description = "Too long", body = ErrorBody),
        (status = 422, description = "The note cannot be used", body = ErrorBody),
    ))]
pub async fn publish(app: Data<App>, access: Access, request: HttpRequest, path: Path<(String, u32)>, body: Bytes) -> ApiResult {
    answer(&app, access, &request, path, &body, PublicationAction::Publish).await
}

/// Takes a version out of use; also the first step of deleting it, and how a review ends that found something wrong.
#[utoipa::path(post, path = "/api/scans/{scan}/versions/{version}/withdraw", tag = "publication",
    params(("scan" = String, Path, description = "Identifier"), ("version" = u32, Path, description = "1, 2, 3…")),
    request_body(content = PublicationNote, description = "May be left out"),
    responses(
        (status = 200, description = "The withdrawn version", body = api::Version),
        (status = 400, description = "Not JSON", body = ErrorBody),
        (status = 404, description = "No such scan or version", body = ErrorBody),
        (status = 409, description = "The version's state does not allow this", body = ErrorBody),
        (status = 413, description = "Too long", body = ErrorBody),
        (status = 422, description = "The note cannot be used", body = ErrorBody),
    ))]
pub async fn withdraw(app: Data<App>, access: Access, request: HttpRequest, path: Path<(String, u32)>, body: Bytes) -> ApiResult {
    answer(&app, access, &request, path, &body, PublicationAction::Withdraw).await
}

async fn answer(
    app: &Data<App>,
    access: Access,
    request: &HttpRequest,
    path: Path<(String, u32)>,
    body: &[u8],
    action: PublicationAction,
) -> ApiResult {
    let (scan, number) = path.into_inner();
    // Not an extractor: the body may be left out, and then it has no type either.
    let given = if body.is_empty() {
        PublicationNote::default()
    } else {
        serde_json::from_slice(body).map_err(|error| {
            let message = format!("the body cannot be read: {error}");
            ApiError::new(StatusCode::BAD_REQUEST, "json_invalid", message, "Send no body, or a JSON document such as {\"note\": \"…\"}.")
        })?
    };
    act(app, access.person, scan.clone(), number, action, given.note).await?;
    show::answer(app, request, scan, number).await
}

/// Changes the publication state of a version, and records who did. Returns the venue's slug.
///
/// # Errors
/// `scan_not_found`, `version_not_found`, `venue_withdrawn`, `version_not_ready`, `version_failed`, `transition_not_allowed`,
/// `field_invalid`.
pub async fn act(
    app: &Data<App>,
    person: Person,
    scan: String,
    number: u32,
    action: PublicationAction,
    note: Option<String>,
) -> ApiResult<String> {
    let note = fields::note(note).map_err(|fault| ApiError::of_fault(StatusCode::UNPROCESSABLE_ENTITY, fault))?;
    let app = Data::clone(app);
    web::block(move || {
        write(&mut *app.database.get()?, |conn| {
            // Holding the scan, nobody else can publish another version of it at the same time.
            let found = find_held(conn, &scan, number)?;
            in_use(&found.venue)?;
            let version = Version::find_held(conn, &found.scan.id, found.version.version)?.unwrap_or(found.version);
            if action != PublicationAction::Withdraw {
                check_ready(&version)?;
            }
            if action == PublicationAction::Publish
                && version.publication().after(action).is_some()
                && let Some(former) = Version::published(conn, &found.scan.id)?
            {
                change(conn, &found.venue.id, &former, PublicationAction::Supersede, &person, None)?;
            }
            change(conn, &found.venue.id, &version, action, &person, note.as_deref())?;
            Ok(found.venue.slug)
        })
    })
    .await?
}

fn check_ready(version: &Version) -> ApiResult<()> {
    let (code, problem) = match version.state.as_str() {
        "ready" => return Ok(()),
        "processing" => ("version_not_ready", "the tiles of this version are still being made"),
        _ => ("version_failed", "the tiles of this version could not be made"),
    };
    Err(ApiError::new(StatusCode::CONFLICT, code, problem, "Only a version that is ready can be reviewed and published."))
}

fn change(
    conn: &mut Conn,
    venue_id: &str,
    version: &Version,
    action: PublicationAction,
    person: &Person,
    note: Option<&str>,
) -> ApiResult<()> {
    let from = version.publication();
    let not_allowed = || {
        ApiError::new(
            StatusCode::CONFLICT,
            "transition_not_allowed",
            format!("version {} is {}: {} is not possible", version.version, from.text().to_lowercase(), action.name()),
            "A draft is submitted, then published; anything in use can be withdrawn. docs/api.md has the table.",
        )
    };
    let to = from.after(action).ok_or_else(not_allowed)?;
    if !Version::set_publication(conn, &version.scan_id, version.version, from, to, person)? {
        return Err(not_allowed());
    }
    let record = Record {
        venue_id,
        subject: Subject::Version,
        subject_id: &history::version_id(&version.scan_id, version.version),
        revision: None,
        action: action.done(),
        changes: None,
        note,
    };
    Ok(history::record(conn, person, &record)?)
}
