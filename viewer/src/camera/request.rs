//! Requests to change the camera's view or mode.

use bevy::math::DVec3;
use bevy::prelude::*;

use crate::rig::mode::Mode;

/// A change of the camera requested by the keyboard, the panel or a web page.
#[derive(Message, Clone, Debug)]
pub enum CameraRequest {
    /// Look from the first position (eye) at the second (target); scan frame, metres.
    Look(DVec3, DVec3),
    /// Change the mode.
    Mode(Mode),
    /// Return to the start view.
    Reset,
}
