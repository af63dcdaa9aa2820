//! Which parts of the interface are shown.

use bevy::prelude::*;

/// What of the interface is shown.
#[derive(Resource, Clone, Debug)]
pub struct UiState {
    /// The panel.
    pub panel: bool,
    /// The help.
    pub help: bool,
}

impl Default for UiState {
    fn default() -> Self {
        Self { panel: true, help: false }
    }
}
