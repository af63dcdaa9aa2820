//! Which parts of space contain points: a coarse grid over the whole scan, in which free space can be measured.
//!
//! Cells are 5 to 10 cm wide, so that the two faces of most walls are in different ones. They are stored in bricks of 8 x 8 x 8 bits; where a scan
//! needs too many bricks or its points are sparse, cells double their edge. The grid is a function of the points alone.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

use glam::DVec3;
use serde::{Deserialize, Serialize};

use crate::octree::cube::Cube;
use crate::octree::morton::{coordinates_of, morton};

/// Most bricks: 5 MiB.
const MOST_BRICKS: usize = 1 << 16;
/// Edge of a cell at most, before the number of bricks makes it larger. Inner walls are 10 cm thick and more.
const CELL_M: f64 = 0.1;

/// Points that a cell has in the mean, at least: a ray then meets a surface in its first or second layer of cells. Larger cells would hide thin walls.
const POINTS_IN_CELL: u64 = 2;

/// One bit for each of 8 x 8 x 8 cells: a word for each z, a byte in it for each y.
type Brick = [u64; 8];

/// A hash for keys of 64 bits, much faster than the standard one. It is not safe against chosen keys; a scan with such positions would be slow, not wrong.
#[derive(Default)]
pub(crate) struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn write_u64(&mut self, key: u64) {
        self.0 = (self.0 ^ key).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 ^= self.0 >> 32;
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// A map with keys of 64 bits.
pub(crate) type KeyMap<T> = HashMap<u64, T, BuildHasherDefault<KeyHasher>>;

/// The grid.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub(crate) struct Occupancy {
    /// A cell has an edge of 2^`shift` tree coordinates.
    shift: u32,
    bricks: Vec<Brick>,
    /// By the Morton code of the brick's position.
    index: KeyMap<u32>,
    last: Option<([u32; 3], u32)>,
}

/// The grid in the journal.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Stored {
    shift: u32,
    bricks: Vec<([u32; 3], Brick)>,
}

impl From<Stored> for Occupancy {
    fn from(stored: Stored) -> Self {
        let mut grid = Self { shift: stored.shift, bricks: Vec::new(), index: KeyMap::default(), last: None };
        for (at, brick) in stored.bricks {
            grid.add_brick(at, &brick);
        }
        grid
    }
}

impl From<Occupancy> for Stored {
    fn from(grid: Occupancy) -> Self {
        let mut bricks: Vec<_> = grid.index.iter().map(|(&at, &index)| (coordinates_of(at), grid.bricks[index as usize])).collect();
        bricks.sort_by_key(|&(at, _)| morton(at));
        Self { shift: grid.shift, bricks }
    }
}

impl Occupancy {
    /// Without points; `metres` are the lengths of the file's units.
    pub(crate) fn new(cube: &Cube, metres: DVec3) -> Self {
        let step_m = cube.edge_at(cube.bits) * metres.max_element();
        let shift = (CELL_M / step_m).log2().floor().clamp(0.0, f64::from(cube.bits)) as u32;
        Self { shift, bricks: Vec::new(), index: KeyMap::default(), last: None }
    }

    /// Adds a point at tree coordinates.
    #[inline]
    pub(crate) fn add(&mut self, tree: [u32; 3]) {
        let [x, y, z] = [tree[0] >> self.shift, tree[1] >> self.shift, tree[2] >> self.shift];
        let at = [x >> 3, y >> 3, z >> 3];
        let index = match self.last {
            Some((last, index)) if last == at => index,
            _ => self.brick(at),
        };
        self.bricks[index as usize][(z & 7) as usize] |= 1 << ((y & 7) * 8 + (x & 7));
        if self.bricks.len() > MOST_BRICKS {
            self.coarsen();
        }
    }

    fn brick(&mut self, at: [u32; 3]) -> u32 {
        let next = self.bricks.len() as u32;
        let index = *self.index.entry(morton(at)).or_insert(next);
        if index == next {
            self.bricks.push([0; 8]);
        }
        self.last = Some((at, index));
        index
    }

    fn add_brick(&mut self, at: [u32; 3], brick: &Brick) {
        let index = self.brick(at) as usize;
        self.bricks[index].iter_mut().zip(brick).for_each(|(sum, word)| *sum |= word);
    }

    /// Doubles the cells' edges.
    fn coarsen(&mut self) {
        let mut coarse = Self { shift: self.shift + 1, bricks: Vec::new(), index: KeyMap::default(), last: None };
        for (&code, &index) in &self.index {
            let at = coordinates_of(code);
            let mut brick = [0; 8];
            let corner = at.map(|value| (value & 1) * 4);
            for z in 0..8 {
                let word = self.bricks[index as usize][z as usize];
                for bit in (0..64).filter(|bit| word >> bit & 1 != 0) {
                    let (x, y) = (corner[0] + bit % 8 / 2, corner[1] + bit / 16);
                    brick[(corner[2] + z / 2) as usize] |= 1 << (y * 8 + x);
                }
            }
            coarse.add_brick(at.map(|value| value >> 1), &brick);
        }
        *self = coarse;
    }

    /// Adds the points of another grid; the larger of the two cells is kept.
    pub(crate) fn merge(&mut self, mut other: Self) {
        while self.shift < other.shift {
            self.coarsen();
        }
        while other.shift < self.shift {
            other.coarsen();
        }
        for (&code, &index) in &other.index {
            self.add_brick(coordinates_of(code), &other.bricks[index as usize]);
        }
        while self.bricks.len() > MOST_BRICKS {
            self.coarsen();
        }
    }

    /// Doubles the cells' edges, up to eight times, until those with points have enough of them: rays would pass between the points of smaller ones.
    pub(crate) fn fit_density(&mut self, points: u64) {
        for _ in 0..3 {
            let cells: u64 = self.bricks.iter().flatten().map(|word| u64::from(word.count_ones())).sum();
            if points >= cells * POINTS_IN_CELL {
                break;
            }
            self.coarsen();
        }
    }

    /// Tree coordinates along a cell's edge.
    pub(crate) fn cell_steps(&self) -> f64 {
        (1_u64 << self.shift) as f64
    }

    /// Columns of 2^`wide` x 2^`wide` cells that contain points, by their place: the heights of their cells with points, in cells, lowest first. A brick is 2^3
    /// cells wide, and so is the widest column.
    pub(crate) fn columns(&self, wide: u32) -> BTreeMap<[u32; 2], Vec<u32>> {
        let wide = wide.min(3);
        let mut bricks: Vec<([u32; 3], u32)> = self.index.iter().map(|(&code, &index)| (coordinates_of(code), index)).collect();
        bricks.sort_unstable();
        let across = 8 >> wide;
        let mut columns: BTreeMap<[u32; 2], Vec<u32>> = BTreeMap::new();
        for ([x, y, z], index) in bricks {
            let brick = &self.bricks[index as usize];
            for (column, row) in (0..across).flat_map(|column| (0..across).map(move |row| (column, row))) {
                let cells = (0..1 << wide).flat_map(|u| (0..1 << wide).map(move |v| (u, v)));
                let mask = cells.fold(0_u64, |mask, (u, v)| mask | 1 << (((row << wide) + v) * 8 + (column << wide) + u));
                let heights = (0..8).filter(|&up| brick[up as usize] & mask != 0).map(|up| z * 8 + up);
                let mut heights = heights.peekable();
                if heights.peek().is_some() {
                    columns.entry([x * across + column, y * across + row]).or_default().extend(heights);
                }
            }
        }
        columns
    }

    /// How far a ray goes before it enters a cell with points: `from` in cells, `direction` in cells for a unit of length, up to `limit` units. `None`
    /// where it meets nothing.
    pub(crate) fn first_hit(&self, from: DVec3, direction: DVec3, limit: f64) -> Option<f64> {
        let inverse = direction.recip();
        // A little more than to the border of a cell or brick, so that the next position is beyond it.
        let nudge = 1e-6 / direction.abs().max_element();
        let mut at = 0.0;
        while at < limit {
            let place = from + direction * at;
            if place.cmplt(DVec3::ZERO).any() || place.cmpge(DVec3::splat(f64::from(1 << 24))).any() {
                return None;
            }
            let [x, y, z] = place.to_array().map(|value| value as u32);
            let size = match self.index.get(&morton([x >> 3, y >> 3, z >> 3])) {
                Some(&index) => {
                    if self.bricks[index as usize][(z & 7) as usize] >> ((y & 7) * 8 + (x & 7)) & 1 != 0 {
                        return Some(at);
                    }
                    1.0
                }
                None => 8.0,
            };
            let low = (place / size).floor() * size;
            let border = DVec3::select(direction.cmpgt(DVec3::ZERO), low + size, low);
            let along = (border - place) * inverse;
            let step = along.to_array().into_iter().filter(|step| step.is_finite()).fold(f64::INFINITY, f64::min);
            at += step.max(0.0) + nudge;
        }
        None
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::octree::common_grid::CommonGrid;

    fn cube() -> Cube {
        Cube::new(&CommonGrid::new(DVec3::splat(0.001), DVec3::ZERO, true), [0; 3], [1_000_000; 3]).unwrap()
    }

    #[test]
    fn rays_end_at_the_first_cell_with_points() {
        let mut grid = Occupancy::new(&cube(), DVec3::ONE);
        assert_eq!(grid.shift, 6);
        for y in 0..500 {
            for z in 0..500 {
                grid.add([6400, y * 64, z * 64]);
            }
        }
        let from = DVec3::new(20.5, 100.5, 100.5);
        let hit = grid.first_hit(from, DVec3::X * 2.0, 1000.0).unwrap();
        assert!((hit - 79.5 / 2.0).abs() < 0.01, "{hit}");
        assert_eq!(grid.first_hit(from, DVec3::X * 2.0, 30.0), None);
        assert_eq!(grid.first_hit(from, DVec3::NEG_X, 1000.0), None);
        let slanted = grid.first_hit(from, DVec3::new(1.0, 1.0, 0.5), 1000.0).unwrap();
        assert!((slanted - 79.5).abs() < 0.01, "{slanted}");
    }

    #[test]
    fn columns_have_the_heights_of_their_cells() {
        let mut grid = Occupancy::new(&cube(), DVec3::ONE);
        let cells = [[3, 9, 2], [4, 9, 70], [3, 8, 2], [3, 9, 0], [17, 30, 5]];
        for [x, y, z] in cells {
            grid.add([x * 64, y * 64, z * 64]);
        }
        let wide = |wide: u32| grid.columns(wide).into_iter().collect::<Vec<_>>();
        assert_eq!(wide(0), [([3, 8], vec![2]), ([3, 9], vec![0, 2]), ([4, 9], vec![70]), ([17, 30], vec![5])]);
        assert_eq!(wide(2), [([0, 2], vec![0, 2]), ([1, 2], vec![70]), ([4, 7], vec![5])]);
        assert_eq!(wide(3), [([0, 1], vec![0, 2, 70]), ([2, 3], vec![5])]);
    }

    #[test]
    fn the_order_of_points_and_the_division_among_workers_do_not_matter() {
        let point = |n: u32| [n.wrapping_mul(2_654_435_761) % 1_000_000, n.wrapping_mul(40_503) % 900_000, n % 70_000];
        let mut whole = Occupancy::new(&cube(), DVec3::ONE);
        (0..200_000).for_each(|n| whole.add(point(n)));
        assert!(whole.bricks.len() <= MOST_BRICKS && whole.shift > 6);
        let mut parts = [Occupancy::new(&cube(), DVec3::ONE), Occupancy::new(&cube(), DVec3::ONE)];
        (0..200_000).rev().for_each(|n| parts[usize::from(n % 5 == 0)].add(point(n)));
        let [mut sum, part] = parts;
        sum.merge(part);
        let text = serde_json::to_string(&whole).unwrap();
        assert_eq!(serde_json::to_string(&sum).unwrap(), text);
        assert_eq!(serde_json::to_string(&serde_json::from_str::<Occupancy>(&text).unwrap()).unwrap(), text);
    }
}
