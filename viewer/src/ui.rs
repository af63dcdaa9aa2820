//! The panel, the loading bar and the help window, drawn by egui over the points.

pub mod frame_time;
mod help;
mod panel;
pub mod state;

use bevy::prelude::*;
use bevy_egui::{EguiPlugin, EguiPrimaryContextPass};

use self::state::UiState;

/// Adds the user interface.
pub struct UiPlugin;

impl Plugin for UiPlugin {
    fn build(&self, app: &mut App) {
        app.add_plugins(EguiPlugin::default())
            .init_resource::<UiState>()
            .add_systems(Update, toggle)
            .add_systems(EguiPrimaryContextPass, (panel::style, panel::panel, help::help).chain());
    }
}

/// Shows and hides the panel and the help window by keys, unless the interface itself takes the keyboard input.
fn toggle(mut ui: ResMut<UiState>, keys: Option<Res<ButtonInput<KeyCode>>>, egui_input: Option<Res<bevy_egui::input::EguiWantsInput>>) {
    let Some(keys) = keys.filter(|_| !egui_input.is_some_and(|input| input.wants_any_keyboard_input())) else { return };
    if keys.any_just_pressed([KeyCode::KeyH, KeyCode::F1]) {
        ui.help = !ui.help;
    }
    if keys.just_pressed(KeyCode::Escape) {
        ui.help = false;
    }
    if keys.just_pressed(KeyCode::KeyP) {
        ui.panel = !ui.panel;
    }
}
