//! `/scans/{scan}/{version}`: one version of a scan: its pictures and facts, and its way to being published.

use actix_web::http::{StatusCode, header};
use actix_web::web::{self, Data, Form, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use parterre_model::catalog as api;
use parterre_model::catalog::{Event, Publication, PublicationAction, ScanState};
use parterre_model::frame::UnitSource;

use crate::access::Access;
use crate::app::App;
use crate::controllers::assets::viewer::{self, WebViewer};
use crate::controllers::venues::show;
use crate::controllers::versions::publication::act;
use crate::controllers::versions::purge as second;
use crate::error::{ApiError, ApiResult};
use crate::guard;
use crate::models::catalog;
use crate::models::history::{self, Subject};
use crate::models::jobs::Job;
use crate::pages::form::Values;
use crate::pages::render::render;
use crate::pages::version_view::{self, VersionView};
use crate::pages::{error_page, format};

/// Events shown.
const EVENTS: i64 = 50;

/// What a review looks at: name of the check box, text, and the word that the history keeps.
const CHECKS: [(&str, &str, &str); 4] = [
    ("pictures", "I have looked at the pictures or walked through the scan.", "pictures"),
    ("report", "I have read the warnings and the report.", "report"),
    ("coverage", "It covers what people will rely on; what is missing is said under “Coverage”.", "coverage"),
    ("people", "No people can be seen in it.", "no people"),
];
/// The check of a unit that was only assumed.
const UNIT_CHECK: (&str, &str, &str) =
    ("unit", "The file does not say its unit. I have compared the size with the venue, and metres are right.", "unit");

#[derive(Template)]
#[template(path = "version_page.html")]
struct VersionPage {
    venue: api::Venue,
    scan: api::Scan,
    shown: VersionView,
    service: String,
    viewer: WebViewer,
    checks: Vec<(&'static str, &'static str)>,
    survey: Vec<(&'static str, String)>,
    events: Vec<Event>,
    /// Other versions that it can be compared with, the published one first.
    others: Vec<u32>,
    can_submit: bool,
    can_publish: bool,
    can_withdraw: bool,
}

/// Shows the page.
pub async fn show(app: Data<App>, request: HttpRequest, path: Path<(String, u32)>) -> HttpResponse {
    let (scan, number) = path.into_inner();
    page(&app, &request, scan, number).await.unwrap_or_else(|error| error_page::answer(&request, &error))
}

async fn page(app: &Data<App>, request: &HttpRequest, scan: String, number: u32) -> ApiResult {
    let scan = crate::controllers::scans::show::find(app, scan).await?;
    let venue = show::find(app, scan.venue.clone()).await?;
    let missing = || ApiError::not_found("version_not_found", format!("scan {:?} has no version {number}", scan.id));
    let version = scan.versions.iter().find(|version| version.version == number).cloned().ok_or_else(missing)?;
    let (job, events, viewer) = {
        let (app, job, id) = (Data::clone(app), version.job.clone(), history::version_id(&scan.id, number as i32));
        web::block(move || {
            let mut conn = app.database.get()?;
            let mut events = history::of_subject(&mut conn, Subject::Version, &id, EVENTS)?;
            events.extend(history::of_subject(&mut conn, Subject::Survey, &id, EVENTS)?);
            events.sort_by(|a, b| b.at.cmp(&a.at));
            Ok::<_, ApiError>((Job::find(&mut conn, &job)?, events, viewer::state(&app)))
        })
        .await??
    };
    let ready = version.state == ScanState::Ready && venue.withdrawn.is_none();
    let may = |action| version.publication.after(action).is_some();
    let mut others: Vec<&api::Version> =
        scan.versions.iter().filter(|other| other.version != number && other.state == ScanState::Ready).collect();
    others.sort_by_key(|other| (other.publication != Publication::Published, std::cmp::Reverse(other.version)));
    let others = others.into_iter().map(|other| other.version).collect();
    let page = VersionPage {
        service: format!("http://{}", guard::host(request)?),
        viewer,
        checks: checks(&version).map(|(name, text, _)| (name, text)).collect(),
        survey: survey(&version),
        events,
        others,
        can_submit: ready && may(PublicationAction::Submit),
        can_publish: ready && may(PublicationAction::Publish),
        can_withdraw: venue.withdrawn.is_none() && may(PublicationAction::Withdraw),
        shown: version_view::view(&version, job.as_ref().filter(|_| version.state != ScanState::Ready).map(catalog::job)),
        venue,
        scan,
    };
    render(&page)
}

fn checks(version: &api::Version) -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    let is_assumed = version.frame.as_ref().is_some_and(|frame| frame.unit_source == UnitSource::Assumed);
    CHECKS.into_iter().chain(is_assumed.then_some(UNIT_CHECK))
}

fn survey(version: &api::Version) -> Vec<(&'static str, String)> {
    let fields = version.survey.as_ref().map(|survey| survey.fields.clone()).unwrap_or_default();
    let all = [
        ("Captured on", fields.captured_on),
        ("Captured by", fields.captured_by),
        ("Instrument", fields.instrument),
        ("Method", fields.method),
        ("Accuracy", fields.accuracy_m.map(|metres| format!("{}, stated", format::length(metres)))),
        ("Coverage", fields.coverage),
        ("Compare again by", fields.reverify_on),
        ("Notes", fields.notes),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// Asks for a review.
pub async fn submit(app: Data<App>, access: Access, request: HttpRequest, path: Path<(String, u32)>, form: Form<Values>) -> HttpResponse {
    perform(&app, access, &request, path, PublicationAction::Submit, form.get("note").cloned()).await
}

/// Ends a review. All of its check boxes are needed; the history keeps them.
pub async fn publish(app: Data<App>, access: Access, request: HttpRequest, path: Path<(String, u32)>, form: Form<Values>) -> HttpResponse {
    let found = crate::controllers::versions::show::find(&app, path.0.clone(), path.1).await;
    let note = found.and_then(|version| {
        let mut done = Vec::new();
        for (name, text, word) in checks(&version) {
            if !form.contains_key(&format!("checked-{name}")) {
                return Err(ApiError::new(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "review_incomplete",
                    format!("the review is not complete: “{text}”"),
                    "Go back, do what the list asks for, and tick it.",
                ));
            }
            done.push(word);
        }
        let given = form.get("note").map(|note| note.trim()).filter(|note| !note.is_empty());
        Ok(format!("Checked: {}.{}", done.join(", "), given.map(|note| format!(" {note}")).unwrap_or_default()))
    });
    match note {
        Ok(note) => perform(&app, access, &request, path, PublicationAction::Publish, Some(note)).await,
        Err(error) => error_page::answer(&request, &error),
    }
}

/// Takes a version out of use.
pub async fn withdraw(app: Data<App>, access: Access, request: HttpRequest, path: Path<(String, u32)>, form: Form<Values>) -> HttpResponse {
    perform(&app, access, &request, path, PublicationAction::Withdraw, form.get("note").cloned()).await
}

async fn perform(
    app: &Data<App>,
    access: Access,
    request: &HttpRequest,
    path: Path<(String, u32)>,
    action: PublicationAction,
    note: Option<String>,
) -> HttpResponse {
    let (scan, number) = path.into_inner();
    match act(app, access.person, scan.clone(), number, action, note).await {
        Ok(_) => HttpResponse::SeeOther().insert_header((header::LOCATION, format!("/scans/{scan}/{number}"))).finish(),
        Err(error) => error_page::answer(request, &error),
    }
}

/// Removes a withdrawn version.
pub async fn purge(app: Data<App>, access: Access, request: HttpRequest, path: Path<(String, u32)>, form: Form<Values>) -> HttpResponse {
    let (scan, number) = path.into_inner();
    let name = form.get("name").cloned().unwrap_or_default();
    match second::version(&app, scan, number, access.person, name).await {
        Ok(slug) => HttpResponse::SeeOther().insert_header((header::LOCATION, format!("/venues/{slug}"))).finish(),
        Err(error) => error_page::answer(&request, &error),
    }
}
