//! Who did what, when: one row for each action, written in its transaction.

use diesel::prelude::*;
use parterre_model::catalog as api;

use crate::db::{Conn, new_id, now_ms, rfc3339};
use crate::edit::{self, Changes};
use crate::person::{self, Person};
use crate::schema::history;

/// What something was done to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A venue's fields, and the venue as a whole.
    Venue,
    /// A level.
    Level,
    /// A configuration.
    Configuration,
    /// A picture.
    Picture,
    /// The publication state of a version, and the version as a whole.
    Version,
    /// The survey of a version.
    Survey,
}

impl Subject {
    fn name(self) -> &'static str {
        match self {
            Self::Venue => "venue",
            Self::Level => "level",
            Self::Configuration => "configuration",
            Self::Picture => "picture",
            Self::Version => "version",
            Self::Survey => "survey",
        }
    }
}

/// The identifier of a version and its survey in the history.
pub fn version_id(scan_id: &str, version: i32) -> String {
    format!("{scan_id}/{version}")
}

#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = history)]
struct Row {
    id: String,
    venue_id: String,
    subject: String,
    subject_id: String,
    revision: Option<i32>,
    action: String,
    fields: Option<String>,
    note: Option<String>,
    at: i64,
    person: String,
}

/// An action to be recorded.
#[derive(Clone, Debug)]
pub struct Record<'a> {
    /// The venue that it belongs to.
    pub venue_id: &'a str,
    /// What was changed.
    pub subject: Subject,
    /// Its identifier.
    pub subject_id: &'a str,
    /// The revision that this led to.
    pub revision: Option<i32>,
    /// `added`, `changed`…
    pub action: &'a str,
    /// Which fields.
    pub changes: Option<&'a Changes>,
    /// What the person says about it.
    pub note: Option<&'a str>,
}

/// Records an action.
pub fn record(conn: &mut Conn, person: &Person, record: &Record<'_>) -> QueryResult<()> {
    let row = Row {
        id: new_id(),
        venue_id: record.venue_id.to_owned(),
        subject: record.subject.name().to_owned(),
        subject_id: record.subject_id.to_owned(),
        revision: record.revision,
        action: record.action.to_owned(),
        fields: record.changes.map(|changes| serde_json::json!(changes).to_string()),
        note: record.note.map(ToOwned::to_owned),
        at: now_ms(),
        person: person.id().to_owned(),
    };
    diesel::insert_into(history::table).values(&row).execute(conn)?;
    Ok(())
}

/// What was done to the venue and all that belongs to it, newest first.
pub fn of_venue(conn: &mut Conn, venue_id: &str, limit: i64) -> QueryResult<Vec<api::Event>> {
    let rows: Vec<Row> = history::table
        .filter(history::venue_id.eq(venue_id))
        .order((history::at.desc(), history::id.desc()))
        .limit(limit)
        .select(Row::as_select())
        .load(conn)?;
    Ok(rows.iter().map(shown).collect())
}

/// What was done to one subject, newest first.
pub fn of_subject(conn: &mut Conn, subject: Subject, id: &str, limit: i64) -> QueryResult<Vec<api::Event>> {
    let rows: Vec<Row> = history::table
        .filter(history::subject.eq(subject.name()).and(history::subject_id.eq(id)))
        .order((history::at.desc(), history::id.desc()))
        .limit(limit)
        .select(Row::as_select())
        .load(conn)?;
    Ok(rows.iter().map(shown).collect())
}

/// What was changed after a revision, and by whom last.
pub fn since(conn: &mut Conn, subject: Subject, id: &str, revision: i32) -> QueryResult<(Changes, Option<api::Signature>)> {
    let rows: Vec<Row> = history::table
        .filter(history::subject.eq(subject.name()).and(history::subject_id.eq(id)).and(history::revision.gt(revision)))
        .order((history::at, history::id))
        .select(Row::as_select())
        .load(conn)?;
    let last = rows.last().map(|row| api::Signature { by: person::shown(&row.person), at: rfc3339(row.at) });
    Ok((edit::sum(rows.iter().map(changes_of)), last))
}

/// Removes all that is recorded of a venue.
pub fn remove_of_venue(conn: &mut Conn, venue_id: &str) -> QueryResult<()> {
    diesel::delete(history::table.filter(history::venue_id.eq(venue_id))).execute(conn)?;
    Ok(())
}

fn changes_of(row: &Row) -> Changes {
    row.fields.as_deref().and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
}

fn shown(row: &Row) -> api::Event {
    api::Event {
        action: row.action.clone(),
        subject: row.subject.clone(),
        subject_id: row.subject_id.clone(),
        fields: changes_of(row).into_keys().collect(),
        note: row.note.clone(),
        by: person::shown(&row.person),
        at: rfc3339(row.at),
    }
}
