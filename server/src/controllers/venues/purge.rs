//! `POST /api/venues/{venue}/purge`, the second step of deleting.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Json, Path};
use parterre_model::catalog::{ErrorBody, Purge};

use super::show;
use crate::access::Access;
use crate::app::App;
use crate::db::write;
use crate::error::{ApiError, ApiResult};
use crate::models::scans::Scan;
use crate::models::versions::Version;
use crate::person::Person;
use crate::purge as remove;

/// Removes a withdrawn venue and all that belongs to it, files included. This cannot be undone.
#[utoipa::path(post, path = "/api/venues/{venue}/purge", tag = "venues",
    params(("venue" = String, Path, description = "Identifier or slug")), request_body = Purge,
    responses(
        (status = 204, description = "Removed"),
        (status = 400, description = "Not JSON", body = ErrorBody),
        (status = 404, description = "No such venue", body = ErrorBody),
        (status = 409, description = "The venue is not withdrawn, or a scan of it is being processed", body = ErrorBody),
        (status = 413, description = "Too long", body = ErrorBody),
        (status = 415, description = "Not declared as JSON", body = ErrorBody),
        (status = 422, description = "The name is not that of the venue", body = ErrorBody),
    ))]
pub async fn purge(app: Data<App>, access: Access, path: Path<String>, body: Json<Purge>) -> ApiResult {
    venue(&app, path.into_inner(), access.person, body.into_inner().name).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Removes a withdrawn venue.
///
/// # Errors
/// `venue_not_found`, `not_withdrawn`, `name_mismatch`, `version_processing`.
pub async fn venue(app: &Data<App>, id_or_slug: String, person: Person, name: String) -> ApiResult<()> {
    let (app, runtime) = (Data::clone(app), tokio::runtime::Handle::current());
    web::block(move || {
        let versions = write(&mut *app.database.get()?, |conn| {
            let row = show::find_held(conn, &id_or_slug)?;
            if row.withdrawn_at.is_none() {
                return Err(not_withdrawn("venue"));
            }
            check_name(&name, &row.name)?;
            let scans: Vec<String> = Scan::of_venues(conn, std::slice::from_ref(&row.id))?.into_iter().map(|scan| scan.id).collect();
            let versions = Version::of_scans(conn, &scans)?;
            for version in &versions {
                check_not_processing(conn, version)?;
            }
            remove::venue(conn, &row, &versions, &person)?;
            Ok(versions)
        })?;
        finish(&app, &runtime, &versions);
        Ok(())
    })
    .await?
}

/// Closes what is open of removed versions and removes the files. Files that cannot be removed now are removed later. Blocks.
pub fn finish(app: &App, runtime: &tokio::runtime::Handle, versions: &[Version]) {
    for version in versions {
        app.archives.forget(&version.scan_id, version.version as u32);
    }
    if let Err(error) = remove::remove_listed(&app.database, &app.storage, runtime) {
        tracing::warn!("files of what was deleted could not be removed: {error:#}");
    }
}

/// Refuses a version that a job works on, and holds it against a job's end.
pub fn check_not_processing(conn: &mut crate::db::Conn, version: &Version) -> ApiResult<()> {
    let held = Version::find_held(conn, &version.scan_id, version.version)?;
    if held.is_some_and(|row| row.state == "processing") {
        return Err(ApiError::new(
            StatusCode::CONFLICT,
            "version_processing",
            format!("version {} of {} is being processed", version.version, version.file_name),
            "Wait until its job has ended.",
        ));
    }
    Ok(())
}

/// Refuses another name than that of what is deleted.
pub fn check_name(typed: &str, name: &str) -> ApiResult<()> {
    if typed.trim() == name {
        return Ok(());
    }
    Err(ApiError::unprocessable("name_mismatch", "the name that was typed is another one", "Type the name exactly as it is shown."))
}

/// The error for the second step without the first.
pub fn not_withdrawn(what: &str) -> ApiError {
    ApiError::new(
        StatusCode::CONFLICT,
        "not_withdrawn",
        format!("the {what} is not withdrawn"),
        "Deleting takes two steps: withdraw it, then purge it.",
    )
}
