//! Which parts of the interface are shown.

use bevy::prelude::*;

/// Which parts of the interface are shown.
#[derive(Resource, Clone, Debug)]
pub struct UiState {
    /// Whether the panel is shown.
    pub panel: bool,
    /// Whether the help window is shown.
    pub help: bool,
}

impl Default for UiState {
    fn default() -> Self {
        Self { panel: true, help: false }
    }
}
