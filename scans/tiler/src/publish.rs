//! The last steps: the encodings, what lies beside them, and everything to its place.
//!
//! Renaming several files is not one step. So a list of them is written first; whoever opens the folder next completes what a
//! run that was killed had begun.

use std::collections::HashSet;
use std::path::Path;

use glam::DVec3;

use super::Outputs;
use super::build::Plans;
use super::companions::{self, Companions};
use super::documents::documents;
use super::encode::Encoder;
use super::pictures::{self, Pictures};
use super::ramp::percentiles;
use super::report::{Dropped, FileEntry, REPORT_VERSION, Report};
use super::run::{Run, Scan};
use super::work::Work;
use super::write::{self, Nodes};
use parterre_encode::copc;
use parterre_model::{Error, Result, Warning};
use parterre_read::PointSource;
use parterre_tile::tileset::{FORMAT_VERSION, ScanExtras};

/// What lies beside the encodings.
pub(super) struct Beside {
    drawn: Pictures,
    companions: Companions,
}

impl Run<'_> {
    /// Writes the encodings into the work folder; returns their names and lengths.
    pub(super) fn write(&self, nodes: &Nodes, plans: &Plans<'_>, scan: &Scan<'_>, work: &Work) -> Result<Vec<(String, u64)>> {
        let Encoder { cube, format, .. } = plans.encoder;
        let copc = || {
            let header = copc::Header {
                format: format.clone(),
                grid: cube.grid(),
                center: cube.corner + DVec3::splat(cube.edge / 2.0),
                half_size: cube.edge / 2.0,
                spacing: plans.root_spacing(),
                crs: scan.survey.wkt.clone().or_else(|| scan.file_frame.crs.clone()),
                unit: scan.file_frame.unit,
                vertical_unit: scan.file_frame.vertical_unit,
                gps_standard_time: scan.survey.gps_standard_time,
            };
            write::copc(nodes, header, &work.path().join("points.copc.laz"), &self.context)
        };
        let tiles = || {
            let range = percentiles(&scan.survey.distributed.intensities).map(|bin| bin as u16);
            let extras = ScanExtras {
                format_version: FORMAT_VERSION,
                frame: scan.placement.frame().clone(),
                attributes: scan.attributes,
                points: nodes.points(),
                bounds: scan.bounds,
                intensity_range: scan.attributes.intensity.then_some(range),
            };
            let documents = documents(&nodes.finals, scan.placement.root_transform(), extras)?;
            write::tiles(nodes, documents, &work.path().join("tiles.3tz"), &self.context)
        };
        let Outputs { copc: with_copc, tiles: with_tiles } = self.options.outputs;
        let (copc, tiles) = rayon::join(|| with_copc.then(copc).transpose(), || with_tiles.then(tiles).transpose());
        Ok([copc?.map(|bytes| ("points.copc.laz".into(), bytes)), tiles?.map(|bytes| ("tiles.3tz".into(), bytes))]
            .into_iter()
            .flatten()
            .collect())
    }

    /// Draws into the work folder and takes out what the sources hold beside points.
    pub(super) fn beside(
        &self,
        sources: &mut [Box<dyn PointSource>],
        nodes: &Nodes,
        plans: &Plans<'_>,
        work: &Work,
        dir: &Path,
        is_added_to: bool,
    ) -> Result<Beside> {
        let drawn = pictures::draw(nodes, plans.encoder, work.path(), self.options.memory_bytes, &|| self.context.check())?;
        // The scan that is added to is the first source, and has its pictures in the folder.
        let (before, own) = if is_added_to { (Some(dir), &mut sources[1..]) } else { (None, sources) };
        let companions = companions::extract(own, &plans.encoder.placement, before, work.path())?;
        Ok(Beside { drawn, companions })
    }

    /// Moves everything to its place, the report last.
    #[expect(clippy::too_many_arguments, reason = "what a run has found, each thing once")]
    pub(super) fn publish(
        &self,
        nodes: &Nodes,
        plans: &Plans<'_>,
        scan: &Scan<'_>,
        made: Vec<(String, u64)>,
        beside: Beside,
        work: &Work,
        dir: &Path,
    ) -> Result<Report> {
        let Beside { drawn, companions } = beside;
        let survey = scan.survey;
        let tiles_bytes = made.iter().find(|(name, _)| name == "tiles.3tz").map_or(0, |(_, bytes)| *bytes);
        let files = made.into_iter().chain(drawn.files).chain(companions.files);
        let mut files: Vec<FileEntry> = files.map(|(name, bytes)| FileEntry { name, bytes }).collect();
        files.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        let mut warnings = survey.warnings.clone();
        warnings.extend(scan.placement.warnings().iter().cloned());
        warnings.extend(companions.warnings);
        let before = &self.before;
        warnings.extend(before.warnings.iter().cloned());
        let mut dropped = Vec::new();
        for (reason, own, what) in [
            ("points_not_finite", survey.not_finite, "whose position is not a number"),
            ("points_far_away", survey.far_away, "more than 50 km from the others"),
        ] {
            let points = own + before.dropped.iter().filter(|dropped| dropped.reason == reason).map(|dropped| dropped.points).sum::<u64>();
            if points > 0 {
                warnings.push(Warning::new(reason, format!("{points} points {what} were left out")));
                dropped.push(Dropped { reason: reason.into(), points });
            }
        }
        let mut seen = HashSet::new();
        warnings.retain(|warning| seen.insert((warning.code.clone(), warning.message.clone())));
        let points_dropped: u64 = dropped.iter().map(|dropped: &Dropped| dropped.points).sum();
        let metres = scan.file_frame.scan_from_file(DVec3::ONE).max_element();
        let report = Report {
            report_version: REPORT_VERSION,
            points_in: nodes.points() + points_dropped,
            points_out: nodes.points(),
            points_dropped,
            dropped,
            sources: before.sources.iter().chain(&self.options.marks).cloned().collect(),
            warnings,
            tiles: nodes.finals.len() as u64,
            bytes: tiles_bytes,
            files,
            seconds: self.started.elapsed().as_secs_f64(),
            timings: self.context.timings(),
            temporary_bytes: self.temporary.most(),
            bounds: scan.bounds,
            frame: scan.placement.frame().clone(),
            attributes: survey.attributes,
            point_format: plans.encoder.format.point_format(),
            spacing_m: plans.root_spacing() * plans.unit_m,
            quantization_error_m: nodes.error_mm / 1000.0 + survey.distributed.error * metres,
            setups: survey.setups.clone(),
            levels: drawn.levels,
            survey: drawn.survey,
        };
        let draft = work.path().join("report.json");
        let text = serde_json::to_vec_pretty(&report).map_err(|error| Error::Internal(error.to_string()))?;
        std::fs::write(&draft, text).map_err(|error| Error::io("write", &draft, error))?;
        self.context.check()?;
        work.publish(&report, dir)?;
        self.context.report("pictures", 1.0);
        Ok(report)
    }
}
