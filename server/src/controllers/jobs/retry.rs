//! `POST /api/jobs/{job}/retry`, and the same for the form of the venue page.

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use actix_web::web::{self, Data, Path};
use parterre_model::catalog as api;
use parterre_model::catalog::ErrorBody;

use crate::app::App;
use crate::error::{ApiError, ApiResult};
use crate::jobs::retry::{RetryError, retry};
use crate::models::catalog;

/// Starts a failed job again, with the uploaded file and what was said about it.
#[utoipa::path(post, path = "/api/jobs/{job}/retry", tag = "jobs", params(("job" = String, Path, description = "Identifier")), responses(
    (status = 202, description = "The job, which is in the queue again", body = api::Job),
    (status = 404, description = "No such job", body = ErrorBody),
    (status = 409, description = "The job has not failed, or its file is gone", body = ErrorBody),
))]
pub async fn create(app: Data<App>, job: Path<String>) -> ApiResult {
    let job = start(app, job.into_inner()).await?;
    let address = format!("/api/jobs/{}", job.id);
    Ok(HttpResponse::Accepted().insert_header((header::LOCATION, address)).insert_header((header::CACHE_CONTROL, "no-store")).json(job))
}

/// Starts a failed job again.
///
/// # Errors
/// `job_not_found`, `job_not_failed`, `upload_missing`.
pub async fn start(app: Data<App>, id: String) -> ApiResult<api::Job> {
    let job = web::block({
        let app = Data::clone(&app);
        move || retry(&app.database, &app.storage, &id, None)
    })
    .await??;
    app.job_signal.notify();
    Ok(catalog::job(&job))
}

impl From<RetryError> for ApiError {
    fn from(error: RetryError) -> Self {
        let message = error.to_string();
        match error {
            RetryError::NotFound(_) => Self::not_found("job_not_found", message),
            RetryError::NotFailed(_) => Self::new(
                StatusCode::CONFLICT,
                "job_not_failed",
                message,
                "Only failed jobs can be tried again; GET /api/jobs/{id} says where this one stands.",
            ),
            RetryError::UploadMissing => Self::new(StatusCode::CONFLICT, "upload_missing", message, "Upload the file again."),
            RetryError::Catalogue(error) => Self::database(error),
        }
    }
}
