//! Requests to change the camera's view or mode.

use bevy::math::DVec3;
use bevy::prelude::*;
use parterre_lod::ScanId;

use crate::rig::mode::Mode;
use crate::view_address::View;

/// A change of the camera requested by an input device, the panel or a web page.
#[derive(Message, Clone, Debug)]
pub enum CameraRequest {
    /// Look from the first position (eye) at the second (target); scene frame, metres.
    Look(DVec3, DVec3),
    /// The same, in this mode. A walker looks for a floor below the eye.
    View(DVec3, DVec3, Mode),
    /// Change the mode.
    Mode(Mode),
    /// Return to the start view.
    Reset,
    /// Show an overview of one scan.
    Scan(ScanId),
}

impl CameraRequest {
    /// What an address asks of the camera.
    pub fn of_view(view: &View) -> Option<Self> {
        match (view.look, view.mode) {
            (Some((eye, target)), Some(mode)) => Some(Self::View(eye, target, mode)),
            (Some((eye, target)), None) => Some(Self::Look(eye, target)),
            (None, Some(mode)) => Some(Self::Mode(mode)),
            (None, None) => None,
        }
    }
}
