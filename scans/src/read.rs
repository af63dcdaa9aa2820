//! Reading scan files in chunks, whatever the format; the format is told by the first bytes, never by the name.

pub mod las;

use std::io::{Read, Seek};
use std::path::Path;

use serde::Serialize;

use crate::error::Result;
use crate::frame::{Unit, UnitSource};
use crate::points::{Attributes, Bounds, PointChunk};

/// What a reader and the file behind it have to offer: plain bytes that can be sought.
pub trait Source: Read + Seek + Send {}
impl<T: Read + Seek + Send> Source for T {}

/// Something odd that was met and survived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// Stable code in snake case.
    pub code: &'static str,
    /// What was met, where, and what was done about it.
    pub message: String,
}

/// What a file says of itself before its points are read.
#[derive(Clone, Debug, Serialize)]
pub struct SourceInfo {
    /// "LAS 1.2 point format 3", "LAZ 1.4 point format 7".
    pub format: String,
    /// Points announced; never more than the file can hold.
    pub points: u64,
    /// Bounds that the header announces, in the file's unit. Headers lie: the tiler measures.
    pub bounds: Bounds,
    /// `EPSG:n`, WKT, or nothing.
    pub crs: Option<String>,
    /// Unit, `None` where the file does not say; the reader of points then takes metres.
    pub unit: Option<Unit>,
    /// Where the unit comes from.
    pub unit_source: UnitSource,
    /// Attributes that the points carry.
    pub attributes: Attributes,
    /// Step of the stored integers, in the file's unit, where positions are scaled integers.
    pub scale: Option<glam::DVec3>,
    /// What is odd about the file.
    pub warnings: Vec<Warning>,
}

/// Points in chunks. Positions come in the file frame.
pub trait PointSource: Send {
    /// What the file says of itself.
    fn info(&self) -> &SourceInfo;

    /// Replaces the chunk's points with the next ones, at most `max`. Returns how many; 0 at the end.
    ///
    /// Positions may be NaN or infinite if the file holds such: the caller counts and drops them.
    fn read_chunk(&mut self, chunk: &mut PointChunk, max: usize) -> Result<usize>;

    /// Goes back to the first point.
    fn rewind(&mut self) -> Result<()>;

    /// What was met while reading points, beside what `info` told.
    fn warnings(&self) -> &[Warning];
}

/// Opens a file by its first bytes.
pub fn open(path: &Path) -> Result<Box<dyn PointSource>> {
    las::open(path)
}
