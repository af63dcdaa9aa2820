//! `/view/{scan}/{version}`: the page of the web viewer.

use actix_web::web::{self, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use parterre_model::catalog;
use parterre_model::catalog::{Publication, SurveyFields};

use crate::app::App;
use crate::controllers::assets::viewer::{self, WebViewer};
use crate::controllers::tiles::find;
use crate::error::{ApiError, ApiResult};
use crate::fields;
use crate::models::scans::Scan;
use crate::models::surveys::Survey;
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
    /// What to know before relying on it: that it is old, withdrawn or not published.
    notice: Option<String>,
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
    let (venue, scan, notice, viewer) = web::block(move || {
        let shown = find::ready_version(&app, &scan, version)?;
        let mut conn = app.database.get()?;
        let missing = || ApiError::not_found("scan_not_found", format!("there is no scan {scan:?}"));
        let row = Scan::find(&mut conn, &scan)?.ok_or_else(missing)?;
        let venue = Venue::find(&mut conn, &row.venue_id)?.ok_or_else(missing)?;
        let survey = Survey::find(&mut conn, &row.id, shown.version)?.map(|survey| survey.fields());
        let notice = notice(shown.publication(), survey.as_ref(), &fields::today());
        Ok::<_, ApiError>((venue, row, notice, viewer::state(&app)))
    })
    .await??;
    match viewer {
        WebViewer::Ready(program) => render(&ViewPage { venue, scan_name: scan.name, version, tileset, notice, program }),
        viewer => render(&WaitingPage { venue, viewer }),
    }
}

fn notice(publication: Publication, survey: Option<&SurveyFields>, today: &str) -> Option<String> {
    match publication {
        Publication::Withdrawn => return Some("This version is withdrawn: do not rely on it.".to_owned()),
        Publication::Superseded => return Some("A newer version of this scan is published.".to_owned()),
        Publication::Draft | Publication::InReview | Publication::Published => {}
    }
    let day = survey.and_then(|survey| survey.reverify_on.as_deref()).filter(|day| *day < today)?;
    let captured = survey.and_then(|survey| survey.captured_on.as_deref()).map(|day| format!("captured on {day}, ")).unwrap_or_default();
    Some(format!("This scan is old: {captured}to be compared with the venue by {day}."))
}
