//! What the user wants in a frame, independent of the device.

use bevy::math::{DVec2, DVec3};
use bevy::prelude::*;

use crate::rig::mode::Mode;

/// Something wanted once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Change the camera's mode.
    Mode(Mode),
    /// Return to the start view.
    Reset,
    /// Show or hide the panel.
    Panel,
    /// Show or hide the figures for engineers.
    Figures,
    /// Show or hide the help.
    Help,
    /// Close the help, or end the tool that uses clicks.
    End,
    /// Start or end the tool of this name.
    Tool(&'static str),
}

/// What the user wants in this frame. Lengths are in logical pixels.
#[derive(Resource, Clone, Debug, Default, PartialEq)]
pub struct Intents {
    /// Rotate the view by a drag: x to the right, y downwards.
    pub rotate_px: DVec2,
    /// Move the view by a drag: x to the right, y downwards.
    pub pan_px: DVec2,
    /// Notches of the wheel, or their equivalent; positive zooms in.
    pub zoom: f64,
    /// Move: x right, y forward, z up; each from -1 to 1.
    pub movement: DVec3,
    /// Move faster.
    pub fast: bool,
    /// Position of the pointer in the picture, -1 to 1, y upwards.
    pub pointer: DVec2,
    /// Whether a drag started in this frame.
    pub drag_started: bool,
    /// Where the picture was clicked or tapped in this frame, -1 to 1, y upwards; a drag is no click.
    pub click: Option<DVec2>,
    /// What is wanted once.
    pub commands: Vec<Command>,
    /// Size of the picture in logical pixels.
    pub size_px: DVec2,
}

impl Intents {
    /// Width of the picture divided by its height.
    pub fn aspect(&self) -> f64 {
        self.size_px.x / self.size_px.y.max(1.0)
    }
}
