//! What every format's reader offers: a description of the file, and its points in chunks.

use std::io::{Read, Seek};

use glam::DVec3;
use serde::Serialize;

use parterre_model::frame::{Unit, UnitSource};
use parterre_model::points::{Attributes, Bounds, PointChunk};
use parterre_model::record::{self, AttributeLayout, Grid, RecordChunk, Wanted};
use parterre_model::setup::{ImageInfo, Setup};
use parterre_model::{Error, Result, Warning};

/// What a reader and the file behind it have to offer: plain bytes that can be sought.
pub trait Source: Read + Seek + Send {}
impl<T: Read + Seek + Send> Source for T {}

/// What a file says of itself before its points are read.
#[derive(Clone, Debug, Serialize)]
pub struct SourceInfo {
    /// "LAS 1.2 point format 3", "LAZ 1.4 point format 7".
    pub format: String,
    /// Points announced; never more than the file can hold.
    pub points: u64,
    /// Bounds that the header announces, in the file's unit; those of a sample where it announces none. Headers lie: the
    /// tiler measures.
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
    /// Steps of the stored whole numbers, where positions are stored as such.
    pub grid: Option<Grid>,
    /// Where the scanner stood, for formats that say so.
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

    /// What was met while reading points, beside what `info` told.
    fn warnings(&self) -> &[Warning];

    /// The layout of the attribute bytes that [`PointSource::read_records`] gives. Final only after all points were read once: it
    /// may lose what turned out to be absent.
    fn attribute_layout(&self) -> AttributeLayout {
        record::layout_of(self.info().attributes)
    }

    /// As [`PointSource::read_chunk`], with everything that COPC can keep of the points.
    fn read_records(&mut self, chunk: &mut RecordChunk, wanted: Wanted, max: usize) -> Result<usize> {
        let mut columns = PointChunk { positions: std::mem::take(&mut chunk.positions), ..PointChunk::default() };
        chunk.clear();
        let count = self.read_chunk(&mut columns, max)?;
        if wanted == Wanted::Records {
            record::append_attributes(&columns, self.attribute_layout().color, &mut chunk.attribute_bytes);
        }
        chunk.positions = columns.positions;
        Ok(count)
    }

    /// The CRS as WKT, word for word, of a file that has it so and that nobody overruled.
    fn wkt(&self) -> Option<&str> {
        None
    }

    /// Whether GPS times are standard GPS time less a thousand million seconds, and not seconds of a week.
    fn gps_standard_time(&self) -> bool {
        false
    }

    /// Positions of some points, for what can be told from a few: at most about 50,000, spread over the file where that is
    /// cheap. To be asked for once, before points are read: what opening had to look at anyway is given away, and a
    /// second call may find nothing. The next point read is the first one again.
    fn sample(&mut self) -> Result<Vec<DVec3>> {
        let mut chunk = PointChunk::default();
        let read = self.read_chunk(&mut chunk, 50_000);
        self.rewind()?;
        read.map(|_| chunk.positions)
    }

    /// The bytes of a picture of [`SourceInfo::images`], as they lie in the file: a JPEG or PNG file of its own.
    fn read_image(&mut self, index: usize) -> Result<Vec<u8>> {
        Err(Error::Internal(format!("there is no picture {index}")))
    }
}
