//! `/scans/{scan}/{version}/survey`: how a version was captured.

use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Form, Path};
use actix_web::{HttpRequest, HttpResponse};
use parterre_model::catalog::SurveyFields;

use crate::access::Access;
use crate::app::App;
use crate::controllers::versions::find::{Found, find};
use crate::controllers::versions::update::change;
use crate::db::Conn;
use crate::edit;
use crate::error::{ApiError, ApiResult};
use crate::etag::Condition;
use crate::models::history::{self, Subject};
use crate::models::surveys::Survey;
use crate::pages::error_page;
use crate::pages::form::{self, Edited, FormPage, Group, Input, Outcome, Values, given, number};
use crate::person::Person;

/// Shows the form.
pub async fn show(app: Data<App>, request: HttpRequest, path: Path<(String, u32)>) -> HttpResponse {
    let answer = async {
        let shown = web::block(move || load(&mut *app.database.get()?, &path.0, path.1)).await??;
        shown.own_page().answer(StatusCode::OK)
    };
    answer.await.unwrap_or_else(|error| error_page::answer(&request, &error))
}

/// Saves the form, or shows it again.
pub async fn save(app: Data<App>, access: Access, request: HttpRequest, path: Path<(String, u32)>, form: Form<Values>) -> HttpResponse {
    let answer = web::block(move || try_save(&app, &access.person, &path.0, path.1, &form)).await;
    answer.map_err(ApiError::from).flatten().and_then(Outcome::answer).unwrap_or_else(|error| error_page::answer(&request, &error))
}

/// A version, and what people know about how it was captured.
struct Shown {
    found: Found,
    fields: SurveyFields,
    revision: i32,
}

fn load(conn: &mut Conn, scan: &str, number: u32) -> ApiResult<Shown> {
    let found = find(conn, scan, number)?;
    let row = Survey::find(conn, &found.scan.id, found.version.version)?;
    let fields = row.as_ref().map_or_else(SurveyFields::default, Survey::fields);
    Ok(Shown { found, fields, revision: row.map_or(0, |row| row.revision) })
}

fn try_save(app: &App, person: &Person, scan: &str, number: u32, sent: &Values) -> ApiResult<Outcome> {
    let save = |conn: &mut Conn, condition: &Condition, mine| change(conn, scan, number, condition, person, |_| Ok(mine));
    form::save(&mut *app.database.get()?, sent, |conn| load(conn, scan, number), save)
}

impl Edited for Shown {
    type Fields = SurveyFields;
    const SUBJECT: Subject = Subject::Survey;

    fn id(&self) -> String {
        history::version_id(&self.found.scan.id, self.found.version.version)
    }

    fn fields(&self) -> SurveyFields {
        self.fields.clone()
    }

    fn read(&self, values: &Values) -> ApiResult<SurveyFields> {
        fields(values, &self.fields, is_open(&self.found))
    }

    fn values(fields: &SurveyFields) -> Values {
        values(fields)
    }

    fn page(&self, values: &Values) -> FormPage {
        page(&self.found, self.revision, values)
    }

    fn address(&self) -> String {
        format!("/scans/{}/{}", self.found.scan.id, self.found.version.version)
    }
}

/// Whether more than the re-verify date can be changed.
fn is_open(found: &Found) -> bool {
    found.version.publication().is_survey_open()
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
