//! Where a scan lies in the scene.
//!
//! In general, the placement of a scan is a rigid transform: `scene = R * tile + t` with a rotation `R` (an orthonormal matrix of determinant 1) and a
//! translation `t` in metres. Here `R` turns about the vertical only: in every scan the Z axis points up, and heights, floors and the height cut mean the
//! same in all of them. All numbers are f64; the scene's frame is that of the first scan.

use bevy::math::{DMat4, DVec2, DVec3};
use parterre_model::points::Bounds;

/// The rigid transform from a scan's tile frame to the scene's frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placement {
    /// Cosine and sine of the turn.
    turn: DVec2,
    /// The tile frame's origin in the scene, metres.
    origin_m: DVec3,
}

impl Placement {
    /// The tile frame's origin in the scene (metres), and the turn about the vertical: anticlockwise seen from above, radians.
    pub fn new(origin_m: DVec3, turn_rad: f64) -> Self {
        // Exact where there is no turn.
        Self { turn: if turn_rad == 0.0 { DVec2::X } else { DVec2::from_angle(turn_rad) }, origin_m }
    }

    /// The tile frame's origin in the scene. Metres.
    pub fn origin_m(&self) -> DVec3 {
        self.origin_m
    }

    /// The turn about the vertical: anticlockwise seen from above, radians.
    pub fn turn_rad(&self) -> f64 {
        self.turn.y.atan2(self.turn.x)
    }

    /// A direction in the scene.
    pub fn direction_from_tile(&self, direction: DVec3) -> DVec3 {
        self.turn.rotate(direction.truncate()).extend(direction.z)
    }

    /// A direction in the tile frame.
    pub fn tile_from_direction(&self, direction: DVec3) -> DVec3 {
        DVec2::new(self.turn.x, -self.turn.y).rotate(direction.truncate()).extend(direction.z)
    }

    /// A position in the scene.
    pub fn scene_from_tile(&self, position: DVec3) -> DVec3 {
        self.direction_from_tile(position) + self.origin_m
    }

    /// A position in the tile frame.
    pub fn tile_from_scene(&self, position: DVec3) -> DVec3 {
        self.tile_from_direction(position - self.origin_m)
    }

    /// The box in the scene around a box of the tile frame.
    pub fn scene_bounds(&self, bounds: &Bounds) -> Bounds {
        let mut around = Bounds::EMPTY;
        for corner in 0..4 {
            let pick = |bit: u32, low: f64, high: f64| if corner >> bit & 1 == 1 { high } else { low };
            let plan = DVec2::new(pick(0, bounds.min.x, bounds.max.x), pick(1, bounds.min.y, bounds.max.y));
            around.include(self.scene_from_tile(plan.extend(bounds.min.z)));
            around.include(self.scene_from_tile(plan.extend(bounds.max.z)));
        }
        around
    }

    /// The rotation as a matrix.
    pub fn rotation(&self) -> DMat4 {
        let Self { turn: DVec2 { x: cos, y: sin }, .. } = *self;
        DMat4::from_cols(
            DVec3::new(cos, sin, 0.0).extend(0.0),
            DVec3::new(-sin, cos, 0.0).extend(0.0),
            DVec3::Z.extend(0.0),
            DVec3::ZERO.extend(1.0),
        )
    }

    /// The placement of a scan that lies at `within` in the tile frame of a scan placed like this.
    #[must_use]
    pub fn then(&self, within: &Self) -> Self {
        Self { turn: self.turn.rotate(within.turn), origin_m: self.scene_from_tile(within.origin_m) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_and_directions_go_to_the_scene_and_back() {
        let placement = Placement::new(DVec3::new(321_500.0, 5_814_500.0, 30.0), 0.7);
        let position = DVec3::new(12.5, -3.25, 1.75);
        assert!(placement.tile_from_scene(placement.scene_from_tile(position)).distance(position) < 1e-8);
        assert!(placement.tile_from_direction(placement.direction_from_tile(position)).distance(position) < 1e-12);
        assert!((placement.turn_rad() - 0.7).abs() < 1e-12);
        let by_matrix = (placement.rotation() * position.extend(0.0)).truncate();
        assert!(by_matrix.distance(placement.direction_from_tile(position)) < 1e-12);
        // A quarter anticlockwise: what lies to the east comes to the north.
        let quarter = Placement::new(DVec3::ZERO, std::f64::consts::FRAC_PI_2);
        assert!(quarter.scene_from_tile(DVec3::X).distance(DVec3::Y) < 1e-12);
    }

    #[test]
    fn without_a_turn_positions_are_exact() {
        let placement = Placement::new(DVec3::new(321_500.0, 5_814_500.0, 30.0), 0.0);
        let position = DVec3::new(0.001, 0.002, 0.003);
        assert_eq!(placement.scene_from_tile(position), position + placement.origin_m());
    }

    #[test]
    fn placements_follow_each_other() {
        let outer = Placement::new(DVec3::new(10.0, 0.0, 1.0), 0.3);
        let inner = Placement::new(DVec3::new(0.0, 5.0, 2.0), 0.4);
        let position = DVec3::new(1.0, 2.0, 3.0);
        let expected = outer.scene_from_tile(inner.scene_from_tile(position));
        assert!(outer.then(&inner).scene_from_tile(position).distance(expected) < 1e-12);
    }

    #[test]
    fn a_turned_box_is_inside_of_its_bounds() {
        let bounds = Bounds { min: DVec3::new(0.0, 0.0, 1.0), max: DVec3::new(10.0, 2.0, 4.0) };
        let quarter = Placement::new(DVec3::new(100.0, 0.0, 0.0), std::f64::consts::FRAC_PI_2);
        let turned = quarter.scene_bounds(&bounds);
        assert!((turned.min - DVec3::new(98.0, 0.0, 1.0)).length() < 1e-9 && (turned.max - DVec3::new(100.0, 10.0, 4.0)).length() < 1e-9);
    }
}
