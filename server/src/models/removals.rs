//! Objects that no row names any more. They are listed in the transaction that removes the last row that names them, and removed from the
//! storage after it, also by another service where this one ends in between.

use diesel::prelude::*;

use crate::db::{Conn, now_ms};
use crate::schema::removals;

/// Lists an object. One that is listed already stays so.
pub fn add(conn: &mut Conn, key: &str) -> QueryResult<()> {
    let listed: Option<String> = removals::table.find(key).select(removals::object_key).first(conn).optional()?;
    if listed.is_none() {
        diesel::insert_into(removals::table).values((removals::object_key.eq(key), removals::since.eq(now_ms()))).execute(conn)?;
    }
    Ok(())
}

/// The listed objects after this one, in groups by key.
pub fn after(conn: &mut Conn, last: &str, limit: i64) -> QueryResult<Vec<String>> {
    removals::table.filter(removals::object_key.gt(last)).order(removals::object_key).limit(limit).select(removals::object_key).load(conn)
}

/// Takes an object off the list: it is removed.
pub fn done(conn: &mut Conn, key: &str) -> QueryResult<()> {
    diesel::delete(removals::table.find(key)).execute(conn)?;
    Ok(())
}
