//! The view after opening a scan.

use bevy::math::DVec3;
use bevy::prelude::*;
use parterre_model::points::Bounds;

use crate::rig::Rig;
use crate::rig::mode::Mode;

/// The view after opening a scan and after a reset.
#[derive(Resource, Clone, Debug, Default)]
pub struct StartView {
    /// Eye and target (scan frame, metres); `None`: an overview of the scan.
    pub look: Option<(DVec3, DVec3)>,
    /// Mode.
    pub mode: Mode,
}

impl StartView {
    /// Moves the camera to this view; `bounds`: bounds of the scan, `[minx, miny, minz, maxx, maxy, maxz]`; `aspect`: width of the picture to its height.
    pub(super) fn apply(&self, rig: &mut Rig, bounds: [f64; 6], aspect: f64) {
        rig.mode = Mode::Orbit;
        let bounds = bounds_of(bounds);
        match self.look {
            Some((eye, target)) => rig.look(eye, target),
            None => rig.overview(&bounds, aspect),
        }
        if self.mode == Mode::Walk && self.look.is_some() {
            rig.distance_m = rig.distance_m.min(10.0);
        }
        rig.set_mode(self.mode, &bounds);
    }
}

/// Bounds given as `[minx, miny, minz, maxx, maxy, maxz]`.
pub(super) fn bounds_of([x0, y0, z0, x1, y1, z1]: [f64; 6]) -> Bounds {
    Bounds { min: DVec3::new(x0, y0, z0), max: DVec3::new(x1, y1, z1) }
}
