//! Positions as whole numbers: the grid that all coordinates of a scan are stored on.
//!
//! Three kinds of whole numbers are in use, on each axis.
//! - **Grid coordinates** (i64) count steps of the output's grid from an origin that does not depend on the points' bounds: where all sources
//!   share one grid, its own origin, so that grid coordinates are the sources' own integers; else the origin of the file's coordinates.
//! - **Record steps** (i32) are what a record holds: grid coordinates minus those of the record grid's offset.
//! - **Tree steps** (i64) have the same length on all axes, that of the finest one; axes with a coarser step are stretched. Counted from the
//!   corner of the octree's cube they are **tree coordinates** (u32): see [`Cube`](crate::octree::cube::Cube).

use glam::DVec3;

use parterre_model::frame::Frame;
use parterre_model::record::Grid;
use parterre_read::PointSource;

/// Step of sources that store no whole numbers, in metres; made a power of ten of the unit.
const DEFAULT_STEP_M: f64 = 1e-4;
/// No step is finer than this, in metres, unless it is the sources' own.
const FINEST_STEP_M: f64 = 1e-7;
/// The offset of a record grid that is not the sources' own is a multiple of this many steps.
const OFFSET_STEPS: i64 = 10_000_000;
/// Largest absolute grid coordinate, and largest tree step: further points are refused.
const LARGEST_COORDINATE: f64 = 4e18;
/// A shared grid is used as it is only where the steps of its axes differ by at most this factor: 32 bits of the coarsest step times this
/// factor are still far below the limit of 64 bits.
const MAX_RATIO: f64 = 1e6;

/// The grid of the output.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct CommonGrid {
    /// Length of a step in the file's unit.
    scale: DVec3,
    /// Steps per unit of the file.
    inverse: DVec3,
    /// File position of the grid coordinates 0, 0, 0.
    pub(crate) origin: DVec3,
    /// Whether grid coordinates are the integers that every source stores.
    pub(crate) is_shared: bool,
    /// Length of a tree step in the file's unit.
    pub(crate) step: f64,
    /// Tree steps per step.
    pub(crate) ratio: DVec3,
}

impl CommonGrid {
    /// The grid for these sources; `frame` says their unit.
    pub(crate) fn of(sources: &[Box<dyn PointSource>], frame: &Frame) -> Self {
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

    pub(crate) fn new(scale: DVec3, origin: DVec3, is_shared: bool) -> Self {
        let nearly_whole = |value: f64| {
            let whole = value.round();
            if whole > 0.0 && (value / whole - 1.0).abs() < 1e-9 { whole } else { value }
        };
        let step = scale.min_element();
        Self { scale, inverse: scale.recip().map(nearly_whole), origin, is_shared, step, ratio: (scale / step).map(nearly_whole) }
    }

    /// A grid with steps ten times as long.
    pub(crate) fn coarser(&self) -> Self {
        Self::new(self.scale * 10.0, DVec3::ZERO, false)
    }

    /// The nearest grid coordinates; `None` for a position that is not finite or beyond [`LARGEST_COORDINATE`].
    pub(crate) fn coordinates(&self, position: DVec3) -> Option<[i64; 3]> {
        let exact = ((position - self.origin) * self.inverse).round();
        // A ratio is at least 1.
        (exact * self.ratio).abs().cmplt(DVec3::splat(LARGEST_COORDINATE)).all().then(|| exact.to_array().map(|value| value as i64))
    }

    /// File position of grid coordinates.
    pub(crate) fn position(&self, coordinates: [i64; 3]) -> DVec3 {
        let coordinates = DVec3::from_array(coordinates.map(|value| value as f64));
        // Dividing by a whole number gives the shortest decimal number (0.3 and not 0.30000000000000004).
        self.origin + DVec3::select(self.inverse.cmpeq(self.inverse.round()), coordinates / self.inverse, coordinates * self.scale)
    }

    /// Tree steps of grid coordinates.
    #[inline]
    pub(crate) fn tree_steps(&self, coordinates: [i64; 3]) -> [i64; 3] {
        // Axis by axis: `map` on an array goes through memory, which is slow for every point.
        [stretched(coordinates[0], self.ratio.x), stretched(coordinates[1], self.ratio.y), stretched(coordinates[2], self.ratio.z)]
    }

    /// Steps on each axis in so many metres, at least 1.
    pub(crate) fn steps_in(&self, metres: f64, frame: &Frame) -> [i64; 3] {
        (DVec3::splat(metres) / frame.scan_from_file(DVec3::ONE) * self.inverse).to_array().map(|value| (value as i64).max(1))
    }

    /// The grid of records for grid coordinates from `min` to `max`, and the grid coordinates of its offset; `None` where the range does not
    /// fit into 32 bits.
    pub(crate) fn record_grid(&self, min: [i64; 3], max: [i64; 3]) -> Option<(Grid, [i64; 3])> {
        let base = if self.is_shared {
            [0; 3]
        } else {
            [0, 1, 2].map(|axis| (min[axis].midpoint(max[axis])).saturating_add(OFFSET_STEPS / 2).div_euclid(OFFSET_STEPS) * OFFSET_STEPS)
        };
        let fits = |coordinates: [i64; 3]| (0..3).all(|axis| i32::try_from(coordinates[axis] - base[axis]).is_ok());
        (fits(min) && fits(max)).then(|| (Grid { scale: self.scale, offset: self.position(base) }, base))
    }
}

/// Tree steps of a grid coordinate on an axis with `ratio` tree steps per step.
#[expect(clippy::float_cmp, reason = "ratios are made exactly 1 where steps are equal")]
#[inline]
pub(crate) fn stretched(coordinate: i64, ratio: f64) -> i64 {
    if ratio == 1.0 { coordinate } else { (coordinate as f64 * ratio).floor() as i64 }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn positions_are_exact_far_from_the_origin() {
        let common_grid = CommonGrid::new(DVec3::splat(1e-4), DVec3::ZERO, false);
        for mm in [6_862_000_001_i64, -6_862_000_001, 1] {
            let coordinates = common_grid.coordinates(DVec3::splat(mm as f64 / 1000.0)).unwrap();
            assert_eq!(coordinates, [mm * 10; 3]);
            assert!((common_grid.position(coordinates).x - mm as f64 / 1000.0).abs() < 1e-12 * (mm as f64).abs());
        }
        assert_eq!(common_grid.coordinates(DVec3::NAN), None);
        assert_eq!(common_grid.coordinates(DVec3::splat(1e300)), None);
        let flat = CommonGrid::new(DVec3::new(0.001, 0.001, 0.01), DVec3::ZERO, true);
        assert_eq!(flat.coordinates(DVec3::new(0.0, 0.0, 3.9e16)), None, "beyond the tree, though not beyond its own steps");
        let edge = flat.coordinates(DVec3::new(-3.9e15, 3.9e15, 3.9e15)).unwrap();
        assert!(flat.tree_steps(edge).iter().all(|value| value.unsigned_abs() < 4_000_000_000_000_000_000));
        let (grid, base) = common_grid.record_grid([68_621_234_567; 3], [68_623_234_567; 3]).unwrap();
        assert_eq!((grid.offset, base), (DVec3::splat(6_862_000.0), [68_620_000_000; 3]));
        assert_eq!(common_grid.record_grid([0; 3], [5_000_000_000; 3]), None);
    }
}
