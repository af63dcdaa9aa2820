//! Moving freely: keys along the direction of view, drag to look round, wheel to go faster or slower.

use bevy::math::{DVec2, DVec3};
use bevy::prelude::*;

use super::input::Intent;
use crate::rig::Rig;
use crate::rig::mode::Mode;

/// Metres a second at first.
const SPEED_M_S: f64 = 4.0;
/// With shift.
const FAST: f64 = 4.0;
/// Radians of a drag over the height of the picture.
pub(super) const LOOK_PER_HEIGHT: f64 = 1.6;

pub(super) fn update(mut rigs: Query<&mut Rig>, intent: Res<Intent>, time: Res<Time>, mut gear: Local<i32>) {
    for mut rig in &mut rigs {
        if rig.mode != Mode::Fly {
            continue;
        }
        *gear = (*gear + intent.zoom.round() as i32).clamp(-8, 12);
        look_round(&mut rig, intent.turn_px / intent.size_px.y.max(1.0));
        let speed = SPEED_M_S * 1.25f64.powi(*gear) * if intent.fast { FAST } else { 1.0 };
        // Two fingers, or the right button: shift like a hand on the scene.
        let drag = intent.shift_px / intent.size_px.y.max(1.0) * speed;
        let step = intent.go.clamp_length_max(1.0) * speed * time.delta_secs_f64() + DVec3::new(-drag.x, 0.0, drag.y);
        rig.eye = rig.eye + rig.right() * step.x + rig.forward() * step.y + DVec3::Z * step.z;
    }
}

/// Turns the head by a drag given in heights of the picture: the scene follows the pointer.
pub(super) fn look_round(rig: &mut Rig, drag: DVec2) {
    if drag != DVec2::ZERO {
        rig.turn(-drag.x * LOOK_PER_HEIGHT, drag.y * LOOK_PER_HEIGHT);
    }
}
