//! Which camera the points are drawn for.

use bevy::prelude::*;
use bevy::render::extract_component::ExtractComponent;

/// Marks the camera that points are drawn for.
#[derive(Component, Clone, Copy, Default, ExtractComponent)]
pub struct PointCamera;
