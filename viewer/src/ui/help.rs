//! The help: which key does what.

use bevy::prelude::*;
use bevy_egui::{EguiContexts, egui};

use super::state::UiState;

const ROWS: [(&str, &str); 14] = [
    ("1  2  3", "orbit, fly, walk"),
    ("Left drag", "turn; look round"),
    ("Right drag", "shift (orbit, fly)"),
    ("Wheel", "nearer to what is under the pointer; speed (fly)"),
    ("W A S D, arrows", "go"),
    ("Q  E", "down, up (fly)"),
    ("Shift", "faster"),
    ("Home, R", "back to the first view"),
    ("One finger", "turn; look round"),
    ("Two fingers", "shift; walk"),
    ("Pinch", "nearer, farther"),
    ("P", "panel"),
    ("H, F1", "this help"),
    ("Esc", "close"),
];

pub(super) fn help(mut contexts: EguiContexts, mut ui_state: ResMut<UiState>) -> Result {
    let context = contexts.ctx_mut()?;
    let mut open = ui_state.help;
    egui::Window::new("Keys").open(&mut open).collapsible(false).resizable(false).anchor(egui::Align2::CENTER_CENTER, [0.0, 0.0]).show(
        context,
        |ui| {
            egui::Grid::new("keys").num_columns(2).spacing([24.0, 6.0]).show(ui, |ui| {
                for (keys, what) in ROWS {
                    ui.strong(keys);
                    ui.label(what);
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
