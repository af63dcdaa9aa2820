//! The catalogue's types and addresses, shared by the service and the viewer.
//!
//! Identifiers are opaque strings. Times are RFC 3339 in UTC.

use serde::{Deserialize, Serialize};

pub use self::figures::*;
pub use self::publication::*;
pub use self::venue::*;
use crate::error::Error;
use crate::frame::Frame;

mod figures;
mod named;
mod publication;
mod venue;

/// State of a scan or of one version of it.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Waits for a worker.
    Queued,
    /// A worker is running it.
    Running,
    /// Finished.
    Done,
    /// Failed; see the error.
    Failed,
}

/// A fault as HTTP answers and `--json` give it, inside `{"error": …}`.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Stable code in snake case.
    pub code: String,
    /// What happened and where.
    pub message: String,
    /// What to do.
    pub hint: String,
}

impl Fault {
    /// A fault from its parts.
    pub fn new(code: impl Into<String>, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), hint: hint.into() }
    }
}

impl From<&Error> for Fault {
    fn from(error: &Error) -> Self {
        Self { code: error.code().into(), message: error.to_string(), hint: error.hint().into() }
    }
}

/// An error as HTTP answers and `--json` give it.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// The fault.
    pub error: Fault,
}

/// Answer of `POST /api/venues`.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VenueCreated {
    /// Identifier.
    pub id: String,
    /// Name for addresses, unique.
    pub slug: String,
}

/// `GET /api/venues/{id}`; a list of them is `GET /api/venues`.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Venue {
    /// Identifier.
    pub id: String,
    /// Name for addresses, unique.
    pub slug: String,
    /// What people may change.
    #[serde(flatten)]
    pub fields: VenueFields,
    /// Counts the changes of these fields.
    #[serde(default)]
    pub revision: i32,
    /// When it was added.
    pub created_at: String,
    /// The last change, where there was one.
    #[serde(default)]
    pub updated: Option<Signature>,
    /// The first step of deleting, where it was taken.
    #[serde(default)]
    pub withdrawn: Option<Signature>,
    /// Its pictures, oldest first; not in lists.
    #[serde(default)]
    pub pictures: Vec<Picture>,
    /// Its scans, oldest first.
    pub scans: Vec<Scan>,
}

/// `GET /api/venues`.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VenueList {
    /// Venues, by name.
    pub venues: Vec<Venue>,
    /// How many there are in all, this page's and the others'.
    pub total: u64,
    /// Most venues in this answer: as asked for, within the service's bounds.
    #[serde(default)]
    pub limit: u64,
}

/// Answer of `PUT /api/venues/{id}/uploads/{file name}`.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadAccepted {
    /// The scan that the file became a version of.
    pub scan: String,
    /// Which version.
    pub version: u32,
    /// The job that makes its tiles; see `GET /api/jobs/{id}`.
    pub job: String,
}

/// `GET /api/scans/{id}`.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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
    /// Address of the plan of the largest level, once ready.
    pub plan: Option<String>,
    /// Address of the whole tileset as one file for use without a network, once ready.
    #[serde(default)]
    pub bundle: Option<String>,
    /// Bytes of that file.
    #[serde(default)]
    pub bundle_bytes: Option<u64>,
    /// Address of the page that opens it in the browser, once ready.
    #[serde(default)]
    pub viewer: Option<String>,
    /// Points in the tiles, once ready.
    pub points: Option<u64>,
    /// Frame of the scan: its origin, unit and CRS, once ready.
    #[serde(default)]
    #[cfg_attr(feature = "openapi", schema(value_type = Option<Object>))]
    pub frame: Option<Frame>,
    /// Bounds in the scan frame, metres, `[minx, miny, minz, maxx, maxy, maxz]`, once ready.
    #[serde(default)]
    pub bounds: Option<[f64; 6]>,
    /// Problems of the file that did not stop the work, once ready.
    #[serde(default)]
    pub warnings: Vec<Note>,
    /// Address of all points with all their attributes as a COPC file, once ready; it may be read in parts.
    #[serde(default)]
    pub copc: Option<String>,
    /// Bytes of that file.
    #[serde(default)]
    pub copc_bytes: Option<u64>,
    /// A plan of each level, lowest first, once ready.
    #[serde(default)]
    pub plans: Vec<Plan>,
    /// What the scan covers, how dense and how noisy it is, once ready.
    #[serde(default)]
    pub figures: Option<Figures>,
    /// Address of the whole report of the tiling, JSON, once ready.
    #[serde(default)]
    pub report: Option<String>,
    /// Address of the document of scanner positions and pictures, JSON, where the file has some.
    #[serde(default)]
    pub setups: Option<String>,
    /// Number of pictures that the file had in it; that document names them.
    #[serde(default)]
    pub images: u32,
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
    /// Who uploaded it, where that is known.
    #[serde(default)]
    pub created_by: Option<Person>,
    /// Publication state.
    #[serde(default)]
    pub publication: Publication,
    /// The last change of the publication state, where there was one.
    #[serde(default)]
    pub publication_changed: Option<Signature>,
    /// The files that it was made of; not in lists.
    #[serde(default)]
    pub sources: Vec<Source>,
    /// What people know about how it was captured; not in lists.
    #[serde(default)]
    pub survey: Option<Survey>,
    /// Whether the re-verify date of the survey is past.
    #[serde(default)]
    pub is_stale: bool,
}

/// The plan of a level of a scan.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Address of the picture, relative to the service's root.
    pub url: String,
    /// Number of the level, 1 the lowest.
    pub level: u32,
    /// Height of most of the level's floor, metres, in the scan frame.
    pub floor_m: f64,
    /// Height of the next level's floor, of the topmost level that of the highest points, metres.
    pub top_m: f64,
    /// Area of the level's floors, square metres.
    pub area_m2: f64,
}

/// `GET /api/jobs/{id}`.
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
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

/// Address of a version's tileset as one archive, relative to the service's root.
pub fn bundle_path(scan: &str, version: u32) -> String {
    format!("/tiles/{scan}/{version}/tiles.3tz")
}

/// Address of a version's points as COPC, relative to the service's root.
pub fn copc_path(scan: &str, version: u32) -> String {
    format!("/tiles/{scan}/{version}/points.copc.laz")
}

/// Address of a version's report, relative to the service's root.
pub fn report_path(scan: &str, version: u32) -> String {
    format!("/tiles/{scan}/{version}/report.json")
}

/// Address of a version's scanner positions and pictures, relative to the service's root.
pub fn setups_path(scan: &str, version: u32) -> String {
    format!("/tiles/{scan}/{version}/setups.json")
}

/// Address of the plan of a version's level, counted from 1, relative to the service's root.
pub fn level_plan_path(scan: &str, version: u32, level: u32) -> String {
    format!("/pictures/{scan}/{version}/plan-{level}.png")
}

/// Address of a version's thumbnail, relative to the service's root.
pub fn thumbnail_path(scan: &str, version: u32) -> String {
    format!("/pictures/{scan}/{version}/thumbnail.png")
}

/// Address of the plan of a version's largest level, relative to the service's root.
pub fn plan_path(scan: &str, version: u32) -> String {
    format!("/pictures/{scan}/{version}/plan.png")
}

/// Address of a picture of a venue, relative to the service's root.
pub fn venue_picture_path(venue: &str, picture: &str) -> String {
    format!("/api/venues/{venue}/pictures/{picture}")
}

/// Address of the page that opens the web viewer, relative to the service's root.
pub fn viewer_path(scan: &str, version: u32) -> String {
    format!("/view/{scan}/{version}")
}
