//! Free ways through something thin: the openings of walls, and the fields of railings between their bars.
//!
//! They are what a renderer that fills gaps between points must not close, so pictures of the venue tell which pixels look
//! through one ([`super::picture`]).

use glam::{DMat3, DVec3};

/// What a passage leads through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassageKind {
    /// An opening of a wall: a door, open or closed, or a gap without a door.
    Wall,
    /// A railing's whole field, bars included.
    Railing,
}

/// A prism: its two faces are parallelograms, on both sides of what it leads through. Metres.
#[derive(Clone, Debug)]
pub struct Passage {
    /// What it leads through.
    pub kind: PassageKind,
    /// Length of its lower edge.
    pub width_m: f64,
    corner: DVec3,
    /// Makes the prism the unit cube, with its faces at 0 and 1 of the last axis.
    unit_from_world: DMat3,
}

impl Passage {
    pub(super) fn in_wall(corner: DVec3, along: DVec3, up: DVec3, through: DVec3) -> Self {
        Self::new(PassageKind::Wall, corner, along, up, through)
    }

    pub(super) fn in_railing(corner: DVec3, along: DVec3, up: DVec3, through: DVec3) -> Self {
        Self::new(PassageKind::Railing, corner, along, up, through)
    }

    fn new(kind: PassageKind, corner: DVec3, along: DVec3, up: DVec3, through: DVec3) -> Self {
        let unit_from_world = DMat3::from_cols(along, up, through).inverse();
        Self { kind, width_m: along.length(), corner, unit_from_world }
    }

    /// Distance, in units of the direction's length, at which a ray leaves through the farther face; `None` if it does not, or if
    /// that face is behind its origin.
    pub fn leave(&self, origin: DVec3, direction: DVec3) -> Option<f64> {
        let from = self.unit_from_world * (origin - self.corner);
        let step = self.unit_from_world * direction;
        let face = if step.z > 0.0 { 1.0 } else { 0.0 };
        let distance = (face - from.z) / step.z;
        let at = from + step * distance;
        (distance > 0.0 && distance.is_finite() && (0.0..=1.0).contains(&at.x) && (0.0..=1.0).contains(&at.y)).then_some(distance)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ray_leaves_through_the_farther_face_from_both_sides() {
        let passage = Passage::in_wall(DVec3::new(2.0, -1.0, 0.0), DVec3::Y * 2.0, DVec3::Z * 2.2, DVec3::X * 0.3);
        let eye = DVec3::new(0.0, 0.0, 1.0);
        assert!((passage.leave(eye, DVec3::X).unwrap() - 2.3).abs() < 1e-12);
        assert!((passage.leave(DVec3::new(5.0, 0.0, 1.0), -DVec3::X * 2.0).unwrap() - 1.5).abs() < 1e-12);
        assert!(passage.leave(eye, -DVec3::X).is_none());
        assert!(passage.leave(eye, DVec3::Y).is_none());
        // Enters the near face but leaves by the side.
        assert!(passage.leave(DVec3::new(1.9, 0.9, 1.0), DVec3::new(1.0, 1.0, 0.0)).is_none());
    }
}
