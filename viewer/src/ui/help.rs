//! The help window: what each key, mouse button and gesture does.

use bevy::prelude::*;
use bevy_egui::{EguiContexts, egui};

use super::state::UiState;

/// Key, mouse button or gesture, and what it does.
const ROWS: [(&str, &str); 14] = [
    ("1  2  3", "Orbit, fly or walk"),
    ("Left drag", "Rotate the view"),
    ("Right drag", "Move the view (orbit, fly)"),
    ("Wheel", "Zoom at the pointer (orbit); speed (fly); step (walk)"),
    ("W A S D, arrows", "Move"),
    ("Q  E", "Down, up (fly)"),
    ("Shift", "Move faster"),
    ("Home, R", "Back to the start view"),
    ("One finger", "Rotate the view"),
    ("Two fingers", "Move the view (orbit, fly); walk"),
    ("Pinch", "Zoom in or out (orbit); step (walk)"),
    ("P", "Show or hide the panel"),
    ("H, F1", "Show or hide this help"),
    ("Esc", "Close this help"),
];

pub(super) fn help(mut contexts: EguiContexts, mut ui_state: ResMut<UiState>) -> Result {
    let context = contexts.ctx_mut()?;
    let mut open = ui_state.help;
    egui::Window::new("Controls").open(&mut open).collapsible(false).resizable(false).anchor(egui::Align2::CENTER_CENTER, [0.0, 0.0]).show(
        context,
        |ui| {
            egui::Grid::new("controls").num_columns(2).spacing([24.0, 6.0]).show(ui, |ui| {
                for (keys, action) in ROWS {
                    ui.strong(keys);
                    ui.label(action);
                    ui.end_row();
                }
            });
        },
    );
    if open != ui_state.help {
        ui_state.help = open;
    }
    Ok(())
}
