//! The view to start with.

use bevy::math::DVec3;
use bevy::prelude::*;
use parterre_model::points::Bounds;

use crate::rig::Rig;
use crate::rig::mode::Mode;

/// The view to start with and to go back to.
#[derive(Resource, Clone, Debug, Default)]
pub struct StartView {
    /// Eye and target, where somebody gave them; otherwise the overview.
    pub look: Option<(DVec3, DVec3)>,
    /// Mode.
    pub mode: Mode,
}

impl StartView {
    pub(super) fn apply(&self, rig: &mut Rig, bounds: [f64; 6]) {
        rig.mode = Mode::Orbit;
        let bounds = bounds_of(bounds);
        match self.look {
            Some((eye, target)) => rig.look(eye, target),
            None => rig.overview(&bounds),
        }
        if self.mode == Mode::Walk && self.look.is_some() {
            rig.distance_m = rig.distance_m.min(10.0);
        }
        rig.set_mode(self.mode, &bounds);
    }
}

pub(super) fn bounds_of([x0, y0, z0, x1, y1, z1]: [f64; 6]) -> Bounds {
    Bounds { min: DVec3::new(x0, y0, z0), max: DVec3::new(x1, y1, z1) }
}
