//! The ground truth of a demo venue: what `truth.json` holds. `docs/demo-venue.md` describes each field.
//!
//! Everything here is computed from the parameters that the geometry is built from. Lengths are metres, positions lie in
//! the scan frame (Z up).

use glam::DVec3;
use serde::{Deserialize, Serialize};

/// Version of the schema of `truth.json`.
pub const TRUTH_VERSION: u32 = 1;

/// A demo venue's ground truth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Truth {
    /// Version of this schema.
    pub truth_version: u32,
    /// Name of the venue.
    pub name: String,
    /// Always `metre`.
    pub unit: String,
    /// Seed that the venue and its scan were made with.
    pub seed: u64,
    /// Points in `scan.laz`.
    pub points: u64,
    /// `[minx, miny, minz, maxx, maxy, maxz]` of the building's solids.
    pub bounds: [f64; 6],
    /// Seats.
    pub seats: u32,
    /// Levels, lowest first.
    pub levels: Vec<Level>,
    /// Ways out of the building.
    pub exits: Vec<Exit>,
    /// Stairs.
    pub stairs: Vec<Stair>,
    /// Rooms and other areas.
    pub rooms: Vec<Room>,
    /// Doors inside the building.
    pub doors: Vec<Door>,
    /// Where the scanner stood.
    pub setups: Vec<Setup>,
    /// Walking distances known by construction.
    pub distances: Vec<Distance>,
    /// Places that show the venue well.
    pub viewpoints: Vec<Viewpoint>,
    /// Noise of the simulated scanner.
    pub scanner: Scanner,
}

/// A storey.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Level {
    /// Number; the ground floor is 0.
    pub id: i32,
    /// Name.
    pub name: String,
    /// Height of the main floor.
    pub floor_z: f64,
    /// Clear height of its main room.
    pub clear_height_m: f64,
}

/// Whether one can pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DoorState {
    /// The leaf stands open: the opening is free.
    Open,
    /// The leaf fills the opening.
    Closed,
}

/// A door out of the building.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exit {
    /// Identifier, as written on plans.
    pub id: String,
    /// Name.
    pub name: String,
    /// Level it is reached on.
    pub level: i32,
    /// Middle of the opening at the floor.
    pub position: DVec3,
    /// Clear width.
    pub width_m: f64,
    /// Clear height.
    pub height_m: f64,
    /// Unit vector out of the building.
    pub direction: DVec3,
    /// Open or closed when it was scanned.
    pub state: DoorState,
    /// What lies behind it.
    pub leads_to: String,
}

/// A door inside the building.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Door {
    /// Identifier.
    pub id: String,
    /// Level.
    pub level: i32,
    /// Middle of the opening at the floor.
    pub position: DVec3,
    /// Clear width.
    pub width_m: f64,
    /// Clear height.
    pub height_m: f64,
    /// Unit vector through the opening.
    pub direction: DVec3,
    /// Open or closed when it was scanned.
    pub state: DoorState,
}

/// A stair of one or more flights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stair {
    /// Identifier.
    pub id: String,
    /// Name.
    pub name: String,
    /// Level at its foot.
    pub from_level: i32,
    /// Level at its head.
    pub to_level: i32,
    /// Width of each flight.
    pub width_m: f64,
    /// Height of a step.
    pub rise_m: f64,
    /// Depth of a step.
    pub going_m: f64,
    /// Flights, lowest first.
    pub flights: Vec<Flight>,
}

/// A run of steps without a landing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Flight {
    /// Middle of the first riser, at the floor before it.
    pub start: DVec3,
    /// Middle of the last riser, at the floor behind it.
    pub end: DVec3,
    /// Number of risers; there is one tread fewer.
    pub risers: u32,
}

/// A room or another area with one floor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Room {
    /// Identifier.
    pub id: String,
    /// Name.
    pub name: String,
    /// Level.
    pub level: i32,
    /// `[minx, miny, maxx, maxy]` between the walls.
    pub rectangle: [f64; 4],
    /// Lowest and highest floor height; equal where the floor is level.
    pub floor_z: [f64; 2],
    /// Area of the rectangle, in square metres.
    pub area_m2: f64,
}

/// A position of the scanner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Setup {
    /// Point source id of its points, from 1.
    pub id: u16,
    /// Where it stood.
    pub name: String,
    /// Middle of the mirror.
    pub position: DVec3,
}

/// A walking distance known by construction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Distance {
    /// Identifier.
    pub id: String,
    /// Where it starts.
    pub from: String,
    /// Where it ends.
    pub to: String,
    /// Floor positions along the way; on stairs along the line of the nosings.
    pub polyline: Vec<DVec3>,
    /// Length of the polyline.
    pub length_m: f64,
    /// Whether no shorter way exists for a walker without width.
    pub shortest: bool,
}

/// A camera.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Viewpoint {
    /// Name.
    pub name: String,
    /// Where the eye is.
    pub eye: DVec3,
    /// What it looks at.
    pub target: DVec3,
}

/// The simulated scanner.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scanner {
    /// Standard deviation of the range.
    pub range_noise_m: f64,
    /// Greatest range.
    pub max_range_m: f64,
    /// Step of the stored coordinates.
    pub resolution_m: f64,
}
