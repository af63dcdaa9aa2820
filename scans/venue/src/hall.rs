//! The demo venue: a concert hall on three levels, and its ground truth from the same parameters.
//!
//! ```text
//!  y                 side corridor north
//!  ^   core B +--------------------------------+--------+-----------+
//!  |  foyer   | stalls (raked down),  | stage   | back-  | dressing  |
//!  |  + bar   | balcony above         |         | stage  | rooms     |
//!  |   core A +--------------------------------+--------+-----------+
//!  +--> x            side corridor south
//! ```
//!
//! The ground floor, the stage and everything behind it lie at z = 0. The stalls fall towards the stage, the balcony hangs
//! above their rear half, the basement lies under the foyer. Two stair cores join all three levels.

mod furnish;
mod records;
mod seats;
mod shell;
mod stage;
mod stairs;

use glam::DVec3;
use rand::SeedableRng as _;
use rand_chacha::ChaCha8Rng;

use super::material::Material;
use super::scene::{Builder, Opening, Run, Scene, class};
use super::truth::{Distance, Door, DoorState, Exit, Level, Room, Setup, Stair, Viewpoint};

/// Measures of the hall that the parts share, in metres. Walls are named by the axis they cross.
#[derive(Clone, Debug)]
pub struct Measures {
    /// Length of the building along x.
    pub length: f64,
    /// Width of the building along y.
    pub width: f64,
    /// Thickness of every wall.
    pub wall: f64,
    /// Thickness of floors.
    pub slab: f64,
    /// Width of the side corridors.
    pub corridor: f64,
    /// Start of the wall between foyer and hall.
    pub foyer_end: f64,
    /// Front edge of the stage.
    pub stage_front: f64,
    /// Start of the wall behind the stage.
    pub stage_end: f64,
    /// Start of the wall between backstage corridor and dressing rooms.
    pub backstage_end: f64,
    /// Start of the wall that ends the stair cores.
    pub core_end: f64,
    /// Where the flights of the cores meet the landings.
    pub core_edge: f64,
    /// Start of the basement's east wall.
    pub basement_end: f64,
    /// Floor of the basement.
    pub basement_z: f64,
    /// Floor of the upper level.
    pub upper_z: f64,
    /// Floor in front of the stage.
    pub pit_z: f64,
    /// Underside of the hall's roof deck.
    pub hall_top: f64,
    /// Underside of the low roofs: corridors and backstage.
    pub low_top: f64,
    /// Underside of the foyer block's roof.
    pub foyer_top: f64,
    /// Rise of every step of the main stairs.
    pub rise: f64,
    /// Going of every step of the main stairs.
    pub going: f64,
    /// Width of a flight of the cores.
    pub flight_width: f64,
    /// First riser of the rake, rows behind it at z = 0.
    pub rake_start: f64,
    /// Depth of a row in the stalls.
    pub row_pitch: f64,
    /// Rows in the stalls.
    pub rows: u32,
    /// First row of the balcony.
    pub balcony_start: f64,
    /// Depth of a row of the balcony.
    pub balcony_pitch: f64,
    /// Rows of the balcony.
    pub balcony_rows: u32,
    /// Height of a row of the balcony above the next.
    pub balcony_step: f64,
    /// Width of an aisle between seats.
    pub aisle: f64,
    /// Width of a seat.
    pub seat: f64,
}

impl Default for Measures {
    fn default() -> Self {
        Self {
            length: 52.0,
            width: 30.0,
            wall: 0.3,
            slab: 0.3,
            corridor: 3.2,
            foyer_end: 9.7,
            stage_front: 32.0,
            stage_end: 43.0,
            backstage_end: 45.3,
            core_end: 7.8,
            core_edge: 5.9,
            basement_end: 15.7,
            basement_z: -3.6,
            upper_z: 5.4,
            pit_z: -1.08,
            hall_top: 13.0,
            low_top: 3.6,
            foyer_top: 9.6,
            rise: 0.18,
            going: 0.28,
            flight_width: 1.5,
            rake_start: 12.6,
            row_pitch: 0.94,
            rows: 17,
            balcony_start: 11.6,
            balcony_pitch: 0.9,
            balcony_rows: 8,
            balcony_step: 0.28,
            aisle: 1.4,
            seat: 0.54,
        }
    }
}

impl Measures {
    /// South inner face of the hall.
    pub fn hall_south(&self) -> f64 {
        self.wall * 2.0 + self.corridor
    }
    /// North inner face of the hall.
    pub fn hall_north(&self) -> f64 {
        self.width - self.hall_south()
    }
    /// Middle of the building.
    pub fn middle(&self) -> f64 {
        self.width * 0.5
    }
    /// First x inside the hall.
    pub fn hall_start(&self) -> f64 {
        self.foyer_end + self.wall
    }
    /// Start of the flat floor in front of the stalls.
    pub fn rake_end(&self) -> f64 {
        self.rake_start + self.row_pitch * f64::from(self.rows)
    }
    /// Height of a row of the stalls above the next.
    pub fn row_step(&self) -> f64 {
        -self.pit_z / f64::from(self.rows)
    }
    /// Floor height of the stalls' row, 0 at the rear.
    pub fn row_z(&self, row: u32) -> f64 {
        -self.row_step() * f64::from(row + 1)
    }
    /// Floor height of the balcony's row, 0 at the rear.
    pub fn balcony_z(&self, row: u32) -> f64 {
        self.upper_z - self.balcony_step * f64::from(row + 1)
    }
    /// Front edge of the balcony's floor.
    pub fn balcony_end(&self) -> f64 {
        self.balcony_start + self.balcony_pitch * f64::from(self.balcony_rows)
    }
    /// The two bands of y that a stair core takes, south and north.
    pub fn cores(&self) -> [(f64, f64); 2] {
        [(self.wall, self.wall + self.corridor), (self.width - self.wall - self.corridor, self.width - self.wall)]
    }
}

/// A venue: geometry, and what is known of it.
#[derive(Debug)]
pub struct Venue {
    /// The geometry.
    pub scene: Scene,
    /// The measures it was built from.
    pub measures: Measures,
    /// Seats.
    pub seats: u32,
    /// Levels, lowest first.
    pub levels: Vec<Level>,
    /// Ways out.
    pub exits: Vec<Exit>,
    /// Doors inside.
    pub doors: Vec<Door>,
    /// Stairs.
    pub stairs: Vec<Stair>,
    /// Rooms.
    pub rooms: Vec<Room>,
    /// Scanner positions.
    pub setups: Vec<Setup>,
    /// Known walking distances.
    pub distances: Vec<Distance>,
    /// Cameras.
    pub viewpoints: Vec<Viewpoint>,
}

impl Venue {
    /// The concert hall. The seed decides the furnishing (shades of seats, bottles in the bar, things on tables); the
    /// building itself is always the same.
    pub fn concert_hall(seed: u64) -> Self {
        let mut site = Site {
            m: Measures::default(),
            b: Builder::default(),
            rng: ChaCha8Rng::seed_from_u64(seed),
            exits: Vec::new(),
            doors: Vec::new(),
            stairs: Vec::new(),
            seats: 0,
        };
        site.build_shell();
        site.build_stairs();
        site.build_seats();
        site.build_stage();
        site.furnish();
        let (levels, rooms, setups) = (site.levels(), site.rooms(), site.setups());
        let (distances, viewpoints) = (site.distances(), site.viewpoints());
        Self {
            scene: site.b.finish(),
            measures: site.m,
            seats: site.seats,
            levels,
            exits: site.exits,
            doors: site.doors,
            stairs: site.stairs,
            rooms,
            setups,
            distances,
            viewpoints,
        }
    }
}

/// A venue while it is built.
struct Site {
    m: Measures,
    b: Builder,
    rng: ChaCha8Rng,
    exits: Vec<Exit>,
    doors: Vec<Door>,
    stairs: Vec<Stair>,
    seats: u32,
}

/// A door before it stands in a wall.
struct DoorPlan {
    opening: Opening,
    state: DoorState,
    /// +1 or -1: side of the wall, along its thickness, to which leaves open and people leave.
    swing: f64,
    /// Name, and what lies behind, for a door out of the building.
    exit: Option<(&'static str, &'static str)>,
}

impl DoorPlan {
    fn inside(at: f64, width: f64, sill: f64, swing: f64) -> Self {
        Self { opening: Opening { at, width, sill, height: 2.2 }, state: DoorState::Open, swing, exit: None }
    }

    fn exit(at: f64, width: f64, sill: f64, swing: f64, name: &'static str, leads_to: &'static str) -> Self {
        Self { exit: Some((name, leads_to)), ..Self::inside(at, width, sill, swing) }
    }

    fn closed(mut self) -> Self {
        self.state = DoorState::Closed;
        self
    }
}

impl Site {
    /// A wall with doors in it, recorded in the truth as exits and inner doors of `level`.
    #[expect(clippy::too_many_arguments, reason = "a wall has that many measures, and each call names them in one order")]
    fn wall_with_doors(
        &mut self,
        run: Run,
        span: (f64, f64),
        face: f64,
        z: (f64, f64),
        level: i32,
        doors: &[DoorPlan],
        material: Material,
    ) {
        let faces = (face, face + self.m.wall);
        let openings: Vec<Opening> = doors.iter().map(|door| door.opening).collect();
        self.b.wall(run, span, faces, z, &openings, material);
        for door in doors {
            self.b.door(run, door.opening, faces, door.state, door.swing, Material::Leaf);
            let across = face + self.m.wall * 0.5;
            let position = match run {
                Run::X => DVec3::new(door.opening.at, across, door.opening.sill),
                Run::Y => DVec3::new(across, door.opening.at, door.opening.sill),
            };
            let direction = (if run == Run::X { DVec3::Y } else { DVec3::X }) * door.swing;
            let Opening { width, height, .. } = door.opening;
            if let Some((name, leads_to)) = door.exit {
                self.b.sign(run, door.opening, faces, -door.swing);
                self.exits.push(Exit {
                    id: format!("E{}", self.exits.len() + 1),
                    name: name.into(),
                    level,
                    position,
                    width_m: width,
                    height_m: height,
                    direction,
                    state: door.state,
                    leads_to: leads_to.into(),
                });
                // The threshold: the floor continues through the wall.
                let p = position.to_array();
                let half = (width * 0.5, self.m.wall * 0.5 + 0.02);
                let (dx, dy) = if run == Run::X { half } else { (half.1, half.0) };
                self.b.block([p[0] - dx, p[1] - dy, p[2] - 0.06], [p[0] + dx, p[1] + dy, p[2]], Material::Concrete, class::GROUND);
            } else {
                self.doors.push(Door {
                    id: format!("D{}", self.doors.len() + 1),
                    level,
                    position,
                    width_m: width,
                    height_m: height,
                    direction,
                    state: door.state,
                });
            }
        }
    }
}
