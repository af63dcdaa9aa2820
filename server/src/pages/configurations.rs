//! `/venues/{venue}/configurations` and `/configurations/{configuration}`: the layouts of a venue.

use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Form, Path};
use actix_web::{HttpRequest, HttpResponse};
use parterre_model::catalog::ConfigurationFields;

use crate::access::Access;
use crate::app::App;
use crate::controllers::configurations::{add as add_configuration, change, delete, find};
use crate::controllers::venues::show::find_row;
use crate::db::write;
use crate::edit;
use crate::error::{ApiError, ApiResult};
use crate::etag::Condition;
use crate::models::configurations::Configuration;
use crate::models::history::{self, Subject};
use crate::models::venues::Venue;
use crate::pages::error_page;
use crate::pages::form::{self, FormPage, Group, Input, Outcome, Values, given, number};
use crate::person::Person;

/// Shows the form for a new configuration.
pub async fn new(app: Data<App>, request: HttpRequest, path: Path<String>) -> HttpResponse {
    let answer = async {
        let venue = web::block(move || find_row(&mut *app.database.get()?, &path)).await??;
        new_page(&venue, &Values::new()).answer(StatusCode::OK)
    };
    answer.await.unwrap_or_else(|error| error_page::answer(&request, &error))
}

/// Adds a configuration, or shows the form again.
pub async fn add(app: Data<App>, access: Access, request: HttpRequest, path: Path<String>, form: Form<Values>) -> HttpResponse {
    let answer = async {
        let venue = {
            let app = Data::clone(&app);
            web::block(move || find_row(&mut *app.database.get()?, &path)).await??
        };
        let added = match fields(&form) {
            Ok(fields) => add_configuration(&app, venue.id.clone(), access.person, fields).await,
            Err(error) => Err(error),
        };
        match added {
            Ok(_) => Outcome::Saved(address(&venue)).answer(),
            Err(error) if form::is_correctable(&error) => new_page(&venue, &form).refused(error.fault()).answer(),
            Err(error) => Err(error),
        }
    };
    answer.await.unwrap_or_else(|error| error_page::answer(&request, &error))
}

/// Shows the form of a configuration.
pub async fn show(app: Data<App>, request: HttpRequest, path: Path<String>) -> HttpResponse {
    let answer = async {
        let (row, venue) = web::block(move || {
            let mut conn = app.database.get()?;
            let row = find(&mut conn, &path)?;
            let venue = find_row(&mut conn, &row.venue_id)?;
            Ok::<_, ApiError>((row, venue))
        })
        .await??;
        page(&row, &venue, &values(&row.fields())).answer(StatusCode::OK)
    };
    answer.await.unwrap_or_else(|error| error_page::answer(&request, &error))
}

/// Saves or removes a configuration, or shows the form again.
pub async fn save(app: Data<App>, access: Access, request: HttpRequest, path: Path<String>, form: Form<Values>) -> HttpResponse {
    let answer = async {
        if form.contains_key("remove") {
            let condition = Condition::Revisions(vec![form::revision(&form)?]);
            let venue = delete(&app, path.into_inner(), condition, access.person).await?;
            let venue = web::block(move || find_row(&mut *app.database.get()?, &venue)).await??;
            return Outcome::Saved(address(&venue)).answer();
        }
        web::block(move || try_save(&app, &access.person, &path, &form)).await??.answer()
    };
    answer.await.unwrap_or_else(|error| error_page::answer(&request, &error))
}

fn try_save(app: &App, person: &Person, id: &str, values_sent: &Values) -> ApiResult<Outcome> {
    let revision = form::revision(values_sent)?;
    let mut conn = app.database.get()?;
    let saved = fields(values_sent).and_then(edit::check).and_then(|mine| {
        let condition = Condition::Revisions(vec![revision]);
        match write(&mut conn, |conn| change(conn, id, &condition, person, |_| Ok(mine.clone()))) {
            Err(error) if error.fault().code == "precondition_failed" => Ok(Err(mine)),
            other => other.map(Ok),
        }
    });
    let row = find(&mut conn, id)?;
    let venue = find_row(&mut conn, &row.venue_id)?;
    match saved {
        Ok(Ok(_)) => Ok(Outcome::Saved(address(&venue))),
        Ok(Err(mine)) => {
            let (since, others) = history::since(&mut conn, Subject::Configuration, id, revision)?;
            let joined = edit::join(&row.fields(), &since, &mine);
            Ok(page(&row, &venue, &values(&joined.fields)).with_conflicts(others, &joined.conflicts).outdated())
        }
        Err(error) if form::is_correctable(&error) => Ok(FormPage { revision, ..page(&row, &venue, values_sent) }.refused(error.fault())),
        Err(error) => Err(error),
    }
}

fn address(venue: &Venue) -> String {
    format!("/venues/{}#configurations", venue.slug)
}

fn values(fields: &ConfigurationFields) -> Values {
    form::values([
        ("name", Some(fields.name.clone())),
        ("valid_from", fields.valid_from.clone()),
        ("valid_to", fields.valid_to.clone()),
        ("stage", fields.stage.clone()),
        ("seating", fields.seating.clone()),
        ("barriers", fields.barriers.clone()),
        ("locked_doors", Some(fields.locked_doors.join("\n"))),
        ("capacity", fields.capacity.map(|count| count.to_string())),
        ("notes", fields.notes.clone()),
    ])
}

fn fields(values: &Values) -> ApiResult<ConfigurationFields> {
    Ok(ConfigurationFields {
        name: values.get("name").cloned().unwrap_or_default(),
        valid_from: given(values, "valid_from"),
        valid_to: given(values, "valid_to"),
        stage: given(values, "stage"),
        seating: given(values, "seating"),
        barriers: given(values, "barriers"),
        locked_doors: given(values, "locked_doors").unwrap_or_default().lines().map(ToOwned::to_owned).collect(),
        capacity: number(values, "capacity")?,
        notes: given(values, "notes"),
    })
}

fn groups(values: &Values) -> Vec<Group> {
    let area = |name: &str, label| Input::new("area", name, label, values);
    vec![
        Group::new(
            "",
            vec![
                Input::new("text", "name", "Name", values).required().hint("Such as “Concert, standing”."),
                Input::new("number", "capacity", "Capacity, persons", values),
                Input::new("date", "valid_from", "Holds from", values),
                Input::new("date", "valid_to", "Holds until", values),
            ],
        ),
        Group::new(
            "Layout",
            vec![
                area("stage", "Stage").hint("Where it is and how large."),
                area("seating", "Seating"),
                area("barriers", "Barriers"),
                area("locked_doors", "Locked doors").hint("One door a line. A door that is not listed is not verified."),
                area("notes", "Notes"),
            ],
        ),
    ]
}

fn new_page(venue: &Venue, values: &Values) -> FormPage {
    FormPage {
        title: "New configuration".to_owned(),
        back: (format!("/venues/{}", venue.slug), venue.name.clone()),
        action: format!("/venues/{}/configurations", venue.slug),
        groups: groups(values),
        button: "Add",
        ..FormPage::default()
    }
}

fn page(row: &Configuration, venue: &Venue, values: &Values) -> FormPage {
    FormPage {
        title: row.name.clone(),
        back: (format!("/venues/{}", venue.slug), venue.name.clone()),
        action: format!("/configurations/{}", row.id),
        revision: row.revision,
        groups: groups(values),
        button: "Save",
        remove: Some("Remove this configuration"),
        ..FormPage::default()
    }
}
