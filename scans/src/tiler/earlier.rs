//! The scan that an earlier run has made, as a source: its COPC file has every point with all that is known of it.

use std::path::Path;

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::points::{Attributes, PointChunk};
use crate::read::{self, PointSource, RecordChunk, Setup, SourceInfo, TailFormat, Wanted, Warning};

/// A scan's own file, with what its report says of it.
pub(super) struct Earlier {
    points: Box<dyn PointSource>,
    info: SourceInfo,
    warnings: Vec<Warning>,
}

/// What of the report counts.
#[derive(Deserialize)]
struct Reported {
    frame: Frame,
    attributes: Attributes,
    setups: Vec<Setup>,
    warnings: Vec<Warning>,
}

impl Earlier {
    /// Opens the scan in a folder.
    pub(super) fn open(dir: &Path) -> Result<Self> {
        let none = |what: &str| {
            Error::input(
                "nothing_to_add_to",
                format!("{} has no {what} of a scan", dir.display()),
                "Name the folder of a scan that was tiled with COPC, or tile all files together.",
            )
        };
        let points = dir.join("points.copc.laz");
        let report = std::fs::read(dir.join("report.json")).map_err(|_| none("report"))?;
        if !points.is_file() {
            return Err(none("points.copc.laz"));
        }
        let report: Reported = serde_json::from_slice(&report).map_err(|_| none("usable report"))?;
        let points = read::open(&points)?;
        let Reported { frame, attributes, setups, warnings } = report;
        let info = SourceInfo {
            crs: frame.crs,
            unit: Some(frame.unit),
            vertical_unit: frame.vertical_unit,
            unit_source: frame.unit_source,
            attributes,
            setups,
            images: Vec::new(),
            // What was odd about its sources, and not about a file that was made of them.
            warnings,
            ..points.info().clone()
        };
        Ok(Self { points, info, warnings: Vec::new() })
    }
}

impl PointSource for Earlier {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn read_chunk(&mut self, chunk: &mut PointChunk, max: usize) -> Result<usize> {
        self.points.read_chunk(chunk, max)
    }

    fn rewind(&mut self) -> Result<()> {
        self.points.rewind()
    }

    fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    fn tail_format(&self) -> TailFormat {
        self.points.tail_format()
    }

    fn read_records(&mut self, chunk: &mut RecordChunk, wanted: Wanted, max: usize) -> Result<usize> {
        self.points.read_records(chunk, wanted, max)
    }

    fn wkt(&self) -> Option<&str> {
        self.points.wkt().filter(|_| self.info.crs.is_some())
    }

    fn gps_standard_time(&self) -> bool {
        self.points.gps_standard_time()
    }
}
