//! The camera's position, direction and mode: plain data, used by the systems that move the camera, select tiles and draw.
//!
//! Invariant: positions are f64 in the scan frame; f32 is used only relative to a tile's origin.

pub mod mode;
pub mod walker;

use bevy::math::{DVec2, DVec3};
use bevy::prelude::*;
use parterre_model::points::Bounds;

use self::mode::Mode;
use self::walker::{Pose, Walker};

/// Vertical field of view. Radians.
const FOV_Y: f64 = 60.0 / 180.0 * std::f64::consts::PI;
/// The overview of pictures that are wider (width to height) than this is computed for this aspect ratio: beside the scan there is room for the panel.
const OVERVIEW_ASPECT: f64 = 1.5;
/// Largest angle above or below the horizon, slightly less than 90 degrees: at 90 degrees the heading is undefined. Radians.
const PITCH_MAX: f64 = 1.55;

/// The camera's position, direction and mode.
#[derive(Component, Clone, Debug, PartialEq)]
pub struct Rig {
    /// Position; scan frame, metres.
    pub eye: DVec3,
    /// Heading: radians clockwise from north (+Y), seen from above.
    pub yaw: f64,
    /// Elevation of the direction of view: radians above the horizon.
    pub pitch: f64,
    /// Full vertical field of view. Radians.
    pub fov_y: f64,
    /// Distance to the target, the point that orbiting rotates around. Metres.
    pub distance_m: f64,
    /// How the camera moves.
    pub mode: Mode,
    /// State of the walk mode.
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

    /// Unit vector to the right, horizontal.
    pub fn right(&self) -> DVec3 {
        DVec3::new(self.yaw.cos(), -self.yaw.sin(), 0.0)
    }

    /// Unit vector upwards in the picture.
    pub fn up(&self) -> DVec3 {
        self.right().cross(self.forward())
    }

    /// The point that orbiting rotates around. Scan frame, metres.
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

    /// Position and direction.
    pub fn pose(&self) -> Pose {
        Pose { eye: self.eye, yaw: self.yaw, pitch: self.pitch }
    }

    /// Takes a position and a direction.
    pub fn set_pose(&mut self, pose: Pose) {
        (self.eye, self.yaw, self.pitch) = (pose.eye, pose.yaw, pose.pitch);
    }

    /// Rotates the direction of view by `yaw` and `pitch` radians.
    pub fn turn(&mut self, yaw: f64, pitch: f64) {
        self.yaw = (self.yaw + yaw).rem_euclid(std::f64::consts::TAU);
        self.pitch = (self.pitch + pitch).clamp(-PITCH_MAX, PITCH_MAX);
    }

    /// Looks from the south-west and above, so that all of the boxes are visible in a picture of this aspect ratio.
    pub fn overview(&mut self, boxes: &[Bounds], aspect: f64) {
        let mut target = boxes.iter().fold(Bounds::EMPTY, |around, bounds| around.union(*bounds)).center();
        let tan = DVec2::new((self.fov_y * 0.5).tan() * aspect.min(OVERVIEW_ASPECT), (self.fov_y * 0.5).tan());
        self.look(target + DVec3::new(-0.55, -0.75, 0.62), target);
        let (right, up, forward) = (self.right(), self.up(), self.forward());
        let corners_of = |bounds: &Bounds| {
            let Bounds { min, max } = *bounds;
            (0..8).map(move |corner| {
                let pick = |bit: i32, low: f64, high: f64| if corner >> bit & 1 == 1 { high } else { low };
                DVec3::new(pick(0, min.x, max.x), pick(1, min.y, max.y), pick(2, min.z, max.z))
            })
        };
        // In perspective the boxes' centre does not lie at the centre of their outline in the picture. The target is moved in four
        // steps until the outline is centred.
        for _ in 0..4 {
            let corners = boxes.iter().flat_map(corners_of).map(|corner| corner - target);
            let corners_in_view: Vec<DVec3> =
                corners.map(|corner| DVec3::new(corner.dot(right) / tan.x, corner.dot(up) / tan.y, corner.dot(forward))).collect();
            let distance_m = corners_in_view.iter().map(|at| at.x.abs().max(at.y.abs()) - at.z).fold(1.0, f64::max) * 1.03;
            self.look(target - forward * distance_m, target);
            let project = |at: &DVec3| at.truncate() / (distance_m + at.z);
            let low = corners_in_view.iter().map(project).fold(DVec2::INFINITY, DVec2::min);
            let high = corners_in_view.iter().map(project).fold(DVec2::NEG_INFINITY, DVec2::max);
            let offset = (low + high) * 0.5 * tan * distance_m;
            target += right * offset.x + up * offset.y;
        }
    }

    /// Unit vector from the eye through a position in the picture; `ndc` from -1 to 1, x to the right, y upwards.
    pub fn ray(&self, ndc: DVec2, aspect: f64) -> DVec3 {
        let tan = (self.fov_y * 0.5).tan();
        (self.forward() + self.right() * (ndc.x * tan * aspect) + self.up() * (ndc.y * tan)).normalize()
    }

    /// Where a position is in the picture, as [`Rig::ray`] takes it; `None` where it is beside or behind the eye.
    pub fn project(&self, position: DVec3, aspect: f64) -> Option<DVec2> {
        let to_position = position - self.eye;
        let depth_m = to_position.dot(self.forward());
        let tan = (self.fov_y * 0.5).tan();
        let at = DVec2::new(to_position.dot(self.right()) / aspect, to_position.dot(self.up())) / (depth_m * tan);
        (depth_m > 0.0 && at.is_finite()).then_some(at)
    }

    /// Changes the mode and keeps the view as far as the new mode allows; `bounds`: bounds of the scan, scan frame.
    ///
    /// A walk begins with the search for a floor, until then the eye stays where it is.
    pub fn set_mode(&mut self, mode: Mode, bounds: &Bounds) {
        if self.mode == mode {
            return;
        }
        if mode == Mode::Walk {
            // From a distance the walk starts below the target, and from an overview below the centre of the scan, instead of
            // below the eye.
            let start = if self.mode != Mode::Orbit || self.distance_m < 12.0 {
                self.eye
            } else if self.distance_m < bounds.size().length() * 0.4 {
                self.target()
            } else {
                bounds.center()
            };
            self.walker = Walker::starting_at(start);
        } else if mode == Mode::Orbit && self.mode == Mode::Walk && self.walker.foot_height_m.is_some() {
            self.distance_m = self.distance_m.clamp(2.0, 12.0);
        }
        self.mode = mode;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_target_is_at_the_centre_of_the_picture() {
        let mut rig = Rig::default();
        let (eye, target) = (DVec3::new(321_500.0, 5_814_500.0, 32.0), DVec3::new(321_510.0, 5_814_490.0, 30.0));
        rig.look(eye, target);
        assert!((rig.target() - target).length() < 1e-6);
        assert!((rig.ray(DVec2::ZERO, 1.5) - (target - eye).normalize()).length() < 1e-12);
        assert!(rig.up().z > 0.9 && rig.right().z.abs() < 1e-12);
    }

    #[test]
    fn a_position_in_the_picture_is_on_its_ray() {
        let mut rig = Rig::default();
        rig.look(DVec3::new(3.0, -4.0, 5.0), DVec3::new(1.0, 2.0, 3.0));
        for at in [DVec2::ZERO, DVec2::new(-0.7, 0.4), DVec2::new(1.0, -1.0)] {
            let position = rig.eye + rig.ray(at, 1.6) * 7.0;
            assert!(rig.project(position, 1.6).is_some_and(|found| found.distance(at) < 1e-9), "{at}");
            assert_eq!(rig.project(rig.eye - rig.ray(at, 1.6), 1.6), None);
        }
        assert_eq!(rig.project(rig.eye, 1.6), None);
    }

    #[test]
    fn looking_straight_down_keeps_the_heading() {
        let mut rig = Rig { yaw: 1.0, ..Rig::default() };
        rig.look(DVec3::new(0.0, 0.0, 10.0), DVec3::ZERO);
        assert!((rig.yaw - 1.0).abs() < 1e-12);
        assert!((rig.pitch + PITCH_MAX).abs() < 1e-12);
    }

    #[test]
    fn the_overview_shows_every_corner() {
        let bounds = Bounds { min: DVec3::new(-30.0, -20.0, 0.0), max: DVec3::new(30.0, 20.0, 15.0) };
        // A screen, a square, a phone held upright.
        for aspect in [16.0 / 9.0, 1.0, 390.0 / 844.0] {
            let mut rig = Rig::default();
            rig.overview(&[bounds], aspect);
            let tan = (rig.fov_y * 0.5).tan();
            for corner in 0..8 {
                let pick = |bit: usize, low: f64, high: f64| if corner >> bit & 1 == 1 { high } else { low };
                let corner = DVec3::new(pick(0, -30.0, 30.0), pick(1, -20.0, 20.0), pick(2, 0.0, 15.0)) - rig.eye;
                let depth = corner.dot(rig.forward());
                let (across, up) = ((corner.dot(rig.right()) / depth).abs(), (corner.dot(rig.up()) / depth).abs());
                assert!(up < tan && across < tan * aspect, "{aspect}: {across} {up}");
            }
        }
    }

    #[test]
    fn walking_starts_below_the_target_or_the_eye_or_the_centre_of_the_scan() {
        let bounds = Bounds { min: DVec3::new(-30.0, -20.0, 0.0), max: DVec3::new(30.0, 20.0, 15.0) };
        let mut rig = Rig::default();
        rig.look(DVec3::new(-10.0, -15.0, 12.0), DVec3::new(0.0, 0.0, 3.0));
        let start = |rig: &mut Rig| {
            let pose = rig.pose();
            rig.set_mode(Mode::Walk, &bounds);
            assert_eq!(rig.pose(), pose, "until a floor is found, the view stays");
            rig.walker.place().from
        };
        assert!((start(&mut rig) - DVec3::new(0.0, 0.0, 3.0)).length() < 1e-9);
        let mut far = Rig::default();
        far.overview(&[bounds], 1.5);
        let distance_m = far.distance_m;
        assert_eq!(start(&mut far), bounds.center());
        far.set_mode(Mode::Orbit, &bounds);
        assert!((far.distance_m - distance_m).abs() < 1e-9, "who has not begun to walk returns to the overview");
        let mut near = Rig::default();
        near.look(DVec3::new(1.0, 2.0, 3.0), DVec3::new(4.0, 2.0, 3.0));
        assert_eq!(start(&mut near), DVec3::new(1.0, 2.0, 3.0));
    }
}
