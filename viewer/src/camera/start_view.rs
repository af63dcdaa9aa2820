//! The view after opening scans.

use bevy::math::DVec3;
use bevy::prelude::*;
use parterre_model::points::Bounds;

use crate::rig::Rig;
use crate::rig::mode::Mode;

/// The view after opening scans and after a reset.
#[derive(Resource, Clone, Debug, Default)]
pub struct StartView {
    /// Eye and target (scene frame, metres); `None`: an overview of the scans.
    pub look: Option<(DVec3, DVec3)>,
    /// Mode.
    pub mode: Mode,
}

impl StartView {
    /// Moves the camera to this view; `boxes`: what an overview shows, scene frame; `aspect`: width of the picture to its height.
    pub(super) fn apply(&self, rig: &mut Rig, boxes: &[Bounds], aspect: f64) {
        rig.mode = Mode::Orbit;
        match self.look {
            Some((eye, target)) => rig.look(eye, target),
            None => rig.overview(boxes, aspect),
        }
        if self.mode == Mode::Walk && self.look.is_some() {
            rig.distance_m = rig.distance_m.min(10.0);
        }
        rig.set_mode(self.mode, &around(boxes));
    }
}

/// The box around boxes.
pub(super) fn around(boxes: &[Bounds]) -> Bounds {
    boxes.iter().fold(Bounds::EMPTY, |around, bounds| around.union(*bounds))
}
