//! What files say of themselves and what tiling them will take, as `inspect --json` prints it.
//!
//! Of each file the header and a sample of its points are read: 50,000 points, of an E57 file also 400,000 more and the heads of some packets.
//! Of a text it is 20 MiB for each of the two samples at most.
//!
//! **Estimate.** A cautious guess from the number of points and the length of their records alone: see [`Estimate`].

use std::path::Path;

use serde::Serialize;

use crate::open::open_with;
use crate::overrides::Override;
use crate::precision::Precision;
use crate::source::PointSource;
use crate::sources::open_all;
use parterre_model::frame::{Unit, UnitSource};
use parterre_model::points::Bounds;
use parterre_model::setup::{ImageInfo, Setup};
use parterre_model::{Error, Result, Warning, record};

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
    /// Edges of the bounds in metres; none where the coordinates have no length.
    pub size_m: Option<[f64; 3]>,
    /// Where the scanner stood.
    pub setups: Vec<Setup>,
    /// Pictures in the file.
    pub images: Vec<ImageInfo>,
    /// What tiling the file alone takes.
    pub estimate: Estimate,
    /// How finely the coordinates are stored: for showing `bounds`, which are plain numbers in JSON.
    #[serde(skip)]
    pub precision: Precision,
}

/// What tiling takes, guessed so that it is rather less: the stadium that `docs/benchmarks.md` measures takes less than half of the time, and
/// makes five sixths of the bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Estimate {
    /// Bytes of `points.copc.laz`: about half of a record compresses away.
    pub copc_bytes: u64,
    /// Bytes of `tiles.3tz`: about [`TILE_BYTES`] a point.
    pub tiles_bytes: u64,
    /// Most bytes of temporary files: 1.5 times the uncompressed records.
    pub temporary_bytes: u64,
    /// Time on two cores, at [`POINTS_PER_SECOND`].
    pub seconds: u64,
}

/// Bytes of a point in tiles: position, colour and attributes, compressed.
pub const TILE_BYTES: u64 = 9;
/// Points that become both encodings in a second on two cores.
pub const POINTS_PER_SECOND: u64 = 1_000_000;

impl Estimate {
    fn new(points: u64, record_len: u64) -> Self {
        let records = points.saturating_mul(record_len);
        Self {
            copc_bytes: records / 2,
            tiles_bytes: points.saturating_mul(TILE_BYTES),
            temporary_bytes: records.saturating_add(records / 2),
            seconds: points.div_ceil(POINTS_PER_SECOND),
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            copc_bytes: self.copc_bytes.saturating_add(other.copc_bytes),
            tiles_bytes: self.tiles_bytes.saturating_add(other.tiles_bytes),
            temporary_bytes: self.temporary_bytes.saturating_add(other.temporary_bytes),
            seconds: self.seconds.saturating_add(other.seconds),
        }
    }
}

/// Several files as one scan.
#[derive(Clone, Debug, Serialize)]
pub struct Together {
    /// Each file, in the order given.
    pub files: Vec<Inspection>,
    /// Points of all.
    pub points: u64,
    /// Bytes of all.
    pub bytes: u64,
    /// Bounds of all, in the unit of the first.
    pub bounds: [f64; 6],
    /// What tiling them as one scan takes.
    pub estimate: Estimate,
}

/// Looks at a file without reading all of it: its header and a sample of its points.
///
/// # Errors
/// Those of [`crate::open`].
pub fn inspect(path: &Path) -> Result<Inspection> {
    inspect_with(path, &Override::default())
}

/// As [`inspect`]; `overrides` go before what the file says.
///
/// # Errors
/// Those of [`crate::open_with`].
pub fn inspect_with(path: &Path, overrides: &Override) -> Result<Inspection> {
    Ok(Inspection::of(open_with(path, overrides)?.as_ref(), len(path)?))
}

/// Looks at the files of one scan.
///
/// # Errors
/// Those of [`crate::open_all`]: files that do not go together are an error, as they are for the tiler.
pub fn inspect_all<P: AsRef<Path>>(paths: &[P], overrides: &Override) -> Result<Together> {
    let sources = open_all(paths, overrides)?;
    let mut bounds = Bounds::EMPTY;
    let mut files = Vec::with_capacity(paths.len());
    for (source, path) in sources.iter().zip(paths) {
        bounds = bounds.union(source.info().bounds);
        files.push(Inspection::of(source.as_ref(), len(path.as_ref())?));
    }
    Ok(Together {
        points: files.iter().map(|file| file.points).sum(),
        bytes: files.iter().map(|file| file.bytes).sum(),
        bounds: bounds.to_array(),
        estimate: files.iter().fold(Estimate::default(), |all, file| all.plus(file.estimate)),
        files,
    })
}

fn len(path: &Path) -> Result<u64> {
    Ok(std::fs::metadata(path).map_err(|error| Error::io("read", path, error))?.len())
}

impl Inspection {
    /// The document of an open source of `bytes` bytes.
    pub fn of(source: &dyn PointSource, bytes: u64) -> Self {
        let info = source.info();
        let unit = info.unit.unwrap_or_default().metres();
        let vertical = info.vertical_unit.map_or(unit, Unit::metres);
        let size = info.bounds.size();
        let record_len = record::COORDINATES_BYTES + source.attribute_layout().len();
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
            size_m: unit.zip(vertical).map(|(unit, vertical)| [size.x * unit, size.y * unit, size.z * vertical]),
            setups: info.setups.clone(),
            images: info.images.clone(),
            estimate: Estimate::new(info.points, record_len as u64),
            precision: source.precision(),
        }
    }
}
