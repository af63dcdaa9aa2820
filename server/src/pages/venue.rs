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
        let published =
            published.map(|version| version.version).filter(|number| Some(*number) != scan.versions.last().map(|version| version.version));
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
    let proposed = suggested_orders(&levels).into_iter().zip(levels.proposed.clone()).collect();
    render(&VenuePage { venue, scans, service, viewer, max_upload, facts, stale, levels, next_ordinal, proposed, configurations, events })
}

/// The order that each proposed level would get: by its height among the levels that have a name. Where none has, the one with the largest
/// floor is taken for that of the main entrance; people see the number and may change it.
fn suggested_orders(levels: &LevelList) -> Vec<i32> {
    let named = levels.levels.iter().filter_map(|level| Some((level.fields.floor_m?, level.fields.ordinal?)));
    let largest = levels.proposed.iter().max_by(|a, b| a.area_m2.total_cmp(&b.area_m2)).map(|level| (level.floor_m, 0));
    let Some((base, ordinal)) = named.clone().next().or(largest) else { return Vec::new() };
    let floors: Vec<f64> = named.map(|(floor, _)| floor).chain(levels.proposed.iter().map(|level| level.floor_m)).collect();
    let between = |low: f64, high: f64| floors.iter().filter(|floor| **floor > low && **floor <= high).count() as i32;
    let order = |floor: f64| if floor >= base { ordinal + between(base, floor) } else { ordinal - between(floor, base) };
    levels.proposed.iter().map(|level| order(level.floor_m)).collect()
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
        ("Position", fields.position.map(|at| format::position(at.lon, at.lat))),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proposed_levels_are_ordered_by_their_height() {
        let proposal = |floor_m, area_m2| LevelProposal { scan: String::new(), version: 1, level: 1, floor_m, top_m: 9.0, area_m2 };
        let mut levels =
            LevelList { levels: Vec::new(), proposed: vec![proposal(-3.6, 228.0), proposal(0.0, 1311.0), proposal(5.4, 397.0)] };
        assert_eq!(suggested_orders(&levels), [-1, 0, 1]);
        let fields = api::LevelFields { name: "Foyer".into(), ordinal: Some(2), floor_m: Some(5.4), ..api::LevelFields::default() };
        let by = api::Person { id: String::new(), name: String::new() };
        let updated = api::Signature { by, at: String::new() };
        levels.levels.push(api::VenueLevel { id: String::new(), venue: String::new(), fields, revision: 1, updated });
        levels.proposed.pop();
        assert_eq!(suggested_orders(&levels), [0, 1]);
        levels.levels.clear();
        levels.proposed.clear();
        assert!(suggested_orders(&levels).is_empty());
    }
}
