//! Which side of a surface the eye sees.

use bevy::math::Vec3;
use parterre_decode::NO_NORMAL;
use parterre_tile::glb::Normal;

/// A surface is seen from behind where the cosine of the angle between its normal and the direction to the eye is below this: normals of tiles are rounded
/// by up to 4.4 degrees, so that a surface seen nearly edge-on may face either way. Also in the shader.
const BACK_COSINE: f32 = -0.08;

/// Whether a point's surface is seen from behind, given the vector to the eye. A point without a normal never is.
pub fn is_seen_from_behind(normal: [i8; 2], to_eye: Vec3) -> bool {
    normal != NO_NORMAL && Normal(normal).unit().dot(to_eye) < BACK_COSINE * to_eye.length()
}

#[cfg(test)]
mod tests {
    use bevy::math::DVec3;

    use super::*;

    #[test]
    fn surfaces_facing_the_eye_or_edge_on_are_seen_and_their_backs_are_not() {
        let wall = Normal::from_unit(DVec3::Y).0;
        let behind = |x: f32, y: f32| is_seen_from_behind(wall, Vec3::new(x, y, 0.0));
        assert!(!behind(0.0, 5.0) && !behind(10.0, 0.0) && !behind(10.0, -0.5));
        assert!(behind(0.0, -5.0) && behind(10.0, -1.0) && behind(0.0, -1e-3));
        assert!(!is_seen_from_behind(NO_NORMAL, Vec3::NEG_Z));
        assert!(!is_seen_from_behind(wall, Vec3::ZERO), "at the eye itself");
    }
}
