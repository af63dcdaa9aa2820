//! What a file says of itself, as `inspect --json` prints it.

use std::path::Path;

use serde::Serialize;

use crate::error::{Error, Result};
use crate::frame::{Unit, UnitSource};
use crate::read::{PointSource, Warning};

/// The document of `inspect --json`. It grows; its fields do not change.
#[derive(Clone, Debug, Serialize)]
pub struct Inspection {
    /// "LAS 1.2 point format 3", "LAZ 1.4 point format 7 (COPC)".
    pub format: String,
    /// Points.
    pub points: u64,
    /// `[minx, miny, minz, maxx, maxy, maxz]` in the file's unit, as the header announces them.
    pub bounds: [f64; 6],
    /// `EPSG:n`, WKT, or nothing.
    pub crs: Option<String>,
    /// Unit of the coordinates, where the file or the person says so.
    pub unit: Option<Unit>,
    /// Unit of the heights, where it is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vertical_unit: Option<Unit>,
    /// Where the unit comes from.
    pub unit_source: UnitSource,
    /// Names of the attributes beside positions.
    pub attributes: Vec<&'static str>,
    /// What is odd about the file.
    pub warnings: Vec<Warning>,
    /// Length of the file.
    pub bytes: u64,
}

/// Looks at a file without reading all of it: its header and a sample of its points.
pub fn inspect(path: &Path) -> Result<Inspection> {
    let source = super::open(path)?;
    let bytes = std::fs::metadata(path).map_err(|error| Error::io("read", path, error))?.len();
    Ok(Inspection::of(source.as_ref(), bytes))
}

impl Inspection {
    /// The document of an open source of `bytes` bytes.
    pub fn of(source: &dyn PointSource, bytes: u64) -> Self {
        let info = source.info();
        Self {
            format: info.format.clone(),
            points: info.points,
            bounds: info.bounds.to_array(),
            crs: info.crs.clone(),
            unit: info.unit,
            vertical_unit: info.vertical_unit,
            unit_source: info.unit_source,
            attributes: info.attributes.names(),
            warnings: info.warnings.clone(),
            bytes,
        }
    }
}
