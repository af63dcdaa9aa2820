//! A camera with square pixels, as the viewer's, and what it looks at.

use glam::{DVec3, dvec3};

/// Full vertical field of view: 60 degrees, as in the viewer. Radians.
pub const FOV_Y: f64 = 60.0 / 180.0 * std::f64::consts::PI;

/// A named position and direction.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// Name, fit for a file's name.
    pub name: String,
    /// Where the eye is; scan frame, metres.
    pub eye: DVec3,
    /// What it looks at.
    pub target: DVec3,
}

/// A position, the directions of the picture's axes and its size.
#[derive(Clone, Debug)]
pub struct Camera {
    /// Position; scan frame, metres.
    pub eye: DVec3,
    /// Unit vector of the direction of view.
    pub forward: DVec3,
    /// Width and height in pixels.
    pub size: [u32; 2],
    /// Unit vector to the right, horizontal.
    right: DVec3,
    /// Unit vector upwards in the picture.
    up: DVec3,
}

impl Camera {
    /// Looks from `eye` at `target`, which must not be straight above or below it.
    pub fn looking(eye: DVec3, target: DVec3, size: [u32; 2]) -> Self {
        let forward = (target - eye).normalize_or(DVec3::Y);
        let right = dvec3(forward.y, -forward.x, 0.0).normalize_or(DVec3::X);
        Self { eye, forward, size, right, up: right.cross(forward) }
    }

    /// The ray through a place in the picture, in pixels from its upper left corner; a pixel's centre lies at half a pixel. Its part
    /// along the direction of view is 1, so a distance in units of its length is the depth in metres.
    pub fn ray(&self, x: f64, y: f64) -> DVec3 {
        let [width, height] = self.size.map(f64::from);
        let scale = (FOV_Y * 0.5).tan() * 2.0 / height;
        self.forward + self.right * ((x - width * 0.5) * scale) + self.up * ((height * 0.5 - y) * scale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rays_have_a_depth_of_one_and_the_picture_its_angle() {
        let camera = Camera::looking(dvec3(1.0, 2.0, 3.0), dvec3(11.0, 2.0, 3.0), [960, 600]);
        assert!((camera.ray(480.0, 300.0) - DVec3::X).length() < 1e-12);
        let (top, left) = (camera.ray(480.0, 0.0), camera.ray(0.0, 300.0));
        assert!((top.z - (FOV_Y * 0.5).tan()).abs() < 1e-12 && (top.x - 1.0).abs() < 1e-12);
        // Seen along x, north is to the left.
        assert!((left.y - (FOV_Y * 0.5).tan() * 1.6).abs() < 1e-12);
    }
}
