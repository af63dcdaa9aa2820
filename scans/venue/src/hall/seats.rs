//! The auditorium's floors and seats: raked stalls, and a balcony with steeper rows behind a parapet.

use glam::{DVec3, dvec3};
use rand::Rng as _;

use super::super::material::{Carpet, Material};
use super::super::scene::class;
use super::super::solid::Solid;
use super::Site;

impl Site {
    pub(super) fn build_seats(&mut self) {
        self.stalls();
        self.balcony();
    }

    fn stalls(&mut self) {
        let m = self.m.clone();
        for row in 0..m.rows {
            let x = m.rake_start + m.row_pitch * f64::from(row);
            let z = m.row_z(row);
            let rect = [x, m.hall_south(), x + m.row_pitch, m.hall_north()];
            self.b.floor(rect, z, 0.3, Material::Carpet(Carpet::Hall));
            self.row_of_seats(x + 0.1, z);
        }
        // A rail behind the last row, open at the aisles.
        for (from, to) in self.seat_blocks() {
            let x = m.rake_start - 0.06;
            self.b.block([x, from, 0.0], [x + 0.06, to, 1.0], Material::Slats, class::BUILDING);
        }
    }

    fn balcony(&mut self) {
        let m = self.m.clone();
        let (south, north) = (m.hall_south(), m.hall_north());
        self.b.floor([m.hall_start(), south, m.balcony_start, north], m.upper_z, 0.5, Material::Carpet(Carpet::Hall));
        for row in 0..m.balcony_rows {
            let x = m.balcony_start + m.balcony_pitch * f64::from(row);
            let z = m.balcony_z(row);
            self.b.floor([x, south, x + m.balcony_pitch, north], z, 0.5, Material::Carpet(Carpet::Hall));
            self.row_of_seats(x + 0.08, z);
            // Half steps make the aisles walkable.
            for (from, to) in self.aisles() {
                self.b.floor(
                    [x, from, x + m.balcony_pitch * 0.5, to],
                    z + m.balcony_step * 0.5,
                    m.balcony_step * 0.5,
                    Material::Carpet(Carpet::Hall),
                );
                let edge = x + m.balcony_pitch * 0.5;
                self.b.block(
                    [edge - 0.05, from, z + m.balcony_step * 0.5 - 0.03],
                    [edge + 0.002, to, z + m.balcony_step * 0.5 + 0.002],
                    Material::Nosing,
                    class::GROUND,
                );
            }
        }
        let (end, front_z) = (m.balcony_end(), m.balcony_z(m.balcony_rows - 1));
        self.b.block([end, south, front_z - 0.62], [end + 0.16, north, front_z + 0.82], Material::Slats, class::BUILDING);
        self.b.block([end - 0.04, south, front_z + 0.82], [end + 0.2, north, front_z + 0.9], Material::Gold, class::BUILDING);
        self.b.block([end + 0.16, south, front_z - 0.62], [end + 0.2, north, front_z - 0.5], Material::Gold, class::BUILDING);
        // A plain soffit under the rows.
        let rear = dvec3(m.hall_start(), south, m.upper_z - 0.66);
        let slope = dvec3(end - m.hall_start(), 0.0, front_z - 0.6 - rear.z);
        let soffit = Solid { corner: rear, edges: [slope, DVec3::Y * (north - south), DVec3::Z * 0.06], material: Material::Plaster };
        self.b.add(soffit, class::BUILDING);
        for i in 0..6 {
            for j in 0..3 {
                let at = rear + slope * (0.25 + 0.28 * f64::from(j)) + DVec3::Y * (north - south) * ((f64::from(i) + 0.5) / 6.0);
                let half = dvec3(0.14, 0.14, 0.0);
                self.b.add(
                    Solid::block(at - half - DVec3::Z * 0.05, at + half + DVec3::Z * 0.04, Material::Lamp([255, 236, 200])),
                    class::EQUIPMENT,
                );
            }
        }
    }

    /// y from and to of the three blocks of seats.
    pub(super) fn seat_blocks(&self) -> [(f64, f64); 3] {
        let m = &self.m;
        let clear = m.hall_north() - m.hall_south() - m.aisle * 4.0;
        let all = (clear / m.seat).floor();
        let side = (all * 0.28).round();
        let center = all - side * 2.0;
        let (mid, half) = (m.middle(), center * m.seat * 0.5);
        let inner = half + m.aisle;
        let outer = inner + side * m.seat;
        [(mid - outer, mid - inner), (mid - half, mid + half), (mid + inner, mid + outer)]
    }

    /// y from and to of the four aisles.
    pub(super) fn aisles(&self) -> [(f64, f64); 4] {
        let [a, b, c] = self.seat_blocks();
        [(self.m.hall_south(), a.0), (a.1, b.0), (b.1, c.0), (c.1, self.m.hall_north())]
    }

    fn row_of_seats(&mut self, x: f64, z: f64) {
        for (from, to) in self.seat_blocks() {
            let count = ((to - from) / self.m.seat).round() as u32;
            for i in 0..count {
                self.seat(dvec3(x, from + self.m.seat * f64::from(i), z));
            }
            let end = from + self.m.seat * f64::from(count);
            self.b.block([x + 0.06, end - 0.03, z], [x + 0.5, end + 0.03, z + 0.6], Material::Frame, class::FURNITURE);
        }
        self.seats += self.seat_blocks().iter().map(|(from, to)| ((to - from) / self.m.seat).round() as u32).sum::<u32>();
    }

    /// A folding seat that looks along x; `at` is its rear corner on the floor, with its arm at the low side of y.
    fn seat(&mut self, at: DVec3) {
        let width = self.m.seat;
        let fabric = Material::Fabric(self.rng.random());
        let (y0, y1) = (at.y + 0.04, at.y + width - 0.04);
        // About every sixth seat was left folded up.
        if self.rng.random_bool(0.16) {
            self.b.block([at.x + 0.14, y0, at.z + 0.42], [at.x + 0.24, y1, at.z + 0.84], fabric, class::FURNITURE);
        } else {
            self.b.block([at.x + 0.12, y0, at.z + 0.34], [at.x + 0.56, y1, at.z + 0.45], fabric, class::FURNITURE);
        }
        // The back leans away from the stage.
        let back = Solid {
            corner: dvec3(at.x + 0.05, y0, at.z + 0.32),
            edges: [DVec3::X * 0.08, DVec3::Y * (y1 - y0), dvec3(-0.1, 0.0, 0.58)],
            material: fabric,
        };
        self.b.add(back, class::FURNITURE);
        self.b.block([at.x + 0.06, at.y - 0.03, at.z], [at.x + 0.5, at.y + 0.03, at.z + 0.6], Material::Frame, class::FURNITURE);
    }
}
