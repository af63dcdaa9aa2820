//! `/scans/{scan}/{version}/survey`: how a version was captured.

use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Form, Path};
use actix_web::{HttpRequest, HttpResponse};
use parterre_model::catalog::{Publication, SurveyFields};

use crate::access::Access;
use crate::app::App;
use crate::controllers::versions::find::{Found, find};
use crate::controllers::versions::update::change;
use crate::db::{Conn, write};
use crate::edit;
use crate::error::{ApiError, ApiResult};
use crate::etag::Condition;
use crate::models::history::{self, Subject};
use crate::models::surveys::Survey;
use crate::pages::error_page;
use crate::pages::form::{self, FormPage, Group, Input, Outcome, Values, given, number};
use crate::person::Person;

/// Shows the form.
pub async fn show(app: Data<App>, request: HttpRequest, path: Path<(String, u32)>) -> HttpResponse {
    let answer = async {
        let (found, current, revision) = web::block(move || load(&mut *app.database.get()?, &path.0, path.1)).await??;
        page(&found, revision, &values(&current)).answer(StatusCode::OK)
    };
    answer.await.unwrap_or_else(|error| error_page::answer(&request, &error))
}

/// Saves the form, or shows it again.
pub async fn save(app: Data<App>, access: Access, request: HttpRequest, path: Path<(String, u32)>, form: Form<Values>) -> HttpResponse {
    let answer = web::block(move || try_save(&app, &access.person, &path.0, path.1, &form)).await;
    answer.map_err(ApiError::from).flatten().and_then(Outcome::answer).unwrap_or_else(|error| error_page::answer(&request, &error))
}

fn load(conn: &mut Conn, scan: &str, number: u32) -> ApiResult<(Found, SurveyFields, i32)> {
    let found = find(conn, scan, number)?;
    let row = Survey::find(conn, &found.scan.id, found.version.version)?;
    Ok((found, row.as_ref().map_or_else(SurveyFields::default, Survey::fields), row.map_or(0, |row| row.revision)))
}

fn try_save(app: &App, person: &Person, scan: &str, number: u32, values_sent: &Values) -> ApiResult<Outcome> {
    let began = form::revision(values_sent)?;
    let mut conn = app.database.get()?;
    let (found, before, _) = load(&mut conn, scan, number)?;
    let saved = fields(values_sent, &before, is_open(&found)).and_then(|mine| {
        let condition = Condition::Revisions(vec![began]);
        match write(&mut conn, |conn| change(conn, scan, number, &condition, person, |_| Ok(mine.clone()))) {
            Err(error) if error.fault().code == "precondition_failed" => Ok(Err(mine)),
            other => other.map(Ok),
        }
    });
    let (found, current, revision) = load(&mut conn, scan, number)?;
    match saved {
        Ok(Ok(_)) => Ok(Outcome::Saved(format!("/scans/{scan}/{number}"))),
        Ok(Err(mine)) => {
            let id = history::version_id(&found.scan.id, found.version.version);
            let (since, others) = history::since(&mut conn, Subject::Survey, &id, began)?;
            let joined = edit::join(&current, &since, &mine);
            Ok(page(&found, revision, &values(&joined.fields)).with_conflicts(others, &joined.conflicts).outdated())
        }
        Err(error) if form::is_correctable(&error) => Ok(page(&found, began, values_sent).refused(error.fault())),
        Err(error) => Err(error),
    }
}

/// Whether more than the re-verify date can be changed.
fn is_open(found: &Found) -> bool {
    matches!(found.version.publication(), Publication::Draft | Publication::Withdrawn)
}

fn values(fields: &SurveyFields) -> Values {
    form::values([
        ("captured_on", fields.captured_on.clone()),
        ("captured_by", fields.captured_by.clone()),
        ("instrument", fields.instrument.clone()),
        ("method", fields.method.clone()),
        ("accuracy_m", fields.accuracy_m.map(|metres| metres.to_string())),
        ("coverage", fields.coverage.clone()),
        ("reverify_on", fields.reverify_on.clone()),
        ("notes", fields.notes.clone()),
    ])
}

fn fields(values: &Values, before: &SurveyFields, is_open: bool) -> ApiResult<SurveyFields> {
    let reverify_on = given(values, "reverify_on");
    // A browser does not send inputs that are turned off.
    if !is_open {
        return edit::check(SurveyFields { reverify_on, ..before.clone() });
    }
    edit::check(SurveyFields {
        captured_on: given(values, "captured_on"),
        captured_by: given(values, "captured_by"),
        instrument: given(values, "instrument"),
        method: given(values, "method"),
        accuracy_m: number(values, "accuracy_m")?,
        coverage: given(values, "coverage"),
        reverify_on,
        notes: given(values, "notes"),
    })
}

fn page(found: &Found, revision: i32, values: &Values) -> FormPage {
    let fixed = !is_open(found);
    let input = |kind, name: &str, label| Input::new(kind, name, label, values).disabled(fixed);
    let groups = vec![
        Group::new(
            if fixed { "Capture: fixed, since the version is not a draft" } else { "Capture" },
            vec![
                input("date", "captured_on", "Captured on"),
                input("text", "captured_by", "Captured by").hint("Person or company."),
                input("text", "instrument", "Instrument"),
                input("text", "method", "Method").hint("Such as “terrestrial, 42 setups”."),
                input("number", "accuracy_m", "Stated accuracy, m").step("any"),
                input("area", "coverage", "Coverage").hint("What was captured, and what was not."),
                input("area", "notes", "Notes"),
            ],
        ),
        Group::new(
            "Age",
            vec![
                Input::new("date", "reverify_on", "Compare with the venue again by", values)
                    .hint("After this day every page says that the scan is old."),
            ],
        ),
    ];
    let (scan, number) = (&found.scan, found.version.version);
    FormPage {
        title: "How it was captured".to_owned(),
        back: (format!("/scans/{}/{number}", scan.id), format!("{}, version {number}", scan.name)),
        action: format!("/scans/{}/{number}/survey", scan.id),
        revision,
        groups,
        button: "Save",
        ..FormPage::default()
    }
}
