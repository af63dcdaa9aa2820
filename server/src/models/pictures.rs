//! Pictures of venues; the files are objects.

use diesel::prelude::*;
use parterre_model::catalog as api;

use crate::db::{Conn, rfc3339};
use crate::person;
use crate::schema::pictures;

/// A picture.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = pictures)]
pub struct Picture {
    /// Identifier.
    pub id: String,
    /// The venue.
    pub venue_id: String,
    /// Where the file is stored.
    pub object_key: String,
    /// Name of the file.
    pub file_name: String,
    /// Bytes.
    pub bytes: i64,
    /// SHA-256, hexadecimal.
    pub sha256: String,
    /// `image/jpeg` or `image/png`.
    pub media_type: String,
    /// Pixels.
    pub width: i32,
    /// Pixels.
    pub height: i32,
    /// What it shows.
    pub caption: Option<String>,
    /// Milliseconds since 1970.
    pub created_at: i64,
    /// Identifier of a person.
    pub created_by: String,
}

impl Picture {
    /// Finds a picture of a venue.
    pub fn find(conn: &mut Conn, venue_id: &str, id: &str) -> QueryResult<Option<Self>> {
        pictures::table.filter(pictures::id.eq(id).and(pictures::venue_id.eq(venue_id))).select(Self::as_select()).first(conn).optional()
    }

    /// The pictures of a venue, oldest first.
    pub fn of_venue(conn: &mut Conn, venue_id: &str) -> QueryResult<Vec<Self>> {
        pictures::table
            .filter(pictures::venue_id.eq(venue_id))
            .order((pictures::created_at, pictures::id))
            .select(Self::as_select())
            .load(conn)
    }

    /// All pictures after this one, in groups by identifier, for checks of the whole catalogue.
    pub fn after(conn: &mut Conn, last: &str, limit: i64) -> QueryResult<Vec<Self>> {
        pictures::table.filter(pictures::id.gt(last)).order(pictures::id).limit(limit).select(Self::as_select()).load(conn)
    }

    /// Adds a picture.
    pub fn create(conn: &mut Conn, picture: &Self) -> QueryResult<()> {
        diesel::insert_into(pictures::table).values(picture).execute(conn)?;
        Ok(())
    }

    /// Removes a picture; false where it is gone already.
    pub fn remove(conn: &mut Conn, id: &str) -> QueryResult<bool> {
        Ok(diesel::delete(pictures::table.find(id)).execute(conn)? == 1)
    }

    /// Whether a row names this object.
    pub fn names(conn: &mut Conn, key: &str) -> QueryResult<bool> {
        let found: Option<String> = pictures::table.filter(pictures::object_key.eq(key)).select(pictures::id).first(conn).optional()?;
        Ok(found.is_some())
    }

    /// As the API shows it.
    pub fn shown(&self) -> api::Picture {
        api::Picture {
            id: self.id.clone(),
            venue: self.venue_id.clone(),
            url: api::venue_picture_path(&self.venue_id, &self.id),
            file_name: self.file_name.clone(),
            bytes: self.bytes as u64,
            sha256: self.sha256.clone(),
            media_type: self.media_type.clone(),
            width: self.width as u32,
            height: self.height as u32,
            caption: self.caption.clone(),
            created: api::Signature { by: person::shown(&self.created_by), at: rfc3339(self.created_at) },
        }
    }
}
