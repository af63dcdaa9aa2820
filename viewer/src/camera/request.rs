//! Changes of the camera that come from outside the input devices.

use bevy::math::DVec3;
use bevy::prelude::*;

use crate::rig::mode::Mode;

/// Asks for a change of the camera from outside the input systems: the command line, the panel, a web page.
#[derive(Message, Clone, Debug)]
pub enum CameraRequest {
    /// Look from the first at the second (scan frame, metres).
    Look(DVec3, DVec3),
    /// Change the mode.
    Mode(Mode),
    /// Back to the first view.
    Reset,
}
