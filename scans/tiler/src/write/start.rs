//! The place where walking starts: on a floor, with a long view; and how much of the scan is under a roof.
//!
//! Candidates are the floors under the setups of the scanner: who scans stands where one sees much. Where no setup is known, they are even samples of the
//! largest floor. Of the candidates that see nearly the most space, the one nearest to the middle is taken, and from there one looks along
//! the longest free view.
//!
//! All of it is measured in the grid of [`Occupancy`], a function of the points alone, so that the same points give the same place.

use std::collections::{BTreeMap, VecDeque};

use glam::{DVec2, DVec3};

use super::placed_scan::PlacedScan;
use crate::distribute::occupancy::Occupancy;
use parterre_model::rooms::{self, ROOM_M};
use parterre_tile::tileset::Start;

/// Height of the eye above the floor.
const EYE_M: f64 = 1.7;
/// Least width of a column: a person's shoulders. A column with something in it has no headroom.
const COLUMN_M: f64 = 0.3;
/// The largest step between two columns of one floor; the rows of a stand are higher.
const STEP_M: f64 = 0.35;
/// Around a place to stand the floor differs by at most this, besides the rounding to cells.
const FLAT_M: f64 = 0.1;
/// Smallest floor, square metres.
const FLOOR_M2: f64 = 4.0;
/// How far below a setup its floor may be: tripods and carried scanners.
const SETUP_ABOVE_FLOOR_M: [f64; 2] = [0.3, 3.0];
/// How far beside a setup its floor may be: a scanner does not see what is below its own tripod.
const SETUP_BESIDE_FLOOR_M: f64 = 4.0;
/// Most candidates that are compared.
const CANDIDATES: usize = 64;
/// Rays that measure the space around a place.
const RAYS: u32 = 128;
/// Distances above this count the same: otherwise a few far things outdoors would count more than a whole hall.
const ENOUGH_M: f64 = 30.0;
/// How far rays go.
const FAR_M: f64 = 60.0;
/// Share of the largest visible space from which a candidate is as good as the best.
const NEARLY: f64 = 0.8;
/// Directions of view that are compared, and how many of them on each side count for one, so that nobody looks through the gap of a door: 15 degrees.
const HEADINGS: u32 = 72;
const HEADING_SIDES: u32 = 3;
/// Slopes of the rays for a direction of view: level, and above the heads of rows of seats.
const SLOPES: [f64; 2] = [0.0, 0.12];
/// Distance of the point that is looked at.
const TARGET_M: [f64; 2] = [2.0, 10.0];

/// The place where walking starts. `None` where no floor is found.
pub(super) fn start(scan: &PlacedScan<'_>) -> Option<Start> {
    let metres = scan.file_frame.scan_from_file(DVec3::ONE);
    let setups = scan.distributed.setups.iter().filter(|setup| setup.posed && setup.position.is_finite());
    let setups: Vec<DVec3> = setups.map(|setup| setup.position * metres).collect();
    let (eye_m, target_m) = Space::new(scan)?.start(&setups)?;
    let mut positions = [eye_m, target_m].map(|position_m| position_m / metres);
    scan.placement.tile_from_file(&mut positions);
    // To the millimetre, like all positions.
    let [eye, target] = positions.map(|position| (scan.placement.frame().scan_from_tile(position) * 1000.0).round() / 1000.0);
    (eye.is_finite() && target.is_finite()).then_some(Start { eye, target })
}

/// Share of the columns with points that have a room with a roof over it, to a thousandth.
pub(super) fn roofed_share(scan: &PlacedScan<'_>) -> Option<f64> {
    Some((Space::new(scan)?.roofed_share() * 1000.0).round() / 1000.0)
}

/// The grid of occupied cells and where it is; positions in metres along the axes of the file.
struct Space<'a> {
    grid: &'a Occupancy,
    /// Lower corner of the grid.
    corner_m: DVec3,
    /// Edges of a cell.
    cell_m: DVec3,
}

/// Floors of columns: heights of their cells, by the columns' place.
type Floors = BTreeMap<[u32; 2], Vec<u32>>;

/// A floor in a column: place and height.
type Spot = ([u32; 2], u32);

impl<'a> Space<'a> {
    fn new(scan: &PlacedScan<'a>) -> Option<Self> {
        let distributed = scan.distributed;
        let cube = &distributed.cube;
        let metres = scan.file_frame.scan_from_file(DVec3::ONE);
        let grid = distributed.distributed.occupancy.as_ref()?;
        Some(Self { grid, corner_m: cube.corner * metres, cell_m: metres * cube.edge_at(cube.bits) * grid.cell_steps() })
    }
}

impl Space<'_> {
    /// Columns of 2^`wide` cells are at least [`COLUMN_M`] wide.
    fn wide(&self) -> u32 {
        (COLUMN_M / self.cell_m.truncate().max_element()).log2().ceil().clamp(0.0, 3.0) as u32
    }

    /// The height of a room in cells: two cells are this far apart where all that is between them is empty and higher than a room.
    fn room(&self) -> u32 {
        (ROOM_M / self.cell_m.z).ceil() as u32
    }

    fn roofed_share(&self) -> f64 {
        let columns = self.grid.columns(self.wide());
        let room = self.room();
        let roofed = columns.values().filter(|heights| rooms::stretches(heights.iter().copied(), room).len() > 1).count();
        roofed as f64 / columns.len().max(1) as f64
    }

    /// Eye and target.
    fn start(&self, setups_m: &[DVec3]) -> Option<(DVec3, DVec3)> {
        let wide = self.wide();
        let floors = self.floors(wide);
        let eye_m = |(column, height): Spot| {
            let cells = DVec3::new(
                (f64::from(column[0]) + 0.5) * f64::from(1 << wide),
                (f64::from(column[1]) + 0.5) * f64::from(1 << wide),
                f64::from(height) + 0.5,
            );
            self.corner_m + cells * self.cell_m + DVec3::Z * EYE_M
        };
        let step = setups_m.len().div_ceil(CANDIDATES).max(1);
        let mut eyes: Vec<DVec3> = setups_m
            .iter()
            .step_by(step)
            .filter_map(|&setup_m| {
                let beside = |eye: &DVec3| (eye.truncate() - setup_m.truncate()).length();
                let is_below = |eye: &DVec3| {
                    let above_m = setup_m.z - (eye.z - EYE_M);
                    (SETUP_ABOVE_FLOOR_M[0]..=SETUP_ABOVE_FLOOR_M[1]).contains(&above_m) && beside(eye) <= SETUP_BESIDE_FLOOR_M
                };
                self.near(&floors, wide, setup_m)
                    .filter(|&spot| self.is_flat(&floors, spot))
                    .map(eye_m)
                    .filter(is_below)
                    .min_by(|a, b| beside(a).total_cmp(&beside(b)))
            })
            .collect();
        if eyes.is_empty() {
            let floor = self.largest_floor(&floors, wide)?;
            let spots: Vec<Spot> = floor.into_iter().filter(|&spot| self.is_flat(&floors, spot)).collect();
            let step = spots.len().div_ceil(CANDIDATES).max(1);
            eyes = spots.into_iter().skip(step / 2).step_by(step).map(eye_m).collect();
        }
        let middle = middle(&eyes);
        let volumes: Vec<f64> = eyes.iter().map(|&eye| self.volume(eye)).collect();
        let largest = volumes.iter().copied().fold(0.0, f64::max);
        let good = eyes.into_iter().zip(volumes).filter(|&(_, volume)| volume >= largest * NEARLY).map(|(eye, _)| eye);
        let eye = good.min_by(|a, b| a.truncate().distance(middle).total_cmp(&b.truncate().distance(middle)))?;
        Some((eye, self.target(eye)))
    }

    /// Floors with headroom; without a room above, only what is solid down to the ground, because a table in the open is no floor.
    fn floors(&self, wide: u32) -> Floors {
        let room = self.room();
        let floors = |heights: Vec<u32>| -> Vec<u32> {
            let stretches = rooms::stretches(heights.iter().copied(), room);
            if stretches.len() == 1 && heights.windows(2).any(|pair| pair[1] - pair[0] > 1) {
                return Vec::new();
            }
            rooms::floors(&stretches).collect()
        };
        self.grid
            .columns(wide)
            .into_iter()
            .map(|(column, heights)| (column, floors(heights)))
            .filter(|(_, floors)| !floors.is_empty())
            .collect()
    }

    /// The floors in the columns around a position.
    fn near<'b>(&self, floors: &'b Floors, wide: u32, position_m: DVec3) -> impl Iterator<Item = Spot> + use<'b> {
        let column_m = self.cell_m.truncate() * f64::from(1 << wide);
        let at = (position_m - self.corner_m).truncate() / column_m;
        let reach = SETUP_BESIDE_FLOOR_M / column_m;
        let [low, high] = [at - reach, at + reach].map(|at| at.floor().max(DVec2::ZERO).as_uvec2());
        (low.x..=high.x).flat_map(move |x| {
            floors.range([x, low.y]..=[x, high.y]).flat_map(|(&column, heights)| heights.iter().map(move |&height| (column, height)))
        })
    }

    /// The floors at about a height in the eight columns around, one in each at most.
    fn around(&self, floors: &Floors, (column, height): Spot, tolerance_m: f64) -> Vec<Spot> {
        let tolerance = (tolerance_m / self.cell_m.z).ceil() as u32;
        let beside = [[-1, -1], [-1, 0], [-1, 1], [0, -1], [0, 1], [1, -1], [1, 0], [1, 1]];
        let spots = beside.into_iter().filter_map(|[x, y]: [i32; 2]| {
            let near = [column[0].checked_add_signed(x)?, column[1].checked_add_signed(y)?];
            let heights = floors.get(&near)?.iter().copied().filter(|other| other.abs_diff(height) <= tolerance);
            Some((near, heights.min_by_key(|other| other.abs_diff(height))?))
        });
        spots.collect()
    }

    fn is_flat(&self, floors: &Floors, spot: Spot) -> bool {
        self.around(floors, spot, FLAT_M).len() == 8
    }

    /// The columns of the largest connected floor, in the order of their places. `None` where all are too small.
    fn largest_floor(&self, floors: &Floors, wide: u32) -> Option<Vec<Spot>> {
        let mut open: BTreeMap<Spot, bool> =
            floors.iter().flat_map(|(&column, heights)| heights.iter().map(move |&height| ((column, height), true))).collect();
        let starts: Vec<Spot> = open.keys().copied().collect();
        let mut largest: Vec<Spot> = Vec::new();
        for start in starts {
            let mut floor = Vec::new();
            let mut queue = VecDeque::new();
            let mut take = |spot: Spot, queue: &mut VecDeque<Spot>| {
                if open.get_mut(&spot).is_some_and(std::mem::take) {
                    queue.push_back(spot);
                }
            };
            take(start, &mut queue);
            while let Some(spot) = queue.pop_front() {
                floor.push(spot);
                for near in self.around(floors, spot, STEP_M) {
                    take(near, &mut queue);
                }
            }
            if floor.len() > largest.len() {
                largest = floor;
            }
        }
        let column_m2 = self.cell_m.truncate().element_product() * f64::from(1 << (2 * wide));
        largest.sort_unstable();
        (largest.len() as f64 * column_m2 >= FLOOR_M2).then_some(largest)
    }

    /// A measure of the space that is visible from a place, above the eye: the floor below says nothing about the room. A ray that meets nothing does not
    /// count, so that who stands on a roof sees no space.
    fn volume(&self, eye_m: DVec3) -> f64 {
        // Evenly over the upper half of the sphere: the golden angle around, equal steps of height.
        let ray = |index: u32| {
            let height = (f64::from(index) + 0.5) / f64::from(RAYS);
            let around = DVec2::from_angle(f64::from(index) * 2.399_963) * (1.0 - height * height).sqrt();
            around.extend(height)
        };
        (0..RAYS).filter_map(|index| self.free_m(eye_m, ray(index))).map(|free_m| free_m.min(ENOUGH_M).powi(3)).sum()
    }

    /// A point in the direction of the longest free view.
    fn target(&self, eye_m: DVec3) -> DVec3 {
        let heading = |index: u32| DVec2::from_angle(f64::from(index) / f64::from(HEADINGS) * std::f64::consts::TAU);
        let free: Vec<f64> = (0..HEADINGS)
            .map(|index| {
                let rays = SLOPES.map(|slope| heading(index).extend(slope).normalize());
                rays.into_iter().filter_map(|ray| self.free_m(eye_m, ray)).sum::<f64>() / SLOPES.len() as f64
            })
            .collect();
        let mean = |index: u32| {
            let sides = index + HEADINGS - HEADING_SIDES..=index + HEADINGS + HEADING_SIDES;
            sides.map(|side| free[(side % HEADINGS) as usize]).sum::<f64>() / f64::from(2 * HEADING_SIDES + 1)
        };
        let best = (0..HEADINGS).max_by(|&a, &b| mean(a).total_cmp(&mean(b)).then(b.cmp(&a))).unwrap_or(0);
        eye_m + heading(best).extend(0.0) * mean(best).clamp(TARGET_M[0], TARGET_M[1])
    }

    /// How far one sees in a direction; `None` where there is nothing.
    fn free_m(&self, eye_m: DVec3, ray: DVec3) -> Option<f64> {
        self.grid.first_hit((eye_m - self.corner_m) / self.cell_m, ray / self.cell_m, FAR_M)
    }
}

/// Middle value of each axis.
fn middle(eyes: &[DVec3]) -> DVec2 {
    let median = |of: fn(&DVec3) -> f64| {
        let mut values: Vec<f64> = eyes.iter().map(of).collect();
        values.sort_unstable_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(0.0)
    };
    DVec2::new(median(|eye| eye.x), median(|eye| eye.y))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may panic")]
mod tests {
    use super::*;
    use crate::octree::common_grid::CommonGrid;
    use crate::octree::cube::Cube;

    /// A grid in which boxes can be painted; lengths in millimetres.
    struct Scene {
        cube: Cube,
        grid: Occupancy,
    }

    impl Scene {
        fn new() -> Self {
            let cube = Cube::new(&CommonGrid::new(DVec3::splat(0.001), DVec3::ZERO, true), [0; 3], [60_000; 3]).unwrap();
            let grid = Occupancy::new(&cube, DVec3::ONE);
            Self { cube, grid }
        }

        /// Points every 4 cm over a box without volume, or in one.
        fn fill(&mut self, from: [i32; 3], to: [i32; 3]) {
            for x in (from[0]..=to[0]).step_by(40) {
                for y in (from[1]..=to[1]).step_by(40) {
                    for z in (from[2]..=to[2]).step_by(40) {
                        self.grid.add(self.cube.tree_coordinates([x, y, z]));
                    }
                }
            }
        }

        /// Floor, walls and, where wanted, a ceiling.
        fn room(&mut self, from: [i32; 3], to: [i32; 3], has_ceiling: bool) {
            self.fill(from, [to[0], to[1], from[2]]);
            for axis in 0..2 {
                self.fill(from, std::array::from_fn(|at| if at == axis { from[at] } else { to[at] }));
                self.fill(std::array::from_fn(|at| if at == axis { to[at] } else { from[at] }), to);
            }
            if has_ceiling {
                self.fill([from[0], from[1], to[2]], to);
            }
        }

        fn start(&self, setups_m: &[DVec3]) -> Option<(DVec3, DVec3)> {
            let cell_m = DVec3::splat(self.cube.edge_at(self.cube.bits) * self.grid.cell_steps());
            Space { grid: &self.grid, corner_m: self.cube.corner, cell_m }.start(setups_m)
        }
    }

    /// A hall of 24 x 12 x 8 m and a room of 4 x 12 x 3 m beside it.
    fn hall() -> Scene {
        let mut scene = Scene::new();
        scene.room([0, 0, 1_000], [24_000, 12_000, 9_000], true);
        scene.room([24_200, 0, 1_000], [28_200, 12_000, 4_000], true);
        scene
    }

    #[test]
    fn without_setups_one_starts_in_the_middle_of_the_largest_floor_and_looks_along_it() {
        let (eye, target) = hall().start(&[]).unwrap();
        assert!((eye.z - 2.7).abs() < 0.1, "{eye}");
        assert!((eye.truncate() - DVec2::new(12.0, 6.0)).abs().max_element() < 3.0, "{eye}");
        assert!((target - eye).normalize().x.abs() > 0.9 && (target.z - eye.z).abs() < 1e-9, "{target}");
    }

    #[test]
    fn setups_are_preferred_and_of_them_the_one_that_sees_most() {
        let scene = hall();
        let small = DVec3::new(26.2, 6.0, 2.4);
        let (eye, _) = scene.start(&[small]).unwrap();
        assert!(eye.truncate().distance(small.truncate()) < 1.0 && (eye.z - 2.7).abs() < 0.1, "{eye}");
        let (eye, target) = scene.start(&[small, DVec3::new(4.0, 6.0, 2.4)]).unwrap();
        assert!(eye.truncate().distance(DVec2::new(4.0, 6.0)) < 1.0, "{eye}");
        assert!(target.x > eye.x + 5.0, "along the hall: {target}");
        // Where no floor is below a setup it is of no use: on the roof, in the ceiling, outside of everything.
        let (eye, _) = scene.start(&[DVec3::new(12.0, 6.0, 50.0), DVec3::new(12.0, 6.0, 9.5), DVec3::new(-500.0, 3.0, 2.0)]).unwrap();
        assert!((eye.z - 2.7).abs() < 0.1 && eye.x < 24.0, "{eye}");
    }

    #[test]
    fn who_scanned_the_roof_too_does_not_start_there() {
        let mut scene = Scene::new();
        scene.room([0, 0, 1_000], [6_000, 5_000, 3_600], true);
        // The top of the roof, with a parapet.
        scene.room([-400, -400, 4_000], [6_400, 5_400, 4_400], false);
        let (eye, _) = scene.start(&[DVec3::new(3.0, 2.5, 5.5), DVec3::new(2.0, 2.0, 2.4)]).unwrap();
        assert!((eye.z - 2.7).abs() < 0.1, "{eye}");
        let (eye, _) = scene.start(&[DVec3::new(3.0, 2.5, 5.5)]).unwrap();
        assert!((eye.z - 2.7).abs() < 0.1, "only the roof: {eye}");
    }

    #[test]
    fn a_scanner_does_not_see_the_floor_below_itself() {
        let mut scene = Scene::new();
        let hole = |x: i32, y: i32| (x - 8_000).pow(2) + (y - 6_000).pow(2) < 1_300_i32.pow(2);
        for (x, y) in (0..400).flat_map(|x| (0..300).map(move |y| (x * 40, y * 40))).filter(|&(x, y)| !hole(x, y)) {
            scene.fill([x, y, 1_000], [x, y, 1_000]);
        }
        let (eye, _) = scene.start(&[DVec3::new(8.0, 6.0, 2.5)]).unwrap();
        let beside = eye.truncate().distance(DVec2::new(8.0, 6.0));
        assert!(beside > 1.3 && beside < 2.5 && (eye.z - 2.7).abs() < 0.1, "{eye}");
    }

    #[test]
    fn an_open_ground_is_a_floor_and_a_lone_ceiling_or_a_stair_is_none() {
        let mut scene = Scene::new();
        scene.room([0, 0, 1_000], [30_000, 20_000, 4_000], false);
        let (eye, _) = scene.start(&[]).unwrap();
        assert!((eye.z - 2.7).abs() < 0.1 && eye.x > 3.0 && eye.x < 27.0, "{eye}");
        // Above it a larger ceiling, most of it over nothing that was scanned: the place stays below.
        scene.fill([0, 0, 7_000], [30_000, 20_000, 7_000]);
        let (eye, _) = scene.start(&[]).unwrap();
        assert!((eye.z - 2.7).abs() < 0.1, "{eye}");

        let mut post = Scene::new();
        post.fill([0, 0, 0], [400, 400, 9_000]);
        // The top of a wall is as long as a floor, but not as wide.
        post.fill([0, 5_000, 0], [50_000, 5_000, 6_000]);
        assert_eq!(post.start(&[]), None);
        assert_eq!(Scene::new().start(&[DVec3::ONE]), None);
    }

    #[test]
    fn rooms_are_roofed_and_open_ground_is_not() {
        let share = |scene: &Scene| {
            let cell_m = DVec3::splat(scene.cube.edge_at(scene.cube.bits) * scene.grid.cell_steps());
            Space { grid: &scene.grid, corner_m: scene.cube.corner, cell_m }.roofed_share()
        };
        let hall = share(&hall());
        assert!(hall > 0.8 && hall <= 1.0, "{hall}");
        let mut yard = Scene::new();
        yard.room([0, 0, 1_000], [30_000, 20_000, 4_000], false);
        assert!(share(&yard) < 0.01);
        // A crawl space is no room.
        yard.fill([0, 0, 2_400], [30_000, 20_000, 2_400]);
        assert!(share(&yard) < 0.01);
        assert!(share(&Scene::new()) < 0.01);
    }

    #[test]
    fn the_order_of_points_does_not_matter() {
        let mut other = Scene::new();
        other.room([24_200, 0, 1_000], [28_200, 12_000, 4_000], true);
        other.room([0, 0, 1_000], [24_000, 12_000, 9_000], true);
        assert_eq!(other.start(&[]), hall().start(&[]));
    }
}
