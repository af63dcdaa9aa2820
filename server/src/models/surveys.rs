//! What people know about how a version was captured. A version without a row has revision 0.

use diesel::prelude::*;
use parterre_model::catalog::SurveyFields;

use crate::db::{Conn, now_ms};
use crate::person::Person;
use crate::schema::surveys;

/// The survey of a version.
#[derive(Clone, Debug, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = surveys, primary_key(scan_id, version), treat_none_as_null = true)]
pub struct Survey {
    /// The scan.
    pub scan_id: String,
    /// Its version.
    pub version: i32,
    /// YYYY-MM-DD.
    pub captured_on: Option<String>,
    /// Person or company.
    pub captured_by: Option<String>,
    /// Scanner.
    pub instrument: Option<String>,
    /// Method.
    pub method: Option<String>,
    /// Metres.
    pub accuracy_m: Option<f64>,
    /// What was captured.
    pub coverage: Option<String>,
    /// YYYY-MM-DD.
    pub reverify_on: Option<String>,
    /// Notes.
    pub notes: Option<String>,
    /// Counts the changes.
    pub revision: i32,
    /// Milliseconds since 1970.
    pub updated_at: i64,
    /// Identifier of a person.
    pub updated_by: String,
}

impl Survey {
    /// The survey of a version.
    pub fn find(conn: &mut Conn, scan_id: &str, version: i32) -> QueryResult<Option<Self>> {
        surveys::table.find((scan_id, version)).select(Self::as_select()).first(conn).optional()
    }

    /// The surveys of these scans' versions.
    pub fn of_scans(conn: &mut Conn, scan_ids: &[String]) -> QueryResult<Vec<Self>> {
        surveys::table.filter(surveys::scan_id.eq_any(scan_ids)).select(Self::as_select()).load(conn)
    }

    /// What people may change.
    pub fn fields(&self) -> SurveyFields {
        SurveyFields {
            captured_on: self.captured_on.clone(),
            captured_by: self.captured_by.clone(),
            instrument: self.instrument.clone(),
            method: self.method.clone(),
            accuracy_m: self.accuracy_m,
            coverage: self.coverage.clone(),
            reverify_on: self.reverify_on.clone(),
            notes: self.notes.clone(),
        }
    }

    /// Writes the fields if the survey still has that revision; false where it has not. To be called in a writing transaction that holds the
    /// version.
    pub fn save(conn: &mut Conn, scan_id: &str, version: i32, revision: i32, fields: &SurveyFields, person: &Person) -> QueryResult<bool> {
        let fields = fields.clone();
        let row = Self {
            scan_id: scan_id.to_owned(),
            version,
            captured_on: fields.captured_on,
            captured_by: fields.captured_by,
            instrument: fields.instrument,
            method: fields.method,
            accuracy_m: fields.accuracy_m,
            coverage: fields.coverage,
            reverify_on: fields.reverify_on,
            notes: fields.notes,
            revision: revision + 1,
            updated_at: now_ms(),
            updated_by: person.id().to_owned(),
        };
        let rows = if revision == 0 {
            diesel::insert_into(surveys::table).values(&row).execute(conn)?
        } else {
            let this = surveys::scan_id.eq(scan_id).and(surveys::version.eq(version)).and(surveys::revision.eq(revision));
            diesel::update(surveys::table.filter(this)).set(&row).execute(conn)?
        };
        Ok(rows == 1)
    }

    /// Removes the survey of a version.
    pub fn remove(conn: &mut Conn, scan_id: &str, version: i32) -> QueryResult<()> {
        diesel::delete(surveys::table.find((scan_id, version))).execute(conn)?;
        Ok(())
    }
}
