//! The nearest point of a scan, by a grid of cubic cells.

use glam::{DVec3, IVec3};

/// Edge of a cell: a few points of a surface.
const CELL_M: f64 = 0.1;

/// Points in a grid; a cell's points are consecutive.
pub(crate) struct Nearest {
    min: DVec3,
    cells: IVec3,
    /// Start of each cell's points, and at last their number.
    starts: Vec<u32>,
    points: Vec<(DVec3, u32)>,
}

impl Nearest {
    pub(crate) fn new(positions: impl ExactSizeIterator<Item = DVec3> + Clone) -> Self {
        let (min, max) = positions.clone().fold((DVec3::INFINITY, DVec3::NEG_INFINITY), |(min, max), at| (min.min(at), max.max(at)));
        let cells = if positions.len() == 0 { IVec3::ZERO } else { ((max - min) / CELL_M).as_ivec3() + 1 };
        let mut grid = Self { min, cells, starts: vec![0; (cells.x * cells.y * cells.z) as usize + 1], points: Vec::new() };
        grid.points = vec![(DVec3::ZERO, 0); positions.len()];
        for at in positions.clone() {
            let index = grid.index(grid.cell(at));
            grid.starts[index + 1] += 1;
        }
        for index in 1..grid.starts.len() {
            grid.starts[index] += grid.starts[index - 1];
        }
        let mut next = grid.starts.clone();
        for (number, at) in positions.enumerate() {
            let slot = &mut next[grid.index(grid.cell(at))];
            grid.points[*slot as usize] = (at, number as u32);
            *slot += 1;
        }
        grid
    }

    /// Number and distance of the point nearest to `at`, if one lies within `reach` metres.
    pub(crate) fn nearest(&self, at: DVec3, reach: f64) -> Option<(u32, f64)> {
        self.nearest_where(at, reach, |_| true)
    }

    /// As [`Nearest::nearest`], of the points that `counts` says yes to.
    pub(crate) fn nearest_where(&self, at: DVec3, reach: f64, counts: impl Fn(DVec3) -> bool) -> Option<(u32, f64)> {
        let home = self.cell(at);
        let mut best: Option<(u32, f64)> = None;
        let mut limit = reach * reach;
        for ring in 0..=(reach / CELL_M).ceil() as i32 {
            // No point in this ring's cells is nearer than this.
            let least = f64::from(ring - 1).max(0.0) * CELL_M;
            if least * least > limit {
                break;
            }
            let (low, high) = ((home - ring).max(IVec3::ZERO), (home + ring).min(self.cells - 1));
            for z in low.z..=high.z {
                for y in low.y..=high.y {
                    // Within the ring's shell in y or z the whole row belongs to it, elsewhere its two ends.
                    let is_shell = (z - home.z).abs() == ring || (y - home.y).abs() == ring;
                    let step = if is_shell { 1 } else { (2 * ring).max(1) };
                    let mut x = home.x - ring;
                    while x <= home.x + ring {
                        if (0..self.cells.x).contains(&x) {
                            let index = self.index(IVec3::new(x, y, z));
                            for (point, number) in &self.points[self.starts[index] as usize..self.starts[index + 1] as usize] {
                                let distance = point.distance_squared(at);
                                if distance < limit && counts(*point) {
                                    limit = distance;
                                    best = Some((*number, distance));
                                }
                            }
                        }
                        x += step;
                    }
                }
            }
        }
        best.map(|(number, squared)| (number, squared.sqrt()))
    }

    fn cell(&self, at: DVec3) -> IVec3 {
        ((at - self.min) / CELL_M).floor().as_ivec3()
    }

    fn index(&self, cell: IVec3) -> usize {
        ((cell.z * self.cells.y + cell.y) * self.cells.x + cell.x) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_as_looking_at_every_point() {
        // Scattered by multiples of the golden ratio and other irrational numbers.
        let scatter = |i: u32, factor: f64| (f64::from(i) * factor).fract();
        let points: Vec<DVec3> =
            (0..2000).map(|i| DVec3::new(scatter(i, 0.618_034) * 3.0, scatter(i, 0.414_214) * 2.0, scatter(i, 0.732_051))).collect();
        let grid = Nearest::new(points.iter().copied());
        for i in 0..300 {
            let at = DVec3::new(scatter(i, 0.236_068) * 4.0 - 0.5, scatter(i, 0.302_776) * 3.0 - 0.5, scatter(i, 0.645_751) * 2.0 - 0.5);
            let truth = points.iter().map(|point| point.distance(at)).fold(f64::INFINITY, f64::min);
            let found = grid.nearest(at, 0.4).map(|(number, distance)| {
                assert!((points[number as usize].distance(at) - distance).abs() < 1e-12);
                distance
            });
            assert_eq!(found.map(|d| (d * 1e9).round()), (truth < 0.4).then(|| (truth * 1e9).round()), "{at}");
        }
    }
}
