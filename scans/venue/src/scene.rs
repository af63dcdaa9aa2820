//! Building a venue out of solids: slabs, walls with openings, doors, flights of steps, railings.

use std::ops::Range;

use glam::{DVec3, dvec3};

use super::bvh::{Bvh, Hit};
use super::material::Material;
use super::passage::Passage;
use super::solid::Solid;
use super::truth::{DoorState, Flight};
use parterre_model::points::Bounds;

/// ASPRS classes that the simulated scan uses.
pub mod class {
    /// Floors, steps and paving.
    pub const GROUND: u8 = 2;
    /// Walls, ceilings, roofs, frames.
    pub const BUILDING: u8 = 6;
    /// Seats and furniture; the first class of users' own.
    pub const FURNITURE: u8 = 64;
    /// Stage equipment, lighting and rigging.
    pub const EQUIPMENT: u8 = 65;
    /// Door leaves.
    pub const DOOR: u8 = 66;
    /// Exit signs.
    pub const SIGN: u8 = 67;
}

/// Which way a wall runs; the other horizontal axis is its thickness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// Along x.
    X,
    /// Along y.
    Y,
}

/// A free rectangle in a wall.
#[derive(Clone, Copy, Debug)]
pub struct Opening {
    /// Middle, along the wall.
    pub at: f64,
    /// Width along the wall.
    pub width: f64,
    /// Height of its floor.
    pub sill: f64,
    /// Height of the opening above the sill.
    pub height: f64,
}

/// Solids as they are collected, each with its class.
#[derive(Debug, Default)]
pub struct Builder {
    solids: Vec<Solid>,
    classes: Vec<u8>,
    /// Ranges of solids that are railings.
    railings: Vec<Range<u32>>,
    passages: Vec<Passage>,
}

impl Builder {
    /// Adds one solid.
    pub fn add(&mut self, solid: Solid, class: u8) {
        self.solids.push(solid);
        self.classes.push(class);
    }

    /// Adds a box from one corner to the other.
    pub fn block(&mut self, a: [f64; 3], b: [f64; 3], material: Material, class: u8) {
        self.add(Solid::block(a.into(), b.into(), material), class);
    }

    /// A floor: its top lies at `z`, and it is walked on.
    pub fn floor(&mut self, [x0, y0, x1, y1]: [f64; 4], z: f64, thickness: f64, material: Material) {
        self.block([x0, y0, z - thickness], [x1, y1, z], material, class::GROUND);
    }

    /// A ceiling or roof with its underside at `z`.
    pub fn ceiling(&mut self, [x0, y0, x1, y1]: [f64; 4], z: f64, thickness: f64, material: Material) {
        self.block([x0, y0, z], [x1, y1, z + thickness], material, class::BUILDING);
    }

    /// A wall that runs from `from` to `to`, between the `faces` across it and the heights `z`, free at its openings.
    pub fn wall(&mut self, run: Run, (from, to): (f64, f64), faces: (f64, f64), z: (f64, f64), openings: &[Opening], material: Material) {
        let mut part = |a: f64, b: f64, low: f64, high: f64| {
            if b - a < 1e-6 || high - low < 1e-6 {
                return;
            }
            let (p, q) = match run {
                Run::X => ([a, faces.0, low], [b, faces.1, high]),
                Run::Y => ([faces.0, a, low], [faces.1, b, high]),
            };
            self.block(p, q, material, class::BUILDING);
        };
        let mut sorted = openings.to_vec();
        sorted.sort_by(|a, b| a.at.total_cmp(&b.at));
        let mut reached = from;
        for opening in &sorted {
            let (a, b) = (opening.at - opening.width * 0.5, opening.at + opening.width * 0.5);
            part(reached, a, z.0, z.1);
            part(a, b, z.0, opening.sill.max(z.0));
            part(a, b, (opening.sill + opening.height).min(z.1), z.1);
            reached = b;
        }
        part(reached, to, z.0, z.1);
        for opening in &sorted {
            let (low, high) = (opening.sill.max(z.0), (opening.sill + opening.height).min(z.1));
            let (along, across) = match run {
                Run::X => (DVec3::X, DVec3::Y),
                Run::Y => (DVec3::Y, DVec3::X),
            };
            let (near, far) = (faces.0.min(faces.1), faces.0.max(faces.1));
            let corner = along * (opening.at - opening.width * 0.5) + across * near + DVec3::Z * low;
            self.passages.push(Passage::in_wall(corner, along * opening.width, DVec3::Z * (high - low), across * (far - near)));
        }
    }

    /// The frame and the leaves of a door in an opening of a wall. Leaves of an open door stand at right angles to the
    /// wall, on the side of `swing` (+1 or -1 along the wall's thickness), beside the free opening.
    pub fn door(&mut self, run: Run, opening: Opening, faces: (f64, f64), state: DoorState, swing: f64, material: Material) {
        const LEAF: f64 = 0.05;
        const FRAME: f64 = 0.08;
        let (a, b) = (opening.at - opening.width * 0.5, opening.at + opening.width * 0.5);
        let (low, high) = (opening.sill, opening.sill + opening.height);
        let (near, far) = (faces.0.min(faces.1) - 0.02, faces.0.max(faces.1) + 0.02);
        let mut part = |along: (f64, f64), across: (f64, f64), z: (f64, f64), material: Material, class: u8| {
            let (p, q) = match run {
                Run::X => ([along.0, across.0, z.0], [along.1, across.1, z.1]),
                Run::Y => ([across.0, along.0, z.0], [across.1, along.1, z.1]),
            };
            self.block(p, q, material, class);
        };
        // The frame lies in the wall's faces, outside the clear opening.
        for face in [(near, near + 0.03), (far - 0.03, far)] {
            part((a - FRAME, a), face, (low, high + FRAME), Material::Frame, class::BUILDING);
            part((b, b + FRAME), face, (low, high + FRAME), Material::Frame, class::BUILDING);
            part((a, b), face, (high, high + FRAME), Material::Frame, class::BUILDING);
        }
        let leaves = if opening.width > 1.15 { 2.0 } else { 1.0 };
        match state {
            DoorState::Closed => {
                let middle = (near + far) * 0.5;
                part((a, b), (middle - LEAF * 0.5, middle + LEAF * 0.5), (low, high), material, class::DOOR);
                part((a + 0.1, b - 0.1), (middle - 0.08, middle + 0.08), (low + 1.0, low + 1.06), Material::Steel, class::DOOR);
            }
            DoorState::Open => {
                let reach = opening.width / leaves;
                let across = if swing > 0.0 { (far, far + reach) } else { (near - reach, near) };
                part((a - LEAF, a), across, (low + 0.02, high), material, class::DOOR);
                if leaves > 1.5 {
                    part((b, b + LEAF), across, (low + 0.02, high), material, class::DOOR);
                }
            }
        }
    }

    /// A lit sign above an opening, on the side of the wall that `side` (+1 or -1) names.
    pub fn sign(&mut self, run: Run, opening: Opening, faces: (f64, f64), side: f64) {
        let face = if side > 0.0 { faces.0.max(faces.1) } else { faces.0.min(faces.1) };
        let across = if side > 0.0 { (face + 0.03, face + 0.11) } else { (face - 0.11, face - 0.03) };
        let low = opening.sill + opening.height + 0.14;
        let (a, b) = (opening.at - 0.38, opening.at + 0.38);
        let (p, q) = match run {
            Run::X => ([a, across.0, low], [b, across.1, low + 0.26]),
            Run::Y => ([across.0, a, low], [across.1, b, low + 0.26]),
        };
        self.block(p, q, Material::Sign, class::SIGN);
    }

    /// A flight: solid steps with a marked edge, and handrails at both sides. Steps rise by `rise` along a horizontal axis.
    pub fn flight(&mut self, flight: &Flight, width: f64, rise: f64, going: f64, material: Material) {
        let along = (flight.end - flight.start).with_z(0.0).normalize_or(DVec3::X);
        let side = dvec3(-along.y, along.x, 0.0) * width * 0.5;
        for step in 0..flight.risers.saturating_sub(1) {
            let nose = flight.start + along * going * f64::from(step);
            let top = flight.start.z + rise * f64::from(step + 1);
            // Thick enough that a tread overlaps the next riser: no light falls through.
            self.add(
                Solid::block((nose - side).with_z(top - rise - 0.14), (nose + along * going + side).with_z(top), material),
                class::GROUND,
            );
            let strip = nose + along * 0.05;
            let (a, b) = ((nose - side).with_z(top - 0.03), (strip + side).with_z(top + 0.002));
            self.add(Solid::block(a - along * 0.002, b, Material::Nosing), class::GROUND);
        }
        for hand in [-0.96, 0.96] {
            let (foot, head) = (flight.start + side * hand, flight.end + side * hand);
            self.railing(foot + DVec3::Z * rise, head);
        }
    }

    /// A railing of posts, two rails and a handrail, 0.95 m high, along a line on the floor.
    pub fn railing(&mut self, from: DVec3, to: DVec3) {
        let along = to - from;
        let across = dvec3(-along.y, along.x, 0.0).normalize_or(DVec3::Y);
        let first = self.solids.len() as u32;
        for (height, size) in [(0.35, 0.02), (0.65, 0.02), (0.95, 0.05)] {
            let up = DVec3::Z * height;
            self.add(Solid::bar(from + up, to + up, across, size, size, Material::Steel), class::BUILDING);
        }
        let posts = (along.length() / 0.9).ceil().max(1.0) as u32;
        for post in 0..=posts {
            let foot = from + along * (f64::from(post) / f64::from(posts));
            let half = dvec3(0.02, 0.02, 0.0);
            self.add(Solid::block(foot - half, foot + half + DVec3::Z * 0.95, Material::Steel), class::BUILDING);
        }
        self.railings.push(first..self.solids.len() as u32);
        let thick = across * 0.05;
        self.passages.push(Passage::in_railing(from - thick * 0.5, along, DVec3::Z * 0.95, thick));
    }

    /// Closes the scene and prepares it for rays.
    pub fn finish(self) -> Scene {
        let bounds = self.solids.iter().fold(Bounds::EMPTY, |all, solid| all.union(solid.bounds()));
        Scene {
            bvh: Bvh::new(&self.solids),
            solids: self.solids,
            classes: self.classes,
            railings: self.railings,
            passages: self.passages,
            bounds,
        }
    }
}

/// Solids with a class each, ready for rays.
#[derive(Debug)]
pub struct Scene {
    bvh: Bvh,
    solids: Vec<Solid>,
    classes: Vec<u8>,
    railings: Vec<Range<u32>>,
    passages: Vec<Passage>,
    bounds: Bounds,
}

impl Scene {
    /// The solids.
    pub fn solids(&self) -> &[Solid] {
        &self.solids
    }

    /// ASPRS class of a solid.
    pub fn class(&self, solid: u32) -> u8 {
        self.classes.get(solid as usize).copied().unwrap_or(class::BUILDING)
    }

    /// Whether the solid is a part of a railing.
    pub fn is_railing(&self, solid: u32) -> bool {
        // Railings are added in ascending order, so their ranges are sorted.
        let after = self.railings.partition_point(|railing| railing.start <= solid);
        after > 0 && self.railings[after - 1].contains(&solid)
    }

    /// The openings of walls, closed doors' too, and the fields of railings.
    pub fn passages(&self) -> &[Passage] {
        &self.passages
    }

    /// The box around all solids.
    pub fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// The first solid that a ray enters within `limit` (in units of the direction's length); solids that hold the origin are
    /// not met.
    pub fn first_hit(&self, origin: DVec3, direction: DVec3, limit: f64) -> Option<Hit> {
        self.bvh.first_hit(origin.as_vec3a(), direction.as_vec3a(), limit as f32)
    }

    /// Whether nothing stands between two points.
    pub fn is_free(&self, from: DVec3, to: DVec3) -> bool {
        self.first_hit(from, to - from, 1.0).is_none()
    }
}
