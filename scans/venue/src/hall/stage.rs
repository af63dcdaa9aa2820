//! The stage and what hangs over it and the hall: trusses, lamps, loudspeakers, acoustic clouds, an orchestra's furniture.

#![expect(clippy::many_single_char_names, reason = "coordinates have the names that geometry gives them")]

use std::f64::consts::PI;

use glam::{DVec3, dvec3};

use super::super::material::Material;
use super::super::scene::class;
use super::super::scene::class::EQUIPMENT;
use super::super::solid::Solid;
use super::Site;

impl Site {
    pub(super) fn build_stage(&mut self) {
        self.cloth();
        self.loudspeakers();
        self.orchestra();
        self.roof_structure();
        self.lighting();
        self.wall_lamps();
    }

    fn cloth(&mut self) {
        let m = self.m.clone();
        let (a, b) = (m.hall_south() + 4.6, m.hall_north() - 4.6);
        let back = m.stage_end - 1.4;
        self.b.block([back, a, 0.05], [back + 0.06, b, 8.4], Material::Cyclorama, EQUIPMENT);
        for (x, inset) in [(m.stage_front + 3.2, 2.6), (m.stage_front + 5.6, 3.2), (m.stage_front + 8.0, 3.8)] {
            for (y0, y1) in [(m.hall_south() + inset - 1.0, m.hall_south() + inset), (m.hall_north() - inset, m.hall_north() - inset + 1.0)]
            {
                self.b.block([x, y0, 0.02], [x + 0.08, y1, 9.0], Material::Plain([96, 18, 30]), EQUIPMENT);
            }
            self.b.block([x, m.hall_south() + 1.0, 8.2], [x + 0.08, m.hall_north() - 1.0, 9.6], Material::Plain([96, 18, 30]), EQUIPMENT);
        }
        // The main curtain, drawn to both sides in folds.
        for fold in 0..9 {
            for side in [-1.0, 1.0] {
                let edge = if side < 0.0 { m.hall_south() + 2.4 } else { m.hall_north() - 2.4 };
                let y = edge - side * 0.16 * f64::from(fold);
                let x = m.stage_front + 1.8 + if fold % 2 == 0 { 0.0 } else { 0.12 };
                self.b.block([x, y - 0.09, 0.03], [x + 0.1, y + 0.09, 8.5], Material::Plain([150, 20, 36]), EQUIPMENT);
            }
        }
    }

    fn loudspeakers(&mut self) {
        let m = self.m.clone();
        let x = m.stage_front + 0.15;
        for (y, side) in [(m.hall_south() + 1.7, 1.0), (m.hall_north() - 1.7, -1.0)] {
            for layer in 0..3 {
                let z = 0.62 * f64::from(layer);
                self.b.block([x, y - 0.55, z], [x + 0.8, y + 0.55, z + 0.6], Material::Black, EQUIPMENT);
                self.b.block([x - 0.01, y - 0.2, z + 0.12], [x, y + 0.2, z + 0.48], Material::Steel, EQUIPMENT);
            }
            // A hung line that curves down and back.
            let mut top = dvec3(m.stage_front - 0.6, y + side * 0.9, 9.4);
            for cabinet in 0..10 {
                let tilt = f64::from(cabinet) * 0.05;
                let down = dvec3(-tilt.sin(), 0.0, -tilt.cos()) * 0.34;
                let next = top + down;
                self.b.add(Solid::bar(top, next - down * 0.06, DVec3::Y, 1.1, 0.55, Material::Black), EQUIPMENT);
                top = next;
            }
            let hang = dvec3(m.stage_front - 0.6, y + side * 0.9, 9.4);
            self.b.add(Solid::bar(hang, hang.with_z(m.hall_top), DVec3::Y, 0.03, 0.03, Material::Steel), EQUIPMENT);
        }
    }

    fn orchestra(&mut self) {
        let m = self.m.clone();
        let focus = dvec3(m.stage_front + 1.6, m.middle(), 0.0);
        // The conductor's podium and desk.
        self.b.block([focus.x - 0.5, focus.y - 0.6, 0.0], [focus.x + 0.5, focus.y + 0.6, 0.22], Material::Slats, EQUIPMENT);
        self.b.block([focus.x + 0.55, focus.y - 0.3, 0.0], [focus.x + 0.6, focus.y + 0.3, 1.15], Material::Black, EQUIPMENT);
        for (ring, radius) in [2.4, 3.7, 5.0].into_iter().enumerate() {
            let count = 7 + ring * 4;
            // Risers lift the rear ring.
            for i in 0..count {
                let angle = -PI * 0.42 + PI * 0.84 * i as f64 / (count - 1) as f64;
                let at = focus + dvec3(angle.cos(), angle.sin(), 0.0) * radius;
                if (at.y - focus.y).abs() > 7.0 {
                    continue;
                }
                let (half, inward) = (dvec3(0.22, 0.22, 0.0), (focus - at).normalize());
                self.b.add(Solid::block(at - half + DVec3::Z * 0.42, at + half + DVec3::Z * 0.48, Material::Black), EQUIPMENT);
                for leg in [dvec3(0.2, 0.2, 0.0), dvec3(-0.2, 0.2, 0.0), dvec3(0.2, -0.2, 0.0), dvec3(-0.2, -0.2, 0.0)] {
                    self.b.add(Solid::bar(at + leg, at + leg + DVec3::Z * 0.42, DVec3::X, 0.03, 0.03, Material::Steel), EQUIPMENT);
                }
                let rear = at - inward * 0.24 + DVec3::Z * 0.48;
                self.b.add(
                    Solid::bar(
                        rear,
                        rear - inward * 0.05 + DVec3::Z * 0.42,
                        dvec3(-inward.y, inward.x, 0.0),
                        0.4,
                        0.04,
                        Material::Plain([120, 30, 36]),
                    ),
                    EQUIPMENT,
                );
                let desk = at + inward * 0.6;
                self.b.add(Solid::bar(desk, desk + DVec3::Z * 0.95, DVec3::X, 0.03, 0.03, Material::Steel), EQUIPMENT);
                let lip = desk + DVec3::Z * 0.95;
                let sheet = Solid::bar(
                    lip,
                    lip + inward * 0.14 + DVec3::Z * 0.3,
                    dvec3(-inward.y, inward.x, 0.0),
                    0.46,
                    0.02,
                    Material::Plain([236, 234, 224]),
                );
                self.b.add(sheet, EQUIPMENT);
            }
        }
        self.piano(dvec3(m.stage_front + 2.0, m.middle() + 4.2, 0.0));
        // A platform at the back with kettle drums and cases.
        let rear = m.stage_front + 7.4;
        self.b.block([rear, m.middle() - 4.0, 0.0], [rear + 1.9, m.middle() + 4.0, 0.4], Material::Boards, class::GROUND);
        for (i, y) in [-2.8, -1.7, -0.6].into_iter().enumerate() {
            let (x, y, r) = (rear + 0.9, m.middle() + y, 0.36 + 0.04 * i as f64);
            self.b.block([x - r, y - r, 0.55], [x + r, y + r, 1.15], Material::Gold, EQUIPMENT);
            self.b.block([x - r, y - r, 1.15], [x + r, y + r, 1.19], Material::Plain([236, 230, 214]), EQUIPMENT);
        }
        for i in 0..3 {
            let y = m.middle() + 1.0 + 1.0 * f64::from(i);
            self.b.block([rear + 0.6, y, 0.4], [rear + 1.3, y + 0.7, 1.3], Material::Black, EQUIPMENT);
        }
    }

    fn piano(&mut self, at: DVec3) {
        let black = Material::Plain([22, 20, 24]);
        self.b.add(Solid::block(at + dvec3(0.0, -0.75, 0.66), at + dvec3(2.1, 0.75, 1.0), black), EQUIPMENT);
        self.b.add(Solid::block(at + dvec3(-0.3, -0.75, 0.66), at + dvec3(0.0, 0.75, 0.76), black), EQUIPMENT);
        self.b.add(Solid::block(at + dvec3(-0.28, -0.65, 0.76), at + dvec3(-0.1, 0.65, 0.78), Material::Plain([240, 238, 230])), EQUIPMENT);
        let lid =
            Solid { corner: at + dvec3(0.1, 0.72, 1.0), edges: [DVec3::X * 1.9, dvec3(0.0, -1.1, 0.95), DVec3::Z * 0.03], material: black };
        self.b.add(lid, EQUIPMENT);
        for leg in [dvec3(0.15, -0.6, 0.0), dvec3(0.15, 0.6, 0.0), dvec3(1.8, 0.0, 0.0)] {
            self.b.add(Solid::bar(at + leg, at + leg + DVec3::Z * 0.66, DVec3::X, 0.09, 0.09, black), EQUIPMENT);
        }
        self.b.add(Solid::block(at + dvec3(-1.0, -0.4, 0.44), at + dvec3(-0.65, 0.4, 0.52), black), EQUIPMENT);
        self.b.add(Solid::block(at + dvec3(-0.9, -0.3, 0.0), at + dvec3(-0.75, 0.3, 0.44), black), EQUIPMENT);
    }

    /// A truss of two chords, posts and braces along y; lamps may hang from it.
    fn truss(&mut self, x: f64, y: (f64, f64), low: f64, depth: f64, chord: f64) {
        let (a, b) = (dvec3(x, y.0, low), dvec3(x, y.1, low));
        let up = DVec3::Z * depth;
        for (from, to) in [(a, b), (a + up, b + up)] {
            self.b.add(Solid::bar(from, to, DVec3::X, chord, chord, Material::Steel), EQUIPMENT);
        }
        let bays = ((y.1 - y.0) / (depth * 1.2)).round().max(2.0) as u32;
        for bay in 0..bays {
            let (p, q) = (a.lerp(b, f64::from(bay) / f64::from(bays)), a.lerp(b, f64::from(bay + 1) / f64::from(bays)));
            let (from, to) = if bay % 2 == 0 { (p, q + up) } else { (p + up, q) };
            for (from, to) in [(p, p + up), (from, to)] {
                self.b.add(Solid::bar(from, to, DVec3::X, chord * 0.6, chord * 0.6, Material::Steel), EQUIPMENT);
            }
        }
    }

    fn roof_structure(&mut self) {
        let m = self.m.clone();
        let (south, north) = (m.hall_south(), m.hall_north());
        let mut x = m.hall_start() + 2.0;
        while x < m.stage_end {
            self.truss(x, (south, north), m.hall_top - 1.45, 1.3, 0.16);
            x += 4.0;
        }
        // Clouds: boards that lean towards the audience, with lamps between them.
        for (row, x) in [13.0, 17.4, 21.8, 26.2].into_iter().enumerate() {
            for i in 0..4 {
                let y = south + (north - south) * (f64::from(i) + 0.5) / 4.0;
                let (half_x, half_y, z) = (1.6, 2.35, 9.7 + 0.28 * (3 - row) as f64);
                let cloud = Solid {
                    corner: dvec3(x - half_x, y - half_y, z),
                    edges: [dvec3(half_x * 2.0, 0.0, 0.45), DVec3::Y * half_y * 2.0, DVec3::Z * 0.1],
                    material: Material::Cloud,
                };
                self.b.add(cloud, class::BUILDING);
                for end in [-1.0, 1.0] {
                    let at = dvec3(x, y + end * half_y * 0.8, z + 0.3);
                    self.b.add(Solid::bar(at, at.with_z(m.hall_top - 1.4), DVec3::X, 0.03, 0.03, Material::Steel), EQUIPMENT);
                }
                let lamp = dvec3(x + 2.2, y, 9.4);
                self.b.add(Solid::bar(lamp, lamp + DVec3::Z * 0.3, DVec3::X, 0.34, 0.34, Material::Lamp([255, 232, 190])), EQUIPMENT);
                self.b.add(
                    Solid::bar(lamp + DVec3::Z * 0.3, lamp.with_z(m.hall_top - 1.4), DVec3::X, 0.025, 0.025, Material::Steel),
                    EQUIPMENT,
                );
            }
        }
    }

    fn lighting(&mut self) {
        let m = self.m.clone();
        let tints = [[255, 120, 80], [120, 110, 255], [255, 90, 190], [255, 214, 130], [90, 170, 255]];
        let (south, north) = (m.hall_south(), m.hall_north());
        let bars = [(m.stage_front - 3.4, 9.6), (m.stage_front + 2.6, 8.9), (m.stage_front + 5.0, 8.9), (m.stage_front + 7.4, 8.9)];
        for (bar, (x, z)) in bars.into_iter().enumerate() {
            self.truss(x, (south + 2.6, north - 2.6), z, 0.4, 0.06);
            for i in 0..12_usize {
                let y = south + 3.4 + (north - south - 6.8) * i as f64 / 11.0;
                let lean = if bar == 0 { dvec3(0.3, 0.0, -0.34) } else { dvec3(-0.12, 0.0, -0.42) };
                let top = dvec3(x, y, z - 0.06);
                self.b.add(Solid::bar(top, top + lean, DVec3::Y, 0.24, 0.24, Material::Black), EQUIPMENT);
                self.b.add(
                    Solid::bar(top + lean, top + lean * 1.06, DVec3::Y, 0.2, 0.2, Material::Lamp(tints[(i + bar) % tints.len()])),
                    EQUIPMENT,
                );
            }
            for y in [south + 4.0, north - 4.0] {
                let at = dvec3(x, y, z + 0.4);
                self.b.add(Solid::bar(at, at.with_z(m.hall_top), DVec3::X, 0.03, 0.03, Material::Steel), EQUIPMENT);
            }
        }
        // Footlights along the edge of the stage.
        for i in 0..16 {
            let y = south + 3.4 + (north - south - 6.8) * f64::from(i) / 15.0;
            self.b.block(
                [m.stage_front + 0.04, y - 0.09, 0.0],
                [m.stage_front + 0.18, y + 0.09, 0.1],
                Material::Lamp([255, 220, 150]),
                EQUIPMENT,
            );
        }
    }

    fn wall_lamps(&mut self) {
        let m = self.m.clone();
        for i in 0..5 {
            let x = m.hall_start() + 3.2 + 4.2 * f64::from(i);
            for (y, side) in [(m.hall_south(), 1.0), (m.hall_north(), -1.0)] {
                // Pilasters and lamps give the side walls a rhythm.
                let face = y + side * 0.12;
                self.b.block([x - 0.25, y.min(face), 3.9], [x + 0.25, y.max(face), m.hall_top - 1.6], Material::Plaster, class::BUILDING);
                let bulb = face + side * 0.12;
                self.b.block([x - 0.12, face.min(bulb), 4.4], [x + 0.12, face.max(bulb), 4.9], Material::Lamp([255, 214, 150]), EQUIPMENT);
            }
        }
    }
}
