//! Levels of venues, with the venue's own names.

use diesel::prelude::*;
use parterre_model::catalog as api;
use parterre_model::catalog::LevelFields;

use crate::db::{Conn, new_id, now_ms, rfc3339};
use crate::person::{self, Person};
use crate::schema::levels;

/// A level.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = levels)]
pub struct Level {
    /// Identifier.
    pub id: String,
    /// The venue.
    pub venue_id: String,
    /// Order; 0 is the level of the main entrance.
    pub ordinal: i32,
    /// The venue's name for it.
    pub name: String,
    /// Short form.
    pub short_name: Option<String>,
    /// Metres.
    pub floor_m: Option<f64>,
    /// Metres.
    pub top_m: Option<f64>,
    /// Counts the changes.
    pub revision: i32,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Identifier of a person.
    pub created_by: String,
    /// Milliseconds since 1970.
    pub updated_at: i64,
    /// Identifier of a person.
    pub updated_by: String,
}

/// The columns that a change of the fields writes.
#[derive(Debug, AsChangeset)]
#[diesel(table_name = levels, treat_none_as_null = true)]
struct Changed {
    ordinal: i32,
    name: String,
    short_name: Option<String>,
    floor_m: Option<f64>,
    top_m: Option<f64>,
    revision: i32,
    updated_at: i64,
    updated_by: String,
}

impl Level {
    /// Finds a level.
    pub fn find(conn: &mut Conn, id: &str) -> QueryResult<Option<Self>> {
        levels::table.find(id).select(Self::as_select()).first(conn).optional()
    }

    /// The levels of a venue, the lowest first.
    pub fn of_venue(conn: &mut Conn, venue_id: &str) -> QueryResult<Vec<Self>> {
        levels::table.filter(levels::venue_id.eq(venue_id)).order(levels::ordinal).select(Self::as_select()).load(conn)
    }

    /// The venue's level of that order.
    pub fn of_ordinal(conn: &mut Conn, venue_id: &str, ordinal: i32) -> QueryResult<Option<Self>> {
        levels::table
            .filter(levels::venue_id.eq(venue_id).and(levels::ordinal.eq(ordinal)))
            .select(Self::as_select())
            .first(conn)
            .optional()
    }

    /// Adds a level; to be called in a writing transaction that holds the venue.
    pub fn create(conn: &mut Conn, venue_id: &str, ordinal: i32, fields: &LevelFields, person: &Person) -> QueryResult<Self> {
        let now = now_ms();
        let level = Self {
            id: new_id(),
            venue_id: venue_id.to_owned(),
            ordinal,
            name: fields.name.clone(),
            short_name: fields.short_name.clone(),
            floor_m: fields.floor_m,
            top_m: fields.top_m,
            revision: 1,
            created_at: now,
            created_by: person.id().to_owned(),
            updated_at: now,
            updated_by: person.id().to_owned(),
        };
        diesel::insert_into(levels::table).values(&level).execute(conn)?;
        Ok(level)
    }

    /// Changes the level if it still has that revision; false where it has not.
    pub fn update(conn: &mut Conn, level: &Self, fields: &LevelFields, person: &Person) -> QueryResult<bool> {
        let changed = Changed {
            ordinal: fields.ordinal.unwrap_or(level.ordinal),
            name: fields.name.clone(),
            short_name: fields.short_name.clone(),
            floor_m: fields.floor_m,
            top_m: fields.top_m,
            revision: level.revision + 1,
            updated_at: now_ms(),
            updated_by: person.id().to_owned(),
        };
        let this = levels::table.filter(levels::id.eq(&level.id).and(levels::revision.eq(level.revision)));
        Ok(diesel::update(this).set(&changed).execute(conn)? == 1)
    }

    /// Removes the level if it still has that revision; false where it has not.
    pub fn remove(conn: &mut Conn, level: &Self) -> QueryResult<bool> {
        let this = levels::table.filter(levels::id.eq(&level.id).and(levels::revision.eq(level.revision)));
        Ok(diesel::delete(this).execute(conn)? == 1)
    }

    /// Removes all levels of a venue.
    pub fn remove_of_venue(conn: &mut Conn, venue_id: &str) -> QueryResult<()> {
        diesel::delete(levels::table.filter(levels::venue_id.eq(venue_id))).execute(conn)?;
        Ok(())
    }

    /// What people may change.
    pub fn fields(&self) -> LevelFields {
        LevelFields {
            name: self.name.clone(),
            short_name: self.short_name.clone(),
            ordinal: Some(self.ordinal),
            floor_m: self.floor_m,
            top_m: self.top_m,
        }
    }

    /// As the API shows it.
    pub fn shown(&self) -> api::VenueLevel {
        api::VenueLevel {
            id: self.id.clone(),
            venue: self.venue_id.clone(),
            fields: self.fields(),
            revision: self.revision,
            updated: api::Signature { by: person::shown(&self.updated_by), at: rfc3339(self.updated_at) },
        }
    }
}
