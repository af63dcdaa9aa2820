//! `/venues/{venue}`: one venue with its scans and their versions, and the upload form.

use std::collections::HashMap;

use actix_web::web::{self, Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use parterre_model::catalog as api;
use parterre_model::catalog::{Event, LevelList, LevelProposal, Publication, ScanState};

use crate::app::App;
use crate::controllers::assets::viewer::{self, WebViewer};
use crate::controllers::levels;
use crate::controllers::venues::show::find;
use crate::error::{ApiError, ApiResult};
use crate::guard;
use crate::models::configurations::Configuration;
use crate::models::jobs::Job;
use crate::models::{catalog, history};
use crate::pages::render::render;
use crate::pages::version_view::{self, VersionView};
use crate::pages::{error_page, format};

/// Events shown.
const EVENTS: i64 = 20;

#[derive(Template)]
#[template(path = "venue.html")]
struct VenuePage {
    venue: api::Venue,
    scans: Vec<ScanView>,
    /// Address of the service, for the desktop viewer's command.
    service: String,
    viewer: WebViewer,
    max_upload: String,
    facts: Vec<(&'static str, String)>,
    stale: Vec<Stale>,
    levels: LevelList,
    next_ordinal: i32,
    /// Proposed levels, with the order that each would get.
    proposed: Vec<(i32, LevelProposal)>,
    configurations: Vec<api::Configuration>,
    events: Vec<Event>,
}

/// A version in use whose re-verify date is past.
struct Stale {
    scan: String,
    version: u32,
    since: String,
    captured_on: Option<String>,
}

struct ScanView {
    id: String,
    name: String,
    newest: VersionView,
    older: Vec<VersionView>,
    /// The published version, where it is not the newest.
    published: Option<u32>,
    /// The ready version before the newest, where that is ready.
    compared_with: Option<u32>,
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
    let (mut jobs, viewer, levels, configurations, events) = {
        let (app, id) = (Data::clone(app), venue.id.clone());
        web::block(move || {
            let mut conn = app.database.get()?;
            let jobs = if open.is_empty() { Vec::new() } else { Job::of_ids(&mut conn, &open)? };
            let jobs: HashMap<String, api::Job> = jobs.iter().map(|job| (job.id.clone(), catalog::job(job))).collect();
            let levels = levels::load(&mut conn, &id)?;
            let configurations = Configuration::of_venue(&mut conn, &id)?.iter().map(Configuration::shown).collect();
            let events = history::of_venue(&mut conn, &id, EVENTS)?;
            Ok::<_, ApiError>((jobs, viewer::state(&app), levels, configurations, events))
        })
        .await??
    };
    let mut scans = Vec::new();
    let mut stale = Vec::new();
    for scan in venue.scans.iter().rev() {
        let used = in_use(scan);
        if let Some(version) = used.filter(|version| version.is_stale) {
            let survey = version.survey.as_ref().map(|survey| survey.fields.clone()).unwrap_or_default();
            stale.push(Stale {
                scan: scan.name.clone(),
                version: version.version,
                since: survey.reverify_on.unwrap_or_default(),
                captured_on: survey.captured_on,
            });
        }
        let published = scan.versions.iter().find(|version| version.publication == Publication::Published);
        let newest = scan.versions.last().filter(|version| version.state == ScanState::Ready).map(|version| version.version);
        let published = published.map(|version| version.version).filter(|number| Some(*number) != scan.versions.last().map(|version| version.version));
        let before = scan.versions.iter().rfind(|version| version.state == ScanState::Ready && Some(version.version) != newest);
        let compared_with = newest.and(before).map(|version| version.version);
        let mut versions = scan.versions.iter().rev().map(|version| version_view::view(version, jobs.remove(&version.job)));
        let Some(newest) = versions.next() else { continue };
        scans.push(ScanView { id: scan.id.clone(), name: scan.name.clone(), newest, older: versions.collect(), published, compared_with });
    }
    let service = format!("http://{}", guard::host(request)?);
    let max_upload = format::bytes(app.config.storage.max_upload_bytes);
    let facts = facts(&venue);
    let next_ordinal = levels.levels.last().and_then(|level| level.fields.ordinal).map_or(0, |highest| highest + 1);
    let proposed = (next_ordinal..).zip(levels.proposed.clone()).collect();
    render(&VenuePage { venue, scans, service, viewer, max_upload, facts, stale, levels, next_ordinal, proposed, configurations, events })
}

/// The version of a scan that people use: the published one, or the newest that is ready and not withdrawn.
pub(super) fn in_use(scan: &api::Scan) -> Option<&api::Version> {
    let published = scan.versions.iter().find(|version| version.publication == Publication::Published);
    published.or_else(|| {
        scan.versions.iter().rfind(|version| version.state == ScanState::Ready && version.publication != Publication::Withdrawn)
    })
}

fn facts(venue: &api::Venue) -> Vec<(&'static str, String)> {
    let fields = &venue.fields;
    let place = [fields.address.clone(), fields.city.clone(), fields.country.clone()].into_iter().flatten().collect::<Vec<_>>().join(", ");
    let all = [
        ("Kind", Some(fields.kind.text().to_owned())),
        ("Address", Some(place).filter(|place| !place.is_empty())),
        ("Position", fields.position.map(|at| format!("{:.5}° N, {:.5}° E", at.lat, at.lon))),
        ("Capacity", fields.capacity.map(|count| format!("{} persons", format::grouped(count.into())))),
        ("Sensitivity", Some(fields.sensitivity.text().to_owned())),
    ];
    let mut facts: Vec<(&'static str, String)> = all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    for contact in &fields.contacts {
        let parts = [&contact.role, &contact.name, &contact.phone, &contact.email, &contact.note];
        facts.push(("Contact", parts.into_iter().flatten().cloned().collect::<Vec<_>>().join(", ")));
    }
    facts
}
