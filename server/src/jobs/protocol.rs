//! What the service and the process of a task say to each other: one JSON document a line.
//!
//! The service writes the task as the first line of the process' standard input and keeps that pipe open. A second line, or the end
//! of the input, tells the process to stop. The process writes messages to its standard output; the last one is the result.
//! What it writes to standard error goes to the service's log.

use std::path::PathBuf;

use parterre_model::catalog::Fault;
use parterre_read::Override;
use serde::{Deserialize, Serialize};

use super::error::JobError;

/// The work of one process.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Task {
    /// Tile one file: the work of a job.
    Tile(TileTask),
    /// Open one file: headers and a sample of its points are read.
    Check(CheckTask),
}

impl Task {
    /// Memory that the system refuses to exceed, in bytes.
    pub fn memory_limit_bytes(&self) -> u64 {
        match self {
            Self::Tile(task) => task.memory_limit_bytes,
            Self::Check(task) => task.memory_limit_bytes,
        }
    }
}

/// Check whether a file can be read.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CheckTask {
    /// The file.
    #[serde(with = "os_path")]
    pub source: PathBuf,
    /// What messages call the file.
    pub file_name: String,
    /// Unit, axis and coordinate system as the person gave them.
    pub overrides: Override,
    /// Memory that the system refuses to exceed, in bytes; see [`super::memory_limit`].
    pub memory_limit_bytes: u64,
}

/// Tile one file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TileTask {
    /// The uploaded file.
    #[serde(with = "os_path")]
    pub source: PathBuf,
    /// Folder of the results and of the tiler's journal.
    #[serde(with = "os_path")]
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
        /// The tiler's report, a JSON document; `null` for a check.
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

/// Paths in any encoding that the system allows: a file name need not be UTF-8.
mod os_path {
    use std::ffi::OsString;
    use std::path::{Path, PathBuf};

    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    pub(super) fn serialize<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
        path.as_os_str().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
        OsString::deserialize(deserializer).map(PathBuf::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn a_path_that_is_not_utf_8_arrives_as_it_was_sent() -> anyhow::Result<()> {
        use std::os::unix::ffi::OsStringExt as _;
        let source = PathBuf::from(std::ffi::OsString::from_vec(b"/scans/th\xe9\xe2tre.las".to_vec()));
        let overrides = Override::default();
        let task = CheckTask { source: source.clone(), file_name: "hall.las".into(), overrides, memory_limit_bytes: 1 };
        let line = serde_json::to_string(&Task::Check(task))?;
        let Task::Check(task) = serde_json::from_str(&line)? else { anyhow::bail!("{line}") };
        assert_eq!(task.source, source);
        Ok(())
    }

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
