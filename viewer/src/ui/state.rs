//! Which parts of the interface are shown.

use bevy::prelude::*;

/// Which parts of the interface are shown.
#[derive(Resource, Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "independent parts")]
pub struct UiState {
    /// Whether the panel and what lies over the picture are shown.
    pub panel: bool,
    /// Whether the panel is open, or only its first row is shown; until the user says, by the size of the screen.
    pub is_open: Option<bool>,
    /// Whether the figures for engineers are shown.
    pub figures: bool,
    /// Whether the help window is shown.
    pub help: bool,
    /// Whether there is a gamepad, so that the help names its buttons.
    pub has_gamepad: bool,
    /// Messages that the user closes.
    pub notices: Vec<String>,
    /// The view whose address was copied last.
    pub copied: Option<String>,
}

impl Default for UiState {
    fn default() -> Self {
        Self { panel: true, is_open: None, figures: false, help: false, has_gamepad: false, notices: Vec::new(), copied: None }
    }
}

/// The user wants the address of a view; given as [`View`](crate::view_address::View) writes it.
#[derive(Message, Clone, Debug)]
pub struct CopyView(pub String);
