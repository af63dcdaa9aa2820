//! The state that all requests share.

use std::sync::Arc;

use crate::archives::Archives;
use crate::config::Config;
use crate::db::Database;
use crate::jobs::Context;
use crate::jobs::signal::JobSignal;
use crate::storage::Storage;
use crate::tile_cache::TileCache;

/// Most tile archives kept open.
const OPEN_ARCHIVES: usize = 64;

/// State that all requests share.
#[derive(Debug)]
pub struct App {
    /// Settings.
    pub config: Config,
    /// Database of the catalogue.
    pub database: Database,
    /// Storage of files.
    pub storage: Storage,
    /// Open tile archives.
    pub archives: Archives,
    /// Tiles in memory.
    pub tile_cache: TileCache,
    /// Wakes the worker.
    pub job_signal: Arc<JobSignal>,
}

impl App {
    /// Opens database and storage and brings the tables up to date. Blocks.
    pub fn open(config: Config) -> anyhow::Result<Self> {
        let storage = Storage::open(&config.storage.dir)?;
        storage.sweep_incoming();
        let database = Database::open(&config.database)?;
        let tile_cache = TileCache::new(config.http.tile_cache_bytes);
        Ok(Self {
            config,
            database,
            storage,
            archives: Archives::new(OPEN_ARCHIVES),
            tile_cache,
            job_signal: Arc::new(JobSignal::default()),
        })
    }

    /// The context of this service's jobs.
    pub fn job_context(&self, runtime: tokio::runtime::Handle) -> Context {
        Context { database: self.database.clone(), storage: self.storage.clone(), config: self.config.worker.clone(), runtime }
    }
}
