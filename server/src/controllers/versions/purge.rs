//! `POST /api/scans/{scan}/versions/{version}/purge`, the second step of deleting a version.

use actix_web::HttpResponse;
use actix_web::web::{self, Data, Json, Path};
use parterre_model::catalog::{ErrorBody, Publication, Purge};

use super::find::find_held;
use crate::access::Access;
use crate::app::App;
use crate::controllers::venues::purge::{check_name, check_not_processing, finish, not_withdrawn};
use crate::db::write;
use crate::error::ApiResult;
use crate::person::Person;
use crate::purge as remove;

/// Removes a withdrawn version, files included; with its last version the scan goes too. This cannot be undone. The number is not used
/// again.
#[utoipa::path(post, path = "/api/scans/{scan}/versions/{version}/purge", tag = "publication",
    params(("scan" = String, Path, description = "Identifier"), ("version" = u32, Path, description = "1, 2, 3…")), request_body = Purge,
    responses(
        (status = 204, description = "Removed"),
        (status = 400, description = "Not JSON", body = ErrorBody),
        (status = 404, description = "No such scan or version", body = ErrorBody),
        (status = 409, description = "The version is not withdrawn, or is being processed", body = ErrorBody),
        (status = 413, description = "Too long", body = ErrorBody),
        (status = 415, description = "Not declared as JSON", body = ErrorBody),
        (status = 422, description = "The name is not that of the scan", body = ErrorBody),
    ))]
pub async fn purge(app: Data<App>, access: Access, path: Path<(String, u32)>, body: Json<Purge>) -> ApiResult {
    let (scan, number) = path.into_inner();
    version(&app, scan, number, access.person, body.into_inner().name).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Removes a withdrawn version. Returns the venue's slug.
///
/// # Errors
/// `scan_not_found`, `version_not_found`, `not_withdrawn`, `name_mismatch`, `version_processing`.
pub async fn version(app: &Data<App>, scan: String, number: u32, person: Person, name: String) -> ApiResult<String> {
    let (app, runtime) = (Data::clone(app), tokio::runtime::Handle::current());
    web::block(move || {
        let found = write(&mut *app.database.get()?, |conn| {
            let found = find_held(conn, &scan, number)?;
            if found.version.publication() != Publication::Withdrawn {
                return Err(not_withdrawn("version"));
            }
            check_name(&name, &found.scan.name)?;
            check_not_processing(conn, &found.version)?;
            remove::version(conn, &found.venue.id, &found.version, &person, Some(&found.scan.name))?;
            Ok(found)
        })?;
        finish(&app, &runtime, std::slice::from_ref(&found.version));
        Ok(found.venue.slug)
    })
    .await?
}
