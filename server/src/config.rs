//! Settings, one struct a concern. The command line fills them; the defaults are what `parterre serve` runs with.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::db::DatabaseUrl;

/// Everything that a service needs to know.
#[derive(Clone, Debug)]
pub struct Config {
    /// Rows.
    pub database: DatabaseUrl,
    /// Files.
    pub storage: StorageConfig,
    /// HTTP.
    pub http: HttpConfig,
    /// Jobs.
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

/// Where files are and how large they may be.
#[derive(Clone, Debug)]
pub struct StorageConfig {
    /// Holds `objects/`, `work/` and by default the SQLite file.
    pub dir: PathBuf,
    /// Largest upload, in bytes.
    pub max_upload_bytes: u64,
    /// An upload that sends nothing for so long is given up.
    pub upload_idle: Duration,
}

impl Default for StorageConfig {
    fn default() -> Self {
        Self { dir: "data".into(), max_upload_bytes: 50 << 30, upload_idle: Duration::from_mins(1) }
    }
}

/// How requests are answered.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// Address to listen on; loopback.
    pub listen: SocketAddr,
    /// How many ports after it are tried where it is taken.
    pub port_search: u16,
    /// Holds the built web viewer, now or later.
    pub web_dir: Option<PathBuf>,
    /// Largest JSON body, in bytes.
    pub max_json_bytes: usize,
    /// Longest time from a request's head to its answer's; uploads watch over their own.
    pub answer_time: Duration,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            port_search: 0,
            web_dir: None,
            max_json_bytes: 64 << 10,
            answer_time: Duration::from_secs(30),
        }
    }
}

/// How jobs are worked on.
#[derive(Clone, Debug)]
pub struct WorkerConfig {
    /// Memory that tiling may use, in bytes.
    pub memory_bytes: u64,
    /// Points wanted in a tile.
    pub tile_points: usize,
    /// How long a claim holds without a sign of life.
    pub lease: Duration,
    /// How often the queue is looked at when nobody rings.
    pub poll: Duration,
    /// Claims after which a job is given up.
    pub max_attempts: i32,
    /// Wait before the second attempt; doubled for each after it.
    pub backoff: Duration,
}

impl Default for WorkerConfig {
    fn default() -> Self {
        Self {
            memory_bytes: 512 << 20,
            tile_points: 50_000,
            lease: Duration::from_secs(30),
            poll: Duration::from_secs(1),
            max_attempts: 3,
            backoff: Duration::from_secs(5),
        }
    }
}
