//! Where in plan the level with the most surface and what lies off it are.

use glam::DVec3;

/// Cells along each side of the plan's rectangle.
const SIDE: usize = 24;
/// Cells at each edge that are the border: an eighth of the side.
const BORDER: usize = 3;
/// The most of the plan that may have something off the ground. Fronts of a flat roof have less, woods more.
const MOST_COVERED: f64 = 0.5;

/// The plan across one axis, as cells.
pub(super) struct Plan {
    /// The two other axes, and the cells of one unit of length along them.
    axes: [usize; 2],
    scale: [f64; 2],
    /// For each cell, row by row: whether it has points in the level, and off it.
    cells: Vec<[bool; 2]>,
}

impl Plan {
    /// A plan across `axis` of a box with these edges.
    pub(super) fn new(extent: DVec3, axis: usize) -> Self {
        let across = [(axis + 1) % 3, (axis + 2) % 3];
        let scale = across.map(|axis| if extent[axis] > 0.0 { SIDE as f64 / extent[axis] } else { 0.0 });
        Self { axes: across, scale, cells: vec![[false; 2]; SIDE * SIDE] }
    }

    /// Adds a point, given from the box's lowest corner. What lies outside of the box belongs to its outer cells.
    pub(super) fn add(&mut self, point: DVec3, is_off: bool) {
        let [u, v] = [0, 1].map(|side| ((point[self.axes[side]] * self.scale[side]).max(0.0) as usize).min(SIDE - 1));
        self.cells[v * SIDE + u][usize::from(is_off)] = true;
    }

    /// Whether the level can be ground: it is all around what lies off it, and more than that. A flat roof seen from the air has its fronts
    /// along the border of the plan and nothing below its middle.
    pub(super) fn is_ground(&self) -> bool {
        let (mut border, mut inside) = ([0_u32; 2], [0_u32; 2]);
        for (index, [_, is_off]) in self.cells.iter().enumerate().filter(|(_, cell)| cell[0] || cell[1]) {
            let is_border = [index % SIDE, index / SIDE].iter().any(|place| !(BORDER..SIDE - BORDER).contains(place));
            let counts = if is_border { &mut border } else { &mut inside };
            counts[0] += 1;
            counts[1] += u32::from(*is_off);
        }
        let share = |[all, off]: [u32; 2]| f64::from(off) / f64::from(all.max(1));
        let total = share([border[0] + inside[0], border[1] + inside[1]]);
        total <= MOST_COVERED && share(border) <= share(inside)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A level of 60 x 60, and what lies off it at the places of `off`.
    fn is_ground(off: impl Fn(f64, f64) -> bool) -> bool {
        let mut plan = Plan::new(DVec3::new(60.0, 60.0, 10.0), 2);
        for i in 0..60 {
            for j in 0..60 {
                let point = DVec3::new(f64::from(i) + 0.5, f64::from(j) + 0.5, 0.0);
                plan.add(point, false);
                if off(point.x, point.y) {
                    plan.add(point, true);
                }
            }
        }
        plan.is_ground()
    }

    #[test]
    fn houses_stand_inside_of_ground_and_fronts_along_the_edge_of_a_roof() {
        assert!(is_ground(|x, y| (20.0..40.0).contains(&x) && (10.0..30.0).contains(&y)));
        assert!(!is_ground(|x, y| x.min(y) < 1.0 || x.max(y) > 59.0));
        assert!(!is_ground(|x, _| x < 1.0));
        assert!(!is_ground(|x, y| x > 5.0 && y > 5.0));
    }
}
