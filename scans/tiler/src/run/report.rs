//! The report of a run.

use std::collections::HashSet;

use glam::DVec3;

use crate::build::node_writer::BuildSettings;
use crate::options::Options;
use crate::pictures::Pictures;
use crate::pictures::setups_and_images::SetupsAndImages;
use crate::report::{Dropped, FileEntry, REPORT_VERSION, Report};
use crate::sources::previous_scan::PreviousReport;
use crate::write::nodes::Nodes;
use crate::write::placed_scan::PlacedScan;
use parterre_model::Warning;

/// The files that the stages have made.
pub(crate) struct Made {
    /// Names and lengths of the encodings.
    pub(crate) encodings: Vec<(String, u64)>,
    pub(crate) pictures: Pictures,
    pub(crate) setups: SetupsAndImages,
}

/// Says what the run did with every point. Times and the use of the disk are left at 0.
pub(crate) fn report(
    options: &Options,
    previous: &PreviousReport,
    nodes: &Nodes,
    settings: &BuildSettings<'_>,
    scan: &PlacedScan<'_>,
    made: Made,
) -> Report {
    let Made { encodings, pictures, setups } = made;
    let distributed = scan.distributed;
    let tiles_bytes = encodings.iter().find(|(name, _)| name == "tiles.3tz").map_or(0, |(_, bytes)| *bytes);
    let files = encodings.into_iter().chain(pictures.files).chain(setups.files);
    let mut files: Vec<FileEntry> = files.map(|(name, bytes)| FileEntry { name, bytes }).collect();
    files.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    let mut warnings = distributed.warnings.clone();
    warnings.extend(scan.placement.warnings().iter().cloned());
    warnings.extend(setups.warnings);
    warnings.extend(previous.warnings.iter().cloned());
    let mut dropped = Vec::new();
    for (reason, own, what) in [
        ("points_not_finite", distributed.not_finite, "whose position is not a number"),
        ("points_far_away", distributed.far_away, "more than 50 km from the others"),
    ] {
        let before = previous.dropped.iter().filter(|dropped| dropped.reason == reason).map(|dropped| dropped.points).sum::<u64>();
        let points = own + before;
        if points > 0 {
            warnings.push(Warning::new(reason, format!("{points} points {what} were left out")));
            dropped.push(Dropped { reason: reason.into(), points });
        }
    }
    let mut seen = HashSet::new();
    warnings.retain(|warning| seen.insert((warning.code.clone(), warning.message.clone())));
    let points_dropped: u64 = dropped.iter().map(|dropped: &Dropped| dropped.points).sum();
    let metres = scan.file_frame.scan_from_file(DVec3::ONE).max_element();
    Report {
        report_version: REPORT_VERSION,
        points_in: nodes.points() + points_dropped,
        points_out: nodes.points(),
        points_dropped,
        dropped,
        sources: previous.sources.iter().chain(&options.source_fingerprints).cloned().collect(),
        warnings,
        tiles: nodes.list.len() as u64,
        bytes: tiles_bytes,
        files,
        seconds: 0.0,
        timings: Vec::new(),
        temporary_bytes: 0,
        bounds: scan.bounds,
        frame: scan.placement.frame().clone(),
        attributes: distributed.attributes,
        point_format: settings.encoder.layout.point_format(),
        spacing_m: settings.root_spacing() * settings.unit_m,
        quantization_error_m: nodes.error_mm / 1000.0 + distributed.distributed.error * metres,
        setups: distributed.setups.clone(),
        levels: pictures.levels,
        survey: pictures.survey,
    }
}
