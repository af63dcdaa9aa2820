//! Scans: the files uploaded under one name for one venue, in versions.

use diesel::prelude::*;

use crate::db::{Conn, new_id, now_ms};
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
}

impl Scan {
    /// Finds a scan by its identifier.
    pub fn find(conn: &mut Conn, id: &str) -> QueryResult<Option<Self>> {
        scans::table.find(id).select(Self::as_select()).first(conn).optional()
    }

    /// The venue's scan of that name, added if there is none; to be called in a writing transaction that holds the venue.
    pub fn find_or_create(conn: &mut Conn, venue_id: &str, name: &str) -> QueryResult<Self> {
        let found =
            scans::table.filter(scans::venue_id.eq(venue_id).and(scans::name.eq(name))).select(Self::as_select()).first(conn).optional()?;
        if let Some(scan) = found {
            return Ok(scan);
        }
        let scan = Self { id: new_id(), venue_id: venue_id.to_owned(), name: name.to_owned(), created_at: now_ms() };
        diesel::insert_into(scans::table).values(&scan).execute(conn)?;
        Ok(scan)
    }

    /// The scans of these venues, oldest first.
    pub fn of_venues(conn: &mut Conn, venue_ids: &[String]) -> QueryResult<Vec<Self>> {
        scans::table.filter(scans::venue_id.eq_any(venue_ids)).order((scans::created_at, scans::id)).select(Self::as_select()).load(conn)
    }
}
