//! Orbit mode: rotating around a point, panning, and zooming towards the point under the pointer.

use bevy::math::{DVec2, DVec3};
use bevy::prelude::*;

use crate::input::intents::Intents;
use crate::inside::LookInside;
use crate::pick::pick;
use crate::rig::Rig;
use crate::rig::mode::Mode;
use crate::stream::scans::Scans;
use crate::stream::status::StreamStatus;

/// Rotation for a drag over the height of the picture. Radians.
const ROTATION_PER_HEIGHT: f64 = std::f64::consts::PI;
/// Speed of panning by keys, in heights of the picture per second.
const KEYS_PER_S: f64 = 0.36;
/// The same while Shift is held.
const KEYS_FAST_PER_S: f64 = 1.2;
/// Speed of zooming by keys. Notches of the wheel per second.
const KEYS_NOTCHES_PER_S: f64 = 6.0;
/// Factor on the distance for one notch of the wheel.
const ZOOM_PER_NOTCH: f64 = 0.85;
/// Smallest distance to the target. Metres.
const DISTANCE_MIN_M: f64 = 0.3;

pub(super) fn update(
    mut rigs: Query<&mut Rig>,
    input: Res<Intents>,
    (scans, status, inside): (Res<Scans>, Res<StreamStatus>, Res<LookInside>),
    time: Res<Time>,
) {
    let delta_s = time.delta_secs_f64().min(0.1);
    for mut rig in &mut rigs {
        if rig.mode != Mode::Orbit {
            continue;
        }
        let aspect = input.aspect();
        // Keys and triggers that move up and down elsewhere move farther and nearer here.
        let keys_zoom = input.movement.z * KEYS_NOTCHES_PER_S * delta_s;
        if keys_zoom != 0.0 {
            let target = rig.target();
            zoom(&mut rig, target, keys_zoom);
        }
        if input.drag_started || input.zoom != 0.0 {
            // The point under the pointer gives the distance of the centre of rotation, and the point to zoom towards.
            let direction = rig.ray(input.pointer, aspect);
            let picked = pick(&scans, &status, &inside, rig.eye, direction);
            if input.drag_started
                && let Some(picked) = picked
            {
                rig.distance_m = (picked - rig.eye).dot(rig.forward()).max(DISTANCE_MIN_M);
            }
            if input.zoom != 0.0 {
                let picked = picked.unwrap_or_else(|| rig.eye + direction * rig.distance_m);
                zoom(&mut rig, picked, input.zoom);
            }
        }
        if input.rotate_px != DVec2::ZERO {
            let rotation = input.rotate_px / input.size_px.y.max(1.0) * ROTATION_PER_HEIGHT;
            orbit(&mut rig, rotation.x, -rotation.y);
        }
        if input.pan_px != DVec2::ZERO {
            pan(&mut rig, input.pan_px / input.size_px.y.max(1.0));
        }
        if input.movement.truncate() != DVec2::ZERO {
            let pan_by_keys =
                DVec2::new(-input.movement.x, input.movement.y) * (if input.fast { KEYS_FAST_PER_S } else { KEYS_PER_S } * delta_s);
            pan(&mut rig, pan_by_keys);
        }
    }
}

/// Moves the eye around the target by `yaw` and `pitch` radians; the scene follows the pointer.
fn orbit(rig: &mut Rig, yaw: f64, pitch: f64) {
    let target = rig.target();
    rig.turn(yaw, pitch);
    rig.eye = target - rig.forward() * rig.distance_m;
}

/// Moves eye and target so that the target follows a drag, given as a share of the picture's height, y downwards.
fn pan(rig: &mut Rig, drag: DVec2) {
    let metres_per_height = 2.0 * rig.distance_m * (rig.fov_y * 0.5).tan();
    rig.eye = rig.eye - rig.right() * (drag.x * metres_per_height) + rig.up() * (drag.y * metres_per_height);
}

/// Moves the eye towards `picked` by `notches` of the wheel; `picked` keeps its position in the picture.
fn zoom(rig: &mut Rig, picked: DVec3, notches: f64) {
    let factor = ZOOM_PER_NOTCH.powf(notches);
    if notches > 0.0 && (picked - rig.eye).length() * factor < DISTANCE_MIN_M {
        return;
    }
    rig.eye = picked + (rig.eye - picked) * factor;
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
    fn rotating_keeps_target_and_distance() {
        let mut rig = rig();
        let (target, distance_m) = (rig.target(), rig.distance_m);
        orbit(&mut rig, 0.7, -0.2);
        assert!((rig.target() - target).length() < 1e-9);
        assert!(((rig.eye - target).length() - distance_m).abs() < 1e-9);
        orbit(&mut rig, 0.0, -9.0);
        assert!(rig.pitch > -1.57, "the pitch stays above -90 degrees");
    }

    #[test]
    fn zooming_keeps_the_picked_point_in_its_position() {
        let mut rig = rig();
        let picked = DVec3::new(3.0, 1.0, 0.0);
        let before = (picked - rig.eye).normalize();
        zoom(&mut rig, picked, 3.0);
        assert!(((picked - rig.eye).normalize() - before).length() < 1e-12);
        for _ in 0..100 {
            zoom(&mut rig, picked, 1.0);
        }
        assert!((picked - rig.eye).length() >= DISTANCE_MIN_M, "the eye does not pass the picked point");
    }

    #[test]
    fn panning_moves_the_target_with_the_pointer() {
        let mut rig = rig();
        let target = rig.target();
        pan(&mut rig, DVec2::new(0.25, 0.0));
        // The old target is now a quarter of the picture's height to the right of the centre.
        let to_old = target - rig.eye;
        let right = to_old.dot(rig.right()) / to_old.dot(rig.forward()) / (2.0 * (rig.fov_y * 0.5).tan());
        assert!((right - 0.25).abs() < 1e-9);
    }
}
