//! Divides points into cells that are flat, as large as the points allow, and cells that are not.
//!
//! Cells are those of the octree. The moments of the smallest cells are added up to those of larger ones. A larger cell takes the place
//! of those in it where one plane fits its points as well as the planes of the smaller cells fit theirs: the noise of the
//! points cancels out of this comparison, whatever the scanner. So a wall becomes a few large cells with exact normals, and cells remain small along
//! edges and where a surface is curved.

use std::ops::Range;

use glam::{DVec3, Vec3};

use super::moments::{Fit, Moments};

/// A cell with at most so many points is not divided. A surface has a quarter of the points in each child: fewer would not give a plane.
const LEAF_POINTS: usize = 12;
/// Fewest points of a cell that tell how noisy the points are: a plane through fewer of them fits too well.
const EVIDENT_POINTS: u32 = 8;
/// Fewest points that a plane is fitted to: one more than determine it.
const LEAST_POINTS: u32 = 4;
/// Cells with an edge of less than this are not divided. The noise of scanners is 2 to 6 mm: the normals of smaller cells would be
/// off by ten degrees and more; and what a building has of edges is larger than 2 cm.
const LEAST_EDGE_M: f64 = 0.025;
/// Cells with a larger edge and more than [`FEW_POINTS`] are never joined: a point's neighbourhood ends somewhere.
const MOST_EDGE_M: f64 = 1.0;
const FEW_POINTS: usize = 64;
/// Standard deviation that is taken for noise in any case: positions are rounded to 1 mm in many files, and no scanner is better.
const LEAST_NOISE_M: f64 = 0.001;
/// A plane replaces several where its variance is larger by this factor at most, for any number of points.
const WORSE: f64 = 1.2;
/// The same for few points, by the square root of the observations: twice the standard deviation of a quotient of two estimated variances.
const WORSE_FOR_FEW: f64 = 2.8;
/// Standard deviation of the ranges of a good scanner on matt surfaces.
pub(crate) const USUAL_NOISE_M: f32 = 0.002;
/// Points of a cell whose distances from its plane tell the noise of the scan, to a tenth.
pub(crate) const TELLING_POINTS: usize = 48;
/// How much more than the noise of the scan the points of a small flat cell may be off: twice the standard deviation of an estimate by so few points.
const NOISIER: f32 = 1.5;
/// Standard deviation of the normal of a flat cell, at most: 5 degrees, squared.
const TILT: f64 = 0.0076;
/// Of a flat cell, the largest variance across relative to the smaller one along.
const FLAT: f64 = 0.15;

/// A plane in the block.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Plane {
    pub(crate) center: Vec3,
    pub(crate) normal: Vec3,
    /// Standard deviation of the points across it.
    pub(crate) noise_m: f32,
}

impl Plane {
    fn new(fit: &Fit, origin: DVec3) -> Self {
        let noise_m = (fit.residual() / fit.freedom().max(1.0)).sqrt().max(LEAST_NOISE_M);
        Self { center: (origin + fit.center).as_vec3(), normal: fit.normal().as_vec3(), noise_m: noise_m as f32 }
    }

    /// Standard deviation of the points across it, at least that of a good scanner.
    #[inline]
    pub(crate) fn noise_used_m(&self) -> f32 {
        self.noise_m.max(USUAL_NOISE_M)
    }

    /// Distance of a point in standard deviations.
    #[inline]
    pub(crate) fn deviations(&self, point: Vec3) -> f32 {
        (point - self.center).dot(self.normal).abs() / self.noise_used_m()
    }
}

/// A cell of the division.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    /// Its points.
    pub(crate) points: Range<usize>,
    /// Its first Morton code, and how many octal digits the codes in it have.
    pub(crate) code: u64,
    pub(crate) digits: u32,
    /// Whether its points lie on its plane.
    pub(crate) is_flat: bool,
    /// The plane of a flat cell; else that of the smallest cell around it with enough points, if there is one.
    pub(crate) plane: Option<Plane>,
}

/// Divides the points of a block.
pub(crate) struct Division<'a> {
    /// Morton codes of the points, ascending, of `digits` octal digits in the block.
    pub(crate) codes: &'a [u64],
    pub(crate) positions: &'a [Vec3],
    /// The cells, in the order of their points.
    pub(crate) cells: &'a mut Vec<Cell>,
}

/// Standard deviation of the points of a block across their planes: the median over the points of flat cells that are large enough to tell it. `None` where
/// there are none.
pub(crate) fn noise_m(cells: &[Cell]) -> Option<f32> {
    let mut known: Vec<(f32, usize)> = Vec::new();
    for cell in cells.iter().filter(|cell| cell.is_flat && cell.points.len() >= TELLING_POINTS) {
        known.extend(cell.plane.map(|plane| (plane.noise_m, cell.points.len())));
    }
    known.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let mut left = known.iter().map(|(_, points)| points).sum::<usize>() / 2;
    let median = known.iter().find(|(_, points)| {
        let is_here = *points > left;
        left = left.saturating_sub(*points);
        is_here
    });
    median.map(|&(noise_m, _)| noise_m)
}

/// Small cells are flat only where their points are as near to their planes as those of large cells are: few points around an edge may be near to some plane.
pub(crate) fn check_small_cells(cells: &mut [Cell]) {
    let Some(noise_m) = noise_m(cells) else { return };
    let most = NOISIER * noise_m.max(USUAL_NOISE_M);
    for cell in cells.iter_mut().filter(|cell| cell.points.len() < TELLING_POINTS) {
        cell.is_flat &= cell.plane.is_some_and(|plane| plane.noise_m <= most);
    }
}

/// What is known of the cells in a cell.
struct Summary {
    moments: Moments,
    /// Squared distances of all points from the planes of their cells, and the observations beyond the planes' parameters.
    residual: f64,
    freedom: f64,
    /// Cells without a plane.
    without: u32,
}

impl Division<'_> {
    /// Divides a cell, whose codes have so many octal digits below it, into those that may be joined.
    pub(crate) fn divide(&mut self, points: Range<usize>, digits: u32, edge_m: f64) {
        if digits == 0 || edge_m <= MOST_EDGE_M || points.len() <= FEW_POINTS {
            if let Some(first) = self.positions.get(points.start) {
                self.join(points, digits, edge_m, first.as_dvec3());
            }
            return;
        }
        self.for_each_child(points, digits, &mut |division, child| division.divide(child, digits - 1, edge_m / 2.0));
    }

    fn for_each_child(&mut self, points: Range<usize>, digits: u32, work: &mut dyn FnMut(&mut Self, Range<usize>)) {
        let shift = 3 * (digits - 1);
        let mut start = points.start;
        while start < points.end {
            let number = self.codes[start] >> shift & 7;
            let len = self.codes[start..points.end].partition_point(|code| code >> shift & 7 <= number);
            work(self, start..start + len);
            start += len;
        }
    }

    fn join(&mut self, points: Range<usize>, digits: u32, edge_m: f64, origin: DVec3) -> Summary {
        if points.len() <= LEAF_POINTS || digits == 0 || edge_m < LEAST_EDGE_M {
            return self.leaf(points, digits, origin);
        }
        let first = self.cells.len();
        let mut sum = Summary { moments: Moments::default(), residual: 0.0, freedom: 0.0, without: 0 };
        let mut children = 0;
        self.for_each_child(points.clone(), digits, &mut |division, child| {
            let child = division.join(child, digits - 1, edge_m / 2.0, origin);
            sum.moments.merge(&child.moments);
            sum.residual += child.residual;
            sum.freedom += child.freedom;
            sum.without += child.without;
            children += 1;
        });
        if children == 1 {
            return sum;
        }
        let Some(fit) = sum.moments.fit() else { return sum };
        let noise = if sum.freedom > 0.0 { sum.residual / sum.freedom } else { f64::INFINITY };
        let worse = WORSE + WORSE_FOR_FEW / sum.freedom.max(1.0).sqrt();
        if is_flat(&fit, sum.moments.count) && fit.residual() / fit.freedom() <= worse * noise.max(LEAST_NOISE_M * LEAST_NOISE_M) {
            self.cells.truncate(first);
            self.push(points, digits, true, Some(Plane::new(&fit, origin)));
            return Summary { residual: fit.residual(), freedom: fit.freedom(), without: 0, ..sum };
        }
        if sum.without > 0 && sum.moments.count >= LEAST_POINTS {
            let plane = Plane::new(&fit, origin);
            self.cells[first..].iter_mut().filter(|cell| cell.plane.is_none()).for_each(|cell| cell.plane = Some(plane));
            sum.without = 0;
        }
        sum
    }

    fn leaf(&mut self, points: Range<usize>, digits: u32, origin: DVec3) -> Summary {
        let mut moments = Moments::default();
        for position in &self.positions[points.clone()] {
            moments.add(position.as_dvec3() - origin);
        }
        let fit = moments.fit().filter(|_| moments.count >= LEAST_POINTS);
        let is_flat = fit.as_ref().is_some_and(|fit| is_flat(fit, moments.count));
        self.push(points, digits, is_flat, fit.as_ref().map(|fit| Plane::new(fit, origin)));
        // Nor do points tell it that are spread as far across as along.
        let is_evident = is_flat && moments.count >= EVIDENT_POINTS;
        let (residual, freedom) = fit.as_ref().filter(|_| is_evident).map_or((0.0, 0.0), |fit| (fit.residual(), fit.freedom()));
        Summary { moments, residual, freedom, without: u32::from(fit.is_none()) }
    }

    fn push(&mut self, points: Range<usize>, digits: u32, is_flat: bool, plane: Option<Plane>) {
        let code = self.codes[points.start] >> (3 * digits) << (3 * digits);
        self.cells.push(Cell { points, code, digits, is_flat, plane });
    }
}

/// Whether points lie on a plane so well that its normal is known.
fn is_flat(fit: &Fit, count: u32) -> bool {
    let [across, along, _] = fit.values;
    count >= LEAST_POINTS && across <= FLAT * along && across <= TILT * f64::from(count) * along
}

/// The plane of points that are spread over it, not along a line.
pub(crate) fn plane_through(points: impl Iterator<Item = Vec3>) -> Option<Plane> {
    let (fit, origin) = fit_of(points)?;
    is_flat(&fit, fit.points()).then(|| Plane::new(&fit, origin))
}

/// The plane of points that are left of a cell, where there are enough of them.
pub(crate) fn plane_of(points: impl Iterator<Item = Vec3>) -> Option<Plane> {
    let (fit, origin) = fit_of(points)?;
    Some(Plane::new(&fit, origin))
}

/// The principal axes of enough points, and the origin that they are relative to.
fn fit_of(points: impl Iterator<Item = Vec3>) -> Option<(Fit, DVec3)> {
    let mut points = points.peekable();
    let origin = points.peek()?.as_dvec3();
    let mut moments = Moments::default();
    points.for_each(|point| moments.add(point.as_dvec3() - origin));
    let fit = moments.fit().filter(|_| moments.count >= LEAST_POINTS)?;
    Some((fit, origin))
}
