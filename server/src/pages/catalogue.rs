//! `/`: every venue, with a search field and a form to add one.

use actix_web::http::header;
use actix_web::web::{Data, Form, Query};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use parterre_model::catalog::{Publication, ScanState, Venue, VenueFields, VenueKind};
use serde::Deserialize;

use crate::access::Access;
use crate::app::App;
use crate::controllers::venues::create::add;
use crate::controllers::venues::list::{ListState, Search, find};
use crate::error::ApiResult;
use crate::pages::render::render;
use crate::pages::venue::in_use;
use crate::pages::{error_page, format};

/// Venues on one page.
const PAGE_VENUES: u64 = 60;

/// Query of the page.
#[derive(Debug, Deserialize)]
pub struct CatalogueQuery {
    #[serde(default)]
    q: String,
    #[serde(default)]
    page: u32,
}

/// The form that adds a venue.
#[derive(Debug, Deserialize)]
pub struct VenueForm {
    name: String,
}

#[derive(Template)]
#[template(path = "catalogue.html")]
struct CataloguePage {
    query: String,
    cards: Vec<Card>,
    total: u64,
    previous: Option<u32>,
    next: Option<u32>,
    /// Venues that wait to be deleted: slug and name.
    withdrawn: Vec<(String, String)>,
}

struct Card {
    slug: String,
    name: String,
    thumbnail: Option<String>,
    local_name: Option<String>,
    state: &'static str,
    state_text: String,
    /// Publication of what there is: `published`, `old`, `draft`, or nothing.
    publication: &'static str,
    facts: String,
}

/// Shows the page.
pub async fn catalogue(app: Data<App>, request: HttpRequest, query: Query<CatalogueQuery>) -> HttpResponse {
    page(&app, query.into_inner()).await.unwrap_or_else(|error| error_page::answer(&request, &error))
}

async fn page(app: &Data<App>, query: CatalogueQuery) -> ApiResult {
    let offset = u64::from(query.page) * PAGE_VENUES;
    let search = Search { q: query.q.clone(), limit: Some(PAGE_VENUES), offset: Some(offset), state: None };
    let found = find(app, search).await?;
    let withdrawn = find(app, Search { state: Some(ListState::Withdrawn), ..Search::default() }).await?;
    let shown = offset + found.venues.len() as u64;
    render(&CataloguePage {
        query: query.q,
        cards: found.venues.iter().map(card).collect(),
        total: found.total,
        previous: query.page.checked_sub(1),
        next: (shown < found.total).then_some(query.page.saturating_add(1)),
        withdrawn: withdrawn.venues.into_iter().map(|venue| (venue.slug, venue.fields.name)).collect(),
    })
}

fn card(venue: &Venue) -> Card {
    let ready: Vec<_> = venue.scans.iter().filter_map(in_use).collect();
    let processing = venue.scans.iter().filter(|scan| scan.state == ScanState::Processing && !scan.versions.is_empty()).count();
    let failed = venue.scans.iter().filter(|scan| scan.state == ScanState::Failed).count();
    let (state, state_text) = match (ready.len(), processing, failed) {
        (_, 1.., _) => ("processing", "Processing".to_owned()),
        (0, 0, 0) => ("empty", "No scan yet".to_owned()),
        (0, 0, _) => ("failed", "Failed".to_owned()),
        _ => ("ready", "Ready".to_owned()),
    };
    let points: u64 = ready.iter().filter_map(|version| version.points).sum();
    let scans = venue.scans.len();
    let scan_facts = match (scans, points) {
        (0, _) => String::new(),
        (1, 0) => "1 scan".to_owned(),
        (1, _) => format!("1 scan, {}", format::points(points)),
        (_, 0) => format!("{scans} scans"),
        _ => format!("{scans} scans, {}", format::points(points)),
    };
    let kind = (venue.fields.kind != VenueKind::Other).then(|| venue.fields.kind.text().to_owned());
    let facts = [kind, venue.fields.city.clone(), Some(scan_facts).filter(|facts| !facts.is_empty())];
    let facts = facts.into_iter().flatten().collect::<Vec<_>>().join(" · ");
    Card {
        slug: venue.slug.clone(),
        name: venue.fields.name.clone(),
        local_name: venue.fields.local_name.clone(),
        // The newest one: the latest scan shows the venue as it is now.
        thumbnail: ready.iter().max_by_key(|version| version.created_at.as_str()).and_then(|version| version.thumbnail.clone()),
        publication: match () {
            () if ready.is_empty() => "",
            () if ready.iter().any(|version| version.is_stale) => "old",
            () if ready.iter().any(|version| version.publication == Publication::Published) => "published",
            () => "draft",
        },
        state,
        state_text,
        facts,
    }
}

/// Adds a venue and shows its page.
pub async fn create_venue(app: Data<App>, access: Access, request: HttpRequest, form: Form<VenueForm>) -> HttpResponse {
    let fields = VenueFields { name: form.into_inner().name, ..VenueFields::default() };
    match add(&app, access.person, fields).await {
        Ok(venue) => HttpResponse::SeeOther().insert_header((header::LOCATION, format!("/venues/{}", venue.slug))).finish(),
        Err(error) => error_page::answer(&request, &error),
    }
}
