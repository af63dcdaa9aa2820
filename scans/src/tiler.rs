//! Out-of-core octree tiler: a scan file in, one `tiles.3tz` and a report out.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde::Serialize;

use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::read::{PointSource, Warning};

/// Settings of a run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Memory that the run may use, in bytes, roughly.
    pub memory_bytes: u64,
    /// Points wanted in a tile.
    pub tile_points: usize,
    /// Raised by the caller to stop the run.
    pub cancel: Option<Arc<AtomicBool>>,
}

impl Default for Options {
    fn default() -> Self {
        Self { memory_bytes: 1 << 30, tile_points: 50_000, cancel: None }
    }
}

/// Where a run stands. Handed to the caller often; cheap.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// `count`, `distribute`, `sample`, `write`.
    pub stage: &'static str,
    /// 0 to 1 over all stages.
    pub fraction: f64,
}

/// What a run did with every point. Written as `report.json`; `points_in == points_out + points_dropped`.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Version of this document.
    pub report_version: u32,
    /// Points read.
    pub points_in: u64,
    /// Points in the tiles.
    pub points_out: u64,
    /// Points left out, by the reasons that `warnings` give.
    pub points_dropped: u64,
    /// Everything odd.
    pub warnings: Vec<Warning>,
    /// Number of tiles with content.
    pub tiles: u64,
    /// Bytes of `tiles.3tz`.
    pub bytes: u64,
    /// Wall time.
    pub seconds: f64,
    /// Bounds of the points in the scan frame, `[minx, miny, minz, maxx, maxy, maxz]`, metres.
    pub bounds: [f64; 6],
    /// Where the scan lies.
    pub frame: Frame,
    /// Largest distance between a point and its place in the tiles along one axis, metres.
    pub quantization_error_m: f64,
}

/// Tiles the sources as one scan into `dir/tiles.3tz` and `dir/report.json`.
///
/// Both appear at the end, by renaming; a failed or stopped run leaves neither. Temporary files live in `dir`.
pub fn tile(sources: &mut [Box<dyn PointSource>], dir: &Path, options: &Options, progress: &(dyn Fn(Progress) + Sync)) -> Result<Report> {
    let _ = (sources, dir, options, progress);
    Err(Error::Internal("the tiler is not here yet".into()))
}
