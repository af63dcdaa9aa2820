//! The files that versions were made of. Several may name the same object: a file that is uploaded twice is stored once.

use diesel::prelude::*;

use crate::db::Conn;
use crate::schema::sources;

/// A file that a version was made of.
#[derive(Clone, Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = sources)]
pub struct Source {
    /// Identifier of the upload.
    pub id: String,
    /// The scan.
    pub scan_id: String,
    /// Its version.
    pub version: i32,
    /// 1, 2, 3…
    pub number: i32,
    /// Name of the uploaded file.
    pub file_name: String,
    /// Bytes.
    pub bytes: i64,
    /// SHA-256, hexadecimal.
    pub sha256: String,
    /// Where it is stored.
    pub object_key: String,
}

impl Source {
    /// Adds a file.
    pub fn create(conn: &mut Conn, source: &Self) -> QueryResult<()> {
        diesel::insert_into(sources::table).values(source).execute(conn)?;
        Ok(())
    }

    /// The file of an upload.
    pub fn find(conn: &mut Conn, id: &str) -> QueryResult<Option<Self>> {
        sources::table.find(id).select(Self::as_select()).first(conn).optional()
    }

    /// A file with this content, locked against being removed; to be called in a writing transaction.
    pub fn of_content_held(conn: &mut Conn, sha256: &str, bytes: i64) -> QueryResult<Option<Self>> {
        macro_rules! of_content {
            () => {
                sources::table.filter(sources::sha256.eq(sha256).and(sources::bytes.eq(bytes))).select(Self::as_select())
            };
        }
        match conn {
            Conn::Postgres(conn) => of_content!().for_update().first(conn).optional(),
            Conn::Sqlite(conn) => of_content!().first(conn).optional(),
        }
    }

    /// The files of these scans' versions, in their order.
    pub fn of_scans(conn: &mut Conn, scan_ids: &[String]) -> QueryResult<Vec<Self>> {
        sources::table
            .filter(sources::scan_id.eq_any(scan_ids))
            .order((sources::scan_id, sources::version, sources::number))
            .select(Self::as_select())
            .load(conn)
    }

    /// The files of one version, in their order.
    pub fn of_version(conn: &mut Conn, scan_id: &str, version: i32) -> QueryResult<Vec<Self>> {
        sources::table
            .filter(sources::scan_id.eq(scan_id).and(sources::version.eq(version)))
            .order(sources::number)
            .select(Self::as_select())
            .load(conn)
    }

    /// Removes the rows of one version.
    pub fn remove_of_version(conn: &mut Conn, scan_id: &str, version: i32) -> QueryResult<()> {
        diesel::delete(sources::table.filter(sources::scan_id.eq(scan_id).and(sources::version.eq(version)))).execute(conn)?;
        Ok(())
    }

    /// Whether a row names this object.
    pub fn names(conn: &mut Conn, key: &str) -> QueryResult<bool> {
        let found: Option<String> = sources::table.filter(sources::object_key.eq(key)).select(sources::id).first(conn).optional()?;
        Ok(found.is_some())
    }
}
