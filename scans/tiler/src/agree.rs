//! The scan that several sources make together.

use glam::DVec3;

use parterre_model::frame::{self, Frame};
use parterre_model::points::Attributes;
use parterre_model::setup::Setup;
use parterre_model::{Error, Result, Warning};
use parterre_read::{PointSource, SourceInfo};

/// The frame and the attributes of the scan that the sources make; its origin is not set.
///
/// # Errors
/// `no_sources`, `sources_disagree`, `unit_degrees`.
pub(super) fn agree(sources: &[Box<dyn PointSource>]) -> Result<(Frame, Attributes)> {
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

/// What COPC keeps word for word where all sources say the same.
pub(super) struct Words {
    /// The CRS, with all that a code would leave out.
    pub(super) wkt: Option<String>,
    /// Whether all GPS times that there are are standard GPS time.
    pub(super) gps_standard_time: bool,
}

/// What the sources say alike.
pub(super) fn words(sources: &[Box<dyn PointSource>]) -> Words {
    let wkt = sources.first().and_then(|first| first.wkt());
    let (standard, others) = clocks(sources);
    Words {
        wkt: wkt.filter(|_| sources.iter().all(|source| source.wkt() == wkt)).map(str::to_owned),
        gps_standard_time: standard > 0 && others == 0,
    }
}

/// How many sources have standard GPS times, and how many have others; sources without times have no say.
fn clocks(sources: &[Box<dyn PointSource>]) -> (usize, usize) {
    let timed = || sources.iter().filter(|source| source.info().attributes.gps_time);
    let standard = timed().filter(|source| source.gps_standard_time()).count();
    (standard, timed().count() - standard)
}

/// What the sources have to say, each thing once.
pub(super) fn warnings(sources: &[Box<dyn PointSource>]) -> Vec<Warning> {
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

/// Where the scanner stood, in all sources, numbered on.
pub(super) fn setups(sources: &[Box<dyn PointSource>]) -> Vec<Setup> {
    sources.iter().flat_map(|source| source.info().setups.iter().cloned()).collect()
}
