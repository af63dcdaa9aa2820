//! `/venues/{venue}/configurations` and `/configurations/{configuration}`: the layouts of a venue.

use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Form, Path};
use actix_web::{HttpRequest, HttpResponse};
use parterre_model::catalog::ConfigurationFields;

use crate::access::Access;
use crate::app::App;
use crate::controllers::configurations::{add as add_configuration, change, delete, find};
use crate::controllers::venues::show::find_row;
use crate::db::Conn;
use crate::edit;
use crate::error::ApiResult;
use crate::etag::Condition;
use crate::models::configurations::Configuration;
use crate::models::history::Subject;
use crate::models::venues::Venue;
use crate::pages::error_page;
use crate::pages::form::{self, Edited, FormPage, Group, Input, Outcome, Values, given, number};
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
        let shown = web::block(move || load(&mut *app.database.get()?, &path)).await??;
        shown.own_page().answer(StatusCode::OK)
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

fn address(venue: &Venue) -> String {
    format!("/venues/{}#configurations", venue.slug)
}

/// Finds a configuration, and its venue.
fn load(conn: &mut Conn, id: &str) -> ApiResult<Shown> {
    let row = find(conn, id)?;
    let venue = find_row(conn, &row.venue_id)?;
    Ok(Shown { row, venue })
}

fn try_save(app: &App, person: &Person, id: &str, sent: &Values) -> ApiResult<Outcome> {
    let save = |conn: &mut Conn, condition: &Condition, mine| change(conn, id, condition, person, |_| Ok(mine));
    form::save(&mut *app.database.get()?, sent, |conn| load(conn, id), save)
}

/// A configuration and its venue.
struct Shown {
    row: Configuration,
    venue: Venue,
}

impl Edited for Shown {
    type Fields = ConfigurationFields;
    const SUBJECT: Subject = Subject::Configuration;

    fn id(&self) -> String {
        self.row.id.clone()
    }

    fn fields(&self) -> ConfigurationFields {
        self.row.fields()
    }

    fn read(&self, values: &Values) -> ApiResult<ConfigurationFields> {
        fields(values).and_then(edit::check)
    }

    fn values(fields: &ConfigurationFields) -> Values {
        values(fields)
    }

    fn page(&self, values: &Values) -> FormPage {
        page(&self.row, &self.venue, values)
    }

    fn address(&self) -> String {
        address(&self.venue)
    }
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
