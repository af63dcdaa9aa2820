//! `PUT /api/venues/{venue}/uploads/{file}`: streams a file into the storage and adds it to the catalogue.

use actix_web::http::{StatusCode, header};
use actix_web::web::{self, Data, Path, Payload, Query};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::StreamExt as _;
use parterre_model::catalog::{ErrorBody, UploadAccepted};
use parterre_read::Override;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::access::Access;
use crate::app::App;
use crate::controllers::venues;
use crate::error::{ApiError, ApiResult};
use crate::ingest::{self, Refused, Target};
use crate::jobs::check::CheckError;
use crate::person::Person;
use crate::storage::{Incoming, Stored};
use crate::text;

/// So many bytes of a refused body are still read: a client whose connection is closed while it sends may never see the
/// answer.
const DRAIN_BYTES: u64 = 16 << 20;

/// Values that replace what the file says; kept with the job.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Overrides {
    /// Direction that points up: `x`, `y`, `z`, `-x`, `-y` or `-z`. With `y`, (x, y, z) is taken as (x, -z, y).
    up: Option<String>,
    /// Unit of the coordinates: metre, foot, us-survey-foot, centimetre, millimetre, inch or degree.
    unit: Option<String>,
    /// Coordinate reference system: `EPSG:n` or WKT.
    crs: Option<String>,
}

impl Overrides {
    /// Parses a query; an empty value, as a form sends it, counts as absent. Not an extractor: the body of a refused upload has
    /// to be read.
    fn parse(query: &str) -> ApiResult<Override> {
        let Self { up, unit, crs } = Query::<Self>::from_query(query)
            .map_err(|error| ApiError::new(StatusCode::BAD_REQUEST, "query_invalid", error.to_string(), "Use the names up, unit and crs."))?
            .into_inner();
        let [up, unit, crs] = [up, unit, crs].map(|text| text.filter(|text| !text.trim().is_empty()));
        Override::parse(up.as_deref(), unit.as_deref(), crs.as_deref())
            .map_err(|error| ApiError::new(StatusCode::BAD_REQUEST, error.code(), error.to_string(), error.hint()))
    }
}

/// Stores a file as a new scan of the venue or, if there is one of that file name, as a new version of it.
#[utoipa::path(put, path = "/api/venues/{venue}/uploads/{file}", tag = "uploads",
    params(
        ("venue" = String, Path, description = "Identifier or slug"),
        ("file" = String, Path, description = "Name of the file"),
        Overrides,
    ),
    request_body(content_type = "application/octet-stream", description = "The file as it is"),
    responses(
        (status = 202, description = "Stored; a job makes the tiles", body = UploadAccepted),
        (status = 400, description = "The body is incomplete, or the query has an invalid axis, unit or coordinate system", body = ErrorBody),
        (status = 404, description = "No such venue", body = ErrorBody),
        (status = 408, description = "No data arrived for too long", body = ErrorBody),
        (status = 409, description = "The venue is withdrawn", body = ErrorBody),
        (status = 413, description = "Larger than the service accepts", body = ErrorBody),
        (status = 422, description = "The file cannot be read", body = ErrorBody),
    ))]
pub async fn create(app: Data<App>, access: Access, request: HttpRequest, path: Path<(String, String)>, mut payload: Payload) -> ApiResult {
    let (venue, given_name) = path.into_inner();
    let result = receive(&app, access.person, &request, venue, &given_name, &mut payload).await;
    if result.is_err() {
        drain(&mut payload).await;
    }
    let accepted = result?;
    app.job_signal.notify();
    Ok(HttpResponse::Accepted().insert_header((header::LOCATION, format!("/api/jobs/{}", accepted.job))).json(accepted))
}

async fn receive(
    app: &Data<App>,
    person: Person,
    request: &HttpRequest,
    venue: String,
    given_name: &str,
    payload: &mut Payload,
) -> ApiResult<UploadAccepted> {
    let overrides = Overrides::parse(request.query_string())?;
    let file_name = text::file_name(given_name).map_err(|fault| ApiError::of_fault(StatusCode::UNPROCESSABLE_ENTITY, fault))?;
    let encoded = request.headers().get(header::CONTENT_ENCODING).is_some_and(|value| value.as_bytes() != b"identity");
    if encoded {
        return Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "content_encoding_not_supported",
            "the body is sent with a content encoding",
            "Send the file as it is.",
        ));
    }
    let limit = app.config.storage.max_upload_bytes;
    let announced: Option<u64> =
        request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()).and_then(|text| text.parse().ok());
    if announced.is_some_and(|bytes| bytes > limit) {
        return Err(too_large(limit));
    }
    let venue_id = {
        let app = Data::clone(app);
        web::block(move || {
            venues::show::find_row(&mut *app.database.get()?, &venue).and_then(|row| venues::show::in_use(&row).map(|()| row.id))
        })
        .await??
    };

    let stored = store(app, payload, limit).await?;
    let (app, runtime) = (Data::clone(app), tokio::runtime::Handle::current());
    web::block(move || {
        let target = Target { venue_id: &venue_id, file_name: &file_name, overrides: &overrides, person: &person, lease: None };
        ingest::accept(&app.job_context(runtime), &stored, &target).map_err(|refused| match refused {
            Refused::Check(error) => not_passed(error),
            Refused::VenueGone => venues::show::not_found(&venue_id),
            Refused::VenueWithdrawn => venues::show::withdrawn(),
            Refused::Storage(error) => ApiError::storage(error),
            Refused::Database(error) => ApiError::database(error),
        })
    })
    .await?
}

/// The answer to an upload that did not pass the check.
fn not_passed(error: CheckError) -> ApiError {
    match error {
        CheckError::File(fault) | CheckError::OutOfMemory(fault) => ApiError::of_fault(StatusCode::UNPROCESSABLE_ENTITY, fault),
        CheckError::Killed(fault, cause) => ApiError::of_fault(StatusCode::SERVICE_UNAVAILABLE, fault).with_cause(cause),
        CheckError::Storage(cause) => ApiError::storage(cause),
        CheckError::Internal(cause) => ApiError::internal(cause),
    }
}

async fn store(app: &Data<App>, payload: &mut Payload, limit: u64) -> ApiResult<Stored> {
    let mut incoming = app.storage.begin().await?;
    match fill(app, payload, limit, &mut incoming).await {
        Ok(()) => Ok(incoming.finish().await?),
        Err(error) => {
            incoming.abort().await;
            Err(error)
        }
    }
}

async fn fill(app: &Data<App>, payload: &mut Payload, limit: u64, incoming: &mut Incoming) -> ApiResult<()> {
    loop {
        let piece = tokio::time::timeout(app.config.storage.upload_idle, payload.next()).await.map_err(|_| {
            ApiError::new(StatusCode::REQUEST_TIMEOUT, "upload_stalled", "no data arrived for too long", "Upload the file again.")
        })?;
        let Some(piece) = piece else { break };
        let piece = piece.map_err(|_| {
            ApiError::new(
                StatusCode::BAD_REQUEST,
                "upload_interrupted",
                "the upload ended before the file was complete",
                "Upload the file again.",
            )
        })?;
        if incoming.bytes() + piece.len() as u64 > limit {
            return Err(too_large(limit));
        }
        incoming.write(piece).await?;
    }
    if incoming.bytes() == 0 {
        return Err(ApiError::unprocessable("file_empty", "the file is empty", "Check the file and upload it again."));
    }
    Ok(())
}

fn too_large(limit: u64) -> ApiError {
    ApiError::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "upload_too_large",
        format!("the file is larger than {limit} bytes, the largest size that this service accepts"),
        "Split the scan, or ask the service's operator to raise the limit.",
    )
}

async fn drain(payload: &mut Payload) {
    let mut drained = 0;
    let reading = async {
        while let Some(Ok(piece)) = payload.next().await {
            drained += piece.len() as u64;
            if drained > DRAIN_BYTES {
                break;
            }
        }
    };
    // A slow sender gets the answer without that.
    let _ = tokio::time::timeout(std::time::Duration::from_secs(2), reading).await;
}
