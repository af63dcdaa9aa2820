//! The vertical from how scanners stood.

use glam::DVec3;

use crate::overrides::Up;
use parterre_model::setup::Setup;

/// A scanner on a tripod is level to well within this; one that is not compensates for it. Degrees.
const LEVEL_DEGREES: f64 = 5.0;
/// Poses that differ by less are one pose: merged and exported scans have the same for all. Degrees.
const SAME_DEGREES: f64 = 1.0;

/// Which direction of the file the scanners' own z axes have, which point up in instruments, and how many agree on it.
///
/// Only poses that turn the scanner about one axis, by different angles, tell: then that axis is the vertical. Poses that are all alike may be
/// those of a program, and `None` is the answer, as it is where they do not agree within [`LEVEL_DEGREES`].
pub(super) fn up(setups: &[Setup]) -> Option<(Up, usize)> {
    let posed: Vec<&Setup> = setups.iter().filter(|setup| setup.posed && setup.points > 0 && setup.rotation.is_finite()).collect();
    let first = posed.first()?;
    let up = first.rotation * DVec3::Z;
    let close = LEVEL_DEGREES.to_radians().cos();
    let agree = posed.iter().all(|setup| (setup.rotation * DVec3::Z).dot(up) >= close);
    let differ = posed.iter().any(|setup| setup.rotation.angle_between(first.rotation).to_degrees() >= SAME_DEGREES);
    if !agree || !differ {
        return None;
    }
    let directions = [
        (Up::X, DVec3::X),
        (Up::MinusX, -DVec3::X),
        (Up::Y, DVec3::Y),
        (Up::MinusY, -DVec3::Y),
        (Up::Z, DVec3::Z),
        (Up::MinusZ, -DVec3::Z),
    ];
    directions.into_iter().find(|(_, direction)| direction.dot(up) >= close).map(|(name, _)| (name, posed.len()))
}

#[cfg(test)]
mod tests {
    use std::f64::consts::FRAC_PI_2;

    use glam::DQuat;

    use super::*;

    fn setups(rotations: &[DQuat]) -> Vec<Setup> {
        let setup = |&rotation: &DQuat| Setup { name: String::new(), position: DVec3::ZERO, rotation, points: 10, posed: true };
        rotations.iter().map(setup).collect()
    }

    #[test]
    fn poses_turned_about_one_axis_give_the_vertical() {
        let yaws = [0.0, 0.4, 2.0].map(DQuat::from_rotation_z);
        assert_eq!(up(&setups(&yaws)), Some((Up::Z, 3)));
        // The same, with the whole file turned.
        for (turn, expected) in [
            (DQuat::from_rotation_x(-FRAC_PI_2), Up::Y),
            (DQuat::from_rotation_x(FRAC_PI_2), Up::MinusY),
            (DQuat::from_rotation_y(FRAC_PI_2), Up::X),
            (DQuat::from_rotation_y(-FRAC_PI_2), Up::MinusX),
            (DQuat::from_rotation_x(2.0 * FRAC_PI_2), Up::MinusZ),
        ] {
            assert_eq!(up(&setups(&yaws.map(|yaw| turn * yaw))), Some((expected, 3)), "{expected:?}");
        }
    }

    #[test]
    fn poses_that_are_alike_or_at_odds_tell_nothing() {
        assert_eq!(up(&[]), None);
        assert_eq!(up(&setups(&[DQuat::IDENTITY; 4])), None);
        assert_eq!(up(&setups(&[DQuat::from_rotation_x(-FRAC_PI_2); 4])), None);
        assert_eq!(up(&setups(&[DQuat::IDENTITY, DQuat::from_rotation_x(1.0)])), None);
        // Turned about Y in the scanner's own frame: its z axis is no vertical.
        assert_eq!(up(&setups(&[0.0, 0.5, 1.0].map(DQuat::from_rotation_y))), None);
    }
}
