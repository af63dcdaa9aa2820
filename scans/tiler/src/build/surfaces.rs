//! A surface for each point, from the points of the scan around it: its normal, the spacing of the points on it, and where it ends.
//!
//! It is estimated once, in a **block**: a cell of the octree that is not divided, with all points that lie in it, before the nodes
//! above take theirs. Blocks depend on the points alone, never on how these are divided into chunks, and so do the surfaces.
//!
//! 1. The block is divided into flat cells and others ([`cells`]). Points of a flat cell get the normal of its plane.
//! 2. Edges: a point that is not on the plane of its cell, or whose cell is not flat, gets the plane of a flat cell beside it that it lies on
//!    ([`neighbours`]). Points that lie on none get the plane of what is left of their cell, or of a larger cell around it.
//! 3. The normal is turned to the side that is visible ([`sides`]).
//! 4. For the points on the plane of a flat cell: how dense the points are there, and how far the surface goes on ([`extents`]).
//!
//! Limits. A cell at the border of a block does not see what lies beyond: a block is some metres wide, so few points are concerned. A point without
//! others around it points to its setup, or up where that is not known; those of dense cells, where many points are at one position, point up.

pub(crate) mod cells;
pub(crate) mod extents;
pub(crate) mod moments;
pub(crate) mod neighbours;
pub(crate) mod patches;
pub(crate) mod sides;

use std::ops::Range;

use glam::{DQuat, DVec3, Vec3};

use self::cells::{Cell, Division, Plane, TELLING_POINTS, USUAL_NOISE_M, check_small_cells, noise_m, plane_of};
use self::extents::{ALONE, BlockPoints, ExtentFinder};
use self::neighbours::Neighbours;
use self::patches::{PatchFinder, Scattered};
use self::sides::{Regions, Sides};
use crate::octree::cube::Cube;
use crate::octree::morton::{MORTON_LEVELS, coordinates_of, morton};
use crate::records::steps::steps_of;
use parterre_crs::Placement;
use parterre_model::record::COORDINATES_BYTES;
use parterre_tile::glb::Normal;
use parterre_tile::glb::surface::{Extent, Spacing, Surface, tangents};
use parterre_tile::id::NodeKey;

/// Bits of a coordinate of a normal. The normals of single points are off by two degrees and more, by the noise of the scanner.
pub(crate) const NORMAL_BITS: u32 = 6;
/// A point farther from the plane of its flat cell than so many standard deviations is looked at again: one in two thousand of normal noise.
const OFF: f32 = 3.5;
/// A point lies on a plane beside its cell up to so many standard deviations.
const ON: f32 = 3.0;
/// A flat cell with fewer points than this may be a piece of an edge: where its points lie on the plane of a large cell beside it, they are taken for points of
/// that.
const SMALL: usize = 16;
/// Offset of the point source in a record.
const POINT_SOURCE_AT: usize = COORDINATES_BYTES + 8;

/// What the surfaces of all blocks need to know of the scan.
pub(crate) struct SurfaceSettings {
    pub(crate) cube: Cube,
    pub(crate) placement: Placement,
    /// Length of the unit of each axis of the file, in metres.
    pub(crate) metres: DVec3,
    pub(crate) sides: Sides,
}

/// A block's points, in Morton order.
pub(crate) struct Block<'a> {
    pub(crate) key: NodeKey,
    pub(crate) records: &'a [u8],
    pub(crate) stride: usize,
}

/// Estimates surfaces; reused from block to block.
#[derive(Default)]
pub(crate) struct Estimator {
    positions: Vec<Vec3>,
    codes: Vec<u64>,
    cells: Vec<Cell>,
    neighbours: Neighbours,
    left: Vec<u32>,
    patches: PatchFinder,
    regions: Regions,
    /// For each point, the flat cell on whose plane it lies.
    owners: Vec<Option<u32>>,
    owned: Vec<u32>,
    finder: ExtentFinder,
}

/// Where a block lies.
struct Frame<'a> {
    settings: &'a SurfaceSettings,
    /// Metres along the axes of the file.
    origin_m: DVec3,
    /// From the axes of the file to those of the tiles.
    rotation: DQuat,
    /// Edge of the block, in units of the file.
    block_edge: f64,
    /// Whether the setup of some point is not known, so that free space has to tell the side.
    needs_space: bool,
}

/// A normal as it is stored, for either side of a surface, and the side that is visible where no setup says it.
#[derive(Clone, Copy)]
struct TwoSided {
    normal: Vec3,
    stored: [Normal; 2],
    is_back: bool,
}

impl Frame<'_> {
    fn stored(&self, normal: Vec3) -> Normal {
        Normal::with_bits(self.rotation * normal.as_dvec3(), NORMAL_BITS)
    }

    /// The two sides of a surface.
    fn two_sided(&self, regions: &mut Regions, plane: &Plane, is_flat: bool) -> TwoSided {
        let Plane { center, normal, .. } = *plane;
        let (sides, at_m, direction) = (&self.settings.sides, self.origin_m + center.as_dvec3(), normal.as_dvec3());
        let is_back = self.needs_space
            && if is_flat { sides.is_flat_back(regions, at_m, direction) } else { sides.is_rough_back(regions, at_m, direction) };
        TwoSided { normal, stored: [self.stored(normal), self.stored(-normal)], is_back }
    }

    /// The normal of a point: on the side of its setup.
    fn turned(&self, surface: TwoSided, position: Vec3, source: u16) -> Normal {
        let setup = self.settings.sides.setup_m(source);
        let is_back =
            setup.map_or(surface.is_back, |setup_m| (setup_m - self.origin_m - position.as_dvec3()).dot(surface.normal.as_dvec3()) < 0.0);
        surface.stored[usize::from(is_back)]
    }

    /// The normal of a point without a surface.
    fn towards_setup(&self, position: Vec3, source: u16) -> Normal {
        let setup = self.settings.sides.setup_m(source);
        setup.map_or(Normal::default(), |setup_m| self.stored((setup_m - self.origin_m - position.as_dvec3()).as_vec3()))
    }
}

/// Writes the normals of a block's points, and on which cell's plane they lie.
struct Writer<'a> {
    frame: &'a Frame<'a>,
    block: &'a Block<'a>,
    positions: &'a [Vec3],
    owners: &'a mut [Option<u32>],
    out: &'a mut [Surface],
}

impl Writer<'_> {
    fn put(&mut self, point: usize, surface: Option<TwoSided>, owner: Option<usize>) {
        let source = source_of(&self.block.records[point * self.block.stride..]);
        self.owners[point] = owner.map(|owner| owner as u32);
        self.out[point].normal = match surface {
            Some(surface) => self.frame.turned(surface, self.positions[point], source),
            None => self.frame.towards_setup(self.positions[point], source),
        };
    }
}

impl Estimator {
    /// Writes the surfaces of the block's points, in their order.
    pub(crate) fn estimate(&mut self, settings: &SurfaceSettings, block: &Block<'_>, out: &mut [Surface]) {
        let Some(first) = block.records.chunks_exact(block.stride).next().map(steps_of) else { return };
        let position = settings.cube.grid().position(first);
        let mut sources = block.records.chunks_exact(block.stride).map(source_of);
        let needs_space = sources.any(|source| settings.sides.setup_m(source).is_none());
        let frame = Frame {
            settings,
            origin_m: position * settings.metres,
            rotation: settings.placement.rotation_at(position),
            block_edge: settings.cube.edge_at(block.key.level),
            needs_space,
        };
        let digits = self.divide(settings, block, first);
        let regions = &mut self.regions;
        regions.clear();
        let surface = |cell: &Cell| Some(frame.two_sided(regions, cell.plane.as_ref().filter(|_| cell.is_flat)?, true));
        let mut surfaces: Vec<Option<TwoSided>> = self.cells.iter().map(surface).collect();
        self.owners.clear();
        self.owners.resize(self.positions.len(), None);
        let positions = &self.positions;
        let mut writer = Writer { frame: &frame, block, positions, owners: &mut self.owners, out };
        self.left.clear();
        for (index, cell) in self.cells.iter().enumerate() {
            let Range { start, end } = cell.points;
            if let (Some(surface), Some(plane), SMALL..) = (surfaces[index], cell.plane, cell.points.len()) {
                for (point, &position) in (start..end).zip(&positions[start..end]) {
                    let (mut best, mut owner) = (surface, index);
                    if plane.deviations(position) > OFF {
                        // Only cells that touch the point's own corner of a large cell.
                        let digits = cell.digits.saturating_sub(3);
                        let found = self.neighbours.around(&self.cells, self.codes[point], digits);
                        if let Some(other) = nearest(&self.cells, found, position, 0) {
                            (best, owner) = (surfaces[other].unwrap_or(surface), other);
                        }
                    }
                    writer.put(point, Some(best), Some(owner));
                }
                continue;
            }
            let found = self.neighbours.around(&self.cells, cell.code, cell.digits);
            let least_points = if cell.is_flat { TELLING_POINTS } else { 0 };
            for (point, &position) in (start..end).zip(&positions[start..end]) {
                match nearest(&self.cells, found, position, least_points) {
                    Some(other) if surfaces[other].is_some() => writer.put(point, surfaces[other], Some(other)),
                    _ => self.left.push(point as u32),
                }
            }
        }
        // Planes among the points that are left.
        let noise_m = noise_m(&self.cells).unwrap_or(USUAL_NOISE_M).max(USUAL_NOISE_M);
        let edge_m = frame.block_edge * settings.metres.x;
        let scattered = Scattered { codes: &self.codes, positions, digits, edge_m, noise_m };
        let count = self.cells.len();
        let cells = &mut self.cells;
        let mut of_left: Vec<(u32, usize)> = Vec::new();
        self.patches.find(scattered, &self.left, |cell| cells.push(cell), |point, patch| of_left.push((point, count + patch)));
        for cell in &self.cells[count..] {
            surfaces.push(cell.plane.as_ref().map(|plane| frame.two_sided(&mut self.regions, plane, true)));
        }
        for (point, owner) in of_left {
            writer.put(point as usize, surfaces[owner], Some(owner));
        }
        // What lies on none of them gets the plane of its cell.
        let mut left = &self.left[..];
        for (index, cell) in self.cells.iter().enumerate().take(count) {
            let (own, others) = left.split_at(left.partition_point(|&point| (point as usize) < cell.points.end));
            left = others;
            let is_left = |point: &&u32| writer.owners[**point as usize].is_none();
            let rest = own.iter().filter(is_left).count();
            if rest == 0 {
                continue;
            }
            let surface = surfaces[index].or_else(|| {
                let is_some = rest < cell.points.len();
                let own = is_some.then(|| plane_of(own.iter().filter(is_left).map(|&point| positions[point as usize]))).flatten();
                own.or(cell.plane).map(|plane| frame.two_sided(&mut self.regions, &plane, false))
            });
            let owner = surfaces[index].map(|_| index);
            for &point in own {
                if writer.owners[point as usize].is_none() {
                    writer.put(point as usize, surface, owner);
                }
            }
        }
        self.extents(settings, &frame, &surfaces, digits, out);
    }

    /// Writes the spacings and extents of the points on the planes of flat cells.
    fn extents(&mut self, settings: &SurfaceSettings, frame: &Frame<'_>, surfaces: &[Option<TwoSided>], digits: u32, out: &mut [Surface]) {
        // The points, cell by cell.
        self.owned.clear();
        self.owned.extend((0..self.owners.len() as u32).filter(|&point| self.owners[point as usize].is_some()));
        self.owned.sort_by_key(|&point| self.owners[point as usize]);
        let step_m = settings.metres * frame.block_edge / f64::from(1_u32 << digits);
        let first = coordinates_of(self.codes[0]).map(f64::from);
        let block = BlockPoints {
            codes: &self.codes,
            digits,
            positions: &self.positions,
            // Positions are relative to the first point, which is in the middle of its step in the mean.
            corner_m: -(DVec3::from_array(first) + 0.5) * step_m,
            step_m,
        };
        let mut known_m: Vec<f32> = vec![0.0; self.positions.len()];
        let mut rest = &self.owned[..];
        while let Some(&point) = rest.first() {
            let owner = self.owners[point as usize];
            let count = rest.partition_point(|&point| self.owners[point as usize] == owner);
            let (points, others) = rest.split_at(count);
            rest = others;
            let Some((cell, surface)) = owner.and_then(|owner| Some((&self.cells[owner as usize], surfaces[owner as usize]?))) else {
                continue;
            };
            let Some(plane) = &cell.plane else { continue };
            // The tangents of the normal as it is stored, so that a reader finds the same ones.
            let tangents = tangents(surface.stored[0].unit()).map(|tangent| (frame.rotation.inverse() * tangent.as_dvec3()).as_vec3());
            let Some(spacing_m) = self.finder.prepare(&block, cell, plane, tangents, points) else { continue };
            for &point in points {
                let (extents_m, spacings) = self.finder.of(plane, tangents, self.positions[point as usize]);
                let extent = Extent::from_m(extents_m);
                let of = &mut out[point as usize];
                of.spacing = Spacing::from_m(f64::from(spacing_m) * spacings);
                known_m[point as usize] = spacing_m;
                of.extent = if of.normal == surface.stored[0] { extent } else { extent.of_other_side() };
            }
        }
        // A point on no plane is as far from others as those before it are; nothing says that its surface goes on.
        let mut last_m = known_m.iter().copied().find(|known_m| *known_m > 0.0).unwrap_or(0.0);
        for (of, &known_m) in out.iter_mut().zip(&known_m) {
            if known_m > 0.0 {
                last_m = known_m;
            } else if last_m > 0.0 {
                of.spacing = Spacing::from_m(f64::from(last_m));
                of.extent = Extent::from_m([f64::from(last_m) * ALONE; 4]);
            }
        }
    }

    /// Divides the block into cells; returns the octal digits of the codes in it. Positions are relative to those of the steps `first`.
    fn divide(&mut self, settings: &SurfaceSettings, block: &Block<'_>, first: [i32; 3]) -> u32 {
        let cube = &settings.cube;
        let step_m = cube.scale * settings.metres;
        self.positions.clear();
        self.positions.extend(block.records.chunks_exact(block.stride).map(|record| {
            let steps = steps_of(record);
            let along = |axis: usize| (i64::from(steps[axis]) - i64::from(first[axis])) as f64 * step_m[axis];
            DVec3::new(along(0), along(1), along(2)).as_vec3()
        }));
        // Not the codes that sort the chunk: how far they reach depends on the chunk.
        let bits = cube.bits - block.key.level;
        let digits = bits.min(MORTON_LEVELS);
        let below = |value: u32| (value & ((1 << bits) - 1)) >> (bits - digits);
        self.codes.clear();
        self.codes
            .extend(block.records.chunks_exact(block.stride).map(|record| morton(cube.tree_coordinates(steps_of(record)).map(below))));
        self.cells.clear();
        let edge_m = cube.edge_at(block.key.level) * settings.metres.x;
        Division { codes: &self.codes, positions: &self.positions, cells: &mut self.cells }.divide(0..self.codes.len(), digits, edge_m);
        check_small_cells(&mut self.cells);
        self.neighbours.index(&self.cells, digits);
        digits
    }
}

/// The point source of a record.
fn source_of(record: &[u8]) -> u16 {
    u16::from_le_bytes([record[POINT_SOURCE_AT], record[POINT_SOURCE_AT + 1]])
}

/// The flat cell on whose plane a point lies, the nearest one of those with enough points, in standard deviations.
fn nearest(cells: &[Cell], among: &[u32], position: Vec3, least_points: usize) -> Option<usize> {
    let mut best: Option<(usize, f32)> = None;
    for &index in among {
        let cell = &cells[index as usize];
        let Some(plane) = cell.plane.as_ref().filter(|_| cell.points.len() >= least_points) else { continue };
        let deviations = plane.deviations(position);
        if deviations <= ON && best.is_none_or(|(_, least)| deviations < least) {
            best = Some((index as usize, deviations));
        }
    }
    best.map(|(index, _)| index)
}
