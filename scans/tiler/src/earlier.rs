//! The scan that an earlier run has made, as a source: its COPC file has every point with all that is known of it.

use std::path::Path;

use serde::Deserialize;

use super::report::Dropped;
use parterre_model::frame::Frame;
use parterre_model::points::{Attributes, PointChunk};
use parterre_model::record::{Grid, RecordChunk, TailFormat, Wanted};
use parterre_model::setup::Setup;
use parterre_model::{Error, Result, Warning};
use parterre_read as read;
use parterre_read::{PointSource, SourceInfo};

/// What the report of all tells of the scan that is added to, beside its points.
#[derive(Debug, Default)]
pub(super) struct Before {
    /// Marks of its sources.
    pub(super) sources: Vec<String>,
    /// Points that it left out.
    pub(super) dropped: Vec<Dropped>,
    /// What adding to it means.
    pub(super) warnings: Vec<Warning>,
}

/// A scan's own file, with what its report says of it.
pub(super) struct Earlier {
    points: Box<dyn PointSource>,
    info: SourceInfo,
    warnings: Vec<Warning>,
    sources: Vec<String>,
    dropped: Vec<Dropped>,
}

/// What of the report counts.
#[derive(Deserialize)]
struct Reported {
    frame: Frame,
    attributes: Attributes,
    setups: Vec<Setup>,
    warnings: Vec<Warning>,
    dropped: Vec<Dropped>,
    #[serde(default)]
    sources: Vec<String>,
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
        let Reported { frame, attributes, setups, mut warnings, dropped, sources } = report;
        // They are counted in with those of the others, and told once.
        warnings.retain(|warning| dropped.iter().all(|dropped| dropped.reason != warning.code));
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
        Ok(Self { points, info, warnings: Vec::new(), sources, dropped })
    }

    /// What has to be known of it when `more` are added, whose marks are given.
    ///
    /// # Errors
    /// `already_added`.
    pub(super) fn before(&mut self, more: &[Box<dyn PointSource>], marks: &[String]) -> Result<Before> {
        if let Some(index) = marks.iter().position(|mark| self.sources.contains(mark)) {
            let message = format!("file {} of {} is in the scan already: its points would be there twice", index + 1, marks.len());
            return Err(Error::input("already_added", message, "Add only files that are not in the scan."));
        }
        let mut warnings = Vec::new();
        let scales = |grid: Option<Grid>| grid.map(|grid| grid.scale.abs());
        if let Some(own) = scales(self.info.grid)
            && let Some(finest) = more.iter().filter_map(|source| scales(source.info().grid)).reduce(glam::DVec3::min)
            && finest.cmplt(own * (1.0 - 1e-9)).any()
        {
            let message = format!(
                "the scan has its coordinates in steps of {own}, a file that is added in finer ones of {finest}: points that were there before \
                 keep the coarser steps, which files tiled together need not have"
            );
            warnings.push(Warning::new("add_coarser", message));
        }
        Ok(Before { sources: std::mem::take(&mut self.sources), dropped: std::mem::take(&mut self.dropped), warnings })
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
