//! Reading scan files in chunks, whatever the format; the format is told by the first bytes, never by the name.

mod contain;
mod crs;
pub mod inspect;
pub mod las;
mod sniff;

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use serde::Serialize;

pub use self::inspect::{Inspection, inspect};
use crate::error::{Error, Result};
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
    /// Unit of the heights, where the file says that it is another one.
    pub vertical_unit: Option<Unit>,
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

const HINT: &str = "LAS, LAZ and COPC files can be read: export the scan as one of them.";

/// What the person who imports knows better than the file.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Override {
    /// Unit of the coordinates.
    pub unit: Option<Unit>,
    /// `EPSG:n` or WKT.
    pub crs: Option<String>,
}

/// Opens a file by its first bytes.
pub fn open(path: &Path) -> Result<Box<dyn PointSource>> {
    open_with(path, &Override::default())
}

/// Opens a file by its first bytes; `wishes` go before what the file says of itself.
///
/// Fails with `file_not_found`, `file_empty`, `format_unknown`, `format_unsupported` and `not_a_file`, with `io` where the system refuses,
/// and with the format's own codes.
pub fn open_with(path: &Path, wishes: &Override) -> Result<Box<dyn PointSource>> {
    let mut file = File::open(path).map_err(|error| Error::opening(path, error))?;
    let metadata = file.metadata().map_err(|error| Error::io("read", path, error))?;
    if !metadata.is_file() {
        return Err(Error::input("not_a_file", "this is a folder or a device", "Name one file of a scan.").in_file(path));
    }
    let mut head = Vec::with_capacity(sniff::HEAD_LEN);
    file.by_ref().take(sniff::HEAD_LEN as u64).read_to_end(&mut head).map_err(|error| Error::io("read", path, error))?;
    file.seek(SeekFrom::Start(0)).map_err(|error| Error::io("read", path, error))?;
    if head.is_empty() {
        return Err(Error::input("file_empty", "the file is empty", "Copy it again from its source.").in_file(path));
    }
    match sniff::sniff(&head) {
        sniff::Kind::Las => las::from_source(Box::new(file), metadata.len(), path, wishes),
        sniff::Kind::Known(name) => {
            Err(Error::input("format_unsupported", format!("this looks like: {name}; it cannot be read yet"), HINT).in_file(path))
        }
        sniff::Kind::Text => {
            Err(Error::input("format_unsupported", "this looks like a text file; it cannot be read yet", HINT).in_file(path))
        }
        sniff::Kind::Unknown => {
            Err(Error::input("format_unknown", "the file's first bytes are those of no known format", HINT).in_file(path))
        }
    }
}
