//! Databases of the release before are brought up to date and back, and the queries of lists have an index.

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::Text;
use parterre_server::db::{Conn, Database, DatabaseUrl};
use parterre_server::models::scans::Scan;
use parterre_server::models::sources::Source;
use parterre_server::models::venues::Venue;
use parterre_server::models::versions::Version;

use super::postgres::Cluster;

const SQLITE: &str = include_str!("../data/release-2026-11-25/sqlite.sql");
const POSTGRES: &str = include_str!("../data/release-2026-11-25/postgres.sql");
const NEW: &str = "20261126000000";

fn count(database: &Database, sql: &str) -> Result<i64, diesel::result::Error> {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        count: i64,
    }
    diesel::sql_query(sql).get_result::<Count>(&mut *database.get().unwrap()).map(|found| found.count)
}

fn up_down_up(database: &Database) {
    assert_eq!(database.migrate().unwrap(), [NEW]);
    let check = || {
        let mut conn = database.get().unwrap();
        let venue = Venue::find(&mut conn, "theatre-de-la-ville").unwrap().unwrap();
        assert_eq!((venue.name.as_str(), venue.revision, venue.kind.as_str()), ("Théâtre de la Ville", 1, "other"));
        let scans = Scan::of_venues(&mut conn, &[venue.id]).unwrap();
        let made: Vec<(&str, i32)> = scans.iter().map(|scan| (scan.name.as_str(), scan.versions_made)).collect();
        assert_eq!(made, [("room.las", 2), ("balcony.las", 1)]);
        let version = Version::find(&mut conn, &scans[0].id, 2).unwrap().unwrap();
        assert_eq!((version.publication.as_str(), version.points, version.created_by), ("draft", Some(300), None));
        let sources = Source::of_version(&mut conn, &scans[0].id, 2).unwrap();
        assert_eq!(sources.len(), 1);
        assert_eq!((&sources[0].object_key, &sources[0].sha256), (&version.source_key, &version.sha256));
        assert_eq!(Version::next_number(&mut conn, &scans[1]).unwrap(), 2);
        let bauer = Venue::find(&mut conn, "stade-bauer").unwrap().unwrap();
        let failed = Scan::of_venues(&mut conn, &[bauer.id]).unwrap();
        assert_eq!(Version::find(&mut conn, &failed[0].id, 1).unwrap().unwrap().state, "failed");
    };
    check();
    assert_eq!(database.migrate_down(1).unwrap(), [NEW]);
    assert_eq!(count(database, "SELECT count(*) AS count FROM versions").unwrap(), 4, "the rows of the release before stay");
    assert!(count(database, "SELECT count(*) AS count FROM sources").is_err());
    assert_eq!(database.migrate().unwrap(), [NEW]);
    check();
    assert_eq!(database.migrate().unwrap(), Vec::<String>::new());
}

#[test]
fn a_database_of_the_release_before_is_brought_up_to_date_and_back() {
    let dir = tempfile::tempdir().unwrap();
    let database = Database::connect(&DatabaseUrl::in_dir(dir.path())).unwrap();
    database.get().unwrap().batch_execute(SQLITE).unwrap();
    up_down_up(&database);
    indexes_are_used(&database);
    assert_eq!(database.migrate_down(99).unwrap().len(), 4, "all the way down");

    let Some(cluster) = Cluster::start() else { return };
    let database = Database::connect(&cluster.url()).unwrap();
    database.get().unwrap().batch_execute(POSTGRES).unwrap();
    up_down_up(&database);
    indexes_are_used(&database);
    assert_eq!(database.migrate_down(99).unwrap().len(), 4);
}

#[derive(QueryableByName)]
struct SqliteStep {
    #[diesel(sql_type = Text)]
    detail: String,
}

#[derive(QueryableByName)]
struct PostgresStep {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    line: String,
}

fn indexes_are_used(database: &Database) {
    let mut conn = database.get().unwrap();
    for sql in [
        "SELECT * FROM venues WHERE withdrawn_at IS NULL ORDER BY name_folded, id LIMIT 100",
        "SELECT * FROM venues WHERE withdrawn_at IS NOT NULL ORDER BY name_folded, id LIMIT 100",
        "SELECT * FROM venues WHERE name_folded = 'x' OR slug = 'x'",
        "SELECT * FROM scans WHERE venue_id IN ('a', 'b')",
        "SELECT * FROM versions WHERE scan_id IN ('a', 'b') ORDER BY scan_id, version",
        "SELECT * FROM versions WHERE scan_id = 'a' AND publication = 'published'",
        "SELECT * FROM sources WHERE scan_id IN ('a', 'b')",
        "SELECT * FROM sources WHERE sha256 = 'a' AND bytes = 1",
        "SELECT * FROM sources WHERE object_key = 'a'",
        "SELECT * FROM surveys WHERE scan_id IN ('a', 'b')",
        "SELECT * FROM levels WHERE venue_id = 'a' ORDER BY ordinal",
        "SELECT * FROM configurations WHERE venue_id = 'a' ORDER BY created_at, id",
        "SELECT * FROM pictures WHERE venue_id = 'a' ORDER BY created_at, id",
        "SELECT * FROM history WHERE venue_id = 'a' ORDER BY at DESC, id DESC LIMIT 20",
        "SELECT * FROM history WHERE subject = 'venue' AND subject_id = 'a' AND revision > 1 ORDER BY at, id",
        "SELECT * FROM removals WHERE object_key > 'a' ORDER BY object_key LIMIT 500",
    ] {
        let plan: Vec<String> = match &mut *conn {
            Conn::Sqlite(conn) => {
                let steps: Vec<SqliteStep> = diesel::sql_query(format!("EXPLAIN QUERY PLAN {sql}")).load(conn).unwrap();
                steps.into_iter().map(|step| step.detail).collect()
            }
            Conn::Postgres(conn) => {
                // Small tables are read whole whatever there is; then an index is used only if one can be.
                conn.batch_execute("SET enable_seqscan = off").unwrap();
                let steps: Vec<PostgresStep> = diesel::sql_query(format!("EXPLAIN {sql}")).load(conn).unwrap();
                steps.into_iter().map(|step| step.line).collect()
            }
        };
        let plan = plan.join("\n");
        let reads_all = plan.contains("Seq Scan") || plan.lines().any(|line| line.starts_with("SCAN ") && !line.contains("USING INDEX"));
        assert!(!reads_all && !plan.contains("TEMP B-TREE FOR ORDER BY"), "{sql}\n{plan}");
    }
}
