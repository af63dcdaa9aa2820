//! The cube of the octree.
//!
//! Its edge is a power of two of tree steps and its corner a multiple of an eighth of the edge: it is a function of the points' bounds
//! alone, and so is each cell.

use glam::DVec3;
use serde::{Deserialize, Serialize};

use super::common_grid::{CommonGrid, stretched};
use parterre_model::record::Grid;
use parterre_tile::id::NodeKey;

/// Levels that are kept free below the deepest sampled one, for the points of dense cells.
const DENSE_LEVELS: u32 = 10;

/// The cube of the octree over records of one grid.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cube {
    /// The edge is 2^`bits` tree coordinates long.
    pub(crate) bits: u32,
    /// Grid of the records.
    pub(crate) scale: DVec3,
    pub(crate) offset: DVec3,
    /// Lower corner and edge in the file's unit.
    pub(crate) corner: DVec3,
    pub(crate) edge: f64,
    /// Smallest and largest record steps of the points.
    pub(crate) min: [i32; 3],
    pub(crate) max: [i32; 3],
    /// Grid coordinates of record step 0.
    base: [i64; 3],
    ratio: DVec3,
    /// Lower corner in tree steps.
    low: [i64; 3],
    /// A tree coordinate is 2^`shift` tree steps.
    shift: u32,
}

impl Cube {
    /// The smallest root has an edge of 2^`MIN_BITS` tree steps.
    const MIN_BITS: u32 = 4;

    /// The cube of grid coordinates from `min` to `max`; `None` where the range does not fit into the 32 bits of a record.
    pub(crate) fn new(common_grid: &CommonGrid, min: [i64; 3], max: [i64; 3]) -> Option<Self> {
        let (grid, base) = common_grid.record_grid(min, max)?;
        let steps = |coordinates: [i64; 3]| [0, 1, 2].map(|axis| (coordinates[axis] - base[axis]) as i32);
        let extremes = [steps(min), steps(max)];
        let (min, max) = (common_grid.tree_steps(min), common_grid.tree_steps(max));
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
        let whole = CommonGrid::new(DVec3::splat(common_grid.step), common_grid.origin, common_grid.is_shared);
        Some(Self {
            bits: bits - shift,
            scale: grid.scale,
            offset: grid.offset,
            corner: whole.position(low),
            edge: (1_i64 << bits) as f64 * common_grid.step,
            min: extremes[0],
            max: extremes[1],
            base,
            ratio: common_grid.ratio,
            low,
            shift,
        })
    }

    pub(crate) fn grid(&self) -> Grid {
        Grid { scale: self.scale, offset: self.offset }
    }

    /// Record steps of grid coordinates; `None` beyond 32 bits.
    pub(crate) fn steps(&self, coordinates: [i64; 3]) -> Option<[i32; 3]> {
        let mut steps = [0; 3];
        for axis in 0..3 {
            steps[axis] = i32::try_from(coordinates[axis] - self.base[axis]).ok()?;
        }
        Some(steps)
    }

    /// Tree coordinates of record steps within the cube.
    #[inline]
    pub(crate) fn tree_coordinates(&self, steps: [i32; 3]) -> [u32; 3] {
        [self.tree_on(0, steps[0], self.ratio.x), self.tree_on(1, steps[1], self.ratio.y), self.tree_on(2, steps[2], self.ratio.z)]
    }

    #[inline]
    fn tree_on(&self, axis: usize, step: i32, ratio: f64) -> u32 {
        ((stretched(i64::from(step) + self.base[axis], ratio) - self.low[axis]) >> self.shift) as u32
    }

    /// Whether record steps lie within the bounds of the points that are kept.
    pub(crate) fn holds(&self, steps: [i32; 3]) -> bool {
        (0..3).all(|axis| steps[axis] >= self.min[axis] && steps[axis] <= self.max[axis])
    }

    /// The cube divided into cells of 2^`shift` tree steps: the number of levels down to them and the lower corner in cells. `None` where such
    /// cells are not cells of the octree.
    pub(crate) fn in_cells(&self, shift: u32) -> Option<(u32, [i64; 3])> {
        let bits = self.bits + self.shift;
        (shift >= self.shift && shift + 3 <= bits).then(|| (bits - shift, self.low.map(|low| low >> shift)))
    }

    /// Bits to shift tree coordinates right by, for cells of 2^`shift` tree steps.
    pub(crate) fn shift_of(&self, shift: u32) -> u32 {
        shift - self.shift
    }

    /// Edge length of a cell of this level, in the file's unit.
    pub(crate) fn edge_at(&self, level: u32) -> f64 {
        self.edge / 2_f64.powi(level as i32)
    }

    /// The deepest level whose cells are divided by sampling. Cells of this level that hold more points than a leaf may are dense cells: see
    /// [`dense_cell`](crate::build::dense_cell). The levels below it are kept free for their points.
    pub(crate) fn deepest_sampled_level(&self) -> u32 {
        self.bits.min(NodeKey::MAX_LEVEL - DENSE_LEVELS)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;

    #[test]
    fn the_cube_depends_on_the_bounds_alone_and_holds_them() {
        let common_grid = CommonGrid::new(DVec3::new(0.001, 0.001, 0.01), DVec3::new(5.0, 6.0, 7.0), true);
        for (min, max) in [([-5, 3, 9], [100_000, 70_000, 40]), ([7; 3], [7; 3]), ([i32::MIN as i64; 3], [i32::MAX as i64; 3])] {
            let cube = Cube::new(&common_grid, min, max).unwrap();
            for coordinates in [min, max] {
                let tree = cube.tree_coordinates(cube.steps(coordinates).unwrap());
                assert!(tree.iter().all(|&value| value >> cube.bits == 0), "{cube:?} {tree:?}");
                let position = common_grid.position(coordinates);
                assert!(position.cmpge(cube.corner - 1e-9).all() && position.cmplt(cube.corner + cube.edge).all());
            }
        }
        let cube = Cube::new(&common_grid, [0; 3], [1000, 1000, 100]).unwrap();
        assert_eq!(cube.tree_coordinates([700, 5, 99]), [700, 5, 990]);
    }
}
