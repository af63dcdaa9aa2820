//! The last stage: thumbnail, plans and the survey's figures, from the encodings that were just written.
//!
//! The pictures are drawn from whole coarse levels of the octree: an even choice of the scan, enough for a picture however large the scan is. The
//! figures of density and noise need every point of some places: those of a few leaves and of what lies above them.

use std::collections::HashMap;
use std::path::Path;

use glam::DVec3;
use las::CopcReader;
use las::copc::{Entry, VoxelKey};

use super::read_back::{MAX_PATCH, read_back};
use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::points::Bounds;
use crate::raster::survey::{self, Survey};
use crate::raster::{ColoredPoint, Drawing, Level, height_color};

/// Points that pictures are drawn from, at most about.
const PICTURE_POINTS: u64 = 2_000_000;
/// Memory that drawing takes for each of them.
const POINT_BYTES: u64 = 160;
/// Leaves that the figures are taken in.
const PATCHES: usize = 48;
/// Width and height of the thumbnail.
const THUMBNAIL: (u32, u32) = (640, 400);
/// Width and height of a plan.
const PLAN: (u32, u32) = (1200, 900);

/// An encoding to take points from.
pub(super) enum Encoding<'a> {
    /// `tiles.3tz`.
    Tiles(&'a Path),
    /// `points.copc.laz`, with the frame of its coordinates.
    Copc(&'a Path, &'a Frame),
}

/// What was drawn and found.
pub(super) struct Pictures {
    /// Names and lengths of the files in the folder: the thumbnail, then the plans.
    pub(super) files: Vec<(String, u64)>,
    /// Levels, in the order of their plans.
    pub(super) levels: Vec<Level>,
    /// The figures.
    pub(super) survey: Survey,
}

/// Draws `thumbnail.png` and `plan-1.png`… into `dir`, lowest level first, in about `memory_bytes`. `check` says when to stop.
///
/// # Errors
/// Those of reading the encoding, `io`, and what `check` gives.
pub(super) fn draw(encoding: &Encoding<'_>, dir: &Path, memory_bytes: u64, check: &dyn Fn() -> Result<()>) -> Result<Pictures> {
    let most = (memory_bytes / POINT_BYTES).min(PICTURE_POINTS);
    let (points, patches) = match encoding {
        Encoding::Tiles(path) => (of_tiles(path, most)?, read_back(path)?.patches(PATCHES)?),
        Encoding::Copc(path, frame) => Copc::open(path, frame)?.read(most)?,
    };
    check()?;
    let survey = survey::survey(&points, &patches);
    drop(patches);
    check()?;
    let drawing = Drawing::new(&points)?;
    drop(points);
    let mut files = Vec::new();
    let mut keep = |name: String, picture: Vec<u8>| {
        let path = dir.join(&name);
        std::fs::write(&path, &picture).map_err(|error| Error::io("write", path, error))?;
        files.push((name, picture.len() as u64));
        check()
    };
    keep("thumbnail.png".into(), drawing.thumbnail(THUMBNAIL.0, THUMBNAIL.1)?)?;
    for level in drawing.levels() {
        keep(format!("plan-{}.png", level.number), drawing.plan(level, PLAN.0, PLAN.1)?)?;
    }
    Ok(Pictures { files, levels: drawing.levels().to_vec(), survey })
}

/// Whole levels of tiles, coarse ones first; positions in the scan frame.
fn of_tiles(archive: &Path, most: u64) -> Result<Vec<ColoredPoint>> {
    let tiles = read_back(archive)?;
    let origin = tiles.extras().frame.origin_m;
    let mut points = Vec::new();
    for part in tiles.overview(most)?.iter().flat_map(|tile| &tile.parts) {
        points.extend(part.vertices.iter().map(|vertex| {
            let [r, g, b, _] = vertex.color;
            ColoredPoint { position: origin + part.position_m(vertex), color: [r, g, b] }
        }));
    }
    Ok(points)
}

struct Copc<'a> {
    reader: CopcReader<'a, std::io::BufReader<std::fs::File>>,
    /// The nodes with points, from coarse to fine, in the order of the file within a level.
    nodes: Vec<Entry>,
    path: &'a Path,
    frame: &'a Frame,
}

impl<'a> Copc<'a> {
    fn open(path: &'a Path, frame: &'a Frame) -> Result<Self> {
        let file = std::fs::File::open(path).map_err(|error| Error::opening(path, error))?;
        let reader = CopcReader::new(std::io::BufReader::new(file)).map_err(|error| faulty(&error, path))?;
        let mut nodes: Vec<Entry> = reader.hierarchy_entries().filter(|entry| entry.point_count > 0).collect();
        nodes.sort_unstable_by_key(|entry| (entry.key.l, entry.offset));
        Ok(Self { reader, nodes, path, frame })
    }

    /// An even choice of the scan, and the patches.
    fn read(mut self, most: u64) -> Result<(Vec<ColoredPoint>, Vec<Vec<DVec3>>)> {
        let mut points = Vec::new();
        let mut count = 0;
        for level in self.nodes.clone().chunk_by(|a, b| a.key.l == b.key.l) {
            count += level.iter().map(|entry| entry.point_count as u64).sum::<u64>();
            if count > most && !points.is_empty() {
                break;
            }
            for entry in level {
                self.points(entry, |point| points.push((point.position, point.color, point.intensity)))?;
            }
        }
        let patches = self.patches()?;
        Ok((colored(&points), patches))
    }

    fn patches(&mut self) -> Result<Vec<Vec<DVec3>>> {
        let by_key: HashMap<VoxelKey, Entry> = self.nodes.iter().map(|entry| (entry.key, *entry)).collect();
        let is_leaf = |entry: &&Entry| !entry.key.children().any(|child| by_key.contains_key(&child));
        let leaves: Vec<Entry> = self.nodes.iter().filter(is_leaf).copied().collect();
        let step = leaves.len().div_ceil(PATCHES).max(1);
        let mut patches = Vec::new();
        for leaf in leaves.iter().skip(step / 2).step_by(step) {
            let mut patch = Vec::new();
            let mut bounds = Bounds::EMPTY;
            self.points(leaf, |point| {
                bounds.include(point.position);
                patch.push(point.position);
            })?;
            let mut key = leaf.key;
            while key.l > 0 && patch.len() < MAX_PATCH {
                key = key.parent();
                if let Some(entry) = by_key.get(&key) {
                    self.points(entry, |point| {
                        if bounds.contains(point.position) {
                            patch.push(point.position);
                        }
                    })?;
                }
            }
            patches.push(patch);
        }
        Ok(patches)
    }

    fn points(&mut self, entry: &Entry, mut each: impl FnMut(Raw)) -> Result<()> {
        let (path, frame) = (self.path, self.frame);
        let data = self.reader.read_entry(entry).map_err(|error| faulty(&error, path))?;
        for point in data.points() {
            let point = point.map_err(|error| faulty(&error, path))?;
            // Black is how such a file says that a point has no colour.
            let color = point.color.map(|color| [color.red, color.green, color.blue]).filter(|color| *color != [0; 3]);
            each(Raw {
                position: frame.scan_from_file(DVec3::new(point.x, point.y, point.z)),
                color: color.map(|color| color.map(|channel| (channel >> 8) as u8)),
                intensity: point.intensity,
            });
        }
        Ok(())
    }
}

struct Raw {
    position: DVec3,
    color: Option<[u8; 3]>,
    intensity: u16,
}

/// Points without colour get grey by intensity, or one by height where all intensities are alike.
fn colored(points: &[(DVec3, Option<[u8; 3]>, u16)]) -> Vec<ColoredPoint> {
    let range = |mut values: Vec<f64>| {
        values.sort_unstable_by(f64::total_cmp);
        let cut = values.len() / 50;
        values.get(cut).zip(values.get(values.len().saturating_sub(cut + 1))).map_or((0.0, 0.0), |(&low, &high)| (low, high))
    };
    let plain = || points.iter().filter(|(_, color, _)| color.is_none());
    let intensity = range(plain().map(|&(_, _, intensity)| f64::from(intensity)).collect());
    let height = range(plain().map(|(position, ..)| position.z).collect());
    let share = |value: f64, (low, high): (f64, f64)| ((value - low) / (high - low).max(1e-9)).clamp(0.0, 1.0);
    points
        .iter()
        .map(|&(position, color, light)| {
            let grey = || [(32.0 + 208.0 * share(f64::from(light), intensity).sqrt()) as u8; 3];
            let plain = || if intensity.0 < intensity.1 { grey() } else { height_color(share(position.z, height)) };
            ColoredPoint { position, color: color.unwrap_or_else(plain) }
        })
        .collect()
}

fn faulty(error: &las::Error, path: &Path) -> Error {
    Error::Internal(format!("{} cannot be read back: {error}", path.display()))
}
