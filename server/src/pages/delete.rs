//! `/venues/{venue}/delete`: the two steps of deleting a venue.

use actix_web::http::header;
use actix_web::web::{Data, Form, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use parterre_model::catalog::{ScanState, Venue};

use crate::access::Access;
use crate::app::App;
use crate::controllers::venues::purge as second;
use crate::controllers::venues::show::find;
use crate::controllers::venues::withdraw::set;
use crate::error::ApiResult;
use crate::etag::Condition;
use crate::pages::form::{self, Values};
use crate::pages::render::render;
use crate::pages::{error_page, format};

#[derive(Template)]
#[template(path = "delete.html")]
struct DeletePage {
    venue: Venue,
    versions: usize,
    bytes: String,
    processing: usize,
}

/// Shows the next step.
pub async fn show(app: Data<App>, request: HttpRequest, path: Path<String>) -> HttpResponse {
    page(&app, path.into_inner()).await.unwrap_or_else(|error| error_page::answer(&request, &error))
}

async fn page(app: &Data<App>, id_or_slug: String) -> ApiResult {
    let venue = find(app, id_or_slug).await?;
    let versions = || venue.scans.iter().flat_map(|scan| &scan.versions);
    let bytes = versions().map(|version| version.bytes + version.bundle_bytes.unwrap_or(0) + version.copc_bytes.unwrap_or(0)).sum();
    let processing = versions().filter(|version| version.state == ScanState::Processing).count();
    render(&DeletePage { versions: versions().count(), bytes: format::bytes(bytes), processing, venue })
}

/// The first step.
pub async fn withdraw(app: Data<App>, access: Access, request: HttpRequest, path: Path<String>, form: Form<Values>) -> HttpResponse {
    let answer = async {
        let condition = Condition::Revisions(vec![form::revision(&form)?]);
        let id = set(&app, path.into_inner(), condition, access.person, true).await?;
        Ok(to(&format!("/venues/{id}/delete")))
    };
    answer.await.unwrap_or_else(|error| error_page::answer(&request, &error))
}

/// Takes the first step back.
pub async fn restore(app: Data<App>, access: Access, request: HttpRequest, path: Path<String>) -> HttpResponse {
    let answer = async {
        let id = set(&app, path.into_inner(), Condition::Any, access.person, false).await?;
        Ok(to(&format!("/venues/{id}")))
    };
    answer.await.unwrap_or_else(|error| error_page::answer(&request, &error))
}

/// The second step.
pub async fn purge(app: Data<App>, access: Access, request: HttpRequest, path: Path<String>, form: Form<Values>) -> HttpResponse {
    let answer = async {
        let name = form.get("name").cloned().unwrap_or_default();
        second::venue(&app, path.into_inner(), access.person, name).await?;
        Ok(to("/"))
    };
    answer.await.unwrap_or_else(|error| error_page::answer(&request, &error))
}

fn to(address: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((header::LOCATION, address)).finish()
}
