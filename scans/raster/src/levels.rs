//! The levels of a scan: the heights of the floors of its storeys.
//!
//! 1. Space is divided into fine columns ([`Columns::fine`]). The top of each occupied stretch of a column, with a person's height free above it, is a place to
//!    stand on. It is **covered** where the column is occupied further up.
//! 2. A place is **flat** where most of the columns around it have a place at the same height. Steps of stands, stairs and objects are not.
//! 3. The flat area is summed up by height. The greatest sum is the main level; others follow while they are large enough, far enough from those
//!    found before and sharp: an even slope has area at every height, a floor at one.
//!
//! The undersides of roofs and ceilings have nothing above them and nothing that stands on them; flat places without cover count only where they
//! are the ground, or where something stands on them. Reflectors and canopies have edges without wall or railing.
//!
//! Limits: a level smaller than a twentieth of the largest is not found; of several grounds without cover, at different heights, only the largest
//! counts; a void of a person's height above a hung ceiling, if it was scanned, counts as a level. Where there are fewer than ten points in columns of 2 m on average, only one
//! level is found.

use std::collections::VecDeque;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::columns::Columns;
use super::point::ColoredPoint;
use parterre_model::points::Bounds;

/// A storey of a scan. Heights are those of the scan frame.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Level {
    /// 1 is the lowest.
    pub number: u32,
    /// Height of most of its floor, metres.
    pub floor_m: f64,
    /// Height of the next level's floor, of the topmost level that of the scan's highest points, metres.
    pub top_m: f64,
    /// Area of its floors, stands and ramps included, seen from above, square metres. What hides a floor hides its area.
    pub area_m2: f64,
    /// Floors between these heights belong to the level, metres: half-way to the levels below and above.
    pub floors_m: [f64; 2],
}

/// Place of the level with the largest area, the lowest of equals.
pub fn largest(levels: &[Level]) -> Option<usize> {
    let larger = |a: &Level, b: &Level| a.area_m2.total_cmp(&b.area_m2).then(b.number.cmp(&a.number));
    (0..levels.len()).max_by(|&a, &b| larger(&levels[a], &levels[b]))
}

/// Levels are at least this far apart.
const APART_M: f64 = 2.0;
/// Smallest share of the largest level's flat area.
const SMALLEST: f64 = 0.05;
/// Smallest level beside the largest, square metres.
const SMALLEST_M2: f64 = 4.0;
/// A flat place has this share of neighbours at its height.
const FLAT: f64 = 0.7;
/// In columns wider than this, in metres, a floor and the top of a tree look alike.
const WIDEST_M: f64 = 2.0;
/// A level's own height holds this share of the flat area of a metre around.
const SHARP: f64 = 0.5;
/// Share of the columns within a floor that are occupied up to a person's height, from which the floor is furnished.
const FURNISHED: f64 = 0.05;
/// The largest connected piece of a floor has at least this share of it; the pieces of reflectors are smaller.
const LARGEST_PIECE_SHARE: f64 = 0.15;
/// The largest step from a floor to the next column's that still is the same floor: a row of a stand.
const STEP_M: f64 = 0.6;
/// A column without a floor.
const NONE: u32 = u32::MAX;

/// A place to stand on.
#[derive(Clone, Copy, Debug)]
struct Place {
    column: u32,
    top: u16,
    covered: bool,
    lowest: bool,
    flat: bool,
}

/// The places of a scan and its levels.
pub(super) struct Storeys {
    pub(super) columns: Columns,
    pub(super) levels: Vec<Level>,
    /// Bins at which what has no cover is a floor all the same.
    open: Vec<bool>,
    places: Vec<Place>,
    /// The first place of each column, and the end.
    first: Vec<u32>,
}

impl Storeys {
    pub(super) fn new(points: &[ColoredPoint], bounds: Bounds) -> Self {
        let columns = Columns::fine(points, bounds);
        let runs: Vec<Vec<[u16; 2]>> =
            (0..columns.count()).into_par_iter().map(|column| columns.runs(column).unwrap_or_default()).collect();
        let mut places = Vec::new();
        let mut first = Vec::with_capacity(runs.len() + 1);
        for (column, runs) in runs.iter().enumerate() {
            first.push(places.len() as u32);
            places.extend(runs.iter().enumerate().map(|(i, &[_, top])| Place {
                column: column as u32,
                top,
                covered: i + 1 < runs.len(),
                lowest: i == 0,
                flat: false,
            }));
        }
        first.push(places.len() as u32);
        let mut storeys = Self { columns, levels: Vec::new(), open: Vec::new(), places, first };
        storeys.find_flat();
        let (floors, open) = storeys.floors();
        storeys.open = open;
        storeys.levels = storeys.measure(&floors, points, bounds);
        storeys
    }

    /// Index of the level with the largest area.
    pub(super) fn main(&self) -> usize {
        largest(&self.levels).unwrap_or(0)
    }

    fn of_column(&self, column: usize) -> std::ops::Range<usize> {
        self.first[column] as usize..self.first[column + 1] as usize
    }

    fn height(&self, place: Place) -> f64 {
        self.columns.height(f64::from(place.top) + 0.5)
    }

    fn find_flat(&mut self) {
        let cell = self.columns.cell();
        let reach = (0.75 / cell).round().clamp(1.0, 3.0) as usize;
        // A walkable slope of 4 % is flat over any window.
        let tolerance = ((0.15 + 0.04 * cell * (reach + 1) as f64) / self.columns.bin()).ceil() as u16;
        let flat: Vec<bool> = self
            .places
            .par_iter()
            .map(|place| {
                let (mut seen, mut level, mut all) = (0_usize, 0_usize, 0_usize);
                for near in self.columns.square(place.column as usize, reach) {
                    let places = &self.places[self.of_column(near)];
                    all += 1;
                    seen += usize::from(!places.is_empty());
                    level += usize::from(places.iter().any(|other| other.top.abs_diff(place.top) <= tolerance));
                }
                seen * 3 >= all && level as f64 >= FLAT * seen as f64
            })
            .collect();
        for (place, flat) in self.places.iter_mut().zip(flat) {
            place.flat = flat;
        }
    }

    /// Heights of the levels' floors to about a bin, lowest first, never none; and the bins at which what has no cover is a floor.
    fn floors(&self) -> (Vec<f64>, Vec<bool>) {
        let bins = self.columns.bins();
        let cell_m2 = self.columns.cell().powi(2);
        let (mut covered, mut ground, mut upper_uncovered) = (vec![0.0; bins], vec![0.0; bins], vec![0.0; bins]);
        for place in self.places.iter().filter(|place| place.flat) {
            let area = match (place.covered, place.lowest) {
                (true, _) => &mut covered,
                (false, true) => &mut ground,
                (false, false) => &mut upper_uncovered,
            };
            area[usize::from(place.top)] += cell_m2;
        }
        let bin = self.columns.bin();
        let reach = |metres: f64| (metres / bin).round() as usize;
        let around = |areas: &[f64], middle: usize, reach: usize| -> f64 {
            areas[middle.saturating_sub(reach)..(middle + reach + 1).min(bins)].iter().sum()
        };
        let near = reach(0.3);
        // Where there are uncovered places above others at this height, places that seem to be ground are the same surface above floors that were hidden.
        let mut area: Vec<f64> = (0..bins)
            .map(|i| covered[i] + if around(&upper_uncovered, i, near) > 0.25 * around(&ground, i, near) { 0.0 } else { ground[i] })
            .collect();
        let open: Vec<f64> = (0..bins).map(|i| area[i] - covered[i]).collect();
        // Only where it can matter: a look around each column takes long.
        let furnished: Vec<bool> =
            (0..bins).into_par_iter().map(|i| around(&upper_uncovered, i, near) >= SMALLEST_M2 && self.is_furnished(i)).collect();
        for i in (0..bins).filter(|&i| furnished[i]) {
            area[i] += upper_uncovered[i] + ground[i] - open[i];
        }
        if self.columns.cell() > WIDEST_M {
            area.fill(0.0);
        }
        let is_floor = (0..bins).map(|i| furnished[i] || around(&upper_uncovered, i, near) <= 0.25 * around(&ground, i, near)).collect();
        let mut found: Vec<(usize, f64)> = Vec::new();
        let mut has_open = false;
        let mut order: Vec<(usize, f64)> = (0..bins).map(|i| (i, around(&area, i, 1))).filter(|&(_, sum)| sum > 0.0).collect();
        order.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        for (i, _) in order {
            let own = around(&area, i, near);
            let largest = found.first().map_or(0.0, |&(_, area)| area);
            let apart = found.iter().all(|&(other, _)| other.abs_diff(i) as f64 * bin >= APART_M - bin * 0.5);
            let is_open = around(&open, i, near) > 0.5 * own;
            let large = own >= (largest * SMALLEST).max(SMALLEST_M2) && own >= SHARP * around(&area, i, reach(1.0));
            if found.is_empty() || (apart && large && !(is_open && has_open) && self.is_guarded(i)) {
                found.push((i, own));
                has_open |= is_open;
            }
        }
        if found.is_empty() {
            // Nothing is flat: the height that most columns begin at.
            let mut starts = vec![0_usize; bins];
            for place in self.places.iter().filter(|place| place.lowest) {
                starts[usize::from(place.top)] += 1;
            }
            let fullest = (0..bins).max_by_key(|&i| (starts[i], bins - i)).unwrap_or(0);
            found.push((fullest, 0.0));
        }
        found.sort_unstable_by_key(|&(i, _)| i);
        (found.into_iter().map(|(i, _)| self.columns.height(i as f64 + 0.5)).collect(), is_floor)
    }

    /// Whether walls or things stand amid the places without cover at this height: what stands at their edge may rise from below.
    fn is_furnished(&self, bin: usize) -> bool {
        const REACH: usize = 4;
        let up = |metres: f64| bin + (metres / self.columns.bin()).round() as usize;
        let (low, high) = (up(0.8), up(1.8).min(self.columns.bins() - 1));
        let mut here = vec![false; self.columns.count()];
        for place in self.places.iter().filter(|place| !place.covered && usize::from(place.top).abs_diff(bin) <= 3) {
            here[place.column as usize] = true;
        }
        let [width, height] = self.columns.size();
        let (mut all, mut standing) = (0_usize, 0_usize);
        for column in 0..here.len() {
            let (x, y) = (column % width, column / width);
            let amid = here[column]
                || ((x.saturating_sub(REACH)..x).any(|x| here[y * width + x])
                    && (x + 1..(x + REACH + 1).min(width)).any(|x| here[y * width + x]))
                || ((y.saturating_sub(REACH)..y).any(|y| here[y * width + x])
                    && (y + 1..(y + REACH + 1).min(height)).any(|y| here[y * width + x]));
            if amid {
                all += 1;
                standing += usize::from((low..=high).any(|bin| self.columns.is_occupied(column, bin)));
            }
        }
        standing as f64 > FURNISHED * all as f64
    }

    /// Whether the edges of what lies at this height are walls and railings rather than drops that nobody guards: reflectors and canopies
    /// hang free, floors for people do not.
    fn is_guarded(&self, bin: usize) -> bool {
        let steps = |metres: f64| (metres / self.columns.bin()).round() as usize;
        let here = |column: usize, reach: usize| {
            self.places[self.of_column(column)].iter().any(|place| usize::from(place.top).abs_diff(bin) <= reach)
        };
        let (same, deep) = (steps(STEP_M), steps(1.5));
        let guard = bin + steps(0.3)..(bin + steps(1.2)).min(self.columns.bins());
        let stands = |column: usize| guard.clone().any(|bin| self.columns.is_occupied(column, bin));
        let (mut guarded, mut open) = (0_usize, 0_usize);
        for column in (0..self.columns.count()).filter(|&column| here(column, 3)) {
            let edges = self.columns.square(column, 1).filter(|&near| near != column && !here(near, same));
            for near in edges {
                if stands(near) || stands(column) {
                    guarded += 1;
                } else if self.places[self.of_column(near)].iter().any(|place| usize::from(place.top) + deep <= bin) {
                    open += 1;
                }
            }
        }
        // Rooms behind closed doors are pieces too, but with walls around them.
        let hangs_in_pieces = open * 3 > guarded && self.largest_piece(bin, same) < LARGEST_PIECE_SHARE;
        open <= guarded && !hangs_in_pieces
    }

    /// Share that the largest piece has of what lies at this height; pieces are columns that touch.
    fn largest_piece(&self, bin: usize, step: usize) -> f64 {
        let mut here = vec![false; self.columns.count()];
        for place in self.places.iter().filter(|place| usize::from(place.top).abs_diff(bin) <= step) {
            here[place.column as usize] = true;
        }
        let (mut all, mut largest) = (0_usize, 0_usize);
        let mut stack = Vec::new();
        for start in 0..here.len() {
            let mut piece = 0;
            if std::mem::take(&mut here[start]) {
                stack.push(start);
            }
            while let Some(column) = stack.pop() {
                piece += 1;
                for near in self.columns.square(column, 1) {
                    if std::mem::take(&mut here[near]) {
                        stack.push(near);
                    }
                }
            }
            all += piece;
            largest = largest.max(piece);
        }
        largest as f64 / all.max(1) as f64
    }

    /// The levels with these floors.
    fn measure(&self, floors: &[f64], points: &[ColoredPoint], bounds: Bounds) -> Vec<Level> {
        let mut levels: Vec<Level> = (0_u32..)
            .zip(floors.iter().enumerate())
            .map(|(number, (i, &floor))| {
                let middle = |other: usize| (floors[other] + floor) * 0.5;
                let low = if i == 0 { bounds.min.z - 1.0 } else { middle(i - 1) };
                let high = if i + 1 == floors.len() { bounds.max.z + 1.0 } else { middle(i + 1) };
                Level { number: number + 1, floor_m: floor, top_m: bounds.max.z, area_m2: 0.0, floors_m: [low, high] }
            })
            .collect();
        for level in &mut levels {
            let chosen = self.chosen(level);
            level.area_m2 = chosen.iter().filter(|&&place| place != NONE).count() as f64 * self.columns.cell().powi(2);
            level.floor_m = self.exact(level.floor_m, &chosen, points);
        }
        for i in 1..levels.len() {
            levels[i - 1].top_m = levels[i].floor_m;
        }
        levels
    }

    /// The height near `floor` that most points of the level's columns lie at.
    fn exact(&self, floor: f64, chosen: &[u32], points: &[ColoredPoint]) -> f64 {
        const STEP_M: f64 = 0.005;
        /// Half of what counts as one surface: twice the noise of most scanners.
        const HALF: usize = 4;
        let half = (self.columns.bin() * 1.5 + 0.05).max(0.15);
        let mut counts = vec![0_u64; (2.0 * half / STEP_M) as usize + 1];
        for point in points {
            let above = point.position.z - floor;
            if above.abs() < half && chosen[self.columns.place(point.position).0] != NONE {
                let last = counts.len() - 1;
                counts[(((above + half) / STEP_M) as usize).min(last)] += 1;
            }
        }
        let near = |middle: usize| middle.saturating_sub(HALF)..(middle + HALF + 1).min(counts.len());
        let sum = |middle: usize| counts[near(middle)].iter().sum::<u64>();
        let mut best = (0..counts.len()).max_by_key(|&i| (sum(i), counts.len() - i)).unwrap_or(0);
        let mut mean = best as f64;
        // To the middle of the surface that the fullest stretch holds.
        for _ in 0..4 {
            mean = near(best).map(|i| i as f64 * counts[i] as f64).sum::<f64>() / (sum(best) as f64).max(1.0);
            best = (mean.round() as usize).min(counts.len() - 1);
        }
        if sum(best) == 0 {
            return floor;
        }
        // To the millimetre: no scan knows more.
        ((floor - half + (mean + 0.5) * STEP_M) * 1000.0).round() / 1000.0
    }

    /// Of each column the place that is the level's floor there, or [`NONE`]: flat places near the level's height, and what can be reached
    /// from them over steps.
    fn chosen(&self, level: &Level) -> Vec<u32> {
        /// Flat places up to this far from the level's height are part of it even without a connection: a stage, a pit.
        const STAGE_M: f64 = 1.9;
        let mut chosen = vec![NONE; self.columns.count()];
        let mut queue = VecDeque::new();
        let belongs = |place: Place| {
            let height = self.height(place);
            height >= level.floors_m[0] && height < level.floors_m[1]
        };
        let mut seeds: Vec<(f64, usize)> = (0..self.places.len())
            .filter(|&i| self.places[i].flat && belongs(self.places[i]))
            .filter(|&i| self.places[i].covered || self.open[usize::from(self.places[i].top)])
            .map(|i| ((self.height(self.places[i]) - level.floor_m).abs(), i))
            .filter(|&(away, _)| away <= STAGE_M)
            .collect();
        seeds.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let own = |chosen: &mut Vec<u32>, queue: &mut VecDeque<usize>, i: usize| {
            let column = self.places[i].column as usize;
            if chosen[column] == NONE {
                chosen[column] = i as u32;
                queue.push_back(i);
            }
        };
        for (_, i) in seeds {
            own(&mut chosen, &mut queue, i);
        }
        let step = (STEP_M / self.columns.bin()).round() as u16;
        // Columns wider than a row climb more than one.
        let step = step.max((self.columns.cell() / self.columns.bin() * 0.7) as u16);
        while let Some(i) = queue.pop_front() {
            let from = self.places[i];
            for near in self.columns.square(from.column as usize, 1) {
                if chosen[near] == NONE {
                    let reached = self.of_column(near).filter(|&other| belongs(self.places[other]));
                    let nearest = reached.min_by_key(|&other| self.places[other].top.abs_diff(from.top));
                    if let Some(other) = nearest.filter(|&other| self.places[other].top.abs_diff(from.top) <= step) {
                        own(&mut chosen, &mut queue, other);
                    }
                }
            }
        }
        if chosen.iter().all(|&place| place == NONE) {
            for (i, place) in self.places.iter().enumerate().filter(|(_, place)| place.lowest && belongs(**place)) {
                chosen[place.column as usize] = i as u32;
            }
        }
        chosen
    }

    /// The height of the level's floor in each column: known, or taken from neighbours that know; NaN where none does.
    pub(super) fn floor_map(&self, level: &Level) -> Vec<f32> {
        let chosen = self.chosen(level);
        let rough: Vec<f32> =
            chosen.iter().map(|&i| if i == NONE { f32::NAN } else { self.height(self.places[i as usize]) as f32 }).collect();
        // A wall is up to a metre thick, a pillar more.
        let rings = (1.5 / self.columns.cell()).ceil().clamp(1.0, 8.0) as usize;
        let mut map: Vec<f32> = (0..rough.len())
            .into_par_iter()
            .map(|column| if rough[column].is_nan() { f32::NAN } else { self.smoothed(column, &rough) })
            .collect();
        for _ in 0..rings {
            let before = map.clone();
            map.par_iter_mut().enumerate().filter(|(_, height)| height.is_nan()).for_each(|(column, height)| {
                *height = self.columns.square(column, 1).map(|near| before[near]).fold(f32::NAN, f32::min);
            });
        }
        map
    }

    /// The floor under a column among things that stand on it: low among its neighbours, once their common slope is taken away.
    fn smoothed(&self, column: usize, rough: &[f32]) -> f32 {
        const REACH: usize = 3;
        let width = self.columns.size()[0];
        let (x0, y0) = ((column % width) as f32, (column / width) as f32);
        let near: Vec<[f32; 3]> = self
            .columns
            .square(column, REACH)
            .filter(|&near| !rough[near].is_nan())
            .map(|near| [(near % width) as f32 - x0, (near / width) as f32 - y0, rough[near] - rough[column]])
            .collect();
        let n = near.len() as f32;
        let mean = |axis: usize| near.iter().map(|at| at[axis]).sum::<f32>() / n;
        let (mx, my, mz) = (mean(0), mean(1), mean(2));
        let moment = |a: usize, ma: f32, b: usize, mb: f32| near.iter().map(|at| (at[a] - ma) * (at[b] - mb)).sum::<f32>();
        let (xx, xy, yy) = (moment(0, mx, 0, mx), moment(0, mx, 1, my), moment(1, my, 1, my));
        let (xz, yz) = (moment(0, mx, 2, mz), moment(1, my, 2, mz));
        let determinant = xx * yy - xy * xy;
        let (slope_x, slope_y) =
            if determinant > 1e-3 * xx * yy { ((xz * yy - yz * xy) / determinant, (yz * xx - xz * xy) / determinant) } else { (0.0, 0.0) };
        let mut rests: Vec<f32> = near.iter().map(|at| at[2] - slope_x * at[0] - slope_y * at[1]).collect();
        rests.sort_unstable_by(f32::total_cmp);
        // A quarter up: seats and tables hide most of the floor, stray points below it are few.
        rough[column] + rests[rests.len() / 4]
    }
}
