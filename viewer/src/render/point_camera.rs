//! Marker of the camera for which points are drawn.

use bevy::prelude::*;
use bevy::render::extract_component::ExtractComponent;

/// Marks the camera for which points are drawn.
#[derive(Component, Clone, Copy, Default, ExtractComponent)]
pub struct PointCamera;
