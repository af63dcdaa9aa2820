//! Positions as whole numbers: the steps that the scan's coordinates are stored in, and the cube of the octree.
//!
//! Three kinds of whole numbers are in use, on each axis.
//! - A **place** counts steps of the output's grid from a point that depends on no bounds (i64): where all sources share
//!   a grid, its own zero, so that places are the sources' own integers; else the zero of the coordinates.
//! - A **step** is what a record holds: the place less the grid's base (i32).
//! - A **tree coordinate** counts steps of the same length on all axes from the cube's corner (u32). Axes whose scale is
//!   coarser than the finest are stretched.
//!
//! The cube's edge is a power of two of tree steps and its corner a multiple of an eighth of the edge: it is a function of the bounds
//! alone, and so is each cell.

use glam::DVec3;
use serde::{Deserialize, Serialize};

use parterre_model::frame::Frame;
use parterre_model::record::Grid;
use parterre_read::PointSource;
use parterre_tile::id::NodeKey;

/// Step of sources that store no whole numbers, in metres; made a power of ten of the unit.
const DEFAULT_STEP_M: f64 = 1e-4;
/// No step is finer than this, in metres, unless it is the sources' own.
const FINEST_STEP_M: f64 = 1e-7;
/// The base of a grid that is not the sources' own is a multiple of so many steps.
const BASE_STEPS: i64 = 10_000_000;
/// Places beyond this are no place, neither in their own steps nor in tree steps.
const FARTHEST: f64 = 4e18;
/// Axes of a shared grid whose steps differ by more than this factor are no grid of a scan: 32 bits of the coarsest times this are
/// still far from the end of 64.
const MAX_RATIO: f64 = 1e6;

/// The steps of the output and what lies on them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Lattice {
    /// Length of a step in the file's unit.
    scale: DVec3,
    /// Steps in a unit.
    inverse: DVec3,
    /// File position of place 0.
    origin: DVec3,
    /// Whether places are the steps of every source.
    pub(super) is_shared: bool,
    /// Length of a tree step in the file's unit.
    step: f64,
    /// Tree steps in a step.
    ratio: DVec3,
}

impl Lattice {
    /// The lattice of sources with the frame's unit.
    pub(super) fn of(sources: &[Box<dyn PointSource>], frame: &Frame) -> Self {
        let grids: Vec<Option<Grid>> = sources.iter().map(|source| source.info().grid).collect();
        let usable = |grid: &Grid| {
            let is_positive = grid.scale.is_finite() && grid.scale.cmpgt(DVec3::ZERO).all() && grid.offset.is_finite();
            is_positive && grid.scale.max_element() / grid.scale.min_element() <= MAX_RATIO
        };
        if let Some(Some(first)) = grids.first()
            && usable(first)
            && grids.iter().all(|grid| *grid == Some(*first))
        {
            return Self::new(first.scale, first.offset, true);
        }
        let metres = frame.scan_from_file(DVec3::ONE);
        let power_of_ten = |value: f64| 10_f64.powf((value.log10() + 1e-9).floor());
        let default = (DVec3::splat(DEFAULT_STEP_M) / metres).map(power_of_ten);
        let finest = (DVec3::splat(FINEST_STEP_M) / metres).map(power_of_ten);
        let scales = grids.iter().map(|grid| {
            let scale = grid.map_or(default, |grid| grid.scale.abs());
            let usable = scale.cmpgt(DVec3::ZERO) & scale.cmplt(DVec3::splat(f64::INFINITY));
            DVec3::select(usable, scale, default)
        });
        Self::new(scales.reduce(DVec3::min).unwrap_or(default).max(finest), DVec3::ZERO, false)
    }

    fn new(scale: DVec3, origin: DVec3, is_shared: bool) -> Self {
        let nearly_whole = |value: f64| {
            let whole = value.round();
            if whole > 0.0 && (value / whole - 1.0).abs() < 1e-9 { whole } else { value }
        };
        let step = scale.min_element();
        Self { scale, inverse: scale.recip().map(nearly_whole), origin, is_shared, step, ratio: (scale / step).map(nearly_whole) }
    }

    /// A lattice of steps ten times as long.
    pub(super) fn coarser(&self) -> Self {
        Self::new(self.scale * 10.0, DVec3::ZERO, false)
    }

    /// The nearest place; `None` for what is no number or farther than any place.
    pub(super) fn place(&self, position: DVec3) -> Option<[i64; 3]> {
        let exact = ((position - self.origin) * self.inverse).round();
        // A ratio is at least 1.
        (exact * self.ratio).abs().cmplt(DVec3::splat(FARTHEST)).all().then(|| exact.to_array().map(|value| value as i64))
    }

    /// File position of a place.
    pub(super) fn position(&self, place: [i64; 3]) -> DVec3 {
        let place = DVec3::from_array(place.map(|value| value as f64));
        // Dividing by a whole number gives the number that a person would write.
        self.origin + DVec3::select(self.inverse.cmpeq(self.inverse.round()), place / self.inverse, place * self.scale)
    }

    /// Tree steps of a place.
    #[inline]
    pub(super) fn tree(&self, place: [i64; 3]) -> [i64; 3] {
        // Axis by axis: arrays that are mapped go through memory, which every point would wait for.
        [stretched(place[0], self.ratio.x), stretched(place[1], self.ratio.y), stretched(place[2], self.ratio.z)]
    }

    /// Places on each axis in so many metres.
    pub(super) fn places_in(&self, metres: f64, frame: &Frame) -> [i64; 3] {
        (DVec3::splat(metres) / frame.scan_from_file(DVec3::ONE) * self.inverse).to_array().map(|value| (value as i64).max(1))
    }

    /// The grid of records for places from `min` to `max`; `None` where 32 bits do not reach.
    pub(super) fn grid(&self, min: [i64; 3], max: [i64; 3]) -> Option<(Grid, [i64; 3])> {
        let base = if self.is_shared {
            [0; 3]
        } else {
            [0, 1, 2].map(|axis| (min[axis].midpoint(max[axis])).saturating_add(BASE_STEPS / 2).div_euclid(BASE_STEPS) * BASE_STEPS)
        };
        let fits = |place: [i64; 3]| (0..3).all(|axis| i32::try_from(place[axis] - base[axis]).is_ok());
        (fits(min) && fits(max)).then(|| (Grid { scale: self.scale, offset: self.position(base) }, base))
    }
}

/// Tree steps of a place on an axis with so many of them in a step.
#[expect(clippy::float_cmp, reason = "ratios are made exactly 1 where steps are equal")]
#[inline]
fn stretched(place: i64, ratio: f64) -> i64 {
    if ratio == 1.0 { place } else { (place as f64 * ratio).floor() as i64 }
}

/// The cube of the octree over records of one grid.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Cube {
    /// Its edge has 2 to the power of this many tree coordinates.
    pub(super) bits: u32,
    /// The steps of records.
    pub(super) scale: DVec3,
    pub(super) offset: DVec3,
    /// Lower corner and edge in the file's unit.
    pub(super) corner: DVec3,
    pub(super) edge: f64,
    /// Extremes of the points' steps.
    pub(super) min: [i32; 3],
    pub(super) max: [i32; 3],
    /// Of the records' step 0.
    base: [i64; 3],
    ratio: DVec3,
    /// Lower corner in tree steps.
    low: [i64; 3],
    /// A tree coordinate is 2 to the power of this many tree steps.
    shift: u32,
}

impl Cube {
    /// The smallest root has this many tree steps along its edge, as a power of two.
    const MIN_BITS: u32 = 4;

    /// The cube of places from `min` to `max`; `None` where the grid does not reach.
    pub(super) fn new(lattice: &Lattice, min: [i64; 3], max: [i64; 3]) -> Option<Self> {
        let (grid, base) = lattice.grid(min, max)?;
        let steps = |place: [i64; 3]| [0, 1, 2].map(|axis| (place[axis] - base[axis]) as i32);
        let extremes = [steps(min), steps(max)];
        let (min, max) = (lattice.tree(min), lattice.tree(max));
        let mut bits = Self::MIN_BITS;
        let low = loop {
            let unit = 1_i64 << (bits - 3);
            let low = min.map(|value| value.div_euclid(unit) * unit);
            if (0..3).all(|axis| max[axis] - low[axis] < 1 << bits) {
                break low;
            }
            bits += 1;
        };
        let shift = bits.saturating_sub(NodeKey::MAX_LEVEL);
        let whole = Lattice::new(DVec3::splat(lattice.step), lattice.origin, lattice.is_shared);
        Some(Self {
            bits: bits - shift,
            scale: grid.scale,
            offset: grid.offset,
            corner: whole.position(low),
            edge: (1_i64 << bits) as f64 * lattice.step,
            min: extremes[0],
            max: extremes[1],
            base,
            ratio: lattice.ratio,
            low,
            shift,
        })
    }

    pub(super) fn grid(&self) -> Grid {
        Grid { scale: self.scale, offset: self.offset }
    }

    /// Steps of a place; `None` beyond 32 bits.
    pub(super) fn steps(&self, place: [i64; 3]) -> Option<[i32; 3]> {
        let mut steps = [0; 3];
        for axis in 0..3 {
            steps[axis] = i32::try_from(place[axis] - self.base[axis]).ok()?;
        }
        Some(steps)
    }

    /// Tree coordinates of steps within the cube.
    #[inline]
    pub(super) fn tree(&self, steps: [i32; 3]) -> [u32; 3] {
        [self.tree_on(0, steps[0], self.ratio.x), self.tree_on(1, steps[1], self.ratio.y), self.tree_on(2, steps[2], self.ratio.z)]
    }

    #[inline]
    fn tree_on(&self, axis: usize, step: i32, ratio: f64) -> u32 {
        ((stretched(i64::from(step) + self.base[axis], ratio) - self.low[axis]) >> self.shift) as u32
    }

    /// Whether steps lie in the box of all points kept.
    pub(super) fn holds(&self, steps: [i32; 3]) -> bool {
        (0..3).all(|axis| steps[axis] >= self.min[axis] && steps[axis] <= self.max[axis])
    }

    /// The cube in cells of 2 to the power of `shift` tree steps: levels and lower corner. `None` where such cells are no cells of
    /// the octree.
    pub(super) fn in_cells(&self, shift: u32) -> Option<(u32, [i64; 3])> {
        let bits = self.bits + self.shift;
        (shift >= self.shift && shift + 3 <= bits).then(|| (bits - shift, self.low.map(|low| low >> shift)))
    }

    /// How far tree coordinates are shifted for cells of 2 to the power of `shift` tree steps.
    pub(super) fn shift_of(&self, shift: u32) -> u32 {
        shift - self.shift
    }

    /// Edge of a cell of a level in the file's unit.
    pub(super) fn edge_at(&self, level: u32) -> f64 {
        self.edge / 2_f64.powi(level as i32)
    }
}

/// The bits of `value`, two zeros between each and the next.
#[inline]
fn spread(value: u32) -> u64 {
    let mut value = u64::from(value) & 0x1f_ffff;
    value = (value | value << 32) & 0x001f_0000_0000_ffff;
    value = (value | value << 16) & 0x001f_0000_ff00_00ff;
    value = (value | value << 8) & 0x100f_00f0_0f00_f00f;
    value = (value | value << 4) & 0x10c3_0c30_c30c_30c3;
    (value | value << 2) & 0x1249_2492_4924_9249
}

/// Morton code of three numbers of 21 bits.
#[inline]
pub(super) fn morton([x, y, z]: [u32; 3]) -> u64 {
    spread(x) | spread(y) << 1 | spread(z) << 2
}

/// The cell of a level that a Morton code of that many digits names, below `key`.
pub(super) fn descend(key: NodeKey, code: u64, digits: u32) -> NodeKey {
    (0..digits).rev().fold(key, |key, digit| key.child((code >> (3 * digit) & 7) as u32))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn morton_codes_interleave_x_first() {
        assert_eq!(morton([1, 0, 0]), 1);
        assert_eq!(morton([0, 1, 0]), 2);
        assert_eq!(morton([0, 0, 1]), 4);
        assert_eq!(morton([3, 0, 0]), 9);
        assert_eq!(morton([0x1f_ffff; 3]), (1 << 63) - 1);
        assert_eq!(descend(NodeKey::ROOT, morton([5, 2, 7]), 3), NodeKey { level: 3, cell: [5, 2, 7] });
    }

    #[test]
    fn places_are_exact_far_from_the_origin() {
        let lattice = Lattice::new(DVec3::splat(1e-4), DVec3::ZERO, false);
        for mm in [6_862_000_001_i64, -6_862_000_001, 1] {
            let place = lattice.place(DVec3::splat(mm as f64 / 1000.0)).unwrap();
            assert_eq!(place, [mm * 10; 3]);
            assert!((lattice.position(place).x - mm as f64 / 1000.0).abs() < 1e-12 * (mm as f64).abs());
        }
        assert_eq!(lattice.place(DVec3::NAN), None);
        assert_eq!(lattice.place(DVec3::splat(1e300)), None);
        let flat = Lattice::new(DVec3::new(0.001, 0.001, 0.01), DVec3::ZERO, true);
        assert_eq!(flat.place(DVec3::new(0.0, 0.0, 3.9e16)), None, "beyond the tree, though not beyond its own steps");
        let edge = flat.place(DVec3::new(-3.9e15, 3.9e15, 3.9e15)).unwrap();
        assert!(flat.tree(edge).iter().all(|value| value.unsigned_abs() < 4_000_000_000_000_000_000));
        let (grid, base) = lattice.grid([68_621_234_567; 3], [68_623_234_567; 3]).unwrap();
        assert_eq!((grid.offset, base), (DVec3::splat(6_862_000.0), [68_620_000_000; 3]));
        assert_eq!(lattice.grid([0; 3], [5_000_000_000; 3]), None);
    }

    #[test]
    fn the_cube_depends_on_the_bounds_alone_and_holds_them() {
        let lattice = Lattice::new(DVec3::new(0.001, 0.001, 0.01), DVec3::new(5.0, 6.0, 7.0), true);
        for (min, max) in [([-5, 3, 9], [100_000, 70_000, 40]), ([7; 3], [7; 3]), ([i32::MIN as i64; 3], [i32::MAX as i64; 3])] {
            let cube = Cube::new(&lattice, min, max).unwrap();
            for place in [min, max] {
                let tree = cube.tree(cube.steps(place).unwrap());
                assert!(tree.iter().all(|&value| value >> cube.bits == 0), "{cube:?} {tree:?}");
                let position = lattice.position(place);
                assert!(position.cmpge(cube.corner - 1e-9).all() && position.cmplt(cube.corner + cube.edge).all());
            }
        }
        let cube = Cube::new(&lattice, [0; 3], [1000, 1000, 100]).unwrap();
        assert_eq!(cube.tree([700, 5, 99]), [700, 5, 990]);
    }
}
