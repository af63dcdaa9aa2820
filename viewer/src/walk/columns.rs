//! A scan divided into columns, from the few points of its coarsest tile: whether it has a roof, and where its largest floor is.
//!
//! A column's points are divided into stretches by gaps in which a person can stand ([`parterre_model::rooms`]). A column with such a gap has a room with a
//! roof or a ceiling over it.

use bevy::math::{DVec2, DVec3};
use parterre_model::rooms::{ROOM_M, floors, stretches, under_roof};

/// Points of a column in the mean: enough for floor, wall and roof.
const POINTS_IN_COLUMN: f64 = 20.0;
/// Least width of a column. Metres.
const WIDTH_MIN_M: f64 = 0.5;
/// With wider columns, no floors are found. Metres.
const WIDTH_MAX_M: f64 = 12.0;
/// With wider columns, roofs cannot be told from slopes and trees. Metres.
const ROOF_WIDTH_MAX_M: f64 = 6.0;
/// Most columns along a side.
const SIDE_MAX: usize = 1000;
/// Fewest points from which anything is concluded.
const POINTS_MIN: usize = 2000;
/// A scan has a roof where this share of its columns has one: most of the plan.
const ROOFED: f64 = 0.5;
/// The cut opens this share of the columns that can be opened at one height at most. A roof may be sloped, and consist of parts at several heights.
const OPENED: f64 = 2.0 / 3.0;
/// Steps of the heights that are compared, and the distance of the cut below the roof. Metres.
const STEP_M: f64 = 0.1;
/// Floors within this distance of a height are one level. Metres.
const LEVEL_M: f64 = 0.3;
/// Number of neighbours of eight that have the same floor, from which a column is within a floor and not at its edge.
const NEIGHBOURS: usize = 5;

/// The columns of a scan; positions in the frame of the points, metres.
pub struct Columns {
    min: DVec2,
    width_m: f64,
    size: [usize; 2],
    /// Of each column the stretches with points, lowest first, as lowest and highest height.
    stretches: Vec<Vec<[f64; 2]>>,
}

/// The room under the roof of a column.
#[derive(Clone, Copy)]
struct Room {
    floor_m: f64,
    roof_m: f64,
}

impl Columns {
    /// Columns of points that are spread evenly over a scan; `None` where they are too few or too far apart.
    pub fn new(points: impl Iterator<Item = DVec3> + Clone) -> Option<Self> {
        let (mut min, mut max, mut count) = (DVec2::INFINITY, DVec2::NEG_INFINITY, 0_usize);
        for point in points.clone() {
            (min, max, count) = (min.min(point.truncate()), max.max(point.truncate()), count + 1);
        }
        let extent = max - min;
        if count < POINTS_MIN || !extent.is_finite() {
            return None;
        }
        let even_m = (extent.element_product() / count as f64 * POINTS_IN_COLUMN).sqrt();
        let width_m = even_m.max(WIDTH_MIN_M).max(extent.max_element() / (SIDE_MAX - 1) as f64);
        if width_m > WIDTH_MAX_M {
            return None;
        }
        let size = [(extent.x / width_m) as usize + 1, (extent.y / width_m) as usize + 1];
        let mut columns = Self { min, width_m, size, stretches: Vec::new() };
        let mut heights: Vec<Vec<f64>> = vec![Vec::new(); size[0] * size[1]];
        for point in points {
            heights[columns.column(point.truncate())].push(point.z);
        }
        columns.stretches = heights
            .into_iter()
            .map(|mut heights| {
                heights.sort_unstable_by(f64::total_cmp);
                stretches(heights, ROOM_M)
            })
            .collect();
        Some(columns)
    }

    fn column(&self, position: DVec2) -> usize {
        let at = (position - self.min) / self.width_m;
        (at.y as usize).min(self.size[1] - 1) * self.size[0] + (at.x as usize).min(self.size[0] - 1)
    }

    fn middle(&self, column: usize) -> DVec2 {
        self.min + DVec2::new((column % self.size[0]) as f64 + 0.5, (column / self.size[0]) as f64 + 0.5) * self.width_m
    }

    /// The room under the roof of a column, if it has one.
    fn room(&self, column: usize) -> Option<Room> {
        let stretches = &self.stretches[column];
        let floor = under_roof(stretches)?;
        Some(Room { floor_m: stretches[floor][1], roof_m: stretches[floor + 1][0] })
    }

    /// The height just below the roof. `None` where no roof covers most of the plan, or where it leaves the middle open, as that of a stadium does: one
    /// sees into it already.
    ///
    /// It is the highest one at which a cut opens nearly as many columns as a cut can open: those in which it passes between the floor and the roof.
    pub fn roof_m(&self) -> Option<f64> {
        let is_roofed = |columns: &[usize]| {
            let roofed = columns.iter().filter(|&&column| self.room(column).is_some()).count();
            !columns.is_empty() && roofed as f64 >= ROOFED * columns.len() as f64
        };
        let seen: Vec<usize> = (0..self.stretches.len()).filter(|&column| !self.stretches[column].is_empty()).collect();
        let [width, height] = self.size;
        let is_central = |column: &usize| {
            (width / 3..=width * 2 / 3).contains(&(column % width)) && (height / 3..=height * 2 / 3).contains(&(column / width))
        };
        let central: Vec<usize> = seen.iter().copied().filter(is_central).collect();
        if self.width_m > ROOF_WIDTH_MAX_M || !is_roofed(&seen) || !is_roofed(&central) {
            return None;
        }
        let rooms: Vec<Room> = seen.iter().filter_map(|&column| self.room(column)).collect();
        let (low_m, high_m) =
            rooms.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), room| (low.min(room.floor_m), high.max(room.roof_m)));
        // Of each height, how many columns are opened there: +1 where a room begins, -1 where it ends.
        let step = |height_m: f64| ((height_m - low_m) / STEP_M) as usize;
        let mut changes = vec![0_i64; step(high_m) + 2];
        for room in &rooms {
            changes[step(room.floor_m) + 1] += 1;
            changes[step(room.roof_m)] -= 1;
        }
        let opened: Vec<i64> = changes
            .iter()
            .scan(0, |sum, change| {
                *sum += change;
                Some(*sum)
            })
            .collect();
        let most = opened.iter().copied().max().unwrap_or(0);
        let highest = opened.iter().rposition(|&count| count > 0 && count as f64 >= OPENED * most as f64)?;
        Some(low_m + highest as f64 * STEP_M)
    }

    /// A place on the largest level floor, the nearest to a position; its height is that of the floor, roughly.
    pub fn nearest_on_largest_floor(&self, position: DVec2) -> Option<DVec3> {
        let floors = |column: usize| floors(&self.stretches[column]);
        let mut heights: Vec<f64> = (0..self.stretches.len()).flat_map(floors).collect();
        heights.sort_unstable_by(f64::total_cmp);
        // The height around which there are most floors.
        let count_around = |height_m: f64| {
            heights.partition_point(|other| *other <= height_m + LEVEL_M) - heights.partition_point(|other| *other < height_m - LEVEL_M)
        };
        let level_m = heights.iter().copied().max_by(|a, b| count_around(*a).cmp(&count_around(*b)).then(b.total_cmp(a)))?;
        let floor = |column: usize| floors(column).find(|height_m| (height_m - level_m).abs() <= LEVEL_M);
        let is_within = |column: &usize| {
            let (x, y) = (column % self.size[0], column / self.size[0]);
            let near = |at: usize, size: usize| at.saturating_sub(1)..(at + 2).min(size);
            let around = near(y, self.size[1]).flat_map(|y| near(x, self.size[0]).map(move |x| y * self.size[0] + x));
            around.filter(|near| near != column && floor(*near).is_some()).count() >= NEIGHBOURS
        };
        let places = (0..self.stretches.len()).filter(is_within).filter_map(|column| Some(self.middle(column).extend(floor(column)?)));
        places.min_by(|a, b| a.truncate().distance(position).total_cmp(&b.truncate().distance(position)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points of a rectangle `from`..`to` at a height that depends on the position, about every half metre.
    fn surface(from: [f64; 2], to: [f64; 2], height_m: impl Fn(DVec2) -> f64) -> Vec<DVec3> {
        let steps = |axis: usize| ((to[axis] - from[axis]) * 2.0) as usize;
        let at = |x: usize, y: usize| DVec2::from_array(from) + DVec2::new(x as f64, y as f64) * 0.5;
        (0..=steps(0)).flat_map(|x| (0..=steps(1)).map(move |y| (x, y))).map(|(x, y)| at(x, y).extend(height_m(at(x, y)))).collect()
    }

    /// Walls around a rectangle.
    fn walls(from: [f64; 2], to: [f64; 2], low_m: f64, high_m: f64) -> Vec<DVec3> {
        let layers = ((high_m - low_m) * 2.0) as usize;
        let ring = surface(from, to, |_| 0.0).into_iter().filter(|at| {
            (at.x - from[0]).abs() < 0.1 || (at.x - to[0]).abs() < 0.1 || (at.y - from[1]).abs() < 0.1 || (at.y - to[1]).abs() < 0.1
        });
        ring.flat_map(|at| (0..=layers).map(move |layer| at.with_z(low_m + layer as f64 * 0.5))).collect()
    }

    fn columns(parts: &[Vec<DVec3>]) -> Columns {
        let points = parts.concat();
        Columns::new(points.iter().copied()).expect("enough points")
    }

    fn roof_m(parts: &[Vec<DVec3>]) -> Option<f64> {
        columns(parts).roof_m()
    }

    #[test]
    fn a_hall_is_cut_below_its_roof() {
        let floor = surface([0.0, 0.0], [40.0, 30.0], |_| 0.0);
        let walls = walls([0.0, 0.0], [40.0, 30.0], 0.0, 12.0);
        let flat = roof_m(&[floor.clone(), walls.clone(), surface([0.0, 0.0], [40.0, 30.0], |_| 12.0)]).expect("a roof");
        assert!(flat > 11.0 && flat < 12.0, "{flat}");
        // With a balcony along a side, and trusses and pipes 1.5 m below the roof.
        let parts = [
            floor.clone(),
            walls.clone(),
            surface([0.0, 0.0], [8.0, 30.0], |_| 5.0),
            surface([0.0, 0.0], [40.0, 30.0], |at| if (at.x as i32) % 4 == 0 { 10.5 } else { 12.0 }),
        ];
        let trusses = roof_m(&parts).expect("a roof");
        assert!(trusses > 9.0 && trusses < 12.0, "{trusses}");
        // A gable roof from 8 to 14 m: the cut opens most of it.
        let gable = roof_m(&[floor, walls, surface([0.0, 0.0], [40.0, 30.0], |at| 14.0 - (at.y - 15.0).abs() * 0.4)]).expect("a roof");
        assert!(gable > 8.0 && gable < 12.0, "{gable}");
    }

    #[test]
    fn a_low_wing_does_not_decide_where_a_hall_is_cut() {
        let parts = [
            surface([0.0, 0.0], [50.0, 30.0], |_| 0.0),
            walls([0.0, 0.0], [50.0, 30.0], 0.0, 4.0),
            walls([10.0, 0.0], [50.0, 30.0], 0.0, 12.0),
            surface([0.0, 0.0], [50.0, 30.0], |at| if at.x < 10.0 { 4.0 } else { 12.0 }),
        ];
        let cut_m = roof_m(&parts).expect("a roof");
        assert!(cut_m > 11.0 && cut_m < 12.0, "{cut_m}");
    }

    #[test]
    fn of_several_storeys_the_topmost_is_opened() {
        let storeys = [0.0, 3.0, 6.0, 9.0].map(|height_m| surface([0.0, 0.0], [20.0, 12.0], |_| height_m));
        let cut_m = roof_m(&[storeys.concat(), walls([0.0, 0.0], [20.0, 12.0], 0.0, 9.0)]).expect("a roof");
        assert!(cut_m > 8.0 && cut_m < 9.0, "{cut_m}");
    }

    #[test]
    fn what_has_no_roof_is_not_cut() {
        let ground = surface([0.0, 0.0], [100.0, 80.0], |at| 0.02 * at.x);
        assert_eq!(roof_m(std::slice::from_ref(&ground)), None, "open ground");
        let stands = |at: DVec2| (at - DVec2::new(50.0, 40.0)).abs().max_element().max(25.0) * 0.5 - 12.5;
        let bowl = surface([0.0, 0.0], [100.0, 80.0], stands);
        assert_eq!(roof_m(std::slice::from_ref(&bowl)), None, "an open stadium");
        // Roofs over all stands cover three quarters of the plan, but not the pitch.
        let roofs: Vec<DVec3> = surface([0.0, 0.0], [100.0, 80.0], |_| 30.0)
            .into_iter()
            .filter(|at| (at.truncate() - DVec2::new(50.0, 40.0)).abs().cmpgt(DVec2::new(28.0, 22.0)).any())
            .collect();
        assert_eq!(roof_m(&[bowl, roofs]), None, "a stadium with roofs over its stands");
        let trees = surface([0.0, 0.0], [30.0, 80.0], |at| 6.0 + (at.x * 7.0 + at.y * 3.0).sin());
        assert_eq!(roof_m(&[ground, trees]), None, "trees on a part of the ground");
        assert!(Columns::new(std::iter::repeat_n(DVec3::ONE, 100)).is_none(), "too few points");
        assert!(Columns::new(surface([0.0, 0.0], [5000.0, 0.0], |_| 0.0).into_iter().map(|at| at.with_y(at.x))).is_none(), "too far apart");
        assert_eq!(columns(&[vec![DVec3::ONE; 5000]]).roof_m(), None, "all at one position");
    }

    #[test]
    fn the_nearest_place_on_the_largest_floor() {
        // Floors at 0 m and, smaller, at 4 m; a roof; nothing was scanned in the middle.
        let hole = |at: &DVec3| (at.truncate() - DVec2::new(30.0, 15.0)).length() > 8.0;
        let points: Vec<DVec3> = [
            surface([0.0, 0.0], [60.0, 30.0], |_| 0.0),
            surface([0.0, 0.0], [20.0, 30.0], |_| 4.0),
            surface([0.0, 0.0], [60.0, 30.0], |_| 9.0),
        ]
        .concat()
        .into_iter()
        .filter(hole)
        .collect();
        let columns = Columns::new(points.iter().copied()).expect("enough points");
        let place = columns.nearest_on_largest_floor(DVec2::new(30.0, 15.0)).expect("a floor");
        // At the rim of the hole, to the width of a column.
        let away_m = (place.truncate() - DVec2::new(30.0, 15.0)).length();
        assert!(place.z.abs() < 0.1 && away_m > 6.0 && away_m < 12.0, "{place}");
        let above = Columns::new(points.iter().map(|at| *at + DVec3::Z * 100.0)).expect("enough points");
        assert!(above.nearest_on_largest_floor(DVec2::ZERO).is_some_and(|place| (place.z - 100.0).abs() < 0.1));
    }
}
