//! Truth that belongs to no solid: levels, rooms, scanner positions, walking distances, cameras.

#![expect(clippy::many_single_char_names, reason = "coordinates have the names that geometry gives them")]

use glam::{DVec3, dvec3};

use super::super::truth::{Distance, Level, Room, Setup, Viewpoint};
use super::Site;

/// Height of the scanner's mirror above the floor.
const TRIPOD: f64 = 1.75;
/// Height of a standing person's eyes.
const EYE: f64 = 1.7;

impl Site {
    pub(super) fn levels(&self) -> Vec<Level> {
        let m = &self.m;
        [
            (-1, "Basement", m.basement_z, -m.slab - m.basement_z),
            (0, "Ground floor: foyer, stalls, stage, backstage", 0.0, m.upper_z - m.slab - 0.35),
            (1, "Balcony level", m.upper_z, m.foyer_top - m.upper_z),
        ]
        .into_iter()
        .map(|(id, name, floor_z, clear_height_m)| Level { id, name: name.into(), floor_z, clear_height_m })
        .collect()
    }

    pub(super) fn rooms(&self) -> Vec<Room> {
        let m = &self.m;
        let (t, w) = (m.wall, m.width);
        let [(a0, a1), (b0, b1)] = m.cores();
        let (south, north) = (m.hall_south(), m.hall_north());
        let mut rooms = Vec::new();
        let mut add = |id: &str, name: &str, level: i32, rectangle: [f64; 4], floor_z: [f64; 2]| {
            let area_m2 = (rectangle[2] - rectangle[0]) * (rectangle[3] - rectangle[1]);
            rooms.push(Room { id: id.into(), name: name.into(), level, rectangle, floor_z, area_m2 });
        };
        let flat = |z: f64| [z, z];
        let foyer = [t, a1 + t, m.foyer_end, b0 - t];
        add("foyer", "Foyer with bar", 0, foyer, flat(0.0));
        add("upper-foyer", "Upper foyer", 1, foyer, flat(m.upper_z));
        for (letter, (y0, y1)) in [("a", (a0, a1)), ("b", (b0, b1))] {
            for (level, z) in [(-1, m.basement_z), (0, 0.0), (1, m.upper_z)] {
                let id = format!("core-{letter}-{level}");
                add(&id, &format!("Stair core {}, landing", letter.to_uppercase()), level, [m.core_edge, y0, m.core_end, y1], flat(z));
            }
        }
        add("stalls", "Stalls", 0, [m.hall_start(), south, m.stage_front, north], [m.pit_z, 0.0]);
        let front = m.balcony_z(m.balcony_rows - 1);
        add("balcony", "Balcony", 1, [m.hall_start(), south, m.balcony_end(), north], [front, m.upper_z]);
        add("stage", "Stage", 0, [m.stage_front, south, m.stage_end, north], flat(0.0));
        add("corridor-south", "Side corridor south", 0, [m.hall_start(), a0, m.stage_end, south - t], flat(0.0));
        add("corridor-north", "Side corridor north", 0, [m.hall_start(), north + t, m.stage_end, b1], flat(0.0));
        add("backstage", "Backstage corridor", 0, [m.stage_end + t, t, m.backstage_end, w - t], flat(0.0));
        for (i, (y0, y1)) in self.dressing_rooms().into_iter().enumerate() {
            let name = if i == 4 { "Store with loading dock".to_owned() } else { format!("Dressing room {}", i + 1) };
            add(&format!("dressing-{}", i + 1), &name, 0, [m.backstage_end + t, y0, m.length - t, y1], flat(0.0));
        }
        let (west, east) = self.basement_corridor();
        add("basement-corridor", "Basement corridor", -1, [west, south, east, north], flat(m.basement_z));
        let [p, q] = self.basement_parts();
        let half = t * 0.5;
        for (i, (y0, y1)) in [(south, p - half), (p + half, q - half), (q + half, north)].into_iter().enumerate() {
            let name = ["Toilets south", "Cloakroom", "Toilets north"][i];
            add(&format!("basement-west-{}", i + 1), name, -1, [t, y0, west - t, y1], flat(m.basement_z));
            add(&format!("plant-{}", i + 1), &format!("Plant room {}", i + 1), -1, [east + t, y0, m.basement_end, y1], flat(m.basement_z));
        }
        rooms
    }

    pub(super) fn setups(&self) -> Vec<Setup> {
        let m = &self.m;
        let (mid, [(a0, a1), (b0, b1)]) = (m.middle(), m.cores());
        let [_, (i0, i1), (j0, j1), _] = self.aisles();
        let aisles = [(i0 + i1) * 0.5, (j0 + j1) * 0.5];
        let row_x = |row: u32| m.rake_start + m.row_pitch * (f64::from(row) + 0.5);
        let mut setups: Vec<Setup> = Vec::new();
        let mut stand = |name: &str, x: f64, y: f64, floor: f64| {
            let id = setups.len() as u16 + 1;
            setups.push(Setup { id, name: name.into(), position: dvec3(x, y, floor + TRIPOD) });
        };
        for (x, y) in [(3.6, mid - 8.6), (6.6, mid), (3.0, mid + 2.9), (7.0, mid + 8.2), (8.8, 1.9), (8.8, m.width - 1.9)] {
            stand("foyer", x, y, 0.0);
        }
        stand("bar", 3.0, b0 - m.wall - 1.0, 0.0);
        for y in [mid - 8.8, mid, mid + 8.8] {
            stand("upper foyer", 6.9, y, m.upper_z);
        }
        for y in aisles {
            for row in [1, 6, 11, 16] {
                stand("stalls aisle", row_x(row), y, m.row_z(row));
            }
        }
        // On the flat floor, in the side aisles and behind the last row.
        for (x, y, z) in [
            (m.stage_front - 1.7, mid - 3.0, m.pit_z),
            (m.stage_front - 1.7, mid + 3.0, m.pit_z),
            (row_x(4), m.hall_south() + 0.7, m.row_z(4)),
            (row_x(12), m.hall_south() + 0.7, m.row_z(12)),
            (row_x(4), m.hall_north() - 0.7, m.row_z(4)),
            (row_x(12), m.hall_north() - 0.7, m.row_z(12)),
            (m.hall_start() + 1.4, mid - 2.4, 0.0),
            (m.hall_start() + 1.4, mid + 2.4, 0.0),
        ] {
            stand("stalls", x, y, z);
        }
        let balcony_x = |row: u32| m.balcony_start + m.balcony_pitch * (f64::from(row) + 0.75);
        for y in aisles {
            for row in [1, 4, 7] {
                stand("balcony aisle", balcony_x(row), y, m.balcony_z(row));
            }
        }
        for y in [m.hall_south() + 0.7, m.hall_north() - 0.7] {
            stand("balcony side aisle", balcony_x(5), y, m.balcony_z(5));
            stand("balcony rear", m.hall_start() + 0.8, y + (mid - y) * 0.5, m.upper_z);
        }
        for (x, y) in [(3.0, mid), (6.3, mid - 6.6), (6.3, mid + 6.6), (9.0, mid - 8.9), (9.0, mid + 8.9), (9.0, mid)] {
            stand("stage", m.stage_front + x, y, 0.0);
        }
        for y in [mid - 3.2, mid + 3.2] {
            stand("behind the cyclorama", m.stage_end - 0.65, y, 0.0);
        }
        for y in [m.wall + m.corridor * 0.5, m.width - m.wall - m.corridor * 0.5] {
            for x in [13.0, 20.0, 27.0, 33.5, 40.0] {
                stand("side corridor", x, y, 0.0);
            }
        }
        for y in [2.2, 8.6, mid, 21.6, m.width - 2.2] {
            stand("backstage corridor", (m.stage_end + m.wall + m.backstage_end) * 0.5 + 0.3, y, 0.0);
        }
        for (y0, y1) in self.dressing_rooms() {
            for part in [0.3, 0.75] {
                let x = m.backstage_end + (m.length - m.backstage_end) * part;
                stand("dressing room", x, y0 + (y1 - y0) * (0.75 - 0.4 * part), 0.0);
            }
        }
        for (y0, y1) in [(a0, a1), (b0, b1)] {
            for z in [m.basement_z, 0.0, m.upper_z] {
                stand("core landing", (m.core_edge + m.core_end) * 0.5, (y0 + y1) * 0.5, z);
            }
            for (low, high) in [(m.basement_z, 0.0), (0.0, m.upper_z)] {
                let risers = ((high - low) / m.rise / 2.0).round();
                let west = m.core_edge - m.going * (risers - 1.0);
                stand("core half landing", (m.wall + west) * 0.5, (y0 + y1) * 0.5, (low + high) * 0.5);
            }
        }
        // On a mast between the seats, which hide each other's rows from the aisles, and from the lighting bridge.
        for (from, to) in self.seat_blocks() {
            let y = (from + to) * 0.5;
            for row in [2, 6, 10, 14] {
                stand("stalls, mast in a row", row_x(row) + 0.3, y, m.row_z(row) + 0.7);
            }
            for row in [2, 5] {
                stand("balcony, mast in a row", balcony_x(row), y, m.balcony_z(row) + 0.9);
            }
        }
        for y in [mid - 6.0, mid, mid + 6.0] {
            stand("lighting bridge", m.balcony_end() + 4.6, y, 6.9);
        }
        let (west, east) = self.basement_corridor();
        let [p, q] = self.basement_parts();
        for y in [(m.hall_south() + p) * 0.5, (p + q) * 0.5, (q + m.hall_north()) * 0.5] {
            stand("basement corridor", (west + east) * 0.5, y, m.basement_z);
            stand("basement west", west - m.wall - 1.2, y + 0.6, m.basement_z);
            stand("plant room", east + m.wall + 1.2, y + 0.4, m.basement_z);
            stand("plant room, far side", m.basement_end - 1.0, y - 2.4, m.basement_z);
        }
        setups
    }

    /// Ways whose length follows from the measures.
    pub(super) fn distances(&self) -> Vec<Distance> {
        let m = &self.m;
        let mut distances = Vec::new();
        let mut add = |id: &str, from: &str, to: &str, polyline: Vec<DVec3>, shortest: bool| {
            let length_m = polyline.windows(2).map(|pair| pair[0].distance(pair[1])).sum();
            distances.push(Distance { id: id.into(), from: from.into(), to: to.into(), polyline, length_m, shortest });
        };
        let [_, (i0, i1), _, _] = self.aisles();
        let aisle = (i0 + i1) * 0.5;
        let (rear, front) = (dvec3(m.rake_start, aisle, 0.0), dvec3(m.rake_end(), aisle, m.pit_z));
        add("aisle", "rear cross aisle, south inner aisle", "floor before the stage", vec![rear, front], true);
        let across = [dvec3(m.hall_start() + 1.2, m.hall_south() + 0.3, 0.0), dvec3(m.hall_start() + 1.2, m.hall_north() - 0.3, 0.0)];
        add("rear-cross-aisle", "rear cross aisle, south end", "rear cross aisle, north end", across.to_vec(), true);
        // Ways end at the inner face of the wall: from there on they are outside the building's rooms.
        let exit = |name: &str| {
            let exit = self.exits.iter().find(|exit| exit.name == name)?;
            Some((exit.id.clone(), exit.position - exit.direction * m.wall * 0.5))
        };
        if let Some((id, position)) = exit("Side corridor south") {
            let start = dvec3(m.foyer_end + m.wall * 0.5, m.wall + m.corridor * 0.5, 0.0);
            add("corridor-to-exit", "door from foyer to side corridor south", &id, vec![start, position], true);
            let corner = dvec3(m.stage_front, m.hall_south() + 0.3, 0.0);
            let door = dvec3(m.stage_front - 1.2, m.hall_south() - m.wall, 0.0);
            let inner = dvec3(m.stage_front - 1.2, m.hall_south(), 0.0);
            add("stage-corner-to-exit", "stage, south front corner", &id, vec![corner, inner, door, position], false);
        }
        if let Some((id, position)) = exit("Main entrance") {
            let door = dvec3(m.hall_start(), m.middle(), 0.0);
            add("foyer-crossing", "middle door of the hall", &id, vec![door, position], true);
        }
        if let Some((id, position)) = exit("Stage door") {
            let start = dvec3(position.x, m.width - m.wall - 1.0, 0.0);
            add("backstage-length", "north end of the backstage corridor", &id, vec![start, position], true);
        }
        for stair in &self.stairs {
            let line = Self::walking_line(stair);
            add(&format!("stair-{}", stair.id), &format!("foot of {}", stair.name), &format!("head of {}", stair.name), line, false);
        }
        distances
    }

    pub(super) fn viewpoints(&self) -> Vec<Viewpoint> {
        let m = &self.m;
        let mid = m.middle();
        let [_, (i0, i1), _, _] = self.aisles();
        [
            ("overview", dvec3(m.balcony_end() + 0.8, m.hall_north() - 1.2, 7.4), dvec3(m.stage_front + 1.0, mid - 4.0, 0.4)),
            ("outside", dvec3(-16.0, -26.0, 34.0), dvec3(m.length * 0.5, mid, 1.0)),
            (
                "stalls-to-stage",
                dvec3(m.rake_start + m.row_pitch * 6.5, (i0 + i1) * 0.5, m.row_z(6) + EYE),
                dvec3(m.stage_end - 2.0, mid, 2.6),
            ),
            ("balcony-to-stage", dvec3(m.hall_start() + 1.0, mid - 5.0, m.upper_z + EYE), dvec3(m.stage_end, mid + 1.0, 0.6)),
            ("stage-to-balcony", dvec3(m.stage_front + 0.9, mid - 2.2, EYE), dvec3(m.hall_start(), mid + 1.0, 3.6)),
            ("foyer", dvec3(7.6, m.cores()[0].1 + 1.5, EYE), dvec3(5.4, m.width - 4.0, 1.7)),
            ("stair", dvec3(m.core_end - 0.4, m.cores()[0].0 + 1.2, EYE), dvec3(1.0, m.cores()[0].0 + 1.7, 2.4)),
            ("backstage", dvec3((m.stage_end + m.wall + m.backstage_end) * 0.5 + 0.2, 2.0, EYE), dvec3(m.backstage_end - 0.8, mid, 1.3)),
            (
                "basement",
                dvec3(m.core_edge + 0.9, m.hall_south() + 1.0, m.basement_z + EYE),
                dvec3(m.core_edge + 0.6, m.hall_north(), m.basement_z + 1.2),
            ),
        ]
        .into_iter()
        .map(|(name, eye, target)| Viewpoint { name: name.into(), eye, target })
        .collect()
    }
}
