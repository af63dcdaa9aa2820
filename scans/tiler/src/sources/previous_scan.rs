//! A scan made by an earlier run, as a source of points: its COPC file holds every point with all attributes.

use std::path::Path;

use serde::Deserialize;

use crate::report::Dropped;
use parterre_model::frame::Frame;
use parterre_model::points::{Attributes, PointChunk};
use parterre_model::record::{AttributeLayout, Grid, RecordChunk, Wanted};
use parterre_model::setup::Setup;
use parterre_model::{Error, Result, Warning};
use parterre_read as read;
use parterre_read::{PointSource, SourceInfo};

/// What the new report repeats from the report of the scan that is added to.
#[derive(Debug, Default)]
pub(crate) struct PreviousReport {
    /// Fingerprints of its sources.
    pub(crate) sources: Vec<String>,
    /// Points that were left out of it.
    pub(crate) dropped: Vec<Dropped>,
    /// Warnings about adding to it.
    pub(crate) warnings: Vec<Warning>,
}

/// The points file of a scan, with what the scan's report says about it.
pub(crate) struct PreviousScan {
    points: Box<dyn PointSource>,
    info: SourceInfo,
    warnings: Vec<Warning>,
    sources: Vec<String>,
    dropped: Vec<Dropped>,
}

/// The fields of the report that are used.
#[derive(Deserialize)]
struct ReportFields {
    frame: Frame,
    attributes: Attributes,
    setups: Vec<Setup>,
    warnings: Vec<Warning>,
    dropped: Vec<Dropped>,
    #[serde(default)]
    sources: Vec<String>,
}

impl PreviousScan {
    /// Opens the scan in a folder.
    pub(crate) fn open(dir: &Path) -> Result<Self> {
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
        let report: ReportFields = serde_json::from_slice(&report).map_err(|_| none("usable report"))?;
        let points = read::open(&points)?;
        let ReportFields { frame, attributes, setups, mut warnings, dropped, sources } = report;
        // Points left out are counted together with those of the new files and reported once.
        warnings.retain(|warning| dropped.iter().all(|dropped| dropped.reason != warning.code));
        let info = SourceInfo {
            crs: frame.crs,
            unit: Some(frame.unit),
            vertical_unit: frame.vertical_unit,
            unit_source: frame.unit_source,
            attributes,
            setups,
            images: Vec::new(),
            // Those about its sources, not those about the points file made from them.
            warnings,
            ..points.info().clone()
        };
        Ok(Self { points, info, warnings: Vec::new(), sources, dropped })
    }

    /// Checks that the files to add, of these fingerprints, are not in the scan already, and returns what the new report repeats.
    ///
    /// # Errors
    /// `already_added`.
    pub(crate) fn check_new(&mut self, more: &[Box<dyn PointSource>], fingerprints: &[String]) -> Result<PreviousReport> {
        if let Some(index) = fingerprints.iter().position(|fingerprint| self.sources.contains(fingerprint)) {
            let message = format!("file {} of {} is in the scan already: its points would be there twice", index + 1, fingerprints.len());
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
        Ok(PreviousReport { sources: std::mem::take(&mut self.sources), dropped: std::mem::take(&mut self.dropped), warnings })
    }
}

impl PointSource for PreviousScan {
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

    fn attribute_layout(&self) -> AttributeLayout {
        self.points.attribute_layout()
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
