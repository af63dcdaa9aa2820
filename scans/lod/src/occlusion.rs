//! Which boxes are hidden behind surfaces: a coarse picture of distances, made of points that are in memory.
//!
//! Inside a building most of what lies in the direction of view is behind walls, floors and seats. Points there cost as much as visible ones and show
//! nothing. An [`OcclusionMap`] is a picture of cells of a few pixels. Each point covers the cells around it, as far as the spacing of the
//! points; a cell keeps the nearest distance. A box is hidden where it is farther than every cell that it covers in the picture.
//!
//! The map errs towards visible: a cell without points hides nothing, so that openings, railings and sparse scans stay open, and a box must be farther than
//! the surface by a margin. It is computed in f32 relative to the eye.

use std::sync::Arc;

use glam::{DVec3, Vec3};

use parterre_model::points::Bounds;

/// Rows of cells in the picture.
const ROWS: u32 = 150;
/// Most cells in a row.
const COLUMNS_MAX: u32 = 600;
/// Most cells along a side of a box in the picture for which it is tested; larger boxes are tested at a coarser level.
const TEST_CELLS: u32 = 12;
/// The same for a first, quick test.
const COARSE_CELLS: u32 = 3;
/// A box must be farther than the surface by this distance, and by this share of the distance. Larger than the thickness that noise and the rounding of
/// cells give to a surface that is seen at a small angle.
const MARGIN_M: f32 = 0.3;
const MARGIN_SHARE: f32 = 0.03;
/// What is nearer than this along the direction of view is not projected. Metres.
const NEAREST_M: f32 = 0.1;
/// Points cover cells up to this multiple of their spacing around them, so that a surface of irregular points is closed.
const REACH: f32 = 0.75;

/// A picture of distances along the direction of view.
#[derive(Clone, Debug, PartialEq)]
pub struct OcclusionMap {
    eye: DVec3,
    /// To the right, up and forward; scaled so that the picture spans -1 to 1 after division by the distance.
    axes: [Vec3; 3],
    /// Tangents of half the horizontal and half the vertical angle of view.
    tangents: [f64; 2],
    columns: u32,
    /// Half the size in cells of what a point covers.
    reach: f32,
    /// Distances, row by row, of the finest level, then of levels of half the size each, where a cell has the farthest of four.
    levels: Arc<Vec<Level>>,
}

#[derive(Clone, Debug, PartialEq)]
struct Level {
    columns: u32,
    rows: u32,
    distances: Vec<f32>,
}

impl OcclusionMap {
    /// An empty map, which hides nothing. `eye` in the tile frame; `forward`, `right` and `up` are unit vectors; `fov_y` is the full vertical angle in
    /// radians; `aspect` is width over height. Points will have a spacing of `spacing` picture heights or less.
    pub fn new(eye: DVec3, directions: [DVec3; 3], fov_y: f64, aspect: f64, spacing: f64) -> Self {
        let tan = (fov_y * 0.5).tan();
        let columns = (f64::from(ROWS) * aspect).ceil().clamp(1.0, f64::from(COLUMNS_MAX)) as u32;
        let level = Level { columns, rows: ROWS, distances: vec![f32::INFINITY; (columns * ROWS) as usize] };
        let map = Self {
            eye,
            axes: [Vec3::ZERO; 3],
            tangents: [tan * aspect, tan],
            columns,
            reach: spacing as f32 * ROWS as f32 * REACH,
            levels: Arc::new(vec![level]),
        };
        map.in_frame(eye, directions)
    }

    /// The same map for points and boxes of another scan, in whose tile frame the eye and the directions of the picture are these.
    #[must_use]
    pub fn in_frame(self, eye: DVec3, [forward, right, up]: [DVec3; 3]) -> Self {
        let [tan_x, tan_y] = self.tangents;
        Self { eye, axes: [right / tan_x, up / tan_y, forward].map(DVec3::as_vec3), ..self }
    }

    /// Adds points, in metres from `origin` (tile frame, metres).
    pub fn add(&mut self, origin: DVec3, points: &[Vec3]) {
        let offset = (origin - self.eye).as_vec3();
        let [right, up, forward] = self.axes;
        let (half_columns, half_rows) = (self.columns as f32 * 0.5, ROWS as f32 * 0.5);
        let distances = &mut Arc::make_mut(&mut self.levels)[0].distances;
        for &point in points {
            let point = point + offset;
            let distance_m = point.dot(forward);
            if distance_m < NEAREST_M {
                continue;
            }
            let inverse = distance_m.recip();
            let x = (point.dot(right) * inverse + 1.0) * half_columns;
            let y = (1.0 - point.dot(up) * inverse) * half_rows;
            // Cells whose centres are within reach.
            let (x0, x1) = ((x - self.reach - 0.5).ceil().max(0.0), (x + self.reach - 0.5).floor().min(self.columns as f32 - 1.0));
            let (y0, y1) = ((y - self.reach - 0.5).ceil().max(0.0), (y + self.reach - 0.5).floor().min(ROWS as f32 - 1.0));
            if x0 > x1 || y0 > y1 {
                continue;
            }
            for row in y0 as usize..=y1 as usize {
                let start = row * self.columns as usize;
                for cell in &mut distances[start + x0 as usize..=start + x1 as usize] {
                    *cell = cell.min(distance_m);
                }
            }
        }
    }

    /// Prepares the map for tests, after the last points.
    #[must_use]
    pub fn finish(mut self) -> Self {
        let levels = Arc::make_mut(&mut self.levels);
        levels.truncate(1);
        while let Some(finer) = levels.last().filter(|level| level.columns > 1 || level.rows > 1) {
            let (columns, rows) = (finer.columns.div_ceil(2), finer.rows.div_ceil(2));
            let mut distances = vec![0.0f32; (columns * rows) as usize];
            for row in 0..finer.rows {
                for column in 0..finer.columns {
                    let coarse = &mut distances[(row / 2 * columns + column / 2) as usize];
                    *coarse = coarse.max(finer.distances[(row * finer.columns + column) as usize]);
                }
            }
            levels.push(Level { columns, rows, distances });
        }
        self
    }

    /// Whether a box (tile frame, metres) is behind the surfaces in the map.
    pub fn hides(&self, bounds: &Bounds) -> bool {
        // Along the axes of the picture: the lower corner, and the edges of the box.
        let project = |vector: Vec3| Vec3::from_array(self.axes.map(|axis| vector.dot(axis)));
        let start = project((bounds.min - self.eye).as_vec3());
        let size = (bounds.max - bounds.min).as_vec3();
        let [x, y, z] = [Vec3::X, Vec3::Y, Vec3::Z].map(|axis| project(size * axis));
        let corners = [start, start + x, start + y, start + z, start + x + y, start + y + z, start + z + x, start + x + y + z];
        let nearest_m = corners.iter().fold(f32::INFINITY, |nearest_m, corner| nearest_m.min(corner.z));
        if corners.iter().any(|corner| corner.z.is_nan()) || nearest_m <= NEAREST_M {
            return false;
        }
        let (mut low, mut high) = ([f32::INFINITY; 2], [f32::NEG_INFINITY; 2]);
        for corner in corners {
            let inverse = corner.z.recip();
            let at = [(corner.x * inverse + 1.0) * 0.5, (1.0 - corner.y * inverse) * 0.5];
            for axis in 0..2 {
                low[axis] = low[axis].min(at[axis]);
                high[axis] = high[axis].max(at[axis]);
            }
        }
        if low[0] > 1.0 || low[1] > 1.0 || high[0] < 0.0 || high[1] < 0.0 {
            return false;
        }
        let limit_m = nearest_m * (1.0 - MARGIN_SHARE) - MARGIN_M;
        // More cells on each side, because surfaces in the map reach over their edges.
        let more = self.reach + 1.0;
        let cell = |at: f32, cells: u32| (at.max(0.0) as u32).min(cells - 1);
        let [x0, x1] = [low[0] * self.columns as f32 - more, high[0] * self.columns as f32 + more].map(|at| cell(at, self.columns));
        let [y0, y1] = [low[1] * ROWS as f32 - more, high[1] * ROWS as f32 + more].map(|at| cell(at, ROWS));
        // A coarse level tells at once what is hidden far behind; it says no where a finer one may say yes.
        [COARSE_CELLS, TEST_CELLS].into_iter().any(|cells| {
            let fits = |coarser: &usize| (x1 >> coarser) - (x0 >> coarser) < cells && (y1 >> coarser) - (y0 >> coarser) < cells;
            let Some(coarser) = (0..self.levels.len()).find(fits) else { return false };
            let [x0, x1, y0, y1] = [x0, x1, y0, y1].map(|at| at >> coarser);
            let level = &self.levels[coarser];
            let row = |row: u32| &level.distances[(row * level.columns + x0) as usize..=(row * level.columns + x1) as usize];
            (y0..=y1).all(|y| row(y).iter().all(|distance_m| *distance_m < limit_m))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASPECT: f64 = 1.6;
    /// Six pixels of 600.
    const SPACING: f64 = 0.01;

    /// Looks north from the origin.
    fn map() -> OcclusionMap {
        OcclusionMap::new(DVec3::ZERO, [DVec3::Y, DVec3::X, DVec3::Z], 1.0, ASPECT, SPACING)
    }

    /// A wall across the view at `y`, with points every `step` metres, where `is_there`.
    fn wall(y: f32, step: f32, is_there: impl Fn(f32, f32) -> bool) -> Vec<Vec3> {
        let steps = (20.0 / step) as i32;
        (-steps..=steps)
            .flat_map(|x| (-steps..=steps).map(move |z| (x as f32 * step, z as f32 * step)))
            .filter(|(x, z)| is_there(*x, *z))
            .map(|(x, z)| Vec3::new(x, y, z))
            .collect()
    }

    fn cube(at: [f64; 3], half: f64) -> Bounds {
        let center = DVec3::from_array(at);
        Bounds { min: center - half, max: center + half }
    }

    fn with(points: Vec<Vec3>) -> OcclusionMap {
        let mut map = map();
        map.add(DVec3::ZERO, &points);
        map.finish()
    }

    #[test]
    fn a_wall_hides_what_is_behind_it() {
        // The spacing of points at 5 m is 6 pixels where they are 5.5 cm apart.
        let map = with(wall(5.0, 0.055, |_, _| true));
        assert!(map.hides(&cube([0.0, 8.0, 0.0], 1.0)) && map.hides(&cube([3.0, 20.0, -2.0], 4.0)));
        assert!(!map.hides(&cube([0.0, 5.0, 0.0], 0.5)), "the wall itself");
        assert!(!map.hides(&cube([0.0, 5.9, 0.0], 0.5)), "within the margin");
        assert!(!map.hides(&cube([0.0, 3.0, 0.0], 0.5)), "in front");
        assert!(!map.hides(&cube([0.0, -8.0, 0.0], 1.0)) && !map.hides(&cube([0.0, 0.0, 0.0], 1.0)), "behind and around the eye");
        assert!(!with(Vec::new()).hides(&cube([0.0, 8.0, 0.0], 1.0)));
    }

    #[test]
    fn a_doorway_and_a_railing_stay_open() {
        let door = with(wall(5.0, 0.055, |x, z| x.abs() > 0.45 || z > 0.5));
        assert!(!door.hides(&cube([0.0, 12.0, 0.0], 2.0)), "it is partly seen through the door");
        assert!(!door.hides(&cube([0.0, 12.0, 0.0], 0.2)));
        assert!(door.hides(&cube([4.0, 12.0, 0.0], 1.0)), "beside the door");
        // Three rails of 5 cm, 0.3 m apart.
        let railing = with(wall(5.0, 0.025, |_, z| z.abs() < 0.8 && (z / 0.3 - (z / 0.3).round()).abs() * 0.3 < 0.025));
        assert!(!railing.hides(&cube([0.0, 9.0, 0.0], 0.3)));
    }

    #[test]
    fn sparse_points_hide_nothing() {
        let map = with(wall(5.0, 0.25, |_, _| true));
        assert!(!map.hides(&cube([0.0, 8.0, 0.0], 1.0)));
    }

    #[test]
    fn a_box_at_the_edge_of_the_picture_and_odd_numbers_are_no_fault() {
        let map = with(wall(5.0, 0.055, |_, _| true));
        assert!(map.hides(&cube([7.5, 9.0, 0.0], 1.0)));
        assert!(!map.hides(&cube([100.0, 9.0, 0.0], 1.0)), "outside of the picture");
        assert!(!map.hides(&cube([f64::NAN, 9.0, 0.0], 1.0)) && !map.hides(&Bounds::EMPTY));
        let strange = with(vec![Vec3::NAN, Vec3::INFINITY, Vec3::new(0.0, 1e30, 0.0)]);
        assert!(!strange.hides(&cube([0.0, 8.0, 0.0], 1.0)));
    }

    #[test]
    fn random_boxes_that_are_hidden_are_behind_the_wall() {
        use rand::{Rng as _, SeedableRng as _};
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(3);
        // A wall with windows of 1 m every 3 m.
        let is_wall = |x: f32, z: f32| (x - (x / 3.0).round() * 3.0).abs() > 0.5 || (z - (z / 3.0).round() * 3.0).abs() > 0.5;
        let map = with(wall(5.0, 0.055, is_wall));
        let mut hidden = 0;
        for _ in 0..2000 {
            let at = [rng.random_range(-8.0..8.0), rng.random_range(3.0..15.0), rng.random_range(-6.0..6.0)];
            let bounds = cube(at, rng.random_range(0.05..1.5));
            if !map.hides(&bounds) {
                continue;
            }
            hidden += 1;
            // No line from the eye to any of its points passes a window.
            for _ in 0..50 {
                let to = DVec3::new(
                    rng.random_range(bounds.min.x..bounds.max.x),
                    rng.random_range(bounds.min.y..bounds.max.y),
                    rng.random_range(bounds.min.z..bounds.max.z),
                );
                let through = to * (5.0 / to.y);
                let tan = 0.5_f64.tan();
                if through.x.abs() > 5.0 * tan * ASPECT || through.z.abs() > 5.0 * tan {
                    // Outside of the picture.
                    continue;
                }
                assert!(is_wall(through.x as f32, through.z as f32) && to.y > 5.0, "{bounds:?} is seen at {to}");
            }
        }
        assert!(hidden > 100, "{hidden}");
    }
}
