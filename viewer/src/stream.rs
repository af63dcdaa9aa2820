//! Streaming: what a frame wants is chosen by `lod::select`, fetched, decoded and kept within bounds.
//!
//! Camera -> [`select`] -> [`fetch`] (priority, in-flight cap, cancelling, decoding off the main thread where there is
//! one) -> [`residency`] (bytes a frame to the graphics card, least recently used leave) -> what is drawn.
//!
//! Add [`StreamPlugin`], and insert an [`ActiveScan`] when a source is open.

pub mod active_scan;
pub mod adapt;
pub mod fetch;
pub mod residency;
pub mod select;
pub mod status;

use bevy::prelude::*;

use self::active_scan::ActiveScan;
use self::status::StreamStatus;

/// Systems of a frame that need the camera to be where it will be drawn from.
#[derive(SystemSet, Clone, Debug, PartialEq, Eq, Hash)]
pub struct StreamSystems;

/// Adds the streaming systems.
pub struct StreamPlugin;

impl Plugin for StreamPlugin {
    fn build(&self, app: &mut App) {
        app.init_resource::<StreamStatus>().init_resource::<adapt::Adapted>().add_systems(
            Update,
            (select::receive, adapt::adapt, select::select).chain().in_set(StreamSystems).run_if(resource_exists::<ActiveScan>),
        );
    }
}
