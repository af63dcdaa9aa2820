//! The sites: rooms, corridors, stairs, halls, stands, streets, with furniture that stands at any angle.

use std::f64::consts::TAU;

use glam::{DVec3, dvec3};
use parterre_venue::material::Material;
use parterre_venue::scene::{Builder, Opening, Run, class};
use parterre_venue::solid::Solid;
use rand::Rng as _;
use rand_chacha::ChaCha8Rng;

use super::Site;

const STUFF: Material = Material::Concrete;
/// Height of a scanner above the floor.
const TRIPOD_M: f64 = 1.6;
/// The lowest elevation of a scanner on a tripod, and of one below a drone, degrees.
const LOWEST: f64 = -62.0;
const LOWEST_FLYING: f64 = -89.0;

/// One of each.
pub(super) fn all(rng: &mut ChaCha8Rng) -> Vec<Site> {
    vec![
        room(rng),
        tall_room(rng),
        corridor(rng),
        offices(rng, 1),
        offices(rng, 2),
        stair_tower(rng),
        sports_hall(rng),
        raked_hall(rng),
        bowl(rng),
        square(rng),
        foyer(rng),
        warehouse(rng),
        gable_house(rng),
        street_front(rng),
        courtyard(rng),
        upper_room(rng),
        hall_above(rng),
        flat_roof(rng),
    ]
}

struct Plot<'a> {
    rng: &'a mut ChaCha8Rng,
    build: Builder,
    setups: Vec<DVec3>,
}

impl<'a> Plot<'a> {
    fn new(rng: &'a mut ChaCha8Rng) -> Self {
        Self { rng, build: Builder::default(), setups: Vec::new() }
    }

    fn done(self, name: &'static str) -> Site {
        Site { name, scene: self.build.finish(), setups: self.setups, lowest: LOWEST }
    }

    fn between(&mut self, low: f64, high: f64) -> f64 {
        self.rng.random_range(low..high)
    }

    fn block(&mut self, a: [f64; 3], b: [f64; 3]) {
        self.build.block(a, b, STUFF, class::BUILDING);
    }

    /// A box on the floor, turned about the vertical.
    fn thing(&mut self, middle: DVec3, size: DVec3, turn: f64) {
        let along = dvec3(turn.cos(), turn.sin(), 0.0) * size.x * 0.5;
        let across = dvec3(-turn.sin(), turn.cos(), 0.0);
        let center = middle + DVec3::Z * size.z * 0.5;
        self.build.add(Solid::bar(center - along, center + along, across, size.y, size.z, STUFF), class::FURNITURE);
    }

    fn setup(&mut self, x: f64, y: f64, floor: f64) {
        self.setups.push(dvec3(x, y, floor + TRIPOD_M));
    }

    /// Floor, ceiling and four walls with openings in the two long ones, the inner faces on the rectangle.
    fn shell(&mut self, [x0, y0, x1, y1]: [f64; 4], floor: f64, height: f64, openings: bool) {
        let top = floor + height;
        self.block([x0 - 0.2, y0 - 0.2, floor - 0.2], [x1 + 0.2, y1 + 0.2, floor]);
        self.block([x0 - 0.2, y0 - 0.2, top], [x1 + 0.2, y1 + 0.2, top + 0.2]);
        let mut cut = Vec::new();
        if openings {
            let mut at = x0 + 1.0;
            while at + 1.2 < x1 {
                let door = self.rng.random_bool(0.3);
                let (sill, opening) = if door { (floor, 2.05) } else { (floor + 0.9, (height - 1.3).clamp(0.6, 1.6)) };
                cut.push(Opening { at, width: 0.95, sill, height: opening });
                at += self.rng.random_range(1.6..4.0);
            }
        }
        self.build.wall(Run::X, (x0, x1), (y0 - 0.2, y0), (floor, top), &cut, STUFF);
        self.build.wall(Run::X, (x0, x1), (y1, y1 + 0.2), (floor, top), &[], STUFF);
        self.block([x0 - 0.2, y0, floor], [x0, y1, top]);
        self.block([x1, y0, floor], [x1 + 0.2, y1, top]);
        // Closed doors lie a hand's breadth behind the wall; windows let rays out.
        for opening in cut.iter().filter(|opening| opening.sill <= floor) {
            self.block([opening.at - 0.5, y0 - 0.18, floor], [opening.at + 0.5, y0 - 0.12, floor + 2.05]);
        }
    }

    /// Tables, chairs and cupboards, one for each `area` square metres.
    fn furnish(&mut self, [x0, y0, x1, y1]: [f64; 4], floor: f64, area: f64) {
        let count = ((x1 - x0) * (y1 - y0) / area) as u32;
        for _ in 0..count {
            let at = dvec3(self.rng.random_range(x0..x1), self.rng.random_range(y0..y1), floor);
            let turn = if self.rng.random_bool(0.5) { 0.0 } else { self.between(0.0, TAU) };
            match self.rng.random_range(0..4) {
                // A table on legs.
                0 => {
                    let (length, width) = (self.between(0.8, 2.0), self.between(0.6, 1.0));
                    self.thing(at + DVec3::Z * 0.71, dvec3(length, width, 0.03), turn);
                    for (u, v) in [(-1.0, -1.0), (-1.0, 1.0), (1.0, -1.0), (1.0, 1.0)] {
                        let leg = dvec3(turn.cos(), turn.sin(), 0.0) * u * (length * 0.5 - 0.05)
                            + dvec3(-turn.sin(), turn.cos(), 0.0) * v * (width * 0.5 - 0.05);
                        self.thing(at + leg, dvec3(0.05, 0.05, 0.71), turn);
                    }
                }
                // A chair: seat and back.
                1 => {
                    self.thing(at + DVec3::Z * 0.4, dvec3(0.45, 0.45, 0.05), turn);
                    let back = dvec3(turn.cos(), turn.sin(), 0.0) * 0.2;
                    self.thing(at + back + DVec3::Z * 0.4, dvec3(0.04, 0.42, 0.5), turn);
                    self.thing(at, dvec3(0.06, 0.06, 0.4), turn);
                }
                // A cupboard.
                2 => {
                    let size = dvec3(self.between(0.6, 1.6), self.between(0.3, 0.6), self.between(0.8, 2.0));
                    self.thing(at, size, turn);
                }
                // Boxes, people.
                _ => {
                    let size = dvec3(self.between(0.2, 0.6), self.between(0.2, 0.6), self.between(0.3, 1.8));
                    self.thing(at, size, turn);
                }
            }
        }
    }
}

fn room(rng: &mut ChaCha8Rng) -> Site {
    let mut plot = Plot::new(rng);
    let plan = [0.0, 0.0, plot.between(3.5, 12.0), plot.between(3.2, 9.0)];
    let height = plot.between(2.4, 3.2);
    plot.shell(plan, 0.0, height, true);
    plot.furnish([0.3, 0.3, plan[2] - 0.3, plan[3] - 0.3], 0.0, 3.5);
    plot.setup(plan[2] * 0.3, plan[3] * 0.35, 0.0);
    plot.setup(plan[2] * 0.7, plan[3] * 0.6, 0.0);
    plot.done("room")
}

/// A rehearsal room about as high as it is wide.
fn tall_room(rng: &mut ChaCha8Rng) -> Site {
    let mut plot = Plot::new(rng);
    let plan = [0.0, 0.0, plot.between(7.0, 14.0), plot.between(6.0, 9.0)];
    let height = plan[3] * plot.between(0.7, 1.1);
    plot.shell(plan, 0.0, height, true);
    plot.furnish([0.3, 0.3, plan[2] - 0.3, plan[3] - 0.3], 0.0, 4.0);
    plot.setup(plan[2] * 0.5, plan[3] * 0.4, 0.0);
    plot.done("tall room")
}

fn corridor(rng: &mut ChaCha8Rng) -> Site {
    let mut plot = Plot::new(rng);
    let (length, width, height) = (plot.between(15.0, 40.0), plot.between(1.5, 3.0), plot.between(2.4, 3.0));
    plot.shell([0.0, 0.0, length, width], 0.0, height, true);
    let mut lamp = 1.5;
    while lamp < length {
        plot.block([lamp, width * 0.5 - 0.15, height - 0.08], [lamp + 1.2, width * 0.5 + 0.15, height]);
        lamp += 3.0;
    }
    // A side corridor in which the view ends.
    let at = length * plot.between(0.3, 0.7);
    plot.block([at, width - 0.3, 0.0], [at + 0.5, width, height]);
    plot.setup(length * 0.15, width * 0.5, 0.0);
    plot.setup(length * 0.5, width * 0.45, 0.0);
    plot.setup(length * 0.85, width * 0.5, 0.0);
    plot.done("corridor")
}

/// Rooms on both sides of a corridor, on one or two storeys.
fn offices(rng: &mut ChaCha8Rng, storeys: u32) -> Site {
    let mut plot = Plot::new(rng);
    let (length, depth, corridor, height) =
        (plot.between(18.0, 30.0), plot.between(4.0, 6.0), plot.between(1.6, 2.6), plot.between(2.5, 3.4));
    for storey in 0..storeys {
        let floor = f64::from(storey) * (height + 0.4);
        let width = 2.0 * depth + corridor;
        plot.block([0.0, 0.0, floor - 0.3], [length, width, floor]);
        plot.block([0.0, 0.0, floor + height], [length, width, floor + height + 0.1]);
        for side in [0.0, width - 0.2] {
            plot.build.wall(Run::X, (0.0, length), (side, side + 0.2), (floor, floor + height), &windows(length, floor), STUFF);
        }
        for end in [0.0, length - 0.2] {
            plot.block([end, 0.0, floor], [end + 0.2, width, floor + height]);
        }
        for (wall, low, high) in [(depth, 0.2, depth), (depth + corridor, depth + corridor + 0.12, width - 0.2)] {
            let mut at = 0.2;
            let mut doors = Vec::new();
            while at + 3.0 < length {
                let wide = plot.between(2.8, 6.0).min(length - at);
                doors.push(Opening { at: at + wide * 0.5, width: 0.95, sill: floor, height: 2.1 });
                plot.block([at + wide - 0.1, low, floor], [at + wide, high, floor + height]);
                plot.furnish([at + 0.5, low + 0.5, at + wide - 0.6, high - 0.5], floor, 3.0);
                if plot.rng.random_bool(0.6) {
                    plot.setup(at + wide * 0.5, f64::midpoint(low, high), floor);
                }
                at += wide;
            }
            plot.build.wall(Run::X, (0.0, length), (wall, wall + 0.12), (floor, floor + height), &doors, STUFF);
        }
        plot.setup(length * 0.2, depth + corridor * 0.5, floor);
        plot.setup(length * 0.7, depth + corridor * 0.5, floor);
    }
    plot.done(if storeys == 1 { "offices" } else { "offices on two storeys" })
}

fn windows(length: f64, floor: f64) -> Vec<Opening> {
    let count = (length / 2.4) as u32;
    (0..count).map(|index| Opening { at: 1.4 + 2.4 * f64::from(index), width: 1.3, sill: floor + 0.9, height: 1.3 }).collect()
}

/// Two flights and two landings a storey, in a shaft.
fn stair_tower(rng: &mut ChaCha8Rng) -> Site {
    let mut plot = Plot::new(rng);
    let (width, length, storeys, rise) = (plot.between(2.6, 3.4), plot.between(5.0, 6.5), plot.rng.random_range(2..6), 0.17);
    let (storey, flight) = (20.0 * rise, width * 0.45);
    let top = f64::from(storeys) * storey + 2.6;
    plot.shell([0.0, 0.0, length, width], 0.0, top, false);
    let landing = (length - 9.0 * 0.29) * 0.5;
    for level in 0..storeys {
        let floor = f64::from(level) * storey;
        for step in 0..9 {
            let (x, up) = (landing + 0.29 * f64::from(step), floor + rise * f64::from(step + 1));
            plot.block([x, 0.0, up - 0.25], [x + 0.3, flight, up]);
            let up = floor + storey * 0.5 + rise * f64::from(9 - step);
            plot.block([x, width - flight, up - 0.25], [x + 0.3, width, up]);
        }
        let half = floor + storey * 0.5;
        plot.block([length - landing, 0.0, half - 0.2], [length, width, half]);
        plot.block([0.0, 0.0, floor + storey - 0.2], [landing, width, floor + storey]);
        plot.setup(landing * 0.5, width * 0.5, floor);
        plot.setup(length - landing * 0.5, width * 0.5, half);
    }
    plot.done("stair tower")
}

/// A hall with beams under the roof and a stand on one side.
fn sports_hall(rng: &mut ChaCha8Rng) -> Site {
    let mut plot = Plot::new(rng);
    let (length, width, height) = (plot.between(27.0, 60.0), plot.between(15.0, 40.0), plot.between(7.0, 13.0));
    plot.shell([0.0, 0.0, length, width], 0.0, height, false);
    let mut at = 3.0;
    while at < length {
        plot.block([at, 0.0, height - 1.0], [at + 0.25, width, height]);
        at += 5.0;
    }
    stand(&mut plot, [2.0, 0.0, length - 2.0, 5.0], 0.0, 8, 0.4);
    plot.furnish([2.0, 7.0, length - 2.0, width - 1.0], 0.0, 60.0);
    plot.setup(length * 0.3, width * 0.6, 0.0);
    plot.setup(length * 0.7, width * 0.5, 0.0);
    plot.done("sports hall")
}

/// Steps that rise towards small y.
fn stand(plot: &mut Plot<'_>, [x0, y0, x1, y1]: [f64; 4], floor: f64, rows: u32, rise: f64) {
    let pitch = (y1 - y0) / f64::from(rows);
    for row in 0..rows {
        let front = y1 - pitch * f64::from(row);
        plot.block([x0, y0, floor], [x1, front, floor + rise * f64::from(row + 1)]);
        let mut seat = x0 + 0.4;
        while seat < x1 {
            plot.thing(dvec3(seat, front - pitch * 0.7, floor + rise * f64::from(row + 1)), dvec3(0.42, 0.4, 0.42), 0.0);
            seat += 0.55 + if plot.rng.random_bool(0.05) { 1.2 } else { 0.0 };
        }
    }
}

/// A theatre: stalls that rise all the way back, and a stage.
fn raked_hall(rng: &mut ChaCha8Rng) -> Site {
    let mut plot = Plot::new(rng);
    let (length, width) = (plot.between(20.0, 36.0), plot.between(14.0, 26.0));
    let rows = ((length - 10.0) / 0.9) as u32;
    let rise = plot.between(0.15, 0.45);
    let height = f64::from(rows) * rise + plot.between(3.0, 8.0);
    plot.shell([0.0, 0.0, width, length], 0.0, height, false);
    stand(&mut plot, [0.0, 0.0, width, length - 10.0], 0.0, rows, rise);
    plot.block([0.0, length - 7.0, 0.0], [width, length, 1.0]);
    // Reflectors hang at a slant.
    for index in 0..4 {
        let at = dvec3(width * 0.5, length * (0.3 + 0.15 * f64::from(index)), height - 1.0);
        let half = dvec3(0.0, 1.2, 0.35);
        plot.build.add(Solid::bar(at - half, at + half, DVec3::X, width * 0.7, 0.05, STUFF), class::EQUIPMENT);
    }
    plot.setup(width * 0.4, length - 9.0, 0.0);
    plot.setup(width * 0.6, length - 4.0, 1.0);
    let row = rows / 2;
    plot.setup(width * 0.5, length - 10.0 - 0.9 * f64::from(row) - 0.2, rise * f64::from(row + 1));
    plot.done("raked hall")
}

/// A stadium without a roof: stands around a pitch.
fn bowl(rng: &mut ChaCha8Rng) -> Site {
    let mut plot = Plot::new(rng);
    let (length, width) = (plot.between(60.0, 110.0), plot.between(40.0, 75.0));
    plot.block([-40.0, -40.0, -0.5], [length + 40.0, width + 40.0, 0.0]);
    let (rows, rise) = (plot.rng.random_range(12..35), plot.between(0.3, 0.55));
    for row in 0..rows {
        let (out, up) = (5.0 + 0.8 * f64::from(row), 1.0 + rise * f64::from(row + 1));
        for side in 0..4 {
            let next = out + 0.8;
            let (a, b) = match side {
                0 => ([-next, -next], [length + next, -out]),
                1 => ([-next, width + out], [length + next, width + next]),
                2 => ([-next, -next], [-out, width + next]),
                _ => ([length + out, -next], [length + next, width + next]),
            };
            plot.block([a[0], a[1], up - 1.0], [b[0], b[1], up]);
        }
    }
    plot.setup(length * 0.5, width * 0.5, 0.0);
    plot.setup(length * 0.2, width * 0.3, 0.0);
    plot.setup(length * 0.8, width * 0.8, 0.0);
    plot.done("stadium bowl")
}

/// A city square with houses on some sides, trees and people.
fn square(rng: &mut ChaCha8Rng) -> Site {
    let mut plot = Plot::new(rng);
    let (length, width) = (plot.between(40.0, 90.0), plot.between(30.0, 70.0));
    plot.block([-20.0, -20.0, -0.5], [length + 20.0, width + 20.0, 0.0]);
    let height = plot.between(9.0, 22.0);
    plot.build.wall(Run::X, (0.0, length), (width, width + 10.0), (0.0, height), &windows(length, 0.0), STUFF);
    if plot.rng.random_bool(0.5) {
        plot.block([-10.0, 0.0, 0.0], [0.0, width, height * 0.8]);
    }
    for _ in 0..plot.rng.random_range(8..25) {
        let at = dvec3(plot.rng.random_range(2.0..length), plot.rng.random_range(2.0..width - 3.0), 0.0);
        plot.thing(at, dvec3(0.3, 0.3, 2.5), 0.3);
        for _ in 0..25 {
            let leaf = at + dvec3(plot.between(-1.6, 1.6), plot.between(-1.6, 1.6), plot.between(2.2, 6.0));
            let toward = dvec3(plot.between(-1.0, 1.0), plot.between(-1.0, 1.0), plot.between(-1.0, 1.0)) * 0.4;
            plot.build.add(Solid::bar(leaf - toward, leaf + toward, DVec3::X, 0.3, 0.02, STUFF), class::FURNITURE);
        }
    }
    plot.furnish([2.0, 2.0, length - 2.0, width - 4.0], 0.0, 80.0);
    plot.setup(length * 0.3, width * 0.4, 0.0);
    plot.setup(length * 0.7, width * 0.6, 0.0);
    plot.done("square")
}

/// Columns and a gallery along one side.
fn foyer(rng: &mut ChaCha8Rng) -> Site {
    let mut plot = Plot::new(rng);
    let (length, width, height) = (plot.between(14.0, 40.0), plot.between(7.0, 16.0), plot.between(4.5, 9.0));
    plot.shell([0.0, 0.0, length, width], 0.0, height, true);
    plot.block([0.0, width * 0.7, height * 0.5], [length, width, height * 0.5 + 0.3]);
    let mut at = 3.0;
    while at < length {
        plot.thing(dvec3(at, width * 0.68, 0.0), dvec3(0.45, 0.45, height), 0.4);
        at += 4.0;
    }
    plot.furnish([1.0, 1.0, length - 1.0, width * 0.65], 0.0, 12.0);
    plot.setup(length * 0.3, width * 0.35, 0.0);
    plot.setup(length * 0.7, width * 0.85, height * 0.5 + 0.3);
    plot.done("foyer")
}

/// Rows of racks with shelves.
fn warehouse(rng: &mut ChaCha8Rng) -> Site {
    let mut plot = Plot::new(rng);
    let (length, width, height) = (plot.between(25.0, 60.0), plot.between(20.0, 40.0), plot.between(6.0, 11.0));
    plot.shell([0.0, 0.0, length, width], 0.0, height, false);
    let mut rack = 3.0;
    while rack + 1.2 < width {
        for shelf in 0..4 {
            let z = 0.2 + 1.5 * f64::from(shelf);
            plot.block([3.0, rack, z], [length - 3.0, rack + 1.1, z + 0.1]);
            let mut at = 3.2;
            while at + 1.2 < length - 3.0 {
                if plot.rng.random_bool(0.6) {
                    let tall = plot.between(0.4, 1.3);
                    plot.block([at, rack + 0.05, z + 0.1], [at + 1.1, rack + 1.05, z + 0.1 + tall]);
                }
                at += 1.3;
            }
        }
        plot.setup(length * 0.3, rack - 1.2, 0.0);
        plot.setup(length * 0.8, rack - 1.2, 0.0);
        rack += 4.5;
    }
    plot.done("warehouse")
}

/// One room below a pitched roof.
fn gable_house(rng: &mut ChaCha8Rng) -> Site {
    let mut plot = Plot::new(rng);
    let (length, width, eaves) = (plot.between(8.0, 25.0), plot.between(6.0, 14.0), plot.between(1.0, 4.0));
    let ridge = eaves + width * 0.5 * plot.between(0.4, 1.0);
    plot.block([-0.2, -0.2, -0.2], [length + 0.2, width + 0.2, 0.0]);
    for side in [-0.2, width] {
        plot.block([0.0, side, 0.0], [length, side + 0.2, eaves]);
    }
    for end in [-0.2, length] {
        plot.block([end, -0.2, 0.0], [end + 0.2, width + 0.2, ridge]);
    }
    for side in [-0.1, width + 0.1] {
        let (low, high) = (dvec3(length * 0.5, side, eaves), dvec3(length * 0.5, width * 0.5, ridge + 0.05));
        plot.build.add(Solid::bar(low, high, DVec3::X, length + 0.4, 0.1, STUFF), class::BUILDING);
    }
    plot.furnish([0.5, 0.5, length - 0.5, width - 0.5], 0.0, 5.0);
    plot.setup(length * 0.3, width * 0.5, 0.0);
    plot.setup(length * 0.7, width * 0.5, 0.0);
    plot.done("gable house")
}

/// A street and the front of the house across it, from one place.
fn street_front(rng: &mut ChaCha8Rng) -> Site {
    let mut plot = Plot::new(rng);
    let (length, height, away) = (plot.between(15.0, 50.0), plot.between(8.0, 25.0), plot.between(6.0, 14.0));
    plot.block([-10.0, -8.0, -0.5], [length + 10.0, away + 0.1, 0.0]);
    plot.build.wall(Run::X, (0.0, length), (away, away + 0.4), (0.0, height), &windows(length, 0.0), STUFF);
    plot.build.wall(Run::X, (0.0, length), (away + 0.2, away + 0.4), (0.0, height), &[], STUFF);
    plot.furnish([0.0, -4.0, length, away - 1.0], 0.0, 25.0);
    plot.setup(length * 0.5, 0.0, 0.0);
    plot.done("street front")
}

/// Four walls around a yard, and no roof.
fn courtyard(rng: &mut ChaCha8Rng) -> Site {
    let mut plot = Plot::new(rng);
    let (length, width, height) = (plot.between(6.0, 25.0), plot.between(5.0, 20.0), plot.between(2.5, 12.0));
    plot.block([-0.2, -0.2, -0.2], [length + 0.2, width + 0.2, 0.0]);
    for side in [-0.3, width] {
        plot.build.wall(Run::X, (0.0, length), (side, side + 0.3), (0.0, height), &windows(length, 0.0), STUFF);
    }
    for end in [-0.3, length] {
        plot.block([end, 0.0, 0.0], [end + 0.3, width, height]);
    }
    plot.furnish([0.3, 0.3, length - 0.3, width - 0.3], 0.0, 12.0);
    plot.setup(length * 0.4, width * 0.5, 0.0);
    plot.done("courtyard")
}

/// A room on an upper storey above the origin: seen from there, it lies in a narrow cone, as a camera's view does.
fn upper_room(rng: &mut ChaCha8Rng) -> Site {
    let mut plot = Plot::new(rng);
    let floor = plot.between(2.8, 9.0);
    let height = floor * plot.between(0.7, 1.3);
    above_origin(plot, floor, height, "room above the origin")
}

/// The same of a hall, with the origin at street level.
fn hall_above(rng: &mut ChaCha8Rng) -> Site {
    let mut plot = Plot::new(rng);
    let floor = plot.between(12.0, 26.0);
    let height = floor * plot.between(0.7, 1.1);
    above_origin(plot, floor, height, "hall above the origin")
}

fn above_origin(mut plot: Plot<'_>, floor: f64, height: f64, name: &'static str) -> Site {
    let half = [floor * plot.between(0.65, 1.0), floor * plot.between(0.3, 0.6)];
    let [x, y] = [plot.between(-0.1, 0.1) * half[0], plot.between(-0.1, 0.1) * half[1]];
    let plan = [x - half[0], y - half[1], x + half[0], y + half[1]];
    plot.shell(plan, floor, height, true);
    let area = half[0] * half[1] / 4.0;
    plot.furnish([plan[0] + 0.3, plan[1] + 0.3, plan[2] - 0.3, plan[3] - 0.3], floor, area.max(3.0));
    plot.setup(x - half[0] * 0.4, y, floor);
    plot.setup(x + half[0] * 0.4, y + half[1] * 0.2, floor);
    plot.done(name)
}

/// A flat roof and its fronts, from a drone; the ground was cut away.
fn flat_roof(rng: &mut ChaCha8Rng) -> Site {
    let mut plot = Plot::new(rng);
    let (length, width, height) = (plot.between(50.0, 70.0), plot.between(50.0, 70.0), plot.between(8.0, 12.0));
    plot.block([0.0, 0.0, 0.0], [length, width, height]);
    // Plant on the roof.
    if plot.rng.random_bool(0.5) {
        plot.furnish([5.0, 5.0, length - 5.0, width - 5.0], height, 300.0);
    }
    for (x, y) in
        [(-15.0, -15.0), (length + 15.0, -15.0), (-15.0, width + 15.0), (length + 15.0, width + 15.0), (length * 0.5, width * 0.5)]
    {
        plot.setups.push(dvec3(x, y, height + 20.0));
    }
    Site { lowest: LOWEST_FLYING, ..plot.done("flat roof from the air") }
}
