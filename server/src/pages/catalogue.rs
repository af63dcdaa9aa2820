//! `/`: every venue, with a search field and a form to add one.

use actix_web::http::header;
use actix_web::web::{Data, Form, Query};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use parterre_model::catalog::{ScanState, Venue};
use serde::Deserialize;

use crate::app::App;
use crate::controllers::venues::create::add;
use crate::controllers::venues::list::{Search, find};
use crate::error::ApiResult;
use crate::pages::render::render;
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
}

struct Card {
    slug: String,
    name: String,
    thumbnail: Option<String>,
    state: &'static str,
    state_text: String,
    facts: String,
}

/// Shows the page.
pub async fn catalogue(app: Data<App>, request: HttpRequest, query: Query<CatalogueQuery>) -> HttpResponse {
    page(&app, query.into_inner()).await.unwrap_or_else(|error| error_page::answer(&request, &error))
}

async fn page(app: &Data<App>, query: CatalogueQuery) -> ApiResult {
    let offset = u64::from(query.page) * PAGE_VENUES;
    let search = Search { q: query.q.clone(), limit: Some(PAGE_VENUES), offset: Some(offset) };
    let found = find(app, search).await?;
    let shown = offset + found.venues.len() as u64;
    render(&CataloguePage {
        query: query.q,
        cards: found.venues.iter().map(card).collect(),
        total: found.total,
        previous: query.page.checked_sub(1),
        next: (shown < found.total).then_some(query.page.saturating_add(1)),
    })
}

fn card(venue: &Venue) -> Card {
    let ready: Vec<_> =
        venue.scans.iter().filter_map(|scan| scan.versions.iter().rfind(|version| version.state == ScanState::Ready)).collect();
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
    let facts = match (scans, points) {
        (0, _) => String::new(),
        (1, 0) => "1 scan".to_owned(),
        (1, _) => format!("1 scan, {}", format::points(points)),
        (_, 0) => format!("{scans} scans"),
        _ => format!("{scans} scans, {}", format::points(points)),
    };
    Card {
        slug: venue.slug.clone(),
        name: venue.name.clone(),
        // The newest one: the latest scan shows the venue as it is now.
        thumbnail: ready.iter().max_by_key(|version| version.created_at.as_str()).and_then(|version| version.thumbnail.clone()),
        state,
        state_text,
        facts,
    }
}

/// Adds a venue and shows its page.
pub async fn create_venue(app: Data<App>, request: HttpRequest, form: Form<VenueForm>) -> HttpResponse {
    match add(&app, form.into_inner().name).await {
        Ok(venue) => HttpResponse::SeeOther().insert_header((header::LOCATION, format!("/venues/{}", venue.slug))).finish(),
        Err(error) => error_page::answer(&request, &error),
    }
}
