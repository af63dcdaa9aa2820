//! `GET /api/openapi.json`: the description of the API, generated from handlers and types.

use std::sync::LazyLock;

use actix_web::HttpResponse;
use parterre_model::catalog;
use utoipa::OpenApi;

use crate::controllers::{configurations, jobs, levels, meta, pictures, scans, tiles, uploads, venues, versions};

/// The description.
#[derive(Debug, OpenApi)]
#[openapi(
    info(
        title = "Parterre",
        description = "Catalogue of 3D scans of venues. Errors are `{\"error\": {code, message, hint}}` with a stable code."
    ),
    paths(
        venues::create::create,
        venues::list::list,
        venues::show::show,
        venues::update::update,
        venues::withdraw::withdraw,
        venues::withdraw::restore,
        venues::purge::purge,
        venues::history::history,
        pictures::create,
        pictures::show,
        pictures::remove,
        levels::list,
        levels::create,
        levels::show,
        levels::update,
        levels::remove,
        configurations::list,
        configurations::create,
        configurations::show,
        configurations::update,
        configurations::remove,
        uploads::create::create,
        scans::show::show,
        scans::picture::picture,
        versions::show::show,
        versions::update::update,
        versions::publication::submit,
        versions::publication::publish,
        versions::publication::withdraw,
        versions::purge::purge,
        versions::compare::compare,
        jobs::show::show,
        jobs::retry::create,
        tiles::show::show,
        tiles::bundle::bundle,
        tiles::file::file,
        tiles::file::image,
        meta::health::health,
        openapi,
    ),
    components(schemas(
        catalog::ErrorBody,
        catalog::Fault,
        catalog::Figures,
        catalog::Job,
        catalog::JobState,
        catalog::Note,
        catalog::Plan,
        catalog::Scan,
        catalog::ScanState,
        catalog::UploadAccepted,
        catalog::Venue,
        catalog::VenueCreated,
        catalog::VenueList,
        catalog::Version,
    ))
)]
pub struct Description;

static JSON: LazyLock<String> = LazyLock::new(|| Description::openapi().to_json().unwrap_or_default());

/// Answers with this description.
#[utoipa::path(get, path = "/api/openapi.json", tag = "service", responses((status = 200, description = "OpenAPI 3.1")))]
pub async fn openapi() -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(JSON.as_str())
}
