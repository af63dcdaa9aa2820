//! Answers with a file on disk: `actix-files` handles ranges and conditions, this file turns its errors into the service's.

use actix_files::NamedFile;
use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse};

use crate::error::{ApiError, ApiResult};

/// The file or the part that was asked for: 200, 206 or 304.
///
/// # Errors
/// `range_not_satisfiable` with `Content-Range`, `precondition_failed`, `range_invalid`.
pub fn answer(file: NamedFile, request: &HttpRequest) -> ApiResult {
    let response: HttpResponse = file.into_response(request);
    let status = response.status();
    if status.as_u16() < 400 {
        return Ok(response);
    }
    let error = match status {
        StatusCode::RANGE_NOT_SATISFIABLE => ApiError::new(
            status,
            "range_not_satisfiable",
            "the range lies outside the file",
            "The header Content-Range has the length of the file.",
        ),
        StatusCode::PRECONDITION_FAILED => ApiError::new(
            status,
            "precondition_failed",
            "the file is not the version that the request asks for",
            "Ask for it again without the condition.",
        ),
        StatusCode::BAD_REQUEST => {
            ApiError::new(status, "range_invalid", "the header Range cannot be read", "Send bytes=FIRST-LAST, or no Range.")
        }
        other => return Err(ApiError::internal(anyhow::anyhow!("a file was answered with {other}"))),
    };
    Err(match response.headers().get(header::CONTENT_RANGE) {
        Some(value) => error.with_header(header::CONTENT_RANGE, value.clone()),
        None => error,
    })
}
