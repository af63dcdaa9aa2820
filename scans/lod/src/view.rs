//! The view of a camera: its position, what it can see, and the size of pixels.

use std::sync::Arc;

use glam::DVec3;

use parterre_model::points::Bounds;

use super::occlusion::OcclusionMap;

/// Smaller distances are replaced by this one, so that the error of a tile around the eye stays finite. Metres.
const NEAREST_M: f64 = 0.1;

/// A half space: inside where `normal · p + offset >= 0`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Plane {
    /// Unit normal that points inside.
    pub normal: DVec3,
    /// Metres.
    pub offset: f64,
}

impl Plane {
    /// The plane through `point`.
    pub fn through(point: DVec3, normal: DVec3) -> Self {
        Self { normal, offset: -normal.dot(point) }
    }

    /// Whether the whole box is outside.
    fn excludes(&self, bounds: &Bounds) -> bool {
        let farthest_inside = DVec3::select(self.normal.cmpge(DVec3::ZERO), bounds.max, bounds.min);
        self.normal.dot(farthest_inside) + self.offset < 0.0
    }

    /// Whether the whole box is inside.
    fn includes(&self, bounds: &Bounds) -> bool {
        let farthest_outside = DVec3::select(self.normal.cmpge(DVec3::ZERO), bounds.min, bounds.max);
        self.normal.dot(farthest_outside) + self.offset >= 0.0
    }
}

/// An eye in the tile frame, what it can see, and how large a metre looks.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// Tile frame, metres.
    pub eye: DVec3,
    /// A box outside any of these is not seen. None: looks all around.
    pub planes: Vec<Plane>,
    /// Boxes farther than this are not seen. Metres.
    pub reach_m: f64,
    /// Height in pixels of a 1 m long object at 1 m distance.
    pub pixels_per_metre_at_1m: f64,
    /// What is hidden behind surfaces is not seen, where this is known.
    pub occlusion: Option<Arc<OcclusionMap>>,
}

impl View {
    /// A camera. `forward` and `up` need not be of unit length; `fov_y` is the full vertical angle in radians, `aspect`
    /// width over height, `viewport_height_px` in physical pixels.
    pub fn perspective(eye: DVec3, forward: DVec3, up: DVec3, fov_y: f64, aspect: f64, viewport_height_px: f64) -> Self {
        let forward = forward.normalize_or(DVec3::Y);
        let right = forward.cross(up).try_normalize().unwrap_or_else(|| forward.any_orthonormal_vector());
        let up = right.cross(forward);
        let (sin_y, cos_y) = (fov_y * 0.5).sin_cos();
        let half_x = ((fov_y * 0.5).tan() * aspect).atan();
        let (sin_x, cos_x) = half_x.sin_cos();
        let planes = vec![
            Plane::through(eye, forward),
            Plane::through(eye, forward * sin_x + right * cos_x),
            Plane::through(eye, forward * sin_x - right * cos_x),
            Plane::through(eye, forward * sin_y + up * cos_y),
            Plane::through(eye, forward * sin_y - up * cos_y),
        ];
        Self {
            eye,
            planes,
            reach_m: f64::INFINITY,
            pixels_per_metre_at_1m: viewport_height_px / (2.0 * (fov_y * 0.5).tan()),
            occlusion: None,
        }
    }

    /// Looks in all directions, as far as `reach_m`: keeps what is near, such as the floor under a walker, whatever
    /// the camera looks at.
    pub fn around(eye: DVec3, reach_m: f64, pixels_per_metre_at_1m: f64) -> Self {
        Self { eye, planes: Vec::new(), reach_m, pixels_per_metre_at_1m, occlusion: None }
    }

    /// The same view for boxes within a box: planes that the whole box is inside of are left out.
    #[must_use]
    pub fn within(&self, bounds: &Bounds) -> Self {
        let planes = self.planes.iter().copied().filter(|plane| !plane.includes(bounds)).collect();
        Self { planes, occlusion: self.occlusion.clone(), ..*self }
    }

    /// Whether any of the box may be seen.
    pub fn sees(&self, bounds: &Bounds) -> bool {
        self.seen_error_px(bounds, 0.0, f64::NEG_INFINITY).is_some()
    }

    /// [`View::error_px`] of a box of which anything may be seen, if that is more than `least_px`; else `None`.
    pub fn seen_error_px(&self, bounds: &Bounds, error_m: f64, least_px: f64) -> Option<f64> {
        if bounds.is_empty() || self.planes.iter().any(|plane| plane.excludes(bounds)) {
            return None;
        }
        let distance_m = self.distance_m(bounds);
        let error_px = error_m * self.pixels_per_metre_at_1m / distance_m.max(NEAREST_M);
        // What is hidden is asked last, because it takes the longest.
        let is_seen = distance_m <= self.reach_m && error_px > least_px && !self.occlusion.as_ref().is_some_and(|map| map.hides(bounds));
        is_seen.then_some(error_px)
    }

    /// Distance from the eye to the nearest point of the box, 0 inside. Metres.
    pub fn distance_m(&self, bounds: &Bounds) -> f64 {
        (self.eye.clamp(bounds.min, bounds.max) - self.eye).length()
    }

    /// How many pixels `error_m` metres cover at the nearest point of the box.
    pub fn error_px(&self, bounds: &Bounds, error_m: f64) -> f64 {
        error_m * self.pixels_per_metre_at_1m / self.distance_m(bounds).max(NEAREST_M)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cube(center: DVec3) -> Bounds {
        Bounds { min: center - 0.5, max: center + 0.5 }
    }

    #[test]
    fn a_camera_sees_what_is_before_it_only() {
        let view = View::perspective(DVec3::ZERO, DVec3::Y, DVec3::Z, 1.0, 16.0 / 9.0, 720.0);
        assert!(view.sees(&cube(DVec3::new(0.0, 10.0, 0.0))));
        assert!(!view.sees(&cube(DVec3::new(0.0, -10.0, 0.0))), "behind");
        assert!(!view.sees(&cube(DVec3::new(0.0, 10.0, 9.0))), "above");
        assert!(!view.sees(&cube(DVec3::new(-14.0, 10.0, 0.0))), "left");
        assert!(view.sees(&cube(DVec3::new(-9.0, 10.0, 0.0))), "wider than high");
        assert!(view.sees(&cube(DVec3::ZERO)), "holds the eye");
    }

    #[test]
    fn looking_straight_down_is_a_view_too() {
        let view = View::perspective(DVec3::ZERO, DVec3::NEG_Z, DVec3::Z, 1.0, 1.0, 720.0);
        assert!(view.sees(&cube(DVec3::new(0.0, 0.0, -10.0))));
        assert!(!view.sees(&cube(DVec3::new(0.0, 0.0, 10.0))));
    }

    #[test]
    fn within_a_box_the_same_boxes_are_seen() {
        let view = View::perspective(DVec3::ZERO, DVec3::Y, DVec3::Z, 1.0, 1.0, 720.0);
        let around = Bounds { min: DVec3::new(-4.0, 9.0, -9.0), max: DVec3::new(4.0, 17.0, -1.0) };
        let within = view.within(&around);
        assert!(within.planes.len() < view.planes.len() && !within.planes.is_empty());
        for at in 0..512 {
            let step = DVec3::new(f64::from(at % 8), f64::from(at / 8 % 8), f64::from(at / 64));
            let part = Bounds { min: around.min + step, max: around.min + step + 1.0 };
            assert_eq!(view.sees(&part), within.sees(&part), "{part:?}");
        }
    }

    #[test]
    fn a_look_around_ends_at_its_reach() {
        let view = View::around(DVec3::ZERO, 5.0, 600.0);
        assert!(view.sees(&cube(DVec3::new(-5.4, 0.0, 0.0))));
        assert!(!view.sees(&cube(DVec3::new(-5.6, 0.0, 0.0))));
    }

    #[test]
    fn error_falls_with_distance_and_stays_finite() {
        let view = View::perspective(DVec3::ZERO, DVec3::Y, DVec3::Z, std::f64::consts::FRAC_PI_2, 1.0, 1000.0);
        let px = view.error_px(&cube(DVec3::new(0.0, 10.5, 0.0)), 0.02);
        assert!((px - 1.0).abs() < 1e-9, "2 cm at 10 m with 500 px a radian is 1 px, not {px}");
        assert!(view.error_px(&cube(DVec3::ZERO), 0.02).is_finite());
    }
}
