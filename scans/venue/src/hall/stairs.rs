//! Stair cores, escape stairs outside and the steps beside the stage.

use glam::{DVec3, dvec3};

use super::super::material::Material;
use super::super::truth::{Flight, Stair};
use super::Site;

impl Site {
    pub(super) fn build_stairs(&mut self) {
        self.core_stairs();
        self.escape_stairs();
        self.stage_steps();
    }

    /// Two flights a storey with a landing between them at the west end; main landings at the east end.
    fn core_stairs(&mut self) {
        let m = self.m.clone();
        for (core, (y0, y1)) in m.cores().into_iter().enumerate() {
            let letter = ["A", "B"][core];
            let lanes = [y0 + m.flight_width * 0.5 + 0.03, y1 - m.flight_width * 0.5 - 0.03];
            for z in [m.basement_z, 0.0, m.upper_z] {
                self.b.floor([m.core_edge, y0, m.core_end, y1], z, 0.2, Material::Tiles);
            }
            for (from_level, low, high) in [(-1, m.basement_z, 0.0), (0, 0.0, m.upper_z)] {
                let risers = ((high - low) / m.rise / 2.0).round() as u32;
                let run = m.going * f64::from(risers - 1);
                let (west, middle) = (m.core_edge - run, (low + high) * 0.5);
                let up = Flight { start: dvec3(m.core_edge, lanes[0], low), end: dvec3(west, lanes[0], middle), risers };
                let back = Flight { start: dvec3(west, lanes[1], middle), end: dvec3(m.core_edge, lanes[1], high), risers };
                self.b.floor([m.wall, y0, west, y1], middle, 0.2, Material::Tiles);
                for flight in [&up, &back] {
                    self.b.flight(flight, m.flight_width, m.rise, m.going, Material::Concrete);
                }
                self.stairs.push(Stair {
                    id: format!("{letter}{from_level}"),
                    name: format!("Core {letter}, level {from_level} to {}", from_level + 1),
                    from_level,
                    to_level: from_level + 1,
                    width_m: m.flight_width,
                    rise_m: m.rise,
                    going_m: m.going,
                    flights: vec![up, back],
                });
            }
            // The open well beside the last arrival.
            self.b.railing(
                dvec3(m.core_edge + 0.05, y0 + 0.05, m.upper_z),
                dvec3(m.core_edge + 0.05, lanes[0] + m.flight_width * 0.5, m.upper_z),
            );
        }
    }

    /// Straight steel stairs along the outside, from the upper foyer down to the street.
    fn escape_stairs(&mut self) {
        let m = self.m.clone();
        let width = 1.3;
        let risers = (m.upper_z / m.rise / 2.0).round() as u32;
        let run = m.going * f64::from(risers - 1);
        for (y, letter, out) in [(-0.8, "S", -1.0), (m.width + 0.8, "N", 1.0)] {
            let edge = m.hall_start() + 0.2;
            let landing = edge + run + 1.4;
            let (half, top) = (width * 0.5, m.upper_z);
            let near = if out < 0.0 { 0.0 } else { m.width };
            self.b.floor([m.core_end, (y - half).min(near), edge, (y + half).max(near)], top, 0.1, Material::Steel);
            self.b.floor([edge + run, y - half, landing, y + half], top * 0.5, 0.1, Material::Steel);
            let upper = Flight { start: dvec3(edge + run, y, top * 0.5), end: dvec3(edge, y, top), risers };
            let lower = Flight { start: dvec3(landing + run, y, 0.0), end: dvec3(landing, y, top * 0.5), risers };
            for flight in [&lower, &upper] {
                self.b.flight(flight, width, m.rise, m.going, Material::Steel);
            }
            let side = y + out * half;
            self.b.railing(dvec3(m.core_end, side, top), dvec3(edge, side, top));
            self.b.railing(dvec3(m.core_end, side, top), dvec3(m.core_end, near, top));
            self.b.railing(dvec3(edge + run, side, top * 0.5), dvec3(landing, side, top * 0.5));
            self.stairs.push(Stair {
                id: format!("ES-{letter}"),
                name: format!("Escape stair {}, outside", if out < 0.0 { "south" } else { "north" }),
                from_level: 0,
                to_level: 1,
                width_m: width,
                rise_m: m.rise,
                going_m: m.going,
                flights: vec![lower, upper],
            });
        }
    }

    /// From the floor before the stage up to a landing level with the stage, on both sides of the hall.
    fn stage_steps(&mut self) {
        let m = self.m.clone();
        let (depth, going) = (1.3, 0.3);
        let risers = (-m.pit_z / m.rise).round() as u32;
        let run = going * f64::from(risers - 1);
        let (x0, x1) = (m.stage_front - 2.2, m.stage_front);
        for (inner, out, letter) in [(m.hall_south(), -1.0, "S"), (m.hall_north(), 1.0, "N")] {
            let head = inner - out * depth;
            self.b.floor([x0, inner.min(head), x1, inner.max(head)], 0.0, -m.pit_z + m.slab, Material::Boards);
            let x = (x0 + x1) * 0.5;
            let flight = Flight { start: dvec3(x, head - out * run, m.pit_z), end: dvec3(x, head, 0.0), risers };
            self.b.flight(&flight, x1 - x0, m.rise, going, Material::Boards);
            self.b.railing(dvec3(x0 + 0.04, inner, 0.0), dvec3(x0 + 0.04, head, 0.0));
            self.stairs.push(Stair {
                id: format!("SS-{letter}"),
                name: format!("Steps beside the stage, {}", if out < 0.0 { "south" } else { "north" }),
                from_level: 0,
                to_level: 0,
                width_m: x1 - x0,
                rise_m: m.rise,
                going_m: going,
                flights: vec![flight],
            });
        }
    }

    /// The line that a walker takes on a stair, foot to head, over its landings.
    pub(super) fn walking_line(stair: &Stair) -> Vec<DVec3> {
        stair.flights.iter().flat_map(|flight| [flight.start, flight.end]).collect()
    }
}
