//! The interface of all readers: a description of the file, and its points in chunks.

use std::io::{Read, Seek};

use glam::DVec3;
use serde::Serialize;

use crate::precision::Precision;
use parterre_model::frame::{Unit, UnitSource};
use parterre_model::points::{Attributes, Bounds, PointChunk};
use parterre_model::record::{self, AttributeLayout, Grid, RecordChunk, Wanted};
use parterre_model::setup::{ImageInfo, Setup};
use parterre_model::{Error, Result, Warning};

/// Bytes of a file that can be read from any position.
pub trait Source: Read + Seek + Send {}
impl<T: Read + Seek + Send> Source for T {}

/// What a file says of itself before its points are read.
#[derive(Clone, Debug, Serialize)]
pub struct SourceInfo {
    /// "LAS 1.2 point format 3", "LAZ 1.4 point format 7".
    pub format: String,
    /// Points announced; never more than the file can hold.
    pub points: u64,
    /// Bounds that the header announces, in the file's unit; those of a sample where it announces none. Headers can be
    /// wrong: the tiler measures.
    pub bounds: Bounds,
    /// `EPSG:n`, WKT, or nothing.
    pub crs: Option<String>,
    /// Unit; `None` where the file gives none: metres are assumed then.
    pub unit: Option<Unit>,
    /// Unit of the heights, where the file says that it is another one.
    pub vertical_unit: Option<Unit>,
    /// Where the unit comes from.
    pub unit_source: UnitSource,
    /// Attributes that the points carry.
    pub attributes: Attributes,
    /// Steps of the stored whole numbers, where positions are stored as such.
    pub grid: Option<Grid>,
    /// Positions of the scanner, for formats that have them.
    pub setups: Vec<Setup>,
    /// Pictures in the file, in the order of [`PointSource::read_image`].
    pub images: Vec<ImageInfo>,
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

    /// Problems found while reading points, beside those in [`SourceInfo::warnings`].
    fn warnings(&self) -> &[Warning];

    /// The layout of the attribute bytes that [`PointSource::read_records`] gives. Final only after all points were read once: it
    /// may lose what turned out to be absent.
    fn attribute_layout(&self) -> AttributeLayout {
        record::layout_of(self.info().attributes)
    }

    /// As [`PointSource::read_chunk`], but readers may leave out all columns except positions where these alone are wanted.
    fn read_columns(&mut self, chunk: &mut PointChunk, _wanted: Wanted, max: usize) -> Result<usize> {
        self.read_chunk(chunk, max)
    }

    /// As [`PointSource::read_chunk`], with everything that COPC can keep of the points.
    fn read_records(&mut self, chunk: &mut RecordChunk, wanted: Wanted, max: usize) -> Result<usize> {
        // The end of a pass may change the format, which then holds for the next pass.
        let format = self.attribute_layout();
        let mut columns = PointChunk { positions: std::mem::take(&mut chunk.positions), ..PointChunk::default() };
        chunk.clear();
        let count = self.read_columns(&mut columns, wanted, max)?;
        if wanted == Wanted::Records {
            record::append_attributes(&columns, format.color, &mut chunk.attribute_bytes);
        }
        chunk.positions = columns.positions;
        Ok(count)
    }

    /// The CRS as WKT, exactly as the file has it; `None` where the file has none or where it was overridden.
    fn wkt(&self) -> Option<&str> {
        None
    }

    /// How finely coordinates are stored, for printing them.
    fn precision(&self) -> Precision {
        self.info().grid.map_or(Precision::Double, |grid| Precision::Steps(grid.scale))
    }

    /// Whether GPS times are standard GPS time minus 1e9 seconds, and not seconds of a week.
    fn gps_standard_time(&self) -> bool {
        false
    }

    /// Positions of a sample that is spread over the whole file, some 60,000 at most, for judging which axis points up. Empty where only the
    /// beginning of the file can be read fast: in the order of a scanner, that is a narrow sector of what was scanned.
    ///
    /// To be called once, before points are read: a sample that was read on opening is moved out, and a second call may return nothing.
    /// The next point read is the first one of the file.
    fn sample(&mut self) -> Result<Vec<DVec3>> {
        Ok(Vec::new())
    }

    /// Frees the sample that was read on opening, where [`PointSource::sample`] is not going to be called.
    fn drop_sample(&mut self) {}

    /// The bytes of a picture of [`SourceInfo::images`], as they lie in the file: a JPEG or PNG file of its own.
    fn read_image(&mut self, index: usize) -> Result<Vec<u8>> {
        Err(Error::Internal(format!("there is no picture {index}")))
    }
}
