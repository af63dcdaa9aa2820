//! The panel, the loading bar and the help, drawn by egui over the points.

mod help;
mod panel;

use bevy::prelude::*;
use bevy_egui::{EguiPlugin, EguiPrimaryContextPass};

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

/// How long frames take, smoothed for reading.
#[derive(Resource, Clone, Copy, Debug, Default)]
pub struct FrameTime {
    /// Milliseconds.
    pub smooth_ms: f64,
}

/// Adds the interface.
pub struct UiPlugin;

impl Plugin for UiPlugin {
    fn build(&self, app: &mut App) {
        app.add_plugins(EguiPlugin::default())
            .init_resource::<UiState>()
            .add_systems(Update, toggle)
            .add_systems(EguiPrimaryContextPass, (panel::style, panel::panel, help::help).chain());
    }
}

/// Measures frames; also where no interface is shown.
pub struct FrameTimePlugin;

impl Plugin for FrameTimePlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<FrameTime>().add_systems(First, measure);
    }
}

fn measure(mut frame: ResMut<FrameTime>, time: Res<Time<Real>>) {
    let now_ms = time.delta_secs_f64() * 1e3;
    frame.smooth_ms = if frame.smooth_ms == 0.0 { now_ms } else { frame.smooth_ms * 0.9 + now_ms * 0.1 };
}

fn toggle(mut ui: ResMut<UiState>, keys: Option<Res<ButtonInput<KeyCode>>>, wants: Option<Res<bevy_egui::input::EguiWantsInput>>) {
    let Some(keys) = keys.filter(|_| !wants.is_some_and(|wants| wants.wants_any_keyboard_input())) else { return };
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
