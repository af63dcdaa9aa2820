//! The database: SQLite in a file or PostgreSQL, behind one connection type and one pool.
//!
//! Reads use a connection as it comes. Everything that changes rows goes through [`write`], which takes SQLite's write
//! lock at the start (`BEGIN IMMEDIATE`): a transaction that starts by reading and then writes could otherwise fail
//! half-way because another process wrote in between.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use diesel::connection::{AnsiTransactionManager, Connection as _, SimpleConnection as _, TransactionManager as _};
use diesel::migration::MigrationVersion;
use diesel::r2d2::{ManageConnection, Pool, PooledConnection, R2D2Connection as _};
use diesel::{PgConnection, QueryResult, SqliteConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness as _, embed_migrations};

pub use self::conn::Conn;

mod conn;

const SQLITE: EmbeddedMigrations = embed_migrations!("../migrations/sqlite");
const POSTGRES: EmbeddedMigrations = embed_migrations!("../migrations/postgres");

/// A connection from the pool.
pub type Pooled = PooledConnection<Manager>;

/// Address of the database.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// `postgres://…`.
    Postgres(String),
    /// A file.
    Sqlite(PathBuf),
}

impl DatabaseUrl {
    /// Reads `postgres://…`, `postgresql://…`, `sqlite:PATH` or a bare path.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        let path = text.strip_prefix("sqlite://").or_else(|| text.strip_prefix("sqlite:")).unwrap_or(text);
        if path.is_empty() {
            return Err("the database's address is empty".into());
        }
        if path.contains("://") {
            return Err("only postgres:// addresses and SQLite files are known".into());
        }
        Ok(Self::Sqlite(path.into()))
    }

    /// The SQLite file that belongs to a data folder.
    pub fn in_dir(dir: &Path) -> Self {
        Self::Sqlite(dir.join("parterre.sqlite"))
    }
}

/// Without the password that a PostgreSQL address may hold.
impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Postgres(url) => {
                let after = url.split_once("://").map_or("", |(_, rest)| rest);
                write!(f, "postgres://{}", after.rsplit_once('@').map_or(after, |(_, host)| host))
            }
            Self::Sqlite(path) => write!(f, "{}", path.display()),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Opens connections for the pool.
#[derive(Debug)]
pub struct Manager(DatabaseUrl);

impl ManageConnection for Manager {
    type Connection = Conn;
    type Error = diesel::r2d2::Error;

    fn connect(&self) -> Result<Conn, Self::Error> {
        match &self.0 {
            DatabaseUrl::Postgres(url) => PgConnection::establish(url).map(Conn::Postgres).map_err(diesel::r2d2::Error::ConnectionError),
            DatabaseUrl::Sqlite(path) => {
                let mut conn = SqliteConnection::establish(&path.to_string_lossy()).map_err(diesel::r2d2::Error::ConnectionError)?;
                // The time-out comes first: changing to WAL takes a lock that another process may hold.
                conn.batch_execute(
                    "PRAGMA busy_timeout = 15000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;",
                )
                .map_err(diesel::r2d2::Error::QueryError)?;
                Ok(Conn::Sqlite(conn))
            }
        }
    }

    fn is_valid(&self, conn: &mut Conn) -> Result<(), Self::Error> {
        conn.ping().map_err(diesel::r2d2::Error::QueryError)
    }

    fn has_broken(&self, conn: &mut Conn) -> bool {
        std::thread::panicking() || conn.is_broken()
    }
}

/// A pool of connections.
#[derive(Clone, Debug)]
pub struct Database {
    pool: Pool<Manager>,
}

impl Database {
    /// Connects, and brings the tables up to date. Blocks.
    pub fn open(url: &DatabaseUrl) -> anyhow::Result<Self> {
        let database = Self::connect(url)?;
        database.migrate()?;
        Ok(database)
    }

    /// Connects. Blocks for at most ten seconds.
    pub fn connect(url: &DatabaseUrl) -> anyhow::Result<Self> {
        if let DatabaseUrl::Sqlite(path) = url
            && let Some(dir) = path.parent()
        {
            std::fs::create_dir_all(dir).with_context(|| format!("failed to make the folder {}", dir.display()))?;
        }
        let pool = Pool::builder()
            .max_size(8)
            .min_idle(Some(1))
            .connection_timeout(Duration::from_secs(10))
            .error_handler(Box::new(LogErrors))
            .build(Manager(url.clone()))
            .with_context(|| format!("failed to connect to the database {url}"))?;
        Ok(Self { pool })
    }

    /// A connection. Blocks until one is free, for at most ten seconds.
    pub fn get(&self) -> Result<Pooled, diesel::r2d2::PoolError> {
        self.pool.get()
    }

    /// Brings the tables up to date; returns the names of the migrations that ran.
    pub fn migrate(&self) -> anyhow::Result<Vec<String>> {
        let names = |versions: Vec<MigrationVersion<'_>>| versions.iter().map(ToString::to_string).collect();
        self.with_migrations("failed to bring the database up to date", |conn| match conn {
            Conn::Sqlite(conn) => conn.run_pending_migrations(SQLITE).map(names),
            Conn::Postgres(conn) => conn.run_pending_migrations(POSTGRES).map(names),
        })
    }

    /// Undoes at most this many migrations, the last first; returns their names.
    pub fn migrate_down(&self, count: u16) -> anyhow::Result<Vec<String>> {
        self.with_migrations("failed to undo a migration", |conn| {
            let mut undone = Vec::new();
            for _ in 0..count {
                let applied = match conn {
                    Conn::Sqlite(conn) => conn.applied_migrations()?.len(),
                    Conn::Postgres(conn) => conn.applied_migrations()?.len(),
                };
                if applied == 0 {
                    break;
                }
                let name = match conn {
                    Conn::Sqlite(conn) => conn.revert_last_migration(SQLITE)?.to_string(),
                    Conn::Postgres(conn) => conn.revert_last_migration(POSTGRES)?.to_string(),
                };
                undone.push(name);
            }
            Ok(undone)
        })
    }

    /// Runs migrations; on PostgreSQL under a lock, since several services may start at once. The lock goes with the connection if this
    /// process dies.
    fn with_migrations<T>(&self, failed: &'static str, work: impl FnOnce(&mut Conn) -> diesel::migration::Result<T>) -> anyhow::Result<T> {
        let mut conn = self.get().context("failed to connect to the database")?;
        if let Conn::Postgres(conn) = &mut *conn {
            conn.batch_execute("SELECT pg_advisory_lock(7077010001)").context("failed to lock the database")?;
        }
        let done = work(&mut conn);
        if let Conn::Postgres(conn) = &mut *conn {
            conn.batch_execute("SELECT pg_advisory_unlock(7077010001)").context("failed to unlock the database")?;
        }
        done.map_err(|error| anyhow::anyhow!(error)).context(failed)
    }
}

/// Logs errors of the pool as warnings; the caller gets the error itself.
#[derive(Debug)]
struct LogErrors;

impl<E: std::error::Error> diesel::r2d2::HandleError<E> for LogErrors {
    fn handle_error(&self, error: E) {
        tracing::warn!(%error, "a database connection failed");
    }
}

/// Runs `work` in a transaction that may write; an error undoes it.
pub fn write<T, E: From<diesel::result::Error>>(conn: &mut Conn, work: impl FnOnce(&mut Conn) -> Result<T, E>) -> Result<T, E> {
    begin(conn)?;
    match work(conn) {
        Ok(value) => {
            commit(conn)?;
            Ok(value)
        }
        Err(error) => {
            // The first error is the one to tell; the pool throws the connection away if this fails too.
            if let Err(error) = rollback(conn) {
                tracing::warn!(%error, "a transaction could not be rolled back");
            }
            Err(error)
        }
    }
}

fn begin(conn: &mut Conn) -> QueryResult<()> {
    match conn {
        Conn::Sqlite(conn) => AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN IMMEDIATE"),
        Conn::Postgres(conn) => AnsiTransactionManager::begin_transaction(conn),
    }
}

fn commit(conn: &mut Conn) -> QueryResult<()> {
    match conn {
        Conn::Sqlite(conn) => AnsiTransactionManager::commit_transaction(conn),
        Conn::Postgres(conn) => AnsiTransactionManager::commit_transaction(conn),
    }
}

fn rollback(conn: &mut Conn) -> QueryResult<()> {
    match conn {
        Conn::Sqlite(conn) => AnsiTransactionManager::rollback_transaction(conn),
        Conn::Postgres(conn) => AnsiTransactionManager::rollback_transaction(conn),
    }
}

/// Limits the time that this transaction waits for locks: the transaction of a dead client may hold them.
/// SQLite does so by itself.
pub fn wait_shortly(conn: &mut Conn) -> QueryResult<()> {
    match conn {
        Conn::Sqlite(_) => Ok(()),
        Conn::Postgres(conn) => conn.batch_execute("SET LOCAL lock_timeout = '15s'"),
    }
}

/// Finds out whether a writing transaction that ended with an error was written: the connection may have broken after the
/// commit. `look` searches for what the transaction writes, and takes the same locks.
///
/// # Errors
/// The transaction's own error, with whether it is certain that nothing was written.
pub fn settle<T, E, L: fmt::Display>(written: Result<T, E>, look: impl FnOnce() -> Result<Option<T>, L>) -> Result<T, (E, bool)> {
    let error = match written {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    match look() {
        Ok(Some(value)) => {
            tracing::warn!("a transaction that ended with an error was written nevertheless");
            Ok(value)
        }
        Ok(None) => Err((error, true)),
        Err(unknown) => {
            tracing::warn!("it is not known whether a transaction was written; what it names is kept: {unknown:#}");
            Err((error, false))
        }
    }
}

/// Milliseconds since 1970 in UTC, as times are stored.
pub fn now_ms() -> i64 {
    (time::OffsetDateTime::now_utc().unix_timestamp_nanos() / 1_000_000) as i64
}

/// RFC 3339 in UTC, as the API gives times.
pub fn rfc3339(ms: i64) -> String {
    time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000)
        .ok()
        .and_then(|time| time.format(&time::format_description::well_known::Rfc3339).ok())
        .unwrap_or_default()
}

/// A new identifier: unique everywhere, sorts by time.
pub fn new_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_apart_and_passwords_not_shown() {
        assert_eq!(DatabaseUrl::parse("data/a.sqlite"), Ok(DatabaseUrl::Sqlite("data/a.sqlite".into())));
        assert_eq!(DatabaseUrl::parse("sqlite:///tmp/a"), Ok(DatabaseUrl::Sqlite("/tmp/a".into())));
        assert_eq!(DatabaseUrl::parse("sqlite:a"), Ok(DatabaseUrl::Sqlite("a".into())));
        assert!(DatabaseUrl::parse("").is_err());
        assert!(DatabaseUrl::parse("mysql://x").is_err());
        let shown = DatabaseUrl::parse("postgres://me:secret@host/db").map(|url| url.to_string());
        assert_eq!(shown.as_deref(), Ok("postgres://host/db"));
    }

    #[test]
    fn only_a_certain_failure_counts_as_one() {
        type Look = Result<Option<u8>, &'static str>;
        let none: fn() -> Look = || Ok(None);
        assert_eq!(settle(Ok::<_, &str>(1), none), Ok(1));
        assert_eq!(settle(Err("broken"), none), Err(("broken", true)));
        assert_eq!(settle(Err("broken"), || -> Look { Ok(Some(2)) }), Ok(2));
        assert_eq!(settle(Err("broken"), || -> Look { Err("no database") }), Err(("broken", false)));
    }

    #[test]
    fn a_failed_transaction_leaves_nothing() -> anyhow::Result<()> {
        use crate::schema::venues;
        use diesel::prelude::*;

        let dir = tempfile::tempdir()?;
        let database = Database::open(&DatabaseUrl::in_dir(dir.path()))?;
        let mut conn = database.get()?;
        let result: anyhow::Result<()> = write(&mut conn, |conn| {
            diesel::insert_into(venues::table)
                .values((
                    venues::id.eq("a"),
                    venues::slug.eq("a"),
                    venues::name.eq("a"),
                    venues::name_folded.eq("a"),
                    venues::created_at.eq(1_i64),
                ))
                .execute(conn)?;
            anyhow::bail!("no")
        });
        assert!(result.is_err());
        assert_eq!(venues::table.count().get_result::<i64>(&mut *conn)?, 0);
        Ok(())
    }
}
