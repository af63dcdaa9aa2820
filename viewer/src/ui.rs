//! The panel, what lies over the picture, and the help window, drawn by egui over the points.

pub mod card;
pub mod frame_time;
mod help;
mod notices;
mod overlay;
mod panel;
mod scans;
pub mod state;
pub mod theme;

use bevy::prelude::*;
use bevy_egui::{EguiPlugin, EguiPrimaryContextPass};

use self::card::{CardSystems, Cards};
use self::state::{CopyView, UiState};
use crate::input::InputSystems;
use crate::input::intents::{Command, Intents};

/// Adds the user interface.
pub struct UiPlugin;

impl Plugin for UiPlugin {
    fn build(&self, app: &mut App) {
        app.add_plugins(EguiPlugin::default())
            .init_resource::<UiState>()
            .init_resource::<Cards>()
            .add_message::<CopyView>()
            .configure_sets(EguiPrimaryContextPass, CardSystems.after(overlay::overlay).before(help::help))
            .add_systems(Update, apply_commands.after(InputSystems))
            .add_systems(
                EguiPrimaryContextPass,
                (theme::apply, scans::tell, panel::panel, overlay::overlay, notices::notices, help::help).chain(),
            );
    }
}

/// Shows and hides parts of the interface as the user wants.
fn apply_commands(mut ui: ResMut<UiState>, intents: Res<Intents>) {
    for command in &intents.commands {
        match command {
            Command::Help => ui.help = !ui.help,
            Command::End => ui.help = false,
            Command::Panel => ui.panel = !ui.panel,
            Command::Figures => {
                ui.figures = !ui.figures || !ui.panel;
                if ui.figures {
                    ui.panel = true;
                    ui.is_open = Some(true);
                }
            }
            _ => {}
        }
    }
}
