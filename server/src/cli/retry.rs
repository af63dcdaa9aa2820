//! `parterre retry`: a failed job again, its tiles made without a service. A service may run on the same catalogue.

use anyhow::Context as _;
use clap::Args;

use super::data::DataArgs;
use super::failure::{Failure, Outcome};
use super::memory::MemoryArgs;
use super::progress::Progress;
use super::{follow, stop};
use crate::jobs::retry::{RetryError, retry};
use crate::jobs::work_folders::sweep;
use crate::jobs::{Context, lease};
use crate::models::scans::Scan;
use crate::models::venues::Venue;
use crate::models::versions::Version;

/// Try a failed job again.
#[derive(Debug, Args)]
pub(super) struct Retry {
    /// Identifier of the job, as the venue page, the API and the service's log name it.
    job: String,
    #[command(flatten)]
    memory: MemoryArgs,
    #[command(flatten)]
    data: DataArgs,
}

impl Retry {
    pub(super) fn run(self, as_json: bool) -> Outcome {
        let stop = stop::on_signals();
        let runtime = follow::runtime()?;
        let context = follow::context(&self.data, self.memory.bytes()?, runtime.handle().clone())?;
        sweep(&context);
        let owner = lease::new_owner();
        let progress = Progress::new();
        retry(&context.database, &context.storage, &self.job, Some(&context.lease(&owner)))?;
        follow::to_the_end(&context, &owner, &self.job, &stop, &progress)?;
        let venue = venue_of(&context, &self.job).map_err(|error| Failure::catalogue(&error))?;
        follow::tell(&context, &venue, &self.job, as_json)
    }
}

fn venue_of(context: &Context, job: &str) -> anyhow::Result<Venue> {
    let mut conn = context.database.get()?;
    let version = Version::of_job(&mut conn, job)?.context("the version is gone")?;
    let scan = Scan::find(&mut conn, &version.scan_id)?.context("the scan is gone")?;
    Venue::find(&mut conn, &scan.venue_id)?.context("the venue is gone")
}

impl From<RetryError> for Failure {
    fn from(error: RetryError) -> Self {
        let message = error.to_string();
        match error {
            RetryError::NotFound(_) => Self::new(
                3,
                "job_not_found",
                message,
                "Check the identifier and --data; the venue page shows it beside the failed version.",
            ),
            RetryError::NotFailed(_) => Self::new(3, "job_not_failed", message, "Only failed jobs can be tried again."),
            RetryError::UploadMissing => Self::new(4, "upload_missing", message, "Import the file again."),
            RetryError::Catalogue(error) => Self::catalogue(&error),
        }
    }
}
