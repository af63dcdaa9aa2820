//! What several sources have in common, and what the scan made from them says: frame, attributes, warnings, setups.

use glam::DVec3;

use parterre_model::frame::{self, Frame};
use parterre_model::points::Attributes;
use parterre_model::setup::Setup;
use parterre_model::{Error, Result, Warning};
use parterre_read::{PointSource, SourceInfo};

/// The frame and the attributes of the scan made from the sources. The frame's origin is not set yet.
///
/// # Errors
/// `no_sources`, `sources_disagree`, `unit_degrees`.
pub(crate) fn combined_frame(sources: &[Box<dyn PointSource>]) -> Result<(Frame, Attributes)> {
    let Some((first, rest)) = sources.split_first() else {
        return Err(Error::input("no_sources", "there is no file to tile", "Name at least one scan file."));
    };
    let first = first.info();
    let unit_of = |info: &SourceInfo| info.unit.unwrap_or_default();
    let both_units = |info: &SourceInfo| (unit_of(info), info.vertical_unit.unwrap_or(unit_of(info)));
    let mut attributes = first.attributes;
    for (index, other) in rest.iter().enumerate() {
        let other = other.info();
        if both_units(other) != both_units(first) || other.crs != first.crs {
            let [(unit, vertical), (first_unit, first_vertical)] = [other, first].map(both_units);
            let message = format!(
                "file {} is in {unit:?}, heights in {vertical:?} ({}), the first in {first_unit:?}, heights in {first_vertical:?} ({})",
                index + 2,
                other.crs.as_deref().unwrap_or("no CRS"),
                first.crs.as_deref().unwrap_or("no CRS"),
            );
            return Err(Error::input("sources_disagree", message, "Tile files of different frames as scans of their own."));
        }
        let more = other.attributes;
        attributes.color |= more.color;
        attributes.intensity |= more.intensity;
        attributes.classification |= more.classification;
        attributes.returns |= more.returns;
        attributes.gps_time |= more.gps_time;
    }
    let unit = unit_of(first);
    let frame = Frame {
        origin_m: DVec3::ZERO,
        unit,
        vertical_unit: first.vertical_unit.filter(|&vertical| vertical != unit),
        unit_source: first.unit_source,
        crs: first.crs.clone(),
        ecef_from_tile: None,
    };
    frame::check_unit(frame.unit)?;
    frame::check_unit(frame.vertical_unit.unwrap_or(frame.unit))?;
    Ok((frame, attributes))
}

/// Statements that the points file keeps unchanged where all sources agree on them.
pub(crate) struct CrsAndClock {
    /// The CRS as WKT, word for word.
    pub(crate) wkt: Option<String>,
    /// Whether all GPS times are standard GPS time.
    pub(crate) gps_standard_time: bool,
}

/// The CRS and the clock of GPS times, where all sources agree on them.
pub(crate) fn crs_and_clock(sources: &[Box<dyn PointSource>]) -> CrsAndClock {
    let wkt = sources.first().and_then(|first| first.wkt());
    let (standard, others) = clocks(sources);
    CrsAndClock {
        wkt: wkt.filter(|_| sources.iter().all(|source| source.wkt() == wkt)).map(str::to_owned),
        gps_standard_time: standard > 0 && others == 0,
    }
}

/// How many sources have standard GPS times, and how many have others; sources without times are not counted.
fn clocks(sources: &[Box<dyn PointSource>]) -> (usize, usize) {
    let timed = || sources.iter().filter(|source| source.info().attributes.gps_time);
    let standard = timed().filter(|source| source.gps_standard_time()).count();
    (standard, timed().count() - standard)
}

/// The warnings of all sources, each one once.
pub(crate) fn warnings(sources: &[Box<dyn PointSource>]) -> Vec<Warning> {
    let mut warnings: Vec<Warning> = Vec::new();
    for warning in sources.iter().flat_map(|source| source.info().warnings.iter().chain(source.warnings())) {
        if !warnings.contains(warning) {
            warnings.push(warning.clone());
        }
    }
    let (standard, others) = clocks(sources);
    if standard > 0 && others > 0 {
        let message = format!(
            "GPS times of {standard} sources are standard GPS time, those of {others} are not (seconds of a week, or of an unknown \
             clock): they are kept as they are, and the points file does not call them standard time"
        );
        warnings.push(Warning::new("gps_time_mixed", message));
    }
    warnings
}

/// The setups of all sources, in the order of the sources.
pub(crate) fn setups(sources: &[Box<dyn PointSource>]) -> Vec<Setup> {
    sources.iter().flat_map(|source| source.info().setups.iter().cloned()).collect()
}
