//! What the service and the process of a job say to each other: one JSON document a line.
//!
//! The service writes the task as the first line of the process' standard input and keeps that pipe open. A second line, or the end
//! of the input, tells the process to stop. The process writes messages to its standard output; the last one is the result.
//! What it writes to standard error goes to the service's log.

use std::path::PathBuf;

use parterre_model::catalog::Fault;
use parterre_read::Override;
use serde::{Deserialize, Serialize};

use super::error::JobError;

/// The work of one process: tile one file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TileTask {
    /// The uploaded file.
    pub source: PathBuf,
    /// Folder of the results and of the tiler's journal.
    pub work_dir: PathBuf,
    /// Name under which the file was uploaded, for messages.
    pub file_name: String,
    /// Unit, axis and coordinate system as the uploader gave them.
    pub overrides: Override,
    /// Identifies the work: a journal with another fingerprint is not resumed.
    pub fingerprint: String,
    /// Memory that the tiler plans with, in bytes.
    pub memory_bytes: u64,
    /// Memory that the system refuses to exceed, in bytes; see [`super::memory_limit`].
    pub memory_limit_bytes: u64,
    /// Points wanted in a tile.
    pub tile_points: usize,
}

/// A line from the process.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Message {
    /// Where the work stands.
    Progress {
        /// The tiler's stage.
        stage: String,
        /// 0 to 1 over all stages of the tiler.
        fraction: f64,
    },
    /// The work is done, the files are in the work folder.
    Done {
        /// The tiler's report, a JSON document.
        report: String,
    },
    /// The work failed.
    Failed(Failure),
}

/// Why the work failed; [`JobError`] in a form that can be sent.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Failure {
    /// The input is at fault.
    BadInput(Fault),
    /// The service told the process to stop.
    Cancelled,
    /// Everything else.
    Service {
        /// Stable code.
        code: String,
        /// For the service's log.
        cause: String,
    },
}

impl From<JobError> for Failure {
    fn from(error: JobError) -> Self {
        match error {
            JobError::BadInput(fault) => Self::BadInput(fault),
            JobError::Cancelled => Self::Cancelled,
            JobError::Service { code, cause } => Self::Service { code: code.to_owned(), cause: format!("{cause:#}") },
        }
    }
}

impl From<Failure> for JobError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::BadInput(fault) => Self::BadInput(fault),
            Failure::Cancelled => Self::Cancelled,
            Failure::Service { code, cause } => Self::service(&code, anyhow::anyhow!(cause)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_arrives_as_it_was_sent() {
        let sent = [
            JobError::BadInput(Fault::new("las_truncated", "hall.las: it ends early", "Copy it again.")),
            JobError::Cancelled,
            JobError::service("out_of_memory", anyhow::anyhow!("no memory for threads")),
            JobError::service("disk_full", anyhow::anyhow!("no room")),
            JobError::internal(anyhow::anyhow!("a panic")),
        ];
        for error in sent {
            let fault = error.fault();
            let line = serde_json::json!(Message::Failed(error.into())).to_string();
            assert!(!line.contains('\n'), "{line}");
            let Ok(Message::Failed(failure)) = serde_json::from_str(&line) else { panic!("{line}") };
            assert_eq!(JobError::from(failure).fault(), fault);
        }
    }
}
