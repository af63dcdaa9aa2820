//! Scans: the files uploaded under one name for one venue, in versions.

use diesel::prelude::*;

use crate::db::{Conn, new_id, now_ms};
use crate::person::Person;
use crate::schema::scans;

/// A scan.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = scans)]
pub struct Scan {
    /// Identifier.
    pub id: String,
    /// The venue.
    pub venue_id: String,
    /// Name, at first the uploaded file's; unique in the venue.
    pub name: String,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// The highest number that a version has had.
    pub versions_made: i32,
    /// Identifier of a person.
    pub created_by: Option<String>,
}

impl Scan {
    /// Finds a scan by its identifier.
    pub fn find(conn: &mut Conn, id: &str) -> QueryResult<Option<Self>> {
        scans::table.find(id).select(Self::as_select()).first(conn).optional()
    }

    /// The venue's scan of that name, added if there is none; to be called in a writing transaction that holds the venue.
    pub fn find_or_create(conn: &mut Conn, venue_id: &str, name: &str, person: &Person) -> QueryResult<Self> {
        let found =
            scans::table.filter(scans::venue_id.eq(venue_id).and(scans::name.eq(name))).select(Self::as_select()).first(conn).optional()?;
        if let Some(scan) = found {
            return Ok(scan);
        }
        let scan = Self {
            id: new_id(),
            venue_id: venue_id.to_owned(),
            name: name.to_owned(),
            created_at: now_ms(),
            versions_made: 0,
            created_by: Some(person.id().to_owned()),
        };
        diesel::insert_into(scans::table).values(&scan).execute(conn)?;
        Ok(scan)
    }

    /// The scans of these venues, oldest first.
    pub fn of_venues(conn: &mut Conn, venue_ids: &[String]) -> QueryResult<Vec<Self>> {
        scans::table.filter(scans::venue_id.eq_any(venue_ids)).order((scans::created_at, scans::id)).select(Self::as_select()).load(conn)
    }

    /// Finds a scan and locks it against other writers; to be called in a writing transaction.
    pub fn find_held(conn: &mut Conn, id: &str) -> QueryResult<Option<Self>> {
        if let Conn::Postgres(conn) = conn {
            scans::table.find(id).select(scans::id).for_update().first::<String>(conn).optional()?;
        }
        Self::find(conn, id)
    }

    /// Remembers the highest number that a version has had.
    pub fn set_versions_made(conn: &mut Conn, id: &str, number: i32) -> QueryResult<()> {
        diesel::update(scans::table.find(id)).set(scans::versions_made.eq(number)).execute(conn)?;
        Ok(())
    }

    /// Removes the row.
    pub fn remove(conn: &mut Conn, id: &str) -> QueryResult<()> {
        diesel::delete(scans::table.find(id)).execute(conn)?;
        Ok(())
    }
}
