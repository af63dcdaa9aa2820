//! Input: keyboard, mouse, touch screen and gamepad become intents.
//!
//! [`devices`] reads the devices of a frame as signals, [`map`] is the table from signals to [`intents`], and the camera, the tools and the
//! interface read only the intents. The help window is made from the same table.

pub mod devices;
pub mod intents;
pub mod map;

use bevy::prelude::*;

use self::devices::Gamepad;
use self::intents::Intents;
use self::map::InputMap;

/// The system that reads the devices. Who reads intents runs after it.
#[derive(SystemSet, Clone, Debug, PartialEq, Eq, Hash)]
pub struct InputSystems;

/// Adds the map and the intents.
pub struct InputPlugin;

impl Plugin for InputPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<InputMap>()
            .init_resource::<Intents>()
            .init_resource::<Gamepad>()
            .add_systems(Update, devices::read.in_set(InputSystems));
    }
}
