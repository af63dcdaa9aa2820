//! Settings, one struct per area. The command line fills them; the defaults are those of `parterre serve`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::db::DatabaseUrl;

/// All settings of a service.
#[derive(Clone, Debug)]
pub struct Config {
    /// Database of the catalogue.
    pub database: DatabaseUrl,
    /// Storage of files.
    pub storage: StorageConfig,
    /// HTTP server.
    pub http: HttpConfig,
    /// Worker that runs jobs.
    pub worker: WorkerConfig,
}

impl Config {
    /// The defaults for a data folder.
    pub fn in_dir(dir: impl Into<PathBuf>) -> Self {
        let dir = dir.into();
        Self {
            database: DatabaseUrl::in_dir(&dir),
            storage: StorageConfig { dir, ..StorageConfig::default() },
            http: HttpConfig::default(),
            worker: WorkerConfig::default(),
        }
    }
}

/// Where files are stored, and limits of uploads.
#[derive(Clone, Debug)]
pub struct StorageConfig {
    /// Holds `objects/`, `work/` and by default the SQLite file.
    pub dir: PathBuf,
    /// Largest upload, in bytes.
    pub max_upload_bytes: u64,
    /// Longest time without data before an upload is cancelled.
    pub upload_idle: Duration,
    /// How often a running service removes what interrupted uploads have left.
    pub sweep_every: Duration,
}

impl Default for StorageConfig {
    fn default() -> Self {
        Self { dir: "data".into(), max_upload_bytes: 50 << 30, upload_idle: Duration::from_mins(1), sweep_every: Duration::from_mins(1) }
    }
}

/// How requests are answered.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// Address to listen on; loopback.
    pub listen: SocketAddr,
    /// How many following ports are tried when that one is in use.
    pub port_search: u16,
    /// Folder of the built web viewer; it may be filled while the service runs.
    pub web_dir: Option<PathBuf>,
    /// Largest JSON body, in bytes.
    pub max_json_bytes: usize,
    /// Memory for frequently requested tiles, in bytes; 0 turns the cache off.
    pub tile_cache_bytes: u64,
    /// Longest time from the head of a request to the head of its answer. Uploads have `upload_idle` instead.
    pub answer_time: Duration,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            port_search: 0,
            web_dir: None,
            max_json_bytes: 64 << 10,
            tile_cache_bytes: 64 << 20,
            answer_time: Duration::from_secs(30),
        }
    }
}

/// How jobs are worked on.
#[derive(Clone, Debug)]
pub struct WorkerConfig {
    /// The program that is started for each job and for each check of a file, with the subcommand `run-job`.
    pub program: PathBuf,
    /// Memory that tiling plans with, in bytes.
    pub memory_bytes: u64,
    /// Memory that the system refuses to exceed to the process of a job or a check, in bytes; by default
    /// [`memory_limit::limit_bytes`](crate::jobs::memory_limit::limit_bytes) of `memory_bytes`.
    pub memory_limit_bytes: Option<u64>,
    /// Points wanted in a tile.
    pub tile_points: usize,
    /// How long a claim holds without a heartbeat.
    pub lease: Duration,
    /// How often the queue is looked at when nothing is signalled.
    pub poll: Duration,
    /// Attempts in a row that fail without progress before the job fails.
    pub max_attempts: i32,
    /// Attempts in a row that the service does not survive, without progress, before the job fails.
    pub max_interruptions: i32,
    /// Wait before the second attempt; doubled for each after it.
    pub backoff: Duration,
    /// How long the process of a job may take to stop before it is killed.
    pub stop_time: Duration,
    /// How long the check of an upload may take; it reads headers and a sample only.
    pub check_time: Duration,
}

impl Default for WorkerConfig {
    fn default() -> Self {
        Self {
            program: own_program(),
            memory_bytes: 512 << 20,
            memory_limit_bytes: None,
            tile_points: 50_000,
            lease: Duration::from_secs(30),
            poll: Duration::from_secs(1),
            max_attempts: 3,
            max_interruptions: 10,
            backoff: Duration::from_secs(5),
            stop_time: Duration::from_secs(10),
            check_time: Duration::from_mins(1),
        }
    }
}

/// The program that runs jobs: this one. On Linux by a name that stays valid when the file is replaced by a newer release.
fn own_program() -> PathBuf {
    let link = Path::new("/proc/self/exe");
    if cfg!(target_os = "linux") && link.exists() {
        return link.to_path_buf();
    }
    std::env::current_exe().unwrap_or_else(|_| PathBuf::from("parterre"))
}
