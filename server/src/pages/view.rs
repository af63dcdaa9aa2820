//! `/view/{scan}/{version}`: the page of the web viewer.

use actix_web::web::{self, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use parterre_model::catalog;

use crate::app::App;
use crate::controllers::assets::viewer::{self, WebViewer};
use crate::controllers::tiles::find;
use crate::error::{ApiError, ApiResult};
use crate::models::scans::Scan;
use crate::models::venues::Venue;
use crate::pages::error_page;
use crate::pages::render::render;

#[derive(Template)]
#[template(path = "view.html")]
struct ViewPage {
    venue: Venue,
    scan_name: String,
    version: u32,
    tileset: String,
    /// Where the web viewer's files are, with a slash at the end.
    program: String,
}

#[derive(Template)]
#[template(path = "waiting.html")]
struct WaitingPage {
    venue: Venue,
    viewer: WebViewer,
}

/// Shows the page.
pub async fn view(app: Data<App>, request: HttpRequest, path: Path<(String, u32)>) -> HttpResponse {
    let (scan, version) = path.into_inner();
    page(app, scan, version).await.unwrap_or_else(|error| error_page::answer(&request, &error))
}

async fn page(app: Data<App>, scan: String, version: u32) -> ApiResult {
    let tileset = catalog::tileset_path(&scan, version);
    let (venue, scan, viewer) = web::block(move || {
        find::ready_version(&app, &scan, version)?;
        let mut conn = app.database.get()?;
        let missing = || ApiError::not_found("scan_not_found", format!("there is no scan {scan:?}"));
        let row = Scan::find(&mut conn, &scan)?.ok_or_else(missing)?;
        let venue = Venue::find(&mut conn, &row.venue_id)?.ok_or_else(missing)?;
        Ok::<_, ApiError>((venue, row, viewer::state(&app)))
    })
    .await??;
    match viewer {
        WebViewer::Ready(program) => render(&ViewPage { venue, scan_name: scan.name, version, tileset, program }),
        viewer => render(&WaitingPage { venue, viewer }),
    }
}
