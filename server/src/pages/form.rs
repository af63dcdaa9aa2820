//! Forms in which people edit what is known about something. Somebody else may save meanwhile: then nothing is written, and the form comes
//! back with what the person entered, joined with what the other one saved, and says what changed.

use std::collections::HashMap;

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header;
use askama::Template;
use parterre_model::catalog::{Fault, Signature};
use serde_json::Value;

use crate::db::{Conn, write};
use crate::edit::{self, Conflict, Fields};
use crate::error::{ApiError, ApiResult};
use crate::etag::Condition;
use crate::models::history::{self, Subject};
use crate::pages::format;

/// What a browser sends: every input by its name.
pub(super) type Values = HashMap<String, String>;

/// An input.
#[derive(Clone, Debug, Default)]
pub(super) struct Input {
    pub(super) name: String,
    pub(super) label: &'static str,
    /// `text`, `number`, `date`, `area`, `select`.
    pub(super) kind: &'static str,
    pub(super) value: String,
    pub(super) hint: &'static str,
    pub(super) required: bool,
    pub(super) disabled: bool,
    /// Steps of numbers; `any` for those that are not whole.
    pub(super) step: &'static str,
    /// Values and texts of a selection.
    pub(super) options: Vec<(&'static str, &'static str)>,
}

impl Input {
    /// An input of a kind, with the value out of `values`.
    pub(super) fn new(kind: &'static str, name: &str, label: &'static str, values: &Values) -> Self {
        let value = values.get(name).cloned().unwrap_or_default();
        Self { name: name.to_owned(), label, kind, value, step: "1", ..Self::default() }
    }

    pub(super) fn hint(self, hint: &'static str) -> Self {
        Self { hint, ..self }
    }

    pub(super) fn required(self) -> Self {
        Self { required: true, ..self }
    }

    pub(super) fn disabled(self, disabled: bool) -> Self {
        Self { disabled, ..self }
    }

    pub(super) fn step(self, step: &'static str) -> Self {
        Self { step, ..self }
    }

    pub(super) fn options(self, options: impl IntoIterator<Item = (&'static str, &'static str)>) -> Self {
        Self { options: options.into_iter().collect(), ..self }
    }
}

/// Inputs that belong together.
#[derive(Clone, Debug, Default)]
pub(super) struct Group {
    pub(super) title: String,
    pub(super) inputs: Vec<Input>,
}

impl Group {
    pub(super) fn new(title: impl Into<String>, inputs: Vec<Input>) -> Self {
        Self { title: title.into(), inputs }
    }
}

/// A form as a page.
#[derive(Clone, Debug, Template, Default)]
#[template(path = "form.html")]
pub(super) struct FormPage {
    pub(super) title: String,
    /// Address and name of what the form belongs to.
    pub(super) back: (String, String),
    pub(super) action: String,
    pub(super) revision: i32,
    pub(super) groups: Vec<Group>,
    pub(super) button: &'static str,
    /// Text of the button that removes it.
    pub(super) remove: Option<&'static str>,
    pub(super) fault: Option<Fault>,
    /// Who saved last, where somebody did meanwhile.
    pub(super) others: Option<Signature>,
    pub(super) changed: Vec<Changed>,
}

/// A field that somebody else changed, as text.
#[derive(Clone, Debug)]
pub(super) struct Changed {
    field: String,
    from: String,
    to: String,
    mine: Option<String>,
}

impl FormPage {
    /// Says what somebody else has changed.
    pub(super) fn with_conflicts(self, others: Option<Signature>, conflicts: &[Conflict]) -> Self {
        let changed = conflicts.iter().map(|conflict| Changed {
            field: format::field(&conflict.field),
            from: text(&conflict.theirs.from),
            to: text(&conflict.theirs.to),
            mine: conflict.mine.as_ref().map(text),
        });
        Self { others, changed: changed.collect(), ..self }
    }

    fn saved_at(&self) -> String {
        self.others.as_ref().map(|others| format!("{}, {}", others.by.name, format::time(&others.at))).unwrap_or_default()
    }

    /// The page, shown again because somebody else has saved meanwhile.
    pub(super) fn outdated(self) -> Outcome {
        Outcome::Again(Box::new(self), StatusCode::CONFLICT)
    }

    /// The page, shown again because something in it cannot be used.
    pub(super) fn refused(self, fault: &Fault) -> Outcome {
        Outcome::Again(Box::new(Self { fault: Some(fault.clone()), ..self }), StatusCode::UNPROCESSABLE_ENTITY)
    }

    /// The page as an answer.
    pub(super) fn answer(&self, status: StatusCode) -> ApiResult {
        Ok(HttpResponse::build(status)
            .content_type("text/html; charset=utf-8")
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .body(self.render()?))
    }
}

/// What became of a form that was sent.
pub(super) enum Outcome {
    /// It was saved; the address of the page that shows it.
    Saved(String),
    /// It is shown again.
    Again(Box<FormPage>, StatusCode),
}

impl Outcome {
    /// As an answer.
    pub(super) fn answer(self) -> ApiResult {
        match self {
            Self::Saved(address) => Ok(HttpResponse::SeeOther().insert_header((header::LOCATION, address)).finish()),
            Self::Again(page, status) => page.answer(status),
        }
    }
}

/// Something that is edited with a form, as it is now.
pub(super) trait Edited: Sized {
    /// What people may change of it.
    type Fields: Fields;
    /// What it is in the history.
    const SUBJECT: Subject;

    /// Its identifier in the history.
    fn id(&self) -> String;
    /// Its fields.
    fn fields(&self) -> Self::Fields;
    /// The fields that a browser sent, checked.
    fn read(&self, values: &Values) -> ApiResult<Self::Fields>;
    /// The inputs' values for fields.
    fn values(fields: &Self::Fields) -> Values;
    /// The form with these values.
    fn page(&self, values: &Values) -> FormPage;
    /// Address of the page that shows it after saving.
    fn address(&self) -> String;

    /// The form with its own fields.
    fn own_page(&self) -> FormPage {
        self.page(&Self::values(&self.fields()))
    }
}

/// Saves a form that was sent, or gives the form to show again. `load` finds what is edited; `change` writes the fields in a transaction, and refuses where somebody else has
/// changed it meanwhile.
pub(super) fn save<E: Edited, T>(
    conn: &mut Conn,
    sent: &Values,
    load: impl Fn(&mut Conn) -> ApiResult<E>,
    change: impl FnOnce(&mut Conn, &Condition, E::Fields) -> ApiResult<T>,
) -> ApiResult<Outcome> {
    let began = revision(sent)?;
    let saved = load(conn)?.read(sent).and_then(|mine| {
        let condition = Condition::Revisions(vec![began]);
        match write(conn, |conn| change(conn, &condition, mine.clone())) {
            Err(error) if error.fault().code == "precondition_failed" => Ok(Err(mine)),
            other => other.map(Ok),
        }
    });
    let now = load(conn)?;
    match saved {
        Ok(Ok(_)) => Ok(Outcome::Saved(now.address())),
        Ok(Err(mine)) => {
            let (since, others) = history::since(conn, E::SUBJECT, &now.id(), began)?;
            let joined = edit::join(&now.fields(), &since, &mine);
            Ok(now.page(&E::values(&joined.fields)).with_conflicts(others, &joined.conflicts).outdated())
        }
        Err(error) if is_correctable(&error) => Ok(FormPage { revision: began, ..now.page(sent) }.refused(error.fault())),
        Err(error) => Err(error),
    }
}

/// A value for people.
fn text(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => format!("“{text}”"),
        Value::Array(all) if all.is_empty() => "nothing".to_owned(),
        Value::Array(all) => all.iter().map(text).collect::<Vec<_>>().join("; "),
        Value::Object(fields) => {
            let given = fields.iter().filter(|(_, value)| !value.is_null());
            given.map(|(name, value)| format!("{name} {}", text(value))).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

/// The revision that the person began with.
pub(super) fn revision(values: &Values) -> ApiResult<i32> {
    values.get("revision").and_then(|text| text.parse().ok()).ok_or_else(|| {
        ApiError::new(
            StatusCode::BAD_REQUEST,
            "form_invalid",
            "the form does not say which state it changes",
            "Send it from the service's own page.",
        )
    })
}

/// The text of an input, if there is any.
pub(super) fn given(values: &Values, name: &str) -> Option<String> {
    values.get(name).filter(|text| !text.trim().is_empty()).cloned()
}

/// The number of an input, if there is any. A comma counts as the decimal point.
pub(super) fn number<T: std::str::FromStr>(values: &Values, name: &str) -> ApiResult<Option<T>> {
    let Some(text) = given(values, name) else { return Ok(None) };
    let plain = text.trim().replace(',', ".").replace('\u{2212}', "-");
    plain.parse().map(Some).map_err(|_| {
        ApiError::unprocessable(
            "field_invalid",
            format!("{} is not a number that can be used: {text:?}", format::field(name)),
            "Enter digits only.",
        )
    })
}

/// Values of inputs.
pub(super) fn values<const N: usize>(all: [(&str, Option<String>); N]) -> Values {
    all.into_iter().map(|(name, value)| (name.to_owned(), value.unwrap_or_default())).collect()
}

/// Whether a form is shown again after an error, with its message.
pub(super) fn is_correctable(error: &ApiError) -> bool {
    use actix_web::ResponseError as _;
    error.status_code() == StatusCode::UNPROCESSABLE_ENTITY || matches!(error.fault().code.as_str(), "level_exists" | "survey_fixed")
}
