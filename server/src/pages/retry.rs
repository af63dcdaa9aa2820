//! `POST /jobs/{job}/retry`: the button "Try again" of the venue page, for browsers without JavaScript.

use actix_web::http::header;
use actix_web::web::{self, Data, Path};
use actix_web::{HttpRequest, HttpResponse};

use crate::app::App;
use crate::controllers::jobs::retry::start;
use crate::error::{ApiError, ApiResult};
use crate::models::scans::Scan;
use crate::models::venues::Venue;
use crate::models::versions::Version;
use crate::pages::error_page;

/// Starts a failed job again and shows its venue. A job that somebody else has started meanwhile is no error: the page shows where it
/// stands.
pub async fn retry(app: Data<App>, request: HttpRequest, path: Path<String>) -> HttpResponse {
    let job = path.into_inner();
    let started = match start(Data::clone(&app), job.clone()).await {
        Err(error) if error.fault().code == "job_not_failed" => Ok(()),
        result => result.map(drop),
    };
    let shown = match started {
        Ok(()) => venue_address(app, job).await,
        Err(error) => Err(error),
    };
    match shown {
        Ok(address) => HttpResponse::SeeOther().insert_header((header::LOCATION, address)).finish(),
        Err(error) => error_page::answer(&request, &error),
    }
}

async fn venue_address(app: Data<App>, job: String) -> ApiResult<String> {
    web::block(move || {
        let mut conn = app.database.get()?;
        let missing = || ApiError::not_found("job_not_found", format!("there is no job {job:?}"));
        let version = Version::of_job(&mut conn, &job)?.ok_or_else(missing)?;
        let scan = Scan::find(&mut conn, &version.scan_id)?.ok_or_else(missing)?;
        let venue = Venue::find(&mut conn, &scan.venue_id)?.ok_or_else(missing)?;
        Ok(format!("/venues/{}", venue.slug))
    })
    .await?
}
