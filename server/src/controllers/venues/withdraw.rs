//! `DELETE /api/venues/{venue}`, the first step of deleting, and `POST /api/venues/{venue}/restore`, which takes it back.

use actix_web::HttpRequest;
use actix_web::web::{self, Data, Path};
use parterre_model::catalog as api;
use parterre_model::catalog::ErrorBody;

use super::show;
use crate::access::Access;
use crate::app::App;
use crate::db::write;
use crate::error::ApiResult;
use crate::etag::{self, Condition};
use crate::models::history::{self, Record, Subject};
use crate::models::venues::Venue;
use crate::person::Person;

/// Takes a venue out of the lists. Nothing is removed yet; see purge.
#[utoipa::path(delete, path = "/api/venues/{venue}", tag = "venues",
    params(
        ("venue" = String, Path, description = "Identifier or slug"),
        ("If-Match" = String, Header, description = "ETag of the last GET, or *"),
    ),
    responses(
        (status = 200, description = "The withdrawn venue", body = api::Venue),
        (status = 404, description = "No such venue", body = ErrorBody),
        (status = 412, description = "Somebody else has changed it meanwhile", body = ErrorBody),
        (status = 428, description = "Without If-Match", body = ErrorBody),
    ))]
pub async fn withdraw(app: Data<App>, access: Access, request: HttpRequest, path: Path<String>) -> ApiResult {
    let condition = Condition::of(&request)?;
    let id = set(&app, path.into_inner(), condition, access.person, true).await?;
    show::answer(&app, &request, id).await
}

/// Puts a withdrawn venue back into the lists.
#[utoipa::path(post, path = "/api/venues/{venue}/restore", tag = "venues",
    params(("venue" = String, Path, description = "Identifier or slug")),
    responses(
        (status = 200, description = "The venue", body = api::Venue),
        (status = 404, description = "No such venue", body = ErrorBody),
    ))]
pub async fn restore(app: Data<App>, access: Access, request: HttpRequest, path: Path<String>) -> ApiResult {
    let id = set(&app, path.into_inner(), Condition::Any, access.person, false).await?;
    show::answer(&app, &request, id).await
}

/// Withdraws or restores a venue; one that is so already stays as it is. Returns its identifier.
pub async fn set(app: &Data<App>, id_or_slug: String, condition: Condition, person: Person, withdrawn: bool) -> ApiResult<String> {
    let app = Data::clone(app);
    web::block(move || {
        write(&mut *app.database.get()?, |conn| {
            let row = show::find_held(conn, &id_or_slug)?;
            condition.check(row.revision)?;
            if row.withdrawn_at.is_some() == withdrawn {
                return Ok(row.id);
            }
            if !Venue::withdraw(conn, &row.id, row.revision, withdrawn.then_some(&person))? {
                return Err(etag::changed(row.revision));
            }
            let record = Record {
                venue_id: &row.id,
                subject: Subject::Venue,
                subject_id: &row.id,
                revision: Some(row.revision + 1),
                action: if withdrawn { "withdrawn" } else { "restored" },
                changes: None,
                note: None,
            };
            history::record(conn, &person, &record)?;
            Ok(row.id)
        })
    })
    .await?
}
