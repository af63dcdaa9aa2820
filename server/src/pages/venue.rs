//! `/venues/{venue}`: one venue with its scans and their versions, and the upload form.

use std::collections::HashMap;

use actix_web::web::{self, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use parterre_model::catalog as api;
use parterre_model::catalog::{Fault, JobState, ScanState};
use parterre_model::frame::{Unit, UnitSource};

use crate::app::App;
use crate::controllers::assets::viewer::{self, WebViewer};
use crate::controllers::venues::show::find;
use crate::error::{ApiError, ApiResult};
use crate::guard;
use crate::models::catalog;
use crate::models::jobs::Job;
use crate::pages::render::render;
use crate::pages::{error_page, format};

#[derive(Template)]
#[template(path = "venue.html")]
struct VenuePage {
    venue: api::Venue,
    scans: Vec<ScanView>,
    /// Address of the service, for the desktop viewer's command.
    service: String,
    viewer: WebViewer,
    max_upload: String,
}

struct ScanView {
    name: String,
    newest: VersionView,
    older: Vec<VersionView>,
}

struct VersionView {
    version: api::Version,
    plans: Vec<PlanView>,
    facts: Vec<(&'static str, String)>,
    job: Option<api::Job>,
    fault: Option<Fault>,
}

struct PlanView {
    url: String,
    name: String,
    facts: String,
}

impl VersionView {
    fn is_ready(&self) -> bool {
        self.version.state == ScanState::Ready
    }

    fn is_processing(&self) -> bool {
        self.version.state == ScanState::Processing
    }

    fn percent(&self) -> u32 {
        self.job.as_ref().map_or(0, |job| (job.progress * 100.0) as u32)
    }

    fn stage(&self) -> &str {
        self.job.as_ref().map_or("queued", |job| &job.stage)
    }

    fn short_sha256(&self) -> &str {
        self.version.sha256.get(..12).unwrap_or_default()
    }
}

/// Shows the page.
pub async fn venue(app: Data<App>, request: HttpRequest, path: Path<String>) -> HttpResponse {
    page(&app, &request, path.into_inner()).await.unwrap_or_else(|error| error_page::answer(&request, &error))
}

async fn page(app: &Data<App>, request: &HttpRequest, id_or_slug: String) -> ApiResult {
    let venue = find(app, id_or_slug).await?;
    let open: Vec<String> = venue
        .scans
        .iter()
        .flat_map(|scan| &scan.versions)
        .filter(|version| version.state != ScanState::Ready)
        .map(|version| version.job.clone())
        .collect();
    let (mut jobs, viewer) = {
        let app = Data::clone(app);
        web::block(move || {
            let jobs = if open.is_empty() { Vec::new() } else { Job::of_ids(&mut *app.database.get()?, &open)? };
            let jobs: HashMap<String, api::Job> = jobs.iter().map(|job| (job.id.clone(), catalog::job(job))).collect();
            Ok::<_, ApiError>((jobs, viewer::state(&app)))
        })
        .await??
    };
    let mut scans = Vec::new();
    for scan in venue.scans.iter().rev() {
        let mut versions = scan.versions.iter().rev().map(|version| view(version, &mut jobs));
        let Some(newest) = versions.next() else { continue };
        scans.push(ScanView { name: scan.name.clone(), newest, older: versions.collect() });
    }
    let service = format!("http://{}", guard::host(request)?);
    let max_upload = format::bytes(app.config.storage.max_upload_bytes);
    render(&VenuePage { venue, scans, service, viewer, max_upload })
}

fn view(version: &api::Version, jobs: &mut HashMap<String, api::Job>) -> VersionView {
    let job = jobs.remove(&version.job);
    let fault = job.as_ref().filter(|job| job.state == JobState::Failed).and_then(|job| job.error.clone());
    let mut facts = Vec::new();
    if let Some(points) = version.points {
        facts.push(("Points", format::grouped(points)));
    }
    if let Some(bounds) = &version.bounds {
        facts.push(("Size", format::size(bounds)));
    }
    if let Some(figures) = &version.figures {
        facts.push(("Area", format!("{} m² seen from above", format::grouped(figures.coverage_m2.round() as u64))));
        if let Some(spacing) = figures.point_spacing_m {
            facts.push(("Spacing", format!("{} between points, median", format::length(spacing))));
        }
        if let Some(noise) = figures.noise_m {
            facts.push(("Noise", format!("{} from the surface, median", format::length(noise))));
        }
    }
    if let Some(frame) = &version.frame {
        let unit = match frame.unit {
            Unit::Metre => "metres",
            Unit::Foot => "feet",
            Unit::UsSurveyFoot => "US survey feet",
            Unit::Centimetre => "centimetres",
            Unit::Millimetre => "millimetres",
            Unit::Inch => "inches",
            Unit::Degree => "degrees",
        };
        let unit = match frame.unit_source {
            UnitSource::File => format!("{unit}, from the file"),
            UnitSource::User => format!("{unit}, set at upload"),
            UnitSource::Assumed => format!("assumed: {unit}"),
        };
        facts.push(("Unit", unit));
        facts.push(("Coordinates", crs_name(frame.crs.as_deref())));
    }
    facts.push(("File", format!("{}, {}", version.file_name, format::bytes(version.bytes))));
    facts.push(("Uploaded", format::time(&version.created_at)));
    let plan = |plan: &api::Plan| PlanView {
        url: plan.url.clone(),
        name: if version.plans.len() > 1 { format!("Level {} of {}", plan.level, version.plans.len()) } else { "From above".to_owned() },
        facts: format!("floor at {} m, {} m²", format::height(plan.floor_m), format::grouped(plan.area_m2.round() as u64)),
    };
    VersionView { version: version.clone(), plans: version.plans.iter().map(plan).collect(), facts, job, fault }
}

/// `EPSG:n` unchanged, or the name in a WKT.
fn crs_name(crs: Option<&str>) -> String {
    match crs {
        None => "local, no coordinate system given".to_owned(),
        Some(wkt) if wkt.contains('[') => wkt.split('"').nth(1).unwrap_or("given as WKT").to_owned(),
        Some(code) => code.to_owned(),
    }
}
