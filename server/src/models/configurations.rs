//! Configurations: named and dated layouts of venues.

use diesel::prelude::*;
use parterre_model::catalog as api;
use parterre_model::catalog::ConfigurationFields;

use crate::db::{Conn, new_id, now_ms, rfc3339};
use crate::person::{self, Person};
use crate::schema::configurations;

/// A configuration.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = configurations)]
pub struct Configuration {
    /// Identifier.
    pub id: String,
    /// The venue.
    pub venue_id: String,
    /// Name.
    pub name: String,
    /// YYYY-MM-DD.
    pub valid_from: Option<String>,
    /// YYYY-MM-DD.
    pub valid_to: Option<String>,
    /// Stage.
    pub stage: Option<String>,
    /// Seating.
    pub seating: Option<String>,
    /// Barriers.
    pub barriers: Option<String>,
    /// JSON: a list of names.
    pub locked_doors: String,
    /// Most people.
    pub capacity: Option<i32>,
    /// Notes.
    pub notes: Option<String>,
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
#[diesel(table_name = configurations, treat_none_as_null = true)]
struct Changed {
    name: String,
    valid_from: Option<String>,
    valid_to: Option<String>,
    stage: Option<String>,
    seating: Option<String>,
    barriers: Option<String>,
    locked_doors: String,
    capacity: Option<i32>,
    notes: Option<String>,
    revision: i32,
    updated_at: i64,
    updated_by: String,
}

impl Configuration {
    /// Finds a configuration.
    pub fn find(conn: &mut Conn, id: &str) -> QueryResult<Option<Self>> {
        configurations::table.find(id).select(Self::as_select()).first(conn).optional()
    }

    /// The configurations of a venue, oldest first.
    pub fn of_venue(conn: &mut Conn, venue_id: &str) -> QueryResult<Vec<Self>> {
        configurations::table
            .filter(configurations::venue_id.eq(venue_id))
            .order((configurations::created_at, configurations::id))
            .select(Self::as_select())
            .load(conn)
    }

    /// Adds a configuration; to be called in a writing transaction that holds the venue.
    pub fn create(conn: &mut Conn, venue_id: &str, fields: &ConfigurationFields, person: &Person) -> QueryResult<Self> {
        let now = now_ms();
        let fields = fields.clone();
        let configuration = Self {
            id: new_id(),
            venue_id: venue_id.to_owned(),
            name: fields.name,
            valid_from: fields.valid_from,
            valid_to: fields.valid_to,
            stage: fields.stage,
            seating: fields.seating,
            barriers: fields.barriers,
            locked_doors: serde_json::json!(fields.locked_doors).to_string(),
            capacity: fields.capacity.map(|count| count as i32),
            notes: fields.notes,
            revision: 1,
            created_at: now,
            created_by: person.id().to_owned(),
            updated_at: now,
            updated_by: person.id().to_owned(),
        };
        diesel::insert_into(configurations::table).values(&configuration).execute(conn)?;
        Ok(configuration)
    }

    /// Changes the configuration if it still has that revision; false where it has not.
    pub fn update(conn: &mut Conn, configuration: &Self, fields: &ConfigurationFields, person: &Person) -> QueryResult<bool> {
        let changed = Changed {
            name: fields.name.clone(),
            valid_from: fields.valid_from.clone(),
            valid_to: fields.valid_to.clone(),
            stage: fields.stage.clone(),
            seating: fields.seating.clone(),
            barriers: fields.barriers.clone(),
            locked_doors: serde_json::json!(fields.locked_doors).to_string(),
            capacity: fields.capacity.map(|count| count as i32),
            notes: fields.notes.clone(),
            revision: configuration.revision + 1,
            updated_at: now_ms(),
            updated_by: person.id().to_owned(),
        };
        let this =
            configurations::table.filter(configurations::id.eq(&configuration.id).and(configurations::revision.eq(configuration.revision)));
        Ok(diesel::update(this).set(&changed).execute(conn)? == 1)
    }

    /// Removes the configuration if it still has that revision; false where it has not.
    pub fn remove(conn: &mut Conn, configuration: &Self) -> QueryResult<bool> {
        let this =
            configurations::table.filter(configurations::id.eq(&configuration.id).and(configurations::revision.eq(configuration.revision)));
        Ok(diesel::delete(this).execute(conn)? == 1)
    }

    /// Removes all configurations of a venue.
    pub fn remove_of_venue(conn: &mut Conn, venue_id: &str) -> QueryResult<()> {
        diesel::delete(configurations::table.filter(configurations::venue_id.eq(venue_id))).execute(conn)?;
        Ok(())
    }

    /// What people may change.
    pub fn fields(&self) -> ConfigurationFields {
        ConfigurationFields {
            name: self.name.clone(),
            valid_from: self.valid_from.clone(),
            valid_to: self.valid_to.clone(),
            stage: self.stage.clone(),
            seating: self.seating.clone(),
            barriers: self.barriers.clone(),
            locked_doors: serde_json::from_str(&self.locked_doors).unwrap_or_default(),
            capacity: self.capacity.map(|count| count as u32),
            notes: self.notes.clone(),
        }
    }

    /// As the API shows it.
    pub fn shown(&self) -> api::Configuration {
        api::Configuration {
            id: self.id.clone(),
            venue: self.venue_id.clone(),
            fields: self.fields(),
            revision: self.revision,
            created: api::Signature { by: person::shown(&self.created_by), at: rfc3339(self.created_at) },
            updated: api::Signature { by: person::shown(&self.updated_by), at: rfc3339(self.updated_at) },
        }
    }
}
