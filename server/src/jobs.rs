//! Work that outlives a request. One job a file; [`worker`] claims and runs them.

pub mod lease;
pub mod tile_scan;
pub mod worker;

use parterre_model::catalog::Fault;

use crate::config::WorkerConfig;
use crate::db::Database;
use crate::error::{FileFault, fault_of_file};
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

/// Why a job did not get done, and whether trying again can help.
#[derive(Debug)]
pub enum JobError {
    /// The input is at fault: trying again changes nothing. Told to the person as it is.
    BadInput(Fault),
    /// The work was stopped from outside.
    Cancelled,
    /// The machine, the storage, the database or we are at fault. The cause goes to the log; the person gets a code.
    Ours {
        /// Stable code: `storage_failed`, `database_failed`, `internal`.
        code: &'static str,
        /// For the log.
        cause: anyhow::Error,
    },
}

impl JobError {
    /// A fault of the storage.
    pub fn storage(cause: impl Into<anyhow::Error>) -> Self {
        Self::Ours { code: "storage_failed", cause: cause.into() }
    }

    /// A fault of the database.
    pub fn database(cause: impl Into<anyhow::Error>) -> Self {
        Self::Ours { code: "database_failed", cause: cause.into() }
    }

    /// A fault of ours.
    pub fn internal(cause: impl Into<anyhow::Error>) -> Self {
        Self::Ours { code: "internal", cause: cause.into() }
    }

    /// Of working on a file that someone sent under the name `file_name`.
    pub fn of_file(error: parterre_model::Error, file_name: &str) -> Self {
        match fault_of_file(error, file_name) {
            FileFault::Input(fault) => Self::BadInput(fault),
            FileFault::Storage(error) => Self::storage(error),
            FileFault::Cancelled(_) => Self::Cancelled,
            FileFault::Ours(error) => Self::internal(error),
        }
    }

    /// What the job's row says.
    pub fn fault(&self) -> Fault {
        match self {
            Self::BadInput(fault) => fault.clone(),
            Self::Cancelled => Fault::new("cancelled", "the work was stopped before it was done", "Start it again when it is wanted."),
            Self::Ours { code: "storage_failed", .. } => Fault::new(
                "storage_failed",
                "the storage could not be read or written",
                "Check that the service's disk is there and not full, then upload the file again; the service's log has the cause.",
            ),
            Self::Ours { code: "database_failed", .. } => {
                Fault::new("database_failed", "the database could not be used", "Upload the file again; the service's log has the cause.")
            }
            Self::Ours { code, .. } => {
                Fault::new(*code, "something went wrong in the service", "Upload the file again; the service's log has the cause.")
            }
        }
    }
}

impl From<diesel::result::Error> for JobError {
    fn from(error: diesel::result::Error) -> Self {
        Self::database(error)
    }
}

impl From<diesel::r2d2::PoolError> for JobError {
    fn from(error: diesel::r2d2::PoolError) -> Self {
        Self::database(error)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Error as IoError, ErrorKind};

    use super::*;

    #[test]
    fn a_failed_job_does_not_show_where_files_are_stored() {
        for (action, kind) in [("open", ErrorKind::NotFound), ("open", ErrorKind::PermissionDenied), ("read", ErrorKind::Other)] {
            let error = parterre_model::Error::io(action, "/srv/parterre/objects/x", IoError::from(kind));
            let job = JobError::of_file(error, "hall.las");
            assert!(matches!(job, JobError::Ours { code: "storage_failed", .. }), "tried again: {job:?}");
            assert!(!job.fault().message.contains("/srv"), "{job:?}");
        }
    }
}
