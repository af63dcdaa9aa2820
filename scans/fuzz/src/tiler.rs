//! The whole tiler on small scans.
//!
//! An input is a header of four bytes, then either points or the bytes of a scan file:
//!
//! | byte | meaning |
//! | --- | --- |
//! | 0 | bit 0: no COPC; bit 1: no tiles; bit 2: two sources; bit 3: positions on a grid; bit 4: colours; bit 5: the rest is a scan file |
//! | 1 | points per tile, 16 more than its lower six bits; highest bit: unit foot |
//! | 2 | step of the coordinates: 10 to the power of minus its lower three bits, metres |
//! | 3 | points of the first of two sources |
//! | then | points of [`POINT_BYTES`] bytes each, see [`SyntheticPoint`] |

use std::path::PathBuf;
use std::sync::OnceLock;

use glam::DVec3;
use parterre_model::frame::{Unit, UnitSource};
use parterre_model::points::{Attributes, Bounds, PointChunk};
use parterre_model::record::{Grid, RecordChunk, Wanted};
use parterre_model::{Result, Warning};
use parterre_read as read;
use parterre_read::{Override, PointSource, SourceInfo};
use parterre_tiler::{self as tiler, Options, Outputs, Report};

use super::common::{check_error, open};

const HEADER_BYTES: usize = 4;
const POINT_BYTES: usize = 8;
/// Most points of an input; each takes about 10 µs.
const MAX_POINTS: usize = 400;
/// Scan files with more points than this are not tiled.
const MAX_FILE_POINTS: u64 = 2_000;

/// One point of an input.
#[derive(Clone, Copy, Debug)]
struct SyntheticPoint {
    /// Steps on the three axes; multiplied by 65,536 where `kind` is 252.
    steps: [i16; 3],
    /// Class, and the source of the other attributes.
    class: u8,
    /// 0 to 251: a usual point. Others: 252 far away, 253 NaN, 254 infinity, 255 the largest number.
    kind: u8,
}

impl SyntheticPoint {
    fn grid_steps(self) -> [i32; 3] {
        self.steps.map(|step| i32::from(step) * if self.kind == 252 { 65_536 } else { 1 })
    }
}

/// Tiles an input: every point is in the tiles and in COPC, or counted as dropped, and both can be read again.
pub fn tiler(bytes: &[u8]) {
    let Some((header, rest)) = bytes.split_at_checked(HEADER_BYTES) else { return };
    let Some((mut sources, points_in)) = sources(header, rest) else { return };
    let options = Options {
        // No chunk is cut for want of memory.
        memory_bytes: 256 << 20,
        tile_points: 16 + usize::from(header[1] & 0x3f),
        outputs: Outputs { copc: header[0] & 1 == 0, tiles: header[0] & 3 != 2 },
        ..Options::default()
    };
    let dir = folder();
    match tiler::tile(&mut sources, &dir, &options, &|_| ()) {
        Ok(report) => check_outputs(&report, points_in, &options, &dir),
        Err(error) => {
            check_error(&error);
            assert!(!dir.join("report.json").exists(), "a failed run leaves a report");
        }
    }
    if dir.exists() {
        std::fs::remove_dir_all(&dir).expect("the folder of the outputs can be removed");
    }
}

type Sources = Vec<Box<dyn PointSource>>;

/// The sources of an input, and the number of their points where it is known.
fn sources(header: &[u8], rest: &[u8]) -> Option<(Sources, Option<u64>)> {
    if header[0] & 32 != 0 {
        let source = open(rest, &Override::default())?;
        return (source.info().points <= MAX_FILE_POINTS).then(|| (vec![source], None));
    }
    let points: Vec<SyntheticPoint> = rest
        .chunks_exact(POINT_BYTES)
        .take(MAX_POINTS)
        .map(|bytes| SyntheticPoint {
            steps: [0, 2, 4].map(|at| i16::from_le_bytes([bytes[at], bytes[at + 1]])),
            class: bytes[6],
            kind: bytes[7],
        })
        .collect();
    let first = if header[0] & 4 == 0 { points.len() } else { usize::from(header[3]).min(points.len()) };
    let parts = if first == points.len() { vec![&points[..]] } else { vec![&points[..first], &points[first..]] };
    let sources = parts.into_iter().map(|points| Box::new(Synthetic::new(header, points)) as Box<dyn PointSource>).collect();
    Some((sources, Some(points.len() as u64)))
}

/// The folder of the outputs: in memory where the system has such a file system.
fn folder() -> PathBuf {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    let root = ROOT.get_or_init(|| {
        let memory = PathBuf::from("/dev/shm");
        if memory.is_dir() { memory } else { std::env::temp_dir() }
    });
    root.join(format!("parterre-fuzz-{}", std::process::id()))
}

fn check_outputs(report: &Report, points_in: Option<u64>, options: &Options, dir: &std::path::Path) {
    assert!(points_in.is_none_or(|points| report.points_in == points), "{} of {points_in:?} points were read", report.points_in);
    assert_eq!(report.points_in, report.points_out + report.points_dropped);
    assert_eq!(report.points_dropped, report.dropped.iter().map(|dropped| dropped.points).sum::<u64>());
    assert!(report.bounds.iter().all(|bound| bound.is_finite()), "{:?}", report.bounds);
    for file in &report.files {
        let metadata = std::fs::metadata(dir.join(&file.name)).expect("a file of the report");
        assert_eq!(metadata.len(), file.bytes, "{}", file.name);
    }
    if options.outputs.tiles {
        let mut points = 0;
        for tile in tiler::read_back(&dir.join("tiles.3tz")).expect("the archive can be opened") {
            let tile = tile.expect("the tile can be read");
            for part in &tile.parts {
                points += part.vertices.len() as u64;
                let slack = DVec3::splat(1e-3 + report.quantization_error_m);
                assert!(tile.bounds.contains_box(part.bounds(), slack), "{:?} in {:?}", part.bounds(), tile.bounds);
            }
        }
        assert_eq!(points, report.points_out, "points in the tiles");
    }
    if options.outputs.copc {
        let mut copc = read::open(&dir.join("points.copc.laz")).expect("COPC can be opened");
        let mut chunk = RecordChunk::default();
        let mut points = 0;
        loop {
            match copc.read_records(&mut chunk, Wanted::Records, 1_000).expect("COPC can be read") {
                0 => break,
                count => points += count as u64,
            }
            assert!(chunk.positions.iter().all(|position| position.is_finite()));
        }
        assert_eq!(points, report.points_out, "points in COPC");
    }
}

/// A scan in memory.
struct Synthetic {
    info: SourceInfo,
    points: Vec<SyntheticPoint>,
    step_m: f64,
    next: usize,
}

impl Synthetic {
    fn new(header: &[u8], points: &[SyntheticPoint]) -> Self {
        let step_m = 10_f64.powi(-i32::from(header[2] & 7));
        let attributes = Attributes { color: header[0] & 16 != 0, intensity: true, classification: true, ..Attributes::default() };
        let unit = if header[1] & 0x80 == 0 { Unit::Metre } else { Unit::Foot };
        let mut source = Self {
            info: SourceInfo {
                format: "synthetic".to_owned(),
                points: points.len() as u64,
                bounds: Bounds::EMPTY,
                crs: None,
                unit: Some(unit),
                vertical_unit: None,
                unit_source: UnitSource::File,
                attributes,
                grid: (header[0] & 8 != 0).then(|| Grid { scale: DVec3::splat(step_m), offset: DVec3::ZERO }),
                setups: Vec::new(),
                images: Vec::new(),
                warnings: Vec::new(),
            },
            points: points.to_vec(),
            step_m,
            next: 0,
        };
        let positions = points.iter().map(|point| source.position(*point)).filter(|position| position.is_finite());
        source.info.bounds = positions.fold(Bounds::EMPTY, |mut bounds, position| {
            bounds.include(position);
            bounds
        });
        source
    }

    fn position(&self, point: SyntheticPoint) -> DVec3 {
        match point.kind {
            253 if self.info.grid.is_none() => DVec3::NAN,
            254 if self.info.grid.is_none() => DVec3::new(0.0, f64::INFINITY, 0.0),
            255 if self.info.grid.is_none() => DVec3::splat(f64::MAX),
            _ => DVec3::from_array(point.grid_steps().map(f64::from)) * self.step_m,
        }
    }

    fn take(&mut self, max: usize) -> Vec<SyntheticPoint> {
        let end = self.points.len().min(self.next.saturating_add(max));
        let taken = self.points[self.next..end].to_vec();
        self.next = end;
        taken
    }
}

impl PointSource for Synthetic {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn read_chunk(&mut self, chunk: &mut PointChunk, max: usize) -> Result<usize> {
        chunk.clear();
        let points = self.take(max);
        chunk.positions.extend(points.iter().map(|point| self.position(*point)));
        chunk.intensities.extend(points.iter().map(|point| u16::from(point.kind) * 257));
        chunk.classifications.extend(points.iter().map(|point| point.class));
        if self.info.attributes.color {
            chunk.colors.extend(points.iter().map(|point| [point.class, point.kind, 128].map(|value| u16::from(value) * 257)));
        }
        Ok(points.len())
    }

    fn read_records(&mut self, chunk: &mut RecordChunk, wanted: Wanted, max: usize) -> Result<usize> {
        let start = self.next;
        let mut columns = PointChunk::default();
        let count = self.read_chunk(&mut columns, max)?;
        chunk.clear();
        if self.info.grid.is_some() {
            let steps: Vec<_> = self.points[start..start + count].iter().map(|point| point.grid_steps()).collect();
            chunk.steps = steps;
        }
        if wanted == Wanted::Records {
            parterre_model::record::append_attributes(&columns, self.attribute_layout().color, &mut chunk.attribute_bytes);
        }
        chunk.positions = columns.positions;
        Ok(count)
    }

    fn rewind(&mut self) -> Result<()> {
        self.next = 0;
        Ok(())
    }

    fn warnings(&self) -> &[Warning] {
        &[]
    }
}
