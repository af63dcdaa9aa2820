//! Floors, walls, ceilings and roofs.

use super::super::material::{Carpet, Material};
use super::super::scene::{Run, class};
use super::{DoorPlan, Site};

const CORRIDOR_PAINT: Material = Material::Paint([196, 210, 214]);
const BACKSTAGE_PAINT: Material = Material::Paint([206, 204, 186]);
const BASEMENT_PAINT: Material = Material::Paint([198, 206, 190]);
const CORE_PAINT: Material = Material::Paint([224, 214, 190]);

impl Site {
    pub(super) fn build_shell(&mut self) {
        self.floors();
        self.foyer_walls();
        self.hall_walls();
        self.backstage_walls();
        self.basement_walls();
        self.roofs();
        self.surroundings();
    }

    fn floors(&mut self) {
        let m = self.m.clone();
        let (w, slab) = (m.width, m.slab);
        let [(_, south), (north, _)] = m.cores();
        let core_end = m.core_end + m.wall;
        for (z, material) in [(0.0, Material::Carpet(Carpet::Foyer)), (m.upper_z, Material::Carpet(Carpet::Foyer))] {
            self.b.floor([0.0, south, m.hall_start(), north], z, slab, material);
            self.b.floor([core_end - m.wall, 0.0, m.hall_start(), south], z, slab, material);
            self.b.floor([core_end - m.wall, north, m.hall_start(), w], z, slab, material);
        }
        let (hall_south, hall_north) = (m.hall_south(), m.hall_north());
        for (y0, y1) in [(0.0, hall_south - m.wall), (hall_north + m.wall, w)] {
            self.b.floor([m.hall_start(), y0, m.stage_end + m.wall, y1], 0.0, slab, Material::Tiles);
        }
        self.b.floor([m.hall_start(), hall_south, m.rake_start, hall_north], 0.0, slab, Material::Carpet(Carpet::Hall));
        self.b.floor([m.rake_end(), hall_south, m.stage_front, hall_north], m.pit_z, slab, Material::Carpet(Carpet::Hall));
        self.b.floor([m.stage_front, hall_south, m.stage_end + m.wall, hall_north], 0.0, 0.25, Material::Boards);
        self.b.block(
            [m.stage_front, hall_south, m.pit_z - slab],
            [m.stage_front + 0.12, hall_north, -0.03],
            Material::Slats,
            class::BUILDING,
        );
        self.b.floor([m.stage_end + m.wall, 0.0, m.length, w], 0.0, slab, Material::Tiles);
        self.b.floor([0.0, 0.0, m.basement_end + m.wall, w], m.basement_z, slab, Material::Concrete);
        // The basement's ceiling under the hall lies lower, beneath the rake.
        self.b.ceiling([m.hall_start(), m.cores()[0].1, m.basement_end + m.wall, m.cores()[1].0], -0.75, 0.1, Material::Concrete);
        self.b.block(
            [m.hall_start(), m.cores()[0].1, -0.75],
            [m.hall_start() + 0.1, m.cores()[1].0, -m.slab],
            Material::Concrete,
            class::BUILDING,
        );
    }

    fn foyer_walls(&mut self) {
        let m = self.m.clone();
        let (t, mid, top) = (m.wall, m.middle(), m.foyer_top);
        let ground = (-m.slab, m.upper_z - m.slab);
        let upper = (m.upper_z - m.slab, top);
        let outside = "outside: street";
        self.wall_with_doors(
            Run::Y,
            (0.0, m.width),
            0.0,
            ground,
            0,
            &[
                DoorPlan::exit(mid - 5.0, 1.8, 0.0, -1.0, "Main entrance south", outside),
                DoorPlan::exit(mid, 2.4, 0.0, -1.0, "Main entrance", outside),
                DoorPlan::exit(mid + 5.0, 1.8, 0.0, -1.0, "Main entrance north", outside).closed(),
            ],
            Material::Plaster,
        );
        self.b.wall(Run::Y, (0.0, m.width), (0.0, t), upper, &[], Material::Plaster);
        let landing = (m.core_edge + m.core_end) * 0.5;
        let upper_exit = (m.core_end + t + m.foyer_end) * 0.5;
        for (face, out, core, stair, side, open) in [
            (0.0, -1.0, "Core A, side street", "Escape stair south", "outside: side street south", true),
            (m.width - t, 1.0, "Core B, side street", "Escape stair north", "outside: side street north", false),
        ] {
            let with_state = |plan: DoorPlan| if open { plan } else { plan.closed() };
            let span = (0.0, m.hall_start());
            self.wall_with_doors(Run::X, span, face, ground, 0, &[DoorPlan::exit(landing, 1.2, 0.0, out, core, side)], Material::Plaster);
            let leads = "outside stair that ends on the side street";
            let plan = with_state(DoorPlan::exit(upper_exit, 1.2, m.upper_z, out, stair, leads));
            self.wall_with_doors(Run::X, span, face, upper, 1, &[plan], Material::Plaster);
        }
        // Stair cores: the wall towards the foyer has a door on every level, the wall at the end has none.
        for (index, (y0, y1)) in m.cores().into_iter().enumerate() {
            let (face, swing) = if index == 0 { (y1, 1.0) } else { (y0 - t, -1.0) };
            for (level, z) in [(-1, (m.basement_z - m.slab, -m.slab)), (0, ground), (1, upper)] {
                let sill = [m.basement_z, 0.0, m.upper_z][(level + 1) as usize];
                let span = (t, m.core_end + t);
                self.wall_with_doors(Run::X, span, face, z, level, &[DoorPlan::inside(landing, 1.2, sill, swing)], CORE_PAINT);
                self.b.wall(Run::Y, (y0, y1), (m.core_end, m.core_end + t), z, &[], CORE_PAINT);
            }
        }
        // Between foyer and hall.
        let hall_doors: Vec<DoorPlan> = [mid - 6.5, mid, mid + 6.5].into_iter().map(|y| DoorPlan::inside(y, 1.8, 0.0, -1.0)).collect();
        self.wall_with_doors(Run::Y, (m.hall_south() - t, m.hall_north() + t), m.foyer_end, ground, 0, &hall_doors, Material::Plaster);
        let balcony_doors: Vec<DoorPlan> = [mid - 5.0, mid + 5.0].into_iter().map(|y| DoorPlan::inside(y, 1.6, m.upper_z, -1.0)).collect();
        let (low, high) = (m.upper_z - m.slab, m.hall_top);
        self.wall_with_doors(
            Run::Y,
            (m.hall_south() - t, m.hall_north() + t),
            m.foyer_end,
            (low, high),
            1,
            &balcony_doors,
            Material::Plaster,
        );
        for (y0, y1) in [(0.0, m.hall_south() - t), (m.hall_north() + t, m.width)] {
            let middle = if y0 < mid { t + m.corridor * 0.5 } else { m.width - t - m.corridor * 0.5 };
            self.wall_with_doors(Run::Y, (y0, y1), m.foyer_end, ground, 0, &[DoorPlan::inside(middle, 1.8, 0.0, 1.0)], Material::Plaster);
            self.b.wall(Run::Y, (y0, y1), (m.foyer_end, m.foyer_end + t), (upper.0, top), &[], Material::Plaster);
        }
    }

    fn hall_walls(&mut self) {
        let m = self.m.clone();
        let (t, top) = (m.wall, m.hall_top);
        let rear = m.hall_start() + 1.2;
        let front = m.stage_front - 1.2;
        for (inner, outer, out, name) in [
            (m.hall_south() - t, 0.0, -1.0, ["Side corridor south", "Side corridor south, rear"]),
            (m.hall_north(), m.width - t, 1.0, ["Side corridor north", "Side corridor north, rear"]),
        ] {
            let doors = [DoorPlan::inside(rear, 1.6, 0.0, out), DoorPlan::inside(front, 1.6, 0.0, out)];
            self.wall_with_doors(
                Run::X,
                (m.hall_start(), m.stage_front),
                inner,
                (m.pit_z - m.slab, m.low_top + m.slab),
                0,
                &doors,
                Material::Slats,
            );
            self.b.wall(Run::X, (m.hall_start(), m.stage_front), (inner, inner + t), (m.low_top + m.slab, top), &[], Material::Slats);
            self.b.wall(Run::X, (m.stage_front, m.stage_end + t), (inner, inner + t), (-m.slab, top), &[], Material::Plain([58, 56, 64]));
            let side = if out < 0.0 { "outside: side street south" } else { "outside: side street north" };
            let exits = [
                DoorPlan::exit(front - 2.6, 1.8, 0.0, out, name[0], side),
                DoorPlan::exit(m.hall_start() + 4.0, 1.2, 0.0, out, name[1], side).closed(),
            ];
            self.wall_with_doors(
                Run::X,
                (m.hall_start(), m.stage_end + t),
                outer,
                (-m.slab, m.low_top + m.slab),
                0,
                &exits,
                CORRIDOR_PAINT,
            );
        }
        let backstage: Vec<DoorPlan> =
            [m.hall_south() + 3.0, m.hall_north() - 3.0].into_iter().map(|y| DoorPlan::inside(y, 1.6, 0.0, 1.0)).collect();
        let span = (m.hall_south() - t, m.hall_north() + t);
        self.wall_with_doors(Run::Y, span, m.stage_end, (-m.slab, top), 0, &backstage, Material::Plain([70, 68, 76]));
        // Proscenium, with a gilded frame.
        let (a, b) = (m.hall_south() + 2.4, m.hall_north() - 2.4);
        let (face, height) = (m.stage_front + 1.2, 8.6);
        let gap = super::Opening { at: (a + b) * 0.5, width: b - a, sill: 0.0, height };
        self.b.wall(Run::Y, (m.hall_south(), m.hall_north()), (face, face + 0.4), (0.0, top), &[gap], Material::Plaster);
        for (y0, y1, z0, z1) in [(a - 0.35, a, 0.0, height + 0.35), (b, b + 0.35, 0.0, height + 0.35), (a, b, height, height + 0.35)] {
            self.b.block([face - 0.12, y0, z0], [face + 0.02, y1, z1], Material::Gold, class::BUILDING);
        }
    }

    fn backstage_walls(&mut self) {
        let m = self.m.clone();
        let (t, z) = (m.wall, (-m.slab, m.low_top + m.slab));
        let corridor = (m.stage_end + t + m.backstage_end) * 0.5;
        let span = (m.stage_end + t, m.length);
        self.wall_with_doors(
            Run::X,
            span,
            0.0,
            z,
            0,
            &[DoorPlan::exit(corridor, 1.2, 0.0, -1.0, "Stage door", "outside: side street south")],
            BACKSTAGE_PAINT,
        );
        self.wall_with_doors(
            Run::X,
            span,
            m.width - t,
            z,
            0,
            &[DoorPlan::exit(corridor, 1.6, 0.0, 1.0, "Artists' exit", "outside: side street north")],
            BACKSTAGE_PAINT,
        );
        let rooms = self.dressing_rooms();
        let doors: Vec<DoorPlan> = rooms.iter().map(|room| DoorPlan::inside(room.1 - 1.2, 1.0, 0.0, 1.0)).collect();
        self.wall_with_doors(Run::Y, (t, m.width - t), m.backstage_end, z, 0, &doors, BACKSTAGE_PAINT);
        for room in &rooms[1..] {
            self.b.wall(Run::X, (m.backstage_end + t, m.length - t), (room.0 - t, room.0), z, &[], BACKSTAGE_PAINT);
        }
        let store = rooms[rooms.len() - 1];
        let mut dock = DoorPlan::exit((store.0 + store.1) * 0.5, 3.0, 0.0, 1.0, "Loading dock", "outside: yard").closed();
        dock.opening.height = 2.8;
        self.wall_with_doors(Run::Y, (0.0, m.width), m.length - t, z, 0, &[dock], BACKSTAGE_PAINT);
    }

    /// y from and to of the rooms behind the backstage corridor, south to north; the last is the store at the dock.
    pub(super) fn dressing_rooms(&self) -> Vec<(f64, f64)> {
        const ROOMS: u32 = 5;
        let (t, clear) = (self.m.wall, self.m.width - self.m.wall * 2.0);
        let each = (clear - t * f64::from(ROOMS - 1)) / f64::from(ROOMS);
        (0..ROOMS).map(|i| t + (each + t) * f64::from(i)).map(|y| (y, y + each)).collect()
    }

    /// x of the walls that bound the basement's middle corridor, which joins the cores.
    pub(super) fn basement_corridor(&self) -> (f64, f64) {
        (self.m.core_edge - 0.7, self.m.core_end + 0.4)
    }

    /// y of the walls between the basement's rooms.
    pub(super) fn basement_parts(&self) -> [f64; 2] {
        let (low, high) = (self.m.hall_south(), self.m.hall_north());
        [low + (high - low) / 3.0, low + (high - low) * 2.0 / 3.0]
    }

    fn basement_walls(&mut self) {
        let m = self.m.clone();
        let t = m.wall;
        let z = (m.basement_z - m.slab, -m.slab);
        let landing = (m.core_edge + m.core_end) * 0.5;
        self.b.wall(Run::Y, (0.0, m.width), (0.0, t), z, &[], BASEMENT_PAINT);
        for (face, out, name, open) in [(0.0, -1.0, "Sunken court south", true), (m.width - t, 1.0, "Sunken court north", false)] {
            let plan = DoorPlan::exit(landing, 1.2, m.basement_z, out, name, "outside: sunken court");
            let plan = if open { plan } else { plan.closed() };
            self.wall_with_doors(Run::X, (0.0, m.basement_end + t), face, z, -1, &[plan], BASEMENT_PAINT);
        }
        let (south, north) = (m.hall_south(), m.hall_north());
        let high = (z.0, -0.3);
        self.b.wall(Run::Y, (south - t, north + t), (m.basement_end, m.basement_end + t), high, &[], BASEMENT_PAINT);
        for face in [south - t, north] {
            self.b.wall(Run::X, (m.core_end + t, m.basement_end), (face, face + t), high, &[], BASEMENT_PAINT);
        }
        let (west, east) = self.basement_corridor();
        let parts = self.basement_parts();
        let middles = [(south + parts[0]) * 0.5, (parts[0] + parts[1]) * 0.5, (parts[1] + north) * 0.5];
        for (face, swing) in [(west - t, -1.0), (east, 1.0)] {
            let doors: Vec<DoorPlan> = middles.iter().map(|&y| DoorPlan::inside(y, 1.0, m.basement_z, swing)).collect();
            self.wall_with_doors(Run::Y, (south, north), face, high, -1, &doors, BASEMENT_PAINT);
        }
        for y in parts {
            self.b.wall(Run::X, (t, west - t), (y - t * 0.5, y + t * 0.5), z, &[], BASEMENT_PAINT);
            self.b.wall(Run::X, (east + t, m.basement_end), (y - t * 0.5, y + t * 0.5), high, &[], BASEMENT_PAINT);
        }
    }

    fn roofs(&mut self) {
        let m = self.m.clone();
        let (t, w) = (m.wall, m.width);
        self.b.ceiling([0.0, 0.0, m.hall_start(), w], m.foyer_top, m.slab, Material::Plaster);
        self.b.ceiling([m.foyer_end, m.hall_south() - t, m.stage_end + t, m.hall_north() + t], m.hall_top, m.slab, Material::Deck);
        for (y0, y1) in [(0.0, m.hall_south() - t), (m.hall_north() + t, w)] {
            self.b.ceiling([m.hall_start(), y0, m.stage_end + t, y1], m.low_top, m.slab, Material::Plaster);
        }
        self.b.ceiling([m.stage_end + t, 0.0, m.length, w], m.low_top, m.slab, Material::Plaster);
        // A suspended ceiling under the upper floor of the foyer.
        let (y0, y1) = (m.cores()[0].1 + t, m.cores()[1].0 - t);
        self.b.ceiling([t, y0, m.foyer_end, y1], m.upper_z - m.slab - 0.35, 0.05, Material::Plaster);
    }

    /// A strip of street around the building, with a sunken court before each basement exit.
    fn surroundings(&mut self) {
        let m = self.m.clone();
        let (reach, l, w, low) = (4.0, m.length, m.width, m.basement_z);
        let (c0, c1, deep) = (m.core_edge - 3.0, m.core_end + 0.6, 2.4);
        let paving = Material::Paving;
        self.b.floor([-reach, -reach, 0.0, w + reach], 0.0, 0.3, paving);
        self.b.floor([l, -reach, l + reach, w + reach], 0.0, 0.3, paving);
        for (y0, y1, edge, far) in [(-reach, 0.0, -deep, -reach), (w, w + reach, w + deep, w + reach)] {
            // The court is crossed at street level by a bridge from the core's door: a grating over its near part.
            self.b.floor([0.0, y0, c0, y1], 0.0, 0.3, paving);
            self.b.floor([c1, y0, l, y1], 0.0, 0.3, paving);
            self.b.floor([c0, edge.min(far), c1, edge.max(far)], 0.0, 0.3, paving);
            let (near, out) = if edge < 0.0 { (0.0, edge) } else { (w, edge) };
            self.b.floor([m.core_edge, near.min(out), m.core_end, near.max(out)], 0.0, 0.08, Material::Steel);
            self.b.floor([c0, near.min(out), c1, near.max(out)], low, 0.2, Material::Concrete);
            let wall = if edge < 0.0 { (edge - 0.2, edge) } else { (edge, edge + 0.2) };
            self.b.block([c0, wall.0, low], [c1, wall.1, -0.3], Material::Concrete, class::BUILDING);
            for x in [c0 - 0.2, c1] {
                self.b.block([x, near.min(out), low], [x + 0.2, near.max(out), -0.3], Material::Concrete, class::BUILDING);
            }
        }
    }
}
