//! `/venues/{venue}/levels` and `/levels/{level}`: the levels of a venue.

use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Form, Path};
use actix_web::{HttpRequest, HttpResponse};
use parterre_model::catalog::LevelFields;

use crate::access::Access;
use crate::app::App;
use crate::controllers::levels::{add as add_level, change, delete, find};
use crate::controllers::venues::show::find_row;
use crate::db::Conn;
use crate::edit;
use crate::error::{ApiError, ApiResult};
use crate::etag::Condition;
use crate::models::history::Subject;
use crate::models::levels::Level;
use crate::models::venues::Venue;
use crate::pages::error_page;
use crate::pages::form::{self, Edited, FormPage, Group, Input, Outcome, Values, given, number};
use crate::person::Person;

/// Adds a level with the form of the venue's page.
pub async fn add(app: Data<App>, access: Access, request: HttpRequest, path: Path<String>, form: Form<Values>) -> HttpResponse {
    let answer = async {
        let venue = path.into_inner();
        let level = add_level(&app, venue, access.person, fields(&form)?).await?;
        let slug = web::block(move || Ok::<_, ApiError>(find_row(&mut *app.database.get()?, &level.venue)?.slug)).await??;
        Outcome::Saved(format!("/venues/{slug}#levels")).answer()
    };
    answer.await.unwrap_or_else(|error| error_page::answer(&request, &error))
}

/// Shows the form of a level.
pub async fn show(app: Data<App>, request: HttpRequest, path: Path<String>) -> HttpResponse {
    let answer = async {
        let shown = web::block(move || load(&mut *app.database.get()?, &path)).await??;
        shown.own_page().answer(StatusCode::OK)
    };
    answer.await.unwrap_or_else(|error| error_page::answer(&request, &error))
}

/// Saves or removes a level, or shows the form again.
pub async fn save(app: Data<App>, access: Access, request: HttpRequest, path: Path<String>, form: Form<Values>) -> HttpResponse {
    let answer = async {
        if form.contains_key("remove") {
            let condition = Condition::Revisions(vec![form::revision(&form)?]);
            let venue = delete(&app, path.into_inner(), condition, access.person).await?;
            let slug = web::block(move || Ok::<_, ApiError>(find_row(&mut *app.database.get()?, &venue)?.slug)).await??;
            return Outcome::Saved(format!("/venues/{slug}#levels")).answer();
        }
        web::block(move || try_save(&app, &access.person, &path, &form)).await??.answer()
    };
    answer.await.unwrap_or_else(|error| error_page::answer(&request, &error))
}

/// Finds a level, and its venue.
fn load(conn: &mut Conn, id: &str) -> ApiResult<Shown> {
    let row = find(conn, id)?;
    let venue = find_row(conn, &row.venue_id)?;
    Ok(Shown { row, venue })
}

fn try_save(app: &App, person: &Person, id: &str, sent: &Values) -> ApiResult<Outcome> {
    let save = |conn: &mut Conn, condition: &Condition, mine| change(conn, id, condition, person, |_| Ok(mine));
    form::save(&mut *app.database.get()?, sent, |conn| load(conn, id), save)
}

/// A level and its venue.
struct Shown {
    row: Level,
    venue: Venue,
}

impl Edited for Shown {
    type Fields = LevelFields;
    const SUBJECT: Subject = Subject::Level;

    fn id(&self) -> String {
        self.row.id.clone()
    }

    fn fields(&self) -> LevelFields {
        self.row.fields()
    }

    fn read(&self, values: &Values) -> ApiResult<LevelFields> {
        fields(values).and_then(edit::check)
    }

    fn values(fields: &LevelFields) -> Values {
        values(fields)
    }

    fn page(&self, values: &Values) -> FormPage {
        page(&self.row, &self.venue, values)
    }

    fn address(&self) -> String {
        format!("/venues/{}#levels", self.venue.slug)
    }
}

fn values(fields: &LevelFields) -> Values {
    form::values([
        ("name", Some(fields.name.clone())),
        ("short_name", fields.short_name.clone()),
        ("ordinal", fields.ordinal.map(|ordinal| ordinal.to_string())),
        ("floor_m", fields.floor_m.map(|metres| metres.to_string())),
        ("top_m", fields.top_m.map(|metres| metres.to_string())),
    ])
}

fn fields(values: &Values) -> ApiResult<LevelFields> {
    Ok(LevelFields {
        name: values.get("name").cloned().unwrap_or_default(),
        short_name: given(values, "short_name"),
        ordinal: number(values, "ordinal")?,
        floor_m: number(values, "floor_m")?,
        top_m: number(values, "top_m")?,
    })
}

fn page(row: &Level, venue: &Venue, values: &Values) -> FormPage {
    let inputs = vec![
        Input::new("text", "name", "Name", values).required().hint("As people at the venue call it."),
        Input::new("text", "short_name", "Short name", values).hint("For signs and plans."),
        Input::new("number", "ordinal", "Order", values).required().hint("0 is the level of the main entrance, −1 the one below."),
        Input::new("number", "floor_m", "Height of the floor, m", values).step("any").hint("In the frame of the venue's scans."),
        Input::new("number", "top_m", "Reaches up to, m", values).step("any"),
    ];
    FormPage {
        title: format!("Level {}", row.name),
        back: (format!("/venues/{}", venue.slug), venue.name.clone()),
        action: format!("/levels/{}", row.id),
        revision: row.revision,
        groups: vec![Group::new("", inputs)],
        button: "Save",
        remove: Some("Remove this level"),
        ..FormPage::default()
    }
}
