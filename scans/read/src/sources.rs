//! Several files as one scan: they must have the same unit and coordinate reference system.

use std::fs::File;
use std::path::Path;

use crate::adapt;
use crate::open::{open_with, reader};
use crate::overrides::Override;
use crate::source::{PointSource, SourceInfo};
use parterre_crs::epsg;
use parterre_model::frame::Unit;
use parterre_model::{Error, Result};

/// Opens the files of one scan; `overrides` apply to each of them. Geographic and geocentric files are projected to the UTM zone of the first file.
///
/// # Errors
/// Those of [`open_with`]; `sources_disagree` where units or coordinate reference systems differ.
pub fn open_all<P: AsRef<Path>>(paths: &[P], overrides: &Override) -> Result<Vec<Box<dyn PointSource>>> {
    let mut sources: Vec<Box<dyn PointSource>> = Vec::with_capacity(paths.len());
    for path in paths {
        let path = path.as_ref();
        let mut source = open_with(path, overrides)?;
        if let Some(first) = sources.first() {
            let [zone, other] = [first.info(), source.info()].map(zone);
            if zone != other && zone.is_some() && other.is_some() {
                let file = File::open(path).map_err(|error| Error::opening(path, error))?;
                let len = file.metadata().map_err(|error| Error::io("read", path, error))?.len();
                source = adapt::adapt_to_zone(reader(Box::new(file), len, path)?, overrides, zone).map_err(|error| error.in_file(path))?;
            }
            check_same_frame(first.info(), source.info()).map_err(|error| error.in_file(path))?;
        }
        sources.push(source);
    }
    Ok(sources)
}

/// EPSG code of the UTM zone that a file was projected to; `None` where it was not projected.
fn zone(info: &SourceInfo) -> Option<u16> {
    let projected = info.warnings.iter().any(|warning| warning.code == "crs_projected");
    info.crs.as_deref().filter(|_| projected).and_then(epsg::code).and_then(|code| u16::try_from(code).ok())
}

/// Checks that a file can be in one scan with the first one.
fn check_same_frame(first: &SourceInfo, other: &SourceInfo) -> Result<()> {
    let units = |info: &SourceInfo| {
        let unit = info.unit.unwrap_or_default();
        (unit, info.vertical_unit.unwrap_or(unit))
    };
    let describe = |info: &SourceInfo| {
        let (unit, vertical) = units(info);
        let heights = if vertical == unit { String::new() } else { format!(", heights in {}", vertical.name()) };
        let crs = info.crs.as_deref().map_or("without a CRS", |crs| if crs.len() <= 80 { crs } else { "with a CRS of its own" });
        format!("{}{heights}, {crs}", unit.name())
    };
    if units(first) == units(other) && first.crs == other.crs {
        return Ok(());
    }
    let degrees = if [first, other].iter().any(|info| info.unit == Some(Unit::Degree)) { " (degrees are angles, not lengths)" } else { "" };
    Err(Error::input(
        "sources_disagree",
        format!("this file is in {}; the first is in {}{degrees}", describe(other), describe(first)),
        "If all files do have the same unit and coordinate reference system, give them with --unit and --crs, which apply to all files; otherwise tile each file as its own scan.",
    ))
}
