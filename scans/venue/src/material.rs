//! What surfaces look like: base colour with pattern, how much laser light they return, and the light they stand in.
//!
//! Patterns are functions of the position on the surface, so that a scan shows texture at the density it has.

#![expect(clippy::many_single_char_names, reason = "coordinates have the names that geometry gives them")]

use glam::{DVec3, Vec3};

/// What a solid is made of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Material {
    /// Patterned carpet; the field says which of two colour ways.
    Carpet(Carpet),
    /// Painted plaster with panel joints.
    Plaster,
    /// Painted plaster of plain rooms, in one of several tints.
    Paint([u8; 3]),
    /// Wooden wall cladding in vertical slats.
    Slats,
    /// Stage boards.
    Boards,
    /// Dark roof deck.
    Deck,
    /// Acoustic cloud of pale wood.
    Cloud,
    /// Seat fabric; the field varies the shade from seat to seat.
    Fabric(u8),
    /// Bare concrete.
    Concrete,
    /// Tiles in a chequer.
    Tiles,
    /// Galvanised or painted steel.
    Steel,
    /// Loudspeakers, cases, cloth: takes most of the light.
    Black,
    /// Exit sign, lit from inside.
    Sign,
    /// Lamp, lit from inside.
    Lamp([u8; 3]),
    /// Gilded plaster and brass.
    Gold,
    /// Door leaf.
    Leaf,
    /// Door frame.
    Frame,
    /// Furniture of plain colour.
    Plain([u8; 3]),
    /// Cloth at the back of the stage, washed in coloured light.
    Cyclorama,
    /// Paving outside.
    Paving,
    /// Edge strip of steps.
    Nosing,
}

/// Colour ways of the carpet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carpet {
    /// Deep red with golden lozenges: foyers.
    Foyer,
    /// Dark blue-grey: the auditorium.
    Hall,
}

/// A surface at one place.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Linear-ish colour, 0 to 1, before light.
    pub color: Vec3,
    /// Share of its own light, 0 to 1.
    pub glow: f32,
    /// Share of the laser's light that comes back, 0 to 1.
    pub reflectance: f32,
}

impl Material {
    /// How the surface looks at `at` (metres) on a face with this outward normal.
    pub fn look(self, at: DVec3, normal: Vec3) -> Look {
        let (u, v) = on_face(at, normal);
        let matte = |color: Vec3, reflectance: f32| Look { color, glow: 0.0, reflectance };
        let is_underside = normal.z < -0.5;
        match self {
            // A floor's covering lies on its upper side alone.
            Self::Carpet(_) | Self::Tiles | Self::Boards | Self::Paving if is_underside => matte(rgb(186, 184, 178), 0.6),
            Self::Carpet(way) => {
                let (ground, figure, spot) = match way {
                    Carpet::Foyer => (rgb(122, 22, 34), rgb(196, 148, 70), rgb(70, 12, 24)),
                    Carpet::Hall => (rgb(48, 54, 76), rgb(74, 84, 116), rgb(34, 38, 56)),
                };
                let (a, b) = (tooth((u + v) / 1.2), tooth((u - v) / 1.2));
                let color = if a.max(b) > 0.9 {
                    figure
                } else if a.max(b) < 0.3 {
                    spot
                } else {
                    ground
                };
                matte(color, 0.35)
            }
            Self::Plaster => {
                let joint = edge(u, 1.5) < 0.02 || (normal.z.abs() < 0.5 && edge(v, 3.0) < 0.02);
                matte(if joint { rgb(178, 168, 150) } else { rgb(226, 216, 196) }, 0.75)
            }
            Self::Paint([r, g, b]) => {
                // A darker band to the height of a hand, as corridors have.
                let band = normal.z.abs() < 0.5 && at.z.rem_euclid(3.6) < 1.1;
                matte(rgb(r, g, b) * if band { 0.72 } else { 1.0 }, 0.7)
            }
            Self::Slats => {
                let slat = u.rem_euclid(0.62) / 0.62;
                let board = noise((u / 0.62).floor());
                matte(if slat < 0.2 { rgb(70, 42, 24) } else { rgb(178, 118, 68) * (0.86 + 0.22 * board) }, 0.55)
            }
            Self::Boards => {
                let plank = (v / 0.18).floor();
                let shade = 0.82 + 0.3 * noise(plank + 31.0 * (u / 2.4 + f64::from(noise(plank))).floor());
                matte(rgb(150, 102, 60) * if edge(v, 0.18) < 0.012 { 0.5 } else { shade }, 0.5)
            }
            Self::Deck => matte(if edge(u, 0.5) < 0.05 { rgb(34, 36, 44) } else { rgb(52, 54, 64) }, 0.22),
            Self::Cloud => matte(rgb(206, 166, 116) * if edge(u, 0.6) < 0.02 { 0.6 } else { 1.0 }, 0.6),
            Self::Fabric(tint) => matte(rgb(168, 26, 38) * (0.78 + 0.4 * f32::from(tint) / 255.0), 0.4),
            Self::Concrete => matte(rgb(150, 150, 148) * (0.9 + 0.1 * noise((u * 2.0).floor() + 7.0 * (v * 2.0).floor())), 0.5),
            Self::Tiles => {
                let even = ((u / 0.6).floor() + (v / 0.6).floor()).rem_euclid(2.0) < 1.0;
                matte(if even { rgb(214, 210, 200) } else { rgb(112, 118, 122) }, 0.6)
            }
            Self::Steel => matte(rgb(128, 134, 142), 0.45),
            Self::Black => matte(rgb(30, 30, 34), 0.08),
            Self::Sign => {
                Look { color: if edge(u, 0.2) < 0.03 { rgb(225, 255, 235) } else { rgb(0, 190, 84) }, glow: 1.0, reflectance: 0.6 }
            }
            Self::Lamp([r, g, b]) => Look { color: rgb(r, g, b), glow: 1.0, reflectance: 0.8 },
            Self::Gold => matte(rgb(206, 160, 72), 0.65),
            Self::Leaf => {
                let panel = edge(u, 0.6) < 0.06 || edge(v, 1.05) < 0.06;
                matte(rgb(122, 74, 42) * if panel { 0.75 } else { 1.0 }, 0.5)
            }
            Self::Frame => matte(rgb(92, 58, 36), 0.5),
            Self::Plain([r, g, b]) => matte(rgb(r, g, b), 0.5),
            Self::Cyclorama => {
                let height = ((at.z) / 8.0).clamp(0.0, 1.0) as f32;
                let sweep = (0.5 + 0.5 * (at.y * 0.42).sin()) as f32;
                let low = rgb(255, 96, 60).lerp(rgb(255, 60, 150), sweep);
                let high = rgb(40, 60, 220).lerp(rgb(120, 40, 210), sweep);
                Look { color: low.lerp(high, height.sqrt()), glow: 0.9, reflectance: 0.6 }
            }
            Self::Paving => {
                let joint = edge(u, 0.8) < 0.02 || edge(v, 0.4) < 0.02;
                matte(if joint { rgb(104, 104, 100) } else { rgb(158, 154, 146) }, 0.5)
            }
            Self::Nosing => matte(rgb(226, 196, 96), 0.6),
        }
    }
}

/// Colour of the surface in the light of the house: a soft light from above, brighter near lamps of the stage.
///
/// `stage_glow` is 0 to 1 and says how strongly the coloured stage light falls here.
pub fn lit(look: Look, normal: Vec3, openness: f32, stage_glow: f32, at: DVec3) -> Vec3 {
    // Sides differ a little, so that edges between faces of one colour can be seen.
    let sky = 0.80 + 0.20 * normal.z + 0.05 * normal.x - 0.07 * normal.y.abs();
    let warm = Vec3::new(1.06, 1.0, 0.9);
    let sweep = (0.5 + 0.5 * (at.y * 0.55).sin()) as f32;
    let stage = Vec3::new(0.75, 0.35, 1.0).lerp(Vec3::new(1.0, 0.62, 0.3), sweep);
    let light = warm * sky * openness + stage * stage_glow;
    look.color * (light * (1.0 - look.glow) + Vec3::splat(1.0) * look.glow)
}

fn rgb(r: u8, g: u8, b: u8) -> Vec3 {
    Vec3::new(f32::from(r), f32::from(g), f32::from(b)) / 255.0
}

/// Two coordinates on the face: horizontal first, then up or the other horizontal.
fn on_face(at: DVec3, normal: Vec3) -> (f64, f64) {
    let n = normal.abs();
    if n.z >= n.x && n.z >= n.y {
        (at.x, at.y)
    } else if n.x >= n.y {
        (at.y, at.z)
    } else {
        (at.x, at.z)
    }
}

/// Distance from the nearest multiple of `period`.
fn edge(x: f64, period: f64) -> f64 {
    let r = x.rem_euclid(period);
    r.min(period - r)
}

/// 0 to 1 and back in each period of 1.
fn tooth(x: f64) -> f64 {
    1.0 - (x.rem_euclid(1.0) * 2.0 - 1.0).abs()
}

/// A fixed value from 0 to 1 for each whole number.
fn noise(n: f64) -> f32 {
    let mut x = (n as i64 as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (x >> 40) as f32 / (1_u64 << 24) as f32
}
