//! One connection type for both databases.

use diesel::{PgConnection, SqliteConnection};

/// A connection to either database.
#[derive(diesel::MultiConnection)]
pub enum Conn {
    /// A server.
    Postgres(PgConnection),
    /// A file.
    Sqlite(SqliteConnection),
}
