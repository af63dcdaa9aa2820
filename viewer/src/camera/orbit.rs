//! Turning round a point, shifting, and coming nearer to what is under the pointer.

use bevy::math::{DVec2, DVec3};
use bevy::prelude::*;

use super::input::Intent;
use super::pick::pick;
use crate::points::extract::DrawList;
use crate::rig::Rig;
use crate::rig::mode::Mode;
use crate::settings::Settings;
use crate::stream::active_scan::ActiveScan;

/// Radians of a drag over the height of the picture.
const TURN_PER_HEIGHT: f64 = std::f64::consts::PI;
/// How fast keys shift, in heights of the picture a second; and with shift.
const KEYS_PER_S: f64 = 0.36;
const KEYS_FAST_PER_S: f64 = 1.2;
/// What a notch of the wheel leaves of the distance.
const ZOOM_PER_NOTCH: f64 = 0.85;
/// Nearest distance to the point that one turns round. Metres.
const DISTANCE_MIN_M: f64 = 0.3;

pub(super) fn update(
    mut rigs: Query<&mut Rig>,
    intent: Res<Intent>,
    (scan, drawn, settings): (Res<ActiveScan>, Res<DrawList>, Res<Settings>),
    time: Res<Time>,
) {
    let delta_s = time.delta_secs_f64().min(0.1);
    for mut rig in &mut rigs {
        if rig.mode != Mode::Orbit {
            continue;
        }
        let aspect = intent.size_px.x / intent.size_px.y.max(1.0);
        if intent.began || intent.zoom != 0.0 {
            // What lies under the pointer gives the distance: of the turn's centre, and of the zoom's aim.
            let direction = rig.ray(intent.at, aspect);
            let aim = pick(&scan, &drawn, &settings, rig.eye, direction);
            if intent.began
                && let Some(aim) = aim
            {
                rig.distance_m = (aim - rig.eye).dot(rig.forward()).max(DISTANCE_MIN_M);
            }
            if intent.zoom != 0.0 {
                let aim = aim.unwrap_or_else(|| rig.eye + direction * rig.distance_m);
                zoom(&mut rig, aim, intent.zoom);
            }
        }
        if intent.turn_px != DVec2::ZERO {
            let turn = intent.turn_px / intent.size_px.y.max(1.0) * TURN_PER_HEIGHT;
            orbit(&mut rig, turn.x, -turn.y);
        }
        if intent.shift_px != DVec2::ZERO {
            shift(&mut rig, intent.shift_px / intent.size_px.y.max(1.0));
        }
        if intent.go != DVec3::ZERO {
            let keys = DVec2::new(-intent.go.x, intent.go.y) * (if intent.fast { KEYS_FAST_PER_S } else { KEYS_PER_S } * delta_s);
            shift(&mut rig, keys);
        }
    }
}

/// Turns the eye round the target; the scene follows the pointer.
fn orbit(rig: &mut Rig, yaw: f64, pitch: f64) {
    let target = rig.target();
    rig.turn(yaw, pitch);
    rig.eye = target - rig.forward() * rig.distance_m;
}

/// Shifts eye and target so that the target follows a drag given in heights of the picture, y downwards.
fn shift(rig: &mut Rig, drag: DVec2) {
    let metres_per_height = 2.0 * rig.distance_m * (rig.fov_y * 0.5).tan();
    rig.eye = rig.eye - rig.right() * (drag.x * metres_per_height) + rig.up() * (drag.y * metres_per_height);
}

/// Comes nearer to `aim` by `notches`; `aim` stays where it is in the picture.
fn zoom(rig: &mut Rig, aim: DVec3, notches: f64) {
    let factor = ZOOM_PER_NOTCH.powf(notches);
    if notches > 0.0 && (aim - rig.eye).length() * factor < DISTANCE_MIN_M {
        return;
    }
    rig.eye = aim + (rig.eye - aim) * factor;
    rig.distance_m = (rig.distance_m * factor).max(DISTANCE_MIN_M);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rig() -> Rig {
        let mut rig = Rig::default();
        rig.look(DVec3::new(10.0, -20.0, 8.0), DVec3::new(0.0, 0.0, 2.0));
        rig
    }

    #[test]
    fn turning_keeps_target_and_distance() {
        let mut rig = rig();
        let (target, distance_m) = (rig.target(), rig.distance_m);
        orbit(&mut rig, 0.7, -0.2);
        assert!((rig.target() - target).length() < 1e-9);
        assert!(((rig.eye - target).length() - distance_m).abs() < 1e-9);
        orbit(&mut rig, 0.0, -9.0);
        assert!(rig.pitch > -1.57, "never over the pole");
    }

    #[test]
    fn zooming_keeps_the_aim_in_its_place() {
        let mut rig = rig();
        let aim = DVec3::new(3.0, 1.0, 0.0);
        let before = (aim - rig.eye).normalize();
        zoom(&mut rig, aim, 3.0);
        assert!(((aim - rig.eye).normalize() - before).length() < 1e-12);
        for _ in 0..100 {
            zoom(&mut rig, aim, 1.0);
        }
        assert!((aim - rig.eye).length() >= DISTANCE_MIN_M, "never through it");
    }

    #[test]
    fn a_shift_moves_the_target_with_the_pointer() {
        let mut rig = rig();
        let target = rig.target();
        shift(&mut rig, DVec2::new(0.25, 0.0));
        // The old target is now a quarter of the picture's height to the right.
        let to_old = target - rig.eye;
        let right = to_old.dot(rig.right()) / to_old.dot(rig.forward()) / (2.0 * (rig.fov_y * 0.5).tan());
        assert!((right - 0.25).abs() < 1e-9);
    }
}
