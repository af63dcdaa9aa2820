//! Planes among points that lie on no flat cell: small or thin things that were scanned sparsely, such as seats, where a cell of a dozen points already holds
//! several faces.
//!
//! The points are divided into regions of the octree with a few dozen points. In each, planes are searched for by drawing three points at a time and
//! counting the points near their plane (RANSAC; Fischler, Bolles 1981). The plane with most points is taken if they are more than chance would put
//! there, and the search goes on with the points that are left. At last, single points join a plane of a region beside theirs that they lie on, near its points.

use std::ops::Range;

use glam::{Vec2, Vec3};

use super::cells::{Cell, Plane, plane_through};
use super::extents::{boxes_around, spacing_m};

/// A region with at most so many points is not divided.
const REGION_POINTS: usize = 160;
/// Edge of a region at most. Metres. Larger than the parts of furniture.
const REGION_EDGE_M: f64 = 1.0;
/// Fewest points of a plane: three are on a plane in any case.
const LEAST_POINTS: usize = 7;
/// How many times more points than chance would put there a plane needs.
const MORE_THAN_CHANCE: f32 = 2.5;
/// Planes of a region at most: the six faces of a box, and two more.
const MOST_PLANES: usize = 8;
/// Drawings for a plane at most. Where a fifth of the points is on a face, all three are on it in one of 125 drawings; with this number none is in one of 11
/// regions.
const DRAWINGS: usize = 300;
/// Drawings end when a plane with more points would have been drawn with all but this probability.
const MISSED: f32 = 0.05;
/// A point is on a plane up to so many standard deviations of the noise.
const ON: f32 = 2.5;
/// Sine of the smallest angle of a drawn triangle: a thinner one does not tell its plane.
const LEAST_SINE: f32 = 0.2;

/// Finds planes; reused from block to block.
#[derive(Default)]
pub(crate) struct PatchFinder {
    points: Vec<u32>,
    /// Coordinates of `points`, axis by axis.
    coordinates: [Vec<f32>; 3],
    best: Vec<u32>,
    patches: Vec<Patch>,
    /// For each point, the distance from the plane that it is on, and the number of that plane.
    joined: Vec<(f32, u32)>,
}

/// A plane that was found.
struct Patch {
    cell: Cell,
    plane: Plane,
    /// Directions on the plane, and where its points are along them, with some spacings around.
    along: [Vec3; 2],
    low: Vec2,
    high: Vec2,
}

/// A single point joins a plane whose points are at most so many spacings away.
const NEAR: f32 = 3.0;
const NONE: (f32, u32) = (f32::INFINITY, u32::MAX);

/// The points among which planes are searched for.
#[derive(Clone, Copy)]
pub(crate) struct Scattered<'a> {
    /// Codes and positions of all points of the block; the codes are of `digits` octal digits.
    pub(crate) codes: &'a [u64],
    pub(crate) positions: &'a [Vec3],
    pub(crate) digits: u32,
    /// Edge of the block, and standard deviation of the points across their planes. Metres.
    pub(crate) edge_m: f64,
    pub(crate) noise_m: f32,
}

impl PatchFinder {
    /// Finds the planes among `points`, which ascend. Calls `found` with each plane, as a cell without points of its own, and then `on` with each point that is on a
    /// plane, and the number of that plane.
    pub(crate) fn find(&mut self, all: Scattered<'_>, points: &[u32], mut found: impl FnMut(Cell), mut on: impl FnMut(u32, usize)) {
        self.patches.clear();
        self.joined.clear();
        self.joined.resize(points.len(), NONE);
        self.divide(all, points, 0..points.len(), all.digits, all.edge_m);
        let codes: Vec<u64> = points.iter().map(|&point| all.codes[point as usize]).collect();
        let mut joined = self.joined.clone();
        for (number, patch) in self.patches.iter().enumerate() {
            for slot in boxes_around(&codes, all.digits, patch.cell.code, patch.cell.digits, |_| true)
                .flatten()
                .filter(|&slot| self.joined[slot] == NONE)
            {
                let off_m = patch.distance_m(all.positions[points[slot] as usize]);
                if off_m <= ON * all.noise_m && off_m < joined[slot].0 {
                    joined[slot] = (off_m, number as u32);
                }
            }
        }
        self.patches.drain(..).for_each(|patch| found(patch.cell));
        for (point, (_, number)) in points.iter().zip(&joined).filter(|(_, joined)| **joined != NONE) {
            on(*point, *number as usize);
        }
    }

    fn divide(&mut self, all: Scattered<'_>, points: &[u32], slots: Range<usize>, digits: u32, edge_m: f64) {
        if slots.len() < LEAST_POINTS {
            return;
        }
        if digits == 0 || (slots.len() <= REGION_POINTS && edge_m <= REGION_EDGE_M) {
            self.region(all, points, slots, digits);
            return;
        }
        let shift = 3 * (digits - 1);
        let mut start = slots.start;
        while start < slots.end {
            let number = all.codes[points[start] as usize] >> shift & 7;
            let count = points[start..slots.end].partition_point(|&point| all.codes[point as usize] >> shift & 7 <= number);
            self.divide(all, points, start..start + count, digits - 1, edge_m / 2.0);
            start += count;
        }
    }

    fn region(&mut self, all: Scattered<'_>, points: &[u32], slots: Range<usize>, digits: u32) {
        let first = slots.start;
        let points = &points[slots];
        let code = all.codes[points[0] as usize] >> (3 * digits) << (3 * digits);
        let mut random = Random(code ^ 0x9E37_79B9_7F4A_7C15);
        self.points.clear();
        // Points at one place would need all work of this.
        self.points.extend(points.iter().take(4 * REGION_POINTS));
        let on_m = ON * all.noise_m;
        for _ in 0..MOST_PLANES {
            if self.points.len() < LEAST_POINTS || !self.search(all.positions, on_m, &mut random) {
                return;
            }
            let plane = plane_through(self.best.iter().map(|&point| all.positions[point as usize]));
            let Some(plane) = plane.filter(|_| self.best.len() >= self.least_points(all.positions, on_m)) else { return };
            let best = &self.best;
            self.points.retain(|point| best.binary_search(point).is_err());
            let cell = Cell { points: Range::default(), code, digits, is_flat: true, plane: Some(plane) };
            let patch = Patch::new(cell, plane, self.best.iter().map(|&point| all.positions[point as usize]));
            for &point in &self.best {
                let slot = first + points.partition_point(|&other| other < point);
                self.joined[slot] = (patch.distance_m(all.positions[point as usize]), self.patches.len() as u32);
            }
            self.patches.push(patch);
        }
    }

    /// How many points are near a plane. Without branches, so that the processor takes several at once.
    fn count_on(&self, normal: Vec3, offset: f32, on_m: f32) -> u32 {
        let [x, y, z] = &self.coordinates;
        x.iter().zip(y).zip(z).map(|((x, y), z)| u32::from((x * normal.x + y * normal.y + z * normal.z - offset).abs() <= on_m)).sum()
    }

    /// Fewest points of a plane: more than chance would put near it, in a box of this size.
    fn least_points(&self, positions: &[Vec3], on_m: f32) -> usize {
        let at = |point: &u32| positions[*point as usize];
        let (low, high) =
            self.points.iter().map(at).fold((Vec3::INFINITY, Vec3::NEG_INFINITY), |(low, high), at| (low.min(at), high.max(at)));
        let thickness_m = ((high - low).element_sum() / 3.0).max(on_m);
        let by_chance = 3.0 + self.points.len() as f32 * 2.0 * on_m / thickness_m;
        LEAST_POINTS.max((MORE_THAN_CHANCE * by_chance) as usize)
    }

    /// Puts the points of the best plane found into `best`, ascending. `false` where no drawing gave a plane.
    fn search(&mut self, positions: &[Vec3], on_m: f32, random: &mut Random) -> bool {
        let at = |point: u32| positions[point as usize];
        for (axis, coordinates) in self.coordinates.iter_mut().enumerate() {
            coordinates.clear();
            coordinates.extend(self.points.iter().map(|&point| at(point)[axis]));
        }
        let (mut most, mut found) = (0, None);
        let mut drawings = DRAWINGS;
        let mut drawn = 0;
        while drawn < drawings {
            drawn += 1;
            let [a, b, c] = [(); 3].map(|()| at(self.points[random.below(self.points.len())]));
            let (first, second) = (b - a, c - a);
            let normal = first.cross(second);
            let length = normal.length();
            if length <= LEAST_SINE * first.length() * second.length() || length <= 0.0 {
                continue;
            }
            let normal = normal / length;
            let count = self.count_on(normal, normal.dot(a), on_m);
            if count > most {
                (most, found) = (count, Some((a, normal)));
                let share = (count as f32 / self.points.len() as f32).powi(3).min(0.99);
                drawings = drawings.min((MISSED.ln() / (1.0 - share).ln()) as usize);
            }
        }
        let Some((center, normal)) = found else { return false };
        self.best.clear();
        self.best.extend(self.points.iter().filter(|&&point| (at(point) - center).dot(normal).abs() <= on_m));
        // The plane of three points is off by their noise: twice the plane of the points near it.
        for _ in 0..2 {
            let Some(plane) = plane_through(self.best.iter().map(|&point| at(point))) else { return false };
            self.best.clear();
            self.best.extend(self.points.iter().filter(|&&point| is_on(&plane, at(point), on_m)));
        }
        self.best.len() >= 3
    }
}

impl Patch {
    fn new(cell: Cell, plane: Plane, points: impl Iterator<Item = Vec3>) -> Self {
        let (first, second) = plane.normal.any_orthonormal_pair();
        let at = |point: Vec3| Vec2::new((point - plane.center).dot(first), (point - plane.center).dot(second));
        let points: Vec<[f32; 2]> = points.map(|point| at(point).to_array()).collect();
        let around = Vec2::splat(NEAR * spacing_m(&points).unwrap_or(0.0));
        let (low, high) =
            points.iter().fold((Vec2::INFINITY, Vec2::NEG_INFINITY), |(low, high), &point| (low.min(point.into()), high.max(point.into())));
        Self { cell, plane, along: [first, second], low: low - around, high: high + around }
    }

    /// Distance of a point from the plane; infinite beside it.
    fn distance_m(&self, position: Vec3) -> f32 {
        let offset = position - self.plane.center;
        let at = Vec2::from_array(self.along.map(|axis| offset.dot(axis)));
        let is_near = at.cmpge(self.low).all() && at.cmple(self.high).all();
        if is_near { offset.dot(self.plane.normal).abs() } else { f32::INFINITY }
    }
}

fn is_on(plane: &Plane, position: Vec3, on_m: f32) -> bool {
    (position - plane.center).dot(plane.normal).abs() <= on_m
}

/// A sequence of numbers that depends on its start alone (xorshift, Marsaglia 2003).
struct Random(u64);

impl Random {
    fn below(&mut self, count: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (((self.0 >> 32) * count as u64) >> 32) as usize
    }
}
