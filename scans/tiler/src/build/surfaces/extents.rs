//! How far the surface of a flat cell goes on from each of its points, and how dense its points are.
//!
//! The points on the cell's plane, in the cell and in the cells of its size around it, are put into a grid on the plane. From a point, the surface goes on
//! in a direction until there is a gap of [`GAP`] spacings without points, in a strip of three rows of the grid. It ends [`BEYOND`] the last
//! point, where the edge is in the mean. Where the gap could lie outside what was looked at, no end is known.
//!
//! The gap is longer than those of a scan itself: where points are spread at random, one in ten thousand strips is so long empty. A
//! scanner that sees a floor at a small angle has points in lines, much denser along than across. A point with nothing beside it is taken for one of such a line
//! ([`LINE`]), and its surface goes on.

use std::ops::Range;

use glam::{DVec3, UVec3, Vec3};

use super::cells::{Cell, Plane};
use crate::octree::morton::{coordinates_of, morton};

/// A gap that ends a surface, in spacings.
const GAP: f32 = 3.0;
/// Points of which no other is beside them, within this width in spacings, are in a line of the scanner, not on something thin: lines have no width, and of what is
/// thin but not thinner than a spacing there are points side by side.
const LINE: f32 = 0.4;
/// Lines are up to so many spacings apart.
const LINES: f64 = 2.0;
/// How far beyond the last point of a strip of three rows the edge is in the mean, in spacings, where points lie at random.
const BEYOND: f32 = 1.0 / (3.0 * PITCH);
/// Edge of a cell of the grid, in spacings, and in metres at least: smaller openings and bars are of no use to anyone.
const PITCH: f32 = 1.0;
const LEAST_PITCH_M: f32 = 0.004;
/// Most cells of the grid along an axis.
const MOST_CELLS: f32 = 400.0;
/// How far beyond the cell points are looked at. Metres; the largest extent that can be stored.
const MARGIN_M: f32 = 0.75;
/// Edge of the cells that are looked at around a cell, at least, in spacings: more than a gap.
const AROUND: f32 = 4.0;
/// A point continues the surface beside the cell up to so many standard deviations from the plane, and this share of its distance from the cell: a curved
/// surface turns by 15 degrees.
const ON: f32 = 3.0;
const CURVED: f32 = 0.27;
/// Extent of a point on no plane, in spacings.
pub(crate) const ALONE: f64 = 0.75;
/// Fewest points on a plane that tell their spacing.
const LEAST_POINTS: usize = 6;

/// The points of a block as the extents need them.
pub(crate) struct BlockPoints<'a> {
    /// Morton codes, ascending, of `digits` octal digits in the block.
    pub(crate) codes: &'a [u64],
    pub(crate) digits: u32,
    pub(crate) positions: &'a [Vec3],
    /// Lower corner of the block, and the length of a step of the codes. Metres.
    pub(crate) corner_m: DVec3,
    pub(crate) step_m: DVec3,
}

/// What the grid knows of a cell: the largest coordinate of its points along the first axis, against it, along the second axis, against it.
type Ends = [f32; 4];
const EMPTY: Ends = [f32::NEG_INFINITY; 4];

/// Finds extents; reused from cell to cell.
#[derive(Default)]
pub(crate) struct ExtentFinder {
    on_plane: Vec<[f32; 2]>,
    grid: Vec<Ends>,
    /// For each cell of the grid and each direction, the coordinate along it where the surface ends.
    reach: Vec<Ends>,
    size: [usize; 2],
    low: [f32; 2],
    pitch_m: f32,
    spacing_m: f32,
}

/// Where no end is known.
struct Known {
    center: Vec3,
    tangents: [Vec3; 2],
    low: Vec3,
    high: Vec3,
    window: [[f32; 2]; 2],
}

impl Known {
    fn holds(&self, at: [f32; 2]) -> bool {
        let [low, high] = self.window;
        let place = self.center + self.tangents[0] * at[0] + self.tangents[1] * at[1];
        (0..2).all(|axis| at[axis] >= low[axis] && at[axis] <= high[axis]) && place.cmpge(self.low).all() && place.cmple(self.high).all()
    }
}

impl ExtentFinder {
    /// Prepares the extents of the points that lie on a flat cell's plane, and returns their spacing in metres; `None` where there are too few points.
    pub(crate) fn prepare(
        &mut self,
        block: &BlockPoints<'_>,
        cell: &Cell,
        plane: &Plane,
        tangents: [Vec3; 2],
        points: &[u32],
    ) -> Option<f32> {
        let along = |position: Vec3| {
            let offset = position - plane.center;
            [offset.dot(tangents[0]), offset.dot(tangents[1])]
        };
        self.on_plane.clear();
        self.on_plane.extend(points.iter().map(|&point| along(block.positions[point as usize])));
        let (mut low, mut high) = ([f32::INFINITY; 2], [f32::NEG_INFINITY; 2]);
        for at in &self.on_plane {
            for axis in 0..2 {
                low[axis] = low[axis].min(at[axis]);
                high[axis] = high[axis].max(at[axis]);
            }
        }
        // The cells looked at must be larger than a gap.
        let mut digits = cell.digits;
        let own_m = spacing_m(&self.on_plane).unwrap_or(0.0);
        let step_m = block.step_m.min_element();
        while digits < block.digits && f64::from(1_u32 << digits) * step_m < f64::from(AROUND * own_m) {
            digits += 1;
        }
        let from = coordinates_of(cell.code >> (3 * digits)).map(|value| f64::from(value << digits));
        let edge = f64::from(1_u32 << digits);
        let blocks_edge = f64::from(1_u32 << block.digits);
        let bound = |value: f64| value.clamp(0.0, blocks_edge);
        let position_of = |steps: [f64; 3]| (block.corner_m + DVec3::from_array(steps.map(bound)) * block.step_m).as_vec3();
        let margin_m = MARGIN_M.min((edge * step_m) as f32);
        let window = [low.map(|value| value - margin_m), high.map(|value| value + margin_m)];
        let known = Known {
            center: plane.center,
            tangents,
            low: position_of(from.map(|value| value - edge)),
            high: position_of(from.map(|value| value + 2.0 * edge)),
            window,
        };
        let outside = |at: [f32; 2]| {
            let [u, v] = [0, 1].map(|axis| (low[axis] - at[axis]).max(at[axis] - high[axis]).max(0.0));
            (u * u + v * v).sqrt()
        };
        self.on_plane.clear();
        let tolerance_m = ON * plane.noise_used_m();
        let most_off_m = tolerance_m + CURVED * margin_m;
        let off_m = |position: Vec3| (position - plane.center).dot(plane.normal).abs();
        // Cells that the plane does not come near hold no points on it.
        let half = block.step_m * (edge * 0.5);
        let reach_m = most_off_m + half.as_vec3().dot(plane.normal.abs());
        let looks_at = |place: UVec3| off_m((block.corner_m + place.as_dvec3() * (half * 2.0) + half).as_vec3()) <= reach_m;
        for range in boxes_around(block.codes, block.digits, cell.code, digits, looks_at) {
            for &position in &block.positions[range] {
                let off_m = off_m(position);
                if off_m > most_off_m {
                    continue;
                }
                let at = along(position);
                let outside_m = outside(at);
                if outside_m <= margin_m && off_m <= tolerance_m + CURVED * outside_m {
                    self.on_plane.push(at);
                }
            }
        }
        self.spacing_m = spacing_m(&self.on_plane)?;
        self.fill(window);
        // Strips in which points of the cell are.
        let strips = [0, 1].map(|axis| {
            let of = |value: f32| (((value - self.low[axis]) / self.pitch_m) as usize).min(self.size[axis] - 1);
            of(low[axis])..of(high[axis]) + 1
        });
        self.scan(&known, &strips);
        Some(self.spacing_m)
    }

    /// Puts the points on the plane into the grid.
    fn fill(&mut self, [low, high]: [[f32; 2]; 2]) {
        let size_m = [0, 1].map(|axis| high[axis] - low[axis]);
        let length = size_m[0].max(size_m[1]);
        self.pitch_m = (self.spacing_m * PITCH).max(LEAST_PITCH_M).max(length / MOST_CELLS);
        self.low = low;
        self.size = size_m.map(|length| (length / self.pitch_m) as usize + 1);
        self.grid.clear();
        self.grid.resize(self.size[0] * self.size[1], EMPTY);
        for index in 0..self.on_plane.len() {
            let at = self.on_plane[index];
            let cell = self.cell(at);
            let ends = &mut self.grid[cell];
            *ends = [ends[0].max(at[0]), ends[1].max(-at[0]), ends[2].max(at[1]), ends[3].max(-at[1])];
        }
    }

    fn cell(&self, at: [f32; 2]) -> usize {
        let [column, row] = [0, 1].map(|axis| (((at[axis] - self.low[axis]) / self.pitch_m).max(0.0) as usize).min(self.size[axis] - 1));
        row * self.size[0] + column
    }

    /// Follows the surface along strips of the grid in each direction: rows and columns.
    fn scan(&mut self, known: &Known, strips: &[Range<usize>; 2]) {
        self.reach.clear();
        self.reach.resize(self.grid.len(), [f32::INFINITY; 4]);
        // At least one: where points are denser than the grid, every empty cell is a gap.
        let gap_cells = ((GAP * self.spacing_m / self.pitch_m).round() as usize).max(1);
        for direction in 0..4 {
            let (axis, across) = if direction < 2 { (0, 1) } else { (1, 0) };
            let strides = [1, self.size[0]];
            let sign = if direction % 2 == 0 { 1.0 } else { -1.0 };
            let length = self.size[axis];
            for strip in strips[across].clone() {
                let beside = [strip.saturating_sub(1), strip, (strip + 1).min(self.size[across] - 1)].map(|strip| strip * strides[across]);
                let middle = self.low[across] + (strip as f32 + 0.5) * self.pitch_m;
                // The end of the surface that the last cell with points belongs to, and how many cells ago that was.
                let (mut end, mut empty) = (f32::INFINITY, usize::MAX);
                for step in 0..length {
                    let at = if sign > 0.0 { length - 1 - step } else { step };
                    let ends = beside.map(|strip| self.grid[at * strides[axis] + strip][direction]);
                    let furthest = ends[0].max(ends[1]).max(ends[2]);
                    if furthest == f32::NEG_INFINITY {
                        empty = empty.saturating_add(1);
                        continue;
                    }
                    if empty >= gap_cells {
                        // A gap, or the border of the grid.
                        let mut gap = [middle; 2];
                        gap[axis] = sign * (furthest + GAP * self.spacing_m);
                        end = if known.holds(gap) { furthest } else { f32::INFINITY };
                    }
                    empty = 0;
                    self.reach[at * strides[axis] + strip * strides[across]][direction] = end;
                }
            }
        }
    }

    /// The extents of a point of the cell that was prepared, metres, and how many spacings it may be from the next point.
    pub(crate) fn of(&self, plane: &Plane, tangents: [Vec3; 2], position: Vec3) -> ([f64; 4], f64) {
        let offset = position - plane.center;
        let at = tangents.map(|tangent| offset.dot(tangent));
        let cell = self.cell(at);
        if self.grid[cell] == EMPTY {
            // Too far off the plane to be in the grid.
            return ([ALONE * f64::from(self.spacing_m); 4], 1.0);
        }
        let mut reach = self.reach[cell];
        let mut spacings = 1.0;
        for ends in reach.chunks_exact_mut(2) {
            if ends[0] + ends[1] < LINE * self.spacing_m {
                ends.fill(f32::INFINITY);
                spacings = LINES;
            }
        }
        let own = [at[0], -at[0], at[1], -at[1]];
        let extents = std::array::from_fn(|direction| f64::from((reach[direction] - own[direction]).max(0.0) + BEYOND * self.spacing_m));
        (extents, spacings)
    }
}

/// The ranges of the points in the cell of so many digits that this code is in, and in those of the 26 cells of its size around it that
/// `looks_at` wants, given as coordinates in cells of this size.
pub(crate) fn boxes_around<'a>(
    codes: &'a [u64],
    block_digits: u32,
    code: u64,
    digits: u32,
    looks_at: impl Fn(UVec3) -> bool + 'a,
) -> impl Iterator<Item = Range<usize>> + 'a {
    let shift = 3 * digits;
    let at = UVec3::from_array(coordinates_of(code >> shift));
    let end = 1_u32 << (block_digits - digits);
    let beside = move |value: u32| value.saturating_sub(1)..(value + 2).min(end);
    let places = beside(at.z).flat_map(move |z| beside(at.y).flat_map(move |y| beside(at.x).map(move |x| UVec3::new(x, y, z))));
    places.filter(move |place| looks_at(*place)).map(move |place| {
        let from = morton(place.to_array()) << shift;
        let to = from + (1 << shift);
        let start = codes.partition_point(|&code| code < from);
        start..start + codes[start..].partition_point(|&code| code < to)
    })
}

/// Spacing of points on a plane, as if they were spread evenly over a rectangle.
pub(crate) fn spacing_m(points: &[[f32; 2]]) -> Option<f32> {
    if points.len() < LEAST_POINTS {
        return None;
    }
    let count = points.len() as f64;
    let (mut sum, mut squares, mut product) = ([0.0; 2], [0.0; 2], 0.0);
    for point in points {
        let [u, v] = point.map(f64::from);
        sum = [sum[0] + u, sum[1] + v];
        squares = [squares[0] + u * u, squares[1] + v * v];
        product += u * v;
    }
    let [u, v] = sum.map(|value| value / count);
    let variance = [squares[0] / count - u * u, squares[1] / count - v * v];
    let determinant = variance[0] * variance[1] - (product / count - u * v).powi(2);
    // The variance of few points is too small by one of them.
    let area = 12.0 * determinant.max(0.0).sqrt() * count / (count - 1.0);
    (area > 0.0).then(|| (area / count).sqrt() as f32)
}
