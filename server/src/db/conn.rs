//! One connection type for both databases.

#![expect(missing_docs, reason = "diesel's derive makes public items without")]

use diesel::{PgConnection, SqliteConnection};

/// A connection to either database.
#[derive(diesel::MultiConnection)]
pub enum Conn {
    /// A server.
    Postgres(PgConnection),
    /// A file.
    Sqlite(SqliteConnection),
}
