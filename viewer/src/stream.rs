//! Streaming: what a frame wants is chosen by `lod::select`, fetched, decoded and kept within bounds.
//!
//! Camera -> [`select`] -> [`fetch`] (priority, in-flight cap, cancelling, decoding off the main thread where there is
//! one) -> [`residency`] (bytes a frame to the graphics card, least recently used leave) -> what is drawn.
//!
//! Add [`StreamPlugin`], and insert an [`ActiveScan`] when a source is open.

pub mod adapt;
pub mod fetch;
pub mod residency;
pub mod select;

use bevy::prelude::*;
use parterre_lod::NodeId;

use crate::source::OpenScan;

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

/// The scan that is looked at.
#[derive(Resource)]
pub struct ActiveScan {
    /// What was opened; its tree grows while external tilesets arrive.
    pub open: OpenScan,
    /// Requests on their way.
    pub fetcher: fetch::Fetcher,
    /// What is in memory.
    pub residency: residency::Residency,
}

impl ActiveScan {
    /// Starts with nothing loaded.
    pub fn new(open: OpenScan, cache_bytes: u64) -> Self {
        let fetcher = fetch::Fetcher::new(open.store.clone());
        Self { open, fetcher, residency: residency::Residency::new(cache_bytes) }
    }

    /// The address of a node's content, for messages.
    pub fn node_name(&self, node: NodeId) -> String {
        use parterre_lod::Content;
        match &self.open.tree.node(node).content {
            Content::Points(uri) | Content::Subtree(uri) => uri.clone(),
            Content::None => String::new(),
        }
    }
}

/// A tile that was given up, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedTile {
    /// Its address in the tileset.
    pub name: String,
    /// What happened the last time.
    pub message: String,
}

/// Where streaming stands, for the panel, web pages and screenshots.
#[derive(Resource, Clone, Debug, Default)]
pub struct StreamStatus {
    /// Points drawn in this frame.
    pub drawn_points: u64,
    /// Tiles drawn in this frame.
    pub drawn_tiles: usize,
    /// Tiles that this frame wants and that are not on the graphics card yet.
    pub loading: usize,
    /// The largest `loading` since it was last zero; the loading bar's end.
    pub loading_peak: usize,
    /// Whether the budget keeps finer tiles away.
    pub budget_reached: bool,
    /// Bytes held in memory and on the graphics card.
    pub resident_bytes: u64,
    /// Tiles that were given up after retries.
    pub failed: Vec<FailedTile>,
    /// Frames in a row that wanted nothing more.
    pub settled_frames: u32,
}
