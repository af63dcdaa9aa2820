//! Out-of-core octree tiler: a scan file in, one `tiles.3tz` and a report out.
//!
//! Four stages: `count` reads the sources once, quantizes to whole millimetres and spools; `distribute` sorts the spool
//! into chunks that fit the memory; `sample` builds each chunk's octree bottom-up, then what lies above them; `write`
//! puts the tiles in order into the archive. Refinement is additive: every point is in exactly one tile. The same points
//! in the same order give the same bytes.
//!
//! Limits: positions are kept to 0.5 mm; a scan spans at most 100 km. Points that share a cell of 1 mm and
//! are more than the memory holds become tiles below one another, in the order they came in. Returns and GPS times are not in the tiles. A run that is killed leaves a folder
//! `.tiling-…` in the destination.

mod count;
mod distribute;
mod pictures;
mod read_back;
mod record;
mod sample;
mod unpack;
mod write;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use glam::DVec3;
use serde::Serialize;

use self::distribute::{Chunk, Limits};
use self::record::{HAS_COLOR, Key, RECORD_BYTES, Record, Region};
use self::sample::{Builder, Node};
use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::points::Attributes;
use crate::raster::Level;
use crate::raster::survey::Survey;
use crate::read::{PointSource, SourceInfo, Warning};
use crate::tile::tileset::{FORMAT_VERSION, ScanExtras};

pub use self::read_back::{ReadBack, TileRead, read_back};
pub use self::unpack::unpack;

/// Settings of a run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Memory that the run may use, in bytes, roughly.
    pub memory_bytes: u64,
    /// Points wanted in a tile.
    pub tile_points: usize,
    /// Raised by the caller to stop the run.
    pub cancel: Option<Arc<AtomicBool>>,
}

impl Default for Options {
    fn default() -> Self {
        Self { memory_bytes: 1 << 30, tile_points: 50_000, cancel: None }
    }
}

/// Where a run stands. Handed to the caller often; cheap.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// `count`, `distribute`, `sample`, `write`, `pictures`.
    pub stage: &'static str,
    /// 0 to 1 over all stages.
    pub fraction: f64,
}

/// What a run did with every point. Written as `report.json`; `points_in == points_out + points_dropped`.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Version of this document.
    pub report_version: u32,
    /// Points read.
    pub points_in: u64,
    /// Points in the tiles.
    pub points_out: u64,
    /// Points left out, by the reasons that `warnings` give.
    pub points_dropped: u64,
    /// Everything odd.
    pub warnings: Vec<Warning>,
    /// Number of tiles with content.
    pub tiles: u64,
    /// Bytes of `tiles.3tz`.
    pub bytes: u64,
    /// Files beside this one.
    pub files: Vec<FileEntry>,
    /// The levels, lowest first; `plan-1.png`… show them.
    pub levels: Vec<Level>,
    /// What the scan covers, how dense and how noisy it is.
    pub survey: Survey,
    /// Wall time.
    pub seconds: f64,
    /// Bounds of the points in the scan frame, `[minx, miny, minz, maxx, maxy, maxz]`, metres.
    pub bounds: [f64; 6],
    /// Where the scan lies.
    pub frame: Frame,
    /// Largest distance between a point and its place in the tiles along one axis, metres.
    pub quantization_error_m: f64,
}

/// A file of the output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileEntry {
    /// Path below the output folder.
    pub name: String,
    /// Its length.
    pub bytes: u64,
}

/// Version of the report's layout.
pub const REPORT_VERSION: u32 = 1;

/// Bytes that building a chunk takes for each of its points.
const BUILD_BYTES: u64 = 3 * RECORD_BYTES + 24;

/// Tiles the sources as one scan into `dir/tiles.3tz` and `dir/report.json`.
///
/// Both appear at the end, by renaming; a failed or stopped run leaves neither. Temporary files live in `dir`, and take
/// about 45 bytes a point.
///
/// The scan has every attribute that one of the sources has, and the frame of the first. Points without colour get grey
/// by intensity where their sources have it, else a ramp by height, so that they can be seen everywhere;
/// [`ScanExtras::attributes`] says what was measured.
///
/// # Errors
/// Those of the sources; `no_sources`, `sources_disagree`, `unit_degrees`, `no_points`, `size_implausible`, also where
/// more than one point in twenty lies too far away from the others; `io`; `cancelled`.
pub fn tile(sources: &mut [Box<dyn PointSource>], dir: &Path, options: &Options, progress: &(dyn Fn(Progress) + Sync)) -> Result<Report> {
    let started = Instant::now();
    let context = Context { cancel: options.cancel.as_deref(), progress, last: Mutex::new(0.0) };
    let (frame, attributes) = agree(sources)?;
    std::fs::create_dir_all(dir).map_err(|error| Error::io("write", dir, error))?;
    let temporary = tempfile::Builder::new().prefix(".tiling-").tempdir_in(dir).map_err(|error| Error::io("write", dir, error))?;
    let temp = temporary.path();

    let counted = count::count(sources, &frame, &temp.join("points"), &context)?;
    // The tile frame begins at the whole metre below the lowest corner.
    let shift = counted.min.map(|value| value - value % 1000);
    let origin_m = [0, 1, 2].map(|axis| (counted.origin_mm[axis] + i64::from(shift[axis])) as f64 / 1000.0);
    let frame = Frame { origin_m: DVec3::from_array(origin_m), ..frame };
    let largest = (0..3).map(|axis| counted.max[axis] - shift[axis]).max().unwrap_or(0);
    let bits = u32::BITS - largest.leading_zeros();

    let tile_points = options.tile_points.clamp(16, 1 << 20);
    let limits = Limits {
        bits,
        chunk_points: (options.memory_bytes / 2 / BUILD_BYTES).clamp(2 * tile_points as u64, 1 << 30),
        bytes: options.memory_bytes / 4,
    };
    let ramp = Ramp { intensity: attributes.intensity.then_some(counted.intensity_range), height: counted.height_range };
    let fix = |record: &mut Record| {
        if record.flags & HAS_COLOR == 0 {
            record.color = ramp.color(record);
            record.flags |= HAS_COLOR;
        }
        for (value, shift) in record.position.iter_mut().zip(shift) {
            *value -= shift;
        }
    };
    let chunks = distribute::distribute(&counted.spool, Key::ROOT, limits, temp, &context, &fix)?;
    std::fs::remove_file(&counted.spool.path).map_err(|error| Error::io("remove", &counted.spool.path, error))?;

    let spool = write::Spool::create(temp.join("tiles"), attributes)?;
    let table_bytes = options.memory_bytes / 4 / rayon::current_num_threads().max(1) as u64;
    let builder = Builder { bits, tile_points, table_bytes, spool: &spool, context: &context };
    let root = sample(&builder, &chunks, limits, &temp.join("tops"), counted.spool.count)?;
    let metres = |corner: [u32; 3], axis: usize| (counted.origin_mm[axis] + i64::from(corner[axis])) as f64 / 1000.0;
    let bounds = [0, 1, 2, 3, 4, 5].map(|side| metres(if side < 3 { counted.min } else { counted.max }, side % 3));
    let scan = ScanExtras {
        format_version: FORMAT_VERSION,
        frame: frame.clone(),
        attributes,
        points: spool.points(),
        bounds,
        intensity_range: attributes.intensity.then_some(counted.intensity_range),
    };
    let archive = temp.join("tiles.3tz");
    let bytes = write::archive(&root, &spool, scan, &archive, &context)?;

    let pictures = temp.join("pictures");
    std::fs::create_dir(&pictures).map_err(|error| Error::io("make", &pictures, error))?;
    context.report("pictures", 0.0);
    let drawn = pictures::draw(&pictures::Encoding::Tiles(&archive), &pictures, options.memory_bytes, &|| context.check())?;
    let mut files = vec![FileEntry { name: "tiles.3tz".into(), bytes }];
    for name in drawn.files {
        let path = pictures.join(&name);
        let bytes = path.metadata().map_err(|error| Error::io("read", &path, error))?.len();
        files.push(FileEntry { name, bytes });
    }

    let points_dropped = counted.not_finite + counted.far_away;
    if spool.points() + points_dropped != counted.points_in {
        let (out, points_in) = (spool.points(), counted.points_in);
        return Err(Error::Internal(format!("{points_in} points went in, {out} came out and {points_dropped} were dropped")));
    }
    let report = Report {
        report_version: REPORT_VERSION,
        points_in: counted.points_in,
        points_out: spool.points(),
        points_dropped,
        warnings: warnings(sources, &counted),
        tiles: spool.tiles(),
        bytes,
        files,
        levels: drawn.levels,
        survey: drawn.survey,
        seconds: started.elapsed().as_secs_f64(),
        bounds,
        frame,
        quantization_error_m: counted.error_mm / 1000.0,
    };
    publish(&archive, &report, temp, dir)?;
    context.report("pictures", 1.0);
    Ok(report)
}

/// Builds every chunk, then the cells above them.
fn sample(builder: &Builder<'_>, chunks: &[Chunk], limits: Limits, tops: &Path, points: u64) -> Result<write::Done> {
    use std::io::Write as _;
    let write_error = |error| Error::io("write", tops, error);
    let mut file = std::fs::File::create(tops).map_err(write_error)?;
    let mut start = 0;
    let mut nodes = Vec::with_capacity(chunks.len());
    let mut done = 0;
    for chunk in chunks {
        // Only cells of 1 mm are above the limit: they cannot be cut any further.
        let node = if chunk.region.count > limits.chunk_points {
            builder.place(chunk.key, &chunk.region)?
        } else {
            builder.chunk(chunk.key, chunk.region.load()?)?
        };
        // The content waits on disk until the cell above takes from it.
        file.write_all(bytemuck::cast_slice(&node.content)).map_err(write_error)?;
        let count = node.content.len() as u64;
        nodes.push(Top {
            at: chunk.key,
            region: Region { path: tops.to_path_buf(), start, count },
            node: Node { content: Vec::new(), ..node },
        });
        start += count;
        done += chunk.region.count;
        builder.context.report("sample", 0.95 * done as f64 / points as f64);
    }
    let root = above(builder, Key::ROOT, &mut nodes.into_iter().peekable())?;
    let mut root = builder.finish(root.ok_or_else(|| Error::Internal("a tree without a root".into()))?)?;
    root.pop().filter(|_| root.is_empty()).ok_or_else(|| Error::Internal("a tree with more than one root".into()))
}

/// A chunk's topmost cell with its content on disk.
struct Top {
    /// The chunk's cell; the node's own lies deeper where the chunk fills one corner of it.
    at: Key,
    region: Region,
    node: Node,
}

/// The cell `key` of the chunks in and below it, which come in the order of the tree.
fn above(builder: &Builder<'_>, key: Key, tops: &mut std::iter::Peekable<std::vec::IntoIter<Top>>) -> Result<Option<Node>> {
    let is_below = |top: &Top| top.at.level >= key.level && top.at.cell.map(|cell| cell >> (top.at.level - key.level)) == key.cell;
    if !tops.peek().is_some_and(is_below) {
        return Ok(None);
    }
    if let Some(top) = tops.next_if(|top| top.at == key) {
        return Ok(Some(Node { content: top.region.load()?, ..top.node }));
    }
    let mut nodes = Vec::new();
    for number in 0..8 {
        nodes.extend(above(builder, key.child(number), tops)?);
    }
    builder.parent(key, nodes).map(Some)
}

/// The frame and the attributes of the scan that the sources make.
fn agree(sources: &[Box<dyn PointSource>]) -> Result<(Frame, Attributes)> {
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
    // Tiles hold neither; the scan's own file does.
    attributes.returns = false;
    attributes.gps_time = false;
    let unit = unit_of(first);
    let frame = Frame {
        origin_m: DVec3::ZERO,
        unit,
        vertical_unit: first.vertical_unit.filter(|&vertical| vertical != unit),
        unit_source: first.unit_source,
        crs: first.crs.clone(),
        ecef_from_tile: None,
    };
    Ok((frame, attributes))
}

fn warnings(sources: &[Box<dyn PointSource>], counted: &count::Counted) -> Vec<Warning> {
    let mut warnings: Vec<Warning> = Vec::new();
    for warning in sources.iter().flat_map(|source| source.info().warnings.iter().chain(source.warnings())) {
        if !warnings.contains(warning) {
            warnings.push(warning.clone());
        }
    }
    let mut dropped = |code, count: u64, what: &str| {
        if count > 0 {
            warnings.push(Warning { code, message: format!("{count} points {what} were left out") });
        }
    };
    dropped("points_not_finite", counted.not_finite, "whose position is not a number");
    dropped("points_far_away", counted.far_away, "more than 50 km from the first ones");
    warnings
}

/// Moves archive and report to their places.
fn publish(archive: &Path, report: &Report, temp: &Path, dir: &Path) -> Result<()> {
    let draft = temp.join("report.json");
    let text = serde_json::to_vec_pretty(report).map_err(|error| Error::Internal(error.to_string()))?;
    std::fs::write(&draft, text).map_err(|error| Error::io("write", &draft, error))?;
    let rename = |from: &Path, name: &str| {
        let to = dir.join(name);
        std::fs::rename(from, &to).map_err(|error| Error::io("write", to, error))
    };
    // The report says that a run is complete: it comes last.
    rename(archive, "tiles.3tz")?;
    for file in report.files.iter().filter(|file| file.name != "tiles.3tz") {
        rename(&temp.join("pictures").join(&file.name), &file.name)?;
    }
    rename(&draft, "report.json").inspect_err(|_| {
        let _ = std::fs::remove_file(dir.join("tiles.3tz"));
    })
}

/// What every stage needs of the caller.
struct Context<'a> {
    cancel: Option<&'a AtomicBool>,
    progress: &'a (dyn Fn(Progress) + Sync),
    last: Mutex<f64>,
}

impl Context<'_> {
    fn check(&self) -> Result<()> {
        if self.cancel.is_some_and(|cancel| cancel.load(Ordering::Relaxed)) { Err(Error::Cancelled) } else { Ok(()) }
    }

    /// Tells the caller where the stage stands, 0 to 1; never less than it was told before.
    fn report(&self, stage: &'static str, fraction: f64) {
        let (from, to) = match stage {
            "count" => (0.0, 0.35),
            "distribute" => (0.35, 0.45),
            "sample" => (0.45, 0.95),
            "write" => (0.95, 0.97),
            _ => (0.97, 1.0),
        };
        let Ok(mut last) = self.last.lock() else { return };
        *last = last.max(from + (to - from) * fraction.clamp(0.0, 1.0));
        (self.progress)(Progress { stage, fraction: *last });
    }
}

/// Colour for points that have none.
struct Ramp {
    intensity: Option<[u16; 2]>,
    height: [u32; 2],
}

impl Ramp {
    /// Dusk to daylight; even steps of lightness.
    const HEIGHTS: [[f64; 3]; 5] =
        [[54.0, 60.0, 112.0], [42.0, 110.0, 142.0], [72.0, 160.0, 130.0], [176.0, 196.0, 112.0], [246.0, 226.0, 150.0]];

    fn color(&self, record: &Record) -> [u8; 3] {
        let share = |value: u32, [low, high]: [u32; 2]| {
            let share = (f64::from(value) - f64::from(low)) / f64::from((high.saturating_sub(low)).max(1));
            share.clamp(0.0, 1.0)
        };
        if let Some(range) = self.intensity.filter(|[low, high]| low < high) {
            let share = share(u32::from(record.intensity), range.map(u32::from));
            // The square root lifts the many dark returns.
            return [(32.0 + 208.0 * share.sqrt()) as u8; 3];
        }
        let place = share(record.position[2], self.height) * (Self::HEIGHTS.len() - 1) as f64;
        let index = (place as usize).min(Self::HEIGHTS.len() - 2);
        let rest = place - index as f64;
        [0, 1, 2].map(|channel| {
            let (from, to) = (Self::HEIGHTS[index][channel], Self::HEIGHTS[index + 1][channel]);
            (from + (to - from) * rest) as u8
        })
    }
}
