//! Starting a failed job again.

use anyhow::Context as _;

use crate::db::{Database, write};
use crate::models::jobs::{Job, Lease};
use crate::models::versions::Version;
use crate::storage::Storage;

/// Why a job could not be started again.
#[derive(Debug, thiserror::Error)]
pub enum RetryError {
    /// There is no such job.
    #[error("there is no job {0:?}")]
    NotFound(String),
    /// Only failed jobs are started again.
    #[error("the job has not failed: it is {0}")]
    NotFailed(String),
    /// The uploaded file is not in the storage any more.
    #[error("the uploaded file of this job is not in the storage any more")]
    UploadMissing,
    /// The database or the storage failed.
    #[error(transparent)]
    Catalogue(#[from] anyhow::Error),
}

impl From<diesel::result::Error> for RetryError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Catalogue(error.into())
    }
}

/// Starts a failed job again, from the beginning and with all its attempts: its version is being processed again. With a lease the job is
/// running and held by the caller, else it is in the queue. Blocks.
pub fn retry(database: &Database, storage: &Storage, id: &str, lease: Option<&Lease<'_>>) -> Result<Job, RetryError> {
    let mut conn = database.get().context("failed to connect to the database")?;
    let job = Job::find(&mut conn, id)?.ok_or_else(|| RetryError::NotFound(id.to_owned()))?;
    let version = Version::of_job(&mut conn, id)?.ok_or_else(|| RetryError::NotFound(id.to_owned()))?;
    if job.state != "failed" {
        return Err(RetryError::NotFailed(job.state));
    }
    if !storage.path(&version.source_key).context("the key of the uploaded file is invalid")?.is_file() {
        return Err(RetryError::UploadMissing);
    }
    let job = write(&mut conn, |conn| match Job::retry(conn, id, lease)? {
        Some(job) if Version::retry_of_job(conn, id)? => Ok(job),
        // Somebody was faster: this transaction is undone.
        _ => Err(RetryError::NotFailed("started again already".to_owned())),
    })?;
    tracing::info!(job = job.id, "a failed job is started again");
    Ok(job)
}
