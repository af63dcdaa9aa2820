//! `/venues/{venue}/edit`: the fields of a venue.

use actix_web::http::StatusCode;
use actix_web::web::{self, Data, Form, Path};
use actix_web::{HttpRequest, HttpResponse};
use parterre_model::catalog::{Contact, Position, Sensitivity, VenueFields, VenueKind};

use crate::access::Access;
use crate::app::App;
use crate::controllers::venues::show::find_row;
use crate::controllers::venues::update::change;
use crate::db::Conn;
use crate::edit;
use crate::error::{ApiError, ApiResult};
use crate::etag::Condition;
use crate::models::history::Subject;
use crate::models::venues::Venue;
use crate::pages::error_page;
use crate::pages::form::{self, Edited, FormPage, Group, Input, Outcome, Values, given, number};
use crate::person::Person;

/// Empty contacts that a form offers beside those that there are.
const NEW_CONTACTS: usize = 2;
/// Most contacts that a form sends.
const MAX_CONTACTS: usize = 24;

/// Shows the form.
pub async fn show(app: Data<App>, request: HttpRequest, path: Path<String>) -> HttpResponse {
    let answer = async {
        let row = web::block(move || find_row(&mut *app.database.get()?, &path)).await??;
        row.own_page().answer(StatusCode::OK)
    };
    answer.await.unwrap_or_else(|error| error_page::answer(&request, &error))
}

/// Saves the form, or shows it again.
pub async fn save(app: Data<App>, access: Access, request: HttpRequest, path: Path<String>, form: Form<Values>) -> HttpResponse {
    let answer = web::block(move || try_save(&app, &access.person, &path, &form)).await;
    answer.map_err(ApiError::from).flatten().and_then(Outcome::answer).unwrap_or_else(|error| error_page::answer(&request, &error))
}

fn try_save(app: &App, person: &Person, id: &str, sent: &Values) -> ApiResult<Outcome> {
    let save = |conn: &mut Conn, condition: &Condition, mine| change(conn, id, condition, person, |_| Ok(mine));
    form::save(&mut *app.database.get()?, sent, |conn| find_row(conn, id), save)
}

impl Edited for Venue {
    type Fields = VenueFields;
    const SUBJECT: Subject = Subject::Venue;

    fn id(&self) -> String {
        self.id.clone()
    }

    fn fields(&self) -> VenueFields {
        self.fields()
    }

    fn read(&self, values: &Values) -> ApiResult<VenueFields> {
        fields(values)
    }

    fn values(fields: &VenueFields) -> Values {
        values(fields)
    }

    fn page(&self, values: &Values) -> FormPage {
        page(self, values)
    }

    fn address(&self) -> String {
        format!("/venues/{}", self.slug)
    }
}

fn values(fields: &VenueFields) -> Values {
    let mut values = form::values([
        ("name", Some(fields.name.clone())),
        ("local_name", fields.local_name.clone()),
        ("kind", Some(fields.kind.name().to_owned())),
        ("address", fields.address.clone()),
        ("city", fields.city.clone()),
        ("country", fields.country.clone()),
        ("latitude", fields.position.map(|at| at.lat.to_string())),
        ("longitude", fields.position.map(|at| at.lon.to_string())),
        ("capacity", fields.capacity.map(|count| count.to_string())),
        ("sensitivity", Some(fields.sensitivity.name().to_owned())),
        ("notes", fields.notes.clone()),
    ]);
    for (i, contact) in fields.contacts.iter().enumerate() {
        let parts = [
            ("role", &contact.role),
            ("name", &contact.name),
            ("phone", &contact.phone),
            ("email", &contact.email),
            ("note", &contact.note),
        ];
        values.extend(parts.map(|(part, value)| (format!("contact-{i}-{part}"), value.clone().unwrap_or_default())));
    }
    values
}

fn fields(values: &Values) -> ApiResult<VenueFields> {
    let position = match (number(values, "latitude")?, number(values, "longitude")?) {
        (Some(lat), Some(lon)) => Some(Position { lon, lat }),
        (None, None) => None,
        _ => {
            let message = "the position needs both a latitude and a longitude";
            return Err(ApiError::unprocessable("field_invalid", message, "Enter both in degrees, or neither."));
        }
    };
    let contact = |i: usize| {
        let part = |part: &str| given(values, &format!("contact-{i}-{part}"));
        Contact { role: part("role"), name: part("name"), phone: part("phone"), email: part("email"), note: part("note") }
    };
    edit::check(VenueFields {
        name: values.get("name").cloned().unwrap_or_default(),
        local_name: given(values, "local_name"),
        kind: given(values, "kind").and_then(|name| VenueKind::by_name(&name)).unwrap_or_default(),
        address: given(values, "address"),
        city: given(values, "city"),
        country: given(values, "country"),
        position,
        capacity: number(values, "capacity")?,
        contacts: (0..MAX_CONTACTS).map(contact).collect::<Vec<_>>().into_iter().filter(|contact| *contact != Contact::default()).collect(),
        sensitivity: given(values, "sensitivity").and_then(|name| Sensitivity::by_name(&name)).unwrap_or(Sensitivity::Restricted),
        notes: given(values, "notes"),
    })
}

fn page(row: &Venue, values: &Values) -> FormPage {
    let text = |name: &str, label| Input::new("text", name, label, values);
    let kinds = VenueKind::ALL.iter().map(|kind| (kind.name(), kind.text()));
    let sensitivities = Sensitivity::ALL.iter().map(|value| (value.name(), value.text()));
    let mut groups = vec![
        Group::new(
            "Name",
            vec![
                text("name", "Name").required(),
                text("local_name", "Local name").hint("In the language or script of the place, where it is another one."),
                Input::new("select", "kind", "Kind", values).options(kinds),
                Input::new("number", "capacity", "Capacity, persons", values).hint("Most people who may be inside at once."),
            ],
        ),
        Group::new(
            "Place",
            vec![
                text("address", "Address"),
                text("city", "City"),
                text("country", "Country").hint("Two letters, such as FR."),
                Input::new("number", "latitude", "Latitude, degrees north", values).step("any").hint("Of the main entrance, WGS 84."),
                Input::new("number", "longitude", "Longitude, degrees east", values).step("any"),
            ],
        ),
    ];
    let used = (0..MAX_CONTACTS)
        .filter(|i| ["role", "name", "phone", "email", "note"].iter().any(|part| given(values, &format!("contact-{i}-{part}")).is_some()));
    let contacts = used.max().map_or(0, |last| last + 1) + NEW_CONTACTS;
    for i in 0..contacts.min(MAX_CONTACTS) {
        let part = |part: &str, label| text(&format!("contact-{i}-{part}"), label);
        let inputs =
            vec![part("role", "Function"), part("name", "Name"), part("phone", "Telephone"), part("email", "Email"), part("note", "Note")];
        groups.push(Group::new(format!("Contact {}", i + 1), inputs));
    }
    groups.push(Group::new(
        "Handling",
        vec![
            Input::new("select", "sensitivity", "Sensitivity", values)
                .options(sensitivities)
                .hint("Who may see what the catalogue holds about this venue."),
            Input::new("area", "notes", "Notes", values),
        ],
    ));
    FormPage {
        title: format!("Edit {}", row.name),
        back: (format!("/venues/{}", row.slug), row.name.clone()),
        action: format!("/venues/{}/edit", row.slug),
        revision: row.revision,
        groups,
        button: "Save",
        ..FormPage::default()
    }
}
