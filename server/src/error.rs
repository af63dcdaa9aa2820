//! The error of HTTP answers: `{"error": {"code", "message", "hint"}}` with a stable code.
//!
//! A 5xx answer shows no internal details; its cause goes to the log once, when the answer is built.

use std::fmt;
use std::path::Path;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use parterre_model::catalog::{ErrorBody, Fault};

/// A `Result` whose error is [`ApiError`].
pub type ApiResult<T = HttpResponse> = Result<T, ApiError>;

/// An error answer.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    fault: Box<Fault>,
    cause: Option<anyhow::Error>,
    header: Option<(HeaderName, HeaderValue)>,
}

impl ApiError {
    /// An error that the caller can correct.
    pub fn new(status: StatusCode, code: &str, message: impl Into<String>, hint: &str) -> Self {
        Self { status, fault: Box::new(Fault::new(code, message, hint)), cause: None, header: None }
    }

    /// 404.
    pub fn not_found(code: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message, "Check the address; GET /api/venues lists what there is.")
    }

    /// 422.
    pub fn unprocessable(code: &str, message: impl Into<String>, hint: &str) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, message, hint)
    }

    /// An error whose code, message and hint are known already.
    pub fn of_fault(status: StatusCode, fault: Fault) -> Self {
        Self { status, fault: Box::new(fault), cause: None, header: None }
    }

    /// 500, with the cause for the log.
    pub fn internal(cause: impl Into<anyhow::Error>) -> Self {
        let mut error = Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "something went wrong in the service",
            "Try again; if it happens again, tell the service's operator the time.",
        );
        error.cause = Some(cause.into());
        error
    }

    /// 503 of the database, with the cause for the log.
    pub fn database(cause: impl Into<anyhow::Error>) -> Self {
        let mut error = Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "database_failed",
            "the catalogue's database could not be used",
            "Try again in a moment; the service's log has the cause.",
        );
        error.cause = Some(cause.into());
        error
    }

    /// 503 of the storage, with the cause for the log.
    pub fn storage(cause: impl Into<anyhow::Error>) -> Self {
        let mut error = Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "storage_failed",
            "the catalogue's storage could not be used",
            "Try again in a moment; the service's log has the cause.",
        );
        error.cause = Some(cause.into());
        error
    }

    /// Adds a cause for the log.
    #[must_use]
    pub fn with_cause(mut self, cause: anyhow::Error) -> Self {
        self.cause = Some(cause);
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some((name, value));
        self
    }

    /// The error of reading an upload called `file_name`.
    pub fn of_file(error: parterre_model::Error, file_name: &str) -> Self {
        match fault_of_file(error, file_name) {
            FileFault::Input(fault) => Self { status: StatusCode::UNPROCESSABLE_ENTITY, fault: Box::new(fault), cause: None, header: None },
            FileFault::Storage(error) => Self::storage(error),
            FileFault::Cancelled(error) | FileFault::Ours(error) => Self::internal(error),
        }
    }

    /// Code, message and hint of the answer.
    pub fn fault(&self) -> &Fault {
        &self.fault
    }
}

/// Cause of an error in reading a stored upload.
#[derive(Debug)]
pub enum FileFault {
    /// The file is invalid. Reported to the person who sent it, under the name that they gave it, not its path in the storage.
    Input(Fault),
    /// The storage failed. Also where the library counts it as bad input: the person who sent the file did not choose the path.
    Storage(parterre_model::Error),
    /// The work was cancelled.
    Cancelled(parterre_model::Error),
    /// A fault in the program.
    Ours(parterre_model::Error),
}

/// Finds the cause of an error in reading an upload called `file_name`.
pub fn fault_of_file(error: parterre_model::Error, file_name: &str) -> FileFault {
    match error {
        parterre_model::Error::Input { code, message, hint, .. } => {
            let renamed = parterre_model::Error::input(code, message, hint).in_file(Path::new(file_name));
            FileFault::Input(Fault::from(&renamed))
        }
        parterre_model::Error::Io { .. } | parterre_model::Error::Storage { .. } => FileFault::Storage(error),
        parterre_model::Error::Cancelled => FileFault::Cancelled(error),
        _ => FileFault::Ours(error),
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.fault.code, self.fault.message)
    }
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        if let Some(cause) = &self.cause {
            tracing::error!(code = self.fault.code, "{cause:#}");
        }
        let mut response = HttpResponse::build(self.status);
        if let Some((name, value)) = &self.header {
            response.insert_header((name.clone(), value.clone()));
        }
        response.insert_header((header::CACHE_CONTROL, "no-store")).json(ErrorBody { error: (*self.fault).clone() })
    }
}

impl From<diesel::result::Error> for ApiError {
    fn from(error: diesel::result::Error) -> Self {
        Self::database(error)
    }
}

impl From<diesel::r2d2::PoolError> for ApiError {
    fn from(error: diesel::r2d2::PoolError) -> Self {
        Self::database(error)
    }
}

impl From<object_store::Error> for ApiError {
    fn from(error: object_store::Error) -> Self {
        Self::storage(error)
    }
}

impl From<std::io::Error> for ApiError {
    fn from(error: std::io::Error) -> Self {
        Self::storage(error)
    }
}

impl From<actix_web::error::BlockingError> for ApiError {
    fn from(error: actix_web::error::BlockingError) -> Self {
        Self::internal(error)
    }
}

impl From<askama::Error> for ApiError {
    fn from(error: askama::Error) -> Self {
        Self::internal(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_do_not_show_where_files_are_stored() {
        use std::io::{Error as IoError, ErrorKind};
        for (action, kind) in [("open", ErrorKind::NotFound), ("open", ErrorKind::PermissionDenied), ("read", ErrorKind::Other)] {
            let error = parterre_model::Error::io(action, "/srv/parterre/objects/x", IoError::from(kind));
            let answer = ApiError::of_file(error, "hall.las");
            assert_eq!((answer.status_code(), answer.fault().code.as_str()), (StatusCode::SERVICE_UNAVAILABLE, "storage_failed"));
            assert!(!answer.fault().message.contains("/srv"), "{answer}");
        }
        let input = parterre_model::Error::input("las_truncated", "it ends early", "Copy it again.").in_file(Path::new("/srv/x"));
        assert_eq!(ApiError::of_file(input, "hall.las").fault().message, "hall.las: it ends early");
    }
}
