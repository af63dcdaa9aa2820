//! The same flow on PostgreSQL, in a cluster of its own that lives as long as the test.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;

use diesel::prelude::*;
use parterre_server::db::{Conn, Database, DatabaseUrl, write};
use parterre_server::jobs::retry::{RetryError, retry};
use parterre_server::models::jobs::{Job, Lease};
use serde_json::json;
use tempfile::TempDir;

use super::support::{TestApp, las, room};

pub struct Cluster {
    dir: TempDir,
    bin: PathBuf,
    user: Option<&'static str>,
    port: u16,
}

fn bin_dir() -> Option<PathBuf> {
    let mut versions: Vec<PathBuf> =
        std::fs::read_dir("/usr/lib/postgresql").ok()?.flatten().map(|entry| entry.path().join("bin")).collect();
    versions.sort();
    versions.into_iter().rev().find(|bin| bin.join("initdb").exists())
}

impl Cluster {
    /// `None`, with the reason printed, where PostgreSQL is not installed or no user can run it.
    pub fn start() -> Option<Self> {
        let Some(bin) = bin_dir() else {
            eprintln!("skipped: PostgreSQL is not installed");
            return None;
        };
        // It refuses to run as root.
        let root = Command::new("id").arg("-u").output().unwrap().stdout == b"0\n";
        let user = root.then(|| {
            ["postgres", "nobody"].into_iter().find(|user| Command::new("id").arg(user).output().is_ok_and(|id| id.status.success()))
        });
        let user = match user {
            Some(None) => {
                eprintln!("skipped: PostgreSQL does not run as root, and there is no other user");
                return None;
            }
            other => other.flatten(),
        };
        let dir = tempfile::Builder::new().prefix("parterre-postgres-").tempdir_in("/tmp").unwrap();
        if let Some(user) = user {
            std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
            assert!(Command::new("chown").arg(user).arg(dir.path()).status().unwrap().success());
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let cluster = Self { dir, bin, user, port };
        let data = cluster.data();
        cluster.run("initdb", &["-D", &data, "-U", "parterre", "-A", "trust", "-E", "UTF8", "--no-sync"]);
        let options = format!("-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c fsync=off");
        let log = cluster.dir.path().join("log");
        cluster.run("pg_ctl", &["-D", &data, "-w", "-t", "60", "-l", log.to_str().unwrap(), "-o", &options, "start"]);
        Some(cluster)
    }

    fn data(&self) -> String {
        self.dir.path().join("data").to_str().unwrap().to_owned()
    }

    fn command(&self, program: &Path) -> Command {
        let Some(user) = self.user else { return Command::new(program) };
        let mut command = Command::new("setpriv");
        command.args(["--reuid", user, "--regid", user, "--clear-groups", "--"]).arg(program);
        if user == "nobody" {
            command = Command::new("setpriv");
            command.args(["--reuid", user, "--clear-groups", "--"]).arg(program);
        }
        command
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Output {
        let log = std::fs::File::create(self.dir.path().join(format!("{program}.out"))).unwrap();
        // Not a pipe: the server would keep it open.
        let status = self
            .command(&self.bin.join(program))
            .args(arguments)
            .current_dir("/")
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .status()
            .unwrap();
        let told = std::fs::read(self.dir.path().join(format!("{program}.out"))).unwrap();
        assert!(status.success(), "{program}: {}", String::from_utf8_lossy(&told));
        Output { status, stdout: told, stderr: Vec::new() }
    }

    pub fn url(&self) -> DatabaseUrl {
        DatabaseUrl::parse(&format!("postgres://parterre@127.0.0.1:{}/postgres", self.port)).unwrap()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let data = self.data();
        let _ = self.command(&self.bin.join("pg_ctl")).args(["-D", &data, "-m", "immediate", "stop"]).current_dir("/").output();
    }
}

/// Runs a test on SQLite and on PostgreSQL, each with a service of its own.
pub fn on_both(test: impl Fn(&TestApp)) {
    test(&TestApp::start());
    let Some(cluster) = Cluster::start() else { return };
    test(&TestApp::start_with(|config| config.database = cluster.url()));
}

#[derive(Debug, PartialEq, Eq, QueryableByName)]
struct Column {
    #[diesel(sql_type = diesel::sql_types::Text)]
    of: String,
    #[diesel(sql_type = diesel::sql_types::Text)]
    named: String,
    #[diesel(sql_type = diesel::sql_types::Bool)]
    required: bool,
}

fn columns(database: &Database) -> Vec<Column> {
    let sql = match &*database.get().unwrap() {
        Conn::Postgres(_) => {
            "SELECT table_name::text AS of, column_name::text AS named, is_nullable = 'NO' AS required FROM information_schema.columns \
             WHERE table_schema = 'public' AND table_name NOT LIKE '\\_\\_%'"
        }
        Conn::Sqlite(_) => {
            "SELECT m.name AS of, c.name AS named, c.\"notnull\" = 1 AS required FROM sqlite_master m, pragma_table_info(m.name) c \
             WHERE m.type = 'table' AND m.name NOT LIKE '\\_\\_%' ESCAPE '\\' AND m.name NOT LIKE 'sqlite%'"
        }
    };
    let mut found: Vec<Column> = diesel::sql_query(sql).load(&mut *database.get().unwrap()).unwrap();
    found.sort_by(|a, b| (&a.of, &a.named).cmp(&(&b.of, &b.named)));
    found
}

#[test]
fn the_whole_flow_runs_on_postgresql() {
    let Some(cluster) = Cluster::start() else { return };
    let app = TestApp::start_with(|config| config.database = cluster.url());
    let client = &app.client;
    let venue = client.venue("Théâtre");
    let (scan, version) = client.publish("theatre", "room.las", &las(&room(20_000)));
    assert_eq!(version, 1);
    let (again, version) = client.publish(&venue, "room.las", &las(&room(10_000)));
    assert_eq!((again.as_str(), version), (scan.as_str(), 2));
    let shown = client.get(&format!("/api/scans/{scan}")).expect(200).json();
    assert_eq!((&shown["versions"][0]["points"], &shown["versions"][1]["points"]), (&json!(20_000), &json!(10_000)));
    client.get(&format!("/tiles/{scan}/2/tileset.json")).expect(200);
    assert_eq!(client.get("/api/venues?q=THEATRE").json()["total"], 1);
    client.get("/venues/theatre").expect(200);
    client.upload(&venue, "text.las", b"no scan").expect(422);

    // Uploads at the same time get versions of their own.
    let file = Arc::new(las(&room(1000)));
    let uploads: Vec<_> = (0..4)
        .map(|_| {
            let (client, venue, file) = (client.clone(), venue.clone(), Arc::clone(&file));
            std::thread::spawn(move || client.publish(&venue, "room.las", &file).1)
        })
        .collect();
    let mut versions: Vec<u64> = uploads.into_iter().map(|upload| upload.join().unwrap()).collect();
    versions.sort_unstable();
    assert_eq!(versions, [3, 4, 5, 6]);

    let sqlite_dir = tempfile::tempdir().unwrap();
    let sqlite = Database::open(&DatabaseUrl::in_dir(sqlite_dir.path())).unwrap();
    assert_eq!(columns(&app.app.database), columns(&sqlite), "both databases have the same columns");
}

#[test]
fn progress_and_retry_are_kept_on_postgresql() {
    let Some(cluster) = Cluster::start() else { return };
    let mut app = TestApp::start_with(|config| config.database = cluster.url());
    let venue = app.client.venue("Hall");
    // The check of an upload reads only some points; that none has a position is found when all are read.
    let ply = format!(
        "ply\nformat ascii 1.0\nelement vertex 50\nproperty float x\nproperty float y\nproperty float z\nend_header\n{}",
        "nan nan nan\n".repeat(50)
    );
    let accepted = app.client.upload(&venue, "nowhere.ply", ply.as_bytes()).expect(202).json();
    let id = accepted["job"].as_str().unwrap();
    let job = app.client.wait(id);
    assert_eq!((&job["state"], &job["error"]["code"]), (&json!("failed"), &json!("no_points")), "{job}");
    assert_eq!(app.client.get("/api/venues/hall").json()["scans"][0]["state"], "failed");

    app.stop_worker();
    let database = &app.app.database;
    let lease = Lease { owner: "me", for_ms: 60_000 };
    let again = retry(database, &app.app.storage, id, Some(&lease)).unwrap();
    assert_eq!((again.state.as_str(), again.attempts, again.interruptions, again.journal_steps), ("running", 1, 0, 0));
    assert_eq!(app.client.get("/api/venues/hall").json()["scans"][0]["state"], "processing");
    let second = retry(database, &app.app.storage, id, None);
    assert!(matches!(second, Err(RetryError::NotFailed(ref state)) if state == "running"), "{second:?}");
    let mut conn = database.get().unwrap();
    for (steps, is_more) in [(3, true), (3, false), (2, false), (4, true)] {
        assert_eq!(write(&mut conn, |conn| Job::record_progress(conn, id, "me", steps)).unwrap(), is_more, "{steps}");
    }
    assert!(!write(&mut conn, |conn| Job::record_progress(conn, id, "another", 9)).unwrap());
    assert!(Job::heartbeat(&mut conn, id, &Lease { owner: "me", for_ms: -1 }, "count", 0.5).unwrap());
    let other = write(&mut conn, |conn| Job::claim_this(conn, id, &Lease { owner: "other", for_ms: 60_000 })).unwrap();
    let other = other.expect("the lease has expired");
    assert_eq!((other.attempts, other.interruptions, other.journal_steps), (1, 1, 4));
    assert!(write(&mut conn, |conn| Job::put_back(conn, id, "other", 0, true)).unwrap());
    let row = Job::find(&mut conn, id).unwrap().unwrap();
    assert_eq!((row.state.as_str(), row.attempts), ("queued", 0));
}

#[test]
fn two_workers_never_claim_the_same_job() {
    let Some(cluster) = Cluster::start() else { return };
    let database = Database::open(&cluster.url()).unwrap();
    let mut conn = database.get().unwrap();
    for _ in 0..40 {
        write(&mut conn, |conn| Job::enqueue(conn, "none", "{}".into(), 3, None)).unwrap();
    }
    let workers: Vec<_> = (0..4)
        .map(|n| {
            let database = database.clone();
            std::thread::spawn(move || {
                let owner = format!("worker {n}");
                let mut mine = Vec::new();
                while let Some(job) =
                    write(&mut database.get().unwrap(), |conn| Job::claim(conn, &Lease { owner: &owner, for_ms: 60_000 })).unwrap()
                {
                    mine.push(job.id);
                }
                mine
            })
        })
        .collect();
    let mut claimed: Vec<String> = workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect();
    claimed.sort();
    let count = claimed.len();
    claimed.dedup();
    assert_eq!((count, claimed.len()), (40, 40));
}
