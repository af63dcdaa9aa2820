//! Fly mode: keys move along the direction of view, drag rotates the view, the wheel changes the speed.

use bevy::math::{DVec2, DVec3};
use bevy::prelude::*;

use crate::input::intents::Intents;
use crate::rig::Rig;
use crate::rig::mode::Mode;

/// Speed at the start. Metres per second.
const SPEED_M_S: f64 = 4.0;
/// Factor on the speed while Shift is held.
const FAST_FACTOR: f64 = 4.0;
/// Rotation for a drag over the height of the picture. Radians.
pub(super) const LOOK_RADIANS_PER_HEIGHT: f64 = 1.6;

pub(super) fn update(mut rigs: Query<&mut Rig>, input: Res<Intents>, time: Res<Time>, mut speed_steps: Local<f64>) {
    for mut rig in &mut rigs {
        if rig.mode != Mode::Fly {
            continue;
        }
        *speed_steps = (*speed_steps + input.zoom).clamp(-8.0, 12.0);
        look_around(&mut rig, input.rotate_px / input.size_px.y.max(1.0));
        let speed = SPEED_M_S * 1.25f64.powf(*speed_steps) * if input.fast { FAST_FACTOR } else { 1.0 };
        // A drag with two fingers or the right button moves the camera sideways, up and down; the scene follows the pointer.
        let drag = input.pan_px / input.size_px.y.max(1.0) * speed;
        let step = input.movement.clamp_length_max(1.0) * speed * time.delta_secs_f64() + DVec3::new(-drag.x, 0.0, drag.y);
        rig.eye = rig.eye + rig.right() * step.x + rig.forward() * step.y + DVec3::Z * step.z;
    }
}

/// Rotates the direction of view by a drag, given as a share of the picture's height: the scene follows the pointer.
pub(super) fn look_around(rig: &mut Rig, drag: DVec2) {
    if drag != DVec2::ZERO {
        rig.turn(-drag.x * LOOK_RADIANS_PER_HEIGHT, drag.y * LOOK_RADIANS_PER_HEIGHT);
    }
}
