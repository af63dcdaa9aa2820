//! What jobs work with.

use crate::config::WorkerConfig;
use crate::db::Database;
use crate::models::jobs::Lease;
use crate::storage::Storage;

/// What jobs work with.
#[derive(Clone, Debug)]
pub struct Context {
    /// Rows.
    pub database: Database,
    /// Files.
    pub storage: Storage,
    /// Settings.
    pub config: WorkerConfig,
    /// Runs the storage's work for threads that block.
    pub runtime: tokio::runtime::Handle,
}

impl Context {
    /// The lease that a claim of this owner gets.
    pub fn lease<'a>(&self, owner: &'a str) -> Lease<'a> {
        Lease { owner, for_ms: self.config.lease.as_millis() as i64 }
    }
}
