//! Counting points in cells before the bounds are known: an array where most points are expected, a map for the others. The cells double their
//! edge when the map gets too large.

use std::collections::HashMap;

/// Most cells in the array.
const DENSE: i64 = 1 << 20;
/// Most cells in the map.
const SPARSE: usize = 1 << 16;

/// A box of cells with an edge of 2^`shift` tree steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) shift: u32,
    corner: [i64; 3],
    size: [i64; 3],
}

impl Window {
    /// The finest window that holds tree steps from `min` to `max`, any values of i64.
    pub(crate) fn holding(min: [i64; 3], max: [i64; 3]) -> Self {
        let mut shift = 0;
        loop {
            let corner = min.map(|value| value >> shift);
            // The number of cells in the whole range of 64 bits does not fit into 64 bits.
            let size = [0, 1, 2].map(|axis| (max[axis] >> shift).saturating_sub(corner[axis]).saturating_add(1));
            if size.iter().try_fold(1_i64, |product, &size| product.checked_mul(size)).is_some_and(|product| product <= DENSE) {
                return Self { shift, corner, size };
            }
            shift += 1;
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.size.iter().product::<i64>() as usize
    }

    /// The cell's index in the array; `None` outside of the window.
    #[inline]
    pub(crate) fn index(&self, cell: [i64; 3]) -> Option<usize> {
        let x = cell[0].wrapping_sub(self.corner[0]) as u64;
        let y = cell[1].wrapping_sub(self.corner[1]) as u64;
        let z = cell[2].wrapping_sub(self.corner[2]) as u64;
        let (width, depth, height) = (self.size[0] as u64, self.size[1] as u64, self.size[2] as u64);
        (x < width && y < depth && z < height).then(|| ((z * depth + y) * width + x) as usize)
    }

    fn cell(&self, index: usize) -> [i64; 3] {
        let index = index as i64;
        let [width, depth, _] = self.size;
        [self.corner[0] + index % width, self.corner[1] + index / width % depth, self.corner[2] + index / width / depth]
    }
}

/// Numbers of points in cells.
pub(crate) struct Cells {
    pub(crate) window: Window,
    dense: Vec<u64>,
    sparse: HashMap<[i64; 3], u64>,
}

impl Cells {
    pub(crate) fn new(window: Window) -> Self {
        Self { window, dense: vec![0; window.len()], sparse: HashMap::new() }
    }

    /// Counts a point.
    pub(crate) fn add(&mut self, tree: [i64; 3]) {
        let shift = self.window.shift;
        let cell = [tree[0] >> shift, tree[1] >> shift, tree[2] >> shift];
        match self.window.index(cell) {
            Some(index) => self.dense[index] += 1,
            None => self.add_outside(cell, 1),
        }
    }

    fn add_outside(&mut self, cell: [i64; 3], count: u64) {
        *self.sparse.entry(cell).or_default() += count;
        while self.sparse.len() > SPARSE {
            self.coarsen();
        }
    }

    /// Cells with points.
    pub(crate) fn iter(&self) -> impl Iterator<Item = ([i64; 3], u64)> + '_ {
        let dense = self.dense.iter().enumerate().filter(|&(_, &count)| count > 0);
        dense.map(|(index, &count)| (self.window.cell(index), count)).chain(self.sparse.iter().map(|(&cell, &count)| (cell, count)))
    }

    /// Doubles the cells' edges.
    pub(crate) fn coarsen(&mut self) {
        let Window { shift, corner, size } = self.window;
        let half = corner.map(|value| value >> 1);
        let size = [0, 1, 2].map(|axis| ((corner[axis] + (size[axis] - 1)) >> 1) - half[axis] + 1);
        let mut coarse = Self::new(Window { shift: shift + 1, corner: half, size });
        for (cell, count) in self.iter() {
            coarse.add_cell(cell.map(|value| value >> 1), count);
        }
        *self = coarse;
    }

    fn add_cell(&mut self, cell: [i64; 3], count: u64) {
        match self.window.index(cell) {
            Some(index) => self.dense[index] += count,
            None => *self.sparse.entry(cell).or_default() += count,
        }
    }

    /// Adds the counts of other cells; the coarser of the two cell sizes is kept.
    pub(crate) fn merge(&mut self, mut other: Self) {
        while self.window.shift < other.window.shift {
            self.coarsen();
        }
        while other.window.shift < self.window.shift {
            other.coarsen();
        }
        for (cell, count) in other.iter() {
            self.add_cell(cell, count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_over_all_values_does_not_overflow() {
        for (min, max) in [([i64::MIN; 3], [i64::MAX; 3]), ([0, i64::MIN, 0], [0, i64::MAX, 0]), ([i64::MIN; 3], [i64::MIN; 3])] {
            let mut cells = Cells::new(Window::holding(min, max));
            for tree in [min, max, [0; 3]] {
                cells.add(tree);
            }
            assert!(cells.window.index(min.map(|value| value >> cells.window.shift)).is_some());
            cells.coarsen();
            assert_eq!(cells.iter().map(|(_, count)| count).sum::<u64>(), 3);
        }
    }

    #[test]
    fn cells_join_without_losing_points() {
        let window = Window::holding([-1000, 0, 5], [9_000_000, 7_000_000, 1_000_000]);
        assert!(window.len() as i64 <= DENSE && window.len() as i64 > DENSE / 16);
        let mut one = Cells::new(window);
        let mut other = Cells::new(window);
        for n in 0..200_000_i64 {
            one.add([n * 7919 % 9_000_000, n * 104_729 % 7_000_000, n % 1_000_000]);
            // Far outside, each in a cell of its own: too many for the map.
            other.add([1_000_000_000 + (n << window.shift), -5_000_000, n]);
        }
        assert!(other.window.shift > window.shift);
        one.merge(other);
        assert!(one.sparse.len() <= 2 * SPARSE);
        assert_eq!(one.iter().map(|(_, count)| count).sum::<u64>(), 400_000);
    }
}
