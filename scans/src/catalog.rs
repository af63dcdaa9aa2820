//! The catalogue's types and addresses, shared by the service and the viewer.
//!
//! Identifiers are opaque strings. Times are RFC 3339 in UTC.

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// State of a scan or of one version of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScanState {
    /// The file is stored; its tiles are not made yet.
    Processing,
    /// Tiles can be read.
    Ready,
    /// No tiles could be made; the job says why.
    Failed,
}

/// State of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Waits for a worker.
    Queued,
    /// A worker holds it.
    Running,
    /// Finished.
    Done,
    /// Gave up; see the error.
    Failed,
}

/// A fault as HTTP answers and `--json` give it, inside `{"error": …}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Stable code in snake case.
    pub code: String,
    /// What happened and where.
    pub message: String,
    /// What to do.
    pub hint: String,
}

impl From<&Error> for Fault {
    fn from(error: &Error) -> Self {
        Self { code: error.code().into(), message: error.to_string(), hint: error.hint().into() }
    }
}

/// `GET /api/scans/{id}`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Scan {
    /// Identifier.
    pub id: String,
    /// The venue that the scan shows.
    pub venue: String,
    /// Name, at first the uploaded file's.
    pub name: String,
    /// State of the newest version.
    pub state: ScanState,
    /// Every version, oldest first.
    pub versions: Vec<Version>,
}

/// One immutable version of a scan.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Version {
    /// 1, 2, 3…
    pub version: u32,
    /// State.
    pub state: ScanState,
    /// Address of the tileset, once ready, relative to the service's root.
    pub tileset: Option<String>,
    /// Address of the thumbnail, once ready.
    pub thumbnail: Option<String>,
    /// Address of the plan seen from above, once ready.
    pub plan: Option<String>,
    /// Points in the tiles, once ready.
    pub points: Option<u64>,
    /// Name of the uploaded file.
    pub file_name: String,
    /// Bytes of the uploaded file.
    pub bytes: u64,
    /// SHA-256 of the uploaded file, in hexadecimal.
    pub sha256: String,
    /// The job that makes the tiles.
    pub job: String,
    /// When the upload was complete.
    pub created_at: String,
}

/// `GET /api/jobs/{id}`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    /// Identifier.
    pub id: String,
    /// State.
    pub state: JobState,
    /// What it is doing: `queued`, `read`, `count`, `distribute`, `sample`, `write`, `pictures`, `publish`, `done`.
    pub stage: String,
    /// 0 to 1 over all stages.
    pub progress: f64,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Fault>,
}

/// Address of a version's tileset, relative to the service's root.
pub fn tileset_path(scan: &str, version: u32) -> String {
    format!("/tiles/{scan}/{version}/tileset.json")
}

/// Address of the page that opens the web viewer, relative to the service's root.
pub fn viewer_path(scan: &str, version: u32) -> String {
    format!("/view/{scan}/{version}")
}
