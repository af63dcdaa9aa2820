//! Streaming of tiles: `lod::select` selects the tiles of a frame; they are fetched, decoded and cached within a limit.
//!
//! Camera -> [`select`] -> [`fetch`] (by priority, a limited number at a time, cancelled when no longer selected, decoded off
//! the main thread: by tasks, or in the browser by workers) -> [`residency`] (limited upload per frame, eviction of the least recently
//! used tiles) -> list of tiles to draw.
//!
//! To use it, insert [`Scans`], add [`StreamPlugin`], and add scans when their sources have been opened.

#[cfg(target_arch = "wasm32")]
pub(crate) mod decoders;
pub mod fetch;
mod occluders;
pub mod residency;
pub mod scans;
pub mod select;
pub mod spacing;
pub mod status;

use bevy::prelude::*;

use self::status::StreamStatus;

/// The streaming systems of a frame. The camera must be moved before them.
#[derive(SystemSet, Clone, Debug, PartialEq, Eq, Hash)]
pub struct StreamSystems;

/// Adds the streaming systems.
pub struct StreamPlugin;

impl Plugin for StreamPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<StreamStatus>().add_systems(Update, (select::receive, select::select).chain().in_set(StreamSystems));
    }
}
