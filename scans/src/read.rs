//! Reading scan files in chunks, whatever the format; the format is told by the first bytes, never by the name.

mod adapt;
pub(crate) mod contain;
pub(crate) mod crs;
pub mod e57;
pub mod inspect;
pub mod las;
pub mod ply;
pub mod precision;
pub mod record;
mod sniff;
mod sources;
mod wishes;

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use glam::{DQuat, DVec3};
use serde::{Deserialize, Serialize};

pub use self::inspect::{Inspection, inspect};
pub use self::precision::Precision;
pub use self::record::{Grid, RecordChunk, TailFormat, Wanted};
pub use self::sources::open_all;
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

impl<'de> Deserialize<'de> for Warning {
    /// Codes are constants of the program; those that are read back are kept until it ends.
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Owned {
            code: String,
            message: String,
        }
        let Owned { code, message } = Owned::deserialize(deserializer)?;
        Ok(Self { code: Box::leak(code.into_boxed_str()), message })
    }
}

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

/// One place of the scanner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Setup {
    /// As the file calls it.
    pub name: String,
    /// Where it stood, in the file frame.
    pub position: DVec3,
    /// How it was turned: file frame from scanner frame.
    pub rotation: DQuat,
    /// Points taken from here.
    pub points: u64,
    /// Whether the file says where it stood. Otherwise the place is the origin of the file frame, where a scanner may or
    /// may not have stood: scans that were merged or turned already come without a pose.
    pub posed: bool,
}

/// How a picture maps directions to pixels.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Projection {
    /// A picture for people to look at, without geometry.
    VisualReference,
    /// A pinhole camera looking along its -z axis, lengths in metres.
    Pinhole {
        /// Distance of the image plane.
        focal_length_m: f64,
        /// Size of a pixel.
        pixel_m: [f64; 2],
        /// Where the axis meets the picture, in pixels.
        principal_point: [f64; 2],
    },
    /// Equal angles a pixel, in radians.
    Spherical {
        /// Size of a pixel.
        pixel_rad: [f64; 2],
    },
    /// Around a vertical cylinder.
    Cylindrical {
        /// Radius of the cylinder.
        radius_m: f64,
        /// Row of the horizon.
        principal_y: f64,
        /// Height of a pixel, in metres.
        pixel_height_m: f64,
        /// Width of a pixel, in radians.
        pixel_width_rad: f64,
    },
}

/// A picture in a scan file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImageInfo {
    /// As the file calls it.
    pub name: String,
    /// "jpeg" or "png".
    pub format: String,
    /// Length of the picture's file.
    pub bytes: u64,
    /// Width and height in pixels.
    pub size: [u32; 2],
    /// Where the camera stood, file frame; with a pose only.
    pub position: Option<DVec3>,
    /// File frame from camera frame; with a pose only.
    pub rotation: Option<DQuat>,
    /// The setup that it belongs to, by its place in the list.
    pub setup: Option<usize>,
    /// How it maps directions to pixels.
    pub projection: Projection,
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

    /// The layout of the tails that [`PointSource::read_records`] gives. Final only after all points were read once: it
    /// may lose what turned out to be absent.
    fn tail_format(&self) -> TailFormat {
        record::format_of(self.info().attributes)
    }

    /// As [`PointSource::read_chunk`], with everything that COPC can keep of the points.
    fn read_records(&mut self, chunk: &mut RecordChunk, wanted: Wanted, max: usize) -> Result<usize> {
        let mut columns = PointChunk { positions: std::mem::take(&mut chunk.positions), ..PointChunk::default() };
        chunk.clear();
        let count = self.read_chunk(&mut columns, max)?;
        if wanted == Wanted::Records {
            record::pack(&columns, self.tail_format().color, &mut chunk.tails);
        }
        chunk.positions = columns.positions;
        Ok(count)
    }

    /// The CRS as WKT, word for word, of a file that has it so and that nobody overruled.
    fn wkt(&self) -> Option<&str> {
        None
    }

    /// How finely coordinates are stored, for showing them.
    fn precision(&self) -> Precision {
        self.info().grid.map_or(Precision::Double, |grid| Precision::Steps(grid.scale))
    }

    /// Whether GPS times are standard GPS time less a thousand million seconds, and not seconds of a week.
    fn gps_standard_time(&self) -> bool {
        false
    }

    /// Positions of some points, for what can be told from a few: some ten thousand, spread over the file where that is
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

const HINT: &str = "LAS, LAZ, COPC, E57 and PLY files can be read: export the scan as one of them.";

/// Which direction of a file points up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Up {
    /// X up: (x, y, z) is taken as (-z, y, x).
    X,
    /// Y up: (x, y, z) is taken as (x, -z, y).
    Y,
    /// Z up.
    Z,
    /// The opposite of X: (x, y, z) is taken as (z, y, -x).
    #[serde(rename = "-x")]
    MinusX,
    /// The opposite of Y: (x, y, z) is taken as (x, z, -y).
    #[serde(rename = "-y")]
    MinusY,
    /// The opposite of Z, a scan that is upside down: (x, y, z) is taken as (x, -y, -z).
    #[serde(rename = "-z")]
    MinusZ,
}

/// What the person who imports knows better than the file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Override {
    /// Axis that points up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up: Option<Up>,
    /// Unit of the coordinates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Unit>,
    /// `EPSG:n` or WKT.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crs: Option<String>,
}

/// Opens a file by its first bytes.
pub fn open(path: &Path) -> Result<Box<dyn PointSource>> {
    open_with(path, &Override::default())
}

/// Opens a file by its first bytes; `wishes` go before what the file says of itself.
///
/// Fails with `file_not_found`, `file_empty`, `format_unknown`, `format_unsupported` and `not_a_file`, with `io` where the system refuses,
/// with the format's own codes, and with `crs_invalid` where the CRS that is wished for is none.
pub fn open_with(path: &Path, wishes: &Override) -> Result<Box<dyn PointSource>> {
    let file = File::open(path).map_err(|error| Error::opening(path, error))?;
    let metadata = file.metadata().map_err(|error| Error::io("read", path, error))?;
    if !metadata.is_file() {
        return Err(Error::input("not_a_file", "this is a folder or a device", "Name one file of a scan.").in_file(path));
    }
    from_source(Box::new(file), metadata.len(), path, wishes)
}

/// As [`open_with`], of bytes of the given length that lie anywhere; `name` stands for the file in messages.
pub fn from_source(source: Box<dyn Source>, len: u64, name: &Path, wishes: &Override) -> Result<Box<dyn PointSource>> {
    adapt::adapt(reader(source, len, name)?, wishes).map_err(|error| error.in_file(name))
}

/// The format's reader, which says what the file says.
fn reader(mut source: Box<dyn Source>, len: u64, name: &Path) -> Result<Box<dyn PointSource>> {
    let failed = |error| Error::io("read", name, error);
    let mut head = Vec::with_capacity(sniff::HEAD_LEN);
    source.seek(SeekFrom::Start(0)).map_err(failed)?;
    source.by_ref().take(sniff::HEAD_LEN as u64).read_to_end(&mut head).map_err(failed)?;
    source.seek(SeekFrom::Start(0)).map_err(failed)?;
    if head.is_empty() {
        return Err(Error::input("file_empty", "the file is empty", "Copy it again from its source.").in_file(name));
    }
    match sniff::sniff(&head) {
        sniff::Kind::E57 => e57::reader(source, len, name),
        sniff::Kind::Las => las::reader(source, len, name),
        sniff::Kind::Ply => ply::reader(source, len, name),
        sniff::Kind::Known(format) => {
            Err(Error::input("format_unsupported", format!("this looks like: {format}; it cannot be read yet"), HINT).in_file(name))
        }
        sniff::Kind::Text => {
            Err(Error::input("format_unsupported", "this looks like a text file; it cannot be read yet", HINT).in_file(name))
        }
        sniff::Kind::Unknown => {
            Err(Error::input("format_unknown", "the file's first bytes are those of no known format", HINT).in_file(name))
        }
    }
}
