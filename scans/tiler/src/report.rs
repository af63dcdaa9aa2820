//! What a run did: the content of `report.json`.

use serde::{Deserialize, Serialize};

use parterre_model::Warning;
use parterre_model::frame::Frame;
use parterre_model::points::Attributes;
use parterre_model::setup::Setup;
use parterre_raster::Level;
use parterre_raster::survey::Survey;

/// Version of the report's layout.
pub const REPORT_VERSION: u32 = 2;

/// What a run did with every point. Written as `report.json`; `points_in == points_out + points_dropped`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// Version of this document.
    pub report_version: u32,
    /// Points read.
    pub points_in: u64,
    /// Points in the octree: in `tiles.3tz` and in `points.copc.laz`, whichever are wanted.
    pub points_out: u64,
    /// Points left out.
    pub points_dropped: u64,
    /// Why points were left out; the numbers add up to `points_dropped`.
    pub dropped: Vec<Dropped>,
    /// Fingerprints of the sources, in their order: length and hash of each, see [`source_fingerprints`](crate::source_fingerprints). Empty where the caller
    /// gave none.
    #[serde(default)]
    pub sources: Vec<String>,
    /// What is unusual about the sources, and what was corrected.
    pub warnings: Vec<Warning>,
    /// Number of nodes with points.
    pub tiles: u64,
    /// Bytes of `tiles.3tz`; 0 where it is not wanted.
    pub bytes: u64,
    /// Files beside this one, in the order of their names.
    pub files: Vec<FileEntry>,
    /// Wall time.
    pub seconds: f64,
    /// Wall time of each stage; of the last run, where an earlier one was continued.
    pub timings: Vec<Timing>,
    /// Most bytes that temporary files took at a time.
    pub temporary_bytes: u64,
    /// Bounds of the points in the scan frame, `[minx, miny, minz, maxx, maxy, maxz]`.
    pub bounds: [f64; 6],
    /// Frame of the scan.
    pub frame: Frame,
    /// Attributes of the points beside positions.
    pub attributes: Attributes,
    /// LAS point format of `points.copc.laz`.
    pub point_format: u8,
    /// Distance of neighbouring points in the root; every level halves it.
    pub spacing_m: f64,
    /// Largest distance between a point and its position in the tiles along one axis.
    pub quantization_error_m: f64,
    /// Where the scanner stood.
    pub setups: Vec<Setup>,
    /// The levels, lowest first; `plan-1.png`… show them.
    pub levels: Vec<Level>,
    /// What the scan covers, how dense and how noisy it is.
    #[serde(flatten)]
    pub survey: Survey,
}

/// Points left out for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// Stable code, that of the warning.
    pub reason: String,
    /// How many.
    pub points: u64,
}

/// A file of the output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Path below the output folder.
    pub name: String,
    /// Its length.
    pub bytes: u64,
}

/// Time that a stage took.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Timing {
    /// The stage.
    pub stage: String,
    /// Wall time.
    pub seconds: f64,
}
