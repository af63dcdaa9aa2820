//! Rules for what people enter about venues, levels, configurations and surveys.

use parterre_model::catalog::{ConfigurationFields, Contact, Fault, LevelFields, Position, SurveyFields, VenueFields};
use time::{Date, Month, OffsetDateTime};

use crate::edit::Fields;
use crate::text;

/// Longest single line, such as an address, in characters.
pub const MAX_LINE_CHARS: usize = 200;
/// Longest notes, in characters.
pub const MAX_BLOCK_CHARS: usize = 10_000;
/// Most people in a venue.
pub const MAX_CAPACITY: u32 = 1_000_000;
const MAX_CONTACTS: usize = 20;
const MAX_LOCKED_DOORS: usize = 200;
/// No floor of a venue is further above or below the origin of its frame than mountains are high.
const MAX_HEIGHT_M: f64 = 10_000.0;
/// A larger error is a mistake in the unit.
const MAX_ACCURACY_M: f64 = 10.0;
/// Most levels above or below the main entrance.
const MAX_ORDINAL: i32 = 500;

impl Fields for VenueFields {
    fn checked(self) -> Result<Self, Fault> {
        if self.contacts.len() > MAX_CONTACTS {
            return Err(fault("contacts", &format!("has at most {MAX_CONTACTS} persons")));
        }
        let contacts: Vec<Contact> = self.contacts.into_iter().map(contact).collect::<Result<_, _>>()?;
        Ok(Self {
            name: text::venue_name(&self.name)?,
            local_name: line("local_name", self.local_name)?,
            kind: self.kind,
            address: line("address", self.address)?,
            city: line("city", self.city)?,
            country: country(self.country)?,
            position: position(self.position)?,
            capacity: capacity(self.capacity)?,
            contacts: contacts.into_iter().filter(|contact| *contact != Contact::default()).collect(),
            sensitivity: self.sensitivity,
            notes: block("notes", self.notes)?,
        })
    }
}

impl Fields for LevelFields {
    fn checked(self) -> Result<Self, Fault> {
        if self.ordinal.is_some_and(|ordinal| ordinal.abs() > MAX_ORDINAL) {
            return Err(fault("ordinal", &format!("lies between -{MAX_ORDINAL} and {MAX_ORDINAL}")));
        }
        let (floor_m, top_m) = (height("floor_m", self.floor_m)?, height("top_m", self.top_m)?);
        if let (Some(floor_m), Some(top_m)) = (floor_m, top_m)
            && top_m <= floor_m
        {
            return Err(fault("top_m", "must lie above the floor"));
        }
        Ok(Self { name: name(&self.name)?, short_name: line("short_name", self.short_name)?, ordinal: self.ordinal, floor_m, top_m })
    }
}

impl Fields for ConfigurationFields {
    fn checked(self) -> Result<Self, Fault> {
        let (valid_from, valid_to) = (date("valid_from", self.valid_from)?, date("valid_to", self.valid_to)?);
        if let (Some(from), Some(to)) = (&valid_from, &valid_to)
            && to < from
        {
            return Err(fault("valid_to", "must not lie before the first day"));
        }
        if self.locked_doors.len() > MAX_LOCKED_DOORS {
            return Err(fault("locked_doors", &format!("has at most {MAX_LOCKED_DOORS} doors")));
        }
        let doors = self.locked_doors.into_iter().map(|door| line("locked_doors", Some(door)));
        Ok(Self {
            name: name(&self.name)?,
            valid_from,
            valid_to,
            stage: block("stage", self.stage)?,
            seating: block("seating", self.seating)?,
            barriers: block("barriers", self.barriers)?,
            locked_doors: doors.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect(),
            capacity: capacity(self.capacity)?,
            notes: block("notes", self.notes)?,
        })
    }
}

impl Fields for SurveyFields {
    fn checked(self) -> Result<Self, Fault> {
        let captured_on = date("captured_on", self.captured_on)?;
        // A day is not over everywhere at the same time.
        if captured_on.as_ref().is_some_and(|day| *day > day_of(OffsetDateTime::now_utc() + time::Duration::days(1))) {
            return Err(fault("captured_on", "lies in the future"));
        }
        if self.accuracy_m.is_some_and(|accuracy| !(accuracy > 0.0 && accuracy <= MAX_ACCURACY_M)) {
            return Err(fault("accuracy_m", &format!("lies above 0 and up to {MAX_ACCURACY_M} m")));
        }
        Ok(Self {
            captured_on,
            captured_by: line("captured_by", self.captured_by)?,
            instrument: line("instrument", self.instrument)?,
            method: line("method", self.method)?,
            accuracy_m: self.accuracy_m,
            coverage: block("coverage", self.coverage)?,
            reverify_on: date("reverify_on", self.reverify_on)?,
            notes: block("notes", self.notes)?,
        })
    }
}

/// Today in UTC, YYYY-MM-DD.
pub fn today() -> String {
    day_of(OffsetDateTime::now_utc())
}

fn day_of(time: OffsetDateTime) -> String {
    let date = time.date();
    format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day())
}

/// Notes of what a person did.
///
/// # Errors
/// `field_invalid`.
pub fn note(given: Option<String>) -> Result<Option<String>, Fault> {
    block("note", given)
}

/// The caption of a picture.
///
/// # Errors
/// `field_invalid`.
pub fn caption(given: Option<String>) -> Result<Option<String>, Fault> {
    line("caption", given)
}

fn fault(field: &str, problem: &str) -> Fault {
    Fault::new("field_invalid", format!("{field} {problem}"), "docs/api.md lists the fields and their values.")
}

fn line(field: &str, given: Option<String>) -> Result<Option<String>, Fault> {
    given.map_or(Ok(None), |given| text::line(&given, MAX_LINE_CHARS)).map_err(|problem| fault(field, &problem))
}

fn block(field: &str, given: Option<String>) -> Result<Option<String>, Fault> {
    given.map_or(Ok(None), |given| text::block(&given, MAX_BLOCK_CHARS)).map_err(|problem| fault(field, &problem))
}

fn name(given: &str) -> Result<String, Fault> {
    let invalid =
        |problem: &str| Fault::new("name_invalid", format!("the name {problem}"), "Choose the name that people at the venue use.");
    text::line(given, MAX_LINE_CHARS).map_err(|problem| invalid(&problem))?.ok_or_else(|| invalid("is missing"))
}

fn date(field: &str, given: Option<String>) -> Result<Option<String>, Fault> {
    let Some(given) = given.map(|given| given.trim().to_owned()).filter(|given| !given.is_empty()) else { return Ok(None) };
    if is_date(&given) { Ok(Some(given)) } else { Err(fault(field, "must be a day from 1900 on, in the form YYYY-MM-DD")) }
}

fn is_date(text: &str) -> bool {
    let has_form = text.len() == 10 && text.bytes().enumerate().all(|(i, c)| if i == 4 || i == 7 { c == b'-' } else { c.is_ascii_digit() });
    let number = |range| text.get(range).and_then(|digits: &str| digits.parse::<i32>().ok()).unwrap_or(0);
    let month = u8::try_from(number(5..7)).ok().and_then(|month| Month::try_from(month).ok());
    let (year, day) = (number(0..4), u8::try_from(number(8..10)).unwrap_or(0));
    has_form && year >= 1900 && month.is_some_and(|month| Date::from_calendar_date(year, month, day).is_ok())
}

fn country(given: Option<String>) -> Result<Option<String>, Fault> {
    let Some(given) = line("country", given)? else { return Ok(None) };
    let code = given.to_ascii_uppercase();
    let is_code = code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase());
    if is_code { Ok(Some(code)) } else { Err(fault("country", "must be the two letters of ISO 3166-1, such as FR")) }
}

fn position(given: Option<Position>) -> Result<Option<Position>, Fault> {
    match given {
        // Not a number is in no range either.
        Some(Position { lon, lat }) if !((-180.0..=180.0).contains(&lon) && (-90.0..=90.0).contains(&lat)) => {
            Err(fault("position", "must have a lon from -180 to 180 and a lat from -90 to 90 degrees"))
        }
        other => Ok(other),
    }
}

fn capacity(given: Option<u32>) -> Result<Option<u32>, Fault> {
    match given {
        Some(count) if !(1..=MAX_CAPACITY).contains(&count) => Err(fault("capacity", "lies between 1 and 1,000,000")),
        other => Ok(other),
    }
}

fn height(field: &str, given: Option<f64>) -> Result<Option<f64>, Fault> {
    match given {
        Some(metres) if !(-MAX_HEIGHT_M..=MAX_HEIGHT_M).contains(&metres) => {
            Err(fault(field, &format!("lies between -{MAX_HEIGHT_M} and {MAX_HEIGHT_M} m")))
        }
        other => Ok(other),
    }
}

fn contact(given: Contact) -> Result<Contact, Fault> {
    let line = |given| line("contacts", given);
    let contact = Contact {
        role: line(given.role)?,
        name: line(given.name)?,
        phone: line(given.phone)?,
        email: line(given.email)?,
        note: line(given.note)?,
    };
    let is_number = |phone: &String| phone.chars().any(|c| c.is_ascii_digit()) && !phone.chars().any(|c| matches!(c, '<' | '>' | '@'));
    if !contact.phone.as_ref().is_none_or(is_number) {
        return Err(fault("contacts", "has a phone number without digits"));
    }
    let is_address = |email: &String| {
        email.split_once('@').is_some_and(|(before, after)| !before.is_empty() && !after.is_empty()) && !email.contains(' ')
    };
    if !contact.email.as_ref().is_none_or(is_address) {
        return Err(fault("contacts", "has an email address that is none"));
    }
    Ok(contact)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Changing = fn(&mut VenueFields);

    fn code<T>(result: Result<T, Fault>) -> Option<String> {
        result.err().map(|fault| fault.message)
    }

    #[test]
    fn values_that_cannot_be_are_refused_with_the_field_s_name() {
        let venue = |change: Changing| {
            let mut fields = VenueFields { name: "Hall".into(), ..VenueFields::default() };
            change(&mut fields);
            code(fields.checked())
        };
        assert_eq!(venue(|_| ()), None);
        let wrong: [(&str, Changing); 10] = [
            ("capacity", |f| f.capacity = Some(0)),
            ("capacity", |f| f.capacity = Some(1_000_001)),
            ("position", |f| f.position = Some(Position { lon: 181.0, lat: 0.0 })),
            ("position", |f| f.position = Some(Position { lon: 0.0, lat: f64::NAN })),
            ("country", |f| f.country = Some("France".into())),
            ("address", |f| f.address = Some("a\nb".into())),
            ("notes", |f| f.notes = Some("a\u{0}b".into())),
            ("notes", |f| f.notes = Some("x".repeat(MAX_BLOCK_CHARS + 1))),
            ("city", |f| f.city = Some("\u{2800}".into())),
            ("contacts", |f| f.contacts = vec![Contact { email: Some("nobody".into()), ..Contact::default() }]),
        ];
        for (field, change) in wrong {
            assert!(venue(change).is_some_and(|message| message.starts_with(field)), "{field}");
        }
        for day in ["2026-02-30", "2026-1-1", "26-01-01", "1899-12-31", "tomorrow", "2026-01-01T00:00:00Z"] {
            assert!(code(SurveyFields { reverify_on: Some(day.into()), ..SurveyFields::default() }.checked()).is_some(), "{day}");
        }
        assert!(code(SurveyFields { captured_on: Some("2999-01-01".into()), ..SurveyFields::default() }.checked()).is_some());
        let upside_down = LevelFields { name: "A".into(), floor_m: Some(3.0), top_m: Some(3.0), ..LevelFields::default() };
        assert!(code(upside_down.checked()).is_some_and(|message| message.starts_with("top_m")));
        let backwards = ConfigurationFields {
            name: "A".into(),
            valid_from: Some("2026-02-01".into()),
            valid_to: Some("2026-01-01".into()),
            ..ConfigurationFields::default()
        };
        assert!(code(backwards.checked()).is_some_and(|message| message.starts_with("valid_to")));
    }

    #[test]
    fn texts_are_cleaned_and_empty_ones_are_none() {
        let fields = VenueFields {
            name: " Hall ".into(),
            city: Some("  ".into()),
            country: Some("fr".into()),
            notes: Some("one\r\n\r\ntwo \n".into()),
            contacts: vec![Contact::default(), Contact { phone: Some(" +33 1 23 ".into()), ..Contact::default() }],
            ..VenueFields::default()
        };
        let checked = fields.checked().expect("these can be kept");
        assert_eq!((checked.name.as_str(), checked.city, checked.country.as_deref()), ("Hall", None, Some("FR")));
        assert_eq!(checked.notes.as_deref(), Some("one\n\ntwo"));
        assert_eq!(checked.contacts, [Contact { phone: Some("+33 1 23".into()), ..Contact::default() }]);
    }
}
