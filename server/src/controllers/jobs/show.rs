//! `GET /api/jobs/{job}`.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{self, Data, Path};
use parterre_model::catalog as api;
use parterre_model::catalog::ErrorBody;

use crate::app::App;
use crate::error::{ApiError, ApiResult};
use crate::models::catalog;
use crate::models::jobs::Job;

/// Shows the state of a job.
#[utoipa::path(get, path = "/api/jobs/{job}", tag = "jobs", params(("job" = String, Path, description = "Identifier")), responses(
    (status = 200, description = "The job", body = api::Job),
    (status = 404, description = "No such job", body = ErrorBody),
))]
pub async fn show(app: Data<App>, job: Path<String>) -> ApiResult {
    let id = job.into_inner();
    let job = web::block(move || {
        let mut conn = app.database.get()?;
        Job::find(&mut conn, &id)?.ok_or_else(|| ApiError::not_found("job_not_found", format!("there is no job {id:?}")))
    })
    .await??;
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(catalog::job(&job)))
}
