//! Tools: what one does in a scan apart from moving. Each is a plugin of its own that knows the camera's [`rig`](crate::rig), the
//! [`intents`](crate::input::intents), the open scan and [`picking`](crate::pick), and not the other tools.
//!
//! A tool registers itself in the [`registry`]: its name, its key and whether it uses clicks. The panel lists what is registered, the help names the keys, and at most
//! one tool that uses clicks is active. An active tool shows what it has to say in a [`card`](crate::ui::card).

pub mod height_cut;
pub mod measure;
pub mod registry;

use bevy::prelude::*;

use self::height_cut::HeightCutPlugin;
use self::measure::MeasurePlugin;
use self::registry::ToolRegistry;
use crate::input::InputSystems;

/// Adds the registry and all tools.
pub struct ToolsPlugin;

impl Plugin for ToolsPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<ToolRegistry>()
            .add_systems(Update, registry::apply_commands.in_set(registry::ToolSystems).after(InputSystems))
            .add_plugins((MeasurePlugin, HeightCutPlugin));
    }
}
