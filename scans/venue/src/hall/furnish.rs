//! Furniture of the foyers, corridors, dressing rooms and basement.

use rand::Rng as _;

use super::super::material::Material;
use super::super::scene::class::{BUILDING, EQUIPMENT, FURNITURE};
use super::Site;

const WARM: Material = Material::Lamp([255, 238, 206]);
const COOL: Material = Material::Lamp([240, 246, 255]);

impl Site {
    pub(super) fn furnish(&mut self) {
        self.foyer();
        self.bar();
        self.upper_foyer();
        self.corridors();
        self.dressing();
        self.basement();
    }

    fn foyer(&mut self) {
        let m = self.m.clone();
        let ceiling = m.upper_z - m.slab - 0.35;
        for y in [m.middle() - 7.5, m.middle() - 2.5, m.middle() + 2.5, m.middle() + 7.5] {
            for (z0, z1) in [(0.0, m.upper_z - m.slab), (m.upper_z, m.foyer_top)] {
                self.b.block([4.9, y - 0.22, z0], [5.34, y + 0.22, z1], Material::Plaster, BUILDING);
                self.b.block([4.84, y - 0.28, z0], [5.4, y + 0.28, z0 + 0.25], Material::Gold, BUILDING);
            }
        }
        for i in 0..6 {
            for x in [2.6, 7.4] {
                let y = 5.2 + 3.9 * f64::from(i);
                self.b.block([x - 0.6, y - 0.6, ceiling - 0.1], [x + 0.6, y + 0.6, ceiling], WARM, EQUIPMENT);
            }
        }
        // The ticket desk, south of the entrances.
        let y = m.cores()[0].1 + 2.6;
        self.b.block([1.0, y, 0.0], [4.2, y + 0.7, 1.05], Material::Slats, FURNITURE);
        self.b.block([0.9, y - 0.08, 1.05], [4.3, y + 0.78, 1.1], Material::Plain([236, 232, 222]), FURNITURE);
        // Posters between the doors of the hall, and mats behind the entrances.
        for (i, dy) in [-9.4, -4.2, -2.6, 2.6, 4.2, 9.4].into_iter().enumerate() {
            let color = [[30, 90, 140], [206, 120, 30], [60, 120, 90], [150, 40, 90], [40, 44, 70], [200, 170, 60]][i];
            let y = m.middle() + dy;
            self.b.block([m.foyer_end - 0.05, y - 0.55, 1.0], [m.foyer_end, y + 0.55, 2.6], Material::Plain(color), FURNITURE);
            self.b.block(
                [m.foyer_end - 0.06, y - 0.3, 1.7],
                [m.foyer_end - 0.04, y + 0.3, 2.3],
                Material::Plain([240, 232, 214]),
                FURNITURE,
            );
        }
        // High tables.
        for (x, y) in [(2.4, 11.0), (7.4, 10.2), (7.6, 19.8), (2.6, 19.6)] {
            self.b.block([x - 0.35, y - 0.35, 1.06], [x + 0.35, y + 0.35, 1.1], Material::Plain([232, 226, 214]), FURNITURE);
            self.b.block([x - 0.04, y - 0.04, 0.0], [x + 0.04, y + 0.04, 1.06], Material::Steel, FURNITURE);
            self.b.block([x - 0.25, y - 0.25, 0.0], [x + 0.25, y + 0.25, 0.03], Material::Steel, FURNITURE);
        }
    }

    fn bar(&mut self) {
        let wall = self.m.cores()[1].0 - self.m.wall;
        let (x0, x1) = (0.9, 5.4);
        self.b.block([x0, wall - 2.1, 0.0], [x1, wall - 1.5, 1.08], Material::Slats, FURNITURE);
        self.b.block([x0 - 0.1, wall - 2.25, 1.08], [x1 + 0.1, wall - 1.45, 1.13], Material::Plain([44, 40, 42]), FURNITURE);
        self.b.block([x0, wall - 0.45, 0.0], [x1 - 0.5, wall, 0.9], Material::Frame, FURNITURE);
        for shelf in 0..3 {
            let z = 1.3 + 0.5 * f64::from(shelf);
            self.b.block([x0, wall - 0.3, z], [x1 - 0.5, wall, z + 0.04], Material::Frame, FURNITURE);
            let mut x = x0 + 0.1;
            while x < x1 - 0.7 {
                let tall = self.rng.random_range(0.2..0.36);
                let tint =
                    [[60, 120, 70], [170, 110, 40], [200, 60, 50], [210, 200, 170], [70, 90, 150]][self.rng.random_range(0..5_usize)];
                self.b.block([x, wall - 0.2, z + 0.04], [x + 0.08, wall - 0.12, z + 0.04 + tall], Material::Plain(tint), FURNITURE);
                x += self.rng.random_range(0.12..0.2);
            }
        }
        for i in 0..5 {
            let (x, y) = (x0 + 0.5 + 0.85 * f64::from(i), wall - 2.7);
            self.b.block([x - 0.17, y - 0.17, 0.72], [x + 0.17, y + 0.17, 0.8], Material::Plain([150, 30, 40]), FURNITURE);
            self.b.block([x - 0.03, y - 0.03, 0.0], [x + 0.03, y + 0.03, 0.72], Material::Steel, FURNITURE);
            let (lamp_y, top) = (wall - 1.8, self.m.upper_z - self.m.slab - 0.35);
            self.b.block([x - 0.1, lamp_y - 0.1, 2.3], [x + 0.1, lamp_y + 0.1, 2.55], WARM, EQUIPMENT);
            self.b.block([x - 0.012, lamp_y - 0.012, 2.55], [x + 0.012, lamp_y + 0.012, top], Material::Steel, EQUIPMENT);
        }
    }

    fn upper_foyer(&mut self) {
        let m = self.m.clone();
        let z = m.upper_z;
        for (x, y) in [(1.0, 8.4), (1.0, 13.6), (1.0, 18.8)] {
            self.b.block([x - 0.4, y, z], [x + 0.5, y + 2.2, z + 0.42], Material::Plain([40, 80, 92]), FURNITURE);
            self.b.block([x - 0.4, y, z + 0.42], [x - 0.15, y + 2.2, z + 0.9], Material::Plain([40, 80, 92]), FURNITURE);
        }
        for (x, y) in [(0.8, 6.6), (0.8, 12.0), (0.8, 17.2), (0.8, 22.6), (9.2, 15.0)] {
            self.b.block([x - 0.25, y - 0.25, z], [x + 0.25, y + 0.25, z + 0.5], Material::Plain([180, 176, 168]), FURNITURE);
            for _ in 0..14 {
                let (dx, dy, up) = (self.rng.random_range(-0.4..0.4), self.rng.random_range(-0.4..0.4), self.rng.random_range(0.6..1.5));
                let green = Material::Plain([40, self.rng.random_range(90..150), 50]);
                self.b.block([x + dx - 0.1, y + dy - 0.1, z + up], [x + dx + 0.1, y + dy + 0.1, z + up + 0.12], green, FURNITURE);
            }
        }
        for i in 0..5 {
            let y = 6.2 + 4.4 * f64::from(i);
            self.b.block([4.4, y - 0.9, m.foyer_top - 0.9], [5.8, y + 0.9, m.foyer_top - 0.8], WARM, EQUIPMENT);
            self.b.block([5.08, y - 0.02, m.foyer_top - 0.8], [5.12, y + 0.02, m.foyer_top], Material::Gold, EQUIPMENT);
        }
    }

    fn corridors(&mut self) {
        let m = self.m.clone();
        for middle in [m.wall + m.corridor * 0.5, m.width - m.wall - m.corridor * 0.5] {
            let mut x = m.hall_start() + 1.5;
            while x < m.stage_end {
                self.b.block([x, middle - 0.12, m.low_top - 0.06], [x + 1.2, middle + 0.12, m.low_top], COOL, EQUIPMENT);
                x += 3.6;
            }
        }
        let middle = (m.stage_end + m.wall + m.backstage_end) * 0.5;
        let mut y = 2.0;
        while y < m.width - 2.0 {
            self.b.block([middle - 0.12, y, m.low_top - 0.06], [middle + 0.12, y + 1.2, m.low_top], COOL, EQUIPMENT);
            y += 4.0;
        }
        // Flight cases parked along the corridor behind the stage, clear of the walking line and of doors.
        for y in [9.4, 10.4, 18.8] {
            let high = self.rng.random_range(0.6..1.1);
            self.b.block([m.stage_end + m.wall, y, 0.0], [m.stage_end + m.wall + 0.6, y + 0.9, high], Material::Black, EQUIPMENT);
        }
    }

    fn dressing(&mut self) {
        let m = self.m.clone();
        let (x0, x1) = (m.backstage_end + m.wall, m.length - m.wall);
        let rooms = self.dressing_rooms();
        for (index, &(y0, y1)) in rooms.iter().enumerate() {
            self.b.block(
                [(x0 + x1) * 0.5 - 0.6, (y0 + y1) * 0.5 - 0.15, m.low_top - 0.08],
                [(x0 + x1) * 0.5 + 0.6, (y0 + y1) * 0.5 + 0.15, m.low_top],
                COOL,
                EQUIPMENT,
            );
            if index + 1 == rooms.len() {
                for i in 0..4 {
                    let x = x0 + 0.8 + 1.1 * f64::from(i);
                    let high = self.rng.random_range(0.7..1.6);
                    self.b.block([x, y0 + 0.2, 0.0], [x + 0.9, y0 + 1.1, high], Material::Black, EQUIPMENT);
                }
                continue;
            }
            // A table under lit mirrors along the south wall, stools before it, a sofa on the other side.
            self.b.block([x0 + 0.4, y0, 0.72], [x1 - 0.4, y0 + 0.5, 0.77], Material::Plain([226, 222, 212]), FURNITURE);
            for i in 0..3 {
                let x = x0 + 1.2 + 1.7 * f64::from(i);
                self.b.block([x - 0.45, y0, 1.0], [x + 0.45, y0 + 0.03, 1.9], Material::Plain([176, 196, 206]), FURNITURE);
                for (a, b, low, high) in [(-0.55, -0.48, 1.0, 1.9), (0.48, 0.55, 1.0, 1.9), (-0.55, 0.55, 1.92, 1.99)] {
                    self.b.block([x + a, y0, low], [x + b, y0 + 0.06, high], WARM, FURNITURE);
                }
                self.b.block([x - 0.2, y0 + 0.7, 0.0], [x + 0.2, y0 + 1.1, 0.46], Material::Plain([60, 62, 70]), FURNITURE);
            }
            let tint = [[60, 90, 130], [130, 80, 50], [80, 110, 80], [110, 70, 120]][index % 4];
            self.b.block([x1 - 2.6, y1 - 0.9, 0.0], [x1 - 0.5, y1 - 0.05, 0.42], Material::Plain(tint), FURNITURE);
            self.b.block([x1 - 2.6, y1 - 0.25, 0.42], [x1 - 0.5, y1 - 0.05, 0.85], Material::Plain(tint), FURNITURE);
        }
    }

    fn basement(&mut self) {
        let m = self.m.clone();
        let z = m.basement_z;
        let (west, east) = self.basement_corridor();
        let parts = self.basement_parts();
        let bands = [(m.hall_south(), parts[0]), (parts[0], parts[1]), (parts[1], m.hall_north())];
        let middle = (west + east) * 0.5;
        for i in 0..6 {
            let y = m.hall_south() + 1.2 + 3.8 * f64::from(i);
            self.b.block([middle - 0.1, y, -m.slab - 0.07], [middle + 0.1, y + 1.2, -m.slab], COOL, EQUIPMENT);
        }
        for (index, (y0, y1)) in bands.into_iter().enumerate() {
            let (y0, y1) = (y0 + m.wall * 0.5, y1 - m.wall * 0.5);
            let center = (y0 + y1) * 0.5;
            self.b.block([2.2, center - 0.6, -m.slab - 0.07], [2.5, center + 0.6, -m.slab], COOL, EQUIPMENT);
            self.b.block([12.0, center - 0.6, -0.82], [12.3, center + 0.6, -0.75], COOL, EQUIPMENT);
            if index == 1 {
                // Cloakroom: a counter and racks of coats.
                for rack in 0..3 {
                    let x = m.wall + 0.6 + 1.2 * f64::from(rack);
                    self.b.block([x, y0 + 0.8, z + 1.7], [x + 0.04, y1 - 0.8, z + 1.74], Material::Steel, FURNITURE);
                    let mut y = y0 + 1.0;
                    while y < y1 - 1.0 {
                        let tint = [self.rng.random_range(30..120), self.rng.random_range(30..100), self.rng.random_range(40..120)];
                        self.b.block([x - 0.2, y, z + 0.7], [x + 0.24, y + 0.1, z + 1.68], Material::Plain(tint), FURNITURE);
                        y += self.rng.random_range(0.13..0.4);
                    }
                }
            } else {
                // Toilets: cubicles along the outer wall, basins opposite.
                let mut y = y0 + 0.1;
                while y + 1.0 < y1 {
                    self.b.block([m.wall, y, z + 0.12], [m.wall + 1.5, y + 0.04, z + 2.1], Material::Plain([92, 132, 150]), FURNITURE);
                    self.b.block([m.wall, y + 0.35, z], [m.wall + 0.65, y + 0.72, z + 0.42], Material::Plain([240, 240, 238]), FURNITURE);
                    y += 1.05;
                }
                self.b.block(
                    [west - m.wall - 0.55, y0 + 0.5, z + 0.78],
                    [west - m.wall, center - 0.9, z + 0.86],
                    Material::Plain([236, 236, 234]),
                    FURNITURE,
                );
            }
            // Plant: air handling with ducts, boilers, a workshop bench.
            let (unit, tint) = ([1.5, 1.2, 0.9][index], [[110, 130, 120], [130, 120, 110], [150, 110, 70]][index]);
            self.b.block(
                [east + m.wall + 2.2, center - 1.8, z + 0.15],
                [east + m.wall + 4.4, center + 1.8, z + 0.15 + unit],
                Material::Plain(tint),
                EQUIPMENT,
            );
            self.b.block([east + m.wall + 2.8, y0, -1.4], [east + m.wall + 3.6, y1, -0.85], Material::Steel, EQUIPMENT);
        }
    }
}
