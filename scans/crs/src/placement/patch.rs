//! Approximation of the exact transformation to the tile frame: a polynomial for each cell of a fixed grid over the ground.
//!
//! How it works. Along the height the exact transformation is linear, since it adds the height along the ellipsoid's normal and
//! everything after is affine. So a position is `foot(x, y) + height * normal(x, y)`. Over a cell of [`EDGE_M`] these two
//! follow the curvature of the Earth: the foot is interpolated by a polynomial of degree 2 in x and in y at Chebyshev's nodes, the
//! normal by one of degree 1. The third derivative of the foot is about 1/R², and the remainder of the interpolation
//! 1/24 of it times (half the edge)³, 0.14 µm; the remainder of the normal is 1/4 · 1/R² times (half the edge)², 1.6 nm for
//! each metre above the origin. Both are far below what is kept of positions, 1 mm, and what a `f64` of 6.4e6 m
//! holds, 1 nm. Every cell is compared with the exact transformation at positions between its nodes before it is used: one with an error of
//! more than [`TOLERANCE_M`] is not used, and its points are transformed exactly.
//!
//! Cells are fixed by the frame's origin, so the result for a point depends on nothing but the point.

use glam::DVec3;

use super::earth::Earth;

/// Edge of a cell, in the system's metres.
pub(super) const EDGE_M: f64 = 1024.0;
/// Cells with a larger error than this are not used.
const TOLERANCE_M: f64 = 2e-5;
/// Heights, from the origin's, at which a cell is compared.
const CHECK_HEIGHTS_M: [f64; 3] = [-500.0, 0.0, 1500.0];
/// Height over which the normal is measured.
const REACH_M: f64 = 1000.0;

/// One cell.
#[derive(Clone, Debug)]
pub(super) struct Patch {
    /// Middle of the cell at the origin's height, in the system's metres.
    middle: DVec3,
    /// Coefficients of the foot by powers of u, then of v, where u and v run from -1 to 1 over the cell.
    foot: [[DVec3; 3]; 3],
    /// The same of the normal.
    normal: [[DVec3; 2]; 2],
}

impl Patch {
    /// The cell around `middle`; `None` where the exact transformation must be used.
    pub(super) fn new(earth: &Earth, middle: DVec3) -> Option<Self> {
        let at = |u: f64, v: f64, height: f64| middle + DVec3::new(u * 0.5 * EDGE_M, v * 0.5 * EDGE_M, height);

        // Chebyshev's nodes: -s, 0, s of degree 2 and -t, t of degree 1.
        let s = 0.75_f64.sqrt();
        let mut foot = [[DVec3::ZERO; 3]; 3];
        for (row, u) in foot.iter_mut().zip([-s, 0.0, s]) {
            for (value, v) in row.iter_mut().zip([-s, 0.0, s]) {
                *value = earth.tile(at(u, v, 0.0))?;
            }
            *row = parabola(*row, s);
        }
        let columns = [0, 1, 2].map(|power| parabola(foot.map(|row| row[power]), s));
        let foot = [0, 1, 2].map(|power| columns.map(|column| column[power]));

        let t = 0.5_f64.sqrt();
        let mut normal = [[DVec3::ZERO; 2]; 2];
        for (row, u) in normal.iter_mut().zip([-t, t]) {
            for (value, v) in row.iter_mut().zip([-t, t]) {
                *value = (earth.tile(at(u, v, REACH_M))? - earth.tile(at(u, v, 0.0))?) / REACH_M;
            }
            *row = line(*row, t);
        }
        let columns = [0, 1].map(|power| line(normal.map(|row| row[power]), t));
        let normal = [0, 1].map(|power| columns.map(|column| column[power]));

        let patch = Self { middle, foot, normal };
        for u in [-1.0, -0.5, 0.0, 0.5, 1.0] {
            for v in [-1.0, -0.5, 0.0, 0.5, 1.0] {
                for height in CHECK_HEIGHTS_M {
                    let position = at(u, v, height);
                    let off_m = patch.tile(position).distance(earth.tile(position)?);
                    if off_m.is_nan() || off_m > TOLERANCE_M {
                        return None;
                    }
                }
            }
        }
        Some(patch)
    }

    /// Position in the tile frame.
    #[inline]
    pub(super) fn tile(&self, position_m: DVec3) -> DVec3 {
        let offset = position_m - self.middle;
        let (u, v) = (offset.x * (2.0 / EDGE_M), offset.y * (2.0 / EDGE_M));
        let along_v = |row: &[DVec3; 3]| row[0] + v * (row[1] + v * row[2]);
        let foot = along_v(&self.foot[0]) + u * (along_v(&self.foot[1]) + u * along_v(&self.foot[2]));
        let [a, b] = &self.normal;
        foot + offset.z * (a[0] + v * a[1] + u * (b[0] + v * b[1]))
    }
}

/// Coefficients of the parabola through values at -s, 0 and s.
fn parabola([low, middle, high]: [DVec3; 3], s: f64) -> [DVec3; 3] {
    [middle, (high - low) / (2.0 * s), (high + low - 2.0 * middle) / (2.0 * s * s)]
}

/// Coefficients of the line through values at -t and t.
fn line([low, high]: [DVec3; 2], t: f64) -> [DVec3; 2] {
    [(high + low) * 0.5, (high - low) / (2.0 * t)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::{Found, find};

    fn earth(crs: &str, origin_m: DVec3) -> Earth {
        let Found::Projected(definition) = find(crs) else { panic!("{crs} is not known") };
        Earth::new(&definition, origin_m).unwrap_or_else(|why| panic!("{crs}: {why}"))
    }

    #[test]
    fn cells_agree_with_the_exact_transformation() {
        for (crs, x, y) in [
            ("EPSG:32631", 453_113.0, 5_418_760.0),
            ("EPSG:25833", -37_000.0, 6_740_000.0),
            ("EPSG:2154", 653_098.0, 6_869_080.0),
            ("EPSG:28992", 124_000.0, 480_000.0),
            ("EPSG:3857", -11_688_000.0, 4_828_000.0),
            ("EPSG:3857", 1_750_000.0, 12_100_000.0),
            ("EPSG:29902", 316_000.0, 234_000.0),
            ("EPSG:5514", -743_000.0, -1_043_000.0),
            ("EPSG:2056", 2_600_000.0, 1_200_000.0),
            ("EPSG:3031", 1_500_000.0, -300_000.0),
            ("EPSG:3035", 3_970_000.0, 3_260_000.0),
        ] {
            let origin_m = DVec3::new(x, y, 37.0);
            let earth = earth(crs, origin_m);
            let mut worst: f64 = 0.0;
            for cell in [[0.0, 0.0], [1.0, -1.0], [-9.0, 4.0]] {
                let middle = origin_m + DVec3::new(cell[0], cell[1], 0.0) * EDGE_M;
                let patch = Patch::new(&earth, middle).unwrap_or_else(|| panic!("{crs} has no cell {cell:?}"));
                for i in 0..500 {
                    let i = f64::from(i);
                    let wave = |step: f64| (i * step).sin();
                    let position = middle + DVec3::new(wave(1.3) * 0.5 * EDGE_M, wave(2.9) * 0.5 * EDGE_M, wave(0.7) * 200.0);
                    let exact = earth.tile(position).expect("on the Earth");
                    worst = worst.max(patch.tile(position).distance(exact));
                }
            }
            assert!(worst < 2e-6, "{crs}: {worst} m");
        }
    }

    #[test]
    fn a_cell_that_bends_too_much_is_not_used() {
        // Lambert-93 folds the north pole into the tip of a cone, far beyond the country.
        let earth = earth("EPSG:2154", DVec3::new(700_000.0, 11_500_000.0, 0.0));
        let tip = DVec3::new(700_000.0, 12_655_612.0, 0.0);
        assert!(Patch::new(&earth, tip - 1000.0 * EDGE_M * DVec3::Y).is_some());
        assert!(Patch::new(&earth, tip).is_none());
    }
}
