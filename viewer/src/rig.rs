//! The camera's position, direction and mode: plain data below the systems that move it and those that draw from it.
//!
//! Invariant: positions are f64 in the scan frame; f32 appears only relative to a tile's origin.

pub mod mode;
pub mod walker;

use bevy::math::{DVec2, DVec3};
use bevy::prelude::*;
use parterre_model::points::Bounds;

use self::mode::Mode;
use self::walker::Walker;

/// Nearest distance that is drawn. Metres.
pub const NEAR_M: f64 = 0.05;
/// Vertical angle of view. Radians.
const FOV_Y: f64 = 60.0 / 180.0 * std::f64::consts::PI;
/// The overview fits pictures at least this much wider than high.
const OVERVIEW_ASPECT: f64 = 1.5;
/// Looking straight up or down would make right and left meet.
const PITCH_MAX: f64 = 1.55;

/// The camera's place and mode.
#[derive(Component, Clone, Debug, PartialEq)]
pub struct Rig {
    /// Scan frame, metres.
    pub eye: DVec3,
    /// Radians clockwise from north (+Y), seen from above.
    pub yaw: f64,
    /// Radians above the horizon.
    pub pitch: f64,
    /// Full vertical angle of view. Radians.
    pub fov_y: f64,
    /// Distance to the point that orbiting turns round. Metres.
    pub distance_m: f64,
    /// How it moves.
    pub mode: Mode,
    /// The walker's feet.
    pub walker: Walker,
}

impl Default for Rig {
    fn default() -> Self {
        Self { eye: DVec3::ZERO, yaw: 0.0, pitch: 0.0, fov_y: FOV_Y, distance_m: 10.0, mode: Mode::Orbit, walker: Walker::default() }
    }
}

impl Rig {
    /// Unit vector of the direction of view.
    pub fn forward(&self) -> DVec3 {
        let (sin_yaw, cos_yaw) = self.yaw.sin_cos();
        let (sin_pitch, cos_pitch) = self.pitch.sin_cos();
        DVec3::new(sin_yaw * cos_pitch, cos_yaw * cos_pitch, sin_pitch)
    }

    /// Unit vector to the right, level.
    pub fn right(&self) -> DVec3 {
        DVec3::new(self.yaw.cos(), -self.yaw.sin(), 0.0)
    }

    /// Unit vector upwards in the picture.
    pub fn up(&self) -> DVec3 {
        self.right().cross(self.forward())
    }

    /// The point that orbiting turns round. Scan frame, metres.
    pub fn target(&self) -> DVec3 {
        self.eye + self.forward() * self.distance_m
    }

    /// Looks from `eye` at `target` (scan frame, metres).
    pub fn look(&mut self, eye: DVec3, target: DVec3) {
        let to_target = target - eye;
        self.eye = eye;
        self.distance_m = to_target.length().max(0.1);
        if to_target.truncate().length() > 1e-9 {
            self.yaw = to_target.x.atan2(to_target.y);
        }
        self.pitch = (to_target.z / self.distance_m).clamp(-1.0, 1.0).asin().clamp(-PITCH_MAX, PITCH_MAX);
    }

    /// Turns the direction of view by radians.
    pub fn turn(&mut self, yaw: f64, pitch: f64) {
        self.yaw = (self.yaw + yaw).rem_euclid(std::f64::consts::TAU);
        self.pitch = (self.pitch + pitch).clamp(-PITCH_MAX, PITCH_MAX);
    }

    /// Looks at all of `bounds` from the south-west and above.
    pub fn overview(&mut self, bounds: &Bounds) {
        let mut target = bounds.center();
        let tan = DVec2::new((self.fov_y * 0.5).tan() * OVERVIEW_ASPECT, (self.fov_y * 0.5).tan());
        self.look(target + DVec3::new(-0.55, -0.75, 0.62), target);
        let (right, up, forward) = (self.right(), self.up(), self.forward());
        // Perspective puts the box' middle above the picture's: the target moves until the box is in the middle.
        for _ in 0..4 {
            let corners = (0..8).map(|corner| {
                let pick = |bit: i32, low: f64, high: f64| if corner >> bit & 1 == 1 { high } else { low };
                DVec3::new(pick(0, bounds.min.x, bounds.max.x), pick(1, bounds.min.y, bounds.max.y), pick(2, bounds.min.z, bounds.max.z))
                    - target
            });
            let seen: Vec<DVec3> =
                corners.map(|corner| DVec3::new(corner.dot(right) / tan.x, corner.dot(up) / tan.y, corner.dot(forward))).collect();
            let distance_m = seen.iter().map(|at| at.x.abs().max(at.y.abs()) - at.z).fold(1.0, f64::max) * 1.03;
            self.look(target - forward * distance_m, target);
            let place = |at: &DVec3| at.truncate() / (distance_m + at.z);
            let low = seen.iter().map(place).fold(DVec2::INFINITY, DVec2::min);
            let high = seen.iter().map(place).fold(DVec2::NEG_INFINITY, DVec2::max);
            let off = (low + high) * 0.5 * tan * distance_m;
            target += right * off.x + up * off.y;
        }
    }

    /// Unit vector through a place in the picture, `ndc` from -1 to 1 with y upwards.
    pub fn ray(&self, ndc: DVec2, aspect: f64) -> DVec3 {
        let tan = (self.fov_y * 0.5).tan();
        (self.forward() + self.right() * (ndc.x * tan * aspect) + self.up() * (ndc.y * tan)).normalize()
    }

    /// Changes the mode and keeps the view as far as the mode can; `bounds` are the scan's.
    pub fn set_mode(&mut self, mode: Mode, bounds: &Bounds) {
        if self.mode == mode {
            return;
        }
        if mode == Mode::Walk {
            // From afar one wants to stand where one looks, and from an overview in the midst, not in the air.
            let start = if self.mode != Mode::Orbit || self.distance_m < 12.0 {
                self.eye
            } else if self.distance_m < bounds.size().length() * 0.4 {
                self.target()
            } else {
                bounds.center()
            };
            self.walker = Walker::dropped_at(start);
            self.eye = start;
            self.pitch = self.pitch.clamp(-0.3, 0.3);
        } else if mode == Mode::Orbit && self.mode == Mode::Walk {
            self.distance_m = self.distance_m.clamp(2.0, 12.0);
        }
        self.mode = mode;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looking_at_a_place_puts_it_in_the_middle() {
        let mut rig = Rig::default();
        let (eye, target) = (DVec3::new(321_500.0, 5_814_500.0, 32.0), DVec3::new(321_510.0, 5_814_490.0, 30.0));
        rig.look(eye, target);
        assert!((rig.target() - target).length() < 1e-6);
        assert!((rig.ray(DVec2::ZERO, 1.5) - (target - eye).normalize()).length() < 1e-12);
        assert!(rig.up().z > 0.9 && rig.right().z.abs() < 1e-12);
    }

    #[test]
    fn looking_straight_down_keeps_the_heading() {
        let mut rig = Rig { yaw: 1.0, ..Rig::default() };
        rig.look(DVec3::new(0.0, 0.0, 10.0), DVec3::ZERO);
        assert!((rig.yaw - 1.0).abs() < 1e-12);
        assert!((rig.pitch + PITCH_MAX).abs() < 1e-12);
    }

    #[test]
    fn the_overview_holds_every_corner() {
        let bounds = Bounds { min: DVec3::new(-30.0, -20.0, 0.0), max: DVec3::new(30.0, 20.0, 15.0) };
        let mut rig = Rig::default();
        rig.overview(&bounds);
        let tan = (rig.fov_y * 0.5).tan();
        for corner in 0..8 {
            let pick = |bit: usize, low: f64, high: f64| if corner >> bit & 1 == 1 { high } else { low };
            let corner = DVec3::new(pick(0, -30.0, 30.0), pick(1, -20.0, 20.0), pick(2, 0.0, 15.0)) - rig.eye;
            let depth = corner.dot(rig.forward());
            assert!((corner.dot(rig.up()) / depth).abs() < tan && (corner.dot(rig.right()) / depth).abs() < tan * 16.0 / 9.0);
        }
    }

    #[test]
    fn walking_from_an_overview_starts_where_one_looked() {
        let bounds = Bounds { min: DVec3::new(-30.0, -20.0, 0.0), max: DVec3::new(30.0, 20.0, 15.0) };
        let mut rig = Rig::default();
        rig.look(DVec3::new(-10.0, -15.0, 12.0), DVec3::new(0.0, 0.0, 3.0));
        rig.set_mode(Mode::Walk, &bounds);
        assert!((rig.eye - DVec3::new(0.0, 0.0, 3.0)).length() < 1e-9);
        let mut far = Rig::default();
        far.overview(&bounds);
        far.set_mode(Mode::Walk, &bounds);
        assert_eq!(far.eye, bounds.center());
        let mut near = Rig::default();
        near.look(DVec3::new(1.0, 2.0, 3.0), DVec3::new(4.0, 2.0, 3.0));
        near.set_mode(Mode::Walk, &bounds);
        assert_eq!(near.eye, DVec3::new(1.0, 2.0, 3.0));
    }
}
